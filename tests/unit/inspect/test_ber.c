/* test_ber.c: the reader of BER and DER: contradictions at the byte where they are, and patience with what has not come. */
#include "ber.h"

#include "test.h"

/* What a cursor says after the first element of `bytes` was opened as `tag`, of a message of `max` bytes. */
static struct cursor opened(const char *bytes, size_t n, uint32_t max, uint8_t tag, unsigned der)
{
	struct cursor c = cursor_init(bytes, n);
	struct ber all = ber_init(&c, max, der), e;

	ber_open(&all, tag, &e);
	return c;
}
#define OPENED(bytes, max, tag, der) opened((bytes), sizeof(bytes) - 1, (max), (tag), (der))

static void test_lengths(void)
{
	CHECK(OPENED("\x30\x03", 5, BER_SEQUENCE, BER_DER).why == WHY_NONE);
	CHECK(!OPENED("\x30\x03", 5, BER_SEQUENCE, BER_DER).more);
	CHECK_INT(OPENED("\x30\x04", 5, BER_SEQUENCE, BER_DER).why, WHY_LENGTH); /* longer than the message, though no byte of it came */
	CHECK_INT(OPENED("\x30\x80", 5, BER_SEQUENCE, BER_BASIC).why, WHY_LENGTH); /* indefinite */
	CHECK_INT(OPENED("\x30\x85", 5, BER_SEQUENCE, BER_BASIC).why, WHY_LENGTH);
	CHECK(OPENED("\x30\x84\0\0\0\x01", 9, BER_SEQUENCE, BER_BASIC).why == WHY_NONE);
	CHECK_INT(OPENED("\x30\x84\0", 9, BER_SEQUENCE, BER_DER).why, WHY_LENGTH);
	CHECK_INT(OPENED("\x30\x81\x7f", 999, BER_SEQUENCE, BER_DER).why, WHY_LENGTH);
	CHECK(OPENED("\x30\x81\x80", 999, BER_SEQUENCE, BER_DER).why == WHY_NONE);
	CHECK_INT(OPENED("\x30\x84\xff\xff\xff\xff", UINT32_MAX, BER_SEQUENCE, BER_DER).why, WHY_LENGTH);
	CHECK_INT(OPENED("\x31\x03", 5, BER_SEQUENCE, BER_DER).why, WHY_FIELD);
	CHECK_INT(OPENED("\x3f\x03", 5, 0x3f, BER_DER).why, WHY_FIELD); /* a tag in several octets */
	CHECK_INT(OPENED("", 0, BER_SEQUENCE, BER_DER).why, WHY_LENGTH);
	CHECK(OPENED("", 5, BER_SEQUENCE, BER_DER).more);
	CHECK(OPENED("\x30", 5, BER_SEQUENCE, BER_DER).more);
	CHECK_INT(OPENED("\x30", 1, BER_SEQUENCE, BER_DER).why, WHY_LENGTH);
}

static void test_children(void)
{
	static const uint8_t bytes[] = {0x30, 0x08, 0x02, 0x01, 0x05, 0x04, 0x03, 'a', 'b', 'c'};

	for (size_t n = 0; n <= sizeof(bytes); n++) {
		struct cursor c = cursor_init(bytes, n);
		struct ber all = ber_init(&c, sizeof(bytes), BER_DER), e;
		ber_open(&all, BER_SEQUENCE, &e);
		int64_t v = ber_int(&e, BER_INTEGER, BER_INT32);
		struct ber_bytes s = ber_octets(&e, BER_OCTETS);
		ber_end(&e);
		ber_end(&all);
		CHECK_INT(c.why, WHY_NONE);
		CHECK_INT(c.more, n < sizeof(bytes));
		CHECK_INT(v, n >= 5 ? 5 : 0);
		CHECK(n < sizeof(bytes) ? s.p == NULL && s.n == 0 : s.n == 3 && memcmp(s.p, "abc", 3) == 0);
	}
}

/* A child that does not end where its parent does, on either side of it. */
static void test_ends(void)
{
	static const uint8_t bytes[] = {0x30, 0x05, 0x04, 0x04, 'a', 'b', 'c', 'd'};
	struct cursor c = cursor_init(bytes, 4);
	struct ber all = ber_init(&c, 100, BER_DER), e;

	ber_open(&all, BER_SEQUENCE, &e);
	CHECK(ber_octets(&e, BER_OCTETS).p == NULL);
	CHECK_INT(c.why, WHY_LENGTH);
	c = cursor_init(bytes, sizeof(bytes));
	all = ber_init(&c, 100, BER_DER);
	ber_open(&all, BER_SEQUENCE, &e);
	CHECK(!ber_end(&e));
	CHECK_INT(c.why, WHY_LENGTH);
	CHECK(!ber_has(&e) && ber_tag(&e) == 0);
}

static int64_t number(const char *bytes, size_t n, unsigned der, struct ber_range in, enum inspect_why *ret_why)
{
	struct cursor c = cursor_init(bytes, n);
	struct ber all = ber_init(&c, (uint32_t)n, der);
	int64_t v = ber_int(&all, BER_INTEGER, in);

	*ret_why = c.why;
	return v;
}
#define NUMBER(bytes, der, in) number((bytes), sizeof(bytes) - 1, (der), (in), &why)

static void test_numbers(void)
{
	static const struct ber_range all = {INT64_MIN, INT64_MAX};
	enum inspect_why why;

	CHECK_INT(NUMBER("\x02\x01\xff", BER_DER, all), -1);
	CHECK_INT(NUMBER("\x02\x02\x00\xff", BER_DER, all), 255);
	CHECK_INT(NUMBER("\x02\x08\x80\0\0\0\0\0\0\0", BER_DER, all), INT64_MIN);
	CHECK_INT(NUMBER("\x02\x05\0\xff\xff\xff\xff", BER_DER, BER_UINT32), UINT32_MAX);
	CHECK_INT(why, WHY_NONE);
	CHECK_INT(NUMBER("\x02\x05\x01\0\0\0\0", BER_DER, BER_UINT32), 0);
	CHECK_INT(why, WHY_FIELD);
	CHECK_INT(NUMBER("\x02\x02\0\x05", BER_BASIC, all), 5);
	CHECK_INT(why, WHY_NONE);
	NUMBER("\x02\x02\0\x05", BER_DER, all);
	CHECK_INT(why, WHY_LENGTH);
	NUMBER("\x02\x02\xff\x85", BER_DER, all);
	CHECK_INT(why, WHY_LENGTH);
	NUMBER("\x02\0", BER_DER, all);
	CHECK_INT(why, WHY_LENGTH);
	NUMBER("\x02\x09\0\0\0\0\0\0\0\0\0", BER_BASIC, all);
	CHECK_INT(why, WHY_LENGTH);
}

static enum inspect_why oid(const char *bytes, size_t n)
{
	struct cursor c = cursor_init(bytes, n);
	struct ber all = ber_init(&c, (uint32_t)n, BER_DER);

	ber_oid(&all);
	return c.why;
}

static void test_oids(void)
{
	CHECK_INT(oid("\x06\x03\x2a\x86\x48", 5), WHY_NONE);
	CHECK_INT(oid("\x06\x02\x2a\x86", 4), WHY_LENGTH); /* an arc that does not end */
	CHECK_INT(oid("\x06\x03\x2a\x80\x01", 5), WHY_FIELD); /* and one that begins with nothing */
	CHECK_INT(oid("\x06\0", 2), WHY_LENGTH);
}

static void test_optional(void)
{
	static const uint8_t bytes[] = {0x30, 0x02, 0x05, 0x00};
	struct cursor c = cursor_init(bytes, sizeof(bytes));
	struct ber all = ber_init(&c, sizeof(bytes), BER_DER), e, part;

	ber_open(&all, BER_SEQUENCE, &e);
	CHECK(!ber_optional(&e, 0xa0, &part));
	CHECK_INT(ber_tag(&e), BER_NULL);
	ber_null(&e);
	CHECK(!ber_optional(&e, 0xa0, &part));
	CHECK(ber_end(&e) && cursor_ok(&c));
	CHECK(!ber_open(&e, 0xa0, &part) && part.left == 0);
	CHECK_INT(c.why, WHY_LENGTH);
}

static void test_depth(void)
{
	uint8_t bytes[100];
	struct ber level[50];
	unsigned n = 0;

	for (unsigned i = 0; i < 50; i++) {
		bytes[2 * i] = 0x30;
		bytes[2 * i + 1] = (uint8_t)(98 - 2 * i);
	}
	struct cursor c = cursor_init(bytes, sizeof(bytes));
	level[0] = ber_init(&c, sizeof(bytes), BER_DER);
	while (n < 49 && ber_open(&level[n], BER_SEQUENCE, &level[n + 1]))
		n++;
	CHECK_INT(n, BER_DEPTH);
	CHECK_INT(c.why, WHY_FIELD);
}

int main(void)
{
	test_lengths();
	test_children();
	test_ends();
	test_numbers();
	test_oids();
	test_optional();
	test_depth();
	return test_end();
}
