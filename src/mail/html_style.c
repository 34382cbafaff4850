/*
 * html_style.c: attributes, and of inline styles what hides text or keeps its line ends. There is no CSS engine: style sheets
 * are not read. Hidden is what a reader of the mail would not have seen; see hides().
 */
#include "html_private.h"

#define STYLE_MAX 32u /* of a property's name and value that matter */

enum attribute html_attribute(const char *name, size_t n)
{
	static const struct {
		const char *name;
		enum attribute attribute;
	} names[] = {
		{"style", A_STYLE}, {"href", A_HREF}, {"class", A_CLASS}, {"width", A_WIDTH}, {"height", A_HEIGHT},
		{"bgcolor", A_BGCOLOR}, {"color", A_COLOR}, {"border", A_BORDER}, {"alt", A_ALT}, {"role", A_ROLE},
		{"background", A_BACKGROUND}, {"hidden", A_HIDDEN}, {"start", A_START}, {"value", A_VALUE},
	};
	for (size_t i = 0; i < sizeof(names) / sizeof(names[0]); i++)
		if (html_is(name, n, names[i].name))
			return names[i].attribute;
	return A_NONE;
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
	static const struct {
		const char *name;
		int32_t color;
	} names[] = {
		{"white", 0xffffff}, {"black", 0}, {"transparent", COLOR_CLEAR}, {"red", 0xff0000}, {"blue", 0x0000ff},
		{"green", 0x008000}, {"yellow", 0xffff00}, {"gray", 0x808080}, {"silver", 0xc0c0c0}, {"navy", 0x000080},
		{"whitesmoke", 0xf5f5f5}, {"snow", 0xfffafa}, {"ivory", 0xfffff0},
	};
	if (n > 0 && s[0] == '#')
		return hex_color(s + 1, n - 1);
	if (n > 4 && memcmp(s, "rgb(", 4) == 0)
		return rgb_color(s + 4, n - 4);
	for (size_t i = 0; i < sizeof(names) / sizeof(names[0]); i++)
		if (html_is(s, n, names[i].name))
			return names[i].color;
	return hex_color(s, n); /* attributes may lack the # */
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

static void take_property(struct style *y, const char *p, size_t np, const char *v, size_t nv)
{
	if (html_is(p, np, "display"))
		y->none = html_is(v, nv, "none"); /* of several the last counts, as in CSS */
	else if (html_is(p, np, "visibility"))
		y->unseen = html_is(v, nv, "hidden") || html_is(v, nv, "collapse");
	else if (html_is(p, np, "opacity"))
		y->clear = is_zero(v, nv);
	else if (html_is(p, np, "max-height") || html_is(p, np, "max-width"))
		y->hidden |= is_zero(v, nv);
	else if (html_is(p, np, "height"))
		y->flat = is_zero(v, nv);
	else if (html_is(p, np, "width"))
		y->narrow = is_zero(v, nv);
	else if (html_is(p, np, "overflow"))
		y->clips = html_is(v, nv, "hidden");
	else if (html_is(p, np, "mso-hide"))
		y->mso = html_is(v, nv, "all");
	else if (html_is(p, np, "font-size") || (html_is(p, np, "font") && is_zero(v, nv)))
		y->font = font_size(v, nv);
	else if (html_is(p, np, "text-indent") || html_is(p, np, "margin-left"))
		y->hidden |= is_far(v, nv);
	else if (html_is(p, np, "left") || html_is(p, np, "top"))
		y->hidden |= is_far(v, nv);
	else if (html_is(p, np, "color"))
		y->color = html_color(v, nv);
	else if (html_is(p, np, "background-color") || html_is(p, np, "background"))
		take_background(y, v, nv);
	else if (html_is(p, np, "background-image"))
		y->painted |= !html_is(v, nv, "none");
	else if (html_is(p, np, "white-space"))
		y->pre = nv >= 3 && memcmp(v, "pre", 3) == 0;
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

/* Walks over "name: value; ..." once. Names and values are cut at STYLE_MAX; comments and backslashes are skipped. */
static void parse_style(struct style *y, const char *s, size_t n)
{
	char name[STYLE_MAX], value[STYLE_MAX];
	size_t nn = 0, nv = 0;
	bool in_value = false, paren = false;

	for (size_t i = 0; i <= n; i++) {
		char c = i < n ? (char)html_lower((uint8_t)s[i]) : ';';
		if (c == '/' && i + 1 < n && s[i + 1] == '*') {
			for (i += 2; i + 1 < n && !(s[i] == '*' && s[i + 1] == '/'); i++)
				;
			i++;
			if (i < n)
				continue;
			c = ';';
		}
		if (c == ';' && (!paren || i >= n)) {
			take_property(y, name, nn, value, trim(value, nv));
			nn = nv = 0;
			in_value = paren = false;
		} else if (c == ':' && !in_value) {
			in_value = true;
		} else if (c == '\\' || (html_is_space((uint8_t)c) && (!in_value || nv == 0))) {
			continue;
		} else if (in_value) {
			paren = c == '(' || (paren && c != ')');
			if (nv < sizeof(value))
				value[nv++] = html_is_space((uint8_t)c) ? ' ' : c;
		} else if (nn < sizeof(name)) {
			name[nn++] = c;
		}
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

static void keep(char *to, uint16_t *nto, size_t max, const struct html *h)
{
	size_t n = h->nvalue < max ? h->nvalue : max;
	memcpy(to, h->value, n);
	*nto = (uint16_t)n;
}

void html_attribute_value(struct html *h)
{
	struct html_tag *tag = &h->tag;
	const char *v = h->value;
	size_t n = h->nvalue;

	if (tag->attribute == A_NONE || (tag->seen & 1u << tag->attribute))
		return;
	tag->seen |= (uint16_t)(1u << tag->attribute);
	switch ((enum attribute)tag->attribute) {
	case A_STYLE: html_style(tag, v, n); break;
	case A_HREF: keep(tag->href, &tag->nhref, sizeof(tag->href), h); break;
	case A_ALT: keep(tag->alt, &tag->nalt, sizeof(tag->alt), h); break;
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
