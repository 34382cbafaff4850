/*
 * nft.h: the kernel side of the packet filter: commit, lease, counters, sweep, watch, dump.
 *
 * One `struct nft` holds the netlink sockets and knows what is programmed. All calls are synchronous and need
 * CAP_NET_ADMIN. Nothing here logs; a failure fills struct nft_error and leaves the kernel as it was.
 */
#ifndef SEKISHO_NFT_H
#define SEKISHO_NFT_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include <sekisho/addr.h>
#include <sekisho/clock.h>
#include <sekisho/limits.h>
#include <sekisho/reason.h>
#include <sekisho/ruleset.h>

struct matcher;
struct nft;

/* What the kernel refused. */
struct nft_error {
	int error;	  /* errno as positive number; 0 = none */
	char object[96];  /* "map pair_0_1_tcp4_g7 element 10.1.0.5 . 10.2.0.8 . 443", "chain flow rule 3" */
	char rule[64];	  /* the policy rule it stands for, "" when it is none's */
	char text[160];	  /* the kernel's own words when it gave some (extended ACK), else of errno */
};

/* Opens the sockets (64 MB buffers) and probes the kernel. 0 or -errno with *err filled. */
int nft_open(struct nft **ret, struct nft_error *err);
void nft_close(struct nft *n); /* the ruleset stays where the kernel has `persist` or no owner was taken */
uint32_t nft_capabilities(const struct nft *n);
/* Does from now on as if the kernel lacked these: for tests of what is left out then. */
void nft_pretend_without(struct nft *n, uint32_t capabilities);

/*
 * Shuts the gate: the closed ruleset, whatever was there of ours before (also of another version or half gone).
 * Other tables are not touched. 0 or -errno.
 */
int nft_shut(struct nft *n, struct nft_error *err);

struct nft_commit {
	uint32_t kernel_us; /* inside the kernel, all batches */
	uint32_t batches, messages;
	uint32_t sets_new, elements_added, elements_removed, chains_replaced;
};

/*
 * Makes *rs what is in force and takes it over (*rs becomes NULL); on failure *rs stays the caller's and the old
 * ruleset in force. Finds out itself what has to change: elements in place where the kernel is good at it, whole
 * maps swapped in two batches else; the first one after nft_shut() is a full load. Renews the lease (opens the gate).
 * -EBUSY: somebody else changed the tables meanwhile (tried again three times).
 */
int nft_commit(struct nft *n, struct ruleset **rs, struct nft_commit *ret, struct nft_error *err);

/* The ruleset in force, or NULL while shut. */
const struct ruleset *nft_current(const struct nft *n);

/* Prolongs the lease by 30 s. Fails (-ENOENT) when the table is not ours any more. */
int nft_lease_renew(struct nft *n);
/* Lets it lapse now: the gate closes with gate-closed. */
int nft_lease_drop(struct nft *n);

enum nft_records {
	NFT_RECORDS_OK,
	NFT_RECORDS_CLOSE_NEW, /* new flows are refused with log-full */
	NFT_RECORDS_CLOSE_ALL, /* all: the lease is dropped, and renewals are ignored until NFT_RECORDS_OK */
};
int nft_records(struct nft *n, enum nft_records mode);

/*
 * Emergency cuts: from now on these hold, all of them and no others; in the kernel at once, above every rule and every mark
 * (reason `cut`). While the gate is shut they are kept for the next nft_commit(), whose ruleset is built with nft_cuts().
 * 0, or -errno: the kernel has those of before, and the list is kept all the same.
 */
int nft_cut(struct nft *n, const struct cuts *cuts);
/* The list alone, the kernel stays as it is: for a ruleset that is about to be built with it. */
void nft_cuts_keep(struct nft *n, const struct cuts *cuts);
const struct cuts *nft_cuts(const struct nft *n); /* NULL: none was ever said */

struct nft_counters {
	uint64_t epoch; /* changes when the counters began at zero again */
	uint64_t packets[REASON_END];
	uint64_t limited[LIMIT_SEGMENTS + 1];
};
int nft_counters(struct nft *n, struct nft_counters *ret);

/* -- the inspector ------------------------------------------------------------------------------------------------ */

/*
 * Packets go to the inspector's queues for NFT_INSPECTORS_SECONDS from now; renewed while it is well. Without, what must be
 * inspected is refused with no-inspector; passed flows go on.
 */
#define NFT_INSPECTORS_SECONDS 4
int nft_inspectors_renew(struct nft *n);
/* At once no packet more is queued. */
int nft_inspectors_drop(struct nft *n);

/*
 * A second connection that a verified FTP control connection announced: the next SYN from `from` to that port of `to` within
 * 10 s begins a flow under the rule's verified policy; one connection only. The kernel's rules themselves hold it to two
 * hosts that an FTP rule in force joins in this direction. 0 or -errno (-EINVAL: port below 1024; -ENOENT: shut; -ENFILE:
 * too many wait).
 */
struct nft_pinhole {
	struct addr from, to;
	uint16_t port;
};
int nft_pinhole(struct nft *n, const struct nft_pinhole *h);

/*
 * The queue of packets that come in from a segment (INSPECT_QUEUE): opened, bound, whole packets, GSO, no fail-open, at
 * most NFT_QUEUE_PACKETS held. Returns a descriptor (non-blocking, close-on-exec) or -errno (-EPERM: no CAP_NET_ADMIN,
 * or somebody else is bound). Who is given a copy and has no CAP_NET_ADMIN can only receive. What is held is dropped
 * when the last copy is closed: call nft_queue_abandon() before.
 */
#define NFT_QUEUE_PACKETS 4096
int nft_queue_open(uint32_t segment);

struct nft_verdict {
	uint32_t packet; /* id as the kernel gave it (NFQNL packet_id, host order) */
	uint8_t code;	 /* enum inspect_code or INSPECTED_NOBODY; the caller has checked it */
	uint8_t why, seen;
	uint8_t pad;
};
/*
 * Answers for packets of a queue, many in one send. What is not there any more is no error; any code but the five counts
 * as INSPECTED_NOBODY. 0 or -errno of the send (-EBADF, -EPERM: no verdict is given).
 */
int nft_queue_verdicts(int fd, uint32_t segment, const struct nft_verdict *v, size_t n);
/*
 * Answers for all that the queue holds: nobody can say, refused with no-inspector, counted and recorded. After
 * nft_inspectors_drop(); a packet that was on its way then may come in still: call again before closing.
 */
int nft_queue_abandon(int fd, uint32_t segment);

/* -- flows ---------------------------------------------------------------------------------------------------------- */

struct nft_sweep {
	uint32_t seen, renewed, unmarked, deleted;
	uint32_t half_open_sources; /* sources above the policy's half-open limit now */
};
/*
 * Judges every tracked flow again by its original direction, under the ruleset in force: still granted with the
 * same verified policy (by the ruleset's renewal) -> its mark is renewed (or cleared where it has to be looked up packet by
 * packet: timed, one-way); else -> its conntrack entry is deleted. Flows of a drain rule that outlived its window are
 * renewed; connections through pinholes while a rule with their policy grants anything between the two hosts.
 */
int nft_sweep(struct nft *n, const struct ir *ir, const struct matcher *m, struct wall now, struct nft_sweep *ret);
/* The connections of now, as struct flow_row of watch.h in a sealed memfd, which is the caller's. 0 or -errno. */
struct nft_flows {
	int fd;
	uint32_t rows, missed; /* missed: beyond WATCH_FLOWS_MAX */
};
int nft_flows(struct nft *n, struct nft_flows *ret);
/*
 * Ends what is cut in the kernel's table of connections too (the gateway's own among them): after a restoration it has to
 * begin anew. m may be NULL: segments are not known then. *ret_deleted may be NULL.
 */
int nft_cut_flows(struct nft *n, const struct ir *ir, const struct matcher *m, uint32_t *ret_deleted);
/* Counts unanswered TCP connections per source and fills or empties halfopen4/6. Once a second while a limit is set. */
int nft_half_open(struct nft *n, const struct ir *ir, struct nft_sweep *ret);

enum nft_event_kind {
	NFT_EVENT_FOREIGN = 1, /* another process changed some table of this namespace */
	NFT_EVENT_LOST = 2,    /* events were lost: check */
};
struct nft_event {
	enum nft_event_kind kind;
	uint32_t genid, pid;
	char name[64];
};
/* A descriptor to poll for reading: somebody changed nftables. */
int nft_watch_fd(const struct nft *n);
/* The next event that was not caused by us. 1, 0 when there is none, -errno. */
int nft_watch_read(struct nft *n, struct nft_event *ret);

enum nft_fault {
	NFT_FAULT_TABLE_MISSING = 0x01,
	NFT_FAULT_CHAIN_MISSING = 0x02,	 /* a base chain of ours is gone or hooked elsewhere */
	NFT_FAULT_GENERATION = 0x04,	 /* the tables changed and not by us */
	NFT_FAULT_FOREIGN_HOOK = 0x08,	 /* a foreign base chain sees packets before, or between, ours */
};
struct nft_check {
	uint32_t faults;
	char foreign[160]; /* "ip filter PREROUTING (hook 0, priority -500)", first found */
};
/* Looks whether what should be programmed is. 0 (also with faults) or -errno. */
int nft_check(struct nft *n, struct nft_check *ret);

/*
 * The table as the kernel holds it, for the evaluator: raw netlink messages one behind the other (NEWTABLE,
 * NEWOBJ, NEWCHAIN, NEWSET, NEWSETELEM, NEWRULE), all of one genid (retried when it moves). *ret_memfd is
 * sealed and the caller's. At its end stands a message of ours, of type NFT_DUMP_NOTE: the generation before (host order,
 * 0 = none) and the words of its verified policies, from number 1 on, each with its NUL.
 */
#define NFT_DUMP_NOTE 0xff01u
/* Behind it one with the cuts that shall hold: struct cuts, as many of them as there are. */
#define NFT_DUMP_CUTS 0xff02u
int nft_dump(struct nft *n, int *ret_memfd, uint32_t *ret_genid);

#endif
