/* golden.c: see golden.h. */
#include "golden.h"

#include <dirent.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

void golden_read(const char *path, bool needed, struct buf *ret)
{
	FILE *f = fopen(path, "rb");
	char chunk[4096];
	size_t n;

	if (f == NULL && !needed)
		return;
	if (f == NULL) {
		perror(path);
		exit(2);
	}
	while ((n = fread(chunk, 1, sizeof(chunk), f)) > 0)
		buf_add(ret, chunk, n);
	fclose(f);
}

bool golden_same(const struct buf *a, const struct buf *b)
{
	return a->len == b->len && (a->len == 0 || memcmp(a->data, b->data, a->len) == 0);
}

int golden_compare(const char *dir, const char *name, const char *ending, const struct buf *got, bool regenerate)
{
	char path[4096];
	struct buf want = {0};

	snprintf(path, sizeof(path), "%s/%.*s.txt", dir, (int)(strlen(name) - strlen(ending)), name);
	if (regenerate) {
		FILE *f = fopen(path, "wb");
		if (f == NULL || fwrite(got->data, 1, got->len, f) != got->len || fclose(f) != 0)
			exit(2);
		return 0;
	}
	golden_read(path, true, &want);
	bool same = golden_same(got, &want);
	if (!same)
		printf("%s: got\n%.*s\n", name, (int)got->len, (const char *)got->data);
	buf_free(&want);
	return !same;
}

static bool ends_with(const char *name, const char *ending)
{
	size_t n = strlen(name), k = strlen(ending);

	return n > k && strcmp(name + n - k, ending) == 0;
}

int golden_each(int argc, char **argv, const char *ending, int (*check)(const char *dir, const char *name, bool regenerate),
	int *ret_n)
{
	bool regenerate = argc == 3 && strcmp(argv[1], "--regenerate") == 0;
	struct dirent **list;
	int failed = 0, n = argc > 1 ? scandir(argv[argc - 1], &list, NULL, alphasort) : 0;

	*ret_n = 0;
	for (int i = 0; i < n; i++) {
		if (ends_with(list[i]->d_name, ending)) {
			failed += check(argv[argc - 1], list[i]->d_name, regenerate);
			(*ret_n)++;
		}
		free(list[i]);
	}
	if (n > 0)
		free(list);
	if (*ret_n == 0) {
		fprintf(stderr, "%s: no %s there\n", argv[0], ending);
		exit(2);
	}
	return failed;
}
