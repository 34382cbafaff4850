/*
 * mime_line.c: line ends. In SMTP, CR and LF stand nowhere but in CRLF, and there is no NUL: whatever else a program takes
 * for a line end is where two programs see two different mails. In files LF alone ends a line, too.
 *
 * Sixteen bytes at a time, in the compiler's own vectors: every byte of every mail passes here.
 */
#include "mime_private.h"

#include <string.h>

typedef uint8_t vector __attribute__((vector_size(16)));
typedef uint64_t halves __attribute__((vector_size(16)));

static vector load(const uint8_t *p)
{
	vector v;
	memcpy(&v, p, sizeof(v));
	return v;
}

static bool any(vector v)
{
	halves h = (halves)v;
	return (h[0] | h[1]) != 0;
}

static vector equal(vector v, uint8_t c)
{
	return (vector)(v == (vector){} + c);
}

/* The rule for one byte after another. */
static enum mime_flag wrong(uint8_t previous, uint8_t c)
{
	if (c == '\0')
		return MIME_BIT_NUL;
	if (previous == '\r' && c != '\n')
		return MIME_BIT_BARE_CR;
	return previous != '\r' && c == '\n' ? MIME_BIT_BARE_LF : MIME_FLAG_END;
}

/* The same for sixteen. */
static vector wrongs(const uint8_t *p)
{
	vector v = load(p);

	return equal(v, 0) | (equal(load(p - 1), '\r') ^ equal(v, '\n'));
}

size_t mime_line_strict(const uint8_t *p, size_t n, uint8_t previous, enum mime_flag *ret_why)
{
	size_t i = 0;

	while (i < n) {
		while (i > 0 && n - i >= 64) {
			if (any(wrongs(p + i) | wrongs(p + i + 16) | wrongs(p + i + 32) | wrongs(p + i + 48)))
				break;
			i += 64;
		}
		for (size_t stop = n - i < 64 ? n : i + 64; i < stop; i++) {
			*ret_why = wrong(i > 0 ? p[i - 1] : previous, p[i]);
			if (*ret_why != MIME_FLAG_END)
				return i;
		}
	}
	*ret_why = MIME_FLAG_END;
	return n;
}

void mime_line_tolerant(const uint8_t *p, size_t n, uint8_t previous, uint8_t *ends)
{
	vector nul = {}, bare = {}, crlf = {}, lf = {};

	for (size_t i = 0; i < n;) {
		if (i > 0 && n - i >= 16) {
			vector v = load(p + i), after = equal(load(p + i - 1), '\r'), newline = equal(v, '\n');
			nul |= equal(v, 0);
			bare |= after & ~newline;
			crlf |= after & newline;
			lf |= newline & ~after;
			i += 16;
			continue;
		}
		uint8_t before = i > 0 ? p[i - 1] : previous;
		if (p[i] == '\0')
			*ends |= MIME_ENDS_NUL;
		if (before == '\r' && p[i] != '\n')
			*ends |= MIME_ENDS_CR;
		if (p[i] == '\n')
			*ends |= before == '\r' ? MIME_ENDS_CRLF : MIME_ENDS_LF;
		i++;
	}
	*ends |= (uint8_t)((any(nul) ? MIME_ENDS_NUL : 0) | (any(bare) ? MIME_ENDS_CR : 0) |
		(any(crlf) ? MIME_ENDS_CRLF : 0) | (any(lf) ? MIME_ENDS_LF : 0));
}

bool mime_line_8bit(const uint8_t *p, size_t n)
{
	vector high = {};
	uint8_t last = 0;
	size_t i = 0;

	for (; n - i >= 16; i += 16)
		high |= load(p + i);
	for (; i < n; i++)
		last |= p[i];
	return any(high & ((vector){} + 0x80)) || (last & 0x80) != 0;
}

bool mime_line_plain(const uint8_t *p, size_t n)
{
	vector odd = {};
	size_t i = 0;

	for (; n - i >= 16; i += 16) {
		vector v = load(p + i);
		odd |= (vector)(v - ' ' >= 0x7f - ' ') & ~equal(v, '\t');
	}
	for (; i < n; i++)
		if ((p[i] < ' ' && p[i] != '\t') || p[i] >= 0x7f)
			return false;
	return !any(odd);
}
