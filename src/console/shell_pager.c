/*
 * shell_pager.c: `--More--`.
 *
 * Every key has an answer: space shows a page, Enter a line, q and Ctrl-C end, any other key says so. It
 * starts no program and knows no commands. Lines are made safe once more on their way out, so that nothing
 * that a command forgot reaches the terminal as a control character; a line is broken at a blank where one is
 * near, and never through a character.
 */
#include "shell_pager.h"

#include "shell_terminal.h"
#include "text.h"

#include <sekisho/i18n.h>

#include <string.h>

#define TAB_COLUMNS 8
#define CTRL_C 3
#define CTRL_D 4

void pager_begin(struct pager *p, struct terminal *t, bool paging)
{
	*p = (struct pager){.t = t, .paging = paging, .left = t->rows - 1};
}

static void show(struct pager *p, const char *text)
{
	p->written = true;
	if (!terminal_write(p->t, text, strlen(text)))
		p->stopped = true;
}

static void wipe(struct pager *p, size_t columns)
{
	struct buf b = {0};

	buf_addc(&b, '\r');
	text_spaces(&b, columns);
	buf_addc(&b, '\r');
	show(p, buf_str(&b));
	buf_free(&b);
}

/* The first that fits the terminal. */
static const char *prompt(const struct pager *p, bool explain)
{
	const char *texts[] = {_("--More-- space: a page  Enter: a line  q: end"),
		_("--More-- space Enter q"), _("--More--")};

	for (size_t i = explain ? 0 : 2; i < 3; i++)
		if (text_width(texts[i]) < p->t->columns)
			return texts[i];
	return "--";
}

/* Waits for a key that means something. */
static void wait_key(struct pager *p)
{
	bool explain = false;

	terminal_mode(p->t, TERMINAL_KEYS);
	while (!p->stopped) {
		const char *text = prompt(p, explain);
		show(p, text);
		int key = p->stopped ? TERMINAL_END : terminal_byte(p->t, -1);
		wipe(p, text_width(text));
		if (key == ' ')
			p->left = p->t->rows - 1;
		else if (key == '\r' || key == '\n')
			p->left = 1;
		else if (key == 'q' || key == 'Q' || key == CTRL_C || key == CTRL_D || key == TERMINAL_END ||
			 key == TERMINAL_INTERRUPT)
			p->stopped = true;
		else
			explain = key != TERMINAL_RESIZED;
		if (p->left > 0)
			break;
	}
	terminal_mode(p->t, TERMINAL_WORKING);
}

static void show_row(struct pager *p, const char *row, size_t n)
{
	struct buf b = {0};

	if (p->paging && p->left == 0)
		wait_key(p);
	if (p->stopped)
		return;
	buf_add(&b, row, n);
	buf_adds(&b, "\r\n");
	show(p, buf_str(&b));
	buf_free(&b);
	if (p->left > 0)
		p->left--;
}

/* Where a row that begins at s ends: behind a blank when there is one in its last third; *ret_next: where the
 * next begins. */
static size_t row_end(const char *s, size_t columns, size_t *ret_next)
{
	size_t at = 0, used = 0, blank = 0, len;

	while (s[at] != '\0') {
		size_t width = text_char_width(text_char(s + at, &len));
		if (used + width > columns)
			break;
		used += width;
		at += len;
		if (s[at - len] == ' ' && used > columns - columns / 3)
			blank = at;
	}
	*ret_next = s[at] != '\0' && blank > 0 ? blank : at;
	if (s[at] == '\0' || blank == 0)
		return at;
	return blank - 1;
}

/* Tabs become blanks, all else what text_safe() makes of it. */
static void make_safe(struct buf *out, const char *line)
{
	struct buf piece = {0};

	for (const char *tab; *line != '\0'; line = tab) {
		tab = strchrnul(line, '\t');
		buf_clear(&piece);
		buf_add(&piece, line, (size_t)(tab - line));
		text_safe(out, buf_str(&piece));
		if (*tab == '\t') {
			text_spaces(out, TAB_COLUMNS - text_width(buf_str(out)) % TAB_COLUMNS);
			tab++;
		}
	}
	buf_free(&piece);
}

void pager_line(struct pager *p, const char *line)
{
	struct buf safe = {0};
	size_t next = 0;

	if (p->stopped)
		return;
	make_safe(&safe, line);
	const char *at = buf_str(&safe);
	do {
		size_t n = row_end(at, p->t->columns, &next);
		show_row(p, at, n);
		at += next;
	} while (*at != '\0' && !p->stopped);
	buf_free(&safe);
}

void pager_text(struct pager *p, const char *text)
{
	struct buf line = {0};

	for (const char *end; *text != '\0' && !p->stopped; text = *end == '\0' ? end : end + 1) {
		end = strchrnul(text, '\n');
		buf_clear(&line);
		buf_add(&line, text, (size_t)(end - text));
		pager_line(p, buf_str(&line));
	}
	buf_free(&line);
}
