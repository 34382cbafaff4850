/*
 * html_entity.c: named and numeric characters of HTML. The table is made from entities.txt.
 *
 * Numbers follow the HTML Standard: 0x80 to 0x9f mean windows-1252 (that is what senders mean and browsers show); NUL,
 * surrogates, what is beyond Unicode and the unused controls are U+FFFD.
 */
#include "html_private.h"

#include "words.h"

#include "entities.inc"

#define NUMBER_MAX 8u /* of a number that is read where it stands: "#x10FFFF" */
#define OLD_MAX 6u /* the longest name that counts without a semicolon: "frac34" */

const struct entity *html_entity(const char *name, size_t n, bool old)
{
	int known = word_find(&entities, name, n);

	return known < 0 || (old && !entities_rows[known].old) ? NULL : &entities_rows[known];
}

static const uint16_t windows_1252[32] = {
	0x20ac, 0, 0x201a, 0x0192, 0x201e, 0x2026, 0x2020, 0x2021, 0x02c6, 0x2030, 0x0160, 0x2039, 0x0152, 0, 0x017d, 0,
	0, 0x2018, 0x2019, 0x201c, 0x201d, 0x2022, 0x2013, 0x2014, 0x02dc, 0x2122, 0x0161, 0x203a, 0x0153, 0, 0x017e, 0x0178,
};

uint32_t html_numeric(const char *digits, size_t n)
{
	bool hex = n > 0 && (digits[0] | 0x20) == 'x';
	uint32_t v = 0;

	for (size_t i = hex; i < n; i++) {
		uint32_t c = (uint8_t)digits[i];
		v = v * (hex ? 16 : 10) + (c - '0' < 10 ? c - '0' : (c | 0x20) - 'a' + 10);
		if (v > 0x10ffff)
			return 0xfffd;
	}
	if (v - 0x80 < 0x20)
		v = windows_1252[v - 0x80];
	return v == 0 || v - 0xd800 < 0x800 ? 0xfffd : v;
}

/* -- Reading ------------------------------------------------------------------------------------------------ */

static void entity_put(struct html *h, uint32_t p)
{
	if (h->back == S_TEXT)
		html_text(h, p);
	else
		html_value_put(h, p);
}

static void entity_found(struct html *h, const struct entity *e)
{
	entity_put(h, e->point);
	if (e->second != 0)
		entity_put(h, e->second);
}

/* The longest beginning of a name that counts without a semicolon. */
static const struct entity *longest_old(const char *name, size_t n)
{
	size_t length = n < OLD_MAX ? n : OLD_MAX;
	struct word_pair pair = word_pair(name, length);

	for (; length >= 2; length--) {
		pair.first &= ~(UINT64_MAX << 8 * length);
		int known = word_search(&entities, pair, length, name);
		if (known >= 0 && entities_rows[known].old)
			return &entities_rows[known];
	}
	return NULL;
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
	e = longest_old(name, n);
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
const char *html_read_entity(struct html *h, const char *s, const char *end)
{
	size_t n = 0, most = (size_t)(end - s);

	h->back = h->state;
	if (most == 0 || *s != '#')
		for (; n < most && n < HTML_ENTITY_MAX && html_alnum((uint8_t)s[n]); n++)
			;
	else
		for (; n < most && n <= NUMBER_MAX && entity_goes_on(s, n, (uint8_t)s[n]); n++)
			;
	if (n == most || (n > NUMBER_MAX && *s == '#')) { /* cut; or there may be noughts in front without end */
		h->nentity = 0;
		h->state = S_ENTITY;
		return s;
	}
	if (n == 0) {
		entity_put(h, '&');
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

const char *html_read_cut_entity(struct html *h, const char *s, const char *end)
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
