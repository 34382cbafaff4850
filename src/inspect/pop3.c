/*
 * pop3.c: POP3 (RFC 1939, 2449, 2595 STLS, 5034 AUTH, 6856) up to the login.
 *
 * Decided when the server has taken a USER or an APOP, or goes on with an AUTH. Before that each command
 * and reply is read: +OK, -ERR, lists after CAPA, LANG and a bare AUTH. Commands may be sent ahead (RFC
 * 2449 section 6.6) but for the last of a group: AUTH, APOP, STLS and QUIT.
 *
 * STLS: with nothing pipelined before or behind it, then TLS's verifier goes on. When the rule demands it,
 * a login before is refused. Texts of servers may hold any bytes but controls: some greet in their own
 * encoding. Limits: POP3_LINE, POP3_PENDING.
 */
#include "line.h"
#include "verifiers.h"

#define POP3_LINE 512
#define POP3_AUTH_LINE 12288
#define POP3_PENDING 8

enum command { CAPA, USER, PASS, APOP, AUTH, AUTH_LIST, STLS, QUIT, UTF8, LANG, LANG_LIST, NOOP };
static const struct line_word words[] = {{"CAPA", CAPA}, {"USER", USER}, {"PASS", PASS}, {"APOP", APOP},
	{"AUTH", AUTH},
	{"STLS", STLS}, {"QUIT", QUIT}, {"UTF8", UTF8}, {"LANG", LANG}, {"NOOP", NOOP}};

struct pop3_state {
	uint8_t pending[POP3_PENDING]; /* commands without a reply, the first said first */
	uint8_t n;
	bool greeted, listing;
};
VERIFY_STATE(struct pop3_state);

/* -- Client ------------------------------------------------------------------------------------------------ */

static bool is_last(enum command cmd)
{
	return cmd == AUTH || cmd == AUTH_LIST || cmd == APOP || cmd == QUIT;
}

static enum inspect_why may_speak(const struct pop3_state *st)
{
	if (!st->greeted)
		return WHY_ORDER;
	if (st->n == 0)
		return WHY_NONE;
	enum command last = (enum command)st->pending[st->n - 1];
	return last == STLS ? WHY_STARTTLS : is_last(last) || st->n == POP3_PENDING ? WHY_ORDER : WHY_NONE;
}

static bool is_login(enum command cmd)
{
	return cmd == USER || cmd == PASS || cmd == APOP || cmd == AUTH;
}

/* Arguments; a command without its argument may be another one. */
static enum command arguments(struct cursor *c, enum command cmd)
{
	size_t n;

	if (!cursor_ok(c))
		return cmd;
	bool bare = *c->p == '\r'; /* the byte behind the word is there */
	switch (cmd) {
	case USER:
	case PASS: /* blanks may be part of it */
	case APOP:
		line_argument(c, POP3_LINE, LINE_8BIT, &n);
		return cmd;
	case AUTH:
	case LANG:
		if (!bare) {
			line_argument(c, POP3_AUTH_LINE, LINE_ASCII, &n);
			return cmd;
		}
		line_end(c);
		return cmd == AUTH ? AUTH_LIST : LANG_LIST;
	default:
		line_end(c);
		return cmd;
	}
}

static enum verify_status client_line(struct verify *v, struct cursor *c)
{
	struct pop3_state *st = v->state;
	bool tls = (v->policy->options & VERIFY_STARTTLS_REQUIRED) != 0;

	c->why = may_speak(st);
	const struct line_word *w = LINE_WORD(c, words, WHY_COMMAND);
	if (w == NULL)
		return VERIFY_MORE;
	enum command cmd = (enum command)w->kind;
	cursor_must(c, cmd != STLS || st->n == 0, WHY_STARTTLS);
	cursor_must(c, !tls || !is_login(cmd) || (cmd == AUTH && *c->p == '\r'), WHY_PLAIN);
	cmd = arguments(c, cmd);
	if (!cursor_ok(c))
		return VERIFY_MORE;
	st->pending[st->n++] = (uint8_t)cmd;
	if (v->level < LEVEL_PREFIX)
		v->level = LEVEL_PREFIX;
	return VERIFY_MORE;
}

/* -- Server ------------------------------------------------------------------------------------------------ */

static enum verify_status agreed(struct verify *v, enum command cmd)
{
	struct pop3_state *st = v->state;

	v->level = LEVEL_ANSWER;
	if (is_login(cmd)) {
		v->level = LEVEL_RELATES;
		return VERIFY_ACCEPT;
	}
	st->listing = cmd == CAPA || cmd == AUTH_LIST || cmd == LANG_LIST;
	if (cmd != STLS)
		return VERIFY_MORE;
	v->next = APP_TLS;
	return VERIFY_HANDOVER;
}

/* Behind the indicator: nothing, or a blank and text. */
static void text(struct cursor *c)
{
	size_t n;

	if (cursor_ok(c) && c->p < c->end && *c->p != '\r')
		CURSOR_EXPECT(c, " ", WHY_ANSWER);
	line_rest(c, POP3_AUTH_LINE, LINE_8BIT, &n);
}

/* "+OK", "-ERR" or, while AUTH is asked, "+" and a challenge: it is the byte behind "+" that tells. */
static bool indicator(struct cursor *c, bool unasked, bool challenge_allowed)
{
	uint8_t b = cursor_u8(c);

	cursor_must(c, b == '+' || b == '-', WHY_ANSWER);
	if (b == '-') {
		CURSOR_EXPECT(c, "ERR", WHY_ANSWER);
		return false;
	}
	cursor_must(c, !unasked, WHY_ORDER); /* a server may end the connection unasked, with -ERR */
	if (cursor_ok(c) && c->p == c->end)
		c->more = true;
	bool challenge = challenge_allowed && cursor_ok(c) && (*c->p == ' ' || *c->p == '\r');
	if (!challenge)
		CURSOR_EXPECT(c, "OK", WHY_ANSWER);
	return true;
}

static enum verify_status server_line(struct verify *v, struct cursor *c)
{
	struct pop3_state *st = v->state;
	bool unasked = st->greeted && st->n == 0;
	enum command cmd = st->n > 0 ? (enum command)st->pending[0] : NOOP;
	bool good = indicator(c, unasked, cmd == AUTH);

	text(c);
	if (!cursor_ok(c))
		return VERIFY_MORE;
	if (!st->greeted || unasked) {
		st->greeted = true;
		return VERIFY_MORE;
	}
	st->n--;
	memmove(st->pending, st->pending + 1, st->n);
	return good ? agreed(v, cmd) : VERIFY_MORE;
}

/* A line of a list; "." alone ends it. */
static void list_line(struct verify *v, struct cursor *c)
{
	struct pop3_state *st = v->state;
	size_t n;
	const uint8_t *p = line_rest(c, POP3_LINE, LINE_8BIT, &n);

	if (p != NULL && n == 1 && p[0] == '.')
		st->listing = false;
}

static enum verify_status line(struct verify *v, struct cursor *c, unsigned from)
{
	const struct pop3_state *st = v->state;

	if (from == VERIFY_CLIENT)
		return client_line(v, c);
	if (!st->listing)
		return server_line(v, c);
	list_line(v, c);
	return VERIFY_MORE;
}

static bool server_speaks(const struct verify *v)
{
	const struct pop3_state *st = v->state;

	return !st->greeted || st->n > 0 || st->listing;
}

enum verify_status pop3_stream(struct verify *v)
{
	return line_talk(v, line, server_speaks, VERIFY_MORE);
}
