/*
 * words.h: which word may stand here: lookup, suggestions, and words as people would write them.
 */
#ifndef CONFIG_WORDS_H
#define CONFIG_WORDS_H

#include <stddef.h>

struct arena;
struct buf;
struct node;
struct place;

#define SCOPE_DEPTH 8

/* The places that the line has entered, outermost (the root) first. */
struct scope {
	const struct place *places[SCOPE_DEPTH];
	unsigned depth;
};

/*
 * The place that a word names here: innermost first, then further out, never beyond the first word of the
 * line. *ret_depth (may be NULL): the depth within which it stands. NULL when no place has this word.
 */
const struct place *scope_find(const struct scope *s, const char *word, size_t n, unsigned *ret_depth);

/* "did you mean …? possible here: …" for a word that is not known. */
const char *words_hint(struct arena *arena, const struct scope *s, const char *word);
/* "possible here: a, b, c" */
const char *words_possible(struct arena *arena, const struct place *place);

/* A value as it is written on a line: in quotes where it needs them. */
const char *words_quote(struct arena *arena, const char *value);
void words_add_quoted(struct buf *out, const char *value);
void words_add_in_quotes(struct buf *out, const char *value);

/* "set host jumin-ap": the words that lead to a container or list entry. */
void words_add_path(struct buf *out, const struct node *node);

#endif
