/*
 * key.c: addresses as numbers of 128 bits, for whoever sorts and cuts them. Links with the base alone, so
 * that a jailed daemon that asks the matcher needs nothing of the compiler.
 */
#include "compile.h"

struct key key_of_addr(const struct addr *a)
{
	struct key k = {0};
	size_t n = addr_len(a->family);

	for (size_t i = 0; i < n; i++) {
		k.hi = k.hi << 8 | k.lo >> 56;
		k.lo = k.lo << 8 | a->b[i];
	}
	return k;
}

struct addr key_to_addr(struct key k, uint8_t family)
{
	struct addr a = {.family = family};

	for (size_t i = addr_len(family); i-- > 0;) {
		a.b[i] = (uint8_t)k.lo;
		k.lo = k.lo >> 8 | k.hi << 56;
		k.hi >>= 8;
	}
	return a;
}
