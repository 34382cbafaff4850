/*
 * wire.c: netlink sockets (see wire.h). RFC 3549; Documentation/userspace-api/netlink/intro.rst of the kernel.
 *
 * Peer: the kernel alone (messages with another sender are dropped). Lengths are checked all the same.
 * The kernel works through a batch inside sendmsg(), so its answers are there when sendmsg() returns.
 */
#include "wire.h"

#include <arpa/inet.h>
#include <endian.h>
#include <errno.h>
#include <linux/netfilter/nfnetlink.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

/* 100 k elements are 12 MB in one send; 20 000 failing messages answer 20 000 times. */
#define SOCKET_BUFFER (64 << 20)

static int set_options(int fd)
{
	int size = SOCKET_BUFFER, one = 1;

	/* Without the privilege the plain sizes stay: small rulesets still fit. */
	if (setsockopt(fd, SOL_SOCKET, SO_RCVBUFFORCE, &size, sizeof(size)) != 0)
		setsockopt(fd, SOL_SOCKET, SO_RCVBUF, &size, sizeof(size));
	if (setsockopt(fd, SOL_SOCKET, SO_SNDBUFFORCE, &size, sizeof(size)) != 0)
		setsockopt(fd, SOL_SOCKET, SO_SNDBUF, &size, sizeof(size));
	setsockopt(fd, SOL_NETLINK, NETLINK_CAP_ACK, &one, sizeof(one));
	return setsockopt(fd, SOL_NETLINK, NETLINK_EXT_ACK, &one, sizeof(one)) != 0 ? -errno : 0;
}

static int bind_socket(struct wire *w, uint32_t groups)
{
	struct sockaddr_nl a = {.nl_family = AF_NETLINK, .nl_groups = groups};
	socklen_t n = sizeof(a);
	int r;

	if ((r = set_options(w->fd)) != 0)
		return r;
	if (bind(w->fd, (struct sockaddr *)&a, sizeof(a)) != 0 || getsockname(w->fd, (struct sockaddr *)&a, &n) != 0)
		return -errno;
	w->portid = a.nl_pid;
	return 0;
}

int wire_open(struct wire *w, uint32_t groups)
{
	*w = (struct wire){.fd = socket(AF_NETLINK, SOCK_RAW | SOCK_CLOEXEC, NETLINK_NETFILTER)};
	if (w->fd < 0)
		return -errno;
	int r = bind_socket(w, groups);
	w->reply = malloc(WIRE_REPLY);
	if (r == 0 && w->reply == NULL)
		r = -ENOMEM;
	if (r != 0)
		wire_close(w);
	return r;
}

void wire_close(struct wire *w)
{
	if (w->fd >= 0)
		close(w->fd);
	free(w->reply);
	*w = (struct wire){.fd = -1};
}

int wire_send(struct wire *w, struct iovec *parts, size_t nparts)
{
	struct sockaddr_nl kernel = {.nl_family = AF_NETLINK};
	struct msghdr m = {.msg_name = w->stand_in ? NULL : &kernel,
		.msg_namelen = w->stand_in ? 0 : sizeof(kernel), .msg_iov = parts, .msg_iovlen = nparts};
	size_t len = 0;

	for (size_t i = 0; i < nparts; i++)
		len += parts[i].iov_len;
	int want = (int)(len + (64u << 10));
	if (len > SOCKET_BUFFER / 2)
		setsockopt(w->fd, SOL_SOCKET, SO_SNDBUFFORCE, &want, sizeof(want));
	ssize_t n;
	do
		n = sendmsg(w->fd, &m, 0);
	while (n < 0 && errno == EINTR);
	if (n < 0)
		return -errno;
	return (size_t)n == len ? 0 : -EIO;
}

/* One datagram from the kernel: > 0 its bytes, 0 when there is none (MSG_DONTWAIT), -errno. */
static ssize_t receive(struct wire *w, int flags)
{
	for (;;) {
		struct sockaddr_nl from;
		struct iovec iov = {w->reply, WIRE_REPLY};
		struct msghdr m = {.msg_name = &from, .msg_namelen = sizeof(from), .msg_iov = &iov, .msg_iovlen = 1};
		ssize_t n = recvmsg(w->fd, &m, flags);
		if (n < 0 && errno == EINTR)
			continue;
		if (n < 0)
			return errno == EAGAIN ? 0 : -errno;
		if ((m.msg_flags & MSG_TRUNC) != 0)
			return -EMSGSIZE;
		if (n > 0 && (w->stand_in || (m.msg_namelen == sizeof(from) && from.nl_pid == 0)))
			return n;
	}
}

static bool next_message(const struct nlmsghdr **h, ssize_t *left, bool first)
{
	if (!first) {
		ssize_t step = (ssize_t)NLMSG_ALIGN((*h)->nlmsg_len);
		if (step >= *left)
			return false;
		*left -= step;
		*h = (const void *)((const uint8_t *)*h + step);
	}
	return *left >= (ssize_t)sizeof(**h) && (*h)->nlmsg_len >= sizeof(**h) && (*h)->nlmsg_len <= (size_t)*left;
}

static void read_error(const struct nlmsghdr *h, struct wire_error *e)
{
	const struct nlmsgerr *err = NLMSG_DATA(h);
	const struct nlattr *a;

	*e = (struct wire_error){.error = -err->error, .seq = err->msg.nlmsg_seq};
	if ((h->nlmsg_flags & NLM_F_ACK_TLVS) == 0)
		return;
	size_t skip = sizeof(*err);
	if ((h->nlmsg_flags & NLM_F_CAPPED) == 0)
		skip += NLMSG_ALIGN(err->msg.nlmsg_len) - sizeof(err->msg);
	if ((a = wire_attr(h, skip, NLMSGERR_ATTR_MSG)) != NULL)
		strncpy(e->text, wire_str(a), sizeof(e->text) - 1);
	if ((a = wire_attr(h, skip, NLMSGERR_ATTR_OFFS)) != NULL && wire_len(a) == 4)
		memcpy(&e->offset, wire_data(a), 4);
}

int wire_collect(struct wire *w, wire_error_fn *fn, void *arg)
{
	ssize_t n;

	while ((n = receive(w, MSG_DONTWAIT)) > 0) {
		const struct nlmsghdr *h = (const void *)w->reply;
		for (bool first = true; next_message(&h, &n, first); first = false) {
			struct wire_error e;
			if (h->nlmsg_type != NLMSG_ERROR || h->nlmsg_len < NLMSG_LENGTH(sizeof(struct nlmsgerr)))
				continue;
			read_error(h, &e);
			fn(arg, &e);
		}
	}
	return (int)n;
}

/* 1: go on; 0: done; -errno. */
static int take_message(const struct nlmsghdr *h, uint32_t seq, bool *interrupted, wire_message_fn *fn, void *arg)
{
	struct wire_error e;
	int status;

	if (h->nlmsg_seq != seq)
		return 1;
	*interrupted |= (h->nlmsg_flags & NLM_F_DUMP_INTR) != 0;
	switch (h->nlmsg_type) {
	case NLMSG_ERROR:
		if (h->nlmsg_len < NLMSG_LENGTH(sizeof(struct nlmsgerr)))
			return -EPROTO;
		read_error(h, &e);
		return -e.error;
	case NLMSG_DONE:
		status = 0;
		if (h->nlmsg_len >= NLMSG_LENGTH(sizeof(int)))
			memcpy(&status, NLMSG_DATA(h), sizeof(status));
		return status < 0 ? status : 0;
	case NLMSG_NOOP:
		return 1;
	default:
		status = fn(arg, h);
		if (status < 0)
			return status;
		return (h->nlmsg_flags & NLM_F_MULTI) != 0;
	}
}

int wire_dump(struct wire *w, struct buf *b, wire_message_fn *fn, void *arg)
{
	struct nlmsghdr *q = (void *)b->data;
	bool interrupted = false;
	int r;

	q->nlmsg_seq = ++w->seq;
	struct iovec part = {b->data, b->len};
	if ((r = wire_send(w, &part, 1)) != 0)
		return r;
	for (;;) {
		ssize_t n = receive(w, 0);
		if (n <= 0)
			return n == 0 ? -EAGAIN : (int)n;
		const struct nlmsghdr *h = (const void *)w->reply;
		for (bool first = true; next_message(&h, &n, first); first = false)
			if ((r = take_message(h, w->seq, &interrupted, fn, arg)) <= 0)
				return r == 0 && interrupted ? -EINTR : r;
	}
}

/* -- attributes ------------------------------------------------------------------------------------------------ */

static const struct nlattr *find(const uint8_t *p, size_t left, uint16_t type)
{
	while (left >= NLA_HDRLEN) {
		const struct nlattr *a = (const void *)p;
		size_t step = NLA_ALIGN((size_t)a->nla_len);
		if (a->nla_len < NLA_HDRLEN || a->nla_len > left)
			return NULL;
		if ((a->nla_type & NLA_TYPE_MASK) == type)
			return a;
		if (step >= left)
			return NULL;
		p += step;
		left -= step;
	}
	return NULL;
}

const struct nlattr *wire_attr(const struct nlmsghdr *h, size_t skip, uint16_t type)
{
	size_t head = NLMSG_HDRLEN + NLMSG_ALIGN(skip);

	return h->nlmsg_len > head ? find((const uint8_t *)h + head, h->nlmsg_len - head, type) : NULL;
}

const struct nlattr *wire_nested(const struct nlattr *outer, uint16_t type)
{
	return outer == NULL ? NULL : find(wire_data(outer), wire_len(outer), type);
}

const char *wire_str(const struct nlattr *a)
{
	return a != NULL && memchr(wire_data(a), '\0', wire_len(a)) != NULL ? wire_data(a) : "";
}

uint32_t wire_be32(const struct nlattr *a, uint32_t otherwise)
{
	uint32_t v;

	if (a == NULL || wire_len(a) != sizeof(v))
		return otherwise;
	memcpy(&v, wire_data(a), sizeof(v));
	return ntohl(v);
}

uint64_t wire_be64(const struct nlattr *a, uint64_t otherwise)
{
	uint64_t v;

	if (a == NULL || wire_len(a) != sizeof(v))
		return otherwise;
	memcpy(&v, wire_data(a), sizeof(v));
	return be64toh(v);
}
