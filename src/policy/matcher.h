/*
 * matcher.h: what matcher.c and nearest.c share.
 */
#ifndef POLICY_MATCHER_H
#define POLICY_MATCHER_H

#include "rtree.h"

#include <sekisho/match.h>

struct matcher {
	const struct ir *ir;
	struct arena *arena;
	struct pieces networks; /* owner = segment */
	struct pieces ways;	/* owner = interface */
	struct pieces sources;	/* owner = index into ir->sources */
	struct pieces hosts;	/* owner = host */
	struct pieces bogons;	/* owner = BOGON_* << 8 | reason */

	/* boxes: single addresses and ports by hash, the others by tree (one per family: [0] IPv4) */
	uint32_t *exact; /* open addressing; index into boxes, NONE = free */
	size_t exact_cap; /* a power of two */
	struct rect *box_rects[2];
	struct rtree *boxes[2];

	/* spans, for the nearest rule; id = index into ir->spans, in file order */
	struct rect *span_rects[2];
	struct rtree *by_pair[2], *by_src_port[2], *by_dst_port[2];
	struct paint *by_src[2], *by_dst[2];
};

/* The point of a question in a tree: source, destination, protocol and port. */
void matcher_point(const struct question *q, struct key point[RTREE_AXES]);

/* Fills nearest and differs of a drop; `mac` adds that difference to all. */
void nearest_find(
	const struct matcher *m, const struct question *q, struct wall now, bool mac, struct decision *ret);

/* Which DIFFERS_* of time a rule shows at `now`; 0 when it is in force. */
uint32_t window_differs(const struct ir *ir, const struct ir_rule *r, struct wall now);

#endif
