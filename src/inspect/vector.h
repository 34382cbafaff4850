/*
 * vector.h: lengths inside lengths, read from one cursor whether the bytes are there yet or not.
 *
 * A vector knows how much of a declared length is left. A length that does not fit into the one around it contradicts
 * (WHY_LENGTH) as soon as it is read, long before its bytes are there. All vectors of a message share one cursor.
 */
#ifndef SEKISHO_INSPECT_VECTOR_H
#define SEKISHO_INSPECT_VECTOR_H

#include "verify.h"

struct vector {
	struct cursor *c;
	size_t left;
};

/* Bytes in place. */
struct slice {
	const uint8_t *p;
	uint32_t n;
};

static inline bool vector_need(struct vector *v, size_t n)
{
	if (!cursor_must(v->c, n <= v->left, WHY_LENGTH))
		return false;
	v->left -= n;
	return true;
}

static inline bool vector_going(const struct vector *v)
{
	return cursor_ok(v->c) && v->left > 0;
}

/* It must be used up. */
static inline bool vector_end(const struct vector *v)
{
	return cursor_must(v->c, v->left == 0, WHY_LENGTH);
}

static inline uint8_t vector_u8(struct vector *v)
{
	return vector_need(v, 1) ? cursor_u8(v->c) : 0;
}

static inline uint16_t vector_be16(struct vector *v)
{
	return vector_need(v, 2) ? cursor_be16(v->c) : 0;
}

static inline uint16_t vector_le16(struct vector *v)
{
	return vector_need(v, 2) ? cursor_le16(v->c) : 0;
}

static inline uint32_t vector_be32(struct vector *v)
{
	return vector_need(v, 4) ? cursor_be32(v->c) : 0;
}

static inline uint32_t vector_le32(struct vector *v)
{
	return vector_need(v, 4) ? cursor_le32(v->c) : 0;
}

/* n bytes at once: nothing of them is judged before the last is there. Without them: NULL, 0. */
static inline struct slice vector_take(struct vector *v, size_t n)
{
	const uint8_t *p = vector_need(v, n) ? cursor_bytes(v->c, n) : NULL;

	return p == NULL ? (struct slice){NULL, 0} : (struct slice){p, (uint32_t)n};
}

static inline struct slice vector_rest(struct vector *v)
{
	return vector_take(v, v->left);
}

static inline struct vector vector_sub(struct vector *v, size_t n)
{
	return (struct vector){v->c, vector_need(v, n) ? n : 0};
}

static inline struct vector vector_sub8(struct vector *v)
{
	return vector_sub(v, vector_u8(v));
}

static inline struct vector vector_sub16(struct vector *v)
{
	return vector_sub(v, vector_be16(v));
}

static inline struct vector vector_sub32(struct vector *v)
{
	return vector_sub(v, vector_be32(v));
}

/* The one vector that fills what is left. */
static inline struct vector vector_fill8(struct vector *v)
{
	struct vector in = vector_sub8(v);

	vector_end(v);
	return in;
}

static inline struct vector vector_fill16(struct vector *v)
{
	struct vector in = vector_sub16(v);

	vector_end(v);
	return in;
}

#endif
