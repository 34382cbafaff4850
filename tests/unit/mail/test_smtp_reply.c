/*
 * test_smtp_reply.c: replies as they are written, the table of our own, the names of what goes wrong.
 */
#include <sekisho/smtp.h>

#include "test.h"

static const char *write_reply(unsigned code, const char *enhanced, const char *text)
{
	static char out[SMTP_REPLY_SPACE + 1];
	size_t n = smtp_reply_write(out, SMTP_REPLY_SPACE, code, enhanced, text);

	out[n] = '\0';
	return out;
}

static void test_write(void)
{
	CHECK_STR(write_reply(250, "2.0.0", "Ok"), "250 2.0.0 Ok\r\n");
	CHECK_STR(write_reply(354, NULL, "go"), "354 go\r\n");
	CHECK_STR(write_reply(354, "", ""), "354 \r\n");
	CHECK_STR(write_reply(550, "5.7.1", "one\ntwo\n"), "550-5.7.1 one\r\n550 5.7.1 two\r\n");
	CHECK_STR(write_reply(550, "5.7.1", "a\rb\xe5\x1b\x7f"), "550 5.7.1 a?b???\r\n");
	CHECK_STR(write_reply(550, "", "\n\nx"), "550-\r\n550-\r\n550 x\r\n");
	/* Many line ends: the rest is one line. */
	CHECK_STR(write_reply(250, "", "1\n2\n3\n4\n5\n6\n7\n8\n9\n10\n11\n12"),
		"250-1\r\n250-2\r\n250-3\r\n250-4\r\n250-5\r\n250-6\r\n250-7\r\n250-8\r\n250-9\r\n250-10\r\n250 11 12\r\n");
}

/* Any text of the longest kind fits, in lines of at most 512, and loses nothing but blanks at breaks. */
static void test_long(void)
{
	char text[SMTP_REPLY_TEXT], small[64];

	for (size_t word = 1; word < sizeof(text); word += 7) {
		for (size_t i = 0; i < sizeof(text) - 1; i++)
			text[i] = i % (word + 1) == word ? ' ' : 'x';
		text[sizeof(text) - 1] = '\0';
		const char *out = write_reply(550, "5.111.222", text), *p = out;
		size_t letters = 0, want = 0;
		CHECK(*out != '\0');
		for (; *p != '\0'; p = strchr(p, '\n') + 1) {
			size_t n = strcspn(p, "\n") + 1;
			CHECK(n <= SMTP_REPLY_LINE && p[n - 2] == '\r' && strncmp(p, p[n] == '\0' ? "550 " : "550-", 4) == 0);
		}
		for (p = out; *p != '\0'; p++)
			letters += *p == 'x' ? 1 : 0;
		for (p = text; *p != '\0'; p++)
			want += *p == 'x' ? 1 : 0;
		CHECK_INT(letters, want);
	}
	memset(text, '\n', sizeof(text) - 1);
	CHECK(*write_reply(550, "5.111.222", text) != '\0');
	for (size_t n = 0; n < 15; n++)
		CHECK_INT(smtp_reply_write(small, n, 250, "2.0.0", "Ok"), 0);
	CHECK_INT(smtp_reply_write(small, 15, 250, "2.0.0", "Ok"), 14);
}

static void test_codes(void)
{
	static const char *const bad[] = {"", "5", "5.", "5.7", "5.7.", "5..1", "4.7.1", "5.7.1x", "5.7.1.1", "5.01.1", "5.7.01",
		"5.1234.1", "5.7.1234", " 5.7.1", "5,7,1"};

	CHECK(smtp_code_valid(200) && smtp_code_valid(559) && smtp_code_valid(421));
	CHECK(!smtp_code_valid(199) && !smtp_code_valid(600) && !smtp_code_valid(260) && !smtp_code_valid(0));
	CHECK(smtp_enhanced_valid("5.7.1", 550) && smtp_enhanced_valid("5.0.0", 500) && smtp_enhanced_valid("2.999.999", 250));
	CHECK(!smtp_enhanced_valid("3.0.0", 354));
	for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++)
		CHECK(!smtp_enhanced_valid(bad[i], 550));
}

static void test_tables(void)
{
	for (int i = 0; i < SMTP_SAY_COUNT; i++) {
		const struct smtp_reply *r = smtp_answer_get((enum smtp_answer)i);
		CHECK(smtp_code_valid(r->code));
		CHECK(r->code == 354 ? r->enhanced[0] == '\0' : smtp_enhanced_valid(r->enhanced, r->code));
		CHECK(r->text[0] != '\0' && strlen(r->text) < 100);
		for (const char *p = r->text; *p != '\0'; p++)
			CHECK(*p >= ' ' && *p < 0x7f);
	}
	for (int i = 0; i < SMTP_WHY_COUNT; i++) {
		CHECK(smtp_why_word((enum smtp_why)i) != NULL);
		for (int k = 0; k < i; k++)
			CHECK(strcmp(smtp_why_word((enum smtp_why)i), smtp_why_word((enum smtp_why)k)) != 0);
		CHECK(smtp_why_reason((enum smtp_why)i) == MAIL_REASON_NONE || mail_reason_known(smtp_why_reason((enum smtp_why)i)));
	}
	CHECK_STR(smtp_why_word(SMTP_WHY_COUNT), "unknown");
	CHECK_INT(smtp_why_reason(SMTP_WHY_COUNT), MAIL_REASON_WORKER_FAILED);
	CHECK_INT(smtp_why_reason(SMTP_WHY_BARE_LF), MAIL_REASON_SMUGGLING);
}

/* Every refusal of the table is in the manual, word for word. */
static void test_manual(const char *path)
{
	static char page[32768];
	FILE *f = fopen(path, "r");

	CHECK(f != NULL);
	if (f == NULL)
		return;
	page[fread(page, 1, sizeof(page) - 1, f)] = '\0';
	fclose(f);
	for (int i = 0; i < SMTP_SAY_COUNT; i++) {
		const struct smtp_reply *r = smtp_answer_get((enum smtp_answer)i);
		char row[SMTP_REPLY_TEXT + 64];
		snprintf(row, sizeof(row), "| %u %s | %s |\n", r->code, r->enhanced, r->text);
		CHECK(r->code < 400 || strstr(page, row) != NULL);
		if (r->code >= 400 && strstr(page, row) == NULL)
			printf("  not in the manual: %s", row);
	}
}

int main(int argc, char **argv)
{
	if (argc > 1)
		test_manual(argv[1]);
	test_write();
	test_long();
	test_codes();
	test_tables();
	return test_end();
}
