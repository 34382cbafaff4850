/*
 * mailverify_text.c: Base64, UTF-8 and the characters of section 6: what a text that leaves the gate may consist of.
 *
 * Input: bytes of the cleaner, who is believed nothing. State: struct mailverify. Base64 is that of RFC 4648, strict; UTF-8
 * that of RFC 3629. Nothing here is shared with what makes such texts, the lists of characters least of all: they are
 * written down from the page, and tested against it and against Unicode's properties.
 */
#include "mailverify_private.h"

#include <string.h>

#define MARKS_MAX 8
#define COUNT(array) (sizeof(array) / sizeof((array)[0]))

/* -- Characters (section 6) ------------------------------------------------------------------------------- */

enum kind { PLAIN, REFUSED, PRIVATE, MARK, SELECTOR };
enum base { NOTHING, CHINESE, OTHER }; /* what a mark or selector would stand behind */

/* Sorted. What is in none of them is plain. */
static const struct range {
	uint32_t first, last;
	enum kind kind;
} ranges[] = {
	{0x0000, 0x0008, REFUSED},    {0x000b, 0x000c, REFUSED},    {0x000e, 0x001f, REFUSED},    {0x007f, 0x00a0, REFUSED},
	{0x00ad, 0x00ad, REFUSED},    {0x0300, 0x034e, MARK},       {0x034f, 0x034f, REFUSED},    {0x0350, 0x036f, MARK},
	{0x0483, 0x0489, MARK},       {0x0591, 0x05bd, MARK},       {0x0610, 0x061a, MARK},       {0x061c, 0x061c, REFUSED},
	{0x064b, 0x065f, MARK},       {0x06d6, 0x06dc, MARK},       {0x0e31, 0x0e31, MARK},       {0x0e34, 0x0e3a, MARK},
	{0x0e47, 0x0e4e, MARK},       {0x115f, 0x1160, REFUSED},    {0x1680, 0x1680, REFUSED},    {0x17b4, 0x17b5, REFUSED},
	{0x180b, 0x180f, REFUSED},    {0x1ab0, 0x1aff, MARK},       {0x1dc0, 0x1dff, MARK},       {0x2000, 0x200f, REFUSED},
	{0x2028, 0x202f, REFUSED},    {0x205f, 0x206f, REFUSED},    {0x20d0, 0x20f0, MARK},       {0x2800, 0x2800, REFUSED},
	{0x2de0, 0x2dff, MARK},       {0x302a, 0x302f, MARK},       {0x3099, 0x309a, MARK},       {0x3164, 0x3164, REFUSED},
	{0xa66f, 0xa672, MARK},       {0xa674, 0xa67d, MARK},       {0xa69e, 0xa69f, MARK},       {0xa8e0, 0xa8f1, MARK},
	{0xd800, 0xdfff, REFUSED},    {0xe000, 0xf8ff, PRIVATE},    {0xfdd0, 0xfdef, REFUSED},    {0xfe00, 0xfe0f, SELECTOR},
	{0xfe20, 0xfe2f, MARK},       {0xfeff, 0xfeff, REFUSED},    {0xffa0, 0xffa0, REFUSED},    {0xfff0, 0xfffb, REFUSED},
	{0x10376, 0x1037a, MARK},     {0x1133b, 0x1133b, MARK},     {0x11366, 0x11374, MARK},     {0x1bca0, 0x1bca3, REFUSED},
	{0x1d159, 0x1d159, REFUSED},  {0x1d173, 0x1d17a, REFUSED},  {0x1d242, 0x1d244, MARK},     {0x1e000, 0x1e02a, MARK},
	{0xe0000, 0xe00ff, REFUSED},  {0xe0100, 0xe01ef, SELECTOR}, {0xe01f0, 0xe0fff, REFUSED},  {0xf0000, 0x10fffd, PRIVATE},
};

static enum kind kind_of(uint32_t point)
{
	size_t low = 0, high = COUNT(ranges);

	if ((point & 0xfffe) == 0xfffe) /* the last two of each plane */
		return REFUSED;
	while (low < high) {
		size_t i = (low + high) / 2;
		if (point > ranges[i].last)
			low = i + 1;
		else if (point < ranges[i].first)
			high = i;
		else
			return ranges[i].kind;
	}
	return PLAIN;
}

static bool is_chinese(uint32_t p)
{
	return (p >= 0x3400 && p <= 0x9fff) || (p >= 0xf900 && p <= 0xfaff) || (p >= 0x20000 && p <= 0x3fffd);
}

void mailverify_text_begin(struct mailverify *v)
{
	v->need = 0;
	v->base = NOTHING;
	v->marks = 0;
	v->tail = 0;
}

/* "://" behind http, https or ftp; tail has all of it, and bit 5 makes letters small. */
static bool begins_address(uint64_t tail)
{
	uint64_t small = tail | UINT64_C(0x2020202020000000);

	return (tail & 0xffffff) == 0x3a2f2f && ((small >> 24 & 0xffffffff) == 0x68747470 ||
		(small >> 24 & 0xffffffffff) == 0x6874747073 || (small >> 24 & 0xffffff) == 0x667470);
}

static enum mailverify_reason ascii(struct mailverify *v, uint8_t c)
{
	bool control = c < 0x20 || c == 0x7f, line_end = c == '\n' && (v->tail & 0xff) == '\r';

	if (control && (v->stage != BODY || (c != '\t' && c != '\r' && !line_end)))
		return MAILVERIFY_CHARACTER;
	v->tail = v->tail << 8 | c;
	v->base = line_end ? NOTHING : OTHER;
	v->marks = 0;
	return c == '/' && v->stage == BODY && begins_address(v->tail) ? MAILVERIFY_LINK : MAILVERIFY_OK;
}

/* A whole character from U+0080 on. */
static enum mailverify_reason character(struct mailverify *v, uint32_t p)
{
	enum kind kind = kind_of(p);
	bool mark = kind == MARK || kind == SELECTOR;

	v->tail = 0;
	if (kind == REFUSED || (kind == PRIVATE && !v->options.private_use) || (kind == MARK && v->base == NOTHING) ||
		(kind == SELECTOR && (v->base != CHINESE || v->marks > 0)) || (mark && v->marks == MARKS_MAX))
		return MAILVERIFY_CHARACTER;
	if (mark) {
		v->marks++;
		return MAILVERIFY_OK;
	}
	v->base = is_chinese(p) ? CHINESE : OTHER;
	v->marks = 0;
	return MAILVERIFY_OK;
}

/* The first byte of a character, which says what the second may be: RFC 3629, section 4. */
static enum mailverify_reason lead(struct mailverify *v, uint8_t c)
{
	if (c < 0xc2 || c > 0xf4)
		return MAILVERIFY_UTF8;
	v->need = c >= 0xf0 ? 3 : c >= 0xe0 ? 2 : 1;
	v->point = c & (0x3fu >> v->need);
	v->least = c == 0xe0 ? 0xa0 : c == 0xf0 ? 0x90 : 0x80;
	v->most = c == 0xed ? 0x9f : c == 0xf4 ? 0x8f : 0xbf;
	return MAILVERIFY_OK;
}

static enum mailverify_reason text_byte(struct mailverify *v, uint8_t c)
{
	if (v->need > 0) {
		if (c < v->least || c > v->most)
			return MAILVERIFY_UTF8;
		v->least = 0x80;
		v->most = 0xbf;
		v->point = v->point << 6 | (c & 0x3f);
		return --v->need > 0 ? MAILVERIFY_OK : character(v, v->point);
	}
	if ((v->tail & 0xff) == '\r' && c != '\n')
		return MAILVERIFY_CHARACTER;
	return c < 0x80 ? ascii(v, c) : lead(v, c);
}

/*
 * Three bytes that are most of a Japanese text, and plain: U+3400 to U+9FFF, kana and signs but their marks, signs from U+2100
 * to U+27FF, full-width forms from U+FF00 to U+FF7F. NOTHING: something else.
 */
static enum base usual_character(const uint8_t *s)
{
	uint8_t b = s[1], c = s[2];

	if ((b & 0xc0) != 0x80 || (c & 0xc0) != 0x80)
		return NOTHING;
	if ((s[0] > 0xe3 && s[0] < 0xea) || (s[0] == 0xe3 && b >= 0x90))
		return CHINESE;
	if (s[0] == 0xe3)
		return b == 0x81 || b == 0x83 || (b == 0x80 && c < 0xaa) || (b == 0x82 && c != 0x99 && c != 0x9a)
			? OTHER : NOTHING;
	return (s[0] == 0xe2 && b >= 0x84 && b < 0xa0) || (s[0] == 0xef && (b == 0xbc || b == 0xbd)) ? OTHER : NOTHING;
}

/* Bytes at s that text_byte() would take: the same, but faster. */
static size_t usual(struct mailverify *v, const uint8_t *s, size_t n)
{
	uint64_t tail = v->tail; /* not in *v: it would be written for each character */
	uint8_t base = v->base;
	size_t i = 0;

	if (v->need > 0 || (tail & 0xff) == '\r')
		return 0;
	while (i < n) {
		if (s[i] >= 0x20 && s[i] < 0x7f && s[i] != '/') {
			tail = tail << 8 | s[i++];
			base = OTHER;
		} else {
			enum base three = n - i >= 3 ? usual_character(s + i) : NOTHING;
			if (three == NOTHING)
				break;
			tail = 0;
			base = (uint8_t)three;
			i += 3;
		}
	}
	if (i > 0)
		v->marks = 0;
	v->tail = tail;
	v->base = base;
	return i;
}

size_t mailverify_text_put(struct mailverify *v, const uint8_t *s, size_t n)
{
	size_t i = usual(v, s, n);

	while (i < n && (v->reason = text_byte(v, s[i])) == MAILVERIFY_OK) {
		i++;
		i += usual(v, s + i, n - i);
	}
	return i;
}

/* -- Base64 (section 5) ------------------------------------------------------------------------------------- */

#define NO 0x80
#define NO8 NO, NO, NO, NO, NO, NO, NO, NO
#define NO32 NO8, NO8, NO8, NO8
static const uint8_t digits[256] = {
	NO32,
	NO, NO, NO, NO, NO, NO, NO, NO, NO, NO, NO, 62, NO, NO, NO, 63,
	52, 53, 54, 55, 56, 57, 58, 59, 60, 61, NO, NO, NO, NO, NO, NO,
	NO,  0,  1,  2,  3,  4,  5,  6,  7,  8,  9, 10, 11, 12, 13, 14,
	15, 16, 17, 18, 19, 20, 21, 22, 23, 24, 25, NO, NO, NO, NO, NO,
	NO, 26, 27, 28, 29, 30, 31, 32, 33, 34, 35, 36, 37, 38, 39, 40,
	41, 42, 43, 44, 45, 46, 47, 48, 49, 50, 51, NO, NO, NO, NO, NO,
	NO32, NO32, NO32, NO32,
};

/* Four characters, three bytes. Not 0: one of them is no digit. */
static uint8_t quad(const uint8_t *s, uint8_t *out)
{
	uint8_t a = digits[s[0]], b = digits[s[1]], c = digits[s[2]], d = digits[s[3]];

	out[0] = (uint8_t)(a << 2 | b >> 4);
	out[1] = (uint8_t)(b << 4 | c >> 2);
	out[2] = (uint8_t)(c << 6 | d);
	return (a | b | c | d) & NO;
}

int mailverify_decode(const uint8_t *s, size_t n, uint8_t *out)
{
	size_t pad = n > 0 && s[n - 1] == '=' ? 1u + (s[n - 2] == '=') : 0, full = pad > 0 ? n - 4 : n, have = full / 4 * 3;
	uint8_t bad = 0;

	for (size_t i = 0; i < full; i += 4, out += 3)
		bad |= quad(s + i, out);
	if (pad > 0) {
		uint8_t last[4] = {s[full], s[full + 1], pad == 2 ? 'A' : s[full + 2], 'A'}, bytes[3]; /* 'A': no bits */
		bad |= quad(last, bytes);
		/* What no byte is made of is zero. */
		bad |= bytes[2] | (pad == 2 ? bytes[1] : 0);
		memcpy(out, bytes, 3 - pad);
		have += 3 - pad;
	}
	return bad != 0 ? -1 : (int)have;
}
