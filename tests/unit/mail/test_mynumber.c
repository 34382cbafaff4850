/* test_mynumber.c: which strings of digits are individual numbers, and what they come to. All numbers are made up. */
#include <sekisho/mynumber.h>

#include "test.h"

static struct mynumber_report report;

/* Whole, and the same byte by byte and cut at every place. */
static const struct mynumber_report *scan_as(const char *text, bool kanji)
{
	static struct mynumber m;
	struct mynumber_report other;
	const struct mynumber_options options = {.kanji = kanji};
	size_t n = strlen(text);

	mynumber_begin(&m, &options);
	mynumber_push(&m, text, n);
	mynumber_end(&m, &report);
	for (size_t cut = 0; cut < n && n < 400; cut++) {
		mynumber_begin(&m, &options);
		mynumber_push(&m, text, cut);
		mynumber_push(&m, text + cut, n - cut);
		mynumber_end(&m, &other);
		CHECK(memcmp(&other, &report, sizeof(report)) == 0);
	}
	mynumber_begin(&m, &options);
	for (size_t i = 0; i < n; i++)
		mynumber_push(&m, text + i, 1);
	mynumber_end(&m, &other);
	CHECK(memcmp(&other, &report, sizeof(report)) == 0);
	return &report;
}

#define SCORE(text) ((int)scan_as(text, false)->score)
#define HITS(text) ((int)scan_as(text, false)->hits)

static void test_check_digit(void)
{
	static const struct {
		uint64_t first;
		unsigned check;
	} known[] = {{12345678901, 8}, {11111111111, 8}, {1, 9}, {98765432109, 3}, {104, 0}, {109, 0}, {20261120123, 2}};

	for (size_t i = 0; i < sizeof(known) / sizeof(known[0]); i++)
		CHECK_INT(mynumber_check_digit(known[i].first), known[i].check);
}

static void test_forms(void)
{
	static const char *const forms[] = {"123456789018", "1234-5678-9018", "1234 5678 9018", "1234\u30005678\u30009018",
		"\uff11\uff12\uff13\uff14\uff15\uff16\uff17\uff18\uff19\uff10\uff11\uff18", "\uff11\uff12\uff13\uff14\uff0d5678\uff0d9018",
		"1234\u20105678\u20109018", "1234\u30fc5678\u30fc9018", "1234.5678.9018", "1234\t5678\t9018",
		"1234-5678-\n9018", "1234 5678\n> 9018",
		"1234\r\n5678\r\n9018", "1\t2\t3\t4\t5\t6\t7\t8\t9\t0\t1\t8", "1 2 3 4 5 6 7 8 9 0 1 8",
		"1|2|3|4|5|6|7|8|9|0|1|8", "1,2,3,4,5,6,7,8,9,0,1,8",
		"1234\u200b56789\u200d018", "12\u00ad34-5678-90\u206018", "1234 - 5678 - 9018", "\U0001d7cf23456789018",
		"No.123456789018"};
	char text[256];

	for (size_t i = 0; i < sizeof(forms) / sizeof(forms[0]); i++) {
		snprintf(text, sizeof(text), "\u500b\u4eba\u756a\u53f7\uff1a%s\u3067\u3059\u3002", forms[i]);
		const struct mynumber_report *r = scan_as(text, false);
		CHECK_INT(r->score, 100);
		CHECK_STR(r->shown[0], "****-****-9018");
		if (r->score != 100)
			printf("  in %s\n", forms[i]);
	}
	CHECK_INT(scan_as("個人番号は一二三四五六七八九〇一八", true)->score, 100);
	CHECK_INT(scan_as("個人番号は一二三四五六七八九〇一八", false)->score, 0);
}

static void test_longer(void)
{
	static const char *const longer[] = {"1234567890180", "0123456789018", "1234-5678-9018-0000",
		"0000-1234-5678-9018", "12-123456789018",
		"123456789018-12", "0.123456789018", "123456789018.5", "+123456789018", "1234 5678 9018 0000",
		"1234-5678 9018", "1234.5678-9018",
		"1234-56789018", "1 2 3 4 5 6 7 8 9 0 1 8 0", "1,2 3 4 5 6 7 8 9 0 1 8", "1234,5678,9018",
		"1234------5678-9018"};
	char text[256];

	for (size_t i = 0; i < sizeof(longer) / sizeof(longer[0]); i++) {
		snprintf(text, sizeof(text), "個人番号 %s です", longer[i]);
		CHECK_INT(SCORE(text), 0);
		if (report.score != 0)
			printf("  in %s\n", longer[i]);
	}
	/* Neighbours of another manner are other fields. */
	CHECK_INT(SCORE("個人番号\n1 1234-5678-9018 2026\n"), 100);
	CHECK_INT(SCORE("個人番号\n1234-5678-9018\n1111-2222-3334\n"), 100);
	CHECK_INT(SCORE("氏名,個人番号\n山田,123456789018,1980\n"), 100);
}

/* A number that begins with this and has the right check digit, as text. */
static const char *number(uint64_t first11)
{
	static char out[8][16];
	static unsigned turn;
	char *s = out[turn++ % 8];

	snprintf(s, sizeof(out[0]), "%011llu%u", (unsigned long long)first11, mynumber_check_digit(first11));
	return s;
}

static void test_exempt(void)
{
	static const char *const labels[] = {"会社法人等番号 ", "法人番号は", "登録番号：", "会社法人等番号（商業登記）\n"};
	char text[256];

	for (size_t i = 0; i < sizeof(labels) / sizeof(labels[0]); i++) {
		snprintf(text, sizeof(text), "マイナンバー制度。%s1234-5678-9018", labels[i]);
		CHECK_INT(SCORE(text), 0);
		CHECK_INT(report.exempt, 1);
	}
	CHECK_INT(SCORE("法人番号ではありません。個人番号です: 1234-5678-9018"), 100);
	/* Small numbers, and patterns that repeat, with the right check digit by chance. */
	snprintf(text, sizeof(text), "個人番号 %s", number(1));
	CHECK_INT(SCORE(text), 0);
	for (uint64_t p = 0; p < 10000; p++) {
		uint64_t value = p * 100010001;
		snprintf(text, sizeof(text), "個人番号 %012llu", (unsigned long long)value);
		if (mynumber_check_digit(value / 10) == value % 10)
			CHECK_INT(SCORE(text), 0);
	}
	/* Each minute of a day: a time stamp. What only begins like a date is doubtful. */
	for (int minute = 0; minute < 1440; minute++) {
		snprintf(text, sizeof(text), "個人番号 20261120%02d%02d", minute / 60, minute % 60);
		CHECK_INT(SCORE(text), 0);
	}
	snprintf(text, sizeof(text), "個人番号の一覧です。 %s", number(20261120999));
	CHECK_INT(SCORE(text), 30);
	snprintf(text, sizeof(text), "個人番号：%s", number(20261120999));
	CHECK_INT(SCORE(text), 100);
	snprintf(text, sizeof(text), "%s", number(20261120999));
	CHECK_INT(SCORE(text), 0);
	CHECK_INT(SCORE("1998 1999 2000 2001"), 0);
}

static void test_words(void)
{
	static const char *const words[] = {"個人番号", "マイナンバー", "ﾏｲﾅﾝﾊﾞｰ", "ＭｙＮｕｍｂｅｒ", "My Number", "通知カード", "通知ｶｰﾄﾞ",
		"個人\n番号", "マイナンハ\u3099ー",
		"特定個人情報"};
	char text[2048];

	for (size_t i = 0; i < sizeof(words) / sizeof(words[0]); i++) {
		snprintf(text, sizeof(text), "%sは次のとおり。\n123456789018\n", words[i]);
		CHECK_INT(SCORE(text), 100);
		snprintf(text, sizeof(text), "\n123456789018\nこれは%sです", words[i]);
		CHECK_INT(SCORE(text), 100);
		if (report.score != 100)
			printf("  with %s\n", words[i]);
	}
	/* 300 characters, not bytes, on either side. */
	for (int far = 0; far < 2; far++) {
		for (int before = 0; before < 2; before++) {
			size_t n = (size_t)snprintf(text, sizeof(text), "%s", before ? "個人番号" : "123456789018");
			for (int i = 0; i < (before ? 300 : 296) + far; i++)
				n += (size_t)snprintf(text + n, sizeof(text) - n, "\u3042");
			snprintf(text + n, sizeof(text) - n, "%s", before ? "123456789018" : "個人番号");
			CHECK_INT(SCORE(text), far ? 5 : 100);
		}
	}
	CHECK_INT(SCORE("個人番号。お問い合わせ番号：1234-5678-9018"), 30);
	CHECK_INT(SCORE("お問い合わせ番号ではなく個人番号：1234-5678-9018"), 100);
	CHECK_INT(SCORE("お問い合わせ番号：1234-5678-9018"), 0);
	CHECK_INT(SCORE("1234-5678-9018"), 5);
	CHECK_INT(SCORE("個人番号 AB123456789018"), 30);
	CHECK_INT(SCORE("個人番号 123456789018abc"), 30);
}

static void test_several(void)
{
	char text[4096];
	size_t n = 0;

	/* Four numbers that all pass are a list of them, whatever it says. */
	for (uint64_t i = 0; i < 4; i++)
		n += (size_t)snprintf(text + n, sizeof(text) - n, "%s\n", number(31415926535 + i * 271828));
	CHECK_INT(SCORE(text), 120);
	CHECK_INT(report.hits, 4);
	/* The same one four times is one. */
	CHECK_INT(SCORE("1234-5678-9018\n123456789018\n1234 5678 9018\n123456789018\n"), 5);
	/* Among many others that do not pass they are chance. */
	for (unsigned i = 0; i < 9; i++) {
		uint64_t first = 27182818284 + (uint64_t)i * 31415;
		n += (size_t)snprintf(text + n, sizeof(text) - n, "%011llu%u\n", (unsigned long long)first, (mynumber_check_digit(first) + 1) % 10);
	}
	CHECK_INT(SCORE(text), 20);
	CHECK_INT(report.judged, 13);
	/* With a word each counts. */
	CHECK_INT(SCORE("個人番号\n123456789018\n個人番号\n1234-5678-9026"), mynumber_check_digit(12345678902) == 6 ? 200 : 100);
	/* Doubtful ones add up to less than the threshold. */
	n = (size_t)snprintf(text, sizeof(text), "マイナンバー\n");
	for (uint64_t i = 0; i < 9; i++)
		n += (size_t)snprintf(text + n, sizeof(text) - n, "注文番号 %s\n", number(51415926535 + i * 271828));
	CHECK_INT(SCORE(text), 90);
}

static void test_break(void)
{
	static struct mynumber m;

	mynumber_begin(&m, &(struct mynumber_options){0});
	mynumber_push(&m, "個人番号の一覧", strlen("個人番号の一覧"));
	mynumber_push(&m, "1234", 4);
	mynumber_break(&m);
	mynumber_push(&m, "56789018", 8);
	mynumber_break(&m);
	mynumber_push(&m, "123456789018", 12);
	mynumber_end(&m, &report);
	CHECK_INT(report.score, 100);
	CHECK_INT(report.hits, 1);
}

/* Nothing of a number is left behind, and while it runs only its end. */
static void test_wiped(void)
{
	static struct mynumber m;
	static const uint8_t zero[sizeof(m)];

	mynumber_begin(&m, &(struct mynumber_options){.key = "0123456789abcde"});
	mynumber_push(&m, "個人番号 314159265358 9 8 7 6 5 ", strlen("個人番号 314159265358 9 8 7 6 5 "));
	CHECK(memmem(&m, sizeof(m), "314159265", 9) == NULL);
	mynumber_end(&m, &report);
	CHECK(memcmp(&m, zero, sizeof(m)) == 0);
	CHECK(memmem(&report, sizeof(report), "3141", 4) == NULL);
}

static void test_limits(void)
{
	static char text[200000];
	size_t n = 0;

	for (uint64_t i = 0; i < 12000; i++)
		n += (size_t)snprintf(text + n, sizeof(text) - n, "%s\n", number(11415926535 + i * 7271829));
	CHECK_INT(scan_as(text, false)->hits, MYNUMBER_HITS);
	CHECK_INT(report.judged, MYNUMBER_JUDGED);
	CHECK_INT(report.nshown, MYNUMBER_SHOWN);
	CHECK_INT(report.score, MYNUMBER_HITS * 30);
	memset(text, '1', sizeof(text) - 1);
	CHECK_INT(SCORE(text), 0);
	for (size_t i = 0; i + 2 < sizeof(text); i += 2)
		text[i] = ' ';
	CHECK_INT(SCORE(text), 0);
	CHECK_INT(SCORE("\xff\xfe\x80\xf4\x90\x80\x80\xe3\x81" "123456789018\xe3"), 5);
	CHECK_INT(SCORE(""), 0);
}

int main(void)
{
	test_check_digit();
	test_forms();
	test_longer();
	test_exempt();
	test_words();
	test_several();
	test_break();
	test_wiped();
	test_limits();
	return test_end();
}
