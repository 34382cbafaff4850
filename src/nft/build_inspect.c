/*
 * build_inspect.c: flows whose application is verified: to the inspector's queue, back from it, on over a commit.
 *
 *	granted -> inspect | inspect_timed | inspect_oneway -> to_inspector -> queue_<ingress segment>
 *	        the kernel goes on behind the queue at `after` -> inspected -> verdict
 *
 * ct mark: inspecting, generation, verified policy; then passed (the fast path of `forward`), or VERIFIED_OK where each
 * packet is looked up, or refused. While a flow is inspected each of its packets is looked up too, so that an end of a
 * permission needs nobody's help.
 *
 * A packet mark is believed only of a flow that is inspected: whatever else lets a packet of such a flow pass clears its
 * mark, so a verdict's mark can only come from the queue. `after` keeps the generation that the flow's mark has: what was
 * queued under the old rules is judged again with the flow's next packet.
 *
 * Over a commit the number of a policy may change. A mark of the generation before is renewed when its policy and the one
 * that grants the flow now are a pair of the set `renewable`; any other flow of the generation before is refused. A mark of
 * a generation that is neither stops its packet (unfitting) and no more: a packet that set out under the old rules may
 * meet a mark that one behind it has renewed already, on another processor.
 *
 * Failure: no inspector, no queue in this kernel, a verdict that is none: refused with no-inspector.
 */
#include "build.h"

#include <netinet/in.h>

#define CT_NEW 8
#define CT_ESTABLISHED 2
#define GENERATION_BITS CTMARK_GENERATION(0x3ff)
#define OWN_BITS (GENERATION_BITS | CTMARK_VERIFIED)

/* -- queues --------------------------------------------------------------------------------------------------------- */

static void queues(struct build *b, struct chain *c)
{
	struct ruleset *rs = b->rs;
	struct chain *queue[LIMIT_SEGMENTS] = {NULL};
	struct set *map = set_named(b, TYPES(TYPE_IFNAME), SET_VERDICTS, "queues");

	for (uint32_t i = 0; i < b->ir->nsegments && i < LIMIT_SEGMENTS; i++) {
		queue[i] = chain_named(b, "queue_%u", i);
		queue_to(on(rs, queue[i]), INSPECT_QUEUE(i));
	}
	for (uint32_t i = 0; i < b->ir->ninterfaces; i++) {
		struct key k = {.len = 0};
		key_ifname(&k, b->ir->interfaces[i].name);
		set_add(map, &k, NULL)->chain = queue[b->ir->interfaces[i].segment];
	}
	set_sort(map);
	vmap(set_mark_bits(on(rs, c), F_MARK, ~QUEUED_MARK(0xff), QUEUED_MARK(rs->opt.generation)), FIELDS(F_IIFNAME), map);
}

/* The third packet of a handshake: the source gets its place among the half-open ones back. */
static void note_completion(struct build *b, struct chain *c)
{
	struct ruleset *rs = b->rs;
	struct chain *completed = chain_new(rs, "inspect_completed");

	for (uint8_t fam = 4; fam <= 6; fam += 2)
		remove_from(family(on(rs, completed), fam), FIELDS(saddr(fam)), b->unanswered[at(fam)]);
	set_ctmark(on(rs, completed), F_CTMARK, ~CTMARK_OPENING, 0);
	jump(is(is(match_masked(on(rs, c), F_CTMARK, CTMARK_OPENING, OP_NEQ, 0), F_CTSTATE, CT_ESTABLISHED), F_CTDIR, 0),
		completed);
}

static struct chain *to_inspector(struct build *b)
{
	struct ruleset *rs = b->rs;
	struct chain *c = chain_new(rs, "to_inspector");

	if ((rs->opt.capabilities & (CAP_QUEUE | CAP_XT_NFQUEUE)) != 0) {
		if (b->unanswered[0] != NULL)
			note_completion(b, c);
		stop(not_in(on(rs, c), FIELDS(F_NFPROTO), b->inspectors), REASON_NO_INSPECTOR);
		queues(b, c);
	}
	stop(on(rs, c), REASON_NO_INSPECTOR);
	return c;
}

/* -- classes -------------------------------------------------------------------------------------------------------- */

/* Pairs of a policy's number before and its number now. */
static struct set *renewable(struct build *b)
{
	const struct ruleset_renewal *r = &b->rs->opt.renewal;
	struct set *s = set_named(b, TYPES(TYPE_MARK, TYPE_MARK), 0, "renewable");

	for (uint32_t i = 1; i < r->n; i++) {
		struct key k = {.len = 0};
		if (r->to[i] == 0)
			continue;
		key_number(&k, TYPE_MARK, i << 12);
		key_number(&k, TYPE_MARK, (uint32_t)r->to[i] << 12);
		set_add(s, &k, NULL);
	}
	set_sort(s);
	return s;
}

/* What the chains of the three classes share. */
struct inspection {
	struct build *b;
	struct chain *admit, *queue, *outdated;
	struct set *renewable; /* NULL: nothing of before lives on */
};

/* The mark of a flow that was verified; bits: CTMARK_TIMED or _ONEWAY where it is looked up packet by packet. */
static uint32_t verified_mark(const struct build *b, uint32_t bits)
{
	return CTMARK_GENERATION(b->rs->opt.generation) | (bits != 0 ? bits | CTMARK_VERIFIED_OK : CTMARK_PASSED);
}

static void begin_flow(const struct inspection *in, struct chain *c, uint32_t bits)
{
	struct ruleset *rs = in->b->rs;
	uint32_t mark = CTMARK_GENERATION(rs->opt.generation) | CTMARK_INSPECTING | bits;

	stop(not_in(is(on(rs, c), F_CTMARK, 0), FIELDS(F_NFPROTO), in->b->inspectors), REASON_NO_INSPECTOR);
	jump(is(on(rs, c), F_CTMARK, 0), in->admit);
	if (in->b->unanswered[0] != NULL)
		go(set_ctmark(is(is(on(rs, c), F_CTMARK, 0), F_L4PROTO, IPPROTO_TCP), F_MARK, CTMARK_VERIFIED,
			mark | CTMARK_OPENING), in->queue);
	go(set_ctmark(is(on(rs, c), F_CTMARK, 0), F_MARK, CTMARK_VERIFIED, mark), in->queue);
}

static void renew_flow(const struct inspection *in, struct chain *c, uint32_t bits)
{
	struct ruleset *rs = in->b->rs;
	uint32_t generation = CTMARK_GENERATION(rs->opt.generation);
	uint32_t before = CTMARK_GENERATION(rs->opt.renewal.generation), done = verified_mark(in->b, bits);

	stop(match_masked(on(rs, c), F_CTMARK, GENERATION_BITS, OP_NEQ, before), REASON_UNFITTING);
	go(not_in(on(rs, c), FIELDS(F_CTMARK_VERIFIED, F_MARK_VERIFIED), in->renewable), in->outdated);
	go(set_ctmark(match_masked(on(rs, c), F_CTMARK, CTMARK_STATE, OP_EQ, CTMARK_INSPECTING), F_MARK, CTMARK_VERIFIED,
		generation | CTMARK_INSPECTING | bits), in->queue);
	let_pass(set_mark(set_ctmark(match_masked(on(rs, c), F_CTMARK, CTMARK_STATE, OP_EQ, CTMARK_PASSED), F_MARK,
		CTMARK_VERIFIED, done), 0));
	let_pass(set_mark(set_ctmark(match_masked(on(rs, c), F_CTMARK, CTMARK_VERIFIED_OK, OP_NEQ, 0), F_MARK,
		CTMARK_VERIFIED, done), 0));
}

static struct chain *inspect(const struct inspection *in, const char *name, uint32_t bits)
{
	struct ruleset *rs = in->b->rs;
	struct chain *c = chain_new(rs, name);
	uint32_t generation = CTMARK_GENERATION(rs->opt.generation);

	if (bits == CTMARK_ONEWAY)
		stop(is(on(rs, c), F_CTDIR, 1), REASON_ONE_WAY);
	go(match_masked(on(rs, c), F_CTMARK, CTMARK_DECIDED, OP_EQ, generation | CTMARK_INSPECTING), in->queue);
	let_pass(set_mark(set_ctmark(match_masked(on(rs, c), F_CTMARK, CTMARK_VERIFIED_OK | CTMARK_DECIDED, OP_EQ,
		CTMARK_VERIFIED_OK | generation), F_MARK, CTMARK_VERIFIED, verified_mark(in->b, bits)), 0));
	begin_flow(in, c, bits);
	if (in->renewable != NULL)
		renew_flow(in, c, bits);
	if (in->renewable != NULL)
		go(on(rs, c), in->outdated);
	else
		stop(on(rs, c), REASON_UNFITTING);
	return c;
}

void build_inspect(struct build *b, struct set *classes, struct chain *admit)
{
	struct ruleset *rs = b->rs;
	struct inspection in = {b, admit, to_inspector(b), chain_new(rs, "outdated"), NULL};

	stop(set_mark(set_ctmark(on(rs, in.outdated), F_CTMARK, 0,
		CTMARK_GENERATION(rs->opt.generation) | CTMARK_REFUSED), 0), REASON_APP_MISMATCH);
	if (rs->opt.renewal.generation != 0)
		in.renewable = renewable(b);
	set_add_number(classes, CLASS_INSPECT)->chain = inspect(&in, "inspect", 0);
	set_add_number(classes, CLASS_INSPECT_TIMED)->chain = inspect(&in, "inspect_timed", CTMARK_TIMED);
	set_add_number(classes, CLASS_INSPECT_ONEWAY)->chain = inspect(&in, "inspect_oneway", CTMARK_ONEWAY);
}

/* -- verdicts ------------------------------------------------------------------------------------------------------- */

static struct rb code(struct build *b, struct chain *c, uint32_t code)
{
	return match_masked(on(b->rs, c), F_MARK, INSPECTED_MASK, OP_EQ, INSPECTED_MARK(code, 0, 0));
}

/* The flow is inspected: nothing but the inspector's word lets the packet go on. */
static struct chain *verdict(struct build *b)
{
	struct chain *c = chain_new(b->rs, "verdict");

	let_pass(set_mark(code(b, c, INSPECT_FORWARD), 0));
	let_pass(set_mark(set_ctmark(match_masked(code(b, c, INSPECT_PASS), F_CTMARK, CTMARK_TIMED | CTMARK_ONEWAY, OP_EQ,
		0), F_CTMARK, OWN_BITS, CTMARK_PASSED), 0));
	let_pass(set_mark(set_ctmark(code(b, c, INSPECT_PASS), F_CTMARK, OWN_BITS | CTMARK_TIMED | CTMARK_ONEWAY,
		CTMARK_VERIFIED_OK), 0));
	stop(set_ctmark(code(b, c, INSPECT_REFUSE), F_CTMARK, OWN_BITS, CTMARK_REFUSED), REASON_APP_MISMATCH);
	stop(code(b, c, INSPECT_DROP), REASON_UNFITTING);
	stop(on(b->rs, c), REASON_NO_INSPECTOR);
	return c;
}

/* The mark of a packet that is not ours to read passes; one whose flow was decided while it waited is judged still. */
struct chain *build_inspected(struct build *b)
{
	struct ruleset *rs = b->rs;
	struct chain *c = chain_new(rs, "inspected");

	go(match_masked(on(rs, c), F_CTMARK, CTMARK_STATE, OP_EQ, CTMARK_INSPECTING), verdict(b));
	let_pass(match_masked(on(rs, c), F_MARK, 0xff000000, OP_NEQ, INSPECTED_MARK(0, 0, 0)));
	stop(match_masked(on(rs, c), F_CTMARK, CTMARK_STATE, OP_EQ, CTMARK_REFUSED), REASON_APP_MISMATCH);
	let_pass(set_mark(code(b, c, INSPECT_FORWARD), 0));
	let_pass(set_mark(code(b, c, INSPECT_PASS), 0));
	stop(code(b, c, INSPECT_REFUSE), REASON_APP_MISMATCH);
	stop(code(b, c, INSPECT_DROP), REASON_UNFITTING);
	stop(on(rs, c), REASON_NO_INSPECTOR);
	return c;
}
