/*
 * render.c: the table, the card, and JSON lines.
 */
#include "render.h"

#include "text.h"
#include "words.h"

#include <sekisho/buf.h>
#include <sekisho/i18n.h>
#include <sekisho/json.h>

#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#define LABEL_COLUMNS 16

void render_row(struct render *r, const struct value *values)
{
	if (r->nrows == 0 && r->ops->heading != NULL)
		r->ops->heading(r);
	if (r->reversed)
		buf_add(&r->starts, &r->out->len, sizeof(r->out->len));
	r->ops->row(r, values);
	r->nrows++;
}

void render_end(struct render *r)
{
	struct buf turned = {0};
	size_t n = r->starts.len / sizeof(size_t), end = r->out->len, start = end;

	for (size_t i = n; i-- > 0; end = start) {
		memcpy(&start, r->starts.data + i * sizeof(start), sizeof(start));
		buf_add(&turned, r->out->data + start, end - start);
	}
	if (n > 0) {
		r->out->len = start;
		buf_add(r->out, turned.data, turned.len);
	}
	buf_free(&turned);
	buf_free(&r->starts);
}

const char *value_shown(const struct value *v, char digits[24])
{
	if (v->shown != NULL)
		return v->shown;
	switch (v->kind) {
	case VALUE_TEXT:
		return v->text;
	case VALUE_NUMBER:
		snprintf(digits, 24, "%" PRIu64, v->number);
		return digits;
	case VALUE_BOOL:
		return v->number ? _("yes") : _("no");
	case VALUE_NULL:
	case VALUE_DIFFERS:
		break;
	}
	return "";
}

/* One cell, which begins at column *at: in its own columns, or wrapped at the end of the line. */
static void cell(struct render *r, const struct field *f, const char *text, size_t *at)
{
	if (f->columns == 0) {
		text_wrap(r->out, text, *at, *at);
		return;
	}
	*at += f->columns + 2;
	size_t width = text_width(text);
	if (f->right && width < f->columns)
		text_spaces(r->out, f->columns - width);
	if (f->right)
		text_safe(r->out, text);
	else
		text_fit(r->out, text, f->columns);
	buf_adds(r->out, "  ");
}

/* Blanks at the end of a line help nobody. */
static void end_line(struct buf *out)
{
	while (out->len > 0 && out->data[out->len - 1] == ' ')
		out->len--;
	buf_addc(out, '\n');
}

static void table_heading(struct render *r)
{
	size_t at = 0;

	for (size_t i = 0; i < r->nfields; i++)
		if (r->fields[i].label != NULL)
			cell(r, &r->fields[i], _(r->fields[i].label), &at);
	end_line(r->out);
}

static void table_row(struct render *r, const struct value *values)
{
	char digits[24];
	size_t at = 0;

	for (size_t i = 0; i < r->nfields; i++)
		if (r->fields[i].label != NULL)
			cell(r, &r->fields[i], value_shown(&values[i], digits), &at);
	end_line(r->out);
}

const struct render_ops render_table = {.heading = table_heading, .row = table_row};

static void card_row(struct render *r, const struct value *values)
{
	char digits[24];

	for (size_t i = 0; i < r->nfields; i++) {
		const char *shown = value_shown(&values[i], digits);
		if (r->fields[i].label == NULL || shown[0] == '\0')
			continue;
		text_pad(r->out, _(r->fields[i].label), LABEL_COLUMNS - 1);
		buf_addc(r->out, ' ');
		text_wrap(r->out, shown, LABEL_COLUMNS, LABEL_COLUMNS);
		end_line(r->out);
	}
}

const struct render_ops render_card = {.row = card_row};

static void json_value(struct json *j, const char *key, const struct value *v)
{
	switch (v->kind) {
	case VALUE_NULL:
		json_null(j, key);
		break;
	case VALUE_TEXT:
		json_str(j, key, v->text);
		break;
	case VALUE_NUMBER:
		json_uint(j, key, v->number);
		break;
	case VALUE_BOOL:
		json_bool(j, key, v->number != 0);
		break;
	case VALUE_DIFFERS:
		words_differs_json(j, key, (uint32_t)v->number);
		break;
	}
}

static void json_row(struct render *r, const struct value *values)
{
	struct json j = json_init(r->out);

	json_object(&j, NULL);
	for (size_t i = 0; i < r->nfields; i++)
		if (r->fields[i].key != NULL)
			json_value(&j, r->fields[i].key, &values[i]);
	json_object_end(&j);
	buf_addc(r->out, '\n');
}

const struct render_ops render_json = {.row = json_row};
