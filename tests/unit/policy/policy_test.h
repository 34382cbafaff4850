/*
 * policy_test.h: a policy text compiled and opened at a fixed time, for the tests of this room.
 */
#ifndef POLICY_TEST_H
#define POLICY_TEST_H

#include <sekisho/arena.h>
#include <sekisho/buf.h>
#include <sekisho/clock.h>
#include <sekisho/diag.h>
#include <sekisho/ir.h>
#include <sekisho/match.h>
#include <sekisho/model.h>

#include <netinet/in.h>

#include "test.h"

struct compiled {
	struct arena *arena;
	struct diag_list diags;
	struct buf block;
	bool ok;
	struct ir ir;
};

static inline struct wall at(const char *text)
{
	struct wall w = {0};

	if (!clock_set_zone("Asia/Tokyo") || !clock_parse(text, &w))
		abort();
	return w;
}

/* The day on which the example town is looked at: a Friday. */
#define TODAY "2026-11-20T10:00"

static inline struct compiled compile_text(const char *text, size_t n, const char *when)
{
	struct compiled c = {.arena = arena_new()};
	struct model *m = NULL;

	diag_init(&c.diags, c.arena);
	if (!config_read(c.arena, text, n, &c.diags, &m))
		abort();
	c.ok = policy_compile(m, at(when), &c.diags, &c.block);
	const char *bad = c.ok ? ir_open(c.block.data, c.block.len, &c.ir) : NULL;
	if (bad != NULL) {
		printf("ir_open: %s\n", bad);
		test_failures++;
		c.ok = false;
	}
	return c;
}

static inline struct compiled compile_file(const char *dir, const char *name, const char *when)
{
	char path[4096];
	struct buf b = {0};
	char chunk[4096];
	size_t n;

	snprintf(path, sizeof(path), "%s/%s", dir, name);
	FILE *f = fopen(path, "r");
	if (f == NULL) {
		perror(path);
		exit(1);
	}
	while ((n = fread(chunk, 1, sizeof(chunk), f)) > 0)
		buf_add(&b, chunk, n);
	fclose(f);
	struct compiled c = compile_text(buf_str(&b), b.len, when);
	buf_free(&b);
	return c;
}

static inline void compiled_free(struct compiled *c)
{
	buf_free(&c->block);
	arena_free(c->arena);
}

/* How many findings with this code there are. */
static inline int count_code(const struct compiled *c, const char *code)
{
	int n = 0;

	for (size_t i = 0; i < c->diags.n; i++)
		n += strcmp(c->diags.items[i].code, code) == 0;
	return n;
}

static inline void print_diags(const struct compiled *c)
{
	diag_print(&c->diags, "policy", stdout);
}

static inline struct question ask(const char *src, const char *dst, uint8_t proto, uint16_t port)
{
	struct question q = {.proto = proto, .dport = port, .has_port = true};

	if (!addr_parse(src, &q.src) || !addr_parse(dst, &q.dst))
		abort();
	return q;
}

static inline const char *rule_name(const struct ir *ir, uint32_t rule)
{
	return rule == IR_NONE ? "" : ir_text(ir, ir->rules[rule].name);
}

#endif
