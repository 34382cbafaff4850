/*
 * check_path.c: `sekisho check path A B [SERVICE]`: why A does not reach B, or that it does; one answer with what to do next.
 *
 * In the order in which a packet meets it: the port, the neighbour and the way on A's side, the policy, the way on B's side;
 * then what happened last: the newest refusal and the connections of now. The first thing that is wrong gives the advice.
 */
#include "console.h"
#include "control.h"
#include "figures.h"
#include "logquery.h"
#include "question.h"
#include "rtlist.h"
#include "seen.h"
#include "sysread.h"
#include "text.h"
#include "words.h"

#include <sekisho/clock.h>
#include <sekisho/inspect.h>
#include <sekisho/json.h>

#include <linux/neighbour.h>
#include <net/if.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#define STEPS_MAX 12
#define LABEL 18
/* A refusal older than this says nothing about now. */
#define RECENT_S 600

enum mark { MARK_OK, MARK_WRONG, MARK_NOTE };

struct step {
	enum mark mark;
	const char *code, *label; /* label: msgid */
	char text[400];
};

struct path {
	struct console *c;
	struct seen seen;
	struct rt_list list;
	struct asked asked;
	bool has_service;
	struct decision d;
	struct step step[STEPS_MAX];
	size_t n;
	char next[600]; /* what to do; "" while nothing is wrong */
	bool live, reached; /* reached: an answer came */
};

__attribute__((format(printf, 5, 6))) static void add(struct path *p, enum mark mark, const char *code, const char *label,
	const char *fmt, ...)
{
	struct step *s = &p->step[p->n];
	va_list ap;

	if (p->n == STEPS_MAX)
		return;
	p->n++;
	*s = (struct step){.mark = mark, .code = code, .label = label};
	va_start(ap, fmt);
	vsnprintf(s->text, sizeof(s->text), fmt, ap);
	va_end(ap);
}

/* The first advice is the one. */
__attribute__((format(printf, 2, 3))) static void advise(struct path *p, const char *fmt, ...)
{
	va_list ap;

	if (p->next[0] != '\0')
		return;
	va_start(ap, fmt);
	vsnprintf(p->next, sizeof(p->next), fmt, ap);
	va_end(ap);
}

/* -- One side --------------------------------------------------------------------------------------------------- */

struct side {
	const char *link_code, *link_label, *way_code, *way_label;
	struct addr addr;
};

static const struct ir_neigh *register_of(const struct seen *s, const struct addr *a)
{
	for (uint32_t i = 0; i < s->ir.nneighs; i++)
		if (s->ir.neighs[i].family == a->family && memcmp(s->ir.neighs[i].addr, a->b, addr_len(a->family)) == 0)
			return &s->ir.neighs[i];
	return NULL;
}

static void look_at_link(struct path *p, const struct side *side, const char *name)
{
	int64_t carrier = -1;

	if (!sys_number(&carrier, "/sys/class/net/%s/carrier", name) || carrier != 1) {
		add(p, MARK_WRONG, side->link_code, side->link_label, _("%s has no link"), name);
		advise(p, _("Look at the cable of %s and at the device at its other end."), name);
		return;
	}
	add(p, MARK_OK, side->link_code, side->link_label, _("%s has a link"), name);
}

/* The machine that the gate hands packets to: the host itself, or the router before it. */
static void look_at_neighbour(struct path *p, const struct side *side, const struct addr *hop, uint32_t link, bool router)
{
	const struct rt_neighbour *e = rt_list_neighbour(&p->list, hop, link);
	const struct ir_neigh *n = register_of(&p->seen, hop);
	const char *host = seen_host(&p->seen, hop);
	char address[ADDR_TEXT_MAX], mac[MAC_TEXT_MAX], who[200];

	snprintf(who, sizeof(who), "%s%s%s%s%s", router ? _("by router ") : "", addr_format(hop, address),
		host != NULL ? " (" : "", host != NULL ? host : "", host != NULL ? ")" : "");
	if (e == NULL || (e->state & (NUD_FAILED | NUD_INCOMPLETE)) != 0) {
		bool failed = e != NULL;
		add(p, failed ? MARK_WRONG : MARK_NOTE, side->way_code, side->way_label,
			failed ? _("%s does not answer on the wire") : _("%s: not spoken with lately"), who);
		if (failed)
			advise(p, _("%s does not answer: is it switched on, and has it this address and the right port or VLAN?"), who);
		return;
	}
	if (n != NULL && e->has_mac && memcmp(n->mac, e->mac.b, sizeof(n->mac)) != 0) {
		add(p, MARK_WRONG, side->way_code, side->way_label, _("%s has MAC %s, which is not the registered one"), who,
			mac_format(&e->mac, mac));
		advise(p, "%s", _("Another device uses this address. If the device was replaced, change its MAC in the policy; if not, find it."));
		return;
	}
	add(p, MARK_OK, side->way_code, side->way_label, _("%s, MAC %s%s"), who, e->has_mac ? mac_format(&e->mac, mac) : "-",
		n != NULL ? _(", as registered") : "");
}

static void look_at_side(struct path *p, const struct side *side)
{
	const struct rt_route *r = rt_list_route(&p->list, &side->addr);
	char name[IF_NAMESIZE] = "", address[ADDR_TEXT_MAX];

	if (r == NULL || r->link == 0 || if_indextoname(r->link, name) == NULL) {
		add(p, MARK_WRONG, side->way_code, side->way_label, _("the gate knows no way to %s"),
			addr_format(&side->addr, address));
		advise(p, _("The policy has no network, and no route, with %s: add one (set route), or correct the address."), address);
		return;
	}
	look_at_link(p, side, name);
	look_at_neighbour(p, side, r->via.family != 0 ? &r->via : &side->addr, r->link, r->via.family != 0);
}

/* -- The policy ------------------------------------------------------------------------------------------------- */

static bool joins(const struct ir_span *sp, const struct question *q)
{
	struct addr_range src = ir_addr_range(sp->family, &sp->src), dst = ir_addr_range(sp->family, &sp->dst);

	return sp->family == q->src.family && range_has(&src, &q->src) && range_has(&dst, &q->dst);
}

/* Without a service: what may pass between the two. */
static void list_services(struct path *p)
{
	const struct ir *ir = &p->seen.ir;
	struct buf b = {0};
	unsigned n = 0;

	for (uint32_t i = 0; i < ir->nrules; i++) {
		const struct ir_rule *r = &ir->rules[i];
		bool any = false;
		for (uint32_t k = 0; k < r->spans.n && !any; k++)
			any = joins(&ir->spans[r->spans.first + k], &p->asked.q);
		if (!any)
			continue;
		if (n++ < 6)
			buf_printf(&b, "%s%s (%s)%s", b.len > 0 ? ", " : "", ir_text(ir, r->name), ir_text(ir, r->service),
				rule_active(ir, r, clock_wall(), NULL) ? "" : _(": closed now"));
	}
	if (n > 6)
		buf_printf(&b, _(" and %u more"), n - 6);
	add(p, n > 0 ? MARK_OK : MARK_WRONG, "rule", N_("policy"), "%s",
		n > 0 ? buf_str(&b) : _("no approved flow joins the two"));
	if (n == 0)
		advise(p, "%s", _("If the flow is needed, apply for it: an approved flow between the two is missing."));
	buf_free(&b);
}

static void ask_policy(struct path *p)
{
	const struct ir *ir = &p->seen.ir;
	struct buf differs = {0};

	matcher_decide(p->seen.matcher, &p->asked.q, clock_wall(), &p->d);
	if (!p->has_service) {
		list_services(p);
		return;
	}
	if (p->d.verdict != VERDICT_DROP && p->d.rule != IR_NONE) {
		add(p, p->d.enforced_closed ? MARK_WRONG : MARK_OK, "rule", N_("policy"), _("%s: by %s"),
			words_verdict(p->d.verdict), ir_text(ir, ir->rules[p->d.rule].name));
		return;
	}
	if (p->d.nearest != IR_NONE && p->d.differs != 0) {
		buf_printf(&differs, _("; nearest flow: %s"), ir_text(ir, ir->rules[p->d.nearest].name));
		buf_adds(&differs, _(" ("));
		words_differs(&differs, p->d.differs);
		buf_adds(&differs, _(")"));
	}
	add(p, MARK_WRONG, "rule", N_("policy"), "%s [%s]%s", words_reason(p->d.reason), reason_word(p->d.reason), buf_str(&differs));
	const char *advice = words_reason_advice(p->d.reason);
	advise(p, "%s", advice != NULL ? advice : words_reason(p->d.reason));
	buf_free(&differs);
}

/* -- What happened ---------------------------------------------------------------------------------------------- */

struct last_drop {
	struct msg_drop_row row;
	bool any;
};

static bool take_drop(void *arg, const struct msg *m)
{
	struct last_drop *l = arg;

	l->row = m->u.msg_drop_row;
	l->any = true;
	return true;
}

static int ask_drops(struct path *p)
{
	struct msg_query q = {.verb = MSG_LOG_DROPS, .limit = 1, .port = p->has_service ? p->asked.q.dport : MSG_ANY_PORT};
	struct last_drop last = {.any = false};
	struct msg_end end;
	char src[ADDR_TEXT_MAX], dst[ADDR_TEXT_MAX], at[32], age[FIGURES_MAX];

	MSG_TEXT(q.src, addr_format(&p->asked.q.src, src));
	MSG_TEXT(q.dst, addr_format(&p->asked.q.dst, dst));
	int code = log_query(p->c, &q, MSG_DROP_ROW, take_drop, &last, &end);
	if (code != CONSOLE_OK)
		return code;
	if (!last.any) {
		add(p, MARK_OK, "drop", N_("refusals"), "%s", _("none is recorded"));
		return code;
	}
	const struct msg_drop_row *d = &last.row;
	int64_t when = d->last_ns / 1000000000, ago = clock_wall().sec - when;
	const char *why = d->why != WHY_NONE ? words_why(d->why) : "";
	add(p, ago <= RECENT_S ? MARK_WRONG : MARK_NOTE, "drop", N_("refusals"), _("last one %s ago (%s): %s [%s] #%llu%s%s"),
		figures_age(ago, age), log_time_short(when, at), words_reason(d->reason), reason_word(d->reason),
		(unsigned long long)d->sequence, why[0] != '\0' ? "; " : "", why);
	const char *advice = words_reason_advice(d->reason);
	if (ago <= RECENT_S && advice != NULL)
		advise(p, "%s", advice);
	return code;
}

static bool is_asked(const struct path *p, const struct flow_row *f)
{
	const struct question *q = &p->asked.q;

	return f->family == q->src.family && memcmp(f->src, q->src.b, sizeof(f->src)) == 0 &&
	       memcmp(f->dst, q->dst.b, sizeof(f->dst)) == 0 &&
	       (!p->has_service || (f->proto == q->proto && f->dport == q->dport));
}

static void ask_flows(struct path *p)
{
	uint64_t n = 0, there = 0, back = 0;
	char a[FIGURES_MAX], b[FIGURES_MAX];

	for (uint32_t i = 0; i < p->seen.nflows; i++) {
		const struct flow_row *f = &p->seen.flows[i];
		if (!is_asked(p, f))
			continue;
		n++;
		there += f->bytes[0];
		back += f->bytes[1];
		p->reached = p->reached || f->packets[1] != 0;
	}
	p->live = n > 0;
	if (n == 0)
		add(p, MARK_NOTE, "flow", N_("connections now"), "%s", _("none"));
	else
		add(p, p->reached ? MARK_OK : MARK_WRONG, "flow", N_("connections now"),
			_("%llu; %s there, %s back"), (unsigned long long)n, figures_bytes(there, a),
			figures_bytes(back, b));
	if (n > 0 && !p->reached)
		advise(p, "%s", _("Packets pass the gate and nothing comes back: look at the destination: is the service running, does its own "
				  "firewall refuse, does its way back lead through this gate?"));
}

/* -- The answer ------------------------------------------------------------------------------------------------- */

static void conclude(struct path *p)
{
	if (p->reached)
		advise(p, "%s", _("Nothing: the two speak with each other now."));
	advise(p, "%s", _("The gate does its part. Try again from the source while `sekisho monitor drops` runs; if nothing is refused, "
			  "look at the destination."));
}

static void print_text(struct path *p)
{
	static const char *const marks[] = {"[ok]", "[!!]", "[--]"};
	struct buf *out = &p->c->out, line = {0};

	seen_end(&line, &p->asked.q.src, seen_host(&p->seen, &p->asked.q.src));
	buf_adds(&line, " -> ");
	seen_end(&line, &p->asked.q.dst, seen_host(&p->seen, &p->asked.q.dst));
	if (p->has_service) {
		buf_addc(&line, ' ');
		words_service(&line, p->asked.q.proto, p->asked.q.dport, p->asked.q.has_port);
	}
	text_wrap(out, buf_str(&line), 0, 5);
	buf_addc(out, '\n');
	for (size_t i = 0; i < p->n; i++) {
		buf_printf(out, "%s ", marks[p->step[i].mark]);
		text_pad(out, _(p->step[i].label), LABEL - 1);
		buf_addc(out, ' ');
		text_wrap(out, p->step[i].text, LABEL + 5, LABEL + 5);
		buf_addc(out, '\n');
	}
	text_pad(out, _("what to do"), LABEL + 4);
	buf_addc(out, ' ');
	text_wrap(out, p->next, LABEL + 5, LABEL + 5);
	buf_addc(out, '\n');
	buf_free(&line);
}

static void print_json(struct path *p)
{
	static const char *const marks[] = {"ok", "wrong", "note"};
	struct json j = json_init(&p->c->out);
	char text[ADDR_TEXT_MAX];

	json_object(&j, NULL);
	json_str(&j, "src", addr_format(&p->asked.q.src, text));
	json_str(&j, "src_host", seen_host(&p->seen, &p->asked.q.src));
	json_str(&j, "dst", addr_format(&p->asked.q.dst, text));
	json_str(&j, "dst_host", seen_host(&p->seen, &p->asked.q.dst));
	json_str(&j, "verdict", verdict_word(p->d.verdict));
	json_str(&j, "rule", p->d.rule != IR_NONE ? ir_text(&p->seen.ir, p->seen.ir.rules[p->d.rule].name) : NULL);
	json_bool(&j, "live", p->live);
	json_bool(&j, "answered", p->reached);
	json_array(&j, "steps");
	for (size_t i = 0; i < p->n; i++) {
		json_object(&j, NULL);
		json_str(&j, "step", p->step[i].code);
		json_str(&j, "state", marks[p->step[i].mark]);
		json_str(&j, "text", p->step[i].text);
		json_object_end(&j);
	}
	json_array_end(&j);
	json_str(&j, "next", p->next);
	json_object_end(&j);
	buf_addc(&p->c->out, '\n');
}

static bool has_wrong(const struct path *p)
{
	for (size_t i = 0; i < p->n; i++)
		if (p->step[i].mark == MARK_WRONG)
			return true;
	return false;
}

static int read_question(struct path *p, const struct args *a)
{
	struct asker asker;
	char error[QUESTION_ERROR_MAX];

	/* `check path A B` outside our shell: the word itself is the first one. */
	unsigned first = a->command->run == verb_check ? 1 : 0;

	p->has_service = a->nwords > first + 2;
	/* Any service will do to read the two ends by. */
	const char *const words[3] = {a->words[first], a->words[first + 1], p->has_service ? a->words[first + 2] : "tcp"};
	asker_init(&asker, &p->seen.ir, clock_wall());
	bool good = question_read(&asker, words, NULL, NULL, &p->asked, error);
	asker_free(&asker);
	return good ? CONSOLE_OK : console_fail(CONSOLE_USAGE, "%s", error);
}

static int answer(struct path *p, const struct args *a)
{
	int code = read_question(p, a);

	if (code != CONSOLE_OK)
		return code;
	int r = rt_list_read(&p->list);
	if (r != 0)
		return console_fail(CONSOLE_ENV, _("the kernel does not tell: %s"), strerror(-r));
	look_at_side(p, &(struct side){"source-link", N_("source: port"), "source", N_("source"), p->asked.q.src});
	ask_policy(p);
	look_at_side(p, &(struct side){"destination-link", N_("destination: port"), "destination",
				N_("destination"), p->asked.q.dst});
	code = ask_drops(p);
	if (code != CONSOLE_OK)
		return code;
	ask_flows(p);
	conclude(p);
	if (p->c->json)
		print_json(p);
	else
		print_text(p);
	return has_wrong(p) ? CONSOLE_REFUSED : CONSOLE_OK;
}

int verb_check_path(struct console *c, const struct args *a)
{
	struct path p = {.c = c};
	int code = seen_open(c, MSG_VERB_FLOWS, &p.seen);

	if (code == CONSOLE_OK)
		code = answer(&p, a);
	rt_list_free(&p.list);
	seen_close(&p.seen);
	return code;
}
