/*
 * tls.c: TLS 1.2 and 1.3 (RFC 5246, 8446): hello, answer, and the records behind them until both sides are in their keys.
 *
 * Order of a flow: ClientHello [HelloRetryRequest, second ClientHello] ServerHello (L3: its version, session id, cipher and
 * extensions refer to the offer), then the framing of every record of both sides. The flow is accepted when
 *	TLS 1.3: the server's first sealed record has begun and the client's first one is whole;
 *	TLS 1.2: the server's handshake messages up to ServerHelloDone follow each other without a gap (or it resumed a
 *	session and changed its keys), and the client's messages, ChangeCipherSpec and first sealed record are whole.
 * So a hello and an answer in front of something else are refused at the first byte of the something.
 *
 * TLS 1.0 and 1.1 are refused (WHY_VERSION), in the offer or in the answer: RFC 8996 withdrew them, and the guideline for
 * governments (CRYPTREC/IPA) has forbidden them since 2020. A machine that can do no better needs a rule without
 * `application` and an exception that says so.
 *
 * server-name means the name of the outer ClientHello, which is the only one that can be read. ECH (RFC 9849) hides a second
 * one. A browser that has no key for ECH sends a made-up extension (GREASE) of the same form with the true name outside; no
 * one but the server can tell the two apart, so the content decides nothing. Therefore:
 *	rule without server-name: nothing is said about names; ECH passes.
 *	rule with server-name: ECH is refused (WHY_ECH). Chrome and Edge stop sending it by their policy
 *	EncryptedClientHelloEnabled=false, Firefox by DisableEncryptedClientHello; clients that are not browsers send none.
 *	with application-option ech: the outer name must be the rule's. It then says which operator answers: that one may
 *	serve other names behind it, which is no more than it may do inside TLS by the Host of HTTP (domain fronting).
 * Session resumption and PSK pass as they are. Early data (0-RTT) passes where the hello announced it, framed, within the
 * limits of an undecided flow. Client certificates are longer flights of the same records. Alerts instead of an answer are
 * legal, and nothing follows a fatal one. What is inside the records nobody here can see: a peer that speaks TLS to the end
 * and a tunnel inside it look the same.
 *
 * State: struct tls. Limits: a hello of JUDGE_BYTES less its records' headers. Standards besides: RFC 6066, 7301, 5746.
 */
#include "tls_hello.h"

#include "verifiers.h"

enum phase { HELLO, ANSWER, SECOND, WATCH };

/* What has come of one side behind its hello. */
enum {
	CHANGED = 1,	 /* ChangeCipherSpec */
	SEALED_BEGUN = 2, /* the header of a record under the new keys */
	SEALED = 4,	 /* such a record, whole */
	DONE = 8,	 /* ServerHelloDone */
	CLOSED = 16,	 /* a fatal alert or close_notify in the clear: nothing follows */
};

struct tls_side {
	uint32_t kept;	  /* bytes of its hello, still in the buffer because the peer's answer is compared with it */
	uint32_t ahead;	  /* bytes behind it that were judged but cannot be used before it */
	uint32_t message; /* handshake message in the clear: bytes left of it */
	uint16_t record;  /* bytes left of the record */
	uint8_t head_n, head[5];
	uint8_t message_head_n, message_head[4];
	uint8_t at;	  /* bytes of an alert's or ChangeCipherSpec's body that were read */
	uint8_t level;	  /* of an alert */
	uint8_t seen;
};

struct tls {
	uint8_t phase;
	bool second, tls13, early;
	uint16_t cipher, group; /* of HelloRetryRequest */
	struct tls_side side[2];
};
VERIFY_STATE(struct tls);

/* -- Records behind the hello ------------------------------------------------------------------------------ */

struct watching {
	struct tls *t;
	struct tls_side *s;
	unsigned who;
	bool hello; /* the answer is still to come: the client may change keys and send early data, and no more */
};

/* In TLS 1.2 everything behind ChangeCipherSpec is sealed; in 1.3 what is not an alert or ChangeCipherSpec. */
static bool is_sealed(const struct watching *w)
{
	uint8_t type = w->s->head[0];

	if (w->t->tls13 || w->hello)
		return type == TLS_DATA;
	return (w->s->seen & CHANGED) != 0 && type != TLS_CHANGE_CIPHER_SPEC;
}

static enum inspect_why record_type(const struct watching *w)
{
	const struct tls_side *s = w->s;

	if (s->message > 0 || s->message_head_n > 0) /* a message that was begun is not interrupted */
		return s->head[0] == TLS_HANDSHAKE ? WHY_NONE : WHY_ORDER;
	switch (s->head[0]) {
	case TLS_CHANGE_CIPHER_SPEC:
		return (s->seen & CHANGED) == 0 && (s->seen & SEALED_BEGUN) == 0 ? WHY_NONE : WHY_ORDER;
	case TLS_ALERT:
		return WHY_NONE;
	case TLS_HANDSHAKE:
		return w->t->tls13 || w->hello ? WHY_ORDER : WHY_NONE;
	case TLS_DATA:
		if (w->hello)
			return w->t->early && w->who == VERIFY_CLIENT ? WHY_NONE : WHY_ORDER;
		return w->t->tls13 || (s->seen & SEALED) != 0 ? WHY_NONE : WHY_ORDER;
	default:
		return WHY_PROTOCOL;
	}
}

static bool length_fits(const struct watching *w, uint32_t n)
{
	switch (is_sealed(w) ? TLS_DATA : w->s->head[0]) {
	case TLS_CHANGE_CIPHER_SPEC:
		return n == 1;
	case TLS_ALERT:
		return n == 2;
	case TLS_HANDSHAKE:
		return n > 0 && n <= TLS_PLAIN_MAX;
	default: /* a tag of eight bytes at least */
		return n > 8 && n <= (w->t->tls13 || w->hello ? TLS_SEALED_MAX : TLS_SEALED12_MAX);
	}
}

static enum inspect_why header_byte(struct watching *w, uint8_t b)
{
	struct tls_side *s = w->s;

	s->head[s->head_n++] = b;
	switch (s->head_n) {
	case 1:
		return (s->seen & CLOSED) != 0 ? WHY_ORDER : record_type(w);
	case 2:
		return b == 3 ? WHY_NONE : WHY_PROTOCOL;
	case 3:
		/* An alert about the version comes under whatever version the server knows. */
		return b == 3 || (b > 0 && b < 3 && w->hello) ? WHY_NONE : WHY_VERSION;
	case 5:
		s->record = (uint16_t)(s->head[3] << 8 | b);
		if (is_sealed(w))
			s->seen |= SEALED_BEGUN;
		s->at = 0;
		return length_fits(w, s->record) ? WHY_NONE : WHY_LENGTH;
	default:
		return WHY_NONE;
	}
}

/* Handshake messages in the clear, TLS 1.2: Certificate to ServerHelloDone, Certificate to CertificateVerify. */
static bool message_type_fits(const struct watching *w, uint8_t type)
{
	static const uint8_t server[] = {4, 11, 12, 13, 14, 22}, client[] = {11, 15, 16};

	return w->who == VERIFY_SERVER ? memchr(server, type, sizeof(server)) != NULL && (w->s->seen & DONE) == 0
				       : memchr(client, type, sizeof(client)) != NULL;
}

static enum inspect_why message_byte(struct watching *w, uint8_t b)
{
	struct tls_side *s = w->s;
	uint8_t *head = s->message_head;

	head[s->message_head_n++] = b;
	if (s->message_head_n == 1)
		return message_type_fits(w, b) ? WHY_NONE : WHY_COMMAND;
	if (s->message_head_n < 4)
		return WHY_NONE;
	s->message_head_n = 0;
	s->message = (uint32_t)head[1] << 16 | (uint32_t)head[2] << 8 | head[3];
	if (head[0] == 14)
		s->seen |= DONE;
	/* ServerHelloDone is empty; chains of certificates stay below the limits of every library. */
	return head[0] == 14 && s->message != 0 ? WHY_LENGTH : s->message > 1u << 18 ? WHY_LENGTH : WHY_NONE;
}

static enum inspect_why alert_byte(struct tls_side *s, uint8_t b)
{
	if (s->at++ == 0) {
		s->level = b;
		return b == 1 || b == 2 ? WHY_NONE : WHY_FIELD;
	}
	if (s->level == 2 || b == 0)
		s->seen |= CLOSED;
	return b <= 121 ? WHY_NONE : WHY_FIELD;
}

/* One byte of a body in the clear that is read, or as many as are skipped; *ret_n of them. */
static enum inspect_why body(struct watching *w, const uint8_t *p, uint32_t n, uint32_t *ret_n)
{
	struct tls_side *s = w->s;
	enum inspect_why why = WHY_NONE;
	uint32_t k = n < s->record ? n : s->record;

	if (!is_sealed(w) && s->head[0] == TLS_HANDSHAKE && s->message > 0) {
		k = k < s->message ? k : s->message;
		s->message -= k;
	} else if (!is_sealed(w)) {
		k = 1;
		if (s->head[0] == TLS_HANDSHAKE)
			why = message_byte(w, *p);
		else if (s->head[0] == TLS_ALERT)
			why = alert_byte(s, *p);
		else
			why = *p == 1 ? WHY_NONE : WHY_FIELD;
	}
	s->record = (uint16_t)(s->record - k);
	*ret_n = k;
	return why;
}

static void record_over(struct watching *w)
{
	struct tls_side *s = w->s;

	if (is_sealed(w))
		s->seen |= SEALED;
	else if (s->head[0] == TLS_CHANGE_CIPHER_SPEC)
		s->seen |= CHANGED;
	s->head_n = 0;
}

/* Judges a part of n bytes: a byte of a header or of a body, or the rest of a sealed body. */
static enum inspect_why watch_part(struct watching *w, const uint8_t *p, uint32_t n, uint32_t *ret_n)
{
	enum inspect_why why;

	*ret_n = 1;
	if (w->s->head_n < 5)
		return header_byte(w, *p);
	why = body(w, p, n, ret_n);
	if (why == WHY_NONE && w->s->record == 0)
		record_over(w);
	return why;
}

/* -- What is there of a side ------------------------------------------------------------------------------- */

static const uint8_t *unread(const struct verify *v, const struct tls *t, unsigned who, uint32_t *ret_n)
{
	const struct verify_side *side = &v->side[who];
	uint32_t at = side->used + t->side[who].kept + t->side[who].ahead;

	*ret_n = side->n - at;
	return side->p + at;
}

static bool between_records(const struct tls_side *s)
{
	return s->head_n == 0 && s->message == 0 && s->message_head_n == 0;
}

/* All that is there of one side, while nothing can be used. At the client's second hello it stops: *ret_hello. */
static enum inspect_why watch_ahead(struct verify *v, struct tls *t, unsigned who, bool *ret_hello)
{
	struct watching w = {t, &t->side[who], who, true};
	uint32_t n, k;

	for (const uint8_t *p = unread(v, t, who, &n); n > 0; p += k, n -= k) {
		if (ret_hello != NULL && between_records(w.s) && *p == TLS_HANDSHAKE) {
			*ret_hello = true;
			return WHY_NONE;
		}
		enum inspect_why why = watch_part(&w, p, n, &k);
		if (why != WHY_NONE)
			return why;
		w.s->ahead += k;
	}
	return WHY_NONE;
}

/* The hello and what was judged behind it are done with. */
static void let_go(struct verify *v, struct tls *t, unsigned who)
{
	v->side[who].used += t->side[who].kept + t->side[who].ahead;
	t->side[who].kept = t->side[who].ahead = 0;
}

/* What came before the answer says nothing of the keys that the answer brings. */
static void forget(struct tls *t)
{
	for (unsigned who = 0; who < 2; who++)
		t->side[who].seen &= (uint8_t)~(CHANGED | SEALED_BEGUN | SEALED);
}

/* -- Phases: each says whether there is something to go on with (VERIFY_DECIDED), or what the verifier says -- */

static enum verify_status client_hello(struct verify *v, struct tls *t)
{
	struct tls_message m UNSET;
	struct tls_hello h = {0};

	if (v->side[VERIFY_SERVER].n > 0)
		return verify_refuse(v, WHY_ORDER);
	tls_message_read(&m, TLS_CLIENT_HELLO, v->side[VERIFY_CLIENT].p, v->side[VERIFY_CLIENT].n, WHY_PROTOCOL);
	struct cursor c = cursor_init(m.p, m.n);
	if (m.has_length)
		tls_client_hello(&c, &m, v->policy, &h);
	tls_learn_name(v, &h);
	if (c.why != WHY_NONE)
		return verify_refuse(v, c.why);
	if (m.why != WHY_NONE)
		return verify_refuse(v, m.why);
	if (!m.whole)
		return VERIFY_MORE;
	t->side[VERIFY_CLIENT].kept = m.end;
	t->early = tls_extension_find(&h, 42) != NULL;
	t->phase = ANSWER;
	v->level = LEVEL_PREFIX;
	return VERIFY_DECIDED;
}

/* The client's hello again, which was read to its end before. */
static enum inspect_why offer(const struct verify *v, const struct tls *t, struct tls_message *m, struct tls_hello *ret)
{
	const struct verify_side *side = &v->side[VERIFY_CLIENT];

	tls_message_read(m, TLS_CLIENT_HELLO, side->p + side->used, t->side[VERIFY_CLIENT].kept, WHY_PROTOCOL);
	ret->second = t->second;
	struct cursor c = cursor_init(m->p, m->n);
	tls_client_hello(&c, m, v->policy, ret);
	return c.why;
}

static enum inspect_why retry(struct tls *t, const struct tls_message *m, const struct tls_hello *h)
{
	if (t->second)
		return WHY_ORDER;
	t->phase = SECOND;
	t->cipher = h->cipher;
	t->group = h->group;
	t->side[VERIFY_SERVER].kept = m->end;
	return WHY_NONE;
}

static enum inspect_why decide(struct verify *v, struct tls *t, const struct tls_message *m, const struct tls_hello *h)
{
	struct tls_side *s = &t->side[VERIFY_SERVER];

	if (t->second && (h->version != 0x0304 || h->cipher != t->cipher || (t->group != 0 && h->group != t->group)))
		return WHY_ANSWER_OTHER;
	t->phase = WATCH;
	t->tls13 = h->version == 0x0304;
	let_go(v, t, VERIFY_CLIENT);
	v->side[VERIFY_SERVER].used += m->end;
	/* TLS 1.2: more messages may follow in the same record. */
	if (m->record_left > 0) {
		s->head[0] = TLS_HANDSHAKE;
		s->head_n = 5;
		s->record = (uint16_t)m->record_left;
	}
	forget(t);
	v->level = LEVEL_RELATES;
	return WHY_NONE;
}

static enum verify_status server_hello(struct verify *v, struct tls *t, const uint8_t *p, uint32_t n)
{
	struct tls_message asked UNSET, m UNSET;
	struct tls_hello client = {0}, h = {0};
	enum inspect_why why = WHY_NONE;

	tls_message_read(&m, TLS_SERVER_HELLO, p, n, WHY_ANSWER);
	struct cursor c = cursor_init(m.p, m.n);
	if (m.has_length) {
		c.why = offer(v, t, &asked, &client);
		tls_server_hello(&c, &m, &client, &h);
	}
	if (c.why != WHY_NONE)
		return verify_refuse(v, c.why);
	if (m.why != WHY_NONE)
		return verify_refuse(v, m.why);
	if (!m.whole)
		return VERIFY_MORE;
	if (h.version == 0x0304 && m.record_left > 0)
		why = WHY_TRAILING;
	else
		why = h.retry ? retry(t, &m, &h) : decide(v, t, &m, &h);
	return why != WHY_NONE ? verify_refuse(v, why) : VERIFY_DECIDED;
}

/* Behind ClientHello: the client may go on by itself, the server answers. */
static enum verify_status answer(struct verify *v, struct tls *t)
{
	struct tls_side *s = &t->side[VERIFY_SERVER];
	uint32_t n, k;
	enum inspect_why why = watch_ahead(v, t, VERIFY_CLIENT, NULL);

	if (why != WHY_NONE)
		return verify_refuse(v, why);
	const uint8_t *p = unread(v, t, VERIFY_SERVER, &n);
	/* Alerts, and after HelloRetryRequest ChangeCipherSpec, may come in front of the answer. */
	while (n > 0 && (!between_records(s) || *p == TLS_ALERT || (*p == TLS_CHANGE_CIPHER_SPEC && t->second) ||
				(s->seen & CLOSED) != 0)) {
		struct watching w = {t, s, VERIFY_SERVER, true};
		why = watch_part(&w, p, n, &k);
		if (why != WHY_NONE)
			return verify_refuse(v, why);
		v->side[VERIFY_SERVER].used += k;
		p += k;
		n -= k;
		if ((s->seen & CLOSED) != 0)
			v->level = LEVEL_ANSWER;
	}
	return n > 0 ? server_hello(v, t, p, n) : VERIFY_MORE;
}

static enum verify_status second_hello(struct verify *v, struct tls *t)
{
	const struct verify_side *server = &v->side[VERIFY_SERVER];
	struct tls_side *s = &t->side[VERIFY_CLIENT];
	struct tls_message m UNSET, first_m UNSET, retry_m UNSET;
	struct tls_hello h = {.second = true}, first = {0}, retried = {0};
	uint32_t n;
	const uint8_t *p = unread(v, t, VERIFY_CLIENT, &n);

	tls_message_read(&m, TLS_CLIENT_HELLO, p, n, WHY_PROTOCOL);
	struct cursor c = cursor_init(m.p, m.n);
	if (m.has_length)
		tls_client_hello(&c, &m, v->policy, &h);
	tls_learn_name(v, &h);
	if (c.why != WHY_NONE)
		return verify_refuse(v, c.why);
	if (m.why != WHY_NONE)
		return verify_refuse(v, m.why);
	if (!m.whole)
		return VERIFY_MORE;
	offer(v, t, &first_m, &first); /* fits its own rule: it was read before */
	tls_message_read(&retry_m, TLS_SERVER_HELLO, server->p + server->used, t->side[VERIFY_SERVER].kept, WHY_ANSWER);
	c = cursor_init(retry_m.p, retry_m.n);
	tls_server_hello(&c, &retry_m, &first, &retried);
	if (!tls_second_hello_fits(&first, &retried, &h))
		return verify_refuse(v, WHY_ANSWER_OTHER);
	let_go(v, t, VERIFY_CLIENT);
	let_go(v, t, VERIFY_SERVER);
	forget(t);
	s->kept = m.end;
	t->second = true;
	t->early = false;
	t->phase = ANSWER;
	return VERIFY_DECIDED;
}

/* Behind HelloRetryRequest: both may change keys for show (RFC 8446, D.4), then the client says hello again. */
static enum verify_status second(struct verify *v, struct tls *t)
{
	bool hello = false;
	enum inspect_why why = watch_ahead(v, t, VERIFY_CLIENT, &hello);

	if (why == WHY_NONE)
		why = watch_ahead(v, t, VERIFY_SERVER, NULL);
	if (why != WHY_NONE)
		return verify_refuse(v, why);
	return hello ? second_hello(v, t) : VERIFY_MORE;
}

static bool in_keys(const struct tls *t)
{
	uint8_t client = t->side[VERIFY_CLIENT].seen, server = t->side[VERIFY_SERVER].seen;

	if (t->tls13)
		return (client & SEALED) != 0 && (server & SEALED_BEGUN) != 0;
	return (client & SEALED) != 0 && ((server & DONE) != 0 || (server & CHANGED) != 0);
}

/* Byte by byte of what is new, so that it ends where the decision falls and no later. */
static enum verify_status watch(struct verify *v, struct tls *t)
{
	for (unsigned who = 0; who < 2; who++) {
		struct watching w = {t, &t->side[who], who, false};
		uint32_t n, k;
		for (const uint8_t *p = unread(v, t, who, &n); n > 0; p += k, n -= k) {
			enum inspect_why why = watch_part(&w, p, n, &k);
			if (why != WHY_NONE)
				return verify_refuse(v, why);
			v->side[who].used += k;
			if (in_keys(t))
				return VERIFY_ACCEPT;
		}
	}
	return VERIFY_DECIDED;
}

enum verify_status tls_stream(struct verify *v)
{
	static enum verify_status (*const phases[])(struct verify *, struct tls *) = {
		[HELLO] = client_hello, [ANSWER] = answer, [SECOND] = second};
	struct tls *t = v->state;

	while (t->phase != WATCH) {
		enum verify_status s = phases[t->phase](v, t);
		if (s != VERIFY_DECIDED)
			return s;
	}
	return watch(v, t);
}
