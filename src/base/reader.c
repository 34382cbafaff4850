/*
 * reader.c: bounded forward reader with a sticky error.
 *
 * Invariant: p <= end, always; once `bad`, nothing is read any more.
 */
#include <sekisho/reader.h>

struct reader reader_sub(struct reader *r, size_t n)
{
	const uint8_t *p = reader_bytes(r, n);

	if (p == NULL)
		return (struct reader){.p = r->end, .end = r->end, .bad = true};
	return reader_init(p, n);
}
