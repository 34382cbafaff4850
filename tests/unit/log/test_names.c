/* test_names.c: a drop's numbers become names, segments, and the nearest rule under the policy that was in force. */
#include "test.h"

#include <fcntl.h>
#include <sys/mman.h>
#include <unistd.h>

#include <sekisho/arena.h>
#include <sekisho/buf.h>
#include <sekisho/clock.h>
#include <sekisho/diag.h>
#include <sekisho/ir.h>
#include <sekisho/match.h>

#include "names.h"

static const char policy[] =
	"set system hostname gate timezone Asia/Tokyo language ja\n"
	"set segment mynumber kind mynumber interface eth0 address 10.1.0.1/24 network 10.1.0.0/16\n"
	"set segment lgwan kind lgwan interface eth1 address 10.2.0.1/24 network 10.2.0.0/16\n"
	"set router l3 segment mynumber address 10.1.0.254 mac 02:00:00:01:00:fe\n"
	"set route 10.1.10.0/24 via l3\n"
	"set host jumin-ap segment mynumber address 10.1.10.5 behind l3\n"
	"set host renkei segment lgwan address 10.2.0.8 mac 02:00:00:02:00:08\n"
	"set allow pittari from jumin-ap to renkei service tcp/443 purpose \"x\" applicant \"y\"\n"
	"set allow pittari approval ciso name \"z\" date 2026-04-01\n"
	"set allow pittari starts 2026-04-01 expires 2027-03-31\n"
	"set allow kensa from jumin-ap to renkei service tcp/8443 application tls purpose \"x\" applicant \"y\"\n"
	"set allow kensa approval ciso name \"z\" date 2026-04-01\n"
	"set allow kensa starts 2026-04-01 expires 2027-03-31\n";

/* A sealed memfd with the compiled text. */
static int compile(const char *text, bool seal)
{
	struct arena *a = arena_new();
	struct diag_list diags;
	struct model *m = NULL;
	struct buf out = {0};

	diag_init(&diags, a);
	clock_set_test(&(struct wall){1795000000}, NULL); /* 2026-11-18 */
	bool ok = config_read(a, text, strlen(text), &diags, &m) && policy_compile(m, clock_wall(), &diags, &out);
	if (!ok)
		diag_print(&diags, "policy", stdout);
	int fd = memfd_create("ir", MFD_CLOEXEC | MFD_ALLOW_SEALING);
	CHECK(ok && write(fd, out.data, out.len) == (ssize_t)out.len);
	if (seal)
		CHECK_INT(fcntl(fd, F_ADD_SEALS, F_SEAL_SHRINK | F_SEAL_GROW | F_SEAL_WRITE), 0);
	buf_free(&out);
	arena_free(a);
	return fd;
}

static struct agg_window window(const char *src, const char *dst, uint16_t port)
{
	struct agg_window w = {.sequence = 9, .count = 3, .first_ns = INT64_C(1795000000) * 1000000000, .has_mac = 1,
		.key = {.in = 2, .family = 4, .proto = 6, .dport = port, .reason = REASON_NO_RULE, .generation = 7,
			.mac = {2, 0, 0, 1, 0, 0xfe}}};
	struct addr a;

	addr_parse(src, &a);
	memcpy(w.key.src, a.b, 16);
	addr_parse(dst, &a);
	memcpy(w.key.dst, a.b, 16);
	w.key.family = a.family;
	return w;
}

static struct names *n;

static void test_without_policy(void)
{
	struct agg_window w = window("10.1.10.5", "10.2.0.8", 80);
	struct msg_drop_row r;

	n = names_new();
	names_fill(n, &w, &r);
	CHECK_STR(r.iface, "#2");
	CHECK_STR(r.from, "");
	CHECK_STR(r.rule, "");
	CHECK_INT(r.count, 3);
	CHECK_INT(r.sequence, 9);
	CHECK_INT(r.src_len, 32);
}

static void test_bad_policy(void)
{
	int fd = compile(policy, false);

	CHECK_STR(names_policy(n, 7, fd), "not sealed");
	close(fd);
	fd = memfd_create("x", MFD_ALLOW_SEALING);
	fcntl(fd, F_ADD_SEALS, F_SEAL_SHRINK | F_SEAL_GROW | F_SEAL_WRITE);
	CHECK_STR(names_policy(n, 7, fd), "empty");
	close(fd);
	fd = memfd_create("x", MFD_ALLOW_SEALING);
	CHECK_INT(write(fd, "nonsense", 8), 8);
	fcntl(fd, F_ADD_SEALS, F_SEAL_SHRINK | F_SEAL_GROW | F_SEAL_WRITE);
	CHECK(names_policy(n, 7, fd) != NULL);
	close(fd);
}

static void test_names(void)
{
	struct msg_links links = {.n = 3, .link = {{1, "lo"}, {2, "eth0"}, {3, "eth1"}}};
	struct agg_window w = window("10.1.10.5", "10.2.0.8", 80);
	struct msg_drop_row r;
	int fd = compile(policy, true);

	names_links(n, &links);
	CHECK(names_policy(n, 7, fd) == NULL);
	close(fd);
	names_fill(n, &w, &r);
	CHECK_STR(r.iface, "eth0");
	CHECK_STR(r.from, "mynumber");
	CHECK_STR(r.to, "lgwan");
	CHECK_STR(r.host_src, "jumin-ap");
	CHECK_STR(r.host_dst, "renkei");
	CHECK_STR(r.rule, "pittari");
	CHECK_INT(r.differs, DIFFERS_PORT);
	/* The out interface decides where it would have gone. */
	w.key.out = 3;
	names_fill(n, &w, &r);
	CHECK_STR(r.out_iface, "eth1");
	CHECK_STR(r.to, "lgwan");
	w.key.in = 55;
	names_fill(n, &w, &r);
	CHECK_STR(r.iface, "#55");
	CHECK_STR(r.from, "");
	w = window("10.1.10.5", "10.2.0.8", 443);
	w.key.reason = REASON_STATE; /* the policy allows it: the rule is named, and nothing differs */
	names_fill(n, &w, &r);
	CHECK_STR(r.rule, "pittari");
	CHECK_INT(r.differs, 0);
	/* Counted by networks: segments, but no hosts and no rule. */
	w = window("10.1.10.0", "10.2.0.0", 0);
	w.key.width = AGG_NET;
	names_fill(n, &w, &r);
	CHECK_STR(r.to, "lgwan");
	CHECK_STR(r.host_src, "");
	CHECK_STR(r.rule, "");
	CHECK_INT(r.src_len, 24);
}

/* What was verified belongs to a rule, whichever of the two hosts sent the packet. */
static void test_inspected(void)
{
	struct agg_window w = window("10.1.10.5", "10.2.0.8", 8443);
	struct msg_drop_row r;

	w.key.reason = REASON_APP_MISMATCH;
	w.why = WHY_PROTOCOL;
	w.seen = APP_SSH;
	names_fill(n, &w, &r);
	CHECK_STR(r.rule, "kensa");
	CHECK(r.why == WHY_PROTOCOL && r.seen == APP_SSH && r.expected == APP_TLS && r.differs == 0);
	w = window("10.2.0.8", "10.1.10.5", 51000);
	w.sport = 8443;
	w.key.in = 3;
	w.key.reason = REASON_APP_MISMATCH;
	w.why = WHY_ANSWER;
	names_fill(n, &w, &r);
	CHECK_STR(r.rule, "kensa");
	CHECK(r.why == WHY_ANSWER && r.seen == APP_NONE && r.expected == APP_TLS && r.differs == 0);
	w.key.reason = REASON_STATE;
	w.why = 0;
	names_fill(n, &w, &r);
	CHECK(r.expected == APP_NONE && r.differs != 0);
}

/* A window that was opened before a commit is told by the policy of its time. */
static void test_former_generation(void)
{
	char text[sizeof(policy)];
	struct agg_window w = window("10.1.10.5", "10.2.0.8", 80);
	struct msg_drop_row r;

	memcpy(text, policy, sizeof(policy));
	for (char *p = text; (p = strstr(p, "pittari")) != NULL;)
		memcpy(p, "kansei2", 7);
	int fd = compile(text, true);
	CHECK(names_policy(n, 8, fd) == NULL);
	close(fd);
	names_fill(n, &w, &r);
	CHECK_STR(r.rule, "pittari");
	CHECK_INT(r.generation, 7);
	w.key.generation = 8;
	names_fill(n, &w, &r);
	CHECK_STR(r.rule, "kansei2");
	names_free(n);
}

int main(void)
{
	test_without_policy();
	test_bad_policy();
	test_names();
	test_inspected();
	test_former_generation();
	return test_end();
}
