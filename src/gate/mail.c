/*
 * mail.c: the mail gate as sekishod sees it: who may listen, who may be called, and how it fares.
 *
 *	policy in force   MSG_GENERATION to sekisho-maild; its mail servers to sekisho-connect; the addresses to listen on to
 *			  sekisho-init, which opens them for sekisho-maild
 *	closed            nobody listens, and the closed ruleset cuts what runs: its senders keep their mail
 *	MSG_MAIL_STATUS   kept for the console; silence and dead next hops are findings
 *
 * Input and trust: sekisho-maild reads SMTP of the internet: its numbers are shown and compared, never used as sizes.
 * Everything here is a whole, said again until the socket takes it: the newest counts.
 */
#include "mail.h"

#include "gate.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <sys/epoll.h>
#include <time.h>
#include <unistd.h>

#include <sekisho/loop.h>

/* It speaks each 5 s at least. */
#define SILENT_MS 20000
#define MESSAGES_A_TURN 16
#define SETTLE_STEP_MS 5
#define SETTLE_STEPS 50

/* -- From the policy ------------------------------------------------------------------------------------- */

static bool is_mail(const struct ir *ir, const struct ir_own *o)
{
	return strcmp(ir_text(ir, o->what), "mail") == 0;
}

static bool is_called(const struct ir *ir, const struct ir_own *o)
{
	return o->out && o->port_lo == DAEMON_MAIL_PORT && is_mail(ir, o);
}

static bool same(const struct msg_mail_address *a, const struct msg_mail_address *b)
{
	return memcmp(a, b, sizeof(*a)) == 0;
}

/* The same address may be there for each network that it serves. */
static uint32_t add(struct msg_mail_address *list, uint32_t n, uint32_t max, const struct msg_mail_address *a)
{
	for (uint32_t i = 0; i < n; i++)
		if (same(&list[i], a))
			return n;
	if (n < max)
		list[n++] = *a;
	return n;
}

static struct msg_mail_address listen_address(const struct ir *ir, const struct ir_own *o)
{
	enum segment_kind kind = (enum segment_kind)ir->segments[ir->interfaces[o->interface].segment].kind;
	struct msg_mail_address a = {.family = o->family, .port = DAEMON_MAIL_PORT,
		.direction = kind == KIND_INTERNET ? MSG_MAIL_IN : MSG_MAIL_OUT};

	memcpy(a.addr, o->local, sizeof(a.addr));
	return a;
}

/* One for each family that has mail to be turned: which server was meant, its connection says. */
static void add_turned(const bool turned[2], struct msg_mail_listen *listen)
{
	for (unsigned i = 0; i < 2; i++) {
		struct msg_mail_address a = {.family = i == 0 ? 4 : 6, .port = DAEMON_MAIL_TURNED_PORT, .transparent = 1};
		if (turned[i])
			listen->n = add(listen->address, listen->n, MSG_MAIL_LISTENERS_MAX, &a);
	}
}

static void read_policy(const struct generation *gen, struct msg_mail_listen *listen, struct msg_mail_hops *hops)
{
	bool turned[2] = {false, false};

	for (uint32_t i = 0; i < gen->ir.nowns; i++) {
		const struct ir_own *o = &gen->ir.owns[i];
		struct msg_mail_address hop = {.family = o->family, .port = DAEMON_MAIL_PORT};
		memcpy(hop.addr, o->remote.lo, sizeof(hop.addr));
		struct msg_mail_address here = listen_address(&gen->ir, o);
		if (is_called(&gen->ir, o))
			hops->n = add(hops->hop, hops->n, MSG_MAIL_HOPS_MAX, &hop);
		else if (o->turned)
			turned[o->family == 6] = true;
		else if (!o->out && is_mail(&gen->ir, o))
			listen->n = add(listen->address, listen->n, MSG_MAIL_LISTENERS_MAX, &here);
	}
	add_turned(turned, listen);
}

/* -- Saying it ------------------------------------------------------------------------------------------- */

static void say_generation(struct gate *g)
{
	struct gate_mail *m = &g->mail;
	struct msg_generation gen = {.number = g->in_kernel->number, .at = g->in_kernel->meta.at};

	m->generation_due = msg_send(m->fd, MSG_GENERATION, 0, &gen, &g->in_kernel->ir_fd, 1) != 0;
	if (!m->generation_due)
		m->told = gen.number;
}

static void say_cuts(struct gate *g)
{
	struct msg_cuts m = {.n = g->cut.list.n, .level = g->cut.list.level};
	int fd = gate_cut_memfd(g);

	g->mail.cuts_due = fd < 0 || msg_send(g->mail.fd, MSG_CUTS, 0, &m, &fd, 1) != 0;
	if (fd >= 0)
		close(fd);
}

/* Cuts and the policy first: a session that begins has them. */
static void say_due(struct gate *g)
{
	struct gate_mail *m = &g->mail;

	if (m->fd < 0)
		return;
	if (m->cuts_due)
		say_cuts(g);
	if (m->generation_due && g->in_kernel != NULL)
		say_generation(g);
	for (uint32_t i = 0; i < 2; i++) {
		struct msg_mail_command c = {.what = MSG_MAIL_STOP, .direction = MSG_MAIL_IN + i};
		if (m->stop_due[i])
			m->stop_due[i] = msg_send(m->fd, MSG_MAIL_COMMAND, 0, &c, NULL, 0) != 0;
	}
	if (m->hops_due)
		m->hops_due = msg_send(m->caller, MSG_MAIL_HOPS, 0, &m->hops, NULL, 0) != 0;
	if (m->listen_due && !m->generation_due && !m->cuts_due)
		m->listen_due = msg_send(g->d->init, MSG_MAIL_LISTEN, 0, &m->listen, NULL, 0) != 0;
}

/* A ruleset is programmed anew with each change of the schedule: what did not change is not said again. */
void gate_mail_enforce(struct gate *g, const struct generation *gen)
{
	struct gate_mail *m = &g->mail;
	struct msg_mail_listen listen = {0};
	struct msg_mail_hops hops = {0};

	if (gen != NULL) {
		read_policy(gen, &listen, &hops);
		m->hops_due = m->hops_due || memcmp(&hops, &m->hops, sizeof(hops)) != 0;
		m->generation_due = m->generation_due || gen->number != m->told;
		m->hops = hops;
	}
	m->listen_due = m->listen_due || memcmp(&listen, &m->listen, sizeof(listen)) != 0;
	m->listen = listen;
	say_due(g);
}

void gate_mail_cut(struct gate *g)
{
	g->mail.cuts_due = true;
	say_due(g);
}

void gate_mail_renew(struct gate *g, const char *name)
{
	struct gate_mail *m = &g->mail;

	if (strcmp(name, jail_name(JAIL_MAIL)) == 0) {
		for (unsigned i = 0; i < 2; i++)
			m->stop_due[i] = m->have_status && m->status.way[i].flood == MSG_MAIL_STOPPED;
		m->generation_due = g->in_kernel != NULL;
		m->cuts_due = true;
		m->have_status = false;
		m->heard = clock_mono();
	} else if (strcmp(name, jail_name(JAIL_CONNECT)) == 0) {
		m->hops_due = true;
	}
	say_due(g);
}

int gate_mail_command(struct gate *g, const struct msg_mail_command *c)
{
	return g->mail.fd < 0 ? -ENOTCONN : msg_send(g->mail.fd, MSG_MAIL_COMMAND, 0, c, NULL, 0);
}

/* -- Hearing it ------------------------------------------------------------------------------------------ */

static void on_mail(void *arg, int fd, uint32_t events)
{
	struct gate *g = arg;
	struct gate_mail *m = &g->mail;
	struct msg got;
	int r = -EAGAIN;

	(void)events;
	for (unsigned i = 0; i < MESSAGES_A_TURN && (r = msg_recv(fd, &got)) == 1; i++) {
		bool good = got.type == MSG_MAIL_STATUS;
		if (good) {
			m->status = got.u.msg_mail_status;
			m->have_status = true;
			m->heard = clock_mono();
		}
		msg_close_fds(&got);
		if (!good) {
			r = -EPROTO;
			break;
		}
	}
	if (r == -EPROTO)
		daemon_peer_broken(g->d, MSG_PEER_MAIL);
}

/* Nothing comes this way. */
static void on_caller(void *arg, int fd, uint32_t events)
{
	struct gate *g = arg;
	struct msg got;

	(void)events;
	int r = msg_recv(fd, &got);
	if (r == 1)
		msg_close_fds(&got);
	if (r != -EAGAIN)
		daemon_peer_broken(g->d, MSG_PEER_CONNECT);
}

/* Its answer to a list of cuts is its status, at once. */
void gate_mail_settle(struct gate *g)
{
	struct gate_mail *m = &g->mail;
	struct timespec step = {.tv_nsec = SETTLE_STEP_MS * 1000000L};
	struct mono before = m->heard;

	if (m->fd < 0 || m->cuts_due || !m->have_status || m->status.sessions == 0)
		return;
	for (int i = 0; i < SETTLE_STEPS && m->heard.ns == before.ns; i++) {
		nanosleep(&step, NULL);
		relay_pump(g);
		on_mail(g, m->fd, 0);
	}
}

static void way_findings(struct gate *g, const struct msg_mail_way *w, const char *word)
{
	char text[96];

	if (!w->configured)
		return;
	if (w->hops_well == 0 && w->hops > 0) {
		snprintf(text, sizeof(text), "%s", word);
		gate_finding(g, SOURCE_MAIL, FINDING_MAIL_HOP_DOWN, text);
	}
	if (w->flood == MSG_MAIL_STOPPED)
		gate_finding(g, SOURCE_MAIL, FINDING_MAIL_STOPPED, word);
	else if (w->flood == MSG_MAIL_SLOWED)
		gate_finding(g, SOURCE_MAIL, FINDING_MAIL_SLOWED, word);
	if (w->listening == 0)
		gate_finding(g, SOURCE_MAIL, FINDING_MAIL_DEAF, word);
}

void gate_mail_tick(struct gate *g)
{
	static const char *const words[2] = {"inbound", "outbound"};
	struct gate_mail *m = &g->mail;

	if (m->fd < 0)
		return;
	say_due(g);
	health_begin(&g->health, SOURCE_MAIL);
	if (m->listen.n > 0 && mono_since_ms(m->heard) > SILENT_MS)
		gate_finding(g, SOURCE_MAIL, FINDING_MAIL_AWAY, "");
	for (unsigned i = 0; i < 2 && m->have_status && m->listen.n > 0; i++)
		way_findings(g, &m->status.way[i], words[i]);
	gate_health_end(g, SOURCE_MAIL);
}

int gate_mail_start(struct gate *g, int fd, int caller)
{
	g->mail = (struct gate_mail){.fd = fd, .caller = caller, .cuts_due = true, .heard = clock_mono()};
	if (fd < 0)
		return 0;
	int r = loop_add_fd(g->d->loop, fd, EPOLLIN, on_mail, g);
	return r != 0 ? r : loop_add_fd(g->d->loop, caller, EPOLLIN, on_caller, g);
}
