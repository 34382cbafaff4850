/* From the IR to the wanted settings. The IR is put together by hand: only the sections that are read. */
#include "net_private.h"
#include "test.h"

#include <sekisho/ir.h>

static const struct ir_interface interfaces[] = {
	{.name = "eth0", .segment = 0}, {.name = "eth2.20", .parent = "eth2", .vlan = 20, .segment = 1}};
static const struct ir_local locals[] = {
	{.interface = 0, .family = 4, .prefix_len = 24, .addr = {10, 1, 0, 1}},
	{.interface = 1, .family = 6, .prefix_len = 64, .addr = {0xfd, [15] = 1}}};
static const struct ir_route routes[] = {
	{.interface = 0, .family = 4, .prefix_len = 24, .prefix = {10, 1, 10, 0}, .via = {10, 1, 0, 254}},
	{.interface = 1, .family = 6, .prefix_len = 48, .prefix = {0xfd, 1}, .via = {0xfd, [15] = 9}}};
static const struct ir_neigh neighs[] = {
	{.interface = 0, .family = 4, .addr = {10, 1, 0, 254}, .mac = {2, 0, 0, 0, 0, 1}}};

static const struct ir ir = {.interfaces = interfaces, .ninterfaces = 2, .locals = locals, .nlocals = 2,
	.routes = routes, .nroutes = 2, .neighs = neighs, .nneighs = 1};

static void test_all(void)
{
	struct net_want w;
	struct net_facts f = {0};

	CHECK(net_want_from_ir(&w, &ir));
	CHECK_INT(w.nifaces, 3);
	CHECK_STR(w.ifaces[2].name, "eth2");
	CHECK(w.ifaces[1].segment && !w.ifaces[2].segment);
	CHECK_INT(w.ifaces[1].vlan, 20);
	CHECK(net_want_iface(&w, "eth3") == NULL);
	/* Nothing exists: nothing is wanted yet. */
	net_want_resolve(&w, &f);
	CHECK_INT(net_facts_n(&f), 0);
	net_want_iface(&w, "eth0")->ifindex = 11;
	net_want_resolve(&w, &f);
	CHECK_INT(net_facts_n(&f), 3);
	net_want_iface(&w, "eth2.20")->ifindex = 12;
	net_want_resolve(&w, &f);
	CHECK_INT(net_facts_n(&f), 5);
	for (size_t i = 0; i < net_facts_n(&f); i++) {
		const struct net_fact *x = net_facts_at(&f, i);
		CHECK(x->ifindex == (x->family == 4 ? 11 : 12));
		CHECK_INT(x->metric, x->kind == NET_ROUTE && x->family == 6 ? 1024 : 0);
	}
	net_facts_free(&f);
	net_want_free(&w);
}

/* Mail that is taken transparently: a route and a rule of each family that has some, wherever the interface is. */
static void test_turns(void)
{
	static const struct ir_own owns[] = {{.family = 4}, {.family = 6, .turned = 1}, {.family = 6, .turned = 1}};
	struct net_facts f = {0};
	struct net_want w;

	CHECK(net_want_from_ir(&w, &(struct ir){.owns = owns, .nowns = 3}) && w.turns);
	net_want_resolve(&w, &f);
	CHECK_INT(net_facts_n(&f), 2);
	CHECK(net_facts_at(&f, 0)->kind == NET_TURN_ROUTE && net_facts_at(&f, 0)->family == 6);
	CHECK_INT(net_facts_at(&f, 0)->ifindex, NET_LOOPBACK);
	CHECK_INT(net_facts_at(&f, 0)->metric, 1024);
	CHECK(net_facts_at(&f, 1)->kind == NET_TURN_RULE && net_facts_at(&f, 1)->ifindex == 0);
	net_want_free(&w);
	CHECK(net_want_from_ir(&w, &(struct ir){.owns = owns, .nowns = 1}) && !w.turns);
	CHECK_INT(net_facts_n(&w.facts), 0);
	net_facts_free(&f);
	net_want_free(&w);
}

static void test_none(void)
{
	struct net_want w;

	CHECK(net_want_from_ir(&w, NULL));
	CHECK_INT(w.nifaces, 0);
	net_want_free(&w);
}

static void test_too_many(void)
{
	static struct ir_interface many[NET_IFACES_MAX];
	struct net_want w;

	for (unsigned i = 0; i < NET_IFACES_MAX; i++) {
		snprintf(many[i].name, sizeof(many[i].name), "v%u", i);
		snprintf(many[i].parent, sizeof(many[i].parent), "p%u", i);
	}
	CHECK(!net_want_from_ir(&w, &(struct ir){.interfaces = many, .ninterfaces = NET_IFACES_MAX}));
	net_want_free(&w);
}

int main(void)
{
	test_all();
	test_turns();
	test_none();
	test_too_many();
	return test_end();
}
