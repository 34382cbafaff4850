/*
 * smtp.c: SMTP (RFC 5321, 2920 pipelining, 3030 BDAT, 3207 STARTTLS, 4954 AUTH) up to the first command
 * that only mail has.
 *
 * The greeting proves nothing (FTP's is the same): a flow is passed when the server has agreed to MAIL or
 * to AUTH after EHLO or HELO. Until then each command and each reply is read; a reply must be of a class
 * that its command can have, and nobody speaks out of turn: EHLO, AUTH, DATA and STARTTLS are the last that
 * a client says before the reply.
 *
 * STARTTLS: with nothing pipelined before or behind it (CVE-2011-0411), then TLS's verifier goes on. When
 * the rule demands it, a client that says anything of the mail before is refused with that word.
 *
 * Not looked at: the mail itself, and what follows the decision. Limits: SMTP_LINE, and RFC 4954's for
 * AUTH.
 */
#include "line.h"
#include "verifiers.h"

#define SMTP_LINE 2048 /* RFC 5321 says 512; extensions add to MAIL and RCPT */
#define SMTP_AUTH_LINE 12288
#define SMTP_PENDING 32

enum command {
	EHLO,
	HELO,
	MAIL,
	RCPT,
	DATA,
	BDAT,
	RSET,
	NOOP,
	QUIT,
	HELP,
	VRFY,
	EXPN,
	ETRN,
	AUTH,
	STARTTLS,
	XCLIENT,
	XFORWARD,
};
static const struct line_word words[] = {
	{"EHLO", EHLO}, {"HELO", HELO}, {"MAIL", MAIL}, {"RCPT", RCPT}, {"DATA", DATA}, {"BDAT", BDAT},
	{"RSET", RSET}, {"NOOP", NOOP}, {"QUIT", QUIT}, {"HELP", HELP}, {"VRFY", VRFY}, {"EXPN", EXPN},
	{"ETRN", ETRN}, {"AUTH", AUTH}, {"STARTTLS", STARTTLS}, {"XCLIENT", XCLIENT}, {"XFORWARD", XFORWARD},
};

struct smtp_state {
	uint8_t pending[SMTP_PENDING]; /* commands without a reply,
		the first said first; runs of RCPT count in `more` */
	uint8_t more[SMTP_PENDING];
	uint8_t n;
	bool greeted, hello;
	uint16_t multi;	      /* code of a reply of several lines that goes on */
	uint32_t chunk;	      /* bytes of BDAT that follow */
};
VERIFY_STATE(struct smtp_state);

/* -- Client ------------------------------------------------------------------------------------------------ */

static bool is_pending(const struct smtp_state *st, enum command what)
{
	for (unsigned i = 0; i < st->n; i++)
		if (st->pending[i] == what)
			return true;
	return false;
}

/* May the client speak now? Some commands must be the last before the reply. */
static enum inspect_why may_speak(const struct smtp_state *st)
{
	if (is_pending(st, STARTTLS))
		return WHY_STARTTLS;
	bool waits = is_pending(st, EHLO) || is_pending(st, HELO) || is_pending(st, AUTH) || is_pending(st, DATA) ||
		     is_pending(st, QUIT);
	return waits || !st->greeted ? WHY_ORDER : WHY_NONE;
}

static enum inspect_why may_say(const struct verify *v, const struct smtp_state *st, enum command cmd)
{
	bool of_mail = cmd != EHLO && cmd != HELO && cmd != RSET && cmd != NOOP && cmd != QUIT && cmd != HELP &&
		       cmd != STARTTLS;

	if (of_mail && (v->policy->options & VERIFY_STARTTLS_REQUIRED) != 0)
		return WHY_PLAIN;
	if (!st->hello && (of_mail || cmd == STARTTLS))
		return WHY_ORDER;
	if (cmd == STARTTLS && st->n > 0)
		return WHY_STARTTLS;
	bool inside = cmd == RCPT || cmd == DATA || cmd == BDAT;
	return inside && !is_pending(st, MAIL) ? WHY_ORDER : WHY_NONE;
}

/* MAIL FROM:<..> and RCPT TO:<..>; a blank before the bracket is no standard, and common. */
static void path(struct cursor *c, const char *word)
{
	size_t n;

	CURSOR_EXPECT(c, " ", WHY_FIELD);
	line_expect(c, word, WHY_FIELD);
	if (cursor_ok(c) && c->p < c->end && *c->p == ' ')
		c->p++;
	CURSOR_EXPECT(c, "<", WHY_FIELD);
	line_rest(c, SMTP_LINE, LINE_UTF8, &n);
}

/* A name or an address literal: no blanks inside. */
static void host(struct cursor *c)
{
	size_t n;
	const uint8_t *p = line_argument(c, SMTP_LINE, LINE_UTF8, &n);

	if (p != NULL && memchr(p, ' ', n) != NULL)
		c->why = WHY_FIELD;
}

static uint32_t chunk_size(struct cursor *c)
{
	uint64_t size = 0;
	size_t digits = 0, n;

	CURSOR_EXPECT(c, " ", WHY_FIELD);
	while (cursor_ok(c) && c->p < c->end && *c->p >= '0' && *c->p <= '9' && digits++ < 10)
		size = size * 10 + (*c->p++ - '0');
	if (cursor_ok(c) && c->p == c->end)
		c->more = true;
	cursor_must(c, digits > 0 && size <= UINT32_MAX, WHY_FIELD);
	if (cursor_ok(c) && *c->p == ' ') {
		c->p++;
		line_expect(c, "LAST", WHY_FIELD);
	}
	line_rest(c, 0, LINE_ASCII, &n);
	return (uint32_t)size;
}

static void arguments(struct cursor *c, enum command cmd, uint32_t *ret_chunk)
{
	size_t n;

	switch (cmd) {
	case EHLO:
	case HELO:
		host(c);
		break;
	case MAIL:
		path(c, "FROM:");
		break;
	case RCPT:
		path(c, "TO:");
		break;
	case BDAT:
		*ret_chunk = chunk_size(c);
		break;
	case AUTH:
		line_argument(c, SMTP_AUTH_LINE, LINE_ASCII, &n);
		break;
	case DATA:
	case RSET:
	case QUIT:
	case STARTTLS:
		line_end(c);
		break;
	case NOOP:
	case HELP:
		if (cursor_ok(c) && *c->p == '\r') { /* line_word() stopped at a byte that is there */
			line_end(c);
			break;
		}
		/* fallthrough */
	default:
		line_argument(c, SMTP_LINE, LINE_UTF8, &n);
	}
}

static bool await(struct smtp_state *st, enum command cmd)
{
	if (cmd == RCPT && st->n > 0 && st->pending[st->n - 1] == RCPT && st->more[st->n - 1] < UINT8_MAX) {
		st->more[st->n - 1]++;
		return true;
	}
	if (st->n == SMTP_PENDING)
		return false;
	st->pending[st->n] = (uint8_t)cmd;
	st->more[st->n++] = 0;
	return true;
}

static enum verify_status client_line(struct verify *v, struct cursor *c)
{
	struct smtp_state *st = v->state;
	uint32_t chunk = 0;

	if (st->chunk > 0) {
		size_t k = cursor_left(c) < st->chunk ? cursor_left(c) : st->chunk;
		cursor_bytes(c, k);
		st->chunk -= (uint32_t)k;
		return VERIFY_MORE;
	}
	c->why = may_speak(st);
	const struct line_word *w = LINE_WORD(c, words, WHY_COMMAND);
	if (w == NULL)
		return VERIFY_MORE;
	enum command cmd = (enum command)w->kind;
	c->why = may_say(v, st, cmd);
	arguments(c, cmd, &chunk);
	if (cursor_ok(c) && !await(st, cmd))
		c->why = WHY_COMMAND;
	if (!cursor_ok(c))
		return VERIFY_MORE;
	st->chunk = chunk;
	if (v->level < LEVEL_PREFIX)
		v->level = LEVEL_PREFIX;
	return VERIFY_MORE;
}

/* -- Server ------------------------------------------------------------------------------------------------ */

/* May a command have this reply? 4xx and 5xx may always be. */
static bool reply_of(enum command cmd, unsigned code)
{
	if (code >= 400)
		return true;
	switch (cmd) {
	case DATA:
		return code == 354;
	case AUTH:
		return code == 235 || code == 334;
	case QUIT:
	case STARTTLS:
	case XCLIENT:
		return code == 220 || (cmd == QUIT && code == 221);
	case HELP:
		return code == 211 || code == 214 || code == 250;
	default:
		return code >= 250 && code <= 252;
	}
}

static void answered(struct smtp_state *st)
{
	if (st->more[0] > 0) {
		st->more[0]--;
		return;
	}
	st->n--;
	memmove(st->pending, st->pending + 1, st->n);
	memmove(st->more, st->more + 1, st->n);
}

/* The last line of a reply to a command. */
static enum verify_status reply(struct verify *v, unsigned code)
{
	struct smtp_state *st = v->state;
	enum command cmd = (enum command)st->pending[0];

	answered(st);
	if (code >= 400)
		return VERIFY_MORE;
	if (cmd == EHLO || cmd == HELO) {
		st->hello = true;
		v->level = LEVEL_ANSWER;
	}
	if (cmd == STARTTLS) {
		v->next = APP_TLS;
		return VERIFY_HANDOVER;
	}
	if (cmd != MAIL && cmd != AUTH)
		return VERIFY_MORE;
	v->level = LEVEL_RELATES;
	return VERIFY_ACCEPT;
}

static enum verify_status server_line(struct verify *v, struct cursor *c)
{
	struct smtp_state *st = v->state;
	bool greeting = !st->greeted;
	uint16_t code = line_code(c);
	struct line_reply r;

	cursor_must(c, st->multi == 0 || st->multi == code, WHY_ANSWER);
	if (greeting)
		cursor_must(c, code == 220 || code == 554 || code == 521 || code == 421, WHY_ANSWER);
	else if (st->n > 0)
		cursor_must(c, reply_of((enum command)st->pending[0], code), WHY_ANSWER);
	else /* a server may end the connection unasked */
		cursor_must(c, code == 421, WHY_ORDER);
	if (!line_reply(c, &r, SMTP_LINE, LINE_UTF8))
		return VERIFY_MORE;
	st->multi = r.last ? 0 : code;
	if (!r.last)
		return VERIFY_MORE;
	st->greeted = true;
	return greeting || st->n == 0 ? VERIFY_MORE : reply(v, code);
}

static enum verify_status line(struct verify *v, struct cursor *c, unsigned from)
{
	return from == VERIFY_CLIENT ? client_line(v, c) : server_line(v, c);
}

static bool server_speaks(const struct verify *v)
{
	const struct smtp_state *st = v->state;

	return !st->greeted || st->n > 0;
}

enum verify_status smtp_stream(struct verify *v)
{
	return line_talk(v, line, server_speaks, VERIFY_MORE);
}
