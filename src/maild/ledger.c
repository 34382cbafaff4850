/*
 * ledger.c: what sekisho-logd writes down before anything leaves or is refused, and what it knows of approvals.
 *
 * A question waits LIMIT_MS for its answer; a logd that is away or cannot write means LEDGER_FAILED: the client keeps its mail.
 * Outcomes are sent and not waited for: one that is lost leaves the row without an outcome, which the ledger shows as such.
 *
 * Input: answers of sekisho-logd by id; one that nobody awaits is of a former life.
 */
#include "maild.h"

#include <errno.h>
#include <sys/epoll.h>
#include <sys/random.h>

#include <sekisho/loop.h>

#define LIMIT_MS 15000
#define MESSAGES_A_TURN 64

/* Counted from a chance number of 62 bits: no two lives of this process share one, whatever the clock does. */
uint64_t ledger_id(struct maild *m)
{
	return ++m->ids;
}

void ledger_cancel(struct maild *m, struct ledger_wait *w)
{
	struct ledger_wait **p = &m->ledger;

	if (!w->waiting)
		return;
	while (*p != NULL && *p != w)
		p = &(*p)->next;
	if (*p == w)
		*p = w->next;
	w->waiting = false;
}

static void await(struct maild *m, struct ledger_wait *w, uint64_t id, int sent)
{
	if (sent != 0) {
		m->ledger_failed++;
		w->done(w->arg, sent);
		return;
	}
	w->id = id;
	w->waiting = true;
	w->until = maild_now() + LIMIT_MS;
	w->next = m->ledger;
	m->ledger = w;
}

void ledger_enter(struct maild *m, struct ledger_wait *w, const struct msg_mail_entry *e, int report)
{
	await(m, w, e->id, msg_send(DAEMON_FD_MAIL_LEDGER, MSG_MAIL_ENTRY, 0, e, &report, report >= 0 ? 1 : 0));
}

void ledger_note(struct maild *m, const struct msg_mail_entry *e)
{
	if (msg_send(DAEMON_FD_MAIL_LEDGER, MSG_MAIL_ENTRY, 0, e, NULL, 0) != 0)
		m->ledger_failed++;
}

void ledger_ask(struct maild *m, struct ledger_wait *w, const struct msg_mail_ask *q)
{
	await(m, w, q->id, msg_send(DAEMON_FD_MAIL_LEDGER, MSG_MAIL_ASK, 0, q, NULL, 0));
}

void ledger_outcome(struct maild *m, const struct msg_mail_outcome *o)
{
	if (msg_send(DAEMON_FD_MAIL_LEDGER, MSG_MAIL_OUTCOME, 0, o, NULL, 0) != 0)
		m->ledger_failed++;
}

static void answered(struct maild *m, uint64_t id, int result)
{
	struct ledger_wait *w = m->ledger;

	while (w != NULL && w->id != id)
		w = w->next;
	if (w == NULL)
		return;
	ledger_cancel(m, w);
	m->ledger_failed += result == -EIO;
	w->done(w->arg, result);
}

/* An approval holds for the days that the policy says. */
static bool is_valid(const struct maild *m, const struct msg_mail_approval *a)
{
	const struct ir_mail *way = m->policy != NULL ? m->policy->way[MAIL_OUT] : NULL;
	int64_t days = way != NULL ? way->approval_days : 0;

	return a->approved && (days == 0 || clock_wall().sec < a->at + days * 86400);
}

static void on_logd(void *arg, int fd, uint32_t events)
{
	struct maild *m = arg;
	struct msg got;
	int r = -EAGAIN;

	(void)events;
	for (unsigned i = 0; i < MESSAGES_A_TURN && (r = msg_recv(fd, &got)) == 1; i++) {
		if (got.type == MSG_MAIL_STORED)
			answered(m, got.u.msg_mail_stored.id, got.u.msg_mail_stored.ok ? 0 : -EIO);
		else if (got.type == MSG_MAIL_APPROVAL)
			answered(m, got.u.msg_mail_approval.id, is_valid(m, &got.u.msg_mail_approval) ? 0 : -EACCES);
		msg_close_fds(&got);
	}
	if (r != 1 && r != -EAGAIN)
		daemon_peer_broken(m->d, MSG_PEER_LOG);
}

void ledger_tick(struct maild *m, int64_t now)
{
	struct ledger_wait *w = m->ledger;

	while (w != NULL) {
		if (w->until > now) {
			w = w->next;
			continue;
		}
		m->ledger_failed++;
		ledger_cancel(m, w);
		w->done(w->arg, -ETIMEDOUT);
		w = m->ledger; /* anything may have changed */
	}
}

int ledger_start(struct maild *m)
{
	if (getrandom(&m->ids, sizeof(m->ids), 0) != (ssize_t)sizeof(m->ids))
		return -errno;
	m->ids >>= 2;
	return loop_add_fd(m->d->loop, DAEMON_FD_MAIL_LEDGER, EPOLLIN, on_logd, m);
}
