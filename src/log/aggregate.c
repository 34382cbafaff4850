/*
 * aggregate.c: counts repeats of the same drop (see aggregate.h).
 *
 * Input: decoded events; addresses and ports in them are hostile, so the hash is keyed.
 * Limits: AGG_MAX windows in one pool, chained buckets; no allocation after agg_new().
 * Failure: none; the sum of all counts always equals the number of events.
 */
#include "aggregate.h"

#include <stdlib.h>
#include <string.h>

#include <sekisho/strmap.h>

#define BUCKETS 4096

_Static_assert(sizeof(struct agg_key) == 56, "agg_key has padding");

static const uint32_t budget[AGG_WIDTHS] = {AGG_MAX_EXACT, AGG_MAX_NET, AGG_MAX_PATH, REASON_END};

struct agg {
	uint64_t hash_key[2];
	uint64_t received[REASON_END];
	uint32_t open[AGG_WIDTHS];
	uint32_t n;
	uint32_t bucket[BUCKETS]; /* index + 1 */
	uint32_t ndirty;
	uint32_t dirty[AGG_MAX];
	struct agg_window pool[AGG_MAX];
};

struct agg *agg_new(void)
{
	struct agg *a = calloc(1, sizeof(*a));

	if (a != NULL)
		memcpy(a->hash_key, siphash_key(), sizeof(a->hash_key));
	return a;
}

void agg_free(struct agg *a)
{
	free(a);
}

const uint64_t *agg_received(const struct agg *a)
{
	return a->received;
}

unsigned agg_prefix(enum agg_width width, uint8_t family)
{
	switch (width) {
	case AGG_EXACT:
		return family == 6 ? 128 : 32;
	case AGG_NET:
		return family == 6 ? 64 : 24;
	case AGG_PATH:
	case AGG_REASON:
	case AGG_WIDTHS:
		break;
	}
	return 0;
}

/* The key of an event at one width: what the width drops is zero. */
static void make_key(const struct nflog_event *e, uint32_t generation, enum agg_width width, struct agg_key *k)
{
	unsigned bytes = agg_prefix(width, e->family) / 8;

	memset(k, 0, sizeof(*k));
	enum reason reason = nflog_reason(e);
	k->reason = (uint8_t)reason;
	k->width = (uint8_t)width;
	if (width == AGG_REASON)
		return;
	k->in = e->in;
	k->out = e->out;
	k->generation = generation;
	k->family = e->family;
	k->proto = e->proto;
	memcpy(k->src, e->src, bytes);
	memcpy(k->dst, e->dst, bytes);
	if (width == AGG_EXACT) {
		k->dport = e->dport;
		memcpy(k->mac, e->src_mac.b, sizeof(k->mac));
	}
}

static struct agg_window *find(struct agg *a, const struct agg_key *k, uint32_t *ret_bucket)
{
	uint32_t b = (uint32_t)siphash(a->hash_key, k, sizeof(*k)) % BUCKETS;

	*ret_bucket = b;
	for (uint32_t i = a->bucket[b]; i != 0; i = a->pool[i - 1].next)
		if (memcmp(&a->pool[i - 1].key, k, sizeof(*k)) == 0)
			return &a->pool[i - 1];
	return NULL;
}

static struct agg_window *open_window(struct agg *a, const struct nflog_event *e, const struct agg_key *k,
	uint32_t bucket)
{
	struct agg_window *w = &a->pool[a->n++];

	*w = (struct agg_window){.key = *k, .length = e->length, .next = a->bucket[bucket]};
	if (k->width == AGG_EXACT) {
		w->sport = e->sport;
		w->tcp_flags = e->tcp_flags;
		w->has_mac = e->has_mac;
		w->dst_mac = e->dst_mac;
	}
	a->bucket[bucket] = a->n;
	a->open[k->width]++;
	return w;
}

/* The window that counts this event: the narrowest that is open or may be opened. */
static struct agg_window *window_for(struct agg *a, const struct nflog_event *e, uint32_t generation)
{
	struct agg_key k;
	uint32_t bucket;

	for (unsigned width = AGG_EXACT; width < AGG_WIDTHS; width++) {
		make_key(e, generation, (enum agg_width)width, &k);
		struct agg_window *w = find(a, &k, &bucket);
		if (w != NULL)
			return w;
		if (a->open[width] < budget[width])
			return open_window(a, e, &k, bucket);
	}
	abort(); /* one window per reason fits its budget by construction */
}

void agg_add(struct agg *a, const struct nflog_event *e, uint32_t generation, int64_t now_ns)
{
	struct agg_window *w = window_for(a, e, generation);
	int64_t at = e->time_ns != 0 ? e->time_ns : now_ns;

	if (w->count++ == 0)
		w->first_ns = at;
	w->last_ns = at;
	w->last_sport = e->sport;
	if (w->why == 0 && w->key.width == AGG_EXACT) {
		w->why = nflog_why(e);
		w->seen = nflog_seen(e);
	}
	if (!w->dirty) {
		w->dirty = true;
		a->dirty[a->ndirty++] = (uint32_t)(w - a->pool);
	}
	a->received[nflog_reason(e)]++;
}

static void forget_all(struct agg *a)
{
	memset(a->bucket, 0, sizeof(a->bucket));
	memset(a->open, 0, sizeof(a->open));
	a->n = 0;
	a->ndirty = 0;
}

void agg_take(struct agg *a, struct agg_batch *batch, bool close)
{
	for (uint32_t i = 0; i < a->ndirty; i++) {
		struct agg_window *w = &a->pool[a->dirty[i]];
		bool fresh = w->sequence == 0;
		uint64_t delta = w->count - w->taken;

		if (fresh)
			w->sequence = batch->next_sequence++;
		w->taken = w->count;
		w->dirty = false;
		batch->items[batch->n++] = (struct agg_item){*w, delta, fresh};
	}
	a->ndirty = 0;
	if (close)
		forget_all(a);
}

void agg_forget(struct agg *a)
{
	uint32_t n = a->n;

	forget_all(a);
	for (uint32_t i = 0; i < n; i++) {
		struct agg_window w = a->pool[i];
		uint32_t bucket;

		if (w.count == w.taken)
			continue;
		find(a, &w.key, &bucket);
		w.count -= w.taken;
		w.taken = 0;
		w.sequence = 0;
		w.first_ns = w.last_ns;
		w.dirty = true;
		w.next = a->bucket[bucket];
		a->pool[a->n++] = w;
		a->bucket[bucket] = a->n;
		a->open[w.key.width]++;
		a->dirty[a->ndirty++] = a->n - 1;
	}
}
