/*
 * candidate_complete.c: what may stand next on a line, and a line with its abbreviations written out.
 *
 * Everything comes from the schema and the candidate: words with their help, possible values, names of what may be named,
 * and for the rest the form of a value. Input: a line as far as it was typed, any bytes; what is not clean has no
 * completion. Costs: a walk over one list for names, else the length of the line.
 */
#include "candidate_tree.h"

#include "candidate_form.h"

#include <sekisho/arena.h>
#include <sekisho/buf.h>
#include <sekisho/diag.h>
#include <sekisho/i18n.h>

#include <errno.h>
#include <libyang/libyang.h>
#include <stdlib.h>
#include <string.h>

/* More leaves than any object has. */
#define NAMED_MAX 64

struct completing {
	struct cursor cur;
	const char *partial; /* the beginning of the word, without an opening quote */
	size_t n;
	bool quoted;
	candidate_emit *emit;
	void *arg;
	struct buf word, help;
	int count;
	bool enough;
	bool may_end;
	/* Leaves that the line has already, with the depth of their object. */
	struct {
		const struct place *place;
		unsigned depth;
	} named[NAMED_MAX];
	unsigned nnamed;
};

static bool begins(const struct completing *c, const char *word)
{
	return strncmp(word, c->partial, c->n) == 0;
}

static void emit(struct completing *c, const char *word, enum candidate_word kind, const char *help)
{
	if (c->enough)
		return;
	c->enough = !c->emit(c->arg, word, kind, help);
	c->count++;
}

/* A name or value as it would be typed. */
static void emit_value(struct completing *c, const char *value, enum candidate_word kind, const char *help)
{
	if (c->enough || !begins(c, value))
		return;
	buf_clear(&c->word);
	words_add_quoted(&c->word, value);
	emit(c, buf_str(&c->word), kind, help);
}

static void emit_form(struct completing *c, const struct place *place)
{
	if (c->n > 0 && !c->quoted)
		return;
	buf_clear(&c->word);
	buf_clear(&c->help);
	form_word(place, &c->word);
	form_help(place, &c->help);
	emit(c, buf_str(&c->word), CANDIDATE_FORM, buf_str(&c->help));
}

/* -- values ------------------------------------------------------------------------------------------------------ */

/* What people call an entry: its label, its purpose, its first address. */
static const char *call(const struct node *entry)
{
	static const char *const words[] = {"label", "purpose", "address"};

	for (size_t i = 0; i < sizeof(words) / sizeof(words[0]); i++) {
		const struct place *p = place_child(entry->place, words[i], strlen(words[i]));
		const struct node *leaf = p == NULL || p->kind != PLACE_LEAF ? NULL : tree_leaf(entry, p);
		if (leaf != NULL)
			return leaf->value;
		for (const struct node *n = p == NULL ? NULL : entry->items; n != NULL; n = n->next)
			if (n->place == p)
				return n->value;
	}
	return "";
}

static void emit_entries(struct completing *c, const struct node *parent, const struct place *list)
{
	for (const struct node *n = parent == NULL ? NULL : parent->items; n != NULL && !c->enough; n = n->next)
		if (n->place == list)
			emit_value(c, n->value, CANDIDATE_NAME, call(n));
}

static int emit_names(struct completing *c, const struct place *place)
{
	int before = c->count;

	for (int i = 0; i < PLACE_NAMES && place->names[i] != NULL; i++)
		emit_entries(c, tree_root(c->cur.c->tree), place->names[i]);
	return c->count - before;
}

static void emit_enum(struct completing *c, const struct lysc_type *type)
{
	const struct lysc_type_enum *e = (const struct lysc_type_enum *)type;
	LY_ARRAY_COUNT_TYPE i;

	if (type->basetype != LY_TYPE_ENUM)
		return;
	LY_ARRAY_FOR(e->enums, i)
	{
		const char *ja = schema_ext(e->enums[i].exts, "ja");
		const char *help = strcmp(i18n_language(), "ja") == 0 && ja != NULL ? ja : e->enums[i].dsc;
		buf_clear(&c->help);
		form_line(help == NULL ? "" : help, &c->help);
		emit_value(c, e->enums[i].name, CANDIDATE_VALUE, buf_str(&c->help));
	}
}

static void emit_possible(struct completing *c, const struct place *place)
{
	const struct lysc_type *type = place->type;
	LY_ARRAY_COUNT_TYPE i;

	emit_enum(c, type);
	if (type->basetype == LY_TYPE_BOOL) {
		emit_value(c, "true", CANDIDATE_VALUE, _("yes"));
		emit_value(c, "false", CANDIDATE_VALUE, _("no"));
	}
	if (type->basetype == LY_TYPE_UNION)
		LY_ARRAY_FOR(((const struct lysc_type_union *)type)->types, i)
			emit_enum(c, ((const struct lysc_type_union *)type)->types[i]);
	int names = emit_names(c, place);
	bool closed = type->basetype == LY_TYPE_ENUM || type->basetype == LY_TYPE_BOOL ||
		      (type->basetype == LY_TYPE_LEAFREF && names > 0);
	if (!closed)
		emit_form(c, place);
}

/* What the leaf has. */
static void emit_present(struct completing *c, const struct place *place)
{
	const struct node *parent = c->cur.nodes[c->cur.scope.depth];
	const struct node *leaf = parent == NULL || place->kind != PLACE_LEAF ? NULL : tree_leaf(parent, place);

	if (leaf != NULL)
		emit_value(c, leaf->value, CANDIDATE_NAME, "");
	for (const struct node *n = parent == NULL ? NULL : parent->items; n != NULL; n = n->next)
		if (n->place == place)
			emit_value(c, n->value, CANDIDATE_NAME, "");
}

/* -- words ------------------------------------------------------------------------------------------------------- */

static bool is_named(const struct completing *c, const struct place *place, unsigned depth)
{
	for (unsigned i = 0; i < c->nnamed; i++)
		if (c->named[i].place == place && c->named[i].depth == depth && place->kind == PLACE_LEAF)
			return true;
	return false;
}

static void emit_word(struct completing *c, const struct place *place, unsigned depth)
{
	bool object = place->kind == PLACE_LIST || place->kind == PLACE_CONTAINER;

	if (c->enough || !begins(c, place->word) || c->quoted || is_named(c, place, depth))
		return;
	if (!cursor_offers(&c->cur, depth, place))
		return;
	if (c->cur.use == CANDIDATE_FOR_ENTRY && !object)
		return;
	buf_clear(&c->help);
	form_meaning(place, &c->help);
	emit(c, place->word, CANDIDATE_KEYWORD, buf_str(&c->help));
}

static void emit_words(struct completing *c)
{
	unsigned outermost = cursor_outermost(&c->cur);

	for (unsigned d = c->cur.scope.depth;; d--) {
		const struct place *here = c->cur.scope.places[d];
		for (size_t i = 0; i < here->nchildren; i++)
			if (here->children[i] != here->bare || here->bare->kind != PLACE_LEAFLIST)
				emit_word(c, here->children[i], d);
		if (d == outermost)
			break;
	}
}

static void emit_wanted(struct completing *c)
{
	struct cursor *cur = &c->cur;
	const struct place *bare = cur->scope.places[cur->scope.depth]->bare;
	bool set = cur->use == CANDIDATE_FOR_SET;

	if (cur->want == WANT_KEY) {
		if (emit_names(c, cur->place->key) == 0 || !set)
			emit_entries(c, cur->nodes[cur->scope.depth], cur->place);
		if (set)
			emit_form(c, cur->place->key);
	} else if (cur->want == WANT_VALUE) {
		if (set)
			emit_possible(c, cur->place);
		else
			emit_present(c, cur->place);
	} else if (bare != NULL) {
		if (set)
			emit_possible(c, bare);
		else
			emit_present(c, bare);
	}
	if (cur->want == WANT_WORD || (cur->want == WANT_VALUE && cur->may_skip))
		emit_words(c);
	if (c->n == 0 && !c->quoted && (c->may_end || (cur->want != WANT_WORD && cur->may_skip)))
		emit(c, "<Enter>", CANDIDATE_END, _("the line may end here"));
}

/* -- the line ---------------------------------------------------------------------------------------------------- */

/* Where the line's last word begins; *ret_quoted: behind an opening quote. NULL: in a comment. */
static const char *last_word(const char *line, bool *ret_quoted)
{
	const char *p = line;

	for (;;) {
		p += strspn(p, " \t");
		const char *word = p;
		*ret_quoted = *p == '"';
		if (*p == '#')
			return NULL;
		if (*ret_quoted)
			for (p++; *p != '\0' && *p != '"'; p++)
				p += p[0] == '\\' && p[1] != '\0';
		p += strcspn(p, " \t");
		if (*p == '\0')
			return word;
	}
}

static void remember(struct completing *c, const struct step *s)
{
	bool leaf = s->kind == STEP_WORD && (s->place->kind == PLACE_LEAF || s->place->kind == PLACE_LEAFLIST);
	unsigned kept = 0;

	/* What an object that was left held is of no matter for the next one. */
	for (unsigned i = 0; i < c->nnamed; i++)
		if (c->named[i].depth <= s->depth)
			c->named[kept++] = c->named[i];
	c->nnamed = kept;
	if (leaf && c->nnamed < NAMED_MAX) {
		c->named[c->nnamed].place = s->place;
		c->named[c->nnamed++].depth = s->depth;
	}
	c->may_end = s->kind != STEP_WORD;
}

/* Goes through the words before the last. */
static bool go(struct completing *c, const char *line, size_t n)
{
	const struct candidate *cand = c->cur.c;
	struct arena *arena = arena_new();
	struct diag_list diags;

	if (arena == NULL)
		abort();
	diag_init(&diags, arena);
	bool good = candidate_split(cand, line, n, &diags);
	for (size_t i = 0; good && i < cand->tokens->n; i++) {
		struct step s = cursor_take(&c->cur, &cand->tokens->v[i]);
		good = s.kind != STEP_UNKNOWN && s.kind != STEP_AMBIGUOUS;
		if (good)
			remember(c, &s);
	}
	arena_free(arena);
	return good;
}

int candidate_complete(const struct candidate *c, enum candidate_use use, const char *line, candidate_emit *fn, void *arg)
{
	struct completing *s = calloc(1, sizeof(*s));
	int r = -EINVAL;

	if (s == NULL)
		abort();
	s->emit = fn;
	s->arg = arg;
	cursor_begin(&s->cur, c, use);
	const char *word = last_word(line, &s->quoted);
	if (word != NULL && go(s, line, (size_t)(word - line))) {
		s->partial = word + s->quoted;
		s->n = strlen(s->partial);
		emit_wanted(s);
		r = s->count;
	}
	buf_free(&s->word);
	buf_free(&s->help);
	free(s);
	return r;
}

int candidate_expand(const struct candidate *c, enum candidate_use use, const char *line, struct buf *out,
	struct diag_list *diags)
{
	struct cursor cur;
	struct buf text = {0};
	size_t i = 0;

	if (!candidate_split(c, line, strlen(line), diags))
		return -EINVAL;
	cursor_begin(&cur, c, use);
	for (; i < c->tokens->n; i++) {
		const struct token *t = &c->tokens->v[i];
		struct step s = cursor_take(&cur, t);
		if (s.kind == STEP_UNKNOWN || s.kind == STEP_AMBIGUOUS) {
			cursor_refuse(&cur, &s, t, diags);
			break;
		}
		if (i > 0)
			buf_addc(&text, ' ');
		if (s.kind == STEP_WORD)
			buf_adds(&text, s.text);
		else if (t->quoted)
			words_add_in_quotes(&text, s.text);
		else
			words_add_quoted(&text, s.text);
	}
	int r = i < c->tokens->n ? -EINVAL : 0;
	if (r == 0) {
		buf_add(out, text.data, text.len);
		if (c->tokens->comment != NULL)
			buf_printf(out, " # %.*s", (int)c->tokens->ncomment, c->tokens->comment);
	}
	buf_free(&text);
	return r;
}
