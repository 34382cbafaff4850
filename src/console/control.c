/*
 * control.c: one request and its answer.
 *
 * Trust: whoever listens on the socket was put there by root (its directory is root's), yet every message goes
 * through msg_recv()'s checks and all text in it through text_safe() when it is printed.
 * A path longer than sun_path is reached through its directory's descriptor.
 */
#include "control.h"

#include "console.h"
#include "text.h"
#include "words.h"

#include <sekisho/clock.h>

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <unistd.h>

/* A commit of 100 k rules takes seconds; a gate that says nothing for a minute is not well. */
#define ANSWER_SECONDS 60

int control_connect(const char *root)
{
	struct sockaddr_un sa = {.sun_family = AF_UNIX};
	char dir[4096];

	if ((size_t)snprintf(dir, sizeof(dir), "%s/run/sekisho", root) >= sizeof(dir))
		return -ENAMETOOLONG;
	int dfd = open(dir, O_PATH | O_DIRECTORY | O_CLOEXEC);
	if (dfd < 0)
		return -errno;
	snprintf(sa.sun_path, sizeof(sa.sun_path), "/proc/self/fd/%d/control", dfd);
	int fd = socket(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0);
	int result = fd < 0 ? -errno : fd;
	if (fd >= 0 && connect(fd, (struct sockaddr *)&sa, sizeof(sa)) < 0) {
		result = -errno;
		close(fd);
	}
	close(dfd);
	return result;
}

static int no_gate(const struct console *c, int error)
{
	switch (error) {
	case ENOENT:
	case ECONNREFUSED:
		return console_fail(CONSOLE_ENV, _("the gate is not running (nothing listens on %s/run/sekisho/control)"),
			c->root);
	case EACCES:
	case EPERM:
		return console_fail(CONSOLE_ENV, "%s", _("you are not permitted to talk to the gate"));
	default:
		return console_fail(CONSOLE_ENV, _("the gate cannot be reached: %s"), strerror(error));
	}
}

static bool wait_readable(int fd, int seconds)
{
	struct pollfd p = {.fd = fd, .events = POLLIN};
	int n;

	do
		n = poll(&p, 1, seconds < 0 ? -1 : seconds * 1000);
	while (n < 0 && errno == EINTR);
	return n > 0;
}

bool control_receive(int fd, int seconds, struct msg *ret)
{
	int got = wait_readable(fd, seconds) ? msg_recv(fd, ret) : -ETIMEDOUT;

	if (got > 0)
		return true;
	if (got == -ETIMEDOUT)
		console_fail(CONSOLE_ENV, _("the gate does not answer within %d seconds"), seconds);
	else if (got == -EPROTO)
		console_fail(CONSOLE_ENV, "%s", _("the gate answers in a form that this command does not know"));
	else
		console_fail(CONSOLE_ENV, "%s", _("the gate has closed the connection"));
	return false;
}

/* Whose role it is, and whose it would take. */
static int refused(const struct msg_refused *r)
{
	struct buf who = {0}, takes = {0};

	text_safe(&who, r->account);
	for (uint32_t role = 1; role < MSG_ROLE_END; role++)
		if ((r->allowed & UINT32_C(1) << role) != 0)
			buf_printf(&takes, "%s%s", takes.len > 0 ? ", " : "", words_role(role));
	int code = console_fail(CONSOLE_REFUSED, _("%s (%s) is not permitted to do this; it takes the role: %s"), buf_str(&who),
		words_role(r->role), buf_str(&takes));
	buf_free(&who);
	buf_free(&takes);
	return code;
}

static int take_answer(struct msg *m, enum msg_type want)
{
	int code = CONSOLE_OK;

	if (m->type == MSG_REFUSED)
		code = refused(&m->u.msg_refused);
	else if (m->type != want)
		code = console_fail(CONSOLE_ENV, "%s", _("the gate answers in a form that this command does not know"));
	if (code != CONSOLE_OK)
		msg_close_fds(m);
	return code;
}

int control_ask(struct console *c, const struct msg_request *q, int fd, enum msg_type want, struct msg *ret)
{
	int sock = control_connect(c->root);
	struct msg_request request = *q;

	if (sock < 0)
		return no_gate(c, -sock);
	MSG_TEXT(request.language, i18n_language());
	int sent = msg_send(sock, MSG_REQUEST, 1, &request, &fd, fd >= 0 ? 1 : 0), code = CONSOLE_ENV;
	if (sent < 0) {
		no_gate(c, -sent);
	} else if (control_receive(sock, ANSWER_SECONDS, ret)) {
		code = take_answer(ret, want);
	}
	close(sock);
	return code;
}

int control_open_log(struct console *c, enum msg_verb verb, int *ret_fd)
{
	const struct msg_request q = {.verb = verb};

	return control_open_log_as(c, &q, ret_fd);
}

int control_open_log_as(struct console *c, const struct msg_request *q, int *ret_fd)
{
	struct msg m;
	int code = control_ask(c, q, -1, MSG_OPENED, &m);

	if (code != CONSOLE_OK)
		return code;
	if (!m.u.msg_opened.ok || m.nfds != 1) {
		msg_close_fds(&m);
		return console_fail(CONSOLE_ENV, _("the records cannot be read: %s"), _(m.u.msg_opened.error));
	}
	*ret_fd = m.fds[0];
	return CONSOLE_OK;
}

bool control_try(struct console *c, const struct msg_request *q, int fd, int seconds, enum msg_type want, struct msg *ret)
{
	struct msg_request request = *q;
	int sock = control_connect(c->root);
	bool ok;

	if (sock < 0)
		return false;
	MSG_TEXT(request.language, i18n_language());
	ok = msg_send(sock, MSG_REQUEST, 1, &request, &fd, fd >= 0 ? 1 : 0) == 0 && wait_readable(sock, seconds) &&
	     msg_recv(sock, ret) > 0;
	close(sock);
	if (ok && ret->type != want) {
		msg_close_fds(ret);
		ok = false;
	}
	return ok;
}

void control_zone(struct console *c)
{
	struct msg_request q = {.verb = MSG_VERB_STATUS};
	struct msg m;

	if (!control_try(c, &q, -1, ANSWER_SECONDS, MSG_STATUS, &m))
		return;
	clock_set_zone(m.u.msg_status.timezone);
	msg_close_fds(&m);
}

bool control_read_fd(int fd, size_t max, struct buf *ret)
{
	struct stat st;
	off_t off = 0;
	ssize_t n = 1;

	if (fstat(fd, &st) < 0 || !S_ISREG(st.st_mode) || st.st_size < 0 || (size_t)st.st_size > max)
		return false;
	while (n > 0 && ret->len < max) {
		size_t old = ret->len;
		uint8_t *p = buf_reserve(ret, 65536);
		n = pread(fd, p, 65536, off);
		ret->len = old + (n > 0 ? (size_t)n : 0);
		off += n > 0 ? n : 0;
	}
	return n >= 0 && ret->len <= max;
}
