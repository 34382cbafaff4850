/*
 * smtp_client_reply.c: replies of the next hop (RFC 5321 4.2), which are not trusted.
 *
 * Input: lines of at most SMTP_REPLY_LINE octets, at most SMTP_REPLY_LINES a reply, all of one code, which has three
 * digits of the standard's ranges. Of the text printable ASCII is kept and the rest shown as '?'; an enhanced code
 * counts only in its form and of the same class. Extensions are read from the reply to EHLO while it comes; unknown
 * ones are passed over. Failure: the reply breaks the rules, and the session ends.
 */
#include <string.h>

#include "smtp_client_private.h"

/* "250-SIZE 1000": what EHLO offers. */
static void take_extension(struct smtp_client *c, const char *p, size_t n)
{
	static const struct {
		const char *word;
		unsigned bit;
	} known[] = {
		{"PIPELINING", SMTP_PIPELINING}, {"SIZE", SMTP_SIZE}, {"ENHANCEDSTATUSCODES", SMTP_ENHANCED},
		{"8BITMIME", SMTP_8BITMIME}, {"DSN", SMTP_DSN}, {"STARTTLS", SMTP_STARTTLS}, {"XFORWARD", SMTP_XFORWARD},
	};
	const char *blank = memchr(p, ' ', n);
	size_t word = blank != NULL ? (size_t)(blank - p) : n, args = n - word - (blank != NULL ? 1 : 0);

	for (size_t i = 0; i < sizeof(known) / sizeof(known[0]); i++) {
		if (!smtp_word(p, word, known[i].word))
			continue;
		c->extensions |= known[i].bit;
		if (known[i].bit == SMTP_SIZE && !smtp_number(p + n - args, args, &c->size_max))
			c->size_max = 0;
		if (known[i].bit == SMTP_XFORWARD)
			c->forwards = origin_attributes(p + n - args, args);
	}
}

/* An enhanced code and its blank at the beginning; returns its length, and keeps the first one. */
static size_t take_enhanced(struct smtp_reply *r, const char *p, size_t n)
{
	char code[sizeof(r->enhanced)] = "";
	const char *blank = memchr(p, ' ', n);
	size_t len = blank != NULL ? (size_t)(blank - p) : n;

	if (len >= sizeof(code))
		return 0;
	memcpy(code, p, len);
	if (!smtp_enhanced_valid(code, r->code))
		return 0;
	if (r->enhanced[0] == '\0')
		strcpy(r->enhanced, code);
	return len + (blank != NULL ? 1 : 0);
}

/* Text behind what there is, after a blank; too long is cut. */
static void add_text(struct smtp_reply *r, const char *p, size_t n)
{
	size_t used = strlen(r->text);

	if (used > 0 && n > 0 && used + 1 < sizeof(r->text))
		r->text[used++] = ' ';
	for (size_t i = 0; i < n && used + 1 < sizeof(r->text); i++)
		r->text[used++] = is_graph(p[i]) || p[i] == ' ' ? p[i] : '?';
	r->text[used] = '\0';
}

/* Three digits in their ranges; 0 when not. */
static unsigned code_of(const char *p)
{
	if (!is_digit(p[0]) || !is_digit(p[1]) || !is_digit(p[2]))
		return 0;
	unsigned code = (unsigned)(p[0] - '0') * 100 + (unsigned)(p[1] - '0') * 10 + (unsigned)(p[2] - '0');
	return smtp_code_valid(code) ? code : 0;
}

int client_reply_line(struct smtp_client *c, const char *p, size_t n)
{
	unsigned code = n >= 5 ? code_of(p) : 0;
	bool more = n > 5 && p[3] == '-';

	if (c->nlines == 0) {
		c->reply = (struct smtp_reply){.code = (uint16_t)code};
		if (c->count > 0 && c->queue[c->head].kind == PENDING_EHLO)
			c->extensions = c->forwards = 0, c->size_max = 0;
	}
	if (p[n - 2] != '\r' || code == 0 || code != c->reply.code || (n > 5 && p[3] != ' ' && !more) ||
		++c->nlines > SMTP_REPLY_LINES || memchr(p, '\r', n - 2) != NULL)
		return -1;
	size_t len = n > 5 ? n - 6 : 0;
	const char *text = p + 4;
	if (c->nlines > 1 && code == 250 && c->count > 0 && c->queue[c->head].kind == PENDING_EHLO)
		take_extension(c, text, len);
	size_t skip = len > 0 ? take_enhanced(&c->reply, text, len) : 0;
	add_text(&c->reply, text + skip, len - skip);
	c->nlines = more ? c->nlines : 0;
	return more ? 0 : 1;
}
