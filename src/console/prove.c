/*
 * prove.c: `sekisho prove`: has the kernel's ruleset compared with the policy in force now, and prints the findings.
 *
 * The proof is made by an unprivileged process of the gate from the kernel's own dump (sekisho-prove). Its findings
 * come back as JSON: foreign bytes here, read within limits and escaped when printed. By the time of the answer the
 * gate has acted on a finding already: made the ruleset anew, or closed.
 */
#include "console.h"
#include "control.h"
#include "jsonread.h"
#include "text.h"

#include <sekisho/arena.h>
#include <sekisho/json.h>

#include <errno.h>
#include <string.h>

#define FINDINGS_MAX (4u << 20)

/* The array of {"code", "text"} beside an answer; an empty one when nothing came along, NULL when it is malformed. */
static const struct json_value *read_findings(const struct msg *m, struct arena *arena)
{
	static const struct json_value none = {.kind = JSON_ARRAY};
	const struct json_value *list = NULL;
	struct buf text = {0};

	if (m->nfds == 0)
		return &none;
	if (control_read_fd(m->fds[0], FINDINGS_MAX, &text))
		list = json_read(arena, (const char *)text.data, text.len);
	buf_free(&text);
	if (list == NULL || list->kind != JSON_ARRAY)
		return NULL;
	for (const struct json_value *v = list->first; v != NULL; v = v->next)
		if (json_member_text(v, "code") == NULL || json_member_text(v, "text") == NULL)
			return NULL;
	return list;
}

/* Of the findings that were counted, how many are not in the list. */
static size_t not_shown(const struct msg_committed *r, const struct json_value *list)
{
	size_t n = 0;

	for (const struct json_value *v = list->first; v != NULL; v = v->next)
		n++;
	return r->errors > n ? r->errors - n : 0;
}

static void print_text(struct buf *out, const struct msg_committed *r, const struct json_value *list)
{
	for (const struct json_value *v = list->first; v != NULL; v = v->next) {
		buf_adds(out, _("finding: "));
		text_safe(out, json_member_text(v, "text"));
		buf_adds(out, " [");
		text_safe(out, json_member_text(v, "code"));
		buf_adds(out, "]\n");
	}
	if (not_shown(r, list) > 0)
		buf_printf(out, _("%zu more findings are not shown\n"), not_shown(r, list));
	if (r->ok) {
		buf_printf(out, _("no finding: the kernel holds the policy of generation %u (%u.%03u ms)\n"), r->generation,
			r->total_us / 1000, r->total_us % 1000);
		return;
	}
	buf_adds(out, _("NOT proved: "));
	text_safe(out, r->error[0] != '\0' ? _(r->error) : _("the proof could not be made"));
	buf_addc(out, '\n');
	if (r->errors > 0)
		buf_adds(out, _("what the gate has done about it: sekisho status, sekisho log faults\n"));
}

static void print_json(struct buf *out, const struct msg_committed *r, const struct json_value *list)
{
	struct json j = json_init(out);

	json_object(&j, NULL);
	json_bool(&j, "ok", r->ok != 0);
	json_uint(&j, "generation", r->generation);
	json_uint(&j, "total_us", r->total_us);
	json_str(&j, "error", r->error[0] == '\0' ? NULL : r->error);
	json_uint(&j, "count", r->errors);
	json_uint(&j, "not_shown", not_shown(r, list));
	json_array(&j, "findings");
	for (const struct json_value *v = list->first; v != NULL; v = v->next) {
		json_object(&j, NULL);
		json_str(&j, "code", json_member_text(v, "code"));
		json_str(&j, "text", json_member_text(v, "text"));
		json_object_end(&j);
	}
	json_array_end(&j);
	json_object_end(&j);
	buf_addc(out, '\n');
}

static int print_result(struct console *c, const struct msg *m)
{
	const struct msg_committed *r = &m->u.msg_committed;
	struct arena *arena = arena_new();

	if (arena == NULL)
		return console_fail(CONSOLE_ENV, "%s", strerror(ENOMEM));
	const struct json_value *list = read_findings(m, arena);
	int code = r->ok && r->errors == 0 ? CONSOLE_OK : CONSOLE_REFUSED;
	if (list == NULL)
		code = console_fail(CONSOLE_ENV, "%s", _("the findings cannot be read"));
	else if (c->json)
		print_json(&c->out, r, list);
	else
		print_text(&c->out, r, list);
	arena_free(arena);
	return code;
}

int verb_prove(struct console *c, const struct args *a)
{
	struct msg_request q = {.verb = MSG_VERB_PROVE};
	struct msg m;

	(void)a;
	int code = control_ask(c, &q, -1, MSG_COMMITTED, &m);
	if (code != CONSOLE_OK)
		return code;
	code = print_result(c, &m);
	msg_close_fds(&m);
	return code;
}
