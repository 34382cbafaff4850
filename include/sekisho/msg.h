/*
 * msg.h: what our own processes say to each other.
 *
 * SOCK_SEQPACKET socketpairs (and the control socket); one message a datagram: a header, then a struct of fixed
 * size for its type; up to MSG_FDS_MAX descriptors beside it. A message of a wrong size, version or type, with
 * an unterminated string, an unknown enum value or unexpected descriptors is malformed, and a malformed message
 * ends the peer: nothing is repaired. Strings are UTF-8 without control characters, NUL-terminated inside their
 * arrays and zero behind: begin with a zeroed struct and fill texts with MSG_TEXT; msg_send() refuses else.
 *
 * To add a message: its struct, its row in MESSAGES, in src/proc/msg.c the table of its fields that may be wrong, and
 * the fuzzing corpus anew (also after a change of a struct): BUILD/tests/unit/proc/test_msg tests/fuzz/corpus/msg
 */
#ifndef SEKISHO_MSG_H
#define SEKISHO_MSG_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include <sekisho/limits.h>
#include <sekisho/mailverify.h>
#include <sekisho/reason.h>
#include <sekisho/tls.h>

#define MSG_VERSION 1
#define MSG_FDS_MAX 8 /* MSG_QUEUES */
#define MSG_ACCOUNT 64 /* a user's name; "#UID" where the uid has none */
#define MSG_LINE 1024  /* a line of a shell, or of a form */
#define MSG_RECORD_NOTE 4096

struct msg_header {
	uint32_t magic; /* MSG_MAGIC */
	uint16_t version;
	uint16_t type; /* enum msg_type */
	uint32_t size; /* of the struct behind */
	uint32_t tag;  /* chosen by the asker, repeated in the answer */
};
#define MSG_MAGIC 0x474d4b53u /* "SKMG" */

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

/* -- The mail gate: who listens, and who is called --------------------------------------------------------- */

#define MSG_MAIL_LISTENERS_MAX 18 /* eight addresses a direction, and one a family for what is turned */
#define MSG_MAIL_HOPS_MAX 32
enum msg_mail_direction { MSG_MAIL_IN = 1, MSG_MAIL_OUT = 2 }; /* to LGWAN; to the internet */
struct msg_mail_address {
	uint8_t family;	     /* 4 or 6 */
	uint8_t direction;   /* enum msg_mail_direction, 0 where it has none */
	uint8_t transparent; /* to listen on: connections that the kernel turns to us (TPROXY); addr is any, direction 0 */
	uint8_t pad;
	uint16_t port, pad2;
	uint8_t addr[16]; /* as in struct addr */
};
/* sekishod -> init: what sekisho-maild shall listen on from now on, as a whole; n = 0: nothing. */
struct msg_mail_listen {
	uint32_t n, pad;
	struct msg_mail_address address[MSG_MAIL_LISTENERS_MAX];
};
/*
 * init -> sekisho-maild, one for each, index 0 to n - 1: the first one replaces what it had. fds: [the listening socket],
 * none when it could not be opened (error: errno), or when there is nothing to listen on (n = 0).
 */
struct msg_mail_listener {
	uint32_t index, n, error, pad;
	struct msg_mail_address address;
};
/* sekishod -> sekisho-connect: the mail servers of the policy, all that it will ever call. */
struct msg_mail_hops {
	uint32_t n, pad;
	struct msg_mail_address hop[MSG_MAIL_HOPS_MAX];
};
/* sekisho-maild -> sekisho-connect, and its answer under the same tag; fds: [the connection], none after an error. */
struct msg_mail_connect {
	uint32_t limit_ms, pad;
	struct msg_mail_address hop;
};
struct msg_mail_connected {
	uint32_t error; /* 0 or errno; EPERM: not one of the policy's */
	uint32_t pad;
};
/* sekishod -> sekisho-maild: on somebody's word. */
struct msg_mail_command {
	uint32_t what; /* enum msg_mail_what */
	uint32_t direction;
	char who[64];
	char sender[256]; /* RESUME: the one that was stopped; "" = everything */
};
enum msg_mail_what {
	MSG_MAIL_RESUME = 1, /* after a flood */
	MSG_MAIL_STOP = 2,   /* the direction was stopped when a former sekisho-maild ended */
};
/* sekisho-maild -> sekishod, twice a second while something changed, else each 5 s: its sign of life. */
struct msg_mail_status {
	uint32_t generation;
	uint32_t sessions, sessions_max, listeners; /* now */
	struct msg_mail_way { /* by direction - 1 */
		uint32_t configured, listening; /* 0 or 1; how many of its addresses */
		uint32_t sessions;
		uint32_t flood; /* enum msg_mail_flood */
		uint32_t hops, hops_well;
		int64_t last; /* wall seconds of the last delivered, 0 = none yet */
		uint64_t connections, delivered, refused, held, deferred, bytes_in, bytes_out; /* since its start */
	} way[2];
	uint64_t workers_failed, ledger_failed, memory_now;
};
enum msg_mail_flood { MSG_MAIL_CALM = 0, MSG_MAIL_SLOWED = 1, MSG_MAIL_STOPPED = 2 };

/*
 * sekishod -> sekisho-maild, before the kernel has it, and as the answer to MSG_VERB_CUTS: the emergency cuts that hold, all
 * of them. fds: [sealed memfd: struct cuts of cut.h].
 */
struct msg_cuts {
	uint32_t n, level; /* how many, enum alert_level */
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

/* -- The mail ledger: sekisho-maild to sekisho-logd, and back ---------------------------------------------- */

/*
 * What is about to become of a mail. It is answered when the row is durable, with MSG_MAIL_STORED; nothing leaves, and no
 * verdict is told, before. The pair outlives both ends: an answer to an id that is not awaited is let go.
 * fds: [the cleaner's report, a sealed memfd], or none when there is none (refused before).
 */
#define MSG_MAIL_RECIPIENTS 8192
struct msg_mail_entry {
	uint64_t id; /* never used twice, also by another life of sekisho-maild */
	int64_t at;  /* wall seconds */
	uint32_t direction; /* enum msg_mail_direction */
	uint32_t verdict;   /* enum msg_mail_verdict */
	uint32_t reason;    /* enum mail_reason, 0 with PASS */
	uint32_t nrecipients;
	uint32_t notes, pad; /* bits of enum judge_note */
	uint64_t size, size_out; /* bytes as received; of what leaves */
	uint8_t sha256[32], sha256_out[32];
	char receipt[40];
	char client[48], helo[256]; /* address and name of who sent it to us */
	char sender[256];	    /* "" = <> */
	char recipients[MSG_MAIL_RECIPIENTS]; /* one a blank between */
	char detail[128];	    /* what the reason is about, "" */
	char meant[48];		    /* address of the server that the client had called, "": ours */
	char tls[64];		    /* of the client's connection: "TLS1.3 AES-256-GCM", "" = in clear */
};
enum msg_mail_verdict {
	MSG_MAIL_PASS = 1,    /* the outcome follows */
	MSG_MAIL_REFUSED = 2, /* 5xx */
	MSG_MAIL_HELD = 3,    /* 450 until somebody approves the receipt number */
	MSG_MAIL_DEFERRED = 4, /* 4xx */
};
struct msg_mail_stored {
	uint64_t id, sequence;
	uint32_t ok; /* 0: it could not be stored */
	uint32_t pad;
};
/* What became of it; not waited for. */
struct msg_mail_outcome {
	uint64_t id;
	int64_t at;
	uint32_t result; /* enum msg_mail_result_of */
	uint32_t code;	 /* of the mail server, 0 without an answer */
	char server[48]; /* its address */
	char text[160];	 /* its answer */
	char tls[96];	 /* of the connection to it, "" = in clear */
};
enum msg_mail_result_of {
	MSG_MAIL_DELIVERED = 1,
	MSG_MAIL_REJECTED = 2, /* 5xx of the mail server */
	MSG_MAIL_POSTPONED = 3, /* 4xx of it, or it could not be reached: the sender tries again */
	MSG_MAIL_UNKNOWN = 4, /* it had all and did not answer: the sender tries again, it may arrive twice */
};
/* Has somebody approved this mail? Answered under the same id. */
struct msg_mail_ask {
	uint64_t id;
	uint32_t direction, pad;
	uint8_t sha256[32];
	char receipt[40];
};
struct msg_mail_approval {
	uint64_t id;
	uint32_t approved, pad;
	int64_t at; /* wall seconds; how long it holds is the policy's to say */
	char who[64];
};

enum msg_health { MSG_OK = 0, MSG_CAUTION = 1, MSG_ABNORMAL = 2 }; /* 正常 / 注意 / 異常 */
#define MSG_FINDINGS_MAX 16

/* -- Alarm mail: sekishod and sekisho-logd to sekisho-alarm, and back -------------------------------------- */

/*
 * sekisho-alarm names its life in the tag of whatever it says to sekishod; what sekishod says under another tag was meant for
 * a former one, and is let go. A tag that sekishod does not know yet is answered with MSG_ALARM_SETTINGS, MSG_ALARM_HEALTH and
 * all events that are not `told`. No name and no address of a mynumber host is in any text of these messages: who speaks to a
 * mail server does not know them (mask.h).
 */
#define MSG_ALARM_HOPS_MAX 8 /* addresses of the host that takes alarm mail: two families, some interfaces */
struct msg_alarm_settings {
	uint64_t life; /* of this sekishod; events are numbered anew in each */
	uint64_t told; /* events up to this one were mailed */
	uint64_t ledger, faults; /* what sekisho-logd had up to these numbers was mailed */
	uint32_t know_numbers;	 /* 0: these two are not known, begin with what comes next */
	uint32_t generation;
	uint32_t nto, nhops; /* 0: nothing is mailed */
	uint32_t english, clock_trusted;
	int32_t utc_offset; /* seconds east of UTC of local time */
	uint32_t pad;
	char hostname[64];
	char to[LIMIT_ALARM_TO][256];
	struct msg_mail_address hop[MSG_ALARM_HOPS_MAX];
};
enum msg_notice_kind {
	MSG_ALARM_BEGAN = 1,	/* a finding that stands; text: what it is about */
	MSG_ALARM_CURED = 2,
	MSG_ALARM_HAPPENED = 3, /* a finding that is an event */
	MSG_ALARM_TEST = 4,	/* an operator asks whether alarm mail works */
	MSG_ALARM_NOTICE = 5,	/* a record of what people in charge should know: something was cut, mail was resumed */
	MSG_ALARM_FAULT = 6,	/* a record of a fault */
	MSG_ALARM_HELD = 7,	/* a mail waits for approval */
	MSG_ALARM_WARNED = 8,	/* a mail with individual numbers was let through with a warning */
};
struct msg_alarm_event {
	uint64_t id; /* 1, 2, 3 ... of this life of sekishod */
	int64_t at;
	uint32_t kind;	 /* enum msg_notice_kind, up to MSG_ALARM_TEST */
	uint32_t health; /* enum msg_health */
	char code[32], text[256];
};
struct msg_alarm_health { /* how it stands now, whenever that changed */
	uint32_t health, gate_open, generation, nfindings;
	int64_t committed_at, started_at;
	struct msg_alarm_finding {
		uint32_t health;
		char code[32], text[160]; /* what it is about */
	} finding[MSG_FINDINGS_MAX];
};
/* The daily report is due: said again until MSG_ALARM_STATUS has its day. */
struct msg_alarm_report {
	uint32_t day; /* 20261120 */
	uint32_t late;	 /* 1: long after its time */
	uint32_t missed; /* days before it that had none */
	uint32_t pad;
	int64_t since, until;
};
enum msg_alarm_state {
	MSG_ALARM_AWAY = 0,	/* nothing was heard from sekisho-alarm yet */
	MSG_ALARM_OFF = 1,	/* the policy has no alarm mail */
	MSG_ALARM_IDLE = 2,	/* nothing waits */
	MSG_ALARM_WAITING = 3,	/* for more to put into the same mail, or for the spacing */
	MSG_ALARM_SENDING = 4,
	MSG_ALARM_FAILING = 5,	/* the mail server did not take it; tried again */
};
struct msg_alarm_status { /* sekisho-alarm -> sekishod: twice a second while something changed, else each 5 s */
	uint64_t life, told; /* the life of sekishod that `told` belongs to */
	uint64_t ledger, faults;
	uint32_t know_numbers;
	uint32_t state;	   /* enum msg_alarm_state */
	uint32_t generation;
	uint32_t waiting;  /* notices that were not mailed yet, */
	uint32_t merged;   /* and of these: only counted in the next mail */
	uint32_t reported; /* the newest day whose report was taken by the mail server, 0: none since its start */
	uint32_t failures; /* in a row */
	uint32_t failing_s; /* since the first of them */
	uint64_t sent;	   /* mails since its start */
	int64_t last_sent; /* wall seconds, 0: none since its start */
	char error[160];   /* why the last try failed, "" when it did not; the mail server's words */
};
/* sekishod -> sekisho-connect: where sekisho-alarm may call. */
struct msg_alarm_hops {
	uint32_t n, pad;
	struct msg_mail_address hop[MSG_ALARM_HOPS_MAX];
};
/* sekisho-alarm -> sekisho-logd; answered under the same tag. */
struct msg_alarm_ask {
	uint32_t what; /* enum msg_alarm_what */
	uint32_t know_numbers;	 /* NEWS: 0: only the newest numbers are wanted */
	uint64_t ledger, faults; /* NEWS: what came after these */
	int64_t since, until;	 /* DIGEST: [since, until) */
};
enum msg_alarm_what {
	MSG_ALARM_ASK_NEWS = 1,	  /* -> MSG_ALARM_NEWS..., MSG_ALARM_DONE */
	MSG_ALARM_ASK_DIGEST = 2, /* -> MSG_ALARM_DIGEST */
};
struct msg_alarm_news {
	uint64_t sequence; /* NOTICE, FAULT: of the records; else of the mail ledger */
	int64_t at;
	uint32_t kind; /* enum msg_notice_kind, from MSG_ALARM_NOTICE on */
	uint32_t pad;
	char receipt[40], sender[256]; /* HELD, WARNED */
	char code[32], text[256];      /* NOTICE, FAULT */
};
struct msg_alarm_done {
	uint64_t ledger, faults; /* all up to these was told */
	uint32_t ok, more;
};
/* The records of a time in numbers, without the name of any host. */
#define MSG_ALARM_DROPS_MAX 24
#define MSG_ALARM_FAULTS_MAX 12
#define MSG_ALARM_COMMITS_MAX 8
struct msg_alarm_digest {
	uint32_t ok; /* 0: they could not be read, or not all of them */
	uint32_t ndrops, nfaults, ncommits;
	uint64_t drops, losses; /* packets; of those the unrecorded */
	uint64_t commits;
	struct msg_alarm_drops { /* most first */
		uint64_t packets;
		uint32_t reason, pad;
		char from[64], to[64]; /* segments, as the policy labels them; "" unknown */
	} drop[MSG_ALARM_DROPS_MAX];
	struct msg_alarm_faults { /* notices and faults by their code, the newest first */
		uint64_t count;
		int64_t last;
		uint32_t severity, pad;
		char process[32], code[32];
	} fault[MSG_ALARM_FAULTS_MAX];
	struct msg_alarm_commit { /* newest first */
		int64_t at;
		uint32_t generation, pad;
		char who[64], why[160];
	} commit[MSG_ALARM_COMMITS_MAX];
	struct msg_alarm_mails {
		uint64_t passed, refused, held, deferred, warned;
	} mail[2]; /* by direction - 1 */
	uint64_t logins, logins_refused, commands;
};

/* -- sekisho (command) to sekishod over the control socket ----------------------------------------------- */

struct msg_request {
	uint32_t verb; /* enum msg_verb */
	uint32_t pad;
	char who[64], why[256], approval[64];
	char language[8];  /* of the diagnostics: "ja", "en" */
	uint32_t argument; /* what it is, the verb says */
	uint32_t base;	   /* COMMIT, ROLLBACK: refused when another generation than this is running; 0 = whichever */
	uint32_t detail;   /* DRILL: what its act is about */
	uint32_t pad2;
	char object[2][64]; /* what a verb of cuts, drills and freezes is about */
};
/*
 * name, value, the word that people read. Each has a row in the table of roles (src/gate/roles.c); whoever is not of a role
 * that may is answered with MSG_REFUSED, and it is recorded.
 *
 *   STATUS	-> msg_status
 *   COMMIT	fds [policy file], argument: minutes to confirm it in, 0 = at once -> msg_committed, fds [diagnostics JSON]
 *   LOG	-> msg_opened, fds [socket to logd, for questions]
 *   RUNNING	-> msg_opened, fds [policy text of the running generation]
 *   PROVE	prove again now -> msg_committed, fds [findings JSON]
 *   MAIL	-> msg_mail_status, as sekisho-maild last said it; sessions_max 0: it has not spoken
 *   RESUME	mail after a flood; argument: enum msg_mail_direction, why: one sender or "" -> msg_opened
 *   TLS	certificates -> msg_tls_status, as sekisho-tls last said it
 *   SESSION	this connection is a person's shell from now on, until it ends; why: the terminal -> msg_session
 *   SESSIONS	-> msg_sessions
 *   CONFIGURE	the session's configuration mode begins (argument 1), ends (0) -> msg_session
 *   EXTEND	it may last that long again; why: the reason -> msg_session
 *   RECORD	-> msg_opened, fds [socket to logd, for MSG_RECORD]
 *   APPROVE	-> msg_opened, fds [socket to logd, for MSG_MAIL_APPROVE]
 *   CANDIDATE_GET	argument: 0 = one's own, else the uid whose -> msg_candidate, fds [text], none when there is none
 *   CANDIDATE_PUT	fds [text], base: the generation that it was begun from -> msg_candidate
 *   CANDIDATE_LIST	-> msg_candidates
 *   CANDIDATE_DISCARD	argument as of GET -> msg_opened
 *   HISTORY	argument: those below this number, 0 = from the newest -> msg_history
 *   GENERATION	argument: its number -> msg_opened, fds [policy text]
 *   CONFIRM	what waits for it stays -> msg_committed
 *   ROLLBACK	argument: number of the generation whose text is committed again -> msg_committed, fds [diagnostics JSON]
 *   FLOWS	the connections of now -> msg_watched, fds [IR, rows: struct flow_row of watch.h]
 *   POLICY	the compiled policy in force -> msg_watched, fds [IR]
 *   ALARM_TEST	an alarm mail now -> msg_opened; how it fares is in msg_status
 *   CUT	argument: enum cut_kind, object: its ends -> msg_acted
 *   CUTS	-> msg_cuts
 *   RESTORE	argument: number, approval: the code; "" = asks for one -> msg_acted, then fds [text: what would pass again]
 *   LEVEL	argument: enum alert_level -> msg_acted, flows: how many rules are closed by it
 *   DRILL	argument: enum msg_drill_what -> msg_acted; END, REPORT: fds [JSON]; CUT: fds [text: what it would stop]
 *   FREEZE	-> msg_acted, number: of the freeze
 *   FREEZES	argument: number, 0 = list -> msg_opened, fds [JSON]
 *   RELEASE	argument: number -> msg_acted
 *   FREEZE_FILE	argument: number, object: file name -> msg_opened, fds [it]
 */
#define MSG_VERBS(X)                                                                                           \
	X(STATUS, 1, "status")                                                                                  \
	X(COMMIT, 2, "commit")                                                                                  \
	X(LOG, 3, "log")                                                                                        \
	X(RUNNING, 4, "running")                                                                                \
	X(PROVE, 5, "prove")                                                                                    \
	X(MAIL, 6, "mail status")                                                                               \
	X(RESUME, 7, "mail resume")                                                                             \
	X(TLS, 8, "mail certificates")                                                                          \
	X(SESSION, 10, "session")                                                                               \
	X(SESSIONS, 11, "sessions")                                                                             \
	X(CONFIGURE, 12, "configure")                                                                           \
	X(EXTEND, 13, "extend")                                                                                 \
	X(RECORD, 14, "record")                                                                                 \
	X(APPROVE, 15, "mail approve")                                                                          \
	X(CANDIDATE_GET, 20, "show candidate")                                                                  \
	X(CANDIDATE_PUT, 21, "edit candidate")                                                                  \
	X(CANDIDATE_LIST, 22, "list candidates")                                                                \
	X(CANDIDATE_DISCARD, 23, "discard candidate")                                                           \
	X(HISTORY, 24, "history")                                                                               \
	X(GENERATION, 25, "show generation")                                                                    \
	X(CONFIRM, 26, "confirm")                                                                               \
	X(ROLLBACK, 27, "rollback")                                                                             \
	X(CUT, 30, "cut")                                                                                      \
	X(CUTS, 31, "cuts")                                                                                    \
	X(RESTORE, 32, "restore")                                                                              \
	X(LEVEL, 33, "level")                                                                                  \
	X(DRILL, 34, "drill")                                                                                  \
	X(FREEZE, 35, "freeze")                                                                                \
	X(FREEZES, 36, "freeze list")                                                                          \
	X(RELEASE, 37, "freeze release")                                                                       \
	X(FREEZE_FILE, 38, "freeze export")                                                                    \
	X(FLOWS, 40, "show flows")                                                                             \
	X(POLICY, 41, "show policy")                                                                           \
	X(ACCOUNTS, 50, "account list")                                                                         \
	X(HOST, 51, "account")                                                                                  \
	X(PASSWORD, 52, "password")                                                                             \
	X(ALARM_TEST, 60, "alarm test")

enum msg_verb {
#define X(NAME, value, word) MSG_VERB_##NAME = value,
	MSG_VERBS(X)
#undef X
	MSG_VERB_END = 64,
};
/* Who may: a person has those of his groups (jail.h) and of his deputyships (代理). */
enum msg_role {
	MSG_ROLE_NONE = 0,
	MSG_ROLE_VIEWER = 1,
	MSG_ROLE_AUDITOR = 2,
	MSG_ROLE_OPERATOR = 3,
	MSG_ROLE_ADMINISTRATOR = 4,
	MSG_ROLE_MAINTENANCE = 5, /* of a vendor */
	MSG_ROLE_END,
};
/* The verb is not for this role. */
struct msg_refused {
	uint32_t verb, uid;
	uint32_t role;	  /* enum msg_role: the one he has that may most */
	uint32_t allowed; /* set of 1 << enum msg_role that may */
	char account[MSG_ACCOUNT];
};

/* -- Sessions ---------------------------------------------------------------------------------------------- */

#define MSG_SESSIONS_MAX 16
struct msg_session_of { /* one of the sessions */
	uint32_t id, uid, role, pid;
	int64_t since, last; /* wall seconds; last: when it did something */
	int64_t configure_until; /* wall seconds; 0: not in configuration mode */
	char account[MSG_ACCOUNT], terminal[64];
};
struct msg_session { /* the session that asks */
	struct msg_session_of me;
	uint32_t idle_seconds;	    /* it is ended after so long without a request; 0 = never */
	uint32_t configure_seconds; /* how long configuration mode lasts unless extended; 0 = for ever */
	int64_t last_login;	    /* the one before, wall seconds, 0 = none known */
	int64_t last_refused;	    /* the newest request or session that was refused, 0 = none known */
	uint32_t refused;	    /* how many since last_login */
	uint32_t sessions;	    /* of all people, now */
	char last_terminal[64];	    /* of last_login */
};
struct msg_sessions {
	uint32_t n, pad;
	struct msg_session_of session[MSG_SESSIONS_MAX];
};
/* On a session's connection instead of a request, after each line: it becomes a record; answered with msg_opened. */
struct msg_command {
	uint32_t result, pad; /* the exit code */
	char text[MSG_LINE];
};

/* -- Generations and candidates --------------------------------------------------------------------------- */

#define MSG_HISTORY_MAX 16
struct msg_history {
	uint32_t n, more; /* more: there are older ones */
	uint32_t running, unconfirmed; /* numbers; unconfirmed: the one that waits for it, else 0 */
	int64_t confirm_by; /* wall seconds */
	struct msg_past {
		uint32_t number;
		uint32_t of; /* the generation whose text this is again; 0 = a text of its own */
		int64_t at;
		uint64_t size;
		uint32_t uid, pad;
		char who[64], why[256], approval[64], account[MSG_ACCOUNT];
	} past[MSG_HISTORY_MAX]; /* newest first */
};
#define MSG_CANDIDATES_MAX 16
struct msg_candidate_of {
	uint32_t uid, base; /* base: the generation that it was begun from */
	int64_t since, changed; /* wall seconds */
	uint64_t size;
	char account[MSG_ACCOUNT];
};
struct msg_candidate { /* fds: [text] or none */
	uint32_t there;	  /* 0: there is none; what follows is empty */
	uint32_t running; /* the generation that is running */
	uint32_t others;  /* how many candidates other people have */
	uint32_t pad;
	struct msg_candidate_of it;
	char error[128]; /* PUT: why it was not kept, "" */
};
struct msg_candidates {
	uint32_t n, running;
	struct msg_candidate_of candidate[MSG_CANDIDATES_MAX];
};

/* -- Cuts, drills, freezes ---------------------------------------------------------------------------------- */

enum msg_drill_what {
	MSG_DRILL_CUT = 2,     /* as MSG_VERB_CUT; detail: enum cut_kind. The first one begins the drill */
	MSG_DRILL_RESTORE = 3, /* as MSG_VERB_RESTORE; detail: number */
	MSG_DRILL_JOIN = 4,    /* who */
	MSG_DRILL_END = 5,
	MSG_DRILL_REPORT = 6,  /* of the newest */
};
/* What became of an act: a cut, a restoration, a change of level, a drill, a freeze. */
struct msg_acted {
	uint32_t ok;
	uint32_t number;     /* of the cut, the drill, the freeze */
	uint32_t kernel_us;  /* until the kernel stopped the first packet */
	uint32_t total_us;   /* until all of it was done */
	uint32_t flows;	     /* whose entries were removed */
	uint32_t drill;	     /* 1: an exercise, nothing was cut */
	char code[16];	     /* RESTORE, first step: what the second one says */
	char object[160];    /* "host jumin-ap" */
	char error[160];     /* "" when ok */
};
enum msg_inspector_state {
	MSG_INSPECTOR_AWAY = 0,	    /* none is there: what is to be inspected is refused */
	MSG_INSPECTOR_STARTING = 1, /* it has its queues, and has not spoken yet */
	MSG_INSPECTOR_WELL = 2,
};
struct msg_inspector { /* as sekishod sees it */
	uint32_t state;	 /* enum msg_inspector_state */
	uint32_t starts; /* since sekishod's own */
	uint32_t waiting; /* packets in the queues now */
	uint32_t pad;
	uint64_t verdicts;  /* given to the kernel */
	uint64_t abandoned; /* packets refused since the inspector that held them went away */
	uint64_t overflows; /* packets that the kernel dropped since a queue was full */
	uint64_t pinholes, pinholes_refused;
	struct msg_inspect_status status; /* its last word */
};
struct msg_finding {
	uint32_t health; /* enum msg_health */
	char code[32];
	char text[220];
};
struct msg_status {
	uint32_t health;
	uint32_t generation;
	uint32_t gate_open; /* 0: closed (no policy, lease not held, finding) */
	uint32_t clock_trusted;
	int64_t committed_at, started_at;
	uint32_t nrules, nboxes_open, nboxes_timed_closed;
	uint32_t conntrack_count, conntrack_max;
	uint32_t nfindings;
	struct msg_finding findings[MSG_FINDINGS_MAX];
	uint64_t dropped[REASON_END]; /* since the epoch */
	struct msg_log_status log;
	char hostname[64];
	char timezone[64]; /* of the policy in force: times are shown in it; "" = none is */
	int64_t confirm_by; /* wall seconds: then `confirm_else` returns unless confirmed; 0: nothing waits */
	uint32_t confirm_else, sessions;
	struct msg_inspector inspector;
	struct msg_alarm_status alarm; /* its last word; state MSG_ALARM_AWAY: it has not spoken */
	uint32_t level, ncuts, nfrozen, drill; /* enum alert_level; cuts and freezes that hold; number of a drill under way */
};
struct msg_committed {
	uint32_t ok;
	uint32_t generation;	/* in force now (the old one when !ok) */
	uint32_t kernel_us;	/* time inside the kernel swap */
	uint32_t total_us;
	uint32_t errors, warnings;
	uint32_t confirm_minutes; /* it returns by itself to the one before unless confirmed within these; 0: it stays */
	uint32_t pad;
	char error[256]; /* "" when ok; else code and place: the rule that the kernel refused */
};
struct msg_opened {
	uint32_t ok;
	char error[124];
};

/* What the gate sees now, beside the policy that says what it means. */
struct msg_watched {
	uint32_t ok;
	uint32_t generation;
	uint32_t rows;	 /* in the second descriptor */
	uint32_t missed; /* there were so many more */
	char error[128];
};

/* -- client to logd on the granted socket ---------------------------------------------------------------- */

/*
 * Records as they are answered, and as they are exported (JSON: one object a row; CSV, if ever: the same names as
 * header, the same order, RFC 4180, an empty field for null).
 *
 * Order   newest first; with `after` (and `follow`) oldest first from that sequence on. An export of everything pages
 *	   upwards: after = 1, then after = msg_end.last_sequence while msg_end.more.
 * Row     stands for `count` packets with one reason, source, destination, protocol, port, interfaces and MAC, of at
 *	   most a minute. Sport, flags and length are those of the first. It is `open` while it counts: same sequence,
 *	   growing count, no hash yet.
 * Wide    in a flood rows are counted by networks: src_len, dst_len < 32/128 mean a prefix, and then MAC, port (0 =
 *	   various), hosts and rule are not known. Length 0: any address; family 0: any family.
 * Loss    a row with loss is no drop: `count` drops for `reason` that the kernel counted and nobody recorded (lost), or
 *	   that came after all (found). Kernel counter = sum of drops + sum of lost - sum of found, per reason.
 * Follow  each new row at once, and once more with its final count when it closes, if that is more than one: keyed by
 *	   sequence, the later one counts.
 * why     of a refused application: why, what it rather was, and what the rule names. A connection is refused once;
 *	   its later packets say nothing, and the row keeps what was said first. 0: nothing was said. Of reason `cut`
 *	   why and seen are the low and the high byte of the cut's number (0: various).
 * rule    the nearest allow rule, with what differs from it; nothing differs when the policy as such allows the
 *	   packet (state, MAC of another kind of refusal).
 * Times   of the wall clock; when it was set back, the sequence tells the true order.
 * Numbers have no gaps over drops, faults, commits and the store's own marks: a missing one was removed.
 */

#define MSG_ANY_PORT 0xffffffffu
struct msg_query {
	uint32_t verb; /* enum msg_log_verb */
	uint32_t limit; /* rows, 0 = default 100 */
	int64_t since, until; /* wall seconds, 0 = open */
	char from[64], to[64]; /* segment names, "" = any */
	char src[64], dst[64]; /* address, prefix, or host name, "" = any */
	uint32_t port;	       /* MSG_ANY_PORT = any */
	uint32_t reason;       /* 0 = any */
	uint32_t follow;       /* keep sending new rows */
	uint32_t all;	       /* also local-noise */
	uint64_t after;	       /* rows with a sequence above this */
	char who[64];	       /* COMMANDS, LOGINS, COMMITS, RECORDS: a part of the account or the name, "" = any */
	uint32_t kind;	       /* RECORDS: enum msg_record_kind, 0 = any */
	uint32_t number;       /* RECORDS: 0 = any; COMMANDS, LOGINS: of the session */
};
enum msg_log_verb {
	MSG_LOG_DROPS = 1,
	MSG_LOG_SUMMARY = 2,
	MSG_LOG_FAULTS = 3,
	MSG_LOG_VERIFY = 4,
	MSG_LOG_COMMITS = 5,
	MSG_LOG_COMMANDS = 6,
	MSG_LOG_LOGINS = 7,
	MSG_LOG_RECORDS = 8,
};

struct msg_drop_row {
	uint64_t sequence;
	uint64_t count; /* packets that this row stands for */
	int64_t first_ns, last_ns; /* wall */
	char boot_id[40];
	char from[64], to[64];	   /* segment names; to "" when unknown */
	char iface[LIMIT_IFNAME], out_iface[LIMIT_IFNAME];
	uint8_t src_mac[6], dst_mac[6], has_mac, family, proto, tcp_flags;
	uint8_t src[16], dst[16];
	uint16_t sport, dport; /* ICMP: dport = type << 8 | code */
	uint32_t length;
	uint32_t reason;
	uint32_t generation;
	uint32_t differs;      /* DIFFERS_* */
	char rule[64];	       /* nearest rule's stable name, "" when none */
	char host_src[64], host_dst[64]; /* names of hosts, "" */
	uint32_t loss;	       /* enum msg_loss */
	uint8_t src_len, dst_len; /* prefix lengths: 32 or 128, less when a flood was counted by wider keys */
	uint8_t open;		  /* 1: still counting, not yet in the chain (hash is zero) */
	uint8_t why, seen; /* of app-mismatch and unfitting: enum inspect_why, enum application; the first that was not 0 */
	uint8_t expected;  /* enum application of `rule`, where the inspector said anything */
	uint8_t pad[2];
	uint8_t hash[32]; /* of the chain, this row included */
};
enum msg_loss {
	MSG_LOSS_NONE = 0,  /* drops */
	MSG_LOSS_LOST = 1,  /* `count` drops for `reason` that the kernel counted and no record tells of (log-loss) */
	MSG_LOSS_FOUND = 2, /* `count` of those came after all: takes back log-loss */
};
struct msg_fault_row {
	uint64_t sequence;
	int64_t at;
	uint32_t severity, pad;
	char process[32], code[32], text[256];
};
struct msg_commit_row {
	uint64_t sequence;
	int64_t at;
	uint32_t generation, uid;
	char who[64], why[256], approval[64], account[MSG_ACCOUNT];
};
struct msg_command_row {
	uint64_t sequence;
	struct msg_work it;
};
struct msg_login_row {
	uint64_t sequence;
	struct msg_login it;
};
/*
 * An entry of a record that a person keeps (障害・事故・作業記録 and others). Entries are only added: a correction is a further
 * entry. To logd on a socket with the right; answered with msg_end once it is on the disk: last_sequence its row, checked its
 * number.
 */
struct msg_record {
	uint32_t kind;	 /* enum msg_record_kind */
	uint32_t what;	 /* enum msg_record_what */
	uint32_t number; /* of the record; NEW: 0, logd gives the next one */
	uint32_t pad;
	int64_t occurred; /* wall seconds, 0 = not said */
	char who[64];	  /* the reporter (報告者) */
	char title[256];  /* in a line */
	char cause[MSG_LINE], action[MSG_LINE], prevention[MSG_LINE]; /* 原因, 対応, 再発防止 */
	char note[MSG_RECORD_NOTE]; /* also the time line; " / " between lines */
};
enum msg_record_kind {
	MSG_RECORD_INCIDENT = 1,  /* 事故 */
	MSG_RECORD_FAULT = 2,	  /* 障害 */
	MSG_RECORD_WORK = 3,	  /* 作業 */
	MSG_RECORD_DEPUTY = 4,	  /* 代理 */
	MSG_RECORD_EXCEPTION = 5, /* 例外措置 */
	MSG_RECORD_DISPOSAL = 6,  /* 廃棄 */
	MSG_RECORD_TRAINING = 7,  /* 訓練・研修 */
	MSG_RECORD_KINDS,
};
enum msg_record_what { MSG_RECORD_NEW = 1, MSG_RECORD_ADD = 2, MSG_RECORD_CLOSE = 3 };
struct msg_record_row {
	uint64_t sequence;
	int64_t at;
	uint32_t uid, role;
	char account[MSG_ACCOUNT];
	struct msg_record it;
};
struct msg_summary_row { /* one per (reason, from, to), most packets first */
	uint64_t packets, rows;
	int64_t first, last;
	uint32_t reason, loss;
	char from[64], to[64];
};
/* The mail ledger: newest first; everything that is given must fit. Texts are parts of addresses, in any case. */
struct msg_mail_query {
	uint32_t limit;	    /* rows, 0 = default 100 */
	uint32_t direction; /* enum msg_mail_direction, 0 = both */
	uint32_t verdict;   /* enum msg_mail_verdict, 0 = all */
	uint32_t verify;    /* 1: no rows, but whether the chain holds (msg_end) */
	int64_t since, until; /* wall seconds, 0 = open */
	char receipt[40], sender[256], recipient[256];
};
#define MSG_MAIL_ROW_RECIPIENTS 1024
struct msg_mail_row { /* fds: [the cleaner's report as JSON, a memfd] when one receipt number was asked for and it has one */
	uint64_t sequence, id;
	int64_t at;
	uint32_t direction, verdict, reason, notes;
	uint32_t nrecipients, pad;
	uint64_t size, size_out;
	uint8_t sha256[32], sha256_out[32];
	char receipt[40], client[48], helo[256], sender[256];
	char recipients[MSG_MAIL_ROW_RECIPIENTS]; /* as many as fit */
	char detail[128];
	char meant[48]; /* as in msg_mail_entry */
	/* What became of it; result 0: not known (yet) */
	int64_t result_at;
	uint32_t result, code; /* enum msg_mail_result_of */
	char server[48], text[160];
	char tls[64], server_tls[96];
	uint8_t hash[32];
};
/* A held mail may leave; answered with msg_end. */
struct msg_mail_approve {
	char receipt[40], who[64];
};
/*
 * What passed (admissions), on the same socket; answered with rows and msg_end. A row stands for the connections of one rule,
 * source, destination, protocol and port that ended within a minute. Wide rows (a flood of connections): src_len, dst_len < 32/128
 * mean networks, and then the port is 0 (various). A row with `lost` stands for ends of connections that the kernel had no room to
 * tell of. Bytes are as the IP headers say, of both ways: out is from who began.
 */
enum msg_watch_verb {
	MSG_WATCH_ADMISSIONS = 1, /* -> msg_admission_row, newest first; those still open come first, without a number */
	MSG_WATCH_RULES = 2,	  /* -> msg_rule_row, one for each rule that ever passed anything */
	MSG_WATCH_VERIFY = 3,	  /* msg_end alone: does the chain hold? */
};
struct msg_watch_query {
	uint32_t verb;	/* enum msg_watch_verb */
	uint32_t limit; /* rows, 0 = default 100 */
	int64_t since, until; /* wall seconds, 0 = open */
	char from[64], to[64], rule[64]; /* names, "" = any */
	char src[64], dst[64];		 /* address, prefix, or host name, "" = any */
	uint32_t port;			 /* MSG_ANY_PORT = any */
	uint32_t pad;
};
struct msg_admission_row {
	uint64_t sequence; /* 0: still counting */
	int64_t first_ns, last_ns;
	uint64_t connections, lost;
	uint64_t packets_out, packets_back, bytes_out, bytes_back;
	char rule[64], from[64], to[64], host_src[64], host_dst[64];
	uint8_t src[16], dst[16];
	uint8_t family, proto, src_len, dst_len;
	uint16_t dport; /* ICMP: type << 8 | code */
	uint16_t pad;
	uint32_t generation, pad2;
	uint8_t hash[32];
};
struct msg_rule_row {
	char rule[64];
	uint64_t connections, packets_out, packets_back, bytes_out, bytes_back;
	int64_t first, last; /* wall seconds */
};
struct msg_end { /* closes the rows of one query */
	uint32_t ok;
	uint32_t more; /* the limit cut the list: there may be more */
	uint64_t last_sequence;
	uint64_t checked; /* VERIFY: rows whose chain holds */
	uint8_t head[32]; /* VERIFY: hash of the newest row: note it elsewhere to detect a rewritten store */
	char error[128];
};

/* -- sekisho-maild to the zygotes of sekisho-clean and sekisho-verify, and back -------------------------- */

/*
 * One mail for a child of its own. fds: to sekisho-clean [in, out, result, domains], to sekisho-verify [in, out, result].
 *   in	      the bytes, until the end of file: of the mail; or what the cleaner wrote
 *   out      what is to leave
 *   result   SOCK_SEQPACKET: one MSG_MAIL_RESULT (clean) or MSG_MAIL_VERIFIED (verify), then the end of file. The end of
 *	      file alone: the child failed, was killed, or was never made (MSG_MAIL_BUSY says so, when it could be sent).
 *   domains  the town's own domains, one a line, in a sealed memfd
 * The sender closes its copies of what it gave at once. To be rid of a job it closes its ends of in and out.
 * sekisho-verify looks at seconds, cpu_seconds, out_max and private_use alone.
 */
#define MSG_MAIL_LABELS 8
#define MSG_MAIL_SECONDS_MAX 3600
#define MSG_MAIL_FDS_CLEAN 4
#define MSG_MAIL_FDS_VERIFY 3
struct msg_mail_job {
	uint32_t direction;   /* enum msg_mail_direction */
	uint32_t seconds;     /* the child is killed this long after its start */
	uint32_t cpu_seconds; /* and when it used this much of a processor */
	uint32_t english;     /* 1: notices in English, else in Japanese */
	uint32_t original;    /* enum msg_mail_original: what the notice says of it */
	uint32_t attachment_text; /* bit set of the kinds whose text is taken out: of clean.h */
	uint32_t private_use; /* 1: characters of private use (外字) are kept */
	uint32_t pad;
	uint64_t text_max; /* bytes of text in the output */
	uint64_t out_max;  /* bytes of output */
	char hostname[64]; /* of the gateway */
	char trace[64];	   /* what the gateway writes into its own trace fields: counted to find loops */
	char authserv[256]; /* whose Authentication-Results are believed, "" = nobody's */
	char sender[256];   /* of the envelope, "" = <> */
	uint8_t sha256[32]; /* of the mail, as sekisho-maild got it: the receipt number is from it */
	char label[MSG_MAIL_LABELS][64]; /* looked for in the subject, "" = none */
};
enum msg_mail_original { MSG_MAIL_ORIGINAL_NONE = 0, MSG_MAIL_ORIGINAL_UPSTREAM = 1, MSG_MAIL_ORIGINAL_COPIED = 2 };
/* The cleaner has written all it had to. fds: [sealed memfd: struct mailreport and its parts (mailreport.h)]. */
struct msg_mail_result {
	uint64_t bytes_in;
	uint64_t bytes_out; /* the verifier must have seen as many: else it saw a piece */
};
/* The verifier has seen the end of what the cleaner wrote. */
struct msg_mail_verified {
	uint64_t bytes;	 /* accepted, and written to `out` */
	uint64_t offset; /* of the byte that is refused */
	uint32_t reason; /* enum mailverify_reason, MAILVERIFY_OK: accepted */
	uint32_t pad;
	uint8_t sha256[32]; /* of the accepted bytes */
};
/* A zygote could not make a child for the job with this tag: its descriptors are closed. */
struct msg_mail_busy {
	uint32_t living; /* children that are at work */
	int32_t error;	 /* errno of fork(); 0: as many as there may be */
};

/* -- STARTTLS: sekisho-maild to sekisho-tls, and what that one needs --------------------------------------- */

/*
 * One connection for a child of its own. fds: [the connection, as it came or was made], [a stream socket: the same in clear],
 * [result: SOCK_SEQPACKET, one MSG_TLS_DONE; the end of file alone: the child failed, was killed, or was never made].
 * The sender closes its copies of what it gave. The child lives until one of the two connections ends.
 */
#define MSG_TLS_FDS 3
#define MSG_TLS_SECONDS_MAX 300
struct msg_tls_job {
	uint32_t role;	  /* enum msg_tls_role */
	uint32_t level;	  /* CLIENT: enum tls_level, not PLAIN */
	uint32_t seconds; /* for the handshake */
	uint32_t npins;
	char certificate[32]; /* SERVER: which one of ours */
	char name[256];	      /* CLIENT: what the mail server calls itself, "" = not known */
	char authority[32];   /* CLIENT: whose word counts, "" = nobody's */
	uint8_t pin[TLS_PINS_MAX][TLS_PIN_BYTES]; /* CLIENT: SHA-256 of its certificate; 0 behind the first npins */
};
enum msg_tls_role { MSG_TLS_SERVER = 1, MSG_TLS_CLIENT = 2 };
struct msg_tls_done {
	uint32_t why;	/* enum tls_why; OK: what follows on the stream is in clear */
	uint32_t trust; /* enum tls_trust */
	char version[16], cipher[40];
	char peer[128]; /* what its certificate says: the name that matched, or its subject */
	uint8_t pin[TLS_PIN_BYTES]; /* SHA-256 of its certificate, 0 = it showed none */
};
/* sekisho-tls -> sekisho-sign: one handshake with this key is about to be. fds: [the child's socket: one MSG_TLS_SIGN comes] */
struct msg_tls_grant {
	uint8_t key[32]; /* SHA-256 of the public key (SubjectPublicKeyInfo) */
};
/* A child of sekisho-tls -> sekisho-sign: the hash that its handshake is to be signed by; with RSA before PSS the DigestInfo. */
#define MSG_TLS_SIGN_MAX 128
#define MSG_TLS_SIGNED_MAX 1024
struct msg_tls_sign {
	uint32_t algorithm; /* gnutls_sign_algorithm_t */
	uint32_t n;
	uint8_t data[MSG_TLS_SIGN_MAX];
};
struct msg_tls_signed {
	uint32_t n; /* 0: it is refused */
	uint32_t pad;
	uint8_t signature[MSG_TLS_SIGNED_MAX];
};
/* sekishod -> init: the files that the policy names, as a whole; n = 0: none. */
struct msg_tls_want {
	uint32_t n, pad;
	struct msg_tls_name {
		char name[32];
		uint32_t keyed; /* 1: with a key, 0: an authority of others */
		uint32_t pad;
	} name[TLS_NAMES_MAX];
};
/*
 * init -> sekisho-tls (certificates) and sekisho-sign (keys), one for each, index 0 to n - 1, and again when a file changes.
 * fds: [the file, to be read from its beginning]; none when there is none that may be taken.
 */
struct msg_tls_file {
	uint32_t index, n; /* n = 0: nothing is wanted */
	uint32_t keyed;
	uint32_t state; /* enum tls_file: GOOD, MISSING, UNREADABLE */
	char name[32];
};
/* sekisho-sign -> sekisho-tls: it has a key of that name, or has none (key: 0). */
struct msg_tls_key {
	char name[32];
	uint8_t key[32]; /* as in MSG_TLS_GRANT */
};
/* sekisho-tls -> sekishod and sekisho-maild, when something changed and each 5 s. */
struct msg_tls_status {
	uint32_t n, living; /* children */
	uint64_t handshakes, failed; /* children that were made; that ended without a word */
	struct msg_tls_certificate {
		char name[32];
		uint32_t keyed, state;	     /* enum tls_file */
		uint32_t in_use, pad;	     /* 1: what is told is used (an older one while the new one is not good) */
		int64_t not_before, not_after; /* wall seconds; 0 = not known */
		char subject[128], names[256]; /* names: of hosts, a blank between */
		uint8_t pin[TLS_PIN_BYTES];
	} certificate[TLS_NAMES_MAX];
};

/* -- sekisho-hostd: accounts, clock, restart --------------------------------------------------------------- */

/*
 * sekishod -> sekisho-hostd: somebody who may (MSG_VERB_ACCOUNTS, _HOST, _PASSWORD); fds: [his socket]. sekisho-hostd looks again
 * whether the account may. On that socket he asks MSG_HOST_ASK; no password passes sekishod.
 */
struct msg_host_client {
	uint32_t uid;
	uint32_t role; /* enum msg_role: the one he has that may most */
	uint32_t verb; /* enum msg_verb: what he was let through for */
	uint32_t pad;
};
enum msg_host_what {
	MSG_HOST_LIST = 1,     /* -> MSG_HOST_ACCOUNT for each, MSG_HOST_TOLD */
	MSG_HOST_ADD = 2,      /* name, label, role -> told, with a temporary password */
	MSG_HOST_DISABLE = 3,  /* name */
	MSG_HOST_ENABLE = 4,   /* name */
	MSG_HOST_ROLE = 5,     /* name, role */
	MSG_HOST_RESET = 6,    /* name -> told, with a temporary password */
	MSG_HOST_PASSWORD = 7, /* his own: secret, the new one */
	MSG_HOST_CLOCK = 8,    /* at: set the clock and the one that runs without power */
	MSG_HOST_RESTART = 9,
	MSG_HOST_OFF = 10,
	MSG_HOST_WHAT_END,
};
struct msg_host_ask {
	uint32_t what; /* enum msg_host_what */
	uint32_t role; /* enum msg_role, where it is asked for */
	int64_t at;
	char name[32], label[64];
	char secret[256], fresh[256];
	char language[8];
};
struct msg_host_account {
	uint32_t uid, role;
	uint32_t enabled, must_change; /* 0 or 1 */
	int64_t changed; /* wall seconds: its password */
	char name[32], label[64];
};
struct msg_host_told {
	uint32_t ok, pad;
	char error[192];
	char secret[64]; /* a temporary password, shown once */
};

/* name, struct, value on the wire, descriptors allowed (min, max) */
#define MESSAGES(X)                                                                                            \
	X(READY, msg_ready, 1, 0, 0)                                                                            \
	X(BEAT, msg_beat, 2, 0, 0)                                                                              \
	X(SPAWN, msg_spawn, 3, 2, 3)                                                                            \
	X(EXITED, msg_exited, 4, 0, 0)                                                                          \
	X(RESULT, msg_result, 5, 1, 2)                                                                          \
	X(BROKEN, msg_broken, 6, 0, 0)                                                                          \
	X(ATTACH, msg_attach, 7, 1, 1)                                                                          \
	X(GENERATION, msg_generation, 10, 1, 1)                                                                 \
	X(COUNTERS, msg_counters, 11, 0, 0)                                                                     \
	X(FAULT, msg_fault, 12, 0, 0)                                                                           \
	X(CLIENT, msg_client, 13, 1, 1)                                                                         \
	X(LINKS, msg_links, 15, 0, 0)                                                                           \
	X(LOG_STATUS, msg_log_status, 14, 0, 0)                                                                 \
	X(REQUEST, msg_request, 20, 0, 1)                                                                       \
	X(STATUS, msg_status, 21, 0, 0)                                                                         \
	X(COMMITTED, msg_committed, 22, 0, 1)                                                                   \
	X(OPENED, msg_opened, 23, 0, 1)                                                                         \
	X(QUERY, msg_query, 30, 0, 0)                                                                           \
	X(DROP_ROW, msg_drop_row, 31, 0, 0)                                                                     \
	X(FAULT_ROW, msg_fault_row, 32, 0, 0)                                                                   \
	X(COMMIT_ROW, msg_commit_row, 33, 0, 0)                                                                 \
	X(SUMMARY_ROW, msg_summary_row, 34, 0, 0)                                                               \
	X(END, msg_end, 35, 0, 0)                                                                               \
	X(QUEUES, msg_queues, 40, LIMIT_SEGMENTS, LIMIT_SEGMENTS)                                               \
	X(ENFORCED, msg_enforced, 41, 0, 0)                                                                     \
	X(VERDICTS, msg_verdicts, 42, 0, 0)                                                                     \
	X(PINHOLE, msg_pinhole, 43, 0, 0)                                                                       \
	X(INSPECT_STATUS, msg_inspect_status, 44, 0, 0)                                                         \
	X(MAIL_JOB, msg_mail_job, 50, MSG_MAIL_FDS_VERIFY, MSG_MAIL_FDS_CLEAN)                                  \
	X(MAIL_RESULT, msg_mail_result, 51, 1, 1)                                                               \
	X(MAIL_VERIFIED, msg_mail_verified, 52, 0, 0)                                                           \
	X(MAIL_BUSY, msg_mail_busy, 53, 0, 0)                                                               \
	X(MAIL_LISTEN, msg_mail_listen, 60, 0, 0)                                                               \
	X(MAIL_LISTENER, msg_mail_listener, 61, 0, 1)                                                           \
	X(MAIL_HOPS, msg_mail_hops, 62, 0, 0)                                                                   \
	X(MAIL_CONNECT, msg_mail_connect, 63, 0, 0)                                                             \
	X(MAIL_CONNECTED, msg_mail_connected, 64, 0, 1)                                                         \
	X(MAIL_COMMAND, msg_mail_command, 65, 0, 0)                                                             \
	X(MAIL_STATUS, msg_mail_status, 66, 0, 0)                                                               \
	X(MAIL_ENTRY, msg_mail_entry, 70, 0, 1)                                                                 \
	X(MAIL_STORED, msg_mail_stored, 71, 0, 0)                                                               \
	X(MAIL_OUTCOME, msg_mail_outcome, 72, 0, 0)                                                             \
	X(MAIL_ASK, msg_mail_ask, 73, 0, 0)                                                                     \
	X(MAIL_APPROVAL, msg_mail_approval, 74, 0, 0)                                                           \
	X(MAIL_QUERY, msg_mail_query, 75, 0, 0)                                                                 \
	X(MAIL_ROW, msg_mail_row, 76, 0, 1)                                                                     \
	X(MAIL_APPROVE, msg_mail_approve, 77, 0, 0)                                                             \
	X(SESSION, msg_session, 80, 0, 0)                                                                       \
	X(SESSIONS, msg_sessions, 81, 0, 0)                                                                     \
	X(COMMAND, msg_command, 82, 0, 0)                                                                       \
	X(REFUSED, msg_refused, 83, 0, 0)                                                                       \
	X(WORK, msg_work, 84, 0, 0)                                                                             \
	X(LOGIN, msg_login, 85, 0, 0)                                                                           \
	X(RECORD, msg_record, 86, 0, 0)                                                                         \
	X(COMMAND_ROW, msg_command_row, 90, 0, 0)                                                               \
	X(LOGIN_ROW, msg_login_row, 91, 0, 0)                                                                   \
	X(RECORD_ROW, msg_record_row, 92, 0, 0)                                                                 \
	X(HISTORY, msg_history, 100, 0, 0)                                                                      \
	X(CANDIDATE, msg_candidate, 101, 0, 1)                                                                  \
	X(CANDIDATES, msg_candidates, 102, 0, 0)                                                               \
	X(CUTS, msg_cuts, 110, 1, 1)                                                                           \
	X(ACTED, msg_acted, 111, 0, 1)                                                                         \
	X(EVIDENCE, msg_evidence, 112, 2, 2)                                                                   \
	X(EVIDENCE_DONE, msg_evidence_done, 113, 0, 0)                                                         \
	X(HOLD, msg_hold, 114, 0, 0)                                                                           \
	X(WATCHED, msg_watched, 120, 0, 2)                                                                     \
	X(WATCH_QUERY, msg_watch_query, 121, 0, 0)                                                             \
	X(ADMISSION_ROW, msg_admission_row, 122, 0, 0)                                                         \
	X(RULE_ROW, msg_rule_row, 123, 0, 0)                                                                   \
	X(ALARMS, msg_alarms, 124, 0, 0)                                                                       \
	X(ALARM_SETTINGS, msg_alarm_settings, 130, 0, 0)                                                       \
	X(ALARM_EVENT, msg_alarm_event, 131, 0, 0)                                                             \
	X(ALARM_HEALTH, msg_alarm_health, 132, 0, 0)                                                           \
	X(ALARM_REPORT, msg_alarm_report, 133, 0, 0)                                                           \
	X(ALARM_STATUS, msg_alarm_status, 134, 0, 0)                                                           \
	X(ALARM_HOPS, msg_alarm_hops, 135, 0, 0)                                                               \
	X(ALARM_ASK, msg_alarm_ask, 136, 0, 0)                                                                 \
	X(ALARM_NEWS, msg_alarm_news, 137, 0, 0)                                                               \
	X(ALARM_DONE, msg_alarm_done, 138, 0, 0)                                                               \
	X(ALARM_DIGEST, msg_alarm_digest, 139, 0, 0)                                                           \
	X(TLS_JOB, msg_tls_job, 140, MSG_TLS_FDS, MSG_TLS_FDS)                                                  \
	X(TLS_DONE, msg_tls_done, 141, 0, 0)                                                                    \
	X(TLS_GRANT, msg_tls_grant, 142, 1, 1)                                                                  \
	X(TLS_SIGN, msg_tls_sign, 143, 0, 0)                                                                    \
	X(TLS_SIGNED, msg_tls_signed, 144, 0, 0)                                                                \
	X(TLS_WANT, msg_tls_want, 145, 0, 0)                                                                    \
	X(TLS_FILE, msg_tls_file, 146, 0, 1)                                                                    \
	X(TLS_KEY, msg_tls_key, 147, 0, 0)                                                                      \
	X(TLS_STATUS, msg_tls_status, 148, 0, 0)                                                           \
	X(HOST_CLIENT, msg_host_client, 150, 1, 1)                                                             \
	X(HOST_ASK, msg_host_ask, 151, 0, 0)                                                                   \
	X(HOST_ACCOUNT, msg_host_account, 152, 0, 0)                                                           \
	X(HOST_TOLD, msg_host_told, 153, 0, 0)

enum msg_type {
#define X(NAME, type, value, fds_min, fds_max) MSG_##NAME = value,
	MESSAGES(X)
#undef X
};

/* A received message: the struct that `type` names is in the union. */
struct msg {
	enum msg_type type;
	uint32_t tag;
	int fds[MSG_FDS_MAX]; /* -1 where none; the receiver owns them */
	unsigned nfds;
	union {
#define X(NAME, type, value, fds_min, fds_max) struct type type;
		MESSAGES(X)
#undef X
	} u;
};

/*
 * Encodes body (the struct of `type`) into one datagram and sends it with nfds descriptors (which stay the
 * caller's). Returns 0, or -errno (-EAGAIN on a full non-blocking socket: nothing was sent).
 */
int msg_send(int fd, enum msg_type type, uint32_t tag, const void *body, const int *fds, unsigned nfds);

/*
 * Receives and checks one message. Returns 1 and fills *ret; 0 at end of file; -EAGAIN when nothing is there;
 * -EPROTO for a malformed message (its descriptors are closed already): the caller drops the peer; other -errno.
 * Then *ret means nothing.
 */
int msg_recv(int fd, struct msg *ret);

/* Checks bytes as msg_recv() does; for tests and the fuzzer. nfds: descriptors that came along. */
bool msg_decode(const void *p, size_t n, unsigned nfds, struct msg *ret);

/*
 * Closes a descriptor that came from somebody else. A socket that its maker told to linger would hold up a plain
 * close() for as long as he liked.
 */
void msg_close_fd(int fd);

/* Closes the descriptors that *m still owns and forgets them. */
void msg_close_fds(struct msg *m);

/* Copies text into a message's array: cut at a character, NUL-terminated, control characters replaced. */
void msg_text(char *dst, size_t size, const char *src);
#define MSG_TEXT(dst, src) msg_text((dst), sizeof(dst), (src))

#endif
