/* test_nflog.c: the kernel's log messages and the headers in them. */
#include "test.h"

#include "nflog.h"
#include "packet.h"

static struct nflog_event events[64];
static size_t nevents;

static void keep(void *arg, const struct nflog_event *e)
{
	(void)arg;
	if (nevents < 64)
		events[nevents] = *e;
	nevents++;
}

static struct nflog_counts decode(const void *p, size_t n)
{
	struct nflog_counts counts = {0};

	nevents = 0;
	memset(events, 0, sizeof(events));
	nflog_decode(p, n, keep, NULL, &counts);
	return counts;
}

static const struct test_packet syn = {.mark = 0xbb0002, .in = 3, .out = 7, .sequence = 9, .src = {10, 1, 10, 5},
	.dst = {10, 2, 0, 8}, .proto = IPPROTO_TCP, .flags = 2, .sport = 40000, .dport = 443, .mac = {2, 0, 0, 1, 0, 0xfe}};

static void test_fields(void)
{
	static struct datagram d;

	d.n = 0;
	add_packet(&d, &syn);
	struct nflog_counts c = decode(d.b, d.n);
	const struct nflog_event *e = &events[0];
	CHECK_INT(c.events, 1);
	CHECK_INT(c.malformed, 0);
	CHECK_INT(nflog_reason(e), REASON_NO_RULE);
	CHECK_INT(e->in, 3);
	CHECK_INT(e->out, 7);
	CHECK(e->has_sequence && e->sequence == 9);
	CHECK(e->has_mac && e->src_mac.b[5] == 0xfe);
	CHECK_INT(e->family, 4);
	CHECK_INT(e->proto, IPPROTO_TCP);
	CHECK_INT(e->tcp_flags, 2);
	CHECK_INT(e->sport, 40000);
	CHECK_INT(e->dport, 443);
	CHECK_INT(e->length, 40);
	CHECK(memcmp(e->src, syn.src, 4) == 0 && memcmp(e->dst, syn.dst, 4) == 0);
	CHECK_INT(e->time_ns, 0);
}

static void test_many_in_one_datagram(void)
{
	static struct datagram d;
	struct test_packet p = syn;

	d.n = 0;
	for (uint32_t i = 0; i < 50; i++) {
		p.sequence = i;
		add_packet(&d, &p);
	}
	struct nlmsghdr done = {sizeof(done), NLMSG_DONE, NLM_F_MULTI, 0, 0};
	put(&d, &done, sizeof(done));
	struct nflog_counts c = decode(d.b, d.n);
	CHECK_INT(c.events, 50);
	CHECK_INT(c.malformed, 0);
	CHECK_INT(events[49].sequence, 49);
}

/* The message with this payload as IPv4 or IPv6. */
static const struct nflog_event *packet_of(uint16_t ether, const void *payload, size_t n)
{
	static struct datagram d;

	d.n = 0;
	begin(&d);
	protocol(&d, ether);
	attr32(&d, NFULA_MARK, REASON_MALFORMED);
	attr(&d, NFULA_PAYLOAD, payload, n);
	end(&d);
	struct nflog_counts c = decode(d.b, d.n);
	CHECK_INT(c.events, 1);
	return &events[0];
}

static void test_ipv6_extensions(void)
{
	uint8_t p[40 + 8 + 16 + 24 + 8 + 8] = {0x60, 0, 0, 0, 0, 64, 0 /* hop-by-hop */, 64};

	p[8] = 0x20;
	p[23] = 1;
	p[24] = 0x20;
	p[39] = 2;
	p[40] = 60; /* hop-by-hop, 8 bytes, then destination options */
	p[48] = 51; /* destination options, 16 bytes, then AH */
	p[49] = 1;
	p[64] = 44; /* AH: (4 + 2) * 4 = 24 bytes, then fragment */
	p[65] = 4;
	p[88] = 17; /* fragment, offset 0, then UDP */
	p[96] = 0x30;
	p[97] = 0x39;
	p[99] = 53;
	const struct nflog_event *e = packet_of(0x86dd, p, sizeof(p));
	CHECK_INT(e->family, 6);
	CHECK_INT(e->proto, IPPROTO_UDP);
	CHECK_INT(e->sport, 12345);
	CHECK_INT(e->dport, 53);
	CHECK_INT(e->length, 104);
	CHECK_INT(e->dst[15], 2);
	/* A later fragment has no ports. */
	p[91] = 0x08;
	e = packet_of(0x86dd, p, sizeof(p));
	CHECK_INT(e->proto, IPPROTO_UDP);
	CHECK_INT(e->dport, 0);
}

static void test_ipv6_chain_of_headers_is_bounded(void)
{
	uint8_t p[40 + 8 * 12] = {0x60, 0, 0, 0, 0, 96, 60, 64};

	for (size_t i = 40; i < sizeof(p); i += 8)
		p[i] = 60;
	const struct nflog_event *e = packet_of(0x86dd, p, sizeof(p));
	CHECK_INT(e->family, 6);
	CHECK_INT(e->proto, 60);
}

static void test_icmp(void)
{
	uint8_t b[64];
	struct test_packet p = syn;

	p.proto = IPPROTO_UDP;
	size_t n = ipv4(&p, b);
	b[9] = IPPROTO_ICMP;
	b[20] = 3;
	b[21] = 13;
	const struct nflog_event *e = packet_of(0x0800, b, n);
	CHECK_INT(e->dport, 3 << 8 | 13);
	CHECK_INT(e->sport, 0);
}

static void test_broken_packets_are_events(void)
{
	uint8_t b[64];
	size_t n = ipv4(&syn, b);

	for (size_t i = 0; i < n; i++) {
		const struct nflog_event *e = packet_of(0x0800, b, i);
		CHECK(i >= 20 ? e->family == 4 : e->family == 0);
		CHECK(i >= 24 ? e->dport == 443 : e->dport == 0);
	}
	b[0] = 0x65; /* version 6 in an IPv4 frame */
	CHECK_INT(packet_of(0x0800, b, n)->family, 0);
	b[0] = 0x41; /* header of 4 bytes */
	CHECK_INT(packet_of(0x0800, b, n)->family, 4);
	CHECK_INT(packet_of(0x0800, b, n)->dport, 0);
	b[0] = 0x4f; /* header of 60 bytes in 40 */
	CHECK_INT(packet_of(0x0800, b, n)->dport, 0);
	b[0] = 0x45;
	b[7] = 1; /* a later fragment */
	CHECK_INT(packet_of(0x0800, b, n)->dport, 0);
	CHECK_INT(packet_of(0x0806, b, n)->family, 0);
}

static void test_ethernet_header(void)
{
	static struct datagram d;
	const uint8_t ether[14] = {1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 8, 0};
	uint16_t type = htons(1);

	d.n = 0;
	begin(&d);
	attr32(&d, NFULA_MARK, 2);
	attr(&d, NFULA_HWTYPE, &type, sizeof(type));
	attr(&d, NFULA_HWHEADER, ether, sizeof(ether));
	end(&d);
	decode(d.b, d.n);
	CHECK(events[0].has_mac && events[0].dst_mac.b[5] == 6 && events[0].src_mac.b[5] == 12);
}

static void test_timestamp(void)
{
	static struct datagram d;
	struct nfulnl_msg_packet_timestamp t = {htobe64(1700000000), htobe64(250000)};

	d.n = 0;
	begin(&d);
	attr32(&d, NFULA_MARK, 2);
	attr(&d, NFULA_TIMESTAMP, &t, sizeof(t));
	end(&d);
	decode(d.b, d.n);
	CHECK_INT(events[0].time_ns, 1700000000250000000);
	t.sec = htobe64(UINT64_MAX);
	d.n = 0;
	begin(&d);
	attr32(&d, NFULA_MARK, 2);
	attr(&d, NFULA_TIMESTAMP, &t, sizeof(t));
	end(&d);
	decode(d.b, d.n);
	CHECK_INT(events[0].time_ns, 0);
}

static void test_broken_framing(void)
{
	static struct datagram d, cut;

	d.n = 0;
	add_packet(&d, &syn);
	size_t one = d.n;
	add_packet(&d, &syn);
	/* Cut anywhere: the first message survives once it is whole, and the break is counted. */
	for (size_t n = 1; n < d.n; n++) {
		struct nflog_counts c = decode(d.b, n);
		CHECK(c.events == (n >= one ? 1u : 0u));
		CHECK(n == one ? c.malformed == 0 : c.malformed == 1);
	}
	/* An attribute shorter than its own header: what came before it counts. */
	cut = d;
	cut.b[16 + 4 + 8 + 8] = 3;
	struct nflog_counts c = decode(cut.b, one);
	CHECK_INT(c.malformed, 1);
	CHECK_INT(c.events, 1);
	/* Without a mark nobody knows why: not an event. */
	cut.n = 0;
	begin(&cut);
	protocol(&cut, 0x0800);
	end(&cut);
	c = decode(cut.b, cut.n);
	CHECK_INT(c.events, 0);
	CHECK_INT(c.malformed, 1);
}

static void test_reason_out_of_table(void)
{
	struct nflog_event e = {.mark = 0xbb0000 | REASON_END};

	CHECK_INT(nflog_reason(&e), REASON_NONE);
	e.mark = 0xbb0000 | (REASON_END - 1);
	CHECK_INT(nflog_reason(&e), REASON_END - 1);
}

/* What the inspector said comes with its own refusals only, and only what the tables have. */
static void test_inspection(void)
{
	struct nflog_event e = {.mark = REFUSAL_MARK(REASON_APP_MISMATCH) | WHY_PROTOCOL << 8 | APP_SSH << 16};

	CHECK_INT(nflog_reason(&e), REASON_APP_MISMATCH);
	CHECK_INT(nflog_why(&e), WHY_PROTOCOL);
	CHECK_INT(nflog_seen(&e), APP_SSH);
	e.mark = REFUSAL_MARK(REASON_UNFITTING) | WHY_OVERLAP << 8;
	CHECK_INT(nflog_why(&e), WHY_OVERLAP);
	CHECK_INT(nflog_seen(&e), APP_NONE);
	e.mark = REFUSAL_MARK(REASON_APP_MISMATCH) | (uint32_t)WHY_END << 8 | (uint32_t)APP_END << 16;
	CHECK(nflog_why(&e) == WHY_NONE && nflog_seen(&e) == APP_NONE);
	e.mark = REFUSAL_MARK(REASON_NO_RULE) | WHY_PROTOCOL << 8 | APP_SSH << 16;
	CHECK(nflog_why(&e) == WHY_NONE && nflog_seen(&e) == APP_NONE);
}

int main(void)
{
	test_fields();
	test_many_in_one_datagram();
	test_ipv6_extensions();
	test_ipv6_chain_of_headers_is_bounded();
	test_icmp();
	test_broken_packets_are_events();
	test_ethernet_header();
	test_timestamp();
	test_broken_framing();
	test_reason_out_of_table();
	test_inspection();
	return test_end();
}
