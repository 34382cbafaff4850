/*
 * clean.h: a mail from the internet becomes text. Bytes in; a mail in the form of rootfs/doc/mail-output.md and a report out.
 *
 * Nothing is written before the whole mail was read: the header carries the receipt number, which is from the hash of all
 * of it, and a mail that is refused has no output at all. All memory is taken by clean_new() and never grows (about 3 MiB of
 * address space; a page costs only once it is touched, so that a small mail costs little). The same mail gives the same bytes.
 */
#ifndef SEKISHO_CLEAN_H
#define SEKISHO_CLEAN_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include <sekisho/mailreport.h>

enum clean_direction {
	CLEAN_IN,  /* to the inside: text is written */
	CLEAN_OUT, /* to the outside: nothing is written, only reported */
};

/* Where the original is, as the notice says it. */
enum clean_original {
	CLEAN_ORIGINAL_NONE,
	CLEAN_ORIGINAL_UPSTREAM, /* not known to be kept: Message-ID, sender and time are printed to ask with */
	CLEAN_ORIGINAL_COPIED,	 /* in a mailbox on the internet side, with the receipt number in its subject */
};

/* Attachments whose text follows the body: bits. */
enum clean_text_of {
	CLEAN_TEXT_DOCX = 1 << 0,
	CLEAN_TEXT_XLSX = 1 << 1,
	CLEAN_TEXT_PPTX = 1 << 2,
	CLEAN_TEXT_TXT = 1 << 3,
	CLEAN_TEXT_CSV = 1 << 4,
};

#define CLEAN_LABELS 8u
#define CLEAN_LABEL 64u /* bytes of a label, with NUL */

/* Receives the output; never keeps the pointer. Other than 0 stops the output, and clean_end() returns it. */
typedef int clean_sink(void *arg, const void *bytes, size_t n);

struct clean_options {
	clean_sink *sink; /* not called in direction out */
	void *arg;
	enum clean_direction direction;
	enum clean_original original;
	unsigned attachment_text; /* enum clean_text_of */
	bool english;		  /* language of the notices, else Japanese */
	bool private_use;	  /* keep a town's own characters (外字) */
	bool lf;		  /* a bare LF ends a line of the mail: for files. In the gate only CR LF does */
	size_t text_max;	  /* bytes of text from the mail; 0, or more than there is room for: the most */
	uint64_t size_max;	  /* of the mail; 0: not limited here */
	char trace[64];		  /* the gate's own name in X-Sekisho-Trace, letters, digits, "." and "-"; "": no such field */
	char authserv[256];	  /* whose Authentication-Results is believed; "": nobody's */
	char labels[CLEAN_LABELS][CLEAN_LABEL]; /* looked for in the subject (direction out) */
	const uint8_t *sha256;	  /* 32 bytes: hash of the whole mail, by who gives it to us; NULL: worked out here */
	const char *domains;	  /* own domains, one a line; NULL: none. Read by clean_new(), must stay until clean_end() */
	size_t ndomains;	  /* bytes of it */
};

struct clean;

/* A cleaner for one mail; NULL without memory. Cheap: nothing is touched that the mail does not need. Chooses the language
 * of messages for the whole process (i18n_init). */
struct clean *clean_new(const struct clean_options *options);

/* The next bytes of the mail, cut anywhere. 0, or the reason (enum mail_reason) for which the mail is refused: the rest
 * may be given or not, but without it hash and receipt are of what was given. */
int clean_push(struct clean *c, const void *bytes, size_t n);

/*
 * The end of the mail: writes the output (unless refused, or direction out) and completes the report. 0, an enum
 * mail_reason, or what the sink returned (negative). *ret_report is valid until clean_free().
 */
int clean_end(struct clean *c, struct mailreport_view *ret_report);

/* The report in its wire form, after clean_end(). */
const void *clean_report(const struct clean *c, size_t *ret_n);

/* NULL is allowed. */
void clean_free(struct clean *c);

/* The bit of a word of --attachment-text ("docx"), or 0. */
unsigned clean_text_find(const char *word, size_t n);

#endif
