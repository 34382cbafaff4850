/*
 * mime.c (fuzz): whatever bytes come in, the events are in order, and the same however the mail is cut. The first byte says
 * whether it is a file or SMTP's, and what the handler wants.
 */
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "mime_trace.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct buf whole = {0};

	if (size == 0)
		return 0;
	unsigned how = data[0] % 8u | TRACE_SUMS;
	const size_t steps[] = {1, 2, 3, 7, size / 2 + 1, 4096};
	mime_trace(&whole, data + 1, size - 1, 0, size, how);
	for (size_t i = 0; i < sizeof(steps) / sizeof(steps[0]); i++) {
		struct buf pieces = {0};
		mime_trace(&pieces, data + 1, size - 1, i == 0 ? 0 : size % 61, steps[i], how);
		if (pieces.len != whole.len || memcmp(pieces.data, whole.data, whole.len) != 0)
			abort();
		buf_free(&pieces);
	}
	buf_free(&whole);
	return 0;
}
