/*
 * tiny_log.c: stands in for sekisho-logd: writes each fault that sekishod sends and each packet that the
 * kernel logs, one line each, at once.
 */
#include <sekisho/daemon.h>
#include <sekisho/loop.h>

#include <errno.h>
#include <fcntl.h>
#include <linux/netfilter/nfnetlink.h>
#include <linux/netfilter/nfnetlink_log.h>
#include <linux/netlink.h>
#include <stdio.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/socket.h>
#include <unistd.h>

static int lines = -1;

static void line(const char *what, const char *a, const char *b)
{
	char text[400];
	int n = snprintf(text, sizeof(text), "%s %s %s\n", what, a, b);

	if (write(lines, text, (size_t)n) != n)
		_exit(9);
}

static void on_gate(void *arg, int fd, uint32_t events)
{
	struct daemon *d = arg;
	struct msg m;
	int r = msg_recv(fd, &m);

	(void)events;
	if (r == -EPROTO)
		daemon_peer_broken(d, MSG_PEER_LOG);
	if (r != 1)
		return;
	if (m.type == MSG_FAULT)
		line("fault", m.u.msg_fault.code, m.u.msg_fault.text);
	msg_close_fds(&m);
}

static void on_nflog(void *arg, int fd, uint32_t events)
{
	static char buf[1 << 17];
	char group[16];
	ssize_t n = recv(fd, buf, sizeof(buf), 0);

	(void)arg;
	(void)events;
	snprintf(group, sizeof(group), "%d", fd - DAEMON_FD_NFLOG + DAEMON_NFLOG_GROUP);
	for (const struct nlmsghdr *h = (const void *)buf; n > 0 && NLMSG_OK(h, (size_t)n);
		h = NLMSG_NEXT(h, n)) {
		if (h->nlmsg_type == (NFNL_SUBSYS_ULOG << 8 | NFULNL_MSG_PACKET))
			line("packet", group, "");
	}
}

static int start(struct daemon *d)
{
	char path[200];
	int r;

	daemon_path(d->root, DAEMON_PATH_LOG "/lines", path, sizeof(path));
	lines = open(path, O_WRONLY | O_CREAT | O_APPEND | O_CLOEXEC, 0600);
	if (lines < 0)
		return -errno;
	r = loop_add_fd(d->loop, DAEMON_FD_GATE, EPOLLIN, on_gate, d);
	for (int i = 0; r == 0 && i < DAEMON_NFLOG_COUNT; i++)
		r = loop_add_fd(d->loop, DAEMON_FD_NFLOG + i, EPOLLIN, on_nflog, NULL);
	char pid[16];
	snprintf(pid, sizeof(pid), "%d", (int)getpid());
	line("started", pid, "");
	return r;
}

int main(int argc, char **argv)
{
	static const struct daemon_spec spec = {.row = JAIL_LOG, .start = start};

	return daemon_run(&spec, NULL, argc, argv);
}
