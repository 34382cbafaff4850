/*
 * main_maild.c: sekisho-maild: the mail gate: takes mail, has it cleaned and verified, and hands it on (maild.h has the way).
 *
 *	sekisho-init	MSG_MAIL_LISTENER: what to listen on
 *	sekishod	MSG_GENERATION, MSG_MAIL_COMMAND; gets MSG_MAIL_STATUS
 *	sekisho-connect	connections to mail servers
 *	zygotes		a cleaner and a verifier for each mail
 *	sekisho-logd	the ledger
 *	sekisho-tls	connections that are encrypted, and come back in clear (tls.c)
 *
 * Input and trust: SMTP of anybody; replies of mail servers; reports of workers that read hostile mail. It can open no file and
 * no connection. Failure: whatever ends this process, mail under way stays with its sender; nobody listens until it is back.
 * In order (SIGTERM): mails under way are finished, for DRAIN_MS at most; everybody else hears 421.
 */
#include "maild.h"

#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <sys/epoll.h>

#include <sekisho/i18n.h>
#include <sekisho/loop.h>

#include "judging.h"

#define TICK_MS 250
#define STATUS_MS 500
#define STATUS_SLOW 10 /* in STATUS_MS: while nothing changes */
#define DRAIN_MS 4000
#define MESSAGES_A_TURN 64
#define NOTES_A_SECOND 20

/* -- Status ---------------------------------------------------------------------------------------------- */

static void fill_way(const struct maild *m, enum mail_direction way, struct msg_mail_way *ret)
{
	const struct way_counts *c = &m->counts[way];

	*ret = (struct msg_mail_way){.configured = m->policy != NULL && m->policy->way[way] != NULL, .sessions = m->nways[way],
		.connections = c->connections, .delivered = c->delivered, .refused = c->refused, .held = c->held,
		.deferred = c->deferred, .bytes_in = c->bytes_in, .bytes_out = c->bytes_out, .last = c->last,
		.flood = judging_flood(m, way)};
	for (unsigned i = 0; i < m->nlisteners; i++) {
		const struct msg_mail_address *a = &m->listeners[i].address;
		bool turned = a->transparent && ret->configured && m->policy->way[way]->transparent;
		ret->listening += turned || a->direction == (way == MAIL_IN ? MSG_MAIL_IN : MSG_MAIL_OUT);
	}
	hop_health(m, way == MAIL_IN ? HOP_IN : HOP_OUT, &ret->hops, &ret->hops_well);
}

static void fill_status(const struct maild *m, struct msg_mail_status *s)
{
	*s = (struct msg_mail_status){.generation = m->policy != NULL ? m->policy->number : 0, .sessions = m->nsessions,
		.sessions_max = MAILD_SESSIONS, .listeners = m->nlisteners, .workers_failed = m->workers_failed,
		.ledger_failed = m->ledger_failed, .memory_now = m->spooled};
	for (unsigned w = 0; w < MAILD_WAYS; w++)
		fill_way(m, (enum mail_direction)w, &s->way[w]);
}

static void say_status(const struct maild *m)
{
	struct msg_mail_status now;

	fill_status(m, &now);
	/* Who does not take it now has the next one. */
	if (msg_send(DAEMON_FD_GATE, MSG_MAIL_STATUS, 0, &now, NULL, 0) != 0)
		return;
}

static void on_status(void *arg)
{
	static struct msg_mail_status last;
	static unsigned quiet;
	struct maild *m = arg;
	struct msg_mail_status now;

	fill_status(m, &now);
	if (memcmp(&now, &last, sizeof(now)) == 0 && ++quiet < STATUS_SLOW)
		return;
	/* What is not taken now is made up for by the next. */
	if (msg_send(DAEMON_FD_GATE, MSG_MAIL_STATUS, 0, &now, NULL, 0) == 0) {
		last = now;
		quiet = 0;
	}
}

/* -- Messages -------------------------------------------------------------------------------------------- */

/* The language of refusals to the town's own servers. */
static void speak(const struct policy *p)
{
	const struct ir_mail *way = p->way[MAIL_OUT];

	i18n_init(way != NULL && way->english == 0 ? "ja" : "en");
}

static void take_generation(struct maild *m, const struct msg *got, int fd)
{
	const char *error = NULL;

	if (m->policy != NULL && m->policy->number == got->u.msg_generation.number) {
		msg_close_fd(fd);
		return;
	}
	struct policy *p = policy_new(got->u.msg_generation.number, fd, &error);
	if (p == NULL) {
		daemon_log("generation %u: %s", got->u.msg_generation.number, error);
		return;
	}
	policy_free(m->policy);
	m->policy = p;
	speak(p);
	hop_policy(m);
	session_policy(m);
	judging_policy(m);
	on_status(m);
}

static bool take_message(struct maild *m, int from, struct msg *got)
{
	int fd = got->nfds > 0 ? got->fds[0] : -1;

	if (from == DAEMON_FD_MAIL_CALLER) {
		if (got->type != MSG_MAIL_CONNECTED)
			return false;
		got->fds[0] = -1;
		hop_connected(m, got, fd);
		return true;
	}
	switch ((int)got->type) {
	case MSG_GENERATION:
		got->fds[0] = -1;
		take_generation(m, got, fd);
		return true;
	case MSG_CUTS:
		if (!cut_take(m, fd))
			return false;
		say_status(m); /* sekishod waits for it */
		return true;
	case MSG_MAIL_COMMAND:
		judging_command(m, &got->u.msg_mail_command);
		return true;
	default:
		return false;
	}
}

static void on_peer(void *arg, int fd, uint32_t events)
{
	struct maild *m = arg;
	struct msg got;
	int r = -EAGAIN;

	(void)events;
	for (unsigned i = 0; i < MESSAGES_A_TURN && (r = msg_recv(fd, &got)) == 1; i++) {
		bool good = take_message(m, fd, &got);
		msg_close_fds(&got);
		if (!good) {
			r = -EPROTO;
			break;
		}
	}
	if (r != 1 && r != -EAGAIN)
		daemon_peer_broken(m->d, MSG_PEER_MAIL);
}

static void on_notice(struct daemon *d, const struct msg *got)
{
	if (got->type != MSG_MAIL_LISTENER)
		return;
	/* The message's own is closed behind us. */
	int fd = got->nfds > 0 ? fcntl(got->fds[0], F_DUPFD_CLOEXEC, 0) : -1;
	listen_take(d->arg, &got->u.msg_mail_listener, fd);
	on_status(d->arg);
}

/* -- Life ------------------------------------------------------------------------------------------------ */

static void on_tick(void *arg)
{
	static unsigned turn;
	struct maild *m = arg;
	int64_t now = maild_now();

	if (turn++ % (1000 / TICK_MS) == 0)
		m->notes = NOTES_A_SECOND;
	session_tick(m, now);
	hop_tick(m, now);
	job_tick(m, now);
	ledger_tick(m, now);
	tls_tick(m, now);
	if (m->draining && m->sessions == NULL)
		loop_stop(m->d->loop, 0);
}

static int start(struct daemon *d)
{
	struct maild *m = d->arg;
	int r = d->handed ? 0 : -ENOTCONN;

	m->d = d;
	m->notes = NOTES_A_SECOND;
	hop_start(m);
	if (r == 0)
		r = judging_start(m);
	if (r == 0)
		r = loop_add_fd(d->loop, DAEMON_FD_GATE, EPOLLIN, on_peer, m);
	if (r == 0)
		r = loop_add_fd(d->loop, DAEMON_FD_MAIL_CALLER, EPOLLIN, on_peer, m);
	if (r == 0)
		r = ledger_start(m);
	if (r == 0)
		r = tls_begin(m);
	if (r == 0)
		r = job_init(m);
	if (r == 0 && (loop_add_timer(d->loop, TICK_MS, TICK_MS, on_tick, m) == NULL ||
			      loop_add_timer(d->loop, STATUS_MS, STATUS_MS, on_status, m) == NULL))
		r = -ENOMEM;
	return r;
}

static void on_drained(void *arg)
{
	struct maild *m = arg;

	loop_stop(m->d->loop, 0);
}

/* The loop once more, for what is under way. */
static void stop(struct daemon *d)
{
	struct maild *m = d->arg;

	m->draining = true;
	listen_take(m, &(struct msg_mail_listener){0}, -1);
	session_stop(m);
	if (m->sessions != NULL && loop_add_timer(d->loop, DRAIN_MS, 0, on_drained, m) != NULL)
		loop_run(d->loop);
}

int main(int argc, char **argv)
{
	static const struct daemon_spec spec = {.row = JAIL_MAIL, .start = start, .notice = on_notice, .stop = stop};
	static struct maild maild;

	return daemon_run(&spec, &maild, argc, argv);
}
