/* relay.h: the life of a child of sekisho-tls: one connection, encrypted on one side and in clear on the other. */
#ifndef TLS_RELAY_H
#define TLS_RELAY_H

#include "handshake.h"

/* After the handshake, until one of the two sides ends. */
void relay_run(gnutls_session_t session, struct wire *w);

#endif
