/*
 * flows.c: frames to the inspector, and the flows that come out of it as rows.
 *
 * A row says of a flow what the gate would have done with it: the policy's own answer first (no rule: blocked; a rule
 * without application: allowed), and where the rule names an application the inspector's. Server names are the network's
 * bytes: they are escaped like everything else that is printed.
 */
#include "flows.h"

#include "capture.h"
#include "render.h"
#include "words.h"

#include <sekisho/arena.h>
#include <sekisho/clock.h>
#include <sekisho/json.h>
#include <sekisho/unset.h>

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/random.h>

#define FLUSH_BYTES (256u << 10)

bool judges_init(struct judges *j, struct arena *a, const struct ir *ir, struct wall at)
{
	*j = (struct judges){.ir = ir, .at = at};
	if (ir == NULL)
		return true;
	j->matcher = matcher_new(ir);
	j->npolicies = ir->nverifieds;
	j->policy = ARENA_ARRAY(a, j->npolicies + 1, struct verify_policy);
	for (uint32_t i = 1; i <= j->npolicies; i++)
		if (!ir_verify_policy(ir, i, a, &j->policy[i]))
			return false;
	return true;
}

void judges_free(struct judges *j)
{
	matcher_free(j->matcher);
}

/* -- what the policy says -------------------------------------------------------------------------------------- */

static struct question question_of(const struct addr *client, const struct addr *server, uint8_t l4, uint16_t sport,
	uint16_t dport)
{
	return (struct question){.src = *client, .dst = *server, .proto = l4, .sport = sport, .dport = dport, .has_port = true};
}

static const struct verify_policy *policy_of(void *arg, const struct packet *p, uint32_t *ret_tag)
{
	const struct flows *f = arg;
	const struct judges *j = f->judges;
	struct decision d;

	*ret_tag = IR_NONE;
	if (j->has_as)
		return &j->as;
	struct question q = question_of(&p->src, &p->dst, p->l4, p->sport, p->dport);
	matcher_decide(j->matcher, &q, j->at, &d);
	*ret_tag = d.rule;
	if (d.verdict != VERDICT_INSPECT || d.rule == IR_NONE)
		return NULL;
	uint32_t verified = j->ir->rules[d.rule].verified;
	return verified == 0 || verified > j->npolicies ? NULL : &j->policy[verified];
}

struct row {
	const struct inspect_flow *flow;
	const char *verdict, *shown; /* for programs, for people */
	const char *reason;	     /* NULL = none */
	unsigned reason_code;
	bool inspected; /* the verdict is the inspector's */
	struct decision decision;
};

static void judge_by_inspector(struct row *r)
{
	const struct inspect_flow *f = r->flow;

	r->inspected = true;
	if (f->code == INSPECT_REFUSE) {
		r->verdict = "refuse";
		r->shown = _("blocked");
		r->reason_code = REASON_APP_MISMATCH;
	} else if (f->verified) {
		r->verdict = "pass";
		r->shown = _("verified");
	} else {
		r->verdict = "undecided";
		r->shown = _("undecided");
	}
}

static struct row row_of(const struct flows *f, const struct inspect_flow *flow)
{
	const struct judges *j = f->judges;
	struct row r = {.flow = flow, .decision = {.rule = IR_NONE, .nearest = IR_NONE, .from = IR_NONE, .to = IR_NONE}};

	if (j->ir != NULL && !j->has_as) {
		struct question q = question_of(&flow->client, &flow->server, flow->l4, flow->client_port, flow->server_port);
		matcher_decide(j->matcher, &q, j->at, &r.decision);
		r.verdict = verdict_word(r.decision.verdict);
		r.shown = words_verdict(r.decision.verdict);
		r.reason_code = r.decision.reason;
		if (r.decision.verdict == VERDICT_INSPECT && !f->identify)
			judge_by_inspector(&r);
	} else if (j->has_as) {
		judge_by_inspector(&r);
	}
	if (r.reason_code != REASON_NONE)
		r.reason = reason_word(r.reason_code);
	return r;
}

static bool is_refused(const struct row *r)
{
	return r->reason_code != REASON_NONE;
}

/* -- rows -------------------------------------------------------------------------------------------------------- */

static const char *application_or_null(enum application a)
{
	return a == APP_NONE ? NULL : application_word(a);
}

static const char *segment_name(const struct flows *f, uint32_t segment)
{
	if (segment == IR_NONE || f->judges->ir == NULL)
		return NULL;
	return ir_text(f->judges->ir, f->judges->ir->segments[segment].name);
}

static const char *rule_name(const struct flows *f, uint32_t rule)
{
	return rule == IR_NONE ? NULL : ir_text(f->judges->ir, f->judges->ir->rules[rule].name);
}

static void put_time(struct json *j, const char *key, int64_t ns)
{
	struct buf b = {0};

	buf_printf(&b, "%lld.%06lld", (long long)(ns / 1000000000), (long long)(ns % 1000000000 / 1000));
	json_str(j, key, buf_str(&b));
	buf_free(&b);
}

static void row_json(struct flows *f, const struct row *r)
{
	const struct inspect_flow *w = r->flow;
	struct json j = json_init(&f->c->out);
	char text[ADDR_TEXT_MAX], proto[8];
	bool refused = w->code == INSPECT_REFUSE && (r->inspected || r->verdict == NULL);

	json_object(&j, NULL);
	if (f->file != NULL)
		json_str(&j, "file", f->file);
	put_time(&j, "first", w->first);
	put_time(&j, "last", w->last);
	json_str(&j, "src", addr_format(&w->client, text));
	json_uint(&j, "sport", w->client_port);
	json_str(&j, "dst", addr_format(&w->server, text));
	json_uint(&j, "dport", w->server_port);
	json_str(&j, "proto", words_protocol(w->l4, proto));
	json_str(&j, "from", segment_name(f, r->decision.from));
	json_str(&j, "to", segment_name(f, r->decision.to));
	json_str(&j, "application", application_or_null(w->application));
	json_str(&j, "verdict", r->verdict);
	json_str(&j, "rule", rule_name(f, r->decision.rule));
	json_str(&j, "reason", r->reason);
	json_str(&j, "why", refused ? inspect_why_word(w->why) : NULL);
	json_str(&j, "seen", refused ? application_or_null(w->seen) : NULL);
	json_uint(&j, "level", w->level);
	json_uint(&j, "packets", w->packets[0] + w->packets[1]);
	json_uint(&j, "bytes", w->bytes[0] + w->bytes[1]);
	json_array(&j, "decided_after");
	json_uint(&j, NULL, w->payload_packets[0]);
	json_uint(&j, NULL, w->payload_packets[1]);
	json_array_end(&j);
	json_str(&j, "server_name", w->server_name[0] == '\0' ? NULL : w->server_name);
	json_object_end(&j);
	buf_addc(&f->c->out, '\n');
}

/* "10.2.0.8 tcp/443" */
static const char *service_at(struct buf *b, const struct inspect_flow *w)
{
	char text[ADDR_TEXT_MAX];

	buf_printf(b, "%s ", addr_format(&w->server, text));
	words_service(b, w->l4, w->server_port, true);
	return buf_str(b);
}

/* "server-name ... : another server name than the rule's" or the rule, the host, the nearest rule. */
static void put_remark(const struct flows *f, const struct row *r, struct buf *b)
{
	const struct inspect_flow *w = r->flow;

	if (r->decision.rule != IR_NONE)
		buf_printf(b, "%s ", rule_name(f, r->decision.rule));
	if (r->inspected && w->code == INSPECT_REFUSE) {
		buf_adds(b, _(inspect_why_text(w->why)));
		if (w->seen != APP_NONE)
			buf_printf(b, " (%s)", application_word(w->seen));
	} else if (is_refused(r)) {
		buf_adds(b, words_reason(r->reason_code));
	}
	if (w->server_name[0] != '\0')
		buf_printf(b, " %s", w->server_name);
}

static void row_text(struct flows *f, const struct row *r)
{
	static const struct field fields[] = {{NULL, N_("client"), 15, false}, {NULL, N_("server"), 23, false},
		{NULL, N_("application"), 11, false}, {NULL, N_("verdict"), 8, false}, {NULL, N_("remark"), 0, false}};
	struct render out = {.ops = &render_table,
		.out = &f->c->out,
		.fields = fields,
		.nfields = sizeof(fields) / sizeof(fields[0]),
		.nrows = f->headed ? 1 : 0};
	const struct inspect_flow *w = r->flow;
	char client[ADDR_TEXT_MAX];
	struct buf remark = {0}, server = {0};

	put_remark(f, r, &remark);
	struct value values[] = {value_text(addr_format(&w->client, client)), value_text(service_at(&server, w)),
		value_text(application_or_null(w->application)), value_text(r->shown), value_name(buf_str(&remark))};
	render_row(&out, values);
	render_end(&out);
	f->headed = true;
	buf_free(&remark);
	buf_free(&server);
}

/* -- the inspector's hooks ----------------------------------------------------------------------------------------- */

static void count(struct flows *f, const struct row *r)
{
	const struct inspect_flow *w = r->flow;
	struct flow_totals *t = &f->totals;

	t->flows++;
	t->packets += w->packets[0] + w->packets[1];
	t->bytes += w->bytes[0] + w->bytes[1];
	t->application[w->application < FLOWS_APPS ? w->application : APP_NONE]++;
	if (w->code == INSPECT_REFUSE && (r->inspected || r->verdict == NULL))
		t->why[w->why]++;
	if (r->verdict == NULL || r->inspected) {
		bool passed = w->verified;
		t->passed += passed;
		t->refused += w->code == INSPECT_REFUSE;
		t->undecided += !passed && w->code != INSPECT_REFUSE;
		t->decided_early += passed && w->payload_packets[0] <= 2 && w->payload_packets[1] <= 2;
	} else if (is_refused(r)) {
		t->dropped++;
	} else {
		t->allowed++;
	}
}

static void add_traffic(struct flows *f, const struct row *r)
{
	const struct inspect_flow *w = r->flow;
	struct talk like = {.client = w->client,
		.server = w->server,
		.l4 = w->l4,
		.port = w->server_port,
		.application = (uint8_t)w->application,
		.flows = 1,
		.packets = w->packets[0] + w->packets[1],
		.bytes = w->bytes[0] + w->bytes[1],
		.first = w->first / 1000000000,
		.last = w->last / 1000000000};

	/* What the policy grants already needs no draft. */
	if (r->verdict == NULL || r->decision.verdict == VERDICT_DROP)
		traffic_add(f->traffic, &like, w->server_name);
}

static void on_ended(void *arg, const struct inspect_flow *flow)
{
	struct flows *f = arg;
	struct row r = row_of(f, flow);

	count(f, &r);
	if (f->traffic != NULL)
		add_traffic(f, &r);
	if (!f->rows || f->closed || (f->only_wrong && !is_refused(&r)))
		return;
	if (f->c->json)
		row_json(f, &r);
	else
		row_text(f, &r);
	if (f->c->out.len > FLUSH_BYTES && !console_flush(f->c))
		f->closed = true;
}

bool flows_begin(struct flows *f, uint32_t flows, bool lenient)
{
	struct inspect_options opt = {.flows = flows, .lenient = lenient, .keep_passed = true};
	bool judged = !f->identify && (f->judges->ir != NULL || f->judges->has_as);
	struct inspect_hooks hooks = {.arg = f, .policy = judged ? policy_of : NULL, .ended = on_ended};

	if (getrandom(opt.secret, sizeof(opt.secret), 0) != (ssize_t)sizeof(opt.secret))
		return false;
	f->inspector = inspector_new(&opt, &hooks);
	return f->inspector != NULL;
}

void flows_end(struct flows *f)
{
	inspector_free(f->inspector);
	f->inspector = NULL;
}

void flows_frames(struct flows *f, const struct frame *frame, int n)
{
	struct packet p[FLOWS_BATCH] UNSET;
	size_t k = 0;

	for (const struct frame *w = frame; w < frame + n; w++) {
		p[k].at = w->at;
		packet_decode(&p[k], w->linktype, w->p, w->captured, w->wire, f->decode);
		f->totals.frames++;
		f->totals.frame_bytes += w->wire;
		if (p[k].kind == PACKET_OTHER)
			f->totals.other_frames++;
		else
			k++;
	}
	inspector_packets(f->inspector, p, k);
}

/* -- totals ---------------------------------------------------------------------------------------------------------- */

static void totals_json(const struct flow_totals *t, struct buf *out, int64_t cpu_ns)
{
	struct json j = json_init(out);

	json_object(&j, NULL);
	json_uint(&j, "frames", t->frames);
	json_uint(&j, "frame_bytes", t->frame_bytes);
	json_uint(&j, "frames_without_flow", t->other_frames);
	json_uint(&j, "flows", t->flows);
	json_uint(&j, "passed", t->passed);
	json_uint(&j, "refused", t->refused);
	json_uint(&j, "undecided", t->undecided);
	json_uint(&j, "allowed", t->allowed);
	json_uint(&j, "dropped", t->dropped);
	json_uint(&j, "decided_within_two", t->decided_early);
	json_object(&j, "applications");
	for (unsigned a = 0; a < FLOWS_APPS; a++)
		if (t->application[a] > 0)
			json_uint(&j, application_word((enum application)a), t->application[a]);
	json_object_end(&j);
	json_object(&j, "whys");
	for (unsigned w = 1; w < WHY_END; w++)
		if (t->why[w] > 0)
			json_uint(&j, inspect_why_word(w), t->why[w]);
	json_object_end(&j);
	if (cpu_ns > 0) {
		json_uint(&j, "cpu_us", (uint64_t)cpu_ns / 1000);
		json_uint(&j, "frames_per_cpu_second", (uint64_t)((double)t->frames * 1e9 / (double)cpu_ns));
	}
	json_object_end(&j);
	buf_addc(out, '\n');
}

static void totals_text(const struct flow_totals *t, struct buf *out, int64_t cpu_ns)
{
	buf_printf(out, _("%llu frames, %llu bytes, %llu flows\n"), (unsigned long long)t->frames, (unsigned long long)t->frame_bytes,
		(unsigned long long)t->flows);
	buf_printf(out, _("verified %llu (%llu of them within two packets with data each way), blocked %llu, undecided %llu\n"),
		(unsigned long long)t->passed, (unsigned long long)t->decided_early, (unsigned long long)t->refused,
		(unsigned long long)t->undecided);
	if (t->allowed + t->dropped > 0)
		buf_printf(out, _("by rules without application: allowed %llu, blocked %llu\n"), (unsigned long long)t->allowed,
			(unsigned long long)t->dropped);
	for (unsigned a = 1; a < FLOWS_APPS; a++)
		if (t->application[a] > 0)
			buf_printf(out, "  %-12s %llu\n", application_word((enum application)a), (unsigned long long)t->application[a]);
	for (unsigned w = 1; w < WHY_END; w++)
		if (t->why[w] > 0)
			buf_printf(out, "  %-16s %8llu  %s\n", inspect_why_word(w), (unsigned long long)t->why[w], _(inspect_why_text(w)));
	if (cpu_ns > 0)
		buf_printf(out, _("%.3f seconds of CPU, %.2f million frames a CPU second\n"), (double)cpu_ns / 1e9,
			(double)t->frames * 1e3 / (double)cpu_ns);
}

void flows_totals(const struct flows *f, struct buf *out, bool as_json, int64_t cpu_ns)
{
	if (as_json)
		totals_json(&f->totals, out, cpu_ns);
	else
		totals_text(&f->totals, out, cpu_ns);
}
