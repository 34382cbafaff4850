/*
 * test_queue.c: messages of the kernel's packet queues, as it lays them out, and broken in every place. With a directory:
 * writes good ones there, as a fuzzing corpus.
 */
#include "test.h"

#include <arpa/inet.h>
#include <linux/netfilter/nfnetlink.h>
#include <linux/netfilter/nfnetlink_queue.h>
#include <linux/netlink.h>

#include "queue.h"

static uint8_t buf[4096];
static size_t len, message_at;

static void put(const void *p, size_t n)
{
	memcpy(buf + len, p, n);
	len += n;
}

static void attr(uint16_t type, const void *p, size_t n)
{
	struct nlattr a = {(uint16_t)(sizeof(a) + n), type};

	put(&a, sizeof(a));
	put(p, n);
	while (len % 4 != 0)
		buf[len++] = 0;
}

static void attr32(uint16_t type, uint32_t v)
{
	v = htonl(v);
	attr(type, &v, sizeof(v));
}

static void begin(uint16_t type)
{
	struct nlmsghdr h = {.nlmsg_type = type};
	struct nfgenmsg g = {2, 0, htons(200)};

	message_at = len;
	put(&h, sizeof(h));
	put(&g, sizeof(g));
}

static void end(void)
{
	uint32_t n = (uint32_t)(len - message_at);

	memcpy(buf + message_at, &n, sizeof(n));
}

#define PACKET (NFNL_SUBSYS_QUEUE << 8 | NFQNL_MSG_PACKET)

static const uint8_t syn[40] = {0x45, 0, 0, 40, 0, 1, 0x40, 0, 64, 6, 0x26, 0xc7, 10, 1, 0, 5, 10, 2, 0, 8, 0x30, 0x39,
	0x01, 0xbb, 0, 0, 0, 1, 0, 0, 0, 0, 0x50, 2, 0xff, 0xff, 0, 0};

static void message(uint32_t id, uint32_t info, uint32_t whole)
{
	struct nfqnl_msg_packet_hdr hdr = {htonl(id), htons(0x0800), 2};

	begin(PACKET);
	attr(NFQA_PACKET_HDR, &hdr, sizeof(hdr));
	attr32(NFQA_IFINDEX_INDEV, 4);
	attr32(NFQA_IFINDEX_OUTDEV, 7);
	attr32(NFQA_MARK, 0x00003074);
	if (whole != 0)
		attr32(NFQA_CAP_LEN, whole);
	if (info != 0)
		attr32(NFQA_SKB_INFO, info);
	attr(NFQA_PAYLOAD, syn, sizeof(syn));
	end();
}

static struct queue_packet got[64];
static unsigned ngot;

static void keep(void *arg, const struct queue_packet *p)
{
	(void)arg;
	if (ngot < 64)
		got[ngot] = *p;
	ngot++;
}

static struct queue_counts decode(size_t n)
{
	struct queue_counts c = {0};

	ngot = 0;
	queue_decode(buf, n, keep, NULL, &c);
	CHECK_INT(c.packets, ngot);
	return c;
}

static void test_fields(void)
{
	len = 0;
	message(77, 0, 0);
	struct queue_counts c = decode(len);
	CHECK(c.packets == 1 && c.malformed == 0);
	CHECK(got[0].id == 77 && got[0].mark == 0x3074 && got[0].in == 4 && got[0].out == 7 && !got[0].checksum_open);
	CHECK(got[0].n == sizeof(syn) && got[0].n_wire == sizeof(syn) && memcmp(got[0].bytes, syn, sizeof(syn)) == 0);
	len = 0;
	message(1, NFQA_SKB_CSUMNOTREADY, 0);
	message(2, NFQA_SKB_GSO, 70000);
	message(3, NFQA_SKB_CSUM_NOTVERIFIED, 10); /* not verified by the card: ours to verify; a cut that is none */
	c = decode(len);
	CHECK(c.packets == 3 && c.malformed == 0);
	CHECK(got[0].checksum_open && got[1].checksum_open && !got[2].checksum_open);
	CHECK(got[1].n == sizeof(syn) && got[1].n_wire == 70000 && got[2].n_wire == sizeof(syn));
}

/* What else comes on such a socket: the kernel's word on a verdict for a packet that is gone. */
static void test_others(void)
{
	int32_t error = -2;

	len = 0;
	begin(NLMSG_ERROR);
	put(&error, sizeof(error));
	end();
	message(5, 0, 0);
	struct queue_counts c = decode(len);
	CHECK(c.packets == 1 && c.malformed == 0 && got[0].id == 5);
}

/* Cut anywhere: never more than was there; a packet that is named is a packet, and its bytes are whole or none. */
static void test_cut(void)
{
	len = 0;
	message(9, NFQA_SKB_GSO, 0);
	size_t whole = len;
	for (size_t n = 0; n < whole; n++) {
		uint8_t copy[512];
		uint32_t shorter = (uint32_t)n;
		struct queue_counts c = {0};
		ngot = 0;
		/* The frame is cut: the message says more than there is. */
		memcpy(copy, buf, n);
		queue_decode(copy, n, keep, NULL, &c);
		CHECK(ngot == 0 && (n == 0 || c.malformed == 1));
		if (n < sizeof(struct nlmsghdr))
			continue;
		/* The message itself is: its last attribute is broken. */
		memcpy(copy, &shorter, sizeof(shorter));
		c = (struct queue_counts){0};
		queue_decode(copy, n, keep, NULL, &c);
		CHECK(ngot <= 1);
		CHECK(ngot == 0 || (got[0].id == 9 && (got[0].n == 0 || got[0].n == sizeof(syn))));
		CHECK(ngot == 1 || c.malformed == 1);
	}
}

static void test_nameless(void)
{
	len = 0;
	begin(PACKET);
	attr(NFQA_PAYLOAD, syn, sizeof(syn));
	end();
	struct queue_counts c = decode(len);
	CHECK(c.packets == 0 && c.malformed == 1);
	/* An attribute that is shorter than its own head. */
	len = 0;
	begin(PACKET);
	struct nlattr bad = {2, NFQA_PACKET_HDR};
	put(&bad, sizeof(bad));
	end();
	c = decode(len);
	CHECK(c.packets == 0 && c.malformed == 1);
}

static void save(const char *dir, const char *name)
{
	char path[512];

	snprintf(path, sizeof(path), "%s/%s", dir, name);
	FILE *f = fopen(path, "w");
	if (f == NULL || fwrite(buf, 1, len, f) != len || fclose(f) != 0)
		exit(1);
}

static int write_corpus(const char *dir)
{
	len = 0;
	message(1, 0, 0);
	save(dir, "syn");
	len = 0;
	message(1, NFQA_SKB_GSO, 70000);
	message(2, NFQA_SKB_CSUMNOTREADY, 0);
	save(dir, "two");
	len = 0;
	begin(NLMSG_ERROR);
	end();
	begin(PACKET);
	attr(NFQA_PAYLOAD, syn, sizeof(syn));
	end();
	save(dir, "nameless");
	return 0;
}

int main(int argc, char **argv)
{
	if (argc == 2)
		return write_corpus(argv[1]);
	test_fields();
	test_others();
	test_cut();
	test_nameless();
	return test_end();
}
