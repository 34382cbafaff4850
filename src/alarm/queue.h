/*
 * queue.h: what has to be mailed and was not yet: bounded, like with like, nothing forgotten without being counted.
 *
 * A notice has a number in its source (an event of sekishod, a row of the mail ledger, a record). queue_told() says up to
 * which number of a source everything was mailed: whoever holds the source gives the rest again to the next life of
 * this process. Times are the wall's, for the reader of the mail; nothing here depends on them.
 */
#ifndef ALARM_QUEUE_H
#define ALARM_QUEUE_H

#include <stdbool.h>
#include <stdint.h>

#include <sekisho/msg.h>

enum source { SOURCE_EVENTS, SOURCE_LEDGER, SOURCE_FAULTS, SOURCES };

/* Lines of one mail: more are not read. */
#define QUEUE_MAX 48u

struct notice {
	enum source source;
	enum msg_notice_kind kind;
	enum msg_health health;
	uint32_t count;	 /* how often the same came */
	uint64_t number; /* of the first, 0: nobody gives it again */
	int64_t first, last;
	char code[32], text[256];
	char receipt[40];
};

struct queue {
	struct notice notice[QUEUE_MAX]; /* in the order in which they came */
	unsigned n;
	uint64_t merged; /* notices that had no place: only counted */
	uint64_t merged_number[SOURCES]; /* the lowest number among them, 0: none */
};

/* Takes a notice; the same again is counted with the first. Full: the oldest of the least grave gives way. */
void queue_put(struct queue *q, const struct notice *n);
/* So many of a source were lost before they came here. number: the first of them. */
void queue_lost(struct queue *q, enum source s, uint64_t number, uint64_t count);
bool queue_empty(const struct queue *q);
enum msg_health queue_health(const struct queue *q); /* the gravest */
bool queue_has(const struct queue *q, enum msg_notice_kind kind);
/* Notices, those that are merged included. */
uint64_t queue_count(const struct queue *q);
/* The lowest number of a source that waits here; UINT64_MAX: none. */
uint64_t queue_lowest(const struct queue *q, enum source s);
/* Events have another numbering now: nobody gives the old ones again. */
void queue_forget_numbers(struct queue *q, enum source s);

#endif
