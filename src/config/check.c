/*
 * check.c: mandatory and min-elements, max-elements, must (RFC 7950, 7.5.3, 7.6.5, 7.7.5, 7.7.6).
 *
 * Ours: the first three come from the schema's flags by bits and counting. A `must` is evaluated by libyang
 * over the one entry that it stands in: our expressions never look outside of their entry (lyd_validate_all()
 * over whole policies agrees, which the tests check).
 */
#include "check.h"

#include "lytree.h"
#include "schema.h"
#include "tree.h"
#include "value.h"
#include "words.h"

#include <sekisho/buf.h>
#include <sekisho/diag.h>
#include <sekisho/i18n.h>

#include <libyang/libyang.h>
#include <stdlib.h>

struct checker {
	struct diag_list *diags;
	uint32_t *counts; /* by place id; zero between nodes */
};

/* Reports that a child is not there, with the line that is missing: "set host renkei address 10.2.0.8". */
static void missing(struct checker *c, const struct node *node, const struct place *child)
{
	struct buf hint = {0};

	buf_adds(&hint, _("for example: "));
	words_add_path(&hint, node);
	buf_printf(&hint, " %s ", child->word);
	words_add_quoted(&hint, child->example == NULL ? "…" : child->example);
	if (node->value != NULL)
		diag_error(c->diags, node->line, "missing", buf_str(&hint), _("%s \"%s\" has no %s"),
			node->place->word, value_show(node->value), child->word);
	else
		diag_error(c->diags, node->line, "missing", buf_str(&hint), _("%s has no %s"),
			node->place->word, child->word);
	buf_free(&hint);
}

static void check_required(struct checker *c, const struct node *node)
{
	uint32_t bits = node->place->required & ~node->given;

	for (size_t i = 0; bits != 0 && i < node->place->nchildren; i++)
		if ((bits & node->place->children[i]->required_bit) != 0)
			missing(c, node, node->place->children[i]);
}

/* Reports the first instance beyond the maximum of its place. */
static void check_counts(struct checker *c, const struct node *node)
{
	for (const struct node *i = node->items; i != NULL; i = i->next) {
		if (++c->counts[i->place->id] == i->place->max + 1)
			diag_error(c->diags, i->line, "too-many", NULL,
				_("%s \"%s\" is one too many: at most %u are possible"), i->place->word,
				value_show(i->value), i->place->max);
	}
	for (const struct node *i = node->items; i != NULL; i = i->next)
		c->counts[i->place->id] = 0;
}

/* Evaluates the musts of one libyang node; the first that fails is reported. */
static void check_must(struct checker *c, const struct lyd_node *lyd)
{
	const struct node *node = lyd->priv;
	struct lysc_must *musts = lysc_node_musts(lyd->schema);
	LY_ARRAY_COUNT_TYPE i;

	LY_ARRAY_FOR(musts, i)
	{
		ly_bool holds = 0;
		if (lyd_eval_xpath(lyd, lyxp_get_expr(musts[i].cond), &holds) == LY_SUCCESS && holds)
			continue;
		const char *key = node->parent->value;
		diag_error(c->diags, node->line, "does-not-fit",
			musts[i].emsg == NULL ? NULL : _(musts[i].emsg),
			_("%s \"%s\" does not fit the rest of %s%s%s"), node->place->word,
			value_show(node->value), node->parent->place->word, key == NULL ? "" : " ",
			key == NULL ? "" : value_show(key));
	}
}

static bool has_must(const struct node *node)
{
	for (const struct node *n = node->leaves; n != NULL; n = n->next)
		if (n->place->has_must)
			return true;
	for (const struct node *n = node->items; n != NULL; n = n->next)
		if (n->place->has_must)
			return true;
	return false;
}

static void check_musts(struct checker *c, const struct node *node)
{
	const struct place *reported = NULL;
	struct lyd_node *top, *n;
	int failed;

	top = lytree_build(node, &failed);
	for (const struct lyd_node *t = top; t != NULL; t = t->next) {
		LYD_TREE_DFS_BEGIN(t, n)
		{
			const struct node *own = n->priv;
			/* Of a leaf-list the first value stands for all. */
			if (own != NULL && own->parent == node && own->place->has_must &&
				own->place != reported) {
				reported = own->place;
				check_must(c, n);
			}
			LYD_TREE_DFS_END(t, n);
		}
	}
	lyd_free_all(top);
	if (failed)
		diag_error(c->diags, node->line, "schema", NULL, _("libyang refuses this entry: %s"),
			ly_errmsg(schema_ctx()));
}

static void check_node(struct checker *c, const struct node *node)
{
	check_required(c, node);
	check_counts(c, node);
	if (!node->refused && has_must(node))
		check_musts(c, node);
	for (const struct node *n = node->leaves; n != NULL; n = n->next)
		if (n->place->kind == PLACE_CONTAINER)
			check_node(c, n);
	for (const struct node *n = node->items; n != NULL; n = n->next)
		if (n->place->kind == PLACE_LIST)
			check_node(c, n);
}

void check(const struct node *root, struct diag_list *diags)
{
	struct checker c = {.diags = diags};

	c.counts = calloc(schema_places(), sizeof(*c.counts));
	if (c.counts == NULL)
		abort();
	check_node(&c, root);
	free(c.counts);
}
