/*
 * heads.h: the beginnings of the last dropped packets of one NFLOG group, for evidence: a ring in memory, nothing on the disk.
 */
#ifndef LOG_HEADS_H
#define LOG_HEADS_H

#include <stddef.h>
#include <stdint.h>

/* Packets per group; with their times some 40 KB. What an NFLOG rule hands over is 128 bytes (snaplen). */
#define HEADS_MAX 256
#define HEADS_BYTES 128

struct buf;

struct heads {
	struct head {
		int64_t time_ns; /* wall */
		uint32_t length; /* of the whole packet */
		uint16_t n;	 /* bytes kept */
		uint8_t bytes[HEADS_BYTES];
	} head[HEADS_MAX];
	unsigned next, n;
};

void heads_add(struct heads *h, int64_t time_ns, const uint8_t *packet, size_t n, uint32_t length);
/* The header of a capture file of IP packets, and the packets of one ring, oldest first. */
void heads_pcap_begin(struct buf *out);
unsigned heads_pcap(const struct heads *h, struct buf *out);

#endif
