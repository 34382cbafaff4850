/* test_aggregate.c: repeats are counted, floods widen the keys, and the sum is always exact. */
#include "test.h"

#include "aggregate.h"

static struct agg_item items[2 * AGG_MAX];
static struct agg_batch batch;

static void take(struct agg *a, bool close)
{
	batch.items = items;
	batch.cap = sizeof(items) / sizeof(items[0]);
	batch.n = 0;
	agg_take(a, &batch, close);
}

static struct nflog_event drop(unsigned reason, uint32_t src, uint32_t dst, uint16_t port)
{
	struct nflog_event e = {.mark = 0xbb0000 | reason, .in = 3, .out = 4, .family = 4, .proto = 6, .sport = 1000,
		.dport = port, .length = 60, .has_mac = true};

	for (int i = 0; i < 4; i++) {
		e.src[i] = (uint8_t)(src >> (24 - 8 * i));
		e.dst[i] = (uint8_t)(dst >> (24 - 8 * i));
	}
	return e;
}

static uint64_t sum(void)
{
	uint64_t n = 0;

	for (size_t i = 0; i < batch.n; i++)
		n += items[i].delta;
	return n;
}

static void test_repeats(void)
{
	struct agg *a = agg_new();
	struct nflog_event e = drop(REASON_NO_RULE, 0x0a010a05, 0x0a020008, 443);

	batch.next_sequence = 10;
	for (int i = 0; i < 1000; i++) {
		e.sport++; /* the source's port does not part them */
		agg_add(a, &e, 7, 5000 + i);
	}
	take(a, false);
	CHECK_INT(batch.n, 1);
	CHECK_INT(items[0].window.count, 1000);
	CHECK_INT(items[0].window.sequence, 10);
	CHECK(items[0].fresh);
	CHECK_INT(items[0].window.first_ns, 5000);
	CHECK_INT(items[0].window.last_ns, 5999);
	CHECK_INT(items[0].window.sport, 1001);
	CHECK_INT(items[0].window.key.generation, 7);
	take(a, false);
	CHECK_INT(batch.n, 0);
	agg_add(a, &e, 7, 7000);
	take(a, true);
	CHECK_INT(batch.n, 1);
	CHECK(!items[0].fresh);
	CHECK_INT(items[0].delta, 1);
	CHECK_INT(items[0].window.count, 1001);
	/* Closed: the next event opens a new window. */
	agg_add(a, &e, 7, 8000);
	take(a, false);
	CHECK(items[0].fresh && items[0].window.count == 1 && items[0].window.sequence == 11);
	CHECK_INT(agg_received(a)[REASON_NO_RULE], 1002);
	agg_free(a);
}

static void test_what_parts_windows(void)
{
	struct agg *a = agg_new();
	struct nflog_event base = drop(REASON_NO_RULE, 1, 2, 3), e;

	agg_add(a, &base, 1, 1);
	e = base, e.src[3]++;
	agg_add(a, &e, 1, 1);
	e = base, e.dst[3]++;
	agg_add(a, &e, 1, 1);
	e = base, e.dport++;
	agg_add(a, &e, 1, 1);
	e = base, e.proto++;
	agg_add(a, &e, 1, 1);
	e = base, e.in++;
	agg_add(a, &e, 1, 1);
	e = base, e.src_mac.b[5]++;
	agg_add(a, &e, 1, 1);
	e = base, e.mark++;
	agg_add(a, &e, 1, 1);
	agg_add(a, &base, 2, 1);
	e = base, e.tcp_flags = 18, e.length = 9, e.sport = 7;
	agg_add(a, &e, 1, 1);
	take(a, false);
	CHECK_INT(batch.n, 9);
	CHECK_INT(items[0].window.count, 2);
	agg_free(a);
}

static void test_time_of_the_kernel(void)
{
	struct agg *a = agg_new();
	struct nflog_event e = drop(REASON_NO_RULE, 1, 2, 3);

	e.time_ns = 77;
	agg_add(a, &e, 1, 1000);
	e.time_ns = 55; /* backwards: what was last is last */
	agg_add(a, &e, 1, 1000);
	take(a, false);
	CHECK_INT(items[0].window.first_ns, 77);
	CHECK_INT(items[0].window.last_ns, 55);
	agg_free(a);
}

/* A flood of ever new addresses: memory is fixed, the widths come one after the other, nothing is lost. */
static void test_flood(void)
{
	struct agg *a = agg_new();
	const uint64_t n = 300000;
	uint64_t widths[AGG_WIDTHS] = {0}, count[AGG_WIDTHS] = {0};

	batch.next_sequence = 1;
	for (uint64_t i = 0; i < n; i++) {
		struct nflog_event e = drop(REASON_SPOOF, (uint32_t)(i * 2654435761u), (uint32_t)(i * 40503u), (uint16_t)i);
		e.proto = (uint8_t)i; /* more paths than there is room for */
		agg_add(a, &e, 1, 1);
	}
	take(a, false);
	CHECK_INT(sum(), n);
	CHECK_INT(agg_received(a)[REASON_SPOOF], n);
	for (size_t i = 0; i < batch.n; i++) {
		widths[items[i].window.key.width]++;
		count[items[i].window.key.width] += items[i].window.count;
	}
	CHECK_INT(widths[AGG_EXACT], AGG_MAX_EXACT);
	CHECK_INT(widths[AGG_NET], AGG_MAX_NET);
	CHECK_INT(widths[AGG_PATH], AGG_MAX_PATH);
	CHECK_INT(widths[AGG_REASON], 1);
	CHECK(count[AGG_REASON] > count[AGG_EXACT]);
	/* A row by networks keeps no host bits and no port. */
	for (size_t i = 0; i < batch.n; i++)
		if (items[i].window.key.width == AGG_NET)
			CHECK(items[i].window.key.src[3] == 0 && items[i].window.key.dport == 0 && !items[i].window.has_mac);
	/* Known windows still count exactly while the flood goes on. */
	struct nflog_event first = drop(REASON_SPOOF, 0, 0, 0);
	first.proto = 0;
	agg_add(a, &first, 1, 1);
	take(a, false);
	CHECK_INT(batch.n, 1);
	CHECK_INT(items[0].window.key.width, AGG_EXACT);
	/* After the windows closed there is room again. */
	take(a, true);
	struct nflog_event e = drop(REASON_SPOOF, 0xdeadbeef, 1, 1);
	agg_add(a, &e, 1, 1);
	take(a, false);
	CHECK_INT(items[0].window.key.width, AGG_EXACT);
	agg_free(a);
}

/* Every reason has its last window, whatever the generation. */
static void test_widest_is_always_there(void)
{
	struct agg *a = agg_new();
	uint64_t n = 0;

	batch.next_sequence = 1;
	for (uint32_t g = 0; g < 50; g++) {
		for (unsigned r = 0; r < 256; r++) {
			for (uint32_t i = 0; i < 40; i++, n++) {
				struct nflog_event e = drop(r, i * 7919 + g, r * 31 + i, (uint16_t)g);
				e.in = i;
				agg_add(a, &e, g, 1);
			}
		}
	}
	take(a, true);
	CHECK_INT(sum(), n);
	CHECK(batch.n <= AGG_MAX);
	agg_free(a);
}

static void test_forget(void)
{
	struct agg *a = agg_new();
	struct nflog_event e1 = drop(REASON_NO_RULE, 1, 2, 3), e2 = drop(REASON_MAC, 4, 5, 6);

	batch.next_sequence = 1;
	agg_add(a, &e1, 1, 10);
	agg_add(a, &e2, 1, 10);
	take(a, false);
	agg_add(a, &e1, 1, 20);
	agg_forget(a);
	/* Only what was not taken is left, under a new number. */
	take(a, false);
	CHECK_INT(batch.n, 1);
	CHECK(items[0].fresh && items[0].delta == 1 && items[0].window.count == 1);
	CHECK_INT(items[0].window.sequence, 3);
	CHECK_INT(items[0].window.key.reason, REASON_NO_RULE);
	agg_add(a, &e1, 1, 30);
	agg_add(a, &e2, 1, 30);
	take(a, false);
	CHECK_INT(batch.n, 2);
	CHECK(!items[0].fresh && items[0].window.count == 2);
	CHECK(items[1].fresh);
	agg_free(a);
}

/* The first word of the inspector stays, also when it comes after the window was taken; wide windows have none. */
static void test_inspection(void)
{
	struct agg *a = agg_new();
	struct nflog_event e = drop(REASON_APP_MISMATCH, 0x0a010a05, 0x0a020008, 443);

	batch.next_sequence = 1;
	agg_add(a, &e, 1, 10);
	take(a, false);
	CHECK(items[0].window.why == 0 && items[0].window.seen == 0);
	e.mark = REFUSAL_MARK(REASON_APP_MISMATCH) | WHY_PROTOCOL << 8 | APP_SSH << 16;
	agg_add(a, &e, 1, 11);
	e.mark = REFUSAL_MARK(REASON_APP_MISMATCH) | WHY_SERVER_NAME << 8 | APP_TLS << 16;
	agg_add(a, &e, 1, 12);
	take(a, false);
	CHECK(batch.n == 1 && !items[0].fresh && items[0].window.count == 3);
	CHECK(items[0].window.why == WHY_PROTOCOL && items[0].window.seen == APP_SSH);
	for (uint32_t i = 0; i < 2 * AGG_MAX_EXACT; i++) {
		struct nflog_event f = drop(REASON_APP_MISMATCH, 0x0a020000 + i, 0x0a020008, 443);
		f.mark = e.mark;
		agg_add(a, &f, 1, 20);
	}
	take(a, true);
	for (size_t i = 0; i < batch.n; i++)
		CHECK((items[i].window.key.width == AGG_EXACT) == (items[i].window.why != 0));
	agg_free(a);
}

static void test_ipv6_network(void)
{
	CHECK_INT(agg_prefix(AGG_EXACT, 6), 128);
	CHECK_INT(agg_prefix(AGG_NET, 6), 64);
	CHECK_INT(agg_prefix(AGG_NET, 4), 24);
	CHECK_INT(agg_prefix(AGG_PATH, 6), 0);
}

int main(void)
{
	test_repeats();
	test_what_parts_windows();
	test_time_of_the_kernel();
	test_flood();
	test_widest_is_always_there();
	test_forget();
	test_ipv6_network();
	test_inspection();
	return test_end();
}
