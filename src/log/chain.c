/*
 * chain.c: the hash chain over rows (see chain.h). SHA-256 (FIPS 180-4) by nettle.
 *
 * Input: our own rows. The encoding is injective: each column says its type and length.
 */
#include "chain.h"

#include <nettle/sha2.h>

static void add_u64(struct sha256_ctx *ctx, uint64_t v)
{
	uint8_t b[8];

	for (int i = 0; i < 8; i++)
		b[i] = (uint8_t)(v >> (56 - 8 * i));
	sha256_update(ctx, sizeof(b), b);
}

void chain_hash(const uint8_t prev[CHAIN_HASH], char kind, const struct chain_column *c, size_t n,
	uint8_t ret[CHAIN_HASH])
{
	struct sha256_ctx ctx;
	uint8_t k = (uint8_t)kind;

	sha256_init(&ctx);
	sha256_update(&ctx, CHAIN_HASH, prev);
	sha256_update(&ctx, 1, &k);
	for (size_t i = 0; i < n; i++) {
		uint8_t type = (uint8_t)c[i].type;
		sha256_update(&ctx, 1, &type);
		if (c[i].type == CHAIN_INT) {
			add_u64(&ctx, (uint64_t)c[i].i);
		} else if (c[i].type != CHAIN_NULL) {
			add_u64(&ctx, c[i].n);
			sha256_update(&ctx, c[i].n, c[i].p);
		}
	}
	sha256_digest(&ctx, CHAIN_HASH, ret);
}

void chain_fold(uint8_t digest[CHAIN_HASH], const uint8_t hash[CHAIN_HASH])
{
	struct sha256_ctx ctx;

	sha256_init(&ctx);
	sha256_update(&ctx, CHAIN_HASH, digest);
	sha256_update(&ctx, CHAIN_HASH, hash);
	sha256_digest(&ctx, CHAIN_HASH, digest);
}
