/*
 * jail_table.c: what each process may do: a row per process, lists of system calls, and nothing else.
 *
 * The lists are by purpose, so that a row reads as what the process does. Names are resolved for the machine
 * at run time; a name that the architecture does not have (open on aarch64) is left out. Landlock holds the
 * paths of calls that take one; where a row has no path, opening is refused altogether.
 */
#include "jail_table.h"

#include <fcntl.h>
#include <linux/reboot.h>
#include <linux/capability.h>
#include <linux/netlink.h>
#include <sched.h>
#include <signal.h>
#include <stddef.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <sys/time.h>
#include <time.h>
#include <unistd.h>

#include <sekisho/daemon.h>

#define CAN(name) {name, JAIL_ALLOW, {{JAIL_ALWAYS, 0, 0}}}
#define CANNOT(name) {name, JAIL_REFUSE, {{JAIL_ALWAYS, 0, 0}}}
#define CAN_IF(name, arg, value) {name, JAIL_ALLOW, {{JAIL_EQUAL, arg, value}}}
#define CAN_WITH(name, arg, bits) {name, JAIL_ALLOW, {{JAIL_MASKED, arg, bits, bits}}}
#define CAN_WITHOUT(name, arg, bits) {name, JAIL_ALLOW, {{JAIL_MASKED, arg, 0, bits}}}
#define CAN_NETLINK(protocol) {"socket", JAIL_ALLOW, {{JAIL_EQUAL, 0, AF_NETLINK}, {JAIL_EQUAL, 2, protocol}}}
#define CAN_STREAM(domain) {"socket", JAIL_ALLOW, {{JAIL_EQUAL, 0, domain}, {JAIL_MASKED, 1, SOCK_STREAM, 0xf}}}
#define END {NULL, JAIL_ALLOW, {{JAIL_ALWAYS, 0, 0}}}
#define KIB ((rlim_t)1024)
#define MIB (1024 * KIB)
#define GIB (1024 * MIB)

/*
 * What any program needs: memory that is never executable, time, its own signals, bytes on what it has open.
 */
static const struct jail_call living[] = {
	CAN("read"), CAN("readv"), CAN("pread64"), CAN("lseek"), CAN("close"), CAN("fstat"),
	CAN("fcntl"), CAN("ftruncate"), CAN("memfd_create"),
	CAN_WITH("newfstatat", 3, AT_EMPTY_PATH),
	CAN_WITHOUT("mmap", 2, PROT_EXEC), CAN_WITHOUT("mprotect", 2, PROT_EXEC),
	CAN("munmap"), CAN("mremap"), CAN("madvise"), CAN("brk"), CAN("futex"), CAN("sched_yield"),
	CAN("clock_gettime"), CAN("clock_getres"), CAN("gettimeofday"), CAN("time"), CAN("clock_nanosleep"),
	CAN("nanosleep"), CAN("getrandom"), CAN("getpid"), CAN("gettid"), CAN("getuid"), CAN("geteuid"),
	CAN("getgid"), CAN("getegid"), CAN("getresuid"), CAN("getresgid"), CAN("getgroups"), CAN("capget"),
	CAN("rt_sigreturn"), CAN("rt_sigprocmask"), CAN("rt_sigaction"), CAN("sigaltstack"),
	CAN("restart_syscall"), CAN("exit"), CAN("exit_group"), CAN("poll"), CAN("ppoll"), CAN("getsockopt"),
	/* jail_verify() */
	CAN_IF("prctl", 0, PR_GET_SECCOMP), CAN_IF("prctl", 0, PR_GET_NO_NEW_PRIVS),
	CAN_IF("prctl", 0, PR_GET_DUMPABLE), CAN_IF("prctl", 0, PR_CAPBSET_READ),
	CAN_IF("prlimit64", 2, 0), CAN("getrlimit"),
	/* stdio asks whether a stream is a terminal; libc asks for the machine's name and size. */
	CANNOT("ioctl"), CANNOT("uname"), CANNOT("sysinfo"), CAN("sched_getaffinity"),
	END,
};

/* Bytes to whatever it has open. */
static const struct jail_call writing[] = {
	CAN("write"), CAN("writev"), CAN("pwrite64"),
	END,
};

/* The event loop. */
static const struct jail_call looping[] = {
	CAN("epoll_create1"), CAN("epoll_ctl"), CAN("epoll_wait"), CAN("epoll_pwait"), CAN("epoll_pwait2"),
	CAN("signalfd4"), CAN("eventfd2"),
	END,
};

/* Messages on sockets that are there already. */
static const struct jail_call talking[] = {
	CAN("recvmsg"), CAN("recvmmsg"), CAN("recvfrom"), CAN("sendmsg"), CAN("sendto"), CAN("shutdown"),
	CAN("getsockname"), CAN("getpeername"), CAN("setsockopt"),
	END,
};

/*
 * sekisho-inspect hears everywhere and speaks to init and sekishod alone: not on the queues (where the kernel would refuse
 * it all the same), and a line to the log.
 */
static const struct jail_call inspecting[] = {
	CAN("recvmsg"), CAN("recvmmsg"), CAN_IF("sendmsg", 0, DAEMON_FD_INIT), CAN_IF("sendmsg", 0, DAEMON_FD_GATE),
	CAN_IF("write", 0, STDERR_FILENO), CANNOT("open"), CANNOT("openat"),
	{"setsockopt", JAIL_ALLOW, {{JAIL_EQUAL, 1, SOL_SOCKET}, {JAIL_EQUAL, 2, SO_LINGER}}},
	END,
};

/* Files below the row's paths. */
static const struct jail_call filing[] = {
	CAN("open"), CAN("openat"), CAN("newfstatat"), CAN("stat"), CAN("lstat"), CAN("statx"), CAN("access"),
	CAN("faccessat"), CAN("faccessat2"), CAN("readlink"), CAN("readlinkat"), CAN("getcwd"), CAN("getdents64"),
	CAN("statfs"), CAN("fstatfs"), CAN("fsync"), CAN("fdatasync"), CAN("fallocate"), CAN("flock"),
	CAN("unlink"), CAN("unlinkat"), CAN("rename"), CAN("renameat"), CAN("renameat2"), CAN("mkdir"),
	CAN("mkdirat"), CAN("rmdir"), CAN("fadvise64"), CAN("umask"), CAN("fchmod"), CAN("utimensat"),
	/* SQLite gives a file it made to the owner of the database: it is that owner already. */
	CANNOT("fchown"), CANNOT("chown"),
	END,
};

/*
 * No files but the time zones, which are public and read-only (a policy names its zone, so it is not known
 * before the jail). Libraries that look for another file do not find it.
 */
static const struct jail_call zoning[] = {
	CAN_WITHOUT("openat", 2, O_ACCMODE | O_CREAT | O_TRUNC | O_PATH), CAN("access"), CAN("faccessat"),
	CAN("faccessat2"), CANNOT("open"), CANNOT("stat"), CANNOT("lstat"), CANNOT("statx"), CANNOT("readlink"),
	CANNOT("readlinkat"), CANNOT("getcwd"),
	END,
};

/* sekishod opens its own netlink sockets, accepts the console and makes pairs for one-shots and clients. */
static const struct jail_call gatekeeping[] = {
	CAN_NETLINK(NETLINK_ROUTE), CAN_NETLINK(NETLINK_NETFILTER), CAN("bind"), CAN("sendmmsg"),
	CAN("accept4"), CAN("accept"), CAN_IF("socketpair", 0, AF_UNIX),
	END,
};

/*
 * sekisho-logd writes its store on a thread of its own: threads of this process and nothing else. clone3
 * hides its flags from the filter; libc takes clone when it is not there.
 */
#define OF_A_THREAD (CLONE_VM | CLONE_SIGHAND | CLONE_THREAD)
#define OF_A_NAMESPACE                                                                                         \
	(CLONE_NEWUSER | CLONE_NEWNET | CLONE_NEWNS | CLONE_NEWPID | CLONE_NEWIPC | CLONE_NEWUTS |             \
		CLONE_NEWCGROUP)
static const struct jail_call threading[] = {
	{"clone", JAIL_ALLOW, {{JAIL_MASKED, 0, OF_A_THREAD, OF_A_THREAD | OF_A_NAMESPACE}}},
	{"clone3", JAIL_ABSENT, {{JAIL_ALWAYS, 0, 0}}}, CAN("set_robust_list"), CAN("rseq"),
	END,
};

/* sekisho-maild serves sockets that it was given: it takes their connections and makes pairs for its workers. */
static const struct jail_call posting[] = {
	CAN("accept4"), CAN_IF("socketpair", 0, AF_UNIX), CANNOT("open"), CANNOT("openat"),
	END,
};

/* sekisho-connect makes connections and hands them on. */
static const struct jail_call calling[] = {
	CAN_STREAM(AF_INET), CAN_STREAM(AF_INET6), CAN("connect"), CAN("recvmsg"), CAN("sendmsg"),
	CAN_IF("write", 0, STDERR_FILENO), CANNOT("open"), CANNOT("openat"),
	END,
};

/* sekisho-alarm speaks on the connections that it is given; its own sockets are all there. */
static const struct jail_call notifying[] = {
	CAN("recvmsg"),
	CAN("recvfrom"),
	CAN("sendmsg"),
	CAN("sendto"),
	CAN_IF("write", 0, STDERR_FILENO),
	CANNOT("open"),
	CANNOT("openat"),
	{"setsockopt", JAIL_ALLOW, {{JAIL_EQUAL, 1, SOL_SOCKET}, {JAIL_EQUAL, 2, SO_LINGER}}},
	END,
};

/* sekisho-hostd keeps the clock, and restarts the box. */
static const struct jail_call keeping[] = {
	CAN_IF("clock_settime", 0, CLOCK_REALTIME), CAN_IF("clock_adjtime", 0, CLOCK_REALTIME), CAN("adjtimex"), CAN("sync"),
	CAN_IF("reboot", 2, LINUX_REBOOT_CMD_RESTART), CAN_IF("reboot", 2, LINUX_REBOOT_CMD_POWER_OFF),
	END,
};

/* A one-shot answers on one descriptor. */
static const struct jail_call answering[] = {
	CAN_IF("sendmsg", 0, DAEMON_FD_RESULT),
	END,
};

/* Captures come by descriptor from the parent, packets of an interface on a socket that it opened. */
static const struct jail_call reading[] = {
	CAN("recvmsg"), CAN("recvfrom"), CAN("dup"), CAN("fsync"), CANNOT("openat"), CANNOT("open"),
	END,
};

/*
 * sekisho-clean and sekisho-verify make a child for each mail. Most of it is for the child before it narrows itself; what
 * its own row has must be here too.
 */
#define CHILD_OF_FORK (CLONE_CHILD_CLEARTID | CLONE_CHILD_SETTID | SIGCHLD)
#define CAN_LIMIT(resource) {"prlimit64", JAIL_ALLOW, {{JAIL_EQUAL, 0, 0}, {JAIL_EQUAL, 1, resource}}}
static const struct jail_call breeding[] = {
	CAN_IF("clone", 0, CHILD_OF_FORK), CAN("set_robust_list"), CAN("wait4"),
	CAN_IF("recvmsg", 0, DAEMON_FD_MAIL), CAN_IF("sendmsg", 0, DAEMON_FD_INIT), CAN_IF("sendmsg", 0, DAEMON_FD_MAIL),
	{"setsockopt", JAIL_ALLOW, {{JAIL_EQUAL, 1, SOL_SOCKET}, {JAIL_EQUAL, 2, SO_LINGER}}},
	CAN_IF("write", 0, MAIL_FD_OUT), CAN_IF("write", 0, STDERR_FILENO), CAN_IF("write", 0, MAIL_FD_REPORT),
	CAN("dup2"), CAN("dup3"), CAN("close_range"), CAN("getppid"), CAN("alarm"), CAN_IF("setitimer", 0, ITIMER_REAL),
	CAN_LIMIT(RLIMIT_CPU), CAN_LIMIT(RLIMIT_NOFILE), CAN_LIMIT(RLIMIT_NPROC),
	CAN_IF("prctl", 0, PR_SET_PDEATHSIG), CAN_IF("prctl", 0, PR_SET_SECCOMP),
	CANNOT("open"), CANNOT("openat"),
	END,
};

/* One mail: in, out, an answer, the end. Its own memory is all there. */
static const struct jail_call verifying[] = {
	CAN_IF("read", 0, MAIL_FD_IN), CAN_IF("write", 0, MAIL_FD_OUT), CAN_IF("sendmsg", 0, MAIL_FD_RESULT),
	CAN("exit_group"), CAN("exit"), CAN("rt_sigreturn"), CAN("restart_syscall"),
	END,
};

/* The cleaner also has memory, the list of domains, and a report that it seals. */
static const struct jail_call cleaning[] = {
	CAN_IF("read", 0, MAIL_FD_DOMAINS), CAN_IF("pread64", 0, MAIL_FD_DOMAINS), CAN_IF("fstat", 0, MAIL_FD_DOMAINS),
	{"newfstatat", JAIL_ALLOW, {{JAIL_EQUAL, 0, MAIL_FD_DOMAINS}, {JAIL_MASKED, 3, AT_EMPTY_PATH, AT_EMPTY_PATH}}},
	CAN_IF("write", 0, MAIL_FD_REPORT), CAN_IF("ftruncate", 0, MAIL_FD_REPORT), CAN_IF("fcntl", 0, MAIL_FD_REPORT),
	CAN_WITHOUT("mmap", 2, PROT_EXEC), CAN_WITHOUT("mprotect", 2, PROT_EXEC), CAN("munmap"), CAN("mremap"),
	CAN("madvise"), CAN("brk"), CAN("clock_gettime"), CAN("gettimeofday"), CAN("time"),
	END,
};

/*
 * sekisho-tls makes a child for each connection, and a pair for the one signature of that child. It hears sekisho-init,
 * sekisho-maild, sekishod and sekisho-sign, and reads certificates that came by descriptor.
 */
static const struct jail_call handshaking[] = {
	CAN_IF("clone", 0, CHILD_OF_FORK), CAN("set_robust_list"), CAN("wait4"),
	CAN("recvmsg"), CAN_IF("sendmsg", 0, DAEMON_FD_INIT), CAN_IF("sendmsg", 0, DAEMON_FD_MAIL),
	CAN_IF("sendmsg", 0, DAEMON_FD_TLS_GATE), CAN_IF("sendmsg", 0, DAEMON_FD_TLS_SIGN),
	CAN_IF("socketpair", 0, AF_UNIX),
	{"setsockopt", JAIL_ALLOW, {{JAIL_EQUAL, 1, SOL_SOCKET}, {JAIL_EQUAL, 2, SO_LINGER}}},
	CAN_IF("write", 0, TLS_FD_NET), CAN_IF("write", 0, TLS_FD_PLAIN), CAN_IF("write", 0, STDERR_FILENO),
	CAN_IF("shutdown", 0, TLS_FD_NET), CAN_IF("shutdown", 0, TLS_FD_PLAIN),
	CAN("dup2"), CAN("dup3"), CAN("close_range"), CAN("getppid"), CAN_LIMIT(RLIMIT_CPU), CAN_LIMIT(RLIMIT_NOFILE),
	CAN_LIMIT(RLIMIT_NPROC), CAN_IF("prctl", 0, PR_SET_SECCOMP), CANNOT("open"), CANNOT("openat"),
	END,
};

/* One connection: its two ends, a result, a question to sekisho-sign. No descriptor beside them, ever. */
static const struct jail_call encrypting[] = {
	CAN_IF("read", 0, TLS_FD_NET), CAN_IF("read", 0, TLS_FD_PLAIN), CAN_IF("write", 0, TLS_FD_NET),
	CAN_IF("write", 0, TLS_FD_PLAIN), CAN_IF("shutdown", 0, TLS_FD_NET), CAN_IF("shutdown", 0, TLS_FD_PLAIN),
	CAN_IF("sendmsg", 0, TLS_FD_RESULT), CAN_IF("sendmsg", 0, TLS_FD_SIGN), CAN_IF("recvmsg", 0, TLS_FD_SIGN),
	CAN_IF("close", 0, TLS_FD_RESULT), CAN_IF("close", 0, TLS_FD_SIGN), CAN("poll"), CAN("ppoll"),
	CAN_WITHOUT("mmap", 2, PROT_EXEC), CAN_WITHOUT("mprotect", 2, PROT_EXEC), CAN("munmap"), CAN("mremap"),
	CAN("madvise"), CAN("brk"), CAN("futex"), CAN("getrandom"), CAN("clock_gettime"), CAN("gettimeofday"), CAN("time"),
	CAN("exit_group"), CAN("exit"), CAN("rt_sigreturn"), CAN("restart_syscall"), CANNOT("open"), CANNOT("openat"),
	END,
};

/* sekisho-sign reads keys that came by descriptor, and answers on sockets that came so. */
static const struct jail_call signing[] = {
	CAN("recvmsg"), CAN("sendmsg"), CAN_IF("write", 0, STDERR_FILENO), CANNOT("open"), CANNOT("openat"),
	{"setsockopt", JAIL_ALLOW, {{JAIL_EQUAL, 1, SOL_SOCKET}, {JAIL_EQUAL, 2, SO_LINGER}}},
	END,
};

/* The sanitizers' runtime lives in the same process; only their builds have this. */
static const struct jail_call sanitizing[] = {
#if defined(__SANITIZE_ADDRESS__)
	CANNOT("sched_getparam"), CANNOT("getppid"),
#endif
	END,
};

/* They also look at themselves, and say what they found. */
static const struct jail_call sanitizing_mail[] = {
#if defined(__SANITIZE_ADDRESS__)
	CAN("mmap"), CAN("munmap"), CAN("madvise"), CAN("getpid"), CAN("gettid"), CAN_IF("write", 0, STDERR_FILENO),
	CAN("sigaltstack"), CAN("rt_sigaction"), CAN("rt_sigprocmask"), CAN("futex"), CAN("clock_gettime"), CANNOT("openat"),
	CANNOT("readlink"), CANNOT("prctl"), CANNOT("close"),
#endif
	END,
};

#if defined(__SANITIZE_ADDRESS__)
#define ADDRESS_SPACE RLIM_INFINITY /* the shadow takes terabytes */
#define ADDRESS_SPACE_MAIL RLIM_INFINITY
#define ADDRESS_SPACE_TLS RLIM_INFINITY
#else
#define ADDRESS_SPACE (4 * GIB)
#define ADDRESS_SPACE_MAIL (64 * MIB) /* a cleaner needs about 3 */
#define ADDRESS_SPACE_TLS (128 * MIB) /* 20 are GnuTLS and what it brings along */
#endif

/*
 * Reports that sekisho-maild has not read yet: the kernel counts descriptors under way by user, and sends no more than
 * the sender's RLIMIT_NOFILE. A child has no call that would give it a descriptor anyway.
 */
#define MAIL_REPORTS 1000

const struct jail_spec jail_table[JAIL_ROWS] = {
	[JAIL_GATE] = {
		.name = "sekishod",
		.uid = JAIL_UID_GATE,
		.capabilities = UINT64_C(1) << CAP_NET_ADMIN,
		.calls = {living, writing, looping, talking, filing, gatekeeping, sanitizing},
		.paths = {
			{JAIL_STORE, true, DAEMON_PATH_GATE},
			{JAIL_STORE, true, DAEMON_PATH_EVIDENCE},
			/* passwd, for names: the directory, since useradd replaces the file; its secrets are root's alone. */
			{JAIL_LOOK, true, "/etc"},
			{JAIL_LOOK, true, DAEMON_PATH_ACCOUNTS},
			{JAIL_TUNE, false, "/proc/sys/net"},
			{JAIL_READ, false, "/proc/self/net"},
			{JAIL_READ, false, "/proc/sys/kernel/random"},
			{JAIL_READ, false, JAIL_ZONES},
			{JAIL_READ, false, "/dev/urandom"},
		},
		.limits = {{RLIMIT_CORE, 0}, {RLIMIT_NOFILE, 512}, {RLIMIT_AS, ADDRESS_SPACE},
			{RLIMIT_FSIZE, 1 * GIB}},
	},
	[JAIL_LOG] = {
		.name = "sekisho-logd",
		.uid = JAIL_UID_LOG,
		.calls = {living, writing, looping, talking, filing, threading, sanitizing},
		.paths = {
			{JAIL_STORE, true, DAEMON_PATH_LOG},
			{JAIL_READ, false, "/proc/sys/kernel/random"},
			{JAIL_READ, false, JAIL_ZONES},
			{JAIL_READ, false, "/dev/urandom"},
		},
		.limits = {{RLIMIT_CORE, 0}, {RLIMIT_NOFILE, 256}, {RLIMIT_AS, ADDRESS_SPACE}},
	},
	[JAIL_COMPILE] = {
		.name = "sekisho-compile",
		.uid = JAIL_UID_NONE,
		.zones_root = true,
		.calls = {living, writing, answering, zoning, sanitizing},
		.paths = {{JAIL_LOOK, false, JAIL_ZONES}},
		.limits = {{RLIMIT_CORE, 0}, {RLIMIT_NOFILE, 32}, {RLIMIT_AS, ADDRESS_SPACE},
			{RLIMIT_FSIZE, 1 * GIB}, {RLIMIT_CPU, 120}},
	},
	[JAIL_PROVE] = {
		.name = "sekisho-prove",
		.uid = JAIL_UID_NONE,
		.zones_root = true,
		.calls = {living, writing, answering, zoning, sanitizing},
		.paths = {{JAIL_LOOK, false, JAIL_ZONES}},
		.limits = {{RLIMIT_CORE, 0}, {RLIMIT_NOFILE, 32}, {RLIMIT_AS, ADDRESS_SPACE},
			{RLIMIT_FSIZE, 1 * GIB}, {RLIMIT_CPU, 120}},
	},
	[JAIL_INSPECT] = {
		.name = "sekisho-inspect",
		.uid = JAIL_UID_INSPECT,
		.empty_root = true,
		.calls = {living, looping, inspecting, sanitizing},
		.limits = {{RLIMIT_CORE, 0}, {RLIMIT_NOFILE, 64}, {RLIMIT_AS, ADDRESS_SPACE}},
	},
	[JAIL_MAIL] = {
		.name = "sekisho-maild",
		.uid = JAIL_UID_MAIL,
		.empty_root = true,
		.calls = {living, writing, looping, talking, posting, sanitizing},
		.limits = {{RLIMIT_CORE, 0}, {RLIMIT_NOFILE, 16384}, {RLIMIT_AS, ADDRESS_SPACE}},
	},
	[JAIL_CONNECT] = {
		.name = "sekisho-connect",
		.uid = JAIL_UID_CONNECT,
		.calls_port = DAEMON_MAIL_PORT,
		.empty_root = true,
		.calls = {living, looping, calling, sanitizing},
		.limits = {{RLIMIT_CORE, 0}, {RLIMIT_NOFILE, 1024}, {RLIMIT_AS, ADDRESS_SPACE}},
	},
	[JAIL_ALARM] = {
		.name = "sekisho-alarm",
		.uid = JAIL_UID_ALARM,
		.empty_root = true,
		.calls = {living, looping, notifying, sanitizing},
		.limits = {{RLIMIT_CORE, 0}, {RLIMIT_NOFILE, 32}, {RLIMIT_AS, ADDRESS_SPACE}},
	},
	[JAIL_HOST] = {
		.name = "sekisho-hostd",
		.uid = JAIL_UID_HOST,
		.capabilities = UINT64_C(1) << CAP_SYS_TIME | UINT64_C(1) << CAP_SYS_BOOT,
		.calls = {living, writing, looping, talking, filing, keeping, sanitizing},
		.paths = {
			{JAIL_STORE, true, DAEMON_PATH_ACCOUNTS},
			{JAIL_READ, true, "usr/share/sekisho/accounts"},
		},
		.limits = {{RLIMIT_CORE, 0}, {RLIMIT_NOFILE, 64}, {RLIMIT_AS, ADDRESS_SPACE}, {RLIMIT_FSIZE, 4 * MIB}},
	},
	[JAIL_READER] = {
		.name = "sekisho-reader",
		.uid = JAIL_UID_NONE,
		.calls = {living, writing, reading, sanitizing},
		.limits = {{RLIMIT_CORE, 0}, {RLIMIT_NOFILE, 32}, {RLIMIT_AS, ADDRESS_SPACE}},
	},
	[JAIL_CLEAN] = {
		.name = "sekisho-clean",
		.uid = JAIL_UID_CLEAN,
		.empty_root = true,
		.calls = {living, looping, breeding, sanitizing},
		.limits = {{RLIMIT_CORE, 0}, {RLIMIT_NOFILE, MAIL_REPORTS}, {RLIMIT_AS, ADDRESS_SPACE_MAIL},
			{RLIMIT_NPROC, JAIL_MAIL_PROCESSES}, {RLIMIT_FSIZE, 4 * MIB}},
	},
	[JAIL_VERIFY] = {
		.name = "sekisho-verify",
		.uid = JAIL_UID_VERIFY,
		.empty_root = true,
		.calls = {living, looping, breeding, sanitizing},
		.limits = {{RLIMIT_CORE, 0}, {RLIMIT_NOFILE, 64}, {RLIMIT_AS, ADDRESS_SPACE_MAIL},
			{RLIMIT_NPROC, JAIL_MAIL_PROCESSES}, {RLIMIT_FSIZE, 4 * MIB}},
	},
	[JAIL_CLEAN_MAIL] = {
		.name = "sekisho-clean's child",
		.uid = JAIL_UID_CLEAN,
		.calls = {verifying, cleaning, sanitizing_mail},
		.limits = {{RLIMIT_NPROC, 0}}, /* RLIMIT_NOFILE: see MAIL_REPORTS */
	},
	[JAIL_VERIFY_MAIL] = {
		.name = "sekisho-verify's child",
		.uid = JAIL_UID_VERIFY,
		.calls = {verifying, sanitizing_mail},
		.limits = {{RLIMIT_NOFILE, 0}, {RLIMIT_NPROC, 0}},
	},
	[JAIL_TLS] = {
		.name = "sekisho-tls",
		.uid = JAIL_UID_TLS,
		.empty_root = true,
		.calls = {living, looping, handshaking, sanitizing},
		.limits = {{RLIMIT_CORE, 0}, {RLIMIT_NOFILE, 256}, {RLIMIT_AS, ADDRESS_SPACE_TLS},
			{RLIMIT_NPROC, JAIL_TLS_PROCESSES}},
	},
	[JAIL_TLS_CHILD] = {
		.name = "sekisho-tls's child",
		.uid = JAIL_UID_TLS,
		.calls = {encrypting, sanitizing_mail},
		/* As many as it has: poll() takes no more than the limit. */
		.limits = {{RLIMIT_NOFILE, TLS_FD_SIGN + 1}, {RLIMIT_NPROC, 0}},
	},
	[JAIL_SIGN] = {
		.name = "sekisho-sign",
		.uid = JAIL_UID_SIGN,
		.empty_root = true,
		.calls = {living, looping, signing, sanitizing},
		.limits = {{RLIMIT_CORE, 0}, {RLIMIT_NOFILE, 1024}, {RLIMIT_AS, ADDRESS_SPACE_TLS}},
	},
};
