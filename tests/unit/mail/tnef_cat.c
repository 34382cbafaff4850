/*
 * tnef_cat.c: what tnef.c says of a winmail.dat (file), as lines, for test_tnef.py. Whole, byte by byte and cut at
 * many places: all must say the same.
 */
#include <sekisho/tnef.h>

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static char text[1 << 16];
static size_t ntext;
static struct tnef tnef;

static void item(void *arg, const struct tnef_item *i)
{
	(void)arg;
	ntext += (size_t)snprintf(text + ntext, sizeof(text) - ntext, "item\t%s\t%" PRIu64 "\t%s\t%s\n", i->name, i->size,
		sniff_type(i->kind)->word, i->embedded ? "embedded" : "file");
	if (ntext >= sizeof(text))
		exit(3);
}

static void run(const uint8_t *p, size_t n, size_t step)
{
	ntext = 0;
	tnef_begin(&tnef, &(struct tnef_handler){.item = item});
	for (size_t i = 0; i < n; i += step)
		tnef_push(&tnef, p + i, n - i < step ? n - i : step);
	tnef_end(&tnef);
	ntext += (size_t)snprintf(text + ntext, sizeof(text) - ntext, "file\t%u\t%02x\t%u\t%s\n", tnef.report.items,
		tnef.report.flags,
		tnef.report.codepage, charset_name(tnef.report.charset));
}

int main(int argc, char **argv)
{
	static const size_t steps[] = {1, 2, 3, 5, 7, 16, 61, 256, 1021, 4096};
	static uint8_t bytes[16 << 20];
	FILE *f = argc > 1 ? fopen(argv[1], "rb") : NULL;

	if (f == NULL)
		return 2;
	size_t n = fread(bytes, 1, sizeof(bytes), f);
	fclose(f);
	run(bytes, n, n + 1);
	char *first = strdup(text);
	fputs(first, stdout);
	for (size_t i = 0; i < sizeof(steps) / sizeof(steps[0]); i++) {
		run(bytes, n, steps[i]);
		if (strcmp(text, first) != 0) {
			fprintf(stderr, "in pieces of %zu: %s", steps[i], text);
			return 1;
		}
	}
	free(first);
	return 0;
}
