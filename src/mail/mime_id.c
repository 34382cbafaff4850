/*
 * mime_id.c: message ids (RFC 5322 3.6.4). Only what is one passes; the form is that of the cleaned mail.
 */
#include "mime_private.h"

/* atext (RFC 5322 3.2.3), and what may stand between. */
static bool is_id(uint8_t c)
{
	return (c >= '0' && c <= '9') || (c >= 'A' && c <= 'Z') || (c >= 'a' && c <= 'z') ||
		mime_is_of(c, "!#$%&'*+-/=?^_`{|}~.@:[]");
}

/* The end of an id whose "<" is at p, or NULL. */
static const char *id_end(const char *p, const char *end)
{
	const char *at = NULL, *q = p + 1;

	for (; q < end && is_id((uint8_t)*q); q++)
		if (*q == '@')
			at = at != NULL ? end : q;
	return q < end && *q == '>' && q - p - 1 <= (ptrdiff_t)MAIL_ID && at != NULL && at != end && at > p + 1 && at + 1 < q
		? q + 1 : NULL;
}

mime_flags mime_ids(const void *value, size_t n, mime_id_sink *sink, void *arg)
{
	const char *p = value, *end = p + n;
	size_t comments = 0;
	mime_flags flags = 0;

	while (p < end) {
		const char *stop = comments == 0 && *p == '<' ? id_end(p, end) : NULL;
		if (stop != NULL) {
			sink(arg, p, (size_t)(stop - p));
			p = stop;
			continue;
		}
		if (*p == '(')
			comments++;
		else if (comments > 0 && *p == ')')
			comments--;
		else if (comments == 0 && *p != ' ' && *p != '\t' && *p != ',')
			flags |= MIME_FLAG(ID_BROKEN);
		p++;
	}
	return flags | (comments > 0 ? MIME_FLAG(ID_BROKEN) : 0);
}
