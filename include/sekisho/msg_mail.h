/*
 * msg_mail.h: messages of the mail gate, its ledger, its workers, its TLS, and of the alarm mail (see msg.h).
 */
#ifndef SEKISHO_MSG_MAIL_H
#define SEKISHO_MSG_MAIL_H

#include <sekisho/mailverify.h>
#include <sekisho/msg_daemon.h>
#include <sekisho/tls.h>

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
/* A child of sekisho-tls -> sekisho-sign: the hash that its handshake is to be signed by; with RSA before PSS the
 * DigestInfo. */
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

#endif
