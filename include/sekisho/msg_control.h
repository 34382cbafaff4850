/*
 * msg_control.h: messages between people (the `sekisho` command) and sekishod or sekisho-hostd (see msg.h).
 */
#ifndef SEKISHO_MSG_CONTROL_H
#define SEKISHO_MSG_CONTROL_H

#include <sekisho/msg_daemon.h>
#include <sekisho/msg_mail.h>

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

/* -- sekisho-hostd: accounts, clock, restart --------------------------------------------------------------- */

/*
 * sekishod -> sekisho-hostd: somebody who may (MSG_VERB_ACCOUNTS, _HOST, _PASSWORD); fds: [his socket]. sekisho-hostd looks
 * again whether the account may. On that socket he asks MSG_HOST_ASK; no password passes sekishod.
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

#endif
