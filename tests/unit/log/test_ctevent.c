/* test_ctevent.c: the kernel's word about a connection that ended: what is read of it, and what broken words do. */
#include "ctevent.h"
#include "passing.h"
#include "test.h"

#include <arpa/inet.h>
#include <endian.h>
#include <linux/netfilter/nfnetlink.h>
#include <linux/netfilter/nfnetlink_conntrack.h>
#include <linux/netlink.h>

#include <sekisho/ruleset.h>

static uint8_t wire[1024];
static size_t used;

static size_t open_attr(uint16_t type)
{
	size_t at = used;
	struct nlattr a = {0, type};

	memcpy(wire + used, &a, sizeof(a));
	used += sizeof(a);
	return at;
}

static void close_attr(size_t at)
{
	uint16_t len = (uint16_t)(used - at);

	memcpy(wire + at, &len, sizeof(len));
	used = (used + 3) & ~(size_t)3;
}

static void put(uint16_t type, const void *p, size_t n)
{
	size_t at = open_attr(type);

	memcpy(wire + used, p, n);
	used += n;
	close_attr(at);
}

static void put_u8(uint16_t type, uint8_t v)
{
	put(type, &v, 1);
}

static void put_be16(uint16_t type, uint16_t v)
{
	put(type, &(uint16_t){htons(v)}, 2);
}

static void put_be32(uint16_t type, uint32_t v)
{
	put(type, &(uint32_t){htonl(v)}, 4);
}

static void put_be64(uint16_t type, uint64_t v)
{
	put(type, &(uint64_t){htobe64(v)}, 8);
}

static void put_pair(uint16_t type, uint16_t first, uint64_t a, uint16_t second, uint64_t b)
{
	size_t at = open_attr(type | NLA_F_NESTED);

	put_be64(first, a);
	put_be64(second, b);
	close_attr(at);
}

/* One message; icmp: the port is type and code. */
static void message(uint8_t family, uint8_t proto, uint16_t dport, uint32_t mark)
{
	static const uint8_t src[16] = {10, 1, 10, 5}, dst[16] = {10, 2, 0, 8};
	size_t start = used, len = family == 4 ? 4 : 16;

	used += sizeof(struct nlmsghdr) + sizeof(struct nfgenmsg);
	size_t tuple = open_attr(CTA_TUPLE_ORIG | NLA_F_NESTED), ip = open_attr(CTA_TUPLE_IP | NLA_F_NESTED);
	put(family == 4 ? CTA_IP_V4_SRC : CTA_IP_V6_SRC, src, len);
	put(family == 4 ? CTA_IP_V4_DST : CTA_IP_V6_DST, dst, len);
	close_attr(ip);
	size_t p = open_attr(CTA_TUPLE_PROTO | NLA_F_NESTED);
	put_u8(CTA_PROTO_NUM, proto);
	if (proto == 1) {
		put_u8(CTA_PROTO_ICMP_TYPE, (uint8_t)(dport >> 8));
		put_u8(CTA_PROTO_ICMP_CODE, (uint8_t)dport);
	} else {
		put_be16(CTA_PROTO_SRC_PORT, 40000);
		put_be16(CTA_PROTO_DST_PORT, dport);
	}
	close_attr(p);
	close_attr(tuple);
	put_be32(CTA_MARK, mark);
	put_pair(CTA_COUNTERS_ORIG | NLA_F_NESTED, CTA_COUNTERS_PACKETS, 3, CTA_COUNTERS_BYTES, 180);
	put_pair(CTA_COUNTERS_REPLY | NLA_F_NESTED, CTA_COUNTERS_PACKETS, 2, CTA_COUNTERS_BYTES, 120);
	put_pair(CTA_TIMESTAMP | NLA_F_NESTED, CTA_TIMESTAMP_START, 1000, CTA_TIMESTAMP_STOP, 5000);
	struct nlmsghdr h = {.nlmsg_len = (uint32_t)(used - start), .nlmsg_type = NFNL_SUBSYS_CTNETLINK << 8 | IPCTNL_MSG_CT_DELETE};
	memcpy(wire + start, &h, sizeof(h));
}

static struct ct_event last;
static unsigned called;

static void on_event(void *arg, const struct ct_event *e)
{
	(void)arg;
	last = *e;
	called++;
}

static struct ct_counts decode(size_t n)
{
	struct ct_counts counts = {0};

	called = 0;
	ct_event_decode(wire, n, on_event, NULL, &counts);
	return counts;
}

#define PASSED (CTMARK_PASSED | CTMARK_GENERATION(7))

static void test_whole(void)
{
	used = 0;
	message(4, 6, 443, PASSED);
	struct ct_counts c = decode(used);
	CHECK_INT(c.events, 1);
	CHECK_INT(c.malformed, 0);
	CHECK_INT(last.family, 4);
	CHECK_INT(last.proto, 6);
	CHECK_INT(last.sport, 40000);
	CHECK_INT(last.dport, 443);
	CHECK_INT(last.src[3], 5);
	CHECK_INT(last.dst[1], 2);
	CHECK_INT(last.packets[0], 3);
	CHECK_INT(last.bytes[1], 120);
	CHECK_INT(last.start_ns, 1000);
	CHECK_INT(last.stop_ns, 5000);
	CHECK_INT(last.mark, PASSED);
	used = 0;
	message(4, 1, 0x0800, PASSED);
	message(6, 17, 53, PASSED);
	c = decode(used);
	CHECK_INT(c.events, 2);
	CHECK_INT(last.family, 6);
	CHECK_INT(last.dport, 53);
	used = 0;
	message(4, 1, 0x0800, PASSED);
	decode(used);
	CHECK_INT(last.dport, 0x0800);
}

/* A message that is cut anywhere is told as broken, or as not there, and nothing else happens. */
static void test_cut(void)
{
	used = 0;
	message(4, 6, 443, PASSED);
	for (size_t n = 0; n < used; n++) {
		struct ct_counts c = decode(n);
		CHECK_INT(c.events, 0);
		CHECK_INT(called, 0);
		CHECK_INT(c.malformed, n == 0 ? 0 : 1);
	}
	/* Another kind of message is passed over. */
	((struct nlmsghdr *)(void *)wire)->nlmsg_type = NFNL_SUBSYS_CTNETLINK << 8 | IPCTNL_MSG_CT_NEW;
	struct ct_counts c = decode(used);
	CHECK_INT(c.events + c.malformed, 0);
}

static void test_passed(void)
{
	static const struct {
		uint32_t mark;
		bool passed;
	} marks[] = {
		{0, false}, /* the gateway's own */
		{PASSED, true},
		{CTMARK_INSPECTING | CTMARK_GENERATION(7), false},
		{CTMARK_REFUSED | CTMARK_GENERATION(7), false},
		{CTMARK_TIMED | CTMARK_GENERATION(7), true},
		{CTMARK_VERIFIED_OK | CTMARK_ONEWAY | CTMARK_GENERATION(7), true},
	};

	for (size_t i = 0; i < sizeof(marks) / sizeof(marks[0]); i++)
		CHECK_INT(ct_event_passed(&(struct ct_event){.mark = marks[i].mark}), marks[i].passed);
}

/* More different connections than there is room for: counted together, and none is lost. */
static void test_flood(void)
{
	static struct passed rows[PASSING_MAX + 1];
	struct passing *p = passing_new(-1);
	uint64_t sum = 0, bytes = 0;

	for (unsigned i = 0; i < PASSING_MAX + 5000; i++) {
		struct ct_event e = {.family = 4, .proto = 17, .mark = PASSED, .bytes = {10, 1}, .sport = (uint16_t)i};
		memcpy(e.src, &i, sizeof(i));
		passing_add(p, &e, 77);
		passing_add(p, &e, 78);
	}
	size_t n = passing_take(p, rows);
	CHECK_INT(n, PASSING_MAX + 1);
	for (size_t i = 0; i < n; i++) {
		sum += rows[i].connections;
		bytes += rows[i].bytes[0];
	}
	CHECK_INT(sum, 2 * (PASSING_MAX + 5000));
	CHECK_INT(bytes, 20 * (PASSING_MAX + 5000));
	CHECK_INT(rows[n - 1].family, 0);
	CHECK_INT(rows[0].connections, 2);
	CHECK_INT(rows[0].first_ns, 77);
	CHECK_INT(rows[0].last_ns, 78);
	CHECK_INT(passing_take(p, rows), 0);
	passing_free(p);
}

int main(void)
{
	test_whole();
	test_cut();
	test_passed();
	test_flood();
	return test_end();
}
