/*
 * applications.c: what a rule demands of the inspector, against what its verifiers can do.
 *
 * Errors: an application over a transport on which nothing verifies it, words that belong to another application,
 * demands that contradict each other. Warnings: ports of another application, and rules that look verified but are
 * less bounded than their author may think. What the facts are stands in verified.c; the laws of the layers in guard.c.
 */
#include "compile.h"
#include "verified.h"

#include <netinet/in.h>
#include <string.h>

/* -- ports ---------------------------------------------------------------------------------------------- */

#define PORTS_MAX 10

/* Usual ports (0 = none) that belong to no other application. */
static const struct usual {
	uint16_t tcp[PORTS_MAX], udp[2];
} usual[APP_END] = {
	[APP_TLS] = {{443, 465, 636, 853, 989, 990, 993, 995, 6514, 8443}, {0}},
	[APP_HTTP] = {{80, 631, 8530}, {0}},
	[APP_SSH] = {{22}, {0}},
	[APP_SMTP] = {{25, 587}, {0}},
	[APP_DNS] = {{53}, {53}},
	[APP_NTP] = {{0}, {123}},
	[APP_SYSLOG] = {{514, 601}, {514}},
	[APP_SNMP] = {{0}, {161, 162}},
	[APP_LDAP] = {{389, 3268}, {389}},
	[APP_KERBEROS] = {{88}, {88}},
	[APP_SMB] = {{445}, {0}},
	[APP_RDP] = {{3389}, {0}},
	[APP_VNC] = {{5900}, {0}},
	[APP_POSTGRESQL] = {{5432}, {0}},
	[APP_TDS] = {{1433}, {0}},
	[APP_FTP] = {{21}, {0}},
	[APP_POP3] = {{110}, {0}},
	[APP_IMAP] = {{143}, {0}},
};

static bool listed(const uint16_t *ports, size_t n, uint16_t port)
{
	for (size_t i = 0; i < n; i++)
		if (ports[i] == port && port != 0)
			return true;
	return false;
}

/* The application whose usual port this is; APP_NONE. */
static enum application owner_of_port(const struct service_port *p)
{
	for (int a = 1; p->lo == p->hi && a < APP_END; a++)
		if ((p->proto == IPPROTO_TCP && listed(usual[a].tcp, PORTS_MAX, p->lo)) ||
			(p->proto == IPPROTO_UDP && listed(usual[a].udp, 2, p->lo)))
			return (enum application)a;
	return APP_NONE;
}

static const char *transport_hint(enum application a)
{
	bool tcp = application_over(a, IPPROTO_TCP), udp = application_over(a, IPPROTO_UDP);

	return tcp && udp ? _("write tcp or udp, or leave out `application`")
	       : udp	  ? _("write udp, or leave out `application`")
			  : _("write tcp, or leave out `application`");
}

static void check_port(struct compiler *c, const struct model_allow *a, const struct service_use *u,
	const struct service_port *p)
{
	const char *word = application_word(a->application);
	enum application owner = owner_of_port(p);

	if (!application_over(a->application, p->proto)) {
		diag_error(c->diags, u->name.line, "application-transport", transport_hint(a->application),
			_("the application %s never travels over %s (\"%s\")"), word, proto_word(p->proto),
			u->name.text);
		return;
	}
	if (owner != APP_NONE && owner != a->application)
		diag_warning(c->diags, u->name.line, "application-port",
			_("correct the port or the application"),
			_("%s/%u is the port of %s, and the rule \"%s\" expects %s there"),
			proto_word(p->proto), p->lo, application_word(owner), a->name.text, word);
	if (a->application == APP_FTP && p->lo != p->hi)
		diag_error(c->diags, u->name.line, "ftp-port", _("write one port, such as tcp/21"),
			_("FTP names its second connection on the first: the rule \"%s\" needs exactly one port"),
			a->name.text);
	if (a->one_way && p->proto != IPPROTO_UDP)
		diag_error(c->diags, a->one_way_line, "one-way", _("leave out `one-way`, or write udp"),
			_("nothing over %s works without answers (\"%s\")"), proto_word(p->proto), u->name.text);
}

/* ICMP kinds that open no exchange: they pass as part of a flow, or never. */
static bool icmp_opens(const struct service_port *p)
{
	unsigned type = p->lo >> 8;

	if (p->proto == IPPROTO_ICMP)
		return type == 8 || type == 13;
	return p->proto != IPPROTO_ICMPV6 || type == 128;
}

static void check_service(struct compiler *c, const struct model_allow *a, const struct service_use *u,
	const struct service_port *p)
{
	if (!icmp_opens(p))
		diag_warning(c->diags, u->name.line, "icmp-answer",
			_("leave it out: answers and errors pass with the flow that they belong to"),
			_("\"%s\" never begins an exchange, so the rule \"%s\" does not need it"),
			u->name.text, a->name.text);
	if (a->application != APP_NONE)
		check_port(c, a, u, p);
}

static void check_services(struct compiler *c, const struct model_allow *a)
{
	for (size_t i = 0; i < a->nservices; i++) {
		const struct service_use *u = &a->services[i];
		uint32_t s;
		if (u->is_inline)
			check_service(c, a, u, &u->port);
		else if (strmap_get(c->services, u->name.text, &s))
			for (size_t k = 0; k < c->m->services[s].n; k++)
				check_service(c, a, u, &c->m->services[s].ports[k]);
	}
}

/* -- words that belong to an application ---------------------------------------------------------------- */

/* "smtp, pop3, imap": whose options, or whose lists, have one of these bits. */
static const char *owners(struct compiler *c, uint32_t option, unsigned demand)
{
	struct buf b = {0};

	for (unsigned a = 1; a < APP_END; a++)
		if ((application_options(a) & option) != 0 || (application_demands(a) & demand) != 0)
			buf_printf(&b, "%s%s", b.len > 0 ? ", " : "", application_word((enum application)a));
	const char *text = arena_strdup(c->arena, buf_str(&b));
	buf_free(&b);
	return text;
}

/* A word of the rule that its application does not have; says which have it. */
static void misplaced(struct compiler *c, const struct model_allow *a, uint32_t line, const char *word, const char *of)
{
	if (a->application == APP_NONE)
		diag_error(c->diags, line, "no-application",
			arena_printf(c->arena, _("add `application` with one of: %s"), of),
			_("`%s` says something of an application, and the rule \"%s\" names none"), word,
			a->name.text);
	else
		diag_error(c->diags, line, "other-application", arena_printf(c->arena, _("only these have it: %s"), of),
			_("the application %s has no `%s` that could be verified"),
			application_word(a->application), word);
}

static void check_list(
	struct compiler *c, const struct model_allow *a, const struct words *w, const char *word, unsigned demand)
{
	if (w->n > 0 && (application_demands(a->application) & demand) == 0)
		misplaced(c, a, w->v[0].line, word, owners(c, 0, demand));
	if (w->n > LIMIT_VERIFY_NAMES)
		diag_error(c->diags, w->v[LIMIT_VERIFY_NAMES].line, "limit", NULL,
			_("more than %d names in one rule"), LIMIT_VERIFY_NAMES);
}

static bool has_option(const struct model_allow *a, uint32_t bit)
{
	for (size_t i = 0; i < a->options.n; i++)
		if (verify_option_find(a->options.v[i].text) == bit)
			return true;
	return false;
}

static void check_words(struct compiler *c, const struct model_allow *a)
{
	for (size_t i = 0; i < a->options.n; i++) {
		const struct word *w = &a->options.v[i];
		uint32_t bit = verify_option_find(w->text);
		if ((application_options(a->application) & bit) == 0)
			misplaced(c, a, w->line, arena_printf(c->arena, "application-option %s", w->text),
				owners(c, bit, 0));
	}
	check_list(c, a, &a->server_names, "server-name", DEMAND_SERVER_NAMES);
	check_list(c, a, &a->alpns, "alpn", DEMAND_ALPNS);
	check_list(c, a, &a->domain_names, "domain-name", DEMAND_DOMAIN_NAMES);
	if (a->question_rate != 0 && (application_demands(a->application) & DEMAND_DOMAIN_NAMES) == 0)
		misplaced(c, a, a->question_rate_line, "question-rate", owners(c, 0, DEMAND_DOMAIN_NAMES));
	if (a->sanitised_by == SANITISED_MAIL_TO_TEXT && (a->options.n > 0 || a->server_names.n > 0))
		diag_error(c->diags, a->sanitised_line, "mail-demand",
			_("leave out `application-option` and `server-name`"),
			_("the mail gate reads the mail of rule \"%s\" itself; nothing else is verified"), a->name.text);
	if (has_option(a, VERIFY_ACTIVE_DATA) && has_option(a, VERIFY_NO_DATA))
		diag_error(c->diags, a->options.v[0].line, "option-conflict", _("leave out one of the two"),
			_("`active-data` and `no-data` contradict each other"));
	if (a->one_way && a->application != APP_NONE && a->application != APP_SYSLOG &&
		!(a->application == APP_SNMP && has_option(a, VERIFY_TRAPS)))
		diag_error(c->diags, a->one_way_line, "one-way", _("leave out `one-way`"),
			_("%s cannot be verified without answers: only syslog and snmp traps go one way"),
			application_word(a->application));
}

/* -- screens that are not verified ---------------------------------------------------------------------- */

static bool single_host(const struct endpoint *e)
{
	for (size_t i = 0; i < e->n; i++)
		if (!range_is_single(&e->v[i].range))
			return false;
	return e->kind == ENDPOINT_HOST;
}

static bool exact_names(const struct model_allow *a)
{
	for (size_t i = 0; i < a->server_names.n; i++)
		if (a->server_names.v[i].text[0] == '*')
			return false;
	return a->server_names.n > 0;
}

/* Inside TLS nothing is seen: then the two machines and the server's name are all that bounds the rule. */
static void check_screen(struct compiler *c, const struct rule_note *n)
{
	const struct model_allow *a = n->allow;
	const char *word = screen_product_word(a->screen_product);

	if (a->screen_product == SCREEN_NONE)
		return;
	if (a->application != APP_TLS || !exact_names(a) || has_option(a, VERIFY_ECH))
		diag_error(c->diags, a->screen_product_line, "screen-product",
			_("write: application tls server-name NAME, with the whole name and without ech"),
			_("the screen product %s is bounded only by TLS and the name of its server"), word);
	else if (!single_host(&n->from) || !single_host(&n->to))
		diag_error(c->diags, a->screen_product_line, "screen-product",
			_("name one host with single addresses at each end, one rule for each pair"),
			_("the screen product %s cannot be verified, so it is bounded to two single hosts"), word);
	else
		diag_warning(c->diags, a->screen_product_line, "unverified",
			_("use rdp or vnc where you can; else nothing is to be done"),
			_("UNVERIFIED: of the screen product %s in rule \"%s\" only TLS, the server's name and the two "
			  "hosts are verified"),
			word, a->name.text);
}

/* -- less bounded than it looks ------------------------------------------------------------------------- */

/* The rule leads to or from the internet segment. */
static bool crosses_internet(const struct compiler *c, const struct rule_note *n)
{
	if (n->from.segment == NONE || n->to.segment == NONE || n->from.segment == n->to.segment)
		return false;
	enum segment_kind a = c->m->segments[n->from.segment].kind, b = c->m->segments[n->to.segment].kind;
	return (a == KIND_INTERNET || b == KIND_INTERNET) && !guard_forbidden_pair(a, b); /* that one is refused */
}

static bool carries(const struct compiler *c, const struct ir_rule *r, uint8_t proto)
{
	for (uint32_t k = 0; k < r->spans.n; k++)
		if (c->ir.spans[r->spans.first + k].proto == proto)
			return true;
	return false;
}

static void check_internet(struct compiler *c, const struct rule_note *n, const struct ir_rule *r)
{
	const struct model_allow *a = n->allow;

	if (r->action == IR_ALLOW && (carries(c, r, IPPROTO_TCP) || carries(c, r, IPPROTO_UDP)))
		diag_warning(c->diags, n->line, "no-application",
			_("add `application`, so that nothing else can use the port"),
			_("the rule \"%s\" leads to or from the internet, and nothing verifies what it carries"),
			a->name.text);
	if (a->application == APP_TLS && a->server_names.n == 0)
		diag_warning(c->diags, a->application_line, "no-server-name", _("add: server-name NAME"),
			_("the rule \"%s\" lets TLS to every server behind its addresses cross, whatever its name"),
			a->name.text);
	if (a->application == APP_DNS && a->domain_names.n == 0 && a->question_rate == 0)
		diag_warning(c->diags, a->application_line, "dns-open", _("add: domain-name NAME, or question-rate N"),
			_("data can leave inside the names that the rule \"%s\" lets be asked for"), a->name.text);
}

static void check_doubtful(struct compiler *c, const struct model_allow *a)
{
	if (a->application == APP_TLS && has_option(a, VERIFY_ECH) && a->server_names.n == 0)
		diag_warning(c->diags, a->options.v[0].line, "no-name-to-hide", _("leave out `application-option ech`"),
			_("the rule \"%s\" names no server, so it has no use for an encrypted server name"),
			a->name.text);
	if (a->server_names.n > 0 && (application_options(a->application) & VERIFY_STARTTLS_REQUIRED) != 0 &&
		!has_option(a, VERIFY_STARTTLS_REQUIRED) && a->sanitised_by != SANITISED_MAIL_TO_TEXT)
		diag_warning(c->diags, a->server_names.v[0].line, "plain-name",
			_("add: application-option starttls-required"),
			_("without TLS there is no server name, and the rule \"%s\" does not demand TLS"), a->name.text);
	if (a->application == APP_SNMP && a->nservices == 1 && a->services[0].is_inline &&
		a->services[0].port.lo == 162 && !has_option(a, VERIFY_TRAPS))
		diag_warning(c->diags, a->services[0].name.line, "no-traps", _("add: application-option traps"),
			_("udp/162 carries traps, and the rule \"%s\" does not allow them"), a->name.text);
}

void stage_applications(struct compiler *c)
{
	for (uint32_t i = 0; !c->too_many && i < c->nnotes; i++) {
		const struct rule_note *n = &c->notes[i];
		const struct model_allow *a = n->allow;
		check_services(c, a);
		check_words(c, a);
		check_screen(c, n);
		check_doubtful(c, a);
		if (crosses_internet(c, n))
			check_internet(c, n, &c->ir.rules[i]);
	}
}
