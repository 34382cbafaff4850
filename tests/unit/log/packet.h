/* packet.h: makes NFLOG datagrams for tests, as the kernel lays them out. */
#ifndef TEST_PACKET_H
#define TEST_PACKET_H

#include <arpa/inet.h>
#include <linux/netfilter/nfnetlink.h>
#include <linux/netfilter/nfnetlink_log.h>
#include <linux/netlink.h>
#include <netinet/in.h>
#include <stdint.h>
#include <string.h>

struct datagram {
	uint8_t b[65536];
	size_t n;
	size_t start; /* of the message under way */
};

struct test_packet {
	uint32_t mark, in, out, sequence;
	uint8_t src[4], dst[4];
	uint8_t proto, flags;
	uint16_t sport, dport;
	uint8_t mac[6];
};

static inline void put(struct datagram *d, const void *p, size_t n)
{
	memcpy(d->b + d->n, p, n);
	d->n += n;
}

static inline void attr(struct datagram *d, uint16_t type, const void *p, size_t n)
{
	struct nlattr a = {(uint16_t)(sizeof(a) + n), type};

	put(d, &a, sizeof(a));
	put(d, p, n);
	while (d->n % 4 != 0)
		d->b[d->n++] = 0;
}

static inline void attr32(struct datagram *d, uint16_t type, uint32_t v)
{
	v = htonl(v);
	attr(d, type, &v, sizeof(v));
}

static inline void begin(struct datagram *d)
{
	struct nlmsghdr h = {0, NFNL_SUBSYS_ULOG << 8 | NFULNL_MSG_PACKET, 0, 0, 0};
	struct nfgenmsg g = {2, 0, 0};

	d->start = d->n;
	put(d, &h, sizeof(h));
	put(d, &g, sizeof(g));
}

static inline void end(struct datagram *d)
{
	uint32_t len = (uint32_t)(d->n - d->start);

	memcpy(d->b + d->start, &len, sizeof(len));
}

static inline void protocol(struct datagram *d, uint16_t ether)
{
	struct nfulnl_msg_packet_hdr h = {htons(ether), 2, 0};

	attr(d, NFULA_PACKET_HDR, &h, sizeof(h));
}

/* An IPv4 packet of 40 (TCP) or 28 bytes. */
static inline size_t ipv4(const struct test_packet *p, uint8_t *b)
{
	size_t n = p->proto == IPPROTO_TCP ? 40 : 28;

	memset(b, 0, n);
	b[0] = 0x45;
	b[3] = (uint8_t)n;
	b[8] = 64;
	b[9] = p->proto;
	memcpy(b + 12, p->src, 4);
	memcpy(b + 16, p->dst, 4);
	b[20] = (uint8_t)(p->sport >> 8);
	b[21] = (uint8_t)p->sport;
	b[22] = (uint8_t)(p->dport >> 8);
	b[23] = (uint8_t)p->dport;
	if (p->proto == IPPROTO_TCP)
		b[33] = p->flags;
	return n;
}

static inline void add_packet(struct datagram *d, const struct test_packet *p)
{
	struct nfulnl_msg_packet_hw hw = {htons(6), 0, {0}};
	uint8_t b[64];

	begin(d);
	protocol(d, 0x0800);
	attr32(d, NFULA_MARK, p->mark);
	attr32(d, NFULA_IFINDEX_INDEV, p->in);
	if (p->out != 0)
		attr32(d, NFULA_IFINDEX_OUTDEV, p->out);
	memcpy(hw.hw_addr, p->mac, 6);
	attr(d, NFULA_HWADDR, &hw, sizeof(hw));
	attr(d, NFULA_PAYLOAD, b, ipv4(p, b));
	attr32(d, NFULA_SEQ, p->sequence);
	end(d);
}

#endif
