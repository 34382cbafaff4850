/*
 * shell_edit.c: line editing by libedit, with its doors shut.
 *
 * libedit can start an editor (vi-histedit), run its own command language on a key (ed-command: rebinding,
 * files), read
 * ~/.editrc and save histories. None of that is reachable: no file is sourced, every key is unbound first and
 * only those in the table below get a meaning, none of which leads to another map, a prompt of libedit's own,
 * or a quoted insert. Bytes come through our own reader: UTF-8 is decoded here, what is none becomes U+FFFD,
 * which line_read() refuses with its column; late answers of the terminal to our questions are swallowed; a
 * line beyond LINE_BYTES_MAX is thrown away whole. Limits: HISTORY_LINES lines are remembered, for this
 * session only.
 */
#include "shell_edit.h"

#include "shell_line.h"
#include "shell_terminal.h"
#include "text.h"

#include <sekisho/buf.h>

#include <histedit.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <wchar.h>

#define HISTORY_LINES 500
#define PIECE_MAX 1024 /* characters that are put into a line at once */
#define GO_ON_KEY 035  /* Ctrl-]: goes on with what is pending */
#define CTRL_C 3
#define SEQUENCE_MAX 16
#define ESCAPE_MS 30 /* the rest of an escape sequence follows at once */

struct editor {
	EditLine *el;
	HistoryW *history;
	struct terminal *t;
	enum edit_result result;
	const wchar_t *prompt;
	wchar_t *pending; /* text to begin with */
	int cursor;	  /* where in it */
	bool asking;
	edit_complete_fn *complete, *ask_complete; /* of commands; of answers, NULL = none */
	void *ask_arg;
	bool (*idle)(void *arg, unsigned seconds);
	void *arg;
	int idle_ms;
	unsigned idle_so_far; /* ms */
	unsigned sequence;    /* bytes of an escape sequence so far; 0 = none */
};

/* -- wide and back ----------------------------------------------------------------------------------------
 */

static wchar_t *widen(const char *s)
{
	wchar_t *w = calloc(strlen(s) + 1, sizeof(*w));
	size_t n = 0, len;

	if (w == NULL)
		abort();
	for (; *s != '\0'; s += len) {
		uint32_t c = text_char(s, &len);
		w[n++] = c == TEXT_BAD ? 0xfffd : (wchar_t)c;
	}
	return w;
}

static void narrow(struct buf *out, const wchar_t *w, size_t n)
{
	for (size_t i = 0; i < n; i++) {
		uint32_t c = (uint32_t)w[i];
		if (c < 0x80) {
			buf_addc(out, (char)c);
		} else if (c < 0x800) {
			buf_addc(out, (char)(0xc0 | c >> 6));
			buf_addc(out, (char)(0x80 | (c & 0x3f)));
		} else if (c < 0x10000) {
			buf_addc(out, (char)(0xe0 | c >> 12));
			buf_addc(out, (char)(0x80 | (c >> 6 & 0x3f)));
			buf_addc(out, (char)(0x80 | (c & 0x3f)));
		} else {
			buf_addc(out, (char)(0xf0 | c >> 18));
			buf_addc(out, (char)(0x80 | (c >> 12 & 0x3f)));
			buf_addc(out, (char)(0x80 | (c >> 6 & 0x3f)));
			buf_addc(out, (char)(0x80 | (c & 0x3f)));
		}
	}
}

/* -- bytes to characters -------------------------------------------------------------------------------- */

/* ESC was read: swallows "[ROW;COLUMN R", a late answer; anything else is given back. */
static bool late_answer(struct terminal *t)
{
	uint8_t seen[16];
	size_t n = 0;
	int byte = 0;

	while (n < sizeof(seen) && (byte = terminal_byte(t, ESCAPE_MS)) >= 0) {
		seen[n++] = (uint8_t)byte;
		if (n == 1 ? byte != '[' : (byte < '0' || byte > '9') && byte != ';')
			break;
	}
	if (n > 4 && byte == 'R' && memchr(seen, ';', n) != NULL)
		return true;
	terminal_unread(t, seen, n);
	return false;
}

/* The character that begins with this byte; U+FFFD when it is none. */
static wchar_t decode(struct terminal *t, int byte)
{
	char s[5] = {(char)byte};
	size_t want = byte >= 0xf0 ? 4 : byte >= 0xe0 ? 3 : byte >= 0xc2 ? 2 : 1, n = 1, len;

	while (n < want) {
		int next = terminal_byte(t, ESCAPE_MS);
		if (next >= 0 && (next & 0xc0) != 0x80)
			terminal_unread(t, &(uint8_t){(uint8_t)next}, 1);
		if (next < 0 || (next & 0xc0) != 0x80)
			break;
		s[n++] = (char)next;
	}
	uint32_t c = text_char(s, &len);
	return c == TEXT_BAD || len != n ? 0xfffd : (wchar_t)c;
}

/* A line that is too long: all up to its end. */
static void swallow_line(struct terminal *t)
{
	int byte;

	do
		byte = terminal_byte(t, -1);
	while (byte == TERMINAL_RESIZED || (byte >= 0 && byte != '\n' && byte != '\r' && byte != 3));
}

static size_t length_now(EditLine *el)
{
	const LineInfoW *l = el_wline(el);

	return (size_t)(l->lastchar - l->buffer);
}

/* What ends the line from outside: libedit sees an end of file. */
static int end_with(struct editor *e, enum edit_result result)
{
	e->result = result;
	return 0;
}

/*
 * More than one character came at once, as a paste or a slow terminal sends them: they are put into the line
 * together, and it is painted once. False when there are not two that mean nothing but themselves.
 */
static bool take_piece(struct editor *e, int byte)
{
	wchar_t *piece;
	size_t n = 0;

	if (e->pending != NULL || byte < 0x20 || byte == 0x7f || byte == '?' || !terminal_has_more(e->t))
		return false;
	piece = calloc(PIECE_MAX + 1, sizeof(*piece));
	if (piece == NULL)
		abort();
	for (;;) {
		piece[n++] = byte < 0x80 ? (wchar_t)byte : decode(e->t, byte);
		if (n == PIECE_MAX || !terminal_has_more(e->t))
			break;
		byte = terminal_byte(e->t, 0);
		if (byte < 0x20 || byte == 0x7f || byte == '?') {
			if (byte >= 0)
				terminal_unread(e->t, &(uint8_t){(uint8_t)byte}, 1);
			break;
		}
	}
	e->pending = piece;
	e->cursor = (int)n;
	return true;
}

/* Is this byte of an escape sequence? libedit reads those a character at a time. */
static bool in_sequence(struct editor *e, int byte)
{
	bool was = e->sequence > 0;

	if (byte == 033)
		e->sequence = 1;
	else if (was && (byte < 0x20 || e->sequence > SEQUENCE_MAX ||
				(byte >= 0x40 && !(e->sequence == 1 && (byte == '[' || byte == 'O')))))
		e->sequence = 0;
	else if (was)
		e->sequence++;
	return was || byte == 033;
}

static int read_character(EditLine *el, wchar_t *ret)
{
	struct editor *e;

	el_wget(el, EL_CLIENTDATA, &e);
	for (;;) {
		int byte = terminal_byte(e->t, e->idle_so_far > 0 ? EDIT_IDLE_MORE_MS : e->idle_ms);
		if (byte == TERMINAL_RESIZED) {
			el_resize(el);
			continue;
		}
		if (byte == TERMINAL_TIMEOUT) {
			e->idle_so_far += (unsigned)(e->idle_so_far > 0 ? EDIT_IDLE_MORE_MS : e->idle_ms);
			if (!e->idle(e->arg, e->idle_so_far / 1000))
				return end_with(e, EDIT_IDLE);
			continue;
		}
		e->idle_so_far = 0;
		if (byte == TERMINAL_INTERRUPT ||
			byte == CTRL_C) /* also in the middle of an escape sequence */
			return end_with(e, EDIT_INTERRUPT);
		if (byte < 0)
			return end_with(e, EDIT_END);
		if (byte == 0 || (byte == 033 && late_answer(e->t)))
			continue;
		if (length_now(el) >= LINE_BYTES_MAX / 4 && byte >= 0x20) {
			swallow_line(e->t);
			return end_with(e, EDIT_TOO_LONG);
		}
		bool inside = in_sequence(e, byte);
		if (!inside && take_piece(e, byte)) {
			*ret = GO_ON_KEY;
			return 1;
		}
		*ret = byte < 0x80 ? (wchar_t)byte : decode(e->t, byte);
		return 1;
	}
}

/* -- keys
 * ---------------------------------------------------------------------------------------------------- */

static unsigned char ends_with(EditLine *el, enum edit_result result)
{
	struct editor *e;

	el_wget(el, EL_CLIENTDATA, &e);
	e->result = result;
	return CC_NEWLINE;
}

/* The line goes on with what it was: editor_read() pushes this key. */
static unsigned char on_begin(EditLine *el, int c)
{
	struct editor *e;

	(void)c;
	el_wget(el, EL_CLIENTDATA, &e);
	if (e->pending == NULL)
		return CC_ERROR;
	el_winsertstr(el, e->pending);
	el_cursor(el, e->cursor - (int)wcslen(e->pending));
	free(e->pending);
	e->pending = NULL;
	return CC_REFRESH;
}

static unsigned char on_eof(EditLine *el, int c)
{
	const LineInfoW *l = el_wline(el);

	(void)c;
	if (l->lastchar == l->buffer)
		return ends_with(el, EDIT_EOF);
	if (l->cursor == l->lastchar)
		return CC_ERROR;
	el_cursor(el, 1);
	el_deletestr(el, 1);
	return CC_REFRESH;
}

/* Is the cursor inside a quotation? */
static bool quoting(EditLine *el)
{
	const LineInfoW *l = el_wline(el);
	bool inside = false;

	for (const wchar_t *p = l->buffer; p < l->cursor; p++) {
		if (inside && *p == L'\\' && p + 1 < l->cursor)
			p++;
		else if (*p == L'"')
			inside = !inside;
	}
	return inside;
}

static unsigned char on_help(EditLine *el, int c)
{
	struct editor *e;

	(void)c;
	el_wget(el, EL_CLIENTDATA, &e);
	if (!e->asking && !quoting(el))
		return ends_with(el, EDIT_HELP);
	el_winsertstr(el, L"?");
	return CC_REFRESH;
}

/* Characters of the last n bytes of text. */
static int characters(const char *text, size_t n)
{
	size_t all = strlen(text), count = 0;

	for (size_t i = all - (n < all ? n : all); i < all; i++)
		count += ((unsigned char)text[i] & 0xc0) != 0x80;
	return (int)count;
}

static bool complete_here(struct editor *e)
{
	const LineInfoW *l = el_wline(e->el);
	struct buf before = {0}, insert = {0};
	size_t drop = 0;

	narrow(&before, l->buffer, (size_t)(l->cursor - l->buffer));
	bool done = e->asking ? e->ask_complete(e->ask_arg, buf_str(&before), &drop, &insert)
			      : e->complete(e->arg, buf_str(&before), &drop, &insert);
	if (done) {
		wchar_t *wide = widen(buf_str(&insert));
		if (drop > 0)
			el_deletestr(e->el, characters(buf_str(&before), drop));
		el_winsertstr(e->el, wide);
		free(wide);
	}
	buf_free(&before);
	buf_free(&insert);
	return done;
}

static unsigned char on_complete(EditLine *el, int c)
{
	struct editor *e;

	(void)c;
	el_wget(el, EL_CLIENTDATA, &e);
	if (e->asking)
		return e->ask_complete != NULL && complete_here(e) ? CC_REFRESH : CC_ERROR;
	return complete_here(e) ? CC_REFRESH : ends_with(el, EDIT_COMPLETE);
}

static const struct {
	const wchar_t *key, *function;
} keys[] = {
	{L"^A", L"ed-move-to-beg"},
	{L"^B", L"ed-prev-char"},
	{L"^D", L"sekisho-eof"},
	{L"^E", L"ed-move-to-end"},
	{L"^F", L"ed-next-char"},
	{L"^H", L"em-delete-prev-char"},
	{L"\\177", L"em-delete-prev-char"},
	{L"^I", L"sekisho-complete"},
	{L"^J", L"ed-newline"},
	{L"^M", L"ed-newline"},
	{L"^K", L"ed-kill-line"},
	{L"^L", L"ed-clear-screen"},
	{L"^N", L"ed-next-history"},
	{L"^P", L"ed-prev-history"},
	{L"^R", L"ed-search-prev-history"},
	{L"^U", L"em-kill-line"},
	{L"^W", L"ed-delete-prev-word"},
	{L"^Y", L"em-yank"},
	{L"^]", L"sekisho-begin"},
	{L"?", L"sekisho-help"},
	{L"^[[A", L"ed-prev-history"},
	{L"^[[B", L"ed-next-history"},
	{L"^[[C", L"ed-next-char"},
	{L"^[[D", L"ed-prev-char"},
	{L"^[OA", L"ed-prev-history"},
	{L"^[OB", L"ed-next-history"},
	{L"^[OC", L"ed-next-char"},
	{L"^[OD", L"ed-prev-char"},
	{L"^[[H", L"ed-move-to-beg"},
	{L"^[[F", L"ed-move-to-end"},
	{L"^[OH", L"ed-move-to-beg"},
	{L"^[OF", L"ed-move-to-end"},
	{L"^[[1~", L"ed-move-to-beg"},
	{L"^[[4~", L"ed-move-to-end"},
	{L"^[[3~", L"ed-delete-next-char"},
	{L"^[[200~", L"ed-ignore"},
	{L"^[[201~", L"ed-ignore"},
	{L"^[b", L"ed-prev-word"},
	{L"^[f", L"em-next-word"},
	{L"^[d", L"em-delete-next-word"},
	{L"^[\\177", L"ed-delete-prev-word"},
};

static void bind_keys(EditLine *el)
{
	wchar_t key[8];

	el_wset(el, EL_ADDFN, L"sekisho-begin", L"", on_begin);
	el_wset(el, EL_ADDFN, L"sekisho-eof", L"", on_eof);
	el_wset(el, EL_ADDFN, L"sekisho-help", L"", on_help);
	el_wset(el, EL_ADDFN, L"sekisho-complete", L"", on_complete);
	for (int c = 1; c < 256; c++) {
		swprintf(key, 8, L"\\%03o", (unsigned)c);
		el_wset(el, EL_BIND, key,
			c >= 0x20 && c != 0x7f && (c < 0x80 || c >= 0xa0) ? L"ed-insert" : L"ed-unassigned",
			NULL);
	}
	for (size_t i = 0; i < sizeof(keys) / sizeof(keys[0]); i++)
		el_wset(el, EL_BIND, keys[i].key, keys[i].function, NULL);
}

/* -- the editor
 * ---------------------------------------------------------------------------------------------- */

static wchar_t *show_prompt(EditLine *el)
{
	struct editor *e;

	el_wget(el, EL_CLIENTDATA, &e);
	return (wchar_t *)(uintptr_t)e->prompt;
}

struct editor *editor_new(struct terminal *t, edit_complete_fn *complete,
	bool (*idle)(void *arg, unsigned seconds), void *arg, int idle_ms)
{
	struct editor *e = calloc(1, sizeof(*e));
	HistEventW event;

	if (e == NULL)
		return NULL;
	e->t = t;
	e->complete = complete;
	e->idle = idle;
	e->arg = arg;
	e->idle_ms = idle_ms;
	terminal_mode(t, TERMINAL_WORKING);
	e->el = el_init("sekisho", stdin, stdout, stderr);
	e->history = history_winit();
	if (e->el == NULL || e->history == NULL) {
		editor_free(e);
		return NULL;
	}
	history_w(e->history, &event, H_SETSIZE, HISTORY_LINES);
	history_w(e->history, &event, H_SETUNIQUE, 1);
	el_wset(e->el, EL_CLIENTDATA, e);
	el_wset(e->el, EL_EDITOR, L"emacs");
	el_wset(e->el, EL_SIGNAL, 0);
	el_wset(e->el, EL_HIST, history_w, e->history);
	el_wset(e->el, EL_PROMPT, show_prompt);
	el_wset(e->el, EL_GETCFN, read_character);
	el_wset(e->el, EL_SETTY, L"-d", L"-isig", NULL);
	el_wset(e->el, EL_SETTY, L"-x", L"-echo", L"-icanon", NULL); /* nor does it echo between two lines */
	bind_keys(e->el);
	return e;
}

void editor_free(struct editor *e)
{
	if (e == NULL)
		return;
	if (e->el != NULL)
		el_end(e->el);
	if (e->history != NULL)
		history_wend(e->history);
	free(e->pending);
	free(e);
}

static void set_pending(struct editor *e, wchar_t *text, int cursor)
{
	free(e->pending);
	e->pending = text;
	e->cursor = cursor;
}

/* The line stays: its whole for the next call, what is before the cursor for the caller. */
static void keep_line(struct editor *e, const wchar_t *whole, size_t n, struct buf *ret)
{
	const LineInfoW *l = el_wline(e->el);
	size_t cursor = (size_t)(l->cursor - l->buffer);
	wchar_t *copy = calloc(n + 1, sizeof(*copy));

	if (copy == NULL)
		abort();
	wmemcpy(copy, whole, n);
	set_pending(e, copy, (int)(cursor < n ? cursor : n));
	narrow(ret, whole, cursor < n ? cursor : n);
}

enum edit_result editor_read(struct editor *e, const char *prompt, struct buf *ret)
{
	wchar_t *wide = widen(prompt);
	int n = 0;

	e->prompt = wide;
	e->result = EDIT_LINE;
	e->idle_so_far = 0;
	e->sequence = 0;
	/* libedit goes back to this mode: at no moment does the line echo keys by itself, into what we paint.
	 */
	terminal_mode(e->t, TERMINAL_WORKING);
	if (e->pending != NULL)
		el_wpush(e->el, L"\035");
	const wchar_t *line = el_wgets(e->el, &n);
	fflush(stdout); /* libedit may leave half a sequence in its buffer, and we write past it */
	if (line == NULL && e->result == EDIT_LINE)
		e->result = EDIT_END;
	if (line != NULL && (e->result == EDIT_HELP || e->result == EDIT_COMPLETE)) {
		keep_line(e, line, (size_t)n, ret);
	} else if (line != NULL && e->result == EDIT_LINE) {
		while (n > 0 && (line[n - 1] == L'\n' || line[n - 1] == L'\r'))
			n--;
		narrow(ret, line, (size_t)n);
	}
	terminal_mode(e->t, TERMINAL_WORKING);
	if (e->result != EDIT_LINE)
		terminal_write(e->t, e->result == EDIT_INTERRUPT ? "^C\r\n" : "\r\n",
			e->result == EDIT_INTERRUPT ? 4 : 2);
	e->prompt = NULL;
	free(wide);
	return e->result;
}

enum edit_result editor_ask(struct editor *e, const char *prompt, struct buf *ret)
{
	e->asking = true;
	enum edit_result result = editor_read(e, prompt, ret);
	e->asking = false;
	return result;
}

void editor_complete(struct editor *e, edit_complete_fn *fn, void *arg)
{
	e->ask_complete = fn;
	e->ask_arg = arg;
}

void editor_remember(struct editor *e, const char *line)
{
	HistEventW event;
	wchar_t *wide = widen(line);

	if (wide[0] != L'\0' && wide[wcsspn(wide, L" \t")] != L'\0')
		history_w(e->history, &event, H_ENTER, wide);
	free(wide);
}
