/*
 * alarms.h: what drops add up to: scans, floods, beacons, unknown machines; counters that can be explained, with thresholds
 * of the policy.
 *
 *	scan	 one source was refused at N different destinations and ports within M minutes
 *	flood	 N recorded refusals of one source within a minute
 *	beacon	 N attempts between two hosts on one port, at distances of 5 s to 2 h that differ by less than a fifth, to where
 *		 nothing may ever go; packets that repeat one attempt (same source port) count once
 *	machine	 a refused frame from a MAC address that the policy does not name, in a segment that names some
 *
 * An alarm begins when its number is reached and ends after ALARM_QUIET_S without more (a beacon: after three of its
 * distances). No I/O and no clock: events and times are handed in. Fixed memory; who was seen longest ago gives way.
 */
#ifndef LOG_ALARMS_H
#define LOG_ALARMS_H

#include <stdbool.h>
#include <stdint.h>

#include <sekisho/model.h>
#include <sekisho/msg.h>

struct alarms;

#define ALARM_QUIET_S 300
#define ALARM_SOURCES 1024
#define ALARM_BEACONS 512
#define ALARM_BEACON_MIN_S 5
#define ALARM_BEACON_MAX_S 7200

struct alarms *alarms_new(void); /* NULL without memory */
void alarms_free(struct alarms *a); /* NULL is allowed */
/* The thresholds of the policy in force; what stands goes on by them. */
void alarms_thresholds(struct alarms *a, const struct alarm_thresholds *t);

/* Refusals with the same ends. Texts live only during the call. */
struct alarm_event {
	uint8_t src[16], dst[16], mac[6];
	uint8_t family, proto;
	uint16_t sport, dport; /* sport: of the last */
	bool forbidden;	       /* nothing may ever go this way */
	bool unknown_mac;
	uint64_t count;	       /* since the last time */
	int64_t at;	       /* wall seconds of the last */
	const char *host;      /* name of the source, "" */
	const char *segment, *to;
};
void alarms_add(struct alarms *a, const struct alarm_event *e);

/* Ends what is quiet. */
void alarms_tick(struct alarms *a, int64_t now);

/* All that stand. True when they differ from those of the call before. */
bool alarms_state(struct alarms *a, struct msg_alarms *ret);

#endif
