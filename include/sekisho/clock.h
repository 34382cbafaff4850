/*
 * clock.h: time from one place, in types that cannot be mixed.
 *
 * Wall time is seconds since 1970 UTC with nanoseconds beside; monotonic time is nanoseconds since boot.
 * Tests move both with clock_set_test(). Local time follows the zone given to clock_set_zone() (a name of the
 * tz database, loaded then and not later, so that a jailed process needs no file).
 */
#ifndef SEKISHO_CLOCK_H
#define SEKISHO_CLOCK_H

#include <stdbool.h>
#include <stdint.h>

struct wall {
	int64_t sec; /* since 1970-01-01T00:00:00Z */
};

struct mono {
	int64_t ns; /* CLOCK_BOOTTIME */
};

/* Broken-down local time. */
struct civil {
	int year, month, day;	  /* 2026, 1..12, 1..31 */
	int hour, minute, second; /* 0..23, 0..59, 0..60 */
	int weekday;		  /* 0 = Monday .. 6 = Sunday */
};

#define WALL_NEVER ((struct wall){INT64_MAX})

struct wall clock_wall(void);
int64_t clock_wall_ns(void); /* the same with nanoseconds, for records */
struct mono clock_mono(void);
int64_t mono_since_ms(struct mono then);

/* From now on both clocks stand still at these values; NULL gives the real one back. For tests. */
void clock_set_test(const struct wall *w, const struct mono *m);

/* Returns false when the zone is not known; the old one stays. */
bool clock_set_zone(const char *name);

struct civil clock_civil(struct wall w);
/* The wall time of a local date and time; out-of-range fields are normalised. */
struct wall clock_from_civil(const struct civil *c);

/* "2026-11-20T10:00[:30]" local, or with Z / +09:00. False when the text is no time. */
bool clock_parse(const char *text, struct wall *ret);
/* "2026-11-20T10:00:00+0900"; buf holds CLOCK_TEXT_MAX; returns buf. */
#define CLOCK_TEXT_MAX 40
const char *clock_format(struct wall w, char *buf);

/*
 * A date as the forms write it: "2026-04-01", "令和8-04-01", "R8-04-01", "令和8年4月1日" (元 = 1).
 * False when it is no valid date of the calendar.
 */
bool date_parse(const char *text, int *ret_year, int *ret_month, int *ret_day);

#endif
