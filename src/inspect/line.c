/*
 * line.c: text lines from a cursor. See line.h.
 *
 * Input: bytes of the network, as far as they came. A line ends with CR LF and nothing else: what one end
 * takes for the end of a line and the other does not is how one message is smuggled inside another. Limits:
 * the caller's. Failure: the cursor's.
 */
#include "line.h"

#include <strings.h>

static bool is_word(uint8_t b)
{
	return (b >= 'A' && b <= 'Z') || (b >= 'a' && b <= 'z') || (b >= '0' && b <= '9') || b == '-';
}

/* The first word that begins with these bytes, and is no longer when `whole`. */
static const struct line_word *find(const struct line_word *words, size_t n, const uint8_t *p, size_t len,
	bool whole)
{
	for (size_t i = 0; i < n; i++) {
		size_t k = strlen(words[i].word);
		if ((whole ? k == len : k >= len) && strncasecmp(words[i].word, (const char *)p, len) == 0)
			return &words[i];
	}
	return NULL;
}

const struct line_word *line_word(struct cursor *c, const struct line_word *words, size_t n, enum inspect_why why)
{
	size_t left = cursor_left(c), k = 0;
	const uint8_t *p = c->p;

	if (!cursor_ok(c))
		return NULL;
	while (k < left && is_word(p[k]))
		k++;
	bool whole = k < left;
	const struct line_word *w = find(words, n, p, k, whole);
	if (w == NULL)
		c->why = why;
	else if (!whole)
		c->more = true;
	else
		c->p += k;
	return cursor_ok(c) ? w : NULL;
}

bool line_expect(struct cursor *c, const char *word, enum inspect_why why)
{
	for (; *word != '\0' && cursor_ok(c); word++) {
		const char b = (char)cursor_u8(c);
		cursor_must(c, strncasecmp(&b, word, 1) == 0, why);
	}
	return cursor_ok(c);
}

bool line_end(struct cursor *c)
{
	return CURSOR_EXPECT(c, "\r\n", WHY_ENCODING);
}

/* How many more bytes a UTF-8 sequence has behind its first; -1: it cannot begin one. */
static int utf8_more(uint8_t b)
{
	return b < 0x80 ? 0 : b >= 0xc2 && b <= 0xdf ? 1 : b >= 0xe0 && b <= 0xef ? 2 : b >= 0xf0 && b <= 0xf4 ? 3 : -1;
}

/*
 * The second byte has less room after some first ones: no longer form than needed, no surrogate, nothing
 * above U+10FFFF.
 */
static bool utf8_second(uint8_t first, uint8_t b)
{
	uint8_t low = first == 0xe0 ? 0xa0 : first == 0xf0 ? 0x90 : 0x80;
	uint8_t high = first == 0xed ? 0x9f : first == 0xf4 ? 0x8f : 0xbf;

	return b >= low && b <= high;
}

void line_utf8(struct cursor *c, uint8_t first)
{
	int more = utf8_more(first);

	cursor_must(c, more >= 0, WHY_ENCODING);
	for (int i = 0; i < more && cursor_ok(c); i++) {
		uint8_t b = cursor_u8(c);
		cursor_must(c, i == 0 ? utf8_second(first, b) : b >= 0x80 && b <= 0xbf, WHY_ENCODING);
	}
}

const uint8_t *line_rest(struct cursor *c, size_t max, enum line_text text, size_t *ret_n)
{
	const uint8_t *begin = c->p;

	*ret_n = 0;
	while (cursor_ok(c)) {
		size_t n = (size_t)(c->p - begin);
		cursor_skip_printable(c, n < max ? max - n : 0);
		uint8_t b = cursor_u8(c);
		if (cursor_ok(c) && b == '\r') {
			*ret_n = (size_t)(c->p - begin) - 1;
			return CURSOR_EXPECT(c, "\n", WHY_ENCODING) ? begin : NULL;
		}
		cursor_must(c, (size_t)(c->p - begin) <= max, WHY_LENGTH);
		cursor_must(c, (b >= 0x20 && b != 0x7f) || b == '\t', WHY_ENCODING);
		if (text == LINE_UTF8)
			line_utf8(c, b);
		else
			cursor_must(c, b < 0x80 || text == LINE_8BIT, WHY_ENCODING);
	}
	return NULL;
}

const uint8_t *line_argument(struct cursor *c, size_t max, enum line_text text, size_t *ret_n)
{
	CURSOR_EXPECT(c, " ", WHY_FIELD);
	const uint8_t *p = line_rest(c, max, text, ret_n);
	if (p != NULL && *ret_n == 0) {
		c->why = WHY_FIELD;
		return NULL;
	}
	return p;
}

bool line_base64(struct cursor *c, size_t max)
{
	const uint8_t *begin = c->p;

	while (cursor_ok(c)) {
		uint8_t b = cursor_u8(c);
		if (cursor_ok(c) && b == '\r')
			return CURSOR_EXPECT(c, "\n", WHY_ENCODING);
		cursor_must(c, (size_t)(c->p - begin) <= max, WHY_LENGTH);
		cursor_must(c, (is_word(b) && b != '-') || b == '+' || b == '/' || b == '=' || b == '*',
			WHY_ENCODING);
	}
	return false;
}

uint16_t line_code(struct cursor *c)
{
	unsigned code = 0;

	for (int i = 0; i < 3; i++) {
		uint8_t b = cursor_u8(c);
		cursor_must(c, b >= (i == 0 ? '1' : '0') && b <= (i == 0 ? '5' : '9'), WHY_ANSWER);
		code = code * 10 + (b - '0');
	}
	return cursor_ok(c) ? (uint16_t)code : 0;
}

bool line_reply(struct cursor *c, struct line_reply *ret, size_t max, enum line_text text)
{
	*ret = (struct line_reply){.last = true};
	if (cursor_ok(c) && c->p < c->end && *c->p != '\r') {
		uint8_t b = cursor_u8(c);
		cursor_must(c, b == ' ' || b == '-', WHY_ANSWER);
		ret->last = b == ' ';
	}
	ret->text = line_rest(c, max, text, &ret->n);
	return cursor_ok(c);
}

/* -- Talking by turns -------------------------------------------------------------------------------------- */

/* One line of a side; *progress: it was there. */
static enum verify_status one(struct verify *v, line_fn *line, unsigned from, bool *progress)
{
	struct verify_side *s = &v->side[from];
	struct cursor c = cursor_init(s->p + s->used, s->n - s->used);

	*progress = false;
	if (c.p == c.end)
		return VERIFY_MORE;
	enum verify_status status = line(v, &c, from);
	if (c.why != WHY_NONE)
		return verify_refuse(v, c.why);
	if (c.more)
		return VERIFY_MORE;
	s->used = (uint32_t)(c.p - s->p);
	*progress = true;
	return status;
}

enum verify_status line_talk(struct verify *v, line_fn *line, bool (*server_speaks)(const struct verify *v),
	enum verify_status resting)
{
	for (;;) {
		unsigned first = server_speaks(v) ? VERIFY_SERVER : VERIFY_CLIENT;
		bool progress;
		enum verify_status status = one(v, line, first, &progress);
		if (!progress && status == VERIFY_MORE)
			status = one(v, line, first ^ 1u, &progress);
		if (!progress && status == VERIFY_MORE)
			return v->level == LEVEL_RELATES ? resting : VERIFY_MORE;
		if ((status != VERIFY_MORE && status != VERIFY_DECIDED) || v->has_pinhole)
			return status;
	}
}
