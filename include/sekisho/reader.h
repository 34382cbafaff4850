/*
 * reader.h: the only way to read foreign bytes.
 *
 * A bounded forward reader with a sticky error: each read past the end yields zero (or NULL) and sets
 * `bad`; parse on and test once. Modelled after the bit readers of video decoders.
 */
#ifndef SEKISHO_READER_H
#define SEKISHO_READER_H

#include <endian.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

struct reader {
	const uint8_t *p, *end;
	bool bad;
};

static inline struct reader reader_init(const void *p, size_t n)
{
	return (struct reader){.p = p, .end = (const uint8_t *)p + n};
}

static inline size_t reader_left(const struct reader *r)
{
	return r->bad ? 0 : (size_t)(r->end - r->p);
}

/* n bytes in place, or NULL. Every read below goes through here; inline, because each packet makes some fifty. */
static inline const uint8_t *reader_bytes(struct reader *r, size_t n)
{
	if (r->bad || (size_t)(r->end - r->p) < n) {
		r->bad = true;
		return NULL;
	}
	const uint8_t *p = r->p;
	r->p += n;
	return p;
}

static inline void reader_skip(struct reader *r, size_t n)
{
	reader_bytes(r, n);
}

/* n bytes copied to dst; on error dst is zeroed. */
static inline void reader_copy(struct reader *r, void *dst, size_t n)
{
	const uint8_t *p = reader_bytes(r, n);

	if (p == NULL)
		memset(dst, 0, n);
	else
		memcpy(dst, p, n);
}

static inline uint8_t reader_u8(struct reader *r)
{
	uint8_t v;
	reader_copy(r, &v, sizeof(v));
	return v;
}

/* Host order: netlink headers and structs of our own processes. */
static inline uint16_t reader_u16(struct reader *r)
{
	uint16_t v;
	reader_copy(r, &v, sizeof(v));
	return v;
}

static inline uint32_t reader_u32(struct reader *r)
{
	uint32_t v;
	reader_copy(r, &v, sizeof(v));
	return v;
}

static inline uint64_t reader_u64(struct reader *r)
{
	uint64_t v;
	reader_copy(r, &v, sizeof(v));
	return v;
}

static inline uint16_t reader_be16(struct reader *r)
{
	return be16toh(reader_u16(r));
}

static inline uint32_t reader_be32(struct reader *r)
{
	return be32toh(reader_u32(r));
}

static inline uint64_t reader_be64(struct reader *r)
{
	return be64toh(reader_u64(r));
}

/* A reader over the next n bytes, which are consumed here; bad (in both) when they are not there. */
struct reader reader_sub(struct reader *r, size_t n);

#endif
