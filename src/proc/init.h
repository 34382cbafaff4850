/* init.h: sekisho-init, the supervisor: what it holds. Only init*.c and main_init.c know it. */
#ifndef SEKISHO_INIT_H
#define SEKISHO_INIT_H

#include <stdbool.h>
#include <stdint.h>
#include <sys/types.h>

#include <sekisho/clock.h>
#include <sekisho/daemon.h>

struct loop;
struct loop_timer;

/*
 * sekishod runs at most one commit and one proof at a time; the rest is room for those that are being killed.
 */
#define INIT_ONESHOTS_MAX 4

struct init_daemon {
	struct init *init;
	enum jail_row row;
	pid_t pid; /* 0 = not running */
	int fd;	   /* our end of its socket, -1 without a process */
	bool ready;
	struct mono started, beat; /* beat: the last one, or READY */
	uint32_t busy_ms;	   /* what it asked for with it, bounded */
	unsigned restarts;
	int delay_ms; /* before the next start; grows while it dies young */
	struct loop_timer *again;
	bool quiet; /* its end is our own doing: not told */
	/* What sekishod has yet to be told about it. */
	struct {
		bool due;
		int status;
		struct mono since;
	} notice;
};

struct init_oneshot {
	struct init *init;
	enum jail_row row;
	pid_t pid; /* 0 = free */
	uint32_t tag;
	bool orphan; /* the sekishod that asked is gone: the next one does not know the tag */
	struct loop_timer *limit;
};

/* In the order in which they are started and stopped: who asks before who answers. */
enum init_daemon_index {
	INIT_GATE,
	INIT_LOG,
	INIT_INSPECT,
	INIT_MAIL,
	INIT_CONNECT,
	INIT_CLEAN,
	INIT_VERIFY,
	INIT_ALARM,
	INIT_TLS,
	INIT_SIGN,
	INIT_HOST,
	INIT_DAEMONS,
};

/* Pairs that outlive both ends, see daemon.h. End 0 is the first one's. */
enum init_pair_index {
	PAIR_LOG,     /* sekishod, sekisho-logd */
	PAIR_MAIL,    /* sekishod, sekisho-maild */
	PAIR_CALLER,  /* sekishod, sekisho-connect */
	PAIR_LEDGER,  /* sekisho-maild, sekisho-logd */
	PAIR_CALLS,   /* sekisho-maild, sekisho-connect */
	PAIR_CLEAN,   /* sekisho-maild, sekisho-clean */
	PAIR_VERIFY,  /* sekisho-maild, sekisho-verify */
	PAIR_ALARM,   /* sekishod, sekisho-alarm */
	PAIR_HOST,    /* sekishod, sekisho-hostd */
	PAIR_DIGEST,  /* sekisho-alarm, sekisho-logd */
	PAIR_ALARM_CALLS, /* sekisho-alarm, sekisho-connect */
	PAIR_TLS_GATE, /* sekishod, sekisho-tls */
	PAIR_TLS,      /* sekisho-maild, sekisho-tls */
	PAIR_SIGN,     /* sekisho-tls, sekisho-sign */
	INIT_PAIRS,
};

struct init {
	const char *root, *libexec, *watchdog_path;
	bool foreground;
	char root_option[DAEMON_ROOT_MAX + 16];
	struct loop *loop;
	struct init_daemon daemons[INIT_DAEMONS];
	struct init_oneshot oneshots[INIT_ONESHOTS_MAX];
	int control, queues, nflog[DAEMON_NFLOG_COUNT], ended;
	int pair[INIT_PAIRS][2];
	struct msg_mail_listen listen; /* what sekisho-maild shall listen on */
	uint32_t listen_next;	       /* of them the first that it has not got */
	struct init_tls {
		struct msg_tls_want want; /* the files that sekisho-tls and sekisho-sign shall have */
		uint64_t seen[TLS_NAMES_MAX][2]; /* what tells a file from the one of before: certificate, key */
		struct mono looked;
	} tls;
	int inspector; /* sekishod's end of the pair to a sekisho-inspect, which it has yet to get; -1 */
	int watchdog;
	bool stopping;
	struct loop_timer *stop_limit;
};

/*
 * Loads the closed table (`sekishod --close`), then opens everything. 0, or -errno after one line in the log.
 */
int init_open(struct init *in);
void init_close(struct init *in);

/* A pair for two daemons, with room for what comes while one of them is busy. 0 or -errno. */
int init_pair(int pair[2]);

/*
 * init_mail.c: opens what sekisho-maild shall listen on and hands it over; nothing is kept here: with sekisho-maild its
 * sockets end, and nobody connects to a gate that is not there.
 */
void init_mail_listen(struct init *in, const struct msg_mail_listen *l);
/* sekisho-maild is READY. */
void init_mail_ready(struct init *in);
/* Hands over what there was no room for. */
void init_mail_check(struct init *in);

/*
 * init_tls.c: opens certificates for sekisho-tls and keys for sekisho-sign: the directory is root's. Nothing is read here.
 * Looked at again each few seconds: a file that was replaced is handed over anew.
 */
void init_tls_want(struct init *in, const struct msg_tls_want *w);
/* One of the two is READY. */
void init_tls_ready(struct init *in, enum jail_row row);
/* Called twice a second. */
void init_tls_check(struct init *in);

/* Starts a daemon; on failure it is tried again after the delay. */
void init_start(struct init_daemon *d);
/* A process of ours ended or stopped (status as of waitpid). */
void init_reap(struct init *in, pid_t pid, int status);
/* Kills what hangs, delivers what sekishod has yet to be told. Called twice a second. */
void init_check(struct init *in);
/* Ends the children in order; the loop stops when the last is gone. */
void init_stop(struct init *in);

/* One-shots, on sekishod's request. m's descriptors stay the caller's. */
struct msg;
void init_oneshot_start(struct init *in, const struct msg *m);
void init_oneshot_ended(struct init_oneshot *o, int status);
/* sekishod is gone: nobody waits for their answers. */
void init_oneshot_kill_all(struct init *in);

/* Tells sekishod; false when it could not be told now. */
bool init_tell(struct init *in, uint32_t tag, const struct msg_exited *e);

/* The supervisor's whole life. Exit status. */
int init_run(struct init *in);

#endif
