/* test_ldap.c: what is LDAP and what is not. Bytes of ldapsearch and slapd 2.5, and some by hand. */
#include "script.h"
#include "test.h"

#define COUNT(a) (sizeof(a) / sizeof((a)[0]))
/* cn=admin,dc=town with a password */
#define BIND "3022 020101 601d 020103 0410 636e3d61646d696e2c64633d746f776e 8006 736563726574"
#define BOUND "300c 020101 6107 0a0100 0400 0400"
/* (&(objectClass=*)(|(cn=S*t*)(!(sn>=Z))(mail~=x))) below dc=town */
#define SEARCH                                                                                                         \
	"305a 020102 6355 0407 64633d746f776e 0a0102 0a0100 020100 020100 010100 a033 870b 6f626a656374436c617373 "        \
	"a124 a40c 0402 636e 3006 8001 53 8101 74 a209 a507 0402 736e 0401 5a a809 0404 6d61696c 0401 78 3006 0404 6d61696c"
#define ENTRY                                                                                                          \
	"3035 020102 6430 040f 636e3d5361746f2c64633d746f776e 301d 301b 0404 6d61696c 3113 0411 "                          \
	"7361746f40746f776e2e6578616d706c65"
#define DONE "300c 020102 6507 0a0100 0400 0400"
#define ROOT "302b 020102 6326 0400 0a0100 0a0100 020100 020100 010100 870b 6f626a656374436c617373 3006 0401 2a 0401 2b"
#define ROOT_ENTRY "301e 020102 6419 0400 3015 3013 0403 746f70 310c 040a 7375624c6963656e7365"
#define STARTTLS "301d 020101 7718 8016 312e332e362e312e342e312e313436362e3230303337"
#define AGREED "300c 020101 7807 0a0100 0400 0400"
#define NOTICE                                                                                                         \
	"3024 020100 781f 0a0134 0400 0400 8a16 312e332e362e312e342e312e313436362e3230303336"

static const struct verify_policy any = {.application = APP_LDAP};
static const struct verify_policy tls = {.application = APP_LDAP, .options = VERIFY_STARTTLS_REQUIRED};

static void test_bind(void)
{
	static const struct line bind[] = {{'c', HEX(BIND)}, {'s', HEX(BOUND)}};
	/* Microsoft's encoders always write four octets of length. */
	static const struct line wide[] = {
		{'c', HEX("30840000001a 020101 608400000011 020103 0400 8084000000 06 736563726574")},
			{'s', HEX(BOUND)}};
	static const struct line sasl[] = {
		{'c', HEX("3019 020101 6014 020103 0400 a30d 0405 504c41494e 0404 00610062")},
		{'s', HEX("3010 020101 610b 0a010e 0400 0400 8702 6f6b")}};
	struct outcome o = SCRIPT(APP_LDAP, &any, bind);

	CHECK_INT(o.status, VERIFY_ACCEPT);
	CHECK_INT(o.level, LEVEL_RELATES);
	CHECK_INT(o.line, 1);
	script_no_prefix_refused(APP_LDAP, &any, bind, COUNT(bind));
	CHECK_INT(SCRIPT(APP_LDAP, &any, wide).status, VERIFY_ACCEPT);
	CHECK_INT(SCRIPT(APP_LDAP, &any, sasl).status, VERIFY_ACCEPT);
	CHECK_INT(script_run(APP_LDAP, &any, bind, 1).level, LEVEL_PREFIX);
}

static void test_search(void)
{
	static const struct line found[] = {{'c', HEX(SEARCH)}, {'s', HEX(ENTRY)}};
	static const struct line done[] = {{'c', HEX(SEARCH)}, {'s', HEX(DONE)}};
	static const struct line reference[] = {{'c', HEX(SEARCH)},
		{'s', HEX("3010 020102 730b 0409 6c6461703a2f2f782f")}};
	/* Two requests without waiting, the first one with a control; the second one is answered. */
	static const struct line both[] = {
		{'c', HEX("3035 020105 6317 0400 0a0100 0a0100 020100 020100 010100 8702 636e 3000 "
			  "a017 3015 0410 322e31362e3834302e312e3131333733 0101ff" BIND)},
		{'s', HEX(BOUND)}};

	script_no_prefix_refused(APP_LDAP, &any, found, COUNT(found));
	CHECK_INT(SCRIPT(APP_LDAP, &any, found).status, VERIFY_ACCEPT);
	CHECK_INT(SCRIPT(APP_LDAP, &any, done).status, VERIFY_ACCEPT);
	CHECK_INT(SCRIPT(APP_LDAP, &any, reference).status, VERIFY_ACCEPT);
	CHECK_INT(script_run(APP_LDAP, &any, both, 1).level, LEVEL_PREFIX);
	CHECK_INT(SCRIPT(APP_LDAP, &any, both).status, VERIFY_ACCEPT);
}

/* Reading the root does not pass a flow: the client may still say StartTLS. */
static void test_root(void)
{
	static const struct line root[] = {{'c', HEX(ROOT)}, {'s', HEX(ROOT_ENTRY)}, {'s', HEX(DONE)},
		{'c', HEX(BIND)},
		{'s', HEX(BOUND)}};
	static const struct line then_tls[] = {{'c', HEX(ROOT)}, {'s', HEX(ROOT_ENTRY DONE)},
		{'c', HEX(STARTTLS)},
		{'s', HEX("300c 020101 7807 0a0102 0400 0400")}, {'c', HEX("3005 020103 4200")}};
	struct outcome o = script_run(APP_LDAP, &any, root, 3);

	CHECK_INT(o.status, VERIFY_DECIDED);
	CHECK_INT(o.level, LEVEL_RELATES);
	CHECK_INT(script_run(APP_LDAP, &any, root, 4).status, VERIFY_DECIDED);
	CHECK_INT(SCRIPT(APP_LDAP, &any, root).status, VERIFY_ACCEPT);
	CHECK_INT(SCRIPT(APP_LDAP, &any, then_tls).status, VERIFY_DECIDED);
}

/* The other operations, each with its own answer. */
static void test_operations(void)
{
	static const char *const asked[] = {
		"301f 020104 661a 0401 78 3015 3013 0a0102 300e 0402 736e 3108 0406 53757a756b69", /* modify */
		"3013 020104 680e 0401 78 3009 3007 0402 736e 3101 04",
		"3006 020104 4a01 78",
		"300e 020104 6c09 0401 78 0401 79 0101 ff",
		"3012 020104 6e0d 0401 78 3008 0402 736e 0402 5361",
		"3012 020104 770d 8003 312e33 8106 616263646566",
	};
	static const char *const answer[] = {"67", "69", "6b", "6d", "6f", "78"};

	for (size_t i = 0; i < COUNT(asked); i++) {
		char text[64], other[64];
		snprintf(text, sizeof(text), "300c 020104 %s07 0a0100 0400 0400", answer[i]);
		snprintf(other, sizeof(other), "300c 020104 %s07 0a0100 0400 0400", answer[(i + 1) % COUNT(asked)]);
		struct line lines[] = {{'c', asked[i], 0}, {'s', text, 0}}, wrong[] = {{'c', asked[i], 0},
			{'s', other, 0}};
		struct outcome o = SCRIPT(APP_LDAP, &any, lines);
		if (i == 1) { /* a set that holds half an element */
			CHECK_INT(o.why, WHY_LENGTH);
			continue;
		}
		CHECK_INT(o.status, VERIFY_ACCEPT);
		CHECK_INT(SCRIPT(APP_LDAP, &any, wrong).why, WHY_ANSWER_OTHER);
	}
}

static void test_starttls(void)
{
	static const struct line agreed[] = {{'c', HEX(STARTTLS)}, {'s', HEX(AGREED)}};
	static const struct line eager_client[] = {{'c', HEX(STARTTLS "16")}, {'s', HEX(AGREED)}};
	static const struct line early_client[] = {{'c', HEX(STARTTLS)}, {'c', HEX("16")}, {'s', HEX(AGREED)}};
	static const struct line eager_server[] = {{'c', HEX(STARTTLS)}, {'s', HEX(AGREED "30")}};
	static const struct line not_tls[] = {{'c', HEX(STARTTLS)}, {'s', HEX(AGREED)}, {'c', HEX(BIND)}};
	static const struct line waiting[] = {{'c', HEX(ROOT)}, {'c', HEX(STARTTLS)}};
	static const struct line valued[] = {
		{'c', HEX("3021 020101 771c 8016 312e332e362e312e342e312e313436362e3230303337 8102 6162")}};

	CHECK_INT(SCRIPT(APP_LDAP, &tls, agreed).status, VERIFY_MORE);
	CHECK_INT(SCRIPT(APP_LDAP, &tls, agreed).level, LEVEL_NONE); /* of TLS */
	CHECK_INT(SCRIPT(APP_LDAP, &any, eager_server).why, WHY_ORDER);
	CHECK_INT(SCRIPT(APP_LDAP, &any, not_tls).why, WHY_PROTOCOL);
	CHECK_INT(SCRIPT(APP_LDAP, &any, eager_client).why, WHY_STARTTLS);
	CHECK_INT(SCRIPT(APP_LDAP, &any, early_client).why, WHY_STARTTLS);
	CHECK_INT(SCRIPT(APP_LDAP, &any, waiting).why, WHY_STARTTLS);
	CHECK_INT(SCRIPT(APP_LDAP, &any, valued).why, WHY_STARTTLS);

}

static void test_starttls_required(void)
{
	static const struct line bind[] = {{'c', HEX(BIND)}}, root[] = {{'c', HEX(ROOT)}};
	static const struct line whoami[] = {
		{'c', HEX("301e 020102 7719 8017 312e332e362e312e342e312e343230332e312e31312e33")}};
	static const struct line unbind[] = {{'c', HEX("3005 020101 4200")}};
	static const struct line refused[] = {
		{'c', HEX(STARTTLS)}, {'s', HEX("300c 020101 7807 0a0102 0400 0400")}, {'c', HEX(BIND)}};

	CHECK_INT(SCRIPT(APP_LDAP, &tls, bind).why, WHY_PLAIN);
	CHECK_INT(SCRIPT(APP_LDAP, &tls, root).why, WHY_PLAIN);
	CHECK_INT(SCRIPT(APP_LDAP, &tls, whoami).why, WHY_PLAIN);
	CHECK_INT(SCRIPT(APP_LDAP, &tls, unbind).status, VERIFY_MORE);
	CHECK_INT(script_run(APP_LDAP, &tls, refused, 2).status, VERIFY_MORE);
	CHECK_INT(SCRIPT(APP_LDAP, &tls, refused).why, WHY_PLAIN);
	/* Refused at the operation's first byte, before a password could follow. */
	CHECK(SCRIPT(APP_LDAP, &tls, bind).bytes <= 36);
}

static void test_notices(void)
{
	static const struct line notice[] = {{'s', HEX(NOTICE)}};
	static const struct line zero[] = {{'s', HEX("300c 020100 6107 0a0100 0400 0400")}};
	static const struct line after_unbind[] = {{'c', HEX("3005 020101 4200")}, {'c', HEX("30")}};

	CHECK_INT(SCRIPT(APP_LDAP, &any, notice).status, VERIFY_MORE);
	CHECK_INT(SCRIPT(APP_LDAP, &any, zero).why, WHY_ANSWER_OTHER);
	CHECK_INT(SCRIPT(APP_LDAP, &any, after_unbind).why, WHY_ORDER);
}

static void test_refusals(void)
{
	static const struct line talk[] = {{'c', HEX(SEARCH)}, {'s', HEX(ENTRY)}};
	static const struct line bind[] = {{'c', HEX(BIND)}, {'s', HEX(BOUND)}};
	static const struct edit edits[] = {
		{0, 0, "31", WHY_PROTOCOL}, {0, 1, "80", WHY_LENGTH}, {0, 1, "59", WHY_LENGTH},
		{0, 1, "85", WHY_LENGTH},
		{0, 2, "03", WHY_FIELD}, {0, 4, "00", WHY_FIELD}, {0, 4, "ff", WHY_FIELD},
		{0, 5, "62", WHY_COMMAND},
		{0, 5, "65", WHY_COMMAND}, {0, 6, "56", WHY_LENGTH}, {0, 6, "54", WHY_LENGTH},
		{0, 7, "0c", WHY_FIELD},
		{0, 8, "70", WHY_LENGTH}, {0, 18, "04", WHY_FIELD}, {0, 21, "04", WHY_FIELD},
		{0, 24, "80", WHY_FIELD},
		{0, 29, "02", WHY_LENGTH}, {0, 31, "b3", WHY_FIELD}, {0, 32, "34", WHY_LENGTH},
		{0, 33, "88", WHY_FIELD},
		{0, 35, "00", WHY_ENCODING}, {0, 52, "00", WHY_ENCODING}, {0, 56, "83", WHY_FIELD},
		{0, 84, "7f", WHY_FIELD},
		{1, 0, "53", WHY_PROTOCOL}, {1, 4, "03", WHY_ANSWER_OTHER}, {1, 5, "61", WHY_ANSWER_OTHER},
		{1, 5, "63", WHY_ANSWER}, {1, 7, "0a", WHY_FIELD}, {1, 25, "1c", WHY_LENGTH},
		{1, 36, "30", WHY_FIELD},
	};
	static const struct edit bind_edits[] = {
		{0, 9, "01", WHY_VERSION}, {0, 9, "04", WHY_VERSION}, {0, 28, "81", WHY_FIELD},
		{0, 29, "05", WHY_LENGTH},
		{1, 4, "02", WHY_ANSWER_OTHER}, {1, 7, "02", WHY_FIELD}, {1, 11, "01", WHY_FIELD},
		{1, 1, "0b", WHY_LENGTH},
	};

	CHECK_INT(script_edits(APP_LDAP, &any, talk, COUNT(talk), edits, COUNT(edits), false), 0);
	CHECK_INT(script_edits(APP_LDAP, &any, bind, COUNT(bind), bind_edits, COUNT(bind_edits), false), 0);
}

/* More requests without an answer than anybody makes; one number twice; a filter that only nests. */
static void test_limits(void)
{
	char many[12 * 32] = "", deep[512] = "";
	struct line lines[] = {{'c', many, 0}};
	static const struct line twice[] = {{'c', HEX(BIND BIND)}};

	for (unsigned i = 1; i <= 12; i++)
		sprintf(many + strlen(many), "300c0201%02x6007020103040080 00", i);
	CHECK_INT(SCRIPT(APP_LDAP, &any, lines).why, WHY_MANY_PACKETS);
	CHECK_INT(SCRIPT(APP_LDAP, &any, twice).why, WHY_FIELD);
	for (unsigned i = 60; i > 2; i -= 2)
		sprintf(deep + strlen(deep), "a2%02x", i);
	char text[700];
	snprintf(text, sizeof(text), "3055 020102 6350 0400 0a0102 0a0100 020100 020100 010100 %s", deep);
	lines[0].text = text;
	CHECK_INT(SCRIPT(APP_LDAP, &any, lines).why, WHY_FIELD);
}

/* A large entry passes the flow by its head. */
static void test_large_entry(void)
{
	static const struct line large[] = {{'c', HEX(SEARCH)},
		{'s', HEX("30820bb802010264820bb1040f636e3d5361746f2c64633d746f776e30820b9c")}};
	static const struct line huge[] = {{'c', HEX(SEARCH)},
		{'s', HEX("3083010bb8020102648301 0bb0 040f636e3d5361746f2c64633d746f776e 3083010b9a")}};

	CHECK_INT(SCRIPT(APP_LDAP, &any, large).status, VERIFY_MORE);
	CHECK_INT(SCRIPT(APP_LDAP, &any, huge).status, VERIFY_ACCEPT);
}

static void test_mimics(void)
{
	/* Eight bytes that tools take for LDAP, and a tunnel behind them. */
	static const struct line eight[] = {{'c', HEX("3006 020101 4200 00")}};
	static const struct line seven[] = {{'c', HEX("3005 020101 4200")}, {'s', TEXT("SSH-2.0-x\r\n")}};
	static const struct line kerberos[] = {{'c', HEX("6a81 c0")}}, ssl[] = {{'c', HEX("16030100c8")}};
	static const struct line snmp[] = {{'c', HEX("3026 020101 0406 7075626c6963 a0")}};
	static const struct line half_bind[] = {{'c', HEX("300c 020101 6007 020103 0400 8000")},
		{'s', TEXT("220 ready\r\n")}};

	CHECK_INT(SCRIPT(APP_LDAP, &any, eight).status, VERIFY_REFUSE);
	CHECK_INT(SCRIPT(APP_LDAP, &any, seven).status, VERIFY_REFUSE);
	CHECK_INT(SCRIPT(APP_LDAP, &any, kerberos).why, WHY_PROTOCOL);
	CHECK_INT(SCRIPT(APP_LDAP, &any, ssl).why, WHY_PROTOCOL);
	CHECK_INT(SCRIPT(APP_LDAP, &any, snmp).why, WHY_COMMAND);
	CHECK_INT(SCRIPT(APP_LDAP, &any, half_bind).status, VERIFY_REFUSE);
}

/* LDAP ping: every datagram, only searches of the root. */
static void test_ping(void)
{
	static const struct line ping[] = {{'c', HEX(ROOT)}, {'s', HEX(ROOT_ENTRY DONE)}, {'c', HEX(ROOT)},
		{'s', HEX(DONE)}};
	static const struct line nobody[] = {{'s', HEX(DONE)}}, bind[] = {{'c', HEX(BIND)}}, search[] = {
		{'c', HEX(SEARCH)}};
	static const struct line after[] = {{'c', HEX(ROOT "00")}}, notice[] = {{'c', HEX(ROOT)},
		{'s', HEX(NOTICE)}};
	static const struct line cut[] = {{'c', HEX("302b 020102 6326 0400")}};
	static const struct edit edits[] = {{1, 1, "1d", WHY_LENGTH}, {1, 4, "09", WHY_ANSWER_OTHER},
		{1, 44, "00", WHY_FIELD}};
	struct outcome o = script_datagrams(APP_LDAP, &any, ping, COUNT(ping), 1);

	CHECK_INT(o.status, VERIFY_DECIDED);
	CHECK_INT(o.level, LEVEL_RELATES);
	CHECK_INT(script_datagrams(APP_LDAP, &any, ping, 1, 1).status, VERIFY_MORE);
	CHECK_INT(script_datagrams(APP_LDAP, &any, nobody, 1, 1).status, VERIFY_DROP);
	CHECK_INT(script_datagrams(APP_LDAP, &any, bind, 1, 1).why, WHY_COMMAND);
	CHECK_INT(script_datagrams(APP_LDAP, &any, search, 1, 1).why, WHY_COMMAND);
	CHECK_INT(script_datagrams(APP_LDAP, &any, after, 1, 1).why, WHY_TRAILING);
	CHECK_INT(script_datagrams(APP_LDAP, &any, notice, 2, 1).why, WHY_COMMAND);
	CHECK_INT(script_datagrams(APP_LDAP, &any, cut, 1, 1).why, WHY_LENGTH);
	CHECK_INT(script_edits(APP_LDAP, &any, ping, 2, edits, COUNT(edits), true), 0);
}

int main(void)
{
	test_bind();
	test_search();
	test_root();
	test_operations();
	test_starttls();
	test_starttls_required();
	test_notices();
	test_refusals();
	test_limits();
	test_large_entry();
	test_mimics();
	test_ping();
	return test_end();
}
