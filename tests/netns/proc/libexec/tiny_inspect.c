/*
 * tiny_inspect.c: stands in for sekisho-inspect: tells sekishod its pid, once, and waits.
 */
#include <sekisho/daemon.h>
#include <sekisho/loop.h>

#include <sys/epoll.h>
#include <unistd.h>

static void on_gate(void *arg, int fd, uint32_t events)
{
	struct daemon *d = arg;
	struct msg m;

	(void)events;
	if (msg_recv(fd, &m) == 1)
		msg_close_fds(&m);
	else
		loop_del_fd(d->loop, fd);
}

static int start(struct daemon *d)
{
	struct msg_inspect_status s = {.packets = (uint64_t)getpid()};
	int r = msg_send(DAEMON_FD_GATE, MSG_INSPECT_STATUS, 0, &s, NULL, 0);

	return r != 0 ? r : loop_add_fd(d->loop, DAEMON_FD_GATE, EPOLLIN, on_gate, d);
}

int main(int argc, char **argv)
{
	static const struct daemon_spec spec = {.row = JAIL_INSPECT, .start = start};

	return daemon_run(&spec, NULL, argc, argv);
}
