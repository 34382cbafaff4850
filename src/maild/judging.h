/* judging.h: what the policy says of a session's client, sender, recipients and mail (judging.c asks judge.h). */
#ifndef JUDGING_H
#define JUDGING_H

#include "maild.h"

#include <sekisho/mailreport.h>

/* MAIL_REASON_NONE: yes. */
enum mail_reason judging_client(struct session *s);
enum mail_reason judging_sender(struct session *s);
enum mail_reason judging_rcpt(struct session *s, const struct smtp_rcpt *r);

/* The mail server has taken it. */
void judging_rcpt_taken(struct session *s, const struct smtp_rcpt *r);
/* enum msg_mail_verdict; reason, detail and notes go into the session. HELD: it may pass once it is approved. */
uint32_t judging_mail(struct session *s, bool approved);

/* Floods: another policy, an operator's word, what it is now (enum msg_mail_flood). */
int judging_start(struct maild *m);
void judging_policy(struct maild *m);
void judging_command(struct maild *m, const struct msg_mail_command *c);
uint32_t judging_flood(const struct maild *m, enum mail_direction way);

#endif
