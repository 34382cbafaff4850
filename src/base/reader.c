/*
 * reader.c: bounded forward reader with a sticky error.
 *
 * Invariant: p <= end, always; once `bad`, nothing is read any more.
 */
#include <sekisho/reader.h>

#include <string.h>

struct reader reader_init(const void *p, size_t n)
{
	return (struct reader){.p = p, .end = (const uint8_t *)p + n};
}

size_t reader_left(const struct reader *r)
{
	return r->bad ? 0 : (size_t)(r->end - r->p);
}

const uint8_t *reader_bytes(struct reader *r, size_t n)
{
	if (r->bad || (size_t)(r->end - r->p) < n) {
		r->bad = true;
		return NULL;
	}
	const uint8_t *p = r->p;
	r->p += n;
	return p;
}

void reader_copy(struct reader *r, void *dst, size_t n)
{
	const uint8_t *p = reader_bytes(r, n);

	if (p == NULL)
		memset(dst, 0, n);
	else
		memcpy(dst, p, n);
}

void reader_skip(struct reader *r, size_t n)
{
	reader_bytes(r, n);
}

struct reader reader_sub(struct reader *r, size_t n)
{
	const uint8_t *p = reader_bytes(r, n);

	if (p == NULL)
		return (struct reader){.p = r->end, .end = r->end, .bad = true};
	return reader_init(p, n);
}

uint8_t reader_u8(struct reader *r)
{
	uint8_t v;
	reader_copy(r, &v, sizeof(v));
	return v;
}

uint16_t reader_u16(struct reader *r)
{
	uint16_t v;
	reader_copy(r, &v, sizeof(v));
	return v;
}

uint32_t reader_u32(struct reader *r)
{
	uint32_t v;
	reader_copy(r, &v, sizeof(v));
	return v;
}

uint64_t reader_u64(struct reader *r)
{
	uint64_t v;
	reader_copy(r, &v, sizeof(v));
	return v;
}

uint16_t reader_be16(struct reader *r)
{
	uint8_t b[2];
	reader_copy(r, b, sizeof(b));
	return (uint16_t)(b[0] << 8 | b[1]);
}

uint32_t reader_be32(struct reader *r)
{
	uint32_t hi = reader_be16(r);
	return hi << 16 | reader_be16(r);
}

uint64_t reader_be64(struct reader *r)
{
	uint64_t hi = reader_be32(r);
	return hi << 32 | reader_be32(r);
}
