/*
 * text.c: safe and aligned text for terminals.
 *
 * Input: bytes of any origin (names from a policy, text from the network). Output holds no control character
 * except the newlines and blanks that this file puts there: ESC, C1 controls and bidirectional overrides can
 * repaint a screen or reorder what is read. UTF-8 is RFC 3629 (no surrogates, no overlong forms).
 */
#include "text.h"

#include <sekisho/buf.h>

#include <stdio.h>
#include <string.h>

static size_t text_columns = TEXT_COLUMNS;

void text_set_columns(size_t columns)
{
	text_columns = columns < TEXT_COLUMNS ? columns : TEXT_COLUMNS;
}

/* Decodes a lead byte: sequence length, and bits and smallest value of that length. */
static size_t lead(unsigned char b, uint32_t *ret_bits, uint32_t *ret_min)
{
	static const struct {
		unsigned char mask, value, len;
		uint32_t min;
	} forms[] = {{0xe0, 0xc0, 2, 0x80}, {0xf0, 0xe0, 3, 0x800}, {0xf8, 0xf0, 4, 0x10000}};

	for (size_t i = 0; i < 3; i++) {
		if ((b & forms[i].mask) != forms[i].value)
			continue;
		*ret_bits = b & (unsigned char)~forms[i].mask;
		*ret_min = forms[i].min;
		return forms[i].len;
	}
	return 0;
}

uint32_t text_char(const char *s, size_t *ret_len)
{
	const unsigned char *u = (const unsigned char *)s;
	uint32_t c, min;

	*ret_len = 1;
	if (u[0] < 0x80)
		return u[0];
	size_t len = lead(u[0], &c, &min);
	if (len == 0)
		return TEXT_BAD;
	for (size_t i = 1; i < len; i++) {
		if ((u[i] & 0xc0) != 0x80) /* also a NUL */
			return TEXT_BAD;
		c = c << 6 | (u[i] & 0x3f);
	}
	if (c < min || c > 0x10ffff || (c >= 0xd800 && c <= 0xdfff))
		return TEXT_BAD;
	*ret_len = len;
	return c;
}

/* Format and separator characters that change or hide what is read. */
static bool is_hidden(uint32_t c)
{
	return c == 0xad || c == 0x61c || c == 0x115f || c == 0x1160 || (c >= 0x180b && c <= 0x180f) ||
	       (c >= 0x200b && c <= 0x200f) || (c >= 0x2028 && c <= 0x202e) || (c >= 0x2060 && c <= 0x206f) ||
	       c == 0x3164 || c == 0xfeff || c == 0xffa0 || (c >= 0xfff9 && c <= 0xfffb) ||
	       (c >= 0xe0000 && c <= 0xe007f) || (c >= 0xe000 && c <= 0xf8ff);
}

/* The form in which one character is printed; its columns are the result. */
static size_t shown(const char *s, size_t *ret_len, char out[16])
{
	uint32_t c = text_char(s, ret_len);

	if (c == TEXT_BAD)
		return (size_t)snprintf(out, 16, "\xef\xbf\xbd") - 3 + text_char_width(0xfffd);
	if (c < 0x20 || (c >= 0x7f && c < 0xa0))
		return (size_t)snprintf(out, 16, "\\x%02x", (unsigned)c);
	if (is_hidden(c))
		return (size_t)snprintf(out, 16, "<U+%04X>", (unsigned)c);
	memcpy(out, s, *ret_len);
	out[*ret_len] = '\0';
	return text_char_width(c);
}

size_t text_width(const char *s)
{
	size_t width = 0, len;
	char out[16];

	for (; *s != '\0'; s += len)
		width += shown(s, &len, out);
	return width;
}

void text_safe(struct buf *b, const char *s)
{
	size_t len;
	char out[16];

	for (; *s != '\0'; s += len) {
		shown(s, &len, out);
		buf_adds(b, out);
	}
}

void text_spaces(struct buf *b, size_t n)
{
	while (n-- > 0)
		buf_addc(b, ' ');
}

void text_pad(struct buf *b, const char *s, size_t columns)
{
	size_t width = text_width(s);

	text_safe(b, s);
	text_spaces(b, width < columns ? columns - width : 0);
}

void text_fit(struct buf *b, const char *s, size_t columns)
{
	size_t used = 0, len;
	char out[16];

	if (text_width(s) <= columns) {
		text_pad(b, s, columns);
		return;
	}
	for (; *s != '\0'; s += len) {
		size_t width = shown(s, &len, out);
		if (used + width + 1 > columns)
			break;
		buf_adds(b, out);
		used += width;
	}
	buf_addc(b, '~');
	text_spaces(b, columns - used - 1);
}

/* Marks that never begin a line (JIS X 4051, the common ones). */
static bool is_closing(const char *s)
{
	static const char *const marks[] = {"、", "。", "，", "．", "」", "』", "）", "】", "・", "ー", "：", "；", "？", "！"};

	for (size_t i = 0; i < sizeof(marks) / sizeof(marks[0]); i++)
		if (strncmp(s, marks[i], strlen(marks[i])) == 0)
			return true;
	return strchr(",.;:)]", *s) != NULL && *s != '\0';
}

/* Longest "[…]" that is kept on one line, in bytes. */
#define BRACKET_MAX 48

/* Bytes of "[…]" at s, 0 when there is none that is short. */
static size_t bracketed(const char *s)
{
	const char *end = *s == '[' ? strpbrk(s + 1, "[]\n") : NULL;

	return end != NULL && *end == ']' && end - s < BRACKET_MAX ? (size_t)(end - s) + 1 : 0;
}

/*
 * Bytes and columns of the next piece that stays on one line: a word, something in brackets, or one Japanese
 * character and its marks.
 */
static size_t piece(const char *s, size_t *ret_width)
{
	size_t n = 0, len, whole = bracketed(s);
	char out[16];

	*ret_width = 0;
	for (; n < whole; n += len)
		*ret_width += shown(s + n, &len, out);
	if (whole > 0 && !is_closing(s + n))
		return whole;
	while (s[n] != '\0' && s[n] != ' ' && s[n] != '\n') {
		size_t width = shown(s + n, &len, out);
		bool wide = width == 2;
		if (n > 0 && wide && !is_closing(s + n))
			break;
		*ret_width += width;
		n += len;
		if (wide && s[n] != '\0' && !is_closing(s + n))
			break;
	}
	return n;
}

void text_wrap(struct buf *b, const char *s, size_t at, size_t indent)
{
	size_t column = at, width, start = at;
	char word[512];

	/* A narrow terminal has no room for columns. */
	if (text_columns < TEXT_COLUMNS && indent + 16 > text_columns)
		indent = 2;
	while (*s != '\0') {
		bool blank = *s == ' ', newline = *s == '\n';
		if (blank || newline)
			s++;
		size_t n = piece(s, &width);
		if (newline || (column > start && column + blank + width > text_columns - 1)) {
			buf_addc(b, '\n');
			text_spaces(b, indent);
			column = start = indent;
		} else if (blank && column > start) {
			buf_addc(b, ' ');
			column++;
		}
		size_t cut = n < sizeof(word) ? n : sizeof(word) - 1;
		memcpy(word, s, cut);
		word[cut] = '\0';
		text_safe(b, word);
		column += width;
		s += cut;
	}
}
