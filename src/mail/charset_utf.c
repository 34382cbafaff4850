/*
 * charset_utf.c: UTF-8 and UTF-16, checked.
 *
 * UTF-8 by Unicode's table of well-formed bytes (3-7): no overlong forms, no surrogates, nothing above
 * U+10FFFF; each maximal beginning of a character that goes wrong is one U+FFFD, and the byte that broke it
 * is read anew. UTF-16: half a pair is U+FFFD and the unit after it is read anew; without a mark UTF-16 is
 * little endian, as the WHATWG's standard has it. A mark at the beginning is dropped, later it is a
 * character.
 */
#include "charset_core.h"

/* How many bytes follow the lead byte, and what the first of them may be; 0: not a lead byte. */
static unsigned utf8_follow(uint8_t lead, uint8_t *low, uint8_t *high)
{
	*low = lead == 0xe0 ? 0xa0 : lead == 0xf0 ? 0x90 : 0x80;
	*high = lead == 0xed ? 0x9f : lead == 0xf4 ? 0x8f : 0xbf;
	if (lead < 0xc2 || lead > 0xf4)
		return 0;
	return lead < 0xe0 ? 1 : lead < 0xf0 ? 2 : 3;
}

/* Two characters of three bytes, the lead bytes neither E0 nor ED, in the first six bytes of a word? */
static bool two_threes(uint64_t w)
{
	const uint64_t marks = 0x0000c0c0f0c0c0f0, are = 0x00008080e08080e0;

	if ((le64toh(w) & marks) != are)
		return false;
	unsigned first = (unsigned)(le64toh(w) & 0xff), second = (unsigned)(le64toh(w) >> 24 & 0xff);
	return first != 0xe0 && first != 0xed && second != 0xe0 && second != 0xed;
}

/* Kana and kanji: characters of three bytes in a row. Returns how many bytes were right. */
static size_t utf8_threes(const uint8_t *in, size_t n, char *out)
{
	uint64_t w;
	size_t i = 0;

	for (; i + sizeof(w) <= n; i += 6) {
		memcpy(&w, in + i, sizeof(w));
		if (!two_threes(w))
			break;
		memcpy(out + i, &w, sizeof(w)); /* what is too much is written over */
	}
	while (i + 3 <= n && (in[i] & 0xf0) == 0xe0 && (in[i + 1] & 0xc0) == 0x80 &&
		(in[i + 2] & 0xc0) == 0x80) {
		if ((in[i] == 0xe0 && in[i + 1] < 0xa0) || (in[i] == 0xed && in[i + 1] > 0x9f))
			break;
		memcpy(out + i, in + i, 3);
		i += 3;
	}
	return i;
}

/* Letters of other alphabets: characters of two bytes in a row. Returns how many bytes were right. */
static size_t utf8_twos(const uint8_t *in, size_t n, char *out)
{
	size_t i = 0;

	for (; i + 2 <= n && in[i] >= 0xc2 && in[i] < 0xe0 && (in[i + 1] & 0xc0) == 0x80; i += 2)
		memcpy(out + i, in + i, 2);
	return i;
}

/* One character of several bytes, or what is left of it. Returns bytes taken; 0: more must come. */
static size_t utf8_one(struct decoder *d, const uint8_t *in, size_t n, bool last, char **out)
{
	uint8_t low, high;
	unsigned follow = utf8_follow(in[0], &low, &high), have = 1;

	while (have <= follow && have < n && charset_within(in[have], low, high)) {
		low = 0x80;
		high = 0xbf;
		have++;
	}
	if (follow != 0 && have > follow) {
		memcpy(*out, in, have);
		*out += have;
		return have;
	}
	if (follow != 0 && have == n && !last)
		return 0;
	*out = charset_error(d, *out);
	return have;
}

size_t charset_utf8(struct decoder *d, const uint8_t *in, size_t n, bool last, char **out)
{
	static const uint8_t mark[3] = {0xef, 0xbb, 0xbf};
	size_t i = 0, run;

	if (!d->begun) {
		if (n < sizeof(mark) && !last && memcmp(in, mark, n) == 0)
			return 0;
		d->begun = true;
		if (n >= sizeof(mark) && memcmp(in, mark, sizeof(mark)) == 0)
			i = sizeof(mark);
	}
	while (i < n) {
		run = charset_ascii(in + i, n - i, *out);
		i += run;
		*out += run;
		while (i < n && in[i] < 0x80)
			*(*out)++ = (char)in[i++];
		if (i == n)
			break;
		run = in[i] < 0xe0 ? utf8_twos(in + i, n - i, *out) : utf8_threes(in + i, n - i, *out);
		i += run;
		*out += run;
		if (run > 0)
			continue;
		run = utf8_one(d, in + i, n - i, last, out);
		if (run == 0)
			break;
		i += run;
	}
	return i;
}

static unsigned utf16_unit(const struct decoder *d, const uint8_t *in)
{
	return d->charset == CHARSET_UTF_16BE ? (unsigned)in[0] << 8 | in[1] : (unsigned)in[1] << 8 | in[0];
}

/* Looks for a mark: its byte order where the label says none. Returns the bytes of the mark. */
static size_t utf16_begin(struct decoder *d, const uint8_t *in, size_t n)
{
	d->begun = true;
	if (n < 2)
		return 0;
	if (d->charset == CHARSET_UTF_16)
		d->charset = in[0] == 0xfe && in[1] == 0xff ? CHARSET_UTF_16BE : CHARSET_UTF_16LE;
	return utf16_unit(d, in) == 0xfeff ? 2 : 0;
}

size_t charset_utf16(struct decoder *d, const uint8_t *in, size_t n, bool last, char **out)
{
	size_t i = 0;

	if (!d->begun) {
		if (n < 2 && !last)
			return 0;
		i = utf16_begin(d, in, n);
	}
	for (; i + 2 <= n; i += 2) {
		unsigned unit = utf16_unit(d, in + i), second = 0;
		if (unit - 0xd800u >= 0x800) {
			*out = charset_put(*out, unit);
			continue;
		}
		if (unit < 0xdc00 && i + 4 <= n)
			second = utf16_unit(d, in + i + 2);
		else if (unit < 0xdc00 && !last)
			return i;
		if (second - 0xdc00u < 0x400) {
			*out = charset_put(*out, 0x10000 + ((unit - 0xd800) << 10) + (second - 0xdc00));
			i += 2;
		} else {
			*out = charset_error(d, *out);
		}
	}
	if (i < n && last) {
		*out = charset_error(d, *out);
		i = n;
	}
	return i;
}
