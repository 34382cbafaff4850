/*
 * inventory.c: what the kernel has of our table: names and kinds, no content. Read when we do not know (at start,
 * after somebody else's change).
 *
 * Input: the kernel's own dumps. An interrupted dump is read again.
 */
#include "kernel.h"
#include "nl.h"

#include <errno.h>
#include <linux/netfilter.h>
#include <linux/netfilter/nf_tables.h>
#include <linux/netfilter/nfnetlink.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define TRIES 10

void dump_request(struct buf *b, uint16_t type)
{
	buf_clear(b);
	nl_msg_end(b, nl_msg(b, (uint16_t)(NFNL_SUBSYS_NFTABLES << 8 | type), NLM_F_DUMP, 0));
}

static uint8_t family_of(const struct nlmsghdr *h)
{
	return ((const struct nfgenmsg *)NLMSG_DATA(h))->nfgen_family;
}

static bool ours(const struct nlmsghdr *h, uint16_t table_attr)
{
	return h->nlmsg_len >= NLMSG_LENGTH(sizeof(struct nfgenmsg)) && family_of(h) == NFPROTO_INET &&
	       strcmp(wire_str(wire_attr(h, sizeof(struct nfgenmsg), table_attr)), RULESET_TABLE) == 0;
}

static void add_name(struct inventory *inv, const char ***names, size_t *n, size_t *cap, const char *name)
{
	const char **slot = arena_push(inv->arena, (void **)names, n, cap, sizeof(*slot));

	*slot = arena_strdup(inv->arena, name);
}

static int on_table(void *arg, const struct nlmsghdr *h)
{
	struct inventory *inv = arg;
	const struct nlattr *a;
	unsigned long long epoch;
	char text[64] = "";

	if (!ours(h, NFTA_TABLE_NAME))
		return 0;
	inv->table = true;
	inv->table_flags = wire_be32(wire_attr(h, sizeof(struct nfgenmsg), NFTA_TABLE_FLAGS), 0);
	a = wire_attr(h, sizeof(struct nfgenmsg), NFTA_TABLE_USERDATA);
	if (a != NULL && wire_len(a) > 3 && wire_len(a) < sizeof(text) + 2) {
		memcpy(text, (const char *)wire_data(a) + 2, wire_len(a) - 3);
		if (sscanf(text, "epoch %llu", &epoch) == 1)
			inv->epoch = epoch;
	}
	return 0;
}

/* What the base chains of every ruleset are. */
static const struct chain *expected_base(const struct ruleset *like, const char *name)
{
	for (size_t i = 0; i < like->nchains; i++)
		if (like->chains[i]->base && strcmp(like->chains[i]->name, name) == 0)
			return like->chains[i];
	return NULL;
}

struct chain_walk {
	struct inventory *inv;
	const struct ruleset *like;
};

static int on_chain(void *arg, const struct nlmsghdr *h)
{
	struct chain_walk *w = arg;
	struct inventory *inv = w->inv;

	if (!ours(h, NFTA_CHAIN_TABLE))
		return 0;
	const char *name = wire_str(wire_attr(h, sizeof(struct nfgenmsg), NFTA_CHAIN_NAME));
	const struct nlattr *hook = wire_attr(h, sizeof(struct nfgenmsg), NFTA_CHAIN_HOOK);
	const struct chain *want = expected_base(w->like, name);
	add_name(inv, &inv->chains, &inv->nchains, &inv->chains_cap, name);
	if (hook == NULL) {
		inv->base_ok &= want == NULL;
		return 0;
	}
	add_name(inv, &inv->bases, &inv->nbases, &inv->bases_cap, name);
	uint32_t policy = wire_be32(wire_attr(h, sizeof(struct nfgenmsg), NFTA_CHAIN_POLICY), NF_ACCEPT);
	inv->base_ok &= want != NULL && wire_be32(wire_nested(hook, NFTA_HOOK_HOOKNUM), 99) == want->hook &&
			wire_be32(wire_nested(hook, NFTA_HOOK_PRIORITY), 0) == (uint32_t)want->priority &&
			(policy == NF_DROP) == want->policy_drop;
	return 0;
}

static int on_set(void *arg, const struct nlmsghdr *h)
{
	struct inventory *inv = arg;

	if (ours(h, NFTA_SET_TABLE))
		add_name(inv, &inv->sets, &inv->nsets, &inv->sets_cap,
			wire_str(wire_attr(h, sizeof(struct nfgenmsg), NFTA_SET_NAME)));
	return 0;
}

static int on_object(void *arg, const struct nlmsghdr *h)
{
	struct inventory *inv = arg;

	if (ours(h, NFTA_OBJ_TABLE))
		add_name(inv, &inv->counters, &inv->ncounters, &inv->counters_cap,
			wire_str(wire_attr(h, sizeof(struct nfgenmsg), NFTA_OBJ_NAME)));
	return 0;
}

static struct strmap *index_names(const char **names, size_t n)
{
	struct strmap *m = strmap_new();

	for (size_t i = 0; i < n; i++)
		strmap_add(m, names[i], (uint32_t)i);
	return m;
}

static int walk(struct nft *n, uint16_t type, wire_message_fn *fn, void *arg)
{
	struct buf b = {0};

	dump_request(&b, type);
	int r = wire_dump(&n->query, &b, fn, arg);
	buf_free(&b);
	return r;
}

static int read_once(struct nft *n, struct inventory *inv)
{
	struct ruleset_options opt = {.generation = 1};
	struct ruleset *like = ruleset_closed(&opt);
	struct chain_walk w = {inv, like};
	int r;

	*inv = (struct inventory){.arena = arena_new(), .base_ok = true};
	if (inv->arena == NULL)
		abort();
	(void)((r = walk(n, NFT_MSG_GETTABLE, on_table, inv)) != 0 || (r = walk(n, NFT_MSG_GETCHAIN, on_chain, &w)) != 0 ||
		(r = walk(n, NFT_MSG_GETSET, on_set, inv)) != 0 || (r = walk(n, NFT_MSG_GETOBJ, on_object, inv)));
	size_t want = 0;
	for (size_t i = 0; i < like->nchains; i++)
		want += like->chains[i]->base;
	inv->base_ok &= !inv->table || inv->nbases == want;
	ruleset_free(like);
	inv->chain_names = index_names(inv->chains, inv->nchains);
	inv->set_names = index_names(inv->sets, inv->nsets);
	inv->counter_names = index_names(inv->counters, inv->ncounters);
	return r;
}

int inventory_read(struct nft *n, struct inventory *inv)
{
	int r = read_once(n, inv);

	for (int i = 0; r == -EINTR && i < TRIES; i++) {
		inventory_free(inv);
		r = read_once(n, inv);
	}
	return r;
}

void inventory_free(struct inventory *inv)
{
	strmap_free(inv->chain_names);
	strmap_free(inv->set_names);
	strmap_free(inv->counter_names);
	arena_free(inv->arena);
	*inv = (struct inventory){0};
}

static int on_gen(void *arg, const struct nlmsghdr *h)
{
	*(uint32_t *)arg = wire_be32(wire_attr(h, sizeof(struct nfgenmsg), NFTA_GEN_ID), 0);
	return 0;
}

int read_genid(struct nft *n, uint32_t *ret)
{
	struct buf b = {0};

	*ret = 0;
	nl_msg_end(&b, nl_msg(&b, NFNL_SUBSYS_NFTABLES << 8 | NFT_MSG_GETGEN, 0, 0));
	int r = wire_dump(&n->query, &b, on_gen, ret);
	buf_free(&b);
	return r != 0 ? r : *ret == 0 ? -EPROTO : 0;
}

/* -- handles of rules ---------------------------------------------------------------------------------------------- */

struct handle_walk {
	const char *chain;
	struct buf *out;
};

static int on_rule(void *arg, const struct nlmsghdr *h)
{
	struct handle_walk *w = arg;
	size_t skip = sizeof(struct nfgenmsg);
	uint64_t handle = wire_be64(wire_attr(h, skip, NFTA_RULE_HANDLE), 0);

	if (ours(h, NFTA_RULE_TABLE) && strcmp(wire_str(wire_attr(h, skip, NFTA_RULE_CHAIN)), w->chain) == 0)
		buf_add(w->out, &handle, sizeof(handle));
	return 0;
}

int read_handles(struct nft *n, const char *chain, struct buf *out)
{
	struct handle_walk w = {chain, out};
	struct buf b = {0};
	size_t msg = nl_msg(&b, NFNL_SUBSYS_NFTABLES << 8 | NFT_MSG_GETRULE, NLM_F_DUMP, 0);

	nl_put_str(&b, NFTA_RULE_TABLE, RULESET_TABLE);
	nl_put_str(&b, NFTA_RULE_CHAIN, chain);
	nl_msg_end(&b, msg);
	int r = wire_dump(&n->query, &b, on_rule, &w);
	buf_free(&b);
	return r;
}
