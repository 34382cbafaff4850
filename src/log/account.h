/*
 * account.h: the equation. Per reason: drops that the kernel counted = drops stored + log-loss.
 *
 * The kernel's counters come once a second as absolute numbers since an epoch (the making of the table). Events
 * travel for a while, so a snapshot of the counters is compared only when it has settled: SETTLE after it came,
 * and after each NFLOG socket was seen empty since then. What is still missing was lost (in the kernel's buffers,
 * by the limiter before the log, or with a process that was killed) and is booked as log-loss.
 *
 * Pure arithmetic: no I/O, no clock of its own.
 */
#ifndef LOG_ACCOUNT_H
#define LOG_ACCOUNT_H

#include <stdbool.h>
#include <stdint.h>

#include <sekisho/msg.h>
#include <sekisho/reason.h>

/* The kernel holds events back for at most 100 ms; ten times that also covers a stalled machine. */
#define ACCOUNT_SETTLE_NS 1000000000

struct account {
	uint64_t epoch; /* 0: not known yet */
	/* All since the epoch, per reason: */
	uint64_t stored[REASON_END];   /* committed to the store */
	uint64_t received[REASON_END]; /* stored, or still to be */
	uint64_t loss[REASON_END];     /* booked as log-loss, less what was found again */
	uint64_t kernel[REASON_END];   /* newest snapshot */
	/* Events that the limiter kept from the log: by the newest snapshot, and when `lost_total` began to count. */
	uint64_t limited, limited_base;
	uint64_t lost_total; /* booked by this process */
	/* The snapshot that settles, and what had come when the newest arrived. */
	bool pending;
	int64_t pending_ns;
	uint64_t pending_kernel[REASON_END];
	uint32_t snapshots; /* of this epoch, seen by this process */
	uint64_t received_before[REASON_END];
};

/* `stored`, `loss`, `kernel`, `limited` and `epoch` were read from the store: goes on from there. */
void account_resume(struct account *a);

/* What a step wants recorded. */
struct account_books {
	uint64_t lost[REASON_END];  /* rows MSG_LOSS_LOST */
	uint64_t found[REASON_END]; /* rows MSG_LOSS_FOUND */
	uint64_t epoch_moved;	    /* 1: another table than before */
	uint64_t went_back;	    /* packets by which counters fell below what was seen: somebody reset them */
};

/* n more events of a reason came from the kernel. */
void account_receive(struct account *a, unsigned reason, uint64_t n);

/* n of them are committed. */
void account_store(struct account *a, unsigned reason, uint64_t n);

/*
 * A snapshot came. Call account_receive() for all that was read until now first. *books is added to: losses of
 * an epoch that ended, and corrections.
 */
void account_snapshot(struct account *a, const struct msg_counters *m, int64_t now_ns,
	struct account_books *books);

/*
 * Compares the pending snapshot if it has settled. empty_ns: the oldest of the times at which each NFLOG socket was
 * last seen empty (taken before account_receive() was brought up to date). True when a comparison was made.
 */
bool account_settle(struct account *a, int64_t now_ns, int64_t empty_ns, struct account_books *books);

/* Another boot: the table of the old one is gone. Its missing drops (by the last snapshot) are booked. */
void account_new_boot(struct account *a, struct account_books *books);

/* The store was replaced by an empty one: what was in it counts as not stored (and is booked when it settles). */
void account_new_store(struct account *a);

/* Drops that the kernel counted and nobody has accounted for yet, by the newest snapshot. */
uint64_t account_open(const struct account *a);

#endif
