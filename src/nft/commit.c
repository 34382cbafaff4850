/*
 * commit.c: from the ruleset in force to another one, with nothing lost and nothing leaked.
 *
 *   prepare  new counters, chains, sets with all their elements: nothing points to them yet
 *   change   single elements of kept sets; the rules of chains that differ, all at once; the lease
 *   clean    what nobody points to any more
 *
 * Three transactions, because a lookup that changes together with its set loses allowed packets (measured), and
 * because base chains are never made again: a new base chain lets packets through for a moment (measured). Chains
 * keep their names; a set that cannot be changed in place gets a new name.
 *
 * If `prepare` fails nothing happened. If `change` fails what was prepared is removed. If `clean` fails the new
 * ruleset is in force all the same, and the next commit cleans.
 *
 * What is in the kernel is read by name first, so that a restart, a crash between transactions or a stranger's hand
 * only make the difference larger, never wrong.
 */
#include "kernel.h"
#include "builder.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define TRIES 3
/* A timer of the kernel's may run out while we compare: elements this near to their end are not touched singly. */
#define ENDING_SECONDS 3
/* Deleting from a concatenated interval set costs milliseconds each (measured); rebuilding it is cheaper soon. */
#define INTERVAL_REMOVALS_MAX 5
#define INTERVAL_ADDITIONS_MAX 200
#define HASH_CHANGES_MIN 1000
/* From here on a listener would cost more than it hears. */
#define LARGE_ELEMENTS 500

/* What happens to one set of the new ruleset. */
struct fate {
	bool keep;
	const struct set *old;
	struct buf adds, removes; /* uint32_t: elements of the new, of the old set */
};

struct plan {
	struct nft *n;
	struct ruleset *rs;
	const struct ruleset *old; /* NULL: contents unknown */
	struct inventory inv;
	struct fate *fates;
	bool in_place;
	bool touched; /* single elements change */
	struct batch prepare, change, clean, undo;
	struct nft_commit *ret;
};

/* -- comparing sets ------------------------------------------------------------------------------------------------ */

static const struct set *find_set(const struct ruleset *rs, const char *name)
{
	for (size_t i = 0; i < rs->nsets; i++)
		if (strcmp(rs->sets[i]->name, name) == 0)
			return rs->sets[i];
	return NULL;
}

static bool same_kind(const struct set *a, const struct set *b)
{
	return a->nfields == b->nfields && memcmp(a->types, b->types, a->nfields) == 0 && a->flags == b->flags &&
	       a->size == b->size && a->timeout == b->timeout && a->limit == b->limit;
}

static int compare_keys(const struct set *a, uint32_t i, const struct set *b, uint32_t j)
{
	size_t n = (size_t)a->klen * ((a->flags & SET_INTERVAL) != 0 ? 2 : 1);

	return memcmp(set_lo(a, i), set_lo(b, j), n);
}

static bool same_elem(const struct plan *p, const struct set *old, const struct elem *a, const struct elem *b)
{
	if (a->until != b->until || strcmp(elem_rule(p->old, a), elem_rule(p->rs, b)) != 0)
		return false;
	if ((old->flags & SET_VERDICTS) != 0)
		return (a->chain == NULL) == (b->chain == NULL) &&
		       (a->chain == NULL || strcmp(a->chain->name, b->chain->name) == 0);
	return (old->flags & SET_MARKS) == 0 || a->mark == b->mark;
}

static void note(struct buf *list, uint32_t i)
{
	buf_add(list, &i, sizeof(i));
}

static uint32_t noted(const struct buf *list)
{
	return (uint32_t)(list->len / sizeof(uint32_t));
}

/* The difference of two sorted sets. False when some element is about to end: then it cannot be taken out safely. */
static bool compare_elems(struct plan *p, const struct set *old, const struct set *new, struct fate *f)
{
	int64_t now = clock_wall().sec;
	uint32_t i = 0, j = 0;

	while (i < old->n || j < new->n) {
		const struct elem *e = i < old->n ? set_elem(old, i) : NULL;
		if (e != NULL && e->until <= now) { /* the kernel took it out itself */
			i++;
			continue;
		}
		int c = e == NULL ? 1 : j == new->n ? -1 : compare_keys(old, i, new, j);
		if (c == 0 && same_elem(p, old, e, set_elem(new, j))) {
			i++;
			j++;
			continue;
		}
		if (c <= 0) {
			if (e->until < now + ENDING_SECONDS)
				return false;
			note(&f->removes, i++);
		}
		if (c >= 0)
			note(&f->adds, j++);
	}
	return true;
}

static bool worth_it(const struct set *s, const struct fate *f)
{
	uint32_t adds = noted(&f->adds), removes = noted(&f->removes);

	/* While a transaction runs what it removes still counts against the size. */
	if (s->size > 0 && f->old->n + adds > s->size)
		return false;
	if ((s->flags & SET_INTERVAL) == 0)
		return adds + removes <= HASH_CHANGES_MIN + s->n / 4;
	if (s->nfields > 1)
		return removes <= INTERVAL_REMOVALS_MAX && adds <= INTERVAL_ADDITIONS_MAX;
	return adds + removes == 0;
}

static bool can_keep(struct plan *p, const struct set *old, const struct set *new, struct fate *f)
{
	if (!same_kind(old, new))
		return false;
	if ((new->flags & (SET_LIVE | SET_DYNAMIC)) != 0)
		return true;
	if (!p->in_place && (new->flags & SET_TIMEOUT) != 0)
		return false;
	if (!compare_elems(p, old, new, f) || !worth_it(new, f))
		return false;
	return p->in_place || noted(&f->adds) + noted(&f->removes) == 0;
}

static bool known(const struct strmap *names, const char *name)
{
	uint32_t i;

	return strmap_get(names, name, &i);
}

static void decide_set(struct plan *p, struct set *s, struct fate *f)
{
	const struct set *old = p->old != NULL ? find_set(p->old, s->name) : NULL;
	char name[SET_NAME_MAX];

	*f = (struct fate){.old = old};
	/* Taking over what runs: the live sets are known by their fixed names, and hold what must not be lost. */
	if (p->old == NULL && (s->flags & SET_LIVE) != 0 && known(p->inv.set_names, set_name(s, name))) {
		f->keep = true;
		return;
	}
	f->keep = old != NULL && can_keep(p, old, s, f);
	if (f->keep) {
		s->made = old->made;
		s->again = old->again;
		p->touched |= noted(&f->adds) + noted(&f->removes) > 0;
		return;
	}
	buf_clear(&f->adds);
	buf_clear(&f->removes);
	for (s->again = 0; known(p->inv.set_names, set_name(s, name)); s->again++)
		;
}

/* -- chains ---------------------------------------------------------------------------------------------------------- */

static const struct chain *find_chain(const struct ruleset *rs, const char *name)
{
	for (size_t i = 0; i < rs->nchains; i++)
		if (strcmp(rs->chains[i]->name, name) == 0)
			return rs->chains[i];
	return NULL;
}

static bool same_rule(const struct rule *a, const struct rule *b)
{
	struct buf x = {0}, y = {0};

	rule_bytes(a, &x);
	rule_bytes(b, &y);
	bool same = x.len == y.len && (x.len == 0 || memcmp(x.data, y.data, x.len) == 0);
	buf_free(&x);
	buf_free(&y);
	return same;
}

/* How many rules are the same at the beginning and at the end. */
struct overlap {
	size_t head, tail;
};

static struct overlap overlap(const struct chain *a, const struct chain *b)
{
	struct overlap o = {0, 0};
	size_t least = a->nrules < b->nrules ? a->nrules : b->nrules;

	while (o.head < least && same_rule(&a->rules[o.head], &b->rules[o.head]))
		o.head++;
	while (o.head + o.tail < least && same_rule(&a->rules[a->nrules - 1 - o.tail], &b->rules[b->nrules - 1 - o.tail]))
		o.tail++;
	return o;
}

static bool looks_up_flows(const struct chain *c)
{
	for (size_t i = 0; i < c->nrules; i++)
		for (size_t k = 0; k < c->rules[i].nstmts; k++)
			if (c->rules[i].stmts[k].kind == S_MAPMARK)
				return true;
	return false;
}

/*
 * Binding a map to a rule makes the kernel walk all its elements (20 ms at 100 k): in a chain that looks flows up
 * only the rules that differ are replaced. False when that cannot be done: the whole chain then.
 */
static bool plan_some_rules(struct plan *p, const struct chain *old, const struct chain *c, struct overlap o)
{
	struct buf handles = {0};
	const uint64_t *h;
	bool done = false;

	if (o.head + o.tail == 0 || read_handles(p->n, c->name, &handles) != 0)
		return false;
	h = (const uint64_t *)(void *)handles.data;
	if (handles.len / sizeof(*h) == old->nrules) {
		for (size_t i = o.head; i < old->nrules - o.tail; i++)
			put_rule_delete(&p->change, c->name, h[i]);
		/* Behind the same neighbour the last one put stands first; before the same, the first. */
		for (size_t i = c->nrules - o.tail; o.head > 0 && i-- > o.head;)
			put_rule_at(&p->change, p->rs, c, (uint32_t)i, h[o.head - 1], true);
		for (size_t i = 0; o.head == 0 && i < c->nrules - o.tail; i++)
			put_rule_at(&p->change, p->rs, c, (uint32_t)i, h[old->nrules - o.tail], false);
		done = true;
	}
	buf_free(&handles);
	return done;
}

static void plan_chain(struct plan *p, const struct chain *old, const struct chain *c)
{
	struct overlap o = {0, 0};

	if (old != NULL) {
		o = overlap(old, c);
		if (o.head == old->nrules && o.head == c->nrules)
			return;
	}
	p->ret->chains_replaced++;
	if (old != NULL && looks_up_flows(old) && plan_some_rules(p, old, c, o))
		return;
	put_rules_delete(&p->change, c->name);
	put_rules(&p->change, p->rs, c);
}

static void plan_chains(struct plan *p)
{
	for (size_t i = 0; i < p->rs->nchains; i++) {
		struct chain *c = p->rs->chains[i];
		if (!known(p->inv.chain_names, c->name)) {
			put_rules(&p->prepare, p->rs, c);
			put_rules_delete(&p->undo, c->name);
		} else {
			plan_chain(p, p->old != NULL ? find_chain(p->old, c->name) : NULL, c);
		}
	}
}

static void plan_new_objects(struct plan *p)
{
	struct ruleset *rs = p->rs;

	for (size_t i = 0; i < rs->ncounters; i++)
		if (!known(p->inv.counter_names, rs->counters[i]))
			put_counter(&p->prepare, rs->counters[i]);
	for (size_t i = 0; i < rs->nchains; i++)
		if (!known(p->inv.chain_names, rs->chains[i]->name))
			put_chain(&p->prepare, rs->chains[i]);
	for (size_t i = 0; i < rs->nsets; i++)
		if (!p->fates[i].keep)
			put_set(&p->prepare, rs, rs->sets[i]);
}

static void plan_sets(struct plan *p)
{
	struct ruleset *rs = p->rs;

	for (size_t i = 0; i < rs->nsets; i++) {
		struct fate *f = &p->fates[i];
		const uint32_t *adds = (const uint32_t *)(void *)f->adds.data;
		if (!f->keep) {
			put_elems(&p->prepare, rs, rs->sets[i], NULL, rs->sets[i]->n, false);
			p->ret->sets_new++;
			continue;
		}
		if (f->old == NULL || is_cut_set(rs->sets[i]->name))
			continue;
		put_elems(&p->change, p->old, f->old, (const uint32_t *)(void *)f->removes.data, noted(&f->removes), true);
		put_elems(&p->change, rs, rs->sets[i], adds, noted(&f->adds), false);
		p->ret->elements_removed += noted(&f->removes);
	}
}

/* What is there and not in the new ruleset: rules first, then sets, then chains, so that nothing is in use. */
static void plan_clean(struct plan *p)
{
	struct strmap *chains = strmap_new(), *sets = strmap_new();
	char name[SET_NAME_MAX];

	for (size_t i = 0; i < p->rs->nchains; i++)
		strmap_add(chains, p->rs->chains[i]->name, 0);
	for (size_t i = 0; i < p->rs->nsets; i++)
		strmap_add(sets, arena_strdup(p->inv.arena, set_name(p->rs->sets[i], name)), 0);
	for (size_t i = 0; i < p->inv.nchains; i++)
		if (!known(chains, p->inv.chains[i]))
			put_rules_delete(&p->clean, p->inv.chains[i]);
	for (size_t i = 0; i < p->inv.nsets; i++)
		if (!known(sets, p->inv.sets[i]))
			put_set_delete(&p->clean, p->inv.sets[i]);
	for (size_t i = 0; i < p->inv.nchains; i++)
		if (!known(chains, p->inv.chains[i]))
			put_chain_delete(&p->clean, p->inv.chains[i]);
	strmap_free(chains);
	strmap_free(sets);
}

static void plan_undo(struct plan *p)
{
	char name[SET_NAME_MAX];

	/* the rules of new chains are in `undo` already */
	for (size_t i = 0; i < p->rs->nsets; i++)
		if (!p->fates[i].keep)
			put_set_delete(&p->undo, set_name(p->rs->sets[i], name));
	for (size_t i = 0; i < p->rs->nchains; i++)
		if (!known(p->inv.chain_names, p->rs->chains[i]->name))
			put_chain_delete(&p->undo, p->rs->chains[i]->name);
}

/* In the transaction that opens the gate, so that nothing of what is cut passes between. */
static void plan_kept_cuts(struct plan *p)
{
	for (size_t i = 0; i < p->rs->nsets; i++)
		if (strcmp(p->rs->sets[i]->name, "cutting") == 0 && p->fates[i].keep)
			put_cuts(&p->change, p->rs);
}

static void plan_lease(struct plan *p)
{
	const struct set *lease = find_set(p->rs, "lease");

	if (lease != NULL && p->n->records != NFT_RECORDS_CLOSE_ALL)
		put_lease(&p->change, lease);
}

static void plan_init(struct plan *p)
{
	p->fates = calloc(p->rs->nsets + 1, sizeof(*p->fates));
	if (p->fates == NULL)
		abort();
	batch_init(&p->prepare, p->n->wire.seq + 1);
	batch_init(&p->change, 0);
	batch_init(&p->clean, 0);
	batch_init(&p->undo, 0);
	for (size_t i = 0; i < p->rs->nsets; i++)
		decide_set(p, p->rs->sets[i], &p->fates[i]);
	plan_new_objects(p);
	plan_sets(p);
	plan_chains(p);
	plan_kept_cuts(p);
	plan_lease(p);
	plan_clean(p);
	plan_undo(p);
}

static void plan_free(struct plan *p)
{
	for (size_t i = 0; i < p->rs->nsets; i++) {
		buf_free(&p->fates[i].adds);
		buf_free(&p->fates[i].removes);
	}
	free(p->fates);
	batch_free(&p->prepare);
	batch_free(&p->change);
	batch_free(&p->clean);
	batch_free(&p->undo);
}

/* -- running --------------------------------------------------------------------------------------------------------- */

static int run(struct plan *p, struct batch *b, struct nft_error *err)
{
	if (batch_empty(b))
		return 0;
	int r = batch_run(b, &p->n->wire, p->n->genid, err, &p->ret->kernel_us);
	if (r == 0) {
		p->n->genid = p->n->genid + 1 == 0 ? 1 : p->n->genid + 1;
		p->ret->batches++;
		p->ret->messages += b->n;
		p->ret->elements_added += b->elements;
	}
	return r;
}

/* A stranger's transaction came between ours: the names are read again by the caller. */
static int run_change(struct plan *p, struct nft_error *err)
{
	int r = run(p, &p->change, err);
	uint32_t now;

	if (r == 0)
		return 0;
	if (!batch_empty(&p->prepare) && !batch_empty(&p->undo) && read_genid(p->n, &now) == 0) {
		p->n->genid = now;
		run(p, &p->undo, NULL);
	}
	return r;
}

static int run_all(struct plan *p, struct nft_error *err)
{
	int r = run(p, &p->prepare, err);

	if (r == 0)
		r = run_change(p, err);
	if (r == 0)
		run(p, &p->clean, NULL);
	return r;
}

static int run_plan(struct plan *p, struct nft_error *err)
{
	bool large = p->prepare.elements + p->change.elements > LARGE_ELEMENTS || p->clean.n > 0;

	if (!large)
		return run_all(p, err);
	watch_pause(p->n);
	int r = run_all(p, err);
	watch_resume(p->n);
	return r;
}

/* -- entries --------------------------------------------------------------------------------------------------------- */

/* Is everything that we believe to be there really there? */
static bool all_there(const struct ruleset *rs, const struct inventory *inv)
{
	char name[SET_NAME_MAX];

	for (size_t i = 0; i < rs->nsets; i++)
		if (!known(inv->set_names, set_name(rs->sets[i], name)))
			return false;
	for (size_t i = 0; i < rs->nchains; i++)
		if (!known(inv->chain_names, rs->chains[i]->name))
			return false;
	return true;
}

static bool clock_was_set(const struct nft *n)
{
	int64_t moved = clock_offset_ms() - n->clock_offset_ms;

	return moved > 2000 || moved < -2000;
}

static int commit_once(struct nft *n, struct ruleset *rs, bool in_place, struct nft_commit *ret, struct nft_error *err)
{
	struct plan p = {.n = n, .rs = rs, .ret = ret, .in_place = in_place && !clock_was_set(n)};
	int r = ensure_table(n, &p.inv, err, &ret->kernel_us);

	if (r == 0)
		r = read_genid(n, &n->genid);
	if (r != 0) {
		inventory_free(&p.inv);
		return r;
	}
	p.old = n->current != NULL && all_there(n->current, &p.inv) ? n->current : NULL;
	plan_init(&p);
	r = run_plan(&p, err);
	/* Single elements may have ended meanwhile: then whole sets. */
	bool again = r != 0 && r != -ERESTART && p.touched;
	plan_free(&p);
	inventory_free(&p.inv);
	if (again)
		return commit_once(n, rs, false, ret, err);
	if (r == 0 && (!p.in_place || p.old == NULL))
		n->clock_offset_ms = clock_offset_ms();
	return r;
}

static int commit(struct nft *n, struct ruleset *rs, struct nft_commit *ret, struct nft_error *err)
{
	int r = -EBUSY;

	*ret = (struct nft_commit){0};
	for (int i = 0; i < TRIES; i++) {
		r = commit_once(n, rs, true, ret, err);
		if (r != -ERESTART)
			break;
	}
	if (r == -ERESTART)
		r = -EBUSY;
	if (r != 0 && err != NULL && err->error == 0) {
		err->error = -r;
		snprintf(err->text, sizeof(err->text), "%s", strerror(-r));
	}
	return r;
}

int nft_commit(struct nft *n, struct ruleset **rs, struct nft_commit *ret, struct nft_error *err)
{
	*err = (struct nft_error){0};
	int r = commit(n, *rs, ret, err);

	if (r != 0)
		return r;
	ruleset_free(n->current);
	n->current = *rs;
	n->shut = false;
	n->lease = n->records != NFT_RECORDS_CLOSE_ALL;
	*rs = NULL;
	return 0;
}

int nft_shut(struct nft *n, struct nft_error *err)
{
	struct ruleset_options opt = {.generation = 1, .capabilities = n->capabilities};
	struct ruleset *rs = ruleset_closed(&opt);
	struct nft_commit ignored;

	*err = (struct nft_error){0};
	int r = commit(n, rs, &ignored, err);
	if (r != 0) {
		ruleset_free(rs);
		return r;
	}
	ruleset_free(n->current);
	n->current = rs;
	n->shut = true;
	n->lease = false;
	return 0;
}
