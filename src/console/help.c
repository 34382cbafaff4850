/*
 * help.c: everything that explains the commands: --help, usage lines, the reference manual. All of it is read
 * from the table in commands.c.
 */
#include "console.h"

#include "text.h"
#include "words.h"

#include <string.h>

static void usage_line(struct buf *b, const char *group, const struct command *c)
{
	buf_printf(b, "sekisho %s%s%s", group, group[0] != '\0' ? " " : "", c->word);
	for (const struct argument *a = c->args; a != NULL && a->name != NULL; a++)
		buf_printf(b, a->optional ? " [%s]" : " %s", _(a->name));
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

static const char *group_word(const struct args *a)
{
	return a->group != NULL ? a->group->word : "";
}

void help_usage(struct buf *out, const struct args *a)
{
	struct buf line = {0};
	size_t start = out->len;

	buf_printf(out, "%s ", _("usage:"));
	size_t indent = text_width(buf_str(out) + start);
	if (a->command == NULL)
		buf_adds(&line, _("sekisho [--lang ja|en] [--root DIR] COMMAND ..."));
	else
		usage_line(&line, group_word(a), a->command);
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

static void list_commands(struct buf *out, const struct command *table)
{
	for (; table->word != NULL; table++)
		entry(out, table->word, _(table->help));
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
		list_commands(out, c == NULL ? commands : c->sub);
	}
	if (c != NULL && c->args != NULL) {
		heading(out, _("Words:"));
		for (const struct argument *arg = c->args; arg->name != NULL; arg++)
			entry(out, _(arg->name), _(arg->help));
	}
	heading(out, _("Options:"));
	if (c != NULL)
		option_entries(out, c->options);
	option_entries(out, global_options);
	if (c == NULL) {
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

static void reference_command(struct buf *out, const char *group, const struct command *c)
{
	if (c->sub != NULL) {
		for (const struct command *s = c->sub; s->word != NULL; s++)
			reference_command(out, c->word, s);
		return;
	}
	buf_printf(out, "\n### %s%s%s\n\n%s\n\n```\n", group, group[0] != '\0' ? " " : "", c->word, _(c->help));
	usage_line(out, group, c);
	buf_adds(out, "\n```\n");
	if (c->args != NULL || (c->options != NULL && c->options->name != NULL))
		buf_addc(out, '\n');
	for (const struct argument *a = c->args; a != NULL && a->name != NULL; a++)
		buf_printf(out, "- `%s`: %s\n", _(a->name), _(a->help));
	reference_options(out, c->options);
	if (c->about != NULL)
		buf_printf(out, "\n%s\n", _(c->about));
}

void help_reference(struct buf *out)
{
	buf_printf(out, "## %s\n\n%s\n\n", _("Commands of sekisho"), _("These options may stand with every command:"));
	reference_options(out, global_options);
	buf_printf(out, "\n%s\n\n%s\n", _(exit_codes), _("Forms of a time:"));
	buf_printf(out, "%s\n", _(times_text));
	for (const struct command *c = commands; c->word != NULL; c++)
		reference_command(out, "", c);
	buf_printf(out, "\n### %s\n\n", _("Reasons for which a packet is blocked"));
	for (unsigned code = 1; code < REASON_END; code++) {
		const char *advice = words_reason_advice(code);
		buf_printf(out, "- `%s`: %s", reason_word(code), words_reason(code));
		buf_printf(out, advice != NULL ? "%s%s\n" : "%s\n", advice != NULL ? _(". ") : "", advice);
	}
}

/* The command that one or two words name, into *ret; false with a message when there is none. */
static bool find_topic(const struct args *a, struct args *ret)
{
	const struct command *table = commands;

	for (unsigned i = 0; i < a->nwords; i++) {
		const struct command *c = table == NULL ? NULL : args_find(table, a->words[i]);
		if (c == NULL)
			return false;
		ret->group = ret->command;
		ret->command = c;
		table = c->sub;
	}
	return true;
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
