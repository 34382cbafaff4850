/* mime_trace.c: the events of a mail as text, for tests; their order is checked. */
#include "mime_trace.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

struct trace {
	struct buf *out;
	unsigned how;
	/* Entities that are open, and whether the last event was bytes of one. */
	unsigned open[MAIL_DEPTH + 2], nopen, next;
	int bytes;
	uint64_t given[MAIL_PARTS];
	uint32_t sum;
};

static struct mime mime;

static void wrong(const char *what)
{
	fprintf(stderr, "the order of events is wrong: %s\n", what);
	abort();
}

static void quote(struct buf *out, const void *p, size_t n)
{
	const uint8_t *s = p;

	for (size_t i = 0; i < n; i++) {
		if (s[i] == '\n')
			buf_printf(out, "\\n");
		else if (s[i] == '\r')
			buf_printf(out, "\\r");
		else if (s[i] == '\\')
			buf_printf(out, "\\\\");
		else if (s[i] < ' ' || s[i] >= 0x7f)
			buf_printf(out, "\\x%02x", s[i]);
		else
			buf_add(out, s + i, 1);
	}
}

void mime_trace_flags(struct buf *out, mime_flags flags)
{
	const char *between = "";

	if (flags == 0)
		buf_printf(out, "-");
	for (unsigned i = 0; i < MIME_FLAG_END; i++) {
		if (flags >> i & 1) {
			buf_printf(out, "%s%s", between, mime_flag_word(i));
			between = ",";
		}
	}
}

/* -- Fields ---------------------------------------------------------------------------------------------------- */

static void address(void *arg, const struct mime_address *a)
{
	struct trace *t = arg;
	char spec[MIME_ADDRESS_SPEC];

	mime_address_spec(a, spec);
	buf_printf(t->out, "  %s \"%s\" <%s> ", a->group ? "group" : a->member ? "member" : "address", a->display, spec);
	mime_trace_flags(t->out, a->flags);
	buf_printf(t->out, "\n");
}

static void id(void *arg, const char *text, size_t n)
{
	struct trace *t = arg;

	buf_printf(t->out, "  id %.*s\n", (int)n, text);
}

static void field_read(struct trace *t, const struct mime_field *field)
{
	char text[4096], date_text[MIME_DATE_TEXT];
	struct mime_date date;
	mime_flags flags = 0;

	switch (field->id) {
	case MIME_FIELD_SUBJECT:
		flags = mime_words_into(text, sizeof(text), field->value, field->n);
		buf_printf(t->out, "  text \"%s\"\n", text);
		break;
	case MIME_FIELD_FROM:
	case MIME_FIELD_TO:
	case MIME_FIELD_CC:
	case MIME_FIELD_REPLY_TO:
	case MIME_FIELD_SENDER:
		flags = mime_addresses(field->value, field->n, address, t);
		break;
	case MIME_FIELD_DATE:
		if (mime_date(field->value, field->n, &date, &flags)) {
			mime_date_text(&date, date_text);
			buf_printf(t->out, "  date %s\n", date_text);
		}
		break;
	case MIME_FIELD_MESSAGE_ID:
	case MIME_FIELD_IN_REPLY_TO:
	case MIME_FIELD_REFERENCES:
		flags = mime_ids(field->value, field->n, id, t);
		break;
	default:
		return;
	}
	buf_printf(t->out, "  = ");
	mime_trace_flags(t->out, flags);
	buf_printf(t->out, "\n");
}

/* -- Events ---------------------------------------------------------------------------------------------------- */

static void bytes_end(struct trace *t)
{
	if (t->bytes >= 0 && (t->how & TRACE_SUMS) == 0)
		buf_printf(t->out, "\"\n");
	else if (t->bytes >= 0)
		buf_printf(t->out, "%08x\n", t->sum);
	t->bytes = -1;
}

static void take_field(void *arg, const struct mime_field *field)
{
	struct trace *t = arg;

	bytes_end(t);
	buf_printf(t->out, "field %u/%u ", field->message, field->entity);
	quote(t->out, field->name, field->nname);
	buf_printf(t->out, ": ");
	quote(t->out, field->value, field->n);
	buf_printf(t->out, " ");
	mime_trace_flags(t->out, field->flags);
	buf_printf(t->out, "\n");
	field_read(t, field);
}

static const char *const encodings[] = {"7bit", "8bit", "binary", "base64", "quoted-printable", "unknown"};
static const char *const dispositions[] = {"-", "inline", "attachment"};
static const char *const places[] = {"filename", "filename*", "filename-again", "name", "name*", "name-again"};

static void put_words(struct buf *out, const struct mime_entity *e)
{
	const char *const words[][2] = {{"charset", e->charset_label}, {"method", e->method}, {"report-type", e->report_type},
		{"protocol", e->protocol}, {"smime-type", e->smime_type}, {"component", e->component}};

	for (size_t i = 0; i < sizeof(words) / sizeof(words[0]); i++)
		if (words[i][1][0] != '\0')
			buf_printf(out, " %s=%s", words[i][0], words[i][1]);
	buf_printf(out, " charset:%s", charset_name(e->charset));
	if (e->flowed || e->delsp)
		buf_printf(out, "%s%s", e->flowed ? " flowed" : "", e->delsp ? " delsp" : "");
	for (unsigned i = 0; i < MIME_NAMES; i++) {
		if (!e->names[i].there)
			continue;
		buf_printf(out, " %s=\"%s\"(", places[i], e->names[i].text);
		quote(out, e->names[i].raw, e->names[i].nraw);
		buf_printf(out, ")");
	}
}

static enum mime_want take_entity(void *arg, const struct mime_entity *e)
{
	struct trace *t = arg;

	bytes_end(t);
	if (e->index != t->next++ || (t->nopen > 0 && e->parent != t->open[t->nopen - 1]) || e->depth != t->nopen)
		wrong("entity");
	t->open[t->nopen++] = e->index;
	buf_printf(t->out, "entity %u in %u %s%s%s %s %s", e->index, e->parent, e->opaque ? "OPAQUE " : "", e->media,
		e->type == MIME_UUENCODE ? "uuencode" : e->type == MIME_YENC ? "yenc" : e->type == MIME_BINHEX ? "binhex" : "",
		encodings[e->encoding], dispositions[e->disposition]);
	put_words(t->out, e);
	buf_printf(t->out, " ");
	mime_trace_flags(t->out, e->flags);
	buf_printf(t->out, "\n");
	if (t->how & TRACE_SKIP)
		return !e->opaque && (e->type == MIME_MESSAGE_RFC822 || mime_is_multipart(e->type)) ? MIME_DESCEND
												    : MIME_SKIP;
	return t->how & TRACE_OPAQUE ? MIME_BYTES : MIME_DESCEND;
}

static void take_bytes(void *arg, const struct mime_entity *e, const uint8_t *bytes, size_t n)
{
	struct trace *t = arg;

	if (t->nopen == 0 || e->index != t->open[t->nopen - 1] || n == 0 || t->how & TRACE_SKIP)
		wrong("bytes");
	t->given[e->index] += n;
	if (t->bytes != e->index) {
		bytes_end(t);
		buf_printf(t->out, "bytes %u %s", e->index, t->how & TRACE_SUMS ? "" : "\"");
		t->sum = 1;
	}
	t->bytes = e->index;
	for (size_t i = 0; i < n && t->how & TRACE_SUMS; i++)
		t->sum = t->sum * 31 + bytes[i];
	if ((t->how & TRACE_SUMS) == 0)
		quote(t->out, bytes, n);
}

static void take_end(void *arg, const struct mime_entity *e, mime_flags body)
{
	struct trace *t = arg;

	bytes_end(t);
	if (t->nopen == 0 || e->index != t->open[--t->nopen])
		wrong("end");
	if ((t->how & TRACE_SKIP) == 0 && e->decoded < t->given[e->index])
		wrong("decoded");
	buf_printf(t->out, "end %u raw %llu decoded %llu outside %llu ", e->index, (unsigned long long)e->raw,
		(unsigned long long)e->decoded, (unsigned long long)e->outside);
	mime_trace_flags(t->out, body);
	buf_printf(t->out, "\n");
}

void mime_trace(struct buf *ret, const void *mail, size_t n, size_t first, size_t step, unsigned how)
{
	static struct trace t;
	const char *p = mail;
	const struct mime_handler handler = {
		.field = take_field,
		.entity = take_entity,
		.bytes = take_bytes,
		.end = take_end,
		.tolerant = how & TRACE_TOLERANT,
	};

	memset(&t, 0, sizeof(t));
	t.out = ret;
	t.how = how;
	t.bytes = -1;
	mime_begin(&mime, &handler, &t);
	for (size_t i = 0; i < n;) {
		size_t k = i == 0 && first > 0 ? first : step;
		if (k > n - i)
			k = n - i;
		mime_push(&mime, p + i, k);
		i += k;
	}
	bool taken = mime_end(&mime) == 0;
	bytes_end(&t);
	if (taken && t.nopen > 0)
		wrong("open at the end");
	buf_printf(ret, "%s%s ", taken ? "taken" : "refused ", taken ? "" : mime_flag_word(mime.refusal));
	mime_trace_flags(ret, mime.flags);
	buf_printf(ret, "\n");
}
