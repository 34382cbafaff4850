/*
 * zygote.c: a child for each mail, out of a process that is in its jail already (spawn and exec cost four times as much).
 *
 * Input: MSG_MAIL_JOB of sekisho-maild, checked as all messages; what is in the descriptors only the child reads. Zygote and
 * children share nothing that is written: a child that is taken over has one mail, and the next child does not know of it.
 *
 * A child is ended by: its work done; the other ends of its sockets closed; the time or the processor that its job allows
 * used up (SIGALRM, SIGXCPU: it has no call to ward them off); a call that its row lacks (SIGSYS); the end of the zygote.
 * Nothing of that stops the zygote. Dead children are collected when a job comes and each second.
 *
 * Limits: ZYGOTE_CHILDREN_MAX. Failure: MSG_MAIL_BUSY for the job; the descriptors are closed in any case.
 */
#include "zygote.h"

#include <errno.h>
#include <fcntl.h>
#include <malloc.h>
#include <signal.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/wait.h>
#include <unistd.h>

#include <sekisho/clock.h>
#include <sekisho/loop.h>

#define COLLECT_MS 1000

/* Exit statuses of a child whose work did not begin. */
enum { EXIT_ORPHAN = 120, EXIT_DESCRIPTORS, EXIT_LIMITS, EXIT_JAIL };

struct zygote {
	const struct zygote_spec *spec;
	struct daemon *d;
	struct jail_filter filter;
	pid_t self;
	unsigned living;
	unsigned deaths; /* that nothing was said of in the log */
	int death;	 /* status of the last of them */
};

/* -- The child ---------------------------------------------------------------------------------------------- */

/* A number below those that came: none of them is overwritten. */
static bool number(int from, int to)
{
	return from > MAIL_FD_REPORT && dup2(from, to) == to;
}

static bool take_descriptors(const struct zygote_spec *spec, const int *fds)
{
	static const int numbers[] = {MAIL_FD_IN, MAIL_FD_OUT, MAIL_FD_RESULT, MAIL_FD_DOMAINS};
	bool report = spec->fds == MSG_MAIL_FDS_CLEAN;
	int memfd = report ? memfd_create("report", MFD_CLOEXEC | MFD_ALLOW_SEALING) : -1;
	bool good = !report || number(memfd, MAIL_FD_REPORT);

	for (unsigned i = 0; i < spec->fds; i++)
		good = good && number(fds[i], numbers[i]);
	/* Blocking: a child has nothing else to do. */
	for (unsigned i = 0; i < MSG_MAIL_FDS_VERIFY; i++)
		good = good && fcntl(numbers[i], F_SETFL, 0) == 0;
	return good && close_range(report ? MAIL_FD_REPORT + 1 : MAIL_FD_RESULT + 1, ~0u, 0) == 0;
}

/* The loop blocks what stops a daemon; what ends a child (alarm, limits, SIGKILL) it does not block. */
static bool take_limits(const struct msg_mail_job *job)
{
	struct rlimit cpu = {job->cpu_seconds, job->cpu_seconds};

	alarm(job->seconds);
	return setrlimit(RLIMIT_CPU, &cpu) == 0;
}

static int child(const struct zygote *z, const struct msg *m)
{
	const struct msg_mail_job *job = &m->u.msg_mail_job;

	if (prctl(PR_SET_PDEATHSIG, SIGKILL, 0, 0, 0) < 0 || getppid() != z->self)
		return EXIT_ORPHAN;
	if (!take_descriptors(z->spec, m->fds))
		return EXIT_DESCRIPTORS;
	if (!take_limits(job))
		return EXIT_LIMITS;
	if (jail_narrow(z->spec->child, &z->filter) < 0)
		return EXIT_JAIL;
	return z->spec->work(job);
}

/* -- The zygote --------------------------------------------------------------------------------------------- */

static void collect(struct zygote *z)
{
	int status;

	while (z->living > 0 && waitpid(-1, &status, WNOHANG) > 0) {
		z->living--;
		if (status != 0) {
			z->deaths++;
			z->death = status;
		}
	}
}

/* At most a line a second: whoever sends such mails decides how many there are. */
static void on_second(void *arg)
{
	struct zygote *z = arg;

	collect(z);
	if (z->deaths == 0)
		return;
	if (WIFSIGNALED(z->death))
		daemon_log("%u mails were not finished; the last by signal %d (%s)", z->deaths, WTERMSIG(z->death),
			sigdescr_np(WTERMSIG(z->death)));
	else
		daemon_log("%u mails were not finished; the last with status %d", z->deaths, WEXITSTATUS(z->death));
	z->deaths = 0;
}

/* When that cannot be said either, the closed descriptors say it. */
static void say_busy(struct zygote *z, uint32_t tag, int error)
{
	struct msg_mail_busy busy = {z->living, error};

	msg_send(DAEMON_FD_MAIL, MSG_MAIL_BUSY, tag, &busy, NULL, 0);
}

static void take_job(struct zygote *z, struct msg *m)
{
	collect(z);
	if (z->living >= ZYGOTE_CHILDREN_MAX) {
		say_busy(z, m->tag, 0);
		return;
	}
	/* Not fork(): nothing here waits for a fork, no stream has anything unwritten. */
	pid_t pid = _Fork();
	if (pid == 0)
		_exit(child(z, m));
	if (pid < 0)
		say_busy(z, m->tag, errno);
	else
		z->living++;
}

static void on_job(void *arg, int fd, uint32_t events)
{
	static struct msg m; /* large */
	struct zygote *z = arg;
	int r = msg_recv(fd, &m);

	(void)events;
	if (r == -EAGAIN)
		return;
	if (r == 1 && m.type == MSG_MAIL_JOB && m.nfds == z->spec->fds) {
		take_job(z, &m);
		/* Plainly: a job's sockets are maild's own, and they do not linger. */
		for (unsigned i = 0; i < m.nfds; i++)
			close(m.fds[i]);
		return;
	}
	if (r == 1)
		msg_close_fds(&m);
	if (r == 0) {
		daemon_log("sekisho-maild is gone");
		loop_stop(z->d->loop, 3);
	} else {
		daemon_peer_broken(z->d, MSG_PEER_MAIL);
	}
}

/* -- Starting ------------------------------------------------------------------------------------------------ */

/* As root: the children's filter needs a descriptor for a moment. */
static int before(struct daemon *d)
{
	struct zygote *z = d->arg;

	if (!d->handed)
		return -ENOTCONN; /* there is no work without sekisho-init and sekisho-maild */
	return jail_prepare(z->spec->child, &z->filter);
}

/* A child that tries what its parent may: does the narrower row hold? */
static int try_child(struct zygote *z)
{
	pid_t pid = _Fork();
	int status;

	if (pid == 0)
		_exit(jail_narrow(z->spec->child, &z->filter) < 0 || getppid() != z->self);
	if (pid < 0 || waitpid(pid, &status, 0) < 0)
		return -errno;
	return WIFSIGNALED(status) && WTERMSIG(status) == SIGSYS ? 0 : -EPERM;
}

static int start(struct daemon *d)
{
	struct zygote *z = d->arg;
	int r;

	z->d = d;
	z->self = getpid();
	r = try_child(z);
	if (r < 0) {
		daemon_log("the jail of the children does not hold");
		return r;
	}
	malloc_trim(0); /* what the filters took: each fork would copy it */
	r = loop_add_fd(d->loop, DAEMON_FD_MAIL, EPOLLIN, on_job, z);
	if (r == 0 && loop_add_timer(d->loop, COLLECT_MS, COLLECT_MS, on_second, z) == NULL)
		r = -ENOMEM;
	return r;
}

int zygote_run(const struct zygote_spec *spec, int argc, char **argv)
{
	static struct zygote z;
	const struct daemon_spec daemon = {.row = spec->row, .before = before, .start = start};

	z.spec = spec;
	return daemon_run(&daemon, &z, argc, argv);
}
