/*
 * maild.h: what the files of sekisho-maild share.
 *
 *	client --smtp_server--> session --bytes--> spool (a memfd) --job--> cleaner --> verifier --> a second memfd
 *	                           |                                            report
 *	                           +-- judge, ledger --> delivery --smtp_client--> mail server
 *
 * One process, one loop. Nothing is kept on a disk, and no mail is ours: its sender hears 250 when the mail server has said
 * 250, and anything else lets the sender keep it.
 */
#ifndef MAILD_H
#define MAILD_H

#include <stdbool.h>
#include <stdint.h>

#include <nettle/sha2.h>

#include <sekisho/addr.h>
#include <sekisho/clock.h>
#include <sekisho/cut.h>
#include <sekisho/daemon.h>
#include <sekisho/flood.h>
#include <sekisho/ir.h>
#include <sekisho/judge.h>
#include <sekisho/mail_reason.h>
#include <sekisho/mailreport.h>
#include <sekisho/msg.h>
#include <sekisho/smtp_client.h>
#include <sekisho/smtp_server.h>

/* Connections of clients at once: as many slow ones as a flood has; each costs some 12 KiB. */
#define MAILD_SESSIONS 1024u
/* Of one address: a mail server keeps some twenty open. */
#define MAILD_SESSIONS_A_SOURCE 100u
/* Connections to the mail servers of one direction: Postfix serves a hundred by default, and others come too. */
#define MAILD_HOPS 32u
/* Mails that are worked on at once; more would only share two or four processors. */
#define MAILD_JOBS 16u
/* Bytes of mails that are being received or worked on; half of it for one source at most. A board has 1 GiB. */
#define MAILD_SPOOL (192u << 20)

/* Encrypted connections of clients, each way: sekisho-tls has a process for each, and the mail servers' come on top. */
#define MAILD_TLS_SESSIONS 256u

#define MAILD_WAYS 2 /* by enum mail_direction */

struct maild;
struct session;
struct policy;

/* -- policy.c: the generation in force ------------------------------------------------------------------- */

/* Kept as long as a session uses it. */
struct policy {
	uint32_t number;
	unsigned users;
	void *map;
	size_t size;
	struct ir ir;
	const struct ir_mail *way[MAILD_WAYS]; /* NULL: no mail that way */
	int domains; /* sealed memfd for the cleaner, -1 */
	char hostname[64], zone[64];
};
/* Takes the descriptor in any case. NULL with a reason in ret_error. */
struct policy *policy_new(uint32_t number, int ir_fd, const char **ret_error);
struct policy *policy_use(struct policy *p);
void policy_free(struct policy *p); /* one user less; NULL is allowed */

/* -- tls.c: sekisho-tls ------------------------------------------------------------------------------------ */

/* Somebody who waits for the end of a handshake. Zeroed before; tls_cancel() before it goes away. */
struct tls_wait {
	struct tls_wait *next;
	int fd;
	int64_t until;
	bool waiting;
	void (*done)(void *arg, const struct msg_tls_done *r);
	void *arg;
};
/*
 * Hands a connection over (`net` stays the caller's to close). Returns the stream on which it goes on in clear once done()
 * was told TLS_WHY_OK, or -errno. What the job says but for its time is the caller's.
 */
int tls_start(struct maild *m, struct tls_wait *w, struct msg_tls_job *job, int net);
void tls_cancel(struct maild *m, struct tls_wait *w);
/* Is this certificate there, and good? */
bool tls_has(const struct maild *m, const char *name, bool keyed);
/* "TLS1.3 AES-256-GCM verified mx.example.jp": for the ledger. */
void tls_write(const struct msg_tls_done *r, char *out, size_t size);
void tls_tick(struct maild *m, int64_t now);
int tls_begin(struct maild *m);

/* -- hop.c: connections to mail servers ------------------------------------------------------------------ */

/* Which mail servers: the next hops of a direction, or those that keep the originals. */
enum hop_group { HOP_IN, HOP_OUT, HOP_ORIGINAL, HOP_GROUPS };

struct hop {
	struct maild *m;
	int fd; /* -1: free, or being called */
	enum hop_group group;
	uint8_t server; /* index in its group's list */
	bool used;	/* a mail went over it before: it may have been closed meanwhile */
	bool ready;	/* greeted, nothing under way */
	bool writing;	/* the socket is full */
	bool stale;	/* another policy is in force since */
	bool secure;	/* STARTTLS was answered: the connection is to be handed over */
	struct tls_wait tls;
	char tls_text[96]; /* "" in clear */
	uint32_t tag; /* of the call, 0: none */
	struct addr asked; /* called for who needs this server; family 0: any */
	int64_t since; /* it became idle */
	struct smtp_client client;
	/* Who has it; NULL: idle. Told of every event of its machine; after GONE it must not touch the hop again. */
	void (*on_event)(void *arg, struct hop *h, const struct smtp_client_event *e);
	void *arg;
};

/* Somebody who needs a connection. Zeroed before; hop_cancel() before it goes away. */
struct hop_wait {
	struct hop_wait *next;
	enum hop_group group;
	struct addr server; /* only this one will do; family 0: any of the group */
	int64_t until;
	bool waiting, fresh; /* fresh: no connection that was used before */
	/* A hop that is ready (its on_event and arg are the taker's to set), or NULL with a reason. */
	void (*done)(void *arg, struct hop *h, enum mail_reason reason);
	void *arg;
};
void hop_want(struct maild *m, struct hop_wait *w);
void hop_cancel(struct maild *m, struct hop_wait *w);
/* Given back: after a mail was sent, in the middle of an envelope (it is reset), or no good any more. */
enum hop_end { HOP_SENT, HOP_OPEN, HOP_BROKEN };
void hop_release(struct hop *h, enum hop_end end);
/* Writes what its machine has; after each command. The hop may be gone afterwards (told to its user by on_event). */
void hop_flush(struct hop *h);
/* sekisho-connect's answer. */
void hop_connected(struct maild *m, const struct msg *answer, int fd);
/* The address of its mail server, as text. buf: ADDR_TEXT_MAX. */
const char *hop_name(const struct hop *h, char *buf);
/* What EHLO may offer since all that we know of the servers offer it: bits of enum smtp_extension. */
unsigned hop_extensions(const struct maild *m, enum hop_group group);
/* Servers of a group: how many there are, and how many took a connection lately or were not tried. */
void hop_health(const struct maild *m, enum hop_group group, uint32_t *ret_all, uint32_t *ret_well);
void hop_policy(struct maild *m); /* another policy is in force */
void hop_tick(struct maild *m, int64_t now);
int hop_start(struct maild *m);
void hop_stop(struct maild *m);

/* -- delivery.c: one mail to one mail server ------------------------------------------------------------- */

struct envelope {
	struct smtp_mail mail;
	char *list; /* packed recipients */
	size_t n, cap;
	unsigned count;
};
void envelope_clear(struct envelope *e);
/* 0, -ENOMEM, or -E2BIG: the ledger has no place for it. */
int envelope_add(struct envelope *e, const struct smtp_rcpt *r);
/* Walks: *at begins with 0. False at the end. */
bool envelope_next(const struct envelope *e, size_t *at, struct smtp_rcpt *ret);

enum delivery_news {
	DELIVERY_OPENED,   /* the server took the sender (or all of the envelope) */
	DELIVERY_RCPT,	   /* it took this recipient */
	DELIVERY_SENT,	   /* it has the mail: its 250 */
	DELIVERY_REFUSED,  /* it answered no: reply, reason NEXT_HOP_REFUSED or _DEFERRED. After RCPT the delivery goes on */
	DELIVERY_FAILED,   /* reason: no server, no answer; `doubt`: it had the whole mail */
};

enum delivery_goal { GOAL_NONE, GOAL_MAIL, GOAL_RCPT, GOAL_SEND };

struct delivery {
	struct maild *m;
	enum hop_group group;
	const struct envelope *envelope;
	const struct smtp_origin *origin;
	const struct smtp_rcpt *rcpt; /* GOAL_RCPT: that is asked about, not in the envelope yet */
	struct hop *hop;
	struct hop_wait wait;
	enum delivery_goal goal;
	/* What was said on this connection, and what was answered. */
	bool mail_said, rcpt_said, data_said, text, final;
	bool bad;	 /* a recipient is refused that was taken before */
	bool retried, doubt;
	size_t walked;	 /* of the envelope */
	unsigned said, answered; /* recipients */
	/* The mail: text before it, then `size` bytes of fd. */
	const char *head;
	size_t nhead;
	int fd;
	uint64_t size, at;
	char mark[64]; /* goes in at mark_at of fd */
	size_t nmark;
	uint64_t mark_at;
	int64_t since; /* when it was last asked for something */
	char server[ADDR_TEXT_MAX]; /* that was spoken to last */
	char tls[96];		    /* its connection: for the ledger */
	void (*news)(void *arg, enum delivery_news news, const struct smtp_reply *reply, enum mail_reason reason);
	void *arg;
};
void delivery_init(struct delivery *d, struct maild *m, enum hop_group group, const struct envelope *e);
void delivery_mail(struct delivery *d);			   /* -> OPENED, REFUSED, FAILED */
void delivery_rcpt(struct delivery *d, const struct smtp_rcpt *r); /* -> RCPT, REFUSED, FAILED; r stays until then */
/* -> SENT, REFUSED, FAILED. Opens the envelope anew when the delivery was parked. */
void delivery_send(struct delivery *d, int fd, uint64_t size, const char *head, size_t nhead);
/* What is sent gets "[mark]" in front of its Subject: before delivery_send(), which sends this fd. */
void delivery_mark_subject(struct delivery *d, int fd, const char *mark);
/* Gives the connection back while nothing is asked: the envelope is said again later. */
void delivery_park(struct delivery *d);
void delivery_end(struct delivery *d); /* whatever it does: it is over, nothing is told */
bool delivery_busy(const struct delivery *d);

/* -- worker.c: the cleaner and the verifier --------------------------------------------------------------- */

struct job {
	struct maild *m;
	struct job *next;
	uint8_t state; /* enum job_state */
	uint32_t tag;
	int mail;	   /* the sealed spool; the session's */
	int clean, verify; /* their result sockets, -1 */
	int out;	   /* memfd of what leaves, -1 */
	int report;	   /* memfd, -1 */
	int64_t until;
	uint64_t bytes_out, bytes_verified;
	bool cleaned, verified, disagreed;
	bool agreed; /* the verifier, to all that the cleaner wrote; out is sealed */
	struct msg_mail_job question;
	int domains;
	uint8_t sha256_out[32];
	/* 0: report (and, inbound, out with bytes_out bytes, both sealed) are there; else a reason. */
	void (*done)(void *arg, struct job *j, enum mail_reason reason);
	void *arg;
};
void job_start(struct maild *m, struct job *j);
void job_end(struct job *j); /* closes what it has; nothing is told */
void job_tick(struct maild *m, int64_t now);
int job_init(struct maild *m);

/* -- ledger.c: sekisho-logd ------------------------------------------------------------------------------- */

struct ledger_wait {
	struct ledger_wait *next;
	uint64_t id;
	int64_t until;
	bool waiting;
	/* 0: durable, or approved; -EACCES: not approved; other: it could not be stored. */
	void (*done)(void *arg, int result);
	void *arg;
};
uint64_t ledger_id(struct maild *m);
void ledger_enter(struct maild *m, struct ledger_wait *w, const struct msg_mail_entry *e, int report);
void ledger_ask(struct maild *m, struct ledger_wait *w, const struct msg_mail_ask *q);
/* A row that nobody waits for. */
void ledger_note(struct maild *m, const struct msg_mail_entry *e);
void ledger_outcome(struct maild *m, const struct msg_mail_outcome *o);
void ledger_cancel(struct maild *m, struct ledger_wait *w);
void ledger_tick(struct maild *m, int64_t now);
int ledger_start(struct maild *m);

/* -- session.c, transaction.c ------------------------------------------------------------------------------ */

struct spool {
	int fd; /* -1 */
	uint64_t size;
	struct sha256_ctx hash;
	uint8_t sha256[32]; /* of all of it, once `sealed` */
	bool sealed;
	bool full; /* it did not fit: the rest is let go */
	enum mail_reason reason;
};

enum session_step {
	STEP_IDLE,
	STEP_MAIL,    /* the mail server is asked about the sender */
	STEP_RCPT,    /* about a recipient */
	STEP_OPEN,    /* more recipients, or the mail */
	STEP_DATA,    /* the mail comes */
	STEP_WORK,    /* cleaner and verifier */
	STEP_ASK,     /* was it approved? */
	STEP_RECORD,  /* the ledger */
	STEP_COPY,    /* the original is delivered */
	STEP_DELIVER, /* what leaves is delivered */
};

struct session {
	struct maild *m;
	struct session *next, **back; /* all of them */
	struct session *grave;
	int fd; /* -1: free */
	enum mail_direction way;
	struct addr peer;
	char peer_text[48];
	struct addr meant; /* the server that the client called, when the connection was turned to us; family 0: it called us */
	struct policy *policy;
	struct smtp_server server;
	char *kept; /* bytes that were read and not taken yet */
	size_t nkept;
	bool writing, dead, running; /* running: its caller goes on with it */
	struct tls_wait tls;
	bool secured;	   /* it counts among the encrypted ones */
	char tls_text[64]; /* "" in clear */
	uint32_t watched; /* of its socket */
	enum session_step step;
	struct envelope envelope;
	const struct smtp_rcpt *rcpt;
	struct smtp_origin origin;
	struct spool spool;
	struct delivery delivery, copy;
	struct job job;
	void *report; /* bytes of the cleaner's report */
	bool have_report, copied;
	struct mailreport_view view;
	struct ledger_wait ledger;
	uint64_t id;
	uint32_t verdict; /* enum msg_mail_verdict */
	enum mail_reason reason;
	char detail[JUDGE_DETAIL];
	uint32_t notes; /* enum judge_note */
	struct judge_envelope judged;
	char head[1024]; /* our own Received field */
	size_t nhead;
};
/* Who came in, and whom he called. */
struct caller {
	enum mail_direction way;
	struct addr peer, meant; /* as in struct session */
};
int session_start(struct maild *m, int fd, const struct caller *who);
/* Another policy is in force: connections that were turned to us, and would not be now, end at once. */
void session_policy(struct maild *m);
void session_tick(struct maild *m, int64_t now);
void session_cut(struct maild *m); /* what is cut hears 421 and ends */
void session_stop(struct maild *m);
/* Goes on after an answer was given: writes, reads what was kept. The session may be gone afterwards. */
void session_go_on(struct session *s);

/* transaction.c: what becomes of a mail, from MAIL to the answer to its end. */
void transaction_mail(struct session *s);
void transaction_rcpt(struct session *s, const struct smtp_rcpt *r);
void transaction_data(struct session *s);
void transaction_bytes(struct session *s, const uint8_t *p, size_t n);
void transaction_end(struct session *s, const struct smtp_event *e);
void transaction_reset(struct session *s); /* whatever it does: over */
void transaction_injected(struct session *s); /* bytes in clear came behind STARTTLS */
void transaction_unsecured(struct session *s, uint32_t why); /* enum tls_why: the handshake failed */
void transaction_tick(struct session *s, int64_t now);
/* MAIL_REASON_* or 0: may this client speak at all? */
enum mail_reason transaction_greet(struct session *s);

/* -- spool.c ------------------------------------------------------------------------------------------------ */

int spool_open(struct maild *m, struct spool *sp);
/* Room is counted per source and in all; false: sp->reason. */
bool spool_write(struct session *s, struct spool *sp, const void *p, size_t n);
int spool_seal(struct spool *sp);
void spool_close(struct maild *m, struct spool *sp);
int memfd_sealable(const char *name);
int memfd_seal(int fd);
bool memfd_is_sealed(int fd);

/* -- listen.c ----------------------------------------------------------------------------------------------- */

void listen_take(struct maild *m, const struct msg_mail_listener *l, int fd);
/* Nobody is accepted while there is no place; again when there is. */
void listen_pause(struct maild *m, bool pause);

/* -- cut.c --------------------------------------------------------------------------------------------------- */

/* sekishod's list of emergency cuts (a sealed memfd, the caller's): what it cuts ends. False: it is none. */
bool cut_take(struct maild *m, int fd);
bool session_is_cut(const struct session *s);

struct way_counts {
	uint64_t connections, delivered, refused, held, deferred, bytes_in, bytes_out;
	int64_t last;
};

struct maild {
	struct daemon *d;
	struct policy *policy; /* NULL: none yet */
	const struct cuts *cuts; /* NULL: none were said */
	struct listener {
		int fd;
		struct msg_mail_address address;
	} listeners[MSG_MAIL_LISTENERS_MAX];
	unsigned nlisteners;
	bool paused, draining;
	struct session *sessions;
	uint32_t nsessions, nways[MAILD_WAYS];
	struct hop hops[HOP_GROUPS][MAILD_HOPS];
	struct hop_wait *hop_first[HOP_GROUPS];
	struct server_state {
		int64_t down_until;
		unsigned extensions;
		uint64_t size_max;
		bool known, down;
		bool tls_failed;      /* no mail goes there for want of TLS */
		int64_t plain_until;  /* a handshake failed, and the policy allows mail in clear */
	} servers[HOP_GROUPS][MSG_MAIL_HOPS_MAX];
	uint32_t tags;
	struct job *jobs, *waiting_jobs;
	unsigned njobs;
	struct ledger_wait *ledger;
	uint64_t ids;
	uint64_t spooled;
	struct way_counts counts[MAILD_WAYS];
	uint64_t workers_failed, ledger_failed;
	unsigned notes; /* rows of refusals that may still be written this second */
	struct session *graves; /* ended, freed when nobody can be walking over them */
	struct flood flood[MAILD_WAYS];
	struct tls_wait *tls_waits;
	struct msg_tls_status tls_status;
	uint32_t nsecured[MAILD_WAYS];
};

/* Monotonic milliseconds. */
static inline int64_t maild_now(void)
{
	return clock_mono().ns / 1000000;
}

/* What is written is whole: a reply, a phase. Waiting for more would cost 40 ms whenever the peer delays its answer. */
void send_at_once(int fd);
void maild_log(const struct session *s, const char *fmt, ...) __attribute__((format(printf, 2, 3)));

#endif
