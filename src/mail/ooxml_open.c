/*
 * ooxml_open.c: the text of OpenDocument's content.xml (ISO/IEC 26300): paragraphs and headings, cells, rows.
 *
 * Text stands directly in `p` and `h`. A cell may say that it stands for several; empty ones at the end of a row and empty
 * rows are left out, whatever number they say.
 */
#include "ooxml_private.h"

#include <stdlib.h>
#include <string.h>

static void start(struct ooxml *o, const char *name, size_t n)
{
	if (ooxml_is(name, n, "p") || ooxml_is(name, n, "h")) {
		o->in_text++;
	} else if (ooxml_is(name, n, "table-cell") || ooxml_is(name, n, "covered-table-cell")) {
		o->kept = o->breaks;
		o->repeat = 1;
	} else if (ooxml_is(name, n, "tab")) {
		ooxml_due_tab(o);
	} else if (ooxml_is(name, n, "line-break")) {
		o->breaks += o->breaks < 2;
	} else if (ooxml_is(name, n, "s") && o->in_text > 0) {
		ooxml_put_text(o, " ", 1);
	}
}

static void end(struct ooxml *o, const char *name, size_t n)
{
	if (ooxml_is(name, n, "p") || ooxml_is(name, n, "h")) {
		o->in_text -= o->in_text > 0;
		o->breaks += o->breaks < 2;
	} else if (ooxml_is(name, n, "table-cell") || ooxml_is(name, n, "covered-table-cell")) {
		o->breaks = o->kept; /* its last paragraph ends the cell, not the line */
		for (; o->repeat > 0; o->repeat--)
			ooxml_due_tab(o);
	} else if (ooxml_is(name, n, "table-row")) {
		o->tabs = 0;
		o->breaks = o->any ? 1 : 0;
	}
}

/* table:number-columns-repeated. Of a cell with text the others would only say the same. */
static void attribute(struct ooxml *o, const char *s, size_t n)
{
	const struct xml *x = &o->xml;
	char number[8] = "";

	if (!ooxml_is(x->attribute, x->nattribute, "number-columns-repeated") || n >= sizeof(number))
		return;
	memcpy(number, s, n);
	unsigned long repeat = strtoul(number, NULL, 10);
	o->repeat = (uint32_t)(repeat < 1 ? 1 : repeat < OOXML_TABS_MAX ? repeat : OOXML_TABS_MAX);
}

void ooxml_open(struct ooxml *o, enum xml_event event, const char *s, size_t n)
{
	if (o->skip > 0)
		return;
	if (event == XML_START)
		start(o, s, n);
	else if (event == XML_END)
		end(o, s, n);
	else if (event == XML_ATTRIBUTE)
		attribute(o, s, n);
	else if (o->in_text > 0)
		ooxml_put_text(o, s, n);
}
