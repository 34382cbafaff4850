/* test_value.c: for each kind of type: what is refused, with which sentence, and what is offered instead. */
#include "schema.h"
#include "value.h"

#include <sekisho/arena.h>
#include <sekisho/diag.h>
#include <sekisho/i18n.h>

#include "test.h"

static const struct place *root;
static struct arena *arena;

/* The place that words from the top lead to; a last "=" takes the list's key. */
static const struct place *place(const char *path)
{
	const struct place *p = root;
	char copy[128], *rest;

	snprintf(copy, sizeof(copy), "%s", path);
	for (char *w = strtok_r(copy, " ", &rest); w != NULL && p != NULL; w = strtok_r(NULL, " ", &rest))
		p = strcmp(w, "=") == 0 ? p->key : place_child(p, w, strlen(w));
	CHECK(p != NULL);
	return p;
}

static bool takes(const char *path, const char *text)
{
	return value_check(place(path), text, strlen(text)) == NULL;
}

/* "what | hint" of a refusal; "taken" when there is none. */
static const char *refusal(const char *path, const char *text)
{
	static char out[512];
	const char *why = value_check(place(path), text, strlen(text));
	struct diag_list d;

	if (why == NULL)
		return "taken";
	diag_init(&d, arena);
	value_refuse(place(path), text, why, 7, &d);
	CHECK(d.n == 1 && d.items[0].line == 7 && strcmp(d.items[0].code, "bad-value") == 0);
	snprintf(
		out, sizeof(out), "%s | %s", d.items[0].what, d.items[0].hint == NULL ? "" : d.items[0].hint);
	return out;
}

static void test_numbers(void)
{
	CHECK(takes("interface vlan", "1") && takes("interface vlan", "4094"));
	CHECK_STR(refusal("interface vlan", "0"),
		"vlan \"0\": out of range | a whole number from 1 to 4094 is expected");
	CHECK_STR(refusal("interface vlan", "4095"),
		"vlan \"4095\": out of range | a whole number from 1 to 4094 is expected");
	CHECK_STR(refusal("interface vlan", "99999999999999999999"),
		"vlan \"99999999999999999999\": out of range | a whole number from 1 to 4094 is expected");
	CHECK_STR(refusal("segment mss", "x"),
		"mss \"x\": not a whole number | a whole number from 536 to 9000 is expected (bytes)");
	/* Forms that YANG reads and people do not mean. */
	CHECK(!takes("interface vlan", "0x10") && !takes("interface vlan", "010") &&
		!takes("interface vlan", "+5"));
	CHECK(!takes("interface vlan", " 5") && !takes("interface vlan", "5 ") &&
		!takes("interface vlan", ""));
	CHECK(takes("system limit half-open", "0") && !takes("system limit half-open", "00"));
}

static void test_words(void)
{
	CHECK_STR(refusal("segment kind", "lgwna"),
		"kind \"lgwna\": not one of the possible values | did you mean "
		"\"lgwan\"? possible values: mynumber, lgwan, internet, other");
	CHECK_STR(refusal("segment kind", "zzzzzzzz"), "kind \"zzzzzzzz\": not one of the possible values | "
						       "possible values: mynumber, lgwan, internet, other");
	CHECK(!takes("segment kind", "LGWAN"));
	CHECK_STR(refusal("segment answer-ping", "yes"),
		"answer-ping \"yes\": neither true nor false | possible values: true, false");
}

static void test_texts(void)
{
	char text[2200] = "";

	for (int i = 0; i < 255; i++)
		strcat(text, "字");
	CHECK(takes("host label", text));
	strcat(text, "字");
	CHECK(strstr(refusal("host label", text), "too long | at most 255 characters") != NULL);
	CHECK_STR(refusal("host label", ""), "label \"\": the value is empty | for example: 住民記録AP");
	CHECK(takes("host =", "a.b-c_9") && !takes("host =", "-a") && !takes("host =", "a b") &&
		!takes("host =", "町"));
	CHECK(strstr(refusal("host =", "ｈｏｓｔ"), "full-width letters or digits") != NULL);
	CHECK(takes("system alarm mail-to", "a.b+c@example.jp") && !takes("system alarm mail-to", "a@b@c"));
	CHECK(takes("allow server-name", "*.example.jp") && !takes("allow server-name", "a.*.jp"));
	CHECK(takes("system timezone", "America/Argentina/Ushuaia") &&
		!takes("system timezone", "../../etc/passwd"));
	CHECK(takes("interface =", "eth0.20") && !takes("interface =", "a/b") && !takes("interface =", "lo"));
}

static void test_unions(void)
{
	CHECK(takes("segment network", "other") && takes("segment network", "::/0"));
	CHECK(strstr(refusal("segment network", "others"), "not an IPv4 or IPv6 address") != NULL);
	CHECK(takes("allow service", "wsus") && takes("allow service", "udp/1-2"));
	CHECK(strstr(refusal("allow service", "tcp/0"), "ports go from 1 to 65535") != NULL);
	CHECK(strstr(refusal("allow service", "a b"), "neither a protocol and port nor the name") != NULL);
	/* Names of other objects are of the right form; whether they exist is asked later. */
	CHECK(takes("host segment", "nowhere") && !takes("host segment", "no where"));
}

/* Long values are cut at a character in messages. */
static void test_show(void)
{
	char text[400] = "";

	CHECK_STR(value_show("short"), "short");
	for (int i = 0; i < 100; i++)
		strcat(text, "字");
	const char *shown = value_show(text);
	CHECK_INT(strlen(shown), 60 + strlen("…"));
	memmove(text + 1, text, strlen(text) + 1);
	text[0] = 'a';
	shown = value_show(text);
	CHECK_INT(strlen(shown), 58 + strlen("…"));
	CHECK(strcmp(shown + 58, "…") == 0);
}

static void test_japanese(void)
{
	i18n_init("ja");
	CHECK(strstr(refusal("segment mss", "1"), "（") == NULL &&
		strstr(refusal("segment mss", "1"), "バイト") != NULL);
	CHECK(strstr(refusal("segment kind", "lgwna"), "「lgwan」") != NULL);
	i18n_init("en");
}

int main(void)
{
	const char *why;

	root = schema_open(&why);
	arena = arena_new();
	if (root == NULL || arena == NULL)
		return 1;
	i18n_init("en");
	test_numbers();
	test_words();
	test_texts();
	test_unions();
	test_show();
	test_japanese();
	arena_free(arena);
	return test_end();
}
