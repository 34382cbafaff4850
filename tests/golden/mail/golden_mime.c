/*
 * golden_mime.c: NAME.eml -> NAME.txt: the events of a mail. The mails are attacks and accidents, each named for what it tries.
 *
 * golden_mime DIR              compares; each mail is also pushed byte by byte, and in two pieces cut at every byte, and must
 *                              give the same; every flag of mime_flag.h must occur
 * golden_mime --regenerate DIR
 * golden_mime --show FILE [--tolerant]   for people: prints the events of a mail
 * golden_mime --walk DIR       every file below it, as a file and as SMTP carries it, cut in several ways: the events are in
 *                              order, and the same; 77 when there is no such directory
 *
 * Names that begin with "file-" are read as files, the others as SMTP carries them.
 */
#include <sekisho/buf.h>

#include <dirent.h>
#include <ftw.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "mime_trace.h"

#define EVERY_CUT 3000u /* longer mails are cut at some places only */

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

static bool same(const struct buf *a, const struct buf *b)
{
	return a->len == b->len && memcmp(a->data, b->data, a->len) == 0;
}

/* The same in pieces. */
static int cuts(const char *name, const struct buf *in, const struct buf *whole, unsigned how)
{
	size_t by = in->len > EVERY_CUT ? in->len / 97 : 1;

	for (size_t cut = 0; cut < in->len; cut += by) {
		struct buf out = {0};
		mime_trace(&out, in->data, in->len, cut, cut == 0 ? 1 : in->len, how);
		bool equal = same(&out, whole);
		buf_free(&out);
		if (!equal) {
			printf("%s: other events when cut at %zu\n", name, cut);
			return 1;
		}
	}
	return 0;
}

static int check(const char *dir, const char *name, bool regenerate, struct buf *all)
{
	char in_path[4096], out_path[4096];
	struct buf in = {0}, whole = {0}, want = {0};
	size_t stem = strlen(name) - strlen(".eml");
	unsigned how = strncmp(name, "file-", 5) == 0 ? TRACE_TOLERANT : 0;

	snprintf(in_path, sizeof(in_path), "%s/%s", dir, name);
	snprintf(out_path, sizeof(out_path), "%s/%.*s.txt", dir, (int)stem, name);
	read_all(in_path, &in);
	mime_trace(&whole, in.data, in.len, 0, in.len + 1, how);
	int failed = cuts(name, &in, &whole, how);
	if (regenerate) {
		FILE *f = fopen(out_path, "wb");
		if (f == NULL || fwrite(whole.data, 1, whole.len, f) != whole.len || fclose(f) != 0)
			exit(2);
	} else {
		read_all(out_path, &want);
		if (!same(&whole, &want)) {
			printf("%s: got\n%.*s\n", name, (int)whole.len, (const char *)whole.data);
			failed = 1;
		}
	}
	buf_add(all, whole.data, whole.len);
	buf_free(&in), buf_free(&whole), buf_free(&want);
	return failed;
}

static bool occurs(const struct buf *all, const char *word)
{
	const char *p = (const char *)all->data, *end = p + all->len;
	size_t n = strlen(word);

	while ((p = memmem(p, (size_t)(end - p), word, n)) != NULL) {
		if ((p[-1] == ' ' || p[-1] == ',') && (p[n] == ',' || p[n] == '\n' || p[n] == ' '))
			return true;
		p += n;
	}
	return false;
}

/* Limits that a mail of a golden test would be too long for: test_mime.c has those. */
static bool elsewhere(unsigned flag)
{
	return flag >= MIME_BIT_DEPTH && flag <= MIME_BIT_ADDRESSES;
}

static int is_eml(const struct dirent *d)
{
	size_t n = strlen(d->d_name);
	return n > 4 && strcmp(d->d_name + n - 4, ".eml") == 0;
}

static int show(const char *path, bool tolerant)
{
	struct buf in = {0}, out = {0};

	read_all(path, &in);
	mime_trace(&out, in.data, in.len, 0, in.len + 1, tolerant ? TRACE_TOLERANT : 0);
	fwrite(out.data, 1, out.len, stdout);
	buf_free(&in), buf_free(&out);
	return 0;
}

/* -- Other people's mails ------------------------------------------------------------------------------------------ */

static int walked, walk_failed;

/* As SMTP would carry it. */
static void crlf(const struct buf *in, struct buf *ret)
{
	const char *s = (const char *)in->data;

	for (size_t i = 0; i < in->len; i++) {
		if (s[i] == '\n')
			buf_addc(ret, '\r');
		if (s[i] != '\r' && s[i] != '\0')
			buf_addc(ret, s[i]);
	}
}

static void walk_mail(const char *path, const struct buf *in, unsigned how)
{
	const size_t steps[] = {13, 4096, in->len / 2 + 1};
	struct buf whole = {0};

	mime_trace(&whole, in->data, in->len, 0, in->len + 1, how);
	for (size_t i = 0; i < sizeof(steps) / sizeof(steps[0]); i++) {
		struct buf pieces = {0};
		mime_trace(&pieces, in->data, in->len, 1, steps[i], how);
		if (!same(&pieces, &whole)) {
			printf("%s: other events in pieces of %zu\n", path, steps[i]);
			walk_failed++;
		}
		buf_free(&pieces);
	}
	buf_free(&whole);
}

static int walk_file(const char *path, const struct stat *st, int kind, struct FTW *ftw)
{
	struct buf in = {0}, smtp = {0};

	(void)st, (void)ftw;
	if (kind != FTW_F)
		return 0;
	read_all(path, &in);
	crlf(&in, &smtp);
	walk_mail(path, &in, TRACE_TOLERANT | TRACE_SUMS);
	walk_mail(path, &smtp, TRACE_SUMS);
	walked++;
	buf_free(&in), buf_free(&smtp);
	return 0;
}

static int walk(const char *dir)
{
	if (nftw(dir, walk_file, 16, FTW_PHYS) != 0) {
		printf("SKIP: no test mails in %s\n", dir);
		return 77;
	}
	printf("%d files, %d failed\n", walked, walk_failed);
	return walk_failed != 0 || walked == 0;
}

int main(int argc, char **argv)
{
	struct dirent **list;
	struct buf all = {0};
	int failed = 0;

	if (argc == 3 && strcmp(argv[1], "--walk") == 0)
		return walk(argv[2]);
	if (argc >= 3 && strcmp(argv[1], "--show") == 0)
		return show(argv[2], argc > 3);
	bool regenerate = argc == 3 && strcmp(argv[1], "--regenerate") == 0;
	int n = argc > 1 ? scandir(argv[argc - 1], &list, is_eml, alphasort) : -1;
	if (n < 1) {
		fprintf(stderr, "golden_mime: no .eml there\n");
		return 2;
	}
	for (int i = 0; i < n; i++) {
		failed += check(argv[argc - 1], list[i]->d_name, regenerate, &all);
		free(list[i]);
	}
	free(list);
	for (unsigned i = 0; i < MIME_FLAG_END; i++) {
		if (!elsewhere(i) && !occurs(&all, mime_flag_word(i))) {
			printf("no mail raises %s\n", mime_flag_word(i));
			failed++;
		}
	}
	buf_free(&all);
	printf("%d mails, %d failed\n", n, failed);
	return failed != 0;
}
