/*
 * mailtext.h: the one place where the characters of a mail are filtered.
 *
 * Whatever text a mail had, only this leaves: letters, marks, spaces, tabs and line ends. Controls, bidirectional marks,
 * invisible characters and noncharacters are dropped (or shown as [U+202E]), private use becomes U+FFFD, the separators of
 * lines and paragraphs become line ends, every kind of blank becomes a space. Valid UTF-8 comes out of any bytes.
 */
#ifndef SEKISHO_MAILTEXT_H
#define SEKISHO_MAILTEXT_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define MAILTEXT_MARKS_MAX 8u /* combining marks on one character: the most that any writing needs is about four */

/* Receives text, whole characters each time; never keeps the pointer. */
typedef void mailtext_sink(void *arg, const char *utf8, size_t n);

struct mailtext_options {
	mailtext_sink *sink;
	void *arg;
	bool crlf;	  /* line ends are CR LF, else LF */
	bool visible;	  /* dropped characters are shown as [U+202E]: for names of files */
	bool one_line;	  /* line ends become spaces: for names and header fields */
	bool defang;	  /* http:// is written hxxp://, so that no program makes a link of it */
	bool private_use; /* keep private use (a town's own characters, 外字) */
};

#define MAILTEXT_OUT 1024u

struct mailtext {
	struct mailtext_options options;
	uint64_t dropped;  /* characters left out or shown as [U+...] */
	uint64_t replaced; /* bytes that were no UTF-8, and private use */
	uint32_t point;	   /* the character that is being decoded */
	uint32_t low;	   /* what its next byte may be: least, and most << 8 */
	uint32_t base;	   /* the last character that was no mark */
	uint8_t need;	   /* bytes that it lacks */
	uint8_t marks;	   /* on the base */
	bool cr;	   /* the last character was CR */
	uint16_t fill;
	char out[MAILTEXT_OUT];
};

/* What becomes of a character. */
enum mailtext_class {
	MAILTEXT_KEEP,
	MAILTEXT_SPACE, /* a blank of some kind */
	MAILTEXT_BREAK, /* ends a line */
	MAILTEXT_MARK,	/* combines with the character before it */
	MAILTEXT_SELECTOR, /* chooses a form of the character before it: kept on Chinese characters only */
	MAILTEXT_PRIVATE,
	MAILTEXT_DROP,
};
enum mailtext_class mailtext_class(uint32_t point);

/* The UTF-8 of a character (a scalar value, else that of U+FFFD): bytes written, at most 4. */
size_t mailtext_utf8(uint32_t point, char out[4]);

/*
 * Bytes at s that are whole characters of MAILTEXT_KEEP and single spaces between them, and neither '<' nor '&': the text of
 * HTML, up to what means something else. No slash begins it or follows another. *ret_last is the last of these characters.
 */
size_t mailtext_run(const char *s, size_t n, uint32_t *ret_last);

/* Bytes at s that are whole characters of MAILTEXT_KEEP and no ASCII. */
size_t mailtext_wide_run(const char *s, size_t n);

/* Columns on a terminal: 2 for the wide characters of East Asia, 0 for marks, else 1. */
unsigned mailtext_width(uint32_t point);

void mailtext_begin(struct mailtext *t, const struct mailtext_options *options);
/* Any bytes, cut anywhere. */
void mailtext_put(struct mailtext *t, const char *utf8, size_t n);
/* The same for one character. */
void mailtext_put_char(struct mailtext *t, uint32_t point);
/* The same for one of ASCII. */
static inline void mailtext_put_ascii(struct mailtext *t, char c)
{
	if (c < 0x20 || c > 0x7e || c == '/' || t->need > 0 || t->fill == MAILTEXT_OUT) {
		mailtext_put_char(t, (uint8_t)c);
		return;
	}
	t->out[t->fill++] = c;
	t->base = (uint8_t)c;
	t->marks = 0;
	t->cr = false;
}
/* The same for whole characters of MAILTEXT_KEEP, U+0020 and U+3000, with slashes as mailtext_run() has them: they are not
 * looked through again. */
void mailtext_put_run(struct mailtext *t, const char *utf8, size_t n);
/* Gives what is still held back. */
void mailtext_end(struct mailtext *t);

#endif
