/* judging.h: what the policy says of a session's client, sender, recipients and mail (judging.c asks judge.h). */
#ifndef JUDGING_H
#define JUDGING_H

#include "maild.h"

#include <sekisho/mailreport.h>

/* MAIL_REASON_NONE: yes. */
enum mail_reason judging_client(const struct session *s);
enum mail_reason judging_sender(struct session *s);
enum mail_reason judging_rcpt(struct session *s, const struct smtp_rcpt *r);

/* enum msg_mail_verdict; with HELD it may pass once it is approved. detail: what the reason is about. */
uint32_t judging_mail(struct session *s, const struct mailreport_view *v, enum mail_reason *ret_reason, char *detail, size_t size);

/* Floods: another policy, an operator's word, what it is now (enum msg_mail_flood). */
int judging_start(struct maild *m);
void judging_policy(struct maild *m);
void judging_resume(struct maild *m, enum mail_direction way);
uint32_t judging_flood(const struct maild *m, enum mail_direction way);

#endif
