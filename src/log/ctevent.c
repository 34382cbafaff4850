/*
 * ctevent.c: decodes the kernel's events of connections that ended (ctnetlink, IPCTNL_MSG_CT_DELETE).
 *
 * Input: datagrams of a NETLINK_NETFILTER socket. The kernel makes them, of numbers that the network chose; everything is
 * read through the bounded reader all the same.
 * Limits: attributes nest three deep, and each level is read once, forward.
 * Failure: a broken message ends its datagram and is counted; one without a connection is counted.
 * Follows: linux/netfilter/nfnetlink_conntrack.h. Addresses, ports and counters are in network order, and so is the mark.
 */
#include "ctevent.h"

#include <linux/netfilter/nfnetlink.h>
#include <linux/netfilter/nfnetlink_conntrack.h>
#include <linux/netlink.h>
#include <netinet/in.h>
#include <string.h>

#include <sekisho/reader.h>
#include <sekisho/ruleset.h>

/* Steps through the attributes of one level. */
struct attr {
	unsigned type;
	struct reader value;
};

/* The next attribute; false at the end, or (level->bad) where the framing breaks. */
static bool next_attr(struct reader *level, struct attr *ret)
{
	if (reader_left(level) < sizeof(struct nlattr))
		return false;
	uint16_t len = reader_u16(level), type = reader_u16(level);
	if (len < sizeof(struct nlattr)) {
		level->bad = true;
		return false;
	}
	*ret = (struct attr){type & NLA_TYPE_MASK, reader_sub(level, len - sizeof(struct nlattr))};
	size_t pad = NLA_ALIGN(len) - (size_t)len;
	reader_skip(level, pad < reader_left(level) ? pad : reader_left(level));
	return !ret->value.bad;
}

static void take_address(struct ct_event *e, const struct attr *a, uint8_t family, uint8_t *dst)
{
	size_t len = family == 4 ? 4 : 16;

	if (reader_left(&a->value) != len)
		return;
	memset(dst, 0, 16);
	memcpy(dst, a->value.p, len);
	e->family = family;
}

static void decode_ip(struct reader r, struct ct_event *e)
{
	struct attr a;

	while (next_attr(&r, &a)) {
		if (a.type == CTA_IP_V4_SRC)
			take_address(e, &a, 4, e->src);
		else if (a.type == CTA_IP_V4_DST)
			take_address(e, &a, 4, e->dst);
		else if (a.type == CTA_IP_V6_SRC)
			take_address(e, &a, 6, e->src);
		else if (a.type == CTA_IP_V6_DST)
			take_address(e, &a, 6, e->dst);
	}
}

static void decode_proto(struct reader r, struct ct_event *e)
{
	struct attr a;
	uint8_t type = 0, code = 0;

	while (next_attr(&r, &a)) {
		switch (a.type) {
		case CTA_PROTO_NUM:
			e->proto = reader_u8(&a.value);
			break;
		case CTA_PROTO_SRC_PORT:
			e->sport = reader_be16(&a.value);
			break;
		case CTA_PROTO_DST_PORT:
			e->dport = reader_be16(&a.value);
			break;
		case CTA_PROTO_ICMP_TYPE:
		case CTA_PROTO_ICMPV6_TYPE:
			type = reader_u8(&a.value);
			break;
		case CTA_PROTO_ICMP_CODE:
		case CTA_PROTO_ICMPV6_CODE:
			code = reader_u8(&a.value);
			break;
		default:
			break;
		}
	}
	if (e->proto == IPPROTO_ICMP || e->proto == IPPROTO_ICMPV6)
		e->dport = (uint16_t)(type << 8 | code);
}

static void decode_tuple(struct reader r, struct ct_event *e)
{
	struct attr a;

	while (next_attr(&r, &a)) {
		if (a.type == CTA_TUPLE_IP)
			decode_ip(a.value, e);
		else if (a.type == CTA_TUPLE_PROTO)
			decode_proto(a.value, e);
	}
}

static void decode_counters(struct reader r, struct ct_event *e, unsigned way)
{
	struct attr a;

	while (next_attr(&r, &a)) {
		if (a.type == CTA_COUNTERS_PACKETS)
			e->packets[way] = reader_be64(&a.value);
		else if (a.type == CTA_COUNTERS_BYTES)
			e->bytes[way] = reader_be64(&a.value);
	}
}

/* Past the year 2262 it is no time. */
static int64_t wall_ns(struct reader *r)
{
	uint64_t ns = reader_be64(r);

	return ns <= INT64_MAX ? (int64_t)ns : 0;
}

static void decode_timestamp(struct reader r, struct ct_event *e)
{
	struct attr a;

	while (next_attr(&r, &a)) {
		if (a.type == CTA_TIMESTAMP_START)
			e->start_ns = wall_ns(&a.value);
		else if (a.type == CTA_TIMESTAMP_STOP)
			e->stop_ns = wall_ns(&a.value);
	}
}

/* False when the framing is broken or there is no connection in it. */
static bool decode_message(struct reader *r, struct ct_event *e)
{
	struct attr a;

	reader_skip(r, sizeof(struct nfgenmsg));
	while (next_attr(r, &a)) {
		switch (a.type) {
		case CTA_TUPLE_ORIG:
			decode_tuple(a.value, e);
			break;
		case CTA_COUNTERS_ORIG:
			decode_counters(a.value, e, 0);
			break;
		case CTA_COUNTERS_REPLY:
			decode_counters(a.value, e, 1);
			break;
		case CTA_MARK:
			e->mark = reader_be32(&a.value);
			break;
		case CTA_TIMESTAMP:
			decode_timestamp(a.value, e);
			break;
		default:
			break;
		}
	}
	return !r->bad && e->family != 0;
}

void ct_event_decode(const void *p, size_t n, ct_event_fn *fn, void *arg, struct ct_counts *counts)
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
		struct ct_event e = {0};
		if (type != ((NFNL_SUBSYS_CTNETLINK << 8) | IPCTNL_MSG_CT_DELETE))
			continue;
		if (!decode_message(&body, &e)) {
			counts->malformed++;
			continue;
		}
		counts->events++;
		fn(arg, &e);
	}
	if (reader_left(&r) != 0)
		counts->malformed++;
}

bool ct_event_passed(const struct ct_event *e)
{
	uint32_t state = e->mark & CTMARK_STATE;

	return e->mark != 0 && state != CTMARK_INSPECTING && state != CTMARK_REFUSED;
}
