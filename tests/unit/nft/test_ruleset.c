/*
 * test_ruleset: what is built from a policy: classes, times, capabilities, limits; the printed forms.
 * With an argument it prints the town's ruleset (tests/golden/nft).
 */
#include "../../../src/nft/objects.h"
#include "hand_ir.h"
#include "test.h"

#include <sekisho/arena.h>
#include <sekisho/clock.h>
#include <sekisho/inspect.h>

#include <netinet/in.h>

#define NOW 1795000000
#define DAY 86400

static struct ruleset *build(struct hand *h, int64_t now, uint32_t capabilities, bool untrusted)
{
	struct ruleset_options opt = {.generation = 5, .capabilities = capabilities, .clock_untrusted = untrusted};

	hand_finish(h);
	return ruleset_build(&h->ir, (struct wall){now}, &opt);
}

static char *text_of(const struct ruleset *rs)
{
	struct buf out = {0};

	ruleset_text(rs, &out);
	buf_str(&out);
	return (char *)out.data;
}

static bool says(const struct ruleset *rs, const char *words)
{
	char *text = text_of(rs);
	bool found = strstr(text, words) != NULL;

	free(text);
	return found;
}

/* One rule, one box: its element. */
static void one_rule(struct hand *h, unsigned flags, enum ir_action action, int64_t ends)
{
	hand_init(h);
	hand_segment(h, "a", KIND_LGWAN, "eth0", "10.1.0.1/16");
	hand_segment(h, "b", KIND_OTHER, "eth1", "10.2.0.1/16");
	hand_rule(h, "r", 0, 1, action, flags);
	hand_rule_at(h, 0)->ends = ends;
	hand_rule_at(h, 0)->verified = 9;
	hand_box(h, 0, IPPROTO_TCP, "10.1.0.5", "10.2.0.5", 80, 80);
}

static uint32_t class_of(unsigned flags, enum ir_action action, int64_t ends, int64_t *next)
{
	struct hand h;
	uint32_t class = 0;

	one_rule(&h, flags, action, ends);
	struct ruleset *rs = build(&h, NOW, CAP_ALL, false);
	for (size_t i = 0; i < rs->nsets; i++)
		if (strcmp(rs->sets[i]->name, "flow_0_1_tcp4") == 0 && rs->sets[i]->n == 1)
			class = set_elem(rs->sets[i], 0)->mark;
	*next = ruleset_next_change(rs).sec;
	ruleset_free(rs);
	hand_free(&h);
	return class;
}

static void test_classes(void)
{
	int64_t next;

	CHECK_INT(class_of(0, IR_ALLOW, INT64_MAX, &next), CLASS_ALLOW | 9 << 12);
	CHECK_INT(next, INT64_MAX);
	CHECK_INT(class_of(0, IR_ALLOW, NOW + 30 * DAY, &next), CLASS_ALLOW | 9 << 12);
	CHECK_INT(next, NOW + 30 * DAY - CLASS_TIMED_SECONDS + 1);
	CHECK_INT(class_of(0, IR_ALLOW, NOW + 10, &next), CLASS_TIMED | 9 << 12);
	CHECK_INT(next, NOW + 10);
	CHECK_INT(class_of(IR_RULE_DRAIN, IR_ALLOW, NOW + 10, &next), CLASS_ALLOW | 9 << 12);
	CHECK_INT(class_of(IR_RULE_ONE_WAY, IR_ALLOW, NOW + 10, &next), CLASS_ONEWAY | 9 << 12);
	CHECK_INT(class_of(0, IR_INSPECT, INT64_MAX, &next), CLASS_INSPECT | 9 << 12);
	CHECK_INT(class_of(0, IR_INSPECT, NOW + 30 * DAY, &next), CLASS_INSPECT | 9 << 12);
	CHECK_INT(next, NOW + 30 * DAY - CLASS_TIMED_SECONDS + 1);
	CHECK_INT(class_of(0, IR_INSPECT, NOW + 10, &next), CLASS_INSPECT_TIMED | 9 << 12);
	CHECK_INT(class_of(IR_RULE_DRAIN, IR_INSPECT, NOW + 10, &next), CLASS_INSPECT | 9 << 12);
	CHECK_INT(class_of(IR_RULE_ONE_WAY, IR_INSPECT, INT64_MAX, &next), CLASS_INSPECT_ONEWAY | 9 << 12);
	CHECK_INT(class_of(0, IR_MAIL, INT64_MAX, &next), CLASS_MAIL | 9 << 12);
	CHECK_INT(class_of(0, IR_ALLOW, NOW, &next), 0);
	CHECK_INT(class_of(0, IR_ALLOW, NOW - 1, &next), 0);
}

/* While the clock is not trusted what has times is closed, and what has none is open. */
static void test_untrusted_clock(void)
{
	struct hand h;
	struct ruleset_counts n;

	one_rule(&h, 0, IR_ALLOW, NOW + 30 * DAY);
	struct ruleset *rs = build(&h, NOW, CAP_ALL, true);
	ruleset_count(rs, &n);
	CHECK_INT(n.boxes_open, 0);
	CHECK_INT(n.boxes_timed_closed, 1);
	ruleset_free(rs);
	hand_free(&h);
	one_rule(&h, 0, IR_ALLOW, INT64_MAX);
	rs = build(&h, NOW, CAP_ALL, true);
	ruleset_count(rs, &n);
	CHECK_INT(n.boxes_open, 1);
	ruleset_free(rs);
	hand_free(&h);
}

static void test_capabilities(void)
{
	struct hand h;

	hand_town(&h);
	struct ruleset *full = build(&h, NOW, CAP_ALL, false), *less;
	CHECK(says(full, "fib daddr oif missing") && says(full, "ct count over 500") && says(full, "maxseg size set 1360"));
	less = build(&h, NOW, CAP_ALL & ~(CAP_FIB | CAP_CONNLIMIT | CAP_TCPOPT), false);
	CHECK(!says(less, "fib ") && !says(less, "ct count") && !says(less, "maxseg"));
	ruleset_free(less);
	ruleset_free(full);
	for (uint32_t bit = 1; bit <= CAP_ALL; bit <<= 1)
		CHECK(strcmp(capability_word((enum capability)bit), "unknown") != 0);
	CHECK_STR(capability_word((enum capability)0x8000), "unknown");
	hand_free(&h);
}

/* -- verified flows ------------------------------------------------------------------------------------------- */

/* Without a queue what must be verified stays closed; the two kinds of queue have one text. */
static void test_queue(void)
{
	struct hand h;

	hand_town(&h);
	struct ruleset *native = build(&h, NOW, CAP_ALL, false), *xt = build(&h, NOW, CAP_ALL & ~CAP_QUEUE, false);
	struct ruleset *none = build(&h, NOW, CAP_ALL & ~(CAP_QUEUE | CAP_XT_NFQUEUE | CAP_REJECT), false);
	char *a = text_of(native), *b = text_of(xt);
	CHECK_STR(a, b);
	CHECK(strstr(a, "\t\tqueue num 200\n") != NULL && strstr(a, "\t\tqueue num 202\n") != NULL);
	CHECK(strstr(a, "bypass") == NULL && strstr(a, "meta nfproto != @inspectors goto stop_no-inspector") != NULL);
	CHECK(!says(none, "queue num") && !says(none, "reject"));
	free(a);
	free(b);
	ruleset_free(native);
	ruleset_free(xt);
	ruleset_free(none);
	hand_free(&h);
}

/* Mail in the place of a server: turned behind source and state, refused in forward before any mark, let in by its mark. */
static void test_turned(void)
{
	struct hand h;

	hand_town(&h);
	hand_own(&h, 2, "mail", false, IPPROTO_TCP, "192.0.2.0/24", 25);
	hand_turn(&h, "10.2.0.8");
	struct ruleset *rs = build(&h, NOW, CAP_ALL, false), *less = build(&h, NOW, CAP_ALL & ~CAP_TPROXY, false);
	const char *asked = "meta nfproto ipv4 meta l4proto tcp th dport 25 ct direction original iifname . ip saddr . ip daddr @turned4_g5";
	char *text = text_of(rs), line[512];
	snprintf(line, sizeof(line), "priority -140; policy accept;\n\t\t%s goto turning\n", asked);
	CHECK(strstr(text, line) != NULL);
	snprintf(line, sizeof(line), "\t\tmeta nfproto != @lease goto closed\n\t\tmeta nfproto @cutting jump cut\n\t\t%s goto stop_no-mail-gate\n\t\tct mark & 0xfff ==", asked);
	CHECK(strstr(text, line) != NULL);
	snprintf(line, sizeof(line), "\t\tmeta mark 0x25000001 %s accept", asked);
	CHECK(strstr(text, line) != NULL);
	CHECK(strstr(text, "\t\tmeta nfproto != @lease accept\n\t\tct state new jump turning_new\n"
			   "\t\tmeta l4proto tcp tproxy to :10025 meta mark set 0x25000001 accept\n\t}") != NULL);
	CHECK(strstr(text, "oifname . ip daddr . ip saddr @turned4_g5 ct state established accept") != NULL);
	CHECK(strstr(text, "turned6") == NULL && strstr(text, "daddr 10.2.0.8 th dport 25") == NULL);
	/* Without the kernel's help it stays refused, and nothing of it comes in. */
	snprintf(line, sizeof(line), "%s goto stop_no-mail-gate", asked);
	CHECK(says(less, line) && !says(less, "tproxy") && !says(less, "0x25000001") && !says(less, "oifname . ip daddr"));
	free(text);
	ruleset_free(less);
	ruleset_free(rs);
	hand_free(&h);
}

static void test_resets(void)
{
	struct hand h;

	hand_town(&h);
	struct ruleset *rs = build(&h, NOW, CAP_ALL, false);
	CHECK(says(rs, "meta mark & 0xff == 0x1f meta l4proto tcp reject with tcp reset"));
	CHECK(says(rs, "meta l4proto tcp ct state related tcp flags & 0x4 != 0x0 ct mark & 0x3 == 0x3 accept"));
	ruleset_free(rs);
	hand_system(&h)->refuse_silently = 1;
	rs = build(&h, NOW, CAP_ALL, false);
	CHECK(!says(rs, "reject") && !says(rs, "ct state related tcp flags"));
	ruleset_free(rs);
	hand_free(&h);
}

static const struct set *set_called(const struct ruleset *rs, const char *name)
{
	for (size_t i = 0; i < rs->nsets; i++)
		if (strcmp(rs->sets[i]->name, name) == 0)
			return rs->sets[i];
	return NULL;
}

/* Pairs of the same words under both numbers, and nothing where the words or the number of the ruleset do not allow it. */
static void test_renewal(void)
{
	struct hand old, new;

	one_rule(&old, 0, IR_INSPECT, INT64_MAX);
	hand_verify(&old, 0, APP_DNS, 0, "dns");
	hand_verify(&old, 0, APP_TLS, 0, "tls");
	hand_finish(&old);
	one_rule(&new, 0, IR_INSPECT, INT64_MAX);
	hand_verify(&new, 0, APP_TLS, 0, "a-tls");
	hand_verify(&new, 0, APP_TLS, 0, "tls");
	hand_finish(&new);
	struct arena *a = arena_new();
	struct ruleset_options opt = {.generation = 5, .capabilities = CAP_ALL,
		.renewal = {4, ir_renumber(&old.ir, &new.ir, a), old.ir.nverifieds + 1, &old.ir}};
	struct ruleset *rs = ruleset_build(&new.ir, (struct wall){NOW}, &opt);
	const struct set *s = set_called(rs, "renewable");
	uint32_t key[2];
	CHECK(s != NULL && s->n == 1);
	memcpy(key, set_lo(s, 0), sizeof(key));
	CHECK_INT(key[0], 2 << 12);
	CHECK_INT(key[1], 2 << 12);
	CHECK(says(rs, "ct mark & 0xffc != 0x10 goto stop_unfitting"));
	ruleset_free(rs);
	opt.generation = 4; /* under its own number */
	rs = ruleset_build(&new.ir, (struct wall){NOW}, &opt);
	CHECK(set_called(rs, "renewable") == NULL);
	ruleset_free(rs);
	opt.generation = 5;
	opt.renewal.before = NULL; /* nobody could compare the words again */
	rs = ruleset_build(&new.ir, (struct wall){NOW}, &opt);
	CHECK(set_called(rs, "renewable") == NULL);
	ruleset_free(rs);
	arena_free(a);
	hand_free(&old);
	hand_free(&new);
}

/* Who may have connections through pinholes, until when; and no other pair of segments sees them. */
static void test_pinholes(void)
{
	struct hand h;

	one_rule(&h, 0, IR_INSPECT, NOW + 100);
	hand_verify(&h, 0, APP_FTP, VERIFY_ACTIVE_DATA, "ftp option active-data");
	uint32_t again = hand_rule(&h, "again", 0, 1, IR_INSPECT, 0);
	hand_verify(&h, again, APP_FTP, 0, "ftp");
	hand_box(&h, again, IPPROTO_TCP, "10.1.0.0/24", "10.2.0.5", 21, 21);
	struct ruleset *rs = build(&h, NOW, CAP_ALL, false);
	const struct set *hosts = set_called(rs, "hosts4"), *data = set_called(rs, "data4");
	/* the rule without an end covers the other one's hosts, but not its way back */
	CHECK(hosts != NULL && hosts->n == 2 && data != NULL && data->n == 3);
	CHECK_INT(set_elem(hosts, 0)->mark, 1 << 12 | CLASS_INSPECT);
	CHECK_INT(set_elem(hosts, 1)->mark, 2 << 12 | CLASS_INSPECT_TIMED);
	CHECK_INT(set_elem(hosts, 1)->until, NOW + 100);
	CHECK(says(rs, "ip saddr . ip daddr . th dport @pinholes4 goto pinhole"));
	ruleset_free(rs);
	hand_free(&h);
	one_rule(&h, 0, IR_INSPECT, INT64_MAX);
	hand_verify(&h, 0, APP_FTP, VERIFY_NO_DATA, "ftp option no-data");
	rs = build(&h, NOW, CAP_ALL, false);
	CHECK(!says(rs, "@pinholes4") && set_called(rs, "hosts4") == NULL);
	ruleset_free(rs);
	hand_free(&h);
}

/* Every reason has its chain, its counter and its mark; each chain that is gone to exists. */
static void test_reasons(void)
{
	struct hand h;
	char words[160];

	hand_town(&h);
	struct ruleset *rs = build(&h, NOW, CAP_ALL, false);
	for (unsigned i = 1; i < REASON_END; i++) {
		/* The number of a cut stays in its mark. */
		snprintf(words, sizeof(words), "counter name \"stop_%s\" meta mark set %s0x%08x goto refuse", reason_word(i),
			i == REASON_CUT ? "meta mark & 0x00ffff00 | " : "", REFUSAL_MARK(i));
		CHECK(says(rs, words));
	}
	for (size_t i = 0; i < rs->nchains; i++)
		for (size_t k = 0; k < rs->chains[i]->nrules; k++)
			for (size_t s = 0; s < rs->chains[i]->rules[k].nstmts; s++) {
				const struct chain *to = rs->chains[i]->rules[k].stmts[s].chain;
				CHECK(to == NULL || (!to->base && rs->chains[to->index] == to));
			}
	ruleset_free(rs);
	hand_free(&h);
}

static const struct chain *chain_of(const struct ruleset *rs, const char *name)
{
	for (size_t i = 0; i < rs->nchains; i++)
		if (strcmp(rs->chains[i]->name, name) == 0)
			return rs->chains[i];
	return NULL;
}

static bool ends_with_drop(const struct chain *c)
{
	const struct rule *r = &c->rules[c->nrules - 1];

	return r->nstmts == 1 && r->stmts[0].kind == S_VERDICT && r->stmts[0].sub == V_DROP;
}

/* A ruleset that fails open somewhere would show here first. */
static void test_closed_ends(void)
{
	static const char *const closed[] = {"forward", "input", "output"};
	struct ruleset_options opt = {.generation = 1};
	struct hand h;

	hand_town(&h);
	struct ruleset *rs = build(&h, NOW, CAP_ALL, false), *shut = ruleset_closed(&opt);
	for (size_t i = 0; i < 3; i++) {
		const struct chain *c = chain_of(rs, closed[i]), *s = chain_of(shut, closed[i]);
		CHECK(c->policy_drop && ends_with_drop(c));
		CHECK(s->policy_drop && says(shut, "goto stop_gate-closed"));
	}
	CHECK(ends_with_drop(chain_of(rs, "refuse_0")) && ends_with_drop(chain_of(rs, "refuse_none")));
	CHECK(ends_with_drop(chain_of(shut, "refuse_none")));
	CHECK(!says(shut, "lease"));
	ruleset_free(shut);
	ruleset_free(rs);
	hand_free(&h);
}

/* Many sources are looked up in sets without verdicts; the others in one map. Both hold the same sources. */
static void test_many_sources(void)
{
	struct hand h;

	hand_init(&h);
	hand_segment(&h, "a", KIND_LGWAN, "eth0", "10.1.0.1/16");
	hand_segment(&h, "b", KIND_OTHER, "eth1", "10.2.0.1/16");
	hand_network(&h, 0, "10.9.0.0/24", "02:00:00:01:00:fe");
	for (unsigned i = 0; i < 600; i++) {
		char a[32], m[32];
		snprintf(a, sizeof(a), "10.1.%u.%u", 16 + i / 100, 2 + i % 100 * 2);
		snprintf(m, sizeof(m), "02:00:00:00:%02x:%02x", i >> 8, i & 255);
		hand_bound(&h, 0, a, m);
	}
	struct ruleset *rs = build(&h, NOW, CAP_ALL, false);
	CHECK(says(rs, "ip saddr . ether saddr @mac4_0_g5 accept"));
	CHECK(says(rs, "ip saddr @source4_0_g5 accept"));
	CHECK(says(rs, "ip saddr vmap @routed4_0_g5"));
	CHECK(says(rs, "ip saddr @bound4_0_g5 goto stop_mac"));
	CHECK(says(rs, "ip saddr vmap @source4_1_g5"));
	ruleset_free(rs);
	hand_free(&h);
}

static void test_json(void)
{
	struct hand h;
	struct buf out = {0};

	hand_town(&h);
	struct ruleset *rs = build(&h, NOW, CAP_ALL, false);
	ruleset_json(rs, &out);
	CHECK(strstr(buf_str(&out), "\"generation\":5") != NULL);
	CHECK(strstr(buf_str(&out), "\"name\":\"forward\",\"hook\":\"forward\",\"priority\":0,\"policy\":\"drop\"") != NULL);
	CHECK(strstr(buf_str(&out), "10.1.0.7 . 10.2.0.9 . 514 comment \\\"syslog\\\" : 0x00000003") != NULL);
	CHECK_INT(ruleset_generation(rs), 5);
	buf_free(&out);
	ruleset_free(rs);
	hand_free(&h);
}

static int print_town(void)
{
	struct hand h;

	hand_town(&h);
	struct ruleset *rs = build(&h, NOW, CAP_ALL, false);
	char *text = text_of(rs);
	fputs(text, stdout);
	free(text);
	ruleset_free(rs);
	hand_free(&h);
	return 0;
}

int main(int argc, char **argv)
{
	(void)argv;
	clock_set_zone("UTC");
	if (argc > 1)
		return print_town();
	test_classes();
	test_untrusted_clock();
	test_capabilities();
	test_queue();
	test_resets();
	test_turned();
	test_renewal();
	test_pinholes();
	test_reasons();
	test_closed_ends();
	test_many_sources();
	test_json();
	return test_end();
}
