/*
 * mail_text.c: what text of mails costs: charsets, HTML, the filter of characters, and the three in a row. Megabytes of input
 * per second of this process's CPU, the median of some rounds.
 *
 * usage: mail_text [--json] [--rounds N] [PART...] [FILE.html...]     (parts: html charset text whole bombs; none: all)
 *
 * Ratios: charsets to glibc's iconv, HTML and the row of three to a loop that only throws away what is between < and >, the
 * filter to a copy that checks nothing, and bombs to 100 MB/s, which each must reach: a mail of 50 MB is then done in half a
 * second, whatever it holds. Input is pushed in pieces of 16 KiB, as the gate does. Exit: 0, 1 (a bomb is slower), 2 usage.
 */
#include "mail_text_input.h"

#include <sekisho/charset.h>
#include <sekisho/html.h>
#include <sekisho/mailtext.h>

#include <iconv.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#define PIECE 16384u
#define SIZE 262144u   /* of a made mail: it stays in a cache, as the mail that has just come */
#define BOMB 2097152u
#define ROUND 0.03     /* seconds at least */
#define AIM 100.0

static struct {
	bool json;
	unsigned rounds, slow;
} options = {.rounds = 5};

static struct html html;
static struct mailtext filter;
static uint64_t written; /* so that no work is in vain */

/* One way through the input. */
struct work {
	void (*run)(const struct work *work);
	const char *in;
	size_t n;
	enum charset charset;
	const char *label; /* for iconv */
};

static void take(void *arg, const char *s, size_t n)
{
	(void)arg;
	written += n + (uint8_t)s[0];
}

static size_t piece(const struct work *w, size_t i)
{
	return w->n - i < PIECE ? w->n - i : PIECE;
}

/* -- What is measured -------------------------------------------------------------------------------------- */

static void run_html(const struct work *w)
{
	html_begin(&html, &(struct html_options){.text = take, .text_max = SIZE_MAX});
	for (size_t i = 0; i < w->n; i += PIECE)
		html_push(&html, w->in + i, piece(w, i));
	html_end(&html);
}

static void run_text(const struct work *w)
{
	mailtext_begin(&filter, &(struct mailtext_options){.sink = take, .crlf = true, .defang = true});
	for (size_t i = 0; i < w->n; i += PIECE)
		mailtext_put(&filter, w->in + i, piece(w, i));
	mailtext_end(&filter);
}

static char decoded[DECODER_OUT(PIECE)];

static void run_decode(const struct work *w)
{
	struct decoder d;

	decoder_begin(&d, w->charset);
	for (size_t i = 0; i < w->n; i += PIECE)
		written += decoder_push(&d, w->in + i, piece(w, i), decoded);
	written += decoder_end(&d, decoded);
}

static void run_settle(const struct work *w)
{
	written += charset_settle(w->charset, w->in, w->n);
}

static void run_whole(const struct work *w)
{
	struct decoder d;

	decoder_begin(&d, charset_settle(w->charset, w->in, w->n));
	html_begin(&html, &(struct html_options){.text = take, .text_max = SIZE_MAX});
	for (size_t i = 0; i < w->n; i += PIECE)
		html_push(&html, decoded, decoder_push(&d, w->in + i, piece(w, i), decoded));
	html_push(&html, decoded, decoder_end(&d, decoded));
	html_end(&html);
}

static void run_whole_plain(const struct work *w)
{
	struct decoder d;

	decoder_begin(&d, charset_settle(w->charset, w->in, w->n));
	mailtext_begin(&filter, &(struct mailtext_options){.sink = take, .crlf = true, .defang = true});
	for (size_t i = 0; i < w->n; i += PIECE)
		mailtext_put(&filter, decoded, decoder_push(&d, w->in + i, piece(w, i), decoded));
	mailtext_put(&filter, decoded, decoder_end(&d, decoded));
	mailtext_end(&filter);
}

/* -- What it is compared with ------------------------------------------------------------------------------- */

static void run_strip(const struct work *w)
{
	bool inside = false;

	for (size_t i = 0; i < w->n; i += PIECE) {
		size_t n = piece(w, i), to = 0;
		for (size_t j = 0; j < n; j++) {
			char c = w->in[i + j];
			if (c == '<')
				inside = true;
			else if (c == '>')
				inside = false;
			else if (!inside)
				decoded[to++] = c;
		}
		take(NULL, decoded, to);
	}
}

static void run_copy(const struct work *w)
{
	for (size_t i = 0; i < w->n; i += PIECE) {
		memcpy(decoded, w->in + i, piece(w, i));
		take(NULL, decoded, piece(w, i));
	}
}

static void run_iconv(const struct work *w)
{
	iconv_t cd = iconv_open("UTF-8", w->label);
	char *in = (char *)(uintptr_t)w->in;
	size_t left = w->n;

	while (left > 0) {
		char *out = decoded;
		size_t room = sizeof(decoded);
		if (iconv(cd, &in, &left, &out, &room) == (size_t)-1 && out == decoded)
			abort(); /* made text has no errors */
		written += (size_t)(out - decoded);
	}
	iconv_close(cd);
}

/* -- Measuring ---------------------------------------------------------------------------------------------- */

static double cpu(void)
{
	struct timespec t;
	clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &t);
	return (double)t.tv_sec + (double)t.tv_nsec / 1e9;
}

static int compare(const void *a, const void *b)
{
	double x = *(const double *)a, y = *(const double *)b;
	return (x > y) - (x < y);
}

/* Megabytes a second. */
static double speed(const struct work *w)
{
	double of[32];
	unsigned rounds = options.rounds < 32 ? options.rounds : 32;

	for (unsigned i = 0; i < rounds; i++) {
		double start = cpu(), now;
		uint64_t times = 0;
		do
			w->run(w), times++;
		while ((now = cpu()) - start < ROUND);
		of[i] = (double)w->n * (double)times / 1e6 / (now - start);
	}
	qsort(of, rounds, sizeof(of[0]), compare);
	return of[rounds / 2];
}

static void show(const char *part, const char *name, double is, const char *against, double ratio)
{
	if (options.json)
		printf("{\"part\":\"%s\",\"name\":\"%s\",\"mb_per_s\":%.1f,\"against\":\"%s\",\"ratio\":%.2f}\n", part, name,
			is, against, ratio);
	else
		printf("%-8s %-30s %8.0f MB/s %8.2f x %s\n", part, name, is, ratio, against);
	fflush(stdout);
}

static void against(const char *part, const char *name, struct work *w, void (*other)(const struct work *), const char *label)
{
	double is = speed(w);

	w->run = other;
	show(part, name, is, label, is / speed(w));
}

/* -- Parts -------------------------------------------------------------------------------------------------- */

static void part_html(void)
{
	for (unsigned i = 0; i < input_html_count; i++) {
		size_t n;
		char *in = input_html(i, SIZE, &n);
		struct work w = {.run = run_html, .in = in, .n = n};
		against("html", input_html_kinds[i], &w, run_strip, "naive strip");
		free(in);
	}
}

/* The text in another charset; it has nothing that one of them lacks. */
static char *encoded(const char *label, const char *in, size_t n, size_t *ret_n)
{
	iconv_t cd = iconv_open(label, "UTF-8");
	char *text = malloc(n * 2), *out = text, *from = (char *)(uintptr_t)in;
	size_t room = n * 2;

	if (text == NULL || iconv(cd, &from, &n, &out, &room) == (size_t)-1)
		abort();
	iconv_close(cd);
	*ret_n = (size_t)(out - text);
	return text;
}

static const struct {
	enum charset charset;
	const char *label;
} charsets[] = {
	{CHARSET_ISO_2022_JP, "ISO-2022-JP"}, {CHARSET_SHIFT_JIS, "SHIFT_JIS"}, {CHARSET_EUC_JP, "EUC-JP"},
	{CHARSET_UTF_8, "UTF-8"}, {CHARSET_UTF_16LE, "UTF-16LE"},
};

static void each_charset(const char *part, void (*run)(const struct work *), const char *html_or_text,
	void (*other)(const struct work *), const char *label)
{
	size_t n;
	char *text = *html_or_text == 'h' ? input_html(2, SIZE, &n) : input_japanese(SIZE, &n);

	for (size_t i = 0; i < sizeof(charsets) / sizeof(charsets[0]); i++) {
		char name[64];
		struct work w = {.run = run, .charset = charsets[i].charset, .label = charsets[i].label};
		char *in = encoded(w.label, text, n, &w.n);
		w.in = in;
		snprintf(name, sizeof(name), "%s %s", charset_name(w.charset), html_or_text);
		against(part, name, &w, other, label);
		free(in);
	}
	free(text);
}

static void part_charset(void)
{
	each_charset("charset", run_decode, "text", run_iconv, "iconv");
	each_charset("settle", run_settle, "text", run_iconv, "iconv");
}

static void part_text(void)
{
	size_t n;
	char *in = input_japanese(SIZE, &n);
	struct work w = {.run = run_text, .in = in, .n = n};

	against("text", "Japanese", &w, run_copy, "copy");
	free(in);
	in = input_bomb(&input_bombs[input_nbombs - 1], SIZE, &n);
	w = (struct work){.run = run_text, .in = in, .n = n};
	against("text", "English", &w, run_copy, "copy");
	free(in);
}

static void part_whole(void)
{
	each_charset("whole", run_whole, "html", run_strip, "naive strip");
	each_charset("whole", run_whole_plain, "text", run_iconv, "iconv");
}

/* As they come: decoded, then read as HTML. */
static void part_bombs(void)
{
	for (unsigned i = 0; i < input_nbombs; i++) {
		size_t n;
		char *in = input_bomb(&input_bombs[i], BOMB, &n);
		double is = speed(&(struct work){.run = run_whole, .charset = CHARSET_UTF_8, .in = in, .n = n});
		options.slow += is < AIM;
		show(is < AIM ? "SLOW" : "bomb", input_bombs[i].name, is, "100 MB/s", is / AIM);
		free(in);
	}
}

static bool part_file(const char *path)
{
	static char in[8u << 20];
	FILE *f = fopen(path, "rb");
	const char *name = strrchr(path, '/');

	if (f == NULL) {
		perror(path);
		return false;
	}
	struct work w = {.run = run_html, .in = in, .n = fread(in, 1, sizeof(in), f)};
	fclose(f);
	if (w.n > 0)
		against("file", name != NULL ? name + 1 : path, &w, run_strip, "naive strip");
	return true;
}

int main(int argc, char **argv)
{
	static const struct {
		const char *name;
		void (*run)(void);
	} parts[] = {{"html", part_html}, {"charset", part_charset}, {"text", part_text}, {"whole", part_whole},
		{"bombs", part_bombs}};
	bool some = false;

	for (int i = 1; i < argc; i++) {
		size_t j = 0;
		while (j < sizeof(parts) / sizeof(parts[0]) && strcmp(argv[i], parts[j].name) != 0)
			j++;
		if (strcmp(argv[i], "--json") == 0)
			options.json = true;
		else if (strcmp(argv[i], "--rounds") == 0 && i + 1 < argc && atoi(argv[i + 1]) > 0)
			options.rounds = (unsigned)atoi(argv[++i]);
		else if (j < sizeof(parts) / sizeof(parts[0]))
			some = true, parts[j].run();
		else if (argv[i][0] == '-' || !part_file(argv[i]))
			return 2;
		else
			some = true;
	}
	for (size_t j = 0; !some && j < sizeof(parts) / sizeof(parts[0]); j++)
		parts[j].run();
	return options.slow != 0 || written == 0;
}
