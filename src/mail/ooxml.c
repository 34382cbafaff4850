/*
 * ooxml.c: the text of documents of Office (ECMA-376: WordprocessingML, SpreadsheetML, DrawingML), part by part as
 * they come.
 *
 * Elements are known by their names without prefix: `t` is text in all of them, `p` a paragraph, `tc` and `c` a cell,
 * `tr` and `row` a row. What stands in `skip` elements is left out. Sheets are for ooxml_sheet.c.
 *
 * Input: XML of strangers. Memory: struct ooxml. Limits: ooxml.h. Never fails: what cannot be read is left out and
 * said so.
 */
#include "ooxml_private.h"

#include <string.h>
#include <strings.h>

/* Which entries have text. `*` stands for a word without a slash. */
static const struct source {
	const char *name;
	uint8_t part;
	uint8_t of;
} sources[] = {
	{"word/document.xml", PART_BODY, OOXML_DOCX},
	{"word/footnotes.xml", PART_FLOW, OOXML_DOCX},
	{"word/endnotes.xml", PART_FLOW, OOXML_DOCX},
	{"word/comments.xml", PART_FLOW, OOXML_DOCX},
	{"word/header*.xml", PART_FLOW, OOXML_DOCX},
	{"word/footer*.xml", PART_FLOW, OOXML_DOCX},
	{"word/diagrams/data*.xml", PART_FLOW, OOXML_DOCX},
	{"xl/workbook.xml", PART_BOOK, OOXML_XLSX},
	{"xl/sharedStrings.xml", PART_STRINGS, OOXML_XLSX},
	{"xl/worksheets/*.xml", PART_SHEET, OOXML_XLSX},
	{"xl/comments*.xml", PART_FLOW, OOXML_XLSX},
	{"xl/threadedComments/*.xml", PART_FLOW, OOXML_XLSX},
	{"xl/drawings/drawing*.xml", PART_FLOW, OOXML_XLSX},
	{"xl/diagrams/data*.xml", PART_FLOW, OOXML_XLSX},
	{"ppt/slides/*.xml", PART_FLOW, OOXML_PPTX},
	{"ppt/notesSlides/*.xml", PART_FLOW, OOXML_PPTX},
	{"ppt/comments/*.xml", PART_FLOW, OOXML_PPTX},
	{"ppt/diagrams/data*.xml", PART_FLOW, OOXML_PPTX},
	{"content.xml", PART_OPEN, OOXML_ODF},
};

static bool matches(const char *pattern, const char *name, size_t n)
{
	const char *star = strchr(pattern, '*');
	size_t before = star != NULL ? (size_t)(star - pattern) : strlen(pattern);

	if (n < before || strncasecmp(name, pattern, before) != 0)
		return false;
	if (star == NULL)
		return n == before;
	size_t after = strlen(star + 1);
	return n >= before + after && strncasecmp(name + n - after, star + 1, after) == 0 &&
		memchr(name + before, '/', n - before) == NULL;
}

/* Text behind the filter: to the owner, as far as it may. */
static void give(void *arg, const char *utf8, size_t n)
{
	struct ooxml *o = arg;
	size_t room = o->options.text_max - o->report.text;

	if (n > room) {
		o->report.truncated = o->full = true;
		for (n = room; n > 0 && ((unsigned char)utf8[n] & 0xc0) == 0x80; n--)
			;
	}
	if (n > 0)
		o->options.text(o->options.arg, utf8, n);
	o->report.text += n;
	if (o->full) /* nothing shorter may follow what was left out */
		o->options.text_max = o->report.text;
}

void ooxml_put(struct ooxml *o, const char *utf8, size_t n)
{
	if (!o->full)
		mailtext_put(&o->filter, utf8, n);
}

void ooxml_label(struct ooxml *o, const char *label, size_t n)
{
	if (o->report.parts > 0)
		ooxml_put(o, "\n", 1);
	ooxml_put(o, "[", 1);
	ooxml_put(o, label, n);
	ooxml_put(o, "]\n", 2);
}

/* What is due before text: the part's label, line ends, tabs. */
void ooxml_put_text(struct ooxml *o, const char *s, size_t n)
{
	static const char breaks[] = "\n\n", tabs[] = "\t\t\t\t\t\t\t\t\t\t\t\t\t\t\t\t";

	if (!o->any) {
		if (o->part == PART_FLOW)
			ooxml_label(o, o->label, strlen(o->label));
		o->report.parts++;
	} else if (o->breaks > 0) {
		ooxml_put(o, breaks, o->breaks);
	}
	ooxml_put(o, tabs, o->tabs);
	o->any = true;
	o->breaks = o->tabs = o->kept = 0;
	ooxml_put(o, s, n);
}

void ooxml_due_tab(struct ooxml *o)
{
	o->tabs += o->tabs < OOXML_TABS_MAX;
}

bool ooxml_is(const char *s, size_t n, const char *word)
{
	return n == strlen(word) && memcmp(s, word, n) == 0;
}

static bool one_of(const char *s, size_t n, const char *const *words)
{
	for (; *words != NULL; words++)
		if (ooxml_is(s, n, *words))
			return true;
	return false;
}

/* Readings, definitions of tabs, doubles for old programs, deleted and hidden machinery. */
static const char *const skipped[] = {"rPh", "rt", "pPr", "Fallback", "del", "moveFrom", "instrText", "fldData",
	"ruby-text", "tracked-changes", "scripts", NULL};

static void flow_start(struct ooxml *o, const char *name, size_t n)
{
	if (ooxml_is(name, n, "t") || ooxml_is(name, n, "text"))
		o->in_text++;
	else if (o->skip == 0 && ooxml_is(name, n, "tab"))
		ooxml_due_tab(o);
	else if (ooxml_is(name, n, "tc"))
		o->kept = o->breaks;
	else if (o->skip == 0 && (ooxml_is(name, n, "br") || ooxml_is(name, n, "cr")))
		o->breaks += o->breaks < 2;
	else if (o->skip == 0 && ooxml_is(name, n, "noBreakHyphen"))
		ooxml_put_text(o, "-", 1);
}

static void flow_end(struct ooxml *o, const char *name, size_t n)
{
	if (ooxml_is(name, n, "t") || ooxml_is(name, n, "text")) {
		o->in_text -= o->in_text > 0;
	} else if (o->skip > 0) {
		return;
	} else if (ooxml_is(name, n, "p") || ooxml_is(name, n, "comment") || ooxml_is(name, n, "threadedComment")) {
		o->breaks += o->breaks < 2;
	} else if (ooxml_is(name, n, "tc")) { /* its last paragraph ends the cell, not the line */
		o->breaks = o->kept;
		ooxml_due_tab(o);
	} else if (ooxml_is(name, n, "tr")) {
		o->tabs = 0;
		o->breaks = 1;
	}
}

static void flow(struct ooxml *o, enum xml_event event, const char *s, size_t n)
{
	if (event == XML_START)
		flow_start(o, s, n);
	else if (event == XML_END)
		flow_end(o, s, n);
	else if (event == XML_TEXT && o->in_text > 0 && o->skip == 0)
		ooxml_put_text(o, s, n);
}

static void take(void *arg, enum xml_event event, const char *s, size_t n)
{
	struct ooxml *o = arg;

	if (event == XML_START && one_of(s, n, skipped))
		o->skip++;
	else if (event == XML_END && o->skip > 0 && one_of(s, n, skipped))
		o->skip--;
	if (o->part == PART_BODY || o->part == PART_FLOW)
		flow(o, event, s, n);
	else if (o->part == PART_OPEN)
		ooxml_open(o, event, s, n);
	else
		ooxml_sheet(o, event, s, n);
}

/* "xl/worksheets/sheet2.xml": "sheet2" */
static void set_label(struct ooxml *o, const char *name, size_t n)
{
	const char *slash = memrchr(name, '/', n), *from = slash != NULL ? slash + 1 : name;
	size_t m = (size_t)(name + n - from);

	m = m > 4 ? m - 4 : m; /* ".xml" */
	m = m < sizeof(o->label) ? m : sizeof(o->label) - 1;
	memcpy(o->label, from, m);
	o->label[m] = '\0';
}

void ooxml_begin(struct ooxml *o, const struct ooxml_options *options)
{
	memset(o, 0, offsetof(struct ooxml, strings));
	o->options = *options;
	mailtext_begin(&o->filter, &(struct mailtext_options){.sink = give, .arg = o, .private_use = options->private_use});
}

bool ooxml_wants(struct ooxml *o, const char *name, size_t n)
{
	o->part = PART_NONE;
	for (size_t i = 0; i < sizeof(sources) / sizeof(sources[0]) && o->part == PART_NONE; i++)
		if ((o->options.of & sources[i].of) && matches(sources[i].name, name, n))
			o->part = sources[i].part;
	if (o->part == PART_NONE || o->full)
		return false;
	set_label(o, name, n);
	xml_begin(&o->xml);
	o->any = o->stop = false;
	o->in_text = o->skip = o->in_value = o->in_inline = 0;
	o->breaks = o->tabs = o->kept = 0;
	ooxml_sheet_begin(o);
	return true;
}

bool ooxml_push(struct ooxml *o, const uint8_t *bytes, size_t n)
{
	xml_push(&o->xml, bytes, n, take, o);
	o->report.refused = o->report.refused || o->xml.stopped;
	o->stop = o->xml.stopped || o->full;
	return !o->stop;
}

void ooxml_part_end(struct ooxml *o, bool whole)
{
	if (o->part == PART_NONE)
		return;
	if (!whole && !o->stop)
		o->report.damaged = true;
	if (o->any && (o->part == PART_BODY || o->part == PART_FLOW || o->part == PART_OPEN))
		ooxml_put(o, "\n", 1);
	o->part = PART_NONE;
}

void ooxml_end(struct ooxml *o)
{
	ooxml_sheets_end(o);
	mailtext_end(&o->filter);
}
