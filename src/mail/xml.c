/*
 * xml.c: XML as a stream of tokens (XML 1.0, but no document type, no processing, no entities of its own).
 *
 * Input: what zlib made of a stranger's bytes; UTF-8, or UTF-16 with its mark. A document type, an unknown entity, a
 * NUL or another charset stops it (x->stopped): documents of Office have none, attacks do. No tree, no stack: memory
 * is struct xml.
 */
#include "xml.h"

#include <string.h>
#include <strings.h>

enum state {
	TEXT,
	ENTITY,
	OPEN,	/* behind < */
	NAME,
	TAG,	/* between attributes */
	ATTRIBUTE,
	EQUALS,
	VALUE,
	BANG,	/* behind <! */
	COMMENT,
	CDATA,
	PROCESS, /* <? */
};

struct out {
	xml_sink *sink;
	void *arg;
};

static bool is_blank(char c)
{
	return c == ' ' || c == '\t' || c == '\n' || c == '\r';
}

static void stop(struct xml *x)
{
	x->stopped = true;
}

static void text(struct xml *x, const struct out *o, const char *s, size_t n)
{
	if (x->back == VALUE) {
		size_t room = sizeof(x->value) - x->nvalue, keep = n < room ? n : room;
		memcpy(x->value + x->nvalue, s, keep);
		x->nvalue = (uint8_t)(x->nvalue + keep);
	} else if (n > 0) {
		o->sink(o->arg, XML_TEXT, s, n);
	}
}

static unsigned digit_of(char c, unsigned base)
{
	char small = (char)(c | 0x20);
	if (c >= '0' && c <= '9')
		return (unsigned)(c - '0');
	return small >= 'a' && small <= 'f' ? (unsigned)(small - 'a') + 10 : base;
}

/* "#65" or "#x41"; 0 when it is no number. Nine digits at most: no overflow. */
static uint32_t numeric(const char *s)
{
	unsigned base = s[1] == 'x' ? 16 : 10;
	uint32_t value = 0;

	for (s += base == 16 ? 2 : 1; *s != '\0'; s++) {
		unsigned digit = digit_of(*s, base);
		if (digit >= base)
			return 0;
		value = value * base + digit;
	}
	return value;
}

/* The entity in x->entity, without & and ;. */
static void entity(struct xml *x, const struct out *o)
{
	static const struct {
		const char *name;
		char c;
	} named[] = {{"lt", '<'}, {"gt", '>'}, {"amp", '&'}, {"quot", '"'}, {"apos", '\''}};
	char utf8[4];
	uint32_t point = x->entity[0] == '#' ? numeric(x->entity) : 0;

	for (size_t i = 0; i < sizeof(named) / sizeof(named[0]); i++)
		if (strcmp(x->entity, named[i].name) == 0)
			point = (uint32_t)named[i].c;
	if (point == 0 || point > 0x10ffff)
		stop(x);
	else
		text(x, o, utf8, mailtext_utf8(point, utf8));
}

static void on_entity(struct xml *x, const struct out *o, char c)
{
	if (c == ';') {
		x->entity[x->nentity] = '\0';
		entity(x, o);
		x->state = x->back;
	} else if (x->nentity + 1u < sizeof(x->entity)) {
		x->entity[x->nentity++] = c;
	} else {
		stop(x);
	}
}

static void start_entity(struct xml *x, enum state back)
{
	x->back = (uint8_t)back;
	x->nentity = 0;
	x->state = ENTITY;
}

/* The tag is over. */
static void close_tag(struct xml *x, const struct out *o, bool empty)
{
	if (x->end || empty)
		o->sink(o->arg, XML_END, x->name, x->nname);
	x->state = TEXT;
	x->back = TEXT;
}

static void start_name(struct xml *x, const struct out *o)
{
	if (!x->end)
		o->sink(o->arg, XML_START, x->name, x->nname);
}

static void on_open(struct xml *x, char c)
{
	x->matched = 0;
	x->nname = 0;
	x->end = false;
	x->nvalue = 0;
	if (c == '!') {
		x->state = BANG;
	} else if (c == '?') {
		x->state = PROCESS;
	} else if (c == '/') {
		x->end = true;
		x->state = NAME;
	} else {
		x->name[x->nname++] = c;
		x->state = NAME;
	}
}

/* "/" is only there before ">" in an empty element; elsewhere it does no harm. */
static void on_name(struct xml *x, const struct out *o, char c)
{
	if (c == '>' || c == '/' || is_blank(c)) {
		start_name(x, o);
		x->matched = c == '/';
		x->state = TAG;
		if (c == '>')
			close_tag(x, o, false);
	} else if (c == ':') {
		x->nname = 0;
	} else if (x->nname < sizeof(x->name)) {
		x->name[x->nname++] = c;
	}
}

static void on_tag(struct xml *x, const struct out *o, char c)
{
	if (c == '>') {
		close_tag(x, o, x->matched);
	} else if (!is_blank(c)) {
		x->matched = c == '/';
		x->nattribute = 0;
		if (c != '/') {
			x->attribute[x->nattribute++] = c;
			x->state = ATTRIBUTE;
		}
	}
}

static void on_attribute(struct xml *x, const struct out *o, char c)
{
	if (c == '=' || is_blank(c))
		x->state = EQUALS;
	else if (c == '>')
		close_tag(x, o, false);
	else if (c == ':')
		x->nattribute = 0;
	else if (x->nattribute < sizeof(x->attribute))
		x->attribute[x->nattribute++] = c;
}

static void on_equals(struct xml *x, const struct out *o, char c)
{
	if (c == '"' || c == '\'') {
		x->quote = (uint8_t)c;
		x->nvalue = 0;
		x->back = VALUE;
		x->state = VALUE;
	} else if (c == '>') {
		close_tag(x, o, false);
	}
}

static void on_value(struct xml *x, const struct out *o, char c)
{
	if (c == (char)x->quote) {
		if (!x->end)
			o->sink(o->arg, XML_ATTRIBUTE, x->value, x->nvalue);
		x->back = TEXT;
		x->state = TAG;
	} else if (c == '&') {
		start_entity(x, VALUE);
	} else {
		text(x, o, &c, 1);
	}
}

/* <!-- or <![CDATA[; everything else is a document type. */
static void on_bang(struct xml *x, char c)
{
	static const char comment[] = "--", cdata[] = "[CDATA[";
	const char *word = x->matched > 0 ? (x->quote == '-' ? comment : cdata) : c == '-' ? comment : cdata;

	if (x->matched == 0)
		x->quote = (uint8_t)c;
	if (word[x->matched] != c) {
		stop(x);
		return;
	}
	x->matched++;
	if (word[x->matched] == '\0') {
		x->state = word == comment ? COMMENT : CDATA;
		x->matched = 0;
	}
}

static void on_comment(struct xml *x, char c)
{
	if (c == '>' && x->matched >= 2)
		x->state = TEXT;
	x->matched = c != '-' ? 0 : x->matched < 2 ? x->matched + 1 : 2;
}

static void on_cdata(struct xml *x, const struct out *o, char c)
{
	if (c == '>' && x->matched >= 2) {
		x->matched = 0;
		x->state = TEXT;
	} else if (c == ']') {
		if (x->matched == 2)
			text(x, o, "]", 1);
		else
			x->matched++;
	} else {
		text(x, o, "]]", x->matched);
		text(x, o, &c, 1);
		x->matched = 0;
	}
}

static bool holds(const char *s, size_t n, const char *word)
{
	size_t m = strlen(word);

	for (size_t i = 0; i + m <= n; i++)
		if (strncasecmp(s + i, word, m) == 0)
			return true;
	return false;
}

/* Only the declaration at the beginning says something: the charset. */
static void on_process(struct xml *x, char c)
{
	if (x->nvalue < sizeof(x->value))
		x->value[x->nvalue++] = c;
	if (c != '>' || x->matched == 0) {
		x->matched = c == '?';
		return;
	}
	x->state = TEXT;
	bool utf = holds(x->value, x->nvalue, "utf-8") || holds(x->value, x->nvalue, "utf-16");
	if (!utf && holds(x->value, x->nvalue, "encoding"))
		stop(x);
}

static void on_character(struct xml *x, const struct out *o, char c)
{
	switch ((enum state)x->state) {
	case TEXT:
		if (c == '<')
			x->state = OPEN;
		else
			start_entity(x, TEXT);
		break;
	case ENTITY:
		on_entity(x, o, c);
		break;
	case OPEN:
		on_open(x, c);
		break;
	case NAME:
		on_name(x, o, c);
		break;
	case TAG:
		on_tag(x, o, c);
		break;
	case ATTRIBUTE:
		on_attribute(x, o, c);
		break;
	case EQUALS:
		on_equals(x, o, c);
		break;
	case VALUE:
		on_value(x, o, c);
		break;
	case BANG:
		on_bang(x, c);
		break;
	case COMMENT:
		on_comment(x, c);
		break;
	case CDATA:
		on_cdata(x, o, c);
		break;
	case PROCESS:
		on_process(x, c);
		break;
	}
}

static void tokens(struct xml *x, const struct out *o, const char *s, size_t n)
{
	const char *nul = memchr(s, 0, n);
	size_t i = 0;

	n = nul != NULL ? (size_t)(nul - s) : n;
	while (i < n && !x->stopped) {
		size_t from = i;
		while (x->state == TEXT && i < n && s[i] != '<' && s[i] != '&')
			i++;
		text(x, o, s + from, i - from);
		if (i < n)
			on_character(x, o, s[i++]);
	}
	if (nul != NULL)
		stop(x);
}

/* The first bytes: a mark of UTF-8 or UTF-16, or none. */
static void take_mark(struct xml *x, const struct out *o, uint8_t byte)
{
	x->mark[x->nmark++] = byte;
	if (x->nmark < 2)
		return;
	x->wide = (x->mark[0] == 0xff && x->mark[1] == 0xfe) || (x->mark[0] == 0xfe && x->mark[1] == 0xff);
	if (!x->wide && x->nmark < 3 && x->mark[0] == 0xef)
		return;
	x->started = true;
	if (x->wide) {
		char utf8[DECODER_OUT(2)];
		decoder_begin(&x->decoder, CHARSET_UTF_16);
		tokens(x, o, utf8, decoder_push(&x->decoder, x->mark, 2, utf8));
	} else if (x->nmark < 3 || memcmp(x->mark, "\xef\xbb\xbf", 3) != 0) {
		tokens(x, o, (const char *)x->mark, x->nmark);
	}
}

void xml_begin(struct xml *x)
{
	memset(x, 0, sizeof(*x));
	x->state = TEXT;
	x->back = TEXT;
}

void xml_push(struct xml *x, const uint8_t *bytes, size_t n, xml_sink *sink, void *arg)
{
	const struct out o = {sink, arg};
	char utf8[DECODER_OUT(512)];

	while (n > 0 && !x->started && !x->stopped) {
		take_mark(x, &o, *bytes);
		bytes++;
		n--;
	}
	while (n > 0 && x->wide && !x->stopped) {
		size_t take = n < 512 ? n : 512;
		tokens(x, &o, utf8, decoder_push(&x->decoder, bytes, take, utf8));
		bytes += take;
		n -= take;
	}
	if (n > 0 && !x->stopped)
		tokens(x, &o, (const char *)bytes, n);
}
