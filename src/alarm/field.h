/* field.h: header fields and a body that any mail server takes: ASCII, short lines (RFC 5322, 2047, 2045). */
#ifndef ALARM_FIELD_H
#define ALARM_FIELD_H

#include <stddef.h>
#include <stdint.h>

#include <sekisho/buf.h>

/* Text of others as it may be shown: no control, no direction marks, no line end, no link that a program would open. */
void field_shown(struct buf *out, const char *text);

/* "Name: text" as encoded words of UTF-8, folded; ASCII text as it is. Ends with CRLF. text has no control characters. */
void field_text(struct buf *out, const char *name, const char *text);
/* The same in front of "<address>". */
void field_mailbox(struct buf *out, const char *name, const char *display, const char *address);
/* "Date: Fri, 20 Nov 2026 08:30:00 +0900". offset: seconds east of UTC. */
void field_date(struct buf *out, int64_t at, int32_t offset);
/* Lines with LF become lines with CRLF in base64, 76 columns. */
void field_body(struct buf *out, const char *text, size_t n);

/* "11-20 08:30:12", "2026-11-20 08:30": local times. Return buf, of FIELD_TIME bytes. */
#define FIELD_TIME 32
const char *field_time(int64_t at, int32_t offset, char *buf);
const char *field_minute(int64_t at, int32_t offset, char *buf);

#endif
