/*
 * build.h: what the stages of ruleset_build() share. One stage a file:
 *
 *   build        entry; objects without a policy; base chains
 *   build_refuse stop_<reason>, log limits, log, drop
 *   build_enter  before defragmentation and conntrack: interface, fragments, headers, source, MAC
 *   build_state  after conntrack: new, stray, related, neighbour discovery
 *   build_flow   forward: lease, marks, pairs, what being granted means
 *   build_maps   boxes -> maps of a pair
 *   build_inspect  what must be verified: queue, verdict, renewal
 *   build_data   connections through pinholes
 *   build_cut    emergency cuts
 *   build_local  input and output: the gateway's own flows
 */
#ifndef NFT_BUILD_H
#define NFT_BUILD_H

#include "builder.h"
#include "ranges.h"

#include <sekisho/inspect.h>

struct build {
	struct ruleset *rs;
	const struct ir *ir;
	/* live sets */
	struct set *lease, *log_full, *inspectors;
	struct set *halfopen[2], *pinholes[2]; /* [0] IPv4, [1] IPv6 */
	struct set *unanswered[2];		    /* NULL without a limit of half-open connections */
	/* small sets that several stages use */
	struct set *l4_ports;  /* tcp, udp */
	struct set *l4_direct; /* what may follow an IPv6 header at once */
	struct set *own[2];    /* the gateway's addresses */
	struct set *noise[2];  /* broadcast and multicast destinations */
	struct set *cutting;
	struct chain *cut;
	struct set *turned[2]; /* interface, client, server of mail that the mail gate takes in the server's
				  place; NULL: none */
	struct set *new_from[2], *open_from[2]; /* limits of a source */
	struct chain *early, *state, *turn, *forward, *after, *input, *output;
	struct chain *refuse, *granted;
	struct chain *miss; /* of the pair being built: where a flow goes that no map knows */
};

/* The mark of a passed flow under this generation. */
static inline uint32_t passed_mark(const struct build *b)
{
	return CTMARK_GENERATION(b->rs->opt.generation) | CTMARK_PASSED;
}

void build_refuse(struct build *b);
void build_enter(struct build *b);
void build_state(struct build *b);
void build_flow(struct build *b);
void build_local(struct build *b);
void build_cut(struct build *b);
/* What is cut goes no further in this chain. */
void check_cut(struct build *b, struct chain *c);

/* Mail that is taken transparently: the set, and the chain `turn`. Before build_flow() and build_local(). */
void build_turn(struct build *b);
/* forward: what should have been turned and was not goes no further. */
void turn_stops(struct build *b, struct chain *c);
/* input, output: what was turned, and what is answered in the server's name. */
void turn_local(struct build *b, struct chain *c, bool sending);
/* The limits of a source, for flows that begin: `c` stops what is beyond. */
void limit_rates(struct build *b, struct chain *c, uint8_t fam);

/*
 * The maps of one pair of segments: boxes first..first+n. Appends to the pair's chain the rules that look a flow up;
 * a miss in all of them goes on behind.
 */
void build_maps(struct build *b, struct chain *pair, uint32_t first, uint32_t n);

/* The chains of the inspected classes, as elements of the map of classes. */
void build_inspect(struct build *b, struct set *classes, struct chain *admit);
/* What `after` does with a packet that has a mark. */
struct chain *build_inspected(struct build *b);

/* May a rule between these segments have connections through pinholes in this direction? */
bool build_data_pair(const struct build *b, uint16_t from, uint16_t to);
/* Where a flow goes that no map of such a pair knows. */
struct chain *build_missed(struct build *b, struct chain *admit);

/* Is a refused TCP connection reset? */
static inline bool resets(const struct build *b)
{
	return b->ir != NULL && b->ir->system->refuse_silently == 0 && (b->rs->opt.capabilities & CAP_REJECT) != 0;
}

/* Does the rule depend on what time it is? */
bool rule_needs_clock(const struct ir_rule *r);

/* Fields by family. */
static inline enum field saddr(uint8_t fam)
{
	return fam == 4 ? F_SADDR4 : F_SADDR6;
}
static inline enum field daddr(uint8_t fam)
{
	return fam == 4 ? F_DADDR4 : F_DADDR6;
}
static inline enum datatype addr_type(uint8_t fam)
{
	return fam == 4 ? TYPE_ADDR4 : TYPE_ADDR6;
}
static inline unsigned at(uint8_t fam)
{
	return fam == 4 ? 0 : 1;
}

/* A set named by a format. */
struct set *set_named(struct build *b, const enum datatype *types, unsigned flags, const char *fmt, ...)
	__attribute__((format(printf, 4, 5)));
struct chain *chain_named(struct build *b, const char *fmt, ...) __attribute__((format(printf, 2, 3)));
/* Copies a list of ranges into an interval set or map; a range's tag is the chain (NULL = accept) of a map. */
void set_add_ranges(struct set *s, const struct ranges *r);

#endif
