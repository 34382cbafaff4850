/*
 * candidate.c: a policy being edited: the tree of parse.c, into which lines are merged.
 *
 * A line is parsed into a small tree of its own first, so that a line with any flaw changes nothing, and an edit costs what
 * the line costs, whatever the size of the policy. Limits: LIMIT_LINE a line, LIMIT_POLICY_BYTES a text, the schema's
 * max-elements. Texts of values that were replaced stay in the arena until the candidate's end.
 */
#include "candidate_tree.h"

#include "parse.h"
#include "print.h"
#include "value.h"

#include <sekisho/arena.h>
#include <sekisho/buf.h>
#include <sekisho/diag.h>
#include <sekisho/i18n.h>
#include <sekisho/limits.h>

#include <errno.h>
#include <stdlib.h>
#include <string.h>

static void read_all(struct candidate *c, const char *text, size_t n, struct diag_list *diags)
{
	struct lines lines = lines_init(text, n);

	c->values = arena_new();
	if (c->values == NULL)
		abort();
	const char *why;
	c->tree = tree_new(schema_open(&why));
	parse_as(c->tree, c->values, &lines, PARSE_NOTES, diags);
}

struct candidate *candidate_new(const char *text, size_t n, struct diag_list *diags)
{
	const char *why;

	if (schema_open(&why) == NULL) {
		diag_error(diags, 0, "environment", NULL, _("the schema cannot be loaded: %s"), _(why));
		return NULL;
	}
	if (n > LIMIT_POLICY_BYTES) {
		diag_error(diags, 0, "file-too-large", NULL, _("the policy has %zu bytes; at most %u are read"), n,
			LIMIT_POLICY_BYTES);
		n = 0;
	}
	struct candidate *c = calloc(1, sizeof(*c));
	if (c == NULL || (c->tokens = calloc(1, sizeof(*c->tokens))) == NULL)
		abort();
	c->line = 1;
	read_all(c, text, n, diags);
	return c;
}

void candidate_free(struct candidate *c)
{
	if (c == NULL)
		return;
	tree_free(c->tree);
	arena_free(c->values);
	free(c->tokens);
	free(c);
}

unsigned long candidate_changes(const struct candidate *c)
{
	return c->changes;
}

/* -- merging ----------------------------------------------------------------------------------------------------- */

static struct node *counterpart(const struct candidate *c, const struct node *to, const struct node *n)
{
	bool item = n->place->kind == PLACE_LIST || n->place->kind == PLACE_LEAFLIST;

	if (to == NULL)
		return NULL;
	return item ? tree_item(c->tree, to, n->place, n->value) : tree_leaf(to, n->place);
}

static struct node *add_like(struct candidate *c, struct node *to, const struct node *n)
{
	c->changes++;
	return tree_add(c->tree, to, n->place, n->value == NULL ? NULL : arena_strdup(c->values, n->value), 0);
}

void candidate_merge(struct candidate *c, struct node *to, const struct node *from)
{
	const struct node *chains[] = {from->leaves, from->items};

	for (int i = 0; i < 2; i++)
		for (const struct node *n = chains[i]; n != NULL; n = n->next) {
			struct node *old = counterpart(c, to, n);
			if (old == NULL) {
				old = add_like(c, to, n);
			} else if (n->place->kind == PLACE_LEAF && strcmp(old->value, n->value) != 0) {
				old->value = arena_strdup(c->values, n->value);
				c->changes++;
			}
			candidate_merge(c, old, n);
		}
	if (from->tail != NULL && (to->tail == NULL || strcmp(to->tail, from->tail) != 0)) {
		to->tail = arena_strdup(c->values, from->tail);
		c->changes++;
	}
	if (from->note != NULL && (to->note == NULL || strcmp(to->note, from->note) != 0)) {
		to->note = arena_strdup(c->values, from->note);
		c->changes++;
	}
}

/* How many of `place` a node has. */
static size_t count(const struct node *node, const struct place *place)
{
	size_t n = 0;

	for (const struct node *i = node->items; i != NULL; i = i->next)
		n += i->place == place;
	return n;
}

/* Would `to` (NULL: it is new) hold too many of what `from` adds to it? */
static bool fits_here(const struct candidate *c, const struct node *to, const struct node *from, struct diag_list *diags)
{
	for (const struct node *n = from->items, *before = NULL; n != NULL; before = n, n = n->next) {
		if (before != NULL && before->place == n->place)
			continue;
		size_t fresh = 0;
		for (const struct node *i = n; i != NULL; i = i->next)
			fresh += i->place == n->place && counterpart(c, to, i) == NULL;
		if (fresh == 0 || fresh + (to == NULL ? 0 : count(to, n->place)) <= n->place->max)
			continue;
		diag_error(diags, n->line, "too-many", NULL, _("%s \"%s\" is one too many: at most %u are possible"),
			n->place->word, value_show(n->value), n->place->max);
		return false;
	}
	return true;
}

bool candidate_fits(const struct candidate *c, const struct node *to, const struct node *from, struct diag_list *diags)
{
	const struct node *chains[] = {from->leaves, from->items};

	if (!fits_here(c, to, from, diags))
		return false;
	for (int i = 0; i < 2; i++)
		for (const struct node *n = chains[i]; n != NULL; n = n->next)
			if (!candidate_fits(c, counterpart(c, to, n), n, diags))
				return false;
	return true;
}

/* Lines of set (or, bare, without it) into the candidate: all or nothing. */
static int merge_text(struct candidate *c, const char *text, size_t n, unsigned form, struct diag_list *diags)
{
	struct lines lines = lines_init(text, n);
	struct tree *tree = tree_new(tree_root(c->tree)->place);
	size_t before = diags->nerrors;

	lines.number = c->line - 1;
	parse_as(tree, tree_arena(tree), &lines, form | PARSE_NOTES, diags);
	bool good = diags->nerrors == before && candidate_fits(c, tree_root(c->tree), tree_root(tree), diags);
	if (good)
		candidate_merge(c, tree_root(c->tree), tree_root(tree));
	tree_free(tree);
	return good ? 0 : -EINVAL;
}

int candidate_set(struct candidate *c, const char *line, struct diag_list *diags)
{
	if (!candidate_split(c, line, strlen(line), diags))
		return -EINVAL;
	if (c->tokens->n == 0) {
		diag_error(diags, c->line, "incomplete", words_possible(diags->arena, tree_root(c->tree)->place),
			_("set: what? the line ends here"));
		return -EINVAL;
	}
	return merge_text(c, line, strlen(line), PARSE_BARE, diags);
}

/* -- texts of many lines ----------------------------------------------------------------------------------------- */

struct loading {
	struct candidate *c;
	struct diag_list *diags;
	struct buf run; /* lines of set in a row, not merged yet */
	uint32_t first; /* number of the run's first line */
	size_t done;
};

static int flush_run(struct loading *l)
{
	uint32_t line = l->c->line;
	int r = 0;

	if (l->run.len > 0) {
		l->c->line = l->first;
		r = merge_text(l->c, (const char *)l->run.data, l->run.len, PARSE_FILE, l->diags);
		l->c->line = line;
	}
	buf_clear(&l->run);
	return r;
}

/* "VERB PATH to NAME": the path, and which of two words stands before the name; NULL when neither does. */
static const char *middle(const struct candidate *c, const char *a, const char *b, struct buf *path)
{
	const struct tokens *t = c->tokens;
	const char *word = t->n < 4 ? "" : t->v[t->n - 2].text;

	for (size_t i = 1; i + 2 < t->n; i++) {
		buf_addc(path, ' ');
		if (t->v[i].quoted)
			words_add_in_quotes(path, t->v[i].text);
		else
			words_add_quoted(path, t->v[i].text);
	}
	return strcmp(word, a) == 0 ? a : strcmp(word, b) == 0 ? b : NULL;
}

static int say_form(struct loading *l, const char *form)
{
	diag_error(l->diags, l->c->line, "incomplete", arena_printf(l->diags->arena, _("write: %s"), form),
		_("the line is not whole"));
	return -EINVAL;
}

/* A line with a verb that names two things: `verb` in the words of the tokens. */
static int run_pair(struct loading *l, const char *verb)
{
	struct candidate *c = l->c;
	struct buf path = {0};
	bool move = strcmp(verb, "move") == 0;
	const char *word = middle(c, move ? "before" : "to", move ? "after" : "to", &path);
	const char *name = arena_strdup(l->diags->arena, c->tokens->v[c->tokens->n - 1].text);
	int r;

	if (word == NULL)
		r = say_form(l, move				? "move PATH before|after NAME"
				: strcmp(verb, "copy") == 0 ? "copy PATH to NAME"
							    : "rename PATH to NAME");
	else if (move)
		r = candidate_move(c, buf_str(&path), strcmp(word, "before") == 0, name, l->diags);
	else if (strcmp(verb, "copy") == 0)
		r = candidate_copy(c, buf_str(&path), name, l->diags);
	else
		r = candidate_rename(c, buf_str(&path), name, l->diags);
	buf_free(&path);
	return r;
}

/* A line that does not begin with set. */
static int run_other(struct loading *l, const char *text)
{
	const char *verb = l->c->tokens->v[0].text;

	if (strcmp(verb, "delete") == 0)
		return candidate_delete(l->c, text + strlen("delete"), l->diags);
	return run_pair(l, strcmp(verb, "move") == 0 ? "move" : strcmp(verb, "copy") == 0 ? "copy" : "rename");
}

static bool is_run(const char *p, size_t n)
{
	static const char *const verbs[] = {"delete", "rename", "copy", "move"};

	for (size_t i = 0; i < sizeof(verbs) / sizeof(verbs[0]); i++) {
		size_t v = strlen(verbs[i]);
		if (n >= v && memcmp(p, verbs[i], v) == 0 && (n == v || p[v] == ' ' || p[v] == '\t'))
			return false;
	}
	return true;
}

static int load_line(struct loading *l, const char *p, size_t n)
{
	size_t blank = 0;

	while (blank < n && (p[blank] == ' ' || p[blank] == '\t'))
		blank++;
	if (is_run(p + blank, n - blank)) {
		if (l->run.len == 0)
			l->first = l->c->line;
		buf_add(&l->run, p, n);
		buf_addc(&l->run, '\n');
		l->done += n > blank && p[blank] != '#';
		return 0;
	}
	int r = flush_run(l);
	if (r == 0 && !candidate_split(l->c, p + blank, n - blank, l->diags))
		r = -EINVAL;
	if (r == 0) {
		char *text = strndup(p + blank, n - blank);
		if (text == NULL)
			abort();
		r = run_other(l, text);
		free(text);
	}
	l->done++;
	return r;
}

static void forget(struct candidate *c)
{
	tree_free(c->tree);
	arena_free(c->values);
}

int candidate_load(struct candidate *c, const char *text, size_t n, bool replace, size_t *ret_done, struct diag_list *diags)
{
	struct loading l = {.c = c, .diags = diags};
	struct diag_list none;
	struct buf before = {0};
	unsigned long changes = c->changes;
	int r = 0;

	if (n > LIMIT_POLICY_BYTES) {
		diag_error(diags, 0, "file-too-large", NULL, _("the policy has %zu bytes; at most %u are read"), n,
			LIMIT_POLICY_BYTES);
		return -EINVAL;
	}
	candidate_print(c, NULL, &before);
	diag_init(&none, diags->arena);
	if (replace) {
		forget(c);
		read_all(c, "", 0, &none);
		c->changes++;
	}
	if (n >= 3 && memcmp(text, "\xef\xbb\xbf", 3) == 0)
		text += 3, n -= 3;
	for (const char *p = text, *end = text + n; p < end && (r == 0 || diags->n < DIAG_KEEP_MAX); c->line++) {
		const char *nl = memchr(p, '\n', (size_t)(end - p)), *stop = nl == NULL ? end : nl;
		size_t len = (size_t)(stop - p) - (stop > p && stop[-1] == '\r');
		int one = load_line(&l, p, len);
		r = r == 0 ? one : r;
		p = nl == NULL ? end : nl + 1;
	}
	int last = flush_run(&l);
	c->line = 1;
	buf_free(&l.run);
	r = r == 0 ? last : r;
	if (r < 0) {
		forget(c);
		read_all(c, (const char *)before.data, before.len, &none);
		c->changes = changes;
	}
	buf_free(&before);
	if (ret_done != NULL)
		*ret_done = r < 0 ? 0 : l.done;
	return r < 0 ? -EINVAL : 0;
}

int candidate_print(const struct candidate *c, const char *path, struct buf *out)
{
	struct arena *arena = arena_new();
	struct diag_list diags;

	if (arena == NULL)
		abort();
	diag_init(&diags, arena);
	struct targets *t = ARENA_NEW(arena, struct targets);
	bool all = path == NULL || path[strspn(path, " \t")] == '\0';
	int r = all ? 0 : candidate_targets(c, path, t, &diags);
	if (all)
		print(tree_root(c->tree), out);
	for (size_t i = 0; i < t->n; i++) {
		const struct target *one = &t->v[i];
		bool value = one->place->kind == PLACE_LEAF || one->place->kind == PLACE_LEAFLIST;
		for (const struct node *n = one->node == NULL ? one->parent->items : one->node; n != NULL;
			n = one->node == NULL ? n->next : NULL)
			if (n->place == one->place && value)
				print_value(n, out);
			else if (n->place == one->place)
				print(n, out);
	}
	arena_free(arena);
	return r == -ENOENT ? 0 : r;
}
