/*
 * alarm.h: what sekisho-alarm knows and decides, without I/O: messages in, mails and questions out.
 *
 *	events of sekishod --\
 *	news of sekisho-logd --> queue --pace--> a letter --> sender; kept until the mail server has it
 *	report that is due  --> digest of sekisho-logd --/
 *
 * One letter is under way at a time; it is made once and tried with the same bytes until it was taken. What came meanwhile
 * waits in the queue, bounded. What was mailed is told in the status by its numbers; whatever is behind them is given again
 * to the next life of this process.
 */
#ifndef ALARM_ALARM_H
#define ALARM_ALARM_H

#include <stdbool.h>
#include <stdint.h>

#include <sekisho/buf.h>
#include <sekisho/msg.h>

#include "pace.h"
#include "queue.h"
#include "standing.h"

struct alarm_io {
	/* Sends a letter; alarm_ended() tells how it went. False: not now. */
	bool (*send)(void *arg, const struct msg_alarm_settings *s, const char *text, size_t n);
	/* Asks sekisho-logd; false: not now. */
	bool (*ask)(void *arg, const struct msg_alarm_ask *q);
};

struct alarm {
	const struct alarm_io *io;
	void *arg;
	bool have_settings, have_health;
	struct msg_alarm_settings settings;
	struct msg_alarm_health health;
	struct msg_alarm_report report; /* day 0: none is due */
	struct queue queue;
	struct pace pace;
	struct standing standing;
	int64_t since; /* when the first notice of the queue came */
	uint64_t seen[SOURCES];
	bool know_numbers;
	struct { /* made, and not taken yet */
		struct buf text; /* empty: none */
		enum pace_kind kind;
		uint32_t day;
		uint64_t count, lowest[SOURCES];
		bool sending;
	} letter;
	struct { /* of sekisho-logd */
		bool asked;
		int64_t at;
	} news;
	struct {
		uint32_t day; /* that is asked about, 0: none */
		bool have;
		int64_t first, at; /* asked first, and last */
		struct msg_alarm_digest digest;
	} digest;
	uint64_t sent;
	int64_t last_sent;
	uint32_t reported;
	char error[160];
};

void alarm_init(struct alarm *a, const struct alarm_io *io, void *arg);
void alarm_free(struct alarm *a);

void alarm_settings(struct alarm *a, const struct msg_alarm_settings *s);
void alarm_health(struct alarm *a, const struct msg_alarm_health *h);
void alarm_event(struct alarm *a, const struct msg_alarm_event *e);
void alarm_report(struct alarm *a, const struct msg_alarm_report *r);
void alarm_news(struct alarm *a, const struct msg_alarm_news *n);
void alarm_done(struct alarm *a, const struct msg_alarm_done *d);
void alarm_digest(struct alarm *a, const struct msg_alarm_digest *d);
/* How the letter fared: taken for so many recipients, or why not. */
void alarm_ended(struct alarm *a, uint32_t taken, const char *error);
/* Twice a second: what is due by the clocks. */
void alarm_tick(struct alarm *a);
void alarm_status(const struct alarm *a, struct msg_alarm_status *ret);

#endif
