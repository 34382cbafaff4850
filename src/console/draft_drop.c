/*
 * draft_drop.c: `draft from-drop NUMBER`: a drop record becomes an application to fill in.
 *
 * Input: one row of the log, which the gate bounds (msg.h) and whose packet came from anywhere; and the policy. Only what
 * an allow rule can cure becomes a draft: a packet that no rule named, between ends that the law lets talk, and that no
 * rule would name at another time. The form is blank (purpose "", applicant ""), which `check` refuses until it is filled.
 */
#include "draft_drop.h"

#include "console.h"
#include "control.h"
#include "logquery.h"
#include "text.h"
#include "words.h"

#include <sekisho/json.h>

#include <netinet/in.h>
#include <stdlib.h>
#include <string.h>

#define TIMES (DIFFERS_EXPIRED | DIFFERS_NOT_STARTED | DIFFERS_HOURS | DIFFERS_DAY)

static void refuse(struct draft_drop *d, const char *why, const char *instead)
{
	buf_adds(&d->why, why);
	buf_adds(&d->instead, instead);
}

/* -- reasons that no rule cures ---------------------------------------------------------------------------------- */

static void refuse_reason(struct draft_drop *d, unsigned reason)
{
	const char *advice = words_reason_advice(reason);

	if (reason == REASON_APP_MISMATCH || reason == REASON_UNFITTING)
		advice = _("Find out what the machine sends. If it is wanted, change the application of the flow that names this port.");
	else if (reason == REASON_NO_MAIL_GATE)
		advice = _("Mail crosses by the mail gate: set up `mail inbound` or `mail outbound`.");
	else if (advice == NULL)
		advice = _("Find out why the machine sends this, and cure it there.");
	refuse(d, words_reason(reason), advice);
}

/* The flow is there and its time is not: a second one would only hide that. */
static bool refuse_time(struct draft_drop *d, const struct ir *ir)
{
	struct buf *b = &d->instead;

	if (d->decision.nearest == IR_NONE || d->decision.differs == 0 || (d->decision.differs & ~(uint32_t)TIMES) != 0)
		return false;
	const char *rule = ir_text(ir, ir->rules[d->decision.nearest].name);
	buf_printf(&d->why, _("the flow \"%s\" allows it, only not now: "), rule);
	words_differs(&d->why, d->decision.differs);
	buf_printf(b,
		(d->decision.differs & DIFFERS_EXPIRED) != 0
			? _("If it is still needed, renew its approval and set allow %s expires DATE.")
			: _("If it must run at this time, have the hours of %s approved anew."),
		rule);
	return true;
}

static bool single(const struct msg_drop_row *row)
{
	unsigned bits = row->family == 4 ? 32 : 128;

	return (row->family == 4 || row->family == 6) && row->src_len == bits && row->dst_len == bits;
}

static bool has_service(uint8_t proto)
{
	return proto == IPPROTO_TCP || proto == IPPROTO_UDP || proto == IPPROTO_ICMP || proto == IPPROTO_ICMPV6;
}

static bool refused(struct draft_drop *d, const struct ir *ir, const struct msg_drop_row *row)
{
	if (row->loss != 0)
		refuse(d, _("this record counts drops that were not recorded one by one"),
			_("Look for a record of the same machines."));
	else if (row->reason != REASON_NO_RULE)
		refuse_reason(d, row->reason);
	else if (!single(row))
		refuse(d, _("this record stands for many addresses"), _("Look for a record of one machine."));
	else if (!has_service(row->proto))
		refuse(d, _("a flow names TCP, UDP or ICMP, nothing else"),
			_("Find out why the machine sends this, and cure it there."));
	else if (d->decision.verdict != VERDICT_DROP)
		refuse(d, _("the policy lets this pass now"), _("Nothing is to be added; try it again."));
	else if (d->decision.reason != REASON_NO_RULE)
		refuse_reason(d, d->decision.reason);
	else
		return refuse_time(d, ir);
	return true;
}

/* -- the draft ---------------------------------------------------------------------------------------------------- */

/* The host with this address, or a new one: "host-10-1-0-5". */
static void put_end(struct draft_drop *d, const struct ir *ir, const struct matcher *m, const struct addr *a, struct buf *ret)
{
	char text[ADDR_TEXT_MAX], name[ADDR_TEXT_MAX];
	uint32_t host = matcher_host(m, a), segment = matcher_segment(m, a);

	if (host != IR_NONE) {
		buf_adds(ret, ir_text(ir, ir->hosts[host].name));
		return;
	}
	addr_format(a, text);
	addr_format(a, name);
	for (char *p = name; *p != '\0'; p++)
		if (*p == '.' || *p == ':')
			*p = '-';
	buf_printf(ret, "host-%s", name);
	buf_printf(&d->hosts, "set host %s segment %s address %s\n", buf_str(ret),
		segment == IR_NONE ? "\"\"" : ir_text(ir, ir->segments[segment].name), text);
}

void draft_drop(struct draft_drop *ret, const struct policy_file *f, const struct msg_drop_row *row)
{
	struct matcher *m = matcher_new(&f->ir);
	struct question q = {.src = ir_addr(row->family, row->src), .dst = ir_addr(row->family, row->dst), .proto = row->proto,
		.sport = row->sport, .dport = row->dport, .has_port = has_service(row->proto)};

	*ret = (struct draft_drop){.decision = {.nearest = IR_NONE, .rule = IR_NONE}};
	if (row->family == 4 || row->family == 6)
		matcher_decide(m, &q, f->at, &ret->decision);
	ret->ok = !refused(ret, &f->ir, row);
	if (ret->ok) {
		put_end(ret, &f->ir, m, &q.src, &ret->from);
		put_end(ret, &f->ir, m, &q.dst, &ret->to);
		words_service(&ret->service, row->proto, row->dport, true);
		buf_printf(&ret->name, "draft-%llu", (unsigned long long)row->sequence);
	}
	matcher_free(m);
}

void draft_drop_free(struct draft_drop *d)
{
	struct buf *all[] = {&d->why, &d->instead, &d->hosts, &d->name, &d->from, &d->to, &d->service};

	for (size_t i = 0; i < sizeof(all) / sizeof(all[0]); i++)
		buf_free(all[i]);
}

static void put_wrapped(struct buf *out, const char *before, struct buf *text)
{
	buf_adds(out, before);
	text_wrap(out, buf_str(text), text_width(before), 0);
	buf_addc(out, '\n');
	buf_free(text);
}

static void put_nearest(const struct draft_drop *d, const struct ir *ir, struct buf *out)
{
	struct buf b = {0};

	if (d->decision.nearest == IR_NONE)
		return;
	buf_printf(&b, _("the nearest flow is %s: "), ir_text(ir, ir->rules[d->decision.nearest].name));
	words_differs(&b, d->decision.differs);
	buf_adds(out, "# ");
	buf_add(out, b.data, b.len);
	buf_addc(out, '\n');
	buf_free(&b);
}

static void put_lines(struct draft_drop *d, struct buf *out)
{
	buf_add(out, d->hosts.data, d->hosts.len);
	buf_printf(out, "set allow %s from %s to %s service %s\n", buf_str(&d->name), buf_str(&d->from), buf_str(&d->to),
		buf_str(&d->service));
	buf_printf(out, "set allow %s purpose \"\" applicant \"\"\n", buf_str(&d->name));
}

void draft_drop_text(struct draft_drop *d, const struct policy_file *f, const struct msg_drop_row *row, struct buf *out)
{
	struct buf b = {0};
	char time[32];

	if (!d->ok) {
		buf_printf(&b, _("No allow rule can cure record %llu: %s"), (unsigned long long)row->sequence,
			buf_str(&d->why));
		put_wrapped(out, "", &b);
		buf_adds(&b, buf_str(&d->instead));
		put_wrapped(out, "  ", &b);
		return;
	}
	buf_printf(out, _("# Draft from record %llu of %s. It is approved by nobody: find out what it is, then fill in the form."),
		(unsigned long long)row->sequence, log_time_long(row->first_ns / 1000000000, time));
	buf_addc(out, '\n');
	put_nearest(d, &f->ir, out);
	put_lines(d, out);
}

/* -- the record --------------------------------------------------------------------------------------------------- */

struct wanted {
	uint64_t sequence;
	bool found;
	struct msg_drop_row row;
};

static bool take(void *arg, const struct msg *m)
{
	struct wanted *w = arg;

	w->found = m->u.msg_drop_row.sequence == w->sequence;
	if (w->found)
		w->row = m->u.msg_drop_row;
	return !w->found;
}

int draft_drop_read(struct console *c, const char *number, struct msg_drop_row *ret)
{
	struct msg_query q = {.verb = MSG_LOG_DROPS, .port = MSG_ANY_PORT, .all = 1, .limit = 1};
	struct wanted w = {0};
	struct msg_end end;
	char *rest;

	w.sequence = strtoull(number, &rest, 10);
	if (*rest != '\0' || number[0] < '0' || number[0] > '9' || w.sequence == 0)
		return console_fail(CONSOLE_USAGE, "%s", _("the number of a record is a number from 1 on; `draft from-drop` lists the newest"));
	if (w.sequence > 1)
		q.after = w.sequence - 1; /* then the oldest of those above comes first */
	else
		q.limit = 100000;
	int code = log_query(c, &q, MSG_DROP_ROW, take, &w, &end);
	if (code == CONSOLE_OK && !w.found)
		code = console_fail(CONSOLE_REFUSED, _("there is no record %s; `draft from-drop` lists the newest"), number);
	*ret = w.row;
	return code;
}

static bool list_row(void *arg, const struct msg *m)
{
	const struct msg_drop_row *d = &m->u.msg_drop_row;
	struct buf *out = arg, service = {0};
	struct addr src = ir_addr(d->family, d->src), dst = ir_addr(d->family, d->dst);
	char a[ADDR_TEXT_MAX], b[ADDR_TEXT_MAX], time[32];

	if (d->reason != REASON_NO_RULE || d->loss != 0 || !single(d) || d->sequence == 0)
		return true;
	words_service(&service, d->proto, d->dport, has_service(d->proto));
	buf_printf(out, "%10llu  %s  ", (unsigned long long)d->sequence, log_time_short(d->first_ns / 1000000000, time));
	text_safe(out, d->from);
	buf_adds(out, " -> ");
	text_safe(out, d->to);
	buf_printf(out, "  %s -> %s %s\n", addr_format(&src, a), addr_format(&dst, b), buf_str(&service));
	buf_free(&service);
	return true;
}

int draft_drop_list(struct console *c)
{
	struct msg_query q = {.verb = MSG_LOG_DROPS, .port = MSG_ANY_PORT, .limit = 20, .reason = REASON_NO_RULE};
	struct msg_end end;

	control_zone(c);
	int code = log_query(c, &q, MSG_DROP_ROW, list_row, &c->out, &end);
	if (code == CONSOLE_OK && c->out.len == 0)
		buf_adds(&c->out, _("no record is there of which a draft could be made\n"));
	else if (code == CONSOLE_OK)
		buf_adds(&c->out, _("Give the number in front: draft from-drop NUMBER\n"));
	return code;
}

/* -- the verb ----------------------------------------------------------------------------------------------------- */

static void print_json(struct draft_drop *d, const struct policy_file *f, const struct msg_drop_row *row, struct buf *out)
{
	struct json j = json_init(out);
	struct buf lines = {0};
	uint32_t nearest = d->decision.nearest;

	json_object(&j, NULL);
	json_uint(&j, "sequence", row->sequence);
	json_bool(&j, "ok", d->ok);
	json_str(&j, "reason", reason_word(row->reason));
	json_str(&j, "nearest", nearest == IR_NONE ? NULL : ir_text(&f->ir, f->ir.rules[nearest].name));
	words_differs_json(&j, "differs", nearest == IR_NONE ? 0 : d->decision.differs);
	if (d->ok)
		put_lines(d, &lines);
	json_str(&j, "lines", d->ok ? buf_str(&lines) : NULL);
	json_str(&j, "why", d->ok ? NULL : buf_str(&d->why));
	json_str(&j, "instead", d->ok ? NULL : buf_str(&d->instead));
	json_object_end(&j);
	buf_addc(out, '\n');
	buf_free(&lines);
}

int verb_draft_from_drop(struct console *c, const struct args *a)
{
	struct msg_drop_row row;
	struct policy_file f = {0};
	struct draft_drop d;

	if (a->nwords == 0)
		return draft_drop_list(c);
	int code = draft_drop_read(c, a->words[0], &row);
	if (code != CONSOLE_OK)
		return code;
	code = policy_file_running(&f, c, a);
	if (code == CONSOLE_OK && !f.usable)
		code = policy_file_refused(&f);
	if (code == CONSOLE_OK) {
		draft_drop(&d, &f, &row);
		if (c->json)
			print_json(&d, &f, &row, &c->out);
		else
			draft_drop_text(&d, &f, &row, &c->out);
		code = d.ok ? CONSOLE_OK : CONSOLE_REFUSED;
		draft_drop_free(&d);
	}
	policy_file_close(&f);
	return code;
}
