/*
 * main_connect.c: sekisho-connect: opens the mail gate's connections to the policy's mail servers, and to
 *nothing else.
 *
 *	sekishod --MSG_MAIL_HOPS--> the list          sekisho-maild --MSG_MAIL_CONNECT--> here
 *--MSG_MAIL_CONNECTED + socket--> sekishod --MSG_ALARM_HOPS--> another          sekisho-alarm --the same-->
 *
 * sekisho-maild, which reads SMTP of the internet, has no way to open a connection; this process, which has,
 *reads nothing from any of them, and knows no address but those that sekishod named. Each of the two askers
 *has a list of its own.
 *
 * Input and trust: fixed-size messages (checked by msg_recv()); those of sekisho-maild and sekisho-alarm may
 *be an attacker's. What sekisho-alarm says amiss is let go: mail does not stop for it. Limits: CALLS_MAX
 *calls under way, ALARM_CALLS_MAX of them of sekisho-alarm, each for LIMIT_MS at most. Failure: every
 *question gets its answer, an error or a socket.
 */
#include <errno.h>
#include <netinet/in.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/socket.h>
#include <unistd.h>

#include <sekisho/clock.h>
#include <sekisho/daemon.h>
#include <sekisho/loop.h>

#define CALLS_MAX 256
#define ALARM_CALLS_MAX 4
#define LIMIT_MS 30000
#define TICK_MS 250
#define MESSAGES_A_TURN 64

struct call {
	int fd; /* -1: free */
	int asker; /* DAEMON_FD_CALLS or DAEMON_FD_ALARM_CALLS */
	uint32_t tag;
	int64_t until; /* monotonic ns */
};

struct caller {
	struct daemon *d;
	struct msg_mail_hops hops;
	struct msg_alarm_hops alarm;
	struct call calls[CALLS_MAX];
};

static void answer(int asker, uint32_t tag, int error, int fd)
{
	struct msg_mail_connected m = {.error = (uint32_t)error};

	/* A full socket: the asker gives up by itself after its own limit. */
	if (msg_send(asker, MSG_MAIL_CONNECTED, tag, &m, fd >= 0 ? &fd : NULL, fd >= 0) != 0)
		daemon_log("an answer to %s was lost", asker == DAEMON_FD_CALLS ? "sekisho-maild" : "sekisho-alarm");
}

/* Takes the socket from the table; what is not handed on ends here. */
static void finish(struct caller *s, struct call *c, int error)
{
	loop_del_fd(s->d->loop, c->fd);
	answer(c->asker, c->tag, error, error == 0 ? c->fd : -1);
	close(c->fd);
	c->fd = -1;
}

static void on_call(void *arg, int fd, uint32_t events)
{
	struct caller *s = arg;
	int error = 0;
	socklen_t len = sizeof(error);

	(void)events;
	for (unsigned i = 0; i < CALLS_MAX; i++) {
		if (s->calls[i].fd != fd)
			continue;
		if (getsockopt(fd, SOL_SOCKET, SO_ERROR, &error, &len) < 0)
			error = errno;
		finish(s, &s->calls[i], error);
		return;
	}
}

static bool is_hop(const struct caller *s, int asker, const struct msg_mail_address *a)
{
	bool mail = asker == DAEMON_FD_CALLS;
	const struct msg_mail_address *list = mail ? s->hops.hop : s->alarm.hop;

	for (uint32_t i = 0; i < (mail ? s->hops.n : s->alarm.n); i++) {
		const struct msg_mail_address *h = &list[i];
		if (h->family == a->family && h->port == a->port && memcmp(h->addr, a->addr, sizeof(h->addr)) == 0)
			return true;
	}
	return false;
}

static int dial(int fd, const struct msg_mail_address *a)
{
	struct sockaddr_in v4 = {.sin_family = AF_INET, .sin_port = htons(a->port)};
	struct sockaddr_in6 v6 = {.sin6_family = AF_INET6, .sin6_port = htons(a->port)};
	int r;

	memcpy(&v4.sin_addr, a->addr, sizeof(v4.sin_addr));
	memcpy(&v6.sin6_addr, a->addr, sizeof(v6.sin6_addr));
	if (a->family == 6)
		r = connect(fd, (struct sockaddr *)&v6, sizeof(v6));
	else
		r = connect(fd, (struct sockaddr *)&v4, sizeof(v4));
	return r < 0 ? errno : 0;
}

/* Under way, or answered. */
static void begin(struct caller *s, struct call *c, const struct call *wanted, const struct msg_mail_connect *q)
{
	uint32_t limit = q->limit_ms < LIMIT_MS ? q->limit_ms : LIMIT_MS;
	int fd = socket(q->hop.family == 6 ? AF_INET6 : AF_INET, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
	int error = fd < 0 ? errno : dial(fd, &q->hop);

	if (error == 0 || error == EINPROGRESS) {
		*c = (struct call){.fd = fd,
			.asker = wanted->asker,
			.tag = wanted->tag,
			.until = clock_mono().ns + (int64_t)limit * 1000000};
		if (loop_add_fd(s->d->loop, fd, EPOLLOUT, on_call, s) == 0)
			return;
		c->fd = -1;
		error = ENOMEM;
	}
	answer(wanted->asker, wanted->tag, error, -1);
	if (fd >= 0)
		close(fd);
}

/* A free place; sekisho-alarm cannot take those of sekisho-maild. */
static struct call *find_place(struct caller *s, int asker)
{
	struct call *place = NULL;
	unsigned alarms = 0;

	for (unsigned i = 0; i < CALLS_MAX; i++) {
		if (s->calls[i].fd < 0)
			place = &s->calls[i];
		else
			alarms += s->calls[i].asker == DAEMON_FD_ALARM_CALLS;
	}
	return asker == DAEMON_FD_ALARM_CALLS && alarms >= ALARM_CALLS_MAX ? NULL : place;
}

static void take_call(struct caller *s, int asker, const struct msg *m)
{
	const struct call wanted = {.asker = asker, .tag = m->tag};
	struct call *c = find_place(s, asker);

	if (!is_hop(s, asker, &m->u.msg_mail_connect.hop))
		answer(asker, m->tag, EPERM, -1);
	else if (c == NULL)
		answer(asker, m->tag, EAGAIN, -1);
	else
		begin(s, c, &wanted, &m->u.msg_mail_connect);
}

/* False: this side may not say that. */
static bool take_message(struct caller *s, int from, const struct msg *m)
{
	switch ((int)m->type) {
	case MSG_MAIL_HOPS:
		if (from == DAEMON_FD_GATE)
			s->hops = m->u.msg_mail_hops;
		return from == DAEMON_FD_GATE;
	case MSG_ALARM_HOPS:
		if (from == DAEMON_FD_GATE)
			s->alarm = m->u.msg_alarm_hops;
		return from == DAEMON_FD_GATE;
	case MSG_MAIL_CONNECT:
		if (from != DAEMON_FD_GATE)
			take_call(s, from, m);
		return from != DAEMON_FD_GATE;
	default:
		return false;
	}
}

static void on_peer(void *arg, int fd, uint32_t events)
{
	struct caller *s = arg;
	struct msg m;
	int r = -EAGAIN;

	(void)events;
	for (unsigned i = 0; i < MESSAGES_A_TURN && (r = msg_recv(fd, &m)) == 1; i++) {
		bool good = take_message(s, fd, &m);
		msg_close_fds(&m);
		if (!good) {
			r = -EPROTO;
			break;
		}
	}
	if (r != 1 && r != -EAGAIN && fd != DAEMON_FD_ALARM_CALLS)
		daemon_peer_broken(s->d, MSG_PEER_CONNECT);
}

static void on_tick(void *arg)
{
	struct caller *s = arg;
	int64_t now = clock_mono().ns;

	for (unsigned i = 0; i < CALLS_MAX; i++)
		if (s->calls[i].fd >= 0 && now > s->calls[i].until)
			finish(s, &s->calls[i], ETIMEDOUT);
}

static int start(struct daemon *d)
{
	struct caller *s = d->arg;
	int r = d->handed ? 0 : -ENOTCONN;

	s->d = d;
	for (unsigned i = 0; i < CALLS_MAX; i++)
		s->calls[i].fd = -1;
	if (r == 0)
		r = loop_add_fd(d->loop, DAEMON_FD_GATE, EPOLLIN, on_peer, s);
	if (r == 0)
		r = loop_add_fd(d->loop, DAEMON_FD_CALLS, EPOLLIN, on_peer, s);
	if (r == 0)
		r = loop_add_fd(d->loop, DAEMON_FD_ALARM_CALLS, EPOLLIN, on_peer, s);
	if (r == 0 && loop_add_timer(d->loop, TICK_MS, TICK_MS, on_tick, s) == NULL)
		r = -ENOMEM;
	return r;
}

int main(int argc, char **argv)
{
	static const struct daemon_spec spec = {.row = JAIL_CONNECT, .start = start};
	static struct caller caller;

	return daemon_run(&spec, &caller, argc, argv);
}
