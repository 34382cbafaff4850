/*
 * delivery.c: one mail to one mail server: sender, recipients one by one as the client names them, then the mail.
 *
 * A slow client must not hold a connection: a delivery may be parked, and says its envelope again on whatever connection it
 * gets then, all at once where the server pipelines. A recipient that was taken before and is refused now fails the whole
 * mail (4xx to the client): nobody is left out in silence.
 *
 * A connection that served before may have been closed meanwhile: once, and only before a byte of the mail was sent, the
 * delivery begins again on a fresh one. After the final dot without an answer nobody knows: `doubt`.
 */
#include "maild.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <strings.h>
#include <unistd.h>

#include <sekisho/mail_limits.h>

static void feed(struct delivery *d);

static void tell(struct delivery *d, enum delivery_news news, const struct smtp_reply *reply, enum mail_reason reason)
{
	d->since = maild_now();
	d->news(d->arg, news, reply, reason);
}

static bool good(const struct smtp_reply *r)
{
	return r != NULL && r->code >= 200 && r->code < 300;
}

static enum mail_reason reason_of(const struct smtp_reply *r)
{
	return r != NULL && r->code >= 500 ? MAIL_REASON_NEXT_HOP_REFUSED : MAIL_REASON_NEXT_HOP_DEFERRED;
}

static enum mail_reason reason_of_end(enum smtp_why why)
{
	switch (why) {
	case SMTP_WHY_TIMEOUT:
	case SMTP_WHY_SLOW:
	case SMTP_WHY_SESSION:
	case SMTP_WHY_STALLED:
		return MAIL_REASON_NEXT_HOP_STALLED;
	case SMTP_WHY_HOP_REPLY:
	case SMTP_WHY_HOP_UNEXPECTED:
		return MAIL_REASON_NEXT_HOP_GARBAGE;
	default:
		return MAIL_REASON_NEXT_HOP_DOWN;
	}
}

/* Nothing was said yet on a connection. */
static void forget(struct delivery *d)
{
	d->mail_said = d->rcpt_said = d->data_said = d->text = d->final = d->bad = false;
	d->walked = 0;
	d->said = d->answered = 0;
	d->at = 0;
}

static void let_go(struct delivery *d, enum hop_end end)
{
	struct hop *h = d->hop;

	d->hop = NULL;
	forget(d);
	if (h != NULL)
		hop_release(h, end);
}

/* The server said no to the whole. */
static void refused(struct delivery *d, const struct smtp_reply *r)
{
	struct smtp_reply reply = *r;

	d->goal = GOAL_NONE;
	let_go(d, HOP_OPEN);
	tell(d, DELIVERY_REFUSED, &reply, reason_of(&reply));
}

static void failed(struct delivery *d, enum mail_reason reason)
{
	d->goal = GOAL_NONE;
	let_go(d, HOP_BROKEN);
	tell(d, DELIVERY_FAILED, NULL, reason);
}

/* -- The mail itself ------------------------------------------------------------------------------------- */

static size_t piece(const char *text, size_t n, uint64_t at, char *buf, size_t size)
{
	size_t left = n - (size_t)at;

	memcpy(buf, text + at, left < size ? left : size);
	return left < size ? left : size;
}

/* Bytes at d->at: head, the mail up to the mark, mark, the rest. 0: the end, < 0: the spool cannot be read. */
static ssize_t content(const struct delivery *d, char *buf, size_t size)
{
	uint64_t at = d->at;

	if (at < d->nhead)
		return (ssize_t)piece(d->head, d->nhead, at, buf, size);
	at -= d->nhead;
	if (d->nmark > 0 && at >= d->mark_at && at < d->mark_at + d->nmark)
		return (ssize_t)piece(d->mark, d->nmark, at - d->mark_at, buf, size);
	if (d->nmark > 0 && at < d->mark_at && d->mark_at - at < size)
		size = (size_t)(d->mark_at - at);
	if (d->nmark > 0 && at > d->mark_at)
		at -= d->nmark;
	if (at >= d->size)
		return 0;
	ssize_t n = pread(d->fd, buf, size, (off_t)at);
	return n > 0 ? n : -1;
}

static void write_mail(struct delivery *d)
{
	static char buf[32768];
	struct hop *h = d->hop;
	int64_t now = maild_now();
	ssize_t n;

	while (!h->writing && (n = content(d, buf, sizeof(buf))) != 0) {
		ssize_t taken = n < 0 ? -EIO : smtp_client_write(&h->client, now, buf, (size_t)n);
		if (taken < 0) {
			failed(d, MAIL_REASON_WORKER_FAILED);
			return;
		}
		d->at += (uint64_t)taken;
		hop_flush(h);
	}
	if (h->writing || d->final)
		return;
	if (smtp_client_finish(&h->client, now) != 0) {
		failed(d, MAIL_REASON_WORKER_FAILED);
		return;
	}
	d->final = true;
	hop_flush(h);
}

/* -- Replies --------------------------------------------------------------------------------------------- */

static void on_mail(struct delivery *d, const struct smtp_reply *r)
{
	if (!good(r)) {
		refused(d, r);
		return;
	}
	if (d->goal == GOAL_MAIL) {
		d->goal = GOAL_NONE;
		tell(d, DELIVERY_OPENED, r, MAIL_REASON_NONE);
		return;
	}
	feed(d);
}

static void on_rcpt(struct delivery *d, const struct smtp_client_event *e)
{
	const struct smtp_reply *r = e->reply;

	d->answered++;
	if (d->goal != GOAL_RCPT || !d->rcpt_said || e->index + 1 < d->said) {
		d->bad = d->bad || !good(r);
		feed(d);
		return;
	}
	d->goal = GOAL_NONE;
	d->rcpt_said = false;
	if (d->bad) { /* of the others, which it had taken before */
		failed(d, MAIL_REASON_NEXT_HOP_DEFERRED);
		return;
	}
	if (good(r))
		tell(d, DELIVERY_RCPT, r, MAIL_REASON_NONE);
	else
		tell(d, DELIVERY_REFUSED, r, reason_of(r));
}

static void on_data(struct delivery *d, const struct smtp_reply *r)
{
	if (r->code != 354) {
		refused(d, r);
		return;
	}
	if (d->bad) { /* without the dot it has nothing */
		failed(d, MAIL_REASON_NEXT_HOP_DEFERRED);
		return;
	}
	d->text = true;
	write_mail(d);
}

static void on_sent(struct delivery *d, const struct smtp_reply *r)
{
	struct smtp_reply reply = *r;

	d->goal = GOAL_NONE;
	let_go(d, good(&reply) ? HOP_SENT : HOP_OPEN);
	if (good(&reply))
		tell(d, DELIVERY_SENT, &reply, MAIL_REASON_NONE);
	else
		tell(d, DELIVERY_REFUSED, &reply, reason_of(&reply));
}

static void on_gone(struct delivery *d, const struct hop *h, const struct smtp_client_event *e)
{
	bool again = h->used && !d->retried && !d->text && d->goal != GOAL_NONE;
	struct smtp_reply reply = {0};

	d->doubt = d->final;
	d->hop = NULL; /* whoever called closes it */
	forget(d);
	if (again) {
		d->retried = d->wait.fresh = true;
		hop_want(d->m, &d->wait);
		return;
	}
	if (d->goal == GOAL_NONE) /* nobody waits: it opens anew when it is needed */
		return;
	d->goal = GOAL_NONE;
	if (e->reply != NULL && !d->doubt && e->why == SMTP_WHY_HOP_REFUSED) {
		reply = *e->reply;
		tell(d, DELIVERY_FAILED, &reply, MAIL_REASON_NEXT_HOP_DEFERRED);
		return;
	}
	tell(d, DELIVERY_FAILED, NULL, reason_of_end(e->why));
}

static void on_event(void *arg, struct hop *h, const struct smtp_client_event *e)
{
	struct delivery *d = arg;

	switch (e->kind) {
	case SMTP_CLIENT_GONE:
		on_gone(d, h, e);
		break;
	case SMTP_CLIENT_MAIL:
		on_mail(d, e->reply);
		break;
	case SMTP_CLIENT_RCPT:
		on_rcpt(d, e);
		break;
	case SMTP_CLIENT_DATA:
		on_data(d, e->reply);
		break;
	case SMTP_CLIENT_SENT:
		on_sent(d, e->reply);
		break;
	case SMTP_CLIENT_NONE: /* room */
		if (d->text)
			write_mail(d);
		else
			feed(d);
		break;
	default:
		break;
	}
}

/* -- Commands -------------------------------------------------------------------------------------------- */

/* 0 said; -EAGAIN: later. */
static int say_mail(struct delivery *d)
{
	struct smtp_mail mail = d->envelope->mail;

	mail.size = d->goal == GOAL_SEND ? d->nhead + d->size : 0;
	int r = smtp_client_mail(&d->hop->client, maild_now(), &mail, d->origin);
	d->mail_said = r == 0;
	return r;
}

/* Those that it took before. */
static int say_recipients(struct delivery *d)
{
	struct smtp_rcpt r;
	size_t at = d->walked;

	while (envelope_next(d->envelope, &at, &r)) {
		int e = smtp_client_rcpt(&d->hop->client, maild_now(), &r);
		if (e != 0)
			return e;
		d->walked = at;
		d->said++;
	}
	return 0;
}

static int say_rest(struct delivery *d)
{
	int r = 0;

	if (d->goal == GOAL_RCPT && !d->rcpt_said) {
		r = smtp_client_rcpt(&d->hop->client, maild_now(), d->rcpt);
		d->rcpt_said = r == 0;
		d->said += r == 0;
	} else if (d->goal == GOAL_SEND && !d->data_said) {
		r = smtp_client_data(&d->hop->client, maild_now());
		d->data_said = r == 0;
	}
	return r;
}

/* Says what can be said now; the answers bring us back. */
static void feed(struct delivery *d)
{
	if (d->hop == NULL || d->text)
		return;
	int r = d->mail_said ? 0 : say_mail(d);
	if (r == 0)
		r = say_recipients(d);
	if (r == 0)
		r = say_rest(d);
	if (r == -EMSGSIZE) {
		struct smtp_reply big = {.code = 552, .enhanced = "5.3.4",
			.text = "the next mail server takes no mail of this size"};
		refused(d, &big);
		return;
	}
	if (r != 0 && r != -EAGAIN) {
		failed(d, MAIL_REASON_NEXT_HOP_GARBAGE);
		return;
	}
	hop_flush(d->hop);
}

static void on_hop(void *arg, struct hop *h, enum mail_reason reason)
{
	struct delivery *d = arg;

	if (h == NULL) {
		d->goal = GOAL_NONE;
		tell(d, DELIVERY_FAILED, NULL, reason);
		return;
	}
	d->hop = h;
	h->on_event = on_event;
	h->arg = d;
	hop_name(h, d->server);
	MSG_TEXT(d->tls, h->tls_text);
	feed(d);
}

static void want(struct delivery *d, enum delivery_goal goal)
{
	d->goal = goal;
	d->since = maild_now();
	d->retried = d->wait.fresh = false;
	if (d->hop != NULL)
		feed(d);
	else
		hop_want(d->m, &d->wait);
}

void delivery_init(struct delivery *d, struct maild *m, enum hop_group group, const struct envelope *e)
{
	*d = (struct delivery){.m = m, .group = group, .envelope = e, .fd = -1, .news = d->news, .arg = d->arg};
	d->wait = (struct hop_wait){.group = group, .done = on_hop, .arg = d};
}

void delivery_mail(struct delivery *d)
{
	want(d, GOAL_MAIL);
}

void delivery_rcpt(struct delivery *d, const struct smtp_rcpt *r)
{
	d->rcpt = r;
	d->rcpt_said = false;
	want(d, GOAL_RCPT);
}

void delivery_send(struct delivery *d, int fd, uint64_t size, const char *head, size_t nhead)
{
	d->fd = fd;
	d->size = size;
	d->head = head;
	d->nhead = nhead;
	want(d, GOAL_SEND);
}

static bool begins_with(const char *p, size_t n, const char *word)
{
	return n >= strlen(word) && strncasecmp(p, word, strlen(word)) == 0;
}

/* The first field of that name in the header; without one the mark is a field of its own, in front of all. */
void delivery_mark_subject(struct delivery *d, int fd, const char *mark)
{
	static char buf[MAIL_HEADER_BYTES];
	static const char word[] = "subject:";
	ssize_t n = pread(fd, buf, sizeof(buf), 0);
	const char *p = buf, *end = buf + (n > 0 ? n : 0);

	while (p != NULL && end - p > 2 && !begins_with(p, (size_t)(end - p), word)) {
		p = memchr(p, '\n', (size_t)(end - p));
		p = p != NULL && end - p > 2 && p[1] != '\r' ? p + 1 : NULL;
	}
	bool found = p != NULL && end - p > (ssize_t)sizeof(word);
	int len = snprintf(d->mark, sizeof(d->mark), found ? " [%s]" : "Subject: [%s]\r\n", mark);
	d->nmark = len > 0 && (size_t)len < sizeof(d->mark) ? (size_t)len : 0;
	d->mark_at = found ? (uint64_t)(p - buf) + sizeof(word) - 1 : 0;
}

void delivery_park(struct delivery *d)
{
	if (d->goal == GOAL_NONE && d->hop != NULL)
		let_go(d, HOP_OPEN);
}

void delivery_end(struct delivery *d)
{
	if (d->m == NULL)
		return;
	bool silent = d->goal == GOAL_NONE; /* the server has answered everything */

	hop_cancel(d->m, &d->wait);
	d->goal = GOAL_NONE;
	let_go(d, silent ? HOP_OPEN : HOP_BROKEN);
}

bool delivery_busy(const struct delivery *d)
{
	return d->goal != GOAL_NONE;
}
