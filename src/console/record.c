/*
 * record.c: `sekisho record KIND new|add|close|list|show`: the records that people keep (事故・障害・作業・代理・例外措置・
 * 廃棄・訓練).
 *
 * Entries are only added. Texts come from the command line, are checked for length here, and stored by sekisho-logd with
 * who wrote them by the kernel's word. Limits: ROWS_MAX entries are looked at.
 */
#include "record.h"

#include "act.h"
#include "console.h"
#include "control.h"
#include "deeds.h"
#include "logquery.h"
#include "render.h"
#include "timearg.h"

#include <sekisho/clock.h>
#include <sekisho/json.h>

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define ANSWER_SECONDS 30
#define ROWS_MAX 5000

static const struct {
	const char *word, *title;
} kinds[MSG_RECORD_KINDS] = {
	[MSG_RECORD_INCIDENT] = {"incident", N_("incident")},
	[MSG_RECORD_FAULT] = {"fault", N_("fault")},
	[MSG_RECORD_WORK] = {"work", N_("work")},
	[MSG_RECORD_DEPUTY] = {"deputy", N_("deputy")},
	[MSG_RECORD_EXCEPTION] = {"exception", N_("exception")},
	[MSG_RECORD_DISPOSAL] = {"disposal", N_("disposal")},
	[MSG_RECORD_TRAINING] = {"training", N_("training")},
};

const char *record_word(uint32_t kind)
{
	return kind < MSG_RECORD_KINDS ? kinds[kind].word : NULL;
}

const char *record_title(uint32_t kind)
{
	return kind < MSG_RECORD_KINDS && kinds[kind].title != NULL ? _(kinds[kind].title) : "?";
}

uint32_t record_kind(const char *word)
{
	for (uint32_t i = 1; i < MSG_RECORD_KINDS; i++)
		if (strcmp(kinds[i].word, word) == 0)
			return i;
	return 0;
}

/* `record incident new`: the row above the verb's. */
static uint32_t kind_of(const struct args *a)
{
	return a->depth >= 2 ? record_kind(a->path[a->depth - 2]->word) : 0;
}

/* -- Writing ----------------------------------------------------------------------------------------------- */

static int fill_texts(const struct args *a, struct msg_record *r)
{
	const struct {
		const char *option;
		char *dst;
		size_t size;
	} texts[] = {{"--who", r->who, sizeof(r->who)}, {"--cause", r->cause, sizeof(r->cause)},
		{"--action", r->action, sizeof(r->action)}, {"--prevention", r->prevention, sizeof(r->prevention)},
		{"--note", r->note, sizeof(r->note)}};
	int code = CONSOLE_OK;

	for (size_t i = 0; i < sizeof(texts) / sizeof(texts[0]) && code == CONSOLE_OK; i++)
		code = act_fill(texts[i].dst, texts[i].size, texts[i].option, args_option(a, texts[i].option));
	if (code == CONSOLE_OK && r->who[0] == '\0')
		return console_fail(CONSOLE_USAGE, "%s", _("--who must not be empty"));
	return code;
}

static int time_option(const struct args *a, const char *option, bool end, int64_t *ret)
{
	const char *text = args_option(a, option);
	struct wall w = {0};

	if (text != NULL && !timearg_parse(text, clock_wall(), end, &w))
		return console_fail(CONSOLE_USAGE, _("\"%s\" is not a time (see: sekisho help times)"), text);
	*ret = w.sec;
	return CONSOLE_OK;
}

/* --since and --until: what the gate did then, behind the note. */
static int fill_timeline(struct console *c, const struct args *a, struct msg_record *r)
{
	int64_t since = 0, until = 0;
	size_t used = strlen(r->note);
	int code = time_option(a, "--since", false, &since);

	if (code == CONSOLE_OK)
		code = time_option(a, "--until", true, &until);
	if (code != CONSOLE_OK || (since == 0 && until == 0))
		return code;
	if (since == 0)
		return console_fail(CONSOLE_USAGE, "%s", _("--until needs --since: the time line begins there"));
	if (used > 0 && used + sizeof(TIMELINE_BREAK) < sizeof(r->note)) {
		memcpy(r->note + used, TIMELINE_BREAK, sizeof(TIMELINE_BREAK));
		used += strlen(TIMELINE_BREAK);
	}
	return timeline_fill(c, since, until != 0 ? until : clock_wall().sec, r->note + used, sizeof(r->note) - used);
}

static int print_written(struct console *c, const struct msg_record *r, const struct msg_end *end)
{
	if (!end->ok)
		return console_fail(CONSOLE_REFUSED, "%s", _(end->error));
	if (c->json) {
		struct json j = json_init(&c->out);
		json_object(&j, NULL);
		json_bool(&j, "ok", true);
		json_str(&j, "kind", record_word(r->kind));
		json_uint(&j, "number", end->checked);
		json_uint(&j, "sequence", end->last_sequence);
		json_object_end(&j);
		buf_addc(&c->out, '\n');
	} else {
		buf_printf(&c->out, _("recorded: %s no. %llu\n"), record_title(r->kind), (unsigned long long)end->checked);
	}
	return CONSOLE_OK;
}

static int write_entry(struct console *c, const struct msg_record *r)
{
	static const char *const whats[] = {"", "new", "add", "close"};
	struct msg_request q = {.verb = MSG_VERB_RECORD, .argument = r->number};
	char why[sizeof(q.why)];
	struct msg m;
	int fd = -1;

	snprintf(why, sizeof(why), "%s %s", record_word(r->kind), whats[r->what]);
	MSG_TEXT(q.who, r->who);
	MSG_TEXT(q.why, why);
	int code = control_open_log_as(c, &q, &fd);
	if (code != CONSOLE_OK)
		return code;
	if (msg_send(fd, MSG_RECORD, 1, r, NULL, 0) < 0)
		code = console_fail(CONSOLE_ENV, "%s", _("the gate has closed the connection"));
	else if (!control_receive(fd, ANSWER_SECONDS, &m))
		code = CONSOLE_ENV;
	else if (m.type != MSG_END)
		code = console_fail(CONSOLE_ENV, "%s", _("the gate answers in a form that this command does not know"));
	else
		code = print_written(c, r, &m.u.msg_end);
	msg_close_fd(fd);
	return code;
}

static int entry(struct console *c, const struct args *a, enum msg_record_what what)
{
	struct msg_record r = {.kind = kind_of(a), .what = what};
	int code = fill_texts(a, &r);

	control_zone(c);
	if (code == CONSOLE_OK && what == MSG_RECORD_NEW)
		code = act_fill(r.title, sizeof(r.title), "TITLE", a->words[0]);
	if (code == CONSOLE_OK && what != MSG_RECORD_NEW && (r.number = deeds_number(a->words[0])) == 0)
		code = console_fail(CONSOLE_USAGE, "%s", _("NUMBER is the number of a record, from 1 on"));
	if (code == CONSOLE_OK)
		code = time_option(a, "--occurred", false, &r.occurred);
	if (code == CONSOLE_OK)
		code = fill_timeline(c, a, &r);
	if (code == CONSOLE_OK && r.title[0] == '\0' && r.cause[0] == '\0' && r.action[0] == '\0' && r.prevention[0] == '\0' &&
		r.note[0] == '\0' && what != MSG_RECORD_CLOSE)
		code = console_fail(CONSOLE_USAGE, "%s", _("there is nothing to record: give a text"));
	return code == CONSOLE_OK ? write_entry(c, &r) : code;
}

int verb_record_new(struct console *c, const struct args *a)
{
	return entry(c, a, MSG_RECORD_NEW);
}

int verb_record_add(struct console *c, const struct args *a)
{
	return entry(c, a, MSG_RECORD_ADD);
}

int verb_record_close(struct console *c, const struct args *a)
{
	return entry(c, a, MSG_RECORD_CLOSE);
}

/* -- Reading ----------------------------------------------------------------------------------------------- */

struct entries {
	struct msg_record_row *rows; /* newest first, as they come */
	size_t n;
};

static bool take(void *arg, const struct msg *m)
{
	struct entries *e = arg;

	if (e->n == ROWS_MAX)
		return false;
	struct msg_record_row *more = realloc(e->rows, (e->n + 1) * sizeof(*more));
	if (more == NULL)
		return false;
	e->rows = more;
	e->rows[e->n++] = m->u.msg_record_row;
	return true;
}

static void turn_around(struct entries *e)
{
	for (size_t i = 0; i < e->n / 2; i++) {
		struct msg_record_row swap = e->rows[i];
		e->rows[i] = e->rows[e->n - 1 - i];
		e->rows[e->n - 1 - i] = swap;
	}
}

static int read_entries(struct console *c, struct msg_query *q, struct entries *ret)
{
	struct msg_end end;

	q->verb = MSG_LOG_RECORDS;
	q->port = MSG_ANY_PORT;
	q->limit = ROWS_MAX;
	int code = log_query(c, q, MSG_RECORD_ROW, take, ret, &end);
	turn_around(ret);
	return code;
}

int verb_record_show(struct console *c, const struct args *a)
{
	struct msg_query q = {.kind = kind_of(a), .number = deeds_number(a->words[0])};
	struct entries e = {0};

	if (q.number == 0)
		return console_fail(CONSOLE_USAGE, "%s", _("NUMBER is the number of a record, from 1 on"));
	control_zone(c);
	int code = read_entries(c, &q, &e);
	if (code == CONSOLE_OK && e.n == 0)
		code = console_fail(CONSOLE_REFUSED, _("there is no %s of number %u"), record_title(q.kind), q.number);
	else if (code == CONSOLE_OK)
		record_print(c, e.rows, e.n);
	free(e.rows);
	return code;
}

/* -- list -------------------------------------------------------------------------------------------------- */

static const struct field fields[] = {{"number", N_("no."), 5, true}, {"state", N_("state"), 8},
	{"occurred", N_("occurred"), 14}, {"who", N_("reporter"), 12}, {"title", N_("title"), 0},
	{"kind", NULL}, {"entries", NULL}, {"at", NULL}};

/* One record: its first entry, and what the later ones of the same number say. */
static void print_one(struct render *r, const struct entries *e, size_t first, bool open_only)
{
	const struct msg_record_row *row = &e->rows[first];
	char at[2][CLOCK_TEXT_MAX], shown[32];
	bool closed = false;
	uint64_t n = 0;

	for (size_t i = first; i < e->n; i++) {
		n += e->rows[i].it.number == row->it.number;
		closed |= e->rows[i].it.number == row->it.number && e->rows[i].it.what == MSG_RECORD_CLOSE;
	}
	if (closed && open_only)
		return;
	int64_t occurred = row->it.occurred != 0 ? row->it.occurred : row->at;
	struct value v[] = {value_number(row->it.number),
		value_both(closed ? "closed" : "open", closed ? _("closed") : _("open")),
		value_both(log_time(occurred, at[0]), log_time_short(occurred, shown)),
		value_name(row->it.who), value_name(row->it.title), value_text(record_word(row->it.kind)),
		value_number(n), value_text(log_time(row->at, at[1]))};
	render_row(r, v);
}

static bool is_first(const struct entries *e, size_t at)
{
	for (size_t i = 0; i < at; i++)
		if (e->rows[i].it.number == e->rows[at].it.number)
			return false;
	return true;
}

int verb_record_list(struct console *c, const struct args *a)
{
	struct render r = {.ops = c->json ? &render_json : &render_table, .out = &c->out, .fields = fields,
		.nfields = sizeof(fields) / sizeof(fields[0])};
	struct msg_query q = {.kind = kind_of(a)};
	struct entries e = {0};

	control_zone(c);
	int code = read_entries(c, &q, &e);
	for (size_t i = 0; i < e.n && code == CONSOLE_OK; i++)
		if (is_first(&e, i))
			print_one(&r, &e, i, args_option(a, "--open") != NULL);
	render_end(&r);
	free(e.rows);
	if (code == CONSOLE_OK && !c->json && r.nrows == 0)
		buf_adds(&c->out, _("there is no such record\n"));
	return code;
}
