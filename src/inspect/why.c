/*
 * why.c: the table of whys as words and sentences.
 */
#include <sekisho/inspect.h>

static const struct {
	const char *word, *text;
} whys[WHY_END] = {
	[WHY_NONE] = {"none", ""},
#define X(code, NAME, word, text) [code] = {word, text},
	INSPECT_WHYS(X)
#undef X
};

const char *inspect_why_word(unsigned code)
{
	return code < WHY_END && whys[code].word != NULL ? whys[code].word : "unknown-why";
}

const char *inspect_why_text(unsigned code)
{
	return code < WHY_END && whys[code].text != NULL ? whys[code].text : "";
}
