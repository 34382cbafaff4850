/*
 * attachment_cat.c: the report of an attachment (file), as lines, and its text, for test_attachment.py.
 *
 * usage: attachment_cat [-n NAME] [-c CHARSET] [-m TEXT_MAX] [-a] [-t] FILE
 *   -a: text of any file that is text; -t: only once, with the seconds it took
 * The file is pushed whole, byte by byte, and, when it is small, cut at every place: all must say the same.
 */
#include <sekisho/attachment.h>

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#define OUT_MAX (4u << 20)

static char *out;
static size_t nout;
static const char *name;
static enum charset charset = CHARSET_UNKNOWN;
static size_t text_max = 1 << 20;
static bool any;
static struct attachment *attachment;

static void put(const char *s, size_t n)
{
	if (n > OUT_MAX - 1 - nout)
		exit(3);
	memcpy(out + nout, s, n);
	nout += n;
	out[nout] = '\0';
}

static void item(void *arg, const struct attachment_item *i)
{
	char line[1024];

	(void)arg;
	int n = snprintf(line, sizeof(line), "item\t%s\t%" PRIu64 "\t%04x\t%s\n", i->name, i->size, i->flags,
		sniff_type(i->kind)->word);
	put(line, (size_t)n);
}

static void text(void *arg, const char *utf8, size_t n)
{
	(void)arg;
	put(utf8, n);
}

static void put_flags(uint32_t flags)
{
	put("flags", 5);
	for (unsigned bit = 0; attachment_flag_word(bit) != NULL; bit++) {
		if ((flags & 1u << bit) == 0)
			continue;
		put("\t", 1);
		put(attachment_flag_word(bit), strlen(attachment_flag_word(bit)));
	}
	put("\n", 1);
}

static void run(const uint8_t *p, size_t n, size_t cut, size_t step)
{
	const struct attachment_options options = {.name = name, .nname = name != NULL ? strlen(name) : 0,
		.declared = charset,
		.text_of = any ? 0x7f : 0x5f, .text_max = text_max, .item = item, .text = text};
	struct attachment_report r;
	char line[256];

	nout = 0;
	attachment_begin(attachment, &options);
	for (size_t i = 0; i < n;) {
		size_t take = i < cut && cut - i < step ? cut - i : step;
		take = take < n - i ? take : n - i;
		attachment_push(attachment, p + i, take);
		i += take;
	}
	attachment_end(attachment, &r);
	put("\n", 1);
	put_flags(r.flags);
	int k = snprintf(line, sizeof(line), "attachment\t%s\t%" PRIu64 "\t%u\t%zu\t%s\t%s\t", sniff_type(r.kind)->word,
		r.size, r.items,
		r.text, r.zip ? zip_broken_word(r.archive.broken) : "-", charset_name(r.charset));
	put(line, (size_t)k);
	for (size_t i = 0; i < 32; i++)
		put(line, (size_t)snprintf(line, sizeof(line), "%02x", r.sha256[i]));
	put("\n", 1);
}

static void check(const char *first, const char *how, size_t at)
{
	if (strcmp(first, out) == 0)
		return;
	fprintf(stderr, "%s %zu: says\n%s\ninstead of\n%s\n", how, at, out, first);
	exit(1);
}

int main(int argc, char **argv)
{
	static uint8_t bytes[64 << 20];
	bool timed = false;
	int i = 1;

	for (; i < argc && argv[i][0] == '-'; i++) {
		if (argv[i][1] == 'n')
			name = argv[++i];
		else if (argv[i][1] == 'c')
			charset = charset_find(argv[i + 1], strlen(argv[i + 1])), i++;
		else if (argv[i][1] == 'm')
			text_max = strtoul(argv[++i], NULL, 10);
		else if (argv[i][1] == 'a')
			any = true;
		else
			timed = true;
	}
	FILE *f = i < argc ? fopen(argv[i], "rb") : NULL;
	out = malloc(OUT_MAX);
	attachment = malloc(attachment_size());
	if (f == NULL || out == NULL || attachment == NULL)
		return 2;
	size_t n = fread(bytes, 1, sizeof(bytes), f);
	fclose(f);
	clock_t start = clock();
	run(bytes, n, 0, 4096);
	if (timed)
		printf("time\t%.4f\t%zu\n", (double)(clock() - start) / CLOCKS_PER_SEC, n);
	fwrite(out, 1, nout, stdout);
	char *first = strdup(out);
	if (!timed && n < 1 << 20) {
		run(bytes, n, 0, 1);
		check(first, "byte by byte", 0);
	}
	for (size_t cut = 0; !timed && n < 4096 && cut <= n; cut++) {
		run(bytes, n, cut, n);
		check(first, "cut at", cut);
	}
	free(first);
	free(attachment);
	free(out);
	return 0;
}
