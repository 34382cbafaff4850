/*
 * alarms.c: what drops add up to (see alarms.h).
 *
 * Input: events whose addresses were chosen by hosts, so that hashes are keyed. Limits: the tables of
 * alarms.h; a flood of made-up sources pushes out the quietest ones, and never one that stands as an alarm.
 */
#include "alarms.h"

#include <netinet/in.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <sekisho/addr.h>
#include <sekisho/strmap.h>

#define FLOOD_S 60

/* A destination and port that refused a source, and when last. */
struct door {
	uint64_t id;
	int64_t at;
};

struct source {
	uint64_t id; /* 0: free */
	int64_t seen;
	int64_t minute; /* the flood's minute began */
	uint64_t packets;
	uint32_t ndoors;
	struct door door[ALARM_SCAN_MAX];
};

struct beacon {
	uint64_t id; /* 0: free */
	int64_t seen;
	uint16_t sport;
	uint32_t n; /* attempts in `at`, oldest first */
	int64_t at[ALARM_BEACON_MAX + 1];
};

struct standing {
	struct msg_alarm alarm;
	uint64_t id;
	int64_t last, quiet_s;
};

struct alarms {
	struct alarm_thresholds t;
	uint64_t key[2];
	struct source source[ALARM_SOURCES];
	struct beacon beacon[ALARM_BEACONS];
	struct standing standing[MSG_ALARMS_MAX];
	uint32_t n;
	bool changed;
};

struct alarms *alarms_new(void)
{
	struct alarms *a = calloc(1, sizeof(*a));

	if (a != NULL)
		memcpy(a->key, siphash_key(), sizeof(a->key));
	return a;
}

void alarms_free(struct alarms *a)
{
	free(a);
}

void alarms_thresholds(struct alarms *a, const struct alarm_thresholds *t)
{
	a->t = *t;
}

/* -- What stands --------------------------------------------------------------------------------------------- */

static uint64_t hash(const struct alarms *a, unsigned kind, const void *p, size_t n)
{
	uint8_t bytes[64] = {(uint8_t)kind};

	memcpy(bytes + 1, p, n);
	uint64_t id = siphash(a->key, bytes, n + 1);
	return id != 0 ? id : 1;
}

static struct standing *find(struct alarms *a, uint64_t id)
{
	for (uint32_t i = 0; i < a->n; i++)
		if (a->standing[i].id == id)
			return &a->standing[i];
	return NULL;
}

static void name_source(const struct alarm_event *e, bool by_mac, char *ret, size_t size)
{
	struct addr addr = {.family = e->family};
	char text[ADDR_TEXT_MAX], mac_text[MAC_TEXT_MAX];
	struct mac mac;

	memcpy(addr.b, e->src, sizeof(addr.b));
	memcpy(mac.b, e->mac, sizeof(mac.b));
	addr_format(&addr, text);
	if (by_mac)
		snprintf(ret, size, "%s (%s)", mac_format(&mac, mac_text), text);
	else
		snprintf(ret, size, e->host[0] != '\0' ? "%s (%s)" : "%s", text, e->host);
}

/* It goes on, or begins. */
static void raise_alarm(struct alarms *a, enum msg_alarm_kind kind, uint64_t id, const struct alarm_event *e, uint32_t count,
	uint32_t seconds)
{
	struct standing *s = find(a, id);
	char name[128];

	if (s != NULL) {
		s->last = e->at;
		return;
	}
	if (a->n == MSG_ALARMS_MAX)
		return;
	s = &a->standing[a->n++];
	*s = (struct standing){.id = id, .last = e->at, .quiet_s = ALARM_QUIET_S,
		.alarm = {.kind = kind, .count = count, .since = e->at, .seconds = seconds}};
	if (kind == MSG_ALARM_BEACON && 3 * (int64_t)seconds > ALARM_QUIET_S)
		s->quiet_s = 3 * (int64_t)seconds;
	name_source(e, kind == MSG_ALARM_UNKNOWN_MAC, name, sizeof(name));
	MSG_TEXT(s->alarm.source, name);
	MSG_TEXT(s->alarm.segment, e->segment);
	if (kind == MSG_ALARM_BEACON)
		MSG_TEXT(s->alarm.to, e->to);
	a->changed = true;
}

void alarms_tick(struct alarms *a, int64_t now)
{
	for (uint32_t i = a->n; i-- > 0;) {
		/* A clock that was set back ends nothing. */
		if (now - a->standing[i].last <= a->standing[i].quiet_s)
			continue;
		memmove(&a->standing[i], &a->standing[i + 1], (a->n - i - 1) * sizeof(a->standing[0]));
		a->n--;
		a->changed = true;
	}
}

bool alarms_state(struct alarms *a, struct msg_alarms *ret)
{
	bool changed = a->changed;

	*ret = (struct msg_alarms){.n = a->n};
	for (uint32_t i = 0; i < a->n; i++)
		ret->alarm[i] = a->standing[i].alarm;
	a->changed = false;
	return changed;
}

/* -- Scan and flood ------------------------------------------------------------------------------------------ */

static struct source *source_of(struct alarms *a, uint64_t id)
{
	struct source *oldest = &a->source[0];

	for (uint32_t i = 0; i < ALARM_SOURCES; i++) {
		struct source *s = &a->source[i];
		if (s->id == id)
			return s;
		if (s->id == 0 || (oldest->id != 0 && s->seen < oldest->seen))
			oldest = s;
	}
	*oldest = (struct source){.id = id};
	return oldest;
}

/* Different doors within the time, this one included. */
static uint32_t count_doors(struct source *s, uint64_t id, int64_t at, int64_t since)
{
	uint32_t kept = 0;
	bool known = false;

	for (uint32_t i = 0; i < s->ndoors; i++) {
		struct door d = s->door[i];
		if (d.id == id) {
			d.at = at;
			known = true;
		}
		if (d.at >= since)
			s->door[kept++] = d;
	}
	s->ndoors = kept;
	if (!known && s->ndoors < ALARM_SCAN_MAX)
		s->door[s->ndoors++] = (struct door){id, at};
	return s->ndoors;
}

static void watch_source(struct alarms *a, const struct alarm_event *e)
{
	uint8_t door[20];
	uint64_t id = hash(a, MSG_ALARM_SCAN, e->src, sizeof(e->src)), flood = hash(a, MSG_ALARM_FLOOD, e->src, sizeof(e->src));
	struct source *s = source_of(a, id);

	s->seen = e->at;
	memcpy(door, e->dst, 16);
	door[16] = e->proto;
	door[17] = 0;
	memcpy(door + 18, &e->dport, 2);
	uint32_t doors = count_doors(s, hash(a, 0, door, sizeof(door)), e->at, e->at - (int64_t)a->t.scan_minutes * 60);
	if (a->t.scan != 0 && doors >= a->t.scan)
		raise_alarm(a, MSG_ALARM_SCAN, id, e, doors, a->t.scan_minutes * 60);
	if (e->at - s->minute >= FLOOD_S || e->at < s->minute) {
		s->minute = e->at;
		s->packets = 0;
	}
	s->packets += e->count;
	if (a->t.flood != 0 && s->packets >= a->t.flood)
		raise_alarm(a, MSG_ALARM_FLOOD, flood, e,
			(uint32_t)(s->packets < UINT32_MAX ? s->packets : UINT32_MAX), FLOOD_S);
}

/* -- Beacon -------------------------------------------------------------------------------------------------- */

static struct beacon *beacon_of(struct alarms *a, uint64_t id)
{
	struct beacon *oldest = &a->beacon[0];

	for (uint32_t i = 0; i < ALARM_BEACONS; i++) {
		struct beacon *b = &a->beacon[i];
		if (b->id == id)
			return b;
		if (b->id == 0 || (oldest->id != 0 && b->seen < oldest->seen))
			oldest = b;
	}
	*oldest = (struct beacon){.id = id};
	return oldest;
}

/* The mean distance of the last n attempts when they are regular, else 0. */
static int64_t regular(const struct beacon *b, uint32_t n)
{
	int64_t least = INT64_MAX, most = 0, sum = 0;

	if (n < 2 || b->n < n)
		return 0;
	for (uint32_t i = b->n - n + 1; i < b->n; i++) {
		int64_t gap = b->at[i] - b->at[i - 1];
		least = gap < least ? gap : least;
		most = gap > most ? gap : most;
		sum += gap;
	}
	int64_t mean = sum / (n - 1), slack = mean / 5 > 2 ? mean / 5 : 2;
	bool good = least >= ALARM_BEACON_MIN_S && most <= ALARM_BEACON_MAX_S && most - least <= slack;
	return good ? mean : 0;
}

static void watch_beacon(struct alarms *a, const struct alarm_event *e)
{
	uint8_t ends[36];

	if (!e->forbidden || a->t.beacon == 0)
		return;
	memcpy(ends, e->src, 16);
	memcpy(ends + 16, e->dst, 16);
	ends[32] = e->proto;
	ends[33] = 0;
	memcpy(ends + 34, &e->dport, 2);
	uint64_t id = hash(a, MSG_ALARM_BEACON, ends, sizeof(ends));
	struct beacon *b = beacon_of(a, id);
	b->seen = e->at;
	/* The same attempt again (TCP repeats its first packet), or the same burst. */
	bool again = b->n != 0 && ((e->proto == IPPROTO_TCP && e->sport == b->sport) ||
					  e->at - b->at[b->n - 1] < ALARM_BEACON_MIN_S);
	b->sport = e->sport;
	if (again)
		return;
	if (b->n == ALARM_BEACON_MAX + 1)
		memmove(&b->at[0], &b->at[1], --b->n * sizeof(b->at[0]));
	b->at[b->n++] = e->at;
	/* Two distances are the least that can be alike. */
	int64_t mean = regular(b, a->t.beacon < 3 ? 3 : a->t.beacon);
	if (mean != 0)
		raise_alarm(a, MSG_ALARM_BEACON, id, e, a->t.beacon, (uint32_t)mean);
}

void alarms_add(struct alarms *a, const struct alarm_event *e)
{
	if (e->family == 0)
		return;
	watch_source(a, e);
	watch_beacon(a, e);
	if (e->unknown_mac && a->t.unknown_mac != 0)
		raise_alarm(a, MSG_ALARM_UNKNOWN_MAC, hash(a, MSG_ALARM_UNKNOWN_MAC, e->mac, sizeof(e->mac)), e,
			(uint32_t)(e->count < UINT32_MAX ? e->count : UINT32_MAX), 0);
}
