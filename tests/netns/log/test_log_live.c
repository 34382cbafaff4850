/*
 * test_log_live.c: sekisho-logd in its jail, on a real kernel's drops: the equation of law 3 at full rate, through
 * kill -9, stops, a hanging disk, a full disk, and clients that never read.
 *
 * Plays sekisho-init (opens the NFLOG sockets, keeps them, starts logd) and sekishod (counters, generation, clients)
 * in a network namespace of its own. Usage: test_log_live PATH-OF-SEKISHO-LOGD [SECONDS OF FLOOD]
 */
#include "test.h"

#include <arpa/inet.h>
#include <assert.h>
#include <errno.h>
#include <fcntl.h>
#include <net/if.h>
#include <poll.h>
#include <sched.h>
#include <signal.h>
#include <stdbool.h>
#include <sys/ioctl.h>
#include <sys/mount.h>
#include <sys/ptrace.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <dirent.h>
#include <unistd.h>

#include <sekisho/clock.h>
#include <sekisho/daemon.h>
#include <sekisho/msg.h>
#include <sekisho/open.h>

#define LOG_FDS (5 + DAEMON_NFLOG_COUNT)

static const char *program;
static char root[64];
/* The last one: ends of connections. */
static int nflog[DAEMON_NFLOG_COUNT + 1], init_pair[2], gate_pair[2], ledger_pair[2], digest_pair[2];
static pid_t logd;
static struct msg_log_status status;
static bool have_status;

/* -- The town: a counter, a log rule and a drop for each of two reasons, in the groups of two segments ---------- */

static const char ruleset[] = "table inet sekisho {\n"
			      "	counter no-rule { }\n"
			      "	counter spoof { }\n"
			      "	chain in {\n"
			      "		type filter hook input priority 0; policy accept;\n"
			      "		udp dport 9 counter name \"no-rule\" meta mark set 0x00bb0002 log group 100 "
			      "snaplen 128 "
			      "queue-threshold 64\n"
			      "		udp dport 9 drop\n"
			      "		udp dport 1000-1999 counter name \"spoof\" meta mark set 0x00bb0013 log group 103 "
			      "snaplen "
			      "128 queue-threshold 64\n"
			      "		udp dport 1000-1999 drop\n"
			      "	}\n"
			      "}\n";

static void load_rules(void)
{
	FILE *f = popen("nft -f -", "w");

	fputs(ruleset, f);
	CHECK_INT(pclose(f), 0);
}

static void loopback_up(void)
{
	struct ifreq r = {.ifr_name = "lo", .ifr_flags = IFF_UP};
	int fd = socket(AF_INET, SOCK_DGRAM, 0);

	CHECK_INT(ioctl(fd, SIOCSIFFLAGS, &r), 0);
	close(fd);
}

static struct msg_counters kernel_counters(void)
{
	struct msg_counters m = {.epoch = 11, .at = clock_wall().sec};
	char line[256], name[64] = "";
	FILE *f = popen("nft list counters table inet sekisho", "r");
	unsigned long long n;

	while (fgets(line, sizeof(line), f) != NULL) {
		if (sscanf(line, " counter %63s {", name) == 1)
			continue;
		if (sscanf(line, " packets %llu", &n) == 1)
			m.packets[strcmp(name, "spoof") == 0 ? REASON_SPOOF : REASON_NO_RULE] = n;
	}
	pclose(f);
	return m;
}

/* n packets to a port, or (spread) to ports from 1000 on, as fast as it goes or `rate` a second. */
static void send_drops(uint16_t port, bool spread, unsigned n, unsigned rate)
{
	struct sockaddr_in to = {.sin_family = AF_INET, .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
	struct sockaddr_in tos[64];
	struct iovec iov = {(char *)(uintptr_t)"x", 1};
	struct mmsghdr m[64];
	int fd = socket(AF_INET, SOCK_DGRAM, 0);
	struct mono begin = clock_mono();

	for (unsigned i = 0; i < 64; i++)
		m[i] = (struct mmsghdr){.msg_hdr = {.msg_name = &tos[i], .msg_namelen = sizeof(tos[i]), .msg_iov = &iov,
						.msg_iovlen = 1}};
	for (unsigned done = 0; done < n;) {
		unsigned k = n - done < 64 ? n - done : 64;
		for (unsigned i = 0; i < k; i++) {
			to.sin_port = htons(spread ? (uint16_t)(1000 + (done + i) % 1000) : port);
			tos[i] = to;
		}
		int sent = sendmmsg(fd, m, k, 0);
		done += sent > 0 ? (unsigned)sent : 0;
		while (rate != 0 && (uint64_t)mono_since_ms(begin) * rate / 1000 < done)
			usleep(1000);
	}
	close(fd);
}

/* -- Init and the gate -------------------------------------------------------------------------------------- */

static void start_logd(void)
{
	char option[96];

	snprintf(option, sizeof(option), "--root=%s", root);
	logd = fork();
	if (logd != 0)
		return;
	static_assert(DAEMON_FD_DIGEST == DAEMON_FD_INIT + LOG_FDS - 1, "the last one");
	int fds[LOG_FDS] = {init_pair[1], gate_pair[1]};
	memcpy(fds + 2, nflog, sizeof(nflog));
	fds[LOG_FDS - 2] = ledger_pair[1];
	fds[LOG_FDS - 1] = digest_pair[1];
	/* First out of the way, then to their places. */
	for (int i = 0; i < LOG_FDS; i++)
		fds[i] = fcntl(fds[i], F_DUPFD, 100);
	for (int i = 0; i < LOG_FDS; i++)
		dup2(fds[i], 3 + i);
	execl(program, program, "--handed", option, (char *)NULL);
	_exit(9);
}

static void end_logd(int signo)
{
	int st;

	kill(logd, signo);
	waitpid(logd, &st, 0);
	logd = 0;
}

static void hear(void)
{
	struct msg m;

	while (msg_recv(init_pair[0], &m) == 1)
		msg_close_fds(&m);
	while (msg_recv(gate_pair[0], &m) == 1) {
		if (m.type == MSG_LOG_STATUS) {
			status = m.u.msg_log_status;
			have_status = true;
		}
		msg_close_fds(&m);
	}
}

static void tell_counters(void)
{
	struct msg_counters m = kernel_counters();

	msg_send(gate_pair[0], MSG_COUNTERS, 0, &m, NULL, 0);
}

static void seconds(int n)
{
	for (int i = 0; i < n * 10; i++) {
		if (i % 10 == 0)
			tell_counters();
		usleep(100000);
		hear();
	}
}

/* True when kernel counter = stored + log-loss for both reasons, within so many seconds. */
static bool equation(int wait_s)
{
	struct msg_counters m = {0};

	for (int i = 0; i < wait_s; i++) {
		seconds(1);
		m = kernel_counters();
		if (status.stored[REASON_NO_RULE] + status.loss[REASON_NO_RULE] == m.packets[REASON_NO_RULE] &&
		    status.stored[REASON_SPOOF] + status.loss[REASON_SPOOF] == m.packets[REASON_SPOOF])
			return true;
	}
	printf("# no-rule: kernel %llu, stored %llu, loss %llu; spoof: kernel %llu, stored %llu, loss %llu\n",
		(unsigned long long)m.packets[REASON_NO_RULE], (unsigned long long)status.stored[REASON_NO_RULE],
		(unsigned long long)status.loss[REASON_NO_RULE], (unsigned long long)m.packets[REASON_SPOOF],
		(unsigned long long)status.stored[REASON_SPOOF], (unsigned long long)status.loss[REASON_SPOOF]);
	return false;
}

/* A question on a connection of its own. Rows go to fn; returns the last message. */
static struct msg_end ask(struct msg_query *q, void (*fn)(const struct msg *), int *ret_fd)
{
	struct msg_client c = {.uid = 0, .seconds = 30, .rights = MSG_RIGHTS};
	struct msg_end end = {0};
	struct msg m;
	int pair[2];

	CHECK_INT(socketpair(AF_UNIX, SOCK_SEQPACKET, 0, pair), 0);
	CHECK_INT(msg_send(gate_pair[0], MSG_CLIENT, 0, &c, &pair[1], 1), 0);
	close(pair[1]);
	if (q->port == 0)
		q->port = MSG_ANY_PORT;
	CHECK_INT(msg_send(pair[0], MSG_QUERY, 7, q, NULL, 0), 0);
	if (ret_fd != NULL) { /* it never reads */
		*ret_fd = pair[0];
		return end;
	}
	struct pollfd p = {.fd = pair[0], .events = POLLIN};
	while (poll(&p, 1, 10000) == 1 && msg_recv(pair[0], &m) == 1) {
		CHECK_INT(m.tag, 7);
		if (m.type == MSG_END) {
			end = m.u.msg_end;
			break;
		}
		if (fn != NULL)
			fn(&m);
	}
	close(pair[0]);
	return end;
}

static uint64_t rows_sum[REASON_END], rows_loss[REASON_END], rows_n;

static void sum_row(const struct msg *m)
{
	const struct msg_drop_row *r = &m->u.msg_drop_row;

	rows_n++;
	if (r->loss == MSG_LOSS_NONE)
		rows_sum[r->reason] += r->count;
	else
		rows_loss[r->reason] += r->loss == MSG_LOSS_LOST ? r->count : -r->count;
}

/* The rows themselves add up to what the status says, and the chain holds. */
static void check_rows(void)
{
	struct msg_query q = {.verb = MSG_LOG_DROPS, .limit = 1000000};
	struct msg_query v = {.verb = MSG_LOG_VERIFY};

	memset(rows_sum, 0, sizeof(rows_sum));
	memset(rows_loss, 0, sizeof(rows_loss));
	CHECK_INT(ask(&q, sum_row, NULL).ok, 1);
	CHECK_INT(rows_sum[REASON_NO_RULE], status.stored[REASON_NO_RULE]);
	CHECK_INT(rows_sum[REASON_SPOOF], status.stored[REASON_SPOOF]);
	CHECK_INT(rows_loss[REASON_NO_RULE], status.loss[REASON_NO_RULE]);
	struct msg_end end = ask(&v, NULL, NULL);
	CHECK_INT(end.ok, 1);
	CHECK_STR(end.error, "");
}

/* -- The tests ---------------------------------------------------------------------------------------------- */

static void test_seen_within_a_second(void)
{
	struct msg_query q = {.verb = MSG_LOG_DROPS};

	start_logd();
	seconds(2);
	CHECK(have_status && status.writable == 1);
	send_drops(9, false, 3, 0);
	usleep(1500000);
	rows_n = 0;
	memset(rows_sum, 0, sizeof(rows_sum));
	CHECK_INT(ask(&q, sum_row, NULL).ok, 1);
	CHECK_INT(rows_n, 1);
	CHECK_INT(rows_sum[REASON_NO_RULE], 3);
	CHECK(equation(5));
}

static void test_full_rate(int flood_s)
{
	uint64_t before = status.loss[REASON_SPOOF];
	unsigned n = 120000u * (unsigned)flood_s;
	struct mono begin = clock_mono();

	send_drops(0, true, n, 120000);
	printf("# %u drops at %lld a second\n", n, (long long)n * 1000 / (mono_since_ms(begin) + 1));
	CHECK(equation(8));
	CHECK_INT(status.loss[REASON_SPOOF], before);
	check_rows();
}

/* One segment floods without limit; the other one's few drops all have their record. */
static void test_flood_does_not_blind_the_other(int flood_s)
{
	uint64_t stored = status.stored[REASON_NO_RULE], loss = status.loss[REASON_NO_RULE];
	pid_t flood[2];

	for (int i = 0; i < 2; i++) {
		flood[i] = fork();
		if (flood[i] == 0) {
			send_drops(0, true, 4000000, 0);
			_exit(0);
		}
	}
	send_drops(9, false, 100u * (unsigned)flood_s, 100);
	for (int i = 0; i < 2; i++) {
		kill(flood[i], SIGKILL);
		waitpid(flood[i], NULL, 0);
	}
	CHECK(equation(10));
	CHECK_INT(status.stored[REASON_NO_RULE], stored + 100u * (unsigned)flood_s);
	CHECK_INT(status.loss[REASON_NO_RULE], loss);
	printf("# flood: %llu stored, %llu lost\n", (unsigned long long)status.stored[REASON_SPOOF],
		(unsigned long long)status.loss[REASON_SPOOF]);
}

static void test_killed(void)
{
	pid_t flood = fork();

	if (flood == 0) {
		send_drops(0, true, 40000000, 20000);
		_exit(0);
	}
	srand(7);
	for (int i = 0; i < 8; i++) {
		tell_counters();
		usleep((unsigned)(rand() % 1500000));
		end_logd(SIGKILL);
		start_logd();
	}
	seconds(2);
	kill(flood, SIGKILL);
	waitpid(flood, NULL, 0);
	CHECK(equation(10));
	check_rows();
}

static void test_stopped(void)
{
	uint64_t loss = status.loss[REASON_SPOOF];

	kill(logd, SIGSTOP);
	send_drops(0, true, 30000, 20000);
	seconds(1);
	kill(logd, SIGCONT);
	CHECK(equation(8));
	CHECK_INT(status.loss[REASON_SPOOF], loss); /* the kernel's buffer held them all */
}

/* The thread that writes: the one that is not the first. */
static pid_t storing_thread(void)
{
	char path[64];
	struct dirent *e;
	pid_t found = 0;

	snprintf(path, sizeof(path), "/proc/%d/task", (int)logd);
	DIR *d = opendir(path);
	while (d != NULL && (e = readdir(d)) != NULL) {
		pid_t tid = (pid_t)strtol(e->d_name, NULL, 10);
		if (tid > 0 && tid != logd)
			found = tid;
	}
	if (d != NULL)
		closedir(d);
	return found;
}

/* A disk that hangs: the storing thread stands still, reading goes on, sekishod is told, and nothing is lost. */
static void test_hanging_disk(void)
{
	pid_t tid = storing_thread();
	uint64_t loss = status.loss[REASON_SPOOF];

	CHECK(tid != 0);
	seconds(1);
	CHECK_INT(ptrace(PTRACE_SEIZE, tid, 0, 0), 0);
	CHECK_INT(ptrace(PTRACE_INTERRUPT, tid, 0, 0), 0);
	waitpid(tid, NULL, __WALL);
	send_drops(0, true, 700000, 120000); /* more than any buffer of the kernel holds */
	for (int i = 0; i < 30; i++) {
		usleep(100000);
		hear();
	}
	CHECK_INT(status.writable, 0);
	ptrace(PTRACE_DETACH, tid, 0, 0);
	CHECK(equation(8));
	CHECK_INT(status.writable, 1);
	CHECK_INT(status.loss[REASON_SPOOF], loss);
	check_rows();
}

static void test_clients_that_never_read(void)
{
	struct msg_query q = {.verb = MSG_LOG_DROPS, .limit = 1000000};
	int fds[6];

	for (int i = 0; i < 6; i++)
		ask(&q, NULL, &fds[i]);
	send_drops(9, false, 10, 0);
	CHECK(equation(5));
	check_rows();
	for (int i = 0; i < 6; i++)
		close(fds[i]);
	/* Nonsense on a connection ends it and nothing else. */
	struct msg_client c = {.uid = 0, .seconds = 30, .rights = MSG_RIGHTS};
	int pair[2];
	char byte;
	CHECK_INT(socketpair(AF_UNIX, SOCK_SEQPACKET, 0, pair), 0);
	CHECK_INT(msg_send(gate_pair[0], MSG_CLIENT, 0, &c, &pair[1], 1), 0);
	close(pair[1]);
	CHECK_INT(send(pair[0], "nonsense", 8, 0), 8);
	struct pollfd p = {.fd = pair[0], .events = POLLIN};
	CHECK_INT(poll(&p, 1, 3000), 1);
	CHECK_INT(recv(pair[0], &byte, 1, MSG_DONTWAIT), 0);
	close(pair[0]);
	CHECK(equation(5));
}

static void log_path(char *buf, size_t size, const char *name)
{
	snprintf(buf, size, "%s/" DAEMON_PATH_LOG "/%s", root, name);
}

static void fill_disk(const char *path)
{
	static const char zeros[4096];
	int fd = open(path, O_WRONLY | O_CREAT, 0600);

	while (write(fd, zeros, sizeof(zeros)) > 0)
		;
	close(fd);
}

/* A disk of 2 MB that others have filled; then they make room. */
static void test_full_disk(void)
{
	char dir[128], file[160];
	uint64_t loss;

	end_logd(SIGTERM);
	log_path(dir, sizeof(dir), "");
	log_path(file, sizeof(file), "others");
	CHECK_INT(mount("tmpfs", dir, "tmpfs", 0, "size=2m,mode=0700"), 0);
	CHECK_INT(chown(dir, JAIL_UID_LOG, JAIL_UID_LOG), 0);
	fill_disk(file);
	start_logd();
	seconds(3);
	CHECK_INT(status.writable, 0);
	send_drops(0, true, 50000, 0);
	seconds(2);
	CHECK_INT(status.writable, 0);
	unlink(file);
	seconds(3);
	CHECK_INT(status.writable, 1);
	/* This store is new: what the one before had stored is not in it. What came while it was full is. */
	CHECK(equation(8));
	CHECK(status.stored[REASON_SPOOF] >= 50000);
	loss = status.loss[REASON_SPOOF];
	/* Filled again while it runs, under a flood of new windows for some time. */
	fill_disk(file);
	send_drops(0, true, 200000, 40000);
	CHECK(equation(10));
	unlink(file);
	CHECK(equation(10));
	CHECK_INT(status.loss[REASON_SPOOF], loss);
	CHECK_INT(status.writable, 1);
	end_logd(SIGTERM);
	umount(dir);
}

static void begin(void)
{
	CHECK_INT(unshare(CLONE_NEWNET | CLONE_NEWNS), 0);
	CHECK_INT(mount("none", "/", NULL, MS_REC | MS_PRIVATE, NULL), 0);
	loopback_up();
	load_rules();
	snprintf(root, sizeof(root), "/tmp/sekisho-log-XXXXXX");
	CHECK(mkdtemp(root) != NULL);
	CHECK_INT(chmod(root, 0755), 0);
	CHECK_INT(paths_make(root), 0);
	CHECK_INT(socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_NONBLOCK | SOCK_CLOEXEC, 0, init_pair), 0);
	CHECK_INT(socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_NONBLOCK | SOCK_CLOEXEC, 0, gate_pair), 0);
	CHECK_INT(socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_NONBLOCK | SOCK_CLOEXEC, 0, ledger_pair), 0);
	CHECK_INT(socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_NONBLOCK | SOCK_CLOEXEC, 0, digest_pair), 0);
	for (unsigned i = 0; i < DAEMON_NFLOG_COUNT; i++) {
		nflog[i] = nflog_open((uint16_t)(DAEMON_NFLOG_GROUP + i));
		CHECK(nflog[i] >= 0);
	}
	nflog[DAEMON_NFLOG_COUNT] = ct_events_open();
	CHECK(nflog[DAEMON_NFLOG_COUNT] >= 0);
}

static void cleanup(void)
{
	char command[128];

	if (logd > 0)
		end_logd(SIGKILL);
	snprintf(command, sizeof(command), "rm -rf %s", root);
	if (root[0] != '\0' && system(command) != 0)
		printf("# %s stays\n", root);
}

int main(int argc, char **argv)
{
	int flood_s = argc > 2 ? atoi(argv[2]) : 3;

	if (geteuid() != 0) {
		printf("network namespaces need root\n");
		return 77;
	}
	if (argc < 2)
		return 2;
	program = argv[1];
	signal(SIGPIPE, SIG_IGN);
	setvbuf(stdout, NULL, _IOLBF, 0);
	begin();
	if (test_failures == 0) {
		test_seen_within_a_second();
		test_full_rate(flood_s);
		test_flood_does_not_blind_the_other(flood_s);
		test_killed();
		test_stopped();
		test_hanging_disk();
		test_clients_that_never_read();
		test_full_disk();
	}
	cleanup();
	return test_end();
}
