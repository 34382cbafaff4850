/* test_mime_header.c: dates of three centuries, long words, small buffers. Single cases: tests/golden/mail/attack. */
#include <sekisho/buf.h>
#include <sekisho/mime_header.h>

#include <time.h>

#include "test.h"

/* -- Dates ---------------------------------------------------------------------------------------------------------- */

/* Each day: what libc says of it is read as it, and written the same. */
static void test_days(void)
{
	const time_t day = 86400, first = -70 * 365 * day;

	for (time_t t = first; t < first + 300 * 365 * day; t += day + 3661) {
		char want[64], text[MIME_DATE_TEXT];
		struct tm tm;
		struct mime_date date;
		mime_flags flags = 0;
		strftime(want, sizeof(want), "%a, %d %b %Y %H:%M:%S +0000", gmtime_r(&t, &tm));
		CHECK(mime_date(want, strlen(want), &date, &flags) && flags == 0);
		mime_date_text(&date, text);
		CHECK_STR(text, want);
	}
}

static bool is_date(const char *text)
{
	struct mime_date date;
	mime_flags flags = 0;

	return mime_date(text, strlen(text), &date, &flags);
}

static void test_no_days(void)
{
	CHECK(is_date("29 Feb 2024 00:00 +0000") && !is_date("29 Feb 2023 00:00 +0000"));
	CHECK(is_date("29 Feb 2000 00:00 +0000") && !is_date("29 Feb 2100 00:00 +0000"));
	CHECK(!is_date("0 Jan 2026 00:00 +0000") && !is_date("31 Apr 2026 00:00 +0000"));
	CHECK(!is_date("1 Jan 1899 00:00 +0000") && !is_date("1 Jan 20266 00:00 +0000"));
	CHECK(!is_date("1 Jan 2026 23:60 +0000") && !is_date("1 Jan 2026 1 +0000") && !is_date("1 Jan 2026 1:2:3:4 +0000"));
	CHECK(!is_date("") && !is_date("Fri,") && !is_date("1") && !is_date("1 Jan") && !is_date("1 Jan 2026"));
}

/* A zone that is none is unknown, and said so. */
static void test_zones(void)
{
	static const struct {
		const char *zone, *want;
		bool flagged;
	} zones[] = {
		{"+0900", "+0900", false}, {"-0330", "-0330", false}, {"JST", "+0900", false}, {"EDT", "-0400", false},
		{"GMT", "+0000", false},   {"-0000", "-0000", false}, {"+1500", "-0000", true},  {"+0960", "-0000", true},
		{"+900", "-0000", true},   {"", "-0000", true},	      {"A", "-0000", true},	 {"+09:00", "-0000", true},
	};

	for (size_t i = 0; i < sizeof(zones) / sizeof(zones[0]); i++) {
		char in[64], text[MIME_DATE_TEXT];
		struct mime_date date;
		mime_flags flags = 0;
		snprintf(in, sizeof(in), "Fri, 20 Nov 2026 16:01:00 %s", zones[i].zone);
		CHECK(mime_date(in, strlen(in), &date, &flags));
		CHECK_INT(flags != 0, zones[i].flagged);
		mime_date_text(&date, text);
		CHECK_STR(text + 26, zones[i].want);
	}
}

/* -- Words ------------------------------------------------------------------------------------------------------------ */

/* Text of many words in one charset, cut within characters: longer than what is joined at a time. */
static void test_long_words(void)
{
	static char text[65536];
	struct buf field = {0}, want = {0};

	for (unsigned i = 0; i < 900; i++) {
		const char *kana = (const char *[]){"\u3042", "\u3044", "\u3046"}[i % 3];
		for (unsigned k = 0; k < 3; k++)
			buf_printf(&field, "%s=?utf-8?q?=%02X?=", i + k > 0 ? " " : "", (unsigned)(uint8_t)kana[k]);
		buf_adds(&want, kana);
	}
	CHECK_INT(mime_words_into(text, sizeof(text), field.data, field.len), 0);
	CHECK_STR(text, buf_str(&want));
	buf_free(&field), buf_free(&want);
}

/* A small buffer gets whole characters, and says that there was more. */
static void test_small(void)
{
	static const char field[] = "a\u3042=?utf-8?Q?=E3=81=84?=b";
	static const char *const want[] = {"", "a", "a", "a", "a\u3042", "a\u3042", "a\u3042", "a\u3042\u3044", "a\u3042\u3044" "b"};
	char out[16];

	for (size_t size = 1; size <= sizeof(want) / sizeof(want[0]); size++) {
		mime_flags flags = mime_words_into(out, size, field, sizeof(field) - 1);
		CHECK_STR(out, want[size - 1]);
		CHECK_INT(flags, size == sizeof(want) / sizeof(want[0]) ? 0 : MIME_FLAG(CUT));
	}
}

/* Each byte that a word may not hold stays what it is: no control, no second decoding. */
static void test_bytes(void)
{
	for (unsigned c = 0; c < 256; c++) {
		char field[40], out[40];
		int n = snprintf(field, sizeof(field), "=?utf-8?Q?=%02X?= =?iso-8859-1?B?", c);
		field[n++] = (char)c;
		n += snprintf(field + n, sizeof(field) - (size_t)n, "AAA?=");
		mime_words_into(out, sizeof(out), field, (size_t)n);
		for (const char *s = out; *s != '\0'; s++)
			CHECK((uint8_t)*s >= ' ' && *s != 0x7f);
	}
}

/* -- Addresses ----------------------------------------------------------------------------------------------------------- */

static struct mime_address last;
static unsigned naddresses;

static void take_address(void *arg, const struct mime_address *address)
{
	(void)arg;
	last = *address;
	naddresses++;
}

static const char *spec_of(const char *field)
{
	static char spec[MIME_ADDRESS_SPEC];

	naddresses = 0;
	mime_addresses(field, strlen(field), take_address, NULL);
	CHECK_INT(naddresses, 1);
	mime_address_spec(&last, spec);
	return spec;
}

/* Every character that a local part may have, in quotation marks and out of them. */
static void test_local(void)
{
	char in[32], want[32];

	for (int c = 0x21; c < 0x7f; c++) {
		bool atext = strchr("\"(),:;<>@[\\]", c) == NULL;
		snprintf(in, sizeof(in), "<\"x\\%cy\"@b.example>", c);
		const char *escape = c == '"' || c == '\\' ? "\\" : "";
		snprintf(want, sizeof(want), atext ? "x%s%cy@b.example" : "\"x%s%cy\"@b.example", escape, c);
		CHECK_STR(spec_of(in), want);
	}
	CHECK_STR(spec_of("\"a b\"@c.example"), "\"a b\"@c.example");
	CHECK_STR(spec_of("\"\"@c.example"), "");
	CHECK_STR(spec_of("\"a\tb\"@c.example"), "");
}

/* The longest address is whole, a longer one none. */
static void test_long(void)
{
	char in[700];

	for (unsigned more = 0; more < 2; more++) {
		memset(in, 'a', MAIL_LOCAL_PART + more);
		snprintf(in + MAIL_LOCAL_PART + more, 20, "@b.example");
		CHECK_INT(spec_of(in)[0] != '\0', more == 0);
		strcpy(in, "a@");
		for (unsigned i = 0; i < MAIL_DOMAIN + more; i++)
			in[2 + i] = i % 50 == 49 ? '.' : 'd';
		in[2 + MAIL_DOMAIN + more] = '\0';
		CHECK_INT(spec_of(in)[0] != '\0', more == 0);
	}
}

int main(void)
{
	test_days();
	test_no_days();
	test_zones();
	test_long_words();
	test_small();
	test_bytes();
	test_local();
	test_long();
	return test_end();
}
