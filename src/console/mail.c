/*
 * mail.c: `sekisho mail status|approve|resume` and `sekisho log mail`: the mail gate for people.
 *
 * Input: rows and figures of the gate, checked by msg_recv(); texts in them come from mails of the internet and are escaped.
 * The list of what was removed comes as JSON and is read within limits.
 */
#include "console.h"
#include "control.h"
#include "jsonread.h"
#include "logquery.h"
#include "text.h"

#include <sekisho/arena.h>
#include <sekisho/clock.h>
#include <sekisho/json.h>
#include <sekisho/judge.h>
#include <sekisho/mail_reason.h>

#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#define ROW_SECONDS 30
#define REPORT_MAX (1u << 20)

static const char *const directions[] = {"", N_("in"), N_("out")};
static const char *const verdict_words[] = {"", "passed", "refused", "held", "deferred"};
static const char *const verdict_texts[] = {"", N_("passed"), N_("refused"), N_("held"), N_("deferred")};
static const char *const result_words[] = {"", "delivered", "rejected", "postponed", "unknown"};
static const char *const result_texts[] = {"", N_("delivered"), N_("rejected by the mail server"), N_("the sender tries again"),
	N_("not known: the mail server did not answer, the sender tries again")};

/* -- log mail -------------------------------------------------------------------------------------------- */

static void hex(const uint8_t hash[32], char ret[65])
{
	for (size_t i = 0; i < 32; i++)
		snprintf(ret + 2 * i, 3, "%02x", hash[i]);
}

static void notes_json(struct json *j, uint32_t notes)
{
	json_array(j, "notes");
	for (uint32_t bit = 0; bit < 32; bit++)
		if ((notes & 1u << bit) != 0)
			json_str(j, NULL, judge_note_word((enum judge_note)(1u << bit)));
	json_array_end(j);
}

static void recipients_json(struct json *j, const char *list)
{
	json_array(j, "recipients");
	while (*list != '\0') {
		size_t n = strcspn(list, " ");
		json_strn(j, NULL, list, n);
		list += n + (list[n] == ' ');
	}
	json_array_end(j);
}

static void result_json(struct json *j, const struct msg_mail_row *r)
{
	char at[CLOCK_TEXT_MAX];

	if (r->result == 0) {
		json_null(j, "result");
		return;
	}
	json_object(j, "result");
	json_str(j, "word", result_words[r->result]);
	json_str(j, "at", log_time(r->result_at, at));
	json_uint(j, "code", r->code);
	json_str(j, "server", r->server);
	json_str(j, "text", r->text);
	json_str(j, "tls", r->server_tls[0] != '\0' ? r->server_tls : NULL);
	json_object_end(j);
}

/* A value that was parsed, written again: nothing foreign goes through as it came. */
static void value_json(struct json *j, const char *key, const struct json_value *v)
{
	switch (v->kind) {
	case JSON_ARRAY:
		json_array(j, key);
		for (const struct json_value *e = v->first; e != NULL; e = e->next)
			value_json(j, NULL, e);
		json_array_end(j);
		break;
	case JSON_OBJECT:
		json_object(j, key);
		for (const struct json_value *e = v->first; e != NULL; e = e->next)
			value_json(j, e->key, e);
		json_object_end(j);
		break;
	case JSON_STRING:
		json_str(j, key, v->text);
		break;
	case JSON_NUMBER:
		json_int(j, key, v->number);
		break;
	case JSON_BOOL:
		json_bool(j, key, v->truth);
		break;
	default:
		json_null(j, key);
		break;
	}
}

static void row_json(struct buf *out, const struct msg_mail_row *r, const struct json_value *report)
{
	struct json j = json_init(out);
	char at[CLOCK_TEXT_MAX], in[65], left[65], chain[65];

	hex(r->sha256, in);
	hex(r->sha256_out, left);
	hex(r->hash, chain);
	json_object(&j, NULL);
	json_uint(&j, "sequence", r->sequence);
	json_str(&j, "at", log_time(r->at, at));
	json_str(&j, "receipt", r->receipt);
	json_str(&j, "direction", directions[r->direction]);
	json_str(&j, "verdict", verdict_words[r->verdict]);
	json_str(&j, "reason", r->reason != 0 ? mail_reason_word(r->reason) : NULL);
	json_str(&j, "detail", r->detail);
	notes_json(&j, r->notes);
	json_str(&j, "client", r->client);
	json_str(&j, "meant", r->meant[0] != '\0' ? r->meant : NULL);
	json_str(&j, "helo", r->helo);
	json_str(&j, "tls", r->tls[0] != '\0' ? r->tls : NULL);
	json_str(&j, "sender", r->sender);
	recipients_json(&j, r->recipients);
	json_uint(&j, "recipients_total", r->nrecipients);
	json_uint(&j, "size", r->size);
	json_uint(&j, "size_out", r->size_out);
	json_str(&j, "sha256", in);
	json_str(&j, "sha256_out", r->size_out != 0 ? left : NULL);
	result_json(&j, r);
	if (report != NULL)
		value_json(&j, "report", report);
	json_str(&j, "hash", chain);
	json_object_end(&j);
	buf_addc(out, '\n');
}

static void say(struct buf *out, const char *label, const char *text)
{
	buf_printf(out, "      %s: ", label);
	text_safe(out, text);
	buf_addc(out, '\n');
}

static void removed_text(struct buf *out, const struct json_value *report)
{
	const struct json_value *list = json_member(report, "removed");

	if (list == NULL || list->kind != JSON_ARRAY)
		return;
	for (const struct json_value *v = list->first; v != NULL; v = v->next) {
		const char *name = json_member_text(v, "name"), *why = json_member_text(v, "why");
		const char *type = json_member_text(v, "sniffed");
		buf_printf(out, "      %s: ", _("removed"));
		text_safe(out, name != NULL && name[0] != '\0' ? name : "-");
		buf_adds(out, " (");
		text_safe(out, type != NULL ? type : "");
		buf_adds(out, why != NULL ? ", " : "");
		text_safe(out, why != NULL ? why : "");
		buf_adds(out, ")\n");
	}
}

static void row_text(struct buf *out, const struct msg_mail_row *r, const struct json_value *report)
{
	char at[32];

	buf_printf(out, "%s  %s  %s  %s\n", log_time_long(r->at, at), _(directions[r->direction]), _(verdict_texts[r->verdict]),
		r->receipt[0] != '\0' ? r->receipt : "-");
	buf_adds(out, "      <");
	text_safe(out, r->sender);
	buf_adds(out, "> → ");
	text_safe(out, r->recipients[0] != '\0' ? r->recipients : "-");
	buf_printf(out, "  (%" PRIu64 " %s)\n", r->size, _("bytes"));
	if (r->meant[0] != '\0')
		say(out, _("taken in place of"), r->meant);
	if (r->reason != 0) {
		buf_printf(out, "      %s: %s", _("reason"), _(mail_reason_text(r->reason)));
		if (r->detail[0] != '\0') {
			buf_adds(out, " (");
			text_safe(out, r->detail);
			buf_addc(out, ')');
		}
		buf_addc(out, '\n');
	}
	for (uint32_t bit = 0; bit < 32; bit++)
		if ((r->notes & 1u << bit) != 0)
			say(out, _("note"), _(judge_note_text((enum judge_note)(1u << bit))));
	if (r->tls[0] != '\0')
		say(out, _("received by TLS"), r->tls);
	if (r->result != 0)
		say(out, _("result"), _(result_texts[r->result]));
	if (r->server_tls[0] != '\0')
		say(out, _("sent by TLS"), r->server_tls);
	if (report != NULL)
		removed_text(out, report);
}


static void print_row(struct console *c, const struct msg *m)
{
	struct arena *arena = arena_new();
	const struct json_value *report = NULL;
	struct buf text = {0};

	if (arena != NULL && m->nfds > 0 && control_read_fd(m->fds[0], REPORT_MAX, &text))
		report = json_read(arena, (const char *)text.data, text.len);
	if (c->json)
		row_json(&c->out, &m->u.msg_mail_row, report);
	else
		row_text(&c->out, &m->u.msg_mail_row, report);
	buf_free(&text);
	arena_free(arena);
}

static int list_rows(struct console *c, int fd, struct msg_end *ret_end)
{
	struct msg m;

	for (;;) {
		if (!control_receive(fd, ROW_SECONDS, &m))
			return CONSOLE_ENV;
		if (m.type == MSG_END) {
			*ret_end = m.u.msg_end;
			return CONSOLE_OK;
		}
		bool good = m.type == MSG_MAIL_ROW;
		if (good)
			print_row(c, &m);
		msg_close_fds(&m);
		if (!good)
			return console_fail(CONSOLE_ENV, "%s", _("the gate answers in a form that this command does not know"));
		if (!console_flush(c))
			return CONSOLE_OK;
	}
}

static bool take_word(const char *given, const char *const *words, size_t n, uint32_t *ret)
{
	for (uint32_t i = 1; given != NULL && i < n; i++)
		if (strcmp(given, words[i]) == 0)
			*ret = i;
	return given == NULL || *ret != 0;
}

static int fill_question(const struct args *a, struct msg_mail_query *q)
{
	struct msg_query common = {0};
	const char *receipt = args_option(a, "--receipt"), *sender = args_option(a, "--sender");
	const char *to = args_option(a, "--recipient");

	if (!log_query_args(a, &common))
		return CONSOLE_USAGE;
	*q = (struct msg_mail_query){.limit = common.limit, .since = common.since, .until = common.until,
		.verify = args_option(a, "--verify") != NULL};
	MSG_TEXT(q->receipt, receipt != NULL ? receipt : "");
	MSG_TEXT(q->sender, sender != NULL ? sender : "");
	MSG_TEXT(q->recipient, to != NULL ? to : "");
	if (!take_word(args_option(a, "--direction"), directions, 3, &q->direction))
		return console_fail(CONSOLE_USAGE, "%s", _("--direction is one of: in, out"));
	if (!take_word(args_option(a, "--verdict"), verdict_words, 5, &q->verdict))
		return console_fail(CONSOLE_USAGE, "%s", _("--verdict is one of: passed, refused, held, deferred"));
	return CONSOLE_OK;
}

static int print_verified(struct console *c, const struct msg_end *end)
{
	if (c->json) {
		struct json j = json_init(&c->out);
		json_object(&j, NULL);
		json_bool(&j, "ok", end->ok != 0);
		json_uint(&j, "checked", end->checked);
		json_str(&j, "error", end->ok ? NULL : end->error);
		json_object_end(&j);
		buf_addc(&c->out, '\n');
	} else if (end->ok) {
		buf_printf(&c->out, _("the mail ledger is whole: %llu rows\n"), (unsigned long long)end->checked);
	} else {
		buf_printf(&c->out, _("THE MAIL LEDGER WAS CHANGED: the chain holds for %llu rows and then breaks: "),
			(unsigned long long)end->checked);
		text_safe(&c->out, end->error);
		buf_printf(&c->out, "\n%s\n", _("Keep the device as it is and report it."));
	}
	return end->ok ? CONSOLE_OK : CONSOLE_REFUSED;
}

int verb_log_mail(struct console *c, const struct args *a)
{
	struct msg_mail_query q;
	struct msg_end end = {0};
	int fd = -1, code = fill_question(a, &q);

	control_zone(c);
	if (code == CONSOLE_OK)
		code = control_open_log(c, MSG_VERB_LOG, &fd);
	if (code != CONSOLE_OK)
		return code;
	if (msg_send(fd, MSG_MAIL_QUERY, 1, &q, NULL, 0) < 0)
		code = console_fail(CONSOLE_ENV, "%s", _("the gate has closed the connection"));
	else
		code = list_rows(c, fd, &end);
	msg_close_fd(fd);
	if (code != CONSOLE_OK)
		return code;
	if (q.verify)
		return print_verified(c, &end);
	if (!end.ok && end.error[0] != '\0')
		return console_fail(CONSOLE_ENV, _("the records cannot be read: %s"), _(end.error));
	return CONSOLE_OK;
}

/* -- mail approve, mail resume ---------------------------------------------------------------------------- */

static int print_done(struct console *c, const char *text)
{
	if (c->json)
		buf_adds(&c->out, "{\"ok\":true}\n");
	else
		buf_printf(&c->out, "%s\n", text);
	return CONSOLE_OK;
}

int verb_mail_approve(struct console *c, const struct args *a)
{
	struct msg_mail_approve q = {0};
	struct msg m;
	struct msg_request ask = {.verb = MSG_VERB_APPROVE};
	int fd = -1;

	MSG_TEXT(q.receipt, a->words[0]);
	MSG_TEXT(q.who, args_option(a, "--who"));
	MSG_TEXT(ask.who, q.who);
	MSG_TEXT(ask.why, q.receipt);
	int code = control_open_log_as(c, &ask, &fd);
	if (code != CONSOLE_OK)
		return code;
	if (msg_send(fd, MSG_MAIL_APPROVE, 1, &q, NULL, 0) < 0)
		code = console_fail(CONSOLE_ENV, "%s", _("the gate has closed the connection"));
	else if (!control_receive(fd, ROW_SECONDS, &m))
		code = CONSOLE_ENV;
	else if (m.type != MSG_END)
		code = console_fail(CONSOLE_ENV, "%s", _("the gate answers in a form that this command does not know"));
	else if (!m.u.msg_end.ok)
		code = console_fail(CONSOLE_REFUSED, "%s", _(m.u.msg_end.error));
	else
		code = print_done(c, _("approved: it leaves when its mail server sends it again"));
	msg_close_fd(fd);
	return code;
}

int verb_mail_resume(struct console *c, const struct args *a)
{
	struct msg_request q = {.verb = MSG_VERB_RESUME};
	const char *sender = args_option(a, "--sender");
	struct msg m;

	if (!take_word(a->words[0], directions, 3, &q.argument))
		return console_fail(CONSOLE_USAGE, "%s", _("the direction is one of: in, out"));
	MSG_TEXT(q.who, args_option(a, "--who"));
	MSG_TEXT(q.why, sender != NULL ? sender : "");
	int code = control_ask(c, &q, -1, MSG_OPENED, &m);
	if (code != CONSOLE_OK)
		return code;
	if (!m.u.msg_opened.ok)
		return console_fail(CONSOLE_REFUSED, "%s", _(m.u.msg_opened.error));
	return print_done(c, _("mail passes again"));
}

/* -- mail status ------------------------------------------------------------------------------------------ */

static const char *const flood_words[] = {"calm", "slowed", "stopped"};
static const char *const flood_texts[] = {N_("calm"), N_("slowed down"), N_("stopped")};

static void way_json(struct json *j, const char *key, const struct msg_mail_way *w)
{
	char last[CLOCK_TEXT_MAX];

	json_object(j, key);
	json_bool(j, "configured", w->configured != 0);
	json_uint(j, "listening", w->listening);
	json_uint(j, "sessions", w->sessions);
	json_str(j, "flood", flood_words[w->flood]);
	json_uint(j, "servers", w->hops);
	json_uint(j, "servers_well", w->hops_well);
	json_uint(j, "connections", w->connections);
	json_uint(j, "delivered", w->delivered);
	json_uint(j, "refused", w->refused);
	json_uint(j, "held", w->held);
	json_uint(j, "deferred", w->deferred);
	json_uint(j, "bytes_in", w->bytes_in);
	json_uint(j, "bytes_out", w->bytes_out);
	json_str(j, "last", log_time(w->last, last));
	json_object_end(j);
}

static void status_json(struct buf *out, const struct msg_mail_status *s)
{
	struct json j = json_init(out);

	json_object(&j, NULL);
	json_bool(&j, "running", s->sessions_max != 0);
	json_uint(&j, "generation", s->generation);
	json_uint(&j, "sessions", s->sessions);
	json_uint(&j, "sessions_max", s->sessions_max);
	json_uint(&j, "memory", s->memory_now);
	json_uint(&j, "workers_failed", s->workers_failed);
	json_uint(&j, "ledger_failed", s->ledger_failed);
	way_json(&j, "in", &s->way[0]);
	way_json(&j, "out", &s->way[1]);
	json_object_end(&j);
	buf_addc(out, '\n');
}

static void way_text(struct buf *out, const char *label, const struct msg_mail_way *w)
{
	char last[32];

	if (!w->configured) {
		buf_printf(out, "%s: %s\n", label, _("not configured"));
		return;
	}
	buf_printf(out, "%s: %s %" PRIu64 ", %s %" PRIu64 ", %s %" PRIu64 ", %s %" PRIu64 "\n", label, _("delivered"),
		w->delivered,
		_("refused"), w->refused, _("held"), w->held, _("deferred"), w->deferred);
	buf_printf(out, "      %s: %s;  %s: %" PRIu32 "/%" PRIu32 ";  %s: %" PRIu32 ";  %s: %s\n", _("mail passes"),
		_(flood_texts[w->flood]), _("mail servers that answer"), w->hops_well, w->hops, _("connections now"),
		w->sessions,
		_("last delivery"), log_time_long(w->last, last));
	if (w->listening == 0)
		buf_printf(out, "      %s\n", _("NOT LISTENING: compare its listen addresses with those of the gateway"));
}

int verb_mail_status(struct console *c, const struct args *a)
{
	struct msg_request q = {.verb = MSG_VERB_MAIL};
	struct msg m;
	int code = control_ask(c, &q, -1, MSG_MAIL_STATUS, &m);

	(void)a;
	if (code != CONSOLE_OK)
		return code;
	control_zone(c);
	const struct msg_mail_status *s = &m.u.msg_mail_status;
	if (c->json) {
		status_json(&c->out, s);
	} else if (s->sessions_max == 0) {
		buf_printf(&c->out, "%s\n", _("the mail gate does not run"));
	} else {
		way_text(&c->out, _("inbound"), &s->way[0]);
		way_text(&c->out, _("outbound"), &s->way[1]);
	}
	return CONSOLE_OK;
}
