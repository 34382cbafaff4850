/*
 * flow.c: the table of flows.
 *
 * Trust: addresses and ports are the attacker's to choose, the secret is not: the hash is two rounds of 64x64->128-bit
 * multiplication over words that the secret has changed, so that no set of flows can be made to share a bucket.
 *
 * Buckets of one line of cache hold twelve places: a tag of eight bits and an index. A flow may live in two buckets; the
 * first is taken while it is not crowded, so that most look-ups touch one. Connections that wait for an answer stand in a
 * ring in the order of their coming; one that was answered stays there as a stale entry and is passed over.
 *
 * Failure: no room in the table or in both buckets gives NULL, and the caller refuses (law: closed when full).
 */
#include "flow.h"

#include <endian.h>
#include <netinet/in.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>

#define BUCKET 12u
#define CROWDED 9u /* entries from which the second bucket is considered */
#define SOURCES 4096u /* counters of waiting connections by source; each source has two, of which the lower counts */
#define NONE UINT32_MAX
#define PAGE 4096u
#define LARGE (16u << 20) /* bytes of a table from which large pages are asked for */

struct bucket {
	uint8_t tag[BUCKET]; /* 0 = free */
	uint32_t index[BUCKET];
	uint32_t unused;
};
_Static_assert(sizeof(struct bucket) == 64, "a bucket is one line of cache");

struct waiting {
	uint32_t index;
	uint32_t life;
};

struct flow_table {
	void *memory;
	struct flow *flow;
	struct bucket *bucket;
	struct waiting *ring;
	uint64_t secret[8];
	uint32_t size, mask; /* flows; buckets - 1 */
	uint32_t places;     /* of which were ever used */
	uint32_t free;	     /* list of free places, through flow.tag */
	uint32_t count;
	uint32_t waiting, waiting_max, source_max;
	uint32_t ring_mask, ring_head, ring_tail; /* head and tail count on for ever */
	uint32_t source[2][SOURCES];
};

static uint64_t mix(uint64_t a, uint64_t b)
{
	unsigned __int128 r = (unsigned __int128)a * b;

	return (uint64_t)r ^ (uint64_t)(r >> 64);
}

static uint32_t power_of_two(uint64_t at_least)
{
	uint64_t n = 16;

	while (n < at_least)
		n *= 2;
	return (uint32_t)n;
}

/* The words of the hash from the secret: odd, so that none is without effect. */
static void spread(struct flow_table *t, const uint8_t secret[16])
{
	uint64_t s[2];

	memcpy(s, secret, 16);
	for (unsigned i = 0; i < 8; i++) {
		s[0] += 0x9e3779b97f4a7c15u;
		t->secret[i] = mix(s[0] ^ 0xbf58476d1ce4e5b9u, s[1] ^ (s[0] >> 17) ^ 0x94d049bb133111ebu) | 1;
	}
}

/*
 * The buckets of a large table are touched all over from the start, the flows one after the other: large pages cost no
 * more memory and spare the processor most of its way to a page. A kernel without them is as good, but slower.
 */
static void large_pages(void *memory, size_t bytes)
{
	uintptr_t from = ((uintptr_t)memory + PAGE - 1) / PAGE * PAGE, to = ((uintptr_t)memory + bytes) / PAGE * PAGE;

	if (bytes >= LARGE)
		(void)madvise((uint8_t *)memory + (from - (uintptr_t)memory), to - from, MADV_HUGEPAGE);
}

/* One block of calloc(), whose pages cost nothing until they are used, cut at lines of cache. */
struct flow_table *flow_table_new(uint32_t flows, const uint8_t secret[16])
{
	struct flow_table *t = calloc(1, sizeof(*t));

	if (t == NULL)
		return NULL;
	t->size = flows < 16 ? 16 : flows;
	t->waiting_max = t->size / FLOW_UNANSWERED_SHARE;
	t->source_max = t->waiting_max / FLOW_SOURCE_SHARE < FLOW_SOURCE_MIN ? FLOW_SOURCE_MIN
									      : t->waiting_max / FLOW_SOURCE_SHARE;
	uint32_t buckets = power_of_two((uint64_t)t->size / 8), ring = power_of_two((uint64_t)t->waiting_max * 2);
	size_t flow_bytes = (size_t)t->size * sizeof(struct flow), bucket_bytes = (size_t)buckets * sizeof(struct bucket);
	t->memory = calloc(1, flow_bytes + bucket_bytes + (size_t)ring * sizeof(struct waiting) + 64);
	if (t->memory == NULL) {
		free(t);
		return NULL;
	}
	large_pages(t->memory, flow_bytes + bucket_bytes);
	uint8_t *at = (uint8_t *)t->memory + (64 - (uintptr_t)t->memory % 64);
	t->flow = (void *)at;
	t->bucket = (void *)(at + flow_bytes);
	t->ring = (void *)(at + flow_bytes + bucket_bytes);
	t->mask = buckets - 1;
	t->ring_mask = ring - 1;
	t->free = NONE;
	spread(t, secret);
	return t;
}

void flow_table_free(struct flow_table *t)
{
	if (t == NULL)
		return;
	free(t->memory);
	free(t);
}

/* -- Keys -------------------------------------------------------------------------------------------------- */

bool flow_key_of(struct flow_key *ret, const struct packet *p)
{
	uint64_t a[2], b[2];

	memcpy(a, p->src.b, 16);
	memcpy(b, p->dst.b, 16);
	bool high = a[0] != b[0] ? a[0] > b[0] : a[1] != b[1] ? a[1] > b[1] : p->sport > p->dport;
	if (!high)
		*ret = (struct flow_key){{a[0], a[1], b[0], b[1], (uint64_t)p->sport << 16 | p->dport}, p->l4};
	else
		*ret = (struct flow_key){{b[0], b[1], a[0], a[1], (uint64_t)p->dport << 16 | p->sport}, p->l4};
	ret->w[4] |= (uint64_t)p->zone << 32;
	if (p->src.family == 6)
		ret->l4 |= FLOW_KEY_IPV6;
	return high;
}

uint64_t flow_hash(const struct flow_table *t, const struct flow_key *k)
{
	const uint64_t *s = t->secret, *w = k->w;
	uint64_t low = mix(w[0] ^ s[0], w[1] ^ s[1]), high = mix(w[2] ^ s[2], w[3] ^ s[3]);

	return mix(mix(w[4] ^ s[4], low ^ s[5]) ^ high, k->l4 ^ s[6]);
}

void flow_end(const struct flow *f, unsigned side, struct addr *ret_addr, uint16_t *ret_port)
{
	bool high = (side == 0) == ((f->flags & FLOW_CLIENT_HIGH) != 0);

	*ret_addr = (struct addr){.family = (f->l4 & FLOW_KEY_IPV6) != 0 ? 6 : 4};
	memcpy(ret_addr->b, &f->w[high ? 2 : 0], 16);
	*ret_port = (uint16_t)(high ? f->w[4] : f->w[4] >> 16);
}

/* -- The table --------------------------------------------------------------------------------------------- */

static uint8_t tag_of(uint64_t hash)
{
	return (uint8_t)(hash >> 56 | 1); /* never 0: that is a free place */
}

static struct bucket *bucket_of(struct flow_table *t, uint64_t hash, unsigned choice)
{
	return &t->bucket[(choice == 0 ? hash : hash >> 28) & t->mask];
}

#define ONES UINT64_C(0x0101010101010101)

static uint64_t zero_bytes(uint64_t v)
{
	return (v - ONES) & ~v & (ONES << 7);
}

/* The place of a bucket that holds the key; BUCKET when none does. */
static unsigned place_of(const struct flow_table *t, const struct bucket *b, const struct flow_key *k, uint8_t tag)
{
	uint64_t low;
	uint32_t high;

	memcpy(&low, b->tag, 8);
	memcpy(&high, b->tag + 8, 4);
	/* A byte that equals the tag becomes zero; the bit trick may name a few places too many, never too few. */
	for (uint64_t m = zero_bytes(le64toh(low) ^ tag * ONES); m != 0; m &= m - 1) {
		unsigned i = (unsigned)__builtin_ctzll(m) / 8;
		if (b->tag[i] == tag && flow_is(&t->flow[b->index[i]], k))
			return i;
	}
	for (uint64_t m = zero_bytes((le32toh(high) ^ tag * ONES) & UINT32_MAX) & UINT32_MAX; m != 0; m &= m - 1) {
		unsigned i = 8 + (unsigned)__builtin_ctzll(m) / 8;
		if (b->tag[i] == tag && flow_is(&t->flow[b->index[i]], k))
			return i;
	}
	return BUCKET;
}

/* The lowest hit of the bit trick is never a false one. */
static unsigned first_with_tag(const struct bucket *b, uint8_t tag)
{
	uint64_t low;
	uint32_t high;

	memcpy(&low, b->tag, 8);
	memcpy(&high, b->tag + 8, 4);
	uint64_t m = zero_bytes(le64toh(low) ^ tag * ONES);
	if (m != 0)
		return (unsigned)__builtin_ctzll(m) / 8;
	m = zero_bytes((le32toh(high) ^ tag * ONES) & UINT32_MAX) & UINT32_MAX;
	return m != 0 ? 8 + (unsigned)__builtin_ctzll(m) / 8 : BUCKET;
}

struct flow *flow_find(struct flow_table *t, const struct flow_key *k, uint64_t hash)
{
	for (unsigned choice = 0; choice < 2; choice++) {
		const struct bucket *b = bucket_of(t, hash, choice);
		unsigned i = place_of(t, b, k, tag_of(hash));
		if (i < BUCKET)
			return &t->flow[b->index[i]];
	}
	return NULL;
}

void flow_fetch_bucket(const struct flow_table *t, uint64_t hash)
{
	__builtin_prefetch(&t->bucket[hash & t->mask], 1);
}

/* By the tag alone. Not in the first bucket: the search will go on to the second. */
struct flow *flow_fetch(struct flow_table *t, uint64_t hash)
{
	const struct bucket *b = bucket_of(t, hash, 0);
	unsigned i = first_with_tag(b, tag_of(hash));

	if (i == BUCKET) {
		__builtin_prefetch(bucket_of(t, hash, 1), 1);
		return NULL;
	}
	struct flow *f = &t->flow[b->index[i]];
	__builtin_prefetch(f, 1);
	__builtin_prefetch((const uint8_t *)f + 64, 1);
	return f;
}

static unsigned fill(const struct bucket *b)
{
	unsigned n = 0;

	for (unsigned i = 0; i < BUCKET; i++)
		n += b->tag[i] != 0;
	return n;
}

static struct bucket *roomier(struct flow_table *t, uint64_t hash)
{
	struct bucket *a = bucket_of(t, hash, 0), *b = bucket_of(t, hash, 1);
	unsigned in_a = fill(a);

	if (in_a < CROWDED)
		return a;
	unsigned in_b = fill(b);
	if (in_a < BUCKET && in_a <= in_b)
		return a;
	return in_b < BUCKET ? b : NULL;
}

static uint32_t take_place(struct flow_table *t)
{
	uint32_t i = t->free;

	if (i != NONE)
		t->free = t->flow[i].tag;
	else if (t->places < t->size)
		i = t->places++;
	return i;
}

struct flow *flow_add(struct flow_table *t, const struct flow_key *k, uint64_t hash)
{
	struct bucket *b = roomier(t, hash);
	unsigned at = 0;

	if (b == NULL)
		return NULL;
	uint32_t i = take_place(t);
	if (i == NONE)
		return NULL;
	while (b->tag[at] != 0)
		at++;
	b->tag[at] = tag_of(hash);
	b->index[at] = i;
	struct flow *f = &t->flow[i];
	*f = (struct flow){.l4 = k->l4, .life = f->life};
	memcpy(f->w, k->w, sizeof(f->w));
	t->count++;
	return f;
}

void flow_remove(struct flow_table *t, struct flow *f)
{
	struct flow_key k = {.l4 = f->l4};

	flow_answered(t, f);
	memcpy(k.w, f->w, sizeof(k.w));
	uint64_t hash = flow_hash(t, &k);
	for (unsigned choice = 0; choice < 2; choice++) {
		struct bucket *b = bucket_of(t, hash, choice);
		unsigned i = place_of(t, b, &k, tag_of(hash));
		if (i < BUCKET) {
			b->tag[i] = 0;
			break;
		}
	}
	*f = (struct flow){.tag = t->free, .life = (uint8_t)(f->life + 1)};
	t->free = (uint32_t)(f - t->flow);
	t->count--;
}

/* -- Who waits for an answer --------------------------------------------------------------------------------- */

static uint32_t *source_counter(struct flow_table *t, const struct flow *f, unsigned which)
{
	bool high = (f->flags & FLOW_CLIENT_HIGH) != 0;
	uint64_t h = mix(f->w[high ? 2 : 0] ^ t->secret[7 - which], f->w[high ? 3 : 1] ^ t->secret[which]);

	return &t->source[which][h % SOURCES];
}

/* Takes the entries at the head that wait no more; the first that does, or NULL. */
static struct flow *ring_oldest(struct flow_table *t)
{
	for (; t->ring_head != t->ring_tail; t->ring_head++) {
		struct waiting *w = &t->ring[t->ring_head & t->ring_mask];
		struct flow *f = &t->flow[w->index];
		if (f->unanswered && f->life == w->life)
			return f;
	}
	return NULL;
}

bool flow_waiting_full(struct flow_table *t)
{
	ring_oldest(t);
	return t->waiting >= t->waiting_max || t->ring_tail - t->ring_head > t->ring_mask;
}

struct flow *flow_oldest_waiting(struct flow_table *t)
{
	return ring_oldest(t);
}

bool flow_wait(struct flow_table *t, struct flow *f, bool limited)
{
	uint32_t *a = source_counter(t, f, 0), *b = source_counter(t, f, 1);

	if (limited && *a >= t->source_max && *b >= t->source_max)
		return false;
	++*a;
	++*b;
	f->unanswered = true;
	t->waiting++;
	ring_oldest(t);
	t->ring[t->ring_tail++ & t->ring_mask] = (struct waiting){(uint32_t)(f - t->flow), f->life};
	return true;
}

void flow_answered(struct flow_table *t, struct flow *f)
{
	if (!f->unanswered)
		return;
	f->unanswered = false;
	--*source_counter(t, f, 0);
	--*source_counter(t, f, 1);
	t->waiting--;
}

/* -- Walking ------------------------------------------------------------------------------------------------ */

struct flow *flow_at(struct flow_table *t, uint32_t place)
{
	return &t->flow[place];
}

uint32_t flow_places(const struct flow_table *t)
{
	return t->places;
}

uint32_t flow_count(const struct flow_table *t)
{
	return t->count;
}

uint32_t flow_waiting(const struct flow_table *t)
{
	return t->waiting;
}
