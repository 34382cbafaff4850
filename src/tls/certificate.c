/*
 * certificate.c: certificates of the gate's own and of authorities: read, compared with their keys, told of.
 *
 * Input: files that root put there, at most TLS_FILE_BYTES. A file that cannot be read, or whose key is another's, changes
 * nothing of what was good before. A chain of ours ends after CHAIN_MAX certificates; authorities are as many as the file has.
 * Failure: a state of enum tls_file, which is shown to people.
 */
#include "certificate.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <gnutls/abstract.h>
#include <gnutls/x509.h>

#define CHAIN_MAX 10u
/* Of what a mail server shows: bits of a key, and certificates to its authority. */
#define VERIFY_BITS 8200
#define VERIFY_DEPTH 8

/* -- A chain --------------------------------------------------------------------------------------------- */

/* Names of hosts, as many as there is room for. */
static void list_names(gnutls_x509_crt_t leaf, char *out, size_t size)
{
	size_t used = 0;

	for (unsigned i = 0; i < 64; i++) {
		char name[256];
		size_t n = sizeof(name) - 1;
		int r = gnutls_x509_crt_get_subject_alt_name(leaf, i, name, &n, NULL);
		if (r == GNUTLS_E_REQUESTED_DATA_NOT_AVAILABLE)
			return;
		if (r != GNUTLS_SAN_DNSNAME || memchr(name, ' ', n) != NULL || used + n + 2 > size)
			continue;
		name[n] = '\0';
		used += (size_t)snprintf(out + used, size - used, "%s%s", used > 0 ? " " : "", name);
	}
}

static bool describe(struct chain *c, gnutls_x509_crt_t leaf)
{
	char subject[512] = "", names[sizeof(c->names)] = "";
	size_t n = sizeof(subject), pin = sizeof(c->pin), key = sizeof(c->key);

	if (gnutls_x509_crt_get_dn(leaf, subject, &n) < 0)
		subject[0] = '\0';
	list_names(leaf, names, sizeof(names));
	MSG_TEXT(c->subject, subject);
	MSG_TEXT(c->names, names);
	c->not_before = gnutls_x509_crt_get_activation_time(leaf);
	c->not_after = gnutls_x509_crt_get_expiration_time(leaf);
	return gnutls_x509_crt_get_fingerprint(leaf, GNUTLS_DIG_SHA256, c->pin, &pin) == 0 &&
	       gnutls_x509_crt_get_key_id(leaf, GNUTLS_KEYID_USE_SHA256, c->key, &key) == 0;
}

/* As a server: the certificates go out as they are; signatures come from elsewhere. */
static int serve_with(struct chain *c, gnutls_x509_crt_t *crts, unsigned n, chain_key_fn *make_key)
{
	gnutls_pcert_st *list = gnutls_calloc(n, sizeof(*list));
	gnutls_privkey_t key = NULL;
	unsigned bits = 0, have = n;
	int pk = gnutls_x509_crt_get_pk_algorithm(crts[0], &bits);
	int r = list == NULL ? GNUTLS_E_MEMORY_ERROR : pk < 0 ? pk : 0;

	if (r == 0)
		r = gnutls_pcert_import_x509_list(list, crts, &have, 0);
	if (r == 0)
		r = gnutls_privkey_init(&key);
	if (r == 0)
		r = make_key(key, (gnutls_pk_algorithm_t)pk, bits);
	/* Whether they belong together the ids of their keys say: asking for a signature here would be one for nothing. */
	gnutls_certificate_set_flags(c->credentials, GNUTLS_CERTIFICATE_SKIP_KEY_CERT_MATCH);
	if (r == 0)
		r = gnutls_certificate_set_key(c->credentials, NULL, 0, list, (int)have, key);
	if (r < 0)
		gnutls_privkey_deinit(key);
	gnutls_free(list); /* what was in it is the credentials' own */
	return r < 0 ? r : 0;
}

static int trust_in(struct chain *c, gnutls_x509_crt_t *crts, unsigned n)
{
	gnutls_certificate_set_verify_limits(c->credentials, VERIFY_BITS, VERIFY_DEPTH);
	return gnutls_certificate_set_x509_trust(c->credentials, crts, (int)n) == (int)n ? 0 : GNUTLS_E_MEMORY_ERROR;
}

static struct chain *chain_of(gnutls_x509_crt_t *crts, unsigned n, bool keyed, chain_key_fn *make_key)
{
	struct chain *c = calloc(1, sizeof(*c));
	bool good = c != NULL && gnutls_certificate_allocate_credentials(&c->credentials) == 0 && describe(c, crts[0]);

	good = good && (!keyed || n <= CHAIN_MAX);
	if (good && (keyed ? serve_with(c, crts, n, make_key) : trust_in(c, crts, n)) == 0)
		return c;
	chain_free(c);
	return NULL;
}

struct chain *chain_read(const void *pem, size_t n, bool keyed, chain_key_fn *make_key)
{
	gnutls_datum_t text = {(unsigned char *)(uintptr_t)pem, (unsigned)n};
	gnutls_x509_crt_t *crts = NULL;
	unsigned have = 0;

	if (n > TLS_FILE_BYTES || gnutls_x509_crt_list_import2(&crts, &have, &text, GNUTLS_X509_FMT_PEM, 0) < 0 || have == 0)
		return NULL;
	struct chain *c = chain_of(crts, have, keyed, make_key);
	for (unsigned i = 0; i < have; i++)
		gnutls_x509_crt_deinit(crts[i]);
	gnutls_free(crts);
	return c;
}

void chain_free(struct chain *c)
{
	if (c != NULL && c->credentials != NULL)
		gnutls_certificate_free_credentials(c->credentials);
	free(c);
}

/* -- A certificate by its name ----------------------------------------------------------------------------- */

static void use(struct certificate *c)
{
	static const uint8_t none[32];

	if (c->fresh == NULL)
		return;
	if (c->keyed && memcmp(c->fresh->key, c->key, sizeof(c->key)) != 0) {
		c->state = memcmp(c->key, none, sizeof(none)) == 0 ? TLS_FILE_NO_KEY : TLS_FILE_OTHER_KEY;
		return;
	}
	chain_free(c->used);
	c->used = c->fresh;
	c->fresh = NULL;
	c->state = TLS_FILE_GOOD;
}

void certificate_take(struct certificate *c, const struct msg_tls_file *m, int fd, chain_key_fn *make_key)
{
	static char text[TLS_FILE_BYTES];

	if (strcmp(c->name, m->name) != 0 || c->keyed != (m->keyed != 0))
		certificate_clear(c);
	MSG_TEXT(c->name, m->name);
	c->keyed = m->keyed != 0;
	chain_free(c->fresh);
	c->fresh = NULL;
	c->state = (enum tls_file)m->state;
	if (fd < 0)
		return;
	ssize_t n = pread(fd, text, sizeof(text), 0);
	c->fresh = n > 0 ? chain_read(text, (size_t)n, c->keyed, make_key) : NULL;
	if (c->fresh == NULL)
		c->state = TLS_FILE_MALFORMED;
	use(c);
}

/* A key that went away takes nothing with it: sekisho-sign keeps the one of before as long as it lives. */
void certificate_take_key(struct certificate *c, const uint8_t key[32])
{
	memcpy(c->key, key, sizeof(c->key));
	if (c->fresh != NULL)
		use(c);
	else if (c->used != NULL && c->state == TLS_FILE_GOOD && memcmp(c->used->key, key, sizeof(c->key)) != 0)
		c->state = TLS_FILE_OTHER_KEY;
	else if (c->used != NULL && c->state == TLS_FILE_OTHER_KEY && memcmp(c->used->key, key, sizeof(c->key)) == 0)
		c->state = TLS_FILE_GOOD;
}

void certificate_clear(struct certificate *c)
{
	chain_free(c->used);
	chain_free(c->fresh);
	*c = (struct certificate){0};
}

void certificate_tell(const struct certificate *c, struct msg_tls_certificate *ret)
{
	const struct chain *shown = c->used != NULL ? c->used : c->fresh;

	*ret = (struct msg_tls_certificate){.keyed = c->keyed, .state = c->state, .in_use = c->used != NULL};
	MSG_TEXT(ret->name, c->name);
	if (shown == NULL)
		return;
	ret->not_before = shown->not_before;
	ret->not_after = shown->not_after;
	memcpy(ret->pin, shown->pin, sizeof(ret->pin));
	MSG_TEXT(ret->subject, shown->subject);
	MSG_TEXT(ret->names, shown->names);
}
