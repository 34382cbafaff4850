/*
 * shell_session.c: the connection that stays open while somebody is here.
 *
 * By it the gate knows who is here, records that he came, what he did and that he left (the connection ends
 * with the shell, however that ends). When the gate was restarted a new session begins at the next report.
 * Without a gate the shell works all the same, and what asks the gate says that it is not there.
 */
#include "shell_session.h"

#include "console.h"
#include "control.h"
#include "logquery.h"
#include "text.h"

#include <sekisho/clock.h>

#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#define ANSWER_MS 2000

struct session {
	struct console *c;
	int fd;
	bool kept; /* the gate kept one: when it was restarted another is begun */
	struct msg_session it;
};

static bool receive(struct session *s, enum msg_type want, struct msg *ret)
{
	struct pollfd p = {.fd = s->fd, .events = POLLIN};

	if (poll(&p, 1, ANSWER_MS) <= 0 || msg_recv(s->fd, ret) <= 0)
		return false;
	msg_close_fds(ret);
	return ret->type == want;
}

static void hang_up(struct session *s)
{
	if (s->fd >= 0)
		close(s->fd);
	s->fd = -1;
}

/* Asks on the session's own connection; false when it was not answered with a session. */
static bool ask(struct session *s, enum msg_verb verb, uint32_t argument, const char *why)
{
	struct msg_request q = {.verb = verb, .argument = argument};
	struct msg m;

	MSG_TEXT(q.why, why);
	MSG_TEXT(q.language, i18n_language());
	if (s->fd < 0 || msg_send(s->fd, MSG_REQUEST, 1, &q, NULL, 0) != 0 || !receive(s, MSG_SESSION, &m))
		return false;
	s->it = m.u.msg_session;
	return true;
}

static bool begin(struct session *s)
{
	char tty[64] = "";

	if (ttyname_r(STDIN_FILENO, tty, sizeof(tty)) != 0)
		tty[0] = '\0';
	s->fd = control_connect(s->c->root);
	s->kept = s->fd >= 0 && ask(s, MSG_VERB_SESSION, 0, tty);
	if (!s->kept)
		hang_up(s);
	return s->kept;
}

struct session *session_open(struct console *c, char *host, size_t size)
{
	struct session *s = calloc(1, sizeof(*s));
	struct msg_request q = {.verb = MSG_VERB_STATUS};
	struct msg m;

	if (s == NULL)
		return NULL;
	s->c = c;
	s->fd = -1;
	if (control_try(c, &q, -1, ANSWER_MS / 1000, MSG_STATUS, &m)) {
		if (m.u.msg_status.hostname[0] != '\0')
			snprintf(host, size, "%.63s", m.u.msg_status.hostname);
		clock_set_zone(m.u.msg_status.timezone);
		msg_close_fds(&m);
		begin(s);
	}
	return s;
}

void session_close(struct session *s)
{
	if (s == NULL)
		return;
	hang_up(s);
	free(s);
}

void session_greeting(const struct session *s, struct buf *out)
{
	char at[32];

	if (s == NULL || s->fd < 0)
		return;
	if (s->it.last_login != 0) {
		buf_printf(out, _("last login: %s"), log_time_long(s->it.last_login, at));
		buf_adds(out, s->it.last_terminal[0] != '\0' ? " (" : "");
		text_safe(out, s->it.last_terminal);
		buf_adds(out, s->it.last_terminal[0] != '\0' ? ")\n" : "\n");
	}
	if (s->it.refused > 0)
		buf_printf(out, _("refused since then: %u\n"), s->it.refused);
}

bool session_configure(struct session *s, bool on)
{
	return s != NULL && ask(s, MSG_VERB_CONFIGURE, on, "");
}

bool session_extend(struct session *s, const char *why)
{
	return s != NULL && ask(s, MSG_VERB_EXTEND, 0, why);
}

int64_t session_configure_until(const struct session *s)
{
	return s == NULL || s->fd < 0 ? 0 : s->it.me.configure_until;
}

uint32_t session_idle_seconds(const struct session *s)
{
	return s == NULL || s->fd < 0 ? 0 : s->it.idle_seconds;
}

void session_report(struct session *s, const char *line, int code)
{
	struct msg_command command = {.result = (uint32_t)code};
	struct msg m;

	if (s == NULL || (s->fd < 0 && (!s->kept || !begin(s))))
		return;
	msg_text(command.text, sizeof(command.text), line);
	if (msg_send(s->fd, MSG_COMMAND, 1, &command, NULL, 0) != 0 || !receive(s, MSG_OPENED, &m))
		hang_up(s);
}
