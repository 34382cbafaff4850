/*
 * build_maps.c: the boxes of a pair of segments -> maps from a flow's tuple to its class.
 *
 * A box of single source, destination and port goes to a hash map of any size; the others to interval maps of at
 * most LIMIT_SET_INTERVALS elements (kernels grow badly beyond). Where a pair has more, they are cut by source,
 * destination or port, whichever cuts fewest boxes in two, into as many as needed, found by one small ordered map
 * a level. The boxes are disjoint, so a cut box stays the same set of flows.
 */
#include "build.h"

#include <netinet/in.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* One interval element in the making. */
struct cell {
	struct ir_range src, dst;
	uint16_t lo, hi;
	struct elem elem;
};

/* What all maps of one pair, family and protocol share. */
struct group {
	struct build *b;
	uint8_t fam, proto;
	bool timed;   /* some element has an end */
	char name[48];
	unsigned nmaps, ncuts;
};

enum dim { DIM_SRC, DIM_DST, DIM_PORT, DIM_END };

/* -- what a box is now ---------------------------------------------------------------------------------------- */

static bool needs_clock(const struct ir_rule *r)
{
	return (r->flags & IR_RULE_TIMED) != 0 || r->ends != INT64_MAX || r->starts > 0;
}

static enum flow_class class_of(const struct build *b, const struct ir_rule *r, int64_t until)
{
	if (r->action == IR_INSPECT)
		return CLASS_INSPECT;
	if (r->action == IR_MAIL)
		return CLASS_MAIL;
	if ((r->flags & IR_RULE_ONE_WAY) != 0)
		return CLASS_ONEWAY;
	if ((r->flags & IR_RULE_DRAIN) == 0 && until != INT64_MAX && until - b->rs->now.sec < CLASS_TIMED_SECONDS)
		return CLASS_TIMED;
	return CLASS_ALLOW;
}

static void changes_at(struct ruleset *rs, int64_t when)
{
	if (when > rs->now.sec && when < rs->next_change.sec)
		rs->next_change.sec = when;
}

/* False when the box is closed now. */
static bool box_element(struct build *b, const struct ir_box *box, struct elem *ret)
{
	struct wall until;
	uint32_t rule = box_active(b->ir, box, b->rs->now, &until);

	if (rule != IR_NONE && b->rs->opt.clock_untrusted && needs_clock(&b->ir->rules[rule]))
		rule = IR_NONE;
	changes_at(b->rs, until.sec);
	if (rule == IR_NONE) {
		b->rs->boxes_timed_closed++;
		return false;
	}
	const struct ir_rule *r = &b->ir->rules[rule];
	enum flow_class class = class_of(b, r, until.sec);
	if (class == CLASS_ALLOW && until.sec != INT64_MAX && (r->flags & IR_RULE_DRAIN) == 0)
		changes_at(b->rs, until.sec - CLASS_TIMED_SECONDS + 1);
	b->rs->boxes_open++;
	*ret = (struct elem){.mark = (uint32_t)class | ((uint32_t)r->verified << 12), .rule = rule, .until = until.sec};
	return true;
}

/* -- rules that look a flow up ----------------------------------------------------------------------------------- */

static struct rb lookup_rule(struct group *g, struct chain *c)
{
	return is(family(on(g->b->rs, c), g->fam), F_L4PROTO, g->proto);
}

static void add_lookup(struct group *g, struct chain *c, const struct set *s)
{
	enum field src = g->fam == 4 ? F_CTSADDR4 : F_CTSADDR6, dst = g->fam == 4 ? F_CTDADDR4 : F_CTDADDR6;

	go(map_mark(lookup_rule(g, c), FIELDS(src, dst, F_CTDPORT), s), g->b->granted);
}

static struct set *flow_map(struct group *g, bool interval)
{
	enum datatype t = addr_type(g->fam);
	unsigned flags = SET_MARKS | (g->timed ? SET_TIMEOUT : 0u) | (interval ? SET_INTERVAL : 0u);

	if (!interval)
		return set_named(g->b, TYPES(t, t, TYPE_PORT), flags, "%s", g->name);
	return set_named(g->b, TYPES(t, t, TYPE_PORT), flags, "%s_r%u", g->name, g->nmaps++);
}

static void flow_key(const struct group *g, struct key *k, const uint8_t *src, const uint8_t *dst, uint16_t port)
{
	k->len = 0;
	key_addr(k, g->fam, src);
	key_addr(k, g->fam, dst);
	key_number(k, TYPE_PORT, port);
}

/* -- cutting ------------------------------------------------------------------------------------------------------ */

/* A place in one dimension: an address, or a port in the last two bytes. */
struct place {
	uint8_t b[16];
};

static struct place place_of(const struct cell *c, enum dim d, bool high)
{
	struct place p = {{0}};

	if (d == DIM_PORT) {
		uint16_t port = high ? c->hi : c->lo;
		p.b[0] = (uint8_t)(port >> 8);
		p.b[1] = (uint8_t)port;
		return p;
	}
	const struct ir_range *r = d == DIM_SRC ? &c->src : &c->dst;
	memcpy(p.b, high ? r->hi : r->lo, 16);
	return p;
}

static void set_place(struct cell *c, enum dim d, bool high, const struct place *p)
{
	if (d == DIM_PORT) {
		*(high ? &c->hi : &c->lo) = (uint16_t)(p->b[0] << 8 | p->b[1]);
	} else {
		struct ir_range *r = d == DIM_SRC ? &c->src : &c->dst;
		memcpy(high ? r->hi : r->lo, p->b, 16);
	}
}

static size_t place_bytes(const struct group *g, enum dim d)
{
	return d == DIM_PORT ? 2 : addr_len(g->fam);
}

static struct place before(struct place p, size_t bytes)
{
	for (size_t i = bytes; i-- > 0;)
		if (p.b[i]-- != 0)
			break;
	return p;
}

static int by_place(const void *a, const void *b)
{
	return memcmp(a, b, sizeof(struct place));
}

/* Sorted starts of all cells in one dimension; the caller frees. */
static struct place *starts(const struct cell *cells, size_t n, enum dim d)
{
	struct place *p = calloc(n, sizeof(*p));

	if (p == NULL)
		abort();
	for (size_t i = 0; i < n; i++)
		p[i] = place_of(&cells[i], d, false);
	qsort(p, n, sizeof(*p), by_place);
	return p;
}

/* How many cells the larger side has when cut in the middle: n when that is no cut at all. */
static size_t larger_half(const struct cell *cells, size_t n, enum dim d)
{
	struct place *p = starts(cells, n, d), middle = p[n / 2];
	size_t left = 0, right = 0;

	for (size_t i = 0; i < n; i++) {
		struct place lo = place_of(&cells[i], d, false), hi = place_of(&cells[i], d, true);
		left += by_place(&lo, &middle) < 0;
		right += by_place(&hi, &middle) >= 0;
	}
	free(p);
	return left > right ? left : right;
}

static enum dim best_dim(const struct cell *cells, size_t n)
{
	enum dim best = DIM_END;
	size_t least = n - n / 10; /* less gain than a tenth is no gain */

	for (enum dim d = DIM_SRC; d < DIM_END; d++) {
		size_t half = larger_half(cells, n, d);
		if (half < least) {
			least = half;
			best = d;
		}
	}
	return best;
}

static void place_interval(struct group *g, struct chain *c, struct cell *cells, size_t n);

/* The cells that reach into [from, to], cut to it. Returns their number. */
static size_t slice(const struct cell *cells, size_t n, enum dim d, const struct place *from, const struct place *to,
	struct cell *out)
{
	size_t count = 0;

	for (size_t i = 0; i < n; i++) {
		struct place lo = place_of(&cells[i], d, false), hi = place_of(&cells[i], d, true);
		if (by_place(&hi, from) < 0 || by_place(&lo, to) > 0)
			continue;
		out[count] = cells[i];
		if (by_place(&lo, from) < 0)
			set_place(&out[count], d, false, from);
		if (by_place(&hi, to) > 0)
			set_place(&out[count], d, true, to);
		count++;
	}
	return count;
}

static void cut_key(const struct group *g, enum dim d, const struct place *p, struct key *k)
{
	k->len = 0;
	if (d == DIM_PORT)
		key_number(k, TYPE_PORT, (uint32_t)(p->b[0] << 8 | p->b[1]));
	else
		key_addr(k, g->fam, p->b);
}

static enum field cut_field(const struct group *g, enum dim d)
{
	if (d == DIM_PORT)
		return F_CTDPORT;
	if (d == DIM_SRC)
		return g->fam == 4 ? F_CTSADDR4 : F_CTSADDR6;
	return g->fam == 4 ? F_CTDADDR4 : F_CTDADDR6;
}

/* One bucket of a cut: its element in the small map, its chain, its cells. */
static void add_bucket(struct group *g, struct set *map, enum dim d, const struct place bounds[2], struct cell *cells,
	size_t n)
{
	struct chain *c = chain_named(g->b, "%s_c%u", g->name, g->ncuts++);
	struct key lo, hi;

	cut_key(g, d, &bounds[0], &lo);
	cut_key(g, d, &bounds[1], &hi);
	set_add(map, &lo, &hi)->chain = c;
	place_interval(g, c, cells, n);
	stop(on(g->b->rs, c), REASON_NO_RULE);
}

static void cut(struct group *g, struct chain *c, struct cell *cells, size_t n, enum dim d)
{
	/* A little more buckets than needed, for cells that are cut in two. */
	size_t buckets = n * 5 / 4 / LIMIT_SET_INTERVALS + 1;
	struct place *p = starts(cells, n, d), bounds[2] = {{{0}}, {{0}}};
	struct cell *out = calloc(n, sizeof(*out));
	enum datatype t = d == DIM_PORT ? TYPE_PORT : addr_type(g->fam);
	struct set *map = set_named(g->b, TYPES(t), SET_INTERVAL | SET_VERDICTS, "%s_cut%u", g->name, g->ncuts);

	if (out == NULL)
		abort();
	buckets = buckets < 2 ? 2 : buckets;
	for (size_t i = 1; i <= buckets; i++) {
		struct place next = p[i < buckets ? n * i / buckets : n - 1];
		if (i < buckets && by_place(&next, &bounds[0]) <= 0)
			continue; /* many start at one place */
		if (i < buckets)
			bounds[1] = before(next, place_bytes(g, d));
		else
			memset(bounds[1].b, 0xff, place_bytes(g, d));
		add_bucket(g, map, d, bounds, out, slice(cells, n, d, &bounds[0], &bounds[1], out));
		bounds[0] = next;
	}
	free(out);
	free(p);
	set_sort(map);
	vmap(lookup_rule(g, c), FIELDS(cut_field(g, d)), map);
}

/* Interval maps for these cells, looked up from chain c. */
static void place_interval(struct group *g, struct chain *c, struct cell *cells, size_t n)
{
	enum dim d = n > LIMIT_SET_INTERVALS ? best_dim(cells, n) : DIM_END;

	if (n == 0)
		return;
	if (d != DIM_END) {
		cut(g, c, cells, n, d);
		return;
	}
	struct set *s = flow_map(g, true);
	for (size_t i = 0; i < n; i++) {
		struct key lo, hi;
		flow_key(g, &lo, cells[i].src.lo, cells[i].dst.lo, cells[i].lo);
		flow_key(g, &hi, cells[i].src.hi, cells[i].dst.hi, cells[i].hi);
		*set_add(s, &lo, &hi) = cells[i].elem;
	}
	set_sort(s);
	add_lookup(g, c, s);
}

/* -- one pair, family and protocol ------------------------------------------------------------------------------------ */

static bool is_exact(const struct ir_box *box)
{
	size_t n = addr_len(box->family);

	return box->port_lo == box->port_hi && memcmp(box->src.lo, box->src.hi, n) == 0 &&
	       memcmp(box->dst.lo, box->dst.hi, n) == 0;
}

static bool ever_ends(const struct build *b, const struct ir_box *box)
{
	for (uint32_t i = 0; i < box->cand.n; i++)
		if (needs_clock(&b->ir->rules[b->ir->cands[box->cand.first + i].rule]))
			return true;
	return false;
}

static const char *proto_word(uint8_t proto)
{
	switch (proto) {
	case IPPROTO_TCP:
		return "tcp";
	case IPPROTO_UDP:
		return "udp";
	case IPPROTO_ICMP:
	case IPPROTO_ICMPV6:
		return "icmp";
	default:
		return "other";
	}
}

static void build_group(struct build *b, struct chain *pair, uint32_t first, uint32_t n)
{
	const struct ir_box *boxes = &b->ir->boxes[first];
	struct group g = {.b = b, .fam = boxes->family, .proto = boxes->proto};
	struct set *exact = NULL;
	struct buf cells = {0};

	for (uint32_t i = 0; i < n && !g.timed; i++)
		g.timed = ever_ends(b, &boxes[i]);
	snprintf(g.name, sizeof(g.name), "flow_%u_%u_%s%u", boxes->from, boxes->to, proto_word(g.proto), g.fam);
	for (uint32_t i = 0; i < n; i++) {
		struct elem e;
		if (!box_element(b, &boxes[i], &e))
			continue;
		if (is_exact(&boxes[i])) {
			struct key k;
			exact = exact != NULL ? exact : flow_map(&g, false);
			flow_key(&g, &k, boxes[i].src.lo, boxes[i].dst.lo, boxes[i].port_lo);
			*set_add(exact, &k, NULL) = e;
		} else {
			struct cell *c = buf_reserve(&cells, sizeof(*c));
			*c = (struct cell){boxes[i].src, boxes[i].dst, boxes[i].port_lo, boxes[i].port_hi, e};
		}
	}
	if (exact != NULL) {
		set_sort(exact);
		add_lookup(&g, pair, exact);
	}
	place_interval(&g, pair, (struct cell *)(void *)cells.data, cells.len / sizeof(struct cell));
	buf_free(&cells);
}

void build_maps(struct build *b, struct chain *pair, uint32_t first, uint32_t n)
{
	const struct ir_box *boxes = b->ir->boxes;

	for (uint32_t i = first, next; i < first + n; i = next) {
		for (next = i; next < first + n && boxes[next].family == boxes[i].family &&
			       boxes[next].proto == boxes[i].proto;)
			next++;
		build_group(b, pair, i, next - i);
	}
}
