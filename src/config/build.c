/*
 * build.c: walks the tree beside the table of fields.c and fills struct model.
 *
 * Values were checked when they were read, so nothing fails here. Defaults of a list entry or container apply
 * when it is there at all; those of the top level always.
 */
#include "build.h"

#include "fields.h"
#include "schema.h"
#include "tree.h"

#include <sekisho/arena.h>
#include <sekisho/model.h>

#include <string.h>

static void fill(struct arena *arena, void *base, const struct place *place, const char *text, uint32_t line)
{
	struct filling f = {arena, base, place->field, text, line};

	place->field->kind->store(&f);
}

/* A new entry in the array (pointer, count, capacity) at the field's offset. */
static void *push_entry(struct arena *arena, void *base, const struct field *field)
{
	char *list = (char *)base + field->offset;
	void **items = (void **)(void *)list;
	size_t *n = (size_t *)(void *)(list + sizeof(void *));

	void *entry = arena_push(arena, items, n, n + 1, field->size);
	if (field->fresh != NULL)
		memcpy(entry, field->fresh, field->size);
	return entry;
}

/* Is the default used? Without a node only in what is always there: containers that need no presence. */
static void fill_defaults(struct arena *arena, void *base, const struct place *place, const struct node *node)
{
	for (size_t i = 0; i < place->nchildren; i++) {
		const struct place *c = place->children[i];
		if (c->kind == PLACE_LEAF && c->fallback != NULL &&
			(node == NULL || tree_leaf(node, c) == NULL))
			fill(arena, base, c, c->fallback, 0);
		else if (c->kind == PLACE_CONTAINER && c->field == NULL &&
			 (node == NULL || tree_leaf(node, c) == NULL))
			fill_defaults(arena, base, c, NULL);
	}
}

static void build_node(struct arena *arena, void *base, const struct node *node)
{
	fill_defaults(arena, base, node->place, node);
	for (const struct node *n = node->leaves; n != NULL; n = n->next) {
		if (n->place->kind == PLACE_LEAF) {
			fill(arena, base, n->place, n->value, n->line);
			continue;
		}
		if (n->place->field != NULL)
			*(uint32_t *)(void *)((char *)base + n->place->field->line_offset) = n->line;
		build_node(arena, base, n);
	}
	for (const struct node *n = node->items; n != NULL; n = n->next) {
		if (n->place->kind == PLACE_LEAFLIST) {
			fill(arena, base, n->place, n->value, n->line);
			continue;
		}
		void *entry = push_entry(arena, base, n->place->field);
		fill(arena, entry, n->place->key, n->value, n->line);
		build_node(arena, entry, n);
	}
}

struct model *build(struct arena *arena, const struct node *root)
{
	struct model *m = ARENA_NEW(arena, struct model);

	m->arena = arena;
	build_node(arena, m, root);
	return m;
}

const char *build_timezone(const struct node *root)
{
	const struct place *system = place_child(root->place, "system", strlen("system"));
	const struct place *zone = place_child(system, "timezone", strlen("timezone"));
	const struct node *node = tree_leaf(root, system);
	const struct node *leaf = node == NULL ? NULL : tree_leaf(node, zone);

	return leaf == NULL ? zone->fallback : leaf->value;
}
