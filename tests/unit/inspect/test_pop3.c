/* test_pop3.c: what Dovecot, curl and poplib said to each other, and what is no POP3. */
#include "script.h"
#include "test.h"

static const struct verify_policy any = {.application = APP_POP3};
static const struct verify_policy tls = {.application = APP_POP3, .options = VERIFY_STARTTLS_REQUIRED};

#define COUNT(lines) (sizeof(lines) / sizeof((lines)[0]))
#define C(text) {'c', TEXT(text "\r\n")}
#define S(text) {'s', TEXT(text "\r\n")}
#define GREETING S("+OK Dovecot (Debian) ready.")
#define CAPABILITIES                                                                                                   \
	C("CAPA"), S("+OK\r\nCAPA\r\nTOP\r\nUIDL\r\nRESP-CODES\r\nPIPELINING\r\nAUTH-RESP-CODE\r\nSTLS\r\nUSER\r\n"    \
		     "SASL PLAIN LOGIN CRAM-MD5\r\n.")
#define ACCEPTED(...)                                                                                                  \
	do {                                                                                                           \
		static const struct line lines_[] = {__VA_ARGS__};                                                     \
		CHECK(script_decides(APP_POP3, &any, lines_, COUNT(lines_), VERIFY_ACCEPT));                           \
	} while (0)
#define REFUSED(policy, why, ...)                                                                                      \
	do {                                                                                                           \
		static const struct line lines_[] = {__VA_ARGS__};                                                     \
		CHECK(script_refuses(APP_POP3, (policy), lines_, COUNT(lines_), (why)));                               \
	} while (0)

static void accepted(void)
{
	ACCEPTED(GREETING, C("USER user"), S("+OK"));
	ACCEPTED(GREETING, CAPABILITIES, C("AUTH PLAIN"), S("+ "));
	ACCEPTED(GREETING, CAPABILITIES, C("AUTH PLAIN AHVzZXIAcGFzcw=="), S("+OK Logged in."));
	ACCEPTED(GREETING, C("AUTH CRAM-MD5"), S("+ PDc4MDQ0MDc5Mjc4OTk0OTguMTc5NTE4MjgyM0B2bT4="));
	ACCEPTED(S("+OK POP3 server ready <1896.697170952@dbc.mtview.ca.us>"), /* RFC 1939 section 10 */
		C("APOP mrose c4c9334bac560ecc979e58001b3e22fb"),
			S("+OK mrose's maildrop has 2 messages (320 octets)"));
	ACCEPTED(GREETING, C("AUTH"), S("-ERR Unrecognized command."), C("CAPA"),
		S("+OK follow\r\nUSER\r\n."), C("user a"),
		S("-ERR no"), C("USER b"), S("+OK"));
	ACCEPTED(GREETING, C("AUTH"), S("+OK\r\nPLAIN\r\n."), C("USER a"), S("+OK"));
	ACCEPTED(S("+OK \312\274 CMailServer"), C("UTF8"), S("+OK"), C("LANG"),
		S("+OK\r\nja \346\227\245\r\n."), C("LANG ja"),
		S("+OK ja"), {'c', TEXT("CAPA\r\nUSER a b\r\nPASS c d\r\n")}, S("+OK\r\n."), S("+OK"));
	static const struct line bye[] = {GREETING, C("QUIT"), S("+OK Logging out.")};
	CHECK_INT(SCRIPT(APP_POP3, &any, bye).status, VERIFY_MORE);
	static const struct line slow[] = {GREETING, S("-ERR Disconnected for inactivity.")};
	CHECK_INT(SCRIPT(APP_POP3, &any, slow).status, VERIFY_MORE);
}

static void refused(void)
{
	REFUSED(&any, WHY_ANSWER, S("220 mail ESMTP"));
	REFUSED(&any, WHY_ANSWER, S("* OK IMAP"));
	REFUSED(&any, WHY_ANSWER, {'s', TEXT("SSH-2.0-x\r\n")});
	REFUSED(&any, WHY_ANSWER, S("+OKAY"));
	REFUSED(&any, WHY_ANSWER, S("+ok"));
	REFUSED(&any, WHY_ANSWER, S("+ challenge"));
	REFUSED(&any, WHY_ORDER, C("USER a"));
	REFUSED(&any, WHY_ORDER, {'c', HEX("16 03 01")});
	REFUSED(&any, WHY_ORDER, GREETING, S("+OK"));
	REFUSED(&any, WHY_COMMAND, GREETING, C("STAT"));
	REFUSED(&any, WHY_COMMAND, GREETING, C("EHLO a"));
	REFUSED(&any, WHY_COMMAND, GREETING, {'c', HEX("00")});
	REFUSED(&any, WHY_ANSWER, GREETING, C("USER a"), S("+ go on"));
	REFUSED(&any, WHY_ANSWER, GREETING, C("USER a"), S("250 Ok"));
	REFUSED(&any, WHY_ORDER, GREETING, {'c', TEXT("AUTH PLAIN\r\nAHVzZXIAcGFzcw==\r\n")});
	REFUSED(&any, WHY_ORDER, GREETING, {'c', TEXT("QUIT\r\nUSER a\r\n")});
	REFUSED(&any, WHY_ORDER, GREETING, {'c',
		TEXT("CAPA\r\nCAPA\r\nCAPA\r\nCAPA\r\nCAPA\r\nCAPA\r\nCAPA\r\nCAPA\r\nCAPA\r\n")});
	REFUSED(&any, WHY_FIELD, GREETING, C("USER"));
	REFUSED(&any, WHY_FIELD, GREETING, C("USER "));
	REFUSED(&any, WHY_ENCODING, GREETING, C("CAPA x"));
	REFUSED(&any, WHY_ENCODING, GREETING, {'c', TEXT("USER a\n")});
	REFUSED(&any, WHY_ENCODING, GREETING, {'c', TEXT("USER a\0\r\n")});
	REFUSED(&any, WHY_ENCODING, {'s', TEXT("+OK a\n")});
	static char big[700];
	memset(big, 'a', sizeof(big));
	memcpy(big, "USER ", 5);
	const struct line l[] = {GREETING, {'c', big, sizeof(big)}};
	CHECK(script_refuses(APP_POP3, &any, l, 2, WHY_LENGTH));
}

static void stls(void)
{
	static const struct line l[] = {GREETING, CAPABILITIES, C("STLS"), S("+OK Begin TLS negotiation now.")};
	CHECK(script_hands_over(APP_POP3, &any, l, COUNT(l)));
	CHECK(script_hands_over(APP_POP3, &tls, l, COUNT(l)));
	ACCEPTED(GREETING, C("STLS"), S("-ERR no"), C("USER a"), S("+OK"));
	REFUSED(&any, WHY_STARTTLS, GREETING, {'c', TEXT("STLS\r\nUSER a\r\n")});
	REFUSED(&any, WHY_STARTTLS, GREETING, {'c', TEXT("CAPA\r\nSTLS\r\n")});
	REFUSED(&any, WHY_STARTTLS, GREETING, C("STLS"), {'c', HEX("16 03")});
	REFUSED(&tls, WHY_PLAIN, GREETING, C("USER a"));
	REFUSED(&tls, WHY_PLAIN, GREETING, C("APOP a b"));
	REFUSED(&tls, WHY_PLAIN, GREETING, C("PASS a"));
	REFUSED(&tls, WHY_PLAIN, GREETING, C("AUTH PLAIN"));
	REFUSED(&tls, WHY_PLAIN, GREETING, C("STLS"), S("-ERR no"), C("USER a"));
	static const struct line list[] = {GREETING, C("AUTH"), S("+OK\r\nPLAIN\r\n."), C("STLS"), S("+OK")};
	CHECK(script_hands_over(APP_POP3, &tls, list, COUNT(list)));
}

/*
 * The real thing, through TLS: verified there, with the names of the rule; and nothing slipped in behind
 * the server's word.
 */
static void through_tls(void)
{
	static const char *const names[] = {"mail.town.example"};
	const struct verify_policy named = {.application = APP_POP3, .server_names = {names, 1}};
	static struct line l[32];
	size_t n = script_load("verify_pop3/stls", l, COUNT(l));

	CHECK_INT(script_run(APP_POP3, &tls, l, n).level, LEVEL_RELATES);
	CHECK(script_run(APP_POP3, &tls, l, n).status != VERIFY_REFUSE);
	script_no_prefix_refused(APP_POP3, &tls, l, n);
	CHECK_INT(script_run(APP_POP3, &named, l, n).why, WHY_NO_SERVER_NAME);
	static const struct line slipped[] = {GREETING, CAPABILITIES, C("STLS"), {'s',
		TEXT("+OK Begin TLS negotiation now.\r\n+OK Begin TLS negotiation now.\r\n")}};
	CHECK_INT(SCRIPT(APP_POP3, &any, slipped).status, VERIFY_REFUSE);
	static const struct line plain[] = {GREETING, CAPABILITIES, C("STLS"), {'s',
		TEXT("+OK Begin TLS negotiation now.\r\n")}, {'c', TEXT("NOOP\r\n")}};
	CHECK_INT(SCRIPT(APP_POP3, &any, plain).status, VERIFY_REFUSE);
}

int main(void)
{
	accepted();
	refused();
	stls();
	through_tls();
	return test_end();
}
