/*
 * shell_guide.c: guides in the shell: the keyboard answers, the candidate takes the lines.
 *
 * A guide works on a copy; what it made reaches the candidate whole, after a yes, or not at all: Ctrl-C, a lost line or a
 * no leave everything as it was. In operational mode it ends in configuration mode when the lines were taken.
 */
#include "shell.h"

#include "draft_drop.h"
#include "guide.h"
#include "shell_draft.h"
#include "shell_edit.h"
#include "text.h"

#include <sekisho/arena.h>

#include <stdlib.h>
#include <string.h>

/* -- the other side of the dialogue ------------------------------------------------------------------------------ */

static void tell(void *arg, const char *text)
{
	shell_show(arg, text);
}

struct found {
	const char *typed;
	size_t len;
	struct buf common;
	unsigned n;
};

static void add_found(void *to, const char *name, const char *help)
{
	struct found *f = to;
	size_t same = 0;

	(void)help;
	if (strncmp(name, f->typed, f->len) != 0)
		return;
	if (f->n++ == 0) {
		buf_adds(&f->common, name);
		return;
	}
	for (const char *common = buf_str(&f->common); common[same] != '\0' && common[same] == name[same];)
		same++;
	f->common.len = same;
}

/* Tab at a question: the last word of the answer. */
static bool complete(void *arg, const char *before, size_t *ret_drop, struct buf *insert)
{
	const struct dialogue *d = arg;
	const char *blank = strrchr(before, ' ');
	struct found f = {.typed = blank == NULL ? before : blank + 1};

	if (d->now == NULL || d->now->names == NULL)
		return false;
	f.len = strlen(f.typed);
	d->now->names(d->now->arg, add_found, &f);
	*ret_drop = f.len;
	bool grows = f.common.len > f.len;
	buf_add(insert, f.common.data, f.common.len);
	buf_free(&f.common);
	return grows;
}

static bool ask(void *arg, const char *prompt, struct buf *answer)
{
	struct shell *sh = arg;

	return shell_ask(sh, prompt, answer);
}

/* -- the policy that is asked about ------------------------------------------------------------------------------- */

static bool policy_text(struct shell *sh, struct buf *ret)
{
	uint32_t generation;

	if (sh->draft == NULL)
		return draft_running(sh, &generation, ret);
	draft_text(sh->draft, ret);
	return true;
}

static void show_lines(struct shell *sh, struct guide *g)
{
	struct buf b = {0}, found = {0};

	buf_addc(&b, '\n');
	for (const char *p = buf_str(&g->lines); *p != '\0'; p += strcspn(p, "\n") + 1) {
		struct buf line = {0};
		buf_add(&line, p, strcspn(p, "\n"));
		text_safe(&b, buf_str(&line));
		buf_addc(&b, '\n');
		buf_free(&line);
	}
	buf_addc(&b, '\n');
	if (!guide_findings(g, &found))
		buf_adds(&b, _("The gate would refuse it as it is; put it in all the same to go on by hand:\n"));
	buf_add(&b, found.data, found.len);
	shell_show(sh, buf_str(&b));
	buf_free(&b);
	buf_free(&found);
}

static int load_lines(struct shell *sh, struct guide *g)
{
	struct arena *arena = arena_new();
	struct diag_list diags;
	size_t done = 0;

	if (arena == NULL)
		abort();
	diag_init(&diags, arena);
	int result = candidate_load(sh->draft->c, (const char *)g->lines.data, g->lines.len, false, &done, &diags);
	for (size_t i = 0; i < diags.n; i++) {
		text_safe(&sh->console.out, diags.items[i].what);
		buf_addc(&sh->console.out, '\n');
	}
	if (result == 0) {
		buf_printf(&sh->console.out, _("%zu lines are in the candidate; nothing of them is in force.\n"), done);
		buf_adds(&sh->console.out, _("Next: `compare` shows them, `check` finds what is wrong, `commit confirmed 10` puts them in "
					     "force for ten minutes, `confirm` for good.\n"));
		shell_draft_keep(sh);
	} else {
		buf_adds(&sh->console.out, _("they do not fit your candidate; nothing was changed\n"));
	}
	arena_free(arena);
	return result == 0 ? CONSOLE_OK : CONSOLE_REFUSED;
}

/* Into the candidate, after a yes. */
static int offer_lines(struct shell *sh, struct guide *g)
{
	bool yes = false;

	if (g->lines.len == 0)
		return CONSOLE_OK;
	show_lines(sh, g);
	if (!dialogue_yes(g->d, _("Put these lines into the candidate?"), &yes) || !yes) {
		buf_adds(&sh->console.out, _("nothing was changed\n"));
		return CONSOLE_REFUSED;
	}
	if (sh->draft == NULL && !shell_configure(sh))
		return CONSOLE_REFUSED;
	return load_lines(sh, g);
}

/* One guide from its begin to the candidate. */
typedef bool guide_fn(struct guide *g, void *arg);

static int run_text(struct shell *sh, const struct buf *text, guide_fn *fn, void *arg)
{
	struct dialogue d = {.ask = ask, .tell = tell, .arg = sh};
	struct guide g;
	int code = CONSOLE_ENV;

	if (guide_begin(&g, &d, text)) {
		editor_complete(sh->editor, complete, &d);
		bool whole = fn(&g, arg);
		code = whole ? offer_lines(sh, &g) : CONSOLE_REFUSED;
		editor_complete(sh->editor, NULL, NULL);
		if (!whole)
			buf_adds(&sh->console.out, _("nothing was changed\n"));
	}
	guide_end(&g);
	return code;
}

static int run_guide(struct console *c, guide_fn *fn, void *arg)
{
	struct buf text = {0};
	int code = policy_text(c->shell, &text) ? run_text(c->shell, &text, fn, arg) : CONSOLE_ENV;

	buf_free(&text);
	return code;
}

/* The guides take the word behind their name. */
static bool allow_of(struct guide *g, void *arg)
{
	const struct args *a = arg;

	return guide_allow(g, a->nwords > 0 ? a->words[0] : NULL);
}

static bool setup_of(struct guide *g, void *arg)
{
	(void)arg;
	return guide_setup(g);
}

static bool renew_of(struct guide *g, void *arg)
{
	(void)arg;
	return guide_renew(g);
}

static bool swap_of(struct guide *g, void *arg)
{
	return guide_swap(g, ((const struct args *)arg)->words[0]);
}

static bool window_of(struct guide *g, void *arg)
{
	return guide_window(g, ((const struct args *)arg)->words[0]);
}

int verb_guide_allow(struct console *c, const struct args *a)
{
	struct args words = *a;

	return run_guide(c, allow_of, &words);
}

int verb_guide_setup(struct console *c, const struct args *a)
{
	(void)a;
	return run_guide(c, setup_of, NULL);
}

int verb_guide_swap(struct console *c, const struct args *a)
{
	struct args words = *a;

	return run_guide(c, swap_of, &words);
}

int verb_guide_window(struct console *c, const struct args *a)
{
	struct args words = *a;

	return run_guide(c, window_of, &words);
}

int verb_guide_renew(struct console *c, const struct args *a)
{
	(void)a;
	return run_guide(c, renew_of, NULL);
}

/* -- from a drop record ------------------------------------------------------------------------------------------- */

/* The form of the flow, its hosts in the lines before it. */
static bool form_of_drop(struct guide *g, void *arg)
{
	struct draft_drop *d = arg;
	struct guide_flow flow = {.name = buf_str(&d->name), .from = buf_str(&d->from), .to = buf_str(&d->to),
		.service = buf_str(&d->service)};

	buf_add(&g->lines, d->hosts.data, d->hosts.len);
	return guide_form(g, &flow);
}

static int ask_form(struct shell *sh, struct buf *text, struct draft_drop *d)
{
	struct dialogue q = {.ask = ask, .tell = tell, .arg = sh};
	bool yes = false;

	if (!dialogue_yes(&q, _("Fill in the form now, for the candidate?"), &yes) || !yes)
		return CONSOLE_OK;
	buf_addc(text, '\n');
	buf_add(text, d->hosts.data, d->hosts.len);
	return run_text(sh, text, form_of_drop, d);
}

int verb_shell_draft_from_drop(struct console *c, const struct args *a)
{
	struct shell *sh = c->shell;
	static const struct args none;
	struct msg_drop_row row;
	struct draft_drop d;
	struct policy_file f = {0};
	struct buf text = {0}, said = {0};

	if (a->nwords == 0)
		return draft_drop_list(c);
	int code = draft_drop_read(c, a->words[0], &row);
	if (code == CONSOLE_OK && (!policy_text(sh, &text) || policy_file_text(&f, _("candidate"), &text, &none) != CONSOLE_OK))
		code = CONSOLE_ENV;
	if (code == CONSOLE_OK && !f.usable)
		code = policy_file_refused(&f);
	if (code == CONSOLE_OK) {
		draft_drop(&d, &f, &row);
		draft_drop_text(&d, &f, &row, &said);
		shell_show(sh, buf_str(&said));
		code = d.ok ? ask_form(sh, &text, &d) : CONSOLE_REFUSED;
		draft_drop_free(&d);
	}
	policy_file_close(&f);
	buf_free(&text);
	buf_free(&said);
	return code;
}
