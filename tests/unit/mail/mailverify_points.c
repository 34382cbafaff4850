/*
 * mailverify_points.c: what the verifier does with each character, found out from outside: a mail for each, in several
 * places. Prints ranges: first, last, kind: plain, refused, private (accepted only with the option), mark (not at the
 * beginning of a line), selector (only behind a Chinese character), ending (of a line).
 */
#include <sekisho/mailverify.h>

#include <stdint.h>
#include <stdio.h>
#include <string.h>

#define HEADER                                                                                                 \
	"From: <a@example.jp>\r\nMIME-Version: 1.0\r\nContent-Type: text/plain; charset=UTF-8\r\n"              \
	"Content-Transfer-Encoding: base64\r\n\r\n"

static size_t encode(uint32_t p, uint8_t *out)
{
	if (p < 0x80) {
		out[0] = (uint8_t)p;
		return 1;
	}
	size_t n = p < 0x800 ? 2 : p < 0x10000 ? 3 : 4;
	for (size_t i = n - 1; i > 0; i--, p >>= 6)
		out[i] = (uint8_t)(0x80 | (p & 0x3f));
	out[0] = (uint8_t)((n == 2 ? 0xc0 : n == 3 ? 0xe0 : 0xf0) | p);
	return n;
}

static size_t base64(const uint8_t *s, size_t n, char *out)
{
	static const char digits[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
	size_t at = 0;

	for (size_t i = 0; i < n; i += 3) {
		uint32_t v = (uint32_t)s[i] << 16 | (uint32_t)(i + 1 < n ? s[i + 1] : 0) << 8 | (i + 2 < n ? s[i + 2] : 0);
		out[at++] = digits[v >> 18];
		out[at++] = digits[v >> 12 & 63];
		out[at++] = i + 1 < n ? digits[v >> 6 & 63] : '=';
		out[at++] = i + 2 < n ? digits[v & 63] : '=';
	}
	return at;
}

/* A line with `before`, the character, and a letter. */
static bool passes(const char *before, uint32_t p, bool private_use)
{
	uint8_t text[32];
	char mail[256];
	struct mailverify v;
	size_t n = strlen(before), at = sizeof(HEADER) - 1;

	memcpy(text, before, n);
	n += encode(p, text + n);
	memcpy(text + n, "x\r\n", 3);
	memcpy(mail, HEADER, at);
	at += base64(text, n + 3, mail + at);
	memcpy(mail + at, "\r\n", 2);
	mailverify_begin(&v, &(struct mailverify_options){4096, private_use});
	size_t proven = mailverify_push(&v, mail, at + 2);
	return mailverify_end(&v, at + 2 - proven) == MAILVERIFY_OK;
}

static const char *kind_of(uint32_t p)
{
	if (passes("", p, false))
		return "plain";
	if (passes("", p, true))
		return "private";
	if (passes("a", p, true))
		return "mark";
	return passes("\xe8\x91\x9b", p, true) ? "selector" : "refused";
}

int main(void)
{
	const char *kind = kind_of(0);
	uint32_t first = 0;

	for (uint32_t p = 1; p <= 0x110000; p++) {
		const char *next = p <= 0x10ffff ? kind_of(p) : "";
		if (strcmp(next, kind) != 0) {
			printf("%x %x %s\n", first, p - 1, kind);
			kind = next;
			first = p;
		}
	}
	return 0;
}
