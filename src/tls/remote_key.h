/* remote_key.h: a private key that is not here: whoever asks it for a signature asks sekisho-sign. */
#ifndef TLS_REMOTE_KEY_H
#define TLS_REMOTE_KEY_H

#include <gnutls/abstract.h>
#include <gnutls/gnutls.h>

/* As chain_key_fn of certificate.h wants it. Signing works in a child alone: it asks on TLS_FD_SIGN, once. */
int remote_key_make(gnutls_privkey_t key, gnutls_pk_algorithm_t algorithm, unsigned bits);

/* How long an answer may take, in milliseconds; the child's handshake has no more. */
extern int remote_key_patience_ms;

#endif
