/* test_draft_drop.c: which drop records become drafts, what is in them, and what is refused with which advice. */
#include "args.h"
#include "draft_drop.h"

#include <sekisho/i18n.h>
#include <sekisho/model.h>
#include <sekisho/reason.h>

#include <netinet/in.h>

#include "test.h"

static const char policy[] = "set segment m kind mynumber interface eth0 address 10.1.0.1/24 network 10.1.0.0/16\n"
			     "set segment l kind lgwan interface eth1 address 10.2.0.1/16 network 10.2.0.0/16\n"
			     "set segment i kind internet interface eth2 address 10.3.0.1/24 network 10.3.0.0/16\n"
			     "set host ap segment m address 10.1.0.5\n"
			     "set host renkei segment l address 10.2.0.8\n"
			     "set allow web from ap to renkei service tcp/443 purpose p applicant a expires 2099-03-31\n"
			     "set allow web approval ciso name n date 2026-04-01\n"
			     "set allow old from ap to renkei service tcp/22 purpose p applicant a expires 2020-03-31\n"
			     "set allow old approval ciso name n date 2020-03-01\n";

static struct policy_file file;

static struct msg_drop_row row(const char *src, const char *dst, uint8_t proto, uint16_t port)
{
	struct msg_drop_row d = {.sequence = 7, .first_ns = INT64_C(1795136400000000000), .reason = REASON_NO_RULE, .proto = proto,
		.dport = port, .sport = 50000};
	struct addr a, b;

	CHECK(addr_parse(src, &a) && addr_parse(dst, &b));
	d.family = a.family;
	memcpy(d.src, a.b, addr_len(a.family));
	memcpy(d.dst, b.b, addr_len(b.family));
	d.src_len = d.dst_len = (uint8_t)(addr_len(a.family) * 8);
	return d;
}

/* The text holds `want`; `ok` whether it is a draft. */
static void check_row(const struct msg_drop_row *r, bool ok, const char *want)
{
	struct draft_drop d;
	struct buf out = {0};

	draft_drop(&d, &file, r);
	CHECK(d.ok == ok);
	draft_drop_text(&d, &file, r, &out);
	if (strstr(buf_str(&out), want) == NULL)
		CHECK_STR(buf_str(&out), want);
	draft_drop_free(&d);
	buf_free(&out);
}

static void test_drafts(void)
{
	struct msg_drop_row r = row("10.1.0.5", "10.2.0.8", IPPROTO_TCP, 445);

	check_row(&r, true, "set allow draft-7 from ap to renkei service tcp/445\nset allow draft-7 purpose \"\" applicant \"\"\n");
	check_row(&r, true, "# the nearest flow is web: the port differs\n");
	r = row("10.2.9.9", "10.1.0.5", IPPROTO_UDP, 53);
	check_row(&r, true, "set host host-10-2-9-9 segment l address 10.2.9.9\nset allow draft-7 from host-10-2-9-9 to ap service udp/53\n");
	r = row("10.1.0.5", "10.2.0.8", IPPROTO_ICMP, 8 << 8);
	check_row(&r, true, "service icmp/echo-request");
	/* Names that the record brings are not used. */
	snprintf(r.host_src, sizeof(r.host_src), "evil\" service tcp/1");
	snprintf(r.rule, sizeof(r.rule), "evil");
	check_row(&r, true, "from ap to renkei");
}

static void test_refused(void)
{
	struct msg_drop_row r = row("10.1.0.5", "10.3.0.9", IPPROTO_TCP, 443);

	check_row(&r, false, "No application can permit this");
	r = row("10.1.0.5", "10.2.0.8", IPPROTO_TCP, 443);
	check_row(&r, false, "lets this pass now");
	r.dport = 22;
	check_row(&r, false, "the flow \"old\" allows it, only not now");
	check_row(&r, false, "set allow old expires DATE");
	r = row("10.1.0.5", "10.2.0.8", 47, 0);
	check_row(&r, false, "TCP, UDP or ICMP");
	r = row("10.1.0.5", "10.2.0.8", IPPROTO_TCP, 445);
	r.src_len = 24;
	check_row(&r, false, "many addresses");
	r.src_len = 32;
	r.loss = MSG_LOSS_LOST;
	check_row(&r, false, "counts drops that were not");
	r.family = 9;
	check_row(&r, false, "No allow rule can cure");
	/* No reason but one can be cured, and each has something to be done. */
	for (unsigned reason = 1; reason < REASON_END; reason++) {
		struct draft_drop d;
		r = row("10.1.0.5", "10.2.0.8", IPPROTO_TCP, 445);
		r.reason = reason;
		draft_drop(&d, &file, &r);
		CHECK(d.ok == (reason == REASON_NO_RULE));
		CHECK(d.ok || (d.why.len > 0 && d.instead.len > 0));
		draft_drop_free(&d);
	}
}

/* The draft as it is is not usable: the form is blank. */
static void test_blank(void)
{
	static const struct args none;
	struct msg_drop_row r = row("10.1.0.5", "10.2.0.8", IPPROTO_TCP, 445);
	struct policy_file drafted;
	struct draft_drop d;
	struct buf text = {0};

	buf_adds(&text, policy);
	draft_drop(&d, &file, &r);
	draft_drop_text(&d, &file, &r, &text);
	CHECK(policy_file_text(&drafted, "draft", &text, &none) == 0);
	CHECK(!drafted.usable);
	policy_file_close(&drafted);
	draft_drop_free(&d);
	buf_free(&text);
}

int main(void)
{
	static const struct args none;
	struct buf text = {0};

	i18n_init("en");
	buf_adds(&text, policy);
	CHECK(policy_file_text(&file, "test", &text, &none) == 0);
	CHECK(file.usable);
	if (file.usable) {
		test_drafts();
		test_refused();
		test_blank();
	}
	policy_file_close(&file);
	buf_free(&text);
	return test_end();
}
