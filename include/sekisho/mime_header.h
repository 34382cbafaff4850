/*
 * mime_header.h: what stands in header fields: text, addresses, message ids, dates.
 *
 * Every function takes the raw unfolded value of a field (struct mime_field), never fails and never allocates; what was
 * wrong is in the flags it returns. Text comes out as one line of what mailtext.h lets pass, controls never. What comes
 * out is decoded once: a word that decodes to something like a word stays as it is (WORD_NESTED).
 */
#ifndef SEKISHO_MIME_HEADER_H
#define SEKISHO_MIME_HEADER_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include <sekisho/mail_limits.h>
#include <sekisho/mailtext.h>
#include <sekisho/mime_flag.h>

/*
 * The text of a field such as Subject (RFC 2047) into `text`, which the caller began with one_line and ends. Words
 * side by side in one charset are one text (characters and shift states cross words). What is not encoded and not
 * ASCII is UTF-8, ISO-2022-JP, else CP932, else U+FFFD. A word in an unknown charset stays as it was written.
 */
mime_flags mime_words(struct mailtext *text, const void *value, size_t n);

/* The same into out, at most size - 1 bytes (whole characters; CUT when it was more), with NUL. size >= 1. */
mime_flags mime_words_into(char *out, size_t size, const void *value, size_t n);

/* One entry of a list of addresses. */
struct mime_address {
	char display[MAIL_DISPLAY + 1]; /* the name, decoded; "" if there was none */
	char local[MAIL_LOCAL_PART + 1]; /* out of its quotation marks; printable ASCII; "" if there was no whole address */
	char domain[MAIL_DOMAIN + 1];	 /* labels of letters, digits, "-", "_", lower case; or [literal] */
	bool quoted;	   /* the local part is no dot-atom: it is written "in quotation marks" */
	bool literal;	   /* the domain is an [address] */
	bool group;	   /* display is the name of a group, whose members follow; no address */
	bool member;	   /* of the group before */
	mime_flags flags;  /* ADDRESS_BROKEN (then local and domain are ""), ADDRESS_NAME, ADDRESS_ROUTE, of the words, CUT */
};
typedef void mime_address_sink(void *arg, const struct mime_address *address);

/* The entries of From, To, Cc, Reply-To..., in order. ADDRESSES: there were too many, the rest was not read. Returns the
 * flags of all. What is no address ("<>", "undisclosed recipients") comes as an entry without local part. */
mime_flags mime_addresses(const void *value, size_t n, mime_address_sink *sink, void *arg);

/* local@domain as RFC 5322 writes it, quoted where it must be, into out; "" when there is no address. Returns its length. */
#define MIME_ADDRESS_SPEC (2 * MAIL_LOCAL_PART + 2 + 1 + MAIL_DOMAIN + 1)
size_t mime_address_spec(const struct mime_address *address, char out[MIME_ADDRESS_SPEC]);

/* Message-ID, In-Reply-To, References: each "<left@right>" in order, with its brackets; between them at most MAIL_ID of
 * atext and ".@:[]". What is none, or longer, is left out (ID_BROKEN); blanks and comments between them do not count. */
typedef void mime_id_sink(void *arg, const char *id, size_t n);
mime_flags mime_ids(const void *value, size_t n, mime_id_sink *sink, void *arg);

struct mime_date {
	uint16_t year;
	uint8_t month, day, hour, minute, second; /* month and day from 1 */
	uint8_t weekday;			    /* 0 Sunday; computed */
	int16_t zone;				    /* minutes east of Greenwich */
	bool zone_unknown;			    /* "-0000", or a zone's name that is none */
};

/* False (and *ret_date untouched) if it is no date; a wrong weekday or an odd form sets DATE_BROKEN in *flags. */
bool mime_date(const void *value, size_t n, struct mime_date *ret_date, mime_flags *flags);

/* "Fri, 20 Nov 2026 16:01:00 +0900". */
#define MIME_DATE_TEXT 32
void mime_date_text(const struct mime_date *date, char out[MIME_DATE_TEXT]);

#endif
