/*
 * inspector.c: fuzzing the inspector: frames with times, or segments of one connection that are nearly right.
 *
 * Input: one byte of options (bits 0-1: strict, lenient, without rules, small memory; bit 2: segments), then
 *   frames:   {1 byte time, 1 byte link, 2 bytes length, bytes}
 *   segments: {1 byte who and what, 1 byte flags, 2 bytes place, 1 byte acknowledgement, 1 byte length, bytes}
 * Checked: the bounds of memory and of connections without an answer, that no packet of a refused flow goes, and that
 * nothing is left when all flows are over.
 */
#include <sekisho/inspect.h>
#include <sekisho/reader.h>

#include <stdlib.h>

#define FLOWS 64u
#define POOL (64u << 10)
#define SECOND INT64_C(1000000000)

static const struct verify_policy *policy(void *arg, const struct packet *p, uint32_t *ret_tag)
{
	static struct verify_policy policies[APP_END];
	enum application a = 1 + p->dport % (APP_END - 1);

	(void)arg;
	policies[a].application = a;
	policies[a].options = (p->sport & 1) != 0 ? VERIFY_FAST_OPEN : 0;
	*ret_tag = a;
	return p->dport == 7 ? NULL : &policies[a];
}

static void check(struct inspector *in, const struct packet *p, struct inspect_verdict v)
{
	const struct inspect_counters *c = inspector_counters(in);

	if (c->flows_now > FLOWS || c->unanswered_now > FLOWS / 4 || c->prefix_bytes_max > 8 * POOL)
		abort();
	if (v.code < INSPECT_FORWARD || v.code > INSPECT_DROP || v.why >= WHY_END || v.seen >= APP_END)
		abort();
	if (v.code == INSPECT_REFUSE && p->kind == PACKET_TCP && (p->flags & PACKET_SYN) == 0 &&
		inspector_packet(in, p).code != INSPECT_REFUSE)
		abort();
}

static void frames(struct inspector *in, struct reader *r)
{
	static const int links[] = {1, 101, 113, 276, 0, 108, 12, 239, 228, 229};
	struct packet p = {.at = SECOND};

	while (reader_left(r) > 4) {
		p.at += (int64_t)reader_u8(r) * (SECOND / 50);
		int link = links[reader_u8(r) % 10];
		size_t n = reader_be16(r), have = n < reader_left(r) ? n : reader_left(r);
		/* An allocation of exactly the bytes: a read beyond is seen. */
		uint8_t *frame = malloc(have > 0 ? have : 1);
		if (have > 0)
			memcpy(frame, reader_bytes(r, have), have);
		packet_decode(&p, link, frame, have, n, PACKET_SKIP_CHECKSUM);
		check(in, &p, inspector_packet(in, &p));
		free(frame);
	}
}

/* who and what: bit 0 the server; bit 1 the place is next, and moves on; bit 2 a long segment; 3-4 seconds; 5 no timestamp */
static void segment(struct inspector *in, struct reader *r, struct packet *p, uint32_t next[2])
{
	static uint8_t large[60000];
	uint8_t what = reader_u8(r);
	unsigned me = what & 1u;
	uint8_t flags = reader_u8(r);
	int16_t place = (int16_t)reader_be16(r);
	uint8_t ack = reader_u8(r), length = reader_u8(r);
	size_t n = length < reader_left(r) ? length : reader_left(r);

	p->at += (what >> 3 & 3) * SECOND + 1000;
	p->src.b[3] = me != 0 ? 8 : 5;
	p->dst.b[3] = me != 0 ? 5 : 8;
	p->sport = me != 0 ? p->zone & 0xffff : 40000;
	p->dport = me != 0 ? 40000 : p->zone & 0xffff;
	p->flags = flags & 0x3f;
	p->seq = next[me] + ((what & 2) != 0 ? 0 : (uint32_t)place);
	p->ack = next[!me] + (uint32_t)(int8_t)ack;
	p->has_ts = (what & 32) == 0;
	p->ts_val++;
	p->wscale = (flags & PACKET_SYN) != 0 ? 7 : 0xff;
	p->payload = reader_bytes(r, n);
	p->n = p->n_wire = (uint32_t)n;
	if ((what & 4) != 0) {
		p->payload = large;
		p->n = p->n_wire = sizeof(large);
	}
	check(in, p, inspector_packet(in, p));
	if ((what & 2) != 0)
		next[me] += p->n + ((flags & (PACKET_SYN | PACKET_FIN)) != 0);
}

static void segments(struct inspector *in, struct reader *r)
{
	struct packet p = {.at = SECOND, .kind = PACKET_TCP, .l4 = 6, .window = 60000, .src = {4, {10}}, .dst = {4, {10}}};
	uint32_t next[2] = {reader_be32(r), 0};

	/* The server's port is in the zone, which all packets share. */
	p.zone = 1u + reader_u8(r);
	while (reader_left(r) > 6)
		segment(in, r, &p, next);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct reader r = reader_init(data, size);
	uint8_t mode = reader_u8(&r);
	struct inspect_options o = {.flows = FLOWS, .secret = "fuzz", .lenient = (mode & 3) == 1, .keep_passed = (mode & 8) != 0,
		.prefix_bytes = (mode & 3) == 3 ? POOL : 8 * POOL};
	struct inspect_hooks h = {.policy = (mode & 3) == 2 ? NULL : policy};
	struct inspector *in = inspector_new(&o, &h);

	if ((mode & 4) != 0)
		segments(in, &r);
	else
		frames(in, &r);
	/* Longer than any flow may be quiet; the table is swept in parts. */
	for (int i = 0; i < 64; i++)
		inspector_tick(in, INT64_C(100000) * SECOND + i);
	const struct inspect_counters *c = inspector_counters(in);
	if (c->flows_now != 0 || c->unanswered_now != 0 || c->undecided_now != 0 || c->prefix_bytes_now != 0)
		abort();
	inspector_free(in);
	return 0;
}
