/*
 * test_prove.c: real dumps of a small ruleset and of many ways to break it: each must be found, and nothing else.
 *
 * usage: test_prove DIRECTORY (with small.policy, variants, dumps/)
 */
#include <sekisho/arena.h>
#include <sekisho/buf.h>
#include <sekisho/diag.h>
#include <sekisho/model.h>
#include <sekisho/prove.h>

#include "test.h"

static struct buf read_file(const char *dir, const char *name)
{
	struct buf b = {0};
	char path[512], chunk[4096];

	snprintf(path, sizeof(path), "%s/%s", dir, name);
	FILE *f = fopen(path, "rb");
	if (f == NULL) {
		printf("%s: cannot be read\n", path);
		exit(1);
	}
	for (size_t n; (n = fread(chunk, 1, sizeof(chunk), f)) > 0;)
		buf_add(&b, chunk, n);
	fclose(f);
	return b;
}

static struct buf compile(const char *dir)
{
	struct buf text = read_file(dir, "small.policy"), out = {0};
	struct arena *a = arena_new();
	struct diag_list d;
	struct model *m = NULL;

	diag_init(&d, a);
	bool ok = config_read(a, buf_str(&text), text.len, &d, &m) && policy_compile(m, (struct wall){1795136400}, &d, &out);
	diag_print(&d, "small.policy", stdout);
	CHECK(ok);
	buf_free(&text);
	arena_free(a);
	return out;
}

static bool found(const struct prove *p, const char *code)
{
	for (size_t i = 0; i < p->n; i++)
		if (strcmp(p->findings[i].code, code) == 0)
			return true;
	return false;
}

static void test_variant(const char *dir, const struct ir *ir, const char *name, const char *expected)
{
	char file[128];
	struct arena *a = arena_new();
	struct prove p;

	snprintf(file, sizeof(file), "dumps/%s.dump", name);
	struct buf dump = read_file(dir, file);
	bool clean = prove_check(&p, a, ir, dump.data, dump.len, (struct wall){1795136400});
	bool right = strcmp(expected, "ok") == 0 ? clean : found(&p, expected);
	CHECK(right);
	if (!right) {
		printf("%s: expected %s, found %zu:\n", name, expected, p.total);
		for (size_t i = 0; i < p.n && i < 5; i++)
			printf("  %s: %s\n", p.findings[i].code, p.findings[i].text);
	}
	buf_free(&dump);
	arena_free(a);
}

int main(int argc, char **argv)
{
	char line[512], path[512];
	struct ir ir;

	if (argc != 2)
		return 2;
	clock_set_zone("Asia/Tokyo");
	struct buf block = compile(argv[1]);
	const char *bad = ir_open(block.data, block.len, &ir);
	if (bad != NULL) {
		printf("IR: %s\n", bad);
		return 1;
	}
	snprintf(path, sizeof(path), "%s/variants", argv[1]);
	FILE *f = fopen(path, "r");
	while (f != NULL && fgets(line, sizeof(line), f) != NULL) {
		char *name = strtok(line, "|"), *expected = strtok(NULL, "|");
		if (name[0] != '#' && expected != NULL)
			test_variant(argv[1], &ir, name, expected);
	}
	CHECK(f != NULL);
	if (f != NULL)
		fclose(f);
	buf_free(&block);
	return test_end();
}
