/*
 * charset_iso2022jp.c: ISO-2022-JP as mail in Japan has it (RFC 1468, Windows' code pages 50220 to 50222).
 *
 * Beyond RFC 1468: NEC's and IBM's characters in JIS X 0208, half-width kana by ESC ( I, by SO and SI and
 * with eight bits, JIS X 0212 (RFC 1554's part that is Japanese), JIS X 0213 (ISO-2022-JP-3 and -2004).
 *
 * Errors follow the WHATWG's standard: an escape that is none is U+FFFD and what follows it is read as text;
 * a byte that does not fit, a cell without a character and half a character are U+FFFD; two escapes with no
 * text between are an error, so that nothing can be hidden in them. We differ where real mail is right:
 *   - a line end returns to ASCII (RFC 1468 demands it of the sender; a lost escape ruins one line, not all);
 *   - a line end, SO or SI is not swallowed as the second byte of a character;
 *   - space and tab are themselves in every set of 94, as ISO 2022 says;
 *   - ESC ( B and then an escape out of ASCII is no error: so encoded words look that were joined.
 */
#include "charset_core.h"

enum { SET_ASCII, SET_ROMAN, SET_KANA, SET_0208, SET_0212, SET_0213_1, SET_0213_2, SET_SAME, SET_NONE };
/* decoder.escaped: text was last; a return to ASCII after text; any other escape. */
enum { AFTER_TEXT, AFTER_RETURN, AFTER_ESCAPE };

/* The final byte after ESC ( */
static uint8_t single_set(uint8_t final)
{
	switch (final) {
	case 'B':
		return SET_ASCII;
	case 'J':
	case 'H': /* Swedish by the register, Roman to old programs */
		return SET_ROMAN;
	case 'I':
		return SET_KANA;
	default:
		return SET_NONE;
	}
}

/* The final byte after ESC $ ( */
static uint8_t double_set(uint8_t final)
{
	switch (final) {
	case '@': /* the edition of 1978 */
	case 'B':
		return SET_0208;
	case 'D':
		return SET_0212;
	case 'O': /* the edition of 2000 */
	case 'Q':
		return SET_0213_1;
	case 'P':
		return SET_0213_2;
	default:
		return SET_NONE;
	}
}

/* What an escape designates; in is behind ESC and whole. */
static uint8_t escape_set(const uint8_t *in)
{
	if (in[0] == '(')
		return single_set(in[1]);
	if (in[0] == '&') /* announces the edition of 1990, before its ESC $ B */
		return in[1] == '@' ? SET_SAME : SET_NONE;
	if (in[1] == '(')
		return double_set(in[2]);
	return in[1] == '@' || in[1] == 'B' ? SET_0208 : SET_NONE;
}

/* Takes note of an escape to the set; an error if nothing stood between it and the one before. */
static void designate(struct decoder *d, uint8_t set, char **out)
{
	bool single = set == SET_ASCII || set == SET_ROMAN;

	d->shifted = false;
	if (set == SET_SAME)
		return;
	d->set = set;
	if (d->escaped == AFTER_ESCAPE || (d->escaped == AFTER_RETURN && single))
		*out = charset_error(d, *out);
	d->escaped = d->escaped == AFTER_TEXT && single ? AFTER_RETURN : AFTER_ESCAPE;
}

/* in[0] is ESC. Returns bytes taken; 0: more must come. */
static size_t escape(struct decoder *d, const uint8_t *in, size_t n, bool last, char **out)
{
	size_t length = 3;

	if (n >= 2 && in[1] != '(' && in[1] != '$' && in[1] != '&')
		length = 1;
	else if (n >= 3 && in[1] == '$' && in[2] == '(')
		length = 4;
	if (n < length && !last)
		return 0;
	uint8_t set = length > 1 && n >= length ? escape_set(in + 1) : SET_NONE;
	if (set != SET_NONE) {
		designate(d, set, out);
		return length;
	}
	*out = charset_error(d, *out);
	d->escaped = AFTER_TEXT;
	return 1;
}

static const uint16_t *short_table(uint8_t set)
{
	return set == SET_0212 ? charset_jis0212 : set == SET_0213_1 ? charset_jis0213_1 : charset_jis0213_2;
}

/* One character of a set of two bytes. */
static char *put_double(struct decoder *d, unsigned cell, char *out)
{
	if (d->set == SET_0208) {
		uint32_t entry = charset_jis0208[cell];
		return entry != 0 ? charset_packed(out, entry) : charset_error(d, out);
	}
	uint16_t code = short_table(d->set)[cell];
	if (code == 0)
		return charset_error(d, out);
	if (code < JIS_SEQUENCE || code >= 0xf000)
		return charset_put(out, code);
	const struct charset_sequence *s = &charset_sequences[code - JIS_SEQUENCE];
	out = charset_put(out, s->code[0]);
	return s->code[1] != 0 ? charset_put(out, s->code[1]) : out;
}

/* Text of ASCII up to the first byte that means anything else. Returns bytes taken. */
static size_t run_ascii(const uint8_t *in, size_t n, char **out)
{
	const uint64_t ones = 0x0101010101010101u, tops = 0x8080808080808080u;
	size_t i = 0;
	char *o = *out;

	for (; i + 8 <= n; i += 8) {
		uint64_t word, esc, shift;
		memcpy(&word, in + i, sizeof(word));
		esc = word ^ ones * ESC;
		shift = (word & ones * 0xfe) ^ ones * 0x0e; /* 0E and 0F: SO and SI */
		if (((word | (esc - ones) | (shift - ones)) & tops) != 0)
			break;
		memcpy(o + i, &word, sizeof(word));
	}
	for (; i < n && in[i] < 0x80 && in[i] != ESC && (in[i] & 0xfe) != 0x0e; i++)
		o[i] = (char)in[i];
	*out = o + i;
	return i;
}

/* A byte in a set of one byte. */
static char *put_single(struct decoder *d, unsigned byte, char *out)
{
	bool kana = d->shifted || d->set == SET_KANA;

	if (charset_within(byte, 0xa1, 0xdf)) {
		d->eight++;
		return charset_kana(out, byte - 0x80);
	}
	if (byte >= 0x80)
		return charset_error(d, out);
	if (kana && byte > 0x20)
		return byte < 0x60 ? charset_kana(out, byte) : charset_error(d, out);
	if (d->set == SET_ROMAN && (byte == 0x5c || byte == 0x7e))
		return charset_put(out, byte == 0x5c ? 0xa5 : 0x203e);
	*out = (char)byte;
	return out + 1;
}

/* What is neither a run nor an escape. Returns bytes taken; 0: more must come. */
static size_t one(struct decoder *d, const uint8_t *in, size_t n, bool last, char **out)
{
	unsigned byte = in[0];

	if (byte == '\r' || byte == '\n') {
		d->set = SET_ASCII;
		d->shifted = false;
	} else if (byte == 0x0e || byte == 0x0f) {
		if ((byte == 0x0e) == d->shifted)
			*out = charset_error(d, *out);
		d->shifted = byte == 0x0e;
		return 1;
	} else if (d->shifted || d->set < SET_0208) {
		*out = put_single(d, byte, *out);
		d->escaped = AFTER_TEXT;
		return 1;
	}
	d->escaped = AFTER_TEXT;
	if (byte == '\r' || byte == '\n' || byte == ' ' || byte == '\t') {
		*(*out)++ = (char)byte;
		return 1;
	}
	if (!charset_within(byte, 0x21, 0x7e)) {
		*out = charset_error(d, *out);
		return 1;
	}
	if (n < 2 && !last)
		return 0;
	if (n >= 2 && charset_within(in[1], 0x21, 0x7e)) {
		*out = put_double(d, (byte - 0x21) * 94 + in[1] - 0x21, *out);
		return 2;
	}
	*out = charset_error(d, *out);
	return n < 2 || in[1] == ESC || in[1] == '\r' || in[1] == '\n' || (in[1] & 0xfe) == 0x0e ? 1 : 2;
}

size_t charset_iso2022jp(struct decoder *d, const uint8_t *in, size_t n, bool last, char **out)
{
	size_t i = 0, took = 1;

	while (i < n && took != 0) {
		size_t run = 0;
		if (!d->shifted && d->set == SET_0208)
			run = charset_run_0208(in + i, n - i, 0x21, out);
		else if (!d->shifted && d->set == SET_ASCII)
			run = run_ascii(in + i, n - i, out);
		if (run != 0)
			d->escaped = AFTER_TEXT;
		i += run;
		if (i == n)
			break;
		took = in[i] == ESC ? escape(d, in + i, n - i, last, out) : one(d, in + i, n - i, last, out);
		i += took;
	}
	return i;
}
