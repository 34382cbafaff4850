/*
 * ctevent.h: what the kernel says of a connection that ended.
 *
 * One datagram of a ctnetlink socket holds one or more netlink messages; each end of a connection becomes one event.
 */
#ifndef LOG_CTEVENT_H
#define LOG_CTEVENT_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct ct_event {
	uint8_t src[16], dst[16]; /* of who began it; as in struct addr */
	uint8_t family, proto;
	uint16_t sport, dport; /* ICMP: dport = type << 8 | code */
	uint32_t mark;
	uint64_t packets[2], bytes[2]; /* there, back; 0 where the kernel does not count */
	int64_t start_ns, stop_ns;     /* wall; 0: the kernel does not say */
};

struct ct_counts {
	uint64_t events;
	uint64_t malformed; /* messages that break netlink's framing or name no connection */
};

typedef void ct_event_fn(void *arg, const struct ct_event *e);

/* Decodes one datagram and calls fn for each connection that ended. Adds to *counts. */
void ct_event_decode(const void *p, size_t n, ct_event_fn *fn, void *arg, struct ct_counts *counts);

/* Did the policy let this connection pass? Not: the gateway's own (no mark), undecided and refused ones. */
bool ct_event_passed(const struct ct_event *e);

#endif
