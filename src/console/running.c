/*
 * running.c: `sekisho running`: the policy that is in force, as it was committed.
 */
#include "running.h"

#include "console.h"
#include "control.h"
#include "text.h"

#include <sekisho/json.h>
#include <sekisho/limits.h>

#include <string.h>

/* Escaped line by line: what is printed can be read, and saved to be committed again when it holds plain text. */
static void print_text(struct buf *out, char *text)
{
	char *save = NULL;

	for (char *line = text; line != NULL && *line != '\0'; line = save) {
		save = strchr(line, '\n');
		if (save != NULL)
			*save++ = '\0';
		text_safe(out, line);
		buf_addc(out, '\n');
	}
}

static int read_policy(struct console *c, const struct msg_request *q, struct buf *ret)
{
	struct msg m;
	int code = control_ask(c, q, -1, MSG_OPENED, &m);

	if (code != CONSOLE_OK)
		return code;
	if (!m.u.msg_opened.ok || m.nfds != 1)
		code = console_fail(CONSOLE_REFUSED, "%s",
			m.u.msg_opened.error[0] != '\0' ? _(m.u.msg_opened.error) : _("no policy is in force"));
	else if (!control_read_fd(m.fds[0], LIMIT_POLICY_BYTES, ret))
		code = console_fail(CONSOLE_ENV, "%s", _("the policy in force cannot be read"));
	msg_close_fds(&m);
	return code;
}

int running_read(struct console *c, struct buf *ret)
{
	const struct msg_request q = {.verb = MSG_VERB_RUNNING};

	return read_policy(c, &q, ret);
}

int running_print(struct console *c, const struct msg_request *q)
{
	struct buf text = {0};
	int code = read_policy(c, q, &text);

	if (code == CONSOLE_OK && c->json) {
		struct json j = json_init(&c->out);
		json_object(&j, NULL);
		json_strn(&j, "policy", (const char *)text.data, text.len);
		json_object_end(&j);
		buf_addc(&c->out, '\n');
	} else if (code == CONSOLE_OK) {
		buf_str(&text);
		print_text(&c->out, (char *)text.data);
	}
	buf_free(&text);
	return code;
}

int verb_running(struct console *c, const struct args *a)
{
	const struct msg_request q = {.verb = MSG_VERB_RUNNING};

	(void)a;
	return running_print(c, &q);
}
