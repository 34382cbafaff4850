/*
 * postgresql.c: PostgreSQL's frontend/backend protocol 3.0 and 3.2 up to the first proof of who the client is, or TLS.
 * Standards: PostgreSQL manual, "Frontend/Backend Protocol" (message flow 54.2, formats 54.7, SASL 54.3); RFC 5802 and 7677
 * (SCRAM), RFC 2743 (GSS tokens).
 *
 * Input: both directions of a connection, whoever wrote them. The sides take turns until the client has proved who it is;
 * each message is read to its last byte. The first one may ask for TLS (answered S: TLS takes over, nobody having said a
 * word more) or for GSS encryption, or start a session: pairs of names and values with a user among them. The server asks
 * for a password, a digest or SASL, and the flow passes with the answer to the client's proof; with SCRAM that answer must
 * begin with the client's nonce. A server that trusts the client says so and reports its settings up to ReadyForQuery.
 *
 * An error from the server is the end: nothing may follow. A cancel request has no answer: its form is all that can be
 * verified, and nothing may follow it either. TLS from the first byte on must offer the ALPN postgresql (sslnegotiation =
 * direct). With starttls-required a session or a cancel in the clear is refused, and GSS encryption too. GSS encryption is
 * followed through the tokens of its handshake and the first sealed packet of each side.
 *
 * Limits: a startup message of 10 000 bytes (as the server has it), other messages as large as the judge holds.
 */
#include "ber.h"
#include "direct_tls.h"
#include "part.h"
#include "verifiers.h"

#define STARTUP_MAX 10000u
#define MESSAGE_MAX 65536u
#define NAME_MAX_BYTES 63u
#define GSS_MAX 16380u /* with its length a packet has 16 KiB */
#define TLS_RECORD 0x16
#define CANCEL 80877102u
#define ASK_SSL 80877103u
#define ASK_GSS 80877104u
#define VERSION_3_0 0x00030000u
#define VERSION_3_2 0x00030002u

enum phase {
	START,	     /* client: the first message, also after N */
	SSL_ASKED,   /* server: S, N or an error */
	GSS_ASKED,   /* server: G, N or an error */
	GSS_TOKEN,   /* client */
	GSS_ANSWER,  /* server */
	SEALED,	     /* client: what would have been the first message */
	SEALED_ANSWER, /* server */
	AUTHENTICATE, /* server: how */
	PROVE,	     /* client */
	PROVED,	     /* server */
	WELCOME,     /* server: trusted; settings to the end */
	OVER,	     /* nobody */
};

enum method { TRUST = 0, CLEAR = 3, MD5 = 5, GSS = 7, GSS_ON = 8, SSPI = 9, SASL = 10, SASL_ON = 11 };
static const char *const mechanisms[] = {"SCRAM-SHA-256", "SCRAM-SHA-256-PLUS", "OAUTHBEARER"};
#define NMECHANISMS (sizeof(mechanisms) / sizeof(mechanisms[0]))

struct postgresql_state {
	uint8_t phase;
	uint8_t method;
	uint8_t offered; /* bits of mechanisms[] */
	bool asked_ssl, asked_gss;
	uint16_t nonce_n; /* of SCRAM; 0 = none */
	uint32_t nonce;	  /* its hash */
};
VERIFY_STATE(struct postgresql_state);

/* -- Messages ------------------------------------------------------------------------------------------------ */

/* The type of the server's next message, which must be one of these; not read yet. */
static uint8_t type_in(struct cursor *c, const char *types)
{
	if (cursor_ok(c) && c->p == c->end)
		c->more = true;
	if (!cursor_ok(c))
		return 0;
	uint8_t type = *c->p;
	return cursor_must(c, type != 0 && strchr(types, type) != NULL, WHY_ANSWER) ? type : 0;
}

/* A message of the session: its type, and its body. The length counts itself. */
static uint8_t opened(struct cursor *c, struct part *ret)
{
	uint8_t type = cursor_u8(c);
	uint32_t n = cursor_be32(c);

	cursor_must(c, n >= 4 && n <= MESSAGE_MAX, WHY_LENGTH);
	*ret = (struct part){c, cursor_ok(c) ? n - 4 : 0};
	return type;
}

static uint32_t hashed(const uint8_t *p, uint32_t n)
{
	uint32_t h = 2166136261u;

	for (uint32_t i = 0; i < n; i++)
		h = (h ^ p[i]) * 16777619u;
	return h;
}

/* -- The first message -------------------------------------------------------------------------------------- */

static bool is_name(const char *name)
{
	if (name[0] == '\0')
		return false;
	for (; *name != '\0'; name++)
		if (!((*name >= 'a' && *name <= 'z') || (*name >= 'A' && *name <= 'Z') || (*name >= '0' && *name <= '9') ||
			    *name == '_' || *name == '.'))
			return false;
	return true;
}

/* Pairs of names and values, and a zero byte; one of them is the user. */
static void settings(struct part *p)
{
	char name[NAME_MAX_BYTES + 1];
	bool user = false;

	while (cursor_ok(p->c) && p->left > 1) {
		uint32_t n = part_string(p, name, sizeof(name));
		cursor_must(p->c, n <= NAME_MAX_BYTES && is_name(name), WHY_FIELD);
		bool is_user = strcmp(name, "user") == 0;
		n = part_string(p, name, sizeof(name));
		cursor_must(p->c, !is_user || n > 0, WHY_FIELD);
		user = user || is_user;
	}
	cursor_must(p->c, part_u8(p) == 0, WHY_FIELD);
	part_end(p);
	cursor_must(p->c, user, WHY_FIELD);
}

/* What comes behind the length and the code; which phase is next. */
static enum phase first_body(struct verify *v, struct postgresql_state *s, struct part *p, uint32_t code)
{
	bool tls_first = (v->policy->options & VERIFY_STARTTLS_REQUIRED) != 0;

	if (code == ASK_SSL || code == ASK_GSS) {
		cursor_must(p->c, p->left == 0, WHY_LENGTH);
		cursor_must(p->c, code == ASK_SSL ? !s->asked_ssl : !s->asked_gss, WHY_ORDER);
		return code == ASK_SSL ? SSL_ASKED : GSS_ASKED;
	}
	bool known = code == CANCEL || code == VERSION_3_0 || code == VERSION_3_2;
	cursor_must(p->c, known, code >> 16 >= 1 && code >> 16 <= 3 ? WHY_VERSION : WHY_PROTOCOL);
	cursor_must(p->c, !tls_first, WHY_PLAIN);
	if (code != CANCEL) {
		settings(p);
		return AUTHENTICATE;
	}
	/* Process and key; from 3.2 on the key has up to 256 bytes. */
	cursor_must(p->c, p->left >= 8 && p->left <= 4 + 256, WHY_LENGTH);
	cursor_must(p->c, part_be32(p) != 0, WHY_FIELD);
	part_skip(p, p->left);
	return OVER;
}

static enum verify_status start(struct verify *v, struct postgresql_state *s)
{
	struct cursor c = verify_said(v, VERIFY_CLIENT);

	if (cursor_left(&c) > 0 && *c.p == TLS_RECORD && !s->asked_ssl && !s->asked_gss)
		return direct_tls(v, "postgresql");
	cursor_must(&c, cursor_left(&c) == 0 || *c.p == 0, WHY_PROTOCOL);
	uint32_t n = cursor_be32(&c);
	cursor_must(&c, n >= 8 && n <= STARTUP_MAX, WHY_LENGTH);
	uint32_t code = cursor_be32(&c);
	if (!cursor_ok(&c))
		return verify_stopped(v, &c);
	struct part p = {&c, n - 8};
	enum phase next = first_body(v, s, &p, code);
	if (!cursor_ok(&c))
		return verify_stopped(v, &c);
	verify_use(v, VERIFY_CLIENT, &c);
	s->asked_ssl = s->asked_ssl || next == SSL_ASKED;
	s->asked_gss = s->asked_gss || next == GSS_ASKED;
	s->phase = (uint8_t)next;
	v->level = next == OVER ? LEVEL_RELATES : LEVEL_PREFIX;
	return VERIFY_MORE;
}

/* -- What a server may say at any time ----------------------------------------------------------------------- */

/* ErrorResponse and NoticeResponse: fields of a letter and a string; severity, code and text are always there. */
static void fields(struct part *p)
{
	bool severity = false, code = false, text = false;
	uint8_t letter;

	while ((letter = part_u8(p)) != 0) {
		cursor_must(p->c, (letter >= 'A' && letter <= 'Z') || (letter >= 'a' && letter <= 'z'), WHY_FIELD);
		severity = severity || letter == 'S';
		code = code || letter == 'C';
		text = text || letter == 'M';
		part_any_string(p);
	}
	part_end(p);
	cursor_must(p->c, severity && code && text, WHY_FIELD);
}

static void over(struct verify *v, struct postgresql_state *s)
{
	s->phase = OVER;
	v->level = LEVEL_RELATES;
}

/* A message of the server was read: `ends` is the one behind which all is verified, an error ends the conversation. */
static enum verify_status server_said(struct verify *v, struct postgresql_state *s, struct cursor *c, uint8_t first,
	uint8_t ends)
{
	if (!cursor_ok(c))
		return verify_stopped(v, c);
	verify_use(v, VERIFY_SERVER, c);
	if (first == 'E')
		over(v, s);
	if (first != ends)
		return VERIFY_MORE;
	v->level = LEVEL_RELATES;
	return VERIFY_ACCEPT;
}

/* -- TLS and GSS encryption ---------------------------------------------------------------------------------- */

static enum verify_status encryption(struct verify *v, struct postgresql_state *s)
{
	struct cursor c = verify_said(v, VERIFY_SERVER);
	struct part p;
	uint8_t first = type_in(&c, s->phase == SSL_ASKED ? "SNE" : "GNE");

	cursor_must(&c, first != 'G' || (v->policy->options & VERIFY_STARTTLS_REQUIRED) == 0, WHY_PLAIN);
	if (first == 'E') {
		opened(&c, &p);
		fields(&p);
	} else {
		cursor_u8(&c);
	}
	if (!cursor_ok(&c))
		return verify_stopped(v, &c);
	verify_use(v, VERIFY_SERVER, &c);
	v->level = LEVEL_ANSWER;
	if (first == 'E')
		over(v, s);
	else
		s->phase = first == 'G' ? GSS_TOKEN : START;
	/* A server that goes on in the clear behind its S is refused by TLS, in which the client speaks first. */
	v->next = APP_TLS;
	return first == 'S' ? VERIFY_HANDOVER : VERIFY_MORE;
}

/* A token of GSS-API as the whole content: its own length agrees (RFC 2743 3.1; SPNEGO's answers begin with a1). */
static void token(struct part *p, bool answer)
{
	struct ber all = ber_init(p->c, p->left, BER_BASIC), outer;

	if (!cursor_must(p->c, p->left > 0, WHY_LENGTH))
		return;
	uint8_t tag = ber_tag(&all);
	cursor_must(p->c, tag == 0x60 || (answer && tag == 0xa1), WHY_FIELD);
	ber_open(&all, tag, &outer);
	ber_end(&all);
	if (tag == 0x60)
		ber_oid(&outer);
	ber_rest(&outer);
	p->left = 0;
}

/*
 * A sealed token of Kerberos (RFC 4121 4.2.6.2): who made it, and that it is encrypted; before that RFC had the same frame as
 * all tokens.
 */
static void sealed(struct part *p, bool answer)
{
	enum { BY_ACCEPTOR = 1, ENCRYPTED = 2, SUBKEY = 4 };

	if (cursor_left(p->c) > 0 && *p->c->p == 0x60) {
		token(p, answer);
		return;
	}
	cursor_must(p->c, part_u8(p) == 5, WHY_FIELD);
	cursor_must(p->c, part_u8(p) == 4, WHY_FIELD);
	cursor_must(p->c, (part_u8(p) & ~SUBKEY) == (ENCRYPTED | (answer ? BY_ACCEPTOR : 0)), WHY_FIELD);
	cursor_must(p->c, part_u8(p) == 0xff, WHY_FIELD);
	cursor_must(p->c, p->left >= 12, WHY_LENGTH);
	part_skip(p, p->left);
}

/* Four packets of a length and a token: the handshake's, and the first that are sealed. */
static enum verify_status gss(struct verify *v, struct postgresql_state *s)
{
	bool answer = s->phase == GSS_ANSWER || s->phase == SEALED_ANSWER;
	unsigned side = answer ? VERIFY_SERVER : VERIFY_CLIENT;
	struct cursor c = verify_said(v, side);
	struct part p = {&c, cursor_be32(&c)};

	cursor_must(&c, p.left > 0 && p.left <= GSS_MAX, WHY_LENGTH);
	if (s->phase >= SEALED)
		sealed(&p, answer);
	else
		token(&p, answer);
	if (!cursor_ok(&c))
		return verify_stopped(v, &c);
	verify_use(v, side, &c);
	if (s->phase != SEALED_ANSWER) {
		s->phase++;
		return VERIFY_MORE;
	}
	v->level = LEVEL_RELATES;
	return VERIFY_ACCEPT;
}

/* -- Authentication ----------------------------------------------------------------------------------------- */

static void mechanism_list(struct part *p, struct postgresql_state *s)
{
	char name[24];

	while (part_string(p, name, sizeof(name)) > 0)
		for (unsigned i = 0; i < NMECHANISMS; i++)
			if (strcmp(name, mechanisms[i]) == 0)
				s->offered |= (uint8_t)(1u << i);
	part_end(p);
	cursor_must(p->c, s->offered != 0, WHY_FIELD);
}

/* What the server wants as the first thing. */
static uint8_t wanted(struct part *p, struct postgresql_state *s)
{
	uint32_t how = part_be32(p);

	cursor_must(p->c, how == TRUST || how == CLEAR || how == MD5 || how == GSS || how == SSPI || how == SASL, WHY_FIELD);
	if (how == MD5)
		part_skip(p, 4);
	else if (how == SASL)
		mechanism_list(p, s);
	part_end(p);
	return (uint8_t)how;
}

/* NegotiateProtocolVersion: the newest minor version, and options that are not known. */
static void other_version(struct part *p)
{
	/* Servers before 18 say the whole version. */
	uint32_t newest = part_be32(p), n = part_be32(p);

	cursor_must(p->c, newest <= 0xffff || newest >> 16 == 3, WHY_VERSION);
	for (uint32_t i = 0; i < n && cursor_ok(p->c); i++)
		part_any_string(p);
	part_end(p);
}

static enum verify_status authenticate(struct verify *v, struct postgresql_state *s)
{
	struct cursor c = verify_said(v, VERIFY_SERVER);
	struct part p;
	uint8_t first = type_in(&c, "REvN"), how = 0;

	opened(&c, &p);
	if (first == 'R')
		how = wanted(&p, s);
	else if (first == 'v')
		other_version(&p);
	else
		fields(&p);
	if (!cursor_ok(&c))
		return verify_stopped(v, &c);
	verify_use(v, VERIFY_SERVER, &c);
	v->level = LEVEL_ANSWER;
	if (first == 'E')
		over(v, s);
	if (first == 'R') {
		s->method = how;
		s->phase = how == TRUST ? WELCOME : PROVE;
	}
	return VERIFY_MORE;
}

/* A trusted client is told settings, a key, perhaps notices, and that the server is ready. */
static enum verify_status welcome(struct verify *v, struct postgresql_state *s)
{
	struct cursor c = verify_said(v, VERIFY_SERVER);
	struct part p;
	uint8_t first = type_in(&c, "SKNEvZ");

	opened(&c, &p);
	if (first == 'S') {
		part_any_string(&p);
		part_any_string(&p);
		part_end(&p);
	} else if (first == 'K') {
		cursor_must(&c, p.left >= 8 && p.left <= 4 + 256, WHY_LENGTH);
		part_skip(&p, p.left);
	} else if (first == 'Z') {
		cursor_must(&c, part_u8(&p) == 'I', WHY_FIELD);
		part_end(&p);
	} else if (first == 'v') {
		other_version(&p);
	} else {
		fields(&p);
	}
	return server_said(v, s, &c, first, 'Z');
}

static void digest(struct part *p)
{
	cursor_must(p->c, p->left == 36, WHY_LENGTH);
	cursor_must(p->c, part_u8(p) == 'm' && part_u8(p) == 'd' && part_u8(p) == '5', WHY_FIELD);
	for (unsigned i = 0; i < 32 && cursor_ok(p->c); i++) {
		uint8_t b = part_u8(p);
		cursor_must(p->c, (b >= '0' && b <= '9') || (b >= 'a' && b <= 'f'), WHY_FIELD);
	}
	cursor_must(p->c, part_u8(p) == 0, WHY_FIELD);
}

/* Bytes up to a comma, or to the end. */
static struct ber_bytes up_to_comma(struct part *p)
{
	struct ber_bytes s = {p->c->p, 0};

	while (p->left > 0 && cursor_ok(p->c)) {
		uint8_t b = part_u8(p);
		if (b == ',')
			return s;
		cursor_must(p->c, b >= 0x20, WHY_ENCODING);
		s.n++;
	}
	return s;
}

/* RFC 5802 7: gs2-header, n=, r= and extensions. */
static void scram_first(struct part *p, struct postgresql_state *s)
{
	uint8_t flag = part_u8(p);

	cursor_must(p->c, flag == 'n' || flag == 'y' || flag == 'p', WHY_FIELD);
	struct ber_bytes rest = up_to_comma(p);
	cursor_must(p->c, (flag == 'p') == (rest.n > 0), WHY_FIELD);
	up_to_comma(p); /* authzid */
	cursor_must(p->c, part_u8(p) == 'n', WHY_FIELD);
	cursor_must(p->c, part_u8(p) == '=', WHY_FIELD);
	up_to_comma(p);
	cursor_must(p->c, part_u8(p) == 'r', WHY_FIELD);
	cursor_must(p->c, part_u8(p) == '=', WHY_FIELD);
	struct ber_bytes nonce = up_to_comma(p);
	cursor_must(p->c, nonce.n >= 8 && nonce.n <= 256, WHY_LENGTH);
	part_skip(p, p->left);
	if (cursor_ok(p->c)) {
		s->nonce_n = (uint16_t)nonce.n;
		s->nonce = hashed(nonce.p, nonce.n);
	}
}

static void sasl_first(struct part *p, struct postgresql_state *s)
{
	char name[24];
	unsigned i = 0;

	part_string(p, name, sizeof(name));
	while (i < NMECHANISMS && strcmp(name, mechanisms[i]) != 0)
		i++;
	cursor_must(p->c, i < NMECHANISMS && (s->offered & 1u << i) != 0, WHY_FIELD);
	uint32_t n = part_be32(p);
	cursor_must(p->c, n == p->left || (n == UINT32_MAX && p->left == 0), WHY_LENGTH);
	if (i < 2)
		scram_first(p, s);
	else
		part_skip(p, p->left);
}

static enum verify_status prove(struct verify *v, struct postgresql_state *s)
{
	struct cursor c = verify_said(v, VERIFY_CLIENT);
	struct postgresql_state next = *s;
	struct part p;

	cursor_must(&c, cursor_left(&c) == 0 || *c.p == 'p', WHY_COMMAND);
	opened(&c, &p);
	if (s->method == CLEAR)
		part_any_string(&p);
	else if (s->method == MD5)
		digest(&p);
	else if (s->method == SASL)
		sasl_first(&p, &next);
	else if (s->method == SSPI && cursor_left(&c) > 0 && *c.p == 'N')
		part_skip(&p, p.left);
	else
		token(&p, false);
	part_end(&p);
	if (!cursor_ok(&c))
		return verify_stopped(v, &c);
	verify_use(v, VERIFY_CLIENT, &c);
	*s = next;
	s->phase = PROVED;
	return VERIFY_MORE;
}

/* RFC 5802 7: the server's first message repeats the client's nonce and adds its own. */
static void scram_answer(struct part *p, const struct postgresql_state *s)
{
	cursor_must(p->c, part_u8(p) == 'r', WHY_FIELD);
	cursor_must(p->c, part_u8(p) == '=', WHY_FIELD);
	struct ber_bytes nonce = up_to_comma(p);
	cursor_must(p->c, nonce.n > s->nonce_n, WHY_ANSWER_OTHER);
	if (cursor_ok(p->c))
		cursor_must(p->c, hashed(nonce.p, s->nonce_n) == s->nonce, WHY_ANSWER_OTHER);
	cursor_must(p->c, part_u8(p) == 's', WHY_FIELD);
	cursor_must(p->c, part_u8(p) == '=', WHY_FIELD);
	up_to_comma(p);
	cursor_must(p->c, part_u8(p) == 'i', WHY_FIELD);
	cursor_must(p->c, part_u8(p) == '=', WHY_FIELD);
	part_skip(p, p->left);
}

/* Which answer belongs to which proof: success to all but SASL, another step to SASL and GSS. */
static void proof_answer(struct part *p, const struct postgresql_state *s)
{
	uint32_t how = part_be32(p);
	bool is_gss = s->method == GSS || s->method == SSPI;

	if (s->method == SASL)
		cursor_must(p->c, how == SASL_ON, WHY_ANSWER_OTHER);
	else
		cursor_must(p->c, how == TRUST || (is_gss && how == GSS_ON), WHY_ANSWER_OTHER);
	if (s->nonce_n > 0)
		scram_answer(p, s);
	else if (how != TRUST)
		part_skip(p, p->left);
	part_end(p);
}

static enum verify_status proved(struct verify *v, struct postgresql_state *s)
{
	struct cursor c = verify_said(v, VERIFY_SERVER);
	struct part p;
	uint8_t first = type_in(&c, "REN");

	opened(&c, &p);
	if (first == 'R')
		proof_answer(&p, s);
	else
		fields(&p);
	return server_said(v, s, &c, first, 'R');
}

/* -- Turns -------------------------------------------------------------------------------------------------- */

static enum verify_status nobody(struct verify *v, struct postgresql_state *s)
{
	(void)s;
	return verify_unread(v, 0) + verify_unread(v, 1) > 0 ? verify_refuse(v, WHY_ORDER) : VERIFY_MORE;
}

static const struct turn {
	enum verify_status (*fn)(struct verify *v, struct postgresql_state *s);
	uint8_t speaker;
} turns[] = {
	[START] = {start, VERIFY_CLIENT},	[SSL_ASKED] = {encryption, VERIFY_SERVER},
	[GSS_ASKED] = {encryption, VERIFY_SERVER}, [GSS_TOKEN] = {gss, VERIFY_CLIENT},
	[GSS_ANSWER] = {gss, VERIFY_SERVER},	[SEALED] = {gss, VERIFY_CLIENT},
	[SEALED_ANSWER] = {gss, VERIFY_SERVER},	[AUTHENTICATE] = {authenticate, VERIFY_SERVER},
	[PROVE] = {prove, VERIFY_CLIENT},	[PROVED] = {proved, VERIFY_SERVER},
	[WELCOME] = {welcome, VERIFY_SERVER},	[OVER] = {nobody, VERIFY_CLIENT},
};

static enum verify_status step(struct verify *v)
{
	struct postgresql_state *s = v->state;
	const struct turn *t = &turns[s->phase];

	if (verify_unread(v, 1u - t->speaker) > 0)
		return verify_refuse(v, s->phase == SSL_ASKED || s->phase == GSS_ASKED ? WHY_STARTTLS : WHY_ORDER);
	enum verify_status said = t->fn(v, s);
	return said == VERIFY_MORE && v->level == LEVEL_RELATES ? VERIFY_DECIDED : said;
}

enum verify_status postgresql_stream(struct verify *v)
{
	return verify_steps(v, step);
}
