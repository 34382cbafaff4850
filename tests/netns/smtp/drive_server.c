/*
 * drive_server.c: the server's machine on real sockets, many connections in one process, as the gate holds them.
 *
 * A message becomes DIRECTORY/N: a line for the client, the sender and each recipient, an empty line, the message. Recipients
 * whose local part begins with no- are refused, with later- deferred; the sender flood@ is told 421.
 */
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include <sekisho/smtp_server.h>

#include "drive.h"

#define SESSIONS 1024
#define READ_MAX 65536

static struct session {
	int fd;
	struct smtp_server s;
	char *message;
	size_t n, cap;
	char origin[800];
	uint8_t in[READ_MAX];
	size_t at, fill;
} *sessions[SESSIONS];

static const struct smtp_server_options options = {
	.name = "gate.example.lg.jp",
	.offer = SMTP_PIPELINING | SMTP_SIZE | SMTP_ENHANCED | SMTP_8BITMIME | SMTP_DSN | SMTP_XCLIENT | SMTP_XFORWARD,
	.size_max = 30000000,
};
static const char *directory;
static unsigned long messages;
static volatile sig_atomic_t stop;

static void on_signal(int signo)
{
	(void)signo;
	stop = 1;
}

static void add(struct session *c, const void *p, size_t n)
{
	while (c->n + n > c->cap) {
		c->cap = c->cap ? c->cap * 2 : 16384;
		c->message = realloc(c->message, c->cap);
		if (c->message == NULL)
			die("memory");
	}
	memcpy(c->message + c->n, p, n);
	c->n += n;
}

static void add_line(struct session *c, const char *word, const char *value)
{
	add(c, word, strlen(word));
	add(c, value, strlen(value));
	add(c, "\n", 1);
}

static void keep(struct session *c)
{
	char path[PATH_MAX];

	messages++;
	if (directory[0] == '-')
		return;
	snprintf(path, sizeof(path), "%s/%lu.part", directory, messages);
	FILE *f = fopen(path, "w");
	if (f == NULL || fwrite(c->message, 1, c->n, f) != c->n || fclose(f) != 0)
		die(path);
	char whole[PATH_MAX];
	snprintf(whole, sizeof(whole), "%s/%lu", directory, messages);
	rename(path, whole);
}

static void answer(struct session *c, const char *local)
{
	int64_t now = now_ms();

	if (strncmp(local, "no-", 3) == 0)
		smtp_server_reply(&c->s, now, 550, "5.1.1", "No such user here");
	else if (strncmp(local, "later-", 6) == 0)
		smtp_server_reply(&c->s, now, 450, "4.2.0", "Not now");
	else if (strcmp(local, "flood") == 0)
		smtp_server_reply(&c->s, now, 421, "4.7.1", "Too much");
	else
		smtp_server_accept(&c->s, now);
}

/* False: the session is over. */
static bool event(struct session *c, const struct smtp_event *e)
{
	switch (e->kind) {
	case SMTP_EVENT_HELO:
		add_line(c, e->esmtp ? "ehlo " : "helo ", e->helo);
		smtp_server_accept(&c->s, now_ms());
		break;
	case SMTP_EVENT_XCLIENT:
	case SMTP_EVENT_XFORWARD:
		snprintf(c->origin, sizeof(c->origin), "%s %s %s", e->origin->name, e->origin->address, e->origin->helo);
		if (e->kind == SMTP_EVENT_XCLIENT)
			smtp_server_accept(&c->s, now_ms());
		break;
	case SMTP_EVENT_MAIL:
		c->n = 0;
		add_line(c, "helo ", c->s.helo);
		if (c->origin[0] != '\0')
			add_line(c, "origin ", c->origin);
		add_line(c, "from ", e->mail->from.text);
		answer(c, e->mail->from.local);
		break;
	case SMTP_EVENT_RCPT:
		add_line(c, "to ", e->rcpt->to.text);
		answer(c, e->rcpt->to.local);
		break;
	case SMTP_EVENT_DATA:
		add(c, "\n", 1);
		smtp_server_accept(&c->s, now_ms());
		break;
	case SMTP_EVENT_BYTES:
		add(c, e->data, e->n);
		break;
	case SMTP_EVENT_END:
		if (e->why != SMTP_WHY_NONE)
			break;
		keep(c);
		smtp_server_accept(&c->s, now_ms());
		break;
	case SMTP_EVENT_GONE:
		if (e->why != SMTP_WHY_QUIT)
			printf("gone %s %.*s\n", smtp_why_word(e->why), (int)(c->fill - c->at), (char *)c->in + c->at);
		return false;
	default:
		break;
	}
	return true;
}

/* False: close. */
static bool write_out(struct session *c)
{
	size_t n;
	const char *p = smtp_server_output(&c->s, &n);
	ssize_t w = n > 0 ? send(c->fd, p, n, MSG_DONTWAIT) : 0;

	if (w < 0 && errno != EAGAIN)
		return false;
	smtp_server_sent(&c->s, now_ms(), w > 0 ? (size_t)w : 0);
	smtp_server_output(&c->s, &n);
	return n > 0 || !smtp_server_over(&c->s);
}

/* What was read and not taken. */
static void work(struct session *c)
{
	struct smtp_event e;

	while (c->at < c->fill) {
		size_t took = smtp_server_push(&c->s, now_ms(), c->in + c->at, c->fill - c->at, &e);
		c->at += took;
		if (e.kind != SMTP_EVENT_NONE && !event(c, &e))
			c->at = c->fill;
		if (took == 0 && e.kind == SMTP_EVENT_NONE)
			return;
	}
}

static bool serve(struct session *c, short revents)
{
	struct smtp_event e;

	if (c->at == c->fill && revents & (POLLIN | POLLHUP | POLLERR) && smtp_server_want(&c->s) > 0) {
		ssize_t n = recv(c->fd, c->in, sizeof(c->in), MSG_DONTWAIT);
		if (n == 0 || (n < 0 && errno != EAGAIN))
			return false;
		c->at = 0;
		c->fill = n > 0 ? (size_t)n : 0;
	}
	do {
		work(c);
		if (!write_out(c))
			return false;
	} while (c->at < c->fill && c->s.nout == 0);
	smtp_server_tick(&c->s, now_ms(), &e);
	return true;
}

static void begin(int fd)
{
	for (size_t i = 0; i < SESSIONS; i++) {
		if (sessions[i] != NULL)
			continue;
		struct session *c = sessions[i] = calloc(1, sizeof(*c));
		if (c == NULL)
			die("memory");
		c->fd = fd;
		smtp_server_begin(&c->s, &options, now_ms());
		smtp_server_accept(&c->s, now_ms());
		write_out(c);
		return;
	}
	close(fd);
}

static void end(size_t i)
{
	close(sessions[i]->fd);
	free(sessions[i]->message);
	free(sessions[i]);
	sessions[i] = NULL;
}

static void turn(int listener)
{
	static struct pollfd fds[SESSIONS + 1];
	static size_t who[SESSIONS + 1];
	nfds_t n = 0;

	fds[n++] = (struct pollfd){.fd = listener, .events = POLLIN};
	for (size_t i = 0; i < SESSIONS; i++) {
		if (sessions[i] == NULL)
			continue;
		who[n] = i;
		short want = smtp_server_want(&sessions[i]->s) > 0 ? POLLIN : 0;
		fds[n++] = (struct pollfd){.fd = sessions[i]->fd,
			.events = (short)(want | (sessions[i]->s.nout > 0 ? POLLOUT : 0))};
	}
	if (poll(fds, n, 1000) < 0 && errno != EINTR)
		die("poll");
	for (nfds_t k = 1; k < n; k++)
		if (fds[k].revents != 0 && !serve(sessions[who[k]], fds[k].revents))
			end(who[k]);
	for (int fd; fds[0].revents != 0 && (fd = accept4(listener, NULL, NULL, SOCK_NONBLOCK)) >= 0;)
		begin(fd);
}

int drive_server(int argc, char **argv)
{
	struct sockaddr_in a = drive_address(argv[0], argv[1]);
	int one = 1, fd = socket(AF_INET, SOCK_STREAM | SOCK_NONBLOCK, 0);

	(void)argc;
	directory = argv[2];
	setsockopt(fd, SOL_SOCKET, SO_REUSEADDR, &one, sizeof(one));
	if (fd < 0 || bind(fd, (struct sockaddr *)&a, sizeof(a)) < 0 || listen(fd, 512) < 0)
		die("listen");
	signal(SIGTERM, on_signal);
	printf("ready\n");
	fflush(stdout);
	while (!stop)
		turn(fd);
	printf("%lu messages\n", messages);
	return 0;
}
