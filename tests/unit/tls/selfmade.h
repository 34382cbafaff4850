/* selfmade.h: certificates made on the spot, for tests of TLS. */
#ifndef TESTS_SELFMADE_H
#define TESTS_SELFMADE_H

#include <gnutls/abstract.h>
#include <gnutls/gnutls.h>
#include <gnutls/x509.h>

#include <stdlib.h>
#include <string.h>
#include <time.h>

struct selfmade {
	gnutls_x509_privkey_t key;
	gnutls_x509_crt_t crt;
	gnutls_datum_t pem; /* of the certificate */
};

/* issuer NULL: its own authority. days < 0: it is over. */
static inline struct selfmade selfmade(gnutls_pk_algorithm_t pk, unsigned bits, const char *host, int days, const struct selfmade *issuer)
{
	struct selfmade s = {0};
	time_t now = time(NULL);
	unsigned char serial = (unsigned char)(1 + strlen(host));

	if (gnutls_x509_privkey_init(&s.key) != 0 || gnutls_x509_privkey_generate(s.key, pk, bits, 0) != 0 ||
		gnutls_x509_crt_init(&s.crt) != 0 || gnutls_x509_crt_set_key(s.crt, s.key) != 0)
		abort();
	gnutls_x509_crt_set_version(s.crt, 3);
	gnutls_x509_crt_set_serial(s.crt, &serial, 1);
	gnutls_x509_crt_set_dn_by_oid(s.crt, GNUTLS_OID_X520_COMMON_NAME, 0, host, (unsigned)strlen(host));
	gnutls_x509_crt_set_subject_alt_name(s.crt, GNUTLS_SAN_DNSNAME, host, (unsigned)strlen(host), GNUTLS_FSAN_SET);
	gnutls_x509_crt_set_basic_constraints(s.crt, issuer == NULL, -1);
	gnutls_x509_crt_set_activation_time(s.crt, now - 200 * 86400);
	gnutls_x509_crt_set_expiration_time(s.crt, now + days * 86400);
	if (gnutls_x509_crt_sign2(s.crt, issuer != NULL ? issuer->crt : s.crt, issuer != NULL ? issuer->key : s.key, GNUTLS_DIG_SHA256,
		    0) != 0 ||
		gnutls_x509_crt_export2(s.crt, GNUTLS_X509_FMT_PEM, &s.pem) != 0)
		abort();
	return s;
}

static inline void selfmade_free(struct selfmade *s)
{
	gnutls_free(s->pem.data);
	gnutls_x509_crt_deinit(s->crt);
	gnutls_x509_privkey_deinit(s->key);
}

#endif
