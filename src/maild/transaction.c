/*
 * transaction.c: what becomes of a mail, from MAIL to the answer to its end.
 *
 *	MAIL, RCPT   judged, then asked of the mail server behind us, whose answer is ours: who is unknown there is refused here
 *	DATA	     into the spool; the mail server's connection is given back when the client is slow
 *	end	     cleaner and verifier; judge; approval, where the judge wants one; ledger (durable); the original's copy;
 *		     delivery
 *	answer	     250 when the mail server said 250 (both, with a copy), else 4xx and the client keeps its mail, or 5xx
 *
 * Nothing is told to anybody before the ledger has it. What is told is the table of mail_reason.h, or what the mail server
 * said, as far as it is printable.
 *
 * Failure: each step that fails ends in transaction_reset(), which takes back whatever is under way; delivery happens at the
 * very end and at most once for each answer.
 */
#include "maild.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

#include <sekisho/mailreport.h>
#include <sekisho/receipt.h>

#include "judging.h"

/* A client that is slower than this has no connection held for it. */
#define PARK_MS 1000

static void deliver(struct session *s);
static void record(struct session *s);

/* -- Answers --------------------------------------------------------------------------------------------- */

void transaction_reset(struct session *s)
{
	ledger_cancel(s->m, &s->ledger);
	job_end(&s->job);
	delivery_end(&s->copy);
	delivery_end(&s->delivery);
	s->copy.m = s->delivery.m = NULL;
	spool_close(s->m, &s->spool);
	envelope_clear(&s->envelope);
	s->rcpt = NULL;
	free(s->report);
	s->report = NULL;
	s->have_report = false;
	s->verdict = 0;
	s->reason = MAIL_REASON_NONE;
	s->detail[0] = '\0';
	s->notes = 0;
	s->nhead = 0;
	s->step = STEP_IDLE;
}

/* A table's sentence to whoever waits; to the town's own servers in Japanese too. With what it is about, and the receipt. */
static void say(struct session *s, enum mail_reason reason)
{
	char text[MAIL_REPLY_MAX], detail[sizeof(s->detail) + 64];
	const char *receipt = s->have_report ? s->view.head->receipt : "";
	bool both = receipt[0] != '\0' && strcmp(s->detail, receipt) != 0;

	snprintf(detail, sizeof(detail), "%s%s%s%s", both ? "receipt " : "", both ? receipt : "",
		both && s->detail[0] != '\0' ? "; " : "", s->detail);
	size_t n = mail_reason_reply(reason, detail, s->way == MAIL_OUT, text);
	smtp_server_reply_lines(&s->server, maild_now(), text, n);
}

/* What the mail server behind us said. */
static void pass_on(struct session *s, const struct smtp_reply *r)
{
	smtp_server_reply(&s->server, maild_now(), r->code, r->enhanced, r->text);
}

static void count(struct session *s, uint32_t verdict)
{
	struct way_counts *c = &s->m->counts[s->way];

	c->refused += verdict == MSG_MAIL_REFUSED;
	c->held += verdict == MSG_MAIL_HELD;
	c->deferred += verdict == MSG_MAIL_DEFERRED;
}

/* -- The ledger's row ------------------------------------------------------------------------------------ */

static void list_recipients(const struct session *s, char *out, size_t size)
{
	struct smtp_rcpt r;
	size_t at = 0, n = 0;

	while (envelope_next(&s->envelope, &at, &r) && n + strlen(r.to.text) + 2 < size)
		n += (size_t)snprintf(out + n, size - n, "%s%s", n > 0 ? " " : "", r.to.text);
}

static void fill_entry(const struct session *s, struct msg_mail_entry *e)
{
	char recipients[MSG_MAIL_RECIPIENTS] = "", meant[ADDR_TEXT_MAX];

	*e = (struct msg_mail_entry){.id = s->id, .at = clock_wall().sec, .verdict = s->verdict, .reason = s->reason,
		.direction = s->way == MAIL_IN ? MSG_MAIL_IN : MSG_MAIL_OUT, .nrecipients = s->envelope.count,
		.size = s->spool.size, .notes = s->notes};
	list_recipients(s, recipients, sizeof(recipients));
	MSG_TEXT(e->client, s->peer_text);
	MSG_TEXT(e->meant, s->meant.family != 0 ? addr_format(&s->meant, meant) : "");
	MSG_TEXT(e->helo, s->server.helo);
	MSG_TEXT(e->sender, s->envelope.mail.from.text);
	MSG_TEXT(e->recipients, recipients);
	MSG_TEXT(e->detail, s->detail);
	MSG_TEXT(e->tls, s->tls_text);
	if (s->spool.sealed)
		memcpy(e->sha256, s->spool.sha256, sizeof(e->sha256));
	if (!s->have_report)
		return;
	MSG_TEXT(e->receipt, s->view.head->receipt);
	if (s->way == MAIL_IN && s->verdict == MSG_MAIL_PASS) {
		memcpy(e->sha256_out, s->job.sha256_out, sizeof(e->sha256_out));
		e->size_out = s->job.bytes_verified;
	} else if (s->verdict == MSG_MAIL_PASS) {
		memcpy(e->sha256_out, e->sha256, sizeof(e->sha256_out));
		e->size_out = s->spool.size;
	}
}

static void outcome(struct session *s, uint32_t result, const struct smtp_reply *r, const struct delivery *d)
{
	struct msg_mail_outcome o = {.id = s->id, .at = clock_wall().sec, .result = result, .code = r != NULL ? r->code : 0};

	MSG_TEXT(o.server, d->server);
	MSG_TEXT(o.tls, d->tls);
	MSG_TEXT(o.text, r != NULL ? r->text : "");
	ledger_outcome(s->m, &o);
}

/* Refused before there was a mail: a row that nobody waits for, some a second at most. */
static void note_refusal(struct session *s, enum mail_reason reason)
{
	struct maild *m = s->m;
	struct msg_mail_entry e;

	if (m->notes == 0)
		return;
	m->notes--;
	s->id = ledger_id(m);
	s->reason = reason;
	s->verdict = mail_reason_smtp(reason) >= 500 ? MSG_MAIL_REFUSED : MSG_MAIL_DEFERRED;
	fill_entry(s, &e);
	if (s->rcpt != NULL)
		MSG_TEXT(e.recipients, s->rcpt->to.text);
	count(s, s->verdict);
	ledger_note(m, &e);
	s->reason = MAIL_REASON_NONE;
	s->verdict = 0;
}

void transaction_injected(struct session *s)
{
	maild_log(s, "STARTTLS: text in clear behind it: closed");
	note_refusal(s, MAIL_REASON_TLS_INJECTED);
}

void transaction_unsecured(struct session *s, uint32_t why)
{
	snprintf(s->detail, sizeof(s->detail), "%s", tls_why_word(why));
	note_refusal(s, MAIL_REASON_TLS_FAILED);
}

/* The end of a mail that is not taken. */
static void finish(struct session *s, uint32_t verdict, enum mail_reason reason)
{
	s->verdict = verdict;
	s->reason = reason;
	record(s);
}

static void on_recorded(void *arg, int result)
{
	struct session *s = arg;

	if (result != 0) {
		say(s, MAIL_REASON_LEDGER_FAILED);
		transaction_reset(s);
	} else if (s->verdict == MSG_MAIL_PASS) {
		deliver(s);
	} else {
		count(s, s->verdict);
		say(s, s->reason);
		transaction_reset(s);
	}
	session_go_on(s);
}

static void record(struct session *s)
{
	struct msg_mail_entry e;

	s->step = STEP_RECORD;
	s->id = ledger_id(s->m);
	s->ledger = (struct ledger_wait){.done = on_recorded, .arg = s};
	fill_entry(s, &e);
	ledger_enter(s->m, &s->ledger, &e, s->have_report ? s->job.report : -1);
}

/* -- Delivery -------------------------------------------------------------------------------------------- */

static void delivered(struct session *s, const struct smtp_reply *r)
{
	struct way_counts *c = &s->m->counts[s->way];
	char text[160];

	(void)r;
	c->delivered++;
	c->last = clock_wall().sec;
	c->bytes_in += s->spool.size;
	c->bytes_out += s->way == MAIL_IN ? s->job.bytes_verified : s->spool.size;
	snprintf(text, sizeof(text), "delivered, receipt %s", s->view.head->receipt);
	smtp_server_reply(&s->server, maild_now(), 250, "2.0.0", text);
}

/* One of the two deliveries failed, or its server said no. */
static void not_delivered(struct session *s, const struct delivery *d, const struct smtp_reply *r, enum mail_reason reason)
{
	bool final = r != NULL && r->code >= 500 && reason == MAIL_REASON_NEXT_HOP_REFUSED;
	bool copy = d == &s->copy;

	outcome(s, d->doubt ? MSG_MAIL_UNKNOWN : final ? MSG_MAIL_REJECTED : MSG_MAIL_POSTPONED, r, d);
	count(s, final && !copy ? MSG_MAIL_REFUSED : MSG_MAIL_DEFERRED);
	if (copy)
		say(s, MAIL_REASON_COPY_FAILED); /* the mail itself is all right: never 5xx */
	else if (r != NULL && reason != MAIL_REASON_NEXT_HOP_DOWN)
		pass_on(s, r);
	else
		say(s, reason);
}

static void on_copy(void *arg, enum delivery_news news, const struct smtp_reply *r, enum mail_reason reason)
{
	struct session *s = arg;

	if (news == DELIVERY_SENT) {
		s->copied = true;
		deliver(s);
	} else {
		not_delivered(s, &s->copy, r, reason);
		transaction_reset(s);
	}
	session_go_on(s);
}

static void on_final(struct session *s, enum delivery_news news, const struct smtp_reply *r, enum mail_reason reason)
{
	if (news == DELIVERY_SENT) {
		outcome(s, MSG_MAIL_DELIVERED, r, &s->delivery);
		delivered(s, r);
	} else {
		not_delivered(s, &s->delivery, r, reason);
	}
	transaction_reset(s);
}

static void send_copy(struct session *s)
{
	s->step = STEP_COPY;
	s->copy.news = on_copy;
	s->copy.arg = s;
	delivery_init(&s->copy, s->m, HOP_ORIGINAL, &s->envelope);
	delivery_mark_subject(&s->copy, s->spool.fd, s->view.head->receipt);
	delivery_send(&s->copy, s->spool.fd, s->spool.size, s->head, s->nhead);
}

static void deliver(struct session *s)
{
	if (s->way == MAIL_IN && s->policy->way[MAIL_IN]->original_copied && !s->copied) {
		send_copy(s);
		return;
	}
	s->step = STEP_DELIVER;
	if (s->way == MAIL_IN)
		delivery_send(&s->delivery, s->job.out, s->job.bytes_verified, NULL, 0);
	else
		delivery_send(&s->delivery, s->spool.fd, s->spool.size, s->head, s->nhead);
}

/* -- Judgement ------------------------------------------------------------------------------------------- */

static void on_approval(void *arg, int result)
{
	struct session *s = arg;

	if (result == 0)
		finish(s, judging_mail(s, true), s->reason);
	else if (result == -EACCES)
		finish(s, MSG_MAIL_HELD, MAIL_REASON_HELD);
	else
		finish(s, MSG_MAIL_DEFERRED, MAIL_REASON_LEDGER_FAILED);
	session_go_on(s);
}

static void ask_approval(struct session *s)
{
	struct msg_mail_ask q = {.id = ledger_id(s->m), .direction = s->way == MAIL_IN ? MSG_MAIL_IN : MSG_MAIL_OUT};

	MSG_TEXT(q.receipt, s->view.head->receipt);
	memcpy(q.sha256, s->spool.sha256, sizeof(q.sha256));
	s->step = STEP_ASK;
	s->ledger = (struct ledger_wait){.done = on_approval, .arg = s};
	ledger_ask(s->m, &s->ledger, &q);
}

/* A report is of the mail that was given: its hash and receipt number are ours, whatever the cleaner read. */
static bool is_of_mail(const struct session *s)
{
	char receipt[RECEIPT_TEXT];

	receipt_number(s->spool.sha256, receipt);
	return memcmp(s->view.head->sha256_in, s->spool.sha256, sizeof(s->spool.sha256)) == 0 &&
	       strcmp(s->view.head->receipt, receipt) == 0;
}

/* The cleaner's report: foreign, and checked as such. */
static bool read_report(struct session *s)
{
	struct stat st;

	if (s->job.report < 0 || !memfd_is_sealed(s->job.report) || fstat(s->job.report, &st) != 0 || st.st_size <= 0 ||
		(uint64_t)st.st_size > MAILREPORT_MAX)
		return false;
	s->report = malloc((size_t)st.st_size);
	if (s->report == NULL || pread(s->job.report, s->report, (size_t)st.st_size, 0) != st.st_size)
		return false;
	s->have_report = mailreport_open(s->report, (size_t)st.st_size, &s->view) == 0 && is_of_mail(s);
	return s->have_report;
}

/* Inbound nothing leaves that the verifier has not agreed to, whatever the cleaner says: it may have been taken over. */
static bool may_leave(const struct session *s)
{
	return s->way == MAIL_OUT || s->job.agreed || (s->have_report && s->view.head->reason != MAIL_REASON_NONE);
}

static void on_job(void *arg, struct job *j, enum mail_reason reason)
{
	struct session *s = arg;

	(void)j;
	if (s->job.report >= 0 && !read_report(s))
		reason = MAIL_REASON_WORKER_FAILED;
	else if (reason == MAIL_REASON_NONE && !may_leave(s))
		reason = MAIL_REASON_WORKER_FAILED;
	if (reason == MAIL_REASON_NONE || (s->have_report && s->view.head->reason != MAIL_REASON_NONE)) {
		uint32_t verdict = judging_mail(s, false);
		if (verdict == MSG_MAIL_HELD)
			ask_approval(s);
		else
			finish(s, verdict, s->reason);
	} else {
		finish(s, mail_reason_smtp(reason) >= 500 ? MSG_MAIL_REFUSED : MSG_MAIL_DEFERRED, reason);
	}
	session_go_on(s);
}

/* -- From the client ------------------------------------------------------------------------------------- */

static void on_news(void *arg, enum delivery_news news, const struct smtp_reply *r, enum mail_reason reason)
{
	struct session *s = arg;

	switch (s->step) {
	case STEP_MAIL:
		s->step = news == DELIVERY_OPENED ? STEP_OPEN : STEP_IDLE;
		if (news == DELIVERY_OPENED)
			smtp_server_accept(&s->server, maild_now());
		break;
	case STEP_RCPT:
		s->step = STEP_OPEN;
		if (news == DELIVERY_RCPT && envelope_add(&s->envelope, s->rcpt) == 0) {
			judging_rcpt_taken(s, s->rcpt);
			smtp_server_accept(&s->server, maild_now());
		} else if (news == DELIVERY_RCPT) {
			say(s, MAIL_REASON_TOO_MANY_RECIPIENTS);
		}
		s->rcpt = NULL;
		break;
	case STEP_DELIVER:
		on_final(s, news, r, reason);
		session_go_on(s);
		return;
	default:
		return;
	}
	if (news == DELIVERY_REFUSED)
		pass_on(s, r);
	else if (news == DELIVERY_FAILED)
		say(s, reason);
	if (s->step == STEP_IDLE)
		transaction_reset(s);
	session_go_on(s);
}

enum mail_reason transaction_greet(struct session *s)
{
	if (s->m->draining)
		return MAIL_REASON_CLOSING;
	if (s->policy == NULL || s->policy->way[s->way] == NULL)
		return MAIL_REASON_NO_POLICY;
	if (session_is_cut(s))
		return MAIL_REASON_CUT;
	if (s->meant.family != 0 && ir_mail_turned(&s->policy->ir, &s->meant) != s->policy->way[s->way])
		return MAIL_REASON_NO_SUCH_SERVER;
	return judging_client(s);
}

/* Each mail is judged by the policy that is in force when it begins. */
static void renew_policy(struct session *s)
{
	if (s->policy == s->m->policy)
		return;
	policy_free(s->policy);
	s->policy = policy_use(s->m->policy);
}

void transaction_mail(struct session *s)
{
	enum mail_reason reason;
	struct smtp_mail mail = s->envelope.mail;

	transaction_reset(s);
	s->envelope.mail = mail;
	renew_policy(s);
	reason = transaction_greet(s);
	if (reason == MAIL_REASON_NONE)
		reason = judging_sender(s);
	if (reason != MAIL_REASON_NONE) {
		note_refusal(s, reason);
		say(s, reason);
		transaction_reset(s);
		return;
	}
	s->step = STEP_MAIL;
	s->copied = false;
	s->delivery.news = on_news;
	s->delivery.arg = s;
	delivery_init(&s->delivery, s->m, s->way == MAIL_IN ? HOP_IN : HOP_OUT, &s->envelope);
	s->delivery.wait.server = s->meant;
	delivery_mail(&s->delivery);
}

void transaction_rcpt(struct session *s, const struct smtp_rcpt *r)
{
	s->rcpt = r;
	enum mail_reason reason = judging_rcpt(s, r);
	if (reason != MAIL_REASON_NONE) {
		note_refusal(s, reason);
		say(s, reason);
		s->rcpt = NULL;
		return;
	}
	s->step = STEP_RCPT;
	delivery_rcpt(&s->delivery, r);
}

/* Whoever reads it later: when, from whom, by whom. */
static void write_head(struct session *s)
{
	char date[64];
	time_t now = (time_t)clock_wall().sec;
	struct tm tm;

	gmtime_r(&now, &tm);
	strftime(date, sizeof(date), "%a, %d %b %Y %H:%M:%S +0000", &tm);
	/* RFC 3848 has the word for TLS; what it was stands in a comment. */
	bool tls = s->tls_text[0] != '\0';
	int n = snprintf(s->head, sizeof(s->head), "Received: from %s ([%s%s])\r\n%s%s%s\tby %s (sekisho) with %s%s; %s\r\n",
		s->server.helo, s->peer.family == 6 ? "IPv6:" : "", s->peer_text, tls ? "\t(using " : "", s->tls_text,
		tls ? ")\r\n" : "", s->policy->hostname, s->server.esmtp ? "ESMTP" : "SMTP", tls ? "S" : "", date);
	s->nhead = n > 0 && (size_t)n < sizeof(s->head) ? (size_t)n : 0;
}

void transaction_data(struct session *s)
{
	if (spool_open(s->m, &s->spool) != 0) {
		say(s, MAIL_REASON_NO_SPACE);
		transaction_reset(s);
		return;
	}
	s->step = STEP_DATA;
	s->delivery.since = maild_now();
	write_head(s);
	smtp_server_accept(&s->server, maild_now());
}

void transaction_bytes(struct session *s, const uint8_t *p, size_t n)
{
	if (s->step == STEP_DATA)
		spool_write(s, &s->spool, p, n);
}

/* The machine has answered already. */
static void end_refused(struct session *s, const struct smtp_event *e)
{
	enum mail_reason reason = e->why == SMTP_WHY_SIZE ? MAIL_REASON_TOO_BIG
		: e->why == SMTP_WHY_LONG_LINE ? MAIL_REASON_LIMIT_LINE
		: MAIL_REASON_SMUGGLING;

	snprintf(s->detail, sizeof(s->detail), "%s", smtp_why_word(e->why));
	note_refusal(s, reason);
	transaction_reset(s);
}

static void fill_job(struct session *s)
{
	const struct ir_mail *way = s->policy->way[s->way];
	struct msg_mail_job *q = &s->job.question;

	s->job.mail = s->spool.fd;
	s->job.domains = s->policy->domains;
	s->job.done = on_job;
	s->job.arg = s;
	*q = (struct msg_mail_job){.direction = s->way == MAIL_IN ? MSG_MAIL_IN : MSG_MAIL_OUT, .english = way->english,
		.attachment_text = way->attachment_text, .private_use = way->private_use,
		.original = way->original_copied ? MSG_MAIL_ORIGINAL_COPIED : MSG_MAIL_ORIGINAL_UPSTREAM};
	memcpy(q->sha256, s->spool.sha256, sizeof(q->sha256));
	MSG_TEXT(q->hostname, s->policy->hostname);
	MSG_TEXT(q->trace, s->policy->hostname);
	MSG_TEXT(q->authserv, ir_text(&s->policy->ir, way->authserv));
	MSG_TEXT(q->sender, s->envelope.mail.from.text);
	for (uint32_t i = 0; i < s->policy->ir.nlabels && i < MSG_MAIL_LABELS; i++)
		MSG_TEXT(q->label[i], ir_text(&s->policy->ir, s->policy->ir.labels[i].text));
}

void transaction_end(struct session *s, const struct smtp_event *e)
{
	if (e->why != SMTP_WHY_NONE) {
		end_refused(s, e);
		return;
	}
	if (s->spool.full || spool_seal(&s->spool) != 0) {
		say(s, s->spool.full ? s->spool.reason : MAIL_REASON_WORKER_FAILED);
		transaction_reset(s);
		return;
	}
	s->step = STEP_WORK;
	fill_job(s);
	job_start(s->m, &s->job);
}

void transaction_tick(struct session *s, int64_t now)
{
	bool waits = s->step == STEP_OPEN || s->step == STEP_DATA || s->step == STEP_WORK;

	if (waits && s->delivery.hop != NULL && now - s->delivery.since > PARK_MS)
		delivery_park(&s->delivery);
}
