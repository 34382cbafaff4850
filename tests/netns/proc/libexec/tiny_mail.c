/*
 * tiny_mail.c: stands in for sekisho-maild: tells sekishod what it was given to listen on, and accepts nobody.
 */
#include <sekisho/daemon.h>
#include <sekisho/loop.h>

#include <fcntl.h>
#include <unistd.h>

static struct msg_mail_status status;

/* Listening sockets stay open as long as we live. */
static void on_notice(struct daemon *d, const struct msg *m)
{
	const struct msg_mail_listener *l = &m->u.msg_mail_listener;

	(void)d;
	if (m->type != MSG_MAIL_LISTENER)
		return;
	if (l->index == 0)
		status = (struct msg_mail_status){.sessions = (uint32_t)getpid()};
	status.listeners += m->nfds == 1 && fcntl(m->fds[0], F_DUPFD_CLOEXEC, 0) >= 0;
	status.sessions_max = l->error;
	if (l->index + 1 >= l->n)
		msg_send(DAEMON_FD_GATE, MSG_MAIL_STATUS, 0, &status, NULL, 0);
}

int main(int argc, char **argv)
{
	static const struct daemon_spec spec = {.row = JAIL_MAIL, .notice = on_notice};

	return daemon_run(&spec, NULL, argc, argv);
}
