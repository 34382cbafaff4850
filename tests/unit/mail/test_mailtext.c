/* test_mailtext.c: which characters pass. */
#include <sekisho/mailtext.h>

#include "test.h"

static char out[4096];
static size_t nout;
static struct mailtext filter;

static void take(void *arg, const char *utf8, size_t n)
{
	(void)arg;
	CHECK(n > 0 && (utf8[0] & 0xc0) != 0x80); /* a piece begins with a character */
	if (nout + n >= sizeof(out))
		n = sizeof(out) - 1 - nout;
	memcpy(out + nout, utf8, n);
	nout += n;
	out[nout] = '\0';
}

/* The text that comes out: whole, and the same byte by byte. */
static const char *through(struct mailtext_options o, const char *in)
{
	static char whole[sizeof(out)];

	o.sink = take;
	for (int bytes = 0; bytes < 2; bytes++) {
		nout = 0;
		out[0] = '\0';
		mailtext_begin(&filter, &o);
		for (size_t i = 0, n = strlen(in); i < n; i += bytes ? 1 : n)
			mailtext_put(&filter, in + i, bytes ? 1 : n);
		mailtext_end(&filter);
		if (bytes)
			CHECK_STR(out, whole);
		memcpy(whole, out, nout + 1);
	}
	return whole;
}

#define PLAIN(in) through((struct mailtext_options){0}, in)

static void test_controls(void)
{
	CHECK_STR(PLAIN("a\x01\x1b[31m\x7f" "b\tc"), "a[31mb\tc");
	CHECK_INT(filter.dropped, 3);
	CHECK_STR(PLAIN("1\r\n2\r3\n4\xe2\x80\xa8" "5\xc2\x85" "6"), "1\n2\n3\n4\n5\n6");
	CHECK_STR(PLAIN("\xc2\x9b" "x"), "x");
	CHECK_STR(through((struct mailtext_options){.crlf = true}, "a\nb\r\nc\r"), "a\r\nb\r\nc\r\n");
	CHECK_STR(through((struct mailtext_options){.one_line = true}, "a\r\nb\tc\n"), "a b c ");
}

static void test_invisible(void)
{
	/* Bidirectional marks, zero width, tags, fillers, noncharacters, soft hyphen. */
	CHECK_STR(PLAIN("a\u202eb\u2066c\u200fd\u061ce"), "abcde");
	CHECK_STR(PLAIN("a\u200bb\u2060c\ufeffd\u00ade\u034ff"), "abcdef");
	CHECK_STR(PLAIN("a\U000e0041b\u3164c\u115fd\uffa0e\ufdd0f\U0001ffffg"), "abcdefg");
	CHECK_STR(PLAIN("a\u00a0b\u2003c\u2800d\u3000e"), "a b c d\u3000e");
	CHECK_STR(through((struct mailtext_options){.visible = true}, "gpj.\u202eexe"), "gpj.[U+202E]exe");
	CHECK_STR(PLAIN("\ue000"), "\ufffd");
	CHECK_INT(filter.replaced, 1);
	CHECK_STR(through((struct mailtext_options){.private_use = true}, "\ue000"), "\ue000");
}

static void test_marks(void)
{
	CHECK_STR(PLAIN("か\u3099"), "か\u3099");
	CHECK_STR(PLAIN("葛\U000e0100城 a\ufe0f"), "葛\U000e0100城 a");
	CHECK_STR(PLAIN("葛\U000e0100\U000e0101"), "葛\U000e0100");
	char in[64] = "e", want[64] = "e";
	for (unsigned i = 0; i < 12; i++) {
		strcat(in, "\u0301");
		if (i < MAILTEXT_MARKS_MAX)
			strcat(want, "\u0301");
	}
	CHECK_STR(PLAIN(in), want);
	CHECK_STR(PLAIN("a\n\u0301"), "a\n \u0301");
}

static void test_bytes(void)
{
	CHECK_STR(PLAIN("\xc0\xaf"), "\ufffd\ufffd");
	CHECK_STR(PLAIN("\xed\xa0\x80"), "\ufffd\ufffd\ufffd");
	CHECK_STR(PLAIN("\xf4\x90\x80\x80"), "\ufffd\ufffd\ufffd\ufffd");
	CHECK_STR(PLAIN("\xe3\x81" "<"), "\ufffd<");
	CHECK_STR(PLAIN("\xf0\x9f\x98"), "\ufffd");
	CHECK_STR(PLAIN("\xf4\x8f\xbf\xbd"), "\ufffd"); /* private use */
}

static void test_defang(void)
{
	struct mailtext_options o = {.defang = true};

	CHECK_STR(through(o, "http://a HTTPS://b ftp://c Http://d"), "hxxp://a HXXPS://b fxp://c Hxxp://d");
	CHECK_STR(through(o, "hhttp://a htthttps://b xhttp://c"), "hhxxp://a htthxxps://b xhxxp://c");
	CHECK_STR(through(o, "http:/ https http"), "http:/ https http");
	CHECK_STR(through(o, "ht\u200btp://a"), "hxxp://a");
	CHECK_STR(PLAIN("http://a"), "http://a");
}

static void test_width(void)
{
	CHECK_INT(mailtext_width('a'), 1);
	CHECK_INT(mailtext_width(0x6f22), 2);
	CHECK_INT(mailtext_width(0xff76), 1); /* half-width kana */
	CHECK_INT(mailtext_width(0x3099), 0);
}

/* Longer than what is gathered, at every offset. */
static void test_pieces(void)
{
	static char in[3600];

	for (size_t before = 0; before < 8; before++) {
		memset(in, 'a', before);
		in[before] = '\0';
		for (unsigned i = 0; i < 1000; i++)
			strcat(in, i % 3 == 0 ? "\u3042" : i % 3 == 1 ? "\U0001f600" : "\u00e9");
		CHECK_STR(PLAIN(in), in);
	}
}

int main(void)
{
	test_pieces();
	test_controls();
	test_invisible();
	test_marks();
	test_bytes();
	test_defang();
	test_width();
	return test_end();
}
