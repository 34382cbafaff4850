/*
 * test_check.c: our verdict over whole objects against libyang's own: lyd_validate_all() over the same
 * policy, for good ones, for one flaw at a time, and for the policies of the directories on the command line.
 */
#include "check.h"
#include "lines.h"
#include "lytree.h"
#include "parse.h"
#include "schema.h"
#include "tree.h"

#include <sekisho/arena.h>
#include <sekisho/buf.h>
#include <sekisho/diag.h>

#include <libyang/libyang.h>

#include "policies.h"
#include "test.h"

static const struct place *root;

/* Judges a text; returns whether it has no errors. Both verdicts on its objects must be the same. */
static bool judge(const char *name, const char *text, size_t n)
{
	struct arena *arena = arena_new();
	struct tree *tree = tree_new(root);
	struct lines lines = lines_init(text, n);
	struct diag_list diags;
	int failed;

	diag_init(&diags, arena);
	parse(tree, arena, &lines, &diags);
	size_t before = diags.nerrors;
	check(tree_root(tree), &diags);
	bool ours = diags.nerrors == before, good = diags.nerrors == 0;
	struct lyd_node *lyd = lytree_build(tree_root(tree), &failed);
	CHECK_INT(failed, 0);
	bool theirs = lyd_validate_all(&lyd, schema_ctx(), LYD_VALIDATE_NO_STATE, NULL) == LY_SUCCESS;
	/* Where a value was refused we hold our tongue about what is missing then. */
	if (ours != theirs && before == 0) {
		test_failures++;
		printf("%s: we say %d, libyang %d: %s\n", name, ours, theirs,
			theirs ? "" : ly_errmsg(schema_ctx()));
	}
	test_checks++;
	lyd_free_all(lyd);
	tree_free(tree);
	arena_free(arena);
	return good;
}

static bool whole(const char *text)
{
	return judge(text, text, strlen(text));
}

static void test_required(void)
{
	CHECK(whole("set segment s kind lgwan\n"));
	CHECK(!whole("set segment s label \"x\"\n"));
	CHECK(whole("set host h segment s address 10.0.0.1\n"));
	CHECK(!whole("set host h segment s\n"));
	CHECK(!whole("set host h address 10.0.0.1\n"));
	CHECK(!whole("set service s\n"));
	CHECK(!whole("set allow a from h to h\n"));
	CHECK(whole("set allow a from h to h service tcp/1\n"));
	CHECK(!whole("set allow a from h to h service tcp/1 approval ciso name \"x\"\n"));
	CHECK(!whole("set allow a from h to h service tcp/1 approval ciso date 2026-04-01\n"));
	CHECK(!whole("set mail inbound listen 10.0.0.1 next-hop m\n"));
	CHECK(whole("set mail inbound listen 10.0.0.1 domain d.jp next-hop m\n"));
	CHECK(whole("set system hostname g\n"));
	CHECK(!whole("set system approval-required mynumber\n"));
}

/* Do these words fit together behind `attachments`? */
static bool attachments(const char *words)
{
	char line[256];

	snprintf(line, sizeof(line), "set mail outbound listen 10.0.0.1 server m next-hop n attachments %s\n", words);
	return whole(line);
}

static void test_musts(void)
{
	CHECK(whole(
		"set allow a from h to h service tcp/1 sanitised-by file-relay sanitising-product \"x\"\n"));
	CHECK(!whole("set allow a from h to h service tcp/1 sanitised-by screen-transfer sanitising-product "
		     "\"x\"\n"));
	CHECK(!whole("set allow a from h to h service tcp/1 sanitising-product \"x\"\n"));
	CHECK(!whole("set allow a from h to h service tcp/1 sanitising-statement \"x\"\n"));
	CHECK(!whole("set mail inbound listen 10.0.0.1 domain d.jp next-hop m original copied\n"));
	CHECK(!whole("set mail inbound listen 10.0.0.1 domain d.jp next-hop m original-to m\n"));
	CHECK(whole(
		"set mail inbound listen 10.0.0.1 domain d.jp next-hop m original copied original-to m\n"));
	CHECK(attachments("allow"));
	CHECK(attachments("allow type exe action refuse encrypted hold max-files 3"));
	CHECK(!attachments("allow hold"));
	CHECK(!attachments("allow refuse"));
	CHECK(!attachments("allow require-cc kacho"));
	CHECK(!attachments("allow list pdf"));
	CHECK(attachments("require-cc kacho hold list pdf"));
	CHECK(attachments("refuse type pdf action allow"));
	CHECK(!attachments("refuse hold"));
	CHECK(!attachments("refuse require-cc kacho"));
	CHECK(!attachments("refuse list pdf"));
}

/* One entry more than the schema allows. */
static void test_counts(void)
{
	struct buf b = {0};

	for (int i = 0; i < 8; i++)
		buf_printf(&b, "set segment s%d kind lgwan\n", i);
	CHECK(whole(buf_str(&b)));
	buf_adds(&b, "set segment s8 kind lgwan\n");
	CHECK(!whole(buf_str(&b)));
	buf_clear(&b);
	buf_adds(&b, "set router r segment s");
	for (int i = 1; i <= 8; i++)
		buf_printf(&b, " address 10.0.0.%d", i);
	CHECK(whole(buf_str(&b)));
	buf_adds(&b, " address 10.0.0.9");
	CHECK(!whole(buf_str(&b)));
	buf_free(&b);
}

static void judge_file(const char *path, const char *text, size_t n)
{
	judge(path, text, n);
}

int main(int argc, char **argv)
{
	const char *why;

	root = schema_open(&why);
	if (root == NULL)
		return 1;
	test_required();
	test_musts();
	test_counts();
	for (int i = 1; i < argc; i++)
		CHECK(policy_each(argv[i], judge_file) > 0);
	return test_end();
}
