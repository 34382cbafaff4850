/*
 * guard.c: the laws of the three layers, said with the line of the file and a packet that would cross.
 *
 * These laws are code and not configuration. The same laws are applied again to the finished IR (guard_ir.c,
 * which shares nothing with this file) by the process that programs the kernel. The laws:
 *
 *   law-mynumber-internet   mynumber and internet never talk, not even by exception; nor share a VLAN trunk
 *   law-mynumber            mynumber and another segment: one host at each end, exact ports (an exception
 * lifts these two), an approval, an end date, and an external far end that is isolated law-sanitised lgwan
 * and internet: sanitised, or a break-out under alpha-prime, or an exception law-exception           an
 * exception has a reason, an approver, an end and a due date for the report missing-approval        the roles
 * that the configuration asks for in this case have approved
 */
#include "compile.h"
#include "verified.h"

#include <netinet/in.h>
#include <string.h>

struct subject {
	struct compiler *c;
	uint32_t rule;
	const struct model_allow *a;
	const struct rule_note *n;
	const struct ir_rule *r;
	enum segment_kind from, to;
};

static bool between(const struct subject *s, enum segment_kind a, enum segment_kind b)
{
	return (s->from == a && s->to == b) || (s->from == b && s->to == a);
}

/* One message form for all laws: what is asked, and what would cross otherwise. */
static void broken(
	const struct subject *s, uint32_t line, const char *code, const char *hint, const char *law)
{
	line = line != 0 ? line : s->a->name.line;
	if (s->r->spans.n == 0)
		diag_error(s->c->diags, line, code, hint, _("the rule \"%s\" breaks a law: %s"),
			s->a->name.text, law);
	else
		diag_error(s->c->diags, line, code, hint,
			_("the rule \"%s\" breaks a law: %s (it would let %s cross)"), s->a->name.text, law,
			example_packet(s->c, s->rule));
}

/* -- mynumber ------------------------------------------------------------------------------------------- */

static bool single_end(const struct endpoint *e)
{
	for (size_t i = 0; i < e->n; i++)
		if (!range_is_single(&e->v[i].range))
			return false;
	return e->kind == ENDPOINT_HOST && e->n <= LIMIT_GUARD_ADDRESSES;
}

static void check_end_single(const struct subject *s, const struct endpoint *e, const struct word *w)
{
	if (e->n > 0 && e->segment != NONE && !single_end(e))
		broken(s, w->line, "law-mynumber-host",
			_("name one host with single addresses, one rule for each pair, or make it an "
			  "exception"),
			_("to and from mynumber both ends are single hosts"));
}

static void check_mynumber(const struct subject *s)
{
	bool exception = s->a->exception_line != 0;

	if (!exception) {
		check_end_single(s, &s->n->from, &s->a->from);
		check_end_single(s, &s->n->to, &s->a->to);
	}
	if (!exception && s->r->widest_ports > LIMIT_GUARD_PORTS)
		broken(s, s->a->nservices > 0 ? s->a->services[0].name.line : 0, "law-mynumber-ports",
			_("name the ports one by one, or make it an exception"),
			_("to and from mynumber no range is wider than 16 ports"));
	if (s->a->expires.year == 0 && s->a->window_line == 0)
		broken(s, 0, "law-mynumber-end", _("add: expires 2027-03-31"),
			_("what touches mynumber has an end date"));
	if ((s->r->flags & IR_RULE_EXTERNAL) != 0 && !s->a->external_isolated)
		broken(s, 0, "law-mynumber-isolated",
			_("add `external-isolated true` when the other body has stated so; without it, no "
			  "rule"),
			_("a body outside that talks to mynumber is not itself connected to the internet"));
	if (s->a->purpose == NULL || s->a->applicant == NULL)
		diag_warning(s->c->diags, s->a->name.line, "no-purpose",
			_("add: purpose \"...\" applicant \"...\""),
			_("the rule \"%s\" touches mynumber and does not say what for, or for which section"),
			s->a->name.text);
}

/* -- lgwan and internet --------------------------------------------------------------------------------- */

/* Every use of a service in the rule is this one port. */
static bool only_port(const struct subject *s, uint8_t proto, uint16_t port)
{
	for (uint32_t k = 0; k < s->r->spans.n; k++) {
		const struct ir_span *p = &s->c->ir.spans[s->r->spans.first + k];
		if (p->proto != proto || p->port_lo != port || p->port_hi != port)
			return false;
	}
	return true;
}

static bool has_word(const struct words *w, const char *text)
{
	for (size_t i = 0; i < w->n; i++)
		if (strcmp(w->v[i].text, text) == 0)
			return true;
	return false;
}

static void check_breakout(const struct subject *s)
{
	if (!s->c->m->system.alpha_prime)
		broken(s, s->a->permitted_line, "law-breakout-model",
			_("add: set system model alpha-prime, or leave it out"),
			_("a local break-out exists only under the model alpha-prime"));
	if (s->from != KIND_LGWAN)
		broken(s, s->a->permitted_line, "law-breakout-direction", NULL,
			_("a local break-out begins in the lgwan segment"));
	if (s->a->application != APP_TLS || s->a->server_names.n == 0)
		broken(s, s->a->permitted_line, "law-breakout-names",
			_("add: application tls server-name NAME"),
			_("a local break-out names the TLS servers that it is for"));
	if (has_word(&s->a->options, "ech"))
		broken(s, s->a->permitted_line, "law-breakout-names", _("leave out `application-option ech`"),
			_("a local break-out sees the names of its TLS servers"));
	if (s->n->to.kind == ENDPOINT_SEGMENT)
		broken(s, s->a->to.line, "law-breakout-address",
			_("name the addresses of the cloud as a host or a host group"),
			_("a local break-out names the addresses that it is for"));
	if (s->a->sanitised_by != SANITISED_NONE)
		broken(s, s->a->sanitised_line, "law-breakout-sanitised", _("leave out `sanitised-by`"),
			_("a local break-out is never called sanitised"));
}

static void check_method(const struct subject *s)
{
	switch (s->a->sanitised_by) {
	case SANITISED_MAIL_TO_TEXT:
		if (!only_port(s, IPPROTO_TCP, 25))
			broken(s, s->a->sanitised_line, "law-mail-port", _("write: service tcp/25"),
				_("only mail (tcp/25) goes through the mail gate"));
		if (s->a->application != APP_NONE && s->a->application != APP_SMTP)
			broken(s, s->a->application_line, "law-mail-port", _("write: application smtp"),
				_("only mail (tcp/25) goes through the mail gate"));
		break;
	case SANITISED_SCREEN_TRANSFER:
		if (s->from != KIND_LGWAN)
			broken(s, s->a->sanitised_line, "law-screen-direction", _("exchange `from` and `to`"),
				_("a screen is looked at from the lgwan segment"));
		if (!application_is_screen(s->a->application) && s->a->screen_product == SCREEN_NONE)
			broken(s, s->a->sanitised_line, "law-screen-application",
				_("add: application rdp or vnc; or, unverified, tls with server-name and "
				  "screen-product ica, blast or pcoip"),
				_("screen transfer is verified as a screen protocol"));
		break;
	case SANITISED_FILE_RELAY:
		if (s->a->sanitising_product == NULL || s->a->sanitising_statement == NULL)
			broken(s, s->a->sanitised_line, "law-file-relay",
				_("add: sanitising-product \"...\" sanitising-statement \"...\""),
				_("a file relay names the product that sanitises and the approver's "
				  "statement"));
		break;
	default:
		broken(s, 0, "law-sanitised",
			_("add: sanitised-by mail-to-text, screen-transfer or file-relay, or make it an "
			  "exception"),
			_("between lgwan and internet only sanitised communication passes"));
	}
}

/* -- exceptions and approvals --------------------------------------------------------------------------- */

static void check_exception(const struct subject *s)
{
	const struct model_allow *a = s->a;

	if (a->exception_reason == NULL)
		broken(s, a->exception_line, "law-exception", _("add: exception reason \"...\""),
			_("an exception has a reason"));
	if (a->exception_approved_by == NULL)
		broken(s, a->exception_line, "law-exception", _("add: exception approved-by \"...\""),
			_("an exception names who approved it"));
	if (a->expires.year == 0 && a->window_line == 0)
		broken(s, a->exception_line, "law-exception", _("add: expires 2027-03-31"),
			_("an exception has an end date"));
	if (a->report_due.year == 0)
		broken(s, a->exception_line, "law-exception", _("add: exception report-due 2027-04-15"),
			_("an exception has a due date for the report afterwards"));
}

static bool approved_by(const struct model_allow *a, const char *role)
{
	for (size_t i = 0; i < a->napprovals; i++)
		if (strcmp(a->approvals[i].role.text, role) == 0)
			return true;
	return false;
}

static const struct model_approval_required *required_for(const struct compiler *c, const char *kase)
{
	for (size_t i = 0; i < c->m->system.napproval_required; i++)
		if (strcmp(c->m->system.approval_required[i].kase.text, kase) == 0)
			return &c->m->system.approval_required[i];
	return NULL;
}

/* The roles asked for in a case; when none is configured and the law asks for approval, any one. */
static void check_approvals(const struct subject *s, const char *kase, bool law_asks)
{
	const struct model_approval_required *q = required_for(s->c, kase);

	if (q == NULL && law_asks && s->a->napprovals == 0)
		broken(s, 0, "missing-approval", _("add: approval ROLE name \"...\" date 2026-04-01"),
			arena_printf(s->c->arena, _("the case \"%s\" needs an approval"), kase));
	for (size_t i = 0; q != NULL && i < q->roles.n; i++) {
		const char *role = q->roles.v[i].text;
		if (!approved_by(s->a, role))
			broken(s, 0, "missing-approval",
				arena_printf(s->c->arena, _("add: approval %s name \"...\" date 2026-04-01"),
					role),
				arena_printf(s->c->arena, _("the case \"%s\" needs the approval of %s"), kase,
					role));
	}
}

static void check_all_approvals(const struct subject *s)
{
	bool crosses = s->r->from_segment != s->r->to_segment;

	if (crosses && (s->from == KIND_MYNUMBER || s->to == KIND_MYNUMBER))
		check_approvals(s, "mynumber", true);
	if ((s->r->flags & IR_RULE_EXTERNAL) != 0)
		check_approvals(s, "external", false);
	if (s->a->exception_line != 0)
		check_approvals(s, "exception", true);
	if (s->a->local_breakout)
		check_approvals(s, "local-breakout", false);
	if (between(s, KIND_LGWAN, KIND_INTERNET))
		check_approvals(s, "lgwan-internet", false);
	/* A segment's own name is a case too; "mynumber" as a name has been looked at. */
	const char *from = s->c->m->segments[s->r->from_segment].name.text;
	const char *to = s->c->m->segments[s->r->to_segment].name.text;
	if (strcmp(from, "mynumber") != 0)
		check_approvals(s, from, false);
	if (crosses && strcmp(to, "mynumber") != 0)
		check_approvals(s, to, false);
}

/* -- the stage ------------------------------------------------------------------------------------------ */

static void check_rule(struct compiler *c, uint32_t i)
{
	const struct rule_note *n = &c->notes[i];
	struct subject s = {c, i, n->allow, n, &c->ir.rules[i], KIND_OTHER, KIND_OTHER};

	if (n->from.segment == NONE || n->to.segment == NONE)
		return;
	s.from = c->m->segments[n->from.segment].kind;
	s.to = c->m->segments[n->to.segment].kind;
	if (between(&s, KIND_MYNUMBER, KIND_INTERNET)) {
		broken(&s, 0, "law-mynumber-internet", _("remove the rule; no exception lifts this law"),
			_("mynumber and internet never talk to each other"));
		return;
	}
	if (n->from.segment != n->to.segment && (s.from == KIND_MYNUMBER || s.to == KIND_MYNUMBER))
		check_mynumber(&s);
	if (s.a->exception_line != 0)
		check_exception(&s);
	if (s.a->local_breakout)
		check_breakout(&s);
	else if (s.a->sanitised_by != SANITISED_NONE ||
		 (between(&s, KIND_LGWAN, KIND_INTERNET) && s.a->exception_line == 0))
		check_method(&s);
	if (s.a->local_breakout && !between(&s, KIND_LGWAN, KIND_INTERNET))
		broken(&s, s.a->permitted_line, "law-breakout-direction", _("leave out `permitted-as`"),
			_("a local break-out leads from lgwan to internet"));
	check_all_approvals(&s);
}

/* mynumber and internet never share a cable: VLANs of one parent, or a parent with its own VLAN. */
static void check_trunks(struct compiler *c)
{
	for (size_t i = 0; i < c->ir.ninterfaces; i++)
		for (size_t k = 0; k < i; k++) {
			const struct ir_interface *a = &c->ir.interfaces[i], *b = &c->ir.interfaces[k];
			const char *pa = a->vlan != 0 ? a->parent : a->name,
				   *pb = b->vlan != 0 ? b->parent : b->name;
			const struct model_segment *sa = &c->m->segments[a->segment],
						   *sb = &c->m->segments[b->segment];
			if (strcmp(pa, pb) != 0 || !guard_forbidden_pair(sa->kind, sb->kind))
				continue;
			uint32_t line = sa->name.line;
			for (size_t w = 0; w < sa->interfaces.n; w++)
				if (strcmp(sa->interfaces.v[w].text, a->name) == 0)
					line = sa->interfaces.v[w].line;
			diag_error(c->diags, line, "law-trunk",
				_("give each of the two segments a physical interface of its own"),
				_("law: mynumber and internet never share a cable, but \"%s\" and \"%s\" are "
				  "both on \"%s\""),
				a->name, b->name, pa);
		}
}

/* Cases that exist, for approval-required. */
static bool case_known(const struct compiler *c, const char *kase)
{
	static const char *const cases[] = {
		"mynumber", "external", "exception", "lgwan-internet", "local-breakout"};
	uint32_t i;

	for (size_t k = 0; k < sizeof(cases) / sizeof(cases[0]); k++)
		if (strcmp(cases[k], kase) == 0)
			return true;
	return strmap_get(c->segments, kase, &i);
}

void stage_guard(struct compiler *c)
{
	check_trunks(c);
	for (size_t i = 0; i < c->m->system.napproval_required; i++) {
		const struct word *w = &c->m->system.approval_required[i].kase;
		if (!case_known(c, w->text))
			diag_error(c->diags, w->line, "unknown-case",
				_("a case is mynumber, external, exception, lgwan-internet, local-breakout "
				  "or the name of a segment"),
				_("there is no case \"%s\" that could need an approval"), w->text);
	}
	for (uint32_t i = 0; i < c->nnotes; i++)
		check_rule(c, i);
}
