/*
 * golden_config.c: reads each NAME.policy of a directory and compares what is said of it, and what was
 * understood (in canonical form), with NAME.expected. --regenerate writes the expectations anew: read the
 * diff afterwards.
 *
 * usage: golden_config [--regenerate] DIRECTORY
 */
#include <sekisho/arena.h>
#include <sekisho/buf.h>
#include <sekisho/config.h>
#include <sekisho/diag.h>
#include <sekisho/i18n.h>
#include <sekisho/model.h>

#include <dirent.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static bool slurp(const char *path, struct buf *out)
{
	FILE *f = fopen(path, "rb");
	char chunk[4096];
	size_t n;

	if (f == NULL)
		return false;
	while ((n = fread(chunk, 1, sizeof(chunk), f)) > 0)
		buf_add(out, chunk, n);
	fclose(f);
	return true;
}

static bool spew(const char *path, const struct buf *b)
{
	FILE *f = fopen(path, "wb");

	if (f == NULL)
		return false;
	bool ok = fwrite(b->data, 1, b->len, f) == b->len;
	return fclose(f) == 0 && ok;
}

/* Diagnostics and canonical text of one policy. */
static void describe(const char *name, const struct buf *text, struct buf *out)
{
	struct arena *arena = arena_new();
	struct diag_list diags;
	char *shown = NULL;
	size_t n = 0;
	FILE *f = open_memstream(&shown, &n);

	diag_init(&diags, arena);
	struct buf canonical = {0};
	if (f == NULL || !config_print(arena, (const char *)text->data, text->len, &diags, &canonical))
		abort();
	diag_sort(&diags);
	diag_print(&diags, name, f);
	fclose(f);
	buf_add(out, shown, n);
	buf_adds(out, "--\n");
	buf_add(out, canonical.data, canonical.len);
	buf_free(&canonical);
	free(shown);
	arena_free(arena);
}

static bool one(const char *dir, const char *name, bool regenerate)
{
	char path[4096], expected[4096];
	struct buf text = {0}, got = {0}, want = {0};

	snprintf(path, sizeof(path), "%s/%s", dir, name);
	snprintf(expected, sizeof(expected), "%s/%.*s.expected", dir, (int)(strlen(name) - strlen(".policy")),
		name);
	bool ok = slurp(path, &text);
	if (ok) {
		describe(name, &text, &got);
		ok = regenerate ? spew(expected, &got)
				: slurp(expected, &want) && got.len == want.len &&
					  memcmp(got.data, want.data, want.len) == 0;
	}
	if (!ok)
		printf("%s: not as expected; got:\n%s\n", path, buf_str(&got));
	buf_free(&text);
	buf_free(&got);
	buf_free(&want);
	return ok;
}

static int is_policy(const struct dirent *e)
{
	size_t n = strlen(e->d_name);

	return n > 7 && strcmp(e->d_name + n - 7, ".policy") == 0;
}

int main(int argc, char **argv)
{
	bool regenerate = argc == 3 && strcmp(argv[1], "--regenerate") == 0, ok = true;
	struct dirent **names;

	if (argc != 2 && !regenerate)
		return 2;
	i18n_init("en");
	int n = scandir(argv[argc - 1], &names, is_policy, alphasort);
	if (n <= 0) {
		printf("%s: no policies\n", argv[argc - 1]);
		return 1;
	}
	for (int i = 0; i < n; i++) {
		ok = one(argv[argc - 1], names[i]->d_name, regenerate) && ok;
		free(names[i]);
	}
	free(names);
	printf("%d policies\n", n);
	return ok ? 0 : 1;
}
