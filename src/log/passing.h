/*
 * passing.h: the socket of the kernel's events of connections, counted for a second at most.
 *
 * The main thread reads (passing_read), the recorder's takes out what was counted (passing_take); a lock, held for one bounded
 * batch, is between them. Fixed memory: when a second brings more different connections than there are places, the rest is
 * counted together, and never at the cost of anything that was refused: its memory, its socket and its turns are its own.
 */
#ifndef LOG_PASSING_H
#define LOG_PASSING_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "ctevent.h"

/* Different connections (without the source port) that one take can tell apart: a town has some hundred a second. */
#define PASSING_MAX 4096

struct passing;

/* Connections with the same ends, protocol and destination port. */
struct passed {
	uint8_t src[16], dst[16];
	uint8_t family, proto; /* family 0: all that found no place */
	uint16_t dport;
	uint32_t mark; /* of the first */
	uint64_t connections;
	uint64_t packets[2], bytes[2];
	int64_t first_ns, last_ns;
};

/* What went wrong on the way, since the start. */
struct passing_troubles {
	uint64_t lost;	    /* events that the kernel could not deliver */
	uint64_t malformed; /* messages that could not be read */
};

/* fd: non-blocking; stays the caller's. NULL without memory. */
struct passing *passing_new(int fd);
void passing_free(struct passing *p); /* NULL is allowed */

/* Reads one bounded batch. True when it was full: there may be more. */
bool passing_read(struct passing *p);

/* Counts one event; for tests and passing_read(). */
void passing_add(struct passing *p, const struct ct_event *e, int64_t now_ns);

/* Hands over what was counted: up to PASSING_MAX + 1 rows into ret; returns how many. The places are free again. */
size_t passing_take(struct passing *p, struct passed *ret);

void passing_troubles(struct passing *p, struct passing_troubles *ret);

#endif
