/*
 * html_write.c: characters become lines. Spaces join; line ends are due (`breaks`) until there is text for the next line, so
 * that empty elements leave nothing; long runs of blanks and invisible characters (the filler behind a preheader) vanish.
 *
 * Between Chinese and Japanese characters a line end of the source is no space: that is how such text is broken in files.
 */
#include "html_private.h"

#define BLANKS_MAX 8u /* no-break or wide spaces in a row that are somebody's layout; more is filler */
#define BREAKS_MAX 3u /* two empty lines */

void html_put(struct html *h, const char *utf8, size_t n)
{
	if (h->row.mode == ROW_HELD) {
		if (h->row.fill + n <= HTML_ROW_MAX) {
			memcpy(h->row.text + h->row.fill, utf8, n);
			h->row.fill = (uint16_t)(h->row.fill + n);
			return;
		}
		html_row_spill(h);
		if (h->breaks > 0 || !h->started) /* the cell had nothing yet */
			html_begin_line(h);
	}
	if (h->report.truncated)
		return;
	if (n > h->options.text_max - h->written) {
		h->report.truncated = true;
		n = h->options.text_max - h->written;
		while (n > 0 && ((uint8_t)utf8[n] & 0xc0) == 0x80)
			n--; /* not within a character */
	}
	h->written += n;
	mailtext_put(&h->filter, utf8, n);
}

static void put_times(struct html *h, const char *s, unsigned times)
{
	for (unsigned i = 0; i < times; i++)
		html_put(h, s, strlen(s));
}

static void put_number(struct html *h, uint32_t n)
{
	char s[16];
	size_t at = sizeof(s);

	s[--at] = ' ';
	s[--at] = '.';
	do
		s[--at] = (char)('0' + n % 10);
	while ((n /= 10) > 0);
	html_put(h, s + at, sizeof(s) - at);
}

static void put_bullet(struct html *h, unsigned depth)
{
	const struct html_list *list = depth > 0 && depth <= HTML_LISTS ? &h->lists[depth - 1] : NULL;

	switch ((enum bullet)h->bullet) {
	case BULLET_ITEM:
		put_times(h, "  ", depth > 0 ? depth - 1 : 0);
		if (list != NULL && list->ordered)
			put_number(h, list->number);
		else
			put_times(h, h->options.english ? "* " : "・", 1);
		break;
	case BULLET_HEADING:
		put_times(h, "■ ", 1);
		break;
	case BULLET_DEFINITION:
		put_times(h, "  ", depth + 1);
		break;
	case BULLET_NONE:
		put_times(h, "  ", depth);
		break;
	}
	h->bullet = BULLET_NONE;
}

void html_begin_line(struct html *h)
{
	uint8_t quotes = h->nquotes < HTML_QUOTES ? (uint8_t)h->nquotes : HTML_QUOTES;
	uint8_t both = quotes < h->line_quotes ? quotes : h->line_quotes;

	for (unsigned i = 0; h->started && i < h->breaks; i++) {
		if (i > 0 && both > 0) { /* an empty line of a quote */
			put_times(h, "> ", both - 1u);
			html_put(h, ">", 1);
		}
		html_put(h, "\n", 1);
	}
	h->breaks = 0;
	h->started = true;
	h->line_quotes = quotes;
	put_times(h, "> ", quotes);
	put_bullet(h, h->nlists < HTML_LISTS ? h->nlists : HTML_LISTS);
	h->last = 0;
}

static bool is_east_asian(uint32_t p)
{
	return p >= 0x2e80 && mailtext_width(p) == 2 && !(p >= 0xac00 && p <= 0xd7a3) && p < 0x1f000;
}

/* The blanks before p. Those at the beginning of a line are kept only if they were meant: no-break or wide ones. */
static void put_blanks(struct html *h, uint32_t p)
{
	unsigned n = h->spaces;

	if (n > BLANKS_MAX || (n == 0 && h->space))
		n = h->last == 0 ? 0 : 1;
	if (h->newline && h->spaces == 0 && is_east_asian(h->last) && is_east_asian(p))
		n = 0;
	put_times(h, " ", n);
	put_times(h, "\xe3\x80\x80", h->wides > BLANKS_MAX ? h->last != 0 : h->wides);
	h->space = h->newline = false;
	h->spaces = h->wides = 0;
}

/* Everything that is due before a character. */
static void begin_text(struct html *h, uint32_t p)
{
	if (h->row.mode == ROW_HELD) {
		bool data = h->row.table <= HTML_TABLES && (h->table_kinds[h->row.table - 1] & TABLE_DATA);
		bool empty = html_cell_empty(h);
		bool own = h->bullet == BULLET_ITEM || (h->bullet == BULLET_HEADING && !data);
		if (h->row.cells == 0 || own || (h->breaks > 0 && !empty && !data))
			html_row_spill(h);
		else if (h->breaks > 0 && !empty)
			h->space = true, h->newline = false;
		if (h->row.mode == ROW_HELD) {
			h->breaks = 0;
			h->bullet = BULLET_NONE;
		}
	}
	if (h->row.mode != ROW_HELD && (h->breaks > 0 || !h->started))
		html_begin_line(h);
	put_blanks(h, p);
}

static void put_visible(struct html *h, uint32_t p)
{
	char s[4];

	begin_text(h, p);
	html_put(h, s, mailtext_utf8(p, s));
	h->last = p;
}

void html_line(struct html *h)
{
	h->space = h->newline = false;
	h->spaces = h->wides = 0;
	if (h->hide == SCOPE_NONE && h->breaks < BREAKS_MAX)
		h->breaks++;
}

void html_break(struct html *h, unsigned n)
{
	if (h->hide != SCOPE_NONE)
		return;
	/* A block of nothing but a no-break space: that is how word processors write an empty line. */
	if (h->spaces > 0 && h->spaces <= BLANKS_MAX && h->breaks > 0 && n < 2)
		n = 2;
	h->space = h->newline = false;
	h->spaces = h->wides = 0;
	if (h->breaks < n && !(h->bullet == BULLET_ITEM && h->breaks > 0)) /* <li><p>: on one line */
		h->breaks = (uint8_t)n;
}

static void take_blank(struct html *h, uint32_t p)
{
	if (h->pre && p == '\n')
		html_line(h);
	else if (p == 0x3000)
		h->wides = h->wides < 255 ? h->wides + 1 : 255;
	else if (h->pre && p == '\t')
		h->spaces = (uint8_t)(h->spaces < 200 ? h->spaces + 4 : 200);
	else if ((h->pre && p == ' ') || !html_is_space(p))
		h->spaces = h->spaces < 255 ? h->spaces + 1 : 255;
	else
		h->space = true, h->newline |= p == '\n';
}

void html_text(struct html *h, uint32_t p)
{
	enum mailtext_class class = mailtext_class(p);

	if (class == MAILTEXT_DROP || h->rp)
		return;
	if (h->hide != SCOPE_NONE) {
		bool letter = class != MAILTEXT_SPACE && class != MAILTEXT_BREAK;
		if (letter && h->hide != SCOPE_DROP) {
			h->report.hidden++;
			h->report.hidden_runs += !h->hidden_run;
			h->hidden_run = true;
		}
		return;
	}
	bool fresh = h->fresh;
	h->fresh = false;
	if (fresh && p == '\n') /* the one behind <pre> does not count */
		return;
	if (class == MAILTEXT_SPACE || class == MAILTEXT_BREAK) {
		take_blank(h, p);
		return;
	}
	put_visible(h, p);
	if (h->link)
		html_link_text(h, p);
}

size_t html_text_run(struct html *h, const char *utf8, size_t n)
{
	uint32_t last;

	if (h->hide != SCOPE_NONE || h->rp || h->link || h->pre)
		return 0;
	size_t run = mailtext_run(utf8, n, "<&<&", &last);
	if (run == 0)
		return 0;
	h->fresh = false;
	begin_text(h, (uint8_t)utf8[0] < 0x80 ? (uint8_t)utf8[0] : 0x3042); /* kana and Chinese are alike here */
	html_put(h, utf8, run);
	h->last = last;
	return run;
}

void html_say(struct html *h, const char *utf8)
{
	if (h->hide != SCOPE_NONE)
		return;
	size_t n = strlen(utf8);
	begin_text(h, n > 0 && utf8[0] > 0 ? (uint8_t)utf8[0] : 0x3001);
	html_put(h, utf8, n);
	h->last = n > 0 && utf8[n - 1] > 0 ? (uint8_t)utf8[n - 1] : 0x3001;
}
