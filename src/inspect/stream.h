/*
 * stream.h: TCP as both ends must understand it: which segments fit, and their bytes in order.
 *
 * Two parts. stream_admit() judges a segment by what the table's entry knows (the three steps of the opening, sequence
 * numbers, windows, timestamps) and needs no other memory. stream_data() puts the bytes in order, compares what comes
 * twice, and hands what is new to a sink; its memory is a struct stream and blocks of the pool.
 */
#ifndef SEKISHO_INSPECT_STREAM_H
#define SEKISHO_INSPECT_STREAM_H

#include "flow.h"
#include "pool.h"

/* Out of order, a flow may bring so many bytes before it is decided; bytes that wait for their acknowledgement likewise. */
#define STREAM_HELD_MAX 16384u
/* A decided flow that stays under inspection: what is in flight of one direction. More is dropped and comes again. */
#define STREAM_FLIGHT_MAX 262144u
#define STREAM_FLIGHT_SCARCE 65536u /* the same when memory runs short: one segment of a card */

struct piece;

struct stream {
	struct piece *kept[2], *kept_last[2]; /* in order, seen by the sink, not acknowledged */
	struct piece *held[2];		      /* out of order, rising */
	uint32_t kept_bytes[2], held_bytes;
	uint32_t base[2]; /* sequence number of the first byte */
	uint32_t fin[2];  /* of the end, when it is known */
	bool has_fin[2];
	bool done; /* the sink wants no more */
};

enum stream_sunk {
	STREAM_ON,	/* more */
	STREAM_ENOUGH,	/* decided: the sink need not see what follows */
	STREAM_REFUSED, /* with *ret_why: this segment must not go */
};
/* n new bytes of side `from`, in order; ended: nothing comes behind them. */
typedef enum stream_sunk stream_sink(void *arg, unsigned from, const uint8_t *p, size_t n, bool ended,
	enum inspect_why *ret_why);

struct stream_rules {
	struct pool *pool;
	bool lenient;	/* take what comes: no windows, no timestamps, no acknowledgements */
	bool fast_open; /* data in the SYN is allowed */
	bool compare;	/* keep what is not acknowledged, and refuse other bytes in its place */
	bool decided;	/* and under inspection further: larger bounds */
	stream_sink *sink;
	void *arg;
};

/* The first SYN of a flow (or, lenient, its first packet, whoever sent it). */
void stream_start(struct flow *f, unsigned from, const struct packet *p);

/*
 * Does this segment fit the connection? Changes f->state. FORWARD: yes, and its payload goes to stream_data() when the
 * state is FLOW_OPEN or beyond. SYNs of the client that are no repetition are the caller's (a new connection).
 */
struct inspect_verdict stream_admit(struct flow *f, unsigned from, const struct packet *p, const struct stream_rules *r);

/* Is a segment that stream_admit() passed to be given to stream_data()? */
static inline bool stream_has_data(const struct packet *p)
{
	return p->n_wire > 0 || (p->flags & (PACKET_FIN | PACKET_RST)) == PACKET_FIN;
}

void stream_init(struct stream *s, const struct flow *f);
struct inspect_verdict stream_data(struct flow *f, struct stream *s, unsigned from, const struct packet *p,
	const struct stream_rules *r);
/* Bytes of side `from` that its peer has acknowledged. */
uint32_t stream_acked(const struct flow *f, const struct stream *s, unsigned from);
void stream_release(struct stream *s, struct pool *pool);

#endif
