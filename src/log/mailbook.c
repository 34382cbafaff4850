/*
 * mailbook.c: the mail ledger between sekisho-maild, its file and people (see mailbook.h).
 *
 * Entries that came together share a transaction, and are answered when it is durable: a mail waits some milliseconds, a
 * crowd of mails no longer than one.
 *
 * Input: messages of sekisho-maild (checked by msg_recv()); reports of the cleaner, foreign: checked again here before their
 * list is written down as JSON. Failure: an entry that could not be stored is answered so; nothing leaves then.
 */
#include "mailbook.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

#include <sekisho/buf.h>
#include <sekisho/clock.h>
#include <sekisho/i18n.h>
#include <sekisho/mailreport.h>

#include "ledger.h"

#define WAITING_MAX 256
#define LIMIT_DEFAULT 100
#define OPEN_AGAIN_MS 1000

struct mailbook {
	struct ledger *ledger; /* NULL: cannot be opened now */
	struct mono tried;
	char dir[512], note[128];
	int fd;
	uint64_t waiting[WAITING_MAX];
	unsigned nwaiting;
	bool failed_told;
};

struct mailbook *mailbook_new(const char *dir, int fd)
{
	struct mailbook *b = calloc(1, sizeof(*b));

	if (b == NULL)
		return NULL;
	snprintf(b->dir, sizeof(b->dir), "%s", dir);
	b->fd = fd;
	return b;
}

void mailbook_free(struct mailbook *b)
{
	if (b == NULL)
		return;
	ledger_close(b->ledger);
	free(b);
}

void mailbook_note(struct mailbook *b, char *note)
{
	snprintf(note, sizeof(b->note), "%s", b->note);
	b->note[0] = '\0';
}

static struct ledger *get(struct mailbook *b)
{
	if (b->ledger == NULL && (b->tried.ns == 0 || mono_since_ms(b->tried) >= OPEN_AGAIN_MS)) {
		b->tried = clock_mono();
		b->ledger = ledger_open(b->dir, LEDGER_SPACE, b->note, sizeof(b->note));
	}
	return b->ledger;
}

/* -- What sekisho-maild says ----------------------------------------------------------------------------------- */

/* The cleaner's report as JSON, or NULL. */
static bool read_report(int fd, struct buf *ret)
{
	struct mailreport_view view;
	struct stat st;
	void *bytes = NULL;
	bool good = fd >= 0 && fstat(fd, &st) == 0 && st.st_size > 0 && (uint64_t)st.st_size <= MAILREPORT_MAX;

	if (good) {
		bytes = malloc((size_t)st.st_size);
		good = bytes != NULL && pread(fd, bytes, (size_t)st.st_size, 0) == st.st_size &&
		       mailreport_open(bytes, (size_t)st.st_size, &view) == 0;
	}
	if (good) {
		mailreport_json(&view, ret);
		buf_str(ret); /* ended by NUL */
	}
	free(bytes);
	return good;
}

static void answer(const struct mailbook *b, uint64_t id, bool ok)
{
	struct msg_mail_stored s = {.id = id, .ok = ok};

	/* A full socket: it gives up by its own limit, and the client keeps its mail. */
	if (b->fd >= 0)
		msg_send(b->fd, MSG_MAIL_STORED, 0, &s, NULL, 0);
}

static void take_entry(struct mailbook *b, const struct msg *m)
{
	struct ledger *l = get(b);
	struct buf json = {0};

	if (l == NULL) {
		answer(b, m->u.msg_mail_entry.id, false);
		return;
	}
	bool listed = m->nfds > 0 && read_report(m->fds[0], &json);
	ledger_put_entry(l, &m->u.msg_mail_entry, listed ? (const char *)json.data : NULL);
	buf_free(&json);
	b->waiting[b->nwaiting++] = m->u.msg_mail_entry.id;
	if (b->nwaiting == WAITING_MAX)
		mailbook_settle(b);
}

static void take_question(struct mailbook *b, const struct msg_mail_ask *q)
{
	struct msg_mail_approval a = {.id = q->id};
	struct ledger *l = get(b);

	mailbook_settle(b);
	a.approved = l != NULL && ledger_approval(l, q->receipt, q->sha256, &a.at, a.who);
	if (b->fd >= 0)
		msg_send(b->fd, MSG_MAIL_APPROVAL, 0, &a, NULL, 0);
}

void mailbook_take(struct mailbook *b, struct msg *m)
{
	struct ledger *l;

	switch ((int)m->type) {
	case MSG_MAIL_ENTRY:
		take_entry(b, m);
		break;
	case MSG_MAIL_OUTCOME:
		if ((l = get(b)) != NULL)
			ledger_put_outcome(l, &m->u.msg_mail_outcome);
		break;
	case MSG_MAIL_ASK:
		take_question(b, &m->u.msg_mail_ask);
		break;
	default:
		break;
	}
}

void mailbook_settle(struct mailbook *b)
{
	bool good = b->ledger != NULL && ledger_commit(b->ledger);

	for (unsigned i = 0; i < b->nwaiting; i++)
		answer(b, b->waiting[i], good);
	if (!good && b->nwaiting > 0 && !b->failed_told)
		snprintf(b->note, sizeof(b->note), "the mail ledger cannot be written: mail waits with its senders");
	b->failed_told = !good && (b->failed_told || b->nwaiting > 0);
	b->nwaiting = 0;
}

/* -- People ---------------------------------------------------------------------------------------------------- */

const char *mailbook_approve(struct mailbook *b, const struct msg_mail_approve *a)
{
	struct ledger *l = get(b);

	if (l == NULL)
		return N_("the mail ledger cannot be read now");
	mailbook_settle(b);
	if (!ledger_is_held(l, a->receipt))
		return N_("no mail with this receipt number waits for approval");
	ledger_put_approval(l, clock_wall().sec, a->receipt, a->who);
	return ledger_commit(l) ? NULL : N_("the approval could not be recorded");
}

int mailbook_news(struct mailbook *b, uint64_t after, struct mail_news *ret, uint64_t *ret_newest)
{
	struct ledger *l = get(b);

	return l == NULL ? -EIO : ledger_news(l, after, ret, ret_newest);
}

int mailbook_counts(struct mailbook *b, int64_t since, int64_t until, struct msg_alarm_mails ret[2])
{
	struct ledger *l = get(b);

	return l == NULL ? -EIO : ledger_counts(l, since, until, ret);
}

static int memory_file(const char *text)
{
	int fd = memfd_create("report", MFD_CLOEXEC);
	size_t n = strlen(text);

	if (fd >= 0 && (write(fd, text, n) != (ssize_t)n || lseek(fd, 0, SEEK_SET) != 0)) {
		close(fd);
		fd = -1;
	}
	return fd;
}

static int finish(struct mail_question *q, const char *error, struct msg_end *end)
{
	*end = (struct msg_end){.ok = error == NULL, .last_sequence = q->before};
	MSG_TEXT(end->error, error != NULL ? error : "");
	return 0;
}

static int verify(struct ledger *l, struct mail_question *q, struct msg_end *end)
{
	uint64_t rows, bad;
	char text[128] = "";
	bool good = ledger_verify(l, &rows, &bad);

	if (!good)
		snprintf(text, sizeof(text), "row %llu: is missing or was changed, or the row before it",
			(unsigned long long)bad);
	finish(q, good ? NULL : text, end);
	end->checked = rows;
	return 0;
}

int mailbook_next(struct mailbook *b, struct mail_question *q, struct msg_mail_row *ret, int *ret_fd, struct msg_end *ret_end)
{
	struct ledger *l = get(b);
	uint32_t limit = q->ask.limit != 0 ? q->ask.limit : LIMIT_DEFAULT;
	char *report;

	*ret_fd = -1;
	if (l == NULL)
		return finish(q, N_("the mail ledger cannot be read now"), ret_end);
	if (q->ask.verify)
		return verify(l, q, ret_end);
	if (q->given == limit) {
		finish(q, NULL, ret_end);
		ret_end->more = 1;
		return 0;
	}
	int r = ledger_find(l, &q->ask, q->before, ret, &report);
	if (r <= 0)
		return finish(q, r == 0 ? NULL : N_("the mail ledger cannot be read now"), ret_end);
	if (report != NULL && q->ask.receipt[0] != '\0')
		*ret_fd = memory_file(report);
	free(report);
	q->before = ret->sequence;
	q->given++;
	return 1;
}
