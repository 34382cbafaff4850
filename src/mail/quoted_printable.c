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

#include <endian.h>
#include <string.h>

enum qp_state {
	QP_TEXT,
	QP_CR,	      /* CR after what is in blanks */
	QP_EQUALS,    /* "=" */
	QP_DIGIT,     /* "=" and a digit */
	QP_SOFT,      /* "=" and what is in blanks */
	QP_SOFT_CR,   /* and CR */
};

/* Values of digits; NONE for what is none. */
#define NONE 0x80
#define HEX(c)                                                                                                 \
	((c) >= '0' && (c) <= '9'   ? (c) - '0'                                                                 \
	: (c) >= 'A' && (c) <= 'F' ? (c) - 'A' + 10                                                             \
	: (c) >= 'a' && (c) <= 'f' ? (c) - 'a' + 10                                                             \
				     : NONE)
#define FOUR(c) HEX(c), HEX(c + 1), HEX(c + 2), HEX(c + 3)
#define SIXTEEN(c) FOUR(c), FOUR(c + 4), FOUR(c + 8), FOUR(c + 12)
#define SIXTYFOUR(c) SIXTEEN(c), SIXTEEN(c + 16), SIXTEEN(c + 32), SIXTEEN(c + 48)
static const uint8_t digits[256] = {SIXTYFOUR(0), SIXTYFOUR(64), SIXTYFOUR(128), SIXTYFOUR(192)};

unsigned qp_hex(uint8_t c)
{
	return digits[c] == NONE ? 16 : digits[c];
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
	if (q->nblanks > 0)
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

/* Copies up to the next "=", eight bytes at a time: runs of text are short. Up to seven bytes of rubbish may follow in out. */
static const uint8_t *copy(const uint8_t *p, const uint8_t *end, uint8_t **out)
{
	const uint64_t ones = UINT64_C(0x0101010101010101);
	uint8_t *o = *out;

	while (end - p >= 8) {
		uint64_t eight, equal;
		memcpy(&eight, p, 8);
		memcpy(o, &eight, 8);
		equal = le64toh(eight) ^ ones * '=';
		equal = (equal - ones) & ~equal & ones << 7;
		size_t n = equal == 0 ? 8 : (size_t)__builtin_ctzll(equal) / 8;
		o += n;
		p += n;
		if (n < 8)
			break;
	}
	while (p < end && *p != '=')
		*o++ = *p++;
	*out = o;
	return p;
}

/* Text without line end, nothing before it and nothing that could depend on what follows. */
static uint8_t *run(struct quoted_printable *q, const uint8_t *p, const uint8_t *end, uint8_t *out)
{
	while ((p = copy(p, end, &out)) < end) {
		while (end - p >= 3 && *p == '=') {
			unsigned high = digits[p[1]], low = digits[p[2]];
			if ((high | low) >= NONE)
				break;
			out = decoded(q, high << 4 | low, out);
			p += 3;
		}
		if (p < end && *p == '=') {
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
