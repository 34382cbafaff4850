/*
 * flow.h: the table of flows: fixed memory, a keyed hash, 128 bytes a flow.
 *
 * The table knows addresses, ages and who waits for an answer; what a flow is, the others know. Nothing is allocated
 * after flow_table_new(). Times are milliseconds that may wrap: only differences count.
 */
#ifndef SEKISHO_INSPECT_FLOW_H
#define SEKISHO_INSPECT_FLOW_H

#include <sekisho/inspect.h>

/* A connection without an answer may hold a quarter of the table (1 / FLOW_UNANSWERED_SHARE), one source an eighth of that. */
#define FLOW_UNANSWERED_SHARE 4u
#define FLOW_SOURCE_SHARE 8u
#define FLOW_SOURCE_MIN 64u

/* The same for both directions: the lower end first. */
struct flow_key {
	uint64_t w[5]; /* low address (2), high address (2), zone << 32 | low port << 16 | high port */
	uint8_t l4;    /* IPPROTO_TCP, IPPROTO_UDP; | FLOW_KEY_IPV6 */
};
#define FLOW_KEY_IPV6 0x80u

enum flow_state {
	FLOW_FREE = 0,
	FLOW_SYN,     /* TCP: the client asked */
	FLOW_SYN_ACK, /* the server answered */
	FLOW_OPEN,    /* TCP: three steps seen. UDP: from the first datagram */
	FLOW_CLOSED,  /* reset, or both sides have closed */
};

enum flow_holds { /* what `held` points to */
	FLOW_HOLDS_NOTHING = 0,
	FLOW_HOLDS_POLICY,
	FLOW_HOLDS_WATCH,
	FLOW_HOLDS_NAME,
};

/* One direction: of the bytes that this side sends. */
struct flow_side {
	uint32_t next;	/* the first byte that has not come yet, in order */
	uint32_t acked; /* the other side has acknowledged up to here */
	uint32_t edge;	/* and allows up to here */
	uint32_t ts;	/* newest timestamp in order (RFC 7323: TS.Recent) */
	uint32_t packets;
	uint32_t bytes; /* low 32 bits */
};

struct flow {
	uint64_t w[5]; /* as in flow_key */
	uint8_t l4;
	uint8_t state;
	uint8_t flags; /* FLOW_* below */
	uint8_t code : 3, level : 2, holds : 2, unanswered : 1;
	uint8_t why, seen, application;
	uint8_t life; /* counts the flows that lived in this place */
	void *held;
	uint32_t tag;
	uint32_t last; /* milliseconds */
	int64_t first; /* nanoseconds */
	struct flow_side side[2]; /* client, server */
	uint16_t bytes_high[2];
	uint8_t payload_packets[2]; /* 255 = as many or more */
	uint8_t scale;		    /* of windows: client's in the low half, server's in the high one */
	uint8_t spare;
};
_Static_assert(sizeof(struct flow) == 128, "a flow is two lines of cache");

#define FLOW_CLIENT_HIGH 0x01u /* the client is the high end of the key */
#define FLOW_TIMESTAMPS 0x02u  /* both sides use them */
#define FLOW_SCALED 0x04u
#define FLOW_FIN 0x08u	       /* << side: this side has closed */
#define FLOW_KNOWN 0x20u       /* << side: side[].next is known */
#define FLOW_POLICY_GONE 0x80u /* refuse with the next packet */

struct flow_table;

struct flow_table *flow_table_new(uint32_t flows, const uint8_t secret[16]); /* NULL without memory */
void flow_table_free(struct flow_table *t);

/* The key of a packet; true when its source is the high end. */
bool flow_key_of(struct flow_key *ret, const struct packet *p);
uint64_t flow_hash(const struct flow_table *t, const struct flow_key *k);
/* An end of a flow: 0 client, 1 server. */
void flow_end(const struct flow *f, unsigned side, struct addr *ret_addr, uint16_t *ret_port);
/* The side that a packet with this key comes from. */
static inline unsigned flow_side_of(const struct flow *f, bool from_high)
{
	return from_high != ((f->flags & FLOW_CLIENT_HIGH) != 0);
}

struct flow *flow_find(struct flow_table *t, const struct flow_key *k, uint64_t hash); /* NULL: none */
/*
 * Looking ahead, in three steps with other work between them: the bucket, the flow that is probably meant, what it holds.
 * Hints to the processor: nothing is changed, and a wrong guess costs time only.
 */
void flow_fetch_bucket(const struct flow_table *t, uint64_t hash);
struct flow *flow_fetch(struct flow_table *t, uint64_t hash); /* NULL: probably none */
/* Is this place, whatever has become of it since, the flow with the key? */
static inline bool flow_is(const struct flow *f, const struct flow_key *k)
{
	return f->w[4] == k->w[4] && f->w[0] == k->w[0] && f->w[2] == k->w[2] && f->w[1] == k->w[1] &&
	       f->w[3] == k->w[3] && f->l4 == k->l4; /* l4 of a free place is 0, which no key has */
}
/* A new flow, all zero but key and life; NULL when there is no room. The key must not be in the table. */
struct flow *flow_add(struct flow_table *t, const struct flow_key *k, uint64_t hash);
void flow_remove(struct flow_table *t, struct flow *f);

/*
 * A flow that waits for its answer: counted for its source (of `client`), and first to go. False: this source has too
 * many of them (the flow is then not counted as waiting).
 */
bool flow_wait(struct flow_table *t, struct flow *f, bool limited);
void flow_answered(struct flow_table *t, struct flow *f); /* nothing to do when it does not wait */
bool flow_waiting_full(struct flow_table *t);
struct flow *flow_oldest_waiting(struct flow_table *t); /* NULL: none waits */

/* Walking: places 0 .. flow_places()-1; a place whose state is FLOW_FREE holds no flow. */
struct flow *flow_at(struct flow_table *t, uint32_t place);
uint32_t flow_places(const struct flow_table *t);
uint32_t flow_count(const struct flow_table *t);
uint32_t flow_waiting(const struct flow_table *t);

#endif
