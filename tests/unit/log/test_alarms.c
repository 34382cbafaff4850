/* test_alarms.c: scan, flood, beacon, unknown machine: from which number on, until when, and what is none of them. */
#include "alarms.h"
#include "test.h"

#include <netinet/in.h>

static const struct alarm_thresholds usual = {.scan = 10, .scan_minutes = 5, .flood = 100, .beacon = 4, .unknown_mac = 1};
static const int64_t start = 1795000000;

static struct alarm_event event(uint8_t source, uint8_t target, uint16_t port, int64_t at)
{
	return (struct alarm_event){.src = {10, 1, 10, source}, .dst = {10, 2, 0, target}, .family = 4, .proto = IPPROTO_TCP,
		.sport = (uint16_t)at, .dport = port, .count = 1, .at = at, .host = "pc", .segment = "mynumber", .to = "internet"};
}

static struct msg_alarms state(struct alarms *a, bool *ret_changed)
{
	struct msg_alarms m;
	bool changed = alarms_state(a, &m);

	if (ret_changed != NULL)
		*ret_changed = changed;
	return m;
}

static struct alarms *fresh(void)
{
	struct alarms *a = alarms_new();

	alarms_thresholds(a, &usual);
	return a;
}

static void test_scan(void)
{
	struct alarms *a = fresh();
	struct msg_alarms m;
	bool changed;

	for (uint16_t i = 0; i < 9; i++) {
		struct alarm_event e = event(5, (uint8_t)i, 445, start + i);
		alarms_add(a, &e);
		alarms_add(a, &e); /* the same door again is no other one */
	}
	CHECK_INT(state(a, &changed).n, 0);
	CHECK(!changed);
	struct alarm_event e = event(5, 1, 446, start + 9);
	alarms_add(a, &e);
	m = state(a, &changed);
	CHECK(changed);
	CHECK_INT(m.n, 1);
	CHECK_INT(m.alarm[0].kind, MSG_ALARM_SCAN);
	CHECK_INT(m.alarm[0].count, 10);
	CHECK_INT(m.alarm[0].since, start + 9);
	CHECK_STR(m.alarm[0].source, "10.1.10.5 (pc)");
	CHECK_STR(m.alarm[0].segment, "mynumber");
	/* It goes on, and is the same one; then it is quiet, and ends. */
	e = event(5, 77, 446, start + 100);
	alarms_add(a, &e);
	alarms_tick(a, start + 100 + ALARM_QUIET_S);
	CHECK_INT(state(a, &changed).n, 1);
	CHECK(!changed);
	alarms_tick(a, start + 101 + ALARM_QUIET_S);
	CHECK_INT(state(a, &changed).n, 0);
	CHECK(changed);
	alarms_free(a);
}

/* As many doors, but over a longer time; and many sources that try one door each. */
static void test_no_scan(void)
{
	struct alarms *a = fresh();

	for (uint16_t i = 0; i < 60; i++) {
		struct alarm_event e = event(5, (uint8_t)i, 445, start + i * 40);
		alarms_add(a, &e);
	}
	for (uint16_t i = 0; i < 200; i++) {
		struct alarm_event e = event((uint8_t)i, 1, 445, start);
		alarms_add(a, &e);
	}
	CHECK_INT(state(a, NULL).n, 0);
	alarms_thresholds(a, &(struct alarm_thresholds){0});
	for (uint16_t i = 0; i < 60; i++) {
		struct alarm_event e = event(6, (uint8_t)i, 445, start);
		e.count = 1000000;
		e.unknown_mac = e.forbidden = true;
		alarms_add(a, &e);
	}
	CHECK_INT(state(a, NULL).n, 0);
	alarms_free(a);
}

static void test_flood(void)
{
	struct alarms *a = fresh();
	struct alarm_event e = event(5, 1, 445, start);

	e.count = 99;
	alarms_add(a, &e);
	CHECK_INT(state(a, NULL).n, 0);
	e.at += 61; /* another minute */
	alarms_add(a, &e);
	CHECK_INT(state(a, NULL).n, 0);
	e.at += 1;
	e.count = 1;
	alarms_add(a, &e);
	struct msg_alarms m = state(a, NULL);
	CHECK_INT(m.n, 1);
	CHECK_INT(m.alarm[0].kind, MSG_ALARM_FLOOD);
	CHECK_INT(m.alarm[0].count, 100);
	alarms_free(a);
}

/* Attempts of a program each `period` seconds, jittered, each repeated by TCP; how many alarms. */
static uint32_t beacon(int64_t period, int64_t jitter, unsigned attempts, bool forbidden, struct msg_alarm *ret)
{
	static const int64_t retries[] = {0, 1, 3, 7};
	struct alarms *a = fresh();

	for (unsigned i = 0; i < attempts; i++) {
		int64_t at = start + (int64_t)i * period + (i % 2 ? jitter : -jitter);
		for (unsigned k = 0; k < 4 && retries[k] < period; k++) {
			struct alarm_event e = event(5, 1, 443, at + retries[k]);
			e.sport = (uint16_t)(40000 + i);
			e.forbidden = forbidden;
			alarms_add(a, &e);
		}
	}
	struct msg_alarms m = state(a, NULL);
	*ret = m.alarm[0];
	alarms_free(a);
	return m.n;
}

static void test_beacon(void)
{
	struct msg_alarm m;

	CHECK_INT(beacon(60, 0, 3, true, &m), 0);
	CHECK_INT(beacon(60, 0, 4, true, &m), 1);
	CHECK_INT(m.kind, MSG_ALARM_BEACON);
	CHECK_INT(m.seconds, 60);
	CHECK_INT(m.count, 4);
	CHECK_STR(m.to, "internet");
	CHECK_INT(beacon(3600, 100, 4, true, &m), 1);
	CHECK_INT(beacon(600, 200, 10, true, &m), 0);  /* a person */
	CHECK_INT(beacon(60, 0, 10, false, &m), 0);    /* where something may go */
	CHECK_INT(beacon(10000, 0, 10, true, &m), 0);  /* too rarely */
	CHECK_INT(beacon(3, 0, 20, true, &m), 1);      /* quicker than that: bursts, and they are regular */
	CHECK_INT(m.seconds, 6);
}

static void test_unknown(void)
{
	struct alarms *a = fresh();
	struct alarm_event e = event(5, 1, 445, start);

	memcpy(e.mac, "\x02\x00\x00\x66\x66\x66", 6);
	alarms_add(a, &e);
	CHECK_INT(state(a, NULL).n, 0);
	e.unknown_mac = true;
	alarms_add(a, &e);
	e.src[3] = 6; /* the same machine under another address */
	alarms_add(a, &e);
	struct msg_alarms m = state(a, NULL);
	CHECK_INT(m.n, 1);
	CHECK_INT(m.alarm[0].kind, MSG_ALARM_UNKNOWN_MAC);
	CHECK_STR(m.alarm[0].source, "02:00:00:66:66:66 (10.1.10.5)");
	alarms_free(a);
}

/* More sources than there are places, and more alarms than can be told: nothing breaks, the first ones stay. */
static void test_full(void)
{
	struct alarms *a = fresh();

	for (unsigned i = 0; i < 3 * ALARM_SOURCES; i++) {
		struct alarm_event e = event(0, 1, 445, start + (int64_t)(i / 100));
		memcpy(e.src, &i, sizeof(i));
		e.count = 1000;
		e.forbidden = true;
		alarms_add(a, &e);
	}
	CHECK_INT(state(a, NULL).n, MSG_ALARMS_MAX);
	alarms_tick(a, start + 1000);
	CHECK_INT(state(a, NULL).n, 0);
	alarms_free(a);
}

int main(void)
{
	test_scan();
	test_no_scan();
	test_flood();
	test_beacon();
	test_unknown();
	test_full();
	return test_end();
}
