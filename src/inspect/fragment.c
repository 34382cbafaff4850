/*
 * fragment.c: datagrams out of their fragments.
 *
 * Where fragments overlap, two hosts may read two datagrams; so any overlap, and any contradiction about the end, spoils
 * the datagram as a whole (RFC 5722 for IPv6, here for IPv4 too), and what still comes of it within its time. The first
 * fragment must hold the whole transport header, so that no port hides in the second.
 *
 * Bounds: FRAGMENT_* in the header; the bytes lie in a pool of their own, so that they take none from flows. The oldest
 * datagram gives way to a new one.
 */
#include "fragment.h"
#include "packet.h"

#include <netinet/in.h>
#include <stdlib.h>
#include <string.h>

struct part {
	uint8_t *p;
	uint32_t block;
	uint16_t offset, n;
};

struct context {
	struct addr src, dst;
	uint32_t id, zone;
	uint8_t protocol;
	bool used, spoilt, bad_sum;
	uint8_t parts;
	uint32_t have, end; /* bytes so far; of the whole, 0 = the last fragment has not come */
	int64_t at;
	struct part part[FRAGMENT_PIECES];
};

struct fragments {
	struct pool *pool;
	struct context context[FRAGMENT_CONTEXTS];
	uint8_t whole[FRAGMENT_BYTES + 1];
};

struct fragments *fragments_new(void)
{
	struct fragments *f = calloc(1, sizeof(*f));

	if (f == NULL)
		return NULL;
	f->pool = pool_new(FRAGMENT_MEMORY);
	if (f->pool != NULL)
		return f;
	free(f);
	return NULL;
}

static void empty(struct fragments *f, struct context *c)
{
	for (unsigned i = 0; i < c->parts; i++)
		pool_put(f->pool, c->part[i].p, c->part[i].block);
	c->parts = 0;
	c->have = 0;
}

void fragments_free(struct fragments *f)
{
	if (f == NULL)
		return;
	pool_free(f->pool);
	free(f);
}

static bool belongs(const struct context *c, const struct packet *p)
{
	return c->used && c->id == p->frag_id && c->zone == p->zone && c->protocol == p->frag_proto &&
	       c->src.family == p->src.family && memcmp(c->src.b, p->src.b, 16) == 0 && memcmp(c->dst.b, p->dst.b, 16) == 0;
}

/* The datagram of a fragment: a running one, or the place of a free or the oldest one. */
static struct context *context_of(struct fragments *f, const struct packet *p)
{
	struct context *oldest = &f->context[0];

	for (unsigned i = 0; i < FRAGMENT_CONTEXTS; i++) {
		struct context *c = &f->context[i];
		if (c->used && p->at - c->at > FRAGMENT_SECONDS * INT64_C(1000000000)) {
			empty(f, c);
			c->used = false;
		}
		if (belongs(c, p))
			return c;
		if (oldest->used && (!c->used || c->at < oldest->at))
			oldest = c;
	}
	empty(f, oldest);
	*oldest = (struct context){.src = p->src, .dst = p->dst, .id = p->frag_id, .zone = p->zone,
		.protocol = p->frag_proto, .used = true, .at = p->at};
	return oldest;
}

/* The whole transport header in the first fragment. */
static bool header_is_there(const struct packet *p)
{
	switch (p->frag_proto) {
	case IPPROTO_TCP:
		return p->n >= 20 && p->n >= (uint32_t)(p->payload[12] >> 4) * 4;
	case IPPROTO_UDP:
		return p->n >= 8;
	default:
		return true;
	}
}

static bool fits(const struct context *c, const struct packet *p)
{
	uint32_t end = (uint32_t)p->frag_offset + p->n;

	if (p->n != p->n_wire || p->n > 16384 || c->parts == FRAGMENT_PIECES || end > FRAGMENT_BYTES)
		return false;
	if ((p->frag_offset == 0 && !header_is_there(p)) || (c->end != 0 && (end > c->end || !p->frag_more)))
		return false;
	for (unsigned i = 0; i < c->parts; i++) {
		const struct part *a = &c->part[i];
		if (p->frag_offset < a->offset + a->n && a->offset < end)
			return false;
		if (!p->frag_more && (uint32_t)a->offset + a->n > end)
			return false;
	}
	return true;
}

static bool store(struct fragments *f, struct context *c, const struct packet *p)
{
	struct part a = {.offset = p->frag_offset, .n = (uint16_t)p->n};

	a.p = pool_get(f->pool, p->n, &a.block);
	if (a.p == NULL)
		return false;
	memcpy(a.p, p->payload, p->n);
	c->part[c->parts++] = a;
	c->have += p->n;
	c->bad_sum |= p->checksum_bad;
	if (!p->frag_more)
		c->end = (uint32_t)p->frag_offset + p->n;
	return true;
}

static void assemble(struct fragments *f, struct context *c, const struct packet *p, struct packet *ret)
{
	for (unsigned i = 0; i < c->parts; i++)
		memcpy(f->whole + c->part[i].offset, c->part[i].p, c->part[i].n);
	*ret = (struct packet){.at = p->at, .zone = p->zone, .src = p->src, .dst = p->dst, .wscale = 0xff,
		.checksum_bad = c->bad_sum, .checksum_skipped = p->checksum_skipped};
	packet_transport(ret, p->frag_proto, f->whole, c->end, c->end,
		p->checksum_skipped ? PACKET_SKIP_CHECKSUM : 0);
	empty(f, c);
	c->used = false;
}

enum fragment_result fragment_add(struct fragments *f, const struct packet *p, struct packet *ret)
{
	struct context *c = context_of(f, p);

	if (c->spoilt || !fits(c, p) || !store(f, c, p)) {
		empty(f, c);
		c->spoilt = true;
		return FRAGMENT_BAD;
	}
	/* Nothing overlaps, so as many bytes as the end says are all of them. */
	if (c->end == 0 || c->have < c->end)
		return FRAGMENT_MORE;
	assemble(f, c, p, ret);
	return FRAGMENT_WHOLE;
}
