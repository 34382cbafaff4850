/*
 * check.c: the questions that the evaluator asks of a dumped ruleset.
 *
 * For each pair of interfaces, family and protocol:
 *   new flows            what crosses is exactly the open boxes of the policy (nothing else, nothing
 * missing), and what must be verified is handed to the inspector and never crosses; replies, and flows   of
 * another generation: only what the policy grants now, one-way flows not at all; refused, invalid, untracked,
 * without a lease: nothing; related              only ICMP errors, and only of a passed flow. For each
 * interface: only sources that belong there, from the MAC they are bound to (prerouting). Of the base chains:
 * each is there, drops by policy where it must, and forward ends with an explicit drop. Of verified flows
 * more in check_inspect.c; of mail that is taken in the place of a server in check_turned.c; of emergency
 * cuts in check_cut.c, here they are as if there were none. Limits (rate, connections) are ignored: they only
 * ever take away.
 *
 * See prove.h. Findings are texts for people; the first PROVE_FINDINGS_MAX are kept, all are counted.
 */
#include <sekisho/arena.h>
#include <sekisho/i18n.h>
#include <sekisho/prove.h>

#include "check.h"

#include <netinet/in.h> /* before linux/: the two share names */
#include <linux/netfilter.h>
#include <linux/netfilter/nf_tables.h>
#include <string.h>

#define TABLE "sekisho"

void add_finding(struct prove *p, const char *code, const char *text)
{
	/* When all places are taken the last one is the newest: what comes at the end explains the rest. */
	size_t slot = p->n < PROVE_FINDINGS_MAX ? p->n++ : PROVE_FINDINGS_MAX - 1;

	p->findings[slot] = (struct prove_finding){code, text};
	p->total++;
}

/* -- texts ---------------------------------------------------------------------------------------------- */

const char *range_text(const struct region *r, enum field f, uint8_t family, char *buf)
{
	struct addr_range a = {.lo.family = family, .hi.family = family};

	memcpy(a.lo.b, r->lo[f], 16);
	memcpy(a.hi.b, r->hi[f], 16);
	return range_format(&a, buf);
}

const char *region_text(struct prove *p, const struct scenario *sc, const struct region *r)
{
	char src[ADDR_TEXT_MAX], dst[ADDR_TEXT_MAX];

	return arena_printf(p->arena, "%s -> %s: %s -> %s, protocol %u, port %u-%u", sc->iif, sc->oif,
		range_text(r, FIELD_SRC, sc->family, src), range_text(r, FIELD_DST, sc->family, dst), sc->l4proto,
		(unsigned)(r->lo[FIELD_PORT][0] << 8 | r->lo[FIELD_PORT][1]),
		(unsigned)(r->hi[FIELD_PORT][0] << 8 | r->hi[FIELD_PORT][1]));
}

void find_crossing(struct question_at *q, const struct region *r)
{
	add_finding(q->p, "crosses",
		arena_printf(q->p->arena, _("the kernel would let this through without a rule (%s): %s"),
			_(q->situation), region_text(q->p, &q->sc, r)));
}

/* -- one scenario ----------------------------------------------------------------------------------------- */

/* Five seconds: the dump and the clock were not read in the same instant. */
#define SLACK_MS 5000

/* May this happen to a box whose flows are verified? */
static bool may(const struct question_at *q, const struct expect_box *b, enum inspected what)
{
	return q->inspected == what && (q->policy == 0 || q->policy == b->policy);
}

static void take_piece(struct question_at *q, struct expect_box *b, const struct region *r, uint64_t expires_ms)
{
	if (b->ends_ms != 0 && !b->soon && (expires_ms == 0 || expires_ms > b->ends_ms + SLACK_MS))
		add_finding(q->p, "no-end",
			arena_printf(q->p->arena, _("the kernel would not end this permission in time: %s"),
				region_text(q->p, &q->sc, r)));
	expect_add(q->cover, b, r);
}

static void accept_piece(void *arg, const struct region *r, const struct passing *how)
{
	struct question_at *q = arg;
	struct expect_box *b = q->cover == NULL ? NULL : expect_find(q->cover, r);

	q->accepted++;
	if (check_data(q, r, how))
		return;
	if (b == NULL || (b->one_way && q->forbid_one_way) || (b->policy != 0 && !may(q, b, INSPECTED_PASSES)))
		find_crossing(q, r);
	else
		take_piece(q, b, r, how->expires_ms);
}

static void queued_piece(void *arg, const struct region *r, uint32_t number, uint64_t expires_ms)
{
	struct question_at *q = arg;
	struct expect_box *b = q->cover == NULL ? NULL : expect_find(q->cover, r);

	if (b == NULL || b->policy == 0 || (b->one_way && q->forbid_one_way) || !may(q, b, INSPECTED_IS_ASKED)) {
		add_finding(q->p, "queues",
			arena_printf(q->p->arena, _("the kernel would hand this to the inspector without a rule (%s): %s"),
				_(q->situation), region_text(q->p, &q->sc, r)));
		return;
	}
	if (number != QUEUE_BASE + q->from)
		add_finding(q->p, "queue",
			arena_printf(q->p->arena, _("the kernel would hand packets to queue %u instead of %u: %s"), number,
				QUEUE_BASE + q->from, region_text(q->p, &q->sc, r)));
	take_piece(q, b, r, expires_ms);
}

static void ask(struct question_at *q)
{
	struct region all = q->part != NULL ? *q->part : region_all(q->sc.family);

	q->ev->accept = accept_piece;
	q->ev->queued = queued_piece;
	q->ev->arg = q;
	q->accepted = 0;
	eval_run(q->ev, &q->sc, &all);
	q->p->scenarios++;
}

/* Must something happen to it at all? Without any queue in the ruleset what is inspected stays closed. */
static bool is_wanted(const struct question_at *q, const struct expect_box *b)
{
	if (q->part != NULL && !region_within(&b->region, q->part, q->sc.family))
		return false;
	if (b->policy == 0)
		return true;
	return q->inspected != INSPECTED_STOPS && (q->policy == 0 || q->policy == b->policy) && q->ev->dump->queues;
}

static void find_missing(struct question_at *q)
{
	for (size_t i = 0; i < q->cover->n; i++) {
		struct expect_box *b = &q->cover->boxes[i];
		if (b->soon || (b->one_way && q->forbid_one_way) || !is_wanted(q, b) || expect_full(q->cover, b))
			continue;
		add_finding(q->p, "missing",
			arena_printf(q->p->arena, _("the policy allows this, but the kernel would stop it (%s): %s"),
				_(q->situation), region_text(q->p, &q->sc, &b->region)));
	}
}

/* Forgets what the last scenario covered. */
static void uncover(struct expect *c)
{
	for (size_t i = 0; i < c->n; i++) {
		c->boxes[i].covered = false;
		c->boxes[i].npieces = 0;
	}
}

/* No more than the policy grants may cross. */
void ask_at_most(struct question_at *q, struct expect *cover, const char *situation)
{
	uncover(cover);
	q->cover = cover;
	q->situation = situation;
	ask(q);
}

/* And no less. */
void ask_granted(struct question_at *q, struct expect *cover, const char *situation)
{
	ask_at_most(q, cover, situation);
	find_missing(q);
}

void count_accept(void *arg, const struct region *r, const struct passing *how)
{
	(void)r;
	(void)how;
	(*(uint32_t *)arg)++;
}

static void count_queued(void *arg, const struct region *r, uint32_t number, uint64_t expires_ms)
{
	(void)r;
	(void)number;
	(void)expires_ms;
	(*(uint32_t *)arg)++;
}

void ask_nothing(struct question_at *q, uint32_t state, uint32_t mark, const char *situation)
{
	struct region all = region_all(q->sc.family);
	uint32_t accepted = 0;

	q->cover = NULL;
	q->sc.ct_state = state;
	q->sc.ct_mark = mark;
	q->situation = situation;
	q->ev->accept = count_accept;
	q->ev->queued = count_queued;
	q->ev->arg = &accepted;
	eval_run(q->ev, &q->sc, &all);
	q->p->scenarios++;
	if (accepted == 0)
		return;
	/* forward alone would let it pass: then what comes before must have stopped it (which takes longer to see). */
	q->sc.from_prerouting = true;
	ask(q);
	q->sc.from_prerouting = false;
}

/* Situations in which nothing may cross, whatever the policy says. */
/*
 * Which further question is asked of all flows, and of which examples where that would take long: what goes wrong with a
 * mark goes wrong for every flow, and what is granted at all was asked of all.
 */

/* The next box whose flows are verified, of another kind than those before: plain, one way, with an end. */
static const struct expect_box *next_example(const struct expect *c, size_t *at, unsigned *seen)
{
	for (; *at < c->n; ++*at) {
		const struct expect_box *b = &c->boxes[*at];
		unsigned kind = 1u << (b->one_way ? 1 : b->ends_ms != 0 ? 2 : 0);
		if (b->policy == 0 || (*seen & kind) != 0)
			continue;
		*seen |= kind;
		return b;
	}
	return NULL;
}

void ask_examples(struct question_at *q, struct expect *cover, bool no_less, const char *situation)
{
	void (*ask_them)(struct question_at *, struct expect *, const char *) = no_less ? ask_granted : ask_at_most;
	const struct expect_box *b;
	unsigned seen = 0;
	size_t at = 0;

	if (cover->n <= FEW_BOXES) {
		ask_them(q, cover, situation);
		return;
	}
	while ((b = next_example(cover, &at, &seen)) != NULL) {
		struct region part = b->region;
		q->part = &part;
		ask_them(q, cover, situation);
	}
	q->part = NULL;
}

static void ask_closed(struct question_at *q, struct generations g)
{
	uint32_t passed = MARK_PASSED | MARK_GENERATION(g.current);

	q->sc.reply = false;
	ask_nothing(q, CT_ESTABLISHED, MARK_REFUSED | MARK_GENERATION(g.current), N_("a refused flow"));
	ask_nothing(q, CT_ESTABLISHED, MARK_REFUSED | MARK_GENERATION(g.stale), N_("a flow refused before"));
	ask_nothing(q, CT_INVALID, 0, N_("invalid state"));
	ask_nothing(q, CT_UNTRACKED, 0, N_("untracked"));
	q->sc.empty_set = "lease";
	ask_nothing(q, CT_NEW, 0, N_("a new flow without a lease"));
	ask_nothing(q, CT_ESTABLISHED, passed, N_("a passed flow without a lease"));
	q->sc.empty_set = NULL;
	ask_nothing(q, CT_RELATED, 0, N_("related to a flow that never passed"));
	if (q->sc.l4proto != IPPROTO_ICMP && q->sc.l4proto != IPPROTO_ICMPV6)
		ask_nothing(q, CT_RELATED, passed, N_("related, but no ICMP error"));
}

static void ask_granted_all(struct question_at *q, struct expect *there, struct expect *back, struct generations g)
{
	uint32_t old = MARK_PASSED | MARK_GENERATION(g.stale);

	q->sc.reply = q->forbid_one_way = false;
	q->sc.ct_state = CT_NEW;
	q->sc.ct_mark = 0;
	q->inspected = INSPECTED_IS_ASKED;
	q->pinholes = q->sc.l4proto == IPPROTO_TCP;
	ask_granted(q, there, N_("a new flow"));
	q->pinholes = false;
	q->sc.ct_state = CT_ESTABLISHED;
	q->sc.ct_mark = MARK_INSPECTING | MARK_GENERATION(g.current);
	ask_examples(q, there, false, N_("a flow under inspection"));
	q->sc.reply = q->forbid_one_way = true;
	ask_examples(q, back, false, N_("a reply under inspection"));
	q->sc.ct_mark = 0;
	ask_granted(q, back, N_("a reply"));
	q->inspected = INSPECTED_STOPS;
	q->sc.ct_mark = old;
	ask_granted(q, back, N_("a reply of an earlier generation"));
	q->sc.reply = q->forbid_one_way = false;
	ask_granted(q, there, N_("a flow of an earlier generation"));
}

/* -- pairs -------------------------------------------------------------------------------------------------- */

static void check_pair(struct prove *p, struct eval *ev, const struct ir *ir, const uint32_t ifs[2],
	const struct scenario *base, struct wall now, struct generations g)
{
	uint32_t from = ir->interfaces[ifs[0]].segment, to = ir->interfaces[ifs[1]].segment;
	struct expect there, back;
	struct question_at q = {.p = p, .ev = ev, .ir = ir, .now = now, .sc = *base, .from = from, .generations = g};

	memcpy(q.sc.iif, ir->interfaces[ifs[0]].name, sizeof(q.sc.iif));
	memcpy(q.sc.oif, ir->interfaces[ifs[1]].name, sizeof(q.sc.oif));
	expect_init(&there, p->arena, ir, now, from, to, base->family, base->l4proto);
	expect_init(&back, p->arena, ir, now, to, from, base->family, base->l4proto);
	ask_granted_all(&q, &there, &back, g);
	check_inspected(&q, &there, &back);
	ask_closed(&q, g);
}

static const uint8_t protocols[][2] = {{4, IPPROTO_TCP}, {4, IPPROTO_UDP}, {4, IPPROTO_ICMP}, {4, IPPROTO_SCTP},
	{4, IPPROTO_GRE}, {6, IPPROTO_TCP}, {6, IPPROTO_UDP}, {6, IPPROTO_ICMPV6}, {6, IPPROTO_SCTP}, {6, IPPROTO_GRE}};

/*
 * Which generation's mark passes without a look at the policy: asked of a packet that comes back out of the
 * interface it came in by, over GRE, which no policy can grant. More than one would let old permissions live on.
 */
static struct generations find_generation(struct prove *p, struct eval *ev, const struct ir *ir)
{
	struct scenario sc = {.hook = NF_INET_FORWARD, .family = 4, .l4proto = IPPROTO_GRE, .ct_state = CT_ESTABLISHED};
	struct region all = region_all(4);
	struct generations g = {GENERATIONS, 0, 0};
	uint32_t hits, passing = 0;

	memcpy(sc.iif, ir->interfaces[0].name, sizeof(sc.iif));
	memcpy(sc.oif, ir->interfaces[0].name, sizeof(sc.oif));
	ev->accept = count_accept;
	ev->queued = NULL;
	ev->arg = &hits;
	for (uint32_t i = 0; i < GENERATIONS; i++) {
		sc.ct_mark = MARK_PASSED | MARK_GENERATION(i);
		hits = 0;
		eval_run(ev, &sc, &all);
		if (hits == 0)
			continue;
		passing++;
		g.current = i;
	}
	if (passing > 1)
		add_finding(p, "old-generation",
			arena_printf(p->arena, _("flows of %u generations pass unasked; only one may"), passing));
	g.current = g.current == GENERATIONS ? 0 : g.current;
	g.stale = (g.current + GENERATIONS / 2) % GENERATIONS;
	g.before = ev->dump->before % GENERATIONS;
	return g;
}

static void check_forward(struct prove *p, struct eval *ev, const struct ir *ir, struct wall now)
{
	if (ir->ninterfaces == 0)
		return;
	struct generations g = find_generation(p, ev, ir);
	check_renewals(p, ev, ir);
	check_verdicts(p, ev, g);
	check_resets(p, ev, ir, g);
	check_cuts(p, ev, ir, g.current);
	check_turned(p, ev, ir, g);
	for (uint32_t i = 0; i < ir->ninterfaces; i++)
		for (uint32_t j = 0; j < ir->ninterfaces; j++)
			for (size_t k = 0; k < sizeof(protocols) / sizeof(protocols[0]); k++) {
				struct scenario sc = {.hook = NF_INET_FORWARD, .family = protocols[k][0],
					.l4proto = protocols[k][1]};
				check_pair(p, ev, ir, (const uint32_t[2]){i, j}, &sc, now, g);
			}
}

/* -- sources ------------------------------------------------------------------------------------------------ */

struct source_question {
	struct prove *p;
	const struct ir *ir;
	struct scenario sc;
	uint32_t interface;
};

static void accept_source(void *arg, const struct region *r, const struct passing *how)
{
	struct source_question *q = arg;
	size_t n = field_len(FIELD_SRC, q->sc.family);
	char src[ADDR_TEXT_MAX];

	(void)how;
	for (uint32_t i = 0; i < q->ir->nsources; i++) {
		const struct ir_source *s = &q->ir->sources[i];
		if (s->interface != q->interface || s->family != q->sc.family)
			continue;
		bool inside = memcmp(s->range.lo, r->lo[FIELD_SRC], n) <= 0 && memcmp(r->hi[FIELD_SRC], s->range.hi, n) <= 0;
		bool one_mac = memcmp(s->mac, r->lo[FIELD_MAC], 6) == 0 && memcmp(s->mac, r->hi[FIELD_MAC], 6) == 0;
		bool bound = !s->has_mac || one_mac;
		if (inside && bound)
			return;
	}
	add_finding(q->p, "spoof",
		arena_printf(q->p->arena, _("%s would accept a source that does not belong there, or from any MAC: %s"),
			q->sc.iif, range_text(r, FIELD_SRC, q->sc.family, src)));
}

static void check_sources(struct prove *p, struct eval *ev, const struct ir *ir)
{
	for (uint32_t i = 0; i < ir->ninterfaces; i++) {
		for (uint8_t family = 4; family <= 6; family += 2) {
			struct source_question q = {p, ir, {.hook = NF_INET_PRE_ROUTING, .family = family,
				.l4proto = IPPROTO_TCP, .ct_state = CT_NEW}, i};
			struct region all = region_all(family);
			memcpy(q.sc.iif, ir->interfaces[i].name, sizeof(q.sc.iif));
			ev->accept = accept_source;
			ev->queued = NULL;
			ev->arg = &q;
			eval_run(ev, &q.sc, &all);
			p->scenarios++;
		}
	}
}

/* -- base chains -------------------------------------------------------------------------------------------- */

/* Ends the chain with an unconditional drop, or a goto without condition to a chain that does? */
static bool ends_with_drop(const struct dump *d, const struct dump_chain *c, int depth)
{
	if (c->nrules == 0 || depth > 4)
		return false;
	const struct dump_rule *r = &c->rules[c->nrules - 1];
	for (size_t i = 0; i < r->nexprs; i++) {
		const struct dump_expr *e = &r->exprs[i];
		if (e->kind == EXPR_IMMEDIATE && e->has_verdict) {
			const struct dump_chain *next = e->verdict.chain == NULL ? NULL : dump_chain(d, e->verdict.chain);
			return e->verdict.code == NF_DROP ||
			       (e->verdict.code == NFT_GOTO && next != NULL && ends_with_drop(d, next, depth + 1));
		}
		bool harmless = e->kind == EXPR_PASS || e->kind == EXPR_SET || e->kind == EXPR_IMMEDIATE;
		if (!harmless)
			return false;
	}
	return false;
}

static void check_base_chains(struct prove *p, const struct dump *d)
{
	static const struct {
		uint32_t hook;
		const char *name;
	} closed[] = {{NF_INET_FORWARD, "forward"}, {NF_INET_LOCAL_IN, "input"}, {NF_INET_LOCAL_OUT, "output"}};

	for (size_t k = 0; k < sizeof(closed) / sizeof(closed[0]); k++) {
		const struct dump_chain *c = dump_chain(d, closed[k].name);
		if (c == NULL || !c->base || c->hook != closed[k].hook || c->policy != NF_DROP || !ends_with_drop(d, c, 0))
			add_finding(p, "base-chain",
				arena_printf(p->arena, _("base chain %s must exist, drop by policy and end with a drop"),
					closed[k].name));
	}
}

static void take_eval_finding(struct prove *p, const struct eval *ev)
{
	if (ev->finding == NULL)
		return;
	const char *where = ev->finding_chain == NULL ? "" : ev->finding_chain;
	const char *what = ev->finding_expr == NULL ? "" : ev->finding_expr;
	add_finding(p, "unknown-expression", arena_printf(p->arena, "%s: %s %s", ev->finding, where, what));
}

bool prove_check(struct prove *p, struct arena *arena, const struct ir *ir, const void *bytes, size_t n,
	struct wall now)
{
	struct ir at_level = *ir;
	struct dump d;
	struct eval ev;

	*p = (struct prove){.arena = arena};
	if (!dump_read(&d, arena, bytes, n, TABLE)) {
		add_finding(p, "dump", arena_printf(arena, _("the kernel's ruleset cannot be read: %s"), d.bad));
		dump_free(&d);
		return false;
	}
	at_level.level = d.cuts != NULL ? d.cuts->level : LEVEL_NORMAL;
	ir = &at_level;
	eval_init(&ev, &d, arena);
	check_base_chains(p, &d);
	check_forward(p, &ev, ir, now);
	check_sources(p, &ev, ir);
	take_eval_finding(p, &ev);
	p->steps = ev.steps;
	dump_free(&d);
	return p->total == 0;
}
