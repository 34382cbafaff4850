/*
 * ntp.c: NTP and SNTP, a client and a server (RFC 5905, 4330; versions 3 and 4), every datagram.
 *
 * The client asks in mode 3, the server answers in mode 4 with the client's transmit time as its origin
 * time, or, interleaved, with the client's receive time. Each question has one answer. Behind the 48 bytes
 * there may be extension fields (RFC 7822, NTS: RFC 8915, Autokey) and a MAC, each of a length that exists;
 * MS-SNTP's long authenticator too. Symmetric and broadcast modes and modes 6 and 7 (ntpq, ntpdc:
 * amplifiers, and a shell of sorts) are refused, and so are versions 1, 2.
 *
 * State: the times of NTP_ASKED questions without an answer; with more the oldest is forgotten. An answer
 * that belongs to none is kept back alone, and so is anything odd in a server's name once the server has
 * answered: it is easily forged, and the flow of a clock lives for years.
 */
#include "verifiers.h"

#define NTP_HEADER 48
#define NTP_ASKED 5
#define NTP_MAX 1280 /* with eight cookies of NTS */

struct ntp_asked {
	uint64_t transmit, receive;
};
struct ntp_state {
	struct ntp_asked asked[NTP_ASKED]; /* the oldest first */
	uint8_t n;
	uint8_t versions; /* bit v: the client spoke version v */
};
VERIFY_STATE(struct ntp_state);

struct ntp_message {
	uint8_t leap, version, mode, stratum;
	int8_t poll, precision;
	uint32_t reference;
	uint64_t origin, receive, transmit;
};

static uint64_t be64(struct cursor *c)
{
	uint64_t high = cursor_be32(c);

	return high << 32 | cursor_be32(c);
}

/* -- What is behind the header ----------------------------------------------------------------------------- */

static bool extension_known(uint16_t type)
{
	switch (type) {
	case 0x0104: /* NTS: identifier, cookie, room for a cookie, authenticator */
	case 0x0204:
	case 0x0304:
	case 0x0404:
	case 0x2005: /* checksum complement, RFC 7821 */
	case 0xf323: /* chrony, experimental: monotonic time and network correction */
	case 0xf324:
		return true;
	default: /* Autokey, RFC 5906: response, error, and ten codes */
		return (type & 0x00ff) == 0x02 && (type >> 8 & 0x3f) <= 9;
	}
}

/* Key and digest: none, a refusal of the key, DES of version 3, MD5 or CMAC, SHA-1. */
static bool mac_length(size_t n, uint8_t version)
{
	if (version == 3 && (n == 12 || n == 72)) /* 72: MS-SNTP, ExtendedAuthenticator */
		return true;
	return n == 0 || n == 4 || n == 20 || n == 24;
}

static void tail(struct cursor *c, uint8_t version)
{
	while (version == 4 && cursor_left(c) > 24) {
		size_t left = cursor_left(c);
		uint16_t type = cursor_be16(c), n = cursor_be16(c);
		cursor_must(c, extension_known(type), WHY_FIELD);
		if (cursor_must(c, n >= 16 && n % 4 == 0 && n <= left, WHY_LENGTH))
			cursor_bytes(c, n - 4u);
	}
	cursor_must(c, mac_length(cursor_left(c), version), WHY_LENGTH);
}

/* -- Header ------------------------------------------------------------------------------------------------ */

static bool is_text(uint32_t reference)
{
	for (int shift = 24; shift >= 0; shift -= 8) {
		uint8_t b = (uint8_t)(reference >> shift);
		if (b != 0 && (b < 0x20 || b > 0x7e))
			return false;
	}
	return true;
}

static void header(struct ntp_message *m, struct cursor *c, uint8_t mode)
{
	uint8_t first = cursor_u8(c);

	m->leap = first >> 6;
	m->version = first >> 3 & 7;
	m->mode = first & 7;
	cursor_must(c, m->version == 3 || m->version == 4, WHY_VERSION);
	cursor_must(c, m->mode == mode, m->mode == 3 || m->mode == 4 ? WHY_ORDER : WHY_COMMAND);
	m->stratum = cursor_u8(c);
	cursor_must(c, m->stratum <= 16, WHY_FIELD);
	m->poll = (int8_t)cursor_u8(c);
	cursor_must(c, m->poll >= -7 && m->poll <= 17, WHY_FIELD);
	m->precision = (int8_t)cursor_u8(c); /* 32: chrony does not tell its own */
	cursor_must(c, m->precision >= -32 && m->precision <= 32, WHY_FIELD);
	cursor_be32(c); /* root delay, root dispersion */
	cursor_be32(c);
	m->reference = cursor_be32(c);
	be64(c);
	m->origin = be64(c);
	m->receive = be64(c);
	m->transmit = be64(c);
}

/* A kiss of death and a server without time say so in letters; any other has a time. */
static bool answer_sane(const struct ntp_message *m)
{
	if (m->stratum == 0)
		return is_text(m->reference);
	return m->transmit != 0 && m->receive != 0;
}

static enum inspect_why parse(struct ntp_message *m, const struct verify_side *s, uint8_t mode)
{
	struct cursor c = cursor_init(s->p, s->n);

	header(m, &c, mode);
	cursor_must(&c, mode == 3 || answer_sane(m), WHY_FIELD);
	cursor_must(&c, s->n <= NTP_MAX, WHY_LENGTH);
	tail(&c, m->version);
	return c.why != WHY_NONE ? c.why : c.more ? WHY_LENGTH : WHY_NONE;
}

/* -- Questions and answers --------------------------------------------------------------------------------- */

static void forget(struct ntp_state *st, unsigned i)
{
	st->n--;
	memmove(st->asked + i, st->asked + i + 1, (st->n - i) * sizeof(st->asked[0]));
}

static enum verify_status asks(struct verify *v, const struct ntp_message *m)
{
	struct ntp_state *st = v->state;

	if (st->n == NTP_ASKED)
		forget(st, 0);
	st->asked[st->n++] = (struct ntp_asked){m->transmit, m->receive};
	st->versions |= (uint8_t)(1u << m->version);
	if (v->level < LEVEL_PREFIX)
		v->level = LEVEL_PREFIX;
	return v->level == LEVEL_RELATES ? VERIFY_DECIDED : VERIFY_MORE;
}

static enum verify_status answers(struct verify *v, const struct ntp_message *m)
{
	struct ntp_state *st = v->state;

	for (unsigned i = 0; i < st->n; i++) {
		const struct ntp_asked *a = &st->asked[i];
		bool interleaved = a->receive != 0 && m->origin == a->receive;
		if ((m->origin != a->transmit && !interleaved) || (st->versions & 1u << m->version) == 0)
			continue;
		forget(st, i);
		v->level = LEVEL_RELATES;
		return VERIFY_DECIDED;
	}
	return v->level == LEVEL_NONE ? verify_refuse(v, WHY_ORDER) : verify_drop(v, WHY_ANSWER_OTHER);
}

enum verify_status ntp_datagram(struct verify *v)
{
	struct verify_side *s = &v->side[v->from];
	struct ntp_message m = {0};
	bool server = v->from == VERIFY_SERVER;

	s->used = s->n;
	if (server && v->policy->one_way)
		return verify_drop(v, WHY_ONE_WAY_ANSWER);
	enum inspect_why why = parse(&m, s, server ? 4 : 3);
	if (why != WHY_NONE)
		return server && v->level == LEVEL_RELATES ? verify_drop(v, why) : verify_refuse(v, why);
	return server ? answers(v, &m) : asks(v, &m);
}
