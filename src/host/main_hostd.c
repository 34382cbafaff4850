/*
 * main_hostd.c: sekisho-hostd: accounts, the clock, restart and power-off, on an administrator's word.
 *
 *	sekishod	MSG_HOST_CLIENT with the socket of somebody who may; gets MSG_FAULT: what was done, to
 *be recorded the client	MSG_HOST_ASK; gets MSG_HOST_ACCOUNT and MSG_HOST_TOLD
 *
 * Input and trust: fixed structs from whoever the kernel and sekishod say he is; the role is looked at again
 *here, in the accounts themselves. No password passes sekishod. It is not root: it owns the directory of the
 *accounts, and may set the clock and restart. Limits: CLIENTS_MAX clients, the one that has waited longest
 *goes first. Failure: nothing was changed, and the answer says why.
 */
#include <errno.h>
#include <fcntl.h>
#include <linux/reboot.h>
#include <stdio.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/random.h>
#include <sys/reboot.h>
#include <sys/timex.h>
#include <time.h>
#include <unistd.h>

#include <sekisho/clock.h>
#include <sekisho/daemon.h>
#include <sekisho/i18n.h>
#include <sekisho/loop.h>

#include "account.h"
#include "password.h"

#define CLIENTS_MAX 8
#define BASE "usr/share/sekisho/accounts"

struct client {
	int fd; /* -1: free */
	struct msg_host_client who;
	struct mono since;
};

struct host {
	struct daemon *d;
	int dir, base; /* base -1: not an image */
	struct accounts accounts;
	struct client clients[CLIENTS_MAX];
};

/* -- What is asked --------------------------------------------------------------------------------------- */

static struct account *account_of(struct host *h, const struct client *c)
{
	for (unsigned i = 0; i < h->accounts.n; i++)
		if (h->accounts.account[i].uid == c->who.uid)
			return &h->accounts.account[i];
	return NULL;
}

/*
 * The second look: root, or an account that is enabled and is an administrator's, or an operator's who stands in for one. A
 * vendor's or an auditor's never is, whatever was said.
 */
static bool may(struct host *h, const struct client *c, const struct msg_host_ask *q)
{
	const struct account *a = account_of(h, c);

	if (q->what == MSG_HOST_PASSWORD)
		return a != NULL && a->enabled;
	if (c->who.uid == 0)
		return true;
	if (a == NULL || !a->enabled)
		return false;
	if (q->what == MSG_HOST_LIST)
		return a->role == MSG_ROLE_ADMINISTRATOR || a->role == MSG_ROLE_AUDITOR;
	return c->who.verb == MSG_VERB_HOST && c->who.role == MSG_ROLE_ADMINISTRATOR &&
	       (a->role == MSG_ROLE_ADMINISTRATOR || a->role == MSG_ROLE_OPERATOR);
}

/* Sixteen of 31 letters and digits that are not mistaken for each other: 79 bits. */
static bool temporary_password(char *ret, size_t size)
{
	static const char letters[] = "abcdefghijkmnpqrstuvwxyz2345678";
	uint8_t random[64];
	size_t n = 0;

	if (getrandom(random, sizeof(random), 0) != (ssize_t)sizeof(random))
		return false;
	for (size_t i = 0; i < sizeof(random) && n < 19 && n + 1 < size; i++) {
		if (n == 4 || n == 9 || n == 14)
			ret[n++] = '-';
		if (random[i] < 248) /* 8 times 31: no letter is likelier */
			ret[n++] = letters[random[i] % 31];
	}
	ret[n] = '\0';
	return n == 19;
}

static void fail(struct msg_host_told *t, const char *why)
{
	t->ok = 0;
	MSG_TEXT(t->error, why);
}

static void take_error(struct msg_host_told *t, enum account_error e)
{
	t->ok = e == ACCOUNT_OK;
	if (e != ACCOUNT_OK)
		fail(t, account_error_text(e));
}

static void give_password(struct host *h, const struct msg_host_ask *q, struct msg_host_told *t)
{
	char hash[ACCOUNT_HASH];
	int64_t now = clock_wall().sec;

	if (!temporary_password(t->secret, sizeof(t->secret)) || !password_hash(t->secret, hash)) {
		fail(t, _("no password could be made: the kernel gives no random bytes"));
		return;
	}
	if (q->what == MSG_HOST_ADD)
		take_error(t, account_add(&h->accounts, q->name, q->label, (enum msg_role)q->role, hash, true, now));
	else
		take_error(t, account_password(&h->accounts, q->name, hash, true, now));
	if (!t->ok)
		explicit_bzero(t->secret, sizeof(t->secret));
}

static void change_own(struct host *h, const struct client *c, const struct msg_host_ask *q, struct msg_host_told *t)
{
	const struct account *a = account_of(h, c);
	char hash[ACCOUNT_HASH];
	const char *why = password_is(a->hash, q->secret) ? password_refused(a, q->fresh) : _("the old password is wrong");

	if (why != NULL || !password_hash(q->fresh, hash)) {
		fail(t, why != NULL ? why : _("the password could not be hashed"));
		return;
	}
	take_error(t, account_password(&h->accounts, a->name, hash, false, clock_wall().sec));
}

/* The kernel writes the clock that runs without power as well, once it is told that ours is right. */
static void set_clock(const struct msg_host_ask *q, struct msg_host_told *t)
{
	struct timespec at = {.tv_sec = q->at};
	struct timex x = {.modes = ADJ_STATUS | ADJ_MAXERROR | ADJ_ESTERROR, .status = 0};

	t->ok = q->at > 0 && clock_settime(CLOCK_REALTIME, &at) == 0;
	if (!t->ok)
		fail(t, _("the clock could not be set"));
	else
		adjtimex(&x);
}

static void act(struct host *h, const struct client *c, const struct msg_host_ask *q, struct msg_host_told *t)
{
	switch ((enum msg_host_what)q->what) {
	case MSG_HOST_ADD:
		if (q->role == MSG_ROLE_NONE)
			fail(t, _("a role is needed"));
		else
			give_password(h, q, t);
		break;
	case MSG_HOST_RESET:
		give_password(h, q, t);
		break;
	case MSG_HOST_DISABLE:
	case MSG_HOST_ENABLE:
		take_error(t, account_enable(&h->accounts, q->name, q->what == MSG_HOST_ENABLE));
		break;
	case MSG_HOST_ROLE:
		if (q->role == MSG_ROLE_NONE)
			fail(t, _("a role is needed"));
		else
			take_error(t, account_role(&h->accounts, q->name, (enum msg_role)q->role));
		break;
	case MSG_HOST_PASSWORD:
		change_own(h, c, q, t);
		break;
	case MSG_HOST_CLOCK:
		set_clock(q, t);
		break;
	case MSG_HOST_LIST:
	case MSG_HOST_RESTART:
	case MSG_HOST_OFF:
	case MSG_HOST_WHAT_END:
		t->ok = 1;
	}
	if (t->ok && accounts_publish(&h->accounts, h->base) != 0)
		fail(t, account_error_text(ACCOUNT_DISK));
}

/* -- Answers and records --------------------------------------------------------------------------------- */

static void record(struct host *h, const struct client *c, const struct msg_host_ask *q, const struct msg_host_told *t)
{
	static const char *const words[MSG_HOST_WHAT_END] = {[MSG_HOST_ADD] = "added",
		[MSG_HOST_DISABLE] = "disabled",
		[MSG_HOST_ENABLE] = "enabled",
		[MSG_HOST_ROLE] = "role changed",
		[MSG_HOST_RESET] = "temporary password",
		[MSG_HOST_PASSWORD] = "password changed",
		[MSG_HOST_CLOCK] = "clock set",
		[MSG_HOST_RESTART] = "restart",
		[MSG_HOST_OFF] = "power off"};
	struct msg_fault m = {.severity = MSG_SEVERITY_NOTICE, .at = clock_wall().sec};
	const struct account *a = account_of(h, c);
	char text[256];

	if (words[q->what] == NULL)
		return;
	snprintf(text, sizeof(text), "%s: %s%s%s%s", a != NULL ? a->name : "root", words[q->what],
		q->name[0] != '\0' ? ": " : "", q->name, t->ok ? "" : " (refused)");
	MSG_TEXT(m.process, "sekisho-hostd");
	MSG_TEXT(m.code, "host");
	MSG_TEXT(m.text, text);
	msg_send(DAEMON_FD_GATE, MSG_FAULT, 0, &m, NULL, 0);
}

static void send_accounts(const struct host *h, const struct client *c, uint32_t tag)
{
	for (unsigned i = 0; i < h->accounts.n; i++) {
		const struct account *a = &h->accounts.account[i];
		struct msg_host_account m = {.uid = a->uid,
			.role = a->role,
			.enabled = a->enabled,
			.must_change = a->must_change,
			.changed = a->changed};
		MSG_TEXT(m.name, a->name);
		MSG_TEXT(m.label, a->label);
		if (msg_send(c->fd, MSG_HOST_ACCOUNT, tag, &m, NULL, 0) != 0)
			return;
	}
}

/* Everything is durable when it is acknowledged: a restart is no more than a power cut. */
static void end_if_asked(const struct msg_host_ask *q, const struct msg_host_told *t)
{
	if (!t->ok || (q->what != MSG_HOST_RESTART && q->what != MSG_HOST_OFF))
		return;
	nanosleep(&(struct timespec){.tv_sec = 1}, NULL); /* the answer and the record are on their way */
	sync();
	reboot(q->what == MSG_HOST_OFF ? RB_POWER_OFF : RB_AUTOBOOT);
}

static void answer(struct host *h, const struct client *c, const struct msg *m)
{
	const struct msg_host_ask *q = &m->u.msg_host_ask;
	struct msg_host_told t = {0};

	i18n_init(q->language[0] != '\0' ? q->language : "ja");
	if (accounts_begin(h->dir, &h->accounts) != 0) {
		fail(&t, _("the accounts cannot be read"));
	} else {
		if (may(h, c, q))
			act(h, c, q, &t);
		else
			fail(&t, _("your account may not do that"));
		accounts_end(&h->accounts);
	}
	if (t.ok && q->what == MSG_HOST_LIST)
		send_accounts(h, c, m->tag);
	record(h, c, q, &t);
	msg_send(c->fd, MSG_HOST_TOLD, m->tag, &t, NULL, 0);
	end_if_asked(q, &t);
	explicit_bzero(&t, sizeof(t));
}

/* -- Clients --------------------------------------------------------------------------------------------- */

static void drop(struct host *h, struct client *c)
{
	loop_del_fd(h->d->loop, c->fd);
	msg_close_fd(c->fd);
	c->fd = -1;
}

static void on_client(void *arg, int fd, uint32_t events)
{
	struct host *h = arg;
	struct client *c = h->clients;
	struct msg m;

	(void)events;
	while (c->fd != fd)
		c++;
	int r = msg_recv(fd, &m);
	if (r == -EAGAIN)
		return;
	if (r == 1 && m.type == MSG_HOST_ASK)
		answer(h, c, &m);
	if (r == 1)
		msg_close_fds(&m);
	if (r != 1 || m.type != MSG_HOST_ASK)
		drop(h, c);
	explicit_bzero(&m, sizeof(m));
}

static struct client *place(struct host *h)
{
	struct client *oldest = h->clients;

	for (struct client *c = h->clients; c < h->clients + CLIENTS_MAX; c++) {
		if (c->fd < 0)
			return c;
		if (c->since.ns < oldest->since.ns)
			oldest = c;
	}
	drop(h, oldest);
	return oldest;
}

static void on_gate(void *arg, int fd, uint32_t events)
{
	struct host *h = arg;
	struct msg m;

	(void)events;
	int r = msg_recv(fd, &m);
	if (r == -EAGAIN)
		return;
	if (r != 1 || m.type != MSG_HOST_CLIENT) {
		daemon_peer_broken(h->d, MSG_PEER_HOST);
		return;
	}
	struct client *c = place(h);
	*c = (struct client){.fd = m.fds[0], .who = m.u.msg_host_client, .since = clock_mono()};
	m.fds[0] = -1;
	if (fcntl(c->fd, F_SETFL, O_NONBLOCK) < 0 || loop_add_fd(h->d->loop, c->fd, EPOLLIN, on_client, h) != 0) {
		msg_close_fd(c->fd);
		c->fd = -1;
	}
}

/* -- The process ----------------------------------------------------------------------------------------- */

static int open_below(const struct daemon *d, const char *name)
{
	char path[256];

	int r = daemon_path(d->root, name, path, sizeof(path));
	if (r < 0)
		return r;
	int fd = open(path, O_RDONLY | O_DIRECTORY | O_CLOEXEC | O_NOFOLLOW);
	return fd < 0 ? -errno : fd;
}

static int start(struct daemon *d)
{
	struct host *h = d->arg;

	h->d = d;
	for (unsigned i = 0; i < CLIENTS_MAX; i++)
		h->clients[i].fd = -1;
	h->dir = open_below(d, DAEMON_PATH_ACCOUNTS);
	h->base = open_below(d, BASE);
	if (h->dir < 0)
		return h->dir;
	return d->handed ? loop_add_fd(d->loop, DAEMON_FD_GATE, EPOLLIN, on_gate, h) : 0;
}

int main(int argc, char **argv)
{
	static const struct daemon_spec spec = {.row = JAIL_HOST, .start = start};
	static struct host h;

	return daemon_run(&spec, &h, argc, argv);
}
