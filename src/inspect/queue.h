/*
 * queue.h: what the kernel says of one packet that waits for a verdict.
 */
#ifndef INSPECT_QUEUE_H
#define INSPECT_QUEUE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct queue_packet {
	uint32_t id;	 /* the verdict names it */
	uint32_t mark;	 /* of the packet: QUEUED_* of ruleset.h */
	uint32_t in, out; /* kernel's interface indexes, 0 = none */
	bool checksum_open; /* the checksum is made by the card, or was checked by it */
	const uint8_t *bytes; /* from the IP header on; in the datagram. NULL: none came along */
	size_t n, n_wire;     /* that are here; that the packet has */
};

struct queue_counts {
	uint64_t packets;
	uint64_t malformed; /* messages that break netlink's framing, or name no packet */
};

typedef void queue_fn(void *arg, const struct queue_packet *p);

/*
 * Decodes one datagram of a queue's socket and calls fn for each packet in it. A message that names a packet and is broken
 * behind that is a packet without bytes: it waits for its verdict all the same. Adds to *counts.
 */
void queue_decode(const void *p, size_t n, queue_fn *fn, void *arg, struct queue_counts *counts);

#endif
