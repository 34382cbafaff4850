/* mime_trace.h: the events of a mail as text, for tests. */
#ifndef MIME_TRACE_H
#define MIME_TRACE_H

#include <sekisho/buf.h>
#include <sekisho/mime.h>

enum {
	TRACE_TOLERANT = 1,
	TRACE_SKIP = 2,	  /* wants no bytes */
	TRACE_OPAQUE = 4, /* descends nowhere */
	TRACE_SUMS = 8,	  /* a checksum for bytes */
};

/* Pushes `step` bytes at a time (the first time `first` bytes, if not 0). The events are checked for their order: exits when it
 * is wrong. */
void mime_trace(struct buf *ret, const void *mail, size_t n, size_t first, size_t step, unsigned how);
/* "word,word", "-" when there are none. */
void mime_trace_flags(struct buf *ret, mime_flags flags);

#endif
