/*
 * ledger.c: `sekisho ledger`: the approved flows of a policy as the ledger of permitted traffic (通信許可台帳).
 *
 * One card, or one JSON object on a line, for each flow: what it is in the law's words, its ends, what is verified of
 * it, what for and for whom, who approved, from when to when, and how it stands at the moment asked for. All of it is
 * in the policy file; nothing is asked of the gate. A screen protocol that cannot be verified is called so each time.
 */
#include "ledger.h"

#include "console.h"
#include "control.h"
#include "render.h"
#include "sheet.h"
#include "text.h"

#include <sekisho/arena.h>
#include <sekisho/json.h>
#include <sekisho/model.h>

#include <stdio.h>
#include <string.h>

/* -- what it is ----------------------------------------------------------------------------------------- */

#define KINDS(X)                                                                                                        \
	X(0x1, "specific", N_("specific traffic"))                                                                     \
	X(0x2, "sanitised", N_("sanitised traffic"))                                                                   \
	X(0x4, "local-breakout", N_("local break-out"))                                                                \
	X(0x8, "exception", N_("exception"))

static const struct {
	unsigned bit;
	const char *word, *text;
} kinds[] = {
#define X(bit, word, text) {bit, word, text},
	KINDS(X)
#undef X
};

static unsigned kinds_of(const struct ledger_flow *w)
{
	const struct ir *ir = &w->f->ir;
	bool mynumber = ir->segments[w->r->from_segment].kind == KIND_MYNUMBER ||
			ir->segments[w->r->to_segment].kind == KIND_MYNUMBER;

	return (mynumber && w->r->from_segment != w->r->to_segment ? 0x1u : 0) |
	       (w->a->sanitised_by != SANITISED_NONE ? 0x2u : 0) | (w->a->local_breakout ? 0x4u : 0) |
	       (w->a->exception_line != 0 ? 0x8u : 0);
}

const char *ledger_kind(const struct ledger_flow *w)
{
	unsigned have = kinds_of(w);
	const char *text = NULL;

	for (size_t i = 0; i < sizeof(kinds) / sizeof(kinds[0]); i++)
		if ((have & kinds[i].bit) != 0)
			text = text == NULL ? _(kinds[i].text)
					    : arena_printf(w->f->arena, _("%s, %s"), text, _(kinds[i].text));
	return text == NULL ? _("approved flow") : text;
}

/* -- alert levels --------------------------------------------------------------------------------------- */

static const char *const closes_words[CLOSES_END] = {"lockdown", "caution", "never"};

/* -- how it stands -------------------------------------------------------------------------------------- */

static const char *state_word(const struct ledger_flow *w)
{
	struct wall at = w->f->at;

	if (w->r->ends <= at.sec || w->r->window_to <= at.sec)
		return "expired";
	if (w->r->starts > at.sec || w->r->window_from > at.sec)
		return "not-started";
	if (rule_closed_by_level(&w->f->ir, w->r))
		return "closed-by-level";
	return rule_active(&w->f->ir, w->r, at, NULL) ? "open" : "closed";
}

const char *ledger_state(const struct ledger_flow *w)
{
	static const struct {
		const char *word, *text;
	} states[] = {{"expired", N_("EXPIRED")}, {"not-started", N_("not started yet")}, {"open", N_("in force")},
		{"closed", N_("closed at this hour or day")}, {"closed-by-level", N_("closed by the alert level")}};
	const char *word = state_word(w);

	for (size_t i = 0; i < sizeof(states) / sizeof(states[0]); i++)
		if (strcmp(states[i].word, word) == 0)
			return _(states[i].text);
	return word;
}

/* -- for people ----------------------------------------------------------------------------------------- */

static const struct model_host *host_named(const struct model *m, const char *name)
{
	for (size_t i = 0; i < m->nhosts; i++)
		if (strcmp(m->hosts[i].name.text, name) == 0)
			return &m->hosts[i];
	return NULL;
}

static void put_members(struct buf *b, const struct model *m, const char *name)
{
	for (size_t i = 0; i < m->ngroups; i++) {
		const struct model_group *g = &m->groups[i];
		if (strcmp(g->name.text, name) != 0)
			continue;
		for (size_t k = 0; k < g->members.n; k++)
			buf_printf(b, "%s%s%s", k == 0 ? " (" : " ", g->members.v[k].text,
				k + 1 == g->members.n ? ")" : "");
	}
}

/* "jumin-ap 住民記録AP 10.1.10.5 [マイナンバー利用事務系]" */
const char *ledger_end(const struct ledger_flow *w, const struct word *end, uint16_t segment)
{
	const struct ir_segment *s = &w->f->ir.segments[segment];
	const struct model_host *h = host_named(w->f->model, end->text);
	struct buf b = {0};
	char text[ADDR_TEXT_MAX];

	buf_adds(&b, end->text);
	if (h == NULL)
		put_members(&b, w->f->model, end->text);
	else if (h->label != NULL)
		buf_printf(&b, " %s", h->label);
	for (size_t i = 0; h != NULL && i < h->addresses.n; i++) {
		const struct prefix *p = &h->addresses.v[i];
		buf_printf(&b, " %s", addr_format(&p->addr, text));
		if (p->has_len)
			buf_printf(&b, "/%u", p->len);
	}
	if (h != NULL && h->external.text != NULL)
		buf_printf(&b, _(" (outside: %s)"), h->external.text);
	buf_printf(&b, " [%s]", ir_text(&w->f->ir, s->label != 0 ? s->label : s->name));
	const char *done = arena_strdup(w->f->arena, buf_str(&b));
	buf_free(&b);
	return done;
}

const char *ledger_verified(const struct ledger_flow *w)
{
	const char *text = ir_text(&w->f->ir, w->r->application_text);

	if (w->r->action == IR_MAIL)
		return _("by the mail gate");
	if (text[0] == '\0')
		return _("none: bounded by hosts and ports");
	if (w->a->screen_product == SCREEN_NONE)
		return text;
	return arena_printf(w->f->arena, "%s; screen-product %s [%s]", text, screen_product_word(w->a->screen_product),
		_("UNVERIFIED"));
}

static void put_date(struct buf *b, const struct date *d)
{
	buf_printf(b, "%04d-%02d-%02d", d->year, d->month, d->day);
}

/* "ciso 副町長 2026-04-01 R8-014; tokatsu 総務部長 2026-04-01" */
const char *ledger_approvals(const struct ledger_flow *w)
{
	struct buf b = {0};

	for (size_t i = 0; i < w->a->napprovals; i++) {
		const struct model_approval *p = &w->a->approvals[i];
		buf_printf(&b, "%s%s %s ", i > 0 ? "; " : "", p->role.text, p->name == NULL ? "" : p->name);
		put_date(&b, &p->date);
		if (p->number != NULL)
			buf_printf(&b, " %s", p->number);
	}
	const char *done = b.len == 0 ? NULL : arena_strdup(w->f->arena, buf_str(&b));
	buf_free(&b);
	return done;
}

static const char *const weekday_words[] = {"mon", "tue", "wed", "thu", "fri", "sat", "sun"};
static const char *const weekday_texts[] = {N_("Mon"), N_("Tue"), N_("Wed"), N_("Thu"), N_("Fri"), N_("Sat"), N_("Sun")};

void ledger_days(struct buf *b, uint8_t days)
{
	const char *blank = "";

	for (int i = 0; i < 7; i++)
		if ((days >> i & 1) != 0) {
			buf_printf(b, "%s%s", blank, _(weekday_texts[i]));
			blank = " ";
		}
}

void ledger_hours(struct buf *b, const struct model_allow *a)
{
	buf_printf(b, "%02u:%02u-%02u:%02u", a->hours_from / 60, a->hours_from % 60, a->hours_to / 60,
		a->hours_to % 60);
}

static void put_validity(struct buf *b, const struct model_allow *a)
{
	char from[40], to[40];

	snprintf(from, sizeof(from), "%04d-%02d-%02d", a->starts.year, a->starts.month, a->starts.day);
	snprintf(to, sizeof(to), "%04d-%02d-%02d", a->expires.year, a->expires.month, a->expires.day);
	if (a->starts.year != 0 && a->expires.year != 0)
		buf_printf(b, _("%s to %s"), from, to);
	else if (a->starts.year != 0)
		buf_printf(b, _("from %s, without end"), from);
	else if (a->expires.year != 0)
		buf_printf(b, _("until %s"), to);
	else
		buf_adds(b, _("without end"));
}

/* "2026-04-01 to 2027-03-31; Mon Tue; 06:30-23:00; closed on 3 days" */
static const char *when_text(const struct ledger_flow *w)
{
	const struct model_allow *a = w->a;
	char from[CLOCK_TEXT_MAX], to[CLOCK_TEXT_MAX];
	struct buf b = {0};

	put_validity(&b, a);
	if (a->window_line != 0)
		buf_printf(&b, _("; once only, %s to %s"), clock_format(a->window_from, from),
			clock_format(a->window_to, to));
	if (a->days != DAYS_ALL) {
		buf_adds(&b, "; ");
		ledger_days(&b, a->days);
	}
	if (a->hours_from != a->hours_to) {
		buf_adds(&b, "; ");
		ledger_hours(&b, a);
	}
	if (a->nclosed > 0)
		buf_printf(&b, _("; closed on %zu days"), a->nclosed);
	const char *done = arena_strdup(w->f->arena, buf_str(&b));
	buf_free(&b);
	return done;
}

/* How the traffic is made harmless, or on which other ground it may pass. */
const char *ledger_ground(const struct ledger_flow *w)
{
	const struct model_allow *a = w->a;
	struct arena *m = w->f->arena;

	if (a->exception_line != 0)
		return arena_printf(m, _("exception: %s (permitted by %s, report due %04d-%02d-%02d)"),
			a->exception_reason == NULL ? "" : a->exception_reason,
			a->exception_approved_by == NULL ? "" : a->exception_approved_by, a->report_due.year,
			a->report_due.month, a->report_due.day);
	if (a->sanitised_by == SANITISED_FILE_RELAY)
		return arena_printf(m, _("file relay: %s; %s"), a->sanitising_product == NULL ? "" : a->sanitising_product,
			a->sanitising_statement == NULL ? "" : a->sanitising_statement);
	if (a->sanitised_by == SANITISED_MAIL_TO_TEXT)
		return _("mail becomes plain text");
	if (a->sanitised_by == SANITISED_SCREEN_TRANSFER)
		return a->screen_product == SCREEN_NONE
			       ? _("screen transfer")
			       : arena_printf(m, "%s [%s]", _("screen transfer"), _("UNVERIFIED"));
	return a->local_breakout ? _("local break-out under the model alpha-prime") : NULL;
}

const char *ledger_notes(const struct ledger_flow *w)
{
	struct buf b = {0};
	const char *semicolon = "";
	const struct {
		bool on;
		const char *text;
	} notes[] = {
		{w->a->one_way, _("one way, no answers")},
		{w->a->fragments, _("fragments pass")},
		{w->a->closes == CLOSES_CAUTION, _("closed from alert level caution on")},
		{w->a->closes == CLOSES_NEVER, _("open at every alert level")},
		{w->a->drain, _("running sessions may finish at the end")},
		{w->a->external_isolated, _("the body outside has stated that it is not connected to the internet")},
	};

	for (size_t i = 0; i < sizeof(notes) / sizeof(notes[0]); i++)
		if (notes[i].on) {
			buf_printf(&b, "%s%s", semicolon, notes[i].text);
			semicolon = "; ";
		}
	const char *done = b.len == 0 ? NULL : arena_strdup(w->f->arena, buf_str(&b));
	buf_free(&b);
	return done;
}

static void print_card(struct buf *out, const struct ledger_flow *w)
{
	static const struct field fields[] = {{NULL, N_("name")}, {NULL, N_("kind")}, {NULL, N_("source")},
		{NULL, N_("destination")}, {NULL, N_("service")}, {NULL, N_("verification")}, {NULL, N_("purpose")},
		{NULL, N_("applicant")}, {NULL, N_("asset class")}, {NULL, N_("ground")}, {NULL, N_("approvals")},
		{NULL, N_("validity")}, {NULL, N_("notes")}, {NULL, N_("state")}};
	struct render r = {.ops = &render_card, .out = out, .fields = fields, .nfields = sizeof(fields) / sizeof(fields[0])};
	const struct ir *ir = &w->f->ir;
	const struct value values[] = {
		value_text(arena_printf(w->f->arena, _("%s (line %u)"), w->a->name.text, w->a->name.line)),
		value_text(ledger_kind(w)), value_text(ledger_end(w, &w->a->from, w->r->from_segment)),
		value_text(ledger_end(w, &w->a->to, w->r->to_segment)), value_text(ir_text(ir, w->r->service)),
		value_text(ledger_verified(w)), value_text(w->a->purpose), value_text(w->a->applicant),
		w->a->asset_class == 0 ? value_text(NULL) : value_number(w->a->asset_class), value_text(ledger_ground(w)),
		value_text(ledger_approvals(w)), value_text(when_text(w)), value_text(ledger_notes(w)),
		value_text(ledger_state(w))};

	render_row(&r, values);
	render_end(&r);
}

/* -- for programs --------------------------------------------------------------------------------------- */

static void json_date(struct json *j, const char *key, const struct date *d)
{
	char text[40];

	snprintf(text, sizeof(text), "%04d-%02d-%02d", d->year, d->month, d->day);
	json_str(j, key, d->year == 0 ? NULL : text);
}

static void json_when(struct json *j, const struct ledger_flow *w)
{
	char from[CLOCK_TEXT_MAX], to[CLOCK_TEXT_MAX];
	struct buf hours = {0};

	ledger_hours(&hours, w->a);
	json_date(j, "starts", &w->a->starts);
	json_date(j, "expires", &w->a->expires);
	json_array(j, "days");
	for (int i = 0; i < 7; i++)
		if ((w->a->days >> i & 1) != 0)
			json_str(j, NULL, weekday_words[i]);
	json_array_end(j);
	json_str(j, "hours", w->a->hours_from == w->a->hours_to ? NULL : buf_str(&hours));
	json_array(j, "closed_dates");
	for (size_t i = 0; i < w->a->nclosed; i++)
		json_date(j, NULL, &w->a->closed[i]);
	json_array_end(j);
	json_str(j, "window_from", w->a->window_line == 0 ? NULL : clock_format(w->a->window_from, from));
	json_str(j, "window_to", w->a->window_line == 0 ? NULL : clock_format(w->a->window_to, to));
	buf_free(&hours);
}

static void json_approvals(struct json *j, const struct ledger_flow *w)
{
	json_array(j, "approvals");
	for (size_t i = 0; i < w->a->napprovals; i++) {
		const struct model_approval *p = &w->a->approvals[i];
		json_object(j, NULL);
		json_str(j, "role", p->role.text);
		json_str(j, "name", p->name);
		json_date(j, "date", &p->date);
		json_str(j, "number", p->number);
		json_object_end(j);
	}
	json_array_end(j);
}

static void json_ground(struct json *j, const struct ledger_flow *w)
{
	const struct model_allow *a = w->a;

	json_array(j, "kinds");
	for (size_t i = 0; i < sizeof(kinds) / sizeof(kinds[0]); i++)
		if ((kinds_of(w) & kinds[i].bit) != 0)
			json_str(j, NULL, kinds[i].word);
	json_array_end(j);
	json_str(j, "sanitised_by", a->sanitised_by == SANITISED_NONE ? NULL : sanitised_word(a->sanitised_by));
	json_str(j, "sanitising_product", a->sanitising_product);
	json_str(j, "sanitising_statement", a->sanitising_statement);
	json_str(j, "exception_reason", a->exception_reason);
	json_str(j, "exception_approved_by", a->exception_approved_by);
	json_date(j, "report_due", &a->report_due);
	json_bool(j, "external_isolated", a->external_isolated);
}

static void print_json(struct buf *out, const struct ledger_flow *w)
{
	const struct ir *ir = &w->f->ir;
	const char *application = ir_text(ir, w->r->application_text);
	struct json j = json_init(out);

	json_object(&j, NULL);
	json_str(&j, "name", w->a->name.text);
	json_uint(&j, "line", w->a->name.line);
	json_str(&j, "from", w->a->from.text);
	json_str(&j, "from_segment", ir_text(ir, ir->segments[w->r->from_segment].name));
	json_str(&j, "to", w->a->to.text);
	json_str(&j, "to_segment", ir_text(ir, ir->segments[w->r->to_segment].name));
	json_str(&j, "service", ir_text(ir, w->r->service));
	json_str(&j, "application", application[0] == '\0' ? NULL : application);
	json_str(&j, "screen_product",
		w->a->screen_product == SCREEN_NONE ? NULL : screen_product_word(w->a->screen_product));
	json_bool(&j, "unverified", w->a->screen_product != SCREEN_NONE);
	json_str(&j, "purpose", w->a->purpose);
	json_str(&j, "applicant", w->a->applicant);
	json_uint(&j, "asset_class", w->a->asset_class);
	json_ground(&j, w);
	json_approvals(&j, w);
	json_when(&j, w);
	json_str(&j, "closed_at", closes_words[w->a->closes]);
	json_str(&j, "at_end", w->a->drain ? "drain" : "cut");
	json_bool(&j, "one_way", w->a->one_way);
	json_bool(&j, "fragments", w->a->fragments);
	json_str(&j, "state", state_word(w));
	json_object_end(&j);
	buf_addc(out, '\n');
}

/* -- the verb ------------------------------------------------------------------------------------------- */

enum format { FORMAT_TEXT, FORMAT_CSV, FORMAT_CSV_CP932, FORMAT_JSON, FORMATS };
static const char *const formats[FORMATS] = {"text", "csv", "csv-cp932", "json"};

static void print_flow(struct console *c, const struct ledger_flow *w, enum format format, size_t printed)
{
	if (format == FORMAT_JSON) {
		print_json(&c->out, w);
	} else if (format == FORMAT_TEXT) {
		if (printed > 0)
			buf_addc(&c->out, '\n');
		print_card(&c->out, w);
	} else {
		if (printed == 0)
			ledger_csv_titles(&c->out);
		ledger_csv(&c->out, w);
	}
}

/* A spreadsheet is written at once: what CP932 lacks is known at the end only. */
static void finish_csv(struct console *c, enum format format)
{
	struct buf text = c->out;
	size_t missing;

	c->out = (struct buf){0};
	if (format == FORMAT_CSV) {
		buf_adds(&c->out, "\xef\xbb\xbf"); /* by which Excel knows UTF-8 */
		buf_add(&c->out, text.data, text.len);
	} else {
		missing = sheet_cp932(&c->out, (const char *)text.data, text.len);
		if (missing > 0)
			console_fail(CONSOLE_OK, _("%zu characters that CP932 does not have became 〓; --format csv keeps them"), missing);
	}
	buf_free(&text);
}

/* The flows named, or all. Returns how many were printed. */
static size_t print_flows(struct console *c, const struct policy_file *f, const char *name, enum format format)
{
	bool sheet = format == FORMAT_CSV || format == FORMAT_CSV_CP932;
	size_t printed = 0;

	/* An error-free model has one compiled rule for each flow, in the same order. */
	for (uint32_t i = 0; i < f->ir.nrules; i++) {
		struct ledger_flow w = {f, &f->model->allows[i], &f->ir.rules[i], i};
		if (name != NULL && strcmp(name, w.a->name.text) != 0)
			continue;
		print_flow(c, &w, format, printed++);
		if (!sheet && c->out.len > 64 * 1024 && !console_flush(c))
			break;
	}
	if (sheet && printed > 0)
		finish_csv(c, format);
	return printed;
}

static bool find_format(const struct console *c, const struct args *a, enum format *ret)
{
	const char *word = args_option(a, "--format");

	*ret = c->json ? FORMAT_JSON : FORMAT_TEXT;
	for (unsigned i = 0; word != NULL && i < FORMATS; i++)
		if (strcmp(word, formats[i]) == 0) {
			*ret = (enum format)i;
			return true;
		}
	return word == NULL;
}

static int print_ledger(struct console *c, struct policy_file *f, const struct args *a, int code, const char *name)
{
	enum format format;

	if (code == CONSOLE_OK && !find_format(c, a, &format))
		code = console_fail(CONSOLE_USAGE, "%s", _("--format is one of: text, csv, csv-cp932, json"));
	if (code == CONSOLE_OK && !f->usable)
		code = policy_file_refused(f);
	if (code == CONSOLE_OK && print_flows(c, f, name, format) == 0 && name != NULL)
		code = console_fail(CONSOLE_USAGE, _("there is no approved flow \"%s\""), name);
	policy_file_close(f);
	return code;
}

int verb_ledger(struct console *c, const struct args *a)
{
	struct policy_file f;
	int code = policy_file_open(&f, a->words[0], a);

	return print_ledger(c, &f, a, code, a->nwords > 1 ? a->words[1] : NULL);
}

/* The running gate's alert level closes some. */
static int take_level(struct console *c, struct policy_file *f)
{
	struct msg_request q = {.verb = MSG_VERB_STATUS};
	struct msg m;
	int code = control_ask(c, &q, -1, MSG_STATUS, &m);

	if (code == CONSOLE_OK)
		f->ir.level = m.u.msg_status.level;
	return code;
}

int verb_show_ledger(struct console *c, const struct args *a)
{
	struct policy_file f;
	int code = policy_file_running(&f, c, a);

	if (code == CONSOLE_OK)
		code = take_level(c, &f);

	return print_ledger(c, &f, a, code, a->nwords > 0 ? a->words[0] : NULL);
}
