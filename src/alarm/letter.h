/* letter.h: what both kinds of mail have in common (compose.c, report.c). */
#ifndef ALARM_LETTER_H
#define ALARM_LETTER_H

#include <sekisho/buf.h>

#include "compose.h"

/* 正常, 注意, 異常. */
const char *letter_health(uint32_t health);
/* The sentence of a finding's code, and what it is about. */
void letter_finding(struct buf *out, const char *code, const char *text);
/* The header and its empty line. */
void letter_head(struct buf *out, const struct letter *l, const char *subject);
/* How it stands now. */
void letter_state(struct buf *body, const struct letter *l);
/* The last lines; the body goes to out and is freed. */
void letter_end(struct buf *out, struct buf *body);

#endif
