/*
 * ir_encode.c: the compiler's growing sections become one block of memory.
 *
 * Input: our own records. Output: header, then every section in the order of IR_SECTIONS, each aligned to
 * 8 bytes, padding zeroed, checksum over all. ir_open.c is its pair and checks everything that is promised
 * here. Without memory the process ends.
 */
#include "compile.h"

#include <sekisho/crc.h>

#include <stdlib.h>
#include <string.h>

/* Makes room for `count` more zeroed records, counts them and returns the first. */
void *ir_grow(void **items, size_t *n, size_t *cap, size_t count, size_t size)
{
	if (*cap - *n < count) {
		size_t more = *cap < 16 ? 16 : *cap * 2;
		while (more - *n < count)
			more *= 2;
		void *grown = reallocarray(*items, more, size);
		if (grown == NULL)
			abort();
		*items = grown;
		*cap = more;
	}
	void *first = memset((unsigned char *)*items + *n * size, 0, count * size);
	*n += count;
	return first;
}

void ir_builder_init(struct ir_builder *b, struct arena *a)
{
	*b = (struct ir_builder){.interned = strmap_new(), .arena = a};
	IR_PUSH(b, strings); /* offset 0: the empty string */
}

void ir_builder_free(struct ir_builder *b)
{
#define X(NAME, type, member) free(b->member);
	IR_SECTIONS(X)
#undef X
	strmap_free(b->interned);
}

/* The offset of a string in the string section; equal strings share one. NULL is the empty string. */
ir_str ir_intern(struct ir_builder *b, const char *s)
{
	uint32_t at;

	if (s == NULL || *s == '\0')
		return 0;
	if (strmap_get(b->interned, s, &at))
		return at;
	size_t n = strlen(s) + 1;
	at = (uint32_t)b->nstrings;
	memcpy(IR_PUSH_N(b, strings, n), s, n);
	strmap_add(b->interned, arena_strdup(b->arena, s), at);
	return at;
}

void ir_put_range(struct ir_range *dst, const struct addr_range *r)
{
	memcpy(dst->lo, r->lo.b, sizeof(dst->lo));
	memcpy(dst->hi, r->hi.b, sizeof(dst->hi));
}

static size_t align8(size_t n)
{
	return (n + 7) & ~(size_t)7;
}

void ir_encode(const struct ir_builder *b, struct buf *out)
{
	struct ir_header h = {.magic = IR_MAGIC, .version = IR_VERSION, .nsections = IR_NSECTIONS};
	size_t at = align8(sizeof(h));

#define X(NAME, type, member)                                                                                \
	h.section[IR_##NAME].off = at;                                                                       \
	h.section[IR_##NAME].n = (uint32_t)b->n##member;                                                     \
	h.section[IR_##NAME].record = sizeof(struct type);                                                   \
	at = align8(at + b->n##member * sizeof(struct type));
	IR_SECTIONS(X)
#undef X
	h.size = at;
	uint8_t *p = buf_reserve(out, at);
	memcpy(p, &h, sizeof(h));
#define X(NAME, type, member)                                                                                \
	if (b->n##member > 0)                                                                                \
		memcpy(p + h.section[IR_##NAME].off, b->member, b->n##member * sizeof(struct type));
	IR_SECTIONS(X)
#undef X
	h.crc = crc32c(0, p, at);
	memcpy(p, &h, sizeof(h));
}
