/*
 * smtp_server.c: the server's side of a conversation: the flow of bytes, answers and time.
 *
 * Input: bytes of strangers, cut anywhere. Fixed memory: struct smtp_server. A line is read into the machine only when it
 * comes in pieces; a message passes without being copied. Nothing more is read while an answer is due, so a client that
 * pipelines waits in its own socket.
 *
 * Where a client must wait (for the greeting, HELO, DATA, STARTTLS, XCLIENT; without PIPELINING for everything) bytes that
 * come before our reply is sent end the session: they could be commands to us and a message to others, or the other way
 * round. Failure: each has a row in smtp_reply.c and a name in enum smtp_why.
 */
#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#include "smtp_server_private.h"

#define OWN_LIST (SMTP_PIPELINING | SMTP_SIZE | SMTP_ENHANCED | SMTP_8BITMIME | SMTP_DSN | SMTP_STARTTLS | SMTP_XCLIENT | \
	SMTP_XFORWARD)
#define LINGER_MS 30000 /* for a peer to take our last reply */
#define WANT 65536u	/* bytes a read */
#define ENDLESS ((uint64_t)1 << 20) /* over twice the limit: a sender who does not mean to end */

static int64_t or_default(int64_t v, int64_t otherwise)
{
	return v > 0 ? v : otherwise;
}

static void take_options(struct smtp_server *s, const struct smtp_server_options *options)
{
	struct smtp_server_options *o = &s->options;

	*o = *options;
	o->offer &= OWN_LIST;
	o->rcpt_max = o->rcpt_max > 0 ? o->rcpt_max : SMTP_RCPT_MAX;
	o->errors_max = o->errors_max > 0 ? o->errors_max : SMTP_ERRORS_MAX;
	o->times.command = or_default(o->times.command, 300000);
	o->times.block = or_default(o->times.block, 180000);
	o->times.grace = or_default(o->times.grace, 60000);
	o->times.session = or_default(o->times.session, 3600000);
	o->times.rate = o->times.rate > 0 ? o->times.rate : 256;
}

void smtp_server_begin(struct smtp_server *s, const struct smtp_server_options *options, int64_t now)
{
	*s = (struct smtp_server){.state = SERVER_COMMAND, .due = SMTP_EVENT_GREETING, .sync = true, .begun = now, .since = now,
		.last = now, .wrote = now};
	take_options(s, options);
}

void smtp_server_offer(struct smtp_server *s, unsigned offer, uint64_t size_max)
{
	s->options.offer = offer & OWN_LIST;
	s->options.size_max = size_max;
}

enum smtp_event_kind smtp_server_due(const struct smtp_server *s)
{
	return (enum smtp_event_kind)s->due;
}

bool smtp_server_over(const struct smtp_server *s)
{
	return s->over;
}

static bool has_room(const struct smtp_server *s)
{
	return sizeof(s->out) - s->nout >= SMTP_REPLY_SPACE;
}

static bool must_wait(const struct smtp_server *s)
{
	return s->sync && (s->due != SMTP_EVENT_NONE || s->nout > 0);
}

/* A client that must wait is read all the same: so it is seen when it does not. */
size_t smtp_server_want(const struct smtp_server *s)
{
	if (s->over || s->held)
		return 0;
	return must_wait(s) || (s->due == SMTP_EVENT_NONE && has_room(s)) ? WANT : 0;
}

void server_out(struct smtp_server *s, int64_t now, const char *p, size_t n)
{
	if (n > sizeof(s->out) - s->nout)
		return; /* only when the session ends while the peer does not read */
	if (s->nout == 0)
		s->wrote = now;
	memcpy(s->out + s->nout, p, n);
	s->nout += n;
	s->since = s->last = now;
}

static void out_reply(struct smtp_server *s, int64_t now, const struct smtp_reply *r)
{
	char text[SMTP_REPLY_SPACE];

	server_out(s, now, text, smtp_reply_write(text, sizeof(text), r->code, r->enhanced, r->text));
}

void server_say(struct smtp_server *s, int64_t now, enum smtp_answer what)
{
	const struct smtp_reply *r = smtp_answer_get(what);

	s->errors += r->code >= 500 ? 1 : 0;
	out_reply(s, now, r);
}

void server_gone(struct smtp_server *s, int64_t now, enum smtp_why why, enum smtp_answer what, struct smtp_event *ret)
{
	if (what != SMTP_SAY_OK)
		server_say(s, now, what);
	s->over = true;
	s->due = SMTP_EVENT_NONE;
	*ret = (struct smtp_event){.kind = SMTP_EVENT_GONE, .why = why, .size = s->size, .flags = s->text.flags};
}

void server_ask(struct smtp_server *s, enum smtp_event_kind kind, struct smtp_event *ret)
{
	s->due = (uint8_t)kind;
	ret->kind = kind;
}

void server_reset(struct smtp_server *s)
{
	s->in_mail = false;
	s->nrcpt = s->naccepted = 0;
	s->origin = (struct smtp_origin){0};
}

/* Answers. */

static void greet(struct smtp_server *s, int64_t now)
{
	char text[SMTP_DOMAIN_MAX + 16] = "", out[SMTP_REPLY_SPACE];

	strncat(text, s->options.name, SMTP_DOMAIN_MAX);
	strcat(text, " ESMTP");
	server_out(s, now, out, smtp_reply_write(out, sizeof(out), 220, NULL, text));
}

static void list_extensions(struct smtp_server *s, int64_t now)
{
	static const struct {
		unsigned extension;
		const char *text;
	} list[] = {
		{SMTP_PIPELINING, "PIPELINING"}, {SMTP_ENHANCED, "ENHANCEDSTATUSCODES"}, {SMTP_8BITMIME, "8BITMIME"},
		{SMTP_DSN, "DSN"}, {SMTP_STARTTLS, "STARTTLS"}, {SMTP_XCLIENT, "XCLIENT NAME ADDR PORT PROTO HELO"},
		{SMTP_XFORWARD, "XFORWARD NAME ADDR PORT PROTO HELO IDENT SOURCE"},
	};
	char text[SMTP_REPLY_SPACE], out[SMTP_REPLY_SPACE];
	unsigned offer = s->esmtp ? s->options.offer & ~(s->tls ? SMTP_STARTTLS : 0u) : 0;
	size_t n = (size_t)snprintf(text, sizeof(text), "%.255s", s->options.name);

	if (offer & SMTP_SIZE)
		n += (size_t)snprintf(text + n, sizeof(text) - n, "\nSIZE %" PRIu64, s->options.size_max);
	for (size_t i = 0; i < sizeof(list) / sizeof(list[0]); i++)
		if (offer & list[i].extension)
			n += (size_t)snprintf(text + n, sizeof(text) - n, "\n%s", list[i].text);
	server_out(s, now, out, smtp_reply_write(out, sizeof(out), 250, NULL, text));
}

static void start_text(struct smtp_server *s)
{
	s->state = SERVER_TEXT;
	s->text = (struct smtp_text){.state = TEXT_START};
	s->size = 0;
}

/* What the answer to `kind` changes. */
static void settle(struct smtp_server *s, enum smtp_event_kind kind, bool yes)
{
	if (kind == SMTP_EVENT_MAIL)
		s->in_mail = yes;
	else if (kind == SMTP_EVENT_RCPT)
		s->naccepted += yes ? 1 : 0;
	else if (kind == SMTP_EVENT_END || (kind == SMTP_EVENT_DATA && !yes))
		server_reset(s);
	else if (kind == SMTP_EVENT_DATA)
		start_text(s);
	else if (kind == SMTP_EVENT_STARTTLS && yes)
		s->state = SERVER_TLS;
	else if ((kind == SMTP_EVENT_HELO && !yes) || (kind == SMTP_EVENT_XCLIENT && yes))
		s->helo[0] = '\0';
	if (kind == SMTP_EVENT_END && yes) {
		s->messages++;
		s->errors = s->junk = 0;
	}
}

int smtp_server_accept(struct smtp_server *s, int64_t now)
{
	static const uint8_t plain[] = {
		[SMTP_EVENT_MAIL] = SMTP_SAY_MAIL_OK, [SMTP_EVENT_RCPT] = SMTP_SAY_RCPT_OK,
		[SMTP_EVENT_DATA] = SMTP_SAY_START_DATA, [SMTP_EVENT_END] = SMTP_SAY_SENT,
		[SMTP_EVENT_STARTTLS] = SMTP_SAY_TLS_READY,
	};
	enum smtp_event_kind kind = smtp_server_due(s);

	if (kind == SMTP_EVENT_NONE)
		return -EPROTO;
	s->due = SMTP_EVENT_NONE;
	settle(s, kind, true);
	if (kind == SMTP_EVENT_GREETING || kind == SMTP_EVENT_XCLIENT)
		greet(s, now);
	else if (kind == SMTP_EVENT_HELO)
		list_extensions(s, now);
	else
		server_say(s, now, (enum smtp_answer)plain[kind]);
	return 0;
}

/* Is this code a yes whose form is not the caller's to choose? */
static bool fixed_form(enum smtp_event_kind kind, unsigned code)
{
	return code < 400 && kind != SMTP_EVENT_MAIL && kind != SMTP_EVENT_RCPT && kind != SMTP_EVENT_END;
}

static bool code_fits(enum smtp_event_kind kind, unsigned code)
{
	return smtp_code_valid(code) && (code >= 400 || (kind == SMTP_EVENT_DATA ? code == 354 : code < 300));
}

/* The reply's bytes are known. */
static void conclude(struct smtp_server *s, int64_t now, unsigned code, const char *p, size_t n)
{
	enum smtp_event_kind kind = smtp_server_due(s);

	s->due = SMTP_EVENT_NONE;
	s->errors += code >= 500 ? 1 : 0;
	server_out(s, now, p, n);
	settle(s, kind, code < 400);
	s->over = code == 421 || (kind == SMTP_EVENT_GREETING && code >= 400);
}

int smtp_server_reply(struct smtp_server *s, int64_t now, unsigned code, const char *enhanced, const char *text)
{
	static const char *const classes[] = {"", "", "2.0.0", "", "4.0.0", "5.0.0"};
	enum smtp_event_kind kind = smtp_server_due(s);
	char out[SMTP_REPLY_SPACE];

	if (kind == SMTP_EVENT_NONE)
		return -EPROTO;
	if (!code_fits(kind, code))
		return smtp_server_answer(s, now, SMTP_SAY_DEFER);
	if (fixed_form(kind, code) || (text == NULL && code < 400))
		return smtp_server_accept(s, now);
	if (enhanced == NULL || !smtp_enhanced_valid(enhanced, code))
		enhanced = classes[code / 100];
	if (text == NULL)
		text = smtp_answer_get(code < 500 ? SMTP_SAY_DEFER : SMTP_SAY_REFUSED)->text;
	size_t n = smtp_reply_write(out, sizeof(out), code, enhanced, text);
	if (n == 0)
		return smtp_server_answer(s, now, SMTP_SAY_DEFER);
	conclude(s, now, code, out, n);
	return 0;
}

int smtp_server_answer(struct smtp_server *s, int64_t now, enum smtp_answer what)
{
	const struct smtp_reply *r = smtp_answer_get(what);

	return smtp_server_reply(s, now, r->code, r->enhanced, r->text);
}

/* The code of whole lines; 0 when they are no reply. */
static unsigned lines_code(const char *p, size_t n)
{
	unsigned code = 0;
	bool last = false;

	if (n > SMTP_REPLY_SPACE)
		return 0;
	while (n > 0) {
		const char *lf = memchr(p, '\n', n);
		size_t len = lf != NULL ? (size_t)(lf - p) + 1 : 0;
		if (last || len < 6 || len > SMTP_REPLY_LINE || lf[-1] != '\r' || !is_digit(p[0]) || !is_digit(p[1]) ||
			!is_digit(p[2]) || (p[3] != '-' && p[3] != ' '))
			return 0;
		for (size_t i = 0; i < len - 2; i++)
			if ((unsigned char)p[i] < ' ' || p[i] == 0x7f)
				return 0;
		unsigned c = (unsigned)(p[0] - '0') * 100 + (unsigned)(p[1] - '0') * 10 + (unsigned)(p[2] - '0');
		if (code != 0 && c != code)
			return 0;
		code = c;
		last = p[3] == ' ';
		p += len;
		n -= len;
	}
	return last ? code : 0;
}

int smtp_server_reply_lines(struct smtp_server *s, int64_t now, const char *lines, size_t n)
{
	enum smtp_event_kind kind = smtp_server_due(s);
	unsigned code = lines_code(lines, n);

	if (kind == SMTP_EVENT_NONE)
		return -EPROTO;
	if (code == 0)
		return -EINVAL;
	if (!code_fits(kind, code))
		return smtp_server_answer(s, now, SMTP_SAY_DEFER);
	if (fixed_form(kind, code))
		return smtp_server_accept(s, now);
	conclude(s, now, code, lines, n);
	return 0;
}

/* Reading. */

/* One line, or the part of it that is there. Returns bytes taken. */
static size_t read_line(struct smtp_server *s, int64_t now, const char *p, size_t n, struct smtp_event *ret)
{
	const char *lf = memchr(p, '\n', n);
	size_t len = lf != NULL ? (size_t)(lf - p) + 1 : n, room = sizeof(s->line) - s->nline;
	char before = len > 1 ? p[len - 2] : s->before;

	s->before = p[len - 1];
	s->too_long = s->too_long || len > room;
	if (lf != NULL && s->nline == 0 && !s->too_long && before == '\r') {
		server_command(s, now, p, len - 2, len < n, ret); /* the usual case: whole */
		return len;
	}
	if (!s->too_long) {
		memcpy(s->line + s->nline, p, len);
		s->nline += len;
	}
	if (lf == NULL)
		return len;
	size_t line = s->nline;
	bool too_long = s->too_long;
	s->nline = 0;
	s->too_long = false;
	if (before != '\r')
		server_gone(s, now, SMTP_WHY_JUNK, SMTP_SAY_BARE_LF_COMMAND, ret);
	else
		server_command(s, now, too_long ? NULL : s->line, too_long ? 0 : line - 2, len < n, ret);
	return len;
}

static enum smtp_why spoilt(const struct smtp_server *s)
{
	if (s->text.flags & SMTP_SEEN_BARE_CR)
		return SMTP_WHY_BARE_CR;
	if (s->text.flags & SMTP_SEEN_BARE_LF)
		return SMTP_WHY_BARE_LF;
	if (s->text.flags & SMTP_SEEN_NUL)
		return SMTP_WHY_NUL;
	if (s->text.flags & SMTP_SEEN_DOT)
		return SMTP_WHY_DOT;
	if (s->text.flags & SMTP_SEEN_SIZE)
		return SMTP_WHY_SIZE;
	return s->text.flags & SMTP_SEEN_LONG_LINE && s->options.refuse_long_lines ? SMTP_WHY_LONG_LINE : SMTP_WHY_NONE;
}

static void end_text(struct smtp_server *s, int64_t now, struct smtp_event *ret)
{
	static const uint8_t answers[] = {
		[SMTP_WHY_BARE_CR] = SMTP_SAY_BARE_CR, [SMTP_WHY_BARE_LF] = SMTP_SAY_BARE_LF, [SMTP_WHY_NUL] = SMTP_SAY_NUL,
		[SMTP_WHY_DOT] = SMTP_SAY_DOT, [SMTP_WHY_LONG_LINE] = SMTP_SAY_LONG_LINE, [SMTP_WHY_SIZE] = SMTP_SAY_TOO_BIG,
	};
	enum smtp_why why = spoilt(s);

	s->state = SERVER_COMMAND;
	*ret = (struct smtp_event){.kind = SMTP_EVENT_END, .why = why, .size = s->size, .flags = s->text.flags};
	if (why == SMTP_WHY_NONE) {
		server_ask(s, SMTP_EVENT_END, ret);
		return;
	}
	server_say(s, now, (enum smtp_answer)answers[why]);
	server_reset(s);
}

static size_t read_text(struct smtp_server *s, int64_t now, const uint8_t *p, size_t n, struct smtp_event *ret)
{
	struct text_span span = server_text(s, p, n);
	uint64_t most = s->options.size_max;

	if (most > 0 && s->size > most)
		s->text.flags |= SMTP_SEEN_SIZE;
	if (span.end)
		end_text(s, now, ret);
	else if (most > 0 && s->size / 2 > most && s->size - 2 * most > ENDLESS)
		server_gone(s, now, SMTP_WHY_SIZE, SMTP_SAY_TOO_BIG, ret);
	else if (span.n > 0 && spoilt(s) == SMTP_WHY_NONE)
		*ret = (struct smtp_event){.kind = SMTP_EVENT_BYTES, .data = span.data, .n = span.n};
	return span.taken;
}

size_t smtp_server_push(struct smtp_server *s, int64_t now, const void *p, size_t n, struct smtp_event *ret)
{
	const uint8_t *bytes = p;
	size_t i = 0;

	*ret = (struct smtp_event){0};
	if (s->over)
		return n;
	if (n > 0 && must_wait(s)) {
		bool early = s->due == SMTP_EVENT_GREETING, tls = s->due == SMTP_EVENT_STARTTLS || s->state == SERVER_TLS;
		server_gone(s, now, tls ? SMTP_WHY_INJECTED : SMTP_WHY_PIPELINED,
			early ? SMTP_SAY_EARLY : tls ? SMTP_SAY_INJECTED : SMTP_SAY_PIPELINED, ret);
		return n;
	}
	while (i < n && ret->kind == SMTP_EVENT_NONE && s->due == SMTP_EVENT_NONE && !s->held && has_room(s)) {
		s->last = now;
		if (s->state == SERVER_TEXT) {
			i += read_text(s, now, bytes + i, n - i, ret);
		} else if (s->state == SERVER_COMMAND) {
			i += read_line(s, now, (const char *)bytes + i, n - i, ret);
		} else { /* in clear, where a handshake is awaited */
			server_gone(s, now, SMTP_WHY_INJECTED, SMTP_SAY_OK, ret);
			i = n;
		}
	}
	return i;
}

void smtp_server_closed(struct smtp_server *s, int64_t now, struct smtp_event *ret)
{
	*ret = (struct smtp_event){0};
	if (!s->over)
		server_gone(s, now, SMTP_WHY_CLOSED, SMTP_SAY_OK, ret);
	s->nout = 0;
}

const char *smtp_server_output(const struct smtp_server *s, size_t *ret_n)
{
	*ret_n = s->nout;
	return s->out;
}

void smtp_server_sent(struct smtp_server *s, int64_t now, size_t n)
{
	n = n < s->nout ? n : s->nout;
	memmove(s->out, s->out + n, s->nout - n);
	s->nout -= n;
	s->wrote = n > 0 ? now : s->wrote;
	if (s->nout == 0 && s->due == SMTP_EVENT_NONE)
		s->sync = false;
}

bool smtp_server_securing(const struct smtp_server *s)
{
	return s->state == SERVER_TLS && !s->over && s->nout == 0;
}

void smtp_server_secured(struct smtp_server *s, int64_t now)
{
	server_reset(s);
	s->state = SERVER_COMMAND;
	s->tls = true;
	s->esmtp = s->sync = s->too_long = false;
	s->helo[0] = s->before = '\0';
	s->nline = s->nout = 0;
	s->since = now;
}

/* Time. */

void smtp_server_hold(struct smtp_server *s, int64_t now, bool hold)
{
	if (hold && !s->held)
		s->held_at = now;
	if (!hold && s->held) {
		s->since += now - s->held_at;
		s->last = now;
	}
	s->held = hold;
}

void smtp_server_drain(struct smtp_server *s, int64_t now)
{
	(void)now;
	s->draining = true;
}

void smtp_server_break(struct smtp_server *s, int64_t now, const char *enhanced, const char *text)
{
	char out[SMTP_REPLY_SPACE];

	if (s->over)
		return;
	server_out(s, now, out, smtp_reply_write(out, sizeof(out), 421, enhanced, text));
	s->over = true;
	s->due = SMTP_EVENT_NONE;
}

static bool drained(const struct smtp_server *s)
{
	return s->draining && s->state == SERVER_COMMAND && !s->in_mail && s->due == SMTP_EVENT_NONE;
}

/* When the message must have come to an end at its least rate. */
static int64_t slow_at(const struct smtp_server *s)
{
	uint64_t ms = s->size / s->options.times.rate * 1000;

	return s->since + s->options.times.grace + (int64_t)(ms < INT64_MAX / 4 ? ms : INT64_MAX / 4);
}

/* The whole session's. A message that began within its time has that time for itself: else the last one would be cut. */
static int64_t session_end(const struct smtp_server *s)
{
	if (s->due != SMTP_EVENT_NONE)
		return SMTP_NEVER;
	return (s->state == SERVER_TEXT ? s->since : s->begun) + s->options.times.session;
}

/* The earliest deadline, and what it means. */
static int64_t deadline(const struct smtp_server *s, enum smtp_why *ret_why, enum smtp_answer *ret_say)
{
	const struct smtp_server_times *t = &s->options.times;
	struct {
		int64_t at;
		enum smtp_why why;
		enum smtp_answer say;
	} all[] = {
		{drained(s) ? 0 : SMTP_NEVER, SMTP_WHY_DRAIN, SMTP_SAY_DRAIN},
		{s->nout > 0 ? s->wrote + t->command : SMTP_NEVER, SMTP_WHY_STALLED, SMTP_SAY_OK},
		{session_end(s), SMTP_WHY_SESSION, SMTP_SAY_SESSION},
		{s->due != SMTP_EVENT_NONE || s->held || s->state == SERVER_TEXT ? SMTP_NEVER : s->since + t->command,
			SMTP_WHY_TIMEOUT, SMTP_SAY_TIMEOUT},
		{s->state != SERVER_TEXT || s->held ? SMTP_NEVER : s->last + t->block, SMTP_WHY_TIMEOUT, SMTP_SAY_TIMEOUT},
		{s->state != SERVER_TEXT || s->held ? SMTP_NEVER : slow_at(s), SMTP_WHY_SLOW, SMTP_SAY_SLOW},
	};
	size_t first = 0;

	for (size_t i = 1; i < sizeof(all) / sizeof(all[0]); i++)
		if (all[i].at < all[first].at)
			first = i;
	*ret_why = all[first].why;
	*ret_say = s->state == SERVER_TLS ? SMTP_SAY_OK : all[first].say;
	return all[first].at;
}

int64_t smtp_server_deadline(const struct smtp_server *s)
{
	enum smtp_why why;
	enum smtp_answer say;

	if (s->over)
		return s->nout > 0 ? s->wrote + LINGER_MS : SMTP_NEVER;
	return deadline(s, &why, &say);
}

void smtp_server_tick(struct smtp_server *s, int64_t now, struct smtp_event *ret)
{
	enum smtp_why why;
	enum smtp_answer say;

	*ret = (struct smtp_event){0};
	if (now < smtp_server_deadline(s))
		return;
	if (s->over) {
		s->nout = 0;
		return;
	}
	deadline(s, &why, &say);
	server_gone(s, now, why, say, ret);
}
