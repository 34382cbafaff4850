/* test_render.c: tables, cards and JSON from the same rows. */
#include "render.h"

#include <sekisho/i18n.h>
#include <sekisho/match.h>

#include "test.h"

static const struct field fields[] = {{"n", "count", 6, true}, {"name", "name", 8}, {"secret", NULL},
	{"differs", NULL}, {"ok", "ok", 5}, {"text", "text", 0}};

static const char *print(const struct render_ops *ops, bool reversed, struct buf *b)
{
	struct render r = {.ops = ops, .out = b, .fields = fields, .nfields = 6, .reversed = reversed};
	const struct value first[] = {value_number(7), value_text("日本語です"), value_text("s"),
		{.kind = VALUE_DIFFERS, .number = DIFFERS_PORT}, {.kind = VALUE_BOOL, .number = 1},
		value_text("a\033b")};
	const struct value second[] = {value_number(1234567), value_name(""), value_both("x", "shown"),
		{.kind = VALUE_DIFFERS}, {.kind = VALUE_BOOL}, value_both("json", "people")};

	buf_clear(b);
	buf_adds(b, "before\n");
	render_row(&r, first);
	render_row(&r, second);
	render_end(&r);
	return buf_str(b);
}

int main(void)
{
	struct buf b = {0};

	i18n_init("en");
	CHECK_STR(print(&render_table, false, &b), "before\n"
						    " count  name      ok     text\n"
						    "     7  日本語~   yes    a\\x1bb\n"
						    "1234567            no     people\n");
	CHECK_STR(print(&render_table, true, &b), "before\n"
						   " count  name      ok     text\n"
						   "1234567            no     people\n"
						   "     7  日本語~   yes    a\\x1bb\n");
	CHECK_STR(print(&render_json, true, &b),
		"before\n"
		"{\"n\":1234567,\"name\":null,\"secret\":\"x\",\"differs\":[],\"ok\":false,\"text\":\"json\"}"
		"\n"
		"{\"n\":7,\"name\":\"日本語です\",\"secret\":\"s\",\"differs\":[\"port\"],\"ok\":true,"
		"\"text\":\"a\\u001bb\"}\n");
	CHECK_STR(print(&render_card, false, &b), "before\n"
						   "count           7\n"
						   "name            日本語です\n"
						   "ok              yes\n"
						   "text            a\\x1bb\n"
						   "count           1234567\n"
						   "ok              no\n"
						   "text            people\n");
	/* No rows: nothing, not even a heading. */
	struct render empty = {.ops = &render_table, .out = &b, .fields = fields, .nfields = 6, .reversed = true};
	buf_clear(&b);
	render_end(&empty);
	CHECK_STR(buf_str(&b), "");
	buf_free(&b);
	return test_end();
}
