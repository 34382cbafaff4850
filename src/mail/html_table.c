/*
 * html_table.c: tables. Most tables of mails are layout: their cells are sections that stand one after the other. Others are
 * data: their rows are read across. Nothing tells them apart before they end, so it is decided row by row: the text of a row
 * is held, and if it is little and each cell is one line, the row is one line, "a | b | c"; else the cells follow each other
 * ("spilled"). A table with <th> or a border is data: its rows are lines however much they hold (up to HTML_ROW_MAX), and
 * "title: value" if there is a title and one value. role=presentation is layout.
 *
 * One row is held at a time, the innermost: a table in a cell spills the row around it.
 */
#include "html_private.h"

#define LINE_COLUMNS 100u /* of a row that is one line */
#define CELL_COLUMNS 60u

static uint8_t *kind_of(struct html *h, unsigned table)
{
	return table > 0 && table <= HTML_TABLES ? &h->table_kinds[table - 1] : NULL;
}

static size_t cell_end(const struct html_row *row, unsigned i)
{
	return i + 1 < row->cells ? row->at[i + 1] : row->fill;
}

static void put_cell(struct html *h, unsigned i)
{
	const struct html_row *row = &h->row;
	const char *s = row->text + row->at[i];
	size_t n = cell_end(row, i) - row->at[i];

	if (row->mixed)
		html_put(h, s, n);
	else
		html_put_run(h, s, n);
}

bool html_cell_empty(const struct html *h)
{
	return h->row.cells == 0 || h->row.at[h->row.cells - 1] == h->row.fill;
}

void html_row_spill(struct html *h)
{
	struct html_row *row = &h->row;
	uint8_t due = h->breaks, *kind = kind_of(h, row->table), bullet = h->bullet;
	bool last = !html_cell_empty(h);
	uint32_t before = h->last;

	h->held = false;
	if (kind != NULL)
		*kind |= TABLE_SPILLED;
	h->breaks = row->need;
	h->bullet = BULLET_NONE;
	for (unsigned i = 0; i < row->cells; i++) {
		size_t n = cell_end(row, i) - row->at[i];
		if (n == 0)
			continue;
		html_begin_line(h);
		put_cell(h, i);
		h->breaks = 1;
	}
	h->bullet = bullet;
	if (last) {
		h->breaks = due;
		h->last = before;
	} else if (h->breaks < due) {
		h->breaks = due;
	}
	row->cells = 0;
	row->fill = 0;
}

static unsigned columns(const char *s, size_t n)
{
	unsigned sum = 0;
	for (size_t i = 0; i < n; i++) /* three bytes and more: nearly all are wide */
		sum += ((uint8_t)s[i] & 0xc0) != 0x80 ? (uint8_t)s[i] >= 0xe2 ? 2 : 1 : 0;
	return sum;
}

/* Is the row readable as one line? */
static bool fits(const struct html_row *row)
{
	unsigned filled = 0, widest = 0;

	for (unsigned i = 0; i < row->cells; i++) {
		unsigned w = columns(row->text + row->at[i], cell_end(row, i) - row->at[i]);
		filled += w > 0;
		widest = w > widest ? w : widest;
	}
	return filled < 2 || (widest <= CELL_COLUMNS && columns(row->text, row->fill) <= LINE_COLUMNS);
}

static void put_row(struct html *h, uint8_t kind)
{
	struct html_row *row = &h->row;
	const char *between = kind & TABLE_LAYOUT ? "  " : " | ";
	bool some = false;

	h->held = false;
	h->breaks = row->need;
	h->bullet = BULLET_NONE;
	html_begin_line(h);
	for (unsigned i = 0; i < row->cells; i++) {
		size_t n = cell_end(row, i) - row->at[i];
		if (n == 0 && !(kind & TABLE_DATA))
			continue;
		if (i == 1 && row->cells == 2 && row->titles == 1)
			html_put_run(h, ": ", some ? 2 : 0);
		else if (some || (i > 0 && (kind & TABLE_DATA)))
			html_put_run(h, between, strlen(between));
		put_cell(h, i);
		some |= n > 0;
	}
	row->cells = 0;
	row->fill = 0;
}

void html_row_end(struct html *h)
{
	uint8_t *kind = kind_of(h, h->ntables);

	if (h->held && h->row.table == h->ntables) {
		if (h->row.fill == 0) {
			h->held = false;
			h->breaks = h->row.need;
			return;
		}
		if ((kind != NULL && (*kind & TABLE_DATA)) || fits(&h->row)) {
			put_row(h, kind != NULL ? *kind : 0);
			html_break(h, 1);
			return;
		}
		html_row_spill(h);
	}
	html_break(h, kind != NULL && (*kind & TABLE_SPILLED) ? 2 : 1);
}

void html_row_begin(struct html *h)
{
	uint8_t *kind = kind_of(h, h->ntables);

	html_row_end(h);
	if (kind == NULL || h->pre || h->held)
		return;
	*kind &= (uint8_t)~TABLE_SPILLED;
	h->held = true;
	h->row.table = (uint16_t)h->ntables;
	h->row.need = h->breaks;
	h->row.cells = h->row.titles = 0;
	h->row.fill = 0;
	h->row.mixed = false;
	h->breaks = 0;
}

void html_cell(struct html *h, bool title)
{
	uint8_t *kind = kind_of(h, h->ntables);
	struct html_row *row = &h->row;

	if (kind != NULL && title)
		*kind |= TABLE_DATA;
	if (kind != NULL && !h->held && !(*kind & TABLE_SPILLED))
		html_row_begin(h); /* a cell without a row */
	if (h->held && row->cells == HTML_CELLS)
		html_row_spill(h);
	if (!h->held) {
		html_break(h, kind != NULL && (*kind & TABLE_SPILLED) ? 2 : 1);
		return;
	}
	if (title && row->cells < 8)
		row->titles |= (uint8_t)(1u << row->cells);
	row->at[row->cells++] = row->fill;
	h->breaks = 0;
	h->bullet = BULLET_NONE;
	h->space = h->newline = false;
	h->spaces = h->wides = 0;
	h->last = 0;
}

void html_table_begin(struct html *h)
{
	if (h->held)
		html_row_spill(h);
	html_break(h, 1);
	if (h->ntables < UINT16_MAX)
		h->ntables++;
	uint8_t *kind = kind_of(h, h->ntables);
	if (kind != NULL)
		*kind = h->tag.layout ? TABLE_LAYOUT : h->tag.border > 0 ? TABLE_DATA : 0;
}

void html_table_end(struct html *h)
{
	if (h->ntables == 0)
		return;
	html_row_end(h);
	uint8_t *kind = kind_of(h, h->ntables);
	html_break(h, kind != NULL && (*kind & TABLE_DATA) ? 2 : 1);
	h->ntables--;
}
