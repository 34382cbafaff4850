/* test_jsonread.c: JSON that we write, and JSON that nobody should. */
#include "jsonread.h"

#include <sekisho/arena.h>
#include <sekisho/buf.h>
#include <sekisho/diag.h>
#include <sekisho/json.h>

#include "test.h"

static const struct json_value *read_text(struct arena *a, const char *s)
{
	return json_read(a, s, strlen(s));
}

static void test_good(struct arena *a)
{
	const struct json_value *v =
		read_text(a, " {\"a\":[1,-2,0,null,true,false,{}],\"b\":\"x\\ny\",\"c\":{\"d\":[]}} \n");

	CHECK(v != NULL && v->kind == JSON_OBJECT);
	CHECK_STR(json_member_text(v, "b"), "x\ny");
	CHECK(json_member(v, "nothing") == NULL);
	CHECK(json_member_text(v, "a") == NULL);
	CHECK_INT(json_member_number(v, "b"), 0);
	const struct json_value *list = json_member(v, "a");
	CHECK(list != NULL && list->kind == JSON_ARRAY && list->first->number == 1 && list->first->next->number == -2);
	v = read_text(a, "\"\\u00e9\\u65e5\\ud83d\\ude00\\\"\\\\\\/\\b\\f\\r\\t\"");
	CHECK(v != NULL);
	CHECK_STR(v != NULL ? v->text : NULL, "é日😀\"\\/\b\f\r\t");
}

static void test_bad(struct arena *a)
{
	static const char *const bad[] = {"", " ", "{", "}", "[", "[1", "[1,", "[1,]", "[,1]", "{\"a\"}",
		"{\"a\":}", "{\"a\":1,}", "{a:1}", "{1:1}", "'a'", "\"a", "\"\\", "\"\\x\"", "\"\\u12\"",
		"\"\\u0000\"", "\"\\ud800\"", "\"\\udc00\"", "\"\\ud800\\u0041\"", "\"\n\"", "\"\x1f\"", "01",
		"-", "+1", "1.5", "1e3", "1234567890123456789", "tru", "nul", "true false", "[1]]", "NaN",
		"[[[[[[[[[1]]]]]]]]]"};

	for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++) {
		if (read_text(a, bad[i]) != NULL)
			printf("accepted: %s\n", bad[i]);
		CHECK(read_text(a, bad[i]) == NULL);
	}
	CHECK(json_read(a, "1\0", 2) == NULL);
	CHECK(read_text(a, "[[[[[[[[1]]]]]]]]") != NULL);
}

/* What diag_json() writes is read back the same, whatever the text holds. */
static void test_diagnostics(struct arena *a)
{
	struct buf b = {0};
	struct diag_list d;

	diag_init(&d, a);
	diag_error(&d, 3, "code", "hint \"q\" \\ \x1b[0m", "what 日本語 %c", '\t');
	diag_json(&d, &b);
	const struct json_value *v = json_read(a, (const char *)b.data, b.len);
	CHECK(v != NULL && v->kind == JSON_ARRAY && v->first != NULL && v->first->next == NULL);
	if (v != NULL) {
		CHECK_STR(json_member_text(v->first, "what"), "what 日本語 \t");
		CHECK_STR(json_member_text(v->first, "hint"), "hint \"q\" \\ \x1b[0m");
		CHECK_INT(json_member_number(v->first, "line"), 3);
	}
	/* Every cut is malformed. */
	for (size_t n = 0; n < b.len; n++)
		CHECK(json_read(a, (const char *)b.data, n) == NULL);
	buf_free(&b);
}

static void test_limits(struct arena *a)
{
	struct buf b = {0};

	buf_addc(&b, '[');
	for (int i = 0; i < JSON_VALUES_MAX + 1; i++)
		buf_adds(&b, i == 0 ? "1" : ",1");
	buf_addc(&b, ']');
	CHECK(json_read(a, (const char *)b.data, b.len) == NULL);
	buf_free(&b);
}

int main(void)
{
	struct arena *a = arena_new();

	test_good(a);
	test_bad(a);
	test_diagnostics(a);
	test_limits(a);
	arena_free(a);
	return test_end();
}
