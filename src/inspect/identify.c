/*
 * identify.c: hears a conversation with every verifier that it may still belong to.
 *
 * While several are left they keep no memory between packets: what was said so far is said again to each of them. That is
 * rare, because the first byte leaves few (tables of which verifiers take which byte as the first, worked out from the
 * verifiers themselves) and the first packet mostly one, whose state is then kept: it hears each byte once.
 *
 * The policy is the widest: every option that allows something, no name demanded.
 */
#include "identify.h"

#include <string.h>

/* When only one verifier is left after so many bytes, it is named, though it has not come to a level. */
#define ENOUGH_FOR_ONE 4u

static bool lives_at(const struct verifier *v, uint16_t port)
{
	for (unsigned i = 0; i < 4; i++)
		if (v->ports[i] == port && port != 0)
			return true;
	return false;
}

static bool hears(const struct verifier *v, bool datagrams)
{
	return (datagrams ? v->datagram : v->stream) != NULL;
}

uint32_t identify_all(bool datagrams)
{
	size_t n;
	const struct verifier *table = verifier_table(&n);
	uint32_t all = 0;

	for (size_t i = 0; i < n; i++)
		if (hears(&table[i], datagrams))
			all |= 1u << table[i].application;
	return all;
}

static void nobody(struct identity *ret)
{
	ret->application = APP_NONE; /* and no word of the name, which is long: this is done for each packet */
	ret->level = LEVEL_NONE;
	ret->settled = false;
	ret->name_n = 0;
}

static void take(struct identity *best, const struct hearing *h, const struct heard *m)
{
	best->application = m->named;
	best->level = m->level;
	best->settled = m->final;
	best->name_n = h->name_n;
	memcpy(best->name, h->name, h->name_n);
}

static uint32_t heard(const struct transcript *t)
{
	uint32_t n = 0;

	for (unsigned i = 0; i < t->turns; i++)
		n += t->turn[i] & ~TRANSCRIPT_SERVER;
	return n;
}

static bool is_one(uint32_t live)
{
	return live != 0 && (live & (live - 1)) == 0;
}

static enum application first_of(uint32_t live)
{
	int a = __builtin_ctz(live);

	return (enum application)a;
}

/* Half a ClientHello may still be of those who begin with TLS at once and say so inside (ALPN): it is TLS in any case. */
static enum application left_alone(uint32_t live)
{
	if ((live & 1u << APP_TLS) != 0)
		return APP_TLS;
	return is_one(live) ? first_of(live) : APP_NONE;
}

/* All of a transcript, to one of those that are left. Where it stands behind the turns is in *ret_alone; false: it is out. */
static bool hear_whole(const struct transcript *t, const struct verifier *v, struct hearing *h, struct heard *m,
	struct alone *ret_alone)
{
	heard_begin(m, v);
	hearing_begin(h, t->p, t->datagrams, t->server_port);
	for (unsigned i = 0; i < t->turns && m->alive && !m->final; i++)
		hearing_turn(h, m, (t->turn[i] & TRANSCRIPT_SERVER) != 0, t->turn[i] & ~TRANSCRIPT_SERVER);
	if (!m->alive)
		return false;
	/* A name that is not told yet (its level is none) would not be learned a second time. */
	if (ret_alone != NULL && (h->name_n == 0 || m->level > LEVEL_NONE))
		*ret_alone = (struct alone){*m, {h->at[0], h->at[1]}};
	hearing_ended(h, m, t->ended);
	return m->alive;
}

bool identify(const struct transcript *t, uint32_t *live, struct identity *ret, struct alone *ret_alone)
{
	bool best_at_port = false;
	struct hearing h UNSET;
	struct heard m UNSET;

	if (ret_alone != NULL)
		ret_alone->heard.named = APP_NONE;
	nobody(ret);
	for (uint32_t left = *live; left != 0; left &= left - 1) {
		const struct verifier *v = verifier_of(first_of(left));
		if (!hear_whole(t, v, &h, &m, ret_alone)) {
			*live &= ~(1u << v->application);
			continue;
		}
		bool at_port = lives_at(v, t->server_port);
		if (m.level > ret->level || (m.level == ret->level && m.level > LEVEL_NONE && at_port && !best_at_port)) {
			take(ret, &h, &m);
			best_at_port = at_port;
		}
	}
	if (*live == 0)
		ret->settled = true;
	else if (ret->level == LEVEL_NONE && heard(t) >= ENOUGH_FOR_ONE)
		ret->application = left_alone(*live);
	return ret_alone != NULL && is_one(*live) && *live == 1u << ret_alone->heard.named;
}

/* -- The first byte ----------------------------------------------------------------------------------------- */

/*
 * Which verifiers go on after this byte as the first of the flow; filled on first use, the same for all inspectors. Of
 * datagrams, which come whole: which do not contradict the byte, but miss the others or would wait for a better datagram.
 */
static uint32_t first_byte[2][2][256]; /* datagrams, from, byte */
static uint32_t everybody[2];	       /* identify_all(); 0 = nothing of this is known yet */

static bool takes_first(const struct verifier *verifier, bool datagrams, unsigned from, const uint8_t *byte)
{
	const uint8_t *p[2] = {byte, byte};
	struct hearing h UNSET;
	struct heard m;

	heard_begin(&m, verifier);
	hearing_begin(&h, p, datagrams, 0);
	hearing_turn(&h, &m, from, 1);
	return m.alive || (datagrams && (h.dropped || h.v.why == WHY_LENGTH));
}

static void learn_first_bytes(void)
{
	size_t n;
	const struct verifier *table = verifier_table(&n);

	for (size_t i = 0; i < n; i++) {
		for (unsigned k = 0; k < 4 * 256; k++) {
			uint8_t byte = (uint8_t)k;
			bool datagrams = k >> 9 != 0;
			unsigned from = k >> 8 & 1;
			if (hears(&table[i], datagrams) && takes_first(&table[i], datagrams, from, &byte))
				first_byte[datagrams][from][byte] |= 1u << table[i].application;
		}
	}
	everybody[0] = identify_all(false);
	everybody[1] = identify_all(true);
}

uint32_t identify_first(bool datagrams, unsigned from, uint8_t byte)
{
	if (everybody[0] == 0)
		learn_first_bytes();
	return first_byte[datagrams][from][byte];
}

/* -- A flow -------------------------------------------------------------------------------------------------- */

void identify_init(struct identify *i, bool datagrams, uint16_t server_port)
{
	if (everybody[0] == 0)
		learn_first_bytes();
	i->live = everybody[datagrams];
	i->datagrams = datagrams;
	i->server_port = server_port;
}

void identify_release(struct identify *i, struct pool *pool)
{
	for (unsigned k = 0; k < 2; k++) {
		pool_put(pool, i->p[k], i->cap[k]);
		i->p[k] = NULL;
		i->n[k] = i->cap[k] = 0;
	}
}

static bool append(struct identify *i, struct pool *pool, unsigned from, const uint8_t *p, uint32_t n)
{
	uint32_t cap;

	if (n == 0)
		return true;
	if (i->n[from] + n > i->cap[from]) {
		uint8_t *more = i->n[from] + n > JUDGE_BYTES ? NULL : pool_get(pool, i->n[from] + n, &cap);
		if (more == NULL)
			return false;
		if (i->n[from] > 0)
			memcpy(more, i->p[from], i->n[from]);
		pool_put(pool, i->p[from], i->cap[from]);
		i->p[from] = more;
		i->cap[from] = cap;
	}
	memcpy(i->p[from] + i->n[from], p, n);
	i->n[from] += n;
	return true;
}

static void drop_used(struct identify *i, unsigned side, uint32_t used)
{
	if (used == 0)
		return;
	i->n[side] -= used;
	memmove(i->p[side], i->p[side] + used, i->n[side]);
}

/* A stream's turn goes on while the same side speaks; a datagram is a turn. */
static bool note_turn(struct identify *i, unsigned from, uint32_t n)
{
	uint16_t who = from != 0 ? IDENTIFY_SERVER : 0;

	i->heard[from] = (uint16_t)(i->heard[from] + n);
	if (!i->datagrams && i->turns > 0 && (i->turn[i->turns - 1] & IDENTIFY_SERVER) == who) {
		i->turn[i->turns - 1] = (uint16_t)(i->turn[i->turns - 1] + n);
		return true;
	}
	if (i->turns == IDENTIFY_TURNS)
		return false;
	i->turn[i->turns++] = (uint16_t)(n | who);
	return true;
}

/* What is new: behind what waits of its side, or (nothing waits) where it lies in the packet. */
struct fresh {
	const uint8_t *p;
	uint32_t n;
	unsigned from;
	bool copied; /* it is in the pool */
};

static bool copy_fresh(struct identify *i, struct pool *pool, struct fresh *a)
{
	a->copied = true;
	return append(i, pool, a->from, a->p, a->n);
}

static void sides_of(const struct identify *i, const struct fresh *a, const uint8_t *ret_p[2])
{
	ret_p[0] = i->p[0];
	ret_p[1] = i->p[1];
	if (!a->copied)
		ret_p[a->from] = a->p;
}

/* Only what the verifier that is left has not used is kept. */
static bool keep_unused(struct identify *i, struct pool *pool, struct fresh *a, const uint32_t used[2])
{
	for (unsigned side = 0; side < 2; side++)
		if (side != a->from || a->copied)
			drop_used(i, side, used[side]);
	if (a->copied)
		return true;
	a->p += used[a->from];
	a->n -= used[a->from];
	return copy_fresh(i, pool, a);
}

static void transcript_of(const struct identify *i, const struct fresh *a, struct transcript *ret)
{
	sides_of(i, a, ret->p);
	ret->turns = i->turns;
	for (unsigned k = 0; k < i->turns; k++) {
		uint32_t n = i->turn[k] & ~IDENTIFY_SERVER;
		ret->turn[k] = (i->turn[k] & IDENTIFY_SERVER) != 0 ? n | TRANSCRIPT_SERVER : n;
	}
	memcpy(ret->ended, i->ended, sizeof(ret->ended));
	ret->datagrams = i->datagrams;
	ret->server_port = i->server_port;
}

/* Several are left: all of the flow to each of them. True: no more is needed. */
static bool hear_all(struct identify *i, struct pool *pool, struct fresh *a, struct identity *ret)
{
	struct transcript t UNSET;
	struct alone alone UNSET;

	transcript_of(i, a, &t);
	i->alone = identify(&t, &i->live, ret, &alone);
	if (ret->settled)
		return true;
	if (!i->alone)
		return !a->copied && !copy_fresh(i, pool, a);
	i->only = alone.heard;
	return !keep_unused(i, pool, a, alone.used);
}

/* One is left, and hears what is new. What it says of an end is not kept: the other side may go on. */
static bool hear_only(struct identify *i, struct pool *pool, struct fresh *a, struct identity *ret)
{
	struct hearing h UNSET;
	struct heard end UNSET;
	const struct heard *m = &i->only;
	uint32_t told[2] = {i->n[0], i->n[1]};
	const uint8_t *p[2];

	if (a->copied)
		told[a->from] -= a->n;
	sides_of(i, a, p);
	hearing_begin(&h, p, i->datagrams, i->server_port);
	hearing_resume(&h, told);
	if (a->n > 0)
		hearing_turn(&h, &i->only, a->from, a->n);
	uint32_t used[2] = {h.at[0], h.at[1]};
	if (i->ended[0] || i->ended[1]) {
		end = i->only;
		m = &end;
		hearing_ended(&h, &end, i->ended);
	}
	if (!m->alive) {
		i->live = 0;
		ret->settled = true;
		return true;
	}
	take(ret, &h, m);
	if (m->level == LEVEL_NONE)
		ret->application = i->heard[0] + i->heard[1] >= ENOUGH_FOR_ONE ? left_alone(i->live) : APP_NONE;
	return ret->settled || !keep_unused(i, pool, a, used);
}

/* A flow that begins with this packet is heard where it lies; only what must be seen again is copied. */
bool identify_hear(struct identify *i, struct pool *pool, unsigned from, const uint8_t *p, uint32_t n, bool ended,
	struct identity *ret)
{
	nobody(ret);
	if (i->turns == 0 && n > 0)
		i->live &= first_byte[i->datagrams][from][p[0]];
	ret->settled = i->live == 0;
	if (ret->settled)
		return true;
	if (ended)
		i->ended[from] = true;
	struct fresh a = {.p = p, .n = n < JUDGE_BYTES - i->heard[from] ? n : JUDGE_BYTES - i->heard[from], .from = from};
	if (n > 0 && (a.n == 0 || !note_turn(i, from, a.n)))
		return true;
	if ((a.n == 0 || i->n[from] > 0) && !copy_fresh(i, pool, &a))
		return true;
	return i->alone ? hear_only(i, pool, &a, ret) : hear_all(i, pool, &a, ret);
}

/* -- The beginnings of a flow, without their order ------------------------------------------------------------- */

static void transcript_of_sides(const struct verify_side side[2], unsigned first, struct transcript *ret)
{
	ret->turns = 0;
	for (unsigned k = 0; k < 2; k++) {
		unsigned from = first ^ k;
		ret->p[from] = side[from].p;
		ret->ended[from] = side[from].ended;
		if (side[from].n > 0)
			ret->turn[ret->turns++] = side[from].n | (from != 0 ? TRANSCRIPT_SERVER : 0);
	}
}

enum application judge_identify(const struct verify_side side[2], bool datagram, uint16_t server_port,
	enum inspect_level *ret_level)
{
	enum application best = APP_NONE;
	struct identity now UNSET;

	*ret_level = LEVEL_NONE;
	/* Who spoke first is not known, unless only one did. */
	for (unsigned first = side[0].n == 0; first < 2 && *ret_level != LEVEL_RELATES; first++) {
		struct transcript t UNSET;
		transcript_of_sides(side, first, &t);
		t.datagrams = datagram;
		t.server_port = server_port;
		uint32_t live = t.turns == 0 ? identify_all(datagram) : identify_first(datagram, first, side[first].p[0]);
		identify(&t, &live, &now, NULL);
		if (now.level > *ret_level || best == APP_NONE) {
			best = now.application;
			*ret_level = now.level;
		}
		if (side[!first].n == 0)
			break;
	}
	return best;
}
