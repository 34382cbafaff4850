/*
 * arena.c: region allocator: blocks in a list, bump pointer inside, one free at the end.
 */
#include <sekisho/arena.h>

#include <stdalign.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define BLOCK_MIN ((size_t)64 << 10)
#define BLOCK_GROW_MAX ((size_t)8 << 20)

struct block {
	struct block *next;
	size_t size, used;
	alignas(max_align_t) unsigned char data[];
};

struct arena {
	struct block *head;
	size_t used, next_size;
};

static _Noreturn void out_of_memory(void)
{
	static const char msg[] = "out of memory\n";
	fputs(msg, stderr);
	abort();
}

static void add_block(struct arena *a, size_t need)
{
	size_t size = a->next_size > need ? a->next_size : need;
	if (size > SIZE_MAX - sizeof(struct block))
		out_of_memory();
	struct block *b = calloc(1, sizeof(*b) + size);

	if (b == NULL)
		out_of_memory();
	b->size = size;
	b->next = a->head;
	a->head = b;
	if (a->next_size < BLOCK_GROW_MAX)
		a->next_size *= 2;
}

struct arena *arena_new(void)
{
	struct arena *a = calloc(1, sizeof(*a));

	if (a != NULL)
		a->next_size = BLOCK_MIN;
	return a;
}

void arena_free(struct arena *a)
{
	if (a == NULL)
		return;
	for (struct block *b = a->head, *next; b != NULL; b = next) {
		next = b->next;
		free(b);
	}
	free(a);
}

void *arena_alloc(struct arena *a, size_t size)
{
	size_t need = (size + alignof(max_align_t) - 1) & ~(alignof(max_align_t) - 1);

	if (need < size)
		out_of_memory();
	if (a->head == NULL || a->head->size - a->head->used < need)
		add_block(a, need);
	void *p = a->head->data + a->head->used;
	a->head->used += need;
	a->used += need;
	return p;
}

void *arena_array(struct arena *a, size_t n, size_t size)
{
	size_t total;

	if (__builtin_mul_overflow(n, size, &total))
		out_of_memory();
	return arena_alloc(a, total);
}

char *arena_strndup(struct arena *a, const char *s, size_t n)
{
	char *p = arena_alloc(a, n + 1);

	memcpy(p, s, n);
	return p;
}

char *arena_strdup(struct arena *a, const char *s)
{
	return arena_strndup(a, s, strlen(s));
}

char *arena_vprintf(struct arena *a, const char *fmt, va_list ap)
{
	va_list again;

	/* Said outright: a sanitizer's own test for it makes gcc think that it could be. */
	if (fmt == NULL)
		abort();
	va_copy(again, ap);
	int n = vsnprintf(NULL, 0, fmt, ap);
	if (n < 0)
		abort();
	char *p = arena_alloc(a, (size_t)n + 1);
	vsnprintf(p, (size_t)n + 1, fmt, again);
	va_end(again);
	return p;
}

char *arena_printf(struct arena *a, const char *fmt, ...)
{
	va_list ap;

	va_start(ap, fmt);
	char *p = arena_vprintf(a, fmt, ap);
	va_end(ap);
	return p;
}

size_t arena_used(const struct arena *a)
{
	return a->used;
}

void *arena_push(struct arena *a, void **items, size_t *n, size_t *cap, size_t size)
{
	if (*n == *cap) {
		size_t more = *cap == 0 ? 8 : *cap * 2;
		void *grown = arena_array(a, more, size);
		if (*n > 0)
			memcpy(grown, *items, *n * size);
		*items = grown;
		*cap = more;
	}
	return (unsigned char *)*items + (*n)++ * size;
}
