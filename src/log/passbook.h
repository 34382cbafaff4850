/*
 * passbook.h: what passed, as sekisho-logd keeps it: counted by rule and ends in windows of a minute, kept in a file of its
 * own (admissions.h), and a person's questions about it. Used by the recorder's thread.
 */
#ifndef LOG_PASSBOOK_H
#define LOG_PASSBOOK_H

#include <stdbool.h>
#include <stdint.h>

#include <sekisho/addr.h>
#include <sekisho/msg.h>

#include "names.h"
#include "passing.h"

struct passbook;

/* Windows that may be open at once; beyond, a rule's connections are counted together; beyond that, all of them. */
#define PASSBOOK_EXACT 4096
#define PASSBOOK_RULES 512
#define PASSBOOK_WINDOW_S 60

/* dir: that of the records, copied. p: NULL: nothing is read. Both p and names outlive it. NULL without memory. */
struct passbook *passbook_new(const char *dir, struct passing *p, struct names *names);
void passbook_free(struct passbook *b); /* a last transaction; NULL is allowed */

/* Takes what was counted, and writes what is due. close: the generation changes, or the end is near. */
void passbook_tick(struct passbook *b, bool close);
/* What is worth a fault record since the last call; "" for nothing. note: 128 bytes. */
void passbook_note(struct passbook *b, char *note);

/* What a question wants, one row after another. */
#define PASSBOOK_CHUNK 32
struct watch_question {
	struct msg_watch_query ask;
	struct addr_range src, dst; /* family 0: not asked, or a host's name */
	uint32_t given, open_at;
	uint64_t before;
	bool all_read;
	char after[64]; /* RULES: the one that was given last */
	unsigned n, at;
	struct msg_admission_row chunk[PASSBOOK_CHUNK];
};
void passbook_ask(struct watch_question *q, const struct msg_watch_query *ask);
/*
 * 1: *ret_type says what *ret is; 2: none yet, ask again (a bounded part was looked through); 0: the end, *ret_type is MSG_END.
 */
union watch_answer {
	struct msg_admission_row admission;
	struct msg_rule_row rule;
	struct msg_end end;
};
int passbook_next(struct passbook *b, struct watch_question *q, enum msg_type *ret_type, union watch_answer *ret);

#endif
