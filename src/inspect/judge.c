/*
 * judge.c: bytes in order to a verifier, and what it says back.
 *
 * Input: bytes of the network, whose order the stream has put right. Bounds: JUDGE_BYTES a direction that are not used yet.
 * A verifier that says more than it may (uses bytes that are not there) would be a defect of ours: asserted.
 */
#include "judge.h"

#include <assert.h>
#include <string.h>

void judge_init(struct judge *j, const struct verifier *verifier, const struct verify_policy *policy)
{
	*j = (struct judge){.verifier = verifier, .policy = policy, .status = VERIFY_MORE};
}

void judge_release(struct judge *j, struct pool *pool)
{
	for (int i = 0; i < 2; i++) {
		struct judge_side *s = &j->side[i];
		pool_put(pool, s->p, s->cap);
		s->offset += s->n;
		s->p = NULL;
		s->n = s->cap = 0;
	}
}

static enum verify_status refuse(struct judge *j, enum inspect_why why)
{
	j->why = why;
	return j->status = VERIFY_REFUSE;
}

static bool is_final(enum verify_status s)
{
	return s == VERIFY_ACCEPT || s == VERIFY_REFUSE;
}

/* Room for n more bytes: a block of the next size when the present one is full. */
static enum inspect_why make_room(struct judge_side *s, struct pool *pool, size_t n)
{
	uint32_t cap;

	if (n > JUDGE_BYTES || s->n + n > JUDGE_BYTES)
		return WHY_MANY_BYTES;
	if (s->n + n <= s->cap)
		return WHY_NONE;
	uint8_t *p = pool_get(pool, s->n + n, &cap);
	if (p == NULL)
		return WHY_FULL;
	if (s->n > 0)
		memcpy(p, s->p, s->n);
	pool_put(pool, s->p, s->cap);
	s->p = p;
	s->cap = cap;
	return WHY_NONE;
}

static struct verify question(struct judge *j, const struct judge_context *x, unsigned from)
{
	return (struct verify){
		.policy = j->policy,
		.from = (uint8_t)from,
		.client = x->client,
		.server = x->server,
		.server_port = x->server_port,
		.now = x->now,
		.rates = x->rates,
		.state = j->state,
		.level = j->level,
	};
}

static void learn(struct judge_context *x, const struct verify *v)
{
	if (v->name_n > 0) {
		memcpy(x->name, v->name, v->name_n);
		x->name_n = v->name_n;
	}
	if (v->has_pinhole) {
		x->pinhole = v->pinhole;
		x->has_pinhole = true;
	}
}

static void use(struct judge_side *s, uint32_t used)
{
	assert(used <= s->n);
	if (used == 0)
		return;
	s->n -= used;
	s->offset += used;
	memmove(s->p, s->p + used, s->n);
}

static enum verify_status ask(struct judge *j, struct judge_context *x, unsigned from)
{
	struct verify v = question(j, x, from);

	for (int i = 0; i < 2; i++)
		v.side[i] = (struct verify_side){j->side[i].p, j->side[i].n, 0, j->side[i].ended};
	j->status = j->verifier->stream(&v);
	j->level = v.level;
	j->why = v.why;
	j->content = v.content && j->status == VERIFY_MORE;
	learn(x, &v);
	for (int i = 0; i < 2; i++) {
		use(&j->side[i], v.side[i].used);
		if (j->status == VERIFY_ACCEPT)
			j->side[i].required = j->side[i].offset;
	}
	if (j->status == VERIFY_HANDOVER) {
		j->verifier = verifier_of(v.next);
		memset(j->state, 0, sizeof(j->state));
		j->level = LEVEL_NONE;
		if (j->verifier == NULL || j->verifier->stream == NULL)
			refuse(j, WHY_STARTTLS);
	}
	return j->status;
}

/* What each call uses up must be progress, so a verifier that decided is asked again while it uses bytes that are there. */
static enum verify_status ask_on(struct judge *j, struct judge_context *x, unsigned from)
{
	uint64_t before;

	do {
		before = j->side[0].offset + j->side[1].offset;
		ask(j, x, from);
	} while (j->status == VERIFY_HANDOVER ||
		 (!is_final(j->status) && j->side[0].n + j->side[1].n > 0 && j->side[0].offset + j->side[1].offset > before));
	return j->status;
}

enum verify_status judge_stream(struct judge *j, struct judge_context *x, unsigned from, const uint8_t *p, size_t n,
	bool ended)
{
	struct judge_side *s = &j->side[from];

	if (is_final(j->status))
		return j->status;
	if (j->verifier == NULL || j->verifier->stream == NULL)
		return refuse(j, WHY_NO_POLICY);
	s->ended = ended;
	while (n > 0 || ended) {
		/* A large segment goes in by pieces, so that what a decided flow uses up makes room for the rest. */
		size_t piece = n < JUDGE_BYTES - s->n ? n : JUDGE_BYTES - s->n;
		if (n > 0 && piece == 0)
			return refuse(j, WHY_MANY_BYTES);
		enum inspect_why why = make_room(s, x->pool, piece);
		if (why != WHY_NONE)
			return refuse(j, why);
		if (piece > 0)
			memcpy(s->p + s->n, p, piece);
		s->n += (uint32_t)piece;
		p += piece;
		n -= piece;
		ask_on(j, x, from);
		if (is_final(j->status) || n == 0)
			break;
	}
	return j->status;
}

enum verify_status judge_datagram(struct judge *j, struct judge_context *x, unsigned from, const uint8_t *p, size_t n)
{
	if (j->status == VERIFY_REFUSE)
		return j->status;
	if (j->verifier == NULL || j->verifier->datagram == NULL)
		return refuse(j, WHY_NO_POLICY);
	struct verify v = question(j, x, from);
	v.side[from] = (struct verify_side){p, (uint32_t)n, 0, true};
	enum verify_status status = j->verifier->datagram(&v);
	j->level = v.level;
	j->why = v.why;
	learn(x, &v);
	return status == VERIFY_DROP ? VERIFY_DROP : (j->status = status);
}
