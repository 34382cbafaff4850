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

#include <ftw.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "golden.h"
#include "mime_trace.h"

#define EVERY_CUT 3000u /* longer mails are cut at some places only */

/* The same in pieces. */
static int cuts(const char *name, const struct buf *in, const struct buf *whole, unsigned how)
{
	size_t by = in->len > EVERY_CUT ? in->len / 97 : 1;

	for (size_t cut = 0; cut < in->len; cut += by) {
		struct buf out = {0};
		mime_trace(&out, in->data, in->len, cut, cut == 0 ? 1 : in->len, how);
		bool equal = golden_same(&out, whole);
		buf_free(&out);
		if (!equal) {
			printf("%s: other events when cut at %zu\n", name, cut);
			return 1;
		}
	}
	return 0;
}

/* Of every mail, in order. */
static struct buf all;

static int check(const char *dir, const char *name, bool regenerate)
{
	char path[4096];
	struct buf in = {0}, whole = {0};
	unsigned how = strncmp(name, "file-", 5) == 0 ? TRACE_TOLERANT : 0;

	snprintf(path, sizeof(path), "%s/%s", dir, name);
	golden_read(path, true, &in);
	mime_trace(&whole, in.data, in.len, 0, in.len + 1, how);
	int failed = cuts(name, &in, &whole, how);
	failed |= golden_compare(dir, name, ".eml", &whole, regenerate);
	buf_add(&all, whole.data, whole.len);
	buf_free(&in), buf_free(&whole);
	return failed;
}

static bool occurs(const char *word)
{
	const char *p = (const char *)all.data, *end = p + all.len;
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

static int show(const char *path, bool tolerant)
{
	struct buf in = {0}, out = {0};

	golden_read(path, true, &in);
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
		if (!golden_same(&pieces, &whole)) {
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
	golden_read(path, true, &in);
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
	int n;

	if (argc == 3 && strcmp(argv[1], "--walk") == 0)
		return walk(argv[2]);
	if (argc >= 3 && strcmp(argv[1], "--show") == 0)
		return show(argv[2], argc > 3);
	int failed = golden_each(argc, argv, ".eml", check, &n);
	for (unsigned i = 0; i < MIME_FLAG_END; i++) {
		if (!elsewhere(i) && !occurs(mime_flag_word(i))) {
			printf("no mail raises %s\n", mime_flag_word(i));
			failed++;
		}
	}
	buf_free(&all);
	printf("%d mails, %d failed\n", n, failed);
	return failed != 0;
}
