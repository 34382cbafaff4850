/*
 * config.c: the room's doors: text -> model, text -> canonical text.
 *
 * Stages: lines.c (bytes to lines), tokens.c (lines to words), parse.c (words to tree), check.c (whole
 * objects), build.c (tree to model), print.c (tree to text). Names of other objects are resolved by policy/.
 */
#include <sekisho/config.h>

#include "build.h"
#include "check.h"
#include "lines.h"
#include "parse.h"
#include "print.h"
#include "schema.h"
#include "tree.h"

#include <sekisho/arena.h>
#include <sekisho/clock.h>
#include <sekisho/diag.h>
#include <sekisho/i18n.h>
#include <sekisho/limits.h>
#include <sekisho/model.h>

bool config_prepare(const char **ret_why)
{
	return schema_open(ret_why) != NULL;
}

/* The checked tree of a text, its values in `values`; NULL when the schema cannot be loaded. */
static struct tree *read_tree(struct arena *values, const char *text, size_t n, struct diag_list *diags)
{
	const char *why;
	const struct place *root = schema_open(&why);

	if (root == NULL) {
		diag_error(diags, 0, "environment", NULL, _("the schema cannot be loaded: %s"), _(why));
		return NULL;
	}
	if (n > LIMIT_POLICY_BYTES) {
		diag_error(diags, 0, "file-too-large", NULL,
			_("the policy has %zu bytes; at most %u are read"), n, LIMIT_POLICY_BYTES);
		n = 0;
	}
	struct tree *tree = tree_new(root);
	struct lines lines = lines_init(text, n);
	parse(tree, values, &lines, diags);
	struct node *top = tree_root(tree);
	if (top->leaves == NULL && top->items == NULL && diags->nerrors == 0)
		diag_error(diags, 0, "empty",
			_("a policy has at least one line of 'set', such as: set system hostname gate-01"),
			_("the policy is empty"));
	check(top, diags);
	return tree;
}

bool config_read(struct arena *arena, const char *text, size_t n, struct diag_list *diags, struct model **ret)
{
	struct tree *tree = read_tree(arena, text, n, diags);

	if (tree == NULL)
		return false;
	/* Windows are local times of the policy's own zone. An unknown zone is policy/'s to report. */
	clock_set_zone(build_timezone(tree_root(tree)));
	*ret = build(arena, tree_root(tree));
	tree_free(tree);
	return true;
}

bool config_print(struct arena *arena, const char *text, size_t n, struct diag_list *diags, struct buf *out)
{
	struct tree *tree = read_tree(arena, text, n, diags);

	if (tree == NULL)
		return false;
	print(tree_root(tree), out);
	tree_free(tree);
	return true;
}
