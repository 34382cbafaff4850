/*
 * capture.h: the frames of a capture file: pcap in all its byte orders and clocks, pcapng, both also packed with gzip.
 */
#ifndef SEKISHO_INSPECT_CAPTURE_H
#define SEKISHO_INSPECT_CAPTURE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct capture;

struct frame {
	int64_t at; /* nanoseconds since 1970 */
	int linktype; /* DLT_* */
	const uint8_t *p; /* until the next call */
	size_t captured, wire;
};

/* A longer frame is no frame: the largest that libpcap writes, too. */
#define CAPTURE_FRAME_MAX (256u << 10)

/* Is this the beginning of a capture (packed or not)? n may be less than the file. */
bool capture_looks_like(const uint8_t *p, size_t n);

/* Takes the descriptor. Never NULL but without memory; what is wrong with the file capture_next() says. */
struct capture *capture_open(int fd);
void capture_close(struct capture *c); /* NULL is allowed */

/* 1: a frame; 0: the end; -1: the file is wrong from here on: capture_error(). */
int capture_next(struct capture *c, struct frame *ret);
/*
 * As many frames as there are at hand, at most max (at least 1); their number, or as above 0 or -1. All of them stay until
 * the next call.
 */
int capture_some(struct capture *c, struct frame *ret, int max);
const char *capture_error(const struct capture *c); /* text of the capture, until it is closed */

/* How far in the file, 0..1000; -1 when its size is not known. */
int capture_progress(const struct capture *c);

#endif
