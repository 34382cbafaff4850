/*
 * gate.c: sekishod: the keeper of the gate: it programs the kernel and keeps it as the policy says.
 *
 * Started by sekisho-init in its jail (own uid, CAP_NET_ADMIN only). Nothing is parsed here but fixed-size
 *messages, the flat IR (bounds-checked, and guarded again) and the kernel's own answers.
 *
 *	start    emergency cuts first; what runs in the kernel stays until the stored policy is compiled (the
 *lease ends it by itself); nothing of ours there, or no stored policy: the closed ruleset each 1 s counters,
 *schedule, clock, records, queue; each 10 s lease, settings, tables, samples; each 1/4 s the inspector events
 *of rtnetlink and nftables: looked into at once
 *
 * Failure: an error that leaves the kernel in doubt shuts it; if even that is refused the lease lapses.
 */
#include "gate.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/wait.h>

#include <sekisho/i18n.h>
#include <sekisho/loop.h>

#define TICK_MS 1000
#define SLOW_MS 10000
/* Events of rtnetlink come in crowds: one look for all of them. */
#define NET_SETTLE_MS 50
/* At this part of its limit the table of connections is nearly full. */
#define CONNTRACK_NEARLY(max) ((max) / 10 * 9)

void gate_event(struct gate *g, enum gate_event e)
{
	enum gate_state old = g->state;

	g->state = state_next(old, e);
	if (g->state == old)
		return;
	record(g, g->state == GATE_OPEN ? MSG_SEVERITY_INFO : MSG_SEVERITY_FAULT, "gate", "%s -> %s",
		state_word(old), state_word(g->state));
	if (g->state == GATE_HELD)
		nft_lease_drop(g->nft);
	else if (g->state == GATE_OPEN && old == GATE_HELD)
		kernel_lease(g);
}

void gate_finding(struct gate *g, enum health_source source, enum finding f, const char *detail)
{
	static const enum msg_severity severities[] = {
		[MSG_OK] = MSG_SEVERITY_INFO, [MSG_CAUTION] = MSG_SEVERITY_NOTICE, [MSG_ABNORMAL] = MSG_SEVERITY_FAULT};

	if (health_add(&g->health, source, f, detail) != HEALTH_NEW)
		return;
	record(g, severities[finding_severity(f)], finding_code(f), "%s%s%s", finding_text(f),
		detail[0] != '\0' ? ": " : "", detail);
	gate_alarm_event(g, finding_is_event(f) ? MSG_ALARM_HAPPENED : MSG_ALARM_BEGAN, f, detail);
}

static void on_cured(void *arg, enum finding f, const char *detail)
{
	record(arg, MSG_SEVERITY_INFO, finding_code(f), "cured: %s%s%s", finding_text(f), detail[0] != '\0' ? ": " : "",
		detail);
	gate_alarm_event(arg, MSG_ALARM_CURED, f, detail);
}

void gate_health_end(struct gate *g, enum health_source source)
{
	health_end(&g->health, source, on_cured, g);
}

/* -- Timers and events ----------------------------------------------------------------------------------- */

static void on_loss(void *arg, const char *group, const char *text)
{
	record(arg, MSG_SEVERITY_INFO, "kernel-loss", "%s: %s", group, text);
}

static void look_at_conntrack(struct gate *g)
{
	uint32_t count = 0, max = 0;
	char text[64];

	health_begin(&g->health, SOURCE_CONNTRACK);
	if (net_conntrack(&count, &max) && max > 0 && count >= CONNTRACK_NEARLY(max)) {
		snprintf(text, sizeof(text), "%u of %u", count, max);
		gate_finding(g, SOURCE_CONNTRACK, FINDING_CONNTRACK_FULL, text);
	}
	gate_health_end(g, SOURCE_CONNTRACK);
}

static void on_tick(void *arg)
{
	struct gate *g = arg;
	struct nft_sweep half_open;

	kernel_watch(g);
	kernel_tick(g);
	if (g->current != NULL && g->current->ir.system->half_open != 0)
		nft_half_open(g->nft, &g->current->ir, &half_open);
	recorder_tick(g);
	relay_tick(g);
	gate_mail_tick(g);
	freeze_tick(g);
	gate_tls_tick(g);
	gate_alarm_tick(g);
	health_tick(&g->health);
	control_tick(g);
}

static void on_slow(void *arg)
{
	struct gate *g = arg;

	kernel_lease(g);
	kernel_check(g);
	settings_check(g);
	look_at_conntrack(g);
	watch_slow(g);
	net_sample(g->net, on_loss, g);
	relay_report(g);
}

static void on_net_watch(void *arg, int fd, uint32_t events)
{
	struct gate *g = arg;

	(void)fd;
	(void)events;
	if (net_watch(g->net))
		loop_set_timer(g->look, NET_SETTLE_MS, 0);
}

static void on_look(void *arg)
{
	settings_check(arg);
	kernel_check(arg);
	control_next(arg);
}

/* -- Starting -------------------------------------------------------------------------------------------- */

static int open_kernel(struct gate *g)
{
	struct nft_error e = {0};
	int r = nft_open(&g->nft, &e);

	if (r != 0) {
		daemon_log("nftables: %s", e.text[0] != '\0' ? e.text : strerror(-r));
		return r;
	}
	g->net = net_open(settings_on_finding, g);
	return g->net != NULL ? 0 : -errno;
}

static void open_store(struct gate *g)
{
	char path[256];
	int r = daemon_path(g->d->root, DAEMON_PATH_GATE, path, sizeof(path));

	if (r == 0)
		r = store_open(&g->store, path, &store_io_real);
	g->have_store = r == 0;
	if (r == 0)
		r = store_running(&g->store, &g->running);
	if (r == 0)
		confirm_resume(g);
	if (g->have_store)
		drafts_resume(g);
	people_resume(g);
	if (r == -ENOENT && g->have_store)
		gate_finding(g, SOURCE_POLICY, FINDING_NO_POLICY, "");
	else if (r != 0)
		gate_finding(g, SOURCE_STORE, FINDING_STORE_BROKEN, strerror(-r));
}

/* Our table is there and whole: it is this machine's former life, and its lease is running. */
static bool may_adopt(struct gate *g)
{
	struct nft_check c = {0};

	return g->running != 0 && nft_check(g->nft, &c) == 0 &&
	       (c.faults & (NFT_FAULT_TABLE_MISSING | NFT_FAULT_CHAIN_MISSING)) == 0;
}

static int add_timers(struct gate *g)
{
	struct loop *l = g->d->loop;

	g->look = loop_add_timer(l, -1, 0, on_look, g);
	g->tick = loop_add_timer(l, TICK_MS, TICK_MS, on_tick, g);
	g->slow = loop_add_timer(l, SLOW_MS, SLOW_MS, on_slow, g);
	if (g->look == NULL || g->tick == NULL || g->slow == NULL)
		return -ENOMEM;
	int r = loop_add_fd(l, net_watch_fd(g->net), EPOLLIN, on_net_watch, g);
	return r != 0 ? r : loop_add_fd(l, nft_watch_fd(g->nft), EPOLLIN, kernel_on_watch, g);
}

/* --close: the closed ruleset and no forwarding, then the end. Exit status 0 or 1. */
static int close_gate(struct gate *g)
{
	g->d->exit_code = open_kernel(g) == 0 && kernel_shut(g) == 0 ? 0 : 1;
	return 1;
}

static int start(struct daemon *d)
{
	struct gate *g = d->arg;
	int r;

	g->d = d;
	g->rec.fd = g->control = g->mail.fd = g->tls.fd = g->alarm.fd = g->watch.flows.fd = -1;
	g->job = job_none();
	g->started = g->last_wall = clock_wall();
	g->last_mono = clock_mono();
	if (g->close_only)
		return close_gate(g);
	if ((r = open_kernel(g)) != 0)
		return r;
	g->clock_trusted = clock_is_trusted(g, g->started);
	open_store(g);
	g->adopted = may_adopt(g);
	if (!g->adopted && (r = kernel_shut(g)) != 0)
		return r;
	recorder_start(g, d->handed ? DAEMON_FD_LOG : -1);
	drill_start(g);
	freeze_start(g);
	if (gate_cut_start(g) != 0) {
		g->adopted = false;
		if ((r = kernel_shut(g)) != 0)
			return r;
	}
	if ((r = relay_start(g, d->handed ? DAEMON_FD_QUEUES : -1)) != 0)
		return r;
	if ((r = host_start(g, d->handed ? DAEMON_FD_HOST : -1)) != 0)
		return r;
	if ((r = gate_mail_start(g, d->handed ? DAEMON_FD_POST : -1, d->handed ? DAEMON_FD_CALLER : -1)) != 0)
		return r;
	if ((r = gate_tls_start(g, d->handed ? DAEMON_FD_TLS : -1)) != 0)
		return r;
	if ((r = gate_alarm_start(g, d->handed ? DAEMON_FD_NOTIFIER : -1)) != 0)
		return r;
	if ((r = control_start(g, d->handed ? DAEMON_FD_CONTROL : g->own_control)) != 0 || (r = add_timers(g)) != 0)
		return r;
	net_sample(g->net, on_loss, g);
	settings_check(g);
	kernel_check(g);
	control_next(g);
	return 0;
}

static int option(struct daemon *d, const char *word, const char *value)
{
	struct gate *g = d->arg;

	if (strcmp(word, "--close") != 0 || value != NULL)
		return -EINVAL;
	/* Also when the disk is read-only or broken the gate can be closed. */
	g->close_only = d->pathless = true;
	return 0;
}

/* As root: without an init the control socket is ours to make. */
static int before(struct daemon *d)
{
	struct gate *g = d->arg;

	g->own_control = -1;
	if (d->handed || g->close_only)
		return 0;
	g->own_control = control_open(d->root);
	return g->own_control >= 0 ? 0 : g->own_control;
}

static void notice(struct daemon *d, const struct msg *m)
{
	struct gate *g = d->arg;
	const struct msg_exited *e = &m->u.msg_exited;
	char text[128];

	if (m->type == MSG_ATTACH) {
		int fd = fcntl(m->fds[0], F_DUPFD_CLOEXEC, 0); /* the message's own is closed behind us */
		if (fd >= 0)
			relay_attach(g, fd);
		return;
	}
	if (m->type != MSG_EXITED)
		return;
	if (m->tag != 0) {
		job_exited(g, m->tag, e->status);
		return;
	}
	snprintf(text, sizeof(text), "%s", e->name);
	gate_finding(g, SOURCE_EVENT, FINDING_RESTARTED, text);
	if (WIFSIGNALED(e->status))
		record(g, MSG_SEVERITY_FAULT, "restarted", "%s: killed by signal %d, back after %u ms, start %u",
			e->name, WTERMSIG(e->status), e->down_ms, e->restarts);
	else if (WIFSTOPPED(e->status))
		record(g, MSG_SEVERITY_FAULT, "restarted", "%s: was stopped and continued", e->name);
	else
		record(g, MSG_SEVERITY_FAULT, "restarted", "%s: exit status %d, back after %u ms, start %u", e->name,
			WEXITSTATUS(e->status), e->down_ms, e->restarts);
	if (strcmp(e->name, jail_name(JAIL_LOG)) == 0 && !WIFSTOPPED(e->status))
		recorder_renew(g);
	if (!WIFSTOPPED(e->status))
		gate_mail_renew(g, text);
	if (!WIFSTOPPED(e->status))
		gate_alarm_renew(g, text);
}

/* In order: the ruleset stays; the lease ends it unless we come back. */
static void stop(struct daemon *d)
{
	struct gate *g = d->arg;

	record(g, MSG_SEVERITY_INFO, "stop", "sekishod ends in order");
	recorder_tick(g);
	gate_alarm_stop(g);
	relay_stop(g);
	watch_stop(g);
	loop_del_timer(g->look);
	loop_del_timer(g->tick);
	loop_del_timer(g->slow);
	nft_close(g->nft);
	net_close(g->net);
	store_close(&g->store);
}

const struct daemon_spec gate_spec = {.row = JAIL_GATE, .option = option, .before = before, .start = start,
	.notice = notice, .stop = stop};

int gate_main(int argc, char **argv)
{
	static struct gate gate;

	return daemon_run(&gate_spec, &gate, argc, argv);
}
