/*
 * test_verified.c: what rules demand, from their words to what the inspector takes; numbers that mean the same in two
 * IRs; the facts about applications against the verifiers that there are.
 */
#include "policy_test.h"

#include <sekisho/inspect.h>

#include "verified.h"
#include "verify.h"

#define HEAD                                                                                                            \
	"set segment a kind other interface eth0 address 10.1.0.1/24 network 10.1.0.0/16\n"                             \
	"set segment b kind other interface eth1 address 10.2.0.1/24 network 10.2.0.0/16\n"                             \
	"set host h segment a address 10.1.0.5\nset host k segment b address 10.2.0.6\n"                                \
	"set host l segment b address 10.2.0.7\n"

static struct compiled compile(const char *rules)
{
	struct buf b = {0};

	buf_adds(&b, HEAD);
	buf_adds(&b, rules);
	struct compiled c = compile_text(buf_str(&b), b.len, TODAY);
	buf_free(&b);
	CHECK(c.ok);
	if (!c.ok) {
		print_diags(&c);
		exit(1);
	}
	return c;
}

static uint32_t number_of(const struct compiled *c, const char *rule)
{
	for (uint32_t i = 0; i < c->ir.nrules; i++)
		if (strcmp(rule_name(&c->ir, i), rule) == 0)
			return c->ir.rules[i].verified;
	abort();
}

static struct verify_policy demand(const struct compiled *c, const char *rule)
{
	struct verify_policy p = {0};

	CHECK(ir_verify_policy(&c->ir, number_of(c, rule), c->arena, &p));
	return p;
}

static void test_demands(void)
{
	struct compiled c = compile(
		"set allow t from h to k service tcp/443 application tls server-name B.Example server-name *.a.example\n"
		"set allow t alpn http/1.1 alpn h2 application-option ech application-option fast-open\n"
		"set allow d from h to k service dnsboth application dns domain-name Example.jp question-rate 50\n"
		"set service dnsboth udp/53 tcp/53\n"
		"set allow s from h to k service udp/514 application syslog one-way\n"
		"set allow p from h to k service tcp/9100\n"
		"set system refused-connections silent\n");
	struct verify_policy p = demand(&c, "t");

	CHECK(p.application == APP_TLS && p.options == (VERIFY_ECH | VERIFY_FAST_OPEN) && !p.one_way && p.rate == 0);
	CHECK_INT(p.server_names.n, 2);
	CHECK_STR(p.server_names.v[0], "*.a.example");
	CHECK_STR(p.server_names.v[1], "b.example");
	CHECK_INT(p.alpns.n, 2);
	CHECK_STR(p.alpns.v[0], "h2");
	CHECK_INT(p.domain_names.n, 0);
	p = demand(&c, "d");
	CHECK(p.application == APP_DNS && p.rate == 50 && p.domain_names.n == 1 && p.server_names.n == 0);
	CHECK_STR(p.domain_names.v[0], "example.jp");
	p = demand(&c, "s");
	CHECK(p.application == APP_SYSLOG && p.one_way);
	CHECK_INT(number_of(&c, "p"), 0);
	CHECK(!ir_verify_policy(&c.ir, 0, c.arena, &p) && !ir_verify_policy(&c.ir, c.ir.nverifieds + 1, c.arena, &p));
	CHECK_STR(ir_text(&c.ir, c.ir.verifieds[number_of(&c, "t") - 1].text),
		"tls option ech option fast-open server-name *.a.example server-name b.example alpn h2 alpn http/1.1");
	CHECK_STR(ir_text(&c.ir, c.ir.verifieds[number_of(&c, "s") - 1].text), "syslog one-way");
	CHECK_STR(ir_text(&c.ir, c.ir.rules[2].application_text), "syslog");
	CHECK_INT(c.ir.system->refuse_silently, 1);
	compiled_free(&c);
}

/* The same demand has one number, whatever the order and the case of its words; a screen product changes nothing. */
static void test_shared(void)
{
	struct compiled c = compile(
		"set allow a from h to k service tcp/1 application tls server-name a.b server-name c.d alpn h2 alpn x\n"
		"set allow b from h to k service tcp/2 application tls server-name C.D alpn x alpn h2 server-name a.b\n"
		"set allow c from h to k service tcp/3 application tls server-name a.b server-name c.d alpn h2\n"
		"set allow d from h to k service tcp/4 application tls server-name a.b\n"
		"set allow e from h to k service tcp/5 application tls server-name a.b screen-product ica\n"
		"set allow f from h to k service udp/6 application syslog\n"
		"set allow g from h to k service udp/7 application syslog one-way\n"
		"set allow h from h to k service udp/8 application dns question-rate 1\n"
		"set allow i from h to k service udp/9 application dns question-rate 10\n");

	CHECK(number_of(&c, "a") == number_of(&c, "b") && number_of(&c, "d") == number_of(&c, "e"));
	CHECK_INT(c.ir.nverifieds, 7);
	CHECK(number_of(&c, "f") != number_of(&c, "g") && number_of(&c, "h") != number_of(&c, "i"));
	compiled_free(&c);
}

/* After a commit each number means what it meant, though rules came, went and moved. */
static void test_renumber(void)
{
	struct compiled old = compile("set allow x from h to k service tcp/22 application ssh\n"
				      "set allow t from h to k service tcp/443 application tls server-name a.b\n"
				      "set allow z from h to k service tcp/80 application http\n"
				      "set allow s from h to k service udp/514 application syslog one-way\n");
	struct compiled new = compile("set allow z2 from h to l service tcp/80 application http\n"
				      "set allow f from h to k service tcp/21 application ftp\n"
				      "set allow t from h to k service tcp/443 application tls server-name A.B\n"
				      "set allow s from h to k service udp/514 application syslog\n");
	uint16_t *n = ir_renumber(&old.ir, &new.ir, old.arena);

	CHECK_INT(n[0], 0);
	CHECK_INT(n[number_of(&old, "x")], 0);
	CHECK_INT(n[number_of(&old, "t")], number_of(&new, "t"));
	CHECK_INT(n[number_of(&old, "z")], number_of(&new, "z2"));
	CHECK_INT(n[number_of(&old, "s")], 0); /* one way before, answered now: not the same */
	CHECK(number_of(&old, "t") != number_of(&new, "t") || number_of(&old, "z") != number_of(&new, "z2"));
	n = ir_renumber(&old.ir, &old.ir, old.arena);
	for (uint32_t i = 0; i <= old.ir.nverifieds; i++)
		CHECK_INT(n[i], i);
	/* A compiler that calls another demand by the same words gains nothing. */
	((struct ir_verified *)(uintptr_t)&new.ir.verifieds[number_of(&new, "t") - 1])->options = VERIFY_ECH;
	n = ir_renumber(&old.ir, &new.ir, old.arena);
	CHECK_INT(n[number_of(&old, "t")], 0);
	compiled_free(&old);
	compiled_free(&new);
}

/* Thousands of different demands, in order and each with its own number. */
static void test_many(void)
{
	struct buf b = {0};
	const int count = 3000;

	for (int i = 0; i < count; i++)
		buf_printf(&b, "set allow r%d from h to k service tcp/%d application tls server-name s%d.example\n", i,
			i + 1000, i * 7919 % count);
	struct compiled c = compile(buf_str(&b));
	CHECK_INT(c.ir.nverifieds, count);
	for (uint32_t i = 0; i < c.ir.nrules; i++) {
		char want[64];
		snprintf(want, sizeof(want), "tls server-name s%d.example", (int)i * 7919 % count);
		CHECK_STR(ir_text(&c.ir, c.ir.verifieds[c.ir.rules[i].verified - 1].text), want);
	}
	compiled_free(&c);
	buf_free(&b);
}

/* What a rule may name is what the verifiers can do: each that there is travels over what the facts say. */
static void test_facts(void)
{
	for (unsigned a = 1; a < APP_END; a++) {
		const struct verifier *v = verifier_of((enum application)a);
		CHECK(application_over(a, IPPROTO_TCP) || application_over(a, IPPROTO_UDP));
		CHECK(!application_over(a, IPPROTO_ICMP) && !application_over(a, IPPROTO_ICMPV6));
		CHECK(((application_options(a) & VERIFY_FAST_OPEN) != 0) == application_over(a, IPPROTO_TCP));
		if (v == NULL) {
			printf("no verifier yet: %s\n", application_word((enum application)a));
			continue;
		}
		CHECK((v->stream != NULL) == application_over(a, IPPROTO_TCP));
		CHECK((v->datagram != NULL) == application_over(a, IPPROTO_UDP));
	}
	CHECK(!application_over(APP_NONE, IPPROTO_TCP) && !application_over(APP_END, IPPROTO_TCP));
	CHECK(application_options(APP_END) == 0 && application_demands(APP_END) == 0);
}

static void test_words(void)
{
	uint32_t all = 0;

	for (unsigned a = 1; a < APP_END; a++)
		all |= application_options(a);
	for (uint32_t bit = 1; bit != 0; bit <<= 1) {
		const char *word = verify_option_word(bit);
		CHECK((word != NULL) == ((all & bit) != 0)); /* each option belongs to some application */
		CHECK(word == NULL || verify_option_find(word) == bit);
	}
	CHECK_INT(verify_option_find("nonsense"), 0);
	CHECK_STR(screen_product_word(SCREEN_PCOIP), "pcoip");
	CHECK_STR(screen_product_word(SCREEN_END), "none");
}

int main(void)
{
	test_demands();
	test_shared();
	test_renumber();
	test_many();
	test_facts();
	test_words();
	return test_end();
}
