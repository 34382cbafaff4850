/*
 * init_oneshot.c: sekisho-compile and sekisho-prove: started on sekishod's request, ended by time.
 *
 * Trust: the request comes from sekishod, which holds CAP_NET_ADMIN and nothing of ours; it may choose one of
 * two programs, a number and a language of two letters, and its own descriptors. Nothing in them is read
 * here.
 */
#include "init.h"

#include <inttypes.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/wait.h>

#include <sekisho/loop.h>

#include "spawn.h"

/* What waitpid() says of a program that could not be started. */
#define STATUS_NOT_STARTED (127 << 8)

static void tell_ended(struct init *in, enum jail_row row, uint32_t tag, int status)
{
	struct msg_exited e = {.status = status};

	MSG_TEXT(e.name, jail_name(row));
	/* If sekishod cannot be told it sees the end of the result socket all the same. */
	if (!init_tell(in, tag, &e))
		daemon_log("%s: its end could not be told", jail_name(row));
}

static void on_limit(void *arg)
{
	const struct init_oneshot *o = arg;

	daemon_log("%s[%d]: time is up", jail_name(o->row), (int)o->pid);
	kill(o->pid, SIGKILL);
}

static struct init_oneshot *free_slot(struct init *in)
{
	for (unsigned i = 0; i < INIT_ONESHOTS_MAX; i++) {
		if (in->oneshots[i].pid == 0)
			return &in->oneshots[i];
	}
	return NULL;
}

static bool request_is_good(const struct msg *m)
{
	const struct msg_spawn *s = &m->u.msg_spawn;
	bool language = strcmp(s->language, "ja") == 0 || strcmp(s->language, "en") == 0;

	return language && s->now >= 0 && m->nfds == (s->what == MSG_CHILD_COMPILE ? 2u : 3u);
}

/* The message has the inputs first and the result socket last; the child has that one first. */
static pid_t start(struct init *in, enum jail_row row, const struct msg *m)
{
	const struct msg_spawn *s = &m->u.msg_spawn;
	char now[40], language[24];
	int fds[MSG_FDS_MAX];

	fds[0] = m->fds[m->nfds - 1];
	memcpy(fds + 1, m->fds, sizeof(int) * (m->nfds - 1));
	snprintf(now, sizeof(now), "--now=%" PRId64, s->now);
	snprintf(language, sizeof(language), "--language=%s", s->language);
	struct spawn sp = {.libexec = in->libexec,
		.name = jail_name(row),
		.args = {"--handed", in->root_option, now, language},
		.fds = fds,
		.nfds = m->nfds};
	if (row == JAIL_PROVE && s->clock_untrusted)
		sp.args[4] = "--clock-untrusted";
	return spawn(&sp);
}

void init_oneshot_start(struct init *in, const struct msg *m)
{
	enum jail_row row = m->u.msg_spawn.what == MSG_CHILD_COMPILE ? JAIL_COMPILE : JAIL_PROVE;
	struct init_oneshot *o = free_slot(in);
	pid_t pid = o == NULL || !request_is_good(m) ? -1 : start(in, row, m);

	if (pid < 0) {
		daemon_log("%s: not started", jail_name(row));
		tell_ended(in, row, m->tag, STATUS_NOT_STARTED);
		return;
	}
	*o = (struct init_oneshot){.init = in, .row = row, .pid = pid, .tag = m->tag};
	o->limit = loop_add_timer(in->loop, DAEMON_ONESHOT_LIMIT_MS, 0, on_limit, o);
	if (o->limit == NULL)
		kill(pid, SIGKILL);
}

void init_oneshot_ended(struct init_oneshot *o, int status)
{
	if (status != 0)
		daemon_log("%s[%d] ended, status %#x", jail_name(o->row), (int)o->pid, (unsigned)status);
	loop_del_timer(o->limit);
	o->limit = NULL;
	o->pid = 0;
	if (!o->orphan)
		tell_ended(o->init, o->row, o->tag, status);
}

void init_oneshot_kill_all(struct init *in)
{
	for (unsigned i = 0; i < INIT_ONESHOTS_MAX; i++) {
		struct init_oneshot *o = &in->oneshots[i];
		if (o->pid > 0)
			kill(o->pid, SIGKILL);
		o->orphan = true;
	}
}
