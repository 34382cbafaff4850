/*
 * html.h: HTML mail becomes text that people like to read. Bytes in, text out, no tree, fixed memory.
 *
 * Input is UTF-8 (charset.h decoded it; bad bytes become U+FFFD), cut anywhere. What it gives has LF as line end and has
 * passed the filter of mailtext.h. Every member of struct html but `report` is html's own.
 */
#ifndef SEKISHO_HTML_H
#define SEKISHO_HTML_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include <sekisho/idn.h>
#include <sekisho/mailtext.h>

/* Limits, and why. Beyond each the text goes on, only plainer. */
#define HTML_NAME_MAX 64u    /* name of an element or attribute: the longest known is `blockquote` */
#define HTML_ATTRIBUTES 64u  /* an element: mail programs write about ten */
#define HTML_VALUE_MAX 2048u /* value of an attribute: addresses of newsletters reach 1 500 */
#define HTML_SHOWN_MAX 240u  /* of an address in the text: three lines; its host is always whole (253) or refused */
#define HTML_ENTITY_MAX 32u  /* the longest is CounterClockwiseContourIntegral */
#define HTML_LISTS 8u	     /* lists in lists that are indented */
#define HTML_QUOTES 8u	     /* quotes in quotes that are marked */
#define HTML_TABLES 8u	     /* tables in tables whose kind is remembered */
#define HTML_SCOPES 16u	     /* elements in elements that hide, show or keep line ends */
#define HTML_ROW_MAX 1024u   /* text of a table's row that is written as one line */
#define HTML_CELLS 32u	     /* cells of such a row */
#define HTML_VISIBLE_MAX 256u /* of a link's text that is compared with its target */

struct html_options {
	mailtext_sink *text; /* receives the text */
	void *arg;
	bool private_use; /* as in mailtext.h */
	bool english;	 /* marks such as [image] in English, else Japanese */
	size_t text_max; /* bytes of text; what is beyond is left out (report.truncated) */
};

struct html_report {
	uint64_t hidden;     /* characters left out because the sender hid them */
	uint32_t hidden_runs; /* places */
	uint32_t links;	     /* whose target is shown */
	uint32_t deceptive;  /* whose text looks like another address */
	uint32_t refused;    /* whose target is a program or a file: javascript:, data:, ... */
	uint32_t images, forms;
	bool base;	/* relative addresses had a base, which is not followed */
	bool truncated; /* text_max was reached: nothing after that was read */
};

/* An element that changes how its content is taken, until it ends. */
struct html_scope {
	uint32_t name; /* hash */
	uint16_t same; /* elements of that name that are open in it */
	uint16_t open; /* block elements that are open in it */
	uint8_t kind;  /* enum scope */
	uint8_t id;    /* of the element */
	uint16_t table; /* tables that were open */
};

struct html_list {
	bool ordered;
	uint32_t number;
};

/* The tag that is being read. */
struct html_tag {
	char name[HTML_NAME_MAX];
	uint8_t length; /* of the name */
	uint8_t attribute; /* enum attribute, of the one that is being read */
	int16_t element;   /* number in the list of known ones, or -1 */
	uint16_t wants;	   /* attributes that matter: a bit for each */
	bool end, at;	   /* an end tag; there is an @ in the name */
	bool marked;	   /* there was an attribute that matters: what follows may be set */
	uint16_t seen;	   /* which were there */
	uint16_t count;
	uint16_t nhref, nalt;
	bool hidden, pre, painted; /* from the style, as the next */
	uint8_t font;	  /* enum font */
	int32_t color, background, width, height, start, border;
	bool layout, mso; /* role=presentation; MsoNormal */
	char href[HTML_VALUE_MAX], alt[HTML_VISIBLE_MAX];
};

/* A row that may become one line. */
struct html_row {
	uint8_t cells;
	uint8_t titles;	       /* titles: a bit for each of the first 8 cells that is a <th> */
	uint8_t need;	       /* line ends that were due before it */
	bool mixed;	       /* not all of it is for mailtext_put_run() */
	uint16_t table;	       /* whose row it is: ntables */
	uint16_t fill, at[HTML_CELLS + 1];
	char text[HTML_ROW_MAX];
};

struct html {
	struct html_options options;
	struct html_report report;
	struct mailtext filter;
	/* Reading. */
	uint8_t state, need, dashes, quote, raw;
	uint32_t point, low;
	uint8_t nentity, nraw;
	char entity[HTML_ENTITY_MAX];
	uint8_t back; /* state after a named character */
	char attribute[HTML_NAME_MAX], value[HTML_VALUE_MAX];
	uint8_t nattribute;
	uint16_t nvalue;
	struct html_tag tag;
	/* What the tags said. */
	struct html_scope scopes[HTML_SCOPES];
	uint8_t nscopes;
	bool pre, rt, hidden_run;
	struct html_list lists[HTML_LISTS];
	uint8_t table_kinds[HTML_TABLES];
	uint32_t nlists, nquotes, ntables; /* counters: deeper than the arrays they only count */
	int32_t page;			   /* background of the page */
	bool painted;			   /* something else has a background */
	char shown[HTML_SHOWN_MAX + 64 + IDN_SHOWN_MAX]; /* the target as it is written */
	char target[HTML_SHOWN_MAX], visible[HTML_VISIBLE_MAX];
	uint16_t ntarget, nvisible;
	uint16_t host, nhost; /* in the target */
	uint8_t target_kind;
	bool visible_more, visible_any, visible_image; /* the text is longer; there is some; there is a picture */
	/* Writing. */
	union {
		struct {
			uint8_t breaks, spaces, wides; /* line ends, no-break and wide blanks that are due */
			uint8_t hide; /* enum scope of what hides now, or 0 */
			bool fresh, rp, link, held; /* <pre> begins; in <rp>; in <a>; in a row that is held */
		};
		uint64_t hinders; /* all of these: may the next character not simply be written? */
	};
	bool space, newline; /* a blank is due; for a line end */
	uint8_t bullet;
	bool started, dense; /* dense: paragraphs without space */
	uint8_t line_quotes; /* marks before this line */
	uint32_t last;	/* character written */
	size_t written; /* bytes */
	struct html_row row;
};

void html_begin(struct html *h, const struct html_options *options);
void html_push(struct html *h, const char *utf8, size_t n);
void html_end(struct html *h);

#endif
