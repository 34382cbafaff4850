/*
 * ssh.c: SSH 2 (RFC 4253): version lines, KEXINIT of both sides, and the first message of the key exchange each way.
 *
 * The server may say some lines before its version line (4.2). Each version line is bare ASCII, 255 bytes at most, and ends in
 * LF or CR LF (5.1 asks for tolerance). Then come packets in the clear: KEXINIT first, ten name-lists that add up. L3: for
 * key exchange, host key, ciphers and compression the server offers something that the client offers too. The flow is
 * accepted when each side has sent a whole message of the exchange that they agreed on, with contents that add up. A banner
 * in front of a tunnel is refused at its first byte behind the line.
 *
 * Version 1 is refused; a server may call itself 1.99 (5.1), and routers' clients do so too. What the session is used for
 * (shell, copy, forwarding of ports) is sealed and nobody's to see but the two ends': a rule for ssh allows tunnels inside it.
 *
 * State: struct ssh. Limits: BEFORE_LINES lines before the server's version; a packet is 35000 bytes at most (6.1), and a
 * KEXINIT must fit into JUDGE_BYTES. Standards besides: RFC 4419 (group exchange), 4432 (RSA), 4462 (GSS), 5656, 8732.
 */
#include "vector.h"
#include "verifiers.h"

#define VERSION_MAX 255u
#define BEFORE_LINES 64u
#define BEFORE_BYTES 1024u
#define PACKET_MAX 35000u

enum { DISCONNECT = 1, IGNORE = 2, UNIMPLEMENTED = 3, DEBUG = 4, KEXINIT = 20, NEWKEYS = 21, KEX_FIRST = 30, KEX_LAST = 49 };

enum method { METHOD_DH, METHOD_GROUP, METHOD_RSA, METHOD_GSS };

enum phase { LINE, INIT, EXCHANGE, CLOSED };

struct ssh_side {
	uint8_t phase;
	uint8_t lines;
	bool guess;	/* its KEXINIT says that a guessed message follows, which is still to come */
	bool guessed;	/* that message came before the agreement */
	bool spoke;	/* a message of the exchange is whole */
	uint32_t kept;	/* bytes of its KEXINIT, until the other's is there to compare */
	uint32_t ahead; /* bytes judged behind it */
};

struct ssh {
	struct ssh_side side[2];
	bool agreed;
	uint8_t method;
};
VERIFY_STATE(struct ssh);

/* -- Version lines ----------------------------------------------------------------------------------------- */

/* The rest of a line: *ret_n its bytes up to LF. Neither controls nor bytes beyond ASCII where `ascii`. */
static void line_end(struct cursor *c, size_t n, size_t max, bool ascii)
{
	for (bool cr = false; cursor_ok(c); n++) {
		uint8_t b = cursor_u8(c);
		cursor_must(c, n < max, WHY_LENGTH);
		if (b == '\n')
			return;
		bool legal = b == '\r' || b == '\t' || (b >= 0x20 && b != 0x7f && (b < 0x80 || !ascii));
		cursor_must(c, legal && !cr && (b != '\t' || !ascii), WHY_ENCODING);
		cr = b == '\r';
	}
}

static void version_line(struct cursor *c)
{
	CURSOR_EXPECT(c, "SSH-", WHY_PROTOCOL);
	uint8_t major = cursor_u8(c);
	cursor_must(c, major == '2' || major == '1', WHY_VERSION);
	if (major == '1')
		CURSOR_EXPECT(c, ".99-", WHY_VERSION);
	else
		CURSOR_EXPECT(c, ".0-", WHY_VERSION);
	uint8_t first = cursor_u8(c);
	cursor_must(c, first > 0x20 && first < 0x7f, WHY_ENCODING);
	line_end(c, major == '1' ? 10 : 9, VERSION_MAX, true);
}

static bool begins_version(const struct cursor *c)
{
	size_t n = cursor_left(c) < 4 ? cursor_left(c) : 4;

	return memcmp(c->p, "SSH-", n) == 0;
}

static enum inspect_level level(const struct ssh *s)
{
	bool client = s->side[VERIFY_CLIENT].phase != LINE, server = s->side[VERIFY_SERVER].phase != LINE;

	return s->agreed ? LEVEL_RELATES : client && server ? LEVEL_ANSWER : client ? LEVEL_PREFIX : LEVEL_NONE;
}

static void line_step(struct verify *v, struct ssh *s, unsigned who, struct cursor *c)
{
	struct ssh_side *side = &s->side[who];

	if (who == VERIFY_SERVER && !begins_version(c)) {
		cursor_must(c, side->lines < BEFORE_LINES, WHY_PROTOCOL);
		line_end(c, 0, BEFORE_BYTES, false);
		side->lines += cursor_ok(c);
	} else {
		version_line(c);
		if (cursor_ok(c))
			side->phase = INIT;
	}
	if (cursor_ok(c))
		verify_use(v, who, c);
}

/* -- Packets in the clear (6) ------------------------------------------------------------------------------ */

struct ssh_packet {
	uint8_t type;
	uint8_t padding;
	struct vector payload; /* behind the type */
};

static struct ssh_packet packet_begin(struct cursor *c)
{
	struct ssh_packet p = {.payload = {c, 0}};

	CURSOR_EXPECT(c, "\0\0", WHY_PROTOCOL);
	uint32_t n = cursor_be16(c);
	cursor_must(c, n >= 12 && n <= PACKET_MAX && (n + 4) % 8 == 0, WHY_LENGTH);
	p.padding = cursor_u8(c);
	cursor_must(c, p.padding >= 4 && p.padding + 1u < n, WHY_LENGTH);
	p.type = cursor_u8(c);
	if (cursor_ok(c))
		p.payload.left = n - 2u - p.padding;
	return p;
}

/* All of the payload was read; then the padding, which may be anything. */
static void packet_end(struct ssh_packet *p)
{
	vector_end(&p->payload);
	cursor_bytes(p->payload.c, p->padding);
}

/* -- KEXINIT (7.1) ----------------------------------------------------------------------------------------- */

enum {
	L_KEX,
	L_HOST_KEY,
	L_CIPHER_OUT,
	L_CIPHER_IN,
	L_MAC_OUT,
	L_MAC_IN,
	L_COMPRESS_OUT,
	L_COMPRESS_IN,
	L_LANGUAGE_OUT,
	L_LANGUAGE_IN,
	LISTS
};

struct offer {
	struct slice list[LISTS];
	bool guess;
};

/* Names of printable ASCII, 64 at most, between commas (RFC 4251, 6). */
static bool names_legal(struct slice s)
{
	size_t n = 0;

	for (uint32_t i = 0; i < s.n; i++) {
		if (s.p[i] <= 0x20 || s.p[i] >= 0x7f || (s.p[i] == ',' && n == 0))
			return false;
		n = s.p[i] == ',' ? 0 : n + 1;
		if (n > 64)
			return false;
	}
	return s.n == 0 || n > 0;
}

static void kexinit(struct cursor *c, struct offer *ret)
{
	struct ssh_packet p = packet_begin(c);

	cursor_must(c, p.type == KEXINIT, WHY_COMMAND);
	vector_take(&p.payload, 16);
	for (int i = 0; i < LISTS; i++) {
		struct vector in = vector_sub32(&p.payload);
		cursor_must(c, in.left > 0 || i >= L_LANGUAGE_OUT, WHY_LENGTH);
		ret->list[i] = vector_rest(&in);
		cursor_must(c, names_legal(ret->list[i]), WHY_ENCODING);
	}
	uint8_t guess = vector_u8(&p.payload);
	cursor_must(c, guess <= 1, WHY_FIELD);
	ret->guess = guess == 1;
	cursor_must(c, vector_be32(&p.payload) == 0, WHY_FIELD);
	packet_end(&p);
}

static bool has_name(struct slice list, const uint8_t *name, size_t n)
{
	for (uint32_t at = 0; at < list.n;) {
		const uint8_t *comma = memchr(list.p + at, ',', list.n - at);
		size_t k = comma == NULL ? list.n - at : (size_t)(comma - list.p) - at;
		if (k == n && memcmp(list.p + at, name, n) == 0)
			return true;
		at += (uint32_t)k + 1;
	}
	return false;
}

/* The first of the client's names that the server has too (7.1); nothing: n 0. */
static struct slice common(struct slice client, struct slice server)
{
	for (uint32_t at = 0; at < client.n;) {
		const uint8_t *comma = memchr(client.p + at, ',', client.n - at);
		uint32_t k = comma == NULL ? client.n - at : (uint32_t)(comma - client.p) - at;
		if (has_name(server, client.p + at, k))
			return (struct slice){client.p + at, k};
		at += k + 1;
	}
	return (struct slice){NULL, 0};
}

static bool begins(struct slice s, const char *word)
{
	return s.n >= strlen(word) && memcmp(s.p, word, strlen(word)) == 0;
}

static enum method method_of(struct slice kex)
{
	return begins(kex, "diffie-hellman-group-exchange-") ? METHOD_GROUP
		: begins(kex, "rsa")			     ? METHOD_RSA
		: begins(kex, "gss-")			     ? METHOD_GSS
							     : METHOD_DH;
}

static struct offer offer_of(const struct verify *v, const struct ssh *s, unsigned who)
{
	struct cursor c = cursor_init(v->side[who].p + v->side[who].used, s->side[who].kept);
	struct offer o = {.guess = false};

	kexinit(&c, &o);
	return o;
}

static struct slice first_name(struct slice list)
{
	const uint8_t *comma = memchr(list.p, ',', list.n);

	return (struct slice){list.p, comma == NULL ? list.n : (uint32_t)(comma - list.p)};
}

/*
 * A guess is right when both sides like the same method best (7): then the guessed message is the exchange's first. Where both
 * name Dropbear's kexguess2 it is enough that the client's best is what they agree on.
 */
static bool guess_right(const struct offer *client, const struct offer *server)
{
	static const char two[] = "kexguess2@matt.ucc.asn.au";
	bool easier = has_name(client->list[L_KEX], (const uint8_t *)two, sizeof(two) - 1) &&
		      has_name(server->list[L_KEX], (const uint8_t *)two, sizeof(two) - 1);

	for (int i = L_KEX; i <= L_HOST_KEY; i++) {
		struct slice a = first_name(client->list[i]);
		struct slice b = easier ? common(client->list[i], server->list[i]) : first_name(server->list[i]);
		if (a.n != b.n || memcmp(a.p, b.p, a.n) != 0)
			return false;
	}
	return true;
}

/* Both offers are there: compared, and done with. */
static enum inspect_why agree(struct verify *v, struct ssh *s)
{
	struct offer client = offer_of(v, s, VERIFY_CLIENT), server = offer_of(v, s, VERIFY_SERVER);

	for (int i = 0; i <= L_COMPRESS_IN; i++) {
		/* A cipher that authenticates by itself needs no MAC. */
		if (i != L_MAC_OUT && i != L_MAC_IN && common(client.list[i], server.list[i]).n == 0)
			return WHY_ANSWER_OTHER;
	}
	s->method = method_of(common(client.list[L_KEX], server.list[L_KEX]));
	s->agreed = true;
	bool right = guess_right(&client, &server);
	for (int i = 0; i < 2; i++) {
		s->side[i].spoke = right && s->side[i].guessed;
		s->side[i].guess = s->side[i].guess && !right;
		v->side[i].used += s->side[i].kept + s->side[i].ahead;
		s->side[i].kept = s->side[i].ahead = 0;
	}
	return WHY_NONE;
}

/* -- The exchange ------------------------------------------------------------------------------------------ */

static void strings(struct vector *v, int n)
{
	while (n-- > 0) {
		struct vector in = vector_sub32(v);
		cursor_must(v->c, in.left > 0, WHY_LENGTH);
		vector_rest(&in);
	}
}

static void group_request(struct vector *v)
{
	uint32_t min = vector_be32(v), n = vector_be32(v);

	cursor_must(v->c, min <= n, WHY_FIELD);
	cursor_must(v->c, n <= vector_be32(v), WHY_FIELD);
}

/* Who says what in which method; what is not here has no business in the exchange. Strings, 0 = see message(). */
static const struct {
	uint8_t method, type, who, strings;
} messages[] = {
	{METHOD_DH, 30, VERIFY_CLIENT, 1},    /* the client's key */
	{METHOD_DH, 31, VERIFY_SERVER, 3},    /* host key, the server's key, signature */
	{METHOD_GROUP, 30, VERIFY_CLIENT, 0}, /* old request: one number */
	{METHOD_GROUP, 34, VERIFY_CLIENT, 0}, /* least, wanted, most */
	{METHOD_GROUP, 31, VERIFY_SERVER, 2}, /* prime, generator */
	{METHOD_GROUP, 32, VERIFY_CLIENT, 1},
	{METHOD_GROUP, 33, VERIFY_SERVER, 3},
	{METHOD_RSA, 30, VERIFY_SERVER, 2},
	{METHOD_RSA, 31, VERIFY_CLIENT, 1},
	{METHOD_RSA, 32, VERIFY_SERVER, 1},
};

static void message(struct ssh *s, unsigned who, struct ssh_packet *p)
{
	for (size_t i = 0; i < sizeof(messages) / sizeof(messages[0]); i++) {
		if (messages[i].method != s->method || messages[i].type != p->type || messages[i].who != who)
			continue;
		if (messages[i].strings > 0)
			strings(&p->payload, messages[i].strings);
		else if (p->type == 34)
			group_request(&p->payload);
		else
			vector_be32(&p->payload);
		return;
	}
	cursor_must(p->payload.c, s->method == METHOD_GSS, WHY_COMMAND);
	vector_rest(&p->payload);
}

/* A message of the exchange: after the agreement, or a guess before it, whose form is that of a method nobody agreed on. */
static void exchange(struct ssh *s, unsigned who, struct ssh_packet *p)
{
	const struct ssh_side *side = &s->side[who], *other = &s->side[!who];
	bool server_first = s->method == METHOD_RSA;

	cursor_must(p->payload.c, s->agreed || side->guess, WHY_ORDER);
	cursor_must(p->payload.c, side->guess || other->spoke || (who == VERIFY_SERVER) == server_first, WHY_ORDER);
	if (side->guess)
		vector_rest(&p->payload);
	else
		message(s, who, p);
}

/* Messages that may come at any time (11). */
static void general(struct ssh_packet *p)
{
	if (p->type == DISCONNECT)
		vector_be32(&p->payload);
	if (p->type == DEBUG)
		cursor_must(p->payload.c, vector_u8(&p->payload) <= 1, WHY_FIELD);
	if (p->type == UNIMPLEMENTED)
		vector_be32(&p->payload);
	for (int n = p->type == UNIMPLEMENTED ? 0 : p->type == IGNORE ? 1 : 2; n > 0; n--) {
		struct vector in = vector_sub32(&p->payload);
		vector_rest(&in);
	}
}

static void packet_step(struct ssh *s, unsigned who, struct cursor *c)
{
	struct ssh_side *side = &s->side[who];
	struct ssh_packet p = packet_begin(c);
	bool kex = p.type >= KEX_FIRST && p.type <= KEX_LAST;

	cursor_must(c, kex || (p.type >= DISCONNECT && p.type <= DEBUG), WHY_COMMAND);
	if (kex)
		exchange(s, who, &p);
	else
		general(&p);
	packet_end(&p);
	if (!cursor_ok(c))
		return;
	if (p.type == DISCONNECT)
		side->phase = CLOSED;
	if (kex && side->guess)
		side->guessed = true;
	else if (kex)
		side->spoke = true;
	if (kex)
		side->guess = false;
}

/* -- Steps ------------------------------------------------------------------------------------------------- */

static void init_step(struct verify *v, struct ssh *s, unsigned who, struct cursor *c)
{
	struct ssh_side *side = &s->side[who];
	const uint8_t *start = c->p;
	struct offer o = {.guess = false};

	/* A server that will have none of it says so in place of KEXINIT. */
	if (cursor_left(c) > 5 && c->p[5] == DISCONNECT) {
		packet_step(s, who, c);
		if (cursor_ok(c))
			verify_use(v, who, c);
		return;
	}
	kexinit(c, &o);
	if (!cursor_ok(c))
		return;
	side->phase = EXCHANGE;
	side->guess = o.guess;
	side->kept = (uint32_t)(c->p - start);
}

/* One line or packet of a side. False: nothing more to do for now. */
static bool step(struct verify *v, struct ssh *s, unsigned who, struct cursor *c)
{
	struct ssh_side *side = &s->side[who];
	uint8_t phase = side->phase;
	const uint8_t *start;

	*c = verify_said(v, who);
	cursor_bytes(c, side->kept + side->ahead);
	start = c->p;
	if (cursor_left(c) == 0)
		return false;
	if (phase == LINE)
		line_step(v, s, who, c);
	else if (phase == INIT)
		init_step(v, s, who, c);
	else if (phase == EXCHANGE)
		packet_step(s, who, c);
	else
		cursor_must(c, false, WHY_ORDER);
	if (!cursor_ok(c) || phase != EXCHANGE)
		return cursor_ok(c);
	if (s->agreed)
		verify_use(v, who, c);
	else
		side->ahead += (uint32_t)(c->p - start);
	return true;
}

enum verify_status ssh_stream(struct verify *v)
{
	struct ssh *s = v->state;

	for (unsigned who = 0; who < 2; who++) {
		struct cursor c;
		while (step(v, s, who, &c)) {
			v->level = level(s);
			if (!s->agreed && s->side[0].kept > 0 && s->side[1].kept > 0) {
				enum inspect_why why = agree(v, s);
				if (why != WHY_NONE)
					return verify_refuse(v, why);
				v->level = level(s);
			}
			if (s->agreed && s->side[0].spoke && s->side[1].spoke)
				return VERIFY_ACCEPT;
		}
		if (c.why != WHY_NONE)
			return verify_refuse(v, c.why);
	}
	return s->agreed ? VERIFY_DECIDED : VERIFY_MORE;
}
