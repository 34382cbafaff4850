/*
 * remote_key.c: the gate's private keys as sekisho-tls sees them: an algorithm, a length, and somebody to ask.
 *
 * The process that reads TLS of anybody has no key in its memory: what it can be brought to tell is what is said on its own
 * connection. It asks sekisho-sign on a socket that is good for one answer.
 */
#include "remote_key.h"

#include <errno.h>
#include <poll.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <sekisho/daemon.h>
#include <sekisho/msg.h>

int remote_key_patience_ms = 30000;

/* What GnuTLS asks about the key: enough to choose an algorithm by. */
static int describe(gnutls_privkey_t key, unsigned flags, void *arg)
{
	uintptr_t packed = (uintptr_t)arg; /* algorithm, and bits above */
	int algorithm = (int)(packed & 0xff);

	(void)key;
	if ((flags & GNUTLS_PRIVKEY_INFO_PK_ALGO) != 0)
		return algorithm;
	if ((flags & GNUTLS_PRIVKEY_INFO_PK_ALGO_BITS) != 0)
		return (int)(packed >> 8);
	if ((flags & GNUTLS_PRIVKEY_INFO_HAVE_SIGN_ALGO) != 0)
		return gnutls_sign_supports_pk_algorithm(
			       GNUTLS_FLAGS_TO_SIGN_ALGO(flags), (gnutls_pk_algorithm_t)algorithm) != 0;
	return -1;
}

static int receive(gnutls_datum_t *ret)
{
	static struct msg m; /* large */
	struct pollfd answer = {.fd = TLS_FD_SIGN, .events = POLLIN};
	const struct msg_tls_signed *s = &m.u.msg_tls_signed;

	if (poll(&answer, 1, remote_key_patience_ms) != 1 || msg_recv(TLS_FD_SIGN, &m) != 1)
		return GNUTLS_E_PK_SIGN_FAILED;
	if (m.type != MSG_TLS_SIGNED || s->n == 0)
		return GNUTLS_E_PK_SIGN_FAILED;
	ret->data = gnutls_malloc(s->n);
	if (ret->data == NULL)
		return GNUTLS_E_MEMORY_ERROR;
	memcpy(ret->data, s->signature, s->n);
	ret->size = s->n;
	return 0;
}

static int sign(gnutls_privkey_t key, gnutls_sign_algorithm_t algorithm, void *arg, unsigned flags, const gnutls_datum_t *hash,
	gnutls_datum_t *ret)
{
	struct msg_tls_sign q = {.algorithm = (uint32_t)algorithm, .n = hash->size};

	(void)key;
	(void)arg;
	(void)flags;
	if (hash->size == 0 || hash->size > sizeof(q.data))
		return GNUTLS_E_PK_SIGN_FAILED;
	memcpy(q.data, hash->data, hash->size);
	return msg_send(TLS_FD_SIGN, MSG_TLS_SIGN, 0, &q, NULL, 0) == 0 ? receive(ret) : GNUTLS_E_PK_SIGN_FAILED;
}

int remote_key_make(gnutls_privkey_t key, gnutls_pk_algorithm_t algorithm, unsigned bits)
{
	void *packed = (void *)((uintptr_t)bits << 8 | ((uintptr_t)algorithm & 0xff));

	return gnutls_privkey_import_ext4(key, packed, NULL, sign, NULL, NULL, describe, 0);
}
