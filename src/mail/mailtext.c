/*
 * mailtext.c: which characters of a mail may be read by a person (Unicode 15, mailtext_classes.txt; WHATWG's rules for bytes
 * that are no UTF-8: one U+FFFD for each longest beginning of a character).
 *
 * Input: bytes of strangers. State: struct mailtext, nothing else. Never fails. Most text is copied in runs: eight bytes of
 * ASCII at a time, other characters one by one through the table of classes.
 */
#include <sekisho/mailtext.h>

#include <stdio.h>
#include <string.h>

#include "bytes.h"

#include "mailtext_classes.inc"

static inline enum mailtext_class class_at(uint32_t point)
{
	return point > 0x10ffff ? MAILTEXT_DROP : class_of[class_pages[point >> 8]][point & 0xff];
}

enum mailtext_class mailtext_class(uint32_t point)
{
	return class_at(point);
}

size_t mailtext_utf8(uint32_t point, char out[4])
{
	if (point > 0x10ffff || (point >= 0xd800 && point <= 0xdfff))
		point = 0xfffd;
	out[0] = (char)point;
	if (point < 0x80)
		return 1;
	if (point < 0x800) {
		out[0] = (char)(0xc0 | point >> 6);
		out[1] = (char)(0x80 | (point & 0x3f));
		return 2;
	}
	if (point < 0x10000) {
		out[0] = (char)(0xe0 | point >> 12);
		out[1] = (char)(0x80 | (point >> 6 & 0x3f));
		out[2] = (char)(0x80 | (point & 0x3f));
		return 3;
	}
	out[0] = (char)(0xf0 | point >> 18);
	out[1] = (char)(0x80 | (point >> 12 & 0x3f));
	out[2] = (char)(0x80 | (point >> 6 & 0x3f));
	out[3] = (char)(0x80 | (point & 0x3f));
	return 4;
}

unsigned mailtext_width(uint32_t p)
{
	if (p < 0x300)
		return 1;
	if (mailtext_class(p) == MAILTEXT_MARK)
		return 0;
	return (p >= 0x1100 && p <= 0x115e) || (p >= 0x2e80 && p <= 0xa4cf) || (p >= 0xac00 && p <= 0xd7a3) ||
		(p >= 0xf900 && p <= 0xfaff) || (p >= 0xfe30 && p <= 0xfe6f) || (p >= 0xff01 && p <= 0xff60) ||
		(p >= 0xffe0 && p <= 0xffe6) || (p >= 0x1f300 && p <= 0x1faff) || (p >= 0x20000 && p <= 0x3fffd) ? 2 : 1;
}

/* -- Runs -------------------------------------------------------------------------------------------------- */

enum { NONE = 0xff }; /* no byte stands before these */

/* Those that are c and follow another one, or are the first. */
static inline uint64_t repeated(uint64_t plain, uint8_t c, uint8_t before)
{
	uint64_t same = bytes_equal(plain, c);
	return same & (same << 8 | (before == c || before == NONE ? 0x80 : 0));
}

/* Those at which a run may end: no ASCII that is kept (0x20 to 0x7e), the second slash of "//"; of HTML also '<', '&', and
 * blanks that are not single. */
static inline uint64_t odd_bytes(uint64_t word, uint8_t before, bool html)
{
	uint64_t plain = word & ~BYTES_TOPS;
	uint64_t odd = ((word | (plain + BYTES_ONES)) & BYTES_TOPS) | bytes_below(plain, ' ');

	odd |= repeated(plain, '/', before);
	return html ? odd | repeated(plain, ' ', before) | bytes_equal(plain, '<') | bytes_equal(plain, '&') : odd;
}

static inline bool is_odd(uint8_t c, uint8_t before, bool html)
{
	switch (byte_kinds[c]) {
	case BYTE_PLAIN: return false;
	case BYTE_ONCE: return (html || c == '/') && (before == c || before == NONE);
	case BYTE_MARKUP: return html;
	default: return true;
	}
}

static inline bool is_kept(uint64_t p, uint64_t least)
{
	return p >= least && class_of[class_pages[p >> 8]][p & 0xff] == MAILTEXT_KEEP;
}

/* The low bytes of w; what is not there is 0. */
static inline bool kept_two(uint64_t w)
{
	return (w & 0xc0e0) == 0x80c0 && is_kept((w & 0x1f) << 6 | (w >> 8 & 0x3f), 0x80);
}

static inline bool kept_three(uint64_t w)
{
	return (w & 0xc0c0f0) == 0x8080e0 && (kept_threes[(w & 0x0f) << 6 | (w >> 8 & 0x3f)] >> (w >> 16 & 0x3f) & 1) != 0;
}

static inline bool kept_four(uint64_t w)
{
	uint64_t p = (w & 0x07) << 18 | (w >> 8 & 0x3f) << 12 | (w >> 16 & 0x3f) << 6 | (w >> 24 & 0x3f);

	return (w & 0xc0c0c0f8) == 0x808080f0 && p <= 0x10ffff && is_kept(p, 0x10000);
}

/* Up to four bytes. */
static uint64_t load_few(const uint8_t *s, size_t n)
{
	uint64_t w = 0;

	for (size_t j = n < 4 ? n : 4; j > 0; j--)
		w = w << 8 | s[j - 1];
	return w;
}

/* Branches, so that one character need not wait for the one before it. */
size_t mailtext_wide_run(const char *utf8, size_t n)
{
	const uint8_t *s = (const uint8_t *)utf8;
	size_t i = 0;

	for (;;) {
		uint64_t w = 0;
		for (; n - i >= 8; i += 6) {
			w = bytes_load(s + i);
			if (!kept_three(w) || !kept_three(w >> 24))
				break;
		}
		if (n - i < 8)
			w = load_few(s + i, n - i);
		if (kept_three(w))
			i += 3;
		else if (kept_two(w))
			i += 2;
		else if (kept_four(w))
			i += 4;
		else
			return i;
	}
}

/* The last character of right UTF-8. */
static uint32_t last_of(const uint8_t *s, size_t n)
{
	size_t i = n - 1;

	if (s[i] < 0x80)
		return s[i];
	while ((s[i] & 0xc0) == 0x80)
		i--;
	uint32_t p = s[i] & (0x7fu >> (n - i));
	for (size_t j = i + 1; j < n; j++)
		p = p << 6 | (s[j] & 0x3fu);
	return p;
}

/* ASCII up to an odd byte. */
static inline __attribute__((always_inline)) size_t ascii_run(const uint8_t *s, size_t n, uint8_t before, bool html)
{
	size_t i = 0;

	for (; i < 4 && i < n && byte_kinds[s[i]] == BYTE_PLAIN; i++) /* most are short */
		before = s[i];
	if (i < n && (byte_kinds[s[i]] == BYTE_OTHER || (html && byte_kinds[s[i]] == BYTE_MARKUP)))
		return i;
	for (; n - i >= 8; i += 8) {
		uint64_t odd = odd_bytes(bytes_load(s + i), before, html);
		if (odd != 0)
			return i + bytes_first(odd);
		before = s[i + 7];
	}
	for (; i < n && !is_odd(s[i], before, html); i++)
		before = s[i];
	return i;
}

/* Bytes that need no second look. A slash is never the first: defang() looks at it. */
static inline __attribute__((always_inline)) size_t run_of(const uint8_t *s, size_t n, bool html)
{
	size_t i = 0, more;
	uint8_t before = NONE;

	do {
		more = 0;
		if (i < n && s[i] < 0x80) {
			more = ascii_run(s + i, n - i, before, html);
			i += more;
		}
		if (i < n && s[i] >= 0x80) {
			more = mailtext_wide_run((const char *)s + i, n - i);
			i += more;
			before = 0;
		} else {
			break;
		}
	} while (more > 0);
	return i > 0 && html && s[i - 1] == ' ' ? i - 1 : i;
}

size_t mailtext_run(const char *s, size_t n, uint32_t *ret_last)
{
	size_t run = run_of((const uint8_t *)s, n, true);

	if (run > 0)
		*ret_last = last_of((const uint8_t *)s, run);
	return run;
}

/* -- Output ------------------------------------------------------------------------------------------------ */

enum { KEEP_BACK = 8 }; /* "https://": what defang() may still change */

static void flush(struct mailtext *t, size_t keep)
{
	size_t n = t->fill > keep ? t->fill - keep : 0;

	while (n > 0 && n < t->fill && (t->out[n] & 0xc0) == 0x80)
		n--; /* whole characters */
	if (n > 0)
		t->options.sink(t->options.arg, t->out, n);
	memmove(t->out, t->out + n, t->fill - n);
	t->fill = (uint16_t)(t->fill - n);
}

/* Where the next n bytes go; n is little. */
static inline char *space_for(struct mailtext *t, size_t n)
{
	if (n > sizeof(t->out) - t->fill)
		flush(t, KEEP_BACK);
	t->fill = (uint16_t)(t->fill + n);
	return t->out + t->fill - n;
}

static inline void write_bytes(struct mailtext *t, const char *s, size_t n)
{
	while (n > sizeof(t->out) - t->fill) {
		size_t fits = sizeof(t->out) - t->fill;
		memcpy(t->out + t->fill, s, fits);
		t->fill = sizeof(t->out);
		s += fits;
		n -= fits;
		flush(t, KEEP_BACK);
	}
	bytes_copy(t->out + t->fill, s, n);
	t->fill = (uint16_t)(t->fill + n);
}

/* A slash was written: if it ends "http://" and the like, the letters in the middle are changed. */
static void defang(struct mailtext *t)
{
	char *s = t->out + t->fill - 8, few[16] = "";
	size_t letters;

	if (t->fill < 8) { /* there is nothing before these */
		memcpy(few + 8 - t->fill, t->out, t->fill);
		s = few;
	}
	uint64_t w = bytes_load(s) | BYTES_ONES * 0x20; /* small letters; nothing else that gets here becomes one, or : or / */
	if (w == bytes_load("https://"))
		letters = 5;
	else if (w >> 8 == bytes_load("http://"))
		letters = 4;
	else if (w >> 16 == bytes_load("ftp://\0"))
		letters = 3;
	else
		return;
	s = t->out + t->fill - strlen("://") - letters;
	s[1] = s[1] == 'T' ? 'X' : 'x';
	if (letters > 3)
		s[2] = s[2] == 'T' ? 'X' : 'x';
}

static void put_char(struct mailtext *t, uint32_t p)
{
	char *s = space_for(t, 4);

	t->fill = (uint16_t)(t->fill - 4 + mailtext_utf8(p, s));
	if (p == '/' && t->options.defang)
		defang(t);
}

/* CR, LF and other ends of lines; CR LF is one. */
static void put_break(struct mailtext *t, uint32_t p)
{
	bool cr = t->cr;

	t->cr = p == '\r';
	if (p == '\n' && cr)
		return;
	if (t->options.one_line)
		*space_for(t, 1) = ' ';
	else if (t->options.crlf)
		memcpy(space_for(t, 2), "\r\n", 2);
	else
		*space_for(t, 1) = '\n';
	t->base = 0;
}

static void put_dropped(struct mailtext *t, uint32_t p)
{
	char s[16];

	t->dropped++;
	if (t->options.visible)
		write_bytes(t, s, (size_t)snprintf(s, sizeof(s), "[U+%04X]", (unsigned)p));
}

static bool is_chinese(uint32_t p)
{
	return (p >= 0x3400 && p <= 0x9fff) || (p >= 0xf900 && p <= 0xfaff) || (p >= 0x20000 && p <= 0x3fffd);
}

static void put_base(struct mailtext *t, uint32_t p)
{
	t->base = p;
	t->marks = 0;
	put_char(t, p);
}

static void put_mark(struct mailtext *t, uint32_t p)
{
	if (t->base == 0)
		put_base(t, ' '); /* a mark alone would sit on the line end */
	if (t->marks >= MAILTEXT_MARKS_MAX) {
		t->dropped++;
		return;
	}
	t->marks++;
	put_char(t, p);
}

static void put_point(struct mailtext *t, uint32_t p)
{
	enum mailtext_class class = class_at(p);

	if (class == MAILTEXT_KEEP) {
		t->cr = false;
		put_base(t, p);
		return;
	}
	if (class == MAILTEXT_BREAK) {
		put_break(t, p);
		return;
	}
	t->cr = false;
	switch (class) {
	case MAILTEXT_SPACE:
		put_base(t, p == 0x3000 || (p == '\t' && !t->options.one_line) ? p : ' ');
		break;
	case MAILTEXT_KEEP: case MAILTEXT_BREAK:
		break;
	case MAILTEXT_MARK:
		put_mark(t, p);
		break;
	case MAILTEXT_SELECTOR:
		if (is_chinese(t->base) && t->marks == 0)
			put_mark(t, p);
		else
			put_dropped(t, p);
		break;
	case MAILTEXT_PRIVATE:
		t->replaced += !t->options.private_use;
		put_base(t, t->options.private_use ? p : 0xfffd);
		break;
	case MAILTEXT_DROP:
		put_dropped(t, p);
		break;
	}
}

/* -- Input ------------------------------------------------------------------------------------------------- */

static void put_bad(struct mailtext *t)
{
	t->need = 0;
	t->replaced++;
	put_point(t, 0xfffd);
}

/* The first byte of a character. `low` is the range of the second byte: least in the low 8 bits, most above. */
static void put_lead(struct mailtext *t, uint8_t b)
{
	t->low = 0x80 | 0xbf << 8;
	if (b >= 0xc2 && b <= 0xdf) {
		t->need = 1;
		t->point = b & 0x1f;
	} else if (b >= 0xe0 && b <= 0xef) {
		t->need = 2;
		t->point = b & 0x0f;
		t->low = (b == 0xe0 ? 0xa0 : 0x80) | (b == 0xed ? 0x9f : 0xbf) << 8;
	} else if (b >= 0xf0 && b <= 0xf4) {
		t->need = 3;
		t->point = b & 0x07;
		t->low = (b == 0xf0 ? 0x90 : 0x80) | (b == 0xf4 ? 0x8f : 0xbf) << 8;
	} else {
		put_bad(t);
	}
}

static void put_byte(struct mailtext *t, uint8_t b)
{
	if (t->need > 0) {
		if (b >= (t->low & 0xff) && b <= t->low >> 8) {
			t->point = t->point << 6 | (b & 0x3f);
			t->low = 0x80 | 0xbf << 8;
			if (--t->need == 0)
				put_point(t, t->point);
			return;
		}
		put_bad(t);
	}
	if (b < 0x80)
		put_point(t, b);
	else
		put_lead(t, b);
}

void mailtext_begin(struct mailtext *t, const struct mailtext_options *options)
{
	memset(t, 0, sizeof(*t));
	t->options = *options;
}

void mailtext_put_run(struct mailtext *t, const char *s, size_t n)
{
	if (n == 0)
		return;
	if (t->need > 0)
		put_bad(t);
	t->base = last_of((const uint8_t *)s, n);
	t->marks = 0;
	t->cr = false;
	write_bytes(t, s, n);
}

void mailtext_put_char(struct mailtext *t, uint32_t point)
{
	if (t->need > 0)
		put_bad(t);
	if (point == '\n') {
		put_break(t, point);
	} else {
		put_point(t, point);
	}
}

void mailtext_put(struct mailtext *t, const char *utf8, size_t n)
{
	for (size_t i = 0; i < n;) {
		size_t run = t->need == 0 ? run_of((const uint8_t *)utf8 + i, n - i, false) : 0;
		if (run > 0) {
			write_bytes(t, utf8 + i, run);
			t->base = last_of((const uint8_t *)utf8 + i, run);
			t->marks = 0;
			t->cr = false;
			i += run;
		}
		if (i == n)
			break;
		if (t->need == 0 && (utf8[i] == '\r' || utf8[i] == '\n'))
			put_break(t, (uint8_t)utf8[i++]);
		else
			put_byte(t, (uint8_t)utf8[i++]);
	}
}

void mailtext_end(struct mailtext *t)
{
	if (t->need > 0)
		put_bad(t);
	flush(t, 0);
}
