/*
 * watch.c: a flow under inspection: its bytes go to its verifier (or, without rules, to all of them) until it is decided.
 *
 * Limits before the decision, each with its own why: WATCH_TURNS turns and JUDGE_BYTES a direction, WATCH_SECONDS since the
 * first byte of payload. A turn is what a side says until the other one speaks: however a sender cuts its messages into
 * segments, the count is the same, so the cut can not change the verdict. (A flow has never more turns than packets with
 * payload.) Datagram flows have no such limits: each datagram must be legal by itself for ever.
 *
 * A stream is passed when its verifier accepts and both ends have acknowledged what the decision rests on.
 */
#include "inspector.h"

#include <netinet/in.h>
#include <string.h>

#define WATCH_TURNS 8u
#define WATCH_SECONDS 15

/* What a sink needs beside the bytes. */
struct call {
	struct inspector *in;
	struct flow *f;
	struct watch *w;
	const struct packet *p;
};

/* -- Undecided streams by age ------------------------------------------------------------------------------- */

static void set_deadline(struct inspector *in)
{
	in->deadline = in->oldest == NULL ? INT64_MAX : in->oldest->begun + WATCH_SECONDS * INT64_C(1000000000);
}

static void enlist(struct inspector *in, struct watch *w)
{
	w->begun = in->now;
	w->listed = true;
	w->older = in->newest;
	w->newer = NULL;
	if (in->newest != NULL)
		in->newest->newer = w;
	else
		in->oldest = w;
	in->newest = w;
	in->counters.undecided_now++;
	set_deadline(in);
}

static void delist(struct inspector *in, struct watch *w)
{
	if (!w->listed)
		return;
	if (w->older != NULL)
		w->older->newer = w->newer;
	else
		in->oldest = w->newer;
	if (w->newer != NULL)
		w->newer->older = w->older;
	else
		in->newest = w->older;
	w->listed = false;
	in->counters.undecided_now--;
	set_deadline(in);
}

void watch_slow(struct inspector *in)
{
	while (in->oldest != NULL && in->now >= in->deadline)
		watch_refuse(in, in->oldest->flow, WHY_SLOW, APP_NONE);
}

static void answered(struct inspector *in, struct flow *f)
{
	struct watch *w = watch_of(f);

	if (!f->unanswered)
		return;
	flow_answered(in->table, f);
	if (w != NULL && w->waits) {
		w->waits = false;
		in->waiting_watches--;
	}
}

/* -- Memory -------------------------------------------------------------------------------------------------- */

static bool is_tcp(const struct flow *f)
{
	return (f->l4 & ~FLOW_KEY_IPV6) == IPPROTO_TCP;
}

static uint32_t block_of(const struct flow *f)
{
	return is_tcp(f) ? 512 : sizeof(struct watch) <= 256 ? 256 : 512;
}

static uint32_t name_block(const char *name)
{
	return strlen(name) < 64 ? 64 : VERIFY_NAME_MAX;
}

static void note_memory(struct inspector *in)
{
	in->counters.prefix_bytes_now = pool_used(in->pool);
	if (in->counters.prefix_bytes_now > in->counters.prefix_bytes_max)
		in->counters.prefix_bytes_max = in->counters.prefix_bytes_now;
}

static struct watch *watch_new(struct inspector *in, struct flow *f)
{
	const struct verify_policy *policy = f->holds == FLOW_HOLDS_POLICY ? f->held : NULL;
	bool tcp = is_tcp(f);
	uint32_t size;
	struct addr server;
	uint16_t port;
	struct watch *w = inspector_memory(in, block_of(f), &size, f);

	if (w == NULL)
		return NULL;
	flow_end(f, 1, &server, &port);
	memset(w, 0, tcp ? sizeof(struct watch_tcp) : sizeof(*w));
	w->flow = f;
	w->waits = f->unanswered;
	in->waiting_watches += w->waits;
	if (in->identify)
		identify_init(&w->identify, !tcp, port);
	else
		judge_init(&w->judge, policy == NULL ? NULL : verifier_of(policy->application), policy);
	if (tcp) {
		struct watch_tcp *t = (struct watch_tcp *)w;
		stream_init(&t->stream, f);
		t->speaker = 2;
	}
	f->held = w;
	f->holds = FLOW_HOLDS_WATCH;
	return w;
}

void watch_release(struct inspector *in, struct flow *f)
{
	struct watch *w = watch_of(f);

	if (f->holds == FLOW_HOLDS_NAME)
		pool_put(in->pool, f->held, name_block(f->held));
	f->holds = FLOW_HOLDS_NOTHING;
	f->held = NULL;
	if (w == NULL)
		return;
	delist(in, w);
	in->waiting_watches -= w->waits;
	if (in->identify)
		identify_release(&w->identify, in->pool);
	else
		judge_release(&w->judge, in->pool);
	if (is_tcp(f))
		stream_release(&((struct watch_tcp *)w)->stream, in->pool);
	if (w->name != NULL && in->keep_passed && f->code != INSPECT_FORWARD && !w->doubtful) {
		f->held = w->name;
		f->holds = FLOW_HOLDS_NAME;
	} else if (w->name != NULL) {
		pool_put(in->pool, w->name, name_block(w->name));
	}
	pool_put(in->pool, w, block_of(f));
	in->counters.prefix_bytes_now = pool_used(in->pool);
}

static void learn_name(struct inspector *in, struct watch *w, const char *name, uint32_t n)
{
	uint32_t size, k = (uint32_t)strnlen(name, n < VERIFY_NAME_MAX - 1 ? n : VERIFY_NAME_MAX - 1);

	if (k == 0)
		return;
	if (w->name != NULL)
		pool_put(in->pool, w->name, name_block(w->name));
	w->name = pool_get(in->pool, k < 64 ? 64 : VERIFY_NAME_MAX, &size);
	if (w->name == NULL)
		return;
	memcpy(w->name, name, k);
	w->name[k] = '\0';
}

/* -- Decisions ----------------------------------------------------------------------------------------------- */

static void announce(struct inspector *in, struct flow *f, struct watch *w)
{
	if (w != NULL && w->announced)
		return;
	if (w != NULL)
		w->announced = true;
	if (f->level == LEVEL_RELATES && f->code != INSPECT_REFUSE)
		in->counters.passed++;
	if (in->hooks.decided != NULL) {
		struct inspect_flow told = inspector_describe(in, f);
		in->hooks.decided(in->hooks.arg, &told);
	}
}

void watch_refuse(struct inspector *in, struct flow *f, enum inspect_why why, enum application seen)
{
	f->code = INSPECT_REFUSE;
	f->why = (uint8_t)why;
	f->seen = (uint8_t)seen;
	in->counters.refused++;
	in->counters.why[why]++;
	announce(in, f, watch_of(f));
	watch_release(in, f);
}

static void pass(struct inspector *in, struct flow *f, struct watch *w)
{
	f->code = INSPECT_PASS;
	announce(in, f, w);
	watch_release(in, f);
}

/* The flow may be worth a name only where its bytes are the point, not how they came. */
static bool bytes_are_to_blame(enum inspect_why why)
{
	return why < WHY_SERVER_NAME || (why >= WHY_MANY_PACKETS && why <= WHY_SLOW);
}

static enum application seen_stream(const struct flow *f, const struct watch_tcp *t, enum inspect_why why)
{
	enum inspect_level level;
	struct verify_side side[2] = {{0}};
	struct addr server;
	uint16_t port;

	if (why >= WHY_SERVER_NAME && why <= WHY_STARTTLS)
		return f->application;
	if (!bytes_are_to_blame(why))
		return APP_NONE;
	for (unsigned i = 0; i < 2; i++)
		side[i] = (struct verify_side){.p = t->beginning[i], .n = t->beginning_n[i]};
	flow_end(f, 1, &server, &port);
	return judge_identify(side, false, port, &level);
}

static struct inspect_verdict refuse_stream(struct inspector *in, struct flow *f, enum inspect_why why)
{
	struct watch *w = watch_of(f);
	enum application seen = w == NULL || in->identify ? APP_NONE : seen_stream(f, (struct watch_tcp *)w, why);

	watch_refuse(in, f, why, seen);
	return (struct inspect_verdict){.code = INSPECT_REFUSE, .why = why, .seen = seen};
}

/* -- Judging ------------------------------------------------------------------------------------------------- */

/* A pinhole is between the two ends of its own flow, or it is none. */
static bool pinhole_fits(const struct inspect_pinhole *h, const struct addr *client, const struct addr *server)
{
	bool straight = addr_cmp(&h->client, client) == 0 && addr_cmp(&h->server, server) == 0;
	bool crossed = addr_cmp(&h->client, server) == 0 && addr_cmp(&h->server, client) == 0;

	return (straight || crossed) && h->port >= 1024;
}

struct ends {
	struct addr client, server;
	uint16_t port;
};

static struct judge_context context(const struct inspector *in, const struct flow *f, struct ends *e)
{
	uint16_t port;

	flow_end(f, 0, &e->client, &port);
	flow_end(f, 1, &e->server, &e->port);
	return (struct judge_context){.pool = in->pool,
		.rates = in->rates,
		.client = &e->client,
		.server = &e->server,
		.server_port = e->port,
		.now = in->now};
}

/* What the verifier learned. False: it announced a connection that it must not. */
static bool learn(const struct call *c, struct judge_context *x, enum verify_status status)
{
	if (x->name_n > 0)
		learn_name(c->in, c->w, x->name, x->name_n);
	if (!x->has_pinhole || status == VERIFY_REFUSE || status == VERIFY_DROP)
		return true;
	x->pinhole.tag = c->f->tag;
	if (!pinhole_fits(&x->pinhole, x->client, x->server))
		return false;
	c->in->counters.pinholes++;
	if (c->in->hooks.pinhole != NULL)
		c->in->hooks.pinhole(c->in->hooks.arg, &x->pinhole);
	return true;
}

/* L3, and looked at further: no limit of time or turns any more. */
static void decided(struct inspector *in, struct flow *f, struct watch *w)
{
	if (w->announced)
		return;
	delist(in, w);
	announce(in, f, w);
}

static enum verify_status judge_some(const struct call *c, unsigned from, const uint8_t *p, size_t n, bool ended,
	enum inspect_why *ret_why)
{
	struct ends e;
	struct judge_context x = context(c->in, c->f, &e);
	struct judge *j = &c->w->judge;
	enum verify_status status = judge_stream(j, &x, from, p, n, ended);

	*ret_why = j->why;
	c->f->level = (unsigned)j->level & 3u;
	if (!learn(c, &x, status)) {
		*ret_why = WHY_DATA_CHANNEL;
		return VERIFY_REFUSE;
	}
	if (status == VERIFY_DECIDED)
		decided(c->in, c->f, c->w);
	return status;
}

static void note_beginning(struct watch_tcp *t, unsigned from, const uint8_t *p, size_t n)
{
	size_t room = WATCH_BEGINNING - t->beginning_n[from], k = n < room ? n : room;

	if (k == 0)
		return;
	memcpy(t->beginning[from] + t->beginning_n[from], p, k);
	t->beginning_n[from] += (uint8_t)k;
}

static bool too_many_turns(struct watch_tcp *t, unsigned from)
{
	if (t->speaker == from)
		return false;
	t->speaker = (uint8_t)from;
	return t->turns[from]++ == WATCH_TURNS;
}

/* Bytes and time of the undecided; while a body goes by that a verified head announced, both begin anew. */
static void count_offer(const struct call *c, struct watch_tcp *t, unsigned from, size_t n)
{
	t->offered[from] += (uint32_t)n;
	if (!c->w->judge.content)
		return;
	t->offered[from] = 0;
	if (c->w->listed) {
		delist(c->in, c->w);
		enlist(c->in, c->w);
	}
}

static enum stream_sunk judge_sink(void *arg, unsigned from, const uint8_t *p, size_t n, bool ended,
	enum inspect_why *ret_why)
{
	const struct call *c = arg;
	struct watch_tcp *t = (struct watch_tcp *)c->w;
	enum verify_status status = c->w->judge.status;

	if (status != VERIFY_DECIDED) {
		note_beginning(t, from, p, n);
		if (n > 0 && too_many_turns(t, from)) {
			*ret_why = WHY_MANY_PACKETS;
			return STREAM_REFUSED;
		}
		do {
			size_t room = JUDGE_BYTES - t->offered[from], k = n < room ? n : room;
			if (k == 0 && n > 0) {
				*ret_why = WHY_MANY_BYTES;
				return STREAM_REFUSED;
			}
			status = judge_some(c, from, p, k, ended && k == n, ret_why);
			count_offer(c, t, from, k);
			p += k;
			n -= k;
		} while (n > 0 && (status == VERIFY_MORE || status == VERIFY_HANDOVER));
	} else {
		status = judge_some(c, from, p, n, ended, ret_why);
		n = 0;
	}
	if (n > 0 && status == VERIFY_DECIDED)
		status = judge_some(c, from, p, n, ended, ret_why);
	return status == VERIFY_REFUSE ? STREAM_REFUSED : status == VERIFY_ACCEPT ? STREAM_ENOUGH : STREAM_ON;
}

static void take_identity(struct inspector *in, struct flow *f, struct watch *w, const struct identity *id)
{
	if (id->settled || id->application != APP_NONE) {
		f->application = (uint8_t)id->application;
		f->level = (unsigned)id->level & 3u;
	}
	if (id->name_n > 0)
		learn_name(in, w, id->name, id->name_n);
	if (id->name_n > 0 || id->level > LEVEL_NONE)
		w->doubtful = id->level == LEVEL_NONE;
}

static enum stream_sunk identify_sink(void *arg, unsigned from, const uint8_t *p, size_t n, bool ended,
	enum inspect_why *ret_why)
{
	const struct call *c = arg;
	struct identity id UNSET;

	(void)ret_why;
	if (n == 0 && !ended)
		return STREAM_ON;
	bool enough = identify_hear(&c->w->identify, c->in->pool, from, p, (uint32_t)n, ended, &id);
	take_identity(c->in, c->f, c->w, &id);
	c->w->enough = enough;
	return enough ? STREAM_ENOUGH : STREAM_ON;
}

/* Identified, or never to be: the flow is passed either way, and at which level is in it. */
static struct inspect_verdict identified(struct inspector *in, struct flow *f, struct watch *w)
{
	if (f->level != LEVEL_RELATES)
		f->why = WHY_UNKNOWN;
	pass(in, f, w);
	return verdict(INSPECT_PASS, WHY_NONE);
}

/* -- Streams ------------------------------------------------------------------------------------------------- */

static bool acknowledged(const struct flow *f, const struct watch_tcp *t)
{
	for (unsigned i = 0; i < 2; i++)
		if ((int32_t)(stream_acked(f, &t->stream, i) - (uint32_t)t->w.judge.side[i].required) < 0)
			return false;
	return true;
}

static struct inspect_verdict stream_settle(struct inspector *in, struct flow *f, const struct stream_rules *r)
{
	struct watch *w = watch_of(f);

	if (w == NULL)
		return verdict(INSPECT_FORWARD, WHY_NONE);
	note_memory(in);
	if (in->identify)
		return w->enough ? identified(in, f, w) : verdict(INSPECT_FORWARD, WHY_NONE);
	if (w->judge.status == VERIFY_ACCEPT && (r->lenient || acknowledged(f, (struct watch_tcp *)w))) {
		pass(in, f, w);
		return verdict(INSPECT_PASS, WHY_NONE);
	}
	return verdict(INSPECT_FORWARD, WHY_NONE);
}

static const struct verify_policy *policy_of(const struct inspector *in, const struct flow *f)
{
	if (in->identify)
		return NULL;
	return f->holds == FLOW_HOLDS_WATCH ? watch_of(f)->judge.policy : f->holds == FLOW_HOLDS_POLICY ? f->held : NULL;
}

static struct stream_rules rules_of(struct inspector *in, const struct flow *f, const struct verify_policy *policy)
{
	const struct watch *w = watch_of(f);

	return (struct stream_rules){
		.pool = in->pool,
		.lenient = in->lenient || in->identify,
		.fast_open = policy != NULL && (policy->options & VERIFY_FAST_OPEN) != 0,
		.compare = !in->identify,
		.decided = !in->identify && w != NULL && w->judge.status == VERIFY_DECIDED,
		.sink = in->identify ? identify_sink : judge_sink,
	};
}

static struct inspect_verdict stream_bytes(struct inspector *in, struct flow *f, unsigned from, const struct packet *p,
	struct stream_rules *r)
{
	struct watch *w = watch_of(f);

	if (w == NULL && (w = watch_new(in, f)) == NULL)
		return in->identify ? verdict(INSPECT_FORWARD, WHY_NONE) : inspector_drop(in, WHY_FULL);
	if (!in->identify && !w->listed && !w->announced && p->n_wire > 0)
		enlist(in, w);
	struct call c = {in, f, w, p};
	r->arg = &c;
	if ((p->flags & PACKET_SYN) == 0)
		return stream_data(f, &((struct watch_tcp *)w)->stream, from, p, r);
	struct packet data = *p;
	data.seq++; /* the SYN takes one number (fast open) */
	return stream_data(f, &((struct watch_tcp *)w)->stream, from, &data, r);
}

/* Payload that was not captured: what follows it can not be put in order. */
static bool cut_short(const struct flow *f, const struct packet *p)
{
	const struct watch *w = watch_of(f);

	return p->n < p->n_wire && w != NULL && w->judge.status != VERIFY_ACCEPT;
}

/*
 * On the line a connection that is over needs no memory, only its place until late packets are gone: else connections that end
 * before they are passed (a client's reset, HTTP) would hold all of it for as long. What comes late with data is kept back.
 */
static bool is_late(const struct inspector *in, const struct flow *f, const struct packet *p)
{
	return !in->keep_passed && f->state == FLOW_CLOSED && f->held == NULL && stream_has_data(p);
}

static void forget_closed(struct inspector *in, struct flow *f)
{
	if (!in->keep_passed && f->state == FLOW_CLOSED)
		watch_release(in, f);
}

struct inspect_verdict watch_tcp(struct inspector *in, struct flow *f, unsigned from, const struct packet *p)
{
	if (is_late(in, f, p))
		return inspector_drop(in, WHY_ENDED);
	const struct verify_policy *policy = policy_of(in, f);
	struct stream_rules r = rules_of(in, f, policy);
	struct inspect_verdict v = stream_admit(f, from, p, &r);

	if (f->state >= FLOW_OPEN)
		answered(in, f);
	if (v.code == INSPECT_FORWARD && stream_has_data(p)) {
		if (policy != NULL && policy->one_way && from == VERIFY_SERVER && p->n_wire > 0)
			v = verdict(INSPECT_REFUSE, WHY_ONE_WAY_ANSWER);
		else
			v = stream_bytes(in, f, from, p, &r);
		if (v.code == INSPECT_FORWARD && !r.lenient && cut_short(f, p))
			v = verdict(INSPECT_REFUSE, WHY_LENGTH);
	}
	switch (v.code) {
	case INSPECT_REFUSE:
		return refuse_stream(in, f, v.why);
	case INSPECT_DROP:
		return v.why == WHY_NONE ? v : inspector_drop(in, v.why);
	default:
		v = stream_settle(in, f, &r);
		forget_closed(in, f);
		return v;
	}
}

/* -- Datagrams ----------------------------------------------------------------------------------------------- */

static struct inspect_verdict identify_datagram(struct inspector *in, struct flow *f, unsigned from, const struct packet *p)
{
	struct watch *w = watch_of(f);
	struct identity id UNSET;

	if (p->n < p->n_wire || (w == NULL && (w = watch_new(in, f)) == NULL))
		return verdict(INSPECT_FORWARD, WHY_NONE);
	w->enough = identify_hear(&w->identify, in->pool, from, p->payload, p->n, false, &id);
	take_identity(in, f, w, &id);
	note_memory(in);
	return w->enough ? identified(in, f, w) : verdict(INSPECT_FORWARD, WHY_NONE);
}

static enum application seen_datagram(const struct flow *f, unsigned from, const struct packet *p, enum inspect_why why)
{
	struct verify_side side[2] = {{0}};
	enum inspect_level level;

	if (why >= WHY_SERVER_NAME && why <= WHY_STARTTLS)
		return f->application;
	if (!bytes_are_to_blame(why))
		return APP_NONE;
	side[from] = (struct verify_side){.p = p->payload, .n = p->n, .ended = true};
	return judge_identify(side, true, from == VERIFY_CLIENT ? p->dport : p->sport, &level);
}

static struct inspect_verdict refuse_datagrams(struct inspector *in, struct flow *f, unsigned from, const struct packet *p,
	enum inspect_why why)
{
	enum application seen = seen_datagram(f, from, p, why);

	watch_refuse(in, f, why, seen);
	return (struct inspect_verdict){.code = INSPECT_REFUSE, .why = why, .seen = seen};
}

struct inspect_verdict watch_udp(struct inspector *in, struct flow *f, unsigned from, const struct packet *p)
{
	struct ends e;
	struct watch *w;

	if (from == VERIFY_SERVER)
		answered(in, f);
	if (in->identify)
		return identify_datagram(in, f, from, p);
	if (from == VERIFY_SERVER && policy_of(in, f)->one_way)
		return refuse_datagrams(in, f, from, p, WHY_ONE_WAY_ANSWER);
	if (p->n < p->n_wire)
		return in->lenient ? verdict(INSPECT_FORWARD, WHY_NONE) : inspector_drop(in, WHY_LENGTH);
	if ((w = watch_of(f)) == NULL && (w = watch_new(in, f)) == NULL)
		return inspector_drop(in, WHY_FULL);
	note_memory(in);
	struct judge_context x = context(in, f, &e);
	enum verify_status status = judge_datagram(&w->judge, &x, from, p->payload, p->n);
	f->level = (unsigned)w->judge.level & 3u;
	learn(&(struct call){in, f, w, p}, &x, status);
	if (status == VERIFY_REFUSE)
		return refuse_datagrams(in, f, from, p, w->judge.why);
	if (status == VERIFY_DROP)
		return inspector_drop(in, w->judge.why);
	if (status == VERIFY_DECIDED) {
		answered(in, f);
		decided(in, f, w);
	}
	return verdict(INSPECT_FORWARD, WHY_NONE);
}
