/* test_report.c: on which day a daily report is due: days, restarts, clocks that jump. */
#include "report.h"
#include "test.h"

#define DUE (8 * 60 + 30)

static struct wall at(const char *text)
{
	struct wall w = {0};

	if (!clock_set_zone("Asia/Tokyo") || !clock_parse(text, &w))
		abort();
	return w;
}

static struct report_days since(const char *text)
{
	struct report_days d;

	report_begin(&d, at(text), DUE);
	return d;
}

/* Taken by the mail server at once; the day, 0: none was due. */
static uint32_t report(struct report_days *d, const char *when, struct msg_alarm_report *ret)
{
	if (!report_due(d, at(when), DUE, ret))
		return 0;
	report_done(d, ret);
	return ret->day;
}

static void test_days(void)
{
	struct report_days d = since("2026-11-20T07:00");
	struct msg_alarm_report r;

	CHECK_INT(report(&d, "2026-11-20T08:29:59", &r), 0);
	CHECK_INT(report(&d, "2026-11-20T08:30", &r), 20261120);
	CHECK(!r.late && r.missed == 0 && r.since == at("2026-11-20T07:00").sec && r.until == at("2026-11-20T08:30").sec);
	CHECK_INT(report(&d, "2026-11-20T08:30:01", &r), 0);
	CHECK_INT(report(&d, "2026-11-20T23:59", &r), 0);
	CHECK_INT(report(&d, "2026-11-21T08:29", &r), 0);
	CHECK_INT(report(&d, "2026-11-21T08:30:20", &r), 20261121);
	CHECK(r.since == at("2026-11-20T08:30").sec);
	/* Over the end of a month and of a year. */
	d = since("2026-12-31T09:00");
	CHECK_INT(report(&d, "2026-12-31T23:00", &r), 0);
	CHECK_INT(report(&d, "2027-01-01T08:30", &r), 20270101);
	CHECK_INT(r.missed, 0);
}

/* Wanted from now on: what is past today was not missed. */
static void test_begin(void)
{
	struct msg_alarm_report r;
	struct report_days d = since("2026-11-20T08:30");

	CHECK_INT(report(&d, "2026-11-20T10:00", &r), 0);
	CHECK_INT(report(&d, "2026-11-21T08:31", &r), 20261121);
	CHECK(!r.late && r.missed == 0);
}

static void test_away(void)
{
	struct report_days d = since("2026-11-19T09:00");
	struct msg_alarm_report r;

	/* Down at that minute. */
	CHECK_INT(report(&d, "2026-11-20T11:00", &r), 20261120);
	CHECK(r.late && r.missed == 0);
	CHECK_INT(report(&d, "2026-11-20T12:00", &r), 0);
	/* Down for days: one report over all of it, that says so. */
	CHECK_INT(report(&d, "2026-11-24T08:30", &r), 20261124);
	CHECK(!r.late && r.missed == 3 && r.since == at("2026-11-20T11:00").sec);
	/* For weeks: a day of it. */
	CHECK_INT(report(&d, "2026-12-24T08:30", &r), 20261224);
	CHECK(r.missed == 29 && r.since == r.until - 86400);
	/* Not taken by a mail server: due again and again until it is. */
	CHECK(report_due(&d, at("2026-12-25T08:30"), DUE, &r) && report_due(&d, at("2026-12-25T18:30"), DUE, &r) && r.late);
}

/* The clock is set back over the time of the report, forth by a year, and right again. */
static void test_jumps(void)
{
	struct report_days d = since("2026-11-19T09:00");
	struct msg_alarm_report r;

	CHECK_INT(report(&d, "2026-11-20T08:30", &r), 20261120);
	CHECK_INT(report(&d, "2026-11-20T08:00", &r), 0);
	CHECK_INT(report(&d, "2026-11-20T08:30", &r), 0);
	CHECK_INT(report(&d, "2026-11-19T23:00", &r), 0); /* a day back: it needed none */
	CHECK_INT(report(&d, "2027-11-20T09:00", &r), 20271120);
	CHECK(r.missed == 0 || r.missed == 364);
	CHECK_INT(report(&d, "2026-11-20T20:00", &r), 0);
	CHECK_INT(report(&d, "2026-11-21T08:30", &r), 20261121);
	CHECK(r.since == r.until - 86400 && r.missed == 0);
	CHECK_INT(report(&d, "2026-11-22T08:30", &r), 20261122);
	CHECK_INT(r.missed, 0);
	/* Another time of the day, after today's. */
	CHECK(!report_due(&d, at("2026-11-22T18:00"), 17 * 60, &r));
	CHECK(report_due(&d, at("2026-11-23T17:00"), 17 * 60, &r));
}

int main(void)
{
	test_days();
	test_begin();
	test_away();
	test_jumps();
	return test_end();
}
