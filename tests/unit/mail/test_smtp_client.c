/*
 * test_smtp_client.c: what the client's machine asks, in which order it believes replies, and what it makes of hops that lie.
 */
#include <errno.h>
#include <stdarg.h>

#include <sekisho/smtp_client.h>

#include "test.h"

static struct smtp_client client;
static struct smtp_client_options options = {.name = "gate.example.lg.jp"};
static char said[65536], told[8192];
static int64_t now;

static void flush(void)
{
	size_t n;
	const char *p = smtp_client_output(&client, &n);

	strncat(said, p, n);
	smtp_client_sent(&client, now, n);
}

static void tell(const struct smtp_client_event *e)
{
	static const char *const words[] = {"", "STARTTLS", "READY", "MAIL", "RCPT", "DATA", "SENT", "RESET", "GONE"};
	char line[1200];

	if (e->kind == SMTP_CLIENT_NONE)
		return;
	int n = snprintf(line, sizeof(line), "%s", words[e->kind]);
	if (e->kind == SMTP_CLIENT_RCPT)
		n += snprintf(line + n, sizeof(line) - (size_t)n, " %u", e->index);
	if (e->kind == SMTP_CLIENT_GONE)
		n += snprintf(line + n, sizeof(line) - (size_t)n, " %s", smtp_why_word(e->why));
	if (e->reply != NULL)
		snprintf(line + n, sizeof(line) - (size_t)n, " %u %s %s", e->reply->code, e->reply->enhanced, e->reply->text);
	strcat(told, line);
	strcat(told, "\n");
}

/* The next hop says so, in pieces of `step` bytes; our output is written after it. */
static void hear_n(const char *p, size_t n, size_t step)
{
	while (n > 0) {
		struct smtp_client_event e;
		size_t took = smtp_client_push(&client, now, p, n < step ? n : step, &e);
		tell(&e);
		if (took == 0 && e.kind == SMTP_CLIENT_NONE)
			break;
		p += took;
		n -= took;
	}
	flush();
}

static void hear(const char *text)
{
	hear_n(text, strlen(text), SIZE_MAX);
}

static void begin(const char *ehlo)
{
	said[0] = told[0] = '\0';
	smtp_client_begin(&client, &options, now);
	hear("220 hop.example ESMTP\r\n");
	hear(ehlo);
}

#define PLAIN "250 hop.example\r\n"
#define FULL "250-hop.example hello\r\n250-PIPELINING\r\n250-SIZE 10000\r\n250-8bitmime\r\n250-VRFY\r\n250-AUTH PLAIN LOGIN\r\n" \
	"250-ENHANCEDSTATUSCODES\r\n250 DSN\r\n"

static struct smtp_mail mail_of(const char *text)
{
	struct smtp_mail m = {0};
	char path[300];
	size_t taken;
	int n = snprintf(path, sizeof(path), "<%s>", text);

	CHECK_INT(smtp_address_parse(path, (size_t)n, &m.from, &taken), SMTP_ADDRESS_OK);
	return m;
}

static struct smtp_rcpt rcpt_of(const char *text)
{
	return (struct smtp_rcpt){.to = mail_of(text).from};
}

static void mail(void)
{
	struct smtp_mail m = mail_of("a@b.jp");
	CHECK_INT(smtp_client_mail(&client, now, &m, NULL), 0);
}

static int rcpt(const char *text)
{
	struct smtp_rcpt r = rcpt_of(text);
	return smtp_client_rcpt(&client, now, &r);
}

static void test_alone(void)
{
	struct smtp_mail m = mail_of("a@b.jp");

	begin(PLAIN);
	CHECK_STR(said, "EHLO gate.example.lg.jp\r\n");
	CHECK_STR(told, "READY\n");
	CHECK(smtp_client_idle(&client));
	m.size = 5;
	m.body = SMTP_BODY_7BIT;
	m.ret = SMTP_RET_FULL;
	strcpy(m.envid, "x");
	CHECK_INT(rcpt("c@d.jp"), -EPROTO);
	CHECK_INT(smtp_client_data(&client, now), -EPROTO);
	CHECK_INT(smtp_client_mail(&client, now, &m, NULL), 0);
	CHECK_INT(rcpt("c@d.jp"), -EAGAIN); /* no PIPELINING */
	said[0] = '\0';
	flush();
	CHECK_STR(said, "MAIL FROM:<a@b.jp>\r\n");
	hear("250 ok\r\n");
	CHECK_INT(smtp_client_mail(&client, now, &m, NULL), -EPROTO);
	CHECK_INT(rcpt("c@d.jp"), 0);
	CHECK_INT(smtp_client_data(&client, now), -EAGAIN);
	flush();
	hear("250 2.1.5 fine\r\n");
	CHECK_INT(rcpt("e@d.jp"), 0);
	flush();
	hear("550-5.1.1 No\r\n550 5.1.1 such user\r\n");
	CHECK_INT(client.naccepted, 1);
	CHECK_INT(smtp_client_data(&client, now), 0);
	CHECK_INT(smtp_client_write(&client, now, "x\r\n", 3), -EPROTO);
	flush();
	hear("354 go\r\n");
	said[0] = '\0';
	CHECK_INT(smtp_client_write(&client, now, "a\r\n.b\r\n..\r\nc", 12), 12);
	CHECK_INT(smtp_client_finish(&client, now), 0);
	flush();
	CHECK_STR(said, "a\r\n..b\r\n...\r\nc\r\n.\r\n");
	hear("250 2.0.0 queued as 1\r\n");
	CHECK(smtp_client_idle(&client));
	CHECK_INT(smtp_client_quit(&client, now), 0);
	flush();
	hear("221 bye\r\n");
	CHECK_STR(told, "READY\nMAIL 250  ok\nRCPT 0 250 2.1.5 fine\nRCPT 1 550 5.1.1 No such user\nDATA 354  go\n"
			"SENT 250 2.0.0 queued as 1\nGONE hop-quit 221  bye\n");
	CHECK(smtp_client_over(&client));
}

static void test_pipelined(void)
{
	struct smtp_mail m = mail_of("");
	struct smtp_rcpt r = rcpt_of("\"c d\"@d.jp");

	begin(FULL);
	CHECK_INT(client.size_max, 10000);
	CHECK_INT(client.extensions, SMTP_PIPELINING | SMTP_SIZE | SMTP_8BITMIME | SMTP_ENHANCED | SMTP_DSN);
	m.size = 10001;
	CHECK_INT(smtp_client_mail(&client, now, &m, NULL), -EMSGSIZE);
	m.size = 500;
	m.body = SMTP_BODY_7BIT;
	m.ret = SMTP_RET_HDRS;
	strcpy(m.envid, "QQ+2B1");
	r.notify = SMTP_NOTIFY_SUCCESS | SMTP_NOTIFY_DELAY;
	strcpy(r.orcpt, "rfc822;c+2Bd@e.jp");
	said[0] = told[0] = '\0';
	CHECK_INT(smtp_client_mail(&client, now, &m, NULL), 0);
	CHECK_INT(smtp_client_rcpt(&client, now, &r), 0);
	r.notify = SMTP_NOTIFY_NEVER;
	r.orcpt[0] = '\0';
	CHECK_INT(smtp_client_rcpt(&client, now, &r), 0);
	CHECK_INT(smtp_client_data(&client, now), 0);
	CHECK_INT(rcpt("late@d.jp"), -EAGAIN);
	flush(); /* one write */
	CHECK_STR(said, "MAIL FROM:<> SIZE=500 BODY=7BIT RET=HDRS ENVID=QQ+2B1\r\n"
			"RCPT TO:<\"c d\"@d.jp> NOTIFY=SUCCESS,DELAY ORCPT=rfc822;c+2Bd@e.jp\r\n"
			"RCPT TO:<\"c d\"@d.jp> NOTIFY=NEVER\r\nDATA\r\n");
	const char *replies = "250 2.1.0 Ok\r\n250 2.1.5 Ok\r\n451-4.3.0 later\r\n451 4.3.0 please\r\n354 go\r\n";
	for (size_t step = 1; step < 60; step++) {
		struct smtp_client before = client;
		told[0] = '\0';
		hear_n(replies, strlen(replies), step);
		CHECK_STR(told, "MAIL 250 2.1.0 Ok\nRCPT 0 250 2.1.5 Ok\nRCPT 1 451 4.3.0 later please\nDATA 354  go\n");
		if (step < 59)
			client = before;
	}
	CHECK_INT(smtp_client_finish(&client, now), 0); /* an empty message */
	said[0] = '\0';
	flush();
	CHECK_STR(said, ".\r\n");
	/* The next one at once. */
	hear("250 2.0.0 Ok\r\n");
	mail();
	CHECK_INT(rcpt("c@d.jp"), 0);
	flush();
	hear("550 no\r\n503 no\r\n");
	CHECK_INT(smtp_client_reset(&client, now), 0);
	mail();
	flush();
	hear("250 flushed\r\n250 ok\r\n");
	CHECK(strstr(told, "RESET 250  flushed\nMAIL 250  ok\n") != NULL);
}

/* A hundred recipients in one group; the queue has an end. */
static void test_many(void)
{
	unsigned n = 0;

	begin(FULL);
	mail();
	while (rcpt("c@d.jp") == 0)
		n++;
	CHECK_INT(n, SMTP_CLIENT_QUEUE - 1);
	CHECK_INT(rcpt("c@d.jp"), -EAGAIN);
	flush();
	hear("250 ok\r\n250 ok\r\n");
	CHECK_INT(rcpt("c@d.jp"), 0);
	/* Long ones fill the output before the queue. */
	begin(FULL);
	mail();
	struct smtp_rcpt r = rcpt_of("c@d.jp");
	memset(r.orcpt, 'x', 500);
	memcpy(r.orcpt, "rfc822;", 7);
	for (n = 0; smtp_client_rcpt(&client, now, &r) == 0; n++)
		;
	CHECK(n > 20 && n < SMTP_CLIENT_QUEUE);
	CHECK(client.nout <= SMTP_CLIENT_OUT);
}

/* A queue that is nearly full has no place for XFORWARD and MAIL. */
static void test_full(void)
{
	struct smtp_origin o = {.address = "192.0.2.1"};
	struct smtp_mail m = mail_of("a@b.jp");

	options.forward = true;
	for (unsigned n = 120; n < SMTP_CLIENT_QUEUE; n++) {
		begin("250-x\r\n250-PIPELINING\r\n250 XFORWARD ADDR HELO\r\n");
		mail();
		for (unsigned i = 0; i < n - 2; i++)
			CHECK_INT(rcpt("c@d.jp"), 0);
		CHECK_INT(smtp_client_reset(&client, now), 0);
		CHECK_INT(client.count, n);
		CHECK_INT(smtp_client_mail(&client, now, &m, &o), n + 3 <= SMTP_CLIENT_QUEUE ? 0 : -EAGAIN);
		CHECK(client.count <= SMTP_CLIENT_QUEUE && client.queue[client.head].kind == 5); /* MAIL, the first */
	}
	options.forward = false;
}

/* What a fault before us might hand over. */
static void test_own_side(void)
{
	struct smtp_mail m = mail_of("a@b.jp");
	struct smtp_rcpt r = rcpt_of("a@b.jp");

	begin(FULL);
	strcpy(m.from.text, "a@b.jp>\r\nRCPT TO:<x@y.jp");
	CHECK_INT(smtp_client_mail(&client, now, &m, NULL), -EINVAL);
	m = mail_of("a@b.jp");
	strcpy(m.envid, "a b");
	CHECK_INT(smtp_client_mail(&client, now, &m, NULL), -EINVAL);
	memset(m.envid, 'x', sizeof(m.envid));
	CHECK_INT(smtp_client_mail(&client, now, &m, NULL), -EINVAL);
	m = mail_of("a@b.jp");
	m.body = 7;
	CHECK_INT(smtp_client_mail(&client, now, &m, NULL), -EINVAL);
	mail();
	strcpy(r.orcpt, "rfc822;x\r\ny");
	CHECK_INT(smtp_client_rcpt(&client, now, &r), -EINVAL);
	r = (struct smtp_rcpt){.to = mail_of("").from};
	CHECK_INT(smtp_client_rcpt(&client, now, &r), -EINVAL);
	CHECK_INT(client.count, 1);
}

/* To the point where text may be written. */
static void begin_text(void)
{
	begin(FULL);
	mail();
	rcpt("c@d.jp");
	smtp_client_data(&client, now);
	flush();
	hear("250 ok\r\n250 ok\r\n354 go\r\n");
	said[0] = told[0] = '\0';
}

static void test_text(void)
{
	static const char *const bad[] = {"a\nb", "a\rb", "\n", "\r\r\n", "a\r\n\n", "x\r"};
	static const char text[] = "..\r\n.\r\na.\r\n\r\n.x\r\n";

	for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++) {
		begin_text();
		ssize_t r = smtp_client_write(&client, now, bad[i], strlen(bad[i]));
		CHECK(r == -EBADMSG || smtp_client_finish(&client, now) == -EBADMSG);
		begin_text();
		for (size_t k = 0; bad[i][k] != '\0'; k++)
			r = smtp_client_write(&client, now, bad[i] + k, 1);
		CHECK(r == -EBADMSG || smtp_client_finish(&client, now) == -EBADMSG);
	}
	begin_text();
	CHECK_INT(smtp_client_write(&client, now, "a\0b\r\n", 5), -EBADMSG);
	CHECK_INT(smtp_client_finish(&client, now), -EBADMSG);
	for (size_t step = 1; step < sizeof(text); step++) {
		begin_text();
		for (size_t i = 0; i < sizeof(text) - 1; i += step) {
			size_t n = sizeof(text) - 1 - i < step ? sizeof(text) - 1 - i : step;
			CHECK_INT(smtp_client_write(&client, now, text + i, n), (long long)n);
			flush();
		}
		CHECK_INT(smtp_client_finish(&client, now), 0);
		flush();
		CHECK_STR(said, "...\r\n..\r\na.\r\n\r\n..x\r\n.\r\n");
	}
}

/* More than the output holds; the end always has its place. */
static void test_large(void)
{
	static char block[100000];
	size_t taken = 0, written = 0;

	for (size_t i = 0; i + 3 <= sizeof(block); i += 3)
		memcpy(block + i, ".\r\n", 3);
	begin_text();
	while (taken < 99999) {
		ssize_t r = smtp_client_write(&client, now, block + taken, 99999 - taken);
		CHECK(r >= 0);
		if (r == 0) {
			CHECK(SMTP_CLIENT_OUT - client.nout < 16);
			written += client.nout;
			smtp_client_sent(&client, now, client.nout);
		}
		taken += (size_t)r;
	}
	while (smtp_client_write(&client, now, "x\r\n", 3) == 3)
		;
	CHECK_INT(smtp_client_finish(&client, now), 0);
	CHECK(client.nout <= SMTP_CLIENT_OUT);
	CHECK_INT(client.queued, client.sent + client.nout);
	CHECK(written > 99999 / 3 * 4 - SMTP_CLIENT_OUT);
}

/* The dot is held back: aborting takes everything with it that was not written. */
static void test_abort(void)
{
	size_t n;

	begin_text();
	smtp_client_write(&client, now, "x\r\n", 3);
	smtp_client_finish(&client, now);
	smtp_client_abort(&client);
	smtp_client_output(&client, &n);
	CHECK_INT(n, 0);
	CHECK(smtp_client_over(&client));
	CHECK_INT(smtp_client_write(&client, now, "x", 1), -EPROTO);
	CHECK_INT(smtp_client_finish(&client, now), -EPROTO);
	CHECK_INT(smtp_client_deadline(&client), SMTP_NEVER);
}

/* Replies that are none, or that nobody asked for. `script` comes when text may be written, or instead of the greeting. */
static void test_lies(void)
{
	static const struct {
		const char *say, *want;
	} greetings[] = {
		{"220 x\r\n250 y\r\n", "GONE hop-unexpected\n"},
		{"554 5.7.1 no\r\n", "GONE hop-refused 554 5.7.1 no\n"},
		{"421 busy\r\n", "GONE hop-refused 421  busy\n"},
		{"250 x\r\n", "GONE hop-reply 250  x\n"},
		{"220 x\n", "GONE hop-reply\n"},
		{"220-x\r\n221 y\r\n", "GONE hop-reply\n"},
		{"22 x\r\n", "GONE hop-reply\n"},
		{"\r\n", "GONE hop-reply\n"},
		{"\n", "GONE hop-reply\n"},
		{"SSH-2.0-x\r\n", "GONE hop-reply\n"},
		{"220_x\r\n", "GONE hop-reply\n"},
		{"120 x\r\n", "GONE hop-reply\n"},
		{"620 x\r\n", "GONE hop-reply\n"},
		{"290 x\r\n", "GONE hop-reply\n"},
		{"220 x\ry\r\n", "GONE hop-reply\n"},
		{"220 x\r\r\n", "GONE hop-reply\n"},
	}, texts[] = {
		{"250 2.0.0 queued\r\n", "GONE hop-unexpected\n"},
		{"552 5.3.4 too big\r\n", "GONE hop-refused 552 5.3.4 too big\n"},
		{"421 4.3.2 going\r\n", "GONE hop-refused 421 4.3.2 going\n"},
		{"354 go on\r\n", "GONE hop-unexpected\n"},
	}, finals[] = {
		{"250 2.0.0 ok\r\n", "SENT 250 2.0.0 ok\n"},
		{"250\r\n", "SENT 250  \n"},
		{"554 5.7.1 virus\r\n", "SENT 554 5.7.1 virus\n"},
		{"421 4.3.2 going\r\n", "GONE hop-refused 421 4.3.2 going\n"},
		{"354 go\r\n", "GONE hop-reply 354  go\n"},
		{"250 ok\r\n250 ok\r\n", "SENT 250  ok\nGONE hop-unexpected\n"},
		{"250-5.7.1 a\x01\xe5\r\n250 2.1.1\r\n", "SENT 250 2.1.1 5.7.1 a??\n"},
		{"250 2.0.00 a\r\n", "SENT 250  2.0.00 a\n"},
		{"450 4.1.1111 a\r\n", "SENT 450  4.1.1111 a\n"},
	};

	for (size_t i = 0; i < sizeof(greetings) / sizeof(greetings[0]); i++)
		for (int bytes = 0; bytes < 2; bytes++) {
			told[0] = '\0';
			smtp_client_begin(&client, &options, now);
			hear_n(greetings[i].say, strlen(greetings[i].say), bytes ? 1 : SIZE_MAX);
			if (strncmp(greetings[i].say, "220 x\r\n2", 8) != 0 || !bytes) /* byte by byte EHLO is out in between */
				CHECK_STR(told, greetings[i].want);
		}
	for (size_t i = 0; i < sizeof(texts) / sizeof(texts[0]); i++) {
		begin_text();
		hear(texts[i].say);
		CHECK_STR(told, texts[i].want);
		/* Also when text, or even the dot, waits to be written. */
		begin_text();
		smtp_client_write(&client, now, "x\r\n", 3);
		smtp_client_finish(&client, now);
		hear(texts[i].say);
		CHECK_STR(told, texts[i].want);
		CHECK(strstr(said, "\r\n.\r\n") == NULL);
	}
	for (size_t i = 0; i < sizeof(finals) / sizeof(finals[0]); i++) {
		begin_text();
		smtp_client_finish(&client, now);
		flush();
		hear(finals[i].say);
		CHECK_STR(told, finals[i].want);
	}
}

/* 354 where no recipient was taken; RSET refused. */
static void test_nobody(void)
{
	begin(FULL);
	mail();
	rcpt("c@d.jp");
	smtp_client_data(&client, now);
	flush();
	told[0] = '\0';
	hear("250 ok\r\n550 no\r\n354 go\r\n");
	CHECK_STR(told, "MAIL 250  ok\nRCPT 0 550  no\nGONE hop-unexpected 354  go\n");
	begin(FULL);
	smtp_client_reset(&client, now);
	flush();
	hear("502 no\r\n");
	CHECK_STR(told, "READY\nGONE hop-refused 502  no\n");
}

/* The reply to the dot must come after all of the dot was written. */
static void test_early_final(void)
{
	struct smtp_client_event e;

	begin_text();
	smtp_client_finish(&client, now);
	smtp_client_sent(&client, now, 2);
	smtp_client_push(&client, now, "2", 1, &e); /* it begins too early, and ends when it would be due */
	smtp_client_sent(&client, now, 1);
	hear("50 2.0.0 Ok\r\n");
	CHECK_STR(told, "GONE hop-unexpected\n");
}

static void test_limits(void)
{
	static char line[700];
	char many[32];

	/* 512 octets a line. */
	for (size_t n = 511; n < 514; n++) {
		begin_text();
		smtp_client_finish(&client, now);
		flush();
		memset(line, 'x', n);
		memcpy(line, "250 ", 4);
		memcpy(line + n - 2, "\r\n", 3);
		hear_n(line, n, n == 511 ? 1 : SIZE_MAX);
		CHECK(strncmp(told, n <= 512 ? "SENT 250 " : "GONE hop-reply", 9) == 0);
	}
	/* 100 lines a reply. */
	for (int n = 100; n < 102; n++) {
		begin_text();
		smtp_client_finish(&client, now);
		flush();
		for (int i = 1; i < n; i++) {
			snprintf(many, sizeof(many), "250-line %d\r\n", i);
			hear(many);
		}
		hear("250 last\r\n");
		CHECK(strncmp(told, n <= 100 ? "SENT 250 " : "GONE hop-reply", 9) == 0);
		if (n <= 100)
			CHECK_INT(strlen(client.reply.text), SMTP_REPLY_TEXT - 1);
	}
	/* A line without an end. */
	begin_text();
	memset(line, 'x', sizeof(line));
	hear_n(line, sizeof(line), 9);
	CHECK_STR(told, "GONE hop-reply\n");
}

static void test_hello(void)
{
	begin("502 5.5.1 what\r\n");
	CHECK_STR(said, "EHLO gate.example.lg.jp\r\nHELO gate.example.lg.jp\r\n");
	hear("250 hop\r\n");
	CHECK_STR(told, "READY\n");
	CHECK(!client.esmtp && client.extensions == 0);
	begin("421 4.3.2 busy\r\n");
	CHECK_STR(told, "GONE hop-refused 421 4.3.2 busy\n");
	begin("450 not now\r\n");
	CHECK_STR(told, "GONE hop-refused 450  not now\n");
	begin("502 what\r\n");
	hear("502 what\r\n");
	CHECK_STR(told, "GONE hop-refused 502  what\n");
	/* The first line names no extension; SIZE may be empty or nonsense. */
	begin("250-PIPELINING hello\r\n250-SIZE\r\n250 PIPELININGX\r\n");
	CHECK_INT(client.extensions, SMTP_SIZE);
	CHECK_INT(client.size_max, 0);
	begin("250-x\r\n250 SIZE 99999999999999999999999\r\n");
	CHECK_INT(client.size_max, 0);
}

static void test_tls(void)
{
	struct smtp_client_event e;

	options.tls = true;
	begin(FULL);
	CHECK_STR(told, "READY\n"); /* not offered */
	begin("250-x\r\n250-STARTTLS\r\n250 DSN\r\n");
	CHECK(strstr(said, "STARTTLS\r\n") != NULL);
	hear("220 go\r\n");
	CHECK_STR(told, "STARTTLS 220  go\n");
	said[0] = '\0';
	smtp_client_secured(&client, now);
	flush();
	CHECK_STR(said, "EHLO gate.example.lg.jp\r\n");
	CHECK_INT(client.extensions, 0);
	hear("250-x\r\n250 STARTTLS\r\n");
	CHECK_STR(told, "STARTTLS 220  go\nREADY\n");
	/* Refused: in clear, unless TLS is demanded. */
	begin("250-x\r\n250 STARTTLS\r\n");
	hear("454 4.7.0 no\r\n");
	CHECK_STR(told, "READY\n");
	options.need_tls = true;
	begin("250-x\r\n250 STARTTLS\r\n");
	hear("454 4.7.0 no\r\n");
	CHECK_STR(told, "GONE hop-tls 454 4.7.0 no\n");
	begin(FULL);
	CHECK_STR(told, "GONE hop-tls\n");
	begin("500 what\r\n");
	CHECK_STR(told, "GONE hop-tls\n");
	/* A reply in clear behind the yes. */
	begin("250-x\r\n250 STARTTLS\r\n");
	hear("220 go\r\n250-evil\r\n250 AUTH\r\n");
	CHECK_STR(told, "STARTTLS 220  go\nGONE hop-unexpected\n");
	begin("250-x\r\n250 STARTTLS\r\n");
	hear("220 go\r\n");
	CHECK_INT(smtp_client_push(&client, now, "2", 1, &e), 1);
	CHECK_INT(e.kind, SMTP_CLIENT_GONE);
	options.tls = options.need_tls = false;
}

static void test_forward(void)
{
	struct smtp_origin o = {.name = "mx.sender.example", .address = "2001:db8::7", .helo = "me.example", .port = 1025, .proto = 2};
	struct smtp_mail m = mail_of("a@b.jp");

	strcpy(o.ident, "4F=1 x");
	options.forward = true;
	begin("250-x\r\n250-PIPELINING\r\n250 XFORWARD NAME ADDR PROTO HELO IDENT SOURCE\r\n");
	said[0] = '\0';
	CHECK_INT(smtp_client_mail(&client, now, &m, &o), 0);
	flush();
	CHECK_STR(said, "XFORWARD NAME=mx.sender.example ADDR=IPV6:2001:db8::7 PROTO=ESMTP\r\n"
			"XFORWARD HELO=me.example IDENT=4F+3D1+20x SOURCE=REMOTE\r\nMAIL FROM:<a@b.jp>\r\n");
	told[0] = '\0';
	hear("250 ok\r\n501 not that\r\n250 2.1.0 ok\r\n");
	CHECK_STR(told, "MAIL 250 2.1.0 ok\n");
	begin("250-x\r\n250-PIPELINING\r\n250 XFORWARD ADDR HELO\r\n");
	said[0] = '\0';
	o.address[0] = o.helo[0] = '\0';
	CHECK_INT(smtp_client_mail(&client, now, &m, &o), 0);
	flush();
	CHECK_STR(said, "XFORWARD ADDR=[UNAVAILABLE]\r\nXFORWARD HELO=[UNAVAILABLE]\r\nMAIL FROM:<a@b.jp>\r\n");
	begin(FULL);
	said[0] = '\0';
	CHECK_INT(smtp_client_mail(&client, now, &m, &o), 0);
	flush();
	CHECK_STR(said, "MAIL FROM:<a@b.jp>\r\n");
	options.forward = false;
}

static void tick_at(int64_t at)
{
	struct smtp_client_event e;

	CHECK_INT(smtp_client_deadline(&client), at);
	smtp_client_tick(&client, at - 1, &e);
	CHECK_INT(e.kind, SMTP_CLIENT_NONE);
	smtp_client_tick(&client, at, &e);
	CHECK_INT(e.kind, SMTP_CLIENT_GONE);
	CHECK_INT(e.why, SMTP_WHY_HOP_TIMEOUT);
}

static void test_time(void)
{
	now = 1000;
	smtp_client_begin(&client, &options, now);
	tick_at(301000);
	begin(FULL);
	CHECK_INT(smtp_client_deadline(&client), SMTP_NEVER);
	now = 2000;
	mail();
	CHECK_INT(smtp_client_deadline(&client), 182000); /* it does not take our bytes */
	flush();
	now = 4000;
	hear("250-part\r\n"); /* a reply that never ends has no longer */
	tick_at(302000);
	now = 0;
	begin(FULL);
	mail();
	rcpt("c@d.jp");
	smtp_client_data(&client, now);
	flush();
	hear("250 ok\r\n250 ok\r\n");
	tick_at(120000);
	begin_text();
	CHECK_INT(smtp_client_deadline(&client), SMTP_NEVER); /* we are late, not they */
	now = 900000;
	smtp_client_write(&client, now, "x\r\n", 3);
	CHECK_INT(smtp_client_deadline(&client), 1080000);
	flush();
	CHECK_INT(smtp_client_deadline(&client), SMTP_NEVER);
	smtp_client_finish(&client, now);
	flush();
	tick_at(1380000);
	now = 0;
	begin(FULL);
	smtp_client_quit(&client, now);
	flush();
	tick_at(10000);
}

static void test_closed(void)
{
	struct smtp_client_event e;

	begin_text();
	smtp_client_finish(&client, now);
	flush();
	smtp_client_closed(&client, now, &e);
	CHECK_INT(e.why, SMTP_WHY_HOP_CLOSED);
	smtp_client_closed(&client, now, &e);
	CHECK_INT(e.kind, SMTP_CLIENT_NONE);
}

int main(void)
{
	test_alone();
	test_pipelined();
	test_many();
	test_full();
	test_own_side();
	test_text();
	test_large();
	test_abort();
	test_lies();
	test_early_final();
	test_nobody();
	test_limits();
	test_hello();
	test_tls();
	test_forward();
	test_time();
	now = 0;
	test_closed();
	return test_end();
}
