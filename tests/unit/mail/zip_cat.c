/*
 * zip_cat.c: what zip.c says of an archive (file), as lines, for test_zip.py to compare with other programs.
 *
 * usage: zip_cat [-w] [-t] FILE    -w: content is wanted, its CRC-32 is printed too; -t: only once, time it
 * The archive is pushed whole, byte by byte, and, when it is small, cut at every place: all must say the same.
 */
#include <sekisho/zip.h>

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include <zlib.h>

/* A sanitizer makes everything some times slower: the time that is printed is what it would be without. */
#if defined(__SANITIZE_ADDRESS__) || defined(__SANITIZE_THREAD__)
#define SLOWER 8.0
#else
#define SLOWER 1.0
#endif

static char text[1 << 20];
static size_t ntext;
static bool wanted;
static uLong crc;
static struct zip zip;

static bool begin(void *arg, const struct zip_entry *e)
{
	(void)arg;
	(void)e;
	crc = crc32(0, NULL, 0);
	return wanted;
}

static bool data(void *arg, const uint8_t *bytes, size_t n)
{
	(void)arg;
	crc = crc32(crc, bytes, (uInt)n);
	return true;
}

static void end(void *arg, const struct zip_entry *e, bool whole)
{
	int n = snprintf(text + ntext, sizeof(text) - ntext,
		"entry\t%s\t%" PRIu64 "\t%" PRIu64 "\t%08x\t%u\t%04x\t%s\t%s\t%08lx\n", e->name,
		e->size, e->packed, e->crc, e->method, e->flags, sniff_type(e->kind)->word, whole ? "whole" : "part",
		wanted ? crc : 0);

	(void)arg;
	if (n > 0 && (size_t)n < sizeof(text) - ntext)
		ntext += (size_t)n;
}

static void run(const uint8_t *p, size_t n, size_t cut, size_t step)
{
	const struct zip_report *r = &zip.report;

	ntext = 0;
	zip_begin(&zip, &(struct zip_handler){.begin = begin, .data = data, .end = end});
	for (size_t i = 0; i < n;) {
		size_t take = i < cut && cut - i < step ? cut - i : step;
		take = take < n - i ? take : n - i;
		zip_push(&zip, p + i, take);
		i += take;
	}
	zip_end(&zip);
	ntext += (size_t)snprintf(text + ntext, sizeof(text) - ntext,
		"archive\t%s\t%s\t%u\t%u\t%" PRIu64 "\t%" PRIu64 "\t%04x\t%s\n", sniff_type(r->kind)->word,
		zip_broken_word(r->broken),
		r->entries, r->files, r->size, r->packed, r->flags, r->spent ? "spent" : "-");
}

static void check(const char *first, const char *how, size_t at)
{
	if (strcmp(first, text) != 0) {
		fprintf(stderr, "%s %zu: says\n%s\ninstead of\n%s\n", how, at, text, first);
		exit(1);
	}
}

int main(int argc, char **argv)
{
	bool timed = false;
	int i = 1;

	for (; i < argc && argv[i][0] == '-'; i++) {
		wanted = wanted || argv[i][1] == 'w';
		timed = timed || argv[i][1] == 't';
	}
	FILE *f = i < argc ? fopen(argv[i], "rb") : NULL;
	static uint8_t bytes[64 << 20];
	if (f == NULL)
		return 2;
	size_t n = fread(bytes, 1, sizeof(bytes), f);
	fclose(f);
	clock_t start = clock();
	run(bytes, n, 0, 4096);
	double spent = (double)(clock() - start) / CLOCKS_PER_SEC / SLOWER;
	fputs(text, stdout);
	if (timed) {
		printf("time\t%.4f\t%zu\n", spent, n);
		return 0;
	}
	char *first = strdup(text);
	/* Pieces differ in how much of an allowance is there when; only a small archive is far from its end. */
	if (n < 1 << 20) {
		run(bytes, n, 0, 1);
		check(first, "byte by byte", 0);
	}
	for (size_t cut = 0; n < 4096 && cut <= n; cut++) {
		run(bytes, n, cut, n);
		check(first, "cut at", cut);
	}
	free(first);
	return 0;
}
