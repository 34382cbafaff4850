/*
 * timearg.c: relative and absolute times of the command line, in local time.
 *
 * Limits: relative times up to nine digits. Days are calendar days, so that they stay right where a zone
 * changes its offset.
 */
#include "timearg.h"

#include <stdlib.h>
#include <string.h>

static struct wall midnight(struct wall now, int day_offset)
{
	struct civil c = clock_civil(now);

	c.hour = c.minute = c.second = 0;
	c.day += day_offset;
	return clock_from_civil(&c);
}

/* "10m": so long before now. */
static bool parse_ago(const char *text, struct wall now, struct wall *ret)
{
	static const struct {
		char unit;
		int64_t seconds;
	} units[] = {{'s', 1}, {'m', 60}, {'h', 3600}, {'d', 86400}, {'w', 7 * 86400}};
	size_t n = strspn(text, "0123456789");

	if (n == 0 || n > 9 || strlen(text) != n + 1)
		return false;
	for (size_t i = 0; i < sizeof(units) / sizeof(units[0]); i++) {
		if (units[i].unit != text[n])
			continue;
		ret->sec = now.sec - strtoll(text, NULL, 10) * units[i].seconds;
		return true;
	}
	return false;
}

/* "9:05" or "09:05": today. */
static bool parse_clock(const char *text, struct wall now, struct wall *ret)
{
	size_t h = strspn(text, "0123456789");
	struct civil c = clock_civil(now);

	if (h == 0 || h > 2 || text[h] != ':' || strspn(text + h + 1, "0123456789") != 2 || text[h + 3] != '\0')
		return false;
	c.hour = atoi(text);
	c.minute = atoi(text + h + 1);
	c.second = 0;
	if (c.hour > 23 || c.minute > 59)
		return false;
	*ret = clock_from_civil(&c);
	return true;
}

bool timearg_parse(const char *text, struct wall now, bool end, struct wall *ret)
{
	struct civil c = {0};

	if (strcmp(text, "now") == 0) {
		*ret = now;
		return true;
	}
	if (strcmp(text, "today") == 0 || strcmp(text, "yesterday") == 0) {
		*ret = midnight(now, (text[0] == 'y' ? -1 : 0) + end);
		return true;
	}
	if (parse_ago(text, now, ret) || parse_clock(text, now, ret))
		return true;
	if (date_parse(text, &c.year, &c.month, &c.day)) {
		c.day += end;
		*ret = clock_from_civil(&c);
		return true;
	}
	return clock_parse(text, ret);
}
