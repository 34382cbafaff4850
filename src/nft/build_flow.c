/*
 * build_flow.c: forward: is the gate open, is the flow decided already, whose pair is it, what does it get.
 *
 * Both directions of a flow look up the flow's ORIGINAL tuple as conntrack keeps it, so a flow in which only the
 * server speaks is judged rightly after a commit. Only the pair of interfaces is the packet's own, turned round
 * for replies.
 */
#include "build.h"

#include <netinet/in.h>

#define CT_NEW 8
/* As long as the host settings let conntrack wait for an answer to a SYN. */
#define HALF_OPEN_SECONDS 10

static void build_forward(struct build *b, struct chain *judge)
{
	struct ruleset *rs = b->rs;
	struct chain *closed = chain_new(rs, "closed");

	stop(in(on(rs, closed), FIELDS(F_NFPROTO), b->log_full), REASON_LOG_FULL);
	stop(on(rs, closed), REASON_GATE_CLOSED);
	go(not_in(on(rs, b->forward), FIELDS(F_NFPROTO), b->lease), closed);
	check_cut(b, b->forward);
	turn_stops(b, b->forward);
	let_pass(match_masked(on(rs, b->forward), F_CTMARK, CTMARK_DECIDED, OP_EQ, passed_mark(b)));
	jump(on(rs, b->forward), judge);
	drop(on(rs, b->forward));
}

static void clamp_segments(struct build *b, struct chain *c)
{
	for (uint32_t i = 0; i < b->ir->ninterfaces; i++) {
		const struct ir_interface *itf = &b->ir->interfaces[i];
		uint32_t mss = b->ir->segments[itf->segment].mss;
		if (mss == 0)
			continue;
		clamp_mss(iif(on(b->rs, c), itf->name), mss);
		clamp_mss(oif(on(b->rs, c), itf->name), mss);
	}
}

static void build_after(struct build *b)
{
	struct ruleset *rs = b->rs;
	struct chain *mss = chain_new(rs, "mss");

	if ((rs->opt.capabilities & CAP_TCPOPT) != 0)
		clamp_segments(b, mss);
	if (mss->nrules > 0)
		jump(match_masked(is(on(rs, b->after), F_L4PROTO, IPPROTO_TCP), F_TCPFLAGS, 2, OP_NEQ, 0), mss);
	/* It waited in a queue: it may have been cut meanwhile. */
	jump(in(isnt(on(rs, b->after), F_MARK, 0), FIELDS(F_NFPROTO), b->cutting), b->cut);
	go(isnt(on(rs, b->after), F_MARK, 0), build_inspected(b));
}

/* -- what a class of flow gets -------------------------------------------------------------------------------- */

/*
 * Limits hold for flows that the policy grants; what it does not grant is refused as such. The kernel keeps an element's
 * limit as it was when the source was first seen: another limit is another set.
 */
static struct set *limit_set(struct build *b, unsigned flags, const char *name, uint8_t fam, uint32_t limit)
{
	struct set *s = set_named(b, TYPES(addr_type(fam)), flags, "%s%u_%u", name, fam, limit);

	s->size = 65536;
	s->limit = limit;
	return s;
}

void limit_rates(struct build *b, struct chain *c, uint8_t fam)
{
	struct ruleset *rs = b->rs;
	const struct ir_system *sys = b->ir->system;
	struct set **rate = &b->new_from[at(fam)], **count = &b->open_from[at(fam)];

	if (sys->new_per_source > 0) {
		if (*rate == NULL)
			*rate = limit_set(b, SET_DYNAMIC | SET_TIMEOUT, "new_from", fam, sys->new_per_source);
		(*rate)->timeout = 60;
		stop(over_rate(family(on(rs, c), fam), FIELDS(saddr(fam)), *rate, sys->new_per_source, sys->new_per_source),
			REASON_SOURCE_LIMIT);
	}
	if (sys->open_per_source > 0 && (rs->opt.capabilities & CAP_CONNLIMIT) != 0) {
		if (*count == NULL)
			*count = limit_set(b, SET_DYNAMIC, "open_from", fam, sys->open_per_source);
		stop(over_count(family(on(rs, c), fam), FIELDS(saddr(fam)), *count, sys->open_per_source),
			REASON_SOURCE_LIMIT);
	}
}

static void limit_source(struct build *b, struct chain *c, uint8_t fam)
{
	struct ruleset *rs = b->rs;
	const struct ir_system *sys = b->ir->system;
	struct set *s;

	limit_rates(b, c, fam);
	if (sys->half_open > 0) {
		s = set_named(b, TYPES(addr_type(fam)), SET_DYNAMIC | SET_TIMEOUT, "unanswered%u", fam);
		s->size = 65536;
		s->timeout = 60;
		s->limit = sys->half_open;
		b->unanswered[at(fam)] = s;
		stop(over_minute(is(family(on(rs, c), fam), F_L4PROTO, IPPROTO_TCP), FIELDS(saddr(fam)), s,
			sys->half_open * (60 / HALF_OPEN_SECONDS), sys->half_open), REASON_HALF_OPEN);
		stop(in_by_network(is(family(on(rs, c), fam), F_L4PROTO, IPPROTO_TCP), FIELDS(saddr(fam)),
			b->halfopen[at(fam)]), REASON_HALF_OPEN);
	}
}

static struct chain *admit(struct build *b)
{
	struct chain *c = chain_new(b->rs, "admit");

	stop(in(on(b->rs, c), FIELDS(F_NFPROTO), b->log_full), REASON_LOG_FULL);
	limit_source(b, c, 4);
	limit_source(b, c, 6);
	return c;
}

/*
 * A half-open connection (SYN seen, third packet not) holds a place of its source for HALF_OPEN_SECONDS; one that
 * completes gives the source all its places back. Until then its mark says `opening` and passes nothing by itself.
 * A source that completes a few to keep many open is found by sekishod's count (halfopen4/6).
 */
static void judge_opening(struct build *b, struct chain *c)
{
	struct ruleset *rs = b->rs;
	uint32_t generation = CTMARK_GENERATION(rs->opt.generation);
	struct chain *completed = chain_named(b, "%s_completed", c->name);

	for (uint8_t fam = 4; fam <= 6; fam += 2)
		remove_from(family(on(rs, completed), fam), FIELDS(saddr(fam)), b->unanswered[at(fam)]);
	let_pass(set_mark(set_ctmark(is(is(on(rs, c), F_L4PROTO, IPPROTO_TCP), F_CTSTATE, CT_NEW), F_MARK,
		CTMARK_VERIFIED, CTMARK_OPENING | generation), 0));
	let_pass(set_mark(is(match_masked(on(rs, c), F_CTMARK, CTMARK_OPENING, OP_NEQ, 0), F_CTDIR, 1), 0));
	jump(match_masked(on(rs, c), F_CTMARK, CTMARK_OPENING, OP_NEQ, 0), completed);
}

/* A flow without any mark is new: it is admitted first. Then it gets its mark, and the packet loses its own. */
static struct chain *grant(struct build *b, const char *name, struct chain *admit_chain, uint32_t mark)
{
	struct chain *c = chain_new(b->rs, name);

	if ((mark & CTMARK_ONEWAY) != 0)
		stop(is(on(b->rs, c), F_CTDIR, 1), REASON_ONE_WAY);
	jump(is(on(b->rs, c), F_CTMARK, 0), admit_chain);
	if (b->unanswered[0] != NULL && (mark & CTMARK_ONEWAY) == 0)
		judge_opening(b, c);
	let_pass(set_mark(set_ctmark(on(b->rs, c), F_MARK, CTMARK_VERIFIED, mark), 0));
	return c;
}

static struct chain *refuse_class(struct build *b, const char *name, enum reason why)
{
	struct chain *c = chain_new(b->rs, name);

	stop(on(b->rs, c), why);
	return c;
}

static void build_granted(struct build *b, struct chain *admit_chain)
{
	uint32_t generation = CTMARK_GENERATION(b->rs->opt.generation);
	struct set *map = set_named(b, TYPES(TYPE_MARK), SET_VERDICTS, "classes");

	b->granted = chain_new(b->rs, "granted");
	set_add_number(map, CLASS_ALLOW)->chain = grant(b, "allow", admit_chain, generation | CTMARK_PASSED);
	set_add_number(map, CLASS_TIMED)->chain = grant(b, "timed", admit_chain, generation | CTMARK_TIMED);
	set_add_number(map, CLASS_ONEWAY)->chain = grant(b, "oneway", admit_chain, generation | CTMARK_ONEWAY);
	set_add_number(map, CLASS_MAIL)->chain = refuse_class(b, "mail", REASON_NO_MAIL_GATE);
	build_inspect(b, map, admit_chain);
	set_sort(map);
	vmap_masked(on(b->rs, b->granted), F_MARK, 0xf, map);
	stop(on(b->rs, b->granted), REASON_NO_RULE);
}

/* -- pairs ---------------------------------------------------------------------------------------------------- */

struct pairs {
	struct chain *chain[LIMIT_SEGMENTS][LIMIT_SEGMENTS];
};

/* Connections may come through pinholes in a direction in which no box is. */
static void build_data_pairs(struct build *b, struct pairs *p, struct chain *missed)
{
	for (uint16_t from = 0; from < b->ir->nsegments; from++)
		for (uint16_t to = 0; to < b->ir->nsegments; to++)
			if (p->chain[from][to] == NULL && build_data_pair(b, from, to))
				p->chain[from][to] = missed;
}

/* Boxes come in order of their pair: one run each. */
static void build_pairs(struct build *b, struct pairs *p, struct chain *admit_chain)
{
	const struct ir *ir = b->ir;
	struct chain *missed = NULL;

	for (uint16_t i = 0; i < ir->nsegments * ir->nsegments && missed == NULL; i++)
		if (build_data_pair(b, (uint16_t)(i / ir->nsegments), (uint16_t)(i % ir->nsegments)))
			missed = build_missed(b, admit_chain);
	for (uint32_t first = 0, next; first < ir->nboxes; first = next) {
		uint16_t from = ir->boxes[first].from, to = ir->boxes[first].to;
		for (next = first; next < ir->nboxes && ir->boxes[next].from == from && ir->boxes[next].to == to;)
			next++;
		struct chain *c = chain_named(b, "pair_%u_%u", from, to);
		b->miss = build_data_pair(b, from, to) ? missed : b->rs->stop[REASON_NO_RULE];
		build_maps(b, c, first, next - first);
		go(on(b->rs, c), b->miss);
		p->chain[from][to] = c;
	}
	if (missed != NULL)
		build_data_pairs(b, p, missed);
}

static struct chain *pair_target(const struct build *b, const struct pairs *p, uint16_t from, uint16_t to)
{
	const struct ir_segment *s = b->ir->segments;

	if (p->chain[from][to] != NULL)
		return p->chain[from][to];
	if (from != to && guard_forbidden_pair(s[from].kind, s[to].kind))
		return b->rs->stop[REASON_FORBIDDEN_PAIR];
	return b->rs->stop[REASON_NO_RULE];
}

/* iifname . oifname -> pair; for replies the same target with the interfaces turned round. */
static void dispatch_pairs(struct build *b, const struct pairs *p, struct set *pairs, struct set *rpairs)
{
	const struct ir *ir = b->ir;

	for (uint32_t i = 0; i < ir->ninterfaces; i++) {
		for (uint32_t j = 0; j < ir->ninterfaces; j++) {
			struct key there = {.len = 0}, back = {.len = 0};
			struct chain *c = pair_target(b, p, ir->interfaces[i].segment, ir->interfaces[j].segment);
			key_ifname(&there, ir->interfaces[i].name);
			key_ifname(&there, ir->interfaces[j].name);
			key_ifname(&back, ir->interfaces[j].name);
			key_ifname(&back, ir->interfaces[i].name);
			set_add(pairs, &there, NULL)->chain = c;
			set_add(rpairs, &back, NULL)->chain = c;
		}
	}
	set_sort(pairs);
	set_sort(rpairs);
}

static void stop_unknown_exit(struct build *b, struct chain *c)
{
	struct set *known = set_named(b, TYPES(TYPE_IFNAME), 0, "known_interfaces");

	for (uint32_t i = 0; i < b->ir->ninterfaces; i++) {
		struct key k = {.len = 0};
		key_ifname(&k, b->ir->interfaces[i].name);
		set_add(known, &k, NULL);
	}
	set_sort(known);
	stop(not_in(on(b->rs, c), FIELDS(F_OIFNAME), known), REASON_UNKNOWN_INTERFACE);
}

/* An ICMP error of a flow that has no passed mark: of a timed, opening or undecided flow, or of none. */
static struct chain *related_flow(struct build *b)
{
	struct chain *c = chain_new(b->rs, "related_flow");

	let_pass(match_masked(on(b->rs, c), F_CTMARK, CTMARK_TIMED | CTMARK_DECIDED, OP_EQ,
		CTMARK_TIMED | CTMARK_GENERATION(b->rs->opt.generation)));
	let_pass(match_masked(on(b->rs, c), F_CTMARK, CTMARK_OPENING | CTMARK_DECIDED, OP_EQ,
		CTMARK_OPENING | CTMARK_GENERATION(b->rs->opt.generation)));
	/* Its mark is cleared: only what was queued may come to `after` with one. */
	let_pass(set_mark(match_masked(on(b->rs, c), F_CTMARK, CTMARK_ONEWAY | CTMARK_DECIDED, OP_EQ,
		CTMARK_INSPECTING | CTMARK_GENERATION(b->rs->opt.generation)), 0));
	stop(on(b->rs, c), REASON_RELATED);
	return c;
}

void build_flow(struct build *b)
{
	struct ruleset *rs = b->rs;
	struct chain *judge = chain_new(rs, "judge"), *admit_chain;
	struct pairs p = {0};

	build_forward(b, judge);
	build_after(b);
	admit_chain = admit(b);
	build_granted(b, admit_chain);
	build_pairs(b, &p, admit_chain);
	struct set *pairs = set_named(b, TYPES(TYPE_IFNAME, TYPE_IFNAME), SET_VERDICTS, "pairs");
	struct set *rpairs = set_named(b, TYPES(TYPE_IFNAME, TYPE_IFNAME), SET_VERDICTS, "rpairs");
	dispatch_pairs(b, &p, pairs, rpairs);
	go(is(on(rs, judge), F_CTSTATE, 4), related_flow(b));
	/* Of whatever generation: only the sweep forgets a refusal. Why was said with its first packet. */
	stop(set_mark(match_masked(on(rs, judge), F_CTMARK, CTMARK_STATE, OP_EQ, CTMARK_REFUSED), 0), REASON_APP_MISMATCH);
	vmap(is(on(rs, judge), F_CTDIR, 0), FIELDS(F_IIFNAME, F_OIFNAME), pairs);
	vmap(is(on(rs, judge), F_CTDIR, 1), FIELDS(F_IIFNAME, F_OIFNAME), rpairs);
	stop_unknown_exit(b, judge);
	stop(on(rs, judge), REASON_NO_RULE);
}
