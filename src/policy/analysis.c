/*
 * analysis.c: what is not forbidden but useless, doubtful or due: shadowed, duplicate, expired, not yet
 * started, unreachable, roles and names that nobody uses, reports that are due.
 */
#include "compile.h"

#include <string.h>

/* -- time ----------------------------------------------------------------------------------------------- */

static bool hours_cover(const struct ir_rule *a, const struct ir_rule *b)
{
	if (a->hours_from == a->hours_to)
		return true;
	if (b->hours_from == b->hours_to)
		return false;
	bool wrap_a = a->hours_to < a->hours_from, wrap_b = b->hours_to < b->hours_from;
	return wrap_a == wrap_b && a->hours_from <= b->hours_from && b->hours_to <= a->hours_to;
}

static bool closed_on(const struct compiler *c, const struct ir_rule *r, const struct ir_date *d)
{
	for (uint32_t i = 0; i < r->closed.n; i++) {
		const struct ir_date *x = &c->ir.dates[r->closed.first + i];
		if (x->year == d->year && x->month == d->month && x->day == d->day)
			return true;
	}
	return false;
}

bool rule_time_covers(const struct compiler *c, const struct ir_rule *a, const struct ir_rule *b)
{
	if (a->starts > b->starts || a->ends < b->ends || a->window_from > b->window_from ||
		a->window_to < b->window_to)
		return false;
	if ((a->days & b->days) != b->days || !hours_cover(a, b))
		return false;
	for (uint32_t i = 0; i < a->closed.n; i++)
		if (!closed_on(c, b, &c->ir.dates[a->closed.first + i]))
			return false;
	return true;
}

static void check_dates(struct compiler *c, uint32_t i)
{
	const struct model_allow *a = c->notes[i].allow;
	const struct ir_rule *r = &c->ir.rules[i];
	char text[CLOCK_TEXT_MAX];

	if (r->starts >= r->ends)
		return; /* said already */
	if (r->ends <= c->now.sec)
		diag_warning(c->diags, a->expires.line, "expired",
			_("remove the rule, or renew its approval and `expires`"),
			_("the rule \"%s\" expired on %04d-%02d-%02d"), a->name.text, a->expires.year,
			a->expires.month, a->expires.day);
	else if (r->window_to <= c->now.sec)
		diag_warning(c->diags, a->window_line, "expired", _("remove the rule"),
			_("the window of rule \"%s\" ended at %s"), a->name.text,
			clock_format((struct wall){r->window_to}, text));
	else if (r->starts > c->now.sec)
		diag_warning(c->diags, a->starts.line, "not-started", NULL,
			_("the rule \"%s\" starts on %04d-%02d-%02d"), a->name.text, a->starts.year,
			a->starts.month, a->starts.day);
	else if (r->window_from > c->now.sec)
		diag_warning(c->diags, a->window_line, "not-started", NULL,
			_("the window of rule \"%s\" opens at %s"), a->name.text,
			clock_format((struct wall){r->window_from}, text));
}

static int64_t day_after(const struct date *d)
{
	return clock_from_civil(&(struct civil){.year = d->year, .month = d->month, .day = d->day + 1}).sec;
}

static void check_report(struct compiler *c, const struct model_allow *a)
{
	if (a->exception_line != 0 && a->report_due.year != 0 && day_after(&a->report_due) <= c->now.sec)
		diag_warning(c->diags, a->report_due.line, "report-due",
			_("file the report, then remove the exception"),
			_("the report on the exception \"%s\" was due on %04d-%02d-%02d"), a->name.text,
			a->report_due.year, a->report_due.month, a->report_due.day);
}

static bool date_after(const struct date *a, const struct date *b)
{
	return a->year != b->year     ? a->year > b->year
	       : a->month != b->month ? a->month > b->month
				      : a->day > b->day;
}

/* -- approvals ------------------------------------------------------------------------------------------ */

static bool role_known(const struct compiler *c, const char *role)
{
	const struct model_system *s = &c->m->system;

	for (size_t i = 0; i < s->napproval_required; i++)
		for (size_t k = 0; k < s->approval_required[i].roles.n; k++)
			if (strcmp(s->approval_required[i].roles.v[k].text, role) == 0)
				return true;
	return s->napproval_required == 0;
}

static void check_approvals(struct compiler *c, const struct model_allow *a)
{
	for (size_t i = 0; i < a->napprovals; i++) {
		const struct model_approval *p = &a->approvals[i];
		if (!role_known(c, p->role.text))
			diag_warning(c->diags, p->role.line, "unknown-role",
				_("use a role that `approval-required` names"),
				_("no case asks for the approval of \"%s\""), p->role.text);
		if ((p->name == NULL || p->date.year == 0) && !form_said(c, p->role.line))
			diag_error(c->diags, p->role.line, "approval-incomplete",
				_("add: name \"...\" date 2026-04-01"),
				_("the approval of \"%s\" in rule \"%s\" has no name or no date"),
				p->role.text, a->name.text);
		if (p->date.year != 0 && a->starts.year != 0 && date_after(&p->date, &a->starts))
			diag_warning(c->diags, p->date.line, "approved-late",
				_("correct the date, or `starts`"),
				_("the rule \"%s\" starts before it was approved"), a->name.text);
	}
}

/* -- reach ---------------------------------------------------------------------------------------------- */

struct reach {
	const struct compiler *c;
	uint32_t segment;
	uint64_t interfaces; /* bit by interface through which a part is reached */
};

static void note_reach(void *arg, const struct addr_range *common, uint32_t owner)
{
	struct reach *r = arg;
	uint32_t interface = r->c->ways[owner].interface;

	(void)common;
	if (r->c->ir.interfaces[interface].segment == r->segment)
		r->interfaces |= (uint64_t)1 << interface;
}

static uint64_t reach_of(const struct compiler *c, const struct endpoint *e)
{
	struct reach r = {.c = c, .segment = e->segment};

	for (size_t i = 0; i < e->n; i++)
		cover_each(&c->routing, &e->v[i].range, note_reach, &r);
	return r.interfaces;
}

static void check_reach(struct compiler *c, const struct rule_note *n)
{
	uint64_t from, to;

	if (n->from.n == 0 || n->to.n == 0 || n->from.segment == NONE || n->to.segment == NONE)
		return;
	from = reach_of(c, &n->from);
	to = reach_of(c, &n->to);
	if (from == 0 || to == 0)
		diag_warning(c->diags, from == 0 ? n->allow->from.line : n->allow->to.line, "unreachable",
			_("add a route, or correct the address"),
			_("the rule \"%s\" matches nothing: there is no way to \"%s\""), n->allow->name.text,
			from == 0 ? n->allow->from.text : n->allow->to.text);
	else if (from == to && (from & (from - 1)) == 0 && n->from.segment == n->to.segment)
		diag_warning(c->diags, n->line, "same-link", _("remove the rule"),
			_("both ends of the rule \"%s\" are on the same interface: their traffic does not "
			  "come through the gate"),
			n->allow->name.text);
}

/* -- bound by path -------------------------------------------------------------------------------------- */

/* Is a MAC address bound on the way to this address: the host's own, or that of the router before it? */
static bool mac_bound(const struct compiler *c, const struct piece *p)
{
	const struct piece *way = cover_find(&c->routing, &p->range.lo);

	if (way == NULL || p->owner == NONE)
		return true; /* said already */
	uint32_t router = c->ways[way->owner].router;
	return router == NONE ? c->m->hosts[p->owner].mac.line != 0 : c->m->routers[router].mac.line != 0;
}

/* An approved flow of mynumber is bound by path, which means the MAC address as well as the IP address. */
static void check_macs(struct compiler *c, const struct rule_note *n)
{
	const struct endpoint *ends[2] = {&n->from, &n->to};

	if (n->from.segment == NONE || n->to.segment == NONE || n->from.segment == n->to.segment ||
		(c->m->segments[n->from.segment].kind != KIND_MYNUMBER &&
			c->m->segments[n->to.segment].kind != KIND_MYNUMBER))
		return;
	for (int e = 0; e < 2; e++)
		for (size_t i = 0; i < ends[e]->n; i++) {
			if (mac_bound(c, &ends[e]->v[i]))
				continue;
			diag_warning(c->diags, n->line, "no-mac",
				_("add `mac` to the host, or to the router that it is behind"),
				_("the rule \"%s\" touches mynumber, but no MAC address is bound for \"%s\""),
				n->allow->name.text, c->m->hosts[ends[e]->v[i].owner].name.text);
			break;
		}
}

/* -- shadowed and duplicate ----------------------------------------------------------------------------- */

/* The same rectangles, in the same order. */
static bool same_spans(const struct compiler *c, const struct ir_rule *a, const struct ir_rule *b)
{
	if (a->spans.n != b->spans.n)
		return false;
	for (uint32_t i = 0; i < a->spans.n; i++) {
		const struct ir_span *x = &c->ir.spans[a->spans.first + i],
				     *y = &c->ir.spans[b->spans.first + i];
		if (x->family != y->family || x->proto != y->proto || x->port_lo != y->port_lo ||
			x->port_hi != y->port_hi || memcmp(&x->src, &y->src, sizeof(x->src)) != 0 ||
			memcmp(&x->dst, &y->dst, sizeof(x->dst)) != 0)
			return false;
	}
	return true;
}

static void check_shadow(struct compiler *c, uint32_t i)
{
	const struct rule_note *n = &c->notes[i];

	if (n->effective || n->covered_by == NONE || c->ir.rules[i].spans.n == 0)
		return;
	const struct rule_note *by = &c->notes[n->covered_by];
	if (same_spans(c, &c->ir.rules[i], &c->ir.rules[n->covered_by]) &&
		rule_time_covers(c, &c->ir.rules[i], &c->ir.rules[n->covered_by]))
		diag_warning(c->diags, n->line, "duplicate", _("remove one of the two"),
			_("the rule \"%s\" grants the same as the rule \"%s\" (line %u)"),
			n->allow->name.text, by->allow->name.text, by->line);
	else
		diag_warning(c->diags, n->line, "shadowed",
			_("remove the rule, or make the earlier one narrower"),
			_("the rule \"%s\" grants nothing that earlier rules do not grant already, such as "
			  "\"%s\" (line %u)"),
			n->allow->name.text, by->allow->name.text, by->line);
}

/* -- unused --------------------------------------------------------------------------------------------- */

/* Whoever writes closed-at has thought of levels: one that closes nothing is then no level. */
static void check_levels(struct compiler *c)
{
	const struct model *m = c->m;
	size_t never = 0;

	for (size_t i = 0; i < m->nallows; i++)
		never += m->allows[i].closes == CLOSES_NEVER;
	if (m->nallows > 0 && never == m->nallows)
		diag_warning(c->diags, m->allows[0].name.line, "level-closes-nothing",
			_("take `closed-at never` away where the work can wait"),
			_("alert level lockdown closes nothing: every rule says `closed-at never`"));
}

static void check_unused(struct compiler *c)
{
	const struct model *m = c->m;

	for (size_t i = 0; i < m->nhosts; i++)
		if (!c->host_used[i])
			diag_warning(c->diags, m->hosts[i].name.line, "unused",
				_("remove it if it is not needed any more"),
				_("no rule names the host \"%s\""), m->hosts[i].name.text);
	for (size_t i = 0; i < m->ngroups; i++)
		if (!c->group_used[i])
			diag_warning(c->diags, m->groups[i].name.line, "unused",
				_("remove it if it is not needed any more"),
				_("no rule names the host group \"%s\""), m->groups[i].name.text);
	for (size_t i = 0; i < m->nservices; i++)
		if (!c->service_used[i])
			diag_warning(c->diags, m->services[i].name.line, "unused",
				_("remove it if it is not needed any more"),
				_("no rule names the service \"%s\""), m->services[i].name.text);
}

void stage_analysis(struct compiler *c)
{
	if (c->too_many)
		return;
	for (uint32_t i = 0; i < c->nnotes; i++) {
		const struct model_allow *a = c->notes[i].allow;
		check_dates(c, i);
		check_report(c, a);
		check_approvals(c, a);
		check_reach(c, &c->notes[i]);
		check_macs(c, &c->notes[i]);
		check_shadow(c, i);
	}
	check_unused(c);
	check_levels(c);
}
