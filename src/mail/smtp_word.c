/*
 * smtp_word.c: words, numbers and xtext of commands (RFC 5321 4.1.2, RFC 3461 4).
 *
 * Input: pieces of a stranger's command line, of which the caller knows the length.
 */
#include <string.h>
#include <strings.h>

#include "smtp_private.h"

bool smtp_word(const char *p, size_t n, const char *word)
{
	return n == strlen(word) && strncasecmp(p, word, n) == 0;
}

bool smtp_number(const char *p, size_t n, uint64_t *ret)
{
	uint64_t v = 0;

	if (n == 0 || n > 20)
		return false;
	for (size_t i = 0; i < n; i++) {
		if (!is_digit(p[i]) || __builtin_mul_overflow(v, 10u, &v) ||
			__builtin_add_overflow(v, (uint64_t)(p[i] - '0'), &v))
			return false;
	}
	*ret = v;
	return true;
}

/* RFC 3461: upper case only. */
static int hex(char c)
{
	return is_digit(c) ? c - '0' : c >= 'A' && c <= 'F' ? c - 'A' + 10 : -1;
}

/* The character that begins at p[*i], which moves on; -1 when there is none. */
static int xtext_next(const char *p, size_t n, size_t *i)
{
	char c = p[(*i)++];

	if (c != '+')
		return is_graph(c) && c != '=' ? c : -1;
	if (n - *i < 2 || hex(p[*i]) < 0 || hex(p[*i + 1]) < 0)
		return -1;
	int v = hex(p[*i]) << 4 | hex(p[*i + 1]);
	*i += 2;
	return v >= ' ' && v < 0x7f ? v : -1;
}

bool smtp_xtext_valid(const char *p, size_t n)
{
	for (size_t i = 0; i < n;)
		if (xtext_next(p, n, &i) < 0)
			return false;
	return n > 0;
}

bool smtp_xtext_decode(const char *p, size_t n, char *ret, size_t size)
{
	size_t used = 0;

	for (size_t i = 0; i < n;) {
		int c = xtext_next(p, n, &i);
		if (c < 0 || used + 1 >= size)
			return false;
		ret[used++] = (char)c;
	}
	ret[used] = '\0';
	return used > 0;
}

char *smtp_xtext_encode(const char *text, char *out)
{
	static const char digits[] = "0123456789ABCDEF";

	for (; *text != '\0'; text++) {
		if (is_graph(*text) && *text != '+' && *text != '=') {
			*out++ = *text;
			continue;
		}
		*out++ = '+';
		*out++ = digits[(unsigned char)*text >> 4];
		*out++ = digits[*text & 15];
	}
	*out = '\0';
	return out;
}
