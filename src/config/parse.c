/*
 * parse.c: words of a line -> nodes of the tree.
 *
 * Grammar: set WORD… where each word is a child of the place reached so far: a container goes in, a list
 * takes a key and goes in, a leaf takes a value. A word that is not known there is looked for further out, up
 * to the first word of the line, so that "approval ciso name X starts D" reads as it is meant. The words of
 * one line never leave its first object. No word is known at two depths of one line (checked by the unit
 * test), so that there is one reading only.
 *
 * Failure: a wrong value is reported and left out; an unknown word is reported and skipped with what follows
 * it up to the next known word.
 */
#include "parse.h"

#include "lines.h"
#include "schema.h"
#include "tokens.h"
#include "tree.h"
#include "value.h"
#include "words.h"

#include <sekisho/arena.h>
#include <sekisho/buf.h>
#include <sekisho/diag.h>
#include <sekisho/i18n.h>

#include <stdlib.h>
#include <string.h>

struct parser {
	struct arena *arena; /* the tree's: what lives as long as reading does */
	struct arena *values;
	struct diag_list *diags;
	struct tree *tree;
	struct scope scope;
	struct node *nodes[SCOPE_DEPTH]; /* beside scope.places; NULL where a key was refused */
	struct tokens *tokens;
	size_t at;
	uint32_t line;
	/* What the line did: values that were new, and values that an earlier line had given. */
	unsigned fresh, repeated;
	const struct node *repeat;
	bool wrong;
	const char **last; /* by place id: the value taken last; the next line often has the same */
	uint32_t *entries; /* by place id: entries of the lists at the top */
	unsigned form;
	struct buf notes;   /* comments that no object has yet, lines ending in '\n' */
	bool begun;	    /* a line of set was there: a comment is not the whole's any more */
	const char *remark; /* the comment that the schema itself puts behind this line; NULL */
};

static const struct token *peek(const struct parser *p)
{
	return p->at < p->tokens->n ? &p->tokens->v[p->at] : NULL;
}

/* Will another finding be kept? Else its hint, which costs memory, is not even made. */
static bool is_heard(const struct parser *p)
{
	return p->diags->n < DIAG_KEEP_MAX;
}

static void enter(struct parser *p, const struct place *place, struct node *node)
{
	/* The schema is not that deep (checked by the unit test). */
	if (p->scope.depth + 1 >= SCOPE_DEPTH)
		abort();
	p->scope.depth++;
	p->scope.places[p->scope.depth] = place;
	p->nodes[p->scope.depth] = node;
}

/* A checked copy of a value, or NULL when it was refused (and reported). */
static const char *take_text(struct parser *p, const struct place *place, const char *text, size_t n)
{
	const char *last = p->last[place->id];

	if (last != NULL && strcmp(last, text) == 0)
		return last;
	const char *why = value_check(place, text, n);
	if (why != NULL) {
		value_refuse(place, text, why, p->line, p->diags);
		p->wrong = true;
		return NULL;
	}
	p->last[place->id] = arena_strndup(p->values, text, n);
	return p->last[place->id];
}

static void missing_value(struct parser *p, const struct place *place, const struct place *value)
{
	const char *hint = NULL;

	if (value->example != NULL && is_heard(p))
		hint = arena_printf(p->arena, _("for example: %s %s"), place->word,
			words_quote(p->arena, value->example));
	diag_error(p->diags, p->line, "missing-value", hint, _("%s: its value is missing"), place->word);
	p->wrong = true;
}

static void store_leaf(struct parser *p, struct node *parent, const struct place *place, const char *value)
{
	struct node *old = place->kind == PLACE_LEAF ? tree_leaf(parent, place)
						     : tree_item(p->tree, parent, place, value);

	if (place->remark != NULL)
		p->remark = place->remark;
	if (old == NULL) {
		tree_add(p->tree, parent, place, value, p->line);
		p->fresh++;
	} else if (strcmp(old->value, value) == 0) {
		p->repeated++;
		p->repeat = old;
	} else {
		diag_error(p->diags, p->line, "duplicate",
			_("keep the line that is right and remove the other"),
			_("%s \"%s\": line %u says \"%s\", and it can have one value only"), place->word,
			value_show(value), old->line, value_show(old->value));
		p->wrong = true;
	}
}

/* Was given, though wrongly: saying that it is missing as well would help nobody. */
static void refused_child(struct node *parent, const struct place *place)
{
	if (parent == NULL)
		return;
	parent->given |= place->required_bit;
	parent->refused = true;
}

/* The value of a leaf whose word was read (or left out, for a bare one). */
static void read_leaf(struct parser *p, const struct place *place)
{
	struct node *parent = p->nodes[p->scope.depth];
	const struct token *t = peek(p);
	/* A flag alone: at the end of the line, or before the next word. */
	bool alone = place->flag &&
		     (t == NULL || (!t->quoted && scope_find(&p->scope, t->text, t->n, NULL) != NULL));

	if (t == NULL && !alone) {
		refused_child(parent, place);
		missing_value(p, place, place);
		return;
	}
	/* A known word where a value of another form is due: the value was forgotten. */
	if (!alone && !t->quoted && scope_find(&p->scope, t->text, t->n, NULL) != NULL &&
		value_check(place, t->text, t->n) != NULL) {
		refused_child(parent, place);
		missing_value(p, place, place);
		return;
	}
	if (!alone)
		p->at++;
	const char *value = alone ? take_text(p, place, "true", 4) : take_text(p, place, t->text, t->n);
	if (parent != NULL && value != NULL)
		store_leaf(p, parent, place, value);
	else
		refused_child(parent, place);
}

/*
 * The entry with this key, made when it is new. Of the lists at the top, which can be very long, no more than
 * the schema allows are made; check.c counts the others.
 */
static struct node *take_entry(struct parser *p, struct node *parent, const struct place *place, const char *key)
{
	struct node *entry = tree_item(p->tree, parent, place, key);

	if (entry != NULL)
		return entry;
	if (parent->parent == NULL && p->entries[place->id]++ >= place->max) {
		if (p->entries[place->id] == place->max + 1)
			diag_error(p->diags, p->line, "too-many", NULL,
				_("%s \"%s\" is one too many: at most %u are possible"), place->word, value_show(key),
				place->max);
		p->wrong = true;
		return NULL;
	}
	p->fresh++;
	return tree_add(p->tree, parent, place, key, p->line);
}

static void read_list(struct parser *p, const struct place *place)
{
	struct node *parent = p->nodes[p->scope.depth], *entry = NULL;
	const struct token *t = peek(p);

	if (t == NULL) {
		missing_value(p, place, place->key);
		return;
	}
	p->at++;
	const char *key = take_text(p, place->key, t->text, t->n);
	if (parent != NULL && key != NULL)
		entry = take_entry(p, parent, place, key);
	enter(p, place, entry);
}

static void read_container(struct parser *p, const struct place *place)
{
	struct node *parent = p->nodes[p->scope.depth], *node = NULL;

	if (parent != NULL) {
		node = tree_leaf(parent, place);
		if (node == NULL)
			node = tree_add(p->tree, parent, place, NULL, p->line);
	}
	enter(p, place, node);
	if (peek(p) == NULL) {
		diag_error(p->diags, p->line, "incomplete", is_heard(p) ? words_possible(p->arena, place) : NULL,
			_("%s: what of it? the line ends here"), place->word);
		p->wrong = true;
	}
}

/* Reports a word that is not known here and goes on to the next one that is. */
static void unknown_word(struct parser *p)
{
	const struct token *t = peek(p);
	const char *hint = NULL;

	if (scope_find(&p->scope, t->text, t->n, NULL) != NULL)
		hint = _("write it without quotes");
	else if (is_heard(p))
		hint = words_hint(p->arena, &p->scope, t->text);
	diag_error(p->diags, p->line, "unknown-word", hint,
		p->scope.depth == 0 ? _("unknown word \"%s\"") : _("unknown word \"%s\" in \"%s\""),
		value_show(t->text), p->scope.places[p->scope.depth]->word);
	p->wrong = true;
	for (p->at++; (t = peek(p)) != NULL; p->at++)
		if (p->scope.depth > 0 && !t->quoted && scope_find(&p->scope, t->text, t->n, NULL) != NULL)
			return;
}

static void read_word(struct parser *p)
{
	const struct token *t = peek(p);
	unsigned depth = 0;
	const struct place *place = t->quoted ? NULL : scope_find(&p->scope, t->text, t->n, &depth);

	if (place == NULL && p->scope.places[p->scope.depth]->bare != NULL) {
		read_leaf(p, p->scope.places[p->scope.depth]->bare);
		return;
	}
	if (place == NULL) {
		unknown_word(p);
		return;
	}
	p->scope.depth = depth;
	p->at++;
	if (place->kind == PLACE_CONTAINER)
		read_container(p, place);
	else if (place->kind == PLACE_LIST)
		read_list(p, place);
	else
		read_leaf(p, place);
}

/* The same thing said twice does no harm, but one of the two is a mistake. */
static void warn_repeated(struct parser *p)
{
	if (p->fresh == 0 && !p->wrong)
		diag_warning(p->diags, p->line, "repeated", _("remove one of them"),
			_("this line says again what line %u says"), p->repeat->line);
	else
		diag_warning(p->diags, p->line, "repeated", _("remove one of them"),
			_("%s \"%s\" is in line %u already"), p->repeat->place->word,
			value_show(p->repeat->value), p->repeat->line);
}

static void read_line(struct parser *p)
{
	const struct token *first = peek(p);

	if ((p->form & PARSE_BARE) != 0) {
		/* The whole line is the object's. */
	} else if (strcmp(first->text, "set") != 0 || first->quoted) {
		diag_error(p->diags, p->line, "not-set", _("every line begins with 'set', a comment with #"),
			_("the line begins with \"%s\""), value_show(first->text));
		return;
	} else {
		p->at++;
	}
	p->scope.depth = 0;
	p->fresh = p->repeated = 0;
	p->wrong = false;
	if (peek(p) == NULL)
		diag_error(p->diags, p->line, "incomplete",
			is_heard(p) ? words_possible(p->arena, p->scope.places[0]) : NULL,
			_("set: what? the line ends here"));
	while (peek(p) != NULL)
		read_word(p);
	if (p->repeated > 0)
		warn_repeated(p);
}

/* The notes so far, as one text behind `old`; NULL when there are none. */
static const char *take_notes(struct parser *p, const char *old)
{
	if (p->notes.len == 0)
		return old;
	p->notes.len--;
	const char *fresh = buf_str(&p->notes);
	fresh = old == NULL ? arena_strdup(p->values, fresh) : arena_printf(p->values, "%s\n%s", old, fresh);
	buf_clear(&p->notes);
	return fresh;
}

/* Puts a comment by, and hands those that came so far to the object that the line ended in. */
static void note_line(struct parser *p)
{
	const struct tokens *t = p->tokens;
	struct node *root = p->nodes[0], *object = NULL;
	bool remark = p->remark != NULL && t->comment != NULL && strlen(p->remark) == t->ncomment &&
		      memcmp(p->remark, t->comment, t->ncomment) == 0;

	if (t->comment != NULL && !remark) {
		buf_add(&p->notes, t->comment, t->ncomment);
		buf_addc(&p->notes, '\n');
	}
	if (t->n == 0 && t->comment == NULL && !p->begun)
		root->note = take_notes(p, root->note);
	for (unsigned d = p->scope.depth; t->n > 0 && d > 0 && object == NULL; d--)
		object = p->nodes[d];
	if (object != NULL)
		object->note = take_notes(p, object->note);
	p->begun = p->begun || t->n > 0;
}

void parse_as(struct tree *tree, struct arena *values, struct lines *lines, unsigned form, struct diag_list *diags)
{
	struct parser p = {.arena = tree_arena(tree), .values = values, .diags = diags, .tree = tree, .form = form};
	struct line line;

	p.tokens = ARENA_NEW(p.arena, struct tokens);
	p.last = ARENA_ARRAY(p.arena, schema_places(), const char *);
	p.entries = ARENA_ARRAY(p.arena, schema_places(), uint32_t);
	p.nodes[0] = tree_root(tree);
	p.scope.places[0] = p.nodes[0]->place;
	while (lines_next(lines, diags, &line)) {
		p.line = line.number;
		p.at = 0;
		p.scope.depth = 0;
		p.remark = NULL;
		if (!tokens_split(&line, diags, p.tokens))
			continue;
		if (p.tokens->n > 0)
			read_line(&p);
		if ((form & PARSE_NOTES) != 0)
			note_line(&p);
	}
	p.nodes[0]->tail = take_notes(&p, p.nodes[0]->tail);
	buf_free(&p.notes);
}

void parse(struct tree *tree, struct arena *values, struct lines *lines, struct diag_list *diags)
{
	parse_as(tree, values, lines, PARSE_FILE, diags);
}
