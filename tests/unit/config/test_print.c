/*
 * test_print.c: the printed policy reads back as the same policy; for texts made here and for the policies of
 * the directories on the command line (the shipped ones, which must also be free of findings).
 */
#include <sekisho/arena.h>
#include <sekisho/buf.h>
#include <sekisho/config.h>
#include <sekisho/diag.h>

#include "policies.h"
#include "test.h"

static size_t print(const char *text, size_t n, struct buf *out)
{
	struct arena *arena = arena_new();
	struct diag_list diags;

	diag_init(&diags, arena);
	CHECK(config_print(arena, text, n, &diags, out));
	size_t findings = diags.nerrors + diags.nwarnings;
	diag_sort(&diags);
	diag_print(&diags, "printed", stdout);
	arena_free(arena);
	return findings;
}

/* Prints text and reads it back: no findings, and the same print again. */
static void check_again(const char *text, size_t n, const char *want)
{
	struct buf once = {0}, twice = {0};

	CHECK_INT(print(text, n, &once), 0);
	CHECK_INT(print((const char *)once.data, once.len, &twice), 0);
	CHECK_STR(buf_str(&twice), buf_str(&once));
	if (want != NULL)
		CHECK_STR(buf_str(&once), want);
	buf_free(&once);
	buf_free(&twice);
}

static void test_forms(void)
{
	static const char quoted[] = "set segment s kind lgwan label \"a \\\"b\\\" \\\\ #c\"\n";
	static const char bare[] = "set system approval-required mynumber ciso tokatsu\n";
	static const char spread[] = "set host h segment s\nset host h address 10.0.0.1\n";
	static const char flags[] =
		"set segment s kind lgwan answer-ping true\nset segment t kind lgwan answer-ping false\n";

	check_again(quoted, strlen(quoted), quoted);
	check_again(bare, strlen(bare), bare);
	check_again(spread, strlen(spread), "set host h segment s address 10.0.0.1\n");
	check_again(flags, strlen(flags),
		"set segment s kind lgwan answer-ping\nset segment t kind lgwan answer-ping false\n");
}

/* Long objects go over several lines, and the longest text still fits a line. */
static void test_long(void)
{
	struct buf b = {0};

	buf_adds(&b, "set segment s kind lgwan");
	for (int i = 0; i < 200; i++)
		buf_printf(&b, " network 10.%d.0.0/16", i);
	buf_adds(&b, "\nset allow a from h to h service tcp/1 purpose \"");
	for (int i = 0; i < 1024; i++)
		buf_adds(&b, i % 2 == 0 ? "\xf0\xa0\xae\xb7" : "\\\"");
	buf_adds(&b, "\"\n");
	check_again((const char *)b.data, b.len, NULL);
	buf_free(&b);
}

static void check_file(const char *path, const char *text, size_t n)
{
	printf("%s\n", path);
	check_again(text, n, NULL);
}

int main(int argc, char **argv)
{
	test_forms();
	test_long();
	for (int i = 1; i < argc; i++)
		CHECK(policy_each(argv[i], check_file) > 0);
	return test_end();
}
