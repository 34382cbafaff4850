/*
 * reader.h: the only way to read foreign bytes.
 *
 * A bounded forward reader with a sticky error: each read past the end yields zero (or NULL) and sets
 * `bad`; parse on and test once. Modelled after the bit readers of video decoders.
 */
#ifndef SEKISHO_READER_H
#define SEKISHO_READER_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct reader {
	const uint8_t *p, *end;
	bool bad;
};

struct reader reader_init(const void *p, size_t n);
size_t reader_left(const struct reader *r);
uint8_t reader_u8(struct reader *r);
uint16_t reader_be16(struct reader *r);
uint32_t reader_be32(struct reader *r);
uint64_t reader_be64(struct reader *r);
/* Host order: netlink headers and structs of our own processes. */
uint16_t reader_u16(struct reader *r);
uint32_t reader_u32(struct reader *r);
uint64_t reader_u64(struct reader *r);
/* n bytes in place, or NULL. */
const uint8_t *reader_bytes(struct reader *r, size_t n);
/* n bytes copied to dst; on error dst is zeroed. */
void reader_copy(struct reader *r, void *dst, size_t n);
void reader_skip(struct reader *r, size_t n);
/* A reader over the next n bytes, which are consumed here; bad (in both) when they are not there. */
struct reader reader_sub(struct reader *r, size_t n);

#endif
