/* test_matcher.c: questions about the example town, with every reason that a question can get. */
#include "policy_test.h"

#define ECHO4 (8 << 8)
#define ECHO6 (128 << 8)

struct row {
	const char *src, *dst;
	uint8_t proto;
	uint16_t port;
	enum verdict verdict;
	const char *rule;
	enum reason reason;
	const char *nearest;
	uint32_t differs;
};

static const struct row rows[] = {
	/* granted, in both families */
	{"10.1.10.5", "10.2.0.8", IPPROTO_TCP, 22, VERDICT_ALLOW, "jumin-file", REASON_NONE, "", 0},
	{"2001:db8:1:10::5", "2001:db8:2::8", IPPROTO_TCP, 22, VERDICT_ALLOW, "jumin-file", REASON_NONE, "",
		0},
	{"10.2.20.77", "10.2.0.53", IPPROTO_UDP, 53, VERDICT_INSPECT, "pc-dns", REASON_NONE, "", 0},
	{"10.2.20.77", "10.2.0.8", IPPROTO_ICMP, ECHO4, VERDICT_ALLOW, "pc-ping", REASON_NONE, "", 0},
	{"2001:db8:2:20::77", "2001:db8:2::8", IPPROTO_ICMPV6, ECHO6, VERDICT_ALLOW, "pc-ping", REASON_NONE,
		"", 0},
	{"172.20.1.10", "10.1.10.8", IPPROTO_TCP, 443, VERDICT_INSPECT, "konbini", REASON_NONE, "", 0},
	{"10.1.10.7", "10.2.0.8", IPPROTO_TCP, 443, VERDICT_INSPECT, "pittari", REASON_NONE, "", 0},
	{"10.2.20.77", "192.0.2.30", IPPROTO_TCP, 3389, VERDICT_INSPECT, "gamen", REASON_NONE, "", 0},
	{"192.0.2.25", "10.2.0.25", IPPROTO_TCP, 25, VERDICT_MAIL, "mail-in", REASON_NO_MAIL_GATE, "", 0},
	/* to the gateway itself */
	{"198.51.100.9", "192.0.2.1", IPPROTO_TCP, 25, VERDICT_MAIL, "", REASON_NONE, "", 0},
	{"198.51.100.9", "192.0.2.1", IPPROTO_TCP, 22, VERDICT_DROP, "", REASON_TO_GATEWAY, "", 0},
	{"10.2.20.77", "10.2.20.1", IPPROTO_ICMP, ECHO4, VERDICT_ALLOW, "", REASON_NONE, "", 0},
	{"10.2.20.77", "10.2.0.1", IPPROTO_ICMP, ECHO4, VERDICT_DROP, "", REASON_TO_GATEWAY, "", 0},
	{"10.1.0.20", "10.1.0.1", IPPROTO_ICMP, ECHO4, VERDICT_DROP, "", REASON_TO_GATEWAY, "", 0},
	/* near misses */
	{"10.1.10.5", "10.2.0.8", IPPROTO_TCP, 23, VERDICT_DROP, "", REASON_NO_RULE, "jumin-file",
		DIFFERS_PORT},
	{"10.1.10.5", "10.2.0.8", IPPROTO_UDP, 22, VERDICT_DROP, "", REASON_NO_RULE, "jumin-file",
		DIFFERS_PROTOCOL},
	{"10.2.0.8", "10.1.10.7", IPPROTO_TCP, 443, VERDICT_DROP, "", REASON_NO_RULE, "pittari",
		DIFFERS_DIRECTION},
	{"10.1.10.9", "10.2.0.8", IPPROTO_TCP, 443, VERDICT_DROP, "", REASON_NO_RULE, "chukan-server",
		DIFFERS_DESTINATION},
	{"10.1.20.5", "10.2.0.8", IPPROTO_TCP, 443, VERDICT_DROP, "", REASON_NO_RULE, "pittari",
		DIFFERS_SOURCE},
	{"10.1.0.99", "10.2.0.99", IPPROTO_TCP, 9, VERDICT_DROP, "", REASON_NO_RULE, "", 0},
	{"10.2.0.54", "10.1.0.21", IPPROTO_UDP, 514, VERDICT_DROP, "", REASON_NO_RULE, "mn-syslog",
		DIFFERS_DIRECTION},
	/* never */
	{"10.1.10.5", "192.0.2.30", IPPROTO_TCP, 443, VERDICT_DROP, "", REASON_FORBIDDEN_PAIR, "jumin-file",
		DIFFERS_DESTINATION | DIFFERS_PORT},
	{"198.51.100.9", "10.1.10.5", IPPROTO_TCP, 443, VERDICT_DROP, "", REASON_FORBIDDEN_PAIR, "", 0},
	/* before the policy is asked */
	{"0.0.0.0", "10.2.0.8", IPPROTO_TCP, 1, VERDICT_DROP, "", REASON_ADDR_UNSPECIFIED, "", 0},
	{"0.0.0.0", "255.255.255.255", IPPROTO_UDP, 67, VERDICT_DROP, "", REASON_LOCAL_NOISE, "", 0},
	{"10.2.0.8", "0.0.0.0", IPPROTO_TCP, 1, VERDICT_DROP, "", REASON_ADDR_UNSPECIFIED, "", 0},
	{"0.1.2.3", "10.2.0.8", IPPROTO_TCP, 1, VERDICT_DROP, "", REASON_ADDR_RESERVED, "", 0},
	{"127.0.0.1", "10.2.0.8", IPPROTO_TCP, 1, VERDICT_DROP, "", REASON_ADDR_LOOPBACK, "", 0},
	{"10.2.0.8", "127.0.0.1", IPPROTO_TCP, 1, VERDICT_DROP, "", REASON_ADDR_LOOPBACK, "", 0},
	{"224.0.0.5", "10.2.0.8", IPPROTO_TCP, 1, VERDICT_DROP, "", REASON_ADDR_MULTICAST, "", 0},
	{"255.255.255.255", "10.2.0.8", IPPROTO_TCP, 1, VERDICT_DROP, "", REASON_ADDR_BROADCAST, "", 0},
	{"10.2.0.255", "10.1.10.5", IPPROTO_TCP, 1, VERDICT_DROP, "", REASON_ADDR_BROADCAST, "", 0},
	{"169.254.1.1", "10.2.0.8", IPPROTO_TCP, 1, VERDICT_DROP, "", REASON_ADDR_LINK_LOCAL, "", 0},
	{"240.0.0.1", "10.2.0.8", IPPROTO_TCP, 1, VERDICT_DROP, "", REASON_ADDR_RESERVED, "", 0},
	{"::1", "2001:db8:2::8", IPPROTO_TCP, 1, VERDICT_DROP, "", REASON_ADDR_LOOPBACK, "", 0},
	{"::ffff:10.2.0.8", "2001:db8:2::8", IPPROTO_TCP, 1, VERDICT_DROP, "", REASON_ADDR_RESERVED, "", 0},
	{"5f00::1", "2001:db8:2::8", IPPROTO_TCP, 1, VERDICT_DROP, "", REASON_ADDR_RESERVED, "", 0},
	{"fe80::1", "2001:db8:2::8", IPPROTO_TCP, 1, VERDICT_DROP, "", REASON_ADDR_LINK_LOCAL, "", 0},
	{"fe80::1", "ff02::fb", IPPROTO_UDP, 5353, VERDICT_DROP, "", REASON_LOCAL_NOISE, "", 0},
	{"ff02::1", "2001:db8:2::8", IPPROTO_TCP, 1, VERDICT_DROP, "", REASON_ADDR_MULTICAST, "", 0},
	{"10.2.0.1", "10.1.10.5", IPPROTO_TCP, 1, VERDICT_DROP, "", REASON_ADDR_OWN, "", 0},
	{"10.1.99.1", "10.2.0.99", IPPROTO_TCP, 9, VERDICT_DROP, "", REASON_SPOOF, "", 0},
	{"10.2.0.8", "10.2.0.255", IPPROTO_UDP, 137, VERDICT_DROP, "", REASON_LOCAL_NOISE, "", 0},
	{"10.2.0.8", "239.1.2.3", IPPROTO_UDP, 1, VERDICT_DROP, "", REASON_LOCAL_NOISE, "", 0},
	{"10.2.0.8", "10.1.10.5", IPPROTO_ICMP, 5 << 8, VERDICT_DROP, "", REASON_REDIRECT, "", 0},
	{"2001:db8:2::8", "2001:db8:1:10::5", IPPROTO_ICMPV6, 137 << 8, VERDICT_DROP, "", REASON_REDIRECT, "",
		0},
	{"10.2.0.8", "10.1.10.5", IPPROTO_ICMP, 3 << 8 | 1, VERDICT_DROP, "", REASON_RELATED, "", 0},
	{"2001:db8:2::8", "2001:db8:1:10::5", IPPROTO_ICMPV6, 2 << 8, VERDICT_DROP, "", REASON_RELATED, "",
		0},
	{"10.2.0.8", "10.1.10.5", IPPROTO_ICMP, 40 << 8, VERDICT_DROP, "", REASON_MALFORMED, "", 0},
	{"2001:db8:2::8", "2001:db8:1:10::5", IPPROTO_ICMPV6, 135 << 8, VERDICT_DROP, "", REASON_MALFORMED,
		"", 0},
	{"2001:db8:2::8", "2001:db8:1:10::5", IPPROTO_ICMPV6, 129 << 8, VERDICT_DROP, "", REASON_STATE, "",
		0},
	{"10.2.0.8", "10.1.10.5", IPPROTO_TCP, 0, VERDICT_DROP, "", REASON_MALFORMED, "", 0},
	{"10.2.0.0", "10.1.10.5", IPPROTO_TCP, 1, VERDICT_DROP, "", REASON_ADDR_BROADCAST, "", 0},
	{"10.2.0.8", "10.1.0.0", IPPROTO_TCP, 1, VERDICT_DROP, "", REASON_LOCAL_NOISE, "", 0},
	/* who it is from comes before where it goes */
	{"10.1.99.1", "127.0.0.1", IPPROTO_TCP, 1, VERDICT_DROP, "", REASON_SPOOF, "", 0},
	{"10.2.0.8", "10.2.20.77", IPPROTO_ICMP, 0, VERDICT_DROP, "", REASON_STATE, "", 0},
};

static void check_row(const struct compiled *c, const struct matcher *m, const struct row *r)
{
	struct question q = ask(r->src, r->dst, r->proto, r->port);
	struct decision d;
	int before = test_failures;

	matcher_decide(m, &q, at(TODAY), &d);
	CHECK_INT(d.verdict, r->verdict);
	CHECK_STR(rule_name(&c->ir, d.rule), r->rule);
	CHECK_STR(d.reason == REASON_NONE ? "" : reason_word(d.reason),
		r->reason == REASON_NONE ? "" : reason_word(r->reason));
	CHECK(d.enforced_closed == (r->reason == REASON_NO_MAIL_GATE));
	CHECK_STR(rule_name(&c->ir, d.nearest), r->nearest);
	CHECK_INT(d.differs, r->differs);
	if (test_failures > before)
		printf("  %s -> %s %u/%u\n", r->src, r->dst, r->proto, r->port);
}

/* Mail that is taken in a server's place, with a rule of its own or without. */
static void test_turned(void)
{
	static const char text[] =
		"set segment l kind lgwan interface eth1 address 10.2.0.1/24 network 10.2.0.0/16\n"
		"set segment i kind internet interface eth2 address 192.0.2.1/24 network 192.0.2.0/24\n"
		"set host lmta segment l address 10.2.0.5\nset host imta segment i address 192.0.2.5\n"
		"set mail inbound transparent domain town.example next-hop lmta\n"
		"set mail outbound transparent server lmta next-hop imta\n"
		"set allow m from lmta to imta service tcp/25 application smtp sanitised-by mail-to-text purpose p applicant a\n";
	static const struct {
		const char *src, *dst;
		uint16_t port;
		bool turned;
		const char *rule;
	} all[] = {
		{"192.0.2.9", "10.2.0.5", 25, true, ""},
		{"192.0.2.9", "10.2.0.5", 26, false, ""},
		{"192.0.2.9", "10.2.0.6", 25, false, ""},
		{"10.2.0.5", "192.0.2.5", 25, true, "m"},
		{"10.2.0.6", "192.0.2.5", 25, false, ""},
		{"10.2.0.9", "10.2.0.5", 25, false, ""},
	};
	struct compiled c = compile_text(text, strlen(text), TODAY);
	struct matcher *m = matcher_new(&c.ir);

	for (size_t i = 0; i < sizeof(all) / sizeof(all[0]); i++) {
		struct question q = ask(all[i].src, all[i].dst, IPPROTO_TCP, all[i].port);
		struct decision d;
		matcher_decide(m, &q, at(TODAY), &d);
		CHECK_INT(d.turned, all[i].turned);
		CHECK_INT(d.verdict, all[i].turned ? VERDICT_MAIL : VERDICT_DROP);
		CHECK(!d.turned || (d.reason == REASON_NONE && !d.enforced_closed));
		CHECK_STR(rule_name(&c.ir, d.rule), all[i].rule);
	}
	matcher_free(m);
	compiled_free(&c);
}

static void test_mac(const struct compiled *c, const struct matcher *m)
{
	struct question q = ask("10.1.0.20", "10.2.0.55", IPPROTO_TCP, 8530);
	struct decision d;

	q.has_mac = mac_parse("02:00:00:01:00:20", &q.mac);
	matcher_decide(m, &q, at(TODAY), &d);
	CHECK(d.verdict == VERDICT_ALLOW);
	mac_parse("02:00:00:01:00:21", &q.mac);
	matcher_decide(m, &q, at(TODAY), &d);
	CHECK(d.verdict == VERDICT_DROP && d.reason == REASON_MAC && d.differs == DIFFERS_MAC);
	CHECK_STR(rule_name(&c->ir, d.nearest), "mn-wsus");
	/* Behind the L3 switch its MAC is the one that counts. */
	q = ask("10.1.10.5", "10.2.0.8", IPPROTO_TCP, 22);
	q.has_mac = mac_parse("02:00:00:01:00:fe", &q.mac);
	matcher_decide(m, &q, at(TODAY), &d);
	CHECK(d.verdict == VERDICT_ALLOW);
	mac_parse("02:00:00:00:00:05", &q.mac);
	matcher_decide(m, &q, at(TODAY), &d);
	CHECK(d.reason == REASON_MAC);
}

static void test_time(const struct compiled *c, const struct matcher *m)
{
	static const struct {
		const char *when;
		uint32_t differs;
	} times[] = {
		{"2026-11-20T22:59", 0},
		{"2026-11-20T23:00", DIFFERS_HOURS},
		{"2026-11-21T10:00", DIFFERS_DAY},
		{"2026-03-31T10:00", DIFFERS_NOT_STARTED},
		{"2027-03-31T22:00", 0},
		{"2027-04-01T10:00", DIFFERS_EXPIRED},
	};
	struct question q = ask("10.1.10.7", "10.2.0.8", IPPROTO_TCP, 443);

	for (size_t i = 0; i < sizeof(times) / sizeof(times[0]); i++) {
		struct decision d;
		matcher_decide(m, &q, at(times[i].when), &d);
		CHECK(d.verdict == (times[i].differs == 0 ? VERDICT_INSPECT : VERDICT_DROP));
		CHECK_INT(d.differs, times[i].differs);
		CHECK_STR(rule_name(&c->ir, times[i].differs == 0 ? d.rule : d.nearest), "pittari");
	}
}

static void test_without_port(const struct compiled *c, const struct matcher *m)
{
	struct question q = ask("10.1.10.5", "10.2.0.8", IPPROTO_TCP, 0);
	struct decision d;

	q.has_port = false;
	matcher_decide(m, &q, at(TODAY), &d);
	CHECK(d.verdict == VERDICT_DROP && d.differs == DIFFERS_PORT);
	CHECK_STR(rule_name(&c->ir, d.nearest), "jumin-file");
}

/* A reply without a flow: its source port tells which rule it was about. */
static void test_reply(const struct compiled *c, const struct matcher *m)
{
	struct question q = ask("10.2.0.8", "10.1.10.5", IPPROTO_TCP, 51000);
	struct decision d;

	q.sport = 22;
	matcher_decide(m, &q, at(TODAY), &d);
	CHECK(d.reason == REASON_NO_RULE && d.differs == DIFFERS_DIRECTION);
	CHECK_STR(rule_name(&c->ir, d.nearest), "jumin-file");
}

static void test_names(const struct compiled *c, const struct matcher *m)
{
	struct addr a;

	addr_parse("10.2.20.10", &a);
	CHECK_STR(ir_text(&c->ir, c->ir.hosts[matcher_host(m, &a)].name),
		"kacho-pc"); /* not pcs, which holds it too */
	addr_parse("10.2.20.11", &a);
	CHECK_STR(ir_text(&c->ir, c->ir.hosts[matcher_host(m, &a)].name), "pcs");
	CHECK_STR(ir_text(&c->ir, c->ir.segments[matcher_segment(m, &a)].name), "lgwan");
	addr_parse("203.0.113.5", &a);
	CHECK_INT(matcher_host(m, &a), IR_NONE);
	CHECK_STR(ir_text(&c->ir, c->ir.segments[matcher_segment(m, &a)].name), "internet");
	addr_parse("224.0.0.1", &a);
	CHECK_INT(matcher_segment(m, &a), IR_NONE);
}

/* Without a default route there is a segment `internet` and no way to most of it. */
static void test_no_route(void)
{
	static const char text[] =
		"set segment a kind other interface eth0 address 10.1.0.1/24 network 10.1.0.0/24\n"
		"set segment b kind other interface eth1 address 10.2.0.1/24 network other\n"
		"set host h segment a address 10.1.0.5\nset host k segment b address 10.2.0.5\n"
		"set allow r from h to k service tcp/80\n";
	struct compiled c = compile_text(text, strlen(text), TODAY);
	struct question q = ask("10.1.0.5", "203.0.113.1", IPPROTO_TCP, 80);
	struct decision d;

	CHECK(c.ok);
	struct matcher *m = matcher_new(&c.ir);
	matcher_decide(m, &q, at(TODAY), &d);
	CHECK(d.reason == REASON_NO_ROUTE && d.differs == DIFFERS_DESTINATION && d.from == 0 &&
		d.to == IR_NONE);
	q = ask("203.0.113.1", "10.1.0.5", IPPROTO_TCP, 80);
	matcher_decide(m, &q, at(TODAY), &d);
	CHECK(d.reason == REASON_SPOOF && d.from == 1);
	matcher_free(m);
	compiled_free(&c);
}

int main(int argc, char **argv)
{
	struct compiled c = compile_file(argc > 1 ? argv[1] : ".", "examples/town.policy", TODAY);

	if (!c.ok) {
		print_diags(&c);
		return 1;
	}
	struct matcher *m = matcher_new(&c.ir);
	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++)
		check_row(&c, m, &rows[i]);
	test_turned();
	test_mac(&c, m);
	test_time(&c, m);
	test_without_port(&c, m);
	test_reply(&c, m);
	test_names(&c, m);
	test_no_route();
	matcher_free(m);
	matcher_free(NULL);
	compiled_free(&c);
	return test_end();
}
