/*
 * candidate.c: fuzzes the editing of policies: any bytes as a text that is loaded and, line by line, as half-typed lines.
 * Beside not crashing it must hold that
 *   - a text that is refused changes nothing, and one that is taken prints as what reads back the same;
 *   - completing and expanding change nothing, and what was expanded expands to itself;
 *   - a policy compared with itself says nothing.
 */
#include <sekisho/arena.h>
#include <sekisho/buf.h>
#include <sekisho/candidate.h>
#include <sekisho/diag.h>

#include <stdint.h>
#include <stdlib.h>
#include <string.h>

static const char town[] =
	"# the town\n\nset segment k kind mynumber\nset segment l kind lgwan interface eth1\nset router r segment k address 10.1.0.254\n"
	"set host ap segment k address 10.1.1.5 behind r\nset host db segment l address 10.2.0.8\nset host-group g member ap member db\n"
	"set service web tcp/80\n# one\nset allow a from ap to db service web\nset allow a approval ciso name A\n";

static bool take(void *arg, const char *word, enum candidate_word kind, const char *help)
{
	size_t *n = arg;

	*n += strlen(word) + strlen(help) + (size_t)kind;
	return *n < 10000;
}

static void print(const struct candidate *c, struct buf *out)
{
	buf_clear(out);
	if (candidate_print(c, NULL, out) != 0)
		abort();
	buf_str(out);
}

static void same(const struct buf *a, const struct buf *b)
{
	if (a->len != b->len || (a->len > 0 && memcmp(a->data, b->data, a->len) != 0))
		abort();
}

/* What is printed reads back as the same, and differs from itself in nothing. */
static void check_print(struct candidate *c, struct diag_list *diags)
{
	struct buf once = {0}, twice = {0};
	size_t errors = diags->nerrors;

	print(c, &once);
	struct candidate *again = candidate_new((const char *)once.data, once.len, diags);
	if (again == NULL || diags->nerrors != errors)
		abort();
	print(again, &twice);
	same(&once, &twice);
	buf_clear(&twice);
	if (!candidate_compare((const char *)once.data, once.len, (const char *)once.data, once.len, &twice) || twice.len != 0)
		abort();
	candidate_free(again);
	buf_free(&once);
	buf_free(&twice);
}

static void check_line(const struct candidate *c, const char *line, struct diag_list *diags)
{
	struct buf once = {0}, twice = {0};

	for (int use = CANDIDATE_FOR_SET; use <= CANDIDATE_FOR_ENTRY; use++) {
		size_t n = 0;
		candidate_complete(c, (enum candidate_use)use, line, take, &n);
		buf_clear(&once);
		buf_clear(&twice);
		if (candidate_expand(c, (enum candidate_use)use, line, &once, diags) != 0)
			continue;
		if (candidate_expand(c, (enum candidate_use)use, buf_str(&once), &twice, diags) != 0)
			abort();
		same(&once, &twice);
	}
	buf_free(&once);
	buf_free(&twice);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct arena *arena = arena_new();
	struct diag_list diags;
	struct buf before = {0}, after = {0};

	if (arena == NULL)
		abort();
	diag_init(&diags, arena);
	struct candidate *c = candidate_new(town, strlen(town), &diags);
	if (c == NULL || diags.nerrors > 0)
		abort();
	print(c, &before);
	for (size_t at = 0, lines = 0; at < size && lines < 50; lines++) {
		const uint8_t *nl = memchr(data + at, '\n', size - at);
		size_t n = nl == NULL ? size - at : (size_t)(nl - data) - at;
		char *line = strndup((const char *)data + at, n);
		if (line == NULL)
			abort();
		check_line(c, line, &diags);
		free(line);
		at += n + 1;
	}
	print(c, &after);
	same(&before, &after);
	int r = candidate_load(c, (const char *)data, size, size % 2 == 0, NULL, &diags);
	print(c, &after);
	if (r != 0)
		same(&before, &after);
	check_print(c, &diags);
	candidate_free(c);
	buf_free(&before);
	buf_free(&after);
	arena_free(arena);
	return 0;
}
