/*
 * tokens.h: one line as words.
 */
#ifndef CONFIG_TOKENS_H
#define CONFIG_TOKENS_H

#include <sekisho/limits.h>

#include <stdbool.h>
#include <stddef.h>

struct diag_list;
struct line;

struct token {
	const char *text; /* NUL-terminated, quotes and escapes resolved; valid until the next line */
	size_t n;
	bool quoted;
};

/* Every second byte may be a word. */
#define TOKENS_MAX (LIMIT_LINE / 2 + 1)

struct tokens {
	struct token v[TOKENS_MAX];
	size_t n;
	const char *comment; /* in the line itself: what follows '#' and a blank, without blanks at its end; NULL = none */
	size_t ncomment;
	char text[LIMIT_LINE + TOKENS_MAX];
};

/*
 * Splits a clean line into words. Words are separated by spaces or tabs; "…" holds any text, with \" and \\
 * inside; # outside of quotes, at the start of a word, begins a comment. A line that cannot be split is
 * reported and gives false; an empty one gives no words.
 */
bool tokens_split(const struct line *line, struct diag_list *diags, struct tokens *ret);

#endif
