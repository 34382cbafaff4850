/*
 * compose.h: the mails: what happened, and the daily report. Text in the language that i18n_init() was told; one text/plain
 * part, UTF-8 in base64, lines with CRLF.
 */
#ifndef ALARM_COMPOSE_H
#define ALARM_COMPOSE_H

#include <sekisho/buf.h>
#include <sekisho/msg.h>

#include "queue.h"

struct letter {
	const struct msg_alarm_settings *settings;
	const struct msg_alarm_health *health; /* as it is now */
	int64_t now; /* wall seconds */
	const char *id; /* of the mail: what stands before '@' of Message-ID; a mail that is made again has the same */
};

void compose_notices(struct buf *out, const struct letter *l, const struct queue *q);
/* d NULL: the records could not be asked. */
void compose_report(struct buf *out, const struct letter *l, const struct msg_alarm_report *r,
	const struct msg_alarm_digest *d);

#endif
