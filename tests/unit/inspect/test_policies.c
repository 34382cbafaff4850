/*
 * test_policies.c: verified policies of two generations: found by the mark of a packet, renewed by their text over a
 * commit whatever their number, and zones that outlive it.
 */
#include "test.h"

#include <fcntl.h>
#include <sys/mman.h>
#include <unistd.h>

#include <sekisho/arena.h>
#include <sekisho/buf.h>
#include <sekisho/clock.h>
#include <sekisho/diag.h>
#include <sekisho/ruleset.h>

#include "policies.h"

#define HEAD                                                                                                   \
	"set system hostname g timezone Asia/Tokyo language ja\n"                                              \
	"set segment a kind internet interface eth0 address 10.1.0.1/24 network 10.1.0.0/16\n"                  \
	"set segment b kind internet interface eth1 interface eth2 address 10.2.0.1/24 network 10.2.0.0/16\n"   \
	"set host c segment a address 10.1.0.5\nset host s segment b address 10.2.0.8\n"
#define RULE(name, app) "set allow " name " from c to s service " app " purpose x applicant y asset-class 3\n"

static int compile(const char *text)
{
	struct arena *a = arena_new();
	struct diag_list diags;
	struct model *m = NULL;
	struct buf out = {0};
	struct wall now = {1795000000};

	diag_init(&diags, a);
	clock_set_zone("Asia/Tokyo");
	bool ok = config_read(a, text, strlen(text), &diags, &m) && policy_compile(m, now, &diags, &out);
	if (!ok)
		diag_print(&diags, "policy", stdout);
	int fd = memfd_create("ir", MFD_CLOEXEC);
	CHECK(ok && write(fd, out.data, out.len) == (ssize_t)out.len);
	buf_free(&out);
	arena_free(a);
	return fd;
}

/* The mark of a queued packet whose policy is the n-th (from 1) of a generation. */
static uint32_t mark(uint32_t generation, uint32_t n)
{
	return QUEUED_MARK(generation) | n << 12 | CLASS_INSPECT;
}

static enum application app(const struct policies *p, uint32_t generation, uint32_t n, uint32_t *tag)
{
	const struct verify_policy *v = policies_find(p, mark(generation, n), tag);

	return v == NULL ? APP_NONE : v->application;
}

static const struct verify_policy *none(void *arg, const struct packet *p, uint32_t *ret_tag)
{
	(void)arg;
	(void)p;
	(void)ret_tag;
	return NULL;
}

static struct inspector *make_inspector(void)
{
	struct inspect_options o = {.flows = 64};
	struct inspect_hooks h = {.policy = none};

	return inspector_new(&o, &h);
}

static void test_generations(void)
{
	struct policies *p = policies_new();
	struct inspector *in = make_inspector();
	uint32_t tag = 99, generation;
	uint16_t id;

	CHECK(!policies_known(p, mark(7, 1)) && policies_enforced(p) == 0);
	CHECK(!policies_enforce(p, 7, in));
	static const char old[] = HEAD RULE("x", "tcp/22 application ssh") RULE("y", "tcp/443 application tls");
	static const char next[] = HEAD RULE("a", "udp/53 application dns") RULE("x", "tcp/22 application ssh");
	CHECK(policies_offer(p, 7, compile(old)) == NULL);
	/* Offered: packets may come before the word that it is enforced. */
	CHECK(policies_known(p, mark(7, 1)) && policies_enforced(p) == 0);
	CHECK(policies_enforce(p, 7, in) && policies_enforced(p) == 7);
	enum application first = app(p, 7, 1, &tag);
	CHECK(first == APP_SSH || first == APP_TLS);
	CHECK(policies_tag(p, tag, &generation, &id) && generation == 7 && id == 1);
	enum application second = app(p, 7, 2, &tag);
	CHECK(second != first && second != APP_NONE);
	CHECK_INT(app(p, 7, 0, &tag), APP_NONE);
	CHECK_INT(app(p, 7, 3, &tag), APP_NONE);
	CHECK_INT(app(p, 7, 65535, &tag), APP_NONE);
	/* The next one: DNS instead of TLS. Both are known until it is enforced. */
	CHECK(policies_offer(p, 8, compile(next)) == NULL);
	CHECK(app(p, 7, 1, &tag) == first && policies_enforced(p) == 7);
	enum application new[3] = {APP_NONE, app(p, 8, 1, &tag), app(p, 8, 2, &tag)};
	CHECK((new[1] == APP_DNS && new[2] == APP_SSH) || (new[1] == APP_SSH && new[2] == APP_DNS));
	CHECK(policies_enforce(p, 8, in) && policies_enforced(p) == 8);
	/* What was queued under the old one is judged by what its policy is now. */
	for (uint32_t n = 1; n <= 2; n++) {
		enum application was = n == 1 ? first : second;
		CHECK_INT(app(p, 7, n, &tag), was == APP_SSH ? APP_SSH : APP_NONE);
		CHECK(was != APP_SSH || (policies_tag(p, tag, &generation, &id) && generation == 8 && new[id] == APP_SSH));
	}
	/* Two commits later it is not known any more. */
	CHECK(policies_offer(p, 9, compile(HEAD RULE("x", "tcp/22 application ssh"))) == NULL);
	CHECK(!policies_known(p, mark(7, 1)) && policies_known(p, mark(8, 1)) && policies_known(p, mark(9, 1)));
	/* One that was never enforced gives its place up; the one in force stays. */
	CHECK(policies_offer(p, 10, compile(HEAD RULE("x", "tcp/22 application ssh"))) == NULL);
	CHECK(!policies_known(p, mark(9, 1)) && policies_known(p, mark(8, 1)));
	CHECK(!policies_enforce(p, 9, in) && policies_enforced(p) == 8);
	CHECK(policies_enforce(p, 8, in)); /* again: nothing to do */
	CHECK(policies_offer(p, 8, compile(HEAD RULE("x", "tcp/22 application ssh"))) != NULL);
	inspector_free(in);
	policies_free(p);
}

static void test_bad_irs(void)
{
	struct policies *p = policies_new();
	struct inspector *in = make_inspector();
	uint32_t tag;

	CHECK(policies_offer(p, 7, compile(HEAD RULE("x", "tcp/22 application ssh"))) == NULL && policies_enforce(p, 7, in));
	CHECK(policies_offer(p, 8, memfd_create("empty", MFD_CLOEXEC)) != NULL);
	int fd = memfd_create("nonsense", MFD_CLOEXEC);
	CHECK(write(fd, "this is no IR", 13) == 13 && policies_offer(p, 8, fd) != NULL);
	CHECK(policies_offer(p, 0, compile(HEAD RULE("x", "tcp/22 application ssh"))) != NULL);
	CHECK(policies_offer(p, 8, open("/dev/null", O_RDONLY | O_CLOEXEC)) != NULL);
	CHECK(app(p, 7, 1, &tag) == APP_SSH && !policies_known(p, mark(8, 1)));
	inspector_free(in);
	policies_free(p);
}

/* Both directions have one zone, and it is the same when segments are numbered anew. */
static void test_zones(void)
{
	static const char other[] = "set system hostname g timezone Asia/Tokyo language ja\n"
				    "set segment 0 kind internet interface eth9 address 10.9.0.1/24 network 10.9.0.0/16\n"
				    "set segment b kind internet interface eth1 interface eth2 address 10.2.0.1/24 network 10.2.0.0/16\n"
				    "set segment a kind internet interface eth0 address 10.1.0.1/24 network 10.1.0.0/16\n";
	struct msg_links links = {.n = 4, .link = {{1, "lo"}, {4, "eth0"}, {5, "eth1"}, {6, "eth2"}}};
	struct policies *p = policies_new();
	struct inspector *in = make_inspector();

	policies_links(p, &links);
	CHECK(policies_offer(p, 1, compile(HEAD)) == NULL && policies_enforce(p, 1, in));
	uint32_t ab = policies_zone(p, 4, 5);
	CHECK(ab != 0 && ab == policies_zone(p, 5, 4) && ab == policies_zone(p, 6, 4));
	CHECK(policies_zone(p, 5, 6) != ab && policies_zone(p, 4, 4) != ab && policies_zone(p, 4, 99) != ab);
	CHECK_INT(policies_zone(p, 98, 99), 0);
	CHECK(policies_offer(p, 2, compile(other)) == NULL && policies_enforce(p, 2, in));
	CHECK_INT(policies_zone(p, 4, 5), ab);
	inspector_free(in);
	policies_free(p);
}

int main(void)
{
	test_generations();
	test_bad_irs();
	test_zones();
	return test_end();
}
