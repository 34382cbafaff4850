/*
 * net_parse.c: rtnetlink messages to facts.
 *
 * Input: payloads of the kernel's own messages (rtnetlink(7)); trusted to be the kernel's (the transport checks
 * the sender) but read as foreign bytes: bounded, unknown attributes skipped, a malformed message is none.
 * Only the main routing table, that of turned mail, and permanent neighbours are of interest.
 */
#include "net_private.h"

#include <linux/fib_rules.h>
#include <linux/if_addr.h>
#include <linux/if_link.h>
#include <linux/neighbour.h>
#include <linux/rtnetlink.h>
#include <string.h>
#include <sys/socket.h>

#include <sekisho/reader.h>
#include <sekisho/ruleset.h>

struct attr {
	uint16_t type;
	struct reader body;
};

static bool next_attr(struct reader *r, struct attr *ret)
{
	if (reader_left(r) < 4)
		return false;
	uint16_t len = reader_u16(r);
	ret->type = reader_u16(r) & NLA_TYPE_MASK;
	if (len < 4)
		r->bad = true;
	ret->body = reader_sub(r, r->bad ? 0 : len - 4u);
	size_t pad = (4 - len % 4u) % 4;
	reader_skip(r, pad < reader_left(r) ? pad : reader_left(r));
	return !r->bad && !ret->body.bad;
}

static uint8_t family_of(uint8_t af)
{
	return af == AF_INET ? 4 : af == AF_INET6 ? 6 : 0;
}

/* An address attribute must have exactly the family's length. */
static bool read_addr(struct reader *r, uint8_t family, uint8_t ret[16])
{
	size_t n = family == 4 ? 4 : 16;

	if (reader_left(r) != n)
		return false;
	memset(ret, 0, 16);
	reader_copy(r, ret, n);
	return true;
}

/* A text attribute, NUL-terminated inside its bytes. */
static bool read_text(struct reader *r, char *ret, size_t size)
{
	size_t n = reader_left(r);
	const uint8_t *p = reader_bytes(r, n);

	if (p == NULL || n == 0 || n > size || p[n - 1] != '\0')
		return false;
	memcpy(ret, p, n);
	return true;
}

static void parse_vlan_info(struct reader info, struct net_link *l)
{
	struct attr a, b;
	char kind[16] = "";

	while (next_attr(&info, &a)) {
		if (a.type == IFLA_INFO_KIND) {
			if (read_text(&a.body, kind, sizeof(kind)))
				l->is_vlan = strcmp(kind, "vlan") == 0;
		} else if (a.type == IFLA_INFO_DATA && l->is_vlan) {
			while (next_attr(&a.body, &b))
				if (b.type == IFLA_VLAN_ID && reader_left(&b.body) == 2)
					l->vlan = reader_u16(&b.body);
		}
	}
}

bool net_parse_link(const void *p, size_t n, struct net_link *ret)
{
	struct reader r = reader_init(p, n);
	struct ifinfomsg h;
	struct net_link l = {0};
	struct attr a;
	char alias[256] = "";

	reader_copy(&r, &h, sizeof(h));
	if (r.bad || h.ifi_index <= 0 || (h.ifi_family != AF_UNSPEC))
		return false;
	l.ifindex = (uint32_t)h.ifi_index;
	l.up = (h.ifi_flags & IFF_UP) != 0;
	l.loopback = (h.ifi_flags & IFF_LOOPBACK) != 0;
	while (next_attr(&r, &a)) {
		if (a.type == IFLA_IFNAME && !read_text(&a.body, l.name, sizeof(l.name)))
			return false;
		if (a.type == IFLA_LINK && reader_left(&a.body) == 4)
			l.parent = reader_u32(&a.body);
		if (a.type == IFLA_IFALIAS && read_text(&a.body, alias, sizeof(alias)))
			l.ours = strcmp(alias, NET_ALIAS_OURS) == 0;
		if (a.type == IFLA_LINKINFO)
			parse_vlan_info(a.body, &l);
	}
	if (r.bad || l.name[0] == '\0')
		return false;
	*ret = l;
	return true;
}

bool net_parse_addr(const void *p, size_t n, struct net_fact *ret)
{
	struct reader r = reader_init(p, n);
	struct ifaddrmsg h;
	struct net_fact f = {.kind = NET_ADDR};
	struct attr a;
	uint8_t peer[16] = {0};
	bool local = false, address = false, ok = true;

	reader_copy(&r, &h, sizeof(h));
	f.family = family_of(h.ifa_family);
	f.plen = h.ifa_prefixlen;
	f.ifindex = h.ifa_index;
	if (r.bad || f.family == 0 || f.plen > (f.family == 4 ? 32 : 128))
		return false;
	while (ok && next_attr(&r, &a)) {
		if (a.type == IFA_LOCAL)
			ok = local = read_addr(&a.body, f.family, f.addr);
		else if (a.type == IFA_ADDRESS)
			ok = address = read_addr(&a.body, f.family, peer);
		else if (a.type == IFA_PROTO && reader_left(&a.body) == 1)
			f.proto = reader_u8(&a.body);
	}
	if (!ok || r.bad || (!local && !address))
		return false;
	if (!local)
		memcpy(f.addr, peer, sizeof(peer));
	else if (address && memcmp(f.addr, peer, sizeof(peer)) != 0)
		memcpy(f.via, peer, sizeof(peer)); /* a point-to-point address: never ours */
	*ret = f;
	return true;
}

bool net_parse_route(const void *p, size_t n, struct net_fact *ret)
{
	struct reader r = reader_init(p, n);
	struct rtmsg h;
	struct net_fact f = {.kind = NET_ROUTE};
	struct attr a;
	bool ok = true, many = false;

	reader_copy(&r, &h, sizeof(h));
	f.family = family_of(h.rtm_family);
	uint32_t table = h.rtm_table;
	if (r.bad || f.family == 0 || h.rtm_dst_len > (f.family == 4 ? 32 : 128) || (h.rtm_flags & RTM_F_CLONED) != 0)
		return false;
	f.plen = h.rtm_dst_len;
	f.type = h.rtm_type;
	f.tos = h.rtm_tos;
	f.proto = h.rtm_protocol;
	while (ok && next_attr(&r, &a)) {
		if (a.type == RTA_DST)
			ok = read_addr(&a.body, f.family, f.addr);
		else if (a.type == RTA_GATEWAY)
			ok = read_addr(&a.body, f.family, f.via);
		else if (a.type == RTA_OIF && reader_left(&a.body) == 4)
			f.ifindex = reader_u32(&a.body);
		else if (a.type == RTA_PRIORITY && reader_left(&a.body) == 4)
			f.metric = reader_u32(&a.body);
		else if (a.type == RTA_TABLE && reader_left(&a.body) == 4)
			table = reader_u32(&a.body);
		else if (a.type == RTA_MULTIPATH || a.type == RTA_VIA || a.type == RTA_ENCAP)
			many = true;
	}
	if (!ok || r.bad || (table != RT_TABLE_MAIN && table != NET_TURN_TABLE))
		return false;
	if (table == NET_TURN_TABLE)
		f.kind = NET_TURN_ROUTE;
	if (many)
		f.ifindex = 0;
	*ret = f;
	return true;
}

bool net_parse_neigh_any(const void *p, size_t n, struct net_fact *ret, bool *ret_permanent)
{
	struct reader r = reader_init(p, n);
	struct ndmsg h;
	struct net_fact f = {.kind = NET_NEIGH};
	struct attr a;
	bool ok = true, dst = false;

	reader_copy(&r, &h, sizeof(h));
	f.family = family_of(h.ndm_family);
	if (r.bad || f.family == 0 || h.ndm_ifindex <= 0 || (h.ndm_flags & NTF_PROXY) != 0)
		return false;
	f.ifindex = (uint32_t)h.ndm_ifindex;
	while (ok && next_attr(&r, &a)) {
		if (a.type == NDA_DST)
			ok = dst = read_addr(&a.body, f.family, f.addr);
		else if (a.type == NDA_LLADDR && reader_left(&a.body) == 6)
			reader_copy(&a.body, f.via, 6);
		else if (a.type == NDA_PROTOCOL && reader_left(&a.body) == 1)
			f.proto = reader_u8(&a.body);
	}
	if (!ok || r.bad || !dst)
		return false;
	*ret = f;
	*ret_permanent = (h.ndm_state & NUD_PERMANENT) != 0;
	return true;
}

bool net_parse_neigh(const void *p, size_t n, struct net_fact *ret)
{
	bool permanent;

	return net_parse_neigh_any(p, n, ret, &permanent) && permanent;
}

/* What a rule says, as far as one of those that are known can say it. */
struct rule {
	uint8_t family;
	uint32_t priority, table, mark, mask;
	bool other; /* and something else, or not to look a table up */
};

static bool parse_rule(const void *p, size_t n, struct rule *ret)
{
	struct reader r = reader_init(p, n);
	struct fib_rule_hdr h;
	struct attr a;

	reader_copy(&r, &h, sizeof(h));
	*ret = (struct rule){.family = family_of(h.family), .table = h.table};
	if (r.bad || ret->family == 0)
		return false;
	while (next_attr(&r, &a)) {
		bool word = reader_left(&a.body) == 4;
		if (a.type == FRA_PRIORITY && word)
			ret->priority = reader_u32(&a.body);
		else if (a.type == FRA_TABLE && word)
			ret->table = reader_u32(&a.body);
		else if (a.type == FRA_FWMARK && word)
			ret->mark = reader_u32(&a.body);
		else if (a.type == FRA_FWMASK && word)
			ret->mask = reader_u32(&a.body);
		else if (a.type == FRA_SUPPRESS_PREFIXLEN && word)
			ret->other |= reader_u32(&a.body) != UINT32_MAX;
		else if (a.type != FRA_PROTOCOL)
			ret->other = true;
	}
	ret->other |= r.bad || h.action != FR_ACT_TO_TBL || h.src_len != 0 || h.dst_len != 0 || h.tos != 0 ||
		      (h.flags & FIB_RULE_INVERT) != 0;
	return true;
}

static bool is_turn(const struct rule *r)
{
	return !r->other && r->priority == NET_TURN_PRIORITY && r->table == NET_TURN_TABLE && r->mark == TURNED_MARK &&
	       r->mask == UINT32_MAX;
}

bool net_parse_rule(const void *p, size_t n, struct net_fact *ret)
{
	struct rule r;

	if (!parse_rule(p, n, &r) || !is_turn(&r))
		return false;
	*ret = (struct net_fact){.kind = NET_TURN_RULE, .family = r.family, .proto = NET_PROTO_OURS};
	return true;
}

/* The kernel's own: look up local (0), main (32766), default (32767; IPv4 only), without any selector. */
bool net_parse_rule_foreign(const void *p, size_t n)
{
	struct rule r;

	if (!parse_rule(p, n, &r) || is_turn(&r))
		return false;
	if (r.other || r.mark != 0 || r.mask != 0)
		return true;
	return !((r.priority == 0 && r.table == RT_TABLE_LOCAL) || (r.priority == 32766 && r.table == RT_TABLE_MAIN) ||
		 (r.priority == 32767 && r.table == RT_TABLE_DEFAULT));
}
