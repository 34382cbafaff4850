/*
 * tls.c: connections handed to sekisho-tls, which gives back a stream in clear.
 *
 * What the peer of such a connection says is read there, by a process that has this one connection. Here comes one message,
 * how the handshake ended, and then bytes as if there were no TLS; when the child ends, or was never made, the stream ends.
 *
 * Input and trust: messages of a process that reads TLS of anybody: texts for the log and the ledger, and a yes or no for the
 * connection that it has anyway. Limits: HANDSHAKE_S for a handshake, and a while more for the message.
 */
#include "maild.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/socket.h>
#include <unistd.h>

#include <sekisho/loop.h>

#define HANDSHAKE_S 30
#define PATIENCE_MS (HANDSHAKE_S * 1000 + 5000)

static void unlink_wait(struct maild *m, struct tls_wait *w)
{
	struct tls_wait **p = &m->tls_waits;

	while (*p != NULL && *p != w)
		p = &(*p)->next;
	if (*p == w)
		*p = w->next;
}

void tls_cancel(struct maild *m, struct tls_wait *w)
{
	if (!w->waiting)
		return;
	unlink_wait(m, w);
	loop_del_fd(m->d->loop, w->fd);
	close(w->fd);
	w->waiting = false;
}

static void finish(struct maild *m, struct tls_wait *w, const struct msg_tls_done *r)
{
	static const struct msg_tls_done away = {.why = TLS_WHY_AWAY};

	tls_cancel(m, w);
	w->done(w->arg, r != NULL ? r : &away);
}

static void on_result(void *arg, int fd, uint32_t events)
{
	struct maild *m = arg;
	struct tls_wait *w = m->tls_waits;
	struct msg got;
	int r = msg_recv(fd, &got);

	(void)events;
	while (w != NULL && w->fd != fd)
		w = w->next;
	if (r == -EAGAIN || w == NULL)
		return;
	finish(m, w, r == 1 && got.type == MSG_TLS_DONE ? &got.u.msg_tls_done : NULL);
	if (r == 1)
		msg_close_fds(&got);
}

static bool make_pairs(int stream[2], int result[2])
{
	int flags = SOCK_CLOEXEC | SOCK_NONBLOCK;

	if (socketpair(AF_UNIX, SOCK_STREAM | flags, 0, stream) < 0)
		return false;
	if (socketpair(AF_UNIX, SOCK_SEQPACKET | flags, 0, result) == 0)
		return true;
	close(stream[0]);
	close(stream[1]);
	return false;
}

int tls_start(struct maild *m, struct tls_wait *w, struct msg_tls_job *job, int net)
{
	int stream[2], result[2];

	job->seconds = HANDSHAKE_S;
	if (!make_pairs(stream, result))
		return -errno;
	int fds[MSG_TLS_FDS] = {net, stream[1], result[1]};
	int r = msg_send(DAEMON_FD_MAIL_TLS, MSG_TLS_JOB, 0, job, fds, MSG_TLS_FDS);
	close(stream[1]);
	close(result[1]);
	if (r == 0)
		r = loop_add_fd(m->d->loop, result[0], EPOLLIN, on_result, m);
	if (r != 0) {
		close(stream[0]);
		close(result[0]);
		return r;
	}
	w->fd = result[0];
	w->waiting = true;
	w->until = maild_now() + PATIENCE_MS;
	w->next = m->tls_waits;
	m->tls_waits = w;
	return stream[0];
}

void tls_tick(struct maild *m, int64_t now)
{
	struct tls_wait *w = m->tls_waits;

	while (w != NULL) {
		if (w->until > now) {
			w = w->next;
			continue;
		}
		finish(m, w, NULL);
		w = m->tls_waits; /* anything may have changed */
	}
}

bool tls_has(const struct maild *m, const char *name, bool keyed)
{
	const struct msg_tls_status *s = &m->tls_status;

	for (uint32_t i = 0; i < s->n; i++)
		if (strcmp(s->certificate[i].name, name) == 0 && (s->certificate[i].keyed != 0) == keyed)
			return s->certificate[i].in_use != 0;
	return false;
}

static void on_tls(void *arg, int fd, uint32_t events)
{
	struct maild *m = arg;
	struct msg got;
	int r = -EAGAIN;

	(void)events;
	while ((r = msg_recv(fd, &got)) == 1 && got.type == MSG_TLS_STATUS)
		m->tls_status = got.u.msg_tls_status;
	if (r == 1)
		msg_close_fds(&got);
	if (r != -EAGAIN)
		daemon_peer_broken(m->d, MSG_PEER_TLS);
}

int tls_begin(struct maild *m)
{
	return loop_add_fd(m->d->loop, DAEMON_FD_MAIL_TLS, EPOLLIN, on_tls, m);
}

void tls_write(const struct msg_tls_done *r, char *out, size_t size)
{
	bool shown = r->trust != TLS_TRUST_NONE, named = r->trust == TLS_TRUST_AUTHORITY;
	char text[256];

	snprintf(text, sizeof(text), "%s %s%s%s%s%s", r->version, r->cipher, shown ? " " : "",
		shown ? tls_trust_word(r->trust) : "", named ? " " : "", named ? r->peer : "");
	msg_text(out, size, text);
}
