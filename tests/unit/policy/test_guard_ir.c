/*
 * test_guard_ir.c: the second guard. A compiler that was broken into could write any IR: each law is broken
 * here by a change of the finished block, and guard_check() must name it.
 */
#include "policy_test.h"

#include <sekisho/inspect.h>

/* The arrays of the opened block, writable: the block is ours. */
#define MUTABLE(c, member, i) ((void *)(uintptr_t) & (c)->ir.member[i])

static uint32_t find_rule(const struct compiled *c, const char *name)
{
	for (uint32_t i = 0; i < c->ir.nrules; i++)
		if (strcmp(ir_text(&c->ir, c->ir.rules[i].name), name) == 0)
			return i;
	abort();
}

static struct ir_rule *rule_of(const struct compiled *c, const char *name)
{
	return MUTABLE(c, rules, find_rule(c, name));
}

static struct ir_segment *segment_of(const struct compiled *c, const char *name)
{
	for (uint32_t i = 0; i < c->ir.nsegments; i++)
		if (strcmp(ir_text(&c->ir, c->ir.segments[i].name), name) == 0)
			return MUTABLE(c, segments, i);
	abort();
}

static struct ir_box *box_of(const struct compiled *c, const char *rule)
{
	uint32_t r = find_rule(c, rule);

	for (uint32_t i = 0; i < c->ir.nboxes; i++)
		if (c->ir.cands[c->ir.boxes[i].cand.first].rule == r)
			return MUTABLE(c, boxes, i);
	abort();
}

static struct ir_span *span_of(const struct compiled *c, const char *rule)
{
	return MUTABLE(c, spans, rule_of(c, rule)->spans.first);
}

/* The exception becomes a break-out under alpha-prime. */
static void break_out(const struct compiled *c)
{
	((struct ir_system *)MUTABLE(c, system, 0))->alpha_prime = 1;
	rule_of(c, "update-get")->flags |= IR_RULE_BREAKOUT;
}

static const char *directory;

/* Compiles the town, breaks it, asks the guard; names the rule when one is at fault. */
#define BREAK(law, at_rule, ...)                                                                             \
	do {                                                                                                 \
		struct compiled c = compile_file(directory, "examples/town.policy", TODAY);                  \
		uint32_t rule = 0;                                                                           \
		__VA_ARGS__;                                                                                 \
		const char *broken = guard_check(&c.ir, &rule);                                              \
		CHECK_STR(broken == NULL ? "" : broken, law == NULL ? "" : law);                             \
		CHECK_STR(rule == IR_NONE ? "" : ir_text(&c.ir, c.ir.rules[rule].name), at_rule);            \
		compiled_free(&c);                                                                           \
	} while (0)

static void test_mynumber(void)
{
	/* lgwan as internet: every flow of mynumber would leave the house. */
	BREAK("mynumber-internet", "pittari", segment_of(&c, "lgwan")->kind = KIND_INTERNET);
	BREAK("mynumber-approval", "kokuzei", rule_of(&c, "kokuzei")->napprovals = 0);
	BREAK("mynumber-end", "kokuzei", rule_of(&c, "kokuzei")->ends = INT64_MAX);
	BREAK("mynumber-isolated", "konbini",
		rule_of(&c, "konbini")->flags &= (uint16_t)~IR_RULE_EXTERNAL_ISOLATED);
	BREAK("mynumber-single-host", "jumin-file", {
		struct ir_span *s = MUTABLE(&c, spans, rule_of(&c, "jumin-file")->spans.first);
		s->src.hi[3]++;
	});
	BREAK("mynumber-ports", "jumin-file", {
		struct ir_span *s = MUTABLE(&c, spans, rule_of(&c, "jumin-file")->spans.first);
		s->port_hi = (uint16_t)(s->port_lo + LIMIT_GUARD_PORTS);
	});
}

static void test_sanitised(void)
{
	BREAK("sanitised", "file-in", rule_of(&c, "file-in")->sanitised_by = SANITISED_NONE);
	BREAK("sanitised", "update-get", rule_of(&c, "update-get")->flags &= (uint16_t)~IR_RULE_EXCEPTION);
	BREAK("screen-transfer", "gamen", {
		rule_of(&c, "gamen")->action = IR_ALLOW;
		rule_of(&c, "gamen")->application = APP_NONE;
	});
	BREAK("application", "gamen", rule_of(&c, "gamen")->action = IR_ALLOW);
	BREAK("mail-to-text", "mail-in", rule_of(&c, "mail-in")->action = IR_ALLOW);
	BREAK("breakout", "file-in", rule_of(&c, "file-in")->flags |= IR_RULE_BREAKOUT);
	BREAK("exception", "update-get", rule_of(&c, "update-get")->ends = INT64_MAX);
	BREAK("exception", "update-get", rule_of(&c, "update-get")->napprovals = 0);
}

static struct ir_verified *verified_of(const struct compiled *c, const char *rule)
{
	return MUTABLE(c, verifieds, rule_of(c, rule)->verified - 1);
}

/* What the inspector is asked to verify is what its verifiers can. */
static void test_applications(void)
{
	BREAK("application-transport", "pc-zaimu", span_of(&c, "pc-zaimu")->proto = IPPROTO_UDP);
	BREAK("application-transport", "pc-time", span_of(&c, "pc-time")->proto = IPPROTO_ICMP);
	BREAK("ftp-port", "pc-zaimu", {
		rule_of(&c, "pc-zaimu")->application = APP_FTP;
		span_of(&c, "pc-zaimu")->port_hi++;
	});
	BREAK("one-way", "pc-time", rule_of(&c, "pc-time")->flags |= IR_RULE_ONE_WAY);
	BREAK("application-transport", "pc-zaimu", rule_of(&c, "pc-zaimu")->flags |= IR_RULE_ONE_WAY);
	BREAK("screen-transfer", "gamen", rule_of(&c, "gamen")->application = APP_SSH);
	/* A product that cannot be verified: TLS, the whole name of a server, two single hosts. */
	BREAK(NULL, "", rule_of(&c, "pittari")->screen_product = SCREEN_ICA);
	BREAK("screen-product", "gamen", rule_of(&c, "gamen")->screen_product = SCREEN_ICA);
	BREAK("screen-product", "pc-zaimu", rule_of(&c, "pc-zaimu")->screen_product = SCREEN_ICA);
	BREAK("screen-product", "pittari", {
		rule_of(&c, "pittari")->screen_product = SCREEN_ICA;
		verified_of(&c, "pittari")->server_names.n = 0;
	});
	BREAK("screen-product", "pittari", {
		rule_of(&c, "pittari")->screen_product = SCREEN_ICA;
		verified_of(&c, "pittari")->options = VERIFY_ECH;
	});
	BREAK("screen-product", "pittari", {
		rule_of(&c, "pittari")->screen_product = SCREEN_ICA;
		verified_of(&c, "pittari")->server_names = verified_of(&c, "asp")->server_names;
	});
	/* A break-out sees the names of its servers. */
	BREAK(NULL, "", break_out(&c));
	BREAK("breakout", "update-get", {
		break_out(&c);
		verified_of(&c, "update-get")->options = VERIFY_ECH;
	});
	BREAK("breakout", "update-get", {
		break_out(&c);
		verified_of(&c, "update-get")->server_names.n = 0;
	});
}

static void test_boxes(void)
{
	/* A box that reaches beyond what its rule was approved for. */
	BREAK("box-beyond-rule", "pc-zaimu", box_of(&c, "pc-zaimu")->port_hi = 65535);
	BREAK("box-beyond-rule", "pc-wsus", box_of(&c, "pc-wsus")->dst.hi[3]++);
	/* Addresses that belong to another segment than the pair says. */
	BREAK("outside-segment", "pc-zaimu", memcpy(box_of(&c, "pc-zaimu")->dst.lo, "\x0a\x01\x0a\x05", 4));
	BREAK("outside-segment", "pc-zaimu", memset(box_of(&c, "pc-zaimu")->src.hi, 0xff, 4));
}

static void test_network(void)
{
	BREAK("trunk", "", {
		struct ir_interface *f = MUTABLE(&c, interfaces, 0);
		snprintf(f->parent, sizeof(f->parent), "eth3");
		f->vlan = 7;
	});
	BREAK("networks-overlap", "", {
		/* mynumber's network taken by lgwan as well */
		struct ir_network *n = MUTABLE(&c, networks, segment_of(&c, "lgwan")->networks.first);
		memcpy(n->range.lo, "\x0a\x01\x00\x00", 4);
	});
	BREAK("source-outside-segment", "", {
		struct ir_source *s = MUTABLE(&c, sources, 0);
		s->interface = 3;
	});
	BREAK("own-outside-segment", "", {
		struct ir_own *o = MUTABLE(&c, owns, 0);
		o->interface = 3;
	});
}

#define TURNED                                                                                                \
	"set segment l kind lgwan interface eth1 address 10.2.0.1/24 network 10.2.0.0/16\n"                    \
	"set segment i kind internet interface eth2 address 192.0.2.1/24 network 192.0.2.0/24\n"               \
	"set host lmta segment l address 10.2.0.5\nset host imta segment i address 192.0.2.5\n"                \
	"set mail inbound transparent domain town.example next-hop lmta\n"                                     \
	"set mail outbound transparent server lmta next-hop imta\n"

static const char *guard_of_turned(void (*damage)(struct ir_own *in, struct ir_own *out, struct compiled *c))
{
	struct compiled c = compile_text(TURNED, strlen(TURNED), TODAY);
	struct ir_own *own[2] = {NULL, NULL};
	uint32_t rule, n = 0;

	CHECK(c.ok);
	for (uint32_t i = 0; i < c.ir.nowns && n < 2; i++)
		if (c.ir.owns[i].turned != 0)
			own[n++] = MUTABLE(&c, owns, i);
	CHECK_INT(n, 2);
	damage(own[0], own[1], &c);
	const char *law = guard_check(&c.ir, &rule);
	compiled_free(&c);
	return law == NULL ? "" : law;
}

static void no_damage(struct ir_own *in, struct ir_own *out, struct compiled *c)
{
	(void)in, (void)out, (void)c;
}

static void other_port(struct ir_own *in, struct ir_own *out, struct compiled *c)
{
	(void)out, (void)c;
	in->port_hi = 26;
}

static void other_server(struct ir_own *in, struct ir_own *out, struct compiled *c)
{
	(void)out, (void)c;
	in->local[3] = 6;
}

static void wrong_side(struct ir_own *in, struct ir_own *out, struct compiled *c)
{
	(void)c;
	memcpy(out->local, in->local, sizeof(out->local));
}

static void from_us(struct ir_own *in, struct ir_own *out, struct compiled *c)
{
	(void)in, (void)c;
	out->out = 1;
}

static void not_transparent(struct ir_own *in, struct ir_own *out, struct compiled *c)
{
	(void)in, (void)out;
	((struct ir_mail *)MUTABLE(c, mails, 1))->transparent = 0;
}

static void our_address(struct ir_own *in, struct ir_own *out, struct compiled *c)
{
	(void)out;
	memcpy(((struct ir_local *)MUTABLE(c, locals, 0))->addr, in->local, sizeof(in->local));
}

/* What the gate takes in place of a server is mail for a next hop of its own direction, and nothing else. */
static void test_turned(void)
{
	CHECK_STR(guard_of_turned(no_damage), "");
	CHECK_STR(guard_of_turned(other_port), "mail-turned");
	CHECK_STR(guard_of_turned(other_server), "mail-turned");
	CHECK_STR(guard_of_turned(wrong_side), "mail-turned");
	CHECK_STR(guard_of_turned(from_us), "mail-turned");
	CHECK_STR(guard_of_turned(not_transparent), "mail-turned");
	CHECK_STR(guard_of_turned(our_address), "mail-turned");
}

/* A host with more addresses than a machine has is a network in disguise. */
static void test_many_addresses(void)
{
	struct buf b = {0};

	buf_adds(&b, "set segment m kind mynumber interface eth0 address 10.1.0.1/24 network 10.1.0.0/16\n"
		     "set segment l kind lgwan interface eth1 address 10.2.0.1/24 network 10.2.0.0/16\n"
		     "set host l1 segment l address 10.2.0.5\nset host m1 segment m");
	for (int i = 0; i <= LIMIT_GUARD_ADDRESSES; i++)
		buf_printf(&b, " address 10.1.0.%d", 10 + i);
	buf_adds(&b, "\nset allow r from m1 to l1 service tcp/443 expires 2027-03-31 purpose p applicant a\n"
		     "set allow r approval ciso name n date 2026-04-01\n");
	struct compiled c = compile_text(buf_str(&b), b.len, TODAY);
	CHECK(!c.ok && count_code(&c, "law-mynumber-host") == 1 && c.diags.nerrors == 1);
	compiled_free(&c);
	buf_free(&b);
}

static void test_pairs(void)
{
	CHECK(guard_forbidden_pair(KIND_MYNUMBER, KIND_INTERNET) &&
		guard_forbidden_pair(KIND_INTERNET, KIND_MYNUMBER));
	for (int a = KIND_OTHER; a <= KIND_INTERNET; a++) {
		CHECK(!guard_forbidden_pair((enum segment_kind)a, KIND_LGWAN));
		CHECK(!guard_forbidden_pair((enum segment_kind)a, (enum segment_kind)a));
		CHECK(!guard_forbidden_pair(KIND_OTHER, (enum segment_kind)a));
	}
}

int main(int argc, char **argv)
{
	directory = argc > 1 ? argv[1] : ".";
	test_mynumber();
	test_sanitised();
	test_applications();
	test_boxes();
	test_network();
	test_turned();
	test_many_addresses();
	test_pairs();
	return test_end();
}
