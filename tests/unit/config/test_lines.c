/* test_lines.c: line ends, limits, UTF-8 as RFC 3629 has it, characters that nobody sees. */
#include "lines.h"

#include <sekisho/arena.h>
#include <sekisho/diag.h>
#include <sekisho/limits.h>

#include "test.h"

static struct arena *arena;

/* The readable lines joined by '|', and the codes and lines of what was refused. */
static const char *split(const char *text, size_t n)
{
	static char out[4096];
	struct diag_list diags;
	struct lines l = lines_init(text, n);
	struct line line;
	size_t len = 0;

	diag_init(&diags, arena);
	out[0] = '\0';
	while (lines_next(&l, &diags, &line))
		len += (size_t)snprintf(
			out + len, sizeof(out) - len, "%u:%.*s|", line.number, (int)line.n, line.text);
	for (size_t i = 0; i < diags.n; i++)
		len += (size_t)snprintf(
			out + len, sizeof(out) - len, "!%u:%s", diags.items[i].line, diags.items[i].code);
	return out;
}

#define SPLIT(s) split("" s, sizeof(s) - 1)

static void test_ends(void)
{
	CHECK_STR(SPLIT(""), "");
	CHECK_STR(SPLIT("a"), "1:a|");
	CHECK_STR(SPLIT("a\n"), "1:a|");
	CHECK_STR(SPLIT("a\nb\r\n\r\nc"), "1:a|2:b|3:|4:c|");
	CHECK_STR(SPLIT("\xef\xbb\xbf"
			"a\nb"),
		"1:a|2:b|");
	CHECK_STR(SPLIT("\xef\xbb"), "!1:encoding");
	CHECK_STR(SPLIT("a\rb\nc"), "2:c|!1:control-character");
	CHECK_STR(SPLIT("a\tb"), "1:a\tb|");
}

static void test_encoding(void)
{
	CHECK_STR(SPLIT("町\xf0\xa0\xae\xb7"), "1:町\xf0\xa0\xae\xb7|");
	CHECK_STR(SPLIT("\x80"), "!1:encoding");
	CHECK_STR(SPLIT("\xc0\xaf"), "!1:encoding");
	CHECK_STR(SPLIT("\xc1\xbf"), "!1:encoding");
	CHECK_STR(SPLIT("\xe0\x80\xaf"), "!1:encoding");
	CHECK_STR(SPLIT("\xed\xa0\x80"), "!1:encoding");
	CHECK_STR(SPLIT("\xf0\x80\x80\xaf"), "!1:encoding");
	CHECK_STR(SPLIT("\xf4\x90\x80\x80"), "!1:encoding");
	CHECK_STR(SPLIT("\xf5\x80\x80\x80"), "!1:encoding");
	CHECK_STR(SPLIT("\xff"), "!1:encoding");
	CHECK_STR(SPLIT("a\xe7\x94"), "!1:encoding");
	CHECK_STR(SPLIT("\xe7\x94\nb"), "2:b|!1:encoding");
	/* Shift_JIS and EUC-JP are not UTF-8. */
	CHECK_STR(SPLIT("\x92\xac\nok"), "2:ok|!1:encoding");
	CHECK_STR(SPLIT("\xc4\xae\xcc\xf2"), "!1:encoding");
}

static void test_unseen(void)
{
	CHECK_STR(SPLIT("a\0b"), "!1:control-character");
	CHECK_STR(SPLIT("a\x1b[2J\nb"), "2:b|!1:control-character");
	CHECK_STR(SPLIT("\x7f"), "!1:control-character");
	CHECK_STR(SPLIT("\xc2\x85"), "!1:control-character");
	CHECK_STR(SPLIT("\xe2\x80\x8b"), "!1:control-character");
	CHECK_STR(SPLIT("\xe2\x80\xae"), "!1:control-character");
	CHECK_STR(SPLIT("\xe2\x81\xa6"), "!1:control-character");
	CHECK_STR(SPLIT("a\xef\xbb\xbf"), "!1:control-character");
	/* What Japanese text does hold: full-width blank, a variation selector of a name's kanji. */
	CHECK_STR(SPLIT("　"), "1:　|");
	CHECK_STR(SPLIT("\xe8\x91\x9b\xf3\xa0\x84\x80"), "1:\xe8\x91\x9b\xf3\xa0\x84\x80|");
}

static void test_length(void)
{
	static char text[LIMIT_LINE + 16];

	memset(text, 'x', sizeof(text));
	struct diag_list diags;
	diag_init(&diags, arena);
	struct lines l = lines_init(text, LIMIT_LINE);
	struct line line;
	CHECK(lines_next(&l, &diags, &line) && line.n == LIMIT_LINE && diags.n == 0);
	text[LIMIT_LINE + 1] = '\n';
	l = lines_init(text, LIMIT_LINE + 3);
	CHECK(lines_next(&l, &diags, &line) && line.n == 1 && line.number == 2);
	CHECK(diags.n == 1 && strcmp(diags.items[0].code, "line-too-long") == 0 && diags.items[0].line == 1);
}

static void test_decode(void)
{
	const uint8_t kanji[] = {0xe7, 0x94, 0xba};
	uint32_t c = 0;

	CHECK_INT(utf8_decode(kanji, kanji + 3, &c), 3);
	CHECK_INT(c, 0x753a);
	CHECK_INT(utf8_decode(kanji, kanji + 2, &c), 0);
	CHECK_INT(utf8_decode(kanji + 1, kanji + 3, &c), 0);
}

int main(void)
{
	arena = arena_new();
	test_ends();
	test_encoding();
	test_unseen();
	test_length();
	test_decode();
	arena_free(arena);
	return test_end();
}
