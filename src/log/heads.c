/*
 * heads.c: the last dropped packets' beginnings (see heads.h). The file is libpcap's classic form, link type RAW (101): IP
 * packets without a frame. Bytes of the network are copied and never looked into. Limits: HEADS_MAX packets, oldest go first.
 */
#include "heads.h"

#include <string.h>

#include <sekisho/buf.h>

#define PCAP_MAGIC 0xa1b23c4du /* times in nanoseconds */
#define LINKTYPE_RAW 101

void heads_add(struct heads *h, int64_t time_ns, const uint8_t *packet, size_t n, uint32_t length)
{
	struct head *to = &h->head[h->next];

	if (packet == NULL || n == 0)
		return;
	*to = (struct head){.time_ns = time_ns, .n = (uint16_t)(n < HEADS_BYTES ? n : HEADS_BYTES)};
	to->length = length > to->n ? length : to->n;
	memcpy(to->bytes, packet, to->n);
	h->next = (h->next + 1) % HEADS_MAX;
	h->n += h->n < HEADS_MAX;
}

void heads_pcap_begin(struct buf *out)
{
	const struct {
		uint32_t magic;
		uint16_t major, minor;
		uint32_t zone, digits, snaplen, link;
	} head = {PCAP_MAGIC, 2, 4, 0, 0, HEADS_BYTES, LINKTYPE_RAW};

	buf_add(out, &head, sizeof(head));
}

unsigned heads_pcap(const struct heads *h, struct buf *out)
{
	for (unsigned i = 0; i < h->n; i++) {
		const struct head *p = &h->head[(h->next + HEADS_MAX - h->n + i) % HEADS_MAX];
		const uint32_t record[4] = {(uint32_t)(p->time_ns / 1000000000),
			(uint32_t)(p->time_ns % 1000000000), p->n, p->length};
		buf_add(out, record, sizeof(record));
		buf_add(out, p->bytes, p->n);
	}
	return h->n;
}
