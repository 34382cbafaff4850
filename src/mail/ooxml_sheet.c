/*
 * ooxml_sheet.c: workbooks (ECMA-376 part 1, 18.3 and 18.4): names of sheets, texts of cells, sheets.
 *
 * A cell of type `s` names its text by number, and the texts may come later: cells are kept as records in cells[] and
 * written by ooxml_sheets_end(). A record: a byte that says what it is, and
 *   SHEET n bytes: a part begins · ROW · TABS n · TEXT n16 bytes · SHARED number32
 */
#include "ooxml_private.h"

#include <stdlib.h>
#include <string.h>

enum record {
	SHEET = 1,
	ROW,
	TABS,
	TEXT,
	SHARED,
};

#define TEXT_MAX 32767u /* characters that a cell may have; our bytes of it are as many at most */

/* Room for n bytes, or NULL for good. */
static uint8_t *reserve(struct ooxml *o, size_t n)
{
	if (n > sizeof(o->cells) - o->ncells) {
		o->report.truncated = true;
		return NULL;
	}
	uint8_t *p = o->cells + o->ncells;
	o->ncells += (uint32_t)n;
	return p;
}

static void add_sheet(struct ooxml *o)
{
	size_t n = strlen(o->label);
	uint8_t *p = o->any ? NULL : reserve(o, 2 + n);

	if (p != NULL) {
		p[0] = SHEET;
		p[1] = (uint8_t)n;
		memcpy(p + 2, o->label, n);
	}
	o->any = true;
}

static void add_byte(struct ooxml *o, enum record record, unsigned value, bool has)
{
	uint8_t *p = reserve(o, has ? 2 : 1);

	o->text = 0; /* the text before it grows no more */
	if (p != NULL) {
		p[0] = (uint8_t)record;
		if (has)
			p[1] = (uint8_t)value;
	}
}

/* What fits of a text: so it does not matter in what pieces it comes. */
static size_t fitting(struct ooxml *o, size_t n, size_t head, size_t have)
{
	size_t room = sizeof(o->cells) - o->ncells, most = TEXT_MAX - have;

	room = room > head ? room - head : 0;
	most = most < room ? most : room;
	o->report.truncated = o->report.truncated || n > most;
	return n < most ? n : most;
}

/* The text of one cell comes in pieces: the last record grows. */
static void grow_text(struct ooxml *o, const char *s, size_t n)
{
	uint8_t *length = o->cells + o->text;
	size_t have = length[0] | (size_t)length[1] << 8, take = fitting(o, n, 0, have);

	memcpy(o->cells + o->ncells, s, take);
	o->ncells += (uint32_t)take;
	length[0] = (uint8_t)(have + take);
	length[1] = (uint8_t)((have + take) >> 8);
}

static void add_text(struct ooxml *o, const char *s, size_t n)
{
	if (o->text != 0) {
		grow_text(o, s, n);
		return;
	}
	size_t take = fitting(o, n, 3, 0);
	uint8_t *p = take > 0 ? reserve(o, 3 + take) : NULL;
	if (p == NULL)
		return;
	p[0] = TEXT;
	p[1] = (uint8_t)take;
	p[2] = (uint8_t)(take >> 8);
	memcpy(p + 3, s, take);
	o->text = (uint32_t)(p + 1 - o->cells);
}

static void add_shared(struct ooxml *o, unsigned long index)
{
	uint8_t *p = reserve(o, 5);

	o->text = 0;
	if (p == NULL)
		return;
	p[0] = SHARED;
	for (int i = 0; i < 4; i++)
		p[1 + i] = (uint8_t)(index >> (8 * i));
}

/* "BC12": 55. 0 when it is no reference. */
static uint32_t column_of(const char *s, size_t n)
{
	uint32_t column = 0;

	for (size_t i = 0; i < n && i < 3 && s[i] >= 'A' && s[i] <= 'Z'; i++)
		column = column * 26 + (uint32_t)(s[i] - 'A' + 1);
	return column;
}

/* Before a cell's text: its place in the row. */
static void place_cell(struct ooxml *o)
{
	uint32_t column = o->at != 0 ? o->at : o->column + 1;
	uint32_t gap = column > o->column ? column - o->column : 1;

	add_sheet(o);
	if (o->column == 0)
		gap--;
	if (gap > 0)
		add_byte(o, TABS, gap < OOXML_TABS_MAX ? gap : OOXML_TABS_MAX, true);
	o->column = column;
	o->text = 0;
}

/* "1.23456789018E11" is what some programs write for 123456789018. false: it is nothing of the kind. */
static bool plain_integer(const char *s, char out[24])
{
	char digits[24];
	size_t n = 0, point = 0;
	bool dot = false;

	for (; (*s >= '0' && *s <= '9') || (*s == '.' && !dot); s++) {
		if (*s == '.') {
			dot = true;
			continue;
		}
		if (n == 15)
			return false;
		digits[n++] = *s;
		point += !dot;
	}
	if ((*s | 0x20) != 'e' || n == 0)
		return false;
	long exponent = strtol(s + 1, NULL, 10);
	if (exponent < 0 || exponent > 15 || point + (size_t)exponent < n || point + (size_t)exponent > 16)
		return false;
	memcpy(out, digits, n);
	memset(out + n, '0', point + (size_t)exponent - n);
	out[point + (size_t)exponent] = '\0';
	return true;
}

static void add_value(struct ooxml *o)
{
	char integer[24];

	o->number[o->nnumber] = '\0';
	if (o->nnumber == 0)
		return;
	if (o->type == 's') {
		char *end = NULL;
		unsigned long index = strtoul(o->number, &end, 10);
		if (*end == '\0' && o->number[0] != '-') {
			place_cell(o);
			add_shared(o, index);
		}
		return;
	}
	const char *text = o->type == 'b' ? (o->number[0] == '1' ? "TRUE" : "FALSE") : o->number;
	if (o->type == 'n' && plain_integer(o->number, integer))
		text = integer;
	place_cell(o);
	add_text(o, text, strlen(text));
}

static void on_attribute(struct ooxml *o, const char *s, size_t n)
{
	const struct xml *x = &o->xml;

	if (!ooxml_is(x->name, x->nname, "c"))
		return;
	if (ooxml_is(x->attribute, x->nattribute, "r"))
		o->at = column_of(s, n);
	else if (ooxml_is(x->attribute, x->nattribute, "t"))
		o->type = ooxml_is(s, n, "s") ? 's' : ooxml_is(s, n, "b") ? 'b' : ooxml_is(s, n, "str") ? 't' :
			ooxml_is(s, n, "inlineStr") ? 'i' : 'n';
}

static void sheet_start(struct ooxml *o, const char *name, size_t n)
{
	if (ooxml_is(name, n, "c")) {
		o->at = 0;
		o->type = 'n';
		o->nnumber = 0;
		o->text = 0;
	} else if (ooxml_is(name, n, "v")) {
		o->in_value++;
	} else if (ooxml_is(name, n, "t")) {
		o->in_inline++;
	} else if (ooxml_is(name, n, "row")) {
		o->column = 0;
	}
}

static void sheet_end(struct ooxml *o, const char *name, size_t n)
{
	if (ooxml_is(name, n, "v")) {
		o->in_value -= o->in_value > 0;
		if (o->type != 't')
			add_value(o);
		o->nnumber = 0;
	} else if (ooxml_is(name, n, "t")) {
		o->in_inline -= o->in_inline > 0;
	} else if (ooxml_is(name, n, "row") && o->column != 0) {
		add_byte(o, ROW, 0, false);
		o->column = 0;
	}
}

/* Text of a cell that is written where it is: inline, or what a formula gave. */
static void sheet_text(struct ooxml *o, const char *s, size_t n)
{
	if (o->skip > 0)
		return;
	if (o->in_inline > 0 || (o->in_value > 0 && o->type == 't')) {
		if (o->text == 0)
			place_cell(o);
		add_text(o, s, n);
	} else if (o->in_value > 0) {
		size_t room = sizeof(o->number) - 1 - o->nnumber;
		memcpy(o->number + o->nnumber, s, n < room ? n : room);
		o->nnumber = (uint8_t)(o->nnumber + (n < room ? n : room));
	}
}

/* Texts of cells, one after the other. */
static void strings(struct ooxml *o, enum xml_event event, const char *s, size_t n)
{
	if (event == XML_START && ooxml_is(s, n, "si")) {
		o->in_string = o->nstrings < OOXML_NSTRINGS_MAX;
		o->report.truncated = o->report.truncated || !o->in_string;
		if (o->in_string)
			o->strings[o->nstrings++] = o->nchars;
	} else if (event == XML_START && ooxml_is(s, n, "t")) {
		o->in_inline++;
	} else if (event == XML_END && ooxml_is(s, n, "t")) {
		o->in_inline -= o->in_inline > 0;
	} else if (event == XML_TEXT && o->in_inline > 0 && o->skip == 0 && o->in_string) {
		size_t room = sizeof(o->chars) - o->nchars;
		o->report.truncated = o->report.truncated || n > room;
		n = n < room ? n : room;
		memcpy(o->chars + o->nchars, s, n);
		o->nchars += (uint32_t)n;
	}
}

static void book(struct ooxml *o, enum xml_event event, const char *s, size_t n)
{
	const struct xml *x = &o->xml;

	if (event != XML_ATTRIBUTE || !ooxml_is(x->name, x->nname, "sheet") || !ooxml_is(x->attribute, x->nattribute,
		"name"))
		return;
	place_cell(o);
	add_text(o, s, n);
}

void ooxml_sheet_begin(struct ooxml *o)
{
	o->column = o->at = o->text = 0;
	o->nnumber = 0;
	o->in_string = false;
}

void ooxml_sheet(struct ooxml *o, enum xml_event event, const char *s, size_t n)
{
	if (o->part == PART_STRINGS) {
		strings(o, event, s, n);
	} else if (o->part == PART_BOOK) {
		book(o, event, s, n);
	} else if (event == XML_START) {
		sheet_start(o, s, n);
	} else if (event == XML_END) {
		sheet_end(o, s, n);
	} else if (event == XML_ATTRIBUTE) {
		on_attribute(o, s, n);
	} else {
		sheet_text(o, s, n);
	}
}

/* A cell's text on one line. */
static void put_line(struct ooxml *o, const char *s, size_t n)
{
	for (size_t i = 0; i < n;) {
		size_t from = i;
		while (i < n && s[i] != '\n' && s[i] != '\r' && s[i] != '\t')
			i++;
		ooxml_put(o, s + from, i - from);
		if (i < n)
			ooxml_put(o, " ", 1);
		i += i < n;
	}
}

static void put_shared(struct ooxml *o, const uint8_t *p)
{
	uint32_t index = p[0] | (uint32_t)p[1] << 8 | (uint32_t)p[2] << 16 | (uint32_t)p[3] << 24;

	if (index >= o->nstrings) {
		o->report.damaged = o->report.damaged || o->nstrings < OOXML_NSTRINGS_MAX;
		return;
	}
	put_line(o, o->chars + o->strings[index], o->strings[index + 1] - o->strings[index]);
}

/* One record at p; how long it is. */
static size_t put_record(struct ooxml *o, const uint8_t *p, bool *line)
{
	static const char tabs[] = "\t\t\t\t\t\t\t\t\t\t\t\t\t\t\t\t";
	size_t n;

	switch ((enum record)p[0]) {
	case SHEET:
		if (*line)
			ooxml_put(o, "\n", 1);
		*line = false;
		ooxml_label(o, (const char *)p + 2, p[1]);
		o->report.parts++;
		return 2u + p[1];
	case ROW:
		ooxml_put(o, "\n", 1);
		*line = false;
		return 1;
	case TABS:
		ooxml_put(o, tabs, p[1]);
		*line = true;
		return 2;
	case SHARED:
		put_shared(o, p + 1);
		*line = true;
		return 5;
	default:
		n = p[1] | (size_t)p[2] << 8;
		put_line(o, (const char *)p + 3, n);
		*line = true;
		return 3 + n;
	}
}

void ooxml_sheets_end(struct ooxml *o)
{
	bool line = false;

	o->strings[o->nstrings] = o->nchars;
	for (size_t i = 0; i < o->ncells;)
		i += put_record(o, o->cells + i, &line);
	if (line)
		ooxml_put(o, "\n", 1);
	o->ncells = 0;
}
