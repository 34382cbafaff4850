/*
 * words.h: is a word one of a list that is known when we are built? words.py places the words of a list by their hash, so
 * that one look nearly always decides; what is found is compared whole, so the hash need not be strong.
 */
#ifndef SEKISHO_MAIL_WORDS_H
#define SEKISHO_MAIL_WORDS_H

#include <stdbool.h>

#include "bytes.h"

struct word {
	uint64_t first, last; /* struct word_pair */
	uint16_t at; /* in the text */
	uint8_t length;
};

/* A list. `slots` has bits.. places, more than twice as many as words: 0, or the number of a word and 1. */
struct words {
	const char *text;
	const struct word *words;
	const uint16_t *slots;
	unsigned bits;
};

static inline uint32_t word_load32(const char *s)
{
	uint32_t v;
	memcpy(&v, s, sizeof(v));
	return le32toh(v);
}

/* The first and the last bytes of a word: all of it, if it has no more than WORD_PAIR. */
#define WORD_PAIR 16u
struct word_pair {
	uint64_t first, last;
};

static inline struct word_pair word_pair(const char *s, size_t n)
{
	if (n >= 8)
		return (struct word_pair){bytes_load(s), bytes_load(s + n - 8)};
	if (n >= 4)
		return (struct word_pair){word_load32(s), word_load32(s + n - 4)};
	if (n == 0)
		return (struct word_pair){0};
	return (struct word_pair){(uint8_t)s[0] | (uint32_t)(uint8_t)s[n / 2] << 8 | (uint32_t)(uint8_t)s[n - 1] << 16, 0};
}

/* The same as in words.py. */
static inline uint32_t word_hash(struct word_pair pair, size_t n, unsigned bits)
{
	return (uint32_t)((pair.first * 0x9e3779b97f4a7c15u + (pair.last + n) * 0xc2b2ae3d27d4eb4fu) >> (64 - bits));
}

/* fold: capital letters count as small ones. Then the list's words have small letters and '-' only, and s no CR. */
static inline __attribute__((always_inline)) int word_search(const struct words *list, const char *s, size_t n, bool fold)
{
	const uint64_t small = fold ? n >= 8 ? 0x2020202020202020u : n >= 4 ? 0x20202020u : 0x202020u : 0;
	uint32_t mask = (1u << list->bits) - 1;
	struct word_pair pair = word_pair(s, n);

	pair.first |= small;
	pair.last |= n >= 4 ? small : 0;
	for (uint32_t i = word_hash(pair, n, list->bits); list->slots[i] != 0; i = (i + 1) & mask) {
		const struct word *w = &list->words[list->slots[i] - 1];
		if (w->length == n && w->first == pair.first && w->last == pair.last &&
			(n <= WORD_PAIR || memcmp(list->text + w->at, s, n) == 0))
			return list->slots[i] - 1;
	}
	return -1;
}

/* The number of a word in its list, or -1. */
static inline int word_find(const struct words *list, const char *s, size_t n)
{
	return word_search(list, s, n, false);
}

static inline int word_find_folded(const struct words *list, const char *s, size_t n)
{
	return n <= WORD_PAIR ? word_search(list, s, n, true) : -1;
}

#endif
