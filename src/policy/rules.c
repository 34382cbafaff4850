/*
 * rules.c: allow rules become IR rules and spans: source x destination x ports, as written.
 *
 * Input: the model's rules and the address lists of hosts.c. A rule with a fault is reported and still made
 * as far as it can be, so that the guard and the analysis see it.
 */
#include "compile.h"

#include <netinet/in.h>
#include <string.h>

/* -- ends ----------------------------------------------------------------------------------------------- */

static struct endpoint find_end(
	struct compiler *c, const struct model_allow *r, const struct word *w, const char *which)
{
	struct endpoint none = {.kind = ENDPOINT_NONE, .index = NONE, .segment = NONE};
	uint32_t i;

	if (w->text == NULL) {
		if (!form_said(c, r->name.line))
			diag_error(c->diags, r->name.line, "rule-no-end",
				arena_printf(c->arena, _("add: %s NAME"), which),
				_("the rule \"%s\" does not say %s where"), r->name.text, which);
		return none;
	}
	if (strmap_get(c->hosts, w->text, &i))
		return c->host_ends[i];
	if (strmap_get(c->groups, w->text, &i))
		return c->group_ends[i];
	if (strmap_get(c->segments, w->text, &i))
		return c->segment_ends[i];
	const char *hint = name_hint(c, c->hosts, w->text, NULL);
	if (hint == NULL)
		hint = name_hint(c, c->groups, w->text, NULL);
	if (hint == NULL)
		hint = name_hint(c, c->segments, w->text, _("name it with \"set host NAME ...\""));
	diag_error(c->diags, w->line, "unknown-host", hint,
		_("there is no host, host group or segment \"%s\""), w->text);
	return none;
}

/* -- when ----------------------------------------------------------------------------------------------- */

static int64_t day_start(const struct date *d, int plus)
{
	return clock_from_civil(&(struct civil){.year = d->year, .month = d->month, .day = d->day + plus})
		.sec;
}

static void put_times(struct compiler *c, const struct model_allow *a, struct ir_rule *r)
{
	r->starts = a->starts.year == 0 ? 0 : day_start(&a->starts, 0);
	r->ends = a->expires.year == 0 ? INT64_MAX : day_start(&a->expires, 1);
	r->window_from = a->window_line == 0 ? 0 : a->window_from.sec;
	r->window_to = a->window_line == 0 ? INT64_MAX : a->window_to.sec;
	r->days = a->days;
	r->hours_from = a->hours_from;
	r->hours_to = a->hours_to;
	r->closed.first = (uint32_t)c->ir.ndates;
	r->closed.n = (uint32_t)a->nclosed;
	for (size_t i = 0; i < a->nclosed; i++)
		*(struct ir_date *)IR_PUSH(&c->ir, dates) =
			(struct ir_date){a->closed[i].year, a->closed[i].month, a->closed[i].day};
	if (a->days != DAYS_ALL || a->hours_from != a->hours_to || a->nclosed > 0 || a->window_line != 0)
		r->flags |= IR_RULE_TIMED;
	if (r->starts >= r->ends)
		diag_error(c->diags, a->expires.line, "ends-before-start", _("correct `starts` or `expires`"),
			_("the rule \"%s\" ends before it starts"), a->name.text);
	if (a->window_line != 0 && r->window_from >= r->window_to)
		diag_error(c->diags, a->window_line, "ends-before-start",
			_("write the window as FROM/TO, the later time second"),
			_("the window of rule \"%s\" ends before it starts"), a->name.text);
	if (a->days == 0)
		diag_error(c->diags, a->days_line, "never-open", _("name at least one day"),
			_("the rule \"%s\" is open on no day"), a->name.text);
}

/* -- what is verified ----------------------------------------------------------------------------------- */

static void put_application(struct compiler *c, const struct model_allow *a, struct ir_rule *r)
{
	const char *text = "";

	r->application = (uint8_t)a->application;
	r->screen_product = (uint8_t)a->screen_product;
	r->sanitised_by = (uint8_t)a->sanitised_by;
	r->action = a->sanitised_by == SANITISED_MAIL_TO_TEXT ? IR_MAIL
		    : a->application != APP_NONE	      ? IR_INSPECT
							      : IR_ALLOW;
	if (r->action == IR_INSPECT)
		r->verified = demand_intern(c, a, &text);
	else if (a->application != APP_NONE)
		text = application_word(a->application);
	r->application_text = ir_intern(&c->ir, text);
}

/* -- spans ---------------------------------------------------------------------------------------------- */

struct ports {
	struct service_port *v;
	size_t n, cap;
};

static void add_port(struct compiler *c, struct ports *p, struct service_port port)
{
	*(struct service_port *)arena_push(c->arena, (void **)&p->v, &p->n, &p->cap, sizeof(port)) = port;
}

static struct ports resolve_services(struct compiler *c, const struct model_allow *a, const char **ret_text)
{
	struct ports p = {0};
	struct buf text = {0};

	for (size_t i = 0; i < a->nservices; i++) {
		const struct service_use *u = &a->services[i];
		buf_printf(&text, "%s%s", i > 0 ? " " : "", u->name.text);
		if (u->is_inline) {
			add_port(c, &p, u->port);
			if (u->port6.proto != 0)
				add_port(c, &p, u->port6);
			continue;
		}
		uint32_t s = name_find(c, c->services, NAME_SERVICE, &u->name);
		if (s == NONE)
			continue;
		c->service_used[s] = 1;
		for (size_t k = 0; k < c->m->services[s].n; k++)
			add_port(c, &p, c->m->services[s].ports[k]);
	}
	if (a->nservices == 0 && !form_said(c, a->name.line))
		diag_error(c->diags, a->name.line, "rule-no-service", _("add: service tcp/443"),
			_("the rule \"%s\" names no service"), a->name.text);
	*ret_text = arena_strdup(c->arena, buf_str(&text));
	buf_free(&text);
	return p;
}

static uint16_t width_of(const struct service_port *p)
{
	unsigned n = (unsigned)p->hi - p->lo;

	if (p->proto == IPPROTO_ICMP || p->proto == IPPROTO_ICMPV6)
		n = (unsigned)(p->hi >> 8) - (unsigned)(p->lo >> 8);
	return n >= UINT16_MAX ? UINT16_MAX : (uint16_t)(n + 1);
}

static bool family_fits(uint8_t family, uint8_t proto)
{
	return proto == IPPROTO_ICMP ? family == 4 : proto == IPPROTO_ICMPV6 ? family == 6 : true;
}

static void put_span(struct compiler *c, uint32_t rule, const struct piece *f, const struct piece *t,
	const struct service_port *p)
{
	struct ir_span *s = IR_PUSH(&c->ir, spans);

	*s = (struct ir_span){.rule = rule,
		.family = f->range.lo.family,
		.proto = p->proto,
		.port_lo = p->lo,
		.port_hi = p->hi};
	ir_put_range(&s->src, &f->range);
	ir_put_range(&s->dst, &t->range);
}

static void put_spans(struct compiler *c, uint32_t rule, const struct rule_note *n, const struct ports *ports)
{
	for (size_t i = 0; i < n->from.n; i++)
		for (size_t k = 0; k < n->to.n; k++) {
			const struct piece *f = &n->from.v[i], *t = &n->to.v[k];
			if (f->range.lo.family != t->range.lo.family)
				continue;
			if (c->ir.nspans + ports->n > LIMIT_BOXES) {
				if (!c->too_many)
					diag_error(c->diags, n->line, "limit",
						_("use networks instead of groups of many hosts"),
						_("the rules name more than %d pairs of hosts and services"),
						LIMIT_BOXES);
				c->too_many = true;
				return;
			}
			for (size_t p = 0; p < ports->n; p++)
				if (family_fits(f->range.lo.family, ports->v[p].proto))
					put_span(c, rule, f, t, &ports->v[p]);
		}
}

/* A host whose addresses are all single ones. */
static bool single_host(const struct endpoint *e)
{
	for (size_t i = 0; i < e->n; i++)
		if (!range_is_single(&e->v[i].range))
			return false;
	return e->kind == ENDPOINT_HOST && e->n > 0;
}

static bool is_external(const struct compiler *c, const struct endpoint *e)
{
	for (size_t i = 0; i < e->n; i++)
		if (e->v[i].owner != NONE && c->m->hosts[e->v[i].owner].external.text != NULL)
			return true;
	return false;
}

static void put_flags(
	struct compiler *c, const struct model_allow *a, const struct rule_note *n, struct ir_rule *r)
{
	r->flags |= a->one_way ? IR_RULE_ONE_WAY : 0;
	r->flags |= a->closes == CLOSES_CAUTION ? IR_RULE_CLOSES_CAUTION : a->closes == CLOSES_NEVER ? IR_RULE_CLOSES_NEVER : 0;
	r->flags |= a->drain ? IR_RULE_DRAIN : 0;
	r->flags |= a->fragments ? IR_RULE_FRAGMENTS : 0;
	r->flags |= a->external_isolated ? IR_RULE_EXTERNAL_ISOLATED : 0;
	r->flags |= a->exception_line != 0 ? IR_RULE_EXCEPTION : 0;
	r->flags |= a->local_breakout ? IR_RULE_BREAKOUT : 0;
	r->flags |= single_host(&n->from) && single_host(&n->to) ? IR_RULE_SINGLE_HOSTS : 0;
	r->flags |= is_external(c, &n->from) || is_external(c, &n->to) ? IR_RULE_EXTERNAL : 0;
}

static void mark_used(struct compiler *c, const struct endpoint *e)
{
	if (e->kind == ENDPOINT_GROUP)
		c->group_used[e->index] = 1;
	for (size_t i = 0; i < e->n; i++)
		if (e->v[i].owner != NONE)
			c->host_used[e->v[i].owner] = 1;
}

/* -- one rule ------------------------------------------------------------------------------------------- */

static void put_rule(struct compiler *c, const struct model_allow *a)
{
	uint32_t i = (uint32_t)c->ir.nrules;
	struct ir_rule *r = IR_PUSH(&c->ir, rules);
	struct rule_note *n = arena_push(c->arena, (void **)&c->notes, &c->nnotes, &c->notes_cap, sizeof(*n));
	const char *services;

	*n = (struct rule_note){.allow = a, .line = a->name.line, .covered_by = NONE};
	n->from = find_end(c, a, &a->from, "from");
	n->to = find_end(c, a, &a->to, "to");
	mark_used(c, &n->from);
	mark_used(c, &n->to);
	struct ports ports = resolve_services(c, a, &services);
	r->line = a->name.line;
	r->name = ir_intern(&c->ir, a->name.text);
	r->from = ir_intern(&c->ir, a->from.text);
	r->to = ir_intern(&c->ir, a->to.text);
	r->service = ir_intern(&c->ir, services);
	r->purpose = ir_intern(&c->ir, a->purpose);
	r->applicant = ir_intern(&c->ir, a->applicant);
	r->asset_class = a->asset_class;
	r->from_segment = n->from.segment == NONE ? 0 : (uint16_t)n->from.segment;
	r->to_segment = n->to.segment == NONE ? 0 : (uint16_t)n->to.segment;
	r->napprovals = (uint16_t)(a->napprovals > UINT16_MAX ? UINT16_MAX : a->napprovals);
	for (size_t k = 0; k < ports.n; k++)
		if (width_of(&ports.v[k]) > r->widest_ports)
			r->widest_ports = width_of(&ports.v[k]);
	put_times(c, a, r);
	put_application(c, a, r);
	put_flags(c, a, n, r);
	r->spans.first = (uint32_t)c->ir.nspans;
	if (n->from.segment != NONE && n->to.segment != NONE)
		put_spans(c, i, n, &ports);
	r->spans.n = (uint32_t)c->ir.nspans - r->spans.first;
	if (r->spans.n == 0 && n->from.n > 0 && n->to.n > 0 && ports.n > 0 && !c->too_many)
		diag_error(c->diags, a->name.line, "no-common-family",
			_("give both ends an address of the same family, and a service that exists there"),
			_("the rule \"%s\" can match nothing: its ends have no address family in common"),
			a->name.text);
}

void stage_rules(struct compiler *c)
{
	const struct model *m = c->m;

	c->host_used = ARENA_ARRAY(c->arena, m->nhosts + 1, uint8_t);
	c->group_used = ARENA_ARRAY(c->arena, m->ngroups + 1, uint8_t);
	c->service_used = ARENA_ARRAY(c->arena, m->nservices + 1, uint8_t);
	if (c->too_many)
		return;
	if (m->nallows > LIMIT_RULES) {
		diag_error(c->diags, m->allows[LIMIT_RULES].name.line, "limit", NULL, _("more than %d rules"),
			LIMIT_RULES);
		c->too_many = true;
		return;
	}
	for (size_t i = 0; i < m->nallows; i++)
		put_rule(c, &m->allows[i]);
	demands_finish(c);
}

const char *example_packet(struct compiler *c, uint32_t rule)
{
	const struct ir_rule *r = &c->ir.rules[rule];
	char src[ADDR_TEXT_MAX], dst[ADDR_TEXT_MAX];

	const struct ir_span *s = &c->ir.spans[r->spans.first];
	struct addr a = ir_addr(s->family, s->src.lo), b = ir_addr(s->family, s->dst.lo);
	addr_format(&a, src);
	addr_format(&b, dst);
	if (s->proto == IPPROTO_ICMP || s->proto == IPPROTO_ICMPV6)
		return arena_printf(
			c->arena, "%s -> %s %s/%u", src, dst, proto_word(s->proto), s->port_lo >> 8);
	return arena_printf(c->arena, "%s -> %s %s/%u", src, dst, proto_word(s->proto), s->port_lo);
}
