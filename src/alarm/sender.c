/*
 * sender.c: one mail to the alarm host (see sender.h).
 *
 * The addresses of the host are tried one after another until one has answered; the envelope's sender is <>, so that no answer
 * and no bounce comes back. A recipient that is refused does not keep the mail from the others.
 *
 * Input and trust: replies of the mail server, read by smtp_client.h alone; what is kept of them is printable ASCII.
 * Limits: CALL_MS for a connection, the times below, ATTEMPT_MS for all of it. Failure: told, and tried again by the caller.
 */
#include "sender.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/random.h>
#include <sys/socket.h>
#include <unistd.h>

#include <sekisho/clock.h>
#include <sekisho/daemon.h>
#include <sekisho/loop.h>

#define CALL_MS 15000
#define ATTEMPT_MS 600000
/* Nobody waits for the mail but people: shorter than RFC 5321 asks of a queue, which would only stand still meanwhile. */
static const struct smtp_client_times times = {.greeting = 60000, .command = 60000, .data = 60000, .block = 60000,
	.final = 300000, .quit = 5000};

static int64_t now_ms(void)
{
	return clock_mono().ns / 1000000;
}

static void hang_up(struct sender *s)
{
	if (s->fd < 0)
		return;
	loop_del_fd(s->loop, s->fd);
	close(s->fd);
	s->fd = -1;
}

static void end(struct sender *s, uint32_t taken)
{
	s->busy = false;
	s->tag = 0;
	hang_up(s);
	s->done(s->arg, taken, s->error);
}

static void because(struct sender *s, const char *stage, const struct smtp_reply *r)
{
	if (r != NULL)
		snprintf(s->error, sizeof(s->error), "%s: %u %s %.100s", stage, r->code, r->enhanced, r->text);
	else
		snprintf(s->error, sizeof(s->error), "%s", stage);
}

/* -- Calling --------------------------------------------------------------------------------------------- */

/* The next address; the end when there is none. */
static void call(struct sender *s)
{
	struct msg_mail_connect q = {.limit_ms = CALL_MS};

	for (; s->hop < s->settings.nhops; s->hop++) {
		q.hop = s->settings.hop[s->hop];
		if (++s->tag == 0)
			s->tag = 1;
		s->until = now_ms() + CALL_MS + 1000;
		if (msg_send(DAEMON_FD_ALARM_CALLER, MSG_MAIL_CONNECT, s->tag, &q, NULL, 0) == 0)
			return;
		because(s, "sekisho-connect takes no call", NULL);
	}
	end(s, 0);
}

static void next_hop(struct sender *s)
{
	hang_up(s);
	s->hop++;
	call(s);
}

/* -- Talking --------------------------------------------------------------------------------------------- */

static void flush(struct sender *s)
{
	const char *p;
	size_t n;

	while ((p = smtp_client_output(&s->client, &n)), n > 0) {
		ssize_t sent = send(s->fd, p, n, MSG_NOSIGNAL | MSG_DONTWAIT);
		if (sent <= 0)
			break; /* what the server said before it went away is read first */
		smtp_client_sent(&s->client, now_ms(), (size_t)sent);
	}
	bool writing = n > 0;
	if (writing != s->writing)
		loop_mod_fd(s->loop, s->fd, writing ? EPOLLIN | EPOLLOUT : EPOLLIN);
	s->writing = writing;
}

/* As much of the text as there is room for. */
static void write_text(struct sender *s)
{
	while (s->at < s->n) {
		ssize_t took = smtp_client_write(&s->client, now_ms(), s->text + s->at, s->n - s->at);
		if (took < 0) {
			because(s, "the mail cannot be written", NULL);
			smtp_client_abort(&s->client);
			end(s, 0);
			return;
		}
		s->at += (size_t)took;
		flush(s);
		if (took == 0 && s->writing)
			return;
	}
	s->body = false;
	smtp_client_finish(&s->client, now_ms());
	flush(s);
}

static int say_mail(struct sender *s)
{
	struct smtp_mail mail = {.size = s->n};
	size_t taken;

	smtp_address_parse("<>", 2, &mail.from, &taken);
	return smtp_client_mail(&s->client, now_ms(), &mail, NULL);
}

static int say_rcpt(struct sender *s, const char *address)
{
	struct smtp_rcpt r = {.notify = 0};
	char path[300];
	size_t taken, n = (size_t)snprintf(path, sizeof(path), "<%.255s>", address);

	if (smtp_address_parse(path, n, &r.to, &taken) != SMTP_ADDRESS_OK || taken != n)
		return -EINVAL;
	return smtp_client_rcpt(&s->client, now_ms(), &r);
}

/* Says what can be said now; the answers bring us back. */
static void say(struct sender *s)
{
	int r = 0;

	if (!s->mail_said) {
		r = say_mail(s);
		s->mail_said = r == 0;
	}
	while (r == 0 && s->said < s->settings.nto) {
		r = say_rcpt(s, s->settings.to[s->said]);
		s->said += r == 0;
	}
	if (r == 0 && !s->data_said && s->answered == s->said && s->taken > 0) {
		r = smtp_client_data(&s->client, now_ms());
		s->data_said = r == 0;
	}
	if (r != 0 && r != -EAGAIN) {
		because(s, "the mail server's limits, or an address that cannot be sent", NULL);
		end(s, 0);
		return;
	}
	flush(s);
}

static bool good(const struct smtp_reply *r)
{
	return r->code / 100 == 2;
}

static void refused(struct sender *s, const char *stage, const struct smtp_reply *r)
{
	because(s, stage, r);
	end(s, 0);
}

static void on_rcpt(struct sender *s, const struct smtp_reply *r)
{
	s->answered++;
	s->taken += good(r);
	if (!good(r))
		because(s, "RCPT", r);
	if (s->answered == s->settings.nto && s->taken == 0)
		end(s, 0);
	else
		say(s);
}

static void on_data(struct sender *s, const struct smtp_reply *r)
{
	if (r->code != 354) {
		refused(s, "DATA", r);
		return;
	}
	s->body = true;
	write_text(s);
}

static void on_sent(struct sender *s, const struct smtp_reply *r)
{
	if (!good(r)) {
		refused(s, "the mail", r);
		return;
	}
	/* Its answer to QUIT says nothing any more. */
	if (smtp_client_quit(&s->client, now_ms()) == 0)
		flush(s);
	end(s, s->taken);
}

static void take_event(struct sender *s, const struct smtp_client_event *e)
{
	bool answered = s->mail_said;

	switch (e->kind) {
	case SMTP_CLIENT_READY:
		say(s);
		break;
	case SMTP_CLIENT_MAIL:
		if (good(e->reply))
			say(s);
		else
			refused(s, "MAIL", e->reply);
		break;
	case SMTP_CLIENT_RCPT:
		on_rcpt(s, e->reply);
		break;
	case SMTP_CLIENT_DATA:
		on_data(s, e->reply);
		break;
	case SMTP_CLIENT_SENT:
		on_sent(s, e->reply);
		break;
	case SMTP_CLIENT_GONE:
		because(s, smtp_why_word(e->why), e->reply);
		if (answered)
			end(s, 0);
		else
			next_hop(s);
		break;
	default:
		break;
	}
}

static void read_some(struct sender *s)
{
	static char buf[4096];
	struct smtp_client_event e = {0};
	int fd = s->fd;
	ssize_t n = recv(fd, buf, sizeof(buf), MSG_DONTWAIT);

	if (n < 0 && (errno == EAGAIN || errno == EINTR))
		return;
	if (n <= 0) {
		smtp_client_closed(&s->client, now_ms(), &e);
		if (e.kind == SMTP_CLIENT_NONE)
			e = (struct smtp_client_event){.kind = SMTP_CLIENT_GONE, .why = SMTP_WHY_HOP_CLOSED};
		take_event(s, &e);
		return;
	}
	for (size_t at = 0; at < (size_t)n && s->fd == fd && s->busy;) {
		size_t taken = smtp_client_push(&s->client, now_ms(), buf + at, (size_t)n - at, &e);
		at += taken;
		if (e.kind != SMTP_CLIENT_NONE)
			take_event(s, &e);
		else if (taken == 0)
			break;
	}
}

static void on_socket(void *arg, int fd, uint32_t events)
{
	struct sender *s = arg;

	if (fd != s->fd)
		return;
	if ((events & ~(uint32_t)EPOLLOUT) != 0)
		read_some(s);
	if (s->fd != fd || !s->busy)
		return;
	flush(s);
	if (s->body && !s->writing)
		write_text(s);
}

void sender_connected(struct sender *s, uint32_t tag, const struct msg_mail_connected *m, int fd)
{
	const struct smtp_client_options o = {.name = s->settings.hostname, .times = times};

	/* An answer to a former life, or too late. */
	if (!s->busy || tag != s->tag || s->fd >= 0) {
		if (fd >= 0)
			msg_close_fd(fd);
		return;
	}
	if (fd < 0 || loop_add_fd(s->loop, fd, EPOLLIN, on_socket, s) != 0) {
		because(s, strerror(fd < 0 ? (int)m->error : ENOMEM), NULL);
		if (fd >= 0)
			msg_close_fd(fd);
		next_hop(s);
		return;
	}
	s->fd = fd;
	s->until = now_ms() + ATTEMPT_MS;
	s->mail_said = s->data_said = s->body = s->writing = false;
	s->said = s->answered = s->taken = 0;
	s->at = 0;
	smtp_client_begin(&s->client, &o, now_ms());
}

void sender_tick(struct sender *s)
{
	struct smtp_client_event e = {0};

	if (!s->busy)
		return;
	if (s->fd >= 0)
		smtp_client_tick(&s->client, now_ms(), &e);
	if (e.kind != SMTP_CLIENT_NONE) {
		take_event(s, &e);
	} else if (now_ms() > s->until) {
		because(s, s->fd < 0 ? "sekisho-connect does not answer" : "it took too long", NULL);
		s->fd < 0 ? next_hop(s) : end(s, 0);
	}
}

void sender_init(struct sender *s, struct loop *loop)
{
	s->loop = loop;
	s->fd = -1;
	/* Answers to a former life are not ours. */
	if (getrandom(&s->tag, sizeof(s->tag), 0) != sizeof(s->tag))
		s->tag = (uint32_t)clock_wall_ns();
}

bool sender_start(struct sender *s, const struct msg_alarm_settings *settings, const char *text, size_t n)
{
	if (s->busy)
		return false;
	s->settings = *settings;
	s->text = text;
	s->n = n;
	s->busy = true;
	s->hop = 0;
	s->error[0] = '\0';
	call(s);
	return true;
}
