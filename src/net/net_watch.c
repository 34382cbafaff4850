/*
 * net_watch.c: hears of changes to links, addresses, routes, rules and neighbours.
 *
 * What an event says is only a reason to look: net_check() reads the kernel itself. So an event that is lost,
 * malformed or forged costs one look at most.
 */
#include "net_private.h"

#include <errno.h>
#include <linux/rtnetlink.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

/* In one call; more wait for the next turn of the loop. */
#define WATCH_DATAGRAMS 64

int net_watch_open(void)
{
	static const int groups[] = {RTNLGRP_LINK, RTNLGRP_IPV4_IFADDR, RTNLGRP_IPV6_IFADDR, RTNLGRP_IPV4_ROUTE,
		RTNLGRP_IPV6_ROUTE, RTNLGRP_IPV4_RULE, RTNLGRP_IPV6_RULE, RTNLGRP_NEIGH};
	struct sockaddr_nl me = {.nl_family = AF_NETLINK};
	int fd = socket(AF_NETLINK, SOCK_RAW | SOCK_CLOEXEC | SOCK_NONBLOCK, NETLINK_ROUTE), e;

	if (fd < 0 || bind(fd, (struct sockaddr *)&me, sizeof(me)) != 0)
		goto fail;
	for (size_t i = 0; i < sizeof(groups) / sizeof(groups[0]); i++)
		if (setsockopt(fd, SOL_NETLINK, NETLINK_ADD_MEMBERSHIP, &groups[i], sizeof(groups[i])) != 0)
			goto fail;
	return fd;
fail:
	e = errno;
	if (fd >= 0)
		close(fd);
	return -e;
}

int net_watch_fd(const struct net *n)
{
	return n->watch;
}

/*
 * A learnt neighbour changes with each ARP answer: of interest are only permanent ones that are not ours
 * as we set them, and ours when they are no longer permanent. Everything else of the groups is of interest.
 */
static bool is_of_interest(const struct net *n, const struct nlmsghdr *h, const void *payload, size_t size)
{
	struct net_fact f;
	bool permanent;

	if (h->nlmsg_type != RTM_NEWNEIGH && h->nlmsg_type != RTM_DELNEIGH)
		return h->nlmsg_type != RTM_GETNEIGH;
	if (!net_parse_neigh_any(payload, size, &f, &permanent))
		return false;
	struct net_fact key = f;
	memset(key.via, 0, sizeof(key.via));
	size_t i = net_facts_from(&n->held, &key);
	const struct net_fact *ours = i < net_facts_n(&n->held) ? net_facts_at(&n->held, i) : NULL;
	if (ours != NULL && !net_facts_same_key(ours, &f))
		ours = NULL;
	if (h->nlmsg_type == RTM_NEWNEIGH && permanent)
		return ours == NULL || net_facts_cmp(ours, &f) != 0;
	return ours != NULL;
}

bool net_watch(struct net *n)
{
	static _Alignas(struct nlmsghdr) uint8_t buf[16384];
	bool due = false;

	for (unsigned i = 0; i < WATCH_DATAGRAMS; i++) {
		ssize_t got = recv(n->watch, buf, sizeof(buf), MSG_DONTWAIT | MSG_TRUNC);
		if (got < 0)
			return due || errno == ENOBUFS;
		/* The first message of a datagram is enough: the kernel sends events singly. */
		if ((size_t)got > sizeof(buf) || (size_t)got < sizeof(struct nlmsghdr))
			due = true;
		else if (!due)
			due = is_of_interest(n, (const struct nlmsghdr *)(const void *)buf,
				buf + sizeof(struct nlmsghdr), (size_t)got - sizeof(struct nlmsghdr));
	}
	return due;
}
