/*
 * daemon.h: how every process of ours starts, lives and ends.
 *
 *	options -> take what was handed -> before() as root -> jail -> verify -> start() -> MSG_READY -> loop
 *
 * sekisho-init starts a daemon with its sockets on the fixed descriptors below and the option --handed.
 * Without --handed (a test, or root by hand) nothing is there: the daemon opens in before() what it needs
 * (nflog_open() and control_open() of open.h are the same that init calls) and nobody asks for READY or
 * beats.
 *
 * The skeleton itself sends MSG_READY and each second MSG_BEAT, and stops the loop on SIGTERM, SIGINT and
 * SIGHUP. When init dies the kernel kills its daemons: what they hold must be safe at any instant anyway.
 */
#ifndef SEKISHO_DAEMON_H
#define SEKISHO_DAEMON_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include <sekisho/jail.h>
#include <sekisho/limits.h>
#include <sekisho/msg.h>

struct loop;

/* -- Descriptors ----------------------------------------------------------------------------------------- */

enum daemon_fd {
	DAEMON_FD_INIT = 3, /* every daemon: to sekisho-init */

	/* sekishod */
	DAEMON_FD_LOG = 4,     /* to sekisho-logd (see below) */
	DAEMON_FD_CONTROL = 5, /* listening SOCK_SEQPACKET socket of the `sekisho` command */
	DAEMON_FD_QUEUES = 6,  /* the kernel's list of packet queues, which only root may open; or an empty file */
	DAEMON_FD_POST = 7,    /* to sekisho-maild */
	DAEMON_FD_CALLER = 8,  /* to sekisho-connect */
	DAEMON_FD_NOTIFIER = 9, /* to sekisho-alarm */
	DAEMON_FD_TLS = 10,     /* to sekisho-tls */
	DAEMON_FD_HOST = 11,	/* to sekisho-hostd */

	/* sekisho-logd */
	DAEMON_FD_GATE = 4,  /* to sekishod (see below) */
	DAEMON_FD_NFLOG = 5, /* 5..5+LIMIT_SEGMENTS: group DAEMON_NFLOG_GROUP + i */

	DAEMON_FD_ENDED = 5 + LIMIT_SEGMENTS + 1,  /* the kernel's events of connections that ended */
	DAEMON_FD_LEDGER = 5 + LIMIT_SEGMENTS + 2, /* from sekisho-maild */
	DAEMON_FD_DIGEST,			   /* from sekisho-alarm */

	/* sekisho-inspect: DAEMON_FD_GATE alone; the queues come in MSG_QUEUES */

	/* sekisho-maild: DAEMON_FD_GATE, and */
	DAEMON_FD_MAIL_LEDGER = 5, /* to sekisho-logd */
	DAEMON_FD_MAIL_CALLER = 6, /* to sekisho-connect */
	DAEMON_FD_MAIL_CLEAN = 7,  /* to the zygote of sekisho-clean */
	DAEMON_FD_MAIL_VERIFY = 8, /* to that of sekisho-verify */
	DAEMON_FD_MAIL_TLS = 9,	   /* to that of sekisho-tls */

	/* sekisho-connect: DAEMON_FD_GATE, and */
	DAEMON_FD_CALLS = 5, /* from sekisho-maild */
	DAEMON_FD_ALARM_CALLS = 6, /* from sekisho-alarm */

	/* sekisho-alarm: DAEMON_FD_GATE, and */
	DAEMON_FD_ALARM_RECORDS = 5, /* to sekisho-logd */
	DAEMON_FD_ALARM_CALLER = 6,  /* to sekisho-connect */

	/* sekisho-hostd: DAEMON_FD_GATE alone */

	/* sekisho-clean, sekisho-verify */
	DAEMON_FD_MAIL = 4, /* to sekisho-maild: MSG_MAIL_JOB comes, MSG_MAIL_BUSY goes (src/mail/zygote.h) */

	/* the child of either that has one mail */
	MAIL_FD_IN = 0,
	MAIL_FD_OUT = 1,
	MAIL_FD_RESULT = 3,
	MAIL_FD_DOMAINS = 4, /* sekisho-clean: own domains, one a line */
	MAIL_FD_REPORT = 5,  /* sekisho-clean: an empty memfd that can be sealed */

	/* sekisho-tls: DAEMON_FD_MAIL, and */
	DAEMON_FD_TLS_GATE = 5, /* to sekishod */
	DAEMON_FD_TLS_SIGN = 6, /* to sekisho-sign */

	/* its child that has one connection */
	TLS_FD_NET = 0,
	TLS_FD_PLAIN = 1,
	TLS_FD_RESULT = 3,
	TLS_FD_SIGN = 4, /* for one signature, where it is the server */

	/* sekisho-sign */
	DAEMON_FD_SIGN = 4, /* from sekisho-tls */

	/* one-shots */
	DAEMON_FD_RESULT = 3, /* MSG_RESULT goes here */
	DAEMON_FD_POLICY = 4, /* sekisho-compile: sealed memfd with the policy's text */
	DAEMON_FD_IR = 4,     /* sekisho-prove: sealed memfd */
	DAEMON_FD_DUMP = 5,   /* sekisho-prove: the kernel's dump */
};
#define DAEMON_NFLOG_GROUP 100 /* segment i logs to group 100 + i */
#define DAEMON_NFLOG_COUNT (LIMIT_SEGMENTS + 1) /* the last one: no segment */
#define DAEMON_QUEUE 200 /* what comes from segment i and is to be inspected goes to queue 200 + i */

/*
 * The pair between sekishod and sekisho-logd outlives both: init keeps both ends, and a daemon that
 * was started again gets the same end. What was under way is not lost: it waits in the socket. Therefore:
 *   - there is never an end of file on it; a full socket gives -EAGAIN (both ends are non-blocking);
 *   - after its own start a daemon may find messages in it that were meant for its predecessor: absolute
 * values (MSG_COUNTERS, MSG_LOG_STATUS, MSG_GENERATION) make that harmless;
 *   - sekishod gets MSG_EXITED with name "sekisho-logd" once logd is READY again, and then sends the
 *     running MSG_GENERATION again;
 *   - a malformed message on it is answered with daemon_peer_broken().
 *
 * The pairs of the mail gate (sekishod, sekisho-logd, sekisho-maild, sekisho-connect and the zygotes) and of
 * sekisho-alarm are of the same kind: a question's tag says which of its own questions an answer is for, and
 * what a predecessor asked is nobody's.
 *
 * sekisho-inspect is another case: what it knows of flows dies with it, and its queues belong to the sekishod
 * that opened them. Each one gets a pair of its own; sekishod gets the other end with MSG_ATTACH once it is
 * READY, and sees the end of file when it is gone. When sekishod is gone init ends its inspector too.
 */

/* What sekisho-maild may listen on; init opens nothing else. */
#define DAEMON_MAIL_PORT 25
#define DAEMON_MAIL_TURNED_PORT 10025 /* for what the kernel turns to us (TPROXY) */

/* -- Times ----------------------------------------------------------------------------------------------- */

/*
 * The lease is renewed each 10 s and lasts 30 s: a hung sekishod must be killed and back within the 20 s
 * left.
 */
#define DAEMON_BEAT_MS 1000
#define DAEMON_BUSY_LIMIT_MS 120000 /* what daemon_busy() may add to the limit of the beats */
#ifndef DAEMON_BEAT_LIMIT_MS /* tests of init are quicker */
#define DAEMON_BEAT_LIMIT_MS 8000
#define DAEMON_READY_LIMIT_MS 10000
#define DAEMON_ONESHOT_LIMIT_MS 60000
#endif

/* -- Paths, below the root that --root names ------------------------------------------------------------- */

#define DAEMON_PATH_RUN "run/sekisho"		      /* root, 0755 */
#define DAEMON_PATH_CONTROL "run/sekisho/control"     /* 0660, group JAIL_GID_CONTROL */
#define DAEMON_PATH_EMPTY "run/sekisho/empty"	      /* root, 0555: root of the one-shots where no zones are */
#define DAEMON_PATH_STATE "var/lib/sekisho"	      /* root, 0755 */
#define DAEMON_PATH_GATE "var/lib/sekisho/gate"	      /* sekishod's own: generations; 0700 */
#define DAEMON_PATH_ACCOUNTS "var/lib/sekisho/accounts" /* sekisho-hostd's, and of the login; 0755 */
#define DAEMON_PATH_EVIDENCE "var/lib/sekisho/evidence" /* sekishod's own: freezes; 0700 */
#define DAEMON_PATH_LOG "var/lib/sekisho/log"	      /* sekisho-logd's own; 0700 */
#define DAEMON_PATH_TLS "var/lib/sekisho/tls"	      /* root's own: certificates and keys of the mail gate; 0700 */

#define DAEMON_ROOT_MAX 80 /* sun_path holds 108 bytes, and the control socket's path must fit */

/* -- The skeleton ---------------------------------------------------------------------------------------- */

struct daemon {
	const struct daemon_spec *spec;
	void *arg;	     /* the daemon's own */
	const char *root;    /* --root, default "/" */
	struct loop *loop;   /* from before start() on; NULL in a one-shot */
	bool handed;	     /* the descriptors above are there */
	bool pathless;	     /* set by option(): this run needs no directory, and none is made */
	int init;	     /* DAEMON_FD_INIT, or -1 without an init */
	int64_t now;	     /* one-shots: --now, wall seconds; else the clock's */
	char language[8];    /* one-shots: --language, default "ja" */
	int exit_code;	     /* what daemon_run() returns; 0 */
	/* the skeleton's own */
	uint64_t beats;
	struct jail_report jail;
};

/* Every hook may be NULL. Hooks that return int: 0, or -errno after which the process ends with status 3. */
struct daemon_spec {
	enum jail_row row;
	bool oneshot; /* no loop, no init: start() does the work and the process ends with d->exit_code */
	/*
	 * An option that the skeleton does not know, "--word" or "--word=value" (value NULL without one).
	 * Returns 0 when it was taken, else the process ends with status 2.
	 */
	int (*option)(struct daemon *d, const char *word, const char *value);
	/* As root, before the jail: load the zone, tables, own sockets. Nothing foreign is read here. */
	int (*before)(struct daemon *d);
	/* In the jail. A daemon adds its descriptors and timers; > 0: all is done, end with d->exit_code. */
	int (*start)(struct daemon *d);
	/* Asked before each beat; false lets it fall out (and init kills us after DAEMON_BEAT_LIMIT_MS). */
	bool (*well)(struct daemon *d);
	/* A message from init: MSG_EXITED (sekishod only). m's descriptors are closed afterwards. */
	void (*notice)(struct daemon *d, const struct msg *m);
	/* The loop has ended in order: flush. */
	void (*stop)(struct daemon *d);
};

/*
 * Runs a whole process: call it from main() with main's arguments and return its value: 0, 2 usage, 3 the
 * environment (a socket that was promised is not there, the jail does not hold), or d->exit_code. Options of
 * every daemon: --root=DIR, --handed, --foreground (the default outside init; accepted, no effect),
 * --now=SECONDS, --language=ja|en.
 */
int daemon_run(const struct daemon_spec *spec, void *arg, int argc, char **argv);

/*
 * One line "name[pid]: text" to standard error (which is the kernel's log under init without --foreground).
 * Control characters are replaced; a line is at most 900 bytes.
 */
void daemon_log(const char *fmt, ...) __attribute__((format(printf, 1, 2)));

/*
 * The name before each line; daemon_run() sets it. The text stays the caller's and lives as long as the
 * process.
 */
void daemon_log_name(const char *name);

/*
 * A beat between the loop's turns: for work that keeps the loop waiting (a large commit). Cheap; call it
 * often.
 */
void daemon_beat(struct daemon *d);

/*
 * A beat before one call that may take up to `seconds` and cannot be interrupted for beats (a large transaction of the
 * kernel): init waits that much longer for the next one, DAEMON_BUSY_LIMIT_MS at most. The lease does not.
 */
void daemon_busy(struct daemon *d, unsigned seconds);

/*
 * The peer on the pair sent something malformed. In sekishod: tells init, which kills and restarts that peer. In others:
 * ends the process (sekishod is the one that is trusted more). The message is dropped.
 */
void daemon_peer_broken(struct daemon *d, enum msg_peer peer);

/* root + "/" + path into buf; -ENAMETOOLONG when it does not fit. */
int daemon_path(const char *root, const char *path, char *buf, size_t size);

#endif
