/*
 * part.h: a message that knows its length, read on a cursor to its last byte, whether it is all there yet or not.
 *
 * As with ber.h a field that is longer than what is left of the message contradicts where it says so, not where it ends.
 */
#ifndef SEKISHO_INSPECT_PART_H
#define SEKISHO_INSPECT_PART_H

#include "verify.h"

/* What is left of a message, there or not. */
struct part {
	struct cursor *c;
	uint32_t left;
};

static inline uint8_t part_u8(struct part *p)
{
	if (!cursor_must(p->c, p->left >= 1, WHY_LENGTH))
		return 0;
	p->left--;
	return cursor_u8(p->c);
}

static inline uint32_t part_be32(struct part *p)
{
	if (!cursor_must(p->c, p->left >= 4, WHY_LENGTH))
		return 0;
	p->left -= 4;
	return cursor_be32(p->c);
}

static inline void part_end(const struct part *p)
{
	cursor_must(p->c, p->left == 0, WHY_LENGTH);
}

static inline void part_skip(struct part *p, uint32_t n)
{
	if (!cursor_must(p->c, n <= p->left, WHY_LENGTH))
		return;
	p->left -= n;
	cursor_bytes(p->c, n);
}

/* A string that ends with a zero byte; its first bytes in ret, its length returned. */
static inline uint32_t part_string(struct part *p, char *ret, size_t max)
{
	uint32_t n = 0;
	uint8_t b;

	while ((b = part_u8(p)) != 0) {
		cursor_must(p->c, b >= 0x20 || (b >= '\t' && b <= '\r'), WHY_ENCODING);
		if (n < max - 1)
			ret[n] = (char)b;
		n++;
	}
	ret[n < max - 1 ? n : max - 1] = '\0';
	return cursor_ok(p->c) ? n : 0;
}

static inline void part_any_string(struct part *p)
{
	char none[1];

	part_string(p, none, sizeof(none));
}

#endif
