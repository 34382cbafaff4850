/*
 * charset.c: fuzzes the decoders of charsets and the settling of labels. The first byte chooses the charset, the
 * second how the rest is cut. Whatever comes: the output fits, is valid UTF-8 by a checker of its own, is the
 * same however the text is cut, and no raw escape leaves ISO-2022-JP.
 */
#include <sekisho/charset.h>

#include <stdlib.h>
#include <string.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t n);

/* Written from RFC 3629's grammar, apart from the decoder's own rules. */
static bool utf8_valid(const uint8_t *s, size_t n)
{
	for (size_t i = 0; i < n;) {
		size_t more = s[i] < 0x80 ? 0 : s[i] >= 0xf0 ? 3 : s[i] >= 0xe0 ? 2 : 1;
		uint32_t code = s[i];
		if (more > n - i - 1 || (s[i] >= 0x80 && s[i] < 0xc0))
			return false;
		if (more != 0)
			code &= 0x3fu >> more;
		for (size_t k = 1; k <= more; k++) {
			if (s[i + k] >> 6 != 2)
				return false;
			code = code << 6 | (s[i + k] & 0x3f);
		}
		static const uint32_t least[4] = {0, 0x80, 0x800, 0x10000};
		if (code < least[more] || code > 0x10ffff || (code >= 0xd800 && code < 0xe000))
			return false;
		i += more + 1;
	}
	return true;
}

/* Decodes in pieces of `step` bytes, each into memory of just the size promised. Returns the length. */
static size_t decode(enum charset charset, const uint8_t *in, size_t n, size_t step, char *out)
{
	struct decoder d;
	size_t total = 0, i = 0;

	decoder_begin(&d, charset);
	do {
		size_t piece = n - i < step ? n - i : step;
		char *own = malloc(DECODER_OUT(piece));
		size_t got = decoder_push(&d, in + i, piece, own);
		if (got > DECODER_OUT(piece))
			abort();
		memcpy(out + total, own, got);
		free(own);
		total += got;
		i += piece;
	} while (i < n);
	total += decoder_end(&d, out + total);
	return total;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t n)
{
	if (n < 3 || n > 65536)
		return 0;
	enum charset charset = (enum charset)(data[0] % CHARSET_COUNT);
	size_t step = data[1] % 32 + 1;
	data += 2;
	n -= 2;

	char *whole = malloc(DECODER_OUT(n) * 2), *cut = malloc(DECODER_OUT(n) * 2);
	size_t total = decode(charset, data, n, n, whole);
	if (!utf8_valid((const uint8_t *)whole, total))
		abort();
	bool shifts = memchr(whole, 0x1b, total) || memchr(whole, 0x0e, total) || memchr(whole, 0x0f, total);
	if (charset == CHARSET_ISO_2022_JP && shifts)
		abort();
	if (decode(charset, data, n, step, cut) != total || memcmp(whole, cut, total) != 0)
		abort();
	enum charset settled = charset_settle(charset, data, n);
	if (settled != charset_settle(charset, data, n) || (charset == CHARSET_UNKNOWN) != (settled == CHARSET_UNKNOWN))
		abort();
	free(whole);
	free(cut);
	return 0;
}
