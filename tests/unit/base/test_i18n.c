/* test_i18n.c: the choice of language, and a catalogue that is cut or damaged. */
#include <sekisho/i18n.h>

#include <stdint.h>

#include "test.h"

/* The environment counts in gettext's order; other languages than ours are passed over. */
static void test_choice(void)
{
	static const char *const names[] = {"LANGUAGE", "LC_ALL", "LC_MESSAGES", "LANG"};

	for (size_t i = 0; i < 4; i++)
		unsetenv(names[i]);
	i18n_init(NULL);
	CHECK_STR(i18n_language(), "en");
	setenv("LANG", "ja_JP.UTF-8", 1);
	i18n_init(NULL);
	CHECK_STR(i18n_language(), "ja");
	setenv("LC_ALL", "C.UTF-8", 1);
	i18n_init(NULL);
	CHECK_STR(i18n_language(), "ja");
	setenv("LANGUAGE", "en:ja", 1);
	i18n_init(NULL);
	CHECK_STR(i18n_language(), "en");
	i18n_init("ja");
	CHECK_STR(i18n_language(), "ja");
	setenv("LANG", "java", 1);
	unsetenv("LANGUAGE");
	i18n_init("fr");
	CHECK_STR(i18n_language(), "en");
}

static void test_text(void)
{
	i18n_init("ja");
	CHECK_STR(_("error"), "エラー");
	CHECK_STR(_("no such message anywhere"), "no such message anywhere");
	CHECK_STR(i18n_text(""), "");
	i18n_init("en");
	CHECK_STR(_("error"), "error");
}

/* "a" -> "x", "b" -> "yy", laid out by hand after the gettext manual's figure. */
static void test_catalogue(void)
{
	uint32_t mo[32] = {0x950412de, 0, 2, 28, 44, 0, 0, /* ids */ 1, 60, 1, 62, /* texts */ 1, 64, 2, 66};
	char *text = (char *)mo + 60;

	memcpy(text, "a\0b\0x\0yy\0", 9);
	CHECK_STR(i18n_lookup(mo, 69, "a"), "x");
	CHECK_STR(i18n_lookup(mo, 69, "b"), "yy");
	CHECK(i18n_lookup(mo, 69, "c") == NULL);
	for (size_t n = 0; n < 69; n++)
		CHECK(i18n_lookup(mo, n, "b") == NULL);
	mo[8] = UINT32_MAX;
	CHECK(i18n_lookup(mo, 69, "a") == NULL);
	mo[3] = UINT32_MAX;
	CHECK(i18n_lookup(mo, 69, "b") == NULL);
	mo[0] = 1;
	CHECK(i18n_lookup(mo, 69, "b") == NULL);
}

int main(void)
{
	test_choice();
	test_text();
	test_catalogue();
	return test_end();
}
