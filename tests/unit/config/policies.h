/*
 * policies.h: calls a function with the text of each *.policy file of the directories on a test's command
 * line.
 */
#ifndef TEST_CONFIG_POLICIES_H
#define TEST_CONFIG_POLICIES_H

#include <sekisho/buf.h>

#include <dirent.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

typedef void policy_fn(const char *path, const char *text, size_t n);

static inline void policy_file(const char *path, policy_fn *fn)
{
	struct buf b = {0};
	char chunk[4096];
	size_t n;
	FILE *f = fopen(path, "rb");

	if (f == NULL)
		abort();
	while ((n = fread(chunk, 1, sizeof(chunk), f)) > 0)
		buf_add(&b, chunk, n);
	fclose(f);
	fn(path, buf_str(&b), b.len);
	buf_free(&b);
}

/* Returns how many there were. */
static inline unsigned policy_each(const char *dir, policy_fn *fn)
{
	char path[4096];
	unsigned count = 0;
	DIR *d = opendir(dir);

	if (d == NULL)
		abort();
	for (const struct dirent *e; (e = readdir(d)) != NULL;) {
		size_t n = strlen(e->d_name);
		if (n <= 7 || strcmp(e->d_name + n - 7, ".policy") != 0)
			continue;
		snprintf(path, sizeof(path), "%s/%s", dir, e->d_name);
		policy_file(path, fn);
		count++;
	}
	closedir(d);
	return count;
}

#endif
