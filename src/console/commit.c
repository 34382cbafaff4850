/*
 * commit.c: `sekisho commit`: puts a policy in force on the running gate.
 *
 * The file is opened here, by the user's right to read it, and its descriptor goes to the gate, which copies it
 * before anything is read. The diagnostics come back as JSON from the unprivileged compiler.
 */
#include "commit.h"

#include "console.h"
#include "control.h"
#include "deeds.h"
#include "findings.h"
#include "jsonread.h"
#include "text.h"

#include <sekisho/arena.h>
#include <sekisho/diag.h>
#include <sekisho/json.h>

#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <unistd.h>

#define DIAGNOSTICS_MAX (4u << 20)

static bool is_error(const struct json_value *v)
{
	const char *severity = json_member_text(v, "severity");

	return severity == NULL || strcmp(severity, "warning") != 0;
}

/* Fills `d` from an array as diag_json() writes it. False when it is none. */
static bool take_diagnostics(struct diag_list *d, const char *text, size_t n)
{
	const struct json_value *list = json_read(d->arena, text, n);

	if (list == NULL || list->kind != JSON_ARRAY)
		return false;
	for (const struct json_value *v = list->first; v != NULL; v = v->next) {
		/* What the proof found has a text alone. */
		const char *what = json_member_text(v, json_member(v, "what") != NULL ? "what" : "text");
		const char *code = json_member_text(v, "code");
		const char *hint = json_member_text(v, "hint");
		uint32_t line = (uint32_t)json_member_number(v, "line");
		if (is_error(v))
			diag_error(d, line, code == NULL ? "?" : code, hint, "%s", what == NULL ? "?" : what);
		else
			diag_warning(d, line, code == NULL ? "?" : code, hint, "%s", what == NULL ? "?" : what);
	}
	return true;
}

/* The diagnostics beside an answer. Those beyond what was kept are in the counts only. */
static bool read_diagnostics(const struct msg *m, struct diag_list *d)
{
	struct buf text = {0};
	bool ok = m->nfds == 0;

	if (!ok && control_read_fd(m->fds[0], DIAGNOSTICS_MAX, &text))
		ok = take_diagnostics(d, (const char *)text.data, text.len);
	buf_free(&text);
	if (m->u.msg_committed.errors > d->nerrors)
		d->nerrors = m->u.msg_committed.errors;
	if (m->u.msg_committed.warnings > d->nwarnings)
		d->nwarnings = m->u.msg_committed.warnings;
	return ok;
}

static void print_text(struct buf *out, const char *file, const struct msg_committed *r, const struct diag_list *d)
{
	findings_text(out, file, d);
	if (r->ok) {
		buf_printf(out, _("in force: generation %u (kernel %u.%03u ms, in all %u.%03u ms)\n"), r->generation,
			r->kernel_us / 1000, r->kernel_us % 1000, r->total_us / 1000, r->total_us % 1000);
		if (r->confirm_minutes > 0)
			buf_printf(out, _("Unless it is confirmed within %u minutes (sekisho confirm) the generation before returns.\n"),
				r->confirm_minutes);
		return;
	}
	buf_adds(out, _("NOT put in force: "));
	text_safe(out, r->error[0] != '\0' ? _(r->error) : _("the policy has errors"));
	buf_addc(out, '\n');
	if (r->generation != 0)
		buf_printf(out, _("generation %u stays in force\n"), r->generation);
	else
		buf_adds(out, _("the gate stays closed: no generation is in force\n"));
}

static void print_json(struct buf *out, const char *file, const struct msg_committed *r, const struct diag_list *d)
{
	struct json j = json_init(out);

	json_object(&j, NULL);
	json_str(&j, "policy", file);
	json_bool(&j, "ok", r->ok != 0);
	json_uint(&j, "generation", r->generation);
	json_uint(&j, "kernel_us", r->kernel_us);
	json_uint(&j, "total_us", r->total_us);
	json_uint(&j, "confirm_minutes", r->confirm_minutes);
	json_str(&j, "error", r->error[0] == '\0' ? NULL : r->error);
	findings_json(&j, d);
	json_object_end(&j);
	buf_addc(out, '\n');
}

/* Fills a fixed array of the request; a text that would be cut is refused. */
static bool fill(char *dst, size_t size, const char *option, const char *text)
{
	if (text == NULL)
		text = "";
	msg_text(dst, size, text);
	if (strlen(text) < size)
		return true;
	console_fail(CONSOLE_USAGE, _("%s is too long (at most %zu bytes)"), option, size - 1);
	return false;
}

static bool fill_number(uint32_t *ret, const char *option, const char *text)
{
	if (text == NULL || (*ret = deeds_number(text)) != 0)
		return true;
	console_fail(CONSOLE_USAGE, _("%s takes a number from 1 on"), option);
	return false;
}

static int print_result(struct console *c, const char *file, const struct msg *m)
{
	struct arena *arena = arena_new();
	struct diag_list d;

	if (arena == NULL)
		return console_fail(CONSOLE_ENV, "%s", strerror(ENOMEM));
	diag_init(&d, arena);
	bool readable = read_diagnostics(m, &d);
	if (c->json)
		print_json(&c->out, file, &m->u.msg_committed, &d);
	else
		print_text(&c->out, file, &m->u.msg_committed, &d);
	arena_free(arena);
	if (!readable)
		console_fail(CONSOLE_ENV, "%s", _("the diagnostics cannot be read"));
	return m->u.msg_committed.ok ? CONSOLE_OK : CONSOLE_REFUSED;
}

int commit_send(struct console *c, const struct msg_request *q, int fd, const char *name)
{
	struct msg m;
	int code = control_ask(c, q, fd, MSG_COMMITTED, &m);

	if (fd >= 0)
		close(fd);
	if (code != CONSOLE_OK)
		return code;
	code = print_result(c, name, &m);
	msg_close_fds(&m);
	return code;
}

int verb_commit(struct console *c, const struct args *a)
{
	struct msg_request q = {.verb = MSG_VERB_COMMIT};

	if (!fill(q.who, sizeof(q.who), "--who", args_option(a, "--who")) ||
		!fill(q.why, sizeof(q.why), "--why", args_option(a, "--why")) ||
		!fill(q.approval, sizeof(q.approval), "--approval", args_option(a, "--approval")))
		return CONSOLE_USAGE;
	if (q.who[0] == '\0' || q.why[0] == '\0')
		return console_fail(CONSOLE_USAGE, "%s", _("--who and --why must not be empty"));
	if (!fill_number(&q.argument, "--confirm", args_option(a, "--confirm")) ||
		!fill_number(&q.base, "--base", args_option(a, "--base")))
		return CONSOLE_USAGE;
	int fd = open(a->words[0], O_RDONLY | O_CLOEXEC | O_NOCTTY);
	if (fd < 0)
		return console_fail(CONSOLE_ENV, "%s: %s", a->words[0], strerror(errno));
	return commit_send(c, &q, fd, a->words[0]);
}
