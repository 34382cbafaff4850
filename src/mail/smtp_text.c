/*
 * smtp_text.c: a message as it comes over the wire (RFC 5321 4.1.1.4, 4.5.2): its end, its dots, what must not be in it.
 *
 * A line ends with CR LF and nothing else. The message ends with a line of one dot, that is CR LF . CR LF and nothing
 * else: no form of a bare CR, a bare LF or NUL beside a dot is an end, nor a dot with anything before or behind it. Each
 * of the three, and a line of a dot and blanks, is noted; the machine then reads on to the real end and refuses the
 * message, so that no other server can see two messages in it.
 *
 * Input: bytes of strangers, cut anywhere. Work is a constant number of passes of memchr(); nothing is copied.
 */
#include <string.h>

#include "smtp_server_private.h"

/* Bytes of a line, of which only a CR at the very end may still become a line end. */
static void within(struct smtp_text *t, const uint8_t *p, size_t n)
{
	t->length += n;
	if (t->length > SMTP_TEXT_MAX)
		t->flags |= SMTP_SEEN_LONG_LINE;
	if (n > 0 && memchr(p, '\r', n) != NULL)
		t->flags |= SMTP_SEEN_BARE_CR;
}

size_t text_line(struct smtp_text *t, const uint8_t *p, size_t n)
{
	const uint8_t *lf = memchr(p, '\n', n);
	size_t end = lf != NULL ? (size_t)(lf - p) : n;
	bool cr = end > 0 && p[end - 1] == '\r';

	within(t, p, end - (cr ? 1 : 0));
	if (lf == NULL) {
		t->state = cr ? TEXT_CR : TEXT_IN;
		return n;
	}
	t->state = cr ? TEXT_START : TEXT_IN;
	if (cr)
		t->length = 0;
	else
		t->flags |= SMTP_SEEN_BARE_LF;
	return end + 1;
}

bool text_after_cr(struct smtp_text *t, uint8_t c)
{
	if (c == '\n') {
		t->length = 0;
		t->state = TEXT_START;
		return true;
	}
	t->flags |= SMTP_SEEN_BARE_CR;
	t->length++;
	t->state = TEXT_IN;
	return false;
}

/* One step; returns bytes taken. */
static size_t step(struct smtp_text *t, const uint8_t *p, size_t n, bool *ret_end)
{
	switch ((enum text_state)t->state) {
	case TEXT_START:
		if (p[0] == '.') {
			t->state = TEXT_DOT;
			return 1;
		}
		return text_line(t, p, n);
	case TEXT_IN:
		return text_line(t, p, n);
	case TEXT_CR:
		return text_after_cr(t, p[0]) ? 1 : 0;
	case TEXT_DOT:
		t->state = p[0] == '\r' ? TEXT_DOT_CR : TEXT_DOT_BLANK;
		return p[0] == '\r' ? 1 : 0;
	case TEXT_DOT_BLANK:
		if (p[0] == ' ' || p[0] == '\t') {
			t->length++;
			return 1;
		}
		t->flags |= p[0] == '\r' && t->length > 0 ? SMTP_SEEN_DOT : 0u;
		t->state = TEXT_IN;
		return 0;
	case TEXT_DOT_CR:
		*ret_end = text_after_cr(t, p[0]);
		return *ret_end ? 1 : 0;
	}
	return n;
}

struct text_span server_text(struct smtp_server *s, const uint8_t *p, size_t n)
{
	struct text_span span = {.data = p};
	size_t i = 0;

	while (i < n && !span.end) {
		bool dot = s->text.state == TEXT_START && p[i] == '.';
		if (dot && span.n > 0)
			break; /* what is before it is given first */
		size_t took = step(&s->text, p + i, n - i, &span.end);
		bool data = s->text.state != TEXT_DOT && s->text.state != TEXT_DOT_CR && !span.end;
		i += took;
		if (data)
			span.n += took;
		else
			span.data = p + i;
	}
	if (span.n > 0 && memchr(span.data, '\0', span.n) != NULL)
		s->text.flags |= SMTP_SEEN_NUL;
	s->size += span.n;
	span.taken = i;
	return span;
}
