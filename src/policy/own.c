/*
 * own.c: the gate's own settings and its own flows: time, collector, alarm mail, the mail gate.
 *
 * An own flow names one remote address range and one interface: the one that the way to the remote gives. The
 * mail gate listens on addresses of the gateway, and takes mail from that address's segment only.
 */
#include "compile.h"

#include <netinet/in.h>
#include <string.h>

#define PORT_SMTP 25

static void put_system(struct compiler *c)
{
	const struct model_system *s = &c->m->system;
	struct ir_system *out = IR_PUSH(&c->ir, system);

	*out = (struct ir_system){.alpha_prime = s->alpha_prime,
		.close_all_on_log_failure = s->close_all_on_log_failure,
		.refuse_silently = s->refuse_silently,
		.has_mail_in = c->m->mail_in.line != 0,
		.has_mail_out = c->m->mail_out.line != 0,
		.log_per_source = s->log_per_source,
		.log_per_segment = s->log_per_segment,
		.new_per_source = s->new_per_source,
		.open_per_source = s->open_per_source,
		.half_open = s->half_open};
	out->hostname = ir_intern(&c->ir, s->hostname);
	out->timezone = ir_intern(&c->ir, s->timezone);
	out->language = ir_intern(&c->ir, s->language);
}

/* The interface through which an address is reached; NONE. */
static uint32_t interface_to(const struct compiler *c, const struct addr *a)
{
	const struct piece *p = cover_find(&c->routing, a);

	return p == NULL ? NONE : c->ways[p->owner].interface;
}

static struct ir_own *put_own(
	struct compiler *c, const char *what, uint32_t interface, const struct addr_range *remote)
{
	struct ir_own *o = IR_PUSH(&c->ir, owns);

	*o = (struct ir_own){.interface = (uint16_t)interface, .family = remote->lo.family};
	ir_put_range(&o->remote, remote);
	ir_str s = ir_intern(&c->ir, what);
	o->what = s;
	return o;
}

/* The gate speaks to a host of the policy: one record for each of its addresses that can be reached. */
static uint32_t put_out(
	struct compiler *c, const char *what, const struct word *host, const struct service_port *port)
{
	uint32_t h = name_find(c, c->hosts, NAME_HOST, host);
	bool any = false;

	if (h == NONE)
		return NONE;
	c->host_used[h] = 1;
	const struct endpoint *e = &c->host_ends[h];
	for (size_t i = 0; i < e->n; i++) {
		uint32_t interface = interface_to(c, &e->v[i].range.lo);
		if (!range_is_single(&e->v[i].range) || interface == NONE)
			continue;
		struct ir_own *o = put_own(c, what, interface, &e->v[i].range);
		o->out = 1;
		o->proto = port->proto;
		o->port_lo = port->lo;
		o->port_hi = port->hi;
		any = true;
	}
	if (!any && e->segment != NONE)
		diag_error(c->diags, host->line, "own-unreachable",
			_("give the host a single address that the gate can reach"),
			_("the gate cannot reach \"%s\""), host->text);
	return h;
}

static enum segment_kind kind_of_host(const struct compiler *c, uint32_t host)
{
	uint32_t s = c->host_ends[host].segment;

	return s == NONE ? KIND_OTHER : c->m->segments[s].kind;
}

/* Law: what names machines of mynumber never goes to the internet segment. */
static void put_services(struct compiler *c)
{
	const struct model_system *s = &c->m->system;

	for (size_t i = 0; i < s->nown; i++) {
		const struct model_own *o = &s->own[i];
		uint32_t host = put_out(c, o->what, &o->host, &o->port);
		if (host != NONE && o->names_mynumber && kind_of_host(c, host) == KIND_INTERNET)
			diag_error(c->diags, o->host.line, "law-own-records",
				_("send them to a host of another segment, or leave out `mynumber-records`"),
				_("law: records that name hosts of mynumber never go to the internet "
				  "segment, where \"%s\" stands"),
				o->host.text);
	}
	/* The server of `alarm via` is among the services already. */
	if (s->alarm_mail_to.n > 0 && s->alarm_via.text == NULL)
		diag_error(c->diags, s->alarm_mail_to.v[0].line, "alarm-no-server",
			_("add: set system alarm via HOST"),
			_("alarm mail has recipients but no server that takes it"));
}

/* The gate answers on its own address: from every network of that segment. */
static void put_listen(struct compiler *c, const struct prefix *p, enum segment_kind wanted)
{
	char text[ADDR_TEXT_MAX];
	uint32_t interface = NONE;

	for (size_t i = 0; i < c->ir.nlocals; i++) {
		struct addr local = ir_addr(c->ir.locals[i].family, c->ir.locals[i].addr);
		if (addr_cmp(&local, &p->addr) == 0)
			interface = c->ir.locals[i].interface;
	}
	if (interface == NONE) {
		diag_error(c->diags, p->line, "listen-not-local",
			_("use an address of a segment of the gateway"),
			_("the mail gate cannot listen on %s: it is no address of the gateway"),
			addr_format(&p->addr, text));
		return;
	}
	uint32_t segment = c->ir.interfaces[interface].segment;
	if (c->m->segments[segment].kind != wanted)
		diag_error(c->diags, p->line, "listen-wrong-segment", NULL,
			_("the mail gate listens on %s for a segment of kind %s, but the address belongs to "
			  "\"%s\""),
			addr_format(&p->addr, text), segment_kind_word(wanted),
			c->m->segments[segment].name.text);
	const struct endpoint *e = &c->segment_ends[segment];
	for (size_t i = 0; i < e->n; i++) {
		if (e->v[i].range.lo.family != p->addr.family)
			continue;
		struct ir_own *o = put_own(c, "mail", interface, &e->v[i].range);
		o->proto = IPPROTO_TCP;
		o->port_lo = o->port_hi = PORT_SMTP;
		memcpy(o->local, p->addr.b, sizeof(o->local));
	}
}

static void put_next_hop(
	struct compiler *c, const struct word *w, uint32_t line, enum segment_kind wanted, const char *which)
{
	if (w->text == NULL) {
		if (!form_said(c, line))
			diag_error(c->diags, line, "mail-no-next-hop", _("add: next-hop HOST"),
				_("mail %s has no next hop"), which);
		return;
	}
	uint32_t host = put_out(c, "mail", w, &(struct service_port){IPPROTO_TCP, PORT_SMTP, PORT_SMTP});
	if (host != NONE && kind_of_host(c, host) != wanted)
		diag_error(c->diags, w->line, "mail-wrong-segment", NULL,
			_("the next hop of mail %s stands in a segment of kind %s, but \"%s\" does not"),
			which, segment_kind_word(wanted), w->text);
}

static void need_listen(struct compiler *c, const struct prefixes *p, uint32_t line, const char *which)
{
	if (p->n == 0 && !form_said(c, line))
		diag_error(c->diags, line, "mail-no-listen", _("add: listen ADDRESS"),
			_("mail %s has no address to listen on"), which);
}

static void put_mail(struct compiler *c)
{
	const struct model_mail_in *in = &c->m->mail_in;
	const struct model_mail_out *out = &c->m->mail_out;

	if (in->line != 0) {
		need_listen(c, &in->listen, in->line, "inbound");
		for (size_t i = 0; i < in->listen.n; i++)
			put_listen(c, &in->listen.v[i], KIND_INTERNET);
		put_next_hop(c, &in->next_hop, in->line, KIND_LGWAN, "inbound");
		if (in->domains.n == 0 && !form_said(c, in->line))
			diag_error(c->diags, in->line, "mail-no-domain", _("add: domain town.example.lg.jp"),
				_("mail inbound names no domain of ours, so it could be misused as a relay"));
	}
	if (out->line != 0) {
		need_listen(c, &out->listen, out->line, "outbound");
		for (size_t i = 0; i < out->listen.n; i++)
			put_listen(c, &out->listen.v[i], KIND_LGWAN);
		put_next_hop(c, &out->next_hop, out->line, KIND_INTERNET, "outbound");
		uint32_t server = name_find(c, c->hosts, NAME_HOST, &out->server);
		if (server != NONE)
			c->host_used[server] = 1;
		else if (out->server.text == NULL && !form_said(c, out->line))
			diag_error(c->diags, out->line, "mail-no-server", _("add: server HOST"),
				_("mail outbound does not say which server may send"));
	}
}

void stage_own(struct compiler *c)
{
	put_system(c);
	if (c->too_many)
		return;
	put_services(c);
	put_mail(c);
}
