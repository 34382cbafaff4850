/*
 * ranges.h: lists of disjoint address ranges with a tag each; rectangles of (source, destination).
 */
#ifndef NFT_RANGES_H
#define NFT_RANGES_H

#include <sekisho/addr.h>
#include <sekisho/arena.h>

struct tagged {
	struct addr_range range;
	void *tag;
};

struct ranges {
	struct arena *arena;
	struct tagged *v; /* disjoint; in order after ranges_sort() */
	size_t n, cap;
};

/* Adds what of the range is not covered yet: who comes first wins. */
void ranges_add(struct ranges *r, const struct addr_range *range, void *tag);
void ranges_add_text(struct ranges *r, const char *prefix_or_range, void *tag);
/* Appends what is known to be disjoint. */
void ranges_append(struct ranges *r, const struct addr_range *range, void *tag);
void ranges_sort(struct ranges *r);
/* Appends to `out` the parts of the range that `holes` (sorted) leave. */
void ranges_without(struct ranges *out, const struct addr_range *range, const struct ranges *holes, void *tag);

/* A source range and a destination range of one family. */
struct rect {
	struct addr_range src, dst;
};
struct rects {
	struct arena *arena;
	struct rect *v; /* disjoint */
	size_t n, cap;
};
/* Adds what of the rectangle is not covered yet, in pieces. */
void rects_add(struct rects *r, const struct rect *add);

#endif
