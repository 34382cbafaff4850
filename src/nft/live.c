/*
 * live.c: what of the table lives between commits: the lease, the switch for full records, the inspector's presence,
 * pinholes, the counters.
 */
#include "builder.h"
#include "kernel.h"
#include "nl.h"

#include <errno.h>
#include <linux/netfilter.h>
#include <linux/netfilter/nf_tables.h>
#include <linux/netfilter/nfnetlink.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static const struct set *live_set(const struct nft *n, const char *name)
{
	for (size_t i = 0; n->current != NULL && i < n->current->nsets; i++)
		if (strcmp(n->current->sets[i]->name, name) == 0)
			return n->current->sets[i];
	return NULL;
}

/* Emptying first works whatever is in it, also nothing: a lapsed lease is renewed like a running one. */
void put_lease(struct batch *b, const struct set *lease)
{
	char name[SET_NAME_MAX];

	put_flush(b, set_name(lease, name));
	put_elems(b, NULL, lease, NULL, lease->n, false);
}

/*
 * What changed nothing (a flush of what was empty) is no new generation. A stranger's change that came between does not
 * keep ours from being made, and is found afterwards, because the generation is not the one that we know.
 */
int run_live(struct nft *n, struct batch *b)
{
	int r = batch_run(b, &n->wire, n->genid, NULL, NULL);
	uint32_t now;

	if (r == -ERESTART)
		r = batch_run(b, &n->wire, 0, NULL, NULL);
	else if (r == 0 && read_genid(n, &now) == 0 && now == (n->genid + 1 == 0 ? 1 : n->genid + 1))
		n->genid = now;
	batch_free(b);
	return r;
}

int nft_lease_renew(struct nft *n)
{
	const struct set *lease = live_set(n, "lease");
	struct batch b;

	if (lease == NULL)
		return -ENOENT;
	if (n->records == NFT_RECORDS_CLOSE_ALL)
		return 0;
	batch_init(&b, n->wire.seq + 1);
	put_lease(&b, lease);
	int r = run_live(n, &b);
	n->lease = r == 0;
	return r;
}

int nft_lease_drop(struct nft *n)
{
	const struct set *lease = live_set(n, "lease");
	char name[SET_NAME_MAX];
	struct batch b;

	if (lease == NULL)
		return -ENOENT;
	batch_init(&b, n->wire.seq + 1);
	put_flush(&b, set_name(lease, name));
	n->lease = false;
	return run_live(n, &b);
}

/* Fills a set of families with both, which are the lease's elements. */
static void put_families(struct batch *b, const struct set *set, const struct set *lease)
{
	char name[SET_NAME_MAX];
	struct set both = *lease;

	both.name = set->name;
	both.made = set->made;
	both.again = set->again;
	both.flags = set->flags;
	both.timeout = set->timeout;
	put_flush(b, set_name(set, name));
	put_elems(b, NULL, &both, NULL, both.n, false);
}

int nft_records(struct nft *n, enum nft_records mode)
{
	const struct set *full = live_set(n, "log_full"), *lease = live_set(n, "lease");
	char name[SET_NAME_MAX];
	struct batch b;

	n->records = mode;
	if (full == NULL || lease == NULL)
		return -ENOENT;
	batch_init(&b, n->wire.seq + 1);
	if (mode != NFT_RECORDS_OK)
		put_families(&b, full, lease);
	else
		put_flush(&b, set_name(full, name));
	if (mode == NFT_RECORDS_CLOSE_ALL) {
		put_flush(&b, set_name(lease, name));
		n->lease = false;
	}
	return run_live(n, &b);
}

/* -- counters ------------------------------------------------------------------------------------------------------ */

static void take_counter(struct nft_counters *c, const char *name, uint64_t packets)
{
	unsigned i;
	enum reason reason;

	if (strncmp(name, "stop_", 5) == 0 && (reason = reason_find(name + 5)) != REASON_NONE)
		c->packets[reason] = packets;
	else if (strcmp(name, "limited_none") == 0)
		c->limited[LIMIT_SEGMENTS] = packets;
	else if (sscanf(name, "limited_%u", &i) == 1 && i < LIMIT_SEGMENTS)
		c->limited[i] = packets;
}

static int on_counter(void *arg, const struct nlmsghdr *h)
{
	size_t skip = sizeof(struct nfgenmsg);
	const struct nlattr *data = wire_attr(h, skip, NFTA_OBJ_DATA);

	if (strcmp(wire_str(wire_attr(h, skip, NFTA_OBJ_TABLE)), RULESET_TABLE) == 0 &&
		wire_be32(wire_attr(h, skip, NFTA_OBJ_TYPE), 0) == NFT_OBJECT_COUNTER)
		take_counter(arg, wire_str(wire_attr(h, skip, NFTA_OBJ_NAME)),
			wire_be64(wire_nested(data, NFTA_COUNTER_PACKETS), 0));
	return 0;
}

int nft_counters(struct nft *n, struct nft_counters *ret)
{
	struct buf b = {0};
	int r = -EINTR;

	for (int i = 0; r == -EINTR && i < 10; i++) {
		*ret = (struct nft_counters){.epoch = n->epoch};
		buf_clear(&b);
		size_t msg = nl_msg(&b, NFNL_SUBSYS_NFTABLES << 8 | NFT_MSG_GETOBJ, NLM_F_DUMP, 0);
		nl_put_str(&b, NFTA_OBJ_TABLE, RULESET_TABLE);
		nl_put_be32(&b, NFTA_OBJ_TYPE, NFT_OBJECT_COUNTER);
		nl_msg_end(&b, msg);
		r = wire_dump(&n->query, &b, on_counter, ret);
	}
	buf_free(&b);
	return r;
}

/* -- the inspector --------------------------------------------------------------------------------------------------- */

int nft_inspectors_renew(struct nft *n)
{
	const struct set *set = live_set(n, "inspectors"), *lease = live_set(n, "lease");
	struct batch b;

	if (set == NULL || lease == NULL)
		return -ENOENT;
	batch_init(&b, n->wire.seq + 1);
	put_families(&b, set, lease);
	return run_live(n, &b);
}

int nft_inspectors_drop(struct nft *n)
{
	const struct set *set = live_set(n, "inspectors");
	char name[SET_NAME_MAX];
	struct batch b;

	if (set == NULL)
		return -ENOENT;
	batch_init(&b, n->wire.seq + 1);
	put_flush(&b, set_name(set, name));
	return run_live(n, &b);
}

int nft_pinhole(struct nft *n, const struct nft_pinhole *h)
{
	const struct set *like = live_set(n, h->from.family == 4 ? "pinholes4" : "pinholes6");
	struct batch b;

	if (like == NULL)
		return -ENOENT;
	if (h->port < 1024 || h->from.family != h->to.family)
		return -EINVAL;
	struct set s = *like;
	struct key k = {.len = 0};
	key_addr(&k, h->from.family, h->from.b);
	key_addr(&k, h->from.family, h->to.b);
	key_number(&k, TYPE_PORT, h->port);
	set_add(&s, &k, NULL);
	batch_init(&b, n->wire.seq + 1);
	put_elems(&b, NULL, &s, NULL, s.n, false);
	int r = run_live(n, &b);
	buf_free(&s.keys);
	buf_free(&s.elems);
	return r;
}
