/* test_rate.c: what one client asks in a second, over all its flows. */
#include "rate.h"

#include <sekisho/inspect.h>

#include <netinet/in.h>
#include <stdlib.h>
#include <string.h>

#include "test.h"

#define SECOND 1000000000ll

static const uint8_t secret[16] = "a secret of test";

static struct addr client(uint32_t n)
{
	struct addr a = {.family = 4, .b = {10, (uint8_t)(n >> 16), (uint8_t)(n >> 8), (uint8_t)n}};

	return a;
}

static void test_counts(void)
{
	struct rates *r = rates_new(secret);
	struct addr a = client(1), b = client(2), six = {.family = 6, .b = {10, 0, 0, 1}};
	int one, two;

	for (uint32_t i = 1; i <= 100; i++)
		CHECK_INT(rates_count(r, &a, &one, 5 * SECOND + i), i);
	CHECK_INT(rates_count(r, &b, &one, 5 * SECOND), 1);
	CHECK_INT(rates_count(r, &a, &two, 5 * SECOND), 1); /* another policy */
	CHECK_INT(rates_count(r, &six, &one, 5 * SECOND), 1); /* another family */
	CHECK_INT(rates_count(r, &a, &one, 6 * SECOND - 1), 101);
	CHECK_INT(rates_count(r, &a, &one, 6 * SECOND), 1);
	rates_free(r);
}

/* More clients than there are places: nobody is counted less than he asked, and the next second is clean. */
static void test_crowd(void)
{
	struct rates *r = rates_new(secret);
	uint32_t more = 0;
	const uint32_t clients = 20000;

	for (uint32_t n = 0; n < clients; n++) {
		struct addr a = client(n);
		for (uint32_t i = 1; i <= 3; i++) {
			uint32_t got = rates_count(r, &a, NULL, 9 * SECOND);
			CHECK(got >= i);
			more += got > i;
		}
	}
	CHECK(more > 0); /* the table is too small for all of them, and says so by counting too much */
	more = 0;
	for (uint32_t n = 0; n < 1000; n++) {
		struct addr a = client(n);
		more += rates_count(r, &a, NULL, 10 * SECOND) != 1;
	}
	CHECK_INT(more, 0);
	rates_free(r);
}

static const struct verify_policy ten = {.application = APP_DNS, .rate = 10};

static const struct verify_policy *policy_of(void *arg, const struct packet *p, uint32_t *ret_tag)
{
	(void)arg;
	(void)p;
	*ret_tag = 0;
	return &ten;
}

/* A question for www.example from its own port. */
static enum inspect_code ask(struct inspector *in, uint32_t who, uint16_t port, int64_t at)
{
	uint8_t q[] = "\0\0\x01\0\0\1\0\0\0\0\0\0\3www\7example\0\0\1\0\1";
	struct packet p = {.at = at, .kind = PACKET_UDP, .l4 = IPPROTO_UDP, .src = client(who), .dst = client(0x20035),
		.sport = port, .dport = 53, .payload = q, .n = sizeof(q) - 1, .n_wire = sizeof(q) - 1};

	memcpy(q, &port, 2);
	return inspector_packet(in, &p).code;
}

/* As resolvers do: each question from another port, so each is a flow of its own. */
static void test_flows(void)
{
	struct inspect_options opt = {.flows = 1024};
	struct inspect_hooks hooks = {.policy = policy_of};
	struct inspector *in;
	unsigned passed = 0;

	memcpy(opt.secret, secret, 16);
	in = inspector_new(&opt, &hooks);
	for (uint16_t i = 0; i < 50; i++)
		passed += ask(in, 1, (uint16_t)(40000 + i), 3 * SECOND + i) == INSPECT_FORWARD;
	CHECK_INT(passed, 10);
	CHECK_INT(inspector_counters(in)->why[WHY_RATE], 40);
	CHECK_INT(ask(in, 2, 40000, 3 * SECOND + 60), INSPECT_FORWARD); /* another machine */
	CHECK_INT(ask(in, 1, 41000, 4 * SECOND), INSPECT_FORWARD);	 /* the next second */
	inspector_free(in);
}

int main(void)
{
	test_counts();
	test_crowd();
	test_flows();
	return test_end();
}
