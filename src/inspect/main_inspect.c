/*
 * main_inspect.c: sekisho-inspect: verifies the applications of flows, packet by packet, as the kernel queues them.
 *
 *	kernel --packets--> queue sockets (one for each segment that packets come from) --> inspector_packet()
 *	sekishod --MSG_QUEUES, LINKS, GENERATION, ENFORCED--> here --MSG_VERDICTS, PINHOLE, INSPECT_STATUS--> sekishod
 *
 * Input and trust: packets of the network (hostile), read in place by the core; messages of sekishod (checked by
 * msg_recv()). Nothing here can speak to the kernel: whatever happens in this process, a packet goes on only by a
 * verdict that sekishod gives.
 *
 * Fair: each turn of the loop reads one batch of each queue that has something. The verdicts of a turn go in one message:
 * each message wakes sekishod, which costs more than all verdicts in it. So what came to the queues while the turn was worked
 * on is judged with it. While sekishod does not take them (a long commit) nothing more is read: packets wait in the kernel.
 *
 * Limits: FLOWS connections at once, their beginnings in a fixed pool; a batch of BATCH packets. Failure: a queue that
 * cannot be read, memory at the start: the process ends, and is started again with new queues.
 */
#include <errno.h>
#include <linux/netlink.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/random.h>
#include <sys/socket.h>
#include <unistd.h>

#include <sekisho/clock.h>
#include <sekisho/daemon.h>
#include <sekisho/inspect.h>
#include <sekisho/loop.h>

#include "policies.h"
#include "queue.h"

/*
 * 16 MiB of flows and up to 32 MiB of bytes of undecided and watched ones (pages are taken as they are needed; a watched
 * download holds what is in flight): a board of 1 GiB has that, and a town has a tenth of these connections.
 */
#define FLOWS (128u * 1024)
#define PREFIX_BYTES (32u << 20)
#define BATCH 32
/* The kernel copies at most 65 531 bytes of a packet; what it says beside is some hundred. */
#define DATAGRAM_MAX (66 * 1024)
#define STATUS_MS 500
#define TICK_MS 1000
#define MESSAGES_A_TURN 16
#define LINK_RAW 12 /* DLT_RAW */

_Static_assert(BATCH <= MSG_VERDICTS_MAX, "the verdicts of a batch go in one message");
_Static_assert((int)WHY_END <= MSG_WHYS, "every why has its place in the status");

struct service {
	struct daemon *d;
	struct inspector *inspector;
	struct policies *policies;
	uint64_t epoch; /* 0: no queues yet */
	int queue[LIMIT_SEGMENTS];
	bool paused; /* sekishod does not take verdicts: `out` waits */
	struct msg_verdicts out;
	uint32_t read; /* queues that had packets in this turn: a bit each */
	struct queue_counts counts;
	uint64_t pinholes_lost;
	/* of the packet that is being judged */
	int64_t now;
	unsigned segment;
	uint32_t mark;
	/* receiving */
	struct mmsghdr messages[BATCH];
	struct iovec iov[BATCH];
	struct sockaddr_storage from[BATCH];
	uint8_t buffers[BATCH][DATAGRAM_MAX];
};

/* -- Verdicts -------------------------------------------------------------------------------------------- */

static void listen_to_queues(struct service *s, bool on)
{
	for (unsigned i = 0; i < LIMIT_SEGMENTS; i++)
		if (s->queue[i] >= 0)
			loop_mod_fd(s->d->loop, s->queue[i], on ? EPOLLIN : 0);
	loop_mod_fd(s->d->loop, DAEMON_FD_GATE, on ? EPOLLIN : EPOLLIN | EPOLLOUT);
	s->paused = !on;
}

/* False: sekishod takes none now; reading stops until it does. */
static bool flush(struct service *s)
{
	if (s->out.n == 0)
		return true;
	s->out.epoch = s->epoch;
	int r = msg_send(DAEMON_FD_GATE, MSG_VERDICTS, 0, &s->out, NULL, 0);
	if (r == -EAGAIN) {
		if (!s->paused)
			listen_to_queues(s, false);
		return false;
	}
	s->out.n = 0;
	if (s->paused)
		listen_to_queues(s, true);
	return true;
}

static void answer(struct service *s, uint32_t id, struct inspect_verdict v)
{
	bool refused = v.code == INSPECT_REFUSE || v.code == INSPECT_DROP;

	s->out.verdict[s->out.n++] = (struct msg_verdict){.id = id, .queue = (uint8_t)s->segment, .code = (uint8_t)v.code,
		.why = (uint8_t)(refused ? v.why : WHY_NONE), .seen = (uint8_t)(refused ? v.seen : APP_NONE)};
}

static struct inspect_verdict judge(struct service *s, const struct queue_packet *q)
{
	struct packet p;

	/* Its rules are not here yet, or not any more: sent again it comes under others. */
	if (!policies_known(s->policies, q->mark))
		return (struct inspect_verdict){INSPECT_DROP, WHY_NO_POLICY, APP_NONE};
	packet_decode(&p, LINK_RAW, q->bytes, q->n, q->n_wire, q->checksum_open ? PACKET_SKIP_CHECKSUM : 0);
	if (p.kind == PACKET_OTHER)
		return (struct inspect_verdict){INSPECT_DROP, p.why != WHY_NONE ? p.why : WHY_HEADER, APP_NONE};
	p.at = s->now;
	p.zone = policies_zone(s->policies, q->in, q->out);
	s->mark = q->mark;
	return inspector_packet(s->inspector, &p);
}

static void on_packet(void *arg, const struct queue_packet *q)
{
	struct service *s = arg;

	/* The kernel sends one packet a datagram: a batch always fits. */
	if (s->out.n < MSG_VERDICTS_MAX)
		answer(s, q->id, judge(s, q));
}

/* -- Queues ---------------------------------------------------------------------------------------------- */

/* Only the kernel speaks on these sockets. */
static bool from_kernel(const struct msghdr *m)
{
	const struct sockaddr_nl *nl = m->msg_name;

	return m->msg_namelen >= sizeof(*nl) && nl->nl_family == AF_NETLINK && nl->nl_pid == 0;
}

static int receive(struct service *s, int fd)
{
	for (unsigned i = 0; i < BATCH; i++)
		s->messages[i].msg_hdr = (struct msghdr){.msg_name = &s->from[i], .msg_namelen = sizeof(s->from[i]),
			.msg_iov = &s->iov[i], .msg_iovlen = 1};
	int n = recvmmsg(fd, s->messages, BATCH, MSG_DONTWAIT, NULL);
	return n < 0 ? -errno : n;
}

/* One batch of a queue, where there is room for its verdicts: how many packets it had. */
static int read_queue(struct service *s, unsigned segment)
{
	if (s->paused || (s->out.n > MSG_VERDICTS_MAX - BATCH && !flush(s)))
		return 0;
	int n = receive(s, s->queue[segment]);
	if (n < 0 && n != -EAGAIN && n != -EINTR && n != -ENOBUFS) {
		daemon_log("queue %u: %s", DAEMON_QUEUE + segment, strerror(-n));
		loop_stop(s->d->loop, 3);
		return 0;
	}
	if (n > 0)
		s->now = clock_mono().ns;
	s->segment = segment;
	for (int i = 0; i < n; i++) {
		const struct msghdr *m = &s->messages[i].msg_hdr;
		if (!from_kernel(m) || (m->msg_flags & MSG_TRUNC) != 0)
			s->counts.malformed++;
		else
			queue_decode(m->msg_iov->iov_base, s->messages[i].msg_len, on_packet, s, &s->counts);
	}
	return n;
}

static void on_queue(void *arg, int fd, uint32_t events)
{
	struct service *s = arg;
	unsigned segment = 0;

	(void)events;
	while (segment < LIMIT_SEGMENTS && s->queue[segment] != fd)
		segment++;
	if (segment < LIMIT_SEGMENTS && read_queue(s, segment) > 0)
		s->read |= 1u << segment;
}

/* Once more the queues of this turn, then all that was said. */
static void on_turn(void *arg)
{
	struct service *s = arg;

	for (unsigned i = 0; i < LIMIT_SEGMENTS; i++)
		if ((s->read & 1u << i) != 0 && s->queue[i] >= 0)
			read_queue(s, i);
	s->read = 0;
	if (!s->paused)
		flush(s);
}

static void close_queues(struct service *s)
{
	for (unsigned i = 0; i < LIMIT_SEGMENTS; i++) {
		if (s->queue[i] < 0)
			continue;
		loop_del_fd(s->d->loop, s->queue[i]);
		close(s->queue[i]);
		s->queue[i] = -1;
	}
}

static bool take_queues(struct service *s, struct msg *m)
{
	close_queues(s);
	s->epoch = m->u.msg_queues.epoch;
	s->out.n = 0; /* for packets of queues that are gone */
	for (unsigned i = 0; i < LIMIT_SEGMENTS; i++) {
		if (loop_add_fd(s->d->loop, m->fds[i], s->paused ? 0 : EPOLLIN, on_queue, s) != 0)
			return false;
		s->queue[i] = m->fds[i];
		m->fds[i] = -1;
	}
	return true;
}

/* -- sekishod -------------------------------------------------------------------------------------------- */

static void send_status(struct service *s)
{
	const struct inspect_counters *c = inspector_counters(s->inspector);
	struct msg_inspect_status m = {.epoch = s->epoch,
		.generation = policies_enforced(s->policies),
		.flows_max = FLOWS,
		.flows_now = c->flows_now,
		.undecided_now = c->undecided_now,
		.unanswered_now = c->unanswered_now,
		.packets = s->counts.packets,
		.flows = c->flows,
		.passed = c->passed,
		.refused = c->refused,
		.dropped = c->dropped,
		.evicted = c->evicted,
		.pinholes = c->pinholes,
		.malformed = s->counts.malformed,
		.memory_now = c->prefix_bytes_now,
		.memory_max = c->prefix_bytes_max};

	memcpy(m.why, c->why, sizeof(c->why));
	/* What is not taken now is made up for by the next. */
	msg_send(DAEMON_FD_GATE, MSG_INSPECT_STATUS, 0, &m, NULL, 0);
}

static bool take_message(struct service *s, struct msg *m)
{
	const char *bad = NULL;

	switch ((int)m->type) {
	case MSG_QUEUES:
		return take_queues(s, m);
	case MSG_LINKS:
		policies_links(s->policies, &m->u.msg_links);
		return true;
	case MSG_GENERATION:
		bad = policies_offer(s->policies, m->u.msg_generation.number, m->fds[0]);
		m->fds[0] = -1;
		if (bad != NULL)
			daemon_log("generation %u: %s", m->u.msg_generation.number, bad);
		return true;
	case MSG_ENFORCED:
		if (!policies_enforce(s->policies, m->u.msg_enforced.number, s->inspector))
			daemon_log("generation %u is not known", m->u.msg_enforced.number);
		send_status(s);
		return true;
	default:
		return false;
	}
}

static void on_gate(void *arg, int fd, uint32_t events)
{
	struct service *s = arg;
	struct msg m;
	int r = -EAGAIN;

	if ((events & EPOLLOUT) != 0)
		flush(s);
	for (unsigned i = 0; i < MESSAGES_A_TURN && (r = msg_recv(fd, &m)) == 1; i++) {
		bool good = take_message(s, &m);
		msg_close_fds(&m);
		if (!good) {
			r = -EPROTO;
			break;
		}
	}
	if (r == 1 || r == -EAGAIN)
		return;
	if (r != 0) {
		daemon_peer_broken(s->d, MSG_PEER_INSPECT);
		return;
	}
	/* sekishod is gone, and its queues with it; init ends us. */
	loop_del_fd(s->d->loop, fd);
	close_queues(s);
}

/* -- The core -------------------------------------------------------------------------------------------- */

static const struct verify_policy *on_policy(void *arg, const struct packet *p, uint32_t *ret_tag)
{
	struct service *s = arg;

	(void)p;
	return policies_find(s->policies, s->mark, ret_tag);
}

/* Before the verdict that lets its announcement go on: sekishod hears both in this order. */
static void on_pinhole(void *arg, const struct inspect_pinhole *h)
{
	struct service *s = arg;
	struct msg_pinhole m = {.epoch = s->epoch, .port = h->port, .family = h->client.family};

	if (!policies_tag(s->policies, h->tag, &m.generation, &m.verified))
		return;
	memcpy(m.client, h->client.b, sizeof(m.client));
	memcpy(m.server, h->server.b, sizeof(m.server));
	if (msg_send(DAEMON_FD_GATE, MSG_PINHOLE, 0, &m, NULL, 0) != 0)
		s->pinholes_lost++;
}

static void on_tick(void *arg)
{
	struct service *s = arg;

	inspector_tick(s->inspector, clock_mono().ns);
}

static void on_status(void *arg)
{
	struct service *s = arg;

	if (s->epoch != 0)
		send_status(s);
}

static int make_inspector(struct service *s)
{
	struct inspect_options opt = {.flows = FLOWS, .prefix_bytes = PREFIX_BYTES};
	struct inspect_hooks hooks = {.arg = s, .policy = on_policy, .pinhole = on_pinhole};

	if (getrandom(opt.secret, sizeof(opt.secret), 0) != (ssize_t)sizeof(opt.secret))
		return -errno;
	s->inspector = inspector_new(&opt, &hooks);
	s->policies = policies_new();
	return s->inspector != NULL && s->policies != NULL ? 0 : -ENOMEM;
}

static int start(struct daemon *d)
{
	struct service *s = d->arg;
	int r = make_inspector(s);

	s->d = d;
	for (unsigned i = 0; i < LIMIT_SEGMENTS; i++)
		s->queue[i] = -1;
	for (unsigned i = 0; i < BATCH; i++)
		s->iov[i] = (struct iovec){s->buffers[i], DATAGRAM_MAX};
	if (r == 0 && (loop_add_timer(d->loop, TICK_MS, TICK_MS, on_tick, s) == NULL ||
			      loop_add_timer(d->loop, STATUS_MS, STATUS_MS, on_status, s) == NULL))
		r = -ENOMEM;
	loop_on_turn(d->loop, on_turn, s);
	/* Without an init there is nobody to take queues from. */
	return r != 0 ? r : d->handed ? loop_add_fd(d->loop, DAEMON_FD_GATE, EPOLLIN, on_gate, s) : -ENOTCONN;
}

int main(int argc, char **argv)
{
	static const struct daemon_spec spec = {.row = JAIL_INSPECT, .start = start};
	static struct service service;

	return daemon_run(&spec, &service, argc, argv);
}
