/*
 * listen.c: the sockets on which mail comes, and who is let in.
 *
 * Input: sockets of sekisho-init; the addresses of whoever connects. Limits: MAILD_SESSIONS in all, MAILD_SESSIONS_A_SOURCE
 * of one address; beyond the first nobody is accepted until one goes (the kernel's queue keeps them), beyond the second the
 * client is told to come again (421).
 */
#include "maild.h"

#include <errno.h>
#include <netinet/in.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/socket.h>
#include <unistd.h>

#include <sekisho/loop.h>

#define ACCEPTS_A_TURN 64

static struct addr addr_of(const struct sockaddr_storage *ss)
{
	const struct sockaddr_in *v4 = (const struct sockaddr_in *)ss;
	const struct sockaddr_in6 *v6 = (const struct sockaddr_in6 *)ss;
	struct addr a = {.family = ss->ss_family == AF_INET6 ? 6 : 4};

	if (a.family == 6)
		memcpy(a.b, &v6->sin6_addr, 16);
	else
		memcpy(a.b, &v4->sin_addr, 4);
	return a;
}

static unsigned sessions_of(const struct maild *m, const struct addr *peer)
{
	unsigned n = 0;

	for (const struct session *s = m->sessions; s != NULL; s = s->next)
		n += addr_cmp(&s->peer, peer) == 0;
	return n;
}

/* Nothing is read from one that is one too many, and nothing kept: the socket takes one line. */
static void turn_away(int fd)
{
	char line[SMTP_REPLY_SPACE];
	size_t n = smtp_reply_write(line, sizeof(line), 421, "4.7.0", "too many connections from your address");

	/* One that does not even take a line learns it by the end of the connection. */
	if (send(fd, line, n, MSG_NOSIGNAL | MSG_DONTWAIT) < 0)
		(void)errno;
	close(fd);
}

/*
 * What was turned to us has kept the address that its client called, which says the direction. One that is no next hop now is
 * refused by the session: the kernel may have another policy for a moment.
 */
static void find_meant(const struct maild *m, int fd, struct caller *who)
{
	struct sockaddr_storage here = {0};
	socklen_t len = sizeof(here);
	const struct ir_mail *way = NULL;

	if (getsockname(fd, (struct sockaddr *)&here, &len) == 0)
		who->meant = addr_of(&here);
	if (m->policy != NULL)
		way = ir_mail_turned(&m->policy->ir, &who->meant);
	who->way = way != NULL && way->direction == MAIL_OUT ? MAIL_OUT : MAIL_IN;
}

static void take_client(struct maild *m, const struct listener *l, int fd, const struct sockaddr_storage *from)
{
	struct caller who = {.peer = addr_of(from), .way = l->address.direction == MSG_MAIL_OUT ? MAIL_OUT : MAIL_IN};

	if (l->address.transparent)
		find_meant(m, fd, &who);
	m->counts[who.way].connections++;
	send_at_once(fd);
	if (sessions_of(m, &who.peer) >= MAILD_SESSIONS_A_SOURCE)
		turn_away(fd);
	else if (session_start(m, fd, &who) != 0)
		close(fd);
	if (m->nsessions >= MAILD_SESSIONS)
		listen_pause(m, true);
}

static void on_listen(void *arg, int fd, uint32_t events)
{
	struct maild *m = arg;
	const struct listener *l = NULL;

	(void)events;
	for (unsigned i = 0; i < m->nlisteners; i++)
		if (m->listeners[i].fd == fd)
			l = &m->listeners[i];
	for (unsigned i = 0; l != NULL && i < ACCEPTS_A_TURN && !m->paused; i++) {
		struct sockaddr_storage from = {0};
		socklen_t len = sizeof(from);
		int client = accept4(fd, (struct sockaddr *)&from, &len, SOCK_CLOEXEC | SOCK_NONBLOCK);
		if (client < 0)
			return;
		take_client(m, l, client, &from);
	}
}

void listen_pause(struct maild *m, bool pause)
{
	if (m->paused == pause)
		return;
	m->paused = pause;
	for (unsigned i = 0; i < m->nlisteners; i++)
		loop_mod_fd(m->d->loop, m->listeners[i].fd, pause ? 0 : EPOLLIN);
}

/* Who has come already is let in: with the socket he would be cut off. */
static void close_listeners(struct maild *m)
{
	for (unsigned i = 0; i < m->nlisteners; i++) {
		loop_del_fd(m->d->loop, m->listeners[i].fd);
		if (!m->draining)
			on_listen(m, m->listeners[i].fd, EPOLLIN);
		close(m->listeners[i].fd);
	}
	m->nlisteners = 0;
}

/* Takes the descriptor, -1 for none. */
void listen_take(struct maild *m, const struct msg_mail_listener *l, int fd)
{
	if (l->index == 0)
		close_listeners(m);
	if (fd < 0) {
		if (l->error != 0)
			daemon_log("an address of the policy cannot be listened on: %s", strerror((int)l->error));
		return;
	}
	if (m->nlisteners == MSG_MAIL_LISTENERS_MAX || m->draining ||
		loop_add_fd(m->d->loop, fd, m->paused ? 0 : EPOLLIN, on_listen, m) != 0) {
		close(fd);
		return;
	}
	m->listeners[m->nlisteners++] = (struct listener){.fd = fd, .address = l->address};
}
