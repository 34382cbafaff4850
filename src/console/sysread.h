/*
 * sysread.h: what the kernel shows of the machine under /proc and /sys.
 */
#ifndef CONSOLE_SYSREAD_H
#define CONSOLE_SYSREAD_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* The first line of a file, without its end, control characters as "?". False when it cannot be read. */
bool sys_line(char *ret, size_t size, const char *fmt, ...) __attribute__((format(printf, 3, 4)));
/* A decimal number that a file holds. */
bool sys_number(int64_t *ret, const char *fmt, ...) __attribute__((format(printf, 2, 3)));

/* Calls fn with each entry of a directory, in order of names, but for those that begin with a dot. */
typedef void sys_entry_fn(void *arg, const char *name);
void sys_entries(const char *dir, sys_entry_fn *fn, void *arg);

#endif
