/*
 * writer.h: once a second, everything that was counted goes into the store in one transaction.
 *
 * What a transaction holds is fixed before it is tried and kept until it succeeded, so that a store that is full, slow,
 * damaged or away delays records and never drops them; meanwhile the aggregators go on counting in their fixed
 * memory. Used by one thread.
 */
#ifndef LOG_WRITER_H
#define LOG_WRITER_H

#include "account.h"
#include "intake.h"
#include "names.h"
#include "store.h"

struct writer;

/* A window is closed before it is this old. */
#define WRITER_WINDOW_S 60

struct writer_options {
	struct store_options store;
	const char *boot_id; /* copied */
	unsigned window_s;   /* WRITER_WINDOW_S; tests take less */
	/* Told of all that is taken from the aggregators, once a second; NULL: nobody. */
	void (*seen)(void *arg, const struct agg_item *items, size_t n);
	void *seen_arg;
};

/* intake and names stay the caller's and outlive it. NULL without memory. Opens no file yet: the first tick does. */
struct writer *writer_new(const struct writer_options *o, struct intake *in, struct names *names);
void writer_free(struct writer *w);

/* The kernel's counters; arrived_ns: clock_mono() when the message came. */
void writer_counters(struct writer *w, const struct msg_counters *m, int64_t arrived_ns);
/* A fault or notice to be recorded at the next tick. */
void writer_fault(struct writer *w, const struct msg_fault *m);
/* A generation came into force; recorded unless the newest commit row is the same. */
void writer_commit(struct writer *w, const struct msg_generation *m);

/* Somebody did something, or came or went. */
void writer_work(struct writer *w, const struct msg_work *m);
void writer_login(struct writer *w, const struct msg_login *m);
/*
 * An entry of a record, written by `who` (a connection that sekishod gave the right): stored at once. True: it is on the disk,
 * *ret_number and *ret_sequence say where. Else *ret_error is a sentence (msgid).
 */
bool writer_record(struct writer *w, const struct msg_client *who, const struct msg_record *m, uint32_t *ret_number,
	uint64_t *ret_sequence, const char **ret_error);

/* Does what is due. True when the store changed. */
bool writer_tick(struct writer *w);

/* Rows from this moment on (wall seconds; 0: none) are kept while there is room for others. */
void writer_hold(struct writer *w, int64_t since);

/* What sekishod is told. */
void writer_status(struct writer *w, struct msg_log_status *ret);

/* For queries between ticks; NULL while there is none. A new pointer after trouble: never keep it. */
struct store *writer_store(struct writer *w);
/* Goes up each time that open rows were closed into the chain. */
uint64_t writer_closings(const struct writer *w);

#endif
