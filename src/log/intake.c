/*
 * intake.c: reads the NFLOG sockets (see intake.h).
 *
 * Input: datagrams from the kernel; one that does not come from the kernel itself is not read.
 * Limits: BATCH datagrams of at most DATAGRAM_MAX bytes under one lock (about a millisecond).
 */
#include "intake.h"

#include "heads.h"

#include <errno.h>
#include <linux/netlink.h>
#include <poll.h>
#include <pthread.h>
#include <stdatomic.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>

#include <sekisho/clock.h>

/* init sets the kernel's buffer to 64 KiB a datagram; 16 of 64 events each keep a turn near a millisecond. */
#define BATCH 16
#define DATAGRAM_MAX 65536

struct slot {
	int fd;
	pthread_mutex_t lock;
	struct agg *agg;
	struct heads heads;
	int64_t empty_ns;
	uint32_t sequence; /* the next one expected */
	bool sequence_known;
	struct nflog_counts counts;
	struct intake_troubles troubles;
	/* for the callback of one datagram */
	uint32_t generation;
	int64_t now_ns;
};

struct intake {
	unsigned n;
	struct slot *slots;
	_Atomic uint32_t generation;
	/* only the reading thread's */
	struct mmsghdr messages[BATCH];
	struct iovec iov[BATCH];
	struct sockaddr_storage from[BATCH];
	uint8_t *buffers;
};

static bool slot_init(struct slot *s, int fd)
{
	s->fd = fd;
	s->empty_ns = INT64_MIN;
	s->agg = agg_new();
	return pthread_mutex_init(&s->lock, NULL) == 0 && s->agg != NULL;
}

struct intake *intake_new(const int *fds, unsigned n)
{
	struct intake *in = calloc(1, sizeof(*in));

	if (in == NULL)
		return NULL;
	in->slots = calloc(n, sizeof(*in->slots));
	in->buffers = malloc((size_t)BATCH * DATAGRAM_MAX);
	bool ok = in->slots != NULL && in->buffers != NULL;
	for (; ok && in->n < n; in->n++)
		ok = slot_init(&in->slots[in->n], fds[in->n]);
	if (!ok) {
		intake_free(in);
		return NULL;
	}
	for (unsigned i = 0; i < BATCH; i++)
		in->iov[i] = (struct iovec){in->buffers + (size_t)i * DATAGRAM_MAX, DATAGRAM_MAX};
	return in;
}

void intake_free(struct intake *in)
{
	if (in == NULL)
		return;
	for (unsigned i = 0; i < in->n; i++) {
		agg_free(in->slots[i].agg);
		pthread_mutex_destroy(&in->slots[i].lock);
	}
	free(in->slots);
	free(in->buffers);
	free(in);
}

unsigned intake_heads(struct intake *in, struct buf *out)
{
	unsigned n = 0;

	heads_pcap_begin(out);
	for (unsigned i = 0; i < in->n; i++) {
		pthread_mutex_lock(&in->slots[i].lock);
		n += heads_pcap(&in->slots[i].heads, out);
		pthread_mutex_unlock(&in->slots[i].lock);
	}
	return n;
}

void intake_generation(struct intake *in, uint32_t generation)
{
	atomic_store(&in->generation, generation);
}

static void on_event(void *arg, const struct nflog_event *e)
{
	struct slot *s = arg;

	if (e->has_sequence) {
		/* A step back is a socket that was bound anew, no loss. */
		uint32_t gap = e->sequence - s->sequence;
		if (s->sequence_known && gap < UINT32_MAX / 2)
			s->troubles.gaps += gap;
		s->sequence = e->sequence + 1;
		s->sequence_known = true;
	}
	if (nflog_reason(e) == REASON_NONE)
		s->troubles.strange++;
	agg_add(s->agg, e, s->generation, s->now_ns);
	heads_add(&s->heads, e->time_ns != 0 ? e->time_ns : s->now_ns, e->packet, e->npacket, e->length);
}

/* Only the kernel speaks on these sockets. */
static bool from_kernel(const struct msghdr *m)
{
	const struct sockaddr_nl *nl = m->msg_name;

	return m->msg_namelen < sizeof(*nl) || nl->nl_family != AF_NETLINK || nl->nl_pid == 0;
}

static int receive(struct intake *in, struct slot *s)
{
	for (unsigned i = 0; i < BATCH; i++)
		in->messages[i].msg_hdr = (struct msghdr){.msg_name = &in->from[i], .msg_namelen = sizeof(in->from[i]),
			.msg_iov = &in->iov[i], .msg_iovlen = 1};
	int n = recvmmsg(s->fd, in->messages, BATCH, MSG_DONTWAIT, NULL);
	if (n < 0 && errno == ENOBUFS)
		s->troubles.overflows++;
	/* An overflow is told once, before what is still in the queue. */
	if (n < 0 && (errno == ENOBUFS || errno == EINTR))
		return BATCH;
	return n;
}

bool intake_read(struct intake *in, unsigned i)
{
	struct slot *s = &in->slots[i];

	pthread_mutex_lock(&s->lock);
	for (unsigned k = 0; k < BATCH; k++)
		in->messages[k].msg_len = 0;
	int n = receive(in, s);
	s->generation = atomic_load(&in->generation);
	s->now_ns = clock_wall_ns();
	for (int k = 0; k < n; k++) {
		const struct msghdr *m = &in->messages[k].msg_hdr;
		if (in->messages[k].msg_len == 0)
			continue;
		if (!from_kernel(m) || (m->msg_flags & MSG_TRUNC) != 0)
			s->counts.malformed++;
		if (from_kernel(m))
			nflog_decode(m->msg_iov->iov_base, in->messages[k].msg_len, on_event, s, &s->counts);
	}
	if (n < BATCH)
		s->empty_ns = clock_mono().ns;
	pthread_mutex_unlock(&s->lock);
	return n == BATCH;
}

void intake_take(struct intake *in, struct agg_batch *batch, bool close)
{
	for (unsigned i = 0; i < in->n; i++) {
		pthread_mutex_lock(&in->slots[i].lock);
		agg_take(in->slots[i].agg, batch, close);
		pthread_mutex_unlock(&in->slots[i].lock);
	}
}

size_t intake_room(const struct intake *in)
{
	return (size_t)in->n * AGG_MAX;
}

void intake_forget(struct intake *in)
{
	for (unsigned i = 0; i < in->n; i++) {
		pthread_mutex_lock(&in->slots[i].lock);
		agg_forget(in->slots[i].agg);
		pthread_mutex_unlock(&in->slots[i].lock);
	}
}

void intake_received(struct intake *in, uint64_t ret[REASON_END])
{
	memset(ret, 0, REASON_END * sizeof(ret[0]));
	for (unsigned i = 0; i < in->n; i++) {
		pthread_mutex_lock(&in->slots[i].lock);
		for (unsigned r = 0; r < REASON_END; r++)
			ret[r] += agg_received(in->slots[i].agg)[r];
		pthread_mutex_unlock(&in->slots[i].lock);
	}
}

int64_t intake_empty_ns(struct intake *in)
{
	int64_t oldest = INT64_MAX;

	for (unsigned i = 0; i < in->n; i++) {
		struct slot *s = &in->slots[i];
		struct pollfd p = {.fd = s->fd, .events = POLLIN};
		pthread_mutex_lock(&s->lock);
		/* Under the lock: whatever was read before is counted. */
		int64_t now = clock_mono().ns;
		if (poll(&p, 1, 0) == 0)
			s->empty_ns = now;
		if (s->empty_ns < oldest)
			oldest = s->empty_ns;
		pthread_mutex_unlock(&s->lock);
	}
	return oldest;
}

void intake_troubles(struct intake *in, struct intake_troubles *ret)
{
	*ret = (struct intake_troubles){0};
	for (unsigned i = 0; i < in->n; i++) {
		struct slot *s = &in->slots[i];
		pthread_mutex_lock(&s->lock);
		ret->gaps += s->troubles.gaps;
		ret->overflows += s->troubles.overflows;
		ret->malformed += s->counts.malformed;
		ret->strange += s->troubles.strange;
		pthread_mutex_unlock(&s->lock);
	}
}
