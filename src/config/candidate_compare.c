/*
 * candidate_compare.c: what leads from one policy to another, as lines of set.
 *
 * Entries are the same when their names are; within one, values are told singly. A list of values that only grew or shrank
 * is told by those values; where the order of the others changed (the first next-hop is tried first) by all of them.
 * Of entries that changed places the fewest are told: all but a longest sequence that stayed in order.
 */
#include "candidate_tree.h"

#include "candidate_form.h"
#include "print.h"

#include <sekisho/arena.h>
#include <sekisho/buf.h>
#include <sekisho/diag.h>

#include <stdlib.h>
#include <string.h>

struct comparing {
	const struct candidate *a, *b;
	struct buf *out; /* for lines; NULL: `fn` is told instead */
	candidate_differs *fn;
	void *arg;
	struct buf text, label;
};

/* What is in c->text, each line behind the sign. */
static void tell(struct comparing *c, const char *sign)
{
	const char *p = buf_str(&c->text);

	while (*p != '\0') {
		size_t n = strcspn(p, "\n");
		if (n > 0)
			buf_printf(c->out, "%s %.*s\n", sign, (int)n, p);
		p += n + (p[n] == '\n');
	}
	buf_clear(&c->text);
}

/* The words from the object to a node below it, the word of a value without the value. */
static void add_field(struct buf *out, const struct node *object, const struct node *n)
{
	if (n == object)
		return;
	add_field(out, object, n->parent);
	buf_printf(out, "%s%s", out->len == 0 ? "" : " ", n->place->word);
	if (n->place->kind == PLACE_LIST)
		buf_printf(out, " %s", n->value);
}

/* Tells one difference at a node: an entry or container, or a value. */
static void differ(struct comparing *c, enum difference_kind kind, const struct node *n, const char *was, const char *now)
{
	const struct node *object = n;

	while (object->parent->parent != NULL)
		object = object->parent;
	struct difference d = {.kind = kind, .object = object->place->word, .name = object->value, .was = was, .now = now};
	buf_clear(&c->text);
	buf_clear(&c->label);
	if (n != object) {
		add_field(&c->text, object, n);
		form_label(n->place, &c->label);
		d.field = buf_str(&c->text);
		d.label = buf_str(&c->label);
	}
	c->fn(c->arg, &d);
	buf_clear(&c->text);
}

/* All values below a node that only one side has. */
static void differ_below(struct comparing *c, enum difference_kind kind, const struct node *n)
{
	const struct node *chains[] = {n->leaves, n->items};
	bool value = n->place->kind == PLACE_LEAF || n->place->kind == PLACE_LEAFLIST;

	if (value)
		differ(c, kind, n, kind == DIFFERENCE_REMOVED ? n->value : NULL, kind == DIFFERENCE_ADDED ? n->value : NULL);
	else if (n->place->kind == PLACE_LIST && n->parent->parent == NULL)
		differ(c, kind, n, NULL, NULL);
	else
		for (int i = 0; i < 2; i++)
			for (const struct node *x = chains[i]; x != NULL; x = x->next)
				differ_below(c, kind, x);
}

static void tell_node(struct comparing *c, const char *sign, const struct node *n)
{
	if (c->out == NULL) {
		differ_below(c, sign[0] == '-' ? DIFFERENCE_REMOVED : DIFFERENCE_ADDED, n);
		return;
	}
	print(n, &c->text);
	tell(c, sign);
}

static void tell_value(struct comparing *c, const char *sign, const struct node *n)
{
	if (c->out == NULL) {
		differ_below(c, sign[0] == '-' ? DIFFERENCE_REMOVED : DIFFERENCE_ADDED, n);
		return;
	}
	print_value(n, &c->text);
	tell(c, sign);
}

static void compare_notes(struct comparing *c, const char *a, const char *b)
{
	if (c->out == NULL || a == b || (a != NULL && b != NULL && strcmp(a, b) == 0))
		return;
	print_note("", a, &c->text);
	tell(c, "-");
	print_note("", b, &c->text);
	tell(c, "+");
}

static const struct node *next_of(const struct node *n, const struct place *place)
{
	while (n != NULL && n->place != place)
		n = n->next;
	return n;
}

/* Does b hold what is left of a's values in the same order, and only then its new ones? */
static bool is_grown(const struct comparing *c, const struct node *a, const struct node *b, const struct place *place)
{
	const struct node *v = next_of(b->items, place);

	for (const struct node *n = next_of(a->items, place); n != NULL; n = next_of(n->next, place)) {
		if (tree_item(c->b->tree, b, place, n->value) == NULL)
			continue;
		if (v == NULL || strcmp(v->value, n->value) != 0)
			return false;
		v = next_of(v->next, place);
	}
	return true;
}

/* "10.0.0.1 10.0.0.2" */
static void join(struct buf *out, const struct node *parent, const struct place *place)
{
	for (const struct node *n = next_of(parent->items, place); n != NULL; n = next_of(n->next, place))
		buf_printf(out, "%s%s", out->len == 0 ? "" : " ", n->value);
}

/* The same values in another order. */
static void differ_order(struct comparing *c, const struct node *a, const struct node *b, const struct place *place)
{
	struct buf was = {0}, now = {0};

	join(&was, a, place);
	join(&now, b, place);
	differ(c, DIFFERENCE_CHANGED, next_of(b->items, place), buf_str(&was), buf_str(&now));
	buf_free(&was);
	buf_free(&now);
}

static void compare_values(struct comparing *c, const struct node *a, const struct node *b, const struct place *place)
{
	bool grown = is_grown(c, a, b, place), lines = c->out != NULL, same = !lines && !grown;

	for (const struct node *n = next_of(a->items, place); n != NULL; n = next_of(n->next, place))
		same = same && tree_item(c->b->tree, b, place, n->value) != NULL;
	for (const struct node *n = next_of(b->items, place); n != NULL; n = next_of(n->next, place))
		same = same && tree_item(c->a->tree, a, place, n->value) != NULL;
	if (same) {
		differ_order(c, a, b, place);
		return;
	}
	/* For people a value that stays is no difference; lines have to put the order right. */
	grown = grown || !lines;
	for (const struct node *n = next_of(a->items, place); n != NULL; n = next_of(n->next, place))
		if (!grown || tree_item(c->b->tree, b, place, n->value) == NULL)
			tell_value(c, "-", n);
	for (const struct node *n = next_of(b->items, place); n != NULL; n = next_of(n->next, place))
		if (!grown || tree_item(c->a->tree, a, place, n->value) == NULL)
			tell_value(c, "+", n);
}

static void compare_leaf(struct comparing *c, const struct node *a, const struct node *b, const struct place *place)
{
	const struct node *x = tree_leaf(a, place), *y = tree_leaf(b, place);

	if (x != NULL && y != NULL && strcmp(x->value, y->value) == 0)
		return;
	if (x != NULL && y != NULL && c->out == NULL) {
		differ(c, DIFFERENCE_CHANGED, y, x->value, y->value);
		return;
	}
	if (x != NULL)
		tell_value(c, "-", x);
	if (y != NULL)
		tell_value(c, "+", y);
}

/* -- order of entries -------------------------------------------------------------------------------------------- */

struct entry {
	const struct node *node; /* in b */
	size_t rank;		 /* where it would stand without a move */
	size_t before;		 /* the entry before it in the longest sequence that ends here, or SIZE_MAX */
	bool stays;
};

/* Marks a longest subsequence of rising ranks. */
static void mark_stays(struct entry *v, size_t n)
{
	size_t *tails = malloc((n + 1) * sizeof(*tails)), length = 0;

	if (tails == NULL)
		abort();
	for (size_t i = 0; i < n; i++) {
		size_t lo = 0, hi = length;
		while (lo < hi) {
			size_t mid = (lo + hi) / 2;
			if (v[tails[mid]].rank < v[i].rank)
				lo = mid + 1;
			else
				hi = mid;
		}
		v[i].before = lo == 0 ? SIZE_MAX : tails[lo - 1];
		tails[lo] = i;
		length = lo == length ? length + 1 : length;
	}
	for (size_t i = length == 0 ? SIZE_MAX : tails[length - 1]; i != SIZE_MAX; i = v[i].before)
		v[i].stays = true;
	free(tails);
}

static int by_node(const void *pa, const void *pb)
{
	const struct entry *a = pa, *b = pb;

	return a->node < b->node ? -1 : a->node > b->node;
}

/* Gives each entry of b (v, in b's order) the place that it had in a; new ones stand behind all, as set puts them. */
static void rank(const struct comparing *c, const struct node *a, struct entry *v, size_t n, const struct place *place)
{
	struct entry *known = calloc(n + 1, sizeof(*known));
	size_t m = 0;

	if (known == NULL)
		abort();
	for (const struct node *x = next_of(a->items, place); x != NULL; x = next_of(x->next, place)) {
		const struct node *y = n == 0 ? NULL : tree_item(c->b->tree, v[0].node->parent, place, x->value);
		if (y != NULL) {
			known[m] = (struct entry){.node = y, .rank = m};
			m++;
		}
	}
	qsort(known, m, sizeof(*known), by_node);
	for (size_t i = 0; i < n; i++) {
		const struct entry *k = bsearch(&v[i], known, m, sizeof(*known), by_node);
		v[i].rank = k == NULL ? n + i : k->rank;
	}
	free(known);
}

/* "! move allow x after y" */
static void tell_move(struct comparing *c, const struct node *node, bool before, const struct node *beside)
{
	words_add_path(&c->text, node);
	buf_printf(c->out, "! move%s %s ", buf_str(&c->text) + strlen("set"), before ? "before" : "after");
	words_add_quoted(c->out, beside->value);
	buf_addc(c->out, '\n');
	buf_clear(&c->text);
}

static void compare_order(struct comparing *c, const struct node *a, const struct node *b, const struct place *place)
{
	size_t n = 0, at = 0;

	for (const struct node *y = next_of(b->items, place); y != NULL; y = next_of(y->next, place))
		n++;
	struct entry *v = calloc(n + 1, sizeof(*v));
	if (v == NULL)
		abort();
	for (const struct node *y = next_of(b->items, place); y != NULL; y = next_of(y->next, place))
		v[at++].node = y;
	rank(c, a, v, n, place);
	mark_stays(v, n);
	for (size_t i = 0; i < n; i++) {
		if (v[i].stays)
			continue;
		const struct node *beside = v[i == 0 ? 1 : i - 1].node;
		if (c->out != NULL)
			tell_move(c, v[i].node, i == 0, beside);
		else if (tree_item(c->a->tree, a, place, v[i].node->value) != NULL)
			differ(c, DIFFERENCE_MOVED, v[i].node, NULL, beside->value);
	}
	free(v);
}

/* -- objects ----------------------------------------------------------------------------------------------------- */

static void compare_node(struct comparing *c, const struct node *a, const struct node *b);

static void compare_entries(struct comparing *c, const struct node *a, const struct node *b, const struct place *place)
{
	for (const struct node *n = next_of(a->items, place); n != NULL; n = next_of(n->next, place))
		if (tree_item(c->b->tree, b, place, n->value) == NULL)
			tell_node(c, "-", n);
	for (const struct node *n = next_of(b->items, place); n != NULL; n = next_of(n->next, place)) {
		const struct node *was = tree_item(c->a->tree, a, place, n->value);
		if (was == NULL)
			tell_node(c, "+", n);
		else
			compare_node(c, was, n);
	}
	compare_order(c, a, b, place);
}

static void compare_container(struct comparing *c, const struct node *a, const struct node *b, const struct place *place)
{
	const struct node *x = tree_leaf(a, place), *y = tree_leaf(b, place);

	if (x != NULL && y != NULL)
		compare_node(c, x, y);
	else if (x != NULL)
		tell_node(c, "-", x);
	else if (y != NULL)
		tell_node(c, "+", y);
}

static void compare_node(struct comparing *c, const struct node *a, const struct node *b)
{
	compare_notes(c, a->note, b->note);
	for (size_t i = 0; i < a->place->nchildren; i++) {
		const struct place *p = a->place->children[i];
		if (p->kind == PLACE_LEAF)
			compare_leaf(c, a, b, p);
		else if (p->kind == PLACE_LEAFLIST)
			compare_values(c, a, b, p);
		else if (p->kind == PLACE_LIST)
			compare_entries(c, a, b, p);
		else
			compare_container(c, a, b, p);
	}
	compare_notes(c, a->tail, b->tail);
}

static bool compare(struct comparing *c, const char *a, size_t na, const char *b, size_t nb)
{
	struct arena *arena = arena_new();
	struct diag_list diags;

	if (arena == NULL)
		abort();
	diag_init(&diags, arena);
	struct candidate *x = candidate_new(a, na, &diags), *y = candidate_new(b, nb, &diags);
	bool done = x != NULL && y != NULL;
	if (done) {
		c->a = x;
		c->b = y;
		compare_node(c, tree_root(x->tree), tree_root(y->tree));
	}
	buf_free(&c->text);
	buf_free(&c->label);
	candidate_free(x);
	candidate_free(y);
	arena_free(arena);
	return done;
}

bool candidate_compare(const char *a, size_t na, const char *b, size_t nb, struct buf *out)
{
	struct comparing c = {.out = out};

	return compare(&c, a, na, b, nb);
}

bool candidate_differences(const char *a, size_t na, const char *b, size_t nb, candidate_differs *fn, void *arg)
{
	struct comparing c = {.fn = fn, .arg = arg};

	return compare(&c, a, na, b, nb);
}
