/* certificate.h: one certificate of the gate's own, or an authority's, from its file to what GnuTLS takes. */
#ifndef TLS_CERTIFICATE_H
#define TLS_CERTIFICATE_H

#include <stdbool.h>
#include <stdint.h>

#include <gnutls/gnutls.h>

#include <sekisho/msg.h>

/* What one file holds. */
struct chain {
	gnutls_certificate_credentials_t credentials; /* as a server with it, or as a client that trusts in it */
	int64_t not_before, not_after;
	char subject[128], names[256];
	uint8_t pin[TLS_PIN_BYTES]; /* SHA-256 of the certificate */
	uint8_t key[32];	    /* SHA-256 of its public key */
};

struct certificate {
	char name[32];
	bool keyed;	      /* with a key of ours; else an authority of others */
	enum tls_file state;  /* of the newest file */
	struct chain *used;   /* NULL: none is good yet */
	struct chain *fresh;  /* it waits for its key */
	uint8_t key[32];      /* that sekisho-sign has by this name; 0: none */
};

/* What makes a private key out of a public one: whoever signs is elsewhere (remote_key.h). 0 or an error of GnuTLS. */
typedef int chain_key_fn(gnutls_privkey_t key, gnutls_pk_algorithm_t algorithm, unsigned bits);

/*
 * Reads PEM text: the certificate itself first, then those between it and its authority; or any number of authorities.
 * keyed: `make_key` gives its key. NULL: there is nothing of the kind in it.
 */
struct chain *chain_read(const void *pem, size_t n, bool keyed, chain_key_fn *make_key);
void chain_free(struct chain *c);

/* A file as sekisho-init handed it (fd -1: it did not). What was used before stays so until the new one is good. */
void certificate_take(struct certificate *c, const struct msg_tls_file *m, int fd, chain_key_fn *make_key);
/* The key that sekisho-sign has by its name. */
void certificate_take_key(struct certificate *c, const uint8_t key[32]);
/* Forgets all of it. */
void certificate_clear(struct certificate *c);
void certificate_tell(const struct certificate *c, struct msg_tls_certificate *ret);

#endif
