/* test_forms.c: addresses, dates, hours, days, windows, sizes: what is one, what is not, and what it becomes.
 */
#include "forms.h"

#include <sekisho/buf.h>

#include "test.h"

static void test_prefix(void)
{
	struct prefix p;
	char b[ADDR_TEXT_MAX];

	CHECK(form_prefix("10.1.0.5", PREFIX_HOST, &p) == NULL && !p.has_len && p.len == 32);
	CHECK(form_prefix("10.1.0.0/16", PREFIX_HOST, &p) == NULL && p.has_len && p.len == 16);
	CHECK_STR(addr_format(&p.addr, b), "10.1.0.0");
	CHECK(form_prefix("10.1.0.5/16", PREFIX_HOST, &p) != NULL);
	CHECK(form_prefix("10.1.0.5/16", PREFIX_LOCAL, &p) == NULL && p.len == 16);
	CHECK_STR(addr_format(&p.addr, b), "10.1.0.5");
	CHECK(form_prefix("10.1.0.5", PREFIX_LOCAL, &p) != NULL);
	CHECK(form_prefix("10.1.0.0/16", PREFIX_LOCAL, &p) != NULL);
	CHECK(form_prefix("10.1.255.255/16", PREFIX_LOCAL, &p) != NULL);
	CHECK(form_prefix("10.1.0.0/31", PREFIX_LOCAL, &p) == NULL);
	CHECK(form_prefix("2001:db8::/64", PREFIX_LOCAL, &p) == NULL);
	CHECK(form_prefix("10.1.0.5/32", PREFIX_SINGLE, &p) != NULL);
	CHECK(form_prefix("fe80::1", PREFIX_SINGLE, &p) == NULL && p.addr.family == 6);
	CHECK(form_prefix("0.0.0.0/0", PREFIX_NETWORK, &p) == NULL && p.len == 0);
	CHECK(form_prefix("::/0", PREFIX_NETWORK, &p) == NULL);
	CHECK(form_prefix("0.0.0.0", PREFIX_HOST, &p) != NULL);
	CHECK(form_prefix("::1", PREFIX_HOST, &p) != NULL);
	CHECK(form_prefix("ff02::1", PREFIX_HOST, &p) != NULL);
	CHECK(form_prefix("255.255.255.255", PREFIX_HOST, &p) != NULL);
	CHECK(form_prefix("127.9.9.9", PREFIX_HOST, &p) != NULL);
	CHECK(form_prefix("239.1.1.1", PREFIX_SINGLE, &p) != NULL);
	CHECK(form_prefix("10.1.0.5/", PREFIX_HOST, &p) != NULL);
	CHECK(form_prefix("fe80::1%eth0", PREFIX_HOST, &p) != NULL);
}

static void test_mac(void)
{
	struct mac m;

	CHECK(form_mac("02:00:00:01:00:fe", &m) == NULL && m.b[5] == 0xfe);
	CHECK(form_mac("02-00-00-01-00-FE", &m) == NULL && m.b[5] == 0xfe);
	CHECK(form_mac("01:00:5e:00:00:01", &m) != NULL);
	CHECK(form_mac("00:00:00:00:00:00", &m) != NULL);
	CHECK(form_mac("02:00:00:01:00", &m) != NULL);
}

static bool is_date(const char *text, int y, int m, int d)
{
	struct date got;

	return form_date(text, &got) == NULL && got.year == y && got.month == m && got.day == d;
}

static void test_date(void)
{
	struct date d;

	CHECK(is_date("2026-04-01", 2026, 4, 1));
	CHECK(is_date("令和8年4月1日", 2026, 4, 1));
	CHECK(is_date("令和元年5月1日", 2019, 5, 1));
	CHECK(is_date("R8-04-01", 2026, 4, 1));
	CHECK(is_date("2028-02-29", 2028, 2, 29));
	CHECK(form_date("2026-02-29", &d) != NULL);
	CHECK(form_date("2026-04-31", &d) != NULL);
	CHECK(form_date("2026-13-01", &d) != NULL);
	CHECK(form_date("2026-04", &d) != NULL);
	CHECK(form_date("明日", &d) != NULL);
}

static bool is_hours(const char *text, int want_from, int want_to)
{
	uint16_t from, to;

	return form_hours(text, &from, &to) == NULL && from == want_from && to == want_to;
}

static void test_hours(void)
{
	static const char *const wrong[] = {"9-17", "09:00", "09:00-", "-17:00", "24:00-08:00", "09:60-10:00",
		"09:0-10:00", "09:00-25:00", "09:00-24:01", "08:00-08:00", "09:00-17:00x", "009:00-10:00x",
		""};
	uint16_t a, b;

	CHECK(is_hours("06:30-23:00", 390, 1380));
	CHECK(is_hours("6:30-7:00", 390, 420));
	CHECK(is_hours("22:00-05:00", 1320, 300));
	CHECK(is_hours("22:00-24:00", 1320, 0));
	CHECK(is_hours("00:00-24:00", 0, 0));
	for (size_t i = 0; i < sizeof(wrong) / sizeof(wrong[0]); i++)
		CHECK(form_hours(wrong[i], &a, &b) != NULL);
	CHECK(form_time("08:30", &a) == NULL && a == 510);
	CHECK(form_time("24:00", &a) != NULL);
	CHECK(form_time("08:30:00", &a) != NULL);
}

static int days(const char *text)
{
	uint8_t bits = 0;

	return form_days(text, &bits) == NULL ? bits : -1;
}

static void test_days(void)
{
	CHECK_INT(days("mon"), 0x01);
	CHECK_INT(days("mon-fri"), 0x1f);
	CHECK_INT(days("sat,sun"), 0x60);
	CHECK_INT(days("sat-mon"), 0x61);
	CHECK_INT(days("mon-fri,sun"), 0x5f);
	CHECK_INT(days("mon-sun"), DAYS_ALL);
	CHECK_INT(days(""), -1);
	CHECK_INT(days("mon,"), -1);
	CHECK_INT(days("mon-"), -1);
	CHECK_INT(days("monday"), -1);
	CHECK_INT(days("mon-fri-sun"), -1);
	CHECK_INT(days("Mon"), -1);
}

static void test_window(void)
{
	struct wall from, to;

	clock_set_zone("Asia/Tokyo");
	CHECK(form_window("2026-11-20T22:00/2026-11-21T02:00", &from, &to) == NULL &&
		to.sec - from.sec == 4 * 3600);
	CHECK_INT(from.sec, 1795179600);
	CHECK(form_window("2026-11-21T02:00/2026-11-20T22:00", &from, &to) != NULL);
	CHECK(form_window("2026-11-21T02:00/2026-11-21T02:00", &from, &to) != NULL);
	CHECK(form_window("2026-11-21T02:00", &from, &to) != NULL);
	CHECK(form_window("2026-11-21/2026-11-22", &from, &to) != NULL);
	CHECK(form_window("/", &from, &to) != NULL);
	CHECK(form_window("2026-11-20T22:00                                                        "
			  "/2026-11-21T02:00",
		      &from, &to) != NULL);
}

static long long size(const char *text)
{
	uint64_t n;

	return form_size(text, &n) == NULL ? (long long)n : -1;
}

static void test_size(void)
{
	CHECK_INT(size("20M"), 20 << 20);
	CHECK_INT(size("1K"), 1024);
	CHECK_INT(size("1G"), 1 << 30);
	CHECK_INT(size("4096"), 4096);
	CHECK_INT(size("1023"), -1);
	CHECK_INT(size("2G"), -1);
	CHECK_INT(size("99999999999999999999"), -1);
	CHECK_INT(size("1073741824G"), -1);
	CHECK_INT(size("20MB"), -1);
	CHECK_INT(size("M"), -1);
	CHECK_INT(size("-1"), -1);
	CHECK_INT(size("20m"), -1);
}

static void test_better(void)
{
	struct buf b = {0};
	struct prefix p;

	CHECK(form_better("10.1.10.5/24", form_prefix("10.1.10.5/24", PREFIX_NETWORK, &p), &b));
	CHECK_STR(buf_str(&b), "the network is 10.1.10.0/24, the machine alone is 10.1.10.5");
	buf_clear(&b);
	CHECK(form_better("10.1.0.1", form_prefix("10.1.0.1", PREFIX_LOCAL, &p), &b));
	CHECK_STR(buf_str(&b), "for example: 10.1.0.1/24");
	buf_clear(&b);
	CHECK(!form_better("10.1.0.0.1", form_prefix("10.1.0.0.1", PREFIX_HOST, &p), &b) && b.len == 0);
	buf_free(&b);
}

int main(void)
{
	test_prefix();
	test_mac();
	test_date();
	test_hours();
	test_days();
	test_window();
	test_size();
	test_better();
	return test_end();
}
