/* test_base.c: addresses, dates, reader, JSON, maps: the vocabulary's own promises. */
#include <sekisho/addr.h>
#include <sekisho/arena.h>
#include <sekisho/buf.h>
#include <sekisho/clock.h>
#include <sekisho/crc.h>
#include <sekisho/diag.h>
#include <sekisho/json.h>
#include <sekisho/reader.h>
#include <sekisho/reason.h>
#include <sekisho/strmap.h>

#include "test.h"

static void test_addr(void)
{
	char b[ADDR_TEXT_MAX];
	struct addr a;
	struct addr_range r, q;
	uint8_t len;

	CHECK(addr_parse("10.1.2.3", &a) && a.family == 4);
	CHECK(!addr_parse("10.1.2", &a));
	CHECK(!addr_parse("010.1.2.3", &a));
	CHECK(addr_parse("2001:DB8::1", &a) && a.family == 6);
	CHECK_STR(addr_format(&a, b), "2001:db8::1");
	CHECK(prefix_parse("10.1.2.3/20", &a, &len, &r) && len == 20);
	CHECK_STR(range_format(&r, b), "10.1.0.0/20");
	CHECK_INT(range_prefix_len(&r), 20);
	CHECK(!prefix_parse("10.0.0.0/33", NULL, NULL, &r));
	CHECK(!prefix_parse("10.0.0.0/08", NULL, NULL, &r));
	CHECK(prefix_parse("0.0.0.0/0", NULL, NULL, &r));
	CHECK_INT(range_prefix_len(&r), 0);
	CHECK(prefix_parse("10.0.0.1", NULL, NULL, &q) && range_is_single(&q));
	CHECK(range_covers(&r, &q) && range_overlaps(&r, &q) && !range_covers(&q, &r));
	q.hi.b[3] = 6;
	CHECK_INT(range_prefix_len(&q), -1);
	CHECK_STR(range_format(&q, b), "10.0.0.1-10.0.0.6");
	memset(a.b, 0xff, 16);
	a.family = 6;
	CHECK(!addr_next(&a) && addr_prev(&a));
	CHECK_INT(a.b[15], 0xfe);
}

static void test_mac(void)
{
	char b[MAC_TEXT_MAX];
	struct mac m;

	CHECK(mac_parse("02-00-0A-00-00-fF", &m));
	CHECK_STR(mac_format(&m, b), "02:00:0a:00:00:ff");
	CHECK(!mac_parse("02:00:0a:00:00", &m) && !mac_parse("02:00:0a:00:00:ff:11", &m) && !mac_parse("", &m));
}

static void test_clock(void)
{
	int y, m, d;
	struct wall w;
	char b[CLOCK_TEXT_MAX];

	CHECK(date_parse("令和8-04-01", &y, &m, &d) && y == 2026 && m == 4 && d == 1);
	CHECK(date_parse("令和元年5月1日", &y, &m, &d) && y == 2019);
	CHECK(date_parse("R9-3-31", &y, &m, &d) && y == 2027);
	CHECK(!date_parse("2026-02-29", &y, &m, &d) && date_parse("2028-02-29", &y, &m, &d));
	CHECK(!date_parse("2026-04-01x", &y, &m, &d) && !date_parse("令和", &y, &m, &d) && !date_parse("", &y, &m, &d));
	CHECK(clock_set_zone("Asia/Tokyo") && !clock_set_zone("../etc/passwd") && !clock_set_zone("No/Where"));
	CHECK(clock_parse("2026-11-20T10:00", &w));
	CHECK_INT(w.sec, 1795136400);
	CHECK_STR(clock_format(w, b), "2026-11-20T10:00:00+0900");
	CHECK(clock_parse("2026-11-20T01:00:00Z", &w) && w.sec == 1795136400);
	CHECK(clock_parse("2026-11-20T10:00:00+09:00", &w) && w.sec == 1795136400);
	CHECK(!clock_parse("2026-11-20T25:00", &w) && !clock_parse("2026-11-20", &w));
	CHECK_INT(clock_civil(w).weekday, 4);
}

static void test_reader(void)
{
	static const uint8_t bytes[] = {1, 2, 3, 4, 5};
	struct reader r = reader_init(bytes, sizeof(bytes));

	CHECK_INT(reader_be32(&r), 0x01020304);
	CHECK_INT(reader_be16(&r), 0);
	CHECK(r.bad && reader_left(&r) == 0 && reader_u8(&r) == 0);
	r = reader_init(bytes, sizeof(bytes));
	struct reader s = reader_sub(&r, 3);
	reader_skip(&s, 4);
	CHECK(s.bad && !r.bad && reader_u8(&r) == 4);
}

static void test_json(void)
{
	struct buf b = {0};
	struct json j = json_init(&b);

	json_object(&j, NULL);
	json_str(&j, "a", "x\"\x1b\xff\xc2\x9b\xe7\xa6\x81");
	json_array(&j, "b");
	json_int(&j, NULL, -1);
	json_bool(&j, NULL, true);
	json_array_end(&j);
	json_null(&j, "c");
	json_object_end(&j);
	CHECK_STR(buf_str(&b), "{\"a\":\"x\\\"\\u001b\xef\xbf\xbd\\u009b\xe7\xa6\x81\",\"b\":[-1,true],\"c\":null}");
	buf_free(&b);
}

static void test_strmap(void)
{
	static const uint64_t key[2] = {0x0706050403020100ull, 0x0f0e0d0c0b0a0908ull};
	static char names[1000][8];
	struct strmap *m = strmap_new();
	uint32_t v;

	for (uint32_t i = 0; i < 1000; i++) {
		snprintf(names[i], sizeof(names[i]), "n%u", i);
		CHECK(strmap_add(m, names[i], i));
	}
	CHECK(!strmap_add(m, "n5", 9));
	CHECK(strmap_get(m, "n777", &v) && v == 777);
	CHECK(!strmap_get(m, "zzz", &v));
	CHECK(strmap_add(m, "jumin-ap", 1));
	CHECK_STR(strmap_nearest(m, "jumni-ap"), "jumin-ap");
	strmap_free(m);
	/* Test vector of the SipHash paper, appendix A: bytes 0..14. */
	CHECK(siphash(key, "\0\1\2\3\4\5\6\7\10\11\12\13\14\15\16", 15) == 0xa129ca6149be45e5ull);
}

/* A thousand warnings never hide the error that refuses the policy. */
static void test_diag_full(void)
{
	struct arena *a = arena_new();
	struct diag_list d;
	size_t errors = 0;

	diag_init(&d, a);
	for (uint32_t i = 1; i <= DIAG_KEEP_MAX + 500; i++)
		diag_warning(&d, i, "w", NULL, "w");
	diag_error(&d, 7, "e", NULL, "e");
	diag_error(&d, 8, "e", NULL, "e");
	for (size_t i = 0; i < d.n; i++)
		errors += d.items[i].severity == DIAG_ERROR;
	CHECK(d.n == DIAG_KEEP_MAX && errors == 2 && d.nerrors == 2 && d.nwarnings == DIAG_KEEP_MAX + 500);
	arena_free(a);
}

static void test_diag(void)
{
	struct arena *a = arena_new();
	struct diag_list d;
	struct buf b = {0};

	diag_init(&d, a);
	diag_warning(&d, 9, "late", NULL, "w%d", 1);
	diag_error(&d, 2, "early", "do so", "e");
	diag_sort(&d);
	diag_json(&d, &b);
	CHECK_STR(buf_str(&b), "[{\"severity\":\"error\",\"line\":2,\"code\":\"early\",\"what\":\"e\",\"hint\":\"do so\"},"
			       "{\"severity\":\"warning\",\"line\":9,\"code\":\"late\",\"what\":\"w1\",\"hint\":null}]");
	buf_free(&b);
	arena_free(a);
}

int main(void)
{
	test_addr();
	test_mac();
	test_clock();
	test_reader();
	test_json();
	test_strmap();
	test_diag();
	test_diag_full();
	/* RFC 3720 B.4: 32 bytes of zeros. */
	CHECK(crc32c(0, (const uint8_t[32]){0}, 32) == 0x8a9136aa);
	CHECK_STR(reason_word(REASON_NO_RULE), "no-rule");
	CHECK_INT(reason_find("mac"), REASON_MAC);
	CHECK_STR(reason_word(9999), "unknown");
	return test_end();
}
