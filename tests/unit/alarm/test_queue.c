/* test_queue.c: what waits to be mailed: like with like, bounded, counted; what stands is told once. */
#include "queue.h"
#include "standing.h"
#include "test.h"

static struct notice notice(uint64_t number, enum msg_health health, const char *text)
{
	struct notice n = {.source = SOURCE_EVENTS, .kind = MSG_ALARM_BEGAN, .health = health, .count = 1, .number = number,
		.first = (int64_t)number, .last = (int64_t)number};

	MSG_TEXT(n.text, text);
	return n;
}

static void put(struct queue *q, struct notice n)
{
	queue_put(q, &n);
}

static void test_merge(void)
{
	struct queue q = {0};

	CHECK(queue_empty(&q) && queue_count(&q) == 0 && queue_lowest(&q, SOURCE_EVENTS) == UINT64_MAX);
	put(&q, notice(5, MSG_CAUTION, "a"));
	put(&q, notice(6, MSG_ABNORMAL, "b"));
	put(&q, notice(9, MSG_CAUTION, "a"));
	CHECK_INT(q.n, 2);
	CHECK_INT(q.notice[0].count, 2);
	CHECK(q.notice[0].first == 5 && q.notice[0].last == 9 && q.notice[0].number == 5);
	CHECK_INT(queue_count(&q), 3);
	CHECK_INT(queue_lowest(&q, SOURCE_EVENTS), 5);
	CHECK_INT(queue_health(&q), MSG_ABNORMAL);
	struct notice other = notice(1, MSG_CAUTION, "a");
	other.kind = MSG_ALARM_CURED;
	put(&q, other);
	other.source = SOURCE_LEDGER;
	put(&q, other);
	CHECK_INT(q.n, 4);
	CHECK_INT(queue_lowest(&q, SOURCE_LEDGER), 1);
	queue_forget_numbers(&q, SOURCE_EVENTS);
	CHECK(queue_lowest(&q, SOURCE_EVENTS) == UINT64_MAX && queue_lowest(&q, SOURCE_LEDGER) == 1);
}

/* The oldest of the least grave gives way, is counted, and its number stays the lowest that was not told. */
static void test_full(void)
{
	struct queue q = {0};
	char text[16];

	for (unsigned i = 1; i <= QUEUE_MAX; i++) {
		snprintf(text, sizeof(text), "%u", i);
		put(&q, notice(i, i <= 2 ? MSG_ABNORMAL : MSG_CAUTION, text));
	}
	struct notice test = notice(100, MSG_OK, "test");
	test.kind = MSG_ALARM_TEST;
	put(&q, test);
	CHECK_INT(q.n, QUEUE_MAX);
	CHECK_INT(q.merged, 1);
	CHECK_STR(q.notice[0].text, "1");
	CHECK_STR(q.notice[1].text, "2");
	CHECK_STR(q.notice[2].text, "4"); /* 3 was the oldest of the lighter ones */
	CHECK_INT(queue_lowest(&q, SOURCE_EVENTS), 1);
	CHECK(queue_has(&q, MSG_ALARM_TEST));
	for (unsigned i = 200; i < 200 + 10 * QUEUE_MAX; i++) {
		snprintf(text, sizeof(text), "%u", i);
		put(&q, notice(i, MSG_ABNORMAL, text));
	}
	CHECK_INT(q.n, QUEUE_MAX);
	CHECK(queue_has(&q, MSG_ALARM_TEST)); /* an operator waits for it */
	CHECK_INT(queue_count(&q), QUEUE_MAX + 1 + 10 * QUEUE_MAX);
	CHECK_INT(queue_lowest(&q, SOURCE_EVENTS), 1);
}

static void test_lost(void)
{
	struct queue q = {0};

	queue_lost(&q, SOURCE_EVENTS, 7, 0);
	CHECK(queue_empty(&q));
	queue_lost(&q, SOURCE_EVENTS, 7, 3);
	CHECK(!queue_empty(&q) && queue_count(&q) == 3 && queue_lowest(&q, SOURCE_EVENTS) == 7);
}

static void test_standing(void)
{
	struct standing s = {0};
	struct standing_item it;
	char code[16];

	CHECK(standing_began(&s, "clock", "") && !standing_began(&s, "clock", ""));
	CHECK(standing_began(&s, "clock", "x"));
	standing_cured(&s, "clock", "");
	CHECK(standing_began(&s, "clock", ""));
	/* Another sekishod says one of them again; the other one is over. */
	standing_doubt(&s, 1000);
	CHECK(!standing_began(&s, "clock", "x"));
	CHECK(!standing_gone(&s, 999, &it));
	CHECK(standing_gone(&s, 1000, &it));
	CHECK_STR(it.text, "");
	CHECK(!standing_gone(&s, 2000, &it));
	for (unsigned i = 0; i < 2 * STANDING_MAX; i++) {
		snprintf(code, sizeof(code), "%u", i);
		CHECK(standing_began(&s, code, ""));
	}
	CHECK_INT(s.n, STANDING_MAX);
}

int main(void)
{
	test_merge();
	test_full();
	test_lost();
	test_standing();
	return test_end();
}
