/*
 * buf.h: a growing byte buffer for output.
 *
 * Growth never fails for callers up to BUF_MAX; beyond it, or without memory, the process ends.
 */
#ifndef SEKISHO_BUF_H
#define SEKISHO_BUF_H

#include <stddef.h>
#include <stdint.h>
#include <stdarg.h>

/* Nothing that we write is larger: 100 k rules make an IR of about 40 MB. */
#define BUF_MAX ((size_t)1 << 30)

struct buf {
	uint8_t *data;
	size_t len, cap;
};

void buf_free(struct buf *b);
void buf_clear(struct buf *b);
void buf_add(struct buf *b, const void *p, size_t n);
void buf_addc(struct buf *b, char c);
void buf_adds(struct buf *b, const char *s);
void buf_printf(struct buf *b, const char *fmt, ...) __attribute__((format(printf, 2, 3)));
void buf_vprintf(struct buf *b, const char *fmt, va_list ap) __attribute__((format(printf, 2, 0)));
/* n zeroed bytes at the end; the pointer is valid until the next call on this buffer. */
void *buf_reserve(struct buf *b, size_t n);
/* The content as a C string: a NUL is kept behind the last byte. */
const char *buf_str(struct buf *b);

#endif
