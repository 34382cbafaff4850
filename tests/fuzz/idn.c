/* Domains with "xn--": whatever the bytes, what is shown is UTF-8 of the writings that may be, and is written one way alone. */
#include <sekisho/idn.h>

#include <stdlib.h>
#include <string.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	uint32_t points[IDN_LABEL_MAX];
	char out[IDN_SHOWN_MAX + 1];
	size_t n = idn_decode((const char *)data, size, points);

	for (size_t i = 0; i < n; i++)
		if (points[i] > 0x10ffff || (points[i] >= 0xd800 && points[i] <= 0xdfff))
			abort();
	memset(out, 'x', sizeof(out));
	size_t shown = idn_shown((const char *)data, size, out);
	if (shown > IDN_SHOWN_MAX || (shown > 0 && (out[shown] != '\0' || strlen(out) != shown)) || (shown == 0 && out[0] != 'x'))
		abort();
	return 0;
}
