/*
 * value.c: judges one value, by libyang's types first and by the forms of forms.c next, and says what would
 * be right.
 *
 * Input: a word of the policy, clean text of at most LIMIT_LINE bytes. Numbers are taken in decimal only:
 * YANG also reads 0x14 and 024 (octal), which people do not mean.
 */
#include "value.h"

#include "fields.h"
#include "forms.h"
#include "lines.h"
#include "schema.h"

#include <sekisho/buf.h>
#include <sekisho/diag.h>
#include <sekisho/i18n.h>
#include <sekisho/strmap.h>

#include <libyang/libyang.h>
#include <string.h>

const char *value_show(const char *text)
{
	enum { MAX = 60 };
	static char bufs[4][MAX + 8];
	static unsigned turn;
	size_t n = strlen(text);
	char *b = bufs[turn++ % 4];

	if (n <= MAX) {
		memcpy(b, text, n + 1);
		return b;
	}
	n = MAX;
	while (n > 0 && ((unsigned char)text[n] & 0xc0) == 0x80)
		n--;
	memcpy(b, text, n);
	memcpy(b + n, "…", sizeof("…"));
	return b;
}

static bool is_number(const struct lysc_type *type)
{
	return type->basetype == LY_TYPE_UINT8 || type->basetype == LY_TYPE_UINT16 ||
	       type->basetype == LY_TYPE_UINT32;
}

static bool is_decimal(const char *text)
{
	size_t n = strspn(text, "0123456789");

	return n > 0 && text[n] == '\0' && (text[0] != '0' || n == 1);
}

/* Letters and digits as wide as kanji, which a Japanese keyboard gives: U+FF01..U+FF5E. */
static bool has_wide(const char *text)
{
	const uint8_t *p = (const uint8_t *)text, *end = p + strlen(text);

	while (p < end) {
		uint32_t c;
		size_t n = utf8_decode(p, end, &c);
		if (n == 0)
			return false;
		if (c >= 0xff01 && c <= 0xff5e)
			return true;
		p += n;
	}
	return false;
}

static size_t characters(const char *text)
{
	size_t n = 0;

	for (; *text != '\0'; text++)
		n += ((unsigned char)*text & 0xc0) != 0x80;
	return n;
}

static const struct lysc_range *length_of(const struct lysc_type *type)
{
	if (type->basetype == LY_TYPE_LEAFREF)
		type = ((const struct lysc_type_leafref *)type)->realtype;
	return type->basetype == LY_TYPE_STRING ? ((const struct lysc_type_str *)type)->length : NULL;
}

/* Why libyang refused it, in our words. */
static const char *refusal(const struct place *place, const char *text)
{
	const struct lysc_range *length = length_of(place->type);
	const struct kind *kind = place->field->kind;

	if (text[0] == '\0')
		return N_("the value is empty");
	if (place->type->basetype == LY_TYPE_ENUM) {
		const char *why = kind->check == NULL ? NULL : kind->check(text);
		return why != NULL ? why : N_("not one of the possible values");
	}
	if (is_number(place->type) && is_decimal(text))
		return N_("out of range");
	if (length != NULL && characters(text) > length->parts[0].max_u64)
		return N_("too long");
	if (has_wide(text))
		return N_("full-width letters or digits; type them half-width");
	/* The form often knows better than "does not match the pattern". */
	const char *why = kind->check == NULL ? NULL : kind->check(text);
	return why != NULL ? why : kind->refusal;
}

const char *value_check(const struct place *place, const char *text, size_t n)
{
	const struct kind *kind = place->field->kind;

	if (is_number(place->type) && !is_decimal(text))
		return refusal(place, text);
	/* Without a context node LY_EINCOMPLETE would mean a leafref to resolve: that is policy/'s. */
	LY_ERR e = lyd_value_validate(schema_ctx(), place->node, text, n, NULL, NULL, NULL);
	if (e != LY_SUCCESS && e != LY_EINCOMPLETE)
		return refusal(place, text);
	return kind->check == NULL ? NULL : kind->check(text);
}

/* "possible: a, b, c", with the nearest first when there is one and nothing better is known. */
static void hint_enum(const struct lysc_type_enum *type, const char *text, bool near, struct buf *out)
{
	struct strmap *names = strmap_new();
	LY_ARRAY_COUNT_TYPE i;

	LY_ARRAY_FOR(type->enums, i)
	{
		strmap_add(names, type->enums[i].name, 0);
	}
	const char *nearest = near ? strmap_nearest(names, text) : NULL;
	if (nearest != NULL)
		buf_printf(out, _("did you mean \"%s\"? "), nearest);
	buf_adds(out, _("possible values: "));
	LY_ARRAY_FOR(type->enums, i)
	{
		buf_printf(out, "%s%s", i == 0 ? "" : ", ", type->enums[i].name);
	}
	strmap_free(names);
}

static void hint_range(const struct place *place, struct buf *out)
{
	const struct lysc_range *range = ((const struct lysc_type_num *)place->type)->range;

	/* Every number of our schema has one range (checked by the unit test). */
	buf_printf(out, _("a whole number from %llu to %llu is expected"),
		(unsigned long long)range->parts[0].min_u64, (unsigned long long)range->parts[0].max_u64);
	if (place->units != NULL)
		buf_printf(out, " (%s)", strcmp(i18n_language(), "ja") == 0 ? place->ja_units : place->units);
}

void value_refuse(
	const struct place *place, const char *text, const char *why, unsigned line, struct diag_list *diags)
{
	const struct lysc_range *length = length_of(place->type);
	struct buf hint = {0};

	if (place->type->basetype == LY_TYPE_ENUM)
		hint_enum((const struct lysc_type_enum *)place->type, text,
			strcmp(why, place->field->kind->refusal) == 0, &hint);
	else if (is_number(place->type))
		hint_range(place, &hint);
	else if (place->type->basetype == LY_TYPE_BOOL)
		buf_adds(&hint, _("possible values: true, false"));
	else if (length != NULL && characters(text) > length->parts[0].max_u64)
		buf_printf(&hint, _("at most %llu characters"), (unsigned long long)length->parts[0].max_u64);
	else if (!form_better(text, why, &hint) && place->example != NULL)
		buf_printf(&hint, _("for example: %s"), place->example);
	diag_error(diags, line, "bad-value", hint.len > 0 ? buf_str(&hint) : NULL, "%s \"%s\": %s",
		place->word, value_show(text), _(why));
	buf_free(&hint);
}
