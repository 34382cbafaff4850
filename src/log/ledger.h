/*
 * ledger.h: the mail ledger: what came to the mail gate, what was decided, what became of it, who approved what.
 *
 * A file of its own beside the records of drops (mail.db), since a mail waits for its row: a transaction holds what has come
 * meanwhile and is durable at once, not each second. Rows are only ever added: a mail's outcome and an approval are rows of
 * their own. One sequence numbers all of them without gaps and each row's hash covers the one before (chain.h).
 *
 * Space: the oldest rows go when the file has reached its limit; the newest removed one's hash is kept, so that the chain
 * still has its beginning. Used by one thread.
 */
#ifndef LOG_LEDGER_H
#define LOG_LEDGER_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include <sekisho/msg.h>

struct ledger;

/* Bytes of the file: some hundred thousand mails. */
#define LEDGER_SPACE (128u << 20)

/*
 * Opens or makes DIR/mail.db. A damaged one is renamed and a new one begun (note, at least 128 bytes, says so, else ""). NULL
 * when the disk refuses: try again later.
 */
struct ledger *ledger_open(const char *dir, uint64_t space, char *note, size_t note_size);
void ledger_close(struct ledger *l); /* NULL is allowed */

/* One transaction: begins with the first put. Errors are remembered; ledger_commit() tells. */
void ledger_put_entry(struct ledger *l, const struct msg_mail_entry *e, const char *report_json);
void ledger_put_outcome(struct ledger *l, const struct msg_mail_outcome *o);
void ledger_put_approval(struct ledger *l, int64_t at, const char *receipt, const char *who);
/* True: durable (or there was nothing). False: nothing of it happened. *ret_first: the number of the first row of it. */
bool ledger_commit(struct ledger *l);

/* Is there a mail with this receipt number that was held? */
bool ledger_is_held(struct ledger *l, const char *receipt);
/*
 * The newest approval of a mail; false: none. who: 64 bytes. The receipt number has 60 bits: the mail must also be the one that
 * was held, by its hash.
 */
bool ledger_approval(struct ledger *l, const char *receipt, const uint8_t sha256[32], int64_t *ret_at, char *who);

/*
 * The newest mail before sequence `before` (0: of all) that fits the question. *ret_report: its list as JSON, or NULL; the
 * caller frees it. 1, 0 when there is none, < 0 when the file cannot be read.
 */
int ledger_find(struct ledger *l, const struct msg_mail_query *q, uint64_t before, struct msg_mail_row *ret, char **ret_report);

struct mail_news;
/* As mailbook_news() and mailbook_counts(). */
int ledger_news(struct ledger *l, uint64_t after, struct mail_news *ret, uint64_t *ret_newest);
int ledger_counts(struct ledger *l, int64_t since, int64_t until, struct msg_alarm_mails ret[2]);

/* Checks every hash; *ret_rows how many. False: the row that breaks the chain is in *ret_bad. */
bool ledger_verify(struct ledger *l, uint64_t *ret_rows, uint64_t *ret_bad);

#endif
