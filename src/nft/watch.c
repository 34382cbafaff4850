/*
 * watch.c: who else changes nftables, and whether all of ours is still in its place.
 *
 * The group of nf_tables events carries every object of every change (23 000 messages for one large load); a socket
 * filter leaves only the announcement of each new generation, which names the process behind it.
 */
#include "kernel.h"

#include <arpa/inet.h>
#include <errno.h>
#include <linux/filter.h>
#include <linux/netfilter.h>
#include <linux/netfilter/nf_tables.h>
#include <linux/netfilter/nfnetlink.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>

int watch_filter(struct wire *w)
{
	/* nlmsg_type, loaded in network order, is that of NEWGEN */
	struct sock_filter code[] = {
		BPF_STMT(BPF_LD | BPF_H | BPF_ABS, offsetof(struct nlmsghdr, nlmsg_type)),
		BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, htons(NFNL_SUBSYS_NFTABLES << 8 | NFT_MSG_NEWGEN), 0, 1),
		BPF_STMT(BPF_RET | BPF_K, 0xffffffff),
		BPF_STMT(BPF_RET | BPF_K, 0),
	};
	struct sock_fprog prog = {sizeof(code) / sizeof(code[0]), code};

	return setsockopt(w->fd, SOL_SOCKET, SO_ATTACH_FILTER, &prog, sizeof(prog)) != 0 ? -errno : 0;
}

static void membership(struct nft *n, int option)
{
	int group = NFNLGRP_NFTABLES;

	setsockopt(n->watch.fd, SOL_NETLINK, option, &group, sizeof(group));
}

void watch_pause(struct nft *n)
{
	membership(n, NETLINK_DROP_MEMBERSHIP);
}

void watch_resume(struct nft *n)
{
	uint32_t now;

	membership(n, NETLINK_ADD_MEMBERSHIP);
	n->missed |= read_genid(n, &now) != 0 || now != n->genid;
}

int nft_watch_fd(const struct nft *n)
{
	return n->watch.fd;
}

static void read_event(const struct nlmsghdr *h, struct nft_event *ret)
{
	size_t skip = sizeof(struct nfgenmsg);

	*ret = (struct nft_event){.kind = NFT_EVENT_FOREIGN,
		.genid = wire_be32(wire_attr(h, skip, NFTA_GEN_ID), 0),
		.pid = wire_be32(wire_attr(h, skip, NFTA_GEN_PROC_PID), 0)};
	snprintf(ret->name, sizeof(ret->name), "%s", wire_str(wire_attr(h, skip, NFTA_GEN_PROC_NAME)));
}

int nft_watch_read(struct nft *n, struct nft_event *ret)
{
	uint8_t buf[4096] __attribute__((aligned(8)));

	if (n->missed) {
		n->missed = false;
		*ret = (struct nft_event){.kind = NFT_EVENT_LOST};
		return 1;
	}
	for (;;) {
		struct sockaddr_nl from = {0};
		socklen_t len = sizeof(from);
		ssize_t got = recvfrom(n->watch.fd, buf, sizeof(buf), MSG_DONTWAIT, (struct sockaddr *)&from, &len);
		if (got < 0 && errno == EINTR)
			continue;
		if (got < 0 && errno == ENOBUFS) {
			*ret = (struct nft_event){.kind = NFT_EVENT_LOST};
			return 1;
		}
		if (got < 0)
			return errno == EAGAIN ? 0 : -errno;
		const struct nlmsghdr *h = (const void *)buf;
		if (from.nl_pid != 0 || (size_t)got < NLMSG_LENGTH(sizeof(struct nfgenmsg)) ||
			h->nlmsg_len > (size_t)got || h->nlmsg_len < NLMSG_LENGTH(sizeof(struct nfgenmsg)))
			continue;
		if (h->nlmsg_pid == n->wire.portid)
			continue; /* our own */
		read_event(h, ret);
		return 1;
	}
}

/* -- is all still there ------------------------------------------------------------------------------------------- */

struct hook_walk {
	struct nft_check *ret;
};

static const char *hook_word(uint32_t hook)
{
	static const char *const words[] = {"prerouting", "input", "forward", "output", "postrouting", "ingress", "egress"};

	return hook < sizeof(words) / sizeof(words[0]) ? words[hook] : "?";
}

static const char *family_word(uint8_t family)
{
	switch (family) {
	case NFPROTO_IPV4:
		return "ip";
	case NFPROTO_IPV6:
		return "ip6";
	case NFPROTO_INET:
		return "inet";
	case NFPROTO_NETDEV:
		return "netdev";
	case NFPROTO_BRIDGE:
		return "bridge";
	default:
		return "arp";
	}
}

/* Ours begin at -450 in prerouting; in forward, input and output at 0, in forward the last is at +10. */
static bool in_our_way(uint8_t family, uint32_t hook, int32_t priority)
{
	if (family == NFPROTO_NETDEV || hook == NF_INET_INGRESS)
		return true;
	if (family != NFPROTO_INET && family != NFPROTO_IPV4 && family != NFPROTO_IPV6)
		return false;
	switch (hook) {
	case NF_INET_PRE_ROUTING:
		return priority <= -150;
	case NF_INET_FORWARD:
		return priority <= 10;
	case NF_INET_LOCAL_IN:
	case NF_INET_LOCAL_OUT:
		return priority <= 0;
	default:
		return false;
	}
}

static int on_foreign(void *arg, const struct nlmsghdr *h)
{
	struct hook_walk *w = arg;
	size_t skip = sizeof(struct nfgenmsg);
	const struct nlattr *hook = wire_attr(h, skip, NFTA_CHAIN_HOOK);
	const char *table = wire_str(wire_attr(h, skip, NFTA_CHAIN_TABLE));

	if (hook == NULL || h->nlmsg_len < NLMSG_LENGTH(skip))
		return 0;
	uint8_t family = ((const struct nfgenmsg *)NLMSG_DATA(h))->nfgen_family;
	uint32_t number = wire_be32(wire_nested(hook, NFTA_HOOK_HOOKNUM), 99);
	int32_t priority = (int32_t)wire_be32(wire_nested(hook, NFTA_HOOK_PRIORITY), 0);
	if (family == NFPROTO_INET && strcmp(table, RULESET_TABLE) == 0)
		return 0;
	if (!in_our_way(family, number, priority))
		return 0;
	if ((w->ret->faults & NFT_FAULT_FOREIGN_HOOK) == 0)
		snprintf(w->ret->foreign, sizeof(w->ret->foreign), "%s %.40s %.40s (%s, priority %d)", family_word(family),
			table, wire_str(wire_attr(h, skip, NFTA_CHAIN_NAME)), hook_word(number), priority);
	w->ret->faults |= NFT_FAULT_FOREIGN_HOOK;
	return 0;
}

static int find_foreign(struct nft *n, struct nft_check *ret)
{
	struct hook_walk w = {ret};
	struct buf b = {0};
	int r = -EINTR;

	for (int i = 0; r == -EINTR && i < 10; i++) {
		dump_request(&b, NFT_MSG_GETCHAIN);
		((struct nfgenmsg *)NLMSG_DATA((struct nlmsghdr *)(void *)b.data))->nfgen_family = NFPROTO_UNSPEC;
		r = wire_dump(&n->query, &b, on_foreign, &w);
	}
	buf_free(&b);
	return r;
}

int nft_check(struct nft *n, struct nft_check *ret)
{
	struct inventory inv;
	uint32_t genid;
	int r;

	*ret = (struct nft_check){0};
	if ((r = read_genid(n, &genid)) != 0)
		return r;
	if ((r = inventory_read(n, &inv)) == 0) {
		if (!inv.table)
			ret->faults |= NFT_FAULT_TABLE_MISSING;
		else if (!inv.base_ok)
			ret->faults |= NFT_FAULT_CHAIN_MISSING;
		if (genid != n->genid)
			ret->faults |= NFT_FAULT_GENERATION;
		r = find_foreign(n, ret);
	}
	inventory_free(&inv);
	return r;
}
