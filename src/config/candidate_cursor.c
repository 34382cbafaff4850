/*
 * candidate_cursor.c: goes through the words of a line, one by one, beside the schema and beside what is there.
 *
 * Completion, abbreviations and paths read lines through it; lines of set themselves are read by parse.c, which knows no
 * abbreviations. A word in full wins over all that it abbreviates; where values stand without their word ("bare") nothing
 * is taken for an abbreviation, because any value could be one. Input: tokens of one clean line.
 */
#include "candidate_tree.h"

#include "value.h"

#include <sekisho/arena.h>
#include <sekisho/buf.h>
#include <sekisho/diag.h>
#include <sekisho/i18n.h>

#include <libyang/libyang.h>
#include <string.h>

void cursor_begin(struct cursor *cur, const struct candidate *c, enum candidate_use use)
{
	*cur = (struct cursor){.c = c, .use = use};
	cur->nodes[0] = tree_root(c->tree);
	cur->scope.places[0] = cur->nodes[0]->place;
}

unsigned cursor_outermost(const struct cursor *cur)
{
	unsigned depth = cur->scope.depth;
	const struct place *bare = cur->scope.places[depth]->bare;

	/* As scope_find() does: behind a list of bare values everything is a value; no line leaves its first object. */
	if (depth == 0 || (bare != NULL && bare->kind == PLACE_LEAFLIST))
		return depth;
	return 1;
}

static bool has_item(const struct node *parent, const struct place *place)
{
	for (const struct node *n = parent->items; n != NULL; n = n->next)
		if (n->place == place)
			return true;
	return false;
}

static bool is_there(const struct node *parent, const struct place *place)
{
	if (parent == NULL)
		return false;
	return place->kind == PLACE_LIST || place->kind == PLACE_LEAFLIST ? has_item(parent, place)
									  : tree_leaf(parent, place) != NULL;
}

bool cursor_offers(const struct cursor *cur, unsigned depth, const struct place *child)
{
	return cur->use == CANDIDATE_FOR_SET || is_there(cur->nodes[depth], child);
}

static void enter(struct cursor *cur, const struct place *place, struct node *node)
{
	cur->scope.depth++;
	cur->scope.places[cur->scope.depth] = place;
	cur->nodes[cur->scope.depth] = node;
}

/* The word's place by its full name, else by a unique beginning; *ret_many: several begin so. */
static const struct place *find_word(const struct cursor *cur, const struct token *t, unsigned *ret_depth, bool *ret_many)
{
	const struct place *found = scope_find(&cur->scope, t->text, t->n, ret_depth);
	unsigned outermost = cursor_outermost(cur);

	*ret_many = false;
	if (found != NULL || cur->scope.places[cur->scope.depth]->bare != NULL || t->n == 0)
		return found;
	for (unsigned d = cur->scope.depth;; d--) {
		const struct place *here = cur->scope.places[d];
		for (size_t i = 0; i < here->nchildren; i++) {
			const struct place *c = here->children[i];
			if (c->len < t->n || memcmp(c->word, t->text, t->n) != 0 || !cursor_offers(cur, d, c))
				continue;
			*ret_many = *ret_many || found != NULL;
			found = c;
			*ret_depth = d;
		}
		if (d == outermost)
			break;
	}
	return *ret_many ? NULL : found;
}

static struct step take_word(struct cursor *cur, const struct place *place, unsigned depth)
{
	struct node *parent = cur->nodes[depth];

	cur->scope.depth = depth;
	cur->place = place;
	if (place->kind == PLACE_CONTAINER) {
		enter(cur, place, parent == NULL ? NULL : tree_leaf(parent, place));
	} else if (place->kind == PLACE_LIST) {
		cur->want = WANT_KEY;
		cur->may_skip = cur->use != CANDIDATE_FOR_SET;
	} else {
		cur->want = WANT_VALUE;
		cur->may_skip = cur->use != CANDIDATE_FOR_SET || place->flag;
	}
	return (struct step){.kind = STEP_WORD, .place = place, .text = place->word, .depth = depth, .within = parent};
}

/* The unique possible value that begins so, or the text itself. */
static const char *full_value(const struct place *place, const struct token *t)
{
	const char *found = NULL;
	LY_ARRAY_COUNT_TYPE i;

	if (place->type->basetype != LY_TYPE_ENUM || t->quoted || t->n == 0)
		return t->text;
	const struct lysc_type_enum *type = (const struct lysc_type_enum *)place->type;
	LY_ARRAY_FOR(type->enums, i)
	{
		const char *name = type->enums[i].name;
		if (strcmp(name, t->text) == 0)
			return name;
		if (strncmp(name, t->text, t->n) == 0) {
			if (found != NULL)
				return t->text;
			found = name;
		}
	}
	return found == NULL ? t->text : found;
}

static struct step take_key(struct cursor *cur, const struct token *t)
{
	const struct place *place = cur->place;
	struct node *parent = cur->nodes[cur->scope.depth];
	struct node *node = parent == NULL ? NULL : tree_item(cur->c->tree, parent, place, t->text);
	struct step s = {.kind = STEP_KEY, .place = place, .node = node, .text = t->text, .depth = cur->scope.depth,
		.within = parent};

	enter(cur, place, node);
	cur->want = WANT_WORD;
	return s;
}

static struct step take_value(struct cursor *cur, const struct place *place, const struct token *t)
{
	struct node *parent = cur->nodes[cur->scope.depth], *node = NULL;
	const char *text = full_value(place, t);

	if (parent != NULL)
		node = place->kind == PLACE_LEAF ? tree_leaf(parent, place) : tree_item(cur->c->tree, parent, place, text);
	if (node != NULL && strcmp(node->value, text) != 0)
		node = NULL;
	cur->want = WANT_WORD;
	cur->place = place;
	return (struct step){.kind = STEP_VALUE, .place = place, .node = node, .text = text, .depth = cur->scope.depth,
		.within = parent};
}

/* Is the next word, though a key or value may stand here, one of the schema? */
static bool is_skipped(const struct cursor *cur, const struct token *t)
{
	struct node *parent = cur->nodes[cur->scope.depth];
	const struct place *place = cur->place;
	unsigned depth;
	bool many;

	if (!cur->may_skip || t->quoted || cur->want == WANT_KEY)
		return false;
	if (parent != NULL && place->kind == PLACE_LEAFLIST && tree_item(cur->c->tree, parent, place, t->text) != NULL)
		return false;
	const struct node *leaf = parent == NULL || place->kind != PLACE_LEAF ? NULL : tree_leaf(parent, place);
	if (leaf != NULL && strcmp(leaf->value, t->text) == 0)
		return false;
	/* A value of a set-line's flag is true or false; of what goes away only what is there was meant. */
	const char *text = full_value(place, t);
	if (scope_find(&cur->scope, t->text, t->n, NULL) != NULL)
		return true;
	return value_check(place, text, strlen(text)) != NULL && (find_word(cur, t, &depth, &many) != NULL || many);
}

struct step cursor_take(struct cursor *cur, const struct token *t)
{
	const struct place *bare = cur->scope.places[cur->scope.depth]->bare;
	unsigned depth = 0;
	bool many = false;

	if (cur->want == WANT_KEY)
		return take_key(cur, t);
	if (cur->want == WANT_VALUE && !is_skipped(cur, t))
		return take_value(cur, cur->place, t);
	const struct place *found = t->quoted ? NULL : find_word(cur, t, &depth, &many);
	if (found != NULL) {
		cur->want = WANT_WORD;
		return take_word(cur, found, depth);
	}
	if (bare != NULL)
		return take_value(cur, bare, t);
	return (struct step){.kind = many ? STEP_AMBIGUOUS : STEP_UNKNOWN, .text = t->text, .depth = cur->scope.depth};
}

/* "could be: host, host-group" */
static void refuse_ambiguous(const struct cursor *cur, const struct token *t, struct diag_list *diags)
{
	unsigned outermost = cursor_outermost(cur);
	struct buf b = {0};

	buf_adds(&b, _("it could be: "));
	for (unsigned d = cur->scope.depth, first = 1;; d--) {
		const struct place *here = cur->scope.places[d];
		for (size_t i = 0; i < here->nchildren; i++) {
			const struct place *child = here->children[i];
			if (strncmp(child->word, t->text, t->n) != 0 || !cursor_offers(cur, d, child))
				continue;
			buf_printf(&b, "%s%s", first ? "" : ", ", child->word);
			first = 0;
		}
		if (d == outermost)
			break;
	}
	diag_error(diags, cur->c->line, "ambiguous-word", buf_str(&b), _("\"%s\" is the beginning of several words"),
		value_show(t->text));
	buf_free(&b);
}

void cursor_refuse(const struct cursor *cur, const struct step *s, const struct token *t, struct diag_list *diags)
{
	const struct place *here = cur->scope.places[cur->scope.depth];

	if (s->kind == STEP_AMBIGUOUS) {
		refuse_ambiguous(cur, t, diags);
		return;
	}
	diag_error(diags, cur->c->line, "unknown-word", words_hint(diags->arena, &cur->scope, t->text),
		cur->scope.depth == 0 ? _("unknown word \"%s\"") : _("unknown word \"%s\" in \"%s\""), value_show(t->text),
		here->word);
}
