/*
 * sessions.c: who is here (`sekisho sessions`, `show users`), who came and went (`log logins`), and what was done
 * (`log commands`, 作業記録).
 */
#include "console.h"
#include "control.h"
#include "deeds.h"
#include "logquery.h"
#include "render.h"
#include "words.h"

#include <sekisho/clock.h>

#include <stdio.h>
#include <string.h>

const char *deeds_role(uint32_t role)
{
	static const char *const words[MSG_ROLE_END] = {
		"none", "viewer", "auditor", "operator", "administrator", "maintenance"};

	return words[role < MSG_ROLE_END ? role : 0];
}

static struct value role_value(uint32_t role)
{
	return value_both(deeds_role(role), words_role(role));
}

static struct value time_value(int64_t at, char text[CLOCK_TEXT_MAX], char shown[32])
{
	return value_both(log_time(at, text), log_time_short(at, shown));
}

/* -- Now --------------------------------------------------------------------------------------------------- */

static const struct field session_fields[] = {{"session", N_("no."), 5, true}, {"account", N_("account"), 10},
	{"role", N_("role"), 13}, {"terminal", N_("terminal"), 10}, {"since", N_("since"), 14},
	{"last", NULL}, {"configure_until", N_("configuring until"), 0}, {"uid", NULL}, {"pid", NULL}};

static void print_session(struct render *r, const struct msg_session_of *s)
{
	char at[3][CLOCK_TEXT_MAX], shown[3][32];
	struct value v[] = {value_number(s->id), value_name(s->account), role_value(s->role), value_name(s->terminal),
		time_value(s->since, at[0], shown[0]), time_value(s->last, at[1], shown[1]),
		time_value(s->configure_until, at[2], shown[2]), value_number(s->uid), value_number(s->pid)};

	render_row(r, v);
}

int verb_sessions(struct console *c, const struct args *a)
{
	struct render r = {.ops = c->json ? &render_json : &render_table, .out = &c->out, .fields = session_fields,
		.nfields = sizeof(session_fields) / sizeof(session_fields[0])};
	const struct msg_request q = {.verb = MSG_VERB_SESSIONS};
	struct msg m;

	(void)a;
	control_zone(c);
	int code = control_ask(c, &q, -1, MSG_SESSIONS, &m);
	if (code != CONSOLE_OK)
		return code;
	for (uint32_t i = 0; i < m.u.msg_sessions.n; i++)
		print_session(&r, &m.u.msg_sessions.session[i]);
	render_end(&r);
	if (!c->json && r.nrows == 0)
		buf_adds(&c->out, _("nobody has a session\n"));
	return CONSOLE_OK;
}

/* -- Records ----------------------------------------------------------------------------------------------- */

static const struct field command_fields[] = {{"sequence", NULL}, {"at", N_("time"), 14},
	{"account", N_("account"), 12}, {"result", N_("result"), 8}, {"text", N_("what"), 0}, {"kind", NULL},
	{"code", NULL}, {"who", NULL}, {"role", NULL}, {"uid", NULL}, {"session", NULL}};

/* A line of a shell has an exit code; a request was done, failed, or was refused. */
static struct value result_value(const struct msg_work *w)
{
	static const char *const words[] = {"done", "failed", "refused"};
	static const char *const shown[] = {N_("done"), N_("failed"), N_("REFUSED")};
	uint32_t code = w->result;

	if (w->kind == MSG_WORK_LINE)
		code = w->result == 0 ? 0 : 1;
	return value_both(words[code < 3 ? code : 1], _(shown[code < 3 ? code : 1]));
}

static bool take_command(void *arg, const struct msg *m)
{
	const struct msg_command_row *row = &m->u.msg_command_row;
	const struct msg_work *w = &row->it;
	char at[CLOCK_TEXT_MAX], shown[32];
	struct value v[] = {value_number(row->sequence), time_value(w->at, at, shown), value_name(w->account), result_value(w),
		value_name(w->text), value_text(w->kind == MSG_WORK_LINE ? "line" : "request"), value_number(w->result),
		value_name(w->who), value_text(deeds_role(w->role)), value_number(w->uid), value_number(w->session)};

	render_row(arg, v);
	return true;
}

static const struct field login_fields[] = {{"sequence", NULL}, {"at", N_("time"), 14},
	{"account", N_("account"), 12}, {"event", N_("event"), 12}, {"role", N_("role"), 14},
	{"session", N_("no."), 5, true}, {"terminal", N_("terminal"), 0}, {"seconds", NULL}, {"uid", NULL}};

static struct value event_value(uint32_t event)
{
	static const char *const words[] = {"?", "begin", "end", "idle", "refused", "lost"};
	static const char *const shown[] = {"?", N_("came"), N_("left"), N_("timed out"), N_("REFUSED"), N_("was cut off")};

	return value_both(words[event <= MSG_LOGIN_LOST ? event : 0], _(shown[event <= MSG_LOGIN_LOST ? event : 0]));
}

static bool take_login(void *arg, const struct msg *m)
{
	const struct msg_login_row *row = &m->u.msg_login_row;
	const struct msg_login *l = &row->it;
	char at[CLOCK_TEXT_MAX], shown[32];
	bool over = l->event == MSG_LOGIN_END || l->event == MSG_LOGIN_IDLE;
	struct value v[] = {value_number(row->sequence), time_value(l->at, at, shown), value_name(l->account),
		event_value(l->event), role_value(l->role), value_number(l->session), value_name(l->terminal),
		over ? value_number(l->seconds) : value_text(NULL), value_number(l->uid)};

	render_row(arg, v);
	return true;
}

static int list(struct console *c, const struct args *a, struct msg_query *q, enum msg_type want, log_row_fn *take,
	struct render *r)
{
	const char *who = args_option(a, "--who"), *session = args_option(a, "--session");
	struct msg_end end;

	control_zone(c);
	if (!log_query_args(a, q))
		return CONSOLE_USAGE;
	MSG_TEXT(q->who, who != NULL ? who : "");
	if (session != NULL && (q->number = deeds_number(session)) == 0)
		return console_fail(CONSOLE_USAGE, "%s", _("--session takes the number of a session"));
	r->ops = c->json ? &render_json : &render_table;
	r->out = &c->out;
	r->reversed = true;
	int code = log_query(c, q, want, take, r, &end);
	render_end(r);
	if (code != CONSOLE_OK || c->json)
		return code;
	if (r->nrows == 0)
		buf_adds(&c->out, _("nothing is recorded in this time\n"));
	else if (end.more)
		buf_printf(&c->out, _("(the newest %zu records; --limit shows more)\n"), r->nrows);
	return code;
}

int verb_log_commands(struct console *c, const struct args *a)
{
	struct render r = {.fields = command_fields, .nfields = sizeof(command_fields) / sizeof(command_fields[0])};
	struct msg_query q = {.verb = MSG_LOG_COMMANDS, .port = MSG_ANY_PORT};

	return list(c, a, &q, MSG_COMMAND_ROW, take_command, &r);
}

int verb_log_logins(struct console *c, const struct args *a)
{
	struct render r = {.fields = login_fields, .nfields = sizeof(login_fields) / sizeof(login_fields[0])};
	struct msg_query q = {.verb = MSG_LOG_LOGINS, .port = MSG_ANY_PORT};

	return list(c, a, &q, MSG_LOGIN_ROW, take_login, &r);
}
