/*
 * charset_core.h: what the decoders of the charsets share.
 *
 * A core takes bytes, writes UTF-8 at *out, moves it on and returns how many bytes it took. It leaves only
 * what may be the beginning of a longer unit (at most three bytes), and nothing when `last` is set. Cores may
 * store up to eight bytes past *out: DECODER_OUT leaves room for it.
 */
#include <sekisho/charset.h>

#include <endian.h>
#include <string.h>

#include "charset_tables.h"

#define ESC 0x1b

typedef size_t charset_core(struct decoder *d, const uint8_t *in, size_t n, bool last, char **out);

charset_core charset_utf8, charset_utf16, charset_iso2022jp, charset_shiftjis, charset_eucjp, charset_byte;

static inline bool charset_within(unsigned byte, unsigned low, unsigned high)
{
	return byte - low <= high - low;
}

static inline char *charset_error(struct decoder *d, char *out)
{
	d->errors++;
	memcpy(out, "\xef\xbf\xbd", 3);
	return out + 3;
}

/* Any scalar value. */
static inline char *charset_put(char *out, uint32_t code)
{
	if (code < 0x80) {
		*out++ = (char)code;
	} else if (code < 0x800) {
		*out++ = (char)(0xc0 | code >> 6);
		*out++ = (char)(0x80 | (code & 0x3f));
	} else if (code < 0x10000) {
		*out++ = (char)(0xe0 | code >> 12);
		*out++ = (char)(0x80 | (code >> 6 & 0x3f));
		*out++ = (char)(0x80 | (code & 0x3f));
	} else {
		*out++ = (char)(0xf0 | code >> 18);
		*out++ = (char)(0x80 | (code >> 12 & 0x3f));
		*out++ = (char)(0x80 | (code >> 6 & 0x3f));
		*out++ = (char)(0x80 | (code & 0x3f));
	}
	return out;
}

/* Half-width kana: byte 0x21 to 0x5f, without the eighth bit. */
static inline char *charset_kana(char *out, unsigned byte)
{
	return charset_put(out, 0xff61u + byte - 0x21);
}

/* An entry of charset_jis0208: one store of four bytes, of which the highest only says how many count. */
static inline char *charset_packed(char *out, uint32_t entry)
{
	uint32_t bytes = htole32(entry);

	memcpy(out, &bytes, sizeof(bytes));
	return out + (entry >> 24);
}

/*
 * A run of JIS X 0208 of which both bytes are right, the common case; base: the byte of row and cell 1 (0x21, in EUC-JP 0xa1).
 * Returns bytes taken.
 */
static inline size_t charset_run_0208(const uint8_t *in, size_t n, unsigned base, char **out)
{
	size_t i = 0;
	char *o = *out;

	for (; i + 2 <= n; i += 2) {
		unsigned row = in[i] - base, cell = in[i + 1] - base;
		if (row >= 94 || cell >= 94)
			break;
		uint32_t entry = charset_jis0208[row * 94 + cell];
		if (entry == 0)
			break;
		o = charset_packed(o, entry);
	}
	*out = o;
	return i;
}

/* Copies ASCII, eight bytes a step, up to the first block that has another byte. Returns how many. */
static inline size_t charset_ascii(const uint8_t *in, size_t n, char *out)
{
	size_t i = 0;

	for (; i + 8 <= n; i += 8) {
		uint64_t word;
		memcpy(&word, in + i, sizeof(word));
		if ((word & 0x8080808080808080u) != 0)
			break;
		memcpy(out + i, &word, sizeof(word));
	}
	return i;
}
