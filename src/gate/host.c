/*
 * host.c: the link to sekisho-hostd.
 *
 * Whoever may ask it gets a socket of his own to it: nothing that he says there, and no password, comes by
 * here. Input: its MSG_FAULT, what it did, which is recorded under its name. Failure: the client is told that
 * it does not answer.
 */
#include "host.h"

#include "gate.h"

#include <errno.h>
#include <sys/epoll.h>
#include <sys/socket.h>
#include <unistd.h>

#include <sekisho/i18n.h>
#include <sekisho/loop.h>

static void on_host(void *arg, int fd, uint32_t events)
{
	struct gate *g = arg;
	struct msg m;

	(void)events;
	int r = msg_recv(fd, &m);
	if (r == -EAGAIN)
		return;
	if (r == 1 && m.type == MSG_FAULT) {
		record(g, m.u.msg_fault.severity, m.u.msg_fault.code, "%s", m.u.msg_fault.text);
		return;
	}
	if (r == 1)
		msg_close_fds(&m);
	daemon_peer_broken(g->d, MSG_PEER_HOST);
}

int host_start(struct gate *g, int fd)
{
	g->host = fd;
	return fd < 0 ? 0 : loop_add_fd(g->d->loop, fd, EPOLLIN, on_host, g);
}

void host_open(struct gate *g, struct client *c)
{
	struct msg_host_client m = {.uid = c->peer.uid, .role = roles_first(client_roles(g, c)), .verb = c->request.verb};
	int pair[2];

	if (g->host < 0 || socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0, pair) != 0) {
		client_opened(g, c, -1, _("the keeper of accounts does not answer"));
		return;
	}
	int r = msg_send(g->host, MSG_HOST_CLIENT, 0, &m, &pair[1], 1);
	close(pair[1]);
	client_opened(g, c, r == 0 ? pair[0] : -1, _("the keeper of accounts does not answer"));
	close(pair[0]);
}
