/* test_sheet.c: cells as spreadsheets write them; every character of CP932 there and back; nothing that is written is a formula. */
#include "sheet.h"

#include <sekisho/arena.h>
#include <sekisho/buf.h>
#include <sekisho/charset.h>
#include <sekisho/diag.h>

#include "test.h"

static struct arena *arena;

/* The rows as "cell|cell;cell", with what was found wrong behind. */
static void check_read(const char *text, size_t n, const char *want)
{
	struct diag_list diags;
	struct buf b = {0};
	struct sheet s;
	struct sheet_row row;

	diag_init(&diags, arena);
	if (sheet_open(&s, arena, text, n, &diags))
		while (sheet_next(&s, &row)) {
			buf_printf(&b, "%u:", row.line);
			for (size_t i = 0; i < row.n; i++)
				buf_printf(&b, "%s%s", i == 0 ? "" : "|", row.cells[i]);
			buf_addc(&b, ';');
		}
	for (size_t i = 0; i < diags.n; i++)
		buf_printf(&b, " %u %s", diags.items[i].line, diags.items[i].code);
	CHECK_STR(buf_str(&b), want);
	buf_free(&b);
}

#define READ(text, want) check_read(text, sizeof(text) - 1, want)

static void test_read(void)
{
	READ("", "");
	READ("a,b\r\nc,d", "1:a|b;2:c|d;");
	READ("a,b\rc\n\n,,\nd", "1:a|b;2:c;5:d;");
	READ(" a , \"b, \"\"c\"\" \" ,\n", "1:a|b, \"c\" |;");
	READ("\"a\r\nb\",c\nd", "1:a\r\nb|c;3:d;");
	READ("a\tb,c\nd\te", "1:a\tb|c;2:d\te;");
	READ("a\tb\nc,d\te", "1:a|b;2:c,d|e;");
	READ("a\"b,c", "1:a\"b|c;");
	READ("\xef\xbb\xbf\xe5\x90\x8d,b", "1:名|b;");
	READ("\x96\xbc,\x87\x40\xfa\x40\xb1", "1:名|①ⅰｱ;");
	READ("a\n\"b\" c\nd", "1:a;3:d; 2 quote");
	READ("a\n\"b\nd", "1:a; 2 quote");
	READ("a\nb\xff\n", " 2 encoding");
	READ("a\0b", " 1 encoding");
	READ("\xff\xfe""a\0", " 0 encoding");
}

static void test_limits(void)
{
	struct buf b = {0};

	for (int i = 0; i < SHEET_CELLS_MAX; i++)
		buf_adds(&b, ",");
	buf_adds(&b, "x\ny\n");
	check_read((const char *)b.data, b.len, "2:y; 1 too-many");
	buf_clear(&b);
	for (int i = 0; i <= SHEET_CELL_MAX; i++)
		buf_adds(&b, "x");
	buf_adds(&b, "\ny\n");
	check_read((const char *)b.data, b.len, "2:y; 1 line-too-long");
	buf_clear(&b);
	memset(buf_reserve(&b, SHEET_BYTES_MAX + 1), 'x', SHEET_BYTES_MAX + 1);
	check_read((const char *)b.data, b.len, " 0 file-too-large");
	buf_free(&b);
}

static void check_write(const char *text, const char *want)
{
	struct buf b = {0};

	sheet_put(&b, text, true);
	CHECK_STR(buf_str(&b), want);
	buf_free(&b);
}

static void test_write(void)
{
	check_write("", "");
	check_write("住民 課", "住民 課");
	check_write("a,b", "\"a,b\"");
	check_write("a\"b", "\"a\"\"b\"");
	check_write("a\r\nb", "\"a\r\nb\"");
	check_write("=cmd|' /C calc'!A0", "\"'=cmd|' /C calc'!A0\"");
	check_write("+81", "\"'+81\"");
	check_write("-1", "\"'-1\"");
	check_write("@SUM(1)", "\"'@SUM(1)\"");
	check_write("\t=1", "\"'\t=1\"");
	check_write("a=1", "a=1");
}

static size_t encode_char(uint32_t c, char utf8[4])
{
	if (c < 0x80) {
		utf8[0] = (char)c;
		return 1;
	}
	if (c < 0x800) {
		utf8[0] = (char)(0xc0 | c >> 6);
		utf8[1] = (char)(0x80 | (c & 0x3f));
		return 2;
	}
	utf8[0] = (char)(0xe0 | c >> 12);
	utf8[1] = (char)(0x80 | (c >> 6 & 0x3f));
	utf8[2] = (char)(0x80 | (c & 0x3f));
	return 3;
}

/* What is written is read again as the same character, but for eight that others write for Windows' own. */
static void test_cp932(void)
{
	unsigned known = 0, other = 0;

	for (uint32_t c = 0x20; c < 0x10000; c++) {
		char utf8[4], back[DECODER_OUT(2) + DECODER_OUT(0)];
		struct buf b = {0};
		struct decoder d;
		if (c == 0x7f || (c >= 0xd800 && c < 0xe000))
			continue;
		size_t n = encode_char(c, utf8);
		if (sheet_cp932(&b, utf8, n) == 0) {
			decoder_begin(&d, CHARSET_SHIFT_JIS);
			size_t m = decoder_push(&d, b.data, b.len, back);
			m += decoder_end(&d, back + m);
			bool same = m == n && memcmp(utf8, back, n) == 0;
			known += same;
			other += !same;
		} else {
			CHECK(b.len == 2 && memcmp(b.data, "\x81\xac", 2) == 0);
		}
		buf_free(&b);
	}
	/* ASCII, half-width kana, JIS X 0208 (6879), NEC's row 13 and IBM's: 7486 that differ, and the private ones never. */
	CHECK(known >= 7480 && known <= 7500);
	CHECK_INT(other, 8);
	struct buf b = {0};
	CHECK_INT(sheet_cp932(&b, "①㈱髙﨑～", strlen("①㈱髙﨑～")), 0);
	CHECK_STR(buf_str(&b), "\x87\x40\x87\x8a\xfb\xfc\xfa\xb1\x81\x60");
	buf_free(&b);
}

int main(void)
{
	arena = arena_new();
	test_read();
	test_limits();
	test_write();
	test_cp932();
	arena_free(arena);
	return test_end();
}
