/*
 * html_attribute.c: the attributes of a tag, from behind its name to the '>' (HTML Standard, 13.2.5.32 to 13.2.5.40).
 *
 * Nearly all are whole in the piece of input and of the form name="value": those are read where they stand, by
 * html_read_usual(). What is cut or of another form goes through a reader for each state. Values of attributes that matter are
 * kept up to HTML_VALUE_MAX; the others are only passed over.
 */
#include "html_private.h"

#include "words.h"

struct attribute_row {
	uint8_t attribute;
};

#include "html_attributes.inc"

static enum attribute attribute_of(const char *name, size_t n)
{
	int known = word_find_folded(&html_attributes, name, n);

	return known < 0 ? A_NONE : (enum attribute)html_attributes_rows[known].attribute;
}

/* What ends the name of an attribute, and but for '=' that of an element. */
const bool html_ends_name[256] = {[' '] = true, ['\n'] = true, ['\t'] = true, ['\r'] = true, ['\f'] = true, ['/'] = true,
	['>'] = true, ['='] = true};

void html_no_attributes(struct html_tag *tag)
{
	tag->marked = false;
	tag->seen = tag->count = 0;
	tag->hidden = tag->pre = tag->painted = tag->layout = tag->mso = false;
	tag->font = FONT_UNSET;
	tag->color = tag->background = COLOR_UNSET;
	tag->width = tag->height = tag->start = tag->border = NUMBER_UNSET;
	tag->nhref = tag->nalt = 0;
}

/* -- What they mean ------------------------------------------------------------------------------------------ */

static void keep(char *to, uint16_t *nto, size_t max, const char *v, size_t n)
{
	*nto = (uint16_t)(n < max ? n : max);
	memcpy(to, v, *nto);
}

static void take_value(struct html_tag *tag, const char *v, size_t n)
{
	if (tag->attribute == A_NONE || (tag->seen & 1u << tag->attribute))
		return;
	tag->seen |= (uint16_t)(1u << tag->attribute);
	switch ((enum attribute)tag->attribute) {
	case A_STYLE: html_style(tag, v, n); break;
	case A_HREF: keep(tag->href, &tag->nhref, sizeof(tag->href), v, n); break;
	case A_ALT: keep(tag->alt, &tag->nalt, sizeof(tag->alt), v, n); break;
	case A_HIDDEN: tag->hidden = true; break;
	case A_BACKGROUND: tag->painted = true; break;
	case A_BGCOLOR: tag->background = html_color(v, n); break;
	case A_COLOR: tag->color = html_color(v, n); break;
	case A_WIDTH: tag->width = html_number(v, n); break;
	case A_HEIGHT: tag->height = html_number(v, n); break;
	case A_BORDER: tag->border = n == 0 ? 1 : html_number(v, n); break;
	case A_ROLE: tag->layout = html_is(v, n, "presentation") || html_is(v, n, "none"); break;
	case A_CLASS: tag->mso = n >= 9 && memcmp(v, "MsoNormal", 9) == 0; break;
	case A_START: case A_VALUE: tag->start = html_number(v, n); break;
	case A_NONE: break;
	}
}

/* -- Names -------------------------------------------------------------------------------------------------- */

static void attribute_name_end(struct html *h, const char *name, size_t n)
{
	struct html_tag *tag = &h->tag;

	tag->attribute = A_NONE;
	if (tag->wants == 0 || tag->count == HTML_ATTRIBUTES)
		return;
	tag->count++;
	tag->marked = true;
	enum attribute attribute = attribute_of(name, n);
	if (tag->wants & 1u << attribute & ~tag->seen)
		tag->attribute = (uint8_t)attribute;
}

static void attribute_end(struct html *h, const char *value, size_t n)
{
	if (h->tag.attribute != A_NONE)
		take_value(&h->tag, value, n);
	h->tag.attribute = A_NONE;
	h->state = S_BEFORE;
}

/* Between attributes: before a name, after a name, after "=". */
const char *html_read_between(struct html *h, const char *s, const char *end)
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
		html_tag_end(h);
		return s + 1;
	}
	if (*s == '/')
		return s + 1;
	h->nattribute = 0;
	h->nvalue = 0;
	h->state = S_ATTRIBUTE;
	return s;
}

const char *html_read_attribute(struct html *h, const char *s, const char *end)
{
	const char *name = s, *p = s + (h->nattribute == 0); /* the first may be '=' */
	size_t n, left = HTML_NAME_MAX - h->nattribute;

	while (p < end && !html_ends_name[(uint8_t)*p])
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

/* -- Values ------------------------------------------------------------------------------------------------- */

static bool value_is_full(const struct html *h)
{
	return h->nvalue + 4u > sizeof(h->value);
}

void html_value_put(struct html *h, uint32_t p)
{
	if (value_is_full(h))
		return;
	if (p < 0x80)
		h->value[h->nvalue++] = (char)p;
	else
		h->nvalue = (uint16_t)(h->nvalue + mailtext_utf8(p, h->value + h->nvalue));
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

const char *html_read_quoted(struct html *h, const char *s, const char *end)
{
	const char *quote = html_before(s, end, h->state == S_DOUBLE ? '"' : '\'');

	if (h->tag.attribute == A_NONE)
		s = quote;
	while (s < quote) {
		size_t n = plain_run(s, (size_t)(quote - s));
		value_add(h, s, n);
		s += n;
		if (value_is_full(h))
			s = quote;
		else if (s < quote)
			s = (uint8_t)*s >= 0x80 ? html_read_wide(h, s, end) : html_read_entity(h, s + 1, end);
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

const char *html_read_plain(struct html *h, const char *s, const char *end)
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
				html_tag_end(h);
			return s + 1;
		}
		if (wanted)
			return *s == '&' ? html_read_entity(h, s + 1, end) : html_read_wide(h, s, end);
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
		take_value(&h->tag, s + 1, n);
	}
	return close + 1;
}

/*
 * In a tag, before an attribute: those that are whole and of the usual form, without a change of state for each of their parts.
 * What is not goes to the readers above.
 */
const char *html_read_usual(struct html *h, const char *s, const char *end)
{
	const char *p, *next;

	for (;;) {
		while (s < end && html_is_space((uint8_t)*s))
			s++;
		if (s == end)
			return s;
		if (*s == '>' || *s == '/')
			return html_read_between(h, s, end);
		for (p = s + 1; p < end && !html_ends_name[(uint8_t)*p]; p++)
			;
		if (p == end || *p != '=')
			return html_read_between(h, s, end);
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
