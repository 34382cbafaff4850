/*
 * mime_header.c (fuzz): whatever a field holds, text is one line without controls, addresses, ids and dates are of the
 * characters that they may have, and what is written of a date is read again. The first byte says what is read.
 */
#include <sekisho/mime_header.h>

#include <stdint.h>
#include <stdlib.h>
#include <string.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void check_text(const char *s)
{
	for (; *s != '\0'; s++)
		if ((uint8_t)*s < ' ' || *s == 0x7f || (*s == '\xc2' && (uint8_t)s[1] < 0xa0))
			abort();
}

static void take_address(void *arg, const struct mime_address *a)
{
	char spec[MIME_ADDRESS_SPEC];

	(void)arg;
	check_text(a->display);
	if (strlen(a->display) > MAIL_DISPLAY || strlen(a->local) > MAIL_LOCAL_PART || strlen(a->domain) > MAIL_DOMAIN)
		abort();
	if (mime_address_spec(a, spec) != strlen(spec) || (a->local[0] == '\0') != (spec[0] == '\0'))
		abort();
	if ((a->local[0] == '\0') != (a->domain[0] == '\0') || (a->group && a->local[0] != '\0'))
		abort();
	for (const char *s = spec; *s != '\0'; s++)
		if (*s < ' ' || *s > '~')
			abort();
	if (a->domain[0] != '\0' && strpbrk(a->domain, a->literal ? " @<>\"" : " @<>\"[]:") != NULL)
		abort();
}

/* An address that is written is read again as the same. */
static void take_again(void *arg, const struct mime_address *a)
{
	if (strcmp(a->local, ((const struct mime_address *)arg)->local) != 0 ||
		strcmp(a->domain, ((const struct mime_address *)arg)->domain) != 0)
		abort();
}

static void take_and_read(void *arg, const struct mime_address *a)
{
	char spec[MIME_ADDRESS_SPEC];
	struct mime_address copy = *a;

	take_address(arg, a);
	if (a->local[0] != '\0')
		mime_addresses(spec, mime_address_spec(a, spec), take_again, &copy);
}

static void take_id(void *arg, const char *id, size_t n)
{
	(void)arg;
	if (n < 5 || n > MAIL_ID + 2 || id[0] != '<' || id[n - 1] != '>' || memchr(id, '@', n) == NULL)
		abort();
	for (size_t i = 1; i + 1 < n; i++)
		if (id[i] <= ' ' || id[i] > '~' || id[i] == '<' || id[i] == '>')
			abort();
}

static void check_date(const uint8_t *p, size_t n)
{
	struct mime_date date, again;
	mime_flags flags = 0;
	char text[MIME_DATE_TEXT], text_again[MIME_DATE_TEXT];

	if (!mime_date(p, n, &date, &flags))
		return;
	mime_date_text(&date, text);
	flags = 0;
	if (!mime_date(text, strlen(text), &again, &flags) || flags != 0)
		abort();
	mime_date_text(&again, text_again);
	if (strcmp(text, text_again) != 0)
		abort();
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	char text[2048];

	if (size == 0)
		return 0;
	switch (data[0] % 4) {
	case 0:
		mime_words_into(text, 1 + size % sizeof(text), data + 1, size - 1);
		check_text(text);
		break;
	case 1:
		mime_addresses(data + 1, size - 1, take_and_read, NULL);
		break;
	case 2:
		mime_ids(data + 1, size - 1, take_id, NULL);
		break;
	default:
		check_date(data + 1, size - 1);
	}
	return 0;
}
