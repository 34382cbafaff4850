/* test_imap.c: what Dovecot, curl and imaplib said to each other, and what is no IMAP. */
#include "script.h"
#include "test.h"

static const struct verify_policy any = {.application = APP_IMAP};
static const struct verify_policy tls = {.application = APP_IMAP, .options = VERIFY_STARTTLS_REQUIRED};

#define COUNT(lines) (sizeof(lines) / sizeof((lines)[0]))
#define C(text) {'c', TEXT(text "\r\n")}
#define S(text) {'s', TEXT(text "\r\n")}
#define LIST "IMAP4rev1 SASL-IR LOGIN-REFERRALS ID ENABLE IDLE LITERAL+ STARTTLS AUTH=PLAIN AUTH=LOGIN AUTH=CRAM-MD5"
#define GREETING S("* OK [CAPABILITY " LIST "] Dovecot (Debian) ready.")
#define CAPABILITIES                                                                                                   \
	C("A001 CAPABILITY"), S("* CAPABILITY " LIST "\r\n"                                                            \
				"A001 OK Pre-login capabilities listed, post-login capabilities have more.")
#define ACCEPTED(...)                                                                                                  \
	do {                                                                                                           \
		static const struct line lines_[] = {__VA_ARGS__};                                                     \
		CHECK(script_decides(APP_IMAP, &any, lines_, COUNT(lines_), VERIFY_ACCEPT));                           \
	} while (0)
#define REFUSED(policy, why, ...)                                                                                      \
	do {                                                                                                           \
		static const struct line lines_[] = {__VA_ARGS__};                                                     \
		CHECK(script_refuses(APP_IMAP, (policy), lines_, COUNT(lines_), (why)));                               \
	} while (0)

static void accepted(void)
{
	ACCEPTED(GREETING, CAPABILITIES, C("NBLI1 LOGIN user \"pass\""),
		S("* CAPABILITY IMAP4rev1\r\nNBLI1 OK Logged in"));
	/* A challenge decides where a tag was echoed before; else the tag must come. */
	ACCEPTED(GREETING, CAPABILITIES, C("A002 AUTHENTICATE CRAM-MD5"),
		S("+ PDE5Nzk0MDQxOTU0MDg0NTIuMTc5NTE4MjgyNEB2bT4="));
	ACCEPTED(GREETING, C("A002 AUTHENTICATE CRAM-MD5"), S("+ PDE5Nzk0MDQxOTU0MDg0NTIuMTc5NTE4MjgyNEB2bT4="),
		C("dXNlciA5ZDcxNDhkY2U0YjFiZmVlYzc4YmJiY2JiMzlkMzYyNQ=="),
			S("* CAPABILITY IMAP4rev1\r\nA002 OK Logged in"));
	ACCEPTED(GREETING, C("a AUTHENTICATE PLAIN AHVzZXIAcGFzcw=="), S("a OK in"));
	ACCEPTED(GREETING, C(". AUTHENTICATE PLAIN"), S("+"), C("*"), S(". BAD gave up"), C(". login a b"),
		S(". NO"), C("x LOGIN a c"),
		S("x OK"));
	/* Literals, asked for and not. */
	ACCEPTED(GREETING, C("a1 ID (\"name\" {2}"), S("+ OK"), C("ab \"version\" {3+}\r\n1.0)"),
		S("* ID (\"name\" \"Dovecot\")\r\na1 OK ID completed."), C("a2 LOGIN {4}"), S("+ OK"),
			C("user {4}"), S("+ OK"),
		C("pass"), S("a2 OK Logged in"));
	ACCEPTED(GREETING, {'c', TEXT("a LOGIN {3+}\r\n\r\n\0 {1+}\r\nx\r\n")}, S("a OK"));
	/* A literal that is not wanted is not said. */
	ACCEPTED(GREETING, C("a LOGIN {4000}"), S("a NO too long"), C("b LOGIN u p"), S("b OK"));
	/* The server's literals, its words without being asked, and several commands at a time. */
	ACCEPTED(GREETING, S("* BYE soon"), {'c', TEXT("1 NOOP\r\n2 ID NIL\r\n3 LOGIN a b\r\n")},
		{'s', TEXT("2 OK\r\n* ID (\"x\" {4}\r\n\r\n. )\r\n1 OK\r\n")}, S("3 OK"));
	ACCEPTED(S("* PREAUTH welcome"), C("a SELECT INBOX"), S("* 3 EXISTS\r\na OK [READ-WRITE] done"));
}

static void refused(void)
{
	REFUSED(&any, WHY_ANSWER, S("220 mail ESMTP"));
	REFUSED(&any, WHY_ANSWER, S("+OK ready"));
	REFUSED(&any, WHY_ANSWER, S("* NO"));
	REFUSED(&any, WHY_ANSWER, S("* OKAY"));
	REFUSED(&any, WHY_ANSWER, {'s', TEXT("SSH-2.0-x\r\n")});
	REFUSED(&any, WHY_ORDER, C("a LOGIN b c"));
	REFUSED(&any, WHY_ORDER, {'c', HEX("16 03 01")});
	REFUSED(&any, WHY_COMMAND, GREETING, C("GET / HTTP/1.1"));
	REFUSED(&any, WHY_COMMAND, GREETING, C("SSH-2.0-x y"));
	REFUSED(&any, WHY_PROTOCOL, GREETING, {'c', HEX("00")});
	REFUSED(&any, WHY_PROTOCOL, GREETING, C("a+b LOGIN b c"));
	REFUSED(&any, WHY_PROTOCOL, GREETING, C(" LOGIN b c"));
	REFUSED(&any, WHY_ORDER, GREETING, C("a SELECT INBOX"));
	REFUSED(&any, WHY_ORDER, S("* PREAUTH x"), C("a LOGIN b c"));
	/* Replies: of a tag that waits, and a continuation that is awaited. */
	REFUSED(&any, WHY_ANSWER_OTHER, GREETING, C("a1 LOGIN b c"), S("a2 OK"));
	REFUSED(&any, WHY_ANSWER_OTHER, GREETING, C("a1 LOGIN b c"), S("A1 OK"));
	REFUSED(&any, WHY_ANSWER_OTHER, GREETING, CAPABILITIES, S("A001 OK"));
	REFUSED(&any, WHY_ANSWER, GREETING, C("a1 LOGIN b c"), S("a1 PREAUTH"));
	REFUSED(&any, WHY_ORDER, GREETING, C("a1 LOGIN b c"), S("+ go on"));
	REFUSED(&any, WHY_ORDER, GREETING, S("+ go on"));
	REFUSED(&any, WHY_ORDER, GREETING, {'c', TEXT("a LOGIN {4}\r\nuser")});
	REFUSED(&any, WHY_ORDER, GREETING, {'c', TEXT("a AUTHENTICATE PLAIN\r\nAHVzZXIAcGFzcw==\r\n")});
	REFUSED(&any, WHY_ENCODING, GREETING, C("a AUTHENTICATE PLAIN"), S("+ "), C("b LOGIN x y"));
	REFUSED(&any, WHY_LENGTH, GREETING, C("a LOGIN {4097}"));
	REFUSED(&any, WHY_LENGTH, GREETING, C("a LOGIN {99999999999}"));
	REFUSED(&any, WHY_FIELD, GREETING, C("a LOGIN"));
	REFUSED(&any, WHY_ENCODING, GREETING, C("a STARTTLS now"));
	REFUSED(&any, WHY_FIELD, GREETING, {'c', TEXT("a NOOP\n")});
	REFUSED(&any, WHY_ENCODING, GREETING, {'c', TEXT("a LOGIN a b\n")});
	REFUSED(&any, WHY_ENCODING, GREETING, {'c', TEXT("a LOGIN a\0\r\n")});
	REFUSED(&any, WHY_ORDER, GREETING, {'c',
		TEXT("1 NOOP\r\n2 NOOP\r\n3 NOOP\r\n4 NOOP\r\n5 NOOP\r\n6 NOOP\r\n7 NOOP\r\n8 NOOP\r\n"
		"9 NOOP\r\n")});
	static char big[70];
	memset(big, 'a', sizeof(big));
	const struct line l[] = {GREETING, {'c', big, sizeof(big)}};
	CHECK(script_refuses(APP_IMAP, &any, l, 2, WHY_PROTOCOL));
}

static void starttls(void)
{
	static const struct line l[] = {GREETING, CAPABILITIES, C("A002 STARTTLS"),
		S("A002 OK Begin TLS negotiation now.")};
	CHECK(script_hands_over(APP_IMAP, &any, l, COUNT(l)));
	CHECK(script_hands_over(APP_IMAP, &tls, l, COUNT(l)));
	ACCEPTED(GREETING, C("a STARTTLS"), S("a BAD no"), C("b LOGIN c d"), S("b OK"));
	REFUSED(&any, WHY_STARTTLS, GREETING, {'c', TEXT("a STARTTLS\r\nb NOOP\r\n")});
	REFUSED(&any, WHY_STARTTLS, GREETING, {'c', TEXT("b NOOP\r\na STARTTLS\r\n")});
	REFUSED(&any, WHY_STARTTLS, GREETING, C("a STARTTLS"), {'c', HEX("16 03")});
	REFUSED(&any, WHY_ANSWER_OTHER, GREETING, C("a STARTTLS"), S("b OK"));
	REFUSED(&tls, WHY_PLAIN, GREETING, C("a LOGIN b c"));
	REFUSED(&tls, WHY_PLAIN, GREETING, C("a AUTHENTICATE PLAIN"));
	REFUSED(&tls, WHY_PLAIN, S("* PREAUTH welcome"));
	REFUSED(&tls, WHY_PLAIN, GREETING, C("a STARTTLS"), S("a NO"), C("b LOGIN c d"));
}

/*
 * The real thing, through TLS: verified there, with the names of the rule; and nothing slipped in behind
 * the server's word.
 */
static void through_tls(void)
{
	static const char *const names[] = {"mail.town.example"};
	const struct verify_policy named = {.application = APP_IMAP, .server_names = {names, 1}};
	static struct line l[32];
	size_t n = script_load("verify_imap/starttls", l, COUNT(l));

	CHECK_INT(script_run(APP_IMAP, &tls, l, n).level, LEVEL_RELATES);
	CHECK(script_run(APP_IMAP, &tls, l, n).status != VERIFY_REFUSE);
	script_no_prefix_refused(APP_IMAP, &tls, l, n);
	CHECK_INT(script_run(APP_IMAP, &named, l, n).why, WHY_NO_SERVER_NAME);
	static const struct line slipped[] = {GREETING, CAPABILITIES, C("A002 STARTTLS"), {'s',
		TEXT("A002 OK Begin TLS negotiation now.\r\nA002 OK Begin TLS negotiation now.\r\n")}};
	CHECK_INT(SCRIPT(APP_IMAP, &any, slipped).status, VERIFY_REFUSE);
	static const struct line plain[] = {GREETING, CAPABILITIES, C("A002 STARTTLS"), {'s',
		TEXT("A002 OK Begin TLS negotiation now.\r\n")}, {'c', TEXT("NOOP\r\n")}};
	CHECK_INT(SCRIPT(APP_IMAP, &any, plain).status, VERIFY_REFUSE);
}

int main(void)
{
	accepted();
	refused();
	starttls();
	through_tls();
	return test_end();
}
