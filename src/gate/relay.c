/*
 * relay.c: the link to sekisho-inspect: queues down, verdicts up, and who is asked when nobody is there.
 *
 *	MSG_ATTACH      a new inspector: fresh queues are bound and handed to it, with the generation that the kernel has
 *	first status    it is well: the kernel's set `inspectors` is filled, and renewed each second while it is
 *	verdicts        checked field by field, then given to the kernel on our copy of the queue's socket
 *	end of file, silence, packets that wait and get no verdict, anything malformed
 *	                the set is emptied, what the queues hold is refused (no-inspector), they are closed, the process
 *	                is killed. Passed flows are the kernel's and go on
 *
 * Input and trust: sekisho-inspect parses packets of the network: its numbers are bounded here, its words on a packet are
 * good for packets of its queues alone, its wish for a data connection is granted only where a rule grants the control
 * connection to the same two hosts now.
 * Limits: MESSAGES_A_TURN messages a turn, PINHOLES_A_SECOND. Failure: queues that cannot be bound are tried again with each
 * tick; until then what must be verified is refused.
 */
#include "relay.h"

#include "gate.h"

#include <errno.h>
#include <fcntl.h>
#include <netinet/in.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <unistd.h>

#include <sekisho/inspect.h>
#include <sekisho/loop.h>

#define RELAY_TICK_MS 250
/* It speaks twice a second; so long without a word, or without a verdict for what waits, and it hangs. */
#define HUNG_MS 2000
#define RENEW_MS 1000
/* A restart is no finding; an absence is. */
#define AWAY_MS 5000
#define MESSAGES_A_TURN 64
#define VERDICTS_A_CALL 256
#define PINHOLES_A_SECOND 200
#define NEARLY(max) ((max) / 10 * 9)

/* What was said of one queue and is not given to the kernel yet: all that waits is given in one call. */
static struct heard {
	struct nft_verdict verdict[VERDICTS_A_CALL];
	uint32_t n;
} heard[LIMIT_SEGMENTS];

/* -- The kernel's queues --------------------------------------------------------------------------------- */

static void close_queues(struct relay *r)
{
	for (unsigned i = 0; i < LIMIT_SEGMENTS; i++) {
		if (r->queue[i] >= 0)
			close(r->queue[i]);
		r->queue[i] = -1;
	}
}

static int open_queues(struct relay *r)
{
	for (unsigned i = 0; i < LIMIT_SEGMENTS; i++) {
		r->queue[i] = nft_queue_open(i);
		if (r->queue[i] < 0) {
			int e = r->queue[i];
			close_queues(r);
			return e;
		}
		r->answered[i] = clock_mono();
		r->dropped[i] = 0;
	}
	return 0;
}

/* What the queues hold is refused, recorded with no-inspector. */
static void abandon_queues(struct gate *g)
{
	struct relay *r = &g->relay;
	struct queue_line lines[LIMIT_SEGMENTS] = {{0, 0}};

	relay_statistics(r->statistics, lines);
	/* Twice: a packet may have been on its way into the queue when the set was emptied. */
	for (unsigned round = 0; round < 2; round++)
		for (unsigned i = 0; i < LIMIT_SEGMENTS; i++)
			if (r->queue[i] >= 0)
				nft_queue_abandon(r->queue[i], i);
	for (unsigned i = 0; i < LIMIT_SEGMENTS; i++)
		r->shown.abandoned += lines[i].waiting;
}

/* -- Beginning and end ----------------------------------------------------------------------------------- */

void relay_detach(struct gate *g)
{
	struct relay *r = &g->relay;

	if (r->fd < 0)
		return;
	loop_del_fd(g->d->loop, r->fd);
	close(r->fd);
	r->fd = -1;
	nft_inspectors_drop(g->nft);
	abandon_queues(g);
	close_queues(r);
	r->shown.state = MSG_INSPECTOR_AWAY;
	r->shown.waiting = 0;
	for (unsigned i = 0; i < LIMIT_SEGMENTS; i++)
		heard[i].n = 0;
	r->offered = r->enforced = 0;
	r->epoch = 0;
	r->away = clock_mono();
}

/* Its end is init's to make, and it is started again. */
static void end_inspector(struct gate *g, const char *why)
{
	record(g, MSG_SEVERITY_FAULT, "inspector", "sekisho-inspect: %s", why);
	gate_finding(g, SOURCE_EVENT, FINDING_INSPECTOR_BROKEN, why);
	daemon_peer_broken(g->d, MSG_PEER_INSPECT);
	relay_detach(g);
}

static bool tell(struct gate *g, enum msg_type type, const void *body, const int *fds, unsigned n)
{
	int e = msg_send(g->relay.fd, type, 0, body, fds, n);

	if (e != 0)
		end_inspector(g, strerror(-e));
	return e == 0;
}

static bool tell_links(struct gate *g)
{
	struct relay *r = &g->relay;

	if (!r->links_due || g->rec.links.n == 0)
		return true;
	r->links_due = false;
	return tell(g, MSG_LINKS, &g->rec.links, NULL, 0);
}

void relay_links(struct gate *g)
{
	g->relay.links_due = true;
	if (g->relay.epoch != 0)
		tell_links(g);
}

void relay_offer(struct gate *g, const struct generation *gen)
{
	struct relay *r = &g->relay;
	struct msg_generation m = {.number = gen->number, .at = gen->meta.at};

	if (r->epoch == 0 || gen->number == r->enforced || !tell_links(g))
		return;
	if (tell(g, MSG_GENERATION, &m, &gen->ir_fd, 1))
		r->offered = gen->number;
}

void relay_enforce(struct gate *g, const struct generation *gen)
{
	struct relay *r = &g->relay;
	struct msg_enforced m = {.number = gen->number};

	if (r->epoch != 0 && r->enforced != gen->number && tell(g, MSG_ENFORCED, &m, NULL, 0))
		r->enforced = gen->number;
	relay_present(g);
}

/* Queues for a new inspector, and what it must know. Not yet: tried again. */
static void begin(struct gate *g)
{
	struct relay *r = &g->relay;
	int e = open_queues(r);

	if (e != 0) {
		if (e != r->open_error)
			record(g, MSG_SEVERITY_NOTICE, "inspector", "the queues cannot be bound: %s", strerror(-e));
		r->open_error = e;
		return;
	}
	r->open_error = 0;
	struct msg_queues m = {.epoch = (uint64_t)clock_mono().ns};
	if (m.epoch <= r->last_epoch)
		m.epoch = r->last_epoch + 1;
	r->epoch = r->last_epoch = m.epoch;
	r->heard = clock_mono();
	r->shown.state = MSG_INSPECTOR_STARTING;
	r->links_due = true;
	if (tell(g, MSG_QUEUES, &m, r->queue, LIMIT_SEGMENTS) && tell_links(g) && g->in_kernel != NULL) {
		relay_offer(g, g->in_kernel);
		relay_enforce(g, g->in_kernel);
	}
}

/* -- Presence -------------------------------------------------------------------------------------------- */

void relay_present(struct gate *g)
{
	struct relay *r = &g->relay;

	/* The closed ruleset has no such set. */
	if (r->shown.state == MSG_INSPECTOR_WELL && nft_current(g->nft) != NULL && nft_inspectors_renew(g->nft) == 0)
		r->renewed = clock_mono();
}

static void take_status(struct gate *g, const struct msg_inspect_status *s)
{
	struct relay *r = &g->relay;

	r->heard = clock_mono();
	r->shown.status = *s;
	if (r->shown.state != MSG_INSPECTOR_STARTING || s->generation != r->enforced)
		return;
	r->shown.state = MSG_INSPECTOR_WELL;
	relay_present(g);
}

/* -- Verdicts -------------------------------------------------------------------------------------------- */

static bool verdict_is_good(const struct msg_verdict *v)
{
	bool refused = v->code == INSPECT_REFUSE || v->code == INSPECT_DROP;

	if (v->queue >= LIMIT_SEGMENTS || v->code < INSPECT_FORWARD || v->code > INSPECT_DROP)
		return false;
	return refused ? v->why < WHY_END && v->seen < APP_END : v->why == 0 && v->seen == 0;
}

static void give_verdicts(struct relay *r, unsigned queue)
{
	struct heard *h = &heard[queue];

	if (h->n == 0)
		return;
	if (nft_queue_verdicts(r->queue[queue], queue, h->verdict, h->n) == 0)
		r->shown.verdicts += h->n;
	r->answered[queue] = clock_mono();
	h->n = 0;
}

static void give_all_verdicts(struct relay *r)
{
	for (unsigned i = 0; i < LIMIT_SEGMENTS; i++)
		give_verdicts(r, i);
}

/* False: something is malformed; what came before it is given. */
static bool take_verdicts(struct relay *r, const struct msg_verdicts *m)
{
	for (uint32_t i = 0; i < m->n; i++) {
		const struct msg_verdict *v = &m->verdict[i];
		if (!verdict_is_good(v))
			return false;
		struct heard *h = &heard[v->queue];
		h->verdict[h->n++] = (struct nft_verdict){.packet = v->id, .code = v->code, .why = v->why, .seen = v->seen};
		if (h->n == VERDICTS_A_CALL)
			give_verdicts(r, v->queue);
	}
	return true;
}

/* -- Pinholes -------------------------------------------------------------------------------------------- */

static bool holds(const struct ir_range *range, uint8_t family, const uint8_t addr[16])
{
	size_t n = family == 4 ? 4 : 16;

	return memcmp(range->lo, addr, n) <= 0 && memcmp(addr, range->hi, n) <= 0;
}

/* Does the rule grant a control connection from one host to the other? */
static bool grants(const struct ir *ir, const struct ir_rule *rule, uint8_t family, const uint8_t *from, const uint8_t *to)
{
	for (uint32_t i = 0; i < rule->spans.n; i++) {
		const struct ir_span *s = &ir->spans[rule->spans.first + i];
		if (s->family == family && s->proto == IPPROTO_TCP && holds(&s->src, family, from) &&
			holds(&s->dst, family, to))
			return true;
	}
	return false;
}

static bool in_force(const struct gate *g, const struct ir *ir, const struct ir_rule *rule, struct wall now)
{
	bool needs_clock = (rule->flags & IR_RULE_TIMED) != 0 || rule->ends != INT64_MAX || rule->starts > 0;

	return (g->clock_trusted || !needs_clock) && rule_active(ir, rule, now, NULL);
}

/* A rule with this verified policy that grants a control connection between the two, now. */
static bool granted(const struct gate *g, const struct msg_pinhole *m)
{
	const struct ir *ir = &g->in_kernel->ir;
	bool active = (ir->verifieds[m->verified - 1].options & VERIFY_ACTIVE_DATA) != 0;
	struct wall now = clock_wall();

	for (uint32_t i = 0; i < ir->nrules; i++) {
		const struct ir_rule *rule = &ir->rules[i];
		if (rule->action != IR_INSPECT || rule->verified != m->verified || !in_force(g, ir, rule, now))
			continue;
		if (grants(ir, rule, m->family, m->client, m->server) ||
			(active && grants(ir, rule, m->family, m->server, m->client)))
			return true;
	}
	return false;
}

static bool has_data(const struct ir *ir, uint16_t verified)
{
	if (verified == 0 || verified > ir->nverifieds)
		return false;
	const struct ir_verified *v = &ir->verifieds[verified - 1];
	return v->application == APP_FTP && (v->options & VERIFY_NO_DATA) == 0;
}

static bool too_many_pinholes(struct relay *r)
{
	if (mono_since_ms(r->pinholes_since) >= 1000) {
		r->pinholes_since = clock_mono();
		r->pinholes_now = 0;
	}
	return r->pinholes_now++ >= PINHOLES_A_SECOND;
}

static bool open_pinhole(struct gate *g, const struct msg_pinhole *m)
{
	if (g->in_kernel == NULL || m->generation != g->in_kernel->number || m->port < 1024 ||
		!has_data(&g->in_kernel->ir, m->verified) || too_many_pinholes(&g->relay))
		return false;
	if (!granted(g, m))
		return false;
	struct nft_pinhole h = {.from.family = m->family, .to.family = m->family, .port = m->port};
	memcpy(h.from.b, m->client, sizeof(h.from.b));
	memcpy(h.to.b, m->server, sizeof(h.to.b));
	return nft_pinhole(g->nft, &h) == 0;
}

static bool take_pinhole(struct gate *g, const struct msg_pinhole *m)
{
	static const uint8_t zero[12];

	if ((m->family != 4 && m->family != 6) ||
		(m->family == 4 && (memcmp(m->client + 4, zero, 12) != 0 || memcmp(m->server + 4, zero, 12) != 0)))
		return false;
	if (open_pinhole(g, m))
		g->relay.shown.pinholes++;
	else
		g->relay.shown.pinholes_refused++;
	return true;
}

/* -- Messages -------------------------------------------------------------------------------------------- */

static bool take_message(struct gate *g, const struct msg *m)
{
	struct relay *r = &g->relay;

	switch ((int)m->type) {
	case MSG_VERDICTS:
		return m->u.msg_verdicts.epoch != r->epoch || r->epoch == 0 || take_verdicts(r, &m->u.msg_verdicts);
	case MSG_PINHOLE:
		return m->u.msg_pinhole.epoch != r->epoch || r->epoch == 0 || take_pinhole(g, &m->u.msg_pinhole);
	case MSG_INSPECT_STATUS:
		if (r->epoch != 0 && m->u.msg_inspect_status.epoch == r->epoch)
			take_status(g, &m->u.msg_inspect_status);
		return true;
	default:
		return false;
	}
}

void relay_pump(struct gate *g)
{
	static struct msg m; /* large, and taken for each batch of packets */
	int e = -EAGAIN;

	for (unsigned i = 0; g->relay.fd >= 0 && i < MESSAGES_A_TURN && (e = msg_recv(g->relay.fd, &m)) == 1; i++) {
		bool good = take_message(g, &m);
		msg_close_fds(&m);
		if (!good) {
			e = -EPROTO;
			break;
		}
	}
	give_all_verdicts(&g->relay);
	if (g->relay.fd < 0 || e == 1 || e == -EAGAIN)
		return;
	if (e == 0)
		relay_detach(g); /* it ended; init starts the next */
	else
		end_inspector(g, "sent something malformed");
}

static void on_inspector(void *arg, int fd, uint32_t events)
{
	(void)fd;
	(void)events;
	relay_pump(arg);
}

void relay_attach(struct gate *g, int fd)
{
	struct relay *r = &g->relay;

	relay_detach(g);
	fcntl(fd, F_SETFL, O_NONBLOCK);
	if (loop_add_fd(g->d->loop, fd, EPOLLIN, on_inspector, g) != 0) {
		close(fd);
		return;
	}
	r->fd = fd;
	r->shown.starts++;
	memset(&r->shown.status, 0, sizeof(r->shown.status));
	begin(g);
}

/* -- Watching -------------------------------------------------------------------------------------------- */

/* Packets wait, and none of that queue was answered for too long. */
static bool look_at_queues(struct relay *r)
{
	struct queue_line lines[LIMIT_SEGMENTS] = {{0, 0}};
	bool hung = false;

	r->shown.waiting = 0;
	if (!relay_statistics(r->statistics, lines))
		return false;
	for (unsigned i = 0; i < LIMIT_SEGMENTS; i++) {
		r->shown.waiting += lines[i].waiting;
		if (lines[i].dropped > r->dropped[i])
			r->shown.overflows += lines[i].dropped - r->dropped[i];
		r->dropped[i] = lines[i].dropped;
		if (lines[i].waiting == 0)
			r->answered[i] = clock_mono();
		hung = hung || mono_since_ms(r->answered[i]) > HUNG_MS;
	}
	return hung;
}

static void on_relay_tick(void *arg)
{
	struct gate *g = arg;
	struct relay *r = &g->relay;

	/* What it said while we were busy counts as said now. */
	relay_pump(g);
	if (r->fd >= 0 && r->epoch == 0)
		begin(g);
	if (r->epoch == 0)
		return;
	if (look_at_queues(r))
		end_inspector(g, "packets wait, and it answers none");
	else if (mono_since_ms(r->heard) > HUNG_MS)
		end_inspector(g, "no sign of life");
	else if (mono_since_ms(r->renewed) >= RENEW_MS)
		relay_present(g);
}

void relay_tick(struct gate *g)
{
	const struct relay *r = &g->relay;
	const struct msg_inspect_status *s = &r->shown.status;
	bool needed = g->current != NULL && g->current->ir.nverifieds > 0;
	char text[64];

	health_begin(&g->health, SOURCE_INSPECTOR);
	if (needed && r->shown.state != MSG_INSPECTOR_WELL && mono_since_ms(r->away) > AWAY_MS)
		gate_finding(g, SOURCE_INSPECTOR, FINDING_INSPECTOR_AWAY, "");
	if (r->shown.state == MSG_INSPECTOR_WELL && s->flows_max > 0 && s->flows_now >= NEARLY(s->flows_max)) {
		snprintf(text, sizeof(text), "%u of %u", s->flows_now, s->flows_max);
		gate_finding(g, SOURCE_INSPECTOR, FINDING_INSPECTOR_FULL, text);
	}
	gate_health_end(g, SOURCE_INSPECTOR);
}

void relay_report(struct gate *g)
{
	struct relay *r = &g->relay;
	uint64_t more = r->shown.overflows - r->overflows_told;
	char text[64];

	if (more == 0)
		return;
	r->overflows_told = r->shown.overflows;
	record(g, MSG_SEVERITY_INFO, "kernel-loss", "queue: %llu packets dropped, full", (unsigned long long)more);
	snprintf(text, sizeof(text), "%llu", (unsigned long long)more);
	gate_finding(g, SOURCE_EVENT, FINDING_QUEUE_FULL, text);
}

int relay_start(struct gate *g, int statistics)
{
	struct relay *r = &g->relay;

	*r = (struct relay){.fd = -1, .statistics = statistics, .away = clock_mono()};
	for (unsigned i = 0; i < LIMIT_SEGMENTS; i++)
		r->queue[i] = -1;
	r->timer = loop_add_timer(g->d->loop, RELAY_TICK_MS, RELAY_TICK_MS, on_relay_tick, g);
	return r->timer != NULL ? 0 : -ENOMEM;
}

void relay_stop(struct gate *g)
{
	relay_detach(g);
	loop_del_timer(g->relay.timer);
}
