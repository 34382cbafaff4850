/*
 * test_change.c: what a change is said to cut and to open is what it does: packet by packet over random pairs of policies,
 * asked of the matcher, which shares nothing with the comparison of boxes. And what is said of a rule's times.
 */
#include <sekisho/change.h>

#include "policy_test.h"

#define SPACE 16 /* addresses on each side, and ports */

static uint64_t seed = 7;

static unsigned dice(unsigned n)
{
	seed = seed * 6364136223846793005u + 1442695040888963407u;
	return (unsigned)(seed >> 33) % n;
}

static void put_hosts(struct buf *b, char side, unsigned net)
{
	for (unsigned i = 0; i < 4; i++) {
		unsigned len = 28 + dice(5), size = 1u << (32 - len);
		buf_printf(b, "set host %c%u segment %c address 10.%u.0.%u/%u\n", side, i, side, net, 16 + dice(SPACE) / size * size, len);
	}
}

/* Four hosts on each side, some rules between them. */
static void put_policy(struct buf *b, unsigned nrules)
{
	static const char *const extra[] = {"", "", "", " expires 2020-03-31", " hours 22:00-23:00", " application tls server-name x.example",
		" one-way"};

	buf_adds(b, "set segment a kind other interface e0 address 10.1.0.1/24 network 10.1.0.0/24\n"
		    "set segment b kind other interface e1 address 10.2.0.1/24 network 10.2.0.0/24\n");
	put_hosts(b, 'a', 1);
	put_hosts(b, 'b', 2);
	for (unsigned i = 0; i < nrules; i++) {
		unsigned lo = 1 + dice(SPACE), hi = lo + dice(SPACE + 1 - lo);
		buf_printf(b, "set allow r%u from a%u to b%u service %s/%u-%u purpose x applicant y%s\n", i, dice(4), dice(4),
			dice(3) == 0 ? "udp" : "tcp", lo, hi, extra[dice(6)]);
	}
}

struct side {
	struct buf text;
	struct compiled c;
	struct model *m;
	struct matcher *matcher;
};

static bool open_side(struct side *s, unsigned nrules)
{
	put_policy(&s->text, nrules);
	s->c = compile_text((const char *)s->text.data, s->text.len, TODAY);
	if (!s->c.ok)
		return false;
	CHECK(config_read(s->c.arena, (const char *)s->text.data, s->text.len, &s->c.diags, &s->m));
	s->matcher = matcher_new(&s->c.ir);
	return true;
}

static void close_side(struct side *s)
{
	matcher_free(s->matcher);
	buf_free(&s->text);
	buf_free(&s->c.block);
	arena_free(s->c.arena);
	*s = (struct side){0};
}

/* What one packet says of the lists: a row for each rule of one side. */
struct seen {
	bool not_granted[64], otherwise[64];
};

static bool granted(const struct decision *d)
{
	return d->verdict == VERDICT_ALLOW || d->verdict == VERDICT_INSPECT;
}

static const char *demand(const struct side *s, uint32_t rule)
{
	const struct ir_rule *r = &s->c.ir.rules[rule];

	return r->verified == 0 ? "" : ir_text(&s->c.ir, s->c.ir.verifieds[r->verified - 1].text);
}

static bool is_one_way(const struct side *s, uint32_t rule)
{
	return (s->c.ir.rules[rule].flags & IR_RULE_ONE_WAY) != 0;
}

static void look(const struct side *x, const struct side *y, const struct question *q, struct seen *seen)
{
	struct decision a, b;

	matcher_decide(x->matcher, q, at(TODAY), &a);
	matcher_decide(y->matcher, q, at(TODAY), &b);
	if (!granted(&a))
		return;
	if (!granted(&b))
		seen->not_granted[a.rule] = true;
	else if (strcmp(demand(x, a.rule), demand(y, b.rule)) != 0 || is_one_way(x, a.rule) != is_one_way(y, b.rule))
		seen->otherwise[a.rule] = true;
}

static void look_all(const struct side *x, const struct side *y, struct seen *seen)
{
	for (unsigned i = 0; i < SPACE * SPACE * SPACE * 2; i++) {
		struct question q = {.src = {.family = 4, .b = {10, 1, 0, (uint8_t)(16 + i % SPACE)}},
			.dst = {.family = 4, .b = {10, 2, 0, (uint8_t)(16 + i / SPACE % SPACE)}},
			.dport = (uint16_t)(1 + i / SPACE / SPACE % SPACE), .has_port = true,
			.proto = i / SPACE / SPACE / SPACE == 0 ? IPPROTO_TCP : IPPROTO_UDP};
		look(x, y, &q, seen);
	}
}

static unsigned compared, differing, otherwise;

static bool is_told(const struct change_flow *v, size_t n, const char *rule, enum change_why why)
{
	for (size_t i = 0; i < n; i++)
		if (strcmp(v[i].rule, rule) == 0 && v[i].why == why)
			return true;
	return false;
}

/* The lists and the packets say the same. */
static void compare(const struct side *x, const struct change_flow *v, size_t n, const struct seen *seen, bool cuts)
{
	for (uint32_t i = 0; i < x->c.ir.nrules; i++) {
		const char *rule = ir_text(&x->c.ir, x->c.ir.rules[i].name);
		CHECK_INT(is_told(v, n, rule, CHANGE_NOT_GRANTED), seen->not_granted[i]);
		differing += seen->not_granted[i];
		otherwise += cuts && is_told(v, n, rule, CHANGE_OTHERWISE);
		/* Of one box only the worse is told. */
		if (is_told(v, n, rule, CHANGE_OTHERWISE))
			CHECK(cuts && seen->otherwise[i]);
		if (cuts && seen->otherwise[i])
			CHECK(is_told(v, n, rule, CHANGE_OTHERWISE) || is_told(v, n, rule, CHANGE_NOT_GRANTED));
	}
}

static void test_pair(void)
{
	struct side old = {0}, new = {0};
	struct change change;

	if (open_side(&old, 1 + dice(8)) && open_side(&new, 1 + dice(8))) {
		struct change_side a = {(const char *)old.text.data, old.text.len, old.m, &old.c.ir},
				   b = {(const char *)new.text.data, new.text.len, new.m, &new.c.ir};
		struct seen cut = {0}, open = {0};
		CHECK(change_find(new.c.arena, &a, &b, at(TODAY), &change) && change.compared && !change.cut_short);
		look_all(&old, &new, &cut);
		look_all(&new, &old, &open);
		compare(&old, change.cuts, change.ncuts, &cut, true);
		compare(&new, change.opens, change.nopens, &open, false);
		CHECK(change_find(new.c.arena, &b, &b, at(TODAY), &change));
		CHECK_INT(change.nitems + change.ncuts + change.nopens, 0);
		compared++;
	}
	close_side(&old);
	close_side(&new);
}

/* -- times ------------------------------------------------------------------------------------------------------- */

static unsigned effect_of(const char *was, const char *now)
{
	static const char base[] = "set segment a kind other interface e0 address 10.1.0.1/24 network 10.1.0.0/24\n"
				   "set segment b kind other interface e1 address 10.2.0.1/24 network 10.2.0.0/24\n"
				   "set host a0 segment a address 10.1.0.5\nset host b0 segment b address 10.2.0.5\n"
				   "set allow r from a0 to b0 service tcp/1 purpose x applicant y";
	struct side s[2] = {0};
	struct change_side sides[2];
	struct change change;

	for (int i = 0; i < 2; i++) {
		buf_printf(&s[i].text, "%s%s\n", base, i == 0 ? was : now);
		s[i].c = compile_text((const char *)s[i].text.data, s[i].text.len, TODAY);
		CHECK(s[i].c.ok && config_read(s[i].c.arena, (const char *)s[i].text.data, s[i].text.len, &s[i].c.diags, &s[i].m));
		sides[i] = (struct change_side){(const char *)s[i].text.data, s[i].text.len, s[i].m, &s[i].c.ir};
	}
	CHECK(change_find(s[1].c.arena, &sides[0], &sides[1], at(TODAY), &change));
	unsigned effect = change.nitems == 1 ? change.items[0].effect : UINT32_MAX;
	close_side(&s[0]);
	close_side(&s[1]);
	return effect;
}

static void test_times(void)
{
	CHECK_INT(effect_of(" expires 2027-03-31", " expires 2028-03-31"), CHANGE_LONGER);
	CHECK_INT(effect_of(" expires 2027-03-31", " expires 2026-12-31"), CHANGE_SHORTER);
	CHECK_INT(effect_of(" expires 2027-03-31", ""), CHANGE_LONGER);
	CHECK_INT(effect_of(" expires 2026-03-31", " expires 2027-03-31"), CHANGE_LONGER | CHANGE_WIDENED);
	CHECK_INT(effect_of(" starts 2026-04-01", " starts 2026-05-01"), CHANGE_SHORTER);
	CHECK_INT(effect_of(" hours 08:00-18:00", " hours 09:00-19:00"), CHANGE_LONGER | CHANGE_SHORTER);
	CHECK_INT(effect_of(" hours 22:00-02:00", " hours 23:00-02:00"), CHANGE_SHORTER);
	CHECK_INT(effect_of("", " hours 22:00-23:00"), CHANGE_SHORTER | CHANGE_NARROWED);
	CHECK_INT(effect_of(" days mon-fri", " days mon-sat"), CHANGE_LONGER);
	CHECK_INT(effect_of(" closed-dates 2026-12-31", " closed-dates 2027-01-01"), CHANGE_LONGER | CHANGE_SHORTER);
	CHECK_INT(effect_of("", " application tls server-name x.example"), CHANGE_VERIFIED);
	CHECK_INT(effect_of("", " at-end drain"), 0);
	CHECK_INT(effect_of("", " service tcp/2"), CHANGE_WIDENED);
}

int main(void)
{
	for (int i = 0; i < 80; i++)
		test_pair();
	/* The dice gave something to compare. */
	CHECK(compared > 25 && differing > 50 && otherwise > 0);
	test_times();
	return test_end();
}
