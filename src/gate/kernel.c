/*
 * kernel.c: the kernel's ruleset: programmed, kept as it was, opened and closed by the lease and by time.
 *
 * Everything here is synchronous: each call leaves the kernel with the old ruleset, the new one, or closed.
 * Failure: what cannot be programmed is shut; what cannot even be shut lapses with the lease.
 */
#include "gate.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>

#include <sekisho/arena.h>
#include <sekisho/loop.h>

/* Our own release: a clock before it is wrong. Raised with each release. */
#define RELEASED 1790812800 /* 2026-10-01T00:00:00Z */
/* Records may be this much ahead of a clock that was just corrected. */
#define CLOCK_SLACK_S 300
/* Wall and monotonic time may drift this far apart within a tick before it counts as a set clock. */
#define CLOCK_STEP_S 3
#define WATCH_EVENTS 32

static struct generation *in_force(const struct gate *g)
{
	return g->job.kernel_done ? g->job.next : g->current;
}

bool clock_is_trusted(const struct gate *g, struct wall now)
{
	if (now.sec < RELEASED || now.sec + CLOCK_SLACK_S < g->committed_at)
		return false;
	return !g->rec.have_status || now.sec + CLOCK_SLACK_S >= g->rec.status.newest;
}

static void error_text(const struct nft_error *e, int r, char *err)
{
	const char *object = e->object[0] != '\0' ? e->object : "ruleset";
	const char *text = e->text[0] != '\0' ? e->text : strerror(-r);

	if (e->rule[0] != '\0')
		snprintf(err, 256, "rule %.63s: the kernel refused %.95s: %.60s", e->rule, object, text);
	else
		snprintf(err, 256, "the kernel refused %.95s: %.120s", object, text);
}

/* What the ruleset of before knew by elements of its own. */
static void after_load(struct gate *g, const struct generation *gen)
{
	relay_pump(g);
	relay_enforce(g, gen);
	gate_mail_enforce(g, gen);
	gate_tls_enforce(g, gen);
	gate_alarm_enforce(g, gen);
	recorder_close_or_open(g, gen, true);
	if (g->state == GATE_HELD)
		nft_lease_drop(g->nft);
}

/* What the verified policies of the rules that run are in the new ones: their flows live on. */
static struct ruleset_renewal renewal(const struct gate *g, const struct generation *gen, struct arena *a)
{
	const struct generation *old = g->in_kernel;

	if (old == NULL || old->number == gen->number || a == NULL)
		return (struct ruleset_renewal){0};
	return (struct ruleset_renewal){old->number, ir_renumber(&old->ir, &gen->ir, a), old->ir.nverifieds + 1, &old->ir};
}

int kernel_commit(struct gate *g, const struct generation *gen, struct nft_commit *ret, char *err)
{
	struct nft_error e = {0};
	struct nft_sweep swept;
	struct wall now = clock_wall();
	struct ruleset_options opt = {.generation = gen->number, .capabilities = nft_capabilities(g->nft),
		.clock_untrusted = !g->clock_trusted};

	/* Hours and days are those of the policy's own zone. */
	if (!clock_set_zone(ir_text(&gen->ir, gen->ir.system->timezone)))
		record(g, MSG_SEVERITY_NOTICE, "zone", "unknown time zone %s",
			ir_text(&gen->ir, gen->ir.system->timezone));
	/* It may get packets of the new rules the moment that the kernel has them. */
	relay_offer(g, gen);
	struct arena *a = arena_new();
	opt.renewal = renewal(g, gen, a);
	gate_cut_levels(g);
	gate_cut_follow(g, gen);
	nft_cuts_keep(g->nft, &g->cut.list);
	opt.cuts = nft_cuts(g->nft);
	/* Measured: a second or two for 100 k boxes; an old kernel or a slow board may take many times that. */
	daemon_busy(g->d, 4 + gen->ir.nboxes / 2000);
	struct ruleset *rs = ruleset_build(&gen->ir, now, &opt);
	arena_free(a);
	relay_pump(g);
	int r = nft_commit(g->nft, &rs, ret, &e);
	if (r != 0) {
		ruleset_free(rs);
		error_text(&e, r, err);
		return r;
	}
	g->in_kernel = gen;
	gate_event(g, EVENT_COMMITTED);
	after_load(g, gen);
	/* Flows of before are judged by the new rules, whatever the sweep's end: marks of others do not pass. */
	if ((r = nft_sweep(g->nft, &gen->ir, gen->matcher, now, &swept)) != 0)
		record(g, MSG_SEVERITY_NOTICE, "sweep", "the sweep of running flows did not end: %s", strerror(-r));
	relay_pump(g);
	g->job.now = now;
	daemon_beat(g->d);
	return 0;
}

int kernel_shut(struct gate *g)
{
	struct nft_error e = {0};
	char text[256];
	int r = nft_shut(g->nft, &e);

	if (g->net != NULL)
		net_settings(g->net, NET_FORWARDING_OFF, false);
	if (r != 0) {
		error_text(&e, r, text);
		gate_finding(g, SOURCE_POLICY, FINDING_KERNEL_REFUSED, text);
	}
	g->in_kernel = NULL;
	gate_mail_enforce(g, NULL);
	gate_event(g, EVENT_SHUT);
	return r;
}

/* Forgets what we believe to be programmed: the next load reads all of it from the kernel and rebuilds it. */
static int reopen(struct gate *g, struct nft_error *e)
{
	struct nft *n = NULL;
	int r = nft_open(&n, e);

	if (r != 0)
		return r;
	loop_del_fd(g->d->loop, nft_watch_fd(g->nft));
	nft_close(g->nft);
	g->nft = n;
	g->records_set = false;
	return loop_add_fd(g->d->loop, nft_watch_fd(n), EPOLLIN, kernel_on_watch, g);
}

void kernel_restore(struct gate *g, const char *why)
{
	struct nft_error e = {0};
	struct nft_commit done;
	struct generation *gen = in_force(g);
	char err[256] = "";
	int r;

	/* Until our table stands again nothing may cross: the quickest way first. */
	net_forwarding_stop(g->net);
	r = nft_shut(g->nft, &e);
	loop_set_timer(g->look, 0, 0);
	gate_finding(g, SOURCE_EVENT, FINDING_TAMPERED, why);
	if (gen == NULL) {
		kernel_shut(g);
		return;
	}
	if (r == 0)
		r = reopen(g, &e);
	if (r != 0)
		error_text(&e, r, err);
	else
		r = kernel_commit(g, gen, &done, err);
	if (r == 0) {
		g->proof_due = true;
		return;
	}
	gate_finding(g, SOURCE_POLICY, FINDING_KERNEL_REFUSED, err);
	kernel_shut(g);
}

/* -- Watching -------------------------------------------------------------------------------------------- */

static void look_at_hooks(struct gate *g, const struct nft_check *c)
{
	health_begin(&g->health, SOURCE_KERNEL);
	for (uint32_t bit = 1; bit <= CAP_ALL; bit <<= 1) {
		uint32_t have = nft_capabilities(g->nft);
		bool queue = (bit & (CAP_QUEUE | CAP_XT_NFQUEUE)) != 0 && (have & (CAP_QUEUE | CAP_XT_NFQUEUE)) != 0;
		if ((have & bit) == 0 && !queue)
			gate_finding(g, SOURCE_KERNEL, FINDING_KERNEL_LACKS, capability_word((enum capability)bit));
	}
	if ((c->faults & NFT_FAULT_FOREIGN_HOOK) != 0)
		gate_finding(g, SOURCE_KERNEL, FINDING_FOREIGN_HOOK, c->foreign);
	if (g->state == GATE_SHUT && (c->faults & NFT_FAULT_TABLE_MISSING) != 0)
		gate_finding(g, SOURCE_KERNEL, FINDING_KERNEL_REFUSED, "no table of ours is loaded");
	gate_health_end(g, SOURCE_KERNEL);
}

void kernel_check(struct gate *g)
{
	struct nft_check c = {0};
	int r = nft_check(g->nft, &c);

	if (r != 0) {
		record(g, MSG_SEVERITY_NOTICE, "check", "the ruleset could not be looked at: %s", strerror(-r));
		return;
	}
	look_at_hooks(g, &c);
	if ((c.faults & (NFT_FAULT_TABLE_MISSING | NFT_FAULT_CHAIN_MISSING)) != 0)
		kernel_restore(g, (c.faults & NFT_FAULT_TABLE_MISSING) != 0 ? "the table was gone" :
										 "a base chain was gone or changed");
	else if ((c.faults & NFT_FAULT_GENERATION) != 0 && in_force(g) != NULL)
		g->proof_due = true;
	/* Our closed table is simple: loaded anew when anything was changed. */
	else if ((c.faults & NFT_FAULT_GENERATION) != 0 && !g->adopted)
		kernel_shut(g);
}

void kernel_watch(struct gate *g)
{
	struct nft_event e;
	bool look = false;

	for (unsigned i = 0; i < WATCH_EVENTS && nft_watch_read(g->nft, &e) == 1; i++) {
		char text[HEALTH_DETAIL];
		/* Nothing keeps a stranger's hand from our table here: nothing is forwarded until it was looked at. */
		if (!look && (nft_capabilities(g->nft) & CAP_PERSIST) == 0) {
			net_forwarding_stop(g->net);
			loop_set_timer(g->look, 0, 0);
		}
		look = true;
		if (e.kind != NFT_EVENT_FOREIGN)
			continue;
		snprintf(text, sizeof(text), "%.63s (process %u)", e.name, e.pid);
		gate_finding(g, SOURCE_EVENT, FINDING_FOREIGN_TABLE, text);
		if (in_force(g) != NULL)
			g->proof_due = true;
	}
	if (look)
		kernel_check(g);
}

void kernel_on_watch(void *arg, int fd, uint32_t events)
{
	struct gate *g = arg;

	(void)fd;
	(void)events;
	kernel_watch(g);
	control_next(g);
}

/* -- Time ------------------------------------------------------------------------------------------------ */

void kernel_lease(struct gate *g)
{
	if (g->state != GATE_OPEN || g->records == NFT_RECORDS_CLOSE_ALL)
		return;
	int r = nft_lease_renew(g->nft);
	if (r == 0) {
		g->lease_failures = 0;
		health_begin(&g->health, SOURCE_LEASE);
		gate_health_end(g, SOURCE_LEASE);
		return;
	}
	g->lease_failures++;
	gate_finding(g, SOURCE_LEASE, FINDING_LEASE, strerror(-r));
	if (r == -ENOENT || g->lease_failures >= 2)
		kernel_restore(g, "the lease could not be renewed");
}

static bool clock_was_set(struct gate *g, struct wall now)
{
	struct mono m = clock_mono();
	int64_t wall = now.sec - g->last_wall.sec, mono = (m.ns - g->last_mono.ns) / 1000000000;

	g->last_wall = now;
	g->last_mono = m;
	return llabs(wall - mono) > CLOCK_STEP_S;
}

void kernel_tick(struct gate *g)
{
	struct wall now = clock_wall();
	bool set = clock_was_set(g, now), trusted = clock_is_trusted(g, now), changed = trusted != g->clock_trusted;
	const struct ruleset *rs = nft_current(g->nft);
	struct nft_commit done;
	char err[256] = "";

	g->clock_trusted = trusted;
	health_begin(&g->health, SOURCE_CLOCK);
	if (!trusted)
		gate_finding(g, SOURCE_CLOCK, FINDING_CLOCK, "");
	gate_health_end(g, SOURCE_CLOCK);
	if (set)
		record(g, MSG_SEVERITY_NOTICE, "clock", "the clock was set");
	/* Between a job's kernel and its end the new ruleset is being proved: it is seconds old. */
	if (g->current == NULL || rs == NULL || g->job.kernel_done)
		return;
	if (!set && !changed && now.sec < ruleset_next_change(rs).sec)
		return;
	if (kernel_commit(g, g->current, &done, err) == 0) {
		g->proof_due = true;
		return;
	}
	gate_finding(g, SOURCE_POLICY, FINDING_KERNEL_REFUSED, err);
	kernel_restore(g, "the schedule could not be programmed");
}
