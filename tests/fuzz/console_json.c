/*
 * console_json.c (fuzz): the reader of the diagnostics that come from the compiler.
 */
#include <sekisho/arena.h>

#include "../../src/console/jsonread.h"

#include <stdlib.h>
#include <string.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

/* Every string is terminated, every list ends. */
static size_t walk(const struct json_value *v, unsigned depth)
{
	size_t n = v->kind == JSON_STRING ? strlen(v->text) : 0;

	if (depth > JSON_DEPTH_MAX)
		abort();
	for (const struct json_value *c = v->first; c != NULL; c = c->next)
		n += 1 + (c->key != NULL ? strlen(c->key) : 0) + walk(c, depth + 1);
	return n;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct arena *a = arena_new();
	const struct json_value *v = json_read(a, (const char *)data, size);

	if (v != NULL && walk(v, 0) > 2 * size + 1)
		abort();
	arena_free(a);
	return 0;
}
