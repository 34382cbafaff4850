/*
 * mynumber.c: finds strings of 12 digits in a text that passes by (mynumber.h says which), and hands them to
 * mynumber_hits.c.
 *
 * Digits without separators are a group. Groups with separators between them are a sequence; of it the last five
 * groups are kept, so that a number is judged when the group behind it is known: what has digits before or behind it
 * in the same manner is part of something longer.
 *
 * Input: text of strangers, any bytes. Memory: struct mynumber. Cost: a few nanoseconds a character, whatever the text.
 */
#include "mynumber_private.h"

#include <string.h>

/* What stands between groups; SEPARATOR_LINE may be added. */
enum separator {
	NONE, /* the group begins a sequence */
	BLANK,
	TAB,
	BAR,
	DOT,
	HYPHEN,
	KIND = 0x0f,
	LINE = 0x10, /* with a line end in it */
};
#define SEPARATORS_MAX 5u /* characters: "-", line end, "> ", blank */

static unsigned separator_of(uint32_t c)
{
	switch (c) {
	case ' ':
	case 0xa0:
	case 0x3000:
		return BLANK;
	case '\t':
		return TAB;
	case '|':
	case ',':
		return BAR;
	case '.':
	case 0x30fb: /* ・ */
		return DOT;
	case '-':
	case 0x2212:
	case 0x2500:
	case 0x30fc: /* ー */
		return HYPHEN;
	case '\n':
	case '\r':
		return LINE;
	default:
		return c >= 0x2010 && c <= 0x2015 ? HYPHEN : NONE;
	}
}

/* Zero width and marks of direction: a number may be hidden by them. */
static bool is_invisible(uint32_t c)
{
	return c == 0xad || (c >= 0x200b && c <= 0x200f) || (c >= 0x202a && c <= 0x202e) || (c >= 0x2060 && c <= 0x206f) ||
		c == 0xfeff || c == 0x34f || c == 0x61c || c == 0x180e || (c >= 0xfe00 && c <= 0xfe0f) ||
		(c >= 0xe0000 && c <= 0xe0fff);
}

static int kanji_digit(uint32_t folded)
{
	static const uint32_t kanji[] = {0x3007, 0x4e00, 0x4e8c, 0x4e09, 0x56db, 0x4e94, 0x516d, 0x4e03, 0x516b, 0x4e5d};

	for (int i = 0; i < 10; i++)
		if (folded == kanji[i])
			return i;
	return folded == 0x96f6 ? 0 : -1; /* 零 */
}

/* Kanji that may be digits: so few that most text is past here at once. */
static bool may_be_digit(uint32_t folded)
{
	return (folded & 0xfe00) == 0x4e00 || (folded & 0xff00) == 0x5100 || (folded & 0xff80) == 0x5680 ||
		folded == 0x3007 || folded == 0x96f6;
}

static int digit_of(const struct mynumber *m, uint32_t folded)
{
	if (folded - '0' < 10)
		return (int)(folded - '0');
	return m->options.kanji && may_be_digit(folded) ? kanji_digit(folded) : -1;
}

/* Two separators within one number. */
static bool alike(unsigned a, unsigned b)
{
	return (a & KIND) == (b & KIND) || ((a & LINE) && (a & KIND) <= BLANK) || ((b & LINE) && (b & KIND) <= BLANK);
}

/* Does a group beyond this separator (NULL: none) make a number with `inner` separators a part of something longer? */
static bool goes_on(unsigned outer, unsigned inner, const struct mynumber_group *beyond)
{
	if (beyond == NULL)
		return false;
	if (outer == HYPHEN || outer == DOT)
		return true;
	if (inner == NONE)
		return false;
	return beyond->n == 4 && (outer & KIND) == (inner & KIND) && (outer & LINE) == (inner & LINE);
}

/* The number that ends with the group at `end`, if one does; behind may be NULL. */
static void judge_groups(struct mynumber *m, uint32_t end, const struct mynumber_group *behind)
{
	const struct mynumber_group *g = &m->group[end];
	unsigned after = behind != NULL ? behind->before : NONE;

	if (g->n == 12) {
		if (!goes_on(g->before, NONE, end > 0 ? g - 1 : NULL) && !goes_on(after, NONE, behind))
			mynumber_judge(m, g->value, g, g);
		return;
	}
	if (end < 2 || g->n != 4 || g[-1].n != 4 || g[-2].n != 4 || !alike(g->before, g[-1].before))
		return;
	unsigned inner = g[-1].before > g->before ? g[-1].before : g->before;
	if ((inner & KIND) != BAR && !goes_on(g[-2].before, inner, end > 2 ? g - 3 : NULL) && !goes_on(after, inner, behind))
		mynumber_judge(m, (g[-2].value * 10000 + g[-1].value) * 10000 + g->value, &g[-2], g);
}

/* Fields of one digit: exactly twelve with the same separator. */
static void end_run(struct mynumber *m)
{
	uint64_t value = 0;

	if (m->run == 12) {
		for (int i = 0; i < 12; i++)
			value = value * 10 + m->digits[i];
		mynumber_judge(m, value, &m->first, &m->first);
	}
	m->run = 0;
}

static void run_group(struct mynumber *m, const struct mynumber_group *g)
{
	bool follows = m->run > 0 && g->before != NONE && (m->run == 1 || g->before == m->run_separator);

	if (g->n != 1 || !follows)
		end_run(m);
	if (g->n != 1)
		return;
	if (m->run == 0)
		m->first = *g;
	else
		m->run_separator = g->before;
	m->first.end = g->end;
	if (m->run < 12)
		m->digits[m->run] = (uint8_t)g->value;
	m->run += m->run < 13;
}

static void end_group(struct mynumber *m)
{
	if (m->now.n == 0)
		return;
	if (m->ngroup == 5) {
		memmove(m->group, m->group + 1, 4 * sizeof(m->group[0]));
		m->ngroup = 4;
	}
	m->group[m->ngroup++] = m->now;
	if (m->ngroup > 1)
		judge_groups(m, m->ngroup - 2, &m->group[m->ngroup - 1]);
	run_group(m, &m->now);
	m->now.n = 0;
	m->separator = NONE;
	m->nseparators = 0;
}

static void end_sequence(struct mynumber *m)
{
	end_group(m);
	if (m->ngroup > 0)
		judge_groups(m, m->ngroup - 1, NULL);
	end_run(m);
	m->ngroup = 0;
}

static bool is_letter(uint32_t folded)
{
	return folded - 'a' < 26 || folded == '_' || folded == '#' || folded == '/' || folded == '%' || folded == '&';
}

static void begin_group(struct mynumber *m)
{
	uint64_t other = m->other > m->word ? m->other : 0;

	m->now = (struct mynumber_group){.at = m->at - 1, .before = m->ngroup > 0 ? m->separator : NONE};
	m->now.doubtful = is_letter(m->last) || (other != 0 && m->now.at - other <= MYNUMBER_LABEL);
	m->now.exempt = m->last == '+' || (m->corporate > m->word && m->now.at - m->corporate <= MYNUMBER_LABEL);
}

static void on_digit(struct mynumber *m, unsigned digit)
{
	if (m->now.n == 0)
		begin_group(m);
	if (m->now.n < 12)
		m->now.value = m->now.value * 10 + digit;
	m->now.n += m->now.n < 14;
	m->now.end = m->at;
}

static void on_separator(struct mynumber *m, unsigned separator)
{
	end_group(m);
	if (m->ngroup == 0)
		return;
	if (++m->nseparators > SEPARATORS_MAX) {
		end_sequence(m);
		return;
	}
	unsigned kind = separator & KIND, before = m->separator & KIND;
	m->separator = (uint8_t)((kind > before ? kind : before) | ((m->separator | separator) & LINE));
}

/* Neither digit nor letter of a word's kind: what it does to the digits before it. */
static void on_other(struct mynumber *m, uint32_t folded)
{
	unsigned separator = separator_of(folded);

	/* The marks of a quoted line are as blank as its beginning. */
	if (folded == '>' && (m->separator & LINE))
		separator = BLANK;
	if (separator != NONE) {
		on_separator(m, separator);
		return;
	}
	if (m->now.n > 0 && folded - 'a' < 26)
		m->now.doubtful = true;
	end_sequence(m);
}

static void on_character(struct mynumber *m, uint32_t point)
{
	bool idle = m->now.n == 0 && m->ngroup == 0;
	uint32_t folded = point;

	if (point < 0x80) {
		folded = point - 'A' < 26 ? point + 0x20 : point;
	} else if (point - 0x3041 >= 0xb0 && point - 0x4e00 >= 0x5200) { /* neither kana nor Chinese */
		if (is_invisible(point))
			return;
		folded = mynumber_fold(point);
	}
	m->at++;
	int digit = digit_of(m, folded);
	if (digit >= 0)
		on_digit(m, (unsigned)digit);
	else if (!idle)
		on_other(m, folded);
	m->last = folded;
	if (digit < 0 || folded > 0x7f)
		mynumber_words(m, folded);
}

/* A byte of UTF-8: the first of a character, or one that it lacks. */
static void on_byte(struct mynumber *m, uint8_t c)
{
	if (m->need > 0 && (c & 0xc0) == 0x80) {
		m->point = m->point << 6 | (c & 0x3fu);
		if (--m->need == 0)
			on_character(m, m->point < m->low || m->point > 0x10ffff ? 0xfffd : m->point);
		return;
	}
	if (m->need > 0) { /* cut */
		m->need = 0;
		on_character(m, 0xfffd);
	}
	if (c < 0x80 || c < 0xc2 || c > 0xf4) {
		on_character(m, c < 0x80 ? c : 0xfffd);
		return;
	}
	m->need = c < 0xe0 ? 1 : c < 0xf0 ? 2 : 3;
	m->low = m->need == 1 ? 0x80 : m->need == 2 ? 0x800 : 0x10000;
	m->point = c & (0x3fu >> m->need);
}

void mynumber_begin(struct mynumber *m, const struct mynumber_options *options)
{
	memset(m, 0, sizeof(*m));
	m->options = *options;
	mynumber_words_begin(m);
}

void mynumber_push(struct mynumber *m, const char *utf8, size_t n)
{
	const uint8_t *p = (const uint8_t *)utf8, *end = p + n;

	while (p < end) {
		if (m->need > 0) {
			on_byte(m, *p++);
		} else if (*p < 0x80) {
			on_character(m, *p++);
		} else if ((*p & 0xf0) == 0xe0 && end - p >= 3 && (p[1] & 0xc0) == 0x80 && (p[2] & 0xc0) == 0x80) {
			uint32_t point = (p[0] & 0x0fu) << 12 | (p[1] & 0x3fu) << 6 | (p[2] & 0x3fu);
			on_character(m, point < 0x800 ? 0xfffd : point);
			p += 3;
		} else {
			on_byte(m, *p++);
		}
	}
}

void mynumber_break(struct mynumber *m)
{
	if (m->need > 0) {
		m->need = 0;
		on_character(m, 0xfffd);
	}
	end_sequence(m);
	m->last = 0;
	m->nrecent = 0;
}
