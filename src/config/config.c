/*
 * config.c: the room's doors: text -> model, text -> canonical text.
 *
 * Stages: lines.c (bytes to lines), tokens.c (lines to words), parse.c (words to tree), check.c (whole objects),
 * build.c (tree to model), print.c (tree to text). Names of other objects are resolved by policy/.
 */
#include <sekisho/config.h>

#include "build.h"
#include "check.h"
#include "parse.h"
#include "print.h"
#include "schema.h"
#include "tree.h"

#include <sekisho/arena.h>
#include <sekisho/diag.h>
#include <sekisho/i18n.h>
#include <sekisho/limits.h>
#include <sekisho/model.h>

bool config_prepare(const char **ret_why)
{
	return schema_open(ret_why) != NULL;
}

/* The checked tree of a text; NULL when the schema cannot be loaded. */
static struct node *read_tree(struct arena *arena, const char *text, size_t n, struct diag_list *diags)
{
	const char *why;
	const struct place *root = schema_open(&why);
	struct tree *tree;

	if (root == NULL) {
		diag_error(diags, 0, "environment", NULL, _("the schema cannot be loaded: %s"), _(why));
		return NULL;
	}
	if (n > LIMIT_POLICY_BYTES) {
		diag_error(diags, 0, "file-too-large", NULL, _("the policy has %zu bytes; at most %u are read"), n,
			LIMIT_POLICY_BYTES);
		n = 0;
	}
	struct node *top = parse(arena, root, text, n, diags, &tree);
	tree_free(tree);
	if (top->leaves == NULL && top->items == NULL && diags->nerrors == 0)
		diag_error(diags, 0, "empty", _("a policy has at least one line of 'set', such as: set system hostname gate-01"),
			_("the policy is empty"));
	check(arena, top, diags);
	return top;
}

bool config_read(struct arena *arena, const char *text, size_t n, struct diag_list *diags, struct model **ret)
{
	struct node *top = read_tree(arena, text, n, diags);

	if (top == NULL)
		return false;
	*ret = build(arena, top);
	return true;
}

bool config_print(struct arena *arena, const char *text, size_t n, struct diag_list *diags, struct buf *out)
{
	struct node *top = read_tree(arena, text, n, diags);

	if (top == NULL)
		return false;
	print(top, out);
	return true;
}
