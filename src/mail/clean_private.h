/* clean_private.h: what the files of the cleaner share. */
#include <sekisho/attachment.h>
#include <sekisho/clean.h>
#include <sekisho/html.h>
#include <sekisho/idn.h>
#include <sekisho/mime.h>
#include <sekisho/mynumber.h>

#include <nettle/sha2.h>
#include <string.h>

/* Limits of the output, see rootfs/doc/mail-output.md: text and notice together stay below its 1310720 bytes. */
#define CLEAN_TEXT_MAX MAIL_TEXT_OUT
#define CLEAN_NOTICE_MAX (240u << 10) /* 100 parts with long names and 50 entries each, and what else is said */
#define CLEAN_CALENDAR_MAX (12u << 10) /* some events with long titles */
#define CLEAN_ITEMS_MAX (8u << 10)    /* lines on what is in one archive */
#define CLEAN_ITEMS 50u		      /* of them: who needs more asks for the original */
#define CLEAN_EVENTS 5u		      /* of a calendar */
#define CLEAN_FIELDS_MAX (56u << 10)  /* of all fields that are gathered; with the others they fit into 64 KiB */
#define CLEAN_FIELD_MAX 15872u	      /* of To or Cc: some 300 addresses */
#define CLEAN_FROM_MAX 3072u	      /* a name of 1000 bytes, and an address */
#define CLEAN_REPLY_TO_MAX 8192u
#define CLEAN_REPLIES_MAX 3072u	      /* of In-Reply-To */
#define CLEAN_REFERENCES_MAX 6144u
#define CLEAN_REPLY_TO 10u
#define CLEAN_IDS 10u
#define CLEAN_REFERENCES 20u
#define CLEAN_SUBJECT 2048u	      /* bytes of UTF-8: 680 Chinese characters */
#define CLEAN_SEEN 32768u	      /* places for addresses that were seen: MAIL_ADDRESS_TOKENS, thinly filled */
#define CLEAN_FEW 16u		      /* addresses that are kept in a row before: most mails have no more */

/* Letters of an address without quotation marks (RFC 5322, 3.2.3). */
static inline bool clean_is_atext(char c)
{
	return (c >= '0' && c <= '9') || ((c | 0x20) >= 'a' && (c | 0x20) <= 'z') ||
		(c != '\0' && strchr("!#$%&'*+-/=?^_`{|}~", c) != NULL);
}

/* -- Text: what passed the filter of characters, in CR LF (clean_text.c) ------------------------------------- */

struct clean_text {
	char *data;
	size_t n, max, start; /* start: where the piece began that is being written */
	unsigned quote;	      /* "> " before each line */
	bool bol, full, gap;  /* full: something was left out; gap: an empty line is due */
	uint64_t dropped, replaced;
	struct mailtext filter;
	struct mynumber *search; /* searched instead of kept (direction out); NULL: kept */
};

/* A piece of text begins, each of its lines behind `quote` marks. Whole lines: what was before ends in CR LF. */
void clean_text_begin(struct clean_text *t, unsigned quote, bool private_use);
/* UTF-8, LF or CR LF; also any bytes. */
void clean_text_put(struct clean_text *t, const char *utf8, size_t n);
/* What passed the filter before, with LF, and begins and ends with whole lines: it need not pass it again. */
void clean_text_filtered(struct clean_text *t, const char *utf8, size_t n);
void clean_text_say(struct clean_text *t, const char *fmt, ...) __attribute__((format(printf, 2, 3)));
/* The piece ends: without empty lines at its end, with one CR LF. Returns its bytes. */
size_t clean_text_end(struct clean_text *t);
/* An empty line before the next text, unless it would be the first. */
void clean_text_gap(struct clean_text *t);

/* -- Fields of the header that is written (clean_field.c) ---------------------------------------------------- */

struct clean_field {
	char *out;
	size_t n, max, column;
	unsigned tokens, count; /* count: of mailboxes, ids */
	bool full;	/* something did not fit and was left out */
};

void clean_field_begin(struct clean_field *f, char *out, size_t max, const char *name);
/* All of these: false (and nothing written) if it does not fit. */
bool clean_field_token(struct clean_field *f, const char *token, size_t n);
/* As it is if it is plain ASCII (atoms: of letters that a name may have), else in encoded words. n > 0. */
bool clean_field_text(struct clean_field *f, const char *utf8, size_t n, bool atoms);
bool clean_field_mailbox(struct clean_field *f, const char *display, const char *address);
void clean_field_end(struct clean_field *f);

/* -- The header that came in (clean_header.c) ---------------------------------------------------------------- */

#define CLEAN_PUNYCODE 4u /* domains with "xn--" that the notice spells out */

struct clean_header {
	struct clean_field from, reply_to, to, cc, in_reply_to, references; /* in fields[]; count 0: not there */
	struct mime_date date, received_date; /* year 0: none */
	char auth[256];		/* "spf=pass dkim=pass" */
	unsigned hops;		/* that other gates counted */
	bool automatic, bulk;
	unsigned nids, nseen;
	size_t nfields;
	uint64_t few[CLEAN_FEW];
	/* Large things last, so that a small mail touches few pages. */
	char from_text[1400];	/* for the notice: name and address */
	char subject[CLEAN_SUBJECT];
	char fields[CLEAN_FIELDS_MAX];
	char ids[CLEAN_REFERENCES][MAIL_ID + 1]; /* of References: the first, and the last ones */
	uint64_t seen[CLEAN_SEEN];
	unsigned npunycode;
	char punycode[CLEAN_PUNYCODE][IDN_DOMAIN_MAX + 1]; /* domains of addresses, the first few */
};

void clean_header_field(struct clean *c, const struct mime_field *field);
/* The header is complete: 0, or why the mail is refused. */
enum mail_reason clean_header_end(struct clean *c);
/* The header of the output. */
void clean_header_write(struct clean *c);

/* The header of a mail within the mail, as text. */
struct clean_inner {
	char from[512], date[MIME_DATE_TEXT], to[1024], cc[1024], subject[1024];
	bool any;
};
void clean_inner_field(struct clean_inner *inner, const struct mime_field *field);
/* Says it, and forgets it. */
void clean_inner_say(struct clean *c, struct clean_inner *inner, unsigned quote, const char *title);
/* The same, searched for individual numbers (direction out). */
void clean_inner_search(struct clean *c, struct clean_inner *inner);
/* Fields of a raw header block (a returned mail's), of which the first n bytes are here. */
void clean_inner_block(struct clean_inner *inner, const uint8_t *bytes, size_t n);

/* -- One text part (clean_capture.c) ------------------------------------------------------------------------- */

enum clean_kind { CLEAN_KIND_NONE, CLEAN_KIND_PLAIN, CLEAN_KIND_HTML };

/* Lines that were wrapped for the way (RFC 3676). */
struct clean_flowed {
	bool on, delsp;
	uint8_t state;
	unsigned depth, before; /* quote marks of this line, and of the one that it may continue */
	bool soft;		/* the line before ended in a blank */
	unsigned dashes;	/* of "-- " */
	bool blank;		/* the last character was one, and is held back */
};

void clean_flowed_begin(struct clean_flowed *f, bool delsp);
void clean_flowed_put(struct clean_flowed *f, struct clean_text *to, const char *utf8, size_t n);

struct clean_capture {
	uint8_t *raw;
	size_t n;
	bool on, settled, html;
	bool direct; /* UTF-8 that goes to the filter as it is */
	unsigned quote;
	enum charset declared, charset;
	bool named;
	struct decoder decoder;
	struct clean_flowed flowed;
	struct html filter;
	struct clean_text *to;
};

void clean_capture_begin(struct clean *c, const struct mime_entity *e, struct clean_text *to);
void clean_capture_push(struct clean *c, const uint8_t *bytes, size_t n);
/* Returns the bytes of text that it gave. */
size_t clean_capture_end(struct clean *c, mime_flags body);

/* The first of two forms of a text: is it only a stub of the other; do they say different things? */
bool clean_is_stub(const char *plain, size_t n, const char *html, size_t nhtml);
bool clean_differ(struct clean *c, const char *a, size_t na, const char *b, size_t nb);

/* A calendar's events in a few lines (clean_calendar.c). */
void clean_calendar(struct clean *c, uint8_t *bytes, size_t n);

/* -- Entities (clean_entity.c) ------------------------------------------------------------------------------- */

struct clean_range {
	size_t at, n;
	bool there;
};

struct clean_frame {
	enum mime_type type;
	unsigned role;	       /* enum role */
	enum clean_kind kind;  /* of the text that it gave */
	size_t start;	       /* of its text */
	struct clean_range plain, html; /* of an alternative */
};

extern const struct mime_handler clean_handler;

/* -- Removed parts (clean_part.c) ---------------------------------------------------------------------------- */

void clean_part_begin(struct clean *c, const struct mime_entity *e, enum mailreport_why why);
void clean_part_push(struct clean *c, const uint8_t *bytes, size_t n);
void clean_part_end(struct clean *c, const struct mime_entity *e, mime_flags body);

/* A mail within the mail, which was read (direction out): it is an attachment as well, of which only the size is known. */
void clean_part_mail(struct clean *c, const struct mime_entity *e);

/* "1,234,567" */
void clean_size_text(uint64_t size, char out[32]);

/* What stands behind the text (clean_notice.c). */
void clean_notice_part(struct clean *c, const struct mailreport_part *p);
void clean_notice_write(struct clean *c);

/* -- Output (clean_output.c) --------------------------------------------------------------------------------- */

#define CLEAN_OUTPUT 16384u /* bytes that are given to the sink at a time */

struct clean_output {
	clean_sink *sink;
	void *arg;
	int error;
	struct sha256_ctx hash;
	uint64_t size;
	uint8_t carry[57]; /* of a line of base64 */
	size_t ncarry, fill;
	char *buffer; /* of CLEAN_OUTPUT bytes */
};

void clean_output_raw(struct clean_output *o, const char *bytes, size_t n);
void clean_output_base64(struct clean_output *o, const char *bytes, size_t n);
/* The end of the mail. */
void clean_output_end(struct clean_output *o);

/* -- All of it ----------------------------------------------------------------------------------------------- */

struct clean {
	struct clean_options options;
	enum mail_reason reason;
	bool ended, header_done;
	bool part_open, block_open, attached_open;
	unsigned errors; /* of text: what became U+FFFD */
	unsigned nitems;
	enum mailreport_why why;
	uint64_t allowance; /* of what archives may unpack */
	struct attachment *attachment;
	struct sha256_ctx hash;
	struct clean_output output;
	struct clean_frame frames[MAIL_DEPTH + 2];
	struct clean_text text, notice, attached, calendar, list; /* attached: text of attachments; list: of what was removed */
	struct clean_text items;
	struct clean_capture capture;
	/* The wire form of the report. */
	struct mailreport report;
	struct mailreport_part parts[MAILREPORT_PARTS];
	struct clean_header header;
	struct mime mime;
	char part_name[MAILREPORT_NAME];
	struct clean_inner inner;
	struct mynumber mynumber;
	uint64_t sets[2][1024]; /* of sequences of words */
	/* What grows up to its limit. */
	uint8_t raw[MAIL_TEXT_RAW];
	char text_out[CLEAN_TEXT_MAX], attached_out[CLEAN_TEXT_MAX], calendar_out[CLEAN_CALENDAR_MAX];
	char list_out[CLEAN_NOTICE_MAX], notice_out[CLEAN_NOTICE_MAX], items_out[CLEAN_ITEMS_MAX];
};
