/*
 * mailbook.h: the mail ledger as sekisho-logd keeps it: what sekisho-maild says goes in, its questions and a person's are
 * answered. Used by the recorder's thread.
 */
#ifndef LOG_MAILBOOK_H
#define LOG_MAILBOOK_H

#include <stdbool.h>
#include <stdint.h>

#include <sekisho/msg.h>

struct mailbook;

/* dir: that of the records, copied. fd: to sekisho-maild, -1: nobody. NULL without memory. */
struct mailbook *mailbook_new(const char *dir, int fd);
void mailbook_free(struct mailbook *b); /* NULL is allowed */

/* MSG_MAIL_ENTRY, _OUTCOME, _ASK. Its descriptors stay the caller's. Entries are answered by mailbook_settle(). */
void mailbook_take(struct mailbook *b, struct msg *m);
/* All that came is in: durable now, then answered. */
void mailbook_settle(struct mailbook *b);
/* What is worth a fault record since the last call; "" for nothing. note: 128 bytes. */
void mailbook_note(struct mailbook *b, char *note);

/* A held mail may leave: NULL, or a sentence (msgid) for why not. */
const char *mailbook_approve(struct mailbook *b, const struct msg_mail_approve *a);

/* The rows that a question wants, one after another. */
struct mail_question {
	struct msg_mail_query ask;
	uint64_t before; /* the row that was given last */
	uint32_t given;
};
/* 1: *ret is the next one, *ret_fd its report (a memfd, the caller's) or -1; 0: the end, *ret_end says how. */
int mailbook_next(struct mailbook *b, struct mail_question *q, struct msg_mail_row *ret, int *ret_fd, struct msg_end *ret_end);

/* A row that people in charge are told of: once for each receipt number. */
struct mail_news {
	uint64_t sequence;
	int64_t at;
	bool held; /* it waits for approval; else it passed with a warning of individual numbers */
	char receipt[40], sender[256];
};
/* The first one behind `after`: 1; 0: there is none up to *ret_newest, the newest row; < 0: the ledger cannot be read. */
int mailbook_news(struct mailbook *b, uint64_t after, struct mail_news *ret, uint64_t *ret_newest);
/* What was decided in [since, until), by direction - 1. 0 or -errno. */
int mailbook_counts(struct mailbook *b, int64_t since, int64_t until, struct msg_alarm_mails ret[2]);

#endif
