/*
 * sysread.c: reads lines and numbers of the kernel's own files (see sysread.h).
 *
 * Input: made by the kernel and its drivers, some of it copied from devices: bounded, one line, printable.
 */
#include "sysread.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#define PATH_SIZE 512

static bool read_line(char *ret, size_t size, const char *path)
{
	int fd = open(path, O_RDONLY | O_CLOEXEC | O_NONBLOCK);
	ssize_t n = fd >= 0 ? read(fd, ret, size - 1) : -1;

	if (fd >= 0)
		close(fd);
	if (n < 0)
		return false;
	ret[n] = '\0';
	ret[strcspn(ret, "\n")] = '\0';
	for (char *p = ret; *p != '\0'; p++)
		if ((unsigned char)*p < 0x20 || *p == 0x7f)
			*p = '?';
	return true;
}

bool sys_line(char *ret, size_t size, const char *fmt, ...)
{
	char path[PATH_SIZE];
	va_list ap;

	va_start(ap, fmt);
	int n = vsnprintf(path, sizeof(path), fmt, ap);
	va_end(ap);
	return n > 0 && n < PATH_SIZE && read_line(ret, size, path);
}

bool sys_number(int64_t *ret, const char *fmt, ...)
{
	char path[PATH_SIZE], text[32], *end;
	va_list ap;

	va_start(ap, fmt);
	int n = vsnprintf(path, sizeof(path), fmt, ap);
	va_end(ap);
	if (n <= 0 || n >= PATH_SIZE || !read_line(text, sizeof(text), path))
		return false;
	errno = 0;
	long long v = strtoll(text, &end, 10);
	if (end == text || errno != 0)
		return false;
	*ret = v;
	return true;
}

void sys_entries(const char *dir, sys_entry_fn *fn, void *arg)
{
	struct dirent **list;
	int n = scandir(dir, &list, NULL, alphasort);

	for (int i = 0; i < n; i++) {
		if (list[i]->d_name[0] != '.')
			fn(arg, list[i]->d_name);
		free(list[i]);
	}
	if (n >= 0)
		free(list);
}
