/*
 * session.c: one connection of a client: bytes between its socket and the machine of smtp_server.h, events to transaction.c.
 *
 * Nothing is read while an answer is due or the output waits; what was read and not taken yet (pipelined commands) is kept,
 * READ bytes at most. A session that is over goes once its output is written, or at its deadline.
 *
 * Input: anything, from anybody. Limits: maild.h; times and rates by smtp_server.h.
 */
#include "maild.h"

#include <errno.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/socket.h>
#include <unistd.h>

#include <sekisho/loop.h>

#define READ 65536u
/* While commands are read: few bytes to keep. */
#define READ_COMMANDS 4096u
#define OPENING SMTP_PIPELINING | SMTP_SIZE | SMTP_ENHANCED

void maild_log(const struct session *s, const char *fmt, ...)
{
	char text[512];
	va_list ap;

	va_start(ap, fmt);
	vsnprintf(text, sizeof(text), fmt, ap);
	va_end(ap);
	daemon_log("%s: %s", s->peer_text, text);
}

void send_at_once(int fd)
{
	int on = 1;

	/* Without it everything works, only slower. */
	if (setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &on, sizeof(on)) != 0)
		daemon_log("TCP_NODELAY: %s", strerror(errno));
}

/* -- The end --------------------------------------------------------------------------------------------- */

/* Its memory stays until the next tick: somebody may be walking over the sessions. */
static void end(struct session *s)
{
	struct maild *m = s->m;

	s->running = true;
	transaction_reset(s);
	tls_cancel(m, &s->tls);
	loop_del_fd(m->d->loop, s->fd);
	close(s->fd);
	m->nsecured[s->way] -= s->secured;
	*s->back = s->next;
	if (s->next != NULL)
		s->next->back = s->back;
	m->nsessions--;
	m->nways[s->way]--;
	policy_free(s->policy);
	free(s->kept);
	s->fd = -1;
	s->grave = m->graves;
	m->graves = s;
	if (m->paused && m->nsessions < MAILD_SESSIONS - MAILD_SESSIONS / 8)
		listen_pause(m, false);
}

/* -- Bytes ----------------------------------------------------------------------------------------------- */

/* What the socket takes. */
static void write_output(struct session *s)
{
	size_t n;
	const char *p;

	while ((p = smtp_server_output(&s->server, &n)), n > 0) {
		ssize_t sent = send(s->fd, p, n, MSG_NOSIGNAL | MSG_DONTWAIT);
		if (sent < 0 && errno != EAGAIN && errno != EINTR) {
			s->dead = true;
			return;
		}
		if (sent <= 0)
			break;
		smtp_server_sent(&s->server, maild_now(), (size_t)sent);
	}
	s->writing = n > 0;
}

static bool keep(struct session *s, const char *p, size_t n)
{
	if (n == 0) {
		free(s->kept);
		s->kept = NULL;
		s->nkept = 0;
		return true;
	}
	char *copy = malloc(n);
	if (copy == NULL)
		return false;
	memcpy(copy, p, n);
	free(s->kept);
	s->kept = copy;
	s->nkept = n;
	return true;
}

/* -- STARTTLS -------------------------------------------------------------------------------------------- */

static bool has_certificate(const struct session *s)
{
	const struct ir_mail *way = s->policy->way[s->way];

	return way != NULL && way->tls != TLS_OFF && tls_has(s->m, ir_text(&s->policy->ir, way->certificate), true);
}

/* Where it is demanded it is offered also while it cannot be had: STARTTLS is answered with 454 then. */
static unsigned may_secure(const struct session *s)
{
	const struct ir_mail *way = s->policy->way[s->way];

	return way != NULL && (way->tls == TLS_DEMAND || (way->tls == TLS_OFFER && has_certificate(s))) ? SMTP_STARTTLS : 0;
}

static void starttls(struct session *s)
{
	if (has_certificate(s) && s->m->nsecured[s->way] < MAILD_TLS_SESSIONS) {
		s->secured = true;
		s->m->nsecured[s->way]++;
		smtp_server_accept(&s->server, maild_now());
	} else {
		smtp_server_answer(&s->server, maild_now(), SMTP_SAY_NO_TLS);
	}
}

static void on_client(void *arg, int fd, uint32_t events);

static void on_secured(void *arg, const struct msg_tls_done *r)
{
	struct session *s = arg;

	if (r->why != TLS_WHY_OK)
		maild_log(s, "STARTTLS: %s", tls_why_text(r->why));
	if (r->why != TLS_WHY_OK || loop_add_fd(s->m->d->loop, s->fd, EPOLLIN, on_client, s) != 0) {
		transaction_unsecured(s, r->why);
		s->dead = true;
	} else {
		tls_write(r, s->tls_text, sizeof(s->tls_text));
		s->watched = EPOLLIN;
		smtp_server_secured(&s->server, maild_now());
	}
	session_go_on(s);
}

/* Our 220 is written, and nothing was read behind STARTTLS: what comes now is the handshake's, and not ours to read. */
static void hand_over(struct session *s)
{
	struct msg_tls_job job = {.role = MSG_TLS_SERVER};

	MSG_TEXT(job.certificate, ir_text(&s->policy->ir, s->policy->way[s->way]->certificate));
	s->tls = (struct tls_wait){.done = on_secured, .arg = s};
	int stream = tls_start(s->m, &s->tls, &job, s->fd);
	if (stream < 0) {
		maild_log(s, "STARTTLS: sekisho-tls: %s", strerror(-stream));
		s->dead = true;
		return;
	}
	loop_del_fd(s->m->d->loop, s->fd);
	close(s->fd);
	s->fd = stream;
}

static void helo(struct session *s)
{
	const struct ir_mail *way = s->policy->way[s->way];
	unsigned hops = hop_extensions(s->m, s->way == MAIL_IN ? HOP_IN : HOP_OUT);

	/* Inbound what leaves is of seven bits, whatever came. */
	smtp_server_offer(&s->server, OPENING | (s->way == MAIL_IN ? SMTP_8BITMIME : 0) | hops | may_secure(s), way->max_size);
	smtp_server_accept(&s->server, maild_now());
}

static void take_event(struct session *s, const struct smtp_event *e)
{
	switch (e->kind) {
	case SMTP_EVENT_HELO:
		transaction_reset(s);
		helo(s);
		break;
	case SMTP_EVENT_MAIL:
		s->envelope.mail = *e->mail;
		transaction_mail(s);
		break;
	case SMTP_EVENT_RCPT:
		transaction_rcpt(s, e->rcpt);
		break;
	case SMTP_EVENT_DATA:
		transaction_data(s);
		break;
	case SMTP_EVENT_BYTES:
		transaction_bytes(s, e->data, e->n);
		break;
	case SMTP_EVENT_END:
		transaction_end(s, e);
		break;
	case SMTP_EVENT_GONE:
		if (e->why == SMTP_WHY_INJECTED)
			transaction_injected(s);
		transaction_reset(s);
		break;
	case SMTP_EVENT_RESET:
		transaction_reset(s);
		break;
	case SMTP_EVENT_XFORWARD:
		s->origin = *e->origin;
		break;
	case SMTP_EVENT_STARTTLS:
		starttls(s);
		break;
	default: /* nothing that we offer */
		if (smtp_server_due(&s->server) != SMTP_EVENT_NONE)
			smtp_server_answer(&s->server, maild_now(), SMTP_SAY_NOT_HERE);
		break;
	}
}

/* Takes bytes until an answer is due. Returns how many are left. */
static size_t push(struct session *s, const char *p, size_t n)
{
	while (n > 0 && !s->dead && smtp_server_want(&s->server) > 0) {
		struct smtp_event e;
		size_t taken = smtp_server_push(&s->server, maild_now(), p, n, &e);
		p += taken;
		n -= taken;
		if (e.kind != SMTP_EVENT_NONE)
			take_event(s, &e);
		else if (taken == 0)
			break;
		/* Replies gather until there is nothing more to read: one write for all that was pipelined. */
		if (n > 0 && smtp_server_want(&s->server) == 0)
			write_output(s);
	}
	return n;
}

static void push_kept(struct session *s)
{
	char *p = s->kept;
	size_t n = s->nkept;

	if (n == 0 || smtp_server_want(&s->server) == 0)
		return;
	s->kept = NULL;
	s->nkept = 0;
	size_t left = push(s, p, n);
	if (!keep(s, p + (n - left), left))
		s->dead = true;
	free(p);
}

static void read_input(struct session *s)
{
	static char buf[READ];
	size_t want = smtp_server_want(&s->server), room = s->step == STEP_DATA ? READ : READ_COMMANDS;

	if (s->nkept > 0 || want == 0)
		return;
	ssize_t n = recv(s->fd, buf, want < room ? want : room, MSG_DONTWAIT);
	if (n == 0 || (n < 0 && errno != EAGAIN && errno != EINTR)) {
		struct smtp_event e;
		smtp_server_closed(&s->server, maild_now(), &e);
		if (e.kind != SMTP_EVENT_NONE)
			take_event(s, &e);
		s->dead = true;
		return;
	}
	if (n <= 0)
		return;
	size_t left = push(s, buf, (size_t)n);
	if (left > 0 && !keep(s, buf + ((size_t)n - left), left))
		s->dead = true;
}

/* Watched only for what it may do now: else a client that sends without end would keep us turning. */
static void watch(struct session *s)
{
	bool readable = smtp_server_want(&s->server) > 0 && s->nkept == 0;
	uint32_t events = (readable ? EPOLLIN : 0) | (s->writing ? EPOLLOUT : 0);

	if (events != s->watched)
		loop_mod_fd(s->m->d->loop, s->fd, events);
	s->watched = events;
}

void session_go_on(struct session *s)
{
	if (s->running || s->fd < 0)
		return;
	s->running = true;
	write_output(s);
	for (size_t before = SIZE_MAX; s->nkept > 0 && s->nkept != before && !s->dead;) {
		before = s->nkept;
		push_kept(s);
		write_output(s);
	}
	if (smtp_server_securing(&s->server) && !s->writing && !s->dead && !s->tls.waiting)
		hand_over(s);
	s->running = false;
	if (s->dead || (smtp_server_over(&s->server) && !s->writing))
		end(s);
	else if (!s->tls.waiting)
		watch(s);
}

static void on_client(void *arg, int fd, uint32_t events)
{
	struct session *s = arg;

	(void)fd;
	if ((events & (EPOLLERR | EPOLLHUP)) != 0 && smtp_server_want(&s->server) == 0)
		s->dead = true;
	s->running = true;
	if (!s->dead && (events & ~(uint32_t)EPOLLOUT) != 0)
		read_input(s);
	s->running = false;
	session_go_on(s);
}

/* -- Beginning, time ------------------------------------------------------------------------------------- */

static void greet(struct session *s)
{
	enum mail_reason reason = transaction_greet(s);

	if (reason == MAIL_REASON_NONE)
		smtp_server_accept(&s->server, maild_now());
	else
		smtp_server_reply(&s->server, maild_now(), mail_reason_smtp(reason), mail_reason_enhanced(reason),
			mail_reason_text(reason));
}

int session_start(struct maild *m, int fd, const struct caller *who)
{
	struct session *s = calloc(1, sizeof(*s));
	char text[ADDR_TEXT_MAX];

	if (s == NULL)
		return -ENOMEM;
	*s = (struct session){.m = m, .fd = fd, .way = who->way, .peer = who->peer, .meant = who->meant, .spool = {.fd = -1},
		.watched = EPOLLIN, .policy = policy_use(m->policy)};
	snprintf(s->peer_text, sizeof(s->peer_text), "%s", addr_format(&who->peer, text));
	const struct ir_mail *rules = s->policy != NULL ? s->policy->way[s->way] : NULL;
	struct smtp_server_options o = {.name = s->policy != NULL ? s->policy->hostname : "sekisho", .offer = OPENING,
		.need_tls = rules != NULL && rules->tls == TLS_DEMAND};
	smtp_server_begin(&s->server, &o, maild_now());
	int r = loop_add_fd(m->d->loop, fd, EPOLLIN, on_client, s);
	if (r != 0) {
		policy_free(s->policy);
		free(s);
		return r;
	}
	s->next = m->sessions;
	s->back = &m->sessions;
	if (s->next != NULL)
		s->next->back = &s->next;
	m->sessions = s;
	m->nsessions++;
	m->nways[s->way]++;
	greet(s);
	session_go_on(s);
	return 0;
}

static void tick(struct session *s, int64_t now)
{
	struct smtp_event e = {0};

	transaction_tick(s, now);
	if (smtp_server_deadline(&s->server) <= now) {
		smtp_server_tick(&s->server, now, &e);
		if (e.kind != SMTP_EVENT_NONE)
			take_event(s, &e);
		/* It had its last line, and a while to take it. */
		if (smtp_server_over(&s->server) && smtp_server_deadline(&s->server) <= now)
			s->dead = true;
		session_go_on(s);
	}
}

static void bury(struct maild *m)
{
	for (struct session *s = m->graves, *next; s != NULL; s = next) {
		next = s->grave;
		free(s);
	}
	m->graves = NULL;
}

void session_tick(struct maild *m, int64_t now)
{
	bury(m);
	for (struct session *s = m->sessions, *next; s != NULL; s = next) {
		next = s->next;
		if (s->fd >= 0)
			tick(s, now);
	}
}

static void cut(struct session *s)
{
	transaction_reset(s);
	smtp_server_break(&s->server, maild_now(), mail_reason_enhanced(MAIL_REASON_CUT), mail_reason_text(MAIL_REASON_CUT));
	s->running = true;
	write_output(s);
	s->running = false;
	end(s);
}

void session_cut(struct maild *m)
{
	for (struct session *s = m->sessions, *next; s != NULL; s = next) {
		next = s->next;
		if (s->fd >= 0 && session_is_cut(s)) {
			maild_log(s, "ended by an emergency cut");
			cut(s);
		}
	}
}

void session_policy(struct maild *m)
{
	for (struct session *s = m->sessions, *next; s != NULL; s = next) {
		next = s->next;
		if (s->fd < 0 || s->meant.family == 0 || ir_mail_turned(&m->policy->ir, &s->meant) != NULL)
			continue;
		s->dead = true;
		session_go_on(s);
	}
}

/* No new mail is begun; what runs is brought to its end. */
void session_stop(struct maild *m)
{
	for (struct session *s = m->sessions, *next; s != NULL; s = next) {
		next = s->next;
		if (s->fd < 0)
			continue;
		smtp_server_drain(&s->server, maild_now());
		session_go_on(s);
	}
}
