/*
 * compile.h: what the stages of the compiler share. One stage a file, in this order:
 *
 *   names     every name once, every reference to something that exists
 *   topology  segments, interfaces, addresses of the gateway -> IR locals, networks
 *   ways      routers, routes -> IR neighbours, routes; the way to each address
 *   hosts     hosts and groups -> address lists, each checked against its segment and its way; IR sources
 *   rules     allow rules -> IR rules and spans (source x destination x ports as written)
 *   own       the gate's own settings and flows
 *   deputies  roles that accounts have for a time
 *   guard     the laws of the three layers, with the lines of the file
 *   applications  what a rule demands of the inspector, against what its verifiers can do
 *   boxes     spans -> disjoint boxes; what shadows, repeats or contradicts what
 *   analysis  expired, unreachable, unused, due
 *   ir_encode the block of memory
 *
 * A stage reports into c->diags and leaves out what it could not understand, so that the next stages still
 * find their own faults; ir_encode runs only when none was an error.
 */
#ifndef POLICY_COMPILE_H
#define POLICY_COMPILE_H

#include <sekisho/arena.h>
#include <sekisho/buf.h>
#include <sekisho/diag.h>
#include <sekisho/i18n.h>
#include <sekisho/ir.h>
#include <sekisho/model.h>
#include <sekisho/strmap.h>

/* "nothing": an index that did not resolve. */
#define NONE UINT32_MAX

/* The sections of the IR while they grow; strings are interned. */
struct ir_builder {
#define X(NAME, type, member) \
	struct type *member; \
	size_t n##member, member##_cap;
	IR_SECTIONS(X)
#undef X
	struct strmap *interned;
	struct arena *arena; /* owns the keys of `interned` */
};

/* Adds a zeroed record to a section: struct ir_rule *r = IR_PUSH(b, rules). Valid until the next push. */
#define IR_PUSH(b, member) IR_PUSH_N(b, member, 1)
#define IR_PUSH_N(b, member, count) \
	ir_grow((void **)&(b)->member, &(b)->n##member, &(b)->member##_cap, (count), sizeof(*(b)->member))
void *ir_grow(void **items, size_t *n, size_t *cap, size_t count, size_t size);
void ir_builder_init(struct ir_builder *b, struct arena *a);
void ir_builder_free(struct ir_builder *b);
ir_str ir_intern(struct ir_builder *b, const char *s);
void ir_encode(const struct ir_builder *b, struct buf *out);
void ir_put_range(struct ir_range *dst, const struct addr_range *r);

/* A range of addresses and whose it is; lists of them are sorted and disjoint unless said otherwise. */
struct piece {
	struct addr_range range;
	uint32_t owner;
};
struct pieces {
	struct piece *v;
	size_t n, cap;
};
void pieces_add(struct arena *a, struct pieces *p, const struct addr_range *r, uint32_t owner);

/*
 * Decides nested prefixes by the longest match: `in` (any order; of equal ranges the first wins) becomes
 * disjoint sorted pieces. The ranges of `in` are prefixes: two of them are nested or disjoint.
 */
void cover_flatten(struct arena *a, struct pieces *in, struct pieces *ret);
/* The piece that holds the address, or NULL. */
const struct piece *cover_find(const struct pieces *p, const struct addr *a);
/* Calls back for every piece that overlaps the range, with the common part. */
typedef void cover_each_fn(void *arg, const struct addr_range *common, uint32_t owner);
void cover_each(const struct pieces *p, const struct addr_range *r, cover_each_fn *fn, void *arg);

/* A way out of the gateway: a connected prefix, or one behind a router. */
struct way {
	struct addr_range range;
	uint16_t interface; /* index into IR interfaces */
	uint32_t router;    /* NONE: connected */
	uint32_t line;
};

/* An address list: of a host, a group or a segment. */
struct endpoint {
	enum { ENDPOINT_NONE, ENDPOINT_HOST, ENDPOINT_GROUP, ENDPOINT_SEGMENT } kind;
	uint32_t index;	  /* of the host, group or segment; NONE */
	uint32_t segment; /* NONE: not known */
	const struct piece *v; /* owner = host index, NONE for a segment; not sorted, may overlap */
	size_t n;
};

/* One rectangle of the policy while it is cut: source x destination x port, as written. */
struct span {
	struct key {
		uint64_t hi, lo;
	} lo[3], hi[3]; /* AXIS_* */
	uint32_t rule;
	uint16_t from, to;
	uint8_t family, proto;
};
enum { AXIS_SRC, AXIS_DST, AXIS_PORT };

/* What later stages need to know of a rule beside its IR record. */
struct rule_note {
	struct endpoint from, to;
	const struct model_allow *allow;
	uint32_t line;
	bool effective;	     /* grants something that no earlier rule grants all the time */
	bool contradicts;    /* said already */
	uint32_t covered_by; /* the earlier rule that grants a part of it that was not effective; NONE */
};

struct compiler {
	const struct model *m;
	struct wall now;
	struct diag_list *diags;
	struct arena *arena;
	struct ir_builder ir;

	size_t nform; /* findings that were there before: of the form of the text */

	struct strmap *segments, *interfaces, *routers, *hosts, *groups, *services;

	/* topology */
	struct pieces networks;	 /* whose address is it: owner = segment */
	struct pieces routing;	 /* which way out: owner = index into ways */
	struct way *ways;
	size_t nways, ways_cap;
	uint32_t *router_segment; /* by router; NONE */

	/* hosts */
	struct endpoint *host_ends, *group_ends, *segment_ends;
	uint8_t *host_used, *group_used, *service_used;

	/* rules; one note for each IR rule, same index */
	struct rule_note *notes;
	size_t nnotes, notes_cap;
	struct span *spans;
	size_t nspans, spans_cap;
	struct strmap *demand_numbers; /* text of a demand -> its number by occurrence */
	struct demand *demands;
	size_t ndemands, demands_cap;
	bool too_many; /* said already that a limit is broken */
};

/*
 * demands.c: the number of what a rule demands of the inspector (by occurrence until demands_finish(), which sorts them
 * into the IR and renumbers the rules), and its words.
 */
uint16_t demand_intern(struct compiler *c, const struct model_allow *a, const char **ret_text);
void demands_finish(struct compiler *c);

/* Is rule a in force whenever rule b is? (Never wrongly true.) */
bool rule_time_covers(const struct compiler *c, const struct ir_rule *a, const struct ir_rule *b);

void stage_names(struct compiler *c);
void stage_topology(struct compiler *c);
void stage_ways(struct compiler *c);
void stage_hosts(struct compiler *c);
void stage_rules(struct compiler *c);
void stage_own(struct compiler *c);
void stage_deputies(struct compiler *c);
void stage_guard(struct compiler *c);
void stage_applications(struct compiler *c);
void stage_boxes(struct compiler *c);
void stage_analysis(struct compiler *c);

/* The range of a prefix; an address without a length is a range of one. */
struct addr_range prefix_of(const struct prefix *p);
/* A network written with host bits set ("10.1.0.1/16") is reported; false. */
bool check_host_bits(struct compiler *c, const struct prefix *p);
/* One more way; returns its index. */
uint32_t add_way(struct compiler *c, const struct addr_range *r, uint32_t interface, uint32_t router,
	uint32_t line);

/* Index of a name, or NONE after an error "unknown-<kind>" at the word's line with the nearest known name. */
enum name_kind { NAME_SEGMENT, NAME_ROUTER, NAME_HOST, NAME_SERVICE };
uint32_t name_find(struct compiler *c, const struct strmap *map, enum name_kind kind, const struct word *w);

/*
 * Has the form of this line been found wrong already? What is missing or cannot be read is said once, where
 * the text is read; here only when the model comes from elsewhere.
 */
bool form_said(const struct compiler *c, uint32_t line);

/* "did you mean NAME?", or `otherwise` when no name of the map is near. */
const char *name_hint(struct compiler *c, const struct strmap *map, const char *text, const char *otherwise);

/* "10.1.10.5 -> 192.0.2.9 tcp/443": a packet that this rule, which has spans, would let cross. */
const char *example_packet(struct compiler *c, uint32_t rule);

const char *proto_word(uint8_t proto);

static inline int key_cmp(struct key a, struct key b)
{
	if (a.hi != b.hi)
		return a.hi < b.hi ? -1 : 1;
	return a.lo < b.lo ? -1 : a.lo > b.lo;
}

/* An address as a number: IPv4 in the low 32 bits, so that key + 1 is the next address in both families. */
struct key key_of_addr(const struct addr *a);
struct addr key_to_addr(struct key k, uint8_t family);

#endif
