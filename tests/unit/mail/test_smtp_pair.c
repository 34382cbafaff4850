/*
 * test_smtp_pair.c: our client and our server talk to each other over a wire that cuts as it likes: every message arrives as
 * it was sent, once, and only when the client was told so; what was aborted never arrives. The wire may break anywhere: then
 * a message may have arrived without the client knowing (it sends again), but never the other way round.
 */
#include "smtp_talk.h"
#include "test.h"

#include <sekisho/smtp_client.h>

#define MESSAGES 20
#define BODY_MAX 60000

static struct talk talk;
static struct smtp_client client;
static uint64_t seed;

/* What the client sends, and what it was told. */
static char body[BODY_MAX + 16];
static size_t nbody, at;
static unsigned sent, refused, aborted, broken, untold, nrcpt, want_rcpt;
static bool mail_asked, data_asked, finished, abort_this, ended;
static unsigned delivered;
static bool same;

static uint32_t draw(uint32_t n)
{
	seed ^= seed >> 12;
	seed ^= seed << 25;
	seed ^= seed >> 27;
	return (uint32_t)((seed * 0x2545f4914f6cdd1du) >> 33) % n;
}

/* Lines with many dots; mostly small. */
static void make_body(void)
{
	size_t most = draw(4) == 0 ? BODY_MAX : 200, n = 0, want = draw((uint32_t)most);

	while (n + 4 < want) {
		for (uint32_t k = draw(5); k > 0; k--)
			body[n++] = "..a\t b"[draw(6)];
		while (n > 0 && (body[n - 1] == ' ' || body[n - 1] == '\t'))
			n--;
		body[n++] = '\r';
		body[n++] = '\n';
	}
	nbody = n;
}

static void begin_message(void)
{
	make_body();
	at = 0;
	nrcpt = 0;
	want_rcpt = 1 + draw(5);
	mail_asked = data_asked = finished = false;
	abort_this = draw(40) == 0;
}

/* The server has a message. */
static void arrived(struct talk *t)
{
	delivered++;
	same = same && t->ntext == nbody && memcmp(t->text, body, nbody) == 0;
}

static struct smtp_rcpt recipient(unsigned i)
{
	static const char *const paths[] = {"<no-a@b.jp>", "<c@d.jp>", "<\"e f\"@d.jp>", "<\"..\"@[192.0.2.1]>"};
	struct smtp_rcpt r = {.notify = SMTP_NOTIFY_FAILURE};
	size_t taken;

	smtp_address_parse(paths[i], strlen(paths[i]), &r.to, &taken);
	return r;
}

static void write_body(void)
{
	size_t some = 1 + draw(draw(2) ? 100 : 20000);

	some = some < nbody - at ? some : nbody - at;
	if (abort_this && draw(4) == 0) {
		smtp_client_abort(&client);
		aborted++;
		return;
	}
	ssize_t r = smtp_client_write(&client, 0, body + at, some);
	CHECK(r >= 0);
	at += (size_t)r;
	if (at == nbody && smtp_client_finish(&client, 0) == 0)
		finished = true;
}

/* The client does the next thing that it may. */
static void act(void)
{
	struct smtp_mail m = {.size = nbody + 1, .from.text = ""};
	struct smtp_rcpt r = recipient(draw(4));

	if (client.state == 3) /* text */
		write_body();
	else if (!mail_asked)
		mail_asked = smtp_client_mail(&client, 0, &m, NULL) == 0;
	else if (nrcpt < want_rcpt)
		nrcpt += smtp_client_rcpt(&client, 0, &r) == 0 ? 1 : 0;
	else if (!data_asked)
		data_asked = smtp_client_data(&client, 0) == 0;
}

static void on_client(const struct smtp_client_event *e)
{
	if (e->kind == SMTP_CLIENT_SENT) {
		sent += e->reply->code == 250 ? 1 : 0;
		CHECK(finished);
		begin_message();
	} else if (e->kind == SMTP_CLIENT_DATA && e->reply->code != 354) {
		refused++;
		CHECK_INT(smtp_client_reset(&client, 0), 0);
		begin_message();
	} else if (e->kind == SMTP_CLIENT_GONE) {
		ended = true;
	}
}

/* Some of what one side has is carried to the other. */
static void carry_to_server(void)
{
	size_t n;
	const char *p = smtp_client_output(&client, &n);

	n = n > 0 ? 1 + draw((uint32_t)n) : 0;
	n = n < 3000 ? n : 3000;
	static char wire[4096];
	memcpy(wire, p, n);
	smtp_client_sent(&client, 0, n);
	talk_push(&talk, wire, n, 1 + draw(200));
}

static void carry_to_client(void)
{
	struct smtp_client_event e;
	size_t n, all;
	const char *p = smtp_server_output(&talk.s, &all);
	char wire[SMTP_SERVER_OUT];

	n = all > 0 ? 1 + draw((uint32_t)all) : 0;
	memcpy(wire, p, n);
	smtp_server_sent(&talk.s, 0, n);
	for (size_t i = 0; i < n && !ended;) {
		i += smtp_client_push(&client, 0, wire + i, n - i, &e);
		on_client(&e);
	}
}

/* Neither side hears the other any more. */
static void break_wire(void)
{
	struct smtp_client_event c;
	struct smtp_event s;

	smtp_client_closed(&client, 0, &c);
	smtp_server_closed(&talk.s, 0, &s);
	CHECK(c.kind == SMTP_CLIENT_GONE && s.kind == SMTP_EVENT_GONE);
	broken++;
}

/* One connection, of up to MESSAGES messages; its wire breaks after `life` turns. */
static void connection(unsigned offer, unsigned life)
{
	struct smtp_server_options so = {.name = "gate.example", .offer = offer, .size_max = 1000000};
	struct smtp_client_options co = {.name = "client.example"};
	unsigned before = delivered, told = sent, tries = 0;

	talk.sent = arrived;
	ended = false;
	smtp_server_begin(&talk.s, &so, 0);
	smtp_server_accept(&talk.s, 0);
	talk.ntold = 0;
	smtp_client_begin(&client, &co, 0);
	begin_message();
	while (!ended && !smtp_client_over(&client) && !smtp_server_over(&talk.s) && sent - told < MESSAGES && ++tries < 400000) {
		for (uint32_t k = draw(6); k > 0 && !smtp_client_over(&client); k--)
			act();
		carry_to_server();
		if (tries == life) /* between what was carried there and what comes back */
			break_wire();
		else
			carry_to_client();
	}
	CHECK(tries < 400000);
	/* What was told as sent is delivered; at most the last one is delivered without being told yet. */
	CHECK(delivered - before >= sent - told && delivered - before <= sent - told + (tries == life ? 1 : 0));
	untold += delivered - before - (sent - told);
}

int main(void)
{
	same = true;
	for (uint64_t i = 1; i <= 300; i++) {
		seed = i * 0x9e3779b97f4a7c15u;
		connection(i % 3 == 0 ? 0 : SMTP_PIPELINING | SMTP_SIZE | SMTP_8BITMIME | SMTP_DSN, 0);
	}
	for (uint64_t i = 1; i <= 1500; i++) {
		seed = i * 0x9e3779b97f4a7c15u + 1;
		connection(i % 3 == 0 ? 0 : SMTP_PIPELINING | SMTP_SIZE, 1 + draw(300));
	}
	CHECK(same);
	printf("%u delivered, %u told so, %u refused, %u aborted, %u wires broken, %u not told\n", delivered, sent, refused,
		aborted, broken, untold);
	CHECK(sent > 1500 && refused > 100 && aborted > 20 && broken > 1000 && untold > 10 && untold < broken);
	return test_end();
}
