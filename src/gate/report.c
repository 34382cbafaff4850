/* report.c: on which day a daily report is due (see report.h). No input but clocks and the policy. */
#include "report.h"

#include <string.h>

#define DAY INT64_C(86400)
/* Later than this it says so. */
#define LATE (15 * 60)
/* Further back than this a report does not go: numbers of a month say nothing about yesterday. */
#define LONGEST (8 * DAY)
#define MISSED_MAX 366

static uint32_t day_of(struct wall w)
{
	struct civil c = clock_civil(w);

	return (uint32_t)(c.year * 10000 + c.month * 100 + c.day);
}

/* The moment of a day's report. */
static struct wall time_of(struct wall now, uint32_t minute)
{
	struct civil c = clock_civil(now);

	c.hour = (int)(minute / 60);
	c.minute = (int)(minute % 60);
	c.second = 0;
	return clock_from_civil(&c);
}

static bool has_day(const struct report_days *d, uint32_t day)
{
	for (unsigned i = 0; i < REPORT_DAYS; i++)
		if (d->day[i] == day)
			return true;
	return false;
}

static void add_day(struct report_days *d, uint32_t day)
{
	if (has_day(d, day))
		return;
	memmove(&d->day[1], &d->day[0], sizeof(d->day) - sizeof(d->day[0]));
	d->day[0] = day;
}

void report_begin(struct report_days *d, struct wall now, uint32_t minute)
{
	bool past = now.sec >= time_of(now, minute).sec;

	memset(d, 0, sizeof(*d));
	add_day(d, day_of((struct wall){past ? now.sec : now.sec - DAY}));
	d->until = now.sec;
}

/* Days without a report since the newest one before today. */
static uint32_t missed(const struct report_days *d, struct wall now)
{
	struct civil noon = clock_civil(now);
	uint32_t n = 0;

	noon.hour = 12;
	for (; n < MISSED_MAX; n++) {
		noon.day--;
		struct wall w = clock_from_civil(&noon);
		if (has_day(d, day_of(w)))
			return n;
		noon = clock_civil(w);
	}
	return 0; /* nothing is known of this year */
}

bool report_due(const struct report_days *d, struct wall now, uint32_t minute, struct msg_alarm_report *ret)
{
	struct wall due = time_of(now, minute);
	uint32_t day = day_of(now);

	if (now.sec < due.sec || has_day(d, day))
		return false;
	*ret = (struct msg_alarm_report){.day = day,
		.late = now.sec - due.sec > LATE,
		.missed = missed(d, now),
		.until = now.sec,
		.since = now.sec - DAY};
	/* Where the last one ended, unless the clock makes that nonsense. */
	if (d->until < now.sec && now.sec - d->until <= LONGEST)
		ret->since = d->until;
	return true;
}

void report_done(struct report_days *d, const struct msg_alarm_report *r)
{
	add_day(d, r->day);
	d->until = r->until;
}
