/*
 * clean_capture.c: one text part: its bytes until its charset is settled, decoding, HTML or wrapped lines, into the text.
 *
 * Input: decoded bytes of a part (mime.h). The whole part, up to MAIL_TEXT_RAW, decides in which charset it is; what is beyond
 * that is decoded as it comes. What cannot be decoded is U+FFFD and flagged; nothing is guessed but by the rules of charset.h.
 * Nearly all text is in the charset that it names: it is decoded at once so, and once more only when that shows an error.
 */
#include "clean_private.h"

#include <sekisho/i18n.h>
#include <sekisho/unset.h>

#define PIECE 4096u /* bytes that are decoded at a time: they stay in the first cache */
#define META 2048u  /* where HTML names its charset: browsers look at 1024 bytes */

static void take_html(void *arg, const char *utf8, size_t n)
{
	clean_text_filtered(arg, utf8, n); /* html.h has filtered it */
}

void clean_capture_begin(struct clean *c, const struct mime_entity *e, struct clean_text *to)
{
	struct clean_capture *k = &c->capture;

	k->raw = c->raw;
	k->n = 0;
	k->on = true;
	k->settled = false;
	k->html = e->type == MIME_TEXT_HTML;
	k->declared = e->charset;
	k->named = e->charset_named;
	k->flowed.on = e->flowed && e->type == MIME_TEXT_PLAIN;
	k->flowed.delsp = e->delsp;
	k->quote = e->message;
	k->to = to;
}

/* The text begins, in this charset. */
static void begin_decoding(struct clean *c, enum charset charset)
{
	struct clean_capture *k = &c->capture;
	struct clean_text *to = k->to;

	k->charset = charset;
	k->settled = true;
	k->direct = false;
	decoder_begin(&k->decoder, charset);
	if (k->flowed.on)
		clean_flowed_begin(&k->flowed, k->flowed.delsp);
	if (k->html)
		html_begin(&k->filter, &(struct html_options){.text = take_html, .arg = to, .english = c->options.english,
			.private_use = c->options.private_use, .text_max = to->search != NULL ? SIZE_MAX : to->max});
	clean_text_begin(to, k->quote, c->options.private_use);
}

/* "charset=" in the first lines of HTML, for a part whose header names none. */
static enum charset find_meta(const uint8_t *raw, size_t n)
{
	static const char word[] = "charset=";
	const char *s = (const char *)raw, *end = s + (n < META ? n : META);

	while (s < end && (s = memmem(s, (size_t)(end - s), word, sizeof(word) - 1)) != NULL) {
		s += sizeof(word) - 1;
		if (s < end && (*s == '"' || *s == '\''))
			s++;
		size_t length = 0;
		while (s + length < end && (clean_is_atext(s[length]) || s[length] == ':') && strchr("'/", s[length]) == NULL)
			length++;
		enum charset charset = charset_find(s, length);
		bool wide = charset >= CHARSET_UTF_16 && charset <= CHARSET_UTF_16BE; /* it could not be read here */
		if (charset != CHARSET_UNKNOWN && !wide)
			return charset;
	}
	return CHARSET_ASCII;
}

static void put_text(struct clean_capture *k, const char *utf8, size_t n)
{
	if (k->html)
		html_push(&k->filter, utf8, n);
	else if (k->flowed.on)
		clean_flowed_put(&k->flowed, k->to, utf8, n);
	else
		clean_text_put(k->to, utf8, n);
}

static void decode(struct clean *c, const uint8_t *bytes, size_t n)
{
	struct clean_capture *k = &c->capture;
	char out[DECODER_OUT(PIECE)] UNSET;

	if (k->direct) {
		put_text(k, (const char *)bytes, n);
		c->report.text_bytes += n;
		return;
	}
	while (n > 0 && !k->to->full) {
		size_t piece = n < PIECE ? n : PIECE;
		size_t length = decoder_push(&k->decoder, bytes, piece, out);
		put_text(k, out, length);
		c->report.text_bytes += length;
		bytes += piece;
		n -= piece;
	}
}

/*
 * Decodes as declared, when charset_settle() would say so unless there is an error: an escape might mean ISO-2022-JP. Plain
 * UTF-8 needs no decoder, the filter of characters checks it. False: there was one, and nothing has happened.
 */
static bool try_declared(struct clean *c)
{
	struct clean_capture *k = &c->capture;
	struct clean_text before = *k->to;
	uint64_t bytes = c->report.text_bytes;
	bool mark = k->n >= 3 && memcmp(k->raw, "\xef\xbb\xbf", 3) == 0;

	if (k->to->search != NULL || k->declared == CHARSET_ISO_2022_JP || memchr(k->raw, '\x1b', k->n) != NULL)
		return false;
	begin_decoding(c, k->declared);
	k->direct = k->declared == CHARSET_UTF_8 && !k->html && !mark;
	decode(c, k->raw, k->n);
	if (k->decoder.errors == 0 && k->decoder.eight == 0 && (!k->direct || k->to->filter.replaced == 0))
		return true;
	*k->to = before;
	c->report.text_bytes = bytes;
	return false;
}

static void settle(struct clean *c)
{
	struct clean_capture *k = &c->capture;

	if (!k->named && k->html)
		k->declared = find_meta(k->raw, k->n);
	if (try_declared(c))
		return;
	begin_decoding(c, charset_settle(k->declared, k->raw, k->n));
	decode(c, k->raw, k->n);
}

void clean_capture_push(struct clean *c, const uint8_t *bytes, size_t n)
{
	struct clean_capture *k = &c->capture;

	if (!k->settled) {
		size_t room = MAIL_TEXT_RAW - k->n, piece = n < room ? n : room;
		memcpy(k->raw + k->n, bytes, piece);
		k->n += piece;
		if (k->n < MAIL_TEXT_RAW)
			return;
		settle(c);
		bytes += piece;
		n -= piece;
	}
	decode(c, bytes, n);
}

static void note_html(struct clean *c, const struct html_report *r)
{
	c->report.hidden += (uint32_t)(r->hidden < UINT32_MAX - c->report.hidden ? r->hidden : 0);
	c->report.deceptive += r->deceptive;
	c->report.flags |= (r->hidden > 0 ? MAIL_FLAG(HIDDEN) : 0) | (r->deceptive > 0 ? MAIL_FLAG(DECEPTIVE) : 0) |
		(r->refused > 0 ? MAIL_FLAG(BAD_LINK) : 0) | (r->base ? MAIL_FLAG(BASE) : 0) |
		(r->truncated ? MAIL_FLAG(TRUNCATED) : 0);
}

static void note_charset(struct clean *c)
{
	const struct clean_capture *k = &c->capture;

	if (c->report.charset[0] == '\0')
		strncpy(c->report.charset, charset_name(k->charset), sizeof(c->report.charset) - 1);
	if (k->named && k->charset != k->declared)
		c->report.flags |= MAIL_FLAG(CHARSET_LIE);
	if (k->decoder.errors > 0)
		c->report.flags |= MAIL_FLAG(BAD_TEXT);
}

#define DAMAGED (MIME_FLAG(BASE64_BROKEN) | MIME_FLAG(BASE64_CUT))

size_t clean_capture_end(struct clean *c, mime_flags body)
{
	struct clean_capture *k = &c->capture;
	char out[DECODER_OUT(0)];

	if (!k->settled)
		settle(c);
	if (!k->direct)
		put_text(k, out, decoder_end(&k->decoder, out));
	if (k->html) {
		html_end(&k->filter);
		note_html(c, &k->filter.report);
		k->to->dropped += k->filter.filter.dropped;
		k->to->replaced += k->filter.filter.replaced;
		clean_text_filtered(k->to, "\n", 1); /* what is said behind it begins a line */
	}
	note_charset(c);
	k->on = false;
	if (body & DAMAGED) {
		c->report.flags |= MAIL_FLAG(BAD_ENCODING);
		clean_text_say(k->to, "\n[%s]\n", _("part of the text could not be decoded"));
	}
	if (k->to->full)
		c->report.flags |= MAIL_FLAG(TRUNCATED);
	return clean_text_end(k->to);
}
