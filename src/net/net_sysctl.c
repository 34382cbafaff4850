/*
 * net_sysctl.c: the kernel's own settings: one table, set, read back, watched.
 *
 * Every value is an integer. A row applies to the host, or to interfaces: "all" and "default" of conf/, each of
 * the policy's interfaces, each that the policy does not know. Forwarding rows come last; switching ip_forward
 * makes the kernel reset others, so the first rows are gone through once more behind them.
 * Paths are built from the table and from interface names that the kernel itself gave (never with '/').
 * A setting that is missing or refused is a finding; a whole missing family is one finding.
 */
#include "net_private.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#define ROOT "/proc/sys/net/"

enum scope {
	HOST = 0,
	ALL = 1,      /* conf/all */
	DEFAULT = 2,  /* conf/default: interfaces that will come */
	EACH = 4,     /* the policy's interfaces */
	UNKNOWN = 8,  /* interfaces that belong to no segment */
	CONF = ALL | DEFAULT | EACH | UNKNOWN,
};

#define OPTIONAL 1 /* not a finding when this kernel does not have it */
#define AT_LEAST 2 /* a higher value is as good */
#define OPEN 4	   /* the value holds while forwarding is on; 0 while it is off */

struct row {
	const char *path; /* "%s" is where the interface's name goes */
	int scope;
	long value;
	int flags;
	const char *why;
};

static const struct row rows[] = {
	/* Connections. */
	{"netfilter/nf_conntrack_tcp_loose", HOST, 0, 0, "a TCP flow is known from its SYN or not at all"},
	{"netfilter/nf_conntrack_tcp_be_liberal", HOST, 0, 0, "segments outside the window are not of the flow"},
	{"netfilter/nf_conntrack_tcp_ignore_invalid_rst", HOST, 0, OPTIONAL, "a forged reset is invalid"},
	{"netfilter/nf_conntrack_helper", HOST, 0, OPTIONAL, "no helper opens ports by what it reads"},
	{"netfilter/nf_conntrack_checksum", HOST, 1, 0, "a packet with a wrong checksum makes no state"},
	{"netfilter/nf_conntrack_log_invalid", HOST, 0, 0, "our own records say it, with limits"},
	{"netfilter/nf_conntrack_acct", HOST, 1, 0, "what passes is counted, flow by flow"},
	{"netfilter/nf_conntrack_timestamp", HOST, 1, OPTIONAL, "when a flow began"},
	{"netfilter/nf_conntrack_events", HOST, 1, AT_LEAST, "the end of a flow is told"},
	{"netfilter/nf_conntrack_max", HOST, 262144, AT_LEAST, "a flood must not end what is allowed"},
	{"netfilter/nf_conntrack_tcp_timeout_established", HOST, 86400, 0, "a day of silence, not five"},
	{"netfilter/nf_conntrack_tcp_timeout_syn_sent", HOST, 30, 0, "half-open connections are cheap to make"},
	{"netfilter/nf_conntrack_tcp_timeout_syn_recv", HOST, 30, 0, "half-open connections are cheap to make"},
	{"netfilter/nf_conntrack_tcp_timeout_unacknowledged", HOST, 300, 0, "a peer that is gone"},
	{"netfilter/nf_conntrack_udp_timeout", HOST, 30, 0, "a question without an answer"},
	{"netfilter/nf_conntrack_udp_timeout_stream", HOST, 120, 0, "the end of an exchange"},
	{"netfilter/nf_conntrack_icmp_timeout", HOST, 30, 0, "a question without an answer"},
	{"netfilter/nf_conntrack_icmpv6_timeout", HOST, 30, 0, "a question without an answer"},
	{"netfilter/nf_conntrack_generic_timeout", HOST, 60, 0, "a protocol without ports"},
	/* IPv4, the host. */
	{"ipv4/icmp_echo_ignore_broadcasts", HOST, 1, 0, "no amplifier"},
	{"ipv4/icmp_ignore_bogus_error_responses", HOST, 1, 0, "RFC 1122"},
	{"ipv4/tcp_syncookies", HOST, 1, 0, "the gate's own ports under a flood"},
	{"ipv4/ip_nonlocal_bind", HOST, 0, 0, "the gate speaks as itself"},
	{"ipv4/ip_no_pmtu_disc", HOST, 0, 0, "path MTU discovery works"},
	{"ipv4/fwmark_reflect", HOST, 0, 0, "marks are ours and stay inside"},
	{"ipv4/tcp_fwmark_accept", HOST, 0, 0, "what answers a turned connection is not turned itself"},
	/* IPv4, interfaces. */
	{"ipv4/conf/%s/rp_filter", CONF, 1, 0, "a second net beneath the spoof rules"},
	{"ipv4/conf/%s/src_valid_mark", CONF, 0, 0, "the way back to a source is sought without marks"},
	{"ipv4/conf/%s/accept_redirects", CONF, 0, 0, "nobody moves our routes"},
	{"ipv4/conf/%s/secure_redirects", CONF, 0, 0, "not even a router"},
	{"ipv4/conf/%s/send_redirects", CONF, 0, 0, "the gate does not tell its neighbours of ways around it"},
	{"ipv4/conf/%s/accept_source_route", CONF, 0, 0, "the sender does not choose the way"},
	{"ipv4/conf/%s/accept_local", CONF, 0, 0, "nobody else has our addresses"},
	{"ipv4/conf/%s/route_localnet", CONF, 0, 0, "127/8 is not on the wire"},
	{"ipv4/conf/%s/bc_forwarding", CONF, 0, OPTIONAL, "directed broadcasts do not cross"},
	{"ipv4/conf/%s/proxy_arp", CONF, 0, 0, "the gate answers for itself only"},
	{"ipv4/conf/%s/proxy_arp_pvlan", CONF, 0, 0, "the gate answers for itself only"},
	{"ipv4/conf/%s/arp_accept", CONF, 0, 0, "an unasked answer makes no neighbour"},
	{"ipv4/conf/%s/arp_announce", CONF, 2, 0, "the address of the interface's own subnet"},
	{"ipv4/conf/%s/arp_filter", CONF, 1, 0, "each interface answers for its own subnet"},
	{"ipv4/conf/%s/arp_ignore", ALL | DEFAULT | EACH, 1, 0, "an address is answered only where it lives"},
	{"ipv4/conf/%s/arp_ignore", UNKNOWN, 8, 0, "nothing is answered where there is no segment"},
	{"ipv4/conf/%s/log_martians", CONF, 0, 0, "our own records say it, with limits"},
	{"ipv4/conf/%s/promote_secondaries", CONF, 1, 0, "one address removed does not take others along"},
	/* IPv6, the host. */
	{"ipv6/ip_nonlocal_bind", HOST, 0, 0, "the gate speaks as itself"},
	{"ipv6/fwmark_reflect", HOST, 0, 0, "marks are ours and stay inside"},
	{"ipv6/anycast_src_echo_reply", HOST, 0, 0, "the gate speaks as itself"},
	/* IPv6, interfaces. Never disable_ipv6: what such an interface drops would have no reason. */
	{"ipv6/conf/%s/disable_ipv6", EACH | UNKNOWN, 0, 0, "the rules see what arrives, and say why it is stopped"},
	{"ipv6/conf/%s/accept_ra", CONF, 0, 0, "nobody moves our routes"},
	{"ipv6/conf/%s/autoconf", CONF, 0, 0, "addresses come from the policy"},
	{"ipv6/conf/%s/accept_redirects", CONF, 0, 0, "nobody moves our routes"},
	{"ipv6/conf/%s/accept_source_route", CONF, -1, 0, "no routing header"},
	{"ipv6/conf/%s/accept_dad", CONF, 0, 0, "a neighbour cannot talk the gate out of its address"},
	{"ipv6/conf/%s/accept_untracked_na", CONF, 0, OPTIONAL, "an unasked answer makes no neighbour"},
	{"ipv6/conf/%s/router_solicitations", CONF, 0, 0, "a router does not ask for one"},
	{"ipv6/conf/%s/use_tempaddr", CONF, 0, 0, "addresses come from the policy"},
	{"ipv6/conf/%s/proxy_ndp", CONF, 0, 0, "the gate answers for itself only"},
	{"ipv6/conf/%s/keep_addr_on_down", CONF, 1, 0, "an unplugged cable does not take addresses away"},
	{"ipv6/conf/%s/addr_gen_mode", DEFAULT | UNKNOWN, 1, 0, "no address where there is no segment"},
	{"ipv6/conf/%s/addr_gen_mode", EACH, 0, 0, "a link-local address for neighbour discovery"},
};

/* Forwarding: last, and only for the policy's interfaces. */
static const struct row forwarding_rows[] = {
	{"ipv4/ip_forward", HOST, 1, OPEN, "on when the rules stand, off else"},
	{"ipv6/conf/all/forwarding", HOST, 1, OPEN, "on when the rules stand, off else"},
	{"ipv4/conf/%s/forwarding", EACH, 1, OPEN, "between segments"},
	{"ipv6/conf/%s/forwarding", EACH, 1, OPEN, "between segments"},
	{"ipv4/conf/%s/forwarding", DEFAULT | UNKNOWN, 0, 0, "an interface that nobody named forwards nothing"},
	{"ipv6/conf/%s/forwarding", DEFAULT | UNKNOWN, 0, 0, "an interface that nobody named forwards nothing"},
};

/* One pass over the rows. */
struct pass {
	struct net *n;
	bool open, check;
	unsigned wrong; /* settings that do not have their value */
	unsigned written;
	bool no_ipv6, no_conntrack;
};

static int read_value(const char *path, long *ret)
{
	char text[32], *end;
	int fd = open(path, O_RDONLY | O_CLOEXEC);

	if (fd < 0)
		return -errno;
	ssize_t n = read(fd, text, sizeof(text) - 1);
	int e = errno;
	close(fd);
	if (n <= 0)
		return n < 0 ? -e : -EIO;
	text[n] = '\0';
	errno = 0;
	long v = strtol(text, &end, 10);
	if (end == text || errno != 0 || (*end != '\n' && *end != '\0'))
		return -EINVAL;
	*ret = v;
	return 0;
}

static int write_value(const char *path, long value)
{
	char text[32];
	int n = snprintf(text, sizeof(text), "%ld\n", value), fd = open(path, O_WRONLY | O_CLOEXEC), e = 0;

	if (fd < 0)
		return -errno;
	if (write(fd, text, (size_t)n) != n)
		e = -errno;
	close(fd);
	return e;
}

static void say(struct pass *p, enum finding f, const char *name, const char *what)
{
	char text[200];

	snprintf(text, sizeof(text), "%s: %s", name, what);
	if (p->n->fn != NULL)
		p->n->fn(p->n->arg, f, text);
}

static bool good(const struct row *r, long want, long have)
{
	return (r->flags & AT_LEAST) != 0 ? have >= want : have == want;
}

/* Does the directory of this row's interface exist? */
static bool has_conf(const char *row_path, const char *iface)
{
	char path[sizeof(ROOT) + 64];

	snprintf(path, sizeof(path), ROOT "%.5sconf/%s", row_path, iface);
	return access(path, F_OK) == 0;
}

static void set_one(struct pass *p, const struct row *r, const char *iface)
{
	char name[128], path[sizeof(ROOT) + sizeof(name)], text[64];
	long want = (r->flags & OPEN) != 0 && !p->open ? 0 : r->value, have = 0;
	const char *at = strstr(r->path, "%s");

	if (at == NULL)
		snprintf(name, sizeof(name), "%s", r->path);
	else
		snprintf(name, sizeof(name), "%.*s%s%s", (int)(at - r->path), r->path, iface, at + 2);
	snprintf(path, sizeof(path), ROOT "%s", name);
	int e = read_value(path, &have);
	if (e == 0 && good(r, want, have))
		return;
	if (e == -ENOENT && (r->flags & OPTIONAL) != 0)
		return;
	long before = have;
	if (e == 0 && (e = write_value(path, want)) == 0) {
		p->written++;
		if (p->check) {
			snprintf(text, sizeof(text), "was %ld, is %ld", before, want);
			say(p, FINDING_SYSCTL_CHANGED, name, text);
		}
		e = read_value(path, &have);
	}
	if (e == 0 && good(r, want, have))
		return;
	/* An interface that went away between two looks is none of this row's business. */
	if (e == -ENOENT && at != NULL && !has_conf(r->path, iface))
		return;
	p->wrong++;
	if (e != 0)
		snprintf(text, sizeof(text), "%s", e == -ENOENT ? "this kernel does not have it" : strerror(-e));
	else
		snprintf(text, sizeof(text), "stays at %ld", have);
	say(p, FINDING_SYSCTL, name, text);
}

static bool is_segment(const struct net *n, const char *name)
{
	for (unsigned i = 0; i < n->want.nifaces; i++)
		if (n->want.ifaces[i].segment && strncmp(n->want.ifaces[i].name, name, LIMIT_IFNAME) == 0)
			return true;
	return false;
}

/* Was the interface there, by this number, when its settings were last made? */
static bool was_there(const struct net *n, const struct net_link *l)
{
	for (unsigned i = 0; i < n->settled_links.n; i++)
		if (n->settled_links.l[i].ifindex == l->ifindex && strcmp(n->settled_links.l[i].name, l->name) == 0)
			return true;
	return false;
}

static void set_row(struct pass *p, const struct row *r)
{
	bool check = p->check;

	if (r->scope == HOST) {
		set_one(p, r, "");
		return;
	}
	if ((r->scope & ALL) != 0)
		set_one(p, r, "all");
	if ((r->scope & DEFAULT) != 0)
		set_one(p, r, "default");
	for (unsigned i = 0; i < p->n->links.n; i++) {
		const struct net_link *l = &p->n->links.l[i];
		if (l->loopback || strchr(l->name, '/') != NULL)
			continue;
		if ((r->scope & (is_segment(p->n, l->name) ? EACH : UNKNOWN)) == 0)
			continue;
		p->check = check && was_there(p->n, l);
		set_one(p, r, l->name);
	}
	p->check = check;
}

/* A family or module that the kernel does not have at all is said once. */
static bool lacks(struct pass *p, const char *dir, const char *what)
{
	char path[64];

	snprintf(path, sizeof(path), ROOT "%s", dir);
	if (access(path, F_OK) == 0)
		return false;
	p->wrong++;
	say(p, FINDING_SYSCTL, dir, what);
	return true;
}

static void set_rows(struct pass *p, const struct row *r, size_t n)
{
	for (size_t i = 0; i < n; i++) {
		if ((p->no_ipv6 && strncmp(r[i].path, "ipv6/", 5) == 0) ||
			(p->no_conntrack && strncmp(r[i].path, "netfilter/", 10) == 0))
			continue;
		set_row(p, &r[i]);
	}
}

int net_settings(struct net *n, enum net_forwarding forwarding, bool check)
{
	bool known = n->settings_known && n->forwarding == forwarding;
	struct pass p = {.n = n, .open = forwarding == NET_FORWARDING_ON, .check = check && known};

	p.no_ipv6 = lacks(&p, "ipv6", "this kernel has no IPv6");
	p.no_conntrack = lacks(&p, "netfilter", "this kernel has no connection tracking");
	/* Off first: nothing is forwarded while the others change. */
	if (!p.open)
		set_rows(&p, forwarding_rows, sizeof(forwarding_rows) / sizeof(forwarding_rows[0]));
	p.written = 0;
	set_rows(&p, rows, sizeof(rows) / sizeof(rows[0]));
	if (p.open)
		set_rows(&p, forwarding_rows, sizeof(forwarding_rows) / sizeof(forwarding_rows[0]));
	if (p.written != 0) {
		struct pass again = {.n = n, .open = p.open, .no_ipv6 = p.no_ipv6, .no_conntrack = p.no_conntrack};
		net_finding_fn *fn = n->fn;
		n->fn = NULL; /* said already */
		set_rows(&again, rows, sizeof(rows) / sizeof(rows[0]));
		set_rows(&again, forwarding_rows, sizeof(forwarding_rows) / sizeof(forwarding_rows[0]));
		n->fn = fn;
	}
	n->settings_known = true;
	n->forwarding = forwarding;
	n->settled_links = n->links;
	return (int)p.wrong;
}

void net_forwarding_stop(struct net *n)
{
	write_value(ROOT "ipv4/ip_forward", 0);
	write_value(ROOT "ipv6/conf/all/forwarding", 0);
	n->forwarding = NET_FORWARDING_OFF;
}
