/*
 * mynumber.c (fuzz): whatever text, the report is the same however it is cut, adds up, and nothing is left behind.
 */
#include <sekisho/mynumber.h>

#include <stdint.h>
#include <stdlib.h>
#include <string.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void scan(struct mynumber_report *r, const uint8_t *data, size_t size, size_t step)
{
	static struct mynumber m;
	static const struct mynumber zero;

	mynumber_begin(&m, &(struct mynumber_options){.kanji = size & 1});
	for (size_t i = 0; i < size; i += step)
		mynumber_push(&m, (const char *)data + i, size - i < step ? size - i : step);
	mynumber_end(&m, r);
	if (memcmp(&m, &zero, sizeof(m)) != 0)
		abort();
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct mynumber_report whole, bytes;

	scan(&whole, data, size, size + 1);
	scan(&bytes, data, size, 1);
	if (memcmp(&whole, &bytes, sizeof(whole)) != 0)
		abort();
	if (whole.hits > MYNUMBER_HITS || whole.named > whole.hits || whole.nshown > whole.hits ||
		(whole.hits == 0) != (whole.score == 0) ||
		whole.score > whole.named * 100 + (whole.hits - whole.named) * 30)
		abort();
	for (uint32_t i = 0; i < whole.nshown; i++)
		if (strncmp(whole.shown[i], "****-****-", 10) != 0 || strlen(whole.shown[i]) != 14)
			abort();
	return 0;
}
