/*
 * kernel.h: the state behind struct nft, shared by the kernel-side files of this room.
 *
 *   kernel      open, close, shut; what the kernel can do (probe)
 *   inventory   what is there of ours, by name
 *   table       our table: made, taken over, made anew
 *   commit      the difference between two rulesets, in two batches and a clean-up
 *   live        lease, records switch, counters
 *   cut         emergency cuts
 *   sweep       conntrack after a commit; half-open connections
 *   flow        one connection read; all of them listed
 *   watch       who else changes nftables; is all still there
 *   dump        the table for the evaluator
 */
#ifndef NFT_KERNEL_H
#define NFT_KERNEL_H

#include "batch.h"
#include "wire.h"

#include <sekisho/arena.h>
#include <sekisho/nft.h>
#include <sekisho/strmap.h>

/* Names of our table's objects as the kernel has them. */
struct inventory {
	struct arena *arena;
	bool table;
	uint32_t table_flags;
	uint64_t epoch; /* from the table's comment; 0 = none */
	bool base_ok;	/* no base chain of ours is missing or other than we make it */
	const char **chains, **sets, **counters;
	size_t nchains, chains_cap, nsets, sets_cap, ncounters, counters_cap;
	const char **bases;
	size_t nbases, bases_cap;
	struct strmap *chain_names, *set_names, *counter_names;
};

struct nft {
	struct wire wire;  /* transactions: the table's owner */
	struct wire query; /* dumps */
	struct wire watch; /* events */
	struct wire ct;	   /* conntrack */
	uint32_t capabilities;
	uint32_t genid;	 /* after our last transaction */
	uint64_t epoch;
	struct cuts *cuts;	 /* that shall hold; NULL: none was ever said */
	struct ruleset *current; /* what is programmed; NULL = unknown or closed */
	bool shut;		 /* `current` is the closed ruleset */
	bool lease;		 /* held */
	enum nft_records records;
	bool missed;		 /* somebody changed something while nobody listened */
	int64_t clock_offset_ms; /* wall minus monotonic when timeouts were last programmed */
};

/* -- inventory ------------------------------------------------------------------------------------------------- */

/* 0 or -errno; inventory_free() in either case. */
int inventory_read(struct nft *n, struct inventory *inv);
void inventory_free(struct inventory *inv);

/* The kernel's generation number; 0 with *ret, or -errno. */
int read_genid(struct nft *n, uint32_t *ret);

/* The handles of a chain's rules, in order: uint64_t each. */
int read_handles(struct nft *n, const char *chain, struct buf *out);

/* A request without attributes for a dump of that type. */
void dump_request(struct buf *b, uint16_t type);

/* -- table -------------------------------------------------------------------------------------------------------- */

/*
 * After this our table is there, ours, and its base chains are as they must be; *inv says what is in it. What was
 * current before is forgotten when the table had to be made anew. 0 or -errno; inventory_free() in either case.
 */
int ensure_table(struct nft *n, struct inventory *inv, struct nft_error *err, uint32_t *us);

/* -- probe -------------------------------------------------------------------------------------------------------- */

int probe(struct nft *n);

/* -- watch -------------------------------------------------------------------------------------------------------- */

/* Lets only announcements of new generations through. */
int watch_filter(struct wire *w);
/*
 * While somebody listens the kernel makes a message of every element (14 us each, measured), whatever a filter lets
 * through. Around a large transaction nobody listens; watch_resume() looks whether a stranger came in between.
 */
void watch_pause(struct nft *n);
void watch_resume(struct nft *n);

/* -- live --------------------------------------------------------------------------------------------------------- */

void put_lease(struct batch *b, const struct set *lease);
/* The sets of emergency cuts as `rs` has them. */
void put_cuts(struct batch *b, const struct ruleset *rs);
/* Runs a small transaction on live sets and frees it; it must not fail for a stranger's. */
int run_live(struct nft *n, struct batch *b);
/* Wall minus monotonic time in milliseconds: changes when somebody sets the clock. */
int64_t clock_offset_ms(void);

#endif
