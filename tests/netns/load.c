/*
 * load.c: sends many packets and says what each cost: for tools/bench and the flood tests.
 *
 *   load raw  --dev IF --smac M --dmac M --src A[/LEN] --dst A --dport P[-Q] [--sport P[-Q]] [--tcp]
 *   load udp  --dst A --dport P --flows N [--sport P]
 *   both:     --count N | --seconds S   [--rate PPS] [--size BYTES] [--cpu N] [--until FILE]
 *
 * raw writes whole frames to an interface (source addresses at random within the prefix, ports in turn);
 * udp sends through N connected sockets (ports P, P+1, …) with a system call each, as programs do. Sending
 * ends early once the file of --until exists. On veth the forwarding of a packet runs in the sender's own
 * system call or in ksoftirqd, so the CPU of both, divided by the packets, is the cost of a packet on its
 * whole way. Kernels that book softirq time apart (CONFIG_IRQ_TIME_ACCOUNTING) would hide it: then a third
 * figure, the machine's softirq time, tells.
 *
 * Prints one line of JSON: packets, seconds, cpu_us (this process), ksoftirqd_us, softirq_us (machine, by ticks).
 * Input: its options only. Ends with 2 on wrong ones, 3 when a socket or a send fails for good.
 */
#include <arpa/inet.h>
#include <dirent.h>
#include <errno.h>
#include <getopt.h>
#include <net/if.h>
#include <netinet/in.h>
#include <linux/if_ether.h>
#include <linux/if_packet.h>
#include <sched.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <time.h>
#include <unistd.h>

#define BATCH 64
#define FRAME_MAX 1600
#define FLOWS_MAX 4096

struct options {
	const char *dev, *until;
	uint8_t smac[6], dmac[6];
	uint8_t src[16], dst[16];
	int family, src_len;
	uint16_t sport_lo, sport_hi, dport_lo, dport_hi;
	uint64_t count;
	double seconds, rate;
	unsigned size, flows;
	int cpu;
	bool tcp;
};

/* A frame with what changes from packet to packet, and the sums of all that doesn't. */
struct maker {
	uint8_t frame[BATCH][FRAME_MAX];
	unsigned size, l3, l4;
	uint32_t ip_sum, l4_sum; /* without the variable words */
	uint64_t random;
	uint16_t sport, dport;
	uint16_t ident;
};

struct usage {
	uint64_t self_us, ksoftirqd_us, softirq_us;
	struct timespec at;
};

static void die(const char *what)
{
	fprintf(stderr, "load: %s: %s\n", what, strerror(errno));
	exit(3);
}

static void usage_error(const char *what)
{
	fprintf(stderr, "load: %s (see the head of tests/netns/load.c)\n", what);
	exit(2);
}

/* -- what it cost ----------------------------------------------------------------------------------------- */

/* CPU of one process in microseconds, from the scheduler's exact counter. */
static uint64_t process_us(const char *pid)
{
	char path[64];
	unsigned long long ns = 0;
	snprintf(path, sizeof(path), "/proc/%.20s/schedstat", pid);
	FILE *f = fopen(path, "r");
	if (f == NULL)
		return 0;
	if (fscanf(f, "%llu", &ns) != 1)
		ns = 0;
	fclose(f);
	return ns / 1000;
}

static bool is_ksoftirqd(const char *pid)
{
	char path[64], name[32] = "";
	snprintf(path, sizeof(path), "/proc/%.20s/comm", pid);
	FILE *f = fopen(path, "r");
	if (f == NULL)
		return false;
	if (fgets(name, sizeof(name), f) == NULL)
		name[0] = '\0';
	fclose(f);
	return strncmp(name, "ksoftirqd", 9) == 0;
}

static uint64_t ksoftirqd_us(void)
{
	uint64_t sum = 0;
	DIR *d = opendir("/proc");
	if (d == NULL)
		return 0;
	for (struct dirent *e = readdir(d); e != NULL; e = readdir(d))
		if (e->d_name[0] >= '1' && e->d_name[0] <= '9' && is_ksoftirqd(e->d_name))
			sum += process_us(e->d_name);
	closedir(d);
	return sum;
}

static uint64_t softirq_us(void)
{
	unsigned long long v[7] = {0};
	FILE *f = fopen("/proc/stat", "r");
	if (f == NULL)
		return 0;
	if (fscanf(f, "cpu %llu %llu %llu %llu %llu %llu %llu", &v[0], &v[1], &v[2], &v[3], &v[4], &v[5], &v[6]) != 7)
		v[6] = 0;
	fclose(f);
	return v[6] * 1000000 / (uint64_t)sysconf(_SC_CLK_TCK);
}

static struct usage usage_now(void)
{
	struct usage u;
	struct rusage r;
	getrusage(RUSAGE_SELF, &r);
	u.self_us = (uint64_t)(r.ru_utime.tv_sec + r.ru_stime.tv_sec) * 1000000 +
		(uint64_t)(r.ru_utime.tv_usec + r.ru_stime.tv_usec);
	u.ksoftirqd_us = ksoftirqd_us();
	u.softirq_us = softirq_us();
	clock_gettime(CLOCK_MONOTONIC, &u.at);
	return u;
}

static double seconds_between(struct timespec a, struct timespec b)
{
	return (double)(b.tv_sec - a.tv_sec) + (double)(b.tv_nsec - a.tv_nsec) / 1e9;
}

static void usage_print(const struct usage *a, const struct usage *b, uint64_t packets, uint64_t refused)
{
	printf("{\"packets\":%llu,\"refused\":%llu,\"seconds\":%.6f,\"cpu_us\":%llu,\"ksoftirqd_us\":%llu,"
	       "\"softirq_us\":%llu}\n",
		(unsigned long long)packets, (unsigned long long)refused, seconds_between(a->at, b->at),
		(unsigned long long)(b->self_us - a->self_us),
		(unsigned long long)(b->ksoftirqd_us - a->ksoftirqd_us),
		(unsigned long long)(b->softirq_us - a->softirq_us));
}

/* -- frames ----------------------------------------------------------------------------------------------- */

static uint32_t sum_words(const uint8_t *p, size_t n)
{
	uint32_t sum = 0;
	for (size_t i = 0; i + 1 < n; i += 2)
		sum += (uint32_t)(p[i] << 8 | p[i + 1]);
	if (n & 1)
		sum += (uint32_t)(p[n - 1] << 8);
	return sum;
}

static uint16_t fold(uint32_t sum)
{
	while (sum >> 16)
		sum = (sum & 0xffff) + (sum >> 16);
	return (uint16_t)~sum;
}

static void put16(uint8_t *p, unsigned v)
{
	p[0] = (uint8_t)(v >> 8);
	p[1] = (uint8_t)v;
}

static uint64_t next_random(uint64_t *state)
{
	*state ^= *state << 13;
	*state ^= *state >> 7;
	*state ^= *state << 17;
	return *state;
}

static unsigned write_ip(const struct options *o, uint8_t *p, unsigned l4_size)
{
	unsigned proto = o->tcp ? IPPROTO_TCP : IPPROTO_UDP;
	if (o->family == AF_INET) {
		p[0] = 0x45;
		put16(p + 2, 20 + l4_size);
		p[8] = 64;
		p[9] = (uint8_t)proto;
		memcpy(p + 12, o->src, 4);
		memcpy(p + 16, o->dst, 4);
		return 20;
	}
	p[0] = 0x60;
	put16(p + 4, l4_size);
	p[6] = (uint8_t)proto;
	p[7] = 64;
	memcpy(p + 8, o->src, 16);
	memcpy(p + 24, o->dst, 16);
	return 40;
}

static void maker_init(struct maker *m, const struct options *o)
{
	uint8_t *p = m->frame[0];
	unsigned head = o->tcp ? 20 : 8, ip_size = o->family == AF_INET ? 20 : 40;
	unsigned l4_size = o->size > 14 + ip_size + head ? o->size - 14 - ip_size : head;
	memcpy(p, o->dmac, 6);
	memcpy(p + 6, o->smac, 6);
	put16(p + 12, o->family == AF_INET ? ETH_P_IP : ETH_P_IPV6);
	m->l3 = 14;
	m->l4 = m->l3 + write_ip(o, p + m->l3, l4_size);
	m->size = m->l4 + l4_size;
	put16(p + m->l4 + 2, 0);
	if (o->tcp) {
		put16(p + m->l4 + 4, 1); /* sequence */
		p[m->l4 + 12] = 5 << 4;
		p[m->l4 + 13] = 2; /* SYN */
		put16(p + m->l4 + 14, 8192);
	} else {
		put16(p + m->l4 + 4, l4_size);
	}
	m->ip_sum = o->family == AF_INET ? sum_words(p + m->l3, 20) : 0;
	unsigned addr_at = o->family == AF_INET ? m->l3 + 12 : m->l3 + 8, addr_n = o->family == AF_INET ? 8 : 32;
	m->l4_sum = sum_words(p + m->l4, l4_size) + sum_words(p + addr_at, addr_n) + l4_size +
		(o->tcp ? IPPROTO_TCP : IPPROTO_UDP);
	/* The last four bytes of the source may change: their words are added per packet. */
	unsigned last = o->family == AF_INET ? m->l3 + 12 : m->l3 + 20;
	uint32_t words = sum_words(p + last, 4);
	m->l4_sum -= words;
	if (o->family == AF_INET)
		m->ip_sum -= words;
	for (unsigned i = 1; i < BATCH; i++)
		memcpy(m->frame[i], p, m->size);
	m->random = 0x9e3779b97f4a7c15u;
	m->sport = o->sport_lo;
	m->dport = o->dport_lo;
}

/* Fills the i-th frame of the batch with the next source, ports and checksums. */
static void maker_next(struct maker *m, const struct options *o, unsigned i)
{
	uint8_t *p = m->frame[i];
	unsigned bits = (o->family == AF_INET ? 32u : 128u) - (unsigned)o->src_len;
	uint8_t *last = p + (o->family == AF_INET ? m->l3 + 12 : m->l3 + 20);
	if (bits > 0) {
		uint32_t mask = bits >= 32 ? UINT32_MAX : (1u << bits) - 1, base, v;
		memcpy(&base, o->src + (o->family == AF_INET ? 0 : 12), 4);
		v = htonl((ntohl(base) & ~mask) | ((uint32_t)next_random(&m->random) & mask));
		memcpy(last, &v, 4);
	}
	put16(p + m->l4, m->sport);
	put16(p + m->l4 + 2, m->dport);
	uint32_t source = sum_words(last, 4), l4 = m->l4_sum + source + m->sport + m->dport;
	put16(p + m->l4 + (o->tcp ? 16 : 6), fold(l4) == 0 ? 0xffff : fold(l4));
	if (o->family == AF_INET) {
		put16(p + m->l3 + 4, ++m->ident);
		put16(p + m->l3 + 10, fold(m->ip_sum + source + m->ident));
	}
	m->sport = m->sport >= o->sport_hi ? o->sport_lo : (uint16_t)(m->sport + 1);
	if (m->sport == o->sport_lo)
		m->dport = m->dport >= o->dport_hi ? o->dport_lo : (uint16_t)(m->dport + 1);
}

/* -- sending ---------------------------------------------------------------------------------------------- */

/* Packets to send now under the rate; sleeps a little when that is none. */
static unsigned allowance(const struct options *o, uint64_t sent, struct timespec start)
{
	uint64_t left = o->count > 0 ? o->count - sent : BATCH;
	unsigned n = left < BATCH ? (unsigned)left : BATCH;
	if (o->rate <= 0)
		return n;
	struct timespec now;
	clock_gettime(CLOCK_MONOTONIC, &now);
	double due = seconds_between(start, now) * o->rate - (double)sent;
	if (due >= 1)
		return due < n ? (unsigned)due : n;
	double wait = (1 - due) / o->rate * 1e9;
	nanosleep(&(struct timespec){0, wait < 200000 ? 200000 : wait > 10000000 ? 10000000 : (long)wait}, NULL);
	return 0;
}

static bool finished(const struct options *o, uint64_t sent, struct timespec start)
{
	if (o->count > 0 && sent >= o->count)
		return true;
	if (o->seconds <= 0)
		return false;
	struct timespec now;
	clock_gettime(CLOCK_MONOTONIC, &now);
	double passed = seconds_between(start, now);
	static double asked;
	if (o->until != NULL && passed - asked >= 0.05) {
		asked = passed;
		if (access(o->until, F_OK) == 0)
			return true;
	}
	return passed >= o->seconds;
}

/* Sends n prepared messages; a full queue counts as refused and is not tried again. */
static unsigned send_batch(int fd, struct mmsghdr *v, unsigned n, uint64_t *refused)
{
	unsigned sent = 0;
	while (sent < n) {
		int r = sendmmsg(fd, v + sent, n - sent, 0);
		if (r > 0) {
			sent += (unsigned)r;
			continue;
		}
		/* ECONNREFUSED, EPERM: what an earlier packet met on its way; this one was not sent. */
		if (errno != ENOBUFS && errno != EAGAIN && errno != EINTR && errno != ECONNREFUSED && errno != EPERM &&
			errno != EHOSTUNREACH)
			die("sendmmsg");
		(*refused)++;
		sent++;
	}
	return sent;
}

static int raw_socket(const struct options *o)
{
	int fd = socket(AF_PACKET, SOCK_RAW, 0), one = 1;
	struct sockaddr_ll ll = {.sll_family = AF_PACKET, .sll_ifindex = (int)if_nametoindex(o->dev)};
	if (fd < 0 || ll.sll_ifindex == 0 || bind(fd, (struct sockaddr *)&ll, sizeof(ll)) != 0)
		die(o->dev);
	setsockopt(fd, SOL_PACKET, PACKET_QDISC_BYPASS, &one, sizeof(one));
	return fd;
}

static uint64_t run_raw(const struct options *o, struct timespec start, uint64_t *refused)
{
	static struct maker m;
	struct mmsghdr v[BATCH];
	struct iovec iov[BATCH];
	uint64_t sent = 0;
	int fd = raw_socket(o);
	maker_init(&m, o);
	memset(v, 0, sizeof(v));
	for (unsigned i = 0; i < BATCH; i++) {
		iov[i] = (struct iovec){m.frame[i], m.size};
		v[i].msg_hdr.msg_iov = &iov[i];
		v[i].msg_hdr.msg_iovlen = 1;
	}
	while (!finished(o, sent, start)) {
		unsigned n = allowance(o, sent, start);
		for (unsigned i = 0; i < n; i++)
			maker_next(&m, o, i);
		sent += send_batch(fd, v, n, refused);
	}
	close(fd);
	return sent;
}

static int udp_socket(const struct options *o, unsigned i)
{
	struct sockaddr_in from4 = {.sin_family = AF_INET, .sin_port = htons((uint16_t)(o->sport_lo + i))};
	struct sockaddr_in6 from6 = {.sin6_family = AF_INET6, .sin6_port = htons((uint16_t)(o->sport_lo + i))};
	struct sockaddr_in to4 = {.sin_family = AF_INET, .sin_port = htons(o->dport_lo)};
	struct sockaddr_in6 to6 = {.sin6_family = AF_INET6, .sin6_port = htons(o->dport_lo)};
	bool four = o->family == AF_INET;
	const struct sockaddr *from = four ? (const struct sockaddr *)&from4 : (const struct sockaddr *)&from6;
	const struct sockaddr *to = four ? (const struct sockaddr *)&to4 : (const struct sockaddr *)&to6;
	socklen_t n = four ? sizeof(to4) : sizeof(to6);
	int fd = socket(o->family, SOCK_DGRAM, 0), big = 4 << 20, on = 1;

	memcpy(&to4.sin_addr, o->dst, 4);
	memcpy(&to6.sin6_addr, o->dst, 16);
	if (fd < 0)
		die("socket");
	setsockopt(fd, SOL_SOCKET, SO_SNDBUFFORCE, &big, sizeof(big));
	setsockopt(fd, SOL_SOCKET, SO_REUSEADDR, &on, sizeof(on));
	if (bind(fd, from, n) != 0 || connect(fd, to, n) != 0)
		die("connect");
	return fd;
}

/* One packet as programs send it: a system call each. */
static bool send_one(int fd, const uint8_t *payload, size_t n)
{
	if (send(fd, payload, n, 0) >= 0)
		return true;
	if (errno != ENOBUFS && errno != EAGAIN && errno != EINTR && errno != ECONNREFUSED && errno != EPERM &&
		errno != EHOSTUNREACH)
		die("send");
	return false;
}

static uint64_t run_udp(const struct options *o, struct timespec start, uint64_t *refused)
{
	static int fds[FLOWS_MAX];
	static uint8_t payload[FRAME_MAX];
	size_t size = o->size > 42 ? o->size - 42 : 18;
	uint64_t sent = 0;

	for (unsigned i = 0; i < o->flows; i++)
		fds[i] = udp_socket(o, i);
	while (!finished(o, sent, start)) {
		unsigned n = allowance(o, sent, start);
		for (unsigned i = 0; i < n; i++)
			*refused += !send_one(fds[(sent + i) % o->flows], payload, size);
		sent += n;
	}
	for (unsigned i = 0; i < o->flows; i++)
		close(fds[i]);
	return sent;
}

/* -- options ---------------------------------------------------------------------------------------------- */

static void parse_mac(const char *text, uint8_t ret[6])
{
	unsigned v[6];
	if (sscanf(text, "%2x:%2x:%2x:%2x:%2x:%2x", &v[0], &v[1], &v[2], &v[3], &v[4], &v[5]) != 6)
		usage_error("not a MAC address");
	for (unsigned i = 0; i < 6; i++)
		ret[i] = (uint8_t)v[i];
}

/* Address with an optional length; the family must be the same for all. */
static int parse_address(struct options *o, const char *text, uint8_t ret[16])
{
	char copy[64];
	snprintf(copy, sizeof(copy), "%s", text);
	char *slash = strchr(copy, '/');
	if (slash != NULL)
		*slash = '\0';
	int family = strchr(copy, ':') != NULL ? AF_INET6 : AF_INET;
	if ((o->family != 0 && o->family != family) || inet_pton(family, copy, ret) != 1)
		usage_error("addresses: of one family, please");
	o->family = family;
	return slash != NULL ? atoi(slash + 1) : (family == AF_INET ? 32 : 128);
}

static void parse_ports(const char *text, uint16_t *lo, uint16_t *hi)
{
	unsigned a, b;
	int n = sscanf(text, "%u-%u", &a, &b);
	if (n < 1 || a > 65535 || (n == 2 && (b > 65535 || b < a)))
		usage_error("not a port or a range of ports");
	*lo = (uint16_t)a;
	*hi = (uint16_t)(n == 2 ? b : a);
}

static void parse_options(struct options *o, int argc, char **argv)
{
	static const struct option words[] = {{"dev", 1, 0, 'i'}, {"smac", 1, 0, 'm'}, {"dmac", 1, 0, 'M'},
		{"src", 1, 0, 's'}, {"dst", 1, 0, 'd'}, {"sport", 1, 0, 'p'}, {"dport", 1, 0, 'P'},
		{"count", 1, 0, 'n'}, {"seconds", 1, 0, 't'}, {"rate", 1, 0, 'r'}, {"size", 1, 0, 'z'},
		{"flows", 1, 0, 'f'}, {"cpu", 1, 0, 'c'}, {"until", 1, 0, 'u'},
		{"tcp", 0, 0, 'T'}, {0, 0, 0, 0}};
	int c;
	while ((c = getopt_long(argc, argv, "", words, NULL)) != -1) {
		switch (c) {
		case 'i': o->dev = optarg; break;
		case 'm': parse_mac(optarg, o->smac); break;
		case 'M': parse_mac(optarg, o->dmac); break;
		case 's': o->src_len = parse_address(o, optarg, o->src); break;
		case 'd': parse_address(o, optarg, o->dst); break;
		case 'p': parse_ports(optarg, &o->sport_lo, &o->sport_hi); break;
		case 'P': parse_ports(optarg, &o->dport_lo, &o->dport_hi); break;
		case 'n': o->count = strtoull(optarg, NULL, 10); break;
		case 't': o->seconds = atof(optarg); break;
		case 'r': o->rate = atof(optarg); break;
		case 'z': o->size = (unsigned)atoi(optarg); break;
		case 'f': o->flows = (unsigned)atoi(optarg); break;
		case 'c': o->cpu = atoi(optarg); break;
		case 'u': o->until = optarg; break;
		case 'T': o->tcp = true; break;
		default: exit(2);
		}
	}
	if (o->family == 0 || (o->count == 0 && o->seconds <= 0) || o->dport_lo == 0 || o->size > FRAME_MAX - 64 ||
		o->flows == 0 || o->flows > FLOWS_MAX)
		usage_error("--dst, --dport, and --count or --seconds are needed");
}

int main(int argc, char **argv)
{
	struct options o = {.sport_lo = 20000, .sport_hi = 20000, .size = 60, .flows = 1, .cpu = -1};
	if (argc < 2 || (strcmp(argv[1], "raw") != 0 && strcmp(argv[1], "udp") != 0))
		usage_error("raw or udp?");
	bool raw = strcmp(argv[1], "raw") == 0;
	parse_options(&o, argc - 1, argv + 1);
	if (raw && (o.dev == NULL || o.src_len == 0))
		usage_error("raw needs --dev and --src");
	if (o.cpu >= 0) {
		cpu_set_t set;
		CPU_ZERO(&set);
		CPU_SET(o.cpu, &set);
		sched_setaffinity(0, sizeof(set), &set);
	}
	uint64_t refused = 0;
	struct usage before = usage_now();
	uint64_t sent = (raw ? run_raw : run_udp)(&o, before.at, &refused);
	struct usage after = usage_now();
	usage_print(&before, &after, sent - refused, refused);
	return 0;
}
