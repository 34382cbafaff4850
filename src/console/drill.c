/*
 * drill.c: `sekisho drill …`: 訓練: the steps of an emergency cut, and nothing is cut. Every line says that it is a drill.
 *
 * Input: the gate's answers; the report comes as JSON of the gate's own and is read within limits.
 */
#include "console.h"
#include "control.h"
#include "jsonread.h"
#include "logquery.h"
#include "text.h"

#include <sekisho/arena.h>
#include <sekisho/json.h>

#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "act.h"

#define ANSWER_MAX (256u << 10)

/* One line: "DRILL (nothing is cut): ", what there is to say, escaped. */
static void line(struct console *c, const char *fmt, ...) __attribute__((format(printf, 2, 3)));
static void line(struct console *c, const char *fmt, ...)
{
	char text[1024];
	va_list ap;

	va_start(ap, fmt);
	vsnprintf(text, sizeof(text), fmt, ap);
	va_end(ap);
	buf_adds(&c->out, _("DRILL, nothing is cut: "));
	text_safe(&c->out, text);
	buf_addc(&c->out, '\n');
}

/* The answer, with what came beside it in `text`. */
static int ask(struct console *c, const struct msg_request *q, struct msg_acted *ret, struct buf *text)
{
	struct msg m;
	int code = control_ask(c, q, -1, MSG_ACTED, &m);

	if (code != CONSOLE_OK)
		return code;
	*ret = m.u.msg_acted;
	bool good = m.nfds == 0 || control_read_fd(m.fds[0], ANSWER_MAX, text);
	msg_close_fds(&m);
	if (!good)
		return console_fail(CONSOLE_ENV, "%s", _("the gate answers in a form that this command does not know"));
	return ret->ok ? CONSOLE_OK : console_fail(CONSOLE_REFUSED, "%s%s", _("DRILL, nothing is cut: "), _(ret->error));
}

static void acted_json(struct console *c, const char *verb, const struct msg_acted *m)
{
	struct json j = json_init(&c->out);

	json_object(&j, NULL);
	json_str(&j, "verb", verb);
	json_bool(&j, "drill", true);
	json_bool(&j, "ok", m->ok != 0);
	json_uint(&j, "number", m->number);
	json_str(&j, "object", m->object);
	json_str(&j, "code", m->code[0] != '\0' ? m->code : NULL);
	json_object_end(&j);
	buf_addc(&c->out, '\n');
}

/* -- steps ------------------------------------------------------------------------------------------------- */

static void print_flows(struct console *c, struct buf *flows)
{
	line(c, "%s", flows->len > 0 ? _("these approved flows would be stopped:") : _("no approved flow would be stopped"));
	for (const char *p = buf_str(flows); *p != '\0';) {
		size_t n = strcspn(p, "\n");
		line(c, "  %.*s", (int)(n < 500 ? n : 500), p);
		p += n + (p[n] == '\n');
	}
}

static int drill_cut(struct console *c, const struct args *a, enum cut_kind kind)
{
	struct msg_request q = {.verb = MSG_VERB_DRILL, .argument = MSG_DRILL_CUT, .detail = kind};
	struct msg_acted m;
	struct buf flows = {0};
	int code = act_sign(a, &q);

	for (unsigned i = 0; i < a->nwords && i < 2 && code == CONSOLE_OK; i++)
		code = act_fill(q.object[i], sizeof(q.object[i]), a->command->args[i].name, a->words[i]);
	if (code == CONSOLE_OK)
		code = ask(c, &q, &m, &flows);
	if (code == CONSOLE_OK && c->json) {
		acted_json(c, "cut", &m);
	} else if (code == CONSOLE_OK) {
		line(c, _("CUT, number %u: %s"), m.number, m.object);
		print_flows(c, &flows);
		line(c, _("to restore: sekisho drill restore %u"), m.number);
	}
	buf_free(&flows);
	return code;
}

int verb_drill_host(struct console *c, const struct args *a)
{
	return drill_cut(c, a, CUT_HOST);
}

int verb_drill_segment(struct console *c, const struct args *a)
{
	return drill_cut(c, a, CUT_SEGMENT);
}

int verb_drill_pair(struct console *c, const struct args *a)
{
	return drill_cut(c, a, CUT_PAIR);
}

int verb_drill_all(struct console *c, const struct args *a)
{
	return drill_cut(c, a, CUT_ALL);
}

int verb_drill_restore(struct console *c, const struct args *a)
{
	struct msg_request q = {.verb = MSG_VERB_DRILL, .argument = MSG_DRILL_RESTORE};
	const char *code_word = args_option(a, "--confirm");
	struct buf none = {0};
	struct msg_acted m;
	int code = act_number(a->words[0], &q.detail);

	if (code == CONSOLE_OK)
		code = act_sign(a, &q);
	if (code == CONSOLE_OK && code_word != NULL)
		code = act_fill(q.approval, sizeof(q.approval), "--confirm", code_word);
	if (code == CONSOLE_OK)
		code = ask(c, &q, &m, &none);
	buf_free(&none);
	if (code != CONSOLE_OK)
		return code;
	if (c->json)
		acted_json(c, "restore", &m);
	else if (m.code[0] != '\0')
		line(c, _("to restore %s: sekisho drill restore %u --confirm %s --who NAME --why TEXT"), m.object, m.number, m.code);
	else
		line(c, _("RESTORED, number %u: %s"), m.number, m.object);
	return CONSOLE_OK;
}

int verb_drill_join(struct console *c, const struct args *a)
{
	struct msg_request q = {.verb = MSG_VERB_DRILL, .argument = MSG_DRILL_JOIN};
	struct buf none = {0};
	struct msg_acted m;
	int code = act_fill(q.who, sizeof(q.who), "NAME", a->words[0]);

	if (code == CONSOLE_OK)
		code = ask(c, &q, &m, &none);
	buf_free(&none);
	if (code == CONSOLE_OK && c->json)
		acted_json(c, "join", &m);
	else if (code == CONSOLE_OK)
		line(c, _("%s takes part in drill %u"), q.who, m.number);
	return code;
}

/* -- report ------------------------------------------------------------------------------------------------ */

static const char *step_text(const char *word)
{
	static const struct {
		const char *word, *text;
	} steps[] = {{"begun", N_("begun")}, {"joined", N_("took part")}, {"cut", N_("cut")},
		{"restore-asked", N_("asked to restore")}, {"restored", N_("restored")}, {"ended", N_("ended")}};

	for (size_t i = 0; word != NULL && i < sizeof(steps) / sizeof(steps[0]); i++)
		if (strcmp(steps[i].word, word) == 0)
			return _(steps[i].text);
	return "?";
}

static int64_t number(const struct json_value *v, const char *key)
{
	const struct json_value *n = json_member(v, key);

	return n != NULL && n->kind == JSON_NUMBER ? n->number : 0;
}

static const char *text(const struct json_value *v, const char *key)
{
	const char *t = json_member_text(v, key);

	return t != NULL ? t : "";
}

static void print_step(struct console *c, const struct json_value *e)
{
	int64_t after = number(e, "after_ms");
	char at[32];

	line(c, "%s  +%lld.%03lld s  %s %s  %s (%s)%s%s", log_time_long(number(e, "at"), at),
		(long long)(after / 1000), (long long)(after % 1000), step_text(json_member_text(e, "what")),
		text(e, "object"), text(e, "who"), text(e, "account"), text(e, "why")[0] != '\0' ? ": " : "",
		text(e, "why"));
}

static void print_report(struct console *c, const struct json_value *r)
{
	const struct json_value *events = json_member(r, "events"), *people = json_member(r, "participants");
	const struct json_value *under_way = json_member(r, "under_way");
	bool running = under_way != NULL && under_way->kind == JSON_BOOL && under_way->truth;

	line(c, running ? _("report of drill %lld, which is under way") : _("report of drill %lld"),
		(long long)number(r, "drill"));
	for (const struct json_value *p = people != NULL && people->kind == JSON_ARRAY ? people->first : NULL;
		p != NULL; p = p->next)
		if (p->kind == JSON_STRING)
			line(c, _("participant: %s"), p->text);
	for (const struct json_value *e = events != NULL && events->kind == JSON_ARRAY ? events->first : NULL;
		e != NULL; e = e->next)
		print_step(c, e);
}

static int report(struct console *c, const struct msg_request *q, bool wanted)
{
	struct arena *arena = arena_new();
	struct buf bytes = {0};
	struct msg_acted m;
	int code = arena != NULL ? ask(c, q, &m, &bytes) : console_fail(CONSOLE_ENV, "%s", _("out of memory"));
	const struct json_value *r = code == CONSOLE_OK ? json_read(arena, (const char *)bytes.data, bytes.len) : NULL;

	control_zone(c);
	if (code == CONSOLE_OK && c->json) {
		buf_add(&c->out, bytes.data, bytes.len);
		buf_addc(&c->out, '\n');
	} else if (code == CONSOLE_OK && r != NULL && wanted) {
		print_report(c, r);
	} else if (code == CONSOLE_OK) {
		line(c, _("drill %u has ended; its report: sekisho drill report"), m.number);
	}
	buf_free(&bytes);
	arena_free(arena);
	return code;
}

int verb_drill_end(struct console *c, const struct args *a)
{
	struct msg_request q = {.verb = MSG_VERB_DRILL, .argument = MSG_DRILL_END};
	int code = act_fill(q.who, sizeof(q.who), "--who", args_option(a, "--who"));

	return code != CONSOLE_OK ? code : report(c, &q, args_option(a, "--report") != NULL);
}

int verb_drill_report(struct console *c, const struct args *a)
{
	struct msg_request q = {.verb = MSG_VERB_DRILL, .argument = MSG_DRILL_REPORT};

	(void)a;
	return report(c, &q, true);
}
