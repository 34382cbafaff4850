/*
 * pace.h: when a mail may go: what comes in bursts becomes one mail, a storm becomes a few, a dead server is asked ever more
 * rarely. All times are milliseconds of the monotonic clock, so that a wall clock that jumps changes nothing.
 */
#ifndef ALARM_PACE_H
#define ALARM_PACE_H

#include <stdbool.h>
#include <stdint.h>

/* After the first notice: what comes with it goes into the same mail. */
#define PACE_GATHER_MS INT64_C(10000)
/* Between two mails, whatever happens. */
#define PACE_SPACING_MS INT64_C(60000)
/* So many may follow each other at that spacing; each comes back after PACE_REFILL_MS: 100 mails a day at most. */
#define PACE_BURST 4
#define PACE_REFILL_MS INT64_C(900000)
/* An operator's test waits for nothing but the last mail. */
#define PACE_TEST_MS INT64_C(5000)
/* After a mail that was not taken: 15 s, 30 s, ... */
#define PACE_RETRY_MS INT64_C(15000)
#define PACE_RETRY_MAX_MS INT64_C(600000)

struct pace {
	bool any;	   /* a mail was sent */
	int64_t sent;	   /* the last one */
	int64_t credit;	   /* milliseconds of refill that were spent and have not come back at `sent` */
	unsigned failures; /* in a row */
	int64_t failed, failing_since;
};

enum pace_kind {
	PACE_NOTICES,
	PACE_TEST,   /* an operator waits for it */
	PACE_REPORT, /* one a day: neither gathers nor counts */
};

/* When a mail may go whose first notice came at `since`. */
int64_t pace_when(const struct pace *p, enum pace_kind kind, int64_t since);
void pace_sent(struct pace *p, enum pace_kind kind, int64_t now);
void pace_failed(struct pace *p, int64_t now);
/* Another mail server, or an operator tries: not held back by former failures. */
void pace_again(struct pace *p);

#endif
