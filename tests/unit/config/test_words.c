/* test_words.c: where a word is looked for, what is offered for a wrong one, and how values are written. */
#include "schema.h"
#include "tree.h"
#include "words.h"

#include <sekisho/arena.h>
#include <sekisho/buf.h>
#include <sekisho/i18n.h>

#include "test.h"

static const struct place *root;

static const struct place *child(const struct place *p, const char *word)
{
	return place_child(p, word, strlen(word));
}

static const struct place *find(const struct scope *s, const char *word, unsigned *ret_depth)
{
	return scope_find(s, word, strlen(word), ret_depth);
}

static void test_scope(void)
{
	const struct place *allow = child(root, "allow"), *approval = child(allow, "approval");
	struct scope s = {{root, allow, approval}, 2};
	unsigned depth = 99;

	CHECK(find(&s, "date", &depth) == child(approval, "date") && depth == 2);
	CHECK(find(&s, "starts", &depth) == child(allow, "starts") && depth == 1);
	CHECK(find(&s, "approval", &depth) == approval && depth == 1);
	/* Neither a word of the top, nor a transparent container, nor a key. */
	CHECK(find(&s, "host", NULL) == NULL && find(&s, "allows", NULL) == NULL &&
		find(&s, "role", NULL) == NULL);
	s.depth = 0;
	CHECK(find(&s, "host", &depth) == child(root, "host") && depth == 0);
	CHECK(find(&s, "date", NULL) == NULL && find(&s, "", NULL) == NULL);
}

/* Behind a list of bare values every word is a value, but for the list's own. */
static void test_bare(void)
{
	const struct place *system = child(root, "system"), *required = child(system, "approval-required");
	struct scope s = {{root, system, required}, 2};

	CHECK(required->bare == child(required, "role"));
	CHECK(find(&s, "hostname", NULL) == NULL);
	CHECK(find(&s, "role", NULL) == required->bare);
}

static void test_hints(void)
{
	struct arena *arena = arena_new();
	const struct place *router = child(root, "router");
	struct scope s = {{root, router}, 1};

	CHECK_STR(words_possible(arena, router), "possible here: segment, address, mac");
	CHECK_STR(words_hint(arena, &s, "adress"),
		"did you mean \"address\"? possible here: segment, address, mac");
	CHECK_STR(words_hint(arena, &s, "zzzzzzz"), "possible here: segment, address, mac");
	s.depth = 0;
	CHECK(strstr(words_hint(arena, &s, "intrface"), "did you mean \"interface\"?") != NULL);
	arena_free(arena);
}

static void test_quote(void)
{
	struct arena *arena = arena_new();

	CHECK_STR(words_quote(arena, "tcp/443"), "tcp/443");
	CHECK_STR(words_quote(arena, "2001:db8::1/64"), "2001:db8::1/64");
	CHECK_STR(words_quote(arena, ""), "\"\"");
	CHECK_STR(words_quote(arena, "a b"), "\"a b\"");
	CHECK_STR(words_quote(arena, "#1"), "\"#1\"");
	CHECK_STR(words_quote(arena, "副町長"), "\"副町長\"");
	CHECK_STR(words_quote(arena, "a\"b\\c"), "\"a\\\"b\\\\c\"");
	arena_free(arena);
}

static void test_path(void)
{
	const struct place *allow = child(root, "allow"), *approval = child(allow, "approval");
	struct tree *t = tree_new(root);
	struct node *a = tree_add(t, tree_root(t), allow, "pittari", 1),
		    *b = tree_add(t, a, approval, "ciso", 1);
	struct buf out = {0};

	words_add_path(&out, b);
	CHECK_STR(buf_str(&out), "set allow pittari approval ciso");
	buf_clear(&out);
	words_add_path(&out, tree_root(t));
	CHECK_STR(buf_str(&out), "set");
	buf_free(&out);
	tree_free(t);
}

int main(void)
{
	const char *why;

	root = schema_open(&why);
	if (root == NULL)
		return 1;
	i18n_init("en");
	test_scope();
	test_bare();
	test_hints();
	test_quote();
	test_path();
	return test_end();
}
