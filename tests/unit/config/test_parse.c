/* test_parse.c: how words of a line find their place, and that one flaw hides no other. */
#include "read.h"

#include "test.h"

/* Words find their way further out, but never out of the line's object. */
static void test_depth(void)
{
	struct reading r = read_text("set segment s kind lgwan\n"
				     "set host h segment s address 10.0.0.1\n"
				     "set allow a from h approval ciso name \"N\" date 2026-04-01 to h "
				     "service tcp/1 expires 2027-03-31\n"
				     "set mail outbound attachments require-cc kacho max-external-recipients "
				     "7 listen 10.0.0.1 server h next-hop h\n"
				     "set system limit half-open 3 log-limit per-source 4 hostname g\n");

	CHECK_INT(r.diags.nerrors, 0);
	CHECK_INT(r.model->nallows, 1);
	const struct model_allow *a = &r.model->allows[0];
	CHECK_STR(a->to.text, "h");
	CHECK_INT(a->expires.year, 2027);
	CHECK_INT(a->napprovals, 1);
	CHECK_STR(a->approvals[0].name, "N");
	CHECK_INT(r.model->mail_out.max_external_recipients, 7);
	CHECK_INT(r.model->system.half_open, 3);
	CHECK_INT(r.model->system.log_per_source, 4);
	CHECK_STR(r.model->system.hostname, "g");
	read_end(&r);

	r = read_text("set host h segment s address 10.0.0.1 router\nset system limit half-open 1 allow x\n");
	CHECK(said(&r, 1, "unknown-word") && said(&r, 2, "unknown-word"));
	CHECK_INT(r.model->nrouters + r.model->nallows, 0);
	read_end(&r);
}

/* Values without their word, where the schema allows it. */
static void test_bare(void)
{
	struct reading r = read_text("set system approval-required mynumber ciso time hostname\n"
				     "set service s tcp/1 udp/2 port tcp/3\n"
				     "set system collector c tcp/6514 mynumber-records hostname g\n");

	CHECK_INT(r.diags.nerrors, 0);
	CHECK_INT(r.model->system.napproval_required, 1);
	CHECK_INT(r.model->system.approval_required[0].roles.n, 3);
	CHECK_STR(r.model->system.approval_required[0].roles.v[2].text, "hostname");
	CHECK_INT(r.model->services[0].n, 3);
	CHECK_INT(r.model->services[0].ports[2].lo, 3);
	CHECK_INT(r.model->system.own[0].port.lo, 6514);
	CHECK(r.model->system.own[0].names_mynumber);
	CHECK_STR(r.model->system.hostname, "g");
	read_end(&r);
}

static void test_flags(void)
{
	struct reading r = read_text("set segment a kind lgwan answer-ping mss 1400\n"
				     "set segment b kind lgwan answer-ping false\n"
				     "set segment c kind lgwan answer-ping true\n"
				     "set segment d kind lgwan answer-ping\n"
				     "set segment e kind lgwan answer-ping perhaps mss 1400\n");

	CHECK(r.model->segments[0].answer_ping && r.model->segments[0].mss == 1400);
	CHECK(!r.model->segments[1].answer_ping);
	CHECK(r.model->segments[2].answer_ping && r.model->segments[3].answer_ping);
	CHECK_INT(r.diags.nerrors, 1);
	CHECK(said(&r, 5, "bad-value") && !r.model->segments[4].answer_ping &&
		r.model->segments[4].mss == 1400);
	read_end(&r);
}

/* What is right of a broken line is taken, and every flaw is said. */
static void test_recovery(void)
{
	struct reading r = read_text("set segment s kind lgwann label \"L\" mss 1 colour red network "
				     "10.0.0.0/8 network 10.0.0.1/8\n"
				     "set host 住民 segment s address 10.0.0.999\n"
				     "set host h segment address 10.0.0.1\n");

	CHECK_INT(r.diags.nerrors, 8);
	CHECK_STR(r.model->segments[0].label, "L");
	CHECK_INT(r.model->segments[0].networks.n, 1);
	CHECK(said(&r, 1, "bad-value") && said(&r, 1, "unknown-word"));
	/* A refused name makes no host, but its values are judged. */
	CHECK_INT(r.model->nhosts, 1);
	CHECK(said(&r, 2, "bad-value") && !said(&r, 2, "missing"));
	/* "address" is a name as well, so it is taken as the segment's. */
	CHECK_STR(r.model->hosts[0].segment.text, "address");
	CHECK(said(&r, 3, "unknown-word") && said(&r, 3, "missing"));
	read_end(&r);
}

/* Names the next word where a value of another form is due: the value was forgotten. */
static void test_forgotten(void)
{
	struct reading r = read_text("set host h segment s address mac 02:00:00:00:00:01 label \"x\"\n");

	CHECK_INT(r.diags.nerrors, 1);
	CHECK(said(&r, 1, "missing-value"));
	CHECK_INT(r.model->hosts[0].mac.line, 1);
	CHECK_STR(r.model->hosts[0].label, "x");
	read_end(&r);
}

static void test_twice(void)
{
	struct reading r = read_text("set segment s kind lgwan label \"A\"\n"
				     "set segment s label \"B\" mss 1400\n"
				     "set segment s kind lgwan\n"
				     "set segment s kind lgwan network 10.0.0.0/8\n"
				     "set segment s network 10.0.0.0/8 network 10.0.0.0/8\n");

	CHECK_INT(r.diags.nerrors, 1);
	CHECK(said(&r, 2, "duplicate"));
	CHECK(strstr(r.diags.items[0].what, "line 1 says \"A\"") != NULL);
	CHECK_STR(r.model->segments[0].label, "A");
	CHECK_INT(r.model->segments[0].mss, 1400);
	CHECK_INT(r.diags.nwarnings, 3);
	CHECK(said(&r, 3, "repeated") && said(&r, 4, "repeated") && said(&r, 5, "repeated"));
	CHECK_INT(r.model->segments[0].networks.n, 1);
	read_end(&r);
}

static void test_hints(void)
{
	struct reading r = read_text("set segment s kind lgwan lable \"A\"\nset segment s mss 70000\n");

	CHECK(strstr(r.diags.items[0].hint, "did you mean \"label\"") != NULL);
	CHECK(strstr(r.diags.items[0].hint, "kind, label, interface, address, network, answer-ping, mss") !=
		NULL);
	CHECK(strstr(r.diags.items[1].hint, "from 536 to 9000") != NULL);
	read_end(&r);
}

int main(void)
{
	test_depth();
	test_bare();
	test_flags();
	test_recovery();
	test_forgotten();
	test_twice();
	test_hints();
	return test_end();
}
