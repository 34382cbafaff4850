/*
 * ooxml.h: the text of documents of today's Office (docx, xlsx, pptx and their kin with macros), while their ZIP
 * passes by.
 *
 * Sits behind zip.h: ooxml_wants() says which entries, ooxml_push() takes their content. XML is read by a tokenizer
 * of our own: no tree, the five entities and numeric ones, nothing external, and a document type (DTD) ends the part.
 * What comes out is UTF-8 through mailtext, LF as line end. Paragraphs are lines, cells are parted by tabs; each part
 * but the body has a line such as "[sheet2]" before it. Phonetic readings (ふりがな), deleted text, formulas and the
 * doubles for old programs are left out.
 *
 * OpenDocument (odt, ods, odp) has its text in one part, and is read in the same manner.
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
#include <sekisho/mail_limits.h>
#include <sekisho/mailtext.h>

/* The tokenizer. */
struct xml {
	uint8_t state, back, quote, matched;
	bool stopped; /* a document type, another charset, an unknown entity: nothing more is read */
	bool end;     /* the tag is one that ends */
	bool started; /* the place for a byte order mark is past */
	uint8_t nname, nattribute, nvalue, nentity, nmark;
	char name[OOXML_NAME_MAX], attribute[OOXML_NAME_MAX], value[OOXML_VALUE_MAX];
	char entity[12];
	uint8_t mark[3];
	bool wide; /* UTF-16 */
	struct decoder decoder;
};

#define OOXML_DOCX 0x01u
#define OOXML_XLSX 0x02u
#define OOXML_PPTX 0x04u
#define OOXML_ODF 0x40u /* OpenDocument */

struct ooxml_options {
	unsigned of; /* OOXML_...: whose text is wanted */
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
	uint8_t part; /* enum part */
	bool full;    /* nothing more is given */
	bool any;     /* text of this part was given */
	bool stop;    /* we ended this part ourselves */
	uint32_t in_text, skip, in_value, in_inline; /* elements that are open */
	uint32_t repeat; /* the cell that is open stands for so many */
	uint8_t breaks; /* line ends that are due */
	uint8_t kept;	/* line ends that were due when the cell began, if nothing was given since */
	uint8_t tabs;	/* tabs that are due */
	char label[OOXML_NAME_MAX];
	/* Sheets. */
	uint8_t type, nnumber;
	char number[40]; /* a cell's value */
	uint32_t column; /* of the last cell of the row; 0 none */
	uint32_t at;	 /* of the cell that is open */
	uint32_t text;	 /* where its text begins in cells[]; 0 none */
	uint32_t ncells, nstrings, nchars;
	bool in_string;
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
