/*
 * sheet.c: reads CSV as spreadsheets write it.
 *
 * Input: a file that somebody made, any bytes, at most SHEET_BYTES_MAX. Lines end in LF, CR LF or CR. In quotes a cell may
 * hold separators, line breaks and "" for a quotation mark; without quotes it is taken as it stands. Everything is bounded
 * by the file's own length: cells are cut out of the text in place. Standard followed: RFC 4180.
 */
#include "sheet.h"

#include <sekisho/arena.h>
#include <sekisho/charset.h>
#include <sekisho/diag.h>
#include <sekisho/i18n.h>

#include <string.h>

/* The charset, by the marks in front and by what is valid; *ret_skip bytes of mark. */
static enum charset find_charset(const uint8_t *p, size_t n, size_t *ret_skip)
{
	*ret_skip = n >= 3 && memcmp(p, "\xef\xbb\xbf", 3) == 0 ? 3 : 0;
	if (*ret_skip != 0)
		return CHARSET_UTF_8;
	if (n >= 2 && (memcmp(p, "\xff\xfe", 2) == 0 || memcmp(p, "\xfe\xff", 2) == 0))
		return CHARSET_UTF_16;
	return charset_settle(CHARSET_UTF_8, p, n) == CHARSET_UTF_8 ? CHARSET_UTF_8 : CHARSET_SHIFT_JIS;
}

/* The line in which the first byte stands that is no text. */
static uint32_t bad_line(enum charset charset, const uint8_t *p, size_t n, struct arena *a)
{
	struct decoder d;
	char *out = arena_array(a, 1, DECODER_OUT(1));
	uint32_t line = 1;

	decoder_begin(&d, charset);
	for (size_t i = 0; i < n && d.errors == 0; i++) {
		line += i > 0 && p[i - 1] == '\n';
		decoder_push(&d, p + i, 1, out);
	}
	return line;
}

bool sheet_open(struct sheet *s, struct arena *a, const void *data, size_t n, struct diag_list *diags)
{
	const uint8_t *p = data;
	struct decoder d;
	size_t skip, len;

	*s = (struct sheet){.line = 1, .diags = diags, .separator = ','};
	if (n > SHEET_BYTES_MAX) {
		diag_error(diags, 0, "file-too-large", NULL,
			_("the file has %zu bytes; at most %zu are read"), n, SHEET_BYTES_MAX);
		return false;
	}
	enum charset charset = find_charset(p, n, &skip);
	decoder_begin(&d, charset);
	s->text = arena_alloc(a, DECODER_OUT(n) + DECODER_OUT(0) + 1);
	len = decoder_push(&d, p + skip, n - skip, s->text);
	len += decoder_end(&d, s->text + len);
	if (charset == CHARSET_UTF_16 || d.errors > 0 || memchr(s->text, '\0', len) != NULL) {
		diag_error(diags, charset == CHARSET_UTF_16 ? 0 : bad_line(charset, p + skip, n - skip, a), "encoding",
			_("save it as \"CSV (comma delimited)\" or \"CSV UTF-8\""),
			_("the file is text neither in UTF-8 nor in CP932 (Shift_JIS)"));
		return false;
	}
	s->p = s->text;
	s->end = s->text + len;
	s->text[len] = '\0';
	size_t first = strcspn(s->text, "\r\n");
	if (memchr(s->text, ',', first) == NULL && memchr(s->text, '\t', first) != NULL)
		s->separator = '\t';
	return true;
}

static bool at_line_end(const struct sheet *s)
{
	return s->p >= s->end || *s->p == '\n' || *s->p == '\r';
}

/* Over one end of line. */
static void skip_line_end(struct sheet *s)
{
	if (s->p < s->end && *s->p == '\r')
		s->p++;
	if (s->p < s->end && *s->p == '\n')
		s->p++;
	s->line++;
}

/* `"…"` into place; *ret_end: behind its text. False: it does not end. */
static bool read_quoted(struct sheet *s, char **ret_end)
{
	char *out = ++s->p;

	for (; s->p < s->end; s->p++) {
		if (*s->p == '"' && (s->p + 1 >= s->end || s->p[1] != '"')) {
			s->p++;
			*ret_end = out;
			return true;
		}
		s->p += *s->p == '"';
		s->line += *s->p == '\n' || (*s->p == '\r' && (s->p + 1 >= s->end || s->p[1] != '\n'));
		*out++ = *s->p;
	}
	return false;
}

static void skip_blanks(struct sheet *s)
{
	while (s->p < s->end && (*s->p == ' ' || (*s->p == '\t' && s->separator != '\t')))
		s->p++;
}

/* One cell, up to the separator or the line's end; NULL: its quotation does not end, or text follows it. */
static char *read_cell(struct sheet *s, char **ret_end)
{
	char *start;

	skip_blanks(s);
	start = s->p;
	if (s->p < s->end && *s->p == '"') {
		start++;
		if (!read_quoted(s, ret_end))
			return NULL;
		skip_blanks(s);
		return at_line_end(s) || *s->p == s->separator ? start : NULL;
	}
	while (!at_line_end(s) && *s->p != s->separator)
		s->p++;
	*ret_end = s->p;
	while (*ret_end > start && ((*ret_end)[-1] == ' ' || (*ret_end)[-1] == '\t'))
		(*ret_end)--;
	return start;
}

/* To the next line, after a row that cannot be read. */
static void skip_row(struct sheet *s)
{
	while (!at_line_end(s))
		s->p++;
	skip_line_end(s);
}

/* Puts a cell by; false: there are too many, or it is too long (said). */
static bool add_cell(struct sheet *s, struct sheet_row *row, const char *start, const char *end)
{
	if (row->n >= SHEET_CELLS_MAX) {
		diag_error(s->diags, row->line, "too-many", NULL, _("the row has more than %d cells"), SHEET_CELLS_MAX);
		return false;
	}
	if (end - start > SHEET_CELL_MAX) {
		diag_error(s->diags, row->line, "line-too-long", NULL,
			_("cell %zu has %zu bytes; at most %d are read"), row->n + 1, (size_t)(end - start),
			SHEET_CELL_MAX);
		return false;
	}
	row->cells[row->n++] = start;
	return true;
}

/* Reads the row that begins here. False: it was reported. */
static bool read_row(struct sheet *s, struct sheet_row *row, bool *ret_any)
{
	for (;;) {
		char *end = NULL, *start = read_cell(s, &end);
		if (start == NULL) {
			diag_error(s->diags, row->line, "quote", _("write each quotation mark within quotes twice"),
				_("cell %zu: its quotation does not end where the cell ends"), row->n + 1);
			skip_row(s);
			return false;
		}
		bool last = at_line_end(s);
		if (!add_cell(s, row, start, end)) {
			skip_row(s);
			return false;
		}
		*ret_any = *ret_any || end > start;
		if (last)
			skip_line_end(s);
		else
			s->p++;
		*end = '\0'; /* only now: it may stand where the separator or the line's end was */
		if (last)
			return true;
	}
}

bool sheet_next(struct sheet *s, struct sheet_row *ret)
{
	while (s->p < s->end) {
		bool any = false;
		*ret = (struct sheet_row){.line = s->line};
		if (read_row(s, ret, &any) && any)
			return true;
	}
	return false;
}
