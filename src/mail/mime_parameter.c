/*
 * mime_parameter.c: parameters of Content-Type and Content-Disposition (RFC 2045 5.1, RFC 2231).
 *
 * A value without quotation marks goes up to the next ";" (names of files with blanks are written so), flagged when it is no
 * token; a quotation mark without its end takes all the rest, flagged. What is flagged is a name or a label for
 * people; a boundary must be well-formed (mime_entity.c).
 *
 * Input: one field of at most MAIL_FIELD_BYTES. Time is linear in it, times MAIL_PARAMETERS at most.
 */
#include "mime_parameter.h"

#include <string.h>
#include <strings.h>

#include "mime_private.h"
#include "quoted_printable.h"

static bool is_blank(uint8_t c)
{
	return c == ' ' || c == '\t' || c == '\r' || c == '\n';
}

const uint8_t *mime_blanks(const uint8_t *p, const uint8_t *end, bool *open)
{
	size_t comments = 0;

	for (; p < end; p++) {
		if (*p == '(')
			comments++;
		else if (comments > 0 && *p == ')')
			comments--;
		else if (comments > 0 && *p == '\\' && end - p > 1)
			p++;
		else if (comments == 0 && !is_blank(*p))
			break;
	}
	*open |= comments > 0;
	return p;
}

const uint8_t *mime_token(const uint8_t *p, const uint8_t *end)
{
	while (p < end && *p > ' ' && *p < 0x7f && !mime_is_of(*p, "()<>@,;:\\\"/[]?="))
		p++;
	return p;
}

/* "name", "name*", "name*3", "name*3*". */
static void name_read(struct parameter *a, const uint8_t *p, const uint8_t *end)
{
	a->name = p;
	a->index = -1;
	if (end - p > 1 && end[-1] == '*') {
		a->extended = true;
		end--;
	}
	const uint8_t *star = memchr(p, '*', (size_t)(end - p));
	if (star != NULL && star > p && end - star > 1) {
		long index = 0;
		const uint8_t *d = star + 1;
		for (; d < end && *d >= '0' && *d <= '9'; d++)
			index = index < 1000 ? index * 10 + (*d - '0') : index;
		if (d == end && (star[1] != '0' || end - star == 2)) {
			a->index = (int16_t)(index < 1000 ? index : 1000);
			end = star;
		}
	}
	a->nname = (uint16_t)(end - p);
}

static const uint8_t *quoted(struct parameters *list, struct parameter *a, const uint8_t *p, const uint8_t *end)
{
	a->quoted = true;
	a->value = ++p;
	while (p < end && *p != '"')
		p += *p == '\\' && end - p > 1 ? 2 : 1;
	a->nvalue = (uint32_t)(p - a->value);
	if (p == end) {
		list->open = true;
		a->broken = true;
		return end;
	}
	p = mime_blanks(p + 1, end, &list->open);
	if (p < end && *p != ';')
		a->broken = true;
	return p;
}

static const uint8_t *bare(struct parameters *list, struct parameter *a, const uint8_t *p, const uint8_t *end)
{
	const uint8_t *semicolon = memchr(p, ';', (size_t)(end - p));
	const uint8_t *stop = semicolon != NULL ? semicolon : end, *last = mime_token(p, stop);

	a->value = p;
	/* A token that a comment may follow; else all there is. "=", "/", ":" and "?" do no harm. */
	while (last < stop && mime_is_of(*last, "=/:?"))
		last = mime_token(last + 1, stop);
	const uint8_t *after = mime_blanks(last, stop, &list->open);
	if (after < stop || last == p) {
		a->broken = true;
		last = stop;
		while (last > p && is_blank(last[-1]))
			last--;
	}
	a->nvalue = (uint32_t)(last - p);
	return stop;
}

/* One parameter from p, the first byte of its name; returns the ";" after it, or the end. */
static const uint8_t *parameter_read(struct parameters *list, const uint8_t *p, const uint8_t *end)
{
	const uint8_t *stop = mime_token(p, end), *equals = mime_blanks(stop, end, &list->open);
	struct parameter *a = &list->list[list->n];

	if (stop == p || equals == end || *equals != '=') {
		const uint8_t *semicolon = memchr(p, ';', (size_t)(end - p));
		list->broken = true;
		return semicolon != NULL ? semicolon : end;
	}
	*a = (struct parameter){0};
	name_read(a, p, stop);
	list->n++;
	p = mime_blanks(equals + 1, end, &list->open);
	if (p < end && *p == '"')
		p = quoted(list, a, p, end);
	else
		p = bare(list, a, p, end);
	list->broken |= a->broken;
	if (p < end && *p != ';') {
		const uint8_t *semicolon = memchr(p, ';', (size_t)(end - p));
		p = semicolon != NULL ? semicolon : end;
	}
	return p;
}

void parameters_read(struct parameters *list, const uint8_t *p, const uint8_t *end)
{
	list->n = 0;
	list->open = list->broken = list->many = false;
	while ((p = mime_blanks(p, end, &list->open)) < end) {
		if (*p == ';') {
			p++;
			continue;
		}
		if (list->n == MAIL_PARAMETERS) {
			list->many = true;
			return;
		}
		p = parameter_read(list, p, end);
	}
}

static bool is_named(const struct parameter *a, const char *name)
{
	return a->nname == strlen(name) && strncasecmp((const char *)a->name, name, a->nname) == 0;
}

const struct parameter *parameter_find(const struct parameters *list, const char *name, const struct parameter **ret_again)
{
	const struct parameter *found = NULL;

	*ret_again = NULL;
	for (unsigned i = 0; i < list->n; i++) {
		const struct parameter *a = &list->list[i];
		if (a->index >= 0 || a->extended || !is_named(a, name))
			continue;
		if (found != NULL)
			*ret_again = a;
		else
			found = a;
	}
	return found;
}

size_t parameter_value(const struct parameter *a, uint8_t *out, size_t size)
{
	size_t n = 0;

	for (uint32_t i = 0; i < a->nvalue && n < size; i++) {
		if (a->quoted && a->value[i] == '\\' && i + 1 < a->nvalue)
			i++;
		out[n++] = a->value[i];
	}
	return n;
}

/* -- RFC 2231 ----------------------------------------------------------------------------------------------------- */

/* charset'language'text: the charset; returns where the text begins. */
static size_t charset_read(const uint8_t *p, size_t n, struct parameter_pieces *ret)
{
	const uint8_t *one = memchr(p, '\'', n);
	const uint8_t *two = one != NULL ? memchr(one + 1, '\'', (size_t)(p + n - one - 1)) : NULL;

	if (two == NULL) {
		ret->flags |= MIME_FLAG(PARAMETER_BROKEN);
		return 0;
	}
	size_t length = (size_t)(one - p);
	if (length <= MAIL_LABEL) {
		memcpy(ret->charset, p, length);
		ret->charset[length] = '\0';
	}
	return (size_t)(two + 1 - p);
}

static void piece_decode(const uint8_t *p, size_t n, bool extended, struct parameter_pieces *ret)
{
	for (size_t i = 0; i < n; i++) {
		if (ret->n == sizeof(ret->bytes)) {
			ret->flags |= MIME_FLAG(CUT);
			return;
		}
		uint8_t c = p[i];
		if (extended && c == '%' && n - i > 2 && (qp_hex(p[i + 1]) | qp_hex(p[i + 2])) < 16) {
			c = (uint8_t)(qp_hex(p[i + 1]) << 4 | qp_hex(p[i + 2]));
			i += 2;
		} else if (extended && c == '%') {
			ret->flags |= MIME_FLAG(PARAMETER_BROKEN);
		}
		ret->bytes[ret->n++] = c;
	}
}

static void piece_add(const struct parameter *a, bool first, struct parameter_pieces *ret)
{
	uint8_t value[MAIL_NAME_BYTES * 3];
	size_t n = parameter_value(a, value, sizeof(value));
	size_t raw = sizeof(ret->raw) - ret->nraw < n ? sizeof(ret->raw) - ret->nraw : n;

	memcpy(ret->raw + ret->nraw, value, raw);
	ret->nraw += raw;
	if (raw < n || n == sizeof(value))
		ret->flags |= MIME_FLAG(CUT);
	size_t from = first && a->extended ? charset_read(value, n, ret) : 0;
	piece_decode(value + from, n - from, a->extended, ret);
}

/* The piece with that index (-1: name*=); a second one is flagged. */
static const struct parameter *piece_find(const struct parameters *list, const char *name, int index, mime_flags *flags)
{
	const struct parameter *found = NULL;

	for (unsigned i = 0; i < list->n; i++) {
		const struct parameter *a = &list->list[i];
		if (a->index != index || (index < 0 && !a->extended) || !is_named(a, name))
			continue;
		if (found == NULL)
			found = a;
		else
			*flags |= MIME_FLAG(PARAMETER_TWICE);
	}
	return found;
}

void parameter_join(const struct parameters *list, const char *name, struct parameter_pieces *ret)
{
	unsigned pieces = 0, used = 0;
	const struct parameter *a;

	ret->there = ret->many = false;
	ret->flags = 0;
	ret->charset[0] = '\0';
	ret->nraw = ret->n = 0;
	for (unsigned i = 0; i < list->n; i++)
		if (list->list[i].index >= 0 && is_named(&list->list[i], name))
			pieces++;
	ret->many = pieces > MAIL_SEGMENTS;
	if (ret->many)
		return;
	a = piece_find(list, name, -1, &ret->flags);
	if (a != NULL) {
		piece_add(a, true, ret);
		if (pieces > 0)
			ret->flags |= MIME_FLAG(PARAMETER_TWICE);
	} else {
		while (used < pieces && (a = piece_find(list, name, (int)used, &ret->flags)) != NULL)
			piece_add(a, used++ == 0, ret);
		if (used < pieces && (ret->flags & MIME_FLAG(PARAMETER_TWICE)) == 0)
			ret->flags |= MIME_FLAG(PARAMETER_GAP);
	}
	ret->there = a != NULL || pieces > 0;
}
