/* test_mail_reason.c: the table of the mail gate's refusals, and what the client hears. */
#include "test.h"

#include <sekisho/i18n.h>
#include <sekisho/mail_reason.h>

static const unsigned codes[] = {
#define X(code, name, word, smtp, enhanced, text) code,
	MAIL_REASONS(X)
#undef X
};

static void test_table(void)
{
	for (size_t i = 0; i < sizeof(codes) / sizeof(codes[0]); i++) {
		unsigned c = codes[i];
		CHECK(mail_reason_known(c));
		CHECK_INT(mail_reason_find(mail_reason_word(c)), c); /* so no word stands twice */
		CHECK(i == 0 || codes[i - 1] < c);
		unsigned smtp = mail_reason_smtp(c), class = smtp / 100;
		CHECK(class == 4 || class == 5);
		CHECK_INT(mail_reason_enhanced(c)[0] - '0', class);
		const char *text = mail_reason_text(c);
		CHECK(strlen(text) > 10 && strlen(text) < 100);
		CHECK(strpbrk(text, "\r\n") == NULL);
		/* Who reads "try again" must be able to; who is refused for good must not be told to wait. */
		CHECK(strstr(text, "try again") == NULL || class == 4);
	}
}

static void test_unknown(void)
{
	static const unsigned none[] = {16, 19, MAIL_REASON_END, 4000000000u};

	for (size_t i = 0; i < sizeof(none) / sizeof(none[0]); i++) {
		CHECK(!mail_reason_known(none[i]));
		CHECK_STR(mail_reason_word(none[i]), "unknown");
		CHECK_INT(mail_reason_smtp(none[i]), 451);
		CHECK_STR(mail_reason_enhanced(none[i]), "4.3.0");
	}
	CHECK(!mail_reason_known(0));
	CHECK_INT(mail_reason_smtp(0), 250);
	CHECK_INT(mail_reason_find("nonsense"), MAIL_REASON_NONE);
	CHECK_INT(mail_reason_find("none"), MAIL_REASON_NONE);
}

static void test_reply(void)
{
	char out[MAIL_REPLY_MAX];

	i18n_init("en");
	size_t n = mail_reason_reply(MAIL_REASON_TOO_BIG, "limit 10485760", true, out);
	CHECK_STR(out, "552 5.3.4 too-big: the mail is larger than allowed (limit 10485760)\r\n");
	CHECK_INT(n, strlen(out));
	mail_reason_reply(MAIL_REASON_RELAY, NULL, false, out);
	CHECK_STR(out, "550 5.7.1 relay: the mail gate takes mail for its own domains only\r\n");
	i18n_init("ja");
	mail_reason_reply(MAIL_REASON_TOO_BIG, NULL, false, out);
	CHECK_STR(out, "552 5.3.4 too-big: the mail is larger than allowed\r\n");
	n = mail_reason_reply(MAIL_REASON_TOO_BIG, NULL, true, out);
	CHECK_STR(out, "552-5.3.4 too-big: the mail is larger than allowed\r\n"
		       "552 5.3.4 メールが大きさの上限を超えています\r\n");
	CHECK_INT(n, strlen(out));
	i18n_init("en");
}

/* A detail is the one thing in a reply that comes from elsewhere. */
static void test_detail(void)
{
	char out[MAIL_REPLY_MAX], detail[2000];

	mail_reason_reply(MAIL_REASON_RELAY, "a\r\n250 ok\xe8\xa6\x8b\x7f", false, out);
	CHECK_STR(out, "550 5.7.1 relay: the mail gate takes mail for its own domains only (a?\?250 ok???\?)\r\n");
	i18n_init("ja");
	mail_reason_reply(MAIL_REASON_ATTACHMENT_TYPE, "見積\x1b.exe", true, out);
	CHECK(strstr(out, "sent out (???\?\?\?\?.exe)\r\n550 5.7.1 ") != NULL);
	CHECK(strstr(out, "(見積?.exe)\r\n") != NULL);
	/* What is no character stays out: cut, stray, overlong, a surrogate, beyond Unicode, a C1 control. */
	mail_reason_reply(MAIL_REASON_RELAY,
		"\xe8\xa6 \x80 \xc0\xaf \xe0\x80\xaf \xed\xa0\x80 \xf5\x80\x80\x80 \xc2\x9b \xe8", true, out);
	const char *second = strstr(out, "\r\n550") + 2;
	for (const char *s = strchr(second, '('); *s != '\r'; s++)
		CHECK((unsigned char)*s < 0x80);
	memset(detail, 'x', sizeof(detail) - 1);
	detail[sizeof(detail) - 1] = '\0';
	for (size_t i = 0; i < sizeof(codes) / sizeof(codes[0]); i++)
		for (int ja = 0; ja < 2; ja++) {
			i18n_init(ja ? "ja" : "en");
			size_t n = mail_reason_reply((enum mail_reason)codes[i], detail, true, out);
			CHECK(n == strlen(out) && n < MAIL_REPLY_MAX);
			second = strstr(out, "\r\n") + 2;
			CHECK(second - out <= 512 && strlen(second) <= 512);
			CHECK((*second != '\0') == (ja == 1)); /* every sentence has its Japanese */
			CHECK(out[3] == (ja ? '-' : ' '));
		}
	i18n_init("en");
}

int main(void)
{
	test_table();
	test_unknown();
	test_reply();
	test_detail();
	return test_end();
}
