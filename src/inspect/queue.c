/*
 * queue.c: decodes messages of the kernel's packet queues (nfnetlink_queue).
 *
 * Input: datagrams of a NETLINK_NETFILTER socket that is bound to a queue. Their frame comes from the kernel and is read
 * as foreign bytes all the same; the packet inside is hostile, and not looked at here.
 * Limits: the datagram. Failure: a broken message ends its datagram and is counted.
 * Follows: linux/netfilter/nfnetlink_queue.h.
 */
#include "queue.h"

#include <linux/netfilter/nfnetlink.h>
#include <linux/netfilter/nfnetlink_queue.h>
#include <linux/netlink.h>

#include <sekisho/reader.h>

struct message {
	struct queue_packet p;
	bool named;    /* the id is known */
	uint32_t whole; /* length before the kernel cut it; 0 = not cut */
};

static void decode_payload(struct message *m, struct reader *a)
{
	m->p.n = reader_left(a);
	m->p.bytes = reader_bytes(a, m->p.n);
}

static void decode_attr(struct message *m, unsigned type, struct reader *a)
{
	struct queue_packet *p = &m->p;

	switch (type) {
	case NFQA_PACKET_HDR:
		p->id = reader_be32(a);
		m->named = !a->bad;
		break;
	case NFQA_MARK:
		p->mark = reader_be32(a);
		break;
	case NFQA_IFINDEX_INDEV:
		p->in = reader_be32(a);
		break;
	case NFQA_IFINDEX_OUTDEV:
		p->out = reader_be32(a);
		break;
	case NFQA_SKB_INFO:
		/* What the card merged it has checked; what it did not check has its checksum in it. */
		p->checksum_open = (reader_be32(a) & (NFQA_SKB_CSUMNOTREADY | NFQA_SKB_GSO)) != 0;
		break;
	case NFQA_CAP_LEN:
		m->whole = reader_be32(a);
		break;
	case NFQA_PAYLOAD:
		decode_payload(m, a);
		break;
	default:
		break;
	}
}

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

static void decode_message(struct reader *r, queue_fn *fn, void *arg, struct queue_counts *counts)
{
	struct message m = {.named = false};

	reader_skip(r, sizeof(struct nfgenmsg));
	bool whole = !r->bad && decode_attrs(r, &m);
	if (!whole || !m.named)
		counts->malformed++;
	if (!m.named)
		return;
	if (!whole) {
		m.p.bytes = NULL;
		m.p.n = 0;
	}
	m.p.n_wire = m.whole > m.p.n ? m.whole : m.p.n;
	counts->packets++;
	fn(arg, &m.p);
}

void queue_decode(const void *p, size_t n, queue_fn *fn, void *arg, struct queue_counts *counts)
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
		/* Others: the kernel's word on a verdict for a packet that is gone. */
		if (type == ((NFNL_SUBSYS_QUEUE << 8) | NFQNL_MSG_PACKET))
			decode_message(&body, fn, arg, counts);
	}
	if (reader_left(&r) != 0)
		counts->malformed++;
}
