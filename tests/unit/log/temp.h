/* temp.h: a directory for one test, removed at its end. */
#ifndef TEST_TEMP_H
#define TEST_TEMP_H

#include <ftw.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/stat.h>

static char temp_dir[64];

static inline int temp_unlink(const char *path, const struct stat *st, int flag, struct FTW *f)
{
	(void)st;
	(void)flag;
	(void)f;
	return remove(path);
}

static inline void temp_end(void)
{
	if (temp_dir[0] != '\0')
		nftw(temp_dir, temp_unlink, 8, FTW_DEPTH | FTW_PHYS);
	temp_dir[0] = '\0';
}

static inline const char *temp_begin(void)
{
	temp_end();
	snprintf(temp_dir, sizeof(temp_dir), "/tmp/sekisho-test-XXXXXX");
	if (mkdtemp(temp_dir) == NULL)
		abort();
	return temp_dir;
}

#endif
