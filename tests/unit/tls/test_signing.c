/* test_signing.c: what sekisho-sign signs: hashes of handshakes, by the right kind of key, and nothing else. */
#include <string.h>

#include <gnutls/abstract.h>

#include "signing.h"
#include "test.h"

static uint8_t bytes[256];

static bool allowed(gnutls_pk_algorithm_t key, gnutls_sign_algorithm_t algorithm, size_t n)
{
	return signing_allowed(key, algorithm, bytes, n);
}

/* Each algorithm that is taken, with its one length; every other length and every other kind of key is refused. */
static void test_hashes(void)
{
	static const struct {
		gnutls_sign_algorithm_t algorithm;
		gnutls_pk_algorithm_t key;
		size_t n;
	} good[] = {
		{GNUTLS_SIGN_RSA_PSS_RSAE_SHA256, GNUTLS_PK_RSA, 32}, {GNUTLS_SIGN_RSA_PSS_RSAE_SHA512, GNUTLS_PK_RSA, 64},
		{GNUTLS_SIGN_ECDSA_SECP256R1_SHA256, GNUTLS_PK_ECDSA, 32}, {GNUTLS_SIGN_ECDSA_SHA384, GNUTLS_PK_ECDSA, 48},
	};

	for (size_t i = 0; i < sizeof(good) / sizeof(good[0]); i++) {
		for (size_t n = 0; n <= 128; n++)
			CHECK(allowed(good[i].key, good[i].algorithm, n) == (n == good[i].n));
		CHECK(!allowed(good[i].key == GNUTLS_PK_RSA ? GNUTLS_PK_ECDSA : GNUTLS_PK_RSA, good[i].algorithm, good[i].n));
	}
	for (unsigned a = 0; a < 100; a++) /* none that GnuTLS has, but those of SHA-1, MD5, DSA, EdDSA, GOST */
		if (allowed(GNUTLS_PK_RSA, (gnutls_sign_algorithm_t)a, 20) || allowed(GNUTLS_PK_RSA, (gnutls_sign_algorithm_t)a, 36) ||
			allowed(GNUTLS_PK_DSA, (gnutls_sign_algorithm_t)a, 32) ||
			allowed(GNUTLS_PK_EDDSA_ED25519, (gnutls_sign_algorithm_t)a, 64))
			CHECK_INT(a, -1);
}

/* With PKCS#1 only a DigestInfo of one of the three hashes, whole. */
static void test_digest_info(void)
{
	static const uint8_t prefix[] = {0x30, 0x31, 0x30, 0x0d, 0x06, 0x09, 0x60, 0x86, 0x48, 0x01, 0x65, 0x03, 0x04, 0x02, 0x01, 0x05,
		0x00, 0x04, 0x20};

	memset(bytes, 0, sizeof(bytes));
	CHECK(!allowed(GNUTLS_PK_RSA, GNUTLS_SIGN_RSA_RAW, 51));
	memcpy(bytes, prefix, sizeof(prefix));
	CHECK(allowed(GNUTLS_PK_RSA, GNUTLS_SIGN_RSA_RAW, 51));
	CHECK(!allowed(GNUTLS_PK_RSA, GNUTLS_SIGN_RSA_RAW, 50));
	CHECK(!allowed(GNUTLS_PK_RSA, GNUTLS_SIGN_RSA_RAW, 52));
	CHECK(!allowed(GNUTLS_PK_ECDSA, GNUTLS_SIGN_RSA_RAW, 51));
	for (size_t i = 0; i < sizeof(prefix); i++) {
		bytes[i] ^= 1;
		CHECK(!allowed(GNUTLS_PK_RSA, GNUTLS_SIGN_RSA_RAW, 51));
		bytes[i] ^= 1;
	}
}

static void test_keys(void)
{
	CHECK(signing_key_good(GNUTLS_PK_RSA, 2048) && signing_key_good(GNUTLS_PK_RSA, 4096) && signing_key_good(GNUTLS_PK_ECDSA, 256));
	CHECK(!signing_key_good(GNUTLS_PK_RSA, 1024) && !signing_key_good(GNUTLS_PK_RSA, 16384));
	CHECK(!signing_key_good(GNUTLS_PK_ECDSA, 192) && !signing_key_good(GNUTLS_PK_DSA, 2048));
	CHECK(!signing_key_good(GNUTLS_PK_EDDSA_ED25519, 256) && !signing_key_good(GNUTLS_PK_UNKNOWN, 2048));
}

int main(void)
{
	test_hashes();
	test_digest_info();
	test_keys();
	return test_end();
}
