/*
 * account.c: kernel counter = stored + log-loss, per reason (see account.h).
 *
 * Input: counters from sekishod (checked by the message layer), event counts of our own.
 * Rule: a snapshot C taken at time t is compared with everything received until a later time; what came after t only
 * makes the shortage smaller, so nothing is ever booked as lost that may still come, unless the kernel holds an
 * event back for longer than ACCOUNT_SETTLE_NS. Then the surplus shows in the next snapshot and is booked as found.
 */
#include "account.h"

#include <string.h>

/* In its first snapshots an epoch may still see events of the table before it. */
#define EPOCH_GRACE 3

static uint64_t min_u64(uint64_t a, uint64_t b)
{
	return a < b ? a : b;
}

static uint64_t over(uint64_t a, uint64_t b)
{
	return a > b ? a - b : 0;
}

void account_resume(struct account *a)
{
	memcpy(a->received, a->stored, sizeof(a->received));
	memcpy(a->received_before, a->stored, sizeof(a->received_before));
	a->limited_base = a->limited;
}

void account_receive(struct account *a, unsigned reason, uint64_t n)
{
	a->received[reason] += n;
}

void account_store(struct account *a, unsigned reason, uint64_t n)
{
	a->stored[reason] += n;
}

static void book_lost(struct account *a, unsigned reason, uint64_t n, struct account_books *books)
{
	a->loss[reason] += n;
	a->lost_total += n;
	books->lost[reason] += n;
}

/*
 * The old table is gone. What came since its last snapshot may belong to it (as far as it is missing there) or to the
 * new one (the rest); what is missing then is lost.
 */
static void end_epoch(struct account *a, struct account_books *books)
{
	for (unsigned r = 1; r < REASON_END; r++) {
		uint64_t since = over(a->received[r], a->received_before[r]);
		uint64_t known = a->received[r] - since + a->loss[r];
		uint64_t missing = over(a->kernel[r], known);
		uint64_t taken = min_u64(missing, since);

		book_lost(a, r, missing - taken, books);
		/* Received and not stored yet stays ahead of stored by the same amount. */
		uint64_t unstored = over(a->received[r], a->stored[r]);
		a->received[r] = since - taken;
		a->stored[r] = over(a->received[r], unstored);
		a->loss[r] = 0;
		a->kernel[r] = 0;
	}
	a->pending = false;
	a->snapshots = 0;
	a->limited = a->limited_base = 0;
	a->lost_total = 0;
	memset(a->received_before, 0, sizeof(a->received_before));
}

/* More was received and booked than the kernel has counted by a later snapshot. */
static void take_back(struct account *a, unsigned reason, uint64_t kernel, struct account_books *books)
{
	uint64_t excess = over(a->received_before[reason] + a->loss[reason], kernel);
	uint64_t found = min_u64(excess, a->loss[reason]);

	a->loss[reason] -= found;
	books->found[reason] += found;
	excess -= found;
	/* Events of the table before, or the counter itself fell: it is counted from its new beginning. */
	a->received[reason] = over(a->received[reason], excess);
	a->stored[reason] = over(a->stored[reason], excess);
	if (a->snapshots > EPOCH_GRACE)
		books->went_back += excess;
}

static uint64_t sum_limited(const struct msg_counters *m)
{
	uint64_t sum = 0;

	for (size_t i = 0; i < sizeof(m->limited) / sizeof(m->limited[0]); i++)
		sum += m->limited[i];
	return sum;
}

void account_snapshot(struct account *a, const struct msg_counters *m, int64_t now_ns, struct account_books *books)
{
	if (a->epoch != m->epoch) {
		if (a->epoch != 0) {
			end_epoch(a, books);
			books->epoch_moved = 1;
		}
		a->epoch = m->epoch;
	}
	for (unsigned r = 1; r < REASON_END; r++)
		take_back(a, r, m->packets[r], books);
	a->limited = sum_limited(m);
	a->snapshots++;
	memcpy(a->kernel, m->packets, sizeof(a->kernel));
	memcpy(a->received_before, a->received, sizeof(a->received_before));
	if (!a->pending) {
		a->pending = true;
		a->pending_ns = now_ns;
		memcpy(a->pending_kernel, m->packets, sizeof(a->pending_kernel));
	}
}

bool account_settle(struct account *a, int64_t now_ns, int64_t empty_ns, struct account_books *books)
{
	if (!a->pending || now_ns < a->pending_ns + ACCOUNT_SETTLE_NS ||
	    empty_ns < a->pending_ns + ACCOUNT_SETTLE_NS)
		return false;
	for (unsigned r = 1; r < REASON_END; r++)
		book_lost(a, r, over(a->pending_kernel[r], a->received[r] + a->loss[r]), books);
	a->pending = false;
	return true;
}

void account_new_boot(struct account *a, struct account_books *books)
{
	end_epoch(a, books);
	memset(a->stored, 0, sizeof(a->stored));
	memset(a->received, 0, sizeof(a->received));
	a->epoch = 0;
}

void account_new_store(struct account *a)
{
	for (unsigned r = 0; r < REASON_END; r++) {
		a->received[r] = over(a->received[r], a->stored[r]);
		a->received_before[r] = over(a->received_before[r], a->stored[r]);
		a->stored[r] = 0;
		a->loss[r] = 0;
	}
	/* All of the epoch is booked again. */
	a->limited_base = 0;
	a->lost_total = 0;
}

uint64_t account_open(const struct account *a)
{
	uint64_t sum = 0;

	for (unsigned r = 1; r < REASON_END; r++)
		sum += over(a->kernel[r], a->stored[r] + a->loss[r]);
	return sum;
}
