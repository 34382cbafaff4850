/*
 * mailverify.h: is this the harmless mail that the gate may send on? A recogniser of the language written down in
 * rootfs/doc/mail-output.md, and of nothing else. It shares no code with the cleaner, and is made from that page alone.
 *
 * It reads from the front and never looks back: line by line the bytes are proven to be a beginning of a mail of the
 * language, and only proven lines may leave. A mail is one when the end has been proven as well.
 */
#ifndef SEKISHO_MAILVERIFY_H
#define SEKISHO_MAILVERIFY_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* name, word */
#define MAILVERIFY_LIST(X)                                                                              \
	X(OK, "ok")                                                                                     \
	X(LINE_END, "line-end")                                                                         \
	X(LINE_LENGTH, "line-length")                                                                   \
	X(HEADER_LENGTH, "header-length")                                                               \
	X(FIELD_NAME, "field-name")                                                                     \
	X(FIELD_ORDER, "field-order")                                                                   \
	X(FIELD_VALUE, "field-value")                                                                   \
	X(WORD, "encoded-word")                                                                         \
	X(BASE64, "base64")                                                                             \
	X(UTF8, "utf8")                                                                                 \
	X(CHARACTER, "character")                                                                       \
	X(LINK, "link")                                                                                 \
	X(TEXT_END, "text-end")                                                                         \
	X(SIZE, "size")                                                                                 \
	X(TRUNCATED, "truncated")

enum mailverify_reason {
#define X(NAME, word) MAILVERIFY_##NAME,
	MAILVERIFY_LIST(X)
#undef X
	MAILVERIFY_REASONS,
};

/* The longest line with its CR LF: whoever pushes must be able to keep that many bytes together. */
#define MAILVERIFY_LINE_MAX 322
#define MAILVERIFY_TEXT_MAX 1310720 /* bytes of the text, decoded: section 5 */

struct mailverify_options {
	uint64_t size_max; /* bytes of the mail */
	bool private_use;  /* characters of private use (外字) may pass */
};

struct mailverify {
	struct mailverify_options options;
	enum mailverify_reason reason;
	uint64_t offset; /* proven bytes; once refused: of the byte that is refused */
	/* its own: the header */
	uint32_t header; /* bytes of it */
	uint8_t stage;	 /* fields, the fixed lines, the body */
	uint8_t field;	 /* the one that is open, counted from 1; earlier ones cannot come any more */
	uint8_t fixed;	 /* of the fixed lines that were there */
	uint8_t step;	 /* of a date; in a mailbox or an item of a list: what came last */
	uint16_t items;	 /* mailboxes or names of the field */
	bool from;	 /* there was a From */
	bool words;	 /* the text that is open consists of encoded words */
	/* of the text */
	bool last; /* the line before was the body's last */
	uint8_t need, least, most; /* bytes that a character lacks, and what the next one may be */
	uint8_t base, marks;	   /* what stands before, and the marks on it */
	uint32_t point;		   /* as far as it is there */
	uint32_t text;		   /* bytes of text */
	uint64_t tail;		   /* its last bytes, the newest lowest */
};

void mailverify_begin(struct mailverify *v, const struct mailverify_options *options);

/*
 * Looks at the n bytes behind those that are proven. Returns how many of them, from the first, are proven now: whole
 * lines, which may leave. The rest is not kept: give it again, with more behind it. Once v->reason is not
 * MAILVERIFY_OK nothing is proven any more.
 */
size_t mailverify_push(struct mailverify *v, const void *bytes, size_t n);

/* The mail has ended; `left`: bytes that were given and not proven. Returns v->reason: MAILVERIFY_OK, or why not. */
enum mailverify_reason mailverify_end(struct mailverify *v, size_t left);

/* "line-end"; never NULL. */
const char *mailverify_word(enum mailverify_reason reason);

#endif
