/*
 * tiny_gate.c: stands in for sekishod: writes what happens to it, does what the test asks over the control
 * socket.
 *
 * Each 20 ms it sends logd a numbered MSG_FAULT, so that a gap in what logd writes shows what was lost.
 */
#include <sekisho/clock.h>
#include <sekisho/daemon.h>
#include <sekisho/loop.h>

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/mman.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <unistd.h>

#include "../tiny.h"

static struct {
	struct daemon *d;
	bool close, ill;
	unsigned sent;
	int events, result[2];
} gate = {.events = -1};

static void event(const char *what, long a, long b, long c, long e)
{
	char line[128];
	int n = snprintf(line, sizeof(line), "%s %ld %ld %ld %ld\n", what, a, b, c, e);

	if (write(gate.events, line, (size_t)n) != n)
		_exit(9);
}

static void on_fault_timer(void *arg)
{
	struct msg_fault f = {.severity = MSG_SEVERITY_INFO};
	char text[16];

	(void)arg;
	snprintf(text, sizeof(text), "%u", gate.sent + 1);
	MSG_TEXT(f.process, "sekishod");
	MSG_TEXT(f.text, text);
	snprintf(text, sizeof(text), "%d", (int)getpid());
	MSG_TEXT(f.code, text);
	if (msg_send(DAEMON_FD_LOG, MSG_FAULT, 0, &f, NULL, 0) == 0)
		gate.sent++;
}

static void on_result(void *arg, int fd, uint32_t events)
{
	struct msg m;
	int r = msg_recv(fd, &m);

	(void)arg;
	(void)events;
	if (r == 1 && m.type == MSG_RESULT)
		event("result", m.u.msg_result.errors, m.u.msg_result.warnings, m.nfds, 0);
	else
		event("no-result", r, 0, 0, 0);
	if (r == 1)
		msg_close_fds(&m);
	loop_del_fd(gate.d->loop, fd);
	close(fd);
}

static void ask_for(enum msg_child what, const char *language)
{
	struct msg_spawn s = {.what = what, .now = 1800000000};
	int fds[MSG_FDS_MAX], first = memfd_create("first", MFD_CLOEXEC),
			      second = memfd_create("second", MFD_CLOEXEC);
	unsigned n = 0;

	MSG_TEXT(s.language, language);
	if (write(first, "first", 5) != 5 || write(second, "second", 6) != 6 ||
		socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0, gate.result) < 0)
		_exit(9);
	fds[n++] = first;
	if (what == MSG_CHILD_PROVE)
		fds[n++] = second;
	fds[n++] = gate.result[1];
	int r = msg_send(gate.d->init, MSG_SPAWN, 77, &s, fds, n);
	event("asked", r, 0, 0, 0);
	close(first);
	close(second);
	close(gate.result[1]);
	loop_add_fd(gate.d->loop, gate.result[0], EPOLLIN, on_result, NULL);
}

/* The loopback address by the port of mail, and by one that init opens for nobody. */
static void listen_on(uint32_t n)
{
	struct msg_mail_listen l = {.n = n};

	for (uint32_t i = 0; i < n; i++)
		l.address[i] = (struct msg_mail_address){.family = 4, .port = (uint16_t)(DAEMON_MAIL_PORT + i),
			.addr = {127, 0, 0, 1}};
	msg_send(gate.d->init, MSG_MAIL_LISTEN, 0, &l, NULL, 0);
}

/* What sekisho-maild got. */
static void on_mail(void *arg, int fd, uint32_t events)
{
	struct msg m;

	(void)arg;
	(void)events;
	if (msg_recv(fd, &m) != 1)
		_exit(9);
	if (m.type == MSG_MAIL_STATUS)
		event("mail", m.u.msg_mail_status.sessions, m.u.msg_mail_status.listeners, m.u.msg_mail_status.sessions_max, 0);
	msg_close_fds(&m);
}

static void act(uint32_t what)
{
	struct msg_fault f = {0};

	switch (what) {
	case TINY_HANG:
		for (volatile unsigned long i = 0;; i++)
			;
	case TINY_BUSY: /* four seconds without a beat, said before */
		daemon_busy(gate.d, 3);
		for (struct mono begin = clock_mono(); mono_since_ms(begin) < 4000;)
			;
		break;
	case TINY_ILL:
		gate.ill = true;
		break;
	case TINY_PEER_BROKEN:
		daemon_peer_broken(gate.d, MSG_PEER_LOG);
		break;
	case TINY_INSPECTOR_BROKEN:
		daemon_peer_broken(gate.d, MSG_PEER_INSPECT);
		break;
	case TINY_MAIL_BROKEN:
		daemon_peer_broken(gate.d, MSG_PEER_MAIL);
		break;
	case TINY_LISTEN:
		listen_on(2);
		break;
	case TINY_DEAF:
		listen_on(0);
		break;
	case TINY_COMPILE:
		ask_for(MSG_CHILD_COMPILE, "ja");
		break;
	case TINY_PROVE:
		ask_for(MSG_CHILD_PROVE, "en");
		break;
	case TINY_BAD_LANGUAGE:
		ask_for(MSG_CHILD_COMPILE, "../x");
		break;
	case TINY_GARBAGE:
		if (send(gate.d->init, "garbage", 7, 0) != 7)
			_exit(9);
		break;
	case TINY_FORBIDDEN:
		msg_send(gate.d->init, MSG_FAULT, 0, &f, NULL, 0);
		break;
	case TINY_EXIT:
		_exit(5);
	case TINY_FLOOD:
		for (;;)
			msg_send(gate.d->init, MSG_BEAT, 0, &(struct msg_beat){.sequence = 1}, NULL, 0);
	default:
		break;
	}
}

static void on_client(void *arg, int fd, uint32_t events)
{
	struct msg_status status = {.nrules = (uint32_t)getpid(), .nboxes_open = gate.sent};
	struct msg m;

	(void)arg;
	(void)events;
	if (msg_recv(fd, &m) == 1 && m.type == MSG_REQUEST) {
		msg_send(fd, MSG_STATUS, m.tag, &status, NULL, 0);
		act(m.u.msg_request.argument);
		msg_close_fds(&m);
		return;
	}
	loop_del_fd(gate.d->loop, fd);
	close(fd);
}

static void on_control(void *arg, int fd, uint32_t events)
{
	int client = accept4(fd, NULL, NULL, SOCK_CLOEXEC | SOCK_NONBLOCK);

	(void)arg;
	(void)events;
	if (client >= 0)
		loop_add_fd(gate.d->loop, client, EPOLLIN, on_client, NULL);
}

/* What sekisho-inspect says on the socket that came with MSG_ATTACH, and its end. */
static void on_inspector(void *arg, int fd, uint32_t events)
{
	struct msg m;

	(void)arg;
	(void)events;
	if (msg_recv(fd, &m) == 1) {
		if (m.type == MSG_INSPECT_STATUS)
			event("inspector", (long)m.u.msg_inspect_status.packets, 0, 0, 0);
		msg_close_fds(&m);
		return;
	}
	event("inspector-gone", 0, 0, 0, 0);
	loop_del_fd(gate.d->loop, fd);
	close(fd);
}

static void on_notice(struct daemon *d, const struct msg *m)
{
	const struct msg_exited *e = &m->u.msg_exited;
	char what[48];

	if (m->type == MSG_ATTACH) {
		int fd = fcntl(m->fds[0], F_DUPFD_CLOEXEC, 0);
		event("attached", m->u.msg_attach.pid, 0, 0, 0);
		if (fd < 0 || loop_add_fd(d->loop, fd, EPOLLIN, on_inspector, NULL) < 0)
			_exit(9);
	}
	if (m->type != MSG_EXITED)
		return;
	snprintf(what, sizeof(what), "exited:%s", e->name);
	event(what, e->status, e->restarts, e->down_ms, m->tag);
}

static int on_option(struct daemon *d, const char *word, const char *value)
{
	(void)d;
	if (strcmp(word, "--close") != 0 || value != NULL)
		return -EINVAL;
	gate.close = true;
	return 0;
}

/* As root: a file "slow" there makes the next start hang, once. */
static int before(struct daemon *d)
{
	char path[200];

	daemon_path(d->root, DAEMON_PATH_GATE "/slow", path, sizeof(path));
	if (!gate.close && unlink(path) == 0)
		pause();
	return 0;
}

static int start(struct daemon *d)
{
	char path[200];

	gate.d = d;
	daemon_path(d->root, DAEMON_PATH_GATE "/events", path, sizeof(path));
	gate.events = open(path, O_WRONLY | O_CREAT | O_APPEND | O_CLOEXEC, 0600);
	if (gate.events < 0)
		return -errno;
	event(gate.close ? "closed" : "started", getpid(), 0, 0, 0);
	if (gate.close)
		return 1;
	if (loop_add_fd(d->loop, DAEMON_FD_CONTROL, EPOLLIN, on_control, NULL) < 0 ||
		loop_add_fd(d->loop, DAEMON_FD_POST, EPOLLIN, on_mail, NULL) < 0 ||
		loop_add_timer(d->loop, 20, 20, on_fault_timer, NULL) == NULL)
		return -ENOMEM;
	return 0;
}

static bool well(struct daemon *d)
{
	(void)d;
	return !gate.ill;
}

static void stop(struct daemon *d)
{
	(void)d;
	event("stopped", getpid(), 0, 0, 0);
}

int main(int argc, char **argv)
{
	static const struct daemon_spec spec = {.row = JAIL_GATE,
		.option = on_option,
		.before = before,
		.start = start,
		.well = well,
		.notice = on_notice,
		.stop = stop};

	return daemon_run(&spec, NULL, argc, argv);
}
