/*
 * main_alarm.c: sekisho-alarm: tells the people in charge by mail (alarm.h has the way of a notice).
 *
 *	sekishod	MSG_ALARM_SETTINGS, _HEALTH, _EVENT, _REPORT; gets MSG_ALARM_STATUS
 *	sekisho-logd	answers MSG_ALARM_ASK with news and digests
 *	sekisho-connect	a connection to the alarm host, and to nothing else
 *
 * Input and trust: replies of the mail server, which may be anybody's; messages of our own processes. It can open no file and
 * no connection, and no name or address of a mynumber host ever comes here: sekishod and sekisho-logd replace them before.
 * Failure: what was not mailed when this process ends is given to the next one; nothing is said to have been mailed that was
 * not. A mail whose answer was lost is sent again, with the same Message-ID.
 */
#include <errno.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/random.h>

#include <sekisho/clock.h>
#include <sekisho/daemon.h>
#include <sekisho/loop.h>

#include "alarm.h"
#include "sender.h"

#define TICK_MS 500
#define STATUS_SLOW 10 /* in TICK_MS: while nothing changes */
#define MESSAGES_A_TURN 64

struct process {
	struct daemon *d;
	uint32_t life, question; /* tags: of this process, of the newest question to sekisho-logd */
	uint32_t news, digest;	 /* tags of the questions whose answers are awaited */
	struct alarm alarm;
	struct sender sender;
	struct msg_alarm_status told;
	unsigned quiet;
	bool failing;
};

/* -- Status ---------------------------------------------------------------------------------------------- */

static void tell_status(struct process *p)
{
	struct msg_alarm_status now;

	alarm_status(&p->alarm, &now);
	if (memcmp(&now, &p->told, sizeof(now)) == 0 && ++p->quiet < STATUS_SLOW)
		return;
	if (msg_send(DAEMON_FD_GATE, MSG_ALARM_STATUS, p->life, &now, NULL, 0) == 0) {
		p->told = now;
		p->quiet = 0;
	}
}

/* -- What alarm.c asks for ------------------------------------------------------------------------------- */

static bool io_send(void *arg, const struct msg_alarm_settings *settings, const char *text, size_t n)
{
	struct process *p = arg;

	return sender_start(&p->sender, settings, text, n);
}

static bool io_ask(void *arg, const struct msg_alarm_ask *q)
{
	struct process *p = arg;

	if (msg_send(DAEMON_FD_ALARM_RECORDS, MSG_ALARM_ASK, ++p->question, q, NULL, 0) != 0)
		return false;
	*(q->what == MSG_ALARM_ASK_NEWS ? &p->news : &p->digest) = p->question;
	return true;
}

static void on_sent(void *arg, uint32_t taken, const char *error)
{
	struct process *p = arg;

	if ((taken == 0) != p->failing)
		daemon_log(taken == 0 ? "alarm mail is not taken: %s" : "alarm mail is taken%s", taken == 0 ? error : "");
	p->failing = taken == 0;
	alarm_ended(&p->alarm, taken, error);
	/* At once: what is not told is mailed again by the next life. */
	tell_status(p);
}

/* -- Messages -------------------------------------------------------------------------------------------- */

static bool take_gate(struct process *p, const struct msg *m)
{
	bool ours = m->tag == p->life;

	switch ((int)m->type) {
	case MSG_ALARM_SETTINGS:
		if (ours)
			alarm_settings(&p->alarm, &m->u.msg_alarm_settings);
		return true;
	case MSG_ALARM_HEALTH:
		if (ours)
			alarm_health(&p->alarm, &m->u.msg_alarm_health);
		return true;
	case MSG_ALARM_EVENT:
		if (ours)
			alarm_event(&p->alarm, &m->u.msg_alarm_event);
		return true;
	case MSG_ALARM_REPORT:
		if (ours)
			alarm_report(&p->alarm, &m->u.msg_alarm_report);
		return true;
	default:
		return false;
	}
}

/* An answer to a question of a former life, or to one that was asked again, is let go. */
static bool take_records(struct process *p, const struct msg *m)
{
	switch ((int)m->type) {
	case MSG_ALARM_NEWS:
		if (m->tag == p->news)
			alarm_news(&p->alarm, &m->u.msg_alarm_news);
		return true;
	case MSG_ALARM_DONE:
		if (m->tag == p->news)
			alarm_done(&p->alarm, &m->u.msg_alarm_done);
		return true;
	case MSG_ALARM_DIGEST:
		if (m->tag == p->digest)
			alarm_digest(&p->alarm, &m->u.msg_alarm_digest);
		return true;
	default:
		return false;
	}
}

static bool take_message(struct process *p, int from, struct msg *m)
{
	if (from == DAEMON_FD_GATE)
		return take_gate(p, m);
	if (from == DAEMON_FD_ALARM_RECORDS)
		return take_records(p, m);
	if (m->type != MSG_MAIL_CONNECTED)
		return false;
	int fd = m->nfds > 0 ? m->fds[0] : -1;
	if (m->nfds > 0)
		m->fds[0] = -1;
	sender_connected(&p->sender, m->tag, &m->u.msg_mail_connected, fd);
	return true;
}

static void on_peer(void *arg, int fd, uint32_t events)
{
	struct process *p = arg;
	struct msg m;
	int r = -EAGAIN;

	(void)events;
	for (unsigned i = 0; i < MESSAGES_A_TURN && (r = msg_recv(fd, &m)) == 1; i++) {
		bool good = take_message(p, fd, &m);
		msg_close_fds(&m);
		if (!good) {
			r = -EPROTO;
			break;
		}
	}
	if (r != 1 && r != -EAGAIN)
		daemon_peer_broken(p->d, MSG_PEER_ALARM);
}

/* -- Life ------------------------------------------------------------------------------------------------ */

static void on_tick(void *arg)
{
	struct process *p = arg;

	sender_tick(&p->sender);
	alarm_tick(&p->alarm);
	tell_status(p);
}

/* A number that no former life had; 0 is what sekishod's own messages had before it heard of us. */
static uint32_t some_number(void)
{
	uint32_t n = 0;

	if (getrandom(&n, sizeof(n), 0) != sizeof(n))
		n = (uint32_t)clock_wall_ns();
	return n != 0 ? n : 1;
}

static int start(struct daemon *d)
{
	static const struct alarm_io io = {.send = io_send, .ask = io_ask};
	static const int peers[] = {DAEMON_FD_GATE, DAEMON_FD_ALARM_RECORDS, DAEMON_FD_ALARM_CALLER};
	struct process *p = d->arg;
	int r = d->handed ? 0 : -ENOTCONN;

	p->d = d;
	p->life = some_number();
	p->question = some_number();
	alarm_init(&p->alarm, &io, p);
	sender_init(&p->sender, d->loop);
	p->sender.done = on_sent;
	p->sender.arg = p;
	for (unsigned i = 0; r == 0 && i < sizeof(peers) / sizeof(peers[0]); i++)
		r = loop_add_fd(d->loop, peers[i], EPOLLIN, on_peer, p);
	if (r == 0 && loop_add_timer(d->loop, TICK_MS, TICK_MS, on_tick, p) == NULL)
		r = -ENOMEM;
	return r;
}

int main(int argc, char **argv)
{
	static const struct daemon_spec spec = {.row = JAIL_ALARM, .start = start};
	static struct process process;

	return daemon_run(&spec, &process, argc, argv);
}
