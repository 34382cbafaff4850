/*
 * html.c: HTML as a stream of characters and tags (HTML Standard, 13.2.5 tokenization; without a tree).
 *
 * Input: UTF-8 of strangers, cut anywhere. Each state has a reader, which takes as many bytes as it can; each byte is looked
 * at once or twice, whatever the input, so time is O(n); memory is struct html. Never fails: what is no HTML is text or is
 * skipped. Characters beyond ASCII are decoded only where they count: in text, names and the values of attributes that matter.
 *
 * Unlike browsers: <![CDATA[ is always a comment; scripts that hold "<!--" end at their first </script>; a tag with an @ in
 * its name is a mail address that somebody forgot to escape, and is shown.
 */
#include "html_private.h"

#include "bytes.h"

/* -- Characters beyond ASCII ------------------------------------------------------------------------------- */

/* One of them, in a state where it counts. */
static void wide(struct html *h, uint32_t p)
{
	switch ((enum state)h->state) {
	case S_NAME:
		if (h->tag.length < HTML_NAME_MAX)
			h->tag.name[h->tag.length++] = '?';
		break;
	case S_DOUBLE: case S_SINGLE: case S_PLAIN:
		html_value_put(h, p);
		break;
	default:
		html_text(h, p);
	}
}

/* What is left of a character. `low` is what its next byte may be, least and most, as in mailtext.c. */
static const char *read_rest(struct html *h, const char *s, const char *end)
{
	for (; s < end && h->need > 0; s++) {
		uint8_t b = (uint8_t)*s;
		if (b < (h->low & 0xff) || b > h->low >> 8) {
			h->need = 0;
			wide(h, 0xfffd);
			return s;
		}
		h->point = h->point << 6 | (b & 0x3f);
		h->low = 0x80 | 0xbf << 8;
		if (--h->need == 0)
			wide(h, h->point);
	}
	return s;
}

const char *html_read_wide(struct html *h, const char *s, const char *end)
{
	uint8_t b = (uint8_t)*s;

	h->low = 0x80 | 0xbf << 8;
	if (b >= 0xc2 && b <= 0xdf) {
		h->need = 1;
		h->point = b & 0x1f;
	} else if (b >= 0xe0 && b <= 0xef) {
		h->need = 2;
		h->point = b & 0x0f;
		h->low = (b == 0xe0 ? 0xa0 : 0x80) | (b == 0xed ? 0x9f : 0xbf) << 8;
	} else if (b >= 0xf0 && b <= 0xf4) {
		h->need = 3;
		h->point = b & 0x07;
		h->low = (b == 0xf0 ? 0x90 : 0x80) | (b == 0xf4 ? 0x8f : 0xbf) << 8;
	} else {
		wide(h, 0xfffd);
		return s + 1;
	}
	return read_rest(h, s + 1, end);
}

/* -- Text -------------------------------------------------------------------------------------------------- */

/* Bytes of the character of two or three bytes at s, if it is whole and right; else 0. */
static size_t whole_wide(const char *utf8, size_t n, uint32_t *ret)
{
	const uint8_t *s = (const uint8_t *)utf8;

	if (n >= 2 && s[0] >= 0xc2 && s[0] < 0xe0 && (s[1] & 0xc0) == 0x80) {
		*ret = (s[0] & 0x1fu) << 6 | (s[1] & 0x3fu);
		return 2;
	}
	if (n < 3 || (s[0] & 0xf0) != 0xe0 || (s[1] & 0xc0) != 0x80 || (s[2] & 0xc0) != 0x80)
		return 0;
	*ret = (s[0] & 0x0fu) << 12 | (s[1] & 0x3fu) << 6 | (s[2] & 0x3fu);
	return *ret >= 0x800 && *ret - 0xd800 >= 0x800 ? 3 : 0;
}

/* What is no run: blanks, one other character. */
static const char *read_character(struct html *h, const char *s, const char *end)
{
	if ((uint8_t)*s >= 0x80)
		return html_read_wide(h, s, end);
	if (html_is_space((uint8_t)*s))
		return s + html_text_blanks(h, s, (size_t)(end - s));
	html_text(h, (uint8_t)*s);
	return s + 1;
}

/* In elements whose content is text to the end: '<' and '&' are no more than that. */
static const char *read_literal(struct html *h, const char *s, const char *end)
{
	while (s < end && !h->report.truncated) {
		if (*s == '<' && h->state == S_RAW)
			break;
		size_t run = html_text_run(h, s, (size_t)(end - s));
		s = run > 0 ? s + run : read_character(h, s, end);
	}
	return s;
}

/* -- Tags -------------------------------------------------------------------------------------------------- */

static inline void tag_begin(struct html *h, bool end)
{
	if (h->tag.marked)
		html_no_attributes(&h->tag);
	h->tag.length = 0;
	h->tag.end = end;
	h->tag.at = false;
	h->state = S_NAME;
}

static void show_address(struct html *h)
{
	html_text(h, '<');
	for (unsigned i = 0; i < h->tag.length; i++)
		html_text(h, (uint8_t)h->tag.name[i]);
	html_text(h, '>');
}

void html_tag_end(struct html *h)
{
	enum raw raw = RAW_NONE;

	h->state = S_TEXT;
	if (h->tag.at)
		show_address(h);
	else if (h->tag.end)
		html_finish(h);
	else
		raw = html_start(h);
	h->raw = raw;
	if (raw == RAW_REST)
		h->state = S_REST;
	else if (raw != RAW_NONE)
		h->state = S_RAW;
}

/* Capital letters become small; all bytes are ASCII. */
static uint64_t lower_bytes(uint64_t word)
{
	uint64_t capitals = ~bytes_below(word, 'A') & bytes_below(word, 'Z' + 1) & BYTES_TOPS;
	return word | capitals >> 2;
}

/* A name of up to seven letters with what follows it, in one go. Returns its length; 0: it is not of that kind. */
static size_t short_name(struct html_tag *tag, const char *s)
{
	uint64_t word = bytes_load(s), w = word & ~BYTES_TOPS, ends = (word & BYTES_TOPS) | bytes_below(w, ' ' + 1);

	ends |= bytes_equal(w, '/') | bytes_equal(w, '>') | bytes_equal(w, '@');

	if (ends == 0)
		return 0;
	size_t n = bytes_first(ends);
	w = htole64(lower_bytes(w));
	memcpy(tag->name, &w, sizeof(w));
	tag->length = (uint8_t)n;
	return n;
}

static const char *read_name(struct html *h, const char *s, const char *end)
{
	struct html_tag *tag = &h->tag;

	if (tag->length == 0 && end - s >= 8)
		s += short_name(tag, s);

	for (; s < end; s++) {
		uint8_t c = (uint8_t)*s;
		if (c >= 0x80)
			return html_read_wide(h, s, end);
		if (html_ends_name[c] && c != '=') {
			html_name_end(tag);
			h->state = S_BEFORE;
			if (c != '>')
				return html_read_usual(h, s + 1, end);
			html_tag_end(h);
			return s + 1;
		}
		if (tag->length == HTML_NAME_MAX)
			continue;
		tag->at |= c == '@';
		tag->name[tag->length++] = (char)html_lower(c);
	}
	return s;
}

/* Behind '<' or "</". */
static const char *read_open(struct html *h, const char *s, const char *end)
{
	bool ends = h->state == S_END_OPEN;

	if (((uint8_t)*s | 0x20u) - 'a' < 26) {
		tag_begin(h, ends);
		return read_name(h, s, end);
	}
	if (!ends && (*s == '/' || *s == '!')) {
		h->state = *s == '/' ? S_END_OPEN : S_MARKUP;
	} else if (ends ? *s != '>' : *s == '?') {
		h->state = S_BOGUS;
	} else {
		h->state = S_TEXT;
		if (!ends) { /* "a < b" */
			html_text(h, '<');
			return s;
		}
	}
	return s + 1;
}

/* Is there one character of text, and then a blank, a tag or a mark (U+0300 to U+036F)? That is not worth a run. */
static bool is_single(const char *s, const char *end)
{
	if (end - s < 2 || (uint8_t)*s - 0x21u >= 0x5e)
		return false;
	return s[1] == '<' || html_is_space((uint8_t)s[1]) || ((uint8_t)s[1] & 0xfe) == 0xcc;
}

/* Takes a mark, a blank or an invisible character, which is in no run. Returns its bytes, or 0. */
static size_t read_unkept(struct html *h, const char *s, const char *end)
{
	uint32_t p;
	size_t n = whole_wide(s, (size_t)(end - s), &p);

	if (n == 0 || mailtext_class(p) == MAILTEXT_KEEP)
		return 0;
	html_text(h, p);
	return n;
}

/* The beginning of a tag or not: s is behind the '<'. */
static const char *read_less(struct html *h, const char *s, const char *end)
{
	h->state = S_OPEN;
	return s < end ? read_open(h, s, end) : s;
}

static const char *read_text(struct html *h, const char *s, const char *end)
{
	while (s < end && h->state == S_TEXT && !h->report.truncated) {
		uint8_t c = (uint8_t)*s;
		if (c == '<') {
			s = read_less(h, s + 1, end);
		} else if (c == '&') {
			s = html_read_entity(h, s + 1, end);
		} else {
			size_t n = 0;
			if (c > ' ' && !is_single(s, end) && (c < 0x80 || (n = read_unkept(h, s, end)) == 0))
				n = html_text_run(h, s, (size_t)(end - s));
			s = n > 0 ? s + n : read_character(h, s, end);
		}
	}
	return s;
}

/* -- Comments, declarations, content that is no HTML -------------------------------------------------------- */

/* Behind "<!". */
static const char *read_markup(struct html *h, const char *s)
{
	if (h->state == S_MARKUP && *s == '-') {
		h->state = S_MARKUP_DASH;
	} else if (h->state == S_MARKUP_DASH && *s == '-') {
		h->state = S_COMMENT;
		h->dashes = 2;
	} else {
		h->state = *s == '>' ? S_TEXT : S_BOGUS;
	}
	return s + 1;
}

/* "<!--", then until "-->"; "<!-->" and "--!>" count too. */
static const char *read_comment(struct html *h, const char *s, const char *end)
{
	while (s < end) {
		if (h->dashes == 0)
			s = html_before(s, end, '-');
		if (s == end)
			break;
		char c = *s++;
		if (c == '>' && h->dashes >= 2) {
			h->state = S_TEXT;
			break;
		}
		if (c == '-')
			h->dashes = h->dashes == 3 ? 1 : h->dashes < 2 ? h->dashes + 1 : 2;
		else
			h->dashes = c == '!' && h->dashes == 2 ? 3 : 0;
	}
	return s;
}

static const char *read_bogus(struct html *h, const char *s, const char *end)
{
	s = html_before(s, end, '>');
	if (s == end)
		return s;
	h->state = S_TEXT;
	return s + 1;
}

/* "<", "</", "</scr": it was not the end tag of this element. */
static void raw_back(struct html *h)
{
	if (h->raw == RAW_SHOW) {
		html_text(h, '<');
		if (h->state == S_RAW_NAME)
			html_text(h, '/');
		for (unsigned i = 0; i < h->nraw; i++)
			html_text(h, (uint8_t)h->tag.name[i]);
	}
	h->nraw = 0;
	h->state = S_RAW;
}

static const char *read_raw_end(struct html *h, const char *s, const char *end)
{
	uint8_t length = h->tag.length;

	if (h->state == S_RAW_OPEN && *s == '/') {
		h->state = S_RAW_NAME;
		s++;
	}
	while (h->state == S_RAW_NAME && s < end && h->nraw < length && (char)html_lower((uint8_t)*s) == h->tag.name[h->nraw])
		s++, h->nraw++;
	if (s == end)
		return s;
	if (h->state == S_RAW_NAME && h->nraw == length && (html_is_space((uint8_t)*s) || *s == '/' || *s == '>')) {
		tag_begin(h, true);
		h->tag.length = length;
		h->tag.wants = 0;
		h->raw = RAW_NONE;
		h->state = S_BEFORE;
	} else {
		raw_back(h);
	}
	return s;
}

static const char *read_raw(struct html *h, const char *s, const char *end)
{
	s = h->raw == RAW_DROP ? html_before(s, end, '<') : read_literal(h, s, end);
	if (s == end || h->report.truncated)
		return s;
	h->state = S_RAW_OPEN;
	h->nraw = 0;
	return s + 1 < end ? read_raw_end(h, s + 1, end) : s + 1;
}

/* -- Bytes ------------------------------------------------------------------------------------------------- */

/* One thing; at least one byte is taken or the state is another. */
static const char *read_on(struct html *h, const char *s, const char *end)
{
	switch ((enum state)h->state) {
	case S_TEXT: return read_text(h, s, end);
	case S_OPEN: case S_END_OPEN: return read_open(h, s, end);
	case S_NAME: return read_name(h, s, end);
	case S_BEFORE: return html_read_usual(h, s, end);
	case S_AFTER: case S_EQUALS: return html_read_between(h, s, end);
	case S_ATTRIBUTE: return html_read_attribute(h, s, end);
	case S_DOUBLE: case S_SINGLE: return html_read_quoted(h, s, end);
	case S_PLAIN: return html_read_plain(h, s, end);
	case S_MARKUP: case S_MARKUP_DASH: return read_markup(h, s);
	case S_COMMENT: return read_comment(h, s, end);
	case S_BOGUS: return read_bogus(h, s, end);
	case S_RAW: return read_raw(h, s, end);
	case S_RAW_OPEN: case S_RAW_NAME: return read_raw_end(h, s, end);
	case S_ENTITY: return html_read_cut_entity(h, s, end);
	case S_REST: return read_literal(h, s, end);
	}
	return end;
}

void html_begin(struct html *h, const struct html_options *options)
{
	memset(h, 0, sizeof(*h));
	h->options = *options;
	h->page = 0xffffff;
	html_no_attributes(&h->tag);
	mailtext_begin(&h->filter, &(struct mailtext_options){
		.sink = options->text, .arg = options->arg, .defang = true, .private_use = options->private_use});
}

void html_push(struct html *h, const char *utf8, size_t n)
{
	const char *s = utf8, *end = utf8 + n;

	if (h->need > 0 && !h->report.truncated)
		s = read_rest(h, s, end);
	while (s < end && !h->report.truncated)
		s = h->state == S_TEXT ? read_text(h, s, end) : read_on(h, s, end);
}

void html_end(struct html *h)
{
	if (h->need > 0) {
		h->need = 0;
		wide(h, 0xfffd);
	}
	if (h->state == S_ENTITY) /* it is finished by a blank that nobody sees */
		html_push(h, " ", 1);
	if (h->state == S_OPEN)
		html_text(h, '<');
	h->nscopes = 0;
	h->hide = SCOPE_NONE;
	html_link_end(h);
	if (h->rt)
		html_mark(h, h->options.english ? ")" : "）");
	while (h->ntables > HTML_TABLES)
		h->ntables = HTML_TABLES;
	if (h->held)
		html_row_end(h);
	if (h->started)
		html_put(h, "\n", 1);
	mailtext_end(&h->filter);
}
