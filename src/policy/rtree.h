/*
 * rtree.h: rectangles (source x destination x protocol-and-port) that hold a point.
 */
#ifndef POLICY_RTREE_H
#define POLICY_RTREE_H

#include "compile.h"

#define RTREE_AXES 3
#define RTREE_ALL 7u
#define RTREE_SRC 1u
#define RTREE_DST 2u
#define RTREE_PORT 4u

struct rect {
	struct key lo[RTREE_AXES], hi[RTREE_AXES];
	uint32_t id;
};

struct rtree;

/*
 * An index over n rectangles, which stay the caller's and outlive it, for questions with these axes
 * (RTREE_*): it is split along them only. Ends the process without memory.
 */
struct rtree *rtree_new(const struct rect *v, size_t n, unsigned axes);
void rtree_free(struct rtree *t); /* NULL is allowed */

/*
 * Calls fn for every rectangle with an id below v->limit that holds the point on the axes of the mask. fn may
 * lower the limit. The order is the tree's own, always the same.
 */
struct visit {
	const struct key *point; /* RTREE_AXES of them */
	unsigned mask;
	uint32_t limit;
	void (*fn)(struct visit *v, uint32_t id);
	void *arg;
};
void rtree_visit(const struct rtree *t, struct visit *v);

/*
 * The first (lowest id) of many intervals that holds a value: one table per axis.
 */
struct paint;
struct paint *paint_new(const struct rect *v, size_t n, int axis); /* v sorted by id */
void paint_free(struct paint *p);
uint32_t paint_find(const struct paint *p, struct key k); /* NONE when none holds it */

#endif
