/*
 * log_rows.c: `sekisho log faults` (障害記録) and `sekisho log commits` (変更履歴).
 */
#include "console.h"
#include "control.h"
#include "logquery.h"
#include "render.h"
#include "words.h"

#include <sekisho/clock.h>

static const struct field fault_fields[] = {
	{"sequence", NULL}, {"at", N_("time"), 14}, {"severity", N_("severity"), 8}, {"process", N_("process"), 13},
	{"code", NULL}, {"text", N_("what happened"), 0}};

static const struct field commit_fields[] = {
	{"sequence", NULL}, {"at", N_("time"), 14}, {"generation", N_("gen."), 6, true}, {"who", N_("who"), 14},
	{"approval", N_("approval"), 10}, {"why", N_("why"), 0}};

/* "info", "notice", "fault", and their words for people. */
static struct value severity(uint32_t s)
{
	static const char *const codes[] = {"info", "notice", "fault"};
	static const char *const words[] = {N_("info"), N_("notice"), N_("FAULT")};

	return s < 3 ? value_both(codes[s], _(words[s])) : value_text("?");
}

static bool take_fault(void *arg, const struct msg *m)
{
	const struct msg_fault_row *w = &m->u.msg_fault_row;
	char at[CLOCK_TEXT_MAX], shown[32];
	struct buf text = {0};

	words_fault(&text, w->code, w->text);
	buf_printf(&text, " [%s]", w->code);
	struct value v[] = {value_number(w->sequence),
		value_both(log_time(w->at, at), log_time_short(w->at, shown)), severity(w->severity),
		value_name(w->process), value_name(w->code), value_both(w->text, buf_str(&text))};
	render_row(arg, v);
	buf_free(&text);
	return true;
}

static bool take_commit(void *arg, const struct msg *m)
{
	const struct msg_commit_row *w = &m->u.msg_commit_row;
	char at[CLOCK_TEXT_MAX], shown[32];
	struct value v[] = {value_number(w->sequence), value_both(log_time(w->at, at), log_time_short(w->at, shown)),
		value_number(w->generation), value_name(w->who), value_name(w->approval), value_name(w->why)};

	render_row(arg, v);
	return true;
}

/* Both lists: a query without filters, rows into a table. */
static int list(struct console *c, const struct args *a, enum msg_log_verb verb, struct render *r)
{
	struct msg_query q = {.verb = verb, .port = MSG_ANY_PORT};
	bool faults = verb == MSG_LOG_FAULTS;
	struct msg_end end;

	control_zone(c);
	if (!log_query_args(a, &q))
		return CONSOLE_USAGE;
	r->ops = c->json ? &render_json : &render_table;
	r->out = &c->out;
	r->reversed = true;
	int code = log_query(
		c, &q, faults ? MSG_FAULT_ROW : MSG_COMMIT_ROW, faults ? take_fault : take_commit, r, &end);
	render_end(r);
	if (code != CONSOLE_OK || c->json)
		return code;
	if (r->nrows == 0)
		buf_adds(&c->out, _("nothing is recorded in this time\n"));
	else if (end.more)
		buf_printf(&c->out, _("(the newest %zu records; --limit shows more)\n"), r->nrows);
	return code;
}

int verb_log_faults(struct console *c, const struct args *a)
{
	struct render r = {.fields = fault_fields, .nfields = sizeof(fault_fields) / sizeof(fault_fields[0])};

	return list(c, a, MSG_LOG_FAULTS, &r);
}

int verb_log_commits(struct console *c, const struct args *a)
{
	struct render r = {.fields = commit_fields, .nfields = sizeof(commit_fields) / sizeof(commit_fields[0])};

	return list(c, a, MSG_LOG_COMMITS, &r);
}
