/*
 * shell_filter.h: `| match …`: which lines of a command's output are shown.
 */
#ifndef CONSOLE_SHELL_FILTER_H
#define CONSOLE_SHELL_FILTER_H

#include "shell_line.h"

#include <stdint.h>

#define FILTER_LAST_MAX 10000
#define FILTER_LAST_BYTES (8u << 20) /* what `last` holds at most */

struct filter_word {
	const char *word;
	const char *value; /* N_(); NULL = none */
	const char *help;  /* N_() */
};
extern const struct filter_word filter_words[]; /* the last has word NULL */

struct filters;
typedef void filter_sink(void *arg, const char *line);

/* The pipes of a line. NULL with the message in `error` when they cannot be understood. */
struct filters *filters_new(const struct line *l, struct buf *error);
void filters_free(struct filters *f);

/* Is `| json` among them? `| no-more`? */
bool filters_json(const struct filters *f);
bool filters_no_more(const struct filters *f);

/* One line of output, without its end; what passes goes to the sink. At the end filters_end() gives what was
 * held back. */
void filters_line(struct filters *f, const char *line, filter_sink *sink, void *arg);
void filters_end(struct filters *f, filter_sink *sink, void *arg);

#endif
