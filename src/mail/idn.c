/*
 * idn.c: domains with "xn--" as people would write them (include/sekisho/idn.h).
 *
 * RFC 3492 6.2 decodes a label: deltas of a state (position, character) in digits of variable weight. Ours: at most
 * IDN_LABEL_MAX characters, each step checked against overflow, surrogates and what lies beyond Unicode refused; and what was
 * decoded is encoded again (6.3) and must give the same letters, so that one name has one form.
 *
 * Input: names of strangers. No state, no allocation, never fails but by saying no.
 */
#include <sekisho/idn.h>

#include <string.h>

#include <sekisho/mailtext.h>

#define BASE 36u
#define TMIN 1u
#define TMAX 26u
#define SKEW 38u
#define DAMP 700u
#define FIRST_BIAS 72u
#define FIRST_POINT 0x80u

static uint32_t adapt(uint32_t delta, uint32_t points, bool first)
{
	uint32_t k = 0;

	delta = first ? delta / DAMP : delta / 2;
	delta += delta / points;
	for (; delta > (BASE - TMIN) * TMAX / 2; k += BASE)
		delta /= BASE - TMIN;
	return k + (BASE - TMIN + 1) * delta / (delta + SKEW);
}

static uint32_t threshold(uint32_t k, uint32_t bias)
{
	return k <= bias ? TMIN : k >= bias + TMAX ? TMAX : k - bias;
}

static uint32_t digit_of(char c)
{
	if (c >= '0' && c <= '9')
		return (uint32_t)(c - '0') + 26;
	if (c >= 'a' && c <= 'z')
		return (uint32_t)(c - 'a');
	return c >= 'A' && c <= 'Z' ? (uint32_t)(c - 'A') : BASE;
}

static char letter_of(uint32_t digit)
{
	return (char)(digit < 26 ? 'a' + digit : '0' + (digit - 26));
}

static bool is_ldh(char c)
{
	return digit_of(c) < BASE || c == '-';
}

static char lower(char c)
{
	return c >= 'A' && c <= 'Z' ? (char)(c - 'A' + 'a') : c;
}

/* -- decoding ------------------------------------------------------------------------------------------------- */

/* One number of variable length at *at, added to *i. False: it ends too early, or is too large. */
static bool read_number(const char *s, size_t n, size_t *at, uint32_t bias, uint32_t *i)
{
	uint32_t weight = 1;

	for (uint32_t k = BASE;; k += BASE) {
		uint32_t digit = *at < n ? digit_of(s[(*at)++]) : BASE, t = threshold(k, bias);
		if (digit >= BASE || digit > (UINT32_MAX - *i) / weight)
			return false;
		*i += digit * weight;
		if (digit < t)
			return true;
		if (weight > UINT32_MAX / (BASE - t))
			return false;
		weight *= BASE - t;
	}
}

static size_t decode(const char *s, size_t n, uint32_t out[IDN_LABEL_MAX])
{
	uint32_t point = FIRST_POINT, i = 0, bias = FIRST_BIAS;
	size_t basic = n, at, count = 0;

	while (basic > 0 && s[basic - 1] != '-')
		basic--;
	at = basic;
	if (basic > 0) /* the last hyphen divides */
		basic--;
	for (; count < basic; count++) {
		if (!is_ldh(s[count]))
			return 0;
		out[count] = (uint8_t)lower(s[count]);
	}
	for (; at < n; i++) {
		uint32_t before = i, points = (uint32_t)count + 1;
		if (count == IDN_LABEL_MAX || !read_number(s, n, &at, bias, &i))
			return 0;
		bias = adapt(i - before, points, before == 0);
		if (i / points > 0x10ffff - point)
			return 0;
		point += i / points;
		i %= points;
		if (point >= 0xd800 && point <= 0xdfff)
			return 0;
		memmove(out + i + 1, out + i, (count - i) * sizeof(*out));
		out[i] = point;
		count++;
	}
	return count;
}

/* -- encoding again ------------------------------------------------------------------------------------------- */

/* Compares what would be written with the letters that are there. */
struct writer {
	const char *s;
	size_t n, at;
	bool same;
};

static void write_letter(struct writer *w, char c)
{
	w->same = w->same && w->at < w->n && lower(w->s[w->at]) == c;
	w->at++;
}

static void write_number(struct writer *w, uint32_t delta, uint32_t bias)
{
	for (uint32_t k = BASE;; k += BASE) {
		uint32_t t = threshold(k, bias);
		if (delta < t)
			break;
		write_letter(w, letter_of(t + (delta - t) % (BASE - t)));
		delta = (delta - t) / (BASE - t);
	}
	write_letter(w, letter_of(delta));
}

static uint32_t next_point(const uint32_t *p, size_t n, uint32_t least)
{
	uint32_t next = UINT32_MAX;

	for (size_t i = 0; i < n; i++)
		if (p[i] >= least && p[i] < next)
			next = p[i];
	return next;
}

/* No sum is too large: they were just taken apart. */
static bool encodes_to(const uint32_t *p, size_t n, const char *s, size_t len)
{
	struct writer w = {.s = s, .n = len, .same = true};
	uint32_t point = FIRST_POINT, delta = 0, bias = FIRST_BIAS, done = 0, basic;

	for (size_t i = 0; i < n; i++)
		if (p[i] < 0x80)
			write_letter(&w, (char)p[i]), done++;
	basic = done;
	if (basic > 0)
		write_letter(&w, '-');
	while (done < n && w.same) {
		uint32_t next = next_point(p, n, point);
		delta += (next - point) * (done + 1);
		point = next;
		for (size_t i = 0; i < n; i++) {
			delta += p[i] < point;
			if (p[i] != point)
				continue;
			write_number(&w, delta, bias);
			bias = adapt(delta, done + 1, done == basic);
			delta = 0;
			done++;
		}
		delta++;
		point++;
	}
	return w.same && w.at == len;
}

size_t idn_decode(const char *s, size_t n, uint32_t out[IDN_LABEL_MAX])
{
	if (n == 0 || n > IDN_LABEL_MAX)
		return 0;
	size_t count = decode(s, n, out);
	return count > 0 && encodes_to(out, count, s, n) ? count : 0;
}

/* -- what may be shown ---------------------------------------------------------------------------------------- */

enum script { SCRIPT_NONE = 0, SCRIPT_ASCII = 1, SCRIPT_DIGIT = 2, SCRIPT_JAPANESE = 4, SCRIPT_KOREAN = 8, SCRIPT_STROKE = 16 };

static const struct {
	uint32_t first, last;
	enum script script;
} scripts[] = {
	{'-', '-', SCRIPT_DIGIT}, {'0', '9', SCRIPT_DIGIT}, {'a', 'z', SCRIPT_ASCII},
	{0x3005, 0x3007, SCRIPT_JAPANESE}, {0x3041, 0x3096, SCRIPT_JAPANESE}, {0x309d, 0x309e, SCRIPT_JAPANESE},
	{0x30a1, 0x30fa, SCRIPT_JAPANESE}, {0x30fc, 0x30fe, SCRIPT_JAPANESE},
	{0x3400, 0x4dbf, SCRIPT_JAPANESE}, {0x4e00, 0x9fff, SCRIPT_JAPANESE}, {0x20000, 0x2a6df, SCRIPT_JAPANESE},
	{0x2a700, 0x2ebe0, SCRIPT_JAPANESE}, {0x30000, 0x323af, SCRIPT_JAPANESE},
	{0xac00, 0xd7a3, SCRIPT_KOREAN},
};

/* Characters that a reader takes for a hyphen, a slash or a letter of ASCII when they stand among those. */
static const uint16_t strokes[] = {0x3007, 0x30a8, 0x30bd, 0x30be, 0x30ce, 0x30cb, 0x30ed, 0x30f3, 0x30fc,
	0x4e00, 0x4e28, 0x4e36, 0x4e3f, 0x4e59, 0x535c, 0x53e3, 0x5de5, 0x30c8, 0x3078, 0x30d8};

static unsigned script_of(uint32_t point)
{
	unsigned found = SCRIPT_NONE;

	for (size_t i = 0; i < sizeof(scripts) / sizeof(scripts[0]); i++)
		if (point >= scripts[i].first && point <= scripts[i].last)
			found = scripts[i].script;
	for (size_t i = 0; i < sizeof(strokes) / sizeof(strokes[0]); i++)
		if (point == strokes[i])
			found |= SCRIPT_STROKE;
	return found;
}

/* One writing, and nothing that could be taken for another in it. */
static bool may_be_shown(const uint32_t *p, size_t n)
{
	unsigned all = 0, plain = 0; /* plain: of what is no stroke, of which alone a label must not be */

	for (size_t i = 0; i < n; i++) {
		unsigned script = script_of(p[i]);
		if (script == SCRIPT_NONE || mailtext_class(p[i]) != MAILTEXT_KEEP)
			return false;
		all |= script;
		plain |= (script & SCRIPT_STROKE) != 0 ? 0 : script;
	}
	bool japanese = (all & SCRIPT_JAPANESE) != 0, korean = (all & SCRIPT_KOREAN) != 0, ascii = (all & SCRIPT_ASCII) != 0;
	return (plain & (SCRIPT_JAPANESE | SCRIPT_KOREAN)) != 0 && japanese != korean && !(korean && ascii) &&
	       !((all & SCRIPT_STROKE) != 0 && (ascii || (all & SCRIPT_DIGIT) != 0));
}

static bool has_prefix(const char *label, size_t n)
{
	return n > 4 && lower(label[0]) == 'x' && lower(label[1]) == 'n' && label[2] == '-' && label[3] == '-';
}

/* Appends a label; false: the whole is not shown. */
static bool show_label(const char *label, size_t n, char *out, size_t *at, bool *ret_any)
{
	uint32_t points[IDN_LABEL_MAX];
	size_t count = 0;

	if (n > IDN_LABEL_MAX)
		return false;
	if (has_prefix(label, n)) {
		count = idn_decode(label + 4, n - 4, points);
		if (count == 0 || !may_be_shown(points, count))
			return false;
		*ret_any = true;
	}
	for (size_t i = 0; i < count; i++)
		*at += mailtext_utf8(points[i], out + *at);
	for (size_t i = 0; count == 0 && i < n; i++) {
		if (!is_ldh(label[i]) && label[i] != '_')
			return false;
		out[(*at)++] = lower(label[i]);
	}
	return true;
}

size_t idn_shown(const char *domain, size_t n, char out[IDN_SHOWN_MAX + 1])
{
	char shown[IDN_SHOWN_MAX + 1];
	size_t at = 0;
	bool any = false;

	if (n == 0 || n > IDN_DOMAIN_MAX)
		return 0;
	for (size_t from = 0, to; from <= n; from = to + 1) {
		for (to = from; to < n && domain[to] != '.';)
			to++;
		if (!show_label(domain + from, to - from, shown, &at, &any))
			return 0;
		if (to < n)
			shown[at++] = '.';
	}
	if (!any)
		return 0;
	memcpy(out, shown, at);
	out[at] = '\0';
	return at;
}
