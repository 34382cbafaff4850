/*
 * check_turned.c: the questions about mail that the mail gate takes in the place of the server it is addressed to (tproxy).
 *
 *	prerouting  what is turned is exactly what the policy says (interface, client, server, port 25), to the mail gate's
 *		    listener alone, with the mark of turned mail, which nothing else gets; nothing without a lease, no reply
 *	forward	    none of it crosses, with whatever marks: a listener that is away lets no mail through
 *	input	    a packet for a server comes in only with the mark; and the listener's own port is reached in no other way
 *
 * That the mark routes packets here, and nothing else does, is read back by net_check(). A kernel without tproxy turns
 * nothing: then what should be turned stays closed.
 */
#include "check.h"

#include <netinet/in.h> /* before linux/: the two share names */
#include <linux/netfilter.h>
#include <string.h>

struct turn_question {
	struct prove *p;
	struct scenario sc;
	struct expect *cover; /* NULL: nothing may be turned */
	const char *situation;
	const char *code, *text; /* of a crossing */
};

static void find_turn(struct turn_question *q, const char *code, const char *text, const struct region *r)
{
	char src[ADDR_TEXT_MAX], dst[ADDR_TEXT_MAX];

	add_finding(q->p, code,
		arena_printf(q->p->arena, "%s (%s): %s: %s -> %s, port %u-%u", text, _(q->situation),
			q->sc.iif, range_text(r, FIELD_SRC, q->sc.family, src),
			range_text(r, FIELD_DST, q->sc.family, dst),
			(unsigned)(r->lo[FIELD_PORT][0] << 8 | r->lo[FIELD_PORT][1]),
			(unsigned)(r->hi[FIELD_PORT][0] << 8 | r->hi[FIELD_PORT][1])));
}

static void ask(struct turn_question *q, struct eval *ev, const struct region *part, accept_fn *fn)
{
	ev->accept = fn;
	ev->queued = NULL;
	ev->arg = q;
	eval_run(ev, &q->sc, part);
	q->p->scenarios++;
}

/* -- prerouting --------------------------------------------------------------------------------------------------------- */

static void on_entered(void *arg, const struct region *r, const struct passing *how)
{
	struct turn_question *q = arg;
	bool marked = !how->mark_known || how->mark == MARK_TURNED;
	struct expect_box *b;

	if (how->turned_to == 0 && !marked)
		return;
	if (how->turned_to == 0) {
		find_turn(q, "turned-mark", _("the kernel would give the mark of turned mail to what it did not turn"), r);
	} else if (how->turned_to != PORT_TURNED || !how->mark_known || how->mark != MARK_TURNED) {
		find_turn(q, "turned-elsewhere", _("the kernel would turn this to another listener than the mail gate's"), r);
	} else if (q->cover == NULL || (b = expect_find(q->cover, r)) == NULL) {
		find_turn(q, "turns", _("the kernel would turn this to the mail gate, but the policy does not"), r);
	} else {
		expect_add(q->cover, b, r);
	}
}

/* Behind the checks of source and state, which cut away what never comes: there all of it must be turned. */
static void ask_all_turned(struct turn_question *q, struct eval *ev)
{
	struct region all = region_all(q->sc.family);

	q->sc.behind = "state";
	ask(q, ev, &all, on_entered);
	q->sc.behind = NULL;
	for (size_t i = 0; i < q->cover->n && ev->dump->turns; i++)
		if (!expect_full(q->cover, &q->cover->boxes[i]))
			find_turn(q, "not-turned", _("the policy turns this to the mail gate, but the kernel would not"),
				&q->cover->boxes[i].region);
}

/* Nothing that is no TCP is ever turned, or gets the mark. */
static void ask_other_protocols(struct turn_question *q, struct eval *ev)
{
	const uint8_t protocols[] = {IPPROTO_UDP, q->sc.family == 4 ? IPPROTO_ICMP : IPPROTO_ICMPV6, IPPROTO_GRE};
	struct region all = region_all(q->sc.family);

	for (size_t i = 0; i < sizeof(protocols); i++) {
		q->sc.l4proto = protocols[i];
		ask(q, ev, &all, on_entered);
	}
	q->sc.l4proto = IPPROTO_TCP;
}

static void ask_entering(struct turn_question *q, struct eval *ev)
{
	struct region all = region_all(q->sc.family);
	struct expect *cover = q->cover;

	q->sc.hook = NF_INET_PRE_ROUTING;
	q->sc.ct_state = CT_NEW;
	q->situation = N_("a new flow");
	ask(q, ev, &all, on_entered);
	ask_all_turned(q, ev);
	q->sc.ct_state = CT_ESTABLISHED;
	q->situation = N_("a running connection");
	ask(q, ev, &all, on_entered);
	q->cover = NULL;
	q->sc.reply = true;
	q->situation = N_("a reply");
	ask(q, ev, &all, on_entered);
	q->sc.reply = false;
	q->sc.ct_state = CT_NEW;
	q->situation = N_("a new flow");
	ask_other_protocols(q, ev);
	q->sc.empty_set = "lease";
	q->situation = N_("a new flow without a lease");
	ask(q, ev, &all, on_entered);
	q->sc.ct_state = CT_ESTABLISHED;
	q->situation = N_("a running connection without a lease");
	ask(q, ev, &all, on_entered);
	q->sc.empty_set = NULL;
	q->cover = cover;
}

/* -- forward -------------------------------------------------------------------------------------------------------------- */

static void on_crossed(void *arg, const struct region *r, const struct passing *how)
{
	struct turn_question *q = arg;

	(void)how;
	find_turn(q, q->code, q->text, r);
}

/* Nobody listened: each of these is what may come to `forward` then. */
static void ask_crossing(struct turn_question *q, struct eval *ev, const struct ir *ir, struct generations g)
{
	const struct {
		uint32_t state, ct_mark, mark;
		const char *situation;
	} ways[] = {
		{CT_NEW, 0, 0, N_("a new flow")},
		{CT_NEW, 0, MARK_TURNED, N_("a new flow, with the mark of turned mail")},
		{CT_ESTABLISHED, 0, 0, N_("a running connection")},
		{CT_ESTABLISHED, MARK_PASSED | MARK_GENERATION(g.current), 0, N_("a passed flow")},
		{CT_ESTABLISHED, MARK_VERIFIED_OK | MARK_TIMED | MARK_GENERATION(g.current), 0, N_("a verified flow")},
	};

	q->sc.hook = NF_INET_FORWARD;
	q->code = "turned-crosses";
	q->text = _("the kernel would let mail cross that nobody took");
	for (uint32_t out = 0; out < ir->ninterfaces; out++) {
		memcpy(q->sc.oif, ir->interfaces[out].name, sizeof(q->sc.oif));
		for (size_t w = 0; w < sizeof(ways) / sizeof(ways[0]); w++)
			for (size_t i = 0; i < q->cover->n; i++) {
				q->sc.ct_state = ways[w].state;
				q->sc.ct_mark = ways[w].ct_mark;
				q->sc.meta_mark = ways[w].mark;
				q->situation = ways[w].situation;
				ask(q, ev, &q->cover->boxes[i].region, on_crossed);
			}
	}
	memset(q->sc.oif, 0, sizeof(q->sc.oif));
	q->sc.ct_mark = q->sc.meta_mark = 0;
}

/* -- input ---------------------------------------------------------------------------------------------------------------- */

static void ask_input(struct turn_question *q, struct eval *ev)
{
	static const uint32_t states[] = {CT_NEW, CT_ESTABLISHED};
	struct region listener = region_all(q->sc.family);

	q->sc.hook = NF_INET_LOCAL_IN;
	q->code = "turned-input";
	for (int i = 0; i < 2; i++)
		listener.lo[FIELD_PORT][i] = listener.hi[FIELD_PORT][i] = (uint8_t)(PORT_TURNED >> (i == 0 ? 8 : 0));
	for (size_t k = 0; k < 2; k++) {
		q->sc.ct_state = states[k];
		q->text = _("the kernel would let in what was not turned");
		q->situation = N_("for a mail server's address");
		for (size_t i = 0; i < q->cover->n; i++)
			ask(q, ev, &q->cover->boxes[i].region, on_crossed);
		q->text = _("the kernel would let the network reach the listener of turned mail itself");
		q->situation = N_("its own port");
		ask(q, ev, &listener, on_crossed);
		q->sc.meta_mark = MARK_TURNED;
		ask(q, ev, &listener, on_crossed);
		q->sc.meta_mark = 0;
	}
}

void check_turned(struct prove *p, struct eval *ev, const struct ir *ir, struct generations g)
{
	for (uint32_t i = 0; i < ir->ninterfaces; i++) {
		for (uint8_t family = 4; family <= 6; family += 2) {
			struct expect cover;
			struct turn_question q = {.p = p, .sc = {.family = family, .l4proto = IPPROTO_TCP}, .cover = &cover};
			expect_turned(&cover, p->arena, ir, i, family);
			memcpy(q.sc.iif, ir->interfaces[i].name, sizeof(q.sc.iif));
			ask_entering(&q, ev);
			ask_crossing(&q, ev, ir, g);
			ask_input(&q, ev);
		}
	}
}
