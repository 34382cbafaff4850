/*
 * ir.h: the compiled policy: a flat, versioned, checksummed block of memory.
 *
 * sekisho-compile writes it into a sealed memfd; sekishod, sekisho-logd, the evaluator and the offline
 * commands read it. A reader trusts nothing: ir_open() checks magic, version, size, checksum, and that every
 * index, string and range of every record is in bounds; after that the arrays can be walked freely.
 * All integers are in host order (it never leaves the machine); addresses are in network order.
 */
#ifndef SEKISHO_IR_H
#define SEKISHO_IR_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include <sekisho/addr.h>
#include <sekisho/limits.h>
#include <sekisho/model.h>

struct arena;
struct buf;
struct diag_list;

#define IR_MAGIC 0x52494b53u /* "SKIR" */
#define IR_VERSION 7
#define IR_NONE UINT32_MAX /* "no index" */

typedef uint32_t ir_str; /* offset into the string section; 0 is the empty string */

/* A run of records in another section. */
struct ir_run {
	uint32_t first, n;
};

struct ir_range {
	uint8_t lo[16], hi[16];
};

struct ir_system {
	ir_str hostname, timezone, language;
	uint8_t alpha_prime, close_all_on_log_failure;
	uint8_t has_mail_in, has_mail_out;
	uint8_t refuse_silently; /* a refused TCP connection gets no reset */
	uint8_t closes[2]; /* enum closes, of mail by enum mail_direction */
	uint8_t pad;
	uint32_t log_per_source, log_per_segment; /* events a second; 0 = no limit */
	uint32_t new_per_source, open_per_source, half_open;
	struct ir_run alarm_to; /* IR_NAME: mail addresses, as written and in that order; at most LIMIT_ALARM_TO */
	uint32_t session_idle, session_configure; /* minutes; 0 = no limit */
	uint32_t daily_report;	/* minute of the day, IR_NONE: there is none */
	struct alarm_thresholds thresholds;
};

/* A role that an account has for a time. */
struct ir_deputy {
	ir_str name, user, approved_by;
	uint32_t role; /* enum ir_deputy_role */
	int64_t from, until; /* wall seconds; until is not included */
};
enum ir_deputy_role { IR_DEPUTY_VIEWER, IR_DEPUTY_OPERATOR, IR_DEPUTY_ADMINISTRATOR };

struct ir_segment {
	ir_str name, label;
	uint8_t kind; /* enum segment_kind */
	uint8_t answer_ping, network_other;
	uint8_t pad;
	uint32_t mss;
	struct ir_run networks; /* IR_NETWORK: what belongs to it; `other` is written out as ranges */
};

struct ir_interface {
	char name[LIMIT_IFNAME];
	char parent[LIMIT_IFNAME]; /* "" unless a VLAN interface */
	uint16_t vlan, segment;	   /* index into segments */
};

/* The gateway's own addresses. */
struct ir_local {
	uint16_t interface;
	uint8_t family, prefix_len;
	uint8_t addr[16];
};

struct ir_network {
	uint16_t segment;
	uint8_t family, pad;
	struct ir_range range;
};

/* Which sources may enter by an interface: disjoint ranges, longest prefix already decided. */
struct ir_source {
	uint16_t interface;
	uint8_t family;
	uint8_t has_mac; /* frames must come from `mac` (a bound host, or the router it lives behind) */
	uint8_t mac[6];
	uint8_t pad[2];
	struct ir_range range;
};

/* Permanent neighbours: bound hosts on the link, and routers with a known MAC. */
struct ir_neigh {
	uint16_t interface;
	uint8_t family, pad;
	uint8_t addr[16];
	uint8_t mac[6];
	uint8_t pad2[2];
};

struct ir_route {
	uint16_t interface;
	uint8_t family, prefix_len;
	uint8_t prefix[16];
	uint8_t via[16];
};

struct ir_host {
	ir_str name, label, section, location, external;
	uint16_t segment;
	uint8_t has_mac, pad;
	uint8_t mac[6];
	uint8_t pad2[2];
	struct ir_run addrs; /* IR_HOSTADDR */
};

struct ir_hostaddr {
	uint32_t host;
	uint8_t family, pad[3];
	struct ir_range range;
};

enum ir_action {
	IR_ALLOW = 1,
	IR_INSPECT = 2, /* to the inspector; closed with no-inspector while there is none */
	IR_MAIL = 3,	/* by the mail gate only: the packet itself is refused with no-mail-gate */
};

#define IR_RULE_ONE_WAY 0x01
#define IR_RULE_DRAIN 0x02 /* sessions run on past the end; else they are cut */
#define IR_RULE_FRAGMENTS 0x04
#define IR_RULE_TIMED 0x08 /* hours, days, closed dates or a one-off window: opens and closes */
#define IR_RULE_EXTERNAL_ISOLATED 0x10
#define IR_RULE_EXCEPTION 0x20
#define IR_RULE_BREAKOUT 0x40
#define IR_RULE_SINGLE_HOSTS 0x80 /* both ends are single addresses */
#define IR_RULE_EXTERNAL 0x100	  /* one end is outside the body */
#define IR_RULE_CLOSES_CAUTION 0x200 /* closed from alert level caution on; without this and the next from lockdown on */
#define IR_RULE_CLOSES_NEVER 0x400

struct ir_rule {
	ir_str name, from, to, service, application_text, purpose, applicant;
	uint32_t line;
	uint16_t from_segment, to_segment;
	uint8_t action;	       /* enum ir_action */
	uint8_t application;   /* enum application */
	uint8_t sanitised_by;  /* enum sanitised_by */
	uint8_t asset_class;
	uint16_t flags;	       /* IR_RULE_* */
	uint16_t verified;     /* 1 + index into verifieds, of IR_INSPECT; 0 of all others */
	uint16_t napprovals;
	uint16_t widest_ports; /* of its services: hi - lo + 1 */
	uint8_t days;
	uint8_t screen_product; /* enum screen_product: what runs inside TLS and is not verified */
	uint16_t hours_from, hours_to; /* minutes; equal = whole day */
	uint16_t pad2;
	int64_t starts, ends; /* wall seconds: [starts, ends); ends INT64_MAX = no end */
	int64_t window_from, window_to; /* one-off window, or 0, INT64_MAX */
	struct ir_run closed;	 /* IR_DATE */
	struct ir_run spans;	 /* IR_SPAN: what it grants before cutting into boxes, for the nearest rule */
};

/*
 * What the inspector verifies: all that rules demand of a flow beside its ends and ports. Rules that demand the same
 * share one; sorted by text, no text twice. Its number (1 + index) travels in the marks of packets and connections.
 */
struct ir_verified {
	ir_str text;		      /* canonical words: equal text = equal policy, in every IR */
	uint32_t options;	      /* VERIFY_* of inspect.h */
	uint32_t rate;		      /* questions a second of one client; 0 = no limit */
	uint8_t application, one_way; /* enum application, never APP_NONE */
	uint8_t pad[2];
	struct ir_run server_names, alpns, domain_names; /* IR_NAME, lower case, sorted, none twice */
};

struct ir_date {
	int32_t year, month, day;
};

struct ir_name {
	ir_str name;
};

/* One source range x destination range x ports of one rule, as written. */
struct ir_span {
	uint32_t rule;
	uint8_t family, proto;
	uint16_t port_lo, port_hi;
	uint16_t pad;
	struct ir_range src, dst;
};

/*
 * A cell of the policy: of one segment pair, family and protocol, disjoint from all others. Its candidates are
 * the rules that grant it, first in the file first; which is in force depends on the time. All candidates of
 * one box have the same action and verification.
 * Boxes are sorted by (from, to, family, proto, src.lo, dst.lo, port_lo).
 */
struct ir_box {
	uint16_t from, to; /* segments */
	uint8_t family, proto;
	uint16_t port_lo, port_hi; /* ICMP: type << 8 | code */
	uint16_t pad;
	struct ir_run cand; /* IR_CAND */
	struct ir_range src, dst;
};

struct ir_cand {
	uint32_t rule;
};

/* What the gate itself may send (out) or answer (in), beside ND, ARP and ICMP errors. */
struct ir_own {
	ir_str what; /* "time", "collector", "alarm", "mail" */
	uint16_t interface;
	uint8_t out, family, proto;
	uint8_t turned; /* of mail: `local` is a mail server behind the gate, whose connections the gate takes in its place */
	uint16_t port_lo, port_hi;
	uint8_t local[16]; /* 0 = any of the interface */
	struct ir_range remote;
};

/* One direction of the mail gate. At most one of each; in before out. */
struct ir_mail {
	uint8_t direction; /* enum mail_direction */
	uint8_t transparent;
	uint8_t english; /* language of notices and of refusals to the own servers */
	uint8_t original_copied;
	uint8_t attachment_text; /* enum mail_text */
	uint8_t private_use;
	uint8_t mynumber;	     /* enum mail_mynumber */
	uint8_t auto_forward_refuse;
	uint8_t demands;	     /* enum mail_demand: of attachments without a row among `types` */
	uint8_t encrypted;	     /* enum mail_demand: of what nobody can look into */
	uint8_t listed_only;	     /* attachments without a row among `types` are of a type that does not leave */
	uint8_t approval_days;
	uint8_t tls;		     /* enum tls_offer: to the clients */
	uint8_t pad[3];
	ir_str authserv;
	ir_str certificate; /* its name, "" with TLS_OFF */
	uint32_t max_external, max_files; /* 0 = no limit */
	uint32_t slow, stop, sender_slow, sender_stop; /* mails a minute; 0 = no limit */
	uint64_t max_size, max_file_size; /* bytes; max_file_size 0 = no limit */
	struct ir_run listens, servers;	  /* IR_MAIL_HOST; servers: out only */
	struct ir_run hops, originals;	  /* IR_MAIL_HOST: in the order in which they are tried */
	struct ir_run domains; /* IR_NAME: whose mail is taken (in), whose senders may send (out); sorted, lower case */
	struct ir_run roles;   /* IR_NAME: who counts as superior for `demands`; empty = all */
	struct ir_run types;   /* IR_MAIL_TYPE, sorted */
};

/* An address of a machine that mail comes from or goes to, or of the gate's own. */
struct ir_mail_host {
	ir_str name;	    /* of the host; "" for an own address */
	uint16_t interface; /* through which it is reached */
	uint8_t family;
	uint8_t tls; /* enum tls_level: hops and originals */
	ir_str tls_name, tls_ca; /* that its certificate has, and whose; "" = not asked */
	struct ir_run tls_pins;	 /* IR_NAME: SHA-256 of its certificate, one of them, 64 small hexadecimal digits */
	struct ir_range range;	 /* one address, but of servers */
};

struct ir_mail_type {
	ir_str name;	  /* "zip" */
	uint32_t demands; /* enum mail_demand */
};

/* Sorted by address (lower case), then role. */
struct ir_superior {
	ir_str address, name, role;
};

struct ir_partner {
	ir_str name;
	uint8_t labels; /* bits: rows of IR_LABEL that demand that every attachment is encrypted */
	uint8_t others; /* all domains that no partner has and that are not own ones */
	uint16_t group; /* partners of one group demand the same: the first of them */
	struct ir_run domains; /* IR_NAME, sorted, lower case; no domain belongs to two partners */
};

/* A word that the subject may hold. */
struct ir_label {
	ir_str text;
};

/* name, struct, member of struct ir */
#define IR_SECTIONS(X)                                                                                         \
	X(SYSTEM, ir_system, system)                                                                            \
	X(DEPUTY, ir_deputy, deputies)                                                                          \
	X(SEGMENT, ir_segment, segments)                                                                        \
	X(INTERFACE, ir_interface, interfaces)                                                                  \
	X(LOCAL, ir_local, locals)                                                                              \
	X(NETWORK, ir_network, networks)                                                                        \
	X(SOURCE, ir_source, sources)                                                                           \
	X(NEIGH, ir_neigh, neighs)                                                                              \
	X(ROUTE, ir_route, routes)                                                                              \
	X(HOST, ir_host, hosts)                                                                                 \
	X(HOSTADDR, ir_hostaddr, hostaddrs)                                                                     \
	X(RULE, ir_rule, rules)                                                                                 \
	X(VERIFIED, ir_verified, verifieds)                                                                     \
	X(DATE, ir_date, dates)                                                                                 \
	X(NAME, ir_name, names)                                                                                 \
	X(SPAN, ir_span, spans)                                                                                 \
	X(BOX, ir_box, boxes)                                                                                   \
	X(CAND, ir_cand, cands)                                                                                 \
	X(OWN, ir_own, owns)                                                                                    \
	X(MAIL_DIRECTION, ir_mail, mails)                                                                       \
	X(MAIL_HOST, ir_mail_host, mail_hosts)                                                                  \
	X(MAIL_TYPE, ir_mail_type, mail_types)                                                                  \
	X(SUPERIOR, ir_superior, superiors)                                                                     \
	X(PARTNER, ir_partner, partners)                                                                        \
	X(LABEL, ir_label, labels)                                                                              \
	X(STRING, ir_char, strings)

struct ir_char {
	char c;
};

enum ir_section {
#define X(NAME, type, member) IR_##NAME,
	IR_SECTIONS(X)
#undef X
	IR_NSECTIONS
};

struct ir_header {
	uint32_t magic;
	uint16_t version, nsections;
	uint64_t size;	/* of the whole block */
	uint32_t crc;	/* CRC-32C of the block with this field 0 */
	uint32_t pad;
	struct {
		uint64_t off; /* from the start of the block, 8-byte aligned */
		uint32_t n;   /* records */
		uint32_t record; /* bytes of one record: sizeof of this version's struct */
	} section[IR_NSECTIONS];
};

/* An opened IR: pointers into the caller's memory, which must stay. */
struct ir {
	const void *base;
	size_t size;
#define X(NAME, type, member)                                                                                  \
	const struct type *member;                                                                              \
	uint32_t n##member;
	IR_SECTIONS(X)
#undef X
	/* Not of the block: the alert level (enum alert_level of cut.h) under which it is asked; ir_open() sets 0, normal. */
	uint32_t level;
};

/*
 * Opens a block of memory as an IR. Returns NULL on success, else a static English word for what is wrong
 * ("magic", "version", "size", "checksum", "box 17: src not in order", ...); *ret is untouched then.
 */
const char *ir_open(const void *p, size_t n, struct ir *ret);

/* The mail gate's settings for one direction, NULL when it takes no mail there. */
static inline const struct ir_mail *ir_mail(const struct ir *ir, enum mail_direction direction)
{
	for (uint32_t i = 0; i < ir->nmails; i++)
		if (ir->mails[i].direction == direction)
			return &ir->mails[i];
	return NULL;
}

/*
 * The mail gate takes connections to the server in its place (transparent): which direction is that? NULL: none, it is no
 * next hop of a transparent direction.
 */
const struct ir_mail *ir_mail_turned(const struct ir *ir, const struct addr *server);

/* The string at an offset; "" for 0. */
static inline const char *ir_text(const struct ir *ir, ir_str s)
{
	return &ir->strings[s].c;
}

/* An address range record as the common type. */
struct addr_range ir_addr_range(uint8_t family, const struct ir_range *r);
struct addr ir_addr(uint8_t family, const uint8_t b[16]);

/*
 * Compiles a model. Findings go to diags; when any is an error nothing is written and false is returned.
 * `now` decides what is expired or not yet started. The block is appended to out (empty before).
 */
bool policy_compile(const struct model *m, struct wall now, struct diag_list *diags, struct buf *out);

/*
 * The guard: the laws of the three layers, on the IR alone. policy_compile() has applied them already with the
 * lines of the file; sekishod calls this again before it programs anything.
 * Returns NULL when the IR keeps them, else a static word for the law broken and the rule's index in *ret_rule.
 */
const char *guard_check(const struct ir *ir, uint32_t *ret_rule);

/*
 * What the verified policies of an old IR are called in a new one: an array of old->nverifieds + 1 numbers, by the old
 * number; 0 = the new IR has no equal one (and of 0). Allocated in `a`.
 */
uint16_t *ir_renumber(const struct ir *old, const struct ir *new, struct arena *a);

/* True when segments of these kinds may never talk to each other, whatever a rule says. */
bool guard_forbidden_pair(enum segment_kind a, enum segment_kind b);

/* Does this alert level close it? closes: enum closes. */
bool level_closes(uint32_t level, unsigned closes);
bool rule_closed_by_level(const struct ir *ir, const struct ir_rule *r);

/*
 * Is the rule in force at `now`, at the IR's alert level? *ret_until (may be NULL): the moment at which the
 * answer changes next, WALL_NEVER when it does not. Uses the zone set by clock_set_zone(ir timezone).
 */
bool rule_active(const struct ir *ir, const struct ir_rule *r, struct wall now, struct wall *ret_until);

/*
 * The same for a box: its first active candidate (IR_NONE when closed). *ret_until: when the permission ends
 * if open (contiguous candidates count as one permission), when it opens next if closed.
 */
uint32_t box_active(const struct ir *ir, const struct ir_box *b, struct wall now, struct wall *ret_until);

#endif
