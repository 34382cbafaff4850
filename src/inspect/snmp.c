/*
 * snmp.c: SNMP versions 1, 2c and 3 over UDP, every datagram. Standards: RFC 1157 (v1), RFC 1901 and 3416 (v2c), RFC 3412
 * (v3 messages, section 6), RFC 3414 (the user-based security model, 2.4), RFC 3417 (BER: definite, not always shortest).
 *
 * Input: datagrams, whoever sent them. Each is one message to its last byte: versions, operations, variable bindings whose
 * values have types of SMI. A client may ask (get, next, bulk, set), a server may answer, and an answer must carry the
 * number of one of the last requests of the flow: request-id in v1 and v2c, msgID in v3, whose content may be encrypted.
 *
 * Traps and informs go from the agent to the manager and only with the option traps; the agent is then the client. A trap
 * has no answer: nothing but its own form can be verified, and it counts as verified. Without traps, a v3 message that asks
 * for no report is a trap's shape and refused.
 *
 * Limits: ASKED_MAX requests whose answers are awaited, each answered ANSWERS_MAX times at most (datagrams come twice).
 * SNMP over TCP (RFC 3430) and inside TLS or DTLS (RFC 6353) is not verified.
 */
#include "ber.h"
#include "verifiers.h"

#define ASKED_MAX 14u
#define ANSWERS_MAX 4u
#define BINDINGS_MAX 1024u

enum { V1 = 0, V2C = 1, V3 = 3 };
enum { GET = 0xa0, NEXT, ANSWER, SET, TRAP_V1, BULK, INFORM, TRAP, REPORT };
enum { AUTHENTIC = 1, ENCRYPTED = 2, REPORTABLE = 4 };
#define USM 3

struct snmp_state {
	uint32_t id[ASKED_MAX];
	uint8_t about[ASKED_MAX]; /* 0 = none; version + 1, and the answers that came in the upper four bits */
	uint8_t next;
};
VERIFY_STATE(struct snmp_state);

struct message {
	int64_t version;
	uint32_t id;	 /* request-id or msgID */
	uint8_t pdu;	 /* 0 = encrypted */
	uint8_t flags;	 /* of v3 */
};

/* -- Values and bindings ------------------------------------------------------------------------------------ */

/* RFC 2578 section 2 and RFC 3416 section 3: the types that a value may have, and how long. */
static const struct value {
	uint8_t tag;
	uint16_t least, most;
} values[] = {
	{BER_INTEGER, 1, 5}, {BER_OCTETS, 0, 65535}, {BER_NULL, 0, 0}, {BER_OID, 0, 640}, {0x40, 4, 4}, {0x41, 1, 5},
	{0x42, 1, 5}, {0x43, 1, 5}, {0x44, 0, 65535}, {0x45, 0, 21}, {0x46, 1, 9}, {0x47, 1, 5},
	/* noSuchObject, noSuchInstance, endOfMibView */
	{0x80, 0, 0}, {0x81, 0, 0}, {0x82, 0, 0},
};

static void value(struct ber *b)
{
	struct ber e;
	uint8_t tag = ber_any(b, &e);
	bool known = false;

	for (size_t i = 0; i < sizeof(values) / sizeof(values[0]); i++)
		if (values[i].tag == tag) {
			cursor_must(b->c, e.left >= values[i].least && e.left <= values[i].most, WHY_LENGTH);
			known = true;
		}
	cursor_must(b->c, known, WHY_FIELD);
	ber_rest(&e);
}

static void bindings(struct ber *b)
{
	struct ber all, one;
	unsigned n = 0;

	ber_open(b, BER_SEQUENCE, &all);
	ber_end(b);
	while (ber_has(&all) && cursor_must(b->c, n++ < BINDINGS_MAX, WHY_MANY_BYTES)) {
		ber_open(&all, BER_SEQUENCE, &one);
		ber_oid(&one);
		value(&one);
		ber_end(&one);
	}
}

/* -- Operations --------------------------------------------------------------------------------------------- */

/* RFC 1157 4.1.6: enterprise, agent, kinds, time, bindings. */
static void trap_v1(struct ber *b)
{
	struct ber_bytes agent;

	ber_oid(b);
	agent = ber_octets(b, 0x40);
	cursor_must(b->c, agent.n == 4, WHY_LENGTH);
	ber_int(b, BER_INTEGER, (struct ber_range){0, 6});
	ber_int(b, BER_INTEGER, (struct ber_range){INT32_MIN, UINT32_MAX});
	ber_number(b, 0x43, 5);
	bindings(b);
}

/* RFC 3416 section 3: number, error, index (in bulk: how many), bindings. Some number their requests without a sign. */
static void operation(struct ber *b, uint8_t tag, struct message *m)
{
	bool may_fail = tag == ANSWER || tag == REPORT;

	m->id = (uint32_t)ber_int(b, BER_INTEGER, (struct ber_range){INT32_MIN, UINT32_MAX});
	if (tag == BULK) {
		ber_int(b, BER_INTEGER, BER_UINT31);
		ber_int(b, BER_INTEGER, BER_UINT31);
	} else {
		ber_int(b, BER_INTEGER, (struct ber_range){0, may_fail ? 18 : 0});
		ber_int(b, BER_INTEGER, (struct ber_range){0, may_fail ? INT32_MAX : 0});
	}
	bindings(b);
}

/* Which operations a version has. */
static bool has(int64_t version, uint8_t tag)
{
	if (version == V1)
		return tag >= GET && tag <= TRAP_V1;
	return tag >= GET && tag <= REPORT && tag != TRAP_V1 && (version == V3 || tag != REPORT);
}

static bool may_say(const struct verify *v, uint8_t tag)
{
	if (v->from == VERIFY_SERVER)
		return tag == ANSWER || tag == REPORT;
	if (tag == TRAP_V1 || tag == TRAP || tag == INFORM)
		return (v->policy->options & VERIFY_TRAPS) != 0;
	return tag == GET || tag == NEXT || tag == SET || tag == BULK;
}

static void pdu(const struct verify *v, struct ber *b, struct message *m)
{
	struct ber e;

	m->pdu = ber_any(b, &e);
	cursor_must(b->c, has(m->version, m->pdu), WHY_FIELD);
	cursor_must(b->c, may_say(v, m->pdu), WHY_COMMAND);
	if (m->pdu == TRAP_V1)
		trap_v1(&e);
	else
		operation(&e, m->pdu, m);
	ber_end(&e);
	ber_end(b);
}

/* -- Version 3 ---------------------------------------------------------------------------------------------- */

/* Octets whose number lies between the two, or that are not there at all. */
static void sized(struct ber *b, uint32_t least, uint32_t most)
{
	struct ber_bytes s = ber_octets(b, BER_OCTETS);

	cursor_must(b->c, s.n == 0 || (s.n >= least && s.n <= most), WHY_LENGTH);
}

/* HeaderData (RFC 3412 section 6) */
static void header(struct ber *b, struct message *m)
{
	struct ber h;
	struct ber_bytes flags;

	ber_open(b, BER_SEQUENCE, &h);
	m->id = (uint32_t)ber_int(&h, BER_INTEGER, BER_UINT31);
	ber_int(&h, BER_INTEGER, (struct ber_range){484, INT32_MAX});
	flags = ber_octets(&h, BER_OCTETS);
	cursor_must(b->c, flags.n == 1, WHY_LENGTH);
	if (cursor_ok(b->c) && flags.p != NULL)
		m->flags = flags.p[0];
	/* Nothing is encrypted that is not authentic (6.4). */
	cursor_must(b->c, m->flags <= 7 && (m->flags & (AUTHENTIC | ENCRYPTED)) != ENCRYPTED, WHY_FIELD);
	ber_int(&h, BER_INTEGER, (struct ber_range){USM, USM});
	ber_end(&h);
}

/* UsmSecurityParameters (RFC 3414 2.4), an octet string that holds BER */
static void security(struct ber *b, const struct message *m)
{
	struct ber octets, p;

	ber_open(b, BER_OCTETS, &octets);
	ber_open(&octets, BER_SEQUENCE, &p);
	ber_end(&octets);
	sized(&p, 5, 32); /* engine */
	ber_int(&p, BER_INTEGER, BER_UINT31);
	ber_int(&p, BER_INTEGER, BER_UINT31);
	sized(&p, 1, 32); /* user */
	struct ber_bytes proof = ber_octets(&p, BER_OCTETS);
	/* 12 octets, and up to 48 with SHA-2 (RFC 7860). */
	cursor_must(b->c, (m->flags & AUTHENTIC) != 0 ? proof.n >= 12 && proof.n <= 48 : proof.n == 0, WHY_LENGTH);
	struct ber_bytes salt = ber_octets(&p, BER_OCTETS);
	cursor_must(b->c, (m->flags & ENCRYPTED) != 0 ? salt.n == 8 : salt.n == 0, WHY_LENGTH);
	ber_end(&p);
}

static void scoped(const struct verify *v, struct ber *b, struct message *m)
{
	struct ber s;
	struct message inner = {.version = V3};

	if ((m->flags & ENCRYPTED) != 0) {
		struct ber_bytes sealed = ber_octets(b, BER_OCTETS);
		cursor_must(b->c, sealed.n > 0, WHY_LENGTH);
		ber_end(b);
		return;
	}
	ber_open(b, BER_SEQUENCE, &s);
	ber_end(b);
	sized(&s, 5, 32);
	ber_octets(&s, BER_OCTETS);
	pdu(v, &s, &inner);
	m->pdu = inner.pdu;
}

/* -- Messages ----------------------------------------------------------------------------------------------- */

static void message(const struct verify *v, struct cursor *c, struct message *m)
{
	struct ber all = ber_init(c, (uint32_t)cursor_left(c), BER_BASIC), b;

	cursor_must(c, cursor_left(c) == 0 || *c->p == BER_SEQUENCE, WHY_PROTOCOL);
	ber_open(&all, BER_SEQUENCE, &b);
	cursor_must(c, all.left == 0, WHY_TRAILING);
	m->version = ber_int(&b, BER_INTEGER, BER_INT32);
	cursor_must(c, m->version == V1 || m->version == V2C || m->version == V3, WHY_VERSION);
	if (m->version == V3) {
		header(&b, m);
		security(&b, m);
		scoped(v, &b, m);
	} else {
		ber_octets(&b, BER_OCTETS); /* community */
		pdu(v, &b, m);
	}
}

static bool is_trap(const struct message *m)
{
	return m->pdu == TRAP_V1 || m->pdu == TRAP || (m->pdu == 0 && (m->flags & REPORTABLE) == 0);
}

static enum verify_status asked(struct verify *v, struct snmp_state *s, const struct message *m)
{
	if (is_trap(m)) {
		if ((v->policy->options & VERIFY_TRAPS) == 0)
			return verify_refuse(v, WHY_COMMAND);
		v->level = LEVEL_RELATES;
		return VERIFY_DECIDED;
	}
	s->id[s->next] = m->id;
	s->about[s->next] = (uint8_t)(m->version + 1);
	s->next = (uint8_t)((s->next + 1u) % ASKED_MAX);
	if (v->level < LEVEL_PREFIX)
		v->level = LEVEL_PREFIX;
	return v->level == LEVEL_RELATES ? VERIFY_DECIDED : VERIFY_MORE;
}

static enum verify_status answered(struct verify *v, struct snmp_state *s, const struct message *m)
{
	for (unsigned i = 0; i < ASKED_MAX; i++) {
		if (s->id[i] != m->id || (s->about[i] & 0xf) != m->version + 1 || s->about[i] >> 4 == ANSWERS_MAX)
			continue;
		s->about[i] = (uint8_t)(s->about[i] + 0x10);
		v->level = LEVEL_RELATES;
		return VERIFY_DECIDED;
	}
	return verify_drop(v, WHY_ANSWER_OTHER);
}

enum verify_status snmp_datagram(struct verify *v)
{
	struct snmp_state *s = v->state;
	struct cursor c = verify_said(v, v->from);
	struct message m = {0};

	message(v, &c, &m);
	if (!cursor_ok(&c))
		return verify_refuse(v, c.why != WHY_NONE ? c.why : WHY_LENGTH);
	return v->from == VERIFY_CLIENT ? asked(v, s, &m) : answered(v, s, &m);
}
