/*
 * charset_japanese.c: Shift_JIS as Windows has it (CP932) and EUC-JP, by the WHATWG's standard.
 *
 * Shift_JIS with NEC's and IBM's characters and the user's own (U+E000 on). EUC-JP with half-width kana
 * (SS2), JIS X 0212 and IBM's characters behind it (SS3), and NEC's and IBM's in JIS X 0208 (CP51932).
 *
 * A lead byte whose second byte does not fit is U+FFFD, and a second byte of ASCII is read anew: a quote or
 * an angle bracket is never swallowed. Differs: 80 in Shift_JIS is an error (the standard: the control
 * U+0080).
 */
#include "charset_core.h"

/* One character of two bytes by its number in Shift_JIS's order of rows 1 to 120; false: there is none. */
static bool put_cell(unsigned cell, char **out)
{
	if (cell >= JIS_CELLS && cell < JIS_CELLS + JIS_USER_CELLS) {
		*out = charset_put(*out, 0xe000 + cell - JIS_CELLS);
		return true;
	}
	if (cell >= JIS_CELLS)
		cell -= JIS_USER_CELLS;
	if (cell >= JIS0208_CELLS || charset_jis0208[cell] == 0)
		return false;
	*out = charset_packed(*out, charset_jis0208[cell]);
	return true;
}

/* The common case, kana and kanji of JIS X 0208 in a row. Returns bytes taken. */
static size_t shiftjis_run(const uint8_t *in, size_t n, char **out)
{
	size_t i = 0;
	char *o = *out;

	for (; i + 2 <= n; i += 2) {
		unsigned lead = in[i] ^ 0x20u, trail = in[i + 1]; /* 81-9F, E0-EF become A1-CF */
		unsigned pair = lead - 0xa1, half = trail - (trail < 0x7f ? 0x40 : 0x41);
		if (pair >= 0x2f || half >= 188 || trail == 0x7f)
			break;
		uint32_t entry = charset_jis0208[pair * 188 + half];
		if (entry == 0)
			break;
		o = charset_packed(o, entry);
	}
	*out = o;
	return i;
}

/* A lead byte and what follows. Returns bytes taken. */
static size_t shiftjis_double(struct decoder *d, unsigned lead, unsigned trail, char **out)
{
	unsigned pair = lead - (lead < 0xa0 ? 0x81 : 0xc1), half = trail - (trail < 0x7f ? 0x40 : 0x41);

	if ((charset_within(trail, 0x40, 0x7e) || charset_within(trail, 0x80, 0xfc)) &&
		put_cell(pair * 188 + half, out))
		return 2;
	*out = charset_error(d, *out);
	return trail < 0x80 ? 1 : 2;
}

size_t charset_shiftjis(struct decoder *d, const uint8_t *in, size_t n, bool last, char **out)
{
	size_t i = 0;

	while (i < n) {
		unsigned byte = in[i];
		if (byte < 0x80) {
			size_t run = charset_ascii(in + i, n - i, *out);
			i += run;
			*out += run;
			if (run == 0)
				*(*out)++ = (char)in[i++];
		} else if (charset_within(byte, 0xa1, 0xdf)) {
			*out = charset_kana(*out, byte - 0x80);
			i++;
		} else if (byte == 0x80 || byte == 0xa0 || byte > 0xfc || (i + 1 == n && last)) {
			*out = charset_error(d, *out);
			i++;
		} else if (i + 1 == n) {
			break;
		} else {
			size_t run = shiftjis_run(in + i, n - i, out);
			i += run != 0 ? run : shiftjis_double(d, byte, in[i + 1], out);
		}
	}
	return i;
}

/* SS3 and a character of JIS X 0212; n is 2 or more. Returns bytes taken; 0: more must come. */
static size_t eucjp_triple(struct decoder *d, const uint8_t *in, size_t n, bool last, char **out)
{
	if (n < 3 && !last && charset_within(in[1], 0xa1, 0xfe))
		return 0;
	if (charset_within(in[1], 0xa1, 0xfe) && n >= 3 && charset_within(in[2], 0xa1, 0xfe)) {
		uint16_t code = charset_jis0212[(in[1] - 0xa1) * 94 + in[2] - 0xa1];
		*out = code != 0 ? charset_put(*out, code) : charset_error(d, *out);
		return 3;
	}
	*out = charset_error(d, *out);
	if (!charset_within(in[1], 0xa1, 0xfe))
		return in[1] < 0x80 ? 1 : 2;
	return n < 3 || in[2] < 0x80 ? 2 : 3;
}

/* A byte with the eighth bit and what follows. Returns bytes taken; 0: more must come. */
static size_t eucjp_one(struct decoder *d, const uint8_t *in, size_t n, bool last, char **out)
{
	bool lead = charset_within(in[0], 0xa1, 0xfe) || in[0] == 0x8e || in[0] == 0x8f;

	if (lead && n < 2 && !last)
		return 0;
	if (!lead || n < 2) {
		*out = charset_error(d, *out);
		return 1;
	}
	if (in[0] == 0x8f)
		return eucjp_triple(d, in, n, last, out);
	if (in[0] == 0x8e && charset_within(in[1], 0xa1, 0xdf)) {
		*out = charset_kana(*out, in[1] - 0x80u);
		return 2;
	}
	if (in[0] != 0x8e && charset_within(in[1], 0xa1, 0xfe) &&
		put_cell((in[0] - 0xa1u) * 94 + in[1] - 0xa1u, out))
		return 2;
	*out = charset_error(d, *out);
	return in[1] < 0x80 ? 1 : 2;
}

size_t charset_eucjp(struct decoder *d, const uint8_t *in, size_t n, bool last, char **out)
{
	size_t i = 0, took = 1;

	while (i < n && took != 0) {
		size_t run;
		if (in[i] >= 0x80) {
			run = charset_run_0208(in + i, n - i, 0xa1, out);
			took = run != 0 ? run : eucjp_one(d, in + i, n - i, last, out);
			i += took;
			continue;
		}
		run = charset_ascii(in + i, n - i, *out);
		i += run;
		*out += run;
		if (run == 0)
			*(*out)++ = (char)in[i++];
	}
	return i;
}
