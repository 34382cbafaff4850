/*
 * nflog.c: decodes the kernel's packet log (nfnetlink_log) and the headers of the packets in it.
 *
 * Input: datagrams of an NETLINK_NETFILTER socket. Their frame comes from the kernel; the packet inside comes from
 * the network and is hostile. Everything is read through the bounded reader.
 * Limits: at most 8 IPv6 extension headers; a packet is cut at 128 bytes by the rule that logs it.
 * Failure: a broken message ends its datagram and is counted; a broken packet is an event with fewer fields.
 * Follows: RFC 791, 8200 (and 4302 for the length of AH), 9293, 768, 792, 4443; linux nfnetlink_log.h.
 */
#include "nflog.h"

#include <arpa/inet.h>
#include <linux/netfilter/nfnetlink.h>
#include <linux/netfilter/nfnetlink_log.h>
#include <linux/netlink.h>
#include <netinet/in.h>
#include <string.h>

#include <sekisho/reader.h>

#define EXT_HEADERS_MAX 8
#define ETHER_P_IP 0x0800
#define ETHER_P_IPV6 0x86dd
#define HW_ETHER 1

/* What the attributes of one message hold, before the packet is looked at. */
struct message {
	struct nflog_event *e;
	struct reader payload, header;
	uint16_t protocol, hw_type;
	bool has_mark, has_payload, has_header;
};

/* Ports, flags, ICMP type and code: the first bytes behind the IP header. */
static void decode_transport(struct reader *r, struct nflog_event *e)
{
	switch (e->proto) {
	case IPPROTO_TCP:
	case IPPROTO_UDP:
	case IPPROTO_UDPLITE:
	case IPPROTO_SCTP:
	case IPPROTO_DCCP:
		e->sport = reader_be16(r);
		e->dport = reader_be16(r);
		if (e->proto == IPPROTO_TCP) {
			reader_skip(r, 9);
			e->tcp_flags = reader_u8(r);
		}
		break;
	case IPPROTO_ICMP:
	case IPPROTO_ICMPV6:
		e->dport = reader_be16(r);
		break;
	default:
		break;
	}
}

static void decode_ipv4(struct reader *r, struct nflog_event *e)
{
	uint8_t first = reader_u8(r);
	size_t header = (size_t)(first & 15) * 4;

	if (first >> 4 != 4)
		return;
	reader_skip(r, 1);
	uint32_t length = reader_be16(r);
	reader_skip(r, 2);
	uint16_t fragment = reader_be16(r);
	reader_skip(r, 1);
	uint8_t proto = reader_u8(r);
	reader_skip(r, 2);
	const uint8_t *addrs = reader_bytes(r, 8);
	if (addrs == NULL)
		return;
	e->family = 4;
	e->proto = proto;
	e->length = length;
	memcpy(e->src, addrs, 4);
	memcpy(e->dst, addrs + 4, 4);
	if (header < 20 || (fragment & 0x1fff) != 0)
		return;
	reader_skip(r, header - 20);
	decode_transport(r, e);
}

/* Steps over one extension header. True when `*next` is a header that follows it in this packet. */
static bool skip_extension(struct reader *r, uint8_t *next)
{
	uint8_t kind = *next;
	uint8_t after = reader_u8(r), len = reader_u8(r);
	uint16_t offset;

	switch (kind) {
	case IPPROTO_HOPOPTS:
	case IPPROTO_ROUTING:
	case IPPROTO_DSTOPTS:
		reader_skip(r, (size_t)len * 8 + 6);
		break;
	case IPPROTO_AH:
		reader_skip(r, ((size_t)len + 2) * 4 - 2);
		break;
	default: /* fragment */
		offset = reader_be16(r);
		reader_skip(r, 4);
		if (!r->bad && (offset & 0xfff8) != 0) {
			*next = after;
			return false;
		}
		break;
	}
	if (!r->bad)
		*next = after;
	return !r->bad;
}

static bool is_extension(uint8_t proto)
{
	return proto == IPPROTO_HOPOPTS || proto == IPPROTO_ROUTING || proto == IPPROTO_DSTOPTS ||
	       proto == IPPROTO_AH || proto == IPPROTO_FRAGMENT;
}

static void decode_ipv6(struct reader *r, struct nflog_event *e)
{
	uint8_t first = reader_u8(r);

	if (first >> 4 != 6)
		return;
	reader_skip(r, 3);
	uint32_t length = reader_be16(r);
	uint8_t next = reader_u8(r);
	reader_skip(r, 1);
	const uint8_t *addrs = reader_bytes(r, 32);
	if (addrs == NULL)
		return;
	e->family = 6;
	e->length = length + 40;
	memcpy(e->src, addrs, 16);
	memcpy(e->dst, addrs + 16, 16);
	for (unsigned i = 0; is_extension(next); i++) {
		if (i == EXT_HEADERS_MAX || !skip_extension(r, &next)) {
			e->proto = next;
			return;
		}
	}
	e->proto = next;
	decode_transport(r, e);
}

/* The source's hardware address: length, padding, eight bytes. */
static void decode_hwaddr(struct reader *a, struct nflog_event *e)
{
	uint16_t len = reader_be16(a);

	reader_skip(a, 2);
	const uint8_t *p = reader_bytes(a, 6);
	if (len == 6 && p != NULL) {
		memcpy(e->src_mac.b, p, 6);
		e->has_mac = true;
	}
}

static void decode_timestamp(struct reader *a, struct nflog_event *e)
{
	uint64_t sec = reader_be64(a), usec = reader_be64(a);

	/* Past the year 9999 it is no time: keep the arithmetic below in range. */
	if (!a->bad && sec < 253402300800u && usec < 1000000)
		e->time_ns = (int64_t)(sec * 1000000000 + usec * 1000);
}

static void decode_attr(struct message *m, unsigned type, struct reader *a)
{
	struct nflog_event *e = m->e;

	switch (type) {
	case NFULA_PACKET_HDR:
		m->protocol = reader_be16(a);
		break;
	case NFULA_MARK:
		e->mark = reader_be32(a);
		m->has_mark = !a->bad;
		break;
	case NFULA_TIMESTAMP:
		decode_timestamp(a, e);
		break;
	case NFULA_IFINDEX_INDEV:
		e->in = reader_be32(a);
		break;
	case NFULA_IFINDEX_OUTDEV:
		e->out = reader_be32(a);
		break;
	case NFULA_HWADDR:
		decode_hwaddr(a, e);
		break;
	case NFULA_HWTYPE:
		m->hw_type = reader_be16(a);
		break;
	case NFULA_HWHEADER:
		m->header = *a;
		m->has_header = true;
		break;
	case NFULA_PAYLOAD:
		m->payload = *a;
		m->has_payload = true;
		break;
	case NFULA_SEQ:
		e->sequence = reader_be32(a);
		e->has_sequence = !a->bad;
		break;
	default:
		break;
	}
}

/* The attributes of one message. False when their framing is broken (what came before is kept). */
static bool decode_attrs(struct reader *r, struct message *m)
{
	while (reader_left(r) >= sizeof(struct nlattr)) {
		uint16_t len = reader_u16(r), type = reader_u16(r);
		if (len < sizeof(struct nlattr))
			return false;
		struct reader a = reader_sub(r, len - sizeof(struct nlattr));
		if (a.bad)
			return false;
		size_t pad = NLA_ALIGN(len) - (size_t)len;
		reader_skip(r, pad < reader_left(r) ? pad : reader_left(r));
		decode_attr(m, type & NLA_TYPE_MASK, &a);
	}
	return true;
}

static void decode_packet(struct message *m)
{
	const uint8_t *ether = m->has_header && m->hw_type == HW_ETHER ? reader_bytes(&m->header, 14) : NULL;

	if (ether != NULL) {
		memcpy(m->e->dst_mac.b, ether, 6);
		memcpy(m->e->src_mac.b, ether + 6, 6);
		m->e->has_mac = true;
	}
	if (!m->has_payload)
		return;
	m->e->packet = m->payload.p;
	m->e->npacket = reader_left(&m->payload);
	if (m->protocol == ETHER_P_IP)
		decode_ipv4(&m->payload, m->e);
	else if (m->protocol == ETHER_P_IPV6)
		decode_ipv6(&m->payload, m->e);
}

static void decode_message(struct reader *r, nflog_fn *fn, void *arg, struct nflog_counts *counts)
{
	struct nflog_event e = {0};
	struct message m = {.e = &e};

	reader_skip(r, sizeof(struct nfgenmsg));
	bool whole = !r->bad && decode_attrs(r, &m);
	/* A broken message that told its reason is still a drop that the kernel counted. */
	if (!whole || !m.has_mark)
		counts->malformed++;
	if (!m.has_mark)
		return;
	decode_packet(&m);
	counts->events++;
	fn(arg, &e);
}

void nflog_decode(const void *p, size_t n, nflog_fn *fn, void *arg, struct nflog_counts *counts)
{
	struct reader r = reader_init(p, n);

	while (reader_left(&r) >= sizeof(struct nlmsghdr)) {
		uint32_t len = reader_u32(&r);
		uint16_t type = reader_u16(&r);
		reader_skip(&r, sizeof(struct nlmsghdr) - 6);
		if (len < sizeof(struct nlmsghdr) || len - sizeof(struct nlmsghdr) > reader_left(&r)) {
			counts->malformed++;
			return;
		}
		struct reader body = reader_sub(&r, len - sizeof(struct nlmsghdr));
		size_t pad = NLMSG_ALIGN(len) - (size_t)len;
		reader_skip(&r, pad < reader_left(&r) ? pad : reader_left(&r));
		if (type == ((NFNL_SUBSYS_ULOG << 8) | NFULNL_MSG_PACKET))
			decode_message(&body, fn, arg, counts);
	}
	if (reader_left(&r) != 0)
		counts->malformed++;
}
