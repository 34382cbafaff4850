/* test_shell.c: lines of the shell are split, abbreviations written out, output filtered. */
#include "shell_filter.h"
#include "shell_line.h"
#include "shell_words.h"

#include "args.h"

#include <sekisho/buf.h>
#include <sekisho/i18n.h>

#include "test.h"

/* The words of a line, each in brackets; pipes as "|"; or what is wrong with it. */
static const char *split(const char *text, bool unfinished)
{
	static struct buf out;
	struct line l;

	buf_clear(&out);
	if (line_read(&l, text, unfinished, &out)) {
		unsigned pipe = 0;
		for (unsigned i = 0; i <= l.nwords; i++) {
			for (; pipe < l.npipes && l.pipes[pipe] == i; pipe++)
				buf_addc(&out, '|');
			if (i < l.nwords)
				buf_printf(&out, "[%s]", l.words[i].text);
		}
	}
	line_free(&l);
	return buf_str(&out);
}

static void test_line(void)
{
	CHECK_STR(split("show  log\tdrops ", false), "[show][log][drops]");
	CHECK_STR(split("set host a label \"a \\\"b\\\" \\\\ ? | #\"", false), "[set][host][a][label][a \"b\" \\ ? | #]");
	CHECK_STR(split("show status | match x|y |count", false), "[show][status]|[match][x|y]|[count]");
	CHECK_STR(split("show # a comment", false), "[show]");
	CHECK_STR(split("show \"open", true), "[show][open]");
	CHECK_STR(split("show \"open", false), "a quotation does not end: close it with \"");
	CHECK_STR(split("show $HOME ~ * `x` !", false), "[show][$HOME][~][*][`x`][!]");
	CHECK(strstr(split("show \xff", false), "column 6") != NULL);
	CHECK(strstr(split("show \033[2J", false), "column 6") != NULL);
	CHECK(strstr(split("a | b | c | d | e | f | g | h | i | j", false), "at most 8 pipes") != NULL);
	CHECK_STR(split("", false), "");
}

/* The line as it is written out for the table. */
static const char *expand(enum place place, const char *text)
{
	static struct buf out;
	struct typed_words w = {0};
	struct line l;

	buf_clear(&out);
	if (line_read(&l, text, false, &out) && words_expand(place, &l, &w, &out)) {
		for (int i = 1; i < w.argc; i++)
			buf_printf(&out, i > 1 ? " %s" : "%s", w.argv[i]);
		if (w.raw.len > 0)
			buf_printf(&out, " <%s>", buf_str(&w.raw));
	}
	words_free(&w);
	line_free(&l);
	return buf_str(&out);
}

static void test_expand(void)
{
	CHECK_STR(expand(PLACE_OPERATE, "sho sta"), "show status");
	CHECK_STR(expand(PLACE_OPERATE, "show log dr since 1h from lgwan"), "show log drops --since 1h --from lgwan");
	CHECK_STR(expand(PLACE_OPERATE, "show log drops --since 1h"), "show log drops --since 1h");
	/* The value of an option is never one of our words, nor is what stands in quotes. */
	CHECK_STR(expand(PLACE_OPERATE, "show log drops from since"), "show log drops --from since");
	CHECK_STR(expand(PLACE_OPERATE, "show ledger \"at\""), "show ledger at");
	CHECK(strncmp(expand(PLACE_OPERATE, "show l"), "\"l\" is ambiguous:", 17) == 0);
	CHECK_STR(expand(PLACE_CONFIGURE, "run sh stat"), "show status");
	CHECK_STR(expand(PLACE_CONFIGURE, "del host \"a b\""), "delete host a b <host \"a b\">");
	CHECK_STR(expand(PLACE_OPERATE, "nonsense x"), "nonsense");
}

static void collect(void *arg, const char *line)
{
	buf_printf(arg, "%s;", line);
}

/* What is left of lines "a;b;…" behind these pipes; or what is wrong with the pipes. */
static const char *filter(const char *pipes, const char *lines)
{
	static struct buf out;
	char copy[256], *save = NULL;
	struct buf text = {0};
	struct line l;

	buf_clear(&out);
	buf_printf(&text, "x %s", pipes);
	CHECK(line_read(&l, buf_str(&text), false, &out));
	struct filters *f = filters_new(&l, &out);
	snprintf(copy, sizeof(copy), "%s", lines);
	for (char *line = strtok_r(copy, ";", &save); f != NULL && line != NULL; line = strtok_r(NULL, ";", &save))
		filters_line(f, line, collect, &out);
	if (f != NULL)
		filters_end(f, collect, &out);
	filters_free(f);
	line_free(&l);
	buf_free(&text);
	return buf_str(&out);
}

static void test_filter(void)
{
	CHECK_STR(filter("", "a;b"), "a;b;");
	CHECK_STR(filter("| match A", "a;b;ba"), "a;ba;");
	CHECK_STR(filter("| match .*", "a;.*b"), ".*b;");
	CHECK_STR(filter("| ex a | match b", "a;b;ab"), "b;");
	CHECK_STR(filter("| last 2", "1;2;3;4"), "3;4;");
	CHECK_STR(filter("| last 9 | match 3", "1;2;3;4"), "3;");
	CHECK_STR(filter("| match 1 | count", "1;2;11"), "2 lines;");
	CHECK_STR(filter("| set", "set a;# b;set c"), "set a;set c;");
	CHECK(strstr(filter("| sort", ""), "there is no pipe \"sort\"") != NULL);
	CHECK(strstr(filter("| last 10001", ""), "from 1 to 10000") != NULL);
	CHECK(strstr(filter("| match", ""), "takes one word") != NULL);
	CHECK(strstr(filter("|", ""), "there is no pipe") != NULL);
}

int main(void)
{
	i18n_init("en");
	test_line();
	test_expand();
	test_filter();
	return test_end();
}
