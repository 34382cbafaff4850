/*
 * msg_daemon.h: messages between sekisho-init, sekishod, sekisho-logd and sekisho-inspect (see msg.h).
 */
#ifndef SEKISHO_MSG_DAEMON_H
#define SEKISHO_MSG_DAEMON_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include <sekisho/limits.h>
#include <sekisho/reason.h>

#define MSG_VERSION 1
#define MSG_FDS_MAX 8 /* MSG_QUEUES */
#define MSG_ACCOUNT 64 /* a user's name; "#UID" where the uid has none */
#define MSG_LINE 1024  /* a line of a shell, or of a form */
#define MSG_RECORD_NOTE 4096

/* -- a child to sekisho-init, and back ------------------------------------------------------------------ */

struct msg_ready { /* any daemon: the jail is verified, the loop runs */
	uint32_t pid;
};
struct msg_beat { /* each second: I am well; init feeds the hardware watchdog while sekishod's come */
	uint64_t sequence;
	uint32_t busy_ms; /* one long piece of work begins: the next one may take this much longer than usual */
	uint32_t pad;
};
/*
 * sekishod asks for a one-shot child. fds: compile: [policy memfd, result socket];
 * prove: [IR memfd, dump memfd, result socket]. The child talks msg_result on its result socket.
 */
struct msg_spawn {
	uint32_t what; /* enum msg_child */
	uint32_t clock_untrusted; /* 1: rules with times are closed now (option --clock-untrusted of the proof) */
	int64_t now; /* wall seconds for the compiler */
	char language[8];
};
enum msg_child { MSG_CHILD_COMPILE = 1, MSG_CHILD_PROVE = 2 };
/*
 * init -> sekishod. A one-shot ended: at once, tag = that of its MSG_SPAWN. A daemon (sekishod itself
 * too) ended or was stopped: once it is well again, tag 0.
 */
struct msg_exited {
	char name[32];
	int32_t status; /* as of waitpid: WIFEXITED, WIFSIGNALED, WIFSTOPPED (continued by init) */
	uint32_t restarts;
	uint32_t down_ms;
	uint32_t pad;
};
/* sekishod -> init: a daemon sent something malformed, or hangs; init kills it and starts it again. */
struct msg_broken {
	uint32_t peer; /* enum msg_peer */
};
enum msg_peer { MSG_PEER_LOG = 1, MSG_PEER_INSPECT = 2, MSG_PEER_MAIL = 3, MSG_PEER_CONNECT = 4, MSG_PEER_ALARM = 5,
	MSG_PEER_TLS = 6, MSG_PEER_HOST = 7 };
/* init -> sekishod: a sekisho-inspect is READY; fds: [the socket to it]. It replaces the one of before. */
struct msg_attach {
	uint32_t pid;
};
/* One-shot -> sekishod. compile: fds [diagnostics JSON memfd] or [diagnostics, IR memfd]; prove: [findings]. */
struct msg_result {
	uint32_t errors, warnings; /* prove: findings, 0 */
};

/* -- sekishod to sekisho-logd, and back ------------------------------------------------------------------ */

struct msg_generation { /* fds: [sealed IR memfd] */
	uint32_t number;
	uint32_t uid; /* of who committed it */
	int64_t at;
	char who[64], why[256], approval[64], account[MSG_ACCOUNT];
};
/* The kernel's counters, absolute since `epoch` (a new table = a new epoch). */
struct msg_counters {
	uint64_t epoch;
	int64_t at;			    /* wall seconds */
	uint64_t packets[REASON_END];
	uint64_t limited[LIMIT_SEGMENTS + 1]; /* refused to log by the limiter, per segment; last: no segment */
};
enum msg_severity { MSG_SEVERITY_INFO = 0, MSG_SEVERITY_NOTICE = 1, MSG_SEVERITY_FAULT = 2 };
struct msg_fault { /* a fault or notice of any process, to be recorded (障害記録) */
	uint32_t severity;
	uint32_t pad;
	int64_t at;
	char process[32], code[32], text[256];
};
/*
 * The host's links by kernel index, all of them (also those of no segment): sent before each MSG_GENERATION and again
 * whenever a link appears, goes or is renamed. logd's jail forbids asking the kernel; an index that is not in the
 * newest table is shown as "#INDEX".
 */
#define MSG_LINKS_MAX 64
struct msg_links {
	uint32_t n, pad;
	struct msg_link {
		uint32_t index; /* 0 behind the first n */
		char name[LIMIT_IFNAME];
	} link[MSG_LINKS_MAX];
};
/* A client's connection, already checked; fds: [its socket]. logd answers msg_query on it until time is up. */
struct msg_client {
	uint32_t uid;
	uint32_t seconds;
	uint32_t rights; /* set of enum msg_right */
	uint32_t role;	 /* enum msg_role: the one that it speaks by */
	char account[MSG_ACCOUNT];
};
enum msg_right {
	MSG_RIGHT_READ = 1,    /* MSG_QUERY, MSG_WATCH_QUERY */
	MSG_RIGHT_MAIL = 2,    /* MSG_MAIL_QUERY */
	MSG_RIGHT_APPROVE = 4, /* MSG_MAIL_APPROVE */
	MSG_RIGHT_RECORD = 8,  /* MSG_RECORD */
	MSG_RIGHTS = 15,
};
/* Somebody did something: a line of a shell, or a request that was more than a look (作業記録). */
struct msg_work {
	int64_t at;
	uint32_t kind;	 /* enum msg_work_kind */
	uint32_t result; /* of a line: the exit code; of a request: enum msg_work_result */
	uint32_t uid, role, session, pad; /* session: 0 = none */
	char account[MSG_ACCOUNT], who[64]; /* who: as he calls himself, "" */
	char text[MSG_LINE];
};
enum msg_work_kind { MSG_WORK_LINE = 1, MSG_WORK_REQUEST = 2 };
enum msg_work_result { MSG_WORK_DONE = 0, MSG_WORK_FAILED = 1, MSG_WORK_REFUSED = 2 /* not for his role */ };
/* Somebody came or went. */
struct msg_login {
	int64_t at;
	uint32_t event; /* enum msg_login_event */
	uint32_t uid, role, session;
	uint32_t seconds; /* how long it was, of LOGOUT */
	uint32_t pad;
	char account[MSG_ACCOUNT], terminal[64];
};
enum msg_login_event {
	MSG_LOGIN_BEGIN = 1,
	MSG_LOGIN_END = 2,	/* he left, or the line was lost */
	MSG_LOGIN_IDLE = 3,	/* ended since nothing was done for too long */
	MSG_LOGIN_REFUSED = 4,	/* no role, or too many sessions */
	MSG_LOGIN_LOST = 5,	/* sekishod ended meanwhile */
};
/*
 * logd -> sekishod: what the drops add up to, by the thresholds of the policy (`system alarm threshold`). All that stand, as a
 * whole: when it changed, and each 10 s.
 */
#define MSG_ALARMS_MAX 32
enum msg_alarm_kind {
	MSG_ALARM_SCAN = 1,	   /* one source was refused at many destinations or ports */
	MSG_ALARM_FLOOD = 2,	   /* one source was refused very often */
	MSG_ALARM_BEACON = 3,	   /* regular repeats to a segment where nothing may go */
	MSG_ALARM_UNKNOWN_MAC = 4, /* a machine that the register does not know */
};
struct msg_alarms {
	uint32_t n, pad;
	struct msg_alarm {
		uint32_t kind;	/* enum msg_alarm_kind; 0 behind the first n */
		uint32_t count; /* that it stands for, when it began: destinations, packets, repeats, packets */
		int64_t since;	/* wall seconds */
		uint32_t seconds; /* beacon: between repeats; else within how many */
		uint32_t pad;
		char source[128]; /* "10.1.10.5 (jumin-ap)" */
		char segment[64], to[64]; /* to: beacon only */
	} alarm[MSG_ALARMS_MAX];
};
struct msg_log_status { /* logd -> sekishod, each second while something changed, else each 10 s */
	uint64_t stored[REASON_END]; /* packets accounted in records, since `epoch` */
	uint64_t loss[REASON_END];   /* accounted as log-loss, since `epoch` */
	uint64_t epoch;
	uint64_t rows, bytes_free, bytes_used;
	int64_t oldest, newest; /* wall seconds of records, 0 = none */
	uint32_t writable;	/* 0: records cannot be stored now */
	uint32_t pad;
};

/* -- sekishod to sekisho-inspect, and back --------------------------------------------------------------- */

/*
 * fds: the kernel's queues, one for each segment that packets come from (DAEMON_QUEUE + i). Sent once to each new
 * sekisho-inspect. The epoch is unique for ever: an answer under another one is not heard.
 */
struct msg_queues {
	uint64_t epoch;
};
/*
 * Beside these it gets MSG_LINKS and MSG_GENERATION, before the kernel has that generation's rules; packets name theirs
 * in their mark. Now the kernel has the rules of generation `number`: undecided flows are judged by its policies.
 */
struct msg_enforced {
	uint32_t number;
	uint32_t pad;
};
/* Each packet gets one; sekishod makes mark and verdict of it. */
#define MSG_VERDICTS_MAX 128
struct msg_verdicts {
	uint64_t epoch;
	uint32_t n, pad;
	struct msg_verdict {
		uint32_t id;
		uint8_t queue;	   /* index of the segment */
		uint8_t code;	   /* enum inspect_code */
		uint8_t why, seen; /* enum inspect_why, enum application; of a refusal or drop, else 0 */
	} verdict[MSG_VERDICTS_MAX];
};
/* A verified control connection announced a second one. sekishod grants it only where the policy says so. */
struct msg_pinhole {
	uint64_t epoch;
	uint32_t generation; /* whose numbering `verified` is of */
	uint16_t verified, port;
	uint8_t family, pad[7];
	uint8_t client[16], server[16]; /* as in struct addr */
};
#define MSG_WHYS 96 /* room for every enum inspect_why */
struct msg_inspect_status { /* twice a second: the sign of life that sekishod goes by */
	uint64_t epoch;
	uint32_t generation;
	uint32_t flows_max, flows_now, undecided_now, unanswered_now;
	uint32_t pad;
	uint64_t packets, flows, passed, refused, dropped, evicted, pinholes; /* since its start */
	uint64_t malformed; /* messages of the kernel that could not be read */
	uint64_t memory_now, memory_max; /* bytes of beginnings that are kept */
	uint64_t why[MSG_WHYS];		 /* refusals and drops */
};

/* -- Evidence: sekishod to sekisho-logd, and back ---------------------------------------------------------- */

/*
 * Records since a moment go to a file, one JSON object a row, with the chain; the heads of the last packets that were dropped
 * to another one, as pcap. fds: [records, packets]. Answered under the same tag.
 */
struct msg_evidence {
	int64_t since;
	uint32_t number, pad; /* of the freeze */
};
struct msg_evidence_done {
	uint32_t ok, packets;
	uint64_t rows, first, last; /* sequences */
	int64_t oldest; /* wall seconds of the oldest row that was written */
	char error[128];
};
/* No record from `since` on is pruned while room is left. 0: none is held. */
struct msg_hold {
	int64_t since;
};

#endif
