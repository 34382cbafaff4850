/*
 * own.c: the gate's own settings and its own flows: time, collector, alarm mail; of the mail gate see mail.c.
 *
 * An own flow names one remote address range and one interface: the one that the way to the remote gives.
 */
#include "own.h"

/* "8:30" or "08:30", as the schema has checked. */
static uint32_t minute_of(const char *time)
{
	uint32_t hour = 0, minute = 0;

	for (; *time >= '0' && *time <= '9'; time++)
		hour = hour * 10 + (uint32_t)(*time - '0');
	for (time += *time == ':'; *time >= '0' && *time <= '9'; time++)
		minute = minute * 10 + (uint32_t)(*time - '0');
	return hour * 60 + minute < 24 * 60 ? hour * 60 + minute : IR_NONE;
}

/* Who is told; without a server nobody is. */
static void put_alarm(struct compiler *c, struct ir_system *out)
{
	const struct model_system *s = &c->m->system;
	struct ir_run run = {(uint32_t)c->ir.nnames, 0};

	for (size_t i = 0; i < s->alarm_mail_to.n && s->alarm_via.text != NULL; i++, run.n++) {
		struct ir_name *name = IR_PUSH(&c->ir, names);
		name->name = ir_intern(&c->ir, s->alarm_mail_to.v[i].text);
	}
	out->alarm_to = run;
	out->thresholds = s->thresholds;
	out->daily_report = s->daily_report != NULL ? minute_of(s->daily_report) : IR_NONE;
}

static void put_system(struct compiler *c)
{
	const struct model_system *s = &c->m->system;
	struct ir_system *out = IR_PUSH(&c->ir, system);

	*out = (struct ir_system){.alpha_prime = s->alpha_prime,
		.close_all_on_log_failure = s->close_all_on_log_failure,
		.refuse_silently = s->refuse_silently,
		.closes = {c->m->mail_in.closes, c->m->mail_out.closes},
		.has_mail_in = c->m->mail_in.line != 0,
		.has_mail_out = c->m->mail_out.line != 0,
		.log_per_source = s->log_per_source,
		.log_per_segment = s->log_per_segment,
		.new_per_source = s->new_per_source,
		.open_per_source = s->open_per_source,
		.half_open = s->half_open, .session_idle = s->session_idle, .session_configure = s->session_configure};
	out->hostname = ir_intern(&c->ir, s->hostname);
	out->timezone = ir_intern(&c->ir, s->timezone);
	out->language = ir_intern(&c->ir, s->language);
	put_alarm(c, out);
}

uint32_t own_interface(const struct compiler *c, const struct addr *a)
{
	const struct piece *p = cover_find(&c->routing, a);

	return p == NULL ? NONE : c->ways[p->owner].interface;
}

struct ir_own *own_put(
	struct compiler *c, const char *what, uint32_t interface, const struct addr_range *remote)
{
	struct ir_own *o = IR_PUSH(&c->ir, owns);

	*o = (struct ir_own){.interface = (uint16_t)interface, .family = remote->lo.family};
	ir_put_range(&o->remote, remote);
	ir_str s = ir_intern(&c->ir, what);
	o->what = s;
	return o;
}

uint32_t own_put_out(
	struct compiler *c, const char *what, const struct word *host, const struct service_port *port)
{
	uint32_t h = name_find(c, c->hosts, NAME_HOST, host);
	bool any = false;

	if (h == NONE)
		return NONE;
	c->host_used[h] = 1;
	const struct endpoint *e = &c->host_ends[h];
	for (size_t i = 0; i < e->n; i++) {
		uint32_t interface = own_interface(c, &e->v[i].range.lo);
		if (!range_is_single(&e->v[i].range) || interface == NONE)
			continue;
		struct ir_own *o = own_put(c, what, interface, &e->v[i].range);
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

enum segment_kind own_kind_of_host(const struct compiler *c, uint32_t host)
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
		uint32_t host = own_put_out(c, o->what, &o->host, &o->port);
		if (host != NONE && o->names_mynumber && own_kind_of_host(c, host) == KIND_INTERNET)
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

void stage_own(struct compiler *c)
{
	put_system(c);
	if (c->too_many)
		return;
	put_services(c);
	mail_compile(c);
}
