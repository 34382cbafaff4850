/*
 * shell_commit.c: configuration mode: `check`, `commit`, `confirm`, `rollback`, `update`.
 *
 * A commit names the generation that its candidate was begun from. When another is in force by then nothing
 * is committed: what the other one changed is shown, and `update` carries one's own changes over to it, whole
 * or not at all.
 */
#include "shell.h"

#include "commit.h"
#include "control.h"
#include "policyfile.h"
#include "review.h"
#include "shell_draft.h"
#include "shell_run.h"
#include "shell_session.h"
#include "text.h"

#include <sekisho/arena.h>
#include <sekisho/clock.h>

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#define MINUTES_MAX 1440u

/* -- check
 * ---------------------------------------------------------------------------------------------------------
 */

/* Line n of a text. */
static void add_line(struct buf *out, const struct buf *text, uint32_t n)
{
	const char *at = (const char *)text->data, *end = at + text->len, *eol;
	struct buf line = {0};

	for (; n > 1 && at < end; n--) {
		eol = memchr(at, '\n', (size_t)(end - at));
		at = eol == NULL ? end : eol + 1;
	}
	eol = at < end ? memchr(at, '\n', (size_t)(end - at)) : NULL;
	buf_add(&line, at, (size_t)((eol == NULL ? end : eol) - at));
	buf_adds(out, "  ");
	text_safe(out, buf_str(&line));
	buf_addc(out, '\n');
	buf_free(&line);
}

static void add_finding(struct buf *out, const struct buf *text, const struct diag *d)
{
	buf_printf(out, "%s: ", d->severity == DIAG_ERROR ? _("error") : _("warning"));
	text_safe(out, d->what);
	if (d->hint != NULL) {
		buf_adds(out, _("; "));
		text_safe(out, d->hint);
	}
	buf_addc(out, '\n');
	if (d->line > 0)
		add_line(out, text, d->line);
}

/* Everything that is wrong with a candidate, with the lines themselves instead of their numbers. */
static int check_text(struct console *c, const struct buf *text, const struct args *a)
{
	struct policy_file f;
	int code = policy_file_text(&f, "candidate", text, a);

	if (code == CONSOLE_OK) {
		for (size_t i = 0; i < f.diags.n; i++)
			add_finding(&c->out, text, &f.diags.items[i]);
		buf_printf(&c->out,
			f.usable ? _("usable; %zu errors, %zu warnings\n")
				 : _("NOT usable; %zu errors, %zu warnings\n"),
			f.diags.nerrors, f.diags.nwarnings);
		code = f.usable ? CONSOLE_OK : CONSOLE_REFUSED;
	}
	policy_file_close(&f);
	return code;
}

int verb_config_check(struct console *c, const struct args *a)
{
	struct buf text = {0};

	draft_text(c->shell->draft, &text);
	int code = check_text(c, &text, a);
	buf_free(&text);
	return code;
}

/* -- commit
 * -------------------------------------------------------------------------------------------------------- */

struct commit {
	struct shell *sh;
	struct msg_request q;
	struct buf text;
};

static int send_commit(struct console *c, void *arg)
{
	const struct commit *x = arg;
	int fd = memfd_create("policy", MFD_CLOEXEC);

	if (fd < 0 || write(fd, x->text.data, x->text.len) != (ssize_t)x->text.len)
		return console_fail(CONSOLE_ENV, "%s", _("no memory for the policy"));
	return commit_send(c, &x->q, fd, _("candidate"));
}

/* A text for the record: given on the line, or asked for. False when it was not said. */
static bool ask_text(struct shell *sh, const char *given, const char *question, const char *otherwise,
	char *dst, size_t size)
{
	struct buf answer = {0};
	bool ok = given != NULL || shell_ask(sh, question, &answer);
	const char *text = given != NULL ? given : buf_str(&answer);

	if (ok && text[0] == '\0')
		text = otherwise;
	ok = ok && text != NULL && strlen(text) < size;
	if (ok)
		msg_text(dst, size, text);
	buf_free(&answer);
	return ok;
}

static int ask_all(struct shell *sh, const struct args *a, struct msg_request *q)
{
	struct buf who = {0};

	buf_printf(&who, _("who puts it in force [%s]: "), sh->user);
	bool ok = ask_text(sh, args_option(a, "--who"), buf_str(&who), sh->user, q->who, sizeof(q->who)) &&
		  ask_text(sh, args_option(a, "--why"), _("why (kept in the history): "), NULL, q->why,
			  sizeof(q->why)) &&
		  ask_text(sh, args_option(a, "--approval"), _("number of the approval, if there is one: "),
			  "", q->approval, sizeof(q->approval));
	buf_free(&who);
	return ok ? CONSOLE_OK
		  : console_fail(CONSOLE_REFUSED, "%s",
			    _("not committed: who and why must be said, not too long"));
}

/* Another generation is in force than the one that this candidate was begun from. */
static int underneath(struct console *c, const struct draft *d, uint32_t now, const struct buf *running)
{
	buf_printf(&c->out,
		_("NOT put in force: the policy changed underneath. You began from generation %u; %u is in "
		  "force "
		  "now.\n"),
		d->base, now);
	buf_adds(&c->out, _("What was changed meanwhile:\n"));
	size_t before = c->out.len;
	candidate_compare((const char *)d->base_text.data, d->base_text.len, (const char *)running->data,
		running->len, &c->out);
	if (c->out.len == before)
		buf_adds(&c->out, _("no difference\n"));
	buf_adds(&c->out,
		_("`update` carries your changes over to it; then look at `compare` and commit again.\n"));
	return CONSOLE_REFUSED;
}

/* CONSOLE_OK when the base is still in force. */
static int check_base(struct console *c, const struct draft *d)
{
	struct buf running = {0};
	uint32_t now = 0;
	int code = draft_running(c->shell, &now, &running) ? CONSOLE_OK : CONSOLE_ENV;

	if (code == CONSOLE_OK && now != d->base)
		code = underneath(c, d, now, &running);
	buf_free(&running);
	return code;
}

/* In force: what is edited from now on begins there. */
static void after_commit(struct shell *sh)
{
	struct buf running = {0};
	uint32_t now = 0;

	draft_forget(sh);
	if (draft_running(sh, &now, &running))
		draft_restart(sh->draft, &running, &running, now);
	buf_free(&running);
}

/* "confirmed N" behind commit. False with the message printed. */
static bool take_minutes(const struct args *a, uint32_t *ret)
{
	char *end;
	unsigned long v = a->nwords > 1 ? strtoul(a->words[1], &end, 10) : 10;

	*ret = 0;
	if (a->nwords == 0)
		return true;
	if (strcmp(a->words[0], "confirmed") == 0 && v >= 1 && v <= MINUTES_MAX &&
		(a->nwords < 2 || *end == '\0')) {
		*ret = (uint32_t)v;
		return true;
	}
	console_fail(CONSOLE_USAGE, _("commit, or commit confirmed MINUTES (1 to %u)"), MINUTES_MAX);
	return false;
}

static int run_commit(struct commit *x, const struct args *a)
{
	int code = ask_all(x->sh, a, &x->q);

	if (code != CONSOLE_OK)
		return code;
	draft_keep(x->sh, x->sh->draft);
	code = shell_run(x->sh, &(struct run){.work = send_commit, .arg = x});
	if (code == RUN_INTERRUPTED)
		buf_adds(&x->sh->console.out, _("the gate goes on with what it was asked; `run show log "
						"commits` says what became of it\n"));
	if (code != CONSOLE_OK)
		return code;
	if (x->q.argument > 0)
		buf_printf(&x->sh->console.out,
			_("it returns to the generation before in %u minutes unless you `confirm`\n"),
			x->q.argument);
	after_commit(x->sh);
	return CONSOLE_OK;
}

int verb_config_commit(struct console *c, const struct args *a)
{
	struct draft *d = c->shell->draft;
	struct commit x = {.sh = c->shell, .q = {.verb = MSG_VERB_COMMIT, .base = d->base}};
	struct buf changes = {0};
	int code = CONSOLE_USAGE;

	draft_changes(d, &changes);
	if (!take_minutes(a, &x.q.argument)) {
		code = CONSOLE_USAGE;
	} else if (changes.len == 0) {
		code = console_fail(CONSOLE_REFUSED, "%s",
			_("there is nothing to commit: the candidate is what is in force"));
	} else if ((code = check_base(c, d)) == CONSOLE_OK) {
		draft_text(d, &x.text);
		shell_show(c->shell, _("what will change:\n"));
		buf_addc(&changes, '\n');
		review_text(c, &d->base_text, &x.text, &changes);
		shell_show(c->shell, buf_str(&changes));
		code = run_commit(&x, a);
	}
	buf_free(&changes);
	buf_free(&x.text);
	return code;
}

/* -- what comes after
 * ---------------------------------------------------------------------------------------------- */

static int send_request(struct console *c, void *arg)
{
	const struct commit *x = arg;

	return commit_send(c, &x->q, -1, _("candidate"));
}

int verb_config_confirm(struct console *c, const struct args *a)
{
	struct commit x = {.sh = c->shell, .q = {.verb = MSG_VERB_CONFIRM}};

	(void)a;
	return shell_run(c->shell, &(struct run){.work = send_request, .arg = &x});
}

int verb_config_rollback(struct console *c, const struct args *a)
{
	struct commit x = {.sh = c->shell, .q = {.verb = MSG_VERB_ROLLBACK, .base = c->shell->draft->base}};
	char *end;
	unsigned long n = strtoul(a->words[0], &end, 10);

	if (*end != '\0' || n == 0 || n > UINT32_MAX)
		return console_fail(CONSOLE_USAGE, "%s",
			_("rollback takes the number of a generation (`run show log commits` lists them)"));
	x.q.argument = (uint32_t)n;
	int code = ask_all(c->shell, a, &x.q);
	if (code == CONSOLE_OK)
		code = shell_run(c->shell, &(struct run){.work = send_request, .arg = &x});
	if (code == CONSOLE_OK)
		after_commit(c->shell);
	return code;
}

/* Lines of a comparison as lines that can be loaded: what goes, and then what comes. */
static void carry(struct buf *out, const struct buf *changes, char sign)
{
	const char *at = (const char *)changes->data, *end = at + changes->len;

	while (at < end) {
		const char *eol = memchr(at, '\n', (size_t)(end - at));
		size_t n = (size_t)((eol == NULL ? end : eol) - at);
		if (n > 6 && at[0] == '-' && sign == '-' && memcmp(at + 2, "set ", 4) == 0)
			buf_printf(out, "delete %.*s\n", (int)(n - 6), at + 6);
		else if (n > 2 && at[0] == sign && sign != '-' && at[2] != '#')
			buf_printf(out, "%.*s\n", (int)(n - 2), at + 2);
		at = eol == NULL ? end : eol + 1;
	}
}

/* One's own changes on top of what is in force now. */
static int carry_over(struct console *c, struct draft *d, uint32_t now, const struct buf *running)
{
	struct buf changes = {0}, lines = {0}, merged = {0};
	struct arena *arena = arena_new();
	struct diag_list diags;
	size_t done = 0;

	if (arena == NULL)
		abort();
	diag_init(&diags, arena);
	draft_changes(d, &changes);
	carry(&lines, &changes, '-');
	carry(&lines, &changes, '+');
	carry(&lines, &changes, '!');
	struct candidate *onto = candidate_new((const char *)running->data, running->len, &diags);
	bool ok = onto != NULL &&
		  candidate_load(onto, (const char *)lines.data, lines.len, false, &done, &diags) == 0;
	if (ok) {
		candidate_print(onto, NULL, &merged);
		ok = draft_restart(d, &merged, running, now);
		d->kept = ok ? d->kept - 1 : d->kept;
		buf_printf(&c->out,
			_("your changes stand on generation %u now; look at them with `compare`\n"), now);
	} else {
		buf_adds(&c->out,
			_("your changes do not fit; nothing was changed. Where both changed the same:\n"));
		for (size_t i = 0; i < diags.n; i++) {
			add_line(&c->out, &lines, diags.items[i].line);
			text_safe(&c->out, diags.items[i].what);
			buf_addc(&c->out, '\n');
		}
	}
	candidate_free(onto);
	arena_free(arena);
	buf_free(&changes);
	buf_free(&lines);
	buf_free(&merged);
	return ok ? CONSOLE_OK : CONSOLE_REFUSED;
}

int verb_config_update(struct console *c, const struct args *a)
{
	struct draft *d = c->shell->draft;
	struct buf running = {0};
	uint32_t now = 0;
	int code = CONSOLE_ENV;

	(void)a;
	if (draft_running(c->shell, &now, &running)) {
		code = CONSOLE_OK;
		if (now == d->base)
			buf_adds(&c->out, _("nothing changed underneath\n"));
		else
			code = carry_over(c, d, now, &running);
	}
	buf_free(&running);
	return code;
}

int verb_config_extend(struct console *c, const struct args *a)
{
	if (!session_extend(c->shell->session, a->words[0]))
		return console_fail(CONSOLE_REFUSED, "%s", _("the gate did not take it"));
	buf_adds(&c->out, _("the time of configuration mode begins anew\n"));
	return CONSOLE_OK;
}
