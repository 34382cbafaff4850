/*
 * build_cut.c: 緊急遮断: what is cut is stopped before anything else is asked of it.
 *
 *	state, forward, after, input, output: meta nfproto @cutting jump cut
 *	cut: iifname / oifname / pair of them / addresses / pair of them in a map to the cut's number -> goto stop_cut
 *
 * The rules stand in every ruleset and do not change with the cuts; the sets are live ones with fixed names, emptied and
 * filled in one transaction. While nothing is cut `cutting` is empty: one look-up a packet. In `forward` it comes before the
 * marks of connections, in `state` so that the rest of a connection is not called a stray, in `after` for what waited in a
 * queue meanwhile, in `input` and `output` for the gateway's own flows.
 * What is untracked is neighbour discovery, which `nd` judged; it crosses nothing.
 */
#include "build.h"

#include <netinet/in.h>
#include <string.h>

#define CT_UNTRACKED 64

enum { CUTTING, CUT_EVERYTHING, CUT_INTERFACES, CUT_INTERFACE_PAIRS, CUT_HOSTS4, CUT_HOSTS6, CUT_HOST_PAIRS4, CUT_HOST_PAIRS6,
	CUT_SETS };

/* -- content ----------------------------------------------------------------------------------------------- */

static struct addr_range range_of(const struct cut_range *r)
{
	struct ir_range range;

	memcpy(range.lo, r->lo, sizeof(range.lo));
	memcpy(range.hi, r->hi, sizeof(range.hi));
	return ir_addr_range(r->family, &range);
}

static bool has_key(const struct set *s, const struct key *k)
{
	for (uint32_t i = 0; i < s->n; i++)
		if (memcmp(set_lo(s, i), k->b, s->klen) == 0)
			return true;
	return false;
}

/* The first cut that names it is the one that is counted. */
static void add_key(struct set *s, const struct key *k, const struct cut *c)
{
	if (!has_key(s, k))
		set_add(s, k, NULL)->mark = CUT_MARK(c->number);
}

static void add_everything(struct set *s, const struct cut *c)
{
	for (uint32_t family = 2; family <= 10; family += 8) {
		struct key k = {.len = 0};
		key_number(&k, TYPE_NFPROTO, family);
		add_key(s, &k, c);
	}
}

static void add_interfaces(struct set *s, const struct cut *c)
{
	for (uint32_t i = 0; i < c->end[0].ninterfaces; i++) {
		struct key k = {.len = 0};
		key_ifname(&k, c->end[0].interface[i]);
		add_key(s, &k, c);
	}
}

static void add_interface_pairs(struct set *s, const struct cut *c)
{
	for (uint32_t i = 0; i < c->end[0].ninterfaces; i++)
		for (uint32_t j = 0; j < c->end[1].ninterfaces; j++)
			for (unsigned back = 0; back < 2; back++) {
				struct key k = {.len = 0};
				key_ifname(&k, back ? c->end[1].interface[j] : c->end[0].interface[i]);
				key_ifname(&k, back ? c->end[0].interface[i] : c->end[1].interface[j]);
				add_key(s, &k, c);
			}
}

static void add_hosts(struct arena *a, struct set **sets, const struct cuts *cuts)
{
	struct ranges seen[2] = {{.arena = a}, {.arena = a}};

	for (uint32_t i = 0; i < cuts->n; i++)
		for (uint32_t k = 0; cuts->cut[i].kind == CUT_HOST && k < cuts->cut[i].end[0].nranges; k++) {
			struct addr_range r = range_of(&cuts->cut[i].end[0].range[k]);
			ranges_add(&seen[at(r.lo.family)], &r, (void *)(uintptr_t)&cuts->cut[i]);
		}
	for (unsigned f = 0; f < 2; f++) {
		ranges_sort(&seen[f]);
		for (size_t i = 0; i < seen[f].n; i++) {
			struct key lo = {.len = 0}, hi = {.len = 0};
			const struct cut *c = seen[f].v[i].tag;
			key_addr(&lo, seen[f].v[i].range.lo.family, seen[f].v[i].range.lo.b);
			key_addr(&hi, seen[f].v[i].range.lo.family, seen[f].v[i].range.hi.b);
			set_add(sets[CUT_HOSTS4 + f], &lo, &hi)->mark = CUT_MARK(c->number);
		}
	}
}

static void add_rects(struct rects *seen, const struct cut *c, uint8_t fam)
{
	for (uint32_t i = 0; i < c->end[0].nranges; i++)
		for (uint32_t k = 0; k < c->end[1].nranges; k++) {
			struct rect r = {range_of(&c->end[0].range[i]), range_of(&c->end[1].range[k])};
			struct rect back = {r.dst, r.src};
			if (r.src.lo.family != fam || r.dst.lo.family != fam)
				continue;
			rects_add(seen, &r);
			rects_add(seen, &back);
		}
}

static void add_host_pairs(struct arena *a, struct set *s, uint8_t fam, const struct cuts *cuts)
{
	struct rects seen = {.arena = a};

	for (uint32_t i = 0; i < cuts->n; i++) {
		size_t before = seen.n;
		if (cuts->cut[i].kind != CUT_PAIR || cuts->cut[i].end[0].segment == 1)
			continue;
		add_rects(&seen, &cuts->cut[i], fam);
		for (size_t k = before; k < seen.n; k++) {
			struct key lo = {.len = 0}, hi = {.len = 0};
			key_addr(&lo, fam, seen.v[k].src.lo.b);
			key_addr(&lo, fam, seen.v[k].dst.lo.b);
			key_addr(&hi, fam, seen.v[k].src.hi.b);
			key_addr(&hi, fam, seen.v[k].dst.hi.b);
			set_add(s, &lo, &hi)->mark = CUT_MARK(cuts->cut[i].number);
		}
	}
}

static void fill(struct arena *a, struct set **sets, const struct cuts *cuts)
{
	for (uint32_t i = 0; i < cuts->n; i++) {
		const struct cut *c = &cuts->cut[i];
		if (c->kind == CUT_ALL)
			add_everything(sets[CUT_EVERYTHING], c);
		else if (c->kind == CUT_SEGMENT)
			add_interfaces(sets[CUT_INTERFACES], c);
		else if (c->kind == CUT_PAIR && c->end[0].segment == 1)
			add_interface_pairs(sets[CUT_INTERFACE_PAIRS], c);
	}
	if (cuts->n > 0) {
		set_add_number(sets[CUTTING], 2);
		set_add_number(sets[CUTTING], 10);
	}
	add_hosts(a, sets, cuts);
	add_host_pairs(a, sets[CUT_HOST_PAIRS4], 4, cuts);
	add_host_pairs(a, sets[CUT_HOST_PAIRS6], 6, cuts);
	for (unsigned i = 0; i < CUT_SETS; i++)
		set_sort(sets[i]);
}

static void add_sets(struct ruleset *rs, const struct cuts *cuts, struct set **sets)
{
	const unsigned map = SET_LIVE | SET_MARKS;

	sets[CUTTING] = set_new(rs, "cutting", TYPES(TYPE_NFPROTO), SET_LIVE);
	sets[CUT_EVERYTHING] = set_new(rs, "cut_all", TYPES(TYPE_NFPROTO), map);
	sets[CUT_INTERFACES] = set_new(rs, "cut_interfaces", TYPES(TYPE_IFNAME), map);
	sets[CUT_INTERFACE_PAIRS] = set_new(rs, "cut_interface_pairs", TYPES(TYPE_IFNAME, TYPE_IFNAME), map);
	sets[CUT_HOSTS4] = set_new(rs, "cut_hosts4", TYPES(TYPE_ADDR4), map | SET_INTERVAL);
	sets[CUT_HOSTS6] = set_new(rs, "cut_hosts6", TYPES(TYPE_ADDR6), map | SET_INTERVAL);
	sets[CUT_HOST_PAIRS4] = set_new(rs, "cut_host_pairs4", TYPES(TYPE_ADDR4, TYPE_ADDR4), map | SET_INTERVAL);
	sets[CUT_HOST_PAIRS6] = set_new(rs, "cut_host_pairs6", TYPES(TYPE_ADDR6, TYPE_ADDR6), map | SET_INTERVAL);
	if (cuts != NULL)
		fill(rs->arena, sets, cuts);
}

void cut_sets(struct ruleset *rs, const struct cuts *cuts)
{
	struct set *sets[CUT_SETS];

	add_sets(rs, cuts, sets);
}

bool is_cut_set(const char *name)
{
	return strcmp(name, "cutting") == 0 || strncmp(name, "cut_", 4) == 0;
}

/* -- rules ------------------------------------------------------------------------------------------------- */

static void stop_by(struct build *b, struct rb r, const enum field *fields, const struct set *map)
{
	go(map_mark(r, fields, map), b->rs->stop[REASON_CUT]);
}

void build_cut(struct build *b)
{
	struct ruleset *rs = b->rs;
	struct set *sets[CUT_SETS];

	add_sets(rs, rs->opt.cuts, sets);
	b->cutting = sets[CUTTING];
	b->cut = chain_new(rs, "cut");
	go_back(is(on(rs, b->cut), F_CTSTATE, CT_UNTRACKED));
	go_back(iif(on(rs, b->cut), "lo"));
	stop_by(b, on(rs, b->cut), FIELDS(F_NFPROTO), sets[CUT_EVERYTHING]);
	stop_by(b, on(rs, b->cut), FIELDS(F_IIFNAME), sets[CUT_INTERFACES]);
	stop_by(b, on(rs, b->cut), FIELDS(F_OIFNAME), sets[CUT_INTERFACES]);
	stop_by(b, on(rs, b->cut), FIELDS(F_IIFNAME, F_OIFNAME), sets[CUT_INTERFACE_PAIRS]);
	for (uint8_t fam = 4; fam <= 6; fam += 2) {
		stop_by(b, family(on(rs, b->cut), fam), FIELDS(saddr(fam)), sets[CUT_HOSTS4 + at(fam)]);
		stop_by(b, family(on(rs, b->cut), fam), FIELDS(daddr(fam)), sets[CUT_HOSTS4 + at(fam)]);
		stop_by(b, family(on(rs, b->cut), fam), FIELDS(saddr(fam), daddr(fam)), sets[CUT_HOST_PAIRS4 + at(fam)]);
	}
}

void check_cut(struct build *b, struct chain *c)
{
	jump(in(on(b->rs, c), FIELDS(F_NFPROTO), b->cutting), b->cut);
}
