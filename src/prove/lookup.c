/*
 * lookup.c: sets and maps: which elements may match, and what follows from each.
 *
 * The part of the region that no element matched keeps the whole region (see eval.c).
 */
#include "state.h"

#include <sekisho/arena.h>

#include <linux/netfilter/nf_tables.h>
#include <stdlib.h>
#include <string.h>

static size_t sort_len;

static int by_key(const void *pa, const void *pb)
{
	const struct dump_elem *a = *(const struct dump_elem *const *)pa, *b = *(const struct dump_elem *const *)pb;
	int c = memcmp(a->key, b->key, sort_len);

	return c != 0 ? c : (int)b->interval_end - (int)a->interval_end;
}

/* Sets that keep starts and exclusive ends as separate elements (rbtree): pair them up. */
static void pair_points(struct eval *ev, struct eval_set *es, const struct dump_set *s)
{
	const struct dump_elem **v = ARENA_ARRAY(ev->arena, s->nelems, const struct dump_elem *);

	for (size_t i = 0; i < s->nelems; i++)
		v[i] = &s->elems[i];
	sort_len = s->key_len;
	qsort(v, s->nelems, sizeof(const struct dump_elem *), by_key);
	for (size_t i = 0; i < s->nelems; i++) {
		if (v[i]->interval_end)
			continue;
		uint8_t *hi = arena_alloc(ev->arena, DUMP_KEY_MAX);
		memset(hi, 0xff, s->key_len);
		if (i + 1 < s->nelems) {
			memcpy(hi, v[i + 1]->key, s->key_len);
			for (size_t k = s->key_len; k-- > 0 && hi[k]-- == 0;)
				;
		}
		es->spans[es->n++] = (struct span){v[i]->key, hi, v[i], 0};
	}
}

/* Does the same happen after a match of either element? */
static bool same_outcome(const struct dump_elem *a, const struct dump_elem *b)
{
	if (a->has_verdict != b->has_verdict || a->ndata != b->ndata)
		return false;
	if (a->ndata > 0 && memcmp(a->data, b->data, a->ndata) != 0)
		return false;
	if (!a->has_verdict)
		return true;
	bool named = a->verdict.chain != NULL && b->verdict.chain != NULL;
	return a->verdict.code == b->verdict.code && (a->verdict.chain == NULL) == (b->verdict.chain == NULL) &&
	       (!named || strcmp(a->verdict.chain, b->verdict.chain) == 0);
}

static void find_outcomes(struct eval *ev, struct eval_set *es)
{
	for (size_t i = 0; i < es->n; i++) {
		struct span *sp = &es->spans[i];
		while (sp->outcome < es->noutcomes && !same_outcome(es->outcomes[sp->outcome], sp->elem))
			sp->outcome++;
		if (sp->outcome == es->noutcomes)
			*(const struct dump_elem **)arena_push(ev->arena, (void **)&es->outcomes, &es->noutcomes,
				&es->outcomes_cap, sizeof(*es->outcomes)) = sp->elem;
	}
}

static void prepare_set(struct eval *ev, struct eval_set *es, const struct dump_set *s)
{
	es->spans = ARENA_ARRAY(ev->arena, s->nelems, struct span);
	for (size_t i = 0; i < s->nelems; i++)
		if (s->elems[i].catchall)
			ev->finding = "a set with a catch-all element";
	if (ev->finding != NULL)
		return;
	if ((s->flags & NFT_SET_INTERVAL) != 0 && s->nfields < 2) {
		pair_points(ev, es, s);
		return;
	}
	for (size_t i = 0; i < s->nelems; i++) {
		const struct dump_elem *e = &s->elems[i];
		es->spans[es->n++] = (struct span){e->key, e->end == NULL ? e->key : e->end, e, 0};
	}
}

void lookup_prepare(struct eval *ev)
{
	const struct dump *d = ev->dump;

	ev->sets = ARENA_ARRAY(ev->arena, d->nsets, struct eval_set);
	for (size_t i = 0; i < d->nsets; i++) {
		prepare_set(ev, &ev->sets[i], &d->sets[i]);
		find_outcomes(ev, &ev->sets[i]);
	}
}

/* How the key's words fall into operands: by the set's own fields, or by what the words hold. */
struct layout {
	struct operand op[WORDS];
	size_t off[WORDS], len[WORDS], n;
};

static size_t run_length(const struct word *w, size_t left_bytes, uint8_t family)
{
	if (w->kind == WORD_FIELD && w->index == 0) {
		size_t n = field_len((enum field)w->field, family);
		if (n <= left_bytes)
			return n;
	}
	return left_bytes < 4 ? left_bytes : 4;
}

static struct layout layout_of(const struct dump_set *set, const struct word *w, uint8_t family)
{
	struct layout l = {0};

	for (size_t off = 0; off < set->key_len && l.n < WORDS; l.n++) {
		size_t len;
		if (set->nfields > 1)
			len = l.n < set->nfields ? set->fields[l.n] : set->key_len - off;
		else if ((set->flags & NFT_SET_INTERVAL) != 0)
			len = set->key_len;
		else
			len = run_length(w + off / 4, set->key_len - off, family);
		len = len < set->key_len - off ? len : set->key_len - off;
		l.off[l.n] = off;
		l.len[l.n] = len;
		l.op[l.n] = compare_operand(w + off / 4, len, family);
		off += (len + 3) / 4 * 4;
	}
	return l;
}

static enum match span_match(const struct layout *l, const struct span *sp, struct region *r)
{
	enum match all = MATCH_YES;

	for (size_t i = 0; i < l->n; i++) {
		enum match m = compare_in(&l->op[i], sp->lo + l->off[i], sp->hi + l->off[i], l->len[i], r);
		if (m == MATCH_NO)
			return MATCH_NO;
		if (m == MATCH_MAYBE)
			all = MATCH_MAYBE;
	}
	return all;
}

/* The path on which an element was found, over the region r. dreg: where a map to values puts its value. */
static void run_found(struct run *run, const struct state *s, const struct span *sp, const struct region *r,
	uint32_t dreg)
{
	struct state hit = *s;
	uint64_t end = sp->elem->expires_ms;

	hit.region = *r;
	if (sp->elem->data != NULL)
		load_const(&hit, dreg, sp->elem->data, sp->elem->ndata > 64 ? 64 : sp->elem->ndata);
	if (end != 0 && (hit.expires_ms == 0 || end < hit.expires_ms))
		hit.expires_ms = end;
	if (!sp->elem->has_verdict || eval_apply(run, &hit, &sp->elem->verdict))
		eval_exec(run, &hit);
}

/* What happens after a match, worked out once for all elements with the same verdict and value. */
struct outcome {
	bool known;
	bool alike;	  /* it does not depend on the region, so that it holds for each element */
	bool accepted;
	struct passing how; /* of the path beyond the element; expires_ms: the longest, 0 = no end */
	bool several;	    /* paths that leave the flow with different marks: each element is run by itself */
	bool queued;
	uint32_t number; /* of the queue */
	uint64_t queue_expires_ms;
};

static bool longer(bool first, uint64_t a, uint64_t b)
{
	return first || a == 0 || (b != 0 && a > b);
}

static void capture(void *arg, const struct region *r, const struct passing *how)
{
	struct outcome *o = arg;

	(void)r;
	o->several = o->several || (o->accepted && (how->ct_known != o->how.ct_known || how->ct_mark != o->how.ct_mark ||
					    how->pinhole != o->how.pinhole || how->pinhole_taken != o->how.pinhole_taken ||
					    how->turned_to != o->how.turned_to || how->mark_known != o->how.mark_known ||
					    how->mark != o->how.mark));
	if (longer(!o->accepted, how->expires_ms, o->how.expires_ms))
		o->how = *how;
	o->accepted = true;
}

static void capture_queue(void *arg, const struct region *r, uint32_t number, uint64_t expires_ms)
{
	struct outcome *o = arg;

	(void)r;
	o->several = o->several || (o->queued && number != o->number);
	if (longer(!o->queued, expires_ms, o->queue_expires_ms))
		o->queue_expires_ms = expires_ms;
	o->queued = true;
	o->number = number;
}

static void learn_outcome(struct run *run, const struct state *s, const struct span *sp, uint32_t dreg,
	struct outcome *o)
{
	struct eval *ev = run->ev;
	accept_fn *accept = ev->accept;
	queue_fn *queued = ev->queued;
	void *arg = ev->arg;
	uint64_t uses = run->field_uses;
	struct dump_elem elem = *sp->elem;
	struct span any = {sp->lo, sp->hi, &elem, 0};

	elem.expires_ms = 0; /* each element's own end is added where the outcome is used */
	ev->accept = capture;
	ev->queued = capture_queue;
	ev->arg = o;
	run_found(run, s, &any, &s->region, dreg);
	ev->accept = accept;
	ev->queued = queued;
	ev->arg = arg;
	o->known = true;
	o->alike = run->field_uses == uses && !o->several;
}

/* Of two ends, of which 0 is none. */
static uint64_t sooner(uint64_t a, uint64_t b)
{
	return a == 0 || (b != 0 && b < a) ? b : a;
}

static void use_outcome(struct eval *ev, const struct outcome *o, const struct span *sp, const struct region *r)
{
	uint64_t own = sp->elem->expires_ms;
	struct passing how = o->how;

	how.expires_ms = sooner(own, how.expires_ms);
	if (o->accepted)
		ev->accept(ev->arg, r, &how);
	if (o->queued && ev->queued != NULL)
		ev->queued(ev->arg, r, o->number, sooner(own, o->queue_expires_ms));
}

/* A few elements are run one by one; of many, each outcome is run once where that is the same. */
#define OUTCOMES_FROM 8
#define OUTCOMES_MAX 64

/* All paths on which something was found; returns whether it is certain that something is. */
static bool run_matches(struct run *run, const struct state *s, const struct eval_set *es, const struct layout *l,
	const struct dump_expr *e)
{
	struct outcome outcomes[OUTCOMES_MAX] = {0};
	bool share = es->n >= OUTCOMES_FROM && es->noutcomes <= OUTCOMES_MAX && !e->invert, certain = false;

	for (size_t i = 0; i < es->n && !certain; i++) {
		const struct span *sp = &es->spans[i];
		struct outcome *o = share ? &outcomes[sp->outcome] : NULL;
		struct region r = s->region;
		enum match m = span_match(l, sp, &r);
		if (m == MATCH_NO)
			continue;
		certain = m == MATCH_YES;
		if (o != NULL && !o->known)
			learn_outcome(run, s, sp, e->dreg, o);
		/* Inverted: found means that the rule does not apply. */
		if (e->invert)
			eval_fork(run, s, &r);
		else if (o != NULL && o->alike)
			use_outcome(run->ev, o, sp, &r);
		else
			run_found(run, s, sp, &r, e->dreg);
	}
	return certain;
}

/*
 * Sets whose content is of the moment and only ever refuses: sources with too many half-open connections, and the
 * switch for a full disk. Like a limit they may stop a packet or not.
 */
static bool of_the_moment(const struct dump_set *set)
{
	static const char *const names[] = {"halfopen4", "halfopen6", "log_full"};

	for (size_t i = 0; i < sizeof(names) / sizeof(names[0]); i++)
		if (strcmp(set->name, names[i]) == 0)
			return true;
	return false;
}

bool lookup_is_pinholes(const char *set)
{
	return strcmp(set, "pinholes4") == 0 || strcmp(set, "pinholes6") == 0;
}

/* Sets that are held while the gate is well, and dropped when not: held, whatever is in them now. */
static bool is_held(const char *set)
{
	return strcmp(set, "lease") == 0 || strcmp(set, "inspectors") == 0;
}

/* Returns whether the path without a match goes on in this rule. */
bool lookup_run(struct run *run, struct state *s, const struct dump_expr *e)
{
	const struct dump *d = run->ev->dump;
	const struct dump_set *set = e->set == NULL ? NULL : dump_set(d, e->set);
	size_t n;

	if (set == NULL) {
		run->ev->finding = "a lookup in a set that is not there";
		return true;
	}
	struct word *w = load_words(s, e->sreg, set->key_len, &n);
	const struct eval_set *es = &run->ev->sets[set - d->sets];
	bool empty = (run->sc->empty_set != NULL && strcmp(set->name, run->sc->empty_set) == 0) ||
		     (!run->sc->cuts && strcmp(set->name, "cutting") == 0);
	if (n * 4 < set->key_len) {
		run->ev->finding = "a lookup beyond the registers";
		return true;
	}
	if (of_the_moment(set)) {
		eval_fork(run, s, &s->region);
		return true;
	}
	/* It may hold any connection: what follows must be right for all. */
	if (lookup_is_pinholes(set->name)) {
		eval_fork(run, s, &s->region);
		s->pinhole = true;
		return true;
	}
	if (e->invert && !empty && is_held(set->name)) {
		eval_fork(run, s, &s->region);
		s->at.chain = NULL;
		return false;
	}
	struct layout l = layout_of(set, w, run->sc->family);
	for (size_t i = 0; i < l.n && es->n > 0; i++)
		run->field_uses += l.op[i].kind == OPERAND_FIELD;
	bool certain = !empty && run_matches(run, s, es, &l, e);
	if (certain) {
		/* No miss is possible: this path ends here. */
		s->at.chain = NULL;
		return false;
	}
	return e->invert;
}
