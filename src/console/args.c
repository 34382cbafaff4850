/*
 * args.c: reads a command line against the table of words.
 *
 * Input: what the user typed; it comes back in error messages escaped. Limits: ARGS_WORDS_MAX, ARGS_OPTIONS_MAX
 * (a table with more is our own error and ends the program). Options may stand anywhere, as "--name value" or
 * "--name=value"; "--" ends them.
 */
#include "args.h"

#include "text.h"

#include <sekisho/buf.h>
#include <sekisho/i18n.h>
#include <sekisho/model.h>
#include <sekisho/reason.h>
#include <sekisho/strmap.h>

#include <assert.h>
#include <stdint.h>
#include <string.h>

const struct command *args_next(struct args_rows *r, enum place place)
{
	for (;;) {
		const struct command *c = r->at++;
		if (c->word == NULL && r->back == NULL) {
			r->at = c;
			return NULL;
		}
		if (c->word == NULL) {
			r->at = r->back;
			r->back = NULL;
		} else if (c->word[0] == '\0') {
			assert(r->back == NULL); /* a family in a family */
			r->back = r->at;
			r->at = c->sub;
		} else if (args_stands(c, place)) {
			return c;
		}
	}
}

const struct command *args_find(const struct command *table, enum place place, const char *word)
{
	struct args_rows rows = {.at = table};
	const struct command *c;

	while ((c = args_next(&rows, place)) != NULL)
		if (strcmp(c->word, word) == 0)
			return c;
	return NULL;
}

const struct option *args_globals(enum place place)
{
	return place == PLACE_OUTSIDE ? global_options : shell_options;
}

int args_option_index(const struct option *table, const char *text)
{
	size_t n = strcspn(text, "=");

	for (int i = 0; table != NULL && table[i].name != NULL; i++) {
		assert(i < ARGS_OPTIONS_MAX);
		if (strlen(table[i].name) == n && memcmp(table[i].name, text, n) == 0)
			return i;
	}
	return -1;
}

const char *args_option(const struct args *a, const char *name)
{
	int i = a->command != NULL ? args_option_index(a->command->options, name) : -1;

	if (i >= 0)
		return a->values[i];
	i = args_option_index(args_globals(a->place), name);
	return i < 0 ? NULL : a->globals[i];
}

/* Says what is wrong with a word; fmt has one %s for it. */
static bool wrong(struct buf *error, const char *fmt, const char *word)
{
	struct buf safe = {0};

	text_safe(&safe, word);
	/* The formats are our own msgids; the catalogue is checked by msgfmt. */
#pragma GCC diagnostic push
#pragma GCC diagnostic ignored "-Wformat-nonliteral"
	buf_printf(error, fmt, buf_str(&safe));
#pragma GCC diagnostic pop
	buf_free(&safe);
	return false;
}

/* "unknown command", and the nearest word of the table when one is near. */
static bool unknown_command(const struct command *table, enum place place, const char *word, struct buf *error)
{
	struct strmap *known = strmap_new();
	struct args_rows rows = {.at = table};
	const struct command *c;

	for (uint32_t i = 0; (c = args_next(&rows, place)) != NULL; i++)
		strmap_add(known, c->word, i);
	wrong(error, _("there is no command \"%s\""), word);
	const char *near = strmap_nearest(known, word);
	if (near != NULL)
		buf_printf(error, _("; did you mean \"%s\"?"), near);
	strmap_free(known);
	return false;
}

struct cursor {
	int argc, i;
	char **argv;
};

/* Takes one option (argv[i] begins with "--") and its value. */
static bool take_option(struct cursor *c, struct args *a, struct buf *error)
{
	char *text = c->argv[c->i], *equals = strchr(text, '=');
	const struct option *table = a->command != NULL ? a->command->options : NULL;
	const char **values = a->values;
	int k = args_option_index(table, text);

	if (k < 0) {
		table = args_globals(a->place);
		values = a->globals;
		k = args_option_index(table, text);
	}
	if (k < 0)
		return wrong(error, _("there is no option \"%s\" here"), text);
	if (values[k] != NULL)
		return wrong(error, _("the option %s is given twice"), table[k].name);
	if (table[k].value == NULL && equals != NULL)
		return wrong(error, _("the option %s takes no value"), table[k].name);
	if (table[k].value == NULL)
		values[k] = "";
	else if (equals != NULL)
		values[k] = equals + 1;
	else if (c->i + 1 < c->argc)
		values[k] = c->argv[++c->i];
	else
		return wrong(error, _("the option %s needs a value"), table[k].name);
	if (strcmp(table[k].name, "--help") == 0)
		a->help = true;
	return true;
}

/* Takes one word: a step in the table, then arguments. */
static bool take_word(struct args *a, const struct command **table, char *word, struct buf *error)
{
	unsigned n = 0;

	if (*table != NULL) {
		const struct command *row = args_find(*table, a->place, word);
		if (row == NULL)
			return unknown_command(*table, a->place, word, error);
		assert(a->depth < ARGS_DEPTH_MAX);
		a->path[a->depth++] = row;
		a->command = row;
		*table = row->sub;
		return true;
	}
	while (a->command->args != NULL && a->command->args[n].name != NULL)
		n++;
	assert(n <= ARGS_WORDS_MAX);
	if (n > 0 && a->command->args[n - 1].many && a->nwords + 1 >= n) {
		/* They are kept in argv, over the words that were read already: there are always fewer. */
		a->many[a->nmany++] = word;
		a->nwords = n;
		return true;
	}
	if (a->nwords >= n)
		return wrong(error, _("\"%s\" is one word too many"), word);
	a->words[a->nwords++] = word;
	return true;
}

/* Is all there that the command needs? */
static bool complete(const struct args *a, const struct command *table, struct buf *error)
{
	if (table != NULL) {
		buf_adds(error, a->command == NULL ? _("a command is missing") : _("the next word is missing"));
		return false;
	}
	const struct argument *arg = a->command->args;
	if (arg != NULL && arg[a->nwords].name != NULL && !arg[a->nwords].optional)
		return wrong(error, _("%s is missing"), _(arg[a->nwords].name));
	const struct option *o = a->command->options;
	for (int i = 0; o != NULL && o[i].name != NULL; i++)
		if (o[i].required && a->values[i] == NULL)
			return wrong(error, _("the option %s is missing"), o[i].name);
	return true;
}

bool args_parse(enum place place, int argc, char **argv, struct args *ret, struct buf *error)
{
	const struct command *table = commands;
	struct cursor c = {.argc = argc, .i = 1, .argv = argv};
	bool options = true;

	*ret = (struct args){.place = place, .many = argv + 1};
	for (; c.i < argc; c.i++) {
		char *w = argv[c.i];
		if (options && strcmp(w, "--") == 0)
			options = false;
		else if (options && w[0] == '-' && w[1] == '-' ? !take_option(&c, ret, error)
							       : !take_word(ret, &table, w, error))
			return ret->help;
		if (ret->command != NULL && ret->command->rest) {
			ret->nrest = argc - c.i - 1;
			ret->rest = argv + c.i + 1;
			return true;
		}
	}
	return ret->help || complete(ret, table, error);
}

/* Appends the candidate when it begins with what is typed already. */
static void offer(struct buf *out, const char *candidate, const char *typed)
{
	if (strncmp(candidate, typed, strlen(typed)) == 0)
		buf_printf(out, "%s\n", candidate);
}

/* The words of a table, outside. */
static void offer_words(struct buf *out, const struct command *table, const char *typed)
{
	struct args_rows rows = {.at = table};
	const struct command *c;

	while ((c = args_next(&rows, PLACE_OUTSIDE)) != NULL)
		offer(out, c->word, typed);
}

static void offer_value(struct buf *out, enum complete kind, const char *typed)
{
	static const char *const protocols[] = {"tcp/", "udp/", "icmp/", "icmpv6/"};

	switch (kind) {
	case COMPLETE_NOTHING:
	case COMPLETE_LITERAL:
	case COMPLETE_SEGMENT:
	case COMPLETE_HOST:
	case COMPLETE_RULE:
	case COMPLETE_END:
		break;
	case COMPLETE_FILE:
		buf_adds(out, "<file>\n");
		break;
	case COMPLETE_REASON:
		for (unsigned code = 1; code < REASON_END; code++)
			offer(out, reason_word(code), typed);
		break;
	case COMPLETE_PROTOCOL:
		for (size_t i = 0; i < sizeof(protocols) / sizeof(protocols[0]); i++)
			offer(out, protocols[i], typed);
		break;
	case COMPLETE_LANGUAGE:
		offer(out, "ja", typed);
		offer(out, "en", typed);
		break;
	case COMPLETE_APPLICATION:
		for (unsigned a = 1; a < APP_END; a++)
			offer(out, application_word((enum application)a), typed);
		break;
	case COMPLETE_COMMAND:
		offer_words(out, commands, typed);
		break;
	}
}

static void offer_options(struct buf *out, const struct option *table, const char *typed)
{
	for (; table != NULL && table->name != NULL; table++)
		offer(out, table->name, typed);
}

/* Where the words before the last lead: the command, how many arguments are there, an option awaiting its value. */
struct position {
	const struct command *table, *command;
	const struct option *awaits;
	unsigned nargs;
};

static struct position walk(int n, char *const *words)
{
	struct position p = {.table = commands};

	for (int i = 0; i < n; i++) {
		const struct option *o = p.command != NULL ? p.command->options : NULL;
		int k = args_option_index(o, words[i]);
		if (k < 0) {
			o = global_options;
			k = args_option_index(o, words[i]);
		}
		if (p.awaits != NULL) {
			p.awaits = NULL;
		} else if (k >= 0) {
			p.awaits = o[k].value != NULL && strchr(words[i], '=') == NULL ? &o[k] : NULL;
		} else if (p.table != NULL) {
			p.command = args_find(p.table, PLACE_OUTSIDE, words[i]);
			if (p.command == NULL)
				return (struct position){0};
			p.table = p.command->sub;
		} else {
			p.nargs++;
		}
	}
	return p;
}

void args_complete(int n, char *const *words, struct buf *out)
{
	const char *typed = n > 0 ? words[n - 1] : "";
	struct position p = walk(n > 0 ? n - 1 : 0, words);

	if (p.awaits != NULL) {
		offer_value(out, p.awaits->complete, typed);
		return;
	}
	if (typed[0] == '-') {
		offer_options(out, p.command != NULL ? p.command->options : NULL, typed);
		offer_options(out, global_options, typed);
		return;
	}
	if (p.table != NULL)
		offer_words(out, p.table, typed);
	const struct argument *arg = p.command != NULL && p.table == NULL ? p.command->args : NULL;
	for (unsigned i = 0; arg != NULL && arg->name != NULL; arg++, i++)
		if (i == p.nargs)
			offer_value(out, arg->complete, typed);
		else if (arg->many && i < p.nargs)
			offer_value(out, arg->complete, typed);
}
