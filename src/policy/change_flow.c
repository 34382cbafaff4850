/*
 * change_flow.c: which packets may pass under one policy and not under another: boxes less boxes.
 *
 * Boxes of one IR are disjoint and sorted; a box that the other IR has as well is found by its order and costs nothing
 * more. From any other box what the other side grants is cut away, box by box, until a piece is left that no box
 * covers (the example) or nothing. Only boxes that are open at the moment count. Bounded: WORK_MAX comparisons in all, then
 * the answer says that it was cut short; a box is cut at most CUTS_MAX times.
 */
#include "change_parts.h"

#include "compile.h"

#include <sekisho/arena.h>
#include <sekisho/buf.h>

#include <netinet/in.h>
#include <stdlib.h>
#include <string.h>

/* Two policies of 10 000 rules that share no box: some tenths of a second. */
#define WORK_MAX 100000000u
#define CUTS_MAX 10000u
/* Of so many flows the hosts are named; then addresses will do. */
#define NAMED_MAX 1000

struct rest;

/* A box with its three sides as numbers. */
struct solid {
	struct key lo[3], hi[3];
};

struct comparing {
	const struct finding *f;
	const struct ir *a, *b; /* what a grants and b does not */
	const uint16_t *number; /* a's verified policies as b's */
	bool cuts;		/* a is the old one */
	uint32_t *open;		/* of b's boxes: the rule that grants it now, or IR_NONE */
	uint64_t work;
	uint32_t *last; /* by rule of a and by why: 1 + index into the list */
	size_t told;
	struct rest *rests; /* what of the box in hand is still to be looked at */
	size_t nrests, rests_cap;
};

static struct solid solid_of(const struct ir_box *x)
{
	struct addr_range src = ir_addr_range(x->family, &x->src), dst = ir_addr_range(x->family, &x->dst);

	return (struct solid){
		.lo = {key_of_addr(&src.lo), key_of_addr(&dst.lo), {0, x->port_lo}},
		.hi = {key_of_addr(&src.hi), key_of_addr(&dst.hi), {0, x->port_hi}},
	};
}

static bool overlaps(const struct solid *a, const struct solid *b)
{
	for (int i = 0; i < 3; i++)
		if (key_cmp(a->hi[i], b->lo[i]) < 0 || key_cmp(b->hi[i], a->lo[i]) < 0)
			return false;
	return true;
}

static struct key before(struct key k)
{
	return (struct key){k.lo == 0 ? k.hi - 1 : k.hi, k.lo - 1};
}

static struct key after(struct key k)
{
	return (struct key){k.lo == UINT64_MAX ? k.hi + 1 : k.hi, k.lo + 1};
}

/* Same segments, family and protocol: <0, 0, >0 in the order of the IR. */
static int group_cmp(const struct ir_box *x, const struct ir_box *y)
{
	if (x->from != y->from)
		return x->from - y->from;
	if (x->to != y->to)
		return x->to - y->to;
	return x->family != y->family ? x->family - y->family : x->proto - y->proto;
}

/*
 * The segments of two IRs may have other numbers; a box is looked for among those of the same names.
 * False when b has no such segment.
 */
static bool translate(const struct comparing *c, const struct ir_box *x, struct ir_box *ret)
{
	const char *from = ir_text(c->a, c->a->segments[x->from].name), *to = ir_text(c->a, c->a->segments[x->to].name);
	uint32_t f = IR_NONE, t = IR_NONE;

	for (uint32_t i = 0; i < c->b->nsegments; i++) {
		const char *name = ir_text(c->b, c->b->segments[i].name);
		f = strcmp(name, from) == 0 ? i : f;
		t = strcmp(name, to) == 0 ? i : t;
	}
	*ret = *x;
	ret->from = (uint16_t)f;
	ret->to = (uint16_t)t;
	return f != IR_NONE && t != IR_NONE;
}

static uint32_t first_of_group(const struct ir *ir, const struct ir_box *like)
{
	uint32_t lo = 0, hi = ir->nboxes;

	while (lo < hi) {
		uint32_t mid = lo + (hi - lo) / 2;
		if (group_cmp(&ir->boxes[mid], like) < 0)
			lo = mid + 1;
		else
			hi = mid;
	}
	return lo;
}

/* Does b's rule demand of a flow what a's does? */
static bool same_demand(const struct comparing *c, const struct ir_rule *x, const struct ir_rule *y)
{
	bool one_way = ((x->flags ^ y->flags) & IR_RULE_ONE_WAY) == 0;

	return x->action == y->action && one_way &&
	       (x->verified == 0 ? y->verified == 0 : c->number[x->verified] == y->verified);
}

/* A piece of a box that the boxes of b before `i` do not cover. */
struct rest {
	struct solid s;
	uint32_t i;
};

static void push(struct comparing *c, const struct solid *s, uint32_t i)
{
	*(struct rest *)arena_push(c->f->arena, (void **)&c->rests, &c->nrests, &c->rests_cap, sizeof(*c->rests)) =
		(struct rest){*s, i};
}

/* Puts by what of s sticks out of t, for the boxes from `i` on. */
static void cut_away(struct comparing *c, struct solid s, const struct solid *t, uint32_t i)
{
	for (int k = 0; k < 3; k++) {
		struct solid part = s;
		if (key_cmp(s.lo[k], t->lo[k]) < 0) {
			part.hi[k] = before(t->lo[k]);
			push(c, &part, i);
			s.lo[k] = t->lo[k];
		}
		part = s;
		if (key_cmp(s.hi[k], t->hi[k]) > 0) {
			part.lo[k] = after(t->hi[k]);
			push(c, &part, i);
			s.hi[k] = t->hi[k];
		}
	}
}

/* The first box of b, from r->i on, that holds a part of the rest and grants as `rule` (NULL: somehow); IR_NONE. */
static uint32_t next_cover(struct comparing *c, const struct ir_box *like, const struct ir_rule *rule, const struct rest *r)
{
	for (uint32_t i = r->i; i < c->b->nboxes && group_cmp(&c->b->boxes[i], like) == 0; i++) {
		struct solid t = solid_of(&c->b->boxes[i]);
		/* Boxes are sorted by the source's first address. */
		if (++c->work > WORK_MAX || key_cmp(t.lo[0], r->s.hi[0]) > 0)
			break;
		if (c->open[i] != IR_NONE && overlaps(&r->s, &t) &&
			(rule == NULL || same_demand(c, rule, &c->b->rules[c->open[i]])))
			return i;
	}
	return IR_NONE;
}

/* Is a piece of s left when what b grants (as `rule`, or somehow) is cut away? */
static bool is_left(struct comparing *c, const struct ir_box *like, const struct ir_rule *rule, const struct solid *s,
	struct solid *ret)
{
	unsigned cuts = 0;

	c->nrests = 0;
	push(c, s, first_of_group(c->b, like));
	while (c->nrests > 0) {
		struct rest r = c->rests[--c->nrests];
		uint32_t i = next_cover(c, like, rule, &r);
		if (c->work > WORK_MAX || ++cuts > CUTS_MAX) {
			c->f->ret->cut_short = true;
			return false;
		}
		if (i == IR_NONE) {
			*ret = r.s;
			return true;
		}
		struct solid t = solid_of(&c->b->boxes[i]);
		cut_away(c, r.s, &t, i + 1);
	}
	return false;
}

/* -- telling ----------------------------------------------------------------------------------------------------- */

/* The addresses, and before them the host's name when all are its own. */
static void put_end(const struct comparing *c, struct buf *b, struct key lo, struct key hi, uint8_t family)
{
	struct addr_range r = {key_to_addr(lo, family), key_to_addr(hi, family)};
	char text[ADDR_TEXT_MAX];

	for (uint32_t i = 0; i < c->a->nhostaddrs && c->told < NAMED_MAX; i++) {
		const struct ir_hostaddr *h = &c->a->hostaddrs[i];
		struct addr_range own = ir_addr_range(h->family, &h->range);
		if (h->family != family || !range_covers(&own, &r))
			continue;
		buf_printf(b, "%s (%s)", ir_text(c->a, c->a->hosts[h->host].name), range_format(&r, text));
		return;
	}
	buf_adds(b, range_format(&r, text));
}

static const char *flow_text(struct comparing *c, const struct ir_box *x, const struct solid *s)
{
	struct buf b = {0};
	unsigned lo = (unsigned)s->lo[2].lo, hi = (unsigned)s->hi[2].lo;

	put_end(c, &b, s->lo[0], s->hi[0], x->family);
	buf_adds(&b, " -> ");
	put_end(c, &b, s->lo[1], s->hi[1], x->family);
	buf_printf(&b, " %s", proto_word(x->proto));
	if (x->proto == IPPROTO_ICMP || x->proto == IPPROTO_ICMPV6)
		buf_printf(&b, "/%u", lo >> 8);
	else
		buf_printf(&b, lo == hi ? "/%u" : "/%u-%u", lo, hi);
	const char *text = arena_strdup(c->f->arena, buf_str(&b));
	buf_free(&b);
	return text;
}

static void tell(struct comparing *c, uint32_t rule, enum change_why why, const struct ir_box *x, const struct solid *s)
{
	struct change *ret = c->f->ret;
	struct change_flow **list = c->cuts ? &ret->cuts : &ret->opens;
	size_t *n = c->cuts ? &ret->ncuts : &ret->nopens, *cap = c->cuts ? &ret->cuts_cap : &ret->opens_cap;
	uint32_t *slot = &c->last[rule * 2 + (why == CHANGE_OTHERWISE)];

	if (*slot == 0) {
		struct change_flow *flow = arena_push(c->f->arena, (void **)list, n, cap, sizeof(*flow));
		*flow = (struct change_flow){.rule = arena_strdup(c->f->arena, ir_text(c->a, c->a->rules[rule].name)),
			.text = flow_text(c, x, s), .why = why};
		*slot = (uint32_t)*n;
		c->told++;
	}
	(*list)[*slot - 1].n++;
}

/* Does b have the very same box, granted in the same way? */
static bool has_same(const struct comparing *c, const struct ir_box *x, const struct ir_box *like, const struct ir_rule *rule)
{
	struct solid s = solid_of(x);
	uint32_t lo = 0, hi = c->b->nboxes;

	while (lo < hi) {
		uint32_t mid = lo + (hi - lo) / 2;
		struct solid t = solid_of(&c->b->boxes[mid]);
		int d = group_cmp(&c->b->boxes[mid], like);
		for (int k = 0; k < 3 && d == 0; k++)
			d = key_cmp(t.lo[k], s.lo[k]);
		if (d == 0)
			return memcmp(&s, &t, sizeof(s)) == 0 && c->open[mid] != IR_NONE &&
			       same_demand(c, rule, &c->b->rules[c->open[mid]]);
		if (d < 0)
			lo = mid + 1;
		else
			hi = mid;
	}
	return false;
}

/* The rule that grants the box now, IR_NONE when it is closed or only the mail gate may use it. */
static uint32_t granted_by(const struct finding *f, const struct ir *ir, const struct ir_box *x)
{
	uint32_t rule = box_active(ir, x, f->at, NULL);

	return rule == IR_NONE || ir->rules[rule].action == IR_MAIL ? IR_NONE : rule;
}

static void compare_box(struct comparing *c, const struct ir_box *x)
{
	uint32_t rule = granted_by(c->f, c->a, x);
	struct ir_box like;
	struct solid s = solid_of(x), left, any;

	if (rule == IR_NONE)
		return;
	if (!translate(c, x, &like)) {
		tell(c, rule, CHANGE_NOT_GRANTED, x, &s);
		return;
	}
	if (has_same(c, x, &like, &c->a->rules[rule]) || !is_left(c, &like, &c->a->rules[rule], &s, &left))
		return;
	if (is_left(c, &like, NULL, &s, &any))
		tell(c, rule, CHANGE_NOT_GRANTED, x, &any);
	else if (c->cuts && !c->f->ret->cut_short)
		tell(c, rule, CHANGE_OTHERWISE, x, &left);
}

static void compare(const struct finding *f, const struct ir *a, const struct ir *b, bool cuts)
{
	struct comparing c = {.f = f, .a = a, .b = b, .cuts = cuts};

	c.number = ir_renumber(a, b, f->arena);
	c.last = ARENA_ARRAY(f->arena, a->nrules * 2 + 1, uint32_t);
	c.open = ARENA_ARRAY(f->arena, b->nboxes + 1, uint32_t);
	for (uint32_t i = 0; i < b->nboxes; i++)
		c.open[i] = granted_by(f, b, &b->boxes[i]);
	for (uint32_t i = 0; i < a->nboxes && !f->ret->cut_short; i++)
		compare_box(&c, &a->boxes[i]);
}

void change_flows(const struct finding *f)
{
	f->ret->compared = true;
	compare(f, f->old->ir, f->new->ir, true);
	compare(f, f->new->ir, f->old->ir, false);
}
