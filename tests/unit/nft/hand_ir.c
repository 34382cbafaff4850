/*
 * hand_ir.c: see hand_ir.h.
 */
#include "hand_ir.h"

#include <sekisho/inspect.h>

#include <netinet/in.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define PUSH(h, SECTION, type) ((struct type *)buf_reserve(&(h)->section[IR_##SECTION], sizeof(struct type)))
#define AT(h, SECTION, type, i) ((struct type *)(void *)(h)->section[IR_##SECTION].data + (i))
#define COUNT(h, SECTION, type) ((uint32_t)((h)->section[IR_##SECTION].len / sizeof(struct type)))

static ir_str text(struct hand *h, const char *s)
{
	struct buf *b = &h->section[IR_STRING];
	ir_str at = (ir_str)b->len;

	buf_add(b, s, strlen(s) + 1);
	return at;
}

void hand_init(struct hand *h)
{
	*h = (struct hand){0};
	text(h, "");
	struct ir_system *s = PUSH(h, SYSTEM, ir_system);
	s->timezone = text(h, "UTC");
}

void hand_free(struct hand *h)
{
	for (unsigned i = 0; i < IR_NSECTIONS; i++)
		buf_free(&h->section[i]);
}

struct ir_system *hand_system(struct hand *h)
{
	return AT(h, SYSTEM, ir_system, 0);
}

struct ir_segment *hand_segment_at(struct hand *h, uint16_t segment)
{
	return AT(h, SEGMENT, ir_segment, segment);
}

struct ir_rule *hand_rule_at(struct hand *h, uint32_t rule)
{
	return AT(h, RULE, ir_rule, rule);
}

static struct addr_range parse(const char *s, struct addr *host, uint8_t *len)
{
	struct addr_range r;
	struct addr a;
	uint8_t l;

	if (!prefix_parse(s, &a, &l, &r)) {
		fprintf(stderr, "hand_ir: %s\n", s);
		abort();
	}
	if (host != NULL)
		*host = a;
	if (len != NULL)
		*len = l;
	return r;
}

static struct ir_range put(const struct addr_range *r)
{
	struct ir_range p;

	memcpy(p.lo, r->lo.b, 16);
	memcpy(p.hi, r->hi.b, 16);
	return p;
}

void hand_network(struct hand *h, uint16_t segment, const char *prefix, const char *mac)
{
	struct addr_range r = parse(prefix, NULL, NULL);
	struct ir_network *n = PUSH(h, NETWORK, ir_network);
	struct mac m;

	n->segment = segment;
	n->family = r.lo.family;
	n->range = put(&r);
	struct ir_source *s = PUSH(h, SOURCE, ir_source);
	s->interface = segment;
	s->family = r.lo.family;
	s->range = put(&r);
	if (mac != NULL && mac_parse(mac, &m)) {
		s->has_mac = 1;
		memcpy(s->mac, m.b, 6);
	}
}

uint16_t hand_segment(struct hand *h, const char *name, enum segment_kind kind, const char *ifname, const char *addresses)
{
	uint16_t i = (uint16_t)COUNT(h, SEGMENT, ir_segment);
	struct ir_segment *s = PUSH(h, SEGMENT, ir_segment);
	char list[256], *save = NULL;

	s->name = text(h, name);
	hand_segment_at(h, i)->kind = (uint8_t)kind;
	struct ir_interface *itf = PUSH(h, INTERFACE, ir_interface);
	snprintf(itf->name, sizeof(itf->name), "%s", ifname);
	itf->segment = i;
	snprintf(list, sizeof(list), "%s", addresses);
	for (char *a = strtok_r(list, " ", &save); a != NULL; a = strtok_r(NULL, " ", &save)) {
		struct addr host;
		uint8_t len;
		char prefix[ADDR_TEXT_MAX];
		struct addr_range r = parse(a, &host, &len);
		struct ir_local *l = PUSH(h, LOCAL, ir_local);
		l->interface = i;
		l->family = host.family;
		l->prefix_len = len;
		memcpy(l->addr, host.b, 16);
		hand_network(h, i, range_format(&r, prefix), NULL);
	}
	return i;
}

void hand_bound(struct hand *h, uint16_t segment, const char *address, const char *mac)
{
	struct addr_range host = parse(address, NULL, NULL);

	for (uint32_t i = 0; i < COUNT(h, SOURCE, ir_source); i++) {
		struct ir_source *s = AT(h, SOURCE, ir_source, i);
		struct addr_range r = ir_addr_range(s->family, &s->range);
		if (s->interface != segment || !range_covers(&r, &host) || s->has_mac)
			continue;
		struct ir_source above = *s;
		struct addr next = host.hi, prev = host.lo;
		addr_prev(&prev);
		addr_next(&next);
		memcpy(s->range.hi, prev.b, 16);
		memcpy(above.range.lo, next.b, 16);
		*PUSH(h, SOURCE, ir_source) = above;
		break;
	}
	struct ir_source *s = PUSH(h, SOURCE, ir_source);
	struct mac m;
	s->interface = segment;
	s->family = host.lo.family;
	s->range = put(&host);
	s->has_mac = mac_parse(mac, &m);
	memcpy(s->mac, m.b, 6);
}

void hand_route(struct hand *h, uint16_t segment, const char *prefix, const char *via)
{
	struct addr_range p = parse(prefix, NULL, NULL), v = parse(via, NULL, NULL);
	struct ir_route *r = PUSH(h, ROUTE, ir_route);

	r->interface = segment;
	r->family = p.lo.family;
	r->prefix_len = (uint8_t)range_prefix_len(&p);
	memcpy(r->prefix, p.lo.b, 16);
	memcpy(r->via, v.lo.b, 16);
}

uint32_t hand_rule(struct hand *h, const char *name, uint16_t from, uint16_t to, enum ir_action action, unsigned flags)
{
	uint32_t i = COUNT(h, RULE, ir_rule);
	ir_str n = text(h, name);
	struct ir_rule *r = PUSH(h, RULE, ir_rule);

	r->name = n;
	r->line = i + 1;
	r->from_segment = from;
	r->to_segment = to;
	r->action = (uint8_t)action;
	r->flags = (uint16_t)flags;
	r->days = 0x7f;
	r->starts = 0;
	r->ends = INT64_MAX;
	r->window_to = INT64_MAX;
	return i;
}

void hand_verify(struct hand *h, uint32_t rule, enum application application, uint32_t options, const char *words)
{
	uint32_t i = 0;

	while (i < COUNT(h, VERIFIED, ir_verified) &&
		strcmp((const char *)h->section[IR_STRING].data + AT(h, VERIFIED, ir_verified, i)->text, words) != 0)
		i++;
	if (i == COUNT(h, VERIFIED, ir_verified)) {
		ir_str t = text(h, words);
		*PUSH(h, VERIFIED, ir_verified) =
			(struct ir_verified){.text = t, .options = options, .application = (uint8_t)application};
	}
	hand_rule_at(h, rule)->application = (uint8_t)application;
	hand_rule_at(h, rule)->verified = (uint16_t)(i + 1);
}

void hand_box(struct hand *h, uint32_t rule, uint8_t proto, const char *src, const char *dst, uint16_t lo, uint16_t hi)
{
	struct addr_range s = parse(src, NULL, NULL), d = parse(dst, NULL, NULL);
	struct ir_cand *c = PUSH(h, CAND, ir_cand);
	struct ir_span *sp = PUSH(h, SPAN, ir_span);

	c->rule = rule;
	*sp = (struct ir_span){.rule = rule, .family = s.lo.family, .proto = proto, .port_lo = lo, .port_hi = hi,
		.src = put(&s), .dst = put(&d)};
	struct ir_box *b = PUSH(h, BOX, ir_box);
	b->from = hand_rule_at(h, rule)->from_segment;
	b->to = hand_rule_at(h, rule)->to_segment;
	b->family = s.lo.family;
	b->proto = proto;
	b->port_lo = lo;
	b->port_hi = hi;
	b->cand = (struct ir_run){COUNT(h, CAND, ir_cand) - 1, 1};
	b->src = put(&s);
	b->dst = put(&d);
}

void hand_own(struct hand *h, uint16_t segment, const char *what, bool out, uint8_t proto, const char *remote, uint16_t port)
{
	struct addr_range r = parse(remote, NULL, NULL);
	ir_str w = text(h, what);
	struct ir_own *o = PUSH(h, OWN, ir_own);

	o->what = w;
	o->interface = segment;
	o->out = out;
	o->family = r.lo.family;
	o->proto = proto;
	o->port_lo = o->port_hi = port;
	o->remote = put(&r);
}

void hand_turn(struct hand *h, const char *server)
{
	struct addr_range s = parse(server, NULL, NULL);
	struct ir_own *o = (struct ir_own *)(void *)h->section[IR_OWN].data + COUNT(h, OWN, ir_own) - 1;

	o->turned = 1;
	memcpy(o->local, s.lo.b, sizeof(o->local));
}

static int by_place(const void *a, const void *b)
{
	const struct ir_box *x = a, *y = b;

	if (x->from != y->from)
		return x->from - y->from;
	if (x->to != y->to)
		return x->to - y->to;
	if (x->family != y->family)
		return x->family - y->family;
	if (x->proto != y->proto)
		return x->proto - y->proto;
	int d = memcmp(x->src.lo, y->src.lo, 16);
	d = d != 0 ? d : memcmp(x->dst.lo, y->dst.lo, 16);
	return d != 0 ? d : x->port_lo - y->port_lo;
}

/* As the compiler does: in order of their words. */
static void sort_verified(struct hand *h)
{
	uint32_t n = COUNT(h, VERIFIED, ir_verified);
	const char *strings = (const char *)h->section[IR_STRING].data;

	for (uint32_t end = n; end > 1; end--) {
		for (uint32_t i = 0; i + 1 < end; i++) {
			struct ir_verified *a = AT(h, VERIFIED, ir_verified, i), *b = a + 1, moved = *a;
			if (strcmp(strings + a->text, strings + b->text) <= 0)
				continue;
			*a = *b;
			*b = moved;
			for (uint32_t r = 0; r < COUNT(h, RULE, ir_rule); r++) {
				uint16_t *v = &hand_rule_at(h, r)->verified;
				*v = (uint16_t)(*v == i + 1 ? i + 2 : *v == i + 2 ? i + 1 : *v);
			}
		}
	}
}

static int by_rule(const void *a, const void *b)
{
	const struct ir_span *x = a, *y = b;

	return x->rule < y->rule ? -1 : x->rule > y->rule;
}

/* Each rule's spans stand together, as the compiler writes them. */
static void sort_spans(struct hand *h)
{
	uint32_t n = COUNT(h, SPAN, ir_span);

	if (n > 0)
		qsort(h->section[IR_SPAN].data, n, sizeof(struct ir_span), by_rule);
	for (uint32_t i = 0; i < COUNT(h, RULE, ir_rule); i++)
		hand_rule_at(h, i)->spans = (struct ir_run){0, 0};
	for (uint32_t i = 0; i < n; i++) {
		struct ir_run *run = &hand_rule_at(h, AT(h, SPAN, ir_span, i)->rule)->spans;
		run->first = run->n == 0 ? i : run->first;
		run->n++;
	}
}

void hand_finish(struct hand *h)
{
	sort_verified(h);
	sort_spans(h);
	uint32_t n = COUNT(h, BOX, ir_box);

	if (n > 0)
		qsort(h->section[IR_BOX].data, n, sizeof(struct ir_box), by_place);
#define X(NAME, type, member)                                                                                  \
	h->ir.member = AT(h, NAME, type, 0);                                                                    \
	h->ir.n##member = COUNT(h, NAME, type);
	IR_SECTIONS(X)
#undef X
}

void hand_town(struct hand *h)
{
	hand_init(h);
	uint16_t k = hand_segment(h, "mynumber", KIND_MYNUMBER, "eth0", "10.1.0.1/24 2001:db8:1::1/64");
	uint16_t l = hand_segment(h, "lgwan", KIND_LGWAN, "eth1", "10.2.0.1/24 2001:db8:2::1/64");
	uint16_t n = hand_segment(h, "internet", KIND_INTERNET, "eth2", "192.0.2.1/24 2001:db8:3::1/64");
	hand_network(h, k, "10.1.10.0/24", "02:00:00:01:00:fe");
	hand_route(h, k, "10.1.10.0/24", "10.1.0.254");
	hand_bound(h, l, "10.2.0.8", "02:00:00:02:00:08");
	hand_segment_at(h, l)->answer_ping = 1;
	hand_segment_at(h, n)->mss = 1360;
	uint32_t r = hand_rule(h, "pittari", k, l, IR_ALLOW, IR_RULE_SINGLE_HOSTS);
	hand_box(h, r, IPPROTO_TCP, "10.1.10.5", "10.2.0.8", 443, 443);
	hand_box(h, r, IPPROTO_TCP, "2001:db8:1::5", "2001:db8:2::8", 443, 443);
	hand_rule_at(h, r)->ends = 4102444800; /* 2100 */
	r = hand_rule(h, "syslog", k, l, IR_ALLOW, IR_RULE_ONE_WAY);
	hand_box(h, r, IPPROTO_UDP, "10.1.0.7", "10.2.0.9", 514, 514);
	r = hand_rule(h, "files", l, k, IR_ALLOW, IR_RULE_FRAGMENTS);
	hand_box(h, r, IPPROTO_UDP, "10.2.0.16/28", "10.1.0.7", 5000, 5015);
	hand_box(h, r, IPPROTO_ICMP, "10.2.0.16/28", "10.1.0.7", 8 << 8, 8 << 8 | 255);
	r = hand_rule(h, "screen", l, n, IR_INSPECT, 0);
	hand_verify(h, r, APP_RDP, 0, "rdp");
	hand_box(h, r, IPPROTO_TCP, "10.2.0.0/24", "192.0.2.10", 3389, 3389);
	r = hand_rule(h, "transfer", l, n, IR_INSPECT, 0);
	hand_verify(h, r, APP_FTP, VERIFY_ACTIVE_DATA, "ftp option active-data");
	hand_box(h, r, IPPROTO_TCP, "10.2.0.9", "192.0.2.21", 21, 21);
	hand_box(h, r, IPPROTO_TCP, "2001:db8:2::9", "2001:db8:3::21", 21, 21);
	r = hand_rule(h, "mail", n, l, IR_MAIL, 0);
	hand_box(h, r, IPPROTO_TCP, "192.0.2.25", "10.2.0.8", 25, 25);
	hand_own(h, l, "time", true, IPPROTO_UDP, "10.2.0.123", 123);
	struct ir_system *s = hand_system(h);
	s->log_per_source = 10;
	s->log_per_segment = 1000;
	s->new_per_source = 100;
	s->open_per_source = 500;
	s->half_open = 100;
	hand_finish(h);
}
