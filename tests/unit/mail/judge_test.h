/*
 * judge_test.h: one mail under one policy, for test_judge.c and test_judge_attachment.c.
 */
#ifndef JUDGE_TEST_H
#define JUDGE_TEST_H

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
static struct judge_envelope env;
static struct mailreport head;
static struct mailreport_part parts[8];
static struct judgement got;

static inline void begin(const char *words)
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

static inline struct mailreport_part *attach(const char *name, enum sniff_kind kind, uint32_t flags)
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

static inline enum mail_reason judged_as(bool approved)
{
	struct mailreport_view view = {&head, parts};

	judge_message(&ir, (enum mail_direction)head.direction, &env, &view, approved, &got);
	CHECK((got.reason == MAIL_REASON_NONE) == (got.verdict == JUDGE_PASS));
	CHECK(got.verdict != JUDGE_REFUSE || mail_reason_smtp(got.reason) >= 500);
	CHECK((got.verdict == JUDGE_HOLD) == (got.reason == MAIL_REASON_HELD));
	return got.reason;
}

static inline enum mail_reason judged(void)
{
	return judged_as(false);
}

#define JUDGED(reason_) CHECK_STR(mail_reason_word(judged()), mail_reason_word(MAIL_REASON_##reason_))

/* -- recipients ---------------------------------------------------------------------------------------------- */

static inline struct smtp_address address(const char *path)
{
	struct smtp_address a = {.flags = 0};
	size_t taken;

	if (smtp_address_parse(path, strlen(path), &a, &taken) != SMTP_ADDRESS_OK)
		printf("no address: %s\n", path);
	return a;
}

/* Takes them one after the other; how many were put off because other rules hold for them. */
static inline unsigned send_to(const char *const *to, size_t n)
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


/* Once, before the first mail; policy_end() at the end. */
static inline void policy_begin(void)
{
	policy = compile_text(NETWORKS, strlen(NETWORKS), TODAY);
}

static inline int policy_end(void)
{
	compiled_free(&policy);
	return test_end();
}

#endif
