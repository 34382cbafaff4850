/* test_transfer.c: base64 and quoted-printable: what programs write, and random bytes, at every cut. */
#include "base64.h"
#include "quoted_printable.h"
#include "test.h"

static uint8_t out[16384], whole[16384];

static uint32_t seed = 1;
static unsigned chance(unsigned n)
{
	seed = seed * 1664525u + 1013904223u;
	return (seed >> 8) % n;
}

/* -- Base64 -------------------------------------------------------------------------------------------------------- */

static size_t base64(const uint8_t *in, size_t n, size_t step, uint8_t *to, mime_flags *ret_flags)
{
	static struct base64 b;
	size_t k = 0;

	base64_begin(&b);
	for (size_t i = 0; i < n; i += step)
		k += base64_push(&b, in + i, n - i < step ? n - i : step, to + k);
	k += base64_end(&b, to + k);
	*ret_flags = b.flags;
	return k;
}

/* The plainest encoder there is. */
static size_t encode(const uint8_t *in, size_t n, unsigned columns, uint8_t *to)
{
	static const char set[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
	size_t k = 0, column = 0;

	for (size_t i = 0; i < n; i += 3) {
		uint32_t bits = (uint32_t)in[i] << 16 | (i + 1 < n ? in[i + 1] << 8 : 0) | (i + 2 < n ? in[i + 2] : 0);
		for (unsigned j = 0; j < 4; j++) {
			to[k++] = (uint8_t)(i + j > n ? '=' : set[bits >> (18 - 6 * j) & 63]);
			if (++column == columns) {
				to[k++] = '\r';
				to[k++] = '\n';
				column = 0;
			}
		}
	}
	return k;
}

static void test_base64(void)
{
	uint8_t plain[300], encoded[1024];
	mime_flags flags;

	for (unsigned n = 0; n < sizeof(plain); n++) {
		for (unsigned i = 0; i < n; i++)
			plain[i] = (uint8_t)chance(256);
		size_t length = encode(plain, n, 1 + chance(80), encoded);
		size_t step = 1 + chance((unsigned)length + 1);
		CHECK_INT(base64(encoded, length, step, out, &flags), n);
		CHECK(memcmp(out, plain, n) == 0 && flags == 0);
	}
	for (unsigned c = 0; c < 256; c++)
		CHECK_INT(base64_value((uint8_t)c) < 64, c != 0 &&
			strchr("ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/", (int)c) != NULL);
}

/* Of these, whatever comes: the same at every cut. */
static void test_base64_cuts(void)
{
	static const char set[] = "ABCDabcd0123+/==\r\n\r\n\r\n *-";
	uint8_t in[200];
	mime_flags flags, flags_whole;

	for (unsigned round = 0; round < 3000; round++) {
		size_t n = chance(sizeof(in));
		unsigned kinds = 1 + chance(sizeof(set) - 1);
		for (size_t i = 0; i < n; i++)
			in[i] = (uint8_t)set[chance(kinds)];
		size_t length = base64(in, n, n + 1, whole, &flags_whole);
		size_t pieces = base64(in, n, 1 + chance(9), out, &flags);
		CHECK_INT(pieces, length);
		CHECK(memcmp(out, whole, length) == 0 && flags == flags_whole);
	}
}

/* -- Quoted-printable ------------------------------------------------------------------------------------------------ */

static size_t qp(const uint8_t *in, size_t n, size_t step, uint8_t *to, mime_flags *ret_flags)
{
	static struct quoted_printable q;
	size_t k = 0;

	qp_begin(&q);
	for (size_t i = 0; i < n; i += step)
		k += qp_push(&q, in + i, n - i < step ? n - i : step, to + k);
	k += qp_end(&q, false, to + k);
	*ret_flags = q.flags;
	return k;
}

static void test_qp(void)
{
	uint8_t in[4];
	mime_flags flags;

	for (unsigned c = 0; c < 256; c++) {
		snprintf((char *)in, sizeof(in), c & 1 ? "=%02X" : "=%02x", c);
		CHECK_INT(qp(in, 3, 3, out, &flags), 1);
		CHECK_INT(out[0], c);
		CHECK_INT(flags != 0, (c < 0x20 && c != '\t' && c != 0x1b) || c == 0x7f);
		CHECK_INT(qp_hex((uint8_t)c) < 16, c != 0 && strchr("0123456789abcdefABCDEF", (int)c) != NULL);
	}
}

/* Lines in runs and byte by byte. */
static void test_qp_cuts(void)
{
	static const char set[] = "=4 \r\n\nG=E3\t\r\nabcdefghijklmnopqrstuvwxyz\x80";
	static uint8_t in[1200];
	mime_flags flags, flags_whole;

	for (unsigned round = 0; round < 4000; round++) {
		size_t n = chance(round % 10 == 0 ? sizeof(in) : 120);
		unsigned kinds = 1 + chance(sizeof(set) - 1);
		for (size_t i = 0; i < n; i++)
			in[i] = (uint8_t)set[chance(kinds)];
		if (round % 7 == 0) /* many blanks */
			memset(in + n / 4, ' ', n / 2);
		size_t length = qp(in, n, n + 1, whole, &flags_whole);
		for (size_t step = 1; step < 4; step++) {
			CHECK_INT(qp(in, n, step, out, &flags), length);
			CHECK(memcmp(out, whole, length) == 0 && flags == flags_whole);
		}
	}
}

int main(void)
{
	test_base64();
	test_base64_cuts();
	test_qp();
	test_qp_cuts();
	return test_end();
}
