/* The text forms of /proc/net. */
#include "net_sample.h"
#include "test.h"

struct got {
	unsigned n;
	char name[64][64];
	uint64_t value[64];
	uint64_t dev[NET_SAMPLE_DEV_COLUMNS];
};

static void on_value(void *arg, const char *name, uint64_t v)
{
	struct got *g = arg;

	snprintf(g->name[g->n % 64], 64, "%s", name);
	g->value[g->n++ % 64] = v;
}

static void on_dev(void *arg, const char *name, const uint64_t v[NET_SAMPLE_DEV_COLUMNS])
{
	struct got *g = arg;

	snprintf(g->name[g->n++ % 64], 64, "%s", name);
	memcpy(g->dev, v, sizeof(g->dev));
}

static void test_pairs(void)
{
	static const char text[] = "Ip: Forwarding InHdrErrors\nIp: 1 18446744073709551615\n"
				   "Tcp: A B\nUdp: 1 2\n"
				   "Icmp: A B C\nIcmp: -1 x 3\n";
	struct got g = {0};

	net_sample_parse_pairs(text, sizeof(text) - 1, on_value, &g);
	CHECK_INT(g.n, 3);
	CHECK_STR(g.name[1], "Ip.InHdrErrors");
	CHECK(g.value[1] == UINT64_MAX);
	CHECK_STR(g.name[2], "Icmp.C");
}

static void test_lines(void)
{
	static const char text[] = "Ip6InReceives                   \t32\nIp6InDiscards\n\nIp6OutNoRoutes 7";
	struct got g = {0};

	net_sample_parse_lines(text, sizeof(text) - 1, on_value, &g);
	CHECK_INT(g.n, 2);
	CHECK_STR(g.name[0], "Ip6InReceives");
	CHECK_INT(g.value[1], 7);
}

static void test_conntrack(void)
{
	static const char text[] = "entries  drop early_drop\n00000001 000000ff 00000000\n00000001  00000001 00000010\n";
	struct got g = {0};

	net_sample_parse_conntrack(text, sizeof(text) - 1, on_value, &g);
	CHECK_INT(g.n, 3);
	CHECK_STR(g.name[1], "ct.drop");
	CHECK_INT(g.value[1], 0x100);
	CHECK_INT(g.value[2], 0x10);
}

static void test_dev(void)
{
	static const char text[] =
		"Inter-|   Receive                                                |  Transmit\n"
		" face |bytes    packets errs drop fifo frame compressed multicast|bytes    packets errs drop fifo colls\n"
		"    lo:       1       2    0    0    0     0          0         0        1       2    0    0    0     0\n"
		"eth2.20: 10 20 3 4 5 0 0 0 30 40 6 7 0 0 0 0\n"
		"a-name-longer-than-any: 1 2 3 4 5 6 7 8 9 10 11 12\n"
		"eth9: 1 2\n";
	struct got g = {0};

	net_sample_parse_dev(text, sizeof(text) - 1, on_dev, &g);
	CHECK_INT(g.n, 2);
	CHECK_STR(g.name[1], "eth2.20");
	CHECK(g.dev[0] == 3 && g.dev[1] == 4 && g.dev[2] == 5 && g.dev[3] == 6 && g.dev[4] == 7);
}

/* No text, cut anywhere, is read beyond its end. */
static void test_cuts(void)
{
	static const char text[] = "Ip: A B\nIp: 1 2\nx\n eth0: 1 2 3 4 5 6 7 8 9 10 11 12\n:\n";
	struct got g = {0};

	for (size_t n = 0; n < sizeof(text); n++) {
		char *p = malloc(n + 1);
		memcpy(p, text, n);
		net_sample_parse_pairs(p, n, on_value, &g);
		net_sample_parse_lines(p, n, on_value, &g);
		net_sample_parse_conntrack(p, n, on_value, &g);
		net_sample_parse_dev(p, n, on_dev, &g);
		free(p);
	}
	CHECK(g.n > 0);
}

int main(void)
{
	test_pairs();
	test_lines();
	test_conntrack();
	test_dev();
	test_cuts();
	return test_end();
}
