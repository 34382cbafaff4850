/*
 * candidate_edit.c: delete, rename, copy, move, annotate: what a line of set cannot say.
 *
 * A rename goes through all values that may name the entry (leafrefs and `names` of the schema), so that nothing loses what
 * it named. Costs a walk over the whole tree: some milliseconds for 10 000 rules.
 */
#include "candidate_tree.h"

#include "value.h"

#include <sekisho/arena.h>
#include <sekisho/diag.h>
#include <sekisho/i18n.h>

#include <errno.h>
#include <string.h>

void candidate_remove(struct candidate *c, struct node *node)
{
	struct node *parent = node->parent;

	tree_remove(c->tree, node);
	c->changes++;
	if (parent->place->kind == PLACE_CONTAINER && parent->leaves == NULL && parent->items == NULL)
		candidate_remove(c, parent);
}

/* Is it, or something above it, gone already (an earlier target of the same line)? */
static bool is_gone(const struct node *node)
{
	for (const struct node *n = node; n->parent != NULL; n = n->parent) {
		const struct node *i = n->place->kind == PLACE_LIST || n->place->kind == PLACE_LEAFLIST ? n->parent->items
												       : n->parent->leaves;
		while (i != NULL && i != n)
			i = i->next;
		if (i == NULL)
			return true;
	}
	return false;
}

static void remove_all(struct candidate *c, struct node *parent, const struct place *place)
{
	for (struct node *n = parent->items, *next; n != NULL; n = next) {
		next = n->next;
		if (n->place == place)
			candidate_remove(c, n);
	}
}

int candidate_delete(struct candidate *c, const char *path, struct diag_list *diags)
{
	struct targets *t = ARENA_NEW(diags->arena, struct targets);
	int r = candidate_targets(c, path, t, diags);

	if (r < 0)
		return r;
	if (t->n == 0) {
		diag_error(diags, c->line, "incomplete", words_possible(diags->arena, tree_root(c->tree)->place),
			_("delete: what? the line ends here"));
		return -EINVAL;
	}
	for (size_t i = 0; i < t->n; i++) {
		if (t->v[i].node == NULL && !is_gone(t->v[i].parent))
			remove_all(c, t->v[i].parent, t->v[i].place);
		else if (t->v[i].node != NULL && !is_gone(t->v[i].node))
			candidate_remove(c, t->v[i].node);
	}
	return 0;
}

/* -- names ------------------------------------------------------------------------------------------------------- */

/* Lists whose names one word of a rule could mean: no two of them may have the same. */
static const struct node *namesake(const struct candidate *c, const struct place *list, const char *name)
{
	static const char *const shared[] = {"segment", "host-group", "host"};
	const struct node *root = tree_root(c->tree), *found = NULL;
	bool among = false;

	for (int i = 0; i < 3; i++) {
		const struct place *p = place_child(root->place, shared[i], strlen(shared[i]));
		among = among || p == list;
		const struct node *n = p == NULL ? NULL : tree_item(c->tree, root, p, name);
		found = n == NULL ? found : n;
	}
	return among ? found : NULL;
}

/* May an entry beside `node` have this name? */
static int check_name(const struct candidate *c, const struct node *node, const char *name, struct diag_list *diags)
{
	const char *why = value_check(node->place->key, name, strlen(name));
	const struct node *taken = tree_item(c->tree, node->parent, node->place, name);

	if (why != NULL) {
		value_refuse(node->place->key, name, why, c->line, diags);
		return -EINVAL;
	}
	if (taken == NULL)
		taken = namesake(c, node->place, name);
	if (taken == NULL)
		return 0;
	diag_error(diags, c->line, "duplicate-name", _("choose another name"), _("there is a %s \"%s\" already"),
		taken->place->word, value_show(name));
	return -EEXIST;
}

/* Everything below `node` that names `list` entry `old` names `name` from now on. Returns how many. */
static size_t rename_below(struct candidate *c, struct node *node, const struct place *list, const char *old, const char *name)
{
	size_t n = 0;

	for (struct node *i = node->leaves; i != NULL; i = i->next) {
		if (i->place->kind == PLACE_LEAF && place_names(i->place, list) && strcmp(i->value, old) == 0) {
			i->value = name;
			n++;
		}
		n += rename_below(c, i, list, old, name);
	}
	for (struct node *i = node->items, *next; i != NULL; i = next) {
		const struct place *value = i->place->kind == PLACE_LIST ? i->place->key : i->place;
		next = i->next;
		n += rename_below(c, i, list, old, name);
		if (!place_names(value, list) || strcmp(i->value, old) != 0)
			continue;
		/* It named the new name too, which was nobody's: once is enough. */
		if (tree_item(c->tree, node, i->place, name) != NULL)
			tree_remove(c->tree, i);
		else
			tree_rename(c->tree, i, name);
		n++;
	}
	return n;
}

int candidate_rename(struct candidate *c, const char *path, const char *name, struct diag_list *diags)
{
	int r;
	struct node *node = candidate_entry(c, path, &r, diags);

	if (node == NULL)
		return r;
	if (strcmp(node->value, name) == 0)
		return 0;
	r = check_name(c, node, name, diags);
	if (r < 0)
		return r;
	const char *old = node->value, *kept = arena_strdup(c->values, name);
	tree_rename(c->tree, node, kept);
	if (node->parent == tree_root(c->tree))
		rename_below(c, tree_root(c->tree), node->place, old, kept);
	c->changes++;
	return 0;
}

int candidate_copy(struct candidate *c, const char *path, const char *name, struct diag_list *diags)
{
	int r;
	struct node *node = candidate_entry(c, path, &r, diags);

	if (node == NULL)
		return r;
	r = check_name(c, node, name, diags);
	if (r < 0)
		return r;
	struct node holder = {.place = node->parent->place}, like = *node;
	like.value = name;
	like.next = NULL;
	holder.items = &like;
	holder.leaves = NULL;
	if (!candidate_fits(c, node->parent, &holder, diags))
		return -EINVAL;
	candidate_merge(c, node->parent, &holder);
	struct node *fresh = tree_item(c->tree, node->parent, node->place, name);
	if (node->next != fresh)
		tree_move(fresh, node->next);
	return 0;
}

int candidate_move(struct candidate *c, const char *path, bool before, const char *other, struct diag_list *diags)
{
	int r;
	struct node *node = candidate_entry(c, path, &r, diags);

	if (node == NULL)
		return r;
	struct node *at = tree_item(c->tree, node->parent, node->place, other);
	if (at == NULL || at == node) {
		diag_error(diags, c->line, "not-there", NULL,
			at == NULL ? _("%s \"%s\" is not there") : _("%s \"%s\" cannot stand beside itself"), node->place->word,
			value_show(other));
		return at == NULL ? -ENOENT : -EINVAL;
	}
	if (before) {
		tree_move(node, at);
	} else if (at->next != node) {
		tree_move(node, at->next);
	}
	c->changes++;
	return 0;
}

/* -- comments ---------------------------------------------------------------------------------------------------- */

/* An object whose comment would, when the text is read again, be another's: it has no line of its own. */
static bool has_no_line(const struct node *node)
{
	if (node->place->kind == PLACE_LIST)
		return false;
	for (const struct node *n = node->leaves; n != NULL; n = n->next)
		if (n->place->kind == PLACE_LEAF)
			return false;
	for (const struct node *n = node->items; n != NULL; n = n->next)
		if (n->place->kind == PLACE_LEAFLIST)
			return false;
	return true;
}

/* Lines of clean text that fit on a line each. */
static bool is_comment(const struct candidate *c, const char *text, struct diag_list *diags)
{
	for (const char *p = text; p != NULL;) {
		size_t n = strcspn(p, "\n");
		struct lines lines = lines_init(p, n);
		struct line line;
		size_t before = diags->nerrors;
		lines.number = c->line - 1;
		if (n > LIMIT_LINE - 2) {
			diag_error(diags, c->line, "line-too-long", NULL, _("the line has %zu bytes; at most %d are read"), n,
				LIMIT_LINE - 2);
			return false;
		}
		if (n > 0 && !lines_next(&lines, diags, &line) && diags->nerrors > before)
			return false;
		p = p[n] == '\0' ? NULL : p + n + 1;
	}
	return true;
}

/* The object that a path names: the whole for an empty one. */
static struct node *object_of(struct candidate *c, const char *path, int *ret_error, struct diag_list *diags)
{
	struct targets *t = ARENA_NEW(diags->arena, struct targets);

	if (path[strspn(path, " \t")] == '\0')
		return tree_root(c->tree);
	*ret_error = candidate_targets(c, path, t, diags);
	if (*ret_error < 0)
		return NULL;
	struct node *node = t->n == 1 ? t->v[0].node : NULL;
	if (node != NULL && (node->place->kind == PLACE_LIST || node->place->kind == PLACE_CONTAINER) && !has_no_line(node))
		return node;
	diag_error(diags, c->line, "not-an-object", _("name one entry, such as: host jumin-ap"),
		_("a comment belongs to an object with a line of its own, which \"%s\" is not"), value_show(path));
	*ret_error = -EINVAL;
	return NULL;
}

int candidate_annotate(struct candidate *c, const char *path, const char *comment, struct diag_list *diags)
{
	int r = 0;
	struct node *node = object_of(c, path, &r, diags);

	if (node == NULL)
		return r;
	if (comment != NULL && comment[0] != '\0' && !is_comment(c, comment, diags))
		return -EINVAL;
	node->note = comment == NULL || comment[0] == '\0' ? NULL : arena_strdup(c->values, comment);
	c->changes++;
	return 0;
}
