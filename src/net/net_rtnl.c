/*
 * net_rtnl.c: requests to the kernel over rtnetlink (RFC 3549, rtnetlink(7)).
 *
 * Messages are built with libmnl; answers are walked with bounded readers. Only answers from the kernel (port 0)
 * with our sequence number count. A dump that the kernel calls interrupted begins again, DUMP_TRIES times.
 * Blocking with a time limit of two seconds: rtnetlink answers inside sendmsg().
 */
#include "net_private.h"

#include <errno.h>
#include <libmnl/libmnl.h>
#include <linux/fib_rules.h>
#include <linux/if_addr.h>
#include <linux/if_link.h>
#include <linux/neighbour.h>
#include <linux/netlink.h>
#include <linux/rtnetlink.h>
#include <stdalign.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/time.h>
#include <unistd.h>

#include <sekisho/reader.h>
#include <sekisho/ruleset.h>

#define DUMP_TRIES 8
#define ANSWER_MAX 65536
#define REQUEST_MAX 1024

int net_rtnl_open(struct net_rtnl *r)
{
	struct sockaddr_nl me = {.nl_family = AF_NETLINK};
	struct timeval limit = {.tv_sec = 2};
	int on = 1;

	r->seq = 1;
	r->fd = socket(AF_NETLINK, SOCK_RAW | SOCK_CLOEXEC, NETLINK_ROUTE);
	if (r->fd < 0)
		return -errno;
	setsockopt(r->fd, SOL_NETLINK, NETLINK_CAP_ACK, &on, sizeof(on));
	if (setsockopt(r->fd, SOL_SOCKET, SO_RCVTIMEO, &limit, sizeof(limit)) != 0 ||
		bind(r->fd, (struct sockaddr *)&me, sizeof(me)) != 0) {
		int e = errno;
		net_rtnl_close(r);
		return -e;
	}
	return 0;
}

void net_rtnl_close(struct net_rtnl *r)
{
	if (r->fd >= 0)
		close(r->fd);
	r->fd = -1;
}

static int send_request(struct net_rtnl *r, struct nlmsghdr *h)
{
	struct sockaddr_nl kernel = {.nl_family = AF_NETLINK};

	h->nlmsg_seq = ++r->seq;
	ssize_t n = sendto(r->fd, h, h->nlmsg_len, 0, (struct sockaddr *)&kernel, sizeof(kernel));
	return n == (ssize_t)h->nlmsg_len ? 0 : n < 0 ? -errno : -EIO;
}

/* One datagram of the kernel into buf; others' datagrams are passed over. Bytes, or -errno. */
static ssize_t receive(struct net_rtnl *r, void *buf, size_t size)
{
	for (;;) {
		struct sockaddr_nl from = {0};
		struct iovec iov = {buf, size};
		struct msghdr m = {.msg_name = &from, .msg_namelen = sizeof(from), .msg_iov = &iov, .msg_iovlen = 1};
		ssize_t n = recvmsg(r->fd, &m, 0);
		if (n < 0 && errno == EINTR)
			continue;
		if (n < 0)
			return errno == EAGAIN ? -ETIMEDOUT : -errno;
		if ((m.msg_flags & MSG_TRUNC) != 0)
			return -EMSGSIZE;
		if (from.nl_pid == 0)
			return n;
	}
}

/* What one datagram said about the request `seq`. */
enum answer { ANSWER_MORE, ANSWER_DONE, ANSWER_INTERRUPTED };

struct walk {
	uint32_t seq;
	bool interrupted;
	int error;
	net_dump_fn *fn;
	void *arg;
};

static enum answer walk_answer(struct walk *w, const void *p, size_t n)
{
	struct reader r = reader_init(p, n);

	while (reader_left(&r) >= sizeof(struct nlmsghdr)) {
		struct nlmsghdr h;
		reader_copy(&r, &h, sizeof(h));
		if (h.nlmsg_len < sizeof(h))
			break;
		size_t body = h.nlmsg_len - sizeof(h), pad = (4 - body % 4) % 4;
		const uint8_t *payload = reader_bytes(&r, body);
		if (payload == NULL)
			break;
		reader_skip(&r, pad < reader_left(&r) ? pad : reader_left(&r));
		if (h.nlmsg_seq != w->seq)
			continue;
		w->interrupted |= (h.nlmsg_flags & NLM_F_DUMP_INTR) != 0;
		if (h.nlmsg_type == NLMSG_ERROR || h.nlmsg_type == NLMSG_DONE) {
			int32_t e = 0;
			if (body >= sizeof(e))
				memcpy(&e, payload, sizeof(e));
			w->error = e;
			return ANSWER_DONE;
		}
		if (w->fn != NULL)
			w->fn(w->arg, payload, body);
	}
	return ANSWER_MORE;
}

static int wait_answer(struct net_rtnl *r, struct walk *w)
{
	static alignas(struct nlmsghdr) uint8_t buf[ANSWER_MAX];

	w->seq = r->seq;
	for (;;) {
		ssize_t n = receive(r, buf, sizeof(buf));
		if (n < 0)
			return (int)n;
		if (walk_answer(w, buf, (size_t)n) == ANSWER_DONE)
			return w->error;
	}
}

int net_rtnl_dump(struct net_rtnl *r, uint16_t type, void (*restart)(void *arg), net_dump_fn *fn, void *arg)
{
	for (int i = 0; i < DUMP_TRIES; i++) {
		/* The general header: long enough for every family's own. */
		struct {
			struct nlmsghdr h;
			struct ifinfomsg m;
		} q = {.h = {.nlmsg_len = sizeof(q), .nlmsg_type = type, .nlmsg_flags = NLM_F_REQUEST | NLM_F_DUMP}};
		struct walk w = {.fn = fn, .arg = arg};
		int e = send_request(r, &q.h);
		if (restart != NULL)
			restart(arg);
		if (e == 0)
			e = wait_answer(r, &w);
		if (e != 0 && e != -EINTR)
			return e;
		if (e == 0 && !w.interrupted)
			return 0;
	}
	return -EAGAIN;
}

static int talk(struct net_rtnl *r, struct nlmsghdr *h)
{
	struct walk w = {0};

	h->nlmsg_flags |= NLM_F_REQUEST | NLM_F_ACK;
	int e = send_request(r, h);
	return e != 0 ? e : wait_answer(r, &w);
}

static uint8_t af_of(uint8_t family)
{
	return family == 4 ? AF_INET : AF_INET6;
}

static size_t len_of(uint8_t family)
{
	return family == 4 ? 4 : 16;
}

static void put_addr(struct nlmsghdr *h, const struct net_fact *f)
{
	struct ifaddrmsg *m = mnl_nlmsg_put_extra_header(h, sizeof(*m));
	bool peer = memcmp(f->via, (const uint8_t[16]){0}, sizeof(f->via)) != 0;

	m->ifa_family = af_of(f->family);
	m->ifa_prefixlen = f->plen;
	m->ifa_index = f->ifindex;
	mnl_attr_put(h, IFA_LOCAL, len_of(f->family), f->addr);
	mnl_attr_put(h, IFA_ADDRESS, len_of(f->family), peer ? f->via : f->addr);
	if (h->nlmsg_type != RTM_NEWADDR)
		return;
	mnl_attr_put_u8(h, IFA_PROTO, NET_PROTO_OURS);
	/* A neighbour must not be able to talk the gate out of its own address. */
	if (f->family == 6)
		mnl_attr_put_u32(h, IFA_FLAGS, IFA_F_NODAD);
}

static void put_route(struct nlmsghdr *h, const struct net_fact *f)
{
	struct rtmsg *m = mnl_nlmsg_put_extra_header(h, sizeof(*m));
	bool via = memcmp(f->via, (const uint8_t[16]){0}, sizeof(f->via)) != 0, add = h->nlmsg_type == RTM_NEWROUTE;

	m->rtm_family = af_of(f->family);
	m->rtm_dst_len = f->plen;
	m->rtm_tos = (uint8_t)f->tos;
	m->rtm_table = f->kind == NET_TURN_ROUTE ? NET_TURN_TABLE : RT_TABLE_MAIN;
	m->rtm_protocol = (uint8_t)f->proto;
	m->rtm_scope = !add ? RT_SCOPE_NOWHERE : f->type == RTN_LOCAL ? RT_SCOPE_HOST : via ? RT_SCOPE_UNIVERSE : RT_SCOPE_LINK;
	m->rtm_type = f->type;
	mnl_attr_put(h, RTA_DST, len_of(f->family), f->addr);
	if (via)
		mnl_attr_put(h, RTA_GATEWAY, len_of(f->family), f->via);
	if (f->ifindex != 0)
		mnl_attr_put_u32(h, RTA_OIF, f->ifindex);
	if (f->metric != 0)
		mnl_attr_put_u32(h, RTA_PRIORITY, f->metric);
}

static void put_neigh(struct nlmsghdr *h, const struct net_fact *f)
{
	struct ndmsg *m = mnl_nlmsg_put_extra_header(h, sizeof(*m));
	m->ndm_family = af_of(f->family);
	m->ndm_ifindex = (int)f->ifindex;
	m->ndm_state = NUD_PERMANENT;
	mnl_attr_put(h, NDA_DST, len_of(f->family), f->addr);
	if (h->nlmsg_type != RTM_NEWNEIGH)
		return;
	mnl_attr_put(h, NDA_LLADDR, 6, f->via);
	mnl_attr_put_u8(h, NDA_PROTOCOL, NET_PROTO_OURS);
}

static void put_rule(struct nlmsghdr *h, const struct net_fact *f)
{
	struct fib_rule_hdr *m = mnl_nlmsg_put_extra_header(h, sizeof(*m));

	m->family = af_of(f->family);
	m->table = NET_TURN_TABLE;
	m->action = FR_ACT_TO_TBL;
	mnl_attr_put_u32(h, FRA_PRIORITY, NET_TURN_PRIORITY);
	mnl_attr_put_u32(h, FRA_FWMARK, TURNED_MARK);
	mnl_attr_put_u32(h, FRA_FWMASK, UINT32_MAX);
	mnl_attr_put_u8(h, FRA_PROTOCOL, NET_PROTO_OURS);
}

static int change(struct net_rtnl *r, const struct net_fact *f, bool add)
{
	static const struct {
		uint16_t add, remove;
		void (*put)(struct nlmsghdr *h, const struct net_fact *f);
	} kinds[] = {
		[NET_ADDR] = {RTM_NEWADDR, RTM_DELADDR, put_addr},
		[NET_ROUTE] = {RTM_NEWROUTE, RTM_DELROUTE, put_route},
		[NET_NEIGH] = {RTM_NEWNEIGH, RTM_DELNEIGH, put_neigh},
		[NET_TURN_ROUTE] = {RTM_NEWROUTE, RTM_DELROUTE, put_route},
		[NET_TURN_RULE] = {RTM_NEWRULE, RTM_DELRULE, put_rule},
	};
	alignas(struct nlmsghdr) uint8_t buf[REQUEST_MAX];
	struct nlmsghdr *h = mnl_nlmsg_put_header(buf);

	h->nlmsg_type = add ? kinds[f->kind].add : kinds[f->kind].remove;
	h->nlmsg_flags = add ? NLM_F_CREATE | NLM_F_REPLACE : 0;
	kinds[f->kind].put(h, f);
	return talk(r, h);
}

int net_rtnl_add(struct net_rtnl *r, const struct net_fact *f)
{
	return change(r, f, true);
}

int net_rtnl_remove(struct net_rtnl *r, const struct net_fact *f)
{
	int e = change(r, f, false);

	/* Gone already, with its interface or another setting. */
	return e == -ESRCH || e == -ENOENT || e == -EADDRNOTAVAIL || e == -ENODEV ? 0 : e;
}

int net_rtnl_link_up(struct net_rtnl *r, uint32_t ifindex, bool up)
{
	alignas(struct nlmsghdr) uint8_t buf[REQUEST_MAX];
	struct nlmsghdr *h = mnl_nlmsg_put_header(buf);
	struct ifinfomsg *m = mnl_nlmsg_put_extra_header(h, sizeof(*m));

	h->nlmsg_type = RTM_NEWLINK;
	m->ifi_index = (int)ifindex;
	m->ifi_change = IFF_UP;
	m->ifi_flags = up ? IFF_UP : 0;
	return talk(r, h);
}

/* The kernel takes an alias only for a link that is there. */
static int mark_ours(struct net_rtnl *r, const char *name)
{
	alignas(struct nlmsghdr) uint8_t buf[REQUEST_MAX];
	struct nlmsghdr *h = mnl_nlmsg_put_header(buf);

	h->nlmsg_type = RTM_NEWLINK;
	mnl_nlmsg_put_extra_header(h, sizeof(struct ifinfomsg));
	mnl_attr_put_strz(h, IFLA_IFNAME, name);
	mnl_attr_put_strz(h, IFLA_IFALIAS, NET_ALIAS_OURS);
	return talk(r, h);
}

int net_rtnl_vlan_new(struct net_rtnl *r, const char *name, uint32_t parent, uint16_t vlan)
{
	alignas(struct nlmsghdr) uint8_t buf[REQUEST_MAX];
	struct nlmsghdr *h = mnl_nlmsg_put_header(buf);

	h->nlmsg_type = RTM_NEWLINK;
	h->nlmsg_flags = NLM_F_CREATE | NLM_F_EXCL;
	mnl_nlmsg_put_extra_header(h, sizeof(struct ifinfomsg));
	mnl_attr_put_strz(h, IFLA_IFNAME, name);
	mnl_attr_put_u32(h, IFLA_LINK, parent);
	struct nlattr *info = mnl_attr_nest_start(h, IFLA_LINKINFO);
	mnl_attr_put_strz(h, IFLA_INFO_KIND, "vlan");
	struct nlattr *data = mnl_attr_nest_start(h, IFLA_INFO_DATA);
	mnl_attr_put_u16(h, IFLA_VLAN_ID, vlan);
	mnl_attr_nest_end(h, data);
	mnl_attr_nest_end(h, info);
	int e = talk(r, h);
	return e != 0 ? e : mark_ours(r, name);
}

int net_rtnl_link_delete(struct net_rtnl *r, uint32_t ifindex)
{
	alignas(struct nlmsghdr) uint8_t buf[REQUEST_MAX];
	struct nlmsghdr *h = mnl_nlmsg_put_header(buf);
	struct ifinfomsg *m = mnl_nlmsg_put_extra_header(h, sizeof(*m));

	h->nlmsg_type = RTM_DELLINK;
	m->ifi_index = (int)ifindex;
	return talk(r, h);
}

int net_rtnl_rule_delete(struct net_rtnl *r, const void *payload, size_t n)
{
	alignas(struct nlmsghdr) uint8_t buf[REQUEST_MAX];
	struct nlmsghdr *h = mnl_nlmsg_put_header(buf);

	if (n > REQUEST_MAX - sizeof(*h))
		return -EMSGSIZE;
	h->nlmsg_type = RTM_DELRULE;
	memcpy(mnl_nlmsg_put_extra_header(h, n), payload, n);
	return talk(r, h);
}
