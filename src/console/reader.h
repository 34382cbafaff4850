/*
 * reader.h: foreign bytes are read in a child that may do nothing but that: `sekisho classify`, `sekisho watch`.
 *
 * The parent opens the files that the user named and hands them down one by one; the child, in the jail of JAIL_READER,
 * reads them and writes its answer to standard output.
 */
#ifndef CONSOLE_READER_H
#define CONSOLE_READER_H

#include "console.h"

struct reader_files;

/* In the jail. Returns the exit code. */
typedef int reader_fn(struct console *c, struct reader_files *files, void *arg);

/* The next file, or -1 behind the last one; *ret_name: its name. What cannot be opened the parent says and skips. */
int reader_next(struct reader_files *f, const char **ret_name);
size_t reader_count(const struct reader_files *f);

/* Runs fn in the jail over the named files. Returns its exit code; CONSOLE_ENV when a file could not be opened. */
int reader_run(struct console *c, char *const *names, size_t n, reader_fn *fn, void *arg);

#endif
