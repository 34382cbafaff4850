/*
 * judge_private.h: one mail while the rules look at it, for judge.c and judge_attachment.c.
 */
#ifndef MAIL_JUDGE_PRIVATE_H
#define MAIL_JUDGE_PRIVATE_H

#include <sekisho/ir.h>
#include <sekisho/judge.h>
#include <sekisho/mailreport.h>

struct judge_case {
	const struct ir *ir;
	const struct ir_mail *m;
	const struct judge_envelope *env;
	const struct mailreport *head;
	const struct mailreport_part *parts;
	bool approved;
	/* What judge_attachments() found. */
	uint32_t demands; /* enum mail_demand, of all attachments together, without REFUSE */
	bool partly;	  /* of some attachment only a part is encrypted, or it is not described */
	bool unseen;	  /* something that nobody can look into */
	bool labelled;	  /* the subject has a label that demands protection there */
	bool uncounted;	  /* more attachments than are described, and rules that would have to look at each */
	const struct mailreport_part *refused_all;  /* the first that the words for all refuse */
	const struct mailreport_part *refused_type; /* the first whose type does not leave */
	const struct mailreport_part *largest;
};

/* Says so; always true. fmt NULL: no detail. */
bool judge_say(struct judgement *ret, enum mail_reason reason, const char *fmt, ...) __attribute__((format(printf, 3, 4)));

/* Looks at every attachment and fills the last members. */
void judge_attachments(struct judge_case *c);

/* Rules: true when one applies, with the judgement written. */
bool judge_label(const struct judge_case *c, struct judgement *ret);
bool judge_attachments_refused(const struct judge_case *c, struct judgement *ret);
bool judge_attachment_type(const struct judge_case *c, struct judgement *ret);
bool judge_attachment_encrypted(const struct judge_case *c, struct judgement *ret);
bool judge_attachment_size(const struct judge_case *c, struct judgement *ret);
bool judge_attachment_count(const struct judge_case *c, struct judgement *ret);

#endif
