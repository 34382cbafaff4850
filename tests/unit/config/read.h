/*
 * read.h: a policy written in a test, read; and what was said of it.
 */
#ifndef TEST_CONFIG_READ_H
#define TEST_CONFIG_READ_H

#include <sekisho/arena.h>
#include <sekisho/diag.h>
#include <sekisho/model.h>

#include <stdbool.h>
#include <stdlib.h>
#include <string.h>

struct reading {
	struct arena *arena;
	struct diag_list diags;
	struct model *model;
};

static inline struct reading read_bytes(const char *text, size_t n)
{
	struct reading r = {.arena = arena_new()};

	diag_init(&r.diags, r.arena);
	if (r.arena == NULL || !config_read(r.arena, text, n, &r.diags, &r.model))
		abort();
	return r;
}

static inline struct reading read_text(const char *text)
{
	return read_bytes(text, strlen(text));
}

/* Is there a finding with this code on this line? */
static inline bool said(const struct reading *r, unsigned line, const char *code)
{
	for (size_t i = 0; i < r->diags.n; i++)
		if (r->diags.items[i].line == line && strcmp(r->diags.items[i].code, code) == 0)
			return true;
	return false;
}

static inline void read_end(struct reading *r)
{
	arena_free(r->arena);
}

#endif
