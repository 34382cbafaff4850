/*
 * setline.c: fuzzes the reader of policies: any bytes. Beside not crashing it must hold that
 *   - a text without errors is one that libyang finds valid as a whole, too;
 *   - what is printed of any text reads back without a new kind of error, and prints the same again.
 */
#include "check.h"
#include "lines.h"
#include "lytree.h"
#include "parse.h"
#include "print.h"
#include "schema.h"
#include "tree.h"

#include <sekisho/arena.h>
#include <sekisho/buf.h>
#include <sekisho/diag.h>
#include <sekisho/model.h>

#include <libyang/libyang.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

static const struct place *root;

/* Reads a text and prints what was understood; the errors of reading and of checking are counted apart. */
static struct tree *read_tree(
	struct arena *arena, const void *text, size_t n, size_t *ret_read, size_t *ret_check)
{
	struct tree *tree = tree_new(root);
	struct lines lines = lines_init(text, n);
	struct diag_list diags;

	diag_init(&diags, arena);
	parse(tree, arena, &lines, &diags);
	*ret_read = diags.nerrors;
	check(tree_root(tree), &diags);
	*ret_check = diags.nerrors - *ret_read;
	return tree;
}

static void hold_against_libyang(const struct tree *tree)
{
	int failed;
	struct lyd_node *lyd = lytree_build(tree_root(tree), &failed);

	if (failed || lyd_validate_all(&lyd, schema_ctx(), LYD_VALIDATE_NO_STATE, NULL) != LY_SUCCESS)
		abort();
	lyd_free_all(lyd);
}

static void hold_against_print(struct arena *arena, const struct tree *tree)
{
	struct buf once = {0}, twice = {0};
	size_t read, checked;

	print(tree_root(tree), &once);
	struct tree *again = read_tree(arena, once.data, once.len, &read, &checked);
	print(tree_root(again), &twice);
	if (read != 0 || once.len != twice.len ||
		(once.len > 0 && memcmp(once.data, twice.data, once.len) != 0))
		abort();
	tree_free(again);
	buf_free(&once);
	buf_free(&twice);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	const char *why;
	size_t read, checked;
	struct diag_list diags;
	struct model *model;

	root = schema_open(&why);
	if (root == NULL)
		abort();
	struct arena *arena = arena_new();
	struct tree *tree = read_tree(arena, data, size, &read, &checked);
	if (read == 0 && checked == 0)
		hold_against_libyang(tree);
	hold_against_print(arena, tree);
	tree_free(tree);
	diag_init(&diags, arena);
	if (!config_read(arena, (const char *)data, size, &diags, &model))
		abort();
	arena_free(arena);
	return 0;
}
