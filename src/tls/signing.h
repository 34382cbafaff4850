/* signing.h: what sekisho-sign signs, and what it does not. */
#ifndef TLS_SIGNING_H
#define TLS_SIGNING_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include <gnutls/gnutls.h>

/*
 * May a key of this kind sign these n bytes by this algorithm? Only hashes as handshakes of TLS 1.2 and 1.3 have them:
 * SHA-256, -384, -512 by RSA-PSS or ECDSA, and by RSA PKCS#1 with its DigestInfo in front.
 */
bool signing_allowed(gnutls_pk_algorithm_t key, gnutls_sign_algorithm_t algorithm, const uint8_t *p, size_t n);

/* Is the key one that handshakes may use: RSA of 2048 to 8192 bits, ECDSA of 256 to 521? */
bool signing_key_good(gnutls_pk_algorithm_t key, unsigned bits);

#endif
