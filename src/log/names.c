/*
 * names.c: what the numbers of a drop mean (see names.h).
 *
 * Input: the IR (checked by ir_open), links and windows of our own processes. Limits: two policies at once.
 * Failure: what is not known stays empty in the row; an interface without a name is shown as "#INDEX".
 */
#include "names.h"

#include <fcntl.h>
#include <netinet/in.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>

#include <sekisho/clock.h>
#include <sekisho/ir.h>
#include <sekisho/match.h>
#include <sekisho/ruleset.h>

struct policy {
	uint32_t generation;
	void *map;
	size_t size;
	struct ir ir;
	struct matcher *matcher;
};

struct names {
	struct msg_links links;
	struct policy *now, *before; /* NULL: none; the matcher points into them */
};

struct names *names_new(void)
{
	return calloc(1, sizeof(struct names));
}

static void policy_drop(struct policy *p)
{
	if (p == NULL)
		return;
	matcher_free(p->matcher);
	if (p->map != NULL)
		munmap(p->map, p->size);
	free(p);
}

void names_free(struct names *n)
{
	if (n == NULL)
		return;
	policy_drop(n->now);
	policy_drop(n->before);
	free(n);
}

void names_links(struct names *n, const struct msg_links *links)
{
	n->links = *links;
}

/* Maps and opens the block; NULL, or what is wrong. */
static const char *policy_map(struct policy *p, int fd)
{
	const int seals = F_SEAL_SHRINK | F_SEAL_GROW | F_SEAL_WRITE;
	struct stat st;

	if ((fcntl(fd, F_GET_SEALS) & seals) != seals)
		return "not sealed";
	if (fstat(fd, &st) != 0 || st.st_size <= 0)
		return "empty";
	p->size = (size_t)st.st_size;
	p->map = mmap(NULL, p->size, PROT_READ, MAP_SHARED, fd, 0);
	if (p->map == MAP_FAILED) {
		p->map = NULL;
		return "cannot be mapped";
	}
	return ir_open(p->map, p->size, &p->ir);
}

const char *names_policy(struct names *n, uint32_t generation, int fd)
{
	struct policy *p = calloc(1, sizeof(*p));
	const char *wrong = p == NULL ? "no memory" : policy_map(p, fd);

	if (wrong != NULL) {
		policy_drop(p);
		return wrong;
	}
	p->generation = generation;
	/* Hours and days of rules are in the policy's zone; one that is not there leaves the old one. */
	clock_set_zone(ir_text(&p->ir, p->ir.system[0].timezone));
	p->matcher = matcher_new(&p->ir);
	policy_drop(n->before);
	n->before = n->now;
	n->now = p;
	return NULL;
}

const struct ir *names_ir(const struct names *n)
{
	return n->now != NULL ? &n->now->ir : NULL;
}

static const struct policy *policy_of(const struct names *n, uint32_t generation)
{
	return n->before != NULL && n->before->generation == generation ? n->before : n->now;
}

static const char *link_name(const struct names *n, uint32_t index)
{
	for (uint32_t i = 0; i < n->links.n && i < MSG_LINKS_MAX; i++)
		if (n->links.link[i].index == index)
			return n->links.link[i].name;
	return NULL;
}

static void fill_link(const struct names *n, uint32_t index, char *dst, size_t size)
{
	const char *name = link_name(n, index);

	if (index == 0)
		return;
	if (name != NULL)
		msg_text(dst, size, name);
	else
		snprintf(dst, size, "#%u", index);
}

/* The segment that an interface belongs to, or IR_NONE. */
static uint32_t segment_of(const struct ir *ir, const char *iface)
{
	for (uint32_t i = 0; iface[0] != '\0' && i < ir->ninterfaces; i++)
		if (strncmp(ir->interfaces[i].name, iface, LIMIT_IFNAME) == 0)
			return ir->interfaces[i].segment;
	return IR_NONE;
}

static void fill_segments(const struct policy *p, struct msg_drop_row *row)
{
	const struct addr dst = ir_addr(row->family, row->dst);
	uint32_t from = segment_of(&p->ir, row->iface), to = segment_of(&p->ir, row->out_iface);

	if (to == IR_NONE && row->out_iface[0] == '\0' && row->family != 0 && row->dst_len != 0)
		to = matcher_segment(p->matcher, &dst);
	if (from != IR_NONE)
		MSG_TEXT(row->from, ir_text(&p->ir, p->ir.segments[from].name));
	if (to != IR_NONE)
		MSG_TEXT(row->to, ir_text(&p->ir, p->ir.segments[to].name));
}

static void fill_host(const struct policy *p, const struct addr *a, char *dst, size_t size)
{
	uint32_t host = matcher_host(p->matcher, a);

	if (host != IR_NONE)
		msg_text(dst, size, ir_text(&p->ir, p->ir.hosts[host].name));
}

static bool has_ports(const struct msg_drop_row *row)
{
	if (row->proto == IPPROTO_ICMP || row->proto == IPPROTO_ICMPV6)
		return true;
	return row->sport != 0 || row->dport != 0;
}

static bool granted_reversed(const struct policy *p, const struct msg_drop_row *row, struct decision *ret)
{
	struct question q = {.src = ir_addr(row->family, row->dst), .dst = ir_addr(row->family, row->src),
		.proto = row->proto, .sport = row->dport, .dport = row->sport, .has_port = has_ports(row)};
	struct decision d;

	matcher_decide(p->matcher, &q, (struct wall){row->first_ns / 1000000000}, &d);
	if (d.rule == IR_NONE)
		return false;
	*ret = d;
	return true;
}

static void fill_rule(const struct policy *p, struct msg_drop_row *row)
{
	struct question q = {.src = ir_addr(row->family, row->src), .dst = ir_addr(row->family, row->dst),
		.proto = row->proto, .sport = row->sport, .dport = row->dport, .has_port = has_ports(row),
		.has_mac = row->has_mac != 0};
	struct decision d;
	bool inspected = row->reason == REASON_APP_MISMATCH || row->reason == REASON_UNFITTING;

	memcpy(q.mac.b, row->src_mac, sizeof(q.mac.b));
	matcher_decide(p->matcher, &q, (struct wall){row->first_ns / 1000000000}, &d);
	/* What was verified belongs to a flow that a rule grants: perhaps it is the server's packet. */
	if (inspected && d.rule == IR_NONE && granted_reversed(p, row, &d))
		d.differs = 0;
	uint32_t rule = d.rule != IR_NONE ? d.rule : d.nearest;
	if (rule == IR_NONE)
		return;
	MSG_TEXT(row->rule, ir_text(&p->ir, p->ir.rules[rule].name));
	row->differs = d.rule != IR_NONE ? 0 : d.differs;
	if (inspected && d.rule != IR_NONE && (row->why != 0 || row->seen != 0))
		row->expected = p->ir.rules[rule].application;
}

void names_fill(const struct names *n, const struct agg_window *w, struct msg_drop_row *row)
{
	const struct agg_key *k = &w->key;
	const struct policy *p = policy_of(n, k->generation);

	*row = (struct msg_drop_row){.sequence = w->sequence, .count = w->count, .first_ns = w->first_ns,
		.last_ns = w->last_ns, .has_mac = w->has_mac, .family = k->family, .proto = k->proto,
		.tcp_flags = w->tcp_flags, .sport = w->sport, .dport = k->dport, .length = w->length,
		.reason = k->reason, .generation = k->generation, .why = w->why, .seen = w->seen, .open = 1};
	memcpy(row->src_mac, k->mac, sizeof(row->src_mac));
	memcpy(row->dst_mac, w->dst_mac.b, sizeof(row->dst_mac));
	memcpy(row->src, k->src, sizeof(row->src));
	memcpy(row->dst, k->dst, sizeof(row->dst));
	row->src_len = row->dst_len = (uint8_t)agg_prefix((enum agg_width)k->width, k->family);
	fill_link(n, k->in, row->iface, sizeof(row->iface));
	fill_link(n, k->out, row->out_iface, sizeof(row->out_iface));
	if (p == NULL)
		return;
	fill_segments(p, row);
	if (k->width != AGG_EXACT || k->family == 0)
		return;
	const struct addr src = ir_addr(k->family, k->src), dst = ir_addr(k->family, k->dst);
	fill_host(p, &src, row->host_src, sizeof(row->host_src));
	fill_host(p, &dst, row->host_dst, sizeof(row->host_dst));
	fill_rule(p, row);
}

/* -- What passed ---------------------------------------------------------------------------------------------- */

/* What separates a connection from a rule that has meanwhile ended or closed. */
#define DIFFERS_TIME (DIFFERS_EXPIRED | DIFFERS_NOT_STARTED | DIFFERS_HOURS | DIFFERS_DAY)

static bool joins(const struct ir_span *sp, const struct addr *from, const struct addr *to)
{
	struct addr_range src = ir_addr_range(sp->family, &sp->src), dst = ir_addr_range(sp->family, &sp->dst);

	return sp->family == from->family && range_has(&src, from) && range_has(&dst, to);
}

/* A connection that a verified FTP control connection had announced: the rule that joins the two hosts. */
static uint32_t data_rule(const struct policy *p, const struct question *q)
{
	for (uint32_t i = 0; i < p->ir.nrules; i++) {
		const struct ir_rule *r = &p->ir.rules[i];
		for (uint32_t k = 0; r->application == APP_FTP && k < r->spans.n; k++) {
			const struct ir_span *sp = &p->ir.spans[r->spans.first + k];
			if (joins(sp, &q->src, &q->dst) || joins(sp, &q->dst, &q->src))
				return i;
		}
	}
	return IR_NONE;
}

/* The rule that let it pass, or IR_NONE. *ret_to, *ret_from: segments, as far as they are known. */
static uint32_t rule_that_passed(const struct policy *p, const struct passed *f, struct decision *d)
{
	struct question q = {.src = ir_addr(f->family, f->src), .dst = ir_addr(f->family, f->dst), .proto = f->proto,
		.dport = f->dport, .has_port = true};
	const int64_t times[] = {f->last_ns, f->first_ns};

	for (unsigned i = 0; i < 2; i++) {
		matcher_decide(p->matcher, &q, (struct wall){times[i] / 1000000000}, d);
		if (d->rule != IR_NONE)
			return d->rule;
	}
	if ((f->mark & CTMARK_DATA) == CTMARK_DATA)
		return data_rule(p, &q);
	return d->nearest != IR_NONE && d->differs != 0 && (d->differs & ~(uint32_t)DIFFERS_TIME) == 0 ? d->nearest : IR_NONE;
}

static void fill_passed(const struct policy *p, const struct passed *f, const struct decision *d, uint32_t rule,
	struct msg_admission_row *row)
{
	const struct addr src = ir_addr(f->family, f->src), dst = ir_addr(f->family, f->dst);

	row->generation = p->generation;
	if (rule != IR_NONE)
		MSG_TEXT(row->rule, ir_text(&p->ir, p->ir.rules[rule].name));
	if (d->from != IR_NONE)
		MSG_TEXT(row->from, ir_text(&p->ir, p->ir.segments[d->from].name));
	if (d->to != IR_NONE)
		MSG_TEXT(row->to, ir_text(&p->ir, p->ir.segments[d->to].name));
	fill_host(p, &src, row->host_src, sizeof(row->host_src));
	fill_host(p, &dst, row->host_dst, sizeof(row->host_dst));
}

void names_passed(const struct names *n, const struct passed *f, struct msg_admission_row *row)
{
	struct decision d, old;

	*row = (struct msg_admission_row){.first_ns = f->first_ns,
		.last_ns = f->last_ns,
		.family = f->family,
		.proto = f->proto,
		.dport = f->dport};
	if (f->family == 0)
		return;
	memcpy(row->src, f->src, sizeof(row->src));
	memcpy(row->dst, f->dst, sizeof(row->dst));
	row->src_len = row->dst_len = f->family == 6 ? 128 : 32;
	if (n->now == NULL)
		return;
	uint32_t rule = rule_that_passed(n->now, f, &d);
	uint32_t before = rule == IR_NONE && n->before != NULL ? rule_that_passed(n->before, f, &old) : IR_NONE;
	if (before != IR_NONE)
		fill_passed(n->before, f, &old, before, row);
	else
		fill_passed(n->now, f, &d, rule, row);
}

/* -- Alarms --------------------------------------------------------------------------------------------------- */

const struct alarm_thresholds *names_thresholds(const struct names *n)
{
	return n->now != NULL ? &n->now->ir.system->thresholds : NULL;
}

/* Does the policy name this MAC, in a segment where it names any? A segment without registered machines knows nobody. */
static bool is_unknown_mac(const struct policy *p, uint32_t segment, const uint8_t mac[6])
{
	bool any = false;

	for (uint32_t i = 0; i < p->ir.nneighs; i++) {
		const struct ir_neigh *e = &p->ir.neighs[i];
		if (p->ir.interfaces[e->interface].segment != segment)
			continue;
		if (memcmp(e->mac, mac, 6) == 0)
			return false;
		any = true;
	}
	return any;
}

/* Nothing ever goes there: the laws of the layers forbid it, or it is the internet and no rule lets anything out. */
static bool is_forbidden(const struct policy *p, uint8_t reason, uint32_t from, uint32_t to)
{
	if (reason == REASON_FORBIDDEN_PAIR)
		return true;
	return reason == REASON_NO_RULE && from != IR_NONE && to != IR_NONE && from != to &&
	       p->ir.segments[to].kind == KIND_INTERNET;
}

bool names_alarm(const struct names *n, const struct agg_window *w, struct alarm_event *ret)
{
	static char host[64];
	const struct agg_key *k = &w->key;
	const struct policy *p = n->now;
	const char *in = link_name(n, k->in), *out = link_name(n, k->out);

	if (k->width != AGG_EXACT || k->family == 0 || p == NULL || in == NULL)
		return false;
	const struct addr src = ir_addr(k->family, k->src), dst = ir_addr(k->family, k->dst);
	uint32_t from = segment_of(&p->ir, in), to = out != NULL ? segment_of(&p->ir, out) : matcher_segment(p->matcher, &dst);
	*ret = (struct alarm_event){.family = k->family, .proto = k->proto, .dport = k->dport, .sport = w->last_sport,
		.at = w->last_ns / 1000000000, .forbidden = is_forbidden(p, k->reason, from, to), .host = host,
		.unknown_mac = w->has_mac && from != IR_NONE && is_unknown_mac(p, from, k->mac),
		.segment = from != IR_NONE ? ir_text(&p->ir, p->ir.segments[from].name) : "",
		.to = to != IR_NONE ? ir_text(&p->ir, p->ir.segments[to].name) : ""};
	memcpy(ret->src, k->src, sizeof(ret->src));
	memcpy(ret->dst, k->dst, sizeof(ret->dst));
	memcpy(ret->mac, k->mac, sizeof(ret->mac));
	memset(host, 0, sizeof(host));
	fill_host(p, &src, host, sizeof(host));
	return true;
}
