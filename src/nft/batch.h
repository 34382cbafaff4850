/*
 * batch.h: one transaction: messages, and for each what it stands for, so that an error has a name.
 */
#ifndef NFT_BATCH_H
#define NFT_BATCH_H

#include "objects.h"
#include "wire.h"

#include <sekisho/nft.h>

enum tag_kind { TAG_OTHER, TAG_SET, TAG_ELEMS, TAG_CHAIN, TAG_RULE };

struct tag {
	enum tag_kind kind;
	const char *verb;
	const struct ruleset *rs;
	const struct set *set;
	const struct chain *chain;
	const char *name; /* of what is no object of a ruleset */
	uint32_t first;	  /* rule of the chain; entry of `order` for elements */
	size_t at;	  /* the message in the buffer */
};

struct batch {
	const char *table;
	struct buf b;
	struct buf tags;  /* struct tag, by sequence */
	struct buf order; /* uint32_t: indexes of elements, in the order they were put */
	uint32_t seq0;	  /* of the first message */
	uint32_t n;	  /* messages */
	int64_t now_ms;	  /* wall, for timeouts */
	uint32_t elements;
};

void batch_init(struct batch *b, uint32_t seq0);
void batch_free(struct batch *b);
static inline bool batch_empty(const struct batch *b)
{
	return b->n == 0;
}

/* Objects, of the table that batch_init() names (ours). */
void put_table(struct batch *b, uint32_t flags, const char *comment);
void put_table_delete(struct batch *b);
void put_counter(struct batch *b, const char *name);
void put_chain(struct batch *b, const struct chain *c);
void put_rules(struct batch *b, const struct ruleset *rs, const struct chain *c);
/* One rule of c, before or behind the rule with that handle. */
void put_rule_at(struct batch *b, const struct ruleset *rs, const struct chain *c, uint32_t i, uint64_t handle, bool behind);
void put_rule_delete(struct batch *b, const char *chain, uint64_t handle);
/* All rules of a chain. */
void put_rules_delete(struct batch *b, const char *chain);
void put_chain_delete(struct batch *b, const char *name);
void put_set(struct batch *b, const struct ruleset *rs, const struct set *s);
void put_set_delete(struct batch *b, const char *name);
/* Elements first..first+n of `order` (NULL: of the set itself). remove: takes them out. */
void put_elems(struct batch *b, const struct ruleset *rs, const struct set *s, const uint32_t *order, uint32_t n,
	bool remove);
/* Empties a set. */
void put_flush(struct batch *b, const char *set);

/*
 * Runs the batch as one transaction: 0, or -errno with *err filled (may be NULL). genid != 0: only when the tables
 * are of that generation (-ERESTART). `commit` false: the kernel checks everything and forgets it.
 * *us grows by the time spent in the kernel.
 */
int batch_run(struct batch *b, struct wire *w, uint32_t genid, struct nft_error *err, uint32_t *us);
/* Checks messages without committing; fn gets every error. */
int batch_try(struct batch *b, struct wire *w, wire_error_fn *fn, void *arg);

/* A rule as bytes: equal bytes are equal rules. */
void rule_bytes(const struct rule *r, struct buf *out);

#endif
