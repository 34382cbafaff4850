/*
 * jsonread.c: a small JSON reader.
 *
 * Input: bytes of another process, up to what the caller bounded; depth JSON_DEPTH_MAX, JSON_VALUES_MAX values.
 * Any deviation from RFC 8259, and what we never write (fractions, NUL in a string), makes the whole malformed.
 * Strings are not checked as UTF-8 here: whoever prints them escapes.
 */
#include "jsonread.h"

#include <sekisho/arena.h>
#include <sekisho/reader.h>

#include <string.h>

struct parse {
	struct reader r;
	struct arena *a;
	unsigned depth, values;
};

static struct json_value *parse_value(struct parse *p);

static struct json_value *fail(struct parse *p)
{
	p->r.bad = true;
	return NULL;
}

/* The next byte without taking it; 0 at the end. */
static uint8_t peek(const struct parse *p)
{
	return reader_left(&p->r) > 0 ? *p->r.p : 0;
}

static void skip_space(struct parse *p)
{
	for (uint8_t c = peek(p); c == ' ' || c == '\t' || c == '\n' || c == '\r'; c = peek(p))
		reader_skip(&p->r, 1);
}

/* Takes one byte behind white space; false (and bad) when it is another. */
static bool expect(struct parse *p, uint8_t c)
{
	skip_space(p);
	if (peek(p) != c || c == 0)
		return fail(p) != NULL;
	reader_skip(&p->r, 1);
	return true;
}

static unsigned hex4(struct parse *p)
{
	unsigned v = 0;

	for (int i = 0; i < 4; i++) {
		uint8_t c = reader_u8(&p->r);
		if (c >= '0' && c <= '9')
			v = v << 4 | (c - '0');
		else if ((c | 0x20) >= 'a' && (c | 0x20) <= 'f')
			v = v << 4 | ((c | 0x20) - 'a' + 10);
		else
			p->r.bad = true;
	}
	return v;
}

/* UTF-8 of a code point into out; bytes written. */
static size_t put_utf8(char *out, unsigned c)
{
	if (c < 0x80) {
		out[0] = (char)c;
		return 1;
	}
	if (c < 0x800) {
		out[0] = (char)(0xc0 | c >> 6);
		out[1] = (char)(0x80 | (c & 0x3f));
		return 2;
	}
	if (c < 0x10000) {
		out[0] = (char)(0xe0 | c >> 12);
		out[1] = (char)(0x80 | (c >> 6 & 0x3f));
		out[2] = (char)(0x80 | (c & 0x3f));
		return 3;
	}
	out[0] = (char)(0xf0 | c >> 18);
	out[1] = (char)(0x80 | (c >> 12 & 0x3f));
	out[2] = (char)(0x80 | (c >> 6 & 0x3f));
	out[3] = (char)(0x80 | (c & 0x3f));
	return 4;
}

/* Behind "\u": one code point, or a surrogate pair. */
static size_t unicode_escape(struct parse *p, char *out)
{
	unsigned c = hex4(p);

	if (c >= 0xd800 && c < 0xdc00) {
		bool pair = reader_u8(&p->r) == '\\' && reader_u8(&p->r) == 'u';
		unsigned low = hex4(p);
		if (!pair || low < 0xdc00 || low > 0xdfff)
			p->r.bad = true;
		c = 0x10000 + ((c - 0xd800) << 10) + (low - 0xdc00);
	} else if (c == 0 || (c >= 0xdc00 && c <= 0xdfff)) {
		p->r.bad = true;
	}
	return p->r.bad ? 0 : put_utf8(out, c);
}

static size_t escape(struct parse *p, char *out)
{
	static const char from[] = "\"\\/bfnrt", to[] = "\"\\/\b\f\n\r\t";
	uint8_t c = reader_u8(&p->r);

	if (c == 'u')
		return unicode_escape(p, out);
	const char *at = c == 0 ? NULL : strchr(from, c);
	if (at == NULL) {
		p->r.bad = true;
		return 0;
	}
	*out = to[at - from];
	return 1;
}

/* Behind the opening quote. The text never grows: the longest escape "\uXXXX" gives three bytes. */
static const char *parse_text(struct parse *p)
{
	const uint8_t *start = p->r.p;
	size_t raw = 0, n = 0, left = reader_left(&p->r);

	while (raw < left && start[raw] != '"')
		raw += start[raw] == '\\' ? 2 : 1;
	if (raw >= left)
		return (const char *)fail(p);
	char *out = arena_alloc(p->a, raw + 1);
	for (uint8_t c; !p->r.bad && (c = reader_u8(&p->r)) != '"';) {
		if (c < 0x20)
			p->r.bad = true;
		else if (c == '\\')
			n += escape(p, out + n);
		else
			out[n++] = (char)c;
	}
	return p->r.bad ? NULL : out;
}

static int64_t parse_number(struct parse *p)
{
	bool negative = peek(p) == '-';
	int64_t v = 0;
	unsigned digits = 0;

	if (negative)
		reader_skip(&p->r, 1);
	bool zero = peek(p) == '0';
	for (; peek(p) >= '0' && peek(p) <= '9'; digits++) {
		if (digits >= 18 || (zero && digits == 1))
			p->r.bad = true;
		v = v * 10 + (reader_u8(&p->r) - '0');
		if (p->r.bad)
			return 0;
	}
	if (digits == 0 || peek(p) == '.' || (peek(p) | 0x20) == 'e')
		p->r.bad = true;
	return negative ? -v : v;
}

static bool parse_word(struct parse *p, const char *word)
{
	size_t n = strlen(word);
	const uint8_t *s = reader_bytes(&p->r, n);

	if (s == NULL || memcmp(s, word, n) != 0)
		p->r.bad = true;
	return !p->r.bad;
}

/* Behind "[" or "{": the children up to `close`. */
static void parse_children(struct parse *p, struct json_value *v, uint8_t close)
{
	struct json_value **tail = &v->first;

	if (++p->depth > JSON_DEPTH_MAX)
		p->r.bad = true;
	skip_space(p);
	bool more = peek(p) != close;
	while (more && !p->r.bad) {
		const char *key = NULL;
		if (close == '}' && (!expect(p, '"') || (key = parse_text(p)) == NULL || !expect(p, ':')))
			break;
		struct json_value *child = parse_value(p);
		if (child == NULL)
			break;
		child->key = key;
		*tail = child;
		tail = &child->next;
		skip_space(p);
		more = peek(p) == ',';
		if (more)
			reader_skip(&p->r, 1);
	}
	expect(p, close);
	p->depth--;
}

static struct json_value *parse_value(struct parse *p)
{
	skip_space(p);
	uint8_t c = peek(p);
	if (p->r.bad || ++p->values > JSON_VALUES_MAX)
		return fail(p);
	struct json_value *v = ARENA_NEW(p->a, struct json_value);
	if (c == '{' || c == '[') {
		reader_skip(&p->r, 1);
		v->kind = c == '{' ? JSON_OBJECT : JSON_ARRAY;
		parse_children(p, v, c == '{' ? '}' : ']');
	} else if (c == '"') {
		reader_skip(&p->r, 1);
		v->kind = JSON_STRING;
		v->text = parse_text(p);
	} else if (c == 't' || c == 'f') {
		v->kind = JSON_BOOL;
		v->truth = c == 't';
		parse_word(p, v->truth ? "true" : "false");
	} else if (c == 'n') {
		parse_word(p, "null");
	} else {
		v->kind = JSON_NUMBER;
		v->number = parse_number(p);
	}
	return p->r.bad ? NULL : v;
}

const struct json_value *json_read(struct arena *a, const char *text, size_t n)
{
	struct parse p = {.r = reader_init(text, n), .a = a};
	struct json_value *v = parse_value(&p);

	skip_space(&p);
	return v != NULL && !p.r.bad && reader_left(&p.r) == 0 ? v : NULL;
}

const struct json_value *json_member(const struct json_value *v, const char *key)
{
	if (v == NULL || v->kind != JSON_OBJECT)
		return NULL;
	for (const struct json_value *m = v->first; m != NULL; m = m->next)
		if (strcmp(m->key, key) == 0)
			return m;
	return NULL;
}

const char *json_member_text(const struct json_value *v, const char *key)
{
	const struct json_value *m = json_member(v, key);

	return m != NULL && m->kind == JSON_STRING ? m->text : NULL;
}

uint64_t json_member_number(const struct json_value *v, const char *key)
{
	const struct json_value *m = json_member(v, key);

	return m != NULL && m->kind == JSON_NUMBER && m->number > 0 ? (uint64_t)m->number : 0;
}
