/*
 * test_notify.c: alarm mail as sekishod sees it (alarm.c): what sekisho-alarm is told, in whichever of its lives, and what it is
 * never told.
 */
#include "life.h"
#include "test.h"

#include <unistd.h>

static struct msg_alarm_status said = {.state = MSG_ALARM_IDLE};

static void say(uint32_t tag)
{
	CHECK_INT(msg_send(alarm_end, MSG_ALARM_STATUS, tag, &said, NULL, 0), 0);
	run_ms(1500);
}

/* All that was said under this tag: the newest settings and health, and the events. */
static struct heard {
	struct msg_alarm_settings settings;
	struct msg_alarm_health health;
	struct msg_alarm_report report;
	unsigned nsettings, nevents, nreports;
	struct msg_alarm_event event[256];
} got;

static void hear(uint32_t tag)
{
	struct msg m;

	memset(&got, 0, sizeof(got));
	while (msg_recv(alarm_end, &m) == 1) {
		if (m.tag != tag)
			continue;
		if (m.type == MSG_ALARM_SETTINGS) {
			got.settings = m.u.msg_alarm_settings;
			got.nsettings++;
		} else if (m.type == MSG_ALARM_HEALTH) {
			got.health = m.u.msg_alarm_health;
		} else if (m.type == MSG_ALARM_REPORT) {
			got.report = m.u.msg_alarm_report;
			got.nreports++;
		} else if (m.type == MSG_ALARM_EVENT && got.nevents < 256) {
			got.event[got.nevents++] = m.u.msg_alarm_event;
		}
	}
}

static bool has_event(uint32_t kind, const char *code, const char *text)
{
	for (unsigned i = 0; i < got.nevents; i++)
		if (got.event[i].kind == kind && strcmp(got.event[i].code, code) == 0 && strstr(got.event[i].text, text) != NULL)
			return true;
	return false;
}

static void begin(void)
{
	said = (struct msg_alarm_status){.state = MSG_ALARM_IDLE};
	machine();
	world.alarm = true;
	run_ms(1000);
	struct msg_committed c = commit_text("set alarm");
	CHECK_STR(c.error, "");
}

static void test_settings(void)
{
	struct msg m;
	bool hops = false;

	begin();
	while (msg_recv(caller_end, &m) == 1)
		if (m.type == MSG_ALARM_HOPS)
			hops = m.u.msg_alarm_hops.n == 1 && m.u.msg_alarm_hops.hop[0].addr[3] == 26 && m.u.msg_alarm_hops.hop[0].port == 25;
	CHECK(hops);
	hear(7);
	CHECK_INT(got.nsettings, 0); /* nobody has asked */
	say(7);
	hear(7);
	CHECK(got.nsettings >= 1 && got.settings.nto == 1 && got.settings.nhops == 1 && got.settings.english == 0);
	CHECK_STR(got.settings.to[0], "joho@town.example.lg.jp");
	CHECK_STR(got.settings.hostname, "gate-01");
	CHECK_INT(got.settings.utc_offset, 9 * 3600);
	CHECK(got.settings.life != 0 && got.settings.told == 0 && got.settings.know_numbers == 0);
	CHECK(got.health.gate_open == 1 && got.health.generation == 1);
	CHECK(has_event(MSG_ALARM_BEGAN, "no-policy", "") && has_event(MSG_ALARM_CURED, "no-policy", ""));
	struct msg_status s = status();
	CHECK_INT(s.alarm.state, MSG_ALARM_IDLE);
	/* Recipients that are gone. */
	world.alarm = false;
	CHECK(commit_text("set none").ok);
	hear(7);
	CHECK(got.nsettings >= 1 && got.settings.nto == 0);
	death();
}

/* What was mailed is not given to another life of sekisho-alarm; the rest is, from the beginning. */
static void test_lives(void)
{
	begin();
	say(7);
	hear(7);
	CHECK(got.nevents > 0);
	uint64_t last = got.nevents > 0 ? got.event[got.nevents - 1].id : 0;
	said.life = got.settings.life;
	said.told = last;
	said.know_numbers = 1;
	said.ledger = 55;
	said.faults = 66;
	say(7);
	gate_finding(&gate, SOURCE_EVENT, FINDING_TAMPERED, "x");
	run_ms(1500);
	hear(7);
	CHECK(got.nevents == 1 && got.event[0].id == last + 1 && has_event(MSG_ALARM_HAPPENED, "tampered", "x"));
	said.life = 0;
	said.told = said.know_numbers = 0;
	say(8);
	hear(8);
	CHECK(got.nsettings >= 1 && got.settings.told == last && got.settings.know_numbers == 1);
	CHECK(got.settings.ledger == 55 && got.settings.faults == 66);
	CHECK(got.nevents == 1 && got.event[0].id == last + 1);
	/* More than the ring holds: the newest, and the gap is seen by their numbers. */
	char text[16];
	for (unsigned i = 0; i < 3 * ALARM_RING; i++) {
		snprintf(text, sizeof(text), "%u", i);
		gate_alarm_event(&gate, MSG_ALARM_HAPPENED, FINDING_TAMPERED, text);
	}
	said.life = 0;
	say(9);
	hear(9);
	CHECK_INT(got.nevents, ALARM_RING);
	CHECK_INT(got.event[0].id, last + 2 + 3 * ALARM_RING - ALARM_RING);
	/* Numbers that cannot be are not believed. */
	said.life = got.settings.life;
	said.told = 100000;
	say(9);
	CHECK_INT(gate.alarm.told, last);
	/* Another life of sekishod knows from its disk what the recorder's rows are told up to. */
	said.told = 0;
	death();
	life();
	run_ms(3000);
	said.life = 0;
	say(9);
	hear(9);
	CHECK(got.settings.know_numbers == 1 && got.settings.ledger == 55 && got.settings.told == 0);
	death();
}

/* Whatever it is about: no name and no address of a mynumber host. */
static void test_masked(void)
{
	begin();
	say(7);
	hear(7);
	gate_finding(&gate, SOURCE_NET, FINDING_NET_REFUSED, "10.1.0.5 (jumin-ap) 02:00:00:00:00:05");
	gate_finding(&gate, SOURCE_EVENT, FINDING_FOREIGN_TABLE, "JUMIN-AP");
	run_ms(1500);
	hear(7);
	CHECK(has_event(MSG_ALARM_BEGAN, "net-refused", "segment0の端末1") && has_event(MSG_ALARM_HAPPENED, "foreign-table", "segment0の端末1"));
	for (unsigned i = 0; i < got.nevents; i++)
		CHECK(strstr(got.event[i].text, "jumin") == NULL && strstr(got.event[i].text, "JUMIN") == NULL &&
			strstr(got.event[i].text, "10.1.0.5") == NULL);
	for (unsigned i = 0; i < got.health.nfindings; i++)
		CHECK(strstr(got.health.finding[i].text, "10.1.0.5") == NULL && strstr(got.health.finding[i].text, "jumin") == NULL);
	CHECK(got.health.nfindings >= 1);
	death();
}

static void test_report(void)
{
	begin();
	say(7);
	hear(7);
	CHECK_INT(got.nreports, 0); /* 2026-11-20 has its time behind it: nothing was missed */
	wall.sec += 86400;
	mono.ns += INT64_C(86400) * 1000000000;
	quiet();
	say(7);
	hear(7);
	CHECK(got.nreports == 1 && got.report.day == 20261121 && got.report.missed == 0);
	/* Until the mail server has it, every sekisho-alarm is told. */
	say(8);
	hear(8);
	CHECK(got.nreports == 1 && got.report.day == 20261121);
	said.reported = 20261121;
	say(8);
	run_ms(5000);
	hear(8);
	said.reported = 0;
	say(9);
	hear(9);
	CHECK_INT(got.nreports, 0);
	death();
	life();
	run_ms(3000);
	say(9);
	hear(9);
	CHECK(got.nsettings >= 1 && got.nreports == 0);
	death();
}

static void test_findings(void)
{
	begin();
	run_ms(25000);
	struct msg_status s = status();
	CHECK(has_finding(&s, "alarm-away"));
	said.failing_s = 3599;
	say(7);
	s = status();
	CHECK(!has_finding(&s, "alarm-away") && !has_finding(&s, "alarm-undelivered"));
	said.failing_s = 3600;
	MSG_TEXT(said.error, "MAIL: 451 jumin-ap");
	say(7);
	s = status();
	CHECK(has_finding(&s, "alarm-undelivered"));
	said.failing_s = 0;
	say(7);
	s = status();
	CHECK(!has_finding(&s, "alarm-undelivered"));
	death();
}

static struct msg ask_test(void)
{
	struct msg_request q = {.verb = MSG_VERB_ALARM_TEST};
	struct msg m = {0};
	int fd = client();

	ask(fd, &q, -1);
	CHECK_INT(answer_of(fd, &m), MSG_OPENED);
	close(fd);
	return m;
}

static void test_test(void)
{
	begin();
	say(7);
	hear(7);
	CHECK(ask_test().u.msg_opened.ok);
	hear(7);
	CHECK(has_event(MSG_ALARM_TEST, "", ""));
	struct msg m = ask_test();
	CHECK(!m.u.msg_opened.ok && m.u.msg_opened.error[0] != '\0');
	run_ms(11000);
	CHECK(ask_test().u.msg_opened.ok);
	world.alarm = false;
	CHECK(commit_text("set none").ok);
	run_ms(11000);
	CHECK(!ask_test().u.msg_opened.ok);
	death();
}

int main(void)
{
	if (!life_begin())
		return 77;
	test_settings();
	test_lives();
	test_masked();
	test_report();
	test_findings();
	test_test();
	CHECK_INT(life_end(), 0);
	return test_end();
}
