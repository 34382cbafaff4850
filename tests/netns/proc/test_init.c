/*
 * test_init.c: sekisho-init with tiny daemons: kill -9, SIGSTOP and hanging of each process, what sekishod is
 * told about it, and what is not lost. usage: test_init SEKISHO_INIT INIT_QUICK LIBEXEC
 *
 * Root, in a network namespace of its own. What the daemons do is read from the files they write in their
 * jails.
 */
#include <sekisho/clock.h>
#include <sekisho/daemon.h>

#include <arpa/inet.h>
#include <errno.h>
#include <fcntl.h>
#include <net/if.h>
#include <sched.h>
#include <signal.h>
#include <sys/ioctl.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include "test.h"
#include "tiny.h"

static char root[] = "/tmp/sekisho-init-XXXXXX";
static const char *libexec;
static pid_t init_pid;

#define BACK_MS 1000 /* a process that ended is back within this */

/* -- Small things ---------------------------------------------------------------------------------------- */

static void nap(void)
{
	nanosleep(&(struct timespec){.tv_nsec = 5000000}, NULL);
}

static const char *path(const char *below)
{
	static char buf[4][256];
	static unsigned turn;
	char *b = buf[turn++ % 4];

	snprintf(b, sizeof(buf[0]), "%s/%s", root, below);
	return b;
}

/* The whole file; "" when it is not there. */
static const char *content(const char *file)
{
	static char buf[1 << 18];
	FILE *f = fopen(file, "re");
	size_t n = f != NULL ? fread(buf, 1, sizeof(buf) - 1, f) : 0;

	buf[n] = 0;
	if (f != NULL)
		fclose(f);
	return buf;
}

#define EVENTS path(DAEMON_PATH_GATE "/events")
#define LINES path(DAEMON_PATH_LOG "/lines")

static unsigned count(const char *file, const char *text)
{
	unsigned n = 0;

	for (const char *p = content(file); (p = strstr(p, text)) != NULL; p++)
		n++;
	return n;
}

/* Waits until the text is there more than `before` times; milliseconds that took, or -1. */
static int64_t wait_more(const char *file, const char *text, unsigned before, int limit_ms)
{
	struct mono start = clock_mono();

	while (count(file, text) <= before) {
		if (mono_since_ms(start) > limit_ms)
			return -1;
		nap();
	}
	return mono_since_ms(start);
}

/* The number behind the last "WORD ". */
static long last_number(const char *file, const char *word)
{
	const char *last = NULL;

	for (const char *p = content(file); (p = strstr(p, word)) != NULL; p++)
		last = p;
	return last ? strtol(last + strlen(word), NULL, 10) : -1;
}

static pid_t gate_pid(void)
{
	return (pid_t)last_number(EVENTS, "started ");
}

/* As it says itself, over the socket that sekishod was given. */
static pid_t inspect_pid(void)
{
	return (pid_t)last_number(EVENTS, "inspector ");
}

static pid_t log_pid(void)
{
	return (pid_t)last_number(LINES, "started ");
}

static bool runs(pid_t pid)
{
	return pid > 0 && kill(pid, 0) == 0;
}

static bool gone_within(pid_t pid, int limit_ms)
{
	struct mono start = clock_mono();

	while (runs(pid) && mono_since_ms(start) < limit_ms)
		nap();
	return !runs(pid);
}

/* -- The control socket ---------------------------------------------------------------------------------- */

/* Asks the tiny gate; its pid, or -1. */
static int ask(enum tiny_action what)
{
	struct sockaddr_un a = {.sun_family = AF_UNIX};
	struct msg_request q = {.verb = MSG_VERB_STATUS, .argument = what};
	struct timeval patience = {.tv_sec = 3};
	struct msg m;
	int fd = socket(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0), pid = -1;

	daemon_path(root, DAEMON_PATH_CONTROL, a.sun_path, sizeof(a.sun_path));
	setsockopt(fd, SOL_SOCKET, SO_RCVTIMEO, &patience, sizeof(patience));
	if (connect(fd, (struct sockaddr *)&a, sizeof(a)) == 0 &&
		msg_send(fd, MSG_REQUEST, 9, &q, NULL, 0) == 0 && msg_recv(fd, &m) == 1 &&
		m.type == MSG_STATUS && m.tag == 9)
		pid = (int)m.u.msg_status.nrules;
	close(fd);
	return pid;
}

/* -- Starting and stopping the whole --------------------------------------------------------------------- */

static void start_init(const char *program, const char *extra)
{
	unsigned gates = count(EVENTS, "started "), logs = count(LINES, "started ");
	char root_option[300], libexec_option[600];

	snprintf(root_option, sizeof(root_option), "--root=%s", root);
	snprintf(libexec_option, sizeof(libexec_option), "--libexec=%s", libexec);
	fflush(NULL);
	init_pid = fork();
	if (init_pid == 0) {
		/* A test that is killed takes everything with it. */
		prctl(PR_SET_PDEATHSIG, SIGTERM, 0, 0, 0);
		setenv("SECRET", "must not be seen", 1);
		dup2(2, 77); /* a stray descriptor */
		execl(program, "sekisho-init", "--foreground", root_option, libexec_option, extra,
			(char *)NULL);
		_exit(127);
	}
	CHECK(wait_more(EVENTS, "started ", gates, 5000) >= 0);
	CHECK(wait_more(LINES, "started ", logs, 5000) >= 0);
	CHECK(ask(TINY_NOTHING) == gate_pid());
}

static int stop_init(int signo)
{
	int status = -1;

	kill(init_pid, signo);
	waitpid(init_pid, &status, 0);
	return status;
}

/* -- What a fresh start looks like ----------------------------------------------------------------------- */

static bool has_mode(const char *below, uid_t uid, gid_t gid, mode_t mode)
{
	struct stat st;

	return stat(path(below), &st) == 0 && st.st_uid == uid && st.st_gid == gid &&
	       (st.st_mode & 07777) == mode;
}

/* Descriptors 0..last are there, and none of the parent's beyond; file: the one that is no socket, or 0. */
static void check_descriptors(pid_t pid, int last, int file)
{
	char name[64], target[64];

	for (int fd = 0; fd <= last; fd++) {
		snprintf(name, sizeof(name), "/proc/%d/fd/%d", (int)pid, fd);
		ssize_t n = readlink(name, target, sizeof(target) - 1);
		target[n < 0 ? 0 : n] = 0;
		CHECK(n > 0);
		bool list = fd != 0 && fd == file;
		CHECK(fd < 3 || list || strncmp(target, "socket:", 7) == 0);
		CHECK(!list || strstr(target, "nfnetlink_queue") != NULL);
		CHECK(fd > 1 || strcmp(target, "/dev/null") == 0);
	}
	snprintf(name, sizeof(name), "/proc/%d/fd/77", (int)pid);
	CHECK(readlink(name, target, sizeof(target)) < 0);
	snprintf(name, sizeof(name), "/proc/%d/environ", (int)pid);
	CHECK_STR(content(name), "PATH=/usr/sbin:/usr/bin:/sbin:/bin");
}

static void test_start(void)
{
	CHECK(strncmp(content(EVENTS), "closed ", 7) == 0); /* before anything else */
	CHECK_INT(count(EVENTS, "closed "), 1);
	CHECK(has_mode(DAEMON_PATH_RUN, 0, 0, 0755) && has_mode(DAEMON_PATH_EMPTY, 0, 0, 0555));
	CHECK(has_mode(DAEMON_PATH_CONTROL, 0, JAIL_GID_CONTROL, 0660) &&
		has_mode(DAEMON_PATH_STATE, 0, 0, 0755));
	CHECK(has_mode(DAEMON_PATH_GATE, JAIL_UID_GATE, JAIL_UID_GATE, 0700));
	CHECK(has_mode(DAEMON_PATH_LOG, JAIL_UID_LOG, JAIL_UID_LOG, 0700));
	check_descriptors(gate_pid(), DAEMON_FD_CALLER, DAEMON_FD_QUEUES);
	check_descriptors(log_pid(), DAEMON_FD_LEDGER, 0);
}

/* -- kill -9 and SIGSTOP --------------------------------------------------------------------------------- */

static void test_kill_gate(void)
{
	for (unsigned i = 0; i < 4; i++) {
		pid_t old = gate_pid(), log = log_pid();
		unsigned before = count(EVENTS, "started "), told = count(EVENTS, "exited:sekishod 9 ");
		kill(old, SIGKILL);
		int64_t ms = wait_more(EVENTS, "started ", before, 3000);
		CHECK(ms >= 0 && ms < BACK_MS);
		CHECK(gate_pid() != old && !runs(old));
		CHECK(wait_more(EVENTS, "exited:sekishod 9 ", told, 1000) >= 0);
		CHECK(runs(log) && log == log_pid());	  /* the other one is not touched */
		CHECK_INT(ask(TINY_NOTHING), gate_pid()); /* on the same control socket */
	}
	/* "exited:sekishod STATUS RESTARTS DOWN_MS TAG" */
	const char *last = strstr(content(EVENTS), "exited:sekishod 9 4 ");
	CHECK(last != NULL && strtol(last + 20, NULL, 10) < BACK_MS);
}

/* Numbers that a gate of this pid sent and logd did not write. */
static unsigned missing_faults(pid_t gate)
{
	char word[32];
	long last = 0, number;
	unsigned seen = 0;

	snprintf(word, sizeof(word), "fault %d ", (int)gate);
	for (const char *p = content(LINES); (p = strstr(p, word)) != NULL; p++) {
		number = strtol(p + strlen(word), NULL, 10);
		last = number > last ? number : last;
		seen++;
	}
	CHECK(seen > 0);
	return (unsigned)last - seen;
}

static void test_kill_log(void)
{
	pid_t gate = gate_pid();
	unsigned kills = 5;

	for (unsigned i = 0; i < kills; i++) {
		pid_t old = log_pid();
		unsigned before = count(LINES, "started "), told = count(EVENTS, "exited:sekisho-logd 9 ");
		kill(old, SIGKILL);
		int64_t ms = wait_more(LINES, "started ", before, 3000);
		CHECK(ms >= 0 && ms < BACK_MS);
		CHECK(log_pid() != old && !runs(old));
		CHECK(wait_more(EVENTS, "exited:sekisho-logd 9 ", told, 1000) >= 0);
	}
	CHECK(gate == gate_pid() && runs(gate));
	CHECK(wait_more(LINES, "fault ", count(LINES, "fault ") + 3, 1000) >= 0);
	/* At most the one message that each of the killed had just taken out of the socket. */
	CHECK(missing_faults(gate) <= kills);
}

static void test_stop(pid_t (*which)(void), const char *told)
{
	for (unsigned i = 0; i < 2; i++) {
		pid_t pid = which();
		unsigned before = count(EVENTS, told), faults = count(LINES, "fault ");
		kill(pid, i == 0 ? SIGSTOP : SIGTSTP);
		CHECK(wait_more(EVENTS, told, before, BACK_MS) >= 0 || i == 1);
		CHECK(wait_more(LINES, "fault ", faults + 5, BACK_MS) >= 0);
		CHECK(pid == which() && runs(pid));
	}
}

/* Each inspector has a pair of its own to sekishod: a new one is attached, and the end of the old one is seen. */
static void test_inspector(void)
{
	static const char told[] = "exited:sekisho-inspect 9 ";

	CHECK(wait_more(EVENTS, "inspector ", 0, BACK_MS) >= 0);
	CHECK_INT(inspect_pid(), last_number(EVENTS, "attached "));
	check_descriptors(inspect_pid(), DAEMON_FD_GATE, 0);
	for (unsigned i = 0; i < 3; i++) {
		pid_t old = inspect_pid();
		unsigned before = count(EVENTS, "inspector "), gone = count(EVENTS, "inspector-gone ");
		unsigned exits = count(EVENTS, told);
		if (i < 2)
			kill(old, SIGKILL);
		else
			CHECK_INT(ask(TINY_INSPECTOR_BROKEN), gate_pid());
		CHECK(wait_more(EVENTS, "inspector-gone ", gone, 200) >= 0); /* at once, not with the next one */
		CHECK(wait_more(EVENTS, "inspector ", before, BACK_MS) >= 0);
		CHECK(inspect_pid() != old && !runs(old));
		CHECK(wait_more(EVENTS, told, exits, BACK_MS) >= 0);
	}
	/* With sekishod goes its inspector, unsaid; the next sekishod has a new one. */
	pid_t old = inspect_pid();
	unsigned before = count(EVENTS, "inspector "), exits = count(EVENTS, "exited:sekisho-inspect ");
	kill(gate_pid(), SIGKILL);
	CHECK(gone_within(old, BACK_MS));
	CHECK(wait_more(EVENTS, "inspector ", before, 2 * BACK_MS) >= 0);
	CHECK(inspect_pid() != old);
	nap();
	CHECK_INT(count(EVENTS, "exited:sekisho-inspect "), exits);
}

/* -- What the mail gate listens on ----------------------------------------------------------------------- */

static pid_t mail_pid(void)
{
	return (pid_t)last_number(EVENTS, "mail ");
}

static bool answers(uint16_t port)
{
	struct sockaddr_in to = {
		.sin_family = AF_INET, .sin_port = htons(port), .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
	int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
	bool good = connect(fd, (struct sockaddr *)&to, sizeof(to)) == 0;

	close(fd);
	return good;
}

static void test_listening(void)
{
	CHECK(wait_more(EVENTS, "mail ", 0, BACK_MS) >= 0);
	pid_t first = mail_pid();
	check_descriptors(first, DAEMON_FD_MAIL_VERIFY, 0);
	CHECK(!answers(DAEMON_MAIL_PORT));
	unsigned before = count(EVENTS, "mail ");
	CHECK_INT(ask(TINY_LISTEN), gate_pid());
	CHECK(wait_more(EVENTS, "mail ", before, BACK_MS) >= 0);
	char expected[64];
	snprintf(expected, sizeof(expected), "mail %d 1 %d ", (int)first, EINVAL); /* port 26 is nobody's */
	CHECK_INT(count(EVENTS, expected), 1);
	CHECK(answers(DAEMON_MAIL_PORT) && !answers(DAEMON_MAIL_PORT + 1));
	/* Said again: the address is opened beside its old socket, of which nobody notices anything. */
	before = count(EVENTS, "mail ");
	CHECK_INT(ask(TINY_LISTEN), gate_pid());
	CHECK(wait_more(EVENTS, "mail ", before, BACK_MS) >= 0);
	CHECK_INT(count(EVENTS, expected), 2);
	CHECK(answers(DAEMON_MAIL_PORT));
	/* Dead: nobody listens; the next one has the same sockets opened for it again. */
	for (unsigned i = 0; i < 2; i++) {
		pid_t old = mail_pid();
		before = count(EVENTS, "mail ");
		if (i == 0)
			kill(old, SIGKILL);
		else
			CHECK_INT(ask(TINY_MAIL_BROKEN), gate_pid());
		CHECK(gone_within(old, BACK_MS) && (i > 0 || !answers(DAEMON_MAIL_PORT) || mail_pid() != old));
		CHECK(wait_more(EVENTS, "mail ", before, BACK_MS) >= 0);
		CHECK(mail_pid() != old && answers(DAEMON_MAIL_PORT));
	}
	before = count(EVENTS, "mail ");
	CHECK_INT(ask(TINY_DEAF), gate_pid());
	CHECK(wait_more(EVENTS, "mail ", before, BACK_MS) >= 0);
}

/* -- Packets while logd is away -------------------------------------------------------------------------- */

static void send_packets(unsigned n)
{
	struct sockaddr_in to = {
		.sin_family = AF_INET, .sin_port = htons(9), .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
	int fd = socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC, 0);

	for (unsigned i = 0; i < n; i++)
		CHECK(sendto(fd, "x", 1, 0, (struct sockaddr *)&to, sizeof(to)) == 1 || errno == EPERM);
	close(fd);
}

static bool loopback_up(void)
{
	struct ifreq r = {.ifr_name = "lo", .ifr_flags = IFF_UP};
	int fd = socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC, 0);
	bool up = ioctl(fd, SIOCSIFFLAGS, &r) == 0;

	close(fd);
	return up;
}

static bool log_rule(void)
{
	return loopback_up() && system("nft 'table ip t { chain o { type filter hook output priority 0; udp "
				       "dport 9 log group 108 "
				       "snaplen 128 queue-threshold 64; udp dport 9 log group 100 "
				       "queue-threshold 64; udp dport 9 drop; }; }'") == 0;
}

static void test_packets(void)
{
	if (!log_rule()) {
		printf("nft is not there: packets are not tried\n");
		return;
	}
	unsigned no_segment = count(LINES, "packet 108"), first = count(LINES, "packet 100");
	send_packets(100);
	CHECK(wait_more(LINES, "packet 108", no_segment + 99, 2000) >= 0);
	CHECK(wait_more(LINES, "packet 100", first + 99, 2000) >= 0);
	/* Nobody reads and nobody starts again: the kernel goes on queueing into what init holds. */
	pid_t log = log_pid();
	kill(init_pid, SIGSTOP);
	kill(log, SIGKILL);
	send_packets(200);
	nap();
	CHECK_INT(count(LINES, "packet 108"), no_segment + 100);
	kill(init_pid, SIGCONT);
	CHECK(wait_more(LINES, "packet 108", no_segment + 299, 2000) >= 0);
	CHECK_INT(count(LINES, "packet 108"), no_segment + 300);
	CHECK(log_pid() != log);
}

/* -- What sekishod may ask ------------------------------------------------------------------------------- */

static void test_oneshots(void)
{
	unsigned results = count(EVENTS, "result "), ended = count(EVENTS, "exited:sekisho-compile 0 ");

	CHECK(ask(TINY_COMPILE) > 0);
	CHECK(wait_more(EVENTS, "result ", results, 3000) >= 0);
	CHECK(strstr(content(EVENTS), "result 5 1 1 0\n") !=
		NULL); /* five bytes; time and language as asked */
	CHECK(wait_more(EVENTS, "exited:sekisho-compile 0 ", ended, 3000) >= 0);
	CHECK(strstr(content(EVENTS), "exited:sekisho-compile 0 0 0 77\n") !=
		NULL); /* the tag of the request */
	CHECK(ask(TINY_BAD_LANGUAGE) > 0);
	CHECK(wait_more(EVENTS, "exited:sekisho-compile 32512 0 0 77\n", 0, 3000) >= 0); /* 127 << 8 */
	CHECK(wait_more(EVENTS, "no-result 0", 0, 3000) >= 0);
}

/* With the quick init: a one-shot that hangs is killed by time, more of them than fit are refused. */
static void test_oneshot_limit(void)
{
	unsigned ended = count(EVENTS, "exited:sekisho-prove 9 ");
	struct mono start = clock_mono();

	for (unsigned i = 0; i < 5; i++)
		CHECK(ask(TINY_PROVE) > 0);
	CHECK(wait_more(EVENTS, "exited:sekisho-prove 32512 ", 0, 1000) >= 0); /* the fifth */
	CHECK(wait_more(EVENTS, "exited:sekisho-prove 9 ", ended + 3, 5000) >= 0);
	CHECK(mono_since_ms(start) >= 1400);
	CHECK(wait_more(EVENTS, "no-result 0", 0, 1000) >= 0);
}

/* sekishod dies: what it asked for dies with it. */
static void test_oneshot_orphan(void)
{
	CHECK(ask(TINY_PROVE) > 0);
	unsigned before = count(EVENTS, "started "), ended = count(EVENTS, "exited:sekisho-prove 9 ");
	kill(gate_pid(), SIGKILL);
	CHECK(wait_more(EVENTS, "started ", before, 3000) >= 0);
	/* The slot is free again at once: four more fit. */
	for (unsigned i = 0; i < 4; i++)
		CHECK(ask(TINY_PROVE) > 0);
	CHECK(wait_more(EVENTS, "exited:sekisho-prove 9 ", ended + 3, 5000) >= 0);
	/* The new sekishod hears of its own four and not of its predecessor's. */
	CHECK_INT(count(EVENTS, "exited:sekisho-prove 9 "), ended + 4);
	CHECK_INT(count(EVENTS, "exited:sekisho-prove 32512 "), 1); /* from the test before */
}

/* -- Hanging and misbehaving ----------------------------------------------------------------------------- */

/* After this request sekishod is killed and comes back; how it ended. */
static void expect_restart(enum tiny_action what, const char *told, int limit_ms)
{
	pid_t old = gate_pid();
	unsigned before = count(EVENTS, "started "), exits = count(EVENTS, told);

	CHECK_INT(ask(what), old);
	CHECK(wait_more(EVENTS, "started ", before, limit_ms) >= 0);
	CHECK(wait_more(EVENTS, told, exits, 1000) >= 0);
	CHECK(!runs(old) && gate_pid() != old);
}

static void test_misbehaving(void)
{
	expect_restart(TINY_GARBAGE, "exited:sekishod 9 ", BACK_MS);
	expect_restart(TINY_FORBIDDEN, "exited:sekishod 9 ", BACK_MS);
	expect_restart(TINY_EXIT, "exited:sekishod 1280 ", BACK_MS); /* 5 << 8 */
	pid_t log = log_pid();
	unsigned before = count(LINES, "started ");
	/* One that sends without end does not keep init from the others. */
	CHECK_INT(ask(TINY_FLOOD), gate_pid());
	kill(log, SIGKILL);
	CHECK(wait_more(LINES, "started ", before, BACK_MS) >= 0);
	unsigned gates = count(EVENTS, "started ");
	kill(gate_pid(), SIGKILL);
	CHECK(wait_more(EVENTS, "started ", gates, BACK_MS) >= 0);
	before = count(LINES, "started ");
	log = log_pid();
	CHECK_INT(ask(TINY_PEER_BROKEN), gate_pid());
	CHECK(wait_more(LINES, "started ", before, BACK_MS) >= 0);
	CHECK(!runs(log));
}

static void test_hanging(void)
{
	expect_restart(TINY_HANG, "exited:sekishod 9 ", 2500 + 500 + BACK_MS);
	expect_restart(TINY_ILL, "exited:sekishod 9 ", 2500 + 500 + BACK_MS);
	/* The same silence, announced: nobody is killed; and it is for once only. */
	pid_t busy = gate_pid();
	CHECK_INT(ask(TINY_BUSY), busy);
	sleep(5);
	CHECK(runs(busy) && gate_pid() == busy);
	expect_restart(TINY_HANG, "exited:sekishod 9 ", 2500 + 500 + BACK_MS);
	/* A start that never gets READY: killed, and the next one works. */
	int fd = open(path(DAEMON_PATH_GATE "/slow"), O_WRONLY | O_CREAT | O_CLOEXEC, 0600);
	close(fd);
	unsigned before = count(EVENTS, "started ");
	kill(gate_pid(), SIGKILL);
	int64_t ms = wait_more(EVENTS, "started ", before, 2500 + 500 + 2 * BACK_MS);
	CHECK(ms > 2000);
}

/* -- The end of init ------------------------------------------------------------------------------------- */

static void test_orderly_end(void)
{
	pid_t gate = gate_pid(), log = log_pid();
	struct stat st;

	CHECK_INT(stop_init(SIGTERM), 0);
	CHECK(!runs(gate) && !runs(log));
	CHECK(strstr(content(EVENTS), "stopped ") != NULL);
	CHECK(stat(path(DAEMON_PATH_CONTROL), &st) < 0 && errno == ENOENT);
}

/* Everything of it ends, even what was stopped, and a new init finds nothing in its way. */
static void test_killed_init(const char *program)
{
	pid_t gate = gate_pid(), log = log_pid();

	kill(init_pid, SIGSTOP);
	kill(log, SIGSTOP);
	CHECK_INT(stop_init(SIGKILL), SIGKILL);
	CHECK(gone_within(gate, 3000));
	CHECK(gone_within(log, 3000));
	unsigned closed = count(EVENTS, "closed ");
	start_init(program, NULL);
	CHECK_INT(count(EVENTS, "closed "), closed + 1);
}

/* The watchdog is fed while sekishod is well, not while it hangs, and told of an orderly end. */
static void test_watchdog(const char *quick)
{
	char option[300];
	struct stat a, b, c;

	snprintf(option, sizeof(option), "--watchdog=%s", path("watchdog"));
	close(open(path("watchdog"), O_WRONLY | O_CREAT | O_CLOEXEC, 0600));
	start_init(quick, option);
	sleep(3);
	CHECK(stat(path("watchdog"), &a) == 0 && a.st_size >= 2 && a.st_size <= 5);
	CHECK(ask(TINY_ILL) > 0);
	sleep(1);
	CHECK(stat(path("watchdog"), &b) == 0);
	sleep(1);
	CHECK(stat(path("watchdog"), &c) == 0 && c.st_size == b.st_size);
	CHECK_INT(stop_init(SIGTERM), 0);
	CHECK(stat(path("watchdog"), &c) == 0 && c.st_size > 0);
	int fd = open(path("watchdog"), O_RDONLY | O_CLOEXEC);
	char last = 0;
	CHECK(pread(fd, &last, 1, c.st_size - 1) == 1 && last == 'V');
	close(fd);
}

static void test_usage(const char *program)
{
	char command[600];

	snprintf(command, sizeof(command), "'%s' --unknown 2>/dev/null", program);
	CHECK_INT(WEXITSTATUS(system(command)), 2);
	snprintf(command, sizeof(command), "'%s' --root=relative 2>/dev/null", program);
	CHECK_INT(WEXITSTATUS(system(command)), 2);
	/* No gate can be closed: nothing else starts. */
	snprintf(command, sizeof(command), "'%s' --foreground --root='%s' --libexec=/nowhere 2>/dev/null",
		program, root);
	CHECK_INT(WEXITSTATUS(system(command)), 3);
}

int main(int argc, char **argv)
{
	if (geteuid() != 0) {
		printf("needs root\n");
		return 77;
	}
	if (argc != 4 || mkdtemp(root) == NULL || chmod(root, 0755) < 0 || unshare(CLONE_NEWNET) < 0) {
		printf("usage: test_init SEKISHO_INIT INIT_QUICK LIBEXEC: %s\n", strerror(errno));
		return 1;
	}
	libexec = argv[3];
	test_usage(argv[1]);
	start_init(argv[1], NULL);
	test_start();
	test_kill_gate();
	test_kill_log();
	test_stop(gate_pid, "exited:sekishod 4991 "); /* SIGSTOP << 8 | 0x7f */
	test_stop(log_pid, "exited:sekisho-logd 4991 ");
	test_stop(inspect_pid, "exited:sekisho-inspect 4991 ");
	test_inspector();
	test_packets();
	test_listening();
	test_oneshots();
	test_misbehaving();
	test_killed_init(argv[1]);
	test_orderly_end();
	start_init(argv[2], NULL);
	test_oneshot_limit();
	test_oneshot_orphan();
	test_hanging();
	test_orderly_end();
	test_watchdog(argv[2]);
	char command[300];
	snprintf(command, sizeof(command), "rm -rf -- '%s'", root);
	CHECK_INT(system(command), 0);
	return test_end();
}
