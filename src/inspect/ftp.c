/*
 * ftp.c: the control connection of FTP (RFC 959, 2228, 2389, 2428, 3659, 4217), every command and reply,
 * and what it says of data connections.
 *
 * The greeting proves nothing (SMTP's is the same): decided when the server has taken a USER. Looked at for
 * ever, because each data connection is announced here. An announcement opens one pinhole, after the
 * server's reply to it (227, 229, or 200 for PORT and EPRT), and only if it names the two ends of this
 * connection and a port from 1024 on: nobody is sent elsewhere (bounce). PORT and EPRT need the option
 * `active-data`; with `no-data` none is opened.
 *
 * AUTH TLS: with nothing pipelined before or behind it, then TLS's verifier goes on. Nobody can read the
 * announcements any more, so such a connection has no data connections. When the rule demands TLS, USER
 * before it is refused.
 *
 * Commands are those of the standards and some that servers add; each reply is of a class that its command
 * can have, in the order of the commands. Names and passwords may hold any bytes but controls. Limits:
 * FTP_LINE, FTP_PENDING.
 */
#include <strings.h>

#include "line.h"
#include "verifiers.h"

#define FTP_LINE 4096
#define FTP_PENDING 16
#define FTP_PORT_MIN 1024

enum argument {
	NONE,
	ONE,
	MAYBE, /* or empty: a password */
};
enum kind {
	PLAIN,	  /* 2xx; 4xx and 5xx are always possible */
	EARLY,	  /* the same, and allowed where TLS is demanded */
	LOGIN,	  /* 2xx 3xx */
	USER,	  /* the same, and it decides */
	ON,	  /* 2xx 3xx: RNFR, REST */
	AGAIN,	  /* 2xx; nobody is logged in any more: REIN */
	TRANSFER, /* 1xx, then 2xx */
	PASSIVE,
	EXTENDED, /* EPSV */
	ACTIVE,	  /* PORT, EPRT */
	TLS,	  /* AUTH TLS */
	SECURITY, /* AUTH of another mechanism: the server must not agree */
	QUIT,
};
static const struct line_word commands[] = {
	{"USER", USER, ONE}, {"PASS", LOGIN, MAYBE}, {"ACCT", LOGIN, ONE}, {"CWD", PLAIN, ONE},
	{"CDUP", PLAIN, NONE}, {"SMNT", PLAIN, ONE}, {"QUIT", QUIT, NONE}, {"REIN", AGAIN, NONE},
	{"PORT", ACTIVE, ONE}, {"PASV", PASSIVE, NONE}, {"TYPE", PLAIN, ONE}, {"STRU", PLAIN, ONE},
	{"MODE", PLAIN, ONE}, {"RETR", TRANSFER, ONE}, {"STOR", TRANSFER, ONE}, {"STOU", TRANSFER, MAYBE},
	{"APPE", TRANSFER, ONE}, {"ALLO", PLAIN, ONE}, {"REST", ON, ONE}, {"RNFR", ON, ONE},
	{"RNTO", PLAIN, ONE}, {"ABOR", PLAIN, NONE}, {"DELE", PLAIN, ONE}, {"RMD", PLAIN, ONE},
	{"MKD", PLAIN, ONE}, {"PWD", PLAIN, NONE}, {"LIST", TRANSFER, MAYBE}, {"NLST", TRANSFER, MAYBE},
	{"SITE", PLAIN, ONE}, {"SYST", EARLY, NONE}, {"STAT", PLAIN, MAYBE}, {"HELP", EARLY, MAYBE},
	{"NOOP", EARLY, MAYBE}, {"FEAT", EARLY, NONE}, {"OPTS", EARLY, ONE}, {"MDTM", PLAIN, ONE},
	{"SIZE", PLAIN, ONE}, {"MLST", PLAIN, MAYBE}, {"MLSD", TRANSFER, MAYBE}, {"MFMT", PLAIN, ONE},
	{"EPRT", ACTIVE, ONE}, {"EPSV", EXTENDED, MAYBE}, {"LANG", EARLY, MAYBE}, {"AUTH", SECURITY, ONE},
	{"HOST", EARLY, ONE}, {"CLNT", EARLY, ONE}, {"AVBL", PLAIN, MAYBE}, {"XCWD", PLAIN, ONE},
	{"XCUP", PLAIN, NONE}, {"XMKD", PLAIN, ONE}, {"XRMD", PLAIN, ONE}, {"XPWD", PLAIN, NONE},
	{"XCRC", PLAIN, ONE}, {"XMD5", PLAIN, ONE}, {"XSHA1", PLAIN, ONE}, {"XSHA256", PLAIN, ONE},
	{"MFCT", PLAIN, ONE}, {"HASH", PLAIN, ONE}, {"RANG", PLAIN, ONE}, {"CSID", EARLY, ONE},
};

struct ftp_state {
	uint8_t pending[FTP_PENDING]; /* kinds of commands without a last reply, the first said first */
	uint8_t n;
	bool greeted, logged;
	uint16_t multi; /* code of a reply of several lines that goes on */
	uint16_t port;	/* that the client has announced */
};
VERIFY_STATE(struct ftp_state);

/* -- Announcements ----------------------------------------------------------------------------------------- */

struct announcement {
	struct addr addr;
	uint16_t port;
};

/* A decimal number without zeros in front, up to max; false when there is none. */
static bool number(struct reader *r, unsigned max, unsigned *ret)
{
	unsigned value = 0, digits = 0;
	bool zero = r->p < r->end && *r->p == '0';

	while (r->p < r->end && *r->p >= '0' && *r->p <= '9' && digits++ < 6)
		value = value * 10 + (*r->p++ - '0');
	*ret = value;
	return digits > 0 && value <= max && !(zero && digits > 1);
}

static bool byte_is(struct reader *r, uint8_t want)
{
	return reader_u8(r) == want && !r->bad;
}

/* h1,h2,h3,h4,p1,p2 */
static bool host_port(struct reader *r, struct announcement *ret)
{
	unsigned v[6];

	for (unsigned i = 0; i < 6; i++)
		if ((i > 0 && !byte_is(r, ',')) || !number(r, 255, &v[i]))
			return false;
	*ret = (struct announcement){{4, {(uint8_t)v[0], (uint8_t)v[1], (uint8_t)v[2], (uint8_t)v[3]}},
		(uint16_t)(v[4] << 8 | v[5])};
	return true;
}

/* |family|address|port| with any delimiter; without = true: |||port| */
static bool extended(struct reader *r, bool without, struct announcement *ret)
{
	char text[64] = "";
	unsigned family = 0, port;
	uint8_t d = reader_u8(r);

	if (r->bad || d < 33 || d > 126 || (d >= '0' && d <= '9'))
		return false;
	if (!without && !number(r, 2, &family))
		return false;
	if (!byte_is(r, d))
		return false;
	for (size_t i = 0; !without && reader_left(r) > 0 && *r->p != d && i < sizeof(text) - 1; i++)
		text[i] = (char)reader_u8(r);
	if (!byte_is(r, d) || !number(r, 65535, &port) || !byte_is(r, d))
		return false;
	ret->port = (uint16_t)port;
	return without || (addr_parse(text, &ret->addr) && ret->addr.family == (family == 1 ? 4 : 6));
}

/* The text of a 227 has one run of digits and commas in it, so that nobody can read another one. */
static bool passive(const uint8_t *p, size_t n, struct announcement *ret)
{
	struct reader r = reader_init(p, n);

	while (r.p < r.end && (*r.p < '0' || *r.p > '9'))
		r.p++;
	if (!host_port(&r, ret))
		return false;
	for (; r.p < r.end; r.p++)
		if (*r.p >= '0' && *r.p <= '9')
			return false;
	return true;
}

/* The text of a 229: anything, and one pair of brackets (RFC 2428 section 3). */
static bool extended_passive(const uint8_t *p, size_t n, struct announcement *ret)
{
	const uint8_t *open = memchr(p, '(', n);

	if (open == NULL)
		return false;
	struct reader r = reader_init(open + 1, n - (size_t)(open + 1 - p));
	return extended(&r, true, ret) && byte_is(&r, ')') && memchr(r.p, '(', reader_left(&r)) == NULL;
}

/* The pinhole that the reply to a PASV, EPSV, PORT or EPRT opens. */
static enum inspect_why announced(struct verify *v, enum kind kind, const struct line_reply *text)
{
	const struct ftp_state *st = v->state;
	struct announcement a = {*v->server, st->port};
	bool good = kind == PASSIVE	? passive(text->text, text->n, &a)
		    : kind == EXTENDED ? extended_passive(text->text, text->n, &a)
				       : true;

	if (!good || !st->logged || a.port < FTP_PORT_MIN || addr_cmp(&a.addr, v->server) != 0)
		return WHY_DATA_CHANNEL;
	v->pinhole = (struct inspect_pinhole){.client = *v->client, .server = *v->server, .port = a.port};
	if (kind == ACTIVE)
		v->pinhole = (struct inspect_pinhole){.client = *v->server, .server = *v->client, .port = a.port};
	v->has_pinhole = true;
	return WHY_NONE;
}

/* -- Client ------------------------------------------------------------------------------------------------ */

static bool is_pending(const struct ftp_state *st, enum kind kind)
{
	for (unsigned i = 0; i < st->n; i++)
		if (st->pending[i] == kind)
			return true;
	return false;
}

static bool opens_data(enum kind kind)
{
	return kind == PASSIVE || kind == EXTENDED || kind == ACTIVE;
}

static enum inspect_why may_speak(const struct ftp_state *st)
{
	if (is_pending(st, TLS))
		return WHY_STARTTLS;
	return st->greeted && !is_pending(st, QUIT) && !is_pending(st, SECURITY) ? WHY_NONE : WHY_ORDER;
}

static enum inspect_why may_say(const struct verify *v, const struct ftp_state *st, enum kind kind)
{
	uint32_t options = v->policy->options;
	bool early = kind == EARLY || kind == SECURITY || kind == QUIT;

	if ((options & VERIFY_STARTTLS_REQUIRED) != 0 && !early)
		return WHY_PLAIN;
	if (kind == SECURITY && st->n > 0)
		return WHY_STARTTLS;
	if (kind == SECURITY && v->level == LEVEL_RELATES)
		return WHY_ORDER;
	bool closed = (options & VERIFY_NO_DATA) != 0 || (kind == ACTIVE && (options & VERIFY_ACTIVE_DATA) == 0);
	if (opens_data(kind) && closed)
		return WHY_DATA_CHANNEL;
	bool too_early = v->level != LEVEL_RELATES && (opens_data(kind) || kind == TRANSFER);
	/* One announcement at a time: its reply tells which it was. */
	bool another = opens_data(kind) && (is_pending(st, PASSIVE) || is_pending(st,
		EXTENDED) || is_pending(st, ACTIVE));
	return too_early || another || st->n == FTP_PENDING ? WHY_ORDER : WHY_NONE;
}

/* Clients put TELNET's "interrupt" and "mark" before ABOR. */
static void telnet(struct cursor *c)
{
	while (cursor_ok(c) && c->p < c->end && *c->p == 0xff) {
		cursor_u8(c);
		uint8_t b = cursor_u8(c);
		cursor_must(c, b == 0xf4 || b == 0xf2, WHY_COMMAND);
	}
}

static const uint8_t *argument(struct cursor *c, enum argument how, size_t *ret_n)
{
	*ret_n = 0;
	if (!cursor_ok(c))
		return NULL;
	if (how == ONE)
		return line_argument(c, FTP_LINE, LINE_8BIT, ret_n);
	if (how == NONE || *c->p == '\r') { /* the byte behind the word is there */
		line_end(c);
		return c->p;
	}
	CURSOR_EXPECT(c, " ", WHY_FIELD);
	return line_rest(c, FTP_LINE, LINE_8BIT, ret_n);
}

static bool text_is(const uint8_t *p, size_t n, const char *word)
{
	return strlen(word) == n && strncasecmp((const char *)p, word, n) == 0;
}

static enum inspect_why active(const struct verify *v, bool eprt, const uint8_t *p, size_t n, uint16_t *ret_port)
{
	struct reader r = reader_init(p, n);
	struct announcement a = {0};

	if (!(eprt ? extended(&r, false, &a) : host_port(&r, &a)) || reader_left(&r) > 0)
		return WHY_FIELD;
	*ret_port = a.port;
	return addr_cmp(&a.addr, v->client) == 0 && a.port >= FTP_PORT_MIN ? WHY_NONE : WHY_DATA_CHANNEL;
}

/* What is to be known of an argument. */
static enum inspect_why judge_argument(const struct verify *v, const char *word, enum kind *kind,
	const uint8_t *p, size_t n)
{
	struct ftp_state *st = v->state;

	if (*kind == SECURITY && (text_is(p, n, "TLS") || text_is(p, n, "TLS-C") || text_is(p, n, "SSL")))
		*kind = TLS;
	if (*kind == EXTENDED && text_is(p, n, "ALL"))
		*kind = PLAIN;
	else if (*kind == EXTENDED && n > 0 && !text_is(p, n, "1") && !text_is(p, n, "2"))
		return WHY_FIELD;
	return *kind == ACTIVE ? active(v, word[0] == 'E', p, n, &st->port) : WHY_NONE;
}

static enum verify_status client_line(struct verify *v, struct cursor *c)
{
	struct ftp_state *st = v->state;
	size_t n;

	c->why = may_speak(st);
	telnet(c);
	const struct line_word *cmd = LINE_WORD(c, commands, WHY_COMMAND);
	if (cmd == NULL)
		return VERIFY_MORE;
	enum kind kind = (enum kind)cmd->kind;
	c->why = may_say(v, st, kind);
	const uint8_t *p = argument(c, (enum argument)cmd->argument, &n);
	if (!cursor_ok(c))
		return VERIFY_MORE;
	c->why = judge_argument(v, cmd->word, &kind, p, n);
	if (!cursor_ok(c))
		return VERIFY_MORE;
	st->pending[st->n++] = (uint8_t)kind;
	if (v->level < LEVEL_PREFIX)
		v->level = LEVEL_PREFIX;
	return v->level == LEVEL_RELATES ? VERIFY_DECIDED : VERIFY_MORE;
}

/* -- Server ------------------------------------------------------------------------------------------------ */

static bool reply_of(enum kind kind, unsigned code)
{
	if (code >= 400)
		return true;
	if (code >= 227 && code <= 229 && kind != PASSIVE && kind != EXTENDED)
		return false;
	switch (kind) {
	case LOGIN:
	case USER:
	case ON:
		return code >= 200;
	case TRANSFER:
		return code < 300;
	case PASSIVE:
		return code == 227;
	case EXTENDED:
		return code == 229;
	case TLS:
		return code == 234;
	case SECURITY:
		return false;
	default:
		return code >= 200 && code < 300;
	}
}

static enum verify_status reply(struct verify *v, struct cursor *c, unsigned code, const struct line_reply *text)
{
	struct ftp_state *st = v->state;
	enum kind kind = (enum kind)st->pending[0];

	if (code < 200)
		return VERIFY_MORE;
	st->n--;
	memmove(st->pending, st->pending + 1, st->n);
	if (code >= 400)
		return VERIFY_MORE;
	if (kind == LOGIN || kind == USER)
		st->logged = code < 300;
	if (kind == AGAIN)
		st->logged = false;
	if (kind == USER)
		v->level = LEVEL_RELATES;
	if (opens_data(kind))
		c->why = announced(v, kind, text);
	if (kind != TLS)
		return VERIFY_MORE;
	v->next = APP_TLS;
	return VERIFY_HANDOVER;
}

static enum verify_status last_line(struct verify *v, struct cursor *c, unsigned code,
	const struct line_reply *text)
{
	struct ftp_state *st = v->state;

	if (!st->greeted)
		st->greeted = code != 120;
	else if (st->n > 0)
		return reply(v, c, code, text);
	return VERIFY_MORE;
}

/* A line inside a reply of several: anything; the last begins with the code and a blank. */
static enum verify_status inner_line(struct verify *v, struct cursor *c)
{
	struct ftp_state *st = v->state;
	uint16_t code = st->multi;
	size_t n;
	const uint8_t *p = line_rest(c, FTP_LINE, LINE_8BIT, &n);

	if (p == NULL || n < 4 || p[3] != ' ')
		return VERIFY_MORE;
	struct cursor digits = cursor_init(p, 3);
	if (line_code(&digits) != code)
		return VERIFY_MORE;
	st->multi = 0;
	return last_line(v, c, code, &(struct line_reply){.last = true, .text = p + 4, .n = n - 4});
}

static enum verify_status server_line(struct verify *v, struct cursor *c)
{
	struct ftp_state *st = v->state;
	struct line_reply r;

	uint16_t code = line_code(c);
	if (!st->greeted)
		cursor_must(c, code == 220 || code == 120 || code == 421 || code == 530, WHY_ANSWER);
	else if (st->n > 0)
		cursor_must(c, reply_of((enum kind)st->pending[0], code), WHY_ANSWER);
	else /* a server may end the connection unasked */
		cursor_must(c, code == 421 || code == 221, WHY_ORDER);
	if (!line_reply(c, &r, FTP_LINE, LINE_8BIT))
		return VERIFY_MORE;
	bool one_line = st->n > 0 && code < 400 && (opens_data((enum kind)st->pending[0]) || st->pending[0] == TLS);
	if (!r.last) {
		cursor_must(c, !one_line, WHY_DATA_CHANNEL);
		st->multi = code;
		return VERIFY_MORE;
	}
	return last_line(v, c, code, &r);
}

static enum verify_status line(struct verify *v, struct cursor *c, unsigned from)
{
	const struct ftp_state *st = v->state;

	if (from == VERIFY_CLIENT)
		return client_line(v, c);
	if (st->multi == 0)
		return server_line(v, c);
	return inner_line(v, c);
}

static bool server_speaks(const struct verify *v)
{
	const struct ftp_state *st = v->state;

	return !st->greeted || st->n > 0;
}

enum verify_status ftp_stream(struct verify *v)
{
	enum verify_status status = line_talk(v, line, server_speaks, VERIFY_DECIDED);

	return status == VERIFY_MORE && v->level == LEVEL_RELATES ? VERIFY_DECIDED : status;
}
