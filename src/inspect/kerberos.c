/*
 * kerberos.c: the exchanges with a Kerberos key distribution centre over UDP and TCP. Standards: RFC 4120 (5.4 requests and
 * replies, 5.9.1 errors, 7.2 transport), RFC 5021 (TCP), RFC 4121 and 6806 (canonical names).
 *
 * Input: datagrams and connections, whoever wrote them. Only AS and TGS requests go to the server and only their replies
 * and errors come back; each is read as DER to its last byte: version 5, a type that equals its tag, realm, names, times,
 * ciphertexts whose lengths agree. The nonce comes back encrypted and nobody here has the key, so an answer belongs to a
 * request by its kind and by the names that it repeats: the client of an AS request (unless it asked for the canonical
 * name), the realm or the service of a TGS request, one of them in an error. Every message is judged, for as long as the
 * flow lasts: a connection may be used again, and a datagram may come twice.
 *
 * A change of password (kpasswd, port 464) is another protocol and refused, and so is everything between clients and
 * services (AP, SAFE, PRIV, CRED).
 *
 * Limits: answers to the last ASKED_MAX requests, each answered ANSWERS_MAX times at most; a message over TCP as large as
 * the judge holds (16 KiB: tickets with hundreds of groups are larger).
 */
#include <ctype.h>

#include "ber.h"
#include "verifiers.h"

#define ASKED_MAX 5u
#define ANSWERS_MAX 4u
#define TCP_MAX (1u << 20)
#define VERSION 5

enum { AS_REQ = 0x6a, AS_REP = 0x6b, TGS_REQ = 0x6c, TGS_REP = 0x6d, KRB_ERROR = 0x7e, TICKET = 0x61 };
#define CANONICALIZE 0x00010000u /* RFC 6806 section 3: bit 15, counted from the left */

struct names {
	uint32_t realm, client, service; /* hashes; 0 = not there */
};

struct asked {
	struct names names;
	uint8_t tag; /* 0 = none */
	uint8_t answers;
	bool canonicalize;
	uint8_t unused;
};

struct kerberos_state {
	struct asked asked[ASKED_MAX];
	uint8_t next;
};
VERIFY_STATE(struct kerberos_state);

/* -- Parts -------------------------------------------------------------------------------------------------- */

/* FNV-1a without case: to see that an answer repeats a name, not to keep anyone from making two that collide. */
static uint32_t hashed(uint32_t h, struct ber_bytes s)
{
	if (h == 0)
		h = 2166136261u;
	for (uint32_t i = 0; s.p != NULL && i < s.n; i++)
		h = (h ^ (uint32_t)tolower(s.p[i])) * 16777619u;
	return (h ^ '/') * 16777619u;
}

/* Names are text: no control characters (RFC 4120 5.2.1). */
static struct ber_bytes text(struct ber *b)
{
	struct ber_bytes s = ber_octets(b, BER_GENERAL_STRING);

	for (uint32_t i = 0; s.p != NULL && i < s.n; i++)
		cursor_must(b->c, s.p[i] >= 0x20 && s.p[i] != 0x7f, WHY_ENCODING);
	return s;
}

static uint32_t realm(struct ber *b, uint8_t tag)
{
	struct ber e;

	ber_open(b, tag, &e);
	struct ber_bytes s = text(&e);
	ber_end(&e);
	cursor_must(b->c, s.n > 0, WHY_LENGTH);
	return cursor_ok(b->c) ? hashed(0, s) : 0;
}

/* SEQUENCE { name-type [0], name-string [1] SEQUENCE OF GeneralString } */
static uint32_t principal(struct ber *b, uint8_t tag)
{
	struct ber e, pair, parts, all;
	uint32_t h = 0;

	ber_open(b, tag, &e);
	ber_open(&e, BER_SEQUENCE, &pair);
	ber_end(&e);
	ber_explicit_int(&pair, 0xa0, BER_INT32);
	ber_open(&pair, 0xa1, &parts);
	ber_end(&pair);
	ber_open(&parts, BER_SEQUENCE, &all);
	ber_end(&parts);
	while (ber_has(&all))
		h = hashed(h, text(&all));
	return cursor_ok(b->c) ? h : 0;
}

/* [tag] GeneralizedTime, always YYYYMMDDhhmmssZ (5.2.3) */
static void moment(struct ber *b, uint8_t tag)
{
	struct ber_bytes s = ber_explicit_octets(b, tag, BER_TIME);

	if (s.p == NULL || !cursor_must(b->c, s.n == 15, WHY_LENGTH))
		return;
	for (unsigned i = 0; i < 14; i++)
		cursor_must(b->c, s.p[i] >= '0' && s.p[i] <= '9', WHY_FIELD);
	cursor_must(b->c, s.p[14] == 'Z', WHY_FIELD);
}

/* SEQUENCE { etype [0], kvno [1] OPTIONAL, cipher [2] } */
static void encrypted(struct ber *b, uint8_t tag)
{
	struct ber e, data;

	ber_open(b, tag, &e);
	ber_open(&e, BER_SEQUENCE, &data);
	ber_end(&e);
	ber_explicit_int(&data, 0xa0, BER_INT32);
	if (ber_tag(&data) == 0xa1)
		ber_explicit_int(&data, 0xa1, BER_UINT32);
	ber_explicit_octets(&data, 0xa2, BER_OCTETS);
	ber_end(&data);
}

/* [tag] SEQUENCE OF SEQUENCE { type, OCTET STRING }: padata and addresses, whose two tags differ. */
static void typed_list(struct ber *b, uint8_t tag, uint8_t type_tag, uint8_t value_tag)
{
	struct ber e, all, one;

	if (ber_tag(b) != tag)
		return;
	ber_open(b, tag, &e);
	ber_open(&e, BER_SEQUENCE, &all);
	ber_end(&e);
	while (ber_has(&all)) {
		ber_open(&all, BER_SEQUENCE, &one);
		ber_explicit_int(&one, type_tag, BER_INT32);
		ber_explicit_octets(&one, value_tag, BER_OCTETS);
		ber_end(&one);
	}
}

static void ticket(struct ber *b, struct names *ret)
{
	struct ber outer, t;

	ber_open(b, TICKET, &outer);
	ber_open(&outer, BER_SEQUENCE, &t);
	ber_end(&outer);
	cursor_must(b->c, ber_explicit_int(&t, 0xa0, BER_INT32) == VERSION, WHY_VERSION);
	ret->realm = realm(&t, 0xa1);
	ret->service = principal(&t, 0xa2);
	encrypted(&t, 0xa3);
	ber_end(&t);
}

/* -- Requests ----------------------------------------------------------------------------------------------- */

static uint32_t options(struct ber *b)
{
	struct ber_bytes s = ber_explicit_octets(b, 0xa0, BER_BITS);

	/* A count of unused bits, then 32 of them (5.2.8: never fewer). */
	if (s.p == NULL || !cursor_must(b->c, s.n >= 5 && s.n <= 9 && s.p[0] <= 7, WHY_FIELD))
		return 0;
	return (uint32_t)s.p[1] << 24 | (uint32_t)s.p[2] << 16 | (uint32_t)s.p[3] << 8 | s.p[4];
}

static void etypes(struct ber *b)
{
	struct ber e, all;

	ber_open(b, 0xa8, &e);
	ber_open(&e, BER_SEQUENCE, &all);
	ber_end(&e);
	cursor_must(b->c, all.left > 0, WHY_LENGTH);
	while (ber_has(&all))
		ber_int(&all, BER_INTEGER, BER_INT32);
}

static void more_tickets(struct ber *b)
{
	struct ber e, all;
	struct names n;

	ber_open(b, 0xab, &e);
	ber_open(&e, BER_SEQUENCE, &all);
	ber_end(&e);
	while (ber_has(&all))
		ticket(&all, &n);
}

/* KDC-REQ-BODY (5.4.1) */
static void request_body(struct ber *b, struct asked *a)
{
	a->canonicalize = (options(b) & CANONICALIZE) != 0;
	if (ber_tag(b) == 0xa1)
		a->names.client = principal(b, 0xa1);
	a->names.realm = realm(b, 0xa2);
	if (ber_tag(b) == 0xa3)
		a->names.service = principal(b, 0xa3);
	if (ber_tag(b) == 0xa4)
		moment(b, 0xa4);
	moment(b, 0xa5);
	if (ber_tag(b) == 0xa6)
		moment(b, 0xa6);
	/* Old clients say a nonce over 2^31 as a negative number. */
	ber_explicit_int(b, 0xa7, (struct ber_range){INT32_MIN, UINT32_MAX});
	etypes(b);
	typed_list(b, 0xa9, 0xa0, 0xa1);
	if (ber_tag(b) == 0xaa)
		encrypted(b, 0xaa);
	if (ber_tag(b) == 0xab)
		more_tickets(b);
	ber_end(b);
}

/* [APPLICATION n] SEQUENCE { version, type, ...: the beginning that all have; *ret is the sequence. */
static uint8_t beginning(struct cursor *c, uint32_t max, uint8_t version_tag, struct ber *ret)
{
	struct ber all = ber_init(c, max, BER_DER), outer;
	uint8_t tag = ber_tag(&all);

	*ret = all;
	cursor_must(c, tag == AS_REQ || tag == TGS_REQ || tag == AS_REP || tag == TGS_REP || tag == KRB_ERROR, WHY_PROTOCOL);
	cursor_must(c, (tag == AS_REQ || tag == TGS_REQ) == (version_tag == 0xa1), WHY_COMMAND);
	ber_open(&all, tag, &outer);
	cursor_must(c, all.left == 0, WHY_TRAILING);
	ber_open(&outer, BER_SEQUENCE, ret);
	ber_end(&outer);
	cursor_must(c, ber_explicit_int(ret, version_tag, BER_INT32) == VERSION, WHY_VERSION);
	cursor_must(c, ber_explicit_int(ret, version_tag + 1, BER_INT32) == (tag & 0x1f), WHY_FIELD);
	return tag;
}

static bool request(struct cursor *c, uint32_t max, struct asked *a)
{
	struct ber b, outer, body;

	a->tag = beginning(c, max, 0xa1, &b);
	/* What a client proves itself with; in a TGS request always (3.3.1). */
	cursor_must(c, a->tag != TGS_REQ || ber_tag(&b) == 0xa3, WHY_FIELD);
	typed_list(&b, 0xa3, 0xa1, 0xa2);
	ber_open(&b, 0xa4, &outer);
	ber_end(&b);
	ber_open(&outer, BER_SEQUENCE, &body);
	ber_end(&outer);
	request_body(&body, a);
	cursor_must(c, a->tag != AS_REQ || a->names.service != 0, WHY_FIELD);
	return cursor_ok(c);
}

/* -- Answers ------------------------------------------------------------------------------------------------ */

struct told {
	uint8_t tag;
	uint32_t client_realm, client;
	struct names names; /* of the ticket; of an error */
};

/* KDC-REP (5.4.2), from behind its type. */
static void reply_body(struct ber *b, struct told *t)
{
	struct ber e;

	typed_list(b, 0xa2, 0xa1, 0xa2);
	t->client_realm = realm(b, 0xa3);
	t->client = principal(b, 0xa4);
	ber_open(b, 0xa5, &e);
	ticket(&e, &t->names);
	ber_end(&e);
	encrypted(b, 0xa6);
	ber_end(b);
}

/* KRB-ERROR (5.9.1), from behind its type. */
static void error_body(struct ber *b, struct told *t)
{
	struct ber e;
	static const struct ber_range micro = {0, 999999};

	if (ber_tag(b) == 0xa2)
		moment(b, 0xa2);
	if (ber_tag(b) == 0xa3)
		ber_explicit_int(b, 0xa3, micro);
	moment(b, 0xa4);
	ber_explicit_int(b, 0xa5, micro);
	ber_explicit_int(b, 0xa6, BER_INT32);
	if (ber_tag(b) == 0xa7)
		t->client_realm = realm(b, 0xa7);
	if (ber_tag(b) == 0xa8)
		t->client = principal(b, 0xa8);
	t->names.realm = realm(b, 0xa9);
	t->names.service = principal(b, 0xaa);
	if (ber_tag(b) == 0xab && ber_open(b, 0xab, &e)) {
		ber_octets(&e, BER_GENERAL_STRING);
		ber_end(&e);
	}
	if (ber_tag(b) == 0xac)
		ber_explicit_octets(b, 0xac, BER_OCTETS);
	ber_end(b);
}

static bool answer(struct cursor *c, uint32_t max, struct told *t)
{
	struct ber b;

	t->tag = beginning(c, max, 0xa0, &b);
	if (t->tag == KRB_ERROR)
		error_body(&b, t);
	else
		reply_body(&b, t);
	return cursor_ok(c);
}

static bool same(uint32_t a, uint32_t b)
{
	return a != 0 && a == b;
}

static bool belongs(const struct asked *a, const struct told *t)
{
	bool in_realm = same(a->names.realm, t->client_realm) || same(a->names.realm, t->names.realm);

	if (t->tag == KRB_ERROR)
		return in_realm || same(a->names.service, t->names.service) || same(a->names.client, t->client);
	if (t->tag == TGS_REP)
		return a->tag == TGS_REQ && (same(a->names.realm, t->names.realm) || same(a->names.service, t->names.service));
	if (a->tag != AS_REQ)
		return false;
	/* Who asks for the canonical name may get other names, but a ticket of the client's own realm. */
	return (same(a->names.client, t->client) && in_realm) ||
	       (a->canonicalize && (in_realm || same(t->client_realm, t->names.realm)));
}

static bool is_expected(struct kerberos_state *s, const struct told *t)
{
	for (size_t i = 0; i < ASKED_MAX; i++) {
		struct asked *a = &s->asked[i];
		if (a->tag != 0 && a->answers < ANSWERS_MAX && belongs(a, t)) {
			a->answers++;
			return true;
		}
	}
	return false;
}

static void remember(struct verify *v, struct kerberos_state *s, const struct asked *a)
{
	s->asked[s->next++ % ASKED_MAX] = *a;
	if (v->level < LEVEL_PREFIX)
		v->level = LEVEL_PREFIX;
}

static enum verify_status undecided(const struct verify *v)
{
	return v->level == LEVEL_RELATES ? VERIFY_DECIDED : VERIFY_MORE;
}

/* -- Over UDP ----------------------------------------------------------------------------------------------- */

enum verify_status kerberos_datagram(struct verify *v)
{
	struct kerberos_state *s = v->state;
	struct cursor c = verify_said(v, v->from);
	uint32_t n = (uint32_t)cursor_left(&c);
	struct asked a = {0};
	struct told t = {0};

	if (v->from == VERIFY_CLIENT ? !request(&c, n, &a) : !answer(&c, n, &t))
		return verify_refuse(v, c.why != WHY_NONE ? c.why : WHY_LENGTH);
	if (v->from == VERIFY_CLIENT) {
		remember(v, s, &a);
		return undecided(v);
	}
	if (!is_expected(s, &t))
		return verify_drop(v, WHY_ANSWER_OTHER);
	v->level = LEVEL_RELATES;
	return VERIFY_DECIDED;
}

/* -- Over TCP ----------------------------------------------------------------------------------------------- */

/* Four octets of length, whose first bit is kept for extensions that nobody has (RFC 5021). */
static uint32_t length(struct cursor *c)
{
	if (cursor_left(c) > 0)
		cursor_must(c, *c->p == 0, WHY_PROTOCOL);
	uint32_t n = cursor_be32(c);
	cursor_must(c, n >= 32 && n <= TCP_MAX, WHY_LENGTH);
	return n;
}

static enum verify_status ask(struct verify *v, struct kerberos_state *s)
{
	struct cursor c = verify_said(v, VERIFY_CLIENT);
	uint32_t n = length(&c);
	struct asked a = {0};

	if (!request(&c, n, &a))
		return verify_stopped(v, &c);
	verify_use(v, VERIFY_CLIENT, &c);
	remember(v, s, &a);
	return VERIFY_MORE;
}

static enum verify_status hear(struct verify *v, struct kerberos_state *s)
{
	struct cursor c = verify_said(v, VERIFY_SERVER);
	uint32_t n = length(&c);
	struct told t = {0};

	if (!answer(&c, n, &t))
		return verify_stopped(v, &c);
	if (!is_expected(s, &t))
		return verify_refuse(v, WHY_ANSWER_OTHER);
	verify_use(v, VERIFY_SERVER, &c);
	v->level = LEVEL_RELATES;
	return VERIFY_MORE;
}

static enum verify_status step(struct verify *v)
{
	struct kerberos_state *s = v->state;

	if (verify_unread(v, VERIFY_CLIENT) > 0 && ask(v, s) == VERIFY_REFUSE)
		return VERIFY_REFUSE;
	if (verify_unread(v, VERIFY_SERVER) > 0 && hear(v, s) == VERIFY_REFUSE)
		return VERIFY_REFUSE;
	return undecided(v);
}

enum verify_status kerberos_stream(struct verify *v)
{
	return verify_steps(v, step);
}
