/*
 * golden_html.c: NAME.html -> NAME.txt: the text, and a last line with what the report counted.
 *
 * golden_html DIR            compares; each file is also pushed byte by byte and must give the same
 * golden_html --regenerate DIR
 * golden_html --show FILE [--english]   for people: prints the text of a file
 */
#include <sekisho/buf.h>
#include <sekisho/html.h>

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "golden.h"

#define TEXT_MAX (1024u * 1024u)

static struct html html;

static void take(void *arg, const char *utf8, size_t n)
{
	buf_add(arg, utf8, n);
}

static void convert(const struct buf *in, size_t step, bool english, struct buf *ret)
{
	const char *s = (const char *)in->data;
	char line[256];

	html_begin(&html, &(struct html_options){.text = take, .arg = ret, .english = english, .text_max = TEXT_MAX});
	for (size_t i = 0; i < in->len; i += step)
		html_push(&html, s + i, in->len - i < step ? in->len - i : step);
	html_end(&html);
	const struct html_report *r = &html.report;
	int n = snprintf(line, sizeof(line), "--\nhidden %llu in %u, links %u, deceptive %u, refused %u, images %u, forms %u%s%s\n",
		(unsigned long long)r->hidden, r->hidden_runs, r->links, r->deceptive, r->refused, r->images, r->forms,
		r->base ? ", base" : "", r->truncated ? ", truncated" : "");
	buf_add(ret, line, (size_t)n);
}

static int check(const char *dir, const char *name, bool regenerate)
{
	char path[4096];
	struct buf in = {0}, whole = {0}, bytes = {0};
	int failed = 0;

	snprintf(path, sizeof(path), "%s/%s", dir, name);
	golden_read(path, true, &in);
	bool english = strncmp(name, "english", 7) == 0;
	convert(&in, in.len + 1, english, &whole);
	convert(&in, 1, english, &bytes);
	if (!golden_same(&whole, &bytes)) {
		printf("%s: another text if it comes byte by byte\n", name);
		failed = 1;
	}
	failed |= golden_compare(dir, name, ".html", &whole, regenerate);
	buf_free(&in), buf_free(&whole), buf_free(&bytes);
	return failed;
}

static int show(const char *path, bool english)
{
	struct buf in = {0}, out = {0};

	golden_read(path, true, &in);
	convert(&in, in.len + 1, english, &out);
	fwrite(out.data, 1, out.len, stdout);
	buf_free(&in), buf_free(&out);
	return 0;
}

int main(int argc, char **argv)
{
	int n;

	if (argc >= 3 && strcmp(argv[1], "--show") == 0)
		return show(argv[2], argc > 3);
	int failed = golden_each(argc, argv, ".html", check, &n);
	printf("%d files, %d failed\n", n, failed);
	return failed != 0;
}
