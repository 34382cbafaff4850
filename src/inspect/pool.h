/*
 * pool.h: memory for the beginnings of undecided flows, fixed when it is made: blocks of 64 bytes to 16 KiB.
 *
 * Nothing is allocated later. A pool that is empty says so, and the flow that asked is refused.
 */
#ifndef SEKISHO_INSPECT_POOL_H
#define SEKISHO_INSPECT_POOL_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct pool;

struct pool *pool_new(size_t bytes); /* NULL without memory */
void pool_free(struct pool *p);	     /* NULL is allowed */

/* A block of at least `want` bytes (16 KiB at most); *ret_size is its real size. NULL when there is none. */
void *pool_get(struct pool *p, size_t want, uint32_t *ret_size);
/* Gives a block back; size as it was told. NULL is allowed. */
void pool_put(struct pool *p, void *block, uint32_t size);

size_t pool_used(const struct pool *p); /* bytes in blocks that are out */
bool pool_scarce(const struct pool *p); /* more than half of all is out */

#endif
