/*
 * sidefile.c: chained files beside the store that could not be used (see sidefile.h).
 *
 * Input: a path in our own directory. Failure: nothing is begun in the place of what could not be set aside.
 */
#include "sidefile.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>

#include <sqlite3.h>

#include <sekisho/clock.h>

bool sidefile_damaged(int rc)
{
	switch (rc & 0xff) {
	case SQLITE_CORRUPT:
	case SQLITE_NOTADB:
	case SQLITE_ERROR:
	case SQLITE_FORMAT:
	case SQLITE_SCHEMA:
		return true;
	default:
		return false;
	}
}

bool sidefile_set_aside(const char *path, const char *what, char *note, size_t size)
{
	static const char *const ends[] = {"", "-wal", "-shm"};
	const char *slash = strrchr(path, '/');
	char from[540], to[600];
	long long now = (long long)clock_wall().sec;

	for (unsigned i = 0; i < sizeof(ends) / sizeof(ends[0]); i++) {
		snprintf(from, sizeof(from), "%s%s", path, ends[i]);
		snprintf(to, sizeof(to), "%s.set-aside-%lld%s", path, now, ends[i]);
		if (rename(from, to) != 0 && errno != ENOENT)
			return false;
	}
	snprintf(note, size, "%s was damaged: set aside as %s.set-aside-%lld", what, slash != NULL ? slash + 1 : path, now);
	return true;
}
