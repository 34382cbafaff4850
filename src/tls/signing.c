/*
 * signing.c: the table of what may be signed. No state, no I/O.
 *
 * Input: questions of a process that reads TLS of anybody, and may be somebody else's by then. A hash tells nothing of what it
 * is of: against its misuse stands that each connection gets one signature (main_sign.c), and that a key of the mail gate is
 * nobody's for anything but TLS. What is refused here could never belong to a handshake.
 */
#include "signing.h"

#include <string.h>

static const struct row {
	gnutls_sign_algorithm_t algorithm;
	gnutls_pk_algorithm_t key;
	size_t n;
} rows[] = {
	{GNUTLS_SIGN_RSA_PSS_RSAE_SHA256, GNUTLS_PK_RSA, 32},
	{GNUTLS_SIGN_RSA_PSS_RSAE_SHA384, GNUTLS_PK_RSA, 48},
	{GNUTLS_SIGN_RSA_PSS_RSAE_SHA512, GNUTLS_PK_RSA, 64},
	{GNUTLS_SIGN_ECDSA_SECP256R1_SHA256, GNUTLS_PK_ECDSA, 32},
	{GNUTLS_SIGN_ECDSA_SECP384R1_SHA384, GNUTLS_PK_ECDSA, 48},
	{GNUTLS_SIGN_ECDSA_SECP521R1_SHA512, GNUTLS_PK_ECDSA, 64},
	{GNUTLS_SIGN_ECDSA_SHA256, GNUTLS_PK_ECDSA, 32},
	{GNUTLS_SIGN_ECDSA_SHA384, GNUTLS_PK_ECDSA, 48},
	{GNUTLS_SIGN_ECDSA_SHA512, GNUTLS_PK_ECDSA, 64},
};

/* DigestInfo (RFC 8017, 9.2, note 1): what stands before the hash, and how long that is. */
static const struct {
	uint8_t prefix[19];
	size_t n;
} digests[] = {
	{{0x30, 0x31, 0x30, 0x0d, 0x06, 0x09, 0x60, 0x86, 0x48, 0x01, 0x65, 0x03, 0x04, 0x02, 0x01, 0x05,
		 0x00, 0x04, 0x20},
		32},
	{{0x30, 0x41, 0x30, 0x0d, 0x06, 0x09, 0x60, 0x86, 0x48, 0x01, 0x65, 0x03, 0x04, 0x02, 0x02, 0x05,
		 0x00, 0x04, 0x30},
		48},
	{{0x30, 0x51, 0x30, 0x0d, 0x06, 0x09, 0x60, 0x86, 0x48, 0x01, 0x65, 0x03, 0x04, 0x02, 0x03, 0x05,
		 0x00, 0x04, 0x40},
		64},
};

static bool is_digest_info(const uint8_t *p, size_t n)
{
	for (size_t i = 0; i < sizeof(digests) / sizeof(digests[0]); i++)
		if (n == sizeof(digests[i].prefix) + digests[i].n &&
			memcmp(p, digests[i].prefix, sizeof(digests[i].prefix)) == 0)
			return true;
	return false;
}

bool signing_allowed(gnutls_pk_algorithm_t key, gnutls_sign_algorithm_t algorithm, const uint8_t *p, size_t n)
{
	if (algorithm == GNUTLS_SIGN_RSA_RAW)
		return key == GNUTLS_PK_RSA && is_digest_info(p, n);
	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++)
		if (rows[i].algorithm == algorithm)
			return rows[i].key == key && rows[i].n == n;
	return false;
}

bool signing_key_good(gnutls_pk_algorithm_t key, unsigned bits)
{
	if (key == GNUTLS_PK_RSA)
		return bits >= 2048 && bits <= 8192;
	return key == GNUTLS_PK_ECDSA && bits >= 256 && bits <= 521;
}
