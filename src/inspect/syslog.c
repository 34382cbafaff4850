/*
 * syslog.c: syslog over UDP (RFC 3164, 5424, 5426) and TCP (RFC 6587), every message, in one direction.
 *
 * A message begins with its priority, <0> to <191> without a leading zero, and goes on in one of these
 * forms:
 *	RFC 5424	1 2026-11-20T13:00:00.123+09:00 host app process id [structured data] text
 *	RFC 3164	Nov 20 13:00:00 host tag: text		(Cisco's * or . before an unsure time)
 *	rsyslog		2026-11-20T13:00:00.123456+09:00 host tag: text
 *	tag		snmpd[6956]: text, 123: text, %PIX-6-305011: text, date=2026-11-20, [IKE] text
 * The last is what routers, firewalls and small machines really say; a text without any of them is not let
 * through. The text is printable UTF-8 with tabs; one LF or NUL may end a datagram. Limit: SYSLOG_MAX
 * bytes.
 *
 * This is the weakest of the verifiers: syslog has no answer, so no peer confirms anything, and the text is
 * free. What is held is the direction: the server says nothing, ever. Over TCP a message is framed by its
 * length (octet counting) or by LF.
 *
 * Decided with the first message, at level L1 (there is no more to have), and each later one is read. A
 * datagram that has a priority and is wrong otherwise is kept back alone: a log is not worth less for one
 * line. Without one it refuses the flow.
 */
#include "line.h"
#include "verifiers.h"

#define SYSLOG_MAX 8192 /* what receivers of RFC 5424 should take, and the usual limit of senders */

struct syslog_state {
	bool begun; /* a message was verified */
};
VERIFY_STATE(struct syslog_state);

/* -- Times ------------------------------------------------------------------------------------------------- */

/* 0 = a digit; anything else is itself. */
static void pattern(struct cursor *c, const char *p)
{
	for (; *p != '\0' && cursor_ok(c); p++) {
		uint8_t b = cursor_u8(c);
		cursor_must(c, *p == '0' ? b >= '0' && b <= '9' : b == (uint8_t)*p, WHY_FIELD);
	}
}

static uint8_t peek(struct cursor *c)
{
	if (cursor_ok(c) && c->p == c->end)
		c->more = true;
	return cursor_ok(c) ? *c->p : 0;
}

/* RFC 3339, of RFC 5424 section 6.2.3; a blank instead of T where that is not demanded. */
static void date_time(struct cursor *c, bool strict)
{
	pattern(c, "0000-00-00");
	uint8_t b = cursor_u8(c);
	cursor_must(c, b == 'T' || (!strict && b == ' '), WHY_FIELD);
	pattern(c, "00:00:00");
	if (peek(c) == '.') {
		int digits = 0;
		for (cursor_u8(c); peek(c) >= '0' && peek(c) <= '9'; digits++)
			cursor_u8(c);
		cursor_must(c, digits >= 1 && digits <= 9, WHY_FIELD);
	}
	b = cursor_u8(c);
	if (b == '+' || b == '-')
		pattern(c, "00:00");
	else
		cursor_must(c, b == 'Z' || (!strict && b == ' '), WHY_FIELD);
}

static void month_day_time(struct cursor *c)
{
	static const struct line_word months[] = {{"Jan"}, {"Feb"}, {"Mar"}, {"Apr"}, {"May"}, {"Jun"},
		{"Jul"}, {"Aug"},
		{"Sep"}, {"Oct"}, {"Nov"}, {"Dec"}};

	if (peek(c) == '*' || peek(c) == '.')
		cursor_u8(c);
	LINE_WORD(c, months, WHY_FIELD);
	pattern(c, " ");
	uint8_t b = cursor_u8(c);
	cursor_must(c, b == ' ' || (b >= '0' && b <= '3'), WHY_FIELD);
	pattern(c, "0 00:00:00");
}

/* -- Forms ------------------------------------------------------------------------------------------------- */

/* A field of RFC 5424: 1 to max printable characters, and the blank behind it. */
static void field(struct cursor *c, size_t max)
{
	size_t n = 0;

	for (;; n++) {
		uint8_t b = cursor_u8(c);
		if (!cursor_ok(c) || (b == ' ' && n > 0))
			return;
		if (!cursor_must(c, b > 0x20 && b < 0x7f && n < max, WHY_FIELD))
			return;
	}
}

/* The value of a parameter, up to the quote that is not escaped. */
static void value(struct cursor *c)
{
	pattern(c, "\"");
	for (;;) {
		uint8_t b = cursor_u8(c);
		if (!cursor_ok(c) || b == '"')
			return;
		if (b == '\\')
			cursor_u8(c);
		cursor_must(c, (b >= 0x20 && b != 0x7f && b != ']') || b == '\t' || b == '\n', WHY_FIELD);
	}
}

/* A name of structured data, up to the byte that ends it, which is returned. */
static uint8_t name(struct cursor *c)
{
	for (size_t n = 0;; n++) {
		uint8_t b = cursor_u8(c);
		if (!cursor_ok(c) || (n > 0 && (b == '=' || b == ' ' || b == ']')))
			return b;
		cursor_must(c, b > 0x20 && b < 0x7f && b != '"' && b != '=' && b != ']' && n < 32, WHY_FIELD);
	}
}

static void element(struct cursor *c)
{
	pattern(c, "[");
	uint8_t b = name(c);
	cursor_must(c, b != '=', WHY_FIELD);
	while (cursor_ok(c) && b == ' ') {
		b = name(c);
		cursor_must(c, b == '=', WHY_FIELD);
		value(c);
		b = cursor_u8(c);
	}
	cursor_must(c, b == ']', WHY_FIELD);
}

/* `cut`: the message goes on behind the cursor's bytes; else it may end with the structured data. */
static void form_5424(struct cursor *c, bool cut)
{
	static const uint8_t sizes[] = {255, 48, 128, 32};

	pattern(c, "1 ");
	if (peek(c) == '-')
		cursor_u8(c);
	else
		date_time(c, true);
	pattern(c, " ");
	for (size_t i = 0; i < sizeof(sizes); i++)
		field(c, sizes[i]);
	if (peek(c) == '-')
		cursor_u8(c);
	else
		do
			element(c);
		while (cursor_ok(c) && c->p < c->end && *c->p == '[');
	if (cursor_ok(c) && (c->p != c->end || cut)) {
		uint8_t b = peek(c);
		cursor_must(c, b == ' ' || b == '\n' || b == '\r' || b == 0, WHY_FIELD);
	}
}

static bool of_tag(uint8_t b)
{
	return (b >= 'A' && b <= 'Z') || (b >= 'a' && b <= 'z') || (b >= '0' && b <= '9') || strchr("_.%/+-",
		b) != NULL;
}

static uint8_t run_of_tag(struct cursor *c, size_t max)
{
	for (size_t n = 0;; n++) {
		uint8_t b = cursor_u8(c);
		if (!cursor_ok(c) || b == 0 || !of_tag(b))
			return cursor_must(c, n > 0, WHY_FIELD) ? b : 0;
		cursor_must(c, n < max, WHY_FIELD);
	}
}

static void form_tag(struct cursor *c)
{
	if (peek(c) == '[') {
		cursor_u8(c);
		cursor_must(c, run_of_tag(c, 32) == ']', WHY_FIELD);
		return;
	}
	uint8_t b = run_of_tag(c, 48);
	if (b == '[') {
		cursor_must(c, run_of_tag(c, 32) == ']', WHY_FIELD);
		b = cursor_u8(c);
	}
	cursor_must(c, b == ':' || b == '=', WHY_FIELD);
}

/* One of the forms; with none of them possible any more it is the last one's contradiction. */
static void forms(struct cursor *c, bool cut)
{
	struct cursor t[4] = {*c, *c, *c, *c};
	bool more = false;

	if (!cursor_ok(c))
		return;
	form_5424(&t[0], cut);
	month_day_time(&t[1]);
	date_time(&t[2], false);
	form_tag(&t[3]);
	for (size_t i = 0; i < 4; i++) {
		if (cursor_ok(&t[i])) {
			*c = t[i];
			return;
		}
		more = more || t[i].why == WHY_NONE;
	}
	if (more)
		c->more = true;
	else
		c->why = WHY_FIELD;
}

static void priority(struct cursor *c)
{
	unsigned value = 0, digits = 0;

	CURSOR_EXPECT(c, "<", WHY_PROTOCOL);
	while (cursor_ok(c)) {
		uint8_t b = cursor_u8(c);
		if (!cursor_ok(c) || (b == '>' && digits > 0))
			return;
		cursor_must(c, b >= '0' && b <= '9' && !(digits > 0 && value == 0), WHY_PROTOCOL);
		value = value * 10 + (b - '0');
		digits++;
		cursor_must(c, value <= 191, WHY_PROTOCOL);
	}
}

enum frame {
	DATAGRAM, /* the text ends where the cursor does */
	COUNTED,  /* as well, and may have several lines */
	LINE,	  /* the text ends with LF, or CR LF */
};

static void text(struct cursor *c, enum frame frame)
{
	const uint8_t *begin = c->p;

	while (cursor_ok(c)) {
		if (frame != LINE && c->p == c->end)
			return;
		uint8_t b = cursor_u8(c);
		if (frame == LINE && (b == '\n' || b == '\r')) {
			if (b == '\r')
				CURSOR_EXPECT(c, "\n", WHY_ENCODING);
			return;
		}
		cursor_must(c, (size_t)(c->p - begin) <= SYSLOG_MAX, WHY_LENGTH);
		if (frame == COUNTED && (b == '\n' || b == '\r'))
			continue;
		cursor_must(c, (b >= 0x20 && b != 0x7f) || b == '\t', WHY_ENCODING);
		line_utf8(c, b);
	}
}

static void message(struct cursor *c, enum frame frame, bool cut)
{
	priority(c);
	forms(c, cut);
	text(c, frame);
}

/* -- UDP --------------------------------------------------------------------------------------------------- */

static enum verify_status verified(struct verify *v)
{
	struct syslog_state *st = v->state;

	st->begun = true;
	v->level = LEVEL_PREFIX;
	return VERIFY_DECIDED;
}

/* Some senders end a datagram as they would end a line, or a string. */
static size_t without_end(const uint8_t *p, size_t n)
{
	if (n > 0 && p[n - 1] == 0)
		n--;
	if (n > 0 && p[n - 1] == '\n')
		n--;
	if (n > 0 && p[n - 1] == '\r')
		n--;
	return n;
}

enum verify_status syslog_datagram(struct verify *v)
{
	struct verify_side *s = &v->side[v->from];
	struct cursor c = cursor_init(s->p, without_end(s->p, s->n));

	s->used = s->n;
	if (v->from == VERIFY_SERVER) /* easily forged, so it ends no log */
		return verify_drop(v, WHY_ONE_WAY_ANSWER);
	message(&c, DATAGRAM, false);
	if (cursor_ok(&c))
		return verified(v);
	if (c.why == WHY_PROTOCOL)
		return verify_refuse(v, c.why);
	return verify_drop(v, c.why != WHY_NONE ? c.why : WHY_FIELD);
}

/* -- TCP --------------------------------------------------------------------------------------------------- */

/* The length in front of a message, and the blank behind it (RFC 6587 section 3.4.1). */
static uint32_t frame_length(struct cursor *c)
{
	uint32_t n = 0;

	while (cursor_ok(c)) {
		uint8_t b = cursor_u8(c);
		if (!cursor_ok(c) || (b == ' ' && n > 0))
			return n;
		cursor_must(c, b >= '0' && b <= '9' && !(n == 0 && b == '0'), WHY_PROTOCOL);
		n = n * 10 + (b - '0');
		cursor_must(c, n <= SYSLOG_MAX, WHY_LENGTH);
	}
	return 0;
}

static void one(struct cursor *c)
{
	if (*c->p == '<') {
		message(c, LINE, true);
		return;
	}
	struct cursor in = cursor_sub(c, frame_length(c));
	message(&in, COUNTED, c->more);
	cursor_sub_end(c, &in, true);
}

enum verify_status syslog_stream(struct verify *v)
{
	struct syslog_state *st = v->state;
	struct verify_side *s = &v->side[VERIFY_CLIENT];
	struct cursor c = cursor_init(s->p, s->n);

	if (v->side[VERIFY_SERVER].n > 0)
		return verify_refuse(v, WHY_ONE_WAY_ANSWER);
	while (cursor_ok(&c) && c.p != c.end) {
		one(&c);
		if (cursor_ok(&c)) {
			s->used = (uint32_t)(c.p - s->p);
			verified(v);
		}
	}
	if (c.why != WHY_NONE)
		return verify_refuse(v, c.why);
	return st->begun ? VERIFY_DECIDED : VERIFY_MORE;
}
