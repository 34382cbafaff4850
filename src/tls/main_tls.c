/*
 * main_tls.c: sekisho-tls: makes a child for each connection that is to be encrypted, and reads none itself.
 *
 *	sekisho-init	MSG_TLS_FILE: certificates, of ours and of authorities
 *	sekisho-maild	MSG_TLS_JOB: a connection, and the stream on which it goes on in clear; gets MSG_TLS_STATUS
 *	sekisho-sign	MSG_TLS_KEY: the keys that it has; gets MSG_TLS_GRANT, one signature for one child
 *	sekishod	gets MSG_TLS_STATUS
 *
 * The child reads TLS of anybody: it has the connection, the stream, and the right to one signature; no key, no other
 * connection's bytes, and no call that would give it another descriptor. It lives on when this process ends: what it needs it
 * has, and it ends with either of its connections.
 *
 * Input and trust: certificates that root put there; messages of sekisho-maild, which may be an attacker's: a job is for the
 * connection that came with it. Limits: CHILDREN_MAX; dead ones are collected when a job comes and each second.
 * Failure: the job's descriptors are closed, which tells sekisho-maild.
 */
#include <errno.h>
#include <fcntl.h>
#include <malloc.h>
#include <signal.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>

#include <gnutls/gnutls.h>

#include <sekisho/clock.h>
#include <sekisho/daemon.h>
#include <sekisho/loop.h>

#include "certificate.h"
#include "handshake.h"
#include "relay.h"
#include "remote_key.h"

#define CHILDREN_MAX 640
_Static_assert(CHILDREN_MAX < JAIL_TLS_PROCESSES, "the limit of the jail is the second one");
#define TICK_MS 1000
#define STATUS_TICKS 5
#define MESSAGES_A_TURN 32
#define CPU_SECONDS 600 /* some hundred GB */

enum { EXIT_DESCRIPTORS = 120, EXIT_LIMITS, EXIT_JAIL };

struct tls {
	struct daemon *d;
	struct jail_filter filter;
	struct certificate certificates[TLS_NAMES_MAX];
	unsigned n;
	unsigned living, ticks;
	uint64_t handshakes, failed;
	int death;
	unsigned deaths; /* that nothing was said of in the log */
	bool changed;	 /* nobody was told yet */
};

static const struct chain *find_chain(const struct tls *t, const char *name, bool keyed)
{
	for (unsigned i = 0; i < t->n; i++)
		if (strcmp(t->certificates[i].name, name) == 0 && t->certificates[i].keyed == keyed)
			return t->certificates[i].used;
	return NULL;
}

/* A certificate that is its own authority may be both. */
static const struct chain *chain_for(const struct tls *t, const struct msg_tls_job *job)
{
	if (job->role == MSG_TLS_SERVER)
		return find_chain(t, job->certificate, true);
	return job->authority[0] != '\0' ? find_chain(t, job->authority, false) : NULL;
}

/* -- The child ------------------------------------------------------------------------------------------- */

static bool number(int from, int to)
{
	return from > TLS_FD_SIGN && dup2(from, to) == to;
}

/* fds: as in MSG_TLS_JOB; sign: -1 where none is needed. */
static bool take_descriptors(const int *fds, int sign)
{
	static const int numbers[MSG_TLS_FDS] = {TLS_FD_NET, TLS_FD_PLAIN, TLS_FD_RESULT};
	bool good = true;

	for (unsigned i = 0; i < MSG_TLS_FDS; i++)
		good = good && number(fds[i], numbers[i]);
	good = good && fcntl(TLS_FD_NET, F_SETFL, O_NONBLOCK) == 0 && fcntl(TLS_FD_PLAIN, F_SETFL, O_NONBLOCK) == 0;
	if (sign >= 0)
		good = good && number(sign, TLS_FD_SIGN);
	else
		close(TLS_FD_SIGN);
	return good && close_range(TLS_FD_SIGN + 1, ~0u, 0) == 0;
}

static int serve(const struct msg_tls_job *job, const struct chain *own)
{
	struct wire w = {.net = TLS_FD_NET, .plain = TLS_FD_PLAIN};
	struct msg_tls_done done = {0};
	gnutls_session_t session;

	done.why = handshake_prepare(job, own, &w, &session);
	if (done.why == TLS_WHY_OK)
		handshake_run(session, job, &w, clock_mono().ns / 1000000 + (int64_t)job->seconds * 1000, &done);
	/* Whoever waits has it before a byte of the stream; when nobody waits any more the stream is closed as well. */
	bool told = msg_send(TLS_FD_RESULT, MSG_TLS_DONE, 0, &done, NULL, 0) == 0;
	close(TLS_FD_RESULT);
	close(TLS_FD_SIGN);
	if (told && done.why == TLS_WHY_OK)
		relay_run(session, &w);
	return 0;
}

static int child(const struct tls *t, const struct msg *m, int sign)
{
	static const struct rlimit cpu = {CPU_SECONDS, CPU_SECONDS};
	const struct msg_tls_job *job = &m->u.msg_tls_job;

	if (!take_descriptors(m->fds, sign))
		return EXIT_DESCRIPTORS;
	if (setrlimit(RLIMIT_CPU, &cpu) != 0)
		return EXIT_LIMITS;
	if (jail_narrow(JAIL_TLS_CHILD, &t->filter) < 0)
		return EXIT_JAIL;
	return serve(job, chain_for(t, job));
}

/* -- Children -------------------------------------------------------------------------------------------- */

static void collect(struct tls *t)
{
	int status;

	while (t->living > 0 && waitpid(-1, &status, WNOHANG) > 0) {
		t->living--;
		if (status != 0) {
			t->failed++;
			t->deaths++;
			t->death = status;
		}
	}
}

/* One signature; the other end is sekisho-sign's. Descriptor, or -1: the handshake will fail, and say so. */
static int ask_grant(const struct chain *own)
{
	struct msg_tls_grant g;
	int pair[2];

	if (own == NULL || socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0, pair) < 0)
		return -1;
	memcpy(g.key, own->key, sizeof(g.key));
	int r = fcntl(pair[1], F_SETFL, O_NONBLOCK) < 0
			? -errno
			: msg_send(DAEMON_FD_TLS_SIGN, MSG_TLS_GRANT, 0, &g, &pair[1], 1);
	close(pair[1]);
	if (r == 0)
		return pair[0];
	close(pair[0]);
	return -1;
}

static void take_job(struct tls *t, const struct msg *m)
{
	const struct msg_tls_job *job = &m->u.msg_tls_job;

	collect(t);
	if (t->living >= CHILDREN_MAX)
		return;
	int sign = job->role == MSG_TLS_SERVER ? ask_grant(find_chain(t, job->certificate, true)) : -1;
	t->handshakes++;
	/* fork(), not _Fork(): GnuTLS must hear of it, or two children would draw the same numbers. */
	pid_t pid = fork();
	if (pid == 0)
		_exit(child(t, m, sign));
	if (pid > 0)
		t->living++;
	else
		t->failed++;
	if (sign >= 0)
		close(sign);
}

/* -- Status ---------------------------------------------------------------------------------------------- */

/* Both, or it is told again at the next tick. */
static void tell_status(struct tls *t)
{
	static struct msg_tls_status s;

	s = (struct msg_tls_status){.n = t->n, .living = t->living, .handshakes = t->handshakes, .failed = t->failed};
	for (unsigned i = 0; i < t->n; i++)
		certificate_tell(&t->certificates[i], &s.certificate[i]);
	bool maild = msg_send(DAEMON_FD_MAIL, MSG_TLS_STATUS, 0, &s, NULL, 0) == 0;
	t->changed = msg_send(DAEMON_FD_TLS_GATE, MSG_TLS_STATUS, 0, &s, NULL, 0) != 0 || !maild;
}

static void on_tick(void *arg)
{
	struct tls *t = arg;

	collect(t);
	/* At most a line a second: whoever sends such bytes decides how many there are. */
	if (t->deaths > 0 && WIFSIGNALED(t->death))
		daemon_log("%u connections ended ill; the last by signal %d (%s)", t->deaths, WTERMSIG(t->death),
			sigdescr_np(WTERMSIG(t->death)));
	else if (t->deaths > 0)
		daemon_log("%u connections ended ill; the last with status %d", t->deaths, WEXITSTATUS(t->death));
	t->deaths = 0;
	if (t->changed || ++t->ticks % STATUS_TICKS == 0)
		tell_status(t);
}

/* -- Messages -------------------------------------------------------------------------------------------- */

static void on_notice(struct daemon *d, const struct msg *m)
{
	struct tls *t = d->arg;
	const struct msg_tls_file *f = &m->u.msg_tls_file;

	if (m->type != MSG_TLS_FILE)
		return;
	for (unsigned i = f->n; i < TLS_NAMES_MAX; i++)
		certificate_clear(&t->certificates[i]);
	t->n = f->n;
	if (f->n > 0)
		certificate_take(&t->certificates[f->index], f, m->nfds > 0 ? m->fds[0] : -1, remote_key_make);
	tell_status(t);
}

static void take_key(struct tls *t, const struct msg_tls_key *k)
{
	for (unsigned i = 0; i < t->n; i++) {
		struct certificate *c = &t->certificates[i];
		if (strcmp(c->name, k->name) != 0 || !c->keyed || memcmp(c->key, k->key, sizeof(k->key)) == 0)
			continue;
		certificate_take_key(c, k->key);
		tell_status(t);
	}
}

/* Which message comes from whom. */
static bool take_message(struct tls *t, int from, struct msg *m)
{
	if (from == DAEMON_FD_MAIL && m->type == MSG_TLS_JOB)
		take_job(t, m);
	else if (from == DAEMON_FD_TLS_SIGN && m->type == MSG_TLS_KEY)
		take_key(t, &m->u.msg_tls_key);
	else
		return false;
	return true;
}

static void on_peer(void *arg, int fd, uint32_t events)
{
	static struct msg m; /* large */
	struct tls *t = arg;
	int r = -EAGAIN;

	(void)events;
	for (unsigned i = 0; i < MESSAGES_A_TURN && (r = msg_recv(fd, &m)) == 1; i++) {
		bool good = take_message(t, fd, &m);
		/* Plainly: connections end as their child ends them. */
		for (unsigned k = 0; k < m.nfds; k++)
			close(m.fds[k]);
		if (!good) {
			r = -EPROTO;
			break;
		}
	}
	if (r != 1 && r != -EAGAIN)
		daemon_peer_broken(t->d, MSG_PEER_MAIL);
}

/* -- Starting -------------------------------------------------------------------------------------------- */

/* As root: the children's filter needs a descriptor for a moment. */
static int before(struct daemon *d)
{
	struct tls *t = d->arg;

	return d->handed ? jail_prepare(JAIL_TLS_CHILD, &t->filter) : -ENOTCONN;
}

/* A child that tries what its parent may: does the narrower row hold? */
static int try_child(const struct tls *t)
{
	pid_t pid = fork();
	int status;

	if (pid == 0)
		_exit(jail_narrow(JAIL_TLS_CHILD, &t->filter) < 0 || getppid() != -1);
	if (pid < 0 || waitpid(pid, &status, 0) < 0)
		return -errno;
	return WIFSIGNALED(status) && WTERMSIG(status) == SIGSYS ? 0 : -EPERM;
}

static int start(struct daemon *d)
{
	struct tls *t = d->arg;
	int r = try_child(t);

	t->d = d;
	if (r < 0) {
		daemon_log("the jail of the children does not hold");
		return r;
	}
	malloc_trim(0); /* what the filters took: each fork would copy it */
	for (int fd = DAEMON_FD_MAIL; r == 0 && fd <= DAEMON_FD_TLS_SIGN; fd++)
		r = loop_add_fd(d->loop, fd, EPOLLIN, on_peer, t);
	if (r == 0 && loop_add_timer(d->loop, TICK_MS, TICK_MS, on_tick, t) == NULL)
		r = -ENOMEM;
	return r;
}

int main(int argc, char **argv)
{
	static const struct daemon_spec spec = {.row = JAIL_TLS, .before = before, .start = start, .notice = on_notice};
	static struct tls tls;

	return daemon_run(&spec, &tls, argc, argv);
}
