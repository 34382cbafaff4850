/*
 * recorder.c: the thread that owns the store (see recorder.h).
 *
 * Shared with the main thread: the queue and the status, each touched under the lock and never for long; and the
 * intake, which has its own locks. Everything else belongs to this thread.
 * Limits: QUEUE_MAX messages; of COUNTERS and LINKS only the newest waits.
 */
#include "recorder.h"

#include <errno.h>
#include <pthread.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/eventfd.h>
#include <unistd.h>

#include <sekisho/clock.h>
#include <sekisho/daemon.h>
#include <sekisho/loop.h>

#include "alarms.h"
#include "client.h"
#include "digest.h"
#include "evidence.h"
#include "mailbook.h"
#include "names.h"
#include "passbook.h"

#define QUEUE_MAX 256
#define TICK_MS 1000
#define SECOND INT64_C(1000000000)

struct entry {
	struct msg *msg;
	int64_t arrived_ns;
};

struct recorder {
	pthread_t thread;
	pthread_mutex_t lock;
	/* under the lock */
	struct entry queue[QUEUE_MAX];
	unsigned n;
	uint64_t faults_lost;
	bool stop, ticked;
	struct msg_log_status status;
	struct msg_alarms alarms_now;
	bool alarms_changed;
	int64_t ticked_ns; /* the last tick's end, or the start */
	/* this thread's */
	int wake;
	struct loop *loop;
	struct loop_timer *tick;
	struct intake *intake;
	struct names *names;
	struct writer *writer;
	struct clients *clients;
	struct mailbook *mail;
	struct passbook *passed;
	struct digest *digest;
	struct alarms *alarms;
};

/* -- The main thread's side ---------------------------------------------------------------------------------- */

static void let_go(struct msg *m)
{
	msg_close_fds(m);
	free(m);
}

/* Replaces a waiting message of the same type. */
static bool replace(struct recorder *r, struct msg *m, int64_t now)
{
	for (unsigned i = 0; i < r->n; i++) {
		if (r->queue[i].msg->type == m->type) {
			let_go(r->queue[i].msg);
			r->queue[i] = (struct entry){m, now};
			return true;
		}
	}
	return false;
}

static bool enqueue(struct recorder *r, struct msg *m)
{
	int64_t now = clock_mono().ns;
	bool newest_counts = m->type == MSG_COUNTERS || m->type == MSG_LINKS;

	if (newest_counts && replace(r, m, now))
		return true;
	if (r->n == QUEUE_MAX) {
		if (m->type == MSG_FAULT || m->type == MSG_WORK || m->type == MSG_LOGIN)
			r->faults_lost++;
		return false;
	}
	r->queue[r->n++] = (struct entry){m, now};
	return true;
}

static void wake(struct recorder *r)
{
	uint64_t one = 1;

	/* A counter that is full wakes as well. */
	if (write(r->wake, &one, sizeof(one)) < 0)
		return;
}

void recorder_give(struct recorder *r, struct msg *m)
{
	struct msg *copy = malloc(sizeof(*copy));

	if (copy == NULL) {
		msg_close_fds(m);
		return;
	}
	*copy = *m;
	pthread_mutex_lock(&r->lock);
	bool taken = enqueue(r, copy);
	pthread_mutex_unlock(&r->lock);
	if (!taken)
		let_go(copy);
	wake(r);
}

bool recorder_status(struct recorder *r, struct msg_log_status *ret)
{
	pthread_mutex_lock(&r->lock);
	bool hung = clock_mono().ns - r->ticked_ns > RECORDER_HUNG_S * SECOND;
	bool known = r->ticked || hung;
	*ret = r->status;
	if (hung)
		ret->writable = 0;
	pthread_mutex_unlock(&r->lock);
	return known;
}

bool recorder_alarms(struct recorder *r, struct msg_alarms *ret)
{
	pthread_mutex_lock(&r->lock);
	bool changed = r->alarms_changed;
	r->alarms_changed = false;
	*ret = r->alarms_now;
	pthread_mutex_unlock(&r->lock);
	return changed;
}

/* -- The thread ---------------------------------------------------------------------------------------------- */

static void take_generation(struct recorder *r, struct msg *m)
{
	const struct msg_generation *g = &m->u.msg_generation;
	struct msg_fault f = {.severity = MSG_SEVERITY_FAULT, .at = clock_wall().sec};
	const char *wrong = names_policy(r->names, g->number, m->fds[0]);

	/* Only now, so that a window's generation is one whose names are known here. */
	intake_generation(r->intake, g->number);
	passbook_tick(r->passed, true);
	writer_commit(r->writer, g);
	if (names_thresholds(r->names) != NULL)
		alarms_thresholds(r->alarms, names_thresholds(r->names));
	if (wrong == NULL)
		return;
	MSG_TEXT(f.process, "sekisho-logd");
	MSG_TEXT(f.code, "policy-unreadable");
	MSG_TEXT(f.text, wrong);
	writer_fault(r->writer, &f);
}

/* sekishod waits for the answer, not for us: what it does not take now it does without. */
static void give_evidence(struct recorder *r, const struct msg *m)
{
	struct msg_evidence_done done;

	evidence_make(writer_store(r->writer), r->intake, &m->u.msg_evidence, m->fds, &done);
	if (msg_send(DAEMON_FD_GATE, MSG_EVIDENCE_DONE, m->tag, &done, NULL, 0) != 0)
		daemon_log("sekishod does not take the answer to a freeze");
}

static void take(struct recorder *r, struct msg *m, int64_t arrived_ns)
{
	switch (m->type) {
	case MSG_GENERATION:
		take_generation(r, m);
		break;
	case MSG_LINKS:
		names_links(r->names, &m->u.msg_links);
		break;
	case MSG_COUNTERS:
		writer_counters(r->writer, &m->u.msg_counters, arrived_ns);
		break;
	case MSG_FAULT:
		writer_fault(r->writer, &m->u.msg_fault);
		break;
	case MSG_WORK:
		writer_work(r->writer, &m->u.msg_work);
		break;
	case MSG_LOGIN:
		writer_login(r->writer, &m->u.msg_login);
		break;
	case MSG_MAIL_ENTRY:
	case MSG_MAIL_OUTCOME:
	case MSG_MAIL_ASK:
		mailbook_take(r->mail, m);
		break;
	case MSG_ALARM_ASK:
		digest_ask(r->digest, m->tag, &m->u.msg_alarm_ask);
		break;
	case MSG_EVIDENCE:
		give_evidence(r, m);
		break;
	case MSG_HOLD:
		writer_hold(r->writer, m->u.msg_hold.since);
		break;
	case MSG_CLIENT:
		clients_add(r->clients, m->fds[0], &m->u.msg_client);
		m->fds[0] = -1;
		m->nfds = 0;
		break;
	default:
		break;
	}
}

static bool drain(struct recorder *r)
{
	struct entry e;
	bool stop;

	for (;;) {
		pthread_mutex_lock(&r->lock);
		bool any = r->n != 0;
		if (any) {
			e = r->queue[0];
			memmove(r->queue, r->queue + 1, --r->n * sizeof(r->queue[0]));
		}
		stop = r->stop;
		pthread_mutex_unlock(&r->lock);
		if (!any) {
			mailbook_settle(r->mail);
			return stop;
		}
		take(r, e.msg, e.arrived_ns);
		let_go(e.msg);
	}
}

static void tell_faults_lost(struct recorder *r)
{
	struct msg_fault f = {.severity = MSG_SEVERITY_FAULT, .at = clock_wall().sec};

	pthread_mutex_lock(&r->lock);
	uint64_t lost = r->faults_lost;
	r->faults_lost = 0;
	pthread_mutex_unlock(&r->lock);
	if (lost == 0)
		return;
	MSG_TEXT(f.process, "sekisho-logd");
	MSG_TEXT(f.code, "faults-lost");
	MSG_TEXT(f.text, "faults came faster than they could be recorded");
	writer_fault(r->writer, &f);
}

static void tell_mail(struct recorder *r)
{
	struct msg_fault f = {.severity = MSG_SEVERITY_FAULT, .at = clock_wall().sec};
	char note[128];

	mailbook_note(r->mail, note);
	if (note[0] == '\0')
		return;
	MSG_TEXT(f.process, "sekisho-logd");
	MSG_TEXT(f.code, "mail-ledger");
	MSG_TEXT(f.text, note);
	writer_fault(r->writer, &f);
}

static void tell_passed(struct recorder *r)
{
	struct msg_fault f = {.severity = MSG_SEVERITY_FAULT, .at = clock_wall().sec};
	char note[128];

	passbook_note(r->passed, note);
	if (note[0] == '\0')
		return;
	MSG_TEXT(f.process, "sekisho-logd");
	MSG_TEXT(f.code, "admissions");
	MSG_TEXT(f.text, note);
	writer_fault(r->writer, &f);
}

static void on_seen(void *arg, const struct agg_item *items, size_t n)
{
	struct recorder *r = arg;
	struct alarm_event e;

	for (size_t i = 0; i < n; i++) {
		if (!names_alarm(r->names, &items[i].window, &e))
			continue;
		e.count = items[i].delta;
		alarms_add(r->alarms, &e);
	}
}

/* Under the lock. */
static void look_at_alarms(struct recorder *r)
{
	struct msg_alarms now;

	if (alarms_state(r->alarms, &now)) {
		r->alarms_now = now;
		r->alarms_changed = true;
	}
}

static void on_tick(void *arg)
{
	struct recorder *r = arg;
	struct msg_log_status status;

	drain(r);
	tell_faults_lost(r);
	tell_mail(r);
	tell_passed(r);
	bool changed = writer_tick(r->writer);
	/* Behind the drops, which come first. */
	passbook_tick(r->passed, false);
	writer_status(r->writer, &status);
	alarms_tick(r->alarms, clock_wall().sec);
	pthread_mutex_lock(&r->lock);
	look_at_alarms(r);
	r->status = status;
	r->ticked = true;
	r->ticked_ns = clock_mono().ns;
	pthread_mutex_unlock(&r->lock);
	if (changed)
		clients_wake(r->clients);
}

static void on_wake(void *arg, int fd, uint32_t events)
{
	struct recorder *r = arg;
	uint64_t n;

	(void)events;
	if (read(fd, &n, sizeof(n)) < 0)
		return;
	if (drain(r))
		loop_stop(r->loop, 0);
}

static void *run(void *arg)
{
	struct recorder *r = arg;

	on_tick(r);
	loop_run(r->loop);
	on_tick(r);
	return NULL;
}

/* -- Life ---------------------------------------------------------------------------------------------------- */

static void discard(struct recorder *r)
{
	for (unsigned i = 0; i < r->n; i++)
		let_go(r->queue[i].msg);
	clients_free(r->clients);
	digest_free(r->digest);
	loop_del_timer(r->tick);
	loop_free(r->loop);
	mailbook_free(r->mail);
	passbook_free(r->passed);
	alarms_free(r->alarms);
	writer_free(r->writer);
	names_free(r->names);
	if (r->wake >= 0)
		close(r->wake);
	pthread_mutex_destroy(&r->lock);
	free(r);
}

static int prepare_digest(struct recorder *r, int fd)
{
	const struct digest_sources from = {.loop = r->loop, .writer = r->writer, .names = r->names, .mail = r->mail, .fd = fd};

	r->digest = digest_new(&from);
	return r->digest != NULL ? 0 : -ENOMEM;
}

static int prepare(struct recorder *r, const struct writer_options *o, struct passing *passing,
	const struct recorder_sockets *sockets)
{
	r->wake = eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK);
	r->loop = loop_new();
	r->names = names_new();
	if (r->wake < 0 || r->loop == NULL || r->names == NULL)
		return -ENOMEM;
	r->alarms = alarms_new();
	if (r->alarms == NULL)
		return -ENOMEM;
	struct writer_options options = *o;
	options.seen = on_seen;
	options.seen_arg = r;
	r->writer = writer_new(&options, r->intake, r->names);
	if (r->writer == NULL)
		return -ENOMEM;
	r->mail = mailbook_new(o->store.dir, sockets->mail);
	if (r->mail == NULL)
		return -ENOMEM;
	r->passed = passbook_new(o->store.dir, passing, r->names);
	if (r->passed == NULL)
		return -ENOMEM;
	r->clients = clients_new(r->loop, r->writer, r->mail, r->passed);
	r->tick = loop_add_timer(r->loop, TICK_MS, TICK_MS, on_tick, r);
	if (r->clients == NULL || r->tick == NULL || prepare_digest(r, sockets->alarm) != 0)
		return -ENOMEM;
	return loop_add_fd(r->loop, r->wake, EPOLLIN, on_wake, r);
}

int recorder_start(struct recorder **ret, const struct writer_options *o, struct intake *in, struct passing *passing,
	const struct recorder_sockets *sockets)
{
	static const struct recorder_sockets nobody = {-1, -1};
	struct recorder *r = calloc(1, sizeof(*r));
	sigset_t all, old;

	if (r == NULL)
		return -ENOMEM;
	r->wake = -1;
	r->intake = in;
	r->ticked_ns = clock_mono().ns;
	pthread_mutex_init(&r->lock, NULL);
	int e = prepare(r, o, passing, sockets != NULL ? sockets : &nobody);
	/* Signals are the main thread's. */
	sigfillset(&all);
	pthread_sigmask(SIG_SETMASK, &all, &old);
	if (e == 0)
		e = -pthread_create(&r->thread, NULL, run, r);
	pthread_sigmask(SIG_SETMASK, &old, NULL);
	if (e != 0) {
		discard(r);
		return e;
	}
	*ret = r;
	return 0;
}

void recorder_stop(struct recorder *r)
{
	if (r == NULL)
		return;
	pthread_mutex_lock(&r->lock);
	r->stop = true;
	pthread_mutex_unlock(&r->lock);
	wake(r);
	pthread_join(r->thread, NULL);
	discard(r);
}
