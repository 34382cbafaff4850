/*
 * candidate_form.c: help for one place of the schema.
 */
#include "candidate_form.h"

#include "kinds.h"
#include "schema.h"

#include <sekisho/buf.h>
#include <sekisho/i18n.h>

#include <ctype.h>
#include <libyang/libyang.h>
#include <string.h>

static const struct {
	const struct kind *kind;
	const char *word;
} forms[] = {
	{&kind_single, "<ADDRESS>"},
	{&kind_local, "<ADDRESS/LENGTH>"},
	{&kind_hostaddr, "<ADDRESS>"},
	{&kind_network, "<NETWORK>"},
	{&kind_route, "<NETWORK>"},
	{&kind_mac, "<MAC>"},
	{&kind_date, "<DATE>"},
	{&kind_dates, "<DATE>"},
	{&kind_days, "<DAYS>"},
	{&kind_hours, "<HH:MM-HH:MM>"},
	{&kind_window, "<FROM/TO>"},
	{&kind_time, "<HH:MM>"},
	{&kind_size, "<SIZE>"},
	{&kind_port, "<PROTOCOL/PORT>"},
	{&kind_ports, "<PROTOCOL/PORT>"},
	{&kind_use, "<PROTOCOL/PORT>"},
	{&kind_interface, "<INTERFACE>"},
	{&kind_interfaces, "<INTERFACE>"},
	{&kind_mails, "<MAIL-ADDRESS>"},
	{&kind_domains, "<DOMAIN>"},
	{&kind_text, "<TEXT>"},
};

static const struct lysc_range *range_of(const struct place *place)
{
	const struct lysc_type *type = place->type;

	if (type->basetype != LY_TYPE_UINT8 && type->basetype != LY_TYPE_UINT16 && type->basetype != LY_TYPE_UINT32)
		return NULL;
	return ((const struct lysc_type_num *)type)->range;
}

void form_word(const struct place *place, struct buf *out)
{
	const struct lysc_range *range = range_of(place);

	if (range != NULL) {
		buf_printf(out, "<%llu..%llu>", (unsigned long long)range->parts[0].min_u64,
			(unsigned long long)range->parts[0].max_u64);
		return;
	}
	for (size_t i = 0; i < sizeof(forms) / sizeof(forms[0]); i++) {
		if (forms[i].kind == place->field->kind) {
			buf_adds(out, forms[i].word);
			return;
		}
	}
	buf_addc(out, '<');
	for (const char *s = place->word; *s != '\0'; s++)
		buf_addc(out, (char)toupper((unsigned char)*s));
	buf_addc(out, '>');
}

void form_line(const char *text, struct buf *out)
{
	bool blank = false;

	for (const char *s = text; *s != '\0'; s++) {
		bool space = *s == ' ' || *s == '\n' || *s == '\t';
		if (!space || !blank)
			buf_addc(out, space ? ' ' : *s);
		blank = space;
	}
}

static bool is_japanese(void)
{
	return strcmp(i18n_language(), "ja") == 0;
}

void form_meaning(const struct place *place, struct buf *out)
{
	const char *text = is_japanese() && place->ja != NULL ? place->ja : place->text;

	form_line(text == NULL ? "" : text, out);
}

void form_label(const struct place *place, struct buf *out)
{
	static const char *const ends[] = {"。", "（", "、", ". ", ": ", "; ", ", ", " ("};
	struct buf line = {0};

	form_meaning(place, &line);
	const char *text = buf_str(&line);
	size_t n = strlen(text);
	for (size_t i = 0; i < sizeof(ends) / sizeof(ends[0]); i++) {
		const char *end = strstr(text, ends[i]);
		if (end != NULL && (size_t)(end - text) < n)
			n = (size_t)(end - text);
	}
	while (n > 0 && text[n - 1] == '.')
		n--;
	buf_add(out, text, n);
	buf_free(&line);
}

void form_help(const struct place *place, struct buf *out)
{
	const char *units = is_japanese() ? place->ja_units : place->units;

	form_meaning(place, out);
	if (units != NULL)
		buf_printf(out, " [%s]", units);
	if (place->example != NULL) {
		buf_adds(out, " (");
		buf_printf(out, _("for example: %s"), place->example);
		buf_addc(out, ')');
	}
}
