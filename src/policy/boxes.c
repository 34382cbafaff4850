/*
 * boxes.c: spans that may overlap become boxes that do not.
 *
 * Within one segment pair, family and protocol each span is a rectangle: source x destination x port. The
 * cutter works recursively on a set of spans:
 *
 *   1. one span: it is a box;
 *   2. an axis with a gap between the spans: cut there, each part by itself (most policies end here: a sort);
 *   3. no gap on any axis: slice along the axis on which the spans are shortest, at each edge of a span;
 * within a slice that axis is settled. Neighbouring slices with the same outcome are joined again.
 *
 * A box never reaches beyond any of the spans that it came from, so the guard can compare the two. Its
 * candidates are the rules of those spans in file order.
 *
 * Limits: LIMIT_BOXES boxes and WORK_MAX steps; beyond them the policy is refused as too complex.
 */
#include "compile.h"

#include <stdlib.h>
#include <string.h>

#define AXES 3
/* Steps of slicing: some seconds; a policy of 100 k rules takes a few hundred thousand. */
#define WORK_MAX 200000000u

/* A box while it grows: `set` are the spans it came from, ascending. */
struct cell {
	struct key lo[AXES], hi[AXES];
	uint32_t set, nset; /* run of cutter.sets */
};

struct cutter {
	struct compiler *c;
	const struct span *spans;
	struct cell *cells;
	size_t ncells, cells_cap;
	uint32_t *sets;
	size_t nsets, sets_cap;
	uint64_t work;
	bool failed;
};

/* The settled part of the space, where slices have been cut. */
struct region {
	struct key lo[AXES], hi[AXES];
	bool settled[AXES];
};

static void cut(struct cutter *x, uint32_t *ids, size_t n, const struct region *r);

static void *must_alloc(size_t n, size_t size)
{
	void *p = calloc(n == 0 ? 1 : n, size);

	if (p == NULL)
		abort();
	return p;
}

/* -- sorting ids along an axis -------------------------------------------------------------------------- */

struct by_key {
	struct key k;
	uint32_t id;
};

static int by_key_cmp(const void *pa, const void *pb)
{
	const struct by_key *a = pa, *b = pb;
	int d = key_cmp(a->k, b->k);

	return d != 0 ? d : (a->id > b->id) - (a->id < b->id);
}

static void sort_keys(struct by_key *v, size_t n)
{
	for (size_t i = 1; i < n; i++)
		if (by_key_cmp(&v[i - 1], &v[i]) > 0) {
			qsort(v, n, sizeof(*v), by_key_cmp);
			return;
		}
}

/* The spans in order of their first (or last) value on an axis. */
static struct by_key *sorted_edges(const struct cutter *x, const uint32_t *ids, size_t n, int axis, bool last)
{
	struct by_key *v = must_alloc(n, sizeof(*v));

	for (size_t i = 0; i < n; i++)
		v[i] = (struct by_key){last ? x->spans[ids[i]].hi[axis] : x->spans[ids[i]].lo[axis], ids[i]};
	sort_keys(v, n);
	return v;
}

static int id_cmp(const void *pa, const void *pb)
{
	const uint32_t *a = pa, *b = pb;

	return (*a > *b) - (*a < *b);
}

/* -- emitting ------------------------------------------------------------------------------------------- */

static void emit_cell(struct cutter *x, uint32_t *ids, size_t n, const struct region *r)
{
	if (x->ncells >= LIMIT_BOXES) {
		x->failed = true;
		return;
	}
	struct cell *cell = ir_grow((void **)&x->cells, &x->ncells, &x->cells_cap, 1, sizeof(*cell));
	for (int a = 0; a < AXES; a++) {
		/* On an axis that is not settled there is one span, or all are equal. */
		cell->lo[a] = r->settled[a] ? r->lo[a] : x->spans[ids[0]].lo[a];
		cell->hi[a] = r->settled[a] ? r->hi[a] : x->spans[ids[0]].hi[a];
	}
	qsort(ids, n, sizeof(*ids), id_cmp);
	cell->set = (uint32_t)x->nsets;
	cell->nset = (uint32_t)n;
	memcpy(ir_grow((void **)&x->sets, &x->nsets, &x->sets_cap, n, sizeof(*ids)), ids, n * sizeof(*ids));
}

/* -- gaps ----------------------------------------------------------------------------------------------- */

/* Cuts at the gaps of one axis. False when there is none. */
static bool cut_at_gaps(struct cutter *x, uint32_t *ids, size_t n, const struct region *r, int axis)
{
	struct by_key *v = sorted_edges(x, ids, n, axis, false);
	struct key end = x->spans[v[0].id].hi[axis];
	size_t first = 0;

	for (size_t i = 1; i <= n; i++) {
		if (i < n && key_cmp(v[i].k, end) <= 0) {
			struct key hi = x->spans[v[i].id].hi[axis];
			end = key_cmp(hi, end) > 0 ? hi : end;
			continue;
		}
		if (first == 0 && i == n)
			break;
		for (size_t k = first; k < i; k++)
			ids[k] = v[k].id;
		cut(x, ids + first, i - first, r);
		first = i;
		if (i < n)
			end = x->spans[v[i].id].hi[axis];
	}
	free(v);
	return first != 0;
}

/* -- slices --------------------------------------------------------------------------------------------- */

struct slicer {
	struct cutter *x;
	struct by_key *starts, *ends; /* .id = place in ids */
	const uint32_t *ids;
	size_t n, s, e;	  /* spans, next start, next end */
	uint32_t *active; /* places in ids, in no order */
	uint32_t *where;  /* by place: where in `active` */
	size_t nactive;
	struct key lo, hi; /* of the present slice */
};

static struct key key_before(struct key k)
{
	k.hi -= k.lo == 0;
	k.lo--;
	return k;
}

static struct key key_after(struct key k)
{
	k.lo++;
	k.hi += k.lo == 0;
	return k;
}

static void slicer_init(struct slicer *s, struct cutter *x, const uint32_t *ids, size_t n, int axis)
{
	*s = (struct slicer){.x = x, .ids = ids, .n = n};
	s->starts = must_alloc(n, sizeof(*s->starts));
	s->ends = must_alloc(n, sizeof(*s->ends));
	s->active = must_alloc(n, sizeof(*s->active));
	s->where = must_alloc(n, sizeof(*s->where));
	for (size_t i = 0; i < n; i++) {
		s->starts[i] = (struct by_key){x->spans[ids[i]].lo[axis], (uint32_t)i};
		s->ends[i] = (struct by_key){x->spans[ids[i]].hi[axis], (uint32_t)i};
	}
	sort_keys(s->starts, n);
	sort_keys(s->ends, n);
}

static void slicer_free(struct slicer *s)
{
	free(s->starts);
	free(s->ends);
	free(s->active);
	free(s->where);
}

static void activate(struct slicer *s, uint32_t place)
{
	s->where[place] = (uint32_t)s->nactive;
	s->active[s->nactive++] = place;
}

static void deactivate(struct slicer *s, uint32_t place)
{
	uint32_t last = s->active[--s->nactive];

	s->active[s->where[place]] = last;
	s->where[last] = s->where[place];
}

/* Moves to the next slice: the longest interval with the same spans over it. False at the end. */
static bool slicer_next(struct slicer *s)
{
	if (s->nactive > 0) {
		for (; s->e < s->n && key_cmp(s->ends[s->e].k, s->hi) <= 0; s->e++)
			deactivate(s, s->ends[s->e].id);
	}
	if (s->nactive == 0 && s->s == s->n)
		return false;
	s->lo = s->nactive == 0 ? s->starts[s->s].k : key_after(s->hi);
	for (; s->s < s->n && key_cmp(s->starts[s->s].k, s->lo) <= 0; s->s++)
		activate(s, s->starts[s->s].id);
	s->hi = s->ends[s->e].k;
	if (s->s < s->n && key_cmp(s->starts[s->s].k, s->hi) <= 0)
		s->hi = key_before(s->starts[s->s].k);
	s->x->work += s->nactive;
	return true;
}

/* How many (span, slice) pairs slicing along this axis gives; without the list of the spans themselves. */
static uint64_t slice_cost(const struct cutter *x, const uint32_t *ids, size_t n, int axis)
{
	struct by_key *starts = sorted_edges(x, ids, n, axis, false),
		      *ends = sorted_edges(x, ids, n, axis, true);
	uint64_t cost = 0, active = 0;

	for (size_t s = 0, e = 0; e < n;) {
		bool start = s < n && key_cmp(starts[s].k, ends[e].k) <= 0;
		struct key at = start ? starts[s].k : ends[e].k;
		for (; start && s < n && key_cmp(starts[s].k, at) == 0; s++)
			active++;
		cost += active;
		for (; !start && e < n && key_cmp(ends[e].k, at) == 0; e++)
			active--;
	}
	free(starts);
	free(ends);
	return cost;
}

/* -- joining neighbouring slices ------------------------------------------------------------------------ */

struct joiner {
	const struct cutter *x;
	int axis;
};

/*
 * Order of two cells on the axes beside the sliced one, then by their
 * spans; 0 = they differ in the slice only.
 */
static int beside_cmp(const struct joiner *j, const struct cell *a, const struct cell *b)
{
	for (int k = 0; k < AXES; k++) {
		if (k == j->axis)
			continue;
		int d = key_cmp(a->lo[k], b->lo[k]);
		if (d == 0)
			d = key_cmp(a->hi[k], b->hi[k]);
		if (d != 0)
			return d;
	}
	if (a->nset != b->nset)
		return a->nset < b->nset ? -1 : 1;
	return memcmp(j->x->sets + a->set, j->x->sets + b->set, a->nset * sizeof(uint32_t));
}

static int beside_cmp_r(const void *pa, const void *pb, void *arg)
{
	const uint32_t *a = pa, *b = pb;
	const struct joiner *j = arg;

	return beside_cmp(j, &j->x->cells[*a], &j->x->cells[*b]);
}

/*
 * The cells from `first` on are those of the present slice; `open` (sorted, *nopen of them) are those that
 * end where it begins. What continues an open cell prolongs it and goes; the rest stays. `open` becomes the
 * list of cells that end where this slice ends.
 */
static void join_slice(struct cutter *x, int axis, size_t first, uint32_t **open, size_t *nopen)
{
	struct joiner j = {x, axis};
	size_t n = x->ncells - first, keep = first, nnext = 0, o = 0;
	uint32_t *order = must_alloc(n, sizeof(*order)), *next = must_alloc(n, sizeof(*next));
	bool *gone = must_alloc(n, sizeof(*gone));
	uint32_t *moved = must_alloc(n, sizeof(*moved));

	for (size_t i = 0; i < n; i++)
		order[i] = (uint32_t)(first + i);
	qsort_r(order, n, sizeof(*order), beside_cmp_r, &j);
	for (size_t i = 0; i < n; i++) {
		while (o < *nopen && beside_cmp(&j, &x->cells[(*open)[o]], &x->cells[order[i]]) < 0)
			o++;
		if (o < *nopen && beside_cmp(&j, &x->cells[(*open)[o]], &x->cells[order[i]]) == 0) {
			x->cells[(*open)[o]].hi[axis] = x->cells[order[i]].hi[axis];
			gone[order[i] - first] = true;
			next[nnext++] = (*open)[o];
		} else {
			next[nnext++] = order[i];
		}
	}
	for (size_t i = 0; i < n; i++) {
		moved[i] = (uint32_t)keep;
		if (!gone[i])
			x->cells[keep++] = x->cells[first + i];
	}
	for (size_t i = 0; i < nnext; i++)
		if (next[i] >= first)
			next[i] = moved[next[i] - first];
	x->ncells = keep;
	free(order);
	free(gone);
	free(moved);
	free(*open);
	*open = next;
	*nopen = nnext;
}

static void cut_slices(struct cutter *x, const uint32_t *ids, size_t n, const struct region *r, int axis)
{
	struct slicer s;
	struct region part = *r;
	uint32_t *open = NULL, *copy = must_alloc(n, sizeof(*copy));
	size_t nopen = 0;
	struct key end = {0};

	part.settled[axis] = true;
	slicer_init(&s, x, ids, n, axis);
	while (!x->failed && slicer_next(&s)) {
		size_t first = x->ncells;
		if (nopen > 0 && key_cmp(key_after(end), s.lo) != 0)
			nopen = 0;
		part.lo[axis] = s.lo;
		part.hi[axis] = end = s.hi;
		for (size_t i = 0; i < s.nactive; i++)
			copy[i] = ids[s.active[i]];
		cut(x, copy, s.nactive, &part);
		join_slice(x, axis, first, &open, &nopen);
		x->failed = x->failed || x->work > WORK_MAX;
	}
	slicer_free(&s);
	free(open);
	free(copy);
}

static void cut(struct cutter *x, uint32_t *ids, size_t n, const struct region *r)
{
	int best = -1;
	uint64_t best_cost = 0;

	if (x->failed || n == 0)
		return;
	if (n == 1) {
		emit_cell(x, ids, n, r);
		return;
	}
	for (int axis = 0; axis < AXES; axis++)
		if (!r->settled[axis] && cut_at_gaps(x, ids, n, r, axis))
			return;
	for (int axis = 0; axis < AXES; axis++) {
		if (r->settled[axis])
			continue;
		uint64_t cost = slice_cost(x, ids, n, axis);
		if (best < 0 || cost < best_cost) {
			best = axis;
			best_cost = cost;
		}
	}
	if (best < 0)
		emit_cell(x, ids, n, r);
	else
		cut_slices(x, ids, n, r, best);
}

/* -- cells into boxes ----------------------------------------------------------------------------------- */

static void report_contradiction(struct compiler *c, uint32_t first, uint32_t rule)
{
	struct rule_note *n = &c->notes[rule];

	if (n->contradicts)
		return;
	n->contradicts = true;
	diag_error(c->diags, n->line, "contradicting",
		_("let the two demand the same application in the same words, mail gate and direction, or name no "
		  "common traffic"),
		_("the rule \"%s\" and the rule \"%s\" (line %u) cover the same traffic and treat it "
		  "differently"),
		n->allow->name.text, c->notes[first].allow->name.text, c->notes[first].line);
}

static bool same_treatment(const struct ir_rule *a, const struct ir_rule *b)
{
	return a->action == b->action && a->verified == b->verified &&
	       (a->flags & IR_RULE_ONE_WAY) == (b->flags & IR_RULE_ONE_WAY);
}

/*
 * The rules of a cell, in file order, without repeats. What is expired stays a candidate (a question may be
 * about the past) unless it contradicts one that is not. Returns how many; notes what each rule adds.
 */
static uint32_t put_cands(struct cutter *x, const struct cell *cell)
{
	struct compiler *c = x->c;
	uint32_t first = (uint32_t)c->ir.ncands, lead = NONE, last = NONE;

	for (uint32_t i = 0; i < cell->nset; i++) {
		uint32_t rule = x->spans[x->sets[cell->set + i]].rule;
		if (lead == NONE ||
			(c->ir.rules[lead].ends <= c->now.sec && c->ir.rules[rule].ends > c->now.sec))
			lead = rule;
	}
	for (uint32_t i = 0; i < cell->nset; i++) {
		uint32_t rule = x->spans[x->sets[cell->set + i]].rule;
		struct rule_note *n = &c->notes[rule];
		bool covered = false;
		if (rule == last)
			continue;
		last = rule;
		if (!same_treatment(&c->ir.rules[lead], &c->ir.rules[rule])) {
			if (c->ir.rules[rule].ends > c->now.sec)
				report_contradiction(c, lead < rule ? lead : rule, lead < rule ? rule : lead);
			n->effective = true;
			continue;
		}
		for (size_t k = first; !covered && k < c->ir.ncands; k++)
			if (rule_time_covers(c, &c->ir.rules[c->ir.cands[k].rule], &c->ir.rules[rule])) {
				covered = true;
				n->covered_by = c->ir.cands[k].rule;
			}
		n->effective = n->effective || !covered;
		((struct ir_cand *)IR_PUSH(&c->ir, cands))->rule = rule;
	}
	return (uint32_t)c->ir.ncands - first;
}

static int cell_cmp(const void *pa, const void *pb)
{
	const struct cell *a = pa, *b = pb;
	int d = 0;

	for (int k = 0; d == 0 && k < AXES; k++)
		d = key_cmp(a->lo[k], b->lo[k]);
	return d;
}

static void put_boxes(struct cutter *x, const struct span *any)
{
	struct compiler *c = x->c;

	if (x->ncells > 0)
		qsort(x->cells, x->ncells, sizeof(*x->cells), cell_cmp);
	for (size_t i = 0; i < x->ncells; i++) {
		const struct cell *cell = &x->cells[i];
		struct ir_box *b = IR_PUSH(&c->ir, boxes);
		*b = (struct ir_box){.from = any->from,
			.to = any->to,
			.family = any->family,
			.proto = any->proto,
			.port_lo = (uint16_t)cell->lo[AXIS_PORT].lo,
			.port_hi = (uint16_t)cell->hi[AXIS_PORT].lo};
		struct addr_range src = {key_to_addr(cell->lo[AXIS_SRC], any->family),
			key_to_addr(cell->hi[AXIS_SRC], any->family)};
		struct addr_range dst = {key_to_addr(cell->lo[AXIS_DST], any->family),
			key_to_addr(cell->hi[AXIS_DST], any->family)};
		ir_put_range(&b->src, &src);
		ir_put_range(&b->dst, &dst);
		b->cand.first = (uint32_t)c->ir.ncands;
		b->cand.n = put_cands(x, cell);
	}
}

/* -- groups of spans ------------------------------------------------------------------------------------ */

static uint64_t group_of(const struct span *s)
{
	return (uint64_t)s->from << 32 | (uint64_t)s->to << 16 | (uint64_t)s->family << 8 | s->proto;
}

static int group_cmp(const void *pa, const void *pb)
{
	const struct span *a = pa, *b = pb;
	uint64_t ga = group_of(a), gb = group_of(b);

	if (ga != gb)
		return ga < gb ? -1 : 1;
	return (a->rule > b->rule) - (a->rule < b->rule);
}

static struct span *make_spans(struct compiler *c)
{
	struct span *v = must_alloc(c->ir.nspans, sizeof(*v));

	for (size_t i = 0; i < c->ir.nspans; i++) {
		const struct ir_span *s = &c->ir.spans[i];
		const struct ir_rule *r = &c->ir.rules[s->rule];
		struct addr_range src = ir_addr_range(s->family, &s->src),
				  dst = ir_addr_range(s->family, &s->dst);
		v[i] = (struct span){.rule = s->rule,
			.from = r->from_segment,
			.to = r->to_segment,
			.family = s->family,
			.proto = s->proto};
		v[i].lo[AXIS_SRC] = key_of_addr(&src.lo);
		v[i].hi[AXIS_SRC] = key_of_addr(&src.hi);
		v[i].lo[AXIS_DST] = key_of_addr(&dst.lo);
		v[i].hi[AXIS_DST] = key_of_addr(&dst.hi);
		v[i].lo[AXIS_PORT].lo = s->port_lo;
		v[i].hi[AXIS_PORT].lo = s->port_hi;
	}
	if (c->ir.nspans > 0)
		qsort(v, c->ir.nspans, sizeof(*v), group_cmp);
	return v;
}

static void cut_group(struct compiler *c, const struct span *spans, size_t n)
{
	struct cutter x = {.c = c, .spans = spans};
	uint32_t *ids = must_alloc(n, sizeof(*ids));

	for (size_t i = 0; i < n; i++)
		ids[i] = (uint32_t)i;
	cut(&x, ids, n, &(struct region){0});
	if (x.failed || c->ir.nboxes + x.ncells > LIMIT_BOXES) {
		diag_error(c->diags, 0, "limit", _("use fewer rules that overlap each other in part"),
			_("the rules overlap in more than %d ways"), LIMIT_BOXES);
		c->too_many = true;
	} else {
		put_boxes(&x, &spans[0]);
	}
	free(ids);
	free(x.cells);
	free(x.sets);
}

void stage_boxes(struct compiler *c)
{
	if (c->too_many)
		return;
	struct span *v = make_spans(c);
	for (size_t first = 0, i = 1; first < c->ir.nspans && !c->too_many; i++) {
		if (i < c->ir.nspans && group_of(&v[i]) == group_of(&v[first]))
			continue;
		cut_group(c, v + first, i - first);
		first = i;
	}
	free(v);
}
