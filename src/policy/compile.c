/*
 * compile.c: the stages in order. See compile.h for what each does.
 *
 * Input: a model whose words were checked for form. Every stage runs, also after errors, so that one run
 * shows all that is wrong; the IR is written only when nothing is.
 */
#include "compile.h"

static struct compiler *compiler_new(const struct model *m, struct wall now, struct diag_list *diags)
{
	struct arena *a = arena_new();

	if (a == NULL)
		return NULL;
	struct compiler *c = ARENA_NEW(a, struct compiler);
	*c = (struct compiler){.m = m, .now = now, .diags = diags, .arena = a, .nform = diags->n};
	struct strmap **maps[] = {
		&c->segments, &c->interfaces, &c->routers, &c->hosts, &c->groups, &c->services, &c->demand_numbers};
	for (size_t i = 0; i < sizeof(maps) / sizeof(maps[0]); i++)
		*maps[i] = strmap_new();
	ir_builder_init(&c->ir, a);
	return c;
}

static void compiler_free(struct compiler *c)
{
	struct strmap *maps[] = {
		c->segments, c->interfaces, c->routers, c->hosts, c->groups, c->services, c->demand_numbers};

	for (size_t i = 0; i < sizeof(maps) / sizeof(maps[0]); i++)
		strmap_free(maps[i]);
	ir_builder_free(&c->ir);
	arena_free(c->arena);
}

bool form_said(const struct compiler *c, uint32_t line)
{
	for (size_t i = 0; i < c->nform; i++)
		if (c->diags->items[i].severity == DIAG_ERROR && c->diags->items[i].line == line)
			return true;
	return false;
}

bool policy_compile(const struct model *m, struct wall now, struct diag_list *diags, struct buf *out)
{
	static void (*const stages[])(struct compiler *) = {stage_names, stage_topology, stage_ways,
		stage_hosts, stage_rules, stage_own, stage_deputies, stage_guard, stage_applications,
		stage_boxes, stage_analysis};
	struct compiler *c = compiler_new(m, now, diags);

	if (c == NULL) {
		diag_error(diags, 0, "memory", NULL, _("not enough memory"));
		return false;
	}
	if (!clock_set_zone(m->system.timezone))
		diag_error(diags, m->system.timezone_line, "unknown-timezone",
			_("a name of the tz database, such as Asia/Tokyo"), _("there is no time zone \"%s\""),
			m->system.timezone);
	for (size_t i = 0; i < sizeof(stages) / sizeof(stages[0]); i++)
		stages[i](c);
	bool ok = diags->nerrors == 0;
	if (ok)
		ir_encode(&c->ir, out);
	compiler_free(c);
	return ok;
}
