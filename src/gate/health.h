/*
 * health.h: the findings as of now, and the health that follows: the worst of them.
 *
 * Each source looks again from time to time: health_begin(), a health_add() for each finding that stands,
 * health_end(): what was not said again is cured. Events are kept for HEALTH_EVENT_MS after they last happened.
 */
#ifndef GATE_HEALTH_H
#define GATE_HEALTH_H

#include <stdbool.h>
#include <stdint.h>

#include <sekisho/clock.h>
#include <sekisho/finding.h>
#include <sekisho/msg.h>

#define HEALTH_MAX 48
#define HEALTH_DETAIL 160
#define HEALTH_EVENT_MS (10 * 60 * 1000)
/* The same event again within this time is counted and not told again. */
#define HEALTH_REPEAT_MS 5000

enum health_source {
	SOURCE_POLICY,
	SOURCE_STORE,
	SOURCE_KERNEL, /* capabilities, foreign tables */
	SOURCE_PROOF,
	SOURCE_LEASE,
	SOURCE_CLOCK,
	SOURCE_NET,
	SOURCE_SYSCTL,
	SOURCE_LOG,
	SOURCE_CONNTRACK,
	SOURCE_INSPECTOR,
	SOURCE_MAIL,
	SOURCE_CUT, /* emergency cuts and the alert level */
	SOURCE_TLS,
	SOURCE_ALARM,
	SOURCE_WATCHED, /* what the drops add up to */
	SOURCE_DISK,
	SOURCE_EXPIRY,
	SOURCE_EVENT,
	SOURCES,
};

struct health_item {
	enum health_source source;
	enum finding finding;
	char detail[HEALTH_DETAIL];
	bool stale;
	struct mono last;
	struct mono told;
	uint32_t count;
};

struct health {
	struct health_item items[HEALTH_MAX];
	unsigned n;
	bool more; /* one did not fit */
};

enum health_news {
	HEALTH_NEW,   /* tell it */
	HEALTH_KNOWN, /* stands already, or was told a moment ago */
};

void health_begin(struct health *h, enum health_source s);
enum health_news health_add(struct health *h, enum health_source s, enum finding f, const char *detail);
/* Calls fn (may be NULL) for each finding of the source that no longer stands, and forgets it. */
typedef void health_cured_fn(void *arg, enum finding f, const char *detail);
void health_end(struct health *h, enum health_source s, health_cured_fn *fn, void *arg);
/* Forgets events that are old. */
void health_tick(struct health *h);

enum msg_health health_now(const struct health *h);
/* Worst first, newest first; texts are msgids with their detail behind (the reader translates).
 * Returns how many were written. */
uint32_t health_list(const struct health *h, struct msg_finding ret[MSG_FINDINGS_MAX]);

#endif
