/*
 * main_logd.c: sekisho-logd, who writes down every drop.
 *
 * Handed: NFLOG sockets and one with the ends of connections (opened and bound by init; receiving is all that they can do
 * here), a socket to sekishod, one
 * to sekisho-maild, whose mails wait for their rows in the ledger.
 * Parses: headers of dropped packets. Owns: the log directory. Capabilities: none.
 * Options: --space=BYTES (share of the disk; default: 80 % of a file system of its own, else 256 MB).
 * Without --handed (bench, tests): opens the sockets itself in the present network namespace and only
 * receives and stores.
 */
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <unistd.h>

#include <sekisho/clock.h>
#include <sekisho/daemon.h>
#include <sekisho/loop.h>
#include <sekisho/open.h>

#include "passing.h"
#include "recorder.h"

#define BOOT_ID_FILE "/proc/sys/kernel/random/boot_id"
#define STATUS_MS 1000
/* An unchanged status is repeated each so many seconds. */
#define STATUS_QUIET_S 10

/* Ten batches of a thousand events in one turn; then sekishod's messages have theirs. */
#define READ_BEAT_MS 5
#define READ_ROUNDS 10
/* Of what passed less: a flood of allowed connections does not keep a drop waiting. */
#define PASSING_ROUNDS 4

struct logd {
	struct daemon *daemon;
	uint64_t space;
	char boot_id[40], dir[256];
	int nflog[DAEMON_NFLOG_COUNT];
	int events; /* of connections; -1: none */
	bool passing_reading; /* at the next beat */
	struct intake *intake;
	struct passing *passing;
	struct recorder *recorder;
	struct loop_timer *beat;
	unsigned reading; /* bits: sockets with something to read, at the next beat */
	struct msg_log_status told;
	bool told_any;
	unsigned quiet_s, alarms_quiet_s;
	bool alarms_due; /* could not be told */
	struct source {
		struct logd *logd;
		unsigned index;
	} sources[DAEMON_NFLOG_COUNT];
};

static int on_option(struct daemon *d, const char *word, const char *value)
{
	struct logd *l = d->arg;
	char *end;

	if (strcmp(word, "--space") != 0 || value == NULL)
		return -EINVAL;
	errno = 0;
	l->space = strtoull(value, &end, 10);
	return errno == 0 && end != value && *end == '\0' ? 0 : -EINVAL;
}

/* The boot's name; records of different boots are told apart by it. */
static int read_boot_id(struct logd *l)
{
	int fd = open(BOOT_ID_FILE, O_RDONLY | O_CLOEXEC);

	if (fd < 0)
		return -errno;
	ssize_t n = read(fd, l->boot_id, 36);
	close(fd);
	l->boot_id[n > 0 ? n : 0] = '\0';
	return n == 36 ? 0 : -EIO;
}

static int open_own(struct logd *l, const char *root)
{
	for (unsigned i = 0; i < DAEMON_NFLOG_COUNT; i++) {
		l->nflog[i] = nflog_open((uint16_t)(DAEMON_NFLOG_GROUP + i));
		if (l->nflog[i] < 0)
			return l->nflog[i];
	}
	l->events = ct_events_open();
	return l->events < 0 ? l->events : paths_make(root);
}

static int before(struct daemon *d)
{
	struct logd *l = d->arg;

	l->daemon = d;
	for (unsigned i = 0; d->handed && i < DAEMON_NFLOG_COUNT; i++)
		l->nflog[i] = DAEMON_FD_NFLOG + (int)i;
	l->events = DAEMON_FD_ENDED;
	int r = d->handed ? 0 : open_own(l, d->root);
	return r != 0 ? r : read_boot_id(l);
}

/*
 * Reading in beats: a socket that has become readable is read, then let alone for a few milliseconds, so that a flood
 * costs a wake-up for hundreds of events and not for each datagram. The kernel's buffer holds a hundred times that.
 * One bounded batch of each socket in turn, until none has a full one left: a flood in one group does
 * not keep another waiting.
 */
static void on_beat(void *arg)
{
	struct logd *l = arg;
	unsigned more = l->reading;

	for (unsigned round = 0; more != 0 && round < READ_ROUNDS; round++) {
		for (unsigned i = 0; i < DAEMON_NFLOG_COUNT; i++) {
			if ((more & 1u << i) != 0 && !intake_read(l->intake, i))
				more &= ~(1u << i);
		}
	}
	for (unsigned i = 0; i < DAEMON_NFLOG_COUNT; i++) {
		if ((l->reading & 1u << i) != 0)
			loop_mod_fd(l->daemon->loop, l->nflog[i], EPOLLIN);
	}
	l->reading = 0;
	for (unsigned round = 0; l->passing_reading && round < PASSING_ROUNDS && passing_read(l->passing); round++)
		;
	if (l->passing_reading)
		loop_mod_fd(l->daemon->loop, l->events, EPOLLIN);
	l->passing_reading = false;
}

/* Drops and what passed share the beat. */
static void beat_soon(struct logd *l)
{
	if (l->reading == 0 && !l->passing_reading)
		loop_set_timer(l->beat, READ_BEAT_MS, 0);
}

static void on_ended(void *arg, int fd, uint32_t events)
{
	struct logd *l = arg;

	(void)events;
	loop_mod_fd(l->daemon->loop, fd, 0);
	beat_soon(l);
	l->passing_reading = true;
}

static void on_nflog(void *arg, int fd, uint32_t events)
{
	struct source *s = arg;
	struct logd *l = s->logd;

	(void)events;
	loop_mod_fd(l->daemon->loop, fd, 0);
	beat_soon(l);
	l->reading |= 1u << s->index;
}

static void on_gate(void *arg, int fd, uint32_t events)
{
	struct logd *l = arg;
	struct msg m;

	(void)events;
	int r = msg_recv(fd, &m);
	if (r == -EAGAIN)
		return;
	if (r <= 0) {
		daemon_peer_broken(l->daemon, MSG_PEER_LOG);
		return;
	}
	switch (m.type) {
	case MSG_GENERATION:
	case MSG_LINKS:
	case MSG_COUNTERS:
	case MSG_FAULT:
	case MSG_WORK:
	case MSG_LOGIN:
	case MSG_EVIDENCE:
	case MSG_HOLD:
	case MSG_CLIENT:
		recorder_give(l->recorder, &m);
		break;
	default:
		msg_close_fds(&m);
		daemon_peer_broken(l->daemon, MSG_PEER_LOG);
	}
}

static void on_mail(void *arg, int fd, uint32_t events)
{
	struct logd *l = arg;
	struct msg m;

	(void)events;
	int r = msg_recv(fd, &m);
	if (r == -EAGAIN)
		return;
	if (r == 1 && (m.type == MSG_MAIL_ENTRY || m.type == MSG_MAIL_OUTCOME || m.type == MSG_MAIL_ASK)) {
		recorder_give(l->recorder, &m);
		return;
	}
	if (r == 1)
		msg_close_fds(&m);
	daemon_peer_broken(l->daemon, MSG_PEER_MAIL);
}

static void on_alarm(void *arg, int fd, uint32_t events)
{
	struct logd *l = arg;
	struct msg m;

	(void)events;
	int r = msg_recv(fd, &m);
	if (r == 1 && m.type == MSG_ALARM_ASK) {
		recorder_give(l->recorder, &m);
		return;
	}
	/* Records do not stop for what sekisho-alarm says amiss: it is let go. */
	if (r == 1)
		msg_close_fds(&m);
}

/* All of them, when they changed and now and then: whoever takes over has the whole. */
static void tell_alarms(struct logd *l)
{
	struct msg_alarms now;
	bool changed = recorder_alarms(l->recorder, &now);

	if (!changed && !l->alarms_due && ++l->alarms_quiet_s < STATUS_QUIET_S)
		return;
	l->alarms_due = msg_send(DAEMON_FD_GATE, MSG_ALARMS, 0, &now, NULL, 0) != 0;
	l->alarms_quiet_s = 0;
}

static void on_status(void *arg)
{
	struct logd *l = arg;
	struct msg_log_status now;

	tell_alarms(l);

	if (!recorder_status(l->recorder, &now))
		return;
	if (l->told_any && memcmp(&now, &l->told, sizeof(now)) == 0 && ++l->quiet_s < STATUS_QUIET_S)
		return;
	/* A full socket: sekishod is away; the next one tells the same. */
	if (msg_send(DAEMON_FD_GATE, MSG_LOG_STATUS, 0, &now, NULL, 0) == 0) {
		l->told = now;
		l->told_any = true;
		l->quiet_s = 0;
	}
}

static int watch(struct daemon *d)
{
	struct logd *l = d->arg;
	int r = 0;

	l->beat = loop_add_timer(d->loop, -1, 0, on_beat, l);
	if (l->beat == NULL)
		return -ENOMEM;
	for (unsigned i = 0; r == 0 && i < DAEMON_NFLOG_COUNT; i++) {
		l->sources[i] = (struct source){l, i};
		r = loop_add_fd(d->loop, l->nflog[i], EPOLLIN, on_nflog, &l->sources[i]);
	}
	if (r == 0)
		r = loop_add_fd(d->loop, l->events, EPOLLIN, on_ended, l);
	if (r != 0 || !d->handed)
		return r;
	if (loop_add_timer(d->loop, STATUS_MS, STATUS_MS, on_status, l) == NULL)
		return -ENOMEM;
	r = loop_add_fd(d->loop, DAEMON_FD_LEDGER, EPOLLIN, on_mail, l);
	if (r == 0)
		r = loop_add_fd(d->loop, DAEMON_FD_DIGEST, EPOLLIN, on_alarm, l);
	return r != 0 ? r : loop_add_fd(d->loop, DAEMON_FD_GATE, EPOLLIN, on_gate, l);
}

static int start(struct daemon *d)
{
	struct logd *l = d->arg;
	const struct writer_options o = {.store = {.dir = l->dir, .space = l->space}, .boot_id = l->boot_id,
		.window_s = WRITER_WINDOW_S};
	int r = daemon_path(d->root, DAEMON_PATH_LOG, l->dir, sizeof(l->dir));

	if (r != 0)
		return r;
	l->intake = intake_new(l->nflog, DAEMON_NFLOG_COUNT);
	l->passing = passing_new(l->events);
	if (l->intake == NULL || l->passing == NULL)
		return -ENOMEM;
	static const struct recorder_sockets handed = {.mail = DAEMON_FD_LEDGER, .alarm = DAEMON_FD_DIGEST};
	r = recorder_start(&l->recorder, &o, l->intake, l->passing, d->handed ? &handed : NULL);
	return r != 0 ? r : watch(d);
}

static void stop(struct daemon *d)
{
	struct logd *l = d->arg;

	recorder_stop(l->recorder);
	intake_free(l->intake);
	passing_free(l->passing);
}

int main(int argc, char **argv)
{
	static const struct daemon_spec spec = {
		.row = JAIL_LOG, .option = on_option, .before = before, .start = start, .stop = stop};
	static struct logd logd;

	return daemon_run(&spec, &logd, argc, argv);
}
