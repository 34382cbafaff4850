/*
 * main_inspect.c: sekisho-inspect: verifies the applications of flows that the kernel holds in its queues.
 */
#include <sekisho/daemon.h>
#include <sekisho/loop.h>

#include <errno.h>
#include <sys/epoll.h>

static void on_gate(void *arg, int fd, uint32_t events)
{
	struct daemon *d = arg;
	struct msg m;

	(void)events;
	int r = msg_recv(fd, &m);
	if (r == 1)
		msg_close_fds(&m);
	else if (r == 0) /* sekishod is gone: init ends us */
		loop_del_fd(d->loop, fd);
	else if (r == -EPROTO)
		daemon_peer_broken(d, MSG_PEER_INSPECT);
}

static int start(struct daemon *d)
{
	return loop_add_fd(d->loop, DAEMON_FD_GATE, EPOLLIN, on_gate, d);
}

int main(int argc, char **argv)
{
	static const struct daemon_spec spec = {.row = JAIL_INSPECT, .start = start};

	return daemon_run(&spec, NULL, argc, argv);
}
