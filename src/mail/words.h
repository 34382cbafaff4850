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

/* The first eight bytes of a word, with 0 behind it if it is shorter; and the last eight, if it is not. All of it, if it has no
 * more than WORD_PAIR. */
#define WORD_PAIR 16u
struct word_pair {
	uint64_t first, last;
};

static inline struct word_pair word_pair(const char *s, size_t n)
{
	uint64_t first;

	if (n >= 8)
		return (struct word_pair){bytes_load(s), bytes_load(s + n - 8)};
	if (n >= 4)
		first = word_load32(s) | (uint64_t)word_load32(s + n - 4) << 8 * (n - 4);
	else if (n > 0)
		first = (uint8_t)s[0] | (uint32_t)(uint8_t)s[n / 2] << 8 * (n / 2) | (uint32_t)(uint8_t)s[n - 1] << 8 * (n - 1);
	else
		first = 0;
	return (struct word_pair){first, 0};
}

/* The same as in words.py. */
static inline uint32_t word_hash(struct word_pair pair, size_t n, unsigned bits)
{
	return (uint32_t)((pair.first * 0x9e3779b97f4a7c15u + (pair.last + n) * 0xc2b2ae3d27d4eb4fu) >> (64 - bits));
}

/* The number of the word of this length in its list, or -1. A long one (above WORD_PAIR) is at s. */
static inline int word_search(const struct words *list, struct word_pair pair, size_t n, const char *s)
{
	uint32_t mask = (1u << list->bits) - 1;

	for (uint32_t i = word_hash(pair, n, list->bits); list->slots[i] != 0; i = (i + 1) & mask) {
		const struct word *w = &list->words[list->slots[i] - 1];
		if (w->first == pair.first && w->last == pair.last && w->length == n &&
			(n <= WORD_PAIR || memcmp(list->text + w->at, s, n) == 0))
			return list->slots[i] - 1;
	}
	return -1;
}

static inline int word_find(const struct words *list, const char *s, size_t n)
{
	return word_search(list, word_pair(s, n), n, s);
}

/* Capital letters count as small ones. The list's words have small letters and '-' only, and s no CR. */
static inline int word_find_folded(const struct words *list, const char *s, size_t n)
{
	if (n > WORD_PAIR || n == 0)
		return -1;
	struct word_pair pair = word_pair(s, n);
	pair.first |= BYTES_ONES * 0x20 >> (n < 8 ? 64 - 8 * n : 0);
	pair.last |= n < 8 ? 0 : BYTES_ONES * 0x20;
	return word_search(list, pair, n, s);
}

#endif
