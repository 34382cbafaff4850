/*
 * init.c: sekisho-init: starts each daemon, notices when one is dead, stopped or hung, and starts it again.
 *
 *	dead     SIGCHLD says so: again at once, later if it dies young again (up to RESTART_MAX_MS)
 *	stopped  SIGCHLD says so: continued at once (nothing that it held in memory is lost)
 *	hung     no READY or no beat in time: killed, then as dead
 *
 * Each of these is told to sekishod (MSG_EXITED), which has it recorded; what cannot be told now (sekishod
 * itself is away) is told once it is READY.
 *
 * Input and trust: fixed-size messages of our own daemons, one of which parses packets of the network: only
 * READY and BEAT are taken from it. A message that a daemon may not send, or a malformed one, kills that
 * daemon.
 * Limits: fixed tables; nothing is allocated but by the loop. Nothing here waits for a child.
 * Failure: if init itself ends, the kernel kills the daemons (PR_SET_PDEATHSIG) and the lease closes the
 * gate.
 */
#include "init.h"

#include <errno.h>
#include <signal.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>

#include <sekisho/loop.h>

#include "spawn.h"

#define CHECK_MS 500
#define RESTART_MIN_MS 50
#define RESTART_MAX_MS 800
/* Who lived this long has not died young. */
#define GROWN_UP_MS 10000
#define STOP_LIMIT_MS 5000
/* A daemon that was taken over may send without end: the others have their turn all the same. */
#define MESSAGES_A_TURN 32
#define HANDED_MAX (4 + DAEMON_NFLOG_COUNT)

/* -- Telling sekishod ------------------------------------------------------------------------------------ */

bool init_tell(struct init *in, uint32_t tag, const struct msg_exited *e)
{
	const struct init_daemon *gate = &in->daemons[INIT_GATE];

	return gate->ready && msg_send(gate->fd, MSG_EXITED, tag, e, NULL, 0) == 0;
}

static void tell_notice(struct init_daemon *d)
{
	struct msg_exited e = {.status = d->notice.status, .restarts = d->restarts};

	if (!d->notice.due || !d->ready)
		return;
	e.down_ms = (uint32_t)mono_since_ms(d->notice.since);
	MSG_TEXT(e.name, jail_name(d->row));
	d->notice.due = !init_tell(d->init, 0, &e);
}

/* sekishod gets the socket to a sekisho-inspect that is READY. */
static void attach(struct init *in)
{
	const struct init_daemon *gate = &in->daemons[INIT_GATE], *inspect = &in->daemons[INIT_INSPECT];
	struct msg_attach a = {(uint32_t)inspect->pid};

	if (in->inspector < 0 || !gate->ready || !inspect->ready ||
		msg_send(gate->fd, MSG_ATTACH, 0, &a, &in->inspector, 1) != 0)
		return;
	/* sekishod alone has it now: with sekishod it ends, and the inspector with them. */
	close(in->inspector);
	in->inspector = -1;
}

static void tell_notices(struct init *in)
{
	attach(in);
	for (unsigned i = 0; i < INIT_DAEMONS; i++)
		tell_notice(&in->daemons[i]);
}

/* The first unreported event counts: it is since then that the daemon is away. */
static void note(struct init_daemon *d, int status)
{
	if (d->notice.due || d->quiet)
		return;
	d->notice.due = true;
	d->notice.status = status;
	d->notice.since = clock_mono();
}

/* -- Messages of the daemons ----------------------------------------------------------------------------- */

static void end_daemon(struct init_daemon *d, const char *why)
{
	daemon_log("%s[%d]: %s: killed", jail_name(d->row), (int)d->pid, why);
	kill(d->pid, SIGKILL);
}

static void feed_watchdog(const struct init *in)
{
	/* A feed that fails is the watchdog's own business: it fires. */
	if (in->watchdog >= 0 && write(in->watchdog, "", 1) < 0)
		return;
}

static void on_ready(struct init_daemon *d)
{
	d->ready = true;
	d->beat = clock_mono();
	d->busy_ms = 0;
	daemon_log("%s[%d]: ready", jail_name(d->row), (int)d->pid);
	if (d->row == JAIL_MAIL)
		init_mail_ready(d->init);
	init_tls_ready(d->init, d->row);
	tell_notices(d->init);
}

static void end_broken(struct init *in, uint32_t peer)
{
	static const enum init_daemon_index peers[] = {[MSG_PEER_LOG] = INIT_LOG, [MSG_PEER_INSPECT] = INIT_INSPECT,
		[MSG_PEER_MAIL] = INIT_MAIL, [MSG_PEER_CONNECT] = INIT_CONNECT, [MSG_PEER_ALARM] = INIT_ALARM,
		[MSG_PEER_TLS] = INIT_TLS, [MSG_PEER_HOST] = INIT_HOST};
	struct init_daemon *d = &in->daemons[peers[peer]];

	if (d->pid > 0)
		end_daemon(d, "malformed message to sekishod, or hangs");
}

/* False: this daemon may not send that. */
static bool take_message(struct init_daemon *d, const struct msg *m)
{
	struct init *in = d->init;
	bool gate = d->row == JAIL_GATE;

	switch ((int)m->type) {
	case MSG_READY:
		if (!d->ready)
			on_ready(d);
		return true;
	case MSG_BEAT:
		d->beat = clock_mono();
		d->busy_ms = m->u.msg_beat.busy_ms;
		if (d->busy_ms > DAEMON_BUSY_LIMIT_MS)
			d->busy_ms = DAEMON_BUSY_LIMIT_MS;
		if (gate)
			feed_watchdog(in);
		return true;
	case MSG_SPAWN:
		if (gate && !in->stopping)
			init_oneshot_start(in, m);
		return gate;
	case MSG_MAIL_LISTEN:
		if (gate)
			init_mail_listen(in, &m->u.msg_mail_listen);
		return gate;
	case MSG_TLS_WANT:
		if (gate)
			init_tls_want(in, &m->u.msg_tls_want);
		return gate;
	case MSG_BROKEN:
		if (gate)
			end_broken(in, m->u.msg_broken.peer);
		return gate;
	default:
		return false;
	}
}

static void on_daemon(void *arg, int fd, uint32_t events)
{
	struct init_daemon *d = arg;
	struct msg m;
	int r;

	(void)events;
	for (unsigned i = 0; (r = i < MESSAGES_A_TURN ? msg_recv(fd, &m) : -EAGAIN) == 1; i++) {
		bool good = take_message(d, &m);
		msg_close_fds(&m);
		if (!good) {
			r = -EPROTO;
			break;
		}
	}
	if (r == -EAGAIN)
		return;
	/* Nothing more is heard from it: SIGCHLD follows, by itself or by our hand. */
	loop_del_fd(d->init->loop, fd);
	if (r != 0)
		end_daemon(d, r == -EPROTO ? "malformed message" : strerror(-r));
	else
		kill(d->pid, SIGKILL);
}

/* -- Life and death -------------------------------------------------------------------------------------- */

/* What a daemon gets behind its socket to init: ends of pairs, in the order of its DAEMON_FD_*. */
static const struct handed_end {
	enum init_daemon_index daemon;
	enum init_pair_index pair;
	unsigned end;
} handed_ends[] = {
	{INIT_GATE, PAIR_LOG, 0}, {INIT_GATE, PAIR_MAIL, 0}, {INIT_GATE, PAIR_CALLER, 0}, {INIT_GATE, PAIR_ALARM, 0},
	{INIT_GATE, PAIR_TLS_GATE, 0},
	{INIT_GATE, PAIR_HOST, 0},
	{INIT_LOG, PAIR_LOG, 1}, {INIT_LOG, PAIR_LEDGER, 1}, {INIT_LOG, PAIR_DIGEST, 1},
	{INIT_MAIL, PAIR_MAIL, 1}, {INIT_MAIL, PAIR_LEDGER, 0}, {INIT_MAIL, PAIR_CALLS, 0}, {INIT_MAIL, PAIR_CLEAN, 0},
	{INIT_MAIL, PAIR_VERIFY, 0}, {INIT_MAIL, PAIR_TLS, 0},
	{INIT_CONNECT, PAIR_CALLER, 1}, {INIT_CONNECT, PAIR_CALLS, 1}, {INIT_CONNECT, PAIR_ALARM_CALLS, 1},
	{INIT_CLEAN, PAIR_CLEAN, 1}, {INIT_VERIFY, PAIR_VERIFY, 1},
	{INIT_ALARM, PAIR_ALARM, 1}, {INIT_ALARM, PAIR_DIGEST, 0}, {INIT_ALARM, PAIR_ALARM_CALLS, 0},
	{INIT_TLS, PAIR_TLS, 1}, {INIT_TLS, PAIR_TLS_GATE, 1}, {INIT_TLS, PAIR_SIGN, 0},
	{INIT_SIGN, PAIR_SIGN, 1},
	{INIT_HOST, PAIR_HOST, 1},
};

/* Between the first pair and the others stands what only this daemon has. */
static unsigned own_fds(const struct init_daemon *d, const int *peer, int *fds)
{
	const struct init *in = d->init;

	if (d->row == JAIL_INSPECT) {
		fds[0] = *peer;
		return 1;
	}
	if (d->row == JAIL_GATE) {
		fds[0] = in->control;
		fds[1] = in->queues;
		return 2;
	}
	if (d->row == JAIL_LOG) {
		memcpy(fds, in->nflog, sizeof(in->nflog));
		fds[DAEMON_NFLOG_COUNT] = in->ended;
		return DAEMON_NFLOG_COUNT + 1;
	}
	return 0;
}

static unsigned handed_fds(const struct init_daemon *d, int own, const int *peer, int *fds)
{
	const struct init *in = d->init;
	unsigned n = 0;
	bool first = true;

	fds[n++] = own;
	for (size_t i = 0; i < sizeof(handed_ends) / sizeof(handed_ends[0]); i++) {
		const struct handed_end *h = &handed_ends[i];
		if (&in->daemons[h->daemon] != d)
			continue;
		fds[n++] = in->pair[h->pair][h->end];
		if (first)
			n += own_fds(d, peer, fds + n);
		first = false;
	}
	return first ? n + own_fds(d, peer, fds + n) : n;
}

/*
 * sekishod and sekisho-inspect sit together: each verdict goes from one to the other, on one processor without an interrupt
 * to another, and what comes meanwhile is judged as one batch (measured under load: a quarter to a third more connections).
 *
 * Both ends or none: *ret_ours is in the loop, the child has the other; peer: what a sekisho-inspect gets as its end to
 * sekishod.
 */
static int start_process(struct init_daemon *d, const int *peer, int *ret_ours)
{
	int pair[2], fds[HANDED_MAX];
	struct init *in = d->init;

	if (socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC | SOCK_NONBLOCK, 0, pair) < 0)
		return -errno;
	struct spawn s = {.libexec = in->libexec,
		.name = jail_name(d->row),
		.args = {"--handed", in->root_option},
		.fds = fds,
		.nfds = handed_fds(d, pair[1], peer, fds),
		.together = d->row == JAIL_GATE || d->row == JAIL_INSPECT};
	int r = loop_add_fd(in->loop, pair[0], EPOLLIN, on_daemon, d);
	pid_t pid = r < 0 ? r : spawn(&s);
	close(pair[1]);
	if (pid < 0) {
		loop_del_fd(in->loop, pair[0]);
		close(pair[0]);
		return pid;
	}
	*ret_ours = pair[0];
	return pid;
}

static void start_later(struct init_daemon *d)
{
	loop_set_timer(d->again, d->delay_ms, 0);
	d->delay_ms = d->delay_ms == 0 ? RESTART_MIN_MS : d->delay_ms * 2;
	if (d->delay_ms > RESTART_MAX_MS)
		d->delay_ms = RESTART_MAX_MS;
}

/* A sekisho-inspect has a pair of its own to sekishod, as long as it lives. */
static int start_inspector(struct init_daemon *d)
{
	struct init *in = d->init;
	int pair[2];
	int r = init_pair(pair);

	if (r < 0)
		return r;
	r = start_process(d, &pair[1], &d->fd);
	close(pair[1]);
	if (in->inspector >= 0)
		close(in->inspector);
	in->inspector = pair[0];
	return r;
}

void init_start(struct init_daemon *d)
{
	int r = d->row == JAIL_INSPECT ? start_inspector(d) : start_process(d, NULL, &d->fd);

	d->started = clock_mono();
	d->ready = d->quiet = false;
	if (r < 0) {
		daemon_log("%s: cannot be started: %s", jail_name(d->row), strerror(-r));
		start_later(d);
		return;
	}
	d->pid = r;
}

static void on_again(void *arg)
{
	init_start(arg);
}

static void stop_next(struct init *in)
{
	for (unsigned i = 0; i < INIT_DAEMONS; i++) {
		if (in->daemons[i].pid > 0) {
			kill(in->daemons[i].pid, SIGTERM);
			loop_set_timer(in->stop_limit, STOP_LIMIT_MS, 0);
			return;
		}
	}
	loop_stop(in->loop, 0);
}

/* Its queues were sekishod's; the next sekishod gets a new one. */
static void end_inspector(struct init *in)
{
	struct init_daemon *d = &in->daemons[INIT_INSPECT];

	if (d->pid <= 0)
		return;
	d->quiet = true;
	kill(d->pid, SIGKILL);
}

static void daemon_ended(struct init_daemon *d, int status)
{
	struct init *in = d->init;

	if (WIFSIGNALED(status))
		daemon_log("%s[%d]: killed by signal %d", jail_name(d->row), (int)d->pid, WTERMSIG(status));
	else
		daemon_log("%s[%d]: exit status %d", jail_name(d->row), (int)d->pid, WEXITSTATUS(status));
	loop_del_fd(in->loop, d->fd);
	close(d->fd);
	d->fd = -1;
	d->pid = 0;
	d->ready = false;
	if (d->row == JAIL_GATE) {
		init_oneshot_kill_all(in);
		end_inspector(in);
	}
	if (in->stopping) {
		stop_next(in);
		return;
	}
	note(d, status);
	d->restarts++;
	if (mono_since_ms(d->started) > GROWN_UP_MS)
		d->delay_ms = 0;
	start_later(d);
}

static void daemon_stopped(struct init_daemon *d, int status)
{
	daemon_log(
		"%s[%d]: stopped by signal %d: continued", jail_name(d->row), (int)d->pid, WSTOPSIG(status));
	note(d, status);
	kill(d->pid, SIGCONT);
	tell_notice(d);
}

void init_reap(struct init *in, pid_t pid, int status)
{
	for (unsigned i = 0; i < INIT_DAEMONS; i++) {
		struct init_daemon *d = &in->daemons[i];
		if (d->pid != pid)
			continue;
		if (WIFSTOPPED(status))
			daemon_stopped(d, status);
		else
			daemon_ended(d, status);
		return;
	}
	for (unsigned i = 0; i < INIT_ONESHOTS_MAX; i++) {
		if (in->oneshots[i].pid != pid)
			continue;
		if (WIFSTOPPED(status))
			kill(pid, SIGCONT);
		else
			init_oneshot_ended(&in->oneshots[i], status);
		return;
	}
}

static void check_daemon(struct init_daemon *d)
{
	if (d->pid == 0)
		return;
	if (!d->ready && mono_since_ms(d->started) > DAEMON_READY_LIMIT_MS)
		end_daemon(d, "not ready in time");
	else if (d->ready && mono_since_ms(d->beat) > (int64_t)DAEMON_BEAT_LIMIT_MS + d->busy_ms)
		end_daemon(d, "no sign of life");
}

void init_check(struct init *in)
{
	for (unsigned i = 0; i < INIT_DAEMONS; i++)
		check_daemon(&in->daemons[i]);
	init_tls_check(in);
	tell_notices(in);
	init_mail_check(in);
}

/* sekishod first, so that logd still stores what sekishod has to say. */
void init_stop(struct init *in)
{
	if (in->stopping)
		return;
	in->stopping = true;
	for (unsigned i = 0; i < INIT_DAEMONS; i++)
		loop_set_timer(in->daemons[i].again, -1, 0);
	init_oneshot_kill_all(in);
	stop_next(in);
}

/* -- The loop -------------------------------------------------------------------------------------------- */

static void on_child_signal(void *arg, int signo)
{
	struct init *in = arg;
	int status;
	pid_t pid;

	(void)signo;
	/* Signals merge: one delivery may stand for several children. */
	while ((pid = waitpid(-1, &status, WNOHANG | WUNTRACED)) > 0)
		init_reap(in, pid, status);
}

static void on_stop_signal(void *arg, int signo)
{
	daemon_log("signal %d: stopping", signo);
	init_stop(arg);
}

static void on_check(void *arg)
{
	init_check(arg);
}

static void on_stop_limit(void *arg)
{
	struct init *in = arg;

	for (unsigned i = 0; i < INIT_DAEMONS; i++) {
		if (in->daemons[i].pid > 0) {
			end_daemon(&in->daemons[i], "did not stop in time");
			return;
		}
	}
}

static bool prepare(struct init *in)
{
	static const enum jail_row rows[INIT_DAEMONS] = {
		[INIT_GATE] = JAIL_GATE, [INIT_LOG] = JAIL_LOG, [INIT_INSPECT] = JAIL_INSPECT, [INIT_MAIL] = JAIL_MAIL,
		[INIT_CONNECT] = JAIL_CONNECT, [INIT_CLEAN] = JAIL_CLEAN, [INIT_VERIFY] = JAIL_VERIFY,
		[INIT_ALARM] = JAIL_ALARM, [INIT_TLS] = JAIL_TLS, [INIT_SIGN] = JAIL_SIGN, [INIT_HOST] = JAIL_HOST};
	bool good = true;

	for (unsigned i = 0; i < INIT_DAEMONS; i++) {
		struct init_daemon *d = &in->daemons[i];
		*d = (struct init_daemon){.init = in, .row = rows[i], .fd = -1};
		d->again = loop_add_timer(in->loop, -1, 0, on_again, d);
		good = good && d->again != NULL;
	}
	in->stop_limit = loop_add_timer(in->loop, -1, 0, on_stop_limit, in);
	return good && in->stop_limit != NULL &&
	       loop_add_timer(in->loop, CHECK_MS, CHECK_MS, on_check, in) != NULL &&
	       loop_add_signal(in->loop, SIGCHLD, on_child_signal, in) == 0 &&
	       loop_add_signal(in->loop, SIGTERM, on_stop_signal, in) == 0 &&
	       loop_add_signal(in->loop, SIGINT, on_stop_signal, in) == 0;
}

int init_run(struct init *in)
{
	in->loop = loop_new();
	if (in->loop == NULL || !prepare(in)) {
		daemon_log("event loop: %s", strerror(errno));
		return 3;
	}
	for (unsigned i = 0; i < INIT_DAEMONS; i++)
		init_start(&in->daemons[i]);
	int r = loop_run(in->loop);
	loop_free(in->loop);
	if (r < 0)
		daemon_log("event loop: %s", strerror(-r));
	return r < 0 ? 3 : 0;
}
