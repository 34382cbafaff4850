/*
 * smtp_client.h: the client's side of SMTP (RFC 5321, 1870, 2034, 2920, 3207, 3461, 6152; XFORWARD of Postfix) as a machine:
 * bytes and times in, bytes and events out. The peer is the next hop; its replies are not trusted.
 *
 *   smtp_client_begin()               SMTP_CLIENT_READY (or STARTTLS first) when greeting and EHLO are through
 *   smtp_client_mail() _rcpt()... _data()   an event for each, in order; with PIPELINING at once, without one by one (-EAGAIN)
 *   after SMTP_CLIENT_DATA with 354:  smtp_client_write()...; then smtp_client_finish() and SMTP_CLIENT_SENT,
 *                                     or smtp_client_abort() and close: the next hop must discard what it has
 *   the next message: smtp_client_mail() at once after SENT; after refusals smtp_client_reset() before
 *   smtp_client_quit()
 *
 * Whatever is queued lies in smtp_client_output() until the caller has written it: one write a phase. A reply counts only when
 * the last byte of its command was reported as sent.
 */
#ifndef SEKISHO_SMTP_CLIENT_H
#define SEKISHO_SMTP_CLIENT_H

#include <sys/types.h>

#include <sekisho/smtp.h>

/* Longest waits; 0 takes the default (milliseconds; RFC 5321 4.5.3.2, but the last: the client before us waits 10 minutes). */
struct smtp_client_times {
	int64_t greeting; /* 300 s */
	int64_t command;  /* EHLO, STARTTLS, XFORWARD, MAIL, RCPT, RSET: 300 s */
	int64_t data;	  /* the reply to DATA: 120 s */
	int64_t block;	  /* the next hop takes some of the message: 180 s */
	int64_t final;	  /* the reply to the final dot: 480 s */
	int64_t quit;	  /* 10 s */
};

struct smtp_client_options {
	const char *name; /* for EHLO; must live as long as the machine */
	bool tls;	  /* STARTTLS when it is offered */
	bool need_tls;	  /* nothing without */
	bool forward;	  /* XFORWARD when it is offered */
	struct smtp_client_times times;
};

enum smtp_client_event_kind {
	SMTP_CLIENT_NONE,
	SMTP_CLIENT_STARTTLS, /* shake hands now, then smtp_client_secured() */
	SMTP_CLIENT_READY,    /* smtp_client_mail() may come; extensions and size_max are known */
	SMTP_CLIENT_MAIL,     /* reply */
	SMTP_CLIENT_RCPT,     /* reply, index: of smtp_client_rcpt() since MAIL, from 0 */
	SMTP_CLIENT_DATA,     /* reply: 354 (only when a recipient was accepted), or a refusal */
	SMTP_CLIENT_SENT,     /* reply to the final dot */
	SMTP_CLIENT_RESET,    /* reply, 250; a refusal is the end */
	SMTP_CLIENT_GONE,     /* why; reply when there was one. Close. */
};

struct smtp_client_event {
	enum smtp_client_event_kind kind;
	enum smtp_why why;
	unsigned index;
	const struct smtp_reply *reply; /* good until the next call */
};

/* Commands whose replies are outstanding: MAIL, a hundred RCPT, DATA, and some. */
#define SMTP_CLIENT_QUEUE 128u
/* A small message is one write: commands, or text and dot. */
#define SMTP_CLIENT_OUT 16384u

/* The caller may read all, and writes nothing. */
struct smtp_client {
	struct smtp_client_options options;
	unsigned extensions; /* of the next hop: bits of enum smtp_extension */
	unsigned forwards;   /* enum origin_attribute: of its XFORWARD */
	uint64_t size_max;   /* its SIZE; 0: none, or not said */
	uint8_t state;	     /* enum client_state */
	struct smtp_text text; /* of the message */
	bool esmtp, tls, over;
	bool in_mail;	     /* MAIL is queued, and the transaction not over */
	bool early;	     /* the reply began before its command was sent */
	unsigned nrcpt, nreplied, naccepted; /* RCPT of the transaction */
	int64_t since;	     /* what the deadline counts from */
	uint64_t queued, sent; /* bytes of output ever */
	unsigned head, count; /* of the queue */
	struct smtp_client_pending {
		uint8_t kind;  /* enum pending */
		uint64_t end; /* of its bytes in `queued` */
	} queue[SMTP_CLIENT_QUEUE];
	unsigned nlines;     /* of the reply that is being read */
	size_t nline, nout;
	struct smtp_reply reply;
	char line[SMTP_REPLY_LINE];
	char out[SMTP_CLIENT_OUT];
};

void smtp_client_begin(struct smtp_client *c, const struct smtp_client_options *options, int64_t now);

/* Takes bytes up to the first event (or all: kind NONE). Returns how many it took; the caller pushes the rest again. */
size_t smtp_client_push(struct smtp_client *c, int64_t now, const void *p, size_t n, struct smtp_client_event *ret);
/* The next hop closed the connection. */
void smtp_client_closed(struct smtp_client *c, int64_t now, struct smtp_client_event *ret);
/* The handshake is done: EHLO anew. */
void smtp_client_secured(struct smtp_client *c, int64_t now);

/*
 * Commands. Each: 0 queued; -EAGAIN not now (replies are outstanding, or the output is full: try after the next event);
 * -EPROTO it has no place here; -EMSGSIZE SIZE is over the next hop's (nothing was queued); -EINVAL a part that would break
 * the line. Parameters are sent only when the next hop offers their extension.
 * smtp_client_mail() sends `origin` before it when the next hop takes XFORWARD and the options say so; NULL: nothing.
 */
int smtp_client_mail(struct smtp_client *c, int64_t now, const struct smtp_mail *mail, const struct smtp_origin *origin);
int smtp_client_rcpt(struct smtp_client *c, int64_t now, const struct smtp_rcpt *rcpt);
int smtp_client_data(struct smtp_client *c, int64_t now);
int smtp_client_reset(struct smtp_client *c, int64_t now);
int smtp_client_quit(struct smtp_client *c, int64_t now);

/*
 * Text of the message: lines end with CRLF, cut anywhere; dots are stuffed. Returns how many bytes it took (fewer than n: the
 * output is full), -EBADMSG for a bare CR, a bare LF or NUL (nothing of this call was taken up to it that would matter: abort),
 * -EPROTO when it has no place here.
 */
ssize_t smtp_client_write(struct smtp_client *c, int64_t now, const void *p, size_t n);

/* The final dot; a last line without CRLF gets one. Never -EAGAIN. -EBADMSG: the text ends with a bare CR. */
int smtp_client_finish(struct smtp_client *c, int64_t now);

/* Forgets what was not written. The caller closes the connection: without the dot the next hop must discard the message. */
void smtp_client_abort(struct smtp_client *c);

/* Bytes for the next hop; *ret_n may be 0. smtp_client_sent(): so many of them were written. */
const char *smtp_client_output(const struct smtp_client *c, size_t *ret_n);
void smtp_client_sent(struct smtp_client *c, int64_t now, size_t n);

/* When to call smtp_client_tick() at the latest; SMTP_NEVER: nothing is awaited. */
int64_t smtp_client_deadline(const struct smtp_client *c);
void smtp_client_tick(struct smtp_client *c, int64_t now, struct smtp_client_event *ret);

/* A message may begin: nothing is outstanding. */
bool smtp_client_idle(const struct smtp_client *c);
/* The connection must be closed (after the output is written, unless aborted). */
bool smtp_client_over(const struct smtp_client *c);

#endif
