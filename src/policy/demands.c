/*
 * demands.c: what rules demand of the inspector, each different demand once, sorted and numbered.
 *
 * Input: the words of an allow rule. Two rules that demand the same, in any order of words, share a number, because
 * the number is what a verified flow carries in its mark: after a commit a flow lives on when a rule with an equal
 * demand still grants it. So the text of a demand is canonical: names in lower case, sorted, none twice.
 */
#include "compile.h"
#include "verified.h"

#include <ctype.h>
#include <stdlib.h>
#include <string.h>

/* One different demand, while rules are read; numbered by occurrence until demands_finish(). */
struct demand {
	const char *text;
	struct demand_names {
		const char **v;
		size_t n;
	} server_names, alpns, domain_names;
	uint32_t options, rate, number;
	uint8_t application, one_way;
};

static int by_name(const void *pa, const void *pb)
{
	const char *const *a = pa, *const *b = pb;

	return strcmp(*a, *b);
}

static struct demand_names sorted(struct compiler *c, const struct words *w)
{
	struct demand_names s = {ARENA_ARRAY(c->arena, w->n + 1, const char *), 0};

	for (size_t i = 0; i < w->n; i++) {
		char *name = arena_strdup(c->arena, w->v[i].text);
		for (char *p = name; *p != '\0'; p++)
			*p = (char)tolower((unsigned char)*p);
		s.v[i] = name;
	}
	if (w->n > 0)
		qsort(s.v, w->n, sizeof(*s.v), by_name);
	for (size_t i = 0; i < w->n; i++)
		if (s.n == 0 || strcmp(s.v[s.n - 1], s.v[i]) != 0)
			s.v[s.n++] = s.v[i];
	return s;
}

static uint32_t options_of(const struct model_allow *a)
{
	uint32_t options = 0;

	for (size_t i = 0; i < a->options.n; i++)
		options |= verify_option_find(a->options.v[i].text);
	return options;
}

static void put_names(struct buf *b, const char *word, const struct demand_names *s)
{
	for (size_t i = 0; i < s->n; i++)
		buf_printf(b, " %s %s", word, s->v[i]);
}

/* In the words of the policy, so that people can read it too. */
static void put_text(struct buf *b, const struct demand *d)
{
	buf_adds(b, application_word((enum application)d->application));
	for (uint32_t bit = 1; bit != 0; bit <<= 1)
		if ((d->options & bit) != 0)
			buf_printf(b, " option %s", verify_option_word(bit));
	put_names(b, "server-name", &d->server_names);
	put_names(b, "alpn", &d->alpns);
	put_names(b, "domain-name", &d->domain_names);
	if (d->rate != 0)
		buf_printf(b, " question-rate %u", d->rate);
}

uint16_t demand_intern(struct compiler *c, const struct model_allow *a, const char **ret_text)
{
	struct demand d = {.application = (uint8_t)a->application,
		.options = options_of(a),
		.rate = a->question_rate,
		.one_way = a->one_way};
	struct buf text = {0};
	uint32_t number;

	d.server_names = sorted(c, &a->server_names);
	d.alpns = sorted(c, &a->alpns);
	d.domain_names = sorted(c, &a->domain_names);
	put_text(&text, &d);
	*ret_text = arena_strdup(c->arena, buf_str(&text));
	if (a->one_way)
		buf_adds(&text, " one-way");
	if (!strmap_get(c->demand_numbers, buf_str(&text), &number)) {
		d.number = number = (uint32_t)c->ndemands + 1;
		d.text = arena_strdup(c->arena, buf_str(&text));
		strmap_add(c->demand_numbers, d.text, number);
		*(struct demand *)arena_push(
			c->arena, (void **)&c->demands, &c->ndemands, &c->demands_cap, sizeof(d)) = d;
		if (number == LIMIT_VERIFIEDS + 1)
			diag_error(c->diags, a->application_line, "limit", NULL,
				_("more than %d different verifications (application and what is demanded of it)"),
				LIMIT_VERIFIEDS);
	}
	buf_free(&text);
	return (uint16_t)number;
}

static int by_text(const void *pa, const void *pb)
{
	const struct demand *a = pa, *b = pb;

	return strcmp(a->text, b->text);
}

static struct ir_run put_list(struct compiler *c, const struct demand_names *s)
{
	struct ir_run run = {(uint32_t)c->ir.nnames, (uint32_t)s->n};

	for (size_t i = 0; i < s->n; i++) {
		ir_str name = ir_intern(&c->ir, s->v[i]);
		((struct ir_name *)IR_PUSH(&c->ir, names))->name = name;
	}
	return run;
}

static void put_verified(struct compiler *c, const struct demand *d)
{
	struct ir_verified v = {.text = ir_intern(&c->ir, d->text),
		.options = d->options,
		.rate = d->rate,
		.application = d->application,
		.one_way = d->one_way};

	v.server_names = put_list(c, &d->server_names);
	v.alpns = put_list(c, &d->alpns);
	v.domain_names = put_list(c, &d->domain_names);
	*(struct ir_verified *)IR_PUSH(&c->ir, verifieds) = v;
}

void demands_finish(struct compiler *c)
{
	uint16_t *number = ARENA_ARRAY(c->arena, c->ndemands + 1, uint16_t);

	if (c->ndemands == 0 || c->ndemands > LIMIT_VERIFIEDS)
		return;
	qsort(c->demands, c->ndemands, sizeof(*c->demands), by_text);
	for (size_t i = 0; i < c->ndemands; i++) {
		number[c->demands[i].number] = (uint16_t)(i + 1);
		put_verified(c, &c->demands[i]);
	}
	for (size_t i = 0; i < c->ir.nrules; i++)
		c->ir.rules[i].verified = number[c->ir.rules[i].verified];
}
