/*
 * guard_ir.c: the laws of the three layers, on the compiled policy alone.
 *
 * sekishod calls this before it programs anything. It shares no code with the guard of the compiler (guard.c)
 * and does not believe what the compiler concluded: it looks at the boxes, which are what the kernel will let
 * pass, at the spans and hosts behind them, and at the kinds of the segments.
 *
 *   mynumber <-> internet   never; no exception lifts it
 *   mynumber <-> another    one host at each end, no range of ports wider than LIMIT_GUARD_PORTS (an exception
 *                           lifts these two), an approval, an end, an isolated far end when it is external
 *   lgwan <-> internet      sanitised (mail: by the mail gate only; screens: verified by the inspector, or between
 *                           two hosts inside TLS with a server name and a product), or a break-out under
 *                           alpha-prime with named servers, or an exception
 *   exception               an approval and an end
 *   application             only over what it is verified on; one way only without a handshake; FTP on one port
 *   own flows               none between the gate and a host that the policy could not name
 *   trunk                   none that carries mynumber and internet together
 */
#include "rtree.h"
#include "verified.h"

#include <netinet/in.h>
#include <stdlib.h>
#include <string.h>

bool guard_forbidden_pair(enum segment_kind a, enum segment_kind b)
{
	return (a == KIND_MYNUMBER && b == KIND_INTERNET) || (a == KIND_INTERNET && b == KIND_MYNUMBER);
}

static bool is_pair(uint8_t a, uint8_t b, enum segment_kind one, enum segment_kind other)
{
	return (a == one && b == other) || (a == other && b == one);
}

/* Single host addresses in order, to find the host that an address belongs to. */
struct host_index {
	const struct ir_hostaddr **v;
	size_t n;
};

static int hostaddr_cmp(const struct ir_hostaddr *a, uint8_t family, const uint8_t b[16])
{
	if (a->family != family)
		return a->family < family ? -1 : 1;
	return memcmp(a->range.lo, b, 16);
}

static int by_addr(const void *pa, const void *pb)
{
	const struct ir_hostaddr *const *a = pa, *const *b = pb;

	return hostaddr_cmp(*a, (*b)->family, (*b)->range.lo);
}

static void index_hosts(const struct ir *ir, struct host_index *ret)
{
	*ret = (struct host_index){.v = calloc((size_t)ir->nhostaddrs + 1, sizeof(void *))};
	if (ret->v == NULL)
		abort();
	for (uint32_t i = 0; i < ir->nhostaddrs; i++)
		if (memcmp(ir->hostaddrs[i].range.lo, ir->hostaddrs[i].range.hi, 16) == 0)
			ret->v[ret->n++] = &ir->hostaddrs[i];
	qsort(ret->v, ret->n, sizeof(ret->v[0]), by_addr);
}

/* The one host with exactly this address; IR_NONE when the range is wider or nobody's. */
static uint32_t host_of(const struct host_index *x, uint8_t family, const struct ir_range *r)
{
	size_t lo = 0, hi = x->n;

	if (memcmp(r->lo, r->hi, 16) != 0)
		return IR_NONE;
	while (lo < hi) {
		size_t mid = (lo + hi) / 2;
		int d = hostaddr_cmp(x->v[mid], family, r->lo);
		if (d == 0)
			return x->v[mid]->host;
		if (d < 0)
			lo = mid + 1;
		else
			hi = mid;
	}
	return IR_NONE;
}

/* All spans of a rule begin at one host and end at one host. */
static bool single_hosts(const struct ir *ir, const struct host_index *x, const struct ir_rule *r)
{
	uint32_t src = IR_NONE, dst = IR_NONE;

	for (uint32_t k = 0; k < r->spans.n; k++) {
		const struct ir_span *s = &ir->spans[r->spans.first + k];
		uint32_t a = host_of(x, s->family, &s->src), b = host_of(x, s->family, &s->dst);
		if (a == IR_NONE || b == IR_NONE || (k > 0 && (a != src || b != dst)))
			return false;
		if (ir->hosts[a].addrs.n > LIMIT_GUARD_ADDRESSES ||
			ir->hosts[b].addrs.n > LIMIT_GUARD_ADDRESSES)
			return false;
		src = a;
		dst = b;
	}
	return true;
}

static bool ports_exact(const struct ir *ir, const struct ir_rule *r)
{
	for (uint32_t k = 0; k < r->spans.n; k++) {
		const struct ir_span *s = &ir->spans[r->spans.first + k];
		bool icmp = s->proto == IPPROTO_ICMP || s->proto == IPPROTO_ICMPV6;
		if (icmp ? s->port_lo >> 8 != s->port_hi >> 8 : s->port_hi - s->port_lo >= LIMIT_GUARD_PORTS)
			return false;
	}
	return true;
}

/* Does an end of the rule belong to another body? */
static bool touches_external(const struct ir *ir, const struct host_index *x, const struct ir_rule *r)
{
	for (uint32_t k = 0; k < r->spans.n; k++) {
		const struct ir_span *s = &ir->spans[r->spans.first + k];
		uint32_t ends[2] = {host_of(x, s->family, &s->src), host_of(x, s->family, &s->dst)};
		for (int i = 0; i < 2; i++)
			if (ends[i] != IR_NONE && ir->hosts[ends[i]].external != 0)
				return true;
	}
	return (r->flags & IR_RULE_EXTERNAL) != 0;
}

static bool has_end(const struct ir_rule *r)
{
	return r->ends != INT64_MAX || r->window_to != INT64_MAX;
}

static const char *law_mynumber(const struct ir *ir, const struct host_index *x, const struct ir_rule *r)
{
	bool exception = (r->flags & IR_RULE_EXCEPTION) != 0;

	if (!exception && !single_hosts(ir, x, r))
		return "mynumber-single-host";
	if (!exception && !ports_exact(ir, r))
		return "mynumber-ports";
	if (r->napprovals == 0)
		return "mynumber-approval";
	if (!has_end(r))
		return "mynumber-end";
	if (touches_external(ir, x, r) && (r->flags & IR_RULE_EXTERNAL_ISOLATED) == 0)
		return "mynumber-isolated";
	return NULL;
}

/* Only servers that the rule names, and whose names are seen. */
static bool names_servers(const struct ir *ir, const struct ir_rule *r)
{
	return r->verified != 0 && ir->verifieds[r->verified - 1].server_names.n > 0 &&
	       (ir->verifieds[r->verified - 1].options & VERIFY_ECH) == 0;
}

static bool names_exactly(const struct ir *ir, const struct ir_rule *r)
{
	struct ir_run run = ir->verifieds[r->verified - 1].server_names;

	for (uint32_t i = 0; i < run.n; i++)
		if (ir_text(ir, ir->names[run.first + i].name)[0] == '*')
			return false;
	return true;
}

/* What runs inside TLS is not verified: then the two hosts and the server's name are all that bounds it. */
static bool screen_bounded(const struct ir *ir, const struct host_index *x, const struct ir_rule *r)
{
	return r->application == APP_TLS && names_servers(ir, r) && names_exactly(ir, r) &&
	       single_hosts(ir, x, r);
}

static const char *law_screen(const struct ir *ir, const struct host_index *x, const struct ir_rule *r)
{
	if (r->screen_product != SCREEN_NONE && !screen_bounded(ir, x, r))
		return "screen-product";
	if (r->sanitised_by != SANITISED_SCREEN_TRANSFER)
		return NULL;
	if (r->action != IR_INSPECT ||
		(r->screen_product == SCREEN_NONE && !application_is_screen(r->application)))
		return "screen-transfer";
	return NULL;
}

/* The inspector gets only what its verifier can read, so that nothing is closed or open by a misunderstanding. */
static const char *law_application(const struct ir *ir, const struct ir_rule *r)
{
	bool one_way = (r->flags & IR_RULE_ONE_WAY) != 0;

	if (r->application == APP_NONE || r->action == IR_MAIL)
		return NULL;
	if (r->action == IR_ALLOW)
		return "application";
	for (uint32_t k = 0; k < r->spans.n; k++) {
		const struct ir_span *s = &ir->spans[r->spans.first + k];
		if (!application_over(r->application, s->proto) || (one_way && s->proto != IPPROTO_UDP))
			return "application-transport";
		if (r->application == APP_FTP && s->port_lo != s->port_hi)
			return "ftp-port";
	}
	if (one_way && r->application != APP_SYSLOG && r->application != APP_SNMP)
		return "one-way";
	return NULL;
}

static const char *law_sanitised(const struct ir *ir, const struct ir_rule *r)
{
	if ((r->flags & IR_RULE_BREAKOUT) != 0)
		return ir->system->alpha_prime && names_servers(ir, r) && r->action == IR_INSPECT
			       ? NULL
			       : "breakout";
	if ((r->flags & IR_RULE_EXCEPTION) != 0)
		return NULL;
	switch (r->sanitised_by) {
	case SANITISED_MAIL_TO_TEXT:
		return r->action == IR_MAIL ? NULL : "mail-to-text";
	case SANITISED_SCREEN_TRANSFER:
	case SANITISED_FILE_RELAY:
		return NULL; /* of a screen more is asked in law_screen() */
	default:
		return "sanitised";
	}
}

static const char *law_of_rule(const struct ir *ir, const struct host_index *x, const struct ir_rule *r)
{
	uint8_t a = ir->segments[r->from_segment].kind, b = ir->segments[r->to_segment].kind;
	const char *law = NULL;

	if (guard_forbidden_pair(a, b))
		return "mynumber-internet";
	/* Mail is the mail gate's whatever the rule calls it, and what is verified is never just allowed. */
	if (r->sanitised_by == SANITISED_MAIL_TO_TEXT && r->action != IR_MAIL)
		return "mail-to-text";
	if ((law = law_application(ir, r)) != NULL || (law = law_screen(ir, x, r)) != NULL)
		return law;
	if ((r->flags & IR_RULE_EXCEPTION) != 0 && (r->napprovals == 0 || !has_end(r)))
		return "exception";
	if (r->from_segment != r->to_segment && (a == KIND_MYNUMBER || b == KIND_MYNUMBER))
		law = law_mynumber(ir, x, r);
	if (law == NULL && is_pair(a, b, KIND_LGWAN, KIND_INTERNET))
		law = law_sanitised(ir, r);
	return law;
}

/* The first network of the run that ends at or behind the address: they are sorted and disjoint. */
static uint32_t first_network(const struct ir *ir, struct ir_run run, const struct addr *a)
{
	uint32_t lo = 0, hi = run.n;

	while (lo < hi) {
		uint32_t mid = lo + (hi - lo) / 2;
		const struct ir_network *n = &ir->networks[run.first + mid];
		struct addr end = ir_addr(n->family, n->range.hi);
		if (addr_cmp(&end, a) < 0)
			lo = mid + 1;
		else
			hi = mid;
	}
	return lo;
}

/* Is the whole range inside what belongs to the segment? Networks that touch each other count as one. */
static bool in_segment(const struct ir *ir, uint16_t segment, uint8_t family, const struct ir_range *r)
{
	struct ir_run run = ir->segments[segment].networks;
	struct addr want = ir_addr(family, r->lo), end = ir_addr(family, r->hi);

	for (uint32_t k = first_network(ir, run, &want); k < run.n; k++) {
		const struct ir_network *n = &ir->networks[run.first + k];
		struct addr_range have = ir_addr_range(n->family, &n->range);
		if (!range_has(&have, &want))
			return false;
		if (range_has(&have, &end))
			return true;
		want = have.hi;
		if (!addr_next(&want))
			return false;
	}
	return false;
}

static bool within(const struct ir_range *outer, const struct ir_range *inner)
{
	return memcmp(outer->lo, inner->lo, 16) <= 0 && memcmp(inner->hi, outer->hi, 16) <= 0;
}

static bool span_grants(const struct ir_span *s, const struct ir_box *b)
{
	return s->family == b->family && s->proto == b->proto && s->port_lo <= b->port_lo &&
	       b->port_hi <= s->port_hi && within(&s->src, &b->src) && within(&s->dst, &b->dst);
}

/* Rules with more spans than this are looked up in an index. */
#define SPANS_FEW 64

/* All spans, to be found by the first corner of a box; built when a rule has many. */
struct span_index {
	struct rect *rects[2];
	struct rtree *trees[2];
};

static struct key pp_key(uint8_t proto, uint16_t port)
{
	return (struct key){0, (uint64_t)proto << 16 | port};
}

static struct rect rect_of_span(const struct ir_span *s, uint32_t id)
{
	struct addr_range src = ir_addr_range(s->family, &s->src), dst = ir_addr_range(s->family, &s->dst);

	return (struct rect){.lo = {key_of_addr(&src.lo), key_of_addr(&dst.lo), pp_key(s->proto, s->port_lo)},
		.hi = {key_of_addr(&src.hi), key_of_addr(&dst.hi), pp_key(s->proto, s->port_hi)},
		.id = id};
}

static void index_spans(const struct ir *ir, struct span_index *ret)
{
	for (int f = 0; f < 2; f++) {
		size_t n = 0;
		ret->rects[f] = calloc((size_t)ir->nspans + 1, sizeof(struct rect));
		if (ret->rects[f] == NULL)
			abort();
		for (uint32_t i = 0; i < ir->nspans; i++)
			if (ir->spans[i].family == (f == 0 ? 4 : 6))
				ret->rects[f][n++] = rect_of_span(&ir->spans[i], i);
		ret->trees[f] = rtree_new(ret->rects[f], n, RTREE_ALL);
	}
}

static void span_index_free(struct span_index *x)
{
	for (int f = 0; f < 2; f++) {
		rtree_free(x->trees[f]);
		free(x->rects[f]);
	}
}

struct grant {
	const struct ir *ir;
	const struct ir_box *box;
	uint32_t rule;
	bool granted;
};

static void note_grant(struct visit *v, uint32_t id)
{
	struct grant *g = v->arg;

	if (g->ir->spans[id].rule == g->rule && span_grants(&g->ir->spans[id], g->box)) {
		g->granted = true;
		v->limit = 0; /* enough */
	}
}

/* Does the rule, as written, grant the whole box? */
static bool rule_grants(const struct ir *ir, struct span_index *x, uint32_t rule, const struct ir_box *b)
{
	struct ir_run run = ir->rules[rule].spans;
	struct addr src = ir_addr(b->family, b->src.lo), dst = ir_addr(b->family, b->dst.lo);
	struct key point[RTREE_AXES] = {key_of_addr(&src), key_of_addr(&dst), pp_key(b->proto, b->port_lo)};
	struct grant g = {ir, b, rule, false};
	struct visit v = {.point = point, .mask = RTREE_ALL, .limit = NONE, .fn = note_grant, .arg = &g};

	for (uint32_t k = 0; run.n <= SPANS_FEW && k < run.n; k++)
		if (span_grants(&ir->spans[run.first + k], b))
			return true;
	if (run.n <= SPANS_FEW)
		return false;
	if (x->trees[0] == NULL)
		index_spans(ir, x);
	rtree_visit(x->trees[b->family == 4 ? 0 : 1], &v);
	return g.granted;
}

/* What the kernel will let pass keeps to the segments that it claims, and to what its rules say. */
static const char *law_of_box(const struct ir *ir, const struct ir_box *b)
{
	if (guard_forbidden_pair(ir->segments[b->from].kind, ir->segments[b->to].kind))
		return "mynumber-internet";
	if (!in_segment(ir, b->from, b->family, &b->src) || !in_segment(ir, b->to, b->family, &b->dst))
		return "outside-segment";
	return NULL;
}

/* Two interfaces on one cable: the same parent, or one is the other's parent. */
static bool share_cable(const struct ir_interface *a, const struct ir_interface *b)
{
	const char *pa = a->parent[0] != '\0' ? a->parent : a->name;
	const char *pb = b->parent[0] != '\0' ? b->parent : b->name;

	return strcmp(pa, pb) == 0;
}

static const char *law_of_trunks(const struct ir *ir)
{
	for (uint32_t i = 0; i < ir->ninterfaces; i++)
		for (uint32_t k = i + 1; k < ir->ninterfaces; k++) {
			const struct ir_interface *a = &ir->interfaces[i], *b = &ir->interfaces[k];
			if (share_cable(a, b) && guard_forbidden_pair(ir->segments[a->segment].kind,
							 ir->segments[b->segment].kind))
				return "trunk";
		}
	return NULL;
}

/*
 * Each address belongs to one segment at most: the networks of all
 * segments, in order of address, never overlap.
 */
static int by_range(const void *pa, const void *pb)
{
	const struct ir_network *const *a = pa, *const *b = pb;

	if ((*a)->family != (*b)->family)
		return (*a)->family < (*b)->family ? -1 : 1;
	return memcmp((*a)->range.lo, (*b)->range.lo, 16);
}

static const char *law_of_networks(const struct ir *ir)
{
	const struct ir_network **v = calloc((size_t)ir->nnetworks + 1, sizeof(*v));
	const char *law = NULL;

	if (v == NULL)
		abort();
	for (uint32_t i = 0; i < ir->nnetworks; i++)
		v[i] = &ir->networks[i];
	qsort(v, ir->nnetworks, sizeof(*v), by_range);
	for (uint32_t i = 1; i < ir->nnetworks; i++)
		if (v[i]->family == v[i - 1]->family && memcmp(v[i]->range.lo, v[i - 1]->range.hi, 16) <= 0)
			law = "networks-overlap";
	free(v);
	return law;
}

/* No address may enter by an interface whose segment does not own it. */
static const char *law_of_sources(const struct ir *ir)
{
	for (uint32_t i = 0; i < ir->nsources; i++) {
		const struct ir_source *s = &ir->sources[i];
		if (!in_segment(ir, ir->interfaces[s->interface].segment, s->family, &s->range))
			return "source-outside-segment";
	}
	return NULL;
}

/* What is taken in place of a mail server: only mail, for a next hop on the other side, from where its
 * direction has clients. */
static bool may_turn(const struct ir *ir, const struct ir_own *o)
{
	struct addr server = ir_addr(o->family, o->local);
	const struct ir_mail *m = ir_mail_turned(ir, &server);
	enum segment_kind from = (enum segment_kind)ir->segments[ir->interfaces[o->interface].segment].kind;

	if (m == NULL || o->out != 0 || o->proto != IPPROTO_TCP || o->port_lo != 25 || o->port_hi != 25)
		return false;
	for (uint32_t i = 0; i < ir->nlocals; i++)
		if (ir->locals[i].family == o->family && memcmp(ir->locals[i].addr, o->local, 16) == 0)
			return false;
	return from == (m->direction == MAIL_IN ? KIND_INTERNET : KIND_LGWAN);
}

/* What the gate itself does stays in the segment of the interface that it uses. */
static const char *law_of_owns(const struct ir *ir)
{
	for (uint32_t i = 0; i < ir->nowns; i++) {
		const struct ir_own *o = &ir->owns[i];
		if (!in_segment(ir, ir->interfaces[o->interface].segment, o->family, &o->remote))
			return "own-outside-segment";
		if (o->turned != 0 && !may_turn(ir, o))
			return "mail-turned";
	}
	return NULL;
}

static const char *check_rules(const struct ir *ir, uint32_t *ret_rule)
{
	struct host_index x;
	struct span_index spans = {0};
	const char *law = NULL;

	index_hosts(ir, &x);
	for (uint32_t i = 0; law == NULL && i < ir->nrules; i++)
		if ((law = law_of_rule(ir, &x, &ir->rules[i])) != NULL)
			*ret_rule = i;
	free(x.v);
	for (uint32_t i = 0; law == NULL && i < ir->nboxes; i++) {
		const struct ir_box *b = &ir->boxes[i];
		if ((law = law_of_box(ir, b)) != NULL)
			*ret_rule = ir->cands[b->cand.first].rule;
		for (uint32_t k = 0; law == NULL && k < b->cand.n; k++) {
			uint32_t rule = ir->cands[b->cand.first + k].rule;
			if (!rule_grants(ir, &spans, rule, b)) {
				law = "box-beyond-rule";
				*ret_rule = rule;
			}
		}
	}
	span_index_free(&spans);
	return law;
}

const char *guard_check(const struct ir *ir, uint32_t *ret_rule)
{
	const char *(*const whole[])(const struct ir *) = {
		law_of_trunks, law_of_networks, law_of_sources, law_of_owns};
	const char *law = NULL;

	*ret_rule = IR_NONE;
	for (size_t i = 0; law == NULL && i < sizeof(whole) / sizeof(whole[0]); i++)
		law = whole[i](ir);
	return law == NULL ? check_rules(ir, ret_rule) : law;
}
