/*
 * chain.h: rows that cannot be changed unseen.
 *
 * Each row's hash is SHA-256 over the hash of the row before it, the kind of the row, and its columns in order.
 * Whoever rewrites, removes or inserts a row must rewrite all later ones; a head that was noted elsewhere (the
 * console prints it) then no longer fits.
 */
#ifndef LOG_CHAIN_H
#define LOG_CHAIN_H

#include <stddef.h>
#include <stdint.h>

#define CHAIN_HASH 32
#define CHAIN_COLUMNS_MAX 40

enum chain_type {
	CHAIN_NULL = 'n',
	CHAIN_INT = 'i',
	CHAIN_TEXT = 't',
	CHAIN_BLOB = 'b',
};

/* One column of a row as it is hashed: type byte, then 8 bytes (integer) or length and bytes, big endian. */
struct chain_column {
	enum chain_type type;
	int64_t i;
	const void *p; /* text and blob: n bytes, the caller's */
	size_t n;
};

/* ret = SHA-256(prev, kind, columns). */
void chain_hash(const uint8_t prev[CHAIN_HASH], char kind, const struct chain_column *c, size_t n,
	uint8_t ret[CHAIN_HASH]);

/* Folds the hash of one row into a digest over several: digest = SHA-256(digest, hash). */
void chain_fold(uint8_t digest[CHAIN_HASH], const uint8_t hash[CHAIN_HASH]);

#endif
