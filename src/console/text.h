/*
 * text.h: text on an 80-column terminal: what is safe to print, and how wide it is.
 */
#ifndef CONSOLE_TEXT_H
#define CONSOLE_TEXT_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct buf;

#define TEXT_COLUMNS 80

/* How wide text_wrap() may write from now on: TEXT_COLUMNS unless the terminal is narrower. */
void text_set_columns(size_t columns);

/*
 * The character at s, whose length goes to *ret_len (1..4). A byte that begins no valid UTF-8 sequence gives
 * TEXT_BAD and the length 1. s is not at its NUL.
 */
#define TEXT_BAD UINT32_MAX
uint32_t text_char(const char *s, size_t *ret_len);

/* Columns of one character: 0 (combining), 1 or 2. Ambiguous ones count as 2 in Japanese. */
unsigned text_char_width(uint32_t c);

/* Columns of a string as text_safe() prints it. */
size_t text_width(const char *s);

/*
 * Appends text of any origin so that a terminal shows it and does nothing else: control characters become
 * \xNN, invisible and direction-changing characters <U+NNNN>, invalid bytes U+FFFD.
 */
void text_safe(struct buf *b, const char *s);

/* text_safe(), then blanks up to `columns`; longer text is kept whole. */
void text_pad(struct buf *b, const char *s, size_t columns);

/* text_safe(), cut to `columns` with a closing "~", and padded to them. */
void text_fit(struct buf *b, const char *s, size_t columns);

/*
 * Appends our own or foreign text wrapped to the columns that are set: the cursor stands at column `at`, later lines begin with
 * `indent` blanks. Breaks at blanks and between Japanese characters, never before closing marks. Ends without a
 * newline.
 */
void text_wrap(struct buf *b, const char *s, size_t at, size_t indent);

void text_spaces(struct buf *b, size_t n);

#endif
