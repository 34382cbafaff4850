/* test_pace.c: bursts become one mail, storms a few, a dead server is asked ever more rarely. */
#include "pace.h"
#include "test.h"

#define HOUR (3600 * INT64_C(1000))

static void test_gather(void)
{
	struct pace p = {0};

	CHECK_INT(pace_when(&p, PACE_NOTICES, 5000), 5000 + PACE_GATHER_MS);
	CHECK_INT(pace_when(&p, PACE_TEST, 5000), 5000);
	CHECK_INT(pace_when(&p, PACE_REPORT, 5000), 5000);
	pace_sent(&p, PACE_NOTICES, 20000);
	CHECK_INT(pace_when(&p, PACE_NOTICES, 21000), 20000 + PACE_SPACING_MS);
	CHECK_INT(pace_when(&p, PACE_TEST, 21000), 20000 + PACE_TEST_MS);
	CHECK_INT(pace_when(&p, PACE_REPORT, 21000), 21000);
	CHECK_INT(pace_when(&p, PACE_NOTICES, 20000 + HOUR), 20000 + HOUR + PACE_GATHER_MS);
}

/* A notice each second for a day. */
static void test_storm(void)
{
	struct pace p = {0};
	unsigned mails = 0, first_hour = 0;
	int64_t since = 0, last = -HOUR;

	for (int64_t now = 0; now < 24 * HOUR; now += 1000) {
		if (now < pace_when(&p, PACE_NOTICES, since))
			continue;
		CHECK(now - last >= PACE_SPACING_MS);
		last = now;
		pace_sent(&p, PACE_NOTICES, now);
		since = now + 1000;
		mails++;
		first_hour += now < HOUR;
	}
	CHECK_INT(first_hour, PACE_BURST + 4 - 1);
	CHECK(mails <= 24 * 4 + PACE_BURST && mails >= 24 * 4);
}

/* What was spent comes back with time. */
static void test_refill(void)
{
	struct pace p = {0};
	int64_t now = 0;

	for (unsigned i = 0; i < PACE_BURST; i++, now += PACE_SPACING_MS)
		pace_sent(&p, PACE_NOTICES, now);
	CHECK(pace_when(&p, PACE_NOTICES, now) > now + PACE_SPACING_MS);
	now += PACE_BURST * PACE_REFILL_MS;
	CHECK_INT(pace_when(&p, PACE_NOTICES, now), now + PACE_GATHER_MS);
	/* A report costs nothing, a test only the moment. */
	pace_sent(&p, PACE_REPORT, now);
	CHECK_INT(pace_when(&p, PACE_NOTICES, now), now + PACE_GATHER_MS);
	pace_sent(&p, PACE_TEST, now);
	CHECK_INT(pace_when(&p, PACE_NOTICES, now), now + PACE_SPACING_MS);
}

static void test_retry(void)
{
	struct pace p = {0};
	int64_t now = 1000, waits[12];

	for (unsigned i = 0; i < 12; i++) {
		pace_failed(&p, now);
		waits[i] = pace_when(&p, PACE_REPORT, INT64_MIN) - now;
		now += waits[i];
	}
	CHECK_INT(waits[0], PACE_RETRY_MS);
	CHECK_INT(waits[1], 2 * PACE_RETRY_MS);
	CHECK_INT(waits[11], PACE_RETRY_MAX_MS);
	CHECK_INT(p.failing_since, 1000);
	/* An operator tries: at once, and it still counts as failing since then. */
	pace_again(&p);
	CHECK(pace_when(&p, PACE_TEST, now) <= now);
	CHECK(p.failures > 0 && p.failing_since == 1000);
	pace_sent(&p, PACE_TEST, now);
	CHECK_INT(p.failures, 0);
	pace_failed(&p, now + 5);
	CHECK_INT(p.failing_since, now + 5);
}

int main(void)
{
	test_gather();
	test_storm();
	test_refill();
	test_retry();
	return test_end();
}
