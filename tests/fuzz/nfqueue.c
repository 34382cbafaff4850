/* nfqueue.c: any bytes as a datagram of a packet queue: decoded, and each packet in it decoded. */
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>

#include <sekisho/inspect.h>

#include "queue.h"

#define LINK_RAW 12 /* DLT_RAW */

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

struct given {
	const uint8_t *data;
	size_t size;
	uint64_t called;
};

static void look(void *arg, const struct queue_packet *q)
{
	struct given *g = arg;
	struct packet p;

	g->called++;
	if (q->n > 0 && (q->bytes < g->data || q->bytes + q->n > g->data + g->size))
		abort();
	if ((q->bytes == NULL && q->n != 0) || q->n_wire < q->n)
		abort();
	packet_decode(&p, LINK_RAW, q->bytes, q->n, q->n_wire, q->checksum_open ? PACKET_SKIP_CHECKSUM : 0);
	if (p.n > 0 && (p.payload < q->bytes || p.payload + p.n > q->bytes + q->n))
		abort();
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct given g = {data, size, 0};
	struct queue_counts counts = {0};

	queue_decode(data, size, look, &g, &counts);
	if (counts.packets != g.called || counts.packets > size / 16)
		abort();
	return 0;
}
