/*
 * strmap.c: name -> number, open addressing, SipHash-2-4 (Aumasson, Bernstein 2012) with a random key.
 */
#include <sekisho/strmap.h>

#include <stdlib.h>
#include <string.h>
#include <sys/random.h>

struct slot {
	const char *key;
	uint64_t hash;
	uint32_t value;
};

struct strmap {
	struct slot *slots;
	size_t cap, n; /* cap is a power of two, at most 3/4 full */
};

static inline uint64_t rotl(uint64_t x, int b)
{
	return x << b | x >> (64 - b);
}

static void sip_rounds(uint64_t v[4], int rounds)
{
	while (rounds-- > 0) {
		v[0] += v[1];
		v[1] = rotl(v[1], 13) ^ v[0];
		v[0] = rotl(v[0], 32);
		v[2] += v[3];
		v[3] = rotl(v[3], 16) ^ v[2];
		v[0] += v[3];
		v[3] = rotl(v[3], 21) ^ v[0];
		v[2] += v[1];
		v[1] = rotl(v[1], 17) ^ v[2];
		v[2] = rotl(v[2], 32);
	}
}

static uint64_t load64(const unsigned char *p, size_t n)
{
	uint64_t v = 0;

	for (size_t i = 0; i < n; i++)
		v |= (uint64_t)p[i] << (8 * i);
	return v;
}

uint64_t siphash(const uint64_t key[2], const void *data, size_t n)
{
	const unsigned char *p = data;
	uint64_t v[4] = {0x736f6d6570736575ull ^ key[0], 0x646f72616e646f6dull ^ key[1],
		0x6c7967656e657261ull ^ key[0], 0x7465646279746573ull ^ key[1]};
	size_t left = n;

	for (; left >= 8; left -= 8, p += 8) {
		uint64_t m = load64(p, 8);
		v[3] ^= m;
		sip_rounds(v, 2);
		v[0] ^= m;
	}
	uint64_t last = load64(p, left) | (uint64_t)(n & 0xff) << 56;
	v[3] ^= last;
	sip_rounds(v, 2);
	v[0] ^= last;
	v[2] ^= 0xff;
	sip_rounds(v, 4);
	return v[0] ^ v[1] ^ v[2] ^ v[3];
}

const uint64_t *siphash_key(void)
{
	static uint64_t key[2];

	while (key[0] == 0)
		if (getrandom(key, sizeof(key), 0) != (ssize_t)sizeof(key))
			key[0] = 0;
	return key;
}

static uint64_t hash_of(const char *key)
{
	return siphash(siphash_key(), key, strlen(key));
}

struct strmap *strmap_new(void)
{
	struct strmap *m = calloc(1, sizeof(*m));

	if (m == NULL)
		abort();
	return m;
}

void strmap_free(struct strmap *m)
{
	if (m == NULL)
		return;
	free(m->slots);
	free(m);
}

static struct slot *find(const struct strmap *m, const char *key, uint64_t hash)
{
	for (size_t i = hash & (m->cap - 1);; i = (i + 1) & (m->cap - 1)) {
		struct slot *s = &m->slots[i];
		if (s->key == NULL || (s->hash == hash && strcmp(s->key, key) == 0))
			return s;
	}
}

static void grow(struct strmap *m)
{
	struct strmap bigger = {.cap = m->cap == 0 ? 64 : m->cap * 2, .n = m->n};

	bigger.slots = calloc(bigger.cap, sizeof(struct slot));
	if (bigger.slots == NULL)
		abort();
	for (size_t i = 0; i < m->cap; i++)
		if (m->slots[i].key != NULL)
			*find(&bigger, m->slots[i].key, m->slots[i].hash) = m->slots[i];
	free(m->slots);
	*m = bigger;
}

bool strmap_add(struct strmap *m, const char *key, uint32_t value)
{
	if (m->n >= m->cap / 4 * 3)
		grow(m);
	uint64_t hash = hash_of(key);
	struct slot *s = find(m, key, hash);
	if (s->key != NULL)
		return false;
	*s = (struct slot){key, hash, value};
	m->n++;
	return true;
}

bool strmap_get(const struct strmap *m, const char *key, uint32_t *ret)
{
	if (m->cap == 0)
		return false;
	struct slot *s = find(m, key, hash_of(key));
	if (s->key == NULL)
		return false;
	*ret = s->value;
	return true;
}

/* Edit distance of two short names, 3 when it is more than 2. */
static int distance(const char *a, size_t na, const char *b, size_t nb)
{
	int prev[65], row[65];

	if (na > 64 || nb > 64 || (na > nb ? na - nb : nb - na) > 2)
		return 3;
	for (size_t j = 0; j <= nb; j++)
		prev[j] = (int)j;
	for (size_t i = 1; i <= na; i++) {
		row[0] = (int)i;
		for (size_t j = 1; j <= nb; j++) {
			int best = prev[j - 1] + (a[i - 1] != b[j - 1]);
			best = prev[j] + 1 < best ? prev[j] + 1 : best;
			row[j] = row[j - 1] + 1 < best ? row[j - 1] + 1 : best;
		}
		memcpy(prev, row, sizeof(prev));
	}
	return prev[nb] > 2 ? 3 : prev[nb];
}

const char *strmap_nearest(const struct strmap *m, const char *key)
{
	const char *nearest = NULL;
	int best = 3;

	for (size_t i = 0; i < m->cap; i++) {
		const char *k = m->slots[i].key;
		if (k == NULL)
			continue;
		int d = distance(key, strlen(key), k, strlen(k));
		/* Of equals the first in the alphabet, so that the answer never depends on the hash key. */
		if (d < best || (d < 3 && d == best && strcmp(k, nearest) < 0)) {
			best = d;
			nearest = k;
		}
	}
	return nearest;
}
