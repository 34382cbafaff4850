/*
 * check_cut.c: is what sekishod holds for cut stopped by the kernel, and nothing else?
 *
 * For each emergency cut of the list that came with the dump: what it names is asked for in forward (each pair of interfaces,
 * both ends, both directions, new, passed and related), in input and in output; nothing may come through. A host or segment
 * that the policy knows by the cut's name is asked for as the policy has it now: a cut follows the name. What the maps
 * of the kernel hold must be of a cut that is held.
 */
#include "check.h"

#include <netinet/in.h> /* before linux/: the two share names */
#include <linux/netfilter.h>
#include <stdio.h>
#include <string.h>

struct cut_question {
	struct prove *p;
	struct eval *ev;
	const struct ir *ir;
	const struct cut *cut;
	struct scenario sc;
	uint32_t passed; /* mark */
	bool found;	 /* once is enough for one cut */
};

static void accept_cut(void *arg, const struct region *r, const struct passing *how)
{
	struct cut_question *q = arg;
	char text[CUT_TEXT_MAX];

	(void)how;
	if (!q->found)
		add_finding(q->p, "cut", arena_printf(q->p->arena,
			_("emergency cut %u (%s) does not hold in the kernel, this would pass: %s"), q->cut->number,
			cut_text(q->cut, text), region_text(q->p, &q->sc, r)));
	q->found = true;
}

static void queued_cut(void *arg, const struct region *r, uint32_t number, uint64_t expires_ms)
{
	static const struct passing how;

	(void)number;
	(void)expires_ms;
	accept_cut(arg, r, &how);
}

static void ask_region(struct cut_question *q, const struct region *r)
{
	static const uint8_t protocols[] = {IPPROTO_TCP, IPPROTO_UDP, IPPROTO_ICMP};
	const struct {
		uint32_t state, mark;
		bool reply;
	} flows[] = {{CT_NEW, 0, false}, {CT_ESTABLISHED, q->passed, false}, {CT_ESTABLISHED, q->passed, true},
		{CT_RELATED, q->passed, false}};

	q->ev->accept = accept_cut;
	q->ev->queued = queued_cut;
	q->ev->arg = q;
	q->sc.cuts = true;
	for (size_t p = 0; p < sizeof(protocols); p++)
		for (size_t i = 0; i < sizeof(flows) / sizeof(flows[0]); i++) {
			bool icmp = protocols[p] == IPPROTO_ICMP;
			q->sc.l4proto = icmp && q->sc.family == 6 ? IPPROTO_ICMPV6 : protocols[p];
			q->sc.ct_state = flows[i].state;
			q->sc.ct_mark = flows[i].mark;
			q->sc.reply = flows[i].reply;
			eval_run(q->ev, &q->sc, r);
			q->p->scenarios++;
		}
}

/* -- by interfaces ----------------------------------------------------------------------------------------- */

static bool is_of(const struct cut_question *q, const struct cut_end *e, uint32_t interface)
{
	const struct ir_interface *i = &q->ir->interfaces[interface];

	if (strcmp(ir_text(q->ir, q->ir->segments[i->segment].name), e->name) == 0)
		return true;
	for (uint32_t k = 0; k < e->ninterfaces; k++)
		if (strcmp(i->name, e->interface[k]) == 0)
			return true;
	return false;
}

static bool pair_is_cut(const struct cut_question *q, uint32_t i, uint32_t j)
{
	const struct cut_end *e = q->cut->end;

	switch (q->cut->kind) {
	case CUT_ALL: return true;
	case CUT_SEGMENT: return is_of(q, &e[0], i) || is_of(q, &e[0], j);
	default: return (is_of(q, &e[0], i) && is_of(q, &e[1], j)) || (is_of(q, &e[0], j) && is_of(q, &e[1], i));
	}
}

static void name_interfaces(struct cut_question *q, uint32_t hook, const char *in, const char *out)
{
	q->sc.hook = hook;
	snprintf(q->sc.iif, sizeof(q->sc.iif), "%.15s", in);
	snprintf(q->sc.oif, sizeof(q->sc.oif), "%.15s", out);
}

static void ask_interfaces(struct cut_question *q)
{
	const struct ir *ir = q->ir;
	struct region all = region_all(q->sc.family);

	for (uint32_t i = 0; i < ir->ninterfaces; i++) {
		for (uint32_t j = 0; j < ir->ninterfaces; j++) {
			if (!pair_is_cut(q, i, j))
				continue;
			name_interfaces(q, NF_INET_FORWARD, ir->interfaces[i].name, ir->interfaces[j].name);
			ask_region(q, &all);
		}
		if (q->cut->kind == CUT_PAIR || (q->cut->kind == CUT_SEGMENT && !is_of(q, &q->cut->end[0], i)))
			continue;
		name_interfaces(q, NF_INET_LOCAL_IN, ir->interfaces[i].name, "");
		ask_region(q, &all);
		name_interfaces(q, NF_INET_LOCAL_OUT, "", ir->interfaces[i].name);
		ask_region(q, &all);
	}
}

/* -- by addresses ------------------------------------------------------------------------------------------ */

static void between(struct region *r, enum field f, const uint8_t *lo, const uint8_t *hi)
{
	memcpy(r->lo[f], lo, 16);
	memcpy(r->hi[f], hi, 16);
}

static void ask_forward(struct cut_question *q, const struct region *r)
{
	for (uint32_t i = 0; i < q->ir->ninterfaces; i++)
		for (uint32_t j = 0; j < q->ir->ninterfaces; j++) {
			name_interfaces(q, NF_INET_FORWARD, q->ir->interfaces[i].name, q->ir->interfaces[j].name);
			ask_region(q, r);
		}
}

static void ask_host(struct cut_question *q, const uint8_t *lo, const uint8_t *hi)
{
	struct region from = region_all(q->sc.family), to = from;

	between(&from, FIELD_SRC, lo, hi);
	between(&to, FIELD_DST, lo, hi);
	ask_forward(q, &from);
	ask_forward(q, &to);
	for (uint32_t i = 0; i < q->ir->ninterfaces; i++) {
		name_interfaces(q, NF_INET_LOCAL_IN, q->ir->interfaces[i].name, "");
		ask_region(q, &from);
		name_interfaces(q, NF_INET_LOCAL_OUT, "", q->ir->interfaces[i].name);
		ask_region(q, &to);
	}
}

/* The host of that name as the policy has it now. */
static void ask_named_host(struct cut_question *q, const char *name)
{
	for (uint32_t i = 0; i < q->ir->nhosts; i++) {
		const struct ir_host *h = &q->ir->hosts[i];
		if (name[0] == '\0' || strcmp(ir_text(q->ir, h->name), name) != 0)
			continue;
		for (uint32_t k = 0; k < h->addrs.n; k++) {
			const struct ir_hostaddr *a = &q->ir->hostaddrs[h->addrs.first + k];
			if (a->family == q->sc.family)
				ask_host(q, a->range.lo, a->range.hi);
		}
	}
}

static void ask_hosts(struct cut_question *q)
{
	const struct cut_end *e = &q->cut->end[0];

	for (uint32_t i = 0; i < e->nranges; i++)
		if (e->range[i].family == q->sc.family)
			ask_host(q, e->range[i].lo, e->range[i].hi);
	if (e->gone == 0)
		ask_named_host(q, e->name);
}

static void ask_host_pairs(struct cut_question *q)
{
	const struct cut_end *a = &q->cut->end[0], *b = &q->cut->end[1];

	for (uint32_t i = 0; i < a->nranges; i++)
		for (uint32_t k = 0; k < b->nranges; k++) {
			struct region there = region_all(q->sc.family), back = there;
			if (a->range[i].family != q->sc.family || b->range[k].family != q->sc.family)
				continue;
			between(&there, FIELD_SRC, a->range[i].lo, a->range[i].hi);
			between(&there, FIELD_DST, b->range[k].lo, b->range[k].hi);
			between(&back, FIELD_SRC, b->range[k].lo, b->range[k].hi);
			between(&back, FIELD_DST, a->range[i].lo, a->range[i].hi);
			ask_forward(q, &there);
			ask_forward(q, &back);
		}
}

/* -- the kernel's maps --------------------------------------------------------------------------------------- */

static void find_strange(struct prove *p, const struct dump *d)
{
	for (size_t i = 0; i < d->nsets; i++) {
		const struct dump_set *s = &d->sets[i];
		bool map = strncmp(s->name, "cut_", 4) == 0, any = strcmp(s->name, "cutting") == 0 && d->cuts->n == 0;
		for (size_t k = 0; (map || any) && k < s->nelems; k++) {
			const struct dump_elem *e = &s->elems[k];
			uint32_t mark = 0;
			if (e->interval_end)
				continue;
			if (e->ndata == sizeof(mark))
				memcpy(&mark, e->data, sizeof(mark));
			if (map && cuts_number(d->cuts, mark >> 8) != NULL)
				continue;
			add_finding(p, "cut-strange", arena_printf(p->arena,
				_("the kernel cuts what no emergency cut names (set %s)"), s->name));
			return;
		}
	}
}

void check_cuts(struct prove *p, struct eval *ev, const struct ir *ir, uint32_t generation)
{
	const struct cuts *cuts = ev->dump->cuts;

	if (cuts == NULL)
		return;
	find_strange(p, ev->dump);
	for (uint32_t i = 0; i < cuts->n; i++) {
		struct cut_question q = {.p = p, .ev = ev, .ir = ir, .cut = &cuts->cut[i],
			.passed = MARK_PASSED | MARK_GENERATION(generation)};
		for (uint8_t family = 4; family <= 6 && !q.found; family += 2) {
			q.sc.family = family;
			if (q.cut->kind == CUT_HOST)
				ask_hosts(&q);
			else if (q.cut->kind == CUT_PAIR && q.cut->end[0].segment == 0)
				ask_host_pairs(&q);
			else
				ask_interfaces(&q);
		}
	}
}
