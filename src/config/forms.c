/*
 * forms.c: text of a value to its number: strict, so that two people never read one text in two ways.
 *
 * Input: one word of the policy, valid UTF-8 without control characters, at most LIMIT_LINE bytes, already of
 * the schema's pattern; nothing here relies on that pattern. Years of 令和 and so on: base/clock.c.
 */
#include "forms.h"

#include <sekisho/buf.h>
#include <sekisho/i18n.h>

#include <stdlib.h>
#include <string.h>

/* Refusals for which form_better() knows more. */
static const char bits_set[] = N_("bits are set behind the prefix length");
static const char no_length[] = N_("one address is expected, without a prefix length");
static const char needs_length[] = N_("the prefix length is missing");

/* Reads digits up to max; returns the text behind them, NULL when there are none or the number is larger. */
static const char *number(const char *s, unsigned long max, unsigned long *ret)
{
	char *end;

	if (*s < '0' || *s > '9')
		return NULL;
	unsigned long v = strtoul(s, &end, 10);
	if (v > max)
		return NULL;
	*ret = v;
	return end;
}

static bool is_unusable(const struct addr *a)
{
	static const struct addr none4 = {.family = 4}, none6 = {.family = 6};
	static const struct addr loop6 = {.family = 6, .b = {[15] = 1}};

	if (a->family == 4)
		return addr_cmp(a, &none4) == 0 || a->b[0] == 127 || a->b[0] >= 224;
	return addr_cmp(a, &none6) == 0 || addr_cmp(a, &loop6) == 0 || a->b[0] == 0xff;
}

static const char *check_local(const struct prefix *p, const struct addr_range *r)
{
	if (!p->has_len)
		return needs_length;
	/* RFC 3021 and RFC 6164: of /31 and /127 both addresses are usable. */
	if (p->addr.family == 6 || p->len >= 31)
		return NULL;
	if (addr_cmp(&p->addr, &r->lo) == 0)
		return N_("this is the network's address, not a machine's");
	return addr_cmp(&p->addr, &r->hi) == 0 ? N_("this is the broadcast address, not a machine's") : NULL;
}

const char *form_prefix(const char *text, enum prefix_use use, struct prefix *ret)
{
	struct prefix p = {.has_len = strchr(text, '/') != NULL};
	struct addr_range r;

	if (!prefix_parse(text, &p.addr, &p.len, &r))
		return N_("not an IPv4 or IPv6 address");
	if (use == PREFIX_SINGLE && p.has_len)
		return no_length;
	if (use == PREFIX_LOCAL && check_local(&p, &r) != NULL)
		return check_local(&p, &r);
	if (use != PREFIX_LOCAL && addr_cmp(&p.addr, &r.lo) != 0)
		return bits_set;
	if (use != PREFIX_NETWORK && is_unusable(&p.addr))
		return N_("no machine can have this address");
	*ret = p;
	return NULL;
}

const char *form_mac(const char *text, struct mac *ret)
{
	struct mac m;

	if (!mac_parse(text, &m))
		return N_("not a MAC address");
	if (mac_is_multicast(&m) || mac_is_zero(&m))
		return N_("no machine can have this MAC address");
	*ret = m;
	return NULL;
}

const char *form_date(const char *text, struct date *ret)
{
	struct date d = {0};

	if (!date_parse(text, &d.year, &d.month, &d.day))
		return N_("not a date of the calendar");
	*ret = d;
	return NULL;
}

/* "H:MM" or "HH:MM"; returns the text behind, NULL when it is none. */
static const char *clock_time(const char *s, uint16_t *ret)
{
	unsigned long h, m;

	s = number(s, 24, &h);
	if (s == NULL || *s != ':' || strlen(s) < 3)
		return NULL;
	const char *end = number(s + 1, 59, &m);
	if (end != s + 3 || (h == 24 && m != 0))
		return NULL;
	*ret = (uint16_t)(h * 60 + m);
	return end;
}

const char *form_time(const char *text, uint16_t *ret)
{
	uint16_t t;
	const char *end = clock_time(text, &t);

	if (end == NULL || *end != '\0' || t == 24 * 60)
		return N_("not a time of the day");
	*ret = t;
	return NULL;
}

const char *form_hours(const char *text, uint16_t *ret_from, uint16_t *ret_to)
{
	uint16_t from, to;
	const char *s = clock_time(text, &from);

	if (s == NULL || *s != '-' || from == 24 * 60)
		return N_("not a span of hours");
	s = clock_time(s + 1, &to);
	if (s == NULL || *s != '\0')
		return N_("not a span of hours");
	if (from == to)
		return N_("start and end are the same; leave hours out for the whole day");
	*ret_from = from;
	*ret_to = to % (24 * 60);
	return NULL;
}

/* 0 for "mon" .. 6 for "sun"; -1. */
static int weekday(const char *s)
{
	static const char names[] = "montuewedthufrisatsun";

	for (int i = 0; i < 7; i++)
		if (strncmp(s, names + i * 3, 3) == 0)
			return i;
	return -1;
}

const char *form_days(const char *text, uint8_t *ret)
{
	unsigned bits = 0;

	for (const char *s = text;; s++) {
		int from = weekday(s), to = from;
		if (from < 0)
			return N_("not days of the week");
		s += 3;
		if (*s == '-') {
			to = weekday(s + 1);
			if (to < 0)
				return N_("not days of the week");
			s += 4;
		}
		/* "sat-mon" passes the end of the week. */
		for (int d = from;; d = (d + 1) % 7) {
			bits |= 1u << d;
			if (d == to)
				break;
		}
		if (*s == '\0')
			break;
		if (*s != ',')
			return N_("not days of the week");
	}
	*ret = (uint8_t)bits;
	return NULL;
}

const char *form_window(const char *text, struct wall *ret_from, struct wall *ret_to)
{
	char from[64];
	struct wall a, b;
	const char *slash = strchr(text, '/');

	if (slash == NULL || (size_t)(slash - text) >= sizeof(from))
		return N_("not a window of two times");
	memcpy(from, text, (size_t)(slash - text));
	from[slash - text] = '\0';
	if (!clock_parse(from, &a) || !clock_parse(slash + 1, &b))
		return N_("not a window of two times");
	if (b.sec <= a.sec)
		return N_("the window ends before it starts");
	*ret_from = a;
	*ret_to = b;
	return NULL;
}

const char *form_size(const char *text, uint64_t *ret)
{
	unsigned long n;
	const char *s = number(text, 1ul << 30, &n);

	if (s == NULL || (*s != '\0' && s[1] != '\0'))
		return N_("not a size");
	unsigned shift = *s == 'K' ? 10 : *s == 'M' ? 20 : *s == 'G' ? 30 : 0;
	if (*s != '\0' && shift == 0)
		return N_("not a size");
	uint64_t bytes = (uint64_t)n << shift;
	if (bytes < 1024 || bytes > 1u << 30)
		return N_("a size from 1K to 1G is expected");
	*ret = bytes;
	return NULL;
}

bool form_better(const char *text, const char *why, struct buf *out)
{
	struct addr_range r;
	struct addr a;
	uint8_t len;
	char net[ADDR_TEXT_MAX], one[ADDR_TEXT_MAX];

	if (strcmp(why, form_no_icmp) == 0) {
		buf_adds(out, _("known names: "));
		form_icmp_names(out);
		return true;
	}
	if (!prefix_parse(text, &a, &len, &r))
		return false;
	if (strcmp(why, bits_set) == 0 || strcmp(why, no_length) == 0)
		buf_printf(out, _("the network is %s, the machine alone is %s"), range_format(&r, net),
			addr_format(&a, one));
	else if (strcmp(why, needs_length) == 0)
		buf_printf(out, _("for example: %s"), a.family == 4 ? "10.1.0.1/24" : "2001:db8:1::1/64");
	else
		return false;
	return true;
}
