/*
 * mime_flag.c: the table of what is wrong or doubtful in a mail's structure, as words, sentences and effects.
 */
#include <sekisho/mime_flag.h>

static const struct {
	const char *word, *text;
	enum mime_effect effect;
} flags[MIME_FLAG_END] = {
#define X(bit, name, effect, word, text) [bit] = {word, text, MIME_##effect},
	MIME_FLAGS(X)
#undef X
};

_Static_assert(MIME_FLAG_END < 64, "flags >> MIME_FLAG_END is what is none");

const char *mime_flag_word(unsigned bit)
{
	return bit < MIME_FLAG_END ? flags[bit].word : "unknown";
}

const char *mime_flag_text(unsigned bit)
{
	return bit < MIME_FLAG_END ? flags[bit].text : N_("unknown");
}

enum mime_effect mime_flag_effect(unsigned bit)
{
	return bit < MIME_FLAG_END ? flags[bit].effect : MIME_SAID;
}

mime_flags mime_flags_of(enum mime_effect effect)
{
	mime_flags of = 0;

	for (unsigned i = 0; i < MIME_FLAG_END; i++)
		if (flags[i].effect == effect)
			of |= UINT64_C(1) << i;
	return of;
}
