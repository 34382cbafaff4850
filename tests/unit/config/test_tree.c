/* test_tree.c: many entries found by name, the same name in different places, order kept. */
#include "schema.h"
#include "tree.h"

#include <sekisho/arena.h>

#include "test.h"

#define MANY 20000

static const struct place *child(const struct place *p, const char *word)
{
	const struct place *c = place_child(p, word, strlen(word));

	CHECK(c != NULL);
	return c;
}

static void test_items(const struct place *root)
{
	const struct place *host = child(root, "host"), *group = child(root, "host-group"),
			   *member = child(group, "member");
	struct tree *t = tree_new(root);
	struct node *top = tree_root(t);
	char name[32];

	CHECK(tree_item(t, top, host, "h0") == NULL);
	for (unsigned i = 0; i < MANY; i++) {
		snprintf(name, sizeof(name), "h%u", i);
		tree_add(t, top, host, arena_strdup(tree_arena(t), name), i + 1);
	}
	struct node *g1 = tree_add(t, top, group, "h7", 1), *g2 = tree_add(t, top, group, "g2", 2);
	tree_add(t, g1, member, "h7", 3);
	CHECK_INT(tree_items(t), MANY + 3);
	for (unsigned i = 0; i < MANY; i++) {
		snprintf(name, sizeof(name), "h%u", i);
		const struct node *n = tree_item(t, top, host, name);
		if (n == NULL || n->line != i + 1)
			CHECK_INT(i, -1);
	}
	CHECK(tree_item(t, top, host, "h20000") == NULL);
	CHECK(tree_item(t, top, group, "h7") == g1);
	CHECK(tree_item(t, g1, member, "h7") != NULL && tree_item(t, g2, member, "h7") == NULL);
	unsigned order = 0;
	for (const struct node *n = top->items; n != NULL && n->place == host; n = n->next)
		CHECK(n->line == ++order);
	CHECK_INT(order, MANY);
	tree_free(t);
}

static void test_leaves(const struct place *root)
{
	const struct place *host = child(root, "host"), *segment = child(host, "segment"),
			   *label = child(host, "label");
	struct tree *t = tree_new(root);
	struct node *h = tree_add(t, tree_root(t), host, "a", 1);

	CHECK((host->required & segment->required_bit) != 0 && label->required_bit == 0);
	CHECK((h->given & segment->required_bit) == 0);
	struct node *s = tree_add(t, h, segment, "lgwan", 2);
	CHECK((h->given & segment->required_bit) != 0);
	CHECK(tree_leaf(h, segment) == s && tree_leaf(h, label) == NULL);
	CHECK(s->parent == h && s->line == 2);
	tree_free(t);
	tree_free(NULL);
}

int main(void)
{
	const char *why;
	const struct place *root = schema_open(&why);

	if (root == NULL)
		return 1;
	test_items(root);
	test_leaves(root);
	return test_end();
}
