/* The difference between what the policy wants and what the kernel has. */
#include "net_private.h"
#include "test.h"

static struct net_fact neigh(uint32_t ifindex, uint8_t last, uint8_t mac)
{
	return (struct net_fact){.kind = NET_NEIGH, .family = 4, .ifindex = ifindex, .addr = {10, 0, 0, last},
		.via = {2, 0, 0, 0, 0, mac}};
}

static struct net_fact route(uint32_t ifindex, uint8_t net, uint8_t via)
{
	return (struct net_fact){.kind = NET_ROUTE, .family = 4, .plen = 24, .type = 1, .ifindex = ifindex,
		.addr = {10, 1, net, 0}, .via = {10, 0, 0, via}};
}

static void add(struct net_facts *f, struct net_fact x)
{
	net_facts_add(f, &x);
}

static void test_sort_removes_doubles(void)
{
	struct net_facts f = {0};
	struct net_fact other = neigh(1, 5, 1);

	other.proto = 93; /* who set it makes no other fact */
	add(&f, neigh(2, 5, 1));
	add(&f, neigh(1, 5, 1));
	net_facts_add(&f, &other);
	net_facts_sort(&f);
	CHECK_INT(net_facts_n(&f), 2);
	CHECK_INT(net_facts_at(&f, 0)->ifindex, 1);
	net_facts_free(&f);
	net_facts_sort(&f);
	CHECK_INT(net_facts_n(&f), 0);
}

static void test_difference(void)
{
	struct net_facts want = {0}, have = {0}, more = {0}, less = {0};

	add(&want, neigh(1, 5, 1));
	add(&want, neigh(1, 6, 1));
	add(&want, route(1, 1, 1));
	add(&have, neigh(1, 6, 1));
	add(&have, neigh(1, 7, 1));
	add(&have, route(1, 1, 2));
	net_facts_sort(&want);
	net_facts_sort(&have);
	net_diff(&want, &have, &more, &less);
	CHECK_INT(net_facts_n(&more), 2);
	CHECK_INT(net_facts_n(&less), 2);
	CHECK_INT(net_facts_at(&more, 0)->kind, NET_ROUTE);
	CHECK_INT(net_facts_at(&more, 0)->via[3], 1);
	CHECK_INT(net_facts_at(&more, 1)->addr[3], 5);
	CHECK_INT(net_facts_at(&less, 0)->via[3], 2);
	CHECK_INT(net_facts_at(&less, 1)->addr[3], 7);
	net_diff(&want, &want, &more, &less);
	CHECK_INT(net_facts_n(&more) + net_facts_n(&less), 0);
	net_facts_free(&want);
	net_facts_free(&have);
	net_facts_free(&more);
	net_facts_free(&less);
}

static void test_same_key(void)
{
	struct net_fact a = neigh(1, 5, 1), b = neigh(1, 5, 2), c = neigh(2, 5, 1);
	struct net_fact r = route(1, 1, 1), s = route(2, 1, 9);
	struct net_fact addr = {.kind = NET_ADDR, .family = 4, .ifindex = 1};

	CHECK(net_facts_same_key(&a, &b));
	CHECK(!net_facts_same_key(&a, &c));
	CHECK(net_facts_same_key(&r, &s));
	s.metric = 5;
	CHECK(!net_facts_same_key(&r, &s));
	CHECK(!net_facts_same_key(&addr, &addr));
}

static void test_from(void)
{
	struct net_facts f = {0};
	struct net_fact x = neigh(3, 0, 0);

	for (unsigned i = 0; i < 40; i++)
		add(&f, neigh(i % 5, (uint8_t)i, 1));
	net_facts_sort(&f);
	memset(x.addr, 0, sizeof(x.addr));
	size_t at = net_facts_from(&f, &x);
	CHECK(at > 0 && at < net_facts_n(&f));
	CHECK_INT(net_facts_at(&f, at)->ifindex, 3);
	CHECK_INT(net_facts_at(&f, at - 1)->ifindex, 2);
	x.kind = 200;
	CHECK_INT(net_facts_from(&f, &x), 40);
	net_facts_free(&f);
}

static void test_text(void)
{
	struct net_fact n = neigh(1, 5, 0x2a), r = route(1, 7, 254), a = {.kind = NET_ADDR, .family = 6, .plen = 64,
		.addr = {0x20, 0x01, 0x0d, 0xb8, [15] = 1}};
	char t[140];

	net_fact_text(&n, "eth0", t, sizeof(t));
	CHECK_STR(t, "neighbour 10.0.0.5 02:00:00:00:00:2a on eth0");
	net_fact_text(&r, "eth0", t, sizeof(t));
	CHECK_STR(t, "route 10.1.7.0/24 via 10.0.0.254 on eth0");
	memset(r.via, 0, sizeof(r.via));
	net_fact_text(&r, "eth0", t, sizeof(t));
	CHECK_STR(t, "route 10.1.7.0/24 on eth0");
	net_fact_text(&a, "eth2.20", t, sizeof(t));
	CHECK_STR(t, "address 2001:db8::1/64 on eth2.20");
}

int main(void)
{
	test_sort_removes_doubles();
	test_difference();
	test_same_key();
	test_from();
	test_text();
	return test_end();
}
