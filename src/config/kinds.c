/*
 * kinds.c: from the text of a leaf to a member of struct model: one kind a value type.
 *
 * store() gets only texts that the schema's type and the kind's check() took, so it does not fail.
 */
#include "kinds.h"

#include "forms.h"

#include <sekisho/arena.h>
#include <sekisho/i18n.h>

#include <netinet/in.h>
#include <stdlib.h>
#include <string.h>

static struct word word_of(const struct filling *f)
{
	return (struct word){f->text, f->line};
}

static void push_word(const struct filling *f, struct words *list)
{
	*(struct word *)arena_push(f->arena, (void **)&list->v, &list->n, &list->cap, sizeof(*list->v)) =
		word_of(f);
}

static void push_prefix(const struct filling *f, struct prefixes *list, enum prefix_use use)
{
	struct prefix p;

	if (form_prefix(f->text, use, &p) != NULL)
		return;
	p.line = f->line;
	*(struct prefix *)arena_push(f->arena, (void **)&list->v, &list->n, &list->cap, sizeof(p)) = p;
}

static void store_word(const struct filling *f)
{
	*FIELD_AT(f, struct word) = word_of(f);
}

static void store_words(const struct filling *f)
{
	push_word(f, FIELD_AT(f, struct words));
}

static void store_text(const struct filling *f)
{
	*FIELD_AT(f, const char *) = f->text;
	field_mark_line(f);
}

static void store_bool(const struct filling *f)
{
	*FIELD_AT(f, bool) = strcmp(f->text, "true") == 0;
	field_mark_line(f);
}

static void store_is(const struct filling *f)
{
	*FIELD_AT(f, bool) = strcmp(f->text, f->field->word) == 0;
	field_mark_line(f);
}

static void store_u8(const struct filling *f)
{
	*FIELD_AT(f, uint8_t) = (uint8_t)strtoul(f->text, NULL, 10);
}

static void store_u16(const struct filling *f)
{
	*FIELD_AT(f, uint16_t) = (uint16_t)strtoul(f->text, NULL, 10);
}

static void store_u32(const struct filling *f)
{
	*FIELD_AT(f, uint32_t) = (uint32_t)strtoul(f->text, NULL, 10);
	field_mark_line(f);
}

static const char *check_size(const char *text)
{
	uint64_t n;

	return form_size(text, &n);
}

static void store_size(const struct filling *f)
{
	form_size(f->text, FIELD_AT(f, uint64_t));
}

static const char *check_time(const char *text)
{
	uint16_t t;

	return form_time(text, &t);
}

/* What the kernel takes: "." and ".." are directories of sysfs, and a comma or colon never passes the
 * pattern. */
static const char *check_interface(const char *text)
{
	return strcmp(text, "lo") == 0 || strcmp(text, "all") == 0 || strcmp(text, "default") == 0
		       ? N_("this name has a meaning of its own in the kernel")
		       : NULL;
}

static const char *check_single(const char *text)
{
	struct prefix p;

	return form_prefix(text, PREFIX_SINGLE, &p);
}

static void store_single(const struct filling *f)
{
	push_prefix(f, FIELD_AT(f, struct prefixes), PREFIX_SINGLE);
}

static const char *check_local(const char *text)
{
	struct prefix p;

	return form_prefix(text, PREFIX_LOCAL, &p);
}

static void store_local(const struct filling *f)
{
	push_prefix(f, FIELD_AT(f, struct prefixes), PREFIX_LOCAL);
}

static const char *check_hostaddr(const char *text)
{
	struct prefix p;

	return form_prefix(text, PREFIX_HOST, &p);
}

static void store_hostaddr(const struct filling *f)
{
	push_prefix(f, FIELD_AT(f, struct prefixes), PREFIX_HOST);
}

static const char *check_network(const char *text)
{
	struct prefix p;

	return strcmp(text, "other") == 0 ? NULL : form_prefix(text, PREFIX_NETWORK, &p);
}

static void store_network(const struct filling *f)
{
	struct model_segment *s = f->base;

	if (strcmp(f->text, "other") == 0)
		s->network_other = f->line;
	else
		push_prefix(f, &s->networks, PREFIX_NETWORK);
}

static const char *check_route(const char *text)
{
	struct prefix p;

	return form_prefix(text, PREFIX_NETWORK, &p);
}

static void store_route(const struct filling *f)
{
	form_prefix(f->text, PREFIX_NETWORK, FIELD_AT(f, struct prefix));
	FIELD_AT(f, struct prefix)->line = f->line;
}

static const char *check_mac(const char *text)
{
	struct mac m;

	return form_mac(text, &m);
}

static void store_mac(const struct filling *f)
{
	form_mac(f->text, &FIELD_AT(f, struct mac_at)->mac);
	FIELD_AT(f, struct mac_at)->line = f->line;
}

const struct kind kind_word = {
	N_("not a name: letters, digits, '.', '_' and '-', at most 63 of them"), NULL, store_word};
const struct kind kind_words = {
	N_("not a name: letters, digits, '.', '_' and '-', at most 63 of them"), NULL, store_words};
const struct kind kind_text = {N_("this text is not possible here"), NULL, store_text};
const struct kind kind_hostname = {N_("not the name of a machine"), NULL, store_text};
const struct kind kind_zone = {N_("not the name of a time zone"), NULL, store_text};
const struct kind kind_domains = {N_("not a domain name"), NULL, store_words};
const struct kind kind_choices = {N_("not one of the possible values"), NULL, store_words};
const struct kind kind_alpns = {N_("not the word of a protocol inside TLS (ALPN)"), NULL, store_words};
const struct kind kind_mails = {N_("not a mail address"), NULL, store_words};
const struct kind kind_bool = {N_("neither true nor false"), NULL, store_bool};
const struct kind kind_u8 = {N_("not a whole number"), NULL, store_u8};
const struct kind kind_u16 = {N_("not a whole number"), NULL, store_u16};
const struct kind kind_u32 = {N_("not a whole number"), NULL, store_u32};
const struct kind kind_size = {N_("not a size"), check_size, store_size};
const struct kind kind_is = {N_("not one of the possible values"), NULL, store_is};
const struct kind kind_time = {N_("not a time of the day"), check_time, store_text};
const struct kind kind_interface = {N_("not the name of an interface"), check_interface, store_word};
const struct kind kind_interfaces = {N_("not the name of an interface"), check_interface, store_words};
const struct kind kind_single = {N_("not an IPv4 or IPv6 address"), check_single, store_single};
const struct kind kind_local = {N_("not an IPv4 or IPv6 address"), check_local, store_local};
const struct kind kind_hostaddr = {N_("not an IPv4 or IPv6 address"), check_hostaddr, store_hostaddr};
const struct kind kind_network = {N_("not an IPv4 or IPv6 network"), check_network, store_network};
const struct kind kind_route = {N_("not an IPv4 or IPv6 network"), check_route, store_route};
const struct kind kind_mac = {N_("not a MAC address"), check_mac, store_mac};
