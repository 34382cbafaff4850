/*
 * candidate_path.c: words of a path -> the things of a candidate that they name.
 *
 * "host a" is the entry, "host a label" the leaf, "host a label mac" both leaves, "host" all hosts. Every thing is there;
 * what is not is said with the nearest name.
 */
#include "candidate_tree.h"

#include "value.h"

#include <sekisho/arena.h>
#include <sekisho/diag.h>
#include <sekisho/i18n.h>
#include <sekisho/strmap.h>

#include <errno.h>
#include <string.h>

struct walk {
	struct cursor cur;
	struct targets *ret;
	struct diag_list *diags;
	const struct place *open; /* a leaf or list whose value or key may still come */
	bool silent;		  /* the innermost object has nothing named within it yet */
};

bool candidate_split(const struct candidate *c, const char *text, size_t n, struct diag_list *diags)
{
	struct lines lines = lines_init(text, n);
	struct line line = {.text = ""};

	lines.number = c->line - 1;
	if (memchr(text, '\n', n) != NULL) {
		diag_error(diags, c->line, "one-line", _("give one line at a time"), _("the text has several lines"));
		return false;
	}
	size_t before = diags->nerrors;
	c->tokens->n = 0;
	c->tokens->comment = NULL;
	if (!lines_next(&lines, diags, &line))
		return diags->nerrors == before; /* nothing is a line without words */
	return tokens_split(&line, diags, c->tokens);
}

static void add_target(struct walk *w, struct node *parent, const struct place *place, struct node *node)
{
	/* One for each word at most, so there is room. */
	w->ret->v[w->ret->n++] = (struct target){parent, node, place};
}

/* "there is no host \"x\"", with the nearest name that is there. */
static void say_missing(struct walk *w, const struct node *parent, const struct place *place, const char *text)
{
	struct strmap *known = strmap_new();
	const char *hint = NULL;

	for (const struct node *n = parent == NULL ? NULL : parent->items; n != NULL; n = n->next)
		if (n->place == place)
			strmap_add(known, n->value, 0);
	const char *nearest = strmap_nearest(known, text);
	if (nearest != NULL)
		hint = arena_printf(w->diags->arena, _("did you mean \"%s\"?"), nearest);
	diag_error(w->diags, w->cur.c->line, "not-there", hint, _("%s \"%s\" is not there"), place->word, value_show(text));
	strmap_free(known);
}

static int say_none(struct walk *w, const struct place *place)
{
	diag_error(w->diags, w->cur.c->line, "not-there", NULL, _("%s: nothing is there"), place->word);
	return -ENOENT;
}

static bool is_there(const struct node *parent, const struct place *place)
{
	if (parent == NULL)
		return false;
	if (place->kind == PLACE_LEAF || place->kind == PLACE_CONTAINER)
		return tree_leaf(parent, place) != NULL;
	for (const struct node *n = parent->items; n != NULL; n = n->next)
		if (n->place == place)
			return true;
	return false;
}

/* A leaf or list whose value or key did not come: all of it. */
static int close_open(struct walk *w)
{
	const struct place *open = w->open;
	struct node *parent = w->cur.nodes[w->cur.scope.depth];

	w->open = NULL;
	if (open == NULL)
		return 0;
	if (!is_there(parent, open))
		return say_none(w, open);
	add_target(w, parent, open, open->kind == PLACE_LEAF ? tree_leaf(parent, open) : NULL);
	w->silent = false;
	return 0;
}

/* The object that the words leave, when nothing within it was named. */
static void close_object(struct walk *w, struct node *node)
{
	if (w->silent && node != NULL && node->parent != NULL)
		add_target(w, node->parent, node->place, node);
	w->silent = false;
}

static int take_word(struct walk *w, const struct step *s, struct node *left, unsigned was)
{
	const struct place *p = s->place;

	if (s->depth < was)
		close_object(w, left);
	if (p->kind == PLACE_LIST || p->kind == PLACE_LEAF || p->kind == PLACE_LEAFLIST) {
		w->open = p;
		return 0;
	}
	w->silent = true;
	return w->cur.nodes[w->cur.scope.depth] == NULL ? say_none(w, p) : 0;
}

static int take(struct walk *w, const struct token *t)
{
	unsigned was = w->cur.scope.depth;
	struct node *left = w->cur.nodes[was];
	const struct place *open = w->open;
	struct cursor before = w->cur;
	struct step s = cursor_take(&w->cur, t);
	int r = 0;

	if (s.kind == STEP_WORD && open != NULL) {
		/* The leaf before it had no value. */
		struct cursor after = w->cur;
		w->cur = before;
		r = close_open(w);
		w->cur = after;
	}
	switch (r < 0 ? STEP_UNKNOWN : s.kind) {
	case STEP_WORD:
		return take_word(w, &s, left, was);
	case STEP_KEY:
	case STEP_VALUE:
		w->open = NULL;
		w->silent = s.kind == STEP_KEY;
		if (s.node == NULL) {
			say_missing(w, s.within, s.place, t->text);
			return -ENOENT;
		}
		if (s.kind == STEP_VALUE)
			add_target(w, s.within, s.place, s.node);
		return 0;
	default:
		if (r == 0)
			cursor_refuse(&w->cur, &s, t, w->diags);
		return r < 0 ? r : -EINVAL;
	}
}

int candidate_targets(const struct candidate *c, const char *path, struct targets *ret, struct diag_list *diags)
{
	struct walk w = {.ret = ret, .diags = diags};
	int r = 0;

	ret->n = 0;
	if (!candidate_split(c, path, strlen(path), diags))
		return -EINVAL;
	cursor_begin(&w.cur, c, CANDIDATE_FOR_DELETE);
	for (size_t i = 0; i < c->tokens->n && r == 0; i++)
		r = take(&w, &c->tokens->v[i]);
	if (r == 0)
		r = close_open(&w);
	if (r == 0)
		close_object(&w, w.cur.nodes[w.cur.scope.depth]);
	if (r < 0)
		ret->n = 0;
	return r;
}

struct node *candidate_entry(const struct candidate *c, const char *path, int *ret_error, struct diag_list *diags)
{
	struct targets *t = ARENA_NEW(diags->arena, struct targets);

	*ret_error = candidate_targets(c, path, t, diags);
	if (*ret_error < 0)
		return NULL;
	if (t->n == 1 && t->v[0].node != NULL && t->v[0].place->kind == PLACE_LIST)
		return t->v[0].node;
	*ret_error = -EINVAL;
	diag_error(diags, c->line, "not-an-entry", _("name one entry, such as: host jumin-ap"),
		_("\"%s\" is not the name of one entry"), value_show(path));
	return NULL;
}

bool place_names(const struct place *place, const struct place *list)
{
	for (int i = 0; i < PLACE_NAMES && place->names[i] != NULL; i++)
		if (place->names[i] == list)
			return true;
	return false;
}
