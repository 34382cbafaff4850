/*
 * sweep.c: conntrack by ctnetlink: flows judged again after a commit, and half-open connections counted.
 *
 * A mark of an older generation opens nothing: such a flow's next packet is looked up like a first one. The sweep
 * keeps the table of flows honest: what is granted gets the new mark, what is not loses its entry, and after it no
 * flow carries an old generation, so that its number may be used again (there are 1 024). A verified flow is granted when
 * its policy is the rule's: by the renewal that the ruleset in force was built with, as the number of a policy moves.
 *
 * Input: the kernel's dump of conntrack; tuples are read with bounds, one that we do not understand is left alone
 * (its mark opens nothing either). Updates go out by the hundred; a flow that ended meanwhile is no error.
 */
#include "flow.h"
#include "kernel.h"
#include "nl.h"

#include <sekisho/inspect.h>
#include <sekisho/match.h>

#include <arpa/inet.h>
#include <errno.h>
#include <netinet/in.h>
#include <linux/netfilter.h>
#include <linux/netfilter/nf_conntrack_common.h>
#include <linux/netfilter/nfnetlink.h>
#include <linux/netfilter/nfnetlink_conntrack.h>
#include <stdlib.h>
#include <string.h>

#define SEND_BYTES 32000

/* -- judging ------------------------------------------------------------------------------------------------------- */

struct sweep {
	struct nft *n;
	const struct ir *ir;
	const struct matcher *m;
	struct wall now;
	uint32_t generation;
	struct buf out; /* updates and deletions in waiting */
	struct nft_sweep *ret;
};

static void ignore_error(void *arg, const struct wire_error *e)
{
	/* ENOENT: it ended by itself. */
	(void)arg, (void)e;
}

static int flush(struct sweep *s)
{
	struct iovec part = {s->out.data, s->out.len};
	int r = s->out.len == 0 ? 0 : wire_send(&s->n->ct, &part, 1);

	buf_clear(&s->out);
	return r != 0 ? r : wire_collect(&s->n->ct, ignore_error, NULL);
}

static size_t begin(struct sweep *s, uint16_t type, const struct flow *f)
{
	size_t msg = nl_msg(&s->out, (uint16_t)(NFNL_SUBSYS_CTNETLINK << 8 | type), 0, ++s->n->ct.seq);
	struct nfgenmsg *g = (void *)(s->out.data + msg + NLMSG_HDRLEN);

	g->nfgen_family = f->q.src.family == 4 ? AF_INET : AF_INET6;
	nl_put(&s->out, CTA_TUPLE_ORIG | NLA_F_NESTED, wire_data(f->tuple), wire_len(f->tuple));
	if (f->zone != NULL)
		nl_put(&s->out, CTA_ZONE, wire_data(f->zone), wire_len(f->zone));
	return msg;
}

static void delete_flow(struct sweep *s, const struct flow *f)
{
	nl_msg_end(&s->out, begin(s, IPCTNL_MSG_CT_DELETE, f));
	s->ret->deleted++;
}

/* Of the mark only these bits: what the kernel has written into the others meanwhile stays. */
static void set_mark_of(struct sweep *s, const struct flow *f, uint32_t mark, uint32_t bits)
{
	if ((f->mark & bits) == (mark & bits))
		return;
	size_t msg = begin(s, IPCTNL_MSG_CT_NEW, f);
	nl_put_be32(&s->out, CTA_MARK, mark & bits);
	nl_put_be32(&s->out, CTA_MARK_MASK, bits);
	nl_msg_end(&s->out, msg);
}

/* Only the clock stands between the flow and a rule whose sessions may run on. */
static bool drains(const struct sweep *s, const struct decision *d)
{
	const uint32_t clock = DIFFERS_EXPIRED | DIFFERS_HOURS | DIFFERS_DAY;

	return d->nearest != IR_NONE && d->differs != 0 && (d->differs & ~clock) == 0 &&
	       (s->ir->rules[d->nearest].flags & IR_RULE_DRAIN) != 0;
}

/* What the policy of a flow's mark is called now; NO_POLICY: it is none of now's. */
#define NO_POLICY UINT32_MAX
static uint32_t policy_now(const struct sweep *s, uint32_t mark)
{
	const struct ruleset_renewal *old = &s->n->current->opt.renewal;
	uint32_t v = (mark & CTMARK_VERIFIED) >> 12, generation = mark & CTMARK_GENERATION(0x3ff);

	/* What needs no verification is the same under every policy that grants it. */
	if (v == 0 || generation == CTMARK_GENERATION(s->generation))
		return v;
	if (old->generation == 0 || generation != CTMARK_GENERATION(old->generation) || v >= old->n || old->to[v] == 0)
		return NO_POLICY;
	return old->to[v];
}

static bool ends_soon(const struct sweep *s, const struct ir_rule *r)
{
	struct wall until;

	return (r->flags & IR_RULE_DRAIN) == 0 && rule_active(s->ir, r, s->now, &until) && until.sec != INT64_MAX &&
	       until.sec - s->now.sec < CLASS_TIMED_SECONDS;
}

/* The mark that a granted flow has under the ruleset in force; state 0 where each packet is looked up. */
static uint32_t mark_under(const struct sweep *s, const struct ir_rule *r)
{
	uint32_t mark = CTMARK_GENERATION(s->generation) | (uint32_t)r->verified << 12;
	uint32_t ok = r->action == IR_INSPECT ? CTMARK_VERIFIED_OK : 0;

	if ((r->flags & IR_RULE_ONE_WAY) != 0)
		return mark | CTMARK_ONEWAY | ok;
	return mark | (ends_soon(s, r) ? CTMARK_TIMED | ok : CTMARK_PASSED);
}

static bool is_verified(uint32_t mark)
{
	return (mark & CTMARK_STATE) == CTMARK_PASSED || (mark & CTMARK_VERIFIED_OK) != 0;
}

static void renew(struct sweep *s, const struct flow *f, const struct ir_rule *r)
{
	const uint32_t who = CTMARK_GENERATION(0x3ff) | CTMARK_VERIFIED, how = CTMARK_TIMED | CTMARK_ONEWAY;
	uint32_t mark = mark_under(s, r), state = f->mark & CTMARK_STATE;

	/* Undecided or refused it stays; the inspector's word may come between our reading and our writing. */
	if (r->action == IR_INSPECT && !is_verified(f->mark)) {
		set_mark_of(s, f, mark, state == CTMARK_REFUSED ? who : who | how);
		s->ret->renewed += state != CTMARK_REFUSED;
		return;
	}
	if (mark == f->mark || (f->mark & CTMARK_OPENING) != 0)
		return;
	set_mark_of(s, f, mark, UINT32_MAX);
	if ((mark & CTMARK_STATE) == CTMARK_PASSED)
		s->ret->renewed++;
	else if (state == CTMARK_PASSED)
		s->ret->unmarked++;
}

/* Is a flow of this state one that a rule with this action may have? */
static bool fits(const struct flow *f, const struct ir_rule *r)
{
	uint32_t state = f->mark & CTMARK_STATE;

	if (r->action == IR_INSPECT)
		return is_verified(f->mark) || state == CTMARK_INSPECTING || state == CTMARK_REFUSED;
	return state != CTMARK_INSPECTING && state != CTMARK_REFUSED;
}

/* -- connections through pinholes ------------------------------------------------------------------------------------ */

static bool joins(const struct ir_span *sp, const struct addr *from, const struct addr *to)
{
	struct addr_range src = ir_addr_range(sp->family, &sp->src), dst = ir_addr_range(sp->family, &sp->dst);

	return sp->family == from->family && range_has(&src, from) && range_has(&dst, to);
}

/* Does the rule, in force, grant anything between the two hosts? */
static bool grants_pair(const struct sweep *s, uint32_t rule, const struct question *q)
{
	const struct ir_rule *r = &s->ir->rules[rule];
	bool active = (s->ir->verifieds[r->verified - 1].options & VERIFY_ACTIVE_DATA) != 0;

	if (!rule_active(s->ir, r, s->now, NULL) && ((r->flags & IR_RULE_DRAIN) == 0 || rule_closed_by_level(s->ir, r)))
		return false;
	for (uint32_t i = 0; i < r->spans.n; i++) {
		const struct ir_span *sp = &s->ir->spans[r->spans.first + i];
		if (joins(sp, &q->src, &q->dst) || (active && joins(sp, &q->dst, &q->src)))
			return true;
	}
	return false;
}

static void judge_data(struct sweep *s, const struct flow *f)
{
	uint32_t policy = policy_now(s, f->mark);
	const struct ir_rule *best = NULL;

	for (uint32_t i = 0; i < s->ir->nrules && policy != NO_POLICY && policy != 0; i++) {
		const struct ir_rule *r = &s->ir->rules[i];
		if (r->verified != policy || r->application != APP_FTP || !grants_pair(s, i, &f->q))
			continue;
		if (best == NULL || ends_soon(s, best))
			best = r;
	}
	if (best == NULL) {
		delete_flow(s, f);
		return;
	}
	set_mark_of(s, f, CTMARK_GENERATION(s->generation) | policy << 12 | CTMARK_DATA |
		(ends_soon(s, best) ? CTMARK_VERIFIED_OK : CTMARK_PASSED), UINT32_MAX);
	s->ret->renewed++;
}

static void judge(struct sweep *s, const struct flow *f)
{
	struct decision d;

	if ((f->mark & CTMARK_DATA) == CTMARK_DATA) {
		judge_data(s, f);
		return;
	}
	matcher_decide(s->m, &f->q, s->now, &d);
	bool granted = (d.verdict == VERDICT_ALLOW || d.verdict == VERDICT_INSPECT) && d.rule != IR_NONE;
	if (!granted && !((f->mark & CTMARK_STATE) == CTMARK_PASSED && drains(s, &d))) {
		delete_flow(s, f);
		return;
	}
	const struct ir_rule *r = &s->ir->rules[granted ? d.rule : d.nearest];
	if (policy_now(s, f->mark) != r->verified || !fits(f, r))
		delete_flow(s, f);
	else
		renew(s, f, r);
}

static int on_flow(void *arg, const struct nlmsghdr *h)
{
	struct sweep *s = arg;
	struct flow f;

	/* Without a mark it is the gateway's own. */
	if (!flow_read(h, &f) || f.mark == 0)
		return 0;
	s->ret->seen++;
	judge(s, &f);
	return s->out.len > SEND_BYTES ? flush(s) : 0;
}

int nft_sweep(struct nft *n, const struct ir *ir, const struct matcher *m, struct wall now, struct nft_sweep *ret)
{
	struct sweep s = {.n = n, .ir = ir, .m = m, .now = now, .ret = ret};

	*ret = (struct nft_sweep){0};
	if (nft_current(n) == NULL)
		return 0;
	s.generation = ruleset_generation(n->current);
	/* Changes go out while the dump goes on, by a socket of their own. */
	int r = flow_dump(n, 0, 0, on_flow, &s);
	int f = flush(&s);
	buf_free(&s.out);
	return r != 0 ? r : f;
}

/* -- what is cut ------------------------------------------------------------------------------------------------------- */

struct cutting {
	struct sweep s;
	const struct cuts *cuts;
};

static struct cut_place place(const struct cutting *c, const struct addr *a)
{
	uint32_t segment = c->s.m != NULL ? matcher_segment(c->s.m, a) : IR_NONE;

	return (struct cut_place){a, segment == IR_NONE ? NULL : ir_text(c->s.ir, c->s.ir->segments[segment].name)};
}

static int on_cut_flow(void *arg, const struct nlmsghdr *h)
{
	struct cutting *c = arg;
	struct flow f;

	if (!flow_read(h, &f))
		return 0;
	struct cut_place src = place(c, &f.q.src), dst = place(c, &f.q.dst);
	if (cuts_find(c->cuts, &src, &dst) != NULL)
		delete_flow(&c->s, &f);
	return c->s.out.len > SEND_BYTES ? flush(&c->s) : 0;
}

int nft_cut_flows(struct nft *n, const struct ir *ir, const struct matcher *m, uint32_t *ret_deleted)
{
	struct nft_sweep swept = {0};
	struct cutting c = {.s = {.n = n, .ir = ir, .m = m, .ret = &swept}, .cuts = n->cuts};
	int r = 0, f = 0;

	if (n->cuts != NULL && n->cuts->n > 0) {
		r = flow_dump(n, 0, 0, on_cut_flow, &c);
		f = flush(&c.s);
		buf_free(&c.s.out);
	}
	if (ret_deleted != NULL)
		*ret_deleted = swept.deleted;
	return r != 0 ? r : f;
}

/* -- half-open connections --------------------------------------------------------------------------------------------- */

struct half_open {
	struct buf sources; /* struct addr */
	struct nft_sweep *ret;
};

static int on_unanswered(void *arg, const struct nlmsghdr *h)
{
	struct half_open *o = arg;
	struct flow f;

	/* Older kernels ignore the filter in the request. */
	if (!flow_read(h, &f) || f.q.proto != IPPROTO_TCP || (f.status & IPS_SEEN_REPLY) != 0 || f.mark == 0)
		return 0;
	if (f.q.src.family == 6)
		memset(f.q.src.b + 8, 0, 8);
	buf_add(&o->sources, &f.q.src, sizeof(f.q.src));
	o->ret->seen++;
	return 0;
}

static int by_addr(const void *a, const void *b)
{
	return addr_cmp(a, b);
}

static struct set *live_copy(struct nft *n, const char *name)
{
	for (size_t i = 0; i < n->current->nsets; i++)
		if (strcmp(n->current->sets[i]->name, name) == 0)
			return n->current->sets[i];
	return NULL;
}

/* Puts the sources above the limit into the two sets; others fall out by their timeout. */
static int punish(struct nft *n, const struct half_open *o, uint32_t limit)
{
	const struct addr *a = (const struct addr *)(void *)o->sources.data;
	size_t total = o->sources.len / sizeof(*a);
	struct set *sets[2] = {live_copy(n, "halfopen4"), live_copy(n, "halfopen6")};
	struct batch b;

	if (sets[0] == NULL || sets[1] == NULL)
		return -ENOENT;
	struct set four = *sets[0], six = *sets[1];
	batch_init(&b, n->wire.seq + 1);
	for (size_t i = 0, next; i < total; i = next) {
		for (next = i; next < total && addr_cmp(&a[i], &a[next]) == 0;)
			next++;
		if (next - i <= limit)
			continue;
		struct set *s = a[i].family == 4 ? &four : &six;
		struct elem none = {.rule = IR_NONE, .until = INT64_MAX};
		buf_add(&s->keys, a[i].b, s->klen);
		buf_add(&s->elems, &none, sizeof(none));
		s->n++;
		o->ret->half_open_sources++;
	}
	char name[SET_NAME_MAX];
	for (struct set *s = &four; s != NULL; s = s == &four ? &six : NULL) {
		put_flush(&b, set_name(s, name));
		put_elems(&b, NULL, s, NULL, s->n, false);
		buf_free(&s->keys);
		buf_free(&s->elems);
	}
	return run_live(n, &b);
}

int nft_half_open(struct nft *n, const struct ir *ir, struct nft_sweep *ret)
{
	struct half_open o = {.ret = ret};
	uint32_t limit = ir->system->half_open;

	*ret = (struct nft_sweep){0};
	if (limit == 0 || nft_current(n) == NULL)
		return 0;
	int r = flow_dump(n, 0, IPS_SEEN_REPLY, on_unanswered, &o);
	if (r == 0 && o.sources.len > 0) {
		qsort(o.sources.data, o.sources.len / sizeof(struct addr), sizeof(struct addr), by_addr);
		r = punish(n, &o, limit);
	}
	buf_free(&o.sources);
	return r;
}
