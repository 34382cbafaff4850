/*
 * base64.c: bytes from base64 (RFC 2045 6.8).
 *
 * Programs differ in what they make of base64 that is not exact: some skip what is no base64, some stop, some start anew
 * after padding. Ours: the alphabet, line ends and (flagged) blanks; padding at the end only. At the first other
 * character the text ends, for good. What follows the padding on lines of its own is kept if all of it is base64 again (a
 * list's footer, encoded by itself), else none of it; it waits for that decision in `tail`, and more than fits there is no
 * accident.
 *
 * Input: bytes of strangers, cut anywhere. State: struct base64. Never fails.
 */
#include "base64.h"

#include <endian.h>
#include <string.h>

#define BAD 1u

#define VALUE(c)                                                                                               \
	((c) >= 'A' && (c) <= 'Z' ? (c) - 'A'                                                                   \
	: (c) >= 'a' && (c) <= 'z' ? (c) - 'a' + 26                                                             \
	: (c) >= '0' && (c) <= '9' ? (c) - '0' + 52                                                             \
	: (c) == '+'		     ? 62                                                                         \
	: (c) == '/'		     ? 63                                                                         \
				     : 64)
#define AT(c, shift) (VALUE(c) == 64 ? BAD : (uint32_t)VALUE(c) << (shift))
#define FOUR(c, shift) AT(c, shift), AT(c + 1, shift), AT(c + 2, shift), AT(c + 3, shift)
#define SIXTEEN(c, shift) FOUR(c, shift), FOUR(c + 4, shift), FOUR(c + 8, shift), FOUR(c + 12, shift)
#define SIXTYFOUR(c, shift) SIXTEEN(c, shift), SIXTEEN(c + 16, shift), SIXTEEN(c + 32, shift), SIXTEEN(c + 48, shift)
#define TABLE(shift) {SIXTYFOUR(0, shift), SIXTYFOUR(64, shift), SIXTYFOUR(128, shift), SIXTYFOUR(192, shift)}

/* The four characters of a group, each at its place in a big-endian word of which three bytes count. */
static const uint32_t first[256] = TABLE(26), second[256] = TABLE(20), third[256] = TABLE(14), fourth[256] = TABLE(8);

enum base64_state {
	BASE64_DATA,
	BASE64_PADDED, /* the group had one "=" and needs another */
	BASE64_ENDED,  /* after the padding */
	BASE64_AFTER,  /* and the end of its line: a tail may follow */
	BASE64_BROKEN, /* nothing more is taken */
};

unsigned base64_value(uint8_t c)
{
	return fourth[c] == BAD ? 64 : fourth[c] >> 8;
}

void base64_begin(struct base64 *b)
{
	memset(b, 0, offsetof(struct base64, tail));
}

static uint32_t group(const uint8_t *in)
{
	return first[in[0]] | second[in[1]] | third[in[2]] | fourth[in[3]];
}

/* Three bytes, and one of rubbish. */
static void put_group(uint8_t *out, uint32_t word)
{
	word = htobe32(word);
	memcpy(out, &word, 4);
}

/* Whole groups while there are any; line ends between them. Returns where it stopped. */
static const uint8_t *groups(const uint8_t *in, const uint8_t *end, uint8_t **out)
{
	uint8_t *o = *out;

	while (end - in >= 4) {
		if (end - in < 4)
			break;
		uint32_t word = group(in);
		if ((word & BAD) == 0) {
			put_group(o, word);
			o += 3;
			in += 4;
		} else if (in[0] == '\r' && in[1] == '\n') {
			in += 2;
		} else if (in[0] == '\n') {
			in++;
		} else {
			break;
		}
	}
	*out = o;
	return in;
}

static void broken(struct base64 *b)
{
	b->state = BASE64_BROKEN;
	b->flags |= MIME_FLAG(BASE64_BROKEN);
	b->ntail = 0;
	b->nquad = 0;
}

/* A byte of the result: out, or to where the tail waits. */
static void put(struct base64 *b, uint8_t byte, uint8_t **out)
{
	if (!b->in_tail) {
		*(*out)++ = byte;
		return;
	}
	if (b->ntail == MAIL_BASE64_TAIL) {
		memcpy(*out, b->tail, b->ntail);
		*out += b->ntail;
		b->ntail = 0;
		b->in_tail = false;
		*(*out)++ = byte;
		return;
	}
	b->tail[b->ntail++] = byte;
}

/* What the sextets so far hold as whole bytes. */
static void flush(struct base64 *b, uint8_t **out)
{
	uint32_t bits = b->quad << (24 - 6 * b->nquad);

	for (unsigned i = 0; i + 1 < b->nquad; i++)
		put(b, (uint8_t)(bits >> (16 - 8 * i)), out);
	b->nquad = 0;
	b->quad = 0;
}

static void padding(struct base64 *b, uint8_t **out)
{
	if (b->state == BASE64_PADDED) {
		b->state = BASE64_ENDED;
	} else if (b->state == BASE64_DATA && b->nquad >= 2) {
		b->state = b->nquad == 2 ? BASE64_PADDED : BASE64_ENDED;
		flush(b, out);
	} else {
		broken(b);
	}
}

static void character(struct base64 *b, uint8_t c, uint8_t **out)
{
	if (c == '\r' || c == '\n') {
		if (b->state == BASE64_ENDED && c == '\n')
			b->state = BASE64_AFTER;
		return;
	}
	if (c == ' ' || c == '\t') {
		b->flags |= MIME_FLAG(BASE64_BLANK);
		return;
	}
	if (c == '=') {
		padding(b, out);
		return;
	}
	if (b->state == BASE64_AFTER) {
		b->state = BASE64_DATA;
		b->flags |= MIME_FLAG(BASE64_TAIL);
		b->in_tail |= !b->tailed;
		b->tailed = true;
	}
	unsigned value = base64_value(c);
	if (value == 64 || b->state != BASE64_DATA) {
		broken(b);
		return;
	}
	b->quad = b->quad << 6 | value;
	if (++b->nquad == 4)
		flush(b, out);
}

size_t base64_push(struct base64 *b, const uint8_t *in, size_t n, uint8_t *out)
{
	const uint8_t *end = in + n;
	uint8_t *o = out;

	while (in < end && b->state != BASE64_BROKEN) {
		if (b->state == BASE64_DATA && b->nquad == 0 && !b->in_tail)
			in = groups(in, end, &o);
		if (in < end)
			character(b, *in++, &o);
	}
	return (size_t)(o - out);
}

size_t base64_end(struct base64 *b, uint8_t *out)
{
	uint8_t *o = out;

	if (b->nquad > 0 || b->state == BASE64_PADDED) {
		b->flags |= MIME_FLAG(BASE64_CUT);
		if (b->in_tail)
			broken(b);
		else
			flush(b, &o);
	}
	memcpy(o, b->tail, b->ntail);
	o += b->ntail;
	b->ntail = 0;
	return (size_t)(o - out);
}
