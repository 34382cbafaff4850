/*
 * packet.c: one frame of a link into the fields that the inspector judges by.
 *
 * Input: bytes from the network or of a capture file, the most hostile that there are; nothing is read beyond what was
 * captured. What a router would not forward or what two hosts may read differently (IPv4 options, routing headers, a
 * header that its own length contradicts) is PACKET_OTHER with WHY_HEADER. A packet inside a packet is
 * WHY_ENCAPSULATED: what is inside is never looked at, because it is not what the rule's hosts say to each other.
 *
 * Standards: IEEE 802.1Q, RFC 2516 (PPPoE), 791, 1071 (checksum), 8200 (IPv6), 2711 (router alert), 6946 (atomic
 * fragments), 9293 and 7323 (TCP), 768 (UDP).
 * Limits: two VLAN tags; three extension headers of 256 bytes together; options PadN and router alert.
 */
#include "packet.h"

#include <netinet/in.h>
#include <sekisho/reader.h>

/* Link types, as in pcap/dlt.h and the LINKTYPE_ registry. */
enum {
	LINK_NULL = 0,
	LINK_ETHERNET = 1,
	LINK_RAW = 12,
	LINK_RAW_BSD = 14,
	LINK_RAW_FILE = 101,
	LINK_LOOP = 108,
	LINK_SLL = 113,
	LINK_IPV4 = 228,
	LINK_IPV6 = 229,
	LINK_NFLOG = 239,
	LINK_SLL2 = 276,
};

#define EXTENSIONS_MAX 3
#define EXTENSION_BYTES_MAX 256
#define NFLOG_PAYLOAD 9 /* NFULA_PAYLOAD */

/* The bytes of a frame that are there, and how many more were on the wire. */
struct frame {
	struct reader r;
	size_t cut;
	unsigned flags;
};

bool packet_link_known(int linktype)
{
	switch (linktype) {
	case LINK_NULL:
	case LINK_ETHERNET:
	case LINK_RAW:
	case LINK_RAW_BSD:
	case LINK_RAW_FILE:
	case LINK_LOOP:
	case LINK_SLL:
	case LINK_IPV4:
	case LINK_IPV6:
	case LINK_NFLOG:
	case LINK_SLL2:
		return true;
	default:
		return false;
	}
}

static void other(struct packet *ret, enum inspect_why why)
{
	ret->kind = PACKET_OTHER;
	ret->why = why;
}

static uint16_t be16(const uint8_t *p)
{
	return (uint16_t)(p[0] << 8 | p[1]);
}

static uint32_t be32(const uint8_t *p)
{
	return (uint32_t)p[0] << 24 | (uint32_t)p[1] << 16 | (uint32_t)p[2] << 8 | p[3];
}

/* -- Checksums (RFC 1071: the sum in any byte order, so eight bytes at a time) ------------------------------ */

static uint64_t sum_bytes(uint64_t sum, const uint8_t *p, size_t n)
{
	uint64_t v, w[4], low = 0, high = 0;

	for (; n >= 32; p += 32, n -= 32) {
		memcpy(w, p, 32);
		low += (w[0] & UINT32_MAX) + (w[1] & UINT32_MAX) + (w[2] & UINT32_MAX) + (w[3] & UINT32_MAX);
		high += (w[0] >> 32) + (w[1] >> 32) + (w[2] >> 32) + (w[3] >> 32);
	}
	sum += low + high;
	for (; n >= 8; p += 8, n -= 8) {
		memcpy(&v, p, 8);
		sum += (v & UINT32_MAX) + (v >> 32);
	}
	v = 0;
	memcpy(&v, p, n);
	return sum + (v & UINT32_MAX) + (v >> 32);
}

static bool sum_is_wrong(uint64_t sum)
{
	/* 64 bits come to 33, 18, 17 and 16. */
	sum = (sum & UINT32_MAX) + (sum >> 32);
	sum = (sum & 0xffff) + (sum >> 16);
	sum = (sum & 0xffff) + (sum >> 16);
	sum = (sum & 0xffff) + (sum >> 16);
	return sum != 0xffff;
}

/* Of a header of IPv4 without options. */
static bool header_sum_is_wrong(const uint8_t *h)
{
	uint32_t w[5];

	memcpy(w, h, sizeof(w));
	return sum_is_wrong((uint64_t)w[0] + w[1] + w[2] + w[3] + w[4]);
}

static bool transport_sum_is_wrong(const struct packet *p)
{
	size_t k = addr_len(p->src.family), n = p->segment_n;
	uint64_t sum = (uint64_t)htons(p->l4) + htons((uint16_t)(n >> 16)) + htons((uint16_t)n);

	sum = sum_bytes(sum, p->src.b, k);
	sum = sum_bytes(sum, p->dst.b, k);
	return sum_is_wrong(sum_bytes(sum, p->segment, n));
}

/* A UDP checksum of zero is "none" over IPv4 (RFC 768), and forbidden over IPv6 (RFC 8200, 8.1). */
static bool udp_has_no_sum(const struct packet *p)
{
	return p->l4 == IPPROTO_UDP && be16(p->segment + 6) == 0;
}

bool packet_checksum_bad(const struct packet *p)
{
	if (p->checksum_bad || p->segment == NULL)
		return p->checksum_bad;
	return udp_has_no_sum(p) ? p->src.family == 6 : transport_sum_is_wrong(p);
}

/* -- TCP and UDP ------------------------------------------------------------------------------------------- */

static void tcp_option(struct packet *ret, uint8_t kind, const uint8_t *p, size_t n)
{
	if (kind == 3 && n == 1) {
		ret->wscale = p[0];
	} else if (kind == 8 && n == 8) {
		ret->has_ts = true;
		ret->ts_val = be32(p);
		ret->ts_ecr = be32(p + 4);
	}
}

static bool tcp_options(struct packet *ret, const uint8_t *p, size_t n)
{
	/* As nearly every segment has them: two times no operation, then timestamps. */
	if (n == 12 && be32(p) == 0x0101080a) {
		tcp_option(ret, 8, p + 4, 8);
		return true;
	}
	while (n > 0 && p[0] != 0) {
		if (p[0] == 1) { /* no operation */
			p++;
			n--;
			continue;
		}
		if (n < 2 || p[1] < 2 || p[1] > n)
			return false;
		tcp_option(ret, p[0], p + 2, p[1] - 2u);
		n -= p[1];
		p += p[1];
	}
	return true;
}

/* Flags that no connection ever has together. */
static bool tcp_flags_absurd(uint8_t f)
{
	return (f & (PACKET_SYN | PACKET_ACK | PACKET_RST | PACKET_FIN)) == 0 ||
	       ((f & PACKET_SYN) != 0 && (f & (PACKET_FIN | PACKET_RST)) != 0) ||
	       (f & (PACKET_FIN | PACKET_RST)) == (PACKET_FIN | PACKET_RST);
}

/* The two ends are one: whose packet it is cannot be told. */
static bool same_ends(const struct packet *p)
{
	return p->sport == p->dport && memcmp(p->src.b, p->dst.b, sizeof(p->src.b)) == 0;
}

static void tcp(struct packet *ret, const uint8_t *p, size_t n, size_t n_wire)
{
	size_t header = n < 20 ? 20 : (size_t)(p[12] >> 4) * 4;

	if (header < 20 || header > n)
		return other(ret, WHY_HEADER);
	ret->sport = be16(p);
	ret->dport = be16(p + 2);
	ret->seq = be32(p + 4);
	ret->ack = be32(p + 8);
	ret->flags = p[13] & 0x3f;
	ret->window = be16(p + 14);
	if (ret->sport == 0 || ret->dport == 0 || tcp_flags_absurd(ret->flags) || same_ends(ret) ||
		!tcp_options(ret, p + 20, header - 20))
		return other(ret, WHY_HEADER);
	ret->kind = PACKET_TCP;
	ret->payload = p + header;
	ret->n = (uint32_t)(n - header);
	ret->n_wire = (uint32_t)(n_wire - header);
}

/* Ports (IANA) whose datagrams are packets themselves. */
static bool udp_is_tunnel(uint16_t port)
{
	switch (port) {
	case 2152: /* GTP-U */
	case 3544: /* Teredo */
	case 4789: /* VXLAN */
	case 4790: /* VXLAN-GPE */
	case 6080: /* GUE */
	case 6081: /* Geneve */
	case 6635: /* MPLS in UDP */
	case 8472: /* VXLAN, before it had a number */
		return true;
	default:
		return false;
	}
}

static void udp(struct packet *ret, const uint8_t *p, size_t n, size_t n_wire)
{
	/* Bytes behind the datagram (n_wire larger than its length) would travel unseen. */
	if (n < 8 || be16(p + 4) != n_wire)
		return other(ret, WHY_HEADER);
	ret->sport = be16(p);
	ret->dport = be16(p + 2);
	if (ret->dport == 0 || same_ends(ret))
		return other(ret, WHY_HEADER);
	if (udp_is_tunnel(ret->dport))
		return other(ret, WHY_ENCAPSULATED);
	ret->kind = PACKET_UDP;
	ret->payload = p + 8;
	ret->n = (uint32_t)(n - 8);
	ret->n_wire = (uint32_t)(n_wire - 8);
}

void packet_transport(struct packet *ret, uint8_t protocol, const uint8_t *p, size_t n, size_t n_wire, unsigned flags)
{
	ret->l4 = protocol;
	switch (protocol) {
	case IPPROTO_TCP:
		tcp(ret, p, n, n_wire);
		break;
	case IPPROTO_UDP:
		udp(ret, p, n, n_wire);
		break;
	case IPPROTO_IPIP:
	case IPPROTO_IPV6:
	case IPPROTO_GRE:
	case IPPROTO_ESP:
	case IPPROTO_AH:
	case IPPROTO_BEETPH:
	case 97: /* EtherIP */
	case IPPROTO_ENCAP:
	case 115: /* L2TP */
	case IPPROTO_MPLS:
		return other(ret, WHY_ENCAPSULATED);
	default: /* ICMP, SCTP, ...: named by l4, and no flow of ours */
		return other(ret, WHY_NONE);
	}
	if (ret->kind == PACKET_OTHER || n != n_wire || (flags & PACKET_SKIP_CHECKSUM) != 0)
		return;
	ret->segment = p;
	ret->segment_n = (uint32_t)n;
}

/* -- IP ---------------------------------------------------------------------------------------------------- */

/* A fragment of `n` bytes at `offset`: all but the last are multiples of eight, none ends beyond 64 KiB. */
static void fragment(struct packet *ret, struct frame *f, size_t n)
{
	size_t have = n < reader_left(&f->r) ? n : reader_left(&f->r);

	if (n == 0 || (ret->frag_more && n % 8 != 0) || ret->frag_offset + n > 65535)
		return other(ret, WHY_FRAGMENTS);
	ret->l4 = ret->frag_proto;
	ret->kind = PACKET_FRAGMENT;
	ret->payload = reader_bytes(&f->r, have);
	ret->n = (uint32_t)have;
	ret->n_wire = (uint32_t)n;
}

/* Goes on behind the IP header, whose packet has n more bytes; what the link added behind it is cut off. */
static void transport(struct packet *ret, struct frame *f, uint8_t protocol, size_t n)
{
	size_t have = n < reader_left(&f->r) ? n : reader_left(&f->r);

	packet_transport(ret, protocol, reader_bytes(&f->r, have), have, n, f->flags);
}

/*
 * Bytes behind a header that says there are `said`. Zero means "see the wire" in captures on the sending host itself,
 * whose card cuts the large packet (TSO).
 */
static bool length_fits(const struct frame *f, size_t said, size_t *ret_n)
{
	size_t wire = reader_left(&f->r) + f->cut;

	*ret_n = said;
	return said <= wire;
}

static void ipv4(struct packet *ret, struct frame *f)
{
	const uint8_t *h = reader_bytes(&f->r, 20);
	size_t n;

	if (h == NULL || h[0] != 0x45) /* options: no host needs them, and no router should act on them (RFC 7126) */
		return other(ret, WHY_HEADER);
	size_t total = be16(h + 2);
	if (total == 0 && (f->flags & PACKET_SKIP_CHECKSUM) != 0)
		total = 20 + reader_left(&f->r) + f->cut;
	if (total < 20 || !length_fits(f, total - 20, &n) || (h[6] & 0x80) != 0)
		return other(ret, WHY_HEADER);
	ret->src.family = ret->dst.family = 4;
	memcpy(ret->src.b, h + 12, 4);
	memcpy(ret->dst.b, h + 16, 4);
	if ((f->flags & PACKET_SKIP_CHECKSUM) == 0)
		ret->checksum_bad = header_sum_is_wrong(h);
	ret->frag_offset = (uint16_t)((be16(h + 6) & 0x1fff) * 8);
	ret->frag_more = (h[6] & 0x20) != 0;
	if (ret->frag_offset == 0 && !ret->frag_more)
		return transport(ret, f, h[9], n);
	ret->frag_id = be16(h + 4);
	ret->frag_proto = h[9];
	fragment(ret, f, n);
}

/* Only Pad1, PadN of zeros, and in the hop-by-hop header a router alert. */
static bool ipv6_options_allowed(const uint8_t *p, size_t n, bool hop_by_hop)
{
	while (n > 0) {
		if (p[0] == 0) {
			p++;
			n--;
			continue;
		}
		if (n < 2 || n - 2 < p[1])
			return false;
		if (p[0] == 5 && hop_by_hop) {
			if (p[1] != 2)
				return false;
		} else if (p[0] == 1) {
			for (size_t i = 0; i < p[1]; i++)
				if (p[2 + i] != 0)
					return false;
		} else {
			return false;
		}
		n -= 2u + p[1];
		p += 2u + p[1];
	}
	return true;
}

struct chain {
	uint8_t next;
	size_t n;     /* bytes of the packet that are left */
	size_t count, bytes;
	bool fragmented, final; /* a fragment header was there; and it was one of several */
};

/* Takes an extension header of `size` bytes: NULL when there are too many, or they are longer than the packet. */
static const uint8_t *chain_take(struct chain *c, struct frame *f, size_t size)
{
	c->bytes += size;
	if (size > c->n || c->bytes > EXTENSION_BYTES_MAX)
		return NULL;
	c->n -= size;
	return reader_bytes(&f->r, size);
}

static bool chain_options(struct chain *c, struct frame *f)
{
	bool hop_by_hop = c->next == IPPROTO_HOPOPTS;

	if (c->n < 8 || reader_left(&f->r) < 2)
		return false;
	size_t size = (size_t)(f->r.p[1] + 1) * 8;
	const uint8_t *h = chain_take(c, f, size);
	if (h == NULL || !ipv6_options_allowed(h + 2, size - 2, hop_by_hop))
		return false;
	c->next = h[0];
	return true;
}

/* An atomic fragment (RFC 6946) is no fragment. A real one must name its transport at once: no header hides behind it. */
static bool chain_fragment(struct packet *ret, struct chain *c, struct frame *f)
{
	const uint8_t *h = c->fragmented ? NULL : chain_take(c, f, 8);

	if (h == NULL)
		return false;
	c->fragmented = true;
	c->next = h[0];
	ret->frag_offset = be16(h + 2) & 0xfff8;
	ret->frag_more = (h[3] & 1) != 0;
	ret->frag_id = be32(h + 4);
	ret->frag_proto = h[0];
	c->final = ret->frag_offset != 0 || ret->frag_more;
	return !c->final || (h[0] != IPPROTO_HOPOPTS && h[0] != IPPROTO_DSTOPTS && h[0] != IPPROTO_FRAGMENT);
}

static bool chain_walk(struct packet *ret, struct chain *c, struct frame *f)
{
	for (; !c->final; c->count++) {
		switch (c->next) {
		case IPPROTO_HOPOPTS:
			if (c->count != 0)
				return false;
			/* fallthrough */
		case IPPROTO_DSTOPTS:
			if (c->count == EXTENSIONS_MAX || !chain_options(c, f))
				return false;
			break;
		case IPPROTO_FRAGMENT:
			if (c->count == EXTENSIONS_MAX || !chain_fragment(ret, c, f))
				return false;
			break;
		case IPPROTO_ROUTING:
		case IPPROTO_MH:
		case 139: /* HIP */
		case 140: /* shim6 */
			return false;
		default:
			return true;
		}
	}
	return true;
}

static void ipv6(struct packet *ret, struct frame *f)
{
	const uint8_t *h = reader_bytes(&f->r, 40);
	struct chain c;

	if (h == NULL || h[0] >> 4 != 6)
		return other(ret, WHY_HEADER);
	size_t said = be16(h + 4);
	if (said == 0 && h[6] == IPPROTO_TCP && (f->flags & PACKET_SKIP_CHECKSUM) != 0)
		said = reader_left(&f->r) + f->cut;
	c = (struct chain){.next = h[6]};
	if (!length_fits(f, said, &c.n))
		return other(ret, WHY_HEADER);
	ret->src.family = ret->dst.family = 6;
	memcpy(ret->src.b, h + 8, 16);
	memcpy(ret->dst.b, h + 24, 16);
	if (!chain_walk(ret, &c, f))
		return other(ret, WHY_HEADER);
	if (c.final)
		return fragment(ret, f, c.n);
	transport(ret, f, c.next, c.n);
}

static void ip(struct packet *ret, struct frame *f)
{
	if (reader_left(&f->r) > 0 && f->r.p[0] >> 4 == 6)
		ipv6(ret, f);
	else
		ipv4(ret, f);
}

/* -- Links ------------------------------------------------------------------------------------------------- */

/* RFC 2516: version and type 1, code 0; then PPP's protocol number. */
static void pppoe(struct packet *ret, struct frame *f)
{
	const uint8_t *h = reader_bytes(&f->r, 8);
	size_t n;

	if (h == NULL || h[0] != 0x11 || h[1] != 0 || be16(h + 4) < 2 || !length_fits(f, be16(h + 4) - 2u, &n))
		return other(ret, WHY_HEADER);
	/* The Ethernet frame may be padded: what is behind PPPoE's own length does not exist. */
	if (reader_left(&f->r) > n) {
		f->r = reader_init(f->r.p, n);
		f->cut = 0;
	} else {
		f->cut = n - reader_left(&f->r);
	}
	if (be16(h + 6) == 0x0021)
		return ipv4(ret, f);
	if (be16(h + 6) == 0x0057)
		return ipv6(ret, f);
	other(ret, WHY_NONE); /* LCP, IPCP, ... */
}

static void by_ethertype(struct packet *ret, struct frame *f, uint16_t type)
{
	for (unsigned tags = 0; type == 0x8100 || type == 0x88a8 || type == 0x9100; tags++) {
		const uint8_t *h = reader_bytes(&f->r, 4);
		if (h == NULL || tags == 2)
			return other(ret, WHY_HEADER);
		ret->zone = ret->zone << 12 | (be16(h) & 0xfffu);
		type = be16(h + 2);
	}
	switch (type) {
	case 0x0800:
		return ipv4(ret, f);
	case 0x86dd:
		return ipv6(ret, f);
	case 0x8864:
		return pppoe(ret, f);
	case 0x8847: /* MPLS */
	case 0x8848:
	case 0x6558: /* Ethernet in Ethernet */
	case 0x88e5: /* MACsec */
	case 0x88e7: /* provider backbone */
	case 0x894f: /* service headers */
		return other(ret, WHY_ENCAPSULATED);
	default:
		return other(ret, WHY_NONE);
	}
}

static void ethernet(struct packet *ret, struct frame *f)
{
	const uint8_t *h = reader_bytes(&f->r, 14);

	if (h == NULL)
		return other(ret, WHY_HEADER);
	by_ethertype(ret, f, be16(h + 12));
}

/* Linux's cooked captures: the type at the end of 16 bytes, or at the beginning of 20. */
static void cooked(struct packet *ret, struct frame *f, size_t size, size_t type_at)
{
	const uint8_t *h = reader_bytes(&f->r, size);

	if (h == NULL)
		return other(ret, WHY_HEADER);
	by_ethertype(ret, f, be16(h + type_at));
}

/* BSD loopback: the address family in some host's byte order and numbering. */
static void loopback(struct packet *ret, struct frame *f)
{
	const uint8_t *h = reader_bytes(&f->r, 4);

	if (h == NULL)
		return other(ret, WHY_HEADER);
	switch (h[0] != 0 ? h[0] : h[3]) {
	case 2:
		return ipv4(ret, f);
	case 10:
	case 24:
	case 28:
	case 30:
		return ipv6(ret, f);
	default:
		return other(ret, WHY_NONE);
	}
}

/* Family, version, group; then attributes of netlink, of which one is the packet. Lengths are of the writer's order. */
static void nflog(struct packet *ret, struct frame *f)
{
	reader_skip(&f->r, 4);
	while (reader_left(&f->r) >= 4) {
		size_t size = reader_u16(&f->r);
		unsigned type = reader_u16(&f->r) & 0x7fffu;
		size_t n = size < 4 ? 0 : size - 4;
		if (size < 4 || n > reader_left(&f->r) + f->cut)
			break;
		if (type == NFLOG_PAYLOAD) {
			if (n < reader_left(&f->r))
				f->r = reader_init(f->r.p, n);
			f->cut = n - reader_left(&f->r);
			return ip(ret, f);
		}
		reader_skip(&f->r, (n + 3) & ~(size_t)3);
	}
	other(ret, WHY_HEADER);
}

void packet_decode(struct packet *ret, int linktype, const uint8_t *frame, size_t captured, size_t wire, unsigned flags)
{
	struct frame f = {reader_init(frame, captured), wire > captured ? wire - captured : 0, flags};

	*ret = (struct packet){.at = ret->at, .wscale = 0xff, .checksum_skipped = (flags & PACKET_SKIP_CHECKSUM) != 0};
	switch (linktype) {
	case LINK_ETHERNET:
		return ethernet(ret, &f);
	case LINK_RAW:
	case LINK_RAW_BSD:
	case LINK_RAW_FILE:
		return ip(ret, &f);
	case LINK_IPV4:
		return ipv4(ret, &f);
	case LINK_IPV6:
		return ipv6(ret, &f);
	case LINK_NULL:
	case LINK_LOOP:
		return loopback(ret, &f);
	case LINK_SLL:
		return cooked(ret, &f, 16, 14);
	case LINK_SLL2:
		return cooked(ret, &f, 20, 0);
	case LINK_NFLOG:
		return nflog(ret, &f);
	default:
		return other(ret, WHY_HEADER);
	}
}
