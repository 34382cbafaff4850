/*
 * kernel.c: opening and closing the kernel side; what this kernel can do.
 *
 * Probing sends one batch that makes a table with each feature and leaves out the batch's end: the kernel checks
 * every message, reports those that it cannot do, and undoes all of it. Nothing is ever programmed by a probe.
 */
#include "kernel.h"
#include "builder.h"
#include "nl.h"

#include <errno.h>
#include <netinet/in.h>
#include <linux/netfilter.h>
#include <linux/netfilter/nf_tables.h>
#include <linux/netfilter/nfnetlink.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#ifndef NFT_TABLE_F_PERSIST
#define NFT_TABLE_F_PERSIST 0x4
#endif

int64_t clock_offset_ms(void)
{
	struct timespec wall, mono;

	clock_gettime(CLOCK_REALTIME, &wall);
	clock_gettime(CLOCK_MONOTONIC, &mono);
	return (int64_t)(wall.tv_sec - mono.tv_sec) * 1000 + (wall.tv_nsec - mono.tv_nsec) / 1000000;
}

/* -- probe --------------------------------------------------------------------------------------------------------- */

/* Messages of the probe, in order; 0 = the frame that the others stand in. */
struct probe {
	uint32_t seq0;
	uint32_t capability[64]; /* by message */
	uint32_t have;
};

static void take_probe(void *arg, const struct wire_error *e)
{
	struct probe *p = arg;
	uint32_t i = e->seq - p->seq0 - 1;

	if (e->error != 0 && i < sizeof(p->capability) / sizeof(p->capability[0]))
		p->have &= ~p->capability[i];
}

/* All messages put since the last call stand for this capability. */
static void mark(struct probe *p, const struct batch *b, uint32_t *from, uint32_t capability)
{
	for (; *from < b->n; (*from)++)
		p->capability[*from] = capability;
}

static void put_feature_sets(struct batch *b, struct probe *p, struct ruleset *rs, uint32_t *from)
{
	struct set *s = set_new(rs, "p_timeout", TYPES(TYPE_ADDR4), SET_TIMEOUT);
	struct key lo = {.len = 0};

	put_set(b, rs, s);
	mark(p, b, from, CAP_TIMEOUT);
	s = set_new(rs, "p_concat", TYPES(TYPE_ADDR4, TYPE_PORT), SET_INTERVAL | SET_MARKS | SET_TIMEOUT);
	key_number(&lo, TYPE_ADDR4, 1);
	key_number(&lo, TYPE_PORT, 1);
	set_add(s, &lo, NULL);
	put_set(b, rs, s);
	put_elems(b, rs, s, NULL, 1, false);
	mark(p, b, from, CAP_CONCAT_INTERVAL);
}

/* A chain of its own for one rule. */
static struct rb feature(struct ruleset *rs, struct batch *b, const char *name)
{
	struct chain *c = chain_new(rs, name);

	put_chain(b, c);
	return on(rs, c);
}

static void put_feature_rules(struct batch *b, struct probe *p, struct ruleset *rs, uint32_t *from)
{
	struct set *seen = set_new(rs, "p_seen", TYPES(TYPE_ADDR4), SET_DYNAMIC | SET_TIMEOUT);
	struct set *open = set_new(rs, "p_open", TYPES(TYPE_ADDR4), SET_DYNAMIC);

	seen->size = open->size = 16;
	seen->timeout = 10;
	struct rb fib = is(feature(rs, b, "p_fib"), F_FIBOIF, 0);
	mark(p, b, from, 0);
	put_rules(b, rs, rs->chains[rs->nchains - 1]);
	mark(p, b, from, CAP_FIB);
	over_rate(family(feature(rs, b, "p_dynset"), 4), FIELDS(F_SADDR4), seen, 1, 1);
	put_set(b, rs, seen);
	put_rules(b, rs, rs->chains[rs->nchains - 1]);
	mark(p, b, from, CAP_DYNSET_EXPR);
	over_count(family(feature(rs, b, "p_count"), 4), FIELDS(F_SADDR4), open, 1);
	put_set(b, rs, open);
	put_rules(b, rs, rs->chains[rs->nchains - 1]);
	mark(p, b, from, CAP_CONNLIMIT);
	log_to(feature(rs, b, "p_log"), 100);
	put_rules(b, rs, rs->chains[rs->nchains - 1]);
	mark(p, b, from, CAP_LOG);
	clamp_mss(feature(rs, b, "p_mss"), 1000);
	put_rules(b, rs, rs->chains[rs->nchains - 1]);
	mark(p, b, from, CAP_TCPOPT);
	rs->opt.capabilities = CAP_QUEUE;
	queue_to(feature(rs, b, "p_queue"), 0);
	put_rules(b, rs, rs->chains[rs->nchains - 1]);
	mark(p, b, from, CAP_QUEUE);
	rs->opt.capabilities = CAP_XT_NFQUEUE;
	queue_to(feature(rs, b, "p_target"), 0);
	put_rules(b, rs, rs->chains[rs->nchains - 1]);
	mark(p, b, from, CAP_XT_NFQUEUE);
	reset(is(feature(rs, b, "p_reject"), F_L4PROTO, IPPROTO_TCP));
	put_rules(b, rs, rs->chains[rs->nchains - 1]);
	mark(p, b, from, CAP_REJECT);
	turn_to(is(feature(rs, b, "p_tproxy"), F_L4PROTO, IPPROTO_TCP), 1);
	put_rules(b, rs, rs->chains[rs->nchains - 1]);
	mark(p, b, from, CAP_TPROXY);
	(void)fib;
}

/* OWNER|PERSIST on a table of another name: ours may exist and have an owner. */
static int probe_persist(struct nft *n)
{
	struct probe p = {.seq0 = n->wire.seq + 1, .capability = {CAP_PERSIST}, .have = CAP_PERSIST};
	struct batch b;

	batch_init(&b, p.seq0);
	b.table = RULESET_TABLE "-probe";
	put_table(&b, NFT_TABLE_F_OWNER | NFT_TABLE_F_PERSIST, NULL);
	int r = batch_try(&b, &n->wire, take_probe, &p);
	batch_free(&b);
	n->capabilities |= p.have;
	return r;
}

int probe(struct nft *n)
{
	struct ruleset_options opt = {.generation = 1};
	struct ruleset *rs = ruleset_closed(&opt);
	struct probe p = {.seq0 = n->wire.seq + 1, .have = CAP_ALL & ~CAP_PERSIST};
	struct batch b;
	uint32_t from = 0;

	batch_init(&b, p.seq0);
	b.table = RULESET_TABLE "-probe";
	put_table(&b, 0, NULL);
	mark(&p, &b, &from, CAP_ALL);
	put_feature_sets(&b, &p, rs, &from);
	put_feature_rules(&b, &p, rs, &from);
	int r = batch_try(&b, &n->wire, take_probe, &p);
	batch_free(&b);
	ruleset_free(rs);
	n->capabilities = p.have;
	return r != 0 ? r : probe_persist(n);
}

/* -- open and close ---------------------------------------------------------------------------------------------------- */

static int fail(struct nft_error *err, int r, const char *object)
{
	if (err != NULL) {
		*err = (struct nft_error){.error = -r};
		snprintf(err->object, sizeof(err->object), "%s", object);
		snprintf(err->text, sizeof(err->text), "%s", strerror(-r));
	}
	return r;
}

static int open_all(struct nft *n, struct nft_error *err)
{
	int r;

	n->wire.fd = n->query.fd = n->watch.fd = n->ct.fd = -1;
	if ((r = wire_open(&n->wire, 0)) != 0 || (r = wire_open(&n->query, 0)) != 0 || (r = wire_open(&n->ct, 0)) != 0 ||
		(r = wire_open(&n->watch, 1u << (NFNLGRP_NFTABLES - 1))) != 0)
		return fail(err, r, "netlink socket");
	if ((r = watch_filter(&n->watch)) != 0)
		return fail(err, r, "event filter");
	if ((r = probe(n)) != 0)
		return fail(err, r, "probing the kernel's packet filter");
	if ((n->capabilities & CAP_REQUIRED) != CAP_REQUIRED) {
		for (uint32_t bit = 1; bit <= CAP_ALL; bit <<= 1)
			if ((CAP_REQUIRED & bit & ~n->capabilities) != 0)
				return fail(err, -EOPNOTSUPP, capability_word((enum capability)bit));
	}
	return 0;
}

int nft_open(struct nft **ret, struct nft_error *err)
{
	struct nft *n = calloc(1, sizeof(*n));
	int r;

	if (n == NULL)
		return fail(err, -ENOMEM, "memory");
	if ((r = open_all(n, err)) != 0) {
		nft_close(n);
		return r;
	}
	*ret = n;
	return 0;
}

void nft_close(struct nft *n)
{
	if (n == NULL)
		return;
	wire_close(&n->wire);
	wire_close(&n->query);
	wire_close(&n->watch);
	wire_close(&n->ct);
	free(n->cuts);
	ruleset_free(n->current);
	free(n);
}

uint32_t nft_capabilities(const struct nft *n)
{
	return n->capabilities;
}

void nft_pretend_without(struct nft *n, uint32_t capabilities)
{
	n->capabilities &= ~capabilities;
}

const struct ruleset *nft_current(const struct nft *n)
{
	return n->shut ? NULL : n->current;
}
