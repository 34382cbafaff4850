/*
 * catalogue.c (fuzz): looking up in a damaged message catalogue.
 */
#include <sekisho/i18n.h>

#include <stdint.h>
#include <string.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	static const char *const ids[] = {"", "a", "error", "warning", "zzz"};
	volatile size_t n = 0;

	for (size_t i = 0; i < sizeof(ids) / sizeof(ids[0]); i++) {
		const char *s = i18n_lookup(data, size, ids[i]);
		n += s == NULL ? 0 : strlen(s);
	}
	return 0;
}
