/*
 * lytree.c: struct node -> lyd_node.
 *
 * Transparent containers have no node of ours and are made on the way, by the schema's parents.
 */
#include "lytree.h"

#include "schema.h"
#include "tree.h"

#include <libyang/libyang.h>
#include <stdint.h>

struct builder {
	struct lyd_node *top; /* first of the top-level siblings */
	int failed;
};

static struct lyd_node *add(
	struct builder *b, struct lyd_node *parent, const struct lysc_node *schema, const char *value)
{
	const struct lys_module *module = schema_module();
	struct lyd_node *n = NULL;
	LY_ERR e;

	if (schema->nodetype == LYS_CONTAINER)
		e = lyd_new_inner(parent, module, schema->name, 0, &n);
	else if (schema->nodetype == LYS_LIST)
		e = lyd_new_list(parent, module, schema->name, 0, &n, value);
	else
		e = lyd_new_term(parent, module, schema->name, value, 0, &n);
	if (e != LY_SUCCESS) {
		b->failed = 1;
		return NULL;
	}
	if (parent == NULL)
		lyd_insert_sibling(b->top, n, &b->top);
	return n;
}

/* The instance of a schema container under parent (NULL = top level), made when it is not there. */
static struct lyd_node *container(struct builder *b, struct lyd_node *parent, const struct lysc_node *schema)
{
	struct lyd_node *match = NULL;

	if (schema == NULL || (parent != NULL && parent->schema == schema))
		return parent;
	if (schema->parent != NULL && (parent == NULL || parent->schema != schema->parent))
		parent = container(b, parent, schema->parent);
	const struct lyd_node *first = parent == NULL ? b->top : lyd_child(parent);
	if (first != NULL && lyd_find_sibling_val(first, schema, NULL, 0, &match) == LY_SUCCESS)
		return match;
	return add(b, parent, schema, NULL);
}

static struct lyd_node *one(struct builder *b, struct lyd_node *parent, const struct node *node)
{
	struct lyd_node *n = NULL;

	parent = container(b, parent, node->place->node->parent);
	if (node->place->kind == PLACE_CONTAINER)
		n = container(b, parent, node->place->node);
	else
		n = add(b, parent, node->place->node, node->value);
	if (n != NULL)
		n->priv = (void *)(uintptr_t)node;
	return n;
}

static void below(struct builder *b, struct lyd_node *parent, const struct node *node)
{
	const struct node *chains[] = {node->leaves, node->items};

	for (int i = 0; i < 2; i++) {
		for (const struct node *c = chains[i]; c != NULL; c = c->next) {
			struct lyd_node *n = one(b, parent, c);
			if (n != NULL)
				below(b, n, c);
		}
	}
}

/* The parents of a node, outermost first, and the node. */
static struct lyd_node *above(struct builder *b, const struct node *node)
{
	if (node->parent == NULL)
		return NULL;
	return one(b, above(b, node->parent), node);
}

struct lyd_node *lytree_build(const struct node *node, int *ret_failed)
{
	struct builder b = {0};

	below(&b, above(&b, node), node);
	*ret_failed = b.failed;
	return b.top;
}
