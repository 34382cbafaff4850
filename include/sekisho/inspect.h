/*
 * inspect.h: is a flow the application that its rule names? A library without I/O: packets, times and policies in,
 * one code for each packet and one decision for each flow out.
 *
 *	bytes -> packet_decode() -> inspector_packet() -> forward | pass | refuse | drop
 *
 * The same core runs behind the kernel's queue (sekisho-inspect), over capture files (sekisho classify) and over an
 * interface (sekisho watch). It verifies and does not classify: only the verifier of the application that the rule names
 * looks at a flow. L1: what came so far is a legal beginning. L2: the peer answered in that protocol. L3: the answer
 * refers to the request. A flow is passed at L3, once the peer has acknowledged every byte that the decision rests on.
 *
 * Memory is fixed when the inspector is made. Nothing here allocates, waits, reads a clock or prints.
 */
#ifndef SEKISHO_INSPECT_H
#define SEKISHO_INSPECT_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include <sekisho/addr.h>
#include <sekisho/ir.h>
#include <sekisho/model.h>

/* -- Why a packet or a flow was refused ------------------------------------------------------------------- */

/*
 * Beside the reason (app-mismatch: the flow; unfitting: this packet alone) each refusal of the inspector carries one of
 * these. The code travels in bits 8-15 of the packet mark and is stored; never reused or renumbered.
 *   code NAME word  what people read (English msgid)
 */
#define INSPECT_WHYS(X)                                                                                                \
	/* what the bytes say */                                                                                        \
	X(1, PROTOCOL, "other-protocol", N_("the first bytes belong to another protocol"))                              \
	X(2, VERSION, "version", N_("a version of the protocol that is not allowed"))                                   \
	X(3, LENGTH, "length", N_("lengths inside the message contradict each other"))                                  \
	X(4, FIELD, "field", N_("a field has a value that the protocol does not know"))                                 \
	X(5, ORDER, "order", N_("a side spoke when it was not its turn"))                                               \
	X(6, ANSWER, "answer", N_("the server did not answer in this protocol"))                                        \
	X(7, ANSWER_OTHER, "answer-other", N_("the answer does not belong to the request"))                             \
	X(8, TRAILING, "trailing", N_("there are bytes behind the message"))                                            \
	X(9, COMMAND, "command", N_("a command or message type that is not allowed here"))                              \
	X(10, ENCODING, "encoding", N_("text that is not in the protocol's encoding"))                                  \
	/* what the rule demands */                                                                                     \
	X(20, SERVER_NAME, "server-name", N_("another server name than the rule's"))                                    \
	X(21, NO_SERVER_NAME, "no-server-name", N_("the client does not say which server it wants"))                    \
	X(22, ALPN, "alpn", N_("another protocol inside TLS than the rule's"))                                          \
	X(23, ECH, "ech", N_("the server name is encrypted, so it cannot be verified"))                                 \
	X(24, CONNECT, "connect", N_("a proxy request (CONNECT)"))                                                      \
	X(25, UPGRADE, "upgrade", N_("a change to another protocol (Upgrade)"))                                         \
	X(26, SMB1, "smb1", N_("SMB version 1"))                                                                        \
	X(27, PLAIN, "plain", N_("no TLS where the rule demands it"))                                                   \
	X(28, DOMAIN_NAME, "domain-name", N_("a domain name outside the rule's list"))                                  \
	X(29, LABELS, "labels", N_("a domain name that is too long to be a name"))                                      \
	X(30, RATE, "rate", N_("more questions a second than the rule allows"))                                         \
	X(31, ONE_WAY_ANSWER, "one-way-answer", N_("an answer in a flow of one direction"))                             \
	X(32, DATA_CHANNEL, "data-channel", N_("a data connection that is not allowed"))                                \
	X(33, STARTTLS, "starttls", N_("the change to TLS was not done as agreed"))                                     \
	/* what the connection does */                                                                                  \
	X(40, MIDSTREAM, "midstream", N_("the beginning of the connection was not seen"))                               \
	X(41, OVERLAP, "overlap", N_("the same place of the stream was sent twice with different bytes"))               \
	X(42, URGENT, "urgent", N_("urgent data, which ends of a connection understand differently"))                   \
	X(43, HANDSHAKE, "handshake", N_("the connection was not opened in the usual three steps"))                     \
	X(44, SYN_DATA, "syn-data", N_("data before the connection was open"))                                          \
	X(45, WINDOW, "window", N_("data outside the window of the connection"))                                        \
	X(46, CHECKSUM, "checksum", N_("wrong checksum"))                                                               \
	X(47, TIMESTAMP, "timestamp", N_("an old TCP timestamp"))                                                       \
	X(48, RESET, "reset", N_("a reset that does not fit the connection"))                                           \
	X(49, FRAGMENTS, "fragments", N_("fragments that do not fit together"))                                         \
	X(50, HEADER, "header", N_("a header that is broken or not allowed"))                                           \
	X(51, ENCAPSULATED, "encapsulated", N_("a packet inside a packet"))                                             \
	/* limits */                                                                                                    \
	X(60, MANY_PACKETS, "many-packets", N_("not verified within the allowed number of packets"))                    \
	X(61, MANY_BYTES, "many-bytes", N_("not verified within the allowed number of bytes"))                          \
	X(62, SLOW, "slow", N_("not verified within the allowed time"))                                                 \
	X(63, ENDED, "ended", N_("the connection ended before it was verified"))                                        \
	X(64, FULL, "full", N_("the table of connections is full"))                                                     \
	X(65, UNANSWERED, "unanswered", N_("too many connections without an answer"))                                   \
	X(66, NO_POLICY, "no-policy", N_("no rule that demands verification covers this connection"))                   \
	X(67, UNKNOWN, "unknown", N_("none of the known applications"))

#ifndef N_
#define N_(s) s
#endif
enum inspect_why {
	WHY_NONE = 0,
#define X(code, NAME, word, text) WHY_##NAME = code,
	INSPECT_WHYS(X)
#undef X
	WHY_END = 68,
};

/* The stable word ("server-name"), "none" for 0, "unknown-why" for a code that is none. Never NULL. */
const char *inspect_why_word(unsigned code);
/* The sentence, untranslated (a gettext msgid), "" for 0. Never NULL. */
const char *inspect_why_text(unsigned code);

/* -- What a rule demands ---------------------------------------------------------------------------------- */

/* Words of `application-option`; each belongs to the applications that the guard's table names. */
#define VERIFY_OPTIONS(X)                                                                                              \
	X(0x001, ECH, "ech")			     /* tls: an encrypted server name is accepted */                     \
	X(0x002, CONNECT, "connect")		     /* http: CONNECT */                                                \
	X(0x004, UPGRADE, "upgrade")		     /* http: Upgrade (WebSocket, h2c) */                               \
	X(0x008, SMB1_NEGOTIATE, "smb1-negotiate")   /* smb: a client may begin with SMB1's question if the answer is SMB2 */ \
	X(0x010, STARTTLS_REQUIRED, "starttls-required") /* smtp pop3 imap ldap ftp postgresql: nothing but TLS after it */ \
	X(0x020, ACTIVE_DATA, "active-data")	     /* ftp: PORT and EPRT too */                                       \
	X(0x040, NO_DATA, "no-data")		     /* ftp: no data connections */                                     \
	X(0x080, FAST_OPEN, "fast-open")	     /* any over TCP: data in the SYN (RFC 7413) */                     \
	X(0x100, STANDARD_SECURITY, "standard-security") /* rdp: without TLS (RDP's own encryption) */                  \
	X(0x200, TRAPS, "traps")		     /* snmp: traps and informs */                                      \
	X(0x400, UPDATES, "updates")		     /* dns: dynamic update (RFC 2136) and zone transfer */

enum verify_option {
#define X(bit, NAME, word) VERIFY_##NAME = bit,
	VERIFY_OPTIONS(X)
#undef X
};

/* A list of words, lower case. */
struct verify_list {
	const char *const *v;
	uint32_t n;
};

struct verify_policy {
	enum application application;
	uint32_t options;		  /* VERIFY_* */
	uint32_t rate;			  /* dns: questions a second of one client; 0 = no limit */
	bool one_way;			  /* a reply is refused */
	struct verify_list server_names;  /* tls http rdp, and TLS after STARTTLS; empty = any; "*.x" = any name below x */
	struct verify_list alpns;	  /* tls; empty = any */
	struct verify_list domain_names;  /* dns: the question is one of these or below; empty = any */
};

/*
 * What the verified policy number `id` of an IR (1 + index) demands. The names stay the IR's, the lists are allocated in
 * `a`. False, and *ret untouched, when there is no such number.
 */
bool ir_verify_policy(const struct ir *ir, uint32_t id, struct arena *a, struct verify_policy *ret);

/* Does a name (any case, a final dot ignored) match a list? An empty list takes every name. */
bool verify_name_allowed(const struct verify_list *list, const char *name, size_t n);

/* -- One packet ------------------------------------------------------------------------------------------- */

enum packet_kind {
	PACKET_OTHER = 0, /* no IP, or broken: `why` says how; ICMP is no flow either */
	PACKET_TCP,
	PACKET_UDP,
	PACKET_FRAGMENT, /* to be put together: see fragment of packet_decode() */
};

struct packet {
	int64_t at;	     /* nanoseconds, of any clock that only goes forward */
	uint32_t zone;	     /* part of the flow's key, the same for both directions: VLAN ids, or the pair of segments */
	enum packet_kind kind;
	enum inspect_why why; /* of PACKET_OTHER; WHY_NONE: simply nothing for the inspector (ARP, ICMP, ...) */
	uint8_t l4;	     /* IPPROTO_*, also of PACKET_OTHER where it is known */
	bool checksum_bad;   /* verified and wrong, IPv4's; an absent or offloaded one is not. See packet_checksum_bad() */
	bool checksum_skipped; /* as the caller asked: also when fragments are put together */
	struct addr src, dst;
	uint16_t sport, dport;
	/* TCP (RFC 9293, 7323) */
	uint32_t seq, ack;
	uint8_t flags; /* PACKET_FIN .. */
	uint8_t wscale; /* of a SYN; 0xff = not there */
	uint16_t window;
	bool has_ts;
	uint32_t ts_val, ts_ecr;
	/* TCP: bytes of the segment. UDP: of the datagram. In the caller's memory. */
	const uint8_t *payload;
	uint32_t n;	  /* that were captured */
	uint32_t n_wire;  /* that were on the wire: more than n in a cut capture */
	/* TCP, UDP: the whole segment, whose checksum nobody has verified yet; NULL: there is nothing to verify */
	const uint8_t *segment;
	uint32_t segment_n;
	/* PACKET_FRAGMENT */
	uint32_t frag_id;
	uint16_t frag_offset; /* bytes */
	bool frag_more;
	uint8_t frag_proto;
};
#define PACKET_FIN 0x01u
#define PACKET_SYN 0x02u
#define PACKET_RST 0x04u
#define PACKET_PSH 0x08u
#define PACKET_ACK 0x10u
#define PACKET_URG 0x20u

#define PACKET_SKIP_CHECKSUM 0x1u /* captures of offloading hosts; packets of the queue whose checksum the card makes */

/* Link types (as of pcap/dlt.h) that packet_decode() knows. */
bool packet_link_known(int linktype);

/*
 * Decodes one frame of `linktype` (DLT_RAW for a packet of the queue): Ethernet, 802.1Q/802.1ad (two tags), PPPoE, SLL,
 * SLL2, BSD loopback, raw IP, IPv4, IPv6 with the extension headers that are allowed. `at` and the pointers are the
 * caller's; zone is set from the VLAN tags and may be overwritten. Never reads beyond `captured`.
 */
void packet_decode(struct packet *ret, int linktype, const uint8_t *frame, size_t captured, size_t wire, unsigned flags);

/*
 * Is the checksum of IPv4, TCP or UDP wrong? Here and not in packet_decode(), because it reads every byte: the packets of a
 * flow that is decided need no answer. The frame must still be there.
 */
bool packet_checksum_bad(const struct packet *p);

/* -- Flows ------------------------------------------------------------------------------------------------ */

enum inspect_code {
	INSPECT_FORWARD = 1, /* undecided, or looked at for ever: this packet may go */
	INSPECT_PASS = 2,    /* decided: this packet may go, and the rest of the flow needs no inspection */
	INSPECT_REFUSE = 3,  /* decided: neither this packet nor any other of the flow */
	INSPECT_DROP = 4,    /* not this packet; the flow is not decided by it */
};

enum inspect_level { /* how far a flow was verified */
	LEVEL_NONE = 0,
	LEVEL_PREFIX = 1,  /* L1 */
	LEVEL_ANSWER = 2,  /* L2 */
	LEVEL_RELATES = 3, /* L3 */
};

/* What the inspector says of one packet. */
struct inspect_verdict {
	enum inspect_code code;
	enum inspect_why why;	  /* of a refusal or drop */
	enum application seen;	  /* of a refusal: what it rather is, APP_NONE = none of those that we know */
};

struct inspector;

/* A flow as it is told to the hooks. Pointers live as long as the call. */
struct inspect_flow {
	struct addr client, server;
	uint16_t client_port, server_port;
	uint8_t l4;
	uint32_t zone;
	uint32_t tag;		       /* what the policy hook gave: the index of a rule */
	enum application application;  /* of the policy; what was identified where there is none */
	enum inspect_code code;	       /* FORWARD while undecided; a flow looked at for ever stays at FORWARD with level L3 */
	enum inspect_why why;
	enum application seen;
	enum inspect_level level;
	bool verified; /* decided for it: at L3, or at what the protocol can give (syslog has no answer) */
	uint64_t packets[2], bytes[2]; /* client's, server's; bytes of payload on the wire */
	uint32_t payload_packets[2];   /* packets with payload up to the decision */
	int64_t first, last;	       /* nanoseconds */
	const char *server_name;       /* "" = none seen. Of a flow that was passed, `ended` has it with keep_passed only */
};

/* A second connection that a verified flow has announced (FTP, RFC 959, 2428). */
struct inspect_pinhole {
	struct addr client, server; /* who will open it, to whom: always the two ends of the control connection */
	uint16_t port;		    /* at `server`, >= 1024 */
	uint32_t tag;		    /* of the control connection */
};

struct inspect_hooks {
	void *arg;
	/*
	 * A flow begins: what must it be? `p` is its first packet, from the client. NULL: no rule (refused, WHY_NO_POLICY).
	 * The policy must stay valid until inspector_policies() or inspector_free(). *ret_tag comes back in inspect_flow.
	 * The hook itself may be NULL: then every flow is identified among all applications and none is refused.
	 */
	const struct verify_policy *(*policy)(void *arg, const struct packet *p, uint32_t *ret_tag);
	void (*decided)(void *arg, const struct inspect_flow *f); /* L3, or refused; once a flow. May be NULL */
	void (*ended)(void *arg, const struct inspect_flow *f);	  /* the flow leaves the table. May be NULL */
	void (*pinhole)(void *arg, const struct inspect_pinhole *h); /* may be NULL: none is opened */
};

struct inspect_options {
	uint32_t flows;		  /* entries of the table; a fourth of them at most for connections without an answer */
	uint32_t prefix_bytes;	  /* memory for the beginnings of undecided flows; 0 = flows * 64, at least 4 MiB */
	uint8_t secret[16];	  /* key of the hash: random, secret from the network */
	bool lenient;		  /* captures: beginnings that were not seen, wrong checksums and cut packets are put up with */
	bool keep_passed;	  /* count packets of decided flows too (offline); inline the kernel has them */
};

/*
 * What is lenient: for captures. A connection may begin in its middle (whose client is told by the ports, or by which way
 * round the policy hook knows it); windows, timestamps and acknowledgements are not judged, so that decoys which never
 * arrive are believed; data in a SYN, urgent data and wrong checksums are taken. Order and overlaps are judged all the same.
 * A datagram that was cut is only counted.
 */

/* NULL without memory. The hooks are copied. */
struct inspector *inspector_new(const struct inspect_options *opt, const struct inspect_hooks *hooks);
void inspector_free(struct inspector *in); /* tells `ended` of every flow that is left; NULL is allowed */

/*
 * Judges a packet of kind TCP, UDP or FRAGMENT (offline; put together inside). A time that goes back counts as no time.
 *
 * A stream is undecided for at most 15 seconds from its first byte of payload (WHY_SLOW), 16 KiB (WHY_MANY_BYTES) and eight
 * turns (WHY_MANY_PACKETS) a direction. A turn is what a side says until the other one speaks, in however many packets: a
 * flow has no more turns than packets with payload, and how a sender cuts its messages can not change the verdict.
 * Datagram flows have no such limits: each datagram is verified for ever, by itself and against the one that it answers.
 *
 * DROP is for one packet: one that does not fit its connection (a decoy, or the network's fault; the sender repeats what
 * counts), or one that finds no room (WHY_FULL, WHY_UNANSWERED). The connection goes on as if it had been lost.
 */
struct inspect_verdict inspector_packet(struct inspector *in, const struct packet *p);

/*
 * Judges n packets in their order, each as inspector_packet() does; what they come to only the hooks hear. Cheaper than one
 * by one: their flows are fetched from memory together.
 */
void inspector_packets(struct inspector *in, const struct packet *p, size_t n);

/* Time passes without packets: ends flows that are over, refuses what was too slow. Call about each second. */
void inspector_tick(struct inspector *in, int64_t now);

/*
 * The policies change: for each undecided or watched flow `renew` gives the policy under the new ones (NULL: refused with
 * its next packet, WHY_NO_POLICY). The old policies may be freed after the call.
 */
typedef const struct verify_policy *inspect_renew_fn(void *arg, const struct inspect_flow *f, uint32_t *ret_tag);
void inspector_policies(struct inspector *in, inspect_renew_fn *renew, void *arg);

struct inspect_counters {
	uint64_t packets, flows, passed, refused, dropped, evicted, pinholes;
	uint32_t flows_now, undecided_now, unanswered_now;
	uint64_t prefix_bytes_now, prefix_bytes_max;
	uint64_t why[WHY_END]; /* refusals and drops */
};
const struct inspect_counters *inspector_counters(const struct inspector *in);

#endif
