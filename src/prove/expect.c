/*
 * expect.c: bookkeeping of regions: is a piece inside a box, do the pieces fill it?
 *
 * Exact boxes (single addresses, one port: most of a town's) are found by hash; the others by scan, as they are
 * few. Whether pieces fill a box is decided by subtracting them one after another until nothing is left.
 */
#include "expect.h"

#include <sekisho/arena.h>
#include <sekisho/strmap.h>

#include <string.h>

/* A box this close to its opening or closing may be seen either way. */
#define SOON_SECONDS 5

static struct region box_region(const struct ir_box *b)
{
	struct region r = region_all(b->family);
	size_t n = field_len(FIELD_SRC, b->family);

	memcpy(r.lo[FIELD_SRC], b->src.lo, n);
	memcpy(r.hi[FIELD_SRC], b->src.hi, n);
	memcpy(r.lo[FIELD_DST], b->dst.lo, n);
	memcpy(r.hi[FIELD_DST], b->dst.hi, n);
	for (int i = 0; i < 2; i++) {
		r.lo[FIELD_PORT][i] = (uint8_t)(b->port_lo >> (i == 0 ? 8 : 0));
		r.hi[FIELD_PORT][i] = (uint8_t)(b->port_hi >> (i == 0 ? 8 : 0));
	}
	return r;
}

static size_t slot_of(const struct expect *c, const struct region *r)
{
	return siphash(siphash_key(), r->lo, sizeof(r->lo[0]) * 3) & (c->nslots - 1);
}

static void index_boxes(struct expect *c)
{
	for (c->nslots = 16; c->nslots < c->n * 2; c->nslots *= 2)
		;
	c->slots = ARENA_ARRAY(c->arena, c->nslots, uint32_t);
	for (size_t i = 0; i < c->n; i++) {
		size_t s = slot_of(c, &c->boxes[i].region);
		while (c->slots[s] != 0)
			s = (s + 1) & (c->nslots - 1);
		c->slots[s] = (uint32_t)i + 1;
	}
}

/* While the clock is not believed, a rule with any time is closed. */
static bool needs_clock(const struct ir_rule *r)
{
	return (r->flags & IR_RULE_TIMED) != 0 || r->ends != INT64_MAX || r->starts > 0;
}

/* Mail is closed until its program runs: nothing of it may pass. */
static bool ever_open(const struct ir *ir, const struct ir_box *b)
{
	const struct ir_rule *r = &ir->rules[ir->cands[b->cand.first].rule];

	return r->action == IR_ALLOW || (r->action == IR_INSPECT && r->verified != 0);
}

static void add_box(struct expect *c, size_t *cap, uint32_t index, struct wall now)
{
	const struct ir_box *b = &c->ir->boxes[index];
	bool untrusted = now.sec < 0;

	if (untrusted)
		now.sec = -now.sec;
	struct wall until, early = {now.sec - SOON_SECONDS}, late = {now.sec + SOON_SECONDS};
	uint32_t rule = box_active(c->ir, b, now, &until);
	bool soon = (box_active(c->ir, b, early, NULL) == IR_NONE) != (rule == IR_NONE) ||
		    (box_active(c->ir, b, late, NULL) == IR_NONE) != (rule == IR_NONE);

	if (rule == IR_NONE && !soon)
		return;
	if (untrusted && (rule == IR_NONE || needs_clock(&c->ir->rules[rule])))
		return;
	struct expect_box *cb = arena_push(c->arena, (void **)&c->boxes, &c->n, cap, sizeof(*cb));
	*cb = (struct expect_box){.region = box_region(b), .box = index, .soon = soon};
	const struct ir_rule *r = &c->ir->rules[c->ir->cands[b->cand.first].rule];
	cb->one_way = (r->flags & IR_RULE_ONE_WAY) != 0;
	cb->policy = r->action == IR_INSPECT ? r->verified : 0;
	if (rule != IR_NONE && until.sec != WALL_NEVER.sec)
		cb->ends_ms = (uint64_t)(until.sec - now.sec) * 1000;
}

void expect_init(struct expect *c, struct arena *a, const struct ir *ir, struct wall now, uint32_t from, uint32_t to,
	uint8_t family, uint8_t proto)
{
	size_t cap = 0;

	*c = (struct expect){.ir = ir, .arena = a, .family = family};
	for (uint32_t i = 0; i < ir->nboxes; i++) {
		const struct ir_box *b = &ir->boxes[i];
		if (b->from != from || b->to != to || b->family != family || b->proto != proto)
			continue;
		if (ever_open(ir, b))
			add_box(c, &cap, i, now);
	}
	index_boxes(c);
}

void expect_turned(struct expect *c, struct arena *a, const struct ir *ir, uint32_t interface, uint8_t family)
{
	size_t cap = 0;

	*c = (struct expect){.ir = ir, .arena = a, .family = family};
	for (uint32_t i = 0; i < ir->nowns; i++) {
		const struct ir_own *o = &ir->owns[i];
		if (o->turned == 0 || o->interface != interface || o->family != family)
			continue;
		struct ir_box box = {.family = family, .src = o->remote, .port_lo = o->port_lo, .port_hi = o->port_hi};
		memcpy(box.dst.lo, o->local, sizeof(box.dst.lo));
		memcpy(box.dst.hi, o->local, sizeof(box.dst.hi));
		struct expect_box *b = arena_push(a, (void **)&c->boxes, &c->n, &cap, sizeof(*b));
		*b = (struct expect_box){.region = box_region(&box)};
	}
	index_boxes(c);
}

struct expect_box *expect_find(struct expect *c, const struct region *r)
{
	for (size_t s = slot_of(c, r); c->slots[s] != 0; s = (s + 1) & (c->nslots - 1)) {
		struct expect_box *b = &c->boxes[c->slots[s] - 1];
		if (region_within(r, &b->region, c->family))
			return b;
	}
	for (size_t i = 0; i < c->n; i++)
		if (region_within(r, &c->boxes[i].region, c->family))
			return &c->boxes[i];
	return NULL;
}

void expect_add(struct expect *c, struct expect_box *b, const struct region *r)
{
	if (region_within(&b->region, r, c->family)) {
		b->covered = true;
		return;
	}
	struct region *slot =
		arena_push(c->arena, (void **)&b->pieces, &b->npieces, &b->pieces_cap, sizeof(*slot));
	*slot = *r;
}

/* v + by (1 or -1) as bytes; the caller knows that it stays in the space. */
static void step(uint8_t *v, size_t n, int by)
{
	for (size_t k = n; k-- > 0;) {
		v[k] = (uint8_t)(v[k] + by);
		if (v[k] != (by > 0 ? 0 : 0xff))
			return;
	}
}

static bool disjoint(const struct region *a, const struct region *b, uint8_t family)
{
	for (enum field f = 0; f < FIELDS; f++) {
		size_t n = field_len(f, family);
		if (memcmp(a->lo[f], b->hi[f], n) > 0 || memcmp(b->lo[f], a->hi[f], n) > 0)
			return true;
	}
	return false;
}

/* Is all of r inside the union of pieces[k..]? */
static bool filled(const struct region *r, const struct expect_box *b, size_t k, uint8_t family)
{
	while (k < b->npieces && disjoint(r, &b->pieces[k], family))
		k++;
	if (k == b->npieces)
		return false;
	const struct region *p = &b->pieces[k];
	struct region rest = *r;
	for (enum field f = 0; f < FIELDS; f++) {
		size_t n = field_len(f, family);
		struct region part = rest;
		if (memcmp(rest.lo[f], p->lo[f], n) < 0) {
			memcpy(part.hi[f], p->lo[f], n);
			step(part.hi[f], n, -1);
			if (!filled(&part, b, k + 1, family))
				return false;
			memcpy(rest.lo[f], p->lo[f], n);
		}
		part = rest;
		if (memcmp(rest.hi[f], p->hi[f], n) > 0) {
			memcpy(part.lo[f], p->hi[f], n);
			step(part.lo[f], n, 1);
			if (!filled(&part, b, k + 1, family))
				return false;
			memcpy(rest.hi[f], p->hi[f], n);
		}
	}
	return true;
}

bool expect_full(const struct expect *c, const struct expect_box *b)
{
	return b->covered || filled(&b->region, b, 0, c->family);
}
