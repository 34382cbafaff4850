/*
 * build.c: from a compiled policy to the objects of the kernel's table (see ruleset.h for the picture).
 *
 * Input: an opened and guarded IR. No failure but lack of memory (ends the process). Deterministic: the same IR,
 * time, generation and capabilities give the same objects in the same order.
 */
#include "build.h"

#include <sekisho/nft.h>

#include <netinet/in.h>
#include <linux/netfilter.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* The lease: a keeper that stays away closes the gate within this time. */
#define LEASE_SECONDS 30
/* A connection that was announced comes at once; and so many may be announced and not come. */
#define PINHOLE_SECONDS 10
#define PINHOLES 1024
/* Seconds after which sekishod has counted half-open connections again, or the verdict lapses. */
#define HALF_OPEN_SECONDS 5

const char *capability_word(enum capability one)
{
	static const struct {
		enum capability bit;
		const char *word;
	} table[] = {
#define X(bit, NAME, word) {CAP_##NAME, word},
		CAPABILITIES(X)
#undef X
	};

	for (size_t i = 0; i < sizeof(table) / sizeof(table[0]); i++)
		if (table[i].bit == one)
			return table[i].word;
	return "unknown";
}

struct set *set_named(struct build *b, const enum datatype *types, unsigned flags, const char *fmt, ...)
{
	char name[SET_NAME_MAX];
	va_list ap;

	va_start(ap, fmt);
	vsnprintf(name, sizeof(name), fmt, ap);
	va_end(ap);
	return set_new(b->rs, name, types, flags);
}

struct chain *chain_named(struct build *b, const char *fmt, ...)
{
	char name[SET_NAME_MAX];
	va_list ap;

	va_start(ap, fmt);
	vsnprintf(name, sizeof(name), fmt, ap);
	va_end(ap);
	return chain_new(b->rs, name);
}

void set_add_ranges(struct set *s, const struct ranges *r)
{
	for (size_t i = 0; i < r->n; i++) {
		struct key lo = {.len = 0}, hi = {.len = 0};
		key_addr(&lo, r->v[i].range.lo.family, r->v[i].range.lo.b);
		key_addr(&hi, r->v[i].range.lo.family, r->v[i].range.hi.b);
		set_add(s, &lo, &hi)->chain = r->v[i].tag;
	}
	set_sort(s);
}

/* -- objects that every ruleset has ------------------------------------------------------------------------ */

static void add_counter(struct ruleset *rs, const char *name)
{
	const char **slot = arena_push(rs->arena, (void **)&rs->counters, &rs->ncounters, &rs->counters_cap,
		sizeof(*rs->counters));

	*slot = name;
}

static void add_counters(struct ruleset *rs)
{
	for (unsigned i = 1; i < REASON_END; i++)
		if (strcmp(reason_word(i), "unknown") != 0)
			add_counter(rs, arena_printf(rs->arena, "stop_%s", reason_word(i)));
	for (unsigned i = 0; i < LIMIT_SEGMENTS; i++)
		add_counter(rs, arena_printf(rs->arena, "limited_%u", i));
	add_counter(rs, "limited_none");
}

static void add_base_chains(struct build *b)
{
	struct ruleset *rs = b->rs;

	b->early = chain_base(rs, "early", NF_INET_PRE_ROUTING, -450, false);
	b->state = chain_base(rs, "state", NF_INET_PRE_ROUTING, -150, false);
	b->turn = chain_base(rs, "turn", NF_INET_PRE_ROUTING, -140, false);
	b->forward = chain_base(rs, "forward", NF_INET_FORWARD, 0, true);
	b->after = chain_base(rs, "after", NF_INET_FORWARD, 10, false);
	b->input = chain_base(rs, "input", NF_INET_LOCAL_IN, 0, true);
	b->output = chain_base(rs, "output", NF_INET_LOCAL_OUT, 0, true);
}

static void add_live_sets(struct build *b)
{
	struct ruleset *rs = b->rs;

	b->lease = set_new(rs, "lease", TYPES(TYPE_NFPROTO), SET_LIVE | SET_TIMEOUT);
	b->lease->timeout = LEASE_SECONDS;
	set_add_number(b->lease, 2);
	set_add_number(b->lease, 10);
	b->inspectors = set_new(rs, "inspectors", TYPES(TYPE_NFPROTO), SET_LIVE | SET_TIMEOUT);
	b->inspectors->timeout = NFT_INSPECTORS_SECONDS;
	b->log_full = set_new(rs, "log_full", TYPES(TYPE_NFPROTO), SET_LIVE);
	b->halfopen[0] = set_new(rs, "halfopen4", TYPES(TYPE_ADDR4), SET_LIVE | SET_TIMEOUT);
	b->halfopen[1] = set_new(rs, "halfopen6", TYPES(TYPE_ADDR6), SET_LIVE | SET_TIMEOUT);
	for (uint8_t fam = 4; fam <= 6; fam += 2) {
		struct set *s = set_named(b, TYPES(addr_type(fam), addr_type(fam), TYPE_PORT),
			SET_LIVE | SET_TIMEOUT | SET_DYNAMIC, "pinholes%u", fam);
		s->timeout = PINHOLE_SECONDS;
		s->size = PINHOLES;
		b->pinholes[at(fam)] = s;
	}
	b->halfopen[0]->timeout = b->halfopen[1]->timeout = HALF_OPEN_SECONDS;
}

/* -- sets that several stages use -------------------------------------------------------------------------- */

static void add_own(struct build *b)
{
	for (unsigned f = 0; f < 2; f++) {
		uint8_t fam = f == 0 ? 4 : 6;
		struct ranges seen = {.arena = b->rs->arena};
		b->own[f] = set_named(b, TYPES(addr_type(fam)), 0, "own%u", fam);
		for (uint32_t i = 0; i < b->ir->nlocals; i++) {
			const struct ir_local *l = &b->ir->locals[i];
			if (l->family != fam)
				continue;
			struct addr a = ir_addr(fam, l->addr);
			ranges_add(&seen, &(struct addr_range){a, a}, NULL);
		}
		for (size_t i = 0; i < seen.n; i++) {
			struct key k = {.len = 0};
			key_addr(&k, fam, seen.v[i].range.lo.b);
			set_add(b->own[f], &k, NULL);
		}
		set_sort(b->own[f]);
	}
}

static void add_small_sets(struct build *b)
{
	b->l4_ports = set_named(b, TYPES(TYPE_L4PROTO), 0, "l4_ports");
	set_add_number(b->l4_ports, IPPROTO_TCP);
	set_add_number(b->l4_ports, IPPROTO_UDP);
	b->l4_direct = set_named(b, TYPES(TYPE_L4PROTO), 0, "l4_direct");
	set_add_number(b->l4_direct, IPPROTO_TCP);
	set_add_number(b->l4_direct, IPPROTO_UDP);
	set_add_number(b->l4_direct, IPPROTO_ICMPV6);
	add_own(b);
}

/* -- entries ----------------------------------------------------------------------------------------------- */

/* Loaded again under its own number a ruleset renews nothing: its marks are its own. */
static void copy_renewal(struct ruleset *rs, const struct ruleset_renewal *r)
{
	rs->opt.renewal = (struct ruleset_renewal){0};
	if (r->before == NULL || r->generation == rs->opt.generation || r->n != r->before->nverifieds + 1)
		return;
	uint16_t *to = ARENA_ARRAY(rs->arena, r->n, uint16_t);
	rs->before = ARENA_ARRAY(rs->arena, r->n, const char *);
	memcpy(to, r->to, r->n * sizeof(*to));
	for (uint32_t i = 1; i < r->n; i++)
		rs->before[i] = arena_strdup(rs->arena, ir_text(r->before, r->before->verifieds[i - 1].text));
	rs->opt.renewal = (struct ruleset_renewal){r->generation, to, r->n, NULL};
}

static struct ruleset *ruleset_new(const struct ir *ir, struct wall now, const struct ruleset_options *opt)
{
	struct arena *a = arena_new();

	if (a == NULL)
		abort();
	struct ruleset *rs = ARENA_NEW(a, struct ruleset);
	rs->arena = a;
	rs->ir = ir;
	rs->opt = *opt;
	copy_renewal(rs, &opt->renewal);
	rs->now = now;
	rs->next_change = WALL_NEVER;
	add_counters(rs);
	return rs;
}

/*
 * A hash of known size is a fixed table in the kernel: faster to fill, to look up and to read back than one that
 * grows. The size has room for changes in place and moves by powers of two, so that it seldom changes.
 */
static void size_hashes(struct ruleset *rs)
{
	for (size_t i = 0; i < rs->nsets; i++) {
		struct set *s = rs->sets[i];
		if ((s->flags & (SET_INTERVAL | SET_TIMEOUT | SET_DYNAMIC | SET_LIVE)) != 0)
			continue;
		for (s->size = 16; s->size < s->n + s->n / 8 + 4;)
			s->size *= 2;
	}
}

struct ruleset *ruleset_build(const struct ir *ir, struct wall now, const struct ruleset_options *opt)
{
	struct build b = {.rs = ruleset_new(ir, now, opt), .ir = ir};

	add_base_chains(&b);
	add_live_sets(&b);
	add_small_sets(&b);
	build_refuse(&b);
	build_cut(&b);
	build_enter(&b);
	build_state(&b);
	build_turn(&b);
	build_flow(&b);
	build_local(&b);
	size_hashes(b.rs);
	return b.rs;
}

/* lo is the gateway talking to itself. */
static void shut_chain(struct build *b, struct chain *c, enum field name)
{
	char lo[LIMIT_IFNAME] = "lo";

	let_pass(match_bytes(on(b->rs, c), name, OP_EQ, lo));
	stop(on(b->rs, c), REASON_GATE_CLOSED);
}

struct ruleset *ruleset_closed(const struct ruleset_options *opt)
{
	struct build b = {.rs = ruleset_new(NULL, (struct wall){0}, opt)};

	add_base_chains(&b);
	build_refuse(&b);
	shut_chain(&b, b.early, F_IIFNAME);
	stop(on(b.rs, b.forward), REASON_GATE_CLOSED);
	shut_chain(&b, b.input, F_IIFNAME);
	shut_chain(&b, b.output, F_OIFNAME);
	return b.rs;
}

void ruleset_free(struct ruleset *rs)
{
	if (rs == NULL)
		return;
	for (size_t i = 0; i < rs->nsets; i++) {
		buf_free(&rs->sets[i]->keys);
		buf_free(&rs->sets[i]->elems);
	}
	arena_free(rs->arena);
}

struct wall ruleset_next_change(const struct ruleset *rs)
{
	return rs->next_change;
}

uint32_t ruleset_generation(const struct ruleset *rs)
{
	return rs->opt.generation;
}

void ruleset_count(const struct ruleset *rs, struct ruleset_counts *ret)
{
	*ret = (struct ruleset_counts){.sets = (uint32_t)rs->nsets, .chains = (uint32_t)rs->nchains,
		.boxes_open = rs->boxes_open, .boxes_timed_closed = rs->boxes_timed_closed};
	for (size_t i = 0; i < rs->nsets; i++)
		ret->elements += rs->sets[i]->n;
	for (size_t i = 0; i < rs->nchains; i++)
		ret->rules += (uint32_t)rs->chains[i]->nrules;
}
