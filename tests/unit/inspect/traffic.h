/*
 * traffic.h: frames for tests: conversations as two hosts would put them on a wire, whole and changed.
 *
 * A traffic is a list of frames with times. talk_*() append what a side does next, with right numbers and checksums; the
 * functions below change lists as a network may (order, repetition, tags, fragments) or as nobody may.
 */
#ifndef SEKISHO_TEST_TRAFFIC_H
#define SEKISHO_TEST_TRAFFIC_H

#include <sekisho/inspect.h>

struct frame {
	int64_t at;
	uint32_t n, wire;
	uint8_t *bytes; /* Ethernet */
};

struct traffic {
	struct frame *v;
	size_t n, max;
	int64_t now, gap; /* nanoseconds; gap: added before each frame */
};

void traffic_init(struct traffic *t);
void traffic_free(struct traffic *t);
struct frame *traffic_add(struct traffic *t, const uint8_t *bytes, uint32_t n);

/* One segment, all to be said. */
struct segment {
	bool ipv6;
	struct addr src, dst;
	uint16_t sport, dport;
	uint32_t seq, ack;
	uint8_t flags;
	uint16_t window;
	int wscale;    /* -1: none */
	bool has_ts, md5;
	uint32_t ts_val, ts_ecr;
	uint8_t ttl;
	uint16_t urgent;
	bool bad_checksum;
};
void traffic_segment(struct traffic *t, const struct segment *s, const void *payload, size_t n);
void traffic_datagram(struct traffic *t, const struct addr *src, const struct addr *dst, uint16_t sport, uint16_t dport,
	const void *payload, size_t n);

/* A connection: who speaks next, 'c' or 's'. */
struct talk {
	struct traffic *t;
	struct addr end[2];
	uint16_t port[2];
	uint32_t seq[2]; /* next of each side */
	uint16_t window[2];
	int wscale[2];
	bool ts;
	uint32_t clock;
	size_t mss;
	bool quiet; /* no acknowledgements of their own behind each message */
};
/* From 10.1.0.5 (client_port) to 10.2.0.8. */
void talk_init(struct talk *k, struct traffic *t, uint16_t client_port, uint16_t server_port);
void talk_open(struct talk *k); /* the three steps */
void talk_say(struct talk *k, char who, const void *p, size_t n);
void talk_ack(struct talk *k, char who);
void talk_close(struct talk *k, char who); /* FIN, and the other's ACK */
/* A segment of `who`, as it would be next; to be changed and given to traffic_segment(). */
struct segment talk_segment(const struct talk *k, char who);

/* -- Changes that keep the meaning -- */
void traffic_vlan(struct traffic *to, const struct traffic *from, unsigned tags);
/* Each third frame with payload is seen twice. */
void traffic_duplicate(struct traffic *to, const struct traffic *from);
/* Neighbouring frames with payload of one direction change places, none by more than three. */
void traffic_reorder(struct traffic *to, const struct traffic *from, uint32_t seed);
/* IPv4 fragments of at most `size` bytes (a multiple of 8). */
void traffic_fragment(struct traffic *to, const struct traffic *from, size_t size);

#endif
