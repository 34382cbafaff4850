/* test_smb.c: what is SMB 2 and 3 and what is not. The bytes are those of smbclient and smbd 4.17. */
#include "script.h"
#include "test.h"

#define HEADER_0 "fe534d42 4000 0000 00000000 0000 1f00 00000000 00000000 0000000000000000 0000000000000000 0000000000000000 " \
	"00000000000000000000000000000000 "
#define HEADER_1 "fe534d42 4000 0100 00000000 0100 0020 10000000 00000000 0100000000000000 0000000000000000 0000000000000000 " \
	"00000000000000000000000000000000 "
#define ANSWER_0 "fe534d42 4000 0000 00000000 0000 0100 01000000 00000000 0000000000000000 0000000000000000 0000000000000000 " \
	"00000000000000000000000000000000 "
#define ANSWER_1 "fe534d42 4000 0100 160000c0 0100 0100 11000000 00000000 0100000000000000 0000000000000000 feb8115400000000 " \
	"00000000000000000000000000000000 "
#define GUID "427551dd319447ad280218d63a291668 "
#define SPNEGO_HINT                                                                                                    \
	"604806062b0601050502a03e303ca00e300c060a2b06010401823702020aa32a3028a0261b246e6f745f646566696e65645f696e5f"       \
	"5246433431373840706c656173655f69676e6f7265 "
#define SPNEGO_INIT                                                                                                    \
	"604806062b0601050502a03e303ca00e300c060a2b06010401823702020aa22a04284e544c4d5353500001000000158208620000000028"   \
	"0000000000000028000000060100000000000f "
#define SPNEGO_NEXT                                                                                                    \
	"a18194308191a0030a0101a10c060a2b06010401823702020aa27c047a4e544c4d53535000020000000a000a003800000015828a629557"   \
	"4d548f317f7100000000000000003800380042000000060100000000000f460049004c004500530002000a00460049004c004500530001"   \
	"000a00460049004c0045005300040000000300040076006d0007000800f0e1811df078dd0100000000 "
#define PREAUTH "0100 2600 00000000 0100 2000 0100 611c545c3e02ffbb745a1d03426f203627260c636f69fbbd6ab0222509369df8 "

/* One dialect, 2.0.2. */
#define ASK_202 "00000066" HEADER_0 "2400 0100 0100 0000 00000000 00000000000000000000000000000000 0000000000000000 0202 "
#define ANSWER_202                                                                                                     \
	"000000ca" ANSWER_0 "4100 0100 0202 0000 66696c65730000000000000000000000 01000000 00000100 00000100 00000100 "    \
	"6ef62b1df078dd01 0000000000000000 8000 4a00 00000000 " SPNEGO_HINT
/* 3.1.1 with five contexts; the answer has three. */
#define ASK_311                                                                                                        \
	"000000da" HEADER_0 "2400 0100 0100 0000 7f000000 " GUID "68000000 0400 0000 1103 0000 " PREAUTH "0000 "             \
	"0200 0a00 00000000 0400 0200 0100 0400 0300 000000000000 0800 0800 00000000 0300 0200 0100 0000 "                \
	"0500 1200 00000000 3100320037002e0030002e0030002e003100 "
#define ANSWER_311                                                                                                     \
	"0000011c" ANSWER_0 "4100 0100 1103 0300 66696c65730000000000000000000000 0f000000 00008000 00008000 00008000 "    \
	"ac59801df078dd01 0000000000000000 8000 4a00 d0000000 " SPNEGO_HINT "000000000000 " PREAUTH "0000 "               \
	"0200 0400 00000000 0100 0200 00000000 0800 0400 00000000 0100 0200 "
#define SETUP "000000a2" HEADER_1 "1900 00 01 01000000 00000000 5800 4a00 0000000000000000 " SPNEGO_INIT
#define SETUP_ANSWER "000000df" ANSWER_1 "0900 0000 4800 9700 " SPNEGO_NEXT
#define LOGON_FAILURE                                                                                                  \
	"00000049 fe534d42 4000 0100 6d0000c0 0100 0100 01000000 00000000 0100000000000000 0000000000000000 "              \
	"0000000000000000 00000000000000000000000000000000 0900 00 00 00000000 00"
#define SMB1_ASK                                                                                                       \
	"00000054 ff534d42 72 00000000 18 43c8 000000000000000000000000 0000 feff 0000 0000 00 3100 "                      \
	"024e54204c414e4d414e20312e3000 024e54204c4d20302e313200 02534d4220322e30303200 02534d4220322e3f3f3f00"

static const struct verify_policy strict = {.application = APP_SMB};
static const struct verify_policy lax = {.application = APP_SMB, .options = VERIFY_SMB1_NEGOTIATE};

static const struct line smb311[] = {{'c', HEX(ASK_311)}, {'s', HEX(ANSWER_311)}, {'c', HEX(SETUP)}, {'s', HEX(SETUP_ANSWER)}};
static const struct line smb202[] = {{'c', HEX(ASK_202)}, {'s', HEX(ANSWER_202)}, {'c', HEX(SETUP)}, {'s', HEX(SETUP_ANSWER)}};
#define COUNT(a) (sizeof(a) / sizeof((a)[0]))

static void test_sessions(void)
{
	struct outcome o = SCRIPT(APP_SMB, &strict, smb311);

	CHECK_INT(o.status, VERIFY_ACCEPT);
	CHECK_INT(o.level, LEVEL_RELATES);
	CHECK_INT(o.line, 3);
	CHECK_INT(SCRIPT(APP_SMB, &strict, smb202).status, VERIFY_ACCEPT);
	script_no_prefix_refused(APP_SMB, &strict, smb311, COUNT(smb311));
	script_no_prefix_refused(APP_SMB, &strict, smb202, COUNT(smb202));
	/* NEGOTIATE and its answer alone pass nothing: two frames by rote are no session. */
	o = script_run(APP_SMB, &strict, smb311, 2);
	CHECK_INT(o.status, VERIFY_MORE);
	CHECK_INT(o.level, LEVEL_ANSWER);
	o = script_run(APP_SMB, &strict, smb311, 3);
	CHECK_INT(o.status, VERIFY_MORE);
}

/* A refused logon is an answered one; a server may say first that it takes time. */
static void test_setup_answers(void)
{
	static const struct line failed[] = {
		{'c', HEX(ASK_202)}, {'s', HEX(ANSWER_202)}, {'c', HEX(SETUP)}, {'s', HEX(LOGON_FAILURE)}};
	static const struct line pending[] = {{'c', HEX(ASK_202)}, {'s', HEX(ANSWER_202)}, {'c', HEX(SETUP)},
		{'s', HEX("00000049 fe534d42 4000 0100 03010000 0100 0100 03000000 00000000 0100000000000000 0700000000000000 "
			  "0000000000000000 00000000000000000000000000000000 0900 00 00 00000000 00")},
		{'s', HEX(SETUP_ANSWER)}};

	CHECK_INT(SCRIPT(APP_SMB, &strict, failed).status, VERIFY_ACCEPT);
	CHECK_INT(script_run(APP_SMB, &strict, pending, 4).status, VERIFY_MORE);
	CHECK_INT(SCRIPT(APP_SMB, &strict, pending).status, VERIFY_ACCEPT);
}

/* The server does not speak any of the offered dialects: legal, and the end. */
static void test_not_supported(void)
{
	static const struct line none[] = {{'c', HEX(ASK_202)},
		{'s', HEX("00000049 fe534d42 4000 0000 bb0000c0 0000 0100 01000000 00000000 0000000000000000 0000000000000000 "
			  "0000000000000000 00000000000000000000000000000000 0900 00 00 00000000 00")},
		{'c', HEX("00")}};

	CHECK_INT(script_run(APP_SMB, &strict, none, 2).status, VERIFY_MORE);
	CHECK_INT(SCRIPT(APP_SMB, &strict, none).why, WHY_ORDER);
}

static void test_smb1(void)
{
	static const struct line asked[] = {
		{'c', HEX(SMB1_ASK)}, {'s', HEX(ANSWER_202)}, {'c', HEX(SETUP)}, {'s', HEX(SETUP_ANSWER)}};
	static const struct line old[] = {{'c', HEX(SMB1_ASK)}, {'s', HEX("00000055 ff534d4272")}};
	static const struct line only_old[] = {
		{'c', HEX("0000002f ff534d42 72 00000000 18 43c8 000000000000000000000000 0000 "
							 "feff 0000 0000 00 0c00 024e54204c4d20302e313200")}};
	static const struct line twice[] = {{'c', HEX(SMB1_ASK)}, {'c', HEX("00")}};
	struct outcome o = SCRIPT(APP_SMB, &lax, asked);

	CHECK_INT(o.status, VERIFY_ACCEPT);
	script_no_prefix_refused(APP_SMB, &lax, asked, COUNT(asked));
	o = SCRIPT(APP_SMB, &strict, asked);
	CHECK_INT(o.why, WHY_SMB1);
	CHECK_INT(o.line, 0);
	o = SCRIPT(APP_SMB, &lax, old);
	CHECK_INT(o.why, WHY_SMB1);
	CHECK_INT(o.line, 1);
	CHECK_INT(SCRIPT(APP_SMB, &lax, only_old).why, WHY_SMB1);
	CHECK_INT(SCRIPT(APP_SMB, &lax, twice).why, WHY_ORDER);
}

/* "Some SMB 2" as the answer to SMB 1's question: the client asks again, with MessageId 1. */
static void test_wildcard(void)
{
	static const struct edit edits[] = {
		{2, 28, "02", WHY_FIELD}, /* MessageId 2 */
		{1, 72, "1103", WHY_ANSWER_OTHER},
		{2, 4, "ff", WHY_SMB1}, /* once */
	};
	static const struct line twice[] = {{'c', HEX(SMB1_ASK)},
		{'s', HEX("000000ca" ANSWER_0 "4100 0100 ff02 0000 66696c65730000000000000000000000 01000000 00000100 00000100 "
			  "00000100 6ef62b1df078dd01 0000000000000000 8000 4a00 00000000 " SPNEGO_HINT)},
		{'c', HEX("00000066 fe534d42 4000 0000 00000000 0000 1f00 00000000 00000000 0100000000000000 0000000000000000 "
			  "0000000000000000 00000000000000000000000000000000 2400 0100 0100 0000 00000000 "
			  "00000000000000000000000000000000 0000000000000000 0202")}};

	CHECK_INT(SCRIPT(APP_SMB, &lax, twice).status, VERIFY_MORE);
	CHECK_INT(script_edits(APP_SMB, &lax, twice, COUNT(twice), edits, COUNT(edits), false), 0);
}

/* Each field of the four messages that can be wrong. Offsets count the four bytes of framing. */
static void test_refusals(void)
{
	static const struct edit edits[] = {
		{0, 0, "81", WHY_PROTOCOL}, /* a NetBIOS session request */
		{0, 0, "85", WHY_PROTOCOL},
		{0, 1, "ff", WHY_LENGTH},
		{0, 1, "000010", WHY_LENGTH},
		{0, 3, "d9", WHY_LENGTH}, /* the last context is longer than the frame */
		{0, 4, "47", WHY_PROTOCOL},
		{0, 4, "fd", WHY_ORDER}, /* encrypted before there is a session */
		{0, 4, "fc", WHY_ORDER},
		{0, 8, "3f", WHY_FIELD},
		{0, 14, "01", WHY_FIELD}, /* a status in a question */
		{0, 16, "05", WHY_COMMAND},
		{0, 20, "01", WHY_ORDER},
		{0, 20, "02", WHY_FIELD},
		{0, 20, "04", WHY_FIELD},
		{0, 24, "68", WHY_FIELD}, /* compounded */
		{0, 28, "01", WHY_FIELD},
		{0, 44, "01", WHY_FIELD}, /* a session */
		{0, 68, "25", WHY_FIELD},
		{0, 70, "00", WHY_FIELD}, /* no dialect */
		{0, 70, "11", WHY_FIELD},
		{0, 72, "04", WHY_FIELD},
		{0, 77, "01", WHY_FIELD},
		{0, 96, "70", WHY_LENGTH}, /* contexts elsewhere */
		{0, 100, "11", WHY_LENGTH},
		{0, 100, "03", WHY_LENGTH}, /* one context fewer than there are bytes */
		{0, 104, "0411", WHY_VERSION},
		{0, 104, "ff02", WHY_VERSION},
		{0, 108, "2100", WHY_FIELD}, /* unknown context */
		{0, 110, "0800", WHY_LENGTH},
		{0, 116, "02", WHY_LENGTH},
		{0, 120, "02", WHY_FIELD}, /* hash */
		{0, 164, "05", WHY_LENGTH},
		{0, 166, "05", WHY_FIELD}, /* cipher */
		{0, 198, "11", WHY_LENGTH}, /* odd length of a name */
		{0, 222, "0000", WHY_ORDER}, /* a byte behind the frame */
		{1, 4, "ff", WHY_SMB1},
		{1, 4, "48", WHY_ANSWER},
		{1, 16, "01", WHY_COMMAND},
		{1, 20, "00", WHY_ORDER},
		{1, 28, "01", WHY_ANSWER_OTHER},
		{1, 72, "0203", WHY_ANSWER_OTHER}, /* was not offered */
		{1, 72, "1203", WHY_VERSION},
		{1, 72, "2202", WHY_VERSION},
		{1, 124, "81", WHY_LENGTH},
		{1, 126, "4b", WHY_LENGTH}, /* token longer than its own length */
		{1, 128, "c8", WHY_LENGTH},
		{1, 132, "61", WHY_FIELD},
		{1, 136, "80", WHY_FIELD},
		{2, 4, "fd", WHY_ORDER},
		{2, 16, "03", WHY_COMMAND}, /* no SESSION_SETUP */
		{2, 28, "02", WHY_FIELD},
		{2, 28, "00", WHY_FIELD},
		{2, 68, "18", WHY_FIELD},
		{2, 70, "02", WHY_FIELD},
		{2, 76, "01", WHY_FIELD},
		{2, 80, "57", WHY_LENGTH},
		{2, 82, "49", WHY_LENGTH},
		{2, 92, "4e", WHY_FIELD}, /* neither SPNEGO nor NTLM */
		{2, 92, "a1", WHY_FIELD}, /* goes on with what was not begun */
		{2, 93, "47", WHY_LENGTH},
		{3, 16, "00", WHY_COMMAND},
		{3, 20, "10", WHY_ORDER},
		{3, 28, "02", WHY_ANSWER_OTHER},
		{3, 44, "00000000", WHY_FIELD}, /* success without a session */
		{3, 68, "0a", WHY_FIELD},
		{3, 70, "08", WHY_FIELD},
		{3, 72, "49", WHY_LENGTH},
		{3, 74, "96", WHY_LENGTH},
		{3, 76, "a2", WHY_FIELD},
	};

	CHECK_INT(script_edits(APP_SMB, &strict, smb311, COUNT(smb311), edits, COUNT(edits), false), 0);
}

/* Raw NTLM instead of SPNEGO (MS-SMB2 3.3.5.5.3). */
static void test_raw_ntlm(void)
{
	static const struct line raw[] = {{'c', HEX(ASK_202)}, {'s', HEX(ANSWER_202)},
		{'c', HEX("00000080" HEADER_1 "1900 00 01 01000000 00000000 5800 2800 0000000000000000 4e544c4d53535000 01000000 "
			  "15820862 0000000028000000 0000000028000000 060100000000000f")},
		{'s', HEX("00000058" ANSWER_1 "0900 0000 4800 1000 4e544c4d53535000 02000000 00000000")}};
	static const struct edit edits[] = {{2, 100, "03", WHY_FIELD}, {3, 84, "01", WHY_FIELD},
		{2, 99, "01", WHY_FIELD}};

	CHECK_INT(SCRIPT(APP_SMB, &strict, raw).status, VERIFY_ACCEPT);
	CHECK_INT(script_edits(APP_SMB, &strict, raw, COUNT(raw), edits, COUNT(edits), false), 0);
}

/* Nobody speaks while it is the other one's turn. */
static void test_turns(void)
{
	static const struct line early[] = {{'s', HEX("00")}};
	static const struct line both[] = {{'c', HEX(ASK_202)}, {'c', HEX("00")}};
	static const struct line half[] = {
		{'c', HEX(ASK_202)}, {'s', HEX(ANSWER_202)}, {'c', HEX("000000a2" HEADER_1)}, {'s', HEX("00")}};

	CHECK_INT(SCRIPT(APP_SMB, &strict, early).why, WHY_ORDER);
	CHECK_INT(SCRIPT(APP_SMB, &strict, both).why, WHY_ORDER);
	CHECK_INT(SCRIPT(APP_SMB, &strict, half).why, WHY_ORDER);
}

/* Tunnels that say just enough to look like it. */
static void test_mimics(void)
{
	static const struct line magic[] = {{'c', HEX("00000044 fe534d42")}, {'c', TEXT("GET / HTTP/1.1\r\n")}};
	static const struct line ssh[] = {{'c', TEXT("SSH-2.0-OpenSSH_9.2\r\n")}};
	static const struct line then_raw[] = {{'c', HEX(ASK_311)}, {'s', HEX(ANSWER_311)},
		{'c', HEX("00010203 deadbeef")}};
	struct outcome o = SCRIPT(APP_SMB, &strict, magic);

	CHECK_INT(o.status, VERIFY_REFUSE);
	CHECK_INT(o.line, 1);
	CHECK_INT(SCRIPT(APP_SMB, &strict, ssh).why, WHY_PROTOCOL);
	o = SCRIPT(APP_SMB, &strict, then_raw);
	CHECK_INT(o.status, VERIFY_REFUSE);
	CHECK_INT(o.level, LEVEL_ANSWER);
}

int main(void)
{
	test_sessions();
	test_setup_answers();
	test_not_supported();
	test_smb1();
	test_wildcard();
	test_refusals();
	test_raw_ntlm();
	test_turns();
	test_mimics();
	return test_end();
}
