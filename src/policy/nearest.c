/*
 * nearest.c: of a drop, the rule that it missed by the least.
 *
 * A rule is compared by its spans as written. What can differ: the bits of DIFFERS. Rules that share neither
 * end with the packet are not near. The nearest one has the fewest differences; among those the least
 * significant (time, MAC, port, protocol, direction, destination, source, in that order); among those it
 * stands first in the file. Found by index, never by a look at all rules:
 *
 *   both ends      all spans of this pair of addresses, and of the pair reversed
 *   one end, port  the spans that hold the destination (source) and the port: tree, first in the file
 *   one end        the first span of the file that holds the destination (source): table
 *
 * For the last group the first span decides, whatever its time: there are two differences already.
 */
#include "matcher.h"

#include <netinet/in.h>

/* Differences from the most to the least significant. */
static unsigned weight_of(uint32_t differs)
{
	static const uint32_t order[] = {DIFFERS_HOURS, DIFFERS_DAY, DIFFERS_NOT_STARTED, DIFFERS_EXPIRED,
		DIFFERS_MAC, DIFFERS_PORT, DIFFERS_PROTOCOL, DIFFERS_DIRECTION, DIFFERS_DESTINATION,
		DIFFERS_SOURCE};
	unsigned weight = 0;

	for (unsigned i = 0; i < sizeof(order) / sizeof(order[0]); i++)
		if ((differs & order[i]) != 0)
			weight |= 1u << i;
	return weight;
}

struct best {
	const struct matcher *m;
	const struct question *q;
	struct wall now;
	uint32_t always; /* differences that every rule shows */
	uint32_t beside; /* differences that this search implies */
	bool compare_port;
	bool by_sport; /* reversed: the packet's source port may be the service */
	uint32_t rule, differs;
	unsigned count, weight;
};

static bool is_icmp(uint8_t proto)
{
	return proto == IPPROTO_ICMP || proto == IPPROTO_ICMPV6;
}

static bool port_in(const struct ir_span *s, uint16_t port)
{
	return port >= s->port_lo && port <= s->port_hi;
}

/* Protocol and port of a span against the packet's. */
static uint32_t port_differs(const struct best *b, const struct ir_span *s)
{
	const struct question *q = b->q;
	uint32_t d = 0;

	if (s->proto != q->proto) {
		d |= DIFFERS_PROTOCOL;
		if (is_icmp(s->proto) || is_icmp(q->proto))
			return d;
	}
	if (!q->has_port)
		return s->port_lo == 0 && s->port_hi == UINT16_MAX ? d : d | DIFFERS_PORT;
	if (!port_in(s, q->dport) && !(b->by_sport && q->sport != 0 && port_in(s, q->sport)))
		d |= DIFFERS_PORT;
	return d;
}

static void consider(struct best *b, uint32_t span)
{
	const struct ir *ir = b->m->ir;
	const struct ir_span *s = &ir->spans[span];
	uint32_t d = b->always | b->beside | window_differs(ir, &ir->rules[s->rule], b->now);

	if (b->compare_port)
		d |= port_differs(b, s);
	if (d == 0)
		return; /* in force and the same: what stopped it is not the rules */
	unsigned count = (unsigned)__builtin_popcount(d), weight = weight_of(d);
	if (b->rule != IR_NONE && (count > b->count || (count == b->count && weight > b->weight) ||
					  (count == b->count && weight == b->weight && s->rule >= b->rule)))
		return;
	b->rule = s->rule;
	b->differs = d;
	b->count = count;
	b->weight = weight;
}

static void visit_all(struct visit *v, uint32_t id)
{
	consider(v->arg, id);
}

/* As soon as one without a difference of time is found, only earlier ones can be better. */
static void visit_first(struct visit *v, uint32_t id)
{
	struct best *b = v->arg;
	const struct ir *ir = b->m->ir;

	consider(b, id);
	if (window_differs(ir, &ir->rules[ir->spans[id].rule], b->now) == 0)
		v->limit = id;
}

/* Could a rule with at least these differences still be better? */
static bool worth(const struct best *b, uint32_t at_least)
{
	uint32_t d = b->always | at_least;
	unsigned count = (unsigned)__builtin_popcount(d);

	return b->rule == IR_NONE || count < b->count || (count == b->count && weight_of(d) <= b->weight);
}

static void search(struct best *b, const struct key point[RTREE_AXES], unsigned mask, uint32_t beside)
{
	bool pair = mask == (RTREE_SRC | RTREE_DST);
	struct rtree *const *tree = pair		      ? b->m->by_pair
				    : (mask & RTREE_SRC) != 0 ? b->m->by_src_port
							      : b->m->by_dst_port;
	struct visit v = {
		.point = point, .mask = mask, .limit = NONE, .fn = pair ? visit_all : visit_first, .arg = b};

	if (!worth(b, beside))
		return;
	b->beside = beside;
	b->compare_port = pair;
	rtree_visit(tree[b->q->src.family == 4 ? 0 : 1], &v);
}

static void search_first(struct best *b, const struct paint *p, struct key k, uint32_t beside)
{
	uint32_t span = paint_find(p, k);

	/* The port or the protocol differs too, or the searches before would have found it. */
	if (span == NONE || !worth(b, beside | DIFFERS_PORT))
		return;
	b->beside = beside;
	b->compare_port = true;
	consider(b, span);
}

void nearest_find(
	const struct matcher *m, const struct question *q, struct wall now, bool mac, struct decision *ret)
{
	struct best b = {.m = m, .q = q, .now = now, .always = mac ? DIFFERS_MAC : 0, .rule = IR_NONE};
	int f = q->src.family == 4 ? 0 : 1;
	struct key point[RTREE_AXES], back[RTREE_AXES];

	matcher_point(q, point);
	back[0] = point[1];
	back[1] = point[0];
	back[2] = point[2];
	search(&b, point, RTREE_SRC | RTREE_DST, 0);
	b.by_sport = true;
	search(&b, back, RTREE_SRC | RTREE_DST, DIFFERS_DIRECTION);
	b.by_sport = false;
	if (q->has_port) {
		search(&b, point, RTREE_SRC | RTREE_PORT, DIFFERS_DESTINATION);
		search(&b, point, RTREE_DST | RTREE_PORT, DIFFERS_SOURCE);
	}
	search_first(&b, m->by_src[f], point[0], DIFFERS_DESTINATION);
	search_first(&b, m->by_dst[f], point[1], DIFFERS_SOURCE);
	ret->nearest = b.rule;
	ret->differs = b.rule == IR_NONE ? 0 : b.differs;
}
