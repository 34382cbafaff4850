/*
 * test_shipped.c: every policy that ships compiles without a finding,
 * keeps the laws, and is what it claims to be.
 */
#include "policy_test.h"

static const struct {
	const char *file;
	uint32_t segments, rules_min;
} shipped[] = {
	{"default.policy", 0, 0},
	{"examples/town.policy", 3, 26},
	{"examples/two-segment.policy", 2, 3},
	{"examples/four-segment.policy", 4, 6},
};

static void test_one(const char *dir, const char *file, uint32_t segments, uint32_t rules_min)
{
	struct compiled c = compile_file(dir, file, TODAY);
	uint32_t rule;

	CHECK(c.ok && c.diags.nerrors + c.diags.nwarnings == 0);
	if (c.diags.n > 0)
		print_diags(&c);
	if (c.ok) {
		CHECK_INT(c.ir.nsegments, segments);
		CHECK(c.ir.nrules >= rules_min);
		CHECK(guard_check(&c.ir, &rule) == NULL);
	}
	compiled_free(&c);
}

/* No segment, no source, no way: nothing could cross. */
static void test_default_is_closed(const char *dir)
{
	struct compiled c = compile_file(dir, "default.policy", TODAY);
	struct question q = ask("10.1.0.5", "10.2.0.5", IPPROTO_TCP, 443);
	struct decision d;

	CHECK(c.ok && c.ir.nboxes == 0 && c.ir.nsources == 0 && c.ir.nowns == 0);
	struct matcher *m = matcher_new(&c.ir);
	matcher_decide(m, &q, at(TODAY), &d);
	CHECK(d.verdict == VERDICT_DROP && d.reason == REASON_SPOOF && d.from == IR_NONE &&
		d.nearest == IR_NONE);
	matcher_free(m);
	compiled_free(&c);
}

static uint32_t count_flag(const struct ir *ir, uint32_t flag)
{
	uint32_t n = 0;

	for (uint32_t i = 0; i < ir->nrules; i++)
		n += (ir->rules[i].flags & flag) != 0;
	return n;
}

static uint32_t count_boxes(const struct ir *ir, uint8_t family)
{
	uint32_t n = 0;

	for (uint32_t i = 0; i < ir->nboxes; i++)
		n += ir->boxes[i].family == family;
	return n;
}

/* What the town is there to show. */
static void test_town(const char *dir)
{
	struct compiled c = compile_file(dir, "examples/town.policy", TODAY);
	bool vlan = false, routed_mac = false, bound = false;
	uint32_t actions[4] = {0};

	CHECK(c.ok);
	for (uint32_t i = 0; i < c.ir.ninterfaces; i++)
		vlan = vlan || (strcmp(c.ir.interfaces[i].name, "eth2.20") == 0 &&
				       strcmp(c.ir.interfaces[i].parent, "eth2") == 0 &&
				       c.ir.interfaces[i].vlan == 20);
	for (uint32_t i = 0; i < c.ir.nsources; i++) {
		const struct ir_source *s = &c.ir.sources[i];
		bool single = memcmp(s->range.lo, s->range.hi, 16) == 0;
		routed_mac = routed_mac || (s->has_mac && !single && s->mac[5] == 0xfe);
		bound = bound || (s->has_mac && single && s->mac[5] == 0x20);
	}
	for (uint32_t i = 0; i < c.ir.nrules; i++)
		actions[c.ir.rules[i].action]++;
	CHECK(vlan && routed_mac && bound);
	CHECK(actions[IR_ALLOW] >= 6 && actions[IR_INSPECT] >= 15 && actions[IR_MAIL] == 2);
	CHECK(count_boxes(&c.ir, 4) > 20 && count_boxes(&c.ir, 6) > 10);
	CHECK(count_flag(&c.ir, IR_RULE_TIMED) >= 3 && count_flag(&c.ir, IR_RULE_EXCEPTION) == 1 &&
		count_flag(&c.ir, IR_RULE_ONE_WAY) == 1 && count_flag(&c.ir, IR_RULE_EXTERNAL) >= 3);
	compiled_free(&c);
}

/* The examples of a manual page, one after the other, are a policy that is taken; what it warns of is what it says. */
static void test_manual(const char *dir, const char *page, uint32_t rules, int unverified)
{
	char path[4096], line[4096];
	struct buf b = {0};
	bool fenced = false;

	snprintf(path, sizeof(path), "%s/../../doc/%s", dir, page);
	FILE *f = fopen(path, "r");
	CHECK(f != NULL);
	while (f != NULL && fgets(line, sizeof(line), f) != NULL) {
		if (strncmp(line, "```", 3) == 0)
			fenced = !fenced;
		else if (fenced)
			buf_adds(&b, line);
	}
	if (f != NULL)
		fclose(f);
	struct compiled c = compile_text(buf_str(&b), b.len, TODAY);
	CHECK(c.ok && c.ir.nrules >= rules && c.diags.nerrors == 0);
	CHECK_INT(c.diags.nwarnings, unverified);
	CHECK_INT(count_code(&c, "unverified"), unverified);
	if ((int)c.diags.n != unverified)
		print_diags(&c);
	compiled_free(&c);
	buf_free(&b);
}

int main(int argc, char **argv)
{
	const char *dir = argc > 1 ? argv[1] : ".";

	for (size_t i = 0; i < sizeof(shipped) / sizeof(shipped[0]); i++)
		test_one(dir, shipped[i].file, shipped[i].segments, shipped[i].rules_min);
	test_default_is_closed(dir);
	test_town(dir);
	test_manual(dir, "applications.md", 20, 1);
	test_manual(dir, "policy-reference.md", 1, 0);
	test_manual(dir, "mail.md", 0, 0);
	return test_end();
}
