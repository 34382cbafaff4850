/*
 * ber.c: reading BER and DER on a cursor. See ber.h. Standard: ITU-T X.690.
 *
 * Input: bytes of the network, perhaps not all there. Bounds: what is left of each element is counted down as it is read;
 * nothing is believed that is longer than what is around it. Failure: the cursor's `more` or `why`.
 */
#include "ber.h"

struct ber ber_init(struct cursor *c, uint32_t n, unsigned der)
{
	return (struct ber){c, n, 0, (uint8_t)der};
}

bool ber_has(const struct ber *b)
{
	return cursor_ok(b->c) && b->left > 0;
}

uint8_t ber_tag(const struct ber *b)
{
	if (!ber_has(b))
		return 0;
	if (b->c->p == b->c->end) {
		b->c->more = true;
		return 0;
	}
	return *b->c->p;
}

/* One octet out of an element. */
static uint8_t octet(struct ber *b)
{
	if (!cursor_must(b->c, b->left >= 1, WHY_LENGTH))
		return 0;
	uint8_t v = cursor_u8(b->c);
	if (cursor_ok(b->c))
		b->left--;
	return v;
}

/* X.690 8.1.3. */
static uint32_t length(struct ber *b)
{
	uint8_t first = octet(b);
	uint32_t n = first, count = first & 0x7fu;

	if (first < 0x80)
		return n;
	cursor_must(b->c, count >= 1 && count <= 4, WHY_LENGTH);
	n = 0;
	for (uint32_t i = 0; i < count && cursor_ok(b->c); i++) {
		uint8_t v = octet(b);
		cursor_must(b->c, i > 0 || v != 0 || b->der == 0, WHY_LENGTH);
		n = n << 8 | v;
	}
	cursor_must(b->c, b->der == 0 || n >= 0x80, WHY_LENGTH);
	return n;
}

uint8_t ber_any(struct ber *b, struct ber *ret)
{
	uint8_t tag = octet(b);

	*ret = (struct ber){b->c, 0, (uint8_t)(b->depth + 1), b->der};
	cursor_must(b->c, (tag & 0x1f) != 0x1f && tag != 0, WHY_FIELD);
	cursor_must(b->c, b->depth < BER_DEPTH, WHY_FIELD);
	uint32_t n = length(b);
	if (!cursor_must(b->c, n <= b->left, WHY_LENGTH))
		return 0;
	b->left -= n;
	ret->left = n;
	return tag;
}

bool ber_open(struct ber *b, uint8_t tag, struct ber *ret)
{
	*ret = (struct ber){b->c, 0, (uint8_t)(b->depth + 1), b->der};
	cursor_must(b->c, b->left > 0, WHY_LENGTH);
	uint8_t got = ber_tag(b);
	if (!cursor_must(b->c, got == tag, WHY_FIELD))
		return false;
	return ber_any(b, ret) == tag;
}

bool ber_optional(struct ber *b, uint8_t tag, struct ber *ret)
{
	return ber_tag(b) == tag && ber_any(b, ret) == tag;
}

bool ber_end(struct ber *b)
{
	return cursor_must(b->c, b->left == 0, WHY_LENGTH);
}

struct ber_bytes ber_rest(struct ber *b)
{
	struct ber_bytes s = {cursor_bytes(b->c, b->left), b->left};

	if (s.p == NULL)
		return (struct ber_bytes){0};
	b->left = 0;
	return s;
}

struct ber_bytes ber_octets(struct ber *b, uint8_t tag)
{
	struct ber e;

	return ber_open(b, tag, &e) ? ber_rest(&e) : (struct ber_bytes){0};
}

int64_t ber_int(struct ber *b, uint8_t tag, struct ber_range in)
{
	struct ber e;

	if (!ber_open(b, tag, &e) || !cursor_must(b->c, e.left >= 1 && e.left <= 8, WHY_LENGTH))
		return 0;
	struct ber_bytes s = ber_rest(&e);
	if (s.p == NULL)
		return 0;
	/* X.690 8.3.2: the first nine bits are never all alike; some old encoders do not know. */
	bool padded = s.n > 1 && (s.p[0] == 0 || s.p[0] == 0xff) && (s.p[0] ^ s.p[1]) < 0x80;
	uint64_t v = (s.p[0] & 0x80) != 0 ? UINT64_MAX : 0;
	for (uint32_t i = 0; i < s.n; i++)
		v = v << 8 | s.p[i];
	if (!cursor_must(b->c, !padded || b->der == 0, WHY_LENGTH))
		return 0;
	return cursor_must(b->c, (int64_t)v >= in.least && (int64_t)v <= in.most, WHY_FIELD) ? (int64_t)v : 0;
}

void ber_number(struct ber *b, uint8_t tag, uint32_t max)
{
	struct ber e;

	if (ber_open(b, tag, &e) && cursor_must(b->c, e.left >= 1 && e.left <= max, WHY_LENGTH))
		ber_rest(&e);
}

struct ber_bytes ber_oid(struct ber *b)
{
	struct ber_bytes s = ber_octets(b, BER_OID);
	bool begins = true;

	if (s.p == NULL)
		return s;
	for (uint32_t i = 0; i < s.n; i++) {
		cursor_must(b->c, !begins || s.p[i] != 0x80, WHY_FIELD);
		begins = (s.p[i] & 0x80) == 0;
	}
	cursor_must(b->c, s.n > 0 && begins, WHY_LENGTH);
	return s;
}

void ber_null(struct ber *b)
{
	struct ber e;

	if (ber_open(b, BER_NULL, &e))
		ber_end(&e);
}
