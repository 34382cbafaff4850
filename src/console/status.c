/*
 * status.c: `sekisho status`: 正常, 注意 or 異常, why, and what to do.
 */
#include "alarm.h"
#include "console.h"
#include "control.h"
#include "logquery.h"
#include "render.h"
#include "text.h"
#include "words.h"

#include <sekisho/arena.h>
#include <sekisho/clock.h>
#include <sekisho/cut.h>
#include <sekisho/finding.h>
#include <sekisho/inspect.h>
#include <sekisho/json.h>

#include <errno.h>
#include <stdio.h>
#include <string.h>

/* Findings in the order of what matters: abnormal first, else as the gate told them. */
static size_t order_findings(const struct msg_status *s, const struct msg_finding *ret[MSG_FINDINGS_MAX])
{
	size_t n = 0;

	for (int health = MSG_ABNORMAL; health >= MSG_OK; health--)
		for (uint32_t i = 0; i < s->nfindings && i < MSG_FINDINGS_MAX; i++)
			if (s->findings[i].health == (uint32_t)health)
				ret[n++] = &s->findings[i];
	return n;
}

static uint64_t total(const uint64_t counts[REASON_END])
{
	uint64_t sum = 0;

	for (unsigned i = 1; i < REASON_END; i++)
		sum += counts[i];
	return sum;
}

static void finding_json(struct json *j, const struct msg_finding *f)
{
	const char *advice = words_finding_advice(f->code);
	struct buf text = {0};

	words_finding_text(&text, f->text);
	json_object(j, NULL);
	json_str(j, "health", words_health_code(f->health));
	json_str(j, "code", f->code);
	json_str(j, "text", buf_str(&text));
	json_str(j, "advice", advice);
	json_object_end(j);
	buf_free(&text);
}

static void counts_json(struct json *j, const char *key, const uint64_t counts[REASON_END])
{
	json_object(j, key);
	for (unsigned i = 1; i < REASON_END; i++)
		if (counts[i] != 0)
			json_uint(j, reason_word(i), counts[i]);
	json_object_end(j);
}

static void log_json(struct json *j, const struct msg_log_status *l)
{
	char oldest[CLOCK_TEXT_MAX], newest[CLOCK_TEXT_MAX];

	json_object(j, "log");
	json_bool(j, "writable", l->writable != 0);
	json_uint(j, "rows", l->rows);
	json_str(j, "oldest", log_time(l->oldest, oldest));
	json_str(j, "newest", log_time(l->newest, newest));
	json_uint(j, "bytes_used", l->bytes_used);
	json_uint(j, "bytes_free", l->bytes_free);
	counts_json(j, "stored", l->stored);
	counts_json(j, "loss", l->loss);
	json_object_end(j);
}

static const char *const inspector_states[] = {"away", "starting", "well"};

static void inspector_json(struct json *j, const struct msg_inspector *in)
{
	const struct msg_inspect_status *s = &in->status;

	json_object(j, "inspector");
	json_str(j, "state", inspector_states[in->state]);
	json_uint(j, "starts", in->starts);
	json_uint(j, "flows", s->flows_now);
	json_uint(j, "flows_max", s->flows_max);
	json_uint(j, "undecided", s->undecided_now);
	json_uint(j, "unanswered", s->unanswered_now);
	json_uint(j, "packets", s->packets);
	json_uint(j, "passed", s->passed);
	json_uint(j, "refused", s->refused);
	json_uint(j, "dropped", s->dropped);
	json_uint(j, "memory", s->memory_now);
	json_uint(j, "waiting", in->waiting);
	json_uint(j, "abandoned", in->abandoned);
	json_uint(j, "overflows", in->overflows);
	json_uint(j, "pinholes", in->pinholes);
	json_uint(j, "pinholes_refused", in->pinholes_refused);
	json_object(j, "why");
	for (unsigned i = 1; i < WHY_END; i++)
		if (s->why[i] != 0)
			json_uint(j, inspect_why_word(i), s->why[i]);
	json_object_end(j);
	json_object_end(j);
}

static void print_json(struct buf *out, const struct msg_status *s)
{
	const struct msg_finding *f[MSG_FINDINGS_MAX];
	char committed[CLOCK_TEXT_MAX], started[CLOCK_TEXT_MAX];
	size_t n = order_findings(s, f);
	struct json j = json_init(out);

	json_object(&j, NULL);
	json_str(&j, "health", words_health_code(s->health));
	json_str(&j, "hostname", s->hostname);
	json_bool(&j, "open", s->gate_open != 0);
	json_uint(&j, "generation", s->generation);
	json_str(&j, "committed_at", log_time(s->committed_at, committed));
	json_str(&j, "started_at", log_time(s->started_at, started));
	json_bool(&j, "clock_trusted", s->clock_trusted != 0);
	json_uint(&j, "rules", s->nrules);
	json_uint(&j, "boxes_open", s->nboxes_open);
	json_uint(&j, "boxes_timed_closed", s->nboxes_timed_closed);
	json_uint(&j, "connections", s->conntrack_count);
	json_uint(&j, "connections_max", s->conntrack_max);
	if (s->confirm_by != 0) {
		char by[CLOCK_TEXT_MAX];
		json_str(&j, "confirm_by", log_time(s->confirm_by, by));
		json_uint(&j, "confirm_else", s->confirm_else);
	}
	json_uint(&j, "cuts", s->ncuts);
	json_str(&j, "level", level_word(s->level));
	json_uint(&j, "freezes_held", s->nfrozen);
	json_array(&j, "findings");
	for (size_t i = 0; i < n; i++)
		finding_json(&j, f[i]);
	json_array_end(&j);
	counts_json(&j, "dropped", s->dropped);
	inspector_json(&j, &s->inspector);
	log_json(&j, &s->log);
	alarm_json(&j, &s->alarm);
	json_object_end(&j);
	buf_addc(out, '\n');
}

static const char *gate_text(const struct msg_status *s)
{
	return s->gate_open ? _("open: approved flows pass") : _("CLOSED: nothing passes");
}

static const char *generation_text(struct arena *a, const struct msg_status *s)
{
	char at[32];

	if (s->generation == 0)
		return _("none");
	const char *text = arena_printf(a, _("%u, in force since %s"), s->generation, log_time_long(s->committed_at, at));
	return s->confirm_by == 0 ? text : arena_printf(a, _("%s; UNCONFIRMED: %u returns at %s unless `sekisho confirm` comes"), text,
		s->confirm_else, log_time_short(s->confirm_by, at));
}

/* "1.5 GB" */
static const char *size_text(struct arena *a, uint64_t bytes)
{
	static const char *const units[] = {"B", "kB", "MB", "GB", "TB"};
	size_t u = 0;
	double v = (double)bytes;

	for (; v >= 1000 && u < 4; u++)
		v /= 1000;
	return arena_printf(a, u == 0 ? "%.0f %s" : "%.1f %s", v, units[u]);
}

static const char *log_text(struct arena *a, const struct msg_log_status *l)
{
	char oldest[32];
	uint64_t lost = total(l->loss);
	const char *text = l->rows == 0 ? _("none") : arena_printf(a, _("%llu records since %s, %s used, %s free"),
		(unsigned long long)l->rows, log_time_long(l->oldest, oldest), size_text(a, l->bytes_used),
		size_text(a, l->bytes_free));

	if (!l->writable)
		text = arena_printf(a, _("%s; CANNOT BE WRITTEN"), text);
	return lost == 0 ? text
			 : arena_printf(a, _("%s; %llu packets counted but not recorded"), text,
				   (unsigned long long)lost);
}

/* "running: 12 connections, 3 undecided; 7 refused (other-protocol 5, server-name 2)" */
static const char *inspector_text(struct arena *a, const struct msg_inspector *in)
{
	const struct msg_inspect_status *s = &in->status;
	const char *text, *whys = "";

	if (in->state != MSG_INSPECTOR_WELL)
		return in->state == MSG_INSPECTOR_STARTING ? _("starting") : _("NOT running: what must be verified is refused");
	for (unsigned i = 1; i < WHY_END; i++)
		if (s->why[i] != 0)
			whys = arena_printf(a, "%s%s%s %llu", whys, whys[0] != '\0' ? ", " : "", inspect_why_word(i),
				(unsigned long long)s->why[i]);
	text = arena_printf(a, _("running: %u connections, %u undecided; %llu passed, %llu refused"), s->flows_now,
		s->undecided_now, (unsigned long long)s->passed, (unsigned long long)s->refused);
	return whys[0] == '\0' ? text : arena_printf(a, "%s (%s)", text, whys);
}

static void print_card(struct buf *out, const struct msg_status *s)
{
	static const struct field fields[] = {{NULL, N_("state")}, {NULL, N_("device")}, {NULL, N_("gate")},
		{NULL, N_("generation")}, {NULL, N_("approved flows")}, {NULL, N_("connections")},
		{NULL, N_("inspector")}, {NULL, N_("blocked")}, {NULL, N_("records")}, {NULL, N_("alarm mail")},
		{NULL, N_("clock")}};
	struct render r = {.ops = &render_card,
		.out = out,
		.fields = fields,
		.nfields = sizeof(fields) / sizeof(fields[0])};
	struct arena *a = arena_new();

	if (a == NULL)
		return;
	struct value values[] = {value_text(words_health(s->health)), value_name(s->hostname), value_text(gate_text(s)),
		value_text(generation_text(a, s)),
		value_text(arena_printf(a, _("%u, of which %u entries are open now and %u outside their time"), s->nrules,
			s->nboxes_open, s->nboxes_timed_closed)),
		value_text(arena_printf(a, _("%u of at most %u"), s->conntrack_count, s->conntrack_max)),
		value_text(inspector_text(a, &s->inspector)),
		value_text(arena_printf(a, _("%llu packets"), (unsigned long long)total(s->dropped))), value_text(log_text(a, &s->log)),
		value_text(alarm_text(a, &s->alarm)),
		value_text(s->clock_trusted ? _("trusted") : _("NOT trusted: flows with hours or an end are closed"))};
	render_row(&r, values);
	render_end(&r);
	arena_free(a);
}

/* `last`: no finding of the same code follows; the advice is given once for all of them. */
static void print_finding(struct buf *out, const struct msg_finding *f, bool last)
{
	const char *advice = words_finding_advice(f->code);
	struct buf line = {0};

	buf_printf(&line, "[%s] ", words_health(f->health));
	words_finding_text(&line, f->text);
	buf_printf(&line, " [%s]", f->code);
	text_wrap(out, buf_str(&line), 0, 4);
	buf_addc(out, '\n');
	if (advice != NULL && last) {
		text_spaces(out, 4);
		text_wrap(out, advice, 4, 4);
		buf_addc(out, '\n');
	}
	buf_free(&line);
}

static void print_text(struct buf *out, const struct msg_status *s)
{
	const struct msg_finding *f[MSG_FINDINGS_MAX];
	size_t n = order_findings(s, f);

	print_card(out, s);
	if (n > 0)
		buf_addc(out, '\n');
	for (size_t i = 0; i < n; i++)
		print_finding(out, f[i], i + 1 == n || strcmp(f[i]->code, f[i + 1]->code) != 0);
}

int verb_status(struct console *c, const struct args *a)
{
	struct msg_request q = {.verb = MSG_VERB_STATUS};
	struct msg m;
	int code = control_ask(c, &q, -1, MSG_STATUS, &m);

	if (code != CONSOLE_OK)
		return code;
	clock_set_zone(m.u.msg_status.timezone);
	if (c->json)
		print_json(&c->out, &m.u.msg_status);
	else
		print_text(&c->out, &m.u.msg_status);
	msg_close_fds(&m);
	return args_option(a, "--check") != NULL && m.u.msg_status.health != MSG_OK ? CONSOLE_REFUSED : CONSOLE_OK;
}
