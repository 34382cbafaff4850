/*
 * hosts.c: hosts and groups become address lists, each host checked against its segment and the way to it.
 *
 * A host stands on a connected network (its MAC may be bound then) or behind a router, whose MAC is what the
 * gate sees; a MAC of its own is refused there, because no frame would ever carry it.
 */
#include "compile.h"

#include <stdlib.h>
#include <string.h>

/* -- inside its segment --------------------------------------------------------------------------------- */

struct inside {
	struct addr want; /* the next address that must be covered */
	uint32_t segment;
	uint32_t found; /* the segment that holds the first foreign part; NONE */
	bool covered;	/* up to `want`, and past the end of the family when !more */
	bool more;
};

static void inside_part(void *arg, const struct addr_range *common, uint32_t owner)
{
	struct inside *in = arg;

	if (owner != in->segment) {
		in->covered = false;
		if (in->found == NONE)
			in->found = owner;
		return;
	}
	if (!in->more || addr_cmp(&common->lo, &in->want) != 0)
		in->covered = false;
	in->want = common->hi;
	in->more = addr_next(&in->want);
}

/*
 * Does every address of the range belong to the segment? *ret_found: which other segment holds a part of it.
 */
static bool segment_covers(
	const struct compiler *c, uint32_t segment, const struct addr_range *r, uint32_t *ret_found)
{
	struct inside in = {r->lo, segment, NONE, true, true};

	cover_each(&c->networks, r, inside_part, &in);
	*ret_found = in.found;
	return in.covered && (!in.more || addr_cmp(&in.want, &r->hi) > 0);
}

static bool check_inside(
	struct compiler *c, const struct model_host *h, uint32_t segment, const struct prefix *p)
{
	char text[ADDR_TEXT_MAX];
	struct addr_range r = prefix_of(p);
	uint32_t found;

	if (segment_covers(c, segment, &r, &found))
		return true;
	const char *hint = found == NONE ? _("correct the address, or add its network to the segment")
					 : arena_printf(c->arena, _("that address belongs to segment \"%s\""),
						   c->m->segments[found].name.text);
	diag_error(c->diags, p->line, "host-outside-segment", hint,
		_("%s of host \"%s\" is outside the networks of segment \"%s\""), range_format(&r, text),
		h->name.text, c->m->segments[segment].name.text);
	return false;
}

/* -- the way to it -------------------------------------------------------------------------------------- */

struct way_arg {
	const struct compiler *c;
	uint32_t segment;
	uint32_t way;	 /* the way of the first part */
	bool one_router; /* all parts have the same next hop */
	struct addr_range parts;
	size_t nparts;
};

static void way_part(void *arg, const struct addr_range *common, uint32_t owner)
{
	struct way_arg *w = arg;

	if (w->c->ir.interfaces[w->c->ways[owner].interface].segment != w->segment)
		return;
	if (w->nparts == 0) {
		w->way = owner;
		w->parts.lo = common->lo;
	} else if (w->c->ways[owner].router != w->c->ways[w->way].router) {
		w->one_router = false;
	}
	w->parts.hi = common->hi;
	w->nparts++;
}

static void report_no_route(
	struct compiler *c, const struct model_host *h, const struct prefix *p, uint32_t behind)
{
	char text[ADDR_TEXT_MAX];
	struct addr_range r = prefix_of(p);
	const char *router = behind != NONE ? c->m->routers[behind].name.text : "ROUTER";

	range_format(&r, text);
	diag_warning(c->diags, p->line, "no-route",
		arena_printf(c->arena, _("add: set route %s%s via %s"), text,
			strchr(text, '/') != NULL ? ""
			: p->addr.family == 4	  ? "/32"
						  : "/128",
			router),
		_("there is no way to %s of host \"%s\": it is on no connected network and no route leads "
		  "there"),
		text, h->name.text);
}

/* `behind` and `mac` against the way that the routes give. */
static void check_behind(
	struct compiler *c, const struct model_host *h, const struct prefix *p, uint32_t behind, uint32_t way)
{
	char text[ADDR_TEXT_MAX];
	const struct way *w = &c->ways[way];
	const char *via = w->router == NONE ? NULL : c->m->routers[w->router].name.text;

	addr_format(&p->addr, text);
	if (via == NULL && behind != NONE)
		diag_error(c->diags, h->behind.line, "behind-connected",
			_("leave out `behind`, or correct the address"),
			_("%s of host \"%s\" is on a network that the gateway is connected to, not behind "
			  "\"%s\""),
			text, h->name.text, h->behind.text);
	if (via != NULL && behind != NONE && behind != w->router &&
		c->router_segment[behind] == c->router_segment[w->router])
		diag_error(c->diags, h->behind.line, "behind-wrong-router",
			arena_printf(c->arena, _("write: behind %s, or change the route"), via),
			_("the route to %s of host \"%s\" leads through \"%s\", not through \"%s\""), text,
			h->name.text, via, h->behind.text);
	if (via != NULL && h->mac.line != 0)
		diag_error(c->diags, h->mac.line, "mac-behind-router",
			arena_printf(c->arena,
				_("leave out `mac`: the MAC address of router \"%s\" is bound"), via),
			_("the MAC address of host \"%s\" is never seen here: it is behind router \"%s\""),
			h->name.text, via);
}

/* The connected way on which the host's MAC can be bound; NONE. */
static uint32_t check_way(struct compiler *c, const struct model_host *h, uint32_t segment,
	const struct prefix *p, uint32_t behind)
{
	struct addr_range r = prefix_of(p);
	struct way_arg w = {.c = c, .segment = segment, .way = NONE, .one_router = true};

	cover_each(&c->routing, &r, way_part, &w);
	if (w.nparts == 0 || addr_cmp(&w.parts.lo, &r.lo) != 0 || addr_cmp(&w.parts.hi, &r.hi) != 0)
		report_no_route(c, h, p, behind);
	if (w.nparts == 0)
		return NONE;
	if (w.one_router)
		check_behind(c, h, p, behind, w.way);
	return c->ways[w.way].router == NONE ? w.way : NONE;
}

/* -- one host ------------------------------------------------------------------------------------------- */

static bool is_single(const struct prefix *p)
{
	return !p->has_len || p->len == addr_len(p->addr.family) * 8;
}

static bool check_form(struct compiler *c, const struct model_host *h, const struct prefix *p)
{
	char text[ADDR_TEXT_MAX], right[ADDR_TEXT_MAX];
	struct addr_range r = prefix_of(p);

	if (addr_cmp(&r.lo, &p->addr) != 0) {
		diag_error(c->diags, p->line, "host-bits",
			arena_printf(c->arena, _("write %s for the network, or %s for the host"),
				range_format(&r, right), addr_format(&p->addr, text)),
			_("%s/%u is neither a host nor a network"), text, p->len);
		return false;
	}
	for (size_t i = 0; is_single(p) && i < c->ir.nlocals; i++) {
		struct addr local = ir_addr(c->ir.locals[i].family, c->ir.locals[i].addr);
		if (addr_cmp(&local, &p->addr) == 0) {
			diag_error(c->diags, p->line, "host-is-gateway", NULL,
				_("%s of host \"%s\" is the gateway's own address"),
				addr_format(&p->addr, text), h->name.text);
			return false;
		}
	}
	return true;
}

static void check_mac(struct compiler *c, const struct model_host *h)
{
	if (h->mac.line == 0)
		return;
	if (mac_is_multicast(&h->mac.mac) || mac_is_zero(&h->mac.mac))
		diag_error(c->diags, h->mac.line, "mac-not-a-device", NULL,
			_("a MAC address of this form belongs to no device"));
	for (size_t k = 0; k < h->addresses.n; k++)
		if (!is_single(&h->addresses.v[k])) {
			diag_error(c->diags, h->mac.line, "mac-of-a-network",
				_("name each machine as a host of its own"),
				_("a MAC address belongs to one machine, and \"%s\" is a whole network"),
				h->name.text);
			return;
		}
}

static void put_host_neigh(struct compiler *c, const struct model_host *h, const struct addr *a, uint32_t way)
{
	struct ir_neigh *n = IR_PUSH(&c->ir, neighs);

	*n = (struct ir_neigh){.interface = c->ways[way].interface, .family = a->family};
	memcpy(n->addr, a->b, sizeof(n->addr));
	memcpy(n->mac, h->mac.mac.b, sizeof(n->mac));
}

static void put_addresses(struct compiler *c, uint32_t i, uint32_t segment, uint32_t behind)
{
	const struct model_host *h = &c->m->hosts[i];
	struct endpoint *e = &c->host_ends[i];
	struct piece *v = ARENA_ARRAY(c->arena, h->addresses.n + 1, struct piece);

	*e = (struct endpoint){ENDPOINT_HOST, i, segment, v, 0};
	for (size_t k = 0; k < h->addresses.n; k++) {
		const struct prefix *p = &h->addresses.v[k];
		if (!check_form(c, h, p))
			continue;
		uint32_t way = check_inside(c, h, segment, p) ? check_way(c, h, segment, p, behind) : NONE;
		if (way != NONE && h->mac.line != 0 && is_single(p))
			put_host_neigh(c, h, &p->addr, way);
		v[e->n++] = (struct piece){prefix_of(p), i};
		struct ir_hostaddr *a = IR_PUSH(&c->ir, hostaddrs);
		a->host = i;
		a->family = p->addr.family;
		ir_put_range(&a->range, &v[e->n - 1].range);
	}
}

static void put_host(struct compiler *c, uint32_t i)
{
	const struct model_host *h = &c->m->hosts[i];
	uint32_t segment = name_find(c, c->segments, NAME_SEGMENT, &h->segment);
	uint32_t behind = name_find(c, c->routers, NAME_ROUTER, &h->behind);
	struct ir_host *out = IR_PUSH(&c->ir, hosts);

	*out = (struct ir_host){
		.segment = segment == NONE ? 0 : (uint16_t)segment, .has_mac = h->mac.line != 0};
	memcpy(out->mac, h->mac.mac.b, sizeof(out->mac));
	out->name = ir_intern(&c->ir, h->name.text);
	out->label = ir_intern(&c->ir, h->label);
	out->section = ir_intern(&c->ir, h->section);
	out->location = ir_intern(&c->ir, h->location);
	out->external = ir_intern(&c->ir, h->external.text);
	if (h->segment.text == NULL && !form_said(c, h->name.line))
		diag_error(c->diags, h->name.line, "host-no-segment", _("add: segment NAME"),
			_("the host \"%s\" is in no segment"), h->name.text);
	if (h->addresses.n == 0 && !form_said(c, h->name.line))
		diag_error(c->diags, h->name.line, "host-no-address", _("add: address 10.1.10.5"),
			_("the host \"%s\" has no address"), h->name.text);
	if (behind != NONE && segment != NONE && c->router_segment[behind] != NONE &&
		c->router_segment[behind] != segment)
		diag_error(c->diags, h->behind.line, "behind-other-segment", NULL,
			_("the router \"%s\" stands in segment \"%s\", the host \"%s\" in \"%s\""),
			h->behind.text, c->m->segments[c->router_segment[behind]].name.text, h->name.text,
			h->segment.text);
	check_mac(c, h);
	uint32_t first = (uint32_t)c->ir.nhostaddrs;
	if (segment != NONE)
		put_addresses(c, i, segment, behind);
	c->ir.hosts[i].addrs = (struct ir_run){first, (uint32_t)c->ir.nhostaddrs - first};
}

/* -- two hosts with one address or one MAC -------------------------------------------------------------- */

struct twin {
	uint8_t family;
	uint8_t key[32]; /* lo and hi, or the MAC */
	uint32_t host, line;
};

static int twin_cmp(const void *pa, const void *pb)
{
	const struct twin *a = pa, *b = pb;
	int d = a->family != b->family ? (a->family < b->family ? -1 : 1)
				       : memcmp(a->key, b->key, sizeof(a->key));

	return d == 0 ? (a->line > b->line) - (a->line < b->line) : d;
}

static void report_twins(struct compiler *c, const struct twin *a, const struct twin *b)
{
	char text[ADDR_TEXT_MAX];
	const char *one = c->m->hosts[a->host].name.text, *two = c->m->hosts[b->host].name.text;
	struct addr_range r = {ir_addr(b->family, b->key), ir_addr(b->family, b->key + 16)};
	struct mac mac;

	if (b->family == 0) {
		memcpy(mac.b, b->key, sizeof(mac.b));
		diag_warning(c->diags, b->line, "mac-twice",
			_("one of the two is mistaken, or the two are one machine"),
			_("the hosts \"%s\" and \"%s\" have the same MAC address %s"), one, two,
			mac_format(&mac, text));
	} else if (range_is_single(&r)) {
		diag_error(c->diags, b->line, "address-of-two-hosts", _("one address belongs to one host"),
			_("the hosts \"%s\" and \"%s\" have the same address %s"), one, two,
			range_format(&r, text));
	} else {
		diag_warning(c->diags, b->line, "address-of-two-hosts", _("use one name for one network"),
			_("the hosts \"%s\" and \"%s\" have the same address %s"), one, two,
			range_format(&r, text));
	}
}

static void check_twins(struct compiler *c)
{
	size_t n = 0;
	struct twin *v = ARENA_ARRAY(c->arena, c->ir.nhostaddrs + c->m->nhosts + 1, struct twin);

	for (size_t i = 0; i < c->ir.nhostaddrs; i++) {
		const struct ir_hostaddr *a = &c->ir.hostaddrs[i];
		struct twin t = {
			.family = a->family, .host = a->host, .line = c->m->hosts[a->host].name.line};
		memcpy(t.key, &a->range, sizeof(t.key));
		v[n++] = t;
	}
	for (uint32_t i = 0; i < c->m->nhosts; i++) {
		const struct model_host *h = &c->m->hosts[i];
		if (h->mac.line == 0)
			continue;
		v[n] = (struct twin){.host = i, .line = h->mac.line};
		memcpy(v[n++].key, h->mac.mac.b, 6);
	}
	qsort(v, n, sizeof(*v), twin_cmp);
	for (size_t i = 1; i < n; i++)
		if (v[i].family == v[i - 1].family && memcmp(v[i].key, v[i - 1].key, sizeof(v[i].key)) == 0)
			report_twins(c, &v[i - 1], &v[i]);
}

/* -- groups --------------------------------------------------------------------------------------------- */

struct expansion {
	struct compiler *c;
	struct piece *v;
	size_t n, cap;
	uint32_t segment;
	uint32_t group; /* whose expansion this is: faults of groups inside it are said with them */
	uint8_t *seen;	/* by group: 1 being expanded (to find circles), 2 done (each counts once) */
};

static void expand_host(struct expansion *x, const struct word *w, uint32_t host, const struct model_group *g)
{
	const struct endpoint *e = &x->c->host_ends[host];

	if (e->segment != NONE && x->segment != NONE && e->segment != x->segment)
		diag_error(x->c->diags, w->line, "group-mixed", _("make one group for each segment"),
			_("the members of group \"%s\" are in different segments: \"%s\" is in \"%s\", "
			  "others in \"%s\""),
			g->name.text, w->text, x->c->m->segments[e->segment].name.text,
			x->c->m->segments[x->segment].name.text);
	if (x->segment == NONE)
		x->segment = e->segment;
	for (size_t k = 0; k < e->n; k++)
		*(struct piece *)arena_push(
			x->c->arena, (void **)&x->v, &x->n, &x->cap, sizeof(struct piece)) = e->v[k];
}

static void expand_group(struct expansion *x, uint32_t group)
{
	const struct model_group *g = &x->c->m->groups[group];
	uint32_t i;

	x->seen[group] = 1;
	for (size_t k = 0; k < g->members.n; k++) {
		const struct word *w = &g->members.v[k];
		if (strmap_get(x->c->groups, w->text, &i)) {
			if (x->seen[i] == 1 && i == x->group)
				diag_error(x->c->diags, w->line, "group-circle", NULL,
					_("the group \"%s\" contains itself through \"%s\""), g->name.text,
					w->text);
			else if (x->seen[i] == 0)
				expand_group(x, i);
		} else if (strmap_get(x->c->hosts, w->text, &i)) {
			expand_host(x, w, i, g);
		} else if (group == x->group) {
			name_find(x->c, x->c->hosts, NAME_HOST, w);
		}
	}
	x->seen[group] = 2;
}

static void put_group(struct compiler *c, uint32_t i)
{
	const struct model_group *g = &c->m->groups[i];
	struct expansion x = {
		.c = c, .segment = NONE, .group = i, .seen = ARENA_ARRAY(c->arena, c->m->ngroups, uint8_t)};

	if (g->members.n == 0 && !form_said(c, g->name.line))
		diag_warning(c->diags, g->name.line, "group-empty", _("add: member HOST"),
			_("the group \"%s\" has no members"), g->name.text);
	expand_group(&x, i);
	c->group_ends[i] = (struct endpoint){ENDPOINT_GROUP, i, x.segment, x.v, x.n};
}

/* -- which sources may enter where ---------------------------------------------------------------------- */

struct entry {
	uint32_t interface;
	bool has_mac;
	struct mac mac;
};

struct source_list {
	struct compiler *c;
	struct pieces in;
	struct entry *entries;
	size_t nentries, cap;
	const struct entry *current;
	struct addr_range part;
};

static void add_entry(
	struct source_list *s, const struct addr_range *r, uint32_t interface, const struct mac *mac)
{
	struct arena *a = s->c->arena;
	struct entry *e = arena_push(a, (void **)&s->entries, &s->nentries, &s->cap, sizeof(*e));
	struct piece *p = arena_push(a, (void **)&s->in.v, &s->in.n, &s->in.cap, sizeof(*p));

	*e = (struct entry){.interface = interface, .has_mac = mac != NULL};
	if (mac != NULL)
		e->mac = *mac;
	*p = (struct piece){*r, (uint32_t)s->nentries - 1};
}

static bool same_source(const struct ir_source *s, const struct entry *e)
{
	return s->interface == e->interface && s->has_mac == e->has_mac && memcmp(s->mac, e->mac.b, 6) == 0;
}

/* One part of a way that belongs to the segment of its interface. */
static void put_source(void *arg, const struct addr_range *common, uint32_t owner)
{
	struct source_list *l = arg;
	struct compiler *c = l->c;
	const struct entry *e = l->current;

	if (owner != c->ir.interfaces[e->interface].segment)
		return;
	if (c->ir.nsources > 0) {
		struct ir_source *last = &c->ir.sources[c->ir.nsources - 1];
		struct addr next = ir_addr(last->family, last->range.hi);
		if (same_source(last, e) && last->family == common->lo.family && addr_next(&next) &&
			addr_cmp(&next, &common->lo) == 0) {
			memcpy(last->range.hi, common->hi.b, sizeof(last->range.hi));
			return;
		}
	}
	struct ir_source *s = IR_PUSH(&c->ir, sources);
	*s = (struct ir_source){
		.interface = (uint16_t)e->interface, .family = common->lo.family, .has_mac = e->has_mac};
	memcpy(s->mac, e->mac.b, sizeof(s->mac));
	ir_put_range(&s->range, common);
}

static int source_cmp(const void *pa, const void *pb)
{
	const struct ir_source *a = pa, *b = pb;

	if (a->interface != b->interface)
		return a->interface < b->interface ? -1 : 1;
	if (a->family != b->family)
		return a->family < b->family ? -1 : 1;
	return memcmp(a->range.lo, b->range.lo, 16);
}

/* Ways, and the bound machines (hosts and routers) on them; longest prefix decided, cut to the segment. */
static void put_sources(struct compiler *c)
{
	struct source_list l = {.c = c};
	struct pieces flat;

	for (size_t i = 0; i < c->ir.nneighs; i++) {
		const struct ir_neigh *n = &c->ir.neighs[i];
		struct addr a = ir_addr(n->family, n->addr);
		struct mac mac;
		memcpy(mac.b, n->mac, sizeof(mac.b));
		add_entry(&l, &(struct addr_range){a, a}, n->interface, &mac);
	}
	for (size_t i = 0; i < c->nways; i++) {
		const struct way *w = &c->ways[i];
		const struct model_router *r = w->router == NONE ? NULL : &c->m->routers[w->router];
		add_entry(&l, &w->range, w->interface, r != NULL && r->mac.line != 0 ? &r->mac.mac : NULL);
	}
	cover_flatten(c->arena, &l.in, &flat);
	for (size_t i = 0; i < flat.n; i++) {
		l.current = &l.entries[flat.v[i].owner];
		cover_each(&c->networks, &flat.v[i].range, put_source, &l);
	}
	if (c->ir.nsources > 0)
		qsort(c->ir.sources, c->ir.nsources, sizeof(*c->ir.sources), source_cmp);
}

/* -- the stage ------------------------------------------------------------------------------------------ */

static void put_segment_ends(struct compiler *c)
{
	for (uint32_t s = 0; s < c->m->nsegments; s++) {
		struct pieces p = {0};
		for (size_t i = 0; i < c->networks.n; i++)
			if (c->networks.v[i].owner == s)
				pieces_add(c->arena, &p, &c->networks.v[i].range, NONE);
		c->segment_ends[s] = (struct endpoint){ENDPOINT_SEGMENT, s, s, p.v, p.n};
	}
}

void stage_hosts(struct compiler *c)
{
	const struct model *m = c->m;

	c->host_ends = ARENA_ARRAY(c->arena, m->nhosts + 1, struct endpoint);
	c->group_ends = ARENA_ARRAY(c->arena, m->ngroups + 1, struct endpoint);
	c->segment_ends = ARENA_ARRAY(c->arena, m->nsegments + 1, struct endpoint);
	if (c->too_many || m->nhosts > LIMIT_HOSTS) {
		if (!c->too_many)
			diag_error(c->diags, 0, "limit", NULL, _("more than %d hosts"), LIMIT_HOSTS);
		c->too_many = true;
		return;
	}
	for (size_t i = 0; i < m->nhosts; i++)
		c->host_ends[i].segment = NONE;
	for (uint32_t i = 0; i < m->nhosts; i++)
		put_host(c, i);
	check_twins(c);
	for (uint32_t i = 0; i < m->ngroups; i++)
		put_group(c, i);
	put_segment_ends(c);
	put_sources(c);
}
