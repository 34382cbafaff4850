/* test_packet.c: frames of every link into fields; what is broken is said to be, and nothing beyond the end is read. */
#include "test.h"
#include "traffic.h"

#define ETHERNET 1
#define TCP_ "45000028 00010000 40060000 0a010005 0a020008  9c400016 00000001 00000002 50100400 00000000"
#define TCP6 "60000000 00140640 20010db8000000000000000000000001 20010db8000000000000000000000002" \
	" 9c400016 00000001 00000002 50100400 00000000"

static size_t unhex(const char *digits, uint8_t *out)
{
	size_t n = 0;
	int high = -1;

	for (; *digits != '\0'; digits++) {
		int v = *digits >= '0' && *digits <= '9' ? *digits - '0' : *digits >= 'a' ? *digits - 'a' + 10 : -1;
		if (v < 0)
			continue;
		if (high >= 0)
			out[n++] = (uint8_t)(high << 4 | v);
		high = high >= 0 ? -1 : v;
	}
	return n;
}

static struct packet decode_cut(int link, const char *digits, size_t cut, unsigned flags)
{
	static uint8_t bytes[4096];
	size_t n = unhex(digits, bytes);
	struct packet p = {.at = 7};
	uint8_t *exact = malloc(n - cut + (n == cut));

	memcpy(exact, bytes, n - cut);
	packet_decode(&p, link, exact, n - cut, n, flags);
	CHECK(p.payload == NULL || (p.payload >= exact && p.payload + p.n <= exact + (n - cut)));
	CHECK_INT(p.at, 7);
	p.checksum_bad = packet_checksum_bad(&p);
	p.payload = p.segment = NULL;
	free(exact);
	return p;
}

static struct packet decode(int link, const char *digits)
{
	return decode_cut(link, digits, 0, PACKET_SKIP_CHECKSUM);
}

static void is_ssh(const struct packet *p)
{
	CHECK_INT(p->kind, PACKET_TCP);
	CHECK_INT(p->sport, 40000);
	CHECK_INT(p->dport, 22);
	CHECK_INT(p->seq, 1);
	CHECK_INT(p->ack, 2);
	CHECK_INT(p->flags, PACKET_ACK);
	CHECK_INT(p->window, 0x400);
	CHECK_INT(p->n, 0);
	CHECK_INT(p->wscale, 0xff);
	CHECK_INT(p->src.b[p->src.family == 4 ? 3 : 15], p->src.family == 4 ? 5 : 1);
}

static void links(void)
{
	static const struct {
		int link;
		const char *head;
		uint32_t zone;
		bool v6;
	} cases[] = {
		{1, "020000000002 020000000001 0800", 0, false},
		{1, "020000000002 020000000001 86dd", 0, true},
		{1, "020000000002 020000000001 8100 0007 0800", 7, false},
		{1, "020000000002 020000000001 8100 e000 0800", 0, false},
		{1, "020000000002 020000000001 88a8 0064 8100 2007 0800", 100 << 12 | 7, false},
		{1, "020000000002 020000000001 9100 0064 8100 0007 86dd", 100 << 12 | 7, true},
		{1, "020000000002 020000000001 8864 1100 0001 002a 0021", 0, false},
		{1, "020000000002 020000000001 8100 0007 8864 1100 0001 003e 0057", 7, true},
		{113, "0000 0001 0006 020000000001 0000 0800", 0, false},
		{276, "86dd 0000 00000001 0001 00 06 0200000000010000", 0, true},
		{0, "02000000", 0, false},
		{0, "0000001e", 0, true},
		{108, "00000002", 0, false},
		{108, "00000018", 0, true},
		{12, "", 0, false},
		{14, "", 0, true},
		{101, "", 0, true},
		{228, "", 0, false},
		{229, "", 0, true},
		{239, "02000000 0800 0100 00000000 0500 0a00 41000000 2c00 0900", 0, false},
	};

	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		char digits[512];
		snprintf(digits, sizeof(digits), "%s %s", cases[i].head, cases[i].v6 ? TCP6 : TCP_);
		struct packet p = decode(cases[i].link, digits);
		is_ssh(&p);
		CHECK_INT(p.zone, cases[i].zone);
		CHECK(packet_link_known(cases[i].link));
	}
	CHECK(!packet_link_known(105));
	CHECK_INT(decode(105, TCP_).kind, PACKET_OTHER);
}

/* Digits that must be no flow, and why. */
static void refused(void)
{
	static const struct {
		const char *digits;
		enum inspect_why why;
	} cases[] = {
		/* IPv4: version, header length, options, total length too small and too large, reserved bit */
		{"55000028 00010000 40060000 0a010005 0a020008 9c400016 00000001 00000002 50100400 00000000", WHY_HEADER},
		{"44000028 00010000 40060000 0a010005 0a020008 9c400016 00000001 00000002 50100400 00000000", WHY_HEADER},
		{"4600002c 00010000 40060000 0a010005 0a020008 01010101 9c400016 00000001 00000002 50100400 00000000",
			WHY_HEADER},
		{"45000013 00010000 40060000 0a010005 0a020008 9c400016 00000001 00000002 50100400 00000000", WHY_HEADER},
		{"45000029 00010000 40060000 0a010005 0a020008 9c400016 00000001 00000002 50100400 00000000", WHY_HEADER},
		{"45000028 00018000 40060000 0a010005 0a020008 9c400016 00000001 00000002 50100400 00000000", WHY_HEADER},
		/* TCP: offset too small, beyond the end; no flags, SYN with FIN, FIN with RST; port 0; itself */
		{"45000028 00010000 40060000 0a010005 0a020008 9c400016 00000001 00000002 40100400 00000000", WHY_HEADER},
		{"45000028 00010000 40060000 0a010005 0a020008 9c400016 00000001 00000002 60100400 00000000", WHY_HEADER},
		{"45000028 00010000 40060000 0a010005 0a020008 9c400016 00000001 00000002 50000400 00000000", WHY_HEADER},
		{"45000028 00010000 40060000 0a010005 0a020008 9c400016 00000001 00000002 50030400 00000000", WHY_HEADER},
		{"45000028 00010000 40060000 0a010005 0a020008 9c400016 00000001 00000002 50150400 00000000", WHY_HEADER},
		{"45000028 00010000 40060000 0a010005 0a020008 9c400000 00000001 00000002 50100400 00000000", WHY_HEADER},
		{"45000028 00010000 40060000 0a010005 0a010005 00160016 00000001 00000002 50100400 00000000", WHY_HEADER},
		/* options of TCP: a length of one, one beyond the header */
		{"4500002c 00010000 40060000 0a010005 0a020008 9c400016 00000001 00000002 60100400 00000000 02010000",
			WHY_HEADER},
		{"4500002c 00010000 40060000 0a010005 0a020008 9c400016 00000001 00000002 60100400 00000000 01010304",
			WHY_HEADER},
		/* UDP: shorter and longer than the packet; port 0 */
		{"4500001d 00010000 40110000 0a010005 0a020008 9c400035 00070000 41", WHY_HEADER},
		{"4500001e 00010000 40110000 0a010005 0a020008 9c400035 00090000 4142", WHY_HEADER},
		{"4500001d 00010000 40110000 0a010005 0a020008 9c400035 000a0000 41", WHY_HEADER},
		{"4500001d 00010000 40110000 0a010005 0a020008 9c400000 00090000 41", WHY_HEADER},
		/* packets in packets: IPIP, 6in4, GRE, ESP, L2TP, VXLAN, Teredo */
		{"45000018 00010000 40040000 0a010005 0a020008 45000000", WHY_ENCAPSULATED},
		{"45000018 00010000 40290000 0a010005 0a020008 60000000", WHY_ENCAPSULATED},
		{"45000018 00010000 402f0000 0a010005 0a020008 00000800", WHY_ENCAPSULATED},
		{"45000018 00010000 40320000 0a010005 0a020008 00000000", WHY_ENCAPSULATED},
		{"45000018 00010000 40730000 0a010005 0a020008 00000000", WHY_ENCAPSULATED},
		{"4500001d 00010000 40110000 0a010005 0a020008 9c4012b5 00090000 41", WHY_ENCAPSULATED},
		{"4500001d 00010000 40110000 0a010005 0a020008 9c400dd8 00090000 41", WHY_ENCAPSULATED},
		/* no flow, and nothing wrong: ICMP, SCTP */
		{"4500001c 00010000 40010000 0a010005 0a020008 08000000 00010001", WHY_NONE},
		{"45000020 00010000 40840000 0a010005 0a020008 0b800b80 00000000 00000000", WHY_NONE},
	};

	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		struct packet p = decode(101, cases[i].digits);
		CHECK_INT(p.kind, PACKET_OTHER);
		CHECK_STR(inspect_why_word(p.why), inspect_why_word(cases[i].why));
	}
	CHECK_INT(decode(101, cases[27].digits).l4, 132);
}

static void ethertypes(void)
{
	static const struct {
		const char *head;
		enum inspect_why why;
	} cases[] = {
		{"8100 0001 8100 0001 8100 0001 0800", WHY_HEADER},
		{"8847 00001140", WHY_ENCAPSULATED},
		{"88e7 0000", WHY_ENCAPSULATED},
		{"0806 0001", WHY_NONE},
		{"0026 424203", WHY_NONE},
		{"8863 1109", WHY_NONE},
		{"8864 1100 0001 002b 0021", WHY_HEADER}, /* longer than the frame */
		{"8864 1200 0001 002a 0021", WHY_HEADER},
		{"8864 1100 0001 000a c021", WHY_NONE}, /* LCP */
		{"8864 1100 0001 0010 0021", WHY_HEADER}, /* cuts the packet inside */
	};

	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		char digits[512];
		snprintf(digits, sizeof(digits), "020000000002 020000000001 %s " TCP_, cases[i].head);
		struct packet p = decode(1, digits);
		CHECK_INT(p.kind, PACKET_OTHER);
		CHECK_STR(inspect_why_word(p.why), inspect_why_word(cases[i].why));
	}
}

#define SIX(length, next) "60000000 " length next "40 20010db8000000000000000000000001 20010db8000000000000000000000002 "
#define SEGMENT " 9c400016 00000001 00000002 50100400 00000000"

static void extension_headers(void)
{
	static const struct {
		const char *digits;
		int is; /* 1: passes, 2: fragment, 0: header, -1: encapsulated */
	} cases[] = {
		{SIX("001c", "00") "0600 0104 00000000" SEGMENT, 1},		/* PadN */
		{SIX("001c", "00") "0600 0502 0000 0000" SEGMENT, 1},		/* router alert, Pad1 twice */
		{SIX("001c", "3c") "0600 0104 00000000" SEGMENT, 1},
		{SIX("001c", "3c") "0600 0502 0000 0000" SEGMENT, 0},		/* router alert for an end host */
		{SIX("001c", "00") "0600 0104 00000001" SEGMENT, 0},		/* PadN that carries something */
		{SIX("001c", "00") "0600 c204 00010000" SEGMENT, 0},		/* jumbo */
		{SIX("001c", "00") "0600 010a 00000000" SEGMENT, 0},		/* option beyond the header */
		{SIX("001c", "00") "06ff 0104 00000000" SEGMENT, 0},		/* header beyond the packet */
		{SIX("001c", "2b") "0600 0000 00000000" SEGMENT, 0},		/* routing */
		{SIX("001c", "87") "0600 0000 00000000" SEGMENT, 0},		/* mobility */
		{SIX("0024", "3c") "0000 0104 00000000 0600 0104 00000000" SEGMENT, 0}, /* hop by hop not first */
		{SIX("002c", "00") "3c00 0104 00000000 3c00 0104 00000000 0600 0104 00000000" SEGMENT, 1},
		{SIX("0034", "00") "3c00 0104 00000000 3c00 0104 00000000 3c00 0104 00000000 0600 0104 00000000" SEGMENT, 0},
		{SIX("001c", "2c") "0600 0000 00000009" SEGMENT, 1},		/* atomic */
		{SIX("0024", "2c") "2c00 0000 00000009 0600 0000 00000009" SEGMENT, 0},
		{SIX("0020", "2c") "0600 0001 00000009" SEGMENT " 00000000", 2},
		{SIX("0020", "2c") "0600 0008 00000009" SEGMENT " 00000000", 2},
		{SIX("0020", "2c") "3c00 0001 00000009" SEGMENT " 00000000", 0}, /* the chain goes on in a fragment */
		{SIX("001c", "2c") "0600 0001 00000009" SEGMENT, -2},		/* not a multiple of eight */
		{SIX("001c", "33") "0600 0000 00000000" SEGMENT, -1},		/* AH */
		{SIX("0014", "3b") SEGMENT, -3},				/* nothing follows */
		{SIX("0015", "06") SEGMENT, 0},					/* longer than the frame */
	};

	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		struct packet p = decode(101, cases[i].digits);
		static const enum inspect_why whys[] = {WHY_HEADER, WHY_ENCAPSULATED, WHY_FRAGMENTS, WHY_NONE};
		CHECK_INT(p.kind, cases[i].is == 1 ? PACKET_TCP : cases[i].is == 2 ? PACKET_FRAGMENT : PACKET_OTHER);
		if (cases[i].is == 1)
			is_ssh(&p);
		else if (cases[i].is <= 0)
			CHECK_STR(inspect_why_word(p.why), inspect_why_word(whys[-cases[i].is]));
	}
}

static void ipv4_fragments(void)
{
	struct packet p = decode(101, "45000028 00012003 40060000 0a010005 0a020008" SEGMENT);

	CHECK_INT(p.kind, PACKET_OTHER); /* 20 bytes and more to come */
	CHECK_INT(p.why, WHY_FRAGMENTS);
	p = decode(101, "45000028 abcd0003 40060000 0a010005 0a020008" SEGMENT);
	CHECK_INT(p.kind, PACKET_FRAGMENT);
	CHECK_INT(p.frag_offset, 24);
	CHECK_INT(p.frag_id, 0xabcd);
	CHECK_INT(p.frag_proto, 6);
	CHECK(!p.frag_more);
	CHECK_INT(p.n, 20);
	p = decode(101, "45000028 abcd1fff 40060000 0a010005 0a020008" SEGMENT); /* the ping of death */
	CHECK_INT(p.why, WHY_FRAGMENTS);
}

static void tcp_options(void)
{
	struct packet p = decode(101, "4500003c 00010000 40060000 0a010005 0a020008 9c400016 00000001 00000000 a0020400 00000000"
				      " 020405b4 0402 080a 01020304 05060708 01 030307");

	CHECK_INT(p.kind, PACKET_TCP);
	CHECK_INT(p.flags, PACKET_SYN);
	CHECK_INT(p.wscale, 7);
	CHECK(p.has_ts);
	CHECK_INT(p.ts_val, 0x01020304);
	CHECK_INT(p.ts_ecr, 0x05060708);
}

static void checksums(void)
{
	static const char *const addresses[][2] = {{"10.1.0.5", "10.2.0.8"}, {"2001:db8::1", "2001:db8::2"}};
	static const uint8_t payload[] = "thirteen bytes";

	for (size_t v = 0; v < 2; v++) {
		for (size_t n = 0; n < 14; n++) {
			struct traffic t;
			struct segment s = {.sport = 1, .dport = 2, .flags = PACKET_ACK, .wscale = -1};
			struct packet p;
			traffic_init(&t);
			addr_parse(addresses[v][0], &s.src);
			addr_parse(addresses[v][1], &s.dst);
			traffic_segment(&t, &s, payload, n);
			s.bad_checksum = true;
			traffic_segment(&t, &s, payload, n);
			traffic_datagram(&t, &s.src, &s.dst, 1, 2, payload, n);
			for (size_t i = 0; i < 3; i++) {
				packet_decode(&p, ETHERNET, t.v[i].bytes, t.v[i].n, t.v[i].n, 0);
				CHECK_INT(packet_checksum_bad(&p), i == 1);
				CHECK_INT(p.n, n);
				packet_decode(&p, ETHERNET, t.v[i].bytes, t.v[i].n, t.v[i].n, PACKET_SKIP_CHECKSUM);
				CHECK(!packet_checksum_bad(&p));
			}
			traffic_free(&t);
		}
	}
	/* None over IPv4 is right, none over IPv6 is not; a wrong one of the IP header is. */
	CHECK(!decode_cut(101, "4500001d 00010000 401165cb 0a010005 0a020008 9c400035 00090000 41", 0, 0).checksum_bad ||
		decode_cut(101, "4500001d 00010000 40110000 0a010005 0a020008 9c400035 00090000 41", 0, 0).checksum_bad);
	CHECK(decode_cut(101, SIX("0009", "11") "9c400035 00090000 41", 0, 0).checksum_bad);
	CHECK(decode_cut(101, "4500001d 00010000 40110001 0a010005 0a020008 9c400035 00090000 41", 0, 0).checksum_bad);
}

/* Every cut of every frame: no read beyond it (the sanitizer sees), and never a wrong field. */
static void cut_captures(void)
{
	static const char *const frames[] = {
		"020000000002 020000000001 88a8 0064 8100 2007 0800 " TCP_,
		"020000000002 020000000001 8864 1100 0001 003e 0057 " TCP6,
		"020000000002 020000000001 86dd " SIX("002c", "00") "3c00 0104 00000000 2c00 0104 00000000"
		" 0600 0000 00000009" SEGMENT,
	};
	uint8_t scratch[512];

	for (size_t i = 0; i < 3; i++) {
		size_t n = unhex(frames[i], scratch);
		for (size_t cut = 1; cut <= n; cut++)
			CHECK_INT(decode_cut(1, frames[i], cut, 0).kind, PACKET_OTHER);
	}
	/* With the payload cut the fields are right, the length of the wire is known, and no checksum is wrong. */
	struct packet p = decode_cut(101, "45000021 00010000 401165c6 0a010005 0a020008 9c400035 000d1234 4142434445", 3, 0);
	CHECK_INT(p.kind, PACKET_UDP);
	CHECK_INT(p.n, 2);
	CHECK_INT(p.n_wire, 5);
}

int main(void)
{
	links();
	refused();
	ethertypes();
	extension_headers();
	ipv4_fragments();
	tcp_options();
	checksums();
	cut_captures();
	return test_end();
}
