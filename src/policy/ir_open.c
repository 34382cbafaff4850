/*
 * ir_open.c: opens a block of memory as an IR and believes nothing of it.
 *
 * Input: bytes from an unprivileged compiler, in memory that the caller keeps (and has sealed). Checked here:
 * header, place and size of every section, the checksum, and for every record that its indexes, runs,
 * strings, ranges and small numbers are in bounds, so that a reader can walk all of it without another look.
 * What the records mean together (the laws) is the guard's question, see guard_ir.c. Nothing is copied or
 * allocated; the time is linear in the size, also for who walks the runs of all records: together they
 * are never longer than what they are runs of. The mail gate's sections are checked in ir_open_mail.c.
 */
#include "ir_open.h"
#include "verified.h"

#include <sekisho/crc.h>

#include <netinet/in.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

const char *ir_wrong(const char *fmt, ...)
{
	static char text[96];
	va_list ap;

	va_start(ap, fmt);
	vsnprintf(text, sizeof(text), fmt, ap);
	va_end(ap);
	return text;
}

bool ir_text_ok(const struct ir *ir, ir_str s)
{
	return s < ir->nstrings;
}

bool ir_name_ok(const struct ir *ir, ir_str s)
{
	if (s == 0 || s >= ir->nstrings)
		return false;
	uint32_t n = 0;
	for (; ir->strings[s + n].c != '\0'; n++) { /* the last string ends, so this does */
		unsigned char c = (unsigned char)ir->strings[s + n].c;
		if (n == LIMIT_NAME || c <= ' ' || c == 0x7f || c == '"' || c == '\\')
			return false;
	}
	return n > 0;
}

bool ir_run_ok(struct ir_run run, uint32_t n)
{
	return run.first <= n && run.n <= n - run.first;
}

static bool tail_zero(uint8_t family, const uint8_t b[16])
{
	static const uint8_t zero[12];

	return family == 6 || memcmp(b + 4, zero, sizeof(zero)) == 0;
}

static bool addr_ok(uint8_t family, const uint8_t b[16])
{
	return (family == 4 || family == 6) && tail_zero(family, b);
}

bool ir_range_ok(uint8_t family, const struct ir_range *r)
{
	return addr_ok(family, r->lo) && tail_zero(family, r->hi) && memcmp(r->lo, r->hi, 16) <= 0;
}

static bool prefix_ok(uint8_t family, uint8_t len)
{
	return len <= (family == 4 ? 32 : 128);
}

static bool is_unicast(const uint8_t mac[6])
{
	return (mac[0] & 1) == 0;
}

/* A protocol as rules may name it, and the family that it belongs to. */
static bool proto_ok(uint8_t family, uint8_t proto)
{
	return proto == IPPROTO_TCP || proto == IPPROTO_UDP ||
	       proto == (family == 4 ? IPPROTO_ICMP : IPPROTO_ICMPV6);
}

/* A name of an interface: filled up with NULs, no '/' and nothing that the kernel refuses. */
static bool ifname_ok(const char name[LIMIT_IFNAME], bool may_be_empty)
{
	size_t n = strnlen(name, LIMIT_IFNAME);

	if (n == LIMIT_IFNAME || (n == 0 && !may_be_empty))
		return false;
	for (size_t i = 0; i < LIMIT_IFNAME; i++) {
		unsigned char c = (unsigned char)name[i];
		if (i >= n ? c != 0 : c <= ' ' || c >= 0x7f || c == '/' || c == ':' || c == '"' || c == '\\')
			return false;
	}
	return true;
}

/* A mail address: it goes into header fields and SMTP commands. */
static bool mail_address_ok(const struct ir *ir, ir_str s)
{
	uint32_t n = 0, at = 0;

	if (s == 0 || s >= ir->nstrings)
		return false;
	for (; ir->strings[s + n].c != '\0'; n++) { /* the last string ends, so this does */
		unsigned char c = (unsigned char)ir->strings[s + n].c;
		if (n == LIMIT_MAIL_ADDRESS || c <= ' ' || c >= 0x7f || strchr("<>()[]\\,;:\"", c) != NULL)
			return false;
		at += c == '@';
	}
	return n > 0 && at == 1;
}

static bool alarm_ok(const struct ir *ir)
{
	const struct ir_system *s = ir->system;

	if (!ir_run_ok(s->alarm_to, ir->nnames) || s->alarm_to.n > LIMIT_ALARM_TO ||
		(s->daily_report != IR_NONE && s->daily_report >= 24 * 60))
		return false;
	for (uint32_t i = 0; i < s->alarm_to.n; i++)
		if (!mail_address_ok(ir, ir->names[s->alarm_to.first + i].name))
			return false;
	return true;
}

static bool thresholds_ok(const struct alarm_thresholds *t)
{
	return t->scan <= ALARM_SCAN_MAX && t->scan_minutes <= ALARM_MINUTES_MAX && t->beacon <= ALARM_BEACON_MAX &&
	       t->unknown_mac <= 1 && t->disk_caution <= 100 && t->disk_abnormal <= 100;
}

static const char *check_system(const struct ir *ir)
{
	const struct ir_system *s = ir->system;

	if (ir->nsystem != 1)
		return "system: not one record";
	if (!ir_text_ok(ir, s->hostname) || !ir_text_ok(ir, s->timezone) || !ir_text_ok(ir, s->language))
		return "system: string";
	if (s->alpha_prime > 1 || s->close_all_on_log_failure > 1 || s->has_mail_in > 1 ||
		s->has_mail_out > 1 || s->refuse_silently > 1 || s->closes[0] >= CLOSES_END || s->closes[1] >= CLOSES_END)
		return "system: flag";
	if (s->session_idle > LIMIT_SESSION_MINUTES || s->session_configure > LIMIT_SESSION_MINUTES)
		return "system: session";
	return alarm_ok(ir) && thresholds_ok(&s->thresholds) ? NULL : "system: alarm";
}

static const char *check_deputies(const struct ir *ir)
{
	if (ir->ndeputies > LIMIT_DEPUTIES)
		return "deputies: too many";
	for (uint32_t i = 0; i < ir->ndeputies; i++) {
		const struct ir_deputy *d = &ir->deputies[i];
		if (!ir_name_ok(ir, d->name) || !ir_name_ok(ir, d->user) || !ir_text_ok(ir, d->approved_by))
			return ir_wrong("deputy %u: string", i);
		if (d->role > IR_DEPUTY_ADMINISTRATOR || d->from >= d->until)
			return ir_wrong("deputy %u: value", i);
	}
	return NULL;
}

static const char *check_segments(const struct ir *ir)
{
	if (ir->nsegments > LIMIT_SEGMENTS)
		return "segments: too many";
	for (uint32_t i = 0; i < ir->nsegments; i++) {
		const struct ir_segment *s = &ir->segments[i];
		if (!ir_name_ok(ir, s->name) || !ir_text_ok(ir, s->label))
			return ir_wrong("segment %u: string", i);
		if (s->kind > KIND_INTERNET || s->answer_ping > 1 || s->network_other > 1 || s->mss > 65535)
			return ir_wrong("segment %u: value", i);
		if (!ir_run_ok(s->networks, ir->nnetworks))
			return ir_wrong("segment %u: networks", i);
		for (uint32_t k = 0; k < s->networks.n; k++)
			if (ir->networks[s->networks.first + k].segment != i)
				return ir_wrong("segment %u: a network of another", i);
	}
	return NULL;
}

static const char *check_interfaces(const struct ir *ir)
{
	if (ir->ninterfaces > LIMIT_INTERFACES)
		return "interfaces: too many";
	for (uint32_t i = 0; i < ir->ninterfaces; i++) {
		const struct ir_interface *f = &ir->interfaces[i];
		if (!ifname_ok(f->name, false) || !ifname_ok(f->parent, true))
			return ir_wrong("interface %u: name", i);
		if (f->segment >= ir->nsegments || f->vlan > 4094 || (f->vlan == 0) != (f->parent[0] == '\0'))
			return ir_wrong("interface %u: value", i);
		for (uint32_t k = 0; k < i; k++)
			if (strcmp(ir->interfaces[k].name, f->name) == 0)
				return ir_wrong("interface %u: twice", i);
	}
	return NULL;
}

static const char *check_locals(const struct ir *ir)
{
	for (uint32_t i = 0; i < ir->nlocals; i++) {
		const struct ir_local *l = &ir->locals[i];
		if (l->interface >= ir->ninterfaces || !addr_ok(l->family, l->addr) ||
			!prefix_ok(l->family, l->prefix_len))
			return ir_wrong("local %u", i);
	}
	return NULL;
}

/* Order of (family, lo) and disjoint: the second begins behind the first. */
static bool ranges_ordered(uint8_t f1, const struct ir_range *a, uint8_t f2, const struct ir_range *b)
{
	return f1 < f2 || (f1 == f2 && memcmp(a->hi, b->lo, 16) < 0);
}

static const char *check_networks(const struct ir *ir)
{
	for (uint32_t i = 0; i < ir->nnetworks; i++) {
		const struct ir_network *n = &ir->networks[i];
		if (n->segment >= ir->nsegments || !ir_range_ok(n->family, &n->range))
			return ir_wrong("network %u", i);
		if (i == 0)
			continue;
		const struct ir_network *p = n - 1;
		if (p->segment > n->segment ||
			(p->segment == n->segment &&
				!ranges_ordered(p->family, &p->range, n->family, &n->range)))
			return ir_wrong("network %u: not in order", i);
	}
	return NULL;
}

static const char *check_sources(const struct ir *ir)
{
	for (uint32_t i = 0; i < ir->nsources; i++) {
		const struct ir_source *s = &ir->sources[i];
		if (s->interface >= ir->ninterfaces || !ir_range_ok(s->family, &s->range) || s->has_mac > 1 ||
			(s->has_mac != 0 && !is_unicast(s->mac)))
			return ir_wrong("source %u", i);
		if (i == 0)
			continue;
		const struct ir_source *p = s - 1;
		if (p->interface > s->interface ||
			(p->interface == s->interface &&
				!ranges_ordered(p->family, &p->range, s->family, &s->range)))
			return ir_wrong("source %u: not in order", i);
	}
	return NULL;
}

static const char *check_ways(const struct ir *ir)
{
	if (ir->nroutes > LIMIT_ROUTES)
		return "routes: too many";
	for (uint32_t i = 0; i < ir->nneighs; i++) {
		const struct ir_neigh *n = &ir->neighs[i];
		if (n->interface >= ir->ninterfaces || !addr_ok(n->family, n->addr) || !is_unicast(n->mac))
			return ir_wrong("neighbour %u", i);
	}
	for (uint32_t i = 0; i < ir->nroutes; i++) {
		const struct ir_route *r = &ir->routes[i];
		if (r->interface >= ir->ninterfaces || !addr_ok(r->family, r->prefix) ||
			!addr_ok(r->family, r->via) || !prefix_ok(r->family, r->prefix_len))
			return ir_wrong("route %u", i);
	}
	return NULL;
}

static const char *check_hosts(const struct ir *ir)
{
	if (ir->nhosts > LIMIT_HOSTS)
		return "hosts: too many";
	for (uint32_t i = 0; i < ir->nhosts; i++) {
		const struct ir_host *h = &ir->hosts[i];
		if (!ir_name_ok(ir, h->name) || !ir_text_ok(ir, h->label) || !ir_text_ok(ir, h->section) ||
			!ir_text_ok(ir, h->location) || !ir_text_ok(ir, h->external))
			return ir_wrong("host %u: string", i);
		if (h->segment >= ir->nsegments || h->has_mac > 1 || !ir_run_ok(h->addrs, ir->nhostaddrs))
			return ir_wrong("host %u: value", i);
		for (uint32_t k = 0; k < h->addrs.n; k++)
			if (ir->hostaddrs[h->addrs.first + k].host != i)
				return ir_wrong("host %u: an address of another", i);
	}
	for (uint32_t i = 0; i < ir->nhostaddrs; i++) {
		const struct ir_hostaddr *a = &ir->hostaddrs[i];
		if (a->host >= ir->nhosts || !ir_range_ok(a->family, &a->range))
			return ir_wrong("host address %u", i);
	}
	return NULL;
}

bool ir_verify_name_ok(const struct ir *ir, ir_str s)
{
	if (s == 0 || s >= ir->nstrings)
		return false;
	uint32_t n = 0;
	for (; ir->strings[s + n].c != '\0'; n++) {
		unsigned char c = (unsigned char)ir->strings[s + n].c;
		if (n == LIMIT_VERIFY_NAME || c <= ' ' || c >= 0x7f || (c >= 'A' && c <= 'Z'))
			return false;
	}
	return n > 0;
}

bool ir_names_ok(const struct ir *ir, struct ir_run run, uint32_t max)
{
	if (!ir_run_ok(run, ir->nnames) || run.n > max)
		return false;
	for (uint32_t i = 0; i < run.n; i++) {
		const struct ir_name *name = &ir->names[run.first + i];
		if (!ir_verify_name_ok(ir, name->name) ||
			(i > 0 && strcmp(ir_text(ir, name[-1].name), ir_text(ir, name->name)) >= 0))
			return false;
	}
	return true;
}

/* *left: how many names all lists together may still have. */
static bool verify_list_ok(const struct ir *ir, struct ir_run run, size_t *left)
{
	if (run.n > *left || !ir_names_ok(ir, run, LIMIT_VERIFY_NAMES))
		return false;
	*left -= run.n;
	return true;
}

/* Texts in order, none twice; together not longer than the strings, so that comparing them takes linear time. */
static bool verify_texts_ok(const struct ir *ir)
{
	size_t left = ir->nstrings;

	for (uint32_t i = 0; i < ir->nverifieds; i++) {
		ir_str s = ir->verifieds[i].text;
		if (s == 0 || !ir_text_ok(ir, s))
			return false;
		size_t n = strlen(ir_text(ir, s)) + 1; /* the last string ends, so this does */
		if (n == 1 || n > left ||
			(i > 0 && strcmp(ir_text(ir, ir->verifieds[i - 1].text), ir_text(ir, s)) >= 0))
			return false;
		left -= n;
	}
	return true;
}

static const char *check_verifieds(const struct ir *ir)
{
	size_t left = ir->nnames;

	if (ir->nverifieds > LIMIT_VERIFIEDS)
		return "verified: too many";
	if (!verify_texts_ok(ir))
		return "verified: texts";
	for (uint32_t i = 0; i < ir->nverifieds; i++) {
		const struct ir_verified *v = &ir->verifieds[i];
		if (v->application == APP_NONE || v->application >= APP_END || v->one_way > 1 ||
			(v->options & ~application_options(v->application)) != 0)
			return ir_wrong("verified %u: value", i);
		if (!verify_list_ok(ir, v->server_names, &left) || !verify_list_ok(ir, v->alpns, &left) ||
			!verify_list_ok(ir, v->domain_names, &left))
			return ir_wrong("verified %u: names", i);
	}
	return NULL;
}

/* A rule that the inspector serves says with which demand, and says the same as that; no other rule has one. */
static bool rule_verified_ok(const struct ir *ir, const struct ir_rule *r)
{
	if (r->action != IR_INSPECT)
		return r->verified == 0;
	if (r->verified == 0 || r->verified > ir->nverifieds)
		return false;
	const struct ir_verified *v = &ir->verifieds[r->verified - 1];
	return v->application == r->application && v->one_way == ((r->flags & IR_RULE_ONE_WAY) != 0);
}

static bool rule_texts_ok(const struct ir *ir, const struct ir_rule *r)
{
	return ir_name_ok(ir, r->name) && ir_text_ok(ir, r->from) && ir_text_ok(ir, r->to) &&
	       ir_text_ok(ir, r->service) && ir_text_ok(ir, r->application_text) && ir_text_ok(ir, r->purpose) &&
	       ir_text_ok(ir, r->applicant);
}

static bool rule_values_ok(const struct ir *ir, const struct ir_rule *r)
{
	return r->from_segment < ir->nsegments && r->to_segment < ir->nsegments && r->action >= IR_ALLOW &&
	       r->action <= IR_MAIL && r->application < APP_END && r->sanitised_by <= SANITISED_FILE_RELAY &&
	       r->screen_product < SCREEN_END &&
	       (r->flags & (IR_RULE_CLOSES_CAUTION | IR_RULE_CLOSES_NEVER)) !=
		       (IR_RULE_CLOSES_CAUTION | IR_RULE_CLOSES_NEVER) &&
	       (r->days & ~DAYS_ALL) == 0 && r->hours_from <= 24 * 60 && r->hours_to <= 24 * 60;
}

static const char *check_rules(const struct ir *ir)
{
	size_t dates = 0;

	if (ir->nrules > LIMIT_RULES)
		return "rules: too many";
	for (uint32_t i = 0; i < ir->nrules; i++) {
		const struct ir_rule *r = &ir->rules[i];
		if (!rule_texts_ok(ir, r))
			return ir_wrong("rule %u: string", i);
		if (!rule_values_ok(ir, r))
			return ir_wrong("rule %u: value", i);
		if (!rule_verified_ok(ir, r))
			return ir_wrong("rule %u: verified", i);
		if (!ir_run_ok(r->closed, ir->ndates) || !ir_run_ok(r->spans, ir->nspans))
			return ir_wrong("rule %u: run", i);
		for (uint32_t k = 0; k < r->spans.n; k++)
			if (ir->spans[r->spans.first + k].rule != i)
				return ir_wrong("rule %u: a span of another", i);
		dates += r->closed.n;
		if (dates > ir->ndates)
			return ir_wrong("rule %u: dates of another", i);
	}
	for (uint32_t i = 0; i < ir->ndates; i++) {
		const struct ir_date *d = &ir->dates[i];
		if (d->year < 1970 || d->year > 9999 || d->month < 1 || d->month > 12 || d->day < 1 ||
			d->day > 31)
			return ir_wrong("date %u", i);
	}
	for (uint32_t i = 0; i < ir->nnames; i++)
		if (!ir_text_ok(ir, ir->names[i].name))
			return ir_wrong("name %u", i);
	return NULL;
}

static const char *check_spans(const struct ir *ir)
{
	if (ir->nspans > LIMIT_BOXES)
		return "spans: too many";
	for (uint32_t i = 0; i < ir->nspans; i++) {
		const struct ir_span *s = &ir->spans[i];
		if (s->rule >= ir->nrules || !ir_range_ok(s->family, &s->src) || !ir_range_ok(s->family, &s->dst) ||
			!proto_ok(s->family, s->proto) || s->port_lo > s->port_hi)
			return ir_wrong("span %u", i);
	}
	return NULL;
}

static int small_cmp(uint32_t a, uint32_t b)
{
	return a < b ? -1 : a > b;
}

/* The order that ir.h promises for boxes. */
static int box_cmp(const struct ir_box *a, const struct ir_box *b)
{
	int d = small_cmp((uint32_t)a->from << 16 | a->to, (uint32_t)b->from << 16 | b->to);

	if (d == 0)
		d = small_cmp((uint32_t)a->family << 8 | a->proto, (uint32_t)b->family << 8 | b->proto);
	if (d == 0)
		d = memcmp(a->src.lo, b->src.lo, 16);
	if (d == 0)
		d = memcmp(a->dst.lo, b->dst.lo, 16);
	return d == 0 ? small_cmp(a->port_lo, b->port_lo) : d;
}

/* Candidates exist, stand in file order, belong to this pair, and all mean the same action. */
static bool cands_ok(const struct ir *ir, const struct ir_box *b)
{
	if (b->cand.n == 0 || !ir_run_ok(b->cand, ir->ncands))
		return false;
	const struct ir_cand *c = &ir->cands[b->cand.first];
	for (uint32_t k = 0; k < b->cand.n; k++) {
		if (c[k].rule >= ir->nrules || (k > 0 && c[k].rule <= c[k - 1].rule))
			return false;
		const struct ir_rule *r = &ir->rules[c[k].rule], *first = &ir->rules[c[0].rule];
		if (r->from_segment != b->from || r->to_segment != b->to || r->action != first->action ||
			r->verified != first->verified)
			return false;
	}
	return true;
}

static const char *check_boxes(const struct ir *ir)
{
	size_t cands = 0;

	if (ir->nboxes > LIMIT_BOXES)
		return "boxes: too many";
	for (uint32_t i = 0; i < ir->nboxes; i++) {
		const struct ir_box *b = &ir->boxes[i];
		if (b->from >= ir->nsegments || b->to >= ir->nsegments || !ir_range_ok(b->family, &b->src) ||
			!ir_range_ok(b->family, &b->dst) || !proto_ok(b->family, b->proto) ||
			b->port_lo > b->port_hi)
			return ir_wrong("box %u: value", i);
		cands += b->cand.n;
		if (cands > ir->ncands || !cands_ok(ir, b))
			return ir_wrong("box %u: candidates", i);
		if (i > 0 && box_cmp(b - 1, b) >= 0)
			return ir_wrong("box %u: not in order", i);
	}
	for (uint32_t i = 0; i < ir->ncands; i++)
		if (ir->cands[i].rule >= ir->nrules)
			return ir_wrong("candidate %u", i);
	return NULL;
}

static const char *check_owns(const struct ir *ir)
{
	for (uint32_t i = 0; i < ir->nowns; i++) {
		const struct ir_own *o = &ir->owns[i];
		if (!ir_name_ok(ir, o->what) || o->interface >= ir->ninterfaces || o->out > 1 ||
			!addr_ok(o->family, o->local) || !ir_range_ok(o->family, &o->remote) ||
			!proto_ok(o->family, o->proto) || o->port_lo > o->port_hi || o->turned > 1)
			return ir_wrong("own flow %u", i);
	}
	return NULL;
}

/* Header, sections and checksum; fills *ir. */
static const char *open_sections(const void *p, size_t n, struct ir *ir)
{
	static const uint32_t records[] = {
#define X(NAME, type, member) sizeof(struct type),
		IR_SECTIONS(X)
#undef X
	};
	struct ir_header h;

	if (n < sizeof(h))
		return "size";
	memcpy(&h, p, sizeof(h));
	if (h.magic != IR_MAGIC)
		return "magic";
	if (h.version != IR_VERSION || h.nsections != IR_NSECTIONS)
		return "version";
	if (h.size != n || (uintptr_t)p % 8 != 0)
		return "size";
	uint32_t crc = h.crc;
	h.crc = 0;
	if (crc32c(crc32c(0, &h, sizeof(h)), (const uint8_t *)p + sizeof(h), n - sizeof(h)) != crc)
		return "checksum";
	size_t at = sizeof(h);
	for (unsigned i = 0; i < IR_NSECTIONS; i++) {
		if (h.section[i].record != records[i])
			return "version";
		if (h.section[i].off % 8 != 0 || h.section[i].off < at || h.section[i].off > n ||
			h.section[i].n > (n - h.section[i].off) / records[i])
			return "section out of bounds";
		at = h.section[i].off + (size_t)h.section[i].n * records[i];
	}
	*ir = (struct ir){.base = p, .size = n};
#define X(NAME, type, member)                                                                                \
	ir->member = (const void *)((const uint8_t *)p + h.section[IR_##NAME].off);                          \
	ir->n##member = h.section[IR_##NAME].n;
	IR_SECTIONS(X)
#undef X
	/* The first string is the empty one, and the last byte ends the last string. */
	if (ir->nstrings == 0 || ir->strings[0].c != '\0' || ir->strings[ir->nstrings - 1].c != '\0')
		return "strings";
	return NULL;
}

const char *ir_open(const void *p, size_t n, struct ir *ret)
{
	static const char *(*const checks[])(const struct ir *) = {check_system, check_deputies, check_segments,
		check_interfaces, check_locals, check_networks, check_sources, check_ways, check_hosts,
		check_verifieds, check_rules, check_spans, check_boxes, check_owns,
		ir_check_mail};
	struct ir ir;
	const char *bad = open_sections(p, n, &ir);

	for (size_t i = 0; bad == NULL && i < sizeof(checks) / sizeof(checks[0]); i++)
		bad = checks[i](&ir);
	if (bad == NULL)
		*ret = ir;
	if (bad == NULL)
		ret->level = 0;
	return bad;
}

struct addr ir_addr(uint8_t family, const uint8_t b[16])
{
	struct addr a = {.family = family};

	memcpy(a.b, b, sizeof(a.b));
	return a;
}

struct addr_range ir_addr_range(uint8_t family, const struct ir_range *r)
{
	return (struct addr_range){ir_addr(family, r->lo), ir_addr(family, r->hi)};
}
