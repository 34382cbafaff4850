/*
 * test_judge.c: what the policy says of a mail: the envelope, and which of two rules speaks.
 *
 * Its argument is rootfs/doc/mail.md: the order of the rules there is the order here, and it explains every reason.
 */
#include "judge_test.h"

/* -- the order of the rules ------------------------------------------------------------------------------------ */

static void too_big(void)
{
	head.size_in = 1025;
}

static void malformed(void)
{
	head.reason = MAIL_REASON_MALFORMED;
}

static void mynumber(void)
{
	head.mynumber_hits = 2;
	head.mynumber_score = MYNUMBER_THRESHOLD;
}

static void label(void)
{
	env.labels = head.labels = 1;
}

static void refused(void)
{
	attach("a.pdf", SNIFF_PDF, 0);
	mails[MAIL_OUT].demands |= MAIL_DEMAND_REFUSE;
}

static void type(void)
{
	attach("a.exe", SNIFF_EXE, ATTACHMENT_PROGRAM);
}

static void encrypted(void)
{
	attach("b.zip", SNIFF_ZIP, ATTACHMENT_ENCRYPTED);
	mails[MAIL_OUT].encrypted = MAIL_DEMAND_REFUSE;
}

static void file_size(void)
{
	attach("c.pdf", SNIFF_PDF, 0)->size = 501;
	mails[MAIL_OUT].max_file_size = 500;
}

static void count(void)
{
	attach("d.pdf", SNIFF_PDF, 0);
	attach("e.pdf", SNIFF_PDF, 0);
	mails[MAIL_OUT].max_files = 1;
}

static void external(void)
{
	head.recipients_external = 21;
}

static void forwarded(void)
{
	head.forward = MAILREPORT_AUTO;
	mails[MAIL_OUT].auto_forward_refuse = 1;
}

static void superior(void)
{
	attach("f.pdf", SNIFF_PDF, 0);
	mails[MAIL_OUT].demands |= MAIL_DEMAND_CC;
}

static void hold(void)
{
	attach("g.pdf", SNIFF_PDF, 0);
	mails[MAIL_OUT].demands |= MAIL_DEMAND_HOLD;
}

static const struct {
	enum mail_reason reason;
	void (*apply)(void);
} order[] = {
	{MAIL_REASON_TOO_BIG, too_big},
	{MAIL_REASON_MALFORMED, malformed},
	{MAIL_REASON_MYNUMBER, mynumber},
	{MAIL_REASON_LABEL_UNPROTECTED, label},
	{MAIL_REASON_ATTACHMENTS_REFUSED, refused},
	{MAIL_REASON_ATTACHMENT_TYPE, type},
	{MAIL_REASON_ATTACHMENT_ENCRYPTED, encrypted},
	{MAIL_REASON_ATTACHMENT_SIZE, file_size},
	{MAIL_REASON_ATTACHMENT_COUNT, count},
	{MAIL_REASON_TOO_MANY_EXTERNAL, external},
	{MAIL_REASON_AUTO_FORWARD, forwarded},
	{MAIL_REASON_NEEDS_CC, superior},
	{MAIL_REASON_HELD, hold},
};
#define RULES (sizeof(order) / sizeof(order[0]))

/* What stands between a label and what is encrypted: the label's demand takes the place of `encrypted`. */
static bool lifts(enum mail_reason a, enum mail_reason b)
{
	return a == MAIL_REASON_LABEL_UNPROTECTED && b == MAIL_REASON_ATTACHMENT_ENCRYPTED;
}

static void test_pairs(void)
{
	for (size_t i = 0; i < RULES; i++)
		for (size_t k = i; k < RULES; k++) {
			begin("set mail outbound attachments type exe action refuse\n");
			mails[MAIL_OUT].encrypted = 0;
			order[k].apply();
			order[i].apply();
			if (lifts(order[i].reason, order[k].reason))
				continue; /* test_label */
			enum mail_reason reason = judged();
			if (reason != order[i].reason)
				printf("with %s and %s:\n", mail_reason_word(order[i].reason), mail_reason_word(order[k].reason));
			CHECK_STR(mail_reason_word(reason), mail_reason_word(order[i].reason));
		}
	begin("");
	JUDGED(NONE);
	CHECK_INT(got.notes, 0);
}

static char *slurp(const char *path)
{
	FILE *f = fopen(path, "r");
	char *text = calloc(1, 1 << 20);

	if (f == NULL || text == NULL) {
		perror(path);
		exit(1);
	}
	if (fread(text, 1, (1 << 20) - 1, f) == 0)
		exit(1);
	fclose(f);
	return text;
}

/* The rows "| 3 | `mynumber` | …" of a chapter, in order, are these rules; each language has them. */
static void check_order(const char *text, const char *chapter)
{
	const char *s = strstr(text, chapter);
	char want[64];

	CHECK(s != NULL);
	for (size_t i = 0; s != NULL && i < RULES; i++) {
		snprintf(want, sizeof(want), "\n| %zu | `%s`", i + 1, mail_reason_word(order[i].reason));
		s = strstr(s, want);
		if (s == NULL)
			printf("%s: no row%s\n", chapter, want);
		CHECK(s != NULL);
	}
}

static void test_manual(const char *path)
{
	char *text = slurp(path), row[64];

	check_order(text, "## どの規則が先か");
	check_order(text, "## Which rule speaks");
	for (unsigned i = 1; i < MAIL_REASON_END; i++) {
		if (!mail_reason_known(i))
			continue;
		snprintf(row, sizeof(row), "\n| `%s` | %u %s |", mail_reason_word(i), mail_reason_smtp(i), mail_reason_enhanced(i));
		const char *japanese = strstr(text, row), *english = japanese == NULL ? NULL : strstr(japanese + 1, row);
		if (english == NULL)
			printf("%s: not twice:%s\n", path, row);
		CHECK(english != NULL);
	}
	free(text);
}

/* -- the envelope -------------------------------------------------------------------------------------------- */

static void test_client(void)
{
	static const struct {
		const char *address;
		enum mail_reason reason;
	} cases[] = {
		{"10.2.0.5", MAIL_REASON_NONE},
		{"10.2.0.64", MAIL_REASON_NONE},
		{"10.2.0.79", MAIL_REASON_NONE},
		{"10.2.0.80", MAIL_REASON_SERVER_NOT_LISTED},
		{"10.2.0.63", MAIL_REASON_SERVER_NOT_LISTED},
		{"::ffff:10.2.0.5", MAIL_REASON_SERVER_NOT_LISTED},
		{"2001:db8::5", MAIL_REASON_SERVER_NOT_LISTED},
	};
	struct addr a, none = {.family = 0};

	begin("");
	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		CHECK(addr_parse(cases[i].address, &a));
		judge_client(&ir, MAIL_OUT, &a, &got);
		CHECK_STR(mail_reason_word(got.reason), mail_reason_word(cases[i].reason));
		judge_client(&ir, MAIL_IN, &a, &got);
		CHECK_INT(got.reason, MAIL_REASON_NONE);
	}
	judge_client(&ir, MAIL_OUT, &none, &got);
	CHECK_INT(got.reason, MAIL_REASON_SERVER_NOT_LISTED);
	ir.nmails = 1;
	judge_client(&ir, MAIL_OUT, &a, &got);
	CHECK(got.reason == MAIL_REASON_NO_POLICY && got.verdict == JUDGE_DEFER);
}

static void test_sender(void)
{
	static const struct {
		const char *from;
		uint64_t size;
		enum mail_reason in, out;
	} cases[] = {
		{"<>", 0, MAIL_REASON_NONE, MAIL_REASON_NONE},
		{"<a@town.example.lg.jp>", 1024, MAIL_REASON_NONE, MAIL_REASON_NONE},
		{"<A@Town.EXAMPLE.lg.jp>", 0, MAIL_REASON_NONE, MAIL_REASON_NONE},
		{"<a@sub.town.example.lg.jp>", 0, MAIL_REASON_NONE, MAIL_REASON_NONE},
		{"<a@x.town.example.lg.jp>", 0, MAIL_REASON_NONE, MAIL_REASON_SENDER_DOMAIN},
		{"<a@example.com>", 0, MAIL_REASON_NONE, MAIL_REASON_SENDER_DOMAIN},
		{"<a@town.example.lg.jp>", 1025, MAIL_REASON_NONE, MAIL_REASON_TOO_BIG},
		{"<a@town.example.lg.jp>", 2049, MAIL_REASON_TOO_BIG, MAIL_REASON_TOO_BIG},
		{"<>", 2049, MAIL_REASON_TOO_BIG, MAIL_REASON_TOO_BIG},
		{"<a%example.com@town.example.lg.jp>", 0, MAIL_REASON_NONE, MAIL_REASON_ADDRESS_FORM},
		{"<\"a@example.com\"@town.example.lg.jp>", 0, MAIL_REASON_NONE, MAIL_REASON_ADDRESS_FORM},
		{"<@town.example.lg.jp:a@example.com>", 0, MAIL_REASON_NONE, MAIL_REASON_ADDRESS_FORM},
		{"<a@[10.2.0.5]>", 0, MAIL_REASON_NONE, MAIL_REASON_ADDRESS_FORM},
		{"<a%x@example.com>", 9999, MAIL_REASON_TOO_BIG, MAIL_REASON_ADDRESS_FORM},
		{"<a@example.com>", 9999, MAIL_REASON_TOO_BIG, MAIL_REASON_SENDER_DOMAIN},
	};

	begin("");
	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		struct smtp_address a = address(cases[i].from);
		judge_sender(&ir, MAIL_IN, &a, cases[i].size, &env, &got);
		CHECK_STR(mail_reason_word(got.reason), mail_reason_word(cases[i].in));
		judge_sender(&ir, MAIL_OUT, &a, cases[i].size, &env, &got);
		CHECK_STR(mail_reason_word(got.reason), mail_reason_word(cases[i].out));
		CHECK(env.recipients == 0 && !env.grouped && !env.superior);
	}
}

/* Every way to name another destination than the one that is looked at. */
static void test_recipient(void)
{
	static const struct {
		const char *to;
		enum mail_reason in, out;
	} cases[] = {
		{"<a@town.example.lg.jp>", MAIL_REASON_NONE, MAIL_REASON_NONE},
		{"<a@SUB.town.example.lg.jp>", MAIL_REASON_NONE, MAIL_REASON_NONE},
		{"<a..b.@town.example.lg.jp>", MAIL_REASON_NONE, MAIL_REASON_NONE},
		{"<a+b=c/d@town.example.lg.jp>", MAIL_REASON_NONE, MAIL_REASON_NONE},
		{"<postmaster>", MAIL_REASON_NONE, MAIL_REASON_ADDRESS_FORM},
		{"<a@example.com>", MAIL_REASON_RELAY, MAIL_REASON_NONE},
		{"<a@evil-town.example.lg.jp>", MAIL_REASON_RELAY, MAIL_REASON_NONE},
		{"<a@town.example.lg.jp.example.com>", MAIL_REASON_RELAY, MAIL_REASON_NONE},
		{"<a%example.com@town.example.lg.jp>", MAIL_REASON_ADDRESS_FORM, MAIL_REASON_ADDRESS_FORM},
		{"<example.com!a@town.example.lg.jp>", MAIL_REASON_ADDRESS_FORM, MAIL_REASON_ADDRESS_FORM},
		{"<\"a@example.com\"@town.example.lg.jp>", MAIL_REASON_ADDRESS_FORM, MAIL_REASON_ADDRESS_FORM},
		{"<\"a b\"@town.example.lg.jp>", MAIL_REASON_ADDRESS_FORM, MAIL_REASON_ADDRESS_FORM},
		{"<\"a\\\"b\"@town.example.lg.jp>", MAIL_REASON_ADDRESS_FORM, MAIL_REASON_ADDRESS_FORM},
		{"<@example.com:a@town.example.lg.jp>", MAIL_REASON_ADDRESS_FORM, MAIL_REASON_ADDRESS_FORM},
		{"<a@[192.0.2.1]>", MAIL_REASON_ADDRESS_FORM, MAIL_REASON_ADDRESS_FORM},
		{"<a@[IPv6:2001:db8::1]>", MAIL_REASON_ADDRESS_FORM, MAIL_REASON_ADDRESS_FORM},
	};

	begin("");
	env.recipients = 0;
	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		struct smtp_address a = address(cases[i].to);
		judge_rcpt(&ir, MAIL_IN, &env, &a, &got);
		CHECK_STR(mail_reason_word(got.reason), mail_reason_word(cases[i].in));
		judge_rcpt(&ir, MAIL_OUT, &env, &a, &got);
		CHECK_STR(mail_reason_word(got.reason), mail_reason_word(cases[i].out));
	}
	struct smtp_address a = address("<a@town.example.lg.jp>"), b = address("<a%b@town.example.lg.jp>");
	env.recipients = JUDGE_RECIPIENTS - 1;
	judge_rcpt(&ir, MAIL_IN, &env, &a, &got);
	CHECK_INT(got.reason, MAIL_REASON_NONE);
	env.recipients = JUDGE_RECIPIENTS;
	judge_rcpt(&ir, MAIL_IN, &env, &a, &got);
	CHECK(got.reason == MAIL_REASON_TOO_MANY_RECIPIENTS && got.verdict == JUDGE_DEFER);
	judge_rcpt(&ir, MAIL_IN, &env, &b, &got); /* for good, before for now */
	CHECK_INT(got.reason, MAIL_REASON_ADDRESS_FORM);
}

static void test_groups(void)
{
	begin("");
	CHECK_INT(SEND("<a@pref.example.lg.jp>", "<b@PREF2.example.lg.jp>"), 0);
	CHECK_INT(env.labels, 1);
	CHECK_INT(SEND("<a@pref.example.lg.jp>", "<a@cho.example.lg.jp>"), 0); /* two partners, one demand */
	CHECK_INT(SEND("<a@pref.example.lg.jp>", "<a@city.example.lg.jp>", "<b@pref.example.lg.jp>"), 1);
	CHECK_INT(env.recipients, 2);
	CHECK_INT(SEND("<a@pref.example.lg.jp>", "<a@example.com>"), 1);
	CHECK_INT(SEND("<a@example.com>", "<a@pref.example.lg.jp>", "<b@example.org>"), 1);
	CHECK(env.labels == 0 && env.recipients == 2);
	/* Own addresses go with everyone. */
	CHECK_INT(SEND("<k@town.example.lg.jp>", "<a@pref.example.lg.jp>", "<k2@sub.town.example.lg.jp>"), 0);
	CHECK(env.labels == 1 && env.recipients == 3);
	CHECK_INT(SEND("<k@town.example.lg.jp>"), 0);
	CHECK(!env.grouped && env.labels == 0);
	begin("set mail partner rest domain other label 【取扱注意】 demands encrypted-attachment\n");
	CHECK_INT(SEND("<a@example.com>", "<a@city.example.lg.jp>", "<a@pref.example.lg.jp>"), 1);
	CHECK_INT(env.labels, 2);
	CHECK_INT(SEND("<k@town.example.lg.jp>"), 0);
	CHECK_INT(env.labels, 0);
}

/* -- numbers, forwarding, notes -------------------------------------------------------------------------------- */

static void test_mynumber(void)
{
	begin("set mail outbound mynumber warn\n");
	mynumber();
	JUDGED(NONE);
	CHECK_INT(got.notes, JUDGE_NOTE_MYNUMBER | JUDGE_NOTE_MYNUMBER_TELL);
	begin("set mail outbound mynumber record\n");
	mynumber();
	JUDGED(NONE);
	CHECK_INT(got.notes, JUDGE_NOTE_MYNUMBER);
	begin("");
	mynumber();
	JUDGED(MYNUMBER);
	head.mynumber_score = MYNUMBER_THRESHOLD - 1;
	JUDGED(NONE);
	CHECK_INT(got.notes, 0);
	/* Neither a superior nor an approval lifts it. */
	mynumber();
	env.superior = env.superior_role = true;
	CHECK_INT(judged_as(true), MAIL_REASON_MYNUMBER);
}

static void test_forward(void)
{
	static const struct {
		uint32_t signs;
		enum mail_reason reason;
	} cases[] = {
		{0, MAIL_REASON_NONE},
		{MAILREPORT_RESENT, MAIL_REASON_NONE},
		{MAILREPORT_X_FORWARDED, MAIL_REASON_AUTO_FORWARD},
		{MAILREPORT_AUTO, MAIL_REASON_AUTO_FORWARD},
		{MAILREPORT_DELIVERED, MAIL_REASON_AUTO_FORWARD},
		{MAILREPORT_OUTSIDE_FROM, MAIL_REASON_AUTO_FORWARD},
	};

	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		begin("set mail outbound automatic-forward refuse\n");
		head.forward = cases[i].signs;
		CHECK_INT(judged(), cases[i].reason);
		begin("");
		head.forward = cases[i].signs;
		JUDGED(NONE);
		CHECK_INT(got.notes, cases[i].reason == MAIL_REASON_NONE ? 0 : JUDGE_NOTE_AUTO_FORWARD);
	}
}

/* Inward the policy of attachments, labels and numbers says nothing: they are taken out of the mail anyway. */
static void test_inward(void)
{
	begin("set mail outbound attachments refuse\n");
	head.direction = MAIL_IN;
	attach("a.exe", SNIFF_EXE, ATTACHMENT_PROGRAM | ATTACHMENT_ENCRYPTED);
	mynumber();
	forwarded();
	external();
	JUDGED(NONE);
	CHECK_INT(got.notes, 0);
	head.size_in = 2049;
	JUDGED(TOO_BIG);
	head.size_in = 2048;
	head.reason = MAIL_REASON_LIMIT_DEPTH;
	JUDGED(LIMIT_DEPTH);
	/* A cleaner that was taken over decides no policy: what is no matter of form is its failure. */
	for (unsigned i = 1; i < 256; i++) {
		bool form = i == MAIL_REASON_TOO_BIG || i == MAIL_REASON_LOOP || (i >= 30 && i < 50 && mail_reason_known(i));
		head.reason = (uint8_t)i;
		CHECK_INT(judged(), form ? i : MAIL_REASON_WORKER_FAILED);
	}
}

static void test_no_report(void)
{
	struct mailreport_view view = {&head, parts};

	begin("");
	judge_message(&ir, MAIL_OUT, &env, NULL, false, &got);
	CHECK(got.reason == MAIL_REASON_WORKER_FAILED && got.verdict == JUDGE_DEFER);
	judge_message(&ir, MAIL_IN, &env, &view, false, &got); /* of the other direction */
	CHECK_INT(got.reason, MAIL_REASON_WORKER_FAILED);
	ir.nmails = 0;
	judge_message(&ir, MAIL_OUT, &env, &view, false, &got);
	CHECK_INT(got.reason, MAIL_REASON_NO_POLICY);
}

static void test_words(void)
{
	CHECK_STR(judge_verdict_word(JUDGE_HOLD), "hold");
	CHECK_STR(judge_verdict_word((enum judge_verdict)99), "unknown");
	CHECK_STR(judge_note_word(JUDGE_NOTE_UNSEEN), "unseen");
	CHECK_STR(judge_note_word((enum judge_note)0x40000000), "unknown");
	CHECK(strlen(judge_note_text(JUDGE_NOTE_APPROVED)) > 10);
}

int main(int argc, char **argv)
{
	policy_begin();
	test_pairs();
	test_client();
	test_sender();
	test_recipient();
	test_groups();
	test_mynumber();
	test_forward();
	test_inward();
	test_no_report();
	test_words();
	if (argc > 1)
		test_manual(argv[1]);
	return policy_end();
}
