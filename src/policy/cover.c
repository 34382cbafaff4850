/*
 * cover.c: whose is this address? Nested prefixes decided by the longest match, as sorted disjoint ranges.
 *
 * Input: prefixes in any order. Two prefixes are nested or disjoint, so one pass over them in the order
 * (first address, widest first) with a stack of the open ones yields the pieces in order.
 */
#include "compile.h"

#include <stdlib.h>

void pieces_add(struct arena *a, struct pieces *p, const struct addr_range *r, uint32_t owner)
{
	struct piece *last = p->n > 0 ? &p->v[p->n - 1] : NULL;
	struct addr next = last != NULL ? last->range.hi : r->lo;

	/* Neighbours of one owner become one piece. */
	if (last != NULL && last->owner == owner && last->range.hi.family == r->lo.family &&
		addr_next(&next) && addr_cmp(&next, &r->lo) == 0) {
		last->range.hi = r->hi;
		return;
	}
	struct piece *n = arena_push(a, (void **)&p->v, &p->n, &p->cap, sizeof(*n));
	*n = (struct piece){*r, owner};
}

struct sorted {
	struct piece p;
	size_t order;
};

static int by_lo_widest(const void *pa, const void *pb)
{
	const struct sorted *a = pa, *b = pb;
	int d = addr_cmp(&a->p.range.lo, &b->p.range.lo);

	if (d == 0)
		d = addr_cmp(&b->p.range.hi, &a->p.range.hi);
	if (d == 0) /* of equals the first written is innermost, so it wins */
		d = a->order > b->order ? -1 : 1;
	return d;
}

/*
 * The part of the open prefixes from *at to `end` (included) belongs to the innermost; *at moves behind it.
 */
static bool emit(struct arena *a, struct pieces *ret, const struct piece *inner, struct addr *at,
	const struct addr *end)
{
	if (addr_cmp(at, end) > 0)
		return true;
	pieces_add(a, ret, &(struct addr_range){*at, *end}, inner->owner);
	*at = *end;
	return addr_next(at);
}

void cover_flatten(struct arena *a, struct pieces *in, struct pieces *ret)
{
	struct sorted *v = ARENA_ARRAY(a, in->n + 1, struct sorted);
	const struct piece **stack = ARENA_ARRAY(a, in->n + 1, const struct piece *);
	size_t depth = 0;
	struct addr at = {0};
	bool more = false; /* `at` is valid: not past the end of its family */

	for (size_t i = 0; i < in->n; i++)
		v[i] = (struct sorted){in->v[i], i};
	if (in->n > 0)
		qsort(v, in->n, sizeof(*v), by_lo_widest);
	*ret = (struct pieces){0};
	for (size_t i = 0; i <= in->n; i++) {
		/* Close what ends before the next one begins. */
		while (depth > 0 && (i == in->n || !range_has(&stack[depth - 1]->range, &v[i].p.range.lo))) {
			if (more)
				more = emit(a, ret, stack[depth - 1], &at, &stack[depth - 1]->range.hi);
			depth--;
		}
		if (i == in->n)
			break;
		if (depth > 0 && more && addr_cmp(&at, &v[i].p.range.lo) < 0) {
			struct addr before = v[i].p.range.lo;
			addr_prev(&before);
			emit(a, ret, stack[depth - 1], &at, &before);
		}
		stack[depth++] = &v[i].p;
		at = v[i].p.range.lo;
		more = true;
	}
}

/* The first piece that ends at or behind the address. */
static size_t first_behind(const struct pieces *p, const struct addr *a)
{
	size_t lo = 0, hi = p->n;

	while (lo < hi) {
		size_t mid = (lo + hi) / 2;
		if (addr_cmp(&p->v[mid].range.hi, a) < 0)
			lo = mid + 1;
		else
			hi = mid;
	}
	return lo;
}

const struct piece *cover_find(const struct pieces *p, const struct addr *a)
{
	size_t i = first_behind(p, a);

	return i < p->n && range_has(&p->v[i].range, a) ? &p->v[i] : NULL;
}

void cover_each(const struct pieces *p, const struct addr_range *r, cover_each_fn *fn, void *arg)
{
	for (size_t i = first_behind(p, &r->lo); i < p->n && range_overlaps(&p->v[i].range, r); i++) {
		struct addr_range common = p->v[i].range;
		if (addr_cmp(&common.lo, &r->lo) < 0)
			common.lo = r->lo;
		if (addr_cmp(&common.hi, &r->hi) > 0)
			common.hi = r->hi;
		fn(arg, &common, p->v[i].owner);
	}
}
