/* test_capture.c: captures in all byte orders and clocks, packed, cut off, damaged; the same frames come out of each. */
#include <fcntl.h>
#include <pcap/pcap.h>
#include <stdint.h>
#include <sys/mman.h>
#include <unistd.h>
#include <zlib.h>

#include <sekisho/buf.h>

#include "capture.h"
#include "test.h"

#define FRAMES 5000

static void put32(struct buf *b, uint32_t v, bool swapped)
{
	if (swapped)
		v = __builtin_bswap32(v);
	buf_add(b, &v, 4);
}

/* Frame i has i % 1500 bytes of the value i. */
static void make_pcap(struct buf *b, bool swapped, bool nano)
{
	uint8_t frame[1500];
	uint32_t version = swapped ? 0x00020004 : 0x00040002;

	put32(b, nano ? 0xa1b23c4d : 0xa1b2c3d4, swapped);
	buf_add(b, &version, 4);
	put32(b, 0, swapped);
	put32(b, 0, swapped);
	put32(b, 65535, swapped);
	put32(b, 1, swapped);
	for (unsigned i = 0; i < FRAMES; i++) {
		memset(frame, (int)i, sizeof(frame));
		put32(b, 1000 + i, swapped);
		put32(b, nano ? i * 1000 : i, swapped);
		put32(b, i % 1500, swapped);
		put32(b, i % 1500 + 4, swapped);
		buf_add(b, frame, i % 1500);
	}
}

static int as_file(const void *p, size_t n)
{
	int fd = memfd_create("capture", MFD_CLOEXEC);

	CHECK(fd >= 0 && write(fd, p, n) == (ssize_t)n && lseek(fd, 0, SEEK_SET) == 0);
	return fd;
}

/* Frames read; *ret_error gets a copy of the text at the end. */
static unsigned read_all(int fd, char error[256])
{
	struct capture *c = capture_open(fd);
	struct frame some[16];
	unsigned n = 0;
	bool good = true;
	int got;

	while ((got = capture_some(c, some, 1 + (int)(n % 16))) > 0) {
		for (const struct frame *f = some; f < some + got; f++, n++)
			good = good && f->captured == n % 1500 && f->wire == f->captured + 4 && f->linktype == DLT_EN10MB &&
			       f->at == (int64_t)(1000 + n) * 1000000000 + (int64_t)n * 1000 &&
			       (f->captured == 0 || (f->p[0] == (uint8_t)n && f->p[f->captured - 1] == (uint8_t)n));
	}
	CHECK(good);
	snprintf(error, 256, "%s", got < 0 ? capture_error(c) : "");
	capture_close(c);
	return n;
}

static void all_orders_and_clocks(void)
{
	char error[256];

	for (int kind = 0; kind < 4; kind++) {
		struct buf b = {0};
		make_pcap(&b, kind & 1, kind & 2);
		CHECK_INT(read_all(as_file(b.data, b.len), error), FRAMES);
		CHECK_STR(error, "");
		buf_free(&b);
	}
}

/* Two members, as gzip -c a; gzip -c b makes them: cut in the middle of a record. */
static void pack(struct buf *out, const uint8_t *p, size_t n)
{
	z_stream z = {0};

	CHECK_INT(deflateInit2(&z, 1, Z_DEFLATED, 16 + MAX_WBITS, 8, Z_DEFAULT_STRATEGY), Z_OK);
	size_t max = deflateBound(&z, n), old = out->len;
	z.next_out = buf_reserve(out, max);
	z.avail_out = (uInt)max;
	z.next_in = (Bytef *)(uintptr_t)p;
	z.avail_in = (uInt)n;
	CHECK_INT(deflate(&z, Z_FINISH), Z_STREAM_END);
	out->len = old + (max - z.avail_out);
	deflateEnd(&z);
}

static void packed(void)
{
	struct buf b = {0}, z = {0};
	char error[256];

	make_pcap(&b, false, false);
	pack(&z, b.data, b.len / 3);
	pack(&z, b.data + b.len / 3, b.len - b.len / 3);
	CHECK_INT(read_all(as_file(z.data, z.len), error), FRAMES);
	CHECK_STR(error, "");
	CHECK(read_all(as_file(z.data, z.len / 2), error) > FRAMES / 4);
	CHECK_STR(error, "the gzip file is cut off");
	z.data[z.len / 2] ^= 0xff;
	z.data[z.len / 2 + 1] ^= 0x55;
	CHECK(read_all(as_file(z.data, z.len), error) < FRAMES);
	CHECK(error[0] != '\0');
	buf_free(&b);
	buf_free(&z);
}

static void cut_and_damaged(void)
{
	struct buf b = {0};
	char error[256];

	make_pcap(&b, false, false);
	CHECK_INT(read_all(as_file(b.data, b.len - 1), error), FRAMES - 1);
	CHECK_STR(error, "the capture is cut off inside a record");
	CHECK_INT(read_all(as_file(b.data, 24 + 7), error), 0);
	CHECK_STR(error, "the capture is cut off inside a record");
	CHECK_INT(read_all(as_file(b.data, 20), error), 0);
	CHECK_STR(error, "the capture is cut off in its header");
	CHECK_INT(read_all(as_file(b.data, 0), error), 0);
	CHECK_STR(error, "the file is empty");
	CHECK_INT(read_all(as_file("set system hostname x\n", 22), error), 0);
	CHECK_STR(error, "the file is no capture");
	memset(b.data + 24 + 8, 0xff, 4);
	CHECK_INT(read_all(as_file(b.data, b.len), error), 0);
	CHECK_STR(error, "a record is longer than any frame");
	buf_free(&b);
}

/* A section header and an interface, then one packet block; written by hand after the pcapng draft. */
static void pcapng(void)
{
	struct buf b = {0}, z = {0};
	char error[256];
	const uint32_t head[] = {0x0a0d0d0a, 28, 0x1a2b3c4d, 0x00000001, 0xffffffff, 0xffffffff, 28, 1, 20, 1, 65535, 20};
	const uint32_t packet[] = {6, 32, 0, 0, 1000000000, 0, 4, 32};

	buf_add(&b, head, sizeof(head));
	buf_add(&b, packet, sizeof(packet));
	/* Time 1000 s as microseconds, an empty frame that had four bytes: what frame 0 is above. */
	CHECK_INT(read_all(as_file(b.data, b.len), error), 1);
	CHECK_STR(error, "");
	pack(&z, b.data, b.len);
	CHECK_INT(read_all(as_file(z.data, z.len), error), 1);
	CHECK_INT(read_all(as_file(b.data, b.len - 9), error), 0);
	CHECK(error[0] != '\0');
	buf_free(&b);
	buf_free(&z);
}

int main(void)
{
	all_orders_and_clocks();
	packed();
	cut_and_damaged();
	pcapng();
	return test_end();
}
