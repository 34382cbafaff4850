/* test_flood.c: too many mails in a minute: thresholds, time, senders that are many, and who resumes. */
#include "test.h"

#include <sekisho/flood.h>
#include <sekisho/ir.h>

#define MINUTE 60000

static struct flood f;
static enum flood_event event;

static void begin(uint32_t slow, uint32_t stop, uint32_t sender_slow, uint32_t sender_stop)
{
	static const uint64_t key[2] = {1, 2};
	const struct ir_mail m = {.slow = slow, .stop = stop, .sender_slow = sender_slow, .sender_stop = sender_stop};

	flood_begin(&f, key);
	flood_limits(&f, &m);
}

/* So many mails at once; how many of them were taken. */
static unsigned send(unsigned n, int64_t now, const char *sender)
{
	unsigned taken = 0;

	for (unsigned i = 0; i < n; i++)
		taken += flood_mail(&f, now, sender, &event) == MAIL_REASON_NONE;
	return taken;
}

static void test_direction(void)
{
	begin(10, 100, 0, 0);
	CHECK_INT(send(10, 1000, "a@x"), 10);
	CHECK_INT(flood_mail(&f, 1000, "b@x", &event), MAIL_REASON_FLOOD_SLOW);
	CHECK_INT(event, FLOOD_SLOWED);
	CHECK_INT(flood_mail(&f, 1000, "b@x", &event), MAIL_REASON_FLOOD_SLOW);
	CHECK_INT(event, FLOOD_CALM); /* said once a minute */
	CHECK_INT(flood_rate(&f, 1000), 12);
	CHECK_INT(send(88, 1000, "c@x"), 0);
	CHECK(!f.stopped);
	CHECK_INT(flood_mail(&f, 1000, "c@x", &event), MAIL_REASON_FLOOD_STOPPED);
	CHECK(f.stopped && event == FLOOD_STOPPED_NOW);
	/* It stays so, whatever the time and the policy, until someone resumes. */
	CHECK_INT(flood_mail(&f, 100 * MINUTE, "d@x", &event), MAIL_REASON_FLOOD_STOPPED);
	CHECK_INT(event, FLOOD_CALM);
	flood_limits(&f, NULL);
	CHECK_INT(flood_mail(&f, 100 * MINUTE, "", &event), MAIL_REASON_FLOOD_STOPPED);
	CHECK(flood_resume(&f, ""));
	CHECK(!flood_resume(&f, ""));
	CHECK_INT(send(1000, 100 * MINUTE, "d@x"), 1000); /* no limit any more */
}

/* A minute fades, it does not end at a stroke. */
static void test_time(void)
{
	begin(10, 0, 0, 0);
	CHECK_INT(send(10, MINUTE - 1, ""), 10);
	CHECK_INT(send(1, MINUTE, ""), 0);
	CHECK_INT(flood_rate(&f, MINUTE + MINUTE / 2), 6); /* half of ten, and the one put off */
	CHECK_INT(send(9, MINUTE + MINUTE / 2, ""), 4);
	CHECK_INT(flood_rate(&f, 2 * MINUTE + MINUTE - 1), 0);
	CHECK_INT(send(10, 3 * MINUTE, ""), 10);
	CHECK_INT(flood_rate(&f, 500 * (int64_t)MINUTE), 0);
	CHECK_INT(send(10, 500 * (int64_t)MINUTE, ""), 10);
	CHECK_INT(send(1, 500 * (int64_t)MINUTE, ""), 0);
	CHECK_INT(event, FLOOD_SLOWED); /* told anew in another minute */
}

static void test_sender(void)
{
	begin(0, 0, 3, 6);
	CHECK_INT(send(3, 0, "a@x"), 3);
	CHECK_INT(send(3, 0, "b@x"), 3);
	CHECK_INT(flood_mail(&f, 0, "A@X", &event), MAIL_REASON_FLOOD_SLOW); /* the same in other letters */
	CHECK_INT(event, FLOOD_SENDER_SLOWED);
	CHECK_INT(send(2, 0, "a@x"), 0);
	CHECK_INT(flood_mail(&f, 0, "a@x", &event), MAIL_REASON_FLOOD_STOPPED);
	CHECK_INT(event, FLOOD_SENDER_STOPPED);
	CHECK(f.nstopped == 1 && !f.stopped);
	CHECK_INT(flood_mail(&f, 9 * MINUTE, "a@X", &event), MAIL_REASON_FLOOD_STOPPED);
	CHECK_INT(send(3, 9 * MINUTE, "b@x"), 3); /* others are not stopped */
	CHECK(!flood_resume(&f, "c@x"));
	CHECK(flood_resume(&f, "a@x"));
	CHECK_INT(send(3, 9 * MINUTE, "a@x"), 3);
	/* Reports about mail come from nobody: no sender's threshold holds for them. */
	CHECK_INT(send(100, 9 * MINUTE, ""), 100);
}

/* More stopped senders than have room: then it is the direction's flood. */
static void test_many_stopped(void)
{
	char name[32];

	begin(0, 0, 0, 1);
	for (unsigned i = 0; i < FLOOD_STOPPED; i++) {
		snprintf(name, sizeof(name), "s%u@x", i);
		send(2, 0, name);
		CHECK_INT(f.nstopped, i + 1);
	}
	CHECK(!f.stopped);
	send(1, 0, "one@x");
	CHECK_INT(flood_mail(&f, 0, "one@x", &event), MAIL_REASON_FLOOD_STOPPED);
	CHECK(f.stopped && event == FLOOD_STOPPED_NOW);
	CHECK(flood_resume(&f, "s3@x"));
	CHECK_INT(f.nstopped, FLOOD_STOPPED - 1);
	CHECK(f.stopped); /* one sender's release is not everybody's */
	CHECK(flood_resume(&f, ""));
	CHECK(!f.stopped && f.nstopped == 0);
	flood_stop(&f, "s9@x");
	flood_stop(&f, "s9@x");
	CHECK_INT(f.nstopped, 1);
	CHECK_INT(send(1, 0, "s9@x"), 0);
	flood_stop(&f, "");
	CHECK(f.stopped);
}

/* Forged senders push each other out; none is ever counted too high, and the direction counts them all. */
static void test_forged(void)
{
	char name[32];
	unsigned taken = 0;

	begin(0, 0, 5, 0);
	for (unsigned i = 0; i < 50000; i++) {
		snprintf(name, sizeof(name), "%u@x", i);
		taken += send(1, i, name);
	}
	CHECK_INT(taken, 50000);
	CHECK(flood_rate(&f, 49999) >= 49000);
	/* Who goes on sending among them is still seen: his counter is never the longest silent. */
	taken = 0;
	for (unsigned i = 0; i < 1000; i++) {
		snprintf(name, sizeof(name), "%u@y", i);
		send(1, 10 * MINUTE + i, name);
		taken += send(1, 10 * MINUTE + i, "loud@y");
	}
	CHECK_INT(taken, 5);
}

int main(void)
{
	test_direction();
	test_time();
	test_sender();
	test_many_stopped();
	test_forged();
	return test_end();
}
