/*
 * clean_calendar.c: an invitation (RFC 5545) in a few lines: what, when, where, who invites.
 *
 * Input: a text/calendar part of a stranger, in UTF-8 or what goes for it; only VEVENTs are looked at, and of them four
 * properties. Alarms, attachments and time zone definitions are not. Limits: CLEAN_EVENTS events; the output's size.
 */
#include "clean_private.h"

#include <ctype.h>
#include <stdio.h>
#include <strings.h>
#include <time.h>

#include <sekisho/i18n.h>

#define VALUE_MAX 512u

struct event {
	bool inside, titled;
	const char *title;
	unsigned events, nested; /* nested: components within the event */
	char what[VALUE_MAX], where[VALUE_MAX], who[VALUE_MAX], begins[64], ends[64];
};

/* Lines that were folded are joined, in place. Returns the new length. */
static size_t unfold(char *s, size_t n)
{
	size_t out = 0;

	for (size_t i = 0; i < n; i++) {
		if (s[i] == '\r')
			continue;
		if (s[i] == '\n' && i + 1 < n && (s[i + 1] == ' ' || s[i + 1] == '\t'))
			i++;
		else
			s[out++] = s[i];
	}
	return out;
}

static void take_value(char out[VALUE_MAX], const char *s, size_t n)
{
	size_t at = 0;

	for (size_t i = 0; i < n && at + 1 < VALUE_MAX; i++) {
		char ch = s[i];
		if (ch == '\\' && i + 1 < n) {
			ch = s[++i];
			ch = ch == 'n' || ch == 'N' ? ' ' : ch;
		}
		out[at++] = ch;
	}
	while (at > 0 && at + 1 == VALUE_MAX && (out[at - 1] & 0x80)) /* no half characters */
		at--;
	out[at] = '\0';
}

/* "20261120T010000Z": in Japanese the time of Japan, else as it is. False: it is no such time. */
static bool take_utc(char out[64], const char *s, size_t n)
{
	struct tm tm = {0};
	char text[17] = "";
	int hours = strcmp(i18n_language(), "ja") == 0 ? 9 : 0;

	if (n != 16 || s[15] != 'Z')
		return false;
	memcpy(text, s, 16);
	if (sscanf(text, "%4d%2d%2dT%2d%2d%2dZ", &tm.tm_year, &tm.tm_mon, &tm.tm_mday, &tm.tm_hour, &tm.tm_min, &tm.tm_sec) != 6)
		return false;
	tm.tm_year -= 1900;
	tm.tm_mon--;
	tm.tm_hour += hours;
	time_t at = timegm(&tm);
	if (gmtime_r(&at, &tm) == NULL)
		return false;
	snprintf(out, 64, "%04d-%02d-%02d %02d:%02d (%s)", tm.tm_year + 1900, tm.tm_mon + 1, tm.tm_mday, tm.tm_hour, tm.tm_min,
		hours > 0 ? _("Japan time") : _("UTC"));
	return true;
}

/* "20261120" or "20261120T100000" of a zone that the parameters may name. */
static void take_time(char out[64], const char *s, size_t n, const char *zone, size_t nzone)
{
	static const char digits[] = "dddddddd";

	if (take_utc(out, s, n) || n < sizeof(digits) - 1)
		return;
	for (size_t i = 0; i < 8; i++)
		if (!isdigit((unsigned char)s[i]))
			return;
	int length = snprintf(out, 64, "%.4s-%.2s-%.2s", s, s + 4, s + 6);
	if (n >= 13 && s[8] == 'T')
		length += snprintf(out + length, 64 - (size_t)length, " %.2s:%.2s", s + 9, s + 11);
	if (nzone > 0 && nzone < 32)
		snprintf(out + length, 64 - (size_t)length, " (%.*s)", (int)nzone, zone);
}

static void say(struct clean_text *t, const char *name, const char *value)
{
	if (value[0] != '\0')
		clean_text_say(t, "  %s: %s\n", name, value);
}

static void say_title(struct clean *c, struct event *e)
{
	if (!e->titled)
		clean_text_say(&c->calendar, "%s\n", _(e->title));
	e->titled = true;
}

static void say_event(struct clean *c, struct event *e)
{
	struct clean_text *t = &c->calendar;
	char when[160];

	say_title(c, e);
	snprintf(when, sizeof(when), "%s%s%s", e->begins, e->ends[0] != '\0' ? " - " : "", e->ends);
	say(t, _("What"), e->what);
	say(t, _("When"), when);
	say(t, _("Where"), e->where);
	say(t, _("Invited by"), e->who);
}

static bool name_is(const char *s, size_t n, const char *name)
{
	return strlen(name) == n && strncasecmp(s, name, n) == 0;
}

/* The value of TZID= or CN= among parameters. */
static const char *parameter(const char *s, size_t n, const char *name, size_t *ret_n)
{
	size_t length = strlen(name);

	*ret_n = 0;
	for (size_t i = 0; i + length < n; i++) {
		if (s[i] != ';' || strncasecmp(s + i + 1, name, length) != 0)
			continue;
		const char *value = s + i + 1 + length;
		while (value + *ret_n < s + n && value[*ret_n] != ';')
			++*ret_n;
		return value;
	}
	return NULL;
}

/* What the calendar is for; it stands before the events. */
static void take_method(struct event *e, const char *value, size_t n)
{
	if (name_is(value, n, "CANCEL"))
		e->title = N_("Invitation withdrawn");
	else if (name_is(value, n, "REPLY") || name_is(value, n, "COUNTER"))
		e->title = N_("Answer to an invitation");
}

static void take_property(struct event *e, const char *s, size_t name, size_t colon, size_t n)
{
	const char *value = s + colon + 1;
	size_t length = n - colon - 1, nzone;
	const char *zone = parameter(s, colon, "TZID=", &nzone);

	if (name_is(s, name, "SUMMARY"))
		take_value(e->what, value, length);
	else if (name_is(s, name, "LOCATION"))
		take_value(e->where, value, length);
	else if (name_is(s, name, "ORGANIZER"))
		take_value(e->who, value, length);
	else if (name_is(s, name, "DTSTART"))
		take_time(e->begins, value, length, zone, nzone);
	else if (name_is(s, name, "DTEND"))
		take_time(e->ends, value, length, zone, nzone);
}

static void take_line(struct clean *c, struct event *e, const char *s, size_t n)
{
	const char *at = memchr(s, ':', n);

	if (at == NULL)
		return;
	size_t colon = (size_t)(at - s), name = 0;
	while (name < colon && s[name] != ';')
		name++;
	bool begins = name_is(s, name, "BEGIN"), ends = name_is(s, name, "END");
	bool event = name_is(at + 1, n - colon - 1, "VEVENT");
	if (begins && event && !e->inside) {
		*e = (struct event){.inside = true, .titled = e->titled, .title = e->title, .events = e->events + 1};
	} else if (ends && event && e->inside) {
		e->inside = false;
		if (e->events <= CLEAN_EVENTS)
			say_event(c, e);
	} else if (e->inside && (begins || ends)) {
		e->nested += begins ? 1 : e->nested > 0 ? (unsigned)-1 : 0;
	} else if (e->inside && e->nested == 0) {
		take_property(e, s, name, colon, n);
	} else if (!e->inside && name_is(s, name, "METHOD")) {
		take_method(e, at + 1, n - colon - 1);
	}
}

void clean_calendar(struct clean *c, uint8_t *bytes, size_t n)
{
	struct event e = {.title = N_("Invitation")};
	char *s = (char *)bytes, *end = s + unfold(s, n);

	c->report.flags |= MAIL_FLAG(CALENDAR);
	clean_text_gap(&c->calendar);
	clean_text_begin(&c->calendar, 0, c->options.private_use);
	while (s < end) {
		char *eol = memchr(s, '\n', (size_t)(end - s));
		size_t length = (size_t)((eol == NULL ? end : eol) - s);
		take_line(c, &e, s, length);
		s += length + 1;
	}
	say_title(c, &e);
	clean_text_end(&c->calendar);
}
