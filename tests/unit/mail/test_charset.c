/*
 * test_charset.c: bytes -> text, each with the number of errors, whole and cut at every place; names; labels
 * that lie. For each pair of Japanese without errors nkf 2.1.5, ICU 72.1 or glibc 2.36 give the same text (but for
 * SO before a line end, where they disagree); whole tables are compared in test_charset_tools.py.
 */
#include <sekisho/charset.h>

#include "test.h"

#define FFFD "\xef\xbf\xbd"
#define TEXT(s) s, sizeof(s) - 1

struct pair {
	enum charset charset;
	const char *in;
	size_t n;
	const char *out;
	unsigned errors;
};

static const struct pair pairs[] = {
	{CHARSET_ASCII, TEXT("a\tb\x80""c\xff"), "a\tb" FFFD "c" FFFD, 2},
	{CHARSET_UNKNOWN, TEXT("a\xe9"), "a" FFFD, 1},

	/* UTF-8: marks, overlong forms, surrogates, beyond Unicode, one U+FFFD for each maximal beginning. */
	{CHARSET_UTF_8, TEXT("\xef\xbb\xbf関所"), "関所", 0},
	{CHARSET_UTF_8, TEXT("関\xef\xbb\xbf"), "関\xef\xbb\xbf", 0},
	{CHARSET_UTF_8, TEXT("\xef\xbb"), FFFD, 1},
	{CHARSET_UTF_8, TEXT("é漢𠮷\U0010ffff"), "é漢𠮷\U0010ffff", 0},
	{CHARSET_UTF_8, TEXT("\xc0\xaf\xc1\xbf"), FFFD FFFD FFFD FFFD, 4},
	{CHARSET_UTF_8, TEXT("\xe0\x80\xaf"), FFFD FFFD FFFD, 3},
	{CHARSET_UTF_8, TEXT("\xed\xa0\x80\xed\x9f\xbf"), FFFD FFFD FFFD "\xed\x9f\xbf", 3},
	{CHARSET_UTF_8, TEXT("\xf4\x90\x80\x80\xf5"), FFFD FFFD FFFD FFFD FFFD, 5},
	{CHARSET_UTF_8, TEXT("\xf0\x80\x80\x80"), FFFD FFFD FFFD FFFD, 4},
	{CHARSET_UTF_8, TEXT("\xe3\x81<\xf0\x90\x8d\"\xc3"), FFFD "<" FFFD "\"" FFFD, 3},
	{CHARSET_UTF_8, TEXT("\x80\xbf""a"), FFFD FFFD "a", 2},

	/* ISO-2022-JP as RFC 1468 has it. */
	{CHARSET_ISO_2022_JP, TEXT("a\x1b$B4X=j\x1b(Bb"), "a関所b", 0},
	{CHARSET_ISO_2022_JP, TEXT("\x1b$@4X=j\x1b(J\\~a"), "関所¥‾a", 0},
	{CHARSET_ISO_2022_JP, TEXT("\x1b$(B4X\x1b(H=\x1b(B~"), "関=~", 0},
	/* Windows' characters: NEC row 13, NEC's selection of IBM's (row 92: the ladder of 高), wave dash, minus. */
	{CHARSET_ISO_2022_JP, TEXT("\x1b$B-!-j-5\x1b(B"), "①㈱Ⅰ", 0},
	{CHARSET_ISO_2022_JP, TEXT("\x1b$B|b\x1b(B"), "髙", 0},
	{CHARSET_ISO_2022_JP, TEXT("\x1b$B!A!]!B\x1b(B"), "～－∥", 0},
	/* Half-width kana in all its forms. */
	{CHARSET_ISO_2022_JP, TEXT("\x1b(I1@^6\x1b(Ba"), "ｱﾀﾞｶa", 0},
	{CHARSET_ISO_2022_JP, TEXT("a\x0e""16\x0f""b"), "aｱｶb", 0},
	{CHARSET_ISO_2022_JP, TEXT("\x1b$B4X\x0e""16\x0f=j\x1b(B"), "関ｱｶ所", 0},
	{CHARSET_ISO_2022_JP, TEXT("a\xb1\xb6\xdf."), "aｱｶﾟ.", 0},
	{CHARSET_ISO_2022_JP, TEXT("\x1b(I1 6\t`"), "ｱ ｶ\t" FFFD, 1},
	{CHARSET_ISO_2022_JP, TEXT("\x0f\x0e\x0e"), FFFD FFFD, 2},
	/* JIS X 0212 and 0213: a supplementary character, two code points for one cell, Windows' wave dash. */
	{CHARSET_ISO_2022_JP, TEXT("\x1b$(D0!\x1b(B"), "丂", 0},
	{CHARSET_ISO_2022_JP, TEXT("\x1b$(Q.\"4X!A$w\x1b(B"), "𠀋関～か\xe3\x82\x9a", 0},
	{CHARSET_ISO_2022_JP, TEXT("\x1b$(P!!\x1b(B"), "𠂉", 0},
	{CHARSET_ISO_2022_JP, TEXT("\x1b$(D!!\x1b(B"), FFFD, 1},
	{CHARSET_ISO_2022_JP, TEXT("\x1b&@\x1b$B4X\x1b(B"), "関", 0},
	/* A line end returns to ASCII. */
	{CHARSET_ISO_2022_JP, TEXT("\x1b$B4X\r\n=j"), "関\r\n=j", 0},
	{CHARSET_ISO_2022_JP, TEXT("\x1b$B4X=\n=j"), "関" FFFD "\n=j", 1},
	{CHARSET_ISO_2022_JP, TEXT("\x0e""1\n1"), "ｱ\n1", 0},
	/* Unknown escapes, escapes cut off, two with nothing between; joined encoded words are right. */
	{CHARSET_ISO_2022_JP, TEXT("\x1b$A4X"), FFFD "$A4X", 1},
	{CHARSET_ISO_2022_JP, TEXT("a\x1b"), "a" FFFD, 1},
	{CHARSET_ISO_2022_JP, TEXT("a\x1b$("), "a" FFFD "$(", 1},
	{CHARSET_ISO_2022_JP, TEXT("\x1b$B4X\x1b[0m\x1b(B"), "関" FFFD "朧" FFFD, 2},
	{CHARSET_ISO_2022_JP, TEXT("\x1b$B4X\x1b(B\x1b$B=j\x1b(B"), "関所", 0},
	{CHARSET_ISO_2022_JP, TEXT("<\x1b(B\x1b(Bscript>"), "<" FFFD "script>", 1},
	{CHARSET_ISO_2022_JP, TEXT("<\x1b$B\x1b(Bscript>"), "<" FFFD "script>", 1},
	/* Bytes that do not fit. */
	{CHARSET_ISO_2022_JP, TEXT("\x1b$B4\x1b(B<"), FFFD "<", 1},
	{CHARSET_ISO_2022_JP, TEXT("\x1b$B4X4"), "関" FFFD, 1},
	{CHARSET_ISO_2022_JP, TEXT("\x1b$B4X \xa4\x7f\x1b(B"), "関 " FFFD FFFD, 2},
	{CHARSET_ISO_2022_JP, TEXT("\x1b$B)!4X"), FFFD "関", 1},
	{CHARSET_ISO_2022_JP, TEXT("a\x82\xa0"), "a" FFFD FFFD, 2},

	{CHARSET_SHIFT_JIS, TEXT("a\x8a\xd6\x8f\x8a\\~"), "a関所\\~", 0},
	{CHARSET_SHIFT_JIS, TEXT("\x87\x40\x87\x8a\xfb\xfc\xee\xe0\xb1\xde"), "①㈱髙髙ｱﾞ", 0},
	{CHARSET_SHIFT_JIS, TEXT("\x81\x60\x81\x7c\xf0\x40\xf9\xfc"), "～－\xee\x80\x80\xee\x9d\x97", 0},
	{CHARSET_SHIFT_JIS, TEXT("\x81\"\x81<b\x81"), FFFD "\"" FFFD "<b" FFFD, 3},
	{CHARSET_SHIFT_JIS, TEXT("\x85\x40\x85\x9f."), FFFD "@" FFFD ".", 2},
	{CHARSET_SHIFT_JIS, TEXT("\x80\xa0\xfd\x81\xffz"), FFFD FFFD FFFD FFFD "z", 4},

	{CHARSET_EUC_JP, TEXT("a\xb4\xd8\xbd\xea\x8e\xb1\x8e\xb6\xad\xa1"), "a関所ｱｶ①", 0},
	{CHARSET_EUC_JP, TEXT("\x8f\xb0\xa1\xfc\xe2\xa1\xc1\xa1\xdd"), "丂髙～－", 0},
	{CHARSET_EUC_JP, TEXT("\x8f\xb0<\x8f<\xb4<\x8e<\x8f\xb0"), FFFD "<" FFFD "<" FFFD "<" FFFD "<" FFFD, 5},
	{CHARSET_EUC_JP, TEXT("\x80\xff\x8e\xe0\x8f\x8f\xa9\xa1.\xa9"), FFFD FFFD FFFD FFFD FFFD "." FFFD, 6},

	{CHARSET_UTF_16, TEXT("\xff\xfe\xa2\x95<\0"), "関<", 0},
	{CHARSET_UTF_16, TEXT("\xfe\xff\x95\xa2\0<"), "関<", 0},
	{CHARSET_UTF_16, TEXT("\xa2\x95"), "関", 0},
	{CHARSET_UTF_16LE, TEXT("\x42\xd8\xb7\xdf\xff\xfe"), "𠮷\xef\xbb\xbf", 0},
	{CHARSET_UTF_16BE, TEXT("\xd8\x42\xdf\xb7"), "𠮷", 0},
	{CHARSET_UTF_16BE, TEXT("\xd8\x42\0<\xdf\xb7\xd8\x42"), FFFD "<" FFFD FFFD, 3},
	{CHARSET_UTF_16BE, TEXT("\0a\xd8"), "a" FFFD, 1},

	{CHARSET_WINDOWS_1252, TEXT("\x80\xe9\xa0\x81"), "€é\xc2\xa0" FFFD, 1},
	{CHARSET_ISO_8859_15, TEXT("\xa4\xbd\x80"), "€œ" FFFD, 1},
	{CHARSET_WINDOWS_1250, TEXT("\x8c\xf5"), "Śő", 0},
	{CHARSET_WINDOWS_1251, TEXT("\xc6\xff"), "Жя", 0},
	{CHARSET_WINDOWS_1253, TEXT("\xc1\xaa"), "Α" FFFD, 1},
	{CHARSET_WINDOWS_1254, TEXT("\xd0\xfd"), "Ğı", 0},
	{CHARSET_WINDOWS_1255, TEXT("\xe0\xca"), "א\xd6\xba", 0},
	{CHARSET_WINDOWS_1256, TEXT("\xc7"), "ا", 0},
	{CHARSET_WINDOWS_1257, TEXT("\xe0"), "ą", 0},
	{CHARSET_WINDOWS_1258, TEXT("\xd5"), "Ơ", 0},
};

/* Decodes in pieces: one of `first` bytes, then of `step`. */
static uint64_t decode(const struct pair *p, size_t first, size_t step, char *out)
{
	struct decoder d;
	size_t o = 0;

	decoder_begin(&d, p->charset);
	for (size_t i = 0, n = first; i < p->n; i += n, n = step) {
		if (n > p->n - i)
			n = p->n - i;
		o += decoder_push(&d, p->in + i, n, out + o);
	}
	o += decoder_end(&d, out + o);
	out[o] = '\0';
	return d.errors;
}

static void test_pairs(void)
{
	char out[512];

	for (size_t k = 0; k < sizeof(pairs) / sizeof(pairs[0]); k++) {
		const struct pair *p = &pairs[k];
		int before = test_failures;
		CHECK_INT(decode(p, p->n, 1, out), p->errors);
		CHECK_STR(out, p->out);
		for (size_t first = 1; first < p->n; first++) {
			CHECK_INT(decode(p, first, p->n, out), p->errors);
			CHECK_STR(out, p->out);
		}
		CHECK_INT(decode(p, 1, 1, out), p->errors);
		CHECK_STR(out, p->out);
		if (test_failures != before)
			printf("in pair %zu (%s)\n", k, charset_name(p->charset));
	}
}

/* Each byte many times over, in each charset: the output fits, and nothing is written past what was promised. */
static void test_bounds(void)
{
	static char big[4096], out[DECODER_OUT(sizeof(big)) + 8];

	for (int charset = CHARSET_ASCII; charset < CHARSET_COUNT; charset++) {
		for (unsigned byte = 0; byte < 256; byte++) {
			struct decoder d;
			memset(big, (int)byte, sizeof(big));
			decoder_begin(&d, (enum charset)charset);
			memset(out, 'G', sizeof(out));
			size_t n = decoder_push(&d, big, sizeof(big), out);
			CHECK(n <= DECODER_OUT(sizeof(big)));
			CHECK(memcmp(out + DECODER_OUT(sizeof(big)), "GGGGGGGG", 8) == 0);
			CHECK(decoder_end(&d, out) <= DECODER_OUT(0));
		}
	}
}

static enum charset find(const char *name)
{
	return charset_find(name, strlen(name));
}

static void test_names(void)
{
	for (int charset = CHARSET_ASCII; charset < CHARSET_COUNT; charset++)
		CHECK_INT(find(charset_name((enum charset)charset)), charset);
	CHECK_INT(find("ISO-2022-jp"), CHARSET_ISO_2022_JP);
	CHECK_INT(find(" cp50221\r\n"), CHARSET_ISO_2022_JP);
	CHECK_INT(find("Windows-31J"), CHARSET_SHIFT_JIS);
	CHECK_INT(find("x-sjis"), CHARSET_SHIFT_JIS);
	CHECK_INT(find("x-euc-jp"), CHARSET_EUC_JP);
	CHECK_INT(find("ISO-8859-1"), CHARSET_WINDOWS_1252);
	CHECK_INT(find("utf8"), CHARSET_UTF_8);
	static const char *const refused[] = {"", " ", "utf-7", "hz-gb-2312", "iso-2022-kr", "iso-2022-cn", "ibm930", "x",
		"../../tmp/x", "utf-8 utf8", "utf-8//IGNORE", "unknown", "iso-2022-jp-", "gb18030", "big5", "euc-kr"};
	for (size_t i = 0; i < sizeof(refused) / sizeof(refused[0]); i++)
		CHECK_INT(find(refused[i]), CHARSET_UNKNOWN);
	CHECK_INT(charset_find("utf-8\0", 6), CHARSET_UNKNOWN);
	CHECK_INT(charset_find("utf-8;", 5), CHARSET_UTF_8);
	CHECK_STR(charset_name(CHARSET_UNKNOWN), "unknown");
	CHECK_STR(charset_name((enum charset)99), "unknown");
}

static void test_settle(void)
{
	static const struct {
		enum charset declared;
		const char *text;
		size_t n;
		enum charset settled;
	} labels[] = {
		{CHARSET_ISO_2022_JP, TEXT("\x1b$B4X=j\x1b(B"), CHARSET_ISO_2022_JP},
		{CHARSET_ISO_2022_JP, TEXT("\xe9\x96\xa2\xe6\x89\x80"), CHARSET_UTF_8},
		{CHARSET_ISO_2022_JP, TEXT("\x8a\xd6\x8f\x8a"), CHARSET_SHIFT_JIS},
		{CHARSET_ISO_2022_JP, TEXT("\xb1\xb2\xb3"), CHARSET_SHIFT_JIS}, /* half-width kana: the same text */
		{CHARSET_ISO_2022_JP, TEXT("\x1b$B4X=j\x1b(B \x8a\xd6"), CHARSET_ISO_2022_JP},
		{CHARSET_ISO_2022_JP, TEXT("\x1b$B4\x1b(B \x1b[1m"), CHARSET_ISO_2022_JP},
		{CHARSET_ASCII, TEXT("plain"), CHARSET_ASCII},
		{CHARSET_ASCII, TEXT("\x1b[1mplain"), CHARSET_ASCII},
		{CHARSET_ASCII, TEXT("\x1b$B4X=j\x1b(B"), CHARSET_ISO_2022_JP},
		{CHARSET_UTF_8, TEXT("a\r\n\x1b$B4X=j\x1b(B\r\n"), CHARSET_ISO_2022_JP},
		{CHARSET_SHIFT_JIS, TEXT("\x1b(I16\x1b(B"), CHARSET_ISO_2022_JP},
		{CHARSET_UTF_8, TEXT("\x1b$B4\x1b(B"), CHARSET_UTF_8},
		{CHARSET_ASCII, TEXT("\xe9\x96\xa2"), CHARSET_UTF_8},
		{CHARSET_ASCII, TEXT("\x8a\xd6"), CHARSET_SHIFT_JIS},
		{CHARSET_UTF_8, TEXT("\x8a\xd6\x8f\x8a"), CHARSET_SHIFT_JIS},
		{CHARSET_UTF_8, TEXT("\xff\xfe"), CHARSET_UTF_8},
		{CHARSET_SHIFT_JIS, TEXT("\x8a\xd6\xe3\x81"), CHARSET_SHIFT_JIS},
		{CHARSET_SHIFT_JIS, TEXT("\xc3\xa9\x80\xc3\xa9"), CHARSET_SHIFT_JIS},
		{CHARSET_EUC_JP, TEXT("\xb4\xd8\xbd\xea"), CHARSET_EUC_JP},
		{CHARSET_EUC_JP, TEXT("\xe9\x96\xa2\xe6\x89\x80"), CHARSET_UTF_8},
		{CHARSET_WINDOWS_1252, TEXT("caf\xe9"), CHARSET_WINDOWS_1252},
		{CHARSET_WINDOWS_1252, TEXT("\xe3\x81\x82"), CHARSET_UTF_8},
		{CHARSET_WINDOWS_1252, TEXT("\x81\x41\x8a\xd6"), CHARSET_SHIFT_JIS},
		{CHARSET_UTF_16, TEXT("\xff\xfe\x1b\0"), CHARSET_UTF_16},
		{CHARSET_UTF_16LE, TEXT("\x1b$B4X=j\x1b(B"), CHARSET_UTF_16LE},
		{CHARSET_UTF_16BE, TEXT("\xdf\xb7\xe9\x96\xa2"), CHARSET_UTF_8},
		{CHARSET_UNKNOWN, TEXT("\xe9\x96\xa2"), CHARSET_UNKNOWN},
		{CHARSET_UTF_8, "", 0, CHARSET_UTF_8},
		{CHARSET_UTF_8, TEXT("\xe9\x96\xa2\xe6"), CHARSET_UTF_8}, /* cut off: not a lie */
	};

	for (size_t i = 0; i < sizeof(labels) / sizeof(labels[0]); i++)
		CHECK_STR(charset_name(charset_settle(labels[i].declared, labels[i].text, labels[i].n)),
			charset_name(labels[i].settled));
}

int main(void)
{
	test_pairs();
	test_bounds();
	test_names();
	test_settle();
	return test_end();
}
