/*
 * smtp_command.c: the commands of SMTP: which there are, in which order, and who answers (RFC 5321 4.1, 4.1.4).
 *
 * Input: one line of a stranger, which may hold any byte. The machine refuses by itself whatever the protocol does not
 * have here; the caller decides only about what is well formed and in its place. AUTH, BDAT, EXPN, TURN and ETRN are not
 * offered. A client that sends a piece of a message behind BDAT all the same, or a message whose DATA was refused (a line
 * `Word:` is no command), or speaks HTTP, is not waited for: it is closed, before its content can be read as commands.
 */
#include <string.h>
#include <strings.h>

#include "smtp_server_private.h"

/* One command as it is dealt with. */
struct call {
	int64_t now;
	const char *args; /* behind the verb and its blank, without blanks at the end */
	size_t n;
	struct smtp_event *ret;
};

static void say(struct smtp_server *s, const struct call *c, enum smtp_answer what)
{
	server_say(s, c->now, what);
}

static void hello(struct smtp_server *s, const struct call *c, bool esmtp)
{
	char name[SMTP_DOMAIN_MAX + 1];

	if (c->n == 0 || !smtp_domain_parse(c->args, c->n, name)) {
		say(s, c, SMTP_SAY_HELO_NAME);
		return;
	}
	server_reset(s);
	strcpy(s->helo, name);
	s->esmtp = esmtp;
	c->ret->helo = s->helo;
	c->ret->esmtp = esmtp;
	server_ask(s, SMTP_EVENT_HELO, c->ret);
}

static void do_helo(struct smtp_server *s, const struct call *c)
{
	hello(s, c, false);
}

static void do_ehlo(struct smtp_server *s, const struct call *c)
{
	hello(s, c, true);
}

static void do_mail(struct smtp_server *s, const struct call *c)
{
	enum smtp_answer wrong = SMTP_SAY_OK;

	if (s->helo[0] == '\0')
		wrong = SMTP_SAY_HELO_FIRST;
	else if (s->options.need_tls && !s->tls)
		wrong = SMTP_SAY_NEED_TLS;
	else if (s->in_mail)
		wrong = SMTP_SAY_NESTED_MAIL;
	else
		wrong = server_parse_mail(s, c->args, c->n);
	if (wrong == SMTP_SAY_OK && s->options.size_max > 0 && s->mail.size > s->options.size_max)
		wrong = SMTP_SAY_TOO_BIG_CLAIM;
	if (wrong != SMTP_SAY_OK) {
		say(s, c, wrong);
		return;
	}
	c->ret->mail = &s->mail;
	server_ask(s, SMTP_EVENT_MAIL, c->ret);
}

static void do_rcpt(struct smtp_server *s, const struct call *c)
{
	enum smtp_answer wrong = SMTP_SAY_OK;

	if (!s->in_mail)
		wrong = SMTP_SAY_NEED_MAIL;
	else if (s->naccepted >= s->options.rcpt_max)
		wrong = SMTP_SAY_TOO_MANY_RCPT;
	else
		wrong = server_parse_rcpt(s, c->args, c->n);
	s->nrcpt++;
	if (wrong != SMTP_SAY_OK) {
		say(s, c, wrong);
		return;
	}
	c->ret->rcpt = &s->rcpt;
	server_ask(s, SMTP_EVENT_RCPT, c->ret);
}

static void do_data(struct smtp_server *s, const struct call *c)
{
	if (!s->in_mail)
		say(s, c, SMTP_SAY_NEED_MAIL);
	else if (s->naccepted == 0)
		say(s, c, s->nrcpt == 0 ? SMTP_SAY_NEED_RCPT : SMTP_SAY_NO_RCPT);
	else
		server_ask(s, SMTP_EVENT_DATA, c->ret);
}

static void do_rset(struct smtp_server *s, const struct call *c)
{
	c->ret->kind = s->in_mail ? SMTP_EVENT_RESET : SMTP_EVENT_NONE;
	server_reset(s);
	say(s, c, SMTP_SAY_OK);
}

static void do_noop(struct smtp_server *s, const struct call *c)
{
	say(s, c, SMTP_SAY_OK);
}

static void do_vrfy(struct smtp_server *s, const struct call *c)
{
	say(s, c, c->n > 0 ? SMTP_SAY_VRFY : SMTP_SAY_SYNTAX);
}

static void do_quit(struct smtp_server *s, const struct call *c)
{
	server_gone(s, c->now, SMTP_WHY_QUIT, SMTP_SAY_BYE, c->ret);
}

static void do_starttls(struct smtp_server *s, const struct call *c)
{
	if (s->tls)
		say(s, c, SMTP_SAY_TLS_ALREADY);
	else if (!(s->options.offer & SMTP_STARTTLS))
		say(s, c, SMTP_SAY_NOT_HERE);
	else if (!s->esmtp || s->in_mail)
		say(s, c, SMTP_SAY_SEQUENCE);
	else
		server_ask(s, SMTP_EVENT_STARTTLS, c->ret);
}

static void do_xclient(struct smtp_server *s, const struct call *c)
{
	struct smtp_origin origin = {0};

	if (!(s->options.offer & SMTP_XCLIENT) || s->in_mail) {
		say(s, c, s->in_mail ? SMTP_SAY_SEQUENCE : SMTP_SAY_NOT_HERE);
	} else if (!origin_parse(c->args, c->n, false, &origin)) {
		say(s, c, SMTP_SAY_PARAMETER_VALUE);
	} else {
		s->origin = origin;
		c->ret->origin = &s->origin;
		server_ask(s, SMTP_EVENT_XCLIENT, c->ret);
	}
}

static void do_xforward(struct smtp_server *s, const struct call *c)
{
	struct smtp_origin origin = s->origin;

	if (!(s->options.offer & SMTP_XFORWARD) || s->in_mail) {
		say(s, c, s->in_mail ? SMTP_SAY_SEQUENCE : SMTP_SAY_NOT_HERE);
	} else if (!origin_parse(c->args, c->n, true, &origin)) {
		say(s, c, SMTP_SAY_PARAMETER_VALUE);
	} else {
		s->origin = origin;
		c->ret->kind = SMTP_EVENT_XFORWARD;
		c->ret->origin = &s->origin;
		say(s, c, SMTP_SAY_OK);
	}
}

static void do_refused(struct smtp_server *s, const struct call *c)
{
	say(s, c, SMTP_SAY_NOT_HERE);
}

static void do_chunk(struct smtp_server *s, const struct call *c)
{
	server_gone(s, c->now, SMTP_WHY_JUNK, SMTP_SAY_NOT_HERE, c->ret);
}

static void do_other_protocol(struct smtp_server *s, const struct call *c)
{
	server_gone(s, c->now, SMTP_WHY_JUNK, SMTP_SAY_NOT_SMTP, c->ret);
}

enum verb_flag {
	VERB_SYNC = 1,	/* the last one before the client waits */
	VERB_ALONE = 2, /* has no argument */
	VERB_JUNK = 4,	/* does nothing for a message */
	VERB_LONG = 8,	/* its line may be longer than 512 */
	VERB_ANY = 16,	/* goes on where the budget of errors is used up */
};

static const struct verb {
	const char *word;
	void (*act)(struct smtp_server *s, const struct call *c);
	unsigned flags;
} verbs[] = {
	{"MAIL", do_mail, VERB_LONG},
	{"RCPT", do_rcpt, VERB_LONG},
	{"DATA", do_data, VERB_SYNC | VERB_ALONE},
	{"RSET", do_rset, VERB_ALONE | VERB_JUNK},
	{"QUIT", do_quit, VERB_ALONE | VERB_ANY},
	{"EHLO", do_ehlo, VERB_SYNC | VERB_JUNK},
	{"HELO", do_helo, VERB_SYNC | VERB_JUNK},
	{"NOOP", do_noop, VERB_JUNK},
	{"VRFY", do_vrfy, VERB_JUNK},
	{"STARTTLS", do_starttls, VERB_SYNC | VERB_ALONE},
	{"XFORWARD", do_xforward, VERB_LONG},
	{"XCLIENT", do_xclient, VERB_SYNC | VERB_LONG},
	{"HELP", do_refused, VERB_JUNK},
	{"EXPN", do_refused, VERB_JUNK},
	{"ETRN", do_refused, VERB_JUNK},
	{"TURN", do_refused, 0},
	{"AUTH", do_refused, VERB_SYNC},
	{"BDAT", do_chunk, 0},
	{"GET", do_other_protocol, 0},
	{"POST", do_other_protocol, 0},
	{"PUT", do_other_protocol, 0},
	{"CONNECT", do_other_protocol, 0},
	{"OPTIONS", do_other_protocol, 0},
};

/* "Subject: x", "Host: x". */
static const struct verb field = {"", do_other_protocol, VERB_LONG};

static const struct verb *find(const char *line, size_t n)
{
	for (size_t i = 0; i < sizeof(verbs) / sizeof(verbs[0]); i++)
		if (smtp_word(line, n, verbs[i].word))
			return &verbs[i];
	return n > 0 && line[n - 1] == ':' ? &field : NULL;
}

/* Why the command is not looked at, or SMTP_SAY_OK. */
static enum smtp_answer too_much(const struct smtp_server *s, const struct verb *v, size_t n)
{
	if (v == NULL)
		return SMTP_SAY_UNKNOWN;
	if (n + 2 > SMTP_COMMAND_MAX && !(v->flags & VERB_LONG))
		return SMTP_SAY_TOO_LONG;
	if (v->flags & VERB_JUNK && s->junk > SMTP_JUNK_MAX)
		return SMTP_SAY_SEQUENCE;
	return SMTP_SAY_OK;
}

/* The session ends with this command. */
static bool ends(struct smtp_server *s, const struct call *c, const struct verb *v, bool more)
{
	enum smtp_why why = SMTP_WHY_NONE;
	enum smtp_answer what = SMTP_SAY_OK;

	if (v != NULL && v->flags & VERB_ANY)
		return false;
	if (s->errors >= s->options.errors_max)
		why = SMTP_WHY_ERRORS, what = SMTP_SAY_ERRORS;
	else if (s->draining && !s->in_mail)
		why = SMTP_WHY_DRAIN, what = SMTP_SAY_DRAIN;
	else if (s->sync && more && v != NULL && v->act == do_starttls)
		why = SMTP_WHY_INJECTED, what = SMTP_SAY_INJECTED;
	else if (s->sync && more)
		why = SMTP_WHY_PIPELINED, what = SMTP_SAY_PIPELINED;
	if (why != SMTP_WHY_NONE)
		server_gone(s, c->now, why, what, c->ret);
	return why != SMTP_WHY_NONE;
}

/* line NULL: it was too long. */
void server_command(struct smtp_server *s, int64_t now, const char *line, size_t n, bool more, struct smtp_event *ret)
{
	const char *blank = n > 0 ? memchr(line, ' ', n) : NULL;
	size_t nverb = blank != NULL ? (size_t)(blank - line) : n;
	const struct verb *v = line != NULL ? find(line, nverb) : NULL;
	struct call c = {.now = now, .args = line, .ret = ret};

	if (blank != NULL) {
		c.args = blank + 1;
		c.n = n - nverb - 1;
		while (c.n > 0 && c.args[c.n - 1] == ' ')
			c.n--;
	}
	s->sync = (v != NULL && v->flags & VERB_SYNC) || !s->esmtp || !(s->options.offer & SMTP_PIPELINING);
	if (ends(s, &c, v, more))
		return;
	s->junk += v != NULL && v->flags & VERB_JUNK ? 1 : 0;
	enum smtp_answer wrong = line == NULL ? SMTP_SAY_TOO_LONG : too_much(s, v, n);
	if (wrong == SMTP_SAY_OK && v->flags & VERB_ALONE && c.n > 0)
		wrong = SMTP_SAY_ARGUMENT;
	if (wrong != SMTP_SAY_OK)
		server_say(s, now, wrong);
	else
		v->act(s, &c);
}
