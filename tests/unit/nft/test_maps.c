/*
 * test_maps: the maps of a pair say of every flow what its box says, however the boxes were cut.
 *
 * Random disjoint boxes; random flows and all corners of the boxes are looked up as the kernel does (hash maps by
 * equality, small ordered maps to a chain, interval maps by containment) and compared with the boxes themselves.
 */
#include "../../../src/nft/objects.h"
#include "hand_ir.h"
#include "test.h"

#include <netinet/in.h>

struct flow {
	uint8_t fam, proto;
	uint8_t src[16], dst[16];
	uint16_t port;
};

static uint32_t seed = 7;
static uint32_t dice(uint32_t n)
{
	seed = seed * 1664525u + 1013904223u;
	return (seed >> 4) % n;
}

/* -- a lookup like the kernel's ---------------------------------------------------------------------------------- */

static size_t field_bytes(const struct flow *f, enum field field, uint8_t *out)
{
	switch (field) {
	case F_CTSADDR4:
	case F_CTSADDR6:
		memcpy(out, f->src, f->fam == 4 ? 4 : 16);
		return f->fam == 4 ? 4 : 16;
	case F_CTDADDR4:
	case F_CTDADDR6:
		memcpy(out, f->dst, f->fam == 4 ? 4 : 16);
		return f->fam == 4 ? 4 : 16;
	default:
		memset(out, 0, 4);
		out[0] = (uint8_t)(f->port >> 8);
		out[1] = (uint8_t)f->port;
		return 4;
	}
}

static const struct elem *lookup(const struct flow *f, const struct stmt *s)
{
	uint8_t key[SET_KEY_MAX];
	size_t at[SET_FIELDS_MAX + 1] = {0};

	for (unsigned i = 0; i < s->nparts; i++)
		at[i + 1] = at[i] + field_bytes(f, s->part[i].field, key + at[i]);
	for (uint32_t i = 0; i < s->set->n; i++) {
		bool in = true;
		for (unsigned k = 0; k < s->nparts && in; k++)
			in = memcmp(set_lo(s->set, i) + at[k], key + at[k], at[k + 1] - at[k]) <= 0 &&
			     memcmp(key + at[k], set_hi(s->set, i) + at[k], at[k + 1] - at[k]) <= 0;
		if (in)
			return set_elem(s->set, i);
	}
	return NULL;
}

/* The class mark that the chain gives the flow, 0 = refused. */
static uint32_t run_chain(const struct chain *c, const struct flow *f)
{
	for (size_t i = 0; i < c->nrules; i++) {
		const struct rule *r = &c->rules[i];
		const struct elem *e = NULL;
		bool match = true;
		for (size_t k = 0; k < r->nstmts && match; k++) {
			const struct stmt *s = &r->stmts[k];
			if (s->kind == S_MATCH && s->part[0].field == F_NFPROTO)
				match = s->value[0] == (f->fam == 4 ? 2 : 10);
			else if (s->kind == S_MATCH && s->part[0].field == F_L4PROTO)
				match = s->value[0] == f->proto;
			else if (s->kind == S_MAPMARK)
				match = (e = lookup(f, s)) != NULL;
			else if (s->kind == S_VMAP && (e = lookup(f, s)) != NULL)
				return run_chain(e->chain, f);
			else if (s->kind == S_VMAP)
				match = false;
			else if (s->kind == S_VERDICT)
				return e != NULL ? e->mark : 0;
		}
	}
	return 0;
}

static const struct chain *chain_of(const struct ruleset *rs, const char *name)
{
	for (size_t i = 0; i < rs->nchains; i++)
		if (strcmp(rs->chains[i]->name, name) == 0)
			return rs->chains[i];
	return NULL;
}

/* -- boxes -------------------------------------------------------------------------------------------------------- */

static bool box_has(const struct ir_box *b, const struct flow *f)
{
	size_t n = addr_len(b->family);

	return b->family == f->fam && b->proto == f->proto && memcmp(b->src.lo, f->src, n) <= 0 &&
	       memcmp(f->src, b->src.hi, n) <= 0 && memcmp(b->dst.lo, f->dst, n) <= 0 &&
	       memcmp(f->dst, b->dst.hi, n) <= 0 && b->port_lo <= f->port && f->port <= b->port_hi;
}

static uint32_t expected(const struct ir *ir, const struct flow *f)
{
	for (uint32_t i = 0; i < ir->nboxes; i++)
		if (box_has(&ir->boxes[i], f))
			return ir->rules[ir->cands[ir->boxes[i].cand.first].rule].action == IR_INSPECT ? CLASS_INSPECT
												   : CLASS_ALLOW;
	return 0;
}

/* Boxes on a grid cannot overlap: each cell of (source /28, destination /28, port block) at most one. */
static void random_boxes(struct hand *h, uint8_t fam, unsigned n, bool by_port)
{
	uint32_t rules[2] = {hand_rule(h, "allow", 0, 1, IR_ALLOW, 0), hand_rule(h, "inspect", 0, 1, IR_INSPECT, 0)};

	for (unsigned i = 0; i < n; i++) {
		char src[64], dst[64];
		unsigned s = by_port ? 0 : i % 64, d = by_port ? 0 : i / 64 % 256, block = by_port ? i : i / (64 * 256);
		unsigned bits = 28 + dice(5), off = bits == 32 ? dice(16) : 0;
		if (fam == 4) {
			snprintf(src, sizeof(src), "10.1.%u.%u/%u", s >> 4, (s & 15) << 4 | off, bits);
			snprintf(dst, sizeof(dst), "10.2.%u.%u/%u", d >> 4, (d & 15) << 4, 28 + dice(5));
		} else {
			snprintf(src, sizeof(src), "2001:db8:1::%x:%x/%u", s, off, 96 + bits);
			snprintf(dst, sizeof(dst), "2001:db8:2::%x:0/%u", d, 112 + dice(17));
		}
		uint16_t lo = (uint16_t)(block * 8 + dice(4)), hi = (uint16_t)(lo + dice(4));
		hand_box(h, rules[dice(2)], IPPROTO_TCP, src, dst, lo, hi);
	}
}

static struct flow corner(const struct ir_box *b, unsigned which)
{
	struct flow f = {.fam = b->family, .proto = b->proto, .port = (which & 1) != 0 ? b->port_hi : b->port_lo};

	memcpy(f.src, (which & 2) != 0 ? b->src.hi : b->src.lo, 16);
	memcpy(f.dst, (which & 4) != 0 ? b->dst.hi : b->dst.lo, 16);
	if ((which & 8) != 0)
		f.port = (uint16_t)(f.port + 1); /* just outside, or in another box */
	if ((which & 16) != 0)
		f.src[addr_len(b->family) - 1]++;
	return f;
}

static void compare(uint8_t fam, unsigned n, bool by_port, unsigned step)
{
	struct hand h;
	struct ruleset_options opt = {.generation = 3, .capabilities = CAP_ALL};
	unsigned wrong = 0, asked = 0, hits = 0;

	hand_init(&h);
	hand_segment(&h, "a", KIND_LGWAN, "eth0", "10.1.0.1/16 2001:db8:1::1/48");
	hand_segment(&h, "b", KIND_OTHER, "eth1", "10.2.0.1/16 2001:db8:2::1/48");
	random_boxes(&h, fam, n, by_port);
	hand_finish(&h);
	struct ruleset *rs = ruleset_build(&h.ir, (struct wall){1795000000}, &opt);
	const struct chain *pair = chain_of(rs, "pair_0_1");
	CHECK(pair != NULL);
	for (uint32_t i = 0; i < h.ir.nboxes && pair != NULL; i += step) {
		for (unsigned which = 0; which < 32; which++) {
			struct flow f = corner(&h.ir.boxes[i], which);
			uint32_t want = expected(&h.ir, &f);
			wrong += (run_chain(pair, &f) & 0xf) != want;
			hits += want != 0;
			asked++;
		}
	}
	for (size_t i = 0; i < rs->nsets; i++)
		if ((rs->sets[i]->flags & (SET_INTERVAL | SET_MARKS)) == (SET_INTERVAL | SET_MARKS))
			CHECK(rs->sets[i]->n <= LIMIT_SET_INTERVALS);
	CHECK_INT(wrong, 0);
	CHECK(hits > asked / 4 && hits < asked);
	ruleset_free(rs);
	hand_free(&h);
}

/* A rule more changes the names of no other bucket: the kernel keeps what is equal by name. */
static void test_stable(void)
{
	struct hand h[2];
	struct ruleset *rs[2];
	struct ruleset_options opt = {.generation = 3, .capabilities = CAP_ALL};
	unsigned differ = 0, cut = 0;

	for (unsigned k = 0; k < 2; k++) {
		seed = 99;
		hand_init(&h[k]);
		hand_segment(&h[k], "a", KIND_LGWAN, "eth0", "10.1.0.1/16");
		hand_segment(&h[k], "b", KIND_OTHER, "eth1", "10.2.0.1/16");
		random_boxes(&h[k], 4, 6000, false);
		if (k == 1)
			hand_box(&h[k], 0, IPPROTO_TCP, "10.1.200.0/30", "10.2.200.0/30", 5, 6);
		hand_finish(&h[k]);
		rs[k] = ruleset_build(&h[k].ir, (struct wall){1795000000}, &opt);
	}
	for (size_t i = 0; i < rs[0]->nsets; i++) {
		const struct set *a = rs[0]->sets[i], *same = NULL;
		for (size_t j = 0; j < rs[1]->nsets; j++)
			if (strcmp(rs[1]->sets[j]->name, a->name) == 0)
				same = rs[1]->sets[j];
		cut += strstr(a->name, "_r") != NULL && strstr(a->name, "flow") == a->name;
		differ += same == NULL || same->n != a->n ||
			  (a->n > 0 && memcmp(same->keys.data, a->keys.data, a->keys.len) != 0);
	}
	CHECK(cut > 5);
	CHECK(differ <= 2); /* its own bucket, and perhaps the map of the cuts */
	for (unsigned k = 0; k < 2; k++) {
		ruleset_free(rs[k]);
		hand_free(&h[k]);
	}
}

int main(void)
{
	compare(4, 500, false, 1);
	compare(6, 500, false, 1);
	compare(4, 5000, false, 11);
	compare(6, 5000, false, 11);
	compare(4, 4000, true, 7);
	test_stable();
	return test_end();
}
