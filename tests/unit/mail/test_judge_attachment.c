/*
 * test_judge_attachment.c: what the policy says of attachments: types, superiors, limits, what is encrypted, labels.
 */
#include "judge_test.h"

static void test_superior(void)
{
	begin("set mail outbound attachments require-cc kacho\n");
	SEND("<a@example.com>", "<kacho@town.example.lg.jp>");
	CHECK(env.superior && env.superior_role);
	SEND("<a@example.com>", "<KACHO@TOWN.example.lg.jp>");
	CHECK(env.superior && env.superior_role);
	SEND("<a@example.com>", "<shunin@town.example.lg.jp>"); /* registered, in another role */
	CHECK(env.superior && !env.superior_role);
	SEND("<a@example.com>", "<kacho@example.com>", "<xkacho@town.example.lg.jp>");
	CHECK(!env.superior && !env.superior_role);
	attach("a.pdf", SNIFF_PDF, 0);
	JUDGED(NEEDS_CC);
	SEND("<a@example.com>", "<shunin@town.example.lg.jp>");
	JUDGED(NEEDS_CC);
	SEND("<a@example.com>", "<kacho@town.example.lg.jp>");
	JUDGED(NONE);
	CHECK_INT(got.notes, JUDGE_NOTE_SUPERIOR);
	begin("set mail outbound attachments type zip action require-cc\n");
	SEND("<a@example.com>", "<shunin@town.example.lg.jp>"); /* without a role named any superior will do */
	attach("a.zip", SNIFF_ZIP, 0);
	JUDGED(NONE);
	SEND("<a@example.com>");
	JUDGED(NEEDS_CC);
}

/* -- types --------------------------------------------------------------------------------------------------- */

struct attachment_case {
	const char *name, *other;
	enum sniff_kind kind;
	uint32_t flags;
	enum mail_reason reason;
};

static void check_attachments(const char *words, const struct attachment_case *cases, size_t n)
{
	for (size_t i = 0; i < n; i++) {
		begin(words);
		struct mailreport_part *p = attach(cases[i].name, cases[i].kind, cases[i].flags);
		if (cases[i].other != NULL)
			snprintf(p->other, sizeof(p->other), "%s", cases[i].other);
		if (judged() != cases[i].reason)
			printf("%s(%s) under %s", cases[i].name, cases[i].other ? cases[i].other : "", words);
		CHECK_STR(mail_reason_word(got.reason), mail_reason_word(cases[i].reason));
	}
}
#define CASES(words, ...)                                                                                       \
	check_attachments(words, (const struct attachment_case[]){__VA_ARGS__},                                  \
		sizeof((const struct attachment_case[]){__VA_ARGS__}) / sizeof(struct attachment_case))

static void test_types(void)
{
	CASES("set mail outbound attachments type exe action refuse type zip action hold type pdf action allow\n"
	      "set mail outbound attachments require-cc kacho\n",
		{"a.pdf", NULL, SNIFF_PDF, 0, MAIL_REASON_NONE}, {"a.PDF", NULL, SNIFF_PDF, 0, MAIL_REASON_NONE},
		{"a.pdf. . ", NULL, SNIFF_PDF, 0, MAIL_REASON_NONE}, {"a", NULL, SNIFF_PDF, 0, MAIL_REASON_NONE},
		{"", NULL, SNIFF_PDF, 0, MAIL_REASON_NONE}, {"a.pdf", NULL, SNIFF_DATA, 0, MAIL_REASON_NONE},
		{"a.txt", NULL, SNIFF_TEXT, 0, MAIL_REASON_NEEDS_CC}, {"a", NULL, SNIFF_DATA, 0, MAIL_REASON_NEEDS_CC},
		{"a.zip", NULL, SNIFF_ZIP, 0, MAIL_REASON_HELD}, {"a.pdf", NULL, SNIFF_ZIP, 0, MAIL_REASON_HELD},
		{"a.pdf", NULL, SNIFF_EXE, ATTACHMENT_PROGRAM, MAIL_REASON_ATTACHMENT_TYPE},
		{"a.exe", NULL, SNIFF_PDF, 0, MAIL_REASON_ATTACHMENT_TYPE},
		{"a.pdf", "a.exe", SNIFF_PDF, 0, MAIL_REASON_ATTACHMENT_TYPE},
		{"a.pdf", "a.zip", SNIFF_PDF, 0, MAIL_REASON_HELD},
		{"a.pdf", NULL, SNIFF_TEXT, 0, MAIL_REASON_NEEDS_CC});
	CASES("set mail outbound attachments list pdf,zip,csv\n", {"a.pdf", NULL, SNIFF_PDF, 0, MAIL_REASON_NONE},
		{"a.csv", NULL, SNIFF_TEXT, 0, MAIL_REASON_NONE}, {"a.txt", NULL, SNIFF_TEXT, 0, MAIL_REASON_ATTACHMENT_TYPE},
		{"a", NULL, SNIFF_DATA, 0, MAIL_REASON_ATTACHMENT_TYPE},
		{"a.pdf", NULL, SNIFF_EXE, ATTACHMENT_PROGRAM, MAIL_REASON_ATTACHMENT_TYPE},
		{"a.zip", NULL, SNIFF_ZIP, 0, MAIL_REASON_NONE},
		{"a.zip", NULL, SNIFF_ZIP, ATTACHMENT_PROGRAM, MAIL_REASON_ATTACHMENT_TYPE},
		{"a.averyveryverylongextension", NULL, SNIFF_PDF, 0, MAIL_REASON_ATTACHMENT_TYPE});
	CASES("set mail outbound attachments list zip,exe type program action hold type macro action refuse\n",
		{"a.zip", NULL, SNIFF_ZIP, ATTACHMENT_PROGRAM, MAIL_REASON_HELD},
		{"a.exe", NULL, SNIFF_EXE, ATTACHMENT_PROGRAM, MAIL_REASON_HELD},
		{"a.zip", NULL, SNIFF_ZIP, ATTACHMENT_MACROS, MAIL_REASON_ATTACHMENT_TYPE});
	CASES("set mail outbound attachments refuse type pdf action allow type txt action require-cc\n",
		{"a.pdf", NULL, SNIFF_PDF, 0, MAIL_REASON_NONE}, {"a.txt", NULL, SNIFF_TEXT, 0, MAIL_REASON_NEEDS_CC},
		{"a.docx", NULL, SNIFF_DOCX, 0, MAIL_REASON_ATTACHMENTS_REFUSED},
		{"a.pdf", NULL, SNIFF_DOCX, 0, MAIL_REASON_ATTACHMENTS_REFUSED});
	CASES("set mail outbound attachments allow\n", {"a.exe", NULL, SNIFF_EXE, ATTACHMENT_PROGRAM, MAIL_REASON_NONE});
}

/* Parts that are no attachments (a signature, the other form of the text) demand nothing. */
static void test_no_attachment(void)
{
	begin("set mail outbound attachments refuse\n");
	attach("smime.p7s", SNIFF_PKCS7, 0)->marks = 0;
	head.attachments = 0;
	JUDGED(NONE);
}

/* More attachments than the report describes: rules that must see each of them cannot be kept. */
static void test_undescribed(void)
{
	begin("");
	head.attachments = head.parts_total = 101;
	JUDGED(NONE);
	begin("set mail outbound attachments require-cc kacho\n");
	env.superior_role = true;
	head.attachments = head.parts_total = 101;
	JUDGED(ATTACHMENT_COUNT);
	begin("set mail outbound attachments max-file-size 1K\n");
	head.attachments = head.parts_total = 101;
	JUDGED(ATTACHMENT_COUNT);
}

static void test_limits(void)
{
	begin("set mail outbound attachments max-file-size 1K max-files 2\n");
	attach("a.pdf", SNIFF_PDF, 0)->size = 1024;
	attach("b.pdf", SNIFF_PDF, 0);
	JUDGED(NONE);
	parts[1].size = 1025;
	JUDGED(ATTACHMENT_SIZE);
	CHECK_STR(got.detail, "1025, limit 1024: b.pdf");
	parts[1].size = 0;
	attach("c.pdf", SNIFF_PDF, 0);
	JUDGED(ATTACHMENT_COUNT);
	CHECK_STR(got.detail, "found 3, limit 2");
	begin("");
	head.recipients_external = 20;
	JUDGED(NONE);
	head.recipients_external = 21;
	JUDGED(TOO_MANY_EXTERNAL);
	head.recipients_external = 0;
	head.size_in = 1024;
	JUDGED(NONE);
	head.size_in = 1025;
	JUDGED(TOO_BIG);
}

static void test_encrypted(void)
{
	begin("set mail outbound attachments encrypted hold\n");
	attach("a.zip", SNIFF_ZIP, ATTACHMENT_ENCRYPTED);
	JUDGED(HELD);
	CHECK_STR(got.detail, "R-1");
	CHECK_INT(judged_as(true), MAIL_REASON_NONE);
	CHECK_INT(got.notes, JUDGE_NOTE_APPROVED | JUDGE_NOTE_UNSEEN);
	begin("set mail outbound attachments encrypted refuse\n");
	attach("見積.zip", SNIFF_ZIP, ATTACHMENT_ENCRYPTED);
	JUDGED(ATTACHMENT_ENCRYPTED);
	CHECK_STR(got.detail, "見積.zip");
	/* The whole mail is encrypted (S/MIME, PGP): no attachment, and nobody can look into it. */
	begin("set mail outbound attachments encrypted refuse\n");
	head.flags = MAIL_FLAG(ENCRYPTED);
	JUDGED(ATTACHMENT_ENCRYPTED);
	begin("");
	head.flags = MAIL_FLAG(ENCRYPTED);
	JUDGED(NONE);
	CHECK_INT(got.notes, JUDGE_NOTE_UNSEEN);
}

/* A partner's label demands what `encrypted refuse` forbids: for that mail the label counts. */
static void test_label(void)
{
	begin("set mail outbound attachments encrypted refuse\n");
	SEND("<a@pref.example.lg.jp>");
	head.labels = 1;
	JUDGED(LABEL_UNPROTECTED); /* what is confidential stands in the text */
	CHECK_STR(got.detail, "【機密】");
	attach("a.zip", SNIFF_ZIP, ATTACHMENT_ENCRYPTED);
	JUDGED(NONE);
	attach("b.pdf", SNIFF_PDF, 0);
	JUDGED(LABEL_UNPROTECTED);
	/* An archive in which one file is open protects nothing. */
	begin("");
	SEND("<a@pref.example.lg.jp>");
	head.labels = 1;
	attach("a.zip", SNIFF_ZIP, ATTACHMENT_ENCRYPTED);
	JUDGED(NONE);
	parts[0].flags |= ATTACHMENT_PARTLY;
	JUDGED(LABEL_UNPROTECTED);
	/* The other partner's label, and the same label to somebody else: nothing is demanded, `encrypted` counts. */
	begin("set mail outbound attachments encrypted refuse\n");
	SEND("<a@pref.example.lg.jp>");
	attach("a.zip", SNIFF_ZIP, ATTACHMENT_ENCRYPTED);
	head.labels = 2;
	JUDGED(ATTACHMENT_ENCRYPTED);
	SEND("<a@example.com>");
	head.labels = 1;
	JUDGED(ATTACHMENT_ENCRYPTED);
	SEND("<k@town.example.lg.jp>");
	JUDGED(ATTACHMENT_ENCRYPTED);
}

/* A detail is cut between characters. */
static void test_detail(void)
{
	begin("set mail outbound attachments refuse\n");
	struct mailreport_part *p = attach("", SNIFF_PDF, 0);
	p->name[0] = 'a';
	for (size_t i = 1; i + 3 < sizeof(p->name); i += 3)
		memcpy(p->name + i, "\xe8\xa6\x8b", 3);
	p->name[sizeof(p->name) - 1] = '\0';
	JUDGED(ATTACHMENTS_REFUSED);
	CHECK_INT(strlen(got.detail), 127);
	CHECK(memcmp(got.detail + 124, "\xe8\xa6\x8b", 3) == 0);
	p->name[0] = '\xe8';
	p->name[1] = '\xa6';
	p->name[2] = '\x8b';
	for (size_t i = 3; i + 3 < sizeof(p->name); i += 3)
		memcpy(p->name + i, "\xe8\xa6\x8b", 3);
	JUDGED(ATTACHMENTS_REFUSED);
	CHECK_INT(strlen(got.detail), 126);
}

int main(void)
{
	policy_begin();
	test_superior();
	test_types();
	test_no_attachment();
	test_undescribed();
	test_limits();
	test_encrypted();
	test_label();
	test_detail();
	return policy_end();
}
