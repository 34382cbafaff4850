/*
 * mailquestion.h: a mail as it is described on the command line, for `sekisho explain POLICY mail`.
 */
#ifndef CONSOLE_MAILQUESTION_H
#define CONSOLE_MAILQUESTION_H

#include <sekisho/addr.h>
#include <sekisho/mailreport.h>
#include <sekisho/model.h>
#include <sekisho/smtp_address.h>

#include <stdbool.h>
#include <stddef.h>

struct args;
struct ir;

#define MAILQUESTION_RECIPIENTS 200u /* more than one mail may have, so that one can ask about too many */
#define MAILQUESTION_ATTACHMENTS MAILREPORT_PARTS
#define MAILQUESTION_ERROR 256u

struct mailquestion {
	enum mail_direction direction;
	struct addr server; /* family 0: not given */
	struct smtp_address from, to[MAILQUESTION_RECIPIENTS];
	uint32_t nto;
	bool approved;
	/* What the cleaner would report. */
	struct mailreport head;
	struct mailreport_part parts[MAILQUESTION_ATTACHMENTS];
};

/* Reads the options. False with a sentence in error. */
bool mailquestion_read(
	const struct ir *ir, const struct args *a, struct mailquestion *ret, char error[MAILQUESTION_ERROR]);

#endif
