/*
 * test_prove.c: real dumps of small rulesets and of many ways to break them: each must be found, and nothing else.
 *
 * usage: test_prove DIRECTORY (with small.policy, variants, dumps/; the same of mail that is turned: turned.policy, …)
 */
#include <sekisho/arena.h>
#include <sekisho/buf.h>
#include <sekisho/cut.h>
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

static struct buf compile(const char *dir, const char *policy)
{
	struct buf text = read_file(dir, policy), out = {0};
	struct arena *a = arena_new();
	struct diag_list d;
	struct model *m = NULL;

	diag_init(&d, a);
	bool ok = config_read(a, buf_str(&text), text.len, &d, &m) && policy_compile(m, (struct wall){1795136400}, &d, &out);
	diag_print(&d, policy, stdout);
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

static void test_variant(const char *dir, const char *dumps, const struct ir *ir, const char *name, const char *expected)
{
	char file[128];
	struct arena *a = arena_new();
	struct prove p;

	snprintf(file, sizeof(file), "%s/%s.dump", dumps, name);
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

/* -- emergency cuts: a dump of hosts cut by hand, beside lists of what should be cut ---------------------------- */

static struct cuts list;

static void cut_range(uint32_t number, const char *name, const char *prefix)
{
	struct cut *c = list.n > 0 && list.cut[list.n - 1].number == number ? &list.cut[list.n - 1] : &list.cut[list.n++];
	struct addr_range r;

	CHECK(prefix_parse(prefix, NULL, NULL, &r));
	c->number = number;
	c->kind = CUT_HOST;
	snprintf(c->end[0].name, sizeof(c->end[0].name), "%s", name);
	struct cut_range *to = &c->end[0].range[c->end[0].nranges++];
	to->family = r.lo.family;
	memcpy(to->lo, r.lo.b, sizeof(to->lo));
	memcpy(to->hi, r.hi.b, sizeof(to->hi));
	list.next = number + 1;
}

static void cut_segments(uint32_t number, const char *a, const char *b)
{
	struct cut *c = &list.cut[list.n++];

	*c = (struct cut){.number = number, .kind = b != NULL ? CUT_PAIR : CUT_SEGMENT};
	for (unsigned i = 0; i < (b != NULL ? 2u : 1u); i++) {
		c->end[i].segment = 1;
		snprintf(c->end[i].name, sizeof(c->end[i].name), "%s", i == 0 ? a : b);
	}
	list.next = number + 1;
}

/* expected: codes of findings, "" = none. The list goes behind the dump as sekishod puts it there. */
static void test_cut(const char *dir, const struct ir *ir, const char *name, const char *first, const char *second)
{
	char file[128];
	struct arena *a = arena_new();
	size_t size = offsetof(struct cuts, cut) + list.n * sizeof(struct cut);
	struct {
		uint32_t len;
		uint16_t type, flags;
		uint32_t seq, pid;
	} h = {(uint32_t)(16 + size), 0xff02, 0, 0, 0};
	struct prove p;

	snprintf(file, sizeof(file), "dumps/%s.dump", name);
	struct buf dump = read_file(dir, file);
	buf_add(&dump, &h, sizeof(h));
	buf_add(&dump, &list, size);
	prove_check(&p, a, ir, dump.data, dump.len, (struct wall){1795136400});
	CHECK(*first == '\0' || found(&p, first));
	CHECK(*second == '\0' || found(&p, second));
	CHECK(p.total == (size_t)((*first != '\0') + (*second != '\0')));
	for (size_t i = 0; i < p.n && p.total != (size_t)((*first != '\0') + (*second != '\0')); i++)
		printf("  %s: %s: %s\n", name, p.findings[i].code, p.findings[i].text);
	buf_free(&dump);
	arena_free(a);
	list = (struct cuts){.next = 1};
}

static void test_cuts(const char *dir, const struct ir *ir)
{
	list = (struct cuts){.next = 1};
	test_cut(dir, ir, "good", "", ""); /* nothing is cut, and nothing should be */
	cut_range(3, "pc", "10.1.0.5");
	test_cut(dir, ir, "good", "cut", ""); /* it should, and nothing is */
	cut_range(3, "pc", "10.1.0.5");
	cut_range(3, "pc", "2001:db8:1::5");
	cut_range(4, "", "10.1.0.64/28");
	test_cut(dir, ir, "cut", "", "");
	cut_range(3, "pc", "10.1.0.5"); /* the name has another address too, and that is cut; of number 4 nobody knows */
	test_cut(dir, ir, "cut", "cut-strange", "");
	cut_range(3, "pc", "10.1.0.5");
	cut_range(4, "", "10.1.0.64/27"); /* half of it passes */
	test_cut(dir, ir, "cut", "cut", "");
	cut_range(3, "", "10.1.0.5");
	cut_range(4, "sv", "10.1.0.64/28"); /* the name's own addresses pass */
	test_cut(dir, ir, "cut", "cut", "");
	list.n = 0;
	test_cut(dir, ir, "cut", "cut-strange", "");
	cut_segments(3, "a", NULL);
	cut_range(4, "", "10.1.0.64/28");
	test_cut(dir, ir, "cut", "cut", "");
	cut_segments(3, "a", "b");
	cut_range(4, "", "10.1.0.64/28");
	test_cut(dir, ir, "cut", "cut", "");
	cut_segments(3, "a", NULL);
	list.cut[0].kind = 9;
	test_cut(dir, ir, "cut", "dump", "");
}

/* Of one small ruleset: its policy, the list of what is done to it, and where the dumps are. */
static void test_all(const char *dir, const char *policy, const char *variants, const char *dumps, bool cuts)
{
	char line[2048], path[512];
	struct ir ir;
	struct buf block = compile(dir, policy);
	const char *bad = ir_open(block.data, block.len, &ir);

	CHECK(bad == NULL);
	snprintf(path, sizeof(path), "%s/%s", dir, variants);
	FILE *f = bad == NULL ? fopen(path, "r") : NULL;
	while (f != NULL && fgets(line, sizeof(line), f) != NULL) {
		char *name = strtok(line, "|"), *expected = strtok(NULL, "|");
		if (name[0] != '#' && expected != NULL)
			test_variant(dir, dumps, &ir, name, expected);
	}
	CHECK(f != NULL);
	if (cuts && bad == NULL)
		test_cuts(dir, &ir);
	if (f != NULL)
		fclose(f);
	buf_free(&block);
}

int main(int argc, char **argv)
{
	if (argc != 2)
		return 2;
	clock_set_zone("Asia/Tokyo");
	test_all(argv[1], "small.policy", "variants", "dumps", true);
	test_all(argv[1], "turned.policy", "turned-variants", "turned-dumps", false);
	return test_end();
}
