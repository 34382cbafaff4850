/* test_timearg.c: times as people type them, in Asia/Tokyo. */
#include "timearg.h"

#include <sekisho/clock.h>

#include "test.h"

/* Friday 2026-11-20 10:30:15 +0900 */
#define NOW 1795138215

static int64_t parse(const char *text, bool end)
{
	struct wall w = {-1};

	return timearg_parse(text, (struct wall){NOW}, end, &w) ? w.sec : -1;
}

static int64_t at(int month, int day, int hour, int minute)
{
	return clock_from_civil(
		&(struct civil){.year = 2026, .month = month, .day = day, .hour = hour, .minute = minute})
		.sec;
}

int main(void)
{
	CHECK(clock_set_zone("Asia/Tokyo"));
	CHECK_INT(at(11, 20, 10, 30) + 15, NOW);
	CHECK_INT(parse("now", false), NOW);
	CHECK_INT(parse("10s", false), NOW - 10);
	CHECK_INT(parse("10m", false), NOW - 600);
	CHECK_INT(parse("2h", true), NOW - 7200);
	CHECK_INT(parse("3d", false), NOW - 3 * 86400);
	CHECK_INT(parse("1w", false), NOW - 7 * 86400);
	CHECK_INT(parse("today", false), at(11, 20, 0, 0));
	CHECK_INT(parse("today", true), at(11, 21, 0, 0));
	CHECK_INT(parse("yesterday", false), at(11, 19, 0, 0));
	CHECK_INT(parse("9:05", false), at(11, 20, 9, 5));
	CHECK_INT(parse("09:05", true), at(11, 20, 9, 5));
	CHECK_INT(parse("2026-11-01", false), at(11, 1, 0, 0));
	CHECK_INT(parse("2026-11-30", true), at(12, 1, 0, 0));
	CHECK_INT(parse("令和8年11月1日", false), at(11, 1, 0, 0));
	CHECK_INT(parse("R8-11-01", true), at(11, 2, 0, 0));
	CHECK_INT(parse("2026-11-20T10:00", false), at(11, 20, 10, 0));
	CHECK_INT(parse("2026-11-20T01:00Z", false), at(11, 20, 10, 0));

	static const char *const bad[] = {"", "m", "10", "10x", "10mm", "-10m", "1234567890s", "24:00", "9:5",
		"9:60", "9:05:00", "2026-02-30", "tomorrow", "2026-11-20T", "2026-11-20T25:00", "10m ",
		"\x1b[2J"};
	for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++)
		CHECK_INT(parse(bad[i], false), -1);
	return test_end();
}
