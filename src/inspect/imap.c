/*
 * imap.c: IMAP4 (RFC 9051, 3501, 2595 STARTTLS, 7888 literals, 4959 SASL-IR) up to the login.
 *
 * Decided when the server has answered a LOGIN or an AUTHENTICATE with its tag and OK; or with a challenge,
 * if it has echoed a tag before; after PREAUTH with any tagged OK. Until then each line is read: greeting,
 * tagged commands that exist before the login, untagged and tagged replies (the tag must be one that
 * waits), continuations where one is awaited, literals.
 *
 * STARTTLS: with nothing pipelined before or behind it, then TLS's verifier goes on. When the rule demands
 * it, a login before is refused, and so is a server that says PREAUTH. Limits: IMAP_LINE, IMAP_LITERAL,
 * IMAP_PENDING; tags of IMAP_TAG bytes, of which a hash is kept.
 */
#include <strings.h>

#include "line.h"
#include "verifiers.h"

#define IMAP_LINE 8192
#define IMAP_AUTH_LINE 12288
#define IMAP_LITERAL 4096
#define IMAP_PENDING 8
#define IMAP_TAG 64

enum kind {
	PLAIN,	      /* before and after the login */
	STARTTLS,
	LOGIN,
	AUTHENTICATE,
	SESSION,      /* after the login, which is before the decision only with PREAUTH */
};
static const struct line_word words[] = {{"CAPABILITY", PLAIN}, {"NOOP", PLAIN}, {"LOGOUT", PLAIN}, {"ID", PLAIN},
	{"STARTTLS", STARTTLS}, {"LOGIN", LOGIN}, {"AUTHENTICATE", AUTHENTICATE}, {"ENABLE", SESSION},
		{"SELECT", SESSION},
	{"EXAMINE", SESSION}, {"LIST", SESSION}, {"LSUB", SESSION}, {"NAMESPACE", SESSION}, {"STATUS", SESSION},
	{"XLIST", SESSION}, {"COMPRESS", SESSION}, {"CREATE", SESSION}, {"SUBSCRIBE", SESSION}};

struct imap_state {
	uint32_t tags[IMAP_PENDING]; /* hashes of the tags that wait for their reply, and what they tagged */
	uint8_t kinds[IMAP_PENDING];
	uint8_t n;
	bool greeted, preauth, echoed;
	bool inside[2];	    /* a line goes on after its literal, of each side */
	bool awaits;	    /* the literal waits for the server's "+" */
	bool sasl;	    /* the client may say one line of its authentication */
	uint32_t literal[2]; /* bytes of a literal that follow, of each side */
};
VERIFY_STATE(struct imap_state);

/* -- Pieces ------------------------------------------------------------------------------------------------ */

/* A tag up to the blank behind it, which is used up; its hash. */
static uint32_t tag(struct cursor *c, enum inspect_why why)
{
	uint32_t h = 2166136261u;

	for (size_t n = 0;; n++) {
		uint8_t b = cursor_u8(c);
		if (!cursor_ok(c) || (b == ' ' && n > 0))
			return h;
		if (!cursor_must(c, b > 0x20 && b < 0x7f && strchr("(){%*\"\\+", b) == NULL && n < IMAP_TAG, why))
			return 0;
		h = (h ^ b) * 16777619u;
	}
}

/*
 * Does a line end with {n}, or {n+}? Its size (of more than ten digits: the most), and whether the other
 * side is asked first.
 */
static bool ends_with_literal(const uint8_t *p, size_t n, uint64_t *ret_size, bool *ret_asks)
{
	if (n == 0 || p[--n] != '}')
		return false;
	*ret_asks = n == 0 || p[n - 1] != '+';
	if (!*ret_asks)
		n--;
	size_t first = n;
	while (first > 0 && p[first - 1] >= '0' && p[first - 1] <= '9')
		first--;
	*ret_size = 0;
	for (size_t i = first; i < n; i++)
		*ret_size = n - first > 10 ? UINT64_MAX : *ret_size * 10 + (p[i] - '0');
	return first < n && first > 0 && p[first - 1] == '{';
}

/* The rest of a line; a literal at its end is noted for the side: then the line is not over. */
static void rest(struct imap_state *st, struct cursor *c, unsigned from)
{
	uint64_t size = 0;
	bool asks = false;
	size_t n;
	const uint8_t *p = line_rest(c, IMAP_LINE, LINE_8BIT, &n);
	bool more = p != NULL && ends_with_literal(p, n, &size, &asks);

	cursor_must(c, !more || size <= (from == VERIFY_CLIENT ? IMAP_LITERAL : UINT32_MAX), WHY_LENGTH);
	if (!cursor_ok(c))
		return;
	st->inside[from] = more;
	st->literal[from] = more ? (uint32_t)size : 0;
	if (from == VERIFY_CLIENT)
		st->awaits = more && asks;
}

static void skip_literal(struct imap_state *st, struct cursor *c, unsigned from)
{
	size_t k = cursor_left(c) < st->literal[from] ? cursor_left(c) : st->literal[from];

	cursor_bytes(c, k);
	st->literal[from] -= (uint32_t)k;
}

/* -- Client ------------------------------------------------------------------------------------------------ */

static bool is_pending(const struct imap_state *st, enum kind kind)
{
	for (unsigned i = 0; i < st->n; i++)
		if (st->kinds[i] == kind)
			return true;
	return false;
}

static enum inspect_why may_speak(const struct imap_state *st)
{
	if (is_pending(st, STARTTLS))
		return WHY_STARTTLS;
	bool waits = st->awaits || (is_pending(st, AUTHENTICATE) && !st->sasl && !st->inside[VERIFY_CLIENT]);
	return !st->greeted || waits || (st->n == IMAP_PENDING && !st->inside[VERIFY_CLIENT]) ? WHY_ORDER : WHY_NONE;
}

static enum inspect_why may_say(const struct verify *v, const struct imap_state *st, enum kind kind)
{
	if ((v->policy->options & VERIFY_STARTTLS_REQUIRED) != 0 && kind != PLAIN && kind != STARTTLS)
		return WHY_PLAIN;
	if (kind == STARTTLS && st->n > 0)
		return WHY_STARTTLS;
	return (kind == SESSION) == st->preauth || kind == PLAIN ? WHY_NONE : WHY_ORDER;
}

/* What follows the word, up to the end of the line. */
static void arguments(struct imap_state *st, struct cursor *c, enum kind kind)
{
	if (!cursor_ok(c))
		return;
	if (kind == STARTTLS || (kind == PLAIN && *c->p == '\r')) { /* the byte behind the word is there */
		line_end(c);
		return;
	}
	CURSOR_EXPECT(c, " ", WHY_FIELD);
	rest(st, c, VERIFY_CLIENT);
}

static enum verify_status client_line(struct verify *v, struct cursor *c)
{
	struct imap_state *st = v->state;

	c->why = may_speak(st);
	if (st->literal[VERIFY_CLIENT] > 0) {
		skip_literal(st, c, VERIFY_CLIENT);
		return VERIFY_MORE;
	}
	if (st->inside[VERIFY_CLIENT]) {
		rest(st, c, VERIFY_CLIENT);
		return VERIFY_MORE;
	}
	if (st->sasl) {
		if (line_base64(c, IMAP_AUTH_LINE))
			st->sasl = false;
		return VERIFY_MORE;
	}
	uint32_t h = tag(c, WHY_PROTOCOL);
	const struct line_word *w = LINE_WORD(c, words, WHY_COMMAND);
	if (w == NULL)
		return VERIFY_MORE;
	c->why = may_say(v, st, (enum kind)w->kind);
	arguments(st, c, (enum kind)w->kind);
	if (!cursor_ok(c))
		return VERIFY_MORE;
	st->tags[st->n] = h;
	st->kinds[st->n++] = w->kind;
	if (v->level < LEVEL_PREFIX)
		v->level = LEVEL_PREFIX;
	return VERIFY_MORE;
}

/* -- Server ------------------------------------------------------------------------------------------------ */

static enum verify_status accept(struct verify *v)
{
	v->level = LEVEL_RELATES;
	return VERIFY_ACCEPT;
}

static void greeting(struct verify *v, struct cursor *c)
{
	static const struct line_word states[] = {{"OK"}, {"PREAUTH"}, {"BYE"}};
	struct imap_state *st = v->state;
	size_t n;

	CURSOR_EXPECT(c, "* ", WHY_ANSWER);
	const struct line_word *w = LINE_WORD(c, states, WHY_ANSWER);
	bool preauth = w == &states[1];
	cursor_must(c, !preauth || (v->policy->options & VERIFY_STARTTLS_REQUIRED) == 0, WHY_PLAIN);
	line_rest(c, IMAP_LINE, LINE_8BIT, &n);
	if (!cursor_ok(c))
		return;
	st->greeted = true;
	st->preauth = preauth;
}

static enum verify_status continuation(struct verify *v, struct cursor *c)
{
	struct imap_state *st = v->state;
	bool challenge = is_pending(st, AUTHENTICATE) && !st->inside[VERIFY_CLIENT] && !st->sasl;
	size_t n;

	cursor_must(c, st->awaits || challenge, WHY_ORDER);
	CURSOR_EXPECT(c, "+", WHY_ANSWER);
	if (cursor_ok(c) && c->p < c->end && *c->p != '\r') /* the blank is often forgotten where nothing follows it */
		CURSOR_EXPECT(c, " ", WHY_ANSWER);
	line_rest(c, IMAP_AUTH_LINE, LINE_8BIT, &n);
	if (!cursor_ok(c))
		return VERIFY_MORE;
	if (challenge && st->echoed)
		return accept(v);
	st->sasl = challenge;
	st->awaits = false;
	return VERIFY_MORE;
}

/* The reply to the i-th command that waits. */
static enum verify_status replied(struct verify *v, unsigned i, bool good)
{
	struct imap_state *st = v->state;
	enum kind kind = (enum kind)st->kinds[i];

	/* What is behind a literal that was not wanted is not said any more. */
	if (i == st->n - 1u && st->awaits) {
		st->awaits = st->inside[VERIFY_CLIENT] = false;
		st->literal[VERIFY_CLIENT] = 0;
	}
	st->n--;
	memmove(st->tags + i, st->tags + i + 1, (st->n - i) * sizeof(st->tags[0]));
	memmove(st->kinds + i, st->kinds + i + 1, st->n - i);
	st->sasl = st->sasl && kind != AUTHENTICATE;
	st->echoed = true;
	v->level = LEVEL_ANSWER;
	if (good && (kind == LOGIN || kind == AUTHENTICATE || st->preauth))
		return accept(v);
	if (kind != STARTTLS || !good)
		return VERIFY_MORE;
	v->next = APP_TLS;
	return VERIFY_HANDOVER;
}

static enum verify_status tagged(struct verify *v, struct cursor *c)
{
	static const struct line_word states[] = {{"OK"}, {"NO"}, {"BAD"}};
	struct imap_state *st = v->state;
	uint32_t h = tag(c, WHY_ANSWER);
	unsigned i = 0;
	size_t n;

	while (i < st->n && st->tags[i] != h)
		i++;
	cursor_must(c, i < st->n, WHY_ANSWER_OTHER);
	const struct line_word *w = LINE_WORD(c, states, WHY_ANSWER);
	line_rest(c, IMAP_LINE, LINE_8BIT, &n);
	return cursor_ok(c) ? replied(v, i, w == &states[0]) : VERIFY_MORE;
}

static void untagged(struct imap_state *st, struct cursor *c)
{
	if (!st->inside[VERIFY_SERVER])
		CURSOR_EXPECT(c, "* ", WHY_ANSWER);
	rest(st, c, VERIFY_SERVER);
}

static enum verify_status server_line(struct verify *v, struct cursor *c)
{
	struct imap_state *st = v->state;

	if (!st->greeted)
		greeting(v, c);
	else if (st->literal[VERIFY_SERVER] > 0)
		skip_literal(st, c, VERIFY_SERVER);
	else if (st->inside[VERIFY_SERVER])
		untagged(st, c);
	else if (*c->p == '+')
		return continuation(v, c);
	else if (*c->p == '*')
		untagged(st, c);
	else
		return tagged(v, c);
	return VERIFY_MORE;
}

static enum verify_status line(struct verify *v, struct cursor *c, unsigned from)
{
	return from == VERIFY_CLIENT ? client_line(v, c) : server_line(v, c);
}

static bool server_speaks(const struct verify *v)
{
	const struct imap_state *st = v->state;

	return !st->greeted || st->awaits || (st->n > 0 && !st->inside[VERIFY_CLIENT] && !st->sasl);
}

enum verify_status imap_stream(struct verify *v)
{
	return line_talk(v, line, server_speaks, VERIFY_MORE);
}
