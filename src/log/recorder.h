/*
 * recorder.h: the thread that owns the store: transactions, queries, names.
 *
 * The main thread reads NFLOG, talks to sekishod and init and never touches the disk; what it has for the record goes
 * through here. A disk that hangs holds up this thread alone.
 */
#ifndef LOG_RECORDER_H
#define LOG_RECORDER_H

#include <stdbool.h>
#include <stdint.h>

#include <sekisho/msg.h>

#include "writer.h"

struct recorder;

/*
 * Starts the thread. 0 or -errno. in and passing (may be NULL) outlive it. sockets: where who asks is answered; NULL:
 * nobody asks.
 */
struct passing;
struct recorder_sockets {
	int mail;  /* sekisho-maild: entries of the ledger */
	int alarm; /* sekisho-alarm: news and digests */
};
int recorder_start(struct recorder **ret, const struct writer_options *o, struct intake *in, struct passing *passing,
	const struct recorder_sockets *sockets);

/* A last transaction, then the end. NULL is allowed. */
void recorder_stop(struct recorder *r);

/*
 * Hands a message on (GENERATION, LINKS, COUNTERS, FAULT, WORK, LOGIN, CLIENT, MAIL_ENTRY, MAIL_OUTCOME, MAIL_ASK, ALARM_ASK);
 * its descriptors are taken over. Never waits: what finds the queue full (a disk that hangs for minutes) is let go, faults are
 * counted.
 */
void recorder_give(struct recorder *r, struct msg *m);

/* The alarms that stand; true when they changed since the last call. */
bool recorder_alarms(struct recorder *r, struct msg_alarms *ret);

/* How it stands; false before the first tick. writable is 0 also when no tick has ended for RECORDER_HUNG_S. */
#define RECORDER_HUNG_S 5
bool recorder_status(struct recorder *r, struct msg_log_status *ret);

#endif
