/*
 * test_property.c: random small policies; what the compiler and the matcher say against a look at every rule.
 *
 * The reference below knows rules only as they are written in the model: names of hosts, ports, dates. It
 * shares no code with src/policy/ but the types. Usage: test_property [POLICIES [SEED]].
 */
#include "policy_test.h"

#define HOSTS 14
#define RULES_MAX 9

static uint64_t state;

/* splitmix64 (Steele, Lea, Flood 2014): the same policies for the same seed everywhere. */
static uint32_t rnd(uint32_t n)
{
	uint64_t z = state += 0x9e3779b97f4a7c15ull;

	z = (z ^ z >> 30) * 0xbf58476d1ce4e5b9ull;
	z = (z ^ z >> 27) * 0x94d049bb133111ebull;
	return (uint32_t)((z ^ z >> 31) % n);
}

/* -- a small world: three segments of kind other, /24 and /64 each, all connected ----------------------- */

struct world {
	struct arena *arena;
	struct model m;
	struct model_segment segments[3];
	struct model_host hosts[HOSTS];
	struct model_group groups[2];
	struct model_allow allows[RULES_MAX];
	uint8_t host_segment[HOSTS];
};

static const char *const segment_names[] = {"a", "b", "c"};

static struct word word(const char *text)
{
	return (struct word){text, 1};
}

static void add_word(struct arena *a, struct words *w, const char *text)
{
	*(struct word *)arena_push(a, (void **)&w->v, &w->n, &w->cap, sizeof(struct word)) = word(text);
}

static void add_prefix(struct arena *a, struct prefixes *p, const char *text)
{
	struct prefix *n = arena_push(a, (void **)&p->v, &p->n, &p->cap, sizeof(*n));

	*n = (struct prefix){.has_len = strchr(text, '/') != NULL, .line = 1};
	if (!prefix_parse(text, &n->addr, &n->len, NULL))
		abort();
}

static void make_segments(struct world *w)
{
	for (unsigned i = 0; i < 3; i++) {
		struct model_segment *s = &w->segments[i];
		*s = (struct model_segment){
			.name = word(segment_names[i]), .kind = KIND_OTHER, .kind_line = 1};
		add_word(w->arena, &s->interfaces, arena_printf(w->arena, "eth%u", i));
		add_prefix(w->arena, &s->addresses, arena_printf(w->arena, "10.0.%u.254/24", i));
		add_prefix(w->arena, &s->addresses, arena_printf(w->arena, "2001:db8:%u::254/64", i));
		add_prefix(w->arena, &s->networks, arena_printf(w->arena, "10.0.%u.0/24", i));
		add_prefix(w->arena, &s->networks, arena_printf(w->arena, "2001:db8:%u::/64", i));
	}
	w->m.segments = w->segments;
	w->m.nsegments = 3;
}

/* Addresses come from .0 to .15, as singles, /30 and /29: they overlap often. */
static void make_hosts(struct world *w)
{
	static const unsigned widths[] = {32, 32, 31, 30, 29};

	for (unsigned i = 0; i < HOSTS; i++) {
		unsigned s = i % 3, len = widths[rnd(5)], base = rnd(16) & ~((1u << (32 - len)) - 1);
		struct model_host *h = &w->hosts[i];
		*h = (struct model_host){
			.name = word(arena_printf(w->arena, "h%u", i)), .segment = word(segment_names[s])};
		w->host_segment[i] = (uint8_t)s;
		/* Two hosts may not have one address: a single one is the host's own number. */
		if (len == 32)
			base = 16 + i;
		if (rnd(4) != 0)
			add_prefix(w->arena, &h->addresses,
				arena_printf(w->arena, "10.0.%u.%u/%u", s, base, len));
		if (rnd(2) != 0 || h->addresses.n == 0)
			add_prefix(w->arena, &h->addresses,
				arena_printf(w->arena, "2001:db8:%u::%x/%u", s, base, len + 96));
	}
	w->m.hosts = w->hosts;
	w->m.nhosts = HOSTS;
	for (unsigned g = 0; g < 2; g++) {
		w->groups[g] = (struct model_group){.name = word(g == 0 ? "g0" : "g1")};
		for (unsigned i = g; i < HOSTS; i += 3)
			if (rnd(2) != 0)
				add_word(w->arena, &w->groups[g].members, w->hosts[i].name.text);
	}
	w->m.groups = w->groups;
	w->m.ngroups = 2;
}

static struct service_use random_service(void)
{
	static const uint8_t protos[] = {IPPROTO_TCP, IPPROTO_TCP, IPPROTO_UDP};
	struct service_use u = {.is_inline = true, .name = word("x")};
	uint16_t lo = (uint16_t)(1 + rnd(8));

	if (rnd(10) == 0) {
		u.port = (struct service_port){IPPROTO_ICMP, 8 << 8, 8 << 8 | 255};
		u.port6 = (struct service_port){IPPROTO_ICMPV6, 128 << 8, 128 << 8 | 255};
		return u;
	}
	u.port = (struct service_port){protos[rnd(3)], lo, rnd(3) == 0 ? (uint16_t)(lo + rnd(6)) : lo};
	if (rnd(20) == 0)
		u.port = (struct service_port){IPPROTO_TCP, 0, 65535};
	return u;
}

static struct date random_date(void)
{
	return (struct date){2026, 11, (int)(10 + rnd(20)), 1};
}

static void make_times(struct model_allow *a)
{
	a->days = DAYS_ALL;
	if (rnd(4) == 0)
		a->starts = random_date();
	if (rnd(4) == 0)
		a->expires = random_date();
	if (a->starts.year != 0 && a->expires.year != 0 && a->starts.day > a->expires.day)
		a->expires.year = 0;
	if (rnd(4) == 0)
		a->days = (uint8_t)(1 + rnd(DAYS_ALL));
	if (rnd(4) == 0) {
		a->hours_from = (uint16_t)(rnd(24) * 60);
		a->hours_to = (uint16_t)(rnd(24) * 60);
	}
}

static const char *random_end(struct world *w)
{
	if (rnd(8) == 0)
		return segment_names[rnd(3)];
	if (rnd(8) == 0)
		return w->groups[rnd(2)].name.text;
	return w->hosts[rnd(HOSTS)].name.text;
}

/* An application that the transport has; of tls with one name or another, in either case of letters. */
static void make_application(struct model_allow *a)
{
	static struct word names[] = {{"a.example", 1}, {"A.example", 1}, {"b.example", 1}};

	if (a->services[0].port.proto == IPPROTO_UDP)
		a->application = a->one_way || rnd(2) == 0 ? APP_SYSLOG : APP_DNS;
	else if (a->services[0].port.proto == IPPROTO_TCP && !a->one_way)
		a->application = rnd(2) == 0 ? APP_SSH : APP_TLS;
	if (a->application == APP_TLS && rnd(2) == 0)
		a->server_names = (struct words){&names[rnd(3)], 1, 1};
}

static void make_rules(struct world *w)
{
	w->m.allows = w->allows;
	w->m.nallows = 1 + rnd(RULES_MAX);
	for (size_t i = 0; i < w->m.nallows; i++) {
		struct model_allow *a = &w->allows[i];
		*a = (struct model_allow){.name = {arena_printf(w->arena, "r%zu", i), (uint32_t)i + 100}};
		a->from = word(random_end(w));
		a->to = word(random_end(w));
		a->nservices = 1 + rnd(2);
		a->services = ARENA_ARRAY(w->arena, a->nservices, struct service_use);
		for (size_t k = 0; k < a->nservices; k++)
			a->services[k] = random_service();
		make_times(a);
		a->one_way = rnd(30) == 0;
		if (rnd(60) == 0 && a->nservices == 1)
			make_application(a);
	}
}

static void make_world(struct world *w)
{
	*w = (struct world){.arena = arena_new()};
	w->m = (struct model){.arena = w->arena};
	w->m.system = (struct model_system){.hostname = "t", .timezone = "Asia/Tokyo", .language = "en"};
	make_segments(w);
	make_hosts(w);
	make_rules(w);
}

/* -- the reference -------------------------------------------------------------------------------------- */

static bool prefix_has(const struct prefix *p, const struct addr *a)
{
	unsigned bits = p->has_len ? p->len : p->addr.family == 4 ? 32 : 128;

	if (p->addr.family != a->family)
		return false;
	for (unsigned i = 0; i < bits; i++)
		if (((p->addr.b[i / 8] ^ a->b[i / 8]) >> (7 - i % 8) & 1) != 0)
			return false;
	return true;
}

static bool host_has(const struct model_host *h, const struct addr *a)
{
	for (size_t i = 0; i < h->addresses.n; i++)
		if (prefix_has(&h->addresses.v[i], a))
			return true;
	return false;
}

static const struct model_host *host_named(const struct world *w, const char *name)
{
	for (size_t i = 0; i < HOSTS; i++)
		if (strcmp(w->hosts[i].name.text, name) == 0)
			return &w->hosts[i];
	return NULL;
}

static bool end_has(const struct world *w, const char *name, const struct addr *a)
{
	const struct model_host *h = host_named(w, name);

	if (h != NULL)
		return host_has(h, a);
	for (size_t i = 0; i < 3; i++)
		if (strcmp(segment_names[i], name) == 0)
			return prefix_has(&w->segments[i].networks.v[a->family == 4 ? 0 : 1], a);
	for (size_t g = 0; g < 2; g++)
		for (size_t k = 0; strcmp(w->groups[g].name.text, name) == 0 && k < w->groups[g].members.n;
			k++)
			if (host_has(host_named(w, w->groups[g].members.v[k].text), a))
				return true;
	return false;
}

static bool service_has(const struct model_allow *a, const struct question *q)
{
	for (size_t i = 0; i < a->nservices; i++) {
		const struct service_port *v[2] = {&a->services[i].port, &a->services[i].port6};
		for (int k = 0; k < 2; k++) {
			bool family = v[k]->proto == IPPROTO_ICMP
					      ? q->src.family == 4
					      : v[k]->proto != IPPROTO_ICMPV6 || q->src.family == 6;
			if (v[k]->proto == q->proto && family && v[k]->proto != 0 && q->dport >= v[k]->lo &&
				q->dport <= v[k]->hi)
				return true;
		}
	}
	return false;
}

static bool covers(const struct world *w, const struct model_allow *a, const struct question *q)
{
	return end_has(w, a->from.text, &q->src) && end_has(w, a->to.text, &q->dst) && service_has(a, q);
}

/* All within November 2026, whose 1st is a Sunday: the reference needs no calendar. */
static bool in_force(const struct model_allow *a, int day, int minute)
{
	int weekday = (day + 5) % 7, yesterday = (day + 4) % 7; /* 0 = Monday */

	if ((a->starts.year != 0 && day < a->starts.day) || (a->expires.year != 0 && day > a->expires.day))
		return false;
	if (a->hours_from == a->hours_to)
		return (a->days >> weekday & 1) != 0;
	if (a->hours_from < a->hours_to)
		return (a->days >> weekday & 1) != 0 && minute >= a->hours_from && minute < a->hours_to;
	return ((a->days >> weekday & 1) != 0 && minute >= a->hours_from) ||
	       ((a->days >> yesterday & 1) != 0 && minute < a->hours_to &&
		       (a->starts.year == 0 || day > a->starts.day));
}

static bool treated_alike(const struct model_allow *a, const struct model_allow *b)
{
	const struct words *x = &a->server_names, *y = &b->server_names;

	return a->application == b->application && a->one_way == b->one_way && x->n == y->n &&
	       (x->n == 0 || strcasecmp(x->v[0].text, y->v[0].text) == 0);
}

static bool expired(const struct model_allow *a, int day)
{
	return a->expires.year != 0 && day > a->expires.day;
}

static struct wall moment(int day, int minute)
{
	return clock_from_civil(&(struct civil){
		.year = 2026, .month = 11, .day = day, .hour = minute / 60, .minute = minute % 60});
}

/* From where the hosts are; never .0, the network itself. */
static struct addr random_addr(const struct world *w)
{
	unsigned s = rnd(3), low = rnd(2) == 0 ? 1 + rnd(15) : 16 + rnd(HOSTS);
	struct addr a;

	if (!addr_parse(rnd(3) != 0 ? arena_printf(w->arena, "10.0.%u.%u", s, low)
				    : arena_printf(w->arena, "2001:db8:%u::%x", s, low),
		    &a))
		abort();
	return a;
}

static struct question random_question(const struct world *w)
{
	static const uint8_t protos[] = {IPPROTO_TCP, IPPROTO_TCP, IPPROTO_UDP};
	struct question q = {.src = random_addr(w),
		.proto = protos[rnd(3)],
		.dport = (uint16_t)(1 + rnd(14)),
		.has_port = true};

	do
		q.dst = random_addr(w);
	while (q.dst.family != q.src.family);
	if (rnd(12) == 0) {
		q.proto = q.src.family == 4 ? IPPROTO_ICMP : IPPROTO_ICMPV6;
		q.dport = (uint16_t)((q.src.family == 4 ? 8u : 128u) << 8 | rnd(3));
	}
	return q;
}

/* -- comparisons ---------------------------------------------------------------------------------------- */

static bool box_has(const struct ir_box *b, const struct question *q)
{
	struct addr_range src = ir_addr_range(b->family, &b->src), dst = ir_addr_range(b->family, &b->dst);

	return b->proto == q->proto && range_has(&src, &q->src) && range_has(&dst, &q->dst) &&
	       q->dport >= b->port_lo && q->dport <= b->port_hi;
}

/* At most one box holds the packet, and its candidates are the rules that cover it, in order. */
static void compare_box(const struct world *w, const struct ir *ir, const struct question *q, int today)
{
	const struct ir_box *found = NULL;
	uint32_t k = 0, lead = IR_NONE;

	for (uint32_t i = 0; i < ir->nboxes; i++)
		if (box_has(&ir->boxes[i], q)) {
			CHECK(found == NULL);
			found = &ir->boxes[i];
		}
	for (uint32_t i = 0; i < w->m.nallows; i++)
		if (covers(w, &w->allows[i], q) &&
			(lead == IR_NONE ||
				(expired(&w->allows[lead], today) && !expired(&w->allows[i], today))))
			lead = i;
	for (uint32_t i = 0; i < w->m.nallows; i++) {
		if (!covers(w, &w->allows[i], q) || !treated_alike(&w->allows[i], &w->allows[lead]))
			continue;
		CHECK(found != NULL && k < found->cand.n && ir->cands[found->cand.first + k].rule == i);
		k++;
	}
	CHECK((found == NULL) == (k == 0) && (found == NULL || found->cand.n == k));
}

/* The verdict for all times: the first rule that covers the packet and is in force. */
static void compare_verdict(const struct world *w, const struct matcher *m, const struct question *q)
{
	int day = 8 + (int)rnd(22), minute = (int)rnd(24 * 60);
	struct decision d;
	uint32_t want = IR_NONE;

	for (uint32_t i = 0; want == IR_NONE && i < w->m.nallows; i++)
		if (covers(w, &w->allows[i], q) && in_force(&w->allows[i], day, minute))
			want = i;
	matcher_decide(m, q, moment(day, minute), &d);
	CHECK_INT(d.rule, want);
	CHECK(d.verdict == (want == IR_NONE				     ? VERDICT_DROP
				   : w->allows[want].application != APP_NONE ? VERDICT_INSPECT
									     : VERDICT_ALLOW));
	CHECK(d.from < 3 && d.to < 3);
}

/* -- the nearest rule, by looking at every span --------------------------------------------------------- */

static const uint32_t significance[] = {DIFFERS_HOURS, DIFFERS_DAY, DIFFERS_NOT_STARTED, DIFFERS_EXPIRED,
	DIFFERS_MAC, DIFFERS_PORT, DIFFERS_PROTOCOL, DIFFERS_DIRECTION, DIFFERS_DESTINATION, DIFFERS_SOURCE};

/* Fewest differences first, then the least significant: as one number to compare. */
static unsigned distance(uint32_t differs)
{
	unsigned d = 0, n = 0;

	for (unsigned i = 0; i < 10; i++)
		if ((differs & significance[i]) != 0) {
			d |= 1u << i;
			n++;
		}
	return n << 16 | d;
}

static uint32_t time_differs(const struct model_allow *a, int day, int minute)
{
	int weekday = (day + 5) % 7;

	if (expired(a, day))
		return DIFFERS_EXPIRED;
	if (a->starts.year != 0 && day < a->starts.day)
		return DIFFERS_NOT_STARTED;
	if (in_force(a, day, minute))
		return 0;
	return (a->days >> weekday & 1) != 0 ? DIFFERS_HOURS : DIFFERS_DAY;
}

static uint32_t span_port_differs(const struct ir_span *s, const struct question *q)
{
	bool icmp = s->proto == IPPROTO_ICMP || s->proto == IPPROTO_ICMPV6 || q->proto == IPPROTO_ICMP ||
		    q->proto == IPPROTO_ICMPV6;
	uint32_t d = s->proto != q->proto ? DIFFERS_PROTOCOL : 0;

	if (d != 0 && icmp)
		return d;
	return q->dport >= s->port_lo && q->dport <= s->port_hi ? d : d | DIFFERS_PORT;
}

static void compare_nearest(
	const struct world *w, const struct ir *ir, const struct matcher *m, const struct question *q)
{
	int day = 8 + (int)rnd(22), minute = (int)rnd(24 * 60);
	uint32_t best = IR_NONE, differs = 0;
	bool src_seen = false, dst_seen = false;
	struct decision d;

	matcher_decide(m, q, moment(day, minute), &d);
	if (d.verdict != VERDICT_DROP)
		return;
	for (uint32_t i = 0; i < ir->nspans; i++) {
		const struct ir_span *s = &ir->spans[i];
		struct addr_range src = ir_addr_range(s->family, &s->src),
				  dst = ir_addr_range(s->family, &s->dst);
		bool a = range_has(&src, &q->src), b = range_has(&dst, &q->dst);
		bool reversed = range_has(&src, &q->dst) && range_has(&dst, &q->src);
		uint32_t port = span_port_differs(s, q),
			 time = time_differs(&w->allows[s->rule], day, minute), c[4] = {0};
		if (a && b)
			c[0] = port | time;
		if (reversed)
			c[1] = DIFFERS_DIRECTION | port | time;
		/* With one end in common: the same port, or the first of all. */
		if (a && !b && (port == 0 || !src_seen))
			c[2] = DIFFERS_DESTINATION | port | time;
		if (b && !a && (port == 0 || !dst_seen))
			c[3] = DIFFERS_SOURCE | port | time;
		src_seen |= a;
		dst_seen |= b;
		for (int k = 0; k < 4; k++)
			if (c[k] != 0 && (best == IR_NONE || distance(c[k]) < distance(differs) ||
						 (distance(c[k]) == distance(differs) && s->rule < best))) {
				best = s->rule;
				differs = c[k];
			}
	}
	CHECK_INT(d.nearest, best);
	CHECK_INT(d.differs, best == IR_NONE ? 0 : differs);
}

/* The prefixes that a name of a rule stands for. */
static size_t prefixes_of(const struct world *w, const char *name, const struct prefix **v)
{
	size_t n = 0;

	for (size_t i = 0; i < HOSTS; i++) {
		bool member = strcmp(w->hosts[i].name.text, name) == 0;
		for (size_t g = 0; g < 2; g++)
			for (size_t k = 0;
				strcmp(w->groups[g].name.text, name) == 0 && k < w->groups[g].members.n; k++)
				member = member ||
					 strcmp(w->groups[g].members.v[k].text, w->hosts[i].name.text) == 0;
		for (size_t k = 0; member && k < w->hosts[i].addresses.n; k++)
			v[n++] = &w->hosts[i].addresses.v[k];
	}
	for (size_t i = 0; i < 3; i++)
		for (size_t k = 0; strcmp(segment_names[i], name) == 0 && k < 2; k++)
			v[n++] = &w->segments[i].networks.v[k];
	return n;
}

/* Do two names share an address of this family? Prefixes are nested or disjoint. */
static bool names_overlap(const struct world *w, const char *a, const char *b, uint8_t family)
{
	const struct prefix *x[2 * HOSTS], *y[2 * HOSTS];
	size_t nx = prefixes_of(w, a, x), ny = prefixes_of(w, b, y);

	for (size_t i = 0; i < nx; i++)
		for (size_t k = 0; k < ny; k++)
			if (x[i]->addr.family == family &&
				(prefix_has(x[i], &y[k]->addr) || prefix_has(y[k], &x[i]->addr)) &&
				y[k]->addr.family == family)
				return true;
	return false;
}

static bool services_overlap(const struct model_allow *a, const struct model_allow *b)
{
	for (size_t i = 0; i < a->nservices; i++)
		for (size_t k = 0; k < b->nservices; k++) {
			const struct service_port *x = &a->services[i].port, *y = &b->services[k].port;
			bool icmp = x->proto == IPPROTO_ICMP && y->proto == IPPROTO_ICMP;
			if (icmp || (x->proto == y->proto && x->lo <= y->hi && y->lo <= x->hi))
				return true;
		}
	return false;
}

/* Two rules, not expired, with common traffic and a different treatment of it. */
static bool has_contradiction(const struct world *w, int today)
{
	for (size_t i = 0; i < w->m.nallows; i++)
		for (size_t k = 0; k < i; k++) {
			const struct model_allow *a = &w->allows[i], *b = &w->allows[k];
			if (treated_alike(a, b) || expired(a, today) || expired(b, today))
				continue;
			for (uint8_t f = 4; f <= 6; f += 2)
				if (names_overlap(w, a->from.text, b->from.text, f) &&
					names_overlap(w, a->to.text, b->to.text, f) && services_overlap(a, b))
					return true;
		}
	return false;
}

static int only_contradictions(const struct diag_list *d)
{
	for (size_t i = 0; i < d->n; i++)
		if (d->items[i].severity == DIAG_ERROR && strcmp(d->items[i].code, "contradicting") != 0 &&
			strcmp(d->items[i].code, "no-common-family") != 0 &&
			strcmp(d->items[i].code, "group-empty") != 0) {
			printf("unexpected: %s (%s)\n", d->items[i].what, d->items[i].code);
			return 0;
		}
	return 1;
}

static int one_policy(int *ret_errors)
{
	static struct world w;
	struct diag_list diags;
	struct buf block = {0};
	struct ir ir;
	int today = 20, before = test_failures;
	uint32_t bad_rule;

	make_world(&w);
	diag_init(&diags, w.arena);
	bool ok = policy_compile(&w.m, moment(today, 600), &diags, &block);
	CHECK(ok == (diags.nerrors == 0) && only_contradictions(&diags));
	bool said = false;
	for (size_t i = 0; i < diags.n; i++)
		said = said || strcmp(diags.items[i].code, "contradicting") == 0;
	CHECK(said == has_contradiction(&w, today));
	if (!ok) {
		(*ret_errors)++;
	} else {
		CHECK(ir_open(block.data, block.len, &ir) == NULL);
		CHECK(guard_check(&ir, &bad_rule) == NULL);
		struct matcher *m = matcher_new(&ir);
		for (int i = 0; i < 60; i++) {
			struct question q = random_question(&w);
			compare_box(&w, &ir, &q, today);
			compare_verdict(&w, m, &q);
			compare_nearest(&w, &ir, m, &q);
		}
		matcher_free(m);
	}
	buf_free(&block);
	arena_free(w.arena);
	return test_failures - before;
}

int main(int argc, char **argv)
{
	int policies = argc > 1 ? atoi(argv[1]) : 3000, errors = 0;
	uint64_t seed = argc > 2 ? strtoull(argv[2], NULL, 0) : 1;

	clock_set_zone("Asia/Tokyo");
	for (int i = 0; i < policies; i++) {
		state = seed * 1000003 + (uint64_t)i;
		if (one_policy(&errors) > 0) {
			printf("policy %d of seed %llu\n", i, (unsigned long long)seed);
			break;
		}
	}
	/* Most policies must compile, or nothing was compared. */
	CHECK(errors < policies / 2);
	printf("%d policies, %d refused\n", policies, errors);
	return test_end();
}
