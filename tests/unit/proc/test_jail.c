/*
 * test_jail.c: for every row of the jail table: what is forbidden is refused, and what the process lives on
 * works.
 *
 * An attempt is a function that says whether it worked. Each runs first as root outside any jail, where it
 * must work (an attempt that fails anyway proves nothing), then in a child inside each row's jail: rows in
 * `works` must succeed, all others must be refused: killed by the filter, or EPERM/EACCES/ENOENT. Raw system
 * calls that no row has are tried with useless arguments and must kill.
 */
#include <sekisho/clock.h>
#include <sekisho/daemon.h>
#include <sekisho/jail.h>
#include <sekisho/loop.h>
#include <sekisho/open.h>

#include <arpa/inet.h>
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <linux/capability.h>
#include <linux/netfilter/nfnetlink.h>
#include <linux/netfilter/nfnetlink_conntrack.h>
#include <linux/netfilter/nfnetlink_log.h>
#include <linux/netfilter/nfnetlink_queue.h>
#include <linux/netlink.h>
#include <linux/rtnetlink.h>
#include <pthread.h>
#include <sched.h>
#include <signal.h>
#include <sqlite3.h>
#include <sys/ioctl.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/ptrace.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/timex.h>
#include <sys/uio.h>
#include <sys/un.h>
#include <sys/wait.h>
#include <unistd.h>

#include "jail_mail.h"
#include "test.h"

#define GATE (1u << JAIL_GATE)
#define LOG (1u << JAIL_LOG)
#define COMPILE (1u << JAIL_COMPILE)
#define PROVE (1u << JAIL_PROVE)
#define INSPECT (1u << JAIL_INSPECT)
#define READER (1u << JAIL_READER)
#define MAIL (1u << JAIL_MAIL)
#define CONNECT (1u << JAIL_CONNECT)
#define ALARM (1u << JAIL_ALARM)
#define HOST (1u << JAIL_HOST)
#define CLEAN (1u << JAIL_CLEAN)
#define VERIFY (1u << JAIL_VERIFY)
#define ZYGOTES (CLEAN | VERIFY)
#define CLEAN_MAIL (1u << JAIL_CLEAN_MAIL)
#define VERIFY_MAIL (1u << JAIL_VERIFY_MAIL)
#define MAILS (CLEAN_MAIL | VERIFY_MAIL)
#define TLS (1u << JAIL_TLS)
#define TLS_CHILD (1u << JAIL_TLS_CHILD)
#define SIGN (1u << JAIL_SIGN)
#define DAEMONS (GATE | LOG)
#define ZONED (GATE | LOG | COMPILE | PROVE)
#define ALL (ZONED | INSPECT | MAIL | CONNECT | ALARM | HOST)
#define NONE 0u
#define EVERY (ALL | READER | ZYGOTES | MAILS | TLS | TLS_CHILD | SIGN)
#if defined(__SANITIZE_ADDRESS__) /* their address space is not limited then, and the runtime in them may do more */
#define MAIL_MEMORY (ZYGOTES | MAILS | TLS | TLS_CHILD | SIGN)
#define RUNTIME (MAILS | TLS_CHILD)
#else
#define MAIL_MEMORY 0u
#define RUNTIME 0u
#endif

#define HANDED_NFLOG 20
#define HANDED_PEER 21
#define HANDED_LISTEN 22
#define HANDED_QUEUE 23
#define HANDED_ENDED 24
#define QUEUE 207

static char root[] = "/tmp/sekisho-jail-XXXXXX";

/* -- Files ----------------------------------------------------------------------------------------------- */

static int try_open(const char *path, int flags)
{
	int fd = open(path, flags | O_CLOEXEC, 0600);

	if (fd < 0)
		return errno;
	close(fd);
	return 0;
}

static const char *below_root(const char *path, const char *name)
{
	static char buf[256];

	snprintf(buf, sizeof(buf), "%s/%s/%s-%d", root, path, name, (int)getpid());
	return buf;
}

static int read_passwd(void)
{
	return try_open("/etc/passwd", O_RDONLY);
}

static int read_accounts(void)
{
	char path[64];

	snprintf(path, sizeof(path), "%s/etc/passwd", root);
	return try_open(path, O_RDONLY);
}

static int list_root(void)
{
	DIR *d = opendir("/");

	if (d == NULL)
		return errno;
	closedir(d);
	return 0;
}

static int read_environment_of_parent(void)
{
	char path[64];

	snprintf(path, sizeof(path), "/proc/%d/environ", (int)getppid());
	return try_open(path, O_RDONLY);
}

static int write_own_memory(void)
{
	return try_open("/proc/self/mem", O_RDWR);
}

static int write_run_directory(void)
{
	return try_open(below_root(DAEMON_PATH_RUN, "x"), O_WRONLY | O_CREAT);
}

static int write_gate_file(void)
{
	return try_open(below_root(DAEMON_PATH_GATE, "x"), O_WRONLY | O_CREAT);
}

static int write_log_file(void)
{
	return try_open(below_root(DAEMON_PATH_LOG, "x"), O_WRONLY | O_CREAT);
}

static int write_accounts_file(void)
{
	return try_open(below_root(DAEMON_PATH_ACCOUNTS, "x"), O_WRONLY | O_CREAT);
}

/* The call that tells the kernel to keep the other clock, changing nothing. */
static int read_clock_state(void)
{
	struct timex x = {.modes = 0};

	return adjtimex(&x) < 0 ? errno : 0;
}

/* A generation as sekishod stores it: directory, temporary file, fsync, rename, directory fsync. */
static int store_generation(void)
{
	char dir[256], tmp[300], final[300];
	int fd, ok;

	snprintf(dir, sizeof(dir), "%s", below_root(DAEMON_PATH_GATE, "generation"));
	snprintf(tmp, sizeof(tmp), "%s/new", dir);
	snprintf(final, sizeof(final), "%s/1", dir);
	if (mkdir(dir, 0700) < 0 || (fd = open(tmp, O_RDWR | O_CREAT | O_TRUNC | O_CLOEXEC, 0600)) < 0)
		return errno;
	ok = write(fd, "policy", 6) == 6 && fsync(fd) == 0 && rename(tmp, final) == 0 && ftruncate(fd, 3) == 0;
	close(fd);
	if (!ok || (fd = open(dir, O_RDONLY | O_DIRECTORY | O_CLOEXEC)) < 0 || fsync(fd) < 0)
		return errno;
	close(fd);
	return unlink(final) == 0 && rmdir(dir) == 0 ? 0 : errno;
}

/* The store as sekisho-logd uses it: WAL, a durable transaction, a checkpoint. */
static int use_sqlite(void)
{
	sqlite3 *db = NULL;
	int flags = SQLITE_OPEN_READWRITE | SQLITE_OPEN_CREATE;
	int r = sqlite3_open_v2(below_root(DAEMON_PATH_LOG, "db"), &db, flags, NULL);

	if (r == SQLITE_OK)
		r = sqlite3_exec(db,
			"PRAGMA journal_mode=WAL; PRAGMA synchronous=FULL; CREATE TABLE t(a, b);"
			"BEGIN; INSERT INTO t VALUES(1, randomblob(100000)); COMMIT; PRAGMA wal_checkpoint(TRUNCATE);"
			"BEGIN; DELETE FROM t; COMMIT;",
			NULL, NULL, NULL);
	int closed = sqlite3_close(db);
	return r == SQLITE_OK && closed == SQLITE_OK ? 0 : EACCES;
}

static int make_symlink(void)
{
	return symlink("/etc", below_root(DAEMON_PATH_GATE, "link")) < 0 ? errno : 0;
}

static int make_fifo(void)
{
	return mkfifo(below_root(DAEMON_PATH_LOG, "fifo"), 0600) < 0 ? errno : 0;
}

static int change_root_directory(void)
{
	return chroot("/") < 0 ? errno : 0;
}

static int write_net_sysctl(void)
{
	char value[16];
	int fd = open("/proc/sys/net/ipv4/conf/default/rp_filter", O_RDWR | O_CLOEXEC);

	if (fd < 0)
		return errno;
	ssize_t n = pread(fd, value, sizeof(value), 0);
	int r = n > 0 && pwrite(fd, value, (size_t)n, 0) == n ? 0 : errno;
	close(fd);
	return r;
}

static int write_conntrack_sysctl(void)
{
	int fd = open("/proc/sys/net/netfilter/nf_conntrack_tcp_loose", O_WRONLY | O_TRUNC | O_CLOEXEC);

	if (fd < 0)
		return errno;
	int r = write(fd, "0\n", 2) == 2 ? 0 : errno;
	close(fd);
	return r;
}

static int write_kernel_sysctl(void)
{
	return try_open("/proc/sys/kernel/core_pattern", O_WRONLY);
}

static int read_network_statistics(void)
{
	return try_open("/proc/net/snmp", O_RDONLY);
}

static int read_boot_id(void)
{
	return try_open("/proc/sys/kernel/random/boot_id", O_RDONLY);
}

static int load_zone(void)
{
	struct civil c = {.year = 2026, .month = 7, .day = 1, .hour = 12};

	if (!clock_set_zone("Europe/Paris"))
		return EACCES;
	/* 10:00 UTC: the zone is really there, with its summer time. */
	return clock_from_civil(&c).sec == 1782900000 ? 0 : EACCES;
}

static int load_unknown_zone(void)
{
	return clock_set_zone("Europe/Nowhere") ? 0 : ENOENT;
}

/* -- Sockets --------------------------------------------------------------------------------------------- */

static int try_socket(int domain, int type, int protocol)
{
	int fd = socket(domain, type | SOCK_CLOEXEC, protocol);

	if (fd < 0)
		return errno;
	close(fd);
	return 0;
}

static int socket_tcp(void)
{
	return try_socket(AF_INET, SOCK_STREAM, 0);
}

static int socket_udp6(void)
{
	return try_socket(AF_INET6, SOCK_DGRAM, 0);
}

static int socket_tcp6(void)
{
	return try_socket(AF_INET6, SOCK_STREAM, 0);
}

/* Nobody listens there: being told so is success. */
static int call(uint16_t port)
{
	struct sockaddr_in to = {.sin_family = AF_INET, .sin_port = htons(port), .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
	int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);

	if (fd < 0)
		return errno;
	int r = connect(fd, (struct sockaddr *)&to, sizeof(to)) == 0 || errno == ECONNREFUSED || errno == ENETUNREACH
		? 0 : errno;
	close(fd);
	return r;
}

static int call_mail_server(void)
{
	return call(DAEMON_MAIL_PORT);
}

static int call_another_port(void)
{
	return call(80);
}

static int wait_for_calls(void)
{
	struct sockaddr_in here = {.sin_family = AF_INET, .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
	int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);

	if (fd < 0 || bind(fd, (struct sockaddr *)&here, sizeof(here)) < 0)
		return errno;
	int r = listen(fd, 1) < 0 ? errno : 0;
	close(fd);
	return r;
}

static int socket_packet(void)
{
	return try_socket(AF_PACKET, SOCK_RAW, 0);
}

static int socket_unix(void)
{
	return try_socket(AF_UNIX, SOCK_STREAM, 0);
}

static int socket_uevent(void)
{
	return try_socket(AF_NETLINK, SOCK_RAW, NETLINK_KOBJECT_UEVENT);
}

static int socket_generic_netlink(void)
{
	return try_socket(AF_NETLINK, SOCK_RAW, NETLINK_GENERIC);
}

/* A change of the network: an address on the loopback interface. */
static int set_address(void)
{
	struct {
		struct nlmsghdr h;
		struct ifaddrmsg a;
		struct rtattr attr;
		uint8_t address[4];
	} q = {{sizeof(q), RTM_NEWADDR, NLM_F_REQUEST | NLM_F_ACK | NLM_F_CREATE | NLM_F_REPLACE, 1, 0},
		{AF_INET, 32, 0, 0, 1}, {8, IFA_LOCAL}, {127, 0, 0, 9}};
	struct {
		struct nlmsghdr h;
		struct nlmsgerr e;
		char rest[256];
	} answer = {0};
	int fd = socket(AF_NETLINK, SOCK_RAW | SOCK_CLOEXEC, NETLINK_ROUTE);

	if (fd < 0)
		return errno;
	int r = send(fd, &q, sizeof(q), 0) < 0 || recv(fd, &answer, sizeof(answer), 0) < 0 ? errno : -answer.e.error;
	close(fd);
	return r;
}

/* Opening and configuring in nfnetlink: needs the capability of opener and sender. */
static int open_nflog_group(void)
{
	int fd = nflog_open((uint16_t)(200 + getpid() % 1000));

	if (fd < 0)
		return -fd;
	close(fd);
	return 0;
}

/* On a socket that root opened and handed: the sender's capability counts too. */
static int configure_handed_nflog(void)
{
	struct {
		struct nlmsghdr h;
		struct nfgenmsg g;
		struct nlattr attr;
		uint32_t value;
	} q = {{sizeof(q), NFNL_SUBSYS_ULOG << 8 | NFULNL_MSG_CONFIG, NLM_F_REQUEST | NLM_F_ACK, 1, 0},
		{AF_UNSPEC, NFNETLINK_V0, htons(DAEMON_NFLOG_GROUP)}, {8, NFULA_CFG_QTHRESH}, htonl(1)};
	struct {
		struct nlmsghdr h;
		struct nlmsgerr e;
		char rest[256];
	} answer = {0};

	if (sendto(HANDED_NFLOG, &q, sizeof(q), 0, NULL, 0) < 0 || recv(HANDED_NFLOG, &answer, sizeof(answer), 0) < 0)
		return errno;
	return -answer.e.error;
}

/* What tells of connections could end all of them, for who has the capability. */
static int flush_on_handed_ended(void)
{
	struct {
		struct nlmsghdr h;
		struct nfgenmsg g;
	} q = {{sizeof(q), NFNL_SUBSYS_CTNETLINK << 8 | IPCTNL_MSG_CT_DELETE, NLM_F_REQUEST | NLM_F_ACK, 1, 0},
		{AF_UNSPEC, NFNETLINK_V0, 0}};
	struct {
		struct nlmsghdr h;
		struct nlmsgerr e;
		char rest[256];
	} answer = {0};

	if (sendto(HANDED_ENDED, &q, sizeof(q), 0, NULL, 0) < 0 || recv(HANDED_ENDED, &answer, sizeof(answer), 0) < 0)
		return errno;
	return -answer.e.error;
}

/* The kernel asks for the capability of whoever sends, also on a socket that root opened: EPERM without our filter. */
static int verdict_on(int fd)
{
	struct {
		struct nlmsghdr h;
		struct nfgenmsg g;
		struct nlattr attr;
		struct nfqnl_msg_verdict_hdr verdict;
	} q = {{sizeof(q), NFNL_SUBSYS_QUEUE << 8 | NFQNL_MSG_VERDICT, NLM_F_REQUEST | NLM_F_ACK, 1, 0},
		{AF_UNSPEC, NFNETLINK_V0, htons(QUEUE)}, {12, NFQA_VERDICT_HDR}, {htonl(1), htonl(1)}};
	struct {
		struct nlmsghdr h;
		struct nlmsgerr e;
		char rest[256];
	} answer = {0};
	struct iovec iov = {&q, sizeof(q)}, back = {&answer, sizeof(answer)};
	struct msghdr mh = {.msg_iov = &iov, .msg_iovlen = 1}, reply = {.msg_iov = &back, .msg_iovlen = 1};

	if (sendmsg(fd, &mh, 0) < 0 || recvmsg(fd, &reply, 0) < 0)
		return errno;
	/* There is no packet 1: whoever may, is told so. */
	return answer.e.error == -ENOENT ? 0 : -answer.e.error;
}

static int send_verdict_on_queue(void)
{
	return verdict_on(HANDED_QUEUE);
}

/* The queue under the number that is its pair in the jail: our filter lets the call through. */
static int send_verdict_past_the_filter(void)
{
	return verdict_on(DAEMON_FD_GATE);
}

static int write_on_queue(void)
{
	char byte = 0;

	return write(HANDED_QUEUE, &byte, 1) < 0 ? errno : 0;
}

static int receive_on_queue(void)
{
	char buf[64];
	struct iovec iov = {buf, sizeof(buf)};
	struct mmsghdr m = {.msg_hdr = {.msg_iov = &iov, .msg_iovlen = 1}};

	return recvmmsg(HANDED_QUEUE, &m, 1, MSG_DONTWAIT, NULL) < 0 && errno != EAGAIN ? errno : 0;
}

/* Groups of the kernel's events: never on what was handed. */
static int join_group_on_queue(void)
{
	int group = NFNLGRP_CONNTRACK_NEW;

	return setsockopt(HANDED_QUEUE, SOL_NETLINK, NETLINK_ADD_MEMBERSHIP, &group, sizeof(group)) < 0 ? errno : 0;
}

static int beat(void)
{
	struct msg_beat b = {.sequence = 1};

	return -msg_send(DAEMON_FD_INIT, MSG_BEAT, 0, &b, NULL, 0);
}

static int receive_on_handed_nflog(void)
{
	char buf[64];

	return recv(HANDED_NFLOG, buf, sizeof(buf), MSG_DONTWAIT) < 0 && errno != EAGAIN ? errno : 0;
}

static int send_on_first(void)
{
	struct msg_result result = {0};
	int fd = memfd_create("diagnostics", MFD_CLOEXEC), r;

	if (fd < 0)
		return errno;
	r = msg_send(DAEMON_FD_RESULT, MSG_RESULT, 1, &result, &fd, 1);
	close(fd);
	return -r;
}

static int send_on_another(void)
{
	struct msg_result result = {0};
	int fd = DAEMON_FD_RESULT;

	return -msg_send(HANDED_PEER, MSG_RESULT, 1, &result, &fd, 1);
}

static int accept_client(void)
{
	int fd = accept4(HANDED_LISTEN, NULL, NULL, SOCK_CLOEXEC | SOCK_NONBLOCK);

	return fd < 0 && errno != EAGAIN ? errno : 0;
}

static int make_pair(void)
{
	int fds[2];

	return socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0, fds) < 0 ? errno : 0;
}

static void stop_loop(void *arg)
{
	loop_stop(arg, 7);
}

static int run_loop(void)
{
	struct loop *l = loop_new();
	int r = l == NULL || loop_add_timer(l, 1, 0, stop_loop, l) == NULL || loop_run(l) != 7 ? EPERM : 0;

	loop_free(l);
	return r;
}

#include "jail_processes.h"

/* -- The table ------------------------------------------------------------------------------------------- */

#define TRY(fn, rows) {#fn, fn, rows}
static const struct attempt {
	const char *name;
	int (*fn)(void);
	unsigned works;
} attempts[] = {
	TRY(read_passwd, NONE), TRY(read_accounts, GATE), TRY(list_root, NONE), TRY(read_environment_of_parent, NONE),
	TRY(write_own_memory, NONE), TRY(write_run_directory, NONE), TRY(write_gate_file, GATE),
	TRY(write_log_file, LOG), TRY(write_accounts_file, HOST), TRY(read_clock_state, HOST),
	TRY(store_generation, GATE), TRY(use_sqlite, LOG), TRY(make_symlink, NONE),
	TRY(make_fifo, NONE), TRY(change_root_directory, NONE), TRY(write_net_sysctl, GATE),
	TRY(write_conntrack_sysctl, GATE), TRY(write_kernel_sysctl, NONE), TRY(read_network_statistics, GATE),
	TRY(read_boot_id, DAEMONS), TRY(load_zone, ZONED), TRY(socket_tcp, CONNECT), TRY(socket_tcp6, CONNECT), TRY(socket_udp6, NONE),
	TRY(call_mail_server, CONNECT), TRY(call_another_port, NONE), TRY(wait_for_calls, NONE),
	TRY(socket_packet, NONE), TRY(socket_unix, NONE), TRY(socket_uevent, NONE),
	TRY(socket_generic_netlink, NONE), TRY(set_address, GATE), TRY(open_nflog_group, GATE),
	TRY(configure_handed_nflog, GATE), TRY(flush_on_handed_ended, GATE),
	TRY(receive_on_handed_nflog, DAEMONS | READER | MAIL | ALARM | HOST), TRY(send_on_first, ALL | ZYGOTES | TLS | SIGN),
	TRY(beat, ALL | ZYGOTES | MAILS | TLS | TLS_CHILD | SIGN),
	TRY(send_verdict_on_queue, GATE), TRY(send_verdict_past_the_filter, GATE), TRY(write_on_queue, ZONED | READER | MAIL | HOST),
	TRY(receive_on_queue, DAEMONS | INSPECT | MAIL | HOST), TRY(join_group_on_queue, GATE),
	TRY(send_on_another, DAEMONS | MAIL | CONNECT | ALARM | HOST | SIGN), TRY(accept_client, GATE | MAIL), TRY(make_pair, GATE | MAIL | TLS),
	TRY(run_loop, DAEMONS | INSPECT | MAIL | CONNECT | ALARM | HOST | ZYGOTES | TLS | SIGN),
	TRY(execute, NONE), TRY(make_child, ZYGOTES | TLS), TRY(make_thread, LOG), TRY(make_thread_with_namespace, NONE),
	TRY(trace_me, NONE),
	TRY(signal_parent, NONE), TRY(read_memory_of_parent, NONE), TRY(become_root, NONE),
	TRY(raise_capability, NONE), TRY(new_namespace, NONE), TRY(become_dumpable, NONE),
	TRY(map_executable, NONE), TRY(make_executable, NONE), TRY(raise_limit, NONE), TRY(use_memory, ALL | READER | MAIL_MEMORY),
	TRY(seal_memory_file, ZONED | READER | MAIL | HOST), TRY(write_line, ALL | READER | ZYGOTES | TLS | SIGN | RUNTIME),
	TRY(print, ZONED | READER | MAIL | HOST),
	TRY(read_in, EVERY), TRY(write_out, ZONED | READER | MAIL | HOST | ZYGOTES | MAILS | TLS | TLS_CHILD),
	TRY(write_log, (EVERY & ~MAILS & ~TLS_CHILD) | RUNTIME),
	TRY(seal_report, ZONED | READER | MAIL | HOST | ZYGOTES | CLEAN_MAIL),
	TRY(take_job, DAEMONS | INSPECT | READER | MAIL | CONNECT | ALARM | HOST | ZYGOTES | TLS | TLS_CHILD | SIGN),
	TRY(make_descriptor, EVERY & ~MAILS & ~TLS_CHILD), TRY(renumber, ZYGOTES | TLS), TRY(limit_processor, ZYGOTES | TLS),
	TRY(set_alarm, ZYGOTES),
	TRY(write_network, DAEMONS | ZONED | READER | MAIL | HOST | TLS | TLS_CHILD),
	TRY(end_stream, DAEMONS | MAIL | HOST | TLS | TLS_CHILD),
	TRY(ask_signature, DAEMONS | INSPECT | MAIL | CONNECT | ALARM | HOST | ZYGOTES | TLS | TLS_CHILD | SIGN),
	TRY(ward_off_alarm, (EVERY & ~MAILS & ~TLS_CHILD) | RUNTIME), TRY(outlive_parent, ZYGOTES),
	TRY(use_little_memory, (EVERY & ~VERIFY_MAIL) | RUNTIME),
};
#define N_ATTEMPTS (sizeof(attempts) / sizeof(attempts[0]))

/* No row has these; arguments are useless on purpose: outside they would fail, inside they must kill. */
static const struct raw {
	const char *name;
	long nr;
} raws[] = {
	{"bpf", SYS_bpf}, {"io_uring_setup", SYS_io_uring_setup}, {"userfaultfd", SYS_userfaultfd},
	{"perf_event_open", SYS_perf_event_open}, {"keyctl", SYS_keyctl}, {"add_key", SYS_add_key},
	{"init_module", SYS_init_module}, {"finit_module", SYS_finit_module}, {"kexec_load", SYS_kexec_load},
	{"mount", SYS_mount}, {"umount2", SYS_umount2}, {"move_mount", SYS_move_mount}, {"setns", SYS_setns},
	{"pivot_root", SYS_pivot_root}, {"reboot", SYS_reboot}, {"clock_settime", SYS_clock_settime},
	{"settimeofday", SYS_settimeofday}, {"sethostname", SYS_sethostname}, {"swapon", SYS_swapon},
	{"open_by_handle_at", SYS_open_by_handle_at}, {"execveat", SYS_execveat}, {"clone3", SYS_clone3},
	{"pidfd_open", SYS_pidfd_open}, {"pidfd_getfd", SYS_pidfd_getfd}, {"process_vm_writev", SYS_process_vm_writev},
	{"seccomp", SYS_seccomp}, {"landlock_create_ruleset", SYS_landlock_create_ruleset}, {"syslog", SYS_syslog},
	{"quotactl", SYS_quotactl}, {"acct", SYS_acct}, {"connect", SYS_connect}, {"listen", SYS_listen},
	{"fanotify_init", SYS_fanotify_init}, {"inotify_init1", SYS_inotify_init1}, {"shmget", SYS_shmget},
	{"msgget", SYS_msgget}, {"mq_open", SYS_mq_open}, {"setxattr", SYS_setxattr}, {"linkat", SYS_linkat},
	{"kcmp", SYS_kcmp}, {"name_to_handle_at", SYS_name_to_handle_at}, {"tgkill", SYS_tgkill},
	{"personality", SYS_personality}, {"unknown", 999},
};
#define N_RAWS (sizeof(raws) / sizeof(raws[0]))

/* -- Running --------------------------------------------------------------------------------------------- */

static int enter(enum jail_row row)
{
	struct jail_report report;

	if (row == JAIL_READER)
		return jail_confine(row, &report) < 0 || jail_confined(row) != NULL ? -1 : 0;
	return jail_enter(row, root, &report) < 0 || jail_verify(row) != NULL ? -1 : 0;
}

/* The child of a zygote: its own jail comes on top of its parent's. */
static int enter_narrow(enum jail_row row)
{
	struct jail_filter filter;

	if (jail_prepare(row, &filter) < 0 ||
		enter(row == JAIL_CLEAN_MAIL ? JAIL_CLEAN : row == JAIL_VERIFY_MAIL ? JAIL_VERIFY : JAIL_TLS) < 0)
		return -1;
	return jail_narrow(row, &filter);
}

static bool is_narrow(int row)
{
	return row >= 0 && (1u << row & (MAILS | TLS_CHILD)) != 0;
}

/* Child status: 0 worked, errno refused; -SIGNAL when killed; 254: the jail could not be entered. */
static int in_child(int row, int (*fn)(void), long nr)
{
	int status;
	enum jail_row jail = (enum jail_row)row;

	fflush(NULL);
	pid_t pid = fork();
	if (pid == 0) {
		if (row >= 0 && (is_narrow(row) ? enter_narrow(jail) : enter(jail)) < 0)
			_exit(254);
		_exit(fn != NULL ? fn() : syscall(nr, -1, -1, -1, -1, -1, -1) < 0 ? errno : 0);
	}
	waitpid(pid, &status, 0);
	return WIFSIGNALED(status) ? -WTERMSIG(status) : WEXITSTATUS(status);
}

static void expect(const char *row, const char *name, int got, int good)
{
	test_checks++;
	if (!good) {
		test_failures++;
		printf("%s: %s: got %d (0 worked, >0 errno, <0 signal)\n", row, name, got);
	}
}

static int is_refusal(int got)
{
	return got == -SIGSYS || got == EPERM || got == EACCES || got == ENOENT || got == ENOMEM;
}

static void test_row(enum jail_row row)
{
	unsigned own = 0;

	for (size_t i = 0; i < N_ATTEMPTS; i++) {
		int got = in_child((int)row, attempts[i].fn, 0), works = (attempts[i].works >> row & 1) != 0;
		expect(jail_name(row), attempts[i].name, got, works ? got == 0 : is_refusal(got));
		own += works != 0 && attempts[i].works != ALL;
	}
	for (size_t i = 0; i < N_RAWS; i++) {
		int got = in_child((int)row, NULL, raws[i].nr);
		/* Only clone3 is answered, in the row that has threads, so that libc takes clone. */
		int absent = row == JAIL_LOG && raws[i].nr == SYS_clone3 && got == ENOSYS;
		int called = row == JAIL_CONNECT && raws[i].nr == SYS_connect && got == EBADF;
		expect(jail_name(row), raws[i].name, got, got == -SIGSYS || absent || called);
	}
	int got = in_child((int)row, load_unknown_zone, 0);
	bool zoned = (ZONED >> row & 1) != 0;
	expect(jail_name(row), "load_unknown_zone", got, zoned ? got == ENOENT : is_refusal(got));
	/* The one-shots live on what all have; a daemon without an attempt of its own was forgotten here. */
	CHECK(own > 0 || row == JAIL_COMPILE || row == JAIL_PROVE);
}

/* Both locks of the inspector's queue, each by itself: our filter kills, and the kernel refuses what passes it. */
static void test_queue_locks(void)
{
	CHECK_INT(in_child(JAIL_INSPECT, send_verdict_on_queue, 0), -SIGSYS);
	CHECK_INT(in_child(JAIL_INSPECT, send_verdict_past_the_filter, 0), EPERM);
	CHECK_INT(in_child(JAIL_LOG, send_verdict_on_queue, 0), EPERM);
}

static void test_outside(void)
{
	for (size_t i = 0; i < N_ATTEMPTS; i++) {
		int got = in_child(-1, attempts[i].fn, 0);
		expect("outside", attempts[i].name, got, got == 0);
	}
}

/* -- What the kernel says about the process, seen from outside ------------------------------------------- */

static int wait_to_be_seen(int fd)
{
	char c = 'r';

	if (write(fd, &c, 1) != 1)
		return 1;
	return read(fd, &c, 1) == 1 ? 0 : 1;
}

static void check_line(const char *status, const char *key, const char *want)
{
	char line[64];

	snprintf(line, sizeof(line), "\n%s:\t%s\n", key, want);
	test_checks++;
	if (strstr(status, line) == NULL) {
		test_failures++;
		printf("status lacks %s: %s\n%s\n", key, want, status);
	}
}

static void look_at(pid_t pid, enum jail_row row)
{
	char path[64], status[4096], ids[64];
	unsigned uid = jail_uid(row);
	size_t n;

	snprintf(path, sizeof(path), "/proc/%d/status", (int)pid);
	FILE *f = fopen(path, "re");
	n = f != NULL ? fread(status, 1, sizeof(status) - 1, f) : 0;
	status[n] = 0;
	if (f != NULL)
		fclose(f);
	snprintf(ids, sizeof(ids), "%u\t%u\t%u\t%u", uid, uid, uid, uid);
	/* NET_ADMIN; SYS_BOOT and SYS_TIME */
	const char *capabilities = row == JAIL_GATE ? "0000000000001000" : row == JAIL_HOST ? "0000000002400000" : "0000000000000000";
	check_line(status, "Uid", ids);
	check_line(status, "Gid", ids);
	check_line(status, "Groups", " ");
	check_line(status, "NoNewPrivs", "1");
	check_line(status, "Seccomp", "2");
	check_line(status, "CapInh", "0000000000000000");
	check_line(status, "CapBnd", "0000000000000000");
	check_line(status, "CapAmb", "0000000000000000");
	check_line(status, "CapPrm", capabilities);
	check_line(status, "CapEff", capabilities);
	snprintf(path, sizeof(path), "/proc/%d/mem", (int)pid);
	struct stat st;
	CHECK(stat(path, &st) == 0 && st.st_uid == 0); /* not dumpable: not even its own user may look */
}

static void test_status(enum jail_row row)
{
	struct jail_report report;
	int pair[2], status;
	char c;

	CHECK(socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, pair) == 0);
	fflush(NULL);
	pid_t pid = fork();
	if (pid == 0) /* where even the inspector may write */
		_exit(dup2(pair[1], STDERR_FILENO) < 0 || jail_enter(row, root, &report) < 0
			? 1 : wait_to_be_seen(STDERR_FILENO));
	close(pair[1]);
	CHECK(read(pair[0], &c, 1) == 1);
	look_at(pid, row);
	CHECK(write(pair[0], "g", 1) == 1);
	waitpid(pid, &status, 0);
	CHECK_INT(status, 0);
	close(pair[0]);
}

/* -- jail_verify() can say no ---------------------------------------------------------------------------- */

static int verify_row;

static int verify_says_no(void)
{
	return jail_verify((enum jail_row)verify_row) == NULL ? 0 : EPERM;
}

static void test_verify(void)
{
	CHECK_STR(jail_verify(JAIL_GATE), "seccomp");
	verify_row = JAIL_LOG;
	CHECK_INT(in_child(JAIL_GATE, verify_says_no, 0), EPERM);
	verify_row = JAIL_COMPILE;
	CHECK_INT(in_child(JAIL_LOG, verify_says_no, 0), EPERM);
	verify_row = JAIL_GATE;
	CHECK_INT(in_child(JAIL_PROVE, verify_says_no, 0), EPERM);
	CHECK_INT(jail_find("sekisho-logd"), JAIL_LOG);
	CHECK_INT(jail_find("sekisho"), JAIL_ROWS);
}

/* -- Setting up ------------------------------------------------------------------------------------------ */

static void hand(int fd, int number)
{
	if (fd < 0 || (fd != number && (dup2(fd, number) < 0 || close(fd) < 0))) {
		printf("descriptor %d: %s\n", number, strerror(errno));
		exit(1);
	}
}

/* A queue socket as sekishod hands it: opened and bound with the capability. */
static int queue_open(void)
{
	struct {
		struct nlmsghdr h;
		struct nfgenmsg g;
		struct nlattr attr;
		struct nfqnl_msg_config_cmd bind;
	} q = {{sizeof(q), NFNL_SUBSYS_QUEUE << 8 | NFQNL_MSG_CONFIG, NLM_F_REQUEST | NLM_F_ACK, 1, 0},
		{AF_UNSPEC, NFNETLINK_V0, htons(QUEUE)}, {8, NFQA_CFG_CMD}, {NFQNL_CFG_CMD_BIND, 0, htons(AF_UNSPEC)}};
	struct {
		struct nlmsghdr h;
		struct nlmsgerr e;
		char rest[256];
	} answer = {0};
	int fd = socket(AF_NETLINK, SOCK_RAW, NETLINK_NETFILTER);

	if (fd < 0 || send(fd, &q, sizeof(q), 0) < 0 || recv(fd, &answer, sizeof(answer), 0) < 0 || answer.e.error != 0)
		return -1;
	return fd;
}

static int make_accounts(void)
{
	char command[160];

	snprintf(command, sizeof(command), "mkdir -m 755 %s/etc && install -m 644 /dev/null %s/etc/passwd", root, root);
	return system(command) == 0 ? 0 : -1;
}

static int prepare(void)
{
	int pair[2];

	if (mkdtemp(root) == NULL || chmod(root, 0755) < 0 || unshare(CLONE_NEWNET) < 0 || paths_make(root) < 0 ||
		make_accounts() < 0)
		return -1;
	hand(nflog_open(DAEMON_NFLOG_GROUP), HANDED_NFLOG);
	fcntl(HANDED_NFLOG, F_SETFL, 0); /* attempts wait for the kernel's answer */
	hand(ct_events_open(), HANDED_ENDED);
	fcntl(HANDED_ENDED, F_SETFL, 0);
	hand(control_open(root), HANDED_LISTEN);
	if (socketpair(AF_UNIX, SOCK_SEQPACKET, 0, pair) < 0)
		return -1;
	hand(fcntl(pair[1], F_DUPFD, 30), HANDED_PEER);
	close(pair[1]);
	hand(pair[0], DAEMON_FD_RESULT);
	hand(memfd_create("report", MFD_CLOEXEC | MFD_ALLOW_SEALING), MAIL_FD_REPORT);
	hand(queue_open(), HANDED_QUEUE);
	return dup2(HANDED_QUEUE, DAEMON_FD_GATE) < 0 ? -1 : 0;
}

static void remove_root(void)
{
	char command[300];

	snprintf(command, sizeof(command), "rm -rf -- '%s'", root);
	if (system(command) != 0)
		printf("%s was not removed\n", root);
}

int main(void)
{
	if (geteuid() != 0) {
		printf("needs root\n");
		return 77;
	}
	/* Descriptor 3 must be free for us. */
	close_range(3, ~0u, 0);
	if (prepare() < 0) {
		printf("prepare: %s\n", strerror(errno));
		return 1;
	}
	test_outside();
	test_verify();
	test_queue_locks();
	for (unsigned row = 0; row < JAIL_ROWS; row++) {
		test_row((enum jail_row)row);
		if (!is_narrow((int)row))
			test_status((enum jail_row)row);
	}
	remove_root();
	return test_end();
}
