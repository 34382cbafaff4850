/*
 * mailtext.c: which characters of a mail may be read by a person (Unicode 15; WHATWG's rules for bytes that are no UTF-8:
 * one U+FFFD for each longest beginning of a character).
 *
 * Input: bytes of strangers. State: struct mailtext, nothing else. Never fails.
 */
#include <sekisho/mailtext.h>

#include <stdio.h>
#include <string.h>

/* Sorted; what is in none of them is kept. */
static const struct range {
	uint32_t first, last;
	enum mailtext_class class;
} ranges[] = {
	{0x0000, 0x0008, MAILTEXT_DROP},     {0x0009, 0x0009, MAILTEXT_SPACE},	  {0x000a, 0x000d, MAILTEXT_BREAK},
	{0x000e, 0x001f, MAILTEXT_DROP},     {0x0020, 0x0020, MAILTEXT_SPACE},	  {0x007f, 0x0084, MAILTEXT_DROP},
	{0x0085, 0x0085, MAILTEXT_BREAK},    {0x0086, 0x009f, MAILTEXT_DROP},	  {0x00a0, 0x00a0, MAILTEXT_SPACE},
	{0x00ad, 0x00ad, MAILTEXT_DROP},     {0x0300, 0x034e, MAILTEXT_MARK},	  {0x034f, 0x034f, MAILTEXT_DROP},
	{0x0350, 0x036f, MAILTEXT_MARK},     {0x0483, 0x0489, MAILTEXT_MARK},	  {0x0591, 0x05bd, MAILTEXT_MARK},
	{0x0610, 0x061a, MAILTEXT_MARK},     {0x061c, 0x061c, MAILTEXT_DROP},	  {0x064b, 0x065f, MAILTEXT_MARK},
	{0x06d6, 0x06dc, MAILTEXT_MARK},     {0x0e31, 0x0e31, MAILTEXT_MARK},	  {0x0e34, 0x0e3a, MAILTEXT_MARK},
	{0x0e47, 0x0e4e, MAILTEXT_MARK},     {0x115f, 0x1160, MAILTEXT_DROP},	  {0x1680, 0x1680, MAILTEXT_SPACE},
	{0x17b4, 0x17b5, MAILTEXT_DROP},     {0x180b, 0x180f, MAILTEXT_DROP},	  {0x1ab0, 0x1aff, MAILTEXT_MARK},
	{0x1dc0, 0x1dff, MAILTEXT_MARK},     {0x2000, 0x200a, MAILTEXT_SPACE},	  {0x200b, 0x200f, MAILTEXT_DROP},
	{0x2028, 0x2029, MAILTEXT_BREAK},    {0x202a, 0x202e, MAILTEXT_DROP},	  {0x202f, 0x202f, MAILTEXT_SPACE},
	{0x205f, 0x205f, MAILTEXT_SPACE},    {0x2060, 0x206f, MAILTEXT_DROP},	  {0x20d0, 0x20f0, MAILTEXT_MARK},
	{0x2800, 0x2800, MAILTEXT_SPACE},    {0x3000, 0x3000, MAILTEXT_SPACE},	  {0x302a, 0x302f, MAILTEXT_MARK},
	{0x3099, 0x309a, MAILTEXT_MARK},     {0x3164, 0x3164, MAILTEXT_DROP},	  {0xd800, 0xdfff, MAILTEXT_DROP},
	{0xe000, 0xf8ff, MAILTEXT_PRIVATE},  {0xfdd0, 0xfdef, MAILTEXT_DROP},	  {0xfe00, 0xfe0f, MAILTEXT_SELECTOR},
	{0xfe20, 0xfe2f, MAILTEXT_MARK},     {0xfeff, 0xfeff, MAILTEXT_DROP},	  {0xffa0, 0xffa0, MAILTEXT_DROP},
	{0xfff0, 0xfffb, MAILTEXT_DROP},     {0x1bca0, 0x1bca3, MAILTEXT_DROP},	  {0x1d159, 0x1d159, MAILTEXT_DROP},
	{0x1d173, 0x1d17a, MAILTEXT_DROP},   {0xe0000, 0xe00ff, MAILTEXT_DROP},	  {0xe0100, 0xe01ef, MAILTEXT_SELECTOR},
	{0xe01f0, 0xe0fff, MAILTEXT_DROP},   {0xf0000, 0x10fffd, MAILTEXT_PRIVATE},
};

enum mailtext_class mailtext_class(uint32_t point)
{
	if (point - 0x20 < 0x5f) /* most text: ASCII; kana */
		return point == ' ' ? MAILTEXT_SPACE : MAILTEXT_KEEP;
	if (point == '\n')
		return MAILTEXT_BREAK;
	if (point - 0x3001 < 0x98)
		return MAILTEXT_KEEP;
	if ((point & 0xfffe) == 0xfffe || point > 0x10ffff)
		return MAILTEXT_DROP;
	size_t low = 0, high = sizeof(ranges) / sizeof(ranges[0]);
	while (low < high) {
		size_t i = (low + high) / 2;
		if (point > ranges[i].last)
			low = i + 1;
		else if (point < ranges[i].first)
			high = i;
		else
			return ranges[i].class;
	}
	return MAILTEXT_KEEP;
}

size_t mailtext_utf8(uint32_t point, char out[4])
{
	if (point > 0x10ffff || (point >= 0xd800 && point <= 0xdfff))
		point = 0xfffd;
	if (point < 0x80) {
		out[0] = (char)point;
		return 1;
	}
	size_t n = point < 0x800 ? 2 : point < 0x10000 ? 3 : 4;
	for (size_t i = n - 1; i > 0; i--, point >>= 6)
		out[i] = (char)(0x80 | (point & 0x3f));
	static const uint8_t lead[] = {0, 0, 0xc0, 0xe0, 0xf0};
	out[0] = (char)(lead[n] | point);
	return n;
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

/* A kana or Chinese character of three bytes; 0: something else. U+3099 and U+309A are marks. */
static uint32_t common(const uint8_t *s)
{
	if (s[0] < 0xe3 || s[0] > 0xe9 || (s[1] & 0xc0) != 0x80 || (s[2] & 0xc0) != 0x80)
		return 0;
	uint32_t p = (s[0] & 0x0fu) << 12 | (s[1] & 0x3fu) << 6 | (s[2] & 0x3fu);
	return p >= 0x4000 || (p > 0x3040 && p <= 0x30ff && p != 0x3099 && p != 0x309a) ? p : 0;
}

size_t mailtext_run(const char *s, size_t n, const char but[4], uint32_t *ret_last)
{
	const uint8_t *b = (const uint8_t *)s;
	size_t i = 0, end = 0;

	while (i < n) {
		if (b[i] > ' ' && b[i] < 0x7f && s[i] != but[0] && s[i] != but[1] && s[i] != but[2] && s[i] != but[3]) {
			*ret_last = b[i];
			end = ++i;
		} else if (n - i >= 3 && common(b + i) != 0) {
			*ret_last = common(b + i);
			end = i += 3;
		} else if (b[i] == ' ' && i > 0 && end == i) {
			i++;
		} else {
			break;
		}
	}
	return end;
}

/* -- Output ------------------------------------------------------------------------------------------------ */

static void flush(struct mailtext *t)
{
	if (t->fill > 0)
		t->options.sink(t->options.arg, t->out, t->fill);
	t->fill = 0;
}

static void write_bytes(struct mailtext *t, const char *s, size_t n)
{
	if (t->fill + n > sizeof(t->out))
		flush(t);
	memcpy(t->out + t->fill, s, n);
	t->fill = (uint16_t)(t->fill + n);
}

/* What was held back turned out to be no address, or (`hidden`) one whose middle letters are replaced. */
static void release(struct mailtext *t, bool hidden)
{
	if (hidden) {
		t->held[1] = t->held[1] == 'T' ? 'X' : 'x';
		if (t->held[0] != 'f' && t->held[0] != 'F')
			t->held[2] = t->held[2] == 'T' ? 'X' : 'x';
	}
	write_bytes(t, t->held, t->address);
	t->address = 0;
}

static const char *const schemes[] = {"http://", "https://", "ftp://"};

/* Holds back what may become the beginning of an address. True if the character was taken. */
static bool defang(struct mailtext *t, uint32_t p)
{
	if (t->address == 0 && ((p | 0x20) != 'h' && (p | 0x20) != 'f'))
		return false;
	for (size_t i = 0; i < sizeof(schemes) / sizeof(schemes[0]) && p < 0x80; i++) {
		size_t n = t->address, j = 0;
		while (j < n && (t->held[j] | 0x20) == (schemes[i][j] | 0x20))
			j++;
		uint32_t c = p - 'A' < 26 ? p | 0x20 : p;
		if (j < n || c != (uint8_t)schemes[i][n])
			continue;
		t->held[t->address++] = (char)p;
		if (schemes[i][n + 1] == '\0')
			release(t, true);
		return true;
	}
	return false;
}

static void put_char(struct mailtext *t, uint32_t p)
{
	char s[4];

	if (t->options.defang) {
		if (defang(t, p))
			return;
		if (t->address > 0) {
			release(t, false);
			if (defang(t, p)) /* of "hhttp" the second h begins one */
				return;
		}
	}
	write_bytes(t, s, mailtext_utf8(p, s));
}

static void put_break(struct mailtext *t)
{
	if (t->options.one_line)
		put_char(t, ' ');
	else if (t->options.crlf)
		put_char(t, '\r'), put_char(t, '\n');
	else
		put_char(t, '\n');
	t->base = 0;
}

static void put_dropped(struct mailtext *t, uint32_t p)
{
	char s[16];

	t->dropped++;
	if (!t->options.visible)
		return;
	int n = snprintf(s, sizeof(s), "[U+%04X]", (unsigned)p);
	for (int i = 0; i < n; i++)
		put_char(t, (uint8_t)s[i]);
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
	bool cr = t->cr;

	t->cr = p == '\r';
	switch (mailtext_class(p)) {
	case MAILTEXT_KEEP:
		put_base(t, p);
		break;
	case MAILTEXT_SPACE:
		put_base(t, p == 0x3000 || (p == '\t' && !t->options.one_line) ? p : ' ');
		break;
	case MAILTEXT_BREAK:
		if (!(p == '\n' && cr))
			put_break(t);
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

void mailtext_put(struct mailtext *t, const char *utf8, size_t n)
{
	const char *but = t->options.defang ? "hHfF" : "\x7f\x7f\x7f\x7f";

	for (size_t i = 0; i < n;) {
		size_t run = 0;
		if (t->need == 0 && t->address == 0) {
			size_t most = n - i < sizeof(t->out) ? n - i : sizeof(t->out);
			run = mailtext_run(utf8 + i, most, but, &t->base);
		}
		if (run > 0) {
			write_bytes(t, utf8 + i, run);
			t->marks = 0;
			t->cr = false;
			i += run;
		} else {
			put_byte(t, (uint8_t)utf8[i++]);
		}
	}
}

void mailtext_end(struct mailtext *t)
{
	if (t->need > 0)
		put_bad(t);
	release(t, false);
	flush(t);
}
