/*
 * eval.c: symbolic execution of nf_tables rules.
 *
 * The rule of the kernel (nft_do_chain): expressions of a rule run in order over registers; one that does not
 * match ends the rule; a verdict ends the chain, jumps or returns; at the end of a base chain its policy holds.
 * Ours: a register word is a constant, a word of one of the fields of the region, or unknown. Where an outcome
 * depends on a field, the region is cut and each part goes its way; where it depends on the unknown, both ways
 * are followed with the whole region. The part that a lookup did not match keeps the whole region too (it is not
 * cut to the complement): that can only add acceptance, never hide one.
 *
 * Limits: EVAL_STEPS_MAX expressions in all, FORKS_MAX forks on one path, CALLS_MAX nested jumps (the kernel's
 * NFT_JUMP_STACK_SIZE).
 * An expression that is not in dump.c's grammar is a finding and ends the path as if it accepted.
 */
#include "state.h"

#include <linux/netfilter.h>
#include <linux/netfilter/nf_tables.h>
#include <stdlib.h>
#include <string.h>

size_t field_len(enum field f, uint8_t family)
{
	if (f == FIELD_PORT)
		return 2;
	return f == FIELD_MAC ? 6 : family == 4 ? 4 : 16;
}

struct region region_all(uint8_t family)
{
	struct region r = {0};

	for (enum field f = 0; f < FIELDS; f++)
		memset(r.hi[f], 0xff, field_len(f, family));
	return r;
}

bool region_within(const struct region *inner, const struct region *outer, uint8_t family)
{
	for (enum field f = 0; f < FIELDS; f++) {
		size_t n = field_len(f, family);
		if (memcmp(inner->lo[f], outer->lo[f], n) < 0 || memcmp(inner->hi[f], outer->hi[f], n) > 0)
			return false;
	}
	return true;
}

void eval_init(struct eval *ev, const struct dump *d, struct arena *a)
{
	*ev = (struct eval){.dump = d, .arena = a, .max_steps = EVAL_STEPS_MAX};
	lookup_prepare(ev);
}

/* Runs the rest on a copy of the state in which the current rule did not match. */
void eval_fork(struct run *run, const struct state *s, const struct region *r)
{
	struct state other = *s;

	other.region = *r;
	other.at.rule++;
	other.expr = 0;
	eval_exec(run, &other);
}

/* Begins the next base chain of the hook, or reports the region as accepted. Returns whether to go on. */
static bool enter_base(struct run *run, struct state *s)
{
	if (s->base >= run->nbase) {
		struct passing how = {.expires_ms = s->expires_ms, .ct_known = s->ct_mark.kind == WORD_CONST,
			.pinhole = s->pinhole, .pinhole_taken = s->pinhole_taken, .turned_to = s->turned_to,
			.mark_known = s->meta_mark.kind == WORD_CONST};
		memcpy(&how.ct_mark, s->ct_mark.b, 4);
		memcpy(&how.mark, s->meta_mark.b, 4);
		run->ev->accept(run->ev->arg, &s->region, &how);
		return false;
	}
	s->at = (struct frame){run->base[s->base++], 0};
	s->expr = 0;
	s->ncalls = 0;
	return true;
}

static bool end_of_chain(struct run *run, struct state *s)
{
	if (s->ncalls > 0) {
		s->at = s->calls[--s->ncalls];
		s->expr = 0;
		return true;
	}
	/* The base chain whose end this is, also when gotos led away from it. */
	return run->base[s->base - 1]->policy == NF_ACCEPT && enter_base(run, s);
}

/* Does what a verdict says. Returns whether the path goes on. */
bool eval_apply(struct run *run, struct state *s, const struct dump_verdict *v)
{
	const struct dump_chain *target = v->chain == NULL ? NULL : dump_chain(run->ev->dump, v->chain);

	switch (v->code) {
	case NF_ACCEPT: return enter_base(run, s);
	case NFT_CONTINUE: return true;
	case NFT_RETURN: return end_of_chain(run, s);
	case NFT_JUMP:
		if (s->ncalls == CALLS_MAX) {
			run->ev->finding = "jumps nested too deep";
			return enter_base(run, s);
		}
		s->calls[s->ncalls++] = (struct frame){s->at.chain, s->at.rule + 1};
		break;
	case NFT_GOTO: break;
	default: return false; /* drop */
	}
	if (target == NULL) {
		run->ev->finding = "a jump to a chain that is not there";
		return enter_base(run, s);
	}
	s->at = (struct frame){target, 0};
	s->expr = 0;
	return true;
}

static void run_set(struct state *s, const struct dump_expr *e)
{
	size_t n;
	struct word *w = load_words(s, e->sreg, 4, &n);

	if (strcmp(e->name, "meta") == 0 && e->key == NFT_META_MARK)
		s->meta_mark = *w;
	else if (strcmp(e->name, "ct") == 0 && e->key == NFT_CT_MARK)
		s->ct_mark = *w;
}

/* An expression that was never seen: say so, and take the worst: the packet may pass. */
static bool run_unknown(struct run *run, struct state *s, const struct dump_expr *e)
{
	if (run->ev->finding == NULL) {
		run->ev->finding = "an expression that the evaluator does not know";
		run->ev->finding_chain = s->at.chain->name;
		run->ev->finding_expr = e->name;
	}
	s->base = run->nbase;
	enter_base(run, s);
	s->at.chain = NULL;
	return false;
}

/* An element that is taken away is gone, there or not; what is added may not find room. */
static void run_dynset(struct run *run, struct state *s, const struct dump_expr *e)
{
	if (e->op != NFT_DYNSET_OP_DELETE)
		eval_fork(run, s, &s->region);
	else if (e->set != NULL && lookup_is_pinholes(e->set))
		s->pinhole_taken = true;
}

/*
 * To the inspector: no plain pass. But with `bypass` the packet goes on where nobody listens: then, as with several
 * queues or a computed number, it is no queue of ours.
 */
static bool run_queue(struct run *run, struct state *s, const struct dump_expr *e)
{
	uint32_t number = e->sreg != 0 || e->len != 1 || e->op != 0 ? UINT32_MAX : e->key;

	if (run->ev->queued != NULL)
		run->ev->queued(run->ev->arg, &s->region, number, s->expires_ms);
	if ((e->op & NFT_QUEUE_FLAG_BYPASS) != 0 && enter_base(run, s))
		eval_exec(run, s);
	s->at.chain = NULL;
	return false;
}

/* To a listener here; or there is none, and the rule ends. An address of the rule's own choice is none of ours. */
static void run_turn(struct run *run, struct state *s, const struct dump_expr *e)
{
	size_t n;
	const struct word *w = load_words(s, e->sreg, 2, &n);

	eval_fork(run, s, &s->region);
	s->turned_to = EVAL_ANY;
	if (n == 1 && w->kind == WORD_CONST && e->dreg == 0)
		s->turned_to = (uint32_t)(w->b[0] << 8 | w->b[1]);
}

/* Runs one expression. True: go on with the next one; false: the rule ends, or (at.chain NULL) the path does. */
static bool run_expr(struct run *run, struct state *s, const struct dump_expr *e)
{
	switch (e->kind) {
	case EXPR_LOAD_META: load_meta(run, s, e); return true;
	case EXPR_LOAD_CT: return load_ct(run, s, e);
	case EXPR_LOAD_PAYLOAD: load_payload(run, s, e); return true;
	case EXPR_LOAD_OTHER:
		load_unknown(s, e->dreg, 16);
		eval_fork(run, s, &s->region);
		return true;
	case EXPR_BITWISE: load_bitwise(s, e); return true;
	case EXPR_BYTEORDER: load_byteorder(s, e); return true;
	case EXPR_CMP: return compare_cmp(run, s, e);
	case EXPR_RANGE: return compare_range(run, s, e);
	case EXPR_LOOKUP: return lookup_run(run, s, e);
	case EXPR_MAYBE: eval_fork(run, s, &s->region); return true;
	case EXPR_DYNSET: run_dynset(run, s, e); return true;
	case EXPR_PASS: return true;
	case EXPR_SET: run_set(s, e); return true;
	case EXPR_IMMEDIATE:
		if (e->data != NULL && !e->has_verdict)
			load_const(s, e->dreg, e->data, e->ndata > 64 ? 64 : e->ndata);
		return true;
	case EXPR_QUEUE: return run_queue(run, s, e);
	case EXPR_TURN: run_turn(run, s, e); return true;
	case EXPR_DROP:
		s->at.chain = NULL;
		return false;
	case EXPR_UNKNOWN: break;
	}
	return run_unknown(run, s, e);
}

/* Runs the rule at s->at from s->expr on. Returns whether the path goes on (at the next rule or elsewhere). */
static bool run_rule(struct run *run, struct state *s)
{
	const struct dump_rule *rule = &s->at.chain->rules[s->at.rule];

	while (s->expr < rule->nexprs) {
		const struct dump_expr *e = &rule->exprs[s->expr++];
		run->ev->steps++;
		if (e->kind == EXPR_IMMEDIATE && e->has_verdict) {
			if (e->verdict.code != NFT_CONTINUE)
				return eval_apply(run, s, &e->verdict);
		} else if (!run_expr(run, s, e)) {
			if (s->at.chain == NULL)
				return false;
			break;
		}
	}
	s->at.rule++;
	s->expr = 0;
	return true;
}

void eval_exec(struct run *run, struct state *s)
{
	bool on = true;

	run->forks++;
	while (on) {
		run->ev->steps++;
		if (run->ev->steps > run->ev->max_steps || run->forks > FORKS_MAX) {
			run->ev->finding = "the ruleset is too large to check";
			break;
		}
		on = s->at.rule < s->at.chain->nrules ? run_rule(run, s) : end_of_chain(run, s);
	}
	run->forks--;
}

static int by_priority(const void *pa, const void *pb)
{
	const struct dump_chain *a = *(const struct dump_chain *const *)pa, *b = *(const struct dump_chain *const *)pb;

	return (a->priority > b->priority) - (a->priority < b->priority);
}

/* Was it passed before the question begins? */
static bool is_passed(const struct run *run, const struct dump_chain *c)
{
	const struct dump_chain *last = run->sc->behind != NULL ? dump_chain(run->ev->dump, run->sc->behind) : NULL;

	return last != NULL && c->hook == last->hook && c->priority <= last->priority;
}

/* Appends the base chains of a hook in the order in which the kernel calls them. */
static void add_hook(struct run *run, uint32_t hook)
{
	const struct dump *d = run->ev->dump;
	size_t first = run->nbase;

	for (size_t i = 0; i < d->nchains; i++)
		if (d->chains[i].base && d->chains[i].hook == hook && !is_passed(run, &d->chains[i])) {
			if (run->nbase == BASE_MAX) {
				run->ev->finding = "too many base chains";
				break;
			}
			run->base[run->nbase++] = &d->chains[i];
		}
	qsort(run->base + first, run->nbase - first, sizeof(run->base[0]), by_priority);
}

void eval_run(struct eval *ev, const struct scenario *sc, const struct region *start)
{
	struct run run = {.ev = ev, .sc = sc};
	struct state s = {.region = *start, .meta_mark = {.kind = WORD_CONST}, .ct_mark = {.kind = WORD_CONST}};

	memcpy(s.ct_mark.b, &sc->ct_mark, 4);
	memcpy(s.meta_mark.b, &sc->meta_mark, 4);
	if (sc->from_prerouting)
		add_hook(&run, NF_INET_PRE_ROUTING);
	add_hook(&run, sc->hook);
	if (enter_base(&run, &s))
		eval_exec(&run, &s);
}
