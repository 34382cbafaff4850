/*
 * mime_date.c: dates (RFC 5322 3.3 and 4.3), read to numbers and written anew.
 *
 * Input: one field of strangers; its first DATE_WORDS words are looked at. What is no date is none: nothing is guessed.
 */
#include <stdio.h>
#include <strings.h>

#include "mime_private.h"

#define DATE_WORDS 8u

static const char months[12][4] = {"Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec"};
static const char days[7][4] = {"Sun", "Mon", "Tue", "Wed", "Thu", "Fri", "Sat"};

/* Names of zones: those of the standard, and Japan's. */
static const struct {
	const char *name;
	int16_t zone;
} zones[] = {
	{"UT", 0},	{"UTC", 0},	{"GMT", 0},	{"Z", 0},	{"JST", 540},	{"EST", -300},	{"EDT", -240},
	{"CST", -360},	{"CDT", -300},	{"MST", -420},	{"MDT", -360},	{"PST", -480},	{"PDT", -420},
};

struct words {
	const char *p[DATE_WORDS];
	size_t n[DATE_WORDS];
	unsigned count, at;
};

/* What is between blanks, commas and comments. */
static void split(struct words *w, const char *p, const char *end)
{
	size_t comments = 0;

	memset(w, 0, sizeof(*w));
	while (p < end && w->count < DATE_WORDS) {
		if (*p == '(')
			comments++;
		else if (*p == ')' && comments > 0)
			comments--;
		bool between = comments > 0 || *p == ')' || *p == ' ' || *p == '\t' || *p == ',';
		if (between) {
			p++;
			continue;
		}
		const char *start = p;
		while (p < end && !mime_is_of((uint8_t)*p, " \t,()"))
			p++;
		w->p[w->count] = start;
		w->n[w->count++] = (size_t)(p - start);
	}
}

/* Digits at p, at most `most` of them; returns how many. */
static size_t number(const char *p, size_t n, size_t most, unsigned *ret)
{
	size_t i = 0;

	*ret = 0;
	for (; i < n && i < most && p[i] >= '0' && p[i] <= '9'; i++)
		*ret = *ret * 10 + (unsigned)(p[i] - '0');
	return i;
}

static bool whole_number(struct words *w, size_t most, unsigned *ret, size_t *ret_digits)
{
	if (w->at == w->count)
		return false;
	*ret_digits = number(w->p[w->at], w->n[w->at], most, ret);
	return *ret_digits > 0 && *ret_digits == w->n[w->at++];
}

static int find(const struct words *w, const char (*names)[4], unsigned count)
{
	for (unsigned i = 0; w->at < w->count && i < count; i++)
		if (w->n[w->at] == 3 && strncasecmp(names[i], w->p[w->at], 3) == 0)
			return (int)i;
	return -1;
}

/* "16:01" or "16:01:22". */
static bool time_read(struct words *w, struct mime_date *d)
{
	unsigned part[3] = {0};
	size_t at = 0, digits = 0;

	if (w->at == w->count)
		return false;
	const char *p = w->p[w->at];
	size_t n = w->n[w->at++];
	for (unsigned i = 0; i < 3; i++) {
		digits = number(p + at, n - at, 2, &part[i]);
		at += digits;
		if (digits == 0 || (i == 0 && at == n))
			return false;
		if (at == n)
			break;
		if (p[at++] != ':' || i == 2)
			return false;
	}
	d->hour = (uint8_t)part[0];
	d->minute = (uint8_t)part[1];
	d->second = (uint8_t)part[2];
	return part[0] < 24 && part[1] < 60 && part[2] <= 60;
}

static bool zone_read(struct words *w, struct mime_date *d)
{
	unsigned digits;

	d->zone = 0;
	d->zone_unknown = true;
	if (w->at == w->count)
		return false;
	const char *p = w->p[w->at];
	size_t n = w->n[w->at++];
	if (n == 5 && (*p == '+' || *p == '-') && number(p + 1, 4, 4, &digits) == 4) {
		if (digits / 100 > 14 || digits % 100 > 59)
			return false;
		int minutes = (int)(digits / 100 * 60 + digits % 100);
		d->zone = (int16_t)(*p == '-' ? -minutes : minutes);
		d->zone_unknown = *p == '-' && minutes == 0;
		return true;
	}
	for (size_t i = 0; i < sizeof(zones) / sizeof(zones[0]); i++) {
		if (strlen(zones[i].name) == n && strncasecmp(zones[i].name, p, n) == 0) {
			d->zone = zones[i].zone;
			d->zone_unknown = false;
			return true;
		}
	}
	return false;
}

/* Of the Gregorian calendar, 0 Sunday (Sakamoto). */
static unsigned weekday(unsigned year, unsigned month, unsigned day)
{
	static const uint8_t shift[] = {0, 3, 2, 5, 0, 3, 5, 1, 4, 6, 2, 4};

	year -= month < 3;
	return (year + year / 4 - year / 100 + year / 400 + shift[month - 1] + day) % 7;
}

static unsigned month_days(unsigned year, unsigned month)
{
	static const uint8_t length[] = {31, 28, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31};
	bool leap = (year % 4 == 0 && year % 100 != 0) || year % 400 == 0;

	return length[month - 1] + (month == 2 && leap);
}

/* "20 Nov 2026"; years of two and three digits as RFC 5322 4.3 says. */
static bool day_read(struct words *w, struct mime_date *d, mime_flags *flags)
{
	unsigned day, year;
	size_t digits;

	if (!whole_number(w, 2, &day, &digits))
		return false;
	int month = find(w, months, 12);
	w->at++;
	if (month < 0 || !whole_number(w, 4, &year, &digits))
		return false;
	if (digits < 4) {
		year += digits == 2 && year < 50 ? 2000 : 1900;
		*flags |= MIME_FLAG(DATE_BROKEN);
	}
	if (year < 1900 || day < 1 || day > month_days(year, (unsigned)month + 1))
		return false;
	d->year = (uint16_t)year;
	d->month = (uint8_t)(month + 1);
	d->day = (uint8_t)day;
	d->weekday = (uint8_t)weekday(year, (unsigned)month + 1, day);
	return true;
}

bool mime_date(const void *value, size_t n, struct mime_date *ret_date, mime_flags *flags)
{
	struct mime_date d = {0};
	struct words w;

	split(&w, value, (const char *)value + n);
	int said = find(&w, days, 7);
	if (said >= 0)
		w.at++;
	if (!day_read(&w, &d, flags) || !time_read(&w, &d)) {
		*flags |= MIME_FLAG(DATE_BROKEN);
		return false;
	}
	if (!zone_read(&w, &d) || w.at < w.count || (said >= 0 && said != d.weekday))
		*flags |= MIME_FLAG(DATE_BROKEN);
	*ret_date = d;
	return true;
}

void mime_date_text(const struct mime_date *d, char out[MIME_DATE_TEXT])
{
	unsigned zone = (unsigned)(d->zone < 0 ? -d->zone : d->zone);

	snprintf(out, MIME_DATE_TEXT, "%s, %02u %s %04u %02u:%02u:%02u %c%02u%02u", days[d->weekday % 7],
		(unsigned)(d->day % 100), months[(d->month + 11u) % 12], (unsigned)(d->year % 10000), (unsigned)(d->hour % 100),
		(unsigned)(d->minute % 100), (unsigned)(d->second % 100), d->zone < 0 || d->zone_unknown ? '-' : '+',
		zone / 60 % 100, zone % 60);
}
