/*
 * The room net on a real kernel, in a network namespace of its own: settings are made, read back, put back when
 * somebody else changes them, and taken away. Needs root; skipped (77) without.
 */
#include "test.h"

#include <errno.h>
#include <sched.h>
#include <stdarg.h>
#include <stdbool.h>
#include <sys/mount.h>
#include <unistd.h>

#include <sekisho/ir.h>
#include <sekisho/msg.h>
#include <sekisho/net.h>

static struct {
	unsigned n[FINDING_END];
	char last[FINDING_END][256];
} said;

static void on_finding(void *arg, enum finding f, const char *detail)
{
	(void)arg;
	said.n[f]++;
	snprintf(said.last[f], sizeof(said.last[f]), "%s", detail);
}

static int sh(const char *fmt, ...)
{
	char command[512];
	va_list ap;

	va_start(ap, fmt);
	vsnprintf(command, sizeof(command), fmt, ap);
	va_end(ap);
	return system(command);
}

/* True when the command's output holds the text. */
static int shows(const char *command, const char *text)
{
	return sh("%s 2>/dev/null | grep -qF -- '%s'", command, text) == 0;
}

static const struct ir_interface interfaces[] = {{.name = "eth0"},
	{.name = "eth2.20", .parent = "eth2", .vlan = 20, .segment = 1},
	{.name = "eth9", .segment = 1}};
static const struct ir_local locals[] = {
	{.interface = 0, .family = 4, .prefix_len = 24, .addr = {10, 1, 0, 1}},
	{.interface = 0, .family = 6, .prefix_len = 64, .addr = {0xfd, [15] = 1}},
	{.interface = 2, .family = 4, .prefix_len = 24, .addr = {10, 9, 0, 1}}};
static const struct ir_route routes[] = {
	{.interface = 0, .family = 4, .prefix_len = 24, .prefix = {10, 1, 10, 0}, .via = {10, 1, 0, 254}},
	{.interface = 0, .family = 6, .prefix_len = 48, .prefix = {0xfd, 1}, .via = {0xfd, [15] = 9}}};
static const struct ir_neigh neighs[] = {
	{.interface = 0, .family = 4, .addr = {10, 1, 0, 254}, .mac = {2, 0, 0, 1, 0, 0xfe}},
	{.interface = 0, .family = 6, .addr = {0xfd, [15] = 9}, .mac = {2, 0, 0, 1, 0, 9}}};
static struct ir ir = {.interfaces = interfaces, .ninterfaces = 3, .locals = locals, .nlocals = 3, .routes = routes,
	.nroutes = 2, .neighs = neighs, .nneighs = 2};

static void test_apply(struct net *n)
{
	struct net_error e = {0};
	struct msg_links links;

	CHECK_INT(net_apply(n, &ir, &e), 0);
	CHECK_STR(e.text, "");
	CHECK(shows("ip -4 addr show dev eth0", "10.1.0.1/24"));
	CHECK(shows("ip -6 addr show dev eth0", "fd00::1/64"));
	CHECK(!shows("ip -6 addr show dev eth0 scope global", "tentative"));
	CHECK(shows("ip route", "10.1.10.0/24 via 10.1.0.254 dev eth0"));
	CHECK(shows("ip -6 route", "fd01::/48 via fd00::9 dev eth0"));
	CHECK(shows("ip neigh show dev eth0", "10.1.0.254 lladdr 02:00:00:01:00:fe PERMANENT"));
	CHECK(shows("ip -6 neigh show dev eth0", "fd00::9 lladdr 02:00:00:01:00:09 PERMANENT"));
	CHECK(!shows("ip -4 addr show dev eth0", "192.168.7.7")); /* was there before */
	CHECK(shows("ip link show dev eth2", ",UP"));
	CHECK_INT(net_check(n), 0);
	CHECK_INT(said.n[FINDING_NET_CHANGED], 0);
	CHECK(said.n[FINDING_INTERFACE_MISSING] >= 1); /* eth9 */
	CHECK(said.n[FINDING_INTERFACE_UNKNOWN] >= 1);
	CHECK(net_link_table(n, &links) && links.n >= 3);
	CHECK(!net_link_table(n, &links));
}

/* Each change by hand: the watch sees it, the check puts it back and says it. */
static void test_put_back(struct net *n)
{
	static const char *const changes[][3] = {
		{"ip addr del 10.1.0.1/24 dev eth0", "ip -4 addr show dev eth0", "10.1.0.1/24"},
		{"ip route replace 10.1.10.0/24 via 10.1.0.77", "ip route", "10.1.10.0/24 via 10.1.0.254"},
		{"ip neigh replace 10.1.0.254 lladdr 02:66:66:66:66:66 dev eth0 nud permanent", "ip neigh show dev eth0",
			"10.1.0.254 lladdr 02:00:00:01:00:fe PERMANENT"},
		{"ip neigh replace 10.1.0.254 lladdr 02:66:66:66:66:66 dev eth0 nud reachable", "ip neigh show dev eth0",
			"10.1.0.254 lladdr 02:00:00:01:00:fe PERMANENT"},
		{"ip neigh del 10.1.0.254 dev eth0", "ip neigh show dev eth0", "10.1.0.254 lladdr 02:00:00:01:00:fe PERMANENT"},
		{"ip -6 neigh del fd00::9 dev eth0", "ip -6 neigh show dev eth0", "fd00::9 lladdr 02:00:00:01:00:09 PERMANENT"},
		{"ip link set eth0 down", "ip link show dev eth0", ",UP"},
	};
	for (size_t i = 0; i < sizeof(changes) / sizeof(changes[0]); i++) {
		unsigned before = said.n[FINDING_NET_CHANGED];
		net_watch(n);
		CHECK_INT(sh("%s", changes[i][0]), 0);
		bool due = net_watch(n);
		CHECK(due);
		if (!due)
			printf("at: %s\n", changes[i][0]);
		CHECK(net_check(n) > 0);
		CHECK(shows(changes[i][1], changes[i][2]));
		if (said.n[FINDING_NET_CHANGED] == before || !shows("ip route", "10.1.10.0/24 via 10.1.0.254"))
			printf("at: %s\n", changes[i][0]);
		CHECK(said.n[FINDING_NET_CHANGED] > before);
		CHECK(shows("ip route", "10.1.10.0/24 via 10.1.0.254 dev eth0"));
		CHECK_INT(net_check(n), 0);
	}
}

/* What others add goes away again. */
static void test_foreign(struct net *n)
{
	static const char *const foreign[][3] = {
		{"ip addr add 10.66.0.1/24 dev eth0", "ip addr", "10.66.0.1"},
		{"ip route add 10.77.0.0/16 via 10.1.0.66", "ip route", "10.77.0.0"},
		{"ip route add 10.78.0.0/16 dev eth0 proto kernel", "ip route", "10.78.0.0"},
		{"ip route add blackhole 10.1.10.0/25", "ip route", "blackhole"},
		{"ip route add default nexthop via 10.1.0.7 nexthop via 10.1.0.8", "ip route", "default"},
		{"ip -6 route add default via fd00::66", "ip -6 route", "default"},
		{"ip neigh add 10.1.0.99 lladdr 02:66:66:66:66:66 dev eth0 nud permanent", "ip neigh", "10.1.0.99"},
		{"ip rule add from 10.1.0.0/16 lookup 100", "ip rule", "lookup 100"},
		{"ip -6 rule add fwmark 1 lookup 100", "ip -6 rule", "lookup 100"},
	};
	for (size_t i = 0; i < sizeof(foreign) / sizeof(foreign[0]); i++) {
		unsigned before = said.n[FINDING_NET_CHANGED];
		net_watch(n);
		CHECK_INT(sh("%s", foreign[i][0]), 0);
		CHECK(shows(foreign[i][1], foreign[i][2]));
		if (!net_watch(n))
			printf("at: %s\n", foreign[i][0]);
		CHECK(net_check(n) > 0);
		if (shows(foreign[i][1], foreign[i][2]))
			printf("at: %s\n", foreign[i][0]);
		CHECK(!shows(foreign[i][1], foreign[i][2]));
		CHECK(said.n[FINDING_NET_CHANGED] > before);
	}
	net_check(n);
	net_watch(n);
	CHECK(!net_watch(n));
}

/* An interface that appears later is set up; it is nobody's doing. */
static void test_appears(struct net *n)
{
	unsigned changed = said.n[FINDING_NET_CHANGED], missing = said.n[FINDING_INTERFACE_MISSING];

	CHECK_INT(sh("ip link add eth9 type veth peer name peer9 && ip link set peer9 up"), 0);
	CHECK(net_watch(n));
	CHECK(net_check(n) > 0);
	CHECK(shows("ip -4 addr show dev eth9", "10.9.0.1/24"));
	CHECK(shows("ip link show dev eth9", ",UP"));
	CHECK_INT(said.n[FINDING_INTERFACE_MISSING], missing);
	CHECK_INT(said.n[FINDING_NET_CHANGED], changed);
	/* Gone and back under the same name: another interface. */
	sh("ip link del eth9");
	CHECK(net_watch(n));
	net_check(n);
	CHECK(said.n[FINDING_INTERFACE_MISSING] > missing);
	sh("ip link add eth9 type veth peer name peer9 && ip link set peer9 up");
	net_check(n);
	CHECK(shows("ip -4 addr show dev eth9", "10.9.0.1/24"));
	CHECK_INT(said.n[FINDING_NET_CHANGED], changed);
}

static void test_settings(struct net *n)
{
	unsigned before;

	net_settings(n, NET_FORWARDING_OFF, false);
	CHECK(shows("cat /proc/sys/net/ipv4/ip_forward", "0"));
	int wrong = net_settings(n, NET_FORWARDING_ON, false);
	printf("settings that cannot be made here: %d (%s)\n", wrong, said.last[FINDING_SYSCTL]);
	CHECK(wrong >= 0 && (wrong == 0) == (said.n[FINDING_SYSCTL] == 0));
	CHECK(shows("cat /proc/sys/net/ipv4/ip_forward", "1"));
	CHECK(shows("cat /proc/sys/net/ipv6/conf/all/forwarding", "1"));
	CHECK(shows("cat /proc/sys/net/ipv4/conf/default/forwarding", "0"));
	CHECK(shows("cat /proc/sys/net/ipv4/conf/eth0/forwarding", "1"));
	CHECK(shows("cat /proc/sys/net/ipv4/conf/stray/forwarding", "0"));
	CHECK(shows("cat /proc/sys/net/ipv4/conf/all/accept_redirects", "0"));
	CHECK(shows("cat /proc/sys/net/ipv6/conf/eth0/accept_ra", "0"));
	CHECK(shows("cat /proc/sys/net/ipv4/conf/stray/arp_ignore", "8"));
	CHECK(shows("cat /proc/sys/net/netfilter/nf_conntrack_tcp_loose", "0"));
	before = said.n[FINDING_SYSCTL_CHANGED];
	net_settings(n, NET_FORWARDING_ON, true);
	CHECK_INT(said.n[FINDING_SYSCTL_CHANGED], before);
	sh("echo 1 > /proc/sys/net/ipv4/conf/eth0/accept_redirects");
	sh("echo 1 > /proc/sys/net/netfilter/nf_conntrack_tcp_loose");
	net_settings(n, NET_FORWARDING_ON, true);
	CHECK_INT(said.n[FINDING_SYSCTL_CHANGED], before + 2);
	CHECK(shows("cat /proc/sys/net/ipv4/conf/eth0/accept_redirects", "0"));
	sh("echo 0 > /proc/sys/net/ipv4/ip_forward");
	net_settings(n, NET_FORWARDING_ON, true);
	CHECK(shows("cat /proc/sys/net/ipv4/ip_forward", "1"));
	CHECK(shows("cat /proc/sys/net/ipv4/conf/eth0/accept_redirects", "0"));
	CHECK(shows("cat /proc/sys/net/ipv4/conf/default/forwarding", "0"));
	CHECK(said.n[FINDING_SYSCTL_CHANGED] > before + 2);
	net_settings(n, NET_FORWARDING_OFF, true);
	CHECK(shows("cat /proc/sys/net/ipv4/ip_forward", "0"));
}

static unsigned losses;
static char loss_text[512];

static void on_loss(void *arg, const char *group, const char *text)
{
	(void)arg;
	losses++;
	snprintf(loss_text, sizeof(loss_text), "%s %s", group, text);
}

static void test_sample(struct net *n)
{
	uint32_t count, max;

	net_sample(n, on_loss, NULL);
	CHECK_INT(losses, 0);
	/* To an address without a route: the kernel counts OutNoRoutes. */
	sh("ip link set lo up; ping -c1 -W1 203.0.113.1 >/dev/null 2>&1");
	net_sample(n, on_loss, NULL);
	CHECK(losses >= 1);
	CHECK(strstr(loss_text, "OutNoRoutes +") != NULL);
	CHECK(net_conntrack(&count, &max) && max > 0);
}

/* The kernel refuses something: an error with its place; the former settings come back with another apply. */
static void test_refused(struct net *n)
{
	static const struct ir_route bad[] = {
		{.interface = 0, .family = 4, .prefix_len = 24, .prefix = {10, 1, 20, 0}, .via = {172, 16, 0, 1}}};
	struct ir other = ir;
	struct net_error e = {0};

	other.routes = bad;
	other.nroutes = 1;
	CHECK(net_apply(n, &other, &e) < 0);
	CHECK(strstr(e.text, "route 10.1.20.0/24 via 172.16.0.1 on eth0: ") == e.text);
	CHECK_INT(net_apply(n, &ir, &e), 0);
	CHECK(shows("ip route", "10.1.10.0/24 via 10.1.0.254 dev eth0"));
	CHECK(!shows("ip route", "10.1.20.0"));
}

/* The next policy: what the former had and this has not goes. */
static void test_next(struct net *n)
{
	struct ir next = ir;
	struct net_error e = {0};

	next.interfaces = interfaces + 1;
	next.ninterfaces = 1;
	next.nlocals = next.nroutes = next.nneighs = 0;
	CHECK_INT(net_apply(n, &next, &e), 0);
	CHECK(!shows("ip addr", "10.1.0.1"));
	CHECK(!shows("ip addr", "fd00::1"));
	CHECK(!shows("ip route", "10.1.10.0"));
	CHECK(!shows("ip link show dev eth0", ",UP"));
	CHECK(shows("ip link show dev eth2", ",UP"));
	CHECK_INT(net_apply(n, NULL, &e), 0);
	CHECK(!shows("ip link show dev eth2", ",UP"));
}

/* Where the kernel has 8021q: the VLAN interface is made, up, ours, and goes with its policy. */
static void test_vlan(struct net *n)
{
	struct net_error e = {0};

	if (said.n[FINDING_VLAN_UNSUPPORTED] > 0)
		return;
	CHECK_INT(net_apply(n, &ir, &e), 0);
	CHECK(shows("ip -d link show dev eth2.20", "vlan protocol 802.1Q id 20"));
	CHECK(shows("ip -d link show dev eth2.20", "@eth2"));
	CHECK(shows("ip link show dev eth2.20", ",UP"));
	CHECK_INT(said.n[FINDING_VLAN_PLAIN], 0);
	/* Taken away by hand: made again. */
	CHECK_INT(sh("ip link del eth2.20"), 0);
	CHECK(net_watch(n));
	CHECK(net_check(n) > 0);
	CHECK(shows("ip -d link show dev eth2.20", "vlan protocol 802.1Q id 20"));
	/* Another VLAN under the same name is a finding, and not touched. */
	CHECK_INT(sh("ip link del eth2.20 && ip link add link eth2 name eth2.20 type vlan id 21"), 0);
	net_check(n);
	CHECK(said.n[FINDING_VLAN_PLAIN] > 0);
	sh("ip link del eth2.20");
	CHECK_INT(net_apply(n, &ir, &e), 0);
	CHECK_INT(net_apply(n, NULL, &e), 0);
	CHECK(!shows("ip link", "eth2.20"));
}

/* A second life of the process: what the first one left is recognised. */
static void test_adopt(void)
{
	struct net_error e = {0};
	struct net *n = net_open(on_finding, NULL);

	CHECK_INT(net_apply(n, &ir, &e), 0);
	net_close(n);
	n = net_open(on_finding, NULL);
	unsigned changed = said.n[FINDING_NET_CHANGED];
	CHECK_INT(net_apply(n, &ir, &e), 0);
	CHECK_INT(net_check(n), 0);
	CHECK_INT(said.n[FINDING_NET_CHANGED], changed);
	net_close(n);
}

int main(void)
{
	if (geteuid() != 0 || unshare(CLONE_NEWNET | CLONE_NEWNS) != 0)
		return 77;
	/* iproute2 and /proc/sys see the namespace of the process by themselves. */
	if (mount(NULL, "/", NULL, MS_REC | MS_PRIVATE, NULL) != 0)
		return 77;
	if (sh("ip link add eth0 type veth peer name peer0 && ip link add eth2 type veth peer name peer2 && "
	       "ip link set peer0 up && ip link set peer2 up && ip link add stray type veth peer name stray2 && "
	       "ip link set stray up && ip addr add 192.168.7.7/24 dev eth0") != 0)
		return 77;
	struct net *n = net_open(on_finding, NULL);
	CHECK(n != NULL);
	if (n == NULL)
		return test_end();
	test_apply(n);
	test_put_back(n);
	test_foreign(n);
	test_appears(n);
	test_settings(n);
	test_sample(n);
	test_refused(n);
	test_next(n);
	test_vlan(n);
	net_close(n);
	test_adopt();
	printf("VLAN interface: %s\n",
		said.n[FINDING_VLAN_UNSUPPORTED] > 0 ? "this kernel has no 8021q (said as a finding)" : "made");
	return test_end();
}
