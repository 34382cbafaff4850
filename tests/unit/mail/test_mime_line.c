/* test_mime_line.c: sixteen bytes at a time and one by one say the same, wherever the odd byte is. */
#include "mime_private.h"
#include "test.h"

static uint32_t seed = 1;
static unsigned chance(unsigned n)
{
	seed = seed * 1664525u + 1013904223u;
	return (seed >> 8) % n;
}

/* The rules, as mime_private.h says them. */
static size_t strict(const uint8_t *p, size_t n, uint8_t previous, enum mime_flag *ret_why)
{
	for (size_t i = 0; i < n; i++, previous = p[i - 1]) {
		*ret_why = p[i] == 0 ? MIME_BIT_NUL : previous == '\r' && p[i] != '\n' ? MIME_BIT_BARE_CR
			: previous != '\r' && p[i] == '\n' ? MIME_BIT_BARE_LF : MIME_FLAG_END;
		if (*ret_why != MIME_FLAG_END)
			return i;
	}
	*ret_why = MIME_FLAG_END;
	return n;
}

static uint8_t tolerant(const uint8_t *p, size_t n, uint8_t previous)
{
	uint8_t ends = 0;

	for (size_t i = 0; i < n; i++, previous = p[i - 1]) {
		ends |= p[i] == 0 ? MIME_ENDS_NUL : 0;
		ends |= previous == '\r' && p[i] != '\n' ? MIME_ENDS_CR : 0;
		if (p[i] == '\n')
			ends |= previous == '\r' ? MIME_ENDS_CRLF : MIME_ENDS_LF;
	}
	return ends;
}

static void check(const uint8_t *p, size_t n, uint8_t previous)
{
	enum mime_flag why, want_why;
	size_t want = strict(p, n, previous, &want_why);
	uint8_t ends = 0;
	bool high = false, plain = true;

	CHECK_INT(mime_line_strict(p, n, previous, &why), want);
	CHECK_INT(why, want_why);
	mime_line_tolerant(p, n, previous, &ends);
	CHECK_INT(ends, tolerant(p, n, previous));
	for (size_t i = 0; i < n; i++) {
		high |= p[i] >= 0x80;
		plain &= (p[i] >= ' ' && p[i] < 0x7f) || p[i] == '\t';
	}
	CHECK_INT(mime_line_8bit(p, n), high);
	CHECK_INT(mime_line_plain(p, n), plain);
}

/* One odd byte at each place of good lines. */
static void test_each_place(void)
{
	static const uint8_t odd[] = {0, '\r', '\n', 0x80, 0xff, 0x7f, 0x1f, '\t', 'x'};
	uint8_t text[200];

	for (size_t i = 0; i < sizeof(text); i++)
		text[i] = (uint8_t)(i % 37 == 35 ? '\r' : i % 37 == 36 ? '\n' : 'a');
	for (size_t i = 0; i < sizeof(text); i++) {
		for (size_t k = 0; k < sizeof(odd); k++) {
			uint8_t was = text[i];
			text[i] = odd[k];
			check(text, sizeof(text), 'a');
			check(text + i % 5, sizeof(text) - i % 23 - 5, '\r');
			text[i] = was;
		}
	}
	check(text, 0, '\r');
}

static void test_random(void)
{
	static const uint8_t set[] = "\r\n\r\nabcdefgh\0\t\x80\x1b";
	uint8_t text[150];

	for (unsigned round = 0; round < 20000; round++) {
		size_t n = chance(sizeof(text));
		unsigned kinds = 1 + chance(sizeof(set) - 1);
		for (size_t i = 0; i < n; i++)
			text[i] = set[chance(kinds)];
		check(text, n, set[chance(4)]);
	}
}

int main(void)
{
	test_each_place();
	test_random();
	return test_end();
}
