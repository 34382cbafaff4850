/* test_tokens.c: words, quotes, escapes, comments; the worst line that fits. */
#include "lines.h"
#include "tokens.h"

#include <sekisho/arena.h>
#include <sekisho/diag.h>

#include "test.h"

static struct arena *arena;
static struct tokens tokens;

/* The words as [a][b], quoted ones as ["a"], or the refusal's sentence. */
static const char *split_n(const char *text, size_t n)
{
	static char out[512];
	struct diag_list diags;
	struct line line = {text, n, 7};
	size_t len = 0;

	diag_init(&diags, arena);
	out[0] = '\0';
	if (!tokens_split(&line, &diags, &tokens)) {
		CHECK(diags.n == 1 && diags.items[0].line == 7);
		return diags.items[0].what;
	}
	CHECK_INT(diags.n, 0);
	for (size_t i = 0; i < tokens.n && len < sizeof(out) - 100; i++) {
		const char *q = tokens.v[i].quoted ? "\"" : "";
		CHECK_INT(strlen(tokens.v[i].text), tokens.v[i].n);
		len += (size_t)snprintf(out + len, sizeof(out) - len, "[%s%s%s]", q, tokens.v[i].text, q);
	}
	return out;
}

static const char *split(const char *text)
{
	return split_n(text, strlen(text));
}

static void test_words(void)
{
	CHECK_STR(split(""), "");
	CHECK_STR(split("  \t "), "");
	CHECK_STR(split("set host a"), "[set][host][a]");
	CHECK_STR(split("\tset\t host  a "), "[set][host][a]");
	CHECK_STR(split("# all of it"), "");
	CHECK_STR(split("a # b"), "[a]");
	CHECK_STR(split("a#b"), "[a#b]");
	CHECK_STR(split("町 役場"), "[町][役場]");
}

static void test_quotes(void)
{
	CHECK_STR(split("\"a b\""), "[\"a b\"]");
	CHECK_STR(split("x \"\" y"), "[x][\"\"][y]");
	CHECK_STR(split("\"a # b\" # c"), "[\"a # b\"]");
	CHECK_STR(split("\"a \\\" \\\\ b\""), "[\"a \" \\ b\"]");
	CHECK_STR(split("\"　\""), "[\"　\"]");
	CHECK_STR(split("a \"b"), "column 3: this quotation does not end");
	CHECK_STR(split("a \"b\\\""), "column 3: this quotation does not end");
	CHECK_STR(split("町 \"b"), "column 3: this quotation does not end");
	CHECK_STR(split("\"a\\"), "column 3: unknown escape");
	CHECK_STR(split("\"a\\n\""), "column 3: unknown escape");
	CHECK_STR(split("\"a\"b"), "column 4: text follows the quotation at once");
	CHECK_STR(split("\"a\"#"), "column 4: text follows the quotation at once");
	CHECK_STR(split("a\"b\""), "column 2: a quotation mark inside a word");
	CHECK_STR(split("a\\ b"), "column 2: a backslash outside of quotes");
	CHECK_STR(split("set　host"), "column 4: a full-width space");
}

/* The arrays are sized for these. */
static void test_worst(void)
{
	static char text[LIMIT_LINE];

	for (size_t i = 0; i < sizeof(text); i++)
		text[i] = i % 2 == 0 ? 'a' : ' ';
	split_n(text, sizeof(text));
	CHECK_INT(tokens.n, LIMIT_LINE / 2);
	memset(text, 'a', sizeof(text));
	split_n(text, sizeof(text));
	CHECK_INT(tokens.n, 1);
	CHECK_INT(tokens.v[0].n, LIMIT_LINE);
	for (size_t i = 0; i + 3 <= sizeof(text); i += 3)
		memcpy(text + i, "\"\" ", 3);
	split_n(text, sizeof(text) / 3 * 3);
	CHECK_INT(tokens.n, LIMIT_LINE / 3);
}

int main(void)
{
	arena = arena_new();
	test_words();
	test_quotes();
	test_worst();
	arena_free(arena);
	return test_end();
}
