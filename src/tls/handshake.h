/* handshake.h: a TLS session on a connection, from the first byte until who the peer is is known. */
#ifndef TLS_HANDSHAKE_H
#define TLS_HANDSHAKE_H

#include <stdint.h>

#include <gnutls/gnutls.h>

#include <sekisho/msg.h>

#include "certificate.h"

/* What the handshake goes over; reads and writes never wait (-1 with EAGAIN). */
struct wire {
	int net;   /* the connection */
	int plain; /* whoever waits for it: when that one goes away, so do we; -1: nobody */
	bool ended; /* the peer has closed its side */
};

/*
 * Everything but the connection: `own` is the certificate to be served with, or the authority to be trusted in, or NULL.
 * 0 or enum tls_why; the session is the caller's to free (gnutls_deinit()) when it is not NULL.
 */
enum tls_why handshake_prepare(const struct msg_tls_job *job, const struct chain *own, struct wire *w, gnutls_session_t *ret);

/* The handshake, until `until` (monotonic ms), and what is known then. Fills all of ret. */
void handshake_run(gnutls_session_t session, const struct msg_tls_job *job, const struct wire *w, int64_t until,
	struct msg_tls_done *ret);

#endif
