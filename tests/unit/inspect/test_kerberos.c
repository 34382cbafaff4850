/* test_kerberos.c: the exchanges with a Kerberos server, and what is none. Shaped as those of MIT's kinit and krb5kdc 1.20. */
#include "script.h"
#include "test.h"

#define COUNT(a) (sizeof(a) / sizeof((a)[0]))
#define AS_REQ                                                                                                         \
	"6a8195308192a103020105a20302010aa30e300c300aa10402020096a2020400a4763074a00703050000000010a111300fa003020101a1" \
	"0830061b047361746fa20e1b0c544f574e2e4558414d504c45a321301fa003020102a11830161b066b72627467741b0c544f574e2e4558" \
	"414d504c45a511180f32303236313132313133323330325aa70602047759c848a8083006020112020111"
#define AS_REP                                                                                                         \
	"6b81ad3081aaa003020105a10302010ba30e1b0c544f574e2e4558414d504c45a411300fa003020101a10830061b047361746fa55e615c" \
	"305aa003020105a10e1b0c544f574e2e4558414d504c45a221301fa003020102a11830161b066b72627467741b0c544f574e2e4558414d" \
	"504c45a320301ea003020112a103020101a2120410000102030405060708090a0b0c0d0e0fa61b3019a003020112a21204100001020304" \
	"05060708090a0b0c0d0e0f"
#define AS_REQ_CANONICAL                                                                                               \
	"6a743072a103020105a20302010aa4663064a00703050040810010a111300fa003020101a10830061b047361746fa2061b04544f574ea3" \
	"193017a003020102a110300e1b066b72627467741b04544f574ea511180f32303236313132313133323330325aa70602047759c848a808" \
	"3006020112020111"
#define AS_REP_OTHER                                                                                                   \
	"6b81af3081aca003020105a10302010ba30e1b0c544f574e2e4558414d504c45a4133011a003020101a10a30081b0673757a756b69a55e" \
	"615c305aa003020105a10e1b0c544f574e2e4558414d504c45a221301fa003020102a11830161b066b72627467741b0c544f574e2e4558" \
	"414d504c45a320301ea003020112a103020101a2120410000102030405060708090a0b0c0d0e0fa61b3019a003020112a2120410000102" \
	"030405060708090a0b0c0d0e0f"
#define TGS_REQ                                                                                                        \
	"6c82010730820103a103020105a20302010ca31530133011a103020101a20a04080001020304050607a481df3081dca007030500000100" \
	"00a20e1b0c544f574e2e4558414d504c45a3253023a003020102a11c301a1b04686f73741b1266696c65732e746f776e2e6578616d706c" \
	"65a511180f32303236313132313133323330325aa70602047759c848a8083006020112020111aa133011a003020112a20a040800010203" \
	"04050607ab60305e615c305aa003020105a10e1b0c544f574e2e4558414d504c45a221301fa003020102a11830161b066b72627467741b" \
	"0c544f574e2e4558414d504c45a320301ea003020112a103020101a2120410000102030405060708090a0b0c0d0e0f"
#define TGS_REP                                                                                                        \
	"6d81b13081aea003020105a10302010da30e1b0c544f574e2e4558414d504c45a411300fa003020101a10830061b047361746fa5626160" \
	"305ea003020105a10e1b0c544f574e2e4558414d504c45a2253023a003020102a11c301a1b04686f73741b1266696c65732e746f776e2e" \
	"6578616d706c65a320301ea003020112a103020101a2120410000102030405060708090a0b0c0d0e0fa61b3019a003020112a212041000" \
	"0102030405060708090a0b0c0d0e0f"
#define PREAUTH_REQUIRED                                                                                               \
	"7e8194308191a003020105a10302011ea411180f32303236313132303133323330325aa5050203073843a603020119a70e1b0c544f574e" \
	"2e4558414d504c45a811300fa003020101a10830061b047361746fa90e1b0c544f574e2e4558414d504c45aa21301fa003020102a11830" \
	"161b066b72627467741b0c544f574e2e4558414d504c45ab101b0e4e45454445445f50524541555448"
#define ERROR_OTHER                                                                                                    \
	"7e593057a003020105a10302011ea411180f32303236313132303133323330325aa5050203073843a60302013ca9071b054f54484552aa" \
	"11300fa003020102a10830061b01781b0179ab101b0e4e45454445445f50524541555448"

static const struct verify_policy policy = {.application = APP_KERBEROS};
static const struct line as[] = {{'c', HEX(AS_REQ)}, {'s', HEX(AS_REP)}};
static const struct line tgs[] = {{'c', HEX(TGS_REQ)}, {'s', HEX(TGS_REP)}};
static const struct line canonical[] = {{'c', HEX(AS_REQ_CANONICAL)}, {'s', HEX(AS_REP_OTHER)}};

static struct outcome datagrams(const struct line *lines, size_t n)
{
	return script_datagrams(APP_KERBEROS, &policy, lines, n, 5);
}

static void test_exchanges(void)
{
	/* A client's usual way: refused without a proof, then with it, then a ticket; each may come twice. */
	static const struct line login[] = {{'c', HEX(AS_REQ)}, {'c', HEX(AS_REQ)},
		{'s', HEX(PREAUTH_REQUIRED)},
		{'s', HEX(PREAUTH_REQUIRED)}, {'c', HEX(AS_REQ)}, {'s', HEX(AS_REP)}, {'c', HEX(TGS_REQ)},
			{'s', HEX(TGS_REP)},
		{'s', HEX(TGS_REP)}};
	struct outcome o = datagrams(login, COUNT(login));

	CHECK_INT(o.status, VERIFY_DECIDED);
	CHECK_INT(o.level, LEVEL_RELATES);
	CHECK_INT(o.line, 8);
	o = datagrams(as, 1);
	CHECK_INT(o.status, VERIFY_MORE);
	CHECK_INT(o.level, LEVEL_PREFIX);
	CHECK_INT(datagrams(as, 2).status, VERIFY_DECIDED);
	CHECK_INT(datagrams(tgs, 2).status, VERIFY_DECIDED);
	CHECK_INT(datagrams(canonical, 2).status, VERIFY_DECIDED);
}

/* An answer that was not asked for goes nowhere, and takes nobody's exchange down: anybody could have sent it. */
static void test_unasked(void)
{
	static const struct line alone[] = {{'s', HEX(AS_REP)}};
	static const struct line other_client[] = {{'c', HEX(AS_REQ)}, {'s', HEX(AS_REP_OTHER)}};
	static const struct line other_kind[] = {{'c', HEX(AS_REQ)}, {'s', HEX(TGS_REP)}};
	static const struct line other_error[] = {{'c', HEX(AS_REQ)}, {'s', HEX(ERROR_OTHER)}};
	static const struct line survives[] = {{'c', HEX(AS_REQ)}, {'s', HEX(ERROR_OTHER)}, {'s', HEX(AS_REP)}};
	static const struct line often[] = {{'c', HEX(AS_REQ)}, {'s', HEX(AS_REP)}, {'s', HEX(AS_REP)},
		{'s', HEX(AS_REP)},
		{'s', HEX(AS_REP)}, {'s', HEX(AS_REP)}};

	CHECK_INT(datagrams(alone, 1).status, VERIFY_DROP);
	CHECK_INT(datagrams(other_client, 2).status, VERIFY_DROP);
	CHECK_INT(datagrams(other_client, 2).why, WHY_ANSWER_OTHER);
	CHECK_INT(datagrams(other_kind, 2).status, VERIFY_DROP);
	CHECK_INT(datagrams(other_error, 2).status, VERIFY_DROP);
	CHECK_INT(datagrams(survives, 3).status, VERIFY_DECIDED);
	CHECK_INT(datagrams(often, 5).status, VERIFY_DECIDED);
	CHECK_INT(datagrams(often, 6).status, VERIFY_DROP);
}

static void test_request_refusals(void)
{
	static const struct edit edits[] = {
		{0, 0, "60", WHY_PROTOCOL}, {0, 0, "6e", WHY_PROTOCOL}, {0, 0, "6b", WHY_COMMAND},
		{0, 0, "7e", WHY_COMMAND},
		{0, 0, "6c", WHY_FIELD}, {0, 1, "80", WHY_LENGTH}, {0, 2, "96", WHY_LENGTH},
		{0, 2, "94", WHY_TRAILING},
		{0, 5, "91", WHY_LENGTH}, {0, 10, "04", WHY_VERSION}, {0, 15, "0c", WHY_FIELD},
		{0, 17, "0f", WHY_LENGTH},
		{0, 21, "0b", WHY_LENGTH}, {0, 26, "ff", WHY_LENGTH}, {0, 32, "a5", WHY_FIELD},
		{0, 39, "04", WHY_LENGTH},
		{0, 40, "08", WHY_FIELD}, {0, 58, "0c", WHY_FIELD}, {0, 60, "00", WHY_ENCODING},
		{0, 67, "0d", WHY_LENGTH},
		{0, 70, "1f", WHY_ENCODING}, {0, 119, "2f", WHY_FIELD}, {0, 133, "2b", WHY_FIELD},
		{0, 144, "31", WHY_FIELD},
		{0, 145, "07", WHY_LENGTH}, {0, 152, "00", WHY_TRAILING},
		{0, 138, "ffffffff", WHY_LENGTH}, /* -1 in four octets is not the shortest */
		{0, 138, "87ffffff", WHY_NONE}, /* as old clients write it */
	};

	CHECK_INT(script_edits(APP_KERBEROS, &policy, as, 1, edits, COUNT(edits), true), 0);
}

static void test_answer_refusals(void)
{
	static const struct edit edits[] = {
		{1, 0, "6a", WHY_COMMAND}, {1, 0, "30", WHY_PROTOCOL}, {1, 0, "6d", WHY_FIELD},
		{1, 2, "ac", WHY_TRAILING},
		{1, 10, "06", WHY_VERSION}, {1, 15, "0d", WHY_FIELD}, {1, 19, "00", WHY_LENGTH},
		{1, 47, "74", WHY_ANSWER_OTHER},
		{1, 53, "62", WHY_FIELD}, {1, 61, "04", WHY_VERSION}, {1, 66, "00", WHY_ENCODING},
		{1, 176, "00", WHY_TRAILING},
	};
	static const struct line refused[] = {{'c', HEX(AS_REQ)}, {'s', HEX(PREAUTH_REQUIRED)}};
	static const struct edit error_edits[] = {
		{1, 15, "1f", WHY_FIELD}, {1, 20, "41", WHY_FIELD}, {1, 39, "0f4240", WHY_FIELD},
		{1, 42, "a5", WHY_FIELD},
	};

	CHECK_INT(script_edits(APP_KERBEROS, &policy, as, 2, edits, COUNT(edits), true), 0);
	CHECK_INT(script_edits(APP_KERBEROS, &policy, refused, 2, error_edits, COUNT(error_edits), true), 0);
}

/* Four octets of length before each message; the connection may be used again, and each message is judged. */
static void test_tcp(void)
{
	static const struct line twice[] = {{'c', HEX("00000098" AS_REQ)},
		{'s', HEX("00000097" PREAUTH_REQUIRED)},
		{'c', HEX("00000098" AS_REQ)}, {'s', HEX("000000b0" AS_REP)}, {'c', HEX("0000010b" TGS_REQ)},
		{'s', HEX("000000b4" TGS_REP)}};
	static const struct line pipelined[] = {{'c', HEX("00000098" AS_REQ "0000010b" TGS_REQ)},
		{'s', HEX("000000b0" AS_REP "000000b4" TGS_REP)}};
	static const struct line then_raw[] = {
		{'c', HEX("00000098" AS_REQ)}, {'s', HEX("000000b0" AS_REP)}, {'c', TEXT("SSH-2.0-x\r\n")}};
	static const struct line early[] = {{'s', HEX("000000b0" AS_REP)}};
	static const struct edit edits[] = {
		{0, 0, "80", WHY_PROTOCOL}, {0, 0, "00000097", WHY_LENGTH}, {0, 3, "99", WHY_TRAILING},
		{0, 3, "1f", WHY_LENGTH}, {0, 156, "16", WHY_PROTOCOL}, {1, 3, "98", WHY_TRAILING},
		{1, 4, "6a", WHY_COMMAND}};

	script_no_prefix_refused(APP_KERBEROS, &policy, twice, COUNT(twice));
	CHECK_INT(script_run(APP_KERBEROS, &policy, twice, 1).level, LEVEL_PREFIX);
	CHECK_INT(script_run(APP_KERBEROS, &policy, twice, 2).status, VERIFY_DECIDED);
	CHECK_INT(SCRIPT(APP_KERBEROS, &policy, twice).status, VERIFY_DECIDED);
	CHECK_INT(SCRIPT(APP_KERBEROS, &policy, pipelined).status, VERIFY_DECIDED);
	CHECK_INT(SCRIPT(APP_KERBEROS, &policy, then_raw).why, WHY_PROTOCOL);
	CHECK_INT(SCRIPT(APP_KERBEROS, &policy, then_raw).line, 2);
	CHECK_INT(SCRIPT(APP_KERBEROS, &policy, early).why, WHY_ANSWER_OTHER);
	CHECK_INT(script_edits(APP_KERBEROS, &policy, twice, 2, edits, COUNT(edits), false), 0);
}

static void test_others(void)
{
	/* kpasswd: length, version, and an AP-REQ; LDAP and SNMP begin alike. */
	static const struct line kpasswd[] = {{'c', HEX("0223ff8001dd6e82")}}, over_tcp[] = {
		{'c', HEX("000002230223ff80")}};
	static const struct line ldap[] = {{'c', HEX("300c020101600702010304008000")}};
	static const struct line mimic[] = {{'c', HEX("6a81953081923a03deadbeef")}};

	CHECK_INT(datagrams(kpasswd, 1).why, WHY_PROTOCOL);
	CHECK_INT(SCRIPT(APP_KERBEROS, &policy, over_tcp).why, WHY_PROTOCOL);
	CHECK_INT(datagrams(ldap, 1).why, WHY_PROTOCOL);
	CHECK_INT(datagrams(mimic, 1).status, VERIFY_REFUSE);
}

int main(void)
{
	test_exchanges();
	test_unasked();
	test_request_refusals();
	test_answer_refusals();
	test_tcp();
	test_others();
	return test_end();
}
