/*
 * shell_words.c: words of a line against the table of commands.
 *
 * Input: a line that line_read() split. A word of the table may be shortened to what is unique; an option may
 * be written without "--" (`show log drops since 1h from lgwan`) where the command takes no further word of
 * its own, or by its whole name; a word in quotes is never one of ours.
 */
#include "shell_words.h"

#include "console.h"
#include "shell.h"
#include "shell_filter.h"
#include "text.h"

#include <sekisho/model.h>
#include <sekisho/reason.h>

#include <string.h>

/* Where the words so far lead. */
struct walk {
	enum place place;
	const struct command *table, *command;
	const struct option *awaits; /* an option whose value comes next */
	unsigned nargs;		     /* words of its own that the command has got */
	uint64_t given;		     /* set of the options that are there */
	unsigned behind;	     /* index of the first word behind a row with `rest`; 0 = none */
};

static bool begins(const char *word, const char *typed)
{
	return strncmp(word, typed, strlen(typed)) == 0;
}

/* The row that a word names, exactly or alone; *ret_n: how many it could mean. */
static const struct command *find_row(const struct walk *w, const struct line_word *word, unsigned *ret_n)
{
	struct args_rows rows = {.at = w->table};
	const struct command *c = args_find(w->table, w->place, word->text), *only = c;

	*ret_n = c != NULL;
	while (*ret_n != 1 || only != c) {
		c = word->quoted ? NULL : args_next(&rows, w->place);
		if (c == NULL)
			break;
		if (begins(c->word, word->text)) {
			only = c;
			(*ret_n)++;
			c = NULL;
		}
	}
	return *ret_n == 1 ? only : NULL;
}

/* The words that a command takes at most. */
static unsigned count_arguments(const struct command *c)
{
	unsigned n = 0;

	for (const struct argument *a = c->args; a != NULL && a->name != NULL; a++)
		n = a->many ? UINT32_MAX - 1 : n + 1;
	return n;
}

/* The option that a word without "--" names, exactly or, when the command wants no other word, alone. */
static int find_option(const struct walk *w, const struct line_word *word)
{
	const struct option *o = w->command->options;
	int only = -1;
	unsigned n = 0;

	if (word->quoted || o == NULL || word->text[0] == '\0')
		return -1;
	for (int i = 0; o[i].name != NULL; i++) {
		if (strcmp(o[i].name + 2, word->text) == 0)
			return i;
		if (begins(o[i].name + 2, word->text)) {
			only = i;
			n++;
		}
	}
	return n == 1 && w->nargs >= count_arguments(w->command) ? only : -1;
}

static void enter(struct walk *w, const struct command *row, unsigned i)
{
	w->command = row;
	w->table = row->sub;
	if (row->operate) {
		w->place = PLACE_OPERATE;
		w->table = commands;
		w->command = NULL;
	} else if (row->rest) {
		w->behind = i + 1;
	}
}

/* One word further; *ret_written: how it is written out. False when the table has no such word, or several.
 */
static bool step(struct walk *w, const struct line_word *word, unsigned i, const char **ret_written)
{
	unsigned n;

	*ret_written = word->text;
	if (w->awaits != NULL) {
		w->awaits = NULL;
		return true;
	}
	if (w->table != NULL) {
		const struct command *row = find_row(w, word, &n);
		if (row == NULL)
			return false;
		*ret_written = row->word;
		enter(w, row, i);
		return true;
	}
	int k = begins(word->text, "--") && !word->quoted ? args_option_index(w->command->options, word->text)
							  : find_option(w, word);
	if (k >= 0) {
		const struct option *o = &w->command->options[k];
		w->given |= UINT64_C(1) << k;
		w->awaits = o->value != NULL && strchr(word->text, '=') == NULL ? o : NULL;
		if (!begins(word->text, "--"))
			*ret_written = o->name;
	} else {
		w->nargs++;
	}
	return true;
}

/* "x" may be a, b, c. */
static bool ambiguous(const struct walk *w, const struct line_word *word, struct buf *error)
{
	struct args_rows rows = {.at = w->table};
	const struct command *c;
	unsigned n;

	find_row(w, word, &n);
	if (n < 2)
		return false;
	buf_printf(error, _("\"%s\" is ambiguous:"), word->text);
	while ((c = args_next(&rows, w->place)) != NULL)
		if (begins(c->word, word->text))
			buf_printf(error, " %s", c->word);
	return true;
}

static void add(struct typed_words *w, const char *word)
{
	/* args_parse() takes argv as main() has it and writes none of its texts. */
	w->argv[w->argc++] = (char *)(uintptr_t)word;
}

bool words_expand(enum place place, const struct line *l, struct typed_words *ret, struct buf *error)
{
	struct walk w = {.place = place, .table = commands};
	unsigned n = line_command_words(l);
	const char *written;

	*ret = (struct typed_words){.argc = 0};
	add(ret, "sekisho");
	for (unsigned i = 0; i < n && w.behind == 0; i++) {
		const enum place before = w.place;
		bool known = step(&w, &l->words[i], i, &written);
		if (!known && ambiguous(&w, &l->words[i], error))
			return false;
		if (before == w.place)
			add(ret, written);
		if (!known)
			break; /* args_parse() says it */
	}
	if (w.behind > 0) {
		line_text(l, w.behind, n, &ret->raw);
		for (unsigned i = w.behind; i < n; i++)
			add(ret, l->words[i].text);
	}
	ret->place = w.place;
	ret->argv[ret->argc] = NULL;
	return true;
}

void words_free(struct typed_words *w)
{
	buf_free(&w->raw);
}

/* -- what may follow ----------------------------------------------------------------------------------- */

struct offers {
	struct shell *sh;
	const char *typed;
	offer_fn *fn;
	void *arg;
	const char *help; /* of the value that is wanted */
};

static void offer(const struct offers *o, const char *word, enum offer_kind kind, const char *help)
{
	if (kind == OFFER_FORM || begins(word, o->typed))
		o->fn(o->arg, word, kind, help);
}

static void offer_rows(const struct offers *o, const struct command *table, enum place place)
{
	struct args_rows rows = {.at = table};
	const struct command *c;

	while ((c = args_next(&rows, place)) != NULL)
		offer(o, c->word, OFFER_WORD, _(c->help));
}

static void offer_name(void *arg, const char *name)
{
	const struct offers *o = arg;

	offer(o, name, OFFER_NAME, o->help);
}

static void offer_form(const struct offers *o, const char *name)
{
	struct buf form = {0};

	buf_printf(&form, "<%s>", name);
	offer(o, buf_str(&form), OFFER_FORM, o->help);
	buf_free(&form);
}

/* Each word of "a|b". */
static void offer_literals(const struct offers *o, const char *words)
{
	struct buf word = {0};

	for (const char *end; *words != '\0'; words = *end == '\0' ? end : end + 1) {
		end = strchrnul(words, '|');
		buf_clear(&word);
		buf_add(&word, words, (size_t)(end - words));
		offer(o, buf_str(&word), OFFER_WORD, o->help);
	}
	buf_free(&word);
}

/* What stands for a value called `name`. */
static void offer_value(const struct offers *o, enum complete kind, const char *name)
{
	switch (kind) {
	case COMPLETE_REASON:
		for (unsigned code = 1; code < REASON_END; code++)
			offer(o, reason_word(code), OFFER_WORD, "");
		break;
	case COMPLETE_LANGUAGE:
		offer(o, "ja", OFFER_WORD, "日本語");
		offer(o, "en", OFFER_WORD, "English");
		break;
	case COMPLETE_APPLICATION:
		for (unsigned a = 1; a < APP_END; a++)
			offer(o, application_word((enum application)a), OFFER_WORD, "");
		break;
	case COMPLETE_COMMAND:
		offer_rows(o, commands, o->sh->place);
		break;
	case COMPLETE_LITERAL:
		offer_literals(o, name);
		break;
	case COMPLETE_SEGMENT:
	case COMPLETE_HOST:
	case COMPLETE_RULE:
	case COMPLETE_END:
		offer_form(o, name);
		shell_names(o->sh, kind, offer_name, (void *)(uintptr_t)o);
		break;
	case COMPLETE_NOTHING:
	case COMPLETE_FILE:
	case COMPLETE_PROTOCOL:
		offer_form(o, name);
		break;
	}
}

static void offer_command(struct offers *o, const struct walk *w)
{
	const struct argument *a = w->command->args;
	const struct option *t = w->command->options;
	bool needed = false;

	for (unsigned i = 0; a != NULL && a[i].name != NULL; i++) {
		if (i != w->nargs && !(a[i].many && i < w->nargs))
			continue;
		o->help = _(a[i].help);
		offer_value(o, a[i].complete, _(a[i].name));
		needed = !a[i].optional && i == w->nargs;
	}
	for (unsigned i = 0; t != NULL && t[i].name != NULL; i++)
		if ((w->given & UINT64_C(1) << i) == 0)
			offer(o, t[i].name + (begins(o->typed, "-") ? 0 : 2), OFFER_WORD, _(t[i].help));
	if (!needed && o->typed[0] == '\0') {
		offer(o, N_("<Enter>"), OFFER_FORM, _("do it"));
		offer(o, "|", OFFER_FORM, _("pick lines of the output"));
	}
}

static void offer_pipe(struct offers *o, const struct line *l, bool whole)
{
	unsigned first = l->pipes[l->npipes - 1], n = l->nwords - first;

	if (n == 0 || (n == 1 && !whole))
		for (const struct filter_word *f = filter_words; f->word != NULL; f++)
			offer(o, f->word, OFFER_WORD, _(f->help));
	else if (n == 1 || (n == 2 && !whole))
		for (const struct filter_word *f = filter_words; f->word != NULL; f++)
			if (f->value != NULL && strcmp(f->word, l->words[first].text) == 0) {
				o->help = _(f->help);
				offer_form(o, _(f->value));
			}
}

/* Offers behind the first n words of the command. */
static void offer_behind(struct offers *o, const struct line *l, unsigned n, enum place place)
{
	struct walk w = {.place = place, .table = commands};
	const char *written;

	for (unsigned i = 0; i < n && w.behind == 0; i++)
		if (!step(&w, &l->words[i], i, &written))
			return;
	if (w.behind > 0 && w.command->schema != 0)
		shell_schema_offer(o->sh, w.command,
			l->raw + (w.behind < l->nwords ? l->words[w.behind].start : strlen(l->raw)), o->fn,
			o->arg);
	else if (w.awaits != NULL) {
		o->help = _(w.awaits->help);
		offer_value(o, w.awaits->complete, _(w.awaits->value));
	} else if (w.table != NULL)
		offer_rows(o, w.table, w.place);
	else if (w.behind == 0)
		offer_command(o, &w);
}

size_t words_offer(struct shell *sh, enum place place, const char *text, offer_fn *fn, void *arg)
{
	struct buf error = {0};
	struct line l;
	size_t replaced = 0;

	if (line_read(&l, text, true, &error)) {
		bool whole = l.blank || l.nwords == 0;
		unsigned n = whole ? l.nwords : l.nwords - 1;
		struct offers o = {.sh = sh, .typed = whole ? "" : l.words[n].text, .fn = fn, .arg = arg};
		replaced = whole ? 0 : strlen(l.raw) - l.words[n].start;
		if (l.npipes > 0)
			offer_pipe(&o, &l, whole);
		else
			offer_behind(&o, &l, n, place);
	}
	line_free(&l);
	buf_free(&error);
	return replaced;
}

void words_quoted(struct buf *out, const char *word)
{
	bool plain = word[0] != '\0' && word[0] != '|' && word[0] != '#' && word[0] != '-' &&
		     strpbrk(word, " \t\"\\?") == NULL && strstr(word, "\xe3\x80\x80") == NULL;

	if (plain) {
		buf_adds(out, word);
		return;
	}
	buf_addc(out, '"');
	for (; *word != '\0'; word++) {
		if (*word == '"' || *word == '\\')
			buf_addc(out, '\\');
		buf_addc(out, *word);
	}
	buf_addc(out, '"');
}
