/*
 * smtp_client_private.h: what the files of the client's side share.
 */
#ifndef SEKISHO_SMTP_CLIENT_PRIVATE_H
#define SEKISHO_SMTP_CLIENT_PRIVATE_H

#include <sekisho/smtp_client.h>

#include "smtp_private.h"

enum client_state {
	CLIENT_HELLO, /* greeting, EHLO, STARTTLS */
	CLIENT_TLS,   /* waits for the handshake */
	CLIENT_READY, /* commands */
	CLIENT_TEXT,  /* 354 was read, the final dot is not queued */
	CLIENT_FINAL, /* it is */
	CLIENT_QUIT,
};

/* Whose reply is outstanding. */
enum pending {
	PENDING_GREETING,
	PENDING_EHLO,
	PENDING_HELO,
	PENDING_STARTTLS,
	PENDING_XFORWARD,
	PENDING_MAIL,
	PENDING_RCPT,
	PENDING_DATA,
	PENDING_DOT,
	PENDING_RSET,
	PENDING_QUIT,
};

/* smtp_client_reply.c: one line with its CRLF. 1: the reply is whole, in c->reply; 0: it goes on; -1: it breaks the rules. */
int client_reply_line(struct smtp_client *c, const char *p, size_t n);

#endif
