/* test_ntp.c: what chronyd said to chronyd, plain, interleaved and with a key, and what no clock says. */
#include "script.h"
#include "test.h"

static const struct verify_policy any = {.application = APP_NTP};

#define COUNT(lines) (sizeof(lines) / sizeof((lines)[0]))
#define ZERO4 "00000000"
#define ZERO8 ZERO4 ZERO4
/* Head, root delay, dispersion, reference, and four times: reference, origin, receive, transmit. */
#define ASK(head, transmit) head ZERO4 ZERO4 ZERO4 ZERO8 ZERO8 ZERO8 transmit
#define T1 "762a66101ac6d69f"
#define ASK_T1 ASK("23000020", T1)
#define ANSWER_TO(origin) "240200e7" ZERO4 ZERO4 "7f7f0101 eeaac99afbb85745" origin "eeaac99c09fd3cbd eeaac99c0a03a750"

static struct outcome datagrams(const struct line *l, size_t n)
{
	return script_datagrams(APP_NTP, &any, l, n, 1000);
}

static struct outcome asks(const char *hex)
{
	const struct line l[] = {{'c', HEX(hex)}};
	return datagrams(l, 1);
}

static struct outcome answers(const char *hex)
{
	const struct line l[] = {{'c', HEX(ASK_T1)}, {'s', HEX(hex)}};
	return datagrams(l, 2);
}

static void conversations(void)
{
	static const struct line chrony[] = {{'c', HEX(ASK_T1)}, {'s', HEX(ANSWER_TO(T1))},
		/* interleaved: the answer's origin is what the client received */
		{'c', HEX("2300fe20" ZERO4 ZERO4 ZERO4 ZERO8 "eeaac99c1a297ea5 d2ce60ab07267382 2838ea0256ddbe90")},
		{'s', HEX("2402fee7" ZERO4 ZERO4 "7f7f0101 eeaac99afbb85745 d2ce60ab07267382 eeaac99c2a81271d"
			  "eeaac99c1a2cde8c")}};
	CHECK_INT(datagrams(chrony, 1).status, VERIFY_MORE);
	CHECK_INT(datagrams(chrony, 1).level, LEVEL_PREFIX);
	CHECK_INT(datagrams(chrony, 2).status, VERIFY_DECIDED);
	CHECK_INT(datagrams(chrony, 2).level, LEVEL_RELATES);
	CHECK_INT(datagrams(chrony, 4).status, VERIFY_DECIDED);
	/* SNTP without a time of its own (RFC 4330 section 5), version 3. */
	static const struct line sntp[] = {{'c', HEX(ASK("1b000000", ZERO8))}, {'s',
		HEX("1c0200e7" ZERO4 ZERO4 "7f7f0101"
		"eeaac99afbb85745" ZERO8 "eeaac99c09fd3cbd eeaac99c0a03a750")}};
	CHECK_INT(datagrams(sntp, 2).status, VERIFY_DECIDED);
	/* A kiss of death. */
	CHECK_INT(answers("e40000e7" ZERO4 ZERO4 "52415445" ZERO8 T1 ZERO8 ZERO8).status, VERIFY_DECIDED);
}

#define KEY16 "00000001 000102030405060708090a0b0c0d0e0f"
#define KEY20 KEY16 "10111213"

static void behind_the_header(void)
{
	static const struct {
		const char *hex;
		enum inspect_why why; /* WHY_NONE: legal */
	} t[] = {
		{ASK_T1 KEY16, WHY_NONE},
		{ASK_T1 KEY20, WHY_NONE},
		{ASK_T1 "00000001", WHY_NONE},
		{ASK_T1 "00", WHY_LENGTH},
		{ASK_T1 KEY16 "00", WHY_LENGTH},
		{ASK_T1 ZERO8, WHY_LENGTH},
		{ASK("1b000000", T1) "00000001" ZERO8, WHY_NONE}, /* DES, only version 3 */
		{ASK_T1 "00000001" ZERO8, WHY_LENGTH},
		/* NTS: identifier, cookie, authenticator (RFC 8915) */
		{ASK_T1 "0104 0024 0102030405060708090a0b0c0d0e0f101112131415161718191a1b1c1d1e1f20"
			"0204 0014 000102030405060708090a0b0c0d0e0f"
			"0404 0028 0010 0010 000102030405060708090a0b0c0d0e0f 000102030405060708090a0b0c0d0e0f", WHY_NONE},
		{ASK_T1 "7777 0024 0102030405060708090a0b0c0d0e0f101112131415161718191a1b1c1d1e1f20", WHY_FIELD},
		{ASK_T1 "0104 0023 0102030405060708090a0b0c0d0e0f101112131415161718191a1b1c1d1e1f", WHY_LENGTH},
		{ASK_T1 "0104 0028 0102030405060708090a0b0c0d0e0f101112131415161718191a1b1c1d1e1f20", WHY_LENGTH},
		{ASK_T1 "0104 0008 0102030405060708090a0b0c0d0e0f101112131415161718191a1b1c1d1e1f20", WHY_LENGTH},
		{ASK("1b000000",
			T1) "0104 0024 0102030405060708090a0b0c0d0e0f101112131415161718191a1b1c1d1e1f20",
				WHY_LENGTH},
	};
	for (size_t i = 0; i < COUNT(t); i++) {
		struct outcome o = asks(t[i].hex);
		if (o.why != t[i].why)
			printf("tail %zu: %s\n", i, inspect_why_word(o.why));
		CHECK(o.why == t[i].why && (o.status == VERIFY_REFUSE) == (o.why != WHY_NONE));
	}
}

static void no_clock(void)
{
	static const struct {
		const char *hex;
		enum inspect_why why;
	} t[] = {
		{"23000020 00", WHY_LENGTH},
		{ASK("13000000", T1), WHY_VERSION}, /* 2 */
		{ASK("0b000000", T1), WHY_VERSION}, /* 1 */
		{ASK("2b000000", T1), WHY_VERSION}, /* 5 */
		{ASK("20000000", T1), WHY_COMMAND}, /* reserved */
		{ASK("21000000", T1), WHY_COMMAND}, /* symmetric, active and passive */
		{ASK("22000000", T1), WHY_COMMAND},
		{ASK("25000000", T1), WHY_COMMAND}, /* broadcast */
		{"26020001 00000000 00000000", WHY_COMMAND}, /* ntpq */
		{"1f000000", WHY_COMMAND},	     /* ntpdc */
		{ASK("24000000", T1), WHY_ORDER},
		{ASK("23110000", T1), WHY_FIELD}, /* stratum 17 */
		{ASK("23004000", T1), WHY_FIELD}, /* asks each 2^64 seconds */
		{ASK("23000080", T1), WHY_FIELD},
	};
	for (size_t i = 0; i < COUNT(t); i++) {
		struct outcome o = asks(t[i].hex);
		if (o.status != VERIFY_REFUSE || o.why != t[i].why)
			printf("question %zu: %s\n", i, inspect_why_word(o.why));
		CHECK(o.status == VERIFY_REFUSE && o.why == t[i].why);
	}
	/* Of 1280 bytes whose first looks right, hardly one in a hundred gets further. */
	CHECK_INT(asks("53534820 2d322e30").status, VERIFY_REFUSE);
}

static void answers_that_do_not_belong(void)
{
	struct outcome o = answers(ANSWER_TO("762a66101ac6d6a0"));

	CHECK_INT(o.status, VERIFY_DROP);
	CHECK_INT(o.why, WHY_ANSWER_OTHER);
	CHECK_INT(answers(ANSWER_TO(ZERO8)).status, VERIFY_DROP);
	CHECK_INT(answers("1c0200e7" ZERO4 ZERO4 "7f7f0101" ZERO8 T1 "eeaac99c09fd3cbd eeaac99c0a03a750").status, VERIFY_DROP);
	CHECK_INT(answers(ASK_T1).why, WHY_ORDER);
	CHECK_INT(answers("240200e7" ZERO4 ZERO4 "7f7f0101" ZERO8 T1 ZERO8 ZERO8).why, WHY_FIELD);
	CHECK_INT(answers("240000e7" ZERO4 ZERO4 "01020304" ZERO8 T1 ZERO8 ZERO8).why, WHY_FIELD);
	static const struct line first[] = {{'s', HEX(ANSWER_TO(T1))}};
	CHECK_INT(datagrams(first, 1).why, WHY_ORDER);
	static const struct line l[] = {{'c', HEX(ASK_T1)}, {'s', HEX(ANSWER_TO(T1))},
		{'s', HEX(ANSWER_TO(T1))},	      /* twice */
		{'s', HEX("26020001 00000000 00000000")}}; /* forged: kept back, and the flow lives */
	CHECK_INT(datagrams(l, 3).status, VERIFY_DROP);
	CHECK_INT(datagrams(l, 3).why, WHY_ANSWER_OTHER);
	CHECK_INT(datagrams(l, 4).status, VERIFY_DROP);
	CHECK_INT(datagrams(l, 4).why, WHY_COMMAND);
	/* Five unanswered questions are remembered, a sixth pushes the first out. */
	static const struct line many[] = {{'c', HEX(ASK_T1)}, {'c', HEX(ASK("23000020", "0000000000000001"))},
		{'c', HEX(ASK("23000020", "0000000000000002"))}, {'c', HEX(ASK("23000020", "0000000000000003"))},
		{'c', HEX(ASK("23000020", "0000000000000004"))}, {'s', HEX(ANSWER_TO(T1))}};
	CHECK_INT(datagrams(many, 6).status, VERIFY_DECIDED);
	static const struct line more[] = {{'c', HEX(ASK_T1)}, {'c', HEX(ASK("23000020", "0000000000000001"))},
		{'c', HEX(ASK("23000020", "0000000000000002"))}, {'c', HEX(ASK("23000020", "0000000000000003"))},
		{'c', HEX(ASK("23000020", "0000000000000004"))}, {'c', HEX(ASK("23000020", "0000000000000005"))},
		{'s', HEX(ANSWER_TO(T1))}};
	CHECK_INT(datagrams(more, 7).status, VERIFY_DROP);
	const struct verify_policy one_way = {.application = APP_NTP, .one_way = true};
	CHECK_INT(script_datagrams(APP_NTP, &one_way, l, 2, 1).why, WHY_ONE_WAY_ANSWER);
}

int main(void)
{
	conversations();
	behind_the_header();
	no_clock();
	answers_that_do_not_belong();
	return test_end();
}
