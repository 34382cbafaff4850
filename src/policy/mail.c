/*
 * mail.c: the mail gate: its own flows, and what its processes must know, into the IR.
 *
 * The gate listens on addresses of the gateway and takes mail from that address's segment only: inbound from the internet
 * segment, outbound from lgwan; its next hops stand on the other side. A next hop has a record for each of its addresses
 * that can be reached, in the order in which they are to be tried. A transparent direction also takes what its clients send
 * to the next hops themselves: one own flow, `turned`, for each network of clients and each next hop.
 */
#include "own.h"

#include <ctype.h>
#include <netinet/in.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

#define PORT_SMTP 25

/* What differs between the directions while they are compiled. */
struct side {
	struct compiler *c;
	enum mail_direction direction;
	const char *which; /* "inbound" */
	enum segment_kind from, to;
	uint32_t line;
	uint32_t turned; /* pairs so far */
	const struct model_tls *tls;
	const struct model_tls_to *demanded; /* of the host whose addresses are being put */
};

/* -- hosts ------------------------------------------------------------------------------------------------ */

static void add_host(struct side *s, struct ir_run *run, ir_str name, uint32_t interface, const struct addr_range *range)
{
	struct ir_builder *b = &s->c->ir;

	if (run->n == 0)
		run->first = (uint32_t)b->nmail_hosts;
	struct ir_mail_host *h = IR_PUSH(b, mail_hosts);
	h->name = name;
	h->interface = (uint16_t)interface;
	h->family = range->lo.family;
	ir_put_range(&h->range, range);
	if (s->demanded != NULL)
		mail_put_tls_to(s->c, s->demanded, h);
	run->n++;
}

/* The addresses of a host that can be reached; of servers also ranges. */
static void add_addresses(struct side *s, struct ir_run *run, uint32_t host, bool ranges)
{
	const struct endpoint *e = &s->c->host_ends[host];
	ir_str name = ir_intern(&s->c->ir, s->c->m->hosts[host].name.text);

	for (size_t i = 0; i < e->n; i++) {
		uint32_t interface = own_interface(s->c, &e->v[i].range.lo);
		if (interface != NONE && (ranges || range_is_single(&e->v[i].range)))
			add_host(s, run, name, interface, &e->v[i].range);
	}
}

/* The gate's own interface that has the address; NONE. */
static uint32_t local_interface(const struct compiler *c, const struct addr *a)
{
	for (size_t i = 0; i < c->ir.nlocals; i++) {
		struct addr local = ir_addr(c->ir.locals[i].family, c->ir.locals[i].addr);
		if (addr_cmp(&local, a) == 0)
			return c->ir.locals[i].interface;
	}
	return NONE;
}

/* -- listening -------------------------------------------------------------------------------------------- */

/* The gate answers there: from every network of that segment. */
static void answer(struct side *s, uint32_t interface, const struct addr *local)
{
	const struct endpoint *e = &s->c->segment_ends[s->c->ir.interfaces[interface].segment];

	for (size_t i = 0; i < e->n; i++) {
		if (e->v[i].range.lo.family != local->family)
			continue;
		struct ir_own *o = own_put(s->c, "mail", interface, &e->v[i].range);
		o->proto = IPPROTO_TCP;
		o->port_lo = o->port_hi = PORT_SMTP;
		memcpy(o->local, local->b, sizeof(o->local));
	}
}

static void put_listen(struct side *s, const struct prefix *p, struct ir_run *run)
{
	struct compiler *c = s->c;
	char text[ADDR_TEXT_MAX];
	uint32_t interface = local_interface(c, &p->addr);

	if (interface == NONE) {
		diag_error(c->diags, p->line, "listen-not-local", _("use an address of a segment of the gateway"),
			_("the mail gate cannot listen on %s: it is no address of the gateway"), addr_format(&p->addr, text));
		return;
	}
	const struct model_segment *segment = &c->m->segments[c->ir.interfaces[interface].segment];
	if (segment->kind != s->from)
		diag_error(c->diags, p->line, "listen-wrong-segment", NULL,
			_("the mail gate listens on %s for a segment of kind %s, but the address belongs to \"%s\""),
			addr_format(&p->addr, text), segment_kind_word(s->from), segment->name.text);
	answer(s, interface, &p->addr);
	add_host(s, run, 0, interface, &(struct addr_range){p->addr, p->addr});
}

static struct ir_run put_listens(struct side *s, const struct prefixes *p, bool transparent)
{
	struct ir_run run = {0, 0};

	if (p->n == 0 && !transparent)
		diag_error(s->c->diags, s->line, "mail-no-listen", _("add: listen ADDRESS, or transparent"),
			_("mail %s has no address to listen on"), s->which);
	for (size_t i = 0; i < p->n; i++)
		put_listen(s, &p->v[i], &run);
	return run;
}

/* -- next hops -------------------------------------------------------------------------------------------- */

static void put_hop(struct side *s, const struct word *w, struct ir_run *run, enum segment_kind wanted, const char *what)
{
	static const struct service_port smtp = {IPPROTO_TCP, PORT_SMTP, PORT_SMTP};
	uint32_t host = own_put_out(s->c, "mail", w, &smtp);

	if (host == NONE)
		return;
	s->demanded = mail_tls_to(s->tls, w->text);
	if (own_kind_of_host(s->c, host) != wanted)
		diag_error(s->c->diags, w->line, "mail-wrong-segment", NULL,
			_("%s of mail %s stands in a segment of kind %s, but \"%s\" does not"), what, s->which,
			segment_kind_word(wanted), w->text);
	add_addresses(s, run, host, false);
	s->demanded = NULL;
}

static struct ir_run put_hops(struct side *s, const struct words *hops)
{
	struct ir_run run = {0, 0};

	if (hops->n == 0 && !form_said(s->c, s->line))
		diag_error(s->c->diags, s->line, "mail-no-next-hop", _("add: next-hop HOST"),
			_("mail %s has no next hop"), s->which);
	for (size_t i = 0; i < hops->n; i++)
		put_hop(s, &hops->v[i], &run, s->to, "next-hop");
	return run;
}

/* -- taken transparently ------------------------------------------------------------------------------------ */

/* A rule that lets the same mail pass unread: one of the two is a mistake. */
static void find_contradiction(struct side *s, const struct ir_own *o)
{
	struct compiler *c = s->c;
	struct addr_range clients = ir_addr_range(o->family, &o->remote);
	struct addr server = ir_addr(o->family, o->local);

	for (size_t i = 0; i < c->ir.nspans; i++) {
		const struct ir_span *sp = &c->ir.spans[i];
		const struct ir_rule *r = &c->ir.rules[sp->rule];
		if (sp->family != o->family || sp->proto != IPPROTO_TCP || sp->port_lo > PORT_SMTP || sp->port_hi < PORT_SMTP ||
			r->action == IR_MAIL)
			continue;
		struct addr_range src = ir_addr_range(sp->family, &sp->src), dst = ir_addr_range(sp->family, &sp->dst);
		if (!range_has(&dst, &server) || addr_cmp(&src.hi, &clients.lo) < 0 || addr_cmp(&clients.hi, &src.lo) < 0)
			continue;
		diag_error(c->diags, r->line, "mail-turned-rule", _("leave out tcp/25 of this rule, or `transparent` of the mail gate"),
			_("rule \"%s\" would let mail pass by that mail %s takes in place of its next hop"), &c->ir.strings[r->name].c,
			s->which);
		return;
	}
}

/* Connections of these clients to each of the next hops. */
static void turn(struct side *s, struct ir_run hops, uint32_t interface, const struct addr_range *clients)
{
	for (uint32_t i = 0; i < hops.n; i++) {
		struct ir_mail_host hop = s->c->ir.mail_hosts[hops.first + i];
		if (hop.family != clients->lo.family || s->turned > LIMIT_MAIL_TURNED)
			continue;
		if (s->turned++ == LIMIT_MAIL_TURNED) {
			diag_error(s->c->diags, s->line, "mail-turned-many", _("name fewer next hops or networks"),
				_("mail %s: more than %u pairs of a network and a next hop"), s->which, LIMIT_MAIL_TURNED);
			continue;
		}
		struct ir_own *o = own_put(s->c, "mail", interface, clients);
		o->proto = IPPROTO_TCP;
		o->turned = 1;
		o->port_lo = o->port_hi = PORT_SMTP;
		memcpy(o->local, hop.range.lo, sizeof(o->local));
		find_contradiction(s, o);
	}
}

/* Inbound anybody of the internet may bring mail. */
static void turn_segment(struct side *s, struct ir_run hops)
{
	struct compiler *c = s->c;

	for (size_t i = 0; i < c->ir.ninterfaces; i++) {
		uint32_t segment = c->ir.interfaces[i].segment;
		const struct endpoint *e = &c->segment_ends[segment];
		for (size_t k = 0; c->m->segments[segment].kind == s->from && k < e->n; k++)
			turn(s, hops, (uint32_t)i, &e->v[k].range);
	}
}

/* Outbound only the servers that are listed: whoever else asks for port 25 stays refused as before. */
static void turn_servers(struct side *s, struct ir_run hops, struct ir_run servers)
{
	struct compiler *c = s->c;

	for (uint32_t i = 0; i < servers.n; i++) {
		struct ir_mail_host h = c->ir.mail_hosts[servers.first + i];
		struct addr_range clients = ir_addr_range(h.family, &h.range);
		if (c->m->segments[c->ir.interfaces[h.interface].segment].kind == s->from)
			turn(s, hops, h.interface, &clients);
	}
}

/* -- domains ---------------------------------------------------------------------------------------------- */

bool mail_domain_in(const struct words *list, const char *domain)
{
	for (size_t i = 0; i < list->n; i++)
		if (strcasecmp(list->v[i].text, domain) == 0)
			return true;
	return false;
}

bool mail_domain_own(const struct compiler *c, const char *domain)
{
	return mail_domain_in(&c->m->mail_in.domains, domain) || mail_domain_in(&c->m->mail_out.sender_domains, domain);
}

static int by_text(const void *pa, const void *pb)
{
	const char *const *a = pa, *const *b = pb;

	return strcmp(*a, *b);
}

/* Words into the IR's names: in lower case, sorted, none twice. */
static struct ir_run put_names(struct compiler *c, const struct words *list)
{
	const char **v = ARENA_ARRAY(c->arena, list->n + 1, const char *);
	struct ir_run run = {(uint32_t)c->ir.nnames, 0};

	for (size_t i = 0; i < list->n; i++) {
		char *s = arena_strdup(c->arena, list->v[i].text);
		for (char *p = s; *p != '\0'; p++)
			*p = (char)tolower((unsigned char)*p);
		v[i] = s;
	}
	qsort(v, list->n, sizeof(*v), by_text);
	for (size_t i = 0; i < list->n; i++) {
		if (i > 0 && strcmp(v[i - 1], v[i]) == 0)
			continue;
		struct ir_name name = {ir_intern(&c->ir, v[i])};
		*(struct ir_name *)IR_PUSH(&c->ir, names) = name;
		run.n++;
	}
	return run;
}

struct ir_run mail_put_domains(struct compiler *c, const struct words *list)
{
	for (size_t i = 0; i < list->n; i++)
		if (strchr(list->v[i].text, '.') == NULL)
			diag_warning(c->diags, list->v[i].line, "mail-domain-no-dot",
				_("write the whole domain: town.example.lg.jp"),
				_("the mail domain \"%s\" has no dot: no address on the internet ends so"), list->v[i].text);
	return put_names(c, list);
}

/* -- what both directions have ------------------------------------------------------------------------------ */

static void put_flood(struct side *s, struct ir_mail *m, const struct model_flood *f)
{
	const char *which = NULL;
	uint32_t line = f->line != 0 ? f->line : s->line;

	m->slow = f->slow;
	m->stop = f->stop;
	m->sender_slow = f->sender_slow;
	m->sender_stop = f->sender_stop;
	if (f->stop != 0 && f->slow >= f->stop)
		which = "slow";
	else if (f->sender_stop != 0 && f->sender_slow >= f->sender_stop) {
		which = "sender-slow";
		line = f->sender_line != 0 ? f->sender_line : s->line;
	}
	if (which != NULL)
		diag_error(s->c->diags, line, "mail-flood-order", _("choose a larger `stop`, or 0 for no limit"),
			_("mail %s would stop before it is slowed down: `%s` must be less than its `stop`"), s->which, which);
}

static bool is_english(const struct compiler *c)
{
	const char *language = c->m->mail_language != NULL ? c->m->mail_language : c->m->system.language;

	return language != NULL && strcmp(language, "en") == 0;
}

static struct ir_mail begin(const struct side *s, bool transparent, uint64_t max_size)
{
	return (struct ir_mail){.direction = s->direction,
		.transparent = transparent,
		.english = is_english(s->c),
		.max_size = max_size};
}

/* -- inbound ---------------------------------------------------------------------------------------------- */

static void put_in(struct compiler *c)
{
	const struct model_mail_in *in = &c->m->mail_in;
	struct side s = {c, MAIL_IN, "inbound", KIND_INTERNET, KIND_LGWAN, in->line, 0, &in->tls, NULL};
	struct ir_mail m = begin(&s, in->transparent, in->max_size);

	m.original_copied = in->original_copied;
	m.attachment_text = in->attachment_text;
	m.private_use = in->private_use;
	m.authserv = ir_intern(&c->ir, in->authserv.text);
	m.listens = put_listens(&s, &in->listen, in->transparent);
	m.hops = put_hops(&s, &in->next_hops);
	if (in->transparent)
		turn_segment(&s, m.hops);
	if (in->original_copied && in->original_to.text != NULL)
		put_hop(&s, &in->original_to, &m.originals, KIND_INTERNET, "original-to");
	else if (in->original_copied && !form_said(c, in->line))
		diag_error(c->diags, in->line, "mail-no-original-to", _("add: original-to HOST"),
			_("mail inbound copies originals, but does not say where"));
	put_flood(&s, &m, &in->flood);
	mail_put_tls(c, "inbound", &in->tls, in->original_copied ? &in->original_to : NULL, &in->next_hops, &m);
	if (in->domains.n == 0 && !form_said(c, in->line))
		diag_error(c->diags, in->line, "mail-no-domain", _("add: domain town.example.lg.jp"),
			_("mail inbound names no domain of ours, so it could be misused as a relay"));
	m.domains = mail_put_domains(c, &in->domains);
	*(struct ir_mail *)IR_PUSH(&c->ir, mails) = m;
}

/* -- outbound --------------------------------------------------------------------------------------------- */

static struct ir_run put_servers(struct side *s, const struct words *servers)
{
	struct compiler *c = s->c;
	struct ir_run run = {0, 0};

	if (servers->n == 0 && !form_said(c, s->line))
		diag_error(c->diags, s->line, "mail-no-server", _("add: server HOST"),
			_("mail outbound does not say which server may send"));
	for (size_t i = 0; i < servers->n; i++) {
		uint32_t host = name_find(c, c->hosts, NAME_HOST, &servers->v[i]);
		if (host == NONE)
			continue;
		c->host_used[host] = 1;
		if (own_kind_of_host(c, host) != s->from)
			diag_warning(c->diags, servers->v[i].line, "mail-server-elsewhere",
				_("name a server of the segment in which the gate listens"),
				_("\"%s\" can never send: mail outbound comes from a segment of kind %s"),
				servers->v[i].text, segment_kind_word(s->from));
		add_addresses(s, &run, host, true);
	}
	return run;
}

static void put_senders(struct side *s, struct ir_mail *m)
{
	const struct words *own = &s->c->m->mail_out.sender_domains;

	m->domains = own->n > 0 ? mail_put_domains(s->c, own) : put_names(s->c, &s->c->m->mail_in.domains);
	if (m->domains.n == 0 && !form_said(s->c, s->line))
		diag_error(s->c->diags, s->line, "mail-no-sender-domain", _("add: sender-domain town.example.lg.jp"),
			_("mail outbound does not say whose mail may leave, so it could be misused as a relay"));
}

/* One row a type; `list` gives its types what holds for all. */
static void add_type(struct compiler *c, struct ir_run *run, const char *name, uint8_t demands)
{
	for (uint32_t i = 0; i < run->n; i++)
		if (strcmp(&c->ir.strings[c->ir.mail_types[run->first + i].name].c, name) == 0)
			return;
	ir_str s = ir_intern(&c->ir, name);
	struct ir_mail_type *t = IR_PUSH(&c->ir, mail_types);
	t->name = s;
	t->demands = demands;
	run->n++;
}

/* Insertion: the rows point into strings that only the builder knows. */
static void sort_types(struct ir_builder *b, struct ir_run run)
{
	struct ir_mail_type *v = b->mail_types + run.first;

	for (uint32_t i = 1; i < run.n; i++)
		for (uint32_t k = i; k > 0 && strcmp(&b->strings[v[k - 1].name].c, &b->strings[v[k].name].c) > 0; k--) {
			struct ir_mail_type t = v[k];
			v[k] = v[k - 1];
			v[k - 1] = t;
		}
}

static void put_types(struct compiler *c, struct ir_mail *m)
{
	const struct model_mail_out *out = &c->m->mail_out;

	m->types.first = (uint32_t)c->ir.nmail_types;
	for (size_t i = 0; i < out->ntypes; i++)
		add_type(c, &m->types, out->types[i].name.text, out->types[i].demands);
	if (out->list != NULL) {
		char *copy = arena_strdup(c->arena, out->list), *save = NULL;
		m->listed_only = 1;
		for (char *w = strtok_r(copy, ",", &save); w != NULL; w = strtok_r(NULL, ",", &save))
			add_type(c, &m->types, w, m->demands);
	}
	if (c->ir.nmail_types > m->types.first)
		sort_types(&c->ir, m->types);
}

static void put_attachments(struct compiler *c, struct ir_mail *m)
{
	const struct model_mail_out *out = &c->m->mail_out;

	m->demands = (uint8_t)((out->require_cc.n > 0 ? MAIL_DEMAND_CC : 0) | (out->hold ? MAIL_DEMAND_HOLD : 0) |
			       (out->refuse ? MAIL_DEMAND_REFUSE : 0));
	m->encrypted = out->encrypted;
	m->approval_days = out->approval_days;
	m->max_files = out->max_files;
	m->max_file_size = out->max_file_size;
	m->roles = put_names(c, &out->require_cc);
	put_types(c, m);
	if (out->max_file_size > out->max_size)
		diag_warning(c->diags, c->m->mail_out.line, "mail-file-size",
			_("make `max-file-size` smaller, or leave it out"),
			_("an attachment may be larger than a whole mail: `max-file-size` never applies"));
}

static void put_out(struct compiler *c)
{
	const struct model_mail_out *out = &c->m->mail_out;
	struct side s = {c, MAIL_OUT, "outbound", KIND_LGWAN, KIND_INTERNET, out->line, 0, &out->tls, NULL};
	struct ir_mail m = begin(&s, out->transparent, out->max_size);

	m.mynumber = (uint8_t)out->mynumber;
	m.auto_forward_refuse = out->auto_forward_refuse;
	m.max_external = out->max_external_recipients;
	m.listens = put_listens(&s, &out->listen, out->transparent);
	m.hops = put_hops(&s, &out->next_hops);
	m.servers = put_servers(&s, &out->servers);
	if (out->transparent)
		turn_servers(&s, m.hops, m.servers);
	put_flood(&s, &m, &out->flood);
	mail_put_tls(c, "outbound", &out->tls, NULL, &out->next_hops, &m);
	put_senders(&s, &m);
	put_attachments(c, &m);
	*(struct ir_mail *)IR_PUSH(&c->ir, mails) = m;
}

void mail_compile(struct compiler *c)
{
	if (c->m->mail_in.line != 0)
		put_in(c);
	if (c->m->mail_out.line != 0)
		put_out(c);
	mail_people(c);
}
