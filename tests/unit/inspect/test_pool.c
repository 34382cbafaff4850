/* test_pool.c: blocks of a fixed memory: none is given twice, all come back, an empty pool says so. */
#include <stdbool.h>
#include <stdint.h>

#include "pool.h"
#include "test.h"

#define MANY 4096

static void fill_and_empty(void)
{
	static void *block[MANY];
	static uint32_t size[MANY];
	struct pool *p = pool_new(1 << 20);
	size_t n = 0;

	while (n < MANY && (block[n] = pool_get(p, 200, &size[n])) != NULL) {
		memset(block[n], (int)n, size[n]);
		n++;
	}
	CHECK_INT(n, (1 << 20) / 256);
	CHECK_INT(pool_used(p), 1 << 20);
	bool whole = true;
	for (size_t i = 0; i < n; i++) {
		const uint8_t *b = block[i];
		whole = whole && b[0] == (uint8_t)i && b[255] == (uint8_t)i;
		pool_put(p, block[i], size[i]);
	}
	CHECK(whole);
	CHECK_INT(pool_used(p), 0);
	pool_free(p);
}

static void sizes_share_the_memory(void)
{
	struct pool *p = pool_new(65536);
	uint32_t small, large;
	void *a = pool_get(p, 65, &small);
	void *b = pool_get(p, 16384, &large);

	CHECK_INT(small, 256);
	CHECK_INT(large, 16384);
	CHECK(pool_get(p, 16385, &large) == NULL);
	pool_put(p, a, small);
	/* The slab of the small one is free again: four large ones fit beside each other. */
	void *c[3];
	for (int i = 0; i < 3; i++)
		CHECK((c[i] = pool_get(p, 16384, &large)) != NULL);
	CHECK(pool_get(p, 1, &small) == NULL);
	pool_put(p, b, 16384);
	for (int i = 0; i < 3; i++)
		pool_put(p, c[i], 16384);
	CHECK_INT(pool_used(p), 0);
	pool_free(p);
}

int main(void)
{
	fill_and_empty();
	sizes_share_the_memory();
	return test_end();
}
