/*
 * build_maps.c: the boxes of a pair of segments -> maps from a flow's tuple to its class.
 *
 * A box of single source, destination and port goes to a hash map of any size; the others to interval maps of at
 * most LIMIT_SET_INTERVALS elements (kernels grow badly beyond). Where a pair has more, they are cut by source,
 * destination or port, whichever makes the smaller halves, by halving the range again and again, and found by one small
 * ordered map. The boxes are disjoint, so a cut box stays the same set of flows.
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
};

enum dim { DIM_SRC, DIM_DST, DIM_PORT, DIM_END };

/* -- what a box is now ---------------------------------------------------------------------------------------- */

bool rule_needs_clock(const struct ir_rule *r)
{
	return (r->flags & IR_RULE_TIMED) != 0 || r->ends != INT64_MAX || r->starts > 0;
}

static enum flow_class class_of(const struct build *b, const struct ir_rule *r, int64_t until)
{
	bool inspected = r->action == IR_INSPECT;

	if (r->action == IR_MAIL)
		return CLASS_MAIL;
	if ((r->flags & IR_RULE_ONE_WAY) != 0)
		return inspected ? CLASS_INSPECT_ONEWAY : CLASS_ONEWAY;
	if ((r->flags & IR_RULE_DRAIN) == 0 && until != INT64_MAX && until - b->rs->now.sec < CLASS_TIMED_SECONDS)
		return inspected ? CLASS_INSPECT_TIMED : CLASS_TIMED;
	return inspected ? CLASS_INSPECT : CLASS_ALLOW;
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

	if (rule != IR_NONE && b->rs->opt.clock_untrusted && rule_needs_clock(&b->ir->rules[rule]))
		rule = IR_NONE;
	changes_at(b->rs, until.sec);
	if (rule == IR_NONE) {
		b->rs->boxes_timed_closed++;
		return false;
	}
	const struct ir_rule *r = &b->ir->rules[rule];
	enum flow_class class = class_of(b, r, until.sec);
	if ((class == CLASS_ALLOW || class == CLASS_INSPECT) && until.sec != INT64_MAX && (r->flags & IR_RULE_DRAIN) == 0)
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

static struct set *flow_map(struct group *g, const char *path, bool interval)
{
	enum datatype t = addr_type(g->fam);
	unsigned flags = SET_MARKS | (g->timed ? SET_TIMEOUT : 0u) | (interval ? SET_INTERVAL : 0u);

	return set_named(g->b, TYPES(t, t, TYPE_PORT), flags, "%s%s", path, interval ? "_r" : "");
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

/* So many cells tell which dimension cuts best. */
#define SAMPLE 1024

/* How many of the sampled cells the larger side has when cut in the middle. */
static size_t larger_half(const struct cell *cells, size_t n, size_t step, enum dim d)
{
	struct place sorted[SAMPLE];
	size_t count = 0, left = 0, right = 0;

	for (size_t i = 0; i < n && count < SAMPLE; i += step)
		sorted[count++] = place_of(&cells[i], d, false);
	qsort(sorted, count, sizeof(*sorted), by_place);
	const struct place *middle = &sorted[count / 2];
	for (size_t i = 0, k = 0; i < n && k < count; i += step, k++) {
		struct place lo = place_of(&cells[i], d, false), hi = place_of(&cells[i], d, true);
		left += by_place(&lo, middle) < 0;
		right += by_place(&hi, middle) >= 0;
	}
	return left > right ? left : right;
}

static enum dim best_dim(const struct cell *cells, size_t n)
{
	size_t step = n / SAMPLE + 1, count = (n + step - 1) / step;
	size_t least = count - count / 10; /* less gain than a tenth is no gain */
	enum dim best = DIM_END;

	for (enum dim d = DIM_SRC; d < DIM_END; d++) {
		size_t half = larger_half(cells, n, step, d);
		if (half < least) {
			least = half;
			best = d;
		}
	}
	return best;
}

static void place_interval(struct group *g, struct chain *c, const char *path, struct cell *cells, size_t n);

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

/* A cut in progress: its map, and where the chains hang. */
struct cutting {
	struct group *g;
	struct set *map;
	const char *path;
	enum dim d;
};

/* "_s0a64": the dimension and the bucket's start, so that a bucket keeps its name while others come and go. */
static void bucket_name(const struct cutting *k, const struct place *from, char *name, size_t size)
{
	static const char letters[] = "sdp";
	size_t n = place_bytes(k->g, k->d);
	int at = snprintf(name, size, "%s_%c", k->path, letters[k->d]);

	while (n > 1 && from->b[n - 1] == 0)
		n--;
	for (size_t i = 0; i < n; i++)
		at += snprintf(name + at, size - (size_t)at, "%02x", from->b[i]);
}

/* One bucket of a cut: its element in the small map, its chain, its cells. */
static void add_bucket(const struct cutting *k, const struct place *from, const struct place *to, struct cell *cells,
	size_t n)
{
	struct build *b = k->g->b;
	char name[SET_NAME_MAX];
	struct key lo, hi;

	bucket_name(k, from, name, sizeof(name));
	struct chain *c = chain_new(b->rs, name);
	cut_key(k->g, k->d, from, &lo);
	cut_key(k->g, k->d, to, &hi);
	set_add(k->map, &lo, &hi)->chain = c;
	place_interval(k->g, c, name, cells, n);
	go(on(b->rs, c), b->miss);
}

/* The first place of the upper half of a range whose places share their first `bits` bits. */
static struct place middle_of(struct place from, unsigned bits)
{
	from.b[bits / 8] |= (uint8_t)(0x80 >> bits % 8);
	return from;
}

/* Cells below and from `middle` on; one that spans it goes to both, cut. */
static void halve(const struct cell *cells, size_t n, enum dim d, const struct place *middle, size_t bytes, struct buf half[2])
{
	struct place last = before(*middle, bytes);

	for (size_t i = 0; i < n; i++) {
		struct place lo = place_of(&cells[i], d, false), hi = place_of(&cells[i], d, true);
		bool low = by_place(&lo, middle) < 0, high = by_place(&hi, middle) >= 0;
		struct cell c = cells[i];
		if (low && high)
			set_place(&c, d, true, &last);
		if (low)
			buf_add(&half[0], &c, sizeof(c));
		c = cells[i];
		if (low && high)
			set_place(&c, d, false, middle);
		if (high)
			buf_add(&half[1], &c, sizeof(c));
	}
}

/* Do all cells lie on one side of the middle? */
static bool one_sided(const struct cell *cells, size_t n, enum dim d, const struct place *middle, bool *ret_high)
{
	size_t low = 0, high = 0;

	for (size_t i = 0; i < n && (low == 0 || high == 0); i++) {
		struct place lo = place_of(&cells[i], d, false), hi = place_of(&cells[i], d, true);
		low += by_place(&lo, middle) < 0;
		high += by_place(&hi, middle) >= 0;
	}
	*ret_high = high > 0;
	return low == 0 || high == 0;
}

/*
 * Halves the range from..to, whose places share `bits` bits, until few enough cells are left. Where a cut falls
 * depends on the cells in its range alone: a rule more or less changes its own bucket and no other.
 */
static void split(const struct cutting *k, struct place from, struct place to, unsigned bits, struct cell *cells, size_t n)
{
	size_t bytes = place_bytes(k->g, k->d);
	struct buf half[2] = {{0}, {0}};

	if (n == 0)
		return;
	if (n <= LIMIT_SET_INTERVALS || bits == bytes * 8) {
		add_bucket(k, &from, &to, cells, n);
		return;
	}
	struct place middle = middle_of(from, bits), last = before(middle, bytes);
	bool high;
	if (one_sided(cells, n, k->d, &middle, &high)) {
		split(k, high ? middle : from, high ? to : last, bits + 1, cells, n);
		return;
	}
	halve(cells, n, k->d, &middle, bytes, half);
	split(k, from, last, bits + 1, (struct cell *)(void *)half[0].data, half[0].len / sizeof(struct cell));
	buf_free(&half[0]);
	split(k, middle, to, bits + 1, (struct cell *)(void *)half[1].data, half[1].len / sizeof(struct cell));
	buf_free(&half[1]);
}

static void cut(struct group *g, struct chain *c, const char *path, struct cell *cells, size_t n, enum dim d)
{
	enum datatype t = d == DIM_PORT ? TYPE_PORT : addr_type(g->fam);
	struct cutting k = {.g = g, .path = path, .d = d};
	struct place from = {{0}}, to = {{0}};

	k.map = set_named(g->b, TYPES(t), SET_INTERVAL | SET_VERDICTS, "%s_cut", path);
	memset(to.b, 0xff, place_bytes(g, d));
	split(&k, from, to, 0, cells, n);
	set_sort(k.map);
	vmap(lookup_rule(g, c), FIELDS(cut_field(g, d)), k.map);
}

/* Interval maps for these cells, looked up from chain c; all their names begin with `path`. */
static void place_interval(struct group *g, struct chain *c, const char *path, struct cell *cells, size_t n)
{
	enum dim d = n > LIMIT_SET_INTERVALS ? best_dim(cells, n) : DIM_END;

	if (n == 0)
		return;
	if (d != DIM_END) {
		cut(g, c, path, cells, n, d);
		return;
	}
	struct set *s = flow_map(g, path, true);
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
		if (rule_needs_clock(&b->ir->rules[b->ir->cands[box->cand.first + i].rule]))
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
			exact = exact != NULL ? exact : flow_map(&g, g.name, false);
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
	place_interval(&g, pair, g.name, (struct cell *)(void *)cells.data, cells.len / sizeof(struct cell));
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
