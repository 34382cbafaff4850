/*
 * buf.c: growing output buffer. Ends the process at BUF_MAX or without memory (see buf.h).
 */
#include <sekisho/buf.h>

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static void grow(struct buf *b, size_t more)
{
	/* One byte beyond is kept for the NUL of buf_str(). */
	if (more > BUF_MAX - b->len - 1)
		abort();
	size_t need = b->len + more + 1;
	if (need <= b->cap)
		return;
	size_t cap = b->cap < 256 ? 256 : b->cap * 2;
	while (cap < need)
		cap *= 2;
	uint8_t *p = realloc(b->data, cap);
	if (p == NULL)
		abort();
	b->data = p;
	b->cap = cap;
}

void buf_free(struct buf *b)
{
	free(b->data);
	*b = (struct buf){0};
}

void buf_clear(struct buf *b)
{
	b->len = 0;
}

void buf_add(struct buf *b, const void *p, size_t n)
{
	if (n == 0)
		return;
	grow(b, n);
	memcpy(b->data + b->len, p, n);
	b->len += n;
}

void buf_addc(struct buf *b, char c)
{
	buf_add(b, &c, 1);
}

void buf_adds(struct buf *b, const char *s)
{
	buf_add(b, s, strlen(s));
}

void buf_vprintf(struct buf *b, const char *fmt, va_list ap)
{
	va_list again;

	/* Said outright: a sanitizer's own test for it makes gcc think that it could be. */
	if (fmt == NULL)
		abort();
	va_copy(again, ap);
	int n = vsnprintf(NULL, 0, fmt, ap);
	if (n < 0)
		abort();
	grow(b, (size_t)n);
	vsnprintf((char *)b->data + b->len, (size_t)n + 1, fmt, again);
	b->len += (size_t)n;
	va_end(again);
}

void buf_printf(struct buf *b, const char *fmt, ...)
{
	va_list ap;

	va_start(ap, fmt);
	buf_vprintf(b, fmt, ap);
	va_end(ap);
}

void *buf_reserve(struct buf *b, size_t n)
{
	grow(b, n);
	void *p = b->data + b->len;
	memset(p, 0, n);
	b->len += n;
	return p;
}

const char *buf_str(struct buf *b)
{
	grow(b, 0);
	b->data[b->len] = '\0';
	return (const char *)b->data;
}
