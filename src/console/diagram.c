/*
 * diagram.c: `sekisho diagram`: the network diagram of a policy.
 *
 * Input: a policy without errors, so the model's flows and the compiled rules are the same ones in the same order. The same
 * policy at the same moment gives the same diagram, byte for byte. Flows that are expired or have not begun are left out.
 */
#include "diagram.h"

#include "console.h"

#include <sekisho/arena.h>
#include <sekisho/model.h>

#include <stdio.h>
#include <string.h>

struct making {
	const struct policy_file *f;
	struct diagram *d;
};

static const char *keep(const struct making *m, struct buf *b)
{
	const char *text = arena_strdup(m->f->arena, buf_str(b));

	buf_free(b);
	return text;
}

static void add_row(const struct making *m, size_t segment, const char *heading, struct buf *text)
{
	struct diagram_segment *s = &m->d->segments[segment];

	if (text->len > 0)
		*(struct diagram_row *)arena_push(m->f->arena, (void **)&s->rows, &s->nrows, &s->cap, sizeof(*s->rows)) =
			(struct diagram_row){heading, keep(m, text)};
}

static void put_prefixes(struct buf *b, const struct prefixes *list)
{
	char text[ADDR_TEXT_MAX];

	for (size_t i = 0; i < list->n; i++) {
		buf_printf(b, "%s%s", b->len == 0 ? "" : " ", addr_format(&list->v[i].addr, text));
		if (list->v[i].has_len)
			buf_printf(b, "/%u", list->v[i].len);
	}
}

static bool is_named(const struct word *w, const char *name)
{
	return w->text != NULL && strcmp(w->text, name) == 0;
}

/* -- boxes ------------------------------------------------------------------------------------------------------- */

static void add_interfaces(const struct making *m, size_t i)
{
	const struct model *model = m->f->model;
	const struct model_segment *s = &model->segments[i];

	for (size_t k = 0; k < s->interfaces.n; k++) {
		struct buf b = {0};
		buf_adds(&b, s->interfaces.v[k].text);
		if (k == 0)
			put_prefixes(&b, &s->addresses);
		for (size_t n = 0; n < model->ninterfaces; n++)
			if (is_named(&model->interfaces[n].name, s->interfaces.v[k].text))
				put_prefixes(&b, &model->interfaces[n].addresses);
		add_row(m, i, k == 0 ? _("interface") : "", &b);
	}
}

static void add_networks(const struct making *m, size_t i)
{
	const struct model_segment *s = &m->f->model->segments[i];
	struct buf b = {0};

	put_prefixes(&b, &s->networks);
	if (s->network_other != 0)
		buf_printf(&b, "%s%s", b.len == 0 ? "" : " ", _("everything else"));
	add_row(m, i, _("networks"), &b);
}

static void add_routers(const struct making *m, size_t i)
{
	const struct model *model = m->f->model;
	bool first = true;

	for (size_t r = 0; r < model->nrouters; r++) {
		struct buf b = {0}, routes = {0};
		if (!is_named(&model->routers[r].segment, model->segments[i].name.text))
			continue;
		buf_adds(&b, model->routers[r].name.text);
		put_prefixes(&b, &model->routers[r].addresses);
		for (size_t k = 0; k < model->nroutes; k++)
			if (is_named(&model->routes[k].via, model->routers[r].name.text))
				put_prefixes(&routes, &(struct prefixes){.v = &model->routes[k].prefix, .n = 1});
		if (routes.len > 0)
			buf_printf(&b, " > %s", buf_str(&routes));
		buf_free(&routes);
		add_row(m, i, first ? _("routers") : "", &b);
		first = false;
	}
}

static void add_hosts(const struct making *m, size_t i)
{
	const struct model *model = m->f->model;
	struct buf names = {0}, b = {0};
	size_t n = 0;

	for (size_t h = 0; h < model->nhosts; h++) {
		const struct model_host *host = &model->hosts[h];
		if (!is_named(&host->segment, model->segments[i].name.text))
			continue;
		if (n++ >= DIAGRAM_HOSTS)
			continue;
		buf_printf(&names, "%s%s", names.len == 0 ? "" : ", ", host->name.text);
		if (host->label != NULL)
			buf_printf(&names, " %s", host->label);
	}
	if (n > DIAGRAM_HOSTS) {
		buf_adds(&names, ", ");
		buf_printf(&names, _("and %zu more"), n - DIAGRAM_HOSTS);
	}
	if (n > 0)
		buf_printf(&b, "(%zu) %s", n, buf_str(&names));
	buf_free(&names);
	add_row(m, i, _("hosts"), &b);
}

/* -- arrows ------------------------------------------------------------------------------------------------------ */

static const char *end_label(const struct making *m, const struct word *end)
{
	const struct model *model = m->f->model;

	for (size_t i = 0; i < model->nhosts; i++)
		if (is_named(&model->hosts[i].name, end->text) && model->hosts[i].label != NULL)
			return model->hosts[i].label;
	return end->text;
}

/* The way of a rule, made when it is the first of its kind. */
static struct diagram_way *way_of(const struct making *m, const struct ir_rule *r)
{
	struct diagram *d = m->d;

	for (size_t i = 0; i < d->nways; i++)
		if (d->ways[i].from == r->from_segment && d->ways[i].to == r->to_segment)
			return &d->ways[i];
	struct diagram_way *w = arena_push(m->f->arena, (void **)&d->ways, &d->nways, &d->cap, sizeof(*w));
	*w = (struct diagram_way){.from = r->from_segment, .to = r->to_segment,
		.flows = ARENA_ARRAY(m->f->arena, DIAGRAM_FLOWS, const char *),
		.names = ARENA_ARRAY(m->f->arena, DIAGRAM_FLOWS, const char *)};
	return w;
}

static void add_flow(const struct making *m, const struct model_allow *a, const struct ir_rule *r)
{
	struct wall at = m->f->at;
	struct buf flow = {0}, name = {0};

	/* What is closed at this hour is a way all the same; what is over, or has not begun, is none. */
	if (r->ends <= at.sec || r->window_to <= at.sec || r->starts > at.sec)
		return;
	struct diagram_way *w = way_of(m, r);
	if (w->n++ >= DIAGRAM_FLOWS)
		return;
	buf_printf(&flow, "%s: %s -> %s %s", a->name.text, end_label(m, &a->from), end_label(m, &a->to),
		ir_text(&m->f->ir, r->service));
	if (a->application != APP_NONE)
		buf_printf(&flow, " %s", application_word(a->application));
	buf_printf(&name, "%s %s", a->name.text, ir_text(&m->f->ir, r->service));
	w->flows[w->shown] = keep(m, &flow);
	w->names[w->shown++] = keep(m, &name);
}

static void add_ways(const struct making *m)
{
	/* An error-free model has one compiled rule for each flow, in the same order. */
	for (uint32_t i = 0; i < m->f->ir.nrules; i++)
		add_flow(m, &m->f->model->allows[i], &m->f->ir.rules[i]);
	/* Few: by (from, to). */
	for (size_t i = 1; i < m->d->nways; i++)
		for (size_t k = i; k > 0; k--) {
			struct diagram_way *a = &m->d->ways[k - 1], *b = &m->d->ways[k], swap = *a;
			if (a->from < b->from || (a->from == b->from && a->to <= b->to))
				break;
			*a = *b;
			*b = swap;
		}
}

static void add_never(const struct making *m)
{
	const struct diagram *d = m->d;
	const struct ir *ir = &m->f->ir;

	m->d->never = ARENA_ARRAY(m->f->arena, d->nsegments * d->nsegments + 1, const char *);
	for (size_t a = 0; a < d->nsegments; a++)
		for (size_t b = a + 1; b < d->nsegments; b++)
			if (guard_forbidden_pair((enum segment_kind)ir->segments[a].kind,
				    (enum segment_kind)ir->segments[b].kind))
				m->d->never[m->d->nnever++] =
					arena_printf(m->f->arena, "%s -x- %s", d->segments[a].label, d->segments[b].label);
}

static void put_words(struct buf *b, const struct words *w)
{
	for (size_t i = 0; i < w->n; i++)
		buf_printf(b, "%s%s", i == 0 ? "" : " ", w->v[i].text);
}

static void add_mail(const struct making *m)
{
	const struct model *model = m->f->model;
	struct buf in = {0}, out = {0};

	if (model->mail_in.line != 0) {
		put_prefixes(&in, &model->mail_in.listen);
		buf_adds(&in, " -> ");
		put_words(&in, &model->mail_in.next_hops);
		m->d->mail[MAIL_IN] = arena_printf(m->f->arena, _("mail from the internet, as text: %s"), buf_str(&in));
	}
	if (model->mail_out.line != 0) {
		put_words(&out, &model->mail_out.servers);
		buf_adds(&out, " ->");
		put_prefixes(&out, &model->mail_out.listen);
		buf_adds(&out, " -> ");
		put_words(&out, &model->mail_out.next_hops);
		m->d->mail[MAIL_OUT] = arena_printf(m->f->arena, _("mail to the internet: %s"), buf_str(&out));
	}
	buf_free(&in);
	buf_free(&out);
}

void diagram_make(const struct policy_file *f, struct diagram *ret)
{
	const struct model *model = f->model;
	struct making m = {f, ret};

	*ret = (struct diagram){.gate = model->system.hostname, .nsegments = model->nsegments};
	struct civil now = clock_civil(f->at);
	snprintf(ret->when, sizeof(ret->when), "%04d-%02d-%02d %02d:%02d", now.year, now.month, now.day, now.hour, now.minute);
	ret->segments = ARENA_ARRAY(f->arena, model->nsegments + 1, struct diagram_segment);
	for (size_t i = 0; i < model->nsegments; i++) {
		ret->segments[i].name = model->segments[i].name.text;
		ret->segments[i].label = model->segments[i].label == NULL ? ret->segments[i].name : model->segments[i].label;
		add_interfaces(&m, i);
		add_networks(&m, i);
		add_routers(&m, i);
		add_hosts(&m, i);
	}
	add_ways(&m);
	add_never(&m);
	add_mail(&m);
}

/* -- the verb ---------------------------------------------------------------------------------------------------- */

static int print(struct console *c, struct policy_file *f, const struct args *a, int code)
{
	const char *format = args_option(a, "--format");
	bool svg = format != NULL && strcmp(format, "svg") == 0;
	struct diagram d;

	if (code == CONSOLE_OK && format != NULL && !svg && strcmp(format, "text") != 0)
		code = console_fail(CONSOLE_USAGE, "%s", _("--format is one of: text, svg"));
	if (code == CONSOLE_OK && !f->usable)
		code = policy_file_refused(f);
	if (code == CONSOLE_OK) {
		diagram_make(f, &d);
		(svg ? diagram_svg : diagram_text)(&d, &c->out);
	}
	policy_file_close(f);
	return code;
}

int verb_diagram(struct console *c, const struct args *a)
{
	struct policy_file f;
	int code = policy_file_open(&f, a->words[0], a);

	return print(c, &f, a, code);
}

int verb_show_diagram(struct console *c, const struct args *a)
{
	struct policy_file f;
	int code = policy_file_running(&f, c, a);

	return print(c, &f, a, code);
}
