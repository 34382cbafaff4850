/*
 * shell_config.c: configuration mode: the words that change and show the candidate.
 *
 * Nothing here touches what is in force. An edit is whole or not at all, and what is wrong with it is said at
 * once (candidate.h); whether the whole fits together is said by `check` and `commit` (shell_commit.c).
 */
#include "shell.h"

#include "hostsheet.h"

#include "findings.h"
#include "shell_draft.h"
#include "shell_session.h"
#include "shell_terminal.h"
#include "text.h"

#include <sekisho/arena.h>
#include <sekisho/clock.h>
#include <sekisho/limits.h>

#include <errno.h>
#include <stdlib.h>
#include <string.h>

/* -- begin and end --------------------------------------------------------------------------------------- */

const char *shell_level(const struct shell *sh)
{
	return sh->draft != NULL ? buf_str(&sh->draft->level) : "";
}

void shell_draft_keep(struct shell *sh)
{
	if (draft_keep(sh, sh->draft) || sh->draft->cannot_keep)
		return;
	sh->draft->cannot_keep = true;
}

bool shell_configure(struct shell *sh)
{
	sh->draft = draft_begin(sh);
	if (sh->draft == NULL)
		return false;
	session_configure(sh->session, true);
	sh->place = PLACE_CONFIGURE;
	buf_printf(&sh->console.out,
		_("configuration mode: begun from generation %u; `commit` puts it in force, `exit` leaves\n"),
		sh->draft->base);
	return true;
}

static bool changed(const struct draft *d)
{
	struct buf changes = {0};

	draft_changes(d, &changes);
	bool some = changes.len > 0;
	buf_free(&changes);
	return some;
}

void shell_deconfigure_now(struct shell *sh)
{
	draft_keep(sh, sh->draft);
	session_configure(sh->session, false);
	draft_free(sh->draft);
	sh->draft = NULL;
	sh->place = PLACE_OPERATE;
}

void shell_deconfigure(struct shell *sh)
{
	if (changed(sh->draft)) {
		bool kept = draft_keep(sh, sh->draft);
		if (!shell_confirm(sh,
			    kept ? _("There are changes that are not in force. They are kept. Leave? [y/N] ")
				 : _("There are changes that are not in force. They will be LOST. Leave? "
				     "[y/N] ")))
			return;
	} else {
		draft_forget(sh);
		sh->draft->kept = candidate_changes(sh->draft->c);
	}
	shell_deconfigure_now(sh);
}

/* -- edits
 * ------------------------------------------------------------------------------------------------------ */

struct edit {
	struct draft *d;
	struct arena *arena;
	struct diag_list diags;
	struct buf path; /* with the level in front */
};

static void edit_begin(struct edit *e, struct console *c, const char *words)
{
	*e = (struct edit){.d = c->shell->draft, .arena = arena_new()};
	if (e->arena == NULL)
		abort();
	diag_init(&e->diags, e->arena);
	buf_add(&e->path, e->d->level.data, e->d->level.len);
	if (e->path.len > 0 && words[0] != '\0')
		buf_addc(&e->path, ' ');
	buf_adds(&e->path, words);
}

/* What was wrong, where the words are; without a file's name. */
static int edit_end(struct edit *e, struct console *c, int result)
{
	for (size_t i = 0; i < e->diags.n; i++) {
		const struct diag *d = &e->diags.items[i];
		if (d->line > 1)
			buf_printf(&c->out, _("line %u: "), d->line);
		text_safe(&c->out, d->what);
		buf_adds(&c->out, d->hint != NULL ? _("; ") : "");
		text_safe(&c->out, d->hint != NULL ? d->hint : "");
		buf_addc(&c->out, '\n');
	}
	if (result < 0 && e->diags.n == 0)
		buf_printf(&c->out, "%s\n",
			result == -ENOENT   ? _("that is not there")
			: result == -EEXIST ? _("the name is taken")
					    : strerror(-result));
	buf_free(&e->path);
	arena_free(e->arena);
	return result < 0 ? CONSOLE_REFUSED : CONSOLE_OK;
}

/* The words as typed, abbreviations written out where that is possible. */
static void edit_expand(struct edit *e, enum candidate_use use)
{
	struct buf full = {0};
	struct diag_list ignored;

	diag_init(&ignored, e->arena);
	if (candidate_expand(e->d->c, use, buf_str(&e->path), &full, &ignored) == 0) {
		buf_clear(&e->path);
		buf_add(&e->path, full.data, full.len);
	}
	buf_free(&full);
}

int verb_config_set(struct console *c, const struct args *a)
{
	struct edit e;

	if (a->nrest == 0)
		return console_fail(CONSOLE_USAGE, "%s", _("say what is to be set: `set ?` lists it"));
	edit_begin(&e, c, a->raw);
	edit_expand(&e, CANDIDATE_FOR_SET);
	return edit_end(&e, c, candidate_set(e.d->c, buf_str(&e.path), &e.diags));
}

int verb_config_delete(struct console *c, const struct args *a)
{
	struct edit e;

	if (a->nrest == 0 && c->shell->draft->level.len == 0)
		return console_fail(CONSOLE_USAGE, "%s", _("say what is to be deleted: `delete ?` lists it"));
	edit_begin(&e, c, a->raw);
	edit_expand(&e, CANDIDATE_FOR_DELETE);
	return edit_end(&e, c, candidate_delete(e.d->c, buf_str(&e.path), &e.diags));
}

/* "WORDS to NAME": what stands before the last word `word`. False when it is not of this form. */
static bool split(const struct args *a, const char *word, struct buf *before, const char **ret_last)
{
	if (a->nrest < 3 || strcmp(a->rest[a->nrest - 2], word) != 0)
		return false;
	for (int i = 0; i < a->nrest - 2; i++) {
		if (i > 0)
			buf_addc(before, ' ');
		words_quoted(before, a->rest[i]);
	}
	*ret_last = a->rest[a->nrest - 1];
	return true;
}

static int edit_name(struct console *c, const struct args *a,
	int (*fn)(struct candidate *, const char *, const char *, struct diag_list *), const char *usage)
{
	struct buf path = {0};
	const char *name;
	struct edit e;
	int code;

	if (split(a, "to", &path, &name)) {
		edit_begin(&e, c, buf_str(&path));
		edit_expand(&e, CANDIDATE_FOR_ENTRY);
		code = edit_end(&e, c, fn(e.d->c, buf_str(&e.path), name, &e.diags));
	} else {
		code = console_fail(CONSOLE_USAGE, "%s", usage);
	}
	buf_free(&path);
	return code;
}

int verb_config_rename(struct console *c, const struct args *a)
{
	return edit_name(c, a, candidate_rename, _("rename WORDS to NAME; such as: rename host a to b"));
}

int verb_config_copy(struct console *c, const struct args *a)
{
	return edit_name(c, a, candidate_copy, _("copy WORDS to NAME; such as: copy allow a to b"));
}

int verb_config_move(struct console *c, const struct args *a)
{
	struct buf path = {0};
	const char *other;
	struct edit e;
	int code;
	bool before = split(a, "before", &path, &other);

	if (before || split(a, "after", &path, &other)) {
		edit_begin(&e, c, buf_str(&path));
		edit_expand(&e, CANDIDATE_FOR_ENTRY);
		code = edit_end(&e, c, candidate_move(e.d->c, buf_str(&e.path), before, other, &e.diags));
	} else {
		code = console_fail(CONSOLE_USAGE, "%s",
			_("move WORDS before|after NAME; such as: move allow a before b"));
	}
	buf_free(&path);
	return code;
}

int verb_config_annotate(struct console *c, const struct args *a)
{
	struct buf path = {0};
	struct edit e;

	if (a->nrest == 0)
		return console_fail(
			CONSOLE_USAGE, "%s", _("annotate WORDS \"TEXT\"; \"\" takes the note away"));
	for (int i = 0; i < a->nrest - 1; i++) {
		if (i > 0)
			buf_addc(&path, ' ');
		words_quoted(&path, a->rest[i]);
	}
	edit_begin(&e, c, buf_str(&path));
	edit_expand(&e, CANDIDATE_FOR_ENTRY);
	buf_free(&path);
	return edit_end(&e, c, candidate_annotate(e.d->c, buf_str(&e.path), a->rest[a->nrest - 1], &e.diags));
}

/* -- levels
 * ------------------------------------------------------------------------------------------------------ */

int verb_config_edit(struct console *c, const struct args *a)
{
	struct buf there = {0};
	struct edit e;

	if (a->nrest == 0)
		return console_fail(CONSOLE_USAGE, "%s", _("say where: edit host a"));
	edit_begin(&e, c, a->raw);
	edit_expand(&e, CANDIDATE_FOR_ENTRY);
	int result = candidate_print(e.d->c, buf_str(&e.path), &there);
	bool is_new = result == 0 && there.len == 0;
	buf_free(&there);
	if (result == 0) {
		buf_clear(&e.d->level);
		buf_add(&e.d->level, e.path.data, e.path.len);
	}
	if (is_new)
		buf_adds(&c->out, _("nothing is there as yet\n"));
	return edit_end(&e, c, result);
}

int verb_config_up(struct console *c, const struct args *a)
{
	struct buf *level = &c->shell->draft->level, error = {0};
	struct line l;

	(void)a;
	if (line_read(&l, buf_str(level), false, &error) && l.nwords > 0)
		level->len = l.nwords > 1 ? l.words[l.nwords - 2].end : 0;
	line_free(&l);
	buf_free(&error);
	return CONSOLE_OK;
}

int verb_config_top(struct console *c, const struct args *a)
{
	(void)a;
	buf_clear(&c->shell->draft->level);
	return CONSOLE_OK;
}

/* -- to look
 * ---------------------------------------------------------------------------------------------------- */

int verb_config_show(struct console *c, const struct args *a)
{
	struct edit e;

	edit_begin(&e, c, a->raw);
	edit_expand(&e, CANDIDATE_FOR_ENTRY);
	int result = candidate_print(e.d->c, buf_str(&e.path), &c->out);
	if (result < 0)
		candidate_delete(e.d->c, buf_str(&e.path),
			&e.diags); /* says what is wrong with the words; this is a copy of the candidate */
	return edit_end(&e, c, result);
}

int verb_config_compare(struct console *c, const struct args *a)
{
	struct draft *d = c->shell->draft;
	struct buf now = {0}, text = {0};
	uint32_t generation = 0;
	int code = CONSOLE_OK;

	if (a->nwords == 0) {
		draft_changes(d, &c->out);
	} else if (strcmp(a->words[0], "running") != 0) {
		code = console_fail(CONSOLE_USAGE, "%s", _("compare, or compare running"));
	} else if (!draft_running(c->shell, &generation, &now)) {
		code = CONSOLE_ENV;
	} else {
		draft_text(d, &text);
		candidate_compare(
			(const char *)now.data, now.len, (const char *)text.data, text.len, &c->out);
	}
	if (code == CONSOLE_OK && c->out.len == 0)
		buf_adds(&c->out, _("no difference\n"));
	buf_free(&now);
	buf_free(&text);
	return code;
}

/* -- much at once
 * ------------------------------------------------------------------------------------------------ */

#define CTRL_C 3
#define CTRL_D 4

/* Text up to Ctrl-D, shown as it comes. False when Ctrl-C came or the line was lost. */
static bool read_paste(struct terminal *t, struct buf *ret)
{
	int byte;

	terminal_mode(t, TERMINAL_KEYS);
	while ((byte = terminal_byte(t, -1)) != CTRL_D) {
		if (byte == TERMINAL_RESIZED)
			continue;
		if (byte < 0 || byte == CTRL_C || ret->len >= LIMIT_POLICY_BYTES)
			break;
		char s = byte == '\r' ? '\n' : (char)byte;
		if (byte == '\b' || byte == 0x7f) {
			while (ret->len > 0 && ret->data[ret->len - 1] != '\n' &&
				(ret->data[--ret->len] & 0xc0) == 0x80)
				;
			terminal_write(t, "\b \b", 3);
			continue;
		}
		buf_addc(ret, s);
		if (s == '\n')
			terminal_write(t, "\r\n", 2);
		else if (byte >= 0x20 || byte == '\t')
			terminal_write(t, &s, 1);
	}
	terminal_mode(t, TERMINAL_WORKING);
	terminal_write(t, "\r\n", 2);
	return byte == CTRL_D;
}

int verb_config_load(struct console *c, const struct args *a)
{
	bool replace = strcmp(a->words[0], "replace") == 0, hosts = strcmp(a->words[0], "hosts") == 0;
	struct hostsheet_counts counts = {0};
	struct buf text = {0};
	struct edit e;
	size_t done = 0;
	int code;

	if ((!replace && !hosts && strcmp(a->words[0], "merge") != 0) || strcmp(a->words[1], "terminal") != 0)
		return console_fail(CONSOLE_USAGE, "%s", _("load merge terminal, load replace terminal, or load hosts terminal"));
	shell_show(c->shell, hosts ? _("paste a table of machines (CSV); Ctrl-D ends, Ctrl-C drops it\n")
				   : _("paste lines of set; Ctrl-D ends, Ctrl-C drops them\n"));
	if (!read_paste(c->shell->terminal, &text)) {
		buf_free(&text);
		return console_fail(CONSOLE_REFUSED, "%s", _("dropped; nothing was changed"));
	}
	edit_begin(&e, c, "");
	int result = hosts ? hostsheet_load(e.d->c, text.data, text.len, &counts, &e.diags)
			   : candidate_load(e.d->c, (const char *)text.data, text.len, replace, &done, &e.diags);
	done = hosts ? counts.rows : done;
	if (result == 0)
		buf_printf(&c->out, _("%zu lines were taken\n"), done);
	else
		buf_adds(&c->out, _("nothing was changed:\n"));
	code = edit_end(&e, c, result);
	buf_free(&text);
	return code;
}

int verb_config_discard(struct console *c, const struct args *a)
{
	struct shell *sh = c->shell;
	struct draft *old = sh->draft, *d;

	(void)a;
	if (changed(old) && !shell_confirm(sh, _("All changes will be dropped. Really? [y/N] ")))
		return CONSOLE_REFUSED;
	draft_forget(sh);
	d = draft_begin(sh);
	if (d == NULL)
		return CONSOLE_ENV;
	draft_free(old);
	sh->draft = d;
	return CONSOLE_OK;
}

/* -- what may follow
 * --------------------------------------------------------------------------------------------- */

struct schema_offer {
	offer_fn *fn;
	void *arg;
};

static bool offer_schema(void *arg, const char *word, enum candidate_word kind, const char *help)
{
	const struct schema_offer *o = arg;

	o->fn(o->arg, word,
		kind == CANDIDATE_KEYWORD || kind == CANDIDATE_VALUE ? OFFER_WORD
		: kind == CANDIDATE_NAME			     ? OFFER_NAME
								     : OFFER_FORM,
		help);
	return true;
}

void shell_schema_offer(
	struct shell *sh, const struct command *row, const char *text, offer_fn *fn, void *arg)
{
	struct schema_offer o = {fn, arg};
	struct buf line = {0};

	if (sh->draft == NULL)
		return;
	buf_add(&line, sh->draft->level.data, sh->draft->level.len);
	if (line.len > 0)
		buf_addc(&line, ' ');
	buf_adds(&line, text);
	candidate_complete(
		sh->draft->c, (enum candidate_use)(row->schema - 1), buf_str(&line), offer_schema, &o);
	buf_free(&line);
}
