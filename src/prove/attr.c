/*
 * attr.c: netlink attributes (RFC 3549 section 2.3; linux/netlink.h: struct nlattr), read by our own walk.
 *
 * The evaluator must not share code with what programmed the kernel, so libmnl and libnftnl are not used here.
 */
#include "attr.h"

#include <linux/netlink.h>
#include <string.h>

bool attr_next(struct reader *r, struct attr *ret)
{
	if (reader_left(r) == 0)
		return false;
	uint16_t len = reader_u16(r), type = reader_u16(r);
	if (r->bad || len < NLA_HDRLEN) {
		r->bad = true;
		return false;
	}
	ret->type = type & NLA_TYPE_MASK;
	ret->body = reader_sub(r, (size_t)len - NLA_HDRLEN);
	if (r->bad)
		return false;
	size_t pad = NLA_ALIGN(len) - len;
	reader_skip(r, pad < reader_left(r) ? pad : reader_left(r));
	return true;
}

uint32_t attr_be32(struct attr *a)
{
	uint32_t v = reader_be32(&a->body);

	if (reader_left(&a->body) != 0)
		a->body.bad = true;
	return v;
}

uint64_t attr_be64(struct attr *a)
{
	uint64_t v = reader_be64(&a->body);

	if (reader_left(&a->body) != 0)
		a->body.bad = true;
	return v;
}

const char *attr_text(struct attr *a)
{
	size_t n = reader_left(&a->body);
	const uint8_t *p = reader_bytes(&a->body, n);

	if (p == NULL || n == 0 || memchr(p, '\0', n) == NULL)
		return NULL;
	return (const char *)p;
}
