/*
 * reader.c: the jailed child, and the parent that opens files for it.
 *
 * Between them a SOCK_SEQPACKET pair: the child asks with one byte, the parent answers {index} with a descriptor, or an
 * index behind the last file without one. The child is a fork without exec: it keeps what the parent made (a compiled
 * policy) and loses every way to anything else. When it is killed by its jail the parent says so.
 */
#include "reader.h"

#include <sekisho/jail.h>

#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>

struct reader_files {
	int sock;
	char *const *names;
	size_t n;
};

size_t reader_count(const struct reader_files *f)
{
	return f->n;
}

/* -- the child ------------------------------------------------------------------------------------------------- */

int reader_next(struct reader_files *f, const char **ret_name)
{
	union {
		struct cmsghdr h;
		char space[CMSG_SPACE(sizeof(int))];
	} control;
	size_t index = f->n;
	struct iovec iov = {&index, sizeof(index)};
	struct msghdr m = {.msg_iov = &iov, .msg_iovlen = 1, .msg_control = &control, .msg_controllen = sizeof(control)};
	int fd = -1;

	if (write(f->sock, "", 1) != 1 || recvmsg(f->sock, &m, MSG_CMSG_CLOEXEC) != (ssize_t)sizeof(index) || index >= f->n)
		return -1;
	struct cmsghdr *h = CMSG_FIRSTHDR(&m);
	if (h != NULL && h->cmsg_type == SCM_RIGHTS)
		memcpy(&fd, CMSG_DATA(h), sizeof(fd));
	*ret_name = f->names[index];
	return fd;
}

static int child(struct console *c, struct reader_files *f, reader_fn *fn, void *arg)
{
	struct jail_report report;
	int r = jail_confine(JAIL_READER, &report);

	if (r < 0)
		return console_fail(CONSOLE_ENV, _("the reader's jail cannot be entered (%s): %s"), report.step, strerror(-r));
	const char *missing = jail_confined(JAIL_READER);
	if (missing != NULL)
		return console_fail(CONSOLE_ENV, _("the reader's jail does not hold: %s"), missing);
	int code = fn(c, f, arg);
	if (!console_flush(c) && errno != EPIPE)
		code = console_fail(CONSOLE_ENV, _("cannot write the output: %s"), strerror(errno));
	return code;
}

/* -- the parent -------------------------------------------------------------------------------------------------- */

static void answer(int sock, size_t index, int fd)
{
	union {
		struct cmsghdr h;
		char space[CMSG_SPACE(sizeof(int))];
	} control = {.space = {0}};
	struct iovec iov = {&index, sizeof(index)};
	struct msghdr m = {.msg_iov = &iov, .msg_iovlen = 1};

	if (fd >= 0) {
		m.msg_control = &control;
		m.msg_controllen = sizeof(control);
		control.h = (struct cmsghdr){CMSG_LEN(sizeof(int)), SOL_SOCKET, SCM_RIGHTS};
		memcpy(CMSG_DATA(&control.h), &fd, sizeof(fd));
	}
	sendmsg(sock, &m, MSG_NOSIGNAL);
}

/* Answers until the child has ended. Returns CONSOLE_ENV when a file could not be opened. */
static int serve(const struct reader_files *f)
{
	char asked;
	size_t next = 0;
	int code = CONSOLE_OK;

	while (read(f->sock, &asked, 1) == 1) {
		int fd = -1;
		while (next < f->n && (fd = open(f->names[next], O_RDONLY | O_CLOEXEC | O_NOCTTY)) < 0) {
			code = console_fail(CONSOLE_ENV, "%s: %s", f->names[next], strerror(errno));
			next++;
		}
		answer(f->sock, next, fd);
		if (fd >= 0)
			close(fd);
		next++;
	}
	return code;
}

static int ended(pid_t pid, int code)
{
	int status;

	while (waitpid(pid, &status, 0) < 0)
		if (errno != EINTR)
			return CONSOLE_ENV;
	if (WIFSIGNALED(status))
		return console_fail(CONSOLE_ENV, _("the reader was killed (signal %d)"), WTERMSIG(status));
	return WEXITSTATUS(status) == CONSOLE_OK ? code : WEXITSTATUS(status);
}

int reader_run(struct console *c, char *const *names, size_t n, reader_fn *fn, void *arg)
{
	int sock[2];

	if (!console_flush(c) || socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0, sock) < 0)
		return console_fail(CONSOLE_ENV, "%s", strerror(errno));
	pid_t pid = fork();
	if (pid == 0) {
		struct reader_files f = {sock[1], names, n};
		close(sock[0]);
		_exit(child(c, &f, fn, arg));
	}
	close(sock[1]);
	if (pid < 0) {
		close(sock[0]);
		return console_fail(CONSOLE_ENV, "%s", strerror(errno));
	}
	struct reader_files f = {sock[0], names, n};
	int code = serve(&f);
	close(sock[0]);
	return ended(pid, code);
}
