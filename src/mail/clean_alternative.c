/*
 * clean_alternative.c: two forms of one text: which one to show, and whether they say the same.
 *
 * A plain text is a stub when it is short and the HTML says several times as much ("your program cannot show HTML"). Two texts
 * differ grossly when hardly a sequence of words (in Chinese characters and kana: of three characters) of the shorter one
 * is in the longer: then one of them was made for a filter and the other for a person.
 * Input: filtered text of the mail. Limits: the first GRAMS_MAX sequences of each, in two sets of 64 Kibit.
 */
#include "clean_private.h"

#define STUB_MAX 400u	/* characters: three sentences and an address */
#define STUB_TIMES 4u	/* so many times more has the HTML */
#define GRAMS_MAX 12000u /* at most a fifth of the set is filled: that many meet by chance */
#define GRAMS_MIN 48u	/* less is too little to judge */
#define SAME_PERCENT 25u

/* Reads characters; blanks and addresses (anything around "://") are not text. */
struct letters {
	const uint8_t *s, *end;
};

static bool is_gap(uint8_t b)
{
	return b <= ' ';
}

static bool is_address(const uint8_t *s, const uint8_t *end)
{
	size_t n = (size_t)(end - s);

	if (n > 12)
		n = 12;
	return memmem(s, n, "://", 3) != NULL && memmem(s, n, "xp", 2) != NULL;
}

/* The next character's bytes; 0: the text is over, and *ret_gap: something that is no text was before it. */
static uint32_t next(struct letters *l, bool *ret_gap)
{
	*ret_gap = false;
	while (l->s < l->end) {
		if (is_gap(*l->s)) {
			*ret_gap = true;
			l->s++;
		} else if ((*l->s == 'h' || *l->s == 'f' || *l->s == '<') && is_address(l->s, l->end)) {
			*ret_gap = true;
			while (l->s < l->end && !is_gap(*l->s))
				l->s++;
		} else {
			break;
		}
	}
	if (l->s >= l->end)
		return 0;
	uint32_t v = *l->s++;
	while (l->s < l->end && (*l->s & 0xc0) == 0x80)
		v = v << 6 | (*l->s++ & 0x3f);
	return v;
}

static size_t count(const char *text, size_t n, size_t most)
{
	struct letters l = {(const uint8_t *)text, (const uint8_t *)text + n};
	size_t found = 0;
	bool gap;

	while (found < most && next(&l, &gap) != 0)
		found++;
	return found;
}

bool clean_is_stub(const char *plain, size_t n, const char *html, size_t nhtml)
{
	size_t letters = count(plain, n, STUB_MAX + 1);

	return letters == 0 || (letters <= STUB_MAX && count(html, nhtml, letters * STUB_TIMES) == letters * STUB_TIMES);
}

/* -- Sequences of words -------------------------------------------------------------------------------------- */

static uint64_t mix(uint64_t h)
{
	h = (h ^ h >> 31) * 0x9e3779b97f4a7c15u;
	return h ^ h >> 29;
}

struct grams {
	uint64_t *set;
	uint64_t word, last, before; /* the word that is being read, and the two before it */
	size_t n;
};

/* A word is over: `of` words make a sequence. */
static void take_word(struct grams *g, uint64_t word, bool three)
{
	uint64_t bit = mix(word + mix(g->last + (three ? mix(g->before) : 0))) & 0xffff;

	if (g->last != 0) {
		g->n += (g->set[bit >> 6] >> (bit & 63) & 1) == 0;
		g->set[bit >> 6] |= (uint64_t)1 << (bit & 63);
	}
	g->before = g->last;
	g->last = word;
}

static size_t collect(uint64_t set[1024], const char *text, size_t n)
{
	struct letters l = {(const uint8_t *)text, (const uint8_t *)text + n};
	struct grams g = {.set = set};
	uint32_t v;
	bool gap;

	memset(set, 0, 1024 * sizeof(set[0]));
	while (g.n < GRAMS_MAX && (v = next(&l, &gap)) != 0) {
		bool letter = v < 0x80 && ((v | 0x20) - 'a' < 26 || v - '0' < 10);
		if (g.word != 0 && (gap || !letter)) {
			take_word(&g, g.word, false);
			g.word = 0;
		}
		if (letter)
			g.word = mix(g.word + (v | 0x20));
		else if (v >= 0x80)
			take_word(&g, v, true);
	}
	return g.n;
}

bool clean_differ(struct clean *c, const char *a, size_t na, const char *b, size_t nb)
{
	size_t first = collect(c->sets[0], a, na), second = collect(c->sets[1], b, nb), both = 0;
	size_t least = first < second ? first : second;

	for (size_t i = 0; i < 1024; i++)
		both += (size_t)__builtin_popcountll(c->sets[0][i] & c->sets[1][i]);
	return least >= GRAMS_MIN && both * 100 < least * SAME_PERCENT;
}
