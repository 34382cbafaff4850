/* test_smtp.c: what Postfix, its client, smtp-sink and curl said to each other, and what is no mail. */
#include "script.h"
#include "test.h"

static const struct verify_policy any = {.application = APP_SMTP};
static const struct verify_policy tls = {.application = APP_SMTP, .options = VERIFY_STARTTLS_REQUIRED};

#define GREETING {'s', TEXT("220 mail.town.example ESMTP Postfix\r\n")}
#define EHLO {'c', TEXT("EHLO client.town.example\r\n")}
#define OFFER                                                                                                          \
	{'s', TEXT("250-mail.town.example\r\n250-PIPELINING\r\n250-SIZE 10240000\r\n250-VRFY\r\n250-ETRN\r\n"          \
		   "250-STARTTLS\r\n250-ENHANCEDSTATUSCODES\r\n250-8BITMIME\r\n250-DSN\r\n250-SMTPUTF8\r\n"            \
		   "250 CHUNKING\r\n")}
#define MAIL {'c', TEXT("MAIL FROM:<a@town.example> SIZE=21\r\n")}
#define OK {'s', TEXT("250 2.1.0 Ok\r\n")}
#define STARTTLS {'c', TEXT("STARTTLS\r\n")}
#define READY {'s', TEXT("220 2.0.0 Ready to start TLS\r\n")}
#define OPENED GREETING, EHLO, OFFER
#define COUNT(lines) (sizeof(lines) / sizeof((lines)[0]))

static const struct line curl[] = {OPENED, MAIL, OK};
static const struct line postfix[] = {{'s', TEXT("220 smtp-sink ESMTP\r\n")}, {'c',
	TEXT("EHLO mail.town.example\r\n")},
	{'s',
		TEXT("250-smtp-sink\r\n250-PIPELINING\r\n250-8BITMIME\r\n250-AUTH PLAIN LOGIN\r\n250-XCLIENT NAME HELO\r\n"
		   "250-XFORWARD NAME ADDR PROTO HELO\r\n250-ENHANCEDSTATUSCODES\r\n250-DSN\r\n250 \r\n")},
	{'c', TEXT("MAIL FROM:<a@town.example>\r\nRCPT TO:<b@other.example> ORCPT=rfc822;b@other.example\r\n"
		   "RCPT TO:<c@other.example> ORCPT=rfc822;c@other.example\r\nDATA\r\n")},
	{'s', TEXT("250 2.1.0 Ok\r\n250 2.1.5 Ok\r\n250 2.1.5 Ok\r\n354 End data with <CR><LF>.<CR><LF>\r\n")}};
static const struct line login[] = {OPENED, {'c', TEXT("AUTH LOGIN\r\n")}, {'s', TEXT("334 VXNlcm5hbWU6\r\n")}};
static const struct line plain[] = {OPENED, {'c', TEXT("AUTH PLAIN AHVzZXIAcGFzcw==\r\n")},
	{'s', TEXT("235 2.7.0 Authentication successful\r\n")}};
static const struct line helo[] = {{'s', TEXT("220-mx says hello\r\n220 ready\r\n")}, {'c',
	TEXT("ehlo [10.1.0.5]\r\n")},
	{'s', TEXT("502 5.5.1 what?\r\n")}, {'c', TEXT("HELO pc\r\n")}, {'s', TEXT("250 mx\r\n")}, {'c',
		TEXT("NOOP\r\n")},
	{'s', TEXT("250 2.0.0 Ok\r\n")}, {'c', TEXT("mail from: <>\r\n")}, {'s', TEXT("250\r\n")}};
/* Refused once, and once more. */
static const struct line greylisted[] = {OPENED, MAIL,
	{'s', TEXT("451 4.7.1 later\r\n")}, {'c', TEXT("RSET\r\n")}, OK, MAIL, OK};
static const struct line chunks[] = {OPENED,
	{'c', TEXT("MAIL FROM:<a@b>\r\nRCPT TO:<c@d>\r\nBDAT 4\r\n\0\1\r\nBDAT 2 LAST\r\n\377\n")}, OK};

#define ACCEPTED(lines) CHECK(script_decides(APP_SMTP, &any, lines, COUNT(lines), VERIFY_ACCEPT))
#define REFUSED(policy, why, ...)                                                                                      \
	do {                                                                                                           \
		static const struct line lines_[] = {__VA_ARGS__};                                                     \
		CHECK(script_refuses(APP_SMTP, (policy), lines_, COUNT(lines_), (why)));                               \
	} while (0)

static void accepted(void)
{
	ACCEPTED(curl);
	ACCEPTED(postfix);
	ACCEPTED(login);
	ACCEPTED(plain);
	ACCEPTED(helo);
	ACCEPTED(greylisted);
	ACCEPTED(chunks);
}

static void other_protocols(void)
{
	REFUSED(&any, WHY_ANSWER, {'s', TEXT("SSH-2.0-OpenSSH_9.2p1\r\n")});
	REFUSED(&any, WHY_ANSWER, {'s', TEXT("+OK dovecot\r\n")});
	REFUSED(&any, WHY_ANSWER, {'s', TEXT("200 news\r\n")});
	REFUSED(&any, WHY_ORDER, {'c', TEXT("GET / HTTP/1.1\r\n")});
	REFUSED(&any, WHY_ORDER, {'c', HEX("16 03 01 02 00 01")});
	/* FTP has the same greeting, and a tunnel behind it any bytes. */
	REFUSED(&any, WHY_COMMAND, GREETING, {'c', TEXT("USER anonymous\r\n")});
	REFUSED(&any, WHY_COMMAND, GREETING, {'c', TEXT("S")}, {'c', TEXT("S")});
	REFUSED(&any, WHY_COMMAND, GREETING, {'c', HEX("00")});
	REFUSED(&any, WHY_COMMAND, GREETING, {'c', TEXT("EHLOX a\r\n")});
	REFUSED(&any, WHY_COMMAND, OPENED, {'c', TEXT("SSH-2.0-x\r\n")});
	REFUSED(&any, WHY_ANSWER, GREETING, EHLO, {'s', TEXT("SSH-2.0-x\r\n")});
	REFUSED(&any, WHY_ANSWER, GREETING, EHLO, {'s', TEXT("220 hello\r\n")});
	REFUSED(&any, WHY_ANSWER, GREETING, EHLO, {'s', TEXT("250-a\r\n220 b\r\n")});
	REFUSED(&any, WHY_ANSWER, GREETING, EHLO, {'s', TEXT("250=a\r\n")});
	REFUSED(&any, WHY_ANSWER, OPENED, MAIL, {'s', TEXT("354 go on\r\n")});
	REFUSED(&any, WHY_ANSWER, OPENED, {'c', TEXT("AUTH LOGIN\r\n")}, {'s', TEXT("250 no\r\n")});
}

static void out_of_turn(void)
{
	REFUSED(&any, WHY_ORDER, {'c', TEXT("EHLO a\r\n")});
	REFUSED(&any, WHY_ORDER, GREETING, MAIL);
	REFUSED(&any, WHY_ORDER, GREETING, {'c', TEXT("EHLO a\r\nMAIL FROM:<a@b>\r\n")});
	REFUSED(&any, WHY_ORDER, GREETING, {'s', TEXT("250 x\r\n")});
	REFUSED(&any, WHY_ORDER, OPENED, {'s', TEXT("250 x\r\n")});
	REFUSED(&any, WHY_ORDER, OPENED, {'c', TEXT("RCPT TO:<a@b>\r\n")});
	REFUSED(&any, WHY_ORDER, OPENED, {'c', TEXT("DATA\r\n")});
	REFUSED(&any, WHY_ORDER, OPENED, {'c', TEXT("MAIL FROM:<a@b>\r\nRCPT TO:<c@d>\r\nDATA\r\nmail\r\n")});
	REFUSED(&any, WHY_ORDER, OPENED, {'c', TEXT("AUTH LOGIN\r\nAUTH LOGIN\r\n")});
	static const struct line bye[] = {OPENED, {'s', TEXT("421 4.4.2 timeout\r\n")}};
	CHECK_INT(SCRIPT(APP_SMTP, &any, bye).status, VERIFY_MORE);
}

static char long_line[4096];

static void forms(void)
{
	REFUSED(&any, WHY_ENCODING, GREETING, {'c', TEXT("EHLO a\n")});
	REFUSED(&any, WHY_ENCODING, GREETING, {'c', TEXT("EHLO a\rb\r\n")});
	REFUSED(&any, WHY_ENCODING, GREETING, {'c', TEXT("EHLO a\0\r\n")});
	REFUSED(&any, WHY_ENCODING, GREETING, {'c', TEXT("EHLO \377\376\r\n")});
	REFUSED(&any, WHY_ENCODING, {'s', TEXT("220 a\n")});
	REFUSED(&any, WHY_FIELD, GREETING, {'c', TEXT("EHLO\r\n")});
	REFUSED(&any, WHY_FIELD, GREETING, {'c', TEXT("EHLO a b\r\n")});
	REFUSED(&any, WHY_FIELD, OPENED, {'c', TEXT("MAIL TO:<a@b>\r\n")});
	REFUSED(&any, WHY_FIELD, OPENED, {'c', TEXT("MAIL FROM:a@b\r\n")});
	REFUSED(&any, WHY_ENCODING, OPENED, {'c', TEXT("RSET x\r\n")});
	REFUSED(&any, WHY_FIELD, OPENED, {'c', TEXT("MAIL FROM:<a@b>\r\nBDAT x\r\n")});
	REFUSED(&any, WHY_FIELD, OPENED, {'c', TEXT("MAIL FROM:<a@b>\r\nBDAT 9999999999\r\n")});
	memset(long_line, 'a', sizeof(long_line));
	memcpy(long_line, "EHLO ", 5);
	const struct line l[] = {GREETING, {'c', long_line, 2048 + 5}, {'c', TEXT("a")}};
	CHECK(script_refuses(APP_SMTP, &any, l, 3, WHY_LENGTH));
	script_no_prefix_refused(APP_SMTP, &any, l, 2);
}

static void starttls(void)
{
	static const struct line l[] = {OPENED, STARTTLS, READY};
	CHECK(script_hands_over(APP_SMTP, &any, l, COUNT(l)));
	CHECK(script_hands_over(APP_SMTP, &tls, l, COUNT(l)));
	static const struct line no[] = {OPENED, STARTTLS, {'s', TEXT("454 4.7.0 not now\r\n")}, MAIL, OK};
	CHECK_INT(SCRIPT(APP_SMTP, &any, no).status, VERIFY_ACCEPT);
	CHECK(!script_hands_over(APP_SMTP, &any, no, 5));
	/* Nothing behind it, before it, or while it is answered. */
	REFUSED(&any, WHY_STARTTLS, OPENED, {'c', TEXT("STARTTLS\r\nNOOP\r\n")});
	REFUSED(&any, WHY_STARTTLS, OPENED, {'c', TEXT("NOOP\r\nSTARTTLS\r\n")});
	REFUSED(&any, WHY_STARTTLS, OPENED, STARTTLS, {'c', HEX("16 03 01")});
	REFUSED(&any, WHY_ORDER, GREETING, STARTTLS);
	REFUSED(&any, WHY_ANSWER, OPENED, STARTTLS, {'s', TEXT("250 Ok\r\n")});
	/* A rule that demands TLS. */
	REFUSED(&tls, WHY_PLAIN, OPENED, MAIL);
	REFUSED(&tls, WHY_PLAIN, OPENED, {'c', TEXT("AUTH PLAIN AHVzZXIAcGFzcw==\r\n")});
	REFUSED(&tls, WHY_PLAIN, OPENED, {'c', TEXT("VRFY a\r\n")});
	REFUSED(&tls, WHY_PLAIN, OPENED, STARTTLS, {'s', TEXT("454 4.7.0 not now\r\n")}, MAIL);
	static const struct line quit[] = {OPENED, {'c', TEXT("NOOP\r\nRSET\r\nQUIT\r\n")}, OK, OK, {'s',
		TEXT("221 Bye\r\n")}};
	CHECK_INT(SCRIPT(APP_SMTP, &tls, quit).status, VERIFY_MORE);
}

/*
 * The real thing, through TLS: verified there, with the names of the rule; and nothing slipped in behind
 * the server's word.
 */
static void through_tls(void)
{
	static const char *const names[] = {"mail.town.example"};
	const struct verify_policy named = {.application = APP_SMTP, .server_names = {names, 1}};
	static struct line l[32];
	size_t n = script_load("verify_smtp/starttls", l, COUNT(l));

	CHECK_INT(script_run(APP_SMTP, &tls, l, n).level, LEVEL_RELATES);
	CHECK(script_run(APP_SMTP, &tls, l, n).status != VERIFY_REFUSE);
	script_no_prefix_refused(APP_SMTP, &tls, l, n);
	CHECK_INT(script_run(APP_SMTP, &named, l, n).why, WHY_NO_SERVER_NAME);
	static const struct line slipped[] = {OPENED, STARTTLS, {'s',
		TEXT("220 2.0.0 Ready to start TLS\r\n220 2.0.0 Ready to start TLS\r\n")}};
	CHECK_INT(SCRIPT(APP_SMTP, &any, slipped).status, VERIFY_REFUSE);
	static const struct line unsafe[] = {OPENED, STARTTLS, {'s', TEXT("220 2.0.0 Ready to start TLS\r\n")},
		{'c', TEXT("NOOP\r\n")}};
	CHECK_INT(SCRIPT(APP_SMTP, &any, unsafe).status, VERIFY_REFUSE);
}

int main(void)
{
	accepted();
	other_protocols();
	out_of_turn();
	forms();
	starttls();
	through_tls();
	return test_end();
}
