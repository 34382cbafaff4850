/*
 * intake.h: the NFLOG sockets and their aggregators.
 *
 * One thread reads (intake_read), another takes out what was counted; a lock per socket, held for one bounded batch,
 * is between them. A disk that hangs stops the taking and never the reading.
 */
#ifndef LOG_INTAKE_H
#define LOG_INTAKE_H

#include "aggregate.h"

struct intake;

/* fds: non-blocking sockets, one per group; they stay the caller's. NULL without memory. */
struct intake *intake_new(const int *fds, unsigned n);
void intake_free(struct intake *in);

/* Reads one bounded batch of socket i. True when the batch was full: there may be more. */
bool intake_read(struct intake *in, unsigned i);

/* The policy generation that new windows belong to. */
void intake_generation(struct intake *in, uint32_t generation);

/* agg_take() of all aggregators. The batch has room for intake_room() items. */
void intake_take(struct intake *in, struct agg_batch *batch, bool close);
size_t intake_room(const struct intake *in);
void intake_forget(struct intake *in);

/* Events counted of each reason since the start. */
void intake_received(struct intake *in, uint64_t ret[REASON_END]);

/* The last dropped packets' beginnings of all sockets, as a capture file (heads.h); how many there are. */
struct buf;
unsigned intake_heads(struct intake *in, struct buf *out);

/* The oldest of the times (clock_mono) at which each socket was last seen empty; looks now. */
int64_t intake_empty_ns(struct intake *in);

/* What went wrong on the way, all sockets together, since the start. */
struct intake_troubles {
	uint64_t gaps;	    /* events missing in the kernel's numbering */
	uint64_t overflows; /* times that the socket said so */
	uint64_t malformed; /* messages that could not be read */
	uint64_t strange;   /* events with a mark that is no reason */
};
void intake_troubles(struct intake *in, struct intake_troubles *ret);

#endif
