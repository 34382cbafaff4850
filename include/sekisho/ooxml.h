/*
 * ooxml.h: the text of documents of today's Office (docx, xlsx, pptx and their kin with macros), while their ZIP passes by.
 *
 * Sits behind zip.h: ooxml_wants() says which entries, ooxml_push() takes their content. XML is read by a tokenizer of our own: no
 * tree, the five entities and numeric ones, nothing external, and a document type (DTD) ends the part. What comes out is UTF-8
 * through mailtext, LF as line end. Paragraphs are lines, cells are parted by tabs; each part but the body has a line
 * such as "[sheet2]" before it. Phonetic readings (ふりがな of cells), deleted text, formulas and the doubles for old
 * programs are left out.
 *
 * A sheet names its texts by number, and Excel writes the texts behind the sheets: sheets are held back in a fixed memory
 * until ooxml_end(), and cut (report.truncated) when it is full. Dates of sheets are numbers there and stay so.
 */
#ifndef SEKISHO_OOXML_H
#define SEKISHO_OOXML_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include <sekisho/charset.h>
#include <sekisho/mailtext.h>

/* Limits, and why. */
#define OOXML_CELLS_MAX (512u << 10)  /* bytes of sheets that are held back: about 60 000 cells */
#define OOXML_STRINGS_MAX (384u << 10) /* bytes of texts of cells */
#define OOXML_NSTRINGS_MAX 32768u     /* texts of cells */
#define OOXML_NAME_MAX 32u	      /* of an element or attribute: the longest that matters is "AlternateContent" */
#define OOXML_VALUE_MAX 64u	      /* of an attribute: the longest that matters is a sheet's name, 31 characters */
#define OOXML_COLUMNS_MAX 16u	      /* empty cells that become tabs, in a row */

/* The tokenizer. */
struct xml {
	uint8_t state, back, quote, nentity, matched;
	bool end, refused; /* a document type, an unknown charset, an unknown entity */
	uint8_t nname, nattribute, nvalue;
	bool long_name, long_attribute;
	char name[OOXML_NAME_MAX], attribute[OOXML_NAME_MAX], value[OOXML_VALUE_MAX];
	char entity[12];
	uint8_t wide; /* how many bytes of a byte order mark were seen */
	struct decoder decoder;
};

struct ooxml_options {
	mailtext_sink *text;
	void *arg;
	size_t text_max; /* bytes of text that are given */
	bool private_use;
};

struct ooxml_report {
	size_t text;	/* bytes given */
	uint32_t parts; /* that had text in them */
	bool truncated; /* not all: text_max, or a limit above */
	bool refused;	/* a part held what is not allowed (a document type, another charset, an unknown entity) */
	bool damaged;	/* a part was cut, or its check sum was wrong */
};

/* One document: 1.1 MiB, of which only what is needed is touched. Every member but `report` is ooxml's own. */
struct ooxml {
	struct ooxml_report report;
	struct ooxml_options options;
	struct mailtext filter;
	struct xml xml;
	uint8_t part;	 /* enum part */
	uint8_t kind, cell_type;
	uint16_t in_text, skip, in_item, in_value, in_cell_text;
	uint16_t column, tabs;
	uint8_t breaks;	 /* line ends that are due */
	bool any, tab_due, cell_open, full;
	char label[40];
	char number[32]; /* a cell's value */
	uint8_t nnumber;
	uint32_t ncells, nstrings, nchars;
	uint32_t strings[OOXML_NSTRINGS_MAX + 1]; /* where each begins in chars[] */
	char chars[OOXML_STRINGS_MAX];
	uint8_t cells[OOXML_CELLS_MAX];
};

void ooxml_begin(struct ooxml *o, const struct ooxml_options *options);

/* Is there text in an entry of that name? If so the next ooxml_push() are its content. */
bool ooxml_wants(struct ooxml *o, const char *name, size_t n);

/* false: no more of this entry is needed. */
bool ooxml_push(struct ooxml *o, const uint8_t *bytes, size_t n);

/* The entry is over; whole as in zip_handler.end. */
void ooxml_part_end(struct ooxml *o, bool whole);

/* The document is over: what was held back is given. */
void ooxml_end(struct ooxml *o);

#endif
