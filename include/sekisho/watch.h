/*
 * watch.h: what people look at while the gate runs: rows that sekishod hands out in memfds, of fixed form.
 *
 * Written by sekishod, read by the command, which trusts sizes only as far as the descriptor is long.
 */
#ifndef SEKISHO_WATCH_H
#define SEKISHO_WATCH_H

#include <stdint.h>

/* Rows of one answer: as many as a full table of connections has, and no more than 30 MB. */
#define WATCH_FLOWS_MAX 262144u

/* One connection of the kernel's table, as who began it sees it. */
struct flow_row {
	uint8_t src[16], dst[16]; /* as in struct addr */
	uint16_t sport, dport;	  /* ICMP: dport = type << 8 | code */
	uint8_t family, proto;
	uint8_t tcp_state; /* enum tcp_conntrack of the kernel, of TCP */
	uint8_t pad;
	uint32_t mark;	   /* of the connection: ruleset.h */
	uint32_t status;   /* IPS_* of the kernel */
	uint32_t timeout;  /* seconds until the kernel forgets it */
	uint32_t pad2;
	uint64_t packets[2], bytes[2]; /* there, back; 0 where the kernel does not count */
	int64_t start_ns;	       /* wall; 0: the kernel does not tell */
};

#endif
