/* breaker.c: see breaker.h. */
#include "breaker.h"

#include "../../../src/nft/builder.h"

#include <linux/netfilter.h>
#include <stdlib.h>
#include <string.h>

static bool joined(char **w, unsigned n, char *text, size_t size)
{
	*text = '\0';
	for (unsigned i = 0; i < n; i++) {
		if (i > 0)
			strncat(text, " ", size - strlen(text) - 1);
		strncat(text, w[i], size - strlen(text) - 1);
	}
	return n > 0;
}

static struct chain *chain_of(struct ruleset *rs, const char *name)
{
	for (size_t i = 0; i < rs->nchains; i++)
		if (strcmp(rs->chains[i]->name, name) == 0)
			return rs->chains[i];
	return NULL;
}

static struct set *set_of(struct ruleset *rs, const char *name)
{
	for (size_t i = 0; i < rs->nsets; i++)
		if (strcmp(rs->sets[i]->name, name) == 0)
			return rs->sets[i];
	return NULL;
}

/* words: CHAIN TEXT... */
static struct rule *rule_of(struct ruleset *rs, char **w, unsigned n, struct chain **ret_chain)
{
	struct chain *c = n > 1 ? chain_of(rs, w[0]) : NULL;
	char want[256];

	*ret_chain = c;
	if (c == NULL || !joined(w + 1, n - 1, want, sizeof(want)))
		return NULL;
	for (size_t i = 0; i < c->nrules; i++) {
		struct buf text = {0};
		rule_text(&c->rules[i], &text);
		bool found = strstr(buf_str(&text), want) != NULL;
		buf_free(&text);
		if (found)
			return &c->rules[i];
	}
	return NULL;
}

static bool drop_rule(struct ruleset *rs, char **w, unsigned n)
{
	struct chain *c;
	struct rule *r = rule_of(rs, w, n, &c);

	if (r == NULL)
		return false;
	memmove(r, r + 1, (size_t)(c->rules + c->nrules - (r + 1)) * sizeof(*r));
	c->nrules--;
	return true;
}

static bool accept_rule(struct ruleset *rs, char **w, unsigned n)
{
	struct chain *c;
	struct rule *r = rule_of(rs, w, n, &c);

	if (r == NULL)
		return false;
	r->stmts[r->nstmts - 1] = (struct stmt){.kind = S_VERDICT, .sub = V_ACCEPT};
	return true;
}

static bool without(struct ruleset *rs, char **w, unsigned n)
{
	struct chain *c;
	size_t nth = n > 0 ? strtoul(w[0], NULL, 0) : 0;
	struct rule *r = n > 0 ? rule_of(rs, w + 1, n - 1, &c) : NULL;

	if (r == NULL || nth >= r->nstmts)
		return false;
	memmove(&r->stmts[nth], &r->stmts[nth + 1], (r->nstmts - nth - 1) * sizeof(*r->stmts));
	r->nstmts--;
	return true;
}

static bool replace(void *at, uint32_t old, uint32_t new)
{
	if (memcmp(at, &old, sizeof(old)) != 0)
		return false;
	memcpy(at, &new, sizeof(new));
	return true;
}

static bool number(struct ruleset *rs, char **w, unsigned n)
{
	struct chain *c;
	struct rule *r = n > 2 ? rule_of(rs, w + 2, n - 2, &c) : NULL;
	bool done = false;

	for (size_t i = 0; r != NULL && i < r->nstmts; i++) {
		uint32_t old = (uint32_t)strtoul(w[0], NULL, 0), new = (uint32_t)strtoul(w[1], NULL, 0);
		struct stmt *s = &r->stmts[i];
		done |= replace(&s->a, old, new) | replace(&s->b, old, new) | replace(s->value, old, new) |
			replace(s->mask, old, new);
	}
	return done;
}

static bool class(struct ruleset *rs, char **w, unsigned n)
{
	struct set *s = n == 3 ? set_of(rs, w[2]) : NULL;
	uint32_t old, new;
	bool done = false;

	for (uint32_t i = 0; s != NULL && i < s->n; i++) {
		old = (uint32_t)strtoul(w[0], NULL, 0);
		new = (uint32_t)strtoul(w[1], NULL, 0);
		if ((set_elem(s, i)->mark & 0xf) != old)
			continue;
		set_elem(s, i)->mark = (set_elem(s, i)->mark & ~0xfu) | new;
		done = true;
	}
	return done;
}

static bool pair(struct ruleset *rs, char **w, unsigned n)
{
	struct set *s = n == 3 ? set_of(rs, w[0]) : NULL;
	struct key k = {.len = 0};

	if (s == NULL)
		return false;
	key_number(&k, TYPE_MARK, (uint32_t)strtoul(w[1], NULL, 0));
	key_number(&k, TYPE_MARK, (uint32_t)strtoul(w[2], NULL, 0));
	set_add(s, &k, NULL);
	set_sort(s);
	return true;
}

/* The last field of the first element gets all its values. */
static bool wide(struct ruleset *rs, char **w, unsigned n)
{
	struct set *s = n == 1 ? set_of(rs, w[0]) : NULL;

	if (s == NULL || s->n == 0 || (s->flags & SET_INTERVAL) == 0)
		return false;
	size_t len = datatype(s->types[s->nfields - 1])->len;
	memset(s->keys.data + s->klen - len, 0, len);
	memset(s->keys.data + (size_t)2 * s->klen - len, 0xff, len);
	return true;
}

bool breaker_apply(struct ruleset *rs, char **words, unsigned n)
{
	static const struct {
		const char *word;
		bool (*run)(struct ruleset *rs, char **w, unsigned n);
	} ways[] = {{"drop", drop_rule}, {"accept", accept_rule}, {"without", without}, {"number", number}, {"class", class},
		{"pair", pair}, {"wide", wide}};

	for (size_t i = 0; n > 0 && i < sizeof(ways) / sizeof(ways[0]); i++)
		if (strcmp(ways[i].word, words[0]) == 0)
			return ways[i].run(rs, words + 1, n - 1);
	return false;
}

bool breaker_bypass(unsigned char *dump, size_t n)
{
	/* flags behind number and count: of struct xt_NFQ_info_v3, or an attribute of its own */
	static const unsigned char info[] = {1, 0, 0, 0}, native[] = {6, 0, 3, 0, 0, 0};
	unsigned char *at = memmem(dump, n, "NFQUEUE", 8), *flags;

	if (at != NULL) {
		flags = memmem(at + 8, (size_t)(dump + n - at) - 8 < 64 ? (size_t)(dump + n - at) - 8 : 64, info, sizeof(info));
		if (flags != NULL)
			flags[2] = 1;
		return flags != NULL;
	}
	at = memmem(dump, n, "queue\0\0\0", 8);
	size_t left = at == NULL ? 0 : (size_t)(dump + n - at);
	flags = at == NULL ? NULL : memmem(at, left < 64 ? left : 64, native, sizeof(native));
	if (flags != NULL)
		flags[5] = 1;
	return flags != NULL;
}
