/*
 * session.c: sessions (see session.h).
 *
 * Input and trust: who it is, is the kernel's word (peer.h); terminal and lines are what his own process says, recorded as
 * such. Limits: MSG_SESSIONS_MAX in all, SESSIONS_OTHERS without administrators, SESSIONS_EACH a person; root always finds
 * a place. A line is answered only when its record has a place: a shell that pastes a thousand lines is slowed, and
 * none is lost. Failure: a sentence in the answer.
 */
#include "session.h"

#include <stdio.h>
#include <string.h>

#include <sekisho/i18n.h>

#include "gate.h"

#define NS INT64_C(1000000000)

static uint32_t idle_seconds(const struct gate *g)
{
	return 60 * (g->current != NULL ? g->current->ir.system->session_idle : SESSION_IDLE_MINUTES);
}

static uint32_t configure_seconds(const struct gate *g)
{
	return 60 * (g->current != NULL ? g->current->ir.system->session_configure : SESSION_CONFIGURE_MINUTES);
}

uint32_t session_count(const struct gate *g)
{
	uint32_t n = 0;

	for (unsigned i = 0; i < CLIENTS_MAX; i++)
		n += g->clients[i].fd >= 0 && g->clients[i].session.id != 0;
	return n;
}

/* Wall time of a moment of the monotonic clock; 0 stays 0. */
static int64_t wall_of(struct mono m)
{
	return m.ns == 0 ? 0 : clock_wall().sec + (m.ns - clock_mono().ns) / NS;
}

static struct msg_session_of about(const struct gate *g, const struct client *c)
{
	struct msg_session_of s = {.id = c->session.id, .uid = c->peer.uid, .pid = c->peer.pid, .since = c->session.since,
		.role = roles_first(client_roles(g, c)), .last = wall_of(c->since),
		.configure_until = wall_of(c->session.configure_until)};

	MSG_TEXT(s.account, c->peer.account);
	MSG_TEXT(s.terminal, c->session.terminal);
	return s;
}

static void record_login(struct gate *g, const struct client *c, enum msg_login_event event)
{
	struct msg_login m = {.at = clock_wall().sec, .event = event, .uid = c->peer.uid, .session = c->session.id,
		.role = roles_first(client_roles(g, c))};

	if (c->session.id != 0 && event != MSG_LOGIN_BEGIN && m.at > c->session.since)
		m.seconds = (uint32_t)(m.at - c->session.since);
	MSG_TEXT(m.account, c->peer.account);
	MSG_TEXT(m.terminal, c->session.terminal);
	recorder_login(g, &m);
}

/* -- Beginning and end ------------------------------------------------------------------------------------- */

static bool is_administrator(const struct gate *g, const struct client *c)
{
	return (client_roles(g, c) & ROLE(ADMINISTRATOR)) != 0;
}

/* Root needs a place: the session that has done nothing for longest goes. */
static void make_place(struct gate *g, const struct client *except)
{
	struct client *idle = NULL;

	for (unsigned i = 0; i < CLIENTS_MAX; i++) {
		struct client *c = &g->clients[i];
		if (c->fd >= 0 && c->session.id != 0 && c != except && (idle == NULL || c->since.ns < idle->since.ns))
			idle = c;
	}
	if (idle != NULL) {
		session_end(g, idle, MSG_LOGIN_IDLE);
		client_drop(g, idle);
	}
}

/* NULL, or why there is no place for another one. */
static const char *no_place(struct gate *g, const struct client *c)
{
	uint32_t all = 0, others = 0, own = 0;

	for (unsigned i = 0; i < CLIENTS_MAX; i++) {
		const struct client *k = &g->clients[i];
		if (k->fd < 0 || k->session.id == 0)
			continue;
		all++;
		own += k->peer.uid == c->peer.uid;
		others += !is_administrator(g, k);
	}
	if (c->peer.uid == 0) {
		if (all >= MSG_SESSIONS_MAX)
			make_place(g, c);
		return NULL;
	}
	if (own >= SESSIONS_EACH)
		return N_("you have as many sessions as one person may: end one of them first");
	if (all >= MSG_SESSIONS_MAX || (!is_administrator(g, c) && others >= SESSIONS_OTHERS))
		return N_("there are as many sessions as there may be: somebody has to end one first");
	return NULL;
}

static void answer_session(struct gate *g, struct client *c, const struct person *before)
{
	struct msg_session m = {.me = about(g, c), .idle_seconds = idle_seconds(g), .configure_seconds = configure_seconds(g),
		.last_login = before->last_login, .last_refused = before->last_refused, .refused = before->refused,
		.sessions = session_count(g)};

	MSG_TEXT(m.last_terminal, before->terminal);
	client_answer(g, c, MSG_SESSION, &m, -1);
}

void session_begin(struct gate *g, struct client *c)
{
	const struct person before = *people_find(&g->people, c->peer.uid);
	const char *wrong = c->session.id == 0 ? no_place(g, c) : NULL;

	if (wrong != NULL) {
		MSG_TEXT(c->session.terminal, c->request.why);
		if (people_refused(g, &c->peer))
			record_login(g, c, MSG_LOGIN_REFUSED);
		client_opened(g, c, -1, _(wrong));
		return;
	}
	if (c->session.id == 0) {
		c->session = (struct session){.id = ++g->people.sessions, .since = clock_wall().sec};
		MSG_TEXT(c->session.terminal, c->request.why);
		record_login(g, c, MSG_LOGIN_BEGIN);
		const struct msg_session_of s = about(g, c);
		people_opened(g, &s);
	}
	answer_session(g, c, &before);
}

void session_end(struct gate *g, struct client *c, enum msg_login_event how)
{
	if (c->session.id == 0)
		return;
	record_login(g, c, how);
	people_closed(g, c->session.id);
	c->session = (struct session){0};
}

void session_list(struct gate *g, struct client *c)
{
	struct msg_sessions m = {0};

	for (unsigned i = 0; i < CLIENTS_MAX && m.n < MSG_SESSIONS_MAX; i++)
		if (g->clients[i].fd >= 0 && g->clients[i].session.id != 0)
			m.session[m.n++] = about(g, &g->clients[i]);
	client_answer(g, c, MSG_SESSIONS, &m, -1);
}

/* -- Configuration mode ------------------------------------------------------------------------------------ */

static void begin_configuring(const struct gate *g, struct client *c)
{
	/* 0 means without an end, which is a long one here. */
	int64_t seconds = configure_seconds(g) != 0 ? configure_seconds(g) : INT64_C(10) * 365 * 86400;

	c->session.configure_until = (struct mono){clock_mono().ns + seconds * NS};
}

static bool needs_session(struct gate *g, struct client *c)
{
	if (c->session.id != 0)
		return true;
	client_opened(g, c, -1, _("this is for a session of the shell"));
	return false;
}

void session_configure(struct gate *g, struct client *c)
{
	if (!needs_session(g, c))
		return;
	if (c->request.argument == 0)
		c->session.configure_until = (struct mono){0};
	else if (c->session.configure_until.ns == 0)
		begin_configuring(g, c);
	answer_session(g, c, people_find(&g->people, c->peer.uid));
}

void session_extend(struct gate *g, struct client *c)
{
	if (!needs_session(g, c))
		return;
	if (c->session.configure_until.ns == 0 || c->request.why[0] == '\0') {
		client_opened(g, c, -1, c->request.why[0] == '\0' ? _("an extension needs a reason") :
								    _("configuration mode has not begun"));
		return;
	}
	begin_configuring(g, c);
	answer_session(g, c, people_find(&g->people, c->peer.uid));
}

/* The session of the process that asks: the shell runs its commands in itself, on connections of their own. */
bool session_allows(const struct gate *g, const struct client *c, char *err)
{
	for (unsigned i = 0; i < CLIENTS_MAX; i++) {
		const struct client *s = &g->clients[i];
		if (s->fd < 0 || s->session.id == 0 || s->peer.pid != c->peer.pid || s->peer.uid != c->peer.uid)
			continue;
		if (s->session.configure_until.ns == 0 || clock_mono().ns < s->session.configure_until.ns)
			continue;
		snprintf(err, 256, "%s", _("the time of configuration mode is over: extend it with a reason first"));
		return false;
	}
	return true;
}

/* -- Lines ------------------------------------------------------------------------------------------------- */

void session_command(struct gate *g, struct client *c, const struct msg_command *m)
{
	struct msg_work w = {.at = clock_wall().sec, .kind = MSG_WORK_LINE, .result = m->result, .uid = c->peer.uid,
		.role = roles_first(client_roles(g, c)), .session = c->session.id};
	const struct msg_opened done = {.ok = 1};

	MSG_TEXT(w.account, c->peer.account);
	MSG_TEXT(w.text, m->text);
	recorder_work(g, &w);
	c->session.waits = recorder_is_busy(g);
	if (!c->session.waits)
		client_answer(g, c, MSG_OPENED, &done, -1);
}

void session_tick(struct gate *g)
{
	const struct msg_opened done = {.ok = 1};
	uint32_t idle = idle_seconds(g);

	for (unsigned i = 0; i < CLIENTS_MAX; i++) {
		struct client *c = &g->clients[i];
		if (c->fd < 0 || c->session.id == 0)
			continue;
		if (c->session.waits && !recorder_is_busy(g)) {
			c->session.waits = false;
			client_answer(g, c, MSG_OPENED, &done, -1);
		} else if (idle != 0 && !c->session.waits && mono_since_ms(c->since) > (int64_t)idle * 1000) {
			session_end(g, c, MSG_LOGIN_IDLE);
			client_drop(g, c);
		}
	}
}
