/*
 * smtp_server.h: the server's side of SMTP (RFC 5321, 1870, 1985, 2034, 2920, 3207, 3461, 6152; XCLIENT and XFORWARD of
 * Postfix) as a machine: bytes and times in, bytes and events out.
 *
 * How a caller drives it, for one connection:
 *
 *   smtp_server_begin(); smtp_server_accept() once it wants to greet (or smtp_server_reply(421) when it does not)
 *   loop: wait until the socket may be read (only while smtp_server_want() > 0), or written (while smtp_server_output() gives
 *         bytes; then smtp_server_sent()), or smtp_server_deadline() has come (then smtp_server_tick())
 *         bytes that are there: smtp_server_push() takes them up to the first event. What it did not take the caller keeps and
 *         pushes again: at once after an event that needs no answer, and after the answer to one that does, without waiting
 *         for the socket (clients pipeline).
 *   until smtp_server_over(): write what output is left, close.
 *
 * Events that need an answer have smtp_server_due(s) != SMTP_EVENT_NONE until the caller gives it with smtp_server_accept() or
 * smtp_server_reply(); until then nothing more is read. The machine itself answers everything that is wrong by the protocol.
 */
#ifndef SEKISHO_SMTP_SERVER_H
#define SEKISHO_SMTP_SERVER_H

#include <sekisho/smtp.h>

/* Longest wait in each state and the least rate; 0 takes the default (milliseconds; RFC 5321 4.5.3.2). */
struct smtp_server_times {
	int64_t command; /* for a whole command, and for the client to take our reply: 300 s */
	int64_t block;	 /* for the next bytes of a message: 180 s */
	int64_t grace;	 /* before the least rate counts: 60 s */
	int64_t session; /* whole, and from its beginning on a message: 3600 s; not while an answer of ours is due */
	uint64_t rate;	 /* bytes a second of a message on the average: 256 */
};

struct smtp_server_options {
	const char *name;      /* our host name; must live as long as the machine */
	unsigned offer;	       /* bits of enum smtp_extension: what we and the next hop can; smtp_server_offer() changes it */
	uint64_t size_max;     /* bytes of a message; 0: no limit */
	unsigned rcpt_max;     /* 0: SMTP_RCPT_MAX */
	unsigned errors_max;   /* 0: SMTP_ERRORS_MAX */
	bool need_tls;	       /* no MAIL before STARTTLS */
	bool refuse_long_lines; /* over SMTP_TEXT_MAX: 550; else they are only flagged */
	struct smtp_server_times times;
};

enum smtp_event_kind {
	SMTP_EVENT_NONE,
	SMTP_EVENT_GREETING,	/* due from the beginning; never returned */
	SMTP_EVENT_HELO,	/* helo, esmtp. Answer. A transaction that ran is over. */
	SMTP_EVENT_MAIL,	/* mail. Answer. */
	SMTP_EVENT_RCPT,	/* rcpt. Answer. */
	SMTP_EVENT_DATA,	/* Answer: accept() says 354. Only when a recipient was accepted. */
	SMTP_EVENT_BYTES,	/* data, n: of the message, without stuffed dots. They point into what was pushed. */
	SMTP_EVENT_END,		/* size, flags, why. Answer when why is NONE; else it is answered: discard the message. */
	SMTP_EVENT_RESET,	/* RSET: a transaction that ran is over */
	SMTP_EVENT_STARTTLS,	/* Answer; then write the output, drop what was read, shake hands, smtp_server_secured() */
	SMTP_EVENT_XCLIENT,	/* origin. Answer: accept() greets anew. */
	SMTP_EVENT_XFORWARD,	/* origin: what was told since the last message, all of it. No answer. */
	SMTP_EVENT_GONE,	/* why. The last one: whatever ran is over; write the output, close. */
};

struct smtp_event {
	enum smtp_event_kind kind;
	enum smtp_why why;
	const uint8_t *data; /* as the pointers below: good until the next call */
	size_t n;
	const char *helo;
	bool esmtp;
	const struct smtp_mail *mail;
	const struct smtp_rcpt *rcpt;
	const struct smtp_origin *origin;
	uint64_t size; /* of the message: bytes without stuffed dots */
	unsigned flags; /* enum smtp_seen */
};

/* Two of the longest replies: pipelined commands go on while there is room for one. */
#define SMTP_SERVER_OUT (4u * SMTP_REPLY_SPACE)

/* The caller may read all, and writes nothing. */
struct smtp_server {
	struct smtp_server_options options;
	uint8_t state;	 /* enum server_state */
	uint8_t due;	 /* enum smtp_event_kind */
	bool esmtp;	 /* EHLO */
	bool in_mail;	 /* MAIL was accepted */
	bool tls;
	bool sync;	 /* nothing may come before our reply is sent */
	bool too_long;	 /* the line that is being read */
	bool over, draining, held;
	struct smtp_text text; /* of the message */
	unsigned nrcpt, naccepted; /* RCPT of the transaction */
	unsigned errors, junk;
	unsigned messages; /* accepted in this session */
	uint64_t size;	   /* of the message */
	int64_t begun;	   /* the session */
	int64_t since;	   /* the state that a deadline counts from */
	int64_t last;	   /* bytes came */
	int64_t wrote;	   /* output was empty, or some was taken */
	int64_t held_at;
	size_t nline, nout;
	char before;	   /* the last byte read */
	char helo[SMTP_DOMAIN_MAX + 1]; /* "" before */
	struct smtp_mail mail;
	struct smtp_rcpt rcpt;
	struct smtp_origin origin;
	char line[SMTP_EXTENDED_MAX];
	char out[SMTP_SERVER_OUT];
};

/* A new connection. The greeting is due. */
void smtp_server_begin(struct smtp_server *s, const struct smtp_server_options *options, int64_t now);

/* What EHLO says from now on; for the caller whose next hop is known only later. Until the answer to SMTP_EVENT_HELO. */
void smtp_server_offer(struct smtp_server *s, unsigned offer, uint64_t size_max);

/* The answer that is due, or SMTP_EVENT_NONE. */
enum smtp_event_kind smtp_server_due(const struct smtp_server *s);

/* Answers what is due with yes: 220, the EHLO list, 250, 354. -EPROTO when nothing is due. */
int smtp_server_accept(struct smtp_server *s, int64_t now);

/*
 * Answers what is due. A code that does not fit (of no valid form; 2xx to DATA, 3xx to another) becomes 451 4.3.0. 421 ends the
 * session, and so does any refusal of the greeting: no event follows, smtp_server_over() is true. enhanced NULL or not of the
 * code's class: the code's plain one. text: see smtp_reply_write(); NULL: that of accept(). -EPROTO when nothing is due.
 */
int smtp_server_reply(struct smtp_server *s, int64_t now, unsigned code, const char *enhanced, const char *text);

/*
 * Answers what is due with whole lines, as mail_reason_reply() writes them: one code, "550-...", "550 ...", each at
 * most SMTP_REPLY_LINE with its CRLF, no control characters (UTF-8 is left to the caller). Codes as above; -EINVAL
 * when the lines are none, or do not fit into SMTP_REPLY_SPACE: nothing was said.
 */
int smtp_server_reply_lines(struct smtp_server *s, int64_t now, const char *lines, size_t n);

/* The same with a row of the table of smtp.h. */
int smtp_server_answer(struct smtp_server *s, int64_t now, enum smtp_answer what);

/* How many bytes it is worth to read now; 0 while an answer is due, output waits, the caller holds or the session is over. */
size_t smtp_server_want(const struct smtp_server *s);

/* Takes bytes up to the first event (or all of them: kind NONE). Returns how many it took. ret is always written. */
size_t smtp_server_push(struct smtp_server *s, int64_t now, const void *p, size_t n, struct smtp_event *ret);

/* The peer closed the connection: SMTP_EVENT_GONE, unless it is over already. */
void smtp_server_closed(struct smtp_server *s, int64_t now, struct smtp_event *ret);

/* Bytes for the peer; *ret_n may be 0. smtp_server_sent(): so many of them were written. */
const char *smtp_server_output(const struct smtp_server *s, size_t *ret_n);
void smtp_server_sent(struct smtp_server *s, int64_t now, size_t n);

/* When to call smtp_server_tick() at the latest; SMTP_NEVER: no need. The event is NONE when nothing was overdue. */
int64_t smtp_server_deadline(const struct smtp_server *s);
void smtp_server_tick(struct smtp_server *s, int64_t now, struct smtp_event *ret);

/* The caller cannot take bytes of the message now (the way on is blocked): the client's time stands still until released. */
void smtp_server_hold(struct smtp_server *s, int64_t now, bool hold);

/* Our yes to STARTTLS is written, and nothing came behind it: the connection is the handshake's. No byte may be read before. */
bool smtp_server_securing(const struct smtp_server *s);

/* The handshake after SMTP_EVENT_STARTTLS is done: all that was said before is forgotten (RFC 3207 4.2). */
void smtp_server_secured(struct smtp_server *s, int64_t now);

/* We shut down: a message that runs is finished, then (else at once, by the deadline) 421 4.3.2. */
void smtp_server_drain(struct smtp_server *s, int64_t now);

/* At once, whatever runs: 421 with this text, and over. A message that was not answered is not taken. */
void smtp_server_break(struct smtp_server *s, int64_t now, const char *enhanced, const char *text);
/* The conversation is over: when there is no output left the connection must be closed. */
bool smtp_server_over(const struct smtp_server *s);

#endif
