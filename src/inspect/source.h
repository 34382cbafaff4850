/*
 * source.h: the bytes of a file, plain or gzip, in order and bounded: what a capture is read from.
 */
#ifndef SEKISHO_INSPECT_SOURCE_H
#define SEKISHO_INSPECT_SOURCE_H

#include <stddef.h>
#include <stdint.h>

struct source;

/* Takes the descriptor (also on failure). NULL without memory. */
struct source *source_new(int fd);
void source_free(struct source *s); /* NULL is allowed */

/*
 * A view of at least n bytes (n <= SOURCE_VIEW) that stay until the next call; *ret_n: how many there are, fewer than n
 * only at the end of the file or after an error.
 */
const uint8_t *source_view(struct source *s, size_t n, size_t *ret_n);
/* So many bytes of the view are done with. */
void source_skip(struct source *s, size_t n);
#define SOURCE_VIEW (512u << 10)

/* NULL, or what is wrong with the file: static text. */
const char *source_error(const struct source *s);

/* Position in the file and its size, both in bytes of the file itself; size 0 = not known (a pipe). */
uint64_t source_position(const struct source *s);
uint64_t source_size(const struct source *s);

#endif
