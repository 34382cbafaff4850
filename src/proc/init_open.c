/*
 * init_open.c: what sekisho-init opens once and keeps: the closed table first, then sockets.
 *
 * The NFLOG sockets stay open here while sekisho-logd is away: the kernel goes on queueing into them.
 * Failure: one line, and init ends; who started it (busybox init) starts it again, with the gate closed.
 */
#include "init.h"

#include <errno.h>
#include <fcntl.h>
#include <linux/watchdog.h>
#include <signal.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include <sekisho/open.h>

#include "spawn.h"

#define CLOSE_TRIES 3
#define CLOSE_LIMIT_MS 10000
/* The daemons of a former init are killed with it, but for a moment they still hold the groups. */
#define NFLOG_PATIENCE_MS 5000
#define NAP_MS 20
/* Room for a burst of messages between two daemons while one of them starts or is busy. */
#define PAIR_BUFFER (1 << 20)
/* Longer than a start, the kill of a hung sekishod and its restart together. */
#define WATCHDOG_S 60

static void nap(void)
{
	nanosleep(&(struct timespec){.tv_nsec = NAP_MS * 1000000L}, NULL);
}

/* Waits for one child without a loop: 0 when it ended with status 0; otherwise it says how it ended. */
static int wait_for(pid_t pid, int limit_ms)
{
	struct mono start = clock_mono();
	int status;

	while (waitpid(pid, &status, WNOHANG) == 0) {
		if (mono_since_ms(start) > limit_ms) {
			kill(pid, SIGKILL);
			waitpid(pid, &status, 0);
			return -ETIMEDOUT;
		}
		nap();
	}
	if (WIFEXITED(status) && WEXITSTATUS(status) == 0)
		return 0;
	daemon_log("sekishod --close: %s %d", WIFEXITED(status) ? "exit status" : "signal",
		WIFEXITED(status) ? WEXITSTATUS(status) : WTERMSIG(status));
	return -ECANCELED;
}

/* Nothing may rise before the closed table is in the kernel. */
static int close_gate(struct init *in)
{
	struct spawn s = {
		.libexec = in->libexec, .name = jail_name(JAIL_GATE), .args = {"--close", in->root_option}};
	int r = -EAGAIN;

	for (unsigned i = 0; r < 0 && i < CLOSE_TRIES; i++) {
		pid_t pid = spawn(&s);
		r = pid < 0 ? (int)pid : wait_for(pid, CLOSE_LIMIT_MS);
	}
	return r;
}

/*
 * The kernel says EPERM of a group that another socket has (and we are root), EBUSY when that one is going.
 */
static bool held(int r)
{
	return r == -EPERM || r == -EBUSY;
}

static int open_nflog(struct init *in)
{
	struct mono start = clock_mono();

	for (unsigned i = 0; i < DAEMON_NFLOG_COUNT; i++) {
		do {
			in->nflog[i] = nflog_open((uint16_t)(DAEMON_NFLOG_GROUP + i));
			if (held(in->nflog[i]))
				nap();
		} while (held(in->nflog[i]) && mono_since_ms(start) < NFLOG_PATIENCE_MS);
		if (in->nflog[i] < 0) {
			daemon_log("NFLOG group %u: %s", DAEMON_NFLOG_GROUP + i, strerror(-in->nflog[i]));
			return in->nflog[i];
		}
	}
	return 0;
}

int init_pair(int pair[2])
{
	int size = PAIR_BUFFER;

	if (socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC | SOCK_NONBLOCK, 0, pair) < 0)
		return -errno;
	for (unsigned i = 0; i < 2; i++) {
		if (setsockopt(pair[i], SOL_SOCKET, SO_SNDBUFFORCE, &size, sizeof(size)) < 0) {
			int e = errno;
			close(pair[0]);
			close(pair[1]);
			pair[0] = pair[1] = -1;
			return -e;
		}
	}
	return 0;
}

static int open_pairs(struct init *in)
{
	int r = 0;

	for (unsigned i = 0; r == 0 && i < INIT_PAIRS; i++)
		r = init_pair(in->pair[i]);
	return r;
}

static int open_watchdog(struct init *in)
{
	int seconds = WATCHDOG_S;

	if (in->watchdog_path == NULL)
		return 0;
	in->watchdog = open(in->watchdog_path, O_WRONLY | O_CLOEXEC);
	if (in->watchdog < 0)
		return -errno;
	/* A device with a fixed time stays as it is. */
	ioctl(in->watchdog, WDIOC_SETTIMEOUT, &seconds);
	return 0;
}

static int step(const char *what, int r)
{
	if (r < 0)
		daemon_log("%s: %s", what, strerror(-r));
	return r;
}

int init_open(struct init *in)
{
	in->control = in->queues = in->watchdog = in->inspector = in->ended = -1;
	for (unsigned i = 0; i < DAEMON_NFLOG_COUNT; i++)
		in->nflog[i] = -1;
	int r = step("closing the gate", close_gate(in));
	if (r == 0)
		r = step("directories", paths_make(in->root));
	if (r == 0)
		r = step("watchdog", open_watchdog(in));
	if (r == 0)
		r = open_nflog(in);
	if (r == 0)
		r = step("ends of connections", in->ended = ct_events_open());
	if (r >= 0)
		r = step("list of queues", in->queues = queue_list_open());
	if (r >= 0)
		r = step("pairs", open_pairs(in));
	if (r == 0)
		r = step("control socket", in->control = control_open(in->root));
	return r < 0 ? r : 0;
}

void init_close(struct init *in)
{
	char path[256];

	if (in->control >= 0 && daemon_path(in->root, DAEMON_PATH_CONTROL, path, sizeof(path)) == 0)
		unlink(path);
	/* 'V' tells the device that this end is meant. */
	if (in->watchdog >= 0 && write(in->watchdog, "V", 1) == 1)
		close(in->watchdog);
}
