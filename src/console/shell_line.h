/*
 * shell_line.h: one line of the shell as words and pipes.
 */
#ifndef CONSOLE_SHELL_LINE_H
#define CONSOLE_SHELL_LINE_H

#include <stdbool.h>
#include <stddef.h>

struct buf;

#define LINE_BYTES_MAX 16384 /* the longest line of a policy is shorter */
#define LINE_WORDS_MAX 512
#define LINE_PIPES_MAX 8

struct line_word {
	char *text;	   /* quotes and escapes resolved */
	size_t start, end; /* where it stands in the line */
	bool quoted;
};

struct line {
	char *raw;   /* the line itself */
	char *texts; /* memory of the words */
	struct line_word words[LINE_WORDS_MAX];
	unsigned nwords;
	unsigned pipes[LINE_PIPES_MAX]; /* index of the first word behind each "|" */
	unsigned npipes;
	bool open;  /* a quotation does not end */
	bool blank; /* the line ends in a blank, or is empty: the next word begins behind it */
};

/*
 * Splits a line as a policy's line is split: blanks between words, "…" with \" and \\ inside, `#` before a
 * word begins a comment; and `|`, alone or in front of a word, begins a pipe. With `unfinished` a quotation
 * may be open at the end. False with the message in `error` when the line cannot be split. line_free()
 * follows in each case.
 */
bool line_read(struct line *l, const char *text, bool unfinished, struct buf *error);
void line_free(struct line *l);

/* The first word behind those of the command itself: that of the first pipe, or nwords. */
unsigned line_command_words(const struct line *l);

/* The text of words [from, to) as it was typed, appended. */
void line_text(const struct line *l, unsigned from, unsigned to, struct buf *out);

#endif
