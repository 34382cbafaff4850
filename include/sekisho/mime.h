/*
 * mime.h: the structure of a mail, as events. Bytes in, cut anywhere; header fields, entities and their decoded bytes out.
 *
 * No tree, no I/O, no allocation: struct mime is all the memory there is, whatever the mail. The same mail gives
 * the same events however it is cut (only bytes() may be cut differently). What is ambiguous is flagged, and the entity
 * that it concerns is opaque: it comes as one thing of raw bytes, with no look inside.
 *
 * Order of events of one message:  field()* entity() then, by its kind,
 *   a leaf:                  bytes()* end()
 *   a multipart, descended:  (entity() ... end())* end()
 *   a message, descended:    field()* entity() ... end()  end()       the fields are those of the inner message
 * A file inside text (uuencode, yEnc, BinHex) is an entity within its text/plain: bytes() entity() bytes() end() bytes() end().
 * Each entity() has its end(), also when the mail is cut short, but not after a refusal.
 */
#ifndef SEKISHO_MIME_H
#define SEKISHO_MIME_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include <sekisho/charset.h>
#include <sekisho/mail_limits.h>
#include <sekisho/mime_flag.h>
#include <sekisho/mime_header.h>

/* Header fields that have a meaning here; any other is MIME_FIELD_OTHER. The table is sorted by name. */
#define MIME_FIELD_NAMES(X)                                                                                    \
	X(ARC_SEAL, "ARC-Seal")                                                                                 \
	X(AUTHENTICATION_RESULTS, "Authentication-Results")                                                     \
	X(AUTO_SUBMITTED, "Auto-Submitted")                                                                     \
	X(BCC, "Bcc")                                                                                           \
	X(CC, "Cc")                                                                                             \
	X(CONTENT_DESCRIPTION, "Content-Description")                                                           \
	X(CONTENT_DISPOSITION, "Content-Disposition")                                                           \
	X(CONTENT_ID, "Content-ID")                                                                             \
	X(CONTENT_TRANSFER_ENCODING, "Content-Transfer-Encoding")                                               \
	X(CONTENT_TYPE, "Content-Type")                                                                         \
	X(DATE, "Date")                                                                                         \
	X(DELIVERED_TO, "Delivered-To")                                                                         \
	X(DKIM_SIGNATURE, "DKIM-Signature")                                                                     \
	X(FROM, "From")                                                                                         \
	X(IN_REPLY_TO, "In-Reply-To")                                                                           \
	X(LIST_ID, "List-Id")                                                                                   \
	X(MESSAGE_ID, "Message-ID")                                                                             \
	X(MIME_VERSION, "MIME-Version")                                                                         \
	X(PRECEDENCE, "Precedence")                                                                             \
	X(RECEIVED, "Received")                                                                                 \
	X(REFERENCES, "References")                                                                             \
	X(REPLY_TO, "Reply-To")                                                                                 \
	X(RESENT_FROM, "Resent-From")                                                                           \
	X(RESENT_TO, "Resent-To")                                                                               \
	X(RETURN_PATH, "Return-Path")                                                                           \
	X(SENDER, "Sender")                                                                                     \
	X(SUBJECT, "Subject")                                                                                   \
	X(TO, "To")

enum mime_field_id {
	MIME_FIELD_OTHER,
#define X(id, name) MIME_FIELD_##id,
	MIME_FIELD_NAMES(X)
#undef X
};

/* A field of the top message or of one inside it. Pointers are good until the handler returns. */
struct mime_field {
	enum mime_field_id id;
	const char *name; /* as it was written; not terminated */
	size_t nname;
	const uint8_t *value; /* unfolded (line ends out, blanks kept), blanks before and after it out; any bytes but CR LF */
	size_t n;
	unsigned message; /* messages around it: 0 in the top message */
	unsigned entity;  /* index of the message/rfc822 whose field it is; 0 in the top message */
	mime_flags flags; /* FIELD_TWICE (the first counts), FIELD_8BIT, FIELD_CONTROL */
};

/* What an entity is. */
#define MIME_TYPES(X)                                                                                          \
	X(TEXT_PLAIN, "text/plain")                                                                             \
	X(TEXT_HTML, "text/html")                                                                               \
	X(TEXT_CALENDAR, "text/calendar")                                                                       \
	X(TEXT_CSV, "text/csv")                                                                                 \
	X(TEXT_ENRICHED, "text/enriched")                                                                       \
	X(TEXT_RTF, "text/rtf")                                                                                 \
	X(TEXT_RFC822_HEADERS, "text/rfc822-headers")                                                           \
	X(MULTIPART_MIXED, "multipart/mixed")                                                                   \
	X(MULTIPART_ALTERNATIVE, "multipart/alternative")                                                       \
	X(MULTIPART_RELATED, "multipart/related")                                                               \
	X(MULTIPART_REPORT, "multipart/report")                                                                 \
	X(MULTIPART_SIGNED, "multipart/signed")                                                                 \
	X(MULTIPART_ENCRYPTED, "multipart/encrypted")                                                           \
	X(MULTIPART_DIGEST, "multipart/digest")                                                                 \
	X(MULTIPART_APPLEDOUBLE, "multipart/appledouble")                                                       \
	X(MESSAGE_RFC822, "message/rfc822")                                                                     \
	X(MESSAGE_PARTIAL, "message/partial")                                                                   \
	X(MESSAGE_EXTERNAL_BODY, "message/external-body")                                                       \
	X(MESSAGE_DELIVERY_STATUS, "message/delivery-status")                                                   \
	X(MESSAGE_DISPOSITION_NOTIFICATION, "message/disposition-notification")                                 \
	X(MESSAGE_FEEDBACK_REPORT, "message/feedback-report")                                                   \
	X(APPLICATION_OCTET_STREAM, "application/octet-stream")                                                 \
	X(APPLICATION_MS_TNEF, "application/ms-tnef")                                                           \
	X(APPLICATION_VND_MS_TNEF, "application/vnd.ms-tnef")                                                   \
	X(APPLICATION_PKCS7_MIME, "application/pkcs7-mime")                                                     \
	X(APPLICATION_X_PKCS7_MIME, "application/x-pkcs7-mime")                                                 \
	X(APPLICATION_PKCS7_SIGNATURE, "application/pkcs7-signature")                                           \
	X(APPLICATION_X_PKCS7_SIGNATURE, "application/x-pkcs7-signature")                                       \
	X(APPLICATION_PGP_ENCRYPTED, "application/pgp-encrypted")                                               \
	X(APPLICATION_PGP_SIGNATURE, "application/pgp-signature")                                               \
	X(APPLICATION_ICS, "application/ics")

enum mime_type {
	MIME_NONE,	      /* the parent of the top entity */
	MIME_OTHER,	      /* no type of these, and no text, multipart or message */
	MIME_TEXT_OTHER,      /* text of another kind */
	MIME_MULTIPART_OTHER, /* read as multipart/mixed */
	MIME_MESSAGE_OTHER,
	MIME_UUENCODE, /* a file inside text: its bytes decoded */
	MIME_YENC,     /* the same, its lines as they are, CRLF or LF as in the text */
	MIME_BINHEX,
#define X(id, name) MIME_##id,
	MIME_TYPES(X)
#undef X
};

static inline bool mime_is_text(enum mime_type type)
{
	return type == MIME_TEXT_OTHER || (type >= MIME_TEXT_PLAIN && type <= MIME_TEXT_RFC822_HEADERS);
}

static inline bool mime_is_multipart(enum mime_type type)
{
	return type == MIME_MULTIPART_OTHER || (type >= MIME_MULTIPART_MIXED && type <= MIME_MULTIPART_APPLEDOUBLE);
}

enum mime_encoding {
	MIME_7BIT, /* also when none is named */
	MIME_8BIT,
	MIME_BINARY,
	MIME_BASE64,
	MIME_QUOTED_PRINTABLE,
	MIME_ENCODING_UNKNOWN,
};

enum mime_disposition {
	MIME_DISPOSITION_NONE,
	MIME_INLINE,
	MIME_ATTACHMENT, /* also any word but inline, and what is not well-formed or occurs twice */
};

/* Where a file name stood. All that were there are kept: who reads which one is the doubt. */
enum mime_name_place {
	MIME_FILENAME,	       /* Content-Disposition: filename= */
	MIME_FILENAME_PIECES,  /* filename*=, filename*0=, ... (RFC 2231) */
	MIME_FILENAME_AGAIN,   /* the last filename=, if there are several */
	MIME_NAME,	       /* Content-Type: name= */
	MIME_NAME_PIECES,
	MIME_NAME_AGAIN,
	MIME_NAMES,
};

struct mime_name {
	bool there;
	char text[MAIL_NAME_BYTES]; /* decoded once, one line, dropped characters visible as [U+202E]; with NUL */
	uint16_t nraw;
	uint8_t raw[MAIL_NAME_BYTES]; /* as it was written, out of its quotation marks; pieces joined; cut to this size */
};

/* Values are lower case but names. Pointers to it are good until its end() returns; `index` is its lasting name. */
struct mime_entity {
	uint16_t index;	     /* order of beginnings, from 0 */
	uint16_t parent;     /* index of what it is in; its own for the top entity */
	uint8_t depth;	     /* 0: the top entity */
	uint8_t message;     /* messages around it: 0 in the top message */
	bool opaque;	     /* bytes are raw; descending is not possible */
	enum mime_type type, parent_type;
	enum mime_encoding encoding;
	enum mime_disposition disposition;
	enum charset charset;		  /* of text without a charset: CHARSET_ASCII */
	bool charset_named;
	bool flowed, delsp;		  /* format=flowed; delsp=yes */
	mime_flags flags;		  /* so far; what the body adds comes with end() */
	char media[MAIL_TYPE + 1];	  /* "text/plain"; "" when not well-formed */
	char charset_label[MAIL_LABEL + 1];
	char method[MAIL_LABEL + 1];	  /* text/calendar */
	char report_type[MAIL_LABEL + 1]; /* multipart/report */
	char protocol[MAIL_TYPE + 1];	  /* multipart/signed, multipart/encrypted */
	char smime_type[MAIL_LABEL + 1];
	char component[MAIL_LABEL + 1];   /* text/calendar */
	struct mime_name names[MIME_NAMES];
	/* Known at end(). */
	uint64_t raw;	  /* bytes of the body before decoding */
	uint64_t decoded; /* bytes that bytes() got */
	uint64_t outside; /* multipart: bytes before the first and after the last part, which nobody gets */
};

/* The name that people should see first: the decoded one of the first place that has one; "" if none. */
const char *mime_entity_name(const struct mime_entity *entity);

/* What the handler wants of an entity. */
enum mime_want {
	MIME_SKIP,    /* nothing: it is only scanned for its end */
	MIME_BYTES,   /* bytes(): decoded; of an opaque entity, a multipart or a message: raw */
	MIME_DESCEND, /* what is inside, of a multipart or message/rfc822 that is not opaque; else like MIME_BYTES */
};

/* field, bytes, end may be NULL. */
struct mime_handler {
	void (*field)(void *arg, const struct mime_field *field);
	enum mime_want (*entity)(void *arg, const struct mime_entity *entity); /* its header is complete */
	void (*bytes)(void *arg, const struct mime_entity *entity, const uint8_t *bytes, size_t n);
	void (*end)(void *arg, const struct mime_entity *entity, mime_flags body); /* flags of its body alone */
	/* Files of the command line: LF ends a line as well, a first line "From " is skipped, and bare CR, bare LF and
	 * NUL are flags and no refusal (a lone CR ends no line). Else the mail is as SMTP carries it: CRLF, and dots undone. */
	bool tolerant;
};

/* -- The automaton; all below but `flags` and `refusal` is its own. ------------------------------------------ */

struct mime_boundary {
	uint8_t n; /* 0: none (a message, or a leaf) */
	char text[MAIL_BOUNDARY_MAX];
};

/* An entity that is open. */
struct mime_frame {
	struct mime_entity entity;
	struct mime_boundary boundary;
	uint8_t state; /* enum frame_state */
	enum mime_want want;
	bool is_message; /* the root of a message: its fields are for the handler */
	uint16_t children;
	mime_flags body;
	/* Its header. */
	uint32_t fields, header_bytes;
	uint8_t seen; /* Content-Type, Content-Transfer-Encoding, Content-Disposition, a MIME field */
};

struct base64 {
	uint32_t quad;	/* sextets that wait */
	uint8_t nquad;	/* how many */
	uint8_t state;	/* enum base64_state */
	bool in_tail, tailed; /* what comes waits in tail; there was one */
	mime_flags flags;
	uint16_t ntail;
	uint8_t tail[MAIL_BASE64_TAIL];
};

struct quoted_printable {
	uint8_t state; /* enum qp_state */
	uint8_t hex;   /* the first digit */
	uint16_t nblanks;
	mime_flags flags;
	uint8_t blanks[MAIL_QP_BLANKS];
};

/* Files inside text. */
struct uuencode {
	bool wanted;  /* the body is text in which they are looked for */
	bool open;    /* one is the top frame; the text is the frame below */
	bool middle;  /* of a line that is text */
	bool last;    /* the block's last line came, but for its "end" */
	uint8_t state; /* enum uu_state */
	uint8_t kind;  /* enum mime_type of the block */
	uint16_t nline, nbegin;
	uint8_t line[MAIL_UU_LINE], begin[MAIL_UU_LINE]; /* the line that comes; the first line, until the next decides */
};

#define MIME_FOLDS 64u /* lines of a field whose ends are remembered; in a field of more any place may be one */
#define MIME_OUT 16384u /* decoded bytes come in pieces of this size: they stay in the first cache */

struct mime {
	mime_flags flags;	/* all that were raised in the mail */
	enum mime_flag refusal; /* why it was refused; MIME_FLAG_END: it was not */
	struct mime_handler handler;
	void *arg;
	uint8_t state; /* enum mime_state */
	bool bol;      /* at the beginning of a line */
	uint8_t eol[2], neol; /* a line end that is held back: it may belong to a boundary */
	bool line_end;	      /* what ends now ends with a line end that belongs to a boundary */
	uint8_t previous;     /* the last byte */
	uint8_t ends;	      /* tolerant: the line ends that there were */
	uint8_t message;
	uint16_t parts;
	uint8_t depth; /* frames that are open, less one */
	uint32_t seen; /* fields of this message that may occur once */
	uint16_t nline;
	uint8_t line[MAIL_BOUNDARY_MAX + 64]; /* a line that may become a boundary */
	uint32_t nfield, field_line; /* where its last line begins */
	uint32_t folds[MIME_FOLDS];  /* where its lines were joined: the first ones */
	uint8_t nfolds;
	bool field_cr;		     /* a CR at the beginning of a line: that of the empty line, if LF follows */
	uint8_t field[MAIL_FIELD_BYTES + 1]; /* and the CR of its last line */
	struct base64 base64;
	struct quoted_printable qp;
	struct uuencode uu;
	uint8_t out[MIME_OUT];
	struct mime_frame frames[MAIL_DEPTH + 2]; /* and a file inside the text of the deepest */
};

/* Begins a mail. The handler is copied. */
void mime_begin(struct mime *m, const struct mime_handler *handler, void *arg);
/* 0, or -EBADMSG once the mail is refused (m->refusal says why): no event comes after that. */
int mime_push(struct mime *m, const void *bytes, size_t n);
/* The end of the mail: closes what is open. As mime_push(). */
int mime_end(struct mime *m);

#endif
