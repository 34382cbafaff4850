/* test_text.c: nothing that a terminal would obey gets out; columns of Japanese text; wrapping. */
#include "text.h"

#include <sekisho/buf.h>
#include <sekisho/i18n.h>

#include "test.h"

static const char *safe(struct buf *b, const char *s)
{
	buf_clear(b);
	text_safe(b, s);
	return buf_str(b);
}

static void test_safe(void)
{
	struct buf b = {0};

	CHECK_STR(safe(&b, "plain 日本語 ①㈱"), "plain 日本語 ①㈱");
	CHECK_STR(safe(&b, "\033[2J\033]0;owned\a"), "\\x1b[2J\\x1b]0;owned\\x07");
	CHECK_STR(safe(&b, "a\r\nb\tc\x7f"), "a\\x0d\\x0ab\\x09c\\x7f");
	/* C1: CSI as U+009B. */
	CHECK_STR(safe(&b, "\xc2\x9b\x32J"), "\\x9b2J");
	/* Right-to-left override and zero width space. */
	CHECK_STR(safe(&b, "a\xe2\x80\xaegnp.exe"), "a<U+202E>gnp.exe");
	CHECK_STR(safe(&b, "a\xe2\x80\x8b"), "a<U+200B>");
	/* Not UTF-8: a lone byte, an overlong NUL, a surrogate, beyond Unicode, a cut sequence. */
	CHECK_STR(safe(&b, "\xff"), "\xef\xbf\xbd");
	CHECK_STR(safe(&b, "\xc0\x80"), "\xef\xbf\xbd\xef\xbf\xbd");
	CHECK_STR(safe(&b, "\xed\xa0\x80"), "\xef\xbf\xbd\xef\xbf\xbd\xef\xbf\xbd");
	CHECK_STR(safe(&b, "\xf4\x90\x80\x80"), "\xef\xbf\xbd\xef\xbf\xbd\xef\xbf\xbd\xef\xbf\xbd");
	CHECK_STR(safe(&b, "\xe3\x81"), "\xef\xbf\xbd\xef\xbf\xbd");
	buf_free(&b);
}

/* Whatever bytes come in: only printable ones go out, as many columns as text_width() says. */
static void test_any_bytes(void)
{
	struct buf b = {0};
	unsigned seed = 1;
	char s[64];

	for (int round = 0; round < 20000; round++) {
		size_t n = 0;
		for (; n < sizeof(s) - 1; n++) {
			seed = seed * 1103515245 + 12345;
			s[n] = (char)(seed >> 16);
			if (s[n] == '\0')
				break;
		}
		s[n] = '\0';
		const unsigned char *out = (const unsigned char *)safe(&b, s);
		bool clean = true;
		for (size_t i = 0; i < b.len; i++)
			clean = clean && out[i] >= 0x20 && out[i] != 0x7f && !(out[i] == 0xc2 && out[i + 1] < 0xa0);
		if (!clean)
			CHECK(clean);
	}
	CHECK(b.len > 0);
	buf_free(&b);
}

static void test_width(void)
{
	i18n_init("en");
	CHECK_INT(text_width("abc"), 3);
	CHECK_INT(text_width("日本語"), 6);
	CHECK_INT(text_width("ﾊﾝｶｸ"), 4);
	CHECK_INT(text_width("か\xe3\x82\x99"), 2); /* combining voiced mark */
	CHECK_INT(text_width("葛\xf3\xa0\x84\x80"), 2); /* ideographic variation selector: kept */
	CHECK_INT(text_width("→"), 1);
	i18n_init("ja");
	CHECK_INT(text_width("→"), 2);
	CHECK_INT(text_width("\x1b"), 4);
}

static void test_fit(void)
{
	struct buf b = {0};

	text_fit(&b, "日本語", 8);
	CHECK_STR(buf_str(&b), "日本語  ");
	buf_clear(&b);
	text_fit(&b, "日本語です", 6);
	CHECK_STR(buf_str(&b), "日本~ ");
	buf_clear(&b);
	text_pad(&b, "日本語です", 6);
	CHECK_STR(buf_str(&b), "日本語です");
	buf_free(&b);
}

static size_t widest_line(const char *s)
{
	size_t widest = 0;
	char line[512];

	for (const char *end; *s != '\0'; s = *end == '\0' ? end : end + 1) {
		end = strchrnul(s, '\n');
		snprintf(line, sizeof(line), "%.*s", (int)(end - s), s);
		if (text_width(line) > widest)
			widest = text_width(line);
	}
	return widest;
}

static void test_wrap(void)
{
	struct buf b = {0};

	text_wrap(&b, "short", 10, 4);
	CHECK_STR(buf_str(&b), "short");
	buf_clear(&b);
	for (int i = 0; i < 3; i++)
		text_wrap(&b, "許可されていない通信です。申請が必要な場合は、担当課に申請してください。", 0, 2);
	CHECK(widest_line(buf_str(&b)) >= 70);
	buf_clear(&b);
	/* The mark "。" would be column 80: it goes with its character to the next line. */
	text_wrap(&b, "あああああああああああああああああああああああああああああああああああああああ。い", 0, 2);
	CHECK(widest_line(buf_str(&b)) <= 79);
	CHECK(strstr(buf_str(&b), "\n  。") == NULL);
	buf_clear(&b);
	text_wrap(&b, "aaaaaaaaaaaaaaaaaaaa bbbbbbbbbbbbbbbbbbbbbbbbbb cccccccccccccccccccccccccccc dddddddddddddd", 0, 2);
	CHECK(strstr(buf_str(&b), "cccc\n  dddd") != NULL);
	buf_clear(&b);
	text_wrap(&b, "one\ntwo\x1b", 0, 2);
	CHECK_STR(buf_str(&b), "one\n  two\\x1b");
	buf_free(&b);
}

int main(void)
{
	test_safe();
	test_any_bytes();
	test_width();
	test_fit();
	test_wrap();
	return test_end();
}
