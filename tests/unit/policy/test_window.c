/* test_window.c: when rules and boxes are in force, and until when. */
#include "policy_test.h"

/* An IR of one segment pair with as many rules as given, and one box that has them all as candidates. */
struct bench {
	struct ir ir;
	struct ir_rule rules[4];
	struct ir_cand cands[4];
	struct ir_date dates[8];
	struct ir_box box;
};

static struct ir_rule always(void)
{
	return (struct ir_rule){
		.ends = INT64_MAX, .window_to = INT64_MAX, .days = DAYS_ALL, .action = IR_ALLOW};
}

static void bench_init(struct bench *b, unsigned rules)
{
	*b = (struct bench){0};
	for (unsigned i = 0; i < 4; i++) {
		b->rules[i] = always();
		b->cands[i].rule = i;
	}
	b->ir.rules = b->rules;
	b->ir.nrules = rules;
	b->ir.cands = b->cands;
	b->ir.ncands = rules;
	b->ir.dates = b->dates;
	b->box.cand.n = rules;
}

static uint16_t hm(int h, int m)
{
	return (uint16_t)(h * 60 + m);
}

/* Is rule 0 in force at `when`, and does that change at `until` ("" = never)? */
static void expect(const struct bench *b, const char *when, bool active, const char *until)
{
	struct wall got, want = *until == '\0' ? WALL_NEVER : at(until);
	char text[CLOCK_TEXT_MAX];
	bool is = rule_active(&b->ir, &b->rules[0], at(when), &got);

	CHECK(is == active);
	CHECK(rule_active(&b->ir, &b->rules[0], at(when), NULL) == active);
	CHECK_INT(got.sec, want.sec);
	if (is != active || got.sec != want.sec)
		printf("  at %s: %d until %s, expected %d until %s\n", when, is,
			got.sec == INT64_MAX ? "never" : clock_format(got, text), active, until);
}

static void test_plain(void)
{
	struct bench b;

	bench_init(&b, 1);
	expect(&b, TODAY, true, "");
	b.rules[0].starts = at("2026-12-01T00:00").sec;
	expect(&b, TODAY, false, "2026-12-01T00:00");
	expect(&b, "2026-11-30T23:59:59", false, "2026-12-01T00:00");
	expect(&b, "2026-12-01T00:00", true, "");
	b.rules[0].ends = at("2027-04-01T00:00").sec;
	expect(&b, "2026-12-01T00:00", true, "2027-04-01T00:00");
	expect(&b, "2027-03-31T23:59:59", true, "2027-04-01T00:00");
	expect(&b, "2027-04-01T00:00", false, "");
}

static void test_hours(void)
{
	struct bench b;

	bench_init(&b, 1);
	b.rules[0].hours_from = hm(6, 30);
	b.rules[0].hours_to = hm(23, 0);
	expect(&b, "2026-11-20T06:29:59", false, "2026-11-20T06:30");
	expect(&b, "2026-11-20T06:30", true, "2026-11-20T23:00");
	expect(&b, "2026-11-20T22:59:59", true, "2026-11-20T23:00");
	expect(&b, "2026-11-20T23:00", false, "2026-11-21T06:30");
	/* The end of the rule cuts the window. */
	b.rules[0].ends = at("2026-11-20T12:00").sec;
	expect(&b, TODAY, true, "2026-11-20T12:00");
	expect(&b, "2026-11-20T13:00", false, "");
	/* Midnight as an end. */
	b.rules[0].ends = INT64_MAX;
	b.rules[0].hours_to = 24 * 60;
	expect(&b, "2026-11-20T23:59", true, "2026-11-21T00:00");
	expect(&b, "2026-11-21T00:00", false, "2026-11-21T06:30");
}

static void test_wrapping(void)
{
	struct bench b;

	bench_init(&b, 1);
	b.rules[0].hours_from = hm(22, 0);
	b.rules[0].hours_to = hm(6, 0);
	b.rules[0].days = 0x1f; /* Monday to Friday: the day on which it opens */
	expect(&b, "2026-11-20T21:59", false, "2026-11-20T22:00");
	expect(&b, "2026-11-20T22:00", true, "2026-11-21T06:00");
	expect(&b, "2026-11-21T05:59", true, "2026-11-21T06:00"); /* Saturday morning, opened on Friday */
	expect(&b, "2026-11-21T06:00", false, "2026-11-23T22:00");
	expect(&b, "2026-11-22T23:00", false, "2026-11-23T22:00"); /* Sunday night */
	expect(&b, "2026-11-23T03:00", false,
		"2026-11-23T22:00"); /* Monday before dawn: Sunday did not open */
	/* What would have opened the evening before the rule starts does not. */
	b.rules[0].starts = at("2026-11-20T00:00").sec;
	expect(&b, "2026-11-20T03:00", false, "2026-11-20T22:00");
	expect(&b, "2026-11-21T03:00", true, "2026-11-21T06:00");
}

static void test_days(void)
{
	struct bench b;

	bench_init(&b, 1);
	b.rules[0].days = 0x1f;
	expect(&b, TODAY, true, "2026-11-21T00:00");
	expect(&b, "2026-11-16T00:00", true, "2026-11-21T00:00"); /* whole days are one window */
	expect(&b, "2026-11-21T00:00", false, "2026-11-23T00:00");
	b.rules[0].days = 0x20;
	expect(&b, TODAY, false, "2026-11-21T00:00");
	b.rules[0].days = 0;
	expect(&b, TODAY, false, "");
}

static void test_closed(void)
{
	struct bench b;

	bench_init(&b, 1);
	b.dates[0] = (struct ir_date){2026, 12, 29};
	b.dates[1] = (struct ir_date){2026, 12, 30};
	b.rules[0].closed.n = 2;
	expect(&b, TODAY, true, "2026-12-29T00:00");
	expect(&b, "2026-12-29T10:00", false, "2026-12-31T00:00");
	expect(&b, "2026-12-31T00:00", true, "");
	b.rules[0].hours_from = hm(6, 30);
	b.rules[0].hours_to = hm(23, 0);
	expect(&b, "2026-12-28T23:00", false, "2026-12-31T06:30");
	expect(&b, "2026-12-29T10:00", false, "2026-12-31T06:30");
}

static void test_window(void)
{
	struct bench b;

	bench_init(&b, 1);
	b.rules[0].window_from = at("2026-11-20T09:00").sec;
	b.rules[0].window_to = at("2026-11-20T17:00").sec;
	expect(&b, "2026-11-20T08:00", false, "2026-11-20T09:00");
	expect(&b, TODAY, true, "2026-11-20T17:00");
	expect(&b, "2026-11-20T17:00", false, "");
	/* A window in which the hours never open. */
	b.rules[0].hours_from = hm(18, 0);
	b.rules[0].hours_to = hm(19, 0);
	expect(&b, "2026-11-20T08:00", false, "");
	expect(&b, TODAY, false, "");
}

static void expect_box(const struct bench *b, const char *when, uint32_t rule, const char *until)
{
	struct wall got, want = *until == '\0' ? WALL_NEVER : at(until);

	CHECK_INT(box_active(&b->ir, &b->box, at(when), &got), rule);
	CHECK_INT(got.sec, want.sec);
	CHECK_INT(box_active(&b->ir, &b->box, at(when), NULL), rule);
}

static void test_box(void)
{
	struct bench b;

	bench_init(&b, 2);
	b.rules[0].ends = at("2026-12-01T00:00").sec;
	b.rules[1].starts = at("2026-12-01T00:00").sec;
	b.rules[1].ends = at("2027-01-01T00:00").sec;
	/* Two approvals without a gap are one permission. */
	expect_box(&b, TODAY, 0, "2027-01-01T00:00");
	expect_box(&b, "2026-12-05T00:00", 1, "2027-01-01T00:00");
	expect_box(&b, "2027-01-01T00:00", IR_NONE, "");
	b.rules[1].starts = at("2026-12-02T00:00").sec;
	expect_box(&b, TODAY, 0, "2026-12-01T00:00");
	expect_box(&b, "2026-12-01T00:00", IR_NONE, "2026-12-02T00:00");
	/* The first in the file is named while both are in force. */
	b.rules[1].starts = 0;
	expect_box(&b, TODAY, 0, "2027-01-01T00:00");
}

static uint64_t state = 7;

static unsigned rnd(unsigned n)
{
	state = state * 6364136223846793005ull + 1442695040888963407ull;
	return (unsigned)(state >> 33) % n;
}

/* Whatever the calendar: up to `until` nothing changes, and at `until` it does. */
static void test_until(void)
{
	struct bench b;
	struct wall until, base = at("2026-11-01T00:00");

	for (int i = 0; i < 2000; i++) {
		bench_init(&b, 1);
		struct ir_rule *r = &b.rules[0];
		if (rnd(2))
			r->days = (uint8_t)(1 + rnd(DAYS_ALL));
		if (rnd(2)) {
			r->hours_from = (uint16_t)(rnd(48) * 30);
			r->hours_to = (uint16_t)(rnd(48) * 30);
		}
		for (; r->closed.n < rnd(4); r->closed.n++)
			b.dates[r->closed.n] = (struct ir_date){2026, 11, (int)(1 + rnd(30))};
		if (rnd(3) == 0)
			r->ends = base.sec + rnd(40) * 40000;
		if (rnd(3) == 0)
			r->starts = base.sec + rnd(40) * 40000;
		struct wall now = {base.sec + (int64_t)rnd(30 * 86400)};
		bool is = rule_active(&b.ir, r, now, &until);
		CHECK(until.sec > now.sec);
		for (int k = 0; k < 20 && until.sec != INT64_MAX; k++) {
			struct wall t = {
				now.sec + (int64_t)(rnd(1000) * (uint64_t)(until.sec - now.sec) / 1000)};
			CHECK(rule_active(&b.ir, r, t, NULL) == is);
		}
		if (until.sec != INT64_MAX)
			CHECK(rule_active(&b.ir, r, until, NULL) != is);
		else
			for (int k = 0; k < 20; k++)
				CHECK(rule_active(&b.ir, r, (struct wall){now.sec + (int64_t)rnd(86400 * 60)},
					      NULL) == is);
	}
}

int main(void)
{
	test_plain();
	test_hours();
	test_wrapping();
	test_days();
	test_closed();
	test_window();
	test_box();
	test_until();
	return test_end();
}
