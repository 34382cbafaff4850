/* test_question.c: words to questions, with the names and families of a policy. */
#include "question.h"

#include <sekisho/arena.h>
#include <sekisho/buf.h>
#include <sekisho/diag.h>
#include <sekisho/i18n.h>
#include <sekisho/model.h>

#include <netinet/in.h>

#include "test.h"

#define NOW 1795136400 /* 2026-11-20T10:00:00+0900 */

static const char policy[] =
	"set segment a kind other interface eth0 address 10.0.0.1/24 address 2001:db8::1/64 network 10.0.0.0/24 network "
	"2001:db8::/64\n"
	"set segment b kind other interface eth1 address 10.0.1.1/24 address 2001:db8:1::1/64 network 10.0.1.0/24 network "
	"2001:db8:1::/64\n"
	"set host both segment a address 10.0.0.5 address 2001:db8::5\n"
	"set host four segment b address 10.0.1.9\n"
	"set host six segment b address 2001:db8:1::9\n"
	"set host net segment b address 10.0.1.0/25\n"
	"set allow r from both to net service tcp/80 purpose p applicant q\n";

static struct asker k;
static char error[QUESTION_ERROR_MAX];

/* "src dst proto port" of a line, or the error. */
static const char *ask(const char *text)
{
	static char out[512], line[512];
	char src[ADDR_TEXT_MAX], dst[ADDR_TEXT_MAX];
	struct asked q;

	snprintf(line, sizeof(line), "%s", text);
	if (!question_read_line(&k, line, &q, error))
		return error;
	snprintf(out, sizeof(out), "%s %s %u %d", addr_format(&q.q.src, src), addr_format(&q.q.dst, dst), q.q.proto,
		q.q.has_port ? q.q.dport : -1);
	return out;
}

static void test_families(void)
{
	CHECK_STR(ask("both four tcp/80"), "10.0.0.5 10.0.1.9 6 80");
	CHECK_STR(ask("both six tcp/80"), "2001:db8::5 2001:db8:1::9 6 80");
	CHECK_STR(ask("both 2001:db8:1::7 udp"), "2001:db8::5 2001:db8:1::7 17 -1");
	CHECK_STR(ask("both six icmp/echo-request"), "2001:db8::5 2001:db8:1::9 58 32768");
	CHECK_STR(ask("both four icmp/echo-request"), "10.0.0.5 10.0.1.9 1 2048");
	/* Of a range: the first address that is neither the network's nor the gateway's. */
	CHECK_STR(ask("both net tcp/80"), "10.0.0.5 10.0.1.2 6 80");
	CHECK(strstr(ask("four six tcp/80"), "family") != NULL);
	CHECK(strstr(ask("10.0.0.5 2001:db8::1 tcp/80"), "family") != NULL);
}

static void test_options(void)
{
	struct asked q;
	char line[] = "--at 2026-11-20T11:00 both --src-mac 02:00:00:00:00:01 four tcp/80";

	CHECK(question_read_line(&k, line, &q, error));
	CHECK_INT(q.at.sec, NOW + 3600);
	CHECK(q.q.has_mac && q.q.mac.b[5] == 1);
	CHECK_INT(q.src_host, 0);
	char plain[] = "both four tcp/80\r";
	CHECK(question_read_line(&k, plain, &q, error));
	CHECK(!q.q.has_mac && q.at.sec == NOW);
}

static void test_bad(void)
{
	static const char *const bad[] = {"", " ", "both", "both four", "both four tcp/80 more",
		"both four tcp/80 --at", "both four tcp/80 --at 10:00 --at 11:00", "--at 10:00",
		"nobody four tcp/80", "both four tcp/80 --src-mac 1", "both four 300",
		"both four tcp/80 --what x", "a b c d e f g h i j k l m n"};

	for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++) {
		error[0] = '\0';
		ask(bad[i]);
		if (error[0] == '\0')
			printf("accepted: %s\n", bad[i]);
		CHECK(error[0] != '\0');
	}
	CHECK(strstr(ask("bothh four tcp/80"), "did you mean \"both\"") != NULL);
}

int main(void)
{
	struct arena *a = arena_new();
	struct diag_list d;
	struct model *m;
	struct buf block = {0};
	struct ir ir;

	clock_set_zone("Asia/Tokyo");
	i18n_init("en");
	diag_init(&d, a);
	CHECK(config_read(a, policy, sizeof(policy) - 1, &d, &m));
	CHECK(policy_compile(m, (struct wall){NOW}, &d, &block));
	if (d.nerrors > 0 || ir_open(block.data, block.len, &ir) != NULL) {
		diag_print(&d, "policy", stdout);
		return 1;
	}
	asker_init(&k, &ir, (struct wall){NOW});
	test_families();
	test_options();
	test_bad();
	asker_free(&k);
	buf_free(&block);
	arena_free(a);
	return test_end();
}
