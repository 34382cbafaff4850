/*
 * test_smtp_property.c: random clients, cut at random. A model that is as simple as can be (it has the whole conversation
 * before it and looks for CR LF . CR LF) says which replies are due and which messages were sent; the machine must say the
 * same, and never give out a message that the model does not have.
 */
#include "smtp_talk.h"
#include "test.h"

#define STEPS_MAX 12
#define STEP_MAX 600

static struct talk talk;
static uint64_t seed;

static uint32_t draw(uint32_t n)
{
	seed ^= seed >> 12;
	seed ^= seed << 25;
	seed ^= seed >> 27;
	return (uint32_t)((seed * 0x2545f4914f6cdd1du) >> 33) % n;
}

/* The model: what is said and which messages are sent. */
struct model {
	char codes[4096];
	char messages[65536]; /* "LENGTH:TEXT" of each */
	size_t ncodes, nmessages;
	bool helo, mail, text, over;
	unsigned nrcpt, naccepted, errors;
	char held[65536]; /* of the message that is being sent, from the line before its first */
	size_t nheld;
};

static struct model model;

static void say(struct model *m, unsigned code)
{
	m->ncodes += (size_t)snprintf(m->codes + m->ncodes, sizeof(m->codes) - m->ncodes, " %u", code);
	m->errors += code >= 500 ? 1 : 0;
}

static void forget(struct model *m)
{
	m->mail = false;
	m->nrcpt = m->naccepted = 0;
}

static bool is(const char *p, size_t n, const char *what)
{
	return n == strlen(what) && memcmp(p, what, n) == 0;
}

/* One of the commands that random clients know, without its CRLF. */
static void model_command(struct model *m, const char *p, size_t n)
{
	if (is(p, n, "QUIT"))
		say(m, 221), m->over = true;
	else if (m->errors >= SMTP_ERRORS_MAX)
		say(m, 421), m->over = true;
	else if (is(p, n, "EHLO c.jp"))
		forget(m), m->helo = true, say(m, 250);
	else if (is(p, n, "MAIL FROM:<a@b.jp>") && !m->helo)
		say(m, 503);
	else if (is(p, n, "MAIL FROM:<a@b.jp>"))
		say(m, m->mail ? 503 : 250), m->mail = true;
	else if (is(p, n, "RCPT TO:<c@d.jp>") || is(p, n, "RCPT TO:<no-c@d.jp>")) {
		bool yes = m->mail && p[9] == 'c';
		say(m, yes ? 250 : m->mail ? 550 : 503);
		m->nrcpt++;
		m->naccepted += yes ? 1 : 0;
	} else if (is(p, n, "DATA") && m->mail && m->naccepted > 0) {
		say(m, 354);
		m->text = true;
		m->nheld = 2;
		memcpy(m->held, "\r\n", 2);
	} else if (is(p, n, "DATA"))
		say(m, m->mail && m->nrcpt > 0 ? 554 : 503);
	else if (is(p, n, "RSET"))
		forget(m), say(m, 250);
	else if (is(p, n, "NOOP"))
		say(m, 250);
	else
		say(m, 500);
}

/* The message between the CRLF before it and its end is whole: is it clean, and what is it without its stuffed dots? */
static void model_message(struct model *m)
{
	size_t n = m->nheld - 3, out = 0; /* without . CR LF */
	static char text[65536];
	bool clean = true;

	for (size_t i = 2; i < n; i++) {
		char before = m->held[i - 1], c = m->held[i], next = i + 1 < n ? m->held[i + 1] : '.';
		bool begins = before == '\n' && m->held[i - 2] == '\r';
		clean = clean && c != '\0' && (c != '\n' || before == '\r') && (c != '\r' || next == '\n');
		if (begins && c == '.') {
			size_t k = i + 1;
			while (k < n && (m->held[k] == ' ' || m->held[k] == '\t'))
				k++;
			clean = clean && !(k > i + 1 && m->held[k] == '\r');
		} else {
			text[out++] = c;
		}
	}
	forget(m);
	m->text = false;
	say(m, clean ? 250 : 550);
	if (clean) {
		m->errors = 0;
		m->nmessages += (size_t)snprintf(m->messages + m->nmessages, 16, "%zu:", out);
		memcpy(m->messages + m->nmessages, text, out);
		m->nmessages += out;
	}
}

static void model_step(struct model *m, const char *p, size_t n)
{
	for (size_t i = 0; i < n && !m->over;) {
		if (m->text) {
			m->held[m->nheld++] = p[i++];
			if (m->nheld >= 5 && memcmp(m->held + m->nheld - 5, "\r\n.\r\n", 5) == 0)
				model_message(m);
			continue;
		}
		const char *lf = memchr(p + i, '\n', n - i);
		size_t len = (size_t)(lf - (p + i)) + 1;
		if (len < 2 || lf[-1] != '\r')
			say(m, 554), m->over = true;
		else
			model_command(m, p + i, len - 2);
		i += len;
	}
}

/* What a step of a client is made of: commands in one group that ends where it must wait, or pieces of a message. */
static size_t make_commands(char *out)
{
	static const char *const words[] = {"MAIL FROM:<a@b.jp>\r\n", "RCPT TO:<c@d.jp>\r\n", "RCPT TO:<c@d.jp>\r\n",
		"RCPT TO:<no-c@d.jp>\r\n", "RSET\r\n", "NOOP\r\n", "FOO\r\n", "MAIL FROM:<a@b.jp>\r\nRCPT TO:<c@d.jp>\r\n"};
	static const char *const last[] = {"DATA\r\n", "DATA\r\n", "DATA\r\n", "DATA\r\n", "EHLO c.jp\r\n", "QUIT\r\n", "X\nY\r\n", ""};
	char *end = out;

	*end = '\0';
	for (uint32_t i = draw(6); i > 0; i--)
		end = stpcpy(end, words[draw(8)]);
	end = stpcpy(end, last[draw(8) == 0 ? draw(8) : draw(4)]);
	return (size_t)(end - out);
}

static size_t make_text(char *out)
{
	static const struct {
		const char *bytes;
		size_t n;
	} pieces[] = {{"\r\n", 2}, {"\r\n", 2}, {"\r\n", 2}, {"\r\n.", 3}, {"\r\n.", 3}, {"\r\n..", 4}, {".", 1}, {".", 1}, {"x", 1},
		{"MAIL FROM:<a@b.jp>\r\n", 20}, {" ", 1}, {"abc", 3}, {"\r", 1}, {"\n", 1}, {"\0", 1}, {"\r\n. \r\n", 6}};
	uint32_t foul = draw(3) == 0 ? 16 : 12; /* most messages have no bad line ends */
	size_t n = 0;

	for (uint32_t i = draw(30); i > 0 && n < STEP_MAX - 40; i--) {
		uint32_t k = draw(foul);
		memcpy(out + n, pieces[k].bytes, pieces[k].n);
		n += pieces[k].n;
	}
	memcpy(out + n, "\r\n.\r\n", 5);
	n += 5;
	/* What is behind the first end is commands: only such as the model knows, so it ends there. */
	for (size_t i = 0; i + 3 <= n; i++)
		if ((i == 0 && memcmp(out, ".\r\n", 3) == 0) || (i + 5 <= n && memcmp(out + i, "\r\n.\r\n", 5) == 0))
			return i == 0 && out[0] == '.' ? 3 : i + 5;
	return n;
}

static char taken[65536];
static size_t ntaken;

static void take(struct talk *t)
{
	ntaken += (size_t)snprintf(taken + ntaken, 16, "%zu:", t->ntext);
	memcpy(taken + ntaken, t->text, t->ntext);
	ntaken += t->ntext;
}

static bool converse(const struct smtp_server_options *options)
{
	char step[STEP_MAX + 64];

	model = (struct model){0};
	ntaken = 0;
	talk.sent = take;
	talk_begin(&talk, options);
	for (uint32_t i = 2 + draw(STEPS_MAX); i > 0 && !model.over; i--) {
		size_t n = 0;
		if (!model.helo) {
			strcpy(step, "EHLO c.jp\r\n");
			n = strlen(step);
		} else if (model.text) {
			n = make_text(step);
			if (draw(3) == 0)
				n += make_commands(step + n); /* the next group behind the dot */
		} else {
			n = make_commands(step);
		}
		model_step(&model, step, n);
		for (size_t at = 0; at < n;) { /* in random cuts */
			size_t some = 1 + draw(draw(2) ? 8 : STEP_MAX);
			some = some < n - at ? some : n - at;
			talk_push(&talk, step + at, some, SIZE_MAX);
			at += some;
		}
		talk_flush(&talk);
	}
	const char *codes = talk_codes(&talk);
	return strcmp(codes + 3, model.codes) == 0 && ntaken == model.nmessages && memcmp(taken, model.messages, ntaken) == 0;
}

int main(void)
{
	struct smtp_server_options options = {.name = "gate.example", .offer = SMTP_PIPELINING};
	unsigned long messages = 0;

	for (uint64_t i = 1; i <= 40000; i++) {
		seed = i * 0x9e3779b97f4a7c15u;
		bool same = converse(&options);
		CHECK(same);
		if (!same)
			printf("  seed %llu: model%s\n  machine %s\n  %zu and %zu bytes of messages\n", (unsigned long long)i, model.codes,
				talk_codes(&talk) + 3, model.nmessages, ntaken);
		messages += talk.messages;
	}
	printf("%lu messages\n", messages);
	CHECK(messages > 20000); /* the clients do get through */
	return test_end();
}
