/*
 * tree.c: nodes in an arena, and one hash index over all list entries and leaf-list values.
 *
 * The index is keyed (SipHash with a random key), so that names chosen to collide cannot make it slow. A
 * node's single children are a short chain: at most as many as the schema has words there.
 */
#include "tree.h"

#include "schema.h"

#include <sekisho/arena.h>
#include <sekisho/strmap.h>

#include <stdlib.h>
#include <string.h>

struct tree {
	struct arena *arena;
	struct node *root;
	struct node **slots; /* open addressing; cap is a power of two, at most 3/4 full */
	uint64_t *hashes;
	size_t cap, n;
};

struct tree *tree_new(const struct place *root)
{
	struct tree *t = calloc(1, sizeof(*t));

	if (t == NULL || (t->arena = arena_new()) == NULL)
		abort();
	t->root = ARENA_NEW(t->arena, struct node);
	t->root->place = root;
	return t;
}

void tree_free(struct tree *t)
{
	if (t == NULL)
		return;
	arena_free(t->arena);
	free(t->slots);
	free(t->hashes);
	free(t);
}

struct arena *tree_arena(const struct tree *t)
{
	return t->arena;
}

struct node *tree_root(const struct tree *t)
{
	return t->root;
}

struct node *tree_leaf(const struct node *parent, const struct place *place)
{
	for (struct node *n = parent->leaves; n != NULL; n = n->next)
		if (n->place == place)
			return n;
	return NULL;
}

static uint64_t hash_of(const struct node *parent, const struct place *place, const char *value)
{
	const uint64_t *key = siphash_key();
	/* Parent and place join the key: the same name elsewhere is another item. */
	uint64_t mixed[2] = {key[0] ^ (uint64_t)(uintptr_t)parent, key[1] ^ (uint64_t)(uintptr_t)place};

	return siphash(mixed, value, strlen(value));
}

static size_t find(const struct tree *t, uint64_t hash, const struct node *parent, const struct place *place,
	const char *value)
{
	for (size_t i = hash & (t->cap - 1);; i = (i + 1) & (t->cap - 1)) {
		const struct node *n = t->slots[i];
		if (n == NULL || (t->hashes[i] == hash && n->parent == parent && n->place == place &&
					 strcmp(n->value, value) == 0))
			return i;
	}
}

struct node *tree_item(
	const struct tree *t, const struct node *parent, const struct place *place, const char *value)
{
	if (t->cap == 0)
		return NULL;
	return t->slots[find(t, hash_of(parent, place, value), parent, place, value)];
}

static void grow(struct tree *t)
{
	struct tree old = *t;

	t->cap = old.cap == 0 ? 256 : old.cap * 2;
	t->slots = calloc(t->cap, sizeof(*t->slots));
	t->hashes = calloc(t->cap, sizeof(*t->hashes));
	if (t->slots == NULL || t->hashes == NULL)
		abort();
	for (size_t i = 0; i < old.cap; i++) {
		if (old.slots[i] == NULL)
			continue;
		size_t at = old.hashes[i] & (t->cap - 1);
		while (t->slots[at] != NULL)
			at = (at + 1) & (t->cap - 1);
		t->slots[at] = old.slots[i];
		t->hashes[at] = old.hashes[i];
	}
	free(old.slots);
	free(old.hashes);
}

static void index_item(struct tree *t, struct node *n)
{
	if (t->n >= t->cap / 4 * 3)
		grow(t);
	uint64_t hash = hash_of(n->parent, n->place, n->value);
	size_t at = find(t, hash, n->parent, n->place, n->value);
	t->slots[at] = n;
	t->hashes[at] = hash;
	t->n++;
}

struct node *tree_add(
	struct tree *t, struct node *parent, const struct place *place, const char *value, uint32_t line)
{
	struct node *n = ARENA_NEW(t->arena, struct node);

	*n = (struct node){.place = place, .parent = parent, .value = value, .line = line};
	parent->given |= place->required_bit;
	if (place->kind == PLACE_LIST || place->kind == PLACE_LEAFLIST) {
		if (parent->items == NULL)
			parent->items = n;
		else
			parent->last_item->next = n;
		parent->last_item = n;
		index_item(t, n);
	} else {
		n->next = parent->leaves;
		parent->leaves = n;
	}
	return n;
}

/* Backward shift: what stands behind the gap and may stand in it moves there. */
static void unindex(struct tree *t, const struct node *n)
{
	size_t mask = t->cap - 1;
	size_t gap = find(t, hash_of(n->parent, n->place, n->value), n->parent, n->place, n->value);

	for (size_t i = (gap + 1) & mask; t->slots[i] != NULL; i = (i + 1) & mask) {
		if (((i - t->hashes[i]) & mask) < ((i - gap) & mask))
			continue;
		t->slots[gap] = t->slots[i];
		t->hashes[gap] = t->hashes[i];
		gap = i;
	}
	t->slots[gap] = NULL;
	t->n--;
}

static void unindex_below(struct tree *t, const struct node *node)
{
	for (const struct node *n = node->leaves; n != NULL; n = n->next)
		unindex_below(t, n);
	for (const struct node *n = node->items; n != NULL; n = n->next) {
		unindex_below(t, n);
		unindex(t, n);
	}
}

static bool is_item(const struct node *n)
{
	return n->place->kind == PLACE_LIST || n->place->kind == PLACE_LEAFLIST;
}

/* Out of its parent's chain. */
static void unlink_node(struct node *node)
{
	struct node *parent = node->parent, *before = NULL;
	struct node **at = is_item(node) ? &parent->items : &parent->leaves;

	for (; *at != node; at = &(*at)->next)
		before = *at;
	*at = node->next;
	if (parent->last_item == node)
		parent->last_item = before;
	node->next = NULL;
}

void tree_remove(struct tree *t, struct node *node)
{
	unindex_below(t, node);
	if (is_item(node))
		unindex(t, node);
	unlink_node(node);
}

void tree_rename(struct tree *t, struct node *node, const char *value)
{
	unindex(t, node);
	node->value = value;
	index_item(t, node);
}

void tree_move(struct node *node, struct node *other)
{
	struct node *parent = node->parent, **at = &parent->items;

	unlink_node(node);
	while (*at != other)
		at = &(*at)->next;
	node->next = other;
	*at = node;
	if (other == NULL)
		parent->last_item = node;
}

size_t tree_items(const struct tree *t)
{
	return t->n;
}
