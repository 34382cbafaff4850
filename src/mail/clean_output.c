/*
 * clean_output.c: the bytes of the cleaned mail on their way out: header as it is, body in base64, all of it hashed.
 *
 * Input: what the cleaner made. Never fails by itself: once the sink says no, nothing more is given to it.
 */
#include "clean_private.h"

#define LINE_IN 57u  /* bytes of a line of base64 */
#define LINE_OUT 78u /* and its CR LF */

static const char digits[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";

static void flush(struct clean_output *o)
{
	if (o->fill == 0)
		return;
	sha256_update(&o->hash, o->fill, (const uint8_t *)o->buffer);
	o->size += o->fill;
	if (o->error == 0)
		o->error = o->sink(o->arg, o->buffer, o->fill);
	o->fill = 0;
}

void clean_output_raw(struct clean_output *o, const char *bytes, size_t n)
{
	while (n > 0) {
		size_t piece = n < CLEAN_OUTPUT - o->fill ? n : CLEAN_OUTPUT - o->fill;
		memcpy(o->buffer + o->fill, bytes, piece);
		o->fill += piece;
		bytes += piece;
		n -= piece;
		if (o->fill == CLEAN_OUTPUT)
			flush(o);
	}
}

/* n bytes, a multiple of 3 but at the end of the mail, become characters at `out`, which is returned behind them. */
static char *encode(char *out, const uint8_t *s, size_t n)
{
	for (; n >= 3; n -= 3, s += 3) {
		uint32_t v = (uint32_t)s[0] << 16 | (uint32_t)s[1] << 8 | s[2];
		*out++ = digits[v >> 18];
		*out++ = digits[v >> 12 & 63];
		*out++ = digits[v >> 6 & 63];
		*out++ = digits[v & 63];
	}
	if (n == 0)
		return out;
	uint32_t v = (uint32_t)s[0] << 16 | (n == 2 ? (uint32_t)s[1] << 8 : 0);
	*out++ = digits[v >> 18];
	*out++ = digits[v >> 12 & 63];
	*out++ = n == 2 ? digits[v >> 6 & 63] : '=';
	*out++ = '=';
	return out;
}

static void put_line(struct clean_output *o, const uint8_t *s, size_t n)
{
	if (o->fill + LINE_OUT > CLEAN_OUTPUT)
		flush(o);
	char *end = encode(o->buffer + o->fill, s, n);
	memcpy(end, "\r\n", 2);
	o->fill = (size_t)(end + 2 - o->buffer);
}

void clean_output_base64(struct clean_output *o, const char *bytes, size_t n)
{
	const uint8_t *s = (const uint8_t *)bytes;

	if (o->ncarry > 0) {
		size_t take = n < LINE_IN - o->ncarry ? n : LINE_IN - o->ncarry;
		memcpy(o->carry + o->ncarry, s, take);
		o->ncarry += take;
		s += take;
		n -= take;
		if (o->ncarry < LINE_IN)
			return;
		put_line(o, o->carry, LINE_IN);
		o->ncarry = 0;
	}
	for (; n >= LINE_IN; n -= LINE_IN, s += LINE_IN)
		put_line(o, s, LINE_IN);
	memcpy(o->carry, s, n);
	o->ncarry = n;
}

void clean_output_end(struct clean_output *o)
{
	if (o->ncarry > 0)
		put_line(o, o->carry, o->ncarry);
	o->ncarry = 0;
	flush(o);
}
