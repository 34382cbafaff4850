/* test_config.c: a whole policy in the model, defaults, and input of a size or kind that nobody should hand
 * in. */
#include "read.h"

#include <sekisho/buf.h>
#include <sekisho/config.h>
#include <sekisho/limits.h>

#include <netinet/in.h>

#include "test.h"

static void test_defaults(void)
{
	struct reading r = read_text("set segment s kind other\nset allow a from s to s service tcp/1\n");
	const struct model *m = r.model;

	CHECK_INT(r.diags.nerrors + r.diags.nwarnings, 0);
	CHECK_STR(m->system.hostname, "sekisho");
	CHECK_STR(m->system.timezone, "Asia/Tokyo");
	CHECK_STR(m->system.language, "ja");
	CHECK_INT(m->system.timezone_line, 0);
	CHECK(!m->system.alpha_prime && !m->system.close_all_on_log_failure);
	CHECK_INT(m->system.log_per_source, 20);
	CHECK_INT(m->system.log_per_segment, 10000);
	CHECK_INT(m->system.new_per_source, 500);
	CHECK_INT(m->system.open_per_source, 10000);
	CHECK_INT(m->system.half_open, 500);
	CHECK_INT(m->system.nown, 0);
	CHECK_INT(m->mail_in.line + m->mail_out.line, 0);
	CHECK_INT(m->segments[0].kind, KIND_OTHER);
	CHECK_INT(m->segments[0].kind_line, 1);
	const struct model_allow *a = &m->allows[0];
	CHECK_INT(a->days, DAYS_ALL);
	CHECK(a->hours_from == a->hours_to && a->hours_line == 0 && a->days_line == 0);
	CHECK(!a->drain && !a->one_way && !a->fragments && !a->external_isolated);
	CHECK_INT(a->exception_line + a->window_line + a->sanitised_line, 0);
	CHECK(a->purpose == NULL && a->starts.year == 0 && a->expires.line == 0);
	read_end(&r);
}

static void test_system(void)
{
	struct reading r = read_text("set system model alpha-prime on-log-failure close-all\n"
				     "set system time server n1 server n2\n"
				     "set system collector c port tcp/6514\n"
				     "set system collector d\n"
				     "set system alarm mail-to a@b.jp via mta daily-report 8:30\n");
	const struct model_system *s = &r.model->system;

	CHECK_INT(r.diags.nerrors, 0);
	CHECK(s->alpha_prime && s->close_all_on_log_failure);
	CHECK_INT(s->nown, 5);
	unsigned seen = 0;
	for (size_t i = 0; i < s->nown; i++) {
		const struct model_own *o = &s->own[i];
		if (strcmp(o->what, "time") == 0)
			seen += o->port.proto == IPPROTO_UDP && o->port.lo == 123 && o->host.line == 2;
		else if (strcmp(o->what, "alarm") == 0)
			seen += o->port.proto == IPPROTO_TCP && o->port.lo == 25 &&
				strcmp(o->host.text, "mta") == 0;
		else if (strcmp(o->host.text, "c") == 0)
			seen += o->port.proto == IPPROTO_TCP && o->port.hi == 6514;
		else
			seen += o->port.proto == IPPROTO_UDP && o->port.hi == 514 && !o->names_mynumber;
	}
	CHECK_INT(seen, 5);
	CHECK_STR(s->alarm_via.text, "mta");
	CHECK_INT(s->alarm_via.line, 5);
	CHECK_STR(s->alarm_mail_to.v[0].text, "a@b.jp");
	CHECK_STR(s->daily_report, "8:30");
	read_end(&r);
}

static void test_network(void)
{
	struct reading r = read_text("set interface e2.20 parent e2 vlan 20 address 10.2.20.1/24\n"
				     "set segment s kind lgwan label \"L\" interface e1 interface e2.20 "
				     "address 2001:db8::1/64 network 10.2.0.0/16 network other\n"
				     "set router r segment s address 10.2.0.254 mac 02-00-00-00-00-FE\n"
				     "set route 10.9.0.0/16 via r\n"
				     "set host h segment s address 10.9.1.1 address 10.9.2.0/24 behind r "
				     "external \"J-LIS\" label \"A\" section \"B\" location \"C\"\n"
				     "set host-group g member h member i\n"
				     "set service p icmp/echo-request tcp/1-2\n");
	const struct model *m = r.model;

	CHECK_INT(r.diags.nerrors, 0);
	CHECK_INT(m->interfaces[0].vlan, 20);
	CHECK_STR(m->interfaces[0].parent.text, "e2");
	CHECK_INT(m->interfaces[0].addresses.v[0].len, 24);
	CHECK_INT(m->segments[0].interfaces.n, 2);
	CHECK_INT(m->segments[0].addresses.v[0].addr.family, 6);
	CHECK_INT(m->segments[0].networks.n, 1);
	CHECK_INT(m->segments[0].network_other, 2);
	CHECK_INT(m->routers[0].mac.mac.b[5], 0xfe);
	CHECK_INT(m->routers[0].mac.line, 3);
	CHECK_INT(m->routes[0].prefix.len, 16);
	CHECK_INT(m->routes[0].prefix.line, 4);
	CHECK_STR(m->routes[0].via.text, "r");
	CHECK_INT(m->hosts[0].addresses.n, 2);
	CHECK(!m->hosts[0].addresses.v[0].has_len && m->hosts[0].addresses.v[1].has_len);
	CHECK_STR(m->hosts[0].external.text, "J-LIS");
	CHECK_STR(m->hosts[0].location, "C");
	CHECK_INT(m->groups[0].members.n, 2);
	CHECK_INT(m->services[0].n, 3);
	CHECK_INT(m->services[0].ports[1].proto, IPPROTO_ICMPV6);
	CHECK_INT(m->services[0].ports[2].hi, 2);
	read_end(&r);
}

static void test_allow(void)
{
	struct reading r = read_text(
		"set allow a from h to g service tcp/443 service wsus service icmp/echo-request application "
		"tls server-name x.jp\n"
		"set allow a purpose \"P\" applicant \"Q\" asset-class 1 starts 令和8年4月1日 expires "
		"2027-03-31\n"
		"set allow a days sat-mon hours 22:00-05:00 closed-dates 2026-12-31 closed-dates R9-1-1\n"
		"set allow a window 2026-11-20T22:00/2026-11-21T02:00 at-end drain one-way fragments "
		"external-isolated true\n"
		"set allow a approval ciso name \"N\" date 2026-04-01 number \"R8-1\" approval tokatsu name "
		"\"M\" date 2026-04-02\n"
		"set allow a exception reason \"X\" approved-by \"Y\" report-due 2026-12-10\n"
		"set allow b from h to g service tcp/1 sanitised-by file-relay sanitising-product \"S\" "
		"sanitising-statement \"T\"\n"
		"set allow c from h to g service tcp/1 permitted-as local-breakout\n");
	const struct model_allow *a = r.model->allows;

	CHECK_INT(r.diags.nerrors, 0);
	CHECK_INT(r.model->nallows, 3);
	CHECK_INT(a->nservices, 3);
	CHECK(a->services[0].is_inline && a->services[0].port.lo == 443 && a->services[0].port6.proto == 0);
	CHECK(!a->services[1].is_inline);
	CHECK_STR(a->services[1].name.text, "wsus");
	CHECK(a->services[2].port.lo == 2048 && a->services[2].port6.lo == 32768);
	CHECK(a->application == APP_TLS && a->application_line == 1);
	CHECK_STR(a->server_names.v[0].text, "x.jp");
	CHECK(a->asset_class == 1 && a->starts.year == 2026 && a->starts.month == 4 && a->expires.line == 2);
	CHECK(a->days == 0x61 && a->days_line == 3);
	CHECK(a->hours_from == 1320 && a->hours_to == 300 && a->hours_line == 3);
	CHECK(a->nclosed == 2 && a->closed[1].year == 2027 && a->closed[1].line == 3);
	CHECK(a->window_to.sec - a->window_from.sec == 4 * 3600 && a->window_line == 4);
	CHECK(a->drain && a->one_way && a->fragments && a->external_isolated);
	CHECK_INT(a->napprovals, 2);
	CHECK_STR(a->approvals[0].number, "R8-1");
	CHECK_STR(a->approvals[1].role.text, "tokatsu");
	CHECK(a->approvals[1].number == NULL && a->approvals[1].date.day == 2);
	CHECK_INT(a->exception_line, 6);
	CHECK_STR(a->exception_approved_by, "Y");
	CHECK_INT(a->report_due.day, 10);
	CHECK_INT(a[1].sanitised_by, SANITISED_FILE_RELAY);
	CHECK_INT(a[1].sanitised_line, 7);
	CHECK_STR(a[1].sanitising_product, "S");
	CHECK_STR(a[1].sanitising_statement, "T");
	CHECK(a[2].local_breakout && a[2].permitted_line == 8 && !a[0].local_breakout);
	read_end(&r);
}

static void test_application(void)
{
	struct reading r = read_text(
		"set system refused-connections silent\n"
		"set allow a from h to g service tcp/443 application tls alpn h2 alpn http/1.1\n"
		"set allow a application-option ech application-option fast-open screen-product blast\n"
		"set allow b from h to g service udp/53 application dns domain-name a.jp domain-name _b.jp\n"
		"set allow b question-rate 20 one-way\n");
	const struct model_allow *a = r.model->allows;

	CHECK_INT(r.diags.nerrors, 0);
	CHECK(r.model->system.refuse_silently);
	CHECK(a[0].alpns.n == 2 && a[0].options.n == 2 && a[0].options.v[1].line == 3);
	CHECK_STR(a[0].options.v[1].text, "fast-open");
	CHECK(a[0].screen_product == SCREEN_BLAST && a[0].screen_product_line == 3);
	CHECK(a[1].domain_names.n == 2 && a[1].question_rate == 20 && a[1].question_rate_line == 5);
	CHECK(a[1].one_way && a[1].one_way_line == 5 && a[1].screen_product == SCREEN_NONE);
	read_end(&r);
	r = read_text("set system refused-connections reset\n");
	CHECK(r.diags.nerrors == 0 && !r.model->system.refuse_silently);
	read_end(&r);
}

/* A window is of the policy's own zone, wherever in the file that stands. */
static void test_zone(void)
{
	struct reading r =
		read_text("set allow a from h to g service tcp/1 window 2026-11-20T22:00/2026-11-21T02:00\n");
	int64_t tokyo = r.model->allows[0].window_from.sec;

	read_end(&r);
	r = read_text("set allow a from h to g service tcp/1 window 2026-11-20T22:00/2026-11-21T02:00\n"
		      "set system timezone UTC\n");
	CHECK_INT(r.model->allows[0].window_from.sec - tokyo, 9 * 3600);
	read_end(&r);
}

static void test_mail(void)
{
	struct reading r = read_text(
		"set mail inbound listen 10.0.0.1 domain d.jp next-hop m original copied original-to o\n"
		"set mail outbound listen 10.0.0.2 server m next-hop n max-size 512K mynumber record\n");
	const struct model *m = r.model;

	CHECK_INT(r.diags.nerrors, 0);
	CHECK(m->mail_in.line == 1 && m->mail_out.line == 2);
	CHECK(m->mail_in.original_copied && m->mail_in.max_size == 20 << 20);
	CHECK_STR(m->mail_in.original_to.text, "o");
	CHECK_STR(m->mail_in.domains.v[0].text, "d.jp");
	CHECK(m->mail_out.mynumber == MAIL_MYNUMBER_RECORD && m->mail_out.max_size == 512 << 10);
	CHECK_INT(m->mail_out.max_external_recipients, 20);
	/* What is not said: nothing more is taken, kept or demanded than before there were words for it. */
	CHECK(!m->mail_in.transparent && m->mail_in.attachment_text == 0 && !m->mail_in.private_use);
	CHECK(m->mail_in.authserv.text == NULL && m->mail_language == NULL);
	CHECK(m->mail_out.sender_domains.n == 0 && !m->mail_out.auto_forward_refuse);
	CHECK(m->mail_out.require_cc.n == 0 && !m->mail_out.hold && !m->mail_out.refuse && m->mail_out.list == NULL);
	CHECK(m->mail_out.encrypted == 0 && m->mail_out.max_files == 0 && m->mail_out.max_file_size == 0);
	CHECK_INT(m->mail_out.approval_days, 7);
	CHECK(m->mail_in.flood.slow == 600 && m->mail_in.flood.stop == 6000 && m->mail_in.flood.line == 0);
	CHECK(m->mail_out.flood.sender_slow == 60 && m->mail_out.flood.sender_stop == 600);
	read_end(&r);
}

static void test_mail_words(void)
{
	struct reading r = read_text(
		"set mail language en\n"
		"set mail inbound listen 10.0.0.1 domain d.jp next-hop m next-hop k attachment-text csv,docx\n"
		"set mail inbound authserv mx.d.jp private-use keep transparent flood slow 7 sender-stop 9\n"
		"set mail outbound listen 10.0.0.2 server m server k next-hop n sender-domain e.jp mynumber warn\n"
		"set mail outbound attachments require-cc kacho hold list pdf,zip encrypted hold approval-days 2\n"
		"set mail outbound attachments type zip action hold\n"
		"set mail outbound attachments type exe action refuse\n"
		"set mail outbound attachments type pdf action allow\n"
		"set mail outbound attachments type csv action require-cc\n"
		"set mail superior s address S@d.jp role kacho\n"
		"set mail partner p domain p.jp domain other label 【機密】 label A demands encrypted-attachment\n");
	static const uint8_t demands[] = {MAIL_DEMAND_HOLD, MAIL_DEMAND_REFUSE, 0, MAIL_DEMAND_CC};
	const struct model *m = r.model;
	const struct model_mail_out *out = &m->mail_out;

	CHECK_INT(r.diags.nerrors, 0);
	CHECK_STR(m->mail_language, "en");
	CHECK(m->mail_in.next_hops.n == 2 && m->mail_in.transparent && m->mail_in.private_use);
	CHECK_STR(m->mail_in.next_hops.v[1].text, "k");
	CHECK_STR(m->mail_in.authserv.text, "mx.d.jp");
	CHECK_INT(m->mail_in.attachment_text, MAIL_TEXT_CSV | MAIL_TEXT_DOCX);
	CHECK(m->mail_in.flood.slow == 7 && m->mail_in.flood.line == 3 && m->mail_in.flood.sender_stop == 9);
	CHECK(out->servers.n == 2 && out->mynumber == MAIL_MYNUMBER_WARN && out->hold && !out->refuse);
	CHECK_STR(out->sender_domains.v[0].text, "e.jp");
	CHECK_STR(out->list, "pdf,zip");
	CHECK(out->list_line == 5 && out->encrypted == MAIL_DEMAND_HOLD && out->approval_days == 2);
	CHECK_INT(out->ntypes, 4);
	for (size_t i = 0; i < out->ntypes && i < 4; i++)
		CHECK_INT(out->types[i].demands, demands[i]);
	CHECK(m->nsuperiors == 1 && m->npartners == 1);
	CHECK_STR(m->superiors[0].address.text, "S@d.jp");
	CHECK_STR(m->superiors[0].role.text, "kacho");
	CHECK(m->partners[0].domains.n == 2 && m->partners[0].labels.n == 2);
	CHECK_STR(m->partners[0].labels.v[0].text, "【機密】");
	read_end(&r);
}

static void test_empty(void)
{
	static const char *const texts[] = {"", "\n", "# nothing\n\n", "\xef\xbb\xbf"};

	for (size_t i = 0; i < sizeof(texts) / sizeof(texts[0]); i++) {
		struct reading r = read_text(texts[i]);
		CHECK_INT(r.diags.nerrors, 1);
		CHECK(said(&r, 0, "empty"));
		read_end(&r);
	}
}

/* A line of 10 MB, before and behind good ones. */
static void test_long_line(void)
{
	size_t n = (size_t)10 << 20;
	struct buf b = {0};

	buf_adds(&b, "set segment a kind lgwan\nset segment a label ");
	memset(buf_reserve(&b, n), 'x', n);
	buf_adds(&b, "\nset segment b kind lgwan\n");
	struct reading r = read_bytes((const char *)b.data, b.len);
	CHECK_INT(r.diags.nerrors, 1);
	CHECK(said(&r, 2, "line-too-long"));
	CHECK_INT(r.model->nsegments, 2);
	read_end(&r);
	buf_free(&b);
}

/* A file beyond the limit is not looked at (there is no such memory behind the pointer). */
static void test_large_file(void)
{
	struct reading r = read_bytes("set", (size_t)LIMIT_POLICY_BYTES + 1);

	CHECK_INT(r.diags.nerrors, 1);
	CHECK(said(&r, 0, "file-too-large"));
	read_end(&r);
}

/* Noise: an error for each line that is none, and no more kept than people read. */
static void test_noise(void)
{
	size_t n = (size_t)1 << 20;
	char *p = malloc(n);
	unsigned x = 1;

	for (size_t i = 0; i < n; i++)
		p[i] = (char)((x = x * 1103515245u + 12345u) >> 16);
	struct reading r = read_bytes(p, n);
	CHECK(r.diags.nerrors > 3000);
	CHECK_INT(r.diags.n, DIAG_KEEP_MAX);
	read_end(&r);
	free(p);
}

/* Entries beyond the limit are not kept, and neither are findings that nobody will read. */
static void test_flood(void)
{
	struct buf b = {0};
	unsigned line = 1;

	for (; line <= 8 + 5000; line++)
		buf_printf(&b, "set segment s%u kind lgwan\n", line);
	for (; line <= 8 + 5000 + 300000; line++)
		buf_adds(&b, "set segment s1 colour red\n");
	struct reading r = read_bytes((const char *)b.data, b.len);
	CHECK_INT(r.model->nsegments, 8);
	CHECK(said(&r, 9, "too-many") && !said(&r, 10, "too-many"));
	CHECK_INT(r.diags.nerrors, 300001);
	CHECK_INT(r.diags.n, DIAG_KEEP_MAX);
	CHECK(arena_used(r.arena) < 8u << 20);
	read_end(&r);
	buf_free(&b);
}

static void test_many(void)
{
	enum { N = 100000 };
	struct buf b = {0};

	buf_adds(&b, "set segment s kind lgwan\nset host h segment s address 10.0.0.1\n");
	for (int i = 0; i < N; i++)
		buf_printf(&b,
			"set allow r%d from h to h service tcp/%d purpose \"業務 %d\" starts 2026-04-01 "
			"expires 2027-03-31%s\n",
			i, i % 65535 + 1, i, i == 77777 ? " days never" : "");
	struct reading r = read_bytes((const char *)b.data, b.len);
	CHECK_INT(r.diags.nerrors, 1);
	CHECK(said(&r, 77777 + 3, "bad-value"));
	CHECK_INT(r.model->nallows, N);
	CHECK_STR(r.model->allows[N - 1].name.text, "r99999");
	CHECK_INT(r.model->allows[N - 1].name.line, N + 2);
	read_end(&r);
	buf_free(&b);
}

int main(void)
{
	const char *why;

	CHECK(config_prepare(&why));
	test_defaults();
	test_system();
	test_network();
	test_allow();
	test_application();
	test_zone();
	test_mail();
	test_mail_words();
	test_empty();
	test_long_line();
	test_large_file();
	test_noise();
	test_flood();
	test_many();
	return test_end();
}
