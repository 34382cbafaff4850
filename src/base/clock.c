/*
 * clock.c: wall and monotonic time, local calendar, dates as Japanese forms write them.
 *
 * The zone is libc's (tzset), loaded once by clock_set_zone(): a process calls it before its jail.
 */
#include <sekisho/clock.h>

#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

static struct {
	bool wall_set, mono_set;
	struct wall wall;
	struct mono mono;
} test;

void clock_set_test(const struct wall *w, const struct mono *m)
{
	test.wall_set = w != NULL;
	test.mono_set = m != NULL;
	if (w != NULL)
		test.wall = *w;
	if (m != NULL)
		test.mono = *m;
}

struct wall clock_wall(void)
{
	return test.wall_set ? test.wall : (struct wall){time(NULL)};
}

int64_t clock_wall_ns(void)
{
	struct timespec ts;

	if (test.wall_set)
		return test.wall.sec * 1000000000;
	clock_gettime(CLOCK_REALTIME, &ts);
	return (int64_t)ts.tv_sec * 1000000000 + ts.tv_nsec;
}

struct mono clock_mono(void)
{
	struct timespec ts;

	if (test.mono_set)
		return test.mono;
	clock_gettime(CLOCK_BOOTTIME, &ts);
	return (struct mono){(int64_t)ts.tv_sec * 1000000000 + ts.tv_nsec};
}

int64_t mono_since_ms(struct mono then)
{
	return (clock_mono().ns - then.ns) / 1000000;
}

bool clock_set_zone(const char *name)
{
	char path[PATH_MAX];

	/* A name of the database and nothing else: no absolute path, no way up, no ":file" or POSIX form. */
	if (name[0] == '\0' || name[0] == '/' || name[0] == ':' || strstr(name, "..") != NULL)
		return false;
	/* A jail may have the database in another place; libc looks there too. */
	const char *dir = getenv("TZDIR");
	snprintf(path, sizeof(path), "%s/%s", dir != NULL ? dir : "/usr/share/zoneinfo", name);
	if (strcmp(name, "UTC") != 0 && access(path, R_OK) != 0)
		return false;
	setenv("TZ", name, 1);
	tzset();
	return true;
}

struct civil clock_civil(struct wall w)
{
	time_t t = (time_t)w.sec;
	struct tm tm;

	localtime_r(&t, &tm);
	return (struct civil){tm.tm_year + 1900, tm.tm_mon + 1, tm.tm_mday, tm.tm_hour, tm.tm_min, tm.tm_sec,
		(tm.tm_wday + 6) % 7};
}

struct wall clock_from_civil(const struct civil *c)
{
	struct tm tm = {.tm_year = c->year - 1900, .tm_mon = c->month - 1, .tm_mday = c->day, .tm_hour = c->hour,
		.tm_min = c->minute, .tm_sec = c->second, .tm_isdst = -1};

	return (struct wall){(int64_t)mktime(&tm)};
}

/* Reads 1..max digits; returns the text behind them, or NULL. */
static const char *digits(const char *s, int max, int *ret)
{
	int n = 0, v = 0;

	for (; n < max && s[n] >= '0' && s[n] <= '9'; n++)
		v = v * 10 + (s[n] - '0');
	*ret = v;
	return n == 0 ? NULL : s + n;
}

static bool valid_date(int y, int m, int d)
{
	static const int days[] = {31, 28, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31};

	if (y < 1970 || y > 9999 || m < 1 || m > 12)
		return false;
	bool leap = (y % 4 == 0 && y % 100 != 0) || y % 400 == 0;
	return d >= 1 && d <= days[m - 1] + (m == 2 && leap);
}

/* The era before the year of the era: its first year, and the text behind; 0 when there is none. */
static int era_base(const char **s)
{
	static const struct {
		const char *word;
		int first;
	} eras[] = {{"令和", 2019}, {"平成", 1989}, {"昭和", 1926}, {"R", 2019}, {"H", 1989}, {"S", 1926}};

	for (size_t i = 0; i < sizeof(eras) / sizeof(eras[0]); i++) {
		size_t n = strlen(eras[i].word);
		if (strncmp(*s, eras[i].word, n) == 0) {
			*s += n;
			return eras[i].first;
		}
	}
	return 0;
}

/* Steps over one separator, given in both of its forms; NULL when neither is there. */
static const char *separator(const char *s, const char *kanji)
{
	size_t n = strlen(kanji);

	if (s == NULL)
		return NULL;
	if (strncmp(s, kanji, n) == 0)
		return s + n;
	return *s == '-' || *s == '/' || *s == '.' ? s + 1 : NULL;
}

bool date_parse(const char *text, int *ret_year, int *ret_month, int *ret_day)
{
	const char *s = text;
	int first = era_base(&s), y, m, d;

	if (first != 0 && strncmp(s, "元", strlen("元")) == 0) {
		s += strlen("元");
		y = 1;
	} else if ((s = digits(s, first != 0 ? 2 : 4, &y)) == NULL) {
		return false;
	}
	y += first != 0 ? first - 1 : 0;
	s = separator(s, "年");
	if (s == NULL || (s = digits(s, 2, &m)) == NULL)
		return false;
	s = separator(s, "月");
	if (s == NULL || (s = digits(s, 2, &d)) == NULL)
		return false;
	if (strcmp(s, "日") == 0)
		s += strlen("日");
	if (*s != '\0' || !valid_date(y, m, d))
		return false;
	*ret_year = y;
	*ret_month = m;
	*ret_day = d;
	return true;
}

/* "Z", "+09:00", "+0900" or nothing (local). False when the text is something else. */
static bool zone_offset(const char *s, bool *ret_local, int *ret_seconds)
{
	int h, m = 0;

	*ret_local = *s == '\0';
	*ret_seconds = 0;
	if (*s == '\0' || strcmp(s, "Z") == 0)
		return true;
	if (*s != '+' && *s != '-')
		return false;
	int sign = *s == '-' ? -1 : 1;
	if ((s = digits(s + 1, 2, &h)) == NULL)
		return false;
	if (*s == ':')
		s++;
	if (*s != '\0' && (s = digits(s, 2, &m)) == NULL)
		return false;
	*ret_seconds = sign * (h * 3600 + m * 60);
	return *s == '\0' && h <= 14 && m < 60;
}

bool clock_parse(const char *text, struct wall *ret)
{
	char date[16];
	struct civil c = {0};
	const char *t = strpbrk(text, "T ");
	bool local;
	int offset;

	if (t == NULL || (size_t)(t - text) >= sizeof(date))
		return false;
	memcpy(date, text, (size_t)(t - text));
	date[t - text] = '\0';
	if (!date_parse(date, &c.year, &c.month, &c.day))
		return false;
	const char *s = digits(t + 1, 2, &c.hour);
	if (s == NULL || *s != ':' || (s = digits(s + 1, 2, &c.minute)) == NULL)
		return false;
	if (*s == ':' && (s = digits(s + 1, 2, &c.second)) == NULL)
		return false;
	if (c.hour > 23 || c.minute > 59 || c.second > 60 || !zone_offset(s, &local, &offset))
		return false;
	if (local) {
		*ret = clock_from_civil(&c);
		return true;
	}
	struct tm tm = {.tm_year = c.year - 1900, .tm_mon = c.month - 1, .tm_mday = c.day, .tm_hour = c.hour,
		.tm_min = c.minute, .tm_sec = c.second};
	ret->sec = (int64_t)timegm(&tm) - offset;
	return true;
}

const char *clock_format(struct wall w, char *buf)
{
	time_t t = (time_t)w.sec;
	struct tm tm;

	localtime_r(&t, &tm);
	if (strftime(buf, CLOCK_TEXT_MAX, "%Y-%m-%dT%H:%M:%S%z", &tm) == 0)
		memcpy(buf, "-", 2);
	return buf;
}
