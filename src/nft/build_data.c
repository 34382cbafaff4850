/*
 * build_data.c: connections that a verified one announced (FTP's data, RFC 959, 2428), through pinholes.
 *
 *	pair_F_T, no map knows the flow -> missed: the pinholes; marks of such connections; no-rule
 *
 * sekishod fills the sets pinholes4/6 (source . destination . port, 10 s). The SYN that matches takes the element away;
 * whether an FTP rule in force joins the two hosts, and whose policy that is, the kernel sees itself in hosts4/6. The
 * flow's mark says so: passed, policy, and both bits timed and one-way, which no other flow has. Where the permission ends
 * soon it is VERIFIED_OK instead, and each packet looks for the two hosts under its policy in data4/6, whose elements end
 * with the permission. There a flow of the generation before also finds whether its policy still grants the two hosts,
 * and under which number.
 *
 * Only pairs of segments with an FTP rule have this; other packets never see it. Two SYNs in the same instant on two
 * processors may both pass one pinhole: they are of the same two hosts.
 */
#include "build.h"

#include <netinet/in.h>
#include <stdlib.h>

#define CT_NEW 8

static const struct ir_verified *data_policy(const struct ir *ir, const struct ir_rule *r)
{
	if (r->action != IR_INSPECT || r->application != APP_FTP || r->verified == 0 || r->verified > ir->nverifieds)
		return NULL;
	const struct ir_verified *v = &ir->verifieds[r->verified - 1];
	return (v->options & VERIFY_NO_DATA) == 0 ? v : NULL;
}

bool build_data_pair(const struct build *b, uint16_t from, uint16_t to)
{
	for (uint32_t i = 0; i < b->ir->nrules; i++) {
		const struct ir_rule *r = &b->ir->rules[i];
		const struct ir_verified *v = data_policy(b->ir, r);
		if (v == NULL)
			continue;
		if (r->from_segment == from && r->to_segment == to)
			return true;
		if ((v->options & VERIFY_ACTIVE_DATA) != 0 && r->from_segment == to && r->to_segment == from)
			return true;
	}
	return false;
}

/* -- the two hosts ---------------------------------------------------------------------------------------------------- */

/* A rule that is in force, with its end: the later ones first, so that who comes second adds only what ends sooner. */
struct granting {
	uint32_t rule;
	int64_t until;
};

static int by_end(const void *pa, const void *pb)
{
	const struct granting *a = pa, *b = pb;

	if (a->until != b->until)
		return a->until < b->until ? 1 : -1;
	return a->rule < b->rule ? -1 : 1;
}

static struct buf rules_in_force(const struct build *b)
{
	struct buf out = {0};

	for (uint32_t i = 0; i < b->ir->nrules; i++) {
		const struct ir_rule *r = &b->ir->rules[i];
		struct wall until;
		if (data_policy(b->ir, r) == NULL || !rule_active(b->ir, r, b->rs->now, &until) ||
			(b->rs->opt.clock_untrusted && rule_needs_clock(r)))
			continue;
		struct granting g = {i, (r->flags & IR_RULE_DRAIN) != 0 ? INT64_MAX : until.sec};
		buf_add(&out, &g, sizeof(g));
	}
	if (out.len > 0)
		qsort(out.data, out.len / sizeof(struct granting), sizeof(struct granting), by_end);
	return out;
}

static void add_rect(struct set *s, uint32_t mark, const struct rect *r, const struct elem *e)
{
	uint8_t fam = r->src.lo.family;
	struct key lo = {.len = 0}, hi = {.len = 0};

	key_number(&lo, TYPE_MARK_NET, mark);
	key_addr(&lo, fam, r->src.lo.b);
	key_addr(&lo, fam, r->dst.lo.b);
	key_number(&hi, TYPE_MARK_NET, mark);
	key_addr(&hi, fam, r->src.hi.b);
	key_addr(&hi, fam, r->dst.hi.b);
	*set_add(s, &lo, &hi) = *e;
}

static void add_hosts(struct set *s, const struct rect *r, const struct elem *e)
{
	uint8_t fam = r->src.lo.family;
	struct key lo = {.len = 0}, hi = {.len = 0};

	key_addr(&lo, fam, r->src.lo.b);
	key_addr(&lo, fam, r->dst.lo.b);
	key_addr(&hi, fam, r->src.hi.b);
	key_addr(&hi, fam, r->dst.hi.b);
	*set_add(s, &lo, &hi) = *e;
}

/* One piece under every mark that its flows may have: this generation's, and the one before's. */
static void add_piece(struct build *b, struct set *s, uint16_t verified, const struct rect *r, const struct elem *e)
{
	const struct ruleset_renewal *old = &b->rs->opt.renewal;

	add_rect(s, CTMARK_GENERATION(b->rs->opt.generation) | (uint32_t)verified << 12, r, e);
	for (uint32_t i = 1; old->generation != 0 && i < old->n; i++)
		if (old->to[i] == verified)
			add_rect(s, CTMARK_GENERATION(old->generation) | i << 12, r, e);
}

/* What one rule says of its flows. */
static struct elem element_of(const struct build *b, const struct granting *g)
{
	bool soon = g->until != INT64_MAX && g->until - b->rs->now.sec < CLASS_TIMED_SECONDS;
	uint32_t verified = b->ir->rules[g->rule].verified;

	return (struct elem){.mark = verified << 12 | (soon ? CLASS_INSPECT_TIMED : CLASS_INSPECT), .rule = g->rule,
		.until = g->until};
}

/* Adds the pairs of hosts of a rule that are not there yet; they begin at the number returned. */
static size_t add_rule(const struct build *b, uint32_t rule, uint8_t fam, struct rects *done)
{
	const struct ir_verified *v = &b->ir->verifieds[b->ir->rules[rule].verified - 1];
	const struct ir_run *run = &b->ir->rules[rule].spans;
	size_t first = done->n;

	for (uint32_t i = 0; i < run->n; i++) {
		const struct ir_span *sp = &b->ir->spans[run->first + i];
		if (sp->family != fam)
			continue;
		struct addr_range src = ir_addr_range(fam, &sp->src), dst = ir_addr_range(fam, &sp->dst);
		rects_add(done, &(struct rect){src, dst});
		if ((v->options & VERIFY_ACTIVE_DATA) != 0)
			rects_add(done, &(struct rect){dst, src});
	}
	return first;
}

/* All that the rules of one policy (0: of any) grant in one family, disjoint. */
static void add_policy(struct build *b, struct set *s, uint8_t fam, const struct buf *rules, uint16_t verified)
{
	const struct granting *g = (const struct granting *)(const void *)rules->data;
	struct rects done = {.arena = b->rs->arena};

	for (size_t i = 0; i < rules->len / sizeof(*g); i++) {
		if (verified != 0 && b->ir->rules[g[i].rule].verified != verified)
			continue;
		struct elem e = element_of(b, &g[i]);
		for (size_t k = add_rule(b, g[i].rule, fam, &done); k < done.n; k++) {
			if (verified == 0)
				add_hosts(s, &done.v[k], &e);
			else
				add_piece(b, s, verified, &done.v[k], &e);
		}
	}
}

/* By the two hosts alone: for a connection that begins. */
static struct set *hosts(struct build *b, uint8_t fam)
{
	enum datatype t = addr_type(fam);
	struct set *s = set_named(b, TYPES(t, t), SET_INTERVAL | SET_TIMEOUT | SET_MARKS, "hosts%u", fam);
	struct buf rules = rules_in_force(b);

	add_policy(b, s, fam, &rules, 0);
	buf_free(&rules);
	set_sort(s);
	return s;
}

/* By mark and hosts: for one that goes on. */
static struct set *marked_hosts(struct build *b, uint8_t fam)
{
	enum datatype t = addr_type(fam);
	struct set *s = set_named(b, TYPES(TYPE_MARK_NET, t, t), SET_INTERVAL | SET_TIMEOUT | SET_MARKS, "data%u", fam);
	struct buf rules = rules_in_force(b);
	const struct granting *g = (const struct granting *)(void *)rules.data;
	size_t n = rules.len / sizeof(*g);

	for (size_t i = 0; i < n; i++) {
		uint16_t verified = b->ir->rules[g[i].rule].verified;
		bool seen = false;
		for (size_t k = 0; k < i && !seen; k++)
			seen = b->ir->rules[g[k].rule].verified == verified;
		if (!seen)
			add_policy(b, s, fam, &rules, verified);
	}
	buf_free(&rules);
	set_sort(s);
	return s;
}

/* -- chains ----------------------------------------------------------------------------------------------------------- */

/* Marks the flow as what the packet mark says: class and policy. */
static void mark_data(struct build *b, struct chain *c)
{
	struct ruleset *rs = b->rs;
	uint32_t mark = CTMARK_GENERATION(rs->opt.generation) | CTMARK_DATA;

	let_pass(set_mark(set_ctmark(match_masked(on(rs, c), F_MARK, 0xf, OP_EQ, CLASS_INSPECT_TIMED), F_MARK,
		CTMARK_VERIFIED, mark | CTMARK_VERIFIED_OK), 0));
	let_pass(set_mark(set_ctmark(on(rs, c), F_MARK, CTMARK_VERIFIED, mark | CTMARK_PASSED), 0));
}

static struct chain *pinhole(struct build *b, struct chain *admit, struct chain *marked)
{
	struct ruleset *rs = b->rs;
	struct chain *c = chain_new(rs, "pinhole");

	for (uint8_t fam = 4; fam <= 6; fam += 2)
		take_from(family(on(rs, c), fam), FIELDS(saddr(fam), daddr(fam), F_DPORT), b->pinholes[at(fam)]);
	jump(on(rs, c), admit);
	/* It was announced: no half-open one. */
	for (uint8_t fam = 4; fam <= 6 && b->unanswered[0] != NULL; fam += 2)
		remove_from(family(on(rs, c), fam), FIELDS(saddr(fam)), b->unanswered[at(fam)]);
	for (uint8_t fam = 4; fam <= 6; fam += 2)
		go(map_mark(family(on(rs, c), fam), FIELDS(saddr(fam), daddr(fam)), hosts(b, fam)), marked);
	stop(on(rs, c), REASON_NO_RULE);
	return c;
}

/* A connection that came through one before. */
static struct chain *known(struct build *b, struct chain *marked)
{
	struct ruleset *rs = b->rs;
	struct chain *c = chain_new(rs, "data");

	for (uint8_t fam = 4; fam <= 6; fam += 2)
		go(map_mark(family(on(rs, c), fam), FIELDS(F_CTMARK_FLOW, fam == 4 ? F_CTSADDR4 : F_CTSADDR6,
			fam == 4 ? F_CTDADDR4 : F_CTDADDR6), marked_hosts(b, fam)), marked);
	stop(on(rs, c), REASON_NO_RULE);
	return c;
}

struct chain *build_missed(struct build *b, struct chain *admit)
{
	struct ruleset *rs = b->rs;
	struct chain *c = chain_new(rs, "missed"), *marked = chain_new(rs, "data_marked");
	struct chain *through = pinhole(b, admit, marked);

	mark_data(b, marked);
	for (uint8_t fam = 4; fam <= 6; fam += 2)
		go(in(is(is(is(family(on(rs, c), fam), F_CTMARK, 0), F_CTSTATE, CT_NEW), F_L4PROTO, IPPROTO_TCP),
			FIELDS(saddr(fam), daddr(fam), F_DPORT), b->pinholes[at(fam)]), through);
	go(match_masked(on(rs, c), F_CTMARK, CTMARK_DATA, OP_EQ, CTMARK_DATA), known(b, marked));
	stop(on(rs, c), REASON_NO_RULE);
	return c;
}
