/*
 * logquery.h: asking sekisho-logd for records.
 */
#ifndef CONSOLE_LOGQUERY_H
#define CONSOLE_LOGQUERY_H

#include <sekisho/msg.h>

#include <stdbool.h>

struct args;
struct console;

/*
 * Fills the members of q that --since, --until, --limit and --all of the command line name. False with a
 * message printed for a bad value.
 */
bool log_query_args(const struct args *a, struct msg_query *q);

/* Takes one row; false ends the query (nobody reads any more). */
typedef bool log_row_fn(void *arg, const struct msg *row);

/*
 * Sends q and hands each row of type `want` to fn, up to MSG_END, which goes to *ret_end. Returns an exit code;
 * a failure has its message printed. With q->follow it ends only when fn says so or logd goes away.
 */
int log_query(struct console *c, const struct msg_query *q, enum msg_type want, log_row_fn *fn, void *arg,
	struct msg_end *ret_end);

/* "11-20 10:00:03" of a wall time, or "-" for 0; buf: 32 bytes. */
const char *log_time_short(int64_t sec, char *buf);
/* "2026-11-20 10:00:03"; "-" for 0; buf: 32 bytes. */
const char *log_time_long(int64_t sec, char *buf);
/* "2026-11-20T10:00:03+0900", or NULL for 0; buf: CLOCK_TEXT_MAX. */
const char *log_time(int64_t sec, char *buf);

#endif
