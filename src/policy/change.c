/*
 * change.c: differences of two texts, one after another, become items: one for each object.
 *
 * Differences come in the order of the schema, those of one object together. What a change does to a rule's times is read
 * from the compiled rules; whether it grants more or less from the flows, which also see what the rule itself does not
 * say (another address of its host).
 */
#include "change_parts.h"

#include <sekisho/arena.h>

#include <string.h>

static bool is_same(const char *a, const char *b)
{
	return a == b || (a != NULL && b != NULL && strcmp(a, b) == 0);
}

static const char *keep(const struct finding *f, const char *text)
{
	return text == NULL ? NULL : arena_strdup(f->arena, text);
}

/* The item that the difference belongs to: the last one, or a new one. */
static struct change_item *item_of(const struct finding *f, const struct difference *d)
{
	struct change *c = f->ret;
	struct change_item *last = c->nitems == 0 ? NULL : &c->items[c->nitems - 1];
	bool whole = d->field == NULL;

	if (last != NULL && !whole && last->kind == DIFFERENCE_CHANGED && is_same(last->object, d->object) &&
		is_same(last->name, d->name))
		return last;
	last = arena_push(f->arena, (void **)&c->items, &c->nitems, &c->items_cap, sizeof(*last));
	*last = (struct change_item){.kind = whole ? d->kind : DIFFERENCE_CHANGED, .object = keep(f, d->object),
		.name = keep(f, d->name)};
	const struct change_side *side = whole && d->kind == DIFFERENCE_REMOVED ? f->old : f->new;
	last->text = change_words(f->arena, side, d->object, d->name);
	return last;
}

static void take(void *arg, const struct difference *d)
{
	const struct finding *f = arg;
	struct change_item *item = item_of(f, d);

	if (d->field == NULL) {
		item->beside = d->kind == DIFFERENCE_MOVED ? keep(f, d->now) : NULL;
		return;
	}
	struct change_field *field =
		arena_push(f->arena, (void **)&item->fields, &item->nfields, &item->cap, sizeof(*field));
	*field = (struct change_field){.kind = d->kind, .field = keep(f, d->field), .label = keep(f, d->label),
		.was = keep(f, d->was), .now = keep(f, d->now)};
}

static const struct ir_rule *find_rule(const struct ir *ir, const char *name)
{
	for (uint32_t i = 0; i < ir->nrules; i++)
		if (strcmp(ir_text(ir, ir->rules[i].name), name) == 0)
			return &ir->rules[i];
	return NULL;
}

static unsigned flow_effect(const struct change *c, const char *rule)
{
	unsigned effect = 0;

	for (size_t i = 0; i < c->nopens; i++)
		effect |= strcmp(c->opens[i].rule, rule) == 0 ? CHANGE_WIDENED : 0;
	for (size_t i = 0; i < c->ncuts; i++)
		if (strcmp(c->cuts[i].rule, rule) == 0)
			effect |= c->cuts[i].why == CHANGE_OTHERWISE ? CHANGE_VERIFIED : CHANGE_NARROWED;
	return effect;
}

static void find_effects(const struct finding *f)
{
	for (size_t i = 0; i < f->ret->nitems; i++) {
		struct change_item *item = &f->ret->items[i];
		if (item->kind != DIFFERENCE_CHANGED || strcmp(item->object, "allow") != 0)
			continue;
		const struct ir_rule *a = find_rule(f->old->ir, item->name), *b = find_rule(f->new->ir, item->name);
		item->effect = flow_effect(f->ret, item->name);
		if (a != NULL && b != NULL)
			item->effect |= change_times(f->old->ir, a, f->new->ir, b);
	}
}

bool change_find(struct arena *a, const struct change_side *old, const struct change_side *new, struct wall at,
	struct change *ret)
{
	struct finding f = {.arena = a, .old = old, .new = new, .at = at, .ret = ret};

	*ret = (struct change){0};
	if (!candidate_differences(old->text, old->n, new->text, new->n, take, &f))
		return false;
	if (old->ir != NULL && new->ir != NULL) {
		change_flows(&f);
		find_effects(&f);
	}
	return true;
}
