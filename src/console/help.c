/*
 * help.c: everything that explains the commands: --help, usage lines, the reference manual. All of it is read
 * from the table in commands.c.
 */
#include "console.h"

#include "policyfile.h"
#include "text.h"
#include "words.h"

#include <string.h>

/* "sekisho show log drops"; in the shell without the first word. */
static void path_words(struct buf *b, const struct args *a)
{
	if (a->place == PLACE_OUTSIDE)
		buf_adds(b, "sekisho ");
	for (unsigned i = 0; i < a->depth; i++)
		buf_printf(b, i > 0 ? " %s" : "%s", a->path[i]->word);
}

#define GUIDE_DIR "/usr/share/sekisho/doc"

static void usage_line(struct buf *b, const struct args *a)
{
	const struct command *c = a->command;

	path_words(b, a);
	for (const struct argument *g = c->args; g != NULL && g->name != NULL; g++)
		buf_printf(b, g->optional ? " [%s]" : " %s", _(g->name));
	for (const struct option *o = c->options; o != NULL && o->name != NULL; o++) {
		buf_printf(b, o->required ? " %s" : " [%s", o->name);
		if (o->value != NULL)
			buf_printf(b, " %s", _(o->value));
		buf_adds(b, o->required ? "" : "]");
	}
	if (c->sub != NULL)
		buf_adds(b, _(" COMMAND ..."));
	if (c->rest)
		buf_adds(b, _(" [WORD ...]"));
}

void help_usage(struct buf *out, const struct args *a)
{
	struct buf line = {0};
	size_t start = out->len;

	buf_printf(out, "%s ", _("usage:"));
	size_t indent = text_width(buf_str(out) + start);
	if (a->command == NULL)
		buf_adds(&line, a->place != PLACE_OUTSIDE ? _("COMMAND ...")
							  : _("sekisho [--lang ja|en] [--root DIR] COMMAND ..."));
	else
		usage_line(&line, a);
	text_wrap(out, buf_str(&line), indent, indent + 2);
	buf_addc(out, '\n');
	buf_free(&line);
}

/* "  name   explanation", wrapped. */
static void entry(struct buf *out, const char *name, const char *help)
{
	size_t width = text_width(name);

	text_spaces(out, 2);
	text_pad(out, name, 18);
	if (width > 17) {
		buf_addc(out, '\n');
		text_spaces(out, 20);
	}
	text_wrap(out, help, 20, 20);
	buf_addc(out, '\n');
}

static void option_entries(struct buf *out, const struct option *table)
{
	struct buf name = {0};

	for (; table != NULL && table->name != NULL; table++) {
		buf_clear(&name);
		buf_adds(&name, table->name);
		if (table->value != NULL)
			buf_printf(&name, " %s", _(table->value));
		entry(out, buf_str(&name), _(table->help));
	}
	buf_free(&name);
}

static void heading(struct buf *out, const char *text)
{
	buf_printf(out, "\n%s\n", text);
}

static void list_commands(struct buf *out, const struct command *table, enum place place)
{
	struct args_rows rows = {.at = table};
	const struct command *c;

	while ((c = args_next(&rows, place)) != NULL)
		entry(out, c->word, _(c->help));
}

static void paragraph(struct buf *out, const char *text)
{
	text_wrap(out, text, 0, 0);
	buf_addc(out, '\n');
}

static const char exit_codes[] = N_("Exit codes: 0 done, 1 refused by the policy or the gate, 2 wrong command line, 3 a "
				    "file or the running gate cannot be reached.");

void help_print(struct buf *out, const struct args *a)
{
	const struct command *c = a->command;

	if (c == NULL)
		paragraph(out, _("sekisho: the gate between the segments of a network"));
	else
		paragraph(out, _(c->help));
	help_usage(out, a);
	if (c != NULL && c->about != NULL) {
		buf_addc(out, '\n');
		paragraph(out, _(c->about));
	}
	if (c == NULL || c->sub != NULL) {
		heading(out, _("Commands:"));
		list_commands(out, c == NULL ? commands : c->sub, a->place);
	}
	if (c != NULL && c->args != NULL) {
		heading(out, _("Words:"));
		for (const struct argument *arg = c->args; arg->name != NULL; arg++)
			entry(out, _(arg->name), _(arg->help));
	}
	heading(out, _("Options:"));
	if (c != NULL)
		option_entries(out, c->options);
	option_entries(out, args_globals(a->place));
	if (c == NULL && a->place == PLACE_OUTSIDE) {
		buf_addc(out, '\n');
		paragraph(out, _(exit_codes));
	}
}

static const char times_text[] =
	N_("10s, 10m, 2h, 3d, 1w (so long ago), now, today, yesterday, 09:30 (today), 2026-11-20 or R8-11-20 (the day), "
	   "2026-11-20T09:30, 2026-11-20T09:30:00+09:00. A day given as the end includes that day. Times without a zone are local: "
	   "of the policy's time zone for check, explain and ruleset, else of this machine.");

/* "help reasons": every reason with its sentence and what to do. */
static void print_reasons(struct buf *out)
{
	for (unsigned code = 1; code < REASON_END; code++) {
		const char *advice = words_reason_advice(code);
		entry(out, reason_word(code), words_reason(code));
		if (advice == NULL)
			continue;
		text_spaces(out, 20);
		text_wrap(out, advice, 20, 20);
		buf_addc(out, '\n');
	}
}

static void reference_options(struct buf *out, const struct option *table)
{
	for (; table != NULL && table->name != NULL; table++) {
		buf_printf(out, "- `%s", table->name);
		if (table->value != NULL)
			buf_printf(out, " %s", _(table->value));
		buf_printf(out, "`: %s%s\n", _(table->help), table->required ? _(" (required)") : "");
	}
}

static void reference_row(struct buf *out, const struct args *a)
{
	const struct command *c = a->command;

	buf_adds(out, "\n### ");
	for (unsigned i = 0; i < a->depth; i++)
		buf_printf(out, i > 0 ? " %s" : "%s", a->path[i]->word);
	buf_printf(out, "\n\n%s\n\n```\n", _(c->help));
	usage_line(out, a);
	buf_adds(out, "\n```\n");
	if (c->args != NULL || (c->options != NULL && c->options->name != NULL))
		buf_addc(out, '\n');
	for (const struct argument *g = c->args; g != NULL && g->name != NULL; g++)
		buf_printf(out, "- `%s`: %s\n", _(g->name), _(g->help));
	reference_options(out, c->options);
	if (c->about != NULL)
		buf_printf(out, "\n%s\n", _(c->about));
}

/* The row before this one that has the same words below it, or NULL. */
static const struct command *same_before(const struct command *table, enum place place, const struct command *c)
{
	struct args_rows rows = {.at = table};
	const struct command *b;

	while ((b = args_next(&rows, place)) != NULL && b != c)
		if (b->sub != NULL && b->sub == c->sub)
			return b;
	return NULL;
}

static void reference_same(struct buf *out, const struct args *a, const struct command *same)
{
	buf_adds(out, "\n### ");
	for (unsigned i = 0; i < a->depth; i++)
		buf_printf(out, i > 0 ? " %s" : "%s", a->path[i]->word);
	buf_printf(out, "\n\n%s\n\n", _(a->command->help));
	buf_printf(out, _("The words that follow are those of `%s`.\n"), same->word);
}

/* The rows of a table, each with the path that leads to it. */
static void reference_table(struct buf *out, const struct command *table, const struct args *above)
{
	struct args_rows rows = {.at = table};
	const struct command *c;

	while ((c = args_next(&rows, above->place)) != NULL) {
		struct args a = *above;
		a.command = a.path[a.depth++] = c;
		const struct command *same = c->sub != NULL ? same_before(table, above->place, c) : NULL;
		if (same != NULL)
			reference_same(out, &a, same);
		else if (c->sub != NULL)
			reference_table(out, c->sub, &a);
		else
			reference_row(out, &a);
	}
}

void help_reference(struct buf *out)
{
	buf_printf(out, "## %s\n\n%s\n\n", _("Commands of sekisho"), _("These options may stand with every command:"));
	reference_options(out, global_options);
	buf_printf(out, "\n%s\n\n%s\n", _(exit_codes), _("Forms of a time:"));
	buf_printf(out, "%s\n", _(times_text));
	reference_table(out, commands, &(struct args){.place = PLACE_OUTSIDE});
	buf_printf(out, "\n### %s\n\n", _("Reasons for which a packet is blocked"));
	for (unsigned code = 1; code < REASON_END; code++) {
		const char *advice = words_reason_advice(code);
		buf_printf(out, "- `%s`: %s", reason_word(code), words_reason(code));
		buf_printf(out, advice != NULL ? "%s%s\n" : "%s\n", advice != NULL ? _(". ") : "", advice);
	}
}

/* The command that the words name, into *ret; false when there is none. */
static bool find_topic(const struct args *a, struct args *ret)
{
	const struct command *table = commands;

	ret->place = a->place;
	for (unsigned i = 0; i < a->nwords; i++) {
		const struct command *c = table == NULL ? NULL : args_find(table, a->place, a->words[i]);
		if (c == NULL)
			return false;
		ret->command = ret->path[ret->depth++] = c;
		table = c->sub;
	}
	return true;
}

/* "help guide": the guide in the language that is set, as the image has it. */
static int print_guide(struct buf *out)
{
	const char *name = i18n_language()[0] == 'j' ? GUIDE_DIR "/guide.ja.md" : GUIDE_DIR "/guide.md";
	struct buf text = {0};
	int result = policy_file_read(name, &text);

	if (result == 0)
		buf_add(out, text.data, text.len);
	buf_free(&text);
	if (result == 0)
		return CONSOLE_OK;
	return console_fail(CONSOLE_ENV, _("the guide is not on this machine (%s): %s"), name, strerror(-result));
}

int verb_help(struct console *c, const struct args *a)
{
	struct args topic = {0};

	if (args_option(a, "--reference") != NULL) {
		help_reference(&c->out);
	} else if (a->nwords == 1 && strcmp(a->words[0], "reasons") == 0) {
		print_reasons(&c->out);
	} else if (a->nwords == 1 && strcmp(a->words[0], "times") == 0) {
		heading(&c->out, _("Forms of a time:"));
		paragraph(&c->out, _(times_text));
	} else if (a->nwords == 1 && strcmp(a->words[0], "guide") == 0) {
		return print_guide(&c->out);
	} else if (find_topic(a, &topic)) {
		help_print(&c->out, &topic);
	} else {
		return console_fail(CONSOLE_USAGE, _("there is no command \"%s\""), a->words[a->nwords - 1]);
	}
	return CONSOLE_OK;
}

int verb_complete(struct console *c, const struct args *a)
{
	args_complete(a->nrest, a->rest, &c->out);
	return CONSOLE_OK;
}
