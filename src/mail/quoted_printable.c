/*
 * quoted_printable.c: bytes from quoted-printable (RFC 2045 6.7).
 *
 * "=XY" with digits of either case is a byte; "=" at the end of a line joins it to the next (blanks after it are
 * flagged); blanks at the end of a line go; any other "=" stays as it is, flagged.
 *
 * The rule is the state machine of byte(), which needs no more than the byte that comes. Most lines are whole in what is
 * pushed, and line() does those in runs; the unit test compares the two at every cut.
 *
 * Input: bytes of strangers, cut anywhere. State: struct quoted_printable. Never fails.
 */
#include "quoted_printable.h"

#include <string.h>

enum qp_state {
	QP_TEXT,
	QP_CR,	      /* CR after what is in blanks */
	QP_EQUALS,    /* "=" */
	QP_DIGIT,     /* "=" and a digit */
	QP_SOFT,      /* "=" and what is in blanks */
	QP_SOFT_CR,   /* and CR */
};

unsigned qp_hex(uint8_t c)
{
	if (c >= '0' && c <= '9')
		return c - '0';
	c |= 0x20;
	return c >= 'a' && c <= 'f' ? c - 'a' + 10u : 16;
}

void qp_begin(struct quoted_printable *q)
{
	memset(q, 0, offsetof(struct quoted_printable, blanks));
}

static bool is_blank(uint8_t c)
{
	return c == ' ' || c == '\t';
}

static uint8_t *blanks(struct quoted_printable *q, uint8_t *out)
{
	memcpy(out, q->blanks, q->nblanks);
	out += q->nblanks;
	q->nblanks = 0;
	return out;
}

static uint8_t *decoded(struct quoted_printable *q, unsigned c, uint8_t *out)
{
	/* ESC is what ISO-2022-JP is made of. */
	if ((c < 0x20 && c != '\t' && c != 0x1b) || c == 0x7f)
		q->flags |= MIME_FLAG(QP_CONTROL);
	*out++ = (uint8_t)c;
	return out;
}

/* An "=" that means nothing, and what came after it. */
static uint8_t *stray(struct quoted_printable *q, uint8_t *out)
{
	q->flags |= MIME_FLAG(QP_BROKEN);
	*out++ = '=';
	if (q->state == QP_DIGIT)
		*out++ = q->hex;
	out = blanks(q, out);
	if (q->state == QP_SOFT_CR)
		*out++ = '\r';
	q->state = QP_TEXT;
	return out;
}

static uint8_t *text(struct quoted_printable *q, uint8_t c, uint8_t *out)
{
	if (is_blank(c)) {
		if (q->nblanks == MAIL_QP_BLANKS)
			out = blanks(q, out);
		q->blanks[q->nblanks++] = c;
		return out;
	}
	if (c == '\r') {
		q->state = QP_CR;
		return out;
	}
	if (c == '\n') /* only files have a bare LF */
		q->nblanks = 0;
	out = blanks(q, out);
	if (c == '=')
		q->state = QP_EQUALS;
	else
		*out++ = c;
	return out;
}

static uint8_t *byte(struct quoted_printable *q, uint8_t c, uint8_t *out)
{
	if (q->state == QP_CR) {
		q->state = QP_TEXT;
		if (c == '\n')
			q->nblanks = 0;
		out = blanks(q, out);
		*out++ = '\r';
	} else if (q->state == QP_EQUALS && qp_hex(c) < 16) {
		q->state = QP_DIGIT;
		q->hex = c;
		return out;
	} else if (q->state == QP_DIGIT && qp_hex(c) < 16) {
		q->state = QP_TEXT;
		return decoded(q, qp_hex(q->hex) << 4 | qp_hex(c), out);
	} else if ((q->state == QP_EQUALS || q->state == QP_SOFT) && is_blank(c) && q->nblanks < MAIL_QP_BLANKS) {
		q->state = QP_SOFT;
		q->blanks[q->nblanks++] = c;
		return out;
	} else if ((q->state == QP_EQUALS || q->state == QP_SOFT) && c == '\r') {
		q->state = QP_SOFT_CR;
		return out;
	} else if (q->state != QP_TEXT && q->state != QP_DIGIT && c == '\n') {
		if (q->nblanks > 0)
			q->flags |= MIME_FLAG(QP_BROKEN);
		q->nblanks = 0;
		q->state = QP_TEXT;
		return out;
	} else if (q->state != QP_TEXT) {
		out = stray(q, out);
	}
	return text(q, c, out);
}

/* Text without line end, nothing before it and nothing that could depend on what follows. */
static uint8_t *run(struct quoted_printable *q, const uint8_t *p, const uint8_t *end, uint8_t *out)
{
	while (p < end) {
		if (*p != '=') {
			const uint8_t *next = memchr(p, '=', (size_t)(end - p));
			size_t n = (size_t)((next != NULL ? next : end) - p);
			memcpy(out, p, n);
			out += n;
			p += n;
		} else if (end - p >= 3 && (qp_hex(p[1]) | qp_hex(p[2])) < 16) {
			out = decoded(q, qp_hex(p[1]) << 4 | qp_hex(p[2]), out);
			p += 3;
		} else {
			q->flags |= MIME_FLAG(QP_BROKEN);
			*out++ = *p++;
		}
	}
	return out;
}

/* A whole line with its end; NULL when only byte() can do it. */
static uint8_t *line(struct quoted_printable *q, const uint8_t *p, const uint8_t *newline, uint8_t *out)
{
	const uint8_t *stop = newline > p && newline[-1] == '\r' ? newline - 1 : newline, *end = stop;

	while (end > p && is_blank(end[-1]))
		end--;
	if (stop - end > (ptrdiff_t)MAIL_QP_BLANKS)
		return NULL;
	bool soft = end > p && end[-1] == '=';
	if (soft && stop != end)
		q->flags |= MIME_FLAG(QP_BROKEN);
	out = run(q, p, end - soft, out);
	if (!soft) {
		memcpy(out, stop, (size_t)(newline + 1 - stop));
		out += newline + 1 - stop;
	}
	return out;
}

size_t qp_push(struct quoted_printable *q, const uint8_t *in, size_t n, uint8_t *out)
{
	const uint8_t *end = in + n;
	uint8_t *o = out, *done;

	while (in < end) {
		const uint8_t *newline = NULL;
		if (q->state == QP_TEXT && q->nblanks == 0)
			newline = memchr(in, '\n', (size_t)(end - in));
		if (newline != NULL && (done = line(q, in, newline, o)) != NULL) {
			o = done;
			in = newline + 1;
			continue;
		}
		/* The beginning of a line, or the rest of one. */
		while (in < end && *in != '\n')
			o = byte(q, *in++, o);
		if (in < end)
			o = byte(q, *in++, o);
	}
	return (size_t)(o - out);
}

size_t qp_end(struct quoted_printable *q, bool line_end, uint8_t *out)
{
	uint8_t *o = out;

	if (q->state == QP_CR)
		*o++ = '\r';
	else if (q->state == QP_DIGIT || (q->state != QP_TEXT && !line_end)) {
		q->nblanks = 0;
		o = stray(q, o);
	}
	q->nblanks = 0;
	return (size_t)(o - out);
}
