/*
 * traffic.c: frames for tests. See traffic.h.
 */
#include "traffic.h"

#include <stdlib.h>
#include <string.h>

#define ETHERNET 14u
#define STEP 1000000 /* nanoseconds between two frames */

void traffic_init(struct traffic *t)
{
	*t = (struct traffic){.now = INT64_C(1000000000), .gap = STEP};
}

void traffic_free(struct traffic *t)
{
	for (size_t i = 0; i < t->n; i++)
		free(t->v[i].bytes);
	free(t->v);
	t->v = NULL;
	t->n = t->max = 0;
}

struct frame *traffic_add(struct traffic *t, const uint8_t *bytes, uint32_t n)
{
	if (t->n == t->max) {
		t->max = t->max == 0 ? 64 : t->max * 2;
		t->v = realloc(t->v, t->max * sizeof(*t->v));
	}
	struct frame *f = &t->v[t->n++];
	t->now += t->gap;
	/* Exactly as many bytes as there are: a sanitizer sees each read beyond. */
	*f = (struct frame){t->now, n, n, malloc(n > 0 ? n : 1)};
	memcpy(f->bytes, bytes, n);
	return f;
}

static void put16(uint8_t *p, unsigned v)
{
	p[0] = (uint8_t)(v >> 8);
	p[1] = (uint8_t)v;
}

static void put32(uint8_t *p, uint32_t v)
{
	put16(p, v >> 16);
	put16(p + 2, v & 0xffff);
}

static unsigned get16(const uint8_t *p)
{
	return (unsigned)(p[0] << 8 | p[1]);
}

/* RFC 1071, the slow way, so that it shares nothing with the code under test. */
static unsigned sum(const uint8_t *p, size_t n, unsigned long start)
{
	unsigned long s = start;

	for (size_t i = 0; i + 1 < n; i += 2)
		s += get16(p + i);
	if (n % 2 != 0)
		s += (unsigned long)p[n - 1] << 8;
	while (s > 0xffff)
		s = (s & 0xffff) + (s >> 16);
	return (unsigned)s;
}

/* Ethernet and IP header; the transport's bytes follow at the offset that is returned. */
static size_t put_ip(uint8_t *b, const struct addr *src, const struct addr *dst, uint8_t ttl, uint8_t protocol, size_t n)
{
	static unsigned id;
	uint8_t *h = b + ETHERNET;

	memcpy(b, "\x02\x00\x00\x00\x00\x02\x02\x00\x00\x00\x00\x01", 12);
	if (src->family == 6) {
		put16(b + 12, 0x86dd);
		put32(h, 0x60000000);
		put16(h + 4, (unsigned)n);
		h[6] = protocol;
		h[7] = ttl;
		memcpy(h + 8, src->b, 16);
		memcpy(h + 24, dst->b, 16);
		return ETHERNET + 40;
	}
	put16(b + 12, 0x0800);
	memset(h, 0, 20);
	h[0] = 0x45;
	put16(h + 2, (unsigned)(20 + n));
	put16(h + 4, ++id & 0xffff);
	h[8] = ttl;
	h[9] = protocol;
	memcpy(h + 12, src->b, 4);
	memcpy(h + 16, dst->b, 4);
	put16(h + 10, ~sum(h, 20, 0) & 0xffff);
	return ETHERNET + 20;
}

static unsigned transport_sum(const struct addr *src, const struct addr *dst, uint8_t protocol, const uint8_t *p, size_t n)
{
	size_t k = addr_len(src->family);

	return ~sum(p, n, sum(dst->b, k, sum(src->b, k, protocol + (unsigned long)n))) & 0xffff;
}

static size_t put_options(uint8_t *o, const struct segment *s)
{
	size_t n = 0;

	if (s->wscale >= 0) {
		memcpy(o + n, "\x01\x03\x03", 3);
		o[n + 3] = (uint8_t)s->wscale;
		n += 4;
	}
	if (s->has_ts) {
		memcpy(o + n, "\x01\x01\x08\x0a", 4);
		put32(o + n + 4, s->ts_val);
		put32(o + n + 8, s->ts_ecr);
		n += 12;
	}
	if (s->md5) {
		memcpy(o + n, "\x01\x01\x13\x12", 4);
		memset(o + n + 4, 0x5a, 16);
		n += 20;
	}
	return n;
}

void traffic_segment(struct traffic *t, const struct segment *s, const void *payload, size_t n)
{
	static uint8_t b[70000];
	uint8_t options[40];
	size_t on = put_options(options, s), header = 20 + on;
	size_t at = put_ip(b, &s->src, &s->dst, s->ttl != 0 ? s->ttl : 64, 6, header + n);
	uint8_t *h = b + at;

	put16(h, s->sport);
	put16(h + 2, s->dport);
	put32(h + 4, s->seq);
	put32(h + 8, s->ack);
	h[12] = (uint8_t)(header / 4 << 4);
	h[13] = s->flags;
	put16(h + 14, s->window);
	put16(h + 16, 0);
	put16(h + 18, s->urgent);
	memcpy(h + 20, options, on);
	if (n > 0)
		memcpy(h + header, payload, n);
	put16(h + 16, transport_sum(&s->src, &s->dst, 6, h, header + n) ^ (s->bad_checksum ? 0x1234 : 0));
	traffic_add(t, b, (uint32_t)(at + header + n));
}

void traffic_datagram(struct traffic *t, const struct addr *src, const struct addr *dst, uint16_t sport, uint16_t dport,
	const void *payload, size_t n)
{
	static uint8_t b[70000];
	size_t at = put_ip(b, src, dst, 64, 17, 8 + n);
	uint8_t *h = b + at;

	put16(h, sport);
	put16(h + 2, dport);
	put16(h + 4, (unsigned)(8 + n));
	put16(h + 6, 0);
	if (n > 0)
		memcpy(h + 8, payload, n);
	unsigned v = transport_sum(src, dst, 17, h, 8 + n);
	put16(h + 6, v != 0 ? v : 0xffff);
	traffic_add(t, b, (uint32_t)(at + 8 + n));
}

/* -- Connections ---------------------------------------------------------------------------------------------- */

void talk_init(struct talk *k, struct traffic *t, uint16_t client_port, uint16_t server_port)
{
	*k = (struct talk){.t = t, .port = {client_port, server_port}, .seq = {1000, 500000}, .window = {64000, 64000},
		.wscale = {7, 7}, .ts = true, .clock = 100, .mss = 1448};
	addr_parse("10.1.0.5", &k->end[0]);
	addr_parse("10.2.0.8", &k->end[1]);
}

struct segment talk_segment(const struct talk *k, char who)
{
	unsigned me = who == 's';

	return (struct segment){.src = k->end[me], .dst = k->end[!me], .sport = k->port[me], .dport = k->port[!me],
		.seq = k->seq[me], .ack = k->seq[!me], .flags = PACKET_ACK, .window = k->window[me], .wscale = -1,
		.has_ts = k->ts, .ts_val = k->clock, .ts_ecr = k->clock};
}

void talk_open(struct talk *k)
{
	struct segment s = talk_segment(k, 'c');

	s.flags = PACKET_SYN;
	s.ack = 0;
	s.wscale = k->wscale[0];
	traffic_segment(k->t, &s, NULL, 0);
	k->seq[0]++;
	s = talk_segment(k, 's');
	s.flags = PACKET_SYN | PACKET_ACK;
	s.wscale = k->wscale[1];
	traffic_segment(k->t, &s, NULL, 0);
	k->seq[1]++;
	talk_ack(k, 'c');
}

void talk_ack(struct talk *k, char who)
{
	struct segment s = talk_segment(k, who);

	traffic_segment(k->t, &s, NULL, 0);
}

void talk_say(struct talk *k, char who, const void *p, size_t n)
{
	const uint8_t *b = p;

	while (n > 0) {
		size_t some = n < k->mss ? n : k->mss;
		struct segment s = talk_segment(k, who);
		s.flags |= PACKET_PSH;
		traffic_segment(k->t, &s, b, some);
		k->seq[who == 's'] += (uint32_t)some;
		k->clock++;
		b += some;
		n -= some;
	}
	if (!k->quiet)
		talk_ack(k, who == 's' ? 'c' : 's');
}

void talk_close(struct talk *k, char who)
{
	struct segment s = talk_segment(k, who);

	s.flags |= PACKET_FIN;
	traffic_segment(k->t, &s, NULL, 0);
	k->seq[who == 's']++;
	talk_ack(k, who == 's' ? 'c' : 's');
}

/* -- Changes -------------------------------------------------------------------------------------------------- */

static void copy(struct traffic *to, const struct frame *f)
{
	traffic_add(to, f->bytes, f->n)->at = f->at;
}

void traffic_vlan(struct traffic *to, const struct traffic *from, unsigned tags)
{
	static uint8_t b[70000];

	for (size_t i = 0; i < from->n; i++) {
		const struct frame *f = &from->v[i];
		memcpy(b, f->bytes, 12);
		for (unsigned k = 0; k < tags; k++)
			memcpy(b + 12 + 4 * (size_t)k, k + 1 < tags ? "\x88\xa8\x00\x64" : "\x81\x00\x20\x07", 4);
		memcpy(b + 12 + 4 * (size_t)tags, f->bytes + 12, f->n - 12);
		traffic_add(to, b, f->n + 4 * tags)->at = f->at;
	}
}

/* Bytes of payload of a frame of IPv4 and TCP without tags; 0 for others. */
static size_t payload_of(const struct frame *f)
{
	const uint8_t *h = f->bytes + ETHERNET;

	return h[9] != 6 || get16(f->bytes + 12) != 0x0800 ? 0 : get16(h + 2) - 20u - (size_t)(h[32] >> 4) * 4;
}

void traffic_duplicate(struct traffic *to, const struct traffic *from)
{
	size_t seen = 0;

	for (size_t i = 0; i < from->n; i++) {
		copy(to, &from->v[i]);
		if (payload_of(&from->v[i]) > 0 && seen++ % 3 == 0)
			copy(to, &from->v[i]);
	}
}

static bool same_direction(const struct frame *a, const struct frame *b)
{
	return memcmp(a->bytes + ETHERNET + 12, b->bytes + ETHERNET + 12, 12) == 0;
}

void traffic_reorder(struct traffic *to, const struct traffic *from, uint32_t seed)
{
	size_t first = to->n;

	for (size_t i = 0; i < from->n; i++)
		copy(to, &from->v[i]);
	for (size_t i = first; i + 2 < to->n; i += 3) {
		struct frame *a = &to->v[i], *b = &to->v[i + 1 + (seed >> (i % 31)) % 2];
		bool run = payload_of(a) > 0 && payload_of(b) > 0 && same_direction(a, b) &&
			   (b == a + 1 || (payload_of(a + 1) > 0 && same_direction(a, a + 1)));
		if (run) {
			struct frame keep = *a;
			int64_t at = a->at;
			*a = *b;
			a->at = at;
			at = b->at;
			*b = keep;
			b->at = at;
		}
	}
}

void traffic_fragment(struct traffic *to, const struct traffic *from, size_t size)
{
	static uint8_t b[70000];

	for (size_t i = 0; i < from->n; i++) {
		const struct frame *f = &from->v[i];
		size_t n = get16(f->bytes + ETHERNET + 2) - 20u;
		if (n <= size || n < 48) {
			copy(to, f);
			continue;
		}
		for (size_t at = 0; at < n; at += size) {
			size_t some = n - at < size ? n - at : size;
			uint8_t *h = b + ETHERNET;
			memcpy(b, f->bytes, ETHERNET + 20);
			memcpy(h + 20, f->bytes + ETHERNET + 20 + at, some);
			put16(h + 2, (unsigned)(20 + some));
			put16(h + 6, (unsigned)(at / 8) | (at + some < n ? 0x2000u : 0));
			put16(h + 10, 0);
			put16(h + 10, ~sum(h, 20, 0) & 0xffff);
			traffic_add(to, b, (uint32_t)(ETHERNET + 20 + some))->at = f->at;
		}
	}
}
