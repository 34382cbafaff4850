/*
 * diagram_text.c: the diagram on a terminal of 80 columns, in lines of ASCII: drawn ones are not equally wide on all terminals.
 */
#include "diagram.h"

#include "console.h"
#include "text.h"

#include <string.h>

#define WIDTH 79
#define HEADING 16

static void put_many(struct buf *out, char c, size_t n)
{
	while (n-- > 0)
		buf_addc(out, c);
}

/* "+- LABEL (name) ----+" */
static void put_edge(struct buf *out, const char *label, const char *name)
{
	struct buf title = {0};

	if (label != NULL) {
		buf_addc(&title, ' ');
		text_safe(&title, label);
		if (strcmp(label, name) != 0)
			buf_printf(&title, " (%s)", name);
		buf_addc(&title, ' ');
	}
	size_t width = text_width(buf_str(&title));
	buf_adds(out, "+-");
	if (width <= WIDTH - 3)
		buf_adds(out, buf_str(&title));
	else
		text_fit(out, buf_str(&title), WIDTH - 3);
	put_many(out, '-', width <= WIDTH - 3 ? WIDTH - 3 - width : 0);
	buf_adds(out, "+\n");
	buf_free(&title);
}

/* One line of a box: a heading, and text that fits. */
static void put_line(struct buf *out, const char *heading, const char *text)
{
	buf_adds(out, "| ");
	text_fit(out, heading, HEADING);
	buf_addc(out, ' ');
	text_fit(out, text, WIDTH - 5 - HEADING);
	buf_adds(out, " |\n");
}

/* A row of a box, broken at blanks. */
static void put_row(struct buf *out, const char *heading, const char *text)
{
	struct buf line = {0};

	for (const char *p = text; *p != '\0';) {
		size_t n = strcspn(p, " ");
		struct buf longer = {0};
		buf_printf(&longer, "%s%s%.*s", buf_str(&line), line.len == 0 ? "" : " ", (int)n, p);
		if (line.len > 0 && text_width(buf_str(&longer)) > WIDTH - 5 - HEADING) {
			put_line(out, heading, buf_str(&line));
			heading = "";
			buf_clear(&line);
			buf_add(&line, p, n);
		} else {
			buf_clear(&line);
			buf_add(&line, longer.data, longer.len);
		}
		buf_free(&longer);
		p += n + (p[n] == ' ');
	}
	put_line(out, heading, buf_str(&line));
	buf_free(&line);
}

static void put_segment(struct buf *out, const struct diagram_segment *s)
{
	put_edge(out, s->label, s->name);
	for (size_t i = 0; i < s->nrows; i++)
		put_row(out, s->rows[i].heading, s->rows[i].text);
	put_edge(out, NULL, NULL);
}

static void put_wrapped(struct buf *out, const char *text)
{
	text_spaces(out, 4);
	text_wrap(out, text, 4, 8);
	buf_addc(out, '\n');
}

static void put_way(struct buf *out, const struct diagram *d, const struct diagram_way *w)
{
	struct buf head = {0};

	buf_printf(&head, "%s ==> %s (%zu)", d->segments[w->from].label, d->segments[w->to].label, w->n);
	text_spaces(out, 2);
	text_wrap(out, buf_str(&head), 2, 6);
	buf_addc(out, '\n');
	for (size_t i = 0; i < w->shown; i++)
		put_wrapped(out, w->flows[i]);
	if (w->n > w->shown) {
		text_spaces(out, 4);
		buf_printf(out, _("and %zu more"), w->n - w->shown);
		buf_addc(out, '\n');
	}
	buf_free(&head);
}

void diagram_text(const struct diagram *d, struct buf *out)
{
	buf_printf(out, _("Network of the gate %s, by its policy (%s)"), d->gate, d->when);
	buf_adds(out, "\n\n");
	for (size_t i = 0; i < d->nsegments; i++) {
		put_segment(out, &d->segments[i]);
		if (i + 1 < d->nsegments)
			buf_printf(out, "        |\n    [ %s ]\n        |\n", d->gate);
	}
	buf_printf(out, "\n%s\n", _("Approved flows (arrows point the way connections are opened)"));
	for (size_t i = 0; i < d->nways; i++)
		put_way(out, d, &d->ways[i]);
	if (d->nways == 0)
		buf_printf(out, "  %s\n", _("none: nothing passes"));
	for (int i = 0; i < 2; i++)
		if (d->mail[i] != NULL)
			put_wrapped(out, d->mail[i]);
	if (d->nnever > 0)
		buf_printf(out, "%s\n", _("Never, whatever a policy says:"));
	for (size_t i = 0; i < d->nnever; i++)
		put_wrapped(out, d->never[i]);
}
