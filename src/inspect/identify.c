/*
 * identify.c: hears a conversation with every verifier that it may still belong to.
 *
 * The verifiers keep no memory between packets here: what was said so far is said again to those that are left. The first
 * byte already leaves few (a table of which verifiers take which byte as their first, worked out from the verifiers
 * themselves), so the repetition is cheaper than eighteen states a flow.
 *
 * The policy is the widest: every option that allows something, no name demanded.
 */
#include "identify.h"

#include <string.h>

/* Those of VERIFY_OPTIONS that allow more; the others (no-data, starttls-required) demand. */
#define WIDEST (VERIFY_ECH | VERIFY_CONNECT | VERIFY_UPGRADE | VERIFY_SMB1_NEGOTIATE | VERIFY_ACTIVE_DATA | VERIFY_FAST_OPEN | \
		VERIFY_STANDARD_SECURITY | VERIFY_TRAPS | VERIFY_UPDATES)

/* When only one verifier is left after so many bytes, it is named, though it has not come to a level. */
#define ENOUGH_FOR_ONE 4u

/* What one verifier made of a transcript. */
struct outcome {
	bool alive, final;
	enum inspect_level level;
	char name[VERIFY_NAME_MAX];
	uint32_t name_n;
};

struct hearing {
	const struct transcript *t;
	const struct verifier *named, *verifier; /* who it would be; who reads: another one after a hand-over */
	struct verify_policy policy;
	struct addr client, server;
	uint32_t at[2], heard[2]; /* used; told so far */
	bool ended[2];
	_Alignas(8) uint8_t state[VERIFY_STATE_BYTES];
	struct outcome o;
	struct verify v;
};

static void begin(struct hearing *h, const struct transcript *t, const struct verifier *verifier)
{
	h->t = t;
	h->named = h->verifier = verifier;
	h->policy = (struct verify_policy){.application = verifier->application, .options = WIDEST};
	h->client = (struct addr){.family = 4, .b = {192, 0, 2, 1}};
	h->server = (struct addr){.family = 4, .b = {192, 0, 2, 2}};
	memset(h->at, 0, sizeof(h->at));
	memset(h->heard, 0, sizeof(h->heard));
	memset(h->ended, 0, sizeof(h->ended));
	memset(h->state, 0, sizeof(h->state));
	h->o.alive = true;
	h->o.final = false;
	h->o.level = LEVEL_NONE;
	h->o.name_n = 0;
}

static void question(struct hearing *h, unsigned from)
{
	struct verify *v = &h->v;

	v->policy = &h->policy;
	v->from = (uint8_t)from;
	v->client = &h->client;
	v->server = &h->server;
	v->server_port = h->t->server_port;
	v->now = 0;
	v->state = h->state;
	v->level = h->o.level;
	v->why = WHY_NONE;
	v->name_n = 0;
	v->has_pinhole = false;
	memset(v->side, 0, sizeof(v->side));
}

/* The application goes on inside of another (TLS), which has yet to be heard; that far both sides agreed. */
static void hand_over(struct hearing *h)
{
	h->verifier = verifier_of(h->v.next);
	memset(h->state, 0, sizeof(h->state));
	h->o.level = LEVEL_NONE;
	h->o.alive = h->verifier != NULL && h->verifier->stream != NULL;
}

static void answer(struct hearing *h, enum verify_status status)
{
	h->o.level = h->v.level;
	if (h->v.name_n > 0) {
		memcpy(h->o.name, h->v.name, h->v.name_n);
		h->o.name_n = h->v.name_n;
	}
	if (status == VERIFY_REFUSE || (status == VERIFY_DROP && h->o.level == LEVEL_NONE))
		h->o.alive = false;
	if (status == VERIFY_HANDOVER)
		hand_over(h);
	else if (h->o.alive && h->o.level == LEVEL_RELATES)
		h->o.final = true;
}

/* The verifier is asked while it uses what it is shown. */
static void ask_stream(struct hearing *h, unsigned from)
{
	const struct verifier *reader;
	uint32_t used;

	do {
		reader = h->verifier;
		question(h, from);
		for (unsigned i = 0; i < 2; i++)
			h->v.side[i] = (struct verify_side){h->t->p[i] + h->at[i], h->heard[i] - h->at[i], 0, h->ended[i]};
		answer(h, h->verifier->stream(&h->v));
		used = h->v.side[0].used + h->v.side[1].used;
		for (unsigned i = 0; i < 2; i++)
			h->at[i] += h->v.side[i].used;
	} while (h->o.alive && !h->o.final && (used > 0 || reader != h->verifier) &&
		 h->at[0] + h->at[1] < h->heard[0] + h->heard[1]);
}

static void hear_turn(struct hearing *h, unsigned from, uint32_t n)
{
	if (h->t->datagrams) {
		question(h, from);
		h->v.side[from] = (struct verify_side){h->t->p[from] + h->heard[from], n, 0, true};
		answer(h, h->verifier->datagram(&h->v));
		h->heard[from] += n;
		return;
	}
	h->heard[from] += n;
	ask_stream(h, from);
}

static void hear(struct hearing *h, const struct transcript *t, const struct verifier *verifier)
{
	begin(h, t, verifier);
	for (unsigned i = 0; i < t->turns && h->o.alive && !h->o.final; i++)
		hear_turn(h, (t->turn[i] & TRANSCRIPT_SERVER) != 0, t->turn[i] & ~TRANSCRIPT_SERVER);
	for (unsigned side = 0; side < 2 && !t->datagrams && h->o.alive && !h->o.final; side++) {
		if (t->ended[side]) {
			h->ended[side] = true;
			ask_stream(h, side);
		}
	}
}

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

static void take(struct identity *best, bool *best_at_port, const struct hearing *h)
{
	bool at_port = lives_at(h->named, h->t->server_port);

	if (h->o.level == LEVEL_NONE || h->o.level < best->level || (h->o.level == best->level && *best_at_port >= at_port))
		return;
	best->application = h->named->application;
	best->level = h->o.level;
	best->settled = h->o.final;
	best->name_n = h->o.name_n;
	memcpy(best->name, h->o.name, h->o.name_n);
	*best_at_port = at_port;
}

static uint32_t heard(const struct transcript *t)
{
	uint32_t n = 0;

	for (unsigned i = 0; i < t->turns; i++)
		n += t->turn[i] & ~TRANSCRIPT_SERVER;
	return n;
}

/* Half a ClientHello may still be of those who begin with TLS at once and say so inside (ALPN): it is TLS in any case. */
static enum application left_alone(uint32_t live)
{
	for (enum application a = APP_NONE; a < APP_END; a++)
		if (live == 1u << a || (a == APP_TLS && (live & 1u << APP_TLS) != 0))
			return a;
	return APP_NONE;
}

void identify(const struct transcript *t, uint32_t *live, struct identity *ret)
{
	size_t n;
	const struct verifier *table = verifier_table(&n);
	bool at_port = false;
	struct hearing h;

	ret->application = APP_NONE;
	ret->level = LEVEL_NONE;
	ret->settled = false;
	ret->name_n = 0;
	for (size_t i = 0; i < n; i++) {
		uint32_t bit = 1u << table[i].application;
		if ((*live & bit) == 0)
			continue;
		hear(&h, t, &table[i]);
		if (!h.o.alive)
			*live &= ~bit;
		else
			take(ret, &at_port, &h);
	}
	if (*live == 0)
		ret->settled = true;
	else if (ret->level == LEVEL_NONE && heard(t) >= ENOUGH_FOR_ONE)
		ret->application = left_alone(*live);
}

/* -- The first byte ----------------------------------------------------------------------------------------- */

/* Which verifiers go on after this byte as the first of the flow; filled on first use, the same for all inspectors. */
static uint32_t first_byte[2][256];
static bool first_byte_known;

static void learn_first_bytes(void)
{
	struct identity nobody;

	for (unsigned from = 0; from < 2; from++) {
		for (unsigned b = 0; b < 256; b++) {
			uint8_t byte = (uint8_t)b;
			struct transcript t = {.p = {&byte, &byte}, .turns = 1};
			t.turn[0] = 1u | (from != 0 ? TRANSCRIPT_SERVER : 0);
			uint32_t live = identify_all(false);
			identify(&t, &live, &nobody);
			first_byte[from][b] = live;
		}
	}
	first_byte_known = true;
}

/* -- A flow -------------------------------------------------------------------------------------------------- */

void identify_init(struct identify *i, bool datagrams, uint16_t server_port)
{
	if (!first_byte_known)
		learn_first_bytes();
	*i = (struct identify){.live = identify_all(datagrams), .datagrams = datagrams, .server_port = server_port};
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

/* A stream's turn goes on while the same side speaks; a datagram is a turn. */
static bool note_turn(struct identify *i, unsigned from, uint32_t n)
{
	uint32_t who = from != 0 ? TRANSCRIPT_SERVER : 0;

	if (!i->datagrams && i->turns > 0 && (i->turn[i->turns - 1] & TRANSCRIPT_SERVER) == who) {
		i->turn[i->turns - 1] += n;
		return true;
	}
	if (i->turns == IDENTIFY_TURNS)
		return false;
	i->turn[i->turns++] = n | who;
	return true;
}

/* A flow that begins with this packet, heard where it lies; only one that stays in question is copied. */
bool identify_hear(struct identify *i, struct pool *pool, unsigned from, const uint8_t *p, uint32_t n, bool ended,
	struct identity *ret)
{
	bool first = i->turns == 0;

	ret->application = APP_NONE; /* and no word of the name, which is long: this is done for each packet */
	ret->level = LEVEL_NONE;
	ret->name_n = 0;
	if (first && !i->datagrams && n > 0)
		i->live &= first_byte[from][p[0]];
	ret->settled = i->live == 0;
	if (ret->settled)
		return true;
	if (ended)
		i->ended[from] = true;
	uint32_t take_n = n < JUDGE_BYTES - i->n[from] ? n : JUDGE_BYTES - i->n[from];
	if (n > 0 && (take_n == 0 || !note_turn(i, from, take_n)))
		return true;
	if (take_n > 0 && !first && !append(i, pool, from, p, take_n))
		return true;
	struct transcript t = {.p = {i->p[0], i->p[1]}, .turns = i->turns, .ended = {i->ended[0], i->ended[1]},
		.datagrams = i->datagrams, .server_port = i->server_port};
	memcpy(t.turn, i->turn, sizeof(t.turn));
	if (first)
		t.p[from] = p;
	identify(&t, &i->live, ret);
	if (ret->settled)
		return true;
	return take_n > 0 && first && !append(i, pool, from, p, take_n);
}

/* -- The beginnings of a flow, without their order ------------------------------------------------------------- */

enum application judge_identify(const struct verify_side side[2], bool datagram, uint16_t server_port,
	enum inspect_level *ret_level)
{
	struct identity best = {0}, now;

	/* Who spoke first is not known. */
	for (unsigned first = 0; first < 2 && best.level != LEVEL_RELATES; first++) {
		struct transcript t = {.p = {side[0].p, side[1].p}, .ended = {side[0].ended, side[1].ended},
			.datagrams = datagram, .server_port = server_port};
		for (unsigned k = 0; k < 2; k++) {
			unsigned from = first ^ k;
			if (side[from].n > 0)
				t.turn[t.turns++] = side[from].n | (from != 0 ? TRANSCRIPT_SERVER : 0);
		}
		uint32_t live = identify_all(datagram);
		identify(&t, &live, &now);
		if (now.level > best.level || best.application == APP_NONE)
			best = now;
	}
	*ret_level = best.level;
	return best.application;
}
