/*
 * stream.c: the bytes of a connection, in order and once.
 *
 * Whoever wants to deceive an inspector makes it see other bytes than the other end. The rules here leave no room for
 * that: bytes are judged in order only; what came twice must be equal as long as the peer has not acknowledged it (then it
 * is settled what the peer took, and a repetition is passed unseen); and the caller passes a flow only when the peer has
 * acknowledged every byte that the decision rests on, so that a decoy which never arrives proves nothing.
 *
 * Bytes out of order go on their way at once and a copy is held: the other end cannot use them before the gap is filled,
 * and the segment that fills it is judged together with them. Without memory for a copy the segment is dropped and comes
 * again.
 *
 * Standards: RFC 9293; overlaps as in RFC 9293 3.10.7.4 (first wins) would be legal too, and are refused.
 * See handshake.c for stream_admit().
 */
#include "stream.h"
#include "stream_words.h"

#include <string.h>

struct piece {
	struct piece *next;
	uint32_t seq, n;
	uint32_t cap, block; /* bytes that fit; size of the pool's block */
	uint8_t bytes[];
};

/* What came of one segment: the part of it that was not dealt with yet. */
struct part {
	uint32_t seq;
	const uint8_t *p;
	uint32_t n;
};

void stream_init(struct stream *s, const struct flow *f)
{
	*s = (struct stream){.base = {f->side[0].next, f->side[1].next}};
}

uint32_t stream_acked(const struct flow *f, const struct stream *s, unsigned from)
{
	return f->side[from].acked - s->base[from];
}

/* -- Pieces ------------------------------------------------------------------------------------------------- */

static struct piece *piece_new(struct pool *pool, uint32_t seq, uint32_t n)
{
	uint32_t block, room = 16384 - (uint32_t)sizeof(struct piece);
	struct piece *c = pool_get(pool, sizeof(*c) + (n < room ? n : room), &block);

	if (c != NULL)
		*c = (struct piece){.seq = seq, .cap = block - (uint32_t)sizeof(*c), .block = block};
	return c;
}

static void piece_free(struct pool *pool, struct piece *c)
{
	pool_put(pool, c, c->block);
}

static void pieces_free(struct pool *pool, struct piece *c)
{
	while (c != NULL) {
		struct piece *next = c->next;
		piece_free(pool, c);
		c = next;
	}
}

void stream_release(struct stream *s, struct pool *pool)
{
	for (unsigned i = 0; i < 2; i++) {
		pieces_free(pool, s->kept[i]);
		pieces_free(pool, s->held[i]);
		s->kept[i] = s->kept_last[i] = s->held[i] = NULL;
		s->kept_bytes[i] = 0;
	}
	s->held_bytes = 0;
}

/* Are the bytes of `a` that lie in the same place as bytes of the pieces equal to them? */
static bool equal_where_both(const struct piece *c, const struct part *a)
{
	for (; c != NULL; c = c->next) {
		int32_t at = distance(a->seq, c->seq); /* of the piece, within the part */
		if (at >= (int32_t)a->n)
			break;
		uint32_t skip_piece = at < 0 ? (uint32_t)-at : 0, skip_part = at > 0 ? (uint32_t)at : 0;
		if (skip_piece >= c->n)
			continue;
		uint32_t n = c->n - skip_piece < a->n - skip_part ? c->n - skip_piece : a->n - skip_part;
		if (memcmp(c->bytes + skip_piece, a->p + skip_part, n) != 0)
			return false;
	}
	return true;
}

static void advance(struct part *a, uint32_t n)
{
	a->seq += n;
	a->p += n;
	a->n -= n;
}

/* -- Kept: seen, not acknowledged ---------------------------------------------------------------------------- */

static void forget_acked(struct flow *f, struct stream *s, unsigned from, struct pool *pool)
{
	struct piece *c;

	while ((c = s->kept[from]) != NULL && distance(c->seq + c->n, f->side[from].acked) >= 0) {
		s->kept[from] = c->next;
		s->kept_bytes[from] -= c->n;
		piece_free(pool, c);
	}
	if (s->kept[from] == NULL)
		s->kept_last[from] = NULL;
}

static void keep_piece(struct stream *s, unsigned from, struct piece *c)
{
	c->next = NULL;
	if (s->kept_last[from] == NULL)
		s->kept[from] = c;
	else
		s->kept_last[from]->next = c;
	s->kept_last[from] = c;
	s->kept_bytes[from] += c->n;
}

/* Copies of all bytes or of none. */
static bool keep(struct stream *s, unsigned from, struct part a, const struct stream_rules *r)
{
	struct piece *last = s->kept_last[from], *fresh = NULL, **end = &fresh;
	uint32_t in_last = last == NULL ? 0 : last->cap - last->n;

	if (s->kept_bytes[from] + a.n > (pool_scarce(r->pool) ? STREAM_FLIGHT_SCARCE : STREAM_FLIGHT_MAX))
		return false;
	if (in_last > a.n)
		in_last = a.n;
	for (uint32_t left = a.n - in_last; left > 0; end = &(*end)->next) {
		*end = piece_new(r->pool, 0, left);
		if (*end == NULL) {
			pieces_free(r->pool, fresh);
			return false;
		}
		left -= left < (*end)->cap ? left : (*end)->cap;
	}
	if (in_last > 0) {
		memcpy(last->bytes + last->n, a.p, in_last);
		last->n += in_last;
		s->kept_bytes[from] += in_last;
		advance(&a, in_last);
	}
	while (fresh != NULL) {
		struct piece *c = fresh;
		fresh = c->next;
		c->seq = a.seq;
		c->n = a.n < c->cap ? a.n : c->cap;
		memcpy(c->bytes, a.p, c->n);
		advance(&a, c->n);
		keep_piece(s, from, c);
	}
	return true;
}

/* -- Held: out of order -------------------------------------------------------------------------------------- */

/* A copy of bytes that no held piece has, at its place in the list. */
static bool hold_gap(struct stream *s, struct piece **at, struct part a, const struct stream_rules *r)
{
	uint32_t most = r->decided && !pool_scarce(r->pool) ? STREAM_FLIGHT_MAX : STREAM_HELD_MAX;

	while (a.n > 0) {
		struct piece *c = s->held_bytes + a.n > most ? NULL : piece_new(r->pool, a.seq, a.n);
		if (c == NULL)
			return false;
		c->n = a.n < c->cap ? a.n : c->cap;
		memcpy(c->bytes, a.p, c->n);
		advance(&a, c->n);
		c->next = *at;
		*at = c;
		at = &c->next;
		s->held_bytes += c->n;
	}
	return true;
}

static bool hold(struct stream *s, unsigned from, struct part a, const struct stream_rules *r)
{
	struct piece **at = &s->held[from];

	while (a.n > 0) {
		while (*at != NULL && distance((*at)->seq + (*at)->n, a.seq) >= 0)
			at = &(*at)->next;
		/* Here *at ends behind a.seq, or there is none: a gap up to its beginning, then what it has already. */
		uint32_t gap = a.n;
		if (*at != NULL && distance(a.seq, (*at)->seq) < (int32_t)a.n)
			gap = distance(a.seq, (*at)->seq) > 0 ? (*at)->seq - a.seq : 0;
		struct part copy = {a.seq, a.p, gap};
		if (!hold_gap(s, at, copy, r))
			return false;
		advance(&a, gap);
		if (gap == 0) {
			uint32_t have = (*at)->seq + (*at)->n - a.seq;
			advance(&a, have < a.n ? have : a.n);
		}
	}
	return true;
}

/* -- In order ------------------------------------------------------------------------------------------------ */

/* To the sink; in any case the bytes are now what the next ones follow. */
static bool sink(struct flow *f, struct stream *s, unsigned from, const struct part *a, bool ended,
	const struct stream_rules *r, enum inspect_why *ret_why)
{
	f->side[from].next += a->n + ended;
	if (s->done)
		return true;
	switch (r->sink(r->arg, from, a->p, a->n, ended, ret_why)) {
	case STREAM_REFUSED:
		return false;
	case STREAM_ENOUGH:
		s->done = true;
		break;
	case STREAM_ON:
		break;
	}
	return true;
}

/* Held pieces that have come in order; one that is new as a whole changes lists without a copy. */
static bool sink_held(struct flow *f, struct stream *s, unsigned from, const struct stream_rules *r,
	enum inspect_why *ret_why)
{
	struct piece *c;

	while ((c = s->held[from]) != NULL && distance(f->side[from].next, c->seq) <= 0) {
		uint32_t old = f->side[from].next - c->seq;
		s->held[from] = c->next;
		s->held_bytes -= c->n;
		if (old >= c->n) {
			piece_free(r->pool, c);
			continue;
		}
		struct part a = {c->seq + old, c->bytes + old, c->n - old};
		bool on = sink(f, s, from, &a, false, r, ret_why);
		if (r->compare) {
			keep_piece(s, from, c);
		} else {
			piece_free(r->pool, c);
		}
		if (!on)
			return false;
	}
	return true;
}

static bool sink_end(struct flow *f, struct stream *s, unsigned from, const struct stream_rules *r,
	enum inspect_why *ret_why)
{
	struct part nothing = {s->fin[from], NULL, 0};

	if (!s->has_fin[from] || (f->flags & FLOW_FIN << from) != 0 || s->fin[from] != f->side[from].next)
		return true;
	f->flags |= (uint8_t)(FLOW_FIN << from);
	if ((f->flags & FLOW_FIN << 0) != 0 && (f->flags & FLOW_FIN << 1) != 0)
		f->state = FLOW_CLOSED;
	return sink(f, s, from, &nothing, true, r, ret_why);
}

/* The end of a direction is where its first FIN said: nothing behind it, and no other end. */
static bool end_contradicts(struct stream *s, unsigned from, const struct packet *p, uint32_t end)
{
	if (s->has_fin[from])
		return distance(s->fin[from], end) > 0 || ((p->flags & PACKET_FIN) != 0 && s->fin[from] != end);
	for (const struct piece *c = s->held[from]; c != NULL && (p->flags & PACKET_FIN) != 0; c = c->next)
		if (distance(end, c->seq + c->n) > 0)
			return true;
	return false;
}

/*
 * Copies first, then the sink. Before the decision a large segment is copied as far as a decision may reach; when the
 * sink still wants more then, the rest is copied too.
 */
static struct inspect_verdict in_order(struct flow *f, struct stream *s, unsigned from, struct part *a,
	const struct stream_rules *r)
{
	struct part rest = *a, head = *a;
	enum inspect_why why = WHY_NONE;

	if (!r->decided && head.n > STREAM_HELD_MAX)
		head.n = STREAM_HELD_MAX;
	if (r->compare && !keep(s, from, head, r))
		return drop(WHY_FULL);
	if (!sink(f, s, from, a, false, r, &why))
		return refuse(why);
	advance(&rest, head.n);
	if (r->compare && !s->done && rest.n > 0 && !keep(s, from, rest, r))
		return refuse(WHY_FULL);
	return forward();
}

/* What is left of a segment that begins at or behind the next byte. */
static struct inspect_verdict new_bytes(struct flow *f, struct stream *s, unsigned from, struct part *a,
	const struct stream_rules *r)
{
	enum inspect_why why = WHY_NONE;
	struct inspect_verdict v = forward();

	if (r->compare && !equal_where_both(s->held[from], a))
		return refuse(WHY_OVERLAP);
	if (a->seq != f->side[from].next)
		return hold(s, from, *a, r) ? forward() : drop(WHY_MANY_BYTES);
	if (a->n > 0)
		v = in_order(f, s, from, a, r);
	if (v.code == INSPECT_FORWARD && (!sink_held(f, s, from, r, &why) || !sink_end(f, s, from, r, &why)))
		return refuse(why);
	return v;
}

/* After the decision nothing is put in order any more; how far the stream has come is all that counts. */
static void follow(struct flow *f, struct stream *s, unsigned from, const struct packet *p)
{
	struct flow_side *me = &f->side[from];
	uint32_t end = p->seq + p->n_wire + ((p->flags & PACKET_FIN) != 0);

	if (distance(me->next, end) > 0)
		me->next = end;
	if ((p->flags & PACKET_FIN) != 0)
		f->flags |= (uint8_t)(FLOW_FIN << from);
	if ((f->flags & FLOW_FIN << 0) != 0 && (f->flags & FLOW_FIN << 1) != 0)
		f->state = FLOW_CLOSED;
	s->has_fin[from] = false;
}

struct inspect_verdict stream_data(struct flow *f, struct stream *s, unsigned from, const struct packet *p,
	const struct stream_rules *r)
{
	struct flow_side *me = &f->side[from];
	struct part a = {p->seq, p->payload, p->n};
	uint32_t end = p->seq + p->n_wire;

	forget_acked(f, s, from, r->pool);
	if (r->compare && end_contradicts(s, from, p, end))
		return refuse(WHY_OVERLAP);
	int32_t settled = distance(a.seq, me->acked);
	if (settled > 0)
		advance(&a, (uint32_t)settled < a.n ? (uint32_t)settled : a.n);
	if (!equal_where_both(s->kept[from], &a))
		return refuse(WHY_OVERLAP);
	if (s->done) {
		follow(f, s, from, p);
		return forward();
	}
	int32_t old = distance(a.seq, me->next);
	if (old > 0)
		advance(&a, (uint32_t)old < a.n ? (uint32_t)old : a.n);
	if ((p->flags & PACKET_FIN) != 0 && !s->has_fin[from]) {
		s->has_fin[from] = true;
		s->fin[from] = end;
	}
	if (a.n == 0 && distance(a.seq, me->next) > 0)
		return forward();
	return new_bytes(f, s, from, &a, r);
}
