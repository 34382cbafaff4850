/*
 * smtp_server.c (fuzz): whatever a client sends, what it hears is SMTP, the caller's events come in an order that makes sense,
 * and a message is given out only as a simple reading of the bytes has it. The first byte chooses options and cuts.
 */
#include <sekisho/smtp_server.h>

#include <stdlib.h>
#include <string.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

struct run {
	struct smtp_server s;
	uint8_t answers; /* a bit each: what the caller says */
	bool mail, text;
	bool gone;
	size_t given, events;
	uint8_t last[2]; /* bytes of the message before this one */
};

static void need(bool holds)
{
	if (!holds)
		abort();
}

/* Lines of a reply: three digits, a mark, printable ASCII, CRLF, at most 512. */
static void check_output(const char *p, size_t n)
{
	while (n > 0) {
		const char *lf = memchr(p, '\n', n);
		need(lf != NULL && lf - p >= 5 && lf - p < 512 && lf[-1] == '\r');
		need(p[0] >= '2' && p[0] <= '5' && p[1] >= '0' && p[1] <= '9' && p[2] >= '0' && p[2] <= '9');
		need(p[3] == ' ' || p[3] == '-');
		for (const char *c = p; c < lf - 1; c++)
			need(*c >= ' ' && *c < 0x7f);
		n -= (size_t)(lf + 1 - p);
		p = lf + 1;
	}
}

static void flush(struct run *r)
{
	size_t n;
	const char *p = smtp_server_output(&r->s, &n);

	check_output(p, n);
	smtp_server_sent(&r->s, 0, n);
}

static void check_graph(const char *p)
{
	for (; *p != '\0'; p++)
		need(*p >= ' ' && *p < 0x7f);
}

/* What is given on would be taken again, and says the same. */
static void check_address(const struct smtp_address *a)
{
	char path[SMTP_PATH_MAX + 3] = "<";
	struct smtp_address again;
	size_t taken;

	check_graph(a->text);
	strcat(path, a->text);
	strcat(path, ">");
	need(strlen(path) <= SMTP_PATH_MAX);
	need(smtp_address_parse(path, strlen(path), &again, &taken) == SMTP_ADDRESS_OK && taken == strlen(path));
	need(strcmp(again.text, a->text) == 0 && strcmp(again.local, a->local) == 0 && strcmp(again.domain, a->domain) == 0);
}

static void answer(struct run *r)
{
	r->answers = (uint8_t)(r->answers << 1 | r->answers >> 7);
	if (r->answers & 1)
		smtp_server_accept(&r->s, 0);
	else if (r->answers & 2)
		smtp_server_reply(&r->s, 0, 550, "5.7.1", "no");
	else
		smtp_server_reply(&r->s, 0, 450, NULL, "later\nplease");
}

/* No bare CR, bare LF or NUL passes, wherever the cuts are. */
static void check_text(struct run *r, const uint8_t *p, size_t n)
{
	for (size_t i = 0; i < n; i++) {
		need(p[i] != '\0');
		need(p[i] != '\n' || r->last[1] == '\r');
		need(r->last[1] != '\r' || p[i] == '\n');
		r->last[0] = r->last[1];
		r->last[1] = p[i];
	}
	r->given += n;
}

/* Flat: one case for each event. */
static void event(struct run *r, const struct smtp_event *e)
{
	need(!r->gone);
	r->events++;
	switch (e->kind) {
	case SMTP_EVENT_HELO:
		check_graph(e->helo);
		r->mail = false;
		answer(r);
		break;
	case SMTP_EVENT_MAIL:
		need(!r->mail && !r->text && r->s.helo[0] != '\0');
		check_address(&e->mail->from);
		check_graph(e->mail->envid);
		answer(r);
		r->mail = r->s.in_mail;
		break;
	case SMTP_EVENT_RCPT:
		need(r->mail);
		check_address(&e->rcpt->to);
		check_graph(e->rcpt->orcpt);
		need(!(e->rcpt->to.flags & (SMTP_ADDRESS_NULL | SMTP_ADDRESS_RELAY | SMTP_ADDRESS_ROUTED)));
		answer(r);
		break;
	case SMTP_EVENT_DATA:
		need(r->mail && r->s.naccepted > 0);
		r->given = 0;
		r->last[0] = '\r', r->last[1] = '\n';
		answer(r);
		r->text = r->mail = r->s.in_mail;
		break;
	case SMTP_EVENT_BYTES:
		need(r->text && e->n > 0);
		check_text(r, e->data, e->n);
		break;
	case SMTP_EVENT_END:
		need(r->text);
		need(e->why != SMTP_WHY_NONE || (e->size == r->given && r->last[0] == '\r' && r->last[1] == '\n'));
		r->text = r->mail = false;
		if (e->why == SMTP_WHY_NONE)
			answer(r);
		break;
	case SMTP_EVENT_RESET:
		need(r->mail);
		r->mail = false;
		break;
	case SMTP_EVENT_STARTTLS:
		answer(r);
		if (r->s.state == 2) { /* TLS */
			flush(r);
			smtp_server_secured(&r->s, 0);
			r->mail = false;
		}
		break;
	case SMTP_EVENT_XCLIENT:
	case SMTP_EVENT_XFORWARD:
		check_graph(e->origin->name);
		check_graph(e->origin->helo);
		check_graph(e->origin->ident);
		check_graph(e->origin->address);
		if (e->kind == SMTP_EVENT_XCLIENT)
			answer(r);
		break;
	case SMTP_EVENT_GONE:
		r->gone = true;
		need(smtp_server_over(&r->s));
		break;
	default:
		abort();
	}
}

static void converse(uint8_t choice, const uint8_t *data, size_t size)
{
	static struct run r;
	static const size_t steps[] = {1, 3, 64, SIZE_MAX};
	size_t step = steps[choice & 3];
	struct smtp_server_options options = {.name = "gate.example", .size_max = choice & 4 ? 1000 : 0, .errors_max = 5,
		.refuse_long_lines = choice & 8, .offer = choice & 16 ? 0xffu : SMTP_STARTTLS};

	r = (struct run){.answers = choice & 32 ? 0xff : 0xdb};
	smtp_server_begin(&r.s, &options, 0);
	smtp_server_accept(&r.s, 0);
	flush(&r);
	for (size_t i = 0; i < size;) {
		struct smtp_event e;
		size_t some = size - i < step ? size - i : step, took = smtp_server_push(&r.s, 0, data + i, some, &e);
		need(took <= some && r.s.nout <= sizeof(r.s.out));
		if (e.kind != SMTP_EVENT_NONE)
			event(&r, &e);
		if (e.kind == SMTP_EVENT_NONE || choice & 64)
			flush(&r); /* else replies pile up: a client that pipelines */
		i += took;
	}
	flush(&r);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	if (size > 0)
		converse(data[0], data + 1, size - 1);
	return 0;
}
