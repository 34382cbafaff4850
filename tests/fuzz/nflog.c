/* nflog.c: any bytes as a datagram of the kernel's log, decoded and counted. */
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>

#include "aggregate.h"
#include "nflog.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static uint64_t called;

static void count(void *arg, const struct nflog_event *e)
{
	called++;
	agg_add(arg, e, 1, 1);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	static struct agg *agg;
	static struct agg_item items[AGG_MAX];
	struct agg_batch batch = {.items = items, .cap = AGG_MAX, .next_sequence = 1};
	struct nflog_counts counts = {0};
	uint64_t sum = 0;

	if (agg == NULL && (agg = agg_new()) == NULL)
		abort();
	called = 0;
	nflog_decode(data, size, count, agg, &counts);
	agg_take(agg, &batch, true);
	for (size_t i = 0; i < batch.n; i++)
		sum += items[i].delta;
	/* Whatever came: every event is counted once, and only what broke is broken. */
	if (counts.events != called || sum != called || counts.events > size / 16)
		abort();
	return 0;
}
