/*
 * learn.h: a table of traffic that outlives the command: `sekisho watch --learn DAYS --save FILE`.
 */
#ifndef CONSOLE_LEARN_H
#define CONSOLE_LEARN_H

#include "traffic.h"

/*
 * Reads what an earlier run saved into an empty table. *ret_since: when learning began (wall seconds), unchanged for an
 * empty file. Returns the number of the line that is wrong, 0 when all is well, -errno when the file cannot be read.
 */
int learn_load(int fd, struct traffic *t, int64_t *ret_since);

/* Writes the table over the file. 0 or -errno; the file holds either table when power fails only if it is saved again. */
int learn_save(int fd, const struct traffic *t, int64_t since);

#endif
