/*
 * smtp.h: what both sides of an SMTP conversation share (RFC 5321): limits, extensions, envelopes, replies.
 *
 * smtp_server.h and smtp_client.h are state machines without I/O, clock and allocation. Times are milliseconds of one
 * monotonic clock that the caller reads.
 */
#ifndef SEKISHO_SMTP_H
#define SEKISHO_SMTP_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include <sekisho/mail_reason.h>
#include <sekisho/smtp_address.h>

/* Limits, and why. */
#define SMTP_COMMAND_MAX 512u	/* a command with its CRLF (RFC 5321 4.5.3.1.4) */
#define SMTP_EXTENDED_MAX 1280u /* MAIL, RCPT, XCLIENT, XFORWARD: 512, and ORCPT 500, ENVID 100, SIZE, BODY, NOTIFY, RET */
#define SMTP_TEXT_MAX 998u	/* a line of the message without its CRLF (RFC 5321 4.5.3.1.6) */
#define SMTP_RCPT_MAX 100u	/* recipients a message: the least that RFC 5321 4.5.3.1.8 allows */
#define SMTP_ERRORS_MAX 20u	/* wrong commands and refused recipients in a session: as Postfix */
#define SMTP_JUNK_MAX 100u	/* NOOP, RSET, VRFY, HELO between two messages; then each counts as an error: as Postfix */
#define SMTP_ENVID_MAX 100u	/* RFC 3461 4.4 */
#define SMTP_ORCPT_MAX 500u	/* RFC 3461 4.2 */
#define SMTP_REPLY_LINE 512u	/* a line of a reply with its CRLF (RFC 5321 4.5.3.1.5) */
#define SMTP_REPLY_LINES 100u	/* EHLO of the talkative has about 20 */
#define SMTP_REPLY_TEXT 512u	/* of a reply's text that is kept: five lines on a screen */
#define SMTP_NEVER INT64_MAX	/* a deadline that never comes */

/* Extensions, as bits. */
enum smtp_extension {
	SMTP_PIPELINING = 1,
	SMTP_SIZE = 2,
	SMTP_ENHANCED = 4, /* ENHANCEDSTATUSCODES */
	SMTP_8BITMIME = 8,
	SMTP_DSN = 16,
	SMTP_STARTTLS = 32,
	SMTP_XCLIENT = 64,
	SMTP_XFORWARD = 128,
};

enum smtp_body { SMTP_BODY_NONE, SMTP_BODY_7BIT, SMTP_BODY_8BIT };
enum smtp_ret { SMTP_RET_NONE, SMTP_RET_FULL, SMTP_RET_HDRS };
enum smtp_notify { SMTP_NOTIFY_NEVER = 1, SMTP_NOTIFY_SUCCESS = 2, SMTP_NOTIFY_FAILURE = 4, SMTP_NOTIFY_DELAY = 8 };

/* MAIL FROM and its parameters. */
struct smtp_mail {
	struct smtp_address from;
	uint64_t size;			/* SIZE=, or 0 */
	uint8_t body;			/* enum smtp_body */
	uint8_t ret;			/* enum smtp_ret */
	char envid[SMTP_ENVID_MAX + 1]; /* xtext, checked; "" none */
};

/* RCPT TO and its parameters. */
struct smtp_rcpt {
	struct smtp_address to;
	uint8_t notify;			/* bits of enum smtp_notify, or 0 */
	char orcpt[SMTP_ORCPT_MAX + 1]; /* `rfc822;` and xtext, checked; "" none */
};

/* Whom a configured peer speaks for (XCLIENT, XFORWARD of Postfix). "" is: not said, or not known. */
struct smtp_origin {
	char name[SMTP_DOMAIN_MAX + 1];
	char address[48]; /* of IPv4 or IPv6, in normal form */
	char helo[SMTP_DOMAIN_MAX + 1];
	char ident[64]; /* the peer's name for the message (XFORWARD) */
	uint16_t port;
	uint8_t proto;	/* 0, 1 SMTP, 2 ESMTP */
	bool local;	/* XFORWARD SOURCE=LOCAL */
};

/* A reply: ours, or the next hop's, of which only printable ASCII is left, its lines joined by a blank. */
struct smtp_reply {
	uint16_t code;
	char enhanced[12]; /* "5.7.1"; "" none */
	char text[SMTP_REPLY_TEXT];
};

/* What was seen in a message. */
enum smtp_seen {
	SMTP_SEEN_BARE_CR = 1,
	SMTP_SEEN_BARE_LF = 2,
	SMTP_SEEN_NUL = 4,
	SMTP_SEEN_LONG_LINE = 8,
	SMTP_SEEN_SIZE = 16,
	SMTP_SEEN_DOT = 32, /* a line of a dot and blanks, which some take for the end */
};

/* Where in a message we are, line by line; the machines' own (smtp_text.c). */
struct smtp_text {
	uint8_t state;	/* enum text_state */
	unsigned flags; /* enum smtp_seen */
	size_t length;	/* of the line */
};

/* Why a message was refused or a session ended. smtp_why_word() names each for the log. */
enum smtp_why {
	SMTP_WHY_NONE,
	/* Of a message (the server's SMTP_EVENT_END). */
	SMTP_WHY_BARE_CR,
	SMTP_WHY_BARE_LF,
	SMTP_WHY_NUL,
	SMTP_WHY_DOT,
	SMTP_WHY_LONG_LINE,
	SMTP_WHY_SIZE,
	/* Of a session. */
	SMTP_WHY_QUIT,
	SMTP_WHY_CLOSED,    /* the peer closed the connection */
	SMTP_WHY_TIMEOUT,
	SMTP_WHY_SLOW,	    /* less than the least rate */
	SMTP_WHY_SESSION,   /* the session was too long */
	SMTP_WHY_STALLED,   /* the peer does not read */
	SMTP_WHY_ERRORS,    /* the budget is used up */
	SMTP_WHY_PIPELINED, /* it did not wait where it must */
	SMTP_WHY_INJECTED,  /* text in clear behind STARTTLS, before the handshake: perhaps somebody else's */
	SMTP_WHY_JUNK,	    /* it does not speak SMTP */
	SMTP_WHY_DRAIN,	    /* we shut down */
	/* Of a next hop's session. */
	SMTP_WHY_HOP_CLOSED,	 /* it closed the connection */
	SMTP_WHY_HOP_TIMEOUT,
	SMTP_WHY_HOP_REPLY,	 /* no reply by the rules: line ends, lengths, codes */
	SMTP_WHY_HOP_UNEXPECTED, /* a reply to what was not asked yet */
	SMTP_WHY_HOP_REFUSED,	 /* its greeting, its EHLO, a 421 at any time */
	SMTP_WHY_HOP_TLS,	 /* it offers no STARTTLS or refuses it, and TLS is demanded */
	SMTP_WHY_HOP_QUIT,	 /* our QUIT was answered */
	SMTP_WHY_COUNT
};
const char *smtp_why_word(enum smtp_why why);

/* What the machine says by itself: one table (smtp_reply.c). What the daemon says is in mail_reason.h. */
enum smtp_answer {
	SMTP_SAY_OK,
	SMTP_SAY_MAIL_OK,
	SMTP_SAY_RCPT_OK,
	SMTP_SAY_SENT,
	SMTP_SAY_START_DATA,
	SMTP_SAY_BYE,
	SMTP_SAY_TLS_READY,
	SMTP_SAY_VRFY,
	SMTP_SAY_UNKNOWN,
	SMTP_SAY_SYNTAX,
	SMTP_SAY_ARGUMENT,
	SMTP_SAY_NOT_HERE,
	SMTP_SAY_TOO_LONG,
	SMTP_SAY_BARE_LF_COMMAND,
	SMTP_SAY_NOT_SMTP,
	SMTP_SAY_PIPELINED,
	SMTP_SAY_HELO_FIRST,
	SMTP_SAY_HELO_NAME,
	SMTP_SAY_NESTED_MAIL,
	SMTP_SAY_NEED_MAIL,
	SMTP_SAY_NEED_RCPT,
	SMTP_SAY_NO_RCPT,
	SMTP_SAY_SEQUENCE,
	SMTP_SAY_PARAMETER,
	SMTP_SAY_PARAMETER_VALUE,
	SMTP_SAY_FROM_SYNTAX,
	SMTP_SAY_FROM_UTF8,
	SMTP_SAY_FROM_DOMAIN,
	SMTP_SAY_FROM_LONG,
	SMTP_SAY_FROM_ROUTE,
	SMTP_SAY_TO_SYNTAX,
	SMTP_SAY_TO_UTF8,
	SMTP_SAY_TO_DOMAIN,
	SMTP_SAY_TO_LONG,
	SMTP_SAY_TO_ROUTE,
	SMTP_SAY_TO_NULL,
	SMTP_SAY_TOO_MANY_RCPT,
	SMTP_SAY_TOO_BIG_CLAIM,
	SMTP_SAY_TOO_BIG,
	SMTP_SAY_BARE_CR,
	SMTP_SAY_BARE_LF,
	SMTP_SAY_NUL,
	SMTP_SAY_DOT,
	SMTP_SAY_LONG_LINE,
	SMTP_SAY_ERRORS,
	SMTP_SAY_TIMEOUT,
	SMTP_SAY_SLOW,
	SMTP_SAY_SESSION,
	SMTP_SAY_DRAIN,
	SMTP_SAY_NEED_TLS,
	SMTP_SAY_TLS_ALREADY,
	SMTP_SAY_NO_TLS,
	SMTP_SAY_INJECTED,
	SMTP_SAY_EARLY,
	SMTP_SAY_REFUSED,
	SMTP_SAY_DEFER,
	SMTP_SAY_COUNT
};

/* Row of the table: a static struct. */
const struct smtp_reply *smtp_answer_get(enum smtp_answer what);
/* The reason for the ledger and, when a next hop's session ended so, for the client. */
enum mail_reason smtp_why_reason(enum smtp_why why);

/*
 * Writes a reply with its line ends into out: several lines when the text is long, at blanks where there are some; '\n' in the
 * text begins a line. What is not printable ASCII becomes '?'. enhanced may be NULL or "": none. Returns the bytes written,
 * or 0 when out is too small. SMTP_REPLY_SPACE is enough for any struct smtp_reply.
 */
#define SMTP_REPLY_SPACE 1024u
size_t smtp_reply_write(char *out, size_t size, unsigned code, const char *enhanced, const char *text);

/* Three digits 200..599 by RFC 5321 4.2.1, and an enhanced code "c.s.d" (RFC 3463) of the same class. */
bool smtp_code_valid(unsigned code);
bool smtp_enhanced_valid(const char *enhanced, unsigned code);

#endif
