/*
 * report.h: on which day a daily report is due, by the wall clock of the policy's zone, which may jump.
 *
 * What was reported is kept as days, not as a moment: a day has one report, whatever the clock did in between, and a clock that
 * was in another year for a while holds nothing up.
 */
#ifndef GATE_REPORT_H
#define GATE_REPORT_H

#include <stdbool.h>
#include <stdint.h>

#include <sekisho/clock.h>
#include <sekisho/msg.h>

#define REPORT_DAYS 8

struct report_days {
	uint32_t day[REPORT_DAYS]; /* 20261120: those that had a report, or needed none; newest first, 0 behind */
	uint32_t pad;
	int64_t until; /* wall seconds: how far the last one went */
};

/* Reports are wanted from now on: a time of today that is past already is none that was missed. */
void report_begin(struct report_days *d, struct wall now, uint32_t minute);
/* Is one due that has its time at `minute` of each day? Then what it is about. */
bool report_due(const struct report_days *d, struct wall now, uint32_t minute, struct msg_alarm_report *ret);
/* The mail server has it. */
void report_done(struct report_days *d, const struct msg_alarm_report *r);

#endif
