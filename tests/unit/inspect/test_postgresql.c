/* test_postgresql.c: what is PostgreSQL and what is not. Bytes of psql and postgres 15, and some by hand. */
#include "script.h"
#include "test.h"

#define COUNT(a) (sizeof(a) / sizeof((a)[0]))
#define SSL "00000008 04d2162f "
#define GSS "00000008 04d21630 "
#define CANCEL "00000010 04d2162e 00003378 f02ce716 "
/* user=admin, database=postgres */
#define STARTUP "00000026 00030000 7573657200 61646d696e00 646174616261736500 706f73746772657300 00 "
#define TRUST "52 00000008 00000000 "
#define ASK_CLEAR "52 00000008 00000003 "
#define ASK_MD5 "52 0000000c 00000005 05ad8be3 "
#define ASK_SASL "52 00000017 0000000a 534352414d2d5348412d32353600 00 "
#define CLEAR "70 00000007 707700 "
#define MD5 "70 00000028 6d6435366564393431353932366566656639623565343538623261353062313665366200 "
/* SCRAM-SHA-256, n,,n=,r=652SDsGAkc6HjKRFrOry4bTgo */
#define SCRAM                                                                                                          \
	"70 00000036 534352414d2d5348412d32353600 00000020 6e2c2c6e3d2c723d363532534473416b6336486a4b5246724f727934625467 6f "
#define SCRAM_ON                                                                                                       \
	"52 0000005c 0000000b 723d363532534473416b6336486a4b5246724f7279346254676f46554f6e5067634b38446c655a50726e61"      \
	"52352b4579456f2c733d49496d337241447a68737a7967647749384d32644a773d3d2c693d34303936 "
/* FATAL 28P01: password authentication failed */
#define FATAL "45 00000024 53464154414c00 433238503031 00 4d70617373776f7264206661696c656400 00 "
#define SETTING "53 00000019 636c69656e745f656e636f64696e6700 5554463800 "
#define READY "4b 0000000c 0000336a c076d71c 5a 00000005 49 "

static const struct verify_policy any = {.application = APP_POSTGRESQL};
static const struct verify_policy tls = {.application = APP_POSTGRESQL, .options = VERIFY_STARTTLS_REQUIRED};

static void accepted(const struct line *lines, size_t n)
{
	struct outcome o = script_run(APP_POSTGRESQL, &any, lines, n);

	CHECK_INT(o.status, VERIFY_ACCEPT);
	CHECK_INT(o.level, LEVEL_RELATES);
	CHECK_INT(o.line, n - 1);
	script_no_prefix_refused(APP_POSTGRESQL, &any, lines, n);
	CHECK_INT(script_run(APP_POSTGRESQL, &any, lines, 1).level, LEVEL_PREFIX);
	for (size_t i = 1; i < n; i++)
		CHECK_INT(script_run(APP_POSTGRESQL, &any, lines, i).status, VERIFY_MORE);
}
#define ACCEPTED(lines) accepted((lines), COUNT(lines))

static void test_sessions(void)
{
	static const struct line trust[] = {{'c', HEX(STARTUP)}, {'s', HEX(TRUST)},
		{'s', HEX(SETTING SETTING READY)}};
	static const struct line clear[] = {{'c', HEX(STARTUP)}, {'s', HEX(ASK_CLEAR)}, {'c', HEX(CLEAR)},
		{'s', HEX(TRUST)}};
	static const struct line md5[] = {{'c', HEX(STARTUP)}, {'s', HEX(ASK_MD5)}, {'c', HEX(MD5)},
		{'s', HEX(TRUST)}};
	static const struct line scram[] = {{'c', HEX(STARTUP)}, {'s', HEX(ASK_SASL)}, {'c', HEX(SCRAM)},
		{'s', HEX(SCRAM_ON)}};
	/* TLS and GSS are asked for and not to be had; protocol 3.2, which the server knows not. */
	static const struct line declined[] = {{'c', HEX(GSS)}, {'s', HEX("4e")}, {'c', HEX(SSL)},
		{'s', HEX("4e")},
		{'c', HEX("00000014 00030002 7573657200 61646d696e00 00")},
		{'s', HEX("76 00000015 00030000 00000001 5f70715f2e6f6e6500 " ASK_MD5)}, {'c', HEX(MD5)},
			{'s', HEX(TRUST)}};
	static const struct line gss[] = {{'c', HEX(STARTUP)}, {'s', HEX("52 00000008 00000007")},
		{'c', HEX("70 00000010 600a 0605 2b06010502 a001 00")},
			{'s', HEX("52 0000000b 00000008 a10100")}};

	ACCEPTED(trust);
	ACCEPTED(clear);
	ACCEPTED(md5);
	ACCEPTED(scram);
	accepted(declined, COUNT(declined));
	ACCEPTED(gss);
}

/* An error is the end of the connection: verified, and nothing may follow. */
static void test_errors(void)
{
	static const struct line at_once[] = {{'c', HEX(STARTUP)}, {'s', HEX(FATAL)}, {'s', HEX("00")}};
	static const struct line wrong[] = {{'c', HEX(STARTUP)}, {'s', HEX(ASK_MD5)}, {'c', HEX(MD5)},
		{'s', HEX(FATAL)}, {'c', HEX("51")}};
	static const struct line no_code[] = {{'c', HEX(STARTUP)},
		{'s', HEX("45 0000000f 534600 4d6e6f00 5600 00")}};

	CHECK_INT(script_run(APP_POSTGRESQL, &any, at_once, 2).status, VERIFY_DECIDED);
	CHECK_INT(SCRIPT(APP_POSTGRESQL, &any, at_once).why, WHY_ORDER);
	CHECK_INT(script_run(APP_POSTGRESQL, &any, wrong, 4).status, VERIFY_DECIDED);
	CHECK_INT(SCRIPT(APP_POSTGRESQL, &any, wrong).why, WHY_ORDER);
	CHECK_INT(SCRIPT(APP_POSTGRESQL, &any, no_code).status, VERIFY_REFUSE);
}

static void test_cancel(void)
{
	static const struct line cancel[] = {{'c', HEX(CANCEL)}, {'c', HEX("00")}}, answered[] = {
		{'c', HEX(CANCEL)}, {'s', HEX("52")}};
	static const struct edit edits[] = {{0, 3, "0f", WHY_LENGTH}, {0, 3, "11", WHY_NONE},
		{0, 2, "0110", WHY_LENGTH},
		{0, 8, "00000000", WHY_FIELD}};

	CHECK_INT(script_run(APP_POSTGRESQL, &any, cancel, 1).status, VERIFY_DECIDED);
	CHECK_INT(SCRIPT(APP_POSTGRESQL, &any, cancel).why, WHY_ORDER);
	CHECK_INT(SCRIPT(APP_POSTGRESQL, &any, answered).why, WHY_ORDER);
	CHECK_INT(script_run(APP_POSTGRESQL, &tls, cancel, 1).why, WHY_PLAIN);
	CHECK_INT(script_edits(APP_POSTGRESQL, &any, cancel, 1, edits, COUNT(edits), false), 0);
}

/* A ClientHello of TLS 1.3 with ALPN postgresql, or another word of ten letters. */
#define HELLO(alpn)                                                                                                    \
	"1603010081 0100007d 0303 000102030405060708090a0b0c0d0e0f101112131415161718191a1b1c1d1e1f 00 0002 1301 0100 0052 "  \
	"002b0003020304 000a00040002001d 000d000400020403 003300260024001d0020 "                                            \
	"000102030405060708090a0b0c0d0e0f101112131415161718191a1b1c1d1e1f 0010000d000b0a" alpn
#define POSTGRESQL "706f737467726573716c"

static void test_tls(void)
{
	static const struct line agreed[] = {{'c', HEX(SSL)}, {'s', HEX("53")}, {'c', HEX("16")}};
	static const struct line eager_client[] = {{'c', HEX(SSL "16")}, {'s', HEX("53")}};
	static const struct line eager_server[] = {{'c', HEX(SSL)}, {'s', HEX("5316")}};
	static const struct line not_tls[] = {{'c', HEX(SSL)}, {'s', HEX("53")}, {'c', HEX(STARTUP)}};
	static const struct line zero[] = {{'c', HEX(SSL)}, {'s', HEX("00")}}, twice[] = {{'c', HEX(SSL)},
		{'s', HEX("4e")}, {'c', HEX(SSL)}};
	static const struct line direct[] = {{'c', HEX(HELLO(POSTGRESQL))}}, web[] = {
		{'c', HEX(HELLO("68747470312f312f312f"))}};
	static const struct line late[] = {{'c', HEX(SSL)}, {'s', HEX("4e")}, {'c', HEX(HELLO(POSTGRESQL))}};
	struct outcome o = SCRIPT(APP_POSTGRESQL, &tls, agreed);

	CHECK(o.status == VERIFY_MORE || o.status == VERIFY_DECIDED);
	CHECK_INT(SCRIPT(APP_POSTGRESQL, &any, eager_client).why, WHY_STARTTLS);
	CHECK_INT(SCRIPT(APP_POSTGRESQL, &any, not_tls).why, WHY_PROTOCOL);
	CHECK_INT(SCRIPT(APP_POSTGRESQL, &any, zero).why, WHY_ANSWER);
	CHECK_INT(SCRIPT(APP_POSTGRESQL, &any, twice).why, WHY_ORDER);
	CHECK(SCRIPT(APP_POSTGRESQL, &tls, direct).status != VERIFY_REFUSE);
	CHECK_INT(SCRIPT(APP_POSTGRESQL, &tls, direct).level, LEVEL_PREFIX);
	CHECK_INT(SCRIPT(APP_POSTGRESQL, &any, web).why, WHY_ALPN);
	CHECK_INT(SCRIPT(APP_POSTGRESQL, &any, late).why, WHY_PROTOCOL);
	CHECK_INT(SCRIPT(APP_POSTGRESQL, &any, eager_server).why, WHY_ORDER);
}

static void test_required(void)
{
	static const struct line plain[] = {{'c', HEX(STARTUP)}}, declined[] = {{'c', HEX(SSL)},
		{'s', HEX("4e")}, {'c', HEX(STARTUP)}};
	static const struct line sealed[] = {{'c', HEX(GSS)}, {'s', HEX("47")}};

	CHECK_INT(SCRIPT(APP_POSTGRESQL, &tls, plain).why, WHY_PLAIN);
	CHECK(SCRIPT(APP_POSTGRESQL, &tls, plain).bytes <= 38);
	CHECK_INT(SCRIPT(APP_POSTGRESQL, &tls, declined).why, WHY_PLAIN);
	CHECK_INT(SCRIPT(APP_POSTGRESQL, &tls, declined).line, 2);
	CHECK_INT(SCRIPT(APP_POSTGRESQL, &tls, sealed).why, WHY_PLAIN);
}

/* GSS encryption: a token each way, and then the first that are sealed. */
static void test_gss_encryption(void)
{
	static const struct line sealed[] = {{'c', HEX(GSS)}, {'s', HEX("47")},
		{'c', HEX("0000000e 600c 0609 2a864886f712010202 01")}, {'s', HEX("0000000e 600c 0609 2a864886f712010202 02")},
		{'c', HEX("00000012 0504 02 ff 0000 001c 0000000000000001 aabb")},
		{'s', HEX("00000012 0504 07 ff 0000 001c 0000000000000001 ccdd")}};
	static const struct edit edits[] = {
		{2, 0, "01", WHY_LENGTH}, {2, 3, "0f", WHY_LENGTH}, {2, 4, "a1", WHY_FIELD}, {2, 5, "0d", WHY_LENGTH},
		{2, 6, "04", WHY_FIELD}, {3, 4, "52", WHY_FIELD}, {3, 3, "0d", WHY_LENGTH}, {4, 3, "0f", WHY_LENGTH},
		{4, 2, "4000", WHY_LENGTH}, {4, 4, "04", WHY_FIELD}, {4, 6, "00", WHY_FIELD}, {4, 6, "03", WHY_FIELD},
		{4, 7, "00", WHY_FIELD}, {5, 6, "06", WHY_FIELD}, {5, 4, "52", WHY_FIELD},
	};

	CHECK_INT(SCRIPT(APP_POSTGRESQL, &any, sealed).status, VERIFY_ACCEPT);
	CHECK_INT(script_run(APP_POSTGRESQL, &any, sealed, 5).status, VERIFY_MORE);
	CHECK_INT(script_edits(APP_POSTGRESQL, &any, sealed, COUNT(sealed), edits, COUNT(edits), false), 0);
}

static void test_refusals(void)
{
	static const struct line md5[] = {{'c', HEX(STARTUP)}, {'s', HEX(ASK_MD5)}, {'c', HEX(MD5)},
		{'s', HEX(TRUST)}};
	static const struct line scram[] = {{'c', HEX(STARTUP)}, {'s', HEX(ASK_SASL)}, {'c', HEX(SCRAM)},
		{'s', HEX(SCRAM_ON)}};
	static const struct line trust[] = {{'c', HEX(STARTUP)}, {'s', HEX(TRUST SETTING READY)}};
	static const struct edit md5_edits[] = {
		{0, 0, "47", WHY_PROTOCOL}, {0, 2, "2711", WHY_LENGTH}, {0, 3, "07", WHY_LENGTH},
		{0, 3, "25", WHY_LENGTH},
		{0, 3, "27", WHY_FIELD}, {0, 4, "0002", WHY_VERSION}, {0, 7, "03", WHY_VERSION},
		{0, 4, "0a0b", WHY_PROTOCOL},
		{0, 8, "56", WHY_FIELD}, {0, 8, "00", WHY_FIELD}, {0, 9, "20", WHY_FIELD},
		{0, 13, "00", WHY_FIELD},
		{0, 15, "01", WHY_ENCODING}, {1, 0, "53", WHY_ANSWER}, {1, 0, "00", WHY_ANSWER},
		{1, 1, "01", WHY_LENGTH},
		{1, 4, "0b", WHY_LENGTH}, {1, 8, "02", WHY_FIELD}, {1, 8, "0d", WHY_FIELD},
		{1, 4, "0d", WHY_LENGTH},
		{2, 0, "51", WHY_COMMAND}, {2, 4, "27", WHY_LENGTH}, {2, 5, "4d", WHY_FIELD},
		{2, 8, "47", WHY_FIELD},
		{2, 40, "01", WHY_FIELD}, {3, 0, "5a", WHY_ANSWER}, {3, 8, "0b", WHY_ANSWER_OTHER},
		{3, 4, "07", WHY_LENGTH},
	};
	static const struct edit scram_edits[] = {
		{1, 9, "54", WHY_FIELD}, {1, 22, "01", WHY_ENCODING}, {2, 5, "54", WHY_FIELD},
		{2, 22, "21", WHY_LENGTH},
		{2, 23, "6f", WHY_FIELD}, {2, 26, "6d", WHY_FIELD}, {2, 29, "71", WHY_FIELD},
		{2, 29, "722c", WHY_FIELD},
		{3, 8, "00", WHY_ANSWER_OTHER}, {3, 9, "73", WHY_FIELD}, {3, 11, "37", WHY_ANSWER_OTHER},
		{3, 34, "70", WHY_ANSWER_OTHER},
		{3, 15, "2c", WHY_ANSWER_OTHER},
	};
	static const struct edit trust_edits[] = {
		{1, 9, "54", WHY_ANSWER}, {1, 13, "18", WHY_LENGTH}, {1, 35, "50", WHY_ANSWER},
		{1, 39, "0a", WHY_LENGTH},
		{1, 53, "54", WHY_FIELD},
	};

	CHECK_INT(script_edits(APP_POSTGRESQL, &any, md5, COUNT(md5), md5_edits, COUNT(md5_edits), false), 0);
	CHECK_INT(script_edits(APP_POSTGRESQL, &any, scram, COUNT(scram), scram_edits, COUNT(scram_edits), false), 0);
	CHECK_INT(script_edits(APP_POSTGRESQL, &any, trust, COUNT(trust), trust_edits, COUNT(trust_edits), false), 0);
}

static void test_turns(void)
{
	static const struct line first[] = {{'s', HEX("52")}}, pipelined[] = {{'c', HEX(STARTUP CLEAR)}};
	static const struct line both[] = {{'c', HEX(STARTUP)}, {'s', HEX(ASK_MD5 TRUST)}};

	CHECK_INT(SCRIPT(APP_POSTGRESQL, &any, first).why, WHY_ORDER);
	CHECK_INT(SCRIPT(APP_POSTGRESQL, &any, pipelined).why, WHY_ORDER);
	CHECK_INT(SCRIPT(APP_POSTGRESQL, &any, both).why, WHY_ORDER);
}

static void test_mimics(void)
{
	static const struct line http[] = {{'c', TEXT("GET / HTTP/1.1\r\n")}}, ssh[] = {
		{'c', TEXT("SSH-2.0-x\r\n")}};
	/* A request for TLS and an answer, and then a tunnel. */
	static const struct line eight[] = {{'c', HEX(SSL)}, {'s', HEX("4e")}, {'c', TEXT("SSH-2.0-x\r\n")}};
	static const struct line smb[] = {{'c', HEX("00000066fe534d42")}};

	CHECK_INT(SCRIPT(APP_POSTGRESQL, &any, http).why, WHY_PROTOCOL);
	CHECK_INT(SCRIPT(APP_POSTGRESQL, &any, ssh).why, WHY_PROTOCOL);
	CHECK_INT(SCRIPT(APP_POSTGRESQL, &any, eight).why, WHY_PROTOCOL);
	CHECK_INT(SCRIPT(APP_POSTGRESQL, &any, smb).why, WHY_PROTOCOL);
}

int main(void)
{
	test_sessions();
	test_errors();
	test_cancel();
	test_tls();
	test_required();
	test_gss_encryption();
	test_refusals();
	test_turns();
	test_mimics();
	return test_end();
}
