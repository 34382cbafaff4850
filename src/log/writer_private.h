/*
 * writer_private.h: what the files of the writer share: writer.c (what is recorded, transactions), writer_store.c (the
 * store's life: opened, set aside, opened anew).
 */
#ifndef LOG_WRITER_PRIVATE_H
#define LOG_WRITER_PRIVATE_H

#include "writer.h"

#define FAULTS_MAX 64
#define COMMITS_MAX 16
#define DEEDS_MAX 64
/* The same trouble is told once in so many seconds. */
#define TELL_EVERY_S 60

enum trouble { TROUBLE_STORE, TROUBLE_LOSS, TROUBLE_GAP, TROUBLE_MALFORMED, TROUBLE_COUNTER, TROUBLE_QUEUE, TROUBLES };

/* The log-loss row of a reason that is still open. */
struct loss_window {
	uint64_t sequence, count;
	int64_t first_ns;
};

/* One transaction, fixed and not yet done. */
struct pending {
	bool there, close;
	struct agg_batch batch;
	struct msg_drop_row loss[2 * REASON_END]; /* lost and found */
	bool loss_fresh[2 * REASON_END];
	unsigned nloss;
	unsigned nfaults, ncommits, ndeeds; /* of the queues */
};

struct writer {
	struct writer_options options;
	char boot_id[40], dir[512];
	struct intake *intake;
	int64_t hold; /* see writer_hold() */
	struct names *names;
	struct store *store;
	struct account account, committed; /* as it is, and as the store has it */
	struct account_books books; /* to be recorded */
	uint64_t totals[REASON_END]; /* of intake_received() so far */
	struct pending pending;
	struct loss_window losses[REASON_END];
	struct msg_fault_row faults[FAULTS_MAX];
	unsigned nfaults;
	uint64_t faults_lost;
	struct msg_commit_row commits[COMMITS_MAX], last_commit;
	unsigned ncommits;
	struct store_deed deeds[DEEDS_MAX];
	unsigned ndeeds;
	uint32_t record; /* the highest number that was given */
	uint64_t record_row; /* where the newest entry of a record went */
	int64_t open_since_ns; /* 0: nothing is open */
	int64_t busy_since_ns; /* 0: not busy */
	unsigned io_failures;
	bool writable;
	uint64_t closings;
	uint64_t next; /* highest number that any store of this process gave, + 1 */
	int64_t told_ns[TROUBLES];
	struct intake_troubles troubles;
	uint64_t lost_told;
	struct store_sizes sizes;
};

/* A fault of our own, recorded with the next transaction. */
void writer_note(struct writer *w, uint32_t severity, const char *code, const char *text);
/* True when this trouble may be told (again). */
bool writer_tell(struct writer *w, enum trouble t);
/* The faults and commits of the pending transaction are in the store: out of the queues. */
void writer_drop_queued(struct writer *w);
/* Sees to it that there is a store. */
bool writer_ensure_store(struct writer *w);
/* Decides by what went wrong; true when it is worth trying again at once. */
bool writer_recover(struct writer *w, enum store_result r);

#endif
