/*
 * arena.h: a region of memory with one owner and one end.
 *
 * What one policy, one query or one mail needs is allocated from its arena and freed with it, at once.
 * Memory is zeroed. Allocation never fails for callers: without memory the process ends (its supervisor
 * restarts it; the gate closes by itself), except in arena_new(), which may return NULL.
 */
#ifndef SEKISHO_ARENA_H
#define SEKISHO_ARENA_H

#include <stdarg.h>
#include <stddef.h>

struct arena;

struct arena *arena_new(void);
/* Frees everything that came from it. NULL is allowed. */
void arena_free(struct arena *a);
/* `size` zeroed bytes, aligned for any type; never NULL. */
void *arena_alloc(struct arena *a, size_t size);
/* `n` elements of `size`; ends the process when n * size overflows. */
void *arena_array(struct arena *a, size_t n, size_t size);
/* A copy of n bytes with a NUL behind. */
char *arena_strndup(struct arena *a, const char *s, size_t n);
char *arena_strdup(struct arena *a, const char *s);
char *arena_printf(struct arena *a, const char *fmt, ...) __attribute__((format(printf, 2, 3)));
char *arena_vprintf(struct arena *a, const char *fmt, va_list ap) __attribute__((format(printf, 2, 0)));
/* Bytes handed out so far. */
size_t arena_used(const struct arena *a);

#define ARENA_NEW(a, type) ((type *)arena_alloc((a), sizeof(type)))
#define ARENA_ARRAY(a, n, type) ((type *)arena_array((a), (n), sizeof(type)))

/*
 * Grows an arena array by doubling: returns a pointer to a zeroed new element at *items[*n] and counts it.
 * *cap is the array's capacity. The old storage stays in the arena until its end.
 */
void *arena_push(struct arena *a, void **items, size_t *n, size_t *cap, size_t size);

#endif
