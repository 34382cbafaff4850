/*
 * rtree.c: two static indexes over rectangles: a tree for points, a table for single values.
 *
 * The tree is split at the median, axis after axis; each node knows the hull of its rectangles and the lowest
 * id in it, so that a search for the first match leaves out whole branches. The table cuts one axis at every
 * edge and remembers the lowest id over each piece. Built once, never changed; memory is linear.
 */
#include "rtree.h"

#include <stdlib.h>
#include <string.h>

#define LEAF_MAX 4

struct node {
	struct key lo[RTREE_AXES], hi[RTREE_AXES];
	uint32_t min_id;
	uint32_t first,
		n; /* n > 0: a leaf's rectangles; n = 0: `first` is the right child, the left one is next */
};

struct rtree {
	const struct rect *v;
	uint32_t *order; /* the rectangles in the order of the leaves */
	struct node *nodes;
	size_t n, nnodes, cap;
	unsigned axes;
};

static void *must_alloc(size_t n, size_t size)
{
	void *p = calloc(n == 0 ? 1 : n, size);

	if (p == NULL)
		abort();
	return p;
}

/* -- building ------------------------------------------------------------------------------------------- */

static void hull(const struct rtree *t, size_t first, size_t n, struct node *ret)
{
	*ret = (struct node){.min_id = NONE};
	for (size_t i = first; i < first + n; i++) {
		const struct rect *r = &t->v[t->order[i]];
		for (int a = 0; a < RTREE_AXES; a++) {
			if (i == first || key_cmp(r->lo[a], ret->lo[a]) < 0)
				ret->lo[a] = r->lo[a];
			if (i == first || key_cmp(r->hi[a], ret->hi[a]) > 0)
				ret->hi[a] = r->hi[a];
		}
		if (r->id < ret->min_id)
			ret->min_id = r->id;
	}
}

static int rect_cmp(const struct rtree *t, uint32_t x, uint32_t y, int axis)
{
	const struct rect *a = &t->v[x], *b = &t->v[y];
	int d = key_cmp(a->lo[axis], b->lo[axis]);

	return d != 0 ? d : (a->id > b->id) - (a->id < b->id);
}

static void order_two(const struct rtree *t, uint32_t *a, uint32_t *b, int axis)
{
	uint32_t x = *a;

	if (rect_cmp(t, *b, *a, axis) < 0) {
		*a = *b;
		*b = x;
	}
}

/* Moves the rectangle of rank k to its place, smaller ones before it (Hoare's selection, median of three). */
static void select_rank(const struct rtree *t, uint32_t *v, size_t n, size_t k, int axis)
{
	size_t lo = 0, hi = n - 1;

	while (lo < hi) {
		size_t mid = lo + (hi - lo) / 2, i = lo, j = hi;
		order_two(t, &v[lo], &v[mid], axis);
		order_two(t, &v[lo], &v[hi], axis);
		order_two(t, &v[mid], &v[hi], axis);
		uint32_t pivot = v[mid];
		for (;; i++, j--) {
			while (rect_cmp(t, v[i], pivot, axis) < 0)
				i++;
			while (rect_cmp(t, pivot, v[j], axis) < 0)
				j--;
			if (i >= j)
				break;
			uint32_t x = v[i];
			v[i] = v[j];
			v[j] = x;
		}
		if (i == j)
			i++;
		if (k <= j)
			hi = j;
		else
			lo = i;
	}
}

/*
 * The next of the tree's axes, from `axis` on, on which the rectangles
 * are not all in one place; -1 when all are.
 */
static int choose_axis(const struct rtree *t, size_t first, size_t n, int axis)
{
	for (int tries = 0; tries < RTREE_AXES; tries++, axis = (axis + 1) % RTREE_AXES) {
		if ((t->axes & 1u << axis) == 0)
			continue;
		for (size_t i = first + 1; i < first + n; i++)
			if (key_cmp(t->v[t->order[i]].lo[axis], t->v[t->order[first]].lo[axis]) != 0)
				return axis;
	}
	return -1;
}

static void build(struct rtree *t, size_t first, size_t n, int axis)
{
	size_t at = t->nnodes;
	struct node *node = ir_grow((void **)&t->nodes, &t->nnodes, &t->cap, 1, sizeof(*node));

	hull(t, first, n, node);
	if (n <= LEAF_MAX) {
		node->first = (uint32_t)first;
		node->n = (uint32_t)n;
		return;
	}
	axis = choose_axis(t, first, n, axis);
	if (axis < 0) /* all alike: by id, so that the first one is found at once */
		axis = 0;
	select_rank(t, t->order + first, n, n / 2, axis);
	build(t, first, n / 2, (axis + 1) % RTREE_AXES);
	t->nodes[at].first = (uint32_t)t->nnodes;
	build(t, first + n / 2, n - n / 2, (axis + 1) % RTREE_AXES);
}

struct rtree *rtree_new(const struct rect *v, size_t n, unsigned axes)
{
	struct rtree *t = must_alloc(1, sizeof(*t));

	*t = (struct rtree){.v = v, .n = n, .axes = axes, .order = must_alloc(n, sizeof(*t->order))};
	for (size_t i = 0; i < n; i++)
		t->order[i] = (uint32_t)i;
	if (n > 0)
		build(t, 0, n, 0);
	return t;
}

void rtree_free(struct rtree *t)
{
	if (t == NULL)
		return;
	free(t->order);
	free(t->nodes);
	free(t);
}

/* -- asking --------------------------------------------------------------------------------------------- */

static bool holds(const struct key lo[], const struct key hi[], const struct visit *v)
{
	for (int a = 0; a < RTREE_AXES; a++)
		if ((v->mask & 1u << a) != 0 &&
			(key_cmp(v->point[a], lo[a]) < 0 || key_cmp(v->point[a], hi[a]) > 0))
			return false;
	return true;
}

static void visit_node(const struct rtree *t, size_t at, struct visit *v)
{
	const struct node *n = &t->nodes[at];

	if (n->min_id >= v->limit || !holds(n->lo, n->hi, v))
		return;
	if (n->n > 0) {
		for (uint32_t i = n->first; i < n->first + n->n; i++) {
			const struct rect *r = &t->v[t->order[i]];
			if (r->id < v->limit && holds(r->lo, r->hi, v))
				v->fn(v, r->id);
		}
		return;
	}
	/* The branch with the lower id first: it may lower the limit. */
	size_t left = at + 1, right = n->first;
	bool right_first = t->nodes[right].min_id < t->nodes[left].min_id;
	visit_node(t, right_first ? right : left, v);
	visit_node(t, right_first ? left : right, v);
}

void rtree_visit(const struct rtree *t, struct visit *v)
{
	if (t->n > 0)
		visit_node(t, 0, v);
}

/* -- the table ------------------------------------------------------------------------------------------ */

struct paint {
	struct key *edges; /* sorted; piece i is [edges[i], edges[i + 1]) */
	uint32_t *ids;
	size_t n;
};

static int key_cmp_p(const void *a, const void *b)
{
	return key_cmp(*(const struct key *)a, *(const struct key *)b);
}

static size_t edge_of(const struct paint *p, struct key k)
{
	size_t lo = 0, hi = p->n;

	while (lo < hi) {
		size_t mid = (lo + hi) / 2;
		if (key_cmp(p->edges[mid], k) <= 0)
			lo = mid + 1;
		else
			hi = mid;
	}
	return lo; /* the first edge behind k */
}

/* The first piece at or behind i that has no id yet; `next` shortens the way each time. */
static uint32_t unpainted(uint32_t *next, uint32_t i)
{
	while (next[i] != i) {
		next[i] = next[next[i]];
		i = next[i];
	}
	return i;
}

struct paint *paint_new(const struct rect *v, size_t n, int axis)
{
	struct paint *p = must_alloc(1, sizeof(*p));
	size_t total = 0, unique = 0;

	p->edges = must_alloc(2 * n, sizeof(*p->edges));
	for (size_t i = 0; i < n; i++) {
		struct key after = v[i].hi[axis];
		p->edges[total++] = v[i].lo[axis];
		after.lo++;
		after.hi += after.lo == 0;
		if (after.hi != 0 || after.lo != 0)
			p->edges[total++] = after;
	}
	if (total > 0)
		qsort(p->edges, total, sizeof(*p->edges), key_cmp_p);
	for (size_t i = 0; i < total; i++)
		if (i == 0 || key_cmp(p->edges[i], p->edges[unique - 1]) != 0)
			p->edges[unique++] = p->edges[i];
	p->n = unique;
	p->ids = must_alloc(unique, sizeof(*p->ids));
	uint32_t *next = must_alloc(unique + 1, sizeof(*next));
	for (size_t i = 0; i <= unique; i++)
		next[i] = (uint32_t)i;
	for (size_t i = 0; i < unique; i++)
		p->ids[i] = NONE;
	for (size_t i = 0; i < n; i++) {
		uint32_t from = (uint32_t)edge_of(p, v[i].lo[axis]) - 1,
			 to = (uint32_t)edge_of(p, v[i].hi[axis]);
		for (uint32_t k = unpainted(next, from); k < to; k = unpainted(next, k)) {
			p->ids[k] = v[i].id;
			next[k] = k + 1;
		}
	}
	free(next);
	return p;
}

void paint_free(struct paint *p)
{
	if (p == NULL)
		return;
	free(p->edges);
	free(p->ids);
	free(p);
}

uint32_t paint_find(const struct paint *p, struct key k)
{
	size_t i = edge_of(p, k);

	return i == 0 ? NONE : p->ids[i - 1];
}
