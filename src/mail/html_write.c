/*
 * html_write.c: characters become lines. Spaces join; line ends are due (`breaks`) until there is text for the next line, so
 * that empty elements leave nothing; long runs of blanks and invisible characters (the filler behind a preheader) vanish.
 *
 * Between Chinese and Japanese characters a line end of the source is no space: that is how such text is broken in files.
 */
#include "html_private.h"

#include "bytes.h"

#define BLANKS_MAX 8u /* no-break or wide spaces in a row that are somebody's layout; more is filler */
#define BREAKS_MAX 3u /* two empty lines */

/* Into the row that is held; false: it is not, or no longer. */
static bool put_held(struct html *h, const char *utf8, size_t n)
{
	struct html_row *row = &h->row;

	if (row->fill + n <= HTML_ROW_MAX) {
		bytes_copy(row->text + row->fill, utf8, n);
		row->fill = (uint16_t)(row->fill + n);
		return true;
	}
	html_row_spill(h);
	if (h->breaks > 0 || !h->started) /* the cell had nothing yet */
		html_begin_line(h);
	return false;
}

/* There is more text than may be written: how much of it still is. */
static __attribute__((noinline)) size_t truncate_at(struct html *h, const char *utf8, size_t left)
{
	h->report.truncated = true;
	while (left > 0 && ((uint8_t)utf8[left] & 0xc0) == 0x80)
		left--; /* not within a character */
	h->written += left;
	return left;
}

/* How much of it may be written. */
static inline size_t within(struct html *h, const char *utf8, size_t n)
{
	size_t left = h->options.text_max - h->written;

	if (h->report.truncated)
		return 0;
	if (n > left)
		return truncate_at(h, utf8, left);
	h->written += n;
	return n;
}

void html_put(struct html *h, const char *utf8, size_t n)
{
	h->row.mixed |= h->held;
	if (!h->held || !put_held(h, utf8, n))
		mailtext_put(&h->filter, utf8, within(h, utf8, n));
}

void html_put_run(struct html *h, const char *utf8, size_t n)
{
	if (!h->held || !put_held(h, utf8, n))
		mailtext_put_run(&h->filter, utf8, within(h, utf8, n));
}

/* An ASCII character; in a row no line end. */
static inline void put_ascii(struct html *h, char c)
{
	if (h->held && put_held(h, &c, 1))
		return;
	if (within(h, &c, 1) > 0)
		mailtext_put_ascii(&h->filter, c);
}

/* s: characters that are kept, and blanks. */
static void put_times(struct html *h, const char *s, unsigned times)
{
	for (unsigned i = 0; i < times; i++)
		html_put_run(h, s, strlen(s));
}

/* At most HTML_QUOTES times "> ", without the last blank if it is an empty line. */
static void put_quotes(struct html *h, unsigned quotes, bool empty)
{
	static const char marks[] = "> > > > > > > > ";

	_Static_assert(sizeof(marks) > HTML_QUOTES * 2, "a mark for each");
	if (quotes > 0)
		html_put_run(h, marks, quotes * 2 - empty);
}

static void indent(struct html *h, unsigned depth)
{
	static const char blanks[] = "                  ";

	_Static_assert(sizeof(blanks) > (HTML_LISTS + 1) * 2, "two for each");
	if (depth > 0)
		html_put_run(h, blanks, depth * 2);
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
	html_put_run(h, s + at, sizeof(s) - at);
}

static void put_bullet(struct html *h, unsigned depth)
{
	const struct html_list *list = depth > 0 && depth <= HTML_LISTS ? &h->lists[depth - 1] : NULL;

	switch ((enum bullet)h->bullet) {
	case BULLET_ITEM:
		indent(h, depth > 0 ? depth - 1 : 0);
		if (list != NULL && list->ordered)
			put_number(h, list->number);
		else
			put_times(h, h->options.english ? "* " : "・", 1);
		break;
	case BULLET_HEADING:
		put_times(h, "■ ", 1);
		break;
	case BULLET_DEFINITION:
		indent(h, depth + 1);
		break;
	case BULLET_NONE:
		indent(h, depth);
		break;
	}
	h->bullet = BULLET_NONE;
}

void html_begin_line(struct html *h)
{
	uint8_t quotes = h->nquotes < HTML_QUOTES ? (uint8_t)h->nquotes : HTML_QUOTES;
	uint8_t both = quotes < h->line_quotes ? quotes : h->line_quotes;

	for (unsigned i = 0; h->started && i < h->breaks; i++) {
		if (i > 0) /* an empty line */
			put_quotes(h, both, true);
		put_ascii(h, '\n');
	}
	h->breaks = 0;
	h->started = true;
	h->line_quotes = quotes;
	put_quotes(h, quotes, false);
	if (h->bullet != BULLET_NONE || h->nlists > 0)
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

	if (n + h->wides == 0 && !h->newline) { /* most are single */
		if (h->last != 0)
			put_ascii(h, ' ');
		h->space = false;
		return;
	}
	if (n > BLANKS_MAX || (n == 0 && h->space))
		n = h->last == 0 ? 0 : 1;
	if (h->newline && h->spaces == 0 && is_east_asian(h->last) && is_east_asian(p))
		n = 0;
	for (; n > 0; n--)
		put_ascii(h, ' ');
	if (h->wides > 0)
		put_times(h, "\xe3\x80\x80", h->wides > BLANKS_MAX ? h->last != 0 : h->wides);
	h->space = h->newline = false;
	h->spaces = h->wides = 0;
}

/* In a row that is held: does it stay so? */
static void begin_held(struct html *h)
{
	bool data = h->row.table <= HTML_TABLES && (h->table_kinds[h->row.table - 1] & TABLE_DATA);
	bool empty = html_cell_empty(h);
	bool own = h->bullet == BULLET_ITEM || (h->bullet == BULLET_HEADING && !data);

	if (h->row.cells == 0 || own || (h->breaks > 0 && !empty && !data))
		html_row_spill(h);
	else if (h->breaks > 0 && !empty)
		h->space = true, h->newline = false;
	if (h->held) {
		h->breaks = 0;
		h->bullet = BULLET_NONE;
	}
}

/* Everything that is due before a character. */
static inline void begin_text(struct html *h, uint32_t p)
{
	if (h->held && (h->row.cells == 0 || h->breaks > 0 || h->bullet != BULLET_NONE))
		begin_held(h);
	if (!h->held && (h->breaks > 0 || !h->started))
		html_begin_line(h);
	if (h->space || h->newline || h->spaces > 0 || h->wides > 0)
		put_blanks(h, p);
}

static unsigned utf8_length(uint32_t p)
{
	return p < 0x80 ? 1 : p < 0x800 ? 2 : p < 0x10000 ? 3 : 4;
}

/* In a row that is held, or near the end of what may be written. */
static __attribute__((noinline)) void put_wide_with_care(struct html *h, uint32_t p)
{
	char s[4];
	size_t n = mailtext_utf8(p, s);

	h->row.mixed |= h->held;
	if ((!h->held || !put_held(h, s, n)) && within(h, s, n) == n)
		mailtext_put_char(&h->filter, p);
}

static void put_wide(struct html *h, uint32_t p)
{
	if (h->held || h->report.truncated || h->options.text_max - h->written < 4) {
		put_wide_with_care(h, p);
		return;
	}
	h->written += utf8_length(p);
	mailtext_put_char(&h->filter, p);
}

static inline void put_visible(struct html *h, uint32_t p)
{
	begin_text(h, p);
	h->row.mixed |= p == '/';
	if (p < 0x80)
		put_ascii(h, (char)p);
	else
		put_wide(h, p);
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

/* May the next character be written, but for a single blank? */
static inline bool is_idle(const struct html *h)
{
	return h->hinders == 0 && h->started && !h->report.truncated && h->options.text_max - h->written >= 8;
}

static __attribute__((noinline)) void text_with_care(struct html *h, uint32_t p, enum mailtext_class class)
{
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

void html_text(struct html *h, uint32_t p)
{
	enum mailtext_class class = p - 0x21 < 0x5e ? MAILTEXT_KEEP : mailtext_class(p);

	if (class != MAILTEXT_KEEP || !is_idle(h) || (h->newline && p >= 0x2e80)) {
		text_with_care(h, p, class);
		return;
	}
	if (h->space) {
		h->space = h->newline = false;
		h->written += h->last != 0;
		if (h->last != 0)
			mailtext_put_ascii(&h->filter, ' ');
	}
	h->written += utf8_length(p);
	h->last = p;
	if (p < 0x80)
		mailtext_put_ascii(&h->filter, (char)p);
	else
		mailtext_put_char(&h->filter, p);
}

/* Characters that nobody sees, and how many of them are no blanks. */
static size_t hidden_run(struct html *h, const char *s, size_t n)
{
	uint32_t last;
	uint64_t letters = 0;

	if (h->rp || h->hide == SCOPE_DROP) {
		const char *end = memchr(s, '<', n);
		return end != NULL ? (size_t)(end - s) : n;
	}
	size_t run = mailtext_run(s, n, &last);
	for (size_t i = 0; i < run; i++)
		letters += s[i] != ' ' && ((uint8_t)s[i] & 0xc0) != 0x80;
	h->report.hidden += letters;
	h->report.hidden_runs += run > 0 && !h->hidden_run;
	h->hidden_run |= run > 0;
	return run;
}

/* The first character of right UTF-8 that is no ASCII. */
static uint32_t first_of(const char *utf8)
{
	const uint8_t *s = (const uint8_t *)utf8;

	if (s[0] < 0xe0)
		return (s[0] & 0x1fu) << 6 | (s[1] & 0x3fu);
	if (s[0] < 0xf0)
		return (s[0] & 0x0fu) << 12 | (s[1] & 0x3fu) << 6 | (s[2] & 0x3fu);
	return (s[0] & 0x07u) << 18 | (s[1] & 0x3fu) << 12 | (s[2] & 0x3fu) << 6 | (s[3] & 0x3fu);
}

size_t html_text_run(struct html *h, const char *utf8, size_t n)
{
	uint32_t last;

	if (h->hide != SCOPE_NONE || h->rp)
		return hidden_run(h, utf8, n);
	/* Where the text may be cut within it, a link has only what was written. */
	if (h->link && h->options.text_max - h->written < 4 * HTML_ROW_MAX)
		return 0;
	if (h->link && n > HTML_ROW_MAX)
		n = HTML_ROW_MAX;
	size_t run = mailtext_run(utf8, n, &last);
	if (run == 0)
		return 0;
	h->fresh = false;
	begin_text(h, (uint8_t)utf8[0] < 0x80 ? (uint8_t)utf8[0] : first_of(utf8));
	html_put_run(h, utf8, run);
	h->last = last;
	if (h->link)
		html_link_run(h, utf8, run);
	return run;
}

size_t html_text_blanks(struct html *h, const char *utf8, size_t n)
{
	size_t i = 0;
	bool newline = false;

	if (h->fresh) {
		html_text(h, (uint8_t)utf8[0]);
		return 1;
	}
	if (h->pre && h->hide == SCOPE_NONE && !h->rp) {
		for (; i < n && html_is_space((uint8_t)utf8[i]); i++)
			take_blank(h, (uint8_t)utf8[i]);
		return i;
	}
	for (; i < n && html_is_space((uint8_t)utf8[i]); i++)
		newline |= utf8[i] == '\n';
	if (h->hide == SCOPE_NONE && !h->rp) {
		h->space = true;
		h->newline |= newline;
	}
	return i;
}

/* The beginning and the end of what is said, for the blanks around it; n > 0. Not all of ours is one language. */
static uint32_t edge(char c)
{
	return c > 0 ? (uint8_t)c : 0x3001;
}

void html_say(struct html *h, const char *utf8, size_t n)
{
	if (h->hide != SCOPE_NONE)
		return;
	begin_text(h, edge(utf8[0]));
	html_put(h, utf8, n);
	h->last = edge(utf8[n - 1]);
}

void html_say_mark(struct html *h, const char *utf8, size_t n)
{
	if (h->hide != SCOPE_NONE)
		return;
	begin_text(h, edge(utf8[0]));
	html_put_run(h, utf8, n);
	h->last = edge(utf8[n - 1]);
}
