/* test_args.c: the table of commands is sound; command lines are read; help fits the terminal. */
#include "args.h"

#include "console.h"
#include "text.h"

#include <sekisho/i18n.h>

#include "test.h"

static char error_text[512];

/* Parses words separated by blanks. */
static bool parse(const char *line, struct args *a)
{
	static char copy[512];
	char *argv[32] = {(char[]){"sekisho"}}, *save = NULL;
	struct buf error = {0};
	int argc = 1;

	snprintf(copy, sizeof(copy), "%s", line);
	for (char *w = strtok_r(copy, " ", &save); w != NULL; w = strtok_r(NULL, " ", &save))
		argv[argc++] = w;
	bool ok = args_parse(PLACE_OUTSIDE, argc, argv, a, &error);
	snprintf(error_text, sizeof(error_text), "%s", buf_str(&error));
	buf_free(&error);
	return ok;
}

static void test_good(void)
{
	struct args a;

	CHECK(parse("log drops --since 10m --port=445 --json --follow", &a));
	CHECK_STR(a.command->word, "drops");
	CHECK_STR(a.path[0]->word, "log");
	CHECK_INT(a.depth, 2);
	CHECK_STR(args_option(&a, "--since"), "10m");
	CHECK_STR(args_option(&a, "--port"), "445");
	CHECK_STR(args_option(&a, "--json"), "");
	CHECK(args_option(&a, "--until") == NULL);
	CHECK(args_option(&a, "--who") == NULL);
	CHECK(parse("show log drops", &a) && a.depth == 3 && a.path[2] == a.command);
	/* Global options stand anywhere; a value may begin with "--". */
	CHECK(parse("--root /x check --lang ja --at --json p", &a));
	CHECK_STR(args_option(&a, "--root"), "/x");
	CHECK_STR(args_option(&a, "--lang"), "ja");
	CHECK_STR(args_option(&a, "--at"), "--json");
	CHECK_STR(a.words[0], "p");
	CHECK(parse("check -- --json", &a));
	CHECK_STR(a.words[0], "--json");
	CHECK(parse("check --why= p", &a) == false);
	CHECK(parse("commit f --who= --why x", &a));
	CHECK_STR(args_option(&a, "--who"), "");
	CHECK(parse("complete --json log", &a) && a.nrest == 2);
	CHECK(parse("check --help --nonsense", &a) && a.help);
	CHECK(parse("check --help too many words here", &a) && a.help);
}

static void test_bad(void)
{
	static const struct {
		const char *line, *error;
	} cases[] = {
		{"", "a command is missing"},
		{"log", "the next word is missing"},
		{"chekc", "there is no command \"chekc\"; did you mean \"check\"?"},
		{"log vrfy", "there is no command \"vrfy\""},
		{"check", "POLICY|path is missing"},
		{"commit a b", "\"b\" is one word too many"},
		{"check a --nope", "there is no option \"--nope\" here"},
		{"check a --json --json", "the option --json is given twice"},
		{"check a --json=x", "the option --json takes no value"},
		{"check a --at", "the option --at needs a value"},
		{"commit f --who a", "the option --why is missing"},
		{"--since 1 log drops", "there is no option \"--since\" here"},
		{"commit \033[2J x", "\"x\" is one word too many"},
	};
	struct args a;

	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		CHECK(!parse(cases[i].line, &a));
		if (strstr(error_text, cases[i].error) == NULL)
			CHECK_STR(error_text, cases[i].error);
	}
}

/* Each line at most 80 columns. */
static void check_width(const char *text, const char *what)
{
	char line[1024];

	for (const char *end; *text != '\0'; text = *end == '\0' ? end : end + 1) {
		end = strchrnul(text, '\n');
		snprintf(line, sizeof(line), "%.*s", (int)(end - text), text);
		if (text_width(line) > TEXT_COLUMNS)
			printf("%s: too wide: %s\n", what, line);
		CHECK(text_width(line) <= TEXT_COLUMNS);
	}
}

/* A row: counts and help. */
static void check_row(const struct args *a)
{
	const struct command *c = a->command;
	struct buf b = {0};
	unsigned n = 0;

	CHECK((c->run != NULL) == (c->sub == NULL));
	CHECK(c->help != NULL);
	for (const struct option *o = c->options; o != NULL && o->name != NULL; o++, n++)
		CHECK(strncmp(o->name, "--", 2) == 0 && o->help != NULL);
	CHECK(n <= ARGS_OPTIONS_MAX);
	n = 0;
	for (const struct argument *g = c->args; g != NULL && g->name != NULL; g++, n++)
		CHECK(g->help != NULL);
	CHECK(n <= ARGS_WORDS_MAX);
	help_print(&b, a);
	check_width(buf_str(&b), c->word);
	buf_free(&b);
}

/* A word means one thing at a place. */
static void check_table(const struct command *table, const struct args *above)
{
	struct args_rows rows = {.at = table};
	const struct command *c;

	while ((c = args_next(&rows, above->place)) != NULL) {
		struct args a = *above;
		a.command = a.path[a.depth++] = c;
		CHECK(args_find(table, above->place, c->word) == c);
		check_row(&a);
		if (c->sub != NULL)
			check_table(c->sub, &a);
	}
}

static void check_places(void)
{
	static const enum place places[] = {PLACE_OUTSIDE, PLACE_OPERATE, PLACE_CONFIGURE};

	for (size_t i = 0; i < 3; i++)
		check_table(commands, &(struct args){.place = places[i]});
}

int main(void)
{
	i18n_init("en");
	test_good();
	test_bad();
	check_places();
	i18n_init("ja");
	check_places();
	return test_end();
}
