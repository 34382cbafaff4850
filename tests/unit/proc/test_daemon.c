/*
 * test_daemon.c: the skeleton: options, what is handed, the order of the hooks, talk with init, orderly and
 * other ends.
 *
 * Each case is a child process with a real jail (root); the parent plays init on the other end of descriptor
 * 3.
 */
#include <sekisho/clock.h>
#include <sekisho/daemon.h>
#include <sekisho/loop.h>

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <sys/mman.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include "test.h"

static char root[] = "/tmp/sekisho-daemon-XXXXXX", root_option[64];

/* Our ends of the child's descriptors. */
static int to_init, to_peer;

/* -- The daemon under test -------------------------------------------------------------------------------- */

static struct {
	int before, start; /* what the hooks return */
	bool ill, broken, oneshot_looks;
} plan;

/* Marks go out over the pair to the other daemon: one letter a hook. */
static void mark(char c)
{
	if (write(DAEMON_FD_LOG, &c, 1) != 1)
		_exit(99);
}

static int before(struct daemon *d)
{
	CHECK(geteuid() == 0);
	if (d->handed && !d->spec->oneshot)
		mark('b');
	return plan.before;
}

static int start(struct daemon *d)
{
	if (geteuid() != jail_uid(d->spec->row))
		return -EPERM;
	if (plan.oneshot_looks) {
		/* Given time and language; nothing beyond what was promised is open. */
		bool good = d->now == 1234 && strcmp(d->language, "en") == 0 && fcntl(5, F_GETFD) < 0 &&
			    fcntl(60, F_GETFD) < 0 && d->loop == NULL && d->init == -1;
		d->exit_code = good ? 17 : 18;
		return 1;
	}
	if (d->handed)
		mark('s');
	if (plan.start == 1)
		d->exit_code = 11;
	if (plan.broken)
		daemon_peer_broken(d, MSG_PEER_LOG);
	return plan.start;
}

static bool well(struct daemon *d)
{
	(void)d;
	return !plan.ill;
}

static void notice(struct daemon *d, const struct msg *m)
{
	(void)d;
	mark(m->type == MSG_EXITED && m->u.msg_exited.status == 9 ? 'n' : '?');
}

static void stop(struct daemon *d)
{
	mark('e');
	d->exit_code = 12;
}

static int option(struct daemon *d, const char *word, const char *value)
{
	(void)d;
	if (strcmp(word, "--own") == 0 && value != NULL && strcmp(value, "a=b") == 0)
		return 0;
	return -EINVAL;
}

/* -- Running it ------------------------------------------------------------------------------------------- */

static pid_t run(enum jail_row row, const char *const *options)
{
	struct daemon_spec spec = {.row = row,
		.oneshot = row >= JAIL_COMPILE,
		.option = option,
		.before = before,
		.start = start,
		.well = well,
		.notice = notice,
		.stop = stop};
	char *argv[10] = {(char *)(uintptr_t) "x"};
	int argc = 1;

	for (; options[argc - 1] != NULL; argc++)
		argv[argc] = (char *)(uintptr_t)options[argc - 1];
	fflush(NULL);
	pid_t pid = fork();
	if (pid == 0) {
		test_failures = 0;
		int status = daemon_run(&spec, NULL, argc, argv);
		_exit(test_failures ? 98 : status);
	}
	return pid;
}

static int status_of(pid_t pid)
{
	int status = -1;

	waitpid(pid, &status, 0);
	return WIFEXITED(status) ? WEXITSTATUS(status) : -WTERMSIG(status);
}

static int run_plain(const char *a, const char *b)
{
	const char *options[] = {root_option, a, b, NULL};

	return status_of(run(JAIL_LOG, options));
}

/* The descriptors of sekishod: init, the pair, a socket that nobody uses here. */
static void hand(void)
{
	int init[2], peer[2], type = SOCK_SEQPACKET | SOCK_NONBLOCK;

	if (socketpair(AF_UNIX, type, 0, init) < 0 || socketpair(AF_UNIX, type, 0, peer) < 0)
		exit(1);
	to_init = fcntl(init[0], F_DUPFD_CLOEXEC, 40);
	to_peer = fcntl(peer[0], F_DUPFD_CLOEXEC, 40);
	int a = fcntl(init[1], F_DUPFD_CLOEXEC, 50), b = fcntl(peer[1], F_DUPFD_CLOEXEC, 50);
	close_range(3, 20, 0);
	dup2(a, DAEMON_FD_INIT);
	dup2(b, DAEMON_FD_LOG);
	dup2(b, DAEMON_FD_CONTROL);
	dup2(b, DAEMON_FD_POST);
	dup2(b, DAEMON_FD_CALLER);
	dup2(b, DAEMON_FD_NOTIFIER);
	dup2(b, DAEMON_FD_TLS);
	dup2(b, DAEMON_FD_HOST);
	int file = open("/dev/null", O_RDONLY | O_CLOEXEC);
	if (file != DAEMON_FD_QUEUES) {
		dup2(file, DAEMON_FD_QUEUES);
		close(file);
	}
	close(a);
	close(b);
}

/* Once the child runs: our copies of its ends would hide its end. */
static void drop(void)
{
	close_range(3, 20, 0);
}

static void unhand(void)
{
	close(to_init);
	close(to_peer);
}

/* The next letter, or 0 when none comes. */
static char next_mark(int limit_ms)
{
	struct pollfd p = {.fd = to_peer, .events = POLLIN};
	char c = 0;

	return poll(&p, 1, limit_ms) == 1 && read(to_peer, &c, 1) == 1 ? c : 0;
}

static int next_message(struct msg *m, int limit_ms)
{
	struct pollfd p = {.fd = to_init, .events = POLLIN};

	return poll(&p, 1, limit_ms) == 1 ? msg_recv(to_init, m) : -EAGAIN;
}

static pid_t run_handed(enum jail_row row)
{
	const char *options[] = {"--handed", root_option, NULL};

	hand();
	pid_t pid = run(row, options);
	drop();
	return pid;
}

/* -- Options and hooks ------------------------------------------------------------------------------------ */

static void test_options(void)
{
	char longest[200] = "--root=/";

	memset(longest + 8, 'a', 100);
	plan.start = 1;
	CHECK_INT(run_plain("--foreground", "--own=a=b"), 11);
	CHECK_INT(run_plain("--unknown", NULL), 2);
	CHECK_INT(run_plain("--own", NULL), 2);
	CHECK_INT(run_plain("word", NULL), 2);
	CHECK_INT(run_plain("--root=relative", NULL), 2);
	CHECK_INT(run_plain(longest, NULL), 2);
	CHECK_INT(run_plain("--now=-1", NULL), 2);
	CHECK_INT(run_plain("--now=1x", NULL), 2);
	CHECK_INT(run_plain("--now=99999999999999999999", NULL), 2);
	CHECK_INT(run_plain("--language=japanese", NULL), 2);
	CHECK_INT(run_plain("--a-very-long-option-that-nobody-ever-meant", NULL), 2);
	plan.start = 0;
}

static void test_hooks_that_fail(void)
{
	plan.before = -ENOENT;
	CHECK_INT(run_plain("--foreground", NULL), 3);
	plan.before = 0;
	plan.start = -ENOENT;
	CHECK_INT(run_plain("--foreground", NULL), 3);
	plan.start = 0;
}

/* -- What is handed --------------------------------------------------------------------------------------- */

static void test_handed_wrong(void)
{
	const char *options[] = {"--handed", root_option, NULL};

	hand();
	close(DAEMON_FD_CONTROL); /* not there */
	CHECK_INT(status_of(run(JAIL_GATE, options)), 3);
	dup2(2, DAEMON_FD_CONTROL); /* no socket */
	CHECK_INT(status_of(run(JAIL_GATE, options)), 3);
	int other = socket(AF_INET, SOCK_DGRAM, 0); /* a socket of another kind */
	dup2(other, DAEMON_FD_CONTROL);
	CHECK_INT(status_of(run(JAIL_GATE, options)), 3);
	CHECK_INT(status_of(run(JAIL_LOG, options)), 3);
	drop();
	unhand();
}

static void test_oneshot(void)
{
	const char *options[] = {"--handed", root_option, "--now=1234", "--language=en", NULL};
	plan.oneshot_looks = true;
	hand();
	int file = memfd_create("policy", MFD_CLOEXEC);
	dup2(file, DAEMON_FD_POLICY);
	dup2(2, 60); /* a stray descriptor */
	CHECK_INT(status_of(run(JAIL_COMPILE, options)), 17);
	CHECK_INT(status_of(run(JAIL_PROVE, options)), 3); /* 5 is a socket, not the dump */
	plan.oneshot_looks = false;
	close(60);
	drop();
	unhand();
}

/* -- Life under init -------------------------------------------------------------------------------------- */

static void test_life(void)
{
	struct msg_exited e = {.status = 9};
	struct msg m;
	pid_t pid = run_handed(JAIL_GATE);

	CHECK_INT(next_mark(2000), 'b');
	CHECK_INT(next_mark(2000), 's');
	CHECK_INT(next_message(&m, 2000), 1);
	CHECK(m.type == MSG_READY && m.u.msg_ready.pid == (uint32_t)pid);
	struct mono begin = clock_mono();
	CHECK_INT(next_message(&m, 3000), 1);
	CHECK(m.type == MSG_BEAT && m.u.msg_beat.sequence == 1);
	CHECK_INT(next_message(&m, 3000), 1);
	CHECK(m.type == MSG_BEAT && m.u.msg_beat.sequence == 2);
	CHECK(mono_since_ms(begin) >= 1500 && mono_since_ms(begin) < 2800);
	MSG_TEXT(e.name, "sekisho-logd");
	CHECK_INT(msg_send(to_init, MSG_EXITED, 0, &e, NULL, 0), 0);
	CHECK_INT(next_mark(1000), 'n');
	kill(pid, SIGTERM);
	CHECK_INT(next_mark(1000), 'e');
	CHECK_INT(status_of(pid), 12);
	unhand();
}

static void test_not_well(void)
{
	struct msg m;

	plan.ill = true;
	pid_t pid = run_handed(JAIL_GATE);
	plan.ill = false;
	CHECK_INT(next_message(&m, 2000), 1);
	CHECK_INT(m.type, MSG_READY);
	CHECK_INT(next_message(&m, 2200), -EAGAIN);
	kill(pid, SIGKILL);
	status_of(pid);
	unhand();
}

static void skip_marks(void)
{
	CHECK_INT(next_mark(2000), 'b');
	CHECK_INT(next_mark(2000), 's');
}

/* Init is gone, or not itself: the daemon flushes and ends. */
static void test_init_ends(void)
{
	struct msg m;
	pid_t pid = run_handed(JAIL_GATE);

	skip_marks();
	CHECK_INT(next_message(&m, 2000), 1); /* READY */
	close(to_init);
	CHECK_INT(next_mark(1000), 'e');
	CHECK_INT(status_of(pid), 3);
	close(to_peer);
	pid = run_handed(JAIL_GATE);
	skip_marks();
	CHECK_INT(next_message(&m, 2000), 1);
	CHECK(send(to_init, "nonsense", 8, 0) == 8);
	CHECK_INT(next_mark(1000), 'e');
	CHECK_INT(status_of(pid), 3);
	unhand();
}

static void test_peer_broken(void)
{
	struct msg m;

	plan.broken = true;
	pid_t pid = run_handed(JAIL_GATE);
	plan.broken = false;
	skip_marks();
	CHECK_INT(next_message(&m, 2000), 1);
	CHECK_INT(m.type, MSG_BROKEN);
	CHECK_INT(next_message(&m, 2000), 1);
	CHECK_INT(m.type, MSG_READY);
	kill(pid, SIGTERM);
	CHECK_INT(status_of(pid), 12);
	unhand();
}

/* -- Small things ----------------------------------------------------------------------------------------- */

static void test_path(void)
{
	char buf[16];

	CHECK_INT(daemon_path("/", "run/x", buf, sizeof(buf)), 0);
	CHECK_STR(buf, "/run/x");
	CHECK_INT(daemon_path("/a//", "b", buf, sizeof(buf)), 0);
	CHECK_STR(buf, "/a/b");
	CHECK_INT(daemon_path("/aaaaaaa", "bbbbbbb", buf, sizeof(buf)), -ENAMETOOLONG);
	CHECK_INT(daemon_path("/aaaaaa", "bbbbbbb", buf, sizeof(buf)), 0);
}

static void test_log(void)
{
	char line[2000], want[64], big[1500];
	int pipe_fds[2], old = dup(2);

	if (pipe(pipe_fds) < 0)
		exit(1);
	memset(big, 'x', sizeof(big) - 1);
	big[sizeof(big) - 1] = 0;
	dup2(pipe_fds[1], 2);
	daemon_log_name("test");
	daemon_log("a %d\nb\033[1m\xc2\x9b\x9b", 7);
	ssize_t n = read(pipe_fds[0], line, sizeof(line) - 1);
	line[n < 0 ? 0 : n] = 0;
	snprintf(want, sizeof(want), "test[%d]: a 7?b?[1m???\n", (int)getpid());
	CHECK_STR(line, want);
	daemon_log("%s", big);
	n = read(pipe_fds[0], line, sizeof(line) - 1);
	CHECK(n == 900 && line[n - 1] == '\n' && line[n - 2] == 'x');
	dup2(old, 2);
	close(pipe_fds[0]);
	close(pipe_fds[1]);
	close(old);
}

int main(void)
{
	test_path();
	test_log();
	if (geteuid() != 0) {
		printf("needs root\n");
		return 77;
	}
	if (mkdtemp(root) == NULL || chmod(root, 0755) < 0)
		return 1;
	snprintf(root_option, sizeof(root_option), "--root=%s", root);
	close_range(3, ~0u, 0);
	test_options();
	test_hooks_that_fail();
	test_handed_wrong();
	test_oneshot();
	test_life();
	test_not_well();
	test_init_ends();
	test_peer_broken();
	char command[100];
	snprintf(command, sizeof(command), "rm -rf -- '%s'", root);
	CHECK_INT(system(command), 0);
	return test_end();
}
