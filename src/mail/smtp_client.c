/*
 * smtp_client.c: the client's side of a conversation: commands, replies in their order, the message, time.
 *
 * Input: envelopes and text of our own processes, which are checked once more before a byte of them is queued: an
 * address must parse to itself, text must have CRLF for line ends and no NUL, so that no fault before us can make a
 * second command or a second message. Replies of the next hop: smtp_client_reply.c. A reply that comes before its
 * command was sent is a lie or the end of the session, never an answer: 250 for a dot that was not written cannot be.
 */
#include <errno.h>
#include <stdio.h>
#include <string.h>

#include "smtp_client_private.h"

#define DOT_MAX 5u /* CRLF . CRLF: kept free for smtp_client_finish() */
#define FORWARDS (SMTP_XFORWARD | SMTP_PIPELINING) /* all that have the one have the other */
#define SPOILT ((unsigned)SMTP_SEEN_BARE_CR | SMTP_SEEN_BARE_LF | SMTP_SEEN_NUL)
#define LINE_MAX_OUT (SMTP_EXTENDED_MAX + 128u)

static int64_t or_default(int64_t v, int64_t otherwise)
{
	return v > 0 ? v : otherwise;
}

/* The queue of what is outstanding. */

static void put(struct smtp_client *c, enum pending kind, const char *p, size_t n)
{
	memcpy(c->out + c->nout, p, n);
	c->nout += n;
	c->queued += n;
	unsigned at = (c->head + c->count++) % SMTP_CLIENT_QUEUE;
	c->queue[at].kind = (uint8_t)kind;
	c->queue[at].end = c->queued;
}

/* For so many commands of n bytes altogether. */
static bool has_room(const struct smtp_client *c, size_t n, unsigned commands)
{
	return n <= sizeof(c->out) - c->nout && c->count + commands <= SMTP_CLIENT_QUEUE;
}

static void put_line(struct smtp_client *c, enum pending kind, const char *verb, const char *argument)
{
	char line[SMTP_COMMAND_MAX];
	int n = snprintf(line, sizeof(line), "%s%s%.255s\r\n", verb, *argument != '\0' ? " " : "", argument);

	put(c, kind, line, (size_t)n);
}

void smtp_client_begin(struct smtp_client *c, const struct smtp_client_options *options, int64_t now)
{
	struct smtp_client_times *t = &c->options.times;

	*c = (struct smtp_client){.options = *options, .state = CLIENT_HELLO, .since = now};
	t->greeting = or_default(t->greeting, 300000);
	t->command = or_default(t->command, 300000);
	t->data = or_default(t->data, 120000);
	t->block = or_default(t->block, 180000);
	t->final = or_default(t->final, 480000);
	t->quit = or_default(t->quit, 10000);
	put(c, PENDING_GREETING, "", 0);
}

void smtp_client_secured(struct smtp_client *c, int64_t now)
{
	c->state = CLIENT_HELLO;
	c->tls = true;
	c->extensions = c->forwards = 0;
	c->size_max = 0;
	c->nline = c->nlines = 0;
	c->since = now;
	put_line(c, PENDING_EHLO, "EHLO", c->options.name);
}

/* Commands. */

/* Before a command is queued: the time of the first one that is outstanding counts. */
static void begin_wait(struct smtp_client *c, int64_t now)
{
	if (c->count == 0)
		c->since = now;
}

/* 0 when so many commands of n bytes altogether may be queued now. */
static int may_queue(const struct smtp_client *c, size_t n, unsigned commands)
{
	if (c->over || c->state != CLIENT_READY)
		return c->state == CLIENT_HELLO && !c->over ? -EAGAIN : -EPROTO;
	if (c->count > 0 && !(c->extensions & SMTP_PIPELINING))
		return -EAGAIN;
	unsigned last = (c->head + c->count - 1) % SMTP_CLIENT_QUEUE;
	if (c->count > 0 && c->queue[last].kind == PENDING_DATA)
		return -EAGAIN;
	return has_room(c, n, commands) ? 0 : -EAGAIN;
}

/* An address is sent only when it parses to itself. */
static bool address_holds(const struct smtp_address *a)
{
	char path[SMTP_PATH_MAX + 3];
	struct smtp_address again;
	size_t taken, n = (size_t)snprintf(path, sizeof(path), "<%.255s>", a->text);

	return smtp_address_parse(path, n, &again, &taken) == SMTP_ADDRESS_OK && taken == n && strcmp(again.text, a->text) == 0;
}

static bool text_holds(const char *p, size_t max)
{
	size_t n = strnlen(p, max + 1);

	for (size_t i = 0; i < n; i++)
		if (!is_graph(p[i]))
			return false;
	return n <= max;
}

static void send_origin(struct smtp_client *c, const struct smtp_origin *o)
{
	static const unsigned halves[] = {ORIGIN_NAME | ORIGIN_ADDR | ORIGIN_PORT | ORIGIN_PROTO,
		ORIGIN_HELO | ORIGIN_IDENT | ORIGIN_SOURCE}; /* a line each: 512 octets are not enough for two names */
	char line[ORIGIN_LINE_MAX];

	for (size_t i = 0; i < 2; i++) {
		size_t n = origin_write(o, c->forwards & halves[i], line);
		if (n > 0)
			put(c, PENDING_XFORWARD, line, n);
	}
}

static int write_mail(const struct smtp_client *c, const struct smtp_mail *m, char *out)
{
	static const char *const bodies[] = {"", " BODY=7BIT", " BODY=8BITMIME"};
	static const char *const rets[] = {"", " RET=FULL", " RET=HDRS"};
	bool dsn = c->extensions & SMTP_DSN;
	char size[32] = "";

	if (m->size > 0 && c->extensions & SMTP_SIZE)
		snprintf(size, sizeof(size), " SIZE=%llu", (unsigned long long)m->size);
	return snprintf(out, LINE_MAX_OUT, "MAIL FROM:<%s>%s%s%s%s%s\r\n", m->from.text, size,
		c->extensions & SMTP_8BITMIME ? bodies[m->body] : "", dsn ? rets[m->ret] : "",
		dsn && m->envid[0] != '\0' ? " ENVID=" : "", dsn ? m->envid : "");
}

int smtp_client_mail(struct smtp_client *c, int64_t now, const struct smtp_mail *m, const struct smtp_origin *origin)
{
	char line[LINE_MAX_OUT];
	bool forward = origin != NULL && c->options.forward && (c->extensions & FORWARDS) == FORWARDS;
	int r = may_queue(c, LINE_MAX_OUT + (forward ? ORIGIN_LINE_MAX : 0), forward ? 3 : 1);

	if (r == 0 && c->in_mail)
		return -EPROTO;
	if (r != 0)
		return r;
	if (!address_holds(&m->from) || !text_holds(m->envid, SMTP_ENVID_MAX) || m->body > SMTP_BODY_8BIT ||
		m->ret > SMTP_RET_HDRS)
		return -EINVAL;
	if (c->size_max > 0 && m->size > c->size_max)
		return -EMSGSIZE;
	begin_wait(c, now);
	if (forward)
		send_origin(c, origin);
	put(c, PENDING_MAIL, line, (size_t)write_mail(c, m, line));
	c->in_mail = true;
	c->nrcpt = c->nreplied = c->naccepted = 0;
	return 0;
}

/* "SUCCESS,FAILURE" */
static void write_notify(unsigned bits, char out[40])
{
	static const char *const words[] = {"NEVER", "SUCCESS", "FAILURE", "DELAY"};
	char *end = out;

	for (unsigned i = 0; i < 4; i++) {
		if (!(bits & 1u << i))
			continue;
		if (end != out)
			*end++ = ',';
		end = stpcpy(end, words[i]);
	}
	*end = '\0';
}

int smtp_client_rcpt(struct smtp_client *c, int64_t now, const struct smtp_rcpt *rcpt)
{
	char line[LINE_MAX_OUT], notify[40];
	int r = may_queue(c, sizeof(line), 1);
	bool dsn = c->extensions & SMTP_DSN, told = dsn && rcpt->notify != 0, orcpt = dsn && rcpt->orcpt[0] != '\0';

	if (r != 0 || !c->in_mail)
		return r != 0 ? r : -EPROTO;
	if (rcpt->to.flags & SMTP_ADDRESS_NULL || !address_holds(&rcpt->to) || !text_holds(rcpt->orcpt, SMTP_ORCPT_MAX))
		return -EINVAL;
	write_notify(rcpt->notify, notify);
	int n = snprintf(line, sizeof(line), "RCPT TO:<%s>%s%s%s%s\r\n", rcpt->to.text, told ? " NOTIFY=" : "",
		told ? notify : "", orcpt ? " ORCPT=" : "", orcpt ? rcpt->orcpt : "");
	begin_wait(c, now);
	put(c, PENDING_RCPT, line, (size_t)n);
	c->nrcpt++;
	return 0;
}

static int simple(struct smtp_client *c, int64_t now, enum pending kind, const char *verb)
{
	int r = may_queue(c, SMTP_COMMAND_MAX, 1);

	if (r != 0)
		return r;
	begin_wait(c, now);
	put_line(c, kind, verb, "");
	return 0;
}

int smtp_client_data(struct smtp_client *c, int64_t now)
{
	return c->nrcpt == 0 || !c->in_mail ? -EPROTO : simple(c, now, PENDING_DATA, "DATA");
}

int smtp_client_reset(struct smtp_client *c, int64_t now)
{
	int r = simple(c, now, PENDING_RSET, "RSET");

	c->in_mail = r == 0 ? false : c->in_mail;
	return r;
}

int smtp_client_quit(struct smtp_client *c, int64_t now)
{
	int r = simple(c, now, PENDING_QUIT, "QUIT");

	c->state = r == 0 ? CLIENT_QUIT : c->state;
	return r;
}

/* The message. */

/* Up to the end of a line, of what there is room for; a dot at its beginning gets a second one. Returns bytes taken. */
static size_t write_piece(struct smtp_client *c, const uint8_t *p, size_t n)
{
	size_t room = sizeof(c->out) - c->nout - DOT_MAX, took;

	if (c->text.state == TEXT_CR)
		took = text_after_cr(&c->text, p[0]) ? 1 : 0;
	else if (c->text.state == TEXT_START && p[0] == '.')
		c->out[c->nout++] = '.', c->queued++, room--, took = text_line(&c->text, p, n < room ? n : room);
	else
		took = text_line(&c->text, p, n < room ? n : room);
	memcpy(c->out + c->nout, p, took);
	c->nout += took;
	c->queued += took;
	return took;
}

ssize_t smtp_client_write(struct smtp_client *c, int64_t now, const void *p, size_t n)
{
	const uint8_t *bytes = p;
	size_t i = 0;

	if (c->over || c->state != CLIENT_TEXT)
		return -EPROTO;
	if (c->nout == 0)
		c->since = now;
	while (i < n && sizeof(c->out) - c->nout > DOT_MAX + 2)
		i += write_piece(c, bytes + i, n - i);
	if (i > 0 && memchr(bytes, '\0', i) != NULL)
		c->text.flags |= SMTP_SEEN_NUL;
	return c->text.flags & SPOILT ? -EBADMSG : (ssize_t)i;
}

int smtp_client_finish(struct smtp_client *c, int64_t now)
{
	static const char end[] = "\r\n.\r\n";
	bool whole = c->text.state == TEXT_START;

	if (c->over || c->state != CLIENT_TEXT)
		return -EPROTO;
	if (c->text.flags & SPOILT || c->text.state == TEXT_CR)
		return -EBADMSG;
	put(c, PENDING_DOT, whole ? end + 2 : end, whole ? 3 : 5);
	c->state = CLIENT_FINAL;
	c->since = now;
	return 0;
}

void smtp_client_abort(struct smtp_client *c)
{
	c->over = true;
	c->nout = 0;
}

/* Replies. */

static void gone(struct smtp_client *c, enum smtp_why why, bool replied, struct smtp_client_event *ret)
{
	smtp_client_abort(c);
	*ret = (struct smtp_client_event){.kind = SMTP_CLIENT_GONE, .why = why, .reply = replied ? &c->reply : NULL};
}

static void ready(struct smtp_client *c, struct smtp_client_event *ret)
{
	c->state = CLIENT_READY;
	ret->kind = SMTP_CLIENT_READY;
	ret->reply = NULL;
}

/* EHLO was answered. */
static void greeted(struct smtp_client *c, bool yes, struct smtp_client_event *ret)
{
	const struct smtp_client_options *o = &c->options;
	bool offered = yes && c->extensions & SMTP_STARTTLS;

	c->esmtp = yes;
	if (!yes && c->reply.code < 500)
		gone(c, SMTP_WHY_HOP_REFUSED, true, ret);
	else if (o->need_tls && !c->tls && !offered)
		gone(c, SMTP_WHY_HOP_TLS, false, ret);
	else if (!yes)
		put_line(c, PENDING_HELO, "HELO", o->name);
	else if ((o->tls || o->need_tls) && !c->tls && offered)
		put_line(c, PENDING_STARTTLS, "STARTTLS", "");
	else
		ready(c, ret);
}

static void tls_answered(struct smtp_client *c, bool yes, struct smtp_client_event *ret)
{
	if (yes) {
		c->state = CLIENT_TLS;
		ret->kind = SMTP_CLIENT_STARTTLS;
	} else if (c->options.need_tls) {
		gone(c, SMTP_WHY_HOP_TLS, true, ret);
	} else {
		ready(c, ret);
	}
}

static void data_answered(struct smtp_client *c, struct smtp_client_event *ret)
{
	ret->kind = SMTP_CLIENT_DATA;
	if (c->reply.code == 354 && c->naccepted == 0) {
		gone(c, SMTP_WHY_HOP_UNEXPECTED, true, ret); /* to whom? */
	} else if (c->reply.code == 354) {
		c->state = CLIENT_TEXT;
		c->text = (struct smtp_text){.state = TEXT_START};
	}
}

/* A whole reply to `kind`, which is no longer outstanding. Flat: one case each. */
static void replied(struct smtp_client *c, enum pending kind, struct smtp_client_event *ret)
{
	bool yes = c->reply.code < 400;

	ret->reply = &c->reply;
	switch (kind) {
	case PENDING_GREETING:
		if (yes)
			put_line(c, PENDING_EHLO, "EHLO", c->options.name);
		else
			gone(c, SMTP_WHY_HOP_REFUSED, true, ret);
		break;
	case PENDING_EHLO:
		greeted(c, yes, ret);
		break;
	case PENDING_HELO:
		if (yes)
			ready(c, ret);
		else
			gone(c, SMTP_WHY_HOP_REFUSED, true, ret);
		break;
	case PENDING_STARTTLS:
		tls_answered(c, yes, ret);
		break;
	case PENDING_XFORWARD:
		break; /* it only helps their log */
	case PENDING_MAIL:
		ret->kind = SMTP_CLIENT_MAIL;
		break;
	case PENDING_RCPT:
		ret->kind = SMTP_CLIENT_RCPT;
		ret->index = c->nreplied++;
		c->naccepted += yes ? 1 : 0;
		break;
	case PENDING_DATA:
		data_answered(c, ret);
		break;
	case PENDING_DOT:
		ret->kind = SMTP_CLIENT_SENT;
		c->state = CLIENT_READY;
		c->in_mail = false;
		break;
	case PENDING_RSET:
		ret->kind = SMTP_CLIENT_RESET;
		if (!yes) /* what it still holds nobody knows */
			gone(c, SMTP_WHY_HOP_REFUSED, true, ret);
		break;
	case PENDING_QUIT:
		gone(c, SMTP_WHY_HOP_QUIT, true, ret);
		break;
	}
}

/* A reply that nothing asked for. */
static void unasked(struct smtp_client *c, struct smtp_client_event *ret)
{
	bool refusal = c->reply.code >= 400 && (c->reply.code == 421 || c->state == CLIENT_TEXT || c->state == CLIENT_FINAL);

	gone(c, refusal ? SMTP_WHY_HOP_REFUSED : SMTP_WHY_HOP_UNEXPECTED, refusal, ret);
}

/* Does the code belong to what was asked? */
static bool code_belongs(enum pending kind, unsigned code)
{
	if (code >= 400)
		return true;
	if (kind == PENDING_GREETING || kind == PENDING_STARTTLS)
		return code == 220;
	return kind == PENDING_DATA ? code == 354 : code < 300;
}

static void take_reply(struct smtp_client *c, int64_t now, struct smtp_client_event *ret)
{
	enum pending kind = (enum pending)c->queue[c->head].kind;

	if (c->count == 0 || c->early) {
		unasked(c, ret);
		return;
	}
	if (!code_belongs(kind, c->reply.code)) {
		gone(c, SMTP_WHY_HOP_REPLY, true, ret);
		return;
	}
	if (c->reply.code == 421 && kind != PENDING_QUIT) {
		gone(c, SMTP_WHY_HOP_REFUSED, true, ret);
		return;
	}
	c->head = (c->head + 1) % SMTP_CLIENT_QUEUE;
	c->count--;
	c->since = now;
	replied(c, kind, ret);
}

/* Bytes of one line, or the part that is there. Returns bytes taken. */
static size_t read_line(struct smtp_client *c, int64_t now, const char *p, size_t n, struct smtp_client_event *ret)
{
	const char *lf = memchr(p, '\n', n);
	size_t len = lf != NULL ? (size_t)(lf - p) + 1 : n;

	if (c->nline == 0 && c->nlines == 0)
		c->early = c->count == 0 || c->queue[c->head].end > c->sent;
	if (len > sizeof(c->line) - c->nline) {
		gone(c, SMTP_WHY_HOP_REPLY, false, ret);
		return n;
	}
	memcpy(c->line + c->nline, p, len);
	c->nline += len;
	if (lf == NULL)
		return len;
	int r = client_reply_line(c, c->line, c->nline);
	c->nline = 0;
	if (r < 0)
		gone(c, SMTP_WHY_HOP_REPLY, false, ret);
	else if (r > 0)
		take_reply(c, now, ret);
	return len;
}

size_t smtp_client_push(struct smtp_client *c, int64_t now, const void *p, size_t n, struct smtp_client_event *ret)
{
	size_t i = 0;

	*ret = (struct smtp_client_event){0};
	if (c->over)
		return n;
	if (n > 0 && c->state == CLIENT_TLS)
		gone(c, SMTP_WHY_HOP_UNEXPECTED, false, ret); /* in clear, behind its yes to STARTTLS */
	while (i < n && ret->kind == SMTP_CLIENT_NONE)
		i += read_line(c, now, (const char *)p + i, n - i, ret);
	return c->over ? n : i;
}

void smtp_client_closed(struct smtp_client *c, int64_t now, struct smtp_client_event *ret)
{
	(void)now;
	*ret = (struct smtp_client_event){0};
	if (!c->over)
		gone(c, c->state == CLIENT_QUIT ? SMTP_WHY_HOP_QUIT : SMTP_WHY_HOP_CLOSED, false, ret);
}

const char *smtp_client_output(const struct smtp_client *c, size_t *ret_n)
{
	*ret_n = c->nout;
	return c->out;
}

void smtp_client_sent(struct smtp_client *c, int64_t now, size_t n)
{
	n = n < c->nout ? n : c->nout;
	memmove(c->out, c->out + n, c->nout - n);
	c->nout -= n;
	c->sent += n;
	c->since = n > 0 ? now : c->since;
}

bool smtp_client_idle(const struct smtp_client *c)
{
	return !c->over && c->state == CLIENT_READY && c->count == 0 && !c->in_mail;
}

bool smtp_client_over(const struct smtp_client *c)
{
	return c->over;
}

/* Time. */

int64_t smtp_client_deadline(const struct smtp_client *c)
{
	const struct smtp_client_times *t = &c->options.times;
	int64_t wait = t->command;

	if (c->over)
		return SMTP_NEVER;
	if (c->nout > 0)
		wait = t->block;
	else if (c->count > 0) {
		switch ((enum pending)c->queue[c->head].kind) {
		case PENDING_GREETING:
			wait = t->greeting;
			break;
		case PENDING_DATA:
			wait = t->data;
			break;
		case PENDING_DOT:
			wait = t->final;
			break;
		case PENDING_QUIT:
			wait = t->quit;
			break;
		default:
			break;
		}
	} else if (c->state != CLIENT_TLS)
		return SMTP_NEVER;
	return c->since + wait;
}

void smtp_client_tick(struct smtp_client *c, int64_t now, struct smtp_client_event *ret)
{
	*ret = (struct smtp_client_event){0};
	if (now >= smtp_client_deadline(c))
		gone(c, SMTP_WHY_HOP_TIMEOUT, false, ret);
}
