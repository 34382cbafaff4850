#include "judging.h"
enum mail_reason judging_client(const struct session *s) { (void)s; return MAIL_REASON_NONE; }
enum mail_reason judging_sender(struct session *s) { (void)s; return MAIL_REASON_NONE; }
enum mail_reason judging_rcpt(struct session *s, const struct smtp_rcpt *r) { (void)s; (void)r; return MAIL_REASON_NONE; }
uint32_t judging_mail(struct session *s, const struct mailreport_view *v, enum mail_reason *ret_reason, char *detail, size_t size)
{ (void)s; (void)detail; (void)size; *ret_reason = v->head->reason; return v->head->reason ? MSG_MAIL_REFUSED : MSG_MAIL_PASS; }
int judging_start(struct maild *m) { (void)m; return 0; }
void judging_policy(struct maild *m) { (void)m; }
void judging_resume(struct maild *m, enum mail_direction way) { (void)m; (void)way; }
uint32_t judging_flood(const struct maild *m, enum mail_direction way) { (void)m; (void)way; return 0; }
