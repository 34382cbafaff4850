/*
 * judge.h: what the policy says of one mail at the mail gate. Pure functions: no I/O, no clock, no allocation, no state but
 * struct judge_envelope, which the caller keeps beside its session.
 *
 * In the order of a session:
 *   judge_client()	  who connects; before the greeting
 *   judge_sender()	  MAIL FROM: begins the envelope
 *   judge_rcpt()	  RCPT TO: one recipient; judge_rcpt_taken() once the next hop has taken it, too
 *   judge_message()	  the whole mail, when the cleaner has reported; before the final dot goes out
 *
 * One mail has one verdict for all its recipients. Where the policy differs from one recipient to the next, the later one is
 * put off with 452 4.5.3, and the sender's server sends to it separately.
 *
 * Precedence. Of the rules that apply the first of this list speaks (rootfs/doc/mail.md explains it to people, and a test
 * holds each pair of them against it). First what nothing can mend, then what the sender can, last what somebody else has to
 * do: nobody is asked to approve a mail that would be refused afterwards.
 *   client      no-policy, server-not-listed
 *   sender      address-form, sender-domain, too-big
 *   recipient   address-form, relay, too-many-recipients, other-rules
 *   message     too-big; what the cleaner refuses (malformed, limit-..., loop, ...); mynumber; label-unprotected;
 *               attachments-refused, attachment-type, attachment-encrypted, attachment-size, attachment-count;
 *               too-many-external; auto-forward; needs-cc; held
 */
#ifndef SEKISHO_JUDGE_H
#define SEKISHO_JUDGE_H

#include <stdbool.h>
#include <stdint.h>

#include <sekisho/addr.h>
#include <sekisho/mail_reason.h>
#include <sekisho/model.h>

struct ir;
struct ir_mail;
struct mailreport_view;
struct smtp_address;

#define JUDGE_RECIPIENTS 100u /* of one mail: the least that RFC 5321 4.5.3.1.8 allows; the others follow in another mail */
#define JUDGE_DETAIL 128u

enum judge_verdict {
	JUDGE_PASS,
	JUDGE_REFUSE, /* 5xx: the sender gets it back */
	JUDGE_HOLD,   /* 450 until somebody approves it by its receipt number */
	JUDGE_DEFER,  /* 4xx: the sender's server tries again */
};

/* What is noteworthy about a mail that passes: bits of judgement.notes, kept by the ledger and never reused. */
/*	bit NAME	word		what people read */
#define JUDGE_NOTES(X)                                                                                            \
	X(0, MYNUMBER, "mynumber", N_("it seems to hold individual numbers"))                                     \
	X(1, MYNUMBER_TELL, "mynumber-notice", N_("the people in charge are told of the individual numbers"))     \
	X(2, AUTO_FORWARD, "auto-forward", N_("it was forwarded automatically"))                                  \
	X(3, SUPERIOR, "superior",                                                                                \
		N_("its attachments leave because a registered superior is among the recipients"))                \
	X(4, APPROVED, "approved", N_("it was held and has been approved"))                                       \
	X(5, UNSEEN, "unseen", N_("it holds what nobody can look into"))

enum judge_note {
#define X(bit, name, word, text) JUDGE_NOTE_##name = 1 << bit,
	JUDGE_NOTES(X)
#undef X
};

struct judgement {
	enum judge_verdict verdict;
	enum mail_reason reason; /* MAIL_REASON_NONE with JUDGE_PASS */
	uint32_t notes;		 /* enum judge_note */
	char detail[JUDGE_DETAIL]; /* what the reason is about, UTF-8, "": "limit 10485760", "見積.exe" */
};

/* The envelope as far as it has come. judge_sender() begins it; read by callers, written here alone. */
struct judge_envelope {
	uint32_t recipients; /* taken */
	bool grouped;	     /* a recipient has settled which partners' rules hold */
	uint16_t group;	     /* ir_partner.group, or JUDGE_NO_GROUP: no partner's */
	uint8_t labels;	     /* that demand protection */
	bool superior;	     /* a registered superior of any role is among them */
	bool superior_role;  /* and one of a role that `require-cc` names */
};
#define JUDGE_NO_GROUP UINT16_MAX

/* Who connects (family 0: not known, which is no server). */
void judge_client(const struct ir *ir, enum mail_direction direction, const struct addr *client, struct judgement *ret);

/* MAIL FROM with its SIZE= (0: not said). Begins *env. The null sender always passes: a report about a mail must arrive. */
void judge_sender(const struct ir *ir, enum mail_direction direction, const struct smtp_address *from, uint64_t size,
	struct judge_envelope *env, struct judgement *ret);

/* RCPT TO. Changes nothing. */
void judge_rcpt(const struct ir *ir, enum mail_direction direction, const struct judge_envelope *env,
	const struct smtp_address *to, struct judgement *ret);

/* The recipient that judge_rcpt() passed will get the mail. */
void judge_rcpt_taken(
	const struct ir *ir, enum mail_direction direction, struct judge_envelope *env, const struct smtp_address *to);

/*
 * The whole mail. `size`: its bytes; `approved`: its receipt number has a valid approval. report NULL: the cleaner has none
 * (worker-failed).
 */
void judge_message(const struct ir *ir, enum mail_direction direction, const struct judge_envelope *env,
	const struct mailreport_view *report, bool approved, struct judgement *ret);

/* The stable words ("pass", "refuse", "hold", "defer"); of one note bit, and its sentence (a msgid). Never NULL. */
const char *judge_verdict_word(enum judge_verdict verdict);
const char *judge_note_word(enum judge_note note);
const char *judge_note_text(enum judge_note note);

#endif
