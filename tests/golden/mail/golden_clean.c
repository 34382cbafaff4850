/*
 * golden_clean.c: NAME.eml -> NAME.txt: the header and the decoded text of the cleaned mail, and the report.
 *
 * golden_clean DIR              compares; each mail is also pushed byte by byte and must give the same bytes, and the
 *                               verifier must accept what comes out
 * golden_clean --regenerate DIR
 * golden_clean --show FILE [OPTION...]   for people
 * golden_clean --raw FILE [OPTION...]    the bytes that would be delivered
 * golden_clean --all DIR        every file below: nothing breaks, and what comes out is accepted
 *
 * A file NAME.options holds words: en, out, lf, raw, gaiji, upstream, copied, trace, authserv=NAME, text=LIST, label=TEXT, domain=NAME.
 * Mails are kept with LF and become CR LF here, unless `raw` (or `lf`, for the cleaner that takes LF) is among the words.
 */
#include <sekisho/buf.h>
#include <sekisho/clean.h>
#include <sekisho/mailverify.h>

#include <ftw.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#include "golden.h"

struct setting {
	struct clean_options options;
	struct buf domains;
	bool raw;
	unsigned labels;
};

static void take_value(struct setting *s, const char *word)
{
	if (strncmp(word, "authserv=", 9) == 0)
		snprintf(s->options.authserv, sizeof(s->options.authserv), "%s", word + 9);
	else if (strncmp(word, "label=", 6) == 0)
		snprintf(s->options.labels[s->labels++], CLEAN_LABEL, "%s", word + 6);
	else if (strncmp(word, "domain=", 7) == 0)
		buf_printf(&s->domains, "%s\n", word + 7);
	else if (strncmp(word, "text=", 5) == 0)
		for (word += 5; *word != '\0'; word += strcspn(word, ",") + (strchr(word, ',') != NULL))
			s->options.attachment_text |= clean_text_find(word, strcspn(word, ","));
	else
		fprintf(stderr, "unknown word %s\n", word), exit(2);
}

static void take_word(struct setting *s, const char *word)
{
	struct clean_options *o = &s->options;

	if (strcmp(word, "en") == 0)
		o->english = true;
	else if (strcmp(word, "out") == 0)
		o->direction = CLEAN_OUT;
	else if (strcmp(word, "lf") == 0)
		o->lf = s->raw = true;
	else if (strcmp(word, "raw") == 0)
		s->raw = true;
	else if (strcmp(word, "gaiji") == 0)
		o->private_use = true;
	else if (strcmp(word, "upstream") == 0)
		o->original = CLEAN_ORIGINAL_UPSTREAM;
	else if (strcmp(word, "copied") == 0)
		o->original = CLEAN_ORIGINAL_COPIED;
	else if (strcmp(word, "trace") == 0)
		strcpy(o->trace, "gate-01.town.example");
	else
		take_value(s, word);
}

static void take_words(struct setting *s, char *text)
{
	for (char *word = strtok(text, " \n"); word != NULL; word = strtok(NULL, " \n"))
		take_word(s, word);
}

static int put(void *arg, const void *bytes, size_t n)
{
	buf_add(arg, bytes, n);
	return 0;
}

static void with_crlf(const struct buf *in, struct buf *ret)
{
	for (size_t i = 0; i < in->len; i++) {
		if (in->data[i] == '\n')
			buf_addc(ret, '\r');
		buf_addc(ret, (char)in->data[i]);
	}
}

/* The mail's output, and its report as JSON. */
static int convert(const struct setting *s, const struct buf *in, size_t step, struct buf *ret_out, struct buf *ret_json)
{
	struct clean_options o = s->options;
	struct mailreport_view view, again;
	size_t n;

	o.sink = put;
	o.arg = ret_out;
	o.domains = (const char *)s->domains.data;
	o.ndomains = s->domains.len;
	struct clean *c = clean_new(&o);
	for (size_t i = 0; i < in->len; i += step)
		clean_push(c, in->data + i, in->len - i < step ? in->len - i : step);
	int reason = clean_end(c, &view);
	const void *bytes = clean_report(c, &n);
	if (mailreport_open(bytes, n, &again) != 0)
		printf("the report is not well-formed\n"), exit(1);
	mailreport_json(&again, ret_json);
	clean_free(c);
	return reason;
}

/* -- Reading the output, without the cleaner's or the verifier's code ------------------------------------------------- */

static int digit(int ch)
{
	static const char digits[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
	const char *at = ch == '\0' ? NULL : strchr(digits, ch);
	return at == NULL ? -1 : (int)(at - digits);
}

static void decode(const char *s, size_t n, struct buf *ret)
{
	unsigned v = 0, bits = 0;

	for (size_t i = 0; i < n; i++) {
		int d = digit(s[i]);
		if (d < 0)
			continue;
		v = v << 6 | (unsigned)d;
		bits += 6;
		if (bits >= 8) {
			bits -= 8;
			char ch = (char)(v >> bits & 0xff);
			if (ch != '\r')
				buf_addc(ret, ch);
		}
	}
}

static void readable(const struct buf *out, const struct buf *json, struct buf *ret)
{
	const char *s = (const char *)out->data, *body = out->len == 0 ? NULL : memmem(s, out->len, "\r\n\r\n", 4);

	for (size_t i = 0; body != NULL && s + i < body + 4; i++)
		if (s[i] != '\r')
			buf_addc(ret, s[i]);
	if (body != NULL)
		decode(body + 4, out->len - (size_t)(body + 4 - s), ret);
	buf_adds(ret, "--\n");
	for (size_t i = 0; i < json->len; i++) { /* a member a line */
		buf_addc(ret, (char)json->data[i]);
		if (json->data[i] == ',' && json->data[i + 1] == '"')
			buf_addc(ret, '\n');
	}
	buf_addc(ret, '\n');
}

static bool accepted(const struct buf *out, bool private_use)
{
	struct mailverify v;

	mailverify_begin(&v, &(struct mailverify_options){.size_max = 64u << 20, .private_use = private_use});
	size_t done = mailverify_push(&v, out->data, out->len);
	enum mailverify_reason reason = mailverify_end(&v, out->len - done);
	if (reason != MAILVERIFY_OK)
		printf("not accepted: %s at %llu\n", mailverify_word(reason), (unsigned long long)v.offset);
	return reason == MAILVERIFY_OK;
}

static int check_bytes(const char *name, const struct setting *s, const struct buf *in, struct buf *ret_text)
{
	struct buf whole = {0}, json = {0}, bytes = {0}, json2 = {0};
	int failed = 0;

	int reason = convert(s, in, in->len + 1, &whole, &json);
	convert(s, in, 1, &bytes, &json2);
	if (!golden_same(&whole, &bytes) || !golden_same(&json, &json2)) {
		printf("%s: another result if it comes byte by byte\n", name);
		failed = 1;
	}
	bool silent = reason != 0 || s->options.direction == CLEAN_OUT;
	if (silent ? whole.len != 0 : !accepted(&whole, s->options.private_use)) {
		printf("%s: not what may leave\n", name);
		failed = 1;
	}
	readable(&whole, &json, ret_text);
	buf_free(&whole), buf_free(&json), buf_free(&bytes), buf_free(&json2);
	return failed;
}

static void load(const char *dir, const char *name, size_t stem, struct setting *s, struct buf *ret_mail)
{
	char path[4096];
	struct buf words = {0}, file = {0};

	snprintf(path, sizeof(path), "%s/%.*s.options", dir, (int)stem, name);
	golden_read(path, false, &words);
	buf_addc(&words, '\0');
	take_words(s, (char *)words.data);
	snprintf(path, sizeof(path), "%s/%s", dir, name);
	golden_read(path, true, &file);
	if (s->raw)
		buf_add(ret_mail, file.data, file.len);
	else
		with_crlf(&file, ret_mail);
	buf_free(&words), buf_free(&file);
}

static int check(const char *dir, const char *name, bool regenerate)
{
	struct setting s = {.options = {.direction = CLEAN_IN}};
	struct buf in = {0}, text = {0};
	size_t stem = strlen(name) - strlen(".eml");

	load(dir, name, stem, &s, &in);
	int failed = check_bytes(name, &s, &in, &text);
	failed |= golden_compare(dir, name, ".eml", &text, regenerate);
	buf_free(&in), buf_free(&text), buf_free(&s.domains);
	return failed;
}

static int show(int argc, char **argv, bool raw)
{
	struct setting s = {.options = {.direction = CLEAN_IN}};
	struct buf in = {0}, text = {0}, mail = {0}, json = {0};
	int failed = 0;

	for (int i = 3; i < argc; i++)
		take_word(&s, argv[i]);
	golden_read(argv[2], true, &in);
	if (s.raw)
		buf_add(&mail, in.data, in.len);
	else
		with_crlf(&in, &mail);
	if (raw)
		convert(&s, &mail, mail.len + 1, &text, &json);
	else
		failed = check_bytes(argv[2], &s, &mail, &text);
	if (text.len > 0)
		fwrite(text.data, 1, text.len, stdout);
	buf_free(&in), buf_free(&text), buf_free(&mail), buf_free(&json);
	return failed;
}

/* -- Many files, whatever they are --------------------------------------------------------------------------------------- */

static unsigned passed, refused, broken;

static int try_file(const char *path, const struct stat *st, int type, struct FTW *at)
{
	struct buf in = {0}, out = {0}, json = {0};

	(void)at;
	if (type != FTW_F || st->st_size > 8 << 20)
		return 0;
	golden_read(path, true, &in);
	for (unsigned way = 0; way < 4; way++) {
		struct setting s = {.options = {.direction = way & 1 ? CLEAN_OUT : CLEAN_IN, .lf = way < 2, .attachment_text = 31,
			.english = in.len & 1, .original = (enum clean_original)(in.len % 3)}};
		buf_clear(&out), buf_clear(&json);
		int reason = convert(&s, &in, in.len % 997 + 1, &out, &json);
		passed += reason == 0;
		refused += reason != 0;
		bool silent = reason != 0 || s.options.direction == CLEAN_OUT;
		if (silent ? out.len != 0 : !accepted(&out, false)) {
			printf("%s: not what may leave (way %u)\n", path, way);
			broken++;
		}
	}
	buf_free(&in), buf_free(&out), buf_free(&json);
	return 0;
}

static int try_all(const char *dir)
{
	if (nftw(dir, try_file, 16, FTW_PHYS) != 0)
		perror(dir), exit(2);
	printf("%u passed, %u refused, %u broken\n", passed, refused, broken);
	return broken != 0;
}

int main(int argc, char **argv)
{
	int n;

	if (argc >= 3 && (strcmp(argv[1], "--show") == 0 || strcmp(argv[1], "--raw") == 0))
		return show(argc, argv, argv[1][2] == 'r');
	if (argc == 3 && strcmp(argv[1], "--all") == 0)
		return try_all(argv[2]);
	int failed = golden_each(argc, argv, ".eml", check, &n);
	printf("%d files, %d failed\n", n, failed);
	return failed != 0;
}
