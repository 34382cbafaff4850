/*
 * smtp_talk.h: a conversation with the server's machine, without a socket: what it says, what it tells, what it takes.
 */
#ifndef SMTP_TALK_H
#define SMTP_TALK_H

#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include <sekisho/smtp_server.h>

#define TALK_SAID 65536u
#define TALK_TOLD 65536u
#define TALK_TEXT ((size_t)1 << 20)

struct talk {
	struct smtp_server s;
	int64_t now;
	char said[TALK_SAID];  /* all replies */
	char told[TALK_TOLD];  /* all events, a word or two each */
	char text[TALK_TEXT];  /* the message that comes */
	size_t nsaid, ntold, ntext;
	void (*sent)(struct talk *t); /* a message was taken: in text */
	unsigned messages;
	void *arg;
};

__attribute__((format(printf, 2, 3))) static inline void talk_tell(struct talk *t, const char *format, ...)
{
	va_list ap;

	va_start(ap, format);
	if (TALK_TOLD - t->ntold > 400)
		t->ntold += (size_t)vsnprintf(t->told + t->ntold, TALK_TOLD - t->ntold, format, ap);
	va_end(ap);
}

/* The output is written. */
static inline void talk_flush(struct talk *t)
{
	size_t n;
	const char *p = smtp_server_output(&t->s, &n);

	if (n > TALK_SAID - 1 - t->nsaid)
		t->nsaid = 0;
	memcpy(t->said + t->nsaid, p, n);
	t->nsaid += n;
	t->said[t->nsaid] = '\0';
	smtp_server_sent(&t->s, t->now, n);
}

/* Recipients that begin with no- are refused, later- deferred; senders too. */
static inline void talk_answer(struct talk *t, const char *local)
{
	if (strncmp(local, "no-", 3) == 0)
		smtp_server_reply(&t->s, t->now, 550, "5.1.1", "Not here");
	else if (strncmp(local, "later-", 6) == 0)
		smtp_server_reply(&t->s, t->now, 450, "4.2.0", "Not now");
	else
		smtp_server_accept(&t->s, t->now);
}

static inline void talk_end(struct talk *t, const struct smtp_event *e)
{
	talk_tell(t, "END %llu %s\n", (unsigned long long)e->size, smtp_why_word(e->why));
	if (e->why != SMTP_WHY_NONE)
		return;
	t->messages++;
	if (t->sent != NULL)
		t->sent(t);
	smtp_server_accept(&t->s, t->now);
}

static inline void talk_origin(struct talk *t, const char *word, const struct smtp_origin *o)
{
	talk_tell(t, "%s %s %s %u %s %s %u\n", word, o->name, o->address, o->port, o->helo, o->ident, o->proto);
}

static inline void talk_event(struct talk *t, const struct smtp_event *e)
{
	switch (e->kind) {
	case SMTP_EVENT_HELO:
		talk_tell(t, "%s %s\n", e->esmtp ? "EHLO" : "HELO", e->helo);
		smtp_server_accept(&t->s, t->now);
		break;
	case SMTP_EVENT_MAIL:
		talk_tell(t, "MAIL <%s> %llu %u %u %s\n", e->mail->from.text, (unsigned long long)e->mail->size, e->mail->body,
			e->mail->ret, e->mail->envid);
		talk_answer(t, e->mail->from.local);
		break;
	case SMTP_EVENT_RCPT:
		talk_tell(t, "RCPT <%s> %u %s\n", e->rcpt->to.text, e->rcpt->notify, e->rcpt->orcpt);
		talk_answer(t, e->rcpt->to.local);
		break;
	case SMTP_EVENT_DATA:
		talk_tell(t, "DATA\n");
		t->ntext = 0;
		smtp_server_accept(&t->s, t->now);
		break;
	case SMTP_EVENT_BYTES:
		if (e->n <= TALK_TEXT - t->ntext) {
			memcpy(t->text + t->ntext, e->data, e->n);
			t->ntext += e->n;
		}
		break;
	case SMTP_EVENT_END:
		talk_end(t, e);
		break;
	case SMTP_EVENT_RESET:
		talk_tell(t, "RESET\n");
		break;
	case SMTP_EVENT_STARTTLS:
		talk_tell(t, "STARTTLS\n");
		smtp_server_accept(&t->s, t->now);
		break;
	case SMTP_EVENT_XCLIENT:
		talk_origin(t, "XCLIENT", e->origin);
		smtp_server_accept(&t->s, t->now);
		break;
	case SMTP_EVENT_XFORWARD:
		talk_origin(t, "XFORWARD", e->origin);
		break;
	case SMTP_EVENT_GONE:
		talk_tell(t, "GONE %s\n", smtp_why_word(e->why));
		break;
	case SMTP_EVENT_GREETING:
	case SMTP_EVENT_NONE:
		break;
	}
}

/* Bytes come, at most `step` at a time; the output waits until all are taken or nothing else goes on. */
static inline void talk_push(struct talk *t, const void *p, size_t n, size_t step)
{
	const char *bytes = p;

	while (n > 0) {
		struct smtp_event e;
		size_t some = n < step ? n : step, took = smtp_server_push(&t->s, t->now, bytes, some, &e);
		talk_event(t, &e);
		if (took == 0 && e.kind == SMTP_EVENT_NONE)
			talk_flush(t);
		bytes += took;
		n -= took;
	}
}

/* A whole client: `|` is where it waits for replies. */
static inline void talk_script(struct talk *t, const char *script, size_t step)
{
	for (;;) {
		size_t n = strcspn(script, "|");
		talk_push(t, script, n, step);
		talk_flush(t);
		if (script[n] == '\0')
			return;
		script += n + 1;
	}
}

static inline void talk_begin(struct talk *t, const struct smtp_server_options *options)
{
	t->nsaid = t->ntold = t->ntext = 0;
	t->said[0] = t->told[0] = '\0';
	t->messages = 0;
	smtp_server_begin(&t->s, options, t->now);
	smtp_server_accept(&t->s, t->now);
	talk_flush(t);
}

/* The codes of what was said: "220 250 550"; lines of one reply count once. */
static inline const char *talk_codes(const struct talk *t)
{
	static char codes[8192];
	size_t n = 0;

	codes[0] = '\0';
	for (const char *p = t->said; *p != '\0'; p = strchr(p, '\n') + 1) {
		if (p[3] == ' ' && n < sizeof(codes) - 8)
			n += (size_t)snprintf(codes + n, sizeof(codes) - n, "%s%.3s", n > 0 ? " " : "", p);
		if (strchr(p, '\n') == NULL)
			break;
	}
	return codes;
}

#endif
