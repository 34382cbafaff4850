/*
 * inspector.h: what inspector.c (the life of flows) and watch.c (their inspection) share.
 */
#ifndef SEKISHO_INSPECT_INSPECTOR_H
#define SEKISHO_INSPECT_INSPECTOR_H

#include "flow.h"
#include "fragment.h"
#include "identify.h"
#include "judge.h"
#include "rate.h"
#include "stream.h"

/* Bytes of the beginning of each side that are kept to say what a refused flow rather is. */
#define WATCH_BEGINNING 64u

/* A flow under inspection: behind flow.held, in a block of the pool. Over UDP this is all. */
struct watch {
	union {
		struct judge judge;
		struct identify identify; /* without a policy hook */
	};
	struct watch *older, *newer; /* undecided streams, in the order of their first byte of payload */
	struct flow *flow;
	int64_t begun; /* when that was */
	char *name;    /* of the server; a block of the pool, NULL = not seen */
	bool listed;	/* is in that list */
	bool waits;	/* counted in inspector.waiting_watches */
	bool announced; /* the decided hook was called */
	bool enough;	/* identification has come to its end */
	bool doubtful;	/* the name is of who has come to no level yet: not to be told */
};
_Static_assert(sizeof(struct watch) <= 256 + 32, "a datagram flow under inspection");

struct watch_tcp {
	struct watch w;
	struct stream stream;
	uint32_t offered[2]; /* bytes of each side that were judged before the decision */
	uint8_t turns[2], speaker; /* 2 = nobody has spoken */
	uint8_t beginning_n[2];
	uint8_t beginning[2][WATCH_BEGINNING];
};
_Static_assert(sizeof(struct watch_tcp) <= 512, "a stream under inspection");

struct inspector {
	struct flow_table *table;
	struct pool *pool;
	struct fragments *fragments;
	struct rates *rates;
	struct inspect_hooks hooks;
	struct inspect_counters counters;
	struct watch *oldest, *newest;
	int64_t now;	 /* the latest time that was seen */
	int64_t deadline; /* of the oldest; INT64_MAX without one */
	uint32_t waiting_watches; /* memory of flows that wait for their answer: it gives way */
	uint32_t hand;	 /* where the search for flows that are over goes on */
	bool identify, lenient, keep_passed;
	uint64_t ports[65536 / 64]; /* where a verifier's application lives: a bit for each port */
};

static inline struct inspect_verdict verdict(enum inspect_code code, enum inspect_why why)
{
	return (struct inspect_verdict){.code = code, .why = why};
}

/* -- inspector.c -- */

/* Counts a packet that is not let through, alone. */
struct inspect_verdict inspector_drop(struct inspector *in, enum inspect_why why);
/* The flow as the hooks see it. */
struct inspect_flow inspector_describe(const struct inspector *in, const struct flow *f);
/* Memory for undecided flows; flows that only wait for an answer give way. NULL: none left. */
void *inspector_memory(struct inspector *in, size_t want, uint32_t *ret_size, const struct flow *not_this);

/* -- watch.c -- */

struct inspect_verdict watch_tcp(struct inspector *in, struct flow *f, unsigned from, const struct packet *p);
struct inspect_verdict watch_udp(struct inspector *in, struct flow *f, unsigned from, const struct packet *p);
/* The flow is refused from now on. `seen` as in inspect_verdict. */
void watch_refuse(struct inspector *in, struct flow *f, enum inspect_why why, enum application seen);
/* Gives back what the flow holds. */
void watch_release(struct inspector *in, struct flow *f);
/* Refuses the streams whose time is over. */
void watch_slow(struct inspector *in);

static inline struct watch *watch_of(const struct flow *f)
{
	return f->holds == FLOW_HOLDS_WATCH ? f->held : NULL;
}

#endif
