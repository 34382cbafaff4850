/*
 * judge.h: one flow before its verifier: keeps the bytes that are not used yet, calls, hands over, counts what it takes.
 *
 * Knows no packets: the stream (or the table, for datagrams) brings bytes in order. Memory for the bytes comes from a
 * pool and goes back when the flow is decided.
 */
#ifndef SEKISHO_INSPECT_JUDGE_H
#define SEKISHO_INSPECT_JUDGE_H

#include "pool.h"
#include "verify.h"

/* An undecided flow may bring so many bytes a direction, and a decided one so many that belong to one message. */
#define JUDGE_BYTES 16384u

struct judge_side {
	uint8_t *p;	   /* of the pool; NULL = none yet */
	uint32_t n, cap;
	uint64_t offset;   /* bytes of the stream before p */
	uint64_t required; /* the peer must have acknowledged this much of the stream before the flow is passed */
	bool ended;
};

struct judge {
	const struct verifier *verifier;
	const struct verify_policy *policy;
	struct judge_side side[2];
	enum verify_status status;
	enum inspect_level level;
	enum inspect_why why;
	bool content; /* as the verifier said last */
	_Alignas(8) uint8_t state[VERIFY_STATE_BYTES];
};

/* What surrounds a call; the same for all calls of a flow but `now`. */
struct judge_context {
	struct pool *pool;
	struct rates *rates; /* NULL is allowed */
	const struct addr *client, *server;
	uint16_t server_port;
	int64_t now;
	/* out: what the verifier learned in this call */
	char name[VERIFY_NAME_MAX];
	uint32_t name_n;
	bool has_pinhole;
	struct inspect_pinhole pinhole;
};

/* verifier NULL is allowed: refused with WHY_NO_POLICY at the first byte. */
void judge_init(struct judge *j, const struct verifier *verifier, const struct verify_policy *policy);

/* n bytes of the stream, in order; ended: the side closed behind them. The status that it returns stays once it is final. */
enum verify_status judge_stream(struct judge *j, struct judge_context *x, unsigned from, const uint8_t *p, size_t n,
	bool ended);

/* One datagram. A refused one refuses the flow; with VERIFY_DROP it alone must not go (j->why), and j->status stays. */
enum verify_status judge_datagram(struct judge *j, struct judge_context *x, unsigned from, const uint8_t *p, size_t n);

/* Gives the memory back; the decision stays. */
void judge_release(struct judge *j, struct pool *pool);

/*
 * What the beginning of a flow is, when no rule says what it should be or it is not what the rule says: the application
 * whose verifier came furthest, APP_NONE when all contradict. The policy is the widest.
 */
enum application judge_identify(const struct verify_side side[2], bool datagram, uint16_t server_port,
	enum inspect_level *ret_level);

#endif
