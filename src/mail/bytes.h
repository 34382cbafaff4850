/*
 * bytes.h: eight bytes at a time. A mask has the top bit of each byte that is meant; what stands above the first of them in the
 * mask may be wrong where a byte is no ASCII, so only the first counts.
 */
#ifndef SEKISHO_MAIL_BYTES_H
#define SEKISHO_MAIL_BYTES_H

#include <endian.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#define BYTES_ONES 0x0101010101010101u
#define BYTES_TOPS 0x8080808080808080u

/* The first byte is the lowest. */
static inline uint64_t bytes_load(const void *s)
{
	uint64_t word;
	memcpy(&word, s, sizeof(word));
	return le64toh(word);
}

/* Those that are c; every byte of the word is ASCII. */
static inline uint64_t bytes_equal(uint64_t word, uint8_t c)
{
	return ~((word ^ BYTES_ONES * c) + BYTES_ONES * 0x7f) & BYTES_TOPS;
}

/* Those that are less than c, which is ASCII; every byte of the word is ASCII. */
static inline uint64_t bytes_below(uint64_t word, uint8_t c)
{
	return ~(word + BYTES_ONES * (0x80u - c)) & BYTES_TOPS;
}

/* Where the first byte of a mask is that is not 0. */
static inline size_t bytes_first(uint64_t mask)
{
	return (size_t)__builtin_ctzll(mask) / 8;
}

/* memcpy() for what is mostly short. */
static inline void bytes_copy(char *to, const char *from, size_t n)
{
	uint64_t a, b;
	uint32_t c, d;

	if (n > 16) {
		memcpy(to, from, n);
	} else if (n >= 8) {
		memcpy(&a, from, 8), memcpy(&b, from + n - 8, 8);
		memcpy(to, &a, 8), memcpy(to + n - 8, &b, 8);
	} else if (n >= 4) {
		memcpy(&c, from, 4), memcpy(&d, from + n - 4, 4);
		memcpy(to, &c, 4), memcpy(to + n - 4, &d, 4);
	} else if (n > 0) {
		to[0] = from[0], to[n / 2] = from[n / 2], to[n - 1] = from[n - 1];
	}
}

#endif
