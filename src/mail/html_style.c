/*
 * html_style.c: of inline styles what hides text or keeps its line ends; colours and numbers. There is no CSS engine: style
 * sheets are not read. Hidden is what a reader of the mail would not have seen; see html_style().
 */
#include "html_private.h"

#include "words.h"

#define STYLE_MAX 32u /* of a property's name and value that matter */

enum property_id {
	P_DISPLAY, P_VISIBILITY, P_OPACITY, P_MOST, P_HEIGHT, P_WIDTH, P_OVERFLOW, P_MSO_HIDE, P_FONT_SIZE, P_FONT, P_FAR,
	P_COLOR, P_BACKGROUND, P_BACKGROUND_IMAGE, P_WHITE_SPACE,
};

struct property {
	uint8_t id;
};

struct color {
	int32_t color;
};

#include "html_colors.inc"
#include "html_properties.inc"

/* Is it this word, in small letters or capitals? Of other characters the word has none. */
static inline __attribute__((always_inline)) bool is_word(const char *s, size_t n, const char *word)
{
	if (n != strlen(word))
		return false;
	for (size_t i = 0; i < strlen(word); i++)
		if ((s[i] | 0x20) != word[i])
			return false;
	return true;
}

/* A number with its sign and one digit after the point, in tenths; what follows it in `unit`. False: there is none. */
static bool tenths(const char *s, size_t n, int32_t *ret, size_t *unit)
{
	size_t i = 0;
	bool minus = false, digits = false;
	int32_t v = 0;

	if (n > 0 && (s[0] == '-' || s[0] == '+'))
		minus = s[i++] == '-';
	for (; i < n && s[i] >= '0' && s[i] <= '9'; i++, digits = true)
		v = v < 100000 ? v * 10 + (s[i] - '0') : v;
	v *= 10;
	if (i < n && s[i] == '.') {
		i++;
		if (i < n && s[i] >= '0' && s[i] <= '9')
			v += s[i] - '0', digits = true;
		for (; i < n && s[i] >= '0' && s[i] <= '9'; i++)
			v += v == 0 && s[i] > '0' && i < 3; /* .05 is not nothing */
	}
	*ret = minus ? -v : v;
	*unit = i;
	return digits;
}

int32_t html_number(const char *s, size_t n)
{
	int32_t v;
	size_t unit;

	while (n > 0 && html_is_space((uint8_t)*s))
		s++, n--;
	return tenths(s, n, &v, &unit) && v >= 0 && (unit == n || s[unit] != '%') ? v / 10 : NUMBER_UNSET;
}

static int hex_digit(uint32_t c)
{
	return c - '0' < 10 ? (int)(c - '0') : (c | 0x20) - 'a' < 6 ? (int)((c | 0x20) - 'a') + 10 : -1;
}

static int32_t hex_color(const char *s, size_t n)
{
	int32_t v = 0;

	if (n != 3 && n != 6)
		return COLOR_UNSET;
	for (size_t i = 0; i < n; i++) {
		int d = hex_digit((uint8_t)s[i]);
		if (d < 0)
			return COLOR_UNSET;
		v = v << 4 | d;
		if (n == 3)
			v = v << 4 | d;
	}
	return v;
}

static int32_t rgb_color(const char *s, size_t n)
{
	int32_t v = 0, part = 0;
	unsigned parts = 0;

	for (size_t i = 0; i < n && parts < 3; i++) {
		if (s[i] >= '0' && s[i] <= '9') {
			part = part < 1000 ? part * 10 + (s[i] - '0') : part;
		} else if (s[i] == ',' || s[i] == ')') {
			v = v << 8 | (part > 255 ? 255 : part);
			part = 0;
			parts++;
		} else if (!html_is_space((uint8_t)s[i])) {
			return COLOR_UNSET;
		}
	}
	return parts == 3 ? v : COLOR_UNSET;
}

int32_t html_color(const char *s, size_t n)
{
	if (n > 0 && s[0] == '#')
		return hex_color(s + 1, n - 1);
	if (n > 4 && s[3] == '(' && is_word(s, 3, "rgb"))
		return rgb_color(s + 4, n - 4);
	int known = word_find_folded(&html_colors, s, n);
	return known >= 0 ? html_colors_rows[known].color : hex_color(s, n); /* attributes may lack the # */
}

/* What a style says, before it is judged. */
struct style {
	bool hidden, none, unseen, clear, mso, pre, flat, narrow, clips, painted;
	uint8_t font;
	int32_t color, background;
};

static enum font font_size(const char *s, size_t n)
{
	int32_t v;
	size_t unit;

	if (!tenths(s, n, &v, &unit))
		return n > 0 && !is_word(s, n, "inherit") ? FONT_NORMAL : FONT_UNSET; /* small, large, ... */
	char u = unit < n ? s[unit] : '\0', letter = (char)(u | 0x20);
	int32_t least = u == '%' ? 100 : n - unit >= 2 && (letter == 'e' || letter == 'r') ? 1 : 10; /* 10 %, .1 em, 1 px */
	return v <= least ? FONT_ZERO : FONT_NORMAL;
}

static bool is_zero(const char *s, size_t n)
{
	int32_t v;
	size_t unit;
	return tenths(s, n, &v, &unit) && v <= 0;
}

static bool is_far(const char *s, size_t n)
{
	int32_t v;
	size_t unit;
	return tenths(s, n, &v, &unit) && v <= -9000; /* 900 px to the left of the page, or above it */
}

/* A colour, or something that nothing is known of but that text of any colour may be seen on it. */
static void take_background(struct style *y, const char *v, size_t nv)
{
	y->background = html_color(v, nv);
	y->painted |= y->background == COLOR_UNSET && !is_word(v, nv, "none") && !is_word(v, nv, "inherit");
}

static void take_property(struct style *y, enum property_id id, const char *v, size_t n)
{
	switch (id) { /* of several the last counts, as in CSS */
	case P_DISPLAY: y->none = is_word(v, n, "none"); break;
	case P_VISIBILITY: y->unseen = is_word(v, n, "hidden") || is_word(v, n, "collapse"); break;
	case P_OPACITY: y->clear = is_zero(v, n); break;
	case P_MOST: y->hidden |= is_zero(v, n); break;
	case P_HEIGHT: y->flat = is_zero(v, n); break;
	case P_WIDTH: y->narrow = is_zero(v, n); break;
	case P_OVERFLOW: y->clips = is_word(v, n, "hidden"); break;
	case P_MSO_HIDE: y->mso = is_word(v, n, "all"); break;
	case P_FONT_SIZE: y->font = font_size(v, n); break;
	case P_FONT: y->font = is_zero(v, n) ? font_size(v, n) : y->font; break;
	case P_FAR: y->hidden |= is_far(v, n); break;
	case P_COLOR: y->color = html_color(v, n); break;
	case P_BACKGROUND: take_background(y, v, n); break;
	case P_BACKGROUND_IMAGE: y->painted |= !is_word(v, n, "none"); break;
	case P_WHITE_SPACE: y->pre = n >= 3 && is_word(v, 3, "pre"); break;
	}
}

/* Cuts "!important" and blanks off. */
static size_t trim(const char *v, size_t n)
{
	const char *bang = memchr(v, '!', n);

	if (bang != NULL)
		n = (size_t)(bang - v);
	while (n > 0 && html_is_space((uint8_t)v[n - 1]))
		n--;
	return n;
}

/* Where we are in "name: value; ...", and what was read. */
struct declarations {
	const char *s, *end;
	const char *name, *value;
	size_t nn, nv;
	char name_kept[STYLE_MAX], value_kept[STYLE_MAX];
};

/* At a slash: if it begins a comment, goes behind that. */
static bool skip_comment(struct declarations *d)
{
	if (d->end - d->s < 2 || d->s[0] != '/' || d->s[1] != '*')
		return false;
	const char *close = memmem(d->s + 2, (size_t)(d->end - d->s) - 2, "*/", 2);
	d->s = close != NULL ? close + 2 : d->end;
	return true;
}

/* A name with something between its letters: blanks, comments and backslashes are left out; cut at STYLE_MAX. */
static bool read_odd_name(struct declarations *d)
{
	d->name = d->name_kept;
	while (d->s < d->end) {
		if (skip_comment(d))
			continue;
		char c = *d->s;
		if (c == ':' || c == ';')
			return c == ':';
		d->s++;
		if (c != '\\' && !html_is_space((uint8_t)c) && d->nn < STYLE_MAX)
			d->name_kept[d->nn++] = c;
	}
	return false;
}

/* Up to ':' (true) or ';'. */
static bool read_name(struct declarations *d)
{
	static const bool letters[256] = {['-'] = true, ['a'] = true, ['b'] = true, ['c'] = true, ['d'] = true, ['e'] = true,
		['f'] = true, ['g'] = true, ['h'] = true, ['i'] = true, ['j'] = true, ['k'] = true, ['l'] = true, ['m'] = true,
		['n'] = true, ['o'] = true, ['p'] = true, ['q'] = true, ['r'] = true, ['s'] = true, ['t'] = true, ['u'] = true,
		['v'] = true, ['w'] = true, ['x'] = true, ['y'] = true, ['z'] = true};
	const char *p;

	d->nn = 0;
	while (d->s < d->end && *d->s == ' ')
		d->s++;
	for (p = d->s; p < d->end && letters[(uint8_t)*p]; p++)
		;
	if (p == d->end || *p != ':')
		return read_odd_name(d);
	d->name = d->s;
	d->nn = (size_t)(p - d->s);
	d->s = p;
	return true;
}

/* The next byte that may end a value, or make it an odd one. */
static const char *find_special(const char *s, const char *end)
{
	for (; end - s >= 8; s += 8) {
		uint64_t word = bytes_load(s), w = word & ~BYTES_TOPS;
		uint64_t special = bytes_equal(w, ';') | bytes_equal(w & ~BYTES_ONES, '(') | bytes_equal(w, '/');
		special = (special | bytes_equal(w, '\\')) & ~word;
		if (special != 0)
			return s + bytes_first(special);
	}
	while (s < end && *s != ';' && *s != '(' && *s != ')' && *s != '/' && *s != '\\')
		s++;
	return s;
}

/* To the ';' outside of brackets. False: there is a comment or a backslash in the value. */
static bool skip_value(struct declarations *d)
{
	bool bracket = false, usual = true;

	for (;;) {
		d->s = find_special(d->s, d->end);
		if (d->s == d->end || (*d->s == ';' && !bracket))
			return usual;
		char c = *d->s;
		if (c == '(' || c == ')')
			bracket = c == '(';
		if (skip_comment(d)) {
			usual = false;
		} else {
			d->s++;
			usual &= c != '\\';
		}
	}
}

/* The value at s with what is odd left out. */
static void read_odd_value(struct declarations *d)
{
	bool bracket = false;

	d->value = d->value_kept;
	while (d->s < d->end) {
		if (skip_comment(d))
			continue;
		char c = *d->s;
		if (c == ';' && !bracket)
			return;
		d->s++;
		if (c == '(' || c == ')')
			bracket = c == '(';
		if (d->nv < STYLE_MAX && c != '\\' && !(html_is_space((uint8_t)c) && d->nv == 0))
			d->value_kept[d->nv++] = c;
	}
}

/* Behind ':', up to ';'. If it is not wanted, it is only skipped. */
static void read_value(struct declarations *d, bool wanted)
{
	const char *from = d->s;
	bool usual = skip_value(d);

	if (!wanted)
		return;
	if (!usual) {
		d->s = from;
		read_odd_value(d);
		return;
	}
	while (from < d->s && html_is_space((uint8_t)*from))
		from++;
	d->value = from;
	d->nv = (size_t)(d->s - from) < STYLE_MAX ? (size_t)(d->s - from) : STYLE_MAX;
}

/* Walks over the style once. */
static void parse_style(struct style *y, const char *s, size_t n)
{
	struct declarations d;

	d.s = s;
	d.end = s + n;
	while (d.s < d.end) {
		bool set = read_name(&d);
		int known = word_find_folded(&html_properties, d.name, d.nn);
		d.value = "";
		d.nv = 0;
		if (set) {
			d.s++;
			read_value(&d, known >= 0);
		}
		if (known >= 0)
			take_property(y, html_properties_rows[known].id, d.value, trim(d.value, d.nv));
		d.s += d.s < d.end; /* ';' */
	}
}

void html_style(struct html_tag *tag, const char *s, size_t n)
{
	struct style y = {.color = COLOR_UNSET, .background = COLOR_UNSET};

	parse_style(&y, s, n);
	tag->hidden |= y.hidden || y.none || y.unseen || y.clear || (y.clips && (y.flat || y.narrow)) || y.color == COLOR_CLEAR;
	/* Buttons are often hidden from one program alone, which draws its own. */
	tag->hidden |= y.mso && !(tag->length == 1 && tag->name[0] == 'a');
	tag->pre |= y.pre;
	if (y.font != FONT_UNSET)
		tag->font = y.font;
	if (y.color != COLOR_UNSET)
		tag->color = y.color;
	tag->painted |= y.painted;
	if (y.background != COLOR_UNSET)
		tag->background = y.background;
	if (y.flat)
		tag->height = 0;
	if (y.narrow)
		tag->width = 0;
}
