/*
 * mime_entity.c: what an entity is, from its Content- fields (RFC 2045, RFC 2183, RFC 2231).
 *
 * Ambiguity makes opaque: two of a field, a type that is no type, an encoding that nobody knows, a container in an encoding, a
 * boundary that is not exactly one well-formed string. What is only a label for people (name, charset, disposition)
 * is read tolerantly, and flagged.
 *
 * Input: single fields of strangers. Limits: parameters, pieces (then the mail is refused), lengths of labels and names.
 */
#include <string.h>
#include <strings.h>

#include "mime_parameter.h"
#include "mime_private.h"

enum {
	SEEN_TYPE = 1,
	SEEN_ENCODING = 2,
	SEEN_DISPOSITION = 4,
	SEEN_BOUNDARY = 8, /* one that is well-formed is in f->boundary */
};

static const struct {
	const char *text;
	enum mime_type type;
} types[] = {
#define X(id, name) {name, MIME_##id},
	MIME_TYPES(X)
#undef X
};

static enum mime_type type_find(const char *media)
{
	for (size_t i = 0; i < sizeof(types) / sizeof(types[0]); i++)
		if (strcmp(types[i].text, media) == 0)
			return types[i].type;
	if (strncmp(media, "text/", 5) == 0)
		return MIME_TEXT_OTHER;
	if (strncmp(media, "multipart/", 10) == 0)
		return MIME_MULTIPART_OTHER;
	return strncmp(media, "message/", 8) == 0 ? MIME_MESSAGE_OTHER : MIME_OTHER;
}

/* Lower case, printable ASCII. False when it has anything else, or is too long (then out is ""). */
static bool label(char *out, size_t size, const uint8_t *p, size_t n)
{
	out[0] = '\0';
	if (n >= size)
		return false;
	for (size_t i = 0; i < n; i++) {
		if (p[i] < ' ' || p[i] >= 0x7f) {
			out[0] = '\0';
			return false;
		}
		out[i] = (char)(p[i] >= 'A' && p[i] <= 'Z' ? p[i] | 0x20 : p[i]);
	}
	out[n] = '\0';
	return true;
}

/* A parameter that is a word for programs; false if there is none. */
static bool word(const struct parameters *list, const char *name, char *out, size_t size)
{
	uint8_t value[MAIL_TYPE + 1];
	const struct parameter *again, *a = parameter_find(list, name, &again);

	return a != NULL && label(out, size, value, parameter_value(a, value, sizeof(value)));
}

/* -- File names ----------------------------------------------------------------------------------------------------- */

/* Bytes in a charset into a name that people can read. */
static mime_flags name_decode(struct mime_name *name, const char *charset, const uint8_t *p, size_t n)
{
	struct mime_buffer buffer = {.out = name->text, .size = sizeof(name->text), .characters = MAIL_NAME_CHARACTERS};
	struct mailtext_options options = {.sink = mime_buffer_take, .arg = &buffer, .visible = true, .one_line = true};
	struct mailtext text;
	mime_flags flags = 0;
	unsigned words = 0;

	mailtext_begin(&text, &options);
	if (charset == NULL) {
		flags = mime_words_count(&text, p, n, &words);
	} else {
		enum charset declared = charset_find(charset, strlen(charset));
		struct decoder d;
		char out[DECODER_OUT(MAIL_NAME_BYTES)];
		decoder_begin(&d, charset_settle(declared != CHARSET_UNKNOWN ? declared : CHARSET_UTF_8, p, n));
		if (declared == CHARSET_UNKNOWN && charset[0] != '\0')
			flags |= MIME_FLAG(WORD_CHARSET);
		mailtext_put(&text, out, decoder_push(&d, p, n, out));
		mailtext_put(&text, out, decoder_end(&d, out));
		if (d.errors > 0 || (declared != CHARSET_UNKNOWN && d.charset != declared))
			flags |= MIME_FLAG(CHARSET_LIES);
	}
	mailtext_end(&text);
	name->text[buffer.n] = '\0';
	return flags | (words > 0 ? MIME_FLAG(NAME_WORD) : 0) | (buffer.cut ? MIME_FLAG(CUT) : 0);
}

static void name_set(struct mime *m, struct mime_frame *f, enum mime_name_place place, const uint8_t *raw, size_t n)
{
	struct mime_name *name = &f->entity.names[place];

	name->there = true;
	if (n > sizeof(name->raw)) {
		mime_flag_entity(m, f, MIME_FLAG(CUT));
		n = sizeof(name->raw);
	}
	memcpy(name->raw, raw, n);
	name->nraw = (uint16_t)n;
}

void mime_entity_name_set(struct mime *m, struct mime_frame *f, enum mime_name_place place, const uint8_t *raw, size_t n)
{
	name_set(m, f, place, raw, n);
	mime_flag_entity(m, f, name_decode(&f->entity.names[place], NULL, raw, n));
}

/* Both ways to write a name: plain, and in pieces or with a charset. */
static void names_read(struct mime *m, struct mime_frame *f, const struct parameters *list, const char *name,
	enum mime_name_place place)
{
	uint8_t value[2 * MAIL_NAME_BYTES]; /* room for an encoding */
	struct parameter_pieces pieces;
	const struct parameter *again, *a = parameter_find(list, name, &again);

	if (a != NULL)
		mime_entity_name_set(m, f, place, value, parameter_value(a, value, sizeof(value)));
	if (a != NULL && a->nvalue > sizeof(value))
		mime_flag_entity(m, f, MIME_FLAG(CUT));
	if (again != NULL) {
		mime_flag_entity(m, f, MIME_FLAG(PARAMETER_TWICE));
		mime_entity_name_set(m, f, place + 2, value, parameter_value(again, value, sizeof(value)));
	}
	parameter_join(list, name, &pieces);
	if (pieces.many)
		mime_refuse(m, MIME_BIT_SEGMENTS);
	if (!pieces.there)
		return;
	name_set(m, f, place + 1, pieces.raw, pieces.nraw);
	mime_flag_entity(m, f, pieces.flags |
		name_decode(&f->entity.names[place + 1], pieces.charset, pieces.bytes, pieces.n));
}

const char *mime_entity_name(const struct mime_entity *entity)
{
	static const enum mime_name_place order[] = {MIME_FILENAME_PIECES, MIME_FILENAME, MIME_NAME_PIECES, MIME_NAME};

	for (unsigned i = 0; i < sizeof(order) / sizeof(order[0]); i++)
		if (entity->names[order[i]].there && entity->names[order[i]].text[0] != '\0')
			return entity->names[order[i]].text;
	return "";
}

static bool names_differ(const struct mime_entity *e)
{
	const char *name = mime_entity_name(e);

	for (unsigned i = 0; i < MIME_NAMES; i++)
		if (e->names[i].there && strcmp(e->names[i].text, name) != 0)
			return true;
	return false;
}

/* -- Content-Type ---------------------------------------------------------------------------------------------------- */

static mime_flags boundary_flags(const struct parameter *a, const uint8_t *value, size_t n)
{
	static const char unquoted[] = "=/:?";
	mime_flags flags = n > MAIL_BOUNDARY ? MIME_FLAG(BOUNDARY_ODD) : 0;

	if (a->broken || n == 0 || n > MAIL_BOUNDARY_MAX || value[0] == ' ' || value[n - 1] == ' ' ||
		memchr(a->value, '\\', a->nvalue) != NULL || (n > 4 && memcmp(value, "=?", 2) == 0 &&
			memcmp(value + n - 2, "?=", 2) == 0))
		return MIME_FLAG(BOUNDARY_BROKEN);
	for (size_t i = 0; i < n; i++) {
		if (value[i] < ' ' || value[i] >= 0x7f)
			return MIME_FLAG(BOUNDARY_BROKEN);
		if (!a->quoted && mime_is_of(value[i], unquoted))
			flags |= MIME_FLAG(BOUNDARY_ODD);
	}
	return flags;
}

static void boundary_read(struct mime *m, struct mime_frame *f, const struct parameters *list)
{
	uint8_t value[MAIL_BOUNDARY_MAX + 1];
	const struct parameter *again, *a = parameter_find(list, "boundary", &again);
	mime_flags flags = again != NULL ? MIME_FLAG(BOUNDARY_TWICE) : 0;

	for (unsigned i = 0; i < list->n; i++)
		if (list->list[i].nname == 8 && strncasecmp((const char *)list->list[i].name, "boundary", 8) == 0 &&
			(list->list[i].extended || list->list[i].index >= 0))
			flags |= MIME_FLAG(BOUNDARY_BROKEN);
	if (a == NULL) {
		mime_flag_entity(m, f, flags | MIME_FLAG(BOUNDARY_MISSING));
		return;
	}
	size_t n = parameter_value(a, value, sizeof(value));
	/* Programs differ in what a line end within it becomes. */
	flags |= mime_field_folded(m, a->value, a->nvalue) ? MIME_FLAG(BOUNDARY_ODD) : 0;
	flags |= boundary_flags(a, value, n) | (list->broken ? MIME_FLAG(BOUNDARY_BROKEN) : 0);
	mime_flag_entity(m, f, flags);
	if (flags & mime_opaque)
		return;
	memcpy(f->boundary.text, value, n);
	f->seen |= SEEN_BOUNDARY;
	f->boundary.n = (uint8_t)n;
}

static void charset_read(struct mime *m, struct mime_frame *f, const struct parameters *list)
{
	struct mime_entity *e = &f->entity;
	struct parameter_pieces pieces;
	const struct parameter *again, *a = parameter_find(list, "charset", &again);

	parameter_join(list, "charset", &pieces);
	if (again != NULL || (a != NULL && pieces.there))
		mime_flag_entity(m, f, MIME_FLAG(CHARSET_TWICE));
	if (pieces.many)
		mime_refuse(m, MIME_BIT_SEGMENTS);
	e->charset_named = a != NULL || pieces.there;
	if (!e->charset_named)
		return;
	if (a != NULL)
		word(list, "charset", e->charset_label, sizeof(e->charset_label));
	else
		label(e->charset_label, sizeof(e->charset_label), pieces.bytes, pieces.n);
	e->charset = charset_find(e->charset_label, strlen(e->charset_label));
}

/* type "/" subtype; returns where the parameters begin, NULL when it is no type. */
static const uint8_t *media_read(struct mime_entity *e, const uint8_t *p, const uint8_t *end, bool *open)
{
	const uint8_t *start = mime_blanks(p, end, open), *slash = mime_token(start, end);

	if (slash == start || slash == end || *slash != '/')
		return NULL;
	const uint8_t *stop = mime_token(slash + 1, end), *after = mime_blanks(stop, end, open);
	if (stop == slash + 1 || (after < end && *after != ';') || (size_t)(stop - start) > MAIL_TYPE)
		return NULL;
	return label(e->media, sizeof(e->media), start, (size_t)(stop - start)) ? after : NULL;
}

static void type_read(struct mime *m, struct mime_frame *f, const uint8_t *value, size_t n)
{
	struct mime_entity *e = &f->entity;
	struct parameters list;
	char small[16];
	bool open = false;
	const uint8_t *rest = media_read(e, value, value + n, &open);

	if (rest == NULL || open) {
		mime_flag_entity(m, f, MIME_FLAG(TYPE_BROKEN));
		return;
	}
	e->type = type_find(e->media);
	parameters_read(&list, rest, value + n);
	if (list.many) {
		mime_refuse(m, MIME_BIT_PARAMETERS);
		return;
	}
	if (list.open)
		mime_flag_entity(m, f, MIME_FLAG(TYPE_BROKEN));
	if (list.broken)
		mime_flag_entity(m, f, MIME_FLAG(PARAMETER_BROKEN));
	if (mime_is_multipart(e->type))
		boundary_read(m, f, &list);
	charset_read(m, f, &list);
	names_read(m, f, &list, "name", MIME_NAME);
	e->flowed = word(&list, "format", small, sizeof(small)) && strcmp(small, "flowed") == 0;
	e->delsp = word(&list, "delsp", small, sizeof(small)) && strcmp(small, "yes") == 0;
	word(&list, "method", e->method, sizeof(e->method));
	word(&list, "component", e->component, sizeof(e->component));
	word(&list, "report-type", e->report_type, sizeof(e->report_type));
	word(&list, "protocol", e->protocol, sizeof(e->protocol));
	word(&list, "smime-type", e->smime_type, sizeof(e->smime_type));
}

/* -- The other fields ------------------------------------------------------------------------------------------------ */

static void encoding_read(struct mime *m, struct mime_frame *f, const uint8_t *value, size_t n)
{
	static const char *const encodings[] = {
		[MIME_7BIT] = "7bit",
		[MIME_8BIT] = "8bit",
		[MIME_BINARY] = "binary",
		[MIME_BASE64] = "base64",
		[MIME_QUOTED_PRINTABLE] = "quoted-printable",
	};
	bool open = false;
	const uint8_t *end = value + n, *p = mime_blanks(value, end, &open), *stop = mime_token(p, end);

	f->entity.encoding = MIME_ENCODING_UNKNOWN;
	for (unsigned i = 0; i < MIME_ENCODING_UNKNOWN; i++)
		if (strlen(encodings[i]) == (size_t)(stop - p) &&
			strncasecmp(encodings[i], (const char *)p, (size_t)(stop - p)) == 0)
			f->entity.encoding = (enum mime_encoding)i;
	if (mime_blanks(stop, end, &open) < end || open)
		f->entity.encoding = MIME_ENCODING_UNKNOWN;
	if (f->entity.encoding == MIME_ENCODING_UNKNOWN)
		mime_flag_entity(m, f, MIME_FLAG(ENCODING_UNKNOWN));
}

static void disposition_read(struct mime *m, struct mime_frame *f, const uint8_t *value, size_t n)
{
	struct parameters list;
	bool open = false;
	const uint8_t *end = value + n, *p = mime_blanks(value, end, &open), *stop = mime_token(p, end);
	const uint8_t *rest = mime_blanks(stop, end, &open);

	f->entity.disposition = MIME_ATTACHMENT;
	if (stop - p == 6 && strncasecmp((const char *)p, "inline", 6) == 0)
		f->entity.disposition = MIME_INLINE;
	parameters_read(&list, rest, end);
	if (list.many) {
		mime_refuse(m, MIME_BIT_PARAMETERS);
		return;
	}
	if (stop == p || open || list.open || (rest < end && *rest != ';')) {
		f->entity.disposition = MIME_ATTACHMENT;
		mime_flag_entity(m, f, MIME_FLAG(DISPOSITION_BROKEN));
	}
	if (list.broken)
		mime_flag_entity(m, f, MIME_FLAG(PARAMETER_BROKEN));
	names_read(m, f, &list, "filename", MIME_FILENAME);
}

void mime_entity_field(struct mime *m, struct mime_frame *f, enum mime_field_id id, const uint8_t *value, size_t n)
{
	static const struct {
		enum mime_field_id id;
		uint8_t seen;
		mime_flags twice;
		void (*read)(struct mime *m, struct mime_frame *f, const uint8_t *value, size_t n);
	} fields[] = {
		{MIME_FIELD_CONTENT_TYPE, SEEN_TYPE, MIME_FLAG(TYPE_TWICE), type_read},
		{MIME_FIELD_CONTENT_TRANSFER_ENCODING, SEEN_ENCODING, MIME_FLAG(ENCODING_TWICE), encoding_read},
		{MIME_FIELD_CONTENT_DISPOSITION, SEEN_DISPOSITION, MIME_FLAG(DISPOSITION_TWICE), disposition_read},
	};

	for (unsigned i = 0; i < sizeof(fields) / sizeof(fields[0]); i++) {
		if (fields[i].id != id)
			continue;
		if (f->seen & fields[i].seen)
			mime_flag_entity(m, f, fields[i].twice);
		else
			fields[i].read(m, f, value, n);
		f->seen |= fields[i].seen;
	}
}

/* -- All together ------------------------------------------------------------------------------------------------------ */

static void type_default(struct mime_entity *e)
{
	bool message = e->parent_type == MIME_MULTIPART_DIGEST;

	e->type = message ? MIME_MESSAGE_RFC822 : MIME_TEXT_PLAIN;
	strcpy(e->media, message ? "message/rfc822" : "text/plain");
}

static void boundary_compare(struct mime *m, struct mime_frame *f)
{
	for (unsigned i = 0; i < m->depth; i++) {
		const struct mime_boundary *a = &m->frames[i].boundary, *b = &f->boundary;
		size_t n = a->n < b->n ? a->n : b->n;
		if (n == 0 || memcmp(a->text, b->text, n) != 0)
			continue;
		mime_flag_entity(m, f, a->n == b->n ? MIME_FLAG(BOUNDARY_SAME) : MIME_FLAG(BOUNDARY_PREFIX));
	}
}

void mime_entity_settle(struct mime *m, struct mime_frame *f)
{
	struct mime_entity *e = &f->entity;

	if ((f->seen & SEEN_TYPE) == 0)
		type_default(e);
	else if (e->type == MIME_NONE)
		e->type = MIME_OTHER;
	if (mime_is_text(e->type) && !e->charset_named)
		e->charset = CHARSET_ASCII;
	if (mime_is_multipart(e->type))
		boundary_compare(m, f);
	bool container = mime_is_multipart(e->type) || e->type == MIME_MESSAGE_RFC822;
	if (container && (e->encoding == MIME_BASE64 || e->encoding == MIME_QUOTED_PRINTABLE))
		mime_flag_entity(m, f, MIME_FLAG(ENCODING_CONTAINER));
	if (f->seen & SEEN_DISPOSITION && e->flags & MIME_FLAG(DISPOSITION_TWICE))
		e->disposition = MIME_ATTACHMENT;
	if (names_differ(e))
		mime_flag_entity(m, f, MIME_FLAG(NAME_DIFFERS));
	if (m->depth == 0 && f->seen != 0 && (m->seen & 1u << MIME_FIELD_MIME_VERSION) == 0)
		mime_flag_entity(m, f, MIME_FLAG(NO_VERSION));
	e->opaque = (e->flags & mime_opaque) != 0;
	if (e->opaque)
		f->boundary.n = 0;
}
