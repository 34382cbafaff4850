/*
 * vnc.c: RFB 3.3, 3.7 and 3.8 (RFC 6143, 7.1 to 7.3), and Apple's 003.889, which is 3.8 with other security types.
 *
 * Server and client say their versions, the client's no higher than the server's; the server lists security types and the
 * client chooses one of them (L3), or in 3.3 the server dictates. Then, by the choice:
 *	None and VNC Authentication: challenge, response, result and both Init messages; accepted with ServerInit, whose pixel
 *	format must make sense;
 *	VeNCrypt with TLS: its own choice, then the rest is handed to tls.c;
 *	any other type (Apple's, Tight, RA2, plain VeNCrypt): accepted with the choice; what follows is theirs alone.
 * A server that refuses says why in a text, and nothing follows. RealVNC's 4 and 5 are other protocols that are not published:
 * refused (WHY_VERSION). 003.005 counts as 3.3 (7.1.1).
 *
 * What goes through the session (keys, pictures, clipboard, and files in some dialects) is not looked at.
 *
 * State: struct vnc. Limits: a text of a refusal within REASON_MAX.
 */
#include "vector.h"
#include "verifiers.h"

#define REASON_MAX 4096u

enum phase {
	SERVER_VERSION,
	CLIENT_VERSION,
	DICTATE,   /* 3.3: the server's type */
	OFFER,	   /* the list of types */
	CHOICE,
	CHALLENGE,
	RESPONSE,
	RESULT,
	REASON,
	CLIENT_INIT,
	SERVER_INIT,
	CRYPT_SERVER, /* VeNCrypt: versions, types of it, choice, consent */
	CRYPT_CLIENT,
	CRYPT_OFFER,
	CRYPT_CHOICE,
	CRYPT_CONSENT,
	OVER,
	PHASES,
};

enum { TYPE_NONE = 1, TYPE_VNC = 2, TYPE_VENCRYPT = 19 };
#define CRYPT_PLAIN 256u
#define CRYPT_TYPES 16u

struct vnc {
	uint8_t phase;
	uint8_t type;	   /* chosen */
	uint16_t server;   /* minor versions: 3, 7, 8, 889 */
	uint16_t client;
	uint16_t crypts;   /* VeNCrypt's types that were offered, from CRYPT_PLAIN up */
	uint32_t types[8]; /* security types that were offered: a bit for each */
};
VERIFY_STATE(struct vnc);

/* -- Versions and types (7.1.1, 7.1.2) --------------------------------------------------------------------- */

static uint16_t version(struct cursor *c, enum inspect_why other)
{
	unsigned n = 0;

	CURSOR_EXPECT(c, "RFB ", other);
	CURSOR_EXPECT(c, "003.", WHY_VERSION);
	for (int i = 0; i < 3; i++) {
		uint8_t b = cursor_u8(c);
		cursor_must(c, b >= '0' && b <= '9', WHY_VERSION);
		n = n * 10 + (b - '0');
	}
	cursor_must(c, n == 3 || n == 5 || n == 7 || n == 8 || n == 889, WHY_VERSION);
	CURSOR_EXPECT(c, "\n", WHY_VERSION);
	return n == 5 ? 3 : (uint16_t)n;
}

static void server_version(struct vnc *s, struct cursor *c)
{
	s->server = version(c, WHY_PROTOCOL);
	s->phase = CLIENT_VERSION;
}

static void client_version(struct vnc *s, struct cursor *c)
{
	s->client = version(c, WHY_PROTOCOL);
	cursor_must(c, s->client <= s->server, WHY_VERSION);
	s->phase = s->client == 3 ? DICTATE : OFFER;
}

static void begin_type(struct vnc *s, uint8_t type)
{
	s->type = type;
	if (type == TYPE_NONE)
		s->phase = s->client >= 8 ? RESULT : CLIENT_INIT;
	else if (type == TYPE_VNC)
		s->phase = CHALLENGE;
	else
		s->phase = type == TYPE_VENCRYPT ? CRYPT_SERVER : OVER;
}

static void dictate(struct vnc *s, struct cursor *c)
{
	CURSOR_EXPECT(c, "\0\0\0", WHY_ANSWER);
	uint8_t type = cursor_u8(c);
	cursor_must(c, type <= TYPE_VNC, WHY_FIELD);
	if (type == 0)
		s->phase = REASON;
	else
		begin_type(s, type);
}

static void offer(struct vnc *s, struct cursor *c)
{
	uint8_t n = cursor_u8(c);

	s->phase = n == 0 ? REASON : CHOICE;
	for (uint8_t i = 0; i < n; i++) {
		uint8_t type = cursor_u8(c);
		cursor_must(c, type != 0, WHY_FIELD);
		s->types[type / 32] |= 1u << type % 32;
	}
}

static void choice(struct vnc *s, struct cursor *c)
{
	uint8_t type = cursor_u8(c);

	cursor_must(c, (s->types[type / 32] >> type % 32 & 1) != 0, WHY_ANSWER_OTHER);
	begin_type(s, type);
}

/* A refusal in words; an empty text is legal. */
static void reason(struct vnc *s, struct cursor *c)
{
	uint32_t n = cursor_be32(c);

	cursor_must(c, n <= REASON_MAX, WHY_LENGTH);
	for (uint32_t i = 0; i < n && cursor_ok(c); i++) {
		uint8_t b = cursor_u8(c);
		cursor_must(c, b >= 0x20 || b == '\n' || b == '\r' || b == '\t' || b == 0, WHY_ENCODING);
	}
	s->phase = OVER;
}

/* -- None and VNC Authentication (7.2), Init (7.3) --------------------------------------------------------- */

static void challenge(struct vnc *s, struct cursor *c)
{
	cursor_bytes(c, 16);
	s->phase = RESPONSE;
}

static void response(struct vnc *s, struct cursor *c)
{
	cursor_bytes(c, 16);
	s->phase = RESULT;
}

/* 2 means too many attempts: older than the RFC, and still in use. */
static void result(struct vnc *s, struct cursor *c)
{
	CURSOR_EXPECT(c, "\0\0\0", WHY_ANSWER);
	uint8_t code = cursor_u8(c);
	cursor_must(c, code <= 2, WHY_FIELD);
	s->phase = code == 0 ? CLIENT_INIT : s->client >= 8 ? REASON : OVER;
}

static void client_init(struct vnc *s, struct cursor *c)
{
	cursor_u8(c); /* whether others may stay: any value but 0 is yes, and some clients put more into it */
	s->phase = SERVER_INIT;
}

/* Width, height, the pixel format (7.4), the length of the name. */
static void server_init(struct vnc *s, struct cursor *c)
{
	cursor_must(c, cursor_be16(c) > 0, WHY_FIELD);
	cursor_must(c, cursor_be16(c) > 0, WHY_FIELD);
	uint8_t bits = cursor_u8(c), depth = cursor_u8(c);
	cursor_must(c, (bits == 8 || bits == 16 || bits == 32) && depth > 0 && depth <= bits, WHY_FIELD);
	cursor_must(c, cursor_u8(c) <= 1, WHY_FIELD);
	uint8_t colours = cursor_u8(c);
	cursor_must(c, colours <= 1, WHY_FIELD);
	cursor_bytes(c, 6);
	for (int i = 0; i < 3; i++)
		cursor_must(c, cursor_u8(c) < bits || colours == 0, WHY_FIELD);
	cursor_bytes(c, 3);
	cursor_must(c, cursor_be32(c) <= 65535, WHY_LENGTH);
	s->phase = OVER;
}

/* -- VeNCrypt 0.2 ------------------------------------------------------------------------------------------ */

static void crypt_server(struct vnc *s, struct cursor *c)
{
	CURSOR_EXPECT(c, "\0\2", WHY_VERSION);
	s->phase = CRYPT_CLIENT;
}

static void crypt_client(struct vnc *s, struct cursor *c)
{
	CURSOR_EXPECT(c, "\0\2", WHY_VERSION);
	s->phase = CRYPT_OFFER;
}

static void crypt_offer(struct vnc *s, struct cursor *c)
{
	cursor_must(c, cursor_u8(c) == 0, WHY_FIELD); /* the version suits */
	uint8_t n = cursor_u8(c);
	cursor_must(c, n > 0, WHY_FIELD);
	for (uint8_t i = 0; i < n && cursor_ok(c); i++) {
		CURSOR_EXPECT(c, "\0\0", WHY_FIELD);
		uint16_t type = cursor_be16(c);
		if (type >= CRYPT_PLAIN && type < CRYPT_PLAIN + CRYPT_TYPES)
			s->crypts |= (uint16_t)(1u << (type - CRYPT_PLAIN));
	}
	s->phase = CRYPT_CHOICE;
}

static void crypt_choice(struct vnc *s, struct cursor *c)
{
	CURSOR_EXPECT(c, "\0\0\1", WHY_ANSWER_OTHER);
	uint8_t type = cursor_u8(c);
	cursor_must(c, type < CRYPT_TYPES && (s->crypts >> type & 1) != 0, WHY_ANSWER_OTHER);
	s->phase = type == 0 ? OVER : CRYPT_CONSENT; /* 256: name and password in the clear, no TLS */
}

static void crypt_consent(struct vnc *s, struct cursor *c)
{
	CURSOR_EXPECT(c, "\1", WHY_FIELD);
	s->phase = OVER;
}

/* -- Steps ------------------------------------------------------------------------------------------------- */

static const struct {
	void (*read)(struct vnc *s, struct cursor *c);
	uint8_t turn;
	enum inspect_level level; /* after it */
} messages[PHASES] = {
	[SERVER_VERSION] = {server_version, VERIFY_SERVER, LEVEL_NONE},
	[CLIENT_VERSION] = {client_version, VERIFY_CLIENT, LEVEL_ANSWER},
	[DICTATE] = {dictate, VERIFY_SERVER, LEVEL_RELATES},
	[OFFER] = {offer, VERIFY_SERVER, LEVEL_ANSWER},
	[CHOICE] = {choice, VERIFY_CLIENT, LEVEL_RELATES},
	[CHALLENGE] = {challenge, VERIFY_SERVER, LEVEL_RELATES},
	[RESPONSE] = {response, VERIFY_CLIENT, LEVEL_RELATES},
	[RESULT] = {result, VERIFY_SERVER, LEVEL_RELATES},
	[REASON] = {reason, VERIFY_SERVER, LEVEL_NONE},
	[CLIENT_INIT] = {client_init, VERIFY_CLIENT, LEVEL_RELATES},
	[SERVER_INIT] = {server_init, VERIFY_SERVER, LEVEL_RELATES},
	[CRYPT_SERVER] = {crypt_server, VERIFY_SERVER, LEVEL_RELATES},
	[CRYPT_CLIENT] = {crypt_client, VERIFY_CLIENT, LEVEL_RELATES},
	[CRYPT_OFFER] = {crypt_offer, VERIFY_SERVER, LEVEL_RELATES},
	[CRYPT_CHOICE] = {crypt_choice, VERIFY_CLIENT, LEVEL_RELATES},
	[CRYPT_CONSENT] = {crypt_consent, VERIFY_SERVER, LEVEL_RELATES},
	[OVER] = {NULL, VERIFY_CLIENT, LEVEL_NONE},
};

static enum verify_status undecided(const struct verify *v)
{
	return v->level == LEVEL_RELATES ? VERIFY_DECIDED : VERIFY_MORE;
}

/* The last message of the part that is verified: what becomes of the rest. A refusal in words is the end. */
static enum verify_status after(struct verify *v, uint8_t phase)
{
	switch (phase) {
	case CHOICE:
	case CRYPT_CHOICE:
	case SERVER_INIT:
		return VERIFY_ACCEPT;
	case CRYPT_CONSENT:
		v->next = APP_TLS;
		return VERIFY_HANDOVER;
	default:
		return undecided(v);
	}
}

static enum verify_status step(struct verify *v)
{
	struct vnc *s = v->state;
	struct vnc before = *s;
	unsigned turn = messages[s->phase].turn;

	if (verify_unread(v, !turn) > 0 || (s->phase == OVER && verify_unread(v, turn) > 0))
		return verify_refuse(v, WHY_ORDER);
	if (verify_unread(v, turn) == 0)
		return undecided(v);
	struct cursor c = verify_said(v, turn);
	messages[s->phase].read(s, &c);
	if (!cursor_ok(&c)) {
		*s = before;
		return c.why != WHY_NONE ? verify_refuse(v, c.why) : undecided(v);
	}
	verify_use(v, turn, &c);
	if (messages[before.phase].level > v->level && s->phase != REASON)
		v->level = messages[before.phase].level;
	return s->phase == OVER ? after(v, before.phase) : undecided(v);
}

enum verify_status vnc_stream(struct verify *v)
{
	return verify_steps(v, step);
}
