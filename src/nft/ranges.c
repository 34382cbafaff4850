/*
 * ranges.c: arithmetic on address ranges (see ranges.h). Lists are short but for a policy's sources.
 */
#include "ranges.h"

#include <stdlib.h>
#include <string.h>

void ranges_append(struct ranges *r, const struct addr_range *range, void *tag)
{
	struct tagged *t = arena_push(r->arena, (void **)&r->v, &r->n, &r->cap, sizeof(*r->v));

	t->range = *range;
	t->tag = tag;
}

static void add_from(struct ranges *r, size_t from, struct addr_range range, void *tag)
{
	for (size_t i = from; i < r->n; i++) {
		struct addr_range old = r->v[i].range, rest;
		if (!range_overlaps(&old, &range))
			continue;
		rest = range;
		if (addr_cmp(&range.lo, &old.lo) < 0) {
			rest.hi = old.lo;
			addr_prev(&rest.hi);
			add_from(r, i + 1, rest, tag);
		}
		if (addr_cmp(&range.hi, &old.hi) <= 0)
			return;
		range.lo = old.hi;
		addr_next(&range.lo);
	}
	ranges_append(r, &range, tag);
}

void ranges_add(struct ranges *r, const struct addr_range *range, void *tag)
{
	add_from(r, 0, *range, tag);
}

void ranges_add_text(struct ranges *r, const char *text, void *tag)
{
	struct addr_range range;
	char lo[ADDR_TEXT_MAX];
	const char *dash = strchr(text, '-');

	if (dash == NULL) {
		if (!prefix_parse(text, NULL, NULL, &range))
			abort();
	} else {
		memcpy(lo, text, (size_t)(dash - text));
		lo[dash - text] = '\0';
		if (!addr_parse(lo, &range.lo) || !addr_parse(dash + 1, &range.hi))
			abort();
	}
	ranges_add(r, &range, tag);
}

static int by_lo(const void *a, const void *b)
{
	return addr_cmp(&((const struct tagged *)a)->range.lo, &((const struct tagged *)b)->range.lo);
}

void ranges_sort(struct ranges *r)
{
	if (r->n > 1)
		qsort(r->v, r->n, sizeof(*r->v), by_lo);
}

/* The first hole that ends at or behind `a`. */
static size_t first_hole(const struct ranges *holes, const struct addr *a)
{
	size_t lo = 0, hi = holes->n;

	while (lo < hi) {
		size_t mid = (lo + hi) / 2;
		if (addr_cmp(&holes->v[mid].range.hi, a) < 0)
			lo = mid + 1;
		else
			hi = mid;
	}
	return lo;
}

void ranges_without(struct ranges *out, const struct addr_range *range, const struct ranges *holes, void *tag)
{
	struct addr_range left = *range, piece;

	for (size_t i = first_hole(holes, &range->lo); i < holes->n; i++) {
		const struct addr_range *hole = &holes->v[i].range;
		if (!range_overlaps(hole, &left))
			break;
		if (addr_cmp(&left.lo, &hole->lo) < 0) {
			piece = left;
			piece.hi = hole->lo;
			addr_prev(&piece.hi);
			ranges_append(out, &piece, tag);
		}
		if (addr_cmp(&left.hi, &hole->hi) <= 0)
			return;
		left.lo = hole->hi;
		addr_next(&left.lo);
	}
	ranges_append(out, &left, tag);
}

static void rects_add_from(struct rects *r, size_t from, struct rect add);

/* Cuts *add down to `in` in one dimension; the pieces below and above are added, compared from `from` on. */
static void carve(struct rects *r, size_t from, struct rect *add, bool dst, const struct addr_range *in)
{
	struct addr_range *mine = dst ? &add->dst : &add->src, whole = *mine;
	struct rect piece = *add;
	struct addr_range *side = dst ? &piece.dst : &piece.src;

	if (addr_cmp(&whole.lo, &in->lo) < 0) {
		*side = whole;
		side->hi = in->lo;
		addr_prev(&side->hi);
		rects_add_from(r, from, piece);
		mine->lo = in->lo;
	}
	if (addr_cmp(&whole.hi, &in->hi) > 0) {
		*side = whole;
		side->lo = in->hi;
		addr_next(&side->lo);
		rects_add_from(r, from, piece);
		mine->hi = in->hi;
	}
}

static void rects_add_from(struct rects *r, size_t from, struct rect add)
{
	for (size_t i = from; i < r->n; i++) {
		struct rect old = r->v[i];
		if (!range_overlaps(&old.src, &add.src) || !range_overlaps(&old.dst, &add.dst))
			continue;
		carve(r, i + 1, &add, false, &old.src);
		carve(r, i + 1, &add, true, &old.dst);
		return; /* what is left of it lies inside `old` */
	}
	struct rect *slot = arena_push(r->arena, (void **)&r->v, &r->n, &r->cap, sizeof(*r->v));
	*slot = add;
}

void rects_add(struct rects *r, const struct rect *add)
{
	rects_add_from(r, 0, *add);
}
