/*
 * mime_field.c: header blocks (RFC 5322 2.2): lines to unfolded fields.
 *
 * Only an empty line ends a header (or a boundary, or the end of the mail: flagged). A line that is no field, or a name that
 * only looks like one of MIME's, makes the entity opaque: programs differ in what they take it for.
 *
 * Input: bytes of strangers. Limits: fields of a header, bytes of it, bytes of a field; past them the mail is refused.
 */
#include "mime_private.h"

#include <string.h>
#include <strings.h>

static const struct {
	uint8_t n;
	const char *text;
} names[] = {
	[MIME_FIELD_OTHER] = {0, ""},
#define X(id, name) [MIME_FIELD_##id] = {sizeof(name) - 1, name},
	MIME_FIELD_NAMES(X)
#undef X
};

/* Fields of which a message has one at most (RFC 5322 3.6, RFC 2045 4). */
#define BIT(id) (1u << MIME_FIELD_##id)
static const uint32_t once = BIT(DATE) | BIT(FROM) | BIT(SENDER) | BIT(REPLY_TO) | BIT(TO) | BIT(CC) | BIT(BCC) |
	BIT(MESSAGE_ID) | BIT(IN_REPLY_TO) | BIT(REFERENCES) | BIT(SUBJECT) | BIT(MIME_VERSION);

static bool is_blank(uint8_t c)
{
	return c == ' ' || c == '\t';
}

static enum mime_field_id field_id(const uint8_t *name, size_t n)
{
	for (unsigned i = 1; i < sizeof(names) / sizeof(names[0]); i++)
		if (names[i].n == n && strncasecmp(names[i].text, (const char *)name, n) == 0)
			return (enum mime_field_id)i;
	return MIME_FIELD_OTHER;
}

/* Its letters alone: may a program take it for a field that says how to read the mail? */
static bool looks_like_mime(const uint8_t *name, size_t n)
{
	static const char *const fields[] = {"contenttype", "contenttransferencoding", "contentdisposition", "mimeversion"};
	char letters[128];
	size_t k = 0;

	for (size_t i = 0; i < n && k + 1 < sizeof(letters); i++)
		if ((name[i] | 0x20) >= 'a' && (name[i] | 0x20) <= 'z')
			letters[k++] = (char)(name[i] | 0x20);
	letters[k] = '\0';
	for (size_t i = 0; i < sizeof(fields) / sizeof(fields[0]); i++)
		if (strstr(letters, fields[i]) != NULL)
			return true;
	return false;
}

static bool is_name(const uint8_t *name, size_t n)
{
	for (size_t i = 0; i < n; i++)
		if (name[i] <= ' ' || name[i] >= 0x7f)
			return false;
	return n > 0;
}

static mime_flags value_flags(const uint8_t *value, size_t n)
{
	mime_flags flags = 0;

	if (mime_line_plain(value, n))
		return 0;
	for (size_t i = 0; i < n; i++) {
		if (value[i] >= 0x80 || value[i] == 0x1b)
			flags |= MIME_FLAG(FIELD_8BIT);
		else if ((value[i] < ' ' && value[i] != '\t') || value[i] == 0x7f)
			flags |= MIME_FLAG(FIELD_CONTROL);
	}
	return flags;
}

/* To the handler, and to the entity whose field it is. */
static void field_give(struct mime *m, struct mime_field *field)
{
	struct mime_frame *f = mime_top(m);

	field->flags |= value_flags(field->value, field->n);
	if (f->is_message) {
		uint32_t bit = 1u << field->id;
		if (m->seen & once & bit)
			field->flags |= MIME_FLAG(FIELD_TWICE);
		m->seen |= bit;
		m->flags |= field->flags;
		field->message = m->message;
		field->entity = m->depth > 0 ? m->frames[m->depth - 1].entity.index : 0;
		if (m->handler.field != NULL)
			m->handler.field(m->arg, field);
	}
	if (field->id >= MIME_FIELD_CONTENT_DESCRIPTION && field->id <= MIME_FIELD_CONTENT_TYPE) {
		if (field->flags & MIME_FLAG(FIELD_CONTROL))
			mime_flag_entity(m, f, MIME_FLAG(HEADER_CONTROL));
		mime_entity_field(m, f, field->id, field->value, field->n);
	}
}

/* What is in m->field is a whole field. */
static void field_finish(struct mime *m)
{
	struct mime_frame *f = mime_top(m);
	const uint8_t *start = m->field, *end = m->field + m->nfield;

	if (m->nfield == 0 || mime_is_refused(m))
		return;
	m->nfield = 0;
	if (++f->fields > MAIL_FIELDS) {
		mime_refuse(m, MIME_BIT_FIELDS);
		return;
	}
	if (m->handler.tolerant && m->parts == 1 && f->fields == 1 && end - start > 5 && memcmp(start, "From ", 5) == 0) {
		mime_flag_entity(m, f, MIME_FLAG(MBOX_LINE));
		return;
	}
	const uint8_t *colon = memchr(start, ':', (size_t)(end - start));
	if (colon == NULL) {
		mime_flag_entity(m, f, MIME_FLAG(HEADER_LINE));
		return;
	}
	struct mime_field field = {.name = (const char *)start, .nname = (size_t)(colon - start)};
	while (field.nname > 0 && is_blank(start[field.nname - 1]))
		field.nname--;
	bool name = is_name(start, field.nname);
	if (!name || start + field.nname != colon) {
		bool mime = field.nname == 0 || looks_like_mime(start, (size_t)(colon - start));
		mime_flag_entity(m, f, mime ? MIME_FLAG(HEADER_NAME) : MIME_FLAG(FIELD_NAME));
		if (mime || !name)
			return;
		field.flags = MIME_FLAG(FIELD_NAME);
	}
	const uint8_t *value = colon + 1;
	while (value < end && is_blank(*value))
		value++;
	while (end > value && is_blank(end[-1]))
		end--;
	field.id = field_id(start, field.nname);
	field.value = value;
	field.n = (size_t)(end - value);
	field_give(m, &field);
}

void mime_field_end(struct mime *m)
{
	if (m->field_cr)
		m->field_cr = false;
	else if (!m->bol && m->nfield > 0 && m->field[m->nfield - 1] == '\r')
		m->nfield--;
	field_finish(m);
	m->nfield = m->field_line = 0;
}

static void append(struct mime *m, const uint8_t *p, size_t n)
{
	if (n > sizeof(m->field) - m->nfield) {
		mime_refuse(m, MIME_BIT_FIELD_BYTES);
		return;
	}
	memcpy(m->field + m->nfield, p, n);
	m->nfield += (uint32_t)n;
}

bool mime_field_folded(const struct mime *m, const uint8_t *p, size_t n)
{
	size_t from = (size_t)(p - m->field);

	for (unsigned i = 0; i < m->nfolds; i++)
		if (m->folds[i] >= from && m->folds[i] < from + n)
			return true;
	return m->nfolds == MIME_FOLDS;
}

/* The first byte of a line that is not empty: does it go on with the field, or begin another? */
static void line_begin(struct mime *m, uint8_t c)
{
	if (!is_blank(c) || m->nfield == 0) {
		field_finish(m);
		m->nfolds = 0;
		if (is_blank(c))
			mime_flag_entity(m, mime_top(m), MIME_FLAG(HEADER_LINE));
	} else if (m->nfolds < MIME_FOLDS) {
		m->folds[m->nfolds++] = m->nfield;
	}
	m->field_line = m->nfield;
	m->bol = false;
}

static void line_end(struct mime *m)
{
	if (m->nfield > m->field_line && m->field[m->nfield - 1] == '\r')
		m->nfield--;
	if (m->nfield > MAIL_FIELD_BYTES)
		mime_refuse(m, MIME_BIT_FIELD_BYTES);
	uint32_t i = m->field_line;
	while (i < m->nfield && is_blank(m->field[i]))
		i++;
	if (i == m->nfield)
		mime_flag_entity(m, mime_top(m), MIME_FLAG(FOLD_BLANK));
	m->bol = true;
}

/* A line, or a piece of one, that is no boundary. */
static const uint8_t *line_push(struct mime *m, const uint8_t *p, const uint8_t *end)
{
	if (m->bol) {
		if (!m->field_cr && *p == '\r') {
			m->field_cr = true;
			return p + 1;
		}
		if (*p == '\n') {
			mime_field_end(m);
			if (!mime_is_refused(m))
				mime_header_end(m);
			return p + 1;
		}
		line_begin(m, m->field_cr ? '\r' : *p);
		if (m->field_cr)
			append(m, (const uint8_t *)"\r", 1);
		m->field_cr = false;
	}
	const uint8_t *newline = memchr(p, '\n', (size_t)(end - p));
	append(m, p, (size_t)((newline != NULL ? newline : end) - p));
	if (newline == NULL || mime_is_refused(m))
		return end;
	line_end(m);
	return newline + 1;
}

const uint8_t *mime_field_push(struct mime *m, const uint8_t *p, const uint8_t *end)
{
	struct mime_frame *f = mime_top(m);
	const uint8_t *start = p;
	size_t before = 0;

	if (m->bol && !m->field_cr && m->depth > 0 && (m->nline > 0 || *p == '-')) {
		enum mime_candidate found = mime_candidate(m, &p, end);
		if (found != MIME_NO_MATCH)
			return p;
		before = m->nline;
		m->nline = 0;
		line_push(m, m->line, m->line + before);
	} else {
		p = line_push(m, p, end);
	}
	f->header_bytes += before > 0 ? (uint32_t)before : (uint32_t)(p - start);
	if (f->header_bytes > MAIL_HEADER_BYTES)
		mime_refuse(m, MIME_BIT_HEADER_BYTES);
	return p;
}
