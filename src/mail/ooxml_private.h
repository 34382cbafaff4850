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
	PART_BOOK,    /* names of sheets */
	PART_STRINGS, /* texts of cells */
	PART_SHEET,
};

/* ooxml.c: text to the filter; a line with the name of a part. */
void ooxml_put(struct ooxml *o, const char *utf8, size_t n);
void ooxml_label(struct ooxml *o, const char *label, size_t n);
bool ooxml_is(const char *s, size_t n, const char *word);

/* ooxml_sheet.c */
void ooxml_sheet_begin(struct ooxml *o);
void ooxml_sheet(struct ooxml *o, enum xml_event event, const char *s, size_t n);
void ooxml_sheets_end(struct ooxml *o);

#endif
