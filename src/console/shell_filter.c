/*
 * shell_filter.c: the pipes of the shell. None of them starts a program or opens a file.
 *
 * A pattern is a fixed string, and letters of ASCII match in both cases. Memory: a line at a time; `last`
 * holds at most FILTER_LAST_MAX lines of FILTER_LAST_BYTES in all, the newest.
 */
#include "shell_filter.h"

#include <sekisho/buf.h>
#include <sekisho/i18n.h>

#include <stdlib.h>
#include <string.h>

enum kind { MATCH, EXCEPT, COUNT, LAST, SET, JSON, NO_MORE, KINDS };

const struct filter_word filter_words[] = {
	[MATCH] = {"match", N_("TEXT"),
		N_("only lines that hold this text (no pattern; A and a are the same)")},
	[EXCEPT] = {"except", N_("TEXT"), N_("only lines that do not hold this text")},
	[COUNT] = {"count", NULL, N_("how many lines there are")},
	[LAST] = {"last", N_("N"), N_("only the last N lines")},
	[SET] = {"set", NULL, N_("only lines of set")},
	[JSON] = {"json", NULL, N_("as JSON")},
	[NO_MORE] = {"no-more", NULL, N_("all at once, without stopping at each page")},
	[KINDS] = {NULL, NULL, NULL},
};

struct filter {
	enum kind kind;
	char *text;  /* of MATCH, EXCEPT */
	size_t n;    /* of LAST: how many; of COUNT: how many so far */
	char **ring; /* of LAST */
	size_t at, held, bytes;
};

struct filters {
	struct filter v[LINE_PIPES_MAX];
	unsigned n;
	filter_sink *sink;
	void *arg;
};

/* A decimal number from 1 to max; 0 when it is none. */
static size_t number(const char *text, size_t max)
{
	size_t v = 0;

	if (text[0] == '\0' || strlen(text) > 6 || text[strspn(text, "0123456789")] != '\0')
		return 0;
	for (; *text != '\0'; text++)
		v = v * 10 + (size_t)(*text - '0');
	return v <= max ? v : 0;
}

static bool unknown(const char *word, struct buf *error)
{
	buf_printf(error, _("there is no pipe \"%s\"; there are:"), word);
	for (const struct filter_word *w = filter_words; w->word != NULL; w++)
		buf_printf(error, " %s", w->word);
	return false;
}

static int find(const char *word)
{
	int found = -1;

	for (int i = 0; i < KINDS; i++) {
		if (strcmp(filter_words[i].word, word) == 0)
			return i;
		if (word[0] != '\0' && strncmp(filter_words[i].word, word, strlen(word)) == 0)
			found = found == -1 ? i : -2;
	}
	return found;
}

static bool take(struct filter *f, const struct line *l, unsigned from, unsigned to, struct buf *error)
{
	int kind = from < to ? find(l->words[from].text) : -1;

	if (kind < 0)
		return unknown(from < to ? l->words[from].text : "", error);
	unsigned wanted = filter_words[kind].value != NULL ? 2 : 1;
	if (to - from != wanted) {
		buf_printf(error,
			wanted == 2 ? _("| %s takes one word (in quotes when it holds blanks)")
				    : _("| %s takes no word"),
			filter_words[kind].word);
		return false;
	}
	*f = (struct filter){.kind = (enum kind)kind};
	if (kind == MATCH || kind == EXCEPT)
		f->text = strdup(l->words[from + 1].text);
	if (kind != LAST)
		return true;
	f->n = number(l->words[from + 1].text, FILTER_LAST_MAX);
	f->ring = calloc(f->n + 1, sizeof(*f->ring));
	if (f->n > 0)
		return true;
	buf_printf(error, _("| last takes a number from 1 to %d"), FILTER_LAST_MAX);
	return false;
}

struct filters *filters_new(const struct line *l, struct buf *error)
{
	struct filters *f = calloc(1, sizeof(*f));

	if (f == NULL)
		abort();
	for (unsigned i = 0; i < l->npipes; i++) {
		unsigned to = i + 1 < l->npipes ? l->pipes[i + 1] : l->nwords;
		f->n++;
		if (!take(&f->v[i], l, l->pipes[i], to, error)) {
			filters_free(f);
			return NULL;
		}
	}
	return f;
}

void filters_free(struct filters *f)
{
	for (unsigned i = 0; f != NULL && i < f->n; i++) {
		free(f->v[i].text);
		for (size_t k = 0; f->v[i].ring != NULL && k < f->v[i].n; k++)
			free(f->v[i].ring[k]);
		free(f->v[i].ring);
	}
	free(f);
}

static bool has(const struct filters *f, enum kind kind)
{
	for (unsigned i = 0; i < f->n; i++)
		if (f->v[i].kind == kind)
			return true;
	return false;
}

bool filters_json(const struct filters *f)
{
	return has(f, JSON);
}

bool filters_no_more(const struct filters *f)
{
	return has(f, NO_MORE);
}

static int lower(char c)
{
	return c >= 'A' && c <= 'Z' ? c - 'A' + 'a' : (unsigned char)c;
}

/* Does the line hold the text? */
static bool holds(const char *line, const char *text)
{
	for (;; line++) {
		size_t i = 0;
		while (text[i] != '\0' && line[i] != '\0' && lower(line[i]) == lower(text[i]))
			i++;
		if (text[i] == '\0')
			return true;
		if (line[i] == '\0')
			return false;
	}
}

/* Forgets the oldest line. */
static void forget(struct filter *f)
{
	size_t oldest = (f->at + f->n - f->held) % f->n;

	f->bytes -= strlen(f->ring[oldest]);
	free(f->ring[oldest]);
	f->ring[oldest] = NULL;
	f->held--;
}

static void keep(struct filter *f, const char *line)
{
	size_t n = strlen(line);

	while (f->held == f->n || (f->held > 0 && f->bytes + n > FILTER_LAST_BYTES))
		forget(f);
	f->ring[f->at] = strdup(line);
	if (f->ring[f->at] == NULL)
		abort();
	f->at = (f->at + 1) % f->n;
	f->held++;
	f->bytes += n;
}

/* A line that arrives at filter i. */
static void pass(struct filters *f, unsigned i, const char *line)
{
	for (; i < f->n; i++) {
		struct filter *x = &f->v[i];
		if ((x->kind == MATCH && !holds(line, x->text)) ||
			(x->kind == EXCEPT && holds(line, x->text)))
			return;
		if (x->kind == SET && strncmp(line, "set ", 4) != 0)
			return;
		if (x->kind == COUNT)
			x->n++;
		if (x->kind == LAST)
			keep(x, line);
		if (x->kind == COUNT || x->kind == LAST)
			return;
	}
	f->sink(f->arg, line);
}

void filters_line(struct filters *f, const char *line, filter_sink *sink, void *arg)
{
	f->sink = sink;
	f->arg = arg;
	pass(f, 0, line);
}

void filters_end(struct filters *f, filter_sink *sink, void *arg)
{
	f->sink = sink;
	f->arg = arg;
	for (unsigned i = 0; i < f->n; i++) {
		struct filter *x = &f->v[i];
		if (x->kind == COUNT) {
			struct buf text = {0};
			buf_printf(&text, _("%zu lines"), x->n);
			pass(f, i + 1, buf_str(&text));
			buf_free(&text);
		}
		while (x->kind == LAST && x->held > 0) {
			pass(f, i + 1, x->ring[(x->at + x->n - x->held) % x->n]);
			forget(x);
		}
	}
}
