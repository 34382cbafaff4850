/*
 * line.h: protocols of text lines (SMTP, FTP, POP3, IMAP, syslog over TCP): words, replies and ends of
 * lines from a cursor, each refused at the first byte that no legal line goes on with.
 */
#ifndef SEKISHO_INSPECT_LINE_H
#define SEKISHO_INSPECT_LINE_H

#include "verify.h"

enum line_text {
	LINE_ASCII, /* printable, and tabs */
	LINE_UTF8,  /* and UTF-8 */
	LINE_8BIT,  /* and any byte from 0x80: names and passwords in whatever the ends agree on */
};

struct line_word {
	const char *word;
	uint8_t kind, argument; /* the protocol's */
};
/*
 * One of `words`, in any case, up to the first byte that cannot be in a word (which is left there). NULL:
 * the bytes ran out, or the word is none of them (`why`).
 */
const struct line_word *line_word(struct cursor *c, const struct line_word *words, size_t n, enum inspect_why why);
#define LINE_WORD(c, words, why) line_word((c), (words), sizeof(words) / sizeof((words)[0]), (why))
/* Exactly this word, in any case; what follows it is not looked at. */
bool line_expect(struct cursor *c, const char *word, enum inspect_why why);
/* The rest of a UTF-8 sequence (RFC 3629) whose first byte was read. */
void line_utf8(struct cursor *c, uint8_t first);
/* CR LF. */
bool line_end(struct cursor *c);
/*
 * The rest of the line, at most `max` bytes without CR LF, which are used up too. NULL: not all there, or
 * WHY_ENCODING (a lone CR or LF, a byte that is no text) or WHY_LENGTH.
 */
const uint8_t *line_rest(struct cursor *c, size_t max, enum line_text text, size_t *ret_n);
/* A blank and at least one more byte, then as line_rest(). */
const uint8_t *line_argument(struct cursor *c, size_t max, enum line_text text, size_t *ret_n);
/* Base64 (RFC 4648), "=" or "*" (give up), up to the end of the line. */
bool line_base64(struct cursor *c, size_t max);

/*
 * One line of a reply (RFC 959 section 4.2, RFC 5321 section 4.2): first its three digits, which the caller
 * judges, then the rest: "-" (more lines follow) or a blank, and text.
 */
uint16_t line_code(struct cursor *c);
struct line_reply {
	bool last;
	const uint8_t *text; /* without the end of the line */
	size_t n;
};
bool line_reply(struct cursor *c, struct line_reply *ret, size_t max, enum line_text text);

/* -- Talking by turns -------------------------------------------------------------------------------------- */

/*
 * Reads one line (or a part of what is no line) of `from` from c. What it used is marked as used when the
 * cursor is well afterwards. VERIFY_MORE and VERIFY_DECIDED: go on.
 */
typedef enum verify_status line_fn(struct verify *v, struct cursor *c, unsigned from);

/*
 * Gives all lines that are there to `line`, of the side first whose turn it is. Returns after a line that
 * announced a pinhole too. The status of the last line; VERIFY_MORE or `resting` when the bytes ran out.
 */
enum verify_status line_talk(struct verify *v, line_fn *line, bool (*server_speaks)(const struct verify *v),
	enum verify_status resting);

#endif
