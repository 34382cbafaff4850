/*
 * test_mailreport.c: a report that another process wrote: what is good opens, and each single wrong member does not.
 */
#include <sekisho/attachment.h>
#include <sekisho/buf.h>
#include <sekisho/mailreport.h>

#include <errno.h>

#include "test.h"

static struct {
	struct mailreport head;
	struct mailreport_part parts[MAILREPORT_PARTS];
	uint64_t more;
} r;

static void good(void)
{
	memset(&r, 0, sizeof(r));
	r.head.magic = MAILREPORT_MAGIC;
	r.head.version = MAILREPORT_VERSION;
	r.head.shown = 2;
	r.head.parts_total = 3;
	r.head.flags = MAIL_FLAG(ENCRYPTED) | MAIL_FLAG(HIDDEN);
	r.head.structure = MIME_FLAG(UNCLOSED);
	r.head.forward = MAILREPORT_RESENT | MAILREPORT_AUTO;
	r.head.mynumber_hits = 1;
	r.head.mynumber_score = 100;
	strcpy(r.head.receipt, "0123-4567-89ABC");
	strcpy(r.head.charset, "ISO-2022-JP");
	strcpy(r.head.message_id, "<a@b>");
	strcpy(r.head.from, "a@example.com");
	strcpy(r.head.mynumber_masked[0], "****-****-9018");
	strcpy(r.parts[0].name, "請求書 [U+202E].pdf");
	strcpy(r.parts[0].declared, "application/pdf");
	r.parts[0].kind = SNIFF_PDF;
	r.parts[0].flags = ATTACHMENT_ENCRYPTED;
	r.parts[0].marks = MAILREPORT_ATTACHED | MAILREPORT_CUT;
	r.parts[0].sha256[31] = 1;
	r.parts[1].why = MAILREPORT_WHY_SIGNATURE;
}

static size_t size(uint32_t shown)
{
	return sizeof(r.head) + shown * sizeof(r.parts[0]);
}

static bool opens(void)
{
	struct mailreport_view view = {0};

	int e = mailreport_open(&r, size(2), &view);
	CHECK(e == 0 ? view.head == &r.head && view.parts == r.parts : e == -EINVAL && view.head == NULL);
	return e == 0;
}

/* One member is made wrong, and only this report is refused. */
#define REFUSED(change)                                                                                        \
	do {                                                                                                    \
		good();                                                                                         \
		CHECK(opens());                                                                                 \
		change;                                                                                         \
		CHECK(!opens());                                                                                \
	} while (0)

static void test_members(void)
{
	REFUSED(r.head.magic++);
	REFUSED(r.head.version++);
	REFUSED(r.head.shown = 1);
	REFUSED(r.head.shown = 3);
	REFUSED(r.head.shown = MAILREPORT_PARTS + 1);
	REFUSED(r.head.parts_total = 1);
	REFUSED(r.head.flags |= (uint64_t)1 << MAIL_FLAG_END);
	REFUSED(r.head.flags |= (uint64_t)1 << 63);
	REFUSED(r.head.structure |= (uint64_t)1 << 63);
	REFUSED(r.head.forward |= MAILREPORT_FORWARD_ALL + 1);
	REFUSED(r.head.reason = 255);
	REFUSED(r.head.direction = 2);
	REFUSED(r.head.zero[5] = 1);
	REFUSED(r.parts[0].kind = SNIFF_KINDS);
	REFUSED(r.parts[1].why = MAILREPORT_WHY_END);
	REFUSED(r.parts[0].flags |= MAILREPORT_ATTACHMENT_ALL + 1);
	REFUSED(r.parts[1].marks |= MAILREPORT_MARKS_ALL + 1);
}

static void test_texts(void)
{
	REFUSED(memset(r.head.receipt, 'A', sizeof(r.head.receipt)));
	REFUSED(strcpy(r.head.receipt, "a b"));
	REFUSED(strcpy(r.head.charset, "\x1b[31m"));
	REFUSED(strcpy(r.head.message_id, "<a@b>\n"));
	REFUSED(strcpy(r.head.from, "あ@example.com"));
	REFUSED(memset(r.head.from, 'a', sizeof(r.head.from)));
	REFUSED(memset(r.head.mynumber_masked[3], '*', sizeof(r.head.mynumber_masked[3])));
	REFUSED(memset(r.parts[0].name, 'a', sizeof(r.parts[0].name)));
	REFUSED(strcpy(r.parts[0].name, "a\nb"));
	REFUSED(strcpy(r.parts[0].name, "a\x1b[2Jb"));
	REFUSED(strcpy(r.parts[0].name, "a\xe2\x80\xae" "b"));
	REFUSED(strcpy(r.parts[0].name, "a\xff"));
	REFUSED(strcpy(r.parts[0].name, "a\xe3\x81"));
	REFUSED(strcpy(r.parts[1].other, "\t"));
	REFUSED(strcpy(r.parts[1].declared, "text plain"));
}

static void test_sizes(void)
{
	struct mailreport_view view;

	good();
	for (size_t n = 0; n < size(3); n++)
		CHECK(mailreport_open(&r, n, &view) == (n == size(2) ? 0 : -EINVAL));
	CHECK(mailreport_open((char *)&r + 1, size(2), &view) == -EINVAL);
	r.head.shown = r.head.parts_total = 0;
	CHECK(mailreport_open(&r, size(0), &view) == 0);
	r.head.shown = r.head.parts_total = MAILREPORT_PARTS;
	CHECK(mailreport_open(&r, MAILREPORT_MAX, &view) == 0);
	CHECK(mailreport_open(&r, MAILREPORT_MAX + 1, &view) == -EINVAL);
}

/* Any bytes at all: it answers, and what it lets through can be printed. */
static void test_any(void)
{
	struct mailreport_view view;
	uint64_t seed = 1;
	unsigned opened = 0;

	for (unsigned i = 0; i < 200000; i++) {
		good();
		for (unsigned k = 0; k < 2; k++) {
			seed = seed * 6364136223846793005u + 1442695040888963407u;
			((uint8_t *)&r)[(seed >> 33) % size(2)] ^= (uint8_t)(1u << (seed >> 60 & 7));
		}
		if (mailreport_open(&r, size(2), &view) == 0 && opened++ % 100 == 0) {
			struct buf out = {0};
			mailreport_json(&view, &out);
			CHECK(out.len > 500);
			buf_free(&out);
		}
	}
	CHECK(opened > 1000 && opened < 199000);
}

static void test_json(void)
{
	struct mailreport_view view;
	struct buf out = {0};

	good();
	r.head.reason = MAIL_REASON_LIMIT_DEPTH;
	CHECK(mailreport_open(&r, size(2), &view) == 0);
	mailreport_json(&view, &out);
	const char *s = buf_str(&out);
	CHECK(strstr(s, "\"verdict\":\"refused\",\"reason\":\"limit-depth\"") != NULL);
	CHECK(strstr(s, "\"mynumber\":{\"hits\":1,\"score\":100,\"masked\":[\"****-****-9018\"]}") != NULL);
	CHECK(strstr(s, "\"name\":\"請求書 [U+202E].pdf\",\"other\":null") != NULL);
	CHECK(strstr(s, "\"flags\":[\"encrypted\",\"attached\",\"cut\"]") != NULL);
	CHECK(strstr(s, "\"forward\":[\"resent\",\"auto-submitted\"]") != NULL);
	CHECK(strstr(s, "\"sha256\":null") != NULL);
	buf_free(&out);
}

static void test_words(void)
{
	for (unsigned i = 0; i < MAIL_FLAG_END; i++) {
		CHECK(strcmp(mail_flag_word(i), "unknown") != 0 && mail_flag_text(i)[0] != '\0');
		for (unsigned k = 0; k < i; k++)
			CHECK(strcmp(mail_flag_word(i), mail_flag_word(k)) != 0);
		for (unsigned k = 0; k < MIME_FLAG_END; k++) /* both sets stand in one record */
			CHECK(strcmp(mail_flag_word(i), mime_flag_word(k)) != 0);
	}
	for (unsigned i = 0; i < MAILREPORT_WHY_END; i++)
		CHECK(strcmp(mailreport_why_word(i), "unknown") != 0);
	CHECK_STR(mail_flag_word(MAIL_FLAG_END), "unknown");
	CHECK_STR(mailreport_why_word(MAILREPORT_WHY_END), "unknown");
}

/* The page that explains the words has them all. */
static void test_page(const char *path)
{
	FILE *f = fopen(path, "r");
	struct buf page = {0};
	char row[512];
	int ch;

	while (f != NULL && (ch = getc(f)) != EOF)
		buf_addc(&page, (char)ch);
	CHECK(f != NULL && page.len > 1000);
	for (unsigned i = 0; i < MAIL_FLAG_END + MAILREPORT_WHY_END + MIME_FLAG_END; i++) {
		unsigned why = i - MAIL_FLAG_END, mime = why - MAILREPORT_WHY_END;
		bool flag = i < MAIL_FLAG_END, cause = !flag && why < MAILREPORT_WHY_END;
		snprintf(row, sizeof(row), "| `%s` |",
			flag ? mail_flag_word(i) : cause ? mailreport_why_word(why) : mime_flag_word(mime));
		if (strstr(buf_str(&page), row) == NULL)
			printf("%s is not in the page\n", row);
		CHECK(strstr(buf_str(&page), row) != NULL);
	}
	if (f != NULL)
		fclose(f);
	buf_free(&page);
}

/* usage: test_mailreport rootfs/doc/mail-report.md */
int main(int argc, char **argv)
{
	test_members();
	test_texts();
	test_sizes();
	test_any();
	test_json();
	test_words();
	CHECK(argc == 2);
	if (argc == 2)
		test_page(argv[1]);
	return test_end();
}
