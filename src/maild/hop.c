/*
 * hop.c: connections to mail servers: called, kept for some seconds for the next mail, given up.
 *
 * Servers of a group are tried in the order of the policy, or only the one that a turned client had called; one that cannot be
 * reached, or does not greet, is left alone for DOWN_MS. Who needs a connection waits in a queue, PATIENCE_MS at most; when no
 * server is left all that wait are told.
 *
 * Input and trust: replies of mail servers, read by smtp_client.h alone; sockets of sekisho-connect.
 * Limits: MAILD_HOPS connections a group.
 */
#include "hop_private.h"

#include <errno.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/socket.h>
#include <unistd.h>

#include <sekisho/loop.h>

#define DOWN_MS 5000
#define CALL_MS 10000
#define PATIENCE_MS 20000
#define IDLE_MS 10000

/* -- Servers --------------------------------------------------------------------------------------------- */

static struct ir_run group_run(const struct maild *m, enum hop_group group)
{
	static const enum mail_direction ways[HOP_GROUPS] = {
		[HOP_IN] = MAIL_IN, [HOP_OUT] = MAIL_OUT, [HOP_ORIGINAL] = MAIL_IN};
	const struct ir_mail *w = m->policy != NULL ? m->policy->way[ways[group]] : NULL;

	if (w == NULL)
		return (struct ir_run){0};
	return group == HOP_ORIGINAL ? w->originals : w->hops;
}

uint32_t hop_servers(const struct maild *m, enum hop_group group)
{
	uint32_t n = group_run(m, group).n;

	return n < MSG_MAIL_HOPS_MAX ? n : MSG_MAIL_HOPS_MAX;
}

const struct ir_mail_host *hop_server(const struct maild *m, enum hop_group group, uint32_t i)
{
	return &m->policy->ir.mail_hosts[group_run(m, group).first + i];
}

static struct msg_mail_address server_address(const struct maild *m, enum hop_group group, uint32_t i)
{
	const struct ir_mail_host *h = hop_server(m, group, i);
	struct msg_mail_address a = {.family = h->family, .port = DAEMON_MAIL_PORT};

	memcpy(a.addr, h->range.lo, sizeof(a.addr));
	return a;
}

/* Is the i-th of the group the one that is asked for? */
static bool is_server(const struct maild *m, enum hop_group group, uint32_t i, const struct addr *asked)
{
	struct msg_mail_address a;

	if (asked->family == 0)
		return true;
	a = server_address(m, group, i);
	return a.family == asked->family && memcmp(a.addr, asked->b, sizeof(a.addr)) == 0;
}

/* The first that may be tried; -1: none. */
static int next_server(const struct maild *m, enum hop_group group, const struct addr *asked, int64_t now)
{
	for (uint32_t i = 0; i < hop_servers(m, group); i++)
		if (m->servers[group][i].down_until <= now && is_server(m, group, i, asked))
			return (int)i;
	return -1;
}

/* Would it do for who asks for this server? */
static bool serves(const struct hop *h, const struct addr *asked)
{
	return !h->stale && h->server < hop_servers(h->m, h->group) && is_server(h->m, h->group, h->server, asked);
}

static void server_down(struct maild *m, enum hop_group group, unsigned server)
{
	struct server_state *s = &m->servers[group][server];
	struct msg_mail_address a;
	struct addr addr;
	char text[ADDR_TEXT_MAX];

	s->down_until = maild_now() + DOWN_MS;
	if (s->down || server >= hop_servers(m, group))
		return;
	s->down = true;
	a = server_address(m, group, server);
	addr = ir_addr(a.family, a.addr);
	daemon_log("mail server %s takes no mail", addr_format(&addr, text));
}

const char *hop_name(const struct hop *h, char *buf)
{
	struct msg_mail_address a = {0};

	if (!h->stale && h->server < hop_servers(h->m, h->group))
		a = server_address(h->m, h->group, h->server);
	struct addr addr = ir_addr(a.family, a.addr);
	return a.family != 0 ? addr_format(&addr, buf) : "";
}

/* Before any of them was heard nothing is promised that the next one might not have. */
unsigned hop_extensions(const struct maild *m, enum hop_group group)
{
	unsigned common = SMTP_DSN | SMTP_8BITMIME, known = 0;

	for (uint32_t i = 0; i < hop_servers(m, group); i++) {
		if (!m->servers[group][i].known)
			continue;
		common &= m->servers[group][i].extensions;
		known++;
	}
	return known > 0 ? common : 0;
}

void hop_health(const struct maild *m, enum hop_group group, uint32_t *ret_all, uint32_t *ret_well)
{
	*ret_all = hop_servers(m, group);
	*ret_well = 0;
	for (uint32_t i = 0; i < *ret_all; i++)
		*ret_well += !m->servers[group][i].down;
}

void hop_close(struct hop *h)
{
	tls_cancel(h->m, &h->tls);
	if (h->fd >= 0) {
		loop_del_fd(h->m->d->loop, h->fd);
		close(h->fd);
	}
	h->fd = -1;
	h->tag = 0;
	h->ready = false;
	h->on_event = NULL;
}

/* -- Who waits ------------------------------------------------------------------------------------------- */

static struct hop *find_idle(struct maild *m, const struct hop_wait *w)
{
	struct hop *found = NULL;

	for (unsigned i = 0; i < MAILD_HOPS; i++) {
		struct hop *h = &m->hops[w->group][i];
		/* The youngest: the others grow old and are closed. */
		if (h->fd >= 0 && h->ready && h->on_event == NULL && !(w->fresh && h->used) && serves(h, &w->server) &&
			(found == NULL || h->since > found->since))
			found = h;
	}
	return found;
}

static void unlink_wait(struct maild *m, struct hop_wait *w)
{
	struct hop_wait **p = &m->hop_first[w->group];

	while (*p != NULL && *p != w)
		p = &(*p)->next;
	if (*p == w)
		*p = w->next;
	w->waiting = false;
}

static void give(struct hop_wait *w, struct hop *h)
{
	h->ready = false;
	w->done(w->arg, h, MAIL_REASON_NONE);
}

static bool same_server(const struct addr *a, const struct addr *b)
{
	return a->family == b->family && (a->family == 0 || addr_cmp(a, b) == 0);
}

static bool is_idle(const struct hop *h)
{
	return h->fd >= 0 && h->ready && h->on_event == NULL;
}

/* All that wait for this server, or for any. Who is told may come back at once: from the beginning then. */
static void refuse_all(struct maild *m, enum hop_group group, const struct addr *asked)
{
	for (struct hop_wait *w = m->hop_first[group]; w != NULL;) {
		if (!same_server(&w->server, asked)) {
			w = w->next;
			continue;
		}
		unlink_wait(m, w);
		w->done(w->arg, NULL, hop_why_none(m, group));
		w = m->hop_first[group];
	}
}

/* A free place, or that of an idle connection to a server that is not asked for. */
static struct hop *find_place(struct maild *m, enum hop_group group, const struct addr *asked)
{
	struct hop *idle = NULL;

	for (unsigned i = 0; i < MAILD_HOPS; i++) {
		struct hop *h = &m->hops[group][i];
		if (h->fd < 0 && h->tag == 0)
			return h;
		if (is_idle(h) && !serves(h, asked))
			idle = h;
	}
	if (idle != NULL)
		hop_close(idle);
	return idle;
}

static bool begin_call(struct maild *m, enum hop_group group, const struct addr *asked)
{
	int server = next_server(m, group, asked, maild_now());
	struct hop *h = server < 0 ? NULL : find_place(m, group, asked);

	if (h == NULL)
		return false;
	struct msg_mail_connect q = {.limit_ms = CALL_MS, .hop = server_address(m, group, (uint32_t)server)};
	uint32_t tag = ++m->tags != 0 ? m->tags : ++m->tags;
	if (msg_send(DAEMON_FD_MAIL_CALLER, MSG_MAIL_CONNECT, tag, &q, NULL, 0) != 0)
		return false;
	*h = (struct hop){.m = m, .fd = -1, .group = group, .server = (uint8_t)server, .tag = tag, .since = maild_now(),
		.asked = *asked};
	return true;
}

/* As many calls as there are people waiting for this server (or any), as far as there is room; nobody waits for nothing. */
static void serve_server(struct maild *m, enum hop_group group, const struct addr *asked)
{
	unsigned wanted = 0, calls = 0, open = 0;

	for (const struct hop_wait *w = m->hop_first[group]; w != NULL; w = w->next)
		wanted += same_server(&w->server, asked);
	if (wanted == 0)
		return;
	for (unsigned i = 0; i < MAILD_HOPS; i++) {
		const struct hop *h = &m->hops[group][i];
		bool under_way = h->tag != 0 || (h->fd >= 0 && h->on_event == NULL && !h->ready);
		calls += under_way && same_server(&h->asked, asked);
		open += h->fd >= 0 && (asked->family == 0 || serves(h, asked));
	}
	while (calls < wanted && begin_call(m, group, asked))
		calls++;
	if (calls == 0 && open == 0)
		refuse_all(m, group, asked);
}

/* A server that is no more in the policy is asked for in vain, which serve_server() finds too. */
void hop_serve(struct maild *m, enum hop_group group)
{
	struct addr done[MSG_MAIL_HOPS_MAX + 1];
	unsigned n = 0;

	for (const struct hop_wait *w = m->hop_first[group]; w != NULL;) {
		unsigned i = 0;
		while (i < n && !same_server(&done[i], &w->server))
			i++;
		if (i < n || n == MSG_MAIL_HOPS_MAX + 1) {
			w = w->next;
			continue;
		}
		done[n++] = w->server;
		serve_server(m, group, &done[n - 1]);
		w = m->hop_first[group]; /* anything may have changed */
	}
}

void hop_want(struct maild *m, struct hop_wait *w)
{
	struct hop *h = find_idle(m, w);
	struct hop_wait **p = &m->hop_first[w->group];

	if (h != NULL) {
		give(w, h);
		return;
	}
	w->next = NULL;
	w->waiting = true;
	w->until = maild_now() + PATIENCE_MS;
	while (*p != NULL)
		p = &(*p)->next;
	*p = w;
	hop_serve(m, w->group);
}

void hop_cancel(struct maild *m, struct hop_wait *w)
{
	if (w->waiting)
		unlink_wait(m, w);
}

/* -- A connection ---------------------------------------------------------------------------------------- */

/* It can take a mail: the next who waits has it. */
static void free_hop(struct hop *h)
{
	struct maild *m = h->m;
	struct hop_wait *w = m->hop_first[h->group];

	h->on_event = NULL;
	h->ready = true;
	h->since = maild_now();
	while (w != NULL && ((w->fresh && h->used) || !serves(h, &w->server)))
		w = w->next;
	if (w != NULL) {
		unlink_wait(m, w);
		give(w, h);
	}
}

/* The end of a connection is its user's to hear; of one that never served, its server's fault. */
void hop_lost(struct hop *h, const struct smtp_client_event *e)
{
	struct maild *m = h->m;
	enum hop_group group = h->group;
	void (*on_event)(void *, struct hop *, const struct smtp_client_event *) = h->on_event;
	/* Stale: of a policy of before, whose servers are not in the lists any more. */
	if (!h->stale && !h->used && !h->ready && on_event == NULL) {
		m->servers[group][h->server].tls_failed = e->why == SMTP_WHY_HOP_TLS;
		server_down(m, group, h->server);
	}
	if (on_event != NULL)
		on_event(h->arg, h, e);
	hop_close(h);
	hop_serve(m, group);
}

static void on_ready(struct hop *h)
{
	struct server_state *s = &h->m->servers[h->group][h->server];

	if (h->stale) {
		hop_close(h);
		return;
	}
	if (s->down)
		daemon_log("a mail server takes mail again");
	s->down = s->tls_failed = false;
	s->down_until = 0;
	s->known = true;
	s->extensions = h->client.extensions;
	s->size_max = h->client.size_max;
	free_hop(h);
}

static void take_event(struct hop *h, const struct smtp_client_event *e)
{
	if (e->kind == SMTP_CLIENT_GONE)
		hop_lost(h, e);
	else if (e->kind == SMTP_CLIENT_READY)
		on_ready(h);
	else if (e->kind == SMTP_CLIENT_STARTTLS)
		h->secure = true;
	else if (h->on_event != NULL)
		h->on_event(h->arg, h, e);
	else if (e->kind == SMTP_CLIENT_RESET)
		free_hop(h);
	else
		hop_close(h);
}

static void fail(struct hop *h)
{
	struct smtp_client_event e = {0};

	smtp_client_closed(&h->client, maild_now(), &e);
	if (e.kind == SMTP_CLIENT_NONE)
		e = (struct smtp_client_event){.kind = SMTP_CLIENT_GONE, .why = SMTP_WHY_CLOSED};
	take_event(h, &e);
}

/* -- Bytes ----------------------------------------------------------------------------------------------- */

void hop_flush(struct hop *h)
{
	size_t n;
	const char *p;

	while ((p = smtp_client_output(&h->client, &n)), n > 0) {
		ssize_t sent = send(h->fd, p, n, MSG_NOSIGNAL | MSG_DONTWAIT);
		if (sent < 0 && errno != EAGAIN && errno != EINTR) {
			/* What it said before it went away is read first, in hop_on_bytes(). */
			loop_mod_fd(h->m->d->loop, h->fd, EPOLLIN);
			return;
		}
		if (sent <= 0)
			break;
		smtp_client_sent(&h->client, maild_now(), (size_t)sent);
	}
	if (h->writing == (n > 0))
		return;
	h->writing = n > 0;
	loop_mod_fd(h->m->d->loop, h->fd, h->writing ? EPOLLIN | EPOLLOUT : EPOLLIN);
}

/* Events may end the connection, and its place may be another's by then: `tag` of a served one is 0, so the number tells. */
static void push(struct hop *h, const char *p, size_t n)
{
	int fd = h->fd;

	while (n > 0 && h->fd == fd) {
		struct smtp_client_event e;
		size_t taken = smtp_client_push(&h->client, maild_now(), p, n, &e);
		p += taken;
		n -= taken;
		if (e.kind == SMTP_CLIENT_NONE && taken == 0)
			break;
		if (e.kind != SMTP_CLIENT_NONE)
			take_event(h, &e);
	}
}

static struct hop *find_fd(struct maild *m, int fd)
{
	for (unsigned g = 0; g < HOP_GROUPS; g++)
		for (unsigned i = 0; i < MAILD_HOPS; i++)
			if (m->hops[g][i].fd == fd)
				return &m->hops[g][i];
	return NULL;
}

void hop_on_bytes(void *arg, int fd, uint32_t events)
{
	static char buf[16384];
	struct maild *m = arg;
	struct hop *h = find_fd(m, fd);

	if (h == NULL)
		return;
	if ((events & ~(uint32_t)EPOLLOUT) != 0) {
		ssize_t n = recv(fd, buf, sizeof(buf), MSG_DONTWAIT);
		if (n == 0 || (n < 0 && errno != EAGAIN && errno != EINTR)) {
			fail(h);
			return;
		}
		if (n > 0)
			push(h, buf, (size_t)n);
	}
	if (h->fd != fd)
		return;
	if (smtp_client_over(&h->client)) {
		hop_close(h);
		hop_serve(m, h->group);
		return;
	}
	if (h->secure) {
		hop_secure(h);
		return;
	}
	/* Room in the socket: its user may have more to say. */
	hop_flush(h);
	if ((events & EPOLLOUT) != 0 && h->fd == fd && !h->writing && h->on_event != NULL) {
		struct smtp_client_event room = {.kind = SMTP_CLIENT_NONE};
		h->on_event(h->arg, h, &room);
	}
}

void hop_release(struct hop *h, enum hop_end end)
{
	struct maild *m = h->m;
	enum hop_group group = h->group;

	h->on_event = NULL;
	h->used = true;
	if (h->fd < 0)
		return;
	if (!h->stale && end == HOP_SENT && smtp_client_idle(&h->client)) {
		free_hop(h);
		return;
	}
	if (!h->stale && end == HOP_OPEN && smtp_client_reset(&h->client, maild_now()) == 0) {
		hop_flush(h);
		return;
	}
	smtp_client_abort(&h->client);
	hop_close(h);
	hop_serve(m, group);
}

/* -- Calls ----------------------------------------------------------------------------------------------- */

static struct hop *find_call(struct maild *m, uint32_t tag)
{
	for (unsigned g = 0; g < HOP_GROUPS; g++)
		for (unsigned i = 0; i < MAILD_HOPS; i++)
			if (m->hops[g][i].tag == tag && tag != 0)
				return &m->hops[g][i];
	return NULL;
}

static void begin(struct hop *h, int fd)
{
	struct smtp_client_options o = hop_options(h);

	h->tag = 0;
	h->fd = fd;
	h->since = maild_now();
	send_at_once(fd);
	if (loop_add_fd(h->m->d->loop, fd, EPOLLIN, hop_on_bytes, h->m) != 0) {
		close(fd);
		h->fd = -1;
		return;
	}
	smtp_client_begin(&h->client, &o, maild_now());
}

/* Takes the descriptor. */
void hop_connected(struct maild *m, const struct msg *answer, int fd)
{
	struct hop *h = find_call(m, answer->tag);

	if (h == NULL) { /* of a former life, or we did not wait */
		if (fd >= 0)
			close(fd);
		return;
	}
	enum hop_group group = h->group;
	if (fd >= 0) {
		begin(h, fd);
	} else {
		server_down(m, group, h->server);
		hop_close(h);
	}
	hop_serve(m, group);
}

/* -- Time ------------------------------------------------------------------------------------------------ */

static void look_at(struct hop *h, int64_t now)
{
	struct smtp_client_event e;

	if (h->tag != 0 && now - h->since > 2 * CALL_MS) { /* sekisho-connect was started anew */
		hop_close(h);
		return;
	}
	if (h->fd < 0)
		return;
	if (h->ready && h->on_event == NULL && now - h->since > IDLE_MS) {
		if (smtp_client_quit(&h->client, now) == 0)
			hop_flush(h);
		h->ready = false;
		return;
	}
	if (smtp_client_deadline(&h->client) > now)
		return;
	smtp_client_tick(&h->client, now, &e);
	if (e.kind != SMTP_CLIENT_NONE)
		take_event(h, &e);
	else if (smtp_client_over(&h->client))
		hop_close(h);
}

static void expire_waits(struct maild *m, enum hop_group group, int64_t now)
{
	struct hop_wait *w = m->hop_first[group], *next;

	for (; w != NULL; w = next) {
		next = w->next;
		if (w->until > now)
			continue;
		unlink_wait(m, w);
		w->done(w->arg, NULL, MAIL_REASON_NEXT_HOP_STALLED);
		next = m->hop_first[group]; /* anything may have changed */
	}
}

void hop_tick(struct maild *m, int64_t now)
{
	for (unsigned g = 0; g < HOP_GROUPS; g++) {
		for (unsigned i = 0; i < MAILD_HOPS; i++)
			look_at(&m->hops[g][i], now);
		expire_waits(m, (enum hop_group)g, now);
		hop_serve(m, (enum hop_group)g);
	}
}

/* Indices into the lists of before mean nothing any more: what is idle ends, what is in use ends after its mail. */
void hop_policy(struct maild *m)
{
	for (unsigned g = 0; g < HOP_GROUPS; g++)
		for (unsigned i = 0; i < MAILD_HOPS; i++)
			if (m->hops[g][i].on_event == NULL)
				hop_close(&m->hops[g][i]);
			else
				m->hops[g][i].stale = true;
	memset(m->servers, 0, sizeof(m->servers));
}

int hop_start(struct maild *m)
{
	for (unsigned g = 0; g < HOP_GROUPS; g++)
		for (unsigned i = 0; i < MAILD_HOPS; i++)
			m->hops[g][i] = (struct hop){.m = m, .fd = -1, .group = (enum hop_group)g};
	return 0;
}
