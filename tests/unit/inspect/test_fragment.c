/* test_fragment.c: what fits together is put together, in any order; what does not spoils the datagram as a whole. */
#include "fragment.h"
#include "test.h"

#include <netinet/in.h>

static uint8_t datagram[9000]; /* UDP header and payload */
static struct fragments *f;
static uint32_t id;
static int64_t now;

static void begin(size_t n)
{
	f = fragments_new();
	id++;
	now += 1000;
	for (size_t i = 8; i < n; i++)
		datagram[i] = (uint8_t)(i * 7);
	memcpy(datagram, "\x9c\x40\x00\x35\0\0\0\0", 8);
	datagram[4] = (uint8_t)(n >> 8);
	datagram[5] = (uint8_t)n;
}

static struct packet piece(size_t offset, size_t n, bool more)
{
	struct packet p = {.at = now, .kind = PACKET_FRAGMENT, .src = {4, {10, 1, 0, 5}}, .dst = {4, {10, 2, 0, 8}},
		.payload = datagram + offset, .n = (uint32_t)n, .n_wire = (uint32_t)n, .frag_id = id,
		.frag_offset = (uint16_t)offset, .frag_more = more, .frag_proto = IPPROTO_UDP, .checksum_skipped = true};

	return p;
}

static struct packet whole;

static enum fragment_result give(size_t offset, size_t n, bool more)
{
	struct packet p = piece(offset, n, more);

	return fragment_add(f, &p, &whole);
}

static void end(enum fragment_result got, enum fragment_result want)
{
	CHECK_INT(got, want);
	fragments_free(f);
}

static void in_any_order(void)
{
	static const unsigned orders[][3] = {{0, 1, 2}, {0, 2, 1}, {1, 0, 2}, {1, 2, 0}, {2, 0, 1}, {2, 1, 0}};

	for (size_t i = 0; i < 6; i++) {
		begin(1000);
		for (unsigned k = 0; k < 3; k++) {
			unsigned at = orders[i][k];
			enum fragment_result r = give(400 * at, at == 2 ? 200 : 400, at != 2);
			CHECK_INT(r, k == 2 ? FRAGMENT_WHOLE : FRAGMENT_MORE);
		}
		CHECK_INT(whole.kind, PACKET_UDP);
		CHECK_INT(whole.dport, 53);
		CHECK_INT(whole.n, 992);
		CHECK(memcmp(whole.payload, datagram + 8, 992) == 0);
		/* The next of the same number is a new one. */
		end(give(0, 400, true), FRAGMENT_MORE);
	}
}

static void overlaps(void)
{
	static const struct {
		size_t offset, n;
		bool more;
	} bad[] = {{0, 400, true}, {392, 400, true}, {8, 8, true}, {400, 408, true}, {392, 1, false}, {800, 200, true}};

	for (size_t i = 0; i < 6; i++) {
		begin(1000);
		give(0, 400, true);
		give(800, 200, false);
		CHECK_INT(give(bad[i].offset, bad[i].n, bad[i].more), FRAGMENT_BAD);
		/* Nothing makes it good again, also not what would have fitted. */
		end(give(400, 400, true), FRAGMENT_BAD);
	}
	begin(1000);
	give(0, 400, true);
	give(800, 200, false);
	end(give(600, 200, false), FRAGMENT_BAD); /* another end */
	begin(1000);
	give(800, 200, true);
	end(give(400, 200, false), FRAGMENT_BAD); /* an end before what is there */
}

static void bounds(void)
{
	begin(1000);
	for (size_t i = 0; i < FRAGMENT_PIECES; i++)
		CHECK_INT(give(8 * i, 8, true), FRAGMENT_MORE);
	end(give(8 * FRAGMENT_PIECES, 8, true), FRAGMENT_BAD);
	/* The transport's header in two. */
	begin(1000);
	struct packet tcp = piece(0, 16, true);
	tcp.frag_proto = IPPROTO_TCP;
	end(fragment_add(f, &tcp, &whole), FRAGMENT_BAD);
	begin(1000);
	tcp = piece(0, 24, true);
	tcp.frag_proto = IPPROTO_TCP;
	datagram[12] = 0x70; /* 28 bytes of header */
	end(fragment_add(f, &tcp, &whole), FRAGMENT_BAD);
	/* Cut by the capture. */
	begin(1000);
	struct packet cut = piece(0, 400, true);
	cut.n = 300;
	end(fragment_add(f, &cut, &whole), FRAGMENT_BAD);
	/* Its time is over: what comes late begins anew. */
	begin(1000);
	give(0, 400, true);
	now += (FRAGMENT_SECONDS + 1) * INT64_C(1000000000);
	end(give(400, 600, false), FRAGMENT_MORE);
}

static void many_datagrams(void)
{
	begin(1000);
	for (uint32_t i = 0; i < 4 * FRAGMENT_CONTEXTS; i++) {
		id++;
		now += 1000;
		CHECK_INT(give(0, 400, true), FRAGMENT_MORE);
	}
	/* The newest are still there, the oldest gave way. */
	CHECK_INT(give(400, 600, false), FRAGMENT_WHOLE);
	id -= FRAGMENT_CONTEXTS + 1;
	end(give(400, 600, false), FRAGMENT_MORE);
}

/* Large beginnings until the memory is used up: then they are refused, and it comes back with time. */
static void memory(void)
{
	unsigned bad = 0;

	begin(9000);
	for (uint32_t i = 0; i < 1000; i++) {
		id++;
		bad += give(0, 8992, true) == FRAGMENT_BAD;
	}
	CHECK_INT(bad, 0); /* 256 datagrams of one piece are 4 MiB */
	for (uint32_t i = 0; i < 1000; i++) {
		id++;
		for (size_t k = 0; k < 8; k++)
			bad += give(1120 * k, 1120, true) == FRAGMENT_BAD;
	}
	CHECK(bad < 8000);
	now += (FRAGMENT_SECONDS + 1) * INT64_C(1000000000);
	id++;
	give(0, 4000, true);
	end(give(4000, 5000, false), FRAGMENT_WHOLE);
}

static void checksums(void)
{
	begin(1000);
	struct packet a = piece(0, 400, true), b = piece(400, 600, false);
	a.checksum_skipped = b.checksum_skipped = false;
	datagram[6] = 1; /* "none" would be right */
	fragment_add(f, &a, &whole);
	CHECK_INT(fragment_add(f, &b, &whole), FRAGMENT_WHOLE);
	CHECK(packet_checksum_bad(&whole));
	fragments_free(f);
}

int main(void)
{
	in_any_order();
	overlaps();
	bounds();
	many_datagrams();
	memory();
	checksums();
	return test_end();
}
