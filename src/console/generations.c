/*
 * generations.c: `sekisho confirm`, `rollback`, `history`, `show generation`.
 */
#include "act.h"
#include "commit.h"
#include "console.h"
#include "control.h"
#include "deeds.h"
#include "logquery.h"
#include "render.h"
#include "running.h"

#include <sekisho/clock.h>
#include <sekisho/json.h>

#include <string.h>

#define HISTORY_DEFAULT 20
#define HISTORY_MAX 1000

uint32_t deeds_number(const char *text)
{
	uint32_t v = 0;

	if (text[0] == '\0' || strlen(text) > 9 || text[strspn(text, "0123456789")] != '\0')
		return 0;
	for (; *text != '\0'; text++)
		v = v * 10 + (uint32_t)(*text - '0');
	return v;
}

int verb_confirm(struct console *c, const struct args *a)
{
	const struct msg_request q = {.verb = MSG_VERB_CONFIRM};
	struct msg m;
	int code = control_ask(c, &q, -1, MSG_COMMITTED, &m);

	(void)a;
	if (code != CONSOLE_OK)
		return code;
	const struct msg_committed *r = &m.u.msg_committed;
	if (c->json) {
		struct json j = json_init(&c->out);
		json_object(&j, NULL);
		json_bool(&j, "ok", r->ok != 0);
		json_uint(&j, "generation", r->generation);
		json_str(&j, "error", r->ok ? NULL : r->error);
		json_object_end(&j);
		buf_addc(&c->out, '\n');
	} else if (r->ok) {
		buf_printf(&c->out, _("confirmed: generation %u stays in force\n"), r->generation);
	} else {
		console_fail(CONSOLE_REFUSED, "%s", _(r->error));
	}
	msg_close_fds(&m);
	return r->ok ? CONSOLE_OK : CONSOLE_REFUSED;
}

int verb_rollback(struct console *c, const struct args *a)
{
	struct msg_request q = {.verb = MSG_VERB_ROLLBACK, .argument = deeds_number(a->words[0])};
	int code = act_sign(a, &q);

	if (code == CONSOLE_OK)
		code = act_fill(q.approval, sizeof(q.approval), "--approval", args_option(a, "--approval"));
	if (code != CONSOLE_OK)
		return code;
	if (q.argument == 0)
		return console_fail(CONSOLE_USAGE, "%s", _("NUMBER is the number of a generation, from 1 on"));
	return commit_send(c, &q, -1, a->words[0]);
}

int verb_show_generation(struct console *c, const struct args *a)
{
	struct msg_request q = {.verb = MSG_VERB_GENERATION, .argument = deeds_number(a->words[0])};

	if (q.argument == 0)
		return console_fail(CONSOLE_USAGE, "%s", _("NUMBER is the number of a generation, from 1 on"));
	return running_print(c, &q);
}

/* -- history ----------------------------------------------------------------------------------------------- */

static const struct field fields[] = {
	{"generation", N_("gen."), 5, true}, {NULL, "", 1}, {"at", N_("time"), 14}, {"account", N_("account"), 8},
	{"who", N_("who"), 8}, {"approval", N_("approval"), 8}, {"why", N_("why"), 0}, {"of", NULL}, {"uid", NULL},
	{"bytes", NULL}, {"running", NULL}, {"unconfirmed", NULL}};

static void print_past(struct render *r, const struct msg_history *h, const struct msg_past *p)
{
	bool running = p->number == h->running, waits = p->number == h->unconfirmed;
	char at[CLOCK_TEXT_MAX], shown[32];
	struct buf why = {0};

	if (p->of != 0)
		buf_printf(&why, _("(text of %u) "), p->of);
	buf_adds(&why, p->why);
	struct value v[] = {value_number(p->number), value_text(waits ? "?" : running ? "*" : ""),
		value_both(log_time(p->at, at), log_time_short(p->at, shown)), value_name(p->account), value_name(p->who),
		value_name(p->approval), value_both(p->why, buf_str(&why)),
		p->of != 0 ? value_number(p->of) : value_text(NULL), value_number(p->uid), value_number(p->size),
		{.kind = VALUE_BOOL, .number = running}, {.kind = VALUE_BOOL, .number = waits}};
	render_row(r, v);
	buf_free(&why);
}

static void print_foot(struct console *c, const struct msg_history *h, bool more)
{
	char at[32];

	if (h->unconfirmed != 0)
		buf_printf(&c->out, _("generation %u waits to be confirmed until %s: sekisho confirm\n"), h->unconfirmed,
			log_time_short(h->confirm_by, at));
	if (more)
		buf_adds(&c->out, _("(there are older ones; --limit shows more)\n"));
}

int verb_history(struct console *c, const struct args *a)
{
	struct render r = {.ops = c->json ? &render_json : &render_table, .out = &c->out, .fields = fields,
		.nfields = sizeof(fields) / sizeof(fields[0]), .reversed = true};
	const char *limit = args_option(a, "--limit");
	uint32_t left = limit != NULL ? deeds_number(limit) : HISTORY_DEFAULT;
	struct msg_request q = {.verb = MSG_VERB_HISTORY};
	struct msg m = {.u.msg_history.more = 1};
	int code = CONSOLE_OK;

	if (left == 0 || left > HISTORY_MAX)
		return console_fail(CONSOLE_USAGE, _("--limit takes a number from 1 to %d"), HISTORY_MAX);
	control_zone(c);
	while (left > 0 && m.u.msg_history.more && (code = control_ask(c, &q, -1, MSG_HISTORY, &m)) == CONSOLE_OK) {
		const struct msg_history *h = &m.u.msg_history;
		for (uint32_t i = 0; i < h->n && left > 0; i++, left--) {
			print_past(&r, h, &h->past[i]);
			q.argument = h->past[i].number;
		}
		if (h->n == 0)
			break;
	}
	render_end(&r);
	if (code != CONSOLE_OK || c->json)
		return code;
	if (r.nrows == 0)
		buf_adds(&c->out, _("no generation is kept yet\n"));
	print_foot(c, &m.u.msg_history, left == 0 && (m.u.msg_history.more || q.argument > 1));
	return CONSOLE_OK;
}
