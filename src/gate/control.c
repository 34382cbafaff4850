/*
 * control.c: the control socket: requests of the `sekisho` command.
 *
 * Input and trust: a peer is who the kernel says it is (peer.h) and may what the table of roles gives it (roles.h): a request
 * that is not for its role is answered with MSG_REFUSED and recorded. Its messages are checked by msg_recv(), its files are
 * only moved. Each client has one request under way. Status, log and running
 * are answered at once; commits and proofs one after another in the order of arrival.
 * Limits: CLIENTS_MAX clients, CLIENTS_EACH of one person, CLIENTS_OTHERS without administrators, so that nobody keeps those
 * out; a client that asks nothing for CLIENT_IDLE_MS, or longest when another needs its place, is dropped, a session by its own
 * rules (session.h). An answer that the client does not take (full socket) ends it: nobody waits for a client.
 */
#include "gate.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/socket.h>
#include <unistd.h>

#include <sekisho/i18n.h>
#include <sekisho/loop.h>

#define CLIENT_IDLE_MS 60000
/* How long logd serves one query socket. */
#define LOG_SECONDS 3600
#define BOOT_RETRY_MS 5000
/* Somebody who changes tables all the time keeps us proving, but not more often than this. */
#define PROOF_SPACING_MS 1000

void client_drop(struct gate *g, struct client *c)
{
	int index = (int)(c - g->clients);

	if (c->fd < 0)
		return;
	session_end(g, c, MSG_LOGIN_END);
	/* Its job goes on: what was begun is not left half done. */
	if (g->job.client == index)
		g->job.client = -1;
	loop_del_fd(g->d->loop, c->fd);
	close(c->fd);
	if (c->policy >= 0)
		msg_close_fd(c->policy);
	*c = (struct client){.fd = -1, .policy = -1};
}

static enum msg_work_result result_of(enum msg_type type, const void *body)
{
	switch ((int)type) {
	case MSG_REFUSED:
		return MSG_WORK_REFUSED;
	case MSG_COMMITTED:
		return ((const struct msg_committed *)body)->ok ? MSG_WORK_DONE : MSG_WORK_FAILED;
	case MSG_OPENED:
		return ((const struct msg_opened *)body)->ok ? MSG_WORK_DONE : MSG_WORK_FAILED;
	default:
		return MSG_WORK_DONE;
	}
}

/* The request in a line: "rollback 12: wrong host [R8-014]". */
static void request_text(const struct msg_request *q, char text[MSG_LINE])
{
	char number[16] = "", line[MSG_LINE];

	if (q->argument != 0)
		snprintf(number, sizeof(number), " %u", q->argument);
	snprintf(line, sizeof(line), "%s%s%s%s%s%s%s", roles_verb(q->verb), number, q->why[0] != '\0' ? ": " : "", q->why,
		q->approval[0] != '\0' ? " [" : "", q->approval, q->approval[0] != '\0' ? "]" : "");
	msg_text(text, MSG_LINE, line);
}

/* Who asked for more than a look, and what became of it. Refusals of one person in a row are counted, not all written. */
static void record_request(struct gate *g, const struct client *c, enum msg_type type, const void *body)
{
	struct msg_work w = {.at = clock_wall().sec,
		.kind = MSG_WORK_REQUEST,
		.result = result_of(type, body),
		.uid = c->peer.uid,
		.role = roles_first(client_roles(g, c)),
		.session = c->session.id};

	if (type == MSG_REFUSED ? !people_refused(g, &c->peer) : !roles_changes(c->request.verb))
		return;
	MSG_TEXT(w.account, c->peer.account);
	MSG_TEXT(w.who, c->request.who);
	request_text(&c->request, w.text);
	recorder_work(g, &w);
}

void client_answer(struct gate *g, struct client *c, enum msg_type type, const void *body, int fd)
{
	c->waiting = false;
	c->since = clock_mono();
	if (c->asked)
		record_request(g, c, type, body);
	c->asked = false;
	if (msg_send(c->fd, type, c->tag, body, fd >= 0 ? &fd : NULL, fd >= 0 ? 1 : 0) != 0)
		client_drop(g, c);
}

/* What the policy in force adds for a time. Days mean nothing to a clock that is not believed. */
static uint32_t deputy_roles(const struct gate *g, const struct peer *peer)
{
	static const enum msg_role roles[] = {[IR_DEPUTY_VIEWER] = MSG_ROLE_VIEWER, [IR_DEPUTY_OPERATOR] = MSG_ROLE_OPERATOR,
		[IR_DEPUTY_ADMINISTRATOR] = MSG_ROLE_ADMINISTRATOR};
	const struct ir *ir = g->current != NULL ? &g->current->ir : NULL;
	int64_t now = clock_wall().sec;
	uint32_t all = peer->roles;

	for (uint32_t i = 0; ir != NULL && g->clock_trusted && i < ir->ndeputies; i++) {
		const struct ir_deputy *d = &ir->deputies[i];
		if (now >= d->from && now < d->until && strcmp(ir_text(ir, d->user), peer->account) == 0)
			all = roles_add(all, roles[d->role]);
	}
	return all;
}

/* What this person may at this moment. */
uint32_t client_roles(const struct gate *g, const struct client *c)
{
	return deputy_roles(g, &c->peer);
}

/* -- Answers at once ------------------------------------------------------------------------------------- */

static void fill_policy(const struct gate *g, struct msg_status *s)
{
	struct ruleset_counts n = {0};

	if (g->current == NULL)
		return;
	s->generation = g->current->number;
	s->committed_at = g->committed_at;
	s->nrules = g->current->ir.nrules;
	MSG_TEXT(s->hostname, ir_text(&g->current->ir, g->current->ir.system->hostname));
	MSG_TEXT(s->timezone, ir_text(&g->current->ir, g->current->ir.system->timezone));
	if (nft_current(g->nft) != NULL)
		ruleset_count(nft_current(g->nft), &n);
	s->nboxes_open = n.boxes_open;
	s->nboxes_timed_closed = n.boxes_timed_closed;
}

void control_status(struct gate *g, struct msg_status *ret)
{
	*ret = (struct msg_status){.health = health_now(&g->health), .clock_trusted = g->clock_trusted,
		.started_at = g->started.sec};
	ret->gate_open = g->state == GATE_OPEN && g->records != NFT_RECORDS_CLOSE_ALL && g->current != NULL;
	fill_policy(g, ret);
	net_conntrack(&ret->conntrack_count, &ret->conntrack_max);
	ret->confirm_by = g->confirm.deadline;
	ret->confirm_else = g->confirm.previous;
	ret->sessions = session_count(g);
	ret->nfindings = health_list(&g->health, ret->findings);
	ret->inspector = g->relay.shown;
	ret->ncuts = g->cut.list.n;
	ret->level = g->cut.list.level;
	ret->nfrozen = freeze_held(g);
	if (g->alarm.have_status)
		ret->alarm = g->alarm.status;
	ret->drill = g->drill.under_way ? g->drill.number : 0;
	if (g->have_counters)
		memcpy(ret->dropped, g->counters.packets, sizeof(ret->dropped));
	if (g->rec.have_status)
		ret->log = g->rec.status;
	else
		ret->log.writable = g->records == NFT_RECORDS_OK; /* it has not spoken yet */
}

static void answer_status(struct gate *g, struct client *c)
{
	struct msg_status s;

	control_status(g, &s);
	client_answer(g, c, MSG_STATUS, &s, -1);
}

void client_opened(struct gate *g, struct client *c, int fd, const char *error)
{
	struct msg_opened m = {.ok = fd >= 0};

	if (fd < 0)
		MSG_TEXT(m.error, error);
	client_answer(g, c, MSG_OPENED, &m, fd);
}

static void answer_log(struct gate *g, struct client *c)
{
	struct msg_client m = {.uid = c->peer.uid, .seconds = LOG_SECONDS, .role = roles_first(client_roles(g, c)),
		.rights = roles_rights(c->request.verb, client_roles(g, c))};
	int pair[2], r = 0;

	MSG_TEXT(m.account, c->peer.account);
	if (g->rec.fd < 0 || socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0, pair) != 0) {
		client_opened(g, c, -1, _("the recorder does not answer"));
		return;
	}
	r = msg_send(g->rec.fd, MSG_CLIENT, 0, &m, &pair[1], 1);
	close(pair[1]);
	client_opened(g, c, r == 0 ? pair[0] : -1, _("the recorder does not answer"));
	close(pair[0]);
}

static void answer_running(struct gate *g, struct client *c)
{
	struct store_meta meta;
	int fd = -ENOENT;

	if (g->have_store && g->running != 0 && store_meta(&g->store, g->running, &meta) == 0)
		fd = store_policy(&g->store, &meta);
	client_opened(g, c, fd, g->running == 0 ? _("no policy is in force") : _("the stored policy cannot be read"));
	if (fd >= 0)
		close(fd);
}

static void answer_mail(struct gate *g, struct client *c)
{
	static const struct msg_mail_status none;

	client_answer(g, c, MSG_MAIL_STATUS, g->mail.have_status ? &g->mail.status : &none, -1);
}

static void answer_tls(struct gate *g, struct client *c)
{
	client_answer(g, c, MSG_TLS_STATUS, &g->tls.status, -1);
}

static void answer_resume(struct gate *g, struct client *c)
{
	struct msg_mail_command m = {.what = MSG_MAIL_RESUME, .direction = c->request.argument};
	struct msg_opened done = {.ok = 1};

	MSG_TEXT(m.who, c->request.who);
	MSG_TEXT(m.sender, c->request.why);
	if ((m.direction != MSG_MAIL_IN && m.direction != MSG_MAIL_OUT) || gate_mail_command(g, &m) != 0) {
		client_opened(g, c, -1, _("the mail gate does not run"));
		return;
	}
	record(g, MSG_SEVERITY_NOTICE, "mail-resumed", "mail %s%s%s was resumed by %s",
		m.direction == MSG_MAIL_IN ? "inbound" : "outbound",
		m.sender[0] != '\0' ? " of " : "", m.sender, m.who);
	client_answer(g, c, MSG_OPENED, &done, -1);
}

static void answer_watched(struct gate *g, struct client *c)
{
	struct msg_watched m;
	int fds[2];
	unsigned n = watch_answer(g, c->request.verb, &m, fds);

	c->waiting = false;
	c->since = clock_mono();
	if (msg_send(c->fd, MSG_WATCHED, c->tag, &m, fds, n) != 0)
		client_drop(g, c);
}

/* -- Answers later --------------------------------------------------------------------------------------- */

void control_answer(struct gate *g, const struct job *j)
{
	struct client *c = &g->clients[j->client];
	struct msg_committed m = {.ok = !j->failed, .kernel_us = j->kernel_us, .errors = j->errors,
		.warnings = j->warnings};

	m.generation = g->current != NULL ? g->current->number : 0;
	m.confirm_minutes = j->failed ? 0 : j->confirm_minutes;
	m.total_us = (uint32_t)((clock_mono().ns - j->begun.ns) / 1000);
	if (j->failed)
		MSG_TEXT(m.error, j->error);
	/* The proof's findings say more than the compiler's when there are any. */
	client_answer(g, c, MSG_COMMITTED, &m, j->findings >= 0 && j->failed ? j->findings :
		(j->kind == JOB_PROVE ? j->findings : j->diagnostics));
}

static struct client *next_waiting(struct gate *g)
{
	struct client *next = NULL;

	for (unsigned i = 0; i < CLIENTS_MAX; i++) {
		struct client *c = &g->clients[i];
		if (c->fd >= 0 && c->waiting && (next == NULL || c->turn < next->turn))
			next = c;
	}
	return next;
}

static bool boot_is_due(const struct gate *g)
{
	return g->running != 0 && (g->state == GATE_SHUT || g->current == NULL) &&
	       (g->boot_at.ns == 0 || mono_since_ms(g->boot_at) >= BOOT_RETRY_MS);
}

/* Tried again, not at once, until it succeeds. */
static bool revert_is_due(const struct gate *g)
{
	return confirm_is_due(g) && (g->revert_at.ns == 0 || mono_since_ms(g->revert_at) >= BOOT_RETRY_MS);
}

static bool proof_is_due(const struct gate *g)
{
	int64_t since = g->proof_at.ns != 0 ? mono_since_ms(g->proof_at) : INT64_MAX;

	if (g->current == NULL || g->state == GATE_SHUT)
		return false;
	/* A proof that could not be made, or found something: again, but not at once. */
	return (g->proof_due && since >= PROOF_SPACING_MS) || (g->state == GATE_HELD && since >= BOOT_RETRY_MS);
}

void control_next(struct gate *g)
{
	if (g->job.kind != JOB_NONE)
		return;
	if (revert_is_due(g)) {
		g->revert_at = clock_mono();
		job_revert(g);
		return;
	}
	if (boot_is_due(g)) {
		g->boot_at = clock_mono();
		job_boot(g);
		return;
	}
	if (proof_is_due(g) && g->d->init >= 0) {
		g->proof_at = clock_mono();
		job_prove(g, -1);
		return;
	}
	struct client *c = next_waiting(g);
	if (c == NULL)
		return;
	if (c->request.verb != MSG_VERB_PROVE)
		job_commit(g, (int)(c - g->clients));
	else
		job_prove(g, (int)(c - g->clients));
}

/* -- Requests -------------------------------------------------------------------------------------------- */

static void refuse(struct gate *g, struct client *c, uint32_t verb)
{
	uint32_t roles = client_roles(g, c);
	struct msg_refused r = {.verb = verb, .uid = c->peer.uid, .role = roles_first(roles), .allowed = roles_allowed(verb)};

	MSG_TEXT(r.account, c->peer.account);
	client_answer(g, c, MSG_REFUSED, &r, -1);
}

static void answer_later(struct gate *g, struct client *c)
{
	c->waiting = true;
	control_next(g);
}

static const struct {
	uint32_t verb;
	void (*run)(struct gate *g, struct client *c);
} handlers[] = {
	{MSG_VERB_STATUS, answer_status},
	{MSG_VERB_ACCOUNTS, host_open},
	{MSG_VERB_HOST, host_open},
	{MSG_VERB_PASSWORD, host_open},
	{MSG_VERB_LOG, answer_log},
	{MSG_VERB_RECORD, answer_log},
	{MSG_VERB_APPROVE, answer_log},
	{MSG_VERB_RUNNING, answer_running},
	{MSG_VERB_MAIL, answer_mail},
	{MSG_VERB_RESUME, answer_resume},
	{MSG_VERB_TLS, answer_tls},
	{MSG_VERB_ALARM_TEST, gate_alarm_test},
	{MSG_VERB_FLOWS, answer_watched},
	{MSG_VERB_POLICY, answer_watched},
	{MSG_VERB_SESSION, session_begin},
	{MSG_VERB_SESSIONS, session_list},
	{MSG_VERB_CONFIGURE, session_configure},
	{MSG_VERB_EXTEND, session_extend},
	{MSG_VERB_HISTORY, past_list},
	{MSG_VERB_GENERATION, past_text},
	{MSG_VERB_CONFIRM, past_confirm},
	{MSG_VERB_CANDIDATE_GET, drafts_get},
	{MSG_VERB_CANDIDATE_PUT, drafts_put},
	{MSG_VERB_CANDIDATE_LIST, drafts_list},
	{MSG_VERB_CANDIDATE_DISCARD, drafts_discard},
	{MSG_VERB_CUT, act_cut},
	{MSG_VERB_CUTS, act_cuts},
	{MSG_VERB_RESTORE, act_restore},
	{MSG_VERB_LEVEL, act_level},
	{MSG_VERB_DRILL, act_drill},
	{MSG_VERB_FREEZE, act_freeze},
	{MSG_VERB_FREEZES, act_freezes},
	{MSG_VERB_RELEASE, act_release},
	{MSG_VERB_FREEZE_FILE, act_freeze_file},
	{MSG_VERB_COMMIT, answer_later},
	{MSG_VERB_ROLLBACK, answer_later},
	{MSG_VERB_PROVE, answer_later},
};

static void take_request(struct gate *g, struct client *c, struct msg *m)
{
	c->turn = ++g->turns;
	if (c->policy >= 0)
		msg_close_fd(c->policy);
	c->policy = m->nfds > 0 ? m->fds[0] : -1;
	if (m->nfds > 0)
		m->fds[0] = -1;
	i18n_init(c->request.language);
	for (size_t i = 0; i < sizeof(handlers) / sizeof(handlers[0]); i++) {
		if (handlers[i].verb == c->request.verb) {
			handlers[i].run(g, c);
			return;
		}
	}
	client_opened(g, c, -1, _("this gate cannot do that"));
}

static bool takes_file(uint32_t verb)
{
	return verb == MSG_VERB_COMMIT || verb == MSG_VERB_CANDIDATE_PUT;
}

static bool fits(const struct gate *g, const struct client *c, const struct msg *m)
{
	if (c->waiting || c->session.waits || g->job.client == (int)(c - g->clients))
		return false;
	if (m->type == MSG_COMMAND)
		return c->session.id != 0;
	return m->type == MSG_REQUEST && takes_file(m->u.msg_request.verb) == (m->nfds == 1);
}

static void on_request(struct gate *g, struct client *c, struct msg *m)
{
	uint32_t verb = m->u.msg_request.verb;

	c->request = m->u.msg_request;
	c->asked = true;
	if (roles_allowed(verb) == 0)
		client_drop(g, c);
	else if ((roles_allowed(verb) & client_roles(g, c)) == 0)
		refuse(g, c, verb);
	else
		take_request(g, c, m);
}

static void on_client(void *arg, int fd, uint32_t events)
{
	struct gate *g = arg;
	struct client *c = NULL;
	struct msg m;

	(void)events;
	for (unsigned i = 0; i < CLIENTS_MAX; i++)
		if (g->clients[i].fd == fd)
			c = &g->clients[i];
	if (c == NULL)
		return;
	int r = msg_recv(fd, &m);
	if (r == -EAGAIN)
		return;
	/* Gone, malformed, not for us, one without its file, or a second one before the first was answered. */
	if (r != 1 || !fits(g, c, &m)) {
		if (r == 1)
			msg_close_fds(&m);
		client_drop(g, c);
		return;
	}
	c->since = clock_mono();
	c->tag = m.tag;
	c->asked = false;
	if (m.type == MSG_COMMAND)
		session_command(g, c, &m.u.msg_command);
	else
		on_request(g, c, &m);
	msg_close_fds(&m);
}

static bool is_waiting(const struct gate *g, const struct client *c)
{
	return c->waiting || g->job.client == (int)(c - g->clients);
}

struct places {
	unsigned own, others; /* of this person; of all that are no administrators */
	struct client *free, *idle, *own_idle; /* idle: those that asked nothing for longest */
};

static void older(struct client **idle, struct client *c)
{
	if (*idle == NULL || c->since.ns < (*idle)->since.ns)
		*idle = c;
}

static struct places look_at_places(struct gate *g, uint32_t uid)
{
	struct places p = {0};

	for (unsigned i = 0; i < CLIENTS_MAX; i++) {
		struct client *c = &g->clients[i];
		if (c->fd < 0) {
			p.free = c;
			continue;
		}
		if (c->session.id != 0)
			continue;
		p.own += c->peer.uid == uid;
		p.others += (c->peer.roles & ROLE(ADMINISTRATOR)) == 0;
		if (is_waiting(g, c))
			continue;
		older(&p.idle, c);
		if (c->peer.uid == uid)
			older(&p.own_idle, c);
	}
	return p;
}

/* A free place, or that of a client that has asked nothing for longest. NULL when all of them wait for a job. */
static struct client *find_place(struct gate *g, const struct peer *peer)
{
	struct places p = look_at_places(g, peer->uid);
	bool administrator = (peer->roles & ROLE(ADMINISTRATOR)) != 0;
	struct client *c = p.free;

	if (peer->uid != 0 && p.own >= CLIENTS_EACH)
		c = p.own_idle;
	else if (!administrator && p.others >= CLIENTS_OTHERS)
		c = p.own_idle;
	else if (c == NULL)
		c = p.idle;
	if (c != NULL)
		client_drop(g, c);
	return c;
}

/* Somebody without any role. */
static void turn_away(struct gate *g, const struct peer *peer)
{
	struct msg_login m = {.at = clock_wall().sec, .event = MSG_LOGIN_REFUSED, .uid = peer->uid};

	if (!people_refused(g, peer))
		return;
	MSG_TEXT(m.account, peer->account);
	recorder_login(g, &m);
}

static void on_control(void *arg, int fd, uint32_t events)
{
	struct gate *g = arg;
	int conn = accept4(fd, NULL, NULL, SOCK_CLOEXEC | SOCK_NONBLOCK);
	struct client *c;
	struct peer peer;

	(void)events;
	if (conn < 0)
		return;
	bool known = peer_of(conn, g->d->root, &peer) == 0;
	if (known && peer.roles == 0)
		turn_away(g, &peer);
	c = known && peer.roles != 0 ? find_place(g, &peer) : NULL;
	if (c == NULL || loop_add_fd(g->d->loop, conn, EPOLLIN, on_client, g) != 0) {
		close(conn);
		return;
	}
	*c = (struct client){.fd = conn, .peer = peer, .policy = -1, .since = clock_mono()};
}

int control_start(struct gate *g, int fd)
{
	g->control = fd;
	for (unsigned i = 0; i < CLIENTS_MAX; i++)
		g->clients[i] = (struct client){.fd = -1, .policy = -1};
	return fd >= 0 ? loop_add_fd(g->d->loop, fd, EPOLLIN, on_control, g) : 0;
}

void control_tick(struct gate *g)
{
	for (unsigned i = 0; i < CLIENTS_MAX; i++) {
		struct client *c = &g->clients[i];
		if (c->fd >= 0 && c->session.id == 0 && !is_waiting(g, c) && mono_since_ms(c->since) > CLIENT_IDLE_MS)
			client_drop(g, c);
	}
	session_tick(g);
	control_next(g);
}
