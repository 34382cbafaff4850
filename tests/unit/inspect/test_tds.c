/* test_tds.c: what is TDS and what is not. The client's bytes are those of FreeTDS 1.3, the server's are by the standard. */
#include "script.h"
#include "test.h"

#define COUNT(a) (sizeof(a) / sizeof((a)[0]))
#define R32 "000102030405060708090a0b0c0d0e0f101112131415161718191a1b1c1d1e1f"
/* Version, encryption, instance, thread, MARS; the data behind the table in the same order. */
#define OPTIONS_ASKED "00001a0006 0100200001 020021000c 03002d0004 0400310001 ff 090000000000 "
#define OPTIONS_TOLD "00001a0006 0100200001 0200210001 0300220000 0400220001 ff 0f0010af0000 "
#define ASK_WITH(encryption) "1201003a00000000 " OPTIONS_ASKED encryption " 4d5353514c53657276657200 7a7a0000 00 "
#define TELL_WITH(encryption) "0401002b00000100 " OPTIONS_TOLD encryption " 00 00 "
#define ASK ASK_WITH("00")
#define TOLD_PLAIN TELL_WITH("02")
#define LOGIN                                                                                                          \
	"100100c500000000 bd000000 04000074 00100000 0683f2f8 7a7a0000 00000000 e0030018 88ffffff 36040000 "               \
	"5e000200 62000400 6a000200 6e000400 76000900 88000400 8c000b00 a2000a00 b6000000 000000000000 "                   \
	"b6000000 b6000000 b6000000 00000000 76006d007300610074006f00a2a5d2a55400530051004c00"                             \
	"3100320037002e0030002e0030002e003100b60000005400440053002d004c00690062007200610072007900"                         \
	"750073005f0065006e0067006c006900730068000a0100000001ff "
/* ENVCHANGE, INFO, LOGINACK, DONE */
#define ENVCHANGE "e3 1b00 01 066d0061007300740065007200 066d0061007300740065007200 "
#define INFO "ab 1e00 45160000 02 00 0500 680065006c006c006f00 03 730072007600 00 01000000 "
#define ACK(version)                                                                                                   \
	"ad 3600 01 " version " 16 4d006900630072006f0073006f00660074002000530051004c002000530065007200760065007200"       \
	"00000000 0f0010af "
#define DONE "fd 0000 0000 0000000000000000 "
#define LOGGED_IN "0401008d00000100 " ENVCHANGE INFO ACK("74000004") DONE
#define FAILED                                                                                                         \
	"0401004400000100 aa 2c00 18480000 01 0e 0c00 4c006f00670069006e0020006600610069006c0065006400 03 730072007600 00 " \
	"01000000 fd 0200 0000 0000000000000000 "
/* TLS 1.2 in packets: the client's hello, the server's with its end of flight, keys changed by both, a bare record. */
#define CLIENT_HELLO(version)                                                                                          \
	"1201005100000000 1603010044 01000040 " version R32 " 00 0002c030 0100 0015 000a00040002001d 000d000400020401 ff01000100 "
#define HELLO CLIENT_HELLO("0303")
#define SERVER_HELLO(cipher)                                                                                           \
	"1201004700000100 1603030031 0200002d 0303" R32 " 00 " cipher " 00 0005 ff01000100 1603030004 0e000000 "
#define CLIENT_KEYS                                                                                                    \
	"1201006500000000 1603030025 10000021 20" R32 " 140303000101 1603030028 0000000000000000" R32 " "
#define SERVER_KEYS "1201003b00000100 140303000101 1603030028 0000000000000000" R32 " "
#define SEALED "1703030020" R32 " "

static const struct verify_policy policy = {.application = APP_TDS};
static const struct line plain[] = {{'c', HEX(ASK)}, {'s', HEX(TOLD_PLAIN)}, {'c', HEX(LOGIN)}, {'s', HEX(LOGGED_IN)}};
static const struct line tls[] = {{'c', HEX(ASK)}, {'s', HEX(TELL_WITH("00"))}, {'c', HEX(HELLO)},
	{'s', HEX(SERVER_HELLO("c030"))}, {'c', HEX(CLIENT_KEYS)}, {'s', HEX(SERVER_KEYS)}, {'c', HEX(SEALED)}};

static void test_plain(void)
{
	/* Old clients begin with their login. */
	static const struct line login_first[] = {{'c', HEX(LOGIN)}, {'s', HEX(LOGGED_IN)}};
	/* The next step of NTLM. */
	static const struct line ntlm[] = {{'c', HEX(LOGIN)},
		{'s', HEX("0401001b00000100 ed 1000 4e544c4d53535000 0200000000000000")}};
	struct outcome o = SCRIPT(APP_TDS, &policy, plain);

	CHECK_INT(o.status, VERIFY_ACCEPT);
	CHECK_INT(o.level, LEVEL_RELATES);
	CHECK_INT(o.line, 3);
	script_no_prefix_refused(APP_TDS, &policy, plain, COUNT(plain));
	CHECK_INT(script_run(APP_TDS, &policy, plain, 1).level, LEVEL_PREFIX);
	CHECK_INT(script_run(APP_TDS, &policy, plain, 2).level, LEVEL_ANSWER);
	CHECK_INT(script_run(APP_TDS, &policy, plain, 3).status, VERIFY_MORE);
	CHECK_INT(SCRIPT(APP_TDS, &policy, login_first).status, VERIFY_ACCEPT);
	CHECK_INT(SCRIPT(APP_TDS, &policy, ntlm).status, VERIFY_ACCEPT);
}

static void test_failed(void)
{
	static const struct line failed[] = {{'c', HEX(LOGIN)}, {'s', HEX(FAILED)}, {'c', HEX("01")}};
	static const struct line neither[] = {{'c', HEX(LOGIN)}, {'s', HEX("0401001500000100 " DONE)}};
	struct outcome o = script_run(APP_TDS, &policy, failed, 2);

	CHECK_INT(o.status, VERIFY_DECIDED);
	CHECK_INT(o.level, LEVEL_RELATES);
	CHECK_INT(SCRIPT(APP_TDS, &policy, failed).why, WHY_ORDER);
	CHECK_INT(SCRIPT(APP_TDS, &policy, neither).why, WHY_ANSWER);
}

/* A message in several packets. */
static void test_packets(void)
{
	static const struct line cut[] = {
		{'c', HEX("1200000900000000 00 1200000900000100 00 1201003800000200 "
			  "1a0006 0100200001 020021000c 03002d0004 0400310001 ff 090000000000 00 4d5353514c53657276657200 7a7a0000 00")},
		{'s', HEX(TOLD_PLAIN)}};
	static const struct line empty[] = {{'c', HEX("1200000800000000 ")}};
	static const struct line mixed[] = {{'c', HEX("1200000900000000 00 1001")}};
	static const struct line endless[] = {
		{'c', HEX("1200003a00000000 " OPTIONS_ASKED "00 4d5353514c53657276657200 7a7a0000 00 "
							"1201000900000100 00")}};

	CHECK_INT(SCRIPT(APP_TDS, &policy, cut).status, VERIFY_MORE);
	CHECK_INT(SCRIPT(APP_TDS, &policy, cut).level, LEVEL_ANSWER);
	CHECK_INT(SCRIPT(APP_TDS, &policy, empty).why, WHY_LENGTH);
	CHECK_INT(SCRIPT(APP_TDS, &policy, mixed).why, WHY_ORDER);
	CHECK_INT(SCRIPT(APP_TDS, &policy, endless).why, WHY_TRAILING);
}

static void test_tls(void)
{
	static const struct line old[] = {{'c', HEX(ASK)}, {'s', HEX(TELL_WITH("01"))},
		{'c', HEX(CLIENT_HELLO("0302"))}};
	static const struct line other[] = {{'c', HEX(ASK)}, {'s', HEX(TELL_WITH("01"))}, {'c', HEX(HELLO)},
		{'s', HEX(SERVER_HELLO("c02f"))}};
	static const struct line login_instead[] = {{'c', HEX(ASK)}, {'s', HEX(TELL_WITH("00"))},
		{'c', HEX(LOGIN)}};
	static const struct line early[] = {{'c', HEX(ASK)}, {'s', HEX(TELL_WITH("00"))}, {'c', HEX(HELLO)},
		{'c', HEX(CLIENT_KEYS)}};
	static const struct line then_raw[] = {{'c', HEX(ASK)}, {'s', HEX(TELL_WITH("00"))}, {'c', HEX(HELLO)},
		{'s', HEX(SERVER_HELLO("c030"))}, {'c', TEXT("SSH-2.0-x\r\n")}};
	static const struct line server_silent[] = {{'c', HEX(ASK)}, {'s', HEX(TELL_WITH("00"))},
		{'c', HEX(HELLO)},
		{'s', HEX(SERVER_HELLO("c030"))}, {'c', HEX(CLIENT_KEYS SEALED)}};
	struct outcome o = SCRIPT(APP_TDS, &policy, tls);

	CHECK_INT(o.status, VERIFY_ACCEPT);
	CHECK_INT(o.line, 6);
	script_no_prefix_refused(APP_TDS, &policy, tls, COUNT(tls));
	CHECK_INT(script_run(APP_TDS, &policy, tls, 3).status, VERIFY_MORE);
	for (size_t n = 4; n < COUNT(tls); n++) {
		CHECK_INT(script_run(APP_TDS, &policy, tls, n).status, VERIFY_DECIDED);
		CHECK_INT(script_run(APP_TDS, &policy, tls, n).level, LEVEL_RELATES);
	}
	CHECK_INT(SCRIPT(APP_TDS, &policy, old).why, WHY_VERSION);
	CHECK_INT(SCRIPT(APP_TDS, &policy, other).status, VERIFY_REFUSE);
	CHECK_INT(SCRIPT(APP_TDS, &policy, login_instead).status, VERIFY_REFUSE);
	CHECK_INT(SCRIPT(APP_TDS, &policy, early).why, WHY_ORDER);
	o = SCRIPT(APP_TDS, &policy, then_raw);
	CHECK_INT(o.why, WHY_PROTOCOL);
	CHECK_INT(o.line, 4);
	CHECK_INT(SCRIPT(APP_TDS, &policy, server_silent).why, WHY_ORDER);
}

static void test_tls_refusals(void)
{
	static const struct edit edits[] = {
		{2, 0, "10", WHY_ORDER}, {2, 1, "02", WHY_FIELD}, {2, 3, "08", WHY_LENGTH},
		{2, 7, "01", WHY_FIELD},
		{2, 8, "17", WHY_PROTOCOL}, {2, 3, "50", WHY_LENGTH}, {2, 13, "02", WHY_COMMAND},
		{3, 0, "04", WHY_ANSWER}, {3, 8, "17", WHY_ANSWER}, {3, 13, "01", WHY_COMMAND},
		{3, 62, "17", WHY_PROTOCOL},
		{4, 8, "17", WHY_PROTOCOL}, {4, 9, "04", WHY_PROTOCOL}, {4, 50, "17", WHY_PROTOCOL},
		{4, 54, "02", WHY_LENGTH},
		{5, 0, "04", WHY_PROTOCOL}, {5, 8, "15", WHY_ORDER}, {6, 0, "10", WHY_PROTOCOL},
		{6, 3, "ff", WHY_LENGTH},
	};

	CHECK_INT(script_edits(APP_TDS, &policy, tls, COUNT(tls), edits, COUNT(edits), false), 0);
}

static void test_refusals(void)
{
	static const struct edit edits[] = {
		{0, 0, "02", WHY_PROTOCOL}, {0, 0, "11", WHY_PROTOCOL}, {0, 1, "08", WHY_FIELD},
		{0, 2, "80", WHY_LENGTH},
		{0, 3, "39", WHY_LENGTH}, {0, 3, "08", WHY_LENGTH}, {0, 7, "01", WHY_FIELD},
		{0, 8, "01", WHY_FIELD},
		{0, 8, "ff", WHY_FIELD}, {0, 10, "1b", WHY_LENGTH}, {0, 12, "05", WHY_LENGTH},
		{0, 13, "00", WHY_FIELD},
		{0, 13, "08", WHY_FIELD}, {0, 15, "1f", WHY_LENGTH}, {0, 17, "02", WHY_LENGTH},
		{0, 33, "fe", WHY_FIELD},
		{0, 40, "04", WHY_FIELD}, {0, 57, "02", WHY_FIELD}, {1, 0, "12", WHY_ANSWER},
		{1, 3, "2a", WHY_LENGTH},
		{1, 18, "06", WHY_ANSWER_OTHER}, {1, 40, "07", WHY_FIELD}, {1, 30, "07", WHY_LENGTH},
		{2, 0, "12", WHY_COMMAND}, {2, 8, "bc", WHY_TRAILING}, {2, 8, "be", WHY_LENGTH},
		{2, 9, "01", WHY_LENGTH},
		{2, 12, "05", WHY_VERSION}, {2, 15, "75", WHY_VERSION}, {2, 17, "01", WHY_FIELD},
		{2, 44, "5d", WHY_LENGTH},
		{2, 46, "ff", WHY_LENGTH}, {2, 99, "01", WHY_LENGTH},
		{3, 0, "10", WHY_ANSWER}, {3, 8, "d1", WHY_FIELD}, {3, 9, "1c", WHY_FIELD},
		{3, 47, "0c", WHY_LENGTH},
		{3, 74, "02", WHY_FIELD}, {3, 75, "75", WHY_VERSION}, {3, 79, "15", WHY_LENGTH},
		{3, 3, "8c", WHY_LENGTH},
	};
	static const struct line downgraded[] = {{'c', HEX(LOGIN)},
		{'s', HEX("0401008d00000100 " ENVCHANGE INFO ACK("72090002") DONE)}};
	static const struct edit newer[] = {{0, 12, "02000972", WHY_ANSWER_OTHER}};

	CHECK_INT(script_edits(APP_TDS, &policy, plain, COUNT(plain), edits, COUNT(edits), false), 0);
	CHECK_INT(SCRIPT(APP_TDS, &policy, downgraded).status, VERIFY_ACCEPT);
	static const struct line asked[] = {{'c', HEX(LOGIN)}, {'s', HEX(LOGGED_IN)}};
	CHECK_INT(script_edits(APP_TDS, &policy, asked, 2, newer, 1, false), 0);
}

/* An option that was not asked for: FEDAUTHREQUIRED. */
static void test_unasked_option(void)
{
	static const struct line told[] = {{'c', HEX(ASK)},
		{'s', HEX("0401001b00000100 00000b0006 0600110001 ff 0f0010af0000 01 00")}};

	CHECK_INT(SCRIPT(APP_TDS, &policy, told).why, WHY_ANSWER_OTHER);
}

/* TDS 8.0: TLS from the first byte on. */
static void test_direct(void)
{
	static const struct line direct[] = {
		{'c', HEX("160301007e 0100007a 0303" R32 " 00 0002 1301 0100 004f 002b0003020304 000a00040002001d 000d000400020403 "
			  "003300260024001d0020" R32 " 0010000a0008 07 7464732f382e30")}};
	static const struct line web[] = {
		{'c', HEX("160301007e 0100007a 0303" R32 " 00 0002 1301 0100 004f 002b0003020304 000a00040002001d 000d000400020403 "
			  "003300260024001d0020" R32 " 0010000a0008 07 68322f2f2f2f2f")}};

	CHECK(SCRIPT(APP_TDS, &policy, direct).status != VERIFY_REFUSE);
	CHECK_INT(SCRIPT(APP_TDS, &policy, direct).level, LEVEL_PREFIX);
	CHECK_INT(SCRIPT(APP_TDS, &policy, web).why, WHY_ALPN);
}

static void test_mimics(void)
{
	static const struct line http[] = {{'c', TEXT("GET / HTTP/1.1\r\n")}}, sybase[] = {
		{'c', HEX("0200020000000000")}};
	static const struct line first[] = {{'s', HEX("04")}}, then_ssh[] = {{'c', HEX(ASK)},
		{'s', TEXT("SSH-2.0-x\r\n")}};
	static const struct line twice[] = {{'c', HEX(ASK LOGIN)}};
	/* The header of a login and a tunnel in it. */
	static const struct line login[] = {
		{'c', HEX("1001002000000000 18000000 04000074 000f0000 deadbeefdeadbeefdeadbeef")}};

	CHECK_INT(SCRIPT(APP_TDS, &policy, http).why, WHY_PROTOCOL);
	CHECK_INT(SCRIPT(APP_TDS, &policy, sybase).why, WHY_PROTOCOL);
	CHECK_INT(SCRIPT(APP_TDS, &policy, first).why, WHY_ORDER);
	CHECK_INT(SCRIPT(APP_TDS, &policy, then_ssh).why, WHY_ANSWER);
	CHECK_INT(SCRIPT(APP_TDS, &policy, twice).why, WHY_ORDER);
	CHECK_INT(SCRIPT(APP_TDS, &policy, login).why, WHY_LENGTH);
}

int main(void)
{
	test_plain();
	test_failed();
	test_packets();
	test_tls();
	test_tls_refusals();
	test_refusals();
	test_unasked_option();
	test_direct();
	test_mimics();
	return test_end();
}
