/*
 * charset.h: text of mail from the charsets that Japanese mail uses, to UTF-8, by tables of our own.
 *
 * A name chooses one row of a fixed list and reaches nothing else (no iconv, no loader). What has no meaning
 * becomes U+FFFD and is counted; nothing is dropped in silence but a byte order mark at the very beginning.
 * The output is valid UTF-8 whatever the input, but it may hold every scalar value: controls, private use,
 * noncharacters. What of that a reader may see is for mailtext.h to say.
 *
 * Windows' mapping is the one for Japanese (U+FF5E for the wave dash, U+FF0D for the minus sign), NEC's and IBM's
 * characters are part of ISO-2022-JP, Shift_JIS and EUC-JP, and ISO-8859-1 is windows-1252, as everywhere today.
 */
#ifndef SEKISHO_CHARSET_H
#define SEKISHO_CHARSET_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum charset {
	CHARSET_UNKNOWN, /* not on the list: the text is not decoded at all */
	CHARSET_ASCII,
	CHARSET_UTF_8,
	CHARSET_ISO_2022_JP,
	CHARSET_SHIFT_JIS,
	CHARSET_EUC_JP,
	CHARSET_UTF_16, /* byte order mark, else little endian */
	CHARSET_UTF_16LE,
	CHARSET_UTF_16BE,
	CHARSET_WINDOWS_1250,
	CHARSET_WINDOWS_1251,
	CHARSET_WINDOWS_1252, /* ISO-8859-1 too */
	CHARSET_WINDOWS_1253,
	CHARSET_WINDOWS_1254, /* ISO-8859-9 too */
	CHARSET_WINDOWS_1255,
	CHARSET_WINDOWS_1256,
	CHARSET_WINDOWS_1257,
	CHARSET_WINDOWS_1258,
	CHARSET_ISO_8859_15,
	CHARSET_COUNT,
};

/* The charset of a label, case and blanks around it ignored; CHARSET_UNKNOWN for any other. */
enum charset charset_find(const char *name, size_t n);

/* The name for people and for the report, such as "ISO-2022-JP"; "unknown" for CHARSET_UNKNOWN. */
const char *charset_name(enum charset charset);

/* One text on its way. A plain value without pointers: begin again to use it again. */
struct decoder {
	uint64_t errors; /* what became U+FFFD */
	uint64_t eight;	 /* half-width kana of eight bits in ISO-2022-JP: readable, but is it what the label says? */
	enum charset charset;
	bool begun;	  /* the place for a byte order mark is past */
	uint8_t set;	  /* ISO-2022-JP: what is designated */
	bool shifted;	  /* ISO-2022-JP: after SO */
	uint8_t escaped;  /* ISO-2022-JP: escapes since the last text */
	uint8_t npending; /* bytes of a character or escape that has not come whole */
	uint8_t pending[4];
};

/* What n bytes of input need at most, with what was pending before. */
#define DECODER_OUT(n) ((size_t)(n) * 3 + 32)

/* CHARSET_UNKNOWN decodes as ASCII: every other byte an error. */
void decoder_begin(struct decoder *d, enum charset charset);

/* Decodes n bytes; out holds DECODER_OUT(n) bytes. Returns how many were written. However a text is cut into
 * pieces, the result is the same. */
size_t decoder_push(struct decoder *d, const void *in, size_t n, char *out);

/* The end of the text: what is unfinished becomes U+FFFD. out holds DECODER_OUT(0) bytes. */
size_t decoder_end(struct decoder *d, char *out);

/*
 * Which charset a text has that is labelled `declared`: labels lie, and the same text must always give the
 * same answer. bytes is the whole text as it came (or its beginning: an unfinished character at the end does not
 * count). The first that holds:
 *   0. seven-bit text with a designation of ISO-2022-JP that is valid as such (labelled US-ASCII, UTF-8, ...);
 *   1. declared, if the text is valid in it; for a text labelled ISO-2022-JP also if it is of seven bits or
 *      has designations: its errors are damage, and no other charset explains the escapes;
 *   2. UTF-8, if valid; 3. Shift_JIS, if valid; 4. declared, with U+FFFD where it must be.
 * CHARSET_UNKNOWN stays CHARSET_UNKNOWN: what is not on the list is not guessed at.
 */
enum charset charset_settle(enum charset declared, const void *bytes, size_t n);

#endif
