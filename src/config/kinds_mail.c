/*
 * kinds_mail.c: the kinds that only the mail gate's words have.
 */
#include "kinds.h"

#include <sekisho/arena.h>
#include <sekisho/i18n.h>
#include <sekisho/model.h>
#include <sekisho/tls.h>

#include <ctype.h>
#include <string.h>

static void store_nothing(const struct filling *f)
{
	(void)f;
}

static void store_word(const struct filling *f)
{
	*FIELD_AT(f, struct word) = (struct word){f->text, f->line};
}

static void store_words(const struct filling *f)
{
	struct words *list = FIELD_AT(f, struct words);

	*(struct word *)arena_push(f->arena, (void **)&list->v, &list->n, &list->cap, sizeof(*list->v)) =
		(struct word){f->text, f->line};
}

static void store_text(const struct filling *f)
{
	*FIELD_AT(f, const char *) = f->text;
	field_mark_line(f);
}

/* Is the word n bytes long and spelt so? */
static bool spelt(const char *text, size_t n, const char *word)
{
	return strlen(word) == n && memcmp(text, word, n) == 0;
}

/* The bit of a kind of file; the schema's pattern knows the same words (checked by the unit test). */
static uint8_t text_bit(const char *text, size_t n)
{
#define X(NAME, bit, word)                                                                                      \
	if (spelt(text, n, word))                                                                               \
		return MAIL_TEXT_##NAME;
	MAIL_TEXTS(X)
#undef X
	return 0;
}

static void store_mail_texts(const struct filling *f)
{
	uint8_t bits = 0;

	for (const char *s = f->text; *s != '\0';) {
		size_t n = strcspn(s, ",");
		bits |= text_bit(s, n);
		s += n + (s[n] == ',');
	}
	*FIELD_AT(f, uint8_t) = bits;
}

static void store_mail_demand(const struct filling *f)
{
	*FIELD_AT(f, uint8_t) = strcmp(f->text, "refuse") == 0	       ? MAIL_DEMAND_REFUSE
				: strcmp(f->text, "hold") == 0	       ? MAIL_DEMAND_HOLD
				: strcmp(f->text, "require-cc") == 0 ? MAIL_DEMAND_CC
								       : 0;
}

static void store_mail_mynumber(const struct filling *f)
{
	*FIELD_AT(f, enum mail_mynumber) = strcmp(f->text, "warn") == 0	    ? MAIL_MYNUMBER_WARN
					   : strcmp(f->text, "record") == 0 ? MAIL_MYNUMBER_RECORD
									    : MAIL_MYNUMBER_REFUSE;
}

static void store_mail_tls(const struct filling *f)
{
	*FIELD_AT(f, uint8_t) = strcmp(f->text, "require") == 0 ? TLS_DEMAND
				: strcmp(f->text, "offer") == 0 ? TLS_OFFER
								: TLS_OFF;
	field_mark_line(f);
}

static void store_mail_tls_level(const struct filling *f)
{
	*FIELD_AT(f, uint8_t) = strcmp(f->text, "verify") == 0	  ? TLS_VERIFY
				: strcmp(f->text, "require") == 0 ? TLS_REQUIRE
								  : TLS_OPPORTUNISTIC;
}

/* People copy them with colons, in either case. */
static void store_fingerprint(const struct filling *f)
{
	char *digits = arena_alloc(f->arena, 2 * TLS_PIN_BYTES + 1), *end = digits;
	struct words *list = FIELD_AT(f, struct words);

	for (const char *s = f->text; *s != '\0' && end < digits + 2 * TLS_PIN_BYTES; s++)
		if (*s != ':')
			*end++ = (char)tolower((unsigned char)*s);
	*end = '\0';
	*(struct word *)arena_push(f->arena, (void **)&list->v, &list->n, &list->cap, sizeof(*list->v)) =
		(struct word){digits, f->line};
}

const struct kind kind_nothing = {N_("not one of the possible values"), NULL, store_nothing};
const struct kind kind_domain = {N_("not a domain name"), NULL, store_word};
const struct kind kind_mail = {N_("not a mail address"), NULL, store_word};
const struct kind kind_labels = {
	N_("not a label: 1 to 20 characters, no blank, quote or backslash"), NULL, store_words};
const struct kind kind_mail_texts = {
	N_("not a list of docx, xlsx, pptx, txt and csv, joined by commas"), NULL, store_mail_texts};
const struct kind kind_mail_types = {
	N_("not a list of types: small letters and digits, joined by commas without blanks"), NULL, store_text};
const struct kind kind_mail_type = {N_("not a type: small letters and digits, at most 16"), NULL, store_word};
const struct kind kind_mail_demand = {N_("not one of the possible values"), NULL, store_mail_demand};
const struct kind kind_mail_mynumber = {N_("not one of the possible values"), NULL, store_mail_mynumber};
const struct kind kind_mail_tls = {N_("not one of the possible values"), NULL, store_mail_tls};
const struct kind kind_mail_tls_level = {N_("not one of the possible values"), NULL, store_mail_tls_level};
const struct kind kind_fingerprints = {
	N_("not a fingerprint: SHA-256, 64 hexadecimal digits, with or without colons"), NULL, store_fingerprint};
