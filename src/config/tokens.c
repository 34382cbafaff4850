/*
 * tokens.c: line -> words: spaces, quotes with escapes, comments.
 *
 * Input: one line as lines.c lets it through: at most LIMIT_LINE bytes of UTF-8 without control characters
 * but TAB; `text` and `v` of struct tokens are sized for the worst such line. A full-width space between
 * words, as a Japanese keyboard types it, is named for what it is.
 */
#include "tokens.h"

#include "lines.h"

#include <sekisho/diag.h>
#include <sekisho/i18n.h>

#include <string.h>

struct lexer {
	const struct line *line;
	struct diag_list *diags;
	size_t at;
	char *out;
};

static bool is_blank(char c)
{
	return c == ' ' || c == '\t';
}

/* Where a byte is, in characters from 1. */
static unsigned column(const struct lexer *l, size_t at)
{
	unsigned n = 1;

	for (size_t i = 0; i < at; i++)
		n += ((unsigned char)l->line->text[i] & 0xc0) != 0x80;
	return n;
}

/* "\"" to "\"": the text between into l->out. */
static bool quoted(struct lexer *l)
{
	const char *s = l->line->text;
	size_t start = l->at++;

	for (; l->at < l->line->n && s[l->at] != '"'; l->at++) {
		if (s[l->at] == '\\') {
			l->at++;
			if (l->at >= l->line->n || (s[l->at] != '"' && s[l->at] != '\\')) {
				diag_error(l->diags, l->line->number, "quote",
					_("only \\\" and \\\\ are known inside quotes"),
					_("column %u: unknown escape"), column(l, l->at - 1));
				return false;
			}
		}
		*l->out++ = s[l->at];
	}
	if (l->at >= l->line->n) {
		diag_error(l->diags, l->line->number, "quote", _("close it with \" on the same line"),
			_("column %u: this quotation does not end"), column(l, start));
		return false;
	}
	l->at++;
	if (l->at < l->line->n && !is_blank(s[l->at])) {
		diag_error(l->diags, l->line->number, "quote", _("put a space behind the quotation"),
			_("column %u: text follows the quotation at once"), column(l, l->at));
		return false;
	}
	return true;
}

static bool plain(struct lexer *l)
{
	static const char wide_space[] = "\xe3\x80\x80"; /* U+3000 */
	const char *s = l->line->text;

	for (; l->at < l->line->n && !is_blank(s[l->at]); l->at++) {
		const char *hint = NULL;
		if (s[l->at] == '"' || s[l->at] == '\\')
			hint = _("put the whole value into double quotes: \"…\"");
		else if (l->line->n - l->at >= 3 && memcmp(s + l->at, wide_space, 3) == 0)
			hint = _("separate words by ordinary (half-width) spaces, or put text into double "
				 "quotes");
		if (hint != NULL) {
			diag_error(l->diags, l->line->number, "quote", hint,
				s[l->at] == '"'	   ? _("column %u: a quotation mark inside a word")
				: s[l->at] == '\\' ? _("column %u: a backslash outside of quotes")
						   : _("column %u: a full-width space"),
				column(l, l->at));
			return false;
		}
		*l->out++ = s[l->at];
	}
	return true;
}

static void comment(const struct line *line, size_t at, struct tokens *ret)
{
	size_t end = line->n;

	if (at < end && is_blank(line->text[at]))
		at++; /* more than one are the comment's own */
	while (end > at && is_blank(line->text[end - 1]))
		end--;
	ret->comment = line->text + at;
	ret->ncomment = end - at;
}

bool tokens_split(const struct line *line, struct diag_list *diags, struct tokens *ret)
{
	struct lexer l = {.line = line, .diags = diags, .out = ret->text};

	ret->n = 0;
	ret->comment = NULL;
	for (;;) {
		while (l.at < line->n && is_blank(line->text[l.at]))
			l.at++;
		if (l.at < line->n && line->text[l.at] == '#')
			comment(line, l.at + 1, ret);
		if (l.at >= line->n || line->text[l.at] == '#')
			return true;
		struct token *t = &ret->v[ret->n];
		t->quoted = line->text[l.at] == '"';
		t->text = l.out;
		if (!(t->quoted ? quoted(&l) : plain(&l)))
			return false;
		t->n = (size_t)(l.out - t->text);
		*l.out++ = '\0';
		ret->n++;
	}
}
