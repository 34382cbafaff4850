/*
 * lines.c: splits a policy into lines and lets only clean text through.
 *
 * Input: any bytes (a file that a person handed us). Lines end in LF or CR LF. Refused, a line each and the
 * line skipped: more than LIMIT_LINE bytes (unread), bytes that are not UTF-8 (RFC 3629: no surrogates,
 * nothing overlong), NUL and other control characters, and characters that nobody sees or that turn the
 * direction of text around, because a policy is read by people before they approve it (Unicode TR 36, 3.1
 * and 3.6).
 */
#include "lines.h"

#include <sekisho/diag.h>
#include <sekisho/i18n.h>
#include <sekisho/limits.h>

#include <string.h>

struct lines lines_init(const void *text, size_t n)
{
	const uint8_t *p = text;
	size_t skip = n >= 3 && memcmp(p, "\xef\xbb\xbf", 3) == 0 ? 3 : 0;

	return (struct lines){.p = p + skip, .end = p + n};
}

size_t utf8_decode(const uint8_t *p, const uint8_t *end, uint32_t *ret)
{
	static const uint32_t least[] = {0, 0, 0x80, 0x800, 0x10000};
	size_t n = *p < 0x80		     ? 1
		   : *p >= 0xc2 && *p < 0xe0 ? 2
		   : *p >= 0xe0 && *p < 0xf0 ? 3
		   : *p >= 0xf0 && *p < 0xf5 ? 4
					     : 0;

	if (n == 0 || (size_t)(end - p) < n)
		return 0;
	uint32_t c = n == 1 ? *p : *p & (0x7fu >> n);
	for (size_t i = 1; i < n; i++) {
		if ((p[i] & 0xc0) != 0x80)
			return 0;
		c = c << 6 | (p[i] & 0x3f);
	}
	if (c < least[n] || c > 0x10ffff || (c >= 0xd800 && c <= 0xdfff))
		return 0;
	*ret = c;
	return n;
}

/* Unseen, or changing what is seen: C1 controls, zero width, marks and embeddings of direction, tags. */
static bool is_unseen(uint32_t c)
{
	return (c >= 0x80 && c < 0xa0) || c == 0xad || c == 0x61c || (c >= 0x200b && c <= 0x200f) ||
	       (c >= 0x2028 && c <= 0x202e) || (c >= 0x2060 && c <= 0x2069) || c == 0xfeff ||
	       (c >= 0xfff0 && c <= 0xfffb) || (c >= 0xe0000 && c <= 0xe007f);
}

/* False when the line is no clean text; the first flaw is reported. */
static bool check(const uint8_t *p, const uint8_t *end, uint32_t number, struct diag_list *diags)
{
	for (unsigned column = 1; p < end; column++) {
		uint32_t c = *p;
		size_t n = c >= 0x20 && c < 0x7f ? 1 : utf8_decode(p, end, &c);
		if (n == 0) {
			diag_error(diags, number, "encoding", _("save the file as UTF-8"),
				_("column %u: byte 0x%02x is not valid UTF-8"), column, (unsigned)*p);
			return false;
		}
		if (c == 0) {
			diag_error(diags, number, "control-character",
				_("this is not a text file, or it is damaged"), _("column %u: a NUL byte"),
				column);
			return false;
		}
		if ((c < 0x20 && c != '\t') || c == 0x7f || is_unseen(c)) {
			diag_error(diags, number, "control-character", _("remove it, or type the line again"),
				_("column %u: the invisible character U+%04X"), column, (unsigned)c);
			return false;
		}
		p += n;
	}
	return true;
}

bool lines_next(struct lines *l, struct diag_list *diags, struct line *ret)
{
	while (l->p < l->end) {
		const uint8_t *p = l->p;
		const uint8_t *nl = memchr(p, '\n', (size_t)(l->end - p));
		const uint8_t *end = nl == NULL ? l->end : nl;

		l->p = nl == NULL ? l->end : nl + 1;
		l->number++;
		if (end > p && end[-1] == '\r')
			end--;
		if ((size_t)(end - p) > LIMIT_LINE) {
			diag_error(diags, l->number, "line-too-long",
				_("write its words on several lines of 'set'"),
				_("the line has %zu bytes; at most %d are read"), (size_t)(end - p),
				LIMIT_LINE);
			continue;
		}
		if (!check(p, end, l->number, diags))
			continue;
		*ret = (struct line){(const char *)p, (size_t)(end - p), l->number};
		return true;
	}
	return false;
}
