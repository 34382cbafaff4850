/*
 * build_state.c: what conntrack makes of a packet (prerouting -150).
 *
 * established  goes on at once; its addresses and ports were judged when it was new
 * related      an ICMP error that quotes a flow: only the errors that hosts need, small, few, and from an end of
 *              the flow or a declared router. Which flow is judged in forward. (RFC 792, 1191, 4443, 8201)
 * new          addresses, ports, SYN, a segment and a route for the destination
 * else         invalid, or IPv6 neighbour discovery, which conntrack does not track (RFC 4861, 3810)
 *
 * Conntrack itself checks header lengths, checksums and the combinations of TCP flags and calls what fails
 * invalid; `stray` only finds out why, so that a good packet pays nothing for it.
 */
#include "build.h"

#include <netinet/icmp6.h>
#include <netinet/in.h>
#include <netinet/ip_icmp.h>

#define CT_INVALID 1
#define CT_ESTABLISHED 2
#define CT_RELATED 4
#define CT_NEW 8
#define CT_UNTRACKED 64

#define TCP_FIN 0x01u
#define TCP_SYN 0x02u
#define TCP_RST 0x04u
#define TCP_ACK 0x10u
#define TCP_URG 0x20u
/* ICMP errors a second that may cross, of all flows together. */
#define RELATED_RATE 200

static struct set *type_set(struct build *b, enum datatype t, const char *name, const uint8_t *types, size_t n)
{
	struct set *s = set_named(b, TYPES(t), 0, "%s", name);

	for (size_t i = 0; i < n; i++)
		set_add_number(s, types[i]);
	set_sort(s);
	return s;
}
#define TYPE_SET(b, t, name, ...)                                                                              \
	type_set((b), (t), (name), (const uint8_t[]){__VA_ARGS__}, sizeof((const uint8_t[]){__VA_ARGS__}))

static void lo_passes(struct build *b, struct chain *c)
{
	let_pass(iif(on(b->rs, c), "lo"));
}

/* -- destinations that are never right ----------------------------------------------------------------------- */

static void add_noise(struct ranges *r, const struct set *noise, uint8_t fam, void *tag)
{
	for (uint32_t i = 0; i < noise->n; i++) {
		struct ir_range range = {0};
		for (size_t k = 0; k < addr_len(fam); k++) {
			range.lo[k] = set_lo(noise, i)[k];
			range.hi[k] = set_hi(noise, i)[k];
		}
		struct addr_range a = ir_addr_range(fam, &range);
		ranges_add(r, &a, tag);
	}
}

static struct set *never_destinations(struct build *b, uint8_t fam)
{
	struct chain **stops = b->rs->stop;
	struct set *s = set_named(b, TYPES(addr_type(fam)), SET_INTERVAL | SET_VERDICTS, "never_destination%u", fam);
	struct ranges r = {.arena = b->rs->arena};

	add_noise(&r, b->noise[at(fam)], fam, stops[REASON_LOCAL_NOISE]);
	ranges_add_text(&r, fam == 4 ? "0.0.0.0" : "::", stops[REASON_ADDR_UNSPECIFIED]);
	ranges_add_text(&r, fam == 4 ? "127.0.0.0/8" : "::1", stops[REASON_ADDR_LOOPBACK]);
	ranges_add_text(&r, fam == 4 ? "169.254.0.0/16" : "fe80::/10", stops[REASON_ADDR_LINK_LOCAL]);
	if (fam == 4) {
		ranges_add_text(&r, "0.0.0.0/8", stops[REASON_ADDR_RESERVED]);
		ranges_add_text(&r, "240.0.0.0/4", stops[REASON_ADDR_RESERVED]);
	} else {
		ranges_add_text(&r, "::/3", stops[REASON_ADDR_RESERVED]);
		ranges_add_text(&r, "4000::-fbff:ffff:ffff:ffff:ffff:ffff:ffff:ffff", stops[REASON_ADDR_RESERVED]);
		ranges_add_text(&r, "fe00::/8", stops[REASON_ADDR_RESERVED]);
	}
	ranges_sort(&r);
	set_add_ranges(s, &r);
	return s;
}

static void judge_destination(struct build *b, struct chain *c, struct set *never[2])
{
	/* A unicast packet in a broadcast frame (RFC 1122 3.3.6). */
	stop(isnt(on(b->rs, c), F_PKTTYPE, 0), REASON_LOCAL_NOISE);
	vmap(family(on(b->rs, c), 4), FIELDS(F_DADDR4), never[0]);
	vmap(family(on(b->rs, c), 6), FIELDS(F_DADDR6), never[1]);
}

/* -- new ------------------------------------------------------------------------------------------------------ */

static struct set *segment_networks(struct build *b, uint8_t fam)
{
	struct set *s = set_named(b, TYPES(addr_type(fam)), SET_INTERVAL, "networks%u", fam);
	struct ranges r = {.arena = b->rs->arena};

	for (uint32_t i = 0; i < b->ir->nnetworks; i++) {
		const struct ir_network *n = &b->ir->networks[i];
		struct addr_range range = ir_addr_range(n->family, &n->range);
		if (n->family == fam)
			ranges_add(&r, &range, NULL);
	}
	ranges_sort(&r);
	set_add_ranges(s, &r);
	return s;
}

static void judge_ports(struct build *b, struct chain *c)
{
	stop(is(in(on(b->rs, c), FIELDS(F_L4PROTO), b->l4_ports), F_SPORT, 0), REASON_MALFORMED);
	stop(is(in(on(b->rs, c), FIELDS(F_L4PROTO), b->l4_ports), F_DPORT, 0), REASON_MALFORMED);
}

static struct chain *fresh(struct build *b, struct set *never[2])
{
	struct ruleset *rs = b->rs;
	struct chain *c = chain_new(rs, "fresh");

	lo_passes(b, c);
	judge_destination(b, c, never);
	stop(match_masked(is(on(rs, c), F_L4PROTO, IPPROTO_TCP), F_TCPFLAGS, TCP_FIN | TCP_SYN | TCP_RST | TCP_ACK,
		OP_NEQ, TCP_SYN), REASON_NOT_SYN);
	judge_ports(b, c);
	for (uint8_t fam = 4; fam <= 6; fam += 2) {
		let_pass(in(family(on(rs, c), fam), FIELDS(daddr(fam)), b->own[at(fam)]));
		stop(not_in(family(on(rs, c), fam), FIELDS(daddr(fam)), segment_networks(b, fam)), REASON_NO_ROUTE);
	}
	if ((rs->opt.capabilities & CAP_FIB) != 0)
		stop(is(on(rs, c), F_FIBOIF, 0), REASON_NO_ROUTE);
	return c;
}

/* -- invalid -------------------------------------------------------------------------------------------------- */

static struct chain *stray_tcp(struct build *b)
{
	struct ruleset *rs = b->rs;
	struct chain *c = chain_new(rs, "stray_tcp");
	/* As conntrack's own table has it (PSH, ECE and CWR may be anything). */
	struct set *flags = TYPE_SET(b, TYPE_TCPFLAGS, "tcp_flags", TCP_SYN, TCP_SYN | TCP_URG, TCP_SYN | TCP_ACK, TCP_RST,
		TCP_RST | TCP_ACK, TCP_FIN | TCP_ACK, TCP_FIN | TCP_ACK | TCP_URG, TCP_ACK, TCP_ACK | TCP_URG);

	stop(match(family(on(rs, c), 4), F_LENGTH, OP_LT, 40), REASON_MALFORMED);
	stop(match(family(on(rs, c), 6), F_LENGTH, OP_LT, 60), REASON_MALFORMED);
	stop(not_in_masked(is(on(rs, c), F_L4PROTO, IPPROTO_TCP), F_TCPFLAGS,
		TCP_FIN | TCP_SYN | TCP_RST | TCP_ACK | TCP_URG, flags), REASON_MALFORMED);
	stop(match_masked(is(on(rs, c), F_L4PROTO, IPPROTO_TCP), F_TCPDOFF, 0xf0, OP_LT, 0x50), REASON_MALFORMED);
	judge_ports(b, c);
	/* The late end of a connection, or a SYN inside one. */
	stop(match_masked(is(on(rs, c), F_L4PROTO, IPPROTO_TCP), F_TCPFLAGS, TCP_FIN | TCP_RST, OP_NEQ, 0),
		REASON_STATE);
	stop(match_masked(is(on(rs, c), F_L4PROTO, IPPROTO_TCP), F_TCPFLAGS, TCP_SYN | TCP_ACK, OP_EQ, TCP_SYN),
		REASON_STATE);
	stop(on(rs, c), REASON_NOT_SYN);
	return c;
}

static struct chain *stray_icmp(struct build *b, uint8_t fam)
{
	struct ruleset *rs = b->rs;
	struct chain *c = chain_named(b, "stray_icmp%u", fam);
	enum field type = fam == 4 ? F_ICMPTYPE : F_ICMP6TYPE;
	uint32_t proto = fam == 4 ? IPPROTO_ICMP : IPPROTO_ICMPV6;
	struct set *errors = fam == 4 ? TYPE_SET(b, TYPE_ICMPTYPE, "icmp_errors4", ICMP_DEST_UNREACH,
					       ICMP_SOURCE_QUENCH, ICMP_TIME_EXCEEDED, ICMP_PARAMETERPROB)
				      : TYPE_SET(b, TYPE_ICMP6TYPE, "icmp_errors6", 1, 2, 3, 4);

	stop(is(is(family(on(rs, c), fam), F_L4PROTO, proto), type, fam == 4 ? ICMP_REDIRECT : ND_REDIRECT),
		REASON_REDIRECT);
	stop(in(is(family(on(rs, c), fam), F_L4PROTO, proto), FIELDS(type), errors), REASON_RELATED);
	if (fam == 4) /* conntrack knows these; what is beyond was never assigned to hosts */
		stop(match(is(family(on(rs, c), 4), F_L4PROTO, proto), type, OP_GT, NR_ICMP_TYPES), REASON_MALFORMED);
	stop(on(rs, c), REASON_STATE);
	return c;
}

/* RFC 4861: hop limit 255 proves that it was not routed here. An advertisement is never believed. */
static struct chain *neighbours(struct build *b)
{
	struct ruleset *rs = b->rs;
	struct chain *c = chain_new(rs, "nd");
	struct set *used = TYPE_SET(b, TYPE_ICMP6TYPE, "nd_used", ND_NEIGHBOR_SOLICIT, ND_NEIGHBOR_ADVERT);
	struct set *all = TYPE_SET(b, TYPE_ICMP6TYPE, "nd_all", ND_ROUTER_SOLICIT, ND_ROUTER_ADVERT,
		ND_NEIGHBOR_SOLICIT, ND_NEIGHBOR_ADVERT);

	lo_passes(b, c);
	stop(isnt(family(on(rs, c), 6), F_L4PROTO, IPPROTO_ICMPV6), REASON_STATE);
	stop(family(on(rs, c), 4), REASON_STATE);
	let_pass(in(is(is(family(on(rs, c), 6), F_HOPLIMIT, 255), F_L4PROTO, IPPROTO_ICMPV6), FIELDS(F_ICMP6TYPE), used));
	stop(in(is(isnt(family(on(rs, c), 6), F_HOPLIMIT, 255), F_L4PROTO, IPPROTO_ICMPV6), FIELDS(F_ICMP6TYPE), all),
		REASON_MALFORMED);
	let_pass(is(is(is(family(on(rs, c), 6), F_HOPLIMIT, 1), F_L4PROTO, IPPROTO_ICMPV6), F_ICMP6TYPE,
		MLD_LISTENER_QUERY));
	stop(in(family(on(rs, c), 6), FIELDS(F_DADDR6), b->noise[1]), REASON_LOCAL_NOISE);
	stop(on(rs, c), REASON_TO_GATEWAY);
	return c;
}

static struct chain *stray(struct build *b, struct set *never[2])
{
	struct ruleset *rs = b->rs;
	struct chain *c = chain_new(rs, "stray");

	go(is(on(rs, c), F_CTSTATE, CT_UNTRACKED), neighbours(b));
	lo_passes(b, c);
	judge_destination(b, c, never);
	go(is(on(rs, c), F_L4PROTO, IPPROTO_TCP), stray_tcp(b));
	/* Of UDP conntrack refuses only what is broken: lengths, checksum. */
	stop(is(on(rs, c), F_L4PROTO, IPPROTO_UDP), REASON_MALFORMED);
	go(is(family(on(rs, c), 4), F_L4PROTO, IPPROTO_ICMP), stray_icmp(b, 4));
	go(is(family(on(rs, c), 6), F_L4PROTO, IPPROTO_ICMPV6), stray_icmp(b, 6));
	stop(on(rs, c), REASON_STATE);
	return c;
}

/* -- related ---------------------------------------------------------------------------------------------------- */

static struct set *routers(struct build *b, uint8_t fam)
{
	struct set *s = set_named(b, TYPES(addr_type(fam)), 0, "routers%u", fam);
	struct ranges r = {.arena = b->rs->arena};

	for (uint32_t i = 0; i < b->ir->nroutes; i++) {
		struct addr a = ir_addr(b->ir->routes[i].family, b->ir->routes[i].via);
		if (a.family == fam)
			ranges_add(&r, &(struct addr_range){a, a}, NULL);
	}
	for (size_t i = 0; i < r.n; i++) {
		struct key k = {.len = 0};
		key_addr(&k, fam, r.v[i].range.lo.b);
		set_add(s, &k, NULL);
	}
	set_sort(s);
	return s;
}

/*
 * "From an end of the flow": nftables cannot compare two fields, but it can put (flow, end) twice into a set and
 * look (flow, sender) up there. A flow is named by its two addresses.
 */
static void judge_sender(struct build *b, struct chain *c, uint8_t fam)
{
	enum datatype t = addr_type(fam);
	enum field src = fam == 4 ? F_CTSADDR4 : F_CTSADDR6, dst = fam == 4 ? F_CTDADDR4 : F_CTDADDR6;
	struct set *ends = set_named(b, TYPES(t, t, t), SET_DYNAMIC | SET_TIMEOUT, "ends%u", fam);

	ends->size = 4096;
	ends->timeout = 2;
	add_to(family(on(b->rs, c), fam), FIELDS(src, dst, src), ends);
	add_to(family(on(b->rs, c), fam), FIELDS(src, dst, dst), ends);
	let_pass(in(family(on(b->rs, c), fam), FIELDS(src, dst, saddr(fam)), ends));
	let_pass(in(family(on(b->rs, c), fam), FIELDS(saddr(fam)), routers(b, fam)));
}

static struct chain *related_icmp(struct build *b, uint8_t fam)
{
	struct ruleset *rs = b->rs;
	struct chain *c = chain_named(b, "related%u", fam);
	enum field type = fam == 4 ? F_ICMPTYPE : F_ICMP6TYPE;
	uint32_t proto = fam == 4 ? IPPROTO_ICMP : IPPROTO_ICMPV6;
	struct set *wanted = fam == 4 ? TYPE_SET(b, TYPE_ICMPTYPE, "icmp_wanted4", ICMP_DEST_UNREACH,
					       ICMP_TIME_EXCEEDED, ICMP_PARAMETERPROB)
				      : TYPE_SET(b, TYPE_ICMP6TYPE, "icmp_wanted6", 1, 2, 3, 4);

	stop(is(is(family(on(rs, c), fam), F_L4PROTO, proto), type, fam == 4 ? ICMP_REDIRECT : ND_REDIRECT),
		REASON_REDIRECT);
	stop(not_in(is(family(on(rs, c), fam), F_L4PROTO, proto), FIELDS(type), wanted), REASON_RELATED);
	stop(match(on(rs, c), F_LENGTH, OP_GT, fam == 4 ? 576 : 1280), REASON_RELATED);
	stop(over_limit(on(rs, c), RELATED_RATE, RELATED_RATE), REASON_RELATED);
	judge_sender(b, c, fam);
	stop(on(rs, c), REASON_RELATED);
	return c;
}

static struct chain *related(struct build *b)
{
	struct ruleset *rs = b->rs;
	struct chain *c = chain_new(rs, "related");

	lo_passes(b, c);
	go(is(family(on(rs, c), 4), F_L4PROTO, IPPROTO_ICMP), related_icmp(b, 4));
	go(is(family(on(rs, c), 6), F_L4PROTO, IPPROTO_ICMPV6), related_icmp(b, 6));
	stop(on(rs, c), REASON_RELATED);
	return c;
}

void build_state(struct build *b)
{
	struct ruleset *rs = b->rs;
	struct set *never[2] = {never_destinations(b, 4), never_destinations(b, 6)};

	let_pass(is(on(rs, b->state), F_CTSTATE, CT_ESTABLISHED)); /* forward and input look whether it is cut */
	check_cut(b, b->state);
	go(is(on(rs, b->state), F_CTSTATE, CT_RELATED), related(b));
	/* A flow that only one side speaks in stays new for ever; it was judged once. */
	let_pass(match_masked(on(rs, b->state), F_CTMARK, CTMARK_DECIDED, OP_EQ, passed_mark(b)));
	go(is(on(rs, b->state), F_CTSTATE, CT_NEW), fresh(b, never));
	go(on(rs, b->state), stray(b, never));
}
