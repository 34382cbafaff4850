/*
 * commit.c: jobs: boot, commit and proof, each a list of steps in one table.
 *
 *	boot    load     compile  check  kernel  prove  net         end
 *	commit  number   compile  check  kernel  prove  net  store  end
 *	again    reload  number   compile  …  as commit: rollback, and what was not confirmed (revert)
 *	proof                                    prove
 *
 * Links rise (net) only after the ruleset was loaded and proved. Durable (store) is last: a power cut before it
 * leaves the old generation running on disk. A step that fails undoes what the steps before it did to kernel and
 * network, and the old generation is proved again; at boot the gate is shut then and boot is tried again later.
 *
 * Input: policy text is bytes and is only moved; the IR goes through generation_new(); diagnostics and findings of
 * one-shots are handed on unread. One-shots may die, hang (sekisho-init ends them) or lie about everything.
 */
#include "gate.h"

#include <errno.h>
#include <fcntl.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>

#include <sekisho/i18n.h>
#include <sekisho/loop.h>

#include "bytes.h"

enum { STEP_NEXT = 0, STEP_WAIT = 1 };

static void job_end(struct gate *g);
static void job_run(struct gate *g);

static void close_fd(int *fd)
{
	if (*fd >= 0)
		msg_close_fd(*fd);
	*fd = -1;
}

static int fail(struct gate *g, const char *fmt, ...) __attribute__((format(printf, 2, 3)));
static int fail(struct gate *g, const char *fmt, ...)
{
	va_list ap;

	va_start(ap, fmt);
	vsnprintf(g->job.error, sizeof(g->job.error), fmt, ap);
	va_end(ap);
	return -ECANCELED;
}

static struct generation *in_force(const struct gate *g)
{
	return g->job.kernel_done ? g->job.next : g->current;
}

/* -- One-shots --------------------------------------------------------------------------------------------------- */

static void drop_result(struct gate *g)
{
	if (g->job.result >= 0)
		loop_del_fd(g->d->loop, g->job.result);
	close_fd(&g->job.result);
	g->job.tag = 0;
}

/* The answer, or -1 for none, goes to the step that waits. */
static void take_result(struct gate *g, struct msg *m);

static void on_result(void *arg, int fd, uint32_t events)
{
	struct gate *g = arg;
	struct msg m = {0};

	(void)events;
	int r = msg_recv(fd, &m);
	if (r == -EAGAIN)
		return;
	if (r == 1 && m.type != MSG_RESULT) {
		msg_close_fds(&m);
		r = -EPROTO;
	}
	drop_result(g);
	take_result(g, r == 1 ? &m : NULL);
}

void job_exited(struct gate *g, uint32_t tag, int32_t status)
{
	struct msg m;

	if (tag == 0 || tag != g->job.tag)
		return;
	/* Its answer may still be in the socket. */
	if (g->job.result >= 0 && msg_recv(g->job.result, &m) == 1) {
		bool result = m.type == MSG_RESULT;
		if (!result)
			msg_close_fds(&m);
		drop_result(g);
		take_result(g, result ? &m : NULL);
		return;
	}
	daemon_log("a one-shot ended without an answer (status %#x)", (unsigned)status);
	drop_result(g);
	take_result(g, NULL);
}

/* fds: what it reads. The result socket is added here. */
static int spawn_child(struct gate *g, enum msg_child what, const int *fds, unsigned n)
{
	struct msg_spawn s = {.what = what, .now = g->job.now.sec, .clock_untrusted = !g->clock_trusted};
	int pair[2], all[MSG_FDS_MAX], r;

	if (g->d->init < 0)
		return fail(g, "%s", _("there is no sekisho-init that could start a process"));
	if (socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0, pair) != 0)
		return fail(g, "socketpair: %s", strerror(errno));
	fcntl(pair[0], F_SETFL, O_NONBLOCK);
	memcpy(all, fds, n * sizeof(int));
	all[n] = pair[1];
	MSG_TEXT(s.language, g->job.language);
	if (++g->tags == 0)
		g->tags = 1;
	r = msg_send(g->d->init, MSG_SPAWN, g->tags, &s, all, n + 1);
	close(pair[1]);
	if (r == 0)
		r = loop_add_fd(g->d->loop, pair[0], EPOLLIN, on_result, g);
	if (r != 0) {
		close(pair[0]);
		return fail(g, "%s: %s", _("a process could not be started"), strerror(-r));
	}
	g->job.result = pair[0];
	g->job.tag = g->tags;
	return STEP_WAIT;
}

/* -- Steps ---------------------------------------------------------------------------------------------------------- */

/* The text of a stored generation. */
static int load(struct gate *g, uint32_t number, struct store_meta *ret)
{
	struct job *j = &g->job;
	int r = store_meta(&g->store, number, ret), fd;

	if (r == -ENOENT)
		return fail(g, _("generation %u is not kept: `sekisho history` shows those that are"), number);
	if (r != 0)
		return fail(g, "generation %u: %s", number, strerror(-r));
	if ((fd = store_policy(&g->store, ret)) < 0)
		return fail(g, "generation %u: %s", number, strerror(-fd));
	j->policy = bytes_copy(fd, LIMIT_POLICY_BYTES);
	close(fd);
	return j->policy >= 0 ? STEP_NEXT : fail(g, "generation %u: %s", number, strerror(-j->policy));
}

/* boot: the running generation from disk. */
static int step_load(struct gate *g)
{
	return load(g, g->running, &g->job.meta);
}

/* rollback: the text is that of an older generation; who and why are of today. */
static int step_reload(struct gate *g)
{
	struct store_meta old;
	int r = load(g, g->job.meta.of, &old);

	if (r == STEP_NEXT && g->job.kind == JOB_REVERT)
		MSG_TEXT(g->job.meta.approval, old.approval);
	return r;
}

/* commit: a number above all that were ever stored or in force. */
static int step_number(struct gate *g)
{
	uint32_t next = g->have_store ? store_next(&g->store) : 1;

	if (g->current != NULL && next <= g->current->number)
		next = g->current->number + 1;
	g->job.meta.number = next;
	return g->have_store ? STEP_NEXT : fail(g, "%s", _("the store of generations cannot be opened"));
}

static int step_compile(struct gate *g)
{
	g->job.now = clock_wall();
	return spawn_child(g, MSG_CHILD_COMPILE, &g->job.policy, 1);
}

/* The compiler answered: diagnostics, and the IR when there were no errors. */
static int compiled(struct gate *g, struct msg *m)
{
	struct job *j = &g->job;

	if (m == NULL)
		return fail(g, "%s", _("the compiler ended without an answer"));
	j->errors = m->u.msg_result.errors;
	j->warnings = m->u.msg_result.warnings;
	j->diagnostics = m->fds[0];
	m->fds[0] = -1;
	if (j->errors != 0 || m->nfds < 2)
		return fail(g, _("the policy was refused: %u errors"), j->errors);
	const char *bad = NULL;
	j->next = generation_new(m->fds[1], &bad);
	m->fds[1] = -1;
	if (j->next == NULL)
		return fail(g, "%s: %s", _("the compiled policy was refused"), bad);
	j->next->number = j->meta.number;
	return STEP_NEXT;
}

static int step_kernel(struct gate *g)
{
	struct nft_commit done = {0};
	char err[256] = "";
	struct job *j = &g->job;

	/* What was left running is taken over: nft_commit() rebuilds all of it beside, and re-points. */
	g->adopted = false;
	int r = kernel_commit(g, j->next, &done, err);
	j->kernel_us = done.kernel_us;
	if (r != 0)
		return fail(g, "%s", err);
	j->kernel_done = true;
	return STEP_NEXT;
}

static int step_prove(struct gate *g)
{
	struct generation *gen = in_force(g);
	uint32_t genid;
	int dump, r;

	if (gen == NULL)
		return fail(g, "%s", _("no policy is in force"));
	if (g->job.kind == JOB_PROVE)
		g->job.now = clock_wall();
	g->proof_due = false;
	if ((r = nft_dump(g->nft, &dump, &genid)) != 0)
		return fail(g, "%s: %s", _("the ruleset could not be read back"), strerror(-r));
	int fds[2] = {gen->ir_fd, dump};
	r = spawn_child(g, MSG_CHILD_PROVE, fds, 2);
	close(dump);
	return r;
}

static int proved(struct gate *g, struct msg *m)
{
	struct job *j = &g->job;

	if (m == NULL && !j->second_try) {
		j->second_try = true;
		return step_prove(g);
	}
	if (m == NULL)
		return fail(g, "%s", _("the proof could not be made"));
	close_fd(&j->findings);
	j->findings = m->fds[0];
	m->fds[0] = -1;
	j->errors = m->u.msg_result.errors;
	if (j->errors != 0)
		return fail(g, _("the proof found %u differences between kernel and policy"), j->errors);
	gate_event(g, EVENT_PROVED);
	health_begin(&g->health, SOURCE_PROOF);
	gate_health_end(g, SOURCE_PROOF);
	return STEP_NEXT;
}

static int step_net(struct gate *g)
{
	char err[256] = "";

	g->job.net_done = true;
	return settings_apply(g, g->job.next, err) == 0 ? STEP_NEXT : fail(g, "%s", err);
}

/* The stored running generation: while another one waits to be confirmed, it is the one before. */
static int set_running(struct gate *g, uint32_t number)
{
	uint32_t old = g->confirm.number != 0 ? g->confirm.previous : g->running;
	int r = store_set_running(&g->store, number);

	/* Perhaps it reached the disk all the same: the old one must be the running one. */
	if (r != 0 && old != 0)
		store_set_running(&g->store, old);
	if (r == 0)
		confirm_end(g);
	return r;
}

static int step_store(struct gate *g)
{
	struct job *j = &g->job;
	struct bytes text;
	int r = bytes_map(j->policy, &text);

	if (r != 0)
		return fail(g, "%s", strerror(-r));
	j->meta.at = clock_wall().sec;
	r = store_put(&g->store, &j->meta, text.p, text.n);
	bytes_unmap(&text);
	if (r == 0)
		r = j->confirm_minutes > 0 ? confirm_begin(g, j->meta.number, j->confirm_minutes)
					   : set_running(g, j->meta.number);
	if (r != 0) {
		gate_finding(g, SOURCE_STORE, FINDING_STORE_BROKEN, strerror(-r));
		return fail(g, "%s: %s", _("the generation could not be stored"), strerror(-r));
	}
	g->running = j->meta.number;
	health_begin(&g->health, SOURCE_STORE);
	gate_health_end(g, SOURCE_STORE);
	if (g->confirm.number == 0)
		store_prune(&g->store, g->running);
	return STEP_NEXT;
}

/* boot and commit: the new generation is the one in force. */
static int step_end(struct gate *g)
{
	struct job *j = &g->job;
	struct generation *old = g->current;

	g->current = j->next;
	g->current->meta = j->meta;
	j->next = NULL;
	j->kernel_done = j->net_done = false;
	generation_free(old);
	g->committed_at = j->meta.at;
	g->rec.generation_due = true;
	health_begin(&g->health, SOURCE_POLICY);
	gate_health_end(g, SOURCE_POLICY);
	/* What stands is looked at again when the client has its answer. */
	loop_set_timer(g->look, 0, 0);
	return STEP_NEXT;
}

typedef int step_fn(struct gate *g);
typedef int answer_fn(struct gate *g, struct msg *m);

struct step {
	step_fn *run;
	answer_fn *answer; /* for a step that waits for a one-shot */
};

static const struct step boot_steps[] = {{step_load, NULL}, {step_compile, compiled}, {step_kernel, NULL},
	{step_prove, proved}, {step_net, NULL}, {step_end, NULL}, {NULL, NULL}};
static const struct step commit_steps[] = {{step_number, NULL}, {step_compile, compiled}, {step_kernel, NULL},
	{step_prove, proved}, {step_net, NULL}, {step_store, NULL}, {step_end, NULL}, {NULL, NULL}};
static const struct step again_steps[] = {{step_reload, NULL}, {step_number, NULL}, {step_compile, compiled},
	{step_kernel, NULL}, {step_prove, proved}, {step_net, NULL}, {step_store, NULL}, {step_end, NULL}, {NULL, NULL}};
static const struct step prove_steps[] = {{step_prove, proved}, {NULL, NULL}};

static const struct step *steps_of(enum job_kind kind)
{
	switch (kind) {
	case JOB_BOOT:
		return boot_steps;
	case JOB_COMMIT:
		return commit_steps;
	case JOB_ROLLBACK:
	case JOB_REVERT:
		return again_steps;
	default:
		return prove_steps;
	}
}

/* -- When a step fails -------------------------------------------------------------------------------------------- */

/* Kernel and network as they were before the job; closed when even that is refused. */
static void undo(struct gate *g)
{
	struct job *j = &g->job;
	struct generation *next = j->next;
	struct nft_commit done;
	char err[256] = "";
	bool kernel = j->kernel_done, net = j->net_done;

	j->next = NULL;
	j->kernel_done = j->net_done = false;
	if (kernel && g->current == NULL) {
		kernel_shut(g);
	} else if (kernel && kernel_commit(g, g->current, &done, err) != 0) {
		gate_finding(g, SOURCE_POLICY, FINDING_KERNEL_REFUSED, err);
		kernel_shut(g); /* the stored one is tried again from the start */
	}
	g->proof_due |= kernel && g->current != NULL;
	if (net && settings_apply(g, g->current, err) != 0)
		gate_finding(g, SOURCE_NET, FINDING_NET_REFUSED, err);
	if (g->in_kernel == next)
		g->in_kernel = NULL;
	generation_free(next);
}

/* What is in force does not hold the policy, or nobody can say: made anew once, then the lease goes. */
static void disproved(struct gate *g)
{
	enum finding f = g->job.findings >= 0 ? FINDING_PROOF : FINDING_PROOF_FAILED;
	bool again = f == FINDING_PROOF && g->state == GATE_OPEN && !g->restored;

	record(g, MSG_SEVERITY_FAULT, finding_code(f), "%s", g->job.error);
	if (again) {
		g->restored = true;
		kernel_restore(g, g->job.error);
		return;
	}
	gate_finding(g, SOURCE_PROOF, f, g->job.error);
	gate_event(g, EVENT_DISPROVED);
}

/* The beginning of what the proof found goes to the records, as it is: bytes, not looked into. */
static void record_findings(struct gate *g)
{
	char text[241] = "";
	ssize_t n = g->job.findings >= 0 ? pread(g->job.findings, text, sizeof(text) - 1, 0) : 0;

	if (n > 2)
		record(g, MSG_SEVERITY_FAULT, finding_code(FINDING_PROOF), "%s", text);
}

static void job_failed(struct gate *g)
{
	struct job *j = &g->job;

	j->failed = true;
	drop_result(g);
	record_findings(g);
	if (j->kind == JOB_PROVE) {
		if (in_force(g) != NULL)
			disproved(g);
		return;
	}
	bool ours = j->kind == JOB_BOOT || j->kind == JOB_REVERT;
	record(g, ours ? MSG_SEVERITY_FAULT : MSG_SEVERITY_NOTICE,
		j->kind == JOB_BOOT ? "policy-broken" : "commit-failed", "%s", j->error);
	if (j->kind == JOB_BOOT) {
		g->adopted = false;
		health_begin(&g->health, SOURCE_POLICY);
		gate_finding(g, SOURCE_POLICY, FINDING_POLICY_BROKEN, j->error);
		gate_health_end(g, SOURCE_POLICY);
		if (!j->kernel_done)
			kernel_shut(g);
	}
	undo(g);
}

/* -- Running --------------------------------------------------------------------------------------------------------- */

struct job job_none(void)
{
	return (struct job){.client = -1, .result = -1, .policy = -1, .diagnostics = -1, .findings = -1};
}

static void job_begin(struct gate *g, enum job_kind kind, int client, const char *language)
{
	g->job = job_none();
	g->job.kind = kind;
	g->job.client = client;
	g->job.begun = clock_mono();
	g->job.now = clock_wall();
	MSG_TEXT(g->job.language, strcmp(language, "en") == 0 ? "en" : "ja");
	i18n_init(g->job.language);
}

static void job_end(struct gate *g)
{
	struct job done = g->job;

	if (!done.failed && done.kind == JOB_PROVE)
		g->restored = false;
	/* The next job may begin in the answer: this one is over first. */
	g->job = job_none();
	if (done.client >= 0)
		control_answer(g, &done);
	close_fd(&done.policy);
	close_fd(&done.diagnostics);
	close_fd(&done.findings);
	control_next(g);
}

/* Runs steps until one waits, all are done, or one fails. */
static void job_run(struct gate *g)
{
	int r = STEP_NEXT;

	while (r == STEP_NEXT && steps_of(g->job.kind)[g->job.step].run != NULL) {
		daemon_beat(g->d);
		relay_pump(g);
		r = steps_of(g->job.kind)[g->job.step].run(g);
		if (r == STEP_NEXT)
			g->job.step++;
	}
	if (r == STEP_WAIT)
		return;
	if (r < 0)
		job_failed(g);
	job_end(g);
}

static void take_result(struct gate *g, struct msg *m)
{
	const struct step *s = &steps_of(g->job.kind)[g->job.step];
	int r = s->answer != NULL ? s->answer(g, m) : -EPROTO;

	if (m != NULL)
		msg_close_fds(m);
	else
		record(g, MSG_SEVERITY_FAULT, "one-shot", "a process ended without an answer");
	if (r == STEP_WAIT)
		return;
	if (r < 0) {
		job_failed(g);
		job_end(g);
		return;
	}
	g->job.step++;
	job_run(g);
}

void job_boot(struct gate *g)
{
	job_begin(g, JOB_BOOT, -1, "en");
	job_run(g);
}

static bool begin_commit(struct gate *g, struct client *c)
{
	struct job *j = &g->job;

	MSG_TEXT(j->meta.who, c->request.who);
	MSG_TEXT(j->meta.why, c->request.why);
	MSG_TEXT(j->meta.approval, c->request.approval);
	MSG_TEXT(j->meta.account, c->peer.account);
	j->meta.uid = c->peer.uid;
	if (!past_allows(g, c, j->error))
		return false;
	if (j->kind == JOB_ROLLBACK) {
		j->meta.of = c->request.argument;
		return true;
	}
	j->confirm_minutes = c->request.argument;
	j->policy = bytes_copy(c->policy, LIMIT_POLICY_BYTES);
	if (j->policy < 0)
		fail(g, "%s: %s", _("the policy file cannot be read"), strerror(-j->policy));
	return j->policy >= 0;
}

void job_commit(struct gate *g, int client)
{
	struct client *c = &g->clients[client];

	job_begin(g, c->request.verb == MSG_VERB_ROLLBACK ? JOB_ROLLBACK : JOB_COMMIT, client, c->request.language);
	bool begun = begin_commit(g, c);
	close_fd(&c->policy);
	if (!begun) {
		g->job.failed = true;
		job_end(g);
		return;
	}
	job_run(g);
}

/* What nobody confirmed goes: the text before it is a generation again. */
void job_revert(struct gate *g)
{
	const char *language = g->current != NULL ? ir_text(&g->current->ir, g->current->ir.system->language) : "en";
	struct job *j = &g->job;
	char why[256];

	job_begin(g, JOB_REVERT, -1, language);
	snprintf(why, sizeof(why), _("generation %u was not confirmed within %u minutes"), g->confirm.number,
		g->confirm.minutes);
	j->meta.of = g->confirm.previous;
	MSG_TEXT(j->meta.who, "sekishod");
	MSG_TEXT(j->meta.why, why);
	record(g, MSG_SEVERITY_NOTICE, "unconfirmed", "generation %u was not confirmed within %u minutes: %u returns",
		g->confirm.number, g->confirm.minutes, g->confirm.previous);
	job_run(g);
}

void job_prove(struct gate *g, int client)
{
	job_begin(g, JOB_PROVE, client, client >= 0 ? g->clients[client].request.language : "en");
	job_run(g);
}
