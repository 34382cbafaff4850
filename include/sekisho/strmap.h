/*
 * strmap.h: names to numbers. Open addressing with a keyed hash (SipHash-2-4 with a random key), so that a
 * hostile policy cannot make it slow. Keys are not copied: they live at least as long as the map.
 */
#ifndef SEKISHO_STRMAP_H
#define SEKISHO_STRMAP_H

#include <stddef.h>
#include <stdint.h>
#include <stdbool.h>

struct strmap;

struct strmap *strmap_new(void);
void strmap_free(struct strmap *m); /* NULL is allowed */
/* False when the name is there already (the map is unchanged). */
bool strmap_add(struct strmap *m, const char *key, uint32_t value);
bool strmap_get(const struct strmap *m, const char *key, uint32_t *ret);
/* The nearest known name within edit distance 2, or NULL: for "did you mean". */
const char *strmap_nearest(const struct strmap *m, const char *key);

/* SipHash-2-4 over n bytes. */
uint64_t siphash(const uint64_t key[2], const void *p, size_t n);
/* A key from the system's random source, the same for this process's life. */
const uint64_t *siphash_key(void);

#endif
