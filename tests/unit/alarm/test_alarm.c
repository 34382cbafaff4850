/* test_alarm.c: what sekisho-alarm mails, and when, with a sender, a recorder and clocks that are the test's. */
#include "alarm.h"
#include "test.h"

#include <sekisho/clock.h>

static struct alarm a;
static struct mono mono;
static struct wall wall = {1795136400};
static char sent[65536];	/* the last letter */
static unsigned sends, asks[3]; /* by enum msg_alarm_what */
static struct msg_alarm_ask asked;
static bool busy, answer_news = true;

static bool io_send(void *arg, const struct msg_alarm_settings *s, const char *text, size_t n)
{
	(void)arg;
	(void)s;
	CHECK(n < sizeof(sent));
	memcpy(sent, text, n);
	sent[n] = '\0';
	sends++;
	busy = true;
	return true;
}

static bool io_ask(void *arg, const struct msg_alarm_ask *q)
{
	(void)arg;
	asks[q->what]++;
	asked = *q;
	if (q->what == MSG_ALARM_ASK_NEWS && answer_news) {
		struct msg_alarm_done d = {.ok = 1, .ledger = q->ledger, .faults = q->faults};
		alarm_done(&a, &d);
		return false; /* it is answered already */
	}
	return true;
}

static void run_ms(int64_t ms)
{
	for (int64_t t = 0; t < ms; t += 500) {
		mono.ns += 500000000;
		wall.sec += t % 1000 != 0;
		clock_set_test(&wall, &mono);
		alarm_tick(&a);
	}
}

static struct msg_alarm_settings settings(void)
{
	struct msg_alarm_settings s = {.life = 1, .nto = 1, .nhops = 1, .english = 1, .know_numbers = 1, .ledger = 10, .faults = 20};

	MSG_TEXT(s.hostname, "gate-01");
	MSG_TEXT(s.to[0], "joho@town.example.lg.jp");
	return s;
}

static void begin(void)
{
	static const struct alarm_io io = {io_send, io_ask};
	struct msg_alarm_settings s = settings();
	struct msg_alarm_health h = {.gate_open = 1, .generation = 3};

	alarm_free(&a);
	mono.ns = 1000000000000;
	clock_set_test(&wall, &mono);
	sends = asks[1] = asks[2] = 0;
	busy = false;
	answer_news = true;
	alarm_init(&a, &io, NULL);
	alarm_settings(&a, &s);
	alarm_health(&a, &h);
}

static void event(uint64_t id, uint32_t kind, const char *code, const char *text)
{
	struct msg_alarm_event e = {.id = id, .at = wall.sec, .kind = kind, .health = kind == MSG_ALARM_BEGAN ? MSG_ABNORMAL : MSG_OK};

	MSG_TEXT(e.code, code);
	MSG_TEXT(e.text, text);
	alarm_event(&a, &e);
}

static struct msg_alarm_status status(void)
{
	struct msg_alarm_status s;

	alarm_status(&a, &s);
	return s;
}

static void ended(uint32_t taken, const char *error)
{
	CHECK(busy);
	busy = false;
	alarm_ended(&a, taken, error);
}

static void test_notice(void)
{
	begin();
	CHECK_INT(status().state, MSG_ALARM_IDLE);
	event(1, MSG_ALARM_BEGAN, "clock", "");
	event(2, MSG_ALARM_BEGAN, "clock", ""); /* said twice: told once */
	event(2, MSG_ALARM_BEGAN, "proof", ""); /* an old number */
	CHECK_INT(status().state, MSG_ALARM_WAITING);
	run_ms(9500);
	CHECK_INT(sends, 0);
	run_ms(1000);
	CHECK_INT(sends, 1);
	CHECK(strstr(sent, "Subject: ") && strstr(sent, "Auto-Submitted: auto-generated\r\n") &&
		strstr(sent, "\r\nTo: <joho@town.example.lg.jp>\r\n"));
	CHECK(status().state == MSG_ALARM_SENDING && status().told == 0 && status().waiting == 1);
	ended(1, "");
	CHECK(status().told == 2 && status().sent == 1 && status().last_sent == wall.sec && status().waiting == 0);
	event(3, MSG_ALARM_CURED, "clock", "");
	run_ms(50000);
	CHECK_INT(sends, 1); /* a minute between two */
	run_ms(12000);
	CHECK_INT(sends, 2);
	ended(1, "");
	CHECK_INT(status().told, 3);
	/* It may begin again. */
	event(4, MSG_ALARM_BEGAN, "clock", "");
	CHECK_INT(status().waiting, 1);
}

/* The same bytes again until they are taken; what comes meanwhile waits, and nothing of it is told as mailed. */
static void test_down(void)
{
	char first[sizeof(sent)];
	char text[24];

	begin();
	event(1, MSG_ALARM_BEGAN, "proof", "");
	run_ms(11000);
	memcpy(first, sent, sizeof(first));
	ended(0, "Connection refused");
	CHECK(status().state == MSG_ALARM_FAILING && status().failures == 1 && status().waiting == 1);
	CHECK_STR(status().error, "Connection refused");
	for (uint64_t id = 2; id < 200; id++) {
		snprintf(text, sizeof(text), "%u", (unsigned)id);
		event(id, MSG_ALARM_HAPPENED, "restarted", text);
	}
	run_ms(14000);
	CHECK_INT(sends, 1);
	run_ms(2000);
	CHECK_INT(sends, 2);
	CHECK_STR(sent, first);
	ended(0, "Connection refused");
	run_ms(3600000);
	while (busy) {
		ended(0, "Connection refused");
		run_ms(600500);
		if (status().failing_s >= 3600)
			break;
	}
	CHECK(status().failing_s >= 3600 && status().told == 0);
	CHECK_INT(status().waiting, 199);
	CHECK(status().merged == 198 - QUEUE_MAX);
	if (!busy)
		run_ms(600500);
	CHECK_STR(sent, first);
	ended(1, "");
	CHECK_INT(status().told, 1);
	CHECK_INT(status().failures, 0);
	run_ms(61000);
	ended(1, "");
	CHECK(status().told == 199 && status().waiting == 0 && status().merged == 0);
}

/* Another sekishod numbers anew; what it does not say any more is cured. */
static void test_lives(void)
{
	begin();
	event(1, MSG_ALARM_BEGAN, "clock", "");
	event(2, MSG_ALARM_BEGAN, "proof", "");
	run_ms(11000);
	ended(1, "");
	event(3, MSG_ALARM_HAPPENED, "tampered", "x");
	struct msg_alarm_settings s = settings();
	s.life = 2;
	s.ledger = s.faults = 99; /* only at the beginning are these believed */
	alarm_settings(&a, &s);
	CHECK(status().life == 2 && status().told == 0 && status().ledger == 10);
	CHECK_INT(status().waiting, 1); /* the old one's is still to be mailed */
	event(1, MSG_ALARM_BEGAN, "proof", "");
	CHECK_INT(status().waiting, 1);
	run_ms(70000);
	ended(1, "");
	CHECK_INT(status().told, 1);
	run_ms(25000);
	CHECK_INT(status().waiting, 1); /* clock: cured, and nobody said so */
	/* Numbers that never came here are counted. */
	event(5, MSG_ALARM_HAPPENED, "tampered", "y");
	CHECK_INT(status().waiting, 1 + 3 + 1);
	CHECK_INT(status().merged, 3);
	CHECK_INT(status().told, 1);
}

static void news(uint64_t sequence, uint32_t kind, const char *code)
{
	struct msg_alarm_news n = {.sequence = sequence, .at = wall.sec, .kind = kind};

	MSG_TEXT(n.code, code);
	MSG_TEXT(n.text, "something broke");
	if (kind >= MSG_ALARM_HELD) {
		MSG_TEXT(n.receipt, "2026-ABCD-EF01");
		MSG_TEXT(n.sender, "a@town.example");
	}
	alarm_news(&a, &n);
}

static void test_news(void)
{
	begin();
	run_ms(1000);
	CHECK(asks[MSG_ALARM_ASK_NEWS] == 1 && asked.know_numbers == 1 && asked.ledger == 10 && asked.faults == 20);
	news(10, MSG_ALARM_HELD, ""); /* known */
	news(12, MSG_ALARM_HELD, "");
	news(13, MSG_ALARM_WARNED, "");
	news(22, MSG_ALARM_FAULT, "proof"); /* a finding: comes as an event */
	news(23, MSG_ALARM_FAULT, "gate");
	struct msg_alarm_done d = {.ok = 1, .ledger = 15, .faults = 30};
	alarm_done(&a, &d);
	CHECK_INT(status().waiting, 3);
	CHECK(status().ledger == 11 && status().faults == 22);
	run_ms(11000);
	ended(1, "");
	CHECK(status().ledger == 15 && status().faults == 30);
	/* The ledger was begun anew. */
	d = (struct msg_alarm_done){.ok = 1, .ledger = 2, .faults = 30};
	alarm_done(&a, &d);
	CHECK_INT(status().ledger, 2);
	/* A recorder that cannot read changes nothing. */
	d = (struct msg_alarm_done){.ok = 0};
	alarm_done(&a, &d);
	CHECK(status().ledger == 2 && status().know_numbers == 1);
	/* While the queue is long the rest stays in the ledger. */
	for (uint64_t i = 1; i <= QUEUE_MAX; i++) {
		char text[24];
		snprintf(text, sizeof(text), "%u", (unsigned)i);
		event(i, MSG_ALARM_HAPPENED, "tampered", text);
	}
	unsigned before = asks[MSG_ALARM_ASK_NEWS];
	alarm_tick(&a);
	run_ms(6000);
	CHECK_INT(asks[MSG_ALARM_ASK_NEWS], before);
}

static struct msg_alarm_report due(uint32_t day)
{
	return (struct msg_alarm_report){.day = day, .since = wall.sec - 86400, .until = wall.sec};
}

static void test_report(void)
{
	struct msg_alarm_digest d = {.ok = 1, .drops = 5};

	begin();
	struct msg_alarm_report r = due(20261120);
	alarm_report(&a, &r);
	run_ms(1000);
	CHECK(asks[MSG_ALARM_ASK_DIGEST] == 1 && sends == 0);
	CHECK(asked.since == r.since && asked.until == r.until);
	alarm_digest(&a, &d);
	run_ms(1000);
	CHECK_INT(sends, 1);
	CHECK(strstr(sent, "Message-ID: <gate-01.report.20261120@town.example.lg.jp>\r\n") != NULL);
	alarm_report(&a, &r); /* said again: under way already */
	CHECK_INT(status().reported, 0);
	ended(0, "451");
	run_ms(16000);
	CHECK_INT(sends, 2);
	ended(1, "");
	CHECK_INT(status().reported, 20261120);
	alarm_report(&a, &r);
	run_ms(30000);
	CHECK_INT(sends, 2);
	/* The next day, and a recorder that does not answer. */
	r = due(20261121);
	alarm_report(&a, &r);
	run_ms(60000);
	CHECK_INT(sends, 2);
	CHECK(asks[MSG_ALARM_ASK_DIGEST] >= 3);
	run_ms(40000);
	CHECK_INT(sends, 3);
	ended(1, "");
	CHECK_INT(status().reported, 20261121);
}

static void test_test(void)
{
	begin();
	event(1, MSG_ALARM_TEST, "", "");
	run_ms(500);
	CHECK_INT(sends, 1);
	ended(0, "x");
	event(2, MSG_ALARM_TEST, "", ""); /* not held back by the failure */
	run_ms(500);
	CHECK_INT(sends, 2);
	ended(1, "");
	run_ms(4000);
	CHECK_INT(sends, 2);
	run_ms(1500);
	CHECK_INT(sends, 3);
	ended(1, "RCPT: 550 no such user"); /* one of several */
	CHECK_STR(status().error, "RCPT: 550 no such user");
	CHECK(status().told == 2 && status().state == MSG_ALARM_IDLE);
}

static void test_off(void)
{
	begin();
	event(1, MSG_ALARM_BEGAN, "clock", "");
	struct msg_alarm_settings s = settings();
	s.nto = 0;
	alarm_settings(&a, &s);
	CHECK(status().state == MSG_ALARM_OFF && status().waiting == 0 && status().told == 1);
	event(2, MSG_ALARM_BEGAN, "proof", "");
	run_ms(100000);
	CHECK(sends == 0 && status().told == 2 && asks[MSG_ALARM_ASK_NEWS] == 0);
	/* Turned off while a letter is on its way. */
	begin();
	event(1, MSG_ALARM_BEGAN, "clock", "");
	run_ms(11000);
	alarm_settings(&a, &s);
	ended(0, "x");
	CHECK(status().state == MSG_ALARM_OFF && status().waiting == 0);
}

int main(void)
{
	test_notice();
	test_down();
	test_lives();
	test_news();
	test_report();
	test_test();
	test_off();
	alarm_free(&a);
	return test_end();
}
