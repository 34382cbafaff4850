/*
 * smtp_server_private.h: what the files of the server's side share.
 */
#ifndef SEKISHO_SMTP_SERVER_PRIVATE_H
#define SEKISHO_SMTP_SERVER_PRIVATE_H

#include <sekisho/smtp_server.h>

#include "smtp_private.h"

enum server_state {
	SERVER_COMMAND, /* reads commands */
	SERVER_TEXT,	/* reads a message */
	SERVER_TLS,	/* waits for the handshake */
};

/* smtp_server.c: replies. */
void server_say(struct smtp_server *s, int64_t now, enum smtp_answer what);
void server_out(struct smtp_server *s, int64_t now, const char *p, size_t n);
/* The last event: `what` is said before, unless SMTP_SAY_OK. */
void server_gone(struct smtp_server *s, int64_t now, enum smtp_why why, enum smtp_answer what, struct smtp_event *ret);
/* Waits for the caller's answer to this event. */
void server_ask(struct smtp_server *s, enum smtp_event_kind kind, struct smtp_event *ret);
/* What a transaction knew is forgotten. */
void server_reset(struct smtp_server *s);

/* smtp_command.c: one line without its CRLF. more: bytes of the client follow it already. */
void server_command(struct smtp_server *s, int64_t now, const char *line, size_t n, bool more, struct smtp_event *ret);

/* smtp_envelope.c: arguments of MAIL and RCPT into s->mail, s->rcpt. SMTP_SAY_OK, or what is wrong. */
enum smtp_answer server_parse_mail(struct smtp_server *s, const char *p, size_t n);
enum smtp_answer server_parse_rcpt(struct smtp_server *s, const char *p, size_t n);

/* smtp_text.c: a message as it comes. */
struct text_span {
	const uint8_t *data; /* of the message */
	size_t n;
	size_t taken; /* of the input */
	bool end;     /* the final dot was read */
};

/* Reads on in a message, up to a removed dot or the end; changes s->text and s->size. */
struct text_span server_text(struct smtp_server *s, const uint8_t *p, size_t n);

#endif
