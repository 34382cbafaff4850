/*
 * drive_client.c: the client's machine on a real socket: N messages over one connection.
 *
 * usage: smtp_drive client ADDRESS PORT [from=A] [to=A]... [file=F] [count=N] [abort=BYTES] [slow] [dsn] [origin=ADDRESS]
 *   file   the message (CRLF); else one of its own with many dots
 *   abort  of each message only so many bytes, then the connection is closed without the dot
 *   slow   writes a byte at a time
 * Prints a line for each event. Exit 0 when every message was taken.
 */
#include <errno.h>
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include <sekisho/smtp_client.h>

#include "drive.h"

#define TO_MAX 120
#define FILE_MAX ((size_t)64 << 20)

static struct smtp_client client;
static struct smtp_client_options options = {.name = "gate.example.lg.jp"};
static struct smtp_mail mail;
static struct smtp_rcpt to[TO_MAX];
static struct smtp_origin origin;
static unsigned nto, asked, count = 1, sent;
static char *text;
static size_t ntext = 0, at, stop_at = SIZE_MAX;
static bool slow, mail_asked, data_asked, failed, closing;

static void parse(const char *a, struct smtp_address *ret)
{
	char path[400];
	size_t taken;
	int n = snprintf(path, sizeof(path), "<%s>", a);

	if (smtp_address_parse(path, (size_t)n, ret, &taken) != SMTP_ADDRESS_OK) {
		fprintf(stderr, "no address: %s\n", a);
		exit(2);
	}
}

static void read_file(const char *path)
{
	FILE *f = fopen(path, "r");

	text = malloc(FILE_MAX);
	if (f == NULL || text == NULL)
		die(path);
	ntext = fread(text, 1, FILE_MAX, f);
	fclose(f);
}

static void own_text(void)
{
	static char own[4096];
	char *end = stpcpy(own, "From: <a@example.jp>\r\nTo: <b@example.lg.jp>\r\nSubject: dots\r\nMessage-ID: <1@example.jp>\r\n\r\n");

	for (int i = 0; i < 20; i++)
		end = stpcpy(end, i % 3 == 0 ? ".\r\n" : i % 3 == 1 ? "..two\r\n" : "plain.\r\n");
	text = own;
	ntext = (size_t)(end - own);
}

static void take_option(const char *a)
{
	const char *v = strchr(a, '=') != NULL ? strchr(a, '=') + 1 : "";

	if (strncmp(a, "from=", 5) == 0)
		parse(v, &mail.from);
	else if (strncmp(a, "to=", 3) == 0 && nto < TO_MAX)
		parse(v, &to[nto++].to);
	else if (strncmp(a, "file=", 5) == 0)
		read_file(v);
	else if (strncmp(a, "count=", 6) == 0)
		count = (unsigned)atoi(v);
	else if (strncmp(a, "abort=", 6) == 0)
		stop_at = (size_t)atol(v);
	else if (strncmp(a, "origin=", 7) == 0)
		snprintf(origin.address, sizeof(origin.address), "%s", v), options.forward = true;
	else if (strcmp(a, "slow") == 0)
		slow = true;
	else if (strcmp(a, "dsn") == 0)
		to[0].notify = SMTP_NOTIFY_NEVER, strcpy(to[0].orcpt, "rfc822;b@example.lg.jp"), strcpy(mail.envid, "QQ1");
}

/* Queues whatever may be queued now. */
static void act(void)
{
	int64_t now = now_ms();

	if (client.state == 3) { /* text */
		size_t most = ntext < stop_at ? ntext : stop_at;
		ssize_t r = smtp_client_write(&client, now, text + at, most - at);
		if (r < 0) {
			printf("own text is refused\n");
			smtp_client_abort(&client);
			failed = true;
			return;
		}
		at += (size_t)r;
		if (at == ntext)
			smtp_client_finish(&client, now);
		return;
	}
	if (!mail_asked && sent < count)
		mail_asked = smtp_client_mail(&client, now, &mail, origin.address[0] != '\0' ? &origin : NULL) == 0;
	while (mail_asked && asked < nto && smtp_client_rcpt(&client, now, &to[asked]) == 0)
		asked++;
	if (mail_asked && asked == nto && !data_asked)
		data_asked = smtp_client_data(&client, now) == 0;
	if (sent >= count && !closing)
		closing = smtp_client_quit(&client, now) == 0;
}

static void event(const struct smtp_client_event *e)
{
	static const char *const words[] = {"", "starttls", "ready", "mail", "rcpt", "data", "sent", "reset", "gone"};

	if (e->kind == SMTP_CLIENT_NONE)
		return;
	printf("%s %s", words[e->kind], e->kind == SMTP_CLIENT_GONE ? smtp_why_word(e->why) : "");
	if (e->reply != NULL)
		printf(" %u %s %s", e->reply->code, e->reply->enhanced, e->reply->text);
	printf("\n");
	if (e->kind == SMTP_CLIENT_READY)
		printf("extensions %u size %llu\n", client.extensions, (unsigned long long)client.size_max);
	bool over = e->kind == SMTP_CLIENT_SENT || (e->kind == SMTP_CLIENT_DATA && e->reply->code != 354);
	if (!over)
		return;
	failed = failed || e->reply->code >= 400;
	if (e->kind == SMTP_CLIENT_DATA)
		smtp_client_reset(&client, now_ms());
	sent++;
	at = asked = 0;
	mail_asked = data_asked = false;
}

static void write_out(int fd)
{
	size_t n;
	const char *p = smtp_client_output(&client, &n);
	ssize_t w = n > 0 ? send(fd, p, slow ? 1 : n, 0) : 0;

	if (w < 0 && errno != EPIPE && errno != ECONNRESET)
		die("send");
	smtp_client_sent(&client, now_ms(), w > 0 ? (size_t)w : 0);
	if (at >= stop_at && client.nout == 0)
		smtp_client_abort(&client);
}

static void hear(int fd)
{
	static char in[65536];
	struct smtp_client_event e;
	ssize_t n = recv(fd, in, sizeof(in), 0);

	if (n <= 0) {
		smtp_client_closed(&client, now_ms(), &e);
		event(&e);
		return;
	}
	for (size_t i = 0; i < (size_t)n && !smtp_client_over(&client);) {
		i += smtp_client_push(&client, now_ms(), in + i, (size_t)n - i, &e);
		event(&e);
		act();
	}
}

int drive_client(int argc, char **argv)
{
	struct sockaddr_in a = drive_address(argv[0], argv[1]);
	int fd = socket(AF_INET, SOCK_STREAM, 0);

	parse("a@example.jp", &mail.from);
	for (int i = 2; i < argc; i++)
		take_option(argv[i]);
	if (nto == 0)
		parse("b@example.lg.jp", &to[nto++].to);
	if (text == NULL)
		own_text();
	if (fd < 0 || connect(fd, (struct sockaddr *)&a, sizeof(a)) < 0)
		die("connect");
	smtp_client_begin(&client, &options, now_ms());
	while (!smtp_client_over(&client)) {
		struct smtp_client_event e;
		struct pollfd p = {.fd = fd, .events = (short)(POLLIN | (client.nout > 0 || client.state == 3 ? POLLOUT : 0))};
		if (poll(&p, 1, 1000) < 0)
			die("poll");
		if (p.revents & (POLLIN | POLLHUP))
			hear(fd);
		act();
		write_out(fd);
		smtp_client_tick(&client, now_ms(), &e);
		event(&e);
	}
	close(fd);
	printf("%u of %u\n", sent, count);
	return failed || sent < count ? 1 : 0;
}
