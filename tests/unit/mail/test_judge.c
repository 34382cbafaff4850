/*
 * test_judge.c: what the policy says of a mail: envelope, attachments, labels, and which of two rules speaks.
 *
 * Its argument is rootfs/doc/mail.md: the order of the rules there is the order here, and it explains every reason.
 */
#include "policy/policy_test.h"

#include <sekisho/attachment.h>
#include <sekisho/buf.h>
#include <sekisho/judge.h>
#include <sekisho/mailreport.h>
#include <sekisho/mynumber.h>
#include <sekisho/smtp_address.h>
#include <sekisho/sniff.h>

#define NETWORKS                                                                                                \
	"set segment l kind lgwan interface eth1 address 10.2.0.1/24 network 10.2.0.0/16\n"                      \
	"set segment i kind internet interface eth2 address 192.0.2.1/24 network other\n"                        \
	"set host lmta segment l address 10.2.0.5\n"                                                             \
	"set host pool segment l address 10.2.0.64/28\n"                                                         \
	"set host imta segment i address 192.0.2.5\n"                                                            \
	"set mail inbound listen 192.0.2.1 domain town.example.lg.jp domain sub.town.example.lg.jp next-hop lmta max-size 2K\n" \
	"set mail outbound listen 10.2.0.1 server lmta server pool next-hop imta max-size 1K\n"

#define PEOPLE                                                                                                  \
	"set mail superior k address Kacho@town.example.lg.jp role kacho\n"                                      \
	"set mail superior s address shunin@town.example.lg.jp role shunin\n"                                    \
	"set mail partner ken domain pref.example.lg.jp domain pref2.example.lg.jp label 【機密】 demands encrypted-attachment\n" \
	"set mail partner shi domain city.example.lg.jp label 【取扱注意】 demands encrypted-attachment\n"        \
	"set mail partner cho domain cho.example.lg.jp label 【機密】 demands encrypted-attachment\n"

/* -- one mail ------------------------------------------------------------------------------------------------ */

static struct compiled policy;
static struct ir ir;	       /* a copy, */
static struct ir_mail mails[2]; /* whose directions can be changed */
static struct ir_mail *out = &mails[1];
static struct judge_envelope env;
static struct mailreport head;
static struct mailreport_part parts[8];
static struct judgement got;

static void begin(const char *words)
{
	char text[4096];

	compiled_free(&policy);
	snprintf(text, sizeof(text), "%s%s%s", NETWORKS, PEOPLE, words);
	policy = compile_text(text, strlen(text), TODAY);
	if (!policy.ok)
		print_diags(&policy);
	CHECK(policy.ok && policy.ir.nmails == 2);
	ir = policy.ir;
	memcpy(mails, ir.mails, sizeof(mails));
	ir.mails = mails;
	env = (struct judge_envelope){.group = JUDGE_NO_GROUP, .recipients = 1};
	memset(parts, 0, sizeof(parts));
	head = (struct mailreport){.magic = MAILREPORT_MAGIC, .version = MAILREPORT_VERSION, .direction = MAIL_OUT, .size_in = 1000};
	strcpy(head.receipt, "R-1");
}

static struct mailreport_part *attach(const char *name, enum sniff_kind kind, uint32_t flags)
{
	struct mailreport_part *p = &parts[head.shown++];

	snprintf(p->name, sizeof(p->name), "%s", name);
	p->kind = (uint16_t)kind;
	p->flags = flags;
	p->marks = MAILREPORT_ATTACHED;
	p->size = 100;
	head.parts_total++;
	head.attachments++;
	head.attachments_encrypted += (flags & ATTACHMENT_ENCRYPTED) != 0;
	return p;
}

static enum mail_reason judged_as(bool approved)
{
	struct mailreport_view view = {&head, parts};

	judge_message(&ir, (enum mail_direction)head.direction, &env, &view, approved, &got);
	CHECK((got.reason == MAIL_REASON_NONE) == (got.verdict == JUDGE_PASS));
	CHECK(got.verdict != JUDGE_REFUSE || mail_reason_smtp(got.reason) >= 500);
	CHECK((got.verdict == JUDGE_HOLD) == (got.reason == MAIL_REASON_HELD));
	return got.reason;
}

static enum mail_reason judged(void)
{
	return judged_as(false);
}

#define JUDGED(reason_) CHECK_STR(mail_reason_word(judged()), mail_reason_word(MAIL_REASON_##reason_))

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
	out->demands |= MAIL_DEMAND_REFUSE;
}

static void type(void)
{
	attach("a.exe", SNIFF_EXE, ATTACHMENT_PROGRAM);
}

static void encrypted(void)
{
	attach("b.zip", SNIFF_ZIP, ATTACHMENT_ENCRYPTED);
	out->encrypted = MAIL_DEMAND_REFUSE;
}

static void file_size(void)
{
	attach("c.pdf", SNIFF_PDF, 0)->size = 501;
	out->max_file_size = 500;
}

static void count(void)
{
	attach("d.pdf", SNIFF_PDF, 0);
	attach("e.pdf", SNIFF_PDF, 0);
	out->max_files = 1;
}

static void external(void)
{
	head.recipients_external = 21;
}

static void forwarded(void)
{
	head.forward = MAILREPORT_AUTO;
	out->auto_forward_refuse = 1;
}

static void superior(void)
{
	attach("f.pdf", SNIFF_PDF, 0);
	out->demands |= MAIL_DEMAND_CC;
}

static void hold(void)
{
	attach("g.pdf", SNIFF_PDF, 0);
	out->demands |= MAIL_DEMAND_HOLD;
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
			out->encrypted = 0;
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

static struct smtp_address address(const char *path)
{
	struct smtp_address a = {.flags = 0};
	size_t taken;

	if (smtp_address_parse(path, strlen(path), &a, &taken) != SMTP_ADDRESS_OK)
		printf("no address: %s\n", path);
	return a;
}

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

/* Takes them one after the other; how many were put off because other rules hold for them. */
static unsigned send_to(const char *const *to, size_t n)
{
	struct smtp_address from = address("<a@town.example.lg.jp>");
	unsigned put_off = 0;

	judge_sender(&ir, MAIL_OUT, &from, 0, &env, &got);
	for (size_t i = 0; i < n; i++) {
		struct smtp_address a = address(to[i]);
		judge_rcpt(&ir, MAIL_OUT, &env, &a, &got);
		put_off += got.reason == MAIL_REASON_OTHER_RULES;
		if (got.reason == MAIL_REASON_NONE)
			judge_rcpt_taken(&ir, MAIL_OUT, &env, &a);
	}
	return put_off;
}
#define SEND(...) send_to((const char *const[]){__VA_ARGS__}, sizeof((const char *const[]){__VA_ARGS__}) / sizeof(char *))

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

/* -- attachments --------------------------------------------------------------------------------------------- */

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
	/* The other partner's label, and the same label to somebody else: nothing is demanded, `encrypted` counts. */
	head.labels = 2;
	JUDGED(ATTACHMENT_ENCRYPTED);
	SEND("<a@example.com>");
	head.labels = 1;
	JUDGED(ATTACHMENT_ENCRYPTED);
	SEND("<k@town.example.lg.jp>");
	JUDGED(ATTACHMENT_ENCRYPTED);
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
	head.reason = 0xee; /* no reason of ours */
	JUDGED(WORKER_FAILED);
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
	policy = compile_text(NETWORKS, strlen(NETWORKS), TODAY);
	test_pairs();
	test_client();
	test_sender();
	test_recipient();
	test_groups();
	test_superior();
	test_types();
	test_no_attachment();
	test_undescribed();
	test_limits();
	test_encrypted();
	test_label();
	test_mynumber();
	test_forward();
	test_inward();
	test_no_report();
	test_detail();
	test_words();
	if (argc > 1)
		test_manual(argv[1]);
	compiled_free(&policy);
	return test_end();
}
