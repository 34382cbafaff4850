/*
 * test_mailtext_verify.c: whatever the cleaner's filter of characters lets out, the verifier accepts: every character in four
 * places, and many texts of the characters that are not simply kept. (Neither knows the other.)
 */
#include <sekisho/mailtext.h>
#include <sekisho/mailverify.h>

#include <stdint.h>

#include "test.h"

#define HEADER                                                                                                 \
	"From: <a@example.jp>\r\nMIME-Version: 1.0\r\nContent-Type: text/plain; charset=UTF-8\r\n"              \
	"Content-Transfer-Encoding: base64\r\n\r\n"
#define TEXT_MAX 4096

static char text[TEXT_MAX];
static size_t text_n;

static void take(void *arg, const char *utf8, size_t n)
{
	(void)arg;
	memcpy(text + text_n, utf8, n);
	text_n += n;
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
		if (i % 57 == 54 || i + 3 >= n) {
			out[at++] = '\r';
			out[at++] = '\n';
		}
	}
	return at;
}

/* A letter at the end, so that the text ends as it must. */
static enum mailverify_reason through_both(const char *bytes, size_t n, bool private_use)
{
	static char mail[3 * TEXT_MAX] = HEADER;
	struct mailtext t;
	struct mailverify v;

	text_n = 0;
	mailtext_begin(&t, &(struct mailtext_options){.sink = take, .crlf = true, .defang = true, .private_use = private_use});
	mailtext_put(&t, bytes, n);
	mailtext_put(&t, "x\n", 2);
	mailtext_end(&t);
	size_t size = sizeof(HEADER) - 1 + base64((const uint8_t *)text, text_n, mail + sizeof(HEADER) - 1);
	mailverify_begin(&v, &(struct mailverify_options){1 << 20, private_use});
	size_t proven = mailverify_push(&v, mail, size);
	return mailverify_end(&v, size - proven);
}

static void test_every_character(void)
{
	static const char *const before[] = {"", "a", "葛", "か\xe3\x82\x99"};
	unsigned bad = 0;

	for (uint32_t p = 0; p <= 0x10ffff; p++) {
		for (size_t i = 0; i < 4; i++) {
			char bytes[16];
			size_t n = strlen(before[i]);
			memcpy(bytes, before[i], n);
			n += mailtext_utf8(p, bytes + n);
			if (through_both(bytes, n, (p & 1) != 0) != MAILVERIFY_OK && bad++ < 10)
				printf("U+%04X behind \"%s\"\n", (unsigned)p, before[i]);
		}
	}
	CHECK_INT(bad, 0);
}

static uint32_t state = 20261120;

static uint32_t random_below(uint32_t n)
{
	state = state * 1664525u + 1013904223u;
	return (uint32_t)((uint64_t)state * n >> 32);
}

static void test_texts(void)
{
	static const char *const pieces[] = {"a", "\xcc\x80", "\xcc\x81\xcc\x82", "\xe3\x82\x99", "葛", "\xef\xb8\x80", "\xf3\xa0\x84\x80",
		"\r", "\n", "\r\n", "\t", " ", "http", "https", "ftp", "HTTP", ":", "/", "//", "://", "\xe2\x80\xae", "\xe2\x80\xa8",
		"\xc2\x85", "\xc2\xad", "\xef\xbb\xbf", "\xee\x80\x80", "\xf4\x8f\xbf\xbf", "\xff", "\xe3", "\xe3\x81", "\xed\xa0\x80",
		"\xc0\xaf", "\xf0\x9f\x98\x80", "\xf0\xa0\xae\xb7", "\0", "\x1b", "\xef\xbe\xa0", "\xea\x99\xaf", "\xe3\x80\xaa", "か", "é"};
	unsigned bad = 0;

	for (unsigned i = 0; i < 200000; i++) {
		char bytes[256];
		size_t n = 0;
		for (unsigned k = random_below(30); k > 0; k--) {
			const char *piece = pieces[random_below(sizeof(pieces) / sizeof(pieces[0]))];
			size_t len = piece[0] == '\0' ? 1 : strlen(piece);
			memcpy(bytes + n, piece, len);
			n += len;
		}
		enum mailverify_reason r = through_both(bytes, n, (i & 1) != 0);
		if (r != MAILVERIFY_OK && bad++ < 5) {
			printf("%s:", mailverify_word(r));
			for (size_t k = 0; k < n; k++)
				printf(" %02x", (unsigned)(uint8_t)bytes[k]);
			printf("\n");
		}
	}
	CHECK_INT(bad, 0);
}

int main(void)
{
	test_every_character();
	test_texts();
	return test_end();
}
