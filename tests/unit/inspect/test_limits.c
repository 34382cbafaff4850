/*
 * test_limits.c: floods. Memory stays what it was made with, who is verified stays so, and who is not yet can still be.
 *
 * Packets are made as structs, so that millions of them are a matter of a second.
 */
#include <limits.h>
#include <stdio.h>

#include "gate.h"
#include "test.h"
#include "toy.h"

#ifdef __SANITIZE_ADDRESS__
#define SYNS 1000000u
#define HALVES 100000u
#else
#define SYNS 10000000u
#define HALVES 1000000u
#endif
#define FLOWS 65536u
#define FRIENDS 500u /* connections that are open before the flood */
#define SECOND INT64_C(1000000000)

static const struct verify_policy accepts = {.application = TOY_ACCEPTS}, datagrams = {.application = TOY_DATAGRAMS};

struct peer {
	uint32_t address;
	uint16_t port;
};

static int64_t now;

static struct inspect_verdict send_packet(struct gate *g, struct peer who, unsigned from, uint8_t flags, uint32_t seq,
	uint32_t ack, const char *payload)
{
	struct packet p = {.at = now, .kind = PACKET_TCP, .l4 = 6, .flags = flags, .seq = seq, .ack = ack, .window = 60000,
		.wscale = 0xff, .payload = (const uint8_t *)payload};
	struct addr client = {4, {10, (uint8_t)(who.address >> 16), (uint8_t)(who.address >> 8), (uint8_t)who.address}};
	struct addr server = {4, {172, 16, 0, 1}};

	p.n = p.n_wire = (uint32_t)strlen(payload);
	p.src = from == 0 ? client : server;
	p.dst = from == 0 ? server : client;
	p.sport = from == 0 ? who.port : 22;
	p.dport = from == 0 ? 22 : who.port;
	return inspector_packet(g->in, &p);
}

static void open_connection(struct gate *g, struct peer who)
{
	send_packet(g, who, 0, PACKET_SYN, 99, 0, "");
	send_packet(g, who, 1, PACKET_SYN | PACKET_ACK, 499, 100, "");
	send_packet(g, who, 0, PACKET_ACK, 100, 500, "");
}

static bool verify_connection(struct gate *g, struct peer who)
{
	send_packet(g, who, 0, PACKET_ACK, 100, 500, "Q\003abc");
	send_packet(g, who, 1, PACKET_ACK, 500, 105, "A\003abc");
	return send_packet(g, who, 0, PACKET_ACK, 105, 505, "").code == INSPECT_PASS;
}

static struct peer friend_of(uint32_t i)
{
	return (struct peer){0xff0000 + i, (uint16_t)(2000 + i)};
}

static void open_gate(struct gate *g, const struct verify_policy *policy)
{
	struct inspect_options o = {.flows = FLOWS, .secret = "floods", .keep_passed = true};

	gate_open_with(g, policy, &o, false);
	now = 100 * SECOND;
}

/* The first half of the friends is verified before the flood, the other half is open and has not spoken. */
static void friends_come(struct gate *g)
{
	for (uint32_t i = 0; i < FRIENDS; i++) {
		open_connection(g, friend_of(i));
		if (i < FRIENDS / 2)
			CHECK(verify_connection(g, friend_of(i)));
	}
}

static void friends_are_well(struct gate *g)
{
	uint32_t well = 0;

	for (uint32_t i = 0; i < FRIENDS; i++)
		well += i >= FRIENDS / 2 ? verify_connection(g, friend_of(i))
					 : send_packet(g, friend_of(i), 0, PACKET_ACK, 105, 505, "on").code == INSPECT_PASS;
	CHECK_INT(well, FRIENDS);
}

static void memory_is_bounded(const struct gate *g)
{
	const struct inspect_counters *c = inspector_counters(g->in);

	CHECK(c->flows_now <= FLOWS);
	CHECK(c->unanswered_now <= FLOWS / 4);
	CHECK(c->prefix_bytes_max <= 4u << 20);
}

/* The most that was ever resident, in KiB; not of getrusage(), which remembers the program that started this one. */
static long resident(void)
{
	FILE *f = fopen("/proc/self/status", "r");
	char line[256];
	long kib = LONG_MAX;

	while (f != NULL && fgets(line, sizeof(line), f) != NULL)
		if (sscanf(line, "VmHWM: %ld", &kib) == 1)
			break;
	if (f != NULL)
		fclose(f);
	return kib;
}

static void syn_flood(void)
{
	struct gate g;
	uint32_t x = 1;

	open_gate(&g, &accepts);
	friends_come(&g);
	for (uint32_t i = 0; i < SYNS; i++) {
		x = x * 1664525 + 1013904223;
		now += 1000; /* a million a second */
		send_packet(&g, (struct peer){x >> 9, (uint16_t)(1 + (x & 0x3fff))}, 0, PACKET_SYN, x, 0, "");
		if (i % 100000 == 0)
			memory_is_bounded(&g);
	}
	memory_is_bounded(&g);
	CHECK(inspector_counters(g.in)->evicted > SYNS / 2);
	friends_are_well(&g);
	/* A newcomer, too: nobody waits longer for the answer than the flood takes to go round. */
	open_connection(&g, (struct peer){0xabcdef, 1234});
	CHECK(verify_connection(&g, (struct peer){0xabcdef, 1234}));
	for (int i = 0; i < 32; i++)
		inspector_tick(g.in, now + 6 * SECOND);
	CHECK_INT(inspector_counters(g.in)->unanswered_now, 0);
	gate_close(&g);
}

/* One host asks and asks: it gets its share, and no other host is any worse off. */
static void one_host(void)
{
	struct gate g;

	open_gate(&g, &accepts);
	friends_come(&g);
	for (uint32_t i = 0; i < 60000; i++) {
		now += 1000;
		send_packet(&g, (struct peer){5, (uint16_t)(1 + i)}, 0, PACKET_SYN, i, 0, "");
	}
	CHECK_INT(inspector_counters(g.in)->unanswered_now, FLOWS / 4 / 8);
	CHECK(inspector_counters(g.in)->why[WHY_UNANSWERED] >= 50000);
	CHECK_INT(inspector_counters(g.in)->evicted, 0);
	friends_are_well(&g);
	gate_close(&g);
}

/* Connections that are answered and then say half of a message. */
static void half_connections(void)
{
	struct gate g;
	uint32_t full = 0;

	open_gate(&g, &accepts);
	friends_come(&g);
	for (uint32_t i = 0; i < HALVES; i++) {
		struct peer who = {i, (uint16_t)(1 + i % 60000)};
		now += 10000;
		open_connection(&g, who);
		full += send_packet(&g, who, 0, PACKET_ACK, 100, 500, "Q\003a").code == INSPECT_DROP;
		if (i % 100000 == 0)
			memory_is_bounded(&g);
	}
	memory_is_bounded(&g);
	CHECK(full > 0);
	CHECK(inspector_counters(g.in)->prefix_bytes_max > 3u << 20);
	/* Who was verified before sees nothing of it. */
	for (uint32_t i = 0; i < FRIENDS / 2; i++)
		CHECK_INT(send_packet(&g, friend_of(i), 0, PACKET_ACK, 105, 505, "on").code, INSPECT_PASS);
	/* And when their time is over, there is room again. */
	now += 16 * SECOND;
	inspector_tick(g.in, now);
	CHECK_INT(inspector_counters(g.in)->undecided_now, 0);
	for (uint32_t i = FRIENDS / 2; i < FRIENDS; i++)
		CHECK(verify_connection(&g, friend_of(i)));
	gate_close(&g);
}

/* Connections that end before they are passed, by a reset or by both ends, hold nothing: far more of them than memory. */
static void short_connections(void)
{
	struct inspect_options line = {.flows = FLOWS, .secret = "0123456789abcde"};
	struct gate g;

	gate_open_with(&g, &accepts, &line, false);
	for (uint32_t i = 0; i < 50000; i++) {
		struct peer who = {i, (uint16_t)(1 + i % 60000)};
		now += 10000;
		open_connection(&g, who);
		CHECK_INT(send_packet(&g, who, 0, PACKET_ACK, 100, 500, "Q\003a").code, INSPECT_FORWARD);
		if (i % 2 == 0) {
			CHECK_INT(send_packet(&g, who, 0, PACKET_RST | PACKET_ACK, 103, 500, "").code, INSPECT_FORWARD);
		} else {
			send_packet(&g, who, 0, PACKET_FIN | PACKET_ACK, 103, 500, "");
			send_packet(&g, who, 1, PACKET_FIN | PACKET_ACK, 500, 104, "");
		}
		CHECK_INT(send_packet(&g, who, 0, PACKET_ACK, 103, 500, "late").code == INSPECT_PASS, false);
	}
	CHECK(inspector_counters(g.in)->prefix_bytes_max < 1u << 16);
	gate_close(&g);
}

/* Datagrams of made-up senders take memory for what they ask; connections that are being verified take it back. */
static void datagram_flood(void)
{
	struct gate g;
	uint32_t x = 1;

	open_gate(&g, &accepts);
	friends_come(&g);
	g.policy = &datagrams;
	for (uint32_t i = 0; i < HALVES; i++) {
		struct packet p = {.at = now += 1000, .kind = PACKET_UDP, .l4 = 17,
			.payload = (const uint8_t *)"Q\001a", .n = 3, .n_wire = 3,
			.sport = (uint16_t)(1 + (x & 0x3fff)), .dport = 53, .dst = {4, {172, 16, 0, 1}}};
		x = x * 1664525 + 1013904223;
		p.src = (struct addr){4, {10, (uint8_t)(x >> 24), (uint8_t)(x >> 16), (uint8_t)(x >> 8)}};
		CHECK_INT(inspector_packet(g.in, &p).code, INSPECT_FORWARD);
	}
	memory_is_bounded(&g);
	CHECK(inspector_counters(g.in)->prefix_bytes_max < 5u << 19); /* half, and a little for the friends */
	g.policy = &accepts;
	friends_are_well(&g);
	gate_close(&g);
}

int main(void)
{
	syn_flood();
	long before = resident();
	one_host();
	half_connections();
	datagram_flood();
	short_connections();
#ifdef __SANITIZE_ADDRESS__
	(void)before; /* what was freed is kept for a while there */
#else
	/* 64 K flows of 128 bytes, buckets, ring and 4 MiB of beginnings: not more, however much came. */
	CHECK(resident() - before < 24 * 1024);
	CHECK(resident() < 32 * 1024);
#endif
	return test_end();
}
