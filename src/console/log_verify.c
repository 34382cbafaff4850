/*
 * log_verify.c: `sekisho log verify`: is the chain of records whole?
 */
#include "console.h"
#include "logquery.h"
#include "text.h"

#include <sekisho/json.h>

#include <stdio.h>

static bool no_rows(void *arg, const struct msg *m)
{
	(void)arg;
	(void)m;
	return false;
}

static void print_json(struct buf *out, const struct msg_end *end, const char *head)
{
	struct json j = json_init(out);

	json_object(&j, NULL);
	json_bool(&j, "ok", end->ok != 0);
	json_uint(&j, "checked", end->checked);
	json_uint(&j, "last_sequence", end->last_sequence);
	json_str(&j, "head", head);
	json_str(&j, "error", end->ok ? NULL : end->error);
	json_object_end(&j);
	buf_addc(out, '\n');
}

static void print_text(struct buf *out, const struct msg_end *end, const char *head)
{
	if (!end->ok) {
		buf_printf(out, _("THE RECORDS WERE CHANGED: the chain holds for %llu records and then breaks: "),
			(unsigned long long)end->checked);
		text_safe(out, _(end->error));
		buf_printf(out, "\n%s\n", _("Keep the device as it is and report it."));
		return;
	}
	buf_printf(out, _("the chain is whole: %llu records\n"), (unsigned long long)end->checked);
	buf_printf(out, _("note this elsewhere to notice a rewritten store: %s\n"), head);
}

int verb_log_verify(struct console *c, const struct args *a)
{
	struct msg_query q = {.verb = MSG_LOG_VERIFY, .port = MSG_ANY_PORT};
	struct msg_end end;
	char head[65];

	(void)a;
	int code = log_query(c, &q, MSG_END, no_rows, NULL, &end);
	if (code != CONSOLE_OK)
		return code;
	for (size_t i = 0; i < sizeof(end.head); i++)
		snprintf(head + 2 * i, 3, "%02x", end.head[i]);
	if (c->json)
		print_json(&c->out, &end, head);
	else
		print_text(&c->out, &end, head);
	return end.ok ? CONSOLE_OK : CONSOLE_REFUSED;
}
