/*
 * client.c: answers questions on sockets (see client.h).
 *
 * Input: MSG_QUERY, MSG_MAIL_QUERY, MSG_MAIL_APPROVE, MSG_WATCH_QUERY, MSG_RECORD, each only where sekishod
 * gave the right, from a command that a person runs; one after another on a connection. Anything else ends
 * it. Limits: CLIENTS_MAX connections; one step of one query a turn of the loop; a client that takes nothing
 * for CLIENT_STALL_S, or whose time is up, or whose place another needs, is dropped. Nothing here waits.
 */
#include "client.h"

#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <unistd.h>

#include <sekisho/clock.h>
#include <sekisho/i18n.h>
#include <sekisho/loop.h>
#include <sekisho/msg.h>

#include "mailbook.h"
#include "passbook.h"
#include "query.h"
#include "writer.h"

#define SECOND INT64_C(1000000000)

struct client {
	struct clients *all;
	int fd; /* -1: free place */
	struct msg_client who;
	uint32_t tag;
	bool asking; /* query is under way */
	bool full;   /* waits for the socket */
	bool waiting; /* follows, and there is nothing new */
	int64_t until_ns, moved_ns;
	struct query query;
	bool mail; /* it asks for rows of the mail ledger */
	struct mail_question question;
	struct msg_mail_row row; /* the next one, while the socket is full */
	int row_fd;
	bool row_due;
	bool watch; /* it asks for what passed */
	struct watch_question watched;
	enum msg_type answer_type;
	union watch_answer answer; /* the next one, while the socket is full */
	bool answer_due;
};

struct clients {
	struct loop *loop;
	struct writer *writer;
	struct mailbook *mail;
	struct passbook *passed;
	struct loop_timer *work, *sweep;
	struct client client[CLIENTS_MAX];
	unsigned turn;
};

static void stop_asking(struct client *c)
{
	if (c->asking && !c->mail && !c->watch)
		query_clear(&c->query);
	if (c->row_due && c->row_fd >= 0)
		close(c->row_fd);
	c->asking = c->mail = c->row_due = c->watch = c->answer_due = false;
}

static void drop(struct client *c)
{
	stop_asking(c);
	loop_del_fd(c->all->loop, c->fd);
	close(c->fd);
	c->fd = -1;
}

/* Sends to one client. A socket that is gone takes everything, so that the query comes to its end. */
struct sending {
	struct client *c;
	bool gone;
};

static bool sink(void *arg, enum msg_type type, const void *body)
{
	struct sending *s = arg;

	if (s->gone)
		return true;
	int r = msg_send(s->c->fd, type, s->c->tag, body, NULL, 0);
	if (r == -EAGAIN || r == -ENOBUFS)
		return false;
	s->gone = r != 0;
	s->c->moved_ns = clock_mono().ns;
	return true;
}

static bool can_work(const struct client *c)
{
	return c->fd >= 0 && c->asking && !c->full && !c->waiting;
}

static void work_soon(struct clients *all)
{
	for (unsigned i = 0; i < CLIENTS_MAX; i++) {
		if (can_work(&all->client[i])) {
			loop_set_timer(all->work, 0, 0);
			return;
		}
	}
}

/* -- The mail ledger --------------------------------------------------------------------------------------- */

/* 0, or -errno; -EAGAIN: the socket is full. */
static int send_row(struct client *c)
{
	int r = msg_send(c->fd, MSG_MAIL_ROW, c->tag, &c->row, c->row_fd >= 0 ? &c->row_fd : NULL, c->row_fd >= 0);

	if (r == -EAGAIN || r == -ENOBUFS)
		return -EAGAIN;
	if (c->row_fd >= 0)
		close(c->row_fd);
	c->row_due = false;
	c->moved_ns = clock_mono().ns;
	return r;
}

/* One row a step. */
static void step_mail(struct client *c)
{
	struct msg_end end;

	if (!c->row_due) {
		c->row_due = mailbook_next(c->all->mail, &c->question, &c->row, &c->row_fd, &end) == 1;
		if (!c->row_due) {
			stop_asking(c);
			if (msg_send(c->fd, MSG_END, c->tag, &end, NULL, 0) != 0)
				drop(c);
			return;
		}
	}
	int r = send_row(c);
	if (r != 0 && r != -EAGAIN) {
		drop(c);
		return;
	}
	c->full = r == -EAGAIN;
	loop_mod_fd(c->all->loop, c->fd, c->full ? EPOLLIN | EPOLLOUT : EPOLLIN);
}

static void ask_mail(struct client *c, const struct msg *m)
{
	stop_asking(c);
	c->tag = m->tag;
	c->full = c->waiting = false;
	c->question = (struct mail_question){.ask = m->u.msg_mail_query};
	c->asking = c->mail = true;
	work_soon(c->all);
}

static void approve(struct client *c, const struct msg *m)
{
	struct msg_end end = {0};
	const char *wrong = mailbook_approve(c->all->mail, &m->u.msg_mail_approve);

	end.ok = wrong == NULL;
	MSG_TEXT(end.error, wrong != NULL ? wrong : "");
	if (msg_send(c->fd, MSG_END, m->tag, &end, NULL, 0) != 0)
		drop(c);
}

/* -- What passed --------------------------------------------------------------------------------------------- */

/* One row a step, or a bounded look at rows that do not fit. */
static void step_watch(struct client *c)
{
	if (!c->answer_due) {
		int r = passbook_next(c->all->passed, &c->watched, &c->answer_type, &c->answer);
		if (r == 2)
			return;
		c->answer_due = true;
	}
	int r = msg_send(c->fd, c->answer_type, c->tag, &c->answer, NULL, 0);
	bool full = r == -EAGAIN || r == -ENOBUFS;
	if (r != 0 && !full) {
		drop(c);
		return;
	}
	if (!full) {
		c->answer_due = false;
		c->moved_ns = clock_mono().ns;
		if (c->answer_type == MSG_END)
			stop_asking(c);
	}
	c->full = full;
	loop_mod_fd(c->all->loop, c->fd, full ? EPOLLIN | EPOLLOUT : EPOLLIN);
}

static void ask_watch(struct client *c, const struct msg *m)
{
	stop_asking(c);
	c->tag = m->tag;
	c->full = c->waiting = false;
	passbook_ask(&c->watched, &m->u.msg_watch_query);
	c->asking = c->watch = true;
	work_soon(c->all);
}

/* -- Questions about drops ---------------------------------------------------------------------------------- */

static void step(struct client *c)
{
	struct sending s = {.c = c};
	enum query_state state = query_step(&c->query, writer_store(c->all->writer),
		writer_closings(c->all->writer), sink, &s);

	if (s.gone) {
		drop(c);
		return;
	}
	c->full = state == QUERY_FULL;
	c->waiting = state == QUERY_WAIT;
	if (c->waiting)
		c->moved_ns = clock_mono().ns;
	if (state == QUERY_DONE) {
		query_clear(&c->query);
		c->asking = false;
	}
	loop_mod_fd(c->all->loop, c->fd, c->full ? EPOLLIN | EPOLLOUT : EPOLLIN);
}

/* One step of the next client in turn. */
static void on_work(void *arg)
{
	struct clients *all = arg;

	for (unsigned i = 0; i < CLIENTS_MAX; i++) {
		struct client *c = &all->client[(all->turn + i) % CLIENTS_MAX];
		if (!can_work(c))
			continue;
		all->turn = (all->turn + i + 1) % CLIENTS_MAX;
		if (c->mail)
			step_mail(c);
		else if (c->watch)
			step_watch(c);
		else
			step(c);
		break;
	}
	work_soon(all);
}

static void ask(struct client *c, const struct msg *m)
{
	struct sending s = {.c = c};
	struct msg_end end = {0};

	stop_asking(c);
	c->tag = m->tag;
	c->full = c->waiting = false;
	const char *wrong = query_init(&c->query, &m->u.msg_query, writer_store(c->all->writer));
	c->asking = wrong == NULL;
	if (wrong == NULL) {
		work_soon(c->all);
		return;
	}
	query_clear(&c->query);
	MSG_TEXT(end.error, wrong);
	if (!sink(&s, MSG_END, &end) || s.gone)
		drop(c);
}

static void write_record(struct client *c, const struct msg *m)
{
	struct msg_end end = {0};
	const char *wrong = NULL;
	uint32_t number = 0;

	end.ok = writer_record(c->all->writer, &c->who, &m->u.msg_record, &number, &end.last_sequence, &wrong);
	end.checked = number;
	MSG_TEXT(end.error, wrong != NULL ? wrong : "");
	if (end.ok)
		clients_wake(c->all);
	if (msg_send(c->fd, MSG_END, m->tag, &end, NULL, 0) != 0)
		drop(c);
}

/* sekishod gave this connection for something else. */
static void refuse(struct client *c, const struct msg *m)
{
	struct msg_end end = {0};

	MSG_TEXT(end.error, N_("this is not permitted to your role"));
	if (msg_send(c->fd, MSG_END, m->tag, &end, NULL, 0) != 0)
		drop(c);
}

static const struct {
	enum msg_type type;
	enum msg_right right;
	void (*fn)(struct client *c, const struct msg *m);
} asks[] = {
	{MSG_QUERY, MSG_RIGHT_READ, ask},
	{MSG_MAIL_QUERY, MSG_RIGHT_MAIL, ask_mail},
	{MSG_WATCH_QUERY, MSG_RIGHT_READ, ask_watch},
	{MSG_MAIL_APPROVE, MSG_RIGHT_APPROVE, approve},
	{MSG_RECORD, MSG_RIGHT_RECORD, write_record},
};

static void on_client(void *arg, int fd, uint32_t events)
{
	struct client *c = arg;
	struct msg m;

	if ((events & EPOLLOUT) != 0 && c->full) {
		c->full = false;
		loop_mod_fd(c->all->loop, fd, EPOLLIN);
		work_soon(c->all);
	}
	if ((events & ~(uint32_t)EPOLLOUT) == 0)
		return;
	int r = msg_recv(fd, &m);
	if (r == -EAGAIN)
		return;
	for (unsigned i = 0; r == 1 && i < sizeof(asks) / sizeof(asks[0]); i++) {
		if (m.type != asks[i].type)
			continue;
		if ((c->who.rights & asks[i].right) != 0)
			asks[i].fn(c, &m);
		else
			refuse(c, &m);
		return;
	}
	if (r == 1)
		msg_close_fds(&m);
	drop(c);
}

static void on_sweep(void *arg)
{
	struct clients *all = arg;
	int64_t now = clock_mono().ns;

	for (unsigned i = 0; i < CLIENTS_MAX; i++) {
		struct client *c = &all->client[i];
		if (c->fd >= 0 && (now > c->until_ns || (c->full && now - c->moved_ns > CLIENT_STALL_S * SECOND)))
			drop(c);
	}
}

struct clients *clients_new(struct loop *l, struct writer *w, struct mailbook *b, struct passbook *p)
{
	struct clients *all = calloc(1, sizeof(*all));

	if (all == NULL)
		return NULL;
	all->loop = l;
	all->writer = w;
	all->mail = b;
	all->passed = p;
	for (unsigned i = 0; i < CLIENTS_MAX; i++)
		all->client[i] = (struct client){.all = all, .fd = -1};
	all->work = loop_add_timer(l, -1, 0, on_work, all);
	all->sweep = loop_add_timer(l, 1000, 1000, on_sweep, all);
	if (all->work != NULL && all->sweep != NULL)
		return all;
	clients_free(all);
	return NULL;
}

void clients_free(struct clients *all)
{
	if (all == NULL)
		return;
	for (unsigned i = 0; i < CLIENTS_MAX; i++)
		if (all->client[i].fd >= 0)
			drop(&all->client[i]);
	loop_del_timer(all->work);
	loop_del_timer(all->sweep);
	free(all);
}

/* 0: is being answered; 1: waits for something new; 2: asks nothing. */
static unsigned idleness(const struct client *c)
{
	return !c->asking ? 2 : c->waiting ? 1 : 0;
}

/* A free place, or that of who can best be missed. NULL when all are being answered. */
static struct client *find_place(struct clients *all)
{
	struct client *idle = NULL;

	for (unsigned i = 0; i < CLIENTS_MAX; i++) {
		struct client *c = &all->client[i];
		if (c->fd < 0)
			return c;
		unsigned more = idleness(c), most = idle != NULL ? idleness(idle) : 0;
		if (more > most || (more > 0 && more == most && c->moved_ns < idle->moved_ns))
			idle = c;
	}
	if (idle != NULL)
		drop(idle);
	return idle;
}

void clients_add(struct clients *all, int fd, const struct msg_client *who)
{
	struct client *c = find_place(all);
	int flags = fcntl(fd, F_GETFL);
	if (c == NULL || flags < 0 || fcntl(fd, F_SETFL, flags | O_NONBLOCK) != 0 ||
	    loop_add_fd(all->loop, fd, EPOLLIN, on_client, c) != 0) {
		close(fd);
		return;
	}
	int64_t now = clock_mono().ns;
	*c = (struct client){.all = all, .fd = fd, .who = *who, .moved_ns = now, .until_ns = now + who->seconds * SECOND};
}

void clients_wake(struct clients *all)
{
	for (unsigned i = 0; i < CLIENTS_MAX; i++)
		all->client[i].waiting = false;
	work_soon(all);
}
