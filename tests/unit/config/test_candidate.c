/* test_candidate.c: edits of a candidate: what each does, that a refused one does nothing, and that no text is lost. */
#include <sekisho/arena.h>
#include <sekisho/buf.h>
#include <sekisho/candidate.h>
#include <sekisho/diag.h>

#include <errno.h>

#include "test.h"

static struct arena *arena;
static struct diag_list diags;

static struct candidate *begin(const char *text)
{
	arena_free(arena);
	arena = arena_new();
	diag_init(&diags, arena);
	struct candidate *c = candidate_new(text, strlen(text), &diags);
	CHECK(c != NULL && diags.nerrors == 0);
	return c;
}

static void check_text(const struct candidate *c, const char *path, const char *want)
{
	struct buf b = {0};

	CHECK_INT(candidate_print(c, path, &b), 0);
	CHECK_STR(buf_str(&b), want);
	buf_free(&b);
}

/* The last finding's code, then none is kept. */
static const char *finding(void)
{
	const char *code = diags.n == 0 ? "" : diags.items[diags.n - 1].code;

	diag_init(&diags, arena);
	return code;
}

#define REFUSED(call, error, want)                                                                               \
	do {                                                                                                     \
		unsigned long was = candidate_changes(c);                                                        \
		CHECK_INT(call, error);                                                                          \
		CHECK_STR(finding(), want);                                                                      \
		CHECK_INT(candidate_changes(c), was);                                                            \
	} while (0)

#define TOWN                                                                                                     \
	"set segment k kind mynumber\nset segment l kind lgwan interface eth1\nset router r segment k address 10.1.0.254\n" \
	"set route 10.1.1.0/24 via r\nset host ap segment k address 10.1.1.5 behind r\nset host db segment l address 10.2.0.8\n" \
	"set host-group g member ap member db\nset service web tcp/80\nset allow a from ap to db service web\n"

static void test_set(void)
{
	struct candidate *c = begin("");

	check_text(c, NULL, "");
	CHECK_INT(candidate_set(c, "host a segment l address 10.0.0.1", &diags), 0);
	CHECK_INT(candidate_set(c, "host a address 10.0.0.2 label \"x y\"", &diags), 0);
	CHECK_INT(candidate_set(c, "host a segment k", &diags), 0);
	check_text(c, NULL, "set host a segment k address 10.0.0.1 address 10.0.0.2 label \"x y\"\n");
	unsigned long changes = candidate_changes(c);
	CHECK_INT(candidate_set(c, "host a segment k", &diags), 0);
	CHECK_INT(candidate_changes(c), changes);
	REFUSED(candidate_set(c, "host a mac zz label b", &diags), -EINVAL, "bad-value");
	REFUSED(candidate_set(c, "host a labl b", &diags), -EINVAL, "unknown-word");
	REFUSED(candidate_set(c, "host a label", &diags), -EINVAL, "missing-value");
	REFUSED(candidate_set(c, "host", &diags), -EINVAL, "missing-value");
	REFUSED(candidate_set(c, "system", &diags), -EINVAL, "incomplete");
	REFUSED(candidate_set(c, "", &diags), -EINVAL, "incomplete");
	REFUSED(candidate_set(c, "  # nothing", &diags), -EINVAL, "incomplete");
	REFUSED(candidate_set(c, "host a label b\nhost c label d", &diags), -EINVAL, "one-line");
	REFUSED(candidate_set(c, "host a label \"b", &diags), -EINVAL, "quote");
	REFUSED(candidate_set(c, "host a label b\xff", &diags), -EINVAL, "encoding");
	REFUSED(candidate_set(c, "host a label b\x1b[0m", &diags), -EINVAL, "control-character");
	REFUSED(candidate_set(c, "host a label \xe2\x80\xae", &diags), -EINVAL, "control-character");
	check_text(c, NULL, "set host a segment k address 10.0.0.1 address 10.0.0.2 label \"x y\"\n");
	candidate_free(c);
}

static void test_delete(void)
{
	struct candidate *c = begin(TOWN "set system log-limit per-source 5\nset host x segment k address 10.1.0.9 address 10.1.0.8 label q\n");

	CHECK_INT(candidate_delete(c, "host x address 10.1.0.9", &diags), 0);
	check_text(c, "host x", "set host x segment k address 10.1.0.8 label q\n");
	REFUSED(candidate_delete(c, "host x address 10.1.0.9", &diags), -ENOENT, "not-there");
	REFUSED(candidate_delete(c, "host y", &diags), -ENOENT, "not-there");
	REFUSED(candidate_delete(c, "host x mac", &diags), -ENOENT, "not-there");
	REFUSED(candidate_delete(c, "host x colour", &diags), -EINVAL, "unknown-word");
	REFUSED(candidate_delete(c, "", &diags), -EINVAL, "incomplete");
	CHECK_INT(candidate_delete(c, "host x label address", &diags), 0);
	check_text(c, "host x", "set host x segment k\n");
	CHECK_INT(candidate_delete(c, "host x", &diags), 0);
	check_text(c, "host x", "");
	/* The container that it empties is gone with it. */
	CHECK_INT(candidate_delete(c, "system log-limit per-source", &diags), 0);
	check_text(c, NULL, TOWN);
	CHECK_INT(candidate_delete(c, "allow", &diags), 0);
	check_text(c, "allow", "");
	/* What went may come again. */
	CHECK_INT(candidate_set(c, "allow a from ap to db service tcp/1", &diags), 0);
	check_text(c, "allow", "set allow a from ap to db service tcp/1\n");
	candidate_free(c);
}

int main(void)
{
	test_set();
	test_delete();
	arena_free(arena);
	return test_end();
}
