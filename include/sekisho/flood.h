/*
 * flood.h: too many mails in a minute. Two thresholds for each direction, and two for each sender in it: beyond the first a
 * mail is put off (451, the client tries again by itself), beyond the second mail is stopped (421) until someone resumes it.
 *
 * Pure: times come in (milliseconds of one monotonic clock), fixed memory, no allocation. A minute is the last full one,
 * weighed by how much of it still counts, and the running one. What was put off counts as well: who goes on as fast as before
 * reaches the second threshold. The null sender is counted in its direction only.
 *
 * Senders are told apart by a keyed hash in sets of four; a new one takes the place of the one that was longest silent. A
 * stopped sender stays so, by name; when FLOOD_STOPPED of them are, the next one stops the direction: that is no single
 * sender's flood.
 */
#ifndef SEKISHO_FLOOD_H
#define SEKISHO_FLOOD_H

#include <stdbool.h>
#include <stdint.h>

#include <sekisho/mail_reason.h>

struct ir_mail;

#define FLOOD_SETS 1024u /* of four: senders that are active at once; a town has some hundred */
#define FLOOD_WAYS 4u
#define FLOOD_STOPPED 64u
#define FLOOD_SENDER 256u

/* Mails in a minute. */
struct flood_count {
	int64_t minute; /* which one `now` counts */
	int64_t told;	/* in which FLOOD_SLOWED or FLOOD_SENDER_SLOWED was said */
	uint32_t before, now;
};

struct flood_sender {
	uint64_t hash; /* 0 = free */
	struct flood_count count;
};

/* One direction. Callers read, and write only by the functions. */
struct flood {
	uint64_t key[2];
	uint32_t slow, stop, sender_slow, sender_stop; /* mails a minute, 0 = no limit */
	struct flood_count count;
	bool stopped;	/* the direction */
	uint32_t nstopped;
	char stopped_sender[FLOOD_STOPPED][FLOOD_SENDER];
	struct flood_sender sender[FLOOD_SETS][FLOOD_WAYS];
};

/* What has just happened, for the record; at most one a call. */
enum flood_event {
	FLOOD_CALM,
	FLOOD_SLOWED,	      /* the direction passed its first threshold in this minute */
	FLOOD_SENDER_SLOWED,
	FLOOD_STOPPED_NOW,    /* the direction is stopped from now on */
	FLOOD_SENDER_STOPPED, /* the sender is */
};

/* `key` is random. All counters are zero, nothing is stopped. */
void flood_begin(struct flood *f, const uint64_t key[2]);

/* Another policy: counters and what is stopped stay. m may be NULL: no limit. */
void flood_limits(struct flood *f, const struct ir_mail *m);

/*
 * One more mail (MAIL FROM) of this sender ("" = null). MAIL_REASON_NONE, _FLOOD_SLOW or _FLOOD_STOPPED; *ret_event: what
 * changed.
 */
enum mail_reason flood_mail(struct flood *f, int64_t now, const char *sender, enum flood_event *ret_event);

/* Someone resumes: the direction, or one sender ("" = everything). Counting begins anew. False when it was not stopped. */
bool flood_resume(struct flood *f, const char *sender);

/* As when it was stopped: for a program that starts again and was told what its predecessor had stopped ("" = direction). */
void flood_stop(struct flood *f, const char *sender);

/* Mails of the direction in the last minute. */
uint32_t flood_rate(const struct flood *f, int64_t now);

#endif
