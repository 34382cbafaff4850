/*
 * open_netfilter.c: what only root can open of the packet filter: NFLOG sockets, events of connections, the list of queues.
 *
 * Nothing is parsed here but the kernel's acknowledgement of our own requests. NFLOG: linux/netfilter/nfnetlink_log.h; the
 * values are the measured ones (no loss at 118 k events/s and more). Apart from open.c, so that a program that needs no
 * netlink is linked without its library.
 */
#include <sekisho/open.h>

#include <arpa/inet.h>
#include <errno.h>
#include <fcntl.h>
#include <libmnl/libmnl.h>
#include <linux/netfilter/nfnetlink.h>
#include <linux/netfilter/nfnetlink_log.h>
#include <linux/netfilter/nfnetlink_queue.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#define NFLOG_PACKET_BYTES 128
#define NFLOG_BATCH 64
#define NFLOG_BUFFER (64 * 1024)
#define NFLOG_FLUSH_10MS 10
#define NFLOG_RECEIVE (32 << 20)
/* Some ten thousand ends of connections: less than drops get, which must not be lost. */
#define CT_RECEIVE (8 << 20)

static struct nlmsghdr *nflog_request(void *buf, uint16_t group)
{
	struct nlmsghdr *h = mnl_nlmsg_put_header(buf);
	struct nfgenmsg *g;

	h->nlmsg_type = NFNL_SUBSYS_ULOG << 8 | NFULNL_MSG_CONFIG;
	h->nlmsg_flags = NLM_F_REQUEST | NLM_F_ACK;
	g = mnl_nlmsg_put_extra_header(h, sizeof(*g));
	*g = (struct nfgenmsg){AF_UNSPEC, NFNETLINK_V0, htons(group)};
	return h;
}

/* Sends one request and waits for the kernel's answer: 0 or -errno. Events that already come are skipped. */
static int nflog_ask(int fd, const struct nlmsghdr *h)
{
	char buf[8192];
	ssize_t n;

	if (send(fd, h, h->nlmsg_len, 0) < 0)
		return -errno;
	while ((n = recv(fd, buf, sizeof(buf), 0)) >= 0 || errno == EINTR || errno == ENOBUFS) {
		const struct nlmsghdr *a = (const struct nlmsghdr *)(const void *)buf;
		const struct nlmsgerr *e = mnl_nlmsg_get_payload(a);
		if (n >= (ssize_t)(sizeof(*a) + sizeof(*e)) && a->nlmsg_type == NLMSG_ERROR)
			return e->error;
	}
	return -errno;
}

static int nflog_configure(int fd, uint16_t group)
{
	char buf[512];
	struct nlmsghdr *h = nflog_request(buf, group);
	struct nfulnl_msg_config_cmd bind = {NFULNL_CFG_CMD_BIND};
	struct nfulnl_msg_config_mode mode = {htonl(NFLOG_PACKET_BYTES), NFULNL_COPY_PACKET, 0};
	int r;

	mnl_attr_put(h, NFULA_CFG_CMD, sizeof(bind), &bind);
	r = nflog_ask(fd, h);
	if (r < 0)
		return r;
	h = nflog_request(buf, group);
	mnl_attr_put(h, NFULA_CFG_MODE, sizeof(mode), &mode);
	mnl_attr_put_u32(h, NFULA_CFG_NLBUFSIZ, htonl(NFLOG_BUFFER));
	mnl_attr_put_u32(h, NFULA_CFG_TIMEOUT, htonl(NFLOG_FLUSH_10MS));
	mnl_attr_put_u32(h, NFULA_CFG_QTHRESH, htonl(NFLOG_BATCH));
	mnl_attr_put_u16(h, NFULA_CFG_FLAGS, htons(NFULNL_CFG_F_SEQ));
	return nflog_ask(fd, h);
}

int nflog_open(uint16_t group)
{
	int fd = socket(AF_NETLINK, SOCK_RAW | SOCK_CLOEXEC, NETLINK_NETFILTER);
	int size = NFLOG_RECEIVE, r = 0;
	struct sockaddr_nl self = {.nl_family = AF_NETLINK};
	struct timeval patience = {.tv_sec = 2};

	if (fd < 0)
		return -errno;
	if (setsockopt(fd, SOL_SOCKET, SO_RCVBUFFORCE, &size, sizeof(size)) < 0 ||
		setsockopt(fd, SOL_SOCKET, SO_RCVTIMEO, &patience, sizeof(patience)) < 0 ||
		bind(fd, (struct sockaddr *)&self, sizeof(self)) < 0)
		r = -errno;
	if (r == 0)
		r = nflog_configure(fd, group);
	if (r == 0 && fcntl(fd, F_SETFL, O_NONBLOCK) < 0)
		r = -errno;
	if (r < 0) {
		close(fd);
		return r;
	}
	return fd;
}

int ct_events_open(void)
{
	int fd = socket(AF_NETLINK, SOCK_RAW | SOCK_CLOEXEC | SOCK_NONBLOCK, NETLINK_NETFILTER);
	int size = CT_RECEIVE, group = NFNLGRP_CONNTRACK_DESTROY;
	struct sockaddr_nl self = {.nl_family = AF_NETLINK};

	if (fd < 0)
		return -errno;
	if (setsockopt(fd, SOL_SOCKET, SO_RCVBUFFORCE, &size, sizeof(size)) < 0 ||
		bind(fd, (struct sockaddr *)&self, sizeof(self)) < 0 ||
		setsockopt(fd, SOL_NETLINK, NETLINK_ADD_MEMBERSHIP, &group, sizeof(group)) < 0) {
		int e = errno;
		close(fd);
		return -e;
	}
	return fd;
}

/* The list is there once the kernel has its module, and any message for it loads that. */
static void load_queues(void)
{
	char buf[512], answer[512];
	struct nlmsghdr *h = mnl_nlmsg_put_header(buf);
	struct nfqnl_msg_config_cmd cmd = {NFQNL_CFG_CMD_PF_UNBIND, 0, htons(AF_UNSPEC)}; /* has no effect any more */
	int fd = socket(AF_NETLINK, SOCK_RAW | SOCK_CLOEXEC, NETLINK_NETFILTER);

	h->nlmsg_type = NFNL_SUBSYS_QUEUE << 8 | NFQNL_MSG_CONFIG;
	h->nlmsg_flags = NLM_F_REQUEST | NLM_F_ACK;
	struct nfgenmsg *g = mnl_nlmsg_put_extra_header(h, sizeof(*g));
	*g = (struct nfgenmsg){AF_UNSPEC, NFNETLINK_V0, 0};
	mnl_attr_put(h, NFQA_CFG_CMD, sizeof(cmd), &cmd);
	/* The answer comes inside send(); what it says is the same to us. */
	if (fd >= 0 && send(fd, h, h->nlmsg_len, 0) > 0)
		recv(fd, answer, sizeof(answer), MSG_DONTWAIT);
	if (fd >= 0)
		close(fd);
}

int queue_list_open(void)
{
	load_queues();
	int fd = open("/proc/net/netfilter/nfnetlink_queue", O_RDONLY | O_CLOEXEC);
	if (fd < 0)
		fd = open("/dev/null", O_RDONLY | O_CLOEXEC);
	return fd < 0 ? -errno : fd;
}
