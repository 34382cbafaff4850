/*
 * dns.c: DNS over UDP and TCP (RFC 1035, 2136, 5936, 6891, 7766): every message, for as long as the flow
 * lives.
 *
 * Questions and answers are read to their last byte (dns_message.c). An answer must belong to a question of
 * this flow: the same id, kind, name (each letter as it was sent), type and class; it answers once. What a
 * rule may demand besides: names from a list, so many questions a second, no transfers and updates (they
 * need the option `updates`).
 *
 * State: the hashes of DNS_ASKED questions without an answer. With more of them the oldest is forgotten,
 * and for DNS_CROWDED seconds an answer that belongs to none is let through if it is a legal one: resolvers
 * with one port for all they ask must live. Such an answer never decides the flow. A hash is no secret:
 * whoever sees the question can answer it.
 *
 * A datagram that only breaks the rule's limits, or an answer that nobody asked for, is kept back alone:
 * neither is worth the port of a resolver, and answers are easily forged. Over TCP the same refuses the
 * connection.
 *
 * Names that are too long to be names (tunnels): DNS_NAME_TEXT, DNS_LABELS. A tunnel that stays below is
 * legal DNS: the list of names and the rate are what stops it.
 *
 * TCP: messages of the server above DNS_WHOLE bytes are read record by record as they come, and pointers in
 * them are judged by their place only.
 */
#include <strings.h>

#include "dns_message.h"
#include "rate.h"
#include "verifiers.h"

#define DNS_ASKED 16
#define DNS_CROWDED 5
#define DNS_WHOLE 4096
/*
 * Names that are asked for. Of 2 200 in public captures the longest honest one has 95 letters; those of
 * tunnels, which must fill their names to carry anything, have 193 and more. Most labels: the reverse name
 * of an IPv6 address has 34.
 */
#define DNS_NAME_TEXT 160
#define DNS_LABELS 40
#define DNS_CLIENT_MAX 4096 /* a question; an update may be DNS_UPDATE_MAX */
#define DNS_UPDATE_MAX 16000

struct dns_state {
	uint32_t asked[DNS_ASKED]; /* the oldest first */
	uint32_t crowded;	   /* second of the last question that was forgotten, plus 1 */
	uint32_t second;	   /* that `questions` counts */
	uint16_t questions;
	uint16_t transfer; /* id of a zone transfer, whose answer is many messages */
	uint8_t n_asked;
	bool transferring, related;
	/* TCP: a long message of the server, of which `at` bytes are used up. len 0: between messages */
	uint8_t opts;
	uint16_t len, at, flags, count[4];
	uint16_t rest; /* of a record's data, which nobody reads */
};
VERIFY_STATE(struct dns_state);

/* -- Questions and answers --------------------------------------------------------------------------------- */

/*
 * FNV-1a. An update is answered with or without what it was about (RFC 2136 section 3.8), so that is no
 * part of it.
 */
static uint32_t question_hash(const struct dns_message *m)
{
	uint32_t h = 2166136261u;
	const uint8_t head[3] = {(uint8_t)(m->id >> 8), (uint8_t)m->id, m->opcode};

	for (size_t i = 0; i < sizeof(head); i++)
		h = (h ^ head[i]) * 16777619u;
	for (uint32_t i = 0; m->opcode == DNS_QUERY && i < m->question.wire_n; i++)
		h = (h ^ m->question.wire[i]) * 16777619u;
	return h;
}

static uint32_t second_of(const struct verify *v)
{
	return (uint32_t)(v->now / 1000000000);
}

static void asked(struct verify *v, const struct dns_message *m)
{
	struct dns_state *st = v->state;

	if (st->n_asked == DNS_ASKED) {
		memmove(st->asked, st->asked + 1, sizeof(st->asked) - sizeof(st->asked[0]));
		st->n_asked--;
		st->crowded = second_of(v) + 1;
	}
	st->asked[st->n_asked++] = question_hash(m);
	if (m->opcode == DNS_QUERY && (m->question.type == DNS_AXFR || m->question.type == DNS_IXFR)) {
		st->transfer = m->id;
		st->transferring = true;
	}
	if (v->level < LEVEL_PREFIX)
		v->level = LEVEL_PREFIX;
}

static bool take(struct dns_state *st, uint32_t hash)
{
	for (unsigned i = 0; i < st->n_asked; i++) {
		if (st->asked[i] != hash)
			continue;
		st->n_asked--;
		memmove(st->asked + i, st->asked + i + 1, (st->n_asked - i) * sizeof(st->asked[0]));
		return true;
	}
	return false;
}

static bool crowded(const struct verify *v)
{
	const struct dns_state *st = v->state;

	return st->crowded != 0 && second_of(v) + 1 - st->crowded <= DNS_CROWDED;
}

/* Does an answer belong to a question? */
static enum inspect_why answered(struct verify *v, const struct dns_message *m)
{
	struct dns_state *st = v->state;
	bool more_of_transfer = st->transferring && st->related && m->id == st->transfer && m->opcode == DNS_QUERY;

	if (v->level < LEVEL_PREFIX)
		return WHY_ORDER;
	if (m->question.wire_n == 0 && m->opcode != DNS_UPDATE)
		return more_of_transfer ? WHY_NONE : WHY_ANSWER_OTHER;
	if (take(st, question_hash(m))) {
		v->level = LEVEL_RELATES;
		st->related = true;
		return WHY_NONE;
	}
	if (more_of_transfer && (m->question.type == DNS_AXFR || m->question.type == DNS_IXFR))
		return WHY_NONE;
	return crowded(v) ? WHY_NONE : WHY_ANSWER_OTHER;
}

/* -- What the rule demands --------------------------------------------------------------------------------- */

/* Is it the name, or below it? */
static bool name_below(const char *of, const char *name, size_t n)
{
	size_t k = strlen(of);

	if (k > 0 && of[k - 1] == '.')
		k--;
	return n >= k && strncasecmp(name + (n - k), of, k) == 0 && (n == k || k == 0 || name[n - k - 1] == '.');
}

static bool name_listed(const struct verify_list *list, const struct dns_question *q)
{
	for (uint32_t i = 0; i < list->n; i++)
		if (name_below(list->v[i], q->name, q->name_n))
			return true;
	return list->n == 0;
}

static bool name_too_long(const struct dns_question *q)
{
	return q->name_n > DNS_NAME_TEXT || q->labels > DNS_LABELS;
}

/* One more question of this client: over all its flows, as a resolver asks each from a port of its own. */
static bool too_many(struct verify *v)
{
	struct dns_state *st = v->state;
	uint32_t now = second_of(v);

	if (v->policy->rate == 0)
		return false;
	if (v->rates != NULL)
		return rates_count(v->rates, v->client, v->policy, v->now) > v->policy->rate;
	if (st->second != now) {
		st->second = now;
		st->questions = 0;
	}
	if (st->questions < UINT16_MAX)
		st->questions++;
	return st->questions > v->policy->rate;
}

static enum inspect_why question_allowed(struct verify *v, const struct dns_message *m)
{
	const struct dns_question *q = &m->question;

	if (q->wire_n > 0 && !name_listed(&v->policy->domain_names, q))
		return WHY_DOMAIN_NAME;
	if (name_too_long(q))
		return WHY_LABELS;
	return v->from == VERIFY_CLIENT && too_many(v) ? WHY_RATE : WHY_NONE;
}

static struct dns_message message_init(const struct verify *v)
{
	return (struct dns_message){.updates = (v->policy->options & VERIFY_UPDATES) != 0};
}

/* -- UDP --------------------------------------------------------------------------------------------------- */

/* A zone is transferred over TCP alone (RFC 5936 section 4.2). */
static enum inspect_why datagram_parsed(struct verify *v, struct dns_message *m, const struct verify_side *s)
{
	struct cursor c = cursor_init(s->p, s->n);

	if (dns_message(m, &c, v->from == VERIFY_SERVER, s->n) && m->question.type != DNS_AXFR)
		return WHY_NONE;
	return c.why != WHY_NONE ? c.why : c.more ? WHY_LENGTH : WHY_COMMAND;
}

enum verify_status dns_datagram(struct verify *v)
{
	struct verify_side *s = &v->side[v->from];
	struct dns_message m = message_init(v);

	s->used = s->n;
	if (v->from == VERIFY_SERVER && v->policy->one_way)
		return verify_drop(v, WHY_ONE_WAY_ANSWER);
	enum inspect_why why = datagram_parsed(v, &m, s);
	/* Once a server has answered, what is no answer is somebody else's. */
	if (why != WHY_NONE)
		return v->from == VERIFY_SERVER && v->level == LEVEL_RELATES ? verify_drop(v,
			why) : verify_refuse(v, why);
	why = v->from == VERIFY_SERVER ? answered(v, &m) : question_allowed(v, &m);
	if (why == WHY_ORDER)
		return verify_refuse(v, why);
	if (why != WHY_NONE)
		return verify_drop(v, why);
	if (v->from == VERIFY_CLIENT)
		asked(v, &m);
	return v->level == LEVEL_RELATES ? VERIFY_DECIDED : VERIFY_MORE;
}

/* -- TCP --------------------------------------------------------------------------------------------------- */

static enum inspect_why message_allowed(struct verify *v, unsigned from, const struct dns_message *m)
{
	if (from == VERIFY_SERVER)
		return answered(v, m);
	enum inspect_why why = question_allowed(v, m);
	if (why == WHY_NONE)
		asked(v, m);
	return why;
}

/* One whole message of a side, if it is there. */
static void whole(struct verify *v, unsigned from, struct cursor *c, size_t len)
{
	struct dns_message m = message_init(v);
	struct cursor in = cursor_sub(c, len);

	if (dns_message(&m, &in, from == VERIFY_SERVER, len))
		in.why = message_allowed(v, from, &m);
	if (cursor_sub_end(c, &in, true))
		v->side[from].used += 2 + (uint32_t)len;
}

/* The beginning of a long answer, up to the records. */
static void long_begins(struct verify *v, struct cursor *c, uint16_t len)
{
	struct dns_state *st = v->state;
	struct dns_message m = message_init(v);
	const uint8_t *begin = m.first = c->p;

	dns_header(&m, c, true);
	dns_question(&m, c, true);
	if (!cursor_ok(c))
		return;
	c->why = answered(v, &m);
	if (c->why != WHY_NONE)
		return;
	st->len = len;
	st->at = (uint16_t)(c->p - begin);
	memcpy(st->count, m.count, sizeof(st->count));
	st->flags = m.flags;
	st->opts = 0;
	v->side[VERIFY_SERVER].used += 2u + st->at;
}

/* The next record of a long answer. */
static void long_record(struct verify *v, struct cursor *c, unsigned section)
{
	struct dns_state *st = v->state;
	struct dns_message m = message_init(v);
	const uint8_t *begin = m.first = c->p;

	m.at = st->at;
	m.flags = st->flags;
	m.opcode = st->flags >> 11 & 15;
	m.opts = st->opts;
	dns_record(&m, c, (enum dns_section)section, &st->rest);
	if (!cursor_ok(c))
		return;
	uint32_t n = (uint32_t)(c->p - begin);
	st->at = (uint16_t)(st->at + n);
	st->opts = m.opts;
	st->count[section]--;
	v->side[VERIFY_SERVER].used += n;
	cursor_must(c, st->rest <= st->len - st->at, WHY_LENGTH);
}

/*
 * Goes on in a long answer with the bytes that are there. *c is left at the first that is not of this
 * message.
 */
static void long_goes_on(struct verify *v, struct cursor *c)
{
	struct dns_state *st = v->state;

	while (cursor_ok(c) && st->len != 0) {
		size_t k = cursor_left(c) < st->rest ? cursor_left(c) : st->rest;
		cursor_bytes(c, k);
		st->rest = (uint16_t)(st->rest - k);
		st->at = (uint16_t)(st->at + k);
		v->side[VERIFY_SERVER].used += (uint32_t)k;
		if (st->rest > 0)
			return;
		unsigned section = DNS_ANSWER;
		while (section <= DNS_ADDITIONAL && st->count[section] == 0)
			section++;
		if (section > DNS_ADDITIONAL) {
			cursor_must(c, st->at == st->len, WHY_TRAILING);
			st->len = 0;
			return;
		}
		size_t left = st->len - st->at, here = cursor_left(c);
		struct cursor in = cursor_init(c->p, here < left ? here : left);
		long_record(v, &in, section);
		if (in.more && here >= left)
			in.why = WHY_LENGTH;
		*c = (struct cursor){in.p, c->end, in.more, in.why};
	}
}

static void message(struct verify *v, unsigned from, struct cursor *c)
{
	size_t most = v->policy->options & VERIFY_UPDATES ? DNS_UPDATE_MAX : DNS_CLIENT_MAX;
	uint16_t len = cursor_be16(c);

	cursor_must(c, len >= DNS_HEADER && (from == VERIFY_SERVER || len <= most), WHY_LENGTH);
	if (from == VERIFY_SERVER && len > DNS_WHOLE)
		long_begins(v, c, len);
	else
		whole(v, from, c, len);
}

enum verify_status dns_stream(struct verify *v)
{
	const struct dns_state *st = v->state;

	for (unsigned from = VERIFY_CLIENT; from <= VERIFY_SERVER; from++) {
		const struct verify_side *s = &v->side[from];
		struct cursor c = cursor_init(s->p, s->n);
		while (cursor_ok(&c) && c.p != c.end) {
			if (from == VERIFY_SERVER && st->len != 0)
				long_goes_on(v, &c);
			else
				message(v, from, &c);
		}
		if (c.why != WHY_NONE)
			return verify_refuse(v, c.why);
	}
	return v->level == LEVEL_RELATES ? VERIFY_DECIDED : VERIFY_MORE;
}
