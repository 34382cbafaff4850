/*
 * ooxml_private.h: shared by ooxml*.c.
 */
#ifndef SEKISHO_OOXML_PRIVATE_H
#define SEKISHO_OOXML_PRIVATE_H

#include <sekisho/ooxml.h>

#include "xml.h"

enum part {
	PART_NONE,
	PART_BODY,    /* of a document */
	PART_FLOW,    /* paragraphs, with a label before them */
	PART_OPEN,    /* of OpenDocument */
	PART_BOOK,    /* names of sheets */
	PART_STRINGS, /* texts of cells */
	PART_SHEET,
};

/* ooxml.c: text to the filter; a line with the name of a part. */
void ooxml_put(struct ooxml *o, const char *utf8, size_t n);
void ooxml_label(struct ooxml *o, const char *label, size_t n);
bool ooxml_is(const char *s, size_t n, const char *word);

/* Text of a paragraph, with what is due before it. */
void ooxml_put_text(struct ooxml *o, const char *s, size_t n);
void ooxml_due_tab(struct ooxml *o);

/* ooxml_open.c */
void ooxml_open(struct ooxml *o, enum xml_event event, const char *s, size_t n);

/* ooxml_sheet.c */
void ooxml_sheet_begin(struct ooxml *o);
void ooxml_sheet(struct ooxml *o, enum xml_event event, const char *s, size_t n);
void ooxml_sheets_end(struct ooxml *o);

#endif
