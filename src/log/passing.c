/*
 * passing.c: reads the kernel's events of connections that ended (see passing.h).
 *
 * Input: datagrams from the kernel; one that does not come from the kernel itself is not read. Addresses and ports in them were
 * chosen by hosts, so the hash is keyed.
 * Limits: BATCH datagrams of at most DATAGRAM_MAX bytes under one lock.
 * Failure: what the kernel had no room for is known by number: the socket counts it.
 */
#include "passing.h"

#include <errno.h>
#include <linux/netlink.h>
#include <linux/sock_diag.h>
#include <pthread.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>

#include <sekisho/clock.h>
#include <sekisho/strmap.h>

/* The kernel sends an event a datagram, of some 200 bytes. */
#define BATCH 64
#define DATAGRAM_MAX 4096
#define BUCKETS 8192

struct key {
	uint8_t src[16], dst[16];
	uint8_t family, proto;
	uint16_t dport;
};

struct passing {
	int fd;
	pthread_mutex_t lock;
	uint64_t hash_key[2];
	struct ct_counts counts;
	uint64_t lost;
	uint32_t drops; /* of the socket, as last seen */
	bool drops_known;
	int64_t now_ns;
	size_t n;
	uint32_t bucket[BUCKETS]; /* index + 1 */
	struct {
		struct passed row;
		uint32_t next;
	} pool[PASSING_MAX];
	struct passed rest;
	/* only the reading thread's */
	struct mmsghdr messages[BATCH];
	struct iovec iov[BATCH];
	struct sockaddr_nl from[BATCH];
	uint8_t buffers[BATCH][DATAGRAM_MAX];
};

struct passing *passing_new(int fd)
{
	struct passing *p = calloc(1, sizeof(*p));

	if (p == NULL)
		return NULL;
	p->fd = fd;
	memcpy(p->hash_key, siphash_key(), sizeof(p->hash_key));
	for (unsigned i = 0; i < BATCH; i++)
		p->iov[i] = (struct iovec){p->buffers[i], DATAGRAM_MAX};
	if (pthread_mutex_init(&p->lock, NULL) != 0) {
		free(p);
		return NULL;
	}
	return p;
}

void passing_free(struct passing *p)
{
	if (p == NULL)
		return;
	pthread_mutex_destroy(&p->lock);
	free(p);
}

/* -- Counting ------------------------------------------------------------------------------------------------ */

static void count(struct passed *row, const struct ct_event *e, int64_t now_ns)
{
	int64_t stop = e->stop_ns != 0 ? e->stop_ns : now_ns, start = e->start_ns != 0 ? e->start_ns : stop;

	if (row->connections == 0 || start < row->first_ns)
		row->first_ns = start;
	if (row->connections == 0 || stop > row->last_ns)
		row->last_ns = stop;
	row->connections++;
	for (unsigned way = 0; way < 2; way++) {
		row->packets[way] += e->packets[way];
		row->bytes[way] += e->bytes[way];
	}
}

static struct passed *place_of(struct passing *p, const struct ct_event *e)
{
	struct key k = {.family = e->family, .proto = e->proto, .dport = e->dport};

	memcpy(k.src, e->src, sizeof(k.src));
	memcpy(k.dst, e->dst, sizeof(k.dst));
	uint32_t b = (uint32_t)siphash(p->hash_key, &k, sizeof(k)) % BUCKETS;
	for (uint32_t i = p->bucket[b]; i != 0; i = p->pool[i - 1].next) {
		struct passed *row = &p->pool[i - 1].row;
		if (row->dport == k.dport && row->proto == k.proto && row->family == k.family &&
			memcmp(row->src, k.src, sizeof(k.src)) == 0 && memcmp(row->dst, k.dst, sizeof(k.dst)) == 0)
			return row;
	}
	if (p->n == PASSING_MAX)
		return &p->rest;
	p->pool[p->n].next = p->bucket[b];
	struct passed *row = &p->pool[p->n++].row;
	p->bucket[b] = (uint32_t)p->n;
	*row = (struct passed){.family = k.family, .proto = k.proto, .dport = k.dport, .mark = e->mark};
	memcpy(row->src, k.src, sizeof(k.src));
	memcpy(row->dst, k.dst, sizeof(k.dst));
	return row;
}

void passing_add(struct passing *p, const struct ct_event *e, int64_t now_ns)
{
	if (ct_event_passed(e))
		count(place_of(p, e), e, now_ns);
}

static void on_event(void *arg, const struct ct_event *e)
{
	struct passing *p = arg;

	passing_add(p, e, p->now_ns);
}

/* -- Reading ------------------------------------------------------------------------------------------------- */

/* The kernel counts, per socket, what it could not deliver. */
static void look_at_drops(struct passing *p)
{
	uint32_t info[SK_MEMINFO_VARS] = {0};
	socklen_t n = sizeof(info);

	if (getsockopt(p->fd, SOL_SOCKET, SO_MEMINFO, info, &n) != 0 || n <= SK_MEMINFO_DROPS * sizeof(info[0]))
		return;
	if (p->drops_known)
		p->lost += info[SK_MEMINFO_DROPS] - p->drops;
	p->drops = info[SK_MEMINFO_DROPS];
	p->drops_known = true;
}

static int receive(struct passing *p)
{
	for (unsigned i = 0; i < BATCH; i++) {
		p->messages[i].msg_len = 0;
		p->messages[i].msg_hdr = (struct msghdr){.msg_name = &p->from[i], .msg_namelen = sizeof(p->from[i]),
			.msg_iov = &p->iov[i], .msg_iovlen = 1};
	}
	int n = recvmmsg(p->fd, p->messages, BATCH, MSG_DONTWAIT, NULL);
	/* An overflow is told once, before what is still in the queue. */
	return n < 0 && (errno == ENOBUFS || errno == EINTR) ? BATCH : n;
}

bool passing_read(struct passing *p)
{
	pthread_mutex_lock(&p->lock);
	int n = receive(p);
	p->now_ns = clock_wall_ns();
	for (int i = 0; i < n; i++) {
		const struct msghdr *m = &p->messages[i].msg_hdr;
		if (p->messages[i].msg_len == 0 || m->msg_namelen < sizeof(p->from[i]) || p->from[i].nl_pid != 0)
			continue;
		if ((m->msg_flags & MSG_TRUNC) != 0)
			p->counts.malformed++;
		else
			ct_event_decode(p->buffers[i], p->messages[i].msg_len, on_event, p, &p->counts);
	}
	pthread_mutex_unlock(&p->lock);
	return n == BATCH;
}

size_t passing_take(struct passing *p, struct passed *ret)
{
	pthread_mutex_lock(&p->lock);
	size_t n = p->n;
	for (size_t i = 0; i < n; i++)
		ret[i] = p->pool[i].row;
	if (p->rest.connections != 0)
		ret[n++] = p->rest;
	p->n = 0;
	p->rest = (struct passed){0};
	if (n != 0)
		memset(p->bucket, 0, sizeof(p->bucket));
	pthread_mutex_unlock(&p->lock);
	return n;
}

void passing_troubles(struct passing *p, struct passing_troubles *ret)
{
	pthread_mutex_lock(&p->lock);
	look_at_drops(p);
	*ret = (struct passing_troubles){p->lost, p->counts.malformed};
	pthread_mutex_unlock(&p->lock);
}
