/*
 * mime_words.c: text of header fields (RFC 2047, and what programs write instead).
 *
 * Words side by side, nothing but blanks between them, in one charset are joined as bytes: programs cut characters and shift
 * states in two. Which charset the bytes really are in is settled as for bodies (charset.h), by the first WORDS_RUN of
 * them. Text that is not encoded: UTF-8, ISO-2022-JP, else CP932. Words are decoded once; a word within
 * a word stays as it is, flagged. A word needs no blank before or after it: programs forget them.
 *
 * Input: one field of strangers. Output: through mailtext. Memory: WORDS_RUN bytes. Time: linear.
 */
#include <sekisho/charset.h>

#include <string.h>
#include <strings.h>

#include "base64.h"
#include "mime_private.h"
#include "quoted_printable.h"

#define WORDS_RUN 1024u

/* Words that are joined. */
struct run {
	struct mailtext *text;
	mime_flags flags;
	enum charset charset; /* what they say; CHARSET_UNKNOWN: there is no run */
	const uint8_t *label; /* the last one that was looked up, and what it was: most fields have one */
	size_t nlabel;
	enum charset label_charset;
	bool settled;
	struct decoder decoder;
	size_t n;
	uint8_t bytes[WORDS_RUN];
};

struct word {
	enum charset charset;
	bool base64;
	const uint8_t *text, *text_end, *end;
};

static bool is_blank(uint8_t c)
{
	return c == ' ' || c == '\t' || c == '\r' || c == '\n';
}

void mime_buffer_take(void *arg, const char *utf8, size_t n)
{
	struct mime_buffer *b = arg;

	/* A character may come in two pieces: there is room for all of it when its first byte is taken. */
	for (size_t i = 0; i < n; i++) {
		uint8_t c = (uint8_t)utf8[i];
		size_t length = c < 0x80 ? 1 : c < 0xe0 ? 2 : c < 0xf0 ? 3 : 4;
		if (c < 0x80 || c >= 0xc0) {
			b->cut |= b->characters == 0 || length >= b->size - b->n;
			b->characters -= b->cut ? 0 : 1;
		}
		if (b->cut)
			return;
		b->out[b->n++] = utf8[i];
	}
}

/* -- Runs ----------------------------------------------------------------------------------------------------------- */

static void run_flush(struct run *r)
{
	char out[DECODER_OUT(WORDS_RUN)];

	if (!r->settled) {
		enum charset settled = charset_settle(r->charset, r->bytes, r->n);
		if (settled != r->charset && r->charset != CHARSET_ASCII)
			r->flags |= MIME_FLAG(CHARSET_LIES);
		decoder_begin(&r->decoder, settled);
		r->settled = true;
	}
	size_t n = decoder_push(&r->decoder, r->bytes, r->n, out);
	if (memmem(out, n, "=?", 2) != NULL && memmem(out, n, "?=", 2) != NULL)
		r->flags |= MIME_FLAG(WORD_NESTED);
	mailtext_put(r->text, out, n);
	r->n = 0;
}

static void run_end(struct run *r)
{
	char out[DECODER_OUT(0)];

	if (r->charset == CHARSET_UNKNOWN)
		return;
	run_flush(r);
	mailtext_put(r->text, out, decoder_end(&r->decoder, out));
	if (r->decoder.errors > 0)
		r->flags |= MIME_FLAG(CHARSET_LIES);
	r->charset = CHARSET_UNKNOWN;
}

static void run_byte(struct run *r, unsigned byte)
{
	if (r->n == WORDS_RUN)
		run_flush(r);
	r->bytes[r->n++] = (uint8_t)byte;
}

static void run_base64(struct run *r, const uint8_t *p, const uint8_t *end)
{
	uint32_t bits = 0;
	unsigned n = 0;

	for (; p < end && *p != '='; p++) {
		unsigned value = base64_value(*p);
		if (value == 64) {
			r->flags |= MIME_FLAG(WORD_BROKEN);
			if (!is_blank(*p)) /* a blank where somebody folded it */
				return;
			continue;
		}
		bits = bits << 6 | value;
		n += 6;
		if (n >= 8) {
			n -= 8;
			run_byte(r, bits >> n & 0xff);
		}
	}
	while (p < end && *p == '=')
		p++;
	if (p < end || n == 6)
		r->flags |= MIME_FLAG(WORD_BROKEN);
}

static void run_q(struct run *r, const uint8_t *p, const uint8_t *end)
{
	for (; p < end; p++) {
		if (*p == '=' && end - p > 2 && (qp_hex(p[1]) | qp_hex(p[2])) < 16) {
			run_byte(r, qp_hex(p[1]) << 4 | qp_hex(p[2]));
			p += 2;
			continue;
		}
		if (*p == '=' || is_blank(*p))
			r->flags |= MIME_FLAG(WORD_BROKEN);
		run_byte(r, *p == '_' ? ' ' : *p);
	}
}

static void run_word(struct run *r, const struct word *w)
{
	if (r->charset != w->charset) {
		run_end(r);
		r->charset = w->charset;
		r->settled = false;
		r->n = 0;
	}
	if (w->base64)
		run_base64(r, w->text, w->text_end);
	else
		run_q(r, w->text, w->text_end);
}

/* -- Words ---------------------------------------------------------------------------------------------------------- */

static enum charset charset_of(struct run *r, const uint8_t *label, size_t n)
{
	if (n != r->nlabel || memcmp(label, r->label, n) != 0)
		r->label_charset = charset_find((const char *)label, n);
	r->label = label;
	r->nlabel = n;
	return r->label_charset;
}

/* "=?charset*language?B?text?=" at p. */
static bool word_read(struct word *w, const uint8_t *p, const uint8_t *end, struct run *r)
{
	const uint8_t *name = p + 2, *q = name;

	while (q < end && *q > ' ' && *q < 0x7f && !mime_is_of(*q, "()<>@,;:\"/[]?="))
		q++;
	if (q == name || end - q < 5 || q[0] != '?' || q[2] != '?' || !mime_is_of(q[1], "BbQq"))
		return false;
	const uint8_t *star = memchr(name, '*', (size_t)(q - name));
	w->base64 = q[1] == 'B' || q[1] == 'b';
	w->text = q + 3;
	w->text_end = memchr(w->text, '?', (size_t)(end - w->text));
	if (w->text_end == NULL || end - w->text_end < 2 || w->text_end[1] != '=')
		return false;
	w->end = w->text_end + 2;
	w->charset = charset_of(r, name, (size_t)((star != NULL ? star : q) - name));
	if (w->charset == CHARSET_UNKNOWN)
		r->flags |= MIME_FLAG(WORD_CHARSET);
	return w->charset != CHARSET_UNKNOWN;
}

/* Text that is not encoded. */
static void raw_put(struct mailtext *text, enum charset charset, const uint8_t *p, size_t n)
{
	char out[DECODER_OUT(256)];
	struct decoder d;

	if (charset == CHARSET_UTF_8 || charset == CHARSET_ASCII) {
		mailtext_put(text, (const char *)p, n);
		return;
	}
	decoder_begin(&d, charset);
	for (size_t i = 0; i < n; i += 256)
		mailtext_put(text, out, decoder_push(&d, p + i, n - i < 256 ? n - i : 256, out));
	mailtext_put(text, out, decoder_end(&d, out));
}

static bool all_blank(const uint8_t *p, const uint8_t *end)
{
	while (p < end && is_blank(*p))
		p++;
	return p == end;
}

mime_flags mime_words_count(struct mailtext *text, const void *value, size_t n, unsigned *ret_words)
{
	const uint8_t *p = value, *end = p + n, *raw = p, *next;
	struct run r;
	enum charset charset = CHARSET_ASCII;

	*ret_words = 0;
	r.text = text;
	r.flags = 0;
	r.charset = CHARSET_UNKNOWN;
	r.label = p;
	r.nlabel = 0;
	r.label_charset = CHARSET_UNKNOWN;
	if (memchr(p, 0x1b, n) != NULL || mime_line_8bit(p, n))
		charset = charset_settle(CHARSET_UTF_8, p, n);
	if (charset == CHARSET_ISO_2022_JP) { /* what looks like a word may be characters */
		raw_put(text, charset, p, n);
		return 0;
	}
	while ((next = memmem(p, (size_t)(end - p), "=?", 2)) != NULL) {
		struct word w;
		if (!word_read(&w, next, end, &r)) {
			p = next + 2;
			continue;
		}
		if (*ret_words == 0 || !all_blank(raw, next)) {
			run_end(&r);
			raw_put(text, charset, raw, (size_t)(next - raw));
		}
		run_word(&r, &w);
		++*ret_words;
		raw = p = w.end;
	}
	run_end(&r);
	raw_put(text, charset, raw, (size_t)(end - raw));
	return r.flags;
}

mime_flags mime_words(struct mailtext *text, const void *value, size_t n)
{
	unsigned words;

	return mime_words_count(text, value, n, &words);
}

mime_flags mime_words_into(char *out, size_t size, const void *value, size_t n)
{
	struct mime_buffer buffer = {.out = out, .size = size, .characters = size};
	struct mailtext_options options = {.sink = mime_buffer_take, .arg = &buffer, .one_line = true};
	struct mailtext text;

	mailtext_begin(&text, &options);
	mime_flags flags = mime_words(&text, value, n);
	mailtext_end(&text);
	out[buffer.n] = '\0';
	return flags | (buffer.cut ? MIME_FLAG(CUT) : 0);
}
