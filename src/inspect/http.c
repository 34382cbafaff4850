/*
 * http.c: HTTP/1.0 and 1.1 (RFC 9110, 9112): the head of every request and response, for the life of the connection.
 *
 * A kept connection may carry a second request for another host, a CONNECT or an Upgrade. So a flow is never accepted: it is
 * decided with the head of the first response and then each further message is followed, bodies by Content-Length, chunks or
 * until the end. That costs a look at every packet (a body is only counted); bulk data is better off in TLS.
 *
 * Stricter than a server must be, where two readers of the same bytes could see different messages: every line ends in CR
 * LF; no folded lines; no blank before the colon; one Host; one Content-Length, of digits; Content-Length never with
 * Transfer-Encoding; Transfer-Encoding only of registered codings, in a request with `chunked` last, never in HTTP/1.0.
 * More lenient in one place: bytes beyond ASCII in the target, which old browsers send as they are.
 *
 * server-name: every request must name a host of the rule, by Host or by an absolute target, and by both the same.
 * CONNECT and Upgrade are refused (HTTP/2's preface as a wrong version) unless the rule's option allows them. Behind a CONNECT
 * that the server took there must be TLS (with the rule's server-names); behind 101 (WebSocket, h2c) nothing is seen any more.
 * 408 is the one answer that may come without a request (idle connections are closed with it).
 *
 * State: struct http. Limits: HEAD_MAX a head, LINES_MAX fields, PENDING_MAX requests without an answer (pipelining).
 */
#include <strings.h>

#include "vector.h"
#include "verifiers.h"

#define HEAD_MAX 65536u
#define LINES_MAX 200u
#define METHOD_MAX 24u	 /* UPDATEREDIRECTREF has 17 */
#define FIELD_MAX 128u	 /* of a field's name */
#define PENDING_MAX 64u
#define LENGTH_DIGITS 18 /* less than 2^63 */
#define CHUNK_DIGITS 15
#define CHUNK_LINE_MAX 512u

enum phase { START, FIELDS, BODY, UNTIL_END, CHUNK_SIZE, CHUNK_DATA, CHUNK_END, TRAILERS };

enum asks { ASKS_OTHER, ASKS_HEAD, ASKS_CONNECT, ASKS_UPGRADE };

enum { HAS_HOST = 1, HAS_LENGTH = 2, HAS_CODING = 4, CHUNKED = 8, OLD = 16, ABSOLUTE = 32, NAMED = 64 };

struct http_side {
	uint64_t left; /* of the body or chunk */
	uint32_t head; /* bytes of the present head */
	uint8_t phase, lines, flags;
};

struct http {
	struct http_side side[2];
	uint64_t pending[PENDING_MAX / 32]; /* kinds of the requests without an answer, the oldest in the lowest bits */
	uint32_t authority;		    /* of an absolute target: hash */
	uint16_t status;
	uint8_t npending;
	uint8_t kind;	    /* of the request that is being read */
	bool waits;	    /* a CONNECT has no answer yet: the client must be silent */
	bool asked;	    /* there was a request */
};
VERIFY_STATE(struct http);

/* -- Characters -------------------------------------------------------------------------------------------- */

static bool is_digit(uint8_t b)
{
	return b >= '0' && b <= '9';
}

/* RFC 9110, 5.6.2. */
static bool is_token(uint8_t b)
{
	static const bool token[256] = {['0' ... '9'] = true, ['A' ... 'Z'] = true, ['a' ... 'z'] = true,
		['!'] = true, ['#'] = true, ['$'] = true, ['%'] = true, ['&'] = true, ['\''] = true, ['*'] = true, ['+'] = true,
		['-'] = true, ['.'] = true, ['^'] = true, ['_'] = true, ['`'] = true, ['|'] = true, ['~'] = true};

	return token[b];
}

static bool is_text(uint8_t b)
{
	return b == '\t' || (b >= 0x20 && b != 0x7f);
}

static bool is_word_of(struct slice s, const char *word, size_t n)
{
	return s.n == n && strncasecmp((const char *)s.p, word, n) == 0;
}
/* The length is known when this is compiled: it tells most words apart. */
#define IS_WORD(s, word) ((s).n == sizeof(word) - 1 && is_word_of((s), (word), sizeof(word) - 1))

static struct slice trim(struct slice s)
{
	while (s.n > 0 && (*s.p == ' ' || *s.p == '\t')) {
		s.p++;
		s.n--;
	}
	while (s.n > 0 && (s.p[s.n - 1] == ' ' || s.p[s.n - 1] == '\t'))
		s.n--;
	return s;
}

static struct slice since(const uint8_t *start, const struct cursor *c, uint32_t less)
{
	return (struct slice){start, (uint32_t)(c->p - start) - less};
}

/* A token up to its end mark (which no token has), which is read too. */
static struct slice token(struct cursor *c, uint8_t mark, uint32_t max, enum inspect_why why)
{
	const uint8_t *start = c->p;
	uint32_t left = (uint32_t)cursor_left(c), n = 0;

	while (n < left && n < max && is_token(start[n]))
		n++;
	if (!cursor_ok(c))
		return (struct slice){NULL, 0};
	c->more = n == left;
	cursor_must(c, n < left && n > 0 && start[n] == mark, why); /* nothing is judged while more is to come */
	cursor_bytes(c, n + 1);
	return cursor_ok(c) ? (struct slice){start, n} : (struct slice){NULL, 0};
}

/* Text to the end of the line; CR LF is read too. */
static struct slice text_line(struct cursor *c)
{
	const uint8_t *start = c->p;

	while (cursor_ok(c)) {
		cursor_skip_printable(c, SIZE_MAX);
		uint8_t b = cursor_u8(c);
		if (cursor_ok(c) && b == '\r') {
			cursor_must(c, cursor_u8(c) == '\n', WHY_ENCODING);
			return since(start, c, cursor_ok(c) ? 2 : 1);
		}
		cursor_must(c, is_text(b), WHY_ENCODING);
	}
	return (struct slice){NULL, 0};
}

/* -- Names of servers -------------------------------------------------------------------------------------- */

static uint32_t hash_of(struct slice s)
{
	uint32_t h = 2166136261u;

	for (uint32_t i = 0; i < s.n; i++)
		h = (h ^ (s.p[i] >= 'A' && s.p[i] <= 'Z' ? s.p[i] | 0x20u : s.p[i])) * 16777619u;
	return h;
}

static bool ipv6_legal(struct slice s)
{
	if (s.n < 4 || s.p[s.n - 1] != ']')
		return false;
	for (uint32_t i = 1; i + 1 < s.n; i++)
		if (!is_digit(s.p[i]) && !((s.p[i] | 0x20) >= 'a' && (s.p[i] | 0x20) <= 'f') && s.p[i] != ':' && s.p[i] != '.')
			return false;
	return true;
}

/* host [":" port] */
static bool authority_legal(struct slice s, struct slice *ret_host)
{
	uint32_t n = s.n;

	while (n > 0 && is_digit(s.p[n - 1]))
		n--;
	*ret_host = n > 0 && s.p[n - 1] == ':' && s.n - n <= 5 ? (struct slice){s.p, n - 1} : s;
	if (ret_host->n > 0 && *ret_host->p == '[')
		return ipv6_legal(*ret_host);
	return verify_host_legal(ret_host->p, ret_host->n);
}

/* A request names its server; the rule must know the name. */
static void names(struct verify *v, struct http *s, struct cursor *c, struct slice authority)
{
	struct slice host = {NULL, 0};

	cursor_must(c, authority_legal(authority, &host), WHY_FIELD);
	if (!cursor_ok(c))
		return;
	if (host.n <= VERIFY_NAME_MAX) {
		memcpy(v->name, host.p, host.n);
		v->name_n = host.n;
	}
	s->side[VERIFY_CLIENT].flags |= NAMED;
	cursor_must(c, verify_name_allowed(&v->policy->server_names, (const char *)host.p, host.n), WHY_SERVER_NAME);
}

/* -- Request line (RFC 9112, 3) ---------------------------------------------------------------------------- */

static struct slice target(struct cursor *c)
{
	const uint8_t *start = c->p;

	for (uint32_t n = 0; cursor_ok(c); n++) {
		uint8_t b = cursor_u8(c);
		if (cursor_ok(c) && b == ' ' && n > 0)
			return since(start, c, 1);
		cursor_must(c, b != '\r', WHY_VERSION); /* HTTP/0.9 */
		cursor_must(c, b > 0x20 && b != 0x7f, WHY_ENCODING);
	}
	return (struct slice){NULL, 0};
}

/* http://authority/...: the authority; n 0 when it is none. */
static struct slice absolute(struct slice t)
{
	static const char *const schemes[] = {"http://", "https://", "ws://", "wss://"};

	for (size_t i = 0; i < sizeof(schemes) / sizeof(schemes[0]); i++) {
		uint32_t k = (uint32_t)strlen(schemes[i]), n = 0;
		if (t.n <= k || strncasecmp((const char *)t.p, schemes[i], k) != 0)
			continue;
		while (k + n < t.n && memchr("/?#", t.p[k + n], 3) == NULL)
			n++;
		return (struct slice){t.p + k, n};
	}
	return (struct slice){NULL, 0};
}

static void target_fits(struct verify *v, struct http *s, struct cursor *c, struct slice method, struct slice t)
{
	if (s->kind == ASKS_CONNECT) {
		names(v, s, c, t);
		return;
	}
	if (t.p[0] == '/')
		return;
	if (t.p[0] == '*') {
		cursor_must(c, t.n == 1 && (IS_WORD(method, "OPTIONS") || IS_WORD(method, "PRI")), WHY_FIELD);
		return;
	}
	struct slice authority = absolute(t);
	cursor_must(c, authority.n > 0, WHY_FIELD);
	if (!cursor_ok(c))
		return;
	s->side[VERIFY_CLIENT].flags |= ABSOLUTE;
	s->authority = hash_of(authority);
	names(v, s, c, authority);
}

static void request_line(struct verify *v, struct http *s, struct cursor *c)
{
	struct http_side *side = &s->side[VERIFY_CLIENT];

	/* Some clients end a body with one line break too many (2.2). */
	if (s->asked && side->lines == 0 && cursor_left(c) > 0 && *c->p == '\r') {
		CURSOR_EXPECT(c, "\r\n", WHY_ENCODING);
		side->lines += cursor_ok(c);
		return;
	}
	side->flags = 0;
	struct slice method = token(c, ' ', METHOD_MAX, WHY_PROTOCOL);
	if (!cursor_ok(c))
		return;
	bool connect = method.n == 7 && memcmp(method.p, "CONNECT", 7) == 0;
	cursor_must(c, !connect || (v->policy->options & VERIFY_CONNECT) != 0, WHY_CONNECT);
	s->kind = connect ? ASKS_CONNECT : method.n == 4 && memcmp(method.p, "HEAD", 4) == 0 ? ASKS_HEAD : ASKS_OTHER;
	struct slice t = target(c);
	if (cursor_ok(c))
		target_fits(v, s, c, method, t);
	CURSOR_EXPECT(c, "HTTP/", WHY_PROTOCOL);
	CURSOR_EXPECT(c, "1.", WHY_VERSION);
	uint8_t minor = cursor_u8(c);
	cursor_must(c, minor == '0' || minor == '1', WHY_VERSION);
	CURSOR_EXPECT(c, "\r\n", WHY_ENCODING);
	if (!cursor_ok(c))
		return;
	if (minor == '0')
		side->flags |= OLD;
	side->phase = FIELDS;
	side->lines = 0;
}

/* -- Status line (4) --------------------------------------------------------------------------------------- */

static void status_line(struct http *s, struct cursor *c)
{
	struct http_side *side = &s->side[VERIFY_SERVER];

	side->flags = 0;
	cursor_must(c, s->asked, WHY_ORDER);
	CURSOR_EXPECT(c, "HTTP/", WHY_ANSWER);
	CURSOR_EXPECT(c, "1.", WHY_VERSION);
	uint8_t minor = cursor_u8(c);
	cursor_must(c, minor == '0' || minor == '1', WHY_VERSION);
	CURSOR_EXPECT(c, " ", WHY_ANSWER);
	s->status = 0;
	for (int i = 0; i < 3; i++) {
		uint8_t b = cursor_u8(c);
		cursor_must(c, is_digit(b) && (i > 0 || (b >= '1' && b <= '5')), WHY_FIELD);
		s->status = (uint16_t)(s->status * 10 + (b - '0'));
	}
	cursor_must(c, s->npending > 0 || s->status == 408, WHY_ORDER);
	cursor_must(c, s->status != 101 || (s->pending[0] & 3) == ASKS_UPGRADE, WHY_UPGRADE);
	if (cursor_left(c) > 0 && *c->p != '\r') /* the blank before an absent reason is often left out */
		CURSOR_EXPECT(c, " ", WHY_ENCODING);
	text_line(c);
	if (!cursor_ok(c))
		return;
	if (minor == '0')
		side->flags |= OLD;
	side->phase = FIELDS;
	side->lines = 0;
}

/* -- Fields (5) -------------------------------------------------------------------------------------------- */

static void content_length(struct http_side *side, struct cursor *c, struct slice value)
{
	cursor_must(c, (side->flags & HAS_LENGTH) == 0 && value.n > 0 && value.n <= LENGTH_DIGITS, WHY_LENGTH);
	side->left = 0;
	for (uint32_t i = 0; i < value.n && cursor_ok(c); i++) {
		cursor_must(c, is_digit(value.p[i]), WHY_LENGTH);
		side->left = side->left * 10 + (uint64_t)(value.p[i] - '0');
	}
	side->flags |= HAS_LENGTH;
}

static void transfer_encoding(struct http_side *side, struct cursor *c, struct slice value, bool server)
{
	static const char *const codings[] = {"gzip", "x-gzip", "deflate", "compress", "x-compress"};
	bool chunked = false;

	cursor_must(c, (side->flags & (HAS_CODING | OLD)) == 0, WHY_FIELD);
	side->flags |= HAS_CODING;
	for (uint32_t at = 0; at <= value.n && cursor_ok(c);) {
		uint32_t n = 0;
		while (at + n < value.n && value.p[at + n] != ',')
			n++;
		struct slice word = trim((struct slice){value.p + at, n});
		bool known = false;
		for (size_t i = 0; i < sizeof(codings) / sizeof(codings[0]); i++)
			known |= is_word_of(word, codings[i], strlen(codings[i]));
		cursor_must(c, !chunked && (known || IS_WORD(word, "chunked")), WHY_FIELD);
		chunked = IS_WORD(word, "chunked");
		at += n + 1;
	}
	cursor_must(c, chunked || server, WHY_FIELD);
	if (chunked)
		side->flags |= CHUNKED;
}

static void host(struct verify *v, struct http *s, struct cursor *c, struct slice value)
{
	struct http_side *side = &s->side[VERIFY_CLIENT];

	cursor_must(c, (side->flags & HAS_HOST) == 0, WHY_FIELD);
	side->flags |= HAS_HOST;
	if (value.n == 0) { /* legal where the target has no authority either (RFC 9110, 7.2) */
		cursor_must(c, v->policy->server_names.n == 0, WHY_NO_SERVER_NAME);
		return;
	}
	cursor_must(c, (side->flags & ABSOLUTE) == 0 || s->authority == hash_of(value), WHY_SERVER_NAME);
	names(v, s, c, value);
}

static void field(struct verify *v, struct http *s, unsigned who, struct cursor *c)
{
	struct http_side *side = &s->side[who];
	struct slice name = token(c, ':', FIELD_MAX, WHY_FIELD);
	bool trailer = side->phase == TRAILERS, client = who == VERIFY_CLIENT;

	if (!cursor_ok(c))
		return;
	bool upgrade = client && IS_WORD(name, "upgrade"), length = IS_WORD(name, "content-length");
	bool coding = IS_WORD(name, "transfer-encoding"), is_host = client && IS_WORD(name, "host");
	cursor_must(c, !upgrade || (v->policy->options & VERIFY_UPGRADE) != 0, WHY_UPGRADE);
	cursor_must(c, !trailer || !(upgrade || length || coding || is_host), WHY_FIELD);
	struct slice value = trim(text_line(c));
	if (!cursor_ok(c))
		return;
	if (length)
		content_length(side, c, value);
	else if (coding)
		transfer_encoding(side, c, value, !client);
	else if (is_host)
		host(v, s, c, value);
	else if (upgrade && s->kind == ASKS_OTHER)
		s->kind = ASKS_UPGRADE;
	cursor_must(c, (side->flags & (HAS_LENGTH | HAS_CODING)) != (HAS_LENGTH | HAS_CODING), WHY_LENGTH);
}

/* -- Ends of heads ----------------------------------------------------------------------------------------- */

static void push(struct http *s, struct cursor *c, uint8_t kind)
{
	cursor_must(c, s->npending < PENDING_MAX, WHY_ORDER);
	if (!cursor_ok(c))
		return;
	s->pending[s->npending / 32] |= (uint64_t)kind << s->npending % 32 * 2;
	s->npending++;
}

static uint8_t pop(struct http *s)
{
	uint8_t kind = s->pending[0] & 3;

	if (s->npending == 0)
		return ASKS_OTHER;
	s->pending[0] = s->pending[0] >> 2 | s->pending[1] << 62;
	s->pending[1] >>= 2;
	s->npending--;
	return kind;
}

/* A message is over: the next begins. */
static void rewind_side(struct http_side *side)
{
	side->phase = START;
	side->head = 0;
	side->lines = 0;
	side->left = 0;
}

static void body_begins(struct http_side *side, bool until_end)
{
	side->lines = 0;
	if ((side->flags & CHUNKED) != 0)
		side->phase = CHUNK_SIZE;
	else if ((side->flags & HAS_LENGTH) != 0 && side->left > 0)
		side->phase = BODY;
	else if (until_end && (side->flags & HAS_LENGTH) == 0)
		side->phase = UNTIL_END;
	else
		rewind_side(side);
}

static void request_head_ends(struct verify *v, struct http *s, struct cursor *c)
{
	struct http_side *side = &s->side[VERIFY_CLIENT];

	cursor_must(c, (side->flags & NAMED) != 0 || v->policy->server_names.n == 0, WHY_NO_SERVER_NAME);
	cursor_must(c, (side->flags & (HAS_HOST | OLD)) != 0, WHY_FIELD);
	/* RFC 9110, 9.3.6: it has no content; Windows says so by a length of 0. */
	cursor_must(c, s->kind != ASKS_CONNECT || ((side->flags & CHUNKED) == 0 && side->left == 0), WHY_FIELD);
	push(s, c, s->kind);
	if (!cursor_ok(c))
		return;
	s->asked = true;
	s->waits = s->kind == ASKS_CONNECT;
	if (v->level < LEVEL_PREFIX)
		v->level = LEVEL_PREFIX;
	body_begins(side, false);
}

/* What the status and the request make of the rest (RFC 9112, 6.3). */
static enum verify_status response_head_ends(struct verify *v, struct http *s)
{
	struct http_side *side = &s->side[VERIFY_SERVER];

	if (s->status < 200 && s->status != 101) {
		rewind_side(side);
		if (v->level < LEVEL_ANSWER)
			v->level = LEVEL_ANSWER;
		return VERIFY_MORE;
	}
	uint8_t kind = pop(s);
	v->level = LEVEL_RELATES;
	if (s->status == 101)
		return VERIFY_ACCEPT;
	if (kind == ASKS_CONNECT) {
		s->waits = false;
		v->next = APP_TLS;
		if (s->status < 300)
			return VERIFY_HANDOVER;
	}
	if (kind == ASKS_HEAD || s->status == 204 || s->status == 304)
		rewind_side(side);
	else
		body_begins(side, true);
	return VERIFY_DECIDED;
}

/* -- Bodies ------------------------------------------------------------------------------------------------ */

static int hex_digit(uint8_t b)
{
	return is_digit(b) ? b - '0' : (b | 0x20) >= 'a' && (b | 0x20) <= 'f' ? (b | 0x20) - 'a' + 10 : -1;
}

/* size [; extensions] CR LF (7.1) */
static void chunk_size(struct http_side *side, struct cursor *c)
{
	const uint8_t *start = c->p;

	side->left = 0;
	for (int n = 0; cursor_ok(c); n++) {
		uint8_t b = cursor_u8(c);
		if (n > 0 && (b == '\r' || b == ';' || b == ' ' || b == '\t')) {
			c->p -= b == '\r';
			break;
		}
		cursor_must(c, hex_digit(b) >= 0 && n < CHUNK_DIGITS, WHY_LENGTH);
		side->left = side->left << 4 | (uint64_t)(hex_digit(b) & 15);
	}
	text_line(c);
	cursor_must(c, c->p - start <= CHUNK_LINE_MAX, WHY_LENGTH);
	if (cursor_ok(c))
		side->phase = side->left > 0 ? CHUNK_DATA : TRAILERS;
}

static void skip(struct verify *v, struct http_side *side, unsigned who)
{
	uint32_t n = side->left < UINT32_MAX ? (uint32_t)side->left : UINT32_MAX;

	side->left -= verify_skip(v, who, n);
	if (side->left > 0)
		return;
	if (side->phase == CHUNK_DATA)
		side->phase = CHUNK_END;
	else
		rewind_side(side);
}

/* A field, or the empty line behind the last; *ret_end. */
static void head_line(struct verify *v, struct http *s, unsigned who, struct cursor *c, bool *ret_end)
{
	struct http_side *side = &s->side[who];

	if (cursor_left(c) > 0 && *c->p == '\r') {
		CURSOR_EXPECT(c, "\r\n", WHY_ENCODING);
		*ret_end = cursor_ok(c);
		return;
	}
	field(v, s, who, c);
	side->lines += cursor_ok(c);
	cursor_must(c, side->lines <= LINES_MAX, WHY_MANY_BYTES);
}

/* -- Steps: one line, or what is there of a body ----------------------------------------------------------- */

static enum verify_status line_step(struct verify *v, struct http *s, unsigned who, struct cursor *c)
{
	struct http_side *side = &s->side[who];
	const uint8_t *start = c->p;
	bool end = false;

	if (side->phase == START && who == VERIFY_CLIENT)
		request_line(v, s, c);
	else if (side->phase == START)
		status_line(s, c);
	else if (side->phase == CHUNK_SIZE)
		chunk_size(side, c);
	else if (side->phase == CHUNK_END)
		CURSOR_EXPECT(c, "\r\n", WHY_LENGTH);
	else
		head_line(v, s, who, c, &end);
	if (!cursor_ok(c))
		return VERIFY_MORE;
	verify_use(v, who, c);
	side->head += (uint32_t)(c->p - start);
	cursor_must(c, side->head <= HEAD_MAX, WHY_MANY_BYTES);
	if (side->phase == CHUNK_END) {
		side->phase = CHUNK_SIZE;
		side->head = 0;
	}
	if (!end)
		return VERIFY_MORE;
	if (side->phase == TRAILERS)
		rewind_side(side);
	else if (who == VERIFY_SERVER)
		return response_head_ends(v, s);
	else
		request_head_ends(v, s, c);
	return VERIFY_MORE;
}

static enum verify_status side_step(struct verify *v, struct http *s, unsigned who)
{
	struct http_side *side = &s->side[who];

	if (who == VERIFY_CLIENT && s->waits && side->phase == START)
		return verify_refuse(v, WHY_ORDER);
	if (side->phase == BODY || side->phase == CHUNK_DATA) {
		skip(v, side, who);
		return VERIFY_MORE;
	}
	if (side->phase == UNTIL_END) {
		verify_skip(v, who, UINT32_MAX);
		return VERIFY_MORE;
	}
	/* Lines change the state as they are read: what comes of half a line is forgotten. */
	struct http before = *s;
	struct cursor c = verify_said(v, who);
	enum verify_status status = line_step(v, s, who, &c);
	if (c.why != WHY_NONE)
		return verify_refuse(v, c.why);
	if (c.more)
		*s = before;
	return status;
}

static bool is_over(enum verify_status s)
{
	return s == VERIFY_REFUSE || s == VERIFY_ACCEPT || s == VERIFY_HANDOVER;
}

enum verify_status http_stream(struct verify *v)
{
	struct http *s = v->state;

	for (unsigned who = 0; who < 2; who++) {
		for (uint32_t left = verify_unread(v, who); left > 0;) {
			enum verify_status status = side_step(v, s, who);
			if (is_over(status))
				return status;
			if (verify_unread(v, who) == left)
				break;
			left = verify_unread(v, who);
		}
	}
	/* A server mostly answers when it has the whole body, however large. */
	v->content = s->asked && s->side[VERIFY_CLIENT].phase >= BODY;
	return v->level == LEVEL_RELATES ? VERIFY_DECIDED : VERIFY_MORE;
}
