/*
 * record_timeline.c: what the gate has recorded of a period, in a line each: the beginning of a record that a person writes.
 *
 * Input: rows of sekisho-logd. Limits: LINES_MAX lines are looked at, and what fits into the note; how many did not is said.
 */
#include "console.h"
#include "deeds.h"
#include "logquery.h"
#include "words.h"

#include <sekisho/clock.h>
#include <sekisho/reason.h>

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define LINES_MAX 500
#define LINE_BYTES 240
/* "(… further lines)" at the end. */
#define REST_BYTES 64

struct line {
	int64_t at;
	char text[LINE_BYTES];
};
struct lines {
	struct line line[LINES_MAX];
	size_t n, left_out;
};

static void add(struct lines *l, int64_t at, const char *what, const char *text)
{
	char when[32], all[LINE_BYTES + 64];

	if (l->n == LINES_MAX) {
		l->left_out++;
		return;
	}
	snprintf(all, sizeof(all), "%s %s: %s", log_time_short(at, when), what, text);
	l->line[l->n].at = at;
	msg_text(l->line[l->n++].text, LINE_BYTES, all);
}

static bool take_commit(void *arg, const struct msg *m)
{
	const struct msg_commit_row *w = &m->u.msg_commit_row;
	char text[LINE_BYTES];

	snprintf(text, sizeof(text), "%u, %.60s, %.120s", w->generation, w->who, w->why);
	add(arg, w->at, _("generation"), text);
	return true;
}

static bool take_fault(void *arg, const struct msg *m)
{
	const struct msg_fault_row *w = &m->u.msg_fault_row;
	struct buf text = {0};

	if (w->severity == MSG_SEVERITY_INFO)
		return true;
	words_fault(&text, w->code, w->text);
	add(arg, w->at, w->severity == MSG_SEVERITY_FAULT ? _("fault") : _("notice"), buf_str(&text));
	buf_free(&text);
	return true;
}

static bool take_login(void *arg, const struct msg *m)
{
	const struct msg_login *w = &m->u.msg_login_row.it;
	char text[LINE_BYTES];

	snprintf(text, sizeof(text), "%s %s", w->account, w->terminal);
	add(arg, w->at,
		w->event == MSG_LOGIN_BEGIN	? _("came")
		: w->event == MSG_LOGIN_REFUSED ? _("REFUSED")
						: _("left"),
		text);
	return true;
}

/* What the shell ran was a request where it mattered. */
static bool take_request(void *arg, const struct msg *m)
{
	const struct msg_work *w = &m->u.msg_command_row.it;
	char text[LINE_BYTES];

	if (w->kind != MSG_WORK_REQUEST)
		return true;
	snprintf(text, sizeof(text), "%.64s: %.140s", w->account, w->text);
	add(arg, w->at,
		w->result == MSG_WORK_DONE	? _("request")
		: w->result == MSG_WORK_REFUSED ? _("REFUSED")
						: _("failed"),
		text);
	return true;
}

static bool take_drops(void *arg, const struct msg *m)
{
	const struct msg_summary_row *w = &m->u.msg_summary_row;
	char text[LINE_BYTES];

	snprintf(text, sizeof(text), "%s -> %s: %s, %llu", w->from, w->to[0] != '\0' ? w->to : "?", reason_word(w->reason),
		(unsigned long long)w->packets);
	add(arg, w->first, _("blocked"), text);
	return true;
}

static int by_time(const void *a, const void *b)
{
	const struct line *x = a, *y = b;

	return x->at < y->at ? -1 : x->at > y->at ? 1 : 0;
}

/* As many lines as fit, the oldest first. */
static void join(const struct lines *l, char *dst, size_t size)
{
	size_t used = 0, i = 0;

	for (; i < l->n; i++) {
		size_t n = strlen(l->line[i].text) + (i > 0 ? strlen(TIMELINE_BREAK) : 0);
		if (used + n + REST_BYTES >= size)
			break;
		used += (size_t)snprintf(dst + used, size - used, "%s%s", i > 0 ? TIMELINE_BREAK : "", l->line[i].text);
	}
	if (i < l->n || l->left_out > 0)
		snprintf(dst + used, size - used, "%s", TIMELINE_BREAK "(…)");
}

int timeline_fill(struct console *c, int64_t since, int64_t until, char *dst, size_t size)
{
	static const struct {
		enum msg_log_verb verb;
		enum msg_type type;
		log_row_fn *take;
	} sources[] = {{MSG_LOG_COMMITS, MSG_COMMIT_ROW, take_commit}, {MSG_LOG_FAULTS, MSG_FAULT_ROW, take_fault},
		{MSG_LOG_LOGINS, MSG_LOGIN_ROW, take_login}, {MSG_LOG_COMMANDS, MSG_COMMAND_ROW, take_request},
		{MSG_LOG_SUMMARY, MSG_SUMMARY_ROW, take_drops}};
	struct lines *l = calloc(1, sizeof(*l));
	int code = l != NULL ? CONSOLE_OK : console_fail(CONSOLE_ENV, "%s", _("no memory"));

	for (size_t i = 0; i < sizeof(sources) / sizeof(sources[0]) && code == CONSOLE_OK; i++) {
		struct msg_query q = {.verb = sources[i].verb,
			.port = MSG_ANY_PORT,
			.since = since,
			.until = until,
			.limit = LINES_MAX};
		struct msg_end end;
		code = log_query(c, &q, sources[i].type, sources[i].take, l, &end);
	}
	if (code == CONSOLE_OK) {
		qsort(l->line, l->n, sizeof(l->line[0]), by_time);
		join(l, dst, size);
	}
	free(l);
	return code;
}
