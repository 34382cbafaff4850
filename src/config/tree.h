/*
 * tree.h: what a policy text says, as a tree of schema places with values and lines.
 *
 * Why not libyang's own data tree: for 100 k rules it costs 230 MB and 1.5 s (measured), ten times this one.
 * libyang still judges every value (value.c) and every `must` (check.c, over the entry at hand), and the
 * tests hold the whole against lyd_validate_all().
 */
#ifndef CONFIG_TREE_H
#define CONFIG_TREE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct arena;
struct place;

struct node {
	const struct place *place;
	struct node *parent; /* NULL for the root */
	const char *value;   /* of a leaf or leaf-list; a list entry's key; NULL for containers */
	uint32_t line;	     /* where it was first named */
	uint32_t given;	   /* required_bit of the children that are there, or were there with a wrong value */
	bool refused;	   /* a child was there with a wrong value: what goes together cannot be judged */
	struct node *next; /* sibling in its chain, in the order of the file */
	struct node *leaves;		/* children that can be there only once: leaves and containers */
	struct node *items, *last_item; /* list entries and leaf-list values, in the order of the file */
	const char *note; /* comment above it, lines separated by '\n'; of the root: of the whole; or NULL */
	const char *tail; /* of the root: comment behind everything; or NULL */
};

struct tree;

/* An empty tree with an arena of its own; root is its place. Ends the process without memory. */
struct tree *tree_new(const struct place *root);
/* Frees all nodes, but not the values that were handed in. NULL is allowed. */
void tree_free(struct tree *t);
struct arena *tree_arena(const struct tree *t);
struct node *tree_root(const struct tree *t);

/* The leaf or container `place` within parent, or NULL. */
struct node *tree_leaf(const struct node *parent, const struct place *place);
/* The list entry with this key, or the leaf-list value; NULL when it is not there. */
struct node *tree_item(
	const struct tree *t, const struct node *parent, const struct place *place, const char *value);

/* Adds a child that is not there yet; value is kept, not copied (NULL for a container). */
struct node *tree_add(
	struct tree *t, struct node *parent, const struct place *place, const char *value, uint32_t line);

/* Takes a node out of its parent, with all below it. */
void tree_remove(struct tree *t, struct node *node);
/* Gives an entry or value another text, which its parent must not have yet; it is kept, not copied. */
void tree_rename(struct tree *t, struct node *node, const char *value);
/* Puts an entry in front of `other` or (other NULL) at the end of its parent's items. */
void tree_move(struct node *node, struct node *other);

/* Entries that the tree holds, of all lists and leaf-lists. */
size_t tree_items(const struct tree *t);

#endif
