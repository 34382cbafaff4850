/*
 * cut.c: emergency cuts in the running kernel: the live sets of build_cut.c, emptied and filled in one transaction.
 *
 * Our own copy of the list stays with the kernel's side: it goes into each ruleset that is built, and with each dump to the
 * evaluator, which compares. Failure: -errno, and the kernel has what it had.
 */
#include "builder.h"
#include "kernel.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

void put_cuts(struct batch *b, const struct ruleset *rs)
{
	char name[SET_NAME_MAX];

	for (size_t i = 0; i < rs->nsets; i++) {
		const struct set *s = rs->sets[i];
		if (!is_cut_set(s->name))
			continue;
		put_flush(b, set_name(s, name));
		put_elems(b, NULL, s, NULL, s->n, false);
	}
}

void nft_cuts_keep(struct nft *n, const struct cuts *cuts)
{
	if (n->cuts == NULL && (n->cuts = calloc(1, sizeof(*n->cuts))) == NULL)
		abort();
	if (n->cuts != cuts)
		*n->cuts = *cuts;
}

/* What a former life left running is taken over first. 1: its sets are there; 0: it has none and needs none. */
static int take_over(struct nft *n, bool wanted)
{
	struct nft_error err;
	struct inventory inv;
	uint32_t us, i;
	int r = ensure_table(n, &inv, &err, &us);

	if (r == 0) {
		bool there = strmap_get(inv.set_names, "cutting", &i);
		r = there ? 1 : wanted ? -ENOENT : 0;
	}
	inventory_free(&inv);
	return r;
}

static int fill_sets(struct nft *n, const struct cuts *cuts)
{
	struct ruleset rs = {.arena = arena_new()};
	struct batch b;

	if (rs.arena == NULL)
		abort();
	cut_sets(&rs, cuts);
	batch_init(&b, n->wire.seq + 1);
	put_cuts(&b, &rs);
	int r = run_live(n, &b);
	for (size_t i = 0; i < rs.nsets; i++) {
		buf_free(&rs.sets[i]->keys);
		buf_free(&rs.sets[i]->elems);
	}
	arena_free(rs.arena);
	return r;
}

int nft_cut(struct nft *n, const struct cuts *cuts)
{
	nft_cuts_keep(n, cuts);
	/* The closed ruleset has no such sets, and needs none. */
	if (n->shut)
		return 0;
	int r = n->current != NULL ? 1 : take_over(n, cuts->n > 0);
	return r <= 0 ? r : fill_sets(n, cuts);
}

const struct cuts *nft_cuts(const struct nft *n)
{
	return n->cuts;
}
