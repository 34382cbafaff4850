/*
 * mix.c: many small captures into one large one, for measuring: each file several times with other addresses, spread
 * over a span of time and mixed packet by packet.
 *
 * usage: mix OUT COPIES SECONDS < list of files
 *
 * Ethernet captures only; what is no capture or has another link type is left out and counted. Gaps inside a file are cut to
 * a second. Copy k adds k to the second byte of IPv4 addresses (the fourth of IPv6), and the checksums are put right
 * (RFC 1624), so a copy's checksums are as good or bad as the original's.
 */
#include "capture.h"

#include <endian.h>
#include <fcntl.h>
#include <pcap/pcap.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define GAP_MAX 1000000000

struct frame_kept {
	int64_t at; /* from the file's first */
	uint32_t n, wire;
	uint8_t *p;
};

struct entry {
	int64_t at;
	const struct frame_kept *frame;
	uint32_t copy;
};

static struct frame_kept *kept;
static size_t nkept, kept_cap;
static size_t *file_first; /* index of each file's first frame; one more at the end */
static size_t nfiles, left_out;

static void *grow(void *p, size_t n, size_t *cap, size_t size)
{
	if (n < *cap)
		return p;
	*cap = *cap == 0 ? 1024 : *cap * 2;
	p = realloc(p, *cap * size);
	if (p == NULL)
		abort();
	return p;
}

static void load(const char *path)
{
	int fd = open(path, O_RDONLY | O_CLOEXEC);
	struct capture *c = fd < 0 ? NULL : capture_open(fd);
	struct frame f;
	int64_t at = 0, last = 0;
	size_t first = nkept;

	while (c != NULL && capture_next(c, &f) == 1 && f.linktype == DLT_EN10MB) {
		int64_t gap = nkept == first ? 0 : f.at - last;
		last = f.at;
		at += gap < 0 ? 0 : gap > GAP_MAX ? GAP_MAX : gap;
		kept = grow(kept, nkept, &kept_cap, sizeof(*kept));
		kept[nkept] = (struct frame_kept){at, (uint32_t)f.captured, (uint32_t)f.wire, malloc(f.captured + 1)};
		if (kept[nkept].p == NULL)
			abort();
		memcpy(kept[nkept++].p, f.p, f.captured);
	}
	capture_close(c);
	left_out += nkept == first;
	file_first[nfiles++] = first;
}

/* RFC 1624: a 16-bit word of what the checksum covers changes from a to b. */
static void put_right(uint8_t *sum, uint16_t a, uint16_t b)
{
	uint16_t old;

	memcpy(&old, sum, 2);
	uint32_t x = (uint32_t)(uint16_t)~be16toh(old) + (uint16_t)~a + b;
	x = (x & 0xffff) + (x >> 16);
	x = (x & 0xffff) + (x >> 16);
	uint16_t now = htobe16((uint16_t)~x);
	memcpy(sum, &now, 2);
}

static void change(uint8_t *word, uint32_t copy, uint8_t *sums[2])
{
	uint16_t a = (uint16_t)(word[0] << 8 | word[1]), b = (uint16_t)((a & 0xff00) | ((a + copy) & 0xff));

	word[1] = (uint8_t)b;
	for (int i = 0; i < 2; i++)
		if (sums[i] != NULL)
			put_right(sums[i], a, b);
}

static uint8_t *l4_sum(uint8_t proto, uint8_t *l4, const uint8_t *end)
{
	size_t off = proto == 6 ? 16 : proto == 17 ? 6 : proto == 58 ? 2 : 0;

	if (off == 0 || l4 + off + 2 > end || (proto == 17 && l4[6] == 0 && l4[7] == 0))
		return NULL;
	return l4 + off;
}

static void remap(uint8_t *p, size_t n, uint32_t copy)
{
	size_t at = 12;
	const uint8_t *end = p + n;

	while (at + 2 <= n && ((p[at] == 0x81 && p[at + 1] == 0) || (p[at] == 0x88 && p[at + 1] == 0xa8)))
		at += 4;
	if (at + 2 > n)
		return;
	uint8_t *ip = p + at + 2;
	bool four = p[at] == 0x08 && p[at + 1] == 0, six = p[at] == 0x86 && p[at + 1] == 0xdd;
	if (four && ip + 20 <= end) {
		bool whole = ((ip[6] & 0x1f) | ip[7]) == 0;
		uint8_t *l4 = whole && ip + (ip[0] & 15) * 4 <= end ? l4_sum(ip[9], ip + (ip[0] & 15) * 4, end) : NULL;
		uint8_t *sums[2] = {ip + 10, l4};
		change(ip + 12, copy, sums);
		change(ip + 16, copy, sums);
	} else if (six && ip + 40 <= end) {
		uint8_t *sums[2] = {NULL, l4_sum(ip[6], ip + 40, end)};
		change(ip + 10, copy, sums);
		change(ip + 26, copy, sums);
	}
}

static int by_time(const void *pa, const void *pb)
{
	const struct entry *a = pa, *b = pb;

	if (a->at != b->at)
		return a->at < b->at ? -1 : 1;
	return a->frame < b->frame ? -1 : a->frame > b->frame;
}

static struct entry *order(uint32_t copies, int64_t seconds)
{
	struct entry *e = calloc(nkept * copies + 1, sizeof(*e));
	size_t n = 0;

	if (e == NULL)
		abort();
	for (uint32_t k = 0; k < copies; k++) {
		for (size_t i = 0; i < nfiles; i++) {
			/* Spread evenly, the same in each run. */
			int64_t start = (int64_t)((i * 2654435761u + k * 40503u) % 1000003) * seconds * 1000;
			for (size_t f = file_first[i]; f < file_first[i + 1]; f++)
				e[n++] = (struct entry){start + kept[f].at, &kept[f], k};
		}
	}
	qsort(e, n, sizeof(*e), by_time);
	return e;
}

int main(int argc, char **argv)
{
	static char path[4096];
	static uint8_t frame[CAPTURE_FRAME_MAX];
	size_t cap = 0;

	if (argc != 4)
		return 2;
	uint32_t copies = (uint32_t)atoi(argv[2]);
	FILE *out = fopen(argv[1], "wb");
	while (fgets(path, sizeof(path), stdin) != NULL) {
		path[strcspn(path, "\n")] = '\0';
		file_first = grow(file_first, nfiles + 1, &cap, sizeof(*file_first));
		load(path);
	}
	if (out == NULL || nkept == 0)
		return 1;
	file_first[nfiles] = nkept;
	struct entry *e = order(copies, atoi(argv[3]));
	const uint32_t head[6] = {0xa1b23c4d, 0x00040002, 0, 0, CAPTURE_FRAME_MAX, 1};
	fwrite(head, sizeof(head), 1, out);
	uint64_t bytes = sizeof(head), n = nkept * (uint64_t)copies;
	for (uint64_t i = 0; i < n; i++) {
		const struct frame_kept *f = e[i].frame;
		uint32_t record[4] = {(uint32_t)(1700000000 + e[i].at / 1000000000), (uint32_t)(e[i].at % 1000000000),
			f->n, f->wire};
		memcpy(frame, f->p, f->n);
		remap(frame, f->n, e[i].copy);
		fwrite(record, sizeof(record), 1, out);
		fwrite(frame, f->n, 1, out);
		bytes += sizeof(record) + f->n;
	}
	printf("{\"files\":%zu,\"left_out\":%zu,\"frames\":%llu,\"bytes\":%llu}\n", nfiles - left_out, left_out,
		(unsigned long long)n, (unsigned long long)bytes);
	return fclose(out) == 0 ? 0 : 1;
}
