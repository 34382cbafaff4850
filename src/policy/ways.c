/*
 * ways.c: routers and routes: by which way an address is reached, and through which MAC address.
 *
 * A router stands on a connected network of its segment; a route leads into that segment's networks. The
 * longest prefix decides, as in the kernel.
 */
#include "compile.h"

#include <string.h>

/* -- routers and routes --------------------------------------------------------------------------------- */

/* The connected way that holds an address in a segment; NONE. */
static uint32_t connected_way(const struct compiler *c, const struct addr *a, uint32_t segment)
{
	for (size_t i = 0; i < c->nways; i++)
		if (c->ways[i].router == NONE && range_has(&c->ways[i].range, a) &&
			c->ir.interfaces[c->ways[i].interface].segment == segment)
			return (uint32_t)i;
	return NONE;
}

static void put_neigh(struct compiler *c, uint32_t interface, const struct addr *a, const struct mac *mac)
{
	struct ir_neigh *n = IR_PUSH(&c->ir, neighs);

	n->interface = (uint16_t)interface;
	n->family = a->family;
	memcpy(n->addr, a->b, sizeof(n->addr));
	memcpy(n->mac, mac->b, sizeof(n->mac));
}

static void put_router(struct compiler *c, uint32_t i)
{
	const struct model_router *r = &c->m->routers[i];
	char text[ADDR_TEXT_MAX];
	uint32_t segment = name_find(c, c->segments, NAME_SEGMENT, &r->segment);

	c->router_segment[i] = segment;
	if (r->segment.text == NULL && !form_said(c, r->name.line))
		diag_error(c->diags, r->name.line, "router-no-segment", _("add: segment NAME"),
			_("the router \"%s\" is in no segment"), r->name.text);
	if (r->addresses.n == 0 && !form_said(c, r->name.line))
		diag_error(c->diags, r->name.line, "router-no-address", _("add: address 10.1.0.254"),
			_("the router \"%s\" has no address"), r->name.text);
	if (r->mac.line != 0 && (mac_is_multicast(&r->mac.mac) || mac_is_zero(&r->mac.mac)))
		diag_error(c->diags, r->mac.line, "mac-not-a-device", NULL,
			_("a MAC address of this form belongs to no device"));
	for (size_t k = 0; segment != NONE && k < r->addresses.n; k++) {
		const struct addr *a = &r->addresses.v[k].addr;
		uint32_t way = connected_way(c, a, segment);
		if (way == NONE)
			diag_error(c->diags, r->addresses.v[k].line, "router-not-connected",
				_("a router stands on a network that the gateway is connected to"),
				_("%s of router \"%s\" is on no network of segment \"%s\" that the gateway "
				  "has an address in"),
				addr_format(a, text), r->name.text, c->m->segments[segment].name.text);
		else if (r->mac.line != 0)
			put_neigh(c, c->ways[way].interface, a, &r->mac.mac);
	}
}

struct inside_arg {
	uint32_t segment;
	bool any;
};

static void note_inside(void *arg, const struct addr_range *common, uint32_t owner)
{
	struct inside_arg *i = arg;

	(void)common;
	if (owner == i->segment)
		i->any = true;
}

/* A route leads to networks of its router's segment; the default route belongs to `network other`. */
static void check_route_inside(
	struct compiler *c, const struct model_route *r, const struct addr_range *range, uint32_t segment)
{
	char text[ADDR_TEXT_MAX];
	struct inside_arg in = {segment, false};
	const struct model_segment *s = &c->m->segments[segment];

	cover_each(&c->networks, range, note_inside, &in);
	for (size_t k = 0; k < s->networks.n; k++) {
		struct addr_range n = prefix_of(&s->networks.v[k]);
		if (range_covers(&n, range))
			return;
	}
	if (s->network_other != 0 && in.any)
		return;
	diag_error(c->diags, r->prefix.line, "route-outside-segment",
		_("add the network to that segment, or use a router of the right segment"),
		_("the route to %s leads into segment \"%s\", which has no such network"),
		range_format(range, text), s->name.text);
}

/* The router's address in this family with its connected way; NULL when it has none. */
static const struct addr *router_addr(
	const struct compiler *c, uint32_t router, uint8_t family, uint32_t *ret_way)
{
	const struct model_router *r = &c->m->routers[router];

	for (size_t k = 0; k < r->addresses.n; k++) {
		const struct addr *a = &r->addresses.v[k].addr;
		*ret_way = c->router_segment[router] == NONE ? NONE
							     : connected_way(c, a, c->router_segment[router]);
		if (a->family == family && *ret_way != NONE)
			return a;
	}
	return NULL;
}

static void put_route(struct compiler *c, const struct model_route *r)
{
	char text[ADDR_TEXT_MAX];
	struct addr_range range = prefix_of(&r->prefix);
	uint32_t way, router = name_find(c, c->routers, NAME_ROUTER, &r->via);

	if (r->via.text == NULL && !form_said(c, r->prefix.line))
		diag_error(c->diags, r->prefix.line, "route-no-router", _("add: via ROUTER"),
			_("the route to %s has no router"), range_format(&range, text));
	if (!check_host_bits(c, &r->prefix) || router == NONE || c->router_segment[router] == NONE)
		return;
	const struct addr *via = router_addr(c, router, r->prefix.addr.family, &way);
	if (via == NULL) {
		diag_error(c->diags, r->via.line, "router-no-address",
			_("give the router an address of that family"),
			_("the router \"%s\" has no %s address for this route"), r->via.text,
			r->prefix.addr.family == 4 ? "IPv4" : "IPv6");
		return;
	}
	for (size_t i = 0; i < c->nways; i++) {
		if (addr_cmp(&c->ways[i].range.lo, &range.lo) != 0 ||
			addr_cmp(&c->ways[i].range.hi, &range.hi) != 0)
			continue;
		diag_error(c->diags, r->prefix.line, "route-twice", _("each network has one way"),
			_("there is a way to %s already (line %u)"), range_format(&range, text),
			c->ways[i].line);
		return;
	}
	check_route_inside(c, r, &range, c->router_segment[router]);
	struct ir_route *out = IR_PUSH(&c->ir, routes);
	*out = (struct ir_route){.interface = c->ways[way].interface,
		.family = range.lo.family,
		.prefix_len = (uint8_t)range_prefix_len(&range)};
	memcpy(out->prefix, range.lo.b, sizeof(out->prefix));
	memcpy(out->via, via->b, sizeof(out->via));
	add_way(c, &range, c->ways[way].interface, router, r->prefix.line);
}

void stage_ways(struct compiler *c)
{
	const struct model *m = c->m;
	struct pieces in = {0};

	if (c->too_many)
		return;
	for (uint32_t i = 0; i < m->nrouters; i++)
		put_router(c, i);
	for (size_t i = 0; i < m->nroutes; i++)
		put_route(c, &m->routes[i]);
	for (uint32_t i = 0; i < c->nways; i++)
		*(struct piece *)arena_push(c->arena, (void **)&in.v, &in.n, &in.cap, sizeof(struct piece)) =
			(struct piece){c->ways[i].range, i};
	cover_flatten(c->arena, &in, &c->routing);
}
