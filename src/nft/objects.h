/*
 * objects.h: the object model behind ruleset.h, shared by the files of this room.
 *
 * A ruleset is counters, sets (also maps) with elements, and chains of rules; a rule is a row of statements of a
 * small closed set (statement.c), which each know their text and their netlink form. Dependencies that nft's
 * parser would add by itself (meta nfproto ipv4 before ip saddr) are statements here, so both forms agree.
 */
#ifndef NFT_OBJECTS_H
#define NFT_OBJECTS_H

#include <sekisho/arena.h>
#include <sekisho/buf.h>
#include <sekisho/reason.h>
#include <sekisho/ruleset.h>

/* -- values ------------------------------------------------------------------------------------------- */

enum datatype {
	TYPE_NFPROTO,
	TYPE_L4PROTO,
	TYPE_IFNAME,
	TYPE_MARK,
	TYPE_MARK_NET, /* turned round, as interval sets compare it */
	TYPE_U32,
	TYPE_U16,
	TYPE_U8,
	TYPE_HEX8,
	TYPE_HEX32,
	TYPE_ADDR4,
	TYPE_ADDR6,
	TYPE_PORT,
	TYPE_ETHER,
	TYPE_TCPFLAGS,
	TYPE_ICMPTYPE,
	TYPE_ICMP6TYPE,
	TYPE_CTSTATE,
	TYPE_CTDIR,
	TYPE_PKTTYPE,
	TYPE_ARPHRD,
	TYPE_PRESENT,
	TYPE_PRESENT32, /* as fib gives it */
	TYPE_END,
};

struct datatype_info {
	const char *name; /* in `type …`; NULL where no set may have it */
	uint8_t id;	  /* nft's number of it (userdata-free listings depend on it) */
	uint8_t len;
	bool host_order;
};
const struct datatype_info *datatype(enum datatype t);
/* One value of that type, from its kernel bytes, as nft writes it. */
void value_text(enum datatype t, const uint8_t *bytes, struct buf *out);
/* A number as the kernel bytes of that type. */
void value_from_number(enum datatype t, uint32_t number, uint8_t *bytes);

/* -- what is read from a packet ----------------------------------------------------------------------- */

enum field {
	F_NFPROTO,
	F_L4PROTO,
	F_IIFNAME,
	F_OIFNAME,
	F_MARK,
	F_MARK_VERIFIED,
	F_LENGTH,
	F_PKTTYPE,
	F_IIFTYPE,
	F_IHL,
	F_IHLWORD,
	F_FRAGOFF,
	F_FRAGWORD,
	F_IPLENGTH,
	F_SADDR4,
	F_DADDR4,
	F_NEXTHDR,
	F_HOPLIMIT,
	F_SADDR6,
	F_DADDR6,
	F_SPORT,
	F_DPORT,
	F_TCPFLAGS,
	F_TCPDOFF,
	F_UDPLENGTH,
	F_ICMPTYPE,
	F_ICMP6TYPE,
	F_ETHERSADDR,
	F_CTSTATE,
	F_CTMARK,
	F_CTMARK_VERIFIED,
	F_CTMARK_FLOW,
	F_CTDIR,
	F_CTSADDR4,
	F_CTDADDR4,
	F_CTSADDR6,
	F_CTDADDR6,
	F_CTDPORT,
	F_FIBOIF,
	F_FRAGHDR,
	F_FRAGNEXTHDR,
	F_END,
};
const char *field_text(enum field f);
enum datatype field_type(enum field f);
/* Appends the expressions that put the field into 32-bit register number `reg` (0..15) to an open list. */
void field_load(enum field f, unsigned reg, struct buf *out);

/* -- sets ------------------------------------------------------------------------------------------------ */

#define SET_INTERVAL 0x01 /* with one field: an ordered tree; with several: concatenated ranges */
#define SET_TIMEOUT 0x02
#define SET_DYNAMIC 0x04
#define SET_VERDICTS 0x08 /* a map to chains */
#define SET_MARKS 0x10	  /* a map to marks */
#define SET_LIVE 0x20	  /* its elements are the running gate's, not the policy's: never compared */

#define SET_FIELDS_MAX 4
#define SET_KEY_MAX 64

struct chain;

struct elem {
	union {
		struct chain *chain; /* SET_VERDICTS; NULL = accept */
		uint32_t mark;	     /* SET_MARKS */
	};
	uint32_t rule; /* of the IR, or IR_NONE: its name is the element's comment */
	int64_t until; /* wall seconds; INT64_MAX = no end */
};

struct set {
	const char *name; /* without suffix */
	uint32_t made;	  /* generation that built it; 0 = a name without suffix */
	uint32_t again;	  /* > 0: rebuilt within that generation */
	uint8_t nfields, types[SET_FIELDS_MAX];
	uint8_t flags;
	uint32_t klen;	  /* bytes of one key: every field padded to four */
	uint32_t size, timeout;
	uint32_t limit;	  /* of a dynamic set: the rate that its elements were made with */
	struct buf keys;  /* n keys, or n pairs lo, hi when SET_INTERVAL; in order */
	struct buf elems; /* n struct elem */
	uint32_t n;
	uint32_t index; /* among the ruleset's sets */
};

#define SET_NAME_MAX 160
const char *set_name(const struct set *s, char *buf);
static inline struct elem *set_elem(const struct set *s, uint32_t i)
{
	return (struct elem *)(void *)s->elems.data + i;
}
static inline const uint8_t *set_lo(const struct set *s, uint32_t i)
{
	return s->keys.data + (size_t)i * s->klen * ((s->flags & SET_INTERVAL) != 0 ? 2 : 1);
}
static inline const uint8_t *set_hi(const struct set *s, uint32_t i)
{
	return (s->flags & SET_INTERVAL) != 0 ? set_lo(s, i) + s->klen : set_lo(s, i);
}
/* One element's key as nft writes it: "10.1.0.5 . 10.2.0.0/16 . 80-90". */
void set_key_text(const struct set *s, uint32_t i, struct buf *out);

/* -- chains and rules ---------------------------------------------------------------------------------- */

enum stmt_kind {
	S_MATCH,
	S_IN,	    /* fields @set, fields != @set */
	S_VMAP,	    /* fields vmap @map */
	S_MAPMARK,  /* meta mark set fields map @map */
	S_SETMARK,  /* meta mark set number */
	S_CTMARK,   /* ct mark set meta mark & a | b */
	S_REMARK,   /* meta mark set meta mark & a | b */
	S_UPDATE,   /* update/add/delete @set { fields [limit …|ct count …] } */
	S_LIMIT,
	S_COUNTER,
	S_LOG,
	S_MSS,
	S_QUEUE, /* a: number; sub: 1 = by the xt target */
	S_RESET, /* reject with tcp reset */
	S_TURN,	 /* tproxy to :a */
	S_VERDICT,
	S_END,
};
enum cmp_op { OP_EQ, OP_NEQ, OP_LT, OP_LTE, OP_GT, OP_GTE };
enum verdict_kind { V_ACCEPT, V_DROP, V_RETURN, V_JUMP, V_GOTO };
enum update_kind { UPDATE_ADD, UPDATE_LIMIT, UPDATE_COUNT, UPDATE_REMOVE };

struct part {
	uint8_t field;
	uint8_t prefix; /* > 0: only the first `prefix` bits count (addresses) */
};

struct stmt {
	uint8_t kind, op, nparts;
	uint8_t sub; /* verdict_kind, update_kind, limit: 1 = over */
	struct part part[SET_FIELDS_MAX];
	const struct set *set;
	struct chain *chain;
	const char *name;
	uint32_t a, b; /* limit: rate, burst; mark: mask, value; log: group, snaplen */
	bool masked, per_minute;
	uint8_t mask[16], value[16];
};

struct rule {
	struct stmt *stmts;
	size_t nstmts, cap;
	const char *comment; /* NULL = none */
};

struct chain {
	const char *name;
	bool base;
	uint8_t hook; /* NF_INET_* */
	int32_t priority;
	bool policy_drop;
	struct rule *rules;
	size_t nrules, rules_cap;
	uint32_t index;
};

struct ruleset {
	struct arena *arena;
	const struct ir *ir; /* NULL: closed */
	struct ruleset_options opt;
	struct wall now, next_change;
	const char **before; /* by number (from 1): what the verified policies of opt.renewal were, in words */
	const char **counters;
	size_t ncounters, counters_cap;
	struct set **sets;
	size_t nsets, sets_cap;
	struct chain **chains;
	size_t nchains, chains_cap;
	uint32_t boxes_open, boxes_timed_closed;
	struct chain *stop[REASON_END];
	uint32_t unmark; /* see elem timing: flows of timed boxes must not carry a passed mark */
};

/* The live sets of emergency cuts (build_cut.c), filled as the list says (NULL: empty); and their names. */
void cut_sets(struct ruleset *rs, const struct cuts *cuts);
bool is_cut_set(const char *name);

/* Text of one rule, without its line end. */
void rule_text(const struct rule *r, struct buf *out);
/* One statement's text and its netlink expressions (appended to an open NFTA_RULE_EXPRESSIONS). */
void stmt_text(const struct stmt *s, struct buf *out);
void stmt_put(const struct stmt *s, struct buf *out);
/* One element as text: key, timeout, comment, data. */
void elem_text(const struct ruleset *rs, const struct set *s, uint32_t i, struct buf *out);
/* Name of the policy rule behind an element; "" when there is none. */
const char *elem_rule(const struct ruleset *rs, const struct elem *e);

#endif
