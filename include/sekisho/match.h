/*
 * match.h: what the policy says of one packet: for `explain`, for the nearest rule of a drop, for the sweep.
 *
 * A matcher is an index over an IR, built once (memory O(boxes)); a question costs a few microseconds.
 */
#ifndef SEKISHO_MATCH_H
#define SEKISHO_MATCH_H

#include <sekisho/addr.h>
#include <sekisho/clock.h>
#include <sekisho/ir.h>
#include <sekisho/reason.h>

struct matcher;

/* The IR and its memory must outlive the matcher. Ends the process without memory. */
struct matcher *matcher_new(const struct ir *ir);
void matcher_free(struct matcher *m); /* NULL is allowed */

enum verdict {
	VERDICT_DROP,
	VERDICT_ALLOW,
	VERDICT_INSPECT, /* its packets may go while they are, so far, what the rule names */
	VERDICT_MAIL,
};

/* The first packet of a flow. */
struct question {
	struct addr src, dst;
	uint8_t proto;	/* IPPROTO_* */
	uint16_t sport; /* 0 = not said */
	uint16_t dport; /* ICMP: type << 8 | code */
	bool has_port;	/* false: "tcp" alone, any port */
	bool has_mac;
	struct mac mac; /* source MAC as the gate would see it */
};

/* What differs between the packet and the nearest rule: bits of `differs`. */
#define DIFFERS(X)                                                                                             \
	X(0x001, SOURCE, "source")                                                                              \
	X(0x002, DESTINATION, "destination")                                                                    \
	X(0x004, PROTOCOL, "protocol")                                                                          \
	X(0x008, PORT, "port")                                                                                  \
	X(0x010, DIRECTION, "direction")                                                                        \
	X(0x020, MAC, "mac")                                                                                    \
	X(0x040, EXPIRED, "expired")                                                                            \
	X(0x080, NOT_STARTED, "not-started")                                                                    \
	X(0x100, HOURS, "hours")                                                                                \
	X(0x200, DAY, "day")

enum differs {
#define X(bit, NAME, word) DIFFERS_##NAME = bit,
	DIFFERS(X)
#undef X
};

struct decision {
	enum verdict verdict;
	enum reason reason;	/* of a drop; also of mail while it is closed */
	bool enforced_closed;	/* the packet itself is not taken by the mail gate: the kernel drops it with `reason` */
	bool turned;		/* mail: the mail gate takes it in place of the server that it is addressed to */
	uint32_t rule;		/* the rule that grants, or IR_NONE */
	uint32_t nearest;	/* of a drop: the most similar rule, or IR_NONE */
	uint32_t differs;	/* DIFFERS_* against `nearest` */
	uint32_t from, to;	/* segments, or IR_NONE */
};

void matcher_decide(const struct matcher *m, const struct question *q, struct wall now, struct decision *ret);

/* The segment whose networks hold the address, by longest match; IR_NONE when none does. */
uint32_t matcher_segment(const struct matcher *m, const struct addr *a);

/* The host (index) with this address, or IR_NONE. Single addresses win over ranges. */
uint32_t matcher_host(const struct matcher *m, const struct addr *a);

const char *verdict_word(enum verdict v);

#endif
