/*
 * test_rdp.c: conversations of FreeRDP with xrdp as they were recorded, the messages of MS-RDPBCGR 4.1, every refusal, and
 * the others that begin with a TPKT.
 */
#include "script.h"
#include "test.h"

static const struct verify_policy tls = {.application = APP_RDP};
static const struct verify_policy old = {.application = APP_RDP, .options = VERIFY_STANDARD_SECURITY};
static const char *const names[] = {"desk.example"};
static const struct verify_policy named = {.application = APP_RDP, .server_names = {names, 1}};

/* Requests: for TLS; with a cookie (4.1.1, "eltons") and no protocol; and with one. */
#define ASK_TLS "03 00 00 13 0e e0 0000 0000 00 01 00 08 00 03 00 00 00"
#define COOKIE "43 6f 6f 6b 69 65 3a 20 6d 73 74 73 68 61 73 68 3d 65 6c 74 6f 6e 73 0d 0a"
#define ASK_OLD "03 00 00 2c 27 e0 0000 0000 00" COOKIE "01 00 08 00 00 00 00 00"
#define ASK_COOKIE_TLS "03 00 00 2c 27 e0 0000 0000 00" COOKIE "01 00 08 00 01 00 00 00"
#define CONFIRM_OLD "03 00 00 13 0e d0 0000 1234 00 02 00 08 00 00 00 00 00"

static void recorded(const char *name, const struct verify_policy *policy, size_t line)
{
	struct line lines[16];
	size_t n = script_load(name, lines, 16);
	struct outcome o = script_run(APP_RDP, policy, lines, n);

	CHECK_INT(o.status, VERIFY_ACCEPT);
	CHECK_INT(o.level, LEVEL_RELATES);
	CHECK_INT(o.line, line);
	script_no_prefix_refused(APP_RDP, policy, lines, n);
}

struct message {
	const char *hex;
	enum inspect_why why, why_old; /* without and with the old security allowed */
};

static void check(const char *hex, const struct line *lines, size_t n, enum inspect_why why, enum inspect_why why_old)
{
	enum inspect_why got = script_run(APP_RDP, &tls, lines, n).why, got_old = script_run(APP_RDP, &old, lines, n).why;

	if (got != why || got_old != why_old)
		printf("%s: %s, %s\n", hex, inspect_why_word(got), inspect_why_word(got_old));
	CHECK_INT(got, why);
	CHECK_INT(got_old, why_old);
}

static void requests(void)
{
	static const struct message t[] = {
		{ASK_TLS, WHY_NONE, WHY_NONE},
		{ASK_COOKIE_TLS, WHY_NONE, WHY_NONE},
		{ASK_OLD, WHY_PLAIN, WHY_NONE},
		{"03 00 00 24 1f e0 0000 0000 00" COOKIE, WHY_PLAIN, WHY_NONE},
		{"03 00 00 37 32 e0 0000 0000 00 01 08 08 00 0b 00 00 00 06 00 24 00 00112233445566778899aabbccddeeff"
		 "00000000000000000000000000000000",
			WHY_NONE, WHY_NONE},
		{"03 00 00 37 32 e0 0000 0000 00 01 08 08 00 0b 00 00 00 06 00 24 00 00112233445566778899aabbccddeeff 01",
			WHY_FIELD, WHY_FIELD},
		{"03 00 00 0b", WHY_PROTOCOL, WHY_PROTOCOL},	/* bare: S7, H.323 */
		{"03 00 00 16 11 e0 0000 0001 00 c0 01 0a", WHY_PROTOCOL, WHY_PROTOCOL}, /* S7 */
		{"03 01", WHY_PROTOCOL, WHY_PROTOCOL},
		{"16 03 01", WHY_PROTOCOL, WHY_PROTOCOL},
		{"53 53 48", WHY_PROTOCOL, WHY_PROTOCOL},
		{"03 00 00 13 0f", WHY_LENGTH, WHY_LENGTH},
		{"03 00 01 13 ff", WHY_LENGTH, WHY_LENGTH},
		{"03 00 00 13 0e f0", WHY_PROTOCOL, WHY_PROTOCOL},
		{"03 00 00 13 0e e0 0001 0000 00", WHY_FIELD, WHY_FIELD},
		{"03 00 00 13 0e e0 0000 0000 20", WHY_FIELD, WHY_FIELD},
		{"03 00 00 13 0e e0 0000 0000 00 01 04", WHY_FIELD, WHY_FIELD},
		{"03 00 00 13 0e e0 0000 0000 00 01 00 09", WHY_LENGTH, WHY_LENGTH},
		{"03 00 00 13 0e e0 0000 0000 00 01 00 08 00 20 00 00 00", WHY_FIELD, WHY_FIELD},
		{"03 00 00 14 0f e0 0000 0000 00 01 00 08 00 01 00 00 00", WHY_LENGTH, WHY_LENGTH},
		{"03 00 00 13 0e e0 0000 0000 00 43 6f 6f 6b 69 65 3a 20", WHY_LENGTH, WHY_LENGTH},
		{"03 00 00 2c 27 e0 0000 0000 00 43 6f 6f 6b 69 65 3a 20 6d 73 74 73 01", WHY_ENCODING, WHY_ENCODING},
		{"03 00 00 2c 27 e0 0000 0000 00 43 6f 6f 6b 69 65 3a 20 6d 73 74 73 0d 0d", WHY_ENCODING, WHY_ENCODING},
		{"03 00 00 2c 27 e0 0000 0000 00 47 45 54", WHY_PROTOCOL, WHY_PROTOCOL},
		{ASK_TLS "16 03 01", WHY_ORDER, WHY_ORDER}, /* before the answer */
	};

	for (size_t i = 0; i < sizeof(t) / sizeof(t[0]); i++) {
		struct line lines[] = {{'c', HEX(t[i].hex)}};
		check(t[i].hex, lines, 1, t[i].why, t[i].why_old);
	}
	struct line first[] = {{'s', HEX("03")}};
	CHECK_INT(SCRIPT(APP_RDP, &tls, first).why, WHY_ORDER);
}

static void confirms(void)
{
	static const struct {
		const char *ask, *hex;
		enum inspect_why why, why_old;
	} t[] = {
		{ASK_TLS, "03 00 00 13 0e d0 0000 1234 00 02 1f 08 00 02 00 00 00", WHY_NONE, WHY_NONE},
		{ASK_TLS, "03 00 00 13 0e d0 0000 1234 00 02 00 08 00 08 00 00 00", WHY_ANSWER_OTHER, WHY_ANSWER_OTHER},
		{ASK_TLS, "03 00 00 13 0e d0 0000 1234 00 02 00 08 00 03 00 00 00", WHY_ANSWER_OTHER, WHY_ANSWER_OTHER},
		{ASK_TLS, CONFIRM_OLD, WHY_PLAIN, WHY_NONE},
		{ASK_TLS, "03 00 00 0b 06 d0 0000 1234 00", WHY_PLAIN, WHY_NONE},
		{ASK_TLS, "03 00 00 13 0e d0 0000 1234 00 03 00 08 00 05 00 00 00", WHY_NONE, WHY_NONE},
		{ASK_TLS, "03 00 00 13 0e d0 0000 1234 00 03 00 08 00 05 00 00 00 00", WHY_ORDER, WHY_ORDER},
		{ASK_TLS, "03 00 00 13 0e d0 0000 1234 00 03 00 08 00 09 00 00 00", WHY_FIELD, WHY_FIELD},
		{ASK_TLS, "03 00 00 13 0e d0 0000 1234 00 03 01", WHY_FIELD, WHY_FIELD},
		{ASK_TLS, "03 00 00 13 0e d0 0000 1234 00 04", WHY_FIELD, WHY_FIELD},
		{ASK_TLS, "03 00 00 13 0e d0 0001", WHY_NONE, WHY_NONE},
		{ASK_TLS, "03 00 00 13 0e d0 0001 1234 00", WHY_ANSWER_OTHER, WHY_ANSWER_OTHER},
		{ASK_TLS, "03 00 00 14", WHY_LENGTH, WHY_LENGTH},
		{ASK_TLS, "03 00 00 13 0e e0", WHY_ANSWER, WHY_ANSWER},
		{ASK_TLS, "16 03 03", WHY_ANSWER, WHY_ANSWER},
		{ASK_COOKIE_TLS, "03 00 00 13 0e d0 0000 1234 00 02 00 08 00 01 00 00 00", WHY_NONE, WHY_NONE},
		{ASK_COOKIE_TLS, "03 00 00 13 0e d0 0000 1234 00 02 20", WHY_FIELD, WHY_FIELD},
		/* Nothing was asked for: nothing may be selected. */
		{"03 00 00 24 1f e0 0000 0000 00" COOKIE, "03 00 00 13", WHY_PLAIN, WHY_LENGTH},
	};

	for (size_t i = 0; i < sizeof(t) / sizeof(t[0]); i++) {
		struct line lines[] = {{'c', HEX(t[i].ask)}, {'s', HEX(t[i].hex)}};
		check(t[i].hex, lines, 2, t[i].why, t[i].why_old);
	}
}

/* Behind the confirm there is TLS, under the same rule. */
static void hand_over(void)
{
	struct line ssh[] = {{'c', HEX(ASK_TLS)}, {'s', HEX("03 00 00 13 0e d0 0000 1234 00 02 00 08 00 02 00 00 00")},
		{'c', TEXT("SSH-")}};
	struct line lines[16];
	size_t n = script_load("verify_rdp/tls", lines, 16);

	CHECK_INT(SCRIPT(APP_RDP, &tls, ssh).why, WHY_PROTOCOL);
	CHECK_INT(script_run(APP_RDP, &named, lines, n).why, WHY_SERVER_NAME); /* FreeRDP was given an address */
	struct line failed[] = {{'c', HEX(ASK_TLS)}, {'s', HEX("03 00 00 13 0e d0 0000 1234 00 03 00 08 00 05 00 00 00")},
		{'c', TEXT("\x16")}};
	CHECK_INT(SCRIPT(APP_RDP, &tls, failed).why, WHY_ORDER);
}

/* One byte of the recorded exchange of settings at a time is another: what must be refused is. */
static void settings(void)
{
	struct line lines[16];
	size_t n = script_load("verify_rdp/old", lines, 16);
	static const struct edit edits[] = {
		{2, 1, "01", WHY_PROTOCOL},
		{2, 4, "03", WHY_PROTOCOL},	/* not data */
		{2, 7, "7f 66", WHY_FIELD},
		{2, 9, "83", WHY_LENGTH},
		{2, 9, "82 ff ff", WHY_LENGTH},
		{2, 12, "05", WHY_FIELD},
		{3, 1, "01", WHY_ANSWER},
		{3, 7, "7f 65", WHY_FIELD},
	};

	CHECK_INT(n, 4);
	CHECK_INT(script_edits(APP_RDP, &old, lines, n, edits, sizeof(edits) / sizeof(edits[0]), false), 0);
	/* The two keys, the lengths around the blocks, and the echo of the protocols that were asked for. */
	static const char *const marks[] = {"Duca", "McDn"};
	for (int i = 0; i < 2; i++) {
		const char *at = memmem(lines[2 + i].text, lines[2 + i].n, marks[i], 4);
		CHECK(at != NULL);
		size_t k = at == NULL ? 0 : (size_t)(at - lines[2 + i].text);
		struct edit inside[] = {
			{2 + (size_t)i, k, "44 75 63 62", WHY_PROTOCOL},
			{2 + (size_t)i, k + 4, "80", WHY_LENGTH},
			{2 + (size_t)i, k + 6, "02", WHY_FIELD}, /* not the core's block */
			{2 + (size_t)i, k + 7, "00", WHY_FIELD},
			{2 + (size_t)i, k + 8, "03 00", WHY_LENGTH},
			{2 + (size_t)i, k + 8, "ff 0f", WHY_LENGTH},
		};
		CHECK_INT(script_edits(APP_RDP, &old, lines, n, inside, sizeof(inside) / sizeof(inside[0]), false), 0);
	}
	CHECK_INT(script_run(APP_RDP, &tls, lines, n).why, WHY_PLAIN);
}

static void mimics(void)
{
	struct line raw[] = {{'c', HEX(ASK_OLD)}, {'s', HEX(CONFIRM_OLD)}, {'c', HEX("03 00 00 20 02 f0 80 64 00")}};
	struct line other[] = {{'c', HEX(ASK_OLD)}, {'s', HEX(CONFIRM_OLD)}, {'c', HEX("00")}};
	struct line server[] = {{'c', HEX(ASK_OLD)}, {'s', HEX(CONFIRM_OLD "00")}};

	CHECK_INT(SCRIPT(APP_RDP, &old, raw).why, WHY_FIELD);
	CHECK_INT(SCRIPT(APP_RDP, &old, other).why, WHY_PROTOCOL);
	CHECK_INT(SCRIPT(APP_RDP, &old, server).why, WHY_ORDER);
}

int main(void)
{
	recorded("verify_rdp/tls", &tls, 4);
	recorded("verify_rdp/old", &old, 3);
	requests();
	confirms();
	hand_over();
	settings();
	mimics();
	return test_end();
}
