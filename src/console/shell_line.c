/*
 * shell_line.c: splits what was typed into words.
 *
 * Input: a line of at most LINE_BYTES_MAX bytes from a terminal, typed or pasted by a person who may be
 * hostile. Nothing in it is expanded: no variables, no patterns, no home directories, no history, no other
 * programs.
 */
#include "shell_line.h"

#include "text.h"

#include <sekisho/buf.h>
#include <sekisho/i18n.h>

#include <stdlib.h>
#include <string.h>

struct splitter {
	struct line *l;
	const char *at;
	char *out;
	bool unfinished;
	struct buf *error;
};

static bool is_blank(char c)
{
	return c == ' ' || c == '\t';
}

static unsigned column(const struct splitter *s)
{
	unsigned n = 1;

	for (const char *p = s->l->raw; p < s->at; p++)
		n += ((unsigned char)*p & 0xc0) != 0x80;
	return n;
}

/* Bytes that are no text: a message, and false. */
static bool check_text(struct splitter *s)
{
	size_t len;

	for (s->at = s->l->raw; *s->at != '\0'; s->at += len) {
		uint32_t c = text_char(s->at, &len);
		bool bad = c == TEXT_BAD || c == 0xfffd;
		if (!bad && (c >= 0x20 || c == '\t') && (c < 0x7f || c >= 0xa0))
			continue;
		buf_printf(s->error,
			bad ? _("column %u: this is no UTF-8; the terminal must be set to UTF-8")
			    : _("column %u: a control character"),
			column(s));
		return false;
	}
	s->at = s->l->raw;
	return true;
}

static bool take_quoted(struct splitter *s)
{
	for (s->at++; *s->at != '\0' && *s->at != '"'; *s->out++ = *s->at++)
		if (*s->at == '\\' && (s->at[1] == '"' || s->at[1] == '\\'))
			s->at++;
	if (*s->at == '"') {
		s->at++;
		return true;
	}
	s->l->open = true;
	if (!s->unfinished)
		buf_adds(s->error, _("a quotation does not end: close it with \""));
	return s->unfinished;
}

static bool take_pipe(struct splitter *s)
{
	if (s->l->npipes == LINE_PIPES_MAX) {
		buf_printf(s->error, _("at most %d pipes"), LINE_PIPES_MAX);
		return false;
	}
	s->l->pipes[s->l->npipes++] = s->l->nwords;
	s->at++;
	return true;
}

static bool take_word(struct splitter *s)
{
	struct line_word *w = &s->l->words[s->l->nwords];

	if (s->l->nwords == LINE_WORDS_MAX) {
		buf_printf(s->error, _("at most %d words"), LINE_WORDS_MAX);
		return false;
	}
	*w = (struct line_word){
		.text = s->out, .start = (size_t)(s->at - s->l->raw), .quoted = *s->at == '"'};
	if (w->quoted) {
		if (!take_quoted(s))
			return false;
	} else {
		while (*s->at != '\0' && !is_blank(*s->at))
			*s->out++ = *s->at++;
	}
	*s->out++ = '\0';
	w->end = (size_t)(s->at - s->l->raw);
	s->l->nwords++;
	return true;
}

bool line_read(struct line *l, const char *text, bool unfinished, struct buf *error)
{
	size_t n = strlen(text);
	struct splitter s = {.l = l, .unfinished = unfinished, .error = error};

	l->raw = l->texts = NULL;
	l->nwords = l->npipes = 0;
	l->open = l->blank = false;
	if (n > LINE_BYTES_MAX) {
		buf_printf(error, _("the line is too long (at most %d bytes)"), LINE_BYTES_MAX);
		return false;
	}
	l->raw = strdup(text);
	l->texts = s.out = malloc(2 * n + 2);
	if (l->raw == NULL || l->texts == NULL)
		abort();
	if (!check_text(&s))
		return false;
	for (;;) {
		while (is_blank(*s.at))
			s.at++;
		if (*s.at == '\0' || *s.at == '#')
			break;
		if (!(*s.at == '|' ? take_pipe(&s) : take_word(&s)))
			return false;
	}
	l->blank = !l->open && (n == 0 || is_blank(text[n - 1]) || text[n - 1] == '|');
	return true;
}

void line_free(struct line *l)
{
	free(l->raw);
	free(l->texts);
}

unsigned line_command_words(const struct line *l)
{
	return l->npipes > 0 ? l->pipes[0] : l->nwords;
}

void line_text(const struct line *l, unsigned from, unsigned to, struct buf *out)
{
	if (from < to && to <= l->nwords)
		buf_add(out, l->raw + l->words[from].start, l->words[to - 1].end - l->words[from].start);
}
