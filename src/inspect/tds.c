/*
 * tds.c: Tabular Data Stream 7.x, the protocol of Microsoft's SQL Server, up to TLS or the answer to the login. Standards:
 * MS-TDS (2.2.3.1 packets, 2.2.6.4 LOGIN7, 2.2.6.5 PRELOGIN, 2.2.7 tokens of the answer, 3.2 and 3.3 turns); RFC 5246.
 *
 * Input: both directions of a connection, whoever wrote them. The sides take turns. PRELOGIN and its answer are messages of
 * options whose places fill the message exactly, the version first; the server answers only options that it was asked. Both
 * say whether they encrypt, and that decides what must follow:
 *	TLS inside of packets of type PRELOGIN: hello and answer are read as TLS is (versions before 1.2 refused, the answer's
 *	session, cipher and extensions refer to the offer), then records inside of packets are followed until both sides
 *	have changed their keys and the client's login has come in a bare record;
 *	or, when one of them has no TLS, LOGIN7 in the clear, whose parts lie inside of it, and an answer whose tokens end
 *	where it does, with a LOGINACK of no newer version than was asked, an error, or the next step of the authentication.
 * TDS 8.0 is TLS from the first byte on: it must offer the ALPN tds/8.0, and the verifier of TLS goes on.
 *
 * An error instead of a login is the end: nothing may follow. TDS 4.2 and 5.0 (Sybase) are refused.
 *
 * Limits: a message as large as the judge holds.
 */
#include "direct_tls.h"
#include "tds_login.h"
#include "tls_hello.h"
#include "verifiers.h"

#define HEAD 8u
#define PACKET_MAX TDS_PACKET_MAX
#define OPTIONS_MAX 8u
enum { PRELOGIN = 0x12, LOGIN7 = 0x10, TABLE = 0x04, LAST = 1 };
enum { VERSION, ENCRYPTION, INSTANCE, THREAD, MARS, TRACE, FEDERATED, NONCE, TERMINATOR = 0xff };
enum { ENCRYPT_OFF, ENCRYPT_ON, NOT_SUPPORTED, REQUIRED };

enum phase { ASK, ANSWER, HELLO, SERVER_HELLO, WATCH, LOGIN, LOGIN_ANSWER, OVER };

/* What has come of a side since its hello. */
enum { CHANGED = 1, FINISHED = 2 };

struct tds_side {
	uint16_t packet, record; /* bytes left of them */
	uint8_t packet_head[4], packet_n;
	uint8_t record_head[5], record_n;
	uint8_t seen;
	bool bare; /* records without packets around them */
};

struct tds_state {
	uint8_t phase;
	uint8_t options;    /* bits of those that the client gave */
	uint8_t encryption; /* of the client */
	uint8_t version;    /* that the login asks for, 0x70 .. 0x74 */
	uint32_t hello;	    /* bytes of the client's hello, kept until the server's is there */
	struct tds_side side[2];
};
VERIFY_STATE(struct tds_state);

/* -- Packets ------------------------------------------------------------------------------------------------ */

/* One message, without the headers of its packets. */
struct framed {
	const uint8_t *p;
	uint32_t n;   /* bytes of the message that are there */
	uint32_t raw; /* of a whole one: bytes of the stream */
	bool whole;
	enum inspect_why why; /* a contradiction behind those bytes */
	uint8_t copy[JUDGE_BYTES]; /* of a message in several packets */
};

static void add(struct framed *f, const uint8_t *p, uint32_t n)
{
	if (f->n == 0) {
		f->p = p;
	} else {
		/* More packets than one: together in the copy, which holds all that the judge does. */
		if (n > JUDGE_BYTES - f->n)
			n = JUDGE_BYTES - f->n;
		if (f->p != f->copy)
			memcpy(f->copy, f->p, f->n);
		memcpy(f->copy + f->n, p, n);
		f->p = f->copy;
	}
	f->n += n;
}

/* The header of a packet (2.2.3.1): its payload's bytes. `other` is the why of another type. */
static uint32_t packet_head(struct cursor *c, uint8_t type, enum inspect_why other, bool *ret_last)
{
	cursor_must(c, cursor_u8(c) == type, other);
	uint8_t status = cursor_u8(c);
	cursor_must(c, status <= LAST, WHY_FIELD);
	uint32_t n = cursor_be16(c);
	cursor_must(c, n > HEAD && n <= PACKET_MAX, WHY_LENGTH);
	cursor_bytes(c, 3); /* process, number */
	cursor_must(c, cursor_u8(c) == 0, WHY_FIELD);
	*ret_last = status == LAST;
	return cursor_ok(c) ? n - HEAD : 0;
}

static void deframe(struct framed *f, const struct verify *v, unsigned side, uint8_t type, enum inspect_why other)
{
	struct cursor c = verify_said(v, side);
	const uint8_t *start = c.p;

	f->p = start;
	f->n = f->raw = 0;
	f->whole = false;
	while (cursor_ok(&c) && !f->whole) {
		bool last = false;
		uint32_t n = packet_head(&c, type, f->n == 0 ? other : WHY_ORDER, &last), left = (uint32_t)cursor_left(&c);
		if (!cursor_ok(&c))
			break;
		add(f, c.p, n < left ? n : left);
		f->whole = cursor_bytes(&c, n) != NULL && last;
	}
	f->why = c.why;
	f->raw = (uint32_t)(c.p - start);
}

/* After a message was read: what its content or its framing says, MORE while it is not whole. */
static enum verify_status unfinished(struct verify *v, const struct cursor *c, const struct framed *f)
{
	enum inspect_why why = c->why != WHY_NONE ? c->why : f->why;

	if (why == WHY_NONE && f->whole && c->more)
		why = WHY_LENGTH;
	return why != WHY_NONE ? verify_refuse(v, why) : VERIFY_MORE;
}

static bool is_read(const struct cursor *c, const struct framed *f)
{
	return cursor_ok(c) && f->whole && f->why == WHY_NONE;
}

/* -- PRELOGIN ----------------------------------------------------------------------------------------------- */

struct option {
	uint8_t token;
	uint16_t at, n;
};

/* How long the data of each option is (2.2.6.5); an instance's name has any length. */
static bool length_is_legal(const struct option *o, bool answer)
{
	static const uint8_t lengths[] = {[VERSION] = 6, [ENCRYPTION] = 1, [THREAD] = 4, [MARS] = 1, [TRACE] = 36,
		[FEDERATED] = 1, [NONCE] = 32};

	if (o->token == INSTANCE)
		return o->n <= 255;
	return o->n == lengths[o->token] || (o->n == 0 && (o->token == THREAD || answer) && o->token > ENCRYPTION);
}

/* What a server says without being asked. */
#define ALWAYS (1u << VERSION | 1u << ENCRYPTION | 1u << INSTANCE | 1u << THREAD | 1u << MARS)

/* The table up to its terminator; returns the number of options. Of an answer `asked` says what it may hold besides. */
static unsigned table(struct cursor *c, struct option *o, uint8_t *ret_given, const uint8_t *asked)
{
	unsigned n = 0;
	uint8_t given = 0;

	for (;;) {
		uint8_t token = cursor_u8(c);
		if (!cursor_ok(c) || (token == TERMINATOR && n > 0))
			break;
		if (!cursor_must(c, token <= NONCE && n < OPTIONS_MAX, WHY_FIELD))
			break;
		cursor_must(c, (n == 0) == (token == VERSION), WHY_FIELD);
		cursor_must(c, asked == NULL || ((ALWAYS | *asked) >> token & 1) != 0, WHY_ANSWER_OTHER);
		if (!cursor_must(c, (given >> token & 1) == 0, WHY_FIELD))
			break;
		given |= (uint8_t)(1u << token);
		o[n] = (struct option){token, 0, 0};
		o[n].at = cursor_be16(c);
		o[n].n = cursor_be16(c);
		cursor_must(c, length_is_legal(&o[n], asked != NULL), WHY_LENGTH);
		n++;
	}
	*ret_given = given;
	return n;
}

/* Data of an option whose value can be wrong. */
static void option_data(struct cursor *c, const struct option *o, uint8_t *ret_encryption)
{
	if (o->token == ENCRYPTION) {
		*ret_encryption = cursor_u8(c) & 0x7f; /* bit 7: with a client's certificate */
		cursor_must(c, *ret_encryption <= REQUIRED, WHY_FIELD);
	} else if ((o->token == MARS || o->token == FEDERATED) && o->n == 1) {
		cursor_must(c, cursor_u8(c) <= 1, WHY_FIELD);
	} else {
		cursor_bytes(c, o->n);
	}
}

/* Options, each with its place behind the table: one after the other, to the end of the message. */
static uint8_t prelogin(struct cursor *c, const struct framed *f, const uint8_t *asked, uint8_t *ret_encryption)
{
	struct option o[OPTIONS_MAX];
	uint8_t given;
	unsigned n = table(c, o, &given, asked);

	*ret_encryption = NOT_SUPPORTED;
	for (unsigned i = 0; i < n && cursor_ok(c); i++) {
		cursor_must(c, o[i].n == 0 || o[i].at == (uint32_t)(c->p - f->p), WHY_LENGTH);
		option_data(c, &o[i], ret_encryption);
	}
	if (cursor_ok(c) && c->p != c->end)
		cursor_must(c, false, WHY_TRAILING);
	return given;
}

static enum verify_status ask(struct verify *v, struct tds_state *s)
{
	struct framed f UNSET;
	struct cursor said = verify_said(v, VERIFY_CLIENT);
	uint8_t first = cursor_left(&said) > 0 ? *said.p : 0;

	if (first == 0x16)
		return direct_tls(v, "tds/8.0");
	/* Old clients begin with their login. */
	if (first == LOGIN7) {
		s->phase = LOGIN;
		return VERIFY_MORE;
	}
	deframe(&f, v, VERIFY_CLIENT, PRELOGIN, WHY_PROTOCOL);
	struct cursor c = cursor_init(f.p, f.n);
	uint8_t encryption, given = prelogin(&c, &f, NULL, &encryption);
	if (!is_read(&c, &f))
		return unfinished(v, &c, &f);
	v->side[VERIFY_CLIENT].used += f.raw;
	s->options = given;
	s->encryption = encryption;
	s->phase = ANSWER;
	v->level = LEVEL_PREFIX;
	return VERIFY_MORE;
}

static enum verify_status answer(struct verify *v, struct tds_state *s)
{
	struct framed f UNSET;

	deframe(&f, v, VERIFY_SERVER, TABLE, WHY_ANSWER);
	struct cursor c = cursor_init(f.p, f.n);
	uint8_t encryption;

	prelogin(&c, &f, &s->options, &encryption);
	if (!is_read(&c, &f))
		return unfinished(v, &c, &f);
	v->side[VERIFY_SERVER].used += f.raw;
	v->level = LEVEL_ANSWER;
	s->phase = s->encryption == NOT_SUPPORTED || encryption == NOT_SUPPORTED ? LOGIN : HELLO;
	return VERIFY_MORE;
}

/* -- TLS inside of packets ---------------------------------------------------------------------------------- */

/* The client's hello; what is wrong with it, if anything. *ret_whole: it is there to its end. */
static enum inspect_why client_hello(struct verify *v, struct framed *f, struct tls_message *m, struct tls_hello *h)
{
	deframe(f, v, VERIFY_CLIENT, PRELOGIN, WHY_ORDER);
	tls_message_read(m, TLS_CLIENT_HELLO, f->p, f->n, WHY_PROTOCOL);
	struct cursor c = cursor_init(m->p, m->n);
	if (m->has_length)
		tls_client_hello(&c, m, v->policy, h);
	if (c.why != WHY_NONE || m->why != WHY_NONE)
		return c.why != WHY_NONE ? c.why : m->why;
	if (m->whole && f->n > m->end)
		return WHY_TRAILING;
	return f->why;
}

static enum verify_status hello(struct verify *v, struct tds_state *s)
{
	struct framed f UNSET;
	struct tls_message m UNSET;
	struct tls_hello h = {0};
	enum inspect_why why = client_hello(v, &f, &m, &h);

	tls_learn_name(v, &h);
	if (why != WHY_NONE)
		return verify_refuse(v, why);
	if (f.whole && !m.whole)
		return verify_refuse(v, WHY_LENGTH);
	if (!f.whole)
		return VERIFY_MORE;
	s->hello = f.raw;
	s->phase = SERVER_HELLO;
	return VERIFY_MORE;
}

static enum verify_status server_hello(struct verify *v, struct tds_state *s)
{
	struct framed f UNSET;
	struct tls_message asked UNSET, m UNSET;
	struct tls_hello client = {0}, h = {0};

	if (verify_unread(v, VERIFY_CLIENT) > s->hello)
		return verify_refuse(v, WHY_ORDER);
	client_hello(v, &f, &asked, &client); /* fits: it was read before */
	struct framed g UNSET;
	deframe(&g, v, VERIFY_SERVER, PRELOGIN, WHY_ANSWER);
	tls_message_read(&m, TLS_SERVER_HELLO, g.p, g.n, WHY_ANSWER);
	struct cursor c = cursor_init(m.p, m.n);
	if (m.has_length)
		tls_server_hello(&c, &m, &client, &h);
	/* TLS 1.3 is TDS 8.0's: inside of packets nobody knows where its handshake would end. */
	if (m.whole)
		cursor_must(&c, h.version == 0x0303, WHY_VERSION);
	if (c.why != WHY_NONE || m.why != WHY_NONE)
		return verify_refuse(v, c.why != WHY_NONE ? c.why : m.why);
	if (!m.whole && (g.whole || g.why != WHY_NONE))
		return verify_refuse(v, g.why != WHY_NONE ? g.why : WHY_LENGTH);
	if (!m.whole)
		return VERIFY_MORE;
	s->phase = WATCH;
	v->level = LEVEL_RELATES;
	return VERIFY_DECIDED;
}

/* One more byte of a packet's header. */
static enum inspect_why packet_byte(struct tds_side *t, uint8_t b)
{
	uint8_t n = t->packet_n++;

	if (n < 4)
		t->packet_head[n] = b;
	if (n == 0 && b != PRELOGIN)
		return WHY_PROTOCOL;
	if ((n == 1 && b > LAST) || (n == 7 && b != 0))
		return WHY_FIELD;
	uint16_t size = (uint16_t)(t->packet_head[2] << 8 | t->packet_head[3]);
	if (n == 3 && (size <= HEAD || size > PACKET_MAX))
		return WHY_LENGTH;
	if (n == 7) {
		t->packet = (uint16_t)(size - HEAD);
		t->packet_n = 0;
	}
	return WHY_NONE;
}

/* One more byte of a record's header. Before the keys have changed there is no data, and in a bare record nothing else. */
static enum inspect_why record_byte(struct tds_side *t, uint8_t b)
{
	uint8_t n = t->record_n++, type = n == 0 ? b : t->record_head[0];
	bool legal = t->bare ? b == TLS_DATA || b == TLS_ALERT : b >= TLS_CHANGE_CIPHER_SPEC && b <= TLS_HANDSHAKE;

	t->record_head[n] = b;
	if (n == 0)
		return legal ? WHY_NONE : WHY_PROTOCOL;
	if (n == 1)
		return b == 3 ? WHY_NONE : WHY_PROTOCOL;
	if (n == 2) /* the first hello may come under an older version */
		return b == 3 || (b > 0 && b < 3 && type == TLS_HANDSHAKE) ? WHY_NONE : WHY_VERSION;
	if (n == 3)
		return WHY_NONE;
	t->record = (uint16_t)(t->record_head[3] << 8 | b);
	t->record_n = 0;
	if (t->record == 0 || t->record > TLS_SEALED12_MAX || (type == TLS_CHANGE_CIPHER_SPEC && t->record != 1))
		return WHY_LENGTH;
	return WHY_NONE;
}

static void record_ended(struct tds_side *t)
{
	if (t->record_head[0] == TLS_CHANGE_CIPHER_SPEC)
		t->seen |= CHANGED;
	else if (t->record_head[0] == TLS_HANDSHAKE && (t->seen & CHANGED) != 0)
		t->seen |= FINISHED;
}

/* Follows one side; *ret_login: the client's first bare record of data was there to its end. */
static enum inspect_why follow(struct verify *v, struct tds_side *t, unsigned side, bool *ret_login)
{
	struct cursor c = verify_said(v, side);
	enum inspect_why why = WHY_NONE;

	while (cursor_left(&c) > 0 && why == WHY_NONE && !*ret_login) {
		bool between = t->packet == 0 && t->packet_n == 0 && t->record == 0 && t->record_n == 0;
		t->bare = t->bare || (between && (t->seen & FINISHED) != 0 && (*c.p == TLS_DATA || *c.p == TLS_ALERT));
		uint8_t b = cursor_u8(&c);
		if (!t->bare && t->packet == 0) {
			why = packet_byte(t, b);
			continue;
		}
		if (!t->bare)
			t->packet--;
		if (t->record == 0) {
			why = record_byte(t, b);
			continue;
		}
		if (--t->record == 0) {
			record_ended(t);
			*ret_login = t->bare && side == VERIFY_CLIENT && t->record_head[0] == TLS_DATA;
		}
	}
	verify_use(v, side, &c);
	return why;
}

/* The server's login answer may come in the clear, so it is not waited for. */
static enum verify_status watch(struct verify *v, struct tds_state *s)
{
	bool login = false;
	enum inspect_why why = follow(v, &s->side[VERIFY_CLIENT], VERIFY_CLIENT, &login);

	if (why == WHY_NONE && !login)
		why = follow(v, &s->side[VERIFY_SERVER], VERIFY_SERVER, &(bool){false});
	if (why != WHY_NONE)
		return verify_refuse(v, why);
	if (!login)
		return VERIFY_DECIDED;
	return (s->side[VERIFY_SERVER].seen & FINISHED) != 0 ? VERIFY_ACCEPT : verify_refuse(v, WHY_ORDER);
}

/* -- Login in the clear -------------------------------------------------------------------------------------- */

static enum verify_status login(struct verify *v, struct tds_state *s)
{
	struct framed f UNSET;

	deframe(&f, v, VERIFY_CLIENT, LOGIN7, WHY_COMMAND);
	struct cursor c = cursor_init(f.p, f.n);
	uint8_t version = tds_login7(&c);
	if (!is_read(&c, &f))
		return unfinished(v, &c, &f);
	v->side[VERIFY_CLIENT].used += f.raw;
	s->version = version;
	s->phase = LOGIN_ANSWER;
	if (v->level < LEVEL_PREFIX)
		v->level = LEVEL_PREFIX;
	return VERIFY_MORE;
}

static enum verify_status login_answer(struct verify *v, struct tds_state *s)
{
	struct framed f UNSET;

	deframe(&f, v, VERIFY_SERVER, TABLE, WHY_ANSWER);
	struct cursor c = cursor_init(f.p, f.n);
	enum tds_said said = tds_login_answer(&c, s->version);
	if (!is_read(&c, &f))
		return unfinished(v, &c, &f);
	if (said == TDS_NEITHER)
		return verify_refuse(v, WHY_ANSWER);
	v->side[VERIFY_SERVER].used += f.raw;
	v->level = LEVEL_RELATES;
	s->phase = OVER;
	return said == TDS_ACCEPTED ? VERIFY_ACCEPT : VERIFY_DECIDED;
}

/* -- Turns -------------------------------------------------------------------------------------------------- */

static enum verify_status nobody(struct verify *v, struct tds_state *s)
{
	(void)s;
	return verify_unread(v, 0) + verify_unread(v, 1) > 0 ? verify_refuse(v, WHY_ORDER) : VERIFY_DECIDED;
}

static enum verify_status step(struct verify *v)
{
	static const struct {
		enum verify_status (*fn)(struct verify *v, struct tds_state *s);
		bool quiet[2]; /* who may not speak */
	} turns[] = {
		[ASK] = {ask, {false, true}},	 [ANSWER] = {answer, {true, false}},
		[HELLO] = {hello, {false, true}}, [SERVER_HELLO] = {server_hello, {false, false}},
		[WATCH] = {watch, {false, false}}, [LOGIN] = {login, {false, true}},
		[LOGIN_ANSWER] = {login_answer, {true, false}}, [OVER] = {nobody, {false, false}},
	};
	struct tds_state *s = v->state;

	for (unsigned i = 0; i < 2; i++)
		if (turns[s->phase].quiet[i] && verify_unread(v, i) > 0)
			return verify_refuse(v, WHY_ORDER);
	return turns[s->phase].fn(v, s);
}

/* Phases also change without a byte that is used up: then there is another step at once. */
enum verify_status tds_stream(struct verify *v)
{
	struct tds_state *s = v->state;
	enum verify_status status;
	uint32_t before;
	uint8_t phase;

	do {
		phase = s->phase;
		before = v->side[0].used + v->side[1].used;
		status = step(v);
	} while ((status == VERIFY_MORE || status == VERIFY_DECIDED) &&
		 (s->phase != phase || v->side[0].used + v->side[1].used > before));
	return status;
}
