/*
 * html_style.c: attributes, and of inline styles what hides text or keeps its line ends. There is no CSS engine: style sheets
 * are not read. Hidden is what a reader of the mail would not have seen; see hides().
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

struct attribute_row {
	uint8_t attribute;
};

#include "html_attributes.inc"

enum attribute html_attribute(const char *name, size_t n)
{
	int known = word_find_folded(&html_attributes, name, n);

	return known < 0 ? A_NONE : (enum attribute)html_attributes_rows[known].attribute;
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

static int32_t number(const char *s, size_t n)
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
	if (n > 4 && memcmp(s, "rgb(", 4) == 0)
		return rgb_color(s + 4, n - 4);
	int known = word_find(&html_colors, s, n);
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
		return n > 0 && !html_is(s, n, "inherit") ? FONT_NORMAL : FONT_UNSET; /* small, large, ... */
	const char *u = s + unit;
	size_t left = n - unit;
	int32_t least = left > 0 && *u == '%' ? 100 : left >= 2 && (*u == 'e' || *u == 'r') ? 1 : 10; /* 10 %, .1 em, 1 px */
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
	y->painted |= y->background == COLOR_UNSET && !html_is(v, nv, "none") && !html_is(v, nv, "inherit");
}

static void take_property(struct style *y, enum property_id id, const char *v, size_t n)
{
	switch (id) { /* of several the last counts, as in CSS */
	case P_DISPLAY: y->none = html_is(v, n, "none"); break;
	case P_VISIBILITY: y->unseen = html_is(v, n, "hidden") || html_is(v, n, "collapse"); break;
	case P_OPACITY: y->clear = is_zero(v, n); break;
	case P_MOST: y->hidden |= is_zero(v, n); break;
	case P_HEIGHT: y->flat = is_zero(v, n); break;
	case P_WIDTH: y->narrow = is_zero(v, n); break;
	case P_OVERFLOW: y->clips = html_is(v, n, "hidden"); break;
	case P_MSO_HIDE: y->mso = html_is(v, n, "all"); break;
	case P_FONT_SIZE: y->font = font_size(v, n); break;
	case P_FONT: y->font = is_zero(v, n) ? font_size(v, n) : y->font; break;
	case P_FAR: y->hidden |= is_far(v, n); break;
	case P_COLOR: y->color = html_color(v, n); break;
	case P_BACKGROUND: take_background(y, v, n); break;
	case P_BACKGROUND_IMAGE: y->painted |= !html_is(v, n, "none"); break;
	case P_WHITE_SPACE: y->pre = n >= 3 && memcmp(v, "pre", 3) == 0; break;
	}
}

/* Cuts "!important" and blanks off. */
static size_t trim(const char *v, size_t n)
{
	const char *bang = memchr(v, '!', n);

	if (bang != NULL)
		n = (size_t)(bang - v);
	while (n > 0 && v[n - 1] == ' ')
		n--;
	return n;
}

/* Where we are in "name: value; ...", and what was read. */
struct declarations {
	const char *s, *end;
	const char *name;
	size_t nn, nv;
	char kept[STYLE_MAX], value[STYLE_MAX];
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
static bool read_odd_property(struct declarations *d)
{
	d->name = d->kept;
	while (d->s < d->end) {
		if (skip_comment(d))
			continue;
		char c = *d->s;
		if (c == ':' || c == ';')
			return c == ':';
		d->s++;
		if (c != '\\' && !html_is_space((uint8_t)c) && d->nn < STYLE_MAX)
			d->kept[d->nn++] = c;
	}
	return false;
}

/* Up to ':' (true) or ';'. */
static bool read_property(struct declarations *d)
{
	d->nn = 0;
	while (d->s < d->end && html_is_space((uint8_t)*d->s))
		d->s++;
	const char *p = d->s;
	while (p < d->end && (html_alnum((uint8_t)*p) || *p == '-'))
		p++;
	if (p == d->end || *p != ':')
		return read_odd_property(d);
	d->name = d->s;
	d->nn = (size_t)(p - d->s);
	d->s = p;
	return true;
}

/* Up to ';' outside of brackets. */
static void read_setting(struct declarations *d)
{
	bool bracket = false;

	while (d->s < d->end) {
		if (*d->s == '/' && skip_comment(d))
			continue;
		char c = *d->s;
		if (c == ';' && !bracket)
			return;
		d->s++;
		if (c == '(' || c == ')')
			bracket = c == '(';
		bool blank = html_is_space((uint8_t)c);
		if (d->nv < STYLE_MAX && c != '\\' && !(blank && d->nv == 0))
			d->value[d->nv++] = blank ? ' ' : (char)html_lower((uint8_t)c);
	}
}

/* The same for a setting that does not matter. */
static void skip_setting(struct declarations *d)
{
	bool bracket = false;

	while (d->s < d->end) {
		for (; d->end - d->s >= 8; d->s += 8) {
			uint64_t w = bytes_load(d->s) & ~BYTES_TOPS;
			if ((bytes_equal(w, ';') | bytes_equal(w, '(') | bytes_equal(w, ')') | bytes_equal(w, '/')) != 0)
				break;
		}
		while (d->s < d->end && *d->s != ';' && *d->s != '(' && *d->s != ')' && *d->s != '/')
			d->s++;
		if (d->s == d->end || (*d->s == ';' && !bracket))
			return;
		if (*d->s == '(' || *d->s == ')')
			bracket = *d->s == '(';
		if (!skip_comment(d))
			d->s++;
	}
}

/* Walks over the style once. */
static void parse_style(struct style *y, const char *s, size_t n)
{
	struct declarations d;

	d.s = s;
	d.end = s + n;
	for (; d.s < d.end; d.s++) {
		bool set = read_property(&d);
		int known = word_find_folded(&html_properties, d.name, d.nn);
		d.nv = 0;
		if (set) {
			d.s++;
			known >= 0 ? read_setting(&d) : skip_setting(&d);
		}
		if (known >= 0)
			take_property(y, html_properties_rows[known].id, d.value, trim(d.value, d.nv));
		if (d.s == d.end)
			break;
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

static void keep(char *to, uint16_t *nto, size_t max, const char *v, size_t n)
{
	*nto = (uint16_t)(n < max ? n : max);
	memcpy(to, v, *nto);
}

void html_attribute_value(struct html_tag *tag, const char *v, size_t n)
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
	case A_WIDTH: tag->width = number(v, n); break;
	case A_HEIGHT: tag->height = number(v, n); break;
	case A_BORDER: tag->border = n == 0 ? 1 : number(v, n); break;
	case A_ROLE: tag->layout = html_is(v, n, "presentation") || html_is(v, n, "none"); break;
	case A_CLASS: tag->mso = n >= 9 && memcmp(v, "MsoNormal", 9) == 0; break;
	case A_START: case A_VALUE: tag->start = number(v, n); break;
	case A_NONE: break;
	}
}
