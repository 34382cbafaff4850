/*
 * sidefile.h: what the chained files beside the store share (the mail ledger, what passed): a file that cannot be used is
 * kept, and a new one begun.
 */
#ifndef LOG_SIDEFILE_H
#define LOG_SIDEFILE_H

#include <stdbool.h>
#include <stddef.h>

/* Does this SQLite result say that the file itself is damaged, and not that it cannot be had at the moment? */
bool sidefile_damaged(int rc);

/*
 * Renames the file with its log and index to "….set-aside-SECONDS". True with the sentence in note, which begins with what
 * it was ("the mail ledger"); false when it could not be renamed. Closed before by the caller.
 */
bool sidefile_set_aside(const char *path, const char *what, char *note, size_t size);

#endif
