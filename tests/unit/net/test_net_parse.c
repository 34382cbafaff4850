/* rtnetlink messages: what is read from them, and that no cut or bent one is believed or over-read. */
#include "net_private.h"
#include <sekisho/ruleset.h>

#include "test.h"

#include <libmnl/libmnl.h>
#include <linux/fib_rules.h>
#include <linux/if_addr.h>
#include <linux/if_link.h>
#include <linux/neighbour.h>
#include <linux/rtnetlink.h>
#include <stdalign.h>
#include <sys/socket.h>

static alignas(struct nlmsghdr) uint8_t buf[1024];
static struct nlmsghdr *h;

static void *begin(size_t n)
{
	memset(buf, 0, sizeof(buf));
	h = mnl_nlmsg_put_header(buf);
	return mnl_nlmsg_put_extra_header(h, n);
}

static const void *payload(void)
{
	return mnl_nlmsg_get_payload(h);
}

static size_t size(void)
{
	return mnl_nlmsg_get_payload_len(h);
}

static void link_message(const char *name, const char *alias)
{
	struct ifinfomsg *m = begin(sizeof(*m));
	m->ifi_index = 7;
	m->ifi_flags = IFF_UP;
	mnl_attr_put_strz(h, IFLA_IFNAME, name);
	mnl_attr_put_strz(h, IFLA_IFALIAS, alias);
	mnl_attr_put_u32(h, IFLA_LINK, 3);
	struct nlattr *info = mnl_attr_nest_start(h, IFLA_LINKINFO);
	mnl_attr_put_strz(h, IFLA_INFO_KIND, "vlan");
	struct nlattr *data = mnl_attr_nest_start(h, IFLA_INFO_DATA);
	mnl_attr_put_u16(h, IFLA_VLAN_ID, 20);
	mnl_attr_nest_end(h, data);
	mnl_attr_nest_end(h, info);
}

static void test_link(void)
{
	struct net_link l;

	link_message("eth2.20", "sekisho");
	CHECK(net_parse_link(payload(), size(), &l));
	CHECK_STR(l.name, "eth2.20");
	CHECK(l.up && !l.loopback && l.is_vlan && l.ours);
	CHECK_INT(l.ifindex, 7);
	CHECK_INT(l.parent, 3);
	CHECK_INT(l.vlan, 20);
	link_message("a-name-of-16-char", "x");
	CHECK(!net_parse_link(payload(), size(), &l));
	link_message("eth0", "sekisho ");
	CHECK(net_parse_link(payload(), size(), &l) && !l.ours);
}

static void test_addr(void)
{
	struct net_fact f;
	struct ifaddrmsg *m = begin(sizeof(*m));

	*m = (struct ifaddrmsg){.ifa_family = AF_INET, .ifa_prefixlen = 24, .ifa_index = 2};
	mnl_attr_put(h, IFA_ADDRESS, 4, "\x0a\x01\x00\x01");
	mnl_attr_put(h, IFA_LOCAL, 4, "\x0a\x01\x00\x01");
	mnl_attr_put_u8(h, IFA_PROTO, 93);
	CHECK(net_parse_addr(payload(), size(), &f));
	CHECK(f.kind == NET_ADDR && f.family == 4 && f.plen == 24 && f.ifindex == 2 && f.proto == 93);
	CHECK(f.addr[0] == 10 && f.addr[3] == 1 && f.via[0] == 0);
	m = begin(sizeof(*m));
	*m = (struct ifaddrmsg){.ifa_family = AF_INET, .ifa_prefixlen = 32, .ifa_index = 2};
	mnl_attr_put(h, IFA_ADDRESS, 4, "\x0a\x01\x00\x02");
	mnl_attr_put(h, IFA_LOCAL, 4, "\x0a\x01\x00\x01");
	CHECK(net_parse_addr(payload(), size(), &f) && f.via[3] == 2);
	m = begin(sizeof(*m));
	*m = (struct ifaddrmsg){.ifa_family = AF_INET6, .ifa_prefixlen = 64, .ifa_index = 2};
	mnl_attr_put(h, IFA_ADDRESS, 4, "\x0a\x01\x00\x01"); /* an IPv4 address in an IPv6 message */
	CHECK(!net_parse_addr(payload(), size(), &f));
	m = begin(sizeof(*m));
	*m = (struct ifaddrmsg){.ifa_family = AF_INET, .ifa_prefixlen = 33};
	mnl_attr_put(h, IFA_LOCAL, 4, "\x0a\x01\x00\x01");
	CHECK(!net_parse_addr(payload(), size(), &f));
}

static void route_message(uint8_t table, unsigned flags)
{
	struct rtmsg *m = begin(sizeof(*m));
	*m = (struct rtmsg){.rtm_family = AF_INET, .rtm_dst_len = 24, .rtm_table = table, .rtm_protocol = 93,
		.rtm_type = RTN_UNICAST, .rtm_flags = flags};
	mnl_attr_put(h, RTA_DST, 4, "\x0a\x01\x0a\x00");
	mnl_attr_put(h, RTA_GATEWAY, 4, "\x0a\x01\x00\xfe");
	mnl_attr_put_u32(h, RTA_OIF, 4);
}

static void test_route(void)
{
	struct net_fact f;

	route_message(RT_TABLE_MAIN, 0);
	CHECK(net_parse_route(payload(), size(), &f));
	CHECK(f.kind == NET_ROUTE && f.plen == 24 && f.ifindex == 4 && f.via[3] == 254 && f.proto == 93);
	mnl_attr_put_u32(h, RTA_MULTIPATH, 0);
	CHECK(net_parse_route(payload(), size(), &f) && f.ifindex == 0);
	route_message(RT_TABLE_LOCAL, 0);
	CHECK(!net_parse_route(payload(), size(), &f));
	route_message(RT_TABLE_MAIN, RTM_F_CLONED);
	CHECK(!net_parse_route(payload(), size(), &f));
	route_message(RT_TABLE_COMPAT, 0); /* the real number of a table above 255 is in the attribute */
	mnl_attr_put_u32(h, RTA_TABLE, 1000);
	CHECK(!net_parse_route(payload(), size(), &f));
}

static void neigh_message(uint16_t state, uint8_t flags)
{
	struct ndmsg *m = begin(sizeof(*m));
	*m = (struct ndmsg){.ndm_family = AF_INET, .ndm_ifindex = 4, .ndm_state = state, .ndm_flags = flags};
	mnl_attr_put(h, NDA_DST, 4, "\x0a\x01\x00\xfe");
	mnl_attr_put(h, NDA_LLADDR, 6, "\x02\x00\x00\x01\x00\xfe");
}

static void test_neigh(void)
{
	struct net_fact f;
	bool permanent;

	neigh_message(NUD_PERMANENT, 0);
	CHECK(net_parse_neigh(payload(), size(), &f));
	CHECK(f.kind == NET_NEIGH && f.via[0] == 2 && f.via[5] == 0xfe && f.addr[3] == 0xfe);
	neigh_message(NUD_REACHABLE, 0);
	CHECK(!net_parse_neigh(payload(), size(), &f));
	CHECK(net_parse_neigh_any(payload(), size(), &f, &permanent) && !permanent);
	neigh_message(NUD_PERMANENT, NTF_PROXY);
	CHECK(!net_parse_neigh_any(payload(), size(), &f, &permanent));
}

static uint32_t rule_flags;

static void rule_message(uint32_t priority, uint8_t table)
{
	struct fib_rule_hdr *m = begin(sizeof(*m));
	*m = (struct fib_rule_hdr){.family = AF_INET, .table = table, .action = FR_ACT_TO_TBL, .flags = rule_flags};
	mnl_attr_put_u32(h, FRA_TABLE, table);
	mnl_attr_put_u32(h, FRA_SUPPRESS_PREFIXLEN, UINT32_MAX);
	mnl_attr_put_u8(h, FRA_PROTOCOL, 2);
	if (priority != 0)
		mnl_attr_put_u32(h, FRA_PRIORITY, priority);
}

static void test_rule(void)
{
	rule_message(0, RT_TABLE_LOCAL);
	CHECK(!net_parse_rule_foreign(payload(), size()));
	rule_message(32766, RT_TABLE_MAIN);
	CHECK(!net_parse_rule_foreign(payload(), size()));
	rule_message(32767, RT_TABLE_DEFAULT);
	CHECK(!net_parse_rule_foreign(payload(), size()));
	rule_message(100, RT_TABLE_MAIN);
	CHECK(net_parse_rule_foreign(payload(), size()));
	rule_message(32766, RT_TABLE_MAIN);
	mnl_attr_put_u32(h, FRA_FWMARK, 1);
	CHECK(net_parse_rule_foreign(payload(), size()));
	rule_message(32766, RT_TABLE_DEFAULT);
	CHECK(net_parse_rule_foreign(payload(), size()));
}

static void turn_message(uint32_t mark, uint32_t mask, uint32_t flags)
{
	rule_flags = flags;
	rule_message(NET_TURN_PRIORITY, NET_TURN_TABLE);
	rule_flags = 0;
	mnl_attr_put_u32(h, FRA_FWMARK, mark);
	mnl_attr_put_u32(h, FRA_FWMASK, mask);
}

/* Exactly ours, or a stranger's. */
static void test_turn_rule(void)
{
	struct net_fact f;

	turn_message(TURNED_MARK, UINT32_MAX, 0);
	CHECK(net_parse_rule(payload(), size(), &f) && !net_parse_rule_foreign(payload(), size()));
	CHECK(f.kind == NET_TURN_RULE && f.family == 4 && f.ifindex == 0);
	turn_message(TURNED_MARK, UINT32_MAX, FIB_RULE_INVERT);
	CHECK(!net_parse_rule(payload(), size(), &f) && net_parse_rule_foreign(payload(), size()));
	turn_message(TURNED_MARK, 0xff, 0);
	CHECK(!net_parse_rule(payload(), size(), &f) && net_parse_rule_foreign(payload(), size()));
	turn_message(TURNED_MARK + 1, UINT32_MAX, 0);
	CHECK(!net_parse_rule(payload(), size(), &f) && net_parse_rule_foreign(payload(), size()));
	rule_message(NET_TURN_PRIORITY, NET_TURN_TABLE);
	CHECK(!net_parse_rule(payload(), size(), &f) && net_parse_rule_foreign(payload(), size()));
	turn_message(TURNED_MARK, UINT32_MAX, 0);
	mnl_attr_put_u32(h, FRA_GOTO, 1);
	CHECK(!net_parse_rule(payload(), size(), &f) && net_parse_rule_foreign(payload(), size()));
}

static void test_turn_route(void)
{
	struct net_fact f;
	struct rtmsg *m = begin(sizeof(*m));

	*m = (struct rtmsg){.rtm_family = AF_INET, .rtm_table = NET_TURN_TABLE, .rtm_type = RTN_LOCAL, .rtm_protocol = NET_PROTO_OURS};
	mnl_attr_put_u32(h, RTA_TABLE, NET_TURN_TABLE);
	mnl_attr_put_u32(h, RTA_OIF, NET_LOOPBACK);
	CHECK(net_parse_route(payload(), size(), &f));
	CHECK(f.kind == NET_TURN_ROUTE && f.type == RTN_LOCAL && f.plen == 0 && f.ifindex == NET_LOOPBACK && f.metric == 0);
}

/* Every cut of a good message, and every byte of it bent: read inside its bytes (the sanitizer watches). */
static void bend(void)
{
	size_t n = size();
	struct net_link l;
	struct net_fact f;
	bool permanent;

	for (size_t cut = 0; cut <= n; cut++) {
		uint8_t *p = malloc(cut + 1);
		for (unsigned v = 0; v < 256; v += 51) {
			memcpy(p, payload(), cut);
			p[cut / 2] = (uint8_t)(p[cut / 2] + v);
			net_parse_link(p, cut, &l);
			net_parse_addr(p, cut, &f);
			net_parse_route(p, cut, &f);
			net_parse_neigh_any(p, cut, &f, &permanent);
			net_parse_rule_foreign(p, cut);
		}
		free(p);
	}
	CHECK(!net_parse_link(payload(), 0, &l));
	CHECK(!net_parse_addr(payload(), 3, &f));
}

int main(void)
{
	test_link();
	bend();
	test_addr();
	test_route();
	bend();
	test_neigh();
	bend();
	test_rule();
	test_turn_rule();
	test_turn_route();
	bend();
	return test_end();
}
