/*
 * clean_inner.c: the header of a mail within the mail, as lines of text: who, when, to whom, about what.
 *
 * Input: fields of a forwarded mail as the MIME reader tells them, or the raw header of a returned one. All of it is text of
 * strangers and becomes text, nothing else. Limits: the sizes of struct clean_inner; longer values are cut.
 */
#include "clean_private.h"

#include <strings.h>

#include <sekisho/i18n.h>

#define VALUE_MAX 4096u /* of a raw field: longer ones are cut */

void clean_inner_field(struct clean_inner *in, const struct mime_field *f)
{
	struct mime_date date;
	mime_flags flags = 0;
	char *out = NULL;
	size_t size = 0;

	switch (f->id) {
	case MIME_FIELD_FROM:
		out = in->from, size = sizeof(in->from);
		break;
	case MIME_FIELD_TO:
		out = in->to, size = sizeof(in->to);
		break;
	case MIME_FIELD_CC:
		out = in->cc, size = sizeof(in->cc);
		break;
	case MIME_FIELD_SUBJECT:
		out = in->subject, size = sizeof(in->subject);
		break;
	case MIME_FIELD_DATE:
		if (in->date[0] == '\0' && mime_date(f->value, f->n, &date, &flags))
			mime_date_text(&date, in->date);
		break;
	default:
		break;
	}
	if (out != NULL && out[0] == '\0')
		mime_words_into(out, size, f->value, f->n);
	in->any = true;
}

static void say_line(struct clean_text *t, const char *name, const char *value)
{
	if (value[0] != '\0')
		clean_text_say(t, "%s: %s\n", name, value);
}

void clean_inner_say(struct clean *c, struct clean_inner *in, unsigned quote, const char *title)
{
	struct clean_text *t = &c->text;

	clean_text_gap(t);
	clean_text_begin(t, quote, c->options.private_use);
	clean_text_say(t, "---- %s ----\n", title);
	say_line(t, _("From"), in->from);
	say_line(t, _("Date"), in->date);
	say_line(t, _("To"), in->to);
	say_line(t, _("Cc"), in->cc);
	say_line(t, _("Subject"), in->subject);
	clean_text_end(t);
	memset(in, 0, sizeof(*in));
}

void clean_inner_search(struct clean *c, struct clean_inner *in)
{
	mynumber_push(&c->mynumber, in->subject, strlen(in->subject));
	mynumber_break(&c->mynumber);
	memset(in, 0, sizeof(*in));
}

/* -- Raw headers --------------------------------------------------------------------------------------------- */

static const struct {
	const char *name;
	enum mime_field_id id;
} fields[] = {
	{"From", MIME_FIELD_FROM}, {"To", MIME_FIELD_TO}, {"Cc", MIME_FIELD_CC},
	{"Subject", MIME_FIELD_SUBJECT}, {"Date", MIME_FIELD_DATE},
};

/* A field whose name ends at `colon`; the value may have folds, which become blanks. */
static void take_field(struct clean_inner *in, const char *s, size_t colon, size_t n)
{
	uint8_t value[VALUE_MAX];
	size_t at = colon + 1, out = 0;
	struct mime_field f = {.name = s, .nname = colon, .value = value};

	for (size_t i = 0; i < sizeof(fields) / sizeof(fields[0]); i++)
		if (strlen(fields[i].name) == colon && strncasecmp(fields[i].name, s, colon) == 0)
			f.id = fields[i].id;
	while (at < n && (s[at] == ' ' || s[at] == '\t'))
		at++;
	for (; at < n && out < sizeof(value); at++)
		if (s[at] != '\r' && s[at] != '\n')
			value[out++] = (uint8_t)s[at];
	f.n = out;
	if (f.id != MIME_FIELD_OTHER)
		clean_inner_field(in, &f);
}

void clean_inner_block(struct clean_inner *in, const uint8_t *bytes, size_t n)
{
	const char *s = (const char *)bytes, *end = s + n;

	while (s < end && *s != '\r' && *s != '\n') {
		const char *next = s;
		do { /* lines that begin with a blank belong to the field */
			const char *eol = memchr(next, '\n', (size_t)(end - next));
			next = eol == NULL ? end : eol + 1;
		} while (next < end && (*next == ' ' || *next == '\t'));
		const char *colon = memchr(s, ':', (size_t)(next - s));
		if (colon != NULL)
			take_field(in, s, (size_t)(colon - s), (size_t)(next - s));
		s = next;
	}
}
