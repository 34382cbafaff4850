/*
 * aside.c: stores that could not be used: kept beside the new one, as far as the disk has room for both.
 *
 * Input: names in our own directory. Where the disk is full and no store can be opened, the oldest one goes: what
 * happens now is recorded before what was damaged is kept.
 */
#include "store_private.h"

#include <dirent.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

static int is_aside(const struct dirent *e)
{
	return strncmp(e->d_name, STORE_FILE STORE_ASIDE, strlen(STORE_FILE STORE_ASIDE)) == 0;
}

static int by_name(const struct dirent **a, const struct dirent **b)
{
	return strcmp((*a)->d_name, (*b)->d_name);
}

/* Removes all but the newest stores that were set aside: their names sort by time. Returns how many files went. */
static int keep_asides(const char *dir, int most)
{
	struct dirent **v = NULL;
	char path[STORE_PATH_MAX + 300];
	int n = scandir(dir, &v, is_aside, by_name), kept = 0, gone = 0;

	for (int i = n - 1; i >= 0; i--) {
		snprintf(path, sizeof(path), "%s/%s", dir, v[i]->d_name);
		/* Its log and index follow it by their longer names. */
		bool main_file = strstr(v[i]->d_name, "-wal") == NULL && strstr(v[i]->d_name, "-shm") == NULL &&
				 strstr(v[i]->d_name, "-journal") == NULL;
		if (kept >= most && unlink(path) == 0)
			gone++;
		kept += main_file;
		free(v[i]);
	}
	free(v);
	return gone;
}

int store_set_aside(const char *dir, int64_t wall, char *name, size_t size)
{
	static const char *const parts[] = {"", "-wal", "-shm", "-journal"};
	char from[STORE_PATH_MAX + 64], to[STORE_PATH_MAX + 64];
	int n = 0;

	do {
		snprintf(name, size, STORE_FILE STORE_ASIDE "%012lld-%03d", (long long)wall, n);
		snprintf(to, sizeof(to), "%s/%s", dir, name);
	} while (access(to, F_OK) == 0 && n++ < 999);
	for (unsigned i = 0; i < sizeof(parts) / sizeof(parts[0]); i++) {
		snprintf(from, sizeof(from), "%s/" STORE_FILE "%s", dir, parts[i]);
		snprintf(to, sizeof(to), "%s/%s%s", dir, name, parts[i]);
		if (rename(from, to) != 0 && errno != ENOENT)
			return -errno;
	}
	keep_asides(dir, STORE_ASIDES_MAX);
	return 0;
}

bool store_drop_aside(const char *dir)
{
	for (int most = STORE_ASIDES_MAX - 1; most >= 0; most--)
		if (keep_asides(dir, most) > 0)
			return true;
	return false;
}
