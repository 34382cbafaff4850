/*
 * dump.h: the kernel's ruleset as the evaluator sees it, read from raw netlink messages.
 *
 * Strings and byte runs point into the dump's memory, which must stay.
 */
#ifndef SEKISHO_PROVE_DUMP_H
#define SEKISHO_PROVE_DUMP_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include <sekisho/cut.h>
#include <sekisho/strmap.h>

struct arena;

#define DUMP_KEY_MAX 64
#define DUMP_FIELDS_MAX 8

/* Kinds of expressions by what they mean to the evaluator. */
enum expr_kind {
	EXPR_UNKNOWN, /* never seen before: a finding */
	EXPR_LOAD_META,
	EXPR_LOAD_CT,
	EXPR_LOAD_PAYLOAD,
	EXPR_LOAD_OTHER, /* fib, exthdr, socket, rt...: dreg becomes unknown, and the rule may end there */
	EXPR_SET,	 /* meta set, ct set, payload set, notrack: no verdict */
	EXPR_BITWISE,
	EXPR_BYTEORDER,
	EXPR_CMP,
	EXPR_RANGE,
	EXPR_LOOKUP,
	EXPR_IMMEDIATE,
	EXPR_MAYBE, /* limit, connlimit, quota: the rule may go on or not */
	EXPR_DYNSET, /* the same; but what takes an element away always goes on */
	EXPR_PASS,  /* counter, log, objref: nothing for the packet */
	EXPR_DROP,  /* reject: the packet ends here */
	EXPR_QUEUE, /* to the inspector: key = number, len = how many, op = flags */
	EXPR_TURN,  /* tproxy: sreg = register of the port, dreg = of an address (0: none); without a listener the rule ends */
};

struct dump_verdict {
	int32_t code;	   /* NF_DROP, NF_ACCEPT, NFT_JUMP, NFT_GOTO, NFT_RETURN, NFT_CONTINUE */
	const char *chain; /* of jump and goto */
};

struct dump_expr {
	enum expr_kind kind;
	const char *name; /* the kernel's word */
	uint32_t sreg, dreg;
	uint32_t key, dir; /* meta, ct: key; payload: base; dir: ct direction or UINT32_MAX */
	uint32_t offset, len;
	uint32_t op;	  /* cmp, range, byteorder, bitwise */
	bool invert;	  /* lookup */
	const char *set;  /* lookup */
	const uint8_t *data, *data2; /* cmp: value; bitwise: mask, xor; range: from, to; immediate: value */
	size_t ndata, ndata2;
	bool has_verdict;
	struct dump_verdict verdict;
};

struct dump_rule {
	uint64_t handle;
	struct dump_expr *exprs;
	size_t nexprs, exprs_cap;
};

struct dump_chain {
	const char *name;
	bool base;
	uint32_t hook, policy;
	int32_t priority;
	struct dump_rule *rules;
	size_t nrules, rules_cap;
};

struct dump_elem {
	const uint8_t *key, *end; /* end NULL = exact; both key_len bytes */
	bool interval_end;	  /* of a set that keeps starts and ends apart */
	bool expired;
	bool catchall;
	bool has_verdict;
	struct dump_verdict verdict;
	const uint8_t *data; /* of a map to values; NULL = none */
	size_t ndata;
	uint64_t timeout_ms, expires_ms; /* 0 = none */
};

struct dump_set {
	const char *name;
	uint32_t flags, key_len;
	uint8_t fields[DUMP_FIELDS_MAX]; /* byte lengths of the concatenation; none = one field */
	size_t nfields;
	struct dump_elem *elems;
	size_t nelems, elems_cap;
};

struct dump {
	struct arena *arena;
	struct dump_chain *chains;
	size_t nchains, chains_cap;
	struct dump_set *sets;
	size_t nsets, sets_cap;
	struct strmap *chain_names, *set_names;
	bool has_table;
	uint32_t table_flags;
	bool has_note;
	uint32_t before;	/* generation, 0 = none */
	const char **policies;	/* of before; [0] is number 1 */
	size_t npolicies, policies_cap;
	const struct cuts *cuts; /* that shall hold, or NULL: it was not said */
	bool queues;		/* some rule hands packets to a queue */
	bool turns;		/* some rule turns packets to a listener */
	const char *bad; /* why it could not be read, or NULL */
};

/*
 * Reads n bytes of netlink messages (NEWTABLE, NEWCHAIN, NEWSET, NEWRULE, NEWSETELEM, NEWOBJ in any order that
 * names a thing before its parts) of the table named `table`; other tables are passed over.
 * Returns false and sets d->bad when a message is broken.
 */
bool dump_read(struct dump *d, struct arena *a, const void *p, size_t n, const char *table);
void dump_free(struct dump *d);

struct dump_chain *dump_chain(const struct dump *d, const char *name);
struct dump_set *dump_set(const struct dump *d, const char *name);

#endif
