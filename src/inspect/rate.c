/*
 * rate.c: counts of clients, second by second.
 *
 * A resolver asks each question from a port of its own, so a flow knows nothing of a client's questions. Here are places
 * for RATE_PLACES clients of one second, in buckets found by a keyed hash of address and policy; places of seconds that
 * are over are taken again. When more clients of one bucket ask in the same second they share a place: then they are
 * counted together, never not at all. Trust: the addresses are the attacker's to choose, the secret is not.
 */
#include "rate.h"

#include <stdlib.h>
#include <string.h>

#define RATE_PLACES 4096u
#define RATE_BUCKET 8u

struct rates {
	uint64_t secret[4];
	struct place {
		uint64_t who; /* 0 = nobody yet */
		uint32_t second, count;
	} place[RATE_PLACES];
};

static uint64_t mix(uint64_t a, uint64_t b)
{
	unsigned __int128 m = (unsigned __int128)a * b;

	return (uint64_t)m ^ (uint64_t)(m >> 64);
}

struct rates *rates_new(const uint8_t secret[16])
{
	struct rates *r = calloc(1, sizeof(*r));
	uint64_t s[2];

	if (r == NULL)
		return NULL;
	memcpy(s, secret, 16);
	for (unsigned i = 0; i < 4; i++) {
		s[0] += 0x9e3779b97f4a7c15u;
		r->secret[i] = mix(s[0] ^ 0xd6e8feb86659fd93u, s[1] ^ (s[0] >> 17) ^ 0xa0761d6478bd642fu) | 1;
	}
	return r;
}

void rates_free(struct rates *r)
{
	free(r);
}

static uint64_t who_is(const struct rates *r, const struct addr *client, const void *policy)
{
	uint64_t w[2], rest = (uint64_t)(uintptr_t)policy ^ (uint64_t)client->family << 56;

	memcpy(w, client->b, 16);
	return mix(mix(w[0] ^ r->secret[0], w[1] ^ r->secret[1]) ^ r->secret[2], rest ^ r->secret[3]) | 1;
}

uint32_t rates_count(struct rates *r, const struct addr *client, const void *policy, int64_t now)
{
	uint64_t who = who_is(r, client, policy);
	uint32_t second = (uint32_t)(now / 1000000000);
	struct place *bucket = &r->place[(who >> 32) % (RATE_PLACES / RATE_BUCKET) * RATE_BUCKET];
	struct place *mine = NULL, *over = NULL;

	for (unsigned i = 0; mine == NULL && i < RATE_BUCKET; i++) {
		if (bucket[i].who == who)
			mine = &bucket[i];
		else if (over == NULL && (bucket[i].who == 0 || bucket[i].second != second))
			over = &bucket[i];
	}
	if (mine == NULL)
		mine = over != NULL ? over : &bucket[who >> 16 & (RATE_BUCKET - 1)];
	if (mine->who == 0 || mine->second != second)
		*mine = (struct place){who, second, 0};
	if (mine->count < UINT32_MAX)
		mine->count++;
	return mine->count;
}
