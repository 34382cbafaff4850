/*
 * worker.c: a mail to the cleaner and what that wrote to the verifier, each a child of its own that lives for this mail.
 *
 *	spool (sealed) --> cleaner --socket pair--> verifier --> a memfd, sealed by us once the verifier has agreed
 *	                      report                   verdict
 *
 * Outbound there is only the cleaner, which writes nothing and reports. Nothing is read from either before it has ended, and
 * what is read then cannot be changed any more: a child that was taken over can at worst write a mail in the verifier's
 * language, or none.
 *
 * Limits: MAILD_JOBS at once, the others wait; SECONDS for each. Failure: WORKER_FAILED or WORKER_SLOW; the client keeps
 * its mail.
 */
#include "maild.h"

#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <unistd.h>

#include <sekisho/loop.h>
#include <sekisho/mail_limits.h>
#include <sekisho/mailverify.h>

#define SECONDS 60
#define CPU_SECONDS 40
#define WAIT_MS 120000
/* MAIL_TEXT_OUT as base64, and a header. */
#define OUT_MAX ((uint64_t)MAIL_TEXT_OUT * 3)

enum job_state { JOB_NONE, JOB_QUEUED, JOB_RUNNING };

static void start_waiting(struct maild *m);

static void close_fd(int *fd)
{
	if (*fd >= 0)
		close(*fd);
	*fd = -1;
}

static void stop_hearing(struct job *j, int *fd)
{
	if (*fd >= 0)
		loop_del_fd(j->m->d->loop, *fd);
	close_fd(fd);
}

static void unlink_job(struct job *j)
{
	struct job **p = j->state == JOB_QUEUED ? &j->m->waiting_jobs : &j->m->jobs;

	while (*p != NULL && *p != j)
		p = &(*p)->next;
	if (*p == j)
		*p = j->next;
	if (j->state == JOB_RUNNING)
		j->m->njobs--;
	j->state = JOB_NONE;
}

void job_end(struct job *j)
{
	struct maild *m = j->m;

	if (m == NULL)
		return;
	bool ran = j->state == JOB_RUNNING;
	if (j->state != JOB_NONE)
		unlink_job(j);
	stop_hearing(j, &j->clean);
	stop_hearing(j, &j->verify);
	close_fd(&j->out);
	close_fd(&j->report);
	j->m = NULL;
	if (ran)
		start_waiting(m);
}

/* Its user takes what it needs, and ends it. */
static void done(struct job *j, enum mail_reason reason)
{
	struct maild *m = j->m;

	if (reason != MAIL_REASON_NONE)
		m->workers_failed++;
	stop_hearing(j, &j->clean);
	stop_hearing(j, &j->verify);
	unlink_job(j);
	j->done(j->arg, j, reason);
	start_waiting(m);
}

/* -- What they say --------------------------------------------------------------------------------------- */

/* What the verifier let through, and nothing that came after. */
static bool close_output(struct job *j)
{
	struct stat st;

	return memfd_seal(j->out) == 0 && fstat(j->out, &st) == 0 && (uint64_t)st.st_size == j->bytes_verified;
}

static void look(struct job *j)
{
	bool outbound = j->question.direction == MSG_MAIL_OUT;

	if (j->clean >= 0 || j->verify >= 0)
		return;
	/* A mail that is refused has no output, and the verifier has seen none; that it was is for the report to say. */
	bool refused = j->cleaned && j->bytes_out == 0;
	j->agreed = j->cleaned && j->verified && j->bytes_out == j->bytes_verified && close_output(j);
	bool good = j->cleaned && (outbound || refused || j->agreed);
	/* A verifier that died has said nothing: then the same mail may pass the next time. */
	done(j, good ? MAIL_REASON_NONE : j->cleaned && j->disagreed ? MAIL_REASON_NOT_VERIFIED : MAIL_REASON_WORKER_FAILED);
}

static void take_result(struct job *j, struct msg *m)
{
	j->cleaned = true;
	j->bytes_out = m->u.msg_mail_result.bytes_out;
	close_fd(&j->report);
	j->report = m->fds[0];
	m->fds[0] = -1;
}

static void take_verdict(struct job *j, const struct msg_mail_verified *v)
{
	j->verified = v->reason == MAILVERIFY_OK;
	j->disagreed = !j->verified;
	j->bytes_verified = v->bytes;
	memcpy(j->sha256_out, v->sha256, sizeof(j->sha256_out));
	if (!j->verified && j->bytes_out != 0)
		daemon_log("the verifier refused what the cleaner wrote: %s at byte %llu", mailverify_word((enum mailverify_reason)v->reason),
			(unsigned long long)v->offset);
}

/* One message and the end: the first is enough. */
static void on_result(void *arg, int fd, uint32_t events)
{
	struct job *j = arg;
	bool clean = fd == j->clean;
	struct msg m;
	int r = msg_recv(fd, &m);

	(void)events;
	if (r == -EAGAIN)
		return;
	if (r == 1) {
		if (clean && m.type == MSG_MAIL_RESULT)
			take_result(j, &m);
		else if (!clean && m.type == MSG_MAIL_VERIFIED)
			take_verdict(j, &m.u.msg_mail_verified);
		msg_close_fds(&m);
	}
	stop_hearing(j, clean ? &j->clean : &j->verify);
	look(j);
}

/* -- Asking them ----------------------------------------------------------------------------------------- */

/* Our end of a result socket, in the loop; the other in *ret_theirs. */
static int result_pair(struct job *j, int *ret_theirs)
{
	int pair[2];

	if (socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC | SOCK_NONBLOCK, 0, pair) < 0)
		return -errno;
	int r = loop_add_fd(j->m->d->loop, pair[0], EPOLLIN, on_result, j);
	if (r != 0) {
		close(pair[0]);
		close(pair[1]);
		return r;
	}
	*ret_theirs = pair[1];
	return pair[0];
}

static int ask_cleaner(struct job *j, int out)
{
	int fds[MSG_MAIL_FDS_CLEAN] = {j->mail, out, -1, j->domains};

	j->clean = result_pair(j, &fds[2]);
	if (j->clean < 0)
		return j->clean;
	int r = msg_send(DAEMON_FD_MAIL_CLEAN, MSG_MAIL_JOB, j->tag, &j->question, fds, MSG_MAIL_FDS_CLEAN);
	close(fds[2]);
	return r;
}

static int ask_verifier(struct job *j, int in)
{
	int fds[MSG_MAIL_FDS_VERIFY] = {in, j->out, -1};

	j->verify = result_pair(j, &fds[2]);
	if (j->verify < 0)
		return j->verify;
	int r = msg_send(DAEMON_FD_MAIL_VERIFY, MSG_MAIL_JOB, j->tag, &j->question, fds, MSG_MAIL_FDS_VERIFY);
	close(fds[2]);
	return r;
}

static int ask(struct job *j)
{
	int between[2];

	j->out = memfd_sealable("mail-out");
	if (j->out < 0)
		return j->out;
	if (j->question.direction == MSG_MAIL_OUT)
		return ask_cleaner(j, j->out);
	if (socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, between) < 0)
		return -errno;
	int r = ask_cleaner(j, between[0]);
	if (r == 0)
		r = ask_verifier(j, between[1]);
	close(between[0]);
	close(between[1]);
	return r;
}

static void run(struct job *j)
{
	struct maild *m = j->m;

	j->state = JOB_RUNNING;
	j->next = m->jobs;
	m->jobs = j;
	m->njobs++;
	j->tag = ++m->tags != 0 ? m->tags : ++m->tags;
	j->until = maild_now() + (SECONDS + 5) * 1000;
	j->question.seconds = SECONDS;
	j->question.cpu_seconds = CPU_SECONDS;
	j->question.text_max = MAIL_TEXT_OUT;
	j->question.out_max = OUT_MAX;
	int r = ask(j);
	if (r != 0) {
		daemon_log("a mail could not be given to the cleaner or the verifier: %s", strerror(-r));
		done(j, MAIL_REASON_WORKER_FAILED);
	}
}

/* One at a time: each may end at once and call us again. */
static void start_waiting(struct maild *m)
{
	struct job *j = m->waiting_jobs;

	if (j == NULL || m->njobs >= MAILD_JOBS)
		return;
	m->waiting_jobs = j->next;
	run(j);
}

void job_start(struct maild *m, struct job *j)
{
	struct job **p = &m->waiting_jobs;

	j->m = m;
	j->clean = j->verify = j->out = j->report = -1;
	j->cleaned = j->verified = j->disagreed = j->agreed = false;
	j->bytes_out = j->bytes_verified = 0;
	if (m->njobs < MAILD_JOBS && m->waiting_jobs == NULL) {
		run(j);
		return;
	}
	j->state = JOB_QUEUED;
	j->next = NULL;
	j->until = maild_now() + WAIT_MS;
	while (*p != NULL)
		p = &(*p)->next;
	*p = j;
}

static struct job *overdue(struct job *j, int64_t now)
{
	while (j != NULL && j->until > now)
		j = j->next;
	return j;
}

void job_tick(struct maild *m, int64_t now)
{
	struct job *j;

	while ((j = overdue(m->jobs, now)) != NULL || (j = overdue(m->waiting_jobs, now)) != NULL)
		done(j, MAIL_REASON_WORKER_SLOW);
}

/* -- The zygotes ----------------------------------------------------------------------------------------- */

static void take_busy(struct maild *m, const struct msg *got)
{
	struct job *j = m->jobs;

	while (j != NULL && j->tag != got->tag)
		j = j->next;
	if (j != NULL)
		done(j, MAIL_REASON_WORKER_FAILED);
}

static void on_zygote(void *arg, int fd, uint32_t events)
{
	struct maild *m = arg;
	struct msg got;
	int r = msg_recv(fd, &got);

	(void)events;
	if (r == 1 && got.type == MSG_MAIL_BUSY)
		take_busy(m, &got);
	if (r == 1)
		msg_close_fds(&got);
	else if (r != -EAGAIN)
		daemon_peer_broken(m->d, MSG_PEER_MAIL);
}

int job_init(struct maild *m)
{
	int r = loop_add_fd(m->d->loop, DAEMON_FD_MAIL_CLEAN, EPOLLIN, on_zygote, m);

	return r != 0 ? r : loop_add_fd(m->d->loop, DAEMON_FD_MAIL_VERIFY, EPOLLIN, on_zygote, m);
}
