/*
 * rdp.c: Remote Desktop (MS-RDPBCGR 1.3.1.1, 2.2.1): connection request, confirm, then TLS or the old settings exchange.
 *
 * The client's first message is a TPKT (RFC 1006, T.123) with an X.224 connection request that carries a cookie, a routing
 * token or a negotiation request. A bare request without them is refused: S7, H.323 and others begin the same way. The server
 * confirms and selects one of the protocols that were asked for (L3), or says why it cannot: after that nothing follows.
 *
 * TLS, CredSSP (HYBRID), RDSTLS and Entra ID all run inside TLS: the rest of the flow is handed to tls.c under the same policy,
 * so a rule with server-name demands the name there; clients that were given an address send none. A server that can do TLS
 * 1.0 only is refused there.
 *
 * Without TLS (RDP's own encryption, broken since 2005) a flow is refused (WHY_PLAIN) unless the rule has the option
 * standard-security. Then MCS Connect-Initial with GCC's "Duca" and the client's blocks must follow, and Connect-Response
 * with "McDn" and the server's blocks, each length inside the others: there the flow is accepted.
 *
 * Clipboard, drives and printers are channels inside the session, sealed with it: the gate does not see them. RDP over UDP
 * is another flow with a rule of its own, and has no verifier.
 *
 * State: struct rdp. Limits: one X.224 request (255 bytes); MCS messages within JUDGE_BYTES.
 */
#include "vector.h"
#include "verifiers.h"

enum phase { REQUEST, CONFIRM, INITIAL, RESPONSE, OVER };

/* Protocols to ask for (2.2.1.1.1); none of them: the old security. */
#define PROTOCOLS 0x1fu
#define REQUEST_FLAGS 0x0bu  /* restricted admin, redirected authentication, correlation */
#define CORRELATION 0x08u
#define RESPONSE_FLAGS 0x1fu

struct rdp {
	uint8_t phase;
	uint16_t reference; /* of the client */
	uint32_t asked;	    /* protocols */
	bool negotiates;
};
VERIFY_STATE(struct rdp);

/* -- TPKT and X.224 ---------------------------------------------------------------------------------------- */

/* The header of a TPKT; a vector over what it holds. */
static struct vector tpkt(struct cursor *c, enum inspect_why other)
{
	cursor_expect(c, "\3\0", 2, other);
	uint16_t n = cursor_be16(c);
	cursor_must(c, n >= 7, WHY_LENGTH);
	return (struct vector){c, cursor_ok(c) ? n - 4u : 0};
}

/* The fixed part of a connection request or confirm (X.224, 13.3); its own length fills the TPKT. */
static void connection(struct vector *v, uint8_t code, enum inspect_why other, uint16_t *ret_to, uint16_t *ret_from)
{
	cursor_must(v->c, v->left >= 7 && v->left <= 255, WHY_LENGTH);
	uint8_t n = vector_u8(v);
	cursor_must(v->c, n == v->left, WHY_LENGTH);
	cursor_must(v->c, vector_u8(v) == code, other);
	*ret_to = vector_be16(v);
	*ret_from = vector_be16(v);
	cursor_must(v->c, vector_u8(v) == 0, WHY_FIELD); /* class 0, no options */
}

static void expect(struct vector *v, const char *bytes, size_t n, enum inspect_why why)
{
	if (vector_need(v, n))
		cursor_expect(v->c, bytes, n, why);
}
#define EXPECT(v, literal, why) expect((v), (literal), sizeof(literal) - 1, (why))

/* -- Connection request (2.2.1.1) -------------------------------------------------------------------------- */

/* "Cookie: mstshash=name", "Cookie: msts=token" or a broker's "tsv://", "mth://", to the end of the line. */
static void cookie(struct vector *v)
{
	static const char *const words[] = {"Cookie: msts", "tsv://", "mth://"};
	uint8_t first = *v->c->p;
	const char *word = words[first == 't' ? 1 : first == 'm' ? 2 : 0];

	cursor_must(v->c, first == *word, WHY_PROTOCOL);
	expect(v, word, strlen(word), WHY_PROTOCOL);
	for (bool cr = false; vector_going(v);) {
		uint8_t b = vector_u8(v);
		if (cursor_ok(v->c) && cr) {
			cursor_must(v->c, b == '\n', WHY_ENCODING);
			return;
		}
		cr = b == '\r';
		cursor_must(v->c, cr || (b >= 0x20 && b != 0x7f), WHY_ENCODING);
	}
	cursor_must(v->c, false, WHY_LENGTH);
}

static void negotiation_request(struct rdp *r, struct vector *v)
{
	EXPECT(v, "\1", WHY_PROTOCOL);
	uint8_t flags = vector_u8(v);
	cursor_must(v->c, (flags & ~REQUEST_FLAGS) == 0, WHY_FIELD);
	EXPECT(v, "\10\0", WHY_LENGTH);
	r->asked = vector_le32(v);
	cursor_must(v->c, (r->asked & ~PROTOCOLS) == 0, WHY_FIELD);
	r->negotiates = true;
	if ((flags & CORRELATION) == 0)
		return;
	EXPECT(v, "\6\0\44\0", WHY_FIELD);
	vector_take(v, 16);
	for (int i = 0; i < 16; i++)
		cursor_must(v->c, vector_u8(v) == 0, WHY_FIELD);
}

static void request(struct verify *v, struct rdp *r, struct cursor *c)
{
	uint16_t to;
	struct vector m = tpkt(c, WHY_PROTOCOL);

	cursor_must(c, m.left > 7, WHY_PROTOCOL); /* a bare request */
	connection(&m, 0xe0, WHY_PROTOCOL, &to, &r->reference);
	cursor_must(c, to == 0, WHY_FIELD);
	if (cursor_left(c) == 0) {
		c->more = c->why == WHY_NONE;
		return;
	}
	r->negotiates = false;
	r->asked = 0;
	if (*c->p != 1)
		cookie(&m);
	if (vector_going(&m) || !cursor_ok(c))
		negotiation_request(r, &m);
	vector_end(&m);
	cursor_must(c, r->asked != 0 || (v->policy->options & VERIFY_STANDARD_SECURITY) != 0, WHY_PLAIN);
	if (!cursor_ok(c))
		return;
	r->phase = CONFIRM;
	v->level = LEVEL_PREFIX;
}

/* -- Connection confirm (2.2.1.2) -------------------------------------------------------------------------- */

static void selected(struct verify *v, struct rdp *r, struct vector *m)
{
	struct cursor *c = m->c;

	cursor_must(c, (vector_u8(m) & ~RESPONSE_FLAGS) == 0, WHY_FIELD);
	EXPECT(m, "\10\0", WHY_LENGTH);
	uint32_t protocol = vector_le32(m);
	if (!cursor_ok(c))
		return;
	cursor_must(c, (protocol & (protocol - 1)) == 0 && (protocol & r->asked) == protocol, WHY_ANSWER_OTHER);
	cursor_must(c, protocol != 0 || (v->policy->options & VERIFY_STANDARD_SECURITY) != 0, WHY_PLAIN);
	r->phase = INITIAL;
	v->next = protocol != 0 ? APP_TLS : APP_NONE;
}

static void failed(struct rdp *r, struct vector *m)
{
	cursor_must(m->c, vector_u8(m) == 0, WHY_FIELD);
	EXPECT(m, "\10\0", WHY_LENGTH);
	uint32_t code = vector_le32(m);
	cursor_must(m->c, code >= 1 && code <= 7, WHY_FIELD);
	r->phase = OVER;
}

static void confirm(struct verify *v, struct rdp *r, struct cursor *c)
{
	uint16_t to, from;
	struct vector m = tpkt(c, WHY_ANSWER);

	cursor_must(c, m.left == 7 || (m.left == 15 && r->negotiates), WHY_LENGTH);
	connection(&m, 0xd0, WHY_ANSWER, &to, &from);
	cursor_must(c, to == r->reference || to == 0, WHY_ANSWER_OTHER);
	if (m.left == 0) { /* a server that knows no negotiation */
		cursor_must(c, (v->policy->options & VERIFY_STANDARD_SECURITY) != 0, WHY_PLAIN);
		r->phase = INITIAL;
		return;
	}
	uint8_t type = vector_u8(&m);
	cursor_must(c, type == 2 || type == 3, WHY_FIELD);
	if (type == 2)
		selected(v, r, &m);
	else
		failed(r, &m);
	vector_end(&m);
}

/* -- MCS Connect-Initial and Connect-Response (2.2.1.3, 2.2.1.4) ------------------------------------------- */

/* A BER element of this tag, with a length of one to three bytes. */
static struct vector ber(struct vector *v, const char *tag, size_t n)
{
	expect(v, tag, n, WHY_FIELD);
	size_t length = vector_u8(v);
	if (length > 0x7f) {
		cursor_must(v->c, length == 0x81 || length == 0x82, WHY_LENGTH);
		length = length == 0x81 ? vector_u8(v) : vector_be16(v);
	}
	return vector_sub(v, length);
}
#define BER(v, tag) ber((v), (tag), sizeof(tag) - 1)

/* PER: a length of one or two bytes (T.124). */
static size_t per_length(struct vector *v)
{
	size_t n = vector_u8(v);

	return n > 0x7f ? (n & 0x3f) << 8 | vector_u8(v) : n;
}

static void skip(struct vector v)
{
	vector_rest(&v);
}

static void domain_parameters(struct vector *v)
{
	struct vector in = BER(v, "\x30");

	for (int i = 0; i < 8; i++) {
		struct vector number = BER(&in, "\x02");
		cursor_must(v->c, number.left >= 1 && number.left <= 4, WHY_LENGTH);
		skip(number);
	}
	vector_end(&in);
}

/* Blocks of settings, each with its type and whole length, little-endian; the first is the core's. */
static void blocks(struct rdp *r, struct vector *v, uint8_t family)
{
	for (int i = 0; vector_going(v); i++) {
		uint8_t type = vector_u8(v);
		cursor_must(v->c, type >= 1 && type <= 0x0b && (i > 0 || type == 1), WHY_FIELD);
		cursor_must(v->c, vector_u8(v) == family, WHY_FIELD);
		uint16_t n = vector_le16(v);
		cursor_must(v->c, n >= 4, WHY_LENGTH);
		struct vector in = vector_sub(v, n - 4u);
		if (family == 0x0c && i == 0 && in.left >= 8) {
			vector_take(&in, 4);
			cursor_must(v->c, vector_le32(&in) == r->asked, WHY_ANSWER_OTHER);
		}
		skip(in);
	}
}

/* T.124's connect data: its name, then a message that ends in a key and the blocks. */
static void conference(struct rdp *r, struct vector *v, bool server)
{
	EXPECT(v, "\0\5\0\x14\x7c\0\1", WHY_PROTOCOL);
	size_t n = per_length(v);
	/* Servers write 42 here, whatever it is, and clients do not look (2.2.1.4). */
	cursor_must(v->c, server || n == v->left, WHY_LENGTH);
	if (server) {
		EXPECT(v, "\x14", WHY_PROTOCOL);
		vector_be16(v); /* the number of the server's node */
		EXPECT(v, "\1\1\0\1\xc0\0McDn", WHY_PROTOCOL);
	} else {
		EXPECT(v, "\0\10\0\x10\0\1\xc0\0Duca", WHY_PROTOCOL);
	}
	n = per_length(v);
	cursor_must(v->c, n > 0 && n == v->left, WHY_LENGTH);
	blocks(r, v, server ? 0x0c : 0xc0);
}

static void data_header(struct vector *m)
{
	EXPECT(m, "\2\xf0\x80", WHY_PROTOCOL);
}

static void initial(struct verify *v, struct rdp *r, struct cursor *c)
{
	struct vector m = tpkt(c, WHY_PROTOCOL);

	(void)v;
	data_header(&m);
	struct vector in = BER(&m, "\x7f\x65");
	vector_end(&m);
	skip(BER(&in, "\4"));
	skip(BER(&in, "\4"));
	EXPECT(&in, "\1\1\xff", WHY_FIELD);
	for (int i = 0; i < 3; i++)
		domain_parameters(&in);
	struct vector user = BER(&in, "\4");
	vector_end(&in);
	conference(r, &user, false);
	if (cursor_ok(c))
		r->phase = RESPONSE;
}

static void response(struct verify *v, struct rdp *r, struct cursor *c)
{
	struct vector m = tpkt(c, WHY_ANSWER);

	data_header(&m);
	struct vector in = BER(&m, "\x7f\x66");
	vector_end(&m);
	EXPECT(&in, "\x0a\1", WHY_FIELD);
	cursor_must(c, vector_u8(&in) <= 15, WHY_FIELD);
	skip(BER(&in, "\2"));
	domain_parameters(&in);
	struct vector user = BER(&in, "\4");
	vector_end(&in);
	conference(r, &user, true);
	if (cursor_ok(c))
		v->level = LEVEL_RELATES;
}

/* -- Steps ------------------------------------------------------------------------------------------------- */

/* After the confirm: on with TLS, with the settings, or at the end. */
static enum verify_status confirmed(struct verify *v, const struct rdp *r)
{
	v->level = v->next != APP_NONE ? LEVEL_RELATES : LEVEL_ANSWER;
	return r->phase == INITIAL && v->next != APP_NONE ? VERIFY_HANDOVER : VERIFY_MORE;
}

static enum verify_status step(struct verify *v)
{
	static void (*const messages[])(struct verify *, struct rdp *, struct cursor *) = {
		[REQUEST] = request, [CONFIRM] = confirm, [INITIAL] = initial, [RESPONSE] = response};
	struct rdp *r = v->state;
	uint8_t phase = r->phase;
	unsigned turn = phase == REQUEST || phase == INITIAL ? VERIFY_CLIENT : VERIFY_SERVER;

	if (verify_unread(v, !turn) > 0 || (phase == OVER && verify_unread(v, turn) > 0))
		return verify_refuse(v, WHY_ORDER);
	if (verify_unread(v, turn) == 0)
		return VERIFY_MORE;
	struct cursor c = verify_said(v, turn);
	messages[phase](v, r, &c);
	if (!cursor_ok(&c)) {
		r->phase = phase;
		return verify_stopped(v, &c);
	}
	verify_use(v, turn, &c);
	return phase == CONFIRM ? confirmed(v, r) : phase == RESPONSE ? VERIFY_ACCEPT : VERIFY_MORE;
}

enum verify_status rdp_stream(struct verify *v)
{
	return verify_steps(v, step);
}
