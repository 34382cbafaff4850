/*
 * ruleset.h: the packet filter of one policy at one moment, as objects: what `sekisho ruleset` prints and what
 * sekishod programs, from the same table of expressions.
 *
 * The objects of table `inet sekisho`
 *
 *   counters   stop_<word>, one per reason (a bare word may be a keyword of nft); limited_<i> per segment, limited_none
 *   lease      set of nf_proto, timeout 30 s: the gate is open for a family while its element lives
 *   inspectors set of nf_proto, timeout 4 s: packets are queued for the inspector while its element lives
 *   log_full   set of nf_proto: an element closes what is new (records cannot be kept)
 *   cutting    set of nf_proto: an element sends every packet through `cut`, whose maps (cut_*) name what is cut (stop_cut)
 *   halfopen4/6  sources with too many unanswered connections (filled by sekishod)
 *   pinholes4/6  connections that were announced (filled by sekishod); hosts4/6, data4/6: who may have such
 *   base chains, made once, never replaced; their rules are:
 *     early   prerouting -450  iifname vmap @interfaces -> in_<i> (one per interface): fragments, options, extension
 *                              headers, source, MAC; before defragmentation
 *     state   prerouting -150  established: on; related -> `related`; new -> `fresh`; others -> `stray`, `nd`
 *     turn    prerouting -140  mail for a next hop that is taken transparently -> `turning`: lease, limits, tproxy to the mail
 *                              gate's listener with mark TURNED_MARK; without a listener it goes on, and forward refuses it
 *     forward 0                lease; what should have been turned: no-mail-gate; ct mark passed under this generation: accept;
 *                              jump judge; drop
 *     after   forward +10      MSS; the inspector's verdict, a packet mark, to the flow's ct mark
 *     input 0, output 0        jump local_in / local_out; drop
 *   stop_<word>  counter name stop_<word>, meta mark set 0xbb0000CC, goto refuse: the only way to be refused
 *   refuse       by iifname to refuse_<i> (segment i) or refuse_none: limiters, log group 100+i, reset (app-mismatch), drop
 *   judge        pairs (original direction) / rpairs (reply): iifname . oifname -> pair_<from>_<to>
 *   pair_F_T     per family and protocol the maps of the pair; a hit sets the packet mark to the flow's class:
 *                  meta mark set ct original saddr . ct original daddr . ct original proto-dst map @M goto granted
 *                a miss in all: stop_no-rule, by way of `missed` (pinholes) where an FTP rule is. Intervals beyond
 *                LIMIT_SET_INTERVALS: cut by chains named after flow_F_T_PROTO.
 *   granted      meta mark & 0xf -> allow, timed, oneway, inspect, inspect_timed, inspect_oneway, mail (closed)
 *   inspect*     ct mark inspecting -> to_inspector -> queue_<i> (ingress segment i); verified: accept
 *   inspected    from `after`: verdict
 *
 * Maps give a mark and not a verdict: the kernel validates every verdict of every map again whenever a verdict
 * is added anywhere (17 ms at 100 k elements, measured), and never a mark.
 *
 * Class mark: bits 0-3 enum flow_class, bits 12-27 verified id.
 * ct mark: bits 0-1 state (CTMARK_*), bits 2-11 generation & 0x3ff, bits 12-27 verified id, bit 28 timed, bit 29
 * one-way, bit 30 opening, bit 31 verified. The state is `passed` only where a mark may stand for the lookup: never for
 * timed or one-way flows; those that were verified have bit 31 instead. Bits 28 and 29 together: through a pinhole.
 *
 * Sets and maps that belong to a policy are named <name>_g<generation that built them>; chains keep their names
 * and have their rules replaced, all at once, by the kernel's own generations.
 */
#ifndef SEKISHO_RULESET_H
#define SEKISHO_RULESET_H

#include <stdbool.h>
#include <stdint.h>

#include <sekisho/clock.h>
#include <sekisho/cut.h>
#include <sekisho/ir.h>

struct buf;
struct ruleset;

#define RULESET_TABLE "sekisho"

/* What a map says of a flow. */
enum flow_class {
	CLASS_ALLOW = 1,   /* passed by its mark until the policy changes */
	CLASS_TIMED = 2,   /* ends within CLASS_TIMED_SECONDS: looked up packet by packet */
	CLASS_ONEWAY = 3,  /* replies are refused */
	CLASS_INSPECT = 4, /* verified by the inspector, then passed by its mark; closed without one: no-inspector */
	CLASS_MAIL = 5,	   /* closed: no-mail-gate */
	CLASS_INSPECT_TIMED = 6,  /* verified, and looked up packet by packet */
	CLASS_INSPECT_ONEWAY = 7, /* verified, and replies are refused */
};
/* An end nearer than this is enforced by the map's timeout on every packet. */
#define CLASS_TIMED_SECONDS (25 * 3600)

#define CTMARK_STATE 0x00000003u
#define CTMARK_INSPECTING 1u
#define CTMARK_PASSED 2u
#define CTMARK_REFUSED 3u
#define CTMARK_GENERATION(g) (((uint32_t)(g) & 0x3ffu) << 2)
#define CTMARK_DECIDED 0x00000fffu /* state and generation */
#define CTMARK_VERIFIED 0x0ffff000u
#define CTMARK_TIMED 0x10000000u
#define CTMARK_ONEWAY 0x20000000u
#define CTMARK_OPENING 0x40000000u /* a TCP connection that is not complete; only with a limit of half-open ones */
#define CTMARK_VERIFIED_OK 0x80000000u /* verified, but looked up packet by packet: stands where `passed` may not */
#define CTMARK_DATA (CTMARK_TIMED | CTMARK_ONEWAY) /* both: a connection through a pinhole */

/* The kernel's queue for packets that come in from a segment. */
#define INSPECT_QUEUE(segment) (200u + (segment))
/*
 * The mark of a packet in a queue: its class mark, and in bits 4-11 the end of the generation's number: a verified id
 * is another policy's in the next one.
 */
#define QUEUED_MARK(generation) (((uint32_t)(generation) & 0xffu) << 4)
#define QUEUED_GENERATION(mark) ((uint32_t)(mark) & 0xff0u)
/*
 * The packet mark of a verdict: sekishod accepts every packet that was queued, and the chain `after` does what the mark
 * says. code: enum inspect_code, or INSPECTED_NOBODY for what was held when the inspector went away.
 */
#define INSPECTED_MARK(code, why, seen)                                                                        \
	(0x5e000000u | (uint32_t)(seen) << 16 | (uint32_t)(why) << 8 | (uint32_t)(code))
#define INSPECTED_MASK 0xff0000ffu /* all but why and seen */
#define INSPECTED_NOBODY 5u

/* The packet mark of a refusal: NFULA_MARK carries it to the log. */
#define REFUSAL_MARK(reason) (0xbb000000u | (uint32_t)(reason))
#define REFUSAL_REASON(mark) ((mark) & 0xffu)
#define REFUSAL_WHY(mark) ((mark) >> 8 & 0xffu)	  /* enum inspect_why, of app-mismatch and unfitting */
#define REFUSAL_SEEN(mark) ((mark) >> 16 & 0xffu) /* enum application */
#define REFUSAL_CUT(mark) ((mark) >> 8 & 0xffffu) /* number, of `cut` */
/* What the maps of cuts give. */
#define CUT_MARK(number) ((uint32_t)(number) << 8)
#define REFUSAL_LOG_GROUP(segment) (100u + (segment))
#define REFUSAL_LOG_GROUP_NONE (100u + LIMIT_SEGMENTS)

/*
 * The packet mark of what the kernel turns to the mail gate (TPROXY): the routing rule of net_apply() delivers packets with it
 * here, whatever their destination; without the rule they are forwarded, and `forward` refuses them.
 */
#define TURNED_MARK 0x25000001u

/* What the kernel can do; probed by nft_open(), all of them for the offline command. */
#define CAPABILITIES(X)                                                                                        \
	X(0x001, TIMEOUT, "element-timeout")                                                                    \
	X(0x002, CONCAT_INTERVAL, "concatenated-intervals")                                                     \
	X(0x004, FIB, "fib")                                                                                    \
	X(0x008, CONNLIMIT, "connlimit")                                                                        \
	X(0x010, QUEUE, "queue")                                                                                \
	X(0x020, XT_NFQUEUE, "xt-nfqueue")                                                                      \
	X(0x040, PERSIST, "owner-persist")                                                                      \
	X(0x080, DYNSET_EXPR, "dynamic-sets")                                                                   \
	X(0x100, LOG, "log")                                                                                    \
	X(0x200, TCPOPT, "tcp-options")                                                                         \
	X(0x400, REJECT, "reject")                                                                              \
	X(0x800, TPROXY, "tproxy")
enum capability {
#define X(bit, NAME, word) CAP_##NAME = bit,
	CAPABILITIES(X)
#undef X
	CAP_ALL = 0xfff,
};
/* Without these nothing can be programmed at all. */
#define CAP_REQUIRED (CAP_TIMEOUT | CAP_CONCAT_INTERVAL | CAP_DYNSET_EXPR | CAP_LOG)
const char *capability_word(enum capability one);

/*
 * Which verified flows of the generation before live on. A verified policy has another number in each IR; what makes two
 * the same is their text, so the caller compares the texts. The texts themselves go with a dump to the evaluator, which
 * compares them again: without them nothing is renewed.
 */
struct ruleset_renewal {
	uint32_t generation; /* the one before; 0 = none: no old mark is worth anything */
	const uint16_t *to;  /* by its verified id (0..n-1): the id under this IR, 0 = the policy is gone (ir_renumber) */
	uint32_t n;
	const struct ir *before; /* read by ruleset_build() alone */
};

struct ruleset_options {
	uint32_t generation;   /* 1.. */
	uint32_t capabilities; /* CAP_*; without fib, connlimit, tcp-options those rules are left out */
	bool clock_untrusted;  /* rules with hours, days or an end are closed */
	struct ruleset_renewal renewal; /* copied */
	const struct cuts *cuts; /* NULL: none. Read by ruleset_build() alone */
};

/*
 * Builds the objects for `ir` at `now`. The IR and its memory must outlive the ruleset (comments and error
 * messages name its rules). Ends the process without memory; never fails for an IR that ir_open() accepted and
 * guard_check() let pass.
 */
struct ruleset *ruleset_build(const struct ir *ir, struct wall now, const struct ruleset_options *opt);

/* The gate shut: everything that is no loopback is refused with gate-closed. */
struct ruleset *ruleset_closed(const struct ruleset_options *opt);

void ruleset_free(struct ruleset *rs); /* NULL is allowed */

/* nft's own syntax: `nft -f` loads it and programs the same objects. */
void ruleset_text(const struct ruleset *rs, struct buf *out);

/*
 * {"table":…,"generation":…,"counters":[…],"sets":[{name,type,flags,timeout,size,elements:[…]}],"chains":[{name,
 * hook,priority,policy,rules:["…"]}]}: a form of our own; rules and elements are the text form's words.
 */
void ruleset_json(const struct ruleset *rs, struct buf *out);

/* When the same policy gives other objects next: an opening, an end that comes near. WALL_NEVER: never. */
struct wall ruleset_next_change(const struct ruleset *rs);

uint32_t ruleset_generation(const struct ruleset *rs);

struct ruleset_counts {
	uint32_t sets, elements, chains, rules;
	uint32_t boxes_open, boxes_timed_closed;
};
void ruleset_count(const struct ruleset *rs, struct ruleset_counts *ret);

#endif
