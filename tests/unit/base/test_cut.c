/* cut.c: the list of emergency cuts: what is believed of bytes, whom a cut concerns, adding and removing. */
#include "test.h"

#include <errno.h>
#include <string.h>

#include <sekisho/cut.h>

static struct cuts list;

static struct addr addr_of(const char *text)
{
	struct addr a;

	CHECK(addr_parse(text, &a));
	return a;
}

static void range(struct cut_end *e, const char *prefix)
{
	struct addr_range r;

	CHECK(prefix_parse(prefix, NULL, NULL, &r));
	struct cut_range *to = &e->range[e->nranges++];
	to->family = r.lo.family;
	memcpy(to->lo, r.lo.b, 16);
	memcpy(to->hi, r.hi.b, 16);
}

static struct cut host_cut(const char *name, const char *prefix)
{
	struct cut c = {.kind = CUT_HOST};

	snprintf(c.end[0].name, sizeof(c.end[0].name), "%s", name);
	range(&c.end[0], prefix);
	return c;
}

static struct cut segment_cut(const char *a, const char *b)
{
	struct cut c = {.kind = b == NULL ? CUT_SEGMENT : CUT_PAIR};

	for (unsigned i = 0; i < (b == NULL ? 1u : 2u); i++) {
		snprintf(c.end[i].name, sizeof(c.end[i].name), "%s", i == 0 ? a : b);
		c.end[i].segment = c.end[i].ninterfaces = 1;
		snprintf(c.end[i].interface[0], LIMIT_IFNAME, "eth%u", i);
	}
	return c;
}

static uint32_t add(struct cut c)
{
	const struct cut *held = NULL;

	CHECK_INT(cuts_add(&list, &c, &held), 0);
	CHECK(cuts_check(&list, sizeof(list)) == NULL);
	return held->number;
}

static uint32_t between(const char *a, const char *sa, const char *b, const char *sb)
{
	struct addr x = addr_of(a), y = addr_of(b);
	struct cut_place from = {&x, sa}, to = {&y, sb};
	const struct cut *c = cuts_find(&list, &from, &to), *back = cuts_find(&list, &to, &from);

	CHECK(c == back);
	return c == NULL ? 0 : c->number;
}

static void test_whom_a_cut_concerns(void)
{
	list = (struct cuts){.next = 1};
	CHECK_INT(between("10.1.0.5", "mynumber", "10.2.0.8", "lgwan"), 0);
	uint32_t host = add(host_cut("jumin-ap", "10.1.0.5"));
	CHECK_INT(between("10.1.0.5", "mynumber", "10.2.0.8", "lgwan"), host);
	CHECK_INT(between("10.1.0.6", "mynumber", "10.2.0.8", "lgwan"), 0);
	uint32_t network = add(host_cut("", "2001:db8:2::/64"));
	CHECK_INT(between("2001:db8:1::5", "mynumber", "2001:db8:2::ffff", "lgwan"), network);
	CHECK_INT(between("2001:db8:1::5", "mynumber", "2001:db8:3::1", "lgwan"), 0);
	uint32_t pair = add(segment_cut("lgwan", "internet"));
	CHECK_INT(between("10.2.0.9", "lgwan", "192.0.2.1", "internet"), pair);
	CHECK_INT(between("10.2.0.9", "lgwan", "10.2.0.10", "lgwan"), 0);
	uint32_t segment = add(segment_cut("internet", NULL));
	CHECK_INT(between("192.0.2.1", "internet", "198.51.100.1", "other"), segment);
	CHECK(cuts_remove(&list, pair) == 0 && cuts_remove(&list, pair) == -ENOENT);
	CHECK_INT(between("10.2.0.9", "lgwan", "192.0.2.1", "internet"), segment);
	struct cut all = {.kind = CUT_ALL};
	uint32_t last = add(all);
	CHECK(last == segment + 1);
	CHECK_INT(between("10.9.0.1", "a", "10.9.0.2", "b"), last);
}

static void test_places(void)
{
	struct addr a = addr_of("10.1.0.5"), other = addr_of("10.1.0.6");
	struct cut_place here = {&a, "mynumber"}, there = {&other, "mynumber"};

	list = (struct cuts){.next = 1};
	add(segment_cut("mynumber", "lgwan"));
	CHECK(cuts_at(&list, &here) == NULL); /* of a pair one end alone says nothing */
	add(host_cut("x", "10.1.0.5"));
	CHECK(cuts_at(&list, &here) != NULL && cuts_at(&list, &there) == NULL);
}

static void test_the_same_again_and_too_many(void)
{
	const struct cut *held = NULL;
	char name[16];

	list = (struct cuts){.next = 1};
	uint32_t pair = add(segment_cut("lgwan", "internet"));
	struct cut again = segment_cut("internet", "lgwan");
	again.end[0].interface[0][3] = '1';
	again.end[1].interface[0][3] = '0';
	CHECK_INT(cuts_add(&list, &again, &held), -EEXIST);
	CHECK_INT(held->number, pair);
	for (unsigned i = 1; i < CUT_MAX; i++) {
		snprintf(name, sizeof(name), "10.0.0.%u", i);
		add(host_cut("", name));
	}
	struct cut one = host_cut("", "10.1.0.1");
	CHECK_INT(cuts_add(&list, &one, &held), -ENOSPC);
}

/* One byte wrong, and it is no list. */
static void test_bytes_that_are_no_list(void)
{
	struct cuts good = {.next = 1}, bad;

	list = good;
	add(host_cut("h", "10.0.0.1"));
	add(segment_cut("a", "b"));
	good = list;
	CHECK(cuts_check(&good, sizeof(good)) == NULL);
	CHECK(cuts_check(&good, sizeof(good) - 1) != NULL);
#define WRONG(field, value)                                                                                    \
	do {                                                                                                    \
		bad = good;                                                                                     \
		bad.field = (value);                                                                            \
		CHECK(cuts_check(&bad, sizeof(bad)) != NULL);                                                   \
	} while (0)
	WRONG(n, CUT_MAX + 1);
	WRONG(next, 0);
	WRONG(next, 2);
	WRONG(level, LEVEL_END);
	WRONG(cut[0].kind, 0);
	WRONG(cut[0].kind, CUT_ALL + 1);
	WRONG(cut[0].kind, CUT_SEGMENT);
	WRONG(cut[0].kind, CUT_ALL);
	WRONG(cut[1].kind, CUT_HOST);
	WRONG(cut[0].number, 0);
	WRONG(cut[0].number, 2);
	WRONG(cut[0].number, CUT_NUMBER_MAX + 1);
	WRONG(cut[0].end[0].nranges, CUT_RANGES + 1);
	WRONG(cut[0].end[0].nranges, 0);
	WRONG(cut[0].end[0].range[0].family, 5);
	WRONG(cut[0].end[0].range[0].lo[3], 2);
	WRONG(cut[0].end[0].range[0].hi[9], 1);
	WRONG(cut[1].end[1].segment, 0);
	WRONG(cut[1].end[1].segment, 2);
	WRONG(cut[1].end[0].ninterfaces, LIMIT_INTERFACES + 1);
	WRONG(cut[1].end[0].interface[0][0], '\0');
	WRONG(cut[1].end[0].name[0], '\033');
	bad = good;
	memset(bad.cut[0].who, 'x', sizeof(bad.cut[0].who));
	CHECK(cuts_check(&bad, sizeof(bad)) != NULL);
}

static void test_words(void)
{
	char text[CUT_TEXT_MAX];
	struct cut c = host_cut("", "10.2.30.0/24"), all = {.kind = CUT_ALL}, pair = segment_cut("a", "b");

	CHECK_STR(cut_text(&c, text), "host 10.2.30.0/24");
	CHECK_STR(cut_text(&all, text), "all");
	CHECK_STR(cut_text(&pair, text), "pair a b");
	CHECK(level_find("caution") == LEVEL_CAUTION && level_find("no") == LEVEL_END);
	CHECK_STR(level_word(LEVEL_LOCKDOWN), "lockdown");
}

int main(void)
{
	test_whom_a_cut_concerns();
	test_places();
	test_the_same_again_and_too_many();
	test_bytes_that_are_no_list();
	test_words();
	return test_end();
}
