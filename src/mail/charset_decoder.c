/*
 * charset_decoder.c: text in pieces through the core of its charset; charsets of one byte.
 *
 * Input: bytes of strangers, cut anywhere. What a core leaves (at most three bytes) waits in the decoder and
 * is read with the beginning of the next piece, so a core never sees a cut. Nothing is allocated, nothing can
 * fail. Charsets of one byte: a byte without a character is U+FFFD, also where the WHATWG's standard has a
 * control (81, 8D, 8F, 90, 9D of windows-1252): no text has it, and Japanese under a Latin label is found out
 * by it.
 */
#include "charset_core.h"

size_t charset_byte(struct decoder *d, const uint8_t *in, size_t n, bool last, char **out)
{
	size_t i = 0;
	const uint16_t *table = NULL;

	(void)last;
	if (d->charset >= CHARSET_WINDOWS_1250)
		table = charset_single[d->charset - CHARSET_WINDOWS_1250];
	while (i < n) {
		size_t run = charset_ascii(in + i, n - i, *out);
		i += run;
		*out += run;
		if (i == n)
			break;
		uint16_t code = in[i] < 0x80 ? in[i] : table != NULL ? table[in[i] - 0x80] : 0;
		if (code == 0 && in[i] != 0)
			*out = charset_error(d, *out);
		else
			*out = charset_put(*out, code);
		i++;
	}
	return i;
}

static charset_core *core_of(enum charset charset)
{
	switch (charset) {
	case CHARSET_UTF_8:
		return charset_utf8;
	case CHARSET_ISO_2022_JP:
		return charset_iso2022jp;
	case CHARSET_SHIFT_JIS:
		return charset_shiftjis;
	case CHARSET_EUC_JP:
		return charset_eucjp;
	case CHARSET_UTF_16:
	case CHARSET_UTF_16LE:
	case CHARSET_UTF_16BE:
		return charset_utf16;
	default:
		return charset_byte;
	}
}

void decoder_begin(struct decoder *d, enum charset charset)
{
	*d = (struct decoder){.charset = charset};
}

size_t decoder_push(struct decoder *d, const void *bytes, size_t n, char *out)
{
	charset_core *core = core_of(d->charset);
	const uint8_t *in = bytes;
	char *o = out;
	size_t i = 0;

	if (n == 0)
		return 0;
	if (d->npending != 0) {
		/* Nine bytes or more are taken, or all that there is: the rest can only be of this piece. */
		uint8_t joined[16];
		size_t fresh = n < 12 ? n : 12, had = d->npending;
		memcpy(joined, d->pending, had);
		memcpy(joined + had, in, fresh);
		size_t took = core(d, joined, had + fresh, false, &o);
		if (took < had) {
			d->npending = (uint8_t)(had + fresh - took);
			memcpy(d->pending, joined + took, d->npending);
			return (size_t)(o - out);
		}
		d->npending = 0;
		i = took - had;
	}
	i += core(d, in + i, n - i, false, &o);
	d->npending = (uint8_t)(n - i);
	memcpy(d->pending, in + i, d->npending);
	return (size_t)(o - out);
}

size_t decoder_end(struct decoder *d, char *out)
{
	char *o = out;

	if (d->npending != 0)
		core_of(d->charset)(d, d->pending, d->npending, true, &o);
	d->npending = 0;
	return (size_t)(o - out);
}
