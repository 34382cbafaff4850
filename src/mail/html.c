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

enum state {
	S_TEXT, S_OPEN, S_END_OPEN, S_NAME, S_BEFORE, S_ATTRIBUTE, S_AFTER, S_EQUALS, S_DOUBLE, S_SINGLE, S_PLAIN, S_MARKUP,
	S_MARKUP_DASH, S_COMMENT, S_BOGUS, S_RAW, S_RAW_OPEN, S_RAW_NAME, S_ENTITY, S_REST,
};

static const char *read_usual(struct html *h, const char *s, const char *end);

static const char *before(const char *s, const char *end, char until)
{
	const char *p = memchr(s, until, (size_t)(end - s));
	return p != NULL ? p : end;
}

/* -- Characters beyond ASCII ------------------------------------------------------------------------------- */

static bool value_is_full(const struct html *h)
{
	return h->nvalue + 4u > sizeof(h->value);
}

static void value_put(struct html *h, uint32_t p)
{
	if (value_is_full(h))
		return;
	if (p < 0x80)
		h->value[h->nvalue++] = (char)p;
	else
		h->nvalue = (uint16_t)(h->nvalue + mailtext_utf8(p, h->value + h->nvalue));
}

/* One of them, in a state where it counts. */
static void wide(struct html *h, uint32_t p)
{
	switch ((enum state)h->state) {
	case S_NAME:
		if (h->tag.length < HTML_NAME_MAX)
			h->tag.name[h->tag.length++] = '?';
		break;
	case S_DOUBLE: case S_SINGLE: case S_PLAIN:
		value_put(h, p);
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

static const char *read_wide(struct html *h, const char *s, const char *end)
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

/* -- Characters by name or number -------------------------------------------------------------------------- */

static void entity_put(struct html *h, uint32_t p)
{
	if (h->back == S_TEXT)
		html_text(h, p);
	else
		value_put(h, p);
}

static void entity_found(struct html *h, const struct entity *e)
{
	entity_put(h, e->point);
	if (e->second != 0)
		entity_put(h, e->second);
}

/*
 * A name as far as it goes, and what follows it. Returns how much of it meant a character; 0: none, it was a mere '&'. "&notit"
 * is the longest beginning that counts without a semicolon; not in values, where & mostly divides parameters.
 */
static size_t entity_take(struct html *h, const char *name, size_t n, char next)
{
	const struct entity *e = NULL;
	bool hex = n > 1 && (name[1] | 0x20) == 'x';

	if (n > 1u + hex && name[0] == '#') {
		entity_put(h, html_numeric(name + 1, n - 1));
		return n;
	}
	if (next == ';' && (e = html_entity(name, n, false)) != NULL) {
		entity_found(h, e);
		return n;
	}
	for (size_t length = n < 6 ? n : 6; length >= 2 && e == NULL; length--)
		e = html_entity(name, length, true);
	if (e == NULL || (h->back != S_TEXT && (e->length < n || next == '='))) {
		entity_put(h, '&');
		return 0;
	}
	entity_found(h, e);
	return e->length;
}

/* Does a name that has come so far go on with c? */
static bool entity_goes_on(const char *name, size_t n, uint32_t c)
{
	if (n == 0 || name[0] != '#')
		return html_alnum(c) || (n == 0 && c == '#');
	bool hex = n > 1 && (name[1] | 0x20) == 'x';
	return c - '0' < 10 || (n == 1 && (c | 0x20) == 'x') || (hex && (c | 0x20) - 'a' < 6);
}

/* Nearly always it is all there: s is behind the '&'. */
static const char *read_entity(struct html *h, const char *s, const char *end)
{
	size_t n = 0, most = (size_t)(end - s), limit = most > 0 && *s == '#' ? 9 : HTML_ENTITY_MAX;

	h->back = h->state;
	while (n < most && n < limit && entity_goes_on(s, n, (uint8_t)s[n]))
		n++;
	if (n == most || n == 9) { /* cut; or so long that there may be noughts in front without end */
		h->nentity = 0;
		h->state = S_ENTITY;
		return s;
	}
	size_t used = entity_take(h, s, n, s[n]);
	return s + used + (used > 0 && used == n && s[n] == ';');
}

/* The name is in h->entity; what was no character follows as text. Returns whether all was. */
static bool entity_end(struct html *h, char next)
{
	h->state = h->back;
	size_t used = entity_take(h, h->entity, h->nentity, next);
	for (size_t i = used; i < h->nentity; i++)
		entity_put(h, (uint8_t)h->entity[i]);
	return used > 0 && used == h->nentity;
}

static const char *read_cut_entity(struct html *h, const char *s, const char *end)
{
	for (; s < end; s++) {
		size_t n = h->nentity;
		bool number = n > 0 && h->entity[0] == '#', hex = number && n > 1 && (h->entity[1] | 0x20) == 'x';
		if (!entity_goes_on(h->entity, n, (uint8_t)*s) || (n == HTML_ENTITY_MAX && !number))
			return s + (entity_end(h, *s) && *s == ';');
		/* Leading noughts have no end, and what is beyond Unicode may have more digits. */
		bool nought = *s == '0' && number && n == 2u + hex && h->entity[n - 1] == '0';
		if (n < HTML_ENTITY_MAX && !nought)
			h->entity[h->nentity++] = *s;
	}
	return s;
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
		return read_wide(h, s, end);
	if (html_is_space((uint8_t)*s))
		return s + html_text_blanks(h, s, (size_t)(end - s));
	html_text(h, (uint8_t)*s);
	return s + 1;
}

/* In elements whose content is text to the end: '<' and '&' are no more than that. */
static const char *read_literal(struct html *h, const char *s, const char *end)
{
	while (s < end && !h->report.truncated) {
		size_t run = html_text_run(h, s, (size_t)(end - s));
		if (run == 0 && *s == '<' && h->state == S_RAW)
			break;
		s = run > 0 ? s + run : read_character(h, s, end);
	}
	return s;
}

/* -- Tags -------------------------------------------------------------------------------------------------- */

static void no_attributes(struct html_tag *tag)
{
	tag->marked = false;
	tag->seen = tag->count = 0;
	tag->hidden = tag->pre = tag->painted = tag->layout = tag->mso = false;
	tag->font = FONT_UNSET;
	tag->color = tag->background = COLOR_UNSET;
	tag->width = tag->height = tag->start = tag->border = NUMBER_UNSET;
	tag->nhref = tag->nalt = 0;
}

static inline void tag_begin(struct html *h, bool end)
{
	if (h->tag.marked)
		no_attributes(&h->tag);
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

static void tag_end(struct html *h)
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

/* What ends the name of an attribute, and but for '=' that of an element. */
static const bool ends_name[256] = {[' '] = true, ['\n'] = true, ['\t'] = true, ['\r'] = true, ['\f'] = true, ['/'] = true,
	['>'] = true, ['='] = true};

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
			return read_wide(h, s, end);
		if (ends_name[c] && c != '=') {
			html_name_end(tag);
			h->state = S_BEFORE;
			if (c != '>')
				return read_usual(h, s + 1, end);
			tag_end(h);
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

static void attribute_name_end(struct html *h, const char *name, size_t n)
{
	struct html_tag *tag = &h->tag;

	tag->attribute = A_NONE;
	if (tag->wants == 0 || tag->count == HTML_ATTRIBUTES)
		return;
	tag->count++;
	tag->marked = true;
	enum attribute attribute = html_attribute(name, n);
	if (tag->wants & 1u << attribute & ~tag->seen)
		tag->attribute = (uint8_t)attribute;
}

static void attribute_end(struct html *h, const char *value, size_t n)
{
	if (h->tag.attribute != A_NONE)
		html_attribute_value(&h->tag, value, n);
	h->tag.attribute = A_NONE;
	h->state = S_BEFORE;
}

/* Between attributes: before a name, after a name, after "=". */
static const char *read_between(struct html *h, const char *s, const char *end)
{
	while (s < end && html_is_space((uint8_t)*s))
		s++;
	if (s == end)
		return s;
	if (h->state == S_EQUALS) {
		h->state = *s == '"' ? S_DOUBLE : *s == '\'' ? S_SINGLE : S_PLAIN;
		return h->state == S_PLAIN ? s : s + 1;
	}
	if (h->state == S_AFTER) {
		if (*s == '=') {
			h->state = S_EQUALS;
			return s + 1;
		}
		attribute_end(h, "", 0);
	}
	if (*s == '>') {
		tag_end(h);
		return s + 1;
	}
	if (*s == '/')
		return s + 1;
	h->nattribute = 0;
	h->nvalue = 0;
	h->state = S_ATTRIBUTE;
	return s;
}

static const char *read_attribute(struct html *h, const char *s, const char *end)
{
	const char *name = s, *p = s + (h->nattribute == 0); /* the first may be '=' */
	size_t n, left = HTML_NAME_MAX - h->nattribute;

	while (p < end && !ends_name[(uint8_t)*p])
		p++;
	n = (size_t)(p - s);
	if (p == end || h->nattribute > 0) { /* cut: it is put together */
		memcpy(h->attribute + h->nattribute, s, n < left ? n : left);
		h->nattribute = (uint8_t)(h->nattribute + (n < left ? n : left));
		name = h->attribute;
		n = h->nattribute;
	}
	if (p == end)
		return p;
	attribute_name_end(h, name, n);
	h->state = *p == '=' ? S_EQUALS : S_AFTER;
	return p + (*p == '=');
}

/* Bytes that stand for themselves in a value: no '&', and what is no ASCII is right UTF-8 (not all that is). */
static size_t plain_run(const char *s, size_t n)
{
	size_t i = 0, wide;

	do {
		for (; n - i >= 8; i += 8) {
			uint64_t word = bytes_load(s + i);
			if (((word & BYTES_TOPS) | bytes_equal(word & ~BYTES_TOPS, '&')) != 0)
				break;
		}
		while (i < n && s[i] >= 0 && s[i] != '&')
			i++;
		wide = i < n && s[i] < 0 ? mailtext_wide_run(s + i, n - i) : 0;
		i += wide;
	} while (wide > 0);
	return i;
}

/* Adds what stands for itself to the value, so far as characters begin before the limit of value_is_full(). */
static void value_add(struct html *h, const char *s, size_t n)
{
	size_t left = value_is_full(h) ? 0 : HTML_VALUE_MAX - 3u - h->nvalue;

	if (n > left)
		for (size_t all = n, i = n = left; i < all && ((uint8_t)s[i] & 0xc0) == 0x80; i++)
			n++;
	if (n > 0)
		bytes_copy(h->value + h->nvalue, s, n);
	h->nvalue = (uint16_t)(h->nvalue + n);
}

static const char *read_quoted(struct html *h, const char *s, const char *end)
{
	const char *quote = before(s, end, h->state == S_DOUBLE ? '"' : '\'');

	if (h->tag.attribute == A_NONE)
		s = quote;
	while (s < quote) {
		size_t n = plain_run(s, (size_t)(quote - s));
		value_add(h, s, n);
		s += n;
		if (value_is_full(h))
			s = quote;
		else if (s < quote)
			s = (uint8_t)*s >= 0x80 ? read_wide(h, s, end) : read_entity(h, s + 1, end);
		if (h->state == S_ENTITY || h->need > 0)
			return s;
	}
	if (s < end) {
		attribute_end(h, h->value, h->nvalue);
		s++;
	}
	return s;
}

/* What ends a value without quotes, or is a character of another kind. */
static const bool ends_plain[256] = {[' '] = true, ['\n'] = true, ['\t'] = true, ['\r'] = true, ['\f'] = true, ['>'] = true,
	['&'] = true};

static const char *read_plain(struct html *h, const char *s, const char *end)
{
	bool wanted = h->tag.attribute != A_NONE;

	while (s < end) {
		const char *from = s;
		while (s < end && *s >= 0 && !ends_plain[(uint8_t)*s])
			s++;
		if (wanted)
			value_add(h, from, (size_t)(s - from));
		if (s == end)
			break;
		if (*s == '>' || html_is_space((uint8_t)*s)) {
			attribute_end(h, h->value, h->nvalue);
			if (*s == '>')
				tag_end(h);
			return s + 1;
		}
		if (wanted)
			return *s == '&' ? read_entity(h, s + 1, end) : read_wide(h, s, end);
		s++;
	}
	return s;
}

/* The value at s, behind '='. NULL: it is cut, or needs a reader of its own. */
static const char *whole_value(struct html *h, const char *s, const char *end)
{
	if (s == end || (*s != '"' && *s != '\''))
		return NULL;
	const char *close = memchr(s + 1, *s, (size_t)(end - s - 1));
	if (close == NULL)
		return NULL;
	if (h->tag.attribute != A_NONE) {
		size_t n = (size_t)(close - s - 1);
		if (n > HTML_VALUE_MAX - 3 || plain_run(s + 1, n) < n)
			return NULL;
		html_attribute_value(&h->tag, s + 1, n);
	}
	return close + 1;
}

/*
 * In a tag, before an attribute: those that are whole and of the usual form, without a change of state for each of their parts.
 * What is not goes to the readers above.
 */
static const char *read_usual(struct html *h, const char *s, const char *end)
{
	const char *p, *next;

	for (;;) {
		while (s < end && html_is_space((uint8_t)*s))
			s++;
		if (s == end)
			return s;
		if (*s == '>' || *s == '/')
			return read_between(h, s, end);
		for (p = s + 1; p < end && !ends_name[(uint8_t)*p]; p++)
			;
		if (p == end || *p != '=')
			return read_between(h, s, end);
		attribute_name_end(h, s, (size_t)(p - s));
		h->nvalue = 0;
		next = whole_value(h, p + 1, end);
		if (next == NULL) {
			h->state = S_EQUALS;
			return p + 1;
		}
		s = next;
	}
}

/* Is there one character of text, and then something else? It is not worth a run. */
static bool is_single(const char *s, const char *end)
{
	return end - s > 1 && (s[1] == '<' || html_is_space((uint8_t)s[1])) && (uint8_t)*s - 0x21u < 0x5e;
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
			s = read_entity(h, s + 1, end);
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
			s = before(s, end, '-');
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
	s = before(s, end, '>');
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

static const char *read_raw(struct html *h, const char *s, const char *end)
{
	s = h->raw == RAW_DROP ? before(s, end, '<') : read_literal(h, s, end);
	if (s == end || h->report.truncated)
		return s;
	h->state = S_RAW_OPEN;
	h->nraw = 0;
	return s + 1;
}

static const char *read_raw_end(struct html *h, const char *s, const char *end)
{
	uint8_t length = h->tag.length;

	if (h->state == S_RAW_OPEN && *s == '/') {
		h->state = S_RAW_NAME;
		return s + 1;
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

/* -- Bytes ------------------------------------------------------------------------------------------------- */

/* One thing; at least one byte is taken or the state is another. */
static const char *read_on(struct html *h, const char *s, const char *end)
{
	switch ((enum state)h->state) {
	case S_TEXT: return read_text(h, s, end);
	case S_OPEN: case S_END_OPEN: return read_open(h, s, end);
	case S_NAME: return read_name(h, s, end);
	case S_BEFORE: return read_usual(h, s, end);
	case S_AFTER: case S_EQUALS: return read_between(h, s, end);
	case S_ATTRIBUTE: return read_attribute(h, s, end);
	case S_DOUBLE: case S_SINGLE: return read_quoted(h, s, end);
	case S_PLAIN: return read_plain(h, s, end);
	case S_MARKUP: case S_MARKUP_DASH: return read_markup(h, s);
	case S_COMMENT: return read_comment(h, s, end);
	case S_BOGUS: return read_bogus(h, s, end);
	case S_RAW: return read_raw(h, s, end);
	case S_RAW_OPEN: case S_RAW_NAME: return read_raw_end(h, s, end);
	case S_ENTITY: return read_cut_entity(h, s, end);
	case S_REST: return read_literal(h, s, end);
	}
	return end;
}

void html_begin(struct html *h, const struct html_options *options)
{
	memset(h, 0, sizeof(*h));
	h->options = *options;
	h->page = 0xffffff;
	no_attributes(&h->tag);
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
	if (h->row.mode == ROW_HELD)
		html_row_end(h);
	if (h->started)
		html_put(h, "\n", 1);
	mailtext_end(&h->filter);
}
