/*
 * check_inspect.c: the questions about flows whose application is verified.
 *
 *   by generation   a verified mark of this one passes; one of the generation before passes where the policy of the flow's
 *                   rule has the same words as the one in the mark; any other is refused
 *   verdicts        behind the queue only the inspector's words `forward` and `pass` let an undecided flow's packet go on,
 *                   and only `pass` makes it a passed one; a mark that the packet brought along opens nothing
 *   pinholes        whatever is in their sets: a connection begins once, between hosts that an FTP rule joins, and goes
 *                   on only while one with the same policy does
 *   resets          leave for refused flows only
 *
 * The words of the policies before come from sekishod beside the dump (dump.h); without them nothing may be renewed.
 */
#include "check.h"

#include <sekisho/inspect.h>

#include <netinet/in.h> /* before linux/: the two share names */
#include <linux/netfilter.h>
#include <string.h>

/* -- policies over a commit ------------------------------------------------------------------------------------------ */

/* What the policy of before is called now; 0 = it is gone. */
static uint16_t renewed(const struct dump *d, const struct ir *ir, uint32_t before)
{
	if (before == 0 || before > d->npolicies)
		return 0;
	for (uint32_t i = 0; i < ir->nverifieds; i++)
		if (strcmp(ir_text(ir, ir->verifieds[i].text), d->policies[before - 1]) == 0)
			return (uint16_t)(i + 1);
	return 0;
}

/* One that is called so now, or 0. */
static uint32_t former(const struct dump *d, const struct ir *ir, uint16_t policy)
{
	const char *text = ir_text(ir, ir->verifieds[policy - 1].text);

	for (size_t i = 0; i < d->npolicies; i++)
		if (strcmp(d->policies[i], text) == 0)
			return (uint32_t)i + 1;
	return 0;
}

void check_renewals(struct prove *p, struct eval *ev, const struct ir *ir)
{
	const struct dump *d = ev->dump;

	for (size_t i = 0; i < d->nsets; i++) {
		const struct dump_set *s = &d->sets[i];
		if (strncmp(s->name, "renewable", 9) != 0)
			continue;
		for (size_t k = 0; k < s->nelems && s->key_len == 8; k++) {
			uint32_t key[2];
			memcpy(key, s->elems[k].key, sizeof(key));
			uint16_t now = renewed(d, ir, key[0] >> 12);
			if (now != 0 && key[1] == MARK_POLICY(now))
				continue;
			add_finding(p, "renews", arena_printf(p->arena,
				_("flows verified by policy %u before would live on as %u, which demands something else"),
				key[0] >> 12, key[1] >> 12));
		}
	}
}

/* -- one pair ------------------------------------------------------------------------------------------------------------ */

static uint16_t first_policy(const struct expect *c)
{
	for (size_t i = 0; i < c->n; i++)
		if (c->boxes[i].policy != 0)
			return c->boxes[i].policy;
	return 0;
}

/* The same question of both directions. */
static void ask_both(struct question_at *q, struct expect *there, struct expect *back, uint32_t mark, const char *situation)
{
	q->sc.ct_state = CT_ESTABLISHED;
	q->sc.ct_mark = mark;
	q->sc.reply = q->forbid_one_way = false;
	ask_examples(q, there, true, situation);
	q->sc.reply = q->forbid_one_way = true;
	ask_examples(q, back, true, situation);
	q->sc.reply = q->forbid_one_way = false;
}

static void ask_renewal(struct question_at *q, struct expect *there, struct expect *back, uint16_t policy)
{
	uint32_t old = former(q->ev->dump, q->ir, policy), before = MARK_GENERATION(q->generations.before);

	if (q->generations.before == 0 || q->generations.before == q->generations.current)
		return;
	if (old != 0) {
		q->policy = policy;
		q->inspected = INSPECTED_PASSES;
		ask_both(q, there, back, MARK_PASSED | before | MARK_POLICY(old),
			N_("a verified flow of the generation before"));
		ask_both(q, there, back, MARK_VERIFIED_OK | before | MARK_POLICY(old),
			N_("a verified flow of the generation before"));
		q->inspected = INSPECTED_IS_ASKED;
		ask_both(q, there, back, MARK_INSPECTING | before | MARK_POLICY(old),
			N_("an undecided flow of the generation before"));
		q->policy = 0;
	}
	q->inspected = INSPECTED_STOPS;
	ask_both(q, there, back, MARK_PASSED | before | MARK_POLICY(q->ev->dump->npolicies + 1),
		N_("a flow of the generation before, verified by a policy that never was"));
	ask_both(q, there, back, MARK_PASSED | before, N_("a flow of the generation before that was never verified"));
}

/* A packet of an undecided flow that may pass unasked, an ICMP error, must not decide the flow by a mark it brings. */
static void accept_related(void *arg, const struct region *r, const struct passing *how)
{
	struct question_at *q = arg;

	if (!how->ct_known || how->ct_mark != q->sc.ct_mark)
		find_crossing(q, r);
}

static void ask_foreign_marks(struct question_at *q, struct expect *there)
{
	struct region all = region_all(q->sc.family);

	q->sc.meta_mark = WORD_MARK(INSPECT_PASS);
	q->sc.ct_state = CT_NEW;
	q->sc.ct_mark = 0;
	q->inspected = INSPECTED_IS_ASKED;
	q->pinholes = q->sc.l4proto == IPPROTO_TCP;
	ask_examples(q, there, false, N_("a new flow that brings a mark"));
	q->pinholes = false;
	q->sc.ct_state = CT_RELATED;
	q->sc.ct_mark = MARK_INSPECTING | MARK_GENERATION(q->generations.current);
	q->situation = N_("related to a flow under inspection, with a mark");
	q->ev->accept = accept_related;
	q->ev->queued = NULL;
	q->ev->arg = q;
	eval_run(q->ev, &q->sc, &all);
	q->p->scenarios++;
	q->sc.meta_mark = 0;
}

/* Does any rule with FTP join the two segments? */
static bool has_data(const struct question_at *q)
{
	for (uint32_t i = 0; i < q->ir->nrules; i++) {
		const struct ir_rule *r = &q->ir->rules[i];
		if (r->application == APP_FTP && r->action == IR_INSPECT &&
			(r->from_segment == q->from || r->to_segment == q->from))
			return true;
	}
	return false;
}

static void ask_data(struct question_at *q, struct expect *there)
{
	uint32_t current = MARK_GENERATION(q->generations.current), before = MARK_GENERATION(q->generations.before);

	q->sc.ct_state = CT_ESTABLISHED;
	q->inspected = INSPECTED_STOPS;
	for (uint32_t i = 0; i < q->ir->nverifieds; i++) {
		uint16_t policy = (uint16_t)(i + 1);
		if (q->ir->verifieds[i].application != APP_FTP)
			continue;
		q->data = policy;
		q->inspected = INSPECTED_PASSES;
		q->sc.ct_mark = MARK_DATA | MARK_VERIFIED_OK | current | MARK_POLICY(policy);
		ask_at_most(q, there, N_("data of a verified connection"));
		uint32_t old = former(q->ev->dump, q->ir, policy);
		if (old != 0 && q->generations.before != 0) {
			q->policy = policy;
			q->sc.ct_mark = MARK_DATA | MARK_PASSED | before | MARK_POLICY(old);
			ask_at_most(q, there, N_("data of a connection verified before"));
			q->policy = 0;
		}
		q->data = 0;
	}
	q->inspected = INSPECTED_STOPS;
	q->sc.ct_mark = MARK_DATA | MARK_PASSED | MARK_GENERATION(q->generations.stale) | MARK_POLICY(1);
	ask_at_most(q, there, N_("data of an earlier generation"));
}

void check_inspected(struct question_at *q, struct expect *there, struct expect *back)
{
	uint16_t policy = first_policy(there);
	uint32_t current = MARK_GENERATION(q->generations.current), stale = MARK_GENERATION(q->generations.stale);

	if (policy == 0)
		policy = first_policy(back);
	q->policy = 0;
	if (q->sc.l4proto == IPPROTO_TCP && (there->n <= FEW_BOXES || has_data(q)))
		ask_data(q, there);
	ask_foreign_marks(q, there);
	if (policy == 0)
		return;
	q->inspected = INSPECTED_PASSES;
	ask_both(q, there, back, MARK_VERIFIED_OK | current | MARK_POLICY(policy), N_("a verified flow"));
	q->inspected = INSPECTED_STOPS;
	ask_both(q, there, back, MARK_VERIFIED_OK | stale | MARK_POLICY(policy), N_("a flow verified long ago"));
	ask_both(q, there, back, MARK_PASSED | stale | MARK_POLICY(policy), N_("a flow verified long ago"));
	ask_both(q, there, back, MARK_INSPECTING | stale | MARK_POLICY(policy), N_("a flow undecided long ago"));
	q->sc.empty_set = "inspectors";
	ask_both(q, there, back, MARK_INSPECTING | current | MARK_POLICY(policy),
		N_("a flow under inspection without inspector"));
	q->sc.ct_state = CT_NEW;
	q->sc.ct_mark = 0;
	q->pinholes = q->sc.l4proto == IPPROTO_TCP;
	ask_examples(q, there, true, N_("a new flow without inspector"));
	q->pinholes = false;
	q->sc.empty_set = NULL;
	ask_renewal(q, there, back, policy);
}

/* -- pinholes ------------------------------------------------------------------------------------------------------------ */

static bool inside(const struct ir_range *range, const struct region *r, enum field f, size_t n)
{
	return memcmp(range->lo, r->lo[f], n) <= 0 && memcmp(r->hi[f], range->hi, n) <= 0;
}

static bool rule_joins(const struct question_at *q, const struct ir_rule *rule, const struct region *r)
{
	size_t n = field_len(FIELD_SRC, q->sc.family);
	bool active = (q->ir->verifieds[rule->verified - 1].options & VERIFY_ACTIVE_DATA) != 0;

	for (uint32_t i = 0; i < rule->spans.n; i++) {
		const struct ir_span *sp = &q->ir->spans[rule->spans.first + i];
		if (sp->family != q->sc.family)
			continue;
		if (inside(&sp->src, r, FIELD_SRC, n) && inside(&sp->dst, r, FIELD_DST, n))
			return true;
		if (active && inside(&sp->src, r, FIELD_DST, n) && inside(&sp->dst, r, FIELD_SRC, n))
			return true;
	}
	return false;
}

/* Does an FTP rule that is in force, or was just now, join the two hosts? policy: only one with this, 0 = any. */
static bool joined(const struct question_at *q, const struct region *r, uint16_t policy)
{
	struct wall now = {q->now.sec < 0 ? -q->now.sec : q->now.sec}, just = {now.sec - 5};

	for (uint32_t i = 0; i < q->ir->nrules; i++) {
		const struct ir_rule *rule = &q->ir->rules[i];
		if (rule->application != APP_FTP || rule->verified == 0 || (policy != 0 && rule->verified != policy) ||
			(q->ir->verifieds[rule->verified - 1].options & VERIFY_NO_DATA) != 0)
			continue;
		if (rule_joins(q, rule, r) && (rule_active(q->ir, rule, now, NULL) || rule_active(q->ir, rule, just, NULL)))
			return true;
	}
	return false;
}

static void find_pinhole(struct question_at *q, const struct region *r, const char *what)
{
	add_finding(q->p, "pinhole", arena_printf(q->p->arena, "%s (%s): %s", what, _(q->situation),
		region_text(q->p, &q->sc, r)));
}

bool check_data(struct question_at *q, const struct region *r, const struct passing *how)
{
	uint32_t kept = how->ct_mark & (MARK_DATA | MARK_GENERATION(GENERATIONS - 1));

	if (!how->pinhole)
		return q->data != 0 && joined(q, r, q->data);
	if (!q->pinholes)
		find_pinhole(q, r, _("a pinhole opens to what is no new connection"));
	else if (!joined(q, r, 0))
		find_pinhole(q, r, _("a pinhole joins hosts that no rule with FTP joins"));
	else if (!how->pinhole_taken)
		find_pinhole(q, r, _("a pinhole stays open behind its connection"));
	else if (!how->ct_known || kept != (MARK_DATA | MARK_GENERATION(q->generations.current)))
		find_pinhole(q, r, _("a pinhole does not mark its connection"));
	return true;
}

/* -- verdicts ------------------------------------------------------------------------------------------------------------ */

struct verdict_question {
	struct scenario sc;
	uint32_t accepted;
	bool right;	/* each time the flow's mark was as wanted */
	uint32_t wanted;
};

static void accept_verdict(void *arg, const struct region *r, const struct passing *how)
{
	struct verdict_question *q = arg;

	(void)r;
	q->accepted++;
	q->right = q->right && how->ct_known && how->ct_mark == q->wanted;
}

static void ask_verdict(struct prove *p, struct eval *ev, uint32_t ct_mark, uint32_t mark, uint32_t wanted)
{
	struct verdict_question q = {{.hook = NF_INET_FORWARD, .behind = "forward", .family = 4, .l4proto = IPPROTO_TCP,
		.ct_state = CT_ESTABLISHED, .ct_mark = ct_mark, .meta_mark = mark}, 0, true, wanted};
	struct region all = region_all(4);

	ev->accept = accept_verdict;
	ev->queued = NULL;
	ev->arg = &q;
	eval_run(ev, &q.sc, &all);
	p->scenarios++;
	if (wanted == 0 ? q.accepted == 0 : q.accepted > 0 && q.right)
		return;
	const char *what = wanted == 0 ? _("behind the queue a mark that is no permission lets a packet pass")
			   : q.accepted == 0 ? _("behind the queue the inspector's permission is not heard")
					     : _("behind the queue a permission marks the flow as something else");
	add_finding(p, "verdict", arena_printf(p->arena, "%s (%#x, %#x)", what, mark, ct_mark));
}

/* An undecided flow of one kind, by every word and by what is none. */
static void ask_words(struct prove *p, struct eval *ev, uint32_t flow, uint32_t how)
{
	static const uint32_t none[] = {WORD_MARK(0), WORD_MARK(INSPECT_REFUSE), WORD_MARK(INSPECT_DROP), WORD_MARK(5),
		WORD_MARK(0x031403), WORD_MARK(0x031404), 0x00005004, 4, 0xbb00001f};
	uint32_t undecided = flow | how | MARK_INSPECTING;

	ask_verdict(p, ev, undecided, WORD_MARK(INSPECT_FORWARD), undecided);
	ask_verdict(p, ev, undecided, WORD_MARK(INSPECT_PASS), how != 0 ? flow | how | MARK_VERIFIED_OK : flow | MARK_PASSED);
	for (size_t i = 0; i < sizeof(none) / sizeof(none[0]); i++)
		ask_verdict(p, ev, undecided, none[i], 0);
	/* Each bit of the two that let pass counts: a word with another one is none. */
	for (uint32_t bit = 1; bit != 0; bit <<= 1) {
		if ((bit & WORD_BITS) == 0)
			continue;
		ask_verdict(p, ev, undecided, WORD_MARK(INSPECT_FORWARD) ^ bit, 0);
		ask_verdict(p, ev, undecided, WORD_MARK(INSPECT_PASS) ^ bit, 0);
	}
}

void check_verdicts(struct prove *p, struct eval *ev, struct generations g)
{
	const uint32_t generation[] = {g.current, g.stale};

	for (size_t i = 0; i < 2 && ev->dump->queues; i++) {
		uint32_t flow = MARK_GENERATION(generation[i]) | MARK_POLICY(5);
		ask_words(p, ev, flow, 0);
		ask_words(p, ev, flow, MARK_TIMED);
		ask_words(p, ev, flow, MARK_ONEWAY);
		/* Decided while the packet waited. */
		for (uint32_t word = 0; word < 6; word++)
			ask_verdict(p, ev, flow | MARK_REFUSED, WORD_MARK(word), 0);
		for (uint32_t word = INSPECT_REFUSE; word < 6; word++)
			ask_verdict(p, ev, flow | MARK_PASSED, WORD_MARK(word), 0);
	}
}

/* -- resets -------------------------------------------------------------------------------------------------------------- */

struct reset_question {
	struct prove *p;
	const struct ir *ir;
	struct scenario sc;
	uint32_t interface;
};

/* Is it something that the gate itself may send? */
static void accept_sent(void *arg, const struct region *r, const struct passing *how)
{
	struct reset_question *q = arg;
	size_t n = field_len(FIELD_DST, q->sc.family);

	(void)how;
	for (uint32_t i = 0; i < q->ir->nowns; i++) {
		const struct ir_own *o = &q->ir->owns[i];
		if (o->interface == q->interface && o->out != 0 && o->family == q->sc.family && o->proto == IPPROTO_TCP &&
			inside(&o->remote, r, FIELD_DST, n))
			return;
	}
	add_finding(q->p, "reset", arena_printf(q->p->arena, _("the gateway would send TCP of a flow that it did not refuse: %s"),
		region_text(q->p, &q->sc, r)));
}

static void ask_sent(struct prove *p, struct eval *ev, const struct ir *ir, uint32_t interface, const struct scenario *sc)
{
	struct reset_question q = {p, ir, *sc, interface};
	struct region all = region_all(sc->family);

	memcpy(q.sc.oif, ir->interfaces[interface].name, sizeof(q.sc.oif));
	ev->accept = accept_sent;
	ev->queued = NULL;
	ev->arg = &q;
	eval_run(ev, &q.sc, &all);
	p->scenarios++;
}

void check_resets(struct prove *p, struct eval *ev, const struct ir *ir, struct generations g)
{
	enum { RST = 0x04, ACK = 0x10 };
	const uint32_t marks[] = {0, MARK_PASSED | MARK_GENERATION(g.current), MARK_INSPECTING | MARK_GENERATION(g.current),
		MARK_VERIFIED_OK | MARK_GENERATION(g.current)};

	for (uint32_t i = 0; i < ir->ninterfaces; i++) {
		for (uint8_t family = 4; family <= 6; family += 2) {
			struct scenario sc = {.hook = NF_INET_LOCAL_OUT, .family = family, .l4proto = IPPROTO_TCP,
				.ct_state = CT_RELATED, .has_flags = true, .flags = RST | ACK};
			for (size_t k = 0; k < sizeof(marks) / sizeof(marks[0]); k++) {
				sc.ct_mark = marks[k];
				ask_sent(p, ev, ir, i, &sc);
			}
			sc.ct_mark = MARK_REFUSED | MARK_GENERATION(g.current);
			sc.flags = ACK;
			ask_sent(p, ev, ir, i, &sc);
		}
	}
}
