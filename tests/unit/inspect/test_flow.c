/* test_flow.c: the table keeps what it has, finds both directions, is full when it is full, and nobody takes it all. */
#include "flow.h"
#include "test.h"

static const uint8_t secret[16] = "not so secret..";

static struct packet packet(uint32_t client, uint16_t port)
{
	struct packet p = {.kind = PACKET_TCP, .l4 = 6, .src.family = 4, .dst.family = 4, .sport = port, .dport = 22};

	p.src.b[0] = 10;
	p.src.b[1] = (uint8_t)(client >> 16);
	p.src.b[2] = (uint8_t)(client >> 8);
	p.src.b[3] = (uint8_t)client;
	p.dst = (struct addr){4, {10, 200, 0, 1}};
	return p;
}

static struct flow *add(struct flow_table *t, uint32_t client, uint16_t port)
{
	struct packet p = packet(client, port);
	struct flow_key k;
	bool high = flow_key_of(&k, &p);
	struct flow *f = flow_add(t, &k, flow_hash(t, &k));

	if (f != NULL) {
		f->flags = high ? FLOW_CLIENT_HIGH : 0;
		f->state = FLOW_SYN;
	}
	return f;
}

static struct flow *find(struct flow_table *t, uint32_t client, uint16_t port, bool turned)
{
	struct packet p = packet(client, port), q = p;
	struct flow_key k;

	if (turned) {
		q.src = p.dst;
		q.dst = p.src;
		q.sport = p.dport;
		q.dport = p.sport;
	}
	flow_key_of(&k, &q);
	return flow_find(t, &k, flow_hash(t, &k));
}

static void both_directions(void)
{
	struct flow_table *t = flow_table_new(100, secret);
	struct flow *f = add(t, 5, 1000);
	struct addr a;
	uint16_t port;

	CHECK(find(t, 5, 1000, false) == f);
	CHECK(find(t, 5, 1000, true) == f);
	CHECK(find(t, 5, 1001, true) == NULL);
	CHECK(find(t, 6, 1000, false) == NULL);
	flow_end(f, 0, &a, &port);
	CHECK_INT(port, 1000);
	CHECK_INT(a.b[3], 5);
	flow_end(f, 1, &a, &port);
	CHECK_INT(port, 22);
	CHECK_INT(a.b[1], 200);
	flow_table_free(t);
}

/* Every part of the key counts. */
static void keys_differ(void)
{
	struct flow_table *t = flow_table_new(100, secret);
	struct packet a = packet(5, 1000), b;
	struct flow_key ka, kb;

	flow_key_of(&ka, &a);
	for (int i = 0; i < 6; i++) {
		b = a;
		b.zone += i == 0;
		b.l4 += i == 1;
		b.dport += i == 2;
		b.src.b[0] ^= i == 3;
		b.dst.b[3] ^= i == 4;
		if (i == 5)
			b.src.family = b.dst.family = 6;
		flow_key_of(&kb, &b);
		CHECK(flow_hash(t, &ka) != flow_hash(t, &kb));
		flow_add(t, &ka, flow_hash(t, &ka));
		CHECK(flow_find(t, &kb, flow_hash(t, &kb)) == NULL);
		flow_remove(t, flow_find(t, &ka, flow_hash(t, &ka)));
	}
	flow_table_free(t);
}

/* The table takes as many as it says (two choices of twelve places each), loses none, and says when it is full. */
static void full(void)
{
	enum { N = 40000 };
	struct flow_table *t = flow_table_new(N, secret);
	uint32_t lost = 0;

	for (uint32_t i = 0; i < N; i++)
		CHECK(add(t, i, (uint16_t)(1 + i % 7)) != NULL);
	CHECK(add(t, N, 1) == NULL);
	CHECK_INT(flow_count(t), N);
	for (uint32_t i = 0; i < N; i++)
		lost += find(t, i, (uint16_t)(1 + i % 7), i % 2 != 0) == NULL;
	CHECK_INT(lost, 0);
	for (uint32_t i = 0; i < N; i += 2)
		flow_remove(t, find(t, i, (uint16_t)(1 + i % 7), false));
	CHECK_INT(flow_count(t), N / 2);
	for (uint32_t i = 0; i < N; i++)
		lost += (find(t, i, (uint16_t)(1 + i % 7), false) == NULL) != (i % 2 == 0);
	CHECK_INT(lost, 0);
	for (uint32_t i = 0; i < N; i += 2)
		CHECK(add(t, i, 9) != NULL);
	CHECK_INT(flow_places(t), N);
	flow_table_free(t);
}

static void waiting_in_order(void)
{
	struct flow_table *t = flow_table_new(400, secret);
	struct flow *f[100];

	for (uint32_t i = 0; i < 100; i++) {
		f[i] = add(t, i, 1);
		CHECK(!flow_waiting_full(t));
		CHECK(flow_wait(t, f[i], true));
	}
	CHECK(flow_waiting_full(t));
	CHECK(flow_oldest_waiting(t) == f[0]);
	flow_answered(t, f[0]);
	flow_answered(t, f[2]);
	flow_remove(t, f[1]);
	CHECK(flow_oldest_waiting(t) == f[3]);
	CHECK_INT(flow_waiting(t), 97);
	/* The place of one that is gone is used again: it is not mistaken for the old one. */
	f[1] = add(t, 1000, 1);
	flow_wait(t, f[1], true);
	CHECK(flow_oldest_waiting(t) == f[3]);
	for (uint32_t i = 3; i < 100; i++)
		flow_answered(t, f[i]);
	CHECK(flow_oldest_waiting(t) == f[1]);
	flow_answered(t, f[1]);
	CHECK(flow_oldest_waiting(t) == NULL);
	CHECK_INT(flow_waiting(t), 0);
	flow_table_free(t);
}

static void one_source_takes_its_share(void)
{
	struct flow_table *t = flow_table_new(4096, secret);
	unsigned taken = 0;

	for (uint16_t i = 1; i < 1000; i++)
		taken += flow_wait(t, add(t, 5, i), true);
	CHECK_INT(taken, 4096 / FLOW_UNANSWERED_SHARE / FLOW_SOURCE_SHARE);
	CHECK(flow_wait(t, add(t, 6, 1), true));
	CHECK(flow_wait(t, add(t, 5, 2000), false));
	flow_table_free(t);
}

/* Many through a small table: what waits long enough in the ring is forgotten in order, nothing is lost on the way. */
static void a_ring_for_ever(void)
{
	struct flow_table *t = flow_table_new(64, secret);

	for (uint32_t i = 0; i < 5000; i++) {
		if (flow_waiting_full(t)) {
			struct flow *old = flow_oldest_waiting(t);
			CHECK(old != NULL);
			flow_remove(t, old);
		}
		struct flow *f = add(t, i, 1);
		CHECK(f != NULL && flow_wait(t, f, true));
		if (i % 3 == 0) {
			flow_answered(t, f);
			flow_remove(t, f);
		}
	}
	CHECK_INT(flow_waiting(t), 16);
	CHECK_INT(flow_count(t), 16);
	flow_table_free(t);
}

int main(void)
{
	both_directions();
	keys_differ();
	full();
	waiting_in_order();
	one_source_takes_its_share();
	a_ring_for_ever();
	return test_end();
}
