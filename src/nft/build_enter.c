/*
 * build_enter.c: what a packet must be before anything is known of its connection (prerouting -450).
 *
 * By the interface it came in: fragments (RFC 791, 1858, 8200 4.5, 7112), IP options and IPv6 extension headers,
 * and whether the source may come from here with this MAC. It stands before defragmentation (-400): fragments are
 * judged one by one, and what is put together later has been through here in pieces.
 *
 * The good packet takes the short way: one lookup of its source in the ranges that may enter by its interface
 * (from which bogons, own and broadcast addresses are cut out already). Only a miss is diagnosed.
 */
#include "build.h"

#include <netinet/in.h>
#include <netinet/icmp6.h>
#include <stdlib.h>
#include <string.h>

/* -- fragments and headers ------------------------------------------------------------------------------------------------- */

/* Pairs of hosts, both ways round, that the policy lets exchange fragments. */
static struct set *fragment_pairs(struct build *b, uint8_t fam)
{
	struct rects pairs = {.arena = b->rs->arena};
	struct set *s = set_named(b, TYPES(addr_type(fam), addr_type(fam)), SET_INTERVAL, "fragment_pairs%u", fam);

	for (uint32_t i = 0; i < b->ir->nspans; i++) {
		const struct ir_span *sp = &b->ir->spans[i];
		if (sp->family != fam || (b->ir->rules[sp->rule].flags & IR_RULE_FRAGMENTS) == 0)
			continue;
		struct addr_range src = ir_addr_range(fam, &sp->src), dst = ir_addr_range(fam, &sp->dst);
		rects_add(&pairs, &(struct rect){src, dst});
		rects_add(&pairs, &(struct rect){dst, src});
	}
	for (size_t i = 0; i < pairs.n; i++) {
		struct key lo = {.len = 0}, hi = {.len = 0};
		key_addr(&lo, fam, pairs.v[i].src.lo.b);
		key_addr(&lo, fam, pairs.v[i].dst.lo.b);
		key_addr(&hi, fam, pairs.v[i].src.hi.b);
		key_addr(&hi, fam, pairs.v[i].dst.hi.b);
		set_add(s, &lo, &hi);
	}
	set_sort(s);
	return s;
}

static struct rb fragment4(struct build *b, struct chain *c, uint32_t mask, enum cmp_op op, uint32_t value)
{
	return match_masked(family(on(b->rs, c), 4), F_FRAGOFF, mask, op, value);
}

static struct chain *fragments4(struct build *b)
{
	struct chain *c = chain_new(b->rs, "fragment4");

	stop(fragment4(b, c, 0x8000, OP_NEQ, 0), REASON_MALFORMED);
	/* beyond 65 535 bytes when put together */
	stop(fragment4(b, c, 0x1fff, OP_GT, 8189), REASON_MALFORMED);
	/* all but the last carry multiples of eight bytes */
	stop(match_masked(is(fragment4(b, c, 0x2000, OP_NEQ, 0), F_IHL, 5), F_IPLENGTH, 7, OP_NEQ, 4),
		REASON_MALFORMED);
	/* a first fragment too small for a TCP header, or a second that would overwrite its flags */
	stop(match(fragment4(b, c, 0x1fff, OP_EQ, 0), F_IPLENGTH, OP_LT, 40), REASON_MALFORMED);
	stop(is(fragment4(b, c, 0x1fff, OP_EQ, 1), F_L4PROTO, IPPROTO_TCP), REASON_MALFORMED);
	go_back(in(family(on(b->rs, c), 4), FIELDS(F_SADDR4, F_DADDR4), fragment_pairs(b, 4)));
	stop(on(b->rs, c), REASON_FRAGMENT);
	return c;
}

static struct chain *fragments6(struct build *b)
{
	struct chain *c = chain_new(b->rs, "fragment6");

	/* the upper-layer header follows at once, in every fragment */
	stop(not_in(family(on(b->rs, c), 6), FIELDS(F_FRAGNEXTHDR), b->l4_direct), REASON_EXT_HEADER);
	go_back(in(family(on(b->rs, c), 6), FIELDS(F_SADDR6, F_DADDR6), fragment_pairs(b, 6)));
	stop(on(b->rs, c), REASON_FRAGMENT);
	return c;
}

static struct chain *headers6(struct build *b)
{
	static const uint8_t headers[] = {0, 43, 44, 50, 51, 59, 60, 135, 139, 140, 253, 254};
	static const uint8_t listener[] = {MLD_LISTENER_QUERY, MLD_LISTENER_REPORT, MLD_LISTENER_REDUCTION, 143};
	struct chain *c = chain_new(b->rs, "header6");
	struct set *refused = set_named(b, TYPES(TYPE_L4PROTO), 0, "headers6");
	struct set *mld = set_named(b, TYPES(TYPE_ICMP6TYPE), 0, "mld_types");

	for (size_t i = 0; i < sizeof(headers); i++)
		set_add_number(refused, headers[i]);
	for (size_t i = 0; i < sizeof(listener); i++)
		set_add_number(mld, listener[i]);
	go(is(family(on(b->rs, c), 6), F_FRAGHDR, 1), fragments6(b)); /* returns, if at all, to who jumped here */
	/* RFC 3810 5: a router alert in a hop-by-hop header, hop limit 1 */
	go_back(in(is(is(is(family(on(b->rs, c), 6), F_NEXTHDR, 0), F_HOPLIMIT, 1), F_L4PROTO, IPPROTO_ICMPV6),
		FIELDS(F_ICMP6TYPE), mld));
	stop(in(family(on(b->rs, c), 6), FIELDS(F_NEXTHDR), refused), REASON_EXT_HEADER);
	return c;
}

/* -- sources that are never right ---------------------------------------------------------------------------- */

static void add_own_sources(struct build *b, uint8_t fam, struct ranges *r)
{
	for (uint32_t i = 0; i < b->ir->nlocals; i++) {
		const struct ir_local *l = &b->ir->locals[i];
		struct addr a = ir_addr(l->family, l->addr);
		if (l->family == fam)
			ranges_add(r, &(struct addr_range){a, a}, b->rs->stop[REASON_ADDR_OWN]);
	}
}

/* The first and the last address of each connected IPv4 subnet (RFC 1122 3.2.1.3). */
static void add_subnet_broadcasts(struct build *b, struct ranges *r, void *tag)
{
	for (uint32_t i = 0; i < b->ir->nlocals; i++) {
		const struct ir_local *l = &b->ir->locals[i];
		if (l->family != 4 || l->prefix_len > 30)
			continue;
		struct addr a = ir_addr(4, l->addr);
		struct addr_range net = prefix_range(&a, l->prefix_len);
		ranges_add(r, &(struct addr_range){net.lo, net.lo}, tag);
		ranges_add(r, &(struct addr_range){net.hi, net.hi}, tag);
	}
}

static void never_sources4(struct build *b, struct ranges *r, struct chain *unspecified, struct chain *link_local)
{
	struct chain **stops = b->rs->stop;

	add_own_sources(b, 4, r);
	add_subnet_broadcasts(b, r, stops[REASON_ADDR_BROADCAST]);
	ranges_add_text(r, "0.0.0.0", unspecified);
	ranges_add_text(r, "0.0.0.0/8", stops[REASON_ADDR_RESERVED]);
	ranges_add_text(r, "127.0.0.0/8", stops[REASON_ADDR_LOOPBACK]);
	ranges_add_text(r, "169.254.0.0/16", link_local);
	ranges_add_text(r, "224.0.0.0/4", stops[REASON_ADDR_MULTICAST]);
	ranges_add_text(r, "255.255.255.255", stops[REASON_ADDR_BROADCAST]);
	ranges_add_text(r, "240.0.0.0/4", stops[REASON_ADDR_RESERVED]);
	ranges_sort(r);
}

/* RFC 4291; what is neither global unicast (2000::/3) nor unique local (fc00::/7) is reserved. */
static void never_sources6(struct build *b, struct ranges *r, struct chain *unspecified, struct chain *link_local)
{
	struct chain **stops = b->rs->stop;

	add_own_sources(b, 6, r);
	ranges_add_text(r, "::", unspecified);
	ranges_add_text(r, "::1", stops[REASON_ADDR_LOOPBACK]);
	ranges_add_text(r, "fe80::/10", link_local);
	ranges_add_text(r, "ff00::/8", stops[REASON_ADDR_MULTICAST]);
	ranges_add_text(r, "::/3", stops[REASON_ADDR_RESERVED]);
	ranges_add_text(r, "4000::-fbff:ffff:ffff:ffff:ffff:ffff:ffff:ffff", stops[REASON_ADDR_RESERVED]);
	ranges_add_text(r, "fe00::/8", stops[REASON_ADDR_RESERVED]);
	ranges_sort(r);
}

/* Destinations of noise: kept apart, so that the daily chatter of a network does not look like an attack. */
static struct set *noise_set(struct build *b, uint8_t fam)
{
	struct set *s = set_named(b, TYPES(addr_type(fam)), SET_INTERVAL, "noise%u", fam);
	struct ranges r = {.arena = b->rs->arena};

	if (fam == 4) {
		add_subnet_broadcasts(b, &r, NULL);
		ranges_add_text(&r, "224.0.0.0/4", NULL);
		ranges_add_text(&r, "255.255.255.255", NULL);
	} else {
		ranges_add_text(&r, "ff00::/8", NULL);
	}
	ranges_sort(&r);
	set_add_ranges(s, &r);
	return s;
}

/* IPv6 neighbour discovery and listener messages: judged after conntrack (build_state.c), whatever their source. */
static struct set *nd_set(struct build *b, bool unspecified)
{
	static const uint8_t types[] = {MLD_LISTENER_QUERY, MLD_LISTENER_REPORT, MLD_LISTENER_REDUCTION, 143,
		ND_ROUTER_SOLICIT, ND_NEIGHBOR_SOLICIT, ND_ROUTER_ADVERT, ND_NEIGHBOR_ADVERT, ND_REDIRECT};
	struct set *s = set_named(b, TYPES(TYPE_ICMP6TYPE), 0, unspecified ? "nd_unspecified" : "nd_link_local");

	/* From :: only what RFC 4861 and 3810 send so: solicitations and listener reports. */
	for (size_t i = 0; i < (unspecified ? 6 : sizeof(types)); i++)
		set_add_number(s, types[i]);
	set_sort(s);
	return s;
}

/* An unspecified or link-local source: noise, discovery, or wrong. */
static struct chain *odd_source(struct build *b, uint8_t fam, bool unspecified)
{
	struct chain *c = chain_named(b, "source%u_%s", fam, unspecified ? "unspecified" : "link_local");

	if (fam == 6)
		let_pass(in(is(family(on(b->rs, c), 6), F_L4PROTO, IPPROTO_ICMPV6), FIELDS(F_ICMP6TYPE),
			nd_set(b, unspecified)));
	stop(in(family(on(b->rs, c), fam), FIELDS(daddr(fam)), b->noise[at(fam)]), REASON_LOCAL_NOISE);
	stop(on(b->rs, c), unspecified ? REASON_ADDR_UNSPECIFIED : REASON_ADDR_LINK_LOCAL);
	return c;
}

/* Why a source was not found where it came from: `never` gets the ranges that no interface may have. */
static struct chain *bad_source(struct build *b, uint8_t fam, struct ranges *never)
{
	struct chain *c = chain_named(b, "source%u_bad", fam);
	struct chain *unspecified = odd_source(b, fam, true), *link_local = odd_source(b, fam, false);
	struct set *map = set_named(b, TYPES(addr_type(fam)), SET_INTERVAL | SET_VERDICTS, "never_source%u", fam);

	if (fam == 4)
		never_sources4(b, never, unspecified, link_local);
	else
		never_sources6(b, never, unspecified, link_local);
	set_add_ranges(map, never);
	vmap(family(on(b->rs, c), fam), FIELDS(saddr(fam)), map);
	stop(on(b->rs, c), REASON_SPOOF);
	return c;
}

/* -- sources of one interface --------------------------------------------------------------------------------- */

struct entry {
	struct build *b;
	uint16_t interface;
	uint8_t fam;
	const struct ranges *never;
	struct set *bound;		 /* single addresses, each with its MAC; NULL = none */
	struct ranges bound_hosts;	 /* the same addresses alone */
	struct ranges plain, routed;	 /* ranges: from any MAC; from one (the tag: the chain that tests it) */
	struct {
		uint8_t mac[6];
		struct chain *chain;
	} *macs;
	size_t nmacs, macs_cap;
};

static void add_bound_host(struct entry *e, const struct ir_source *s)
{
	struct addr_range range = ir_addr_range(e->fam, &s->range);
	struct key host = {.len = 0};

	if (e->bound == NULL)
		e->bound = set_named(e->b, TYPES(addr_type(e->fam), TYPE_ETHER), 0, "mac%u_%u", e->fam, e->interface);
	ranges_append(&e->bound_hosts, &range, NULL);
	key_addr(&host, e->fam, s->range.lo);
	key_mac(&host, s->mac);
	set_add(e->bound, &host, NULL);
}

/* The chain that lets one MAC pass, made at its first use: a router and what lies behind it. */
static struct chain *mac_chain(struct entry *e, const uint8_t mac[6])
{
	struct build *b = e->b;

	for (size_t i = 0; i < e->nmacs; i++)
		if (memcmp(e->macs[i].mac, mac, 6) == 0)
			return e->macs[i].chain;
	struct chain *c = chain_named(b, "mac%u_%u_%zu", e->fam, e->interface, e->nmacs);
	let_pass(match_bytes(is(on(b->rs, c), F_IIFTYPE, 1), F_ETHERSADDR, OP_EQ, mac));
	stop(on(b->rs, c), REASON_MAC);
	void *slot = arena_push(b->rs->arena, (void **)&e->macs, &e->nmacs, &e->macs_cap, sizeof(*e->macs));
	memcpy(slot, mac, 6);
	e->macs[e->nmacs - 1].chain = c;
	return c;
}

static void add_source(struct entry *e, const struct ir_source *s)
{
	struct addr_range range = ir_addr_range(e->fam, &s->range);

	if (s->has_mac)
		ranges_without(&e->routed, &range, e->never, mac_chain(e, s->mac));
	else
		ranges_without(&e->plain, &range, e->never, NULL);
}

static bool never_has(const struct ranges *never, const struct addr *a)
{
	for (size_t i = 0; i < never->n; i++)
		if (range_has(&never->v[i].range, a))
			return true;
	return false;
}

static void collect_sources(struct entry *e)
{
	const struct ir *ir = e->b->ir;

	for (uint32_t i = 0; i < ir->nsources; i++) {
		const struct ir_source *s = &ir->sources[i];
		if (s->interface != e->interface || s->family != e->fam)
			continue;
		struct addr_range range = ir_addr_range(e->fam, &s->range);
		if (!s->has_mac || !range_is_single(&range))
			add_source(e, s);
		else if (!never_has(e->never, &range.lo))
			add_bound_host(e, s);
	}
	ranges_sort(&e->plain);
	ranges_sort(&e->routed);
}

static void add_all(struct ranges *to, const struct ranges *from)
{
	for (size_t i = 0; i < from->n; i++)
		ranges_append(to, &from->v[i].range, from->v[i].tag);
}

/* A bound host's own chain of tests: this address with this MAC, or refused. */
static struct chain *bound_chain(struct entry *e)
{
	struct build *b = e->b;
	struct chain *c = chain_named(b, "bound%u_%u", e->fam, e->interface);

	let_pass(in(is(family(on(b->rs, c), e->fam), F_IIFTYPE, 1), FIELDS(saddr(e->fam), F_ETHERSADDR), e->bound));
	stop(on(b->rs, c), REASON_MAC);
	return c;
}

/* Few sources: one ordered map says everything. */
static void enter_by_map(struct entry *e, struct chain *c)
{
	struct build *b = e->b;
	struct ranges all = {.arena = b->rs->arena};
	struct set *map = set_named(b, TYPES(addr_type(e->fam)), SET_INTERVAL | SET_VERDICTS, "source%u_%u", e->fam,
		e->interface);

	add_all(&all, &e->plain);
	add_all(&all, &e->routed);
	if (e->bound != NULL) {
		struct chain *tests = bound_chain(e);
		for (size_t i = 0; i < e->bound_hosts.n; i++)
			ranges_append(&all, &e->bound_hosts.v[i].range, tests);
	}
	ranges_sort(&all);
	set_add_ranges(map, &all);
	vmap(family(on(b->rs, c), e->fam), FIELDS(saddr(e->fam)), map);
}

/* Many: bound hosts in a hash, the others in a plain set: the kernel validates each verdict at every change. */
static void enter_by_sets(struct entry *e, struct chain *c)
{
	struct build *b = e->b;
	uint8_t fam = e->fam;

	if (e->bound != NULL)
		let_pass(in(is(family(on(b->rs, c), fam), F_IIFTYPE, 1), FIELDS(saddr(fam), F_ETHERSADDR), e->bound));
	struct set *plain = set_named(b, TYPES(addr_type(fam)), SET_INTERVAL, "source%u_%u", fam, e->interface);
	set_add_ranges(plain, &e->plain);
	let_pass(in(family(on(b->rs, c), fam), FIELDS(saddr(fam)), plain));
	if (e->routed.n > 0) {
		struct set *map = set_named(b, TYPES(addr_type(fam)), SET_INTERVAL | SET_VERDICTS, "routed%u_%u", fam,
			e->interface);
		set_add_ranges(map, &e->routed);
		vmap(family(on(b->rs, c), fam), FIELDS(saddr(fam)), map);
	}
	if (e->bound != NULL) {
		struct set *hosts = set_named(b, TYPES(addr_type(fam)), 0, "bound%u_%u", fam, e->interface);
		for (size_t i = 0; i < e->bound_hosts.n; i++) {
			struct key k = {.len = 0};
			key_addr(&k, fam, e->bound_hosts.v[i].range.lo.b);
			set_add(hosts, &k, NULL);
		}
		set_sort(hosts);
		stop(in(family(on(b->rs, c), fam), FIELDS(saddr(fam)), hosts), REASON_MAC);
	}
}

/* Ranges that one ordered map may have: found in nine steps, validated in no time. */
#define FEW_SOURCES 512

/* The rules of one family behind the dispatch by interface. */
static void enter_family(struct entry *e, struct chain *c, struct chain *bad)
{
	e->plain.arena = e->routed.arena = e->bound_hosts.arena = e->b->rs->arena;
	collect_sources(e);
	if (e->bound != NULL)
		set_sort(e->bound);
	if (e->plain.n + e->routed.n + e->bound_hosts.n <= FEW_SOURCES)
		enter_by_map(e, c);
	else
		enter_by_sets(e, c);
	go(on(e->b->rs, c), bad);
}

/* IP options: any, but what IGMP's router alert makes of the daily noise. */
static struct chain *options4(struct build *b)
{
	struct chain *c = chain_new(b->rs, "option4");

	stop(in(is(family(on(b->rs, c), 4), F_L4PROTO, IPPROTO_IGMP), FIELDS(F_DADDR4), b->noise[0]),
		REASON_LOCAL_NOISE);
	stop(on(b->rs, c), REASON_IP_OPTION);
	return c;
}

/* What the interfaces share. */
struct entrance {
	struct chain *fragment4, *option4, *header6, *bad[2];
	struct ranges never[2];
};

static struct chain *enter_interface(struct build *b, uint16_t i, struct entrance *e)
{
	struct chain *c = chain_named(b, "in_%u", i), *c6 = chain_named(b, "in6_%u", i);
	struct entry four = {.b = b, .interface = i, .fam = 4, .never = &e->never[0]};
	struct entry six = {.b = b, .interface = i, .fam = 6, .never = &e->never[1]};

	go(family(on(b->rs, c), 6), c6);
	/* any fragment, or the reserved bit */
	jump(match_masked(on(b->rs, c), F_FRAGWORD, 0xbfff, OP_NEQ, 0), e->fragment4);
	go(match_masked(on(b->rs, c), F_IHLWORD, 0x0f000000, OP_NEQ, 0x05000000), e->option4);
	enter_family(&four, c, e->bad[0]);
	jump(not_in(family(on(b->rs, c6), 6), FIELDS(F_NEXTHDR), b->l4_direct), e->header6);
	enter_family(&six, c6, e->bad[1]);
	return c;
}

void build_enter(struct build *b)
{
	struct entrance e = {.never = {{.arena = b->rs->arena}, {.arena = b->rs->arena}}};
	struct set *map = set_named(b, TYPES(TYPE_IFNAME), SET_VERDICTS, "interfaces");
	struct key lo = {.len = 0};

	b->noise[0] = noise_set(b, 4);
	b->noise[1] = noise_set(b, 6);
	e.fragment4 = fragments4(b);
	e.header6 = headers6(b);
	e.option4 = options4(b);
	e.bad[0] = bad_source(b, 4, &e.never[0]);
	e.bad[1] = bad_source(b, 6, &e.never[1]);
	for (uint16_t i = 0; i < b->ir->ninterfaces; i++) {
		struct key k = {.len = 0};
		key_ifname(&k, b->ir->interfaces[i].name);
		set_add(map, &k, NULL)->chain = enter_interface(b, i, &e);
	}
	key_ifname(&lo, "lo");
	set_add(map, &lo, NULL)->chain = NULL;
	set_sort(map);
	vmap(on(b->rs, b->early), FIELDS(F_IIFNAME), map);
	stop(on(b->rs, b->early), REASON_UNKNOWN_INTERFACE);
}
