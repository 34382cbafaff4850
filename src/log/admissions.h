/*
 * admissions.h: the file of what passed: rows for connections that ended, and sums for each rule.
 *
 * A file of its own beside the records of drops (admissions.db), with a share of the disk of its own: a flood
 * of allowed connections cannot take a drop's place. Rows are numbered without gaps and each one's hash
 * covers the one before (chain.h). What still counts is kept in the side table `open`, so that a killed
 * process loses two seconds at most; sums are brought up to date in the same transaction. Used by one thread.
 *
 * Space: the oldest rows go when the file has reached its limit; the newest removed one's hash is kept. Sums
 * stay.
 */
#ifndef LOG_ADMISSIONS_H
#define LOG_ADMISSIONS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include <sekisho/msg.h>

struct admissions;

/* Bytes of the file: some half a million rows. */
#define ADMISSIONS_SPACE (128u << 20)

/*
 * Opens or makes DIR/admissions.db; what was left open becomes rows. A damaged one is renamed and a new one begun (note, at
 * least 128 bytes, says so, else ""). NULL when the disk refuses: try again later.
 */
struct admissions *admissions_open(const char *dir, uint64_t space, char *note, size_t note_size);
void admissions_close(struct admissions *a); /* NULL is allowed */

/* One transaction; errors are remembered and admissions_commit() tells. */
void admissions_begin(struct admissions *a);
/* A row that still counts, under the number of its place. */
void admissions_put_open(struct admissions *a, uint32_t place, const struct msg_admission_row *row);
/* Nothing counts any more: these rows take the place of all that were open. */
void admissions_clear_open(struct admissions *a);
void admissions_put(struct admissions *a, const struct msg_admission_row *row);
/* Adds to the sums of a rule; `row` holds what came since the last time. */
void admissions_add(struct admissions *a, const struct msg_admission_row *row);
/* True: durable. False: nothing of it happened; a full file has given up its oldest rows meanwhile: try again. */
bool admissions_commit(struct admissions *a);

/* Up to n rows with a number below `before` (0: of all), newest first. How many, < 0 when the file cannot be read. */
int admissions_read(struct admissions *a, uint64_t before, unsigned n, struct msg_admission_row *ret);
/* The sums of the rule whose name follows `after` ("" = the first one). 1, 0 at the end, < 0. */
int admissions_rule(struct admissions *a, const char *after, struct msg_rule_row *ret);
/* Checks every hash; *ret_rows how many. False: the row that breaks the chain is in *ret_bad. */
bool admissions_verify(struct admissions *a, uint64_t *ret_rows, uint64_t *ret_bad);

#endif
