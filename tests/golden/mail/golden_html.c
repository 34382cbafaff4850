/*
 * golden_html.c: NAME.html -> NAME.txt: the text, and a last line with what the report counted.
 *
 * golden_html DIR            compares; each file is also pushed byte by byte and must give the same
 * golden_html --regenerate DIR
 * golden_html --show FILE [--english]   for people: prints the text of a file
 */
#include <sekisho/buf.h>
#include <sekisho/html.h>

#include <dirent.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define TEXT_MAX (1024u * 1024u)

static struct html html;

static void take(void *arg, const char *utf8, size_t n)
{
	buf_add(arg, utf8, n);
}

static void read_all(const char *path, struct buf *ret)
{
	FILE *f = fopen(path, "rb");
	char chunk[4096];
	size_t n;

	if (f == NULL) {
		perror(path);
		exit(2);
	}
	while ((n = fread(chunk, 1, sizeof(chunk), f)) > 0)
		buf_add(ret, chunk, n);
	fclose(f);
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
	char in_path[4096], out_path[4096];
	struct buf in = {0}, whole = {0}, bytes = {0}, want = {0};
	size_t stem = strlen(name) - strlen(".html");
	int failed = 0;

	snprintf(in_path, sizeof(in_path), "%s/%s", dir, name);
	snprintf(out_path, sizeof(out_path), "%s/%.*s.txt", dir, (int)stem, name);
	read_all(in_path, &in);
	bool english = strncmp(name, "english", 7) == 0;
	convert(&in, in.len + 1, english, &whole);
	convert(&in, 1, english, &bytes);
	if (whole.len != bytes.len || memcmp(whole.data, bytes.data, whole.len) != 0) {
		printf("%s: another text if it comes byte by byte\n", name);
		failed = 1;
	}
	if (regenerate) {
		FILE *f = fopen(out_path, "wb");
		if (f == NULL || fwrite(whole.data, 1, whole.len, f) != whole.len || fclose(f) != 0)
			exit(2);
	} else {
		read_all(out_path, &want);
		if (whole.len != want.len || memcmp(whole.data, want.data, want.len) != 0) {
			printf("%s: got\n%.*s\n", name, (int)whole.len, (const char *)whole.data);
			failed = 1;
		}
	}
	buf_free(&in), buf_free(&whole), buf_free(&bytes), buf_free(&want);
	return failed;
}

static int is_html(const struct dirent *d)
{
	size_t n = strlen(d->d_name);
	return n > 5 && strcmp(d->d_name + n - 5, ".html") == 0;
}

static int show(const char *path, bool english)
{
	struct buf in = {0}, out = {0};

	read_all(path, &in);
	convert(&in, in.len + 1, english, &out);
	fwrite(out.data, 1, out.len, stdout);
	buf_free(&in), buf_free(&out);
	return 0;
}

int main(int argc, char **argv)
{
	struct dirent **list;
	int failed = 0;

	if (argc >= 3 && strcmp(argv[1], "--show") == 0)
		return show(argv[2], argc > 3);
	bool regenerate = argc == 3 && strcmp(argv[1], "--regenerate") == 0;
	int n = argc > 1 ? scandir(argv[argc - 1], &list, is_html, alphasort) : -1;
	if (n < 1) {
		fprintf(stderr, "golden_html: no .html there\n");
		return 2;
	}
	for (int i = 0; i < n; i++) {
		failed += check(argv[argc - 1], list[i]->d_name, regenerate);
		free(list[i]);
	}
	free(list);
	printf("%d files, %d failed\n", n, failed);
	return failed != 0;
}
