/*
 * addr.c: addresses, prefixes, ranges, MAC addresses: text to bytes and back.
 *
 * Input: text from a policy or a command line, already bounded in length. Parsing is strict (inet_pton), so
 * that two people never read one text as two addresses. No failure but "this is not an address".
 */
#include <sekisho/addr.h>

#include <arpa/inet.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

size_t addr_len(uint8_t family)
{
	return family == 4 ? 4 : 16;
}

bool addr_parse(const char *text, struct addr *ret)
{
	struct addr a = {0};

	if (inet_pton(AF_INET, text, a.b) == 1)
		a.family = 4;
	else if (memset(a.b, 0, sizeof(a.b)), inet_pton(AF_INET6, text, a.b) == 1)
		a.family = 6;
	else
		return false;
	*ret = a;
	return true;
}

const char *addr_format(const struct addr *a, char *buf)
{
	if (a->family == 0 || inet_ntop(a->family == 4 ? AF_INET : AF_INET6, a->b, buf, ADDR_TEXT_MAX) == NULL)
		memcpy(buf, "-", 2);
	return buf;
}

int addr_cmp(const struct addr *a, const struct addr *b)
{
	if (a->family != b->family)
		return a->family < b->family ? -1 : 1;
	return memcmp(a->b, b->b, addr_len(a->family));
}

bool addr_next(struct addr *a)
{
	struct addr n = *a;

	for (size_t i = addr_len(a->family); i-- > 0;) {
		if (++n.b[i] != 0) {
			*a = n;
			return true;
		}
	}
	return false;
}

bool addr_prev(struct addr *a)
{
	struct addr n = *a;

	for (size_t i = addr_len(a->family); i-- > 0;) {
		if (n.b[i]-- != 0) {
			*a = n;
			return true;
		}
	}
	return false;
}

struct addr_range prefix_range(const struct addr *a, uint8_t len)
{
	struct addr_range r = {*a, *a};

	for (size_t i = 0; i < addr_len(a->family); i++) {
		int bits = len > i * 8 ? (int)(len - i * 8) : 0;
		uint8_t host = bits >= 8 ? 0 : (uint8_t)(0xff >> bits);
		r.lo.b[i] &= (uint8_t)~host;
		r.hi.b[i] |= host;
	}
	return r;
}

bool prefix_parse(const char *text, struct addr *ret_host, uint8_t *ret_len, struct addr_range *ret)
{
	char copy[ADDR_TEXT_MAX];
	struct addr a;
	size_t n = strlen(text);
	unsigned long len;

	if (n >= sizeof(copy))
		return false;
	memcpy(copy, text, n + 1);
	char *slash = strchr(copy, '/');
	if (slash != NULL)
		*slash++ = '\0';
	if (!addr_parse(copy, &a))
		return false;
	len = addr_len(a.family) * 8;
	if (slash != NULL) {
		char *end;
		if (*slash < '0' || *slash > '9' || (slash[0] == '0' && slash[1] != '\0'))
			return false;
		unsigned long got = strtoul(slash, &end, 10);
		if (*end != '\0' || got > len)
			return false;
		len = got;
	}
	if (ret_host != NULL)
		*ret_host = a;
	if (ret_len != NULL)
		*ret_len = (uint8_t)len;
	if (ret != NULL)
		*ret = prefix_range(&a, (uint8_t)len);
	return true;
}

int range_prefix_len(const struct addr_range *r)
{
	size_t n = addr_len(r->lo.family);

	/* Leading equal bits, then lo all zeros and hi all ones: try the one length that the first difference fixes. */
	for (size_t i = 0; i < n; i++) {
		uint8_t diff = r->lo.b[i] ^ r->hi.b[i];
		if (diff == 0)
			continue;
		uint8_t len = (uint8_t)(i * 8 + (size_t)__builtin_clz(diff) - 24);
		struct addr_range p = prefix_range(&r->lo, len);
		return addr_cmp(&p.lo, &r->lo) == 0 && addr_cmp(&p.hi, &r->hi) == 0 ? len : -1;
	}
	return (int)(n * 8);
}

const char *range_format(const struct addr_range *r, char *buf)
{
	int len = range_prefix_len(r);
	char hi[INET6_ADDRSTRLEN + ADDR_TEXT_MAX];

	addr_format(&r->lo, buf);
	size_t n = strlen(buf);
	if (len >= 0 && (size_t)len == addr_len(r->lo.family) * 8)
		return buf;
	if (len >= 0)
		snprintf(buf + n, ADDR_TEXT_MAX - n, "/%d", len);
	else
		snprintf(buf + n, ADDR_TEXT_MAX - n, "-%s", addr_format(&r->hi, hi));
	return buf;
}

bool range_has(const struct addr_range *r, const struct addr *a)
{
	return r->lo.family == a->family && addr_cmp(&r->lo, a) <= 0 && addr_cmp(a, &r->hi) <= 0;
}

bool range_covers(const struct addr_range *outer, const struct addr_range *inner)
{
	return range_has(outer, &inner->lo) && range_has(outer, &inner->hi);
}

bool range_overlaps(const struct addr_range *a, const struct addr_range *b)
{
	return a->lo.family == b->lo.family && addr_cmp(&a->lo, &b->hi) <= 0 && addr_cmp(&b->lo, &a->hi) <= 0;
}

bool range_is_single(const struct addr_range *r)
{
	return addr_cmp(&r->lo, &r->hi) == 0;
}

static int hex(char c)
{
	if (c >= '0' && c <= '9')
		return c - '0';
	if (c >= 'a' && c <= 'f')
		return c - 'a' + 10;
	if (c >= 'A' && c <= 'F')
		return c - 'A' + 10;
	return -1;
}

bool mac_parse(const char *text, struct mac *ret)
{
	struct mac m;

	for (int i = 0; i < 6; i++) {
		int hi = hex(text[0]), lo = hi < 0 ? -1 : hex(text[1]);
		if (lo < 0)
			return false;
		m.b[i] = (uint8_t)(hi << 4 | lo);
		text += 2;
		if (i < 5 && *text != ':' && *text != '-')
			return false;
		text += i < 5;
	}
	if (*text != '\0')
		return false;
	*ret = m;
	return true;
}

const char *mac_format(const struct mac *m, char *buf)
{
	snprintf(buf, MAC_TEXT_MAX, "%02x:%02x:%02x:%02x:%02x:%02x", m->b[0], m->b[1], m->b[2], m->b[3], m->b[4],
		m->b[5]);
	return buf;
}

bool mac_equal(const struct mac *a, const struct mac *b)
{
	return memcmp(a, b, sizeof(*a)) == 0;
}

bool mac_is_zero(const struct mac *m)
{
	static const struct mac zero;
	return mac_equal(m, &zero);
}

bool mac_is_multicast(const struct mac *m)
{
	return (m->b[0] & 1) != 0;
}
