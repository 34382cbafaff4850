/*
 * pool.c: a fixed piece of memory cut into slabs of 16 KiB; a slab serves one size of block, until all its blocks are back.
 *
 * Free blocks of a size are a list through the blocks themselves. A slab whose blocks are all free goes back to the slabs
 * when no other slab is left, so that a flood of small beginnings does not keep the large ones out for ever.
 */
#include "pool.h"

#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>

#define SLAB 16384u
#define SIZES 6
#define LARGE (16u << 20)

static const uint32_t size_of[SIZES] = {64, 256, 512, 1024, 4096, SLAB};

struct block {
	struct block *next, *prev;
};

struct slab {
	uint32_t size; /* of its blocks; 0 = free slab */
	uint32_t out;  /* blocks in use */
	uint32_t next; /* free slab behind this one */
};

#define NO_SLAB UINT32_MAX

struct pool {
	uint8_t *memory;
	struct slab *slab;
	uint32_t nslabs, free_slab;
	uint32_t idle; /* slabs that serve a size but have no block out */
	uint32_t hand; /* where the search for one goes on */
	struct block *free[SIZES];
	size_t used;
};

struct pool *pool_new(size_t bytes)
{
	struct pool *p = calloc(1, sizeof(*p));

	if (p == NULL)
		return NULL;
	p->nslabs = (uint32_t)((bytes + SLAB - 1) / SLAB);
	p->memory = aligned_alloc(SLAB, (size_t)p->nslabs * SLAB);
	p->slab = calloc(p->nslabs, sizeof(*p->slab));
	/* Slabs are taken in their order: large pages cost no more memory, and spare the processor its way to a page. */
	if (p->memory != NULL && bytes >= LARGE)
		(void)madvise(p->memory, (size_t)p->nslabs * SLAB, MADV_HUGEPAGE);
	if (p->memory == NULL || p->slab == NULL) {
		pool_free(p);
		return NULL;
	}
	for (uint32_t i = 0; i < p->nslabs; i++)
		p->slab[i].next = i + 1 < p->nslabs ? i + 1 : NO_SLAB;
	p->free_slab = p->nslabs > 0 ? 0 : NO_SLAB;
	return p;
}

void pool_free(struct pool *p)
{
	if (p == NULL)
		return;
	free(p->memory);
	free(p->slab);
	free(p);
}

static unsigned size_class(uint32_t size)
{
	unsigned k = 0;

	while (size_of[k] != size)
		k++;
	return k;
}

static void push(struct pool *p, unsigned k, struct block *b)
{
	b->prev = NULL;
	b->next = p->free[k];
	if (b->next != NULL)
		b->next->prev = b;
	p->free[k] = b;
}

static void unlink_block(struct pool *p, unsigned k, struct block *b)
{
	if (b->prev != NULL)
		b->prev->next = b->next;
	else
		p->free[k] = b->next;
	if (b->next != NULL)
		b->next->prev = b->prev;
}

static void give_slab(struct pool *p, uint32_t i)
{
	unsigned k = size_class(p->slab[i].size);

	for (uint32_t at = 0; at < SLAB; at += size_of[k])
		unlink_block(p, k, (void *)(p->memory + (size_t)i * SLAB + at));
	p->slab[i] = (struct slab){.next = p->free_slab};
	p->free_slab = i;
	p->idle--;
}

/* A slab that serves a size without need is only then looked for when it is wanted: taking it apart costs. */
static void find_idle(struct pool *p)
{
	while (p->slab[p->hand].size == 0 || p->slab[p->hand].out > 0)
		p->hand = (p->hand + 1) % p->nslabs;
	give_slab(p, p->hand);
}

static bool take_slab(struct pool *p, unsigned k)
{
	if (p->free_slab == NO_SLAB && p->idle > 0)
		find_idle(p);
	uint32_t i = p->free_slab;
	if (i == NO_SLAB)
		return false;
	p->free_slab = p->slab[i].next;
	p->slab[i] = (struct slab){.size = size_of[k], .next = NO_SLAB};
	p->idle++;
	for (uint32_t at = 0; at < SLAB; at += size_of[k])
		push(p, k, (void *)(p->memory + (size_t)i * SLAB + at));
	return true;
}

void *pool_get(struct pool *p, size_t want, uint32_t *ret_size)
{
	unsigned k = 0;

	while (k < SIZES && size_of[k] < want)
		k++;
	if (k == SIZES || (p->free[k] == NULL && !take_slab(p, k)))
		return NULL;
	struct block *b = p->free[k];
	unlink_block(p, k, b);
	if (p->slab[((uint8_t *)b - p->memory) / SLAB].out++ == 0)
		p->idle--;
	p->used += size_of[k];
	*ret_size = size_of[k];
	return b;
}

void pool_put(struct pool *p, void *block, uint32_t size)
{
	if (block == NULL)
		return;
	uint32_t i = (uint32_t)((size_t)((uint8_t *)block - p->memory) / SLAB);
	push(p, size_class(size), block);
	p->used -= size;
	if (--p->slab[i].out == 0)
		p->idle++;
}

size_t pool_used(const struct pool *p)
{
	return p->used;
}

bool pool_scarce(const struct pool *p)
{
	return p->used / SLAB >= p->nslabs / 2;
}
