/*
 * inspector.c: packets in, a code for each out; the life of flows from the first packet to the last.
 *
 * A packet of a decided flow costs its decoding and one look-up. Everything else is on the way of the undecided.
 *
 * Law: closed when full. Connections that nobody has answered may hold a quarter of the table and give way to newer ones,
 * the oldest first; an established flow gives way to nobody, and without room a new flow is not let through.
 * A flow that was refused stays in the table for a while, so that what is still under way of it gets the same answer.
 *
 * Times out (by the packets' own clock): see lifetime(). RFC 5382 and 4787 say how long the quiet of a connection must be
 * borne; the kernel's own times for UDP are shorter.
 */
#include "inspector.h"

#include <netinet/in.h>
#include <stdlib.h>
#include <string.h>

#define NS_OF_MS INT64_C(1000000)
#define POOL_MIN (4u << 20)
#define POOL_PER_FLOW 64u
#define BATCH 32u	     /* packets whose flows are fetched together */
#define SWEEP_ON_ADD 2u	     /* places that are looked at for each new flow */
#define SWEEP_AHEAD 8u	     /* places that are fetched before their turn */
#define SWEEP_ON_FULL 64u
#define SWEEP_ON_TICK 16u    /* the whole table within so many ticks */

static uint32_t milliseconds(int64_t at)
{
	return (uint32_t)(at / NS_OF_MS);
}

/* -- Flows as the hooks see them ------------------------------------------------------------------------------- */

static const char *name_of(const struct flow *f)
{
	const struct watch *w = watch_of(f);
	const char *name = w != NULL ? (w->doubtful ? NULL : w->name) : f->holds == FLOW_HOLDS_NAME ? f->held : NULL;

	return name == NULL ? "" : name;
}

struct inspect_flow inspector_describe(const struct inspector *in, const struct flow *f)
{
	struct inspect_flow d = {
		.l4 = f->l4 & (uint8_t)~FLOW_KEY_IPV6,
		.zone = (uint32_t)(f->w[4] >> 32),
		.tag = f->tag,
		.application = f->application,
		.code = f->code,
		.why = f->why,
		.seen = f->seen,
		.level = f->level,
		.first = f->first,
		.last = in->now - (int64_t)(milliseconds(in->now) - f->last) * NS_OF_MS,
		.server_name = name_of(f),
	};

	const struct watch *w = watch_of(f);
	d.verified = (f->code == INSPECT_PASS && f->why == WHY_NONE) ||
		     (f->code == INSPECT_FORWARD && w != NULL && w->announced);
	if (d.last < d.first)
		d.last = d.first;
	flow_end(f, 0, &d.client, &d.client_port);
	flow_end(f, 1, &d.server, &d.server_port);
	for (unsigned i = 0; i < 2; i++) {
		d.packets[i] = f->side[i].packets;
		d.bytes[i] = (uint64_t)f->bytes_high[i] << 32 | f->side[i].bytes;
		d.payload_packets[i] = f->payload_packets[i];
	}
	return d;
}

struct inspect_verdict inspector_drop(struct inspector *in, enum inspect_why why)
{
	in->counters.dropped++;
	in->counters.why[why]++;
	return verdict(INSPECT_DROP, why);
}

/* -- The end of flows ------------------------------------------------------------------------------------------ */

static void tell_end(struct inspector *in, struct flow *f)
{
	if (in->hooks.ended == NULL)
		return;
	if (f->code == INSPECT_FORWARD && f->level != LEVEL_RELATES && !in->identify)
		f->why = WHY_ENDED;
	struct inspect_flow told = inspector_describe(in, f);
	in->hooks.ended(in->hooks.arg, &told);
}

static void end(struct inspector *in, struct flow *f)
{
	tell_end(in, f);
	f->code = INSPECT_FORWARD; /* no name is kept any longer */
	watch_release(in, f);
	flow_remove(in->table, f);
}

/* Milliseconds that a flow may be quiet. */
static uint32_t lifetime(const struct inspector *in, const struct flow *f)
{
	bool tcp = (f->l4 & ~FLOW_KEY_IPV6) == IPPROTO_TCP;

	if (f->unanswered)
		return tcp ? 5000 : 30000;
	if (f->state == FLOW_CLOSED || (f->code != INSPECT_FORWARD && !in->keep_passed))
		return 10000;
	if (tcp && f->holds == FLOW_HOLDS_POLICY)
		return 900000; /* open, and not a word */
	return tcp ? 7440000 /* RFC 5382, REQ-5: 2 h 4 min */ : 300000 /* RFC 4787, REQ-5 */;
}

static bool is_over(const struct inspector *in, const struct flow *f)
{
	return milliseconds(in->now) - f->last > lifetime(in, f);
}

/* Looks at the next n places of the table for flows that are over. */
static void sweep(struct inspector *in, uint32_t n)
{
	uint32_t places = flow_places(in->table);

	for (; n > 0 && places > 0; n--) {
		if (in->hand >= places)
			in->hand = 0;
		struct flow *f = flow_at(in->table, in->hand++);
		__builtin_prefetch(f + SWEEP_AHEAD); /* perhaps behind the table: then nothing is fetched */
		if (f->state != FLOW_FREE && is_over(in, f))
			end(in, f);
	}
}

static bool evict_waiting(struct inspector *in, const struct flow *not_this)
{
	struct flow *f = flow_oldest_waiting(in->table);

	if (f == NULL || f == not_this)
		return false;
	in->counters.evicted++;
	end(in, f);
	return true;
}

void *inspector_memory(struct inspector *in, size_t want, uint32_t *ret_size, const struct flow *not_this)
{
	uint32_t before = in->waiting_watches;

	/* Half of the memory is for those who were answered: beyond it, one that waits takes the place of an older one. */
	for (unsigned i = 0; i < 64 && not_this->unanswered && pool_scarce(in->pool) && before > 0; i++)
		if (!evict_waiting(in, not_this) || in->waiting_watches < before)
			break;
	void *p = pool_get(in->pool, want, ret_size);
	/* The oldest need not be one that has memory, and a slab may need many blocks back: not for ever. */
	for (unsigned i = 0; p == NULL && in->waiting_watches > 0 && i < 64 && evict_waiting(in, not_this); i++)
		p = pool_get(in->pool, want, ret_size);
	return p;
}

/* -- The beginning of flows ------------------------------------------------------------------------------------ */

static void learn_ports(struct inspector *in)
{
	size_t n;
	const struct verifier *table = verifier_table(&n);

	for (size_t i = 0; i < n; i++)
		for (unsigned k = 0; k < 4; k++)
			if (table[i].ports[k] != 0)
				in->ports[table[i].ports[k] / 64] |= UINT64_C(1) << table[i].ports[k] % 64;
}

static bool port_is_known(const struct inspector *in, uint16_t port)
{
	return (in->ports[port / 64] >> port % 64 & 1) != 0;
}

/* Who asked whom. In line it is always the first to send; in a capture the beginning may be missing. */
static bool source_is_client(const struct inspector *in, const struct packet *p)
{
	if (p->kind == PACKET_TCP && (p->flags & PACKET_SYN) != 0)
		return (p->flags & PACKET_ACK) == 0;
	if (!in->lenient && !in->identify)
		return true;
	bool from_known = port_is_known(in, p->sport), to_known = port_is_known(in, p->dport);
	if (from_known != to_known)
		return to_known;
	return p->kind == PACKET_UDP || p->dport <= p->sport;
}

static void turn_round(struct packet *p)
{
	struct addr a = p->src;
	uint16_t port = p->sport;

	p->src = p->dst;
	p->dst = a;
	p->sport = p->dport;
	p->dport = port;
}

static const struct verify_policy *ask_policy(struct inspector *in, const struct packet *p, bool *from_client,
	uint32_t *ret_tag)
{
	struct packet q = *p;

	if (!*from_client)
		turn_round(&q);
	const struct verify_policy *policy = in->hooks.policy(in->hooks.arg, &q, ret_tag);
	/* A capture's middle: perhaps it was the other way round. */
	if (policy == NULL && in->lenient && !(p->kind == PACKET_TCP && (p->flags & PACKET_SYN) != 0)) {
		turn_round(&q);
		policy = in->hooks.policy(in->hooks.arg, &q, ret_tag);
		if (policy != NULL)
			*from_client = !*from_client;
	}
	return policy;
}

static struct flow *make_room(struct inspector *in, const struct flow_key *k, uint64_t hash)
{
	sweep(in, SWEEP_ON_ADD);
	if (flow_waiting_full(in->table))
		evict_waiting(in, NULL);
	struct flow *f = flow_add(in->table, k, hash);
	if (f == NULL) {
		sweep(in, SWEEP_ON_FULL);
		f = flow_add(in->table, k, hash);
	}
	if (f == NULL && evict_waiting(in, NULL))
		f = flow_add(in->table, k, hash);
	return f;
}

/* What speaks against the first packet of a flow. */
static enum inspect_why objection(const struct inspector *in, const struct packet *p, const struct verify_policy *policy)
{
	if (in->identify)
		return WHY_NONE;
	if (policy == NULL)
		return WHY_NO_POLICY;
	if (p->kind != PACKET_TCP || in->lenient)
		return WHY_NONE;
	if ((p->flags & (PACKET_SYN | PACKET_ACK)) != PACKET_SYN)
		return WHY_MIDSTREAM;
	if ((p->flags & PACKET_URG) != 0)
		return WHY_URGENT;
	return p->n_wire > 0 && (policy->options & VERIFY_FAST_OPEN) == 0 ? WHY_SYN_DATA : WHY_NONE;
}

/* A new flow. NULL: there is no room for it (*ret_why). */
static struct flow *begin(struct inspector *in, const struct packet *p, const struct flow_key *k, uint64_t hash, bool high,
	enum inspect_why *ret_why)
{
	bool from_client = source_is_client(in, p);
	uint32_t tag = 0;
	const struct verify_policy *policy = in->identify ? NULL : ask_policy(in, p, &from_client, &tag);
	struct flow *f = make_room(in, k, hash);

	*ret_why = WHY_FULL;
	if (f == NULL)
		return NULL;
	f->flags = high == from_client ? FLOW_CLIENT_HIGH : 0;
	f->first = p->at;
	f->last = milliseconds(in->now);
	f->code = INSPECT_FORWARD;
	f->state = FLOW_OPEN;
	f->tag = tag;
	if (!flow_wait(in->table, f, !in->lenient && !in->identify)) {
		flow_remove(in->table, f);
		*ret_why = WHY_UNANSWERED;
		return NULL;
	}
	in->counters.flows++;
	if (policy != NULL) {
		f->application = (uint8_t)policy->application;
		f->held = (void *)(uintptr_t)policy;
		f->holds = FLOW_HOLDS_POLICY;
	}
	if (p->kind == PACKET_TCP)
		stream_start(f, !from_client, p);
	*ret_why = objection(in, p, policy);
	return f;
}

/* -- Packets --------------------------------------------------------------------------------------------------- */

static void count(struct inspector *in, struct flow *f, unsigned from, const struct packet *p)
{
	struct flow_side *s = &f->side[from];
	uint32_t before = s->bytes;

	f->last = milliseconds(in->now);
	s->packets++;
	s->bytes += p->n_wire;
	f->bytes_high[from] += s->bytes < before;
	if (p->n_wire > 0 && f->code == INSPECT_FORWARD && f->level != LEVEL_RELATES && f->payload_packets[from] < UINT8_MAX)
		f->payload_packets[from]++;
}

/* The flow is decided: its packets share its fate. Only its end is watched, so that the next connection is a new one. */
static struct inspect_verdict decided_packet(struct inspector *in, struct flow *f, unsigned from, const struct packet *p)
{
	if (in->keep_passed || f->code == INSPECT_REFUSE)
		count(in, f, from, p);
	if (p->kind == PACKET_TCP && (p->flags & (PACKET_FIN | PACKET_RST)) != 0) {
		f->flags |= (uint8_t)(FLOW_FIN << from);
		if ((p->flags & PACKET_RST) != 0 || ((f->flags & FLOW_FIN << 0) != 0 && (f->flags & FLOW_FIN << 1) != 0)) {
			f->state = FLOW_CLOSED;
			flow_answered(in->table, f);
		}
	}
	return (struct inspect_verdict){.code = f->code, .why = f->code == INSPECT_REFUSE ? f->why : WHY_NONE, .seen = f->seen};
}

/* A SYN that is no repetition of the one that this flow began with. */
static bool begins_anew(const struct inspector *in, const struct flow *f, unsigned from, const struct packet *p)
{
	if (p->kind != PACKET_TCP || (p->flags & (PACKET_SYN | PACKET_ACK)) != PACKET_SYN)
		return false;
	bool again = from == VERIFY_CLIENT && p->seq + 1 == f->side[0].acked;
	if (f->code == INSPECT_REFUSE && f->state == FLOW_SYN && again)
		return false; /* it asks again, and is refused again */
	if (f->code != INSPECT_FORWARD || f->state == FLOW_CLOSED)
		return true;
	return from == VERIFY_CLIENT && !again && f->state < FLOW_OPEN && !in->lenient && !in->identify;
}

/* Where the table has the flow of a packet. */
struct place {
	struct flow_key key;
	uint64_t hash;
	struct flow *guess; /* looked up ahead: NULL, or a flow that it may be */
	bool high;	    /* the source is the key's high end */
};

static void find_place(const struct inspector *in, const struct packet *p, struct place *ret)
{
	ret->high = flow_key_of(&ret->key, p);
	ret->hash = flow_hash(in->table, &ret->key);
	ret->guess = NULL;
}

static struct inspect_verdict flow_packet(struct inspector *in, const struct packet *p, const struct place *at)
{
	bool high = at->high;
	bool guessed = at->guess != NULL && flow_is(at->guess, &at->key);
	struct flow *f = guessed ? at->guess : flow_find(in->table, &at->key, at->hash);
	enum inspect_why why = WHY_NONE;

	if (f != NULL && (is_over(in, f) || begins_anew(in, f, flow_side_of(f, high), p))) {
		end(in, f);
		f = NULL;
	}
	if (f != NULL && f->code != INSPECT_FORWARD)
		return decided_packet(in, f, flow_side_of(f, high), p);
	if (!in->lenient && packet_checksum_bad(p))
		return in->identify ? verdict(INSPECT_FORWARD, WHY_NONE) : inspector_drop(in, WHY_CHECKSUM);
	if (f == NULL && (f = begin(in, p, &at->key, at->hash, high, &why)) == NULL)
		return in->identify ? verdict(INSPECT_FORWARD, WHY_NONE) : inspector_drop(in, why);
	unsigned from = flow_side_of(f, high);
	count(in, f, from, p);
	if ((f->flags & FLOW_POLICY_GONE) != 0)
		why = WHY_NO_POLICY;
	if (why != WHY_NONE) {
		watch_refuse(in, f, why, APP_NONE);
		return verdict(INSPECT_REFUSE, why);
	}
	return p->kind == PACKET_TCP ? watch_tcp(in, f, from, p) : watch_udp(in, f, from, p);
}

static struct inspect_verdict fragment_packet(struct inspector *in, const struct packet *p)
{
	struct packet whole;

	switch (fragment_add(in->fragments, p, &whole)) {
	case FRAGMENT_WHOLE:
		return inspector_packet(in, &whole);
	case FRAGMENT_MORE:
		return verdict(INSPECT_FORWARD, WHY_NONE);
	default:
		return inspector_drop(in, WHY_FRAGMENTS);
	}
}

static struct inspect_verdict judge(struct inspector *in, const struct packet *p, const struct place *at)
{
	if (p->at > in->now)
		in->now = p->at;
	if (in->now >= in->deadline)
		watch_slow(in);
	switch (p->kind) {
	case PACKET_TCP:
	case PACKET_UDP:
		in->counters.packets++;
		return flow_packet(in, p, at);
	case PACKET_FRAGMENT:
		return fragment_packet(in, p);
	default:
		in->counters.packets++;
		if (in->identify)
			return verdict(INSPECT_FORWARD, WHY_NONE);
		return inspector_drop(in, p->why != WHY_NONE ? p->why : WHY_NO_POLICY);
	}
}

static bool is_of_flow(const struct packet *p)
{
	return p->kind == PACKET_TCP || p->kind == PACKET_UDP;
}

struct inspect_verdict inspector_packet(struct inspector *in, const struct packet *p)
{
	struct place at UNSET;

	if (is_of_flow(p))
		find_place(in, p, &at);
	return judge(in, p, &at);
}

/* What judging will touch: the flow with the first step's bucket, then what it holds. */
static void fetch(const struct inspector *in, const struct packet *p, size_t n, struct place *ret)
{
	for (size_t i = 0; i < n; i++) {
		if (is_of_flow(&p[i])) {
			find_place(in, &p[i], &ret[i]);
			flow_fetch_bucket(in->table, ret[i].hash);
		}
	}
	for (size_t i = 0; i < n; i++)
		if (is_of_flow(&p[i]))
			ret[i].guess = flow_fetch(in->table, ret[i].hash);
	for (size_t i = 0; i < n; i++) {
		const struct flow *f = is_of_flow(&p[i]) ? ret[i].guess : NULL;
		size_t size = p[i].kind == PACKET_TCP ? sizeof(struct watch_tcp) : sizeof(struct watch);
		if (f != NULL && f->holds == FLOW_HOLDS_WATCH)
			for (size_t k = 0; k < size; k += 64)
				__builtin_prefetch((const uint8_t *)f->held + k, 1);
	}
}

void inspector_packets(struct inspector *in, const struct packet *p, size_t n)
{
	struct place at[BATCH] UNSET;

	while (n > 0) {
		size_t some = n < BATCH ? n : BATCH;
		fetch(in, p, some, at);
		for (size_t i = 0; i < some; i++)
			judge(in, &p[i], &at[i]);
		p += some;
		n -= some;
	}
}

void inspector_tick(struct inspector *in, int64_t now)
{
	if (now > in->now)
		in->now = now;
	watch_slow(in);
	sweep(in, flow_places(in->table) / SWEEP_ON_TICK + 1);
}

/* -- Policies ---------------------------------------------------------------------------------------------------- */

static void renew_flow(struct inspector *in, struct flow *f, inspect_renew_fn *renew, void *arg)
{
	struct watch *w = watch_of(f);
	struct inspect_flow told = inspector_describe(in, f);
	uint32_t tag = f->tag;
	const struct verify_policy *policy = renew(arg, &told, &tag);

	/* Another application is another flow: what was verified so far says nothing about it. */
	if (policy == NULL || policy->application != (enum application)f->application) {
		f->flags |= FLOW_POLICY_GONE;
		if (w != NULL)
			w->judge.policy = NULL;
		else
			f->held = NULL;
		return;
	}
	f->tag = tag;
	if (w != NULL)
		w->judge.policy = policy;
	else
		f->held = (void *)(uintptr_t)policy;
}

void inspector_policies(struct inspector *in, inspect_renew_fn *renew, void *arg)
{
	for (uint32_t i = 0; i < flow_places(in->table) && !in->identify; i++) {
		struct flow *f = flow_at(in->table, i);
		if (f->state == FLOW_FREE)
			continue;
		if (f->code == INSPECT_REFUSE && f->why == WHY_NO_POLICY)
			end(in, f); /* perhaps there is one now */
		else if (f->code == INSPECT_FORWARD && (f->flags & FLOW_POLICY_GONE) == 0)
			renew_flow(in, f, renew, arg);
	}
}

/* -- Life of the inspector --------------------------------------------------------------------------------------- */

struct inspector *inspector_new(const struct inspect_options *opt, const struct inspect_hooks *hooks)
{
	struct inspector *in = calloc(1, sizeof(*in));
	size_t bytes = opt->prefix_bytes;

	if (in == NULL)
		return NULL;
	if (bytes == 0)
		bytes = (size_t)opt->flows * POOL_PER_FLOW < POOL_MIN ? POOL_MIN : (size_t)opt->flows * POOL_PER_FLOW;
	in->table = flow_table_new(opt->flows, opt->secret);
	in->pool = pool_new(bytes);
	in->fragments = fragments_new();
	in->rates = rates_new(opt->secret);
	in->hooks = *hooks;
	in->identify = hooks->policy == NULL;
	in->lenient = opt->lenient;
	in->keep_passed = opt->keep_passed;
	in->deadline = INT64_MAX;
	in->now = INT64_MIN / 2;
	learn_ports(in);
	if (in->table == NULL || in->pool == NULL || in->fragments == NULL || in->rates == NULL) {
		inspector_free(in);
		return NULL;
	}
	return in;
}

void inspector_free(struct inspector *in)
{
	if (in == NULL)
		return;
	for (uint32_t i = 0; in->table != NULL && i < flow_places(in->table); i++)
		if (flow_at(in->table, i)->state != FLOW_FREE)
			tell_end(in, flow_at(in->table, i)); /* table and memory go as a whole */
	flow_table_free(in->table);
	fragments_free(in->fragments);
	rates_free(in->rates);
	pool_free(in->pool);
	free(in);
}

const struct inspect_counters *inspector_counters(const struct inspector *in)
{
	struct inspect_counters *c = (struct inspect_counters *)(uintptr_t)&in->counters;

	c->flows_now = flow_count(in->table);
	c->unanswered_now = flow_waiting(in->table);
	c->prefix_bytes_now = pool_used(in->pool);
	return c;
}
