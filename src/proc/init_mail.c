/*
 * init_mail.c: what sekisho-maild listens on: opened here, as port 25 and foreign addresses need root.
 *
 * Trust: the wish comes from sekishod, which may name addresses; the port is that of mail, or of the connections that the
 * kernel turns to us (TPROXY), whatever it says. Nothing is read from these sockets here, and none is kept.
 * Failure: an address that cannot be had is told with its error; the others serve. What sekisho-maild has no room for now
 * stays due, and is handed over again half a second later.
 *
 * An address that stays is opened again beside its old socket (SO_REUSEPORT, of our uid alone), which sekisho-maild closes when
 * it has the new one: nobody is refused meanwhile.
 */
#include "init.h"

#include <errno.h>
#include <netinet/in.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include <sekisho/addr.h>

#define BACKLOG 1024

static bool set_flag(int fd, int level, int name)
{
	int on = 1;

	return setsockopt(fd, level, name, &on, sizeof(on)) == 0;
}

/* The address may not be on its interface yet; that of a connection that was turned to us never is ours. */
static bool prepare(int fd, const struct msg_mail_address *a)
{
	bool v6 = a->family == 6;
	int level = v6 ? IPPROTO_IPV6 : IPPROTO_IP;

	if (!set_flag(fd, SOL_SOCKET, SO_REUSEADDR) || !set_flag(fd, SOL_SOCKET, SO_REUSEPORT) ||
		!set_flag(fd, level, v6 ? IPV6_FREEBIND : IP_FREEBIND))
		return false;
	if (v6 && !set_flag(fd, IPPROTO_IPV6, IPV6_V6ONLY))
		return false;
	return !a->transparent || set_flag(fd, level, v6 ? IPV6_TRANSPARENT : IP_TRANSPARENT);
}

static int bind_to(int fd, const struct msg_mail_address *a)
{
	struct sockaddr_in v4 = {.sin_family = AF_INET, .sin_port = htons(a->port)};
	struct sockaddr_in6 v6 = {.sin6_family = AF_INET6, .sin6_port = htons(a->port)};

	if (a->family == 6) {
		memcpy(&v6.sin6_addr, a->addr, sizeof(v6.sin6_addr));
		return bind(fd, (struct sockaddr *)&v6, sizeof(v6));
	}
	memcpy(&v4.sin_addr, a->addr, sizeof(v4.sin_addr));
	return bind(fd, (struct sockaddr *)&v4, sizeof(v4));
}

/* Descriptor or -errno. */
static int open_listener(const struct msg_mail_address *a)
{
	static const uint8_t any[16];

	if ((a->family != 4 && a->family != 6) || a->port != (a->transparent ? DAEMON_MAIL_TURNED_PORT : DAEMON_MAIL_PORT))
		return -EINVAL;
	/* What is turned to us may be meant for any address; what is not is for the policy's. */
	if ((memcmp(a->addr, any, sizeof(any)) == 0) != (a->transparent != 0))
		return -EINVAL;
	int fd = socket(a->family == 6 ? AF_INET6 : AF_INET, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
	if (fd < 0)
		return -errno;
	if (prepare(fd, a) && bind_to(fd, a) == 0 && listen(fd, BACKLOG) == 0)
		return fd;
	int e = errno;
	close(fd);
	return -e;
}

/* False: sekisho-maild has no room for it now. */
static bool hand_over(struct init *in, uint32_t index)
{
	const struct msg_mail_listen *l = &in->listen;
	struct msg_mail_listener m = {.index = index, .n = l->n};
	int fd = -1;

	if (l->n > 0) {
		m.address = l->address[index];
		fd = open_listener(&m.address);
		m.error = fd < 0 ? (uint32_t)-fd : 0;
	}
	int r = msg_send(in->daemons[INIT_MAIL].fd, MSG_MAIL_LISTENER, 0, &m, fd >= 0 ? &fd : NULL, fd >= 0);
	if (fd >= 0)
		close(fd);
	return r != -EAGAIN;
}

void init_mail_check(struct init *in)
{
	uint32_t all = in->listen.n > 0 ? in->listen.n : 1;

	if (!in->daemons[INIT_MAIL].ready)
		return;
	while (in->listen_next < all && hand_over(in, in->listen_next))
		in->listen_next++;
}

void init_mail_ready(struct init *in)
{
	in->listen_next = 0;
	init_mail_check(in);
}

void init_mail_listen(struct init *in, const struct msg_mail_listen *l)
{
	in->listen = *l;
	init_mail_ready(in);
}
