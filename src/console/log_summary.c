/*
 * log_summary.c: `sekisho log summary`: blocked packets by reason and segments, most first.
 */
#include "console.h"
#include "control.h"
#include "logquery.h"
#include "render.h"
#include "words.h"

#include <sekisho/clock.h>

static const struct field fields[] = {
	{"packets", N_("packets"), 10, true}, {"records", NULL}, {"loss", NULL}, {"from", N_("from"), 10},
	{"to", N_("to"), 10}, {"first", NULL}, {"last", N_("last"), 14}, {"reason", N_("reason"), 0}};

struct summary {
	struct console *c;
	struct render r;
	uint64_t packets;
};

static bool take_row(void *arg, const struct msg *m)
{
	struct summary *s = arg;
	const struct msg_summary_row *w = &m->u.msg_summary_row;
	char first[CLOCK_TEXT_MAX], last[CLOCK_TEXT_MAX], shown[32];
	struct buf reason = {0};

	buf_printf(&reason, "%s [%s]", w->loss == MSG_LOSS_NONE ? words_reason(w->reason) : _("RECORDS LOST"),
		reason_word(w->reason));
	struct value v[] = {value_number(w->packets), value_number(w->rows),
		value_text(w->loss == MSG_LOSS_NONE ? NULL : w->loss == MSG_LOSS_FOUND ? "found" : "lost"),
		value_name(w->from), value_name(w->to), value_text(log_time(w->first, first)),
		value_both(log_time(w->last, last), log_time_short(w->last, shown)),
		value_both(reason_word(w->reason), buf_str(&reason))};
	render_row(&s->r, v);
	buf_free(&reason);
	if (w->loss == MSG_LOSS_FOUND)
		s->packets -= w->packets;
	else
		s->packets += w->packets;
	return true;
}

int verb_log_summary(struct console *c, const struct args *a)
{
	struct msg_query q = {.verb = MSG_LOG_SUMMARY, .port = MSG_ANY_PORT};
	struct summary s = {.c = c, .r = {.ops = c->json ? &render_json : &render_table, .out = &c->out,
					     .fields = fields, .nfields = sizeof(fields) / sizeof(fields[0])}};
	struct msg_end end;

	control_zone(c);
	if (!log_query_args(a, &q))
		return CONSOLE_USAGE;
	int code = log_query(c, &q, MSG_SUMMARY_ROW, take_row, &s, &end);
	render_end(&s.r);
	if (code != CONSOLE_OK || c->json)
		return code;
	if (s.r.nrows == 0)
		buf_adds(&c->out, _("nothing was blocked in this time\n"));
	else
		buf_printf(&c->out, _("%llu packets in all\n"), (unsigned long long)s.packets);
	return code;
}
