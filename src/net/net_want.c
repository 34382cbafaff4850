/*
 * net_want.c: from the IR to the settings that the kernel shall have.
 *
 * Input: an IR that ir_open() has checked. IPv6 routes get the metric that the kernel would give them (1024), so
 * that what is read back compares equal.
 */
#include "net_private.h"

#include <linux/rtnetlink.h>
#include <stdio.h>
#include <string.h>

#include <sekisho/addr.h>
#include <sekisho/ir.h>

#define IP6_ROUTE_METRIC 1024

struct net_iface *net_want_iface(struct net_want *w, const char *name)
{
	for (unsigned i = 0; i < w->nifaces; i++)
		if (strncmp(w->ifaces[i].name, name, LIMIT_IFNAME) == 0)
			return &w->ifaces[i];
	return NULL;
}

static struct net_iface *add_iface(struct net_want *w, const char *name)
{
	if (w->nifaces >= NET_IFACES_MAX)
		return NULL;
	struct net_iface *i = &w->ifaces[w->nifaces++];
	*i = (struct net_iface){0};
	snprintf(i->name, sizeof(i->name), "%s", name);
	return i;
}

/* The interfaces of the segments come first, in the IR's order: the IR's indices are ours. */
static bool want_ifaces(struct net_want *w, const struct ir *ir)
{
	for (uint32_t k = 0; k < ir->ninterfaces; k++) {
		struct net_iface *i = add_iface(w, ir->interfaces[k].name);
		if (i == NULL)
			return false;
		snprintf(i->parent, sizeof(i->parent), "%s", ir->interfaces[k].parent);
		i->vlan = ir->interfaces[k].parent[0] != '\0' ? ir->interfaces[k].vlan : 0;
		i->segment = true;
	}
	for (uint32_t k = 0; k < ir->ninterfaces; k++) {
		const char *parent = ir->interfaces[k].parent;
		if (parent[0] != '\0' && net_want_iface(w, parent) == NULL && add_iface(w, parent) == NULL)
			return false;
	}
	return true;
}

/* The route and the rule of one family, once. */
static void want_turn(struct net_want *w, uint8_t family)
{
	struct net_fact route = {.kind = NET_TURN_ROUTE, .family = family, .type = RTN_LOCAL, .ifindex = NET_LOOPBACK,
		.metric = family == 6 ? IP6_ROUTE_METRIC : 0, .proto = NET_PROTO_OURS};
	struct net_fact rule = {.kind = NET_TURN_RULE, .family = family, .proto = NET_PROTO_OURS};

	net_facts_add(&w->facts, &route);
	net_facts_add(&w->facts, &rule);
	w->turns = true;
}

static void want_turns(struct net_want *w, const struct ir *ir)
{
	for (uint8_t family = 4; family <= 6; family += 2) {
		uint32_t i = 0;
		while (i < ir->nowns && (ir->owns[i].turned == 0 || ir->owns[i].family != family))
			i++;
		if (i < ir->nowns)
			want_turn(w, family);
	}
}

static void want_facts(struct net_want *w, const struct ir *ir)
{
	for (uint32_t k = 0; k < ir->nlocals; k++) {
		const struct ir_local *l = &ir->locals[k];
		struct net_fact f = {.kind = NET_ADDR, .family = l->family, .plen = l->prefix_len,
			.ifindex = l->interface, .proto = NET_PROTO_OURS};
		memcpy(f.addr, l->addr, sizeof(f.addr));
		net_facts_add(&w->facts, &f);
	}
	for (uint32_t k = 0; k < ir->nroutes; k++) {
		const struct ir_route *r = &ir->routes[k];
		struct net_fact f = {.kind = NET_ROUTE, .family = r->family, .plen = r->prefix_len, .type = RTN_UNICAST,
			.ifindex = r->interface, .metric = r->family == 6 ? IP6_ROUTE_METRIC : 0,
			.proto = NET_PROTO_OURS};
		memcpy(f.addr, r->prefix, sizeof(f.addr));
		memcpy(f.via, r->via, sizeof(f.via));
		net_facts_add(&w->facts, &f);
	}
	for (uint32_t k = 0; k < ir->nneighs; k++) {
		const struct ir_neigh *e = &ir->neighs[k];
		struct net_fact f = {.kind = NET_NEIGH, .family = e->family, .ifindex = e->interface,
			.proto = NET_PROTO_OURS};
		memcpy(f.addr, e->addr, sizeof(f.addr));
		memcpy(f.via, e->mac, sizeof(e->mac));
		net_facts_add(&w->facts, &f);
	}
}

bool net_want_from_ir(struct net_want *w, const struct ir *ir)
{
	*w = (struct net_want){0};
	if (ir == NULL)
		return true;
	if (!want_ifaces(w, ir))
		return false;
	want_facts(w, ir);
	want_turns(w, ir);
	return true;
}

void net_want_free(struct net_want *w)
{
	net_facts_free(&w->facts);
	*w = (struct net_want){0};
}

void net_want_resolve(const struct net_want *w, struct net_facts *ret)
{
	buf_clear(&ret->b);
	for (size_t i = 0; i < net_facts_n(&w->facts); i++) {
		struct net_fact f = *net_facts_at(&w->facts, i);
		bool fixed = f.kind == NET_TURN_ROUTE || f.kind == NET_TURN_RULE;
		if (!fixed && (f.ifindex >= w->nifaces || w->ifaces[f.ifindex].ifindex == 0))
			continue;
		if (!fixed)
			f.ifindex = w->ifaces[f.ifindex].ifindex;
		net_facts_add(ret, &f);
	}
	net_facts_sort(ret);
}
