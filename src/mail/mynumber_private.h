/*
 * mynumber_private.h: shared by mynumber*.c.
 */
#ifndef SEKISHO_MYNUMBER_PRIVATE_H
#define SEKISHO_MYNUMBER_PRIVATE_H

#include <sekisho/mynumber.h>

/* mynumber_words.c: the index of words; the folded form of a character that is not ASCII; a voiced mark; a word may end. */
void mynumber_words_begin(struct mynumber *m);
uint32_t mynumber_fold(uint32_t point);
uint32_t mynumber_voice(struct mynumber *m);
void mynumber_words_end(struct mynumber *m, uint32_t two, uint32_t three);

/* Where a word with these last characters is in the index; the first is 0 for a word of two. */
static inline uint32_t mynumber_index(uint32_t a, uint32_t b, uint32_t c)
{
	return ((a * 31 + b) * 37 + c) % MYNUMBER_INDEX;
}

/* A character for the words: nearly all end none. */
static inline void mynumber_words(struct mynumber *m, uint32_t folded)
{
	if (folded == ' ' || folded == '\t' || folded == '\n' || folded == '\r' || folded == 0x3000)
		return;
	if (folded == 0x3099 && m->nrecent > 0)
		folded = mynumber_voice(m);
	else
		m->recent[m->nrecent++ % MYNUMBER_RECENT] = folded;
	uint32_t before = m->recent[(m->nrecent - 2) % MYNUMBER_RECENT], two = mynumber_index(0, before, folded);
	uint32_t three = mynumber_index(m->recent[(m->nrecent - 3) % MYNUMBER_RECENT], before, folded);
	if ((m->head[two] | m->head[three]) != 0)
		mynumber_words_end(m, two, three);
}

/* mynumber_hits.c: a number of 12 digits was read, from this group to that; a word for it was read. */
void mynumber_judge(struct mynumber *m, uint64_t value, const struct mynumber_group *first,
	const struct mynumber_group *last);
void mynumber_named(struct mynumber *m);

#endif
