/* test_inspector.c: flows from their first packet to their last, with verifiers that are simple (toy.h). */
#include "gate.h"
#include "test.h"
#include "toy.h"
#include "traffic.h"

static const struct verify_policy accepts = {.application = TOY_ACCEPTS};

static void a_plain_conversation_passes(void)
{
	struct gate g;
	struct traffic t;
	struct talk k;

	traffic_init(&t);
	talk_init(&k, &t, 40000, 22);
	talk_open(&k);
	talk_say(&k, 'c', "Q\003abc", 5);
	talk_say(&k, 's', "A\003abc", 5);
	talk_say(&k, 'c', "anything", 8);
	gate_open(&g, &accepts, false);
	gate_run(&g, &t);
	CHECK_INT(g.last.code, INSPECT_PASS);
	CHECK_INT(g.passed, 1);
	CHECK_INT(g.refused, 0);
	CHECK_STR(g.flow.server_name, "toy");
	CHECK_INT(g.flow.level, LEVEL_RELATES);
	CHECK_INT(g.flow.payload_packets[0], 1);
	CHECK_INT(g.flow.client_port, 40000);
	gate_close(&g);
	CHECK_INT(g.ended, 1);
	traffic_free(&t);
}

int main(void)
{
	a_plain_conversation_passes();
	return test_end();
}
