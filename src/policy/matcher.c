/*
 * matcher.c: what would happen to this packet, the first of its flow, and why.
 *
 * The same questions in the same order as the kernel's chains (bogon.h lists it). Indexes are built once from
 * an IR that ir_open() has checked: sorted ranges for addresses, a hash for boxes of single addresses and one
 * port, a tree for the others. A question costs a few microseconds and allocates nothing.
 */
#include "matcher.h"

#include <sekisho/bogon.h>

#include <netinet/in.h>
#include <stdlib.h>
#include <string.h>

#define FAMILY_INDEX(family) ((family) == 4 ? 0 : 1)

/* -- building ------------------------------------------------------------------------------------------- */

static void add_range(struct matcher *m, struct pieces *p, const struct addr_range *r, uint32_t owner)
{
	*(struct piece *)arena_push(m->arena, (void **)&p->v, &p->n, &p->cap, sizeof(struct piece)) =
		(struct piece){*r, owner};
}

static void index_addresses(struct matcher *m)
{
	const struct ir *ir = m->ir;
	struct pieces networks = {0}, ways = {0}, sources = {0}, hosts = {0};

	for (uint32_t i = 0; i < ir->nnetworks; i++) {
		struct addr_range r = ir_addr_range(ir->networks[i].family, &ir->networks[i].range);
		add_range(m, &networks, &r, ir->networks[i].segment);
	}
	for (uint32_t i = 0; i < ir->nlocals; i++) {
		struct addr a = ir_addr(ir->locals[i].family, ir->locals[i].addr);
		struct addr_range r = prefix_range(&a, ir->locals[i].prefix_len);
		add_range(m, &ways, &r, ir->locals[i].interface);
	}
	for (uint32_t i = 0; i < ir->nroutes; i++) {
		struct addr a = ir_addr(ir->routes[i].family, ir->routes[i].prefix);
		struct addr_range r = prefix_range(&a, ir->routes[i].prefix_len);
		add_range(m, &ways, &r, ir->routes[i].interface);
	}
	for (uint32_t i = 0; i < ir->nsources; i++) {
		struct addr_range r = ir_addr_range(ir->sources[i].family, &ir->sources[i].range);
		add_range(m, &sources, &r, i);
	}
	for (uint32_t i = 0; i < ir->nhostaddrs; i++) {
		struct addr_range r = ir_addr_range(ir->hostaddrs[i].family, &ir->hostaddrs[i].range);
		add_range(m, &hosts, &r, ir->hostaddrs[i].host);
	}
	cover_flatten(m->arena, &networks, &m->networks);
	cover_flatten(m->arena, &ways, &m->ways);
	cover_flatten(m->arena, &sources, &m->sources);
	cover_flatten(m->arena, &hosts, &m->hosts);
}

static void index_bogons(struct matcher *m)
{
	static const struct {
		const char *lo, *hi;
		uint8_t where, reason;
	} rows[] = {
#define X(family, lo, hi, where, reason) {lo, hi, where, REASON_##reason},
		BOGONS(X)
#undef X
	};

	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		struct addr_range r;
		addr_parse(rows[i].lo, &r.lo);
		addr_parse(rows[i].hi, &r.hi);
		add_range(m, &m->bogons, &r, (uint32_t)rows[i].where << 8 | rows[i].reason);
	}
}

static struct rect rect_of(uint8_t family, const struct ir_range *src, const struct ir_range *dst,
	uint32_t port_lo, uint32_t port_hi)
{
	struct addr_range s = ir_addr_range(family, src), d = ir_addr_range(family, dst);

	return (struct rect){.lo = {key_of_addr(&s.lo), key_of_addr(&d.lo), {0, port_lo}},
		.hi = {key_of_addr(&s.hi), key_of_addr(&d.hi), {0, port_hi}}};
}

static uint32_t port_key(uint8_t proto, uint16_t port)
{
	return (uint32_t)proto << 16 | port;
}

/* What a box of single values is found by. */
struct exact_key {
	uint8_t src[16], dst[16];
	uint32_t port;
	uint32_t family;
};

static uint64_t exact_hash(const struct exact_key *k)
{
	return siphash(siphash_key(), k, sizeof(*k));
}

static struct exact_key exact_key_of(const struct ir_box *b)
{
	struct exact_key k = {.port = port_key(b->proto, b->port_lo), .family = b->family};

	memcpy(k.src, b->src.lo, sizeof(k.src));
	memcpy(k.dst, b->dst.lo, sizeof(k.dst));
	return k;
}

static bool is_exact(const struct ir_box *b)
{
	return b->port_lo == b->port_hi && memcmp(b->src.lo, b->src.hi, 16) == 0 &&
	       memcmp(b->dst.lo, b->dst.hi, 16) == 0;
}

static uint32_t *exact_slot(const struct matcher *m, const struct exact_key *k)
{
	for (size_t i = exact_hash(k) & (m->exact_cap - 1);; i = (i + 1) & (m->exact_cap - 1)) {
		if (m->exact[i] == NONE)
			return &m->exact[i];
		struct exact_key have = exact_key_of(&m->ir->boxes[m->exact[i]]);
		if (memcmp(&have, k, sizeof(have)) == 0)
			return &m->exact[i];
	}
}

static void *must_alloc(size_t n, size_t size)
{
	void *p = calloc(n == 0 ? 1 : n, size);

	if (p == NULL)
		abort();
	return p;
}

static void index_boxes(struct matcher *m)
{
	const struct ir *ir = m->ir;
	size_t nexact = 0, n[2] = {0};
	struct rect *v[2];

	for (uint32_t i = 0; i < ir->nboxes; i++)
		if (is_exact(&ir->boxes[i]))
			nexact++;
		else
			n[FAMILY_INDEX(ir->boxes[i].family)]++;
	for (m->exact_cap = 16; m->exact_cap < nexact * 2; m->exact_cap *= 2)
		;
	m->exact = must_alloc(m->exact_cap, sizeof(*m->exact));
	memset(m->exact, 0xff, m->exact_cap * sizeof(*m->exact));
	for (int f = 0; f < 2; f++) {
		v[f] = must_alloc(n[f], sizeof(**v));
		n[f] = 0;
	}
	for (uint32_t i = 0; i < ir->nboxes; i++) {
		const struct ir_box *b = &ir->boxes[i];
		int f = FAMILY_INDEX(b->family);
		struct exact_key k = exact_key_of(b);
		if (is_exact(b)) {
			*exact_slot(m, &k) = i;
			continue;
		}
		v[f][n[f]] = rect_of(b->family, &b->src, &b->dst, port_key(b->proto, b->port_lo),
			port_key(b->proto, b->port_hi));
		v[f][n[f]++].id = i;
	}
	for (int f = 0; f < 2; f++) {
		m->box_rects[f] = v[f];
		m->boxes[f] = rtree_new(v[f], n[f], RTREE_ALL);
	}
}

static void index_spans(struct matcher *m)
{
	const struct ir *ir = m->ir;
	size_t n[2] = {0};
	struct rect *v[2];

	for (uint32_t i = 0; i < ir->nspans; i++)
		n[FAMILY_INDEX(ir->spans[i].family)]++;
	for (int f = 0; f < 2; f++) {
		v[f] = must_alloc(n[f], sizeof(**v));
		n[f] = 0;
	}
	for (uint32_t i = 0; i < ir->nspans; i++) {
		const struct ir_span *s = &ir->spans[i];
		int f = FAMILY_INDEX(s->family);
		v[f][n[f]] = rect_of(s->family, &s->src, &s->dst, port_key(s->proto, s->port_lo),
			port_key(s->proto, s->port_hi));
		v[f][n[f]++].id = i;
	}
	for (int f = 0; f < 2; f++) {
		m->span_rects[f] = v[f];
		m->by_src[f] = paint_new(v[f], n[f], 0);
		m->by_dst[f] = paint_new(v[f], n[f], 1);
		m->by_pair[f] = rtree_new(v[f], n[f], RTREE_SRC | RTREE_DST);
		m->by_src_port[f] = rtree_new(v[f], n[f], RTREE_SRC | RTREE_PORT);
		m->by_dst_port[f] = rtree_new(v[f], n[f], RTREE_DST | RTREE_PORT);
	}
}

struct matcher *matcher_new(const struct ir *ir)
{
	struct matcher *m = must_alloc(1, sizeof(*m));

	m->ir = ir;
	m->arena = arena_new();
	if (m->arena == NULL)
		abort();
	index_addresses(m);
	index_bogons(m);
	index_boxes(m);
	index_spans(m);
	return m;
}

void matcher_free(struct matcher *m)
{
	if (m == NULL)
		return;
	for (int f = 0; f < 2; f++) {
		rtree_free(m->boxes[f]);
		rtree_free(m->by_pair[f]);
		rtree_free(m->by_src_port[f]);
		rtree_free(m->by_dst_port[f]);
		free(m->box_rects[f]);
		free(m->span_rects[f]);
		paint_free(m->by_src[f]);
		paint_free(m->by_dst[f]);
	}
	free(m->exact);
	arena_free(m->arena);
	free(m);
}

/* -- asking --------------------------------------------------------------------------------------------- */

void matcher_point(const struct question *q, struct key point[RTREE_AXES])
{
	point[0] = key_of_addr(&q->src);
	point[1] = key_of_addr(&q->dst);
	point[2] = (struct key){0, port_key(q->proto, q->dport)};
}

static void note_id(struct visit *v, uint32_t id)
{
	v->limit = id; /* disjoint: the first is the only one */
}

/* The box that holds the packet; NONE. A question without a port is answered for all ports at once. */
static uint32_t find_box(const struct matcher *m, const struct question *q)
{
	struct exact_key k = {.port = port_key(q->proto, q->dport), .family = q->src.family};
	struct key point[RTREE_AXES];

	matcher_point(q, point);
	struct visit v = {.point = point, .mask = RTREE_ALL, .limit = NONE, .fn = note_id};
	memcpy(k.src, q->src.b, sizeof(k.src));
	memcpy(k.dst, q->dst.b, sizeof(k.dst));
	if (q->has_port && *exact_slot(m, &k) != NONE)
		return *exact_slot(m, &k);
	rtree_visit(m->boxes[FAMILY_INDEX(q->src.family)], &v);
	if (v.limit != NONE && !q->has_port &&
		(m->ir->boxes[v.limit].port_lo != 0 || m->ir->boxes[v.limit].port_hi != 65535))
		return NONE;
	return v.limit;
}

static bool is_local(const struct matcher *m, const struct addr *a, uint32_t *ret_interface)
{
	for (uint32_t i = 0; i < m->ir->nlocals; i++) {
		const struct ir_local *l = &m->ir->locals[i];
		if (l->family == a->family && memcmp(l->addr, a->b, sizeof(l->addr)) == 0) {
			*ret_interface = l->interface;
			return true;
		}
	}
	return false;
}

/* The first or the last address of a connected IPv4 network (RFC 1122 3.2.1.3). */
static bool is_net_broadcast(const struct matcher *m, const struct addr *a)
{
	if (a->family != 4)
		return false;
	for (uint32_t i = 0; i < m->ir->nlocals; i++) {
		const struct ir_local *l = &m->ir->locals[i];
		struct addr local = ir_addr(l->family, l->addr);
		struct addr_range r = prefix_range(&local, l->prefix_len);
		if (l->family == 4 && l->prefix_len < 31 &&
			(addr_cmp(&r.lo, a) == 0 || addr_cmp(&r.hi, a) == 0))
			return true;
	}
	return false;
}

/* An address for many: what is sent there crosses no gateway. */
static bool is_group(const struct matcher *m, const struct addr *a)
{
	static const uint8_t all[4] = {255, 255, 255, 255};

	if (a->family == 6)
		return a->b[0] == 0xff;
	return (a->b[0] & 0xf0) == 0xe0 || memcmp(a->b, all, 4) == 0 || is_net_broadcast(m, a);
}

static enum reason bogon_of(const struct matcher *m, const struct addr *a, unsigned where)
{
	const struct piece *p = cover_find(&m->bogons, a);

	return p != NULL && (p->owner >> 8 & where) != 0 ? (enum reason)(p->owner & 0xff) : REASON_NONE;
}

/* Steps 2 to 4 of bogon.h. *ret_in: the interface that it must have come from. */
static enum reason judge_source(const struct matcher *m, const struct question *q, uint32_t *ret_in)
{
	enum reason src = bogon_of(m, &q->src, BOGON_SRC);
	uint32_t local;

	if ((src == REASON_ADDR_UNSPECIFIED || src == REASON_ADDR_LINK_LOCAL) && is_group(m, &q->dst))
		return REASON_LOCAL_NOISE;
	if (is_local(m, &q->src, &local))
		return REASON_ADDR_OWN;
	if (is_net_broadcast(m, &q->src))
		return REASON_ADDR_BROADCAST;
	if (src != REASON_NONE)
		return src;
	const struct piece *p = cover_find(&m->sources, &q->src);
	if (p == NULL)
		return REASON_SPOOF;
	const struct ir_source *s = &m->ir->sources[p->owner];
	*ret_in = s->interface;
	return q->has_mac && s->has_mac && memcmp(s->mac, q->mac.b, sizeof(s->mac)) != 0 ? REASON_MAC
											 : REASON_NONE;
}

/* Step 6, ICMP: what conntrack takes as the first packet of a flow passes on. */
static enum reason judge_icmp4(unsigned type)
{
	switch (type) {
	case 8: /* echo, timestamp, information, address mask: questions */
	case 13:
	case 15:
	case 17:
		return REASON_NONE;
	case 5:
		return REASON_REDIRECT;
	case 3: /* unreachable, source quench, time exceeded, parameter problem: errors */
	case 4:
	case 11:
	case 12:
		return REASON_RELATED;
	default:
		return type > 18 ? REASON_MALFORMED : REASON_STATE;
	}
}

static enum reason judge_icmp6(unsigned type)
{
	switch (type) {
	case 128: /* echo, node information: questions */
	case 139:
		return REASON_NONE;
	case 137:
		return REASON_REDIRECT;
	case 1:
	case 2:
	case 3:
	case 4:
		return REASON_RELATED;
	case 133: /* neighbour discovery that comes to a gateway to be routed has been routed before (RFC
		     4861) */
	case 134:
	case 135:
	case 136:
		return REASON_MALFORMED;
	case 130: /* listener messages to a single address are for the gateway, which hears none */
	case 131:
	case 132:
	case 143:
		return REASON_TO_GATEWAY;
	default:
		return REASON_STATE;
	}
}

static enum reason judge_header(const struct question *q)
{
	if (!q->has_port)
		return REASON_NONE;
	if (q->proto == IPPROTO_TCP || q->proto == IPPROTO_UDP)
		return q->dport == 0 ? REASON_MALFORMED : REASON_NONE;
	if (q->proto == IPPROTO_ICMP && q->src.family == 4)
		return judge_icmp4(q->dport >> 8);
	if (q->proto == IPPROTO_ICMPV6 && q->src.family == 6)
		return judge_icmp6(q->dport >> 8);
	return REASON_NONE;
}

/* To an address of the gateway itself. */
static void judge_local(
	const struct matcher *m, const struct question *q, uint32_t in, uint32_t local, struct decision *ret)
{
	const struct ir_segment *s = &m->ir->segments[m->ir->interfaces[in].segment];
	uint16_t echo = q->src.family == 4 ? 8 << 8 : 128 << 8;
	uint8_t icmp = q->src.family == 4 ? IPPROTO_ICMP : IPPROTO_ICMPV6;

	ret->reason = REASON_TO_GATEWAY;
	if (local != in)
		return;
	if (s->answer_ping && q->proto == icmp && q->has_port && q->dport >> 8 == echo >> 8) {
		ret->verdict = VERDICT_ALLOW;
		ret->reason = REASON_NONE;
		return;
	}
	for (uint32_t i = 0; i < m->ir->nowns; i++) {
		const struct ir_own *o = &m->ir->owns[i];
		struct addr_range remote = ir_addr_range(o->family, &o->remote);
		if (o->out || o->turned || o->interface != in || o->proto != q->proto || !q->has_port ||
			q->dport < o->port_lo || q->dport > o->port_hi || !range_has(&remote, &q->src) ||
			memcmp(o->local, q->dst.b, 16) != 0)
			continue;
		ret->verdict = VERDICT_MAIL;
		ret->reason = REASON_NONE;
		return;
	}
}

/* Mail for a server behind the gate that the gate takes in its place. */
static bool is_turned(const struct matcher *m, const struct question *q, uint32_t in)
{
	for (uint32_t i = 0; i < m->ir->nowns; i++) {
		const struct ir_own *o = &m->ir->owns[i];
		struct addr_range remote = ir_addr_range(o->family, &o->remote);
		if (o->turned != 0 && o->interface == in && o->family == q->src.family && o->proto == q->proto && q->has_port &&
			q->dport >= o->port_lo && q->dport <= o->port_hi && range_has(&remote, &q->src) &&
			memcmp(o->local, q->dst.b, 16) == 0)
			return true;
	}
	return false;
}

/* Step 8: the segment pair and its boxes. */
static void judge_pair(
	const struct matcher *m, const struct question *q, struct wall now, uint32_t in, struct decision *ret)
{
	const struct ir *ir = m->ir;
	uint32_t box = find_box(m, q), rule = IR_NONE;

	if (guard_forbidden_pair(ir->segments[ret->from].kind, ir->segments[ret->to].kind)) {
		ret->reason = REASON_FORBIDDEN_PAIR;
		return;
	}
	ret->reason = REASON_NO_RULE;
	if (box != NONE && ir->boxes[box].from == ret->from && ir->boxes[box].to == ret->to)
		rule = box_active(ir, &ir->boxes[box], now, NULL);
	ret->rule = rule;
	ret->turned = is_turned(m, q, in);
	if (ret->turned) {
		ret->verdict = VERDICT_MAIL;
		ret->reason = REASON_NONE;
		return;
	}
	if (rule == IR_NONE)
		return;
	switch (ir->rules[rule].action) {
	case IR_MAIL:
		ret->verdict = VERDICT_MAIL;
		ret->reason = REASON_NO_MAIL_GATE;
		ret->enforced_closed = true;
		break;
	case IR_INSPECT:
		ret->verdict = VERDICT_INSPECT;
		ret->reason = REASON_NONE;
		break;
	default:
		ret->verdict = VERDICT_ALLOW;
		ret->reason = REASON_NONE;
	}
}

/* Where the packet would go: the segment, or an address of the gateway. False when there is no way. */
static bool find_way(
	const struct matcher *m, const struct question *q, uint32_t *ret_local, struct decision *ret)
{
	const struct piece *p;

	if (is_local(m, &q->dst, ret_local))
		return true;
	p = cover_find(&m->ways, &q->dst);
	if (p == NULL || matcher_segment(m, &q->dst) == IR_NONE)
		return false;
	ret->to = m->ir->interfaces[p->owner].segment;
	return true;
}

static void judge(const struct matcher *m, const struct question *q, struct wall now, struct decision *ret)
{
	uint32_t in = NONE, local = NONE;

	ret->reason = REASON_MALFORMED;
	if (q->src.family != q->dst.family || (q->src.family != 4 && q->src.family != 6))
		return;
	ret->reason = judge_source(m, q, &in);
	ret->from = in == NONE ? matcher_segment(m, &q->src) : m->ir->interfaces[in].segment;
	bool way = find_way(m, q, &local, ret);
	if (ret->reason == REASON_NONE && is_group(m, &q->dst))
		ret->reason = REASON_LOCAL_NOISE;
	if (ret->reason == REASON_NONE)
		ret->reason = bogon_of(m, &q->dst, BOGON_DST);
	if (ret->reason == REASON_NONE)
		ret->reason = judge_header(q);
	if (ret->reason == REASON_NONE && !way)
		ret->reason = REASON_NO_ROUTE;
	if (ret->reason != REASON_NONE)
		return;
	if (local != NONE)
		judge_local(m, q, in, local, ret);
	else
		judge_pair(m, q, now, in, ret);
}

/*
 * Of which drops the nearest rule tells something: those that a
 * rule, or another sender, could have made pass.
 */
static bool wants_nearest(enum reason r)
{
	return r == REASON_NO_RULE || r == REASON_FORBIDDEN_PAIR || r == REASON_MAC || r == REASON_SPOOF ||
	       r == REASON_NO_ROUTE;
}

void matcher_decide(const struct matcher *m, const struct question *q, struct wall now, struct decision *ret)
{
	*ret = (struct decision){
		.verdict = VERDICT_DROP, .rule = IR_NONE, .nearest = IR_NONE, .from = IR_NONE, .to = IR_NONE};
	judge(m, q, now, ret);
	if (ret->verdict == VERDICT_DROP && wants_nearest(ret->reason))
		nearest_find(m, q, now, ret->reason == REASON_MAC, ret);
}

uint32_t matcher_segment(const struct matcher *m, const struct addr *a)
{
	const struct piece *p = cover_find(&m->networks, a);

	return p == NULL ? IR_NONE : p->owner;
}

uint32_t matcher_host(const struct matcher *m, const struct addr *a)
{
	const struct piece *p = cover_find(&m->hosts, a);

	return p == NULL ? IR_NONE : p->owner;
}

const char *verdict_word(enum verdict v)
{
	static const char *const words[] = {"drop", "allow", "inspect", "mail"};

	return words[v];
}
