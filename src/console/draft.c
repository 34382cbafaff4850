/*
 * draft.c: conversations become set-lines.
 *
 * A draft is no approval: names that the policy has are used, others are made from the address; what a person must decide
 * is left blank. Server names come from the network: only those that the schema would take are written, others are said in
 * a comment without their bytes.
 */
#include "draft.h"

#include "words.h"

#include <sekisho/buf.h>
#include <sekisho/clock.h>
#include <sekisho/i18n.h>
#include <sekisho/match.h>

#include <netinet/in.h>
#include <stdlib.h>
#include <string.h>

struct drafting {
	struct buf *out;
	const struct traffic *t;
	const struct ir *ir;
	const struct matcher *m;
	const struct talk **order;
	size_t n;
};

static uint32_t host_of(const struct drafting *d, const struct addr *a)
{
	return d->m == NULL ? IR_NONE : matcher_host(d->m, a);
}

/* "10.1.0.5" -> "host-10-1-0-5", "2001:db8::1" -> "host-2001-db8--1" */
static void put_host(const struct drafting *d, struct buf *b, const struct addr *a)
{
	char text[ADDR_TEXT_MAX];
	uint32_t host = host_of(d, a);

	if (host != IR_NONE) {
		buf_adds(b, ir_text(d->ir, d->ir->hosts[host].name));
		return;
	}
	addr_format(a, text);
	for (char *p = text; *p != '\0'; p++)
		if (*p == '.' || *p == ':')
			*p = '-';
	buf_printf(b, "host-%s", text);
}

static const char *section_of(const struct drafting *d, const struct talk *e)
{
	uint32_t host = host_of(d, &e->client);

	if (host == IR_NONE || ir_text(d->ir, d->ir->hosts[host].section)[0] == '\0')
		host = host_of(d, &e->server);
	return host == IR_NONE ? "" : ir_text(d->ir, d->ir->hosts[host].section);
}

/* -- hosts ------------------------------------------------------------------------------------------------------- */

static int by_address(const void *a, const void *b)
{
	return addr_cmp(a, b);
}

static void put_hosts(const struct drafting *d)
{
	struct addr *v = calloc(d->n * 2 + 1, sizeof(*v));
	size_t n = 0;

	if (v == NULL)
		abort();
	for (size_t i = 0; i < d->n; i++) {
		const struct addr *ends[2] = {&d->order[i]->client, &d->order[i]->server};
		for (int k = 0; k < 2; k++)
			if (host_of(d, ends[k]) == IR_NONE)
				v[n++] = *ends[k];
	}
	qsort(v, n, sizeof(*v), by_address);
	for (size_t i = 0; i < n; i++) {
		char text[ADDR_TEXT_MAX];
		uint32_t segment = d->m == NULL ? IR_NONE : matcher_segment(d->m, &v[i]);
		if (i > 0 && addr_cmp(&v[i], &v[i - 1]) == 0)
			continue;
		buf_adds(d->out, "set host ");
		put_host(d, d->out, &v[i]);
		buf_printf(d->out, " segment %s address %s\n",
			segment == IR_NONE ? "\"\"" : ir_text(d->ir, d->ir->segments[segment].name), addr_format(&v[i], text));
	}
	free(v);
	if (n > 0)
		buf_addc(d->out, '\n');
}

/* -- rules ------------------------------------------------------------------------------------------------------- */

/* Letters, digits, '-' and at least one '.': what the schema takes as a server name. */
static bool is_server_name(const char *s)
{
	size_t n = strlen(s), dots = 0;

	for (size_t i = 0; i < n; i++) {
		char c = s[i];
		bool letter = (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9');
		bool edge = i == 0 || i + 1 == n || s[i - 1] == '.' || s[i + 1] == '.';
		if (!letter && !((c == '-' || c == '.') && !edge))
			return false;
		dots += c == '.';
	}
	return n > 0 && dots > 0;
}

static void put_names(struct buf *b, const struct talk *e)
{
	for (unsigned i = 0; i < e->nnames; i++)
		if (is_server_name(e->names[i]))
			buf_printf(b, " server-name %s", e->names[i]);
}

static void put_seen(struct buf *b, const struct talk *e)
{
	char first[CLOCK_TEXT_MAX], last[CLOCK_TEXT_MAX];

	clock_format((struct wall){e->first}, first);
	clock_format((struct wall){e->last}, last);
	buf_adds(b, "# ");
	buf_printf(b, _("%u connections, %llu packets, %llu bytes, %s to %s"), e->flows, (unsigned long long)e->packets,
		(unsigned long long)e->bytes, first, last);
	if (e->application == APP_NONE) {
		buf_adds(b, "\n# ");
		buf_adds(b, _("Not one of the applications that can be verified: find out what it is before you approve it."));
	}
	if (e->many_names) {
		buf_adds(b, "\n# ");
		buf_adds(b, _("More server names were seen than are listed."));
	}
	buf_addc(b, '\n');
}

static void put_rule(const struct drafting *d, const struct talk *e, size_t number)
{
	char proto[8];

	put_seen(d->out, e);
	buf_printf(d->out, "set allow draft-%zu from ", number);
	put_host(d, d->out, &e->client);
	buf_adds(d->out, " to ");
	put_host(d, d->out, &e->server);
	buf_printf(d->out, " service %s/%u", words_protocol(e->l4, proto), e->port);
	if (e->application != APP_NONE) {
		buf_printf(d->out, " application %s", application_word(e->application));
		if (e->application == APP_TLS || e->application == APP_HTTP)
			put_names(d->out, e);
	}
	buf_printf(d->out, "\nset allow draft-%zu purpose \"\" applicant \"\"\n", number);
}

static const struct drafting *sorting; /* qsort() hands nothing on */

static int by_section(const void *pa, const void *pb)
{
	const struct talk *a = *(const struct talk *const *)pa, *b = *(const struct talk *const *)pb;
	int r = strcmp(section_of(sorting, a), section_of(sorting, b));

	if (r == 0)
		r = addr_cmp(&a->client, &b->client);
	if (r == 0)
		r = addr_cmp(&a->server, &b->server);
	if (r == 0)
		r = a->l4 - b->l4;
	if (r == 0)
		r = a->port - b->port;
	return r != 0 ? r : a->application - b->application;
}

void draft_print(struct buf *out, const struct traffic *t, const struct ir *ir, const struct matcher *m)
{
	struct drafting d = {.out = out, .t = t, .ir = ir, .m = m, .n = traffic_count(t)};
	const char *section = NULL;

	d.order = calloc(d.n + 1, sizeof(*d.order));
	if (d.order == NULL)
		abort();
	for (size_t i = 0; i < d.n; i++)
		d.order[i] = traffic_at(t, i);
	sorting = &d;
	qsort(d.order, d.n, sizeof(*d.order), by_section);
	buf_printf(out, "# %s\n", _("Drafts from what was seen. Nothing here is approved: fill in each form, delete the rest."));
	put_hosts(&d);
	for (size_t i = 0; i < d.n; i++) {
		const char *of = section_of(&d, d.order[i]);
		if (section == NULL || strcmp(section, of) != 0)
			buf_printf(out, "%s# == %s ==\n", section == NULL ? "" : "\n",
				of[0] == '\0' ? _("section not known") : of);
		section = of;
		put_rule(&d, d.order[i], i + 1);
	}
	if (traffic_left_out(t) > 0) {
		buf_adds(out, "# ");
		buf_printf(out, _("%llu connections found no place in the table and are missing here."),
			(unsigned long long)traffic_left_out(t));
		buf_addc(out, '\n');
	}
	free(d.order);
}
