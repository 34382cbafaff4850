/*
 * topology.c: segments and interfaces become what the kernel needs to know of the network.
 *
 * Addresses of the gateway, and whose network an address is (longest prefix). An address of the gateway lies
 * inside its segment's networks; an interface belongs to one segment, a network too. `network other` is all
 * unicast space that nobody claims.
 */
#include "compile.h"

#include <stdlib.h>
#include <string.h>

/*
 * Unicast space that a network may use: what is left are the ranges that no packet may carry (see bogon.h).
 */
static const char *const universe[][2] = {
	{"1.0.0.0", "126.255.255.255"},
	{"128.0.0.0", "169.253.255.255"},
	{"169.255.0.0", "223.255.255.255"},
	{"2000::", "3fff:ffff:ffff:ffff:ffff:ffff:ffff:ffff"},
	{"fc00::", "fdff:ffff:ffff:ffff:ffff:ffff:ffff:ffff"},
};

struct addr_range prefix_of(const struct prefix *p)
{
	return prefix_range(&p->addr, p->has_len ? p->len : (uint8_t)(addr_len(p->addr.family) * 8));
}

/* A network written with host bits set: 10.1.0.1/16. */
bool check_host_bits(struct compiler *c, const struct prefix *p)
{
	char right[ADDR_TEXT_MAX], wrote[ADDR_TEXT_MAX];
	struct addr_range r = prefix_of(p);

	if (addr_cmp(&r.lo, &p->addr) == 0)
		return true;
	diag_error(c->diags, p->line, "host-bits",
		arena_printf(c->arena, _("write %s"), range_format(&r, right)),
		_("%s/%u is not the first address of its network"), addr_format(&p->addr, wrote), p->len);
	return false;
}

/* -- interfaces ----------------------------------------------------------------------------------------- */

static const struct model_interface *find_interface(const struct model *m, const char *name)
{
	for (size_t i = 0; i < m->ninterfaces; i++)
		if (strcmp(m->interfaces[i].name.text, name) == 0)
			return &m->interfaces[i];
	return NULL;
}

static bool interface_name_ok(struct compiler *c, const struct word *w)
{
	if (strlen(w->text) < LIMIT_IFNAME && strpbrk(w->text, "/: \"\\") == NULL &&
		strcmp(w->text, "lo") != 0)
		return true;
	diag_error(c->diags, w->line, "interface-name",
		_("at most 15 letters, as `ip link` shows them, and not lo"),
		_("\"%s\" cannot be the name of an interface"), w->text);
	return false;
}

/* VLAN: a parent and a number, both or neither; each (parent, number) once. */
static void put_vlan(struct compiler *c, const struct model_interface *mi, struct ir_interface *f)
{
	if ((mi->parent.text != NULL) != (mi->vlan != 0)) {
		diag_error(c->diags, mi->name.line, "vlan-incomplete", _("give both: parent eth2 vlan 20"),
			_("a VLAN interface needs a parent and a VLAN number"));
		return;
	}
	if (mi->parent.text == NULL || !interface_name_ok(c, &mi->parent))
		return;
	const struct model_interface *parent = find_interface(c->m, mi->parent.text);
	if (parent != NULL && parent->vlan != 0)
		diag_error(c->diags, mi->parent.line, "vlan-nested", _("name the physical interface"),
			_("the parent \"%s\" is a VLAN interface itself"), mi->parent.text);
	for (size_t i = 0; i + 1 < c->ir.ninterfaces; i++) {
		const struct ir_interface *o = &c->ir.interfaces[i];
		if (o->vlan == mi->vlan && strcmp(o->parent, mi->parent.text) == 0)
			diag_error(c->diags, mi->name.line, "vlan-twice", NULL,
				_("VLAN %u of \"%s\" is \"%s\" already"), mi->vlan, o->parent, o->name);
	}
	f->vlan = mi->vlan;
	snprintf(f->parent, sizeof(f->parent), "%s", mi->parent.text);
}

static void put_interface(struct compiler *c, uint32_t segment, const struct word *w)
{
	uint32_t had;

	if (!interface_name_ok(c, w))
		return;
	if (strmap_get(c->interfaces, w->text, &had)) {
		const struct model_segment *s = &c->m->segments[c->ir.interfaces[had].segment];
		diag_error(c->diags, w->line, "interface-twice", _("an interface belongs to one segment"),
			_("the interface \"%s\" belongs to segment \"%s\" already"), w->text, s->name.text);
		return;
	}
	strmap_add(c->interfaces, w->text, (uint32_t)c->ir.ninterfaces);
	struct ir_interface *f = IR_PUSH(&c->ir, interfaces);
	snprintf(f->name, sizeof(f->name), "%s", w->text);
	f->segment = (uint16_t)segment;
	const struct model_interface *mi = find_interface(c->m, w->text);
	if (mi != NULL)
		put_vlan(c, mi, f);
	/* A VLAN that is not said to be one would hide which cable it shares. */
	const char *dot = strchr(w->text, '.');
	if (dot != NULL && f->vlan == 0 && (mi == NULL || mi->parent.text == NULL))
		diag_error(c->diags, w->line, "vlan-undefined",
			arena_printf(c->arena, _("add: set interface %s parent %.*s vlan %s"), w->text,
				(int)(dot - w->text), w->text, dot + 1),
			_("the interface \"%s\" has the name of a VLAN but no parent and no VLAN number"),
			w->text);
}

/* -- the gateway's own addresses ------------------------------------------------------------------------ */

uint32_t add_way(
	struct compiler *c, const struct addr_range *r, uint32_t interface, uint32_t router, uint32_t line)
{
	struct way *w = arena_push(c->arena, (void **)&c->ways, &c->nways, &c->ways_cap, sizeof(*w));

	*w = (struct way){*r, (uint16_t)interface, router, line};
	return (uint32_t)c->nways - 1;
}

/* A network that another interface has already; each address has one way out. */
static void check_connected(
	struct compiler *c, const struct prefix *p, const struct addr_range *r, uint32_t interface)
{
	char a[ADDR_TEXT_MAX], b[ADDR_TEXT_MAX];

	for (size_t i = 0; i < c->nways; i++) {
		const struct way *w = &c->ways[i];
		if (range_overlaps(&w->range, r) && w->interface != interface) {
			diag_error(c->diags, p->line, "connected-overlap",
				_("each interface has a network of its own"),
				_("the network %s overlaps %s of interface \"%s\""), range_format(r, a),
				range_format(&w->range, b), c->ir.interfaces[w->interface].name);
			return;
		}
	}
}

static void put_local(struct compiler *c, uint32_t interface, const struct prefix *p)
{
	char text[ADDR_TEXT_MAX];
	struct addr_range r = prefix_of(p);

	if (!p->has_len) {
		diag_error(c->diags, p->line, "address-needs-length",
			arena_printf(c->arena, _("write %s/%d"), addr_format(&p->addr, text),
				p->addr.family == 4 ? 24 : 64),
			_("an address of the gateway needs the length of its network"));
		return;
	}
	if (p->addr.family == 4 && p->len < 31 &&
		(addr_cmp(&p->addr, &r.lo) == 0 || addr_cmp(&p->addr, &r.hi) == 0)) {
		diag_error(c->diags, p->line, "address-not-a-host", NULL,
			_("%s is the network's own or its broadcast address"), addr_format(&p->addr, text));
		return;
	}
	for (size_t i = 0; i < c->ir.nlocals; i++) {
		struct addr had = ir_addr(c->ir.locals[i].family, c->ir.locals[i].addr);
		if (addr_cmp(&had, &p->addr) == 0) {
			diag_error(c->diags, p->line, "address-twice", NULL,
				_("the gateway has the address %s already"), addr_format(&p->addr, text));
			return;
		}
	}
	check_connected(c, p, &r, interface);
	struct ir_local *l = IR_PUSH(&c->ir, locals);
	*l = (struct ir_local){
		.interface = (uint16_t)interface, .family = p->addr.family, .prefix_len = p->len};
	memcpy(l->addr, p->addr.b, sizeof(l->addr));
	add_way(c, &r, interface, NONE, p->line);
}

static void put_locals(struct compiler *c)
{
	for (size_t i = 0; i < c->m->nsegments; i++) {
		const struct model_segment *s = &c->m->segments[i];
		uint32_t interface = NONE;
		if (s->interfaces.n > 0)
			strmap_get(c->interfaces, s->interfaces.v[0].text, &interface);
		if (s->interfaces.n == 0)
			diag_error(c->diags, s->name.line, "no-interface", _("add: interface eth0"),
				_("segment \"%s\" has no interface"), s->name.text);
		for (size_t k = 0; interface != NONE && k < s->addresses.n; k++)
			put_local(c, interface, &s->addresses.v[k]);
	}
	for (size_t i = 0; i < c->m->ninterfaces; i++) {
		const struct model_interface *mi = &c->m->interfaces[i];
		uint32_t interface;
		if (!strmap_get(c->interfaces, mi->name.text, &interface)) {
			diag_warning(c->diags, mi->name.line, "unused-interface",
				_("name it in a segment, or remove the line"),
				_("the interface \"%s\" belongs to no segment"), mi->name.text);
			continue;
		}
		for (size_t k = 0; k < mi->addresses.n; k++)
			put_local(c, interface, &mi->addresses.v[k]);
	}
}

/* -- whose is an address -------------------------------------------------------------------------------- */

struct claim {
	struct addr_range range;
	uint32_t segment, line;
};

static int claim_cmp(const void *pa, const void *pb)
{
	const struct claim *a = pa, *b = pb;
	int d = addr_cmp(&a->range.lo, &b->range.lo);

	if (d == 0)
		d = addr_cmp(&b->range.hi, &a->range.hi);
	return d == 0 ? (a->line > b->line) - (a->line < b->line) : d;
}

static void report_overlap(struct compiler *c, const struct claim *outer, const struct claim *inner)
{
	char a[ADDR_TEXT_MAX], b[ADDR_TEXT_MAX];
	const char *mine = c->m->segments[inner->segment].name.text,
		   *other = c->m->segments[outer->segment].name.text;

	range_format(&inner->range, a);
	range_format(&outer->range, b);
	if (addr_cmp(&outer->range.lo, &inner->range.lo) == 0 &&
		addr_cmp(&outer->range.hi, &inner->range.hi) == 0)
		diag_error(c->diags, inner->line, "network-twice", _("a network belongs to one segment"),
			_("the network %s belongs to segment \"%s\" already"), a, other);
	else
		diag_warning(c->diags, inner->line, "network-overlap",
			_("write the networks so that they do not overlap"),
			_("the network %s of segment \"%s\" lies inside %s of \"%s\"; the longer prefix "
			  "decides"),
			a, mine, b, other);
}

/* Networks of two segments that overlap: one pass in the order (first address, widest first). */
static void check_claims(struct compiler *c, struct claim *v, size_t n)
{
	const struct claim **open = ARENA_ARRAY(c->arena, n + 1, const struct claim *);
	size_t depth = 0;

	if (n > 0)
		qsort(v, n, sizeof(*v), claim_cmp);
	for (size_t i = 0; i < n; i++) {
		while (depth > 0 && !range_has(&open[depth - 1]->range, &v[i].range.lo))
			depth--;
		if (depth > 0 && open[depth - 1]->segment != v[i].segment)
			report_overlap(c, open[depth - 1], &v[i]);
		open[depth++] = &v[i];
	}
}

struct other_arg {
	struct compiler *c;
	uint32_t segment;
	struct pieces *ret;
};

/* Keeps what segments claim; what only `other` would have is kept where the universe allows it. */
static void keep_universe(void *arg, const struct addr_range *common, uint32_t owner)
{
	struct other_arg *o = arg;

	if (owner == o->segment)
		pieces_add(o->c->arena, o->ret, common, owner);
}

static void add_other(struct compiler *c, uint32_t other, const struct pieces *all)
{
	struct pieces rest = {0};

	for (size_t i = 0; i < sizeof(universe) / sizeof(universe[0]); i++) {
		struct addr_range r;
		addr_parse(universe[i][0], &r.lo);
		addr_parse(universe[i][1], &r.hi);
		cover_each(all, &r, keep_universe, &(struct other_arg){c, other, &rest});
	}
	/* Merge the two lists, both sorted and disjoint from each other. */
	size_t k = 0;
	for (size_t i = 0; i <= all->n; i++) {
		while (k < rest.n &&
			(i == all->n || addr_cmp(&rest.v[k].range.lo, &all->v[i].range.lo) <= 0)) {
			pieces_add(c->arena, &c->networks, &rest.v[k].range, other);
			k++;
		}
		if (i < all->n && all->v[i].owner != other)
			pieces_add(c->arena, &c->networks, &all->v[i].range, all->v[i].owner);
	}
}

/* Which segment has `network other`; NONE. */
static uint32_t find_other(struct compiler *c)
{
	uint32_t other = NONE;

	for (size_t i = 0; i < c->m->nsegments; i++) {
		const struct model_segment *s = &c->m->segments[i];
		if (s->network_other == 0)
			continue;
		if (other != NONE)
			diag_error(c->diags, s->network_other, "other-twice",
				_("list the networks of one of the two"),
				_("segment \"%s\" has `network other` already"),
				c->m->segments[other].name.text);
		else
			other = (uint32_t)i;
		if (s->networks.n > 0)
			diag_warning(c->diags, s->network_other, "other-and-networks",
				_("leave out the other networks"),
				_("`network other` holds everything that no other segment claims, also "
				  "these"));
	}
	return other;
}

static void put_networks(struct compiler *c)
{
	uint32_t other = find_other(c);
	struct pieces in = {0}, all;
	struct claim *claims;
	size_t n = 0, total = 0;

	for (size_t i = 0; i < c->m->nsegments; i++)
		total += c->m->segments[i].networks.n;
	claims = ARENA_ARRAY(c->arena, total + 1, struct claim);
	for (size_t i = 0; i < c->m->nsegments; i++) {
		const struct model_segment *s = &c->m->segments[i];
		if (s->networks.n == 0 && s->network_other == 0)
			diag_error(c->diags, s->name.line, "no-network", _("add: network 10.1.0.0/16"),
				_("segment \"%s\" has no network"), s->name.text);
		for (size_t k = 0; k < s->networks.n; k++) {
			check_host_bits(c, &s->networks.v[k]);
			struct addr_range r = prefix_of(&s->networks.v[k]);
			claims[n++] = (struct claim){r, (uint32_t)i, s->networks.v[k].line};
			*(struct piece *)arena_push(c->arena, (void **)&in.v, &in.n, &in.cap,
				sizeof(struct piece)) = (struct piece){r, (uint32_t)i};
		}
	}
	check_claims(c, claims, n);
	if (other != NONE) {
		struct addr_range everything[2] = {
			{.lo.family = 4, .hi.family = 4}, {.lo.family = 6, .hi.family = 6}};
		for (int f = 0; f < 2; f++) {
			everything[f].hi = prefix_range(&everything[f].lo, 0).hi;
			*(struct piece *)arena_push(c->arena, (void **)&in.v, &in.n, &in.cap,
				sizeof(struct piece)) = (struct piece){everything[f], other};
		}
	}
	cover_flatten(c->arena, &in, &all);
	if (other == NONE)
		c->networks = all;
	else
		add_other(c, other, &all);
}

/* Every address of the gateway lies inside the networks of its segment. */
static void check_locals_inside(struct compiler *c)
{
	char text[ADDR_TEXT_MAX];

	for (size_t i = 0; i < c->nways; i++) {
		const struct way *w = &c->ways[i];
		uint32_t segment = c->ir.interfaces[w->interface].segment;
		if (w->router != NONE)
			continue;
		const struct piece *lo = cover_find(&c->networks, &w->range.lo),
				   *hi = cover_find(&c->networks, &w->range.hi);
		if (lo == NULL || hi == NULL || lo->owner != segment || hi->owner != segment)
			diag_error(c->diags, w->line, "local-outside-network",
				arena_printf(c->arena, _("add to the segment: network %s"),
					range_format(&w->range, text)),
				_("the network %s of interface \"%s\" is not among the networks of segment "
				  "\"%s\""),
				text, c->ir.interfaces[w->interface].name, c->m->segments[segment].name.text);
	}
}

/* -- the stage ------------------------------------------------------------------------------------------ */

static void put_segment(struct compiler *c, uint32_t i)
{
	const struct model_segment *s = &c->m->segments[i];
	struct ir_segment *out = IR_PUSH(&c->ir, segments);

	*out = (struct ir_segment){.kind = (uint8_t)s->kind,
		.answer_ping = s->answer_ping,
		.network_other = s->network_other != 0,
		.mss = s->mss};
	out->name = ir_intern(&c->ir, s->name.text);
	out->label = ir_intern(&c->ir, s->label);
	if (s->kind_line == 0 && !form_said(c, s->name.line))
		diag_error(c->diags, s->name.line, "segment-no-kind",
			_("add: kind mynumber, lgwan, internet or other"),
			_("segment \"%s\" has no kind, so no law would protect it"), s->name.text);
	for (size_t k = 0; k < s->interfaces.n; k++)
		put_interface(c, i, &s->interfaces.v[k]);
}

/* Networks into the IR, segment by segment. */
static void put_network_records(struct compiler *c)
{
	for (uint32_t s = 0; s < c->ir.nsegments; s++) {
		uint32_t first = (uint32_t)c->ir.nnetworks;
		for (size_t i = 0; i < c->networks.n; i++) {
			const struct piece *p = &c->networks.v[i];
			if (p->owner != s)
				continue;
			struct ir_network *n = IR_PUSH(&c->ir, networks);
			n->segment = (uint16_t)s;
			n->family = p->range.lo.family;
			ir_put_range(&n->range, &p->range);
		}
		c->ir.segments[s].networks = (struct ir_run){first, (uint32_t)c->ir.nnetworks - first};
	}
}

/* Refuses to look further at lists that are longer than the gate can hold. */
static bool limit(struct compiler *c, size_t n, size_t max, uint32_t line, const char *what)
{
	if (n <= max)
		return false;
	if (!form_said(c, line))
		diag_error(c->diags, line, "limit", NULL, _("more than %zu %s"), max, what);
	return true;
}

void stage_topology(struct compiler *c)
{
	const struct model *m = c->m;
	size_t ninterfaces = 0;

	for (size_t i = 0; i < m->nsegments; i++)
		ninterfaces += m->segments[i].interfaces.n;
	c->router_segment = ARENA_ARRAY(c->arena, m->nrouters + 1, uint32_t);
	if (limit(c, m->nsegments, LIMIT_SEGMENTS,
		    m->nsegments > 0 ? m->segments[m->nsegments - 1].name.line : 0, _("segments")) ||
		limit(c, ninterfaces, LIMIT_INTERFACES, 0, _("interfaces")) ||
		limit(c, m->nrouters, LIMIT_ROUTERS, 0, _("routers")) ||
		limit(c, m->nroutes, LIMIT_ROUTES, 0, _("routes"))) {
		c->too_many = true;
		return;
	}
	for (uint32_t i = 0; i < m->nsegments; i++)
		put_segment(c, i);
	put_locals(c);
	put_networks(c);
	check_locals_inside(c);
	put_network_records(c);
}
