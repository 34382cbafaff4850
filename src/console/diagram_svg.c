/*
 * diagram_svg.c: the diagram as a picture (SVG 1.1): a box for each segment, the gate as a bar below them, and below it a line
 * down from each segment, between which each approved flow is an arrow with its name.
 *
 * Texts are escaped; nothing in the file is fetched, run or linked. Widths of text are reckoned as on a terminal, half an
 * em for a column, and what does not fit is cut with "…".
 */
#include "diagram.h"

#include "console.h"
#include "text.h"

#include <string.h>

enum {
	BOX = 300,    /* width of a segment's box */
	GAP = 50,     /* between boxes */
	MARGIN = 20,
	ROW = 17,     /* height of a line of text */
	SIZE = 12,    /* of letters; a column of text is half of it */
	ARROW = 24,   /* height for a flow */
	COLUMNS = (BOX - 20) / (SIZE / 2),
};

static void put_xml(struct buf *out, const char *text)
{
	struct buf safe = {0};

	text_safe(&safe, text);
	for (const char *p = buf_str(&safe); *p != '\0'; p++)
		switch (*p) {
		case '&':
			buf_adds(out, "&amp;");
			break;
		case '<':
			buf_adds(out, "&lt;");
			break;
		case '>':
			buf_adds(out, "&gt;");
			break;
		case '"':
			buf_adds(out, "&quot;");
			break;
		default:
			buf_addc(out, *p);
		}
	buf_free(&safe);
}

/* Text that starts (or, "middle", is centred) at a point, cut to so many columns. */
static void put_text(struct buf *out, int x, int y, const char *class, const char *text, size_t columns)
{
	struct buf cut = {0};
	size_t width = 0, n;

	for (const char *p = text; *p != '\0'; p += n) {
		uint32_t c = text_char(p, &n);
		width += c == TEXT_BAD ? 1 : text_char_width(c);
		if (width > columns) {
			buf_adds(&cut, "…");
			break;
		}
		buf_add(&cut, p, n);
	}
	buf_printf(out, "<text x=\"%d\" y=\"%d\" class=\"%s\">", x, y, class);
	put_xml(out, buf_str(&cut));
	buf_adds(out, "</text>\n");
	buf_free(&cut);
}

static int column_x(size_t segment)
{
	return MARGIN + (int)segment * (BOX + GAP);
}

static int line_x(uint32_t segment)
{
	return column_x(segment) + BOX / 2;
}

/* One row of a box as lines, broken at blanks; returns the y below. out NULL: only measures. */
static int put_row(struct buf *out, int x, int y, const struct diagram_row *r)
{
	struct buf line = {0};

	buf_printf(&line, "%s%s", r->heading, r->heading[0] == '\0' ? "" : ":");
	for (const char *p = r->text; *p != '\0';) {
		size_t n = strcspn(p, " ");
		struct buf longer = {0};
		buf_printf(&longer, "%s %.*s", buf_str(&line), (int)n, p);
		if (line.len > 0 && text_width(buf_str(&longer)) > COLUMNS) {
			if (out != NULL)
				put_text(out, x, y, "row", buf_str(&line), COLUMNS);
			y += ROW;
			buf_clear(&line);
			buf_printf(&line, "  %.*s", (int)n, p);
		} else {
			buf_clear(&line);
			buf_add(&line, longer.data, longer.len);
		}
		buf_free(&longer);
		p += n + (p[n] == ' ');
	}
	if (out != NULL)
		put_text(out, x, y, "row", buf_str(&line), COLUMNS);
	buf_free(&line);
	return y + ROW;
}

static int box_height(const struct diagram_segment *s)
{
	int y = ROW + 14;

	for (size_t i = 0; i < s->nrows; i++)
		y = put_row(NULL, 0, y, &s->rows[i]);
	return y + 6;
}

static void put_box(struct buf *out, const struct diagram_segment *s, int x, int height)
{
	int y = 60 + ROW;

	buf_printf(out, "<rect x=\"%d\" y=\"60\" width=\"%d\" height=\"%d\" class=\"segment\"/>\n", x, BOX, height);
	put_text(out, x + 10, y, "label", s->label, COLUMNS - 4);
	y += ROW + 4;
	for (size_t i = 0; i < s->nrows; i++)
		y = put_row(out, x + 10, y, &s->rows[i]);
}

/* An arrow between two lines down, or back to the same one, with its name above. */
static void put_arrow(struct buf *out, uint32_t from, uint32_t to, int y, const char *name)
{
	int a = line_x(from), b = line_x(to);
	size_t columns = (size_t)((from == to ? BOX / 2 : BOX + GAP) - 16) / (SIZE / 2);

	if (from == to) {
		buf_printf(out, "<path d=\"M%d %d h40 v8 h-36\" class=\"flow\" marker-end=\"url(#head)\"/>\n", a, y - 8);
		put_text(out, a + 46, y, "name", name, columns);
		return;
	}
	buf_printf(out, "<line x1=\"%d\" y1=\"%d\" x2=\"%d\" y2=\"%d\" class=\"flow\" marker-end=\"url(#head)\"/>\n", a, y,
		a < b ? b - 2 : b + 2, y);
	put_text(out, a < b ? a + 8 : b + 20, y - 4, "name", name, columns);
}

static int put_ways(struct buf *out, const struct diagram *d, int y)
{
	for (size_t i = 0; i < d->nways; i++) {
		const struct diagram_way *w = &d->ways[i];
		for (size_t k = 0; k < w->shown; k++, y += ARROW)
			put_arrow(out, w->from, w->to, y, w->names[k]);
		if (w->n > w->shown) {
			struct buf more = {0};
			buf_printf(&more, _("and %zu more"), w->n - w->shown);
			put_arrow(out, w->from, w->to, y, buf_str(&more));
			buf_free(&more);
			y += ARROW;
		}
	}
	return y;
}

static int count_arrows(const struct diagram *d)
{
	size_t n = 0;

	for (size_t i = 0; i < d->nways; i++)
		n += d->ways[i].shown + (d->ways[i].n > d->ways[i].shown);
	return (int)n;
}

static void put_head(struct buf *out, int width, int height)
{
	buf_printf(out,
		"<?xml version=\"1.0\" encoding=\"UTF-8\"?>\n"
		"<svg xmlns=\"http://www.w3.org/2000/svg\" width=\"%d\" height=\"%d\" viewBox=\"0 0 %d %d\">\n"
		"<defs><marker id=\"head\" markerWidth=\"9\" markerHeight=\"8\" refX=\"8\" refY=\"4\" orient=\"auto\">"
		"<path d=\"M0 0 L9 4 L0 8 z\" fill=\"#1a5fb4\"/></marker></defs>\n"
		"<style>text{font-family:'Noto Sans CJK JP','Noto Sans JP','Yu Gothic','Hiragino Sans',sans-serif;font-size:%dpx;"
		"fill:#222}.title{font-size:16px;font-weight:bold}.label{font-weight:bold}.name{font-size:11px}"
		".segment{fill:#f4f6f8;stroke:#445;stroke-width:1.5}.gate{fill:#333;stroke:none}.gatename{fill:#fff;font-weight:bold}"
		".down{stroke:#aab;stroke-width:1.5;stroke-dasharray:4 3}.flow{stroke:#1a5fb4;stroke-width:1.5;fill:none}</style>\n"
		"<rect width=\"%d\" height=\"%d\" fill=\"#fff\"/>\n",
		width, height, width, height, SIZE, width, height);
}

static int put_notes(struct buf *out, const struct diagram *d, int y, size_t columns)
{
	for (int i = 0; i < 2; i++)
		if (d->mail[i] != NULL) {
			put_text(out, MARGIN, y, "row", d->mail[i], columns);
			y += ROW;
		}
	for (size_t i = 0; i < d->nnever; i++, y += ROW) {
		struct buf b = {0};
		buf_printf(&b, "%s %s", _("Never, whatever a policy says:"), d->never[i]);
		put_text(out, MARGIN, y, "row", buf_str(&b), columns);
		buf_free(&b);
	}
	return y;
}

void diagram_svg(const struct diagram *d, struct buf *out)
{
	int tall = 0, width = column_x(d->nsegments) - GAP + MARGIN;

	width = width < 640 ? 640 : width;
	for (size_t i = 0; i < d->nsegments; i++)
		tall = box_height(&d->segments[i]) > tall ? box_height(&d->segments[i]) : tall;
	int gate = 60 + tall + 20, first = gate + 30 + ARROW + 6, last = first + count_arrows(d) * ARROW;
	int notes = (d->mail[0] != NULL) + (d->mail[1] != NULL) + (int)d->nnever;
	struct buf title = {0};

	put_head(out, width, last + 20 + notes * ROW + MARGIN);
	buf_printf(&title, _("Network of the gate %s, by its policy (%s)"), d->gate, d->when);
	put_text(out, MARGIN, 34, "title", buf_str(&title), (size_t)(width - 2 * MARGIN) / 8);
	for (size_t i = 0; i < d->nsegments; i++) {
		int x = line_x((uint32_t)i);
		buf_printf(out, "<line x1=\"%d\" y1=\"%d\" x2=\"%d\" y2=\"%d\" class=\"down\"/>\n", x, 60 + tall, x, last);
		put_box(out, &d->segments[i], column_x(i), tall);
	}
	buf_printf(out, "<rect x=\"%d\" y=\"%d\" width=\"%d\" height=\"26\" class=\"gate\"/>\n", MARGIN, gate,
		width - 2 * MARGIN);
	put_text(out, MARGIN + 10, gate + 18, "gatename", d->gate, COLUMNS);
	put_ways(out, d, first);
	put_notes(out, d, last + 20, (size_t)(width - 2 * MARGIN) / (SIZE / 2));
	buf_adds(out, "</svg>\n");
	buf_free(&title);
}
