/*
 * shell_words.h: the words of a line against the table of commands: abbreviations written out, and what may
 * follow.
 */
#ifndef CONSOLE_SHELL_WORDS_H
#define CONSOLE_SHELL_WORDS_H

#include "args.h"
#include "shell_line.h"

#include <sekisho/buf.h>

struct shell;

/* A command line with its abbreviations written out, for args_parse(). */
struct typed_words {
	enum place place; /* where it is read: that of the shell, or OPERATE behind `run` */
	char *argv[2 * LINE_WORDS_MAX + 2];
	int argc;
	struct buf raw; /* of a row with `rest`: what stands behind its word, as typed */
};

/*
 * Fills *ret from the words of a command (without its pipes). Words of the table may be abbreviated when they
 * are unique; options may be written without their "--". False with the message when a word is ambiguous.
 * words_free() follows in each case; the words point into `l`.
 */
bool words_expand(enum place place, const struct line *l, struct typed_words *ret, struct buf *error);
void words_free(struct typed_words *w);

enum offer_kind {
	OFFER_WORD, /* may be inserted */
	OFFER_NAME, /* may be inserted, in quotes where it needs them */
	OFFER_FORM, /* says what is meant: "<TIME>" */
};
typedef void offer_fn(void *arg, const char *word, enum offer_kind kind, const char *help);

/*
 * Offers what may stand in the place of the last word of `text`, or behind it when it ends in a blank.
 * Returns the bytes of text that an offered word takes the place of.
 */
size_t words_offer(struct shell *sh, enum place place, const char *text, offer_fn *fn, void *arg);

/* "a" as it must be typed: in quotes when it holds blanks, quotes, or begins like something else. */
void words_quoted(struct buf *out, const char *word);

#endif
