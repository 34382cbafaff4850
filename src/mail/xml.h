/*
 * xml.h: a tokenizer for XML that passes by (struct xml is in <sekisho/ooxml.h>).
 *
 * Names come without their prefix and cut to OOXML_NAME_MAX - 1, which no name that matters reaches. It does not
 * check that elements are closed in order: whoever reads the events counts, and every count is bounded.
 */
#ifndef SEKISHO_XML_H
#define SEKISHO_XML_H

#include <sekisho/ooxml.h>

enum xml_event {
	XML_START,     /* name */
	XML_ATTRIBUTE, /* value; its name is in struct xml */
	XML_TEXT,      /* a piece of text */
	XML_END,       /* name */
};
typedef void xml_sink(void *arg, enum xml_event event, const char *s, size_t n);

void xml_begin(struct xml *x);
/* Bytes, cut anywhere. Nothing comes any more once x->stopped is set. */
void xml_push(struct xml *x, const uint8_t *bytes, size_t n, xml_sink *sink, void *arg);

#endif
