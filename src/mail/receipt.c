/*
 * receipt.c: 受付番号 (include/sekisho/receipt.h): 60 bits of a hash in Crockford's base 32, and a check character.
 *
 * The check is a weighted sum in the field of 32 elements (polynomial x^5 + x^2 + 1) with the weights 2^12 ... 2^0:
 * they are all different and none is zero, so a single wrong character and any two exchanged ones change the sum.
 *
 * Input: a hash; text that a person typed. No state, never fails but by saying no.
 */
#include <sekisho/receipt.h>

#include <string.h>

#define CHARACTERS 13u

static const char alphabet[] = "0123456789ABCDEFGHJKMNPQRSTVWXYZ";

/* Twice x in the field. */
static unsigned twice(unsigned x)
{
	return (x << 1 ^ (x & 0x10 ? 0x25u : 0)) & 0x1f;
}

static void write_number(const uint8_t values[CHARACTERS], char out[RECEIPT_TEXT])
{
	for (size_t i = 0; i < CHARACTERS; i++) {
		if (i == 4 || i == 8)
			*out++ = '-';
		*out++ = alphabet[values[i]];
	}
	*out = '\0';
}

void receipt_number(const uint8_t hash[RECEIPT_HASH], char out[RECEIPT_TEXT])
{
	uint8_t values[CHARACTERS];
	unsigned sum = 0;

	for (unsigned i = 0; i < CHARACTERS - 1; i++) {
		unsigned bit = i * 5, two = (unsigned)hash[bit / 8] << 8 | hash[bit / 8 + 1];
		values[i] = two >> (11 - bit % 8) & 0x1f;
		sum = twice(sum) ^ values[i];
	}
	values[CHARACTERS - 1] = (uint8_t)twice(sum);
	write_number(values, out);
}

/* The next character, full-width forms as their ASCII; 0 for what does not belong to a number; -1 at bad bytes. */
static int next(const char **p, const char *end)
{
	const uint8_t *s = (const uint8_t *)*p;
	size_t n = (size_t)(end - *p);

	if (s[0] < 0x80) {
		*p += 1;
		return s[0];
	}
	if (n < 3 || (s[0] & 0xf0) != 0xe0 || (s[1] & 0xc0) != 0x80 || (s[2] & 0xc0) != 0x80)
		return -1;
	unsigned point = (s[0] & 0x0fu) << 12 | (s[1] & 0x3fu) << 6 | (s[2] & 0x3fu);
	*p += 3;
	if (point >= 0xff01 && point <= 0xff5e)
		return (int)(point - 0xff01 + 0x21);
	if ((point >= 0x2010 && point <= 0x2015) || point == 0x2212 || point == 0x30fc)
		return '-';
	return point == 0x3000 ? ' ' : -1;
}

static int value(int c)
{
	c = c >= 'a' && c <= 'z' ? c - 'a' + 'A' : c;
	c = c == 'O' ? '0' : c == 'I' || c == 'L' ? '1' : c;
	const char *at = c > 0 ? strchr(alphabet, c) : NULL;
	return at != NULL ? (int)(at - alphabet) : -1;
}

bool receipt_read(const char *text, size_t n, char out[RECEIPT_TEXT])
{
	uint8_t values[CHARACTERS];
	unsigned have = 0, sum = 0;

	for (const char *p = text, *end = text + n; p < end;) {
		int c = next(&p, end), v = value(c);
		if (c == ' ' || c == '\t' || c == '-')
			continue;
		if (v < 0 || have == CHARACTERS)
			return false;
		values[have++] = (uint8_t)v;
		sum = twice(sum) ^ (unsigned)v;
	}
	if (have != CHARACTERS || sum != 0)
		return false;
	write_number(values, out);
	return true;
}
