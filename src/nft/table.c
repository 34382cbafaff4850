/*
 * table.c: our table itself: made shut, taken over from a keeper that died, or made anew when it is not as it must be.
 *
 * OWNER without PERSIST would remove the table with its owner: never. With both a stranger cannot change it, it stays
 * when its owner dies, and the next one takes it over. A kernel without PERSIST has neither: then nft_check() watches.
 */
#include "kernel.h"

#include <errno.h>
#include <linux/netfilter/nf_tables.h>
#include <stdio.h>

#ifndef NFT_TABLE_F_PERSIST
#define NFT_TABLE_F_PERSIST 0x4
#endif

static uint32_t table_flags(const struct nft *n)
{
	return (n->capabilities & CAP_PERSIST) != 0 ? NFT_TABLE_F_OWNER | NFT_TABLE_F_PERSIST : 0;
}

static uint64_t new_epoch(void)
{
	return (uint64_t)clock_wall().sec;
}

/* Our table with its base chains, all shut, in one transaction; whatever had its name before goes in the same. */
static int make_table(struct nft *n, bool exists, struct nft_error *err, uint32_t *us)
{
	struct ruleset_options opt = {.generation = 1};
	struct ruleset *rs = ruleset_closed(&opt);
	uint64_t epoch = new_epoch();
	char comment[48];
	struct batch b;

	batch_init(&b, n->wire.seq + 1);
	snprintf(comment, sizeof(comment), "epoch %llu", (unsigned long long)epoch);
	if (exists)
		put_table_delete(&b);
	put_table(&b, table_flags(n), comment);
	for (size_t i = 0; i < rs->ncounters; i++)
		put_counter(&b, rs->counters[i]);
	for (size_t i = 0; i < rs->nchains; i++)
		put_chain(&b, rs->chains[i]);
	for (size_t i = 0; i < rs->nsets; i++)
		put_set(&b, rs, rs->sets[i]);
	for (size_t i = 0; i < rs->nchains; i++)
		put_rules(&b, rs, rs->chains[i]);
	int r = batch_run(&b, &n->wire, 0, err, us);
	batch_free(&b);
	ruleset_free(rs);
	if (r == 0)
		n->epoch = epoch;
	return r;
}

/* Takes over a table that outlived its owner. -EOPNOTSUPP: it was made without that; it is made anew. */
static int adopt_table(struct nft *n, const struct inventory *inv)
{
	struct batch b;

	if (table_flags(n) == 0 || (inv->table_flags & NFT_TABLE_F_PERSIST) == 0)
		return table_flags(n) == (inv->table_flags & (NFT_TABLE_F_OWNER | NFT_TABLE_F_PERSIST)) ? 0 : -EOPNOTSUPP;
	batch_init(&b, n->wire.seq + 1);
	put_table(&b, table_flags(n), NULL);
	int r = batch_run(&b, &n->wire, 0, NULL, NULL);
	batch_free(&b);
	return r;
}

int ensure_table(struct nft *n, struct inventory *inv, struct nft_error *err, uint32_t *us)
{
	int r;

	if ((r = inventory_read(n, inv)) != 0)
		return r;
	if (inv->table && inv->base_ok && (n->current != NULL || adopt_table(n, inv) == 0)) {
		n->epoch = inv->epoch;
		return 0;
	}
	ruleset_free(n->current);
	n->current = NULL;
	if ((r = make_table(n, inv->table, err, us)) != 0)
		return r;
	inventory_free(inv);
	return inventory_read(n, inv);
}
