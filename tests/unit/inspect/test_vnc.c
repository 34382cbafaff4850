/*
 * test_vnc.c: conversations of TigerVNC as they were recorded, every version and refusal of RFC 6143, banners in front of
 * tunnels.
 */
#include "script.h"
#include "test.h"

static const struct verify_policy policy = {.application = APP_VNC};

static void recorded(const char *name, size_t line)
{
	struct line lines[32];
	size_t n = script_load(name, lines, 32);
	struct outcome o = script_run(APP_VNC, &policy, lines, n);

	CHECK_INT(o.status, VERIFY_ACCEPT);
	CHECK_INT(o.level, LEVEL_RELATES);
	CHECK_INT(o.line, line);
	script_no_prefix_refused(APP_VNC, &policy, lines, n);
}

/* Versions of both, then turns in hex: of the server, the client, the server, ... */
struct talk {
	const char *server, *client;
	const char *turns[6];
	enum verify_status status;
	enum inspect_why why;
};

#define V3 "RFB 003.003\n"
#define V7 "RFB 003.007\n"
#define V8 "RFB 003.008\n"
#define INIT "0400 0300 20 18 00 01 00ff 00ff 00ff 10 08 00 000000 00000004"
#define RANDOM "00112233445566778899aabbccddeeff"

static struct outcome talk(const struct talk *t)
{
	struct line lines[8] = {{'s', t->server, strlen(t->server)}, {'c', t->client, strlen(t->client)}};
	size_t n = 2;

	for (int i = 0; i < 6 && t->turns[i] != NULL; i++) {
		bool again = t->turns[i][0] == '+'; /* the same side once more */
		lines[n] = (struct line){lines[n - 1].who == 'c' ? 's' : 'c', t->turns[i] + again, 0};
		if (again)
			lines[n].who = lines[n - 1].who;
		n++;
	}
	return script_run(APP_VNC, &policy, lines, n);
}

static void talks(const struct talk *t, size_t n)
{
	for (size_t i = 0; i < n; i++) {
		struct outcome o = talk(&t[i]);
		if (o.status != t[i].status || o.why != t[i].why)
			printf("%zu: %s in line %zu\n", i, inspect_why_word(o.why), o.line);
		CHECK_INT(o.status, t[i].status);
		CHECK_INT(o.why, t[i].why);
	}
}
#define TALKS(t) talks((t), sizeof(t) / sizeof((t)[0]))

static void legal(void)
{
	static const struct talk t[] = {
		{V8, V8, {"01 01", "01", "00000000", "01", INIT}, VERIFY_ACCEPT, WHY_NONE},
		{V8, V8, {"02 01 02", "02", RANDOM, RANDOM, "00000000", "00"}, VERIFY_DECIDED, WHY_NONE},
		{V8, V7, {"01 01", "01", "+ 01", INIT}, VERIFY_ACCEPT, WHY_NONE},
		{V8, V3, {"00000001", "01", INIT}, VERIFY_ACCEPT, WHY_NONE},
		{V8, V3, {"00000002" RANDOM, RANDOM, "00000000", "01", INIT}, VERIFY_ACCEPT, WHY_NONE},
		{"RFB 003.005\n", V3, {"00000001", "01", INIT}, VERIFY_ACCEPT, WHY_NONE},
		{"RFB 003.889\n", "RFB 003.889\n", {"02 1e 21", "1e"}, VERIFY_ACCEPT, WHY_NONE}, /* Apple's */
		{"RFB 003.889\n", V8, {"02 1e 02", "02"}, VERIFY_DECIDED, WHY_NONE},
		{V8, V8, {"03 10 02 13", "10"}, VERIFY_ACCEPT, WHY_NONE}, /* Tight */
		{V8, V8, {"00 00000003 4e6f21"}, VERIFY_MORE, WHY_NONE},
		{V8, V8, {"01 02", "02", RANDOM, RANDOM, "00000001 00000002 4e6f"}, VERIFY_DECIDED, WHY_NONE},
		{V7, V7, {"01 02", "02", RANDOM, RANDOM, "00000001"}, VERIFY_DECIDED, WHY_NONE},
		{V8, V8, {"01 13", "13", "0002", "0002", "00 01 00000100", "00000100"}, VERIFY_ACCEPT, WHY_NONE},
	};

	TALKS(t);
	CHECK_INT(talk(&t[9]).level, LEVEL_ANSWER);
	CHECK_INT(talk(&t[8]).level, LEVEL_RELATES);
}

static void refusals(void)
{
	static const struct talk t[] = {
		{"RFB 004.001\n", "", {NULL}, VERIFY_REFUSE, WHY_VERSION}, /* RealVNC's own */
		{"RFB 005.000\n", "", {NULL}, VERIFY_REFUSE, WHY_VERSION},
		{"RFB 003.009\n", "", {NULL}, VERIFY_REFUSE, WHY_VERSION},
		{"RFB 003.008\r", "", {NULL}, VERIFY_REFUSE, WHY_VERSION},
		{"RFB 3.8", "", {NULL}, VERIFY_REFUSE, WHY_VERSION},
		{"RFC ", "", {NULL}, VERIFY_REFUSE, WHY_PROTOCOL},
		{"SSH-2.0-x\r\n", "", {NULL}, VERIFY_REFUSE, WHY_PROTOCOL},
		{V7, V8, {NULL}, VERIFY_REFUSE, WHY_VERSION}, /* higher than the server's */
		{V8, "GET / HTTP/1.1\r\n", {NULL}, VERIFY_REFUSE, WHY_PROTOCOL},
		{V8, V8, {"02 01 00"}, VERIFY_REFUSE, WHY_FIELD},
		{V8, V8, {"02 01 02 00"}, VERIFY_REFUSE, WHY_ORDER},
		{V8, V8, {"01 02", "01"}, VERIFY_REFUSE, WHY_ANSWER_OTHER}, /* not in the list */
		{V8, V8, {"01 02", "02 00"}, VERIFY_REFUSE, WHY_ORDER},
		{V8, V8, {"01 02", "02", RANDOM "00"}, VERIFY_REFUSE, WHY_ORDER},
		{V8, V8, {"01 02", "02", RANDOM, RANDOM "00"}, VERIFY_REFUSE, WHY_ORDER},
		{V8, V8, {"01 01", "01", "00000003"}, VERIFY_REFUSE, WHY_FIELD},
		{V8, V8, {"01 01", "01", "53534832"}, VERIFY_REFUSE, WHY_ANSWER},
		{V8, V8, {"01 01", "01", "00000000", "01 00"}, VERIFY_REFUSE, WHY_ORDER},
		{V8, V8, {"01 01", "01", "00000001 00000000", "01"}, VERIFY_REFUSE, WHY_ORDER}, /* after the end */
		{V8, V8, {"00 00001001"}, VERIFY_REFUSE, WHY_LENGTH},
		{V8, V8, {"00 00000003 4e01"}, VERIFY_REFUSE, WHY_ENCODING},
		{V8, V3, {"00000003"}, VERIFY_REFUSE, WHY_FIELD},
		{V8, V3, {"16030300"}, VERIFY_REFUSE, WHY_ANSWER},
		{V8, V3, {"00000001", "01", "0000"}, VERIFY_REFUSE, WHY_FIELD},
		{V8, V3, {"00000001", "01", "0400 0300 21 18"}, VERIFY_REFUSE, WHY_FIELD},
		{V8, V3, {"00000001", "01", "0400 0300 10 18"}, VERIFY_REFUSE, WHY_FIELD},
		{V8, V3, {"00000001", "01", "0400 0300 20 18 02"}, VERIFY_REFUSE, WHY_FIELD},
		{V8, V3, {"00000001", "01", "0400 0300 20 18 00 01 00ff 00ff 00ff 20"}, VERIFY_REFUSE, WHY_FIELD},
		{V8, V3, {"00000001", "01", "0400 0300 20 18 00 01 00ff 00ff 00ff 10 08 00 000000 00010000"},
			VERIFY_REFUSE, WHY_LENGTH},
		{V8, V8, {"01 13", "13", "0001"}, VERIFY_REFUSE, WHY_VERSION},
		{V8, V8, {"01 13", "13", "0002", "0002", "01"}, VERIFY_REFUSE, WHY_FIELD},
		{V8, V8, {"01 13", "13", "0002", "0002", "00 01 00000102", "00000103"}, VERIFY_REFUSE, WHY_ANSWER_OTHER},
		{V8, V8, {"01 13", "13", "0002", "0002", "00 01 00000102", "00000202"}, VERIFY_REFUSE, WHY_ANSWER_OTHER},
	};

	TALKS(t);
	struct line first[] = {{'c', TEXT("R")}};
	CHECK_INT(SCRIPT(APP_VNC, &policy, first).why, WHY_ORDER);
}

/* VeNCrypt: behind its consent there is TLS. */
static void hand_over(void)
{
	struct line lines[] = {{'s', TEXT(V8)}, {'c', TEXT(V8)}, {'s', HEX("01 13")}, {'c', HEX("13")}, {'s', HEX("0002")},
		{'c', HEX("0002")}, {'s', HEX("00 01 00000102")}, {'c', HEX("00000102")}, {'s', HEX("01")},
		{'c', TEXT("SSH-")}};
	struct line no[] = {{'s', TEXT(V8)}, {'c', TEXT(V8)}, {'s', HEX("01 13")}, {'c', HEX("13")}, {'s', HEX("0002")},
		{'c', HEX("0002")}, {'s', HEX("00 01 00000102")}, {'c', HEX("00000102")}, {'s', HEX("00")}};

	CHECK_INT(SCRIPT(APP_VNC, &policy, lines).why, WHY_PROTOCOL);
	CHECK_INT(SCRIPT(APP_VNC, &policy, lines).line, 9);
	CHECK_INT(SCRIPT(APP_VNC, &policy, no).why, WHY_FIELD);
}

int main(void)
{
	recorded("verify_vnc/none", 6);
	recorded("verify_vnc/auth", 8);
	recorded("verify_vnc/tls", 11);
	legal();
	refusals();
	hand_over();
	return test_end();
}
