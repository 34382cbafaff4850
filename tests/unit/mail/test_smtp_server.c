/*
 * test_smtp_server.c: what the server's machine says to each order of commands, to each way of lying about a message's end, and
 * in time. Each conversation is held twice: as it comes, and byte by byte.
 */
#include <errno.h>

#include "smtp_talk.h"
#include "test.h"

#define ALL (SMTP_PIPELINING | SMTP_SIZE | SMTP_ENHANCED | SMTP_8BITMIME | SMTP_DSN)
#define HI "EHLO mx.example.jp\r\n|"
#define HI_TOLD "EHLO mx.example.jp\n"
#define MAIL "MAIL FROM:<a@b.jp>\r\n"
#define MAIL_TOLD "MAIL <a@b.jp> 0 0 0 \n"
#define RCPT "RCPT TO:<c@d.jp>\r\n"
#define RCPT_TOLD "RCPT <c@d.jp> 0 \n"

static struct smtp_server_options options = {.name = "gate.example.lg.jp", .offer = ALL, .size_max = 10000};
static struct talk talk;

static const struct {
	const char *script, *codes, *told;
	bool early; /* bytes came too early: events until then depend on the cut */
} rows[] = {
	{HI MAIL "|" RCPT "|DATA\r\n|Subject: x\r\n\r\nhi\r\n.\r\n|QUIT\r\n", "220 250 250 250 354 250 221",
		HI_TOLD MAIL_TOLD RCPT_TOLD "DATA\nEND 18 none\nGONE quit\n"},
	/* Pipelined. */
	{HI MAIL RCPT "DATA\r\n|hi\r\n.\r\nQUIT\r\n", "220 250 250 250 354 250 221",
		HI_TOLD MAIL_TOLD RCPT_TOLD "DATA\nEND 4 none\nGONE quit\n"},
	{HI MAIL RCPT "DATA\r\n|.\r\n" MAIL RCPT "DATA\r\n|..\r\n.\r\nNOOP\r\nRSET\r\n",
		"220 250 250 250 354 250 250 250 354 250 250 250",
		HI_TOLD MAIL_TOLD RCPT_TOLD "DATA\nEND 0 none\n" MAIL_TOLD RCPT_TOLD "DATA\nEND 3 none\n"},
	{HI "MAIL FROM:<no-a@b.jp>\r\n" RCPT "DATA\r\n|", "220 250 550 503 503", HI_TOLD "MAIL <no-a@b.jp> 0 0 0 \n"},
	{HI MAIL "RCPT TO:<no-c@d.jp>\r\nDATA\r\n|", "220 250 250 550 554",
		HI_TOLD MAIL_TOLD "RCPT <no-c@d.jp> 0 \n"},
	{HI MAIL "RCPT TO:<no-c@d.jp>\r\nRCPT TO:<later-c@d.jp>\r\n" RCPT "DATA\r\n|x\r\n.\r\n|", "220 250 250 550 450 250 354 250",
		HI_TOLD MAIL_TOLD "RCPT <no-c@d.jp> 0 \nRCPT <later-c@d.jp> 0 \n" RCPT_TOLD "DATA\nEND 3 none\n"},
	/* Orders that are none. */
	{MAIL "|" RCPT "|DATA\r\n|", "220 503 503 503", ""},
	{HI RCPT "DATA\r\n|", "220 250 503 503", HI_TOLD},
	{HI MAIL "DATA\r\n|", "220 250 250 503", HI_TOLD MAIL_TOLD},
	{HI MAIL MAIL "|", "220 250 250 503", HI_TOLD MAIL_TOLD},
	{HI MAIL "RSET\r\n" RCPT "|", "220 250 250 250 503", HI_TOLD MAIL_TOLD "RESET\n"},
	{HI MAIL "|" HI RCPT "|", "220 250 250 250 503", HI_TOLD MAIL_TOLD HI_TOLD},
	{HI "RSET\r\n|", "220 250 250", HI_TOLD},
	{"HELO [192.0.2.7]\r\n|" MAIL "|" RCPT "|", "220 250 250 250", "HELO [192.0.2.7]\n" MAIL_TOLD RCPT_TOLD},
	{"HELO\r\n|HELO a b\r\n|EHLO \r\n|EHLO -\r\n|EHLO \xe5\xb1\xb1\r\n|", "220 501 501 501 501 501", ""},
	{"ehlo MX.Example.JP\r\n|mail from:<a@b.jp>\r\nrcpt to:<c@d.jp>\r\nQuIt\r\n", "220 250 250 250 221",
		HI_TOLD MAIL_TOLD RCPT_TOLD "GONE quit\n"},
	{HI "MAIL FROM: <a@b.jp> \r\nRCPT TO:  <c@d.jp>\r\n|", "220 250 250 250", HI_TOLD MAIL_TOLD RCPT_TOLD},
	/* What is not offered. */
	{HI "VRFY a\r\nVRFY\r\nEXPN a\r\nTURN\r\nETRN x\r\nHELP\r\nNOOP x\r\n|AUTH PLAIN AGE=\r\n|STARTTLS\r\n|XCLIENT NAME=a\r\n|"
		"XFORWARD NAME=a\r\n|FOO\r\n\r\n|",
		"220 250 252 501 502 502 502 502 250 502 502 502 502 500 500", HI_TOLD},
	{HI MAIL RCPT "BDAT 4 LAST\r\nQUIT", "220 250 250 250 502", HI_TOLD MAIL_TOLD RCPT_TOLD "GONE junk\n"},
	{"GET / HTTP/1.1\r\n|", "220 554", "GONE junk\n"},
	{"POST / HTTP/1.1\r\n|", "220 554", "GONE junk\n"},
	{HI MAIL "RCPT TO:<no-c@d.jp>\r\nDATA\r\n|Subject: x\r\n\r\n" MAIL RCPT, "220 250 250 550 554 554",
		HI_TOLD MAIL_TOLD "RCPT <no-c@d.jp> 0 \nGONE junk\n"},
	{"HELO a.jp\r\n|From:\r\n", "220 250 554", "HELO a.jp\nGONE junk\n"},
	{HI "RSET x\r\nDATA x\r\n|QUIT x\r\n|", "220 250 501 501 501", HI_TOLD},
	/* Parameters. */
	{HI "MAIL FROM:<a@b.jp> SIZE=9999 BODY=8BITMIME RET=HDRS ENVID=QQ+2B1\r\n|RCPT TO:<c@d.jp> NOTIFY=SUCCESS,DELAY "
		"ORCPT=rfc822;c+2Bd@e.jp\r\n|",
		"220 250 250 250", HI_TOLD "MAIL <a@b.jp> 9999 2 2 QQ+2B1\nRCPT <c@d.jp> 10 rfc822;c+2Bd@e.jp\n"},
	{HI MAIL "RCPT TO:<c@d.jp> NOTIFY=NEVER ORCPT=rfc822;x\r\n" RCPT "|", "220 250 250 250 250",
		HI_TOLD MAIL_TOLD "RCPT <c@d.jp> 1 rfc822;x\n" RCPT_TOLD},
	{HI "MAIL FROM:<a@b.jp> SIZE=10000\r\n|", "220 250 250", HI_TOLD "MAIL <a@b.jp> 10000 0 0 \n"},
	{HI "MAIL FROM:<a@b.jp> SIZE=10001\r\nMAIL FROM:<> BODY=7bit\r\n|", "220 250 552 250", HI_TOLD "MAIL <> 0 1 0 \n"},
	{HI "MAIL FROM:<a@b.jp> SIZE=\r\nMAIL FROM:<a@b.jp> SIZE=1x\r\nMAIL FROM:<a@b.jp> SIZE=99999999999999999999\r\n"
		"MAIL FROM:<a@b.jp> SIZE=1 SIZE=1\r\nMAIL FROM:<a@b.jp> BODY=BINARYMIME\r\nMAIL FROM:<a@b.jp> RET=x\r\n"
		"MAIL FROM:<a@b.jp> ENVID=+0A\r\nMAIL FROM:<a@b.jp> ENVID=a=b\r\nMAIL FROM:<a@b.jp> ENVID\r\n|",
		"220 250 501 501 501 501 501 501 501 501 501", HI_TOLD},
	{HI "MAIL FROM:<a@b.jp> SMTPUTF8\r\nMAIL FROM:<a@b.jp> AUTH=<>\r\nMAIL FROM:<a@b.jp> NOTIFY=NEVER\r\nMAIL FROM:<a@b.jp>SIZE=1\r\n|",
		"220 250 555 555 555 501", HI_TOLD},
	{HI MAIL "RCPT TO:<c@d.jp> NOTIFY=NEVER,DELAY\r\nRCPT TO:<c@d.jp> NOTIFY=\r\nRCPT TO:<c@d.jp> NOTIFY=DELAY,\r\n"
		"RCPT TO:<c@d.jp> ORCPT=c@d.jp\r\nRCPT TO:<c@d.jp> ORCPT=rfc822;+00\r\nRCPT TO:<c@d.jp> SIZE=1\r\n|",
		"220 250 250 501 501 501 501 501 555", HI_TOLD MAIL_TOLD},
	{"HELO a.jp\r\n|MAIL FROM:<a@b.jp> SIZE=1\r\n|", "220 250 555", "HELO a.jp\n"},
	/* Addresses. */
	{HI "MAIL FROM:a@b.jp\r\nMAIL FROM:<a@b.jp\r\nMAIL FROM:<\xe5\xb1\xb1@b.jp>\r\nMAIL FROM:<@x.jp:a@b.jp>\r\nMAIL FROM:<a@b..jp>\r\n"
		"MAIL FROM:<postmaster>\r\nMAIL <a@b.jp>\r\nMAIL FROM:<a\rRCPT TO:b@c.jp>\r\nMAIL\r\n|",
		"220 250 501 501 553 553 501 501 501 501 501", HI_TOLD},
	{HI MAIL "RCPT TO:<>\r\nRCPT TO:<u%x.jp@d.jp>\r\nRCPT TO:<x!u@d.jp>\r\nRCPT TO:<\"u@x.jp\"@d.jp>\r\nRCPT TO:<@x.jp:u@d.jp>\r\n"
		"RCPT TO:<\xe5\xb1\xb1@d.jp>\r\nRCPT TO:<c@d.jp\rx>\r\nRCPT TO:<postmaster>\r\n|",
		"220 250 250 501 553 553 553 553 553 501 250", HI_TOLD MAIL_TOLD "RCPT <postmaster> 0 \n"},
	/* Without waiting. */
	{HI MAIL RCPT "DATA\r\nSubject: x\r\n\r\n.\r\n|", "220 250 250 250 503", HI_TOLD MAIL_TOLD RCPT_TOLD "GONE pipelined\n", true},
	{"EHLO a.jp\r\n" MAIL "|", "220 503", "GONE pipelined\n", true},
	{"HELO a.jp\r\n|" MAIL RCPT "|", "220 250 503", "HELO a.jp\nGONE pipelined\n", true},
	{MAIL RCPT "|", "220 503", "GONE pipelined\n", true},
	/* Line ends. */
	{HI "NOOP\nMAIL FROM:<a@b.jp>\r\n|", "220 250 554", HI_TOLD "GONE junk\n"},
	{"\n|", "220 554", "GONE junk\n"},
	{HI "NOOP\rRSET\r\n|NOOP\r\r\n|NO\rOP\r\n|", "220 250 500 500 500", HI_TOLD},
	{HI "NO\x1fOP\r\n\x80\r\n|", "220 250 500 500", HI_TOLD},
};

static void run_row(size_t i, size_t step)
{
	talk_begin(&talk, &options);
	talk_script(&talk, rows[i].script, step);
	bool codes = strcmp(talk_codes(&talk), rows[i].codes) == 0, told = strcmp(talk.told, rows[i].told) == 0;
	if (rows[i].early) { /* the refusal is the last reply in any case */
		size_t n = strlen(talk_codes(&talk));
		codes = n >= 3 && strcmp(talk_codes(&talk) + n - 3, "503") == 0;
		told = strstr(talk.told, "GONE pipelined\n") != NULL && strstr(talk.told, "END") == NULL;
	}
	CHECK(codes && told);
	if (!codes || !told)
		printf("  row %zu, step %zu: %s\n%s\n%s", i, step, rows[i].script, talk_codes(&talk), talk.told);
}

static void test_rows(void)
{
	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		run_row(i, SIZE_MAX);
		run_row(i, 1);
		run_row(i, 7);
	}
}

/* What is said to EHLO and HELO. */
static void test_lists(void)
{
	talk_begin(&talk, &options);
	talk_script(&talk, "EHLO a.jp\r\n|HELO a.jp\r\n|", SIZE_MAX);
	CHECK_STR(talk.said, "220 gate.example.lg.jp ESMTP\r\n250-gate.example.lg.jp\r\n250-SIZE 10000\r\n250-PIPELINING\r\n"
			     "250-ENHANCEDSTATUSCODES\r\n250-8BITMIME\r\n250 DSN\r\n250 gate.example.lg.jp\r\n");
	struct smtp_server_options o = options;
	o.offer = SMTP_STARTTLS | SMTP_XCLIENT | SMTP_XFORWARD | 0xffff0000u;
	talk_begin(&talk, &o);
	talk_script(&talk, "EHLO a.jp\r\n|", 1);
	CHECK_STR(talk.said, "220 gate.example.lg.jp ESMTP\r\n250-gate.example.lg.jp\r\n250-STARTTLS\r\n"
			     "250-XCLIENT NAME ADDR PORT PROTO HELO\r\n250 XFORWARD NAME ADDR PORT PROTO HELO IDENT SOURCE\r\n");
	/* The next hop is found at EHLO, and has no DSN. */
	struct smtp_event e;
	talk_begin(&talk, &options);
	CHECK_INT(smtp_server_push(&talk.s, 0, "EHLO a.jp\r\n", 11, &e), 11);
	CHECK_INT(e.kind, SMTP_EVENT_HELO);
	smtp_server_offer(&talk.s, ALL & ~SMTP_DSN, 77);
	smtp_server_accept(&talk.s, 0);
	talk_flush(&talk);
	CHECK(strstr(talk.said, "SIZE 77\r\n") != NULL && strstr(talk.said, "DSN") == NULL);
	talk_script(&talk, "MAIL FROM:<a@b.jp> RET=FULL\r\n|", SIZE_MAX);
	CHECK(strstr(talk.said, "\r\n555 5.5.4") != NULL);
}

/* Every form that some server takes for the end of a message, or for two lines. */
static const struct {
	const char *name, *bytes;
	size_t n;
	enum smtp_why why;
} forms[] = {
#define FORM(name, bytes, why) {name, bytes, sizeof(bytes) - 1, why}
	FORM("LF.LF", "\n.\n", SMTP_WHY_BARE_LF),
	FORM("LF.CRLF", "\n.\r\n", SMTP_WHY_BARE_LF),
	FORM("CRLF.LF", "\r\n.\n", SMTP_WHY_BARE_LF),
	FORM("CR.CR", "\r.\r", SMTP_WHY_BARE_CR),
	FORM("CRLF.CR", "\r\n.\r", SMTP_WHY_BARE_CR),
	FORM("CR.CRLF", "\r.\r\n", SMTP_WHY_BARE_CR),
	FORM("CR.LF", "\r.\n", SMTP_WHY_BARE_CR),
	FORM("LF.CR", "\n.\r", SMTP_WHY_BARE_CR),
	FORM("CRLF.NUL CRLF", "\r\n.\0\r\n", SMTP_WHY_NUL),
	FORM("CRLF NUL.CRLF", "\r\n\0.\r\n", SMTP_WHY_NUL),
	FORM("CRLF.CRCRLF", "\r\n.\r\r\n", SMTP_WHY_BARE_CR),
	FORM("CRLF. CRLF", "\r\n. \r\n", SMTP_WHY_DOT),
	FORM("CRLF.TAB CRLF", "\r\n.\t \r\n", SMTP_WHY_DOT),
	FORM("CRCRLF.CRLF", "\r\r\n.\r\r\n", SMTP_WHY_BARE_CR),
	FORM("LFCR.CRLF", "\n\r.\r\n", SMTP_WHY_BARE_CR),
	FORM("NUL CRLF.CRLF NUL", "\0\r\n.\0\r\n", SMTP_WHY_NUL),
	FORM("LFLF", "\n\n", SMTP_WHY_BARE_LF),
	FORM("CRCR", "\r\r", SMTP_WHY_BARE_CR),
	FORM("CR", "\r", SMTP_WHY_BARE_CR),
	FORM("LF", "\n", SMTP_WHY_BARE_LF),
	FORM("NUL", "\0", SMTP_WHY_NUL),
#undef FORM
};

/* The form, then a second message as a smuggler writes it, then the real end. */
static void smuggle(size_t i, const char *before, size_t step)
{
	static const char after[] = "MAIL FROM:<evil@b.jp>\r\nRCPT TO:<victim@d.jp>\r\nDATA\r\nevil\r\n.\r\n";
	char want[400];

	talk_begin(&talk, &options);
	talk_script(&talk, HI MAIL RCPT "DATA\r\n|", step);
	talk_push(&talk, before, strlen(before), step);
	talk_push(&talk, forms[i].bytes, forms[i].n, step);
	talk_push(&talk, after, sizeof(after) - 1, step);
	talk_flush(&talk);
	snprintf(want, sizeof(want), HI_TOLD MAIL_TOLD RCPT_TOLD "DATA\nEND %llu %s\n", (unsigned long long)talk.s.size,
		smtp_why_word(forms[i].why));
	CHECK_STR(talk.told, want);
	CHECK_STR(talk_codes(&talk), "220 250 250 250 354 550");
	CHECK(strstr(talk.said, "\r\n550 5.6.0 smuggling: ") != NULL);
	CHECK_INT(talk.messages, 0);
	/* The session goes on. */
	talk_script(&talk, MAIL RCPT "DATA\r\n|ok\r\n.\r\nQUIT\r\n", step);
	CHECK_STR(talk_codes(&talk), "220 250 250 250 354 550 250 250 354 250 221");
	CHECK_INT(talk.messages, 1);
}

static void test_smuggling(void)
{
	static const char *const before[] = {"", "x", "Subject: a\r\n\r\nx", "x\r\n", "x\r\n\r\n", "x\r\n.."};

	for (size_t i = 0; i < sizeof(forms) / sizeof(forms[0]); i++)
		for (size_t b = 0; b < sizeof(before) / sizeof(before[0]); b++)
			for (size_t step = 1; step < 6; step++) {
				/* At the very beginning, or behind CRLF, a lone CR or the like is the same; a dot may join it. */
				smuggle(i, before[b], step == 5 ? SIZE_MAX : step);
			}
}

/* What is given is what came, without the stuffed dots, however it is cut. */
static void test_text(void)
{
	static const struct {
		const char *in, *out;
	} texts[] = {
		{".\r\n", ""},
		{"\r\n.\r\n", "\r\n"},
		{"a\r\n.\r\n", "a\r\n"},
		{"..\r\n.\r\n", ".\r\n"},
		{"...\r\n..a\r\n.b\r\na..\r\n.\r\n", "..\r\n.a\r\nb\r\na..\r\n"},
		{"a.\r\n..\r\n\r\n.. \r\n.\r\n", "a.\r\n.\r\n\r\n. \r\n"},
		{".a\r\n.\r\n", "a\r\n"},
	};

	for (size_t i = 0; i < sizeof(texts) / sizeof(texts[0]); i++) {
		for (size_t step = 1; step < 12; step++) {
			talk_begin(&talk, &options);
			talk_script(&talk, HI MAIL RCPT "DATA\r\n|", step);
			talk_push(&talk, texts[i].in, strlen(texts[i].in), step);
			CHECK_INT(talk.messages, 1);
			CHECK_INT(talk.ntext, strlen(texts[i].out));
			CHECK(memcmp(talk.text, texts[i].out, talk.ntext) == 0);
		}
	}
}

/* Three messages and what goes wrong between them, in every three pieces. */
static void test_cuts(void)
{
	static const char script[] = MAIL RCPT "DATA\r\n|a\r\n..b\r\n.\r\nNOOP\r\n" MAIL "RCPT TO:<no-c@d.jp>\r\n" RCPT "DATA\r\n|"
		".\r\nFOO\r\n" MAIL RCPT "DATA\r\n|x\r\n.\r.\r\n\r\n.\r\nQUIT\r\n";
	static char whole[TALK_TOLD], said[TALK_SAID];
	size_t n = sizeof(script) - 1;

	talk_begin(&talk, &options);
	talk_script(&talk, HI, SIZE_MAX);
	talk_script(&talk, script, SIZE_MAX);
	strcpy(whole, talk.told);
	strcpy(said, talk.said);
	CHECK(strstr(whole, "END 7 none\n") != NULL && strstr(whole, "END 0 none\n") != NULL && strstr(whole, " bare-cr\n") != NULL);
	for (size_t i = 1; i < n; i++)
		for (size_t k = i; k < n; k++) {
			char pieces[3][sizeof(script)];
			snprintf(pieces[0], sizeof(script), "%.*s", (int)i, script);
			snprintf(pieces[1], sizeof(script), "%.*s", (int)(k - i), script + i);
			snprintf(pieces[2], sizeof(script), "%s", script + k);
			talk_begin(&talk, &options);
			talk_script(&talk, HI, SIZE_MAX);
			for (int p = 0; p < 3; p++)
				talk_script(&talk, pieces[p], SIZE_MAX);
			if (strcmp(talk.told, whole) != 0 || strcmp(talk.said, said) != 0)
				CHECK(i == 0 && k == 0); /* say which */
		}
}

/* Text of n bytes in lines of `line` with their CRLF, then the end. */
static const char *say_text(size_t n, size_t line)
{
	static char block[4096];

	memset(block, 'x', sizeof(block));
	talk_begin(&talk, &options);
	talk_script(&talk, HI MAIL RCPT "DATA\r\n|", SIZE_MAX);
	for (size_t at = 0; at < n; at += line) {
		size_t some = n - at < line ? n - at : line;
		talk_push(&talk, block, some - 2, SIZE_MAX);
		talk_push(&talk, "\r\n", 2, SIZE_MAX);
	}
	talk_push(&talk, ".\r\n", 3, SIZE_MAX);
	talk_flush(&talk);
	return talk_codes(&talk);
}

static void test_sizes(void)
{
	CHECK_STR(say_text(10000, 100), "220 250 250 250 354 250");
	CHECK_STR(say_text(10002, 1000), "220 250 250 250 354 552");
	CHECK(strstr(talk.said, "552 5.3.4") != NULL && strstr(talk.told, "END 10002 size\n") != NULL);
	CHECK_STR(say_text(10000, 1000), "220 250 250 250 354 250");
	CHECK_INT(talk.s.text.flags, 0);
	CHECK_STR(say_text(1001, 1001), "220 250 250 250 354 250");
	CHECK_INT(talk.s.text.flags, SMTP_SEEN_LONG_LINE);
	options.refuse_long_lines = true;
	CHECK_STR(say_text(1001, 1001), "220 250 250 250 354 550");
	CHECK(strstr(talk.told, "END 1001 long-line\n") != NULL);
	options.refuse_long_lines = false;
	/* Who does not end is not read for ever. */
	CHECK_STR(say_text(2000000, 1000), "220 250 250 250 354 552");
	CHECK(strstr(talk.told, "GONE size\n") != NULL);
	options.size_max = 0;
	CHECK_STR(say_text(1000000, 1000), "220 250 250 250 354 250");
	options.size_max = 10000;
}

static void test_command_lengths(void)
{
	char line[3000];

	for (size_t n = 500; n < 520; n++) { /* NOOP of n octets */
		talk_begin(&talk, &options);
		memset(line, 'x', n);
		memcpy(line, "NOOP ", 5);
		memcpy(line + n - 2, "\r\n", 3);
		talk_push(&talk, line, n, n % 3 == 0 ? SIZE_MAX : 50);
		talk_flush(&talk);
		CHECK_STR(talk_codes(&talk), n <= 512 ? "220 250" : "220 500");
	}
	static const size_t lengths[] = {1280, 1281, 2000, 2999};
	for (size_t i = 0; i < 4; i++) {
		for (size_t step = 1; step < 3000; step += 1499) {
			size_t n = lengths[i];
			talk_begin(&talk, &options);
			talk_script(&talk, HI, SIZE_MAX);
			memset(line, 'x', n);
			memcpy(line, "MAIL FROM:<a@b.jp> ENVID=", 25);
			memcpy(line + n - 2, "\r\n", 3);
			talk_push(&talk, line, n, step);
			talk_script(&talk, MAIL, step); /* the line after it is read */
			CHECK_STR(talk_codes(&talk), n <= 1280 ? "220 250 501 250" : "220 250 500 250");
			CHECK((n > 1280) == (strstr(talk.said, "Line too long") != NULL)); /* and no part of it is a command */
		}
	}
}

static void test_budget(void)
{
	talk_begin(&talk, &options);
	talk_script(&talk, HI, SIZE_MAX);
	for (int i = 0; i < 20; i++)
		talk_script(&talk, "FOO\r\n|", SIZE_MAX);
	CHECK(!smtp_server_over(&talk.s));
	talk_script(&talk, "NOOP\r\n|", SIZE_MAX);
	CHECK(smtp_server_over(&talk.s));
	CHECK(strstr(talk.said, "\r\n421 4.7.0 ") != NULL && strstr(talk.told, "GONE errors\n") != NULL);
	/* QUIT is always heard; a message that was taken gives the budget back. */
	talk_begin(&talk, &options);
	talk_script(&talk, HI, SIZE_MAX);
	for (int i = 0; i < 60; i++) {
		if (i % 15 == 0)
			talk_script(&talk, MAIL RCPT "DATA\r\n|.\r\n|", SIZE_MAX);
		talk_script(&talk, "RCPT TO:<a@b.jp>\r\n|", SIZE_MAX);
	}
	CHECK(!smtp_server_over(&talk.s));
	talk_script(&talk, "QUIT\r\n", SIZE_MAX);
	CHECK(strstr(talk.said, "\r\n221 ") != NULL);
	/* Junk. */
	talk_begin(&talk, &options);
	talk_script(&talk, HI, SIZE_MAX);
	for (int i = 0; i < 130; i++)
		talk_script(&talk, "NOOP\r\n|", SIZE_MAX);
	CHECK(strstr(talk.told, "GONE errors\n") != NULL);
	CHECK_INT(talk.s.junk, SMTP_JUNK_MAX + SMTP_ERRORS_MAX);
}

static void test_recipients(void)
{
	talk_begin(&talk, &options);
	talk_script(&talk, HI MAIL, SIZE_MAX);
	for (int i = 0; i < 100; i++)
		talk_script(&talk, "RCPT TO:<c@d.jp>\r\n", SIZE_MAX);
	CHECK(strstr(talk.said, "452") == NULL);
	talk_script(&talk, "RCPT TO:<c@d.jp>\r\n|DATA\r\n|.\r\n|", SIZE_MAX);
	CHECK(strstr(talk.said, "\r\n452 4.5.3 ") != NULL);
	CHECK_INT(talk.messages, 1);
}

/* Many commands at once: the machine stops reading when its replies have no room. */
static void test_flow(void)
{
	static char many[8 * 90];
	struct smtp_event e;
	size_t n, took = 0;

	for (size_t i = 0; i < sizeof(many); i += 8)
		memcpy(many + i, "VRFY a\r\n", 8);
	talk_begin(&talk, &options);
	talk_script(&talk, HI, SIZE_MAX);
	took = smtp_server_push(&talk.s, 0, many, sizeof(many), &e);
	smtp_server_output(&talk.s, &n);
	CHECK(took < sizeof(many) && n <= SMTP_SERVER_OUT && n > SMTP_SERVER_OUT / 2);
	CHECK_INT(smtp_server_want(&talk.s), 0);
	talk_flush(&talk);
	CHECK(smtp_server_want(&talk.s) > 0);
}

static void test_answers(void)
{
	struct smtp_event e;
	struct smtp_server *s = &talk.s;

	/* The greeting is ours to refuse; then nothing more is read. */
	smtp_server_begin(s, &options, 0);
	CHECK_INT(smtp_server_due(s), SMTP_EVENT_GREETING);
	CHECK_INT(smtp_server_reply(s, 0, 421, "4.3.2", "Busy"), 0);
	CHECK(smtp_server_over(s));
	talk.nsaid = 0;
	talk_flush(&talk);
	CHECK_STR(talk.said, "421 4.3.2 Busy\r\n");
	CHECK_INT(smtp_server_push(s, 0, "QUIT\r\n", 6, &e), 6);
	CHECK_INT(e.kind, SMTP_EVENT_NONE);
	CHECK_INT(smtp_server_accept(s, 0), -EPROTO);
	/* Who speaks before it is sent is closed. */
	smtp_server_begin(s, &options, 0);
	CHECK(smtp_server_want(s) > 0);
	smtp_server_push(s, 0, "E", 1, &e);
	CHECK_INT(e.kind, SMTP_EVENT_GONE);
	CHECK_INT(e.why, SMTP_WHY_PIPELINED);
	smtp_server_begin(s, &options, 0);
	smtp_server_reply(s, 0, 554, "5.7.1", "Go away");
	CHECK(smtp_server_over(s));
	/* HELO, too, may be refused; then it was not said. */
	talk_begin(&talk, &options);
	smtp_server_push(s, 0, "HELO a.jp\r\n", 11, &e);
	smtp_server_reply(s, 0, 550, NULL, "No");
	talk_script(&talk, "|" MAIL, SIZE_MAX);
	CHECK_STR(talk_codes(&talk), "220 550 503");
	/* Who must wait for DATA must wait, also when older replies are sent meanwhile. */
	talk_begin(&talk, &options);
	talk_script(&talk, HI, SIZE_MAX);
	talk_push(&talk, MAIL RCPT, strlen(MAIL RCPT), SIZE_MAX);
	smtp_server_push(s, 0, "DATA\r\n", 6, &e);
	CHECK_INT(e.kind, SMTP_EVENT_DATA);
	talk_flush(&talk);
	CHECK(smtp_server_want(s) > 0);
	smtp_server_push(s, 0, "x", 1, &e);
	CHECK_INT(e.why, SMTP_WHY_PIPELINED);
	/* Without PIPELINING every command is waited for. */
	struct smtp_server_options alone = {.name = "gate.example"};
	talk_begin(&talk, &alone);
	talk_script(&talk, HI MAIL RCPT, SIZE_MAX);
	CHECK_STR(talk_codes(&talk), "220 250 503");
	CHECK(smtp_server_over(s));
	/* Without words of the caller's. */
	talk_begin(&talk, &options);
	talk_script(&talk, HI MAIL, SIZE_MAX);
	for (unsigned code = 250; code <= 550; code += 100) { /* 250, 350 (none here), 450, 550 */
		smtp_server_push(s, 0, RCPT, strlen(RCPT), &e);
		CHECK_INT(smtp_server_reply(s, 0, code, NULL, NULL), 0);
	}
	CHECK_INT(smtp_server_reply(s, 0, 250, NULL, NULL), -EPROTO);
	CHECK_INT(smtp_server_reply_lines(s, 0, "250 x\r\n", 7), -EPROTO);
	talk_flush(&talk);
	CHECK(strstr(talk.said, "250 2.1.5 Ok\r\n451 4.3.0 Try again later\r\n450 4.0.0 Try again later\r\n"
				"550 5.0.0 Refused\r\n") != NULL);
	/* Codes that do not fit defer. */
	talk_begin(&talk, &options);
	talk_script(&talk, HI MAIL RCPT, SIZE_MAX);
	smtp_server_push(s, 0, "DATA\r\n", 6, &e);
	CHECK_INT(smtp_server_reply(s, 0, 250, NULL, "what?"), 0);
	talk_script(&talk, "|" MAIL, SIZE_MAX);
	smtp_server_push(s, 0, RCPT, strlen(RCPT), &e);
	smtp_server_reply(s, 0, 199, NULL, "x");
	talk_flush(&talk);
	smtp_server_push(s, 0, RCPT, strlen(RCPT), &e);
	smtp_server_reply(s, 0, 551, "4.7.1", "wrong class");
	talk_flush(&talk);
	smtp_server_push(s, 0, RCPT, strlen(RCPT), &e);
	smtp_server_reply(s, 0, 421, "4.7.1", "enough");
	talk_flush(&talk);
	CHECK_STR(talk_codes(&talk), "220 250 250 250 451 250 451 551 421");
	CHECK(strstr(talk.said, "551 5.0.0 wrong class\r\n") != NULL);
	CHECK(smtp_server_over(s));
}

static void reply_to_rcpt(const char *lines, int want)
{
	struct smtp_event e;

	smtp_server_push(&talk.s, 0, RCPT, strlen(RCPT), &e);
	CHECK_INT(smtp_server_reply_lines(&talk.s, 0, lines, strlen(lines)), want);
	if (want != 0)
		smtp_server_accept(&talk.s, 0);
	talk_flush(&talk);
}

static void test_lines(void)
{
	talk_begin(&talk, &options);
	talk_script(&talk, HI MAIL, SIZE_MAX);
	talk.nsaid = 0;
	reply_to_rcpt("550-5.7.1 needs-cc: x\r\n550 5.7.1 \xe5\xb1\xb1\r\n", 0);
	CHECK_STR(talk.said, "550-5.7.1 needs-cc: x\r\n550 5.7.1 \xe5\xb1\xb1\r\n");
	static const char *const wrong[] = {"", "550", "550 x", "550 x\n", "550 x\r\n550 y\r\n", "550-x\r\n", "550-x\r\n450 y\r\n",
		"5x0 x\r\n", "550 x\ry\r\n", "550 \x1b\r\n", "550_x\r\n"};
	for (size_t i = 0; i < sizeof(wrong) / sizeof(wrong[0]); i++)
		reply_to_rcpt(wrong[i], -EINVAL);
	talk.nsaid = 0;
	reply_to_rcpt("999 x\r\n", 0);
	CHECK(strncmp(talk.said, "451 4.3.0 ", 10) == 0);
}

static void test_tls(void)
{
	struct smtp_server_options o = options;
	struct smtp_event e;

	o.offer |= SMTP_STARTTLS;
	o.need_tls = true;
	talk_begin(&talk, &o);
	talk_script(&talk, HI MAIL "|STARTTLS\r\n|", SIZE_MAX);
	CHECK_STR(talk_codes(&talk), "220 250 530 220");
	smtp_server_secured(&talk.s, 0);
	talk_script(&talk, MAIL "|" HI MAIL "STARTTLS\r\n|", SIZE_MAX);
	CHECK_STR(talk_codes(&talk), "220 250 530 220 503 250 250 503");
	CHECK(strstr(strstr(talk.said, "220 2.0.0"), "STARTTLS") == NULL);
	/* Bytes behind STARTTLS, in the same write or before the handshake. */
	talk_begin(&talk, &o);
	talk_script(&talk, HI "STARTTLS\r\nEHLO evil.jp\r\n|", SIZE_MAX);
	CHECK(strstr(talk.told, "EHLO evil") == NULL && strstr(talk.told, "GONE injected\n") != NULL);
	CHECK_STR(talk_codes(&talk), "220 250 554");
	CHECK(strstr(talk.told, "STARTTLS") == NULL);
	talk_begin(&talk, &options); /* not offered: all the same */
	talk_script(&talk, HI "STARTTLS\r\nNOOP\r\n|", SIZE_MAX);
	CHECK_STR(talk_codes(&talk), "220 250 554");
	o.need_tls = false;
	o.offer |= SMTP_XFORWARD;
	talk_begin(&talk, &o);
	talk_script(&talk, HI MAIL "STARTTLS\r\n|RSET\r\nXFORWARD ADDR=192.0.2.1\r\nSTARTTLS\r\n|", SIZE_MAX);
	CHECK_STR(talk_codes(&talk), "220 250 250 503 250 250 220");
	smtp_server_secured(&talk.s, 0);
	CHECK_STR(talk.s.origin.address, "");
	talk_begin(&talk, &o);
	talk_script(&talk, HI "STARTTLS\r\n|", SIZE_MAX);
	CHECK(smtp_server_securing(&talk.s));
	smtp_server_push(&talk.s, 0, "E", 1, &e);
	CHECK_INT(e.kind, SMTP_EVENT_GONE);
	CHECK_INT(e.why, SMTP_WHY_INJECTED);
	CHECK(!smtp_server_securing(&talk.s));
	/* Our yes is not written yet, and something comes. */
	talk_begin(&talk, &o);
	talk_script(&talk, HI, SIZE_MAX);
	smtp_server_push(&talk.s, 0, "STARTTLS\r\n", 10, &e);
	CHECK_INT(e.kind, SMTP_EVENT_STARTTLS);
	CHECK_INT(smtp_server_accept(&talk.s, 0), 0);
	CHECK(!smtp_server_securing(&talk.s));
	smtp_server_push(&talk.s, 0, "RSET\r\n", 6, &e);
	CHECK_INT(e.kind, SMTP_EVENT_GONE);
	CHECK_INT(e.why, SMTP_WHY_INJECTED);
	/* No: the session goes on in clear, and may ask again. */
	talk_begin(&talk, &o);
	talk_script(&talk, HI, SIZE_MAX);
	smtp_server_push(&talk.s, 0, "STARTTLS\r\n", 10, &e);
	CHECK_INT(smtp_server_answer(&talk.s, 0, SMTP_SAY_NO_TLS), 0);
	CHECK(!smtp_server_securing(&talk.s));
	talk_script(&talk, "|" HI "STARTTLS\r\n|", SIZE_MAX);
	CHECK(smtp_server_securing(&talk.s));
	/* A partial command in clear does not join one behind the handshake. */
	talk_begin(&talk, &o);
	talk_script(&talk, HI "STARTTLS\r\n|", SIZE_MAX);
	smtp_server_secured(&talk.s, 0);
	CHECK_INT(talk.s.nline, 0);
	CHECK_STR(talk.s.helo, "");
}

static void test_origin(void)
{
	struct smtp_server_options o = options;

	o.offer |= SMTP_XCLIENT | SMTP_XFORWARD;
	talk_begin(&talk, &o);
	talk_script(&talk, HI "XCLIENT NAME=mx.Sender.example ADDR=IPV6:2001:db8:0::7 PORT=1025 HELO=me.example PROTO=ESMTP\r\n|" MAIL "|",
		SIZE_MAX);
	CHECK_STR(talk.told, HI_TOLD "XCLIENT mx.sender.example 2001:db8::7 1025 me.example  2\n");
	CHECK_STR(talk_codes(&talk), "220 250 220 503");
	talk_script(&talk, HI "XFORWARD NAME=[UNAVAILABLE] ADDR=192.0.2.9\r\nXFORWARD IDENT=4F+2B1 HELO=bad+20name PROTO=SMTP\r\n|" MAIL,
		SIZE_MAX);
	CHECK(strstr(talk.told, "XFORWARD  192.0.2.9 0   0\nXFORWARD  192.0.2.9 0  4F+1 1\nMAIL") != NULL);
	talk_script(&talk, "XFORWARD NAME=a\r\nRSET\r\nXFORWARD ADDR=192.0.2\r\nXFORWARD NAME=+0D+0A\r\nXFORWARD FOO=1\r\nXFORWARD\r\n"
			   "XFORWARD PORT=65536\r\n|XCLIENT IDENT=a\r\n|",
		SIZE_MAX);
	CHECK(strcmp(talk_codes(&talk) + strlen("220 250 220 503 250 250 250 250 "), "503 250 501 501 501 501 501 501") == 0);
}

static void test_origin_waits(void)
{
	struct smtp_server_options o = options;

	o.offer |= SMTP_XCLIENT;
	talk_begin(&talk, &o);
	talk_script(&talk, HI "XCLIENT NAME=a.jp\r\n" HI, SIZE_MAX);
	CHECK_STR(talk.told, HI_TOLD "GONE pipelined\n");
}

/* Time. */

static void tick_at(int64_t at, enum smtp_why want)
{
	struct smtp_event e;

	CHECK_INT(smtp_server_deadline(&talk.s), at);
	smtp_server_tick(&talk.s, at - 1, &e);
	CHECK_INT(e.kind, SMTP_EVENT_NONE);
	smtp_server_tick(&talk.s, at, &e);
	CHECK_INT(e.kind, SMTP_EVENT_GONE);
	CHECK_INT(e.why, want);
	CHECK(smtp_server_over(&talk.s));
}

static void begin_at(int64_t now, const char *script)
{
	talk.now = now;
	talk_begin(&talk, &options);
	talk_script(&talk, script, SIZE_MAX);
}

static void test_time(void)
{
	struct smtp_event e;

	begin_at(1000, "");
	tick_at(301000, SMTP_WHY_TIMEOUT);
	talk_flush(&talk);
	CHECK_STR(talk_codes(&talk), "220 421");
	/* A command that comes in drops has no longer. */
	begin_at(1000, "");
	smtp_server_push(&talk.s, 299000, "NO", 2, &e);
	tick_at(301000, SMTP_WHY_TIMEOUT);
	/* A message: silence, then too little. */
	begin_at(0, HI MAIL RCPT "DATA\r\n|");
	tick_at(60000, SMTP_WHY_SLOW);
	begin_at(0, HI MAIL RCPT "DATA\r\n|");
	static char block[65536];
	memset(block, 'x', sizeof(block));
	smtp_server_push(&talk.s, 50000, block, sizeof(block), &e);
	tick_at(230000, SMTP_WHY_TIMEOUT);
	begin_at(0, HI MAIL RCPT "DATA\r\n|");
	smtp_server_push(&talk.s, 50000, block, 2560, &e);
	tick_at(70000, SMTP_WHY_SLOW);
	/* While we hold, the client's time stands still. */
	begin_at(0, HI MAIL RCPT "DATA\r\n|");
	smtp_server_hold(&talk.s, 10000, true);
	CHECK_INT(smtp_server_want(&talk.s), 0);
	CHECK_INT(smtp_server_deadline(&talk.s), 3600000);
	smtp_server_hold(&talk.s, 110000, false);
	tick_at(160000, SMTP_WHY_SLOW);
	begin_at(0, HI MAIL RCPT "DATA\r\n|");
	smtp_server_push(&talk.s, 0, block, sizeof(block), &e);
	smtp_server_push(&talk.s, 0, block, sizeof(block), &e);
	smtp_server_hold(&talk.s, 10, true);
	smtp_server_hold(&talk.s, 400010, false);
	tick_at(580010, SMTP_WHY_TIMEOUT);
	/* So it does while an answer is due. */
	begin_at(0, HI MAIL);
	smtp_server_push(&talk.s, 10, RCPT, strlen(RCPT), &e);
	CHECK_INT(smtp_server_deadline(&talk.s), SMTP_NEVER);
	smtp_server_accept(&talk.s, 500000);
	CHECK_INT(smtp_server_deadline(&talk.s), 800000);
	/* A client that does not take our reply. */
	tick_at(800000, SMTP_WHY_STALLED);
	CHECK_INT(smtp_server_deadline(&talk.s), 530000);
	smtp_server_tick(&talk.s, 900000, &e);
	CHECK_INT(talk.s.nout, 0);
	CHECK_INT(smtp_server_deadline(&talk.s), SMTP_NEVER);
	/* The whole session. */
	begin_at(0, HI);
	for (talk.now = 0; talk.now < 3500000; talk.now += 100000)
		talk_script(&talk, "RSET\r\n|", SIZE_MAX);
	tick_at(3600000, SMTP_WHY_SESSION);
	/* The last message may end. */
	options.size_max = 0;
	begin_at(0, HI);
	for (talk.now = 0; talk.now < 3590000; talk.now += 100000)
		talk_script(&talk, "RSET\r\n|", SIZE_MAX);
	talk_script(&talk, MAIL RCPT "DATA\r\n|", SIZE_MAX);
	CHECK_INT(talk.now, 3600000);
	for (; talk.now < 7150000; talk.now += 100000)
		talk_push(&talk, block, sizeof(block), SIZE_MAX);
	tick_at(7200000, SMTP_WHY_SESSION);
	options.size_max = 10000;
}

static void test_drain(void)
{
	begin_at(0, HI);
	smtp_server_drain(&talk.s, 5);
	tick_at(0, SMTP_WHY_DRAIN);
	talk_flush(&talk);
	CHECK(strstr(talk.said, "421 4.3.2 ") != NULL);
	/* A message that runs is finished first. */
	begin_at(0, HI MAIL RCPT "DATA\r\n|x\r\n");
	smtp_server_drain(&talk.s, 5);
	CHECK(smtp_server_deadline(&talk.s) > 0);
	talk_script(&talk, ".\r\nMAIL FROM:<a@b.jp>\r\n|", SIZE_MAX);
	CHECK_STR(talk_codes(&talk), "220 250 250 250 354 250 421");
	CHECK_INT(talk.messages, 1);
}

static void test_closed(void)
{
	struct smtp_event e;

	begin_at(0, HI MAIL RCPT "DATA\r\n|x\r\n.");
	smtp_server_closed(&talk.s, 1, &e);
	CHECK_INT(e.kind, SMTP_EVENT_GONE);
	CHECK_INT(e.why, SMTP_WHY_CLOSED);
	smtp_server_closed(&talk.s, 1, &e);
	CHECK_INT(e.kind, SMTP_EVENT_NONE);
	CHECK_INT(talk.messages, 0);
}

int main(void)
{
	test_rows();
	test_lists();
	test_smuggling();
	test_text();
	test_cuts();
	test_sizes();
	test_command_lengths();
	test_budget();
	test_recipients();
	test_flow();
	test_answers();
	test_lines();
	test_tls();
	test_origin();
	test_origin_waits();
	test_time();
	talk.now = 0;
	test_drain();
	test_closed();
	return test_end();
}
