/*
 * console_text.c (fuzz): whatever bytes come in, a terminal gets nothing that it would obey.
 */
#include <sekisho/buf.h>

#include "../../src/console/text.h"

#include <stdint.h>
#include <stdlib.h>
#include <string.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void check(const struct buf *b, int newline)
{
	for (size_t i = 0; i < b->len; i++) {
		const uint8_t *c = b->data + i;
		if ((c[0] < 0x20 && !(newline && c[0] == '\n')) || c[0] == 0x7f || (c[0] == 0xc2 && c[1] < 0xa0))
			abort();
	}
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct buf safe = {0}, fit = {0}, wrapped = {0};
	char *s = malloc(size + 1);

	if (s == NULL)
		return 0;
	memcpy(s, data, size);
	s[size] = '\0';
	text_safe(&safe, s);
	text_fit(&fit, s, 20);
	text_wrap(&wrapped, s, 3, 5);
	check(&safe, 0);
	check(&fit, 0);
	check(&wrapped, 1);
	if (text_width(buf_str(&safe)) != text_width(s) || text_width(buf_str(&fit)) != 20)
		abort();
	buf_free(&safe);
	buf_free(&fit);
	buf_free(&wrapped);
	free(s);
	return 0;
}
