/*
 * i18n.c: finds translations in the catalogue that is compiled in.
 *
 * Why not libc's gettext(): it ignores LANGUAGE under the C locale, and newer C libraries do so under C.UTF-8 as
 * well; the image has no other locale, and a jailed process could not open a catalogue.
 * Input: our own catalogue as msgfmt wrote it; bounds are checked all the same. Lookup is a binary search: .mo
 * files keep their strings sorted (GNU gettext manual, "The Format of GNU MO Files").
 */
#include <sekisho/i18n.h>
#include <sekisho/reader.h>

#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#define MO_MAGIC 0x950412deu

/* Generated from src/console/po/ja.po. */
extern const unsigned char i18n_ja[];
extern const size_t i18n_ja_size;

static bool japanese;

/* Does a value such as "ja_JP.UTF-8" or "ja:en" begin with this language? */
static bool names_language(const char *value, const char *language)
{
	size_t n = strlen(language);

	return strncmp(value, language, n) == 0 && (value[n] == '\0' || strchr("_.:@-", value[n]) != NULL);
}

static const char *from_environment(void)
{
	static const char *const names[] = {"LANGUAGE", "LC_ALL", "LC_MESSAGES", "LANG"};

	for (size_t i = 0; i < sizeof(names) / sizeof(names[0]); i++) {
		const char *v = getenv(names[i]);
		if (v != NULL && names_language(v, "ja"))
			return "ja";
		if (v != NULL && names_language(v, "en"))
			return "en";
	}
	return "en";
}

void i18n_init(const char *language)
{
	if (language == NULL || (strcmp(language, "ja") != 0 && strcmp(language, "en") != 0))
		language = from_environment();
	japanese = strcmp(language, "ja") == 0;
}

const char *i18n_language(void)
{
	return japanese ? "ja" : "en";
}

/* The string that entry i of the table at `table` describes, or NULL when it is not inside. */
static const char *mo_string(const uint8_t *p, size_t n, size_t table, uint32_t i)
{
	struct reader r = reader_init(p, n);

	reader_skip(&r, table + (size_t)i * 8);
	size_t len = reader_u32(&r), off = reader_u32(&r);
	if (r.bad || off >= n || len >= n - off || p[off + len] != '\0')
		return NULL;
	return (const char *)p + off;
}

const char *i18n_lookup(const void *catalogue, size_t n, const char *msgid)
{
	struct reader r = reader_init(catalogue, n);
	bool known = reader_u32(&r) == MO_MAGIC;

	reader_skip(&r, 4);
	uint32_t count = reader_u32(&r), ids = reader_u32(&r), texts = reader_u32(&r);
	if (r.bad || !known || count > n / 16)
		return NULL;
	for (uint32_t lo = 0, hi = count; lo < hi;) {
		uint32_t mid = lo + (hi - lo) / 2;
		const char *id = mo_string(catalogue, n, ids, mid);
		if (id == NULL)
			return NULL;
		int order = strcmp(msgid, id);
		if (order == 0)
			return mo_string(catalogue, n, texts, mid);
		if (order < 0)
			hi = mid;
		else
			lo = mid + 1;
	}
	return NULL;
}

const char *i18n_text(const char *msgid)
{
	/* The empty msgid is the catalogue's header, never a message. */
	const char *text = japanese && msgid[0] != '\0' ? i18n_lookup(i18n_ja, i18n_ja_size, msgid) : NULL;

	return text == NULL || text[0] == '\0' ? msgid : text;
}
