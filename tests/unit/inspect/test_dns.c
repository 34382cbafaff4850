/* test_dns.c: questions and answers that unbound and dig said to each other, and everything that is no DNS. */
#include "script.h"
#include "test.h"

static const struct verify_policy any = {.application = APP_DNS};
static const struct verify_policy updates = {.application = APP_DNS, .options = VERIFY_UPDATES};

#define Q_WWW "669d 0120 0001 0000 0000 0001 03777777 04746f776e 076578616d706c65 00 0001 0001"                        \
	      "00 0029 04d0 00000000 000c 000a 0008 eb69c0800d95e73c"
#define A_WWW "669d 8580 0001 0001 0000 0001 03777777 04746f776e 076578616d706c65 00 0001 0001"                        \
	      "c00c 0001 0001 0000012c 0004 c0000250 00 0029 04d0 00000000 0000"
/* wWw.ToWn.eXample AAAA */
#define Q_MIXED "a7a2 0120 0001 0000 0000 0001 03775777 04546f576e 076558616d706c65 00 001c 0001 00 0029 04d0 00000000 0000"
#define A_MIXED "a7a2 8580 0001 0001 0000 0001 03775777 04546f576e 076558616d706c65 00 001c 0001"                      \
		"c00c 001c 0001 0000012c 0010 20010db8000000000000000000000080 00 0029 04d0 00000000 0000"
#define Q_MX "42e0 0120 0001 0000 0000 0000 04746f776e 076578616d706c65 00 000f 0001"
#define A_MX "42e0 8580 0001 0001 0000 0000 04746f776e 076578616d706c65 00 000f 0001"                                  \
	     "c00c 000f 0001 0000012c 0009 000a 046d61696c c00c"
#define Q_SRV "a4fb 0120 0001 0000 0000 0001 055f6c646170 045f746370 04746f776e 076578616d706c65 00 0021 0001"         \
	      "00 0029 04d0 00000000 000c 000a 0008 00b0eab45747df2f"
#define A_SRV "a4fb 8580 0001 0001 0000 0001 055f6c646170 045f746370 04746f776e 076578616d706c65 00 0021 0001"         \
	      "c00c 0021 0001 0000012c 0017 0000 0064 0185 02646304746f776e076578616d706c6500 00 0029 04d0 00000000 0000"
#define Q_SOA "2b61 0120 0001 0000 0000 0001 04746f776e 076578616d706c65 00 0006 0001 00 0029 04d0 00008000 0000"
#define A_SOA "2b61 8580 0001 0001 0000 0001 04746f776e 076578616d706c65 00 0006 0001"                                 \
	      "c00c 0006 0001 0000012c 0021 026e73c00c 0561646d696ec00c 00000001 00000e10 00000258 00015180 0000012c"  \
	      "00 0029 04d0 00008000 0000"
#define Q_NONE "a4bd 0120 0001 0000 0000 0001 046e6f6e65 04746f776e 076578616d706c65 00 0001 0001 00 0029 04d0 00000000 0000"
#define A_NONE "a4bd 8583 0001 0000 0001 0001 046e6f6e65 04746f776e 076578616d706c65 00 0001 0001"                     \
	       "c011 0006 0001 0000012c 0021 026e73c011 0561646d696ec011 00000001 00000e10 00000258 00015180 0000012c" \
	       "00 0029 04d0 00000000 0000"

static struct outcome datagrams(const struct verify_policy *p, const struct line *l, size_t n)
{
	return script_datagrams(APP_DNS, p, l, n, 10);
}
#define DATAGRAMS(policy, lines) datagrams((policy), (lines), sizeof(lines) / sizeof((lines)[0]))

/* What is said of a client's datagram, and of a server's after the question of it. */
static struct outcome asks(const char *hex)
{
	const struct line l[] = {{'c', HEX(hex)}};
	return DATAGRAMS(&any, l);
}

static struct outcome asks_under(const struct verify_policy *p, const char *hex)
{
	const struct line l[] = {{'c', HEX(hex)}};
	return DATAGRAMS(p, l);
}

static struct outcome answers(const char *question, const char *hex)
{
	const struct line l[] = {{'c', HEX(question)}, {'s', HEX(hex)}};
	return DATAGRAMS(&any, l);
}

static void conversations(void)
{
	static const struct line each[][2] = {
		{{'c', HEX(Q_WWW)}, {'s', HEX(A_WWW)}},
		{{'c', HEX(Q_MIXED)}, {'s', HEX(A_MIXED)}},
		{{'c', HEX(Q_MX)}, {'s', HEX(A_MX)}},
		{{'c', HEX(Q_SRV)}, {'s', HEX(A_SRV)}},
		{{'c', HEX(Q_SOA)}, {'s', HEX(A_SOA)}},
		{{'c', HEX(Q_NONE)}, {'s', HEX(A_NONE)}},
	};
	for (size_t i = 0; i < sizeof(each) / sizeof(each[0]); i++) {
		struct outcome o = DATAGRAMS(&any, each[i]);
		CHECK_INT(o.status, VERIFY_DECIDED);
		CHECK_INT(o.level, LEVEL_RELATES);
		o = datagrams(&any, each[i], 1);
		CHECK_INT(o.status, VERIFY_MORE);
		CHECK_INT(o.level, LEVEL_PREFIX);
	}
	/* All of them in one flow, answered in another order. */
	static const struct line mixed[] = {{'c', HEX(Q_WWW)}, {'c', HEX(Q_MX)}, {'c', HEX(Q_SOA)}, {'s',
		HEX(A_SOA)},
		{'s', HEX(A_WWW)}, {'c', HEX(Q_NONE)}, {'s', HEX(A_NONE)}, {'s', HEX(A_MX)}};
	CHECK_INT(DATAGRAMS(&any, mixed).status, VERIFY_DECIDED);
}

static void answers_that_nobody_asked_for(void)
{
	/*
	 * another id; another name; another letter case; another type: kept back, and nothing is decided by
	 * them
	 */
	static const char *const others[] = {
		"669e 8580 0001 0000 0000 0000 03777777 04746f776e 076578616d706c65 00 0001 0001",
		"669d 8580 0001 0000 0000 0000 03777778 04746f776e 076578616d706c65 00 0001 0001",
		"669d 8580 0001 0000 0000 0000 03577777 04746f776e 076578616d706c65 00 0001 0001",
		"669d 8580 0001 0000 0000 0000 03777777 04746f776e 076578616d706c65 00 001c 0001",
		"669d 8581 0000 0000 0000 0000", /* no question */
	};
	for (size_t i = 0; i < sizeof(others) / sizeof(others[0]); i++) {
		struct outcome o = answers(Q_WWW, others[i]);
		CHECK_INT(o.status, VERIFY_DROP);
		CHECK_INT(o.why, WHY_ANSWER_OTHER);
		CHECK_INT(o.level, LEVEL_PREFIX);
		/* The right one may still come. */
		const struct line l[] = {{'c', HEX(Q_WWW)}, {'s', HEX(others[i])}, {'s', HEX(A_WWW)}};
		CHECK_INT(DATAGRAMS(&any, l).status, VERIFY_DECIDED);
	}
	/* One question has one answer; asked twice, it has two. */
	static const struct line twice[] = {{'c', HEX(Q_WWW)}, {'s', HEX(A_WWW)}, {'s', HEX(A_WWW)}};
	CHECK_INT(DATAGRAMS(&any, twice).status, VERIFY_DROP);
	static const struct line again[] = {{'c', HEX(Q_WWW)}, {'c', HEX(Q_WWW)}, {'s', HEX(A_WWW)}, {'s',
		HEX(A_WWW)}};
	CHECK_INT(DATAGRAMS(&any, again).status, VERIFY_DECIDED);
	/* A server does not begin, and does not ask. */
	static const struct line first[] = {{'s', HEX(A_WWW)}};
	CHECK_INT(DATAGRAMS(&any, first).why, WHY_ORDER);
	static const struct line back[] = {{'c', HEX(Q_WWW)}, {'s', HEX(Q_WWW)}};
	CHECK_INT(DATAGRAMS(&any, back).why, WHY_ORDER);
	CHECK_INT(asks(A_WWW).why, WHY_ORDER);
	/* Before the first answer, what is no DNS refuses the flow; later anybody could have sent it. */
	static const struct line early[] = {{'c', HEX(Q_WWW)}, {'s', TEXT("SSH-2.0-OpenSSH_9.2\r\n")}};
	CHECK_INT(DATAGRAMS(&any, early).status, VERIFY_REFUSE);
	static const struct line late[] = {{'c', HEX(Q_WWW)}, {'s', HEX(A_WWW)}, {'s',
		TEXT("SSH-2.0-OpenSSH_9.2\r\n")}};
	CHECK_INT(DATAGRAMS(&any, late).status, VERIFY_DROP);
	/* The client's are its own. */
	static const struct line tunnel[] = {{'c', HEX(Q_WWW)}, {'s', HEX(A_WWW)}, {'c',
		TEXT("\0\1\0\0 any bytes")}};
	CHECK_INT(DATAGRAMS(&any, tunnel).status, VERIFY_REFUSE);
}

#define HEAD(flags) "1234" flags "0001 0000 0000 0000"
#define WWW "03777777 00 0001 0001"

static void questions_that_are_none(void)
{
	static const struct {
		const char *hex;
		enum inspect_why why;
	} t[] = {
		{HEAD("0100") WWW "00", WHY_TRAILING},
		{HEAD("0100") "03777777 00 0001 00", WHY_LENGTH},
		{"1234 0100 0001", WHY_LENGTH},
		{HEAD("0101") WWW, WHY_FIELD},	 /* an answer's code */
		{HEAD("0140") WWW, WHY_FIELD},	 /* Z */
		{HEAD("0500") WWW, WHY_FIELD},	 /* AA */
		{HEAD("0300") WWW, WHY_FIELD},	 /* TC */
		{HEAD("0180") WWW, WHY_FIELD},	 /* RA */
		{HEAD("0900") WWW, WHY_COMMAND}, /* IQUERY */
		{HEAD("1100") WWW, WHY_COMMAND}, /* STATUS */
		{HEAD("2000") WWW, WHY_COMMAND}, /* NOTIFY, without `updates` */
		{HEAD("2800") WWW, WHY_COMMAND}, /* UPDATE */
		{HEAD("3000") WWW, WHY_COMMAND}, /* DSO */
		{"1234 0100 0000 0000 0000 0000", WHY_FIELD},
		{"1234 0100 0002 0000 0000 0000" WWW WWW, WHY_FIELD},
		{"1234 0100 0001 0001 0000 0000" WWW "c00c 0001 0001 00000000 0004 7f000001", WHY_FIELD},
		{"1234 0100 0001 0000 0001 0000" WWW "c00c 0001 0001 00000000 0004 7f000001", WHY_FIELD},
		{"1234 0100 0001 0000 0000 0001" WWW "c00c 0001 0001 00000000 0004 7f000001", WHY_FIELD},
		{HEAD("0100") "03777777 00 0000 0001", WHY_FIELD}, /* types */
		{HEAD("0100") "03777777 00 000a 0001", WHY_FIELD}, /* NULL */
		{HEAD("0100") "03777777 00 0029 0001", WHY_FIELD}, /* OPT */
		{HEAD("0100") "03777777 00 00fc 0001", WHY_FIELD}, /* AXFR */
		{HEAD("0100") "03777777 00 00fb 0001", WHY_FIELD}, /* IXFR */
		{HEAD("0100") "03777777 00 ff77 0001", WHY_FIELD}, /* private */
		{HEAD("0100") "03777777 00 0001 0000", WHY_FIELD}, /* classes */
		{HEAD("0100") "03777777 00 0001 00fe", WHY_FIELD},
		{HEAD("0100") "03777777 00 0001 8001", WHY_FIELD}, /* mDNS */
		{HEAD("0100") "c00c 0001 0001", WHY_FIELD},	   /* pointers */
		{HEAD("0100") "03777777 c00c 0001 0001", WHY_FIELD},
		{HEAD("0100") "40 0001 0001", WHY_FIELD},
		{HEAD("0100") "03772e77 00 0001 0001", WHY_ENCODING}, /* a dot in a label */
		{HEAD("0100") "03770077 00 0001 0001", WHY_ENCODING},
		{HEAD("0100") "0377c377 00 0001 0001", WHY_ENCODING},
		/* EDNS: version, root, one, options that do not add up */
		{"1234 0100 0001 0000 0000 0001" WWW "00 0029 04d0 00010000 0000", WHY_VERSION},
		{"1234 0100 0001 0000 0000 0001" WWW "0177 00 0029 04d0 00000000 0000", WHY_FIELD},
		{"1234 0100 0001 0000 0000 0002" WWW "00 0029 04d0 00000000 0000 00 0029 04d0 00000000 0000",
			WHY_FIELD},
		{"1234 0100 0001 0000 0000 0001" WWW "00 0029 04d0 00000000 0005 000a 0002 00", WHY_LENGTH},
	};
	for (size_t i = 0; i < sizeof(t) / sizeof(t[0]); i++) {
		struct outcome o = asks(t[i].hex);
		if (o.status != VERIFY_REFUSE || o.why != t[i].why)
			printf("question %zu: %s\n", i, inspect_why_word(o.why));
		CHECK(o.status == VERIFY_REFUSE && o.why == t[i].why);
	}
	CHECK_INT(asks(HEAD("0100") WWW).status, VERIFY_MORE);
	CHECK_INT(asks(HEAD("0110") WWW).status, VERIFY_MORE); /* CD */
	CHECK_INT(asks(HEAD("0100") "00 0002 0001").status, VERIFY_MORE); /* the root's servers */
}

#define REPLY(an) "1234 8180 0001" an "0000 0000" WWW

static void answers_that_are_none(void)
{
	static const struct {
		const char *hex;
		enum inspect_why why;
	} t[] = {
		{REPLY("0001") "c00c 0001 0001 00000000 0004 7f000001 00", WHY_TRAILING},
		{REPLY("0001") "c00c 0001 0001 00000000 0005 7f00000100", WHY_LENGTH},
		{REPLY("0001") "c00c 0001 0001 00000000 0004 7f0000", WHY_LENGTH},
		{REPLY("0002") "c00c 0001 0001 00000000 0004 7f000001", WHY_LENGTH},
		{REPLY("0001") "c00b 0001 0001 00000000 0004 7f000001", WHY_FIELD}, /* into the header */
		{REPLY("0001") "c015 0001 0001 00000000 0004 7f000001", WHY_FIELD}, /* to itself */
		{REPLY("0001") "c0ff 0001 0001 00000000 0004 7f000001", WHY_FIELD}, /* ahead */
		{REPLY("0001") "0161 c015 0001 0001 00000000 0004 7f000001", WHY_FIELD}, /* round and round */
		{REPLY("0001") "c00c 0005 0001 00000000 0004 0161 c022", WHY_FIELD},
		{REPLY("0001") "c00d 0001 0001 00000000 0004 7f000001", WHY_FIELD},
			/* into a label: 'w' is no length */
		{REPLY("0001") "c00c 001c 0001 00000000 0004 7f000001", WHY_LENGTH},
		{REPLY("0001") "c00c 0010 0001 00000000 0003 036100", WHY_LENGTH}, /* text */
		{REPLY("0001") "c00c 000f 0001 00000000 0003 000a 00 00", WHY_TRAILING},
		{REPLY("0001") "c00c 0000 0001 00000000 0000", WHY_FIELD},
		{REPLY("0001") "c00c 0029 04d0 00000000 0000", WHY_FIELD}, /* OPT where it does not belong */
		{REPLY("0001") "c00c 4321 0001 00000000 0000", WHY_FIELD},
		{REPLY("0001") "c00c 0001 7777 00000000 0004 7f000001", WHY_FIELD},
		{"1234 818b 0001 0000 0000 0000" WWW, WHY_FIELD},
		{"1234 81c0 0001 0000 0000 0000" WWW, WHY_FIELD},
		{"1234 8980 0001 0000 0000 0000" WWW, WHY_COMMAND},
	};
	for (size_t i = 0; i < sizeof(t) / sizeof(t[0]); i++) {
		struct outcome o = answers(HEAD("0100") WWW, t[i].hex);
		if (o.status != VERIFY_REFUSE || o.why != t[i].why)
			printf("answer %zu: %s\n", i, inspect_why_word(o.why));
		CHECK(o.status == VERIFY_REFUSE && o.why == t[i].why);
	}
	CHECK_INT(answers(HEAD("0100") WWW, REPLY("0001") "c00c 0001 0001 00000000 0004 7f000001").status,
		VERIFY_DECIDED);
	/* A name in a record may hold any bytes. */
	CHECK_INT(answers(HEAD("0100") WWW,
		REPLY("0001") "c00c 0005 0001 00000000 0006 03ff0020 c00c").status, VERIFY_DECIDED);
}

/* Writes a question for `name`, with dots; returns its length. */
static size_t question(uint8_t *p, unsigned id, const char *name, unsigned type)
{
	static const uint8_t head[] = {0, 0, 1, 0, 0, 1, 0, 0, 0, 0, 0, 0};
	size_t n = sizeof(head);

	memcpy(p, head, n);
	p[0] = (uint8_t)(id >> 8);
	p[1] = (uint8_t)id;
	while (*name != '\0') {
		size_t k = strcspn(name, ".");
		p[n++] = (uint8_t)k;
		memcpy(p + n, name, k);
		n += k;
		name += k + (name[k] == '.');
	}
	const uint8_t tail[] = {0, 0, (uint8_t)type, 0, 1};
	memcpy(p + n, tail, sizeof(tail));
	return n + sizeof(tail);
}

static struct outcome asks_name(const struct verify_policy *p, const char *name)
{
	uint8_t bytes[1024];
	const struct line l[] = {{'c', (const char *)bytes, question(bytes, 7, name, 1)}};
	return DATAGRAMS(p, l);
}

static void names_of_the_rule(void)
{
	static const char *const list[] = {"town.example", "lg.jp"};
	const struct verify_policy p = {.application = APP_DNS, .domain_names = {list, 2}};
	static const char *const good[] = {"town.example", "www.town.example", "WWW.Town.Example",
		"a.b.city.lg.jp"};
	static const char *const bad[] = {"example", "xtown.example", "town.example.evil", "lg.jp.x", "", "a.com"};

	for (size_t i = 0; i < 4; i++)
		CHECK_INT(asks_name(&p, good[i]).status, VERIFY_MORE);
	for (size_t i = 0; i < 6; i++) {
		struct outcome o = asks_name(&p, bad[i]);
		CHECK_INT(o.status, VERIFY_DROP);
		CHECK_INT(o.why, WHY_DOMAIN_NAME);
	}
	/* A label that holds a dot does not pass for two. */
	CHECK_INT(asks_under(&p, HEAD("0100") "0c746f776e2e6578616d706c65 00 0001 0001").why, WHY_ENCODING);
}

static void names_that_are_too_long(void)
{
	char name[300];

	/* 253 letters are the most that a name can have: legal, and no name. */
	for (size_t i = 0; i < 253; i++)
		name[i] = i % 64 == 63 ? '.' : 'a';
	name[253] = '\0';
	CHECK_INT(asks_name(&any, name).why, WHY_LABELS);
	CHECK_INT(asks_name(&any, name).status, VERIFY_DROP);
	name[254] = '\0';
	name[253] = 'a';
	CHECK_INT(asks_name(&any, name).why, WHY_LENGTH);
	for (size_t i = 0; i < 64; i++)
		name[i] = 'a';
	name[64] = '\0';
	CHECK_INT(asks_name(&any, name).why, WHY_FIELD);
	/* The reverse name of an IPv6 address has 34 labels; with a list's name behind them a few more. */
	name[0] = '\0';
	for (size_t i = 0; i < 32; i++)
		strcat(name, "0.");
	strcat(name, "ip6.arpa");
	CHECK_INT(asks_name(&any, name).status, VERIFY_MORE);
	strcat(name, ".a.a.a.a.a.a.a");
	CHECK_INT(asks_name(&any, name).why, WHY_LABELS);
}

static void questions_a_second(void)
{
	const struct verify_policy p = {.application = APP_DNS, .rate = 10};
	static const struct line l[11] = {{'c', HEX(Q_WWW)}, {'c', HEX(Q_WWW)}, {'c', HEX(Q_WWW)}, {'c',
		HEX(Q_WWW)},
		{'c', HEX(Q_WWW)}, {'c', HEX(Q_WWW)}, {'c', HEX(Q_WWW)}, {'c', HEX(Q_WWW)}, {'c', HEX(Q_WWW)},
		{'c', HEX(Q_WWW)}, {'c', HEX(Q_WWW)}};

	CHECK_INT(script_datagrams(APP_DNS, &p, l, 10, 1).status, VERIFY_MORE);
	CHECK_INT(script_datagrams(APP_DNS, &p, l, 11, 1).status, VERIFY_DROP);
	CHECK_INT(script_datagrams(APP_DNS, &p, l, 11, 1).why, WHY_RATE);
	CHECK_INT(script_datagrams(APP_DNS, &p, l, 11, 101).status, VERIFY_MORE);
}

/*
 * Many questions of one port: the first of them is forgotten, and its answer passes all the same, but
 * decides nothing.
 */
static void crowd(void)
{
	static uint8_t bytes[17][64];
	static struct line l[20];
	size_t n = 0;

	for (unsigned i = 0; i < 17; i++)
		l[n++] = (struct line){'c', (const char *)bytes[i], question(bytes[i], i, "www.example", 1)};
	static uint8_t reply[64], other[64];
	size_t k = question(reply, 0, "www.example", 1);
	reply[2] = 0x81;
	l[n] = (struct line){'s', (const char *)reply, k};
	struct outcome o = datagrams(&any, l, n + 1);
	CHECK_INT(o.status, VERIFY_MORE);
	CHECK_INT(o.level, LEVEL_PREFIX);
	l[n + 1] = (struct line){'s', (const char *)other, question(other, 5, "www.example", 1)};
	other[2] = 0x81;
	CHECK_INT(datagrams(&any, l, n + 2).status, VERIFY_DECIDED);
	/* Without a crowd it does not. */
	CHECK_INT(datagrams(&any, l + 1, n).status, VERIFY_DROP);
	/* And not when the crowd is long gone. */
	CHECK_INT(script_datagrams(APP_DNS, &any, l, n + 1, 1000).status, VERIFY_MORE);
	CHECK_INT(script_datagrams(APP_DNS, &any, l, n + 1, 6000).status, VERIFY_DROP);
}

/* Dynamic update as nsupdate sends it (RFC 2136), a notice (RFC 1996), and what they are without the option. */
static void update_and_notify(void)
{
	static const struct line update[] = {
		{'c', HEX("4321 2800 0001 0000 0002 0000 04746f776e 076578616d706c65 00 0006 0001"
			  "026e31 c00c 00ff 00ff 00000000 0000 026e31 c00c 0001 0001 0000003c 0004 c0000201")},
		{'s', HEX("4321 a800 0000 0000 0000 0000")}};
	CHECK_INT(DATAGRAMS(&updates, update).status, VERIFY_DECIDED);
	CHECK_INT(DATAGRAMS(&any, update).why, WHY_COMMAND);
	static const struct line notify[] = {
		{'c', HEX("4322 2400 0001 0000 0000 0000 04746f776e 076578616d706c65 00 0006 0001")},
		{'s', HEX("4322 a400 0001 0000 0000 0000 04746f776e 076578616d706c65 00 0006 0001")}};
	CHECK_INT(DATAGRAMS(&updates, notify).status, VERIFY_DECIDED);
	CHECK_INT(DATAGRAMS(&any, notify).why, WHY_COMMAND);
	/* A whole zone is not asked for by a datagram. */
	CHECK_INT(asks_under(&updates, HEAD("0000") "03777777 00 00fc 0001").why, WHY_COMMAND);
}

static void one_way(void)
{
	const struct verify_policy p = {.application = APP_DNS, .one_way = true};
	static const struct line l[] = {{'c', HEX(Q_WWW)}, {'s', HEX(A_WWW)}};

	CHECK_INT(DATAGRAMS(&p, l).why, WHY_ONE_WAY_ANSWER);
}

static const struct line stream[] = {{'c', HEX("0039" Q_WWW)}, {'s', HEX("003d" A_WWW)},
	{'c', HEX("001e" Q_MX "0039" Q_WWW)}, {'s', HEX("003d" A_WWW)}, {'s', HEX("0033" A_MX)}};

static void over_tcp(void)
{
	struct outcome o = SCRIPT(APP_DNS, &any, stream);

	CHECK_INT(o.status, VERIFY_DECIDED);
	CHECK_INT(o.level, LEVEL_RELATES);
	script_no_prefix_refused(APP_DNS, &any, stream, sizeof(stream) / sizeof(stream[0]));
	static const struct line other[] = {{'c', HEX("001e" Q_MX)}, {'s', HEX("003d" A_WWW)}};
	CHECK_INT(SCRIPT(APP_DNS, &any, other).why, WHY_ANSWER_OTHER);
	static const struct line more[] = {{'c', HEX("001f" Q_MX "00")}};
	CHECK_INT(SCRIPT(APP_DNS, &any, more).why, WHY_TRAILING);
	static const struct line less[] = {{'c', HEX("001d" Q_MX)}};
	CHECK_INT(SCRIPT(APP_DNS, &any, less).why, WHY_LENGTH);
	static const struct line small[] = {{'c', HEX("000b")}};
	CHECK_INT(SCRIPT(APP_DNS, &any, small).why, WHY_LENGTH);
	static const struct line big[] = {{'c', HEX("1001")}};
	CHECK_INT(SCRIPT(APP_DNS, &any, big).why, WHY_LENGTH);
	static const struct line ssh[] = {{'c', TEXT("SSH-2.0-OpenSSH_9.2p1\r\n")}};
	CHECK_INT(SCRIPT(APP_DNS, &any, ssh).why, WHY_LENGTH);
	/* The framing is watched for ever. */
	static const struct line later[] = {{'c', HEX("001e" Q_MX)}, {'s', HEX("0033" A_MX)}, {'c',
		TEXT("\0\100SSH-2.0-")}};
	CHECK_INT(SCRIPT(APP_DNS, &any, later).status, VERIFY_REFUSE);
	static const struct line first[] = {{'s', HEX("0033" A_MX)}};
	CHECK_INT(SCRIPT(APP_DNS, &any, first).why, WHY_ORDER);
}

/* A zone in messages that are longer than what is kept of a stream. */
static size_t zone(uint8_t *p, unsigned records, bool with_question, unsigned text)
{
	static const uint8_t question_bytes[] = {4, 't', 'o', 'w', 'n', 0, 0, 252, 0, 1};
	const uint8_t head[] = {0x12, 0x34, 0x84, 0, 0, with_question, (uint8_t)(records >> 8),
		(uint8_t)records, 0, 0, 0, 0};
	size_t n = 2;

	memcpy(p + n, head, sizeof(head));
	n += sizeof(head);
	if (with_question) {
		memcpy(p + n, question_bytes, sizeof(question_bytes));
		n += sizeof(question_bytes);
	}
	for (unsigned i = 0; i < records; i++) {
		unsigned size = i == 3 ? text : 4;
		const uint8_t record[] = {1, 'a', 0, 0, size == 4 ? 1 : 16, 0, 1, 0, 0, 0, 60, (uint8_t)(size >> 8),
			(uint8_t)size};
		memcpy(p + n, record, sizeof(record));
		memset(p + n + sizeof(record), 0, size);
		n += sizeof(record) + size;
	}
	p[0] = (uint8_t)((n - 2) >> 8);
	p[1] = (uint8_t)(n - 2);
	return n;
}

static void transfer(void)
{
	static uint8_t first[65536], second[65536];
	size_t n = zone(first, 2000, true, 24000), k = zone(second, 3000, false, 4);
	const struct line l[] = {{'c', HEX("0016 1234 0000 0001 0000 0000 0000 04746f776e 00 00fc 0001")},
		{'s', (const char *)first, n}, {'s', (const char *)second, k}};

	struct outcome o = SCRIPT(APP_DNS, &updates, l);
	CHECK_INT(o.status, VERIFY_DECIDED);
	CHECK_INT(o.level, LEVEL_RELATES);
	CHECK_INT(SCRIPT(APP_DNS, &any, l).why, WHY_FIELD);
	/* A record too few, and one too many, in the middle of a long message. */
	first[9]++;
	CHECK_INT(SCRIPT(APP_DNS, &updates, l).why, WHY_LENGTH);
	first[9] -= 2;
	CHECK_INT(SCRIPT(APP_DNS, &updates, l).why, WHY_TRAILING);
	first[9]++;
	/* A message of another id does not belong to the transfer. */
	second[2]++;
	CHECK_INT(SCRIPT(APP_DNS, &updates, l).why, WHY_ANSWER_OTHER);
}

int main(void)
{
	conversations();
	answers_that_nobody_asked_for();
	questions_that_are_none();
	answers_that_are_none();
	names_of_the_rule();
	names_that_are_too_long();
	questions_a_second();
	crowd();
	update_and_notify();
	one_way();
	over_tcp();
	transfer();
	return test_end();
}
