/*
 * mail_reason.c: the table of the mail gate's refusals (see mail_reason.h), and how one is said in SMTP.
 *
 * Input: codes of our own and a detail that may hold anything; what leaves is lines of at most 512 bytes (RFC 5321, 4.5.3.1.5)
 * in printable ASCII, or UTF-8 of our own catalogue.
 */
#include <sekisho/mail_reason.h>

#include <sekisho/i18n.h>

#include <stdio.h>
#include <string.h>

#define DETAIL_MAX 128u /* bytes: an address or two numbers with their words */
#define LINE_MAX_SMTP 512u

static const struct {
	const char *word, *enhanced, *text;
	unsigned smtp;
} reasons[MAIL_REASON_END] = {
	[0] = {"none", "2.0.0", "", 250},
#define X(code, name, word, smtp, enhanced, text) [code] = {word, enhanced, text, smtp},
	MAIL_REASONS(X)
#undef X
};

bool mail_reason_known(unsigned code)
{
	return code > 0 && code < MAIL_REASON_END && reasons[code].word != NULL;
}

static bool said(unsigned code)
{
	return code == 0 || mail_reason_known(code);
}

const char *mail_reason_word(unsigned code)
{
	return said(code) ? reasons[code].word : "unknown";
}

const char *mail_reason_text(unsigned code)
{
	return said(code) ? reasons[code].text : N_("unknown reason");
}

unsigned mail_reason_smtp(unsigned code)
{
	return said(code) ? reasons[code].smtp : 451;
}

const char *mail_reason_enhanced(unsigned code)
{
	return said(code) ? reasons[code].enhanced : "4.3.0";
}

enum mail_reason mail_reason_find(const char *word)
{
	for (unsigned i = 1; i < MAIL_REASON_END; i++)
		if (reasons[i].word != NULL && strcmp(reasons[i].word, word) == 0)
			return (enum mail_reason)i;
	return MAIL_REASON_NONE;
}

/* Bytes of the character of UTF-8 at s that may be shown to a person: no control; 0 for what is none. */
static size_t shown_char(const unsigned char *s, size_t left)
{
	size_t n = s[0] < 0x80 ? 1 : s[0] >= 0xf0 ? 4 : s[0] >= 0xe0 ? 3 : 2;

	if (n == 1)
		return s[0] >= ' ' && s[0] <= '~';
	/* Neither stray nor overlong, no surrogate, not beyond U+10FFFF, no C1 control. */
	if (n > left || s[0] < 0xc2 || s[0] > 0xf4 || (s[0] == 0xe0 && s[1] < 0xa0) || (s[0] == 0xed && s[1] > 0x9f) ||
		(s[0] == 0xf0 && s[1] < 0x90) || (s[0] == 0xf4 && s[1] > 0x8f) || (s[0] == 0xc2 && s[1] < 0xa0))
		return 0;
	for (size_t i = 1; i < n; i++)
		if ((s[i] & 0xc0) != 0x80)
			return 0;
	return n;
}

/* " (DETAIL)" in printable ASCII, or in UTF-8; '?' for each other byte; "" without one. */
static void put_detail(const char *detail, bool utf8, char out[DETAIL_MAX + 4])
{
	out[0] = '\0';
	if (detail == NULL || *detail == '\0')
		return;
	size_t n = strnlen(detail, DETAIL_MAX), used = 2;
	memcpy(out, " (", 2);
	for (size_t i = 0; i < n;) {
		size_t k = shown_char((const unsigned char *)detail + i, n - i);
		bool keep = k == 1 || (k > 1 && utf8);
		memcpy(out + used, keep ? detail + i : "?", keep ? k : 1);
		used += keep ? k : 1;
		i += keep ? k : 1;
	}
	memcpy(out + used, ")", 2);
}

/* Cuts a line so that its CR LF fits, between characters of UTF-8. */
static size_t end_line(char *line, int written)
{
	size_t n = (size_t)written;

	if (n > LINE_MAX_SMTP - 3) {
		n = LINE_MAX_SMTP - 3;
		while (n > 0 && ((unsigned char)line[n] & 0xc0) == 0x80)
			n--;
	}
	memcpy(line + n, "\r\n", 3);
	return n + 2;
}

size_t mail_reason_reply(enum mail_reason reason, const char *detail, bool local, char out[MAIL_REPLY_MAX])
{
	const char *english = mail_reason_text(reason), *own = _(english);
	bool two = local && own != english;
	char shown[DETAIL_MAX + 4];

	put_detail(detail, false, shown);
	size_t n = end_line(out, snprintf(out, LINE_MAX_SMTP, "%u%c%s %s: %s%s", mail_reason_smtp(reason), two ? '-' : ' ',
					 mail_reason_enhanced(reason), mail_reason_word(reason), english, shown));
	if (!two)
		return n;
	put_detail(detail, true, shown);
	return n + end_line(out + n, snprintf(out + n, LINE_MAX_SMTP, "%u %s %s%s", mail_reason_smtp(reason),
					     mail_reason_enhanced(reason), own, shown));
}
