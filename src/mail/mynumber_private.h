/*
 * mynumber_private.h: shared by mynumber*.c.
 */
#ifndef SEKISHO_MYNUMBER_PRIVATE_H
#define SEKISHO_MYNUMBER_PRIVATE_H

#include <sekisho/mynumber.h>

/* mynumber_words.c: the index of words; a character for them (folded form is returned); where words end is noted in m. */
void mynumber_words_begin(struct mynumber *m);
uint32_t mynumber_fold(uint32_t point);
void mynumber_words(struct mynumber *m, uint32_t folded);

/* mynumber_hits.c: a number of 12 digits was read, from this group to that; a word for it was read. */
void mynumber_judge(struct mynumber *m, uint64_t value, const struct mynumber_group *first, const struct mynumber_group *last);
void mynumber_named(struct mynumber *m);

#endif
