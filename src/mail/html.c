/*
 * html.c: HTML as a stream of characters and tags (HTML Standard, 13.2.5 tokenization; without a tree).
 *
 * Input: UTF-8 of strangers, cut anywhere. Each character is looked at once, whatever the input, so time is O(n); memory is
 * struct html. Never fails: what is no HTML is text or is skipped.
 *
 * Unlike browsers: <![CDATA[ is always a comment; scripts that hold "<!--" end at their first </script>; a tag with an @ in
 * its name is a mail address that somebody forgot to escape, and is shown.
 */
#include "html_private.h"

enum state {
	S_TEXT, S_OPEN, S_END_OPEN, S_NAME, S_BEFORE, S_ATTRIBUTE, S_AFTER, S_EQUALS, S_DOUBLE, S_SINGLE, S_PLAIN, S_MARKUP,
	S_MARKUP_DASH, S_COMMENT, S_BOGUS, S_RAW, S_RAW_OPEN, S_RAW_NAME, S_ENTITY, S_REST,
};

static void step(struct html *h, uint32_t p);

/* -- Tags -------------------------------------------------------------------------------------------------- */

static void tag_begin(struct html *h, bool end)
{
	struct html_tag *tag = &h->tag;

	tag->length = 0;
	tag->end = end;
	tag->seen = tag->count = 0;
	tag->hidden = tag->pre = tag->painted = tag->layout = tag->mso = false;
	tag->font = FONT_UNSET;
	tag->color = tag->background = COLOR_UNSET;
	tag->width = tag->height = tag->start = tag->border = NUMBER_UNSET;
	tag->nhref = tag->nalt = 0;
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

	h->tag.name[h->tag.length] = '\0';
	h->state = S_TEXT;
	if (memchr(h->tag.name, '@', h->tag.length) != NULL)
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

static void attribute_begin(struct html *h)
{
	h->nattribute = 0;
	h->nvalue = 0;
	h->state = S_ATTRIBUTE;
}

static void attribute_name_end(struct html *h)
{
	h->tag.attribute = A_NONE;
	if (!h->tag.end && h->tag.count < HTML_ATTRIBUTES) {
		h->tag.count++;
		h->tag.attribute = html_attribute(h->attribute, h->nattribute);
	}
}

static void attribute_end(struct html *h, enum state next)
{
	html_attribute_value(h);
	h->nvalue = 0;
	h->tag.attribute = A_NONE;
	h->state = next;
}

static void value_put(struct html *h, uint32_t p)
{
	if (h->tag.attribute == A_NONE || h->nvalue + 4u > sizeof(h->value))
		return;
	if (p < 0x80) /* nearly always */
		h->value[h->nvalue++] = (char)p;
	else
		h->nvalue = (uint16_t)(h->nvalue + mailtext_utf8(p, h->value + h->nvalue));
}

/* -- Characters by name or number -------------------------------------------------------------------------- */

static void entity_begin(struct html *h)
{
	h->back = h->state;
	h->nentity = 0;
	h->state = S_ENTITY;
}

static void entity_put(struct html *h, uint32_t p)
{
	if (h->back == S_TEXT)
		html_text(h, p);
	else
		value_put(h, p);
}

static void entity_raw(struct html *h, size_t from)
{
	for (size_t i = from; i < h->nentity; i++)
		entity_put(h, (uint8_t)h->entity[i]);
}

static void entity_found(struct html *h, const struct entity *e)
{
	entity_put(h, e->point);
	if (e->second != 0)
		entity_put(h, e->second);
}

/* "&notit": the longest beginning that counts without a semicolon. Not in values, where & mostly divides parameters. */
static void entity_unfinished(struct html *h, uint32_t next)
{
	const struct entity *e = NULL;
	size_t n = h->nentity < 6 ? h->nentity : 6;

	for (; n >= 2 && e == NULL; n--)
		e = html_entity(h->entity, n, true);
	size_t used = e != NULL ? e->length : 0;
	if (e == NULL || (h->back != S_TEXT && (used < h->nentity || next == '='))) {
		entity_put(h, '&');
		entity_raw(h, 0);
		return;
	}
	entity_found(h, e);
	entity_raw(h, used);
}

static void entity_end(struct html *h, uint32_t next)
{
	const struct entity *e;
	bool hex = h->nentity > 1 && (h->entity[1] | 0x20) == 'x';

	h->state = h->back;
	if (h->nentity > 1u + hex && h->entity[0] == '#') {
		entity_put(h, html_numeric(h->entity + 1, h->nentity - 1u));
	} else if (next == ';' && (e = html_entity(h->entity, h->nentity, false)) != NULL) {
		entity_found(h, e);
	} else {
		entity_unfinished(h, next);
		if (next == ';')
			entity_put(h, ';');
		}
	if (next != ';')
		step(h, next); /* once: the state is no longer S_ENTITY */
}

static bool is_hex(uint32_t p)
{
	return p - '0' < 10 || (p | 0x20) - 'a' < 6;
}

static void entity_step(struct html *h, uint32_t p)
{
	size_t n = h->nentity;
	bool takes = html_alnum(p) || (n == 0 && p == '#');

	if (n > 0 && h->entity[0] == '#') {
		bool hex = n > 1 && (h->entity[1] | 0x20) == 'x';
		takes = p - '0' < 10 || (n == 1 && (p | 0x20) == 'x') || (hex && is_hex(p));
		/* Leading noughts have no end. */
		if (takes && p == '0' && n > 1 && h->entity[n - 1] == '0' && n == 2u + hex)
			return;
	}
	if (!takes) {
		entity_end(h, p);
	} else if (n == HTML_ENTITY_MAX) {
		if (h->entity[0] == '#') /* beyond Unicode: so are more digits */
			return;
		entity_end(h, p);
	} else {
		h->entity[h->nentity++] = (char)p;
	}
}

/* -- Content that is no HTML ------------------------------------------------------------------------------- */

static void raw_text(struct html *h, uint32_t p)
{
	if (h->raw == RAW_SHOW)
		html_text(h, p);
}

/* "<", "</", "</scr": was it the end tag of this element? */
static void raw_back(struct html *h, uint32_t p)
{
	raw_text(h, '<');
	if (h->state == S_RAW_NAME)
		raw_text(h, '/');
	for (unsigned i = 0; i < h->nraw; i++)
		raw_text(h, (uint8_t)h->tag.name[i]);
	h->nraw = 0;
	h->state = S_RAW;
	step(h, p);
}

static void raw_step(struct html *h, uint32_t p)
{
	if (h->state == S_RAW) {
		if (p == '<')
			h->state = S_RAW_OPEN;
		else
			raw_text(h, p);
	} else if (h->state == S_RAW_OPEN) {
		h->nraw = 0;
		if (p == '/')
			h->state = S_RAW_NAME;
		else
			raw_back(h, p);
	} else if (h->nraw < h->tag.length) {
		if (html_lower(p) == (uint8_t)h->tag.name[h->nraw])
			h->nraw++;
		else
			raw_back(h, p);
	} else if (html_is_space(p) || p == '/' || p == '>') {
		uint8_t length = h->tag.length;
		tag_begin(h, true);
		h->tag.length = length;
		h->raw = RAW_NONE;
		h->state = S_BEFORE;
		step(h, p);
	} else {
		raw_back(h, p);
	}
}

/* -- Comments and declarations ----------------------------------------------------------------------------- */

/* "<!--", then until "-->"; "<!-->" and "--!>" count too. */
static void comment_step(struct html *h, uint32_t p)
{
	if (p == '>' && h->dashes >= 2)
		h->state = S_TEXT;
	else if (p == '-')
		h->dashes = h->dashes == 3 ? 1 : h->dashes < 2 ? h->dashes + 1 : 2;
	else if (p == '!' && h->dashes == 2)
		h->dashes = 3;
	else
		h->dashes = 0;
}

static void markup_step(struct html *h, uint32_t p)
{
	if (h->state == S_MARKUP && p == '-') {
		h->state = S_MARKUP_DASH;
	} else if (h->state == S_MARKUP_DASH && p == '-') {
		h->state = S_COMMENT;
		h->dashes = 2;
	} else {
		h->state = p == '>' ? S_TEXT : S_BOGUS;
	}
}

/* -- The automaton ----------------------------------------------------------------------------------------- */

static void open_step(struct html *h, uint32_t p)
{
	bool end = h->state == S_END_OPEN;

	if ((p | 0x20) - 'a' < 26) {
		tag_begin(h, end);
		step(h, p);
	} else if (!end && p == '/') {
		h->state = S_END_OPEN;
	} else if (!end && p == '!') {
		h->state = S_MARKUP;
	} else if (end ? p != '>' : p == '?') {
		h->state = S_BOGUS;
	} else {
		h->state = S_TEXT;
		if (!end) { /* "a < b" */
			html_text(h, '<');
			step(h, p);
		}
	}
}

static void name_step(struct html *h, uint32_t p)
{
	if (html_is_space(p))
		h->state = S_BEFORE;
	else if (p == '/')
		h->state = S_BEFORE;
	else if (p == '>')
		tag_end(h);
	else if (h->tag.length < HTML_NAME_MAX)
		h->tag.name[h->tag.length++] = (char)(p < 0x80 ? html_lower(p) : '?');
}

static void attribute_step(struct html *h, uint32_t p)
{
	bool ends = html_is_space(p) || p == '/' || p == '>' || (p == '=' && h->nattribute > 0);

	if (ends) {
		attribute_name_end(h);
		h->state = S_AFTER;
		step(h, p);
	} else if (h->nattribute < HTML_NAME_MAX) {
		h->attribute[h->nattribute++] = (char)(p < 0x80 ? html_lower(p) : '?');
	}
}

/* Between attributes: before a name, after a name, after "=". */
static void between_step(struct html *h, uint32_t p)
{
	if (html_is_space(p))
		return;
	if (h->state == S_EQUALS) {
		h->state = p == '"' ? S_DOUBLE : p == '\'' ? S_SINGLE : S_PLAIN;
		if (h->state == S_PLAIN)
			step(h, p);
		return;
	}
	if (h->state == S_AFTER) {
		if (p == '=') {
			h->state = S_EQUALS;
			return;
		}
		attribute_end(h, S_BEFORE);
	}
	if (p == '>') {
		tag_end(h);
	} else if (p != '/') {
		attribute_begin(h);
		step(h, p);
	}
}

static void value_step(struct html *h, uint32_t p)
{
	bool plain = h->state == S_PLAIN;

	if (p == '&')
		entity_begin(h);
	else if (plain ? html_is_space(p) : p == (h->state == S_DOUBLE ? '"' : '\''))
		attribute_end(h, S_BEFORE);
	else if (plain && p == '>') {
		attribute_end(h, S_BEFORE);
		tag_end(h);
	} else
		value_put(h, p);
}

static void step(struct html *h, uint32_t p)
{
	switch ((enum state)h->state) {
	case S_TEXT:
		if (p == '<')
			h->state = S_OPEN;
		else if (p == '&')
			entity_begin(h);
		else
			html_text(h, p);
		break;
	case S_OPEN: case S_END_OPEN: open_step(h, p); break;
	case S_NAME: name_step(h, p); break;
	case S_BEFORE: case S_AFTER: case S_EQUALS: between_step(h, p); break;
	case S_ATTRIBUTE: attribute_step(h, p); break;
	case S_DOUBLE: case S_SINGLE: case S_PLAIN: value_step(h, p); break;
	case S_MARKUP: case S_MARKUP_DASH: markup_step(h, p); break;
	case S_COMMENT: comment_step(h, p); break;
	case S_BOGUS: h->state = p == '>' ? S_TEXT : S_BOGUS; break;
	case S_RAW: case S_RAW_OPEN: case S_RAW_NAME: raw_step(h, p); break;
	case S_ENTITY: entity_step(h, p); break;
	case S_REST: html_text(h, p); break;
	}
}

/* -- Bytes ------------------------------------------------------------------------------------------------- */

/* As in mailtext.c: `low` is what the next byte may be, least and most. */
static void lead(struct html *h, uint8_t b)
{
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
		step(h, 0xfffd);
	}
}

static void push_byte(struct html *h, uint8_t b)
{
	if (h->need > 0) {
		if (b >= (h->low & 0xff) && b <= h->low >> 8) {
			h->point = h->point << 6 | (b & 0x3f);
			h->low = 0x80 | 0xbf << 8;
			if (--h->need == 0)
				step(h, h->point);
			return;
		}
		h->need = 0;
		step(h, 0xfffd);
	}
	if (b < 0x80)
		step(h, b);
	else
		lead(h, b);
}

void html_begin(struct html *h, const struct html_options *options)
{
	memset(h, 0, sizeof(*h));
	h->options = *options;
	h->page = 0xffffff;
	mailtext_begin(&h->filter, &(struct mailtext_options){
		.sink = options->text, .arg = options->arg, .defang = true, .private_use = options->private_use});
}

/* Letters of a name, as many as there are and fit. */
static size_t take_name(char *name, uint8_t *length, const char *s, size_t n)
{
	size_t i = 0;

	while (i < n && *length < HTML_NAME_MAX && (html_alnum((uint8_t)s[i]) || s[i] == '-'))
		name[(*length)++] = (char)html_lower((uint8_t)s[i++]);
	return i;
}

static size_t take_value(struct html *h, const char *s, size_t n)
{
	char quote = h->state == S_DOUBLE ? '"' : '\'';
	size_t i = 0, left = sizeof(h->value) - h->nvalue;

	for (; i < n && i + 4 <= left && s[i] != quote && s[i] != '&' && s[i] > 0; i++)
		h->value[h->nvalue + i] = s[i];
	h->nvalue = (uint16_t)(h->nvalue + i);
	return i;
}

static size_t before(const char *s, size_t n, char until)
{
	const char *p = memchr(s, until, n);
	return p != NULL ? (size_t)(p - s) : n;
}

/* Many bytes at once, where each of them would do the same: bytes taken, or 0. */
static size_t take_many(struct html *h, const char *s, size_t n)
{
	switch ((enum state)h->state) {
	case S_TEXT: return html_text_run(h, s, n);
	case S_NAME: return take_name(h->tag.name, &h->tag.length, s, n);
	case S_ATTRIBUTE: return take_name(h->attribute, &h->nattribute, s, n);
	case S_DOUBLE: case S_SINGLE:
		if (h->tag.attribute != A_NONE)
			return take_value(h, s, n);
		return before(s, n, h->state == S_DOUBLE ? '"' : '\'');
	case S_RAW: return h->raw == RAW_DROP ? before(s, n, '<') : 0;
	case S_BOGUS: return before(s, n, '>');
	case S_COMMENT: return h->dashes == 0 ? before(s, n, '-') : 0;
	default: return 0;
	}
}

void html_push(struct html *h, const char *utf8, size_t n)
{
	for (size_t i = 0; i < n && !h->report.truncated;) {
		size_t many = h->need == 0 ? take_many(h, utf8 + i, n - i) : 0;
		i += many;
		if (many == 0)
			push_byte(h, (uint8_t)utf8[i++]);
	}
}

void html_end(struct html *h)
{
	if (h->need > 0) {
		h->need = 0;
		step(h, 0xfffd);
	}
	if (h->state == S_ENTITY) /* the character behind it is a blank that nobody sees */
		entity_end(h, ' ');
	if (h->state == S_OPEN)
		html_text(h, '<');
	h->nscopes = 0;
	h->hide = SCOPE_NONE;
	html_link_end(h);
	if (h->rt)
		html_say(h, h->options.english ? ")" : "）");
	while (h->ntables > HTML_TABLES)
		h->ntables = HTML_TABLES;
	if (h->row.mode == ROW_HELD)
		html_row_end(h);
	if (h->started)
		html_put(h, "\n", 1);
	mailtext_end(&h->filter);
}
