/* test_passbook.c: what passed, counted by rule and ends: windows, questions, a flood, a disk that refuses. */
#include "passbook.h"
#include "test.h"

#include <sys/stat.h>
#include <unistd.h>

#include <sekisho/clock.h>
#include <sekisho/ruleset.h>

static char dir[] = "/tmp/sekisho-passbook-XXXXXX";
static struct names *names;
static struct passing *passing;
static struct mono now = {1000000000000};

static void empty(void)
{
	char command[128];

	snprintf(command, sizeof(command), "rm -rf %s/*", dir);
	CHECK_INT(system(command), 0);
}

static void advance(int64_t seconds)
{
	now.ns += seconds * 1000000000;
	clock_set_test(&(struct wall){1795000000 + now.ns / 1000000000}, &now);
}

static void ended(uint32_t source, uint16_t port, uint64_t bytes)
{
	struct ct_event e = {.family = 4, .proto = 6, .dport = port, .mark = CTMARK_PASSED | CTMARK_GENERATION(1),
		.dst = {10, 2, 0, 8}, .packets = {1, 1}, .bytes = {bytes, 1}};

	memcpy(e.src, &source, sizeof(source));
	passing_add(passing, &e, clock_wall().sec * 1000000000);
}

/* All rows of an answer: how many, and what they add up to. */
static struct msg_end ask(struct passbook *b, const struct msg_watch_query *query, unsigned *ret_rows, uint64_t *ret_sum)
{
	static struct watch_question q;
	union watch_answer answer;
	enum msg_type type;
	int r;

	*ret_rows = 0;
	*ret_sum = 0;
	passbook_ask(&q, query);
	while ((r = passbook_next(b, &q, &type, &answer)) != 0) {
		if (r == 2)
			continue;
		(*ret_rows)++;
		*ret_sum += type == MSG_RULE_ROW ? answer.rule.connections : answer.admission.connections;
	}
	CHECK_INT(type, MSG_END);
	return answer.end;
}

static void test_windows(void)
{
	struct passbook *b = passbook_new(dir, passing, names);
	struct msg_watch_query all = {.verb = MSG_WATCH_ADMISSIONS, .port = MSG_ANY_PORT, .limit = 1000};
	struct msg_watch_query verify = {.verb = MSG_WATCH_VERIFY};
	struct msg_end end;
	unsigned rows;
	uint64_t sum;

	advance(1);
	for (unsigned i = 0; i < 7; i++)
		ended(1, 443, 100);
	ended(2, 443, 50);
	passbook_tick(b, false);
	ended(1, 443, 100);
	passbook_tick(b, false);
	end = ask(b, &all, &rows, &sum);
	CHECK_INT(end.ok, 1);
	CHECK_INT(rows, 2);
	CHECK_INT(sum, 9);
	/* A minute: they become rows of the chain, and what comes then opens new ones. */
	advance(60);
	passbook_tick(b, false);
	ended(1, 443, 100);
	passbook_tick(b, false);
	ask(b, &all, &rows, &sum);
	CHECK_INT(rows, 3);
	CHECK_INT(sum, 10);
	end = ask(b, &verify, &rows, &sum);
	CHECK_INT(end.ok, 1);
	CHECK_INT(end.checked, 2);
	/* Filters, and the limit. */
	struct msg_watch_query some = all;
	some.port = 80;
	ask(b, &some, &rows, &sum);
	CHECK_INT(rows, 0);
	some = all;
	MSG_TEXT(some.dst, "10.2.0.0/24");
	ask(b, &some, &rows, &sum);
	CHECK_INT(rows, 3);
	MSG_TEXT(some.dst, "10.3.0.0/24");
	ask(b, &some, &rows, &sum);
	CHECK_INT(rows, 0);
	some = all;
	some.limit = 1;
	end = ask(b, &some, &rows, &sum);
	CHECK_INT(rows, 1);
	CHECK_INT(end.more, 1);
	some = all;
	some.since = clock_wall().sec - 10;
	ask(b, &some, &rows, &sum);
	CHECK_INT(sum, 1);
	/* The end closes what is open; nothing is lost by a restart. */
	passbook_free(b);
	b = passbook_new(dir, passing, names);
	ask(b, &all, &rows, &sum);
	CHECK_INT(sum, 10);
	passbook_free(b);
}

/* More sources than there are windows: counted together, and none is forgotten. */
static void test_flood(void)
{
	struct passbook *b = passbook_new(dir, passing, names);
	struct msg_watch_query all = {.verb = MSG_WATCH_ADMISSIONS, .port = MSG_ANY_PORT, .limit = 100000};
	unsigned rows;
	uint64_t sum;

	for (uint32_t second = 0; second < 5; second++) {
		for (uint32_t i = 0; i < PASSING_MAX; i++)
			ended(second << 16 | i, 443, 1);
		advance(1);
		passbook_tick(b, false);
	}
	ask(b, &all, &rows, &sum);
	CHECK_INT(sum, 5 * PASSING_MAX);
	CHECK(rows <= PASSBOOK_EXACT + PASSBOOK_RULES + 1);
	CHECK(rows > PASSBOOK_EXACT);
	passbook_free(b);
}

/* A file that cannot be made: what was counted waits, one note tells, and it is there when the disk is back. */
static void test_refused(void)
{
	struct msg_watch_query all = {.verb = MSG_WATCH_ADMISSIONS, .port = MSG_ANY_PORT};
	char gone[128], note[128];
	unsigned rows;
	uint64_t sum;

	snprintf(gone, sizeof(gone), "%s/gone", dir);
	struct passbook *b = passbook_new(gone, passing, names);
	ended(1, 443, 1);
	advance(5);
	passbook_tick(b, false);
	struct msg_end end = ask(b, &all, &rows, &sum);
	CHECK_INT(end.ok, 0);
	CHECK(end.error[0] != '\0');
	CHECK_INT(mkdir(gone, 0700), 0);
	advance(11);
	ended(1, 443, 1);
	passbook_tick(b, false);
	end = ask(b, &all, &rows, &sum);
	CHECK_INT(end.ok, 1);
	CHECK_INT(sum, 2);
	passbook_note(b, note);
	passbook_free(b);
}

int main(void)
{
	if (mkdtemp(dir) == NULL)
		return 1;
	names = names_new();
	passing = passing_new(-1);
	test_windows();
	empty();
	test_flood();
	empty();
	test_refused();
	empty();
	names_free(names);
	passing_free(passing);
	rmdir(dir);
	return test_end();
}
