/*
 * record_show.c: one record as a form that can be printed, or as JSON: its first entry, then each further one.
 *
 * Input: what people wrote, shown escaped. A note has its lines behind TIMELINE_BREAK.
 */
#include "console.h"
#include "deeds.h"
#include "logquery.h"
#include "record.h"
#include "render.h"
#include "text.h"
#include "words.h"

#include <sekisho/clock.h>
#include <sekisho/json.h>

#include <stdio.h>
#include <string.h>

#define INDENT 16

static bool is_closed(const struct msg_record_row *rows, size_t n)
{
	for (size_t i = 0; i < n; i++)
		if (rows[i].it.what == MSG_RECORD_CLOSE)
			return true;
	return false;
}

/* -- JSON -------------------------------------------------------------------------------------------------- */

static const char *or_null(const char *text)
{
	return text[0] != '\0' ? text : NULL;
}

/* The lines of a note. fn is called for each, with its length. */
static void each_line(const char *note, void (*fn)(void *arg, const char *line, size_t n), void *arg)
{
	while (note[0] != '\0') {
		const char *end = strstr(note, TIMELINE_BREAK);
		size_t n = end != NULL ? (size_t)(end - note) : strlen(note);
		if (n > 0)
			fn(arg, note, n);
		note += n + (end != NULL ? strlen(TIMELINE_BREAK) : 0);
	}
}

static void json_line(void *arg, const char *line, size_t n)
{
	json_strn(arg, NULL, line, n);
}

static void entry_json(struct json *j, const struct msg_record_row *row)
{
	static const char *const whats[] = {"?", "new", "add", "close"};
	const struct msg_record *r = &row->it;
	char at[CLOCK_TEXT_MAX];

	json_object(j, NULL);
	json_uint(j, "sequence", row->sequence);
	json_str(j, "what", whats[r->what]);
	json_str(j, "at", log_time(row->at, at));
	json_str(j, "account", or_null(row->account));
	json_str(j, "role", deeds_role(row->role));
	json_uint(j, "uid", row->uid);
	json_str(j, "who", or_null(r->who));
	json_str(j, "occurred", log_time(r->occurred, at));
	json_str(j, "title", or_null(r->title));
	json_str(j, "cause", or_null(r->cause));
	json_str(j, "action", or_null(r->action));
	json_str(j, "prevention", or_null(r->prevention));
	json_array(j, "note");
	each_line(r->note, json_line, j);
	json_array_end(j);
	json_object_end(j);
}

static void print_json(struct buf *out, const struct msg_record_row *rows, size_t n)
{
	struct json j = json_init(out);

	json_object(&j, NULL);
	json_str(&j, "kind", record_word(rows[0].it.kind));
	json_uint(&j, "number", rows[0].it.number);
	json_str(&j, "state", is_closed(rows, n) ? "closed" : "open");
	json_array(&j, "entries");
	for (size_t i = 0; i < n; i++)
		entry_json(&j, &rows[i]);
	json_array_end(&j);
	json_object_end(&j);
	buf_addc(out, '\n');
}

/* -- The form ---------------------------------------------------------------------------------------------- */

static const struct field fields[] = {
	{NULL, N_("title"), 0}, {NULL, N_("occurred"), 0}, {NULL, N_("reporter"), 0}, {NULL, N_("cause"), 0},
	{NULL, N_("action"), 0}, {NULL, N_("prevention"), 0}, {NULL, N_("recorded"), 0}};

struct note {
	struct buf *out;
	bool first;
};

static void note_line(void *arg, const char *line, size_t n)
{
	struct note *note = arg;
	struct buf text = {0};

	buf_add(&text, line, n);
	if (note->first)
		text_pad(note->out, _("course"), INDENT);
	else
		text_spaces(note->out, INDENT);
	note->first = false;
	text_wrap(note->out, buf_str(&text), INDENT, INDENT);
	buf_addc(note->out, '\n');
	buf_free(&text);
}

static void entry_text(struct buf *out, const struct msg_record_row *row)
{
	struct render r = {.ops = &render_card, .out = out, .fields = fields, .nfields = sizeof(fields) / sizeof(fields[0])};
	const struct msg_record *w = &row->it;
	struct note note = {out, true};
	char at[32], recorded[200], when[32];

	snprintf(recorded, sizeof(recorded), "%s  %s (%s)", log_time_long(row->at, when), row->account, words_role(row->role));
	const struct value v[] = {value_name(w->title),
		value_text(w->occurred != 0 ? log_time_long(w->occurred, at) : NULL), value_name(w->who),
		value_name(w->cause), value_name(w->action), value_name(w->prevention), value_text(recorded)};
	render_row(&r, v);
	each_line(w->note, note_line, &note);
}

static void print_text(struct buf *out, const struct msg_record_row *rows, size_t n)
{
	static const char *const whats[] = {"?", N_("first entry"), N_("further entry"), N_("closed")};
	char at[32];

	buf_printf(out, _("%s no. %u: %s\n"), record_title(rows[0].it.kind), rows[0].it.number,
		is_closed(rows, n) ? _("closed") : _("open"));
	for (size_t i = 0; i < n; i++) {
		buf_printf(out, "\n-- %zu. %s  %s --\n", i + 1, _(whats[rows[i].it.what]), log_time_long(rows[i].at, at));
		entry_text(out, &rows[i]);
	}
}

void record_print(struct console *c, const struct msg_record_row *rows, size_t n)
{
	if (c->json)
		print_json(&c->out, rows, n);
	else
		print_text(&c->out, rows, n);
}
