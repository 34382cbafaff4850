/*
 * msg_log.h: questions of people to sekisho-logd, and its rows (see msg.h).
 */
#ifndef SEKISHO_MSG_LOG_H
#define SEKISHO_MSG_LOG_H

#include <sekisho/msg_daemon.h>
#include <sekisho/msg_mail.h>

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
 * source, destination, protocol and port that ended within a minute. Wide rows (a flood of connections): src_len, dst_len
 * < 32/128 mean networks, and then the port is 0 (various). A row with `lost` stands for ends of connections that the
 * kernel had no room to tell of. Bytes are as the IP headers say, of both ways: out is from who began.
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

#endif
