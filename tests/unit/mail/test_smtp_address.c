/*
 * test_smtp_address.c: paths that are taken, written anew, and those that are not.
 */
#include <sekisho/smtp_address.h>

#include "test.h"

static const struct {
	const char *in, *text, *local, *domain;
	unsigned flags;
} good[] = {
	{"<>", "", "", "", SMTP_ADDRESS_NULL},
	{"<a@b.jp>", "a@b.jp", "a", "b.jp", 0},
	{"<Yamada.Taro@City.Example.LG.JP>", "Yamada.Taro@city.example.lg.jp", "Yamada.Taro", "city.example.lg.jp", 0},
	{"<postmaster>", "postmaster", "postmaster", "", SMTP_ADDRESS_POSTMASTER},
	{"<PostMaster>", "PostMaster", "PostMaster", "", SMTP_ADDRESS_POSTMASTER},
	{"<a+b_c-d=e@x-y.example>", "a+b_c-d=e@x-y.example", "a+b_c-d=e", "x-y.example", 0},
	{"<\"ab\"@c.jp>", "ab@c.jp", "ab", "c.jp", 0},
	{"<\"a b\"@c.jp>", "\"a b\"@c.jp", "a b", "c.jp", SMTP_ADDRESS_QUOTED},
	{"<\"a\\b\"@c.jp>", "ab@c.jp", "ab", "c.jp", 0},
	{"<\"a\\\"b\\\\\"@c.jp>", "\"a\\\"b\\\\\"@c.jp", "a\"b\\", "c.jp", SMTP_ADDRESS_QUOTED},
	{"<\"a>b\"@c.jp>", "\"a>b\"@c.jp", "a>b", "c.jp", SMTP_ADDRESS_QUOTED},
	{"<taro..y@docomo.example>", "\"taro..y\"@docomo.example", "taro..y", "docomo.example", SMTP_ADDRESS_QUOTED},
	{"<.taro.@docomo.example>", "\".taro.\"@docomo.example", ".taro.", "docomo.example", SMTP_ADDRESS_QUOTED},
	{"<a@[192.0.2.1]>", "a@[192.0.2.1]", "a", "[192.0.2.1]", SMTP_ADDRESS_LITERAL},
	{"<a@[ipv6:2001:DB8:0::1]>", "a@[IPv6:2001:db8::1]", "a", "[IPv6:2001:db8::1]", SMTP_ADDRESS_LITERAL},
	{"<@x.jp:a@b.jp>", "a@b.jp", "a", "b.jp", SMTP_ADDRESS_ROUTED},
	{"<@x.jp,@[192.0.2.1]:a@b.jp>", "a@b.jp", "a", "b.jp", SMTP_ADDRESS_ROUTED},
	{"<u%other.example@b.jp>", "u%other.example@b.jp", "u%other.example", "b.jp", SMTP_ADDRESS_RELAY},
	{"<other!u@b.jp>", "other!u@b.jp", "other!u", "b.jp", SMTP_ADDRESS_RELAY},
	{"<\"u@other.example\"@b.jp>", "\"u@other.example\"@b.jp", "u@other.example", "b.jp",
		SMTP_ADDRESS_QUOTED | SMTP_ADDRESS_RELAY},
	{"<a@under_score.example>", "a@under_score.example", "a", "under_score.example", 0},
	{"<a@localhost>", "a@localhost", "a", "localhost", 0},
};

static const struct {
	const char *in;
	size_t n; /* 0: strlen */
	enum smtp_address_result want;
} bad[] = {
	{"", 0, SMTP_ADDRESS_SYNTAX},
	{"a@b.jp", 0, SMTP_ADDRESS_SYNTAX},
	{"<a@b.jp", 0, SMTP_ADDRESS_SYNTAX},
	{"<a", 0, SMTP_ADDRESS_SYNTAX},
	{"<", 0, SMTP_ADDRESS_SYNTAX},
	{"<a>", 0, SMTP_ADDRESS_SYNTAX},
	{"<@>", 0, SMTP_ADDRESS_SYNTAX},
	{"<@b.jp>", 0, SMTP_ADDRESS_SYNTAX},
	{"<@b.jp:>", 0, SMTP_ADDRESS_SYNTAX},
	{"<@b.jp,a@c.jp>", 0, SMTP_ADDRESS_SYNTAX},
	{"<@b.jp:postmaster>", 0, SMTP_ADDRESS_SYNTAX},
	{"<@-:a@b.jp>", 0, SMTP_ADDRESS_SYNTAX},
	{"<a@>", 0, SMTP_ADDRESS_DOMAIN},
	{"<\"\"@b.jp>", 0, SMTP_ADDRESS_SYNTAX},
	{"<\"a@b.jp>", 0, SMTP_ADDRESS_SYNTAX},
	{"<\"a\\", 0, SMTP_ADDRESS_SYNTAX},
	{"<\"a\"b@c.jp>", 0, SMTP_ADDRESS_SYNTAX},
	{"<a b@c.jp>", 0, SMTP_ADDRESS_SYNTAX},
	{"< a@c.jp>", 0, SMTP_ADDRESS_SYNTAX},
	{"<a@c.jp >", 0, SMTP_ADDRESS_SYNTAX},
	{"<a(c)@b.jp>", 0, SMTP_ADDRESS_SYNTAX},
	{"<a@b@c.jp>", 0, SMTP_ADDRESS_DOMAIN},
	{"<a@b..jp>", 0, SMTP_ADDRESS_DOMAIN},
	{"<a@.jp>", 0, SMTP_ADDRESS_DOMAIN},
	{"<a@b.jp.>", 0, SMTP_ADDRESS_DOMAIN},
	{"<a@-b.jp>", 0, SMTP_ADDRESS_DOMAIN},
	{"<a@b-.jp>", 0, SMTP_ADDRESS_DOMAIN},
	{"<a@192.0.2.1>", 0, SMTP_ADDRESS_DOMAIN},
	{"<a@[192.0.2]>", 0, SMTP_ADDRESS_DOMAIN},
	{"<a@[192.0.2.256]>", 0, SMTP_ADDRESS_DOMAIN},
	{"<a@[2001:db8::1]>", 0, SMTP_ADDRESS_DOMAIN},
	{"<a@[tag:x]>", 0, SMTP_ADDRESS_DOMAIN},
	{"<a@[]>", 0, SMTP_ADDRESS_DOMAIN},
	{"<a@[192.0.2.1.192.0.2.1.192.0.2.1.192.0.2.1.192.0.2.1.192.0.2.1]>", 0, SMTP_ADDRESS_DOMAIN},
	{"<a@[192.0.2.1>", 0, SMTP_ADDRESS_DOMAIN},
	{"<a@[192.0.2.1\0]>", 17, SMTP_ADDRESS_BYTES},
	{"<a\0@b.jp>", 9, SMTP_ADDRESS_BYTES},
	{"<a\r@b.jp>", 0, SMTP_ADDRESS_BYTES},
	{"<a\n@b.jp>", 0, SMTP_ADDRESS_BYTES},
	{"<\"a\rb\"@c.jp>", 0, SMTP_ADDRESS_BYTES},
	{"<\"a\\\nb\"@c.jp>", 0, SMTP_ADDRESS_BYTES},
	{"<\"a\\\0b\"@c.jp>", 13, SMTP_ADDRESS_BYTES},
	{"<a\x7f@b.jp>", 0, SMTP_ADDRESS_BYTES},
	{"<a\t@b.jp>", 0, SMTP_ADDRESS_BYTES},
	{"<a@b\t.jp>", 0, SMTP_ADDRESS_BYTES},
	{"<\xe5\xb1\xb1@b.jp>", 0, SMTP_ADDRESS_UTF8},
	{"<a@\xe5\xb1\xb1.jp>", 0, SMTP_ADDRESS_UTF8},
	{"<\"\xff\"@b.jp>", 0, SMTP_ADDRESS_UTF8},
	{"<@\x80.jp:a@b.jp>", 0, SMTP_ADDRESS_UTF8},
};

static void test_good(void)
{
	for (size_t i = 0; i < sizeof(good) / sizeof(good[0]); i++) {
		struct smtp_address a, again;
		size_t taken = 0;
		char more[300], path[300];
		int n = snprintf(more, sizeof(more), "%s SIZE=1", good[i].in);
		CHECK_INT(smtp_address_parse(more, (size_t)n, &a, &taken), SMTP_ADDRESS_OK);
		CHECK_INT(taken, strlen(good[i].in));
		CHECK_STR(a.text, good[i].text);
		CHECK_STR(a.local, good[i].local);
		CHECK_STR(a.domain, good[i].domain);
		CHECK_INT(a.flags, good[i].flags);
		/* What is written parses to itself. */
		n = snprintf(path, sizeof(path), "<%s>", a.text);
		CHECK_INT(smtp_address_parse(path, (size_t)n, &again, &taken), SMTP_ADDRESS_OK);
		CHECK_STR(again.text, a.text);
		CHECK_STR(again.local, a.local);
	}
}

static void test_bad(void)
{
	for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++) {
		struct smtp_address a;
		size_t taken, n = bad[i].n > 0 ? bad[i].n : strlen(bad[i].in);
		enum smtp_address_result got = smtp_address_parse(bad[i].in, n, &a, &taken);
		CHECK_INT(got, bad[i].want);
		if (got != bad[i].want)
			printf("  in %s\n", bad[i].in);
	}
}

/* A path of so many characters before and behind @. */
static enum smtp_address_result of_length(size_t local, size_t label, size_t labels)
{
	char path[1200];
	size_t n = 0, taken;
	struct smtp_address a;

	path[n++] = '<';
	memset(path + n, 'l', local);
	n += local;
	path[n++] = '@';
	for (size_t i = 0; i < labels; i++) {
		memset(path + n, 'd', label);
		n += label;
		path[n++] = i + 1 < labels ? '.' : '>';
	}
	return smtp_address_parse(path, n, &a, &taken);
}

static void test_lengths(void)
{
	CHECK_INT(of_length(64, 10, 2), SMTP_ADDRESS_OK);
	CHECK_INT(of_length(65, 10, 2), SMTP_ADDRESS_LOCAL);
	CHECK_INT(of_length(1, 63, 1), SMTP_ADDRESS_OK);
	CHECK_INT(of_length(1, 64, 1), SMTP_ADDRESS_DOMAIN);
	CHECK_INT(of_length(62, 63, 3), SMTP_ADDRESS_OK);   /* 62 + 1 + 191 + 2 = 256 */
	CHECK_INT(of_length(63, 63, 3), SMTP_ADDRESS_PATH); /* 257 */
	/* It fits, but not with the quotes that it needs. */
	char path[300] = "<a..";
	struct smtp_address a;
	size_t taken;
	memset(path + 4, 'l', 58);
	strcpy(path + 62, "@");
	for (int i = 0; i < 3; i++)
		strcat(strcat(path, "ddddddddddddddddddddddddddddddddddddddddddddddddddddddddddddddd"), i < 2 ? "." : ">");
	CHECK_INT(strlen(path), 255);
	CHECK_INT(smtp_address_parse(path, 255, &a, &taken), SMTP_ADDRESS_PATH);
	/* What is short without its backslashes may be too long with them. */
	memset(path, '\\', sizeof(path));
	memcpy(path, "<\"", 2);
	for (int i = 0; i < 64; i++)
		path[3 + 2 * i] = 'l';
	strcpy(path + 130, "\"@");
	for (int i = 0; i < 2; i++)
		strcat(strcat(path, "ddddddddddddddddddddddddddddddddddddddddddddddddddddddddddddddd"), i < 1 ? "." : ">");
	CHECK(strlen(path) > 256);
	CHECK_INT(smtp_address_parse(path, strlen(path), &a, &taken), SMTP_ADDRESS_PATH);
	CHECK_INT(of_length(1, 50, 5), SMTP_ADDRESS_PATH);  /* a domain of 254 */
	CHECK_INT(of_length(1, 50, 6), SMTP_ADDRESS_DOMAIN);
}

static void test_domain(void)
{
	char ret[SMTP_DOMAIN_MAX + 1];

	CHECK(smtp_domain_parse("MX.Example.JP", 13, ret));
	CHECK_STR(ret, "mx.example.jp");
	CHECK(smtp_domain_parse("WIN_SRV", 7, ret));
	CHECK(smtp_domain_parse("192.0.2.1", 9, ret));
	CHECK(smtp_domain_parse("[192.0.2.1]", 11, ret));
	CHECK_STR(ret, "[192.0.2.1]");
	CHECK(!smtp_domain_parse("", 0, ret));
	CHECK(!smtp_domain_parse("a b", 3, ret));
	CHECK(!smtp_domain_parse("a\0b", 3, ret));
	CHECK(!smtp_domain_parse("a..b", 4, ret));
	CHECK(smtp_domain_parse("a.Jp.", 5, ret));
	CHECK_STR(ret, "a.jp");
	CHECK(!smtp_domain_parse("a..", 3, ret));
	CHECK(!smtp_domain_parse(".", 1, ret));
	CHECK(smtp_domain_parse("[192.0.2.1].", 12, ret));
	CHECK(!smtp_domain_parse("[::1]", 5, ret));
	CHECK(!smtp_domain_parse("\xe5\xb1\xb1", 3, ret));
}

int main(void)
{
	test_good();
	test_bad();
	test_lengths();
	test_domain();
	return test_end();
}
