/* alarm.h: what sekishod tells sekisho-alarm, and what it keeps for it (alarm.c). */
#ifndef GATE_ALARM_H
#define GATE_ALARM_H

#include <stdbool.h>
#include <stdint.h>

#include <sekisho/clock.h>
#include <sekisho/finding.h>
#include <sekisho/msg.h>

#include "report.h"

struct client;
struct gate;
struct generation;

/* Events that were not mailed yet: what a sekisho-alarm that is started again is given. */
#define ALARM_RING 64

/* On the disk: what is not told again after a restart. */
struct alarm_saved {
	struct report_days days;
	uint64_t ledger, faults; /* numbers of sekisho-logd, mailed up to there */
	uint32_t know_numbers, pad;
};

struct gate_alarm {
	int fd;	       /* to sekisho-alarm, -1: none */
	uint64_t life; /* ours */
	uint32_t tag;  /* its life; 0: it was not heard yet */
	struct mono heard, tested;
	struct msg_alarm_settings settings;
	struct msg_alarm_hops hops;
	struct msg_alarm_health health;
	struct msg_alarm_report report; /* that is due; day 0: none */
	bool settings_due, hops_due, health_due, report_due;
	uint32_t minute; /* of the daily report, IR_NONE */
	struct msg_alarm_event ring[ALARM_RING]; /* by number */
	uint64_t newest, told, sent; /* numbers: the newest event, mailed, given to this sekisho-alarm */
	struct msg_alarm_status status; /* the last */
	bool have_status;
	struct alarm_saved saved;
	bool changed; /* since it was written */
	struct mono written;
};

/* fd: the pair, -1 without an init. After the store was opened. 0 or -errno. */
int gate_alarm_start(struct gate *g, int fd);
/* The kernel has this generation. */
void gate_alarm_enforce(struct gate *g, const struct generation *gen);
/* A finding begins, is cured, or happened (enum msg_notice_kind); detail: what it is about. */
void gate_alarm_event(struct gate *g, uint32_t kind, enum finding f, const char *detail);
/* sekisho-connect was started again. */
void gate_alarm_renew(struct gate *g, const char *name);
/* Each second: what could not be said before, what changed, the daily report, findings. */
void gate_alarm_tick(struct gate *g);
/* MSG_VERB_ALARM_TEST. */
void gate_alarm_test(struct gate *g, struct client *c);
/* In order: what is to be kept is written. */
void gate_alarm_stop(struct gate *g);

#endif
