/*
 * reason.c: the table of refusal reasons (see reason.h).
 */
#include <sekisho/reason.h>

#include <stddef.h>
#include <string.h>

static const struct {
	const char *word, *text;
} reasons[REASON_END] = {
#define X(code, name, word, text) [code] = {word, text},
	REASONS(X)
#undef X
};

const char *reason_word(unsigned code)
{
	return code < REASON_END && reasons[code].word != NULL ? reasons[code].word : "unknown";
}

const char *reason_text(unsigned code)
{
	return code < REASON_END && reasons[code].text != NULL ? reasons[code].text : N_("unknown reason");
}

enum reason reason_find(const char *word)
{
	for (unsigned i = 1; i < REASON_END; i++)
		if (reasons[i].word != NULL && strcmp(reasons[i].word, word) == 0)
			return (enum reason)i;
	return REASON_NONE;
}
